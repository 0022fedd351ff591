/* SPDX-License-Identifier: Apache-2.0 */
/* The fake store: mails, outcomes, acts of a person. */
#include <string.h>

#include "fake/store_memory.h"

/* ---- mails ------------------------------------------------------------- */

struct store_outcome *
fake_outcome(struct fake *f, int64_t mail_id)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_OUTCOME); i++) {
		struct store_outcome *o = FAKE_AT(f, FAKE_OUTCOME,
		    store_outcome, i);

		if (o->mail_id == mail_id)
			return o;
	}
	return NULL;
}

/* Kept with the strings: what is given lives as long as the store. */
static const char *
fake_path(struct fake *f, const char *name)
{
	g_autofree char *path = name == NULL ? NULL : g_build_filename(
	    store_dir(&f->base, STORE_DIR_MAIL), name, NULL);

	return fake_keep(f, path);
}

struct store_mail
fake_mail(struct fake *f, int64_t id)
{
	struct store_mail m = *FAKE_AT(f, FAKE_MAIL, store_mail,
	    (guint)id - 1);
	const struct fake_content *c = FAKE_AT(f, FAKE_CONTENT, fake_content,
	    (guint)m.content_id - 1);
	const struct store_outcome *o = fake_outcome(f, id);

	memcpy(m.sha256, c->sha256, HASH_SIZE);
	m.bytes = c->bytes;
	m.len = c->len;
	m.file = fake_path(f, c->file);
	m.attempts = o == NULL ? 0 : o->attempts;
	m.first_ms = o == NULL ? 0 : o->first_ms;
	return m;
}

bool
fake_turn_done(struct fake *f, int64_t turn_id, int64_t before_ms)
{
	const struct fake_turn *t = fake_turn(f, turn_id);

	if (t == NULL || t->state != FAKE_RENDERED)
		return false;
	for (guint i = 0; i < FAKE_N(f, FAKE_MAIL); i++) {
		const struct store_mail *m = FAKE_AT(f, FAKE_MAIL, store_mail,
		    i);
		const struct store_outcome *o = fake_outcome(f, m->id);

		if (m->turn_id == turn_id &&
		    (o == NULL || o->state != STORE_SENT ||
		    o->last_ms >= before_ms))
			return false;
	}
	return true;
}

static bool
content_add(struct store *st, int64_t turn_id, const void *bytes, size_t len,
    const uint8_t *sha256, int64_t *id, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_content row = { .turn_id = turn_id, .len = len };
	char *copy = g_malloc(len + 1);

	(void)err;
	memcpy(copy, bytes, len);
	g_ptr_array_add(f->blobs, copy);
	row.bytes = copy;
	memcpy(row.sha256, sha256, HASH_SIZE);
	g_array_append_val(f->rows[FAKE_CONTENT], row);
	*id = FAKE_N(f, FAKE_CONTENT);
	return true;
}

static bool
content_add_file(struct store *st, int64_t turn_id, const char *name,
    size_t len, const uint8_t *sha256, int64_t *id, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_content row = { .turn_id = turn_id, .len = len,
		.file = fake_keep(f, name) };

	(void)err;
	memcpy(row.sha256, sha256, HASH_SIZE);
	g_array_append_val(f->rows[FAKE_CONTENT], row);
	*id = FAKE_N(f, FAKE_CONTENT);
	return true;
}

static bool
is_shared(struct fake *f, const struct fake_content *c)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_CONTENT); i++) {
		const struct fake_content *other = FAKE_AT(f, FAKE_CONTENT,
		    fake_content, i);

		if (other != c && g_strcmp0(other->file, c->file) == 0)
			return true;
	}
	return false;
}

static bool
content_done(struct fake *f, int64_t id, int64_t before_ms)
{
	bool any = false;

	for (guint i = 0; i < FAKE_N(f, FAKE_MAIL); i++) {
		const struct store_mail *m = FAKE_AT(f, FAKE_MAIL, store_mail,
		    i);
		const struct store_outcome *o = fake_outcome(f, m->id);

		if (m->content_id != id)
			continue;
		any = true;
		if (o == NULL || o->state != STORE_SENT ||
		    o->last_ms >= before_ms)
			return false;
	}
	return any;
}

