/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set: what is put together before the first scan, and only read after it.
 * Names, ids and categories live as long as the set; hits borrow them.
 */
#include "scan_int.h"

#include <string.h>

#include "err.h"

struct scan_set *
scan_set_new(void)
{
	struct scan_set *s = g_new0(struct scan_set, 1);

	s->fold = scan_fold_table();
	s->trie = scan_trie_new();
	s->entries = g_array_new(FALSE, FALSE, sizeof(struct scan_entry));
	s->patterns = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)scan_pattern_free);
	s->strings = g_string_chunk_new(4096);
	s->given = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
	    (GDestroyNotify)g_bytes_unref, NULL);
	return s;
}

void
scan_set_free(struct scan_set *s)
{
	if (s == NULL)
		return;
	scan_trie_free(s->trie);
	g_array_unref(s->entries);
	g_ptr_array_unref(s->patterns);
	g_string_chunk_free(s->strings);
	if (s->given != NULL)
		g_hash_table_unref(s->given);
	g_free(s);
}

size_t
scan_set_phrases(const struct scan_set *s)
{
	return s->entries->len;
}

/* The words of a phrase as a node. False: *why says what is wrong. */
static bool
add_words(struct scan_set *s, const char *phrase, size_t len, uint32_t *node,
    const char **why)
{
	uint32_t words[SCAN_PHRASE_WORDS_MAX];
	bool has_symbol = false;
	struct scan_reader r;
	size_t n = 0;

	scan_reader_init(&r, s->fold, phrase, len);
	while (scan_reader_next(&r)) {
		if (r.word.is_long) {
			*why = "a word has more than "
			    G_STRINGIFY(SCAN_WORD_MAX) " letters";
			return false;
		}
		if (n == SCAN_PHRASE_WORDS_MAX) {
			*why = "the phrase has more than "
			    G_STRINGIFY(SCAN_PHRASE_WORDS_MAX) " words";
			return false;
		}
		has_symbol |= r.word.is_symbol;
		words[n++] = scan_trie_add_word(s->trie, &r.word);
	}
	if (n == 0) {
		*why = "there is no letter, digit or symbol in the phrase";
		return false;
	}
	s->has_symbols |= has_symbol;
	*node = scan_trie_add(s->trie, words, n, has_symbol);
	return true;
}

/* False: this lexicon has it in this category already. */
static bool
is_new(struct scan_set *s, const struct scan_entry *e, uint32_t nodes[2])
{
	const struct {
		const char *name, *category;
		uint64_t low, high;
		int64_t near;
	} key = { e->name, e->category, MIN(nodes[0], nodes[1]),
		MAX(nodes[0], nodes[1]), e->near };

	return g_hash_table_add(s->given, g_bytes_new(&key, sizeof(key)));
}

enum scan_added
scan_set_add(struct scan_set *s, const struct scan_entry *e,
    const struct scan_phrase *p, const char **why)
{
	uint32_t nodes[2] = { 0 }, id = s->entries->len;

	g_assert(!s->is_sealed);
	if (id == SCAN_PHRASES_MAX) {
		*why = "there are more than " G_STRINGIFY(SCAN_PHRASES_MAX)
		    " phrases";
		return SCAN_REFUSED;
	}
	if (!add_words(s, p->text[0], p->len[0], &nodes[0], why))
		return SCAN_REFUSED;
	if (p->near >= 0 &&
	    !add_words(s, p->text[1], p->len[1], &nodes[1], why))
		return SCAN_REFUSED;
	if (!is_new(s, e, nodes))
		return SCAN_TWICE;
	g_array_append_vals(s->entries, e, 1);
	if (p->near < 0) {
		scan_trie_add_out(s->trie, nodes[0], id, SCAN_WHOLE);
	} else {
		scan_trie_add_out(s->trie, nodes[0], id, SCAN_FIRST);
		scan_trie_add_out(s->trie, nodes[1], id, SCAN_SECOND);
	}
	return SCAN_ADDED;
}

bool
scan_set_phrase(struct scan_set *s, const char *name, const char *phrase,
    struct err *err)
{
	struct scan_phrase p;
	struct scan_entry e = { .category = "", .weight = 1 };
	const char *why = NULL;

	if (!g_utf8_validate(phrase, -1, NULL))
		return err_set(err, ERR_CONF, "scan.lexicon",
		    "a phrase of %s is not UTF-8", name);
	e.name = g_string_chunk_insert_const(s->strings, name);
	e.id = g_string_chunk_insert_const(s->strings, phrase);
	if (!scan_phrase_split(phrase, strlen(phrase), &p, &why))
		return err_set(err, ERR_CONF, "scan.lexicon",
		    "\"%s\": %s", phrase, why);
	e.near = p.near;
	if (scan_set_add(s, &e, &p, &why) == SCAN_REFUSED)
		return err_set(err, ERR_CONF, "scan.lexicon",
		    "\"%s\": %s", phrase, why);
	return true;
}

bool
scan_set_pattern(struct scan_set *s, const char *name, const char *regex,
    struct err *err)
{
	struct scan_pattern *p = scan_pattern_new(
	    g_string_chunk_insert_const(s->strings, name), regex, err);

	g_assert(!s->is_sealed);
	if (p == NULL)
		return false;
	g_ptr_array_add(s->patterns, p);
	return true;
}

bool
scan_set_seal(struct scan_set *s, struct err *err)
{
	(void)err;	/* there is nothing left that could fail */
	g_assert(!s->is_sealed);
	scan_trie_seal(s->trie);
	g_clear_pointer(&s->given, g_hash_table_unref);
	s->is_sealed = true;
	return true;
}
