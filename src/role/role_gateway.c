/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway role: what staff send through the API is judged, recorded and
 * only then passed on to Meta. Listener threads take requests, the pool's
 * thread talks to Meta, workers do what may block; this process's main thread
 * is the only one that touches the store, and commits for all of them.
 *
 * No send without its row; no row without, in the end, a record; nothing is
 * sent twice. See gw_int.h for the way of one send.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "conf.h"
#include "err.h"
#include "gw_int.h"
#include "http.h"
#include "io.h"
#include "log.h"
#include "policy.h"
#include "role.h"
#include "role_int.h"

#define DRAIN_MS 20000
#define DRAIN_LOOK_MS 5
#define POOL_STOP_MS 5000
#define TEMPLATE_LOOK_MS 1000
#define TIDY_MS 60000
#define SPOOL_ABOVE (1 << 20)
#define PACE_QUEUE 10000
#define STORE_URI "sqlite:"

/* ---- now and then ---------------------------------------------------------- */

static bool
purge_tallies(struct store *st, int64_t before_ms, int limit, int64_t *n,
    struct err *err)
{
	return store_tally_purge(st, STORE_GATEWAY, before_ms, limit, n, err);
}

static void
look_around(struct gw *g)
{
	int64_t mono = clock_mono_ms();

	role_purge(g->store, purge_tallies, "tally",
	    policy_memory_ms(g->policy), &g->next_tally_ms);
	role_purge(g->store, store_record_purge, "record",
	    g->conf->keep.event_ms, &g->next_purge_ms);
	role_purge(g->store, store_upload_purge, "upload",
	    g->conf->gateway.upload_keep_ms, &g->next_upload_purge_ms);
	if (mono >= g->next_template_ms) {
		g->next_template_ms = mono + TEMPLATE_LOOK_MS;
		gw_templates_look(g);
	}
	gw_tell_rest(g, mono);
	if (mono >= g->next_tidy_ms) {
		g->next_tidy_ms = mono + TIDY_MS;
		gateway_pace_tidy(g->pace, mono);
		http_server_reload_tls(g->http, NULL);
	}
}

