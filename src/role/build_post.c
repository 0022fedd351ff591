/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gathered turn to the journals' queues: rendered once for each style that
 * a journal of it has, wrapped where a journal wants reports, stored once for
 * all that get the same bytes. What is queued is never rendered again.
 */
#include <inttypes.h>
#include <string.h>

#include "build_int.h"
#include "conf.h"
#include "directory.h"
#include "err.h"
#include "item.h"
#include "log.h"
#include "policy.h"
#include "proc.h"
#include "render.h"
#include "text.h"

/* ---- styles ---------------------------------------------------------------- */

bool
build_style_get(struct render *r, const struct conf_journal *j,
    const struct render_style **out, struct err *err)
{
	struct render_style_conf sc = { .language = j->language,
		.max_bytes = j->max_bytes, .max_files = j->max_files,
		.max_age_ms = j->max_age_ms,
		.thread_index = j->thread_index, .headers = j->headers,
		.renames = j->renames,
		.recipient_headers = j->recipient_headers };

	return render_style_get(r, &sc, out, err) ||
	    err_context(err, "journal %s", j->name);
}

bool
build_styles_load(struct build *b, struct err *err)
{
	for (guint i = 0; i < b->conf->journals->len; i++) {
		const struct render_style *style;

		if (!build_style_get(b->render, b->conf->journals->pdata[i],
		    &style, err))
			return false;
		g_ptr_array_add(b->styles, (gpointer)(uintptr_t)style);
	}
	return true;
}

static const struct render_style *
style_of(const struct build *b, const struct conf_journal *j)
{
	for (guint i = 0; i < b->conf->journals->len; i++) {
		if (b->conf->journals->pdata[i] == j)
			return b->styles->pdata[i];
	}
	return NULL;
}

/* ---- one turn -------------------------------------------------------------- */

/* The mails of one style, and where they are stored once they are. */
struct edition {
	const struct render_style *style;
	GPtrArray *mails;	/* struct rendered * */
	GArray *contents;	/* int64_t, 0 until stored */
};

/* What one journal gets. */
struct parcel {
	const struct conf_journal *journal;
	struct edition *edition;
	GPtrArray *reports;	/* around its mails; NULL: the mails as such */
};

struct posting {
	struct build *b;
	struct build_turn *t;
	const struct render_input *in;
	const struct policy_verdict *verdict;	/* or NULL */
	int64_t now_ms;
	GPtrArray *editions;	/* struct edition * */
	GPtrArray *parcels;	/* struct parcel * */
};

static void
free_edition(gpointer p)
{
	struct edition *e = p;

	if (e->mails != NULL)
		g_ptr_array_unref(e->mails);
	g_array_unref(e->contents);
	g_free(e);
}

static bool
edition_of(struct posting *po, const struct conf_journal *j,
    struct edition **out, struct err *err)
{
	const struct render_style *style = style_of(po->b, j);
	struct edition *e;

	for (guint i = 0; i < po->editions->len; i++) {
		*out = po->editions->pdata[i];
		if ((*out)->style == style)
			return true;
	}
	e = g_new0(struct edition, 1);
	e->style = style;
	e->contents = g_array_new(FALSE, TRUE, sizeof(int64_t));
	g_ptr_array_add(po->editions, e);
	if (!render_mails(po->b->render, style, po->in, &e->mails, err))
		return false;
	g_array_set_size(e->contents, e->mails->len);
	*out = e;
	return true;
}

static void
free_parcel(gpointer p)
{
	struct parcel *a = p;

	if (a->reports != NULL)
		g_ptr_array_unref(a->reports);
	g_free(a);
}

