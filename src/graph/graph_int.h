/* SPDX-License-Identifier: Apache-2.0 */
/* Shared inside graph: which hosts get the token, what answers mean. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graph.h"

/* ---- hosts (graph_host.c) ----------------------------------------------- */

struct graph_place {
	char *host;		/* lower case */
	int port;
};

/*
 * Reads the strict form that this program uses: https, a host name or IPv4
 * address and perhaps a port, spelled plainly. No user, no escapes, no IPv6.
 * ERR_PERM graph.host; the text never holds more of the URL than its host.
 */
bool graph_place_parse(const char *url, struct graph_place *out,
    struct err *err);
void graph_place_clear(struct graph_place *p);
/* Whether url leads to home, or to one of more (as in struct graph_conf). */
bool graph_host_check(const struct graph_place *home, const GPtrArray *more,
    const char *url, struct err *err);
/* "lookaside.fbsbx.com" or ".fbsbx.com" */
bool graph_host_is_rule(const char *rule);

/* ---- answers (graph_answer.c) -------------------------------------------- */

/* More is not read of an answer that is no file. */
#define GRAPH_ANSWER_MAX (64 * 1024)
#define GRAPH_TEMPLATES_MAX (2 * 1024 * 1024)

enum graph_call { GRAPH_FIND, GRAPH_DOWNLOAD, GRAPH_TEMPLATES };

/* Who answers such a call, for an error: "Graph", "the file's host". */
const char *graph_who(enum graph_call call);

/* [A-Za-z0-9_-], at most 128: nothing else goes into a path or a query. */
bool graph_is_id(const char *id);
/* Body of a 200 to GET /{version}/{id}. */
bool graph_answer_media(const char *id, const char *body, size_t len,
    struct graph_media *out, struct err *err);
/*
 * Body of a 200 to GET /{version}/{account}/message_templates. *json: the
 * element with this name and language, owned; *after: the cursor of the next
 * page, owned. Both NULL: there is none.
 */
bool graph_answer_templates(const char *body, size_t len, const char *name,
    const char *language, char **json, char **after, struct err *err);
/* Fills *err from a status that is not 200, and what came with it. */
bool graph_answer_refused(enum graph_call call, long status,
    const char *body, size_t len, struct err *err);
/* Retry-After: seconds or an HTTP date; 0 when it is neither, or past. */
int64_t graph_retry_after(const char *value, int64_t now_ms);

/* ---- requests of others (graph_request.c) -------------------------------- */

/* ERR_PERM graph.request. *method: the same word, and constant. */
bool graph_request_check(const struct graph_request *rq, const char **method,
    struct err *err);
/* No control character in it, so that it may stand in a header. */
bool graph_is_line(const char *s);
