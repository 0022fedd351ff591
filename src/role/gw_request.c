/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request in a listener thread: which it is, who asks, whether its body can
 * be read. What is to be journaled goes to the main thread; what is only
 * passed on goes to Meta at once. The store is not touched here.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "clock.h"
#include "conf.h"
#include "directory.h"
#include "err.h"
#include "gw_int.h"
#include "http.h"
#include "item.h"
#include "log.h"
#include "policy.h"
#include "text.h"
#include "wa.h"

/* Begins with the time, so that keys grow: see store.h. */
bool
gw_key_make(int64_t now_ms, char out[GW_KEY_CHARS + 1])
{
	uint8_t bytes[10];

	out[0] = '\0';
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return false;
	snprintf(out, GW_KEY_CHARS + 1, "%012" PRIx64, (uint64_t)now_ms &
	    UINT64_C(0xffffffffffff));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(out + 12 + 2 * i, 3, "%02x", bytes[i]);
	return true;
}

struct gw_send *
gw_send_new(struct gw *g)
{
	struct gw_send *s = g_new0(struct gw_send, 1);

	s->gw = g;
	s->outcome = GATEWAY_NOT_SENT;
	return s;
}

void
gw_send_refuse(struct gw_send *s, enum gateway_refusal why,
    const char *reason)
{
	s->is_refused = true;
	s->refusal = why;
	g_free(s->reason);
	s->reason = g_strdup(reason);
}

void
gw_send_free(struct gw_send *s)
{
	if (s == NULL)
		return;
	g_free(s->method);
	g_free(s->target);
	g_free(s->remote);
	g_free(s->content_type);
	g_free(s->business);
	g_free(s->app_name);
	g_free(s->author);
	g_free(s->employee);
	g_clear_pointer(&s->request, g_bytes_unref);
	g_clear_pointer(&s->sent, g_bytes_unref);
	gateway_head_clear(&s->head);
	item_free(s->item);
	g_free(s->account);
	g_free(s->talk);
	g_free(s->realm);
	g_free(s->person);
	g_free(s->definition);
	directory_staff_free(s->remote_staff);
	policy_verdict_free(s->verdict);
	g_free(s->verdict_json);
	g_free(s->reason);
	g_free(s->reviews);
	g_free(s->reply_type);
	g_clear_pointer(&s->reply_headers, g_ptr_array_unref);
	g_clear_pointer(&s->reply, g_bytes_unref);
	g_free(s->wamid);
	if (s->file_path != NULL)
		unlink(s->file_path);	/* of what Meta did not take */
	g_free(s->file_path);
	g_free(s->file_name);
	g_free(s->file_type);
	g_free(s->file_verdict);
	g_free(s);
}

static enum http_verdict
refuse(struct gw *g, struct http_request *rq, enum gateway_refusal why,
    const char *reason, const char *details)
{
	char trace[GW_KEY_CHARS + 1];

	gw_key_make(clock_now_ms(), trace);
	gw_tell_refused(g, http_request_remote(rq), reason, trace);
	gw_refuse(rq, why, details, trace);
	return HTTP_ANSWERED;
}

/* ---- what is to be journaled ----------------------------------------------- */

static void
set_idempotency(struct gw_send *s, const char *header)
{
	g_autofree char *key = header != NULL ?
	    gateway_idempotency_key(header) : NULL;

	if (key == NULL)
		return;
	hash_strings(s->idempotency, s->app_name, key, NULL);
	s->has_idempotency = true;
}

/* The body stays the listener's until the answer: nothing is copied. */
static struct gw_send *
send_of(struct gw *g, struct http_request *rq,
    const struct gateway_route *route, const struct gateway_application *app)
{
	struct gw_send *s = gw_send_new(g);
	const void *body;
	size_t len;

	s->received_ms = clock_now_ms();
	if (!gw_key_make(s->received_ms, s->key)) {
		gw_send_free(s);
		return NULL;
	}
	s->rq = rq;
	s->what = route->what;
	s->method = g_strdup(http_request_method(rq));
	s->target = g_strdup(http_request_target(rq));
	s->remote = g_strdup(http_request_remote(rq));
	s->content_type = g_strdup(http_request_header(rq, "Content-Type"));
	s->business = g_strdup(route->id);
	s->app = app;
	s->app_name = g_strdup(app->name);
	s->author = g_strdup(app->author);
	s->employee = g_strdup(http_request_header(rq,
	    "X-ChatJournal-Employee"));
	body = http_request_body(rq, &len);
	s->request = g_bytes_new_static(body, len);
	hash_sha256(body, len, s->sha256);
	s->queued_ms = clock_mono_ms();
	set_idempotency(s, http_request_header(rq, "Idempotency-Key"));
	return s;
}

