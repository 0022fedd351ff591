/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request: headers checked, body collected, application asked, answer
 * sent (http_answer.c has made it). Everything but the getters runs in the
 * worker that owns the connection.
 *
 * The hand-over. The worker sets ASKED_NOW and calls the handler. Whoever
 * answers stores the answer and swaps ASKED_ANSWERED in; what was there
 * before tells it whether the worker has let go of the connection
 * (ASKED_SUSPENDED: it must be resumed) or is still inside the handler (it
 * will find the answer by itself). After the swap the answerer touches the
 * request only if it is the one that resumes.
 */
#include "http_int.h"

#include <assert.h>
#include <string.h>

#include "clock.h"
#include "http_framing.h"

/* First size of a body buffer at most: a Content-Length is only a claim. */
#define BODY_PRESIZE_BYTES 262144
#define BODY_MIN_BYTES 1024

enum MHD_Result
http_refuse(struct conn *c, unsigned status, const char *text)
{
	g_autofree char *line = g_strconcat(text, "\n", NULL);
	struct MHD_Response *r = http_response_new(line, strlen(line),
	    "text/plain; charset=utf-8");
	enum MHD_Result ret;

	atomic_store(&c->since_ms, clock_mono_ms());
	http_conn_move(c, PHASE_READING, PHASE_ANSWERING);
	ret = MHD_queue_response(c->mhd, status, r);
	MHD_destroy_response(r);
	return ret;
}

static enum MHD_Result
add_header(void *cls, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	(void)kind;
	http_framing_add(cls, name, value);
	return MHD_YES;
}

static bool
is_peer_good(struct conn *c)
{
	if (c->srv->tls == NULL || http_tls_trust(c->srv->tls) == NULL)
		return true;
	if (c->peer == PEER_UNKNOWN)
		c->peer = http_tls_peer(c->srv->tls, c->mhd, &c->client);
	return c->peer == PEER_GOOD || (c->peer == PEER_NONE &&
	    c->srv->conf.tls_client_optional);
}

static const char *
ambiguity(struct conn *c, const char *version)
{
	struct http_framing f = {
		.singles = (const char *const *)c->srv->single_headers,
	};

	if (c->bad_target)
		return "malformed request target";
	if (c->srv->lenient_mhd)
		http_framing_begin(&f, c->rq.method,
		    MHD_get_connection_info(c->mhd,
		    MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size,
		    c->target->str, version);
	MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, add_header, &f);
	return http_framing_verdict(&f, version);
}

