/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of the listener: a server on loopback whose application does
 * what the test says, and a client that sends exactly the bytes it is given.
 */
#pragma once

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "err.h"
#include "http.h"

#define PEER_DEADLINE_MS 200

enum app_mode {
	APP_ECHO,	/* answers in the handler: what it saw, and the body */
	APP_HOLD,	/* keeps the requests for app_answer_all() */
	APP_OTHER_FIRST, /* another thread answers before the handler returns */
	APP_OTHER_RACE,	/* another thread answers whenever it comes to it */
};

struct app {
	enum app_mode mode;
	_Atomic int asked;
	pthread_mutex_t lock;
	pthread_cond_t came;
	GPtrArray *held;
	pthread_t answerer;
	bool answerer_runs, stop;
	char *remote, *target, *client;	/* of the last request, APP_ECHO */
};

struct peer {
	struct http_place place;
	struct http_conf conf;
	struct http_server *srv;
	struct app app;
	int port;
};

/* Small limits: max_body 1000, deadline PEER_DEADLINE_MS, 2 threads. */
void peer_init(struct peer *p);
void peer_start(struct peer *p);
/* The two halves of it: the socket, for conf; and the server. */
void peer_listen(struct peer *p);
void peer_serve(struct peer *p);
/* Frees the server; anything held is abandoned. */
void peer_clear(struct peer *p);
void app_wait_held(struct app *app, unsigned n);
void app_answer_all(struct app *app, int status, const char *body);
struct http_stats peer_stats(const struct peer *p);

int dial(const struct peer *p);
void dial_send(int fd, const void *data, size_t len);
void dial_say(int fd, const char *text);
/* Everything until the server closes; NULL if it does not within ms. */
char *dial_read_all(int fd, int ms);
/* One response with Content-Length; NULL when the connection ends. */
char *dial_read_one(int fd);
int status_of(const char *response);
/* Sends, reads until closed, closes. */
char *talk(const struct peer *p, const char *text);
unsigned count_of(const char *haystack, const char *needle);
