/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the declared variable that a name in a template means, and a likely
 * one for a name that means nothing. Works on the tables given at load time
 * only; nothing is searched by name while rendering.
 */
#include "template_int.h"

#include <assert.h>
#include <string.h>

/* Longer names get no suggestion; no declared one comes near. */
#define NAME_MAX_LEN 64

static bool
find_row(const struct template_var *table, const char *name, uint16_t *row)
{
	for (uint16_t i = 0; table[i].name != NULL; i++) {
		assert(i < G_N_ELEMENTS(((struct template_scope *)0)->string));
		if (strcmp(table[i].name, name) == 0) {
			*row = i;
			return true;
		}
	}
	return false;
}

static bool
find_visible(const struct template_names *n, const char *name,
    struct template_ref *out)
{
	for (int level = n->level; level >= 0; level--) {
		uint16_t row;

		if (find_row(n->table[level], name, &row)) {
			out->level = (uint16_t)level;
			out->row = row;
			out->var = &n->table[level][row];
			return true;
		}
	}
	return false;
}

/* The innermost open level that the list at ref opened; 0 if there is none. */
static uint16_t
open_level(const struct template_names *n, const struct template_ref *ref)
{
	for (uint16_t level = n->level; level > 0; level--) {
		if (n->list[level].level == ref->level &&
		    n->list[level].row == ref->row)
			return level;
	}
	return 0;
}

bool
template_names_find(const struct template_names *n, const char *name,
    struct template_ref *out)
{
	const char *dot = strrchr(name, '.');
	g_autofree char *prefix = NULL;
	struct template_ref list;
	uint16_t row, level;

	if (find_visible(n, name, out))
		return true;
	if (dot == NULL)
		return false;
	prefix = g_strndup(name, (gsize)(dot - name));
	if (!template_names_find(n, prefix, &list) ||
	    list.var->kind != TEMPLATE_LIST)
		return false;
	level = open_level(n, &list);
	if (level == 0 || !find_row(n->table[level], dot + 1, &row))
		return false;
	out->level = level;
	out->row = row;
	out->var = &n->table[level][row];
	return true;
}

/* Edits (insert, delete, replace) that make b of a. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1];
	size_t len = strlen(b);

	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < len; j++) {
			size_t edit = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			row[j + 1] = MIN(edit, MIN(row[j], diagonal) + 1);
		}
	}
	return row[len];
}

struct nearest {
	const char *name;
	size_t edits;
};

static void
look_for_nearest(struct nearest *best, const struct template_var *table,
    const char *name)
{
	for (; table->name != NULL; table++) {
		size_t edits;

		if (strlen(table->name) > NAME_MAX_LEN)
			continue;
		edits = distance(name, table->name);
		if (edits < best->edits) {
			best->edits = edits;
			best->name = table->name;
		}
	}
}

/* The list, visible here, that has a member of this name; NULL if none. */
static const char *
list_with_member(const struct template_names *n, const char *name)
{
	for (int level = n->level; level >= 0; level--) {
		const struct template_var *v = n->table[level];

		for (; v->name != NULL; v++) {
			uint16_t row;

			if (v->kind == TEMPLATE_LIST &&
			    find_row(v->members, name, &row))
				return v->name;
		}
	}
	return NULL;
}

char *
template_names_hint(const struct template_names *n, const char *name)
{
	const char *dot = strrchr(name, '.');
	const char *last = dot != NULL ? dot + 1 : name;
	const char *list = list_with_member(n, last);
	struct nearest best = { NULL, MIN(strlen(last) / 3, 2) + 2 };

	if (list != NULL)
		return g_strdup_printf("; it is known only inside {{#%s}}",
		    list);
	if (strlen(last) > NAME_MAX_LEN)
		return g_strdup("");
	for (int level = n->level; level >= 0; level--)
		look_for_nearest(&best, n->table[level], last);
	if (best.name == NULL)
		return g_strdup("; chatjournal-templates(5) lists the names");
	return g_strdup_printf("; did you mean {{%s}}?", best.name);
}
