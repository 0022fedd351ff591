/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the HTTP listener share. Threads:
 *
 *   keeper    ours: accepts, hands sockets to the workers, cuts connections
 *             that are past their deadline
 *   worker    libmicrohttpd's: everything between bytes and answer; each
 *             connection belongs to one worker for its whole life
 *   others    the application's: http_answer(), drain, reload, free
 *
 * A connection's phase says who may do what with it. Who wants to cut one
 * moves the phase to PHASE_CLOSING first; who goes on with a request moves it
 * from the phase before. Both by compare-and-swap, so that the application is
 * never asked about a request whose connection is already being shut.
 */
#pragma once

#include <arpa/inet.h>
#include <glib.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "http.h"

#define HTTP_SINGLES_MAX 32

enum phase {
	PHASE_IDLE,	/* no whole request line yet; deadline runs */
	PHASE_READING,	/* headers or body on their way; deadline runs */
	PHASE_ASKED,	/* with the application, which bounds it itself */
	PHASE_ANSWERING, /* answer on its way to the kernel; deadline runs */
	PHASE_CLOSING,	/* shut by us, or about to be */
};

enum asked {
	ASKED_NOT,
	ASKED_NOW,	/* the handler has been called */
	ASKED_SUSPENDED, /* the worker let go of it; whoever answers resumes */
	ASKED_ANSWERED,
	ASKED_ABANDONED, /* the server is being freed without an answer */
};

enum peer { PEER_UNKNOWN, PEER_GOOD, PEER_BAD, PEER_NONE };

struct conn;
struct http_tls;

/* One per connection, used again for each request on it. */
struct http_request {
	struct conn *conn;
	const char *method, *path;	/* of MHD, until completed */
	_Atomic int asked;		/* enum asked */
	int status;
	struct MHD_Response *answer;
	uint8_t *body;
	size_t len, size;
	bool begun;			/* headers have been checked */
	bool too_large;			/* body is swallowed, 413 follows */
	bool unspooled;			/* the same, 503 follows */
	int spool_fd;			/* of a large body; -1: in memory */
	void *map;			/* of the spooled body, once whole */
};

struct conn {
	struct conn *prev, *next;	/* srv->lock */
	struct http_server *srv;
	struct MHD_Connection *mhd;
	int fd;
	_Atomic int phase;		/* enum phase */
	_Atomic int64_t since_ms;	/* when the deadline began to run */
	_Atomic int served;		/* requests completed, for the reaper */
	enum peer peer;
	bool is_over;			/* keeper's: the peer had closed, last time */
	bool bad_target;
	char *client;			/* name in its certificate, or NULL */
	GString *target;		/* of the request, as it came */
	char remote[INET6_ADDRSTRLEN];
	struct http_request rq;
};

/* The numbers of http_stats, and two that drain needs. */
struct http_counts {
	_Atomic int64_t requests, refused, too_large, late, tls_refused;
	_Atomic int64_t spool_failed;
	_Atomic int spool_errno;
	_Atomic int64_t cut;		/* by us, with an answer on its way */
	_Atomic int busy;		/* requests begun and not completed */
	_Atomic int answering;		/* threads inside http_answer() */
	_Atomic int open;		/* connections handed to MHD */
};

struct http_server {
	struct http_conf conf;		/* strings are not used after new */
	char **single_headers;
	char *spool;
	http_handler_fn *handler;
	void *app;
	struct MHD_Daemon *mhd;
	struct http_tls *tls;
	bool lenient_mhd;		/* its parser is that of 0.9 */
	int port;
	int listen_fd;			/* keeper's; -1 once closed */
	int wake_fd;			/* eventfd: makes the keeper look */
	int64_t tick_ms;		/* between two looks at deadlines */
	int64_t no_accept_until_ms;	/* keeper's: out of descriptors */
	pthread_t keeper;
	bool keeper_runs;
	_Atomic bool draining, stopping;
	pthread_mutex_t lock;		/* list, n_conns, listen_closed */
	pthread_cond_t changed;
	struct conn *conns;
	int n_conns;
	bool listen_closed;
	struct http_counts n;
};

/* http_listen.c */
/* -1: that is no socket with a port. */
int http_listen_port(int fd);
void http_remote_text(const struct sockaddr *addr,
    char out[INET6_ADDRSTRLEN]);

/* http_keeper.c */
bool http_keeper_start(struct http_server *srv, struct err *err);
void http_keeper_wake(struct http_server *srv);
void http_keeper_stop(struct http_server *srv);

/* http_conn.c: callbacks of MHD */
void http_on_connection(void *cls, struct MHD_Connection *mhd, void **ctx,
    enum MHD_ConnectionNotificationCode code);
void *http_on_target(void *cls, const char *target,
    struct MHD_Connection *mhd);
void http_on_completed(void *cls, struct MHD_Connection *mhd, void **ctx,
    enum MHD_RequestTerminationCode how);
/* False when somebody else moved it first. */
bool http_conn_move(struct conn *c, enum phase from, enum phase to);
/* Answers without the application; the connection closes afterwards. */
enum MHD_Result http_refuse(struct conn *c, unsigned status,
    const char *text);

/* http_request.c */
enum MHD_Result http_on_request(void *cls, struct MHD_Connection *mhd,
    const char *url, const char *method, const char *version,
    const char *data, size_t *size, void **ctx);
/* Lets every request that waits for an answer end without one. */
void http_requests_abandon(struct http_server *srv);

/* http_answer.c */
/* body is copied; never NULL */
struct MHD_Response *http_response_new(const void *body, size_t len,
    const char *content_type);

/* http_spool.c: bodies that are too large for memory */
/* Whether a body of so many bytes goes into a file. */
bool http_spool_wanted(const struct http_request *rq, uint64_t len);
/* Takes over what is in memory. These count what fails. */
bool http_spool_open(struct http_request *rq);
bool http_spool_write(struct http_request *rq, const void *data, size_t n);
bool http_spool_map(struct http_request *rq);
void http_spool_clear(struct http_request *rq);

/* http_tls.c */
bool http_tls_new(const struct http_conf *conf, struct http_tls **out,
    struct err *err);
bool http_tls_reload(struct http_tls *tls, struct err *err);
void http_tls_free(struct http_tls *tls);
const char *http_tls_priority(const struct http_tls *tls);
/* PEM, or NULL when clients need no certificate. */
const char *http_tls_trust(const struct http_tls *tls);
/* Ties the session to the certificates that its handshake will use. */
void http_tls_attach(struct http_tls *tls, struct MHD_Connection *mhd);
/* *name: that in a good certificate, owned; NULL when it has none. */
enum peer http_tls_peer(const struct http_tls *tls,
    struct MHD_Connection *mhd, char **name);
/* gnutls_certificate_retrieve_function2, for MHD. */
void *http_tls_callback(void);