static bool
content_purge(struct store *st, int64_t before_ms, int limit, int64_t *n,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);

	for (guint i = 0; i < FAKE_N(f, FAKE_CONTENT) && *n < limit; i++) {
		struct fake_content *c = FAKE_AT(f, FAKE_CONTENT,
		    fake_content, i);

		if ((c->bytes == NULL && c->file == NULL) ||
		    !content_done(f, i + 1, before_ms))
			continue;
		if (c->file != NULL && !is_shared(f, c) &&
		    !store_file_remove(st, STORE_DIR_MAIL, c->file, err))
			return false;
		c->bytes = NULL;
		c->file = NULL;
		c->len = 0;
		++*n;
	}
	return true;
}

static bool
mail_add(struct store *st, const struct store_mail *m, int64_t *id,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct store_mail row = *m;

	if (fake_turn(f, m->turn_id) == NULL || m->content_id < 1 ||
	    m->content_id > FAKE_N(f, FAKE_CONTENT))
		return err_set(err, ERR_PERM, "store.state",
		    "the mail has no turn or no content");
	row.id = FAKE_N(f, FAKE_MAIL) + 1;
	row.journal = fake_keep(f, m->journal);
	row.message_id = fake_keep(f, m->message_id);
	row.envelope_from = fake_keep(f, m->envelope_from);
	row.envelope_to = fake_keep(f, m->envelope_to);
	g_array_append_val(f->rows[FAKE_MAIL], row);
	if (id != NULL)
		*id = row.id;
	return true;
}

/* What a listing of mails asks for; state -1: without outcome. */
struct wish {
	const char *journal;
	int64_t first, last, now_ms;
	int state, limit;
};

static bool
is_wished(struct fake *f, const struct store_mail *m, const struct wish *w)
{
	const struct store_outcome *o = fake_outcome(f, m->id);

	if ((w->journal != NULL && strcmp(m->journal, w->journal) != 0) ||
	    m->id < w->first || m->id > w->last)
		return false;
	if (w->state < 0 || o == NULL)
		return w->state < 0 && o == NULL;
	return (int)o->state == w->state && o->next_ms <= w->now_ms;
}

static bool
give_mails(struct store *st, const struct wish *w, store_mail_fn *fn,
    void *arg)
{
	struct fake *f = FAKE_OF(st);
	int n = 0;

	for (guint i = 0; i < FAKE_N(f, FAKE_MAIL) && n < w->limit; i++) {
		struct store_mail m = fake_mail(f, i + 1);

		if (!is_wished(f, &m, w))
			continue;
		n++;
		if (!fn(arg, &m))
			break;
	}
	return true;
}

static bool
mail_pending(struct store *st, const char *journal, int64_t first,
    int64_t last, int limit, store_mail_fn *fn, void *arg, struct err *err)
{
	struct wish w = { journal, first, last, INT64_MAX, -1, limit };

	(void)err;
	return give_mails(st, &w, fn, arg);
}

static bool
mail_due(struct store *st, const char *journal, int64_t now_ms, int limit,
    store_mail_fn *fn, void *arg, struct err *err)
{
	struct wish w = { journal, 1, INT64_MAX, now_ms, STORE_DEFERRED,
		limit };

	(void)err;
	return give_mails(st, &w, fn, arg);
}

static bool
mail_failed(struct store *st, const char *journal, int64_t after, int limit,
    store_mail_fn *fn, void *arg, struct err *err)
{
	struct wish w = { journal, after + 1, INT64_MAX, INT64_MAX,
		STORE_FAILED, limit };

	(void)err;
	return give_mails(st, &w, fn, arg);
}

static bool
mail_get(struct store *st, int64_t id, store_mail_fn *fn, void *arg,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct store_mail m;

	(void)err;
	if (id < 1 || id > FAKE_N(f, FAKE_MAIL))
		return true;
	m = fake_mail(f, id);
	fn(arg, &m);
	return true;
}

