/* SPDX-License-Identifier: Apache-2.0 */
/*
 * used_by STAFF [from DATE] [until DATE]: who used a business number, and
 * when. Terms are kept in the order of time; two that overlap are an error
 * that names both, since what was said then would be anybody's.
 */
#include "conf_int.h"

#include <string.h>

#include "clock.h"
#include "directory.h"

/* A term and its place in the file. */
struct placed {
	struct directory_term term;
	struct conf_pos pos;
};

static void
read_date(struct conf_load *l, const struct conf_word *word, int64_t *out)
{
	int64_t ms = clock_parse(word->value);
	g_autofree char *shown = NULL;

	if (ms >= 0) {
		*out = ms;
		return;
	}
	shown = conf_shown(word->value);
	conf_error(l->issues, word->pos, "%s is not a date such as 2026-03-01 "
	    "or 2026-03-01T09:00:00Z", shown);
}

static void
tell_unknown(struct conf_load *l, const struct conf_word *word)
{
	g_autofree char *shown = conf_shown(word->value), *hint = NULL;
	struct conf_near near;

	conf_near_begin(&near, word->value);
	conf_near_try(&near, "from");
	conf_near_try(&near, "until");
	hint = conf_near_text(&near);
	conf_error(l->issues, word->pos, "%s is neither from nor until%s",
	    shown, hint);
}

/* "from DATE" or "until DATE"; the word after it. */
static const struct conf_word *
read_end(struct conf_load *l, const struct conf_word *word,
    struct directory_term *t)
{
	bool from = strcmp(word->value, "from") == 0;

	if (!from && strcmp(word->value, "until") != 0) {
		tell_unknown(l, word);
		return NULL;
	}
	if (word->next == NULL) {
		conf_error(l->issues, word->pos, "a date is missing after %s",
		    word->value);
		return NULL;
	}
	if (from ? t->from_ms != INT64_MIN : t->until_ms != INT64_MAX) {
		conf_error(l->issues, word->pos, "%s is given twice",
		    word->value);
		return NULL;
	}
	read_date(l, word->next, from ? &t->from_ms : &t->until_ms);
	return word->next->next;
}

static struct placed *
read_term(struct conf_load *l, const struct conf_node *n)
{
	const struct conf_word *word = n->words->next;
	struct placed *p = g_new0(struct placed, 1);

	p->pos = word->pos;
	p->term.from_ms = INT64_MIN;
	p->term.until_ms = INT64_MAX;
	p->term.staff = conf_staff_ref(l, word);
	for (word = word->next; word != NULL;)
		word = read_end(l, word, &p->term);
	if (p->term.from_ms >= p->term.until_ms)
		conf_error(l->issues, p->pos, "this time ends before it "
		    "begins");
	return p;
}

static gint
compare(gconstpointer a, gconstpointer b)
{
	const struct placed *x = *(struct placed *const *)a;
	const struct placed *y = *(struct placed *const *)b;

	return x->term.from_ms < y->term.from_ms ? -1 :
	    x->term.from_ms > y->term.from_ms;
}

static bool
is_later(struct conf_pos a, struct conf_pos b)
{
	return a.src == b.src ? a.at > b.at : a.src->rank > b.src->rank;
}

/* The later one in the file is blamed. */
static void
tell_overlap(struct conf_load *l, const struct placed *a,
    const struct placed *b)
{
	const struct placed *late = is_later(a->pos, b->pos) ? a : b;
	g_autofree char *where = conf_pos_text((late == a ? b : a)->pos);

	conf_error(l->issues, late->pos, "this time overlaps with that of "
	    "%s; it must end where the other begins", where);
}

static void
keep(struct conf_load *l, const GPtrArray *list, struct directory_business *b)
{
	const struct placed *last = NULL;

	b->terms = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < list->len; i++) {
		const struct placed *p = list->pdata[i];

		g_ptr_array_add(b->terms, g_memdup2(&p->term,
		    sizeof(p->term)));
		if (last != NULL && p->term.from_ms < last->term.until_ms)
			tell_overlap(l, last, p);
		if (last == NULL || p->term.until_ms > last->term.until_ms)
			last = p;
	}
}

void
conf_terms_read(struct conf_load *l, const struct conf_node *node,
    struct directory_business *b)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
	const struct conf_node *n = conf_node_find(node->children, "used_by");

	for (; n != NULL; n = conf_node_find(n->next, "used_by"))
		if (n->words->next != NULL)
			g_ptr_array_add(list, read_term(l, n));
	if (list->len == 0)
		return;
	g_ptr_array_sort(list, compare);
	keep(l, list, b);
}
