/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the caller is told: Meta's answer as it came, or one of ours in Graph's
 * own shape. Decides nothing.
 */
#include <string.h>

#include "clock.h"
#include "gw_int.h"
#include "http.h"

#define RETRY_AFTER "5"

void
gw_answer_json(struct http_request *rq, int status, const GString *body)
{
	static const char *const later[] = { "Retry-After", RETRY_AFTER,
		NULL };

	http_answer_with(rq, status, GW_JSON_TYPE,
	    status == 503 || status == 429 ? later : NULL, body->str,
	    body->len);
}

void
gw_refuse(struct http_request *rq, enum gateway_refusal why,
    const char *details, const char *trace)
{
	g_autoptr(GString) body = g_string_new(NULL);
	char key[GW_KEY_CHARS + 1] = "";
	int status;

	if (trace == NULL)
		gw_key_make(clock_now_ms(), key);
	status = gateway_refuse(why, details, trace != NULL ? trace : key,
	    body);
	gw_answer_json(rq, status, body);
}

void
gw_answer_held(struct http_request *rq, const char *key, const char *to)
{
	g_autoptr(GString) body = g_string_new(NULL);
	int status = gateway_held(key, to, body);

	gw_answer_json(rq, status, body);
}

static void
answer_reply(struct gw_send *s)
{
	gsize len = 0;
	const void *body = s->reply != NULL ?
	    g_bytes_get_data(s->reply, &len) : "";

	http_answer_with(s->rq, s->status, s->reply_type,
	    s->reply_headers != NULL ?
	    (const char *const *)s->reply_headers->pdata : NULL, body, len);
}

void
gw_answer(struct gw_send *s)
{
	if (s->rq == NULL)
		return;
	if (s->is_refused)
		gw_refuse(s->rq, s->refusal, s->reason, s->key);
	else if (s->phase == GW_HELD)
		gw_answer_held(s->rq, s->key, s->head.to);
	else
		answer_reply(s);
	s->rq = NULL;
}
