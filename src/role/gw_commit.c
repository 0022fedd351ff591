/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway's transactions: what may go is durable before it goes, and what
 * became of it, with the record that is journaled, before the caller hears of
 * it. One commit for all that are ready. When the store cannot commit, nothing
 * new leaves (503); what has left already is kept until it can.
 */
#include <string.h>

#include "clock.h"
#include "conf.h"
#include "err.h"
#include "gw_int.h"
#include "policy.h"
#include "proc.h"

#define STATUS_TIMEOUT 408

/* ---- what is new ----------------------------------------------------------- */

static void
count_up(struct gw *g, const struct gw_send *s, int64_t now_ms)
{
	for (guint i = 0; s->verdict != NULL &&
	    i < s->verdict->tallies->len; i++) {
		const struct policy_tally *t = s->verdict->tallies->pdata[i];

		store_tally_add(g->store, STORE_GATEWAY, t->rule, t->subject,
		    t->who, now_ms);
	}
}

/* What Meta's answer says of itself. */
static void
read_reply(struct gw_send *s)
{
	struct gateway_answer a;
	gsize len;
	const void *body;

	if (s->fate != GRAPH_ANSWERED || s->reply == NULL)
		return;
	body = g_bytes_get_data(s->reply, &len);
	gateway_answer_parse(s->status, body, len, &a);
	g_free(s->wamid);
	s->wamid = s->what == GATEWAY_UPLOAD ? g_steal_pointer(&a.id) :
	    g_steal_pointer(&a.wamid);
	s->is_throttled = a.is_throttled;
	s->is_graph_error = a.is_graph_error;
	s->error_code = a.code;
	gateway_answer_clear(&a);
}

/* What somebody else has sent, as if it had come here. */
static void
take_copy(struct gw *g, struct gw_send *s, struct gateway_copy *copy)
{
	g_free(s->business);
	s->business = g_steal_pointer(&copy->business_id);
	g_free(s->target);
	s->target = g_strdup_printf("/%s/%s/messages", g->conf->graph.version,
	    s->business);
	s->said_ms = copy->at_ms;
	g_bytes_unref(s->request);
	s->request = g_steal_pointer(&copy->request);
	s->reply = g_steal_pointer(&copy->response);
	s->fate = GRAPH_ANSWERED;
	s->status = copy->status;
}

static void
report(struct gw *g, struct gw_send *s, int64_t now_ms)
{
	struct gateway_copy copy = { 0 };
	struct err err = ERR_INIT;
	gsize len;
	const void *body = g_bytes_get_data(s->request, &len);

	if (!gateway_copy_parse(body, len, &copy, &err)) {
		gw_send_refuse(s, GATEWAY_REFUSE_JSON, err.text);
		return;
	}
	if (!gateway_may_use(s->app, copy.business_id)) {
		gw_send_refuse(s, GATEWAY_REFUSE_BUSINESS, "this application "
		    "may not report for this phone number id");
		gateway_copy_clear(&copy);
		return;
	}
	take_copy(g, s, &copy);
	gateway_copy_clear(&copy);
	gw_account(g, s);
	read_reply(s);
	gw_record(g, s, GATEWAY_REPORTED, now_ms);
	g_clear_pointer(&s->reply, g_bytes_unref);
	s->reply = g_bytes_new_static("{\"success\":true}", 16);
	s->reply_type = g_strdup("application/json");
	s->status = 200;
	gw_save(g, s, STORE_SEND_DONE, now_ms);
}

/* It may go: at once, or when its journal has it. */
static void
set_off(struct gw *g, struct gw_send *s, int64_t now_ms, int64_t mono_ms)
{
	if (g->conf->gateway.mode == CONF_GATEWAY_DELIVERED &&
	    !s->is_pending && s->what == GATEWAY_SEND) {
		s->is_pending = true;
		s->phase = GW_STORED;
		s->journal_until_ms = mono_ms +
		    g->conf->gateway.delivered_wait_ms;
		gw_record(g, s, GATEWAY_PENDING, now_ms);
		gw_save(g, s, STORE_SEND_STORED, now_ms);
		return;
	}
	s->phase = GW_FORWARDING;
	gw_save(g, s, STORE_SEND_FORWARDING, now_ms);
}

static void
begin(struct gw *g, struct gw_send *s, int64_t now_ms, int64_t mono_ms)
{
	if (s->what == GATEWAY_CAPTURE) {
		report(g, s, now_ms);
		return;
	}
	if (s->phase == GW_HELD) {
		count_up(g, s, now_ms);
		gw_record(g, s, GATEWAY_OUTCOME_HELD, now_ms);
		gw_save(g, s, STORE_SEND_HELD, now_ms);
		return;
	}
	count_up(g, s, now_ms);
	if (s->is_paced) {
		s->phase = GW_STORED;
		gw_save(g, s, STORE_SEND_STORED, now_ms);
		return;
	}
	set_off(g, s, now_ms, mono_ms);
}

