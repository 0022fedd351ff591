/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scenario as lines of words; tests/replay/README describes the language.
 * Words: plain, "quoted", name=value, name~value, name!~value, !name.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum script_op { SCRIPT_PLAIN, SCRIPT_IS, SCRIPT_HAS, SCRIPT_HAS_NOT,
	SCRIPT_NONE };

struct script_word {
	enum script_op op;
	bool quoted;
	char *name;		/* NULL: plain */
	char *value;		/* of !name: NULL */
	bool used;		/* somebody asked for it */
};

struct script_line {
	int number;
	char *rest;		/* the line after its first word, as it is */
	GPtrArray *words;	/* struct script_word * */
};

struct script {
	char *name;		/* of the file */
	char *sentence;
	GPtrArray *lines;	/* struct script_line *, without empty ones */
};

/* NULL and *why (owned by the caller) when it cannot be read. */
struct script *script_load(const char *path, char **why);
void script_free(struct script *s);

/* The next plain word that nobody has taken; NULL when there is none. */
const char *script_take(struct script_line *l);
/* The same, if it is quoted. */
const char *script_take_text(struct script_line *l);
/* The value of name=value, NULL if it is not there. */
const char *script_get(struct script_line *l, const char *name);
/* The first word that was not used, as text; NULL when all were. */
const char *script_unused(const struct script_line *l);
/* "90s", "2m", "1h30m", "3d" or "250ms" in ms; "mm:ss[.mmm]" or
 * "hh:mm:ss"; -1 if it is neither. */
int64_t script_duration(const char *s);
