/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of the pool: what is set for it, what arrives, how it ended.
 *
 * Never twice. When a kept connection ends before an answer, libcurl takes it
 * for one that had been closed while it was idle and sends the request once
 * more, up to five times; also after 417, and with HTTP/2 after a refused
 * stream. No option forbids that (curl pull request 18417). But before each
 * attempt, and before its first byte, it calls CURLOPT_PREREQFUNCTION: the
 * second attempt is stopped there unless nothing of the first was written
 * (CURLINFO_REQUEST_SIZE has not grown; it does when a write to the connection
 * succeeds, and with an upload buffer of one TLS record, 16384 bytes, a write
 * that fails has left no whole record, so nothing that the peer could read).
 * So too is known what can have been sent: nothing before the first attempt.
 *
 * That makes a kept connection that the other side has closed dear, so it is
 * looked at in the same place: when something has come on it unasked (a TLS
 * close_notify, which libcurl before 8.1 takes for life), the attempt is
 * stopped before its first byte and made again on another one.
 */
#include <string.h>

#include "clock.h"
#include "err.h"
#include "graph_curl.h"
#include "graph_int.h"
#include "graph_slot.h"
#include "graph_socket.h"

#define RECORD_BYTES 16384L	/* RFC 8446 section 5.1 */
#define IDLE_MAX_S 20L		/* load balancers wait for 60 and more */
#define HEADERS_MAX ((size_t)64 * 1024)
#define HEADER_MAX ((size_t)4096)
#define KEPT_MAX ((size_t)64 * 1024)	/* of an answer's buffer */

/* As Graph spells them; the order of keep[]. */
static const char *const known_headers[GRAPH_SLOT_HEADERS] = {
	"Retry-After", "X-App-Usage", "X-Business-Use-Case-Usage",
	"facebook-api-version", "x-fb-trace-id"
};

/* ---- jobs -------------------------------------------------------------------------- */

/* A name without a value keeps libcurl from making one up. */
static char *
type_line(const char *type)
{
	return type == NULL || *type == '\0' ? g_strdup("Content-Type:") :
	    g_strconcat("Content-Type: ", type, NULL);
}

struct graph_job *
graph_job_new(const struct graph_request *rq)
{
	struct graph_job *j = g_new0(struct graph_job, 1);

	j->rq = *rq;
	j->until_ms = clock_mono_ms() + rq->total_ms;
	if (!graph_request_check(rq, &j->rq.method, &j->refused))
		return j;
	j->rq.target = j->target = g_strdup(rq->target);
	j->type_line = type_line(rq->content_type);
	return j;
}

void
graph_job_free(struct graph_job *j)
{
	g_free(j->target);
	g_free(j->type_line);
	g_free(j);
}

/* ---- what arrives ------------------------------------------------------------------ */

static size_t
on_data(char *data, size_t size, size_t n, void *arg)
{
	struct graph_slot *s = arg;
	size_t len = size * n;

	if (len > s->job->rq.max_answer - s->answer->len) {
		s->too_large = true;
		return 0;
	}
	g_string_append_len(s->answer, data, (gssize)len);
	return len;
}

static void
forget_headers(struct graph_slot *s)
{
	for (size_t i = 0; i < GRAPH_SLOT_HEADERS; i++)
		g_clear_pointer(&s->keep[i], g_free);
}

static void
keep_header(struct graph_slot *s, size_t i, const char *value, size_t len)
{
	char *text;

	if (len > HEADER_MAX || memchr(value, '\0', len) != NULL)
		return;
	text = g_strstrip(g_strndup(value, len));
	if (!graph_is_line(text)) {
		g_free(text);
		return;
	}
	g_free(s->keep[i]);
	s->keep[i] = text;
}

/* Also called for an interim answer, whose headers are not those. */
static size_t
on_header(char *line, size_t size, size_t n, void *arg)
{
	struct graph_slot *s = arg;
	size_t len = size * n;

	s->header_bytes += len;
	if (s->header_bytes > HEADERS_MAX) {
		s->too_large = true;
		return 0;
	}
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0)
		forget_headers(s);
	for (size_t i = 0; i < GRAPH_SLOT_HEADERS; i++) {
		size_t name = strlen(known_headers[i]);

		if (len > name && line[name] == ':' && g_ascii_strncasecmp(
		    line, known_headers[i], name) == 0)
			keep_header(s, i, line + name + 1, len - name - 1);
	}
	return len;
}

/* ---- never twice -------------------------------------------------------------------- */

static long
written_by(CURL *easy)
{
	long bytes = 0;

	curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &bytes);
	return bytes;
}

/* Connected, TLS included; nothing of the request was written yet. */
static int
on_attempt(void *arg, char *remote, char *local, int remote_port,
    int local_port)
{
	struct graph_slot *s = arg;
	long written = written_by(s->easy);

	(void)remote;
	(void)remote_port;
	s->stopped = s->begun && written != s->written;
	s->stale = !s->stopped && !graph_socket_is_clean(s->shared->sockets,
	    local, local_port);
	if (s->stopped || s->stale)
		return CURL_PREREQFUNC_ABORT;
	s->begun = true;
	s->written = written;
	return CURL_PREREQFUNC_OK;
}

