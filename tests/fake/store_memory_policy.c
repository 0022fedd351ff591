/* SPDX-License-Identifier: Apache-2.0 */
/* The fake store: what rules found and remember, and what is asked of the
 * directory server. */
#include <string.h>

#include "fake/store_memory.h"

/* ---- rule sets and verdicts -------------------------------------------------- */

static struct store_ruleset *
ruleset(struct fake *f, guint i)
{
	return FAKE_AT(f, FAKE_RULESET, store_ruleset, i);
}

static bool
ruleset_set(struct store *st, const uint8_t *sha256, const void *text,
    size_t len, int64_t at_ms, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct store_ruleset row = { .first_ms = at_ms, .last_ms = at_ms,
		.len = len };

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_RULESET); i++) {
		struct store_ruleset *r = ruleset(f, i);

		if (memcmp(r->sha256, sha256, HASH_SIZE) == 0) {
			r->first_ms = MIN(r->first_ms, at_ms);
			r->last_ms = MAX(r->last_ms, at_ms);
			return true;
		}
	}
	memcpy(row.sha256, sha256, HASH_SIZE);
	row.text = fake_keep_bytes(f, text, len);
	g_array_append_val(f->rows[FAKE_RULESET], row);
	return true;
}

static gint
by_first(gconstpointer a, gconstpointer b)
{
	const struct store_ruleset *x = a, *y = b;

	return (x->first_ms > y->first_ms) - (x->first_ms < y->first_ms);
}

static bool
ruleset_list(struct store *st, store_ruleset_fn *fn, void *arg,
    struct err *err)
{
	g_autoptr(GArray) all = g_array_copy(FAKE_OF(st)->rows[FAKE_RULESET]);

	(void)err;
	g_array_sort(all, by_first);
	for (guint i = 0; i < all->len; i++) {
		if (!fn(arg, &g_array_index(all, struct store_ruleset, i)))
			return true;
	}
	return true;
}

static bool
judged_set(struct store *st, int64_t turn_id, const char *json,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_turn *t = fake_turn(f, turn_id);

	if (t == NULL)
		return fake_refuse(err, "there is no such turn");
	t->judged = fake_keep(f, json);
	return true;
}

static bool
judged_get(struct store *st, int64_t turn_id, char **json, struct err *err)
{
	const struct fake_turn *t = fake_turn(FAKE_OF(st), turn_id);

	(void)err;
	*json = t == NULL ? NULL : g_strdup(t->judged);
	return true;
}

/* ---- consent and alerts ------------------------------------------------------ */

static bool
consent_add(struct store *st, const char *realm, const char *person,
    const char *state, const char *source, int64_t at_ms, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_consent row = { fake_keep(f, realm),
		fake_keep(f, person), fake_keep(f, state), at_ms };

	(void)source, (void)err;
	g_array_append_val(f->rows[FAKE_CONSENT], row);
	return true;
}

static bool
consent_get(struct store *st, const char *realm, const char *person,
    int64_t at_ms, char **state, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	const struct fake_consent *last = NULL;

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_CONSENT); i++) {
		const struct fake_consent *c = FAKE_AT(f, FAKE_CONSENT,
		    fake_consent, i);

		if (strcmp(c->realm, realm) == 0 &&
		    strcmp(c->person, person) == 0 && c->at_ms <= at_ms &&
		    (last == NULL || c->at_ms >= last->at_ms))
			last = c;
	}
	*state = last == NULL ? NULL : g_strdup(last->state);
	return true;
}

static struct fake_alert *
alert(struct fake *f, const char *rule)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_ALERT); i++) {
		struct fake_alert *a = FAKE_AT(f, FAKE_ALERT, fake_alert, i);

		if (strcmp(a->rule, rule) == 0)
			return a;
	}
	return NULL;
}

static bool
alert_set(struct store *st, const char *rule, int64_t last_ms,
    int64_t swallowed, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_alert row = { fake_keep(f, rule), last_ms, swallowed };

	(void)err;
	if (alert(f, rule) != NULL)
		*alert(f, rule) = row;
	else
		g_array_append_val(f->rows[FAKE_ALERT], row);
	return true;
}

