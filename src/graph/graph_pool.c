/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many requests at once, over connections that stay open, in one thread.
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
#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "err.h"
#include "graph_curl.h"
#include "graph_int.h"
#include "graph_socket.h"

#define RECORD_BYTES 16384L	/* RFC 8446 section 5.1 */
#define IDLE_MAX_S 20L		/* load balancers wait for 60 and more */
#define HEADERS_MAX ((size_t)64 * 1024)
#define HEADER_MAX ((size_t)4096)
#define KEPT_MAX ((size_t)64 * 1024)	/* of an answer's buffer */
#define LOOK_MS 20		/* between two looks at what waits */
#define SLEEP_MS 200		/* graph_cancel() wakes nobody */

/* As Graph spells them; the order of keep[]. */
static const char *const known_headers[] = { "Retry-After", "X-App-Usage",
	"X-Business-Use-Case-Usage", "facebook-api-version",
	"x-fb-trace-id" };
#define KNOWN G_N_ELEMENTS(known_headers)

struct job {
	struct graph_request rq;
	char *target, *type_line;
	int64_t until_ms;	/* monotonic */
	struct err refused;	/* what it could not be sent for */
};

/* One request under way, or none. */
struct slot {
	struct graph_pool *p;
	CURL *easy;
	struct job *job;
	struct curl_slist type;	/* in front of the headers of all */
	bool begun;		/* an attempt was let go */
	bool stopped;		/* a further one was not */
	bool stale;		/* one was not, as its connection is dead */
	bool too_large;
	long written;		/* before the attempt */
	GString *answer;
	size_t header_bytes;
	char *keep[KNOWN];
	char errbuf[CURL_ERROR_SIZE];
};

struct graph_pool {
	struct graph *g;
	CURLM *multi;
	struct curl_slist *headers;	/* the token last, which is g's */
	struct slot *slots;
	int n_slots;
	GPtrArray *idle;	/* struct slot * */
	GArray *sockets;	/* struct graph_socket */
	int64_t next_look_ms;
	pthread_t thread;
	bool runs;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* guarded by lock */
	GQueue waiting;		/* struct job * */
	size_t outstanding;	/* taken, and done() not yet over */
	bool asleep, stopping, cut, quit;
};

/* ---- jobs -------------------------------------------------------------------------- */

/* A name without a value keeps libcurl from making one up. */
static char *
type_line(const char *type)
{
	return type == NULL || *type == '\0' ? g_strdup("Content-Type:") :
	    g_strconcat("Content-Type: ", type, NULL);
}

static struct job *
job_new(const struct graph_request *rq)
{
	struct job *j = g_new0(struct job, 1);

	j->rq = *rq;
	j->until_ms = clock_mono_ms() + rq->total_ms;
	if (!graph_request_check(rq, &j->rq.method, &j->refused))
		return j;
	j->rq.target = j->target = g_strdup(rq->target);
	j->type_line = type_line(rq->content_type);
	return j;
}

static void
job_free(struct job *j)
{
	g_free(j->target);
	g_free(j->type_line);
	g_free(j);
}

/* ---- what arrives ------------------------------------------------------------------ */

static size_t
on_data(char *data, size_t size, size_t n, void *arg)
{
	struct slot *s = arg;
	size_t len = size * n;

	if (len > s->job->rq.max_answer - s->answer->len) {
		s->too_large = true;
		return 0;
	}
	g_string_append_len(s->answer, data, (gssize)len);
	return len;
}

static void
forget_headers(struct slot *s)
{
	for (size_t i = 0; i < KNOWN; i++)
		g_clear_pointer(&s->keep[i], g_free);
}

static void
keep_header(struct slot *s, size_t i, const char *value, size_t len)
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
	struct slot *s = arg;
	size_t len = size * n;

	s->header_bytes += len;
	if (s->header_bytes > HEADERS_MAX) {
		s->too_large = true;
		return 0;
	}
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0)
		forget_headers(s);
	for (size_t i = 0; i < KNOWN; i++) {
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
	struct slot *s = arg;
	long written = written_by(s->easy);

	(void)remote;
	(void)remote_port;
	s->stopped = s->begun && written != s->written;
	s->stale = !s->stopped && !graph_socket_is_clean(s->p->sockets, local,
	    local_port);
	if (s->stopped || s->stale)
		return CURL_PREREQFUNC_ABORT;
	s->begun = true;
	s->written = written;
	return CURL_PREREQFUNC_OK;
}

