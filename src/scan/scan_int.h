/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of src/scan share: characters as lexicons see them, the
 * words of a text, the automaton over words, patterns, and results.
 */
#pragma once

#include "scan.h"

/* ---- characters: scan_fold.c, scan_alike.c, scan_script.c ------------------ */

enum scan_class {
	SCAN_GAP,	/* between words: blanks, punctuation */
	SCAN_LETTER,	/* letters and digits: part of a word */
	SCAN_ALONE,	/* a letter of a script without blanks: a word */
	SCAN_MARK,	/* a mark that tells words apart (vowel signs) */
	SCAN_SYMBOL,	/* a word if a phrase has it, else a gap */
	SCAN_UNSEEN,	/* ignored, wherever it is */
	SCAN_MANY,	/* stands for several: scan_fold_many() */
};

/*
 * A folded character in 32 bits: code point, class, script, whether what is
 * ignored is a mark of the letter before it (so that a hit includes it), and
 * whether it is a decimal digit.
 */
#define SCAN_CP(e) ((e) & 0x1fffffu)
#define SCAN_CLASS(e) ((enum scan_class)((e) >> 21 & 7))
#define SCAN_SCRIPT(e) ((e) >> 24 & 15)
#define SCAN_IS_MARK(e) (((e) >> 28 & 1) != 0)
#define SCAN_IS_DIGIT(e) (((e) >> 29 & 1) != 0)
#define SCAN_NO_SCRIPT SCAN_SCRIPTS
#define SCAN_FOLD_MAX 18	/* U+FDFA, the longest decomposition */
#define SCAN_FOLD_TABLE 0x2100	/* what people write most */

struct scan_fold {
	uint32_t entry[SCAN_FOLD_TABLE];
};
const struct scan_fold *scan_fold_table(void);
uint32_t scan_fold_char(uint32_t c);	/* without a table; slow */
size_t scan_fold_many(uint32_t c, uint32_t out[SCAN_FOLD_MAX]);

static inline uint32_t
scan_fold_get(const struct scan_fold *f, uint32_t c)
{
	return c < SCAN_FOLD_TABLE ? f->entry[c] : scan_fold_char(c);
}

/* The code point at *at, which moves past it; U+FFFD for a bad byte. */
uint32_t scan_decode(const uint8_t *text, size_t len, size_t *at);

/* The script of a letter; SCAN_NO_SCRIPT for any other character. */
unsigned scan_script_of(uint32_t c);
bool scan_script_is_blankless(uint32_t c);

/*
 * The lower-case letter of Latin, Cyrillic or Greek that looks like the one
 * given (capitals and small ones look like different ones); 0: none.
 */
uint32_t scan_alike(uint32_t c, enum scan_script to);
#define SCAN_ALIKE_SCRIPTS \
	(1u << SCAN_LATIN | 1u << SCAN_CYRILLIC | 1u << SCAN_GREEK)

/* ---- words: scan_words.c ---------------------------------------------------- */

#define SCAN_WORD_MAX 64	/* characters of a phrase's word */

struct scan_word {
	uint32_t cp[SCAN_WORD_MAX];
	size_t n;
	uint32_t hash;		/* of cp */
	unsigned scripts;	/* of its letters */
	bool is_symbol;
	bool is_long;		/* longer than any phrase's: not all in cp */
	size_t from, to;	/* in the text */
};

struct scan_reader {
	const struct scan_fold *fold;
	const uint8_t *text;
	size_t len, at;
	uint32_t entry;		/* looked at, not yet taken */
	bool has_entry;
	size_t from, to;	/* of that entry */
	uint32_t many[SCAN_FOLD_MAX];
	size_t n_many, i_many;
	struct scan_word word;
};
void scan_reader_init(struct scan_reader *r, const struct scan_fold *fold,
    const char *text, size_t len);
bool scan_reader_next(struct scan_reader *r);	/* fills r->word */
uint32_t scan_word_hash(const uint32_t *cp, size_t n);
/*
 * The same word in letters of another script, if each of its letters looks
 * like one of that script.
 */
bool scan_word_alike(const struct scan_reader *r, enum scan_script to,
    struct scan_word *out);

/* ---- the automaton: scan_trie.c --------------------------------------------- */

enum scan_part { SCAN_WHOLE, SCAN_FIRST, SCAN_SECOND };	/* of "near" */

struct scan_out {
	uint32_t next;		/* of the same node; 0: none */
	uint32_t entry;
	enum scan_part part;
};
struct scan_node {
	uint32_t parent, word, fail;
	uint32_t out;		/* first of what ends here; 0: none */
	uint32_t dict;		/* nearest node by fail that has out */
	uint8_t depth;
	bool has_symbol;
};
struct scan_trie;
struct scan_trie *scan_trie_new(void);
void scan_trie_free(struct scan_trie *t);
/* Number of a word; 0: no phrase has it. */
uint32_t scan_trie_word(const struct scan_trie *t, const struct scan_word *w);
uint32_t scan_trie_add_word(struct scan_trie *t, const struct scan_word *w);
/* The node of these words, made if it is new. */
uint32_t scan_trie_add(struct scan_trie *t, const uint32_t *words, size_t n,
    bool has_symbol);
