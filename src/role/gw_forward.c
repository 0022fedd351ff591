/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To Meta and back. A send is handed to the pool once, after the transaction
 * that says so; its reply is only noted here, for the main thread to make it
 * durable. What is not journaled (read marks, looking things up) is answered
 * from here.
 */
#include <string.h>

#include "conf.h"
#include "err.h"
#include "gw_int.h"
#include "http.h"
#include "log.h"
#include "text.h"

#define ANSWER_MAX (4 << 20)
#define JSON_TYPE "application/json"

static GPtrArray *
copy_headers(const char *const *headers)
{
	GPtrArray *copy;

	if (headers == NULL || headers[0] == NULL)
		return NULL;
	copy = g_ptr_array_new_with_free_func(g_free);
	for (; *headers != NULL; headers++)
		g_ptr_array_add(copy, g_strdup(*headers));
	g_ptr_array_add(copy, NULL);
	return copy;
}

static void
note_reply(void *arg, const struct graph_reply *reply)
{
	struct gw_send *s = arg;

	s->fate = reply->fate;
	s->status = reply->status;
	s->phase = GW_REPLIED;
	if (reply->fate == GRAPH_ANSWERED) {
		s->reply_type = g_strdup(reply->content_type);
		s->reply_headers = copy_headers(reply->headers);
		s->reply = g_bytes_new(reply->body, reply->len);
	} else {
		g_free(s->reason);
		s->reason = g_strdup(reply->why->text);
	}
	gw_put(s->gw, &s->gw->replies, s);
}

/* One spelling of it, so that Graph reads a body as it was read here. */
static const char *
type_of(const struct gw_send *s)
{
	if (s->what == GATEWAY_UPLOAD)
		return s->content_type;
	return g_bytes_get_size(s->request) > 0 ? JSON_TYPE : NULL;
}

void
gw_forward(struct gw *g, struct gw_send *s)
{
	struct graph_request rq = { .method = s->method,
		.target = s->target, .content_type = type_of(s),
		.max_answer = ANSWER_MAX,
		.total_ms = g->conf->graph.total_ms, .done = note_reply,
		.arg = s };

	rq.body = g_bytes_get_data(s->sent != NULL ? s->sent : s->request,
	    &rq.len);
	graph_pool_submit(g->pool, &rq);
}

/* ---- without a record ------------------------------------------------------ */

static void
answer_passed(void *arg, const struct graph_reply *reply)
{
	struct http_request *rq = arg;

	if (reply->fate == GRAPH_ANSWERED)
		http_answer_with(rq, reply->status, reply->content_type,
		    reply->headers, reply->body, reply->len);
	else
		gw_refuse(rq, reply->fate == GRAPH_NOT_SENT ?
		    GATEWAY_REFUSE_UPSTREAM : GATEWAY_REFUSE_UNKNOWN,
		    reply->why->text, NULL);
}

void
gw_pass(struct gw *g, struct http_request *rq, const char *target)
{
	struct graph_request out = { .method = http_request_method(rq),
		.target = target != NULL ? target : http_request_target(rq),
		.max_answer = ANSWER_MAX,
		.total_ms = g->conf->graph.total_ms, .done = answer_passed,
		.arg = rq };

	out.body = http_request_body(rq, &out.len);
	out.content_type = out.len > 0 ? JSON_TYPE : NULL;
	graph_pool_submit(g->pool, &out);
}