static bool
mail_next_due(struct store *st, const char *journal, int64_t *out,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	*out = INT64_MAX;
	for (guint i = 0; i < FAKE_N(f, FAKE_OUTCOME); i++) {
		const struct store_outcome *o = FAKE_AT(f, FAKE_OUTCOME,
		    store_outcome, i);

		if (o->state == STORE_DEFERRED &&
		    strcmp(o->journal, journal) == 0)
			*out = MIN(*out, o->next_ms);
	}
	return true;
}

static bool
mail_last(struct store *st, const char *journal, int64_t *out,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	*out = 0;
	for (guint i = 0; i < FAKE_N(f, FAKE_MAIL); i++) {
		if (strcmp(FAKE_AT(f, FAKE_MAIL, store_mail, i)->journal,
		    journal) == 0)
			*out = i + 1;
	}
	return true;
}

/* ---- delivery ---------------------------------------------------------- */

static bool
outcome_set(struct store *st, const struct store_outcome *o, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct store_outcome *old = fake_outcome(f, o->mail_id);
	struct store_outcome row = *o;

	(void)err;
	row.journal = fake_keep(f, o->journal);
	row.reply = fake_keep(f, o->reply == NULL ? "" : o->reply);
	if (old == NULL)
		g_array_append_val(f->rows[FAKE_OUTCOME], row);
	else if (old->state != STORE_SENT)
		*old = row;
	return true;
}

static bool
attempt_add(struct store *st, int64_t mail_id, int64_t at_ms,
    const char *result, int code, const char *reply, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_attempt row = { mail_id, at_ms, fake_keep(f, result),
		fake_keep(f, reply), code };

	(void)err;
	g_array_append_val(f->rows[FAKE_ATTEMPT], row);
	return true;
}

static bool
hurry(struct store *st, const char *journal, int64_t far_ms, int64_t now_ms,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_OUTCOME); i++) {
		struct store_outcome *o = FAKE_AT(f, FAKE_OUTCOME,
		    store_outcome, i);

		if (o->state == STORE_DEFERRED && o->next_ms > far_ms &&
		    strcmp(o->journal, journal) == 0)
			o->next_ms = now_ms;
	}
	return true;
}

static bool
relay_set(struct store *st, const char *name, bool up, int64_t since_ms,
    int64_t next_ms, const char *reason, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_relay row = { fake_keep(f, name),
		fake_keep(f, reason == NULL ? "" : reason), up, since_ms, next_ms };

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_RELAY); i++) {
		struct fake_relay *r = FAKE_AT(f, FAKE_RELAY, fake_relay, i);

		if (strcmp(r->name, name) == 0) {
			*r = row;
			return true;
		}
	}
	g_array_append_val(f->rows[FAKE_RELAY], row);
	return true;
}

static bool
action_add(struct store *st, const struct store_action *a, int64_t *id,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct store_action row = *a;

	(void)err;
	row.id = FAKE_N(f, FAKE_ACTION) + 1;
	row.who = fake_keep(f, a->who);
	row.verb = fake_keep(f, a->verb);
	row.journal = fake_keep(f, a->journal);
	g_array_append_val(f->rows[FAKE_ACTION], row);
	if (id != NULL)
		*id = row.id;
	return true;
}

static bool
action_list(struct store *st, int64_t after, store_action_fn *fn, void *arg,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (guint i = (guint)after; i < FAKE_N(f, FAKE_ACTION); i++) {
		struct store_action a = *FAKE_AT(f, FAKE_ACTION, store_action,
		    i);

		if (!fn(arg, &a))
			break;
	}
	return true;
}

const struct store_mail_verbs fake_mail_verbs = {
	.content_add = content_add, .content_add_file = content_add_file,
	.content_purge = content_purge,
	.add = mail_add, .pending = mail_pending, .due = mail_due,
	.failed = mail_failed, .get = mail_get, .next_due = mail_next_due,
	.last = mail_last,
};
const struct store_delivery_verbs fake_delivery_verbs = {
	.outcome_set = outcome_set, .attempt_add = attempt_add,
	.hurry = hurry, .relay_set = relay_set, .action_add = action_add,
	.action_list = action_list,
	.request_add = fake_request_add,
	.request_list = fake_request_list,
};