static bool
wrap(struct posting *po, struct parcel *a, struct err *err)
{
	struct render_envelope env = { .from = a->journal->from,
		.to = a->journal->to, .journaled_ms = po->now_ms };

	a->reports = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)rendered_free);
	for (guint i = 0; i < a->edition->mails->len; i++) {
		struct rendered *r = g_new0(struct rendered, 1);

		g_ptr_array_add(a->reports, r);
		if (!render_journal_report(po->b->render, po->in,
		    a->edition->mails->pdata[i], &env, r, err))
			return false;
	}
	return true;
}

static bool
pack(struct posting *po, const struct conf_journal *j, struct err *err)
{
	struct parcel *a = g_new0(struct parcel, 1);

	a->journal = j;
	g_ptr_array_add(po->parcels, a);
	return edition_of(po, j, &a->edition, err) &&
	    (j->profile != CONF_PROFILE_EXCHANGE || wrap(po, a, err));
}

static void
store_bytes(const struct posting *po, struct rendered *r, int64_t *id)
{
	gsize len;
	const void *bytes;

	if (r->path != NULL) {
		/* Each is synced to the disk, and there may be thousands. */
		proc_heartbeat();
		store_content_add_file(po->b->store, po->t->id, r->path,
		    r->len, r->sha256, id);
		return;
	}
	bytes = g_bytes_get_data(r->bytes, &len);
	store_content_add(po->b->store, po->t->id, bytes, len, r->sha256, id);
}

static void
queue(struct posting *po, const struct conf_journal *j,
    const char *message_id, int64_t content_id)
{
	struct store_mail m = { .turn_id = po->t->id, .journal = j->name,
		.content_id = content_id, .message_id = message_id,
		.envelope_from = j->from, .envelope_to = j->to,
		.queued_ms = po->now_ms };
	int64_t id;

	store_mail_add(po->b->store, &m, &id);
	po->t->mails++;
}

static void
hand_over(struct posting *po, const struct parcel *a)
{
	const GPtrArray *mails = a->reports != NULL ? a->reports :
	    a->edition->mails;

	for (guint i = 0; i < mails->len; i++) {
		struct rendered *r = mails->pdata[i];
		int64_t *shared = &g_array_index(a->edition->contents,
		    int64_t, i);
		int64_t own = 0, *content = a->reports != NULL ? &own :
		    shared;

		if (*content == 0)
			store_bytes(po, r, content);
		queue(po, a->journal, r->message_id, *content);
	}
}

static void
warn_unmapped(struct build *b, const struct item *it)
{
	const char *id = it->business.user_id != NULL ? it->business.user_id
						      : "-";
	g_autofree char *quoted = NULL;

	/* Of what names no business, nothing can be added to the directory. */
	if ((it->business.user_id == NULL && it->business.number == NULL) ||
	    !g_hash_table_add(b->unmapped, g_strdup(id)))
		return;
	quoted = text_log_quote(id);
	build_tell(b, LOG_LEVEL_WARN, "business.unmapped",
	    "business=%s journal=%s", quoted, b->conf->catch_all);
}

static bool
is_packed(const struct posting *po, const struct conf_journal *j)
{
	for (guint i = 0; i < po->parcels->len; i++) {
		if (((struct parcel *)po->parcels->pdata[i])->journal == j)
			return true;
	}
	return false;
}

/*
 * Each journal once. One that a verdict of another rule set names and that is
 * no longer configured is passed over: the turn has its other ones.
 */
static bool
pack_list(struct posting *po, const GPtrArray *names, struct err *err)
{
	for (guint i = 0; i < names->len; i++) {
		const struct conf_journal *j = conf_journal_get(po->b->conf,
		    names->pdata[i]);

		if (j != NULL && !is_packed(po, j) && !pack(po, j, err))
			return false;
	}
	return true;
}

static bool
pack_own(struct posting *po, struct err *err)
{
	const struct directory_business *biz = po->in->business;
	const struct conf *c = po->b->conf;

	if (biz != NULL)
		return pack_list(po, biz->journals, err);
	warn_unmapped(po->b, po->in->items->pdata[0]);
	return pack(po, conf_journal_get(c, c->catch_all), err);
}