static bool
is_untouched(const struct graph_slot *s)
{
	return !s->begun || written_by(s->easy) == s->written;
}

/* ---- slots -------------------------------------------------------------------------- */

static bool
open_easy(struct graph_slot *s)
{
	CURL *easy = curl_easy_init();

	if (easy == NULL)
		return false;
	s->easy = easy;
	s->answer = g_string_new(NULL);
	graph_easy_apply(s->shared->g, easy);
	curl_easy_setopt(easy, CURLOPT_URL, graph_origin(s->shared->g));
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
	    (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_MAX_S);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, RECORD_BYTES);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_attempt);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, s);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, s);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, s->errbuf);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, s);
	graph_socket_follow(s->shared->sockets, easy);
	s->type.next = s->shared->headers;
	return true;
}

void
graph_slot_close(struct graph_slot *s)
{
	if (s->easy == NULL)
		return;
	curl_easy_cleanup(s->easy);
	g_string_free(s->answer, TRUE);
	forget_headers(s);
}

static void
set_request(struct graph_slot *s, const struct graph_request *rq)
{
	CURL *easy = s->easy;
	bool with_body = rq->len > 0 || strcmp(rq->method, "POST") == 0;

	/* Verbatim, while the path of a URL may be rewritten. */
	curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, rq->target);
	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	if (with_body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)rq->len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
		    rq->len > 0 ? rq->body : "");
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, rq->method);
	s->type.data = s->job->type_line;
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, with_body ? &s->type :
	    s->shared->headers);
}

bool
graph_slot_begin(struct graph_slot *s, struct graph_job *j, int64_t now)
{
	if (s->easy == NULL && !open_easy(s))
		return false;
	s->job = j;
	s->begun = s->stopped = s->stale = s->too_large = false;
	s->written = 0;
	s->header_bytes = 0;
	s->errbuf[0] = '\0';
	g_string_truncate(s->answer, 0);
	forget_headers(s);
	set_request(s, &j->rq);
	curl_easy_setopt(s->easy, CURLOPT_TIMEOUT_MS,
	    (long)MAX(j->until_ms - now, 1));
	return curl_multi_add_handle(s->shared->multi, s->easy) == CURLM_OK;
}

/* ---- how it ended --------------------------------------------------------------------- */

static void
explain(struct graph_slot *s, CURLcode res, long status, struct err *why)
{
	if (s->too_large)
		err_set(why, ERR_UNSURE, "graph.size",
		    "the answer of Graph, status %ld, is longer than the %zu "
		    "bytes that are read of one", status,
		    s->job->rq.max_answer);
	else if (s->stopped)
		err_set(why, ERR_UNSURE, "graph.network",
		    "the connection ended before an answer came; the request "
		    "is not sent again");
	else if (res == CURLE_OK)
		err_set(why, ERR_UNSURE, "graph.server",
		    "Graph answers with status %ld, which is none", status);
	else
		graph_easy_failed(s->shared->g, s->easy, res, s->errbuf, why);
}

static bool
is_answer(const struct graph_slot *s, CURLcode res, long status)
{
	return res == CURLE_OK && s->begun && !s->stopped && !s->too_large &&
	    status >= 200 && status <= 599;
}

static void
list_headers(struct graph_slot *s)
{
	size_t n = 0;

	for (size_t i = 0; i < GRAPH_SLOT_HEADERS; i++) {
		if (s->keep[i] == NULL)
			continue;
		s->list[n++] = known_headers[i];
		s->list[n++] = s->keep[i];
	}
	s->list[n] = NULL;
}

static const char *
type_of(CURL *easy)
{
	char *type = NULL;

	curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
	return type != NULL && graph_is_line(type) ? type : NULL;
}

bool
graph_slot_try_another(struct graph_slot *s)
{
	return s->stale && is_untouched(s) && graph_slot_begin(s, s->job,
	    clock_mono_ms());
}

static void
fill_answer(struct graph_slot *s, long status, struct graph_reply *out)
{
	out->fate = GRAPH_ANSWERED;
	out->status = (int)status;
	out->content_type = type_of(s->easy);
	out->body = s->answer->str;
	out->len = s->answer->len;
}

void
graph_slot_end(struct graph_slot *s, CURLcode res, const struct err *cut,
    struct graph_reply *out)
{
	long status = 0;

	*out = (struct graph_reply){ .headers = s->list };
	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	list_headers(s);
	if (is_answer(s, res, status)) {
		fill_answer(s, status, out);
		return;
	}
	out->fate = is_untouched(s) ? GRAPH_NOT_SENT : GRAPH_UNKNOWN;
	s->why = (struct err)ERR_INIT;
	if (cut != NULL)
		s->why = *cut;
	else
		explain(s, res, status, &s->why);
	if (out->fate == GRAPH_UNKNOWN)
		s->why.kind = ERR_UNSURE;
	else if (s->why.kind == ERR_UNSURE)
		s->why.kind = ERR_TEMP;
	out->why = &s->why;
}

void
graph_slot_forget(struct graph_slot *s)
{
	s->job = NULL;
	if (s->answer == NULL || s->answer->allocated_len <= KEPT_MAX)
		return;
	g_string_free(s->answer, TRUE);
	s->answer = g_string_new(NULL);
}
