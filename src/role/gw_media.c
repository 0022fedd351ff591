/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the staff side. What is uploaded is kept before Meta gets it, so
 * that the mail of the message that uses it has the very bytes; what is fetched
 * goes through, by Meta's token, which the caller never sees.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "err.h"
#include "gw_int.h"
#include "http.h"
#include "io.h"
#include "log.h"
#include "media.h"

#define ANSWER_MAX (1 << 20)
#define SCAN_MS 30000

/* ---- uploads --------------------------------------------------------------- */

#define OF_UPLOAD "upload-"

void
gw_uploads_sweep(const struct gw *g)
{
	const char *spool = store_dir(g->store, STORE_DIR_SPOOL);
	DIR *d = opendir(spool);
	const struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		g_autofree char *path = g_build_filename(spool, e->d_name,
		    NULL);

		if (g_str_has_prefix(e->d_name, OF_UPLOAD))
			unlink(path);
	}
	if (d != NULL)
		closedir(d);
}

/* In the spool; it goes to its place with the row that names it. */
static bool
spool(struct gw *g, struct gw_job *job, const struct gateway_part *part,
    struct err *err)
{
	auto_fd int fd = -1;

	hash_sha256(part->bytes, part->len, job->sha256);
	job->size = (int64_t)part->len;
	job->path = g_strdup_printf("%s/" OF_UPLOAD "%s", g->spool,
	    job->send->key);
	fd = open(job->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, ERR_TEMP, "io.open",
		    "cannot create %s: %s", job->path, err_errno(errno));
	return io_write_all(fd, part->bytes, part->len, err);
}

/* What it is by its bytes, and what the scanner says. */
static void
inspect(struct gw *g, struct gw_job *job)
{
	struct media_conf mc = { 0 };
	struct media_want want = { .id = "upload", .mime_type = job->type };
	struct media_result result = { 0 };
	struct media *m = NULL;

	if (media_new(&mc, &m, NULL) &&
	    media_inspect(m, &want, job->path, &result, NULL) &&
	    result.type != NULL) {
		g_free(job->type);
		job->type = g_strdup(result.type);
	}
	media_result_clear(&result);
	media_free(m);
	if (g->conf->media.clamd != NULL)
		job->verdict = media_scan(g->conf->media.clamd, job->path,
		    SCAN_MS);
}

static void
run_upload(struct gw *g, struct gw_job *job)
{
	struct gw_send *s = job->send;
	struct gateway_part part = { 0 };
	struct err err = ERR_INIT;
	gsize len;
	const void *body = g_bytes_get_data(s->request, &len);

	job->ok = gateway_part_find(s->content_type, body, len, &part, &err);
	job->is_absent = !job->ok;
	if (job->ok) {
		job->file_name = g_strdup(part.filename);
		job->type = g_strdup(part.type);
		job->ok = spool(g, job, &part, &err);
	}
	if (job->ok)
		inspect(g, job);
	else
		job->why = g_strdup(err.text);
	gateway_part_clear(&part);
}

static void
take_upload(struct gw *g, struct gw_job *job)
{
	struct gw_send *s = g_steal_pointer(&job->send);

	if (!job->ok) {
		if (job->path != NULL)
			unlink(job->path);	/* what a full disk took of it */
		gw_refuse(s->rq, job->is_absent ? GATEWAY_REFUSE_JSON :
		    GATEWAY_REFUSE_STORE, job->why, s->key);
		s->rq = NULL;
		gw_send_free(s);
		return;
	}
	s->file_path = g_steal_pointer(&job->path);
	s->file_name = g_steal_pointer(&job->file_name);
	s->file_type = g_steal_pointer(&job->type);
	s->file_verdict = g_steal_pointer(&job->verdict);
	s->file_size = job->size;
	memcpy(s->file_sha256, job->sha256, HASH_SIZE);
	s->phase = GW_FORWARDING;
	gw_forward(g, s);
}

void
gw_upload(struct gw *g, struct gw_send *s)
{
	struct gw_job *job = g_new0(struct gw_job, 1);

	job->fd = -1;
	job->send = s;
	job->run = run_upload;
	job->done = take_upload;
	gw_job_put(g, GW_WORK_UPLOAD, job);
}

/* ---- finding --------------------------------------------------------------- */

struct finding {
	struct http_request *rq;
	char *ours;		/* URL in place of Meta's; NULL: it stays */
};

static void
answer_found(void *arg, const struct graph_reply *reply)
{
	struct finding *f = arg;
	g_autoptr(GBytes) changed = NULL;
	g_autofree char *was = NULL;
	const void *body = reply->body;
	size_t len = reply->len;

	if (reply->fate != GRAPH_ANSWERED) {
		/* Asking again does no harm. */
		gw_refuse(f->rq, GATEWAY_REFUSE_UPSTREAM, reply->why->text,
		    NULL);
	} else {
		/* Meta's URL is of no use without Meta's token. */
		if (f->ours != NULL && reply->status == 200 &&
		    gateway_media_answer(body, len, f->ours, &changed, &was))
			body = g_bytes_get_data(changed, &len);
		http_answer_with(f->rq, reply->status, reply->content_type,
		    reply->headers, body, len);
	}
	g_free(f->ours);
	g_free(f);
}

static void
find(struct gw *g, struct http_request *rq,
    const struct gateway_route *route, const char *target)
{
	struct finding *f = g_new0(struct finding, 1);
	struct graph_request out = { .method = "GET", .target = target,
		.max_answer = ANSWER_MAX,
		.total_ms = g->conf->graph.total_ms, .done = answer_found,
		.arg = f };

	f->rq = rq;
	if (g->conf->gateway.url != NULL)
		f->ours = g_strconcat(g->conf->gateway.url, "/",
		    route->version, "/", route->id, "/file",
		    route->number != NULL ? "?phone_number_id=" : NULL,
		    route->number, NULL);
	graph_pool_submit(g->pool, &out);
}