static bool
alert_get(struct store *st, const char *rule, int64_t *last_ms,
    int64_t *swallowed, struct err *err)
{
	const struct fake_alert *a = alert(FAKE_OF(st), rule);

	(void)err;
	*last_ms = a == NULL ? 0 : a->last_ms;
	*swallowed = a == NULL ? 0 : a->swallowed;
	return true;
}

/* ---- for the gateway ------------------------------------------------------------ */

static bool
resolution_get(struct store *st, const char *send_key, char **wamid,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	*wamid = NULL;
	for (guint i = 0; i < FAKE_N(f, FAKE_RESOLUTION) && *wamid == NULL;
	    i++) {
		const struct fake_resolution *r = FAKE_AT(f, FAKE_RESOLUTION,
		    fake_resolution, i);

		if (strcmp(r->send_key, send_key) == 0)
			*wamid = g_strdup(r->wamid);
	}
	return true;
}

static bool
resolution_add(struct store *st, const char *send_key, const char *wamid,
    int64_t at_ms, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_resolution row = { fake_keep(f, send_key),
		fake_keep(f, wamid) };
	g_autofree char *known = NULL;

	(void)at_ms;
	resolution_get(st, send_key, &known, err);
	if (known == NULL)
		g_array_append_val(f->rows[FAKE_RESOLUTION], row);
	return true;
}

static bool
template_change_add(struct store *st, const char *account, const char *name,
    const char *language, int64_t at_ms, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_template_change row = { fake_keep(f, account),
		fake_keep(f, name), fake_keep(f, language) };

	(void)at_ms, (void)err;
	g_array_append_val(f->rows[FAKE_TEMPLATE_CHANGE], row);
	return true;
}

static bool
template_change_list(struct store *st, int64_t after, int limit,
    store_template_change_fn *fn, void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (guint i = (guint)after; i < FAKE_N(f, FAKE_TEMPLATE_CHANGE) &&
	    limit-- > 0; i++) {
		const struct fake_template_change *c = FAKE_AT(f,
		    FAKE_TEMPLATE_CHANGE, fake_template_change, i);

		if (!fn(arg, i + 1, c->account, c->name, c->language))
			return true;
	}
	return true;
}

const struct store_policy_verbs fake_policy_verbs = {
	.ruleset_set = ruleset_set, .ruleset_list = ruleset_list,
	.judged_set = judged_set, .judged_get = judged_get,
	.consent_add = consent_add,
	.consent_get = consent_get, .alert_set = alert_set,
	.alert_get = alert_get, .resolution_add = resolution_add,
	.resolution_get = resolution_get,
	.template_change_add = template_change_add,
	.template_change_list = template_change_list,
};

/* ---- the directory server ------------------------------------------------------- */

static bool
has_asks(enum store_file file, struct err *err)
{
	return file == STORE_BUILD || file == STORE_GATEWAY ||
	    fake_refuse(err, "this file asks nothing");
}

static struct fake_ask *
ask(struct fake *f, guint i)
{
	return FAKE_AT(f, FAKE_ASK, fake_ask, i);
}

/* Rows are in the order of their ids, and the last has the highest. */
static bool
ask_add(struct store *st, enum store_file file, const char *kind,
    const char *value, int64_t at_ms, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	guint n = FAKE_N(f, FAKE_ASK);
	struct fake_ask row = { file, fake_keep(f, kind),
		fake_keep(f, value), n == 0 ? 1 : ask(f, n - 1)->id + 1,
		at_ms };

	if (!has_asks(file, err))
		return false;
	for (guint i = n; i > 0; i--) {
		if (ask(f, i - 1)->file == file &&
		    strcmp(ask(f, i - 1)->kind, kind) == 0 &&
		    strcmp(ask(f, i - 1)->value, value) == 0)
			g_array_remove_index(f->rows[FAKE_ASK], i - 1);
	}
	g_array_append_val(f->rows[FAKE_ASK], row);
	return true;
}

static bool
ask_list(struct store *st, enum store_file file, int64_t after, int limit,
    store_ask_fn *fn, void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	if (!has_asks(file, err))
		return false;
	for (guint i = 0; i < FAKE_N(f, FAKE_ASK) && limit > 0; i++) {
		const struct fake_ask *a = ask(f, i);

		if (a->file != file || a->id <= after)
			continue;
		limit--;
		if (!fn(arg, a->id, a->kind, a->value, a->at_ms))
			return true;
	}
	return true;
}