static void
sleep_until_woken(struct gw *g, int64_t ms)
{
	uint64_t n;

	role_wait(PROC_GATEWAY, g->wake_fd, ms);
	if (read(g->wake_fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_error("role.failed", "name=gateway what=eventfd");
}

static void
loop(struct gw *g)
{
	int64_t wait_ms;

	while (!proc_stopping()) {
		bool busy = gw_step(g, true, &wait_ms);

		look_around(g);
		if (busy)
			proc_heartbeat();
		else
			sleep_until_woken(g, wait_ms);
	}
}

/* ---- start and stop -------------------------------------------------------- */

static void
free_bytes(gpointer p)
{
	io_secret_forget(p);
}

static void
free_app(gpointer p)
{
	struct gateway_application *a = p;

	g_free(a->name);
	g_ptr_array_unref(a->tokens);
	g_free(a->client_name);
	g_ptr_array_unref(a->businesses);
	g_free(a->author);
	g_free(a);
}

static bool
load_app(struct gw *g, const struct conf_application *ca, struct err *err)
{
	struct gateway_application *a = g_new0(struct gateway_application, 1);

	a->name = g_strdup(ca->name);
	a->client_name = g_strdup(ca->client_name);
	a->author = g_strdup(ca->is_bot ? "bot" : "staff");
	a->employee_required = ca->employee_required;
	a->tokens = g_ptr_array_new_with_free_func(free_bytes);
	a->businesses = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(g->apps, a);
	for (guint i = 0; i < ca->businesses->len; i++)
		g_ptr_array_add(a->businesses,
		    g_strdup(ca->businesses->pdata[i]));
	for (guint i = 0; i < ca->token_files->len; i++) {
		GBytes *token;

		if (!io_secret_load(ca->token_files->pdata[i],
		    ROLE_SECRET_MAX, &token, err))
			return false;
		g_ptr_array_add(a->tokens, token);
	}
	return true;
}

static bool
load_apps(struct gw *g, struct err *err)
{
	const GPtrArray *list = g->conf->gateway.applications;

	g->apps = g_ptr_array_new_with_free_func(free_app);
	for (guint i = 0; i < list->len; i++) {
		if (!load_app(g, list->pdata[i], err))
			return false;
	}
	return true;
}

static bool
listen_http(struct gw *g, struct err *err)
{
	static const char *const once[] = { "Authorization",
		"X-ChatJournal-Employee", "Idempotency-Key", "Content-Type",
		NULL };
	const struct conf_gateway *cg = &g->conf->gateway;
	struct http_conf hc = {
		.listen_fd = proc_listen_fd(),
		.threads = (int)cg->threads,
		.max_body = (size_t)MAX(cg->max_body_bytes,
		    cg->max_upload_bytes),
		.deadline_ms = cg->deadline_ms,
		.connections = (int)cg->connections,
		.connections_per_address = (int)cg->connections_per_address,
		.tls_certificate = cg->tls_certificate,
		.tls_key = cg->tls_key, .tls_client_ca = cg->tls_client_ca,
		.tls_client_optional = true, .spool = g->spool,
		.spool_above = SPOOL_ABOVE, .single_headers = once };

	return http_server_new(&hc, gw_handle, g, &g->http, err);
}

static bool
start_rules(struct gw *g, struct err *err)
{
	const struct conf_gateway *cg = &g->conf->gateway;
	struct gateway_pace_conf pc = { .number_rate = cg->number_rate,
		.pair_ms = cg->pair_ms, .pair_burst = cg->pair_burst,
		.wait_ms = cg->pace_wait_ms, .queue = PACE_QUEUE };

	g->pace = gateway_pace_new(&pc);
	if (!policy_new(g->conf->policy, NULL, NULL, &g->policy, err))
		return false;
	g->policy_work = policy_work_new(g->policy);
	g->asks_groups = role_asks_groups(g->conf->policy);
	return true;
}

/* The listener needs the store's spool before the store is open. */
static void
set_spool(struct gw *g)
{
	const char *store = g->conf->store;

	if (g_str_has_prefix(store, STORE_URI))
		g->spool = g_build_filename(store + strlen(STORE_URI),
		    "spool", NULL);
}

static bool
start(struct gw *g, struct err *err)
{
	g->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (g->wake_fd < 0)
		return err_set(err, ERR_TEMP, "gateway.eventfd",
		    "cannot make an eventfd: %s", err_errno(errno));
	graph_init();
	set_spool(g);
	if (!load_apps(g, err) ||
	    !role_graph_new(&g->conf->graph, &g->graph, err) ||
	    !listen_http(g, err) || !role_enter(PROC_GATEWAY,
	    PROC_STORE_FILES | PROC_LISTEN | PROC_CONNECT | PROC_THREADS,
	    g->conf, &g->store, err))
		return false;
	gw_uploads_sweep(g);
	return start_rules(g, err) &&
	    graph_pool_new(g->graph, (int)g->conf->gateway.upstream,
	    &g->pool, err) &&
	    gw_recover(g, clock_now_ms(), err) && gw_workers_start(g, err) &&
	    http_server_start(g->http, err);
}

static void *
drain(void *arg)
{
	struct gw *g = arg;

	return http_server_drain(g->http, DRAIN_MS) ? g : NULL;
}

/* Takes no new requests; what has begun is ended, or its outcome recorded. */
static void
stop(struct gw *g)
{
	pthread_t thread;
	void *whole = NULL;
	int64_t wait_ms;
	int rc = pthread_create(&thread, NULL, drain, g);

	if (rc != 0) {
		log_error("role.failed", "name=gateway what=thread");
		return;
	}
	while (pthread_tryjoin_np(thread, &whole) == EBUSY) {
		if (!gw_step(g, false, &wait_ms))
			g_usleep(DRAIN_LOOK_MS * 1000);
		proc_heartbeat();
	}
	graph_pool_stop(g->pool, POOL_STOP_MS);
	while (gw_step(g, false, &wait_ms))
		;
	if (whole == NULL)
		log_warn("gateway.cut", "after_ms=%d", DRAIN_MS);
}

static void
finish(struct gw *g)
{
	/* A worker may be waiting for Meta. */
	if (g->graph != NULL)
		graph_cancel(g->graph);
	gw_workers_stop(g);
	if (g->pool != NULL)
		graph_pool_free(g->pool);
	http_server_free(g->http);
	gw_tell_rest(g, INT64_MAX);
	g_hash_table_unref(g->refusals);
	gateway_pace_free(g->pace);
	policy_work_free(g->policy_work);
	policy_free(g->policy);
	graph_free(g->graph);
	store_close(g->store);
	g_clear_pointer(&g->apps, g_ptr_array_unref);
	g_ptr_array_unref(g->waiting);
	g_ptr_array_unref(g->unsaved);
	g_hash_table_unref(g->definitions);
	g_hash_table_unref(g->staff_asked);
	g_hash_table_unref(g->underway);
	g_hash_table_unref(g->ending);
	gw_crews_clear(g);
	g_free(g->spool);
	if (g->wake_fd >= 0)
		close(g->wake_fd);
	pthread_mutex_destroy(&g->lock);
}

int
role_gateway(const struct conf *c)
{
	struct gw g = { .conf = c, .wake_fd = -1 };
	struct err err = ERR_INIT;
	int rc = PROC_EXIT_OK;

	pthread_mutex_init(&g.lock, NULL);
	g_queue_init(&g.incoming);
	g_queue_init(&g.replies);
	g_queue_init(&g.jobs_done);
	gw_crews_init(&g);
	g.waiting = g_ptr_array_new();
	g.unsaved = g_ptr_array_new();
	g.definitions = gw_definitions_new();
	g.staff_asked = g_hash_table_new_full(g_str_hash, g_str_equal,
	    g_free, g_free);
	g.underway = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    NULL);
	g.refusals = gw_refusals_new();
	g.ending = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
	    NULL);
	if (start(&g, &err)) {
		log_info("gateway.listening", "address=%s port=%d tls=%d",
		    c->gateway.listen.address, http_server_port(g.http),
		    c->gateway.tls_certificate != NULL);
		proc_ready();
		loop(&g);
		stop(&g);
	} else {
		rc = role_fail(PROC_GATEWAY, &err);
	}
	finish(&g);
	return rc;
}