void scan_trie_add_out(struct scan_trie *t, uint32_t node, uint32_t entry,
    enum scan_part part);
void scan_trie_seal(struct scan_trie *t);
uint32_t scan_trie_step(const struct scan_trie *t, uint32_t node,
    uint32_t word);
const struct scan_node *scan_trie_node(const struct scan_trie *t,
    uint32_t node);
const struct scan_out *scan_trie_out(const struct scan_trie *t, uint32_t out);

/* ---- the set: scan_set.c, scan_lexicon.c -------------------------------------- */

struct scan_entry {
	const char *name, *id, *category;
	int weight;
	int near;		/* words between, or -1: no "near" */
};

struct scan_set {
	const struct scan_fold *fold;
	struct scan_trie *trie;
	GArray *entries;	/* struct scan_entry */
	GPtrArray *patterns;	/* struct scan_pattern * */
	GStringChunk *strings;	/* what entries and hits point to */
	GHashTable *given;	/* phrases, to find those given twice */
	bool has_symbols, is_sealed;
};

/* What is written in a line, or in a rule: a phrase or two with near. */
struct scan_phrase {
	const char *text[2];
	size_t len[2];
	int near;		/* -1: one phrase */
};
bool scan_phrase_split(const char *text, size_t len, struct scan_phrase *out,
    const char **why);
enum scan_added { SCAN_ADDED, SCAN_TWICE, SCAN_REFUSED };
enum scan_added scan_set_add(struct scan_set *s, const struct scan_entry *e,
    const struct scan_phrase *p, const char **why);

/* ---- patterns: scan_pattern.c, scan_need.c --------------------------------------------- */

/* What a match takes at least: signs and letters in lower case, digits. */
struct scan_need {
	uint64_t ascii[2];	/* a bit for each */
	unsigned digits;	/* of ASCII */
};
void scan_need_read(const char *regex, struct scan_need *out);
void scan_need_look(const char *text, size_t len, struct scan_need *have);
/* The pattern has something in it that changes how the rest is read. */
bool scan_need_is_hard(const char *regex);
size_t scan_need_class_length(const char *s);	/* 0: it does not end */

struct scan_pattern;
void scan_pattern_free(struct scan_pattern *p);
struct scan_pattern *scan_pattern_new(const char *name, const char *regex,
    struct err *err);

struct scan_match;	/* of a thread */
struct scan_match *scan_match_new(void);
void scan_match_free(struct scan_match *m);
void scan_match_run(const struct scan_set *s, struct scan_match *m,
    const char *text, size_t len, struct scan_result *r);

/* ---- results: scan_result.c ------------------------------------------------------ */

void scan_result_add(struct scan_result *r, const struct scan_hit *hit);
void scan_result_add_unsure(struct scan_result *r, const char *name);
void scan_result_sort(struct scan_result *r);

/* ---- detectors: scan_plain.c, scan_detect.c and those of each kind ---------------- */

/*
 * A text as detectors see it: one byte a character that is seen. ASCII is
 * itself, and so is what is compatible to it (full-width, digits of other
 * scripts, all kinds of blanks and dashes).
 */
#define SCAN_PLAIN_LETTER '\x01'	/* any other letter */
#define SCAN_PLAIN_OTHER '\x02'
struct scan_place {
	size_t from, to;
};
struct scan_plain {
	char *c;		/* ends in NUL */
	size_t n;
	struct scan_place *place;
	size_t digits;
	bool has_at;
};
void scan_plain_init(struct scan_plain *p, const char *text, size_t len);
void scan_plain_clear(struct scan_plain *p);

/* A run of digits and what is between it and the next. */
struct scan_group {
	size_t from, n;
	char after;		/* ' ', '-', '.', '/'; 0: no further group */
};
/* Groups that belong together. */
struct scan_chain {
	const struct scan_plain *plain;
	const struct scan_group *group;
	size_t n;
};
void scan_detect_add(const struct scan_plain *p, enum scan_detector d,
    size_t from, size_t to, struct scan_result *r);
/* Digits of groups [i, i + n) as characters; false: more than max. */
bool scan_chain_digits(const struct scan_chain *c, size_t i, size_t n,
    char *out, size_t max);
/*
 * Nothing before or after groups [i, i + n) makes them part of more: a letter,
 * or a digit beyond one of points.
 */
bool scan_chain_is_free(const struct scan_chain *c, size_t i, size_t n,
    const char *points);
/* Where groups [i, i + n) begin and end in plain. */
size_t scan_chain_from(const struct scan_chain *c, size_t i);
size_t scan_chain_to(const struct scan_chain *c, size_t i, size_t n);

void scan_find_cards(const struct scan_chain *c, enum scan_detector d,
    struct scan_result *r);
void scan_find_cpf(const struct scan_chain *c, struct scan_result *r);
void scan_find_snils(const struct scan_chain *c, struct scan_result *r);
void scan_find_phones(const struct scan_plain *p, struct scan_result *r);
void scan_find_cnpj(const struct scan_plain *p, struct scan_result *r);
void scan_find_iban(const struct scan_plain *p, struct scan_result *r);
void scan_find_email(const struct scan_plain *p, struct scan_result *r);