/* What needs no more than the body is read here, beside the main thread. */
static void
read_item(struct gw_send *s)
{
	struct wa_limits limits = WA_LIMITS_DEFAULT;
	size_t len;
	const void *body = g_bytes_get_data(s->request, &len);

	limits.max_bytes = (size_t)s->gw->conf->gateway.max_body_bytes;
	if (s->what == GATEWAY_SEND && s->head.template_name == NULL &&
	    !wa_send_parse(body, len, &limits, NULL, &s->item, NULL))
		g_clear_pointer(&s->item, item_free);
}

/* The store keeps somebody waiting for too long: no use in more of them. */
static bool
is_overdue(struct gw *g, int64_t mono_ms)
{
	const struct gw_send *first;
	bool overdue;

	pthread_mutex_lock(&g->lock);
	first = g_queue_peek_head(&g->incoming);
	overdue = first != NULL &&
	    mono_ms - first->queued_ms > g->conf->gateway.queue_ms;
	pthread_mutex_unlock(&g->lock);
	return overdue;
}

static enum http_verdict
enqueue(struct gw *g, struct gw_send *s)
{
	gw_put(g, &g->incoming, s);
	return HTTP_LATER;
}

static enum http_verdict
take_send(struct gw *g, struct http_request *rq,
    const struct gateway_route *route, const struct gateway_application *app)
{
	struct gw_send *s;
	struct err err = ERR_INIT;
	size_t len;
	const void *body;

	if (is_overdue(g, clock_mono_ms()))
		return refuse(g, rq, GATEWAY_REFUSE_STORE, "store",
		    "it cannot be recorded now, so it was not sent: try "
		    "again");
	s = send_of(g, rq, route, app);
	if (s == NULL)
		return refuse(g, rq, GATEWAY_REFUSE_STORE, "random",
		    "no random numbers");
	body = g_bytes_get_data(s->request, &len);
	if (s->what == GATEWAY_SEND &&
	    !gateway_head_parse(body, len, &s->head, &err)) {
		gw_send_free(s);
		return refuse(g, rq, GATEWAY_REFUSE_JSON, "json", err.text);
	}
	if (s->what == GATEWAY_SEND && s->head.is_read) {
		gw_send_free(s);
		gw_pass(g, rq, NULL);
		return HTTP_LATER;
	}
	read_item(s);
	return enqueue(g, s);
}

/* ---- who asks for what ----------------------------------------------------- */

static bool
is_good_key(const char *header)
{
	g_autofree char *key = gateway_idempotency_key(header);

	return key != NULL;
}

static bool
is_good_header(const char *value, bool (*is_good)(const char *))
{
	return value == NULL || is_good(value);
}

static bool
needs_employee(enum gateway_what what)
{
	return what == GATEWAY_SEND || what == GATEWAY_UPLOAD ||
	    what == GATEWAY_CALL || what == GATEWAY_GROUP;
}

