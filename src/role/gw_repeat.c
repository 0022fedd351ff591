/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same request again, by its Idempotency-Key: it gets the first answer and
 * is not sent again. And what became of a send, for who sent it.
 */
#include <string.h>

#include <json-c/json.h>

#include "conf.h"
#include "err.h"
#include "gw_int.h"
#include "http.h"

#define CODE_PAIR 131056	/* Meta: too many to one person */

static char *
underway_name(const struct gw_send *s)
{
	char hex[HASH_HEX_SIZE];

	return g_strdup(hash_hex(s->idempotency, hex));
}

void
gw_underway_remove(struct gw *g, struct gw_send *s)
{
	g_autofree char *name = NULL;

	if (!s->has_idempotency)
		return;
	name = underway_name(s);
	if (g_hash_table_lookup(g->underway, name) == s)
		g_hash_table_remove(g->underway, name);
}

static void
refuse(struct gw_send *s, enum gateway_refusal why, const char *details)
{
	gw_refuse(s->rq, why, details, s->key);
	s->rq = NULL;
}

static const char another[] = "this Idempotency-Key was used for another "
    "request";

/* ---- one that is done, or held --------------------------------------------- */

/* What certainly did not leave, for a reason that passes. */
static bool
may_try_again(const struct store_send *row)
{
	enum gateway_outcome outcome;
	struct gateway_answer a;
	bool passes;

	if (row->state != STORE_SEND_DONE || row->outcome == NULL ||
	    !gateway_outcome_parse(row->outcome, &outcome))
		return false;
	if (outcome != GATEWAY_REFUSED || row->answer == NULL)
		return outcome == GATEWAY_NOT_SENT;
	gateway_answer_parse(row->status, row->answer, row->answer_len, &a);
	passes = row->status == 429 || row->status >= 500 || a.is_throttled ||
	    a.code == CODE_PAIR;
	gateway_answer_clear(&a);
	return passes;
}

static bool
take_first(void *arg, const struct store_send *row)
{
	struct gw_send *s = arg;

	if (may_try_again(row))
		return false;
	if (!hash_equal(row->sha256, s->sha256, HASH_SIZE)) {
		refuse(s, GATEWAY_REFUSE_REPEAT, another);
	} else if (row->state == STORE_SEND_DONE && row->answer != NULL) {
		http_answer_with(s->rq, row->status, GW_JSON_TYPE, NULL,
		    row->answer, row->answer_len);
		s->rq = NULL;
	} else if (row->state == STORE_SEND_HELD) {
		gw_answer_held(s->rq, row->key, s->head.to);
		s->rq = NULL;
	} else if (row->state == STORE_SEND_DONE) {
		refuse(s, GATEWAY_REFUSE_REPEAT, "this Idempotency-Key was "
		    "used, and the answer is no longer kept");
	} else {
		refuse(s, GATEWAY_REFUSE_RUNNING, NULL);
	}
	return false;
}

bool
gw_is_repeat(struct gw *g, struct gw_send *s, int64_t now_ms)
{
	g_autofree char *name = NULL;
	const struct gw_send *first;
	struct err err = ERR_INIT;

	if (!s->has_idempotency)
		return false;
	name = underway_name(s);
	first = g_hash_table_lookup(g->underway, name);
	if (first != NULL)
		refuse(s, hash_equal(first->sha256, s->sha256, HASH_SIZE) ?
		    GATEWAY_REFUSE_RUNNING : GATEWAY_REFUSE_REPEAT,
		    hash_equal(first->sha256, s->sha256, HASH_SIZE) ? NULL :
		    another);
	else if (!store_send_by_idempotency(g->store, s->idempotency,
	    now_ms - g->conf->gateway.idempotency_ms, take_first, s, &err))
		refuse(s, GATEWAY_REFUSE_STORE, err.text);
	if (s->rq == NULL) {
		gw_send_free(s);
		return true;
	}
	g_hash_table_replace(g->underway, g_steal_pointer(&name), s);
	return false;
}

/* ---- looking one up -------------------------------------------------------- */

static void
add_text(struct json_object *o, const char *name, const char *value)
{
	if (value != NULL)
		json_object_object_add(o, name,
		    json_object_new_string(value));
}

struct looking {
	const char *application;
	GString *body;
};

static bool
take_row(void *arg, const struct store_send *row)
{
	static const char *const states[STORE_SEND_STATES] = {
		[STORE_SEND_STORED] = "stored",
		[STORE_SEND_FORWARDING] = "forwarding",
		[STORE_SEND_HELD] = "held", [STORE_SEND_DONE] = "done" };
	struct looking *l = arg;
	struct json_object *o;

	if (strcmp(row->application, l->application) != 0)
		return false;
	o = json_object_new_object();
	add_text(o, "id", row->key);
	add_text(o, "state", states[row->state]);
	add_text(o, "outcome", row->outcome);
	add_text(o, "message_id", row->wamid);
	json_object_object_add(o, "status", json_object_new_int(row->status));
	g_string_append(l->body, json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
	return false;
}

void
gw_look_up(struct gw *g, struct gw_send *s)
{
	g_autoptr(GString) body = g_string_new(NULL);
	struct looking l = { .application = s->app_name, .body = body };
	struct err err = ERR_INIT;

	if (!store_send_by_key(g->store, s->business != NULL ? s->business :
	    "", take_row, &l, &err))
		refuse(s, GATEWAY_REFUSE_STORE, err.text);
	else if (body->len == 0)
		refuse(s, GATEWAY_REFUSE_PATH, "no send of this application "
		    "has this id");
	else
		gw_answer_json(s->rq, 200, body);
	s->rq = NULL;
	gw_send_free(s);
}