static bool
is_untouched(const struct slot *s)
{
	return !s->begun || written_by(s->easy) == s->written;
}

/* ---- slots -------------------------------------------------------------------------- */

static bool
slot_open(struct slot *s)
{
	CURL *easy = curl_easy_init();

	if (easy == NULL)
		return false;
	s->easy = easy;
	s->answer = g_string_new(NULL);
	graph_easy_apply(s->p->g, easy);
	curl_easy_setopt(easy, CURLOPT_URL, graph_origin(s->p->g));
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
	graph_socket_follow(s->p->sockets, easy);
	s->type.next = s->p->headers;
	return true;
}

static void
slot_close(struct slot *s)
{
	if (s->easy == NULL)
		return;
	curl_easy_cleanup(s->easy);
	g_string_free(s->answer, TRUE);
	forget_headers(s);
}

static void
set_request(struct slot *s, const struct graph_request *rq)
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
	    s->p->headers);
}

static bool
begin(struct slot *s, struct job *j, int64_t now)
{
	if (s->easy == NULL && !slot_open(s))
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
	if (curl_multi_add_handle(s->p->multi, s->easy) == CURLM_OK)
		return true;
	return false;
}

/* ---- how it ended --------------------------------------------------------------------- */

/* done() may submit: the lock is not held. */
static void
tell(struct graph_pool *p, struct job *j, const struct graph_reply *reply)
{
	j->rq.done(j->rq.arg, reply);
	job_free(j);
	pthread_mutex_lock(&p->lock);
	p->outstanding--;
	if (p->outstanding == 0)
		pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static void
tell_not_sent(struct graph_pool *p, struct job *j, const struct err *why)
{
	const struct graph_reply reply = { .fate = GRAPH_NOT_SENT,
		.why = why };

	tell(p, j, &reply);
}

static void
explain(struct slot *s, CURLcode res, long status, struct err *why)
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
		graph_easy_failed(s->p->g, s->easy, res, s->errbuf, why);
}

static bool
is_answer(const struct slot *s, CURLcode res, long status)
{
	return res == CURLE_OK && s->begun && !s->stopped && !s->too_large &&
	    status >= 200 && status <= 599;
}

static size_t
list_headers(const struct slot *s, const char *out[2 * KNOWN + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < KNOWN; i++) {
		if (s->keep[i] == NULL)
			continue;
		out[n++] = known_headers[i];
		out[n++] = s->keep[i];
	}
	out[n] = NULL;
	return n;
}

static const char *
type_of(CURL *easy)
{
	char *type = NULL;

	curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
	return type != NULL && graph_is_line(type) ? type : NULL;
}

static void
give_back(struct slot *s)
{
	if (s->answer->allocated_len > KEPT_MAX) {
		g_string_free(s->answer, TRUE);
		s->answer = g_string_new(NULL);
	}
	g_ptr_array_add(s->p->idle, s);
}

/* Each time has cost one dead connection, and a new one is never stale. */
static bool
try_another(struct slot *s)
{
	struct job *j = s->job;

	return s->stale && is_untouched(s) && begin(s, j, clock_mono_ms());
}

/* The easy handle has been taken from the multi: its connection is free. */
static void
finish(struct slot *s, CURLcode res, const struct err *cut)
{
	struct job *j = s->job;
	const char *headers[2 * KNOWN + 1];
	struct graph_reply reply = { .headers = headers };
	struct err why = ERR_INIT;
	long status = 0;

	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	list_headers(s, headers);
	if (is_answer(s, res, status)) {
		reply.fate = GRAPH_ANSWERED;
		reply.status = (int)status;
		reply.content_type = type_of(s->easy);
		reply.body = s->answer->str;
		reply.len = s->answer->len;
	} else {
		reply.fate = is_untouched(s) ? GRAPH_NOT_SENT : GRAPH_UNKNOWN;
		if (cut != NULL)
			why = *cut;
		else
			explain(s, res, status, &why);
		why.kind = reply.fate == GRAPH_UNKNOWN ? ERR_UNSURE :
		    why.kind == ERR_UNSURE ? ERR_TEMP : why.kind;
		reply.why = &why;
	}
	s->job = NULL;
	tell(s->p, j, &reply);
	give_back(s);
}

/* ---- the thread ------------------------------------------------------------------------ */