static struct store_answer *
answer(struct fake *f, const char *kind, const char *value)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_ANSWER); i++) {
		struct store_answer *a = FAKE_AT(f, FAKE_ANSWER,
		    store_answer, i);

		if (strcmp(a->kind, kind) == 0 &&
		    strcmp(a->value, value) == 0)
			return a;
	}
	return NULL;
}

static bool
answer_set(struct store *st, const struct store_answer *a, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct store_answer row = { fake_keep(f, a->kind),
		fake_keep(f, a->value), a->found, fake_keep(f, a->id),
		fake_keep(f, a->name), fake_keep(f, a->mail),
		fake_keep(f, a->groups), a->at_ms, a->until_ms };
	struct store_answer *old = answer(f, a->kind, a->value);

	(void)err;
	if (old != NULL)
		*old = row;
	else
		g_array_append_val(f->rows[FAKE_ANSWER], row);
	return true;
}

static bool
answer_get(struct store *st, const char *kind, const char *value,
    store_answer_fn *fn, void *arg, struct err *err)
{
	const struct store_answer *a = answer(FAKE_OF(st), kind, value);

	(void)err;
	if (a != NULL)
		fn(arg, a);
	return true;
}

static bool
was_asked(struct fake *f, const struct store_answer *a, int64_t since_ms)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_ASK); i++) {
		if (ask(f, i)->at_ms >= since_ms &&
		    strcmp(ask(f, i)->kind, a->kind) == 0 &&
		    strcmp(ask(f, i)->value, a->value) == 0)
			return true;
	}
	return false;
}

static gint
by_until(gconstpointer a, gconstpointer b)
{
	const struct store_answer *x = a, *y = b;

	return (x->until_ms > y->until_ms) - (x->until_ms < y->until_ms);
}

static bool
answer_hurry(struct store *st, int64_t far_ms, int64_t now_ms,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_ANSWER); i++) {
		struct store_answer *a = FAKE_AT(f, FAKE_ANSWER, store_answer,
		    i);

		if (a->until_ms > far_ms)
			a->until_ms = now_ms;
	}
	return true;
}

static bool
answer_list(struct store *st, int64_t until_ms, int64_t asked_ms, int limit,
    store_answer_fn *fn, void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	g_autoptr(GArray) all = g_array_copy(f->rows[FAKE_ANSWER]);

	(void)err;
	g_array_sort(all, by_until);
	for (guint i = 0; i < all->len && limit > 0; i++) {
		const struct store_answer *a = &g_array_index(all,
		    struct store_answer, i);

		if (a->until_ms >= until_ms || !was_asked(f, a, asked_ms))
			continue;
		limit--;
		if (!fn(arg, a))
			return true;
	}
	return true;
}

static bool
server_set(struct store *st, bool up, int64_t since_ms, int64_t next_ms,
    const char *reason, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_server row = { fake_keep(f, reason), up, since_ms,
		next_ms };

	(void)err;
	g_array_set_size(f->rows[FAKE_SERVER], 0);
	g_array_append_val(f->rows[FAKE_SERVER], row);
	return true;
}

static bool
server_get(struct store *st, struct store_server_status *out,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	*out = (struct store_server_status){ .is_known =
	    FAKE_N(f, FAKE_SERVER) > 0 };
	if (out->is_known) {
		const struct fake_server *row = FAKE_AT(f, FAKE_SERVER,
		    fake_server, 0);

		out->up = row->up;
		out->since_ms = row->since_ms;
		out->next_ms = row->next_ms;
		g_strlcpy(out->reason, row->reason, sizeof(out->reason));
	}
	return true;
}

void
fake_count_asks(struct fake *f, struct store_status *s)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_ASK); i++) {
		const struct fake_ask *a = ask(f, i);

		if (a->id <= fake_cursor(f, STORE_DIRECTORY,
		    a->file == STORE_BUILD ? STORE_CURSOR_ASKED_BUILD :
		    STORE_CURSOR_ASKED_GATEWAY))
			continue;
		s->asks_waiting++;
		s->asks_old += answer(f, a->kind, a->value) != NULL;
	}
}

const struct store_ask_verbs fake_ask_verbs = {
	.add = ask_add, .list = ask_list, .answer_set = answer_set,
	.answer_get = answer_get, .answer_hurry = answer_hurry,
	.answer_list = answer_list,
	.server_set = server_set, .server_get = server_get,
};
