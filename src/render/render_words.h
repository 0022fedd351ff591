/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of a mail in the language of its journal. English is the key: without
 * a catalog (NULL) each word is its own translation.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct err;
struct render_scratch;

struct render_words {
	char *language;
	GHashTable *table;	/* char * to char *, both owned */
	/* The form that goes with n: "one", "few" or "many". */
	const char *(*plural)(guint n);
};

/*
 * Marks a literal that is looked up with render_word() somewhere. A test
 * compares all of them, and the templates, with the catalogs.
 */
#define WORD(english) english

/* All of these: what a catalog must have besides the words of templates. */
const char *const *render_words_known(void);

/* --- render_catalog.c --- */

struct render_words *render_words_new(const char *language);
void render_words_free(struct render_words *w);
/* Adds the words of a file, in place of earlier ones. ERR_CONF with its line. */
bool render_words_read(struct render_words *w, const char *path,
    struct err *err);
/* ERR_CONF "render.language" when a word of ours is missing. */
bool render_words_check(const struct render_words *w, const char *path,
    struct err *err);

/* --- render_words.c --- */

/* The translation, or the English word when there is none. NULL for NULL. */
const char *render_word(const struct render_words *w, const char *english);

/* The form for n, with n in place of %u: "3 messages". */
const char *render_count(const struct render_words *w,
    struct render_scratch *s, guint n, const char *one, const char *many);

/* render_word() with value in place of %s. */
const char *render_phrase(const struct render_words *w,
    struct render_scratch *s, const char *english, const char *value);

/* Columns of a terminal or a fixed-width font that text takes. */
size_t render_columns(const char *text);

/* Filled up with blanks to at least columns, and at least one. */
const char *render_padded(struct render_scratch *s, const char *text,
    size_t columns);

/* --- render_notes.c --- */

/* item.note in the language of w, as far as its sentence is known. */
const char *render_note(const struct render_words *w,
    struct render_scratch *s, const char *note);