/* ---- fetching -------------------------------------------------------------- */

static int
spool_file(const struct gw *g)
{
	return open(g->spool, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static void
run_file(struct gw *g, struct gw_job *job)
{
	struct graph_media m = { 0 };
	struct err err = ERR_INIT;
	int64_t retry_ms;

	job->fd = spool_file(g);
	job->ok = job->fd >= 0 && graph_media_find(g->graph, job->media_id,
	    job->number, &m, &retry_ms, &err) && m.url != NULL &&
	    graph_download(g->graph, m.url, job->fd,
	    g->conf->media.max_bytes, &job->size, &retry_ms, &err);
	job->is_absent = strcmp(err.what, "graph.gone") == 0;
	if (!job->ok)
		job->why = g_strdup(job->fd < 0 ? "there is no room for the "
		    "file here" : err.kind != ERR_NONE ? err.text :
		    "Meta does not say where the file is");
	job->type = g_steal_pointer(&m.mime_type);
	graph_media_clear(&m);
}

static void
take_file(struct gw *g, struct gw_job *job)
{
	(void)g;
	if (job->ok) {
		http_answer_file(job->rq, 200, job->type, NULL, job->fd,
		    (size_t)job->size);
		job->fd = -1;
	} else {
		gw_refuse(job->rq, job->is_absent ? GATEWAY_REFUSE_PATH :
		    GATEWAY_REFUSE_UPSTREAM, job->why, NULL);
	}
	job->rq = NULL;
}

static void
fetch(struct gw *g, struct http_request *rq,
    const struct gateway_route *route)
{
	struct gw_job *job = g_new0(struct gw_job, 1);

	job->fd = -1;
	job->rq = rq;
	job->media_id = g_strdup(route->id);
	job->number = g_strdup(route->number);
	job->run = run_file;
	job->done = take_file;
	gw_job_put(g, GW_WORK_FETCH, job);
}

/* The number goes along, so that Meta compares it, too. */
void
gw_media(struct gw *g, struct http_request *rq,
    const struct gateway_route *route)
{
	g_autofree char *target = g_strconcat("/", route->version, "/",
	    route->id, route->number != NULL ? "?phone_number_id=" : NULL,
	    route->number, NULL);

	if (route->what == GATEWAY_MEDIA_FIND)
		find(g, rq, route, target);
	else if (route->what == GATEWAY_MEDIA_FILE)
		fetch(g, rq, route);
	else
		gw_pass(g, rq, target);
}

/* ---- whose it is ----------------------------------------------------------- */

struct owner {
	const struct gateway_application *app;
	bool is_known;
	char *number;		/* one of the application's that has it */
};

static void
note_owner(struct owner *o, const char *number)
{
	o->is_known |= number != NULL;
	if (number != NULL && o->number == NULL &&
	    gateway_may_use(o->app, number))
		o->number = g_strdup(number);
}

static bool
take_owned(void *arg, const struct store_upload *u)
{
	note_owner(arg, u->business);
	return true;
}

/* What an application said in a message does not make the file its own. */
static bool
take_came(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	(void)f;
	if (w->event_id < STORE_EVENT_GATEWAY)
		note_owner(arg, w->business);
	return true;
}

/* Of one that the store does not know, Meta is asked with a number. */
static const char *
number_for(const struct owner *o, const struct gateway_route *route)
{
	if (o->is_known)
		return o->number;
	if (route->number != NULL)
		return route->number;
	return o->app->businesses->len == 1 ?
	    g_ptr_array_index(o->app->businesses, 0) : NULL;
}

static void
refuse_other(struct gw *g, struct gw_send *s, bool is_known)
{
	gw_tell_refused(g, s->remote, "business", s->key);
	gw_refuse(s->rq, GATEWAY_REFUSE_BUSINESS, is_known ?
	    "this application may not use the number of this file" :
	    "it is not known of which number this file is: name one that this "
	    "application may use, by ?phone_number_id=", s->key);
}

static void
pass_own(struct gw *g, struct gw_send *s, struct gateway_route *route)
{
	struct owner o = { .app = s->app };
	g_autofree char *own = NULL;
	struct err err = ERR_INIT;
	const char *number;

	/* A business number is asked for in the same way as a file. */
	gw_account(g, s);
	if (s->account != NULL || gateway_may_use(s->app, route->id))
		note_owner(&o, route->id);
	if (!store_upload_get(g->store, route->id, take_owned, &o, &err) ||
	    !store_want_of_media(g->store, route->id, take_came, &o, &err)) {
		g_free(o.number);
		gw_refuse(s->rq, GATEWAY_REFUSE_STORE, err.text, s->key);
		return;
	}
	own = o.number;
	number = number_for(&o, route);
	if (number == NULL || (route->number != NULL &&
	    !gateway_may_use(s->app, route->number))) {
		refuse_other(g, s, o.is_known || route->number != NULL);
		return;
	}
	if (route->number == NULL)
		route->number = g_strdup(number);
	gw_media(g, s->rq, route);
}

void
gw_media_of(struct gw *g, struct gw_send *s)
{
	struct gateway_route route;

	gateway_route(s->method, s->target, g->conf->gateway.allow, &route);
	pass_own(g, s, &route);
	gateway_route_clear(&route);
	s->rq = NULL;
	gw_send_free(s);
}