static void
take_fresh(struct gw *g, struct gw_send *s, int64_t now_ms, int64_t mono_ms)
{
	if (s->is_refused && s->outcome == GATEWAY_BLOCKED)
		gw_finish(g, s, GATEWAY_BLOCKED, now_ms);
	else if (s->is_refused && s->id != 0)
		gw_finish(g, s, s->outcome, now_ms);
	else if (!s->is_refused && s->phase == GW_NEW)
		begin(g, s, now_ms, mono_ms);
	else if (!s->is_refused && s->phase == GW_HELD && s->id == 0)
		begin(g, s, now_ms, mono_ms);
	else if (!s->is_refused && s->phase == GW_STORED)
		set_off(g, s, now_ms, mono_ms);
}

/* ---- what came back -------------------------------------------------------- */

/*
 * An error of Graph's own says that it did not carry the request out; a 5xx of
 * something on the way does not, nor does a success that names no message.
 */
static enum gateway_outcome
outcome_of(const struct gw_send *s)
{
	if (s->fate == GRAPH_NOT_SENT)
		return GATEWAY_NOT_SENT;
	if (s->fate == GRAPH_UNKNOWN)
		return GATEWAY_OUTCOME_UNKNOWN;
	if (s->is_graph_error || (s->status >= 300 && s->status < 500 &&
	    s->status != STATUS_TIMEOUT))
		return GATEWAY_REFUSED;
	return s->status < 300 && (s->wamid != NULL ||
	    s->what != GATEWAY_SEND) ? GATEWAY_ACCEPTED :
	    GATEWAY_OUTCOME_UNKNOWN;
}

static void
remember_told(struct gw *g, const struct gw_send *s, int64_t now_ms)
{
	for (guint i = 0; s->has_additions && s->talk != NULL &&
	    i < s->verdict->additions->len; i++) {
		const struct policy_addition *a =
		    s->verdict->additions->pdata[i];

		if (a->once)
			store_told_set(g->store, a->rule, s->talk, now_ms);
	}
}

static void
keep_upload(struct gw *g, struct gw_send *s)
{
	struct store_upload u = { .media_id = s->wamid,
		.business = s->business, .application = s->app_name,
		.employee = s->employee, .size = s->file_size,
		.at_ms = s->received_ms, .name = s->file_name, .type = s->file_type,
		.verdict = s->file_verdict };

	if (s->wamid == NULL || s->file_path == NULL)
		return;
	memcpy(u.sha256, s->file_sha256, HASH_SIZE);
	store_upload_add_file(g->store, &u, s->file_path);
}

static void
take_reply(struct gw *g, struct gw_send *s, int64_t now_ms)
{
	enum gateway_outcome outcome;

	read_reply(s);
	outcome = outcome_of(s);
	if (outcome == GATEWAY_OUTCOME_UNKNOWN && s->reason == NULL)
		s->reason = g_strdup("Meta's answer does not say whether it "
		    "was sent");
	if (outcome == GATEWAY_NOT_SENT || outcome == GATEWAY_OUTCOME_UNKNOWN) {
		s->is_refused = true;
		s->refusal = outcome == GATEWAY_NOT_SENT ?
		    GATEWAY_REFUSE_UPSTREAM : GATEWAY_REFUSE_UNKNOWN;
	}
	if (s->what == GATEWAY_UPLOAD) {
		keep_upload(g, s);
		return;
	}
	if (outcome == GATEWAY_ACCEPTED)
		remember_told(g, s, now_ms);
	gw_finish(g, s, outcome, now_ms);
}

/* ---- one transaction ------------------------------------------------------- */

static void
slow_down(struct gw *g, const struct gw_send *s, int64_t mono_ms)
{
	const char *after = NULL;

	if (!s->is_throttled || s->business == NULL)
		return;
	for (guint i = 0; s->reply_headers != NULL &&
	    i + 2 < s->reply_headers->len; i += 2) {
		if (g_ascii_strcasecmp(s->reply_headers->pdata[i],
		    "Retry-After") == 0)
			after = s->reply_headers->pdata[i + 1];
	}
	gateway_pace_slow(g->pace, s->business, mono_ms + 1000 *
	    CLAMP(after != NULL ? g_ascii_strtoll(after, NULL, 10) : 1, 1,
	    60));
}

