/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meta's Graph API over libcurl: one request at a time in the calling thread,
 * or many at once in that of a pool.
 *
 * The bearer token goes to the host of `url` and to media_hosts, over https,
 * and nowhere else: redirects are not followed, and a URL that names another
 * host is refused before anything is sent. Bodies are bounded, deadlines are
 * absolute. A struct graph may be used by several threads at once.
 *
 * With a proxy everything goes through a tunnel (CONNECT) that it opens, and
 * the token travels inside of it, where the proxy cannot read it. Without one
 * no proxy is used, whatever the environment says.
 *
 * Errors: ERR_TEMP
 *   graph.network    not reached, TLS failed, or the connection broke; that
 *                    is also when a proxy answers instead of the host
 *   graph.proxy      the proxy is not reached in time, shows no good
 *                    certificate, or opens no tunnel (407: it wants a user)
 *   graph.deadline   took longer than total_ms, or stood still as long as
 *                    connecting may take
 *   graph.stopped    graph_cancel() was called
 *   io.write         the disk is full
 *   graph.throttled  429 or a throttling code; *retry_ms says when again
 *   graph.server     5xx, or an answer that is no JSON of the known shape
 *   graph.expired    the URL is no longer good (401, 403, 404, 410 on a URL):
 *                    ask for a new one
 * ERR_PERM
 *   graph.gone       the id is not known (any more). Meta says the same of
 *                    one that the token has no right to
 *   graph.id         nothing that could be an id, or the name or language of a
 *                    template: not asked for
 *   graph.host       the URL is not https to an allowed host, or the answer
 *                    is a redirect
 *   graph.size       more bytes than allowed
 *   graph.request    any other 4xx; text has Meta's own code and message. Of
 *                    a pool: what is not sent to Graph
 * ERR_CONF
 *   graph.auth       the token is refused (401, 403, code 190 and its like)
 *   graph.conf       url, host, proxy or CA file cannot be used
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct graph;

struct graph_conf {
	const char *url;		/* https://graph.facebook.com */
	const char *version;		/* v25.0 */
	const GBytes *token;		/* copied */
	const char *tls_ca_file;	/* NULL: the system's */
	const GPtrArray *media_hosts;	/* char *; a leading dot: any host below;
					   at port 443 or that of url */
	const char *proxy;		/* http://HOST:PORT, https://HOST:PORT;
					   NULL: none, and the rest is unused */
	const char *proxy_tls_ca_file;	/* for https; NULL: the system's */
	const char *proxy_user;		/* NULL: the proxy asks for none */
	const GBytes *proxy_password;	/* copied; sent to the proxy (Basic) */
	int64_t connect_ms, total_ms;
};

/* Call once before threads start. */
void graph_init(void);
bool graph_new(const struct graph_conf *conf, struct graph **out,
    struct err *err);
void graph_free(struct graph *g);
/* Every call under way and every later one ends soon; from any thread. */
void graph_cancel(struct graph *g);

/* What GET /{version}/{media id} says. Strings owned; NULL if not said. */
struct graph_media {
	char *url, *mime_type, *sha256;
	int64_t size;			/* -1 when not said */
};
void graph_media_clear(struct graph_media *m);

/*
 * Source: Meta, Cloud API, "Retrieve Media URL". phone_number_id may be NULL.
 * *retry_ms (may be NULL) is the wait a refusal asked for, else 0; it is set on
 * failure, too.
 */
#define GRAPH_WAIT_MAX_MS INT64_C(3600000)	/* more is not believed */
bool graph_media_find(struct graph *g, const char *id,
    const char *phone_number_id, struct graph_media *out, int64_t *retry_ms,
    struct err *err);

/*
 * GET url with the token into fd, at most max_bytes (ERR_PERM graph.size).
 * *len: bytes written. What was written before an error is the caller's to
 * throw away.
 */
bool graph_download(struct graph *g, const char *url, int fd,
    int64_t max_bytes, int64_t *len, int64_t *retry_ms, struct err *err);

/* ---- requests of staff systems, many at once ------------------------------- */

/*
 * A pool keeps connections to the host of `url` open and works on many
 * requests at once, in one thread of its own. The token is put into each. What
 * a caller of the gateway sent as headers goes nowhere.
 */
struct graph_pool;

enum graph_fate {
	GRAPH_ANSWERED,		/* status (200 to 599) and body, whatever they
				   say; a redirect is not followed */
	GRAPH_NOT_SENT,		/* no byte of the request can have been taken:
				   not resolved, not connected, TLS refused */
	GRAPH_UNKNOWN,		/* it may have been received and carried out */
};
struct graph_reply {
	enum graph_fate fate;
	int status;			/* 0 unless answered */
	const char *content_type;	/* or NULL */
	const char *const *headers;	/* name, value … NULL: of the answer,
				   those a caller has use for: Retry-After,
				   X-App-Usage, X-Business-Use-Case-Usage,
				   facebook-api-version, x-fb-trace-id */
	const void *body;
	size_t len;
	const struct err *why;		/* of NOT_SENT (kinds as above) and of
					   UNKNOWN (always ERR_UNSURE) */
};
/* In the pool's thread; must not block. Everything is borrowed. */
typedef void graph_done_fn(void *arg, const struct graph_reply *reply);

struct graph_request {
	const char *method;		/* GET, POST, DELETE */
	const char *target;		/* "/v25.0/123/messages?…": path, query,
					   sent as they are; with a blank, '#',
					   a ".." or the like: NOT_SENT,
					   graph.request */
	const char *content_type;	/* or NULL */
	const void *body;		/* borrowed until done is called; the
					   rest is copied */
	size_t len;
	size_t max_answer;		/* more is GRAPH_UNKNOWN, graph.size */
	int64_t total_ms;		/* from submission */
	graph_done_fn *done;
	void *arg;
};

/* g is borrowed. ERR_TEMP "graph.conf": no memory, or no thread. */
bool graph_pool_new(struct graph *g, int connections,
    struct graph_pool **out, struct err *err);
/*
 * From any thread; done is called exactly once for each, also after
 * graph_pool_stop(). Nothing is ever sent twice: no retry, no redirect. A kept
 * connection that the other side has closed is seen to be dead before the
 * first byte, and another one is taken; one that breaks later is GRAPH_UNKNOWN
 * unless libcurl knows that no byte went out.
 */
void graph_pool_submit(struct graph_pool *p, const struct graph_request *rq);
/*
 * Takes no more; waits until all have ended, then cuts. Not from done(), which
 * may submit. graph_pool_free() cuts at once what is left.
 */
void graph_pool_stop(struct graph_pool *p, int64_t timeout_ms);
void graph_pool_free(struct graph_pool *p);

/*
 * GET /{account}/message_templates?name=…: the element of data with this name
 * and language as compact JSON, owned by the caller; *json NULL: there is none.
 * Blocking. Errors as above.
 */
bool graph_template_find(struct graph *g, const char *account,
    const char *name, const char *language, char **json, int64_t *retry_ms,
    struct err *err);
