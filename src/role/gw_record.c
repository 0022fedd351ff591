/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store keeps of a send: its row, and the record that build journals.
 * All of it within a transaction that gw_commit.c began; it may be undone.
 */
#include <string.h>

#include "conf.h"
#include "directory.h"
#include "gw_int.h"
#include "policy.h"

static void
set_bytes(GBytes *from, const void **bytes, size_t *len)
{
	if (from != NULL)
		*bytes = g_bytes_get_data(from, len);
}

/* What the caller is answered, as it would be again; NULL: nothing. */
static GBytes *
answer_of(const struct gw_send *s, int *status)
{
	GString *body;

	*status = s->status;
	if (!s->is_refused)
		return s->reply != NULL ? g_bytes_ref(s->reply) : NULL;
	body = g_string_new(NULL);
	*status = gateway_refuse(s->refusal, s->reason, s->key, body);
	return g_string_free_to_bytes(body);
}

void
gw_save(struct gw *g, struct gw_send *s, enum store_send_state state,
    int64_t now_ms)
{
	struct store_send row = { .id = s->id, .key = s->key, .state = state,
		.application = s->app_name, .employee = s->employee,
		.remote = s->remote, .business = s->business != NULL ?
		    s->business : "", .method = s->method,
		.target = s->target,
		.content_type = s->content_type,
		.idempotency = s->has_idempotency ? s->idempotency : NULL,
		.verdict = s->verdict_json, .definition = s->definition,
		.received_ms = s->received_ms, .changed_ms = now_ms,
		.outcome = s->first_record_id != 0 ?
		    gateway_outcome_name(s->outcome) : NULL,
		.wamid = s->wamid, .first_record_id = s->first_record_id,
		.record_id = s->record_id };
	g_autoptr(GBytes) answer = NULL;

	memcpy(row.sha256, s->sha256, HASH_SIZE);
	set_bytes(s->request, &row.request, &row.request_len);
	set_bytes(s->sent, &row.sent, &row.sent_len);
	if (state == STORE_SEND_HELD) {
		row.until_ms = now_ms + s->verdict->hold_ms;
		row.persons = MAX(s->verdict->hold_persons, 1);
	}
	if (state == STORE_SEND_DONE) {
		answer = answer_of(s, &row.status);
		set_bytes(answer, &row.answer, &row.answer_len);
		/* An empty answer is one, too, for who asks again. */
		if (answer != NULL && row.answer == NULL)
			row.answer = "";
	}
	if (s->id == 0)
		store_send_add(g->store, &row, &s->id);
	else
		store_send_set(g->store, &row);
}

static const char *
number_of(const struct gw *g, const struct gw_send *s)
{
	const struct directory_business *b = directory_business_get(
	    g->conf->directory, s->business, NULL);

	return b != NULL ? b->number : NULL;
}

/* For the record. NULL: there is nothing to say. */
static char *
reason_of(const struct gw_send *s)
{
	const char *why = s->reason != NULL ? s->reason : "";

	if (!s->is_observed)
		return g_strdup(s->reason);
	return g_strdup_printf("%s%sobserve mode: the rules would have said "
	    "\"%s\"", why, *why != '\0' ? "; " : "",
	    policy_verdict_word(s->verdict));
}

void
gw_record(struct gw *g, struct gw_send *s, enum gateway_outcome outcome,
    int64_t now_ms)
{
	g_autoptr(GString) body = g_string_new(NULL);
	g_autofree char *reason = reason_of(s);
	struct gateway_record r = { .key = s->key, .outcome = outcome,
		.was_recorded = s->first_record_id != 0,
		.received_ms = s->said_ms != 0 ? s->said_ms : s->received_ms,
		.done_ms = now_ms, .application = s->app_name,
		.author = s->author, .employee = s->employee,
		.remote = s->remote, .account = s->account, .business_id = s->business,
		.business_number = number_of(g, s), .method = s->method,
		.target = s->target, .status = s->fate == GRAPH_ANSWERED ?
		    s->status : 0, .verdict = s->verdict_json,
		.definition = s->definition, .reason = reason,
		.reviews = s->reviews };
	struct store_event ev = { .received_ms = now_ms,
		.remote = s->remote, .secret_name = s->app_name,
		.signature = "" };

	s->outcome = outcome;
	set_bytes(s->request, &r.request, &r.request_len);
	set_bytes(s->sent, &r.sent, &r.sent_len);
	if (outcome == GATEWAY_ACCEPTED || outcome == GATEWAY_REFUSED ||
	    outcome == GATEWAY_REPORTED ||
	    outcome == GATEWAY_OUTCOME_UNKNOWN)
		set_bytes(s->reply, &r.response, &r.response_len);
	gateway_record_print(&r, body);
	ev.body = body->str;
	ev.len = body->len;
	hash_sha256(body->str, body->len, ev.sha256);
	store_record_add(g->store, &ev, &s->record_id);
	if (s->first_record_id == 0)
		s->first_record_id = s->record_id;
}

void
gw_finish(struct gw *g, struct gw_send *s, enum gateway_outcome outcome,
    int64_t now_ms)
{
	gw_record(g, s, outcome, now_ms);
	gw_save(g, s, STORE_SEND_DONE, now_ms);
}

/* ---- before a transaction, and after one that failed ------------------- */

void
gw_mark(struct gw_send *s)
{
	s->was_stored = s->id != 0;
	s->was_pending = s->is_pending;
	s->was_phase = s->phase;
	s->was_first = s->first_record_id;
	s->was_record = s->record_id;
}

void
gw_restore(struct gw_send *s)
{
	s->is_pending = s->was_pending;
	s->phase = s->was_phase;
	s->first_record_id = s->was_first;
	s->record_id = s->was_record;
	if (!s->was_stored)
		s->id = 0;
}