/* MHD has checked that it is a number; 0 when there is none. */
static uint64_t
declared_length(struct conn *c)
{
	const char *text = MHD_lookup_connection_value(c->mhd,
	    MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return text == NULL ? 0 : g_ascii_strtoull(text, NULL, 10);
}

static void
make_room(struct http_request *rq, size_t want)
{
	if (want <= rq->size)
		return;
	rq->size = MAX(MAX(want, rq->size * 2), BODY_MIN_BYTES);
	rq->body = g_realloc(rq->body, rq->size);
}

static enum MHD_Result
refuse_too_large(struct conn *c)
{
	atomic_fetch_add(&c->srv->n.too_large, 1);
	return http_refuse(c, MHD_HTTP_CONTENT_TOO_LARGE, "body too large");
}

static enum MHD_Result
refuse_unspooled(struct conn *c)
{
	return http_refuse(c, MHD_HTTP_SERVICE_UNAVAILABLE,
	    "no room for the body now: try again later");
}

/* What is announced decides at once; a chunked body only as it grows. */
static bool
make_place(struct http_request *rq, uint64_t length)
{
	if (http_spool_wanted(rq, length))
		return http_spool_open(rq);
	make_room(rq, (size_t)MIN(length, BODY_PRESIZE_BYTES));
	return true;
}

/* The headers are there. An answer given now is sent without 100-continue. */
static enum MHD_Result
begin(struct conn *c, const char *version)
{
	struct http_server *srv = c->srv;
	const char *why;
	uint64_t length;

	c->rq.begun = true;
	if (atomic_load(&c->phase) == PHASE_CLOSING)
		return MHD_NO;
	if (!is_peer_good(c)) {
		atomic_fetch_add(&srv->n.tls_refused, 1);
		return http_refuse(c, MHD_HTTP_FORBIDDEN,
		    "client certificate missing or not accepted");
	}
	why = ambiguity(c, version);
	if (why != NULL) {
		atomic_fetch_add(&srv->n.refused, 1);
		return http_refuse(c, MHD_HTTP_BAD_REQUEST, why);
	}
	length = declared_length(c);
	if (length > srv->conf.max_body)
		return refuse_too_large(c);
	return make_place(&c->rq, length) ? MHD_YES : refuse_unspooled(c);
}

/* False: it cannot be kept, and the rest of it is swallowed. */
static bool
keep(struct http_request *rq, const char *data, size_t n)
{
	if (rq->spool_fd < 0 && http_spool_wanted(rq, rq->len + n) &&
	    !http_spool_open(rq))
		return false;
	if (rq->spool_fd >= 0)
		return http_spool_write(rq, data, n);
	make_room(rq, rq->len + n);
	memcpy(rq->body + rq->len, data, n);
	return true;
}

/*
 * Only a chunked body can grow past the limit unannounced, and MHD takes no
 * answer while a body is under way: read on without keeping it, so that the
 * client can be told, but not further than as much again.
 */
static enum MHD_Result
take_body(struct http_request *rq, const char *data, size_t *size)
{
	size_t max = rq->conn->srv->conf.max_body;
	size_t n = *size;

	*size = 0;
	if (rq->too_large || n > max - rq->len) {
		rq->too_large = true;
		rq->len += n;
		if (rq->len <= 2 * max)
			return MHD_YES;
		atomic_fetch_add(&rq->conn->srv->n.too_large, 1);
		return MHD_NO;
	}
	rq->unspooled = rq->unspooled || !keep(rq, data, n);
	rq->len += n;
	return MHD_YES;
}

static enum MHD_Result
give_answer(struct conn *c)
{
	struct MHD_Response *r = g_steal_pointer(&c->rq.answer);
	enum MHD_Result ret;

	atomic_store(&c->since_ms, clock_mono_ms());
	http_conn_move(c, PHASE_ASKED, PHASE_ANSWERING);
	ret = MHD_queue_response(c->mhd, (unsigned)c->rq.status, r);
	MHD_destroy_response(r);
	return ret;
}

static bool
swap_asked(struct http_request *rq, enum asked from, enum asked to)
{
	int expected = from;

	return atomic_compare_exchange_strong(&rq->asked, &expected, to);
}

/*
 * Lets go of the connection. If the answer came in between, or the server is
 * being freed, nobody else will resume it: then this does.
 */
static void
suspend(struct conn *c)
{
	MHD_suspend_connection(c->mhd);
	if (!swap_asked(&c->rq, ASKED_NOW, ASKED_SUSPENDED) ||
	    (atomic_load(&c->srv->stopping) &&
	    swap_asked(&c->rq, ASKED_SUSPENDED, ASKED_ABANDONED)))
		MHD_resume_connection(c->mhd);
}

static enum MHD_Result
ask(struct conn *c)
{
	struct http_request *rq = &c->rq;
	enum http_verdict v;

	if (rq->too_large)
		return refuse_too_large(c);
	if (rq->unspooled || (rq->spool_fd >= 0 && !http_spool_map(rq)))
		return refuse_unspooled(c);
	if (!http_conn_move(c, PHASE_READING, PHASE_ASKED))
		return MHD_NO;
	atomic_fetch_add(&c->srv->n.requests, 1);
	atomic_store(&rq->asked, ASKED_NOW);
	v = c->srv->handler(c->srv->app, rq);
	if (atomic_load(&rq->asked) == ASKED_ANSWERED)
		return give_answer(c);
	assert(v == HTTP_LATER);
	suspend(c);
	return MHD_YES;
}

enum MHD_Result
http_on_request(void *cls, struct MHD_Connection *mhd, const char *url,
    const char *method, const char *version, const char *data, size_t *size,
    void **ctx)
{
	struct conn *c = *ctx;

	(void)cls;
	(void)mhd;
	c->rq.method = method;
	c->rq.path = url;
	if (!c->rq.begun)
		return begin(c, version);
	if (*size > 0)
		return take_body(&c->rq, data, size);
	switch ((enum asked)atomic_load(&c->rq.asked)) {
	case ASKED_NOT:
		return ask(c);
	case ASKED_ANSWERED:
		return give_answer(c);
	case ASKED_ABANDONED:
		return MHD_NO;
	case ASKED_NOW:
	case ASKED_SUSPENDED:
	default:
		return MHD_YES;
	}
}

void
http_requests_abandon(struct http_server *srv)
{
	pthread_mutex_lock(&srv->lock);
	for (struct conn *c = srv->conns; c != NULL; c = c->next)
		if (swap_asked(&c->rq, ASKED_SUSPENDED, ASKED_ABANDONED))
			MHD_resume_connection(c->mhd);
	pthread_mutex_unlock(&srv->lock);
}

const char *
http_request_method(const struct http_request *rq)
{
	return rq->method;
}

const char *
http_request_path(const struct http_request *rq)
{
	return rq->path;
}

const char *
http_request_target(const struct http_request *rq)
{
	return rq->conn->target->str;
}

const char *
http_request_client(const struct http_request *rq)
{
	return rq->conn->client;
}

const char *
http_request_header(const struct http_request *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->conn->mhd, MHD_HEADER_KIND,
	    name);
}

const char *
http_request_query(const struct http_request *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->conn->mhd,
	    MHD_GET_ARGUMENT_KIND, name);
}

const char *
http_request_remote(const struct http_request *rq)
{
	return rq->conn->remote;
}

const void *
http_request_body(const struct http_request *rq, size_t *len)
{
	*len = rq->len;
	if (rq->map != NULL)
		return rq->map;
	return rq->len > 0 ? (const void *)rq->body : "";
}
