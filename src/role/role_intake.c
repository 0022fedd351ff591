/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intake role: webhook requests become durable events, then 200.
 *
 * Listener threads check a request (intake.h) and put it into a queue; this
 * process's main thread is the committer: it takes all that wait, stores
 * them in one transaction with one sync, and only then answers them. When
 * the store cannot commit, or the queue is too old, the answer is 503 with
 * Retry-After and Meta delivers again. Nothing here looks into a body.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "conf.h"
#include "err.h"
#include "hash.h"
#include "http.h"
#include "intake.h"
#include "io.h"
#include "log.h"
#include "role.h"
#include "role_int.h"
#include "store.h"
#include "text.h"
#include "wa.h"

#define BATCH_MAX 512
#define BATCH_BYTES (16 << 20)
#define RETRY_AFTER_S 5
#define DRAIN_MS 20000
#define TLS_LOOK_MS 10000
#define TELL_DOWN_MS 10000

/* A request that proved itself and waits for the committer. */
struct waiting {
	struct http_request *rq;
	const char *secret_name;
	int64_t queued_ms;	/* monotonic */
	int64_t received_ms;	/* wall clock */
	uint8_t sha256[HASH_SIZE];
};

struct intake {
	const struct conf *conf;
	struct intake_rules rules;
	struct store *store;
	struct http_server *http;
	GPtrArray *secrets;	/* struct wa_secret * */
	GBytes *verify_token;

	pthread_mutex_t lock;
	GQueue queue;		/* struct waiting * */
	int64_t oldest_ms;	/* queued_ms of who waits longest, 0: nobody */
	int wake_fd;

	int64_t next_purge_ms, next_tls_ms;
	struct timespec tls_changed;
	int64_t down_since_ms, down_told_ms;	/* monotonic; 0: store works */
	int64_t unstored;	/* refused since it was told */
	int64_t refused, refused_told_ms;
};

/* ---- secrets --------------------------------------------------------------- */

static void
free_secret(gpointer p)
{
	struct wa_secret *s = p;

	io_secret_forget(s->key);
	g_free(s->name);
	g_free(s);
}

static bool
load_secrets(struct intake *in, struct err *err)
{
	const GPtrArray *files = in->conf->intake.app_secret_files;

	in->secrets = g_ptr_array_new_with_free_func(free_secret);
	for (guint i = 0; i < files->len; i++) {
		struct wa_secret *s;
		GBytes *key;

		if (!io_secret_load(files->pdata[i], ROLE_SECRET_MAX, &key,
		    err))
			return false;
		s = g_new0(struct wa_secret, 1);
		s->name = g_path_get_basename(files->pdata[i]);
		s->key = key;
		g_ptr_array_add(in->secrets, s);
	}
	return io_secret_load(in->conf->intake.verify_token_file,
	    ROLE_SECRET_MAX, &in->verify_token, err);
}

/* ---- listener threads -------------------------------------------------------- */

