/* SPDX-License-Identifier: Apache-2.0 */
/* The fake store: the history of persons, and kinds of events unknown. */
#include <string.h>

#include "fake/store_memory.h"

static struct fake_identity *
identity(struct fake *f, guint i)
{
	return FAKE_AT(f, FAKE_IDENTITY, fake_identity, i);
}

static bool
is_of(const struct store_identity *id, const char *realm, const char *person)
{
	return strcmp(id->realm, realm) == 0 &&
	    strcmp(id->person, person) == 0;
}

static bool
is_same(const struct store_identity *a, const struct store_identity *b)
{
	return is_of(a, b->realm, b->person) &&
	    strcmp(a->kind, b->kind) == 0 && strcmp(a->value, b->value) == 0;
}

/* Orders arrays of rows by time, equal ones by their place. */
static gint
by_time(gconstpointer a, gconstpointer b)
{
	const struct fake_identity *x = a, *y = b;

	if (x->id.first_ms != y->id.first_ms)
		return x->id.first_ms < y->id.first_ms ? -1 : 1;
	return x->n < y->n ? -1 : 1;
}

static bool
add(struct store *st, const struct store_identity *id, const char *sought,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_identity row = { .id = *id, .n = FAKE_N(f, FAKE_IDENTITY),
		.sought = fake_keep(f, sought) };
	struct fake_identity *first = NULL;

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_IDENTITY); i++) {
		struct fake_identity *it = identity(f, i);

		if (is_same(&it->id, id) && (it->id.until_ms == 0 ||
		    it->id.until_ms > id->first_ms) &&
		    (first == NULL || by_time(it, first) < 0))
			first = it;
	}
	if (first != NULL) {
		first->id.first_ms = MIN(first->id.first_ms, id->first_ms);
		return true;
	}
	row.id.realm = fake_keep(f, id->realm);
	row.id.person = fake_keep(f, id->person);
	row.id.kind = fake_keep(f, id->kind);
	row.id.value = fake_keep(f, id->value);
	row.id.source = fake_keep(f, id->source);
	row.id.until_ms = 0;
	g_array_append_val(f->rows[FAKE_IDENTITY], row);
	return true;
}

static bool
end(struct store *st, const struct store_identity *id, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_IDENTITY); i++) {
		struct fake_identity *it = identity(f, i);

		if (is_same(&it->id, id) && it->id.until_ms == 0)
			it->id.until_ms = MAX(MAX(1, id->until_ms),
			    it->id.first_ms);
	}
	return true;
}

static bool
give(GArray *rows, bool newest_first, store_identity_fn *fn, void *arg)
{
	g_array_sort(rows, by_time);
	for (guint i = 0; i < rows->len; i++) {
		guint at = newest_first ? rows->len - 1 - i : i;

		if (!fn(arg, &g_array_index(rows, struct fake_identity,
		    at).id))
			break;
	}
	return true;
}

static bool
now(struct store *st, const char *realm, const char *person,
    const char *kind, store_identity_fn *fn, void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE,
	    sizeof(struct fake_identity));

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_IDENTITY); i++) {
		struct fake_identity *it = identity(f, i);

		if (is_of(&it->id, realm, person) && it->id.until_ms == 0 &&
		    (kind == NULL || strcmp(it->id.kind, kind) == 0))
			g_array_append_val(found, *it);
	}
	return give(found, true, fn, arg);
}

static bool
owner(struct store *st, const char *realm, const char *kind,
    const char *sought, int64_t at_ms, char **person, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	const struct fake_identity *last = NULL;

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_IDENTITY); i++) {
		const struct fake_identity *it = identity(f, i);

		if (strcmp(it->sought, sought) == 0 &&
		    strcmp(it->id.realm, realm) == 0 &&
		    strcmp(it->id.kind, kind) == 0 &&
		    it->id.first_ms <= at_ms && (it->id.until_ms == 0 ||
		    it->id.until_ms > at_ms) &&
		    (last == NULL || by_time(it, last) > 0))
			last = it;
	}
	*person = last == NULL ? NULL : g_strdup(last->id.person);
	return true;
}

static bool
had_it(struct fake *f, const struct store_identity *who, const char *value,
    const char *bare, const char *username)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_IDENTITY); i++) {
		const struct fake_identity *it = identity(f, i);

		if (is_of(&it->id, who->realm, who->person) &&
		    (strcmp(it->sought, value) == 0 ||
		    strcmp(it->sought, bare) == 0 ||
		    (strcmp(it->id.kind, "username") == 0 &&
		    strcmp(it->sought, username) == 0)))
			return true;
	}
	return false;
}

static bool
trace(struct store *st, const char *value, const char *bare,
    const char *username, store_identity_fn *fn, void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE,
	    sizeof(struct fake_identity));

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_IDENTITY); i++) {
		if (had_it(f, &identity(f, i)->id, value, bare, username))
			g_array_append_val(found, *identity(f, i));
	}
	return give(found, false, fn, arg);
}

const struct store_identity_verbs fake_identity_verbs = {
	.add = add, .end = end, .now = now, .owner = owner, .trace = trace,
};

/* ---- novelties ------------------------------------------------------------------ */

bool
fake_novelty_add(struct store *st, const char *field, const char *word,
    int64_t at_ms, bool *first, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct store_novelty row = { .count = 1, .first_ms = at_ms,
		.last_ms = at_ms };

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_NOVELTY); i++) {
		struct store_novelty *n = FAKE_AT(f, FAKE_NOVELTY,
		    store_novelty, i);

		if (strcmp(n->field, field) == 0 && strcmp(n->word, word) == 0) {
			n->count++;
			n->first_ms = MIN(n->first_ms, at_ms);
			n->last_ms = MAX(n->last_ms, at_ms);
			*first = false;
			return true;
		}
	}
	g_strlcpy(row.field, field, sizeof(row.field));
	g_strlcpy(row.word, word, sizeof(row.word));
	g_array_append_val(f->rows[FAKE_NOVELTY], row);
	*first = true;
	return true;
}
