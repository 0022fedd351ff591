/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fake/graph.py beside a test program: one process for all its tests,
 * as each test has a media id of its own.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct graph_peer {
	char *dir, *log;
	int port, foreign, plain;
	GBytes *token;
	char *url, *ca_file;
	GPid pid;
	int in, out;
};

/* NULL when there is no python3 or openssl. */
struct graph_peer *graph_peer_start(const char *script);
/*
 * tests/fake/sends.py: who comes to the port `foreign` is closed at once; at
 * `plain` there is a proxy.
 */
struct graph_peer *graph_peer_start_sends(void);
void graph_peer_stop(struct graph_peer *p);
void graph_peer_file(struct graph_peer *p, const char *name, const void *data,
    gsize len);
/* The same bytes under each id from first to last: "301.png" … */
void graph_peer_files(struct graph_peer *p, int first, int last,
    const char *ext, const void *data, gsize len);
/* Bytes for a file: what is cut, moved or repeated differs. */
void graph_peer_fill(char *data, gsize len);
/* How many lines of its log begin so. */
int graph_peer_logged(struct graph_peer *p, const char *begin);
/* What it has logged so far. */
char **graph_peer_lines(struct graph_peer *p);
/* The same, once there are so many: it takes note after it has answered. */
int graph_peer_wait(struct graph_peer *p, const char *begin, int times);
/* An address of the file as a webhook has it; life in seconds. */
char *graph_peer_url(struct graph_peer *p, const char *id, int life);
/* rm -rf */
void graph_peer_rm(const char *dir);