/* True when it was refused. */
static bool
refuse_caller(struct gw *g, struct http_request *rq,
    const struct gateway_route *route, const struct gateway_application *app)
{
	const char *employee = http_request_header(rq,
	    "X-ChatJournal-Employee");
	const char *key = http_request_header(rq, "Idempotency-Key");

	if (!is_good_header(employee, gateway_is_employee) ||
	    (employee == NULL && app->employee_required &&
	    needs_employee(route->what))) {
		refuse(g, rq, GATEWAY_REFUSE_EMPLOYEE, "employee",
		    "the header X-ChatJournal-Employee must name who of the "
		    "staff writes: 1 to 64 of A-Z a-z 0-9 . _ @ -");
		return true;
	}
	if (!is_good_header(key, is_good_key)) {
		refuse(g, rq, GATEWAY_REFUSE_JSON, "idempotency",
		    "the header Idempotency-Key must be 1 to 255 printable "
		    "characters");
		return true;
	}
	/* Of which number a group is, only the store knows: gw_judge.c. */
	if ((needs_employee(route->what)) && route->id != NULL &&
	    gateway_is_number_id(route->id) &&
	    !gateway_may_use(app, route->id)) {
		refuse(g, rq, GATEWAY_REFUSE_BUSINESS, "business",
		    "this application may not use this phone number id; see "
		    "`business` of its application block");
		return true;
	}
	return false;
}

/* True when it was refused. */
static bool
refuse_body(struct gw *g, struct http_request *rq,
    const struct gateway_route *route)
{
	struct err err = ERR_INIT;
	size_t len;
	const void *body = http_request_body(rq, &len);

	if (route->what == GATEWAY_UNKNOWN ||
	    route->what == GATEWAY_BAD_METHOD)
		return false;
	if (route->what != GATEWAY_UPLOAD &&
	    len > (size_t)g->conf->gateway.max_body_bytes) {
		refuse(g, rq, GATEWAY_REFUSE_JSON, "size",
		    "the body is larger than `max_body` of the gateway");
		return true;
	}
	if (gateway_body_check(route->what, http_request_method(rq),
	    http_request_header(rq, "Content-Type"), body, len, &err))
		return false;
	refuse(g, rq, GATEWAY_REFUSE_JSON, "body", err.text);
	return true;
}

static enum http_verdict
dispatch(struct gw *g, struct http_request *rq,
    const struct gateway_route *route, const struct gateway_application *app)
{
	switch (route->what) {
	case GATEWAY_SEND:
	case GATEWAY_UPLOAD:
	case GATEWAY_CALL:
	case GATEWAY_GROUP:
	case GATEWAY_LOOK:
		return take_send(g, rq, route, app);
	case GATEWAY_CAPTURE:
		if (g->conf->gateway.capture)
			return take_send(g, rq, route, app);
		return refuse(g, rq, GATEWAY_REFUSE_PATH, "capture",
		    "`capture on;` is not configured");
	case GATEWAY_ALLOWED:
		if (strcmp(http_request_method(rq), "GET") != 0)
			return take_send(g, rq, route, app);
		gw_pass(g, rq, NULL);
		return HTTP_LATER;
	case GATEWAY_READ:
		gw_pass(g, rq, NULL);
		return HTTP_LATER;
	case GATEWAY_MEDIA_DELETE:
	case GATEWAY_MEDIA_FIND:
	case GATEWAY_MEDIA_FILE:
		if (gateway_is_limited(app))
			return take_send(g, rq, route, app);
		gw_media(g, rq, route);
		return HTTP_LATER;
	case GATEWAY_BAD_METHOD:
		return refuse(g, rq, GATEWAY_REFUSE_METHOD, "method",
		    route->why);
	case GATEWAY_UNKNOWN:
		break;
	}
	return refuse(g, rq, GATEWAY_REFUSE_PATH, "path", route->why);
}

enum http_verdict
gw_handle(void *arg, struct http_request *rq)
{
	struct gw *g = arg;
	const struct gateway_application *app = gateway_caller(g->apps,
	    http_request_header(rq, "Authorization"),
	    http_request_client(rq));
	struct gateway_route route;
	enum http_verdict v;

	if (app == NULL)
		return refuse(g, rq, GATEWAY_REFUSE_AUTH, "auth",
		    "no application of the gateway has this token or "
		    "certificate");
	gateway_route(http_request_method(rq), http_request_target(rq),
	    g->conf->gateway.allow, &route);
	v = refuse_caller(g, rq, &route, app) ||
	    refuse_body(g, rq, &route) ? HTTP_ANSWERED :
	    dispatch(g, rq, &route, app);
	gateway_route_clear(&route);
	return v;
}