/* Whatever rules say, it goes somewhere. */
static bool
pack_all(struct posting *po, struct err *err)
{
	const struct policy_verdict *v = po->verdict;

	if (v != NULL && !pack_list(po, v->only_journals, err))
		return false;
	if (po->parcels->len == 0 && !pack_own(po, err))
		return false;
	return v == NULL || (pack_list(po, v->journals, err) &&
	    pack_list(po, v->copies, err));
}

/* ---- alerts ---------------------------------------------------------------- */

/* True when one may go out now; else it is counted. */
static bool
may_alert(struct build *b, const char *rule, int64_t now_ms,
    int64_t *swallowed, bool *may, struct err *err)
{
	int64_t last_ms;

	if (!store_alert_get(b->store, rule, &last_ms, swallowed, err))
		return false;
	*may = last_ms == 0 || now_ms < last_ms ||
	    now_ms - last_ms >= b->conf->policy->alert_ms;
	if (*may)
		store_alert_set(b->store, rule, now_ms, 0);
	else
		store_alert_set(b->store, rule, last_ms, *swallowed + 1);
	return true;
}

static bool
mail_alert(struct posting *po, const char *rule, const char *journal,
    int64_t swallowed, struct err *err)
{
	const struct conf_journal *j = conf_journal_get(po->b->conf, journal);
	struct rendered r = { 0 };
	struct err why = ERR_INIT;
	g_autofree char *reason = NULL;
	int64_t content = 0;
	bool ok;

	if (j == NULL)
		return true;
	ok = render_alert(po->b->render, style_of(po->b, j), po->in, rule,
	    swallowed, &r, &why);
	if (!ok && why.kind == ERR_PERM) {
		/* The turn's own mails must not suffer from it. */
		reason = text_log_quote(why.text);
		build_tell(po->b, LOG_LEVEL_ERROR, "policy.alert",
		    "rule=%s turn=%" PRId64 " journal=%s failed=%s", rule,
		    po->t->id, journal, reason);
		return true;
	}
	if (!ok && err != NULL)
		*err = why;
	if (ok) {
		store_bytes(po, &r, &content);
		queue(po, j, r.message_id, content);
	}
	rendered_clear(&r);
	return ok;
}

/* alert is "RULE", or "RULE JOURNAL" for each that gets a mail. */
static bool
alert_all(struct posting *po, struct err *err)
{
	const GPtrArray *alerts = po->verdict->alerts;
	int64_t swallowed = 0;
	bool may = false;

	for (guint i = 0; i < alerts->len; i++) {
		g_auto(GStrv) part = g_strsplit(alerts->pdata[i], " ", 2);

		if (part[1] != NULL) {
			if (may && !mail_alert(po, part[0], part[1],
			    swallowed, err))
				return false;
			continue;
		}
		if (!may_alert(po->b, part[0], po->now_ms, &swallowed, &may,
		    err))
			return false;
		if (may)
			build_tell(po->b, LOG_LEVEL_WARN, "policy.alert",
			    "rule=%s turn=%" PRId64 " swallowed=%" PRId64,
			    part[0], po->t->id, swallowed);
	}
	return true;
}

/* What comes later to a turn, or to a send, alerts nobody again. */
static bool
is_alerted(const struct posting *po)
{
	return po->verdict == NULL || po->in->is_follow_up ||
	    po->t->hold.end != NULL ||
	    build_send_is_later(po->in->items->pdata[0]);
}

bool
build_alert(struct build *b, struct build_turn *t,
    const struct render_input *in, const struct policy_verdict *verdict,
    int64_t now_ms, struct err *err)
{
	struct posting po = { .b = b, .t = t, .in = in, .verdict = verdict,
		.now_ms = now_ms };

	return alert_all(&po, err);
}

/*
 * First all is rendered: what cannot be made for one journal must not be
 * queued for another, since the turn is then parked, or tried again.
 */
