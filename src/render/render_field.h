/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spelling of header fields. Everything given to these must be a clean line
 * already (render_line(), render_ascii()).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A header block, built field by field. A field is a sequence of words, and a
 * line is folded before the word that would pass column 78.
 */
struct render_fields {
	GString *out;		/* "Name: value\n…", folded with "\n " */
	size_t col, start;
	bool first;		/* the next word is the first of its field */
};
void render_field_begin(struct render_fields *f, const char *name);
/* A field that got no words vanishes. */
void render_field_end(struct render_fields *f);
void render_field_word(struct render_fields *f, const char *word);
/* ASCII, word by word, however long one is. */
void render_field_words(struct render_fields *f, const char *text);
/* Free text: its words, or RFC 2047 when they would not survive. */
void render_field_text(struct render_fields *f, const char *text);
/* "Name" <address>, set off by a comma from one before it. */
void render_field_mailbox(struct render_fields *f, const char *name,
    const char *address);
/*
 * name=value, as MIME parameters are written (RFC 2045, RFC 2231). NULL adds
 * nothing. Parameters after the first of a field are set off by "; ".
 */
void render_field_param(struct render_fields *f, const char *name,
    const char *value);

