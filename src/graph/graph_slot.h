/* SPDX-License-Identifier: Apache-2.0 */
/* Shared inside graph: one request of a pool, and the handle that makes it. */
#pragma once

#include <curl/curl.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "graph.h"

#define GRAPH_SLOT_HEADERS 5

/* What the slots of a pool have in common. */
struct graph_shared {
	struct graph *g;
	CURLM *multi;
	struct curl_slist *headers;	/* the token last, which is g's */
	GArray *sockets;		/* struct graph_socket */
};

struct graph_job {
	struct graph_request rq;
	char *target, *type_line;
	int64_t until_ms;	/* monotonic */
	struct err refused;	/* why it will not be sent */
};

/* One request under way, or none. */
struct graph_slot {
	const struct graph_shared *shared;
	CURL *easy;
	struct graph_job *job;
	struct curl_slist type;	/* in front of the headers of all */
	bool begun;		/* an attempt was let go */
	bool stopped;		/* a further one was not */
	bool stale;		/* one was not, as its connection is dead */
	bool too_large;
	long written;		/* before the attempt */
	GString *answer;
	size_t header_bytes;
	char *keep[GRAPH_SLOT_HEADERS];
	const char *list[2 * GRAPH_SLOT_HEADERS + 1];
	struct err why;
	char errbuf[CURL_ERROR_SIZE];
};

/* A copy of it but for the body; refused says why when it is not to be sent. */
struct graph_job *graph_job_new(const struct graph_request *rq);
void graph_job_free(struct graph_job *j);

/* Hands it to the multi. False: libcurl gave no handle; the job is not taken. */
bool graph_slot_begin(struct graph_slot *s, struct graph_job *j, int64_t now);
/*
 * After the handle was taken from the multi. Begins again when the request
 * has only met a dead connection, which is gone now, and nothing was written.
 */
bool graph_slot_try_another(struct graph_slot *s);
/* How it ended; cut: why it was ended from here. *out is valid until forget. */
void graph_slot_end(struct graph_slot *s, CURLcode res, const struct err *cut,
    struct graph_reply *out);
void graph_slot_forget(struct graph_slot *s);
void graph_slot_close(struct graph_slot *s);
