/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was found. A text that is full of hits must not fill the memory, and
 * none of its names may go missing for that: beyond the limit a hit is kept
 * if it is the first of its name and category; else only its weight is, in
 * that first one.
 */
#include "scan_int.h"

#include <string.h>

void
scan_result_init(struct scan_result *r)
{
	r->hits = g_array_new(FALSE, FALSE, sizeof(struct scan_hit));
	r->unsure = g_ptr_array_new();
	r->scripts = 0;
}

void
scan_result_clear(struct scan_result *r)
{
	g_clear_pointer(&r->hits, g_array_unref);
	g_clear_pointer(&r->unsure, g_ptr_array_unref);
}

static struct scan_hit *
first_alike(const struct scan_result *r, const struct scan_hit *hit)
{
	for (guint i = 0; i < r->hits->len; i++) {
		struct scan_hit *h = &g_array_index(r->hits, struct scan_hit,
		    i);

		if (h->source == hit->source && h->name == hit->name &&
		    h->category == hit->category)
			return h;
	}
	return NULL;
}

void
scan_result_add(struct scan_result *r, const struct scan_hit *hit)
{
	struct scan_hit *first = r->hits->len < SCAN_HITS_MAX ? NULL :
	    first_alike(r, hit);

	if (first == NULL)
		g_array_append_vals(r->hits, hit, 1);
	else if (first->weight <= INT32_MAX - hit->weight)
		first->weight += hit->weight;
}

void
scan_result_add_unsure(struct scan_result *r, const char *name)
{
	for (guint i = 0; i < r->unsure->len; i++) {
		if (strcmp(g_ptr_array_index(r->unsure, i), name) == 0)
			return;
	}
	/* The array has no const; nobody frees or changes what is in it. */
	g_ptr_array_add(r->unsure, (gpointer)(uintptr_t)name);
}

static int
compare_size(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

static int
compare_hits(gconstpointer left, gconstpointer right)
{
	const struct scan_hit *a = left, *b = right;
	int by = compare_size(a->from, b->from);

	if (by == 0)
		by = compare_size(a->to, b->to);
	if (by == 0)
		by = (int)a->source - (int)b->source;
	if (by == 0)
		by = strcmp(a->name, b->name);
	if (by == 0)
		by = g_strcmp0(a->phrase, b->phrase);
	return by;
}

void
scan_result_sort(struct scan_result *r)
{
	if (r->hits->len > 1)
		g_array_sort(r->hits, compare_hits);
}
