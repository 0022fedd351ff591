/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP listener under intake and the gateway: deadlines, limits, TLS. The
 * only user of libmicrohttpd. It knows nothing of webhooks: it reads a whole
 * request within bounds, refuses what is ambiguous, and asks the application.
 *
 * Refused here, before the application is asked: 400 doubled or malformed
 * Content-Length, Content-Length together with Transfer-Encoding, a coding
 * other than chunked, a missing, empty or doubled Host, a header name that is
 * none (RFC 9112 sections 3.2, 5.1, 6.1, 6.3), a doubled single header; 403
 * without a good client certificate where one is wanted; 413 over max_body (by
 * Content-Length at once, without 100-continue; a chunked body is swallowed
 * up to twice max_body so that the client can be told, then the connection is
 * closed); 503 when a large body finds no place in the spool. 431 and 414 past
 * about 30 KB of headers or target. 408 is not sent: past the deadline the
 * connection is shut.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct http_server;
struct http_request;

struct http_conf {
	int listen_fd;		/* of http_hold() or http_listen(); somebody has
				   it listening. The server's from now on */
	int threads;		/* MHD pool */
	size_t max_body;
	/*
	 * Absolute: from the connect, for a later request from its request
	 * line, until the application is asked; again for the answer's way
	 * out; and how long a connection may idle between two requests. The
	 * time with the application is not counted: it bounds that itself.
	 */
	int64_t deadline_ms;
	/* In all: the next one waits in the kernel's queue. Per address: it
	   is closed at once; 0 is no limit (behind a proxy all are one). */
	int connections, connections_per_address;
	/* TLS; all NULL for plain HTTP */
	const char *tls_certificate, *tls_key;	/* PEM files; chain in the first */
	const char *tls_client_ca;	/* PEM file: then a client cert is required */
	const char *tls_client_name;	/* CN or DNS SAN it must have; NULL: any */
	const char *tls_priority;	/* GnuTLS; NULL: TLS 1.2 and newer */
	/*
	 * With tls_client_ca: a certificate is asked for, but who shows none is
	 * let in (the application looks at http_request_client()). A bad one
	 * is refused all the same.
	 */
	bool tls_client_optional;
	/*
	 * Bodies of more than spool_above bytes go into an unlinked file of this
	 * directory while they arrive, and are mapped: memory stays bounded by
	 * what is small. 503 when that fails. NULL: all in memory.
	 */
	const char *spool;
	size_t spool_above;
	const char *const *single_headers;	/* NULL-ended, at most 32;
						   400 if doubled */
};

/* Called in a listener thread with the whole request; must not block. */
enum http_verdict {
	HTTP_ANSWERED,	/* http_answer() was called */
	HTTP_LATER,	/* somebody will call http_answer() from any thread */
};
typedef enum http_verdict http_handler_fn(void *app, struct http_request *rq);

struct http_place {
	const char *address;	/* "127.0.0.1", "::1", "0.0.0.0", "::" */
	int port;		/* 0: the kernel picks, see http_server_port() */
	/*
	 * Sockets of this process (or -1) that may be in the way and will soon
	 * be closed: as that of one address, when all are to be listened on.
	 */
	const int *beside;
	size_t n_beside;
};

/*
 * A socket bound to that place: nobody else gets it, who connects is refused
 * yet. ERR_CONF "http.listen" (address in use, no permission; the text names
 * address and port). Needs no server: its maker may hand it to another process.
 */
bool http_hold(const struct http_place *place, int *fd, struct err *err);
/* The same, listening: who connects waits in the kernel's queue. */
bool http_listen(const struct http_place *place, int *fd, struct err *err);

/*
 * Serves nothing yet: for roles that drop rights in between. ERR_CONF
 * "http.tls" for unusable PEM files, "http.listen" for a descriptor that is
 * no socket with a port.
 */
bool http_server_new(const struct http_conf *conf, http_handler_fn *handler,
    void *app, struct http_server **out, struct err *err);
bool http_server_start(struct http_server *srv, struct err *err);
int http_server_port(const struct http_server *srv);

/*
 * Reads certificate and key again; connections under way keep the old ones.
 * On failure the old ones stay in use. No-op without TLS.
 */
bool http_server_reload_tls(struct http_server *srv, struct err *err);

/*
 * Lets go of the listening socket and closes idle connections, but not those
 * that were made or used just now: their request may be on its way. Waits
 * until every request that has begun has been answered and its bytes handed to
 * the kernel, at most timeout_ms. True when nothing was cut. The application must go on
 * answering meanwhile. May be called again to wait longer.
 */
bool http_server_drain(struct http_server *srv, int64_t timeout_ms);
/*
 * Cuts what is left. Requests without an answer are gone: whoever might call
 * http_answer() must have been stopped before.
 */
void http_server_free(struct http_server *srv);

/* All borrowed until http_answer(). NULL when absent. */
const char *http_request_method(const struct http_request *rq);
const char *http_request_path(const struct http_request *rq);
/* Path and query as they came, not decoded; an absolute form stays one. */
const char *http_request_target(const struct http_request *rq);
const char *http_request_header(const struct http_request *rq,
    const char *name);
/*
 * Name in the verified client certificate: the first DNS SAN, or the CN when it
 * has none. NULL: no certificate, or a name that cannot be shown.
 */
const char *http_request_client(const struct http_request *rq);
const char *http_request_query(const struct http_request *rq,
    const char *name);
/* "203.0.113.7": the peer of the connection. */
const char *http_request_remote(const struct http_request *rq);
const void *http_request_body(const struct http_request *rq, size_t *len);

/*
 * Exactly once per request, from any thread; rq is gone afterwards. body is
 * copied. content_type NULL: text/plain; charset=utf-8. retry_after_s > 0
 * adds Retry-After. A client that went away meanwhile is not an error; one
 * that only closed its sending side before the answer gets none either.
 */
void http_answer(struct http_request *rq, int status, const char *content_type,
    const void *body, size_t len, int retry_after_s);

/*
 * The same with headers of one's own (name, value … NULL; copied). One that
 * is not well-formed, or says how the message is framed, is left out; a
 * content_type that is none becomes application/octet-stream. From a file: fd
 * is taken over, from its beginning, len bytes; 500 when it has fewer.
 */
void http_answer_with(struct http_request *rq, int status,
    const char *content_type, const char *const *headers, const void *body,
    size_t len);
void http_answer_file(struct http_request *rq, int status,
    const char *content_type, const char *const *headers, int fd, size_t len);

struct http_stats {
	int64_t requests;	/* the application was asked */
	int64_t refused;	/* 400 from here */
	int64_t too_large;	/* over max_body */
	int64_t late;		/* cut at the deadline, idle ones not counted */
	int64_t tls_refused;	/* 403 for the client certificate */
	int64_t spool_failed;	/* 503: the spool took a body not, or not all */
	int spool_errno;	/* of the last of these */
};
void http_server_stats(const struct http_server *srv, struct http_stats *out);
