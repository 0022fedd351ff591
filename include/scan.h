/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a text: phrases of lexicons, patterns, numbers that identify a
 * card, an account or a person, hosts of links, scripts. Pure: no I/O, no
 * clock, no state but what is compiled.
 *
 * Texts are compared after compatibility decomposition (NFKD), case folding,
 * removal of marks and of what is not seen (zero-width, soft hyphens,
 * variation selectors, tatweel), so that full-width, combining and zero-width
 * spellings are the same to a lexicon. A word that mixes Latin, Cyrillic and
 * Greek letters, or stands in a text that does, is also looked up in the
 * script that its letters imitate.
 * A phrase is found as whole words only: before and after it there is no
 * letter, mark or digit (Unicode). Between its words there may be any run of
 * blanks, line breaks and punctuation such as "-" and ".". A letter of a
 * script that is written without blanks (Han, Kana, Thai ...) is a word. A
 * symbol (an emoji, a currency) counts where the phrase has it, and else is
 * as punctuation.
 *
 * A hit says where it is in the text as it was given, in bytes. Texts may be
 * of any length.
 *
 * Lexicon files (chatjournal-policy(5)): UTF-8, one entry a line
 *     # comment
 *     [category WORD]            for the lines that follow
 *     phrase                     # comment, after a blank
 *     phrase = WEIGHT            1 to 100; 1 if not said
 *     phrase near/5 phrase       both, at most 5 words between them (0 to
 *                                50), any order
 *     "phrase = with # signs"    quoted: as it is
 * The id of a phrase is "FILE:LINE".
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define SCAN_PHRASES_MAX 200000		/* of a set */
#define SCAN_PHRASE_WORDS_MAX 16
#define SCAN_NEAR_MAX 50

/* ---- a set: compiled once, read by several threads ----------------------- */

struct scan_set;
struct scan_set *scan_set_new(void);
void scan_set_free(struct scan_set *s);		/* NULL is fine */

/* A complaint about a line, from 1; level 0: a warning (a phrase given twice,
 * which then counts once), 1: a mistake. */
typedef void scan_issue_fn(void *arg, const char *file, unsigned line,
    int level, const char *text);

/*
 * Adds a file to the lexicon of this name (called again: another file of the
 * same). All mistakes are told to issue; false, ERR_CONF "scan.lexicon", when
 * there was one, and then the set is of no use.
 */
bool scan_set_lexicon(struct scan_set *s, const char *name, const char *file,
    const char *text, size_t len, scan_issue_fn *issue, void *arg,
    struct err *err);
/* One phrase of a rule itself, in a lexicon of its own: what may be in a line
 * of a file, without a weight. Its id is the phrase. ERR_CONF "scan.lexicon". */
bool scan_set_phrase(struct scan_set *s, const char *name,
    const char *phrase, struct err *err);
/*
 * A PCRE2 pattern (UTF, UCP, CASELESS unless it says (?-i)), over the text as
 * given and, if it differs, over the text without what is not seen. ERR_CONF
 * "scan.pattern": the text has the offset and PCRE2's own words.
 */
bool scan_set_pattern(struct scan_set *s, const char *name,
    const char *regex, struct err *err);
/* After the last addition, before the first scan. Cannot fail so far. */
bool scan_set_seal(struct scan_set *s, struct err *err);
size_t scan_set_phrases(const struct scan_set *s);

/* ---- scanning ----------------------------------------------------------- */

/* A thread's own working memory: match data, JIT stack, buffers. */
struct scan_work;
struct scan_work *scan_work_new(void);
void scan_work_free(struct scan_work *w);

enum scan_source { SCAN_LEXICON, SCAN_PATTERN, SCAN_DETECTOR };
struct scan_hit {
	enum scan_source source;
	const char *name;	/* of lexicon, pattern or detector */
	const char *phrase;	/* id of the phrase; NULL for others */
	const char *category;	/* of the phrase; "" if none */
	int weight;
	size_t from, to;	/* bytes of the text given: [from, to) */
};

struct scan_result {
	/*
	 * struct scan_hit, by from. From SCAN_HITS_MAX on, one is kept if it is
	 * the first of its name and category; else its weight is added to
	 * that first one: sums of weights stay right.
	 */
	GArray *hits;
	GPtrArray *unsure;	/* const char *: patterns that met a limit and
				   so neither matched nor did not match */
	uint64_t scripts;	/* bit 1 << enum scan_script: a letter of it */
};
#define SCAN_HITS_MAX 1000
void scan_result_init(struct scan_result *r);
void scan_result_clear(struct scan_result *r);

/*
 * Adds what set finds in the text to r. Names are borrowed from set. Bytes
 * that are not UTF-8 are taken as U+FFFD. Never fails: what could not be
 * evaluated is in r->unsure (PCRE2 match 100,000, less in texts beyond 4096
 * bytes, depth 1,000, heap 1 MiB). At most 100 hits of a pattern.
 */
void scan_run(const struct scan_set *s, struct scan_work *w,
    const char *text, size_t len, struct scan_result *r);

/* ---- detectors ------------------------------------------------------------ */

enum scan_detector {
	SCAN_CARD,	/* payment card: network ranges (ISO/IEC 7812), length
			   and Luhn; in groups, whatever parts them */
	SCAN_CARD_RU,	/* the same, of the Mir ranges only (2200-2204) */
	SCAN_IBAN,	/* ISO 13616: country's length and mod 97 */
	SCAN_CPF,	/* Brazil, persons: both check digits, not all alike */
	SCAN_CNPJ,	/* Brazil, companies: numeric, and alphanumeric (2026) */
	SCAN_SNILS,	/* Russia, pension insurance: control number */
	SCAN_EMAIL,
	SCAN_PHONE,	/* E.164 with "+", or "00" and 8 to 15 digits, or a
			   national form with separators */
	SCAN_DETECTORS
};
const char *scan_detector_name(enum scan_detector d);	/* "card", "card-ru" … */
bool scan_detector_parse(const char *name, enum scan_detector *out);
/* Adds hits of these detectors (bits 1 << d) to r. Digits of any script and
 * width count; what is not seen is skipped. */
void scan_detect(unsigned detectors, const char *text, size_t len,
    struct scan_result *r);

/* ---- links and scripts ---------------------------------------------------- */

/* Lower-case host names (punycode as written) of everything that reads as a
 * link, with or without scheme ("t.me/x"): char *, each once. */
GPtrArray *scan_hosts(const char *text, size_t len);
/* host is domain or below it. */
bool scan_host_is_under(const char *host, const char *domain);

enum scan_script { SCAN_LATIN, SCAN_CYRILLIC, SCAN_GREEK, SCAN_ARABIC,
	SCAN_HEBREW, SCAN_HAN, SCAN_KANA, SCAN_HANGUL, SCAN_DEVANAGARI,
	SCAN_THAI, SCAN_OTHER, SCAN_SCRIPTS };
const char *scan_script_name(enum scan_script s);	/* "latin" … */
bool scan_script_parse(const char *name, enum scan_script *out);
/* scan_run() also sets r->scripts. */
uint64_t scan_scripts(const char *text, size_t len);
