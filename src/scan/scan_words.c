/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text as a row of words, each folded (scan_fold.c) and with its place in
 * the text as it was given. What is not seen is in no word and parts none. A
 * phrase is read the same way; so a phrase is found as whole words only, with
 * any blanks and punctuation between them, and no look at what stands before
 * and after is needed. Takes any bytes, holds one word, never fails.
 */
#include "scan_int.h"

#include <string.h>

void
scan_reader_init(struct scan_reader *r, const struct scan_fold *fold,
    const char *text, size_t len)
{
	r->fold = fold;
	r->text = (const uint8_t *)text;
	r->len = len;
	r->at = 0;
	r->has_entry = false;
	r->n_many = r->i_many = 0;
}

static uint32_t
mix(uint32_t hash, uint32_t cp)
{
	return (hash ^ cp) * 0x9e3779b1u;
}

static uint32_t
finish(uint32_t hash)
{
	hash ^= hash >> 15;
	return hash * 0x85ebca6bu ^ hash >> 13;
}

uint32_t
scan_word_hash(const uint32_t *cp, size_t n)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < n; i++)
		hash = mix(hash, cp[i]);
	return finish(hash);
}

static void
look_many(struct scan_reader *r, uint32_t c)
{
	r->n_many = scan_fold_many(c, r->many);
	r->i_many = 1;
	r->entry = r->many[0];
}

/* The next character is in r->entry, or there is none. */
static inline bool
look(struct scan_reader *r)
{
	uint32_t c;

	if (r->has_entry)
		return true;
	r->has_entry = true;
	if (r->i_many < r->n_many) {	/* of the same place */
		r->entry = r->many[r->i_many++];
		return true;
	}
	if (r->at == r->len)
		return r->has_entry = false;
	r->from = r->at;
	c = r->text[r->at];
	if (c < 0x80)
		r->at++;
	else
		c = scan_decode(r->text, r->len, &r->at);
	r->entry = scan_fold_get(r->fold, c);
	r->to = r->at;
	if (SCAN_CLASS(r->entry) == SCAN_MANY)
		look_many(r, c);
	return true;
}

static inline void
put(struct scan_reader *r)
{
	struct scan_word *w = &r->word;

	if (w->n == SCAN_WORD_MAX) {
		w->is_long = true;
	} else {
		w->cp[w->n++] = SCAN_CP(r->entry);
		w->hash = mix(w->hash, SCAN_CP(r->entry));
	}
	w->scripts |= 1u << SCAN_SCRIPT(r->entry);
	w->to = r->to;
	r->has_entry = false;
}

/* What may begin a word; false at the end of the text. */
static bool
skip_gap(struct scan_reader *r)
{
	while (look(r)) {
		enum scan_class class = SCAN_CLASS(r->entry);

		if (class != SCAN_GAP && class != SCAN_UNSEEN)
			return true;
		r->has_entry = false;
	}
	return false;
}

/* After the first character, which was of class. */
static void
read_on(struct scan_reader *r, enum scan_class class)
{
	while (look(r)) {
		enum scan_class next = SCAN_CLASS(r->entry);

		if (next == SCAN_UNSEEN) {
			if (SCAN_IS_MARK(r->entry))
				r->word.to = r->to;
			r->has_entry = false;
		} else if (next == SCAN_MARK ||
		    (next == SCAN_LETTER && class == SCAN_LETTER)) {
			put(r);
		} else {
			return;
		}
	}
}

bool
scan_reader_next(struct scan_reader *r)
{
	struct scan_word *w = &r->word;
	enum scan_class class;

	if (!skip_gap(r))
		return false;
	class = SCAN_CLASS(r->entry);
	w->n = 0;
	w->hash = 0;
	w->scripts = 0;
	w->is_long = false;
	w->is_symbol = class == SCAN_SYMBOL;
	w->from = r->from;
	put(r);
	if (class == SCAN_MARK)
		class = SCAN_LETTER;
	read_on(r, class);
	w->hash = finish(w->hash);
	return true;
}

/* ---- look-alikes ------------------------------------------------------------ */

static bool
put_alike(uint32_t c, uint32_t e, enum scan_script to, struct scan_word *out)
{
	unsigned script = SCAN_SCRIPT(e);
	uint32_t as = SCAN_CP(e);

	if (script != to && (1u << script & SCAN_ALIKE_SCRIPTS) != 0) {
		as = scan_alike(c, to);
		if (as == 0)
			as = scan_alike(SCAN_CP(e), to);
	}
	if (as == 0 || out->n == SCAN_WORD_MAX)
		return false;
	out->cp[out->n++] = as;
	return true;
}

bool
scan_word_alike(const struct scan_reader *r, enum scan_script to,
    struct scan_word *out)
{
	const struct scan_word *w = &r->word;

	out->n = 0;
	out->is_long = false;
	for (size_t at = w->from; at < w->to;) {
		uint32_t c = scan_decode(r->text, r->len, &at);
		uint32_t many[SCAN_FOLD_MAX] = { scan_fold_get(r->fold, c) };
		size_t n = SCAN_CLASS(many[0]) == SCAN_MANY ?
		    scan_fold_many(c, many) : 1;

		for (size_t i = 0; i < n; i++) {
			if (SCAN_CLASS(many[i]) != SCAN_UNSEEN &&
			    !put_alike(c, many[i], to, out))
				return false;
		}
	}
	out->hash = scan_word_hash(out->cp, out->n);
	return true;
}
