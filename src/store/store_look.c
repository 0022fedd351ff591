/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs that only look, for the admin tool, and what the drivers share:
 * names of files and states, arrays of turns, rows of a status.
 */
#include "store.h"

#include "store_int.h"

bool
store_status(struct store *st, struct store_status *out, struct err *err)
{
	struct store_status s = {
		.novelties = g_array_new(FALSE, TRUE,
		    sizeof(struct store_novelty)),
		.journals = g_array_new(FALSE, TRUE,
		    sizeof(struct store_journal_status)),
		.relays = g_array_new(FALSE, TRUE,
		    sizeof(struct store_relay_status)),
	};

	if (!st->driver->look->status(st, &s, err)) {
		store_status_clear(&s);
		return false;
	}
	*out = s;
	return true;
}

void
store_status_clear(struct store_status *s)
{
	if (s->novelties != NULL)
		g_array_unref(s->novelties);
	if (s->journals != NULL)
		g_array_unref(s->journals);
	if (s->relays != NULL)
		g_array_unref(s->relays);
	*s = (struct store_status){ 0 };
}

struct store_journal_status *
store_status_journal(struct store_status *s, const char *journal)
{
	struct store_journal_status row = { 0 };

	for (guint i = 0; i < s->journals->len; i++) {
		struct store_journal_status *j = &g_array_index(s->journals,
		    struct store_journal_status, i);

		if (g_str_equal(j->journal, journal))
			return j;
	}
	g_strlcpy(row.journal, journal, sizeof(row.journal));
	g_array_append_val(s->journals, row);
	return &g_array_index(s->journals, struct store_journal_status,
	    s->journals->len - 1);
}

bool
store_law_check(struct store *st, bool *ok, char **why, struct err *err)
{
	return st->driver->look->law_check(st, ok, why, err);
}

bool
store_list(struct store *st, enum store_list_what what, const char *journal,
    int64_t after, int limit, store_row_fn *fn, void *arg, struct err *err)
{
	return st->driver->look->list(st, what, journal, after, limit, fn,
	    arg, err);
}

bool
store_trace(struct store *st, const char *id, store_fact_fn *fn, void *arg,
    struct err *err)
{
	return st->driver->look->trace(st, id, fn, arg, err);
}

const char *
store_file_name(enum store_file file)
{
	static const char *const names[STORE_FILES] = {
		[STORE_INTAKE] = "intake", [STORE_MEDIA] = "media",
		[STORE_BUILD] = "build", [STORE_DELIVER] = "deliver",
		[STORE_ADMIN] = "admin", [STORE_GATEWAY] = "gateway",
		[STORE_DIRECTORY] = "directory",
	};

	return file < STORE_FILES ? names[file] : "main";
}

const char *
store_outcome_name(enum store_outcome_state state)
{
	switch (state) {
	case STORE_SENT:
		return "sent";
	case STORE_DEFERRED:
		return "deferred";
	case STORE_FAILED:
		return "failed";
	}
	return "failed";
}

static void
free_turn(gpointer data)
{
	struct turn *t = data;

	g_free(t->conversation);
	g_free(t->author);
	g_free(t);
}

GPtrArray *
store_turn_array(void)
{
	return g_ptr_array_new_with_free_func(free_turn);
}