static bool
post_all(struct posting *po, struct err *err)
{
	if (!pack_all(po, err))
		return false;
	for (guint i = 0; i < po->parcels->len; i++)
		hand_over(po, po->parcels->pdata[i]);
	return is_alerted(po) || alert_all(po, err);
}

bool
build_post(struct build *b, struct build_turn *t,
    const struct render_input *in, const struct policy_verdict *verdict,
    int64_t now_ms, struct err *err)
{
	struct posting po = { .b = b, .t = t, .in = in, .verdict = verdict,
		.now_ms = now_ms };
	const struct edition *first;
	const struct rendered *r;
	bool ok;

	po.editions = g_ptr_array_new_with_free_func(free_edition);
	po.parcels = g_ptr_array_new_with_free_func(free_parcel);
	ok = post_all(&po, err);
	if (ok) {
		first = po.editions->pdata[0];
		r = first->mails->pdata[0];
		store_turn_rendered(b->store, t->id, r->message_id, r->sha256,
		    now_ms);
		t->message_id = g_strdup(r->message_id);
		t->bytes = r->len;
	}
	g_ptr_array_unref(po.parcels);
	g_ptr_array_unref(po.editions);
	return ok;
}

/* ---- of last resort -------------------------------------------------------- */

/* Wrapped where the journal wants reports. */
static bool
make_last(struct posting *po, const struct conf_journal *j,
    const struct build_event *ev, const char *why, struct rendered *out,
    struct err *err)
{
	struct render_event re = { .source = ev->is_record ? "gateway" :
		"webhook", .seq = ev->is_record ? ev->id -
		STORE_EVENT_GATEWAY : ev->id, .received_ms = ev->received_ms };
	struct render_envelope env = { .from = j->from, .to = j->to,
		.journaled_ms = po->now_ms };
	struct rendered inner = { 0 };
	bool ok;

	memcpy(re.sha256, ev->sha256, HASH_SIZE);
	re.body = g_bytes_get_data(ev->body, &re.len);
	if (!render_last_resort(po->b->render, style_of(po->b, j), &re, why,
	    &inner, err))
		return false;
	if (j->profile != CONF_PROFILE_EXCHANGE) {
		*out = inner;
		return true;
	}
	ok = render_journal_report(po->b->render, NULL, &inner, &env, out,
	    err);
	rendered_clear(&inner);
	return ok;
}

/* A turn without items: it shows a parked event. */
static int64_t
add_turn(struct build *b, const struct build_event *ev, int64_t now_ms)
{
	struct turn t = { .conversation = g_strdup_printf("whatsapp|event|%"
	    PRId64, ev->id), .author = g_strdup("b:network"),
		.first_at_ms = ev->received_ms,
		.last_at_ms = ev->received_ms, .opened_ms = now_ms,
		.touched_ms = now_ms, .close_at_ms = now_ms };
	int64_t id;

	store_turn_add(b->store, &t, NULL, "notice", TURN_SINGLE);
	id = t.id;
	turn_clear(&t);
	return id;
}

bool
build_post_last(struct build *b, const struct build_event *ev,
    const char *why, int64_t now_ms, int64_t *turn_id, struct err *err)
{
	const struct conf_journal *j = conf_journal_get(b->conf,
	    b->conf->catch_all);
	struct build_turn t = { 0 };
	struct posting po = { .b = b, .t = &t, .now_ms = now_ms };
	struct rendered r = { 0 };
	int64_t content = 0;

	if (!make_last(&po, j, ev, why, &r, err))
		return false;
	t.id = *turn_id = add_turn(b, ev, now_ms);
	store_bytes(&po, &r, &content);
	queue(&po, j, r.message_id, content);
	store_turn_rendered(b->store, t.id, r.message_id, r.sha256, now_ms);
	rendered_clear(&r);
	return true;
}
