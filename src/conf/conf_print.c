/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration as text again, and the tables as documentation. What is
 * printed loads to the same configuration; values that are the default are
 * commented out, so that they follow the next release's defaults.
 */
#include "conf_int.h"

#include <string.h>

static bool
is_plain(const char *s)
{
	if (*s == '\0' || *s == '#')
		return false;
	for (; *s != '\0'; s++)
		if (!g_ascii_isgraph(*s) || strchr("\"'\\;{}", *s) != NULL)
			return false;
	return true;
}

static void
put_value(GString *out, const char *s)
{
	if (is_plain(s)) {
		g_string_append(out, s);
		return;
	}
	g_string_append_c(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			g_string_append_c(out, '\\');
		g_string_append_c(out, *s);
	}
	g_string_append_c(out, '"');
}

static void
put_line(GString *out, const char *before, const char *name,
    const char *value)
{
	g_string_append_printf(out, "%s%s ", before, name);
	put_value(out, value);
	g_string_append(out, ";\n");
}

/* Name, value, name, value …, or both in one. */
static void
put_pairs(GString *out, const struct conf_row *row, const GPtrArray *values,
    const char *indent)
{
	bool joined = row->flags & CONF_JOINED;

	for (guint i = 0; i + !joined < values->len; i += joined ? 1 : 2) {
		g_auto(GStrv) both = g_strsplit(values->pdata[i], " ", 2);

		g_string_append_printf(out, "%s%s ", indent, row->name);
		put_value(out, joined ? both[0] : values->pdata[i]);
		g_string_append_c(out, ' ');
		put_value(out, joined ? both[1] : values->pdata[i + 1]);
		g_string_append(out, ";\n");
	}
}

static void
put_many(GString *out, const struct conf_row *row, const void *base,
    const char *indent)
{
	const char *field = (const char *)base + row->offset;
	const GPtrArray *values = *(GPtrArray *const *)(const void *)field;

	g_autofree char *silent = g_strconcat(indent, "#", NULL);

	if (row->type == CONF_PAIR) {
		put_pairs(out, row, values, indent);
		return;
	}
	if (values->len == 1 && g_strcmp0(values->pdata[0], row->preset) == 0)
		indent = silent;
	for (guint i = 0; i < values->len; i++)
		put_line(out, indent, row->name, values->pdata[i]);
}

static void
put_row(GString *out, const struct conf *c, const struct conf_row *row,
    const void *base, const char *indent)
{
	g_autofree char *value = NULL, *preset = NULL, *before = NULL;

	if (row->flags & CONF_MANY) {
		put_many(out, row, base, indent);
		return;
	}
	value = conf_value_format(row, base);
	if (value == NULL)
		return;
	preset = row->derive != NULL ? row->derive(c, base) :
	    g_strdup(row->preset);
	before = g_strconcat(indent,
	    g_strcmp0(value, preset) == 0 ? "#" : "", NULL);
	put_line(out, before, row->name, value);
}

static void put_blocks(GString *out, const struct conf *c,
    const struct conf_block *block, const char *indent);

static void
put_block(GString *out, const struct conf *c, const struct conf_block *block,
    const void *base, const char *indent)
{
	g_autofree char *inner = g_strconcat(indent, "\t", NULL);

	g_string_append_printf(out, "\n%s%s ", indent, block->name);
	if (block->label != NULL) {
		const char *at = (const char *)base + block->label_at;

		g_string_append_printf(out, "%s ",
		    *(char *const *)(const void *)at);
	}
	g_string_append(out, "{\n");
	for (size_t i = 0; i < block->count; i++)
		put_row(out, c, &block->rows[i], base, inner);
	for (size_t i = 0; block->blocks && block->blocks[i]; i++)
		put_blocks(out, c, block->blocks[i], inner);
	g_string_append_printf(out, "%s}\n", indent);
}

/* Of an optional block; its first row has a value then. */
static bool
is_there(const struct conf_block *block, const void *base)
{
	g_autofree char *first = conf_value_format(&block->rows[0], base);

	return first != NULL;
}

static void
put_blocks(GString *out, const struct conf *c, const struct conf_block *block,
    const char *indent)
{
	const char *at = (const char *)c + block->list;
	const GPtrArray *list;

	if (block->label == NULL) {
		if (!block->optional || is_there(block, c))
			put_block(out, c, block, c, indent);
		return;
	}
	list = *(GPtrArray *const *)(const void *)at;
	for (guint i = 0; i < list->len; i++)
		put_block(out, c, block, list->pdata[i], indent);
}

void
conf_print(const struct conf *c, GString *out)
{
	const struct conf_block *main_block = &conf_block_main;

	g_string_append(out, "# In force; what has a # in front is the "
	    "default.\n");
	for (size_t i = 0; i < main_block->count; i++)
		put_row(out, c, &main_block->rows[i], c, "");
	for (size_t i = 0; main_block->blocks[i] != NULL; i++)
		put_blocks(out, c, main_block->blocks[i], "");
}

static void
each_row_of(const struct conf_block *block, conf_row_fn *fn, void *arg)
{
	for (size_t i = 0; i < block->count; i++) {
		const struct conf_row *row = &block->rows[i];
		g_autofree char *type = conf_value_type(row);

		fn(arg, block->name, row->name, type, row->preset, row->help);
	}
	for (size_t i = 0; block->blocks && block->blocks[i]; i++) {
		fn(arg, block->name, block->blocks[i]->name, "block", NULL,
		    block->blocks[i]->help);
		each_row_of(block->blocks[i], fn, arg);
	}
}

void
conf_each_row(conf_row_fn *fn, void *arg)
{
	fn(arg, "", "include", "glob", NULL, "Other files, put in place.");
	each_row_of(&conf_block_main, fn, arg);
	each_row_of(&conf_block_policy, fn, arg);
	each_row_of(&conf_block_directory, fn, arg);
}