static void
wake_committer(struct intake *in)
{
	uint64_t one = 1;

	while (write(in->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static bool
is_overdue(struct intake *in, int64_t mono)
{
	bool overdue;

	pthread_mutex_lock(&in->lock);
	overdue = in->oldest_ms != 0 &&
	    mono - in->oldest_ms > in->conf->intake.queue_ms;
	pthread_mutex_unlock(&in->lock);
	return overdue;
}

static enum http_verdict
answer_text(struct http_request *rq, int status, const char *text)
{
	http_answer(rq, status, NULL, text, strlen(text),
	    status == 503 ? RETRY_AFTER_S : 0);
	return HTTP_ANSWERED;
}

/* One line per second at most: refusals can be somebody's flood. */
static void
tell_refused(struct intake *in, const struct http_request *rq,
    const char *reason)
{
	int64_t mono = clock_mono_ms(), count = 0;

	pthread_mutex_lock(&in->lock);
	in->refused++;
	if (mono - in->refused_told_ms >= 1000) {
		count = in->refused;
		in->refused = 0;
		in->refused_told_ms = mono;
	}
	pthread_mutex_unlock(&in->lock);
	if (count > 0)
		log_warn("event.refused", "reason=%s remote=%s count=%"
		    PRId64, reason,
		    http_request_remote(rq), count);
}

static enum http_verdict
enqueue(struct intake *in, struct http_request *rq,
    const struct wa_secret *secret)
{
	struct waiting *w = g_new0(struct waiting, 1);
	const void *body;
	size_t len;
	bool first;

	w->rq = rq;
	w->secret_name = secret->name;
	w->queued_ms = clock_mono_ms();
	w->received_ms = clock_now_ms();
	body = http_request_body(rq, &len);
	hash_sha256(body, len, w->sha256);
	if (is_overdue(in, w->queued_ms)) {
		g_free(w);
		tell_refused(in, rq, "queue-age");
		return answer_text(rq, 503, "the store is not keeping up\n");
	}
	pthread_mutex_lock(&in->lock);
	first = g_queue_is_empty(&in->queue);
	if (in->oldest_ms == 0)
		in->oldest_ms = w->queued_ms;
	g_queue_push_tail(&in->queue, w);
	pthread_mutex_unlock(&in->lock);
	if (first)
		wake_committer(in);
	return HTTP_LATER;
}

static enum http_verdict
handle(void *app, struct http_request *rq)
{
	struct intake *in = app;
	const struct wa_secret *secret = NULL;
	struct intake_request q = {
		.method = http_request_method(rq),
		.path = http_request_path(rq),
		.signature = http_request_header(rq, "X-Hub-Signature-256"),
		.mode = http_request_query(rq, "hub.mode"),
		.challenge = http_request_query(rq, "hub.challenge"),
		.verify_token = http_request_query(rq, "hub.verify_token"),
	};
	enum intake_verdict v;

	q.body = http_request_body(rq, &q.len);
	v = intake_check(&in->rules, &q, &secret);
	if (v == INTAKE_RECORD)
		return enqueue(in, rq, secret);
	if (v == INTAKE_CHALLENGE)
		return answer_text(rq, 200, q.challenge);
	tell_refused(in, rq, intake_verdict_name(v));
	return answer_text(rq, intake_verdict_status(v), "refused\n");
}

/* ---- the committer ------------------------------------------------------------ */

/* Takes what waits, within the bounds of one transaction. */
static GPtrArray *
take_batch(struct intake *in)
{
	GPtrArray *batch = g_ptr_array_new_with_free_func(g_free);
	size_t bytes = 0, len;
	struct waiting *w;

	pthread_mutex_lock(&in->lock);
	while (batch->len < BATCH_MAX && bytes < BATCH_BYTES &&
	    (w = g_queue_pop_head(&in->queue)) != NULL) {
		http_request_body(w->rq, &len);
		bytes += len;
		g_ptr_array_add(batch, w);
	}
	/* What is being committed is the oldest until it is answered. */
	if (batch->len > 0)
		in->oldest_ms = ((struct waiting *)batch->pdata[0])->queued_ms;
	pthread_mutex_unlock(&in->lock);
	return batch;
}

static void
forget_batch(struct intake *in)
{
	const struct waiting *w;

	pthread_mutex_lock(&in->lock);
	w = g_queue_peek_head(&in->queue);
	in->oldest_ms = w != NULL ? w->queued_ms : 0;
	pthread_mutex_unlock(&in->lock);
}

static bool
record(struct intake *in, const GPtrArray *batch, struct err *err)
{
	store_begin(in->store);
	for (guint i = 0; i < batch->len; i++) {
		const struct waiting *w = batch->pdata[i];
		struct store_event ev = {
			.received_ms = w->received_ms,
			.remote = http_request_remote(w->rq),
			.secret_name = w->secret_name,
			.signature = http_request_header(w->rq,
			    "X-Hub-Signature-256"),
		};
		int64_t id;

		memcpy(ev.sha256, w->sha256, HASH_SIZE);
		ev.body = http_request_body(w->rq, &ev.len);
		store_event_add(in->store, &ev, &id);
	}
	return store_commit(in->store, err);
}

/* The first failure at once, then a sum now and then: senders are many. */
static void
tell_store_down(struct intake *in, const struct err *err, guint n)
{
	int64_t mono = clock_mono_ms();

	if (in->down_since_ms == 0)
		in->down_since_ms = mono;
	in->unstored += n;
	if (in->down_told_ms != 0 && mono - in->down_told_ms < TELL_DOWN_MS)
		return;
	log_err(LOG_LEVEL_ERROR, "store.down", err, "refused=%" PRId64,
	    in->unstored);
	in->unstored = 0;
	in->down_told_ms = mono;
}

static void
tell_store_up(struct intake *in)
{
	if (in->down_since_ms == 0)
		return;
	log_info("store.up", "after_ms=%" PRId64 " refused=%" PRId64,
	    clock_mono_ms() - in->down_since_ms, in->unstored);
	in->down_since_ms = in->down_told_ms = in->unstored = 0;
}

static void
commit_batch(struct intake *in, const GPtrArray *batch)
{
	struct err err = ERR_INIT;
	bool ok = record(in, batch, &err);

	for (guint i = 0; i < batch->len; i++) {
		const struct waiting *w = batch->pdata[i];

		if (ok)
			http_answer(w->rq, 200, NULL, "", 0, 0);
		else
			answer_text(w->rq, 503, "cannot store: try again\n");
	}
	if (!ok) {
		tell_store_down(in, &err, batch->len);
	} else {
		tell_store_up(in);
		proc_wake(PROC_BUILD);
		log_debug("event.stored", "count=%u", batch->len);
	}
}

static bool
work(struct intake *in)
{
	g_autoptr(GPtrArray) batch = take_batch(in);

	if (batch->len == 0)
		return false;
	commit_batch(in, batch);
	forget_batch(in);
	return true;
}

/* A renewed certificate is taken up without a restart. */
static void
look_at_tls(struct intake *in, int64_t mono)
{
	const char *path = in->conf->intake.tls_certificate;
	struct err err = ERR_INIT;
	struct stat st;

	if (path == NULL || mono < in->next_tls_ms)
		return;
	in->next_tls_ms = mono + TLS_LOOK_MS;
	if (stat(path, &st) != 0 ||
	    (st.st_mtim.tv_sec == in->tls_changed.tv_sec &&
	    st.st_mtim.tv_nsec == in->tls_changed.tv_nsec))
		return;
	if (in->tls_changed.tv_sec != 0) {
		if (http_server_reload_tls(in->http, &err))
			log_info("tls.reloaded", "file=%s", path);
		else
			log_err(LOG_LEVEL_ERROR, "tls.failed", &err, "%s", "");
	}
	in->tls_changed = st.st_mtim;
}

static void
sleep_until_woken(struct intake *in, int64_t ms)
{
	uint64_t n;

	role_wait(PROC_INTAKE, in->wake_fd, ms);
	if (read(in->wake_fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_error("role.failed", "name=intake what=eventfd");
}

static void
loop(struct intake *in)
{
	while (!proc_stopping()) {
		bool busy = work(in);

		/* Also under load that never pauses. */
		role_purge(in->store, store_event_purge, "event",
		    in->conf->keep.event_ms, &in->next_purge_ms);
		look_at_tls(in, clock_mono_ms());
		if (busy)
			proc_heartbeat();
		else
			sleep_until_woken(in, ROLE_POLL_MS);
	}
}

/* ---- start and stop -------------------------------------------------------------- */

static void *
drain(void *arg)
{
	struct intake *in = arg;

	return http_server_drain(in->http, DRAIN_MS) ? in : NULL;
}

/* Takes no new requests; every accepted one still gets its answer. */
static void
stop(struct intake *in)
{
	pthread_t thread;
	void *whole = NULL;
	int rc = pthread_create(&thread, NULL, drain, in);

	if (rc != 0) {
		log_error("role.failed", "name=intake what=thread");
		return;
	}
	while (pthread_tryjoin_np(thread, &whole) == EBUSY) {
		if (!work(in))
			poll(&(struct pollfd){ .fd = in->wake_fd,
			    .events = POLLIN }, 1, 5);
		proc_heartbeat();
	}
	while (work(in))
		;
	if (whole == NULL)
		log_warn("intake.cut", "after_ms=%d", DRAIN_MS);
}

static bool
listen_http(struct intake *in, struct err *err)
{
	static const char *const once[] = { "X-Hub-Signature-256", NULL };
	const struct conf_intake *ci = &in->conf->intake;
	struct http_conf hc = {
		.listen_fd = proc_listen_fd(),
		.threads = (int)ci->threads,
		.max_body = (size_t)ci->max_body_bytes,
		.deadline_ms = ci->deadline_ms,
		.connections = (int)ci->connections,
		.connections_per_address = (int)ci->connections_per_address,
		.tls_certificate = ci->tls_certificate,
		.tls_key = ci->tls_key,
		.tls_client_ca = ci->tls_client_ca,
		.tls_client_name = ci->tls_client_name,
		.single_headers = once,
	};

	return http_server_new(&hc, handle, in, &in->http, err);
}

static bool
start(struct intake *in, struct err *err)
{
	in->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (in->wake_fd < 0)
		return err_set(err, ERR_TEMP, "intake.eventfd",
		    "cannot make an eventfd: %s", err_errno(errno));
	if (!load_secrets(in, err) || !listen_http(in, err))
		return false;
	in->rules = (struct intake_rules){
		.path = in->conf->intake.path,
		.secrets = in->secrets,
		.verify_token = g_bytes_get_data(in->verify_token, NULL),
	};
	return role_enter(PROC_INTAKE, PROC_STORE_FILES | PROC_LISTEN |
	    PROC_THREADS, in->conf, &in->store, err) &&
	    http_server_start(in->http, err);
}

static void
finish(struct intake *in)
{
	http_server_free(in->http);
	store_close(in->store);
	g_clear_pointer(&in->secrets, g_ptr_array_unref);
	g_clear_pointer(&in->verify_token, g_bytes_unref);
	if (in->wake_fd >= 0)
		close(in->wake_fd);
	pthread_mutex_destroy(&in->lock);
}

int
role_intake(const struct conf *c)
{
	struct intake in = { .conf = c, .wake_fd = -1 };
	struct err err = ERR_INIT;
	int rc = PROC_EXIT_OK;

	pthread_mutex_init(&in.lock, NULL);
	g_queue_init(&in.queue);
	if (start(&in, &err)) {
		log_info("intake.listening", "address=%s port=%d tls=%d",
		    c->intake.listen.address, http_server_port(in.http),
		    c->intake.tls_certificate != NULL);
		proc_ready();
		loop(&in);
		stop(&in);
	} else {
		rc = role_fail(PROC_INTAKE, &err);
	}
	finish(&in);
	return rc;
}
