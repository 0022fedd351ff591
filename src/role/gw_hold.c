/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends that a rule keeps from leaving: when enough persons released one it is
 * sent, once; when one rejects it, or its time is over, it is not, and its
 * record says so. A person's own message does not count as released by them.
 */
#include <string.h>

#include <json-c/json.h>

#include "conf.h"
#include "err.h"
#include "gw_int.h"
#include "log.h"
#include "policy.h"

#define CURSOR_REVIEW "review"
#define LOOK_MAX 50
#define LOOK_MS 1000

/* Of a program: what it sends no person wrote. */
static const char *
author_of(const struct gw *g, const char *application)
{
	for (guint i = 0; i < g->apps->len; i++) {
		const struct gateway_application *a = g->apps->pdata[i];

		if (strcmp(a->name, application) == 0)
			return a->author;
	}
	return "staff";
}

/* What rules are against leaves without a record before in observe mode only. */
static void
read_verdict(struct gw_send *s)
{
	if (s->verdict_json == NULL || !policy_verdict_parse(s->verdict_json,
	    strlen(s->verdict_json), &s->verdict, NULL))
		return;
	s->is_observed = s->first_record_id == 0 &&
	    (s->verdict->block != NULL || s->verdict->hold_ms > 0);
}

struct gw_send *
gw_send_load(struct gw *g, const struct store_send *row)
{
	struct gw_send *s = gw_send_new(g);

	s->what = GATEWAY_SEND;
	s->id = row->id;
	g_strlcpy(s->key, row->key, sizeof(s->key));
	s->method = g_strdup(row->method);
	s->target = g_strdup(row->target);
	s->remote = g_strdup(row->remote);
	s->content_type = g_strdup(row->content_type);
	s->business = g_strdup(row->business);
	s->app_name = g_strdup(row->application);
	s->employee = g_strdup(row->employee);
	s->author = g_strdup(author_of(g, row->application));
	memcpy(s->sha256, row->sha256, HASH_SIZE);
	s->request = g_bytes_new(row->request, row->request != NULL ?
	    row->request_len : 0);
	if (row->sent != NULL)
		s->sent = g_bytes_new(row->sent, row->sent_len);
	s->verdict_json = g_strdup(row->verdict);
	s->definition = g_strdup(row->definition);
	s->received_ms = row->received_ms;
	s->first_record_id = row->first_record_id;
	read_verdict(s);
	s->was_stored = true;
	s->phase = row->state == STORE_SEND_HELD ? GW_HELD : GW_STORED;
	return s;
}

/* ---- what persons decided -------------------------------------------------- */

struct decision {
	const char *employee;
	GHashTable *who;
	bool rejected;
	struct json_object *reviews;
};

static void
note(struct decision *d, const struct store_review *r)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "who", json_object_new_string(r->who));
	json_object_object_add(o, "verb", json_object_new_string(r->verb));
	json_object_object_add(o, "at_ms", json_object_new_int64(r->at_ms));
	if (r->why != NULL)
		json_object_object_add(o, "why",
		    json_object_new_string(r->why));
	json_object_array_add(d->reviews, o);
}

static bool
take_review(void *arg, const struct store_review *r)
{
	struct decision *d = arg;

	note(d, r);
	if (strcmp(r->verb, "reject") == 0)
		d->rejected = true;
	else if (strcmp(r->verb, "release") == 0 &&
	    g_strcmp0(r->who, d->employee) != 0)
		g_hash_table_add(d->who, g_strdup(r->who));
	return true;
}

static void
keep_reviews(struct gw_send *s, const struct decision *d)
{
	s->reviews = g_strdup(json_object_to_json_string_ext(d->reviews,
	    JSON_C_TO_STRING_PLAIN));
}

void
gw_reviews(struct gw *g, struct gw_send *s)
{
	struct decision d = { .who = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL), .reviews = json_object_new_array() };

	if (store_review_of(g->store, 0, s->key, take_review, &d, NULL) &&
	    json_object_array_length(d.reviews) > 0)
		keep_reviews(s, &d);
	g_hash_table_unref(d.who);
	json_object_put(d.reviews);
}

static void
end(struct gw_send *s, enum gateway_outcome outcome, const char *reason)
{
	gw_send_refuse(s, GATEWAY_REFUSE_POLICY, reason);
	s->outcome = outcome;
}

static void
let_go(struct gw *g, struct gw_send *s)
{
	gw_recall(g, s);
	s->phase = GW_STORED;
}

/* NULL: it goes on waiting. */
static struct gw_send *
decide(struct gw *g, const struct store_send *row, int64_t now_ms,
    struct err *err)
{
	struct decision d = { .employee = row->employee,
		.who = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
		    NULL), .reviews = json_object_new_array() };
	struct gw_send *s = NULL;
	bool released;

	if (store_review_of(g->store, 0, row->key, take_review, &d, err)) {
		released = g_hash_table_size(d.who) >= (guint)row->persons;
		if (d.rejected || released || store_hold_is_over(
		    row->changed_ms, row->until_ms, now_ms))
			s = gw_send_load(g, row);
		if (s != NULL)
			gw_account(g, s);
		if (s != NULL)
			keep_reviews(s, &d);
		if (d.rejected)
			end(s, GATEWAY_REJECTED, "a person rejected it");
		else if (released)
			let_go(g, s);
		else if (s != NULL)
			end(s, GATEWAY_EXPIRED, "nobody released it in time");
	}
	g_hash_table_unref(d.who);
	json_object_put(d.reviews);
	return s;
}

struct looking {
	struct gw *g;
	GPtrArray *fresh;
	int64_t now_ms;
	struct err err;
};

static bool
take_held(void *arg, const struct store_send *row)
{
	struct looking *l = arg;
	struct gw_send *s;

	if (row->state != STORE_SEND_HELD ||
	    g_hash_table_contains(l->g->ending, &row->id))
		return true;
	s = decide(l->g, row, l->now_ms, &l->err);
	if (s != NULL) {
		int64_t *id = g_new(int64_t, 1);

		*id = row->id;
		g_hash_table_add(l->g->ending, id);
		g_ptr_array_add(l->fresh, s);
	}
	return true;
}

static bool
take_last(void *arg, const struct store_review *r)
{
	*(int64_t *)arg = r->id;
	return true;
}

/*
 * All that are held are looked at when a person did something, and now and
 * then for the time: they are few.
 */
void
gw_holds_look(struct gw *g, GPtrArray *fresh, int64_t now_ms, int64_t mono_ms)
{
	struct looking l = { .g = g, .fresh = fresh, .now_ms = now_ms };
	int64_t last = g->review_cursor;

	if (!store_review_list(g->store, g->review_cursor, LOOK_MAX,
	    take_last, &last, &l.err)) {
		if (mono_ms >= g->next_hold_ms) {
			log_err(LOG_LEVEL_WARN, "gateway.retry", &l.err, "%s",
			    "");
			g->next_hold_ms = mono_ms + LOOK_MS;
		}
		return;
	}
	if (last == g->review_cursor && mono_ms < g->next_hold_ms)
		return;
	g->next_hold_ms = mono_ms + LOOK_MS;
	if (store_send_list(g->store, STORE_SEND_HELD, 0, INT_MAX, take_held,
	    &l, &l.err) && l.err.kind == ERR_NONE)
		g->review_cursor = last;
	else
		log_err(LOG_LEVEL_WARN, "gateway.retry", &l.err, "%s", "");
}