static void
reap(struct graph_pool *p)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(p->multi, &left)) != NULL) {
		CURLcode res = msg->data.result;
		CURL *easy = msg->easy_handle;
		struct slot *s;
		char *arg = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &arg);
		s = (struct slot *)(void *)arg;
		curl_multi_remove_handle(p->multi, easy);
		if (!try_another(s))
			finish(s, res, NULL);
	}
}

static struct job *
next_waiting(struct graph_pool *p)
{
	struct job *j;

	pthread_mutex_lock(&p->lock);
	j = g_queue_pop_head(&p->waiting);
	pthread_mutex_unlock(&p->lock);
	return j;
}

static bool
is_hopeless(struct job *j, int64_t now)
{
	if (j->refused.kind == ERR_NONE && j->until_ms <= now)
		err_set(&j->refused, ERR_TEMP, "graph.deadline",
		    "not sent in time: all connections to Graph are in use");
	return j->refused.kind != ERR_NONE;
}

static void
start_some(struct graph_pool *p, int64_t now)
{
	static const struct err none = { ERR_TEMP, "graph.network",
		"libcurl gave no handle" };
	struct job *j;

	while (p->idle->len > 0 && (j = next_waiting(p)) != NULL) {
		struct slot *s;

		if (is_hopeless(j, now)) {
			tell_not_sent(p, j, &j->refused);
			continue;
		}
		s = g_ptr_array_steal_index(p->idle, p->idle->len - 1);
		if (begin(s, j, now))
			continue;
		s->job = NULL;
		g_ptr_array_add(p->idle, s);
		tell_not_sent(p, j, &none);
	}
}

/* What need not wait any longer, taken out of the queue. */
static GPtrArray *
take_hopeless(struct graph_pool *p, int64_t now)
{
	GPtrArray *out = g_ptr_array_new();

	pthread_mutex_lock(&p->lock);
	for (GList *l = p->waiting.head, *next; l != NULL; l = next) {
		next = l->next;
		if (!is_hopeless(l->data, now))
			continue;
		g_ptr_array_add(out, l->data);
		g_queue_delete_link(&p->waiting, l);
	}
	pthread_mutex_unlock(&p->lock);
	return out;
}

static void
drop_hopeless(struct graph_pool *p, int64_t now)
{
	g_autoptr(GPtrArray) jobs = NULL;

	if (now < p->next_look_ms)
		return;
	p->next_look_ms = now + LOOK_MS;
	jobs = take_hopeless(p, now);
	for (guint i = 0; i < jobs->len; i++) {
		struct job *j = jobs->pdata[i];

		tell_not_sent(p, j, &j->refused);
	}
}

static void
cut_all(struct graph_pool *p)
{
	static const struct err stopped = { ERR_TEMP, "graph.stopped",
		"stopped before Graph had answered" };
	struct job *j;

	for (int i = 0; i < p->n_slots; i++) {
		struct slot *s = &p->slots[i];

		if (s->job == NULL)
			continue;
		curl_multi_remove_handle(p->multi, s->easy);
		finish(s, CURLE_ABORTED_BY_CALLBACK, &stopped);
	}
	while ((j = next_waiting(p)) != NULL)
		tell_not_sent(p, j, &stopped);
}

/* How long there is nothing to do; whoever changes that wakes us. */
static int
fall_asleep(struct graph_pool *p, bool *quit, bool *cut)
{
	bool idle = p->idle->len > 0;
	int ms = SLEEP_MS;

	pthread_mutex_lock(&p->lock);
	if (!g_queue_is_empty(&p->waiting))
		ms = idle ? 0 : LOOK_MS;
	*quit = p->quit;
	*cut = p->cut;
	p->asleep = ms > 0;
	pthread_mutex_unlock(&p->lock);
	return *quit ? 0 : ms;
}

static void
wake_up(struct graph_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->asleep = false;
	pthread_mutex_unlock(&p->lock);
}

/* A write to a connection that has been closed must not end the process. */
static void
block_sigpipe(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void *
work(void *arg)
{
	struct graph_pool *p = arg;
	bool quit = false, cut = false;
	int running, ms;

	block_sigpipe();
	while (!quit) {
		int64_t now = clock_mono_ms();

		if (cut || graph_is_cancelled(p->g))
			cut_all(p);
		else
			start_some(p, now);
		drop_hopeless(p, now);
		curl_multi_perform(p->multi, &running);
		reap(p);
		ms = fall_asleep(p, &quit, &cut);
		if (ms > 0)
			curl_multi_poll(p->multi, NULL, 0, ms, NULL);
		wake_up(p);
	}
	return NULL;
}

/* ---- from other threads ------------------------------------------------------------------ */

static void
init_locks(struct graph_pool *p)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->changed, &attr);
	pthread_condattr_destroy(&attr);
}

