/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gathered turn to the journals' queues: rendered once for each style that
 * a journal of it has, wrapped where a journal wants reports, stored once for
 * all that get the same bytes. What is queued is never rendered again.
 */
#include <string.h>

#include "build_int.h"
#include "conf.h"
#include "directory.h"
#include "err.h"
#include "item.h"
#include "log.h"
#include "proc.h"
#include "render.h"
#include "text.h"

/* ---- styles --------------------------------------------------------------- */

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

struct posting {
	struct build *b;
	struct build_turn *t;
	const struct render_input *in;
	int64_t now_ms;
	GPtrArray *editions;	/* struct edition * */
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

static bool
post_report(struct posting *po, const struct conf_journal *j,
    const struct rendered *inner, struct err *err)
{
	struct render_envelope env = { .from = j->from, .to = j->to,
		.journaled_ms = po->now_ms };
	struct rendered report = { 0 };
	int64_t content_id = 0;

	if (!render_journal_report(po->b->render, po->in, inner, &env,
	    &report, err))
		return false;
	store_bytes(po, &report, &content_id);
	queue(po, j, report.message_id, content_id);
	rendered_clear(&report);
	return true;
}

static bool
post_to(struct posting *po, const struct conf_journal *j, struct edition *e,
    struct err *err)
{
	for (guint i = 0; i < e->mails->len; i++) {
		struct rendered *r = e->mails->pdata[i];
		int64_t *content = &g_array_index(e->contents, int64_t, i);

		if (j->profile == CONF_PROFILE_EXCHANGE) {
			if (!post_report(po, j, r, err))
				return false;
			continue;
		}
		if (*content == 0)
			store_bytes(po, r, content);
		queue(po, j, r->message_id, *content);
	}
	return true;
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

/* Storing a large mail moves its file away, so those who wrap it come first. */
static bool
must_come_last(const struct conf_journal *j, const struct edition *e)
{
	const struct rendered *r = e->mails->pdata[0];

	return j->profile == CONF_PROFILE_PLAIN &&
	    (e->mails->len > 1 || r->path != NULL);
}

static bool
post_those(struct posting *po, const GPtrArray *names, bool last,
    struct err *err)
{
	for (guint i = 0; i < names->len; i++) {
		const struct conf_journal *j = conf_journal_get(po->b->conf,
		    names->pdata[i]);
		struct edition *e;

		if (!edition_of(po, j, &e, err))
			return false;
		if (must_come_last(j, e) == last && !post_to(po, j, e, err))
			return false;
	}
	return true;
}

static bool
post_all(struct posting *po, struct err *err)
{
	const struct directory_business *biz = po->in->business;
	g_autoptr(GPtrArray) fallback = NULL;
	const GPtrArray *names;

	if (biz == NULL) {
		warn_unmapped(po->b, po->in->items->pdata[0]);
		fallback = g_ptr_array_new();
		g_ptr_array_add(fallback, po->b->conf->catch_all);
	}
	names = biz != NULL ? biz->journals : fallback;
	return post_those(po, names, false, err) &&
	    post_those(po, names, true, err);
}

bool
build_post(struct build *b, struct build_turn *t,
    const struct render_input *in, int64_t now_ms, struct err *err)
{
	struct posting po = { .b = b, .t = t, .in = in, .now_ms = now_ms };
	const struct edition *first;
	const struct rendered *r;
	bool ok;

	po.editions = g_ptr_array_new_with_free_func(free_edition);
	ok = post_all(&po, err);
	if (ok) {
		first = po.editions->pdata[0];
		r = first->mails->pdata[0];
		store_turn_rendered(b->store, t->id, r->message_id, r->sha256,
		    now_ms);
		t->message_id = g_strdup(r->message_id);
		t->bytes = r->len;
	}
	g_ptr_array_unref(po.editions);
	return ok;
}
