/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: a subset of mustache without code, checked when loaded.
 *
 * {{name}}  {{list.name}} inside {{#list}}…{{/list}}  {{#flag}}…{{/flag}}
 * {{^flag}}…{{/flag}} (flag unset, list empty)  {{! comment }}. A string may
 * stand in place of a flag: it is set when it is not empty. {{_Some words}}
 * are words of the template in the language it is loaded for. No triple
 * mustache, no partials, no delimiter change, no lambdas: raw output does not
 * exist. A line that holds only a section tag or comment vanishes whole.
 *
 * Every name must be declared in the table that is given at load time, so a
 * misspelt name is refused at start with file:line:column and "did you mean".
 * Escaping follows the kind of the template, always.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct err;
struct template;

enum template_kind {
	TEMPLATE_LINE,	/* one line, controls removed: Subject. Line ends of
			   the template itself are dropped */
	TEMPLATE_TEXT,	/* plain text; controls but \n \t removed */
	TEMPLATE_HTML,	/* & < > " ' become entities */
};

enum template_var_kind { TEMPLATE_STRING, TEMPLATE_FLAG, TEMPLATE_LIST };

/*
 * One declared name. For a LIST, members is the table of names inside it.
 * Inside a list, names of the enclosing tables are visible too (innermost
 * first). Tables end with name == NULL and have at most 64 rows.
 */
struct template_var {
	const char *name;
	enum template_var_kind kind;
	const struct template_var *members;
	const char *help;	/* for chatjournal-templates(5) */
};

/*
 * The values of one scope, indexed by the row of the table: a string (NULL is
 * empty), a flag (non-NULL is set), or a list (GPtrArray of struct
 * template_scope *). All borrowed.
 */
struct template_scope {
	const char *string[64];
	GPtrArray *list[64];
};

/*
 * Compiles text; name is used in messages. ERR_CONF "template.syntax" or
 * "template.unknown", text "file:line:column: …".
 */
bool template_compile(const char *name, const char *text, size_t len,
    enum template_kind kind, const struct template_var *vars,
    struct template **out, struct err *err);

/*
 * The same, with a language: find gives the translation of {{_words}}, or
 * NULL (then ERR_CONF "template.words"). In a TEXT template, blanks at the end
 * of the words are layout: the translation is filled up to the same column.
 */
struct template_source {
	const char *name, *text;
	size_t len;
	enum template_kind kind;
	const struct template_var *vars;
	const char *(*find)(const void *catalog, const char *words);
	const void *catalog;		/* NULL find: words stay as they are */
	const char *catalog_name;	/* for messages */
};
bool template_compile_source(const struct template_source *source,
    struct template **out, struct err *err);
/*
 * The same of the file that is called name; text and len are set, and live as
 * long as *bytes, which the caller owns. ERR_CONF also when it cannot be read.
 */
bool template_load(struct template_source *source, GBytes **bytes,
    struct template **out, struct err *err);
void template_free(struct template *t);

/*
 * Appends the rendered text to out. ERR_PERM "template.size" past max_bytes
 * of output or 10,000 iterations (then out holds a part).
 */
bool template_render(const struct template *t,
    const struct template_scope *scope, size_t max_bytes, GString *out,
    struct err *err);