static void
init_slots(struct graph_pool *p, int connections)
{
	p->n_slots = connections;
	p->slots = g_new0(struct slot, (gsize)connections);
	p->idle = g_ptr_array_sized_new((guint)connections);
	p->sockets = g_array_new(FALSE, FALSE, sizeof(struct graph_socket));
	for (int i = connections; i-- > 0;) {
		p->slots[i].p = p;
		g_ptr_array_add(p->idle, &p->slots[i]);
	}
}

static bool
init_curl(struct graph_pool *p, int connections, struct err *err)
{
	p->multi = curl_multi_init();
	/* Else a long body waits for leave to be sent (RFC 9110, 10.1.1). */
	p->headers = curl_slist_append(NULL, "Expect:");
	if (p->multi == NULL || p->headers == NULL)
		return err_set(err, ERR_TEMP, "graph.conf",
		    "graph: out of memory");
	p->headers->next = graph_headers(p->g);
	curl_multi_setopt(p->multi, CURLMOPT_PIPELINING,
	    (long)CURLPIPE_NOTHING);
	curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)connections);
	return true;
}

bool
graph_pool_new(struct graph *g, int connections, struct graph_pool **out,
    struct err *err)
{
	struct graph_pool *p = g_new0(struct graph_pool, 1);
	int e;

	p->g = g;
	init_locks(p);
	g_queue_init(&p->waiting);
	init_slots(p, MAX(connections, 1));
	if (!init_curl(p, p->n_slots, err)) {
		graph_pool_free(p);
		return false;
	}
	e = pthread_create(&p->thread, NULL, work, p);
	if (e != 0) {
		graph_pool_free(p);
		return err_set(err, ERR_TEMP, "graph.conf",
		    "graph: cannot start a thread: %s", err_errno(e));
	}
	p->runs = true;
	*out = p;
	return true;
}

void
graph_pool_submit(struct graph_pool *p, const struct graph_request *rq)
{
	struct job *j = job_new(rq);
	bool wake;

	pthread_mutex_lock(&p->lock);
	if (p->stopping && j->refused.kind == ERR_NONE)
		err_set(&j->refused, ERR_TEMP, "graph.stopped",
		    "nothing is sent to Graph any more: stopping");
	g_queue_push_tail(&p->waiting, j);
	p->outstanding++;
	wake = p->asleep;
	p->asleep = false;
	pthread_mutex_unlock(&p->lock);
	if (wake)
		curl_multi_wakeup(p->multi);
}

/* With the lock held; false at the end of the time. */
static bool
wait_for_all(struct graph_pool *p, int64_t until_ms)
{
	const struct timespec until = {
		.tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000) * 1000000L,
	};

	while (p->outstanding > 0)
		if (pthread_cond_timedwait(&p->changed, &p->lock,
		    &until) != 0)
			return p->outstanding == 0;
	return true;
}

void
graph_pool_stop(struct graph_pool *p, int64_t timeout_ms)
{
	int64_t until_ms = clock_mono_ms() + MAX(timeout_ms, 0);

	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	if (!wait_for_all(p, until_ms)) {
		p->cut = true;
		curl_multi_wakeup(p->multi);
		while (p->outstanding > 0)
			pthread_cond_wait(&p->changed, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
}

static void
end_thread(struct graph_pool *p)
{
	if (!p->runs)
		return;
	graph_pool_stop(p, 0);
	pthread_mutex_lock(&p->lock);
	p->quit = true;
	pthread_mutex_unlock(&p->lock);
	curl_multi_wakeup(p->multi);
	pthread_join(p->thread, NULL);
}

void
graph_pool_free(struct graph_pool *p)
{
	if (p == NULL)
		return;
	end_thread(p);
	for (int i = 0; i < p->n_slots; i++)
		slot_close(&p->slots[i]);
	curl_multi_cleanup(p->multi);
	if (p->headers != NULL)
		p->headers->next = NULL;	/* the token is not ours */
	curl_slist_free_all(p->headers);
	g_ptr_array_unref(p->idle);
	g_array_unref(p->sockets);
	g_free(p->slots);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	g_free(p);
}