/* Still on its way after the commit: somebody else has it now. */
static bool
is_on_its_way(struct gw *g, struct gw_send *s)
{
	if (s->is_refused)
		return false;
	if (s->phase == GW_FORWARDING) {
		gw_forward(g, s);
		return true;
	}
	if (s->phase == GW_STORED && s->is_pending)
		g_ptr_array_add(g->waiting, s);
	return s->phase == GW_STORED;
}

static void
let_go(struct gw *g, struct gw_send *s)
{
	gw_tell(g, s);
	gw_underway_remove(g, s);
	gw_answer(s);
	gw_send_free(s);
}

static void
refuse_unstored(struct gw *g, struct gw_send *s)
{
	if (!s->is_refused || s->outcome == GATEWAY_BLOCKED)
		gw_send_refuse(s, GATEWAY_REFUSE_STORE, "it cannot be "
		    "recorded now, so it was not sent: try again");
	gw_underway_remove(g, s);
	gw_answer(s);
	s->is_dead = s->is_paced;
	if (!s->is_paced)
		gw_send_free(s);
}

/* Nothing of the list has left; what is in the store already is tried again. */
static void
refuse_fresh(struct gw *g, GPtrArray *fresh)
{
	for (guint i = 0; i < fresh->len; i++) {
		struct gw_send *s = fresh->pdata[i];

		gw_restore(s);
		if (s->was_stored)
			g_ptr_array_add(g->waiting, s);
		else
			refuse_unstored(g, s);
	}
}

/* What was asked of the directory role is asked again when it is lost. */
static bool
end_transaction(struct gw *g, struct err *err)
{
	bool asks = g->asks;

	g->in_txn = g->asks = false;
	if (!store_commit(g->store, err)) {
		if (asks)
			g_hash_table_remove_all(g->staff_asked);
		return false;
	}
	if (asks)
		proc_wake(PROC_DIRECTORY);
	return true;
}

static bool
transact(struct gw *g, GPtrArray *fresh, GPtrArray *replied, int64_t now_ms,
    int64_t mono_ms, struct err *err)
{
	gw_begin(g);
	for (guint i = 0; i < fresh->len; i++) {
		struct gw_send *s = fresh->pdata[i];

		gw_mark(s);
		take_fresh(g, s, now_ms, mono_ms);
	}
	for (guint i = 0; i < replied->len; i++) {
		gw_mark(replied->pdata[i]);
		take_reply(g, replied->pdata[i], now_ms);
	}
	return end_transaction(g, err);
}

static void
go_on(struct gw *g, GPtrArray *fresh, GPtrArray *replied, int64_t mono_ms)
{
	gw_tell_store_up(g);
	proc_wake(PROC_BUILD);
	for (guint i = 0; i < fresh->len; i++) {
		if (!is_on_its_way(g, fresh->pdata[i]))
			let_go(g, fresh->pdata[i]);
	}
	for (guint i = 0; i < replied->len; i++) {
		slow_down(g, replied->pdata[i], mono_ms);
		let_go(g, replied->pdata[i]);
	}
}

static void
give_up(struct gw *g, GPtrArray *fresh, GPtrArray *replied,
    const struct err *err)
{
	gw_tell_store_down(g, err, fresh->len);
	refuse_fresh(g, fresh);
	for (guint i = 0; i < replied->len; i++) {
		gw_restore(replied->pdata[i]);
		gw_unsaved(g, replied->pdata[i]);
	}
}

/* ---- one that the store will never take ------------------------------------- */

static void
set_aside(struct gw *g, struct gw_send *s, bool has_left,
    const struct err *why)
{
	gw_tell_stuck(s, why);
	gw_send_refuse(s, has_left ? GATEWAY_REFUSE_UNKNOWN :
	    GATEWAY_REFUSE_STORE, has_left ? "it cannot be recorded what became of it" :
	    "it cannot be recorded, so it was not sent");
	gw_underway_remove(g, s);
	gw_answer(s);
	gw_send_free(s);
}

struct single {
	struct gw_send *send;
	bool has_left;
	struct err why;
};

/* A copy has another request by now (take_copy()): its sender repeats it. */
static bool
commit_single(struct gw *g, struct single *one, int64_t now_ms,
    int64_t mono_ms)
{
	g_autoptr(GPtrArray) fresh = g_ptr_array_new();
	g_autoptr(GPtrArray) replied = g_ptr_array_new();

	g_ptr_array_add(one->has_left ? replied : fresh, one->send);
	if (!transact(g, fresh, replied, now_ms, mono_ms, &one->why)) {
		gw_restore(one->send);
		return false;
	}
	go_on(g, fresh, replied, mono_ms);
	return true;
}

