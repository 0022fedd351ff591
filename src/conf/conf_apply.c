/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts a block of the tree through its table into a struct: every directive
 * known, once, of the right type and in range; presets where nothing is said.
 * Goes on after each mistake. What concerns several directives is the
 * business of the block's own check.
 */
#include "conf_int.h"

#include <string.h>

#include "err.h"

static void
report_value(struct conf_load *l, const struct conf_word *word,
    const struct err *err)
{
	g_autofree char *shown = conf_shown(word->value);

	conf_error(l->issues, word->pos, "%s %s", shown, err->text);
}

bool
conf_word_set(struct conf_load *l, const struct conf_row *row,
    const struct conf_word *word, void *base)
{
	struct conf_place at = { l->files, word->pos.src };
	struct err err = ERR_INIT;

	if (word->is_bad)
		return false;
	if (conf_value_set(row, base, word->value, &at, &err))
		return true;
	report_value(l, word, &err);
	return false;
}

static unsigned
least_of(const struct conf_row *row)
{
	if (row->type == CONF_WORDS)
		return (unsigned)row->min;
	return row->type == CONF_PAIR ? 2 : 1;
}

static unsigned
most_of(const struct conf_row *row)
{
	return row->type == CONF_WORDS ? (unsigned)row->max : least_of(row);
}

/* NAME and as many values as it takes. */
static bool
has_shape(struct conf_load *l, const struct conf_row *row,
    const struct conf_node *node)
{
	const char *many = row->usage;
	const struct conf_word *extra = node->words;

	if (row->type == CONF_FREE)
		return true;
	if (node->is_block) {
		conf_error(l->issues, node->words->pos,
		    "%s takes a value and ';', not a block", row->name);
		return false;
	}
	if (node->count <= least_of(row)) {
		conf_error(l->issues, node->words->pos, "%s needs %s",
		    row->name, many != NULL ? many : "a value");
		return false;
	}
	for (unsigned i = 0; i <= most_of(row) && extra != NULL; i++)
		extra = extra->next;
	if (extra != NULL && most_of(row) == 0)
		conf_error(l->issues, extra->pos, "%s takes no value",
		    row->name);
	else if (extra != NULL)
		conf_error(l->issues, extra->pos,
		    "%s takes %s; put quotes around a value with blanks",
		    row->name, many != NULL ? many : "one value");
	return extra == NULL;
}

/* Both or none: the array has first and second values in turn, or joined. */
static void
apply_pair(struct conf_load *l, const struct conf_row *row,
    const struct conf_node *node, void *base)
{
	GPtrArray *field = *(GPtrArray **)((char *)base + row->offset);
	const struct conf_word *word = node->words->next;
	char *values[2] = { NULL, NULL };

	for (size_t i = 0; i < 2; i++, word = word->next) {
		const struct conf_row part = { .type = row->pair[i],
			.names = row->names,
			.offset = i * sizeof(values[0]) };

		conf_word_set(l, &part, word, values);
	}
	if (values[0] != NULL && values[1] != NULL &&
	    (row->flags & CONF_JOINED)) {
		g_ptr_array_add(field, g_strjoin(" ", values[0], values[1],
		    NULL));
	} else if (values[0] != NULL && values[1] != NULL) {
		g_ptr_array_add(field, g_steal_pointer(&values[0]));
		g_ptr_array_add(field, g_steal_pointer(&values[1]));
	}
	g_free(values[0]);
	g_free(values[1]);
}

static void
apply_value(struct conf_load *l, const struct conf_row *row,
    const struct conf_node *node, void *base)
{
	if (row->type == CONF_PAIR)
		apply_pair(l, row, node, base);
	else if (row->type != CONF_WORDS && row->type != CONF_FREE)
		conf_word_set(l, row, node->words->next, base);
}

static void
apply_preset(struct conf_load *l, const struct conf_row *row, void *base)
{
	struct conf_place at = { l->files, NULL };
	struct err err = ERR_INIT;
	g_autofree char *text = row->derive != NULL ?
	    row->derive(l->c, base) : g_strdup(row->preset);

	/* A preset derived from a wrong value is not worth a second error. */
	if (text != NULL)
		conf_value_set(row, base, text, &at, &err);
}

static void
tell_twice(struct conf_load *l, const struct conf_node *node,
    const struct conf_node *first)
{
	g_autofree char *where = conf_pos_text(first->words->pos);

	conf_error(l->issues, node->words->pos,
	    "%s is given twice; the first is at %s", node->words->value,
	    where);
}

static void
tell_missing(struct conf_load *l, const struct conf_block *block,
    const struct conf_row *row, const struct conf_node *node)
{
	conf_error(l->issues, node->words->pos, "%s is missing%s%s%s",
	    row->name, *block->name != '\0' ? " in " : "", block->name,
	    *block->name != '\0' ? " { }" : "");
}

static void
apply_row(struct conf_load *l, const struct conf_block *block,
    const struct conf_row *row, const struct conf_node *node, void *base)
{
	const struct conf_node *first, *n;

	first = conf_node_find(node->children, row->name);
	if (first == NULL && (row->flags & CONF_REQUIRED))
		tell_missing(l, block, row, node);
	/*
	 * The preset also stands in for a value that turns out wrong; in a
	 * list it would stand beside what is given.
	 */
	if (row->preset != NULL && (first == NULL ||
	    !(row->flags & CONF_MANY)))
		apply_preset(l, row, base);
	for (n = first; n != NULL; n = conf_node_find(n->next, row->name)) {
		if (n != first && !(row->flags & CONF_MANY))
			tell_twice(l, n, first);
		else if (has_shape(l, row, n))
			apply_value(l, row, n, base);
	}
}

