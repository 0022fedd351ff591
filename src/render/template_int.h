/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of the template engine: the compiled form, the search
 * for names, and escaping. Nobody outside src/render/template*.c needs it.
 */
#pragma once

#include <stdint.h>

#include "template.h"

/* Sections within sections; the root scope is level 0. */
#define TEMPLATE_NESTING_MAX 16
#define TEMPLATE_ITERATIONS_MAX 10000
#define TEMPLATE_BYTES_MAX (1 << 20)

enum template_op_code {
	OP_LITERAL,	/* a: offset in literals, b: length */
	OP_VALUE,	/* string[row] of the scope at level, escaped */
	OP_SKIP_UNSET,	/* go to a unless the value at level, row is set */
	OP_SKIP_SET,	/* go to a if it is set */
	OP_EACH,	/* open level b over list[row], or go to a if empty */
	OP_NEXT,	/* a: its OP_EACH; the next element, or go on */
};

struct template_op {
	enum template_op_code code;
	enum template_var_kind kind;
	uint16_t level, row;
	uint32_t a, b;
};

struct template {
	char *name;
	enum template_kind kind;
	GString *literals;	/* all literal text, already normalised */
	GArray *ops;		/* struct template_op */
};

/* Where a declared name is found: a row of the table open at a level. */
struct template_ref {
	const struct template_var *var;
	uint16_t level, row;
};

/* The tables that are open at a place in a template. */
struct template_names {
	const struct template_var *table[TEMPLATE_NESTING_MAX + 1];
	struct template_ref list[TEMPLATE_NESTING_MAX + 1];	/* who opened it */
	uint16_t level;
};

/* Innermost first. False if the name cannot be used here. */
bool template_names_find(const struct template_names *n, const char *name,
    struct template_ref *out);

/*
 * What to say about a name that was not found: "; did you mean {{x}}?",
 * "; it is known only inside {{#list}}", or "". The caller frees it.
 */
char *template_names_hint(const struct template_names *n, const char *name);

/* Appends s, made safe for the kind. Any bytes in, valid UTF-8 out. */
void template_escape(GString *out, enum template_kind kind, const char *s,
    size_t len);