static void
try_single(struct gw *g, GArray *failed, struct single one, int64_t now_ms,
    int64_t mono_ms)
{
	gw_restore(one.send);
	if (one.send->what == GATEWAY_CAPTURE)
		refuse_unstored(g, one.send);
	else if (!commit_single(g, &one, now_ms, mono_ms))
		g_array_append_val(failed, one);
}

/* False: the store takes nothing at all, or fails for a while. */
static bool
end_failed(struct gw *g, const GArray *failed, bool any)
{
	bool ok = any;

	for (guint i = 0; i < failed->len; i++) {
		const struct single *one = &g_array_index(failed,
		    struct single, i);

		if (any && one->why.kind != ERR_TEMP &&
		    one->send->was_stored) {
			set_aside(g, one->send, one->has_left, &one->why);
			continue;
		}
		ok = ok && one->why.kind != ERR_TEMP;
		gw_tell_store_down(g, &one->why, !one->has_left);
		if (one->has_left)
			gw_unsaved(g, one->send);
		else if (one->send->was_stored)
			g_ptr_array_add(g->waiting, one->send);
		else
			refuse_unstored(g, one->send);
	}
	return ok;
}

/*
 * One that the store refuses for good must not keep back all others for ever:
 * each by itself, and what fails where others do not is set aside.
 */
static bool
one_by_one(struct gw *g, GPtrArray *fresh, GPtrArray *replied,
    int64_t now_ms, int64_t mono_ms)
{
	g_autoptr(GArray) failed = g_array_new(FALSE, FALSE,
	    sizeof(struct single));

	for (guint i = 0; i < replied->len; i++)
		try_single(g, failed, (struct single){
		    .send = replied->pdata[i], .has_left = true }, now_ms,
		    mono_ms);
	for (guint i = 0; i < fresh->len; i++)
		try_single(g, failed, (struct single){
		    .send = fresh->pdata[i] }, now_ms, mono_ms);
	return end_failed(g, failed, failed->len < fresh->len + replied->len);
}

void
gw_begin(struct gw *g)
{
	if (!g->in_txn)
		store_begin(g->store);
	g->in_txn = true;
}

/*
 * A rule that counts persons has to count those of the same transaction, too:
 * a hundred requests at once are not one.
 */
void
gw_count(struct gw *g, const struct gw_send *s, int64_t now_ms)
{
	if (s->is_refused || s->verdict == NULL ||
	    s->verdict->tallies->len == 0)
		return;
	gw_begin(g);
	count_up(g, s, now_ms);
}

bool
gw_commit(struct gw *g, GPtrArray *fresh, GPtrArray *replied, int64_t now_ms,
    int64_t mono_ms)
{
	struct err err = ERR_INIT;

	if (fresh->len + replied->len == 0 && !g->in_txn)
		return true;
	if (transact(g, fresh, replied, now_ms, mono_ms, &err)) {
		go_on(g, fresh, replied, mono_ms);
		return true;
	}
	if (err.kind != ERR_TEMP && fresh->len + replied->len > 1)
		return one_by_one(g, fresh, replied, now_ms, mono_ms);
	give_up(g, fresh, replied, &err);
	return false;
}

/*
 * What has left cannot be called back: its outcome is kept until it can be
 * written. A caller who tires of waiting hears that it is not known: nobody
 * is told of a success that has no record. The request was his until then.
 */
static void
answer_unsaved(struct gw_send *s)
{
	struct gw_send told = { .rq = s->rq, .is_refused = true,
		.refusal = GATEWAY_REFUSE_UNKNOWN, .reason = (char *)(uintptr_t)
		"it cannot be recorded now what became of it; see GET "
		"/sends/ with this id later" };
	gsize len;
	const void *body = g_bytes_get_data(s->request, &len);
	GBytes *copy = g_bytes_new(body, len);

	memcpy(told.key, s->key, sizeof(told.key));
	g_bytes_unref(s->request);
	s->request = copy;
	s->rq = NULL;
	gw_answer(&told);
}

/* A file whose name nobody was told is uploaded again, not kept. */
static void
drop_upload(struct gw_send *s)
{
	gw_send_refuse(s, GATEWAY_REFUSE_STORE, "the file cannot be kept now: "
	    "upload it again");
	gw_answer(s);
	gw_send_free(s);
}

void
gw_unsaved(struct gw *g, struct gw_send *s)
{
	int64_t mono = clock_mono_ms();

	if (s->what == GATEWAY_UPLOAD) {
		drop_upload(s);
		return;
	}
	if (s->replied_ms == 0)
		s->replied_ms = mono;
	if (s->rq != NULL && mono - s->replied_ms > g->conf->gateway.queue_ms)
		answer_unsaved(s);
	g_ptr_array_add(g->unsaved, s);
}