static bool
is_known(const struct conf_block *block, const char *name)
{
	for (size_t i = 0; i < block->count; i++)
		if (strcmp(block->rows[i].name, name) == 0)
			return true;
	for (size_t i = 0; block->blocks && block->blocks[i]; i++)
		if (strcmp(block->blocks[i]->name, name) == 0)
			return true;
	return false;
}

/* How many blocks from this one on have such a directive; *home: the last. */
static unsigned
count_homes(const struct conf_block *block, const char *name,
    const struct conf_block **home)
{
	unsigned n = is_known(block, name);

	if (n > 0)
		*home = block;
	for (size_t i = 0; block->blocks && block->blocks[i]; i++)
		n += count_homes(block->blocks[i], name, home);
	return n;
}

/* The one block of the main file that has such a directive, or NULL. */
static const struct conf_block *
find_home(const char *name)
{
	const struct conf_block *home = NULL;

	return count_homes(&conf_block_main, name, &home) == 1 ? home : NULL;
}

static char *
guess(const struct conf_block *block, const char *name)
{
	const struct conf_block *home = find_home(name);
	struct conf_near near;

	if (home != NULL && home != &conf_block_main)
		return g_strdup_printf("; it belongs into %s { }", home->name);
	if (home != NULL)
		return g_strdup("; it belongs into the main file, outside of "
		    "all blocks");
	conf_near_begin(&near, name);
	for (size_t i = 0; i < block->count; i++)
		conf_near_try(&near, block->rows[i].name);
	for (size_t i = 0; block->blocks && block->blocks[i]; i++)
		conf_near_try(&near, block->blocks[i]->name);
	return conf_near_text(&near);
}

static void
tell_unknown(struct conf_load *l, const struct conf_block *block,
    const struct conf_node *node)
{
	for (; node != NULL; node = node->next) {
		const struct conf_word *word = node->words;
		g_autofree char *shown = NULL, *hint = NULL;

		if (is_known(block, word->value))
			continue;
		shown = conf_shown(word->value);
		hint = guess(block, word->value);
		conf_error(l->issues, word->pos, "unknown %s %s%s",
		    node->is_block ? "block" : "directive", shown, hint);
	}
}

static bool
has_block_shape(struct conf_load *l, const struct conf_block *block,
    const struct conf_node *node)
{
	unsigned want = block->label != NULL ? 2 : 1;
	const struct conf_word *extra = node->words;

	if (!node->is_block || node->count < want) {
		conf_error(l->issues, node->words->pos,
		    "%s is a block: %s%s%s { … }", block->name, block->name,
		    block->label != NULL ? " " : "",
		    block->label != NULL ? block->label : "");
		return false;
	}
	for (unsigned i = 0; i < want; i++)
		extra = extra->next;
	if (extra != NULL)
		conf_error(l->issues, extra->pos,
		    "one word too many before '{'");
	return extra == NULL;
}

static bool
has_good_label(struct conf_load *l, const struct conf_node *node)
{
	static const struct conf_row row = { .type = CONF_NAME,
		.offset = CONF_NOWHERE };
	struct conf_place at = { NULL, NULL };
	struct err err = ERR_INIT;

	if (conf_value_set(&row, NULL, node->words->next->value, &at, &err))
		return true;
	report_value(l, node->words->next, &err);
	return false;
}

static void
apply_labelled(struct conf_load *l, const struct conf_block *block,
    const struct conf_node *node)
{
	void *base;

	if (!has_block_shape(l, block, node) || !has_good_label(l, node))
		return;
	base = block->enter(l, node);
	if (base != NULL)
		conf_block_apply(l, block, node, base);
}

/*
 * A block that is not there still has presets, and directives to miss, unless
 * it is optional.
 */
static void
apply_single(struct conf_load *l, const struct conf_block *block,
    const struct conf_node *node, const struct conf_node *parent, void *base)
{
	struct conf_node absent = { .words = parent->words, .count = 1,
		.is_block = true };
	const struct conf_node *n;

	if (node == NULL && block->optional)
		return;
	if (node == NULL)
		conf_block_apply(l, block, &absent, base);
	else if (has_block_shape(l, block, node))
		conf_block_apply(l, block, node, base);
	if (node == NULL)
		return;
	n = conf_node_find(node->next, block->name);
	for (; n != NULL; n = conf_node_find(n->next, block->name))
		tell_twice(l, n, node);
}

static void
apply_sub(struct conf_load *l, const struct conf_block *block,
    const struct conf_node *node, void *base)
{
	const struct conf_node *n;

	n = conf_node_find(node->children, block->name);
	if (block->label == NULL) {
		apply_single(l, block, n, node, base);
		return;
	}
	for (; n != NULL; n = conf_node_find(n->next, block->name))
		apply_labelled(l, block, n);
}

void
conf_block_apply(struct conf_load *l, const struct conf_block *block,
    const struct conf_node *node, void *base)
{
	tell_unknown(l, block, node->children);
	for (size_t i = 0; i < block->count; i++)
		apply_row(l, block, &block->rows[i], node, base);
	for (size_t i = 0; block->blocks && block->blocks[i]; i++)
		apply_sub(l, block->blocks[i], node, base);
	if (block->leave != NULL)
		block->leave(l, node, base);
}
