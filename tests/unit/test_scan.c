/* SPDX-License-Identifier: Apache-2.0 */
/* scan: phrases in texts, however they are spelt; lexicon files. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <string.h>

#include "err.h"
#include "scan.h"
#include "scan_bed.h"

/* What stands in the text for a find of the phrase, or "". */
struct spelling {
	const char *phrase, *text, *found;
};

static void
check(const struct spelling *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		scan_bed_same(scan_bed_find(s[i].phrase, s[i].text),
		    s[i].found);
}
#define CHECK(s) check(s, G_N_ELEMENTS(s))

/* ---- words ----------------------------------------------------------------------- */

static void
a_phrase_is_found_as_whole_words_only(void **state)
{
	static const struct spelling s[] = {
		{ "sure thing", "a Sure Thing.", "[Sure Thing]" },
		{ "sure thing", "sure things", "" },
		{ "sure thing", "unsure thing", "" },
		{ "sure thing", "sure thing2", "" },
		{ "sure thing", "sure", "" },
		{ "fee", "coffee fee feed 2fee fee2 fée", "[fee] [fée]" },
		{ "перевод", "переводчик перевод", "[перевод]" },
		{ "ação", "reação ação ações", "[ação]" },
		{ "fee", "", "" },
		{ "fee", "fee", "[fee]" },
		{ "fee", "(fee)", "[fee]" },
		{ "fee", "l'fee_fee", "[fee] [fee]" },
	};

	(void)state;
	CHECK(s);
}

static void
between_words_any_blanks_and_punctuation_may_stand(void **state)
{
	static const struct spelling s[] = {
		{ "off the record", "off-the-record", "[off-the-record]" },
		{ "off the record", "off  the\r\nrecord", "[off  the\r\nrecord]" },
		{ "off the record", "off. The... record!", "[off. The... record]" },
		{ "off-the-record", "off the record", "[off the record]" },
		{ "off the record", "off\xc2\xa0the\xe2\x80\x94record",
			"[off\xc2\xa0the\xe2\x80\x94record]" },
		{ "off the record", "offtherecord", "" },
		{ "don't tell", "Don\xe2\x80\x99t tell", "[Don\xe2\x80\x99t tell]" },
		{ "off the record", "off \xf0\x9f\x98\x80 the record",
			"[off \xf0\x9f\x98\x80 the record]" },
	};

	(void)state;
	CHECK(s);
}

static void
letters_of_scripts_without_blanks_are_words_each(void **state)
{
	static const struct spelling s[] = {
		{ "内幕消息", "这是内幕消息吗", "[内幕消息]" },
		{ "内幕", "内 幕", "[内 幕]" },
		{ "保証", "元本保証です", "[保証]" },
		{ "กำไร", "รับกำไรแน่นอน", "[กำไร]" },
		{ "보장", "수익 보장", "[보장]" },
		{ "보장", "수익보장", "" },	/* Korean has blanks */
	};

	(void)state;
	CHECK(s);
}

static void
a_symbol_counts_where_a_phrase_has_it(void **state)
{
	static const struct spelling s[] = {
		{ "\xf0\x9f\xa4\xab", "psst\xf0\x9f\xa4\xab!", "[\xf0\x9f\xa4\xab]" },
		{ "\xf0\x9f\x91\x8d", "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd",
			"[\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd]" },
		{ "R$ 100", "por R$100 hoje", "[R$100]" },
		{ "R$ 100", "por R 100 hoje", "" },
		{ "C++", "c++ and c", "[c++]" },
		/* and does not get in the way of phrases that have none */
		{ "call me\n\xe2\x98\x8e", "call \xe2\x98\x8e me",
			"[call \xe2\x98\x8e me] [\xe2\x98\x8e]" },
	};

	(void)state;
	scan_bed_same(scan_bed_find("\xe2\x98\x8e me", "\xe2\x98\x8e me"),
	    "[\xe2\x98\x8e me]");
	CHECK(s);
}

static void
phrases_within_phrases_are_all_found(void **state)
{
	static const struct spelling s[] = {
		{ "a b c\nb c\nc\nb", "a b c", "[a b c] [b] [b c] [c]" },
		{ "a b c d\nb c x\nc", "a b c x", "[b c x] [c]" },
		{ "a a a\na a", "a a a a", "[a a] [a a a] [a a] [a a a] [a a]" },
	};

	(void)state;
	CHECK(s);
}

/* ---- spellings ------------------------------------------------------------------- */

static void
case_and_accents_do_not_matter(void **state)
{
	static const struct spelling s[] = {
		{ "informação privilegiada", "INFORMACAO Privilegiada",
			"[INFORMACAO Privilegiada]" },
		{ "informacao privilegiada", "informação privilegiada",
			"[informação privilegiada]" },
		{ "ПЕРЕВОД", "Перевод", "[Перевод]" },
		{ "ещё", "ЕЩЕ еще Ещё", "[ЕЩЕ] [еще] [Ещё]" },
		{ "strasse", "STRASSE Straße", "[STRASSE] [Straße]" },
		{ "istanbul", "\xc4\xb0stanbul \xc4\xb1stanbul",
			"[\xc4\xb0stanbul] [\xc4\xb1stanbul]" },
		{ "σίσυφος", "ΣΊΣΥΦΟΣ", "[ΣΊΣΥΦΟΣ]" },
		{ "lodz", "Łódź", "[Łódź]" },
	};

	(void)state;
	CHECK(s);
}

static void
combining_spelling_is_the_same_and_belongs_to_the_hit(void **state)
{
	static const struct spelling s[] = {
		{ "ação", "ac\xcc\xa7" "a\xcc\x83o!", "[ac\xcc\xa7" "a\xcc\x83o]" },
		{ "cafe", "cafe\xcc\x81.", "[cafe\xcc\x81]" },
		{ "cafe", "c\xcc\xb6" "a\xcc\xb6" "f\xcc\xb6" "e\xcc\xb6 x",
			"[c\xcc\xb6" "a\xcc\xb6" "f\xcc\xb6" "e\xcc\xb6]" },
		{ "1", "1\xef\xb8\x8f\xe2\x83\xa3", "[1\xef\xb8\x8f\xe2\x83\xa3]" },
	};

	(void)state;
	CHECK(s);
}

static void
full_width_and_decorated_letters_are_letters(void **state)
{
	static const struct spelling s[] = {
		{ "insider", "ｉｎｓｉｄｅｒ", "[ｉｎｓｉｄｅｒ]" },
		{ "insider", "ＩＮＳＩＤＥＲ", "[ＩＮＳＩＤＥＲ]" },
		{ "insider", "𝐢𝐧𝐬𝐢𝐝𝐞𝐫 𝓘𝓷𝓼𝓲𝓭𝓮𝓻 𝕚𝕟𝕤𝕚𝕕𝕖𝕣",
			"[𝐢𝐧𝐬𝐢𝐝𝐞𝐫] [𝓘𝓷𝓼𝓲𝓭𝓮𝓻] [𝕚𝕟𝕤𝕚𝕕𝕖𝕣]" },
		{ "insider", "ⓘⓝⓢⓘⓓⓔⓡ", "[ⓘⓝⓢⓘⓓⓔⓡ]" },
		{ "insider", "⒤⒩⒮⒤⒟⒠⒭", "[⒤⒩⒮⒤⒟⒠⒭]" },
		{ "insider", "ɪɴꜱɪᴅᴇʀ", "[ɪɴꜱɪᴅᴇʀ]" },
		{ "insider", "🅸🅽🆂🅸🅳🅴🆁", "[🅸🅽🆂🅸🅳🅴🆁]" },
		{ "office", "o\xef\xac\x83" "ce", "[o\xef\xac\x83" "ce]" },
	};

	(void)state;
	CHECK(s);
}

static void
what_is_not_seen_does_not_part_words(void **state)
{
	static const struct spelling s[] = {
		{ "telegram", "tele\xe2\x80\x8bgram", "[tele\xe2\x80\x8bgram]" },
		{ "telegram", "t\xe2\x80\x8d" "e\xe2\x81\xa0legram",
			"[t\xe2\x80\x8d" "e\xe2\x81\xa0legram]" },
		{ "telegram", "tele\xc2\xadgram", "[tele\xc2\xadgram]" },
		{ "telegram", "\xef\xbb\xbf" "telegram\xe2\x80\x8b.", "[telegram]" },
		{ "telegram", "tele\x01gram", "[tele\x01gram]" },
		{ "telegram", "tele\xef\xb8\x8fgram", "[tele\xef\xb8\x8fgram]" },
		{ "telegram", "\xe2\x80\xaetelegram", "[telegram]" },
		{ "telegram", "tele\xf3\xa0\x81\xa1gram",
			"[tele\xf3\xa0\x81\xa1gram]" },
		{ "tele gram", "tele\xe2\x80\x8bgram", "" },
	};

	(void)state;
	CHECK(s);
}

static void
look_alikes_within_a_word_do_not_hide_it(void **state)
{
	static const struct spelling s[] = {
		/* Cyrillic in Latin, Greek in Latin, all three */
		{ "telegram", "t\xd0\xb5legr\xd0\xb0m", "[t\xd0\xb5legr\xd0\xb0m]" },
		{ "insider", "ins\xce\xb9" "der", "[ins\xce\xb9" "der]" },
		{ "HIBOX", "\xd0\x9dIBO\xce\xa7", "[\xd0\x9dIBO\xce\xa7]" },
		{ "payment", "\xd1\x80\xd0\xb0\xd1\x83m\xd0\xb5nt",
			"[\xd1\x80\xd0\xb0\xd1\x83m\xd0\xb5nt]" },
		{ "telegram", "tєlegram", "[tєlegram]" },
		/* of scripts whose letters all look like Latin ones */
		{ "telegram", "ᎢᎬᏞᎬᏀᎡᎪᎷ", "[ᎢᎬᏞᎬᏀᎡᎪᎷ]" },
		{ "telegram", "ꓔꓰꓡꓰꓖꓣꓮꓟ", "[ꓔꓰꓡꓰꓖꓣꓮꓟ]" },
		/* Latin in Cyrillic */
		{ "перевод", "п" "e" "p" "e" "вод", "[пepeвод]" },
		{ "Москва", "MOCKBА", "[MOCKBА]" },
		/* what is the phrase's own spelling comes first */
		{ "сор", "сор", "[сор]" },
		{ "telegram", "телеграм", "" },
	};

	(void)state;
	CHECK(s);
}

static void
a_word_all_of_look_alikes_is_found_among_words_it_imitates(void **state)
{
	static const struct spelling s[] = {
		/* Cyrillic р-а-у in an English sentence */
		{ "pay", "please \xd1\x80\xd0\xb0\xd1\x83 now",
			"[\xd1\x80\xd0\xb0\xd1\x83]" },
		{ "pay me", "\xd1\x80\xd0\xb0\xd1\x83 me", "[\xd1\x80\xd0\xb0\xd1\x83 me]" },
		/* a Russian text is Russian */
		{ "pot", "рот и нос", "" },
	};

	(void)state;
	CHECK(s);
}

static void
arabic_is_found_without_vowels_and_stretching(void **state)
{
	static const struct spelling s[] = {
		{ "ربح مضمون", "هذا رِبْحٌ مَضْمُون.", "[رِبْحٌ مَضْمُون]" },
		{ "ربح مضمون", "ربـــح مضمـون", "[ربـــح مضمـون]" },
		{ "إلى", "الي", "[الي]" },
		{ "حوالة", "حواله", "[حواله]" },
		{ "ربح", "الربح", "" },
		{ "سلام", "\xef\xba\xb3\xef\xbb\xbc\xef\xbb\xa1",
			"[\xef\xba\xb3\xef\xbb\xbc\xef\xbb\xa1]" },
		{ "١٢٣", "رقم ١٢٣", "[١٢٣]" },
	};

	(void)state;
	CHECK(s);
}

static void
bytes_that_are_no_text_part_words(void **state)
{
	(void)state;
	scan_bed_same(scan_bed_find("a b\nab", "a\xff" "b ab\xc3"), "[a\xff" "b] [ab]");
	scan_bed_same(scan_bed_find("fee", "\xe2\x82 fee \xf0\x9f"), "[fee]");
	scan_bed_same(scan_bed_find_bytes("fee", "f\0ee\0", 5),
	    "[f");	/* the text shown ends at the NUL */
}

/* ---- places ---------------------------------------------------------------------- */

static void
places_are_bytes_of_the_text_as_given(void **state)
{
	static const char lines[] = "[category pay]\nwire  money = 7";
	static const char text[] = "Olá! ｗｉｒｅ\xe2\x80\x8b  mo\xcc\x81ney";
	struct scan_set *set = scan_set_new();
	struct scan_work *work = scan_work_new();
	const struct scan_hit *h;
	struct scan_result r;

	(void)state;
	assert_true(scan_set_lexicon(set, "fraud", "f.txt", lines,
	    strlen(lines), NULL, NULL, NULL));
	assert_true(scan_set_seal(set, NULL));
	assert_int_equal(scan_set_phrases(set), 1);
	scan_result_init(&r);
	scan_run(set, work, text, strlen(text), &r);
	assert_int_equal(r.hits->len, 1);
	h = &g_array_index(r.hits, struct scan_hit, 0);
	assert_int_equal(h->source, SCAN_LEXICON);
	assert_string_equal(h->name, "fraud");
	assert_string_equal(h->phrase, "f.txt:2");
	assert_string_equal(h->category, "pay");
	assert_int_equal(h->weight, 7);
	assert_int_equal(h->from, strlen("Olá! "));
	assert_int_equal(h->to, strlen(text));
	assert_int_equal(r.scripts, 1u << SCAN_LATIN);
	scan_result_clear(&r);
	scan_work_free(work);
	scan_set_free(set);
}

static void
a_long_text_is_read_to_its_end(void **state)
{
	const size_t len = 3u << 20;
	g_autofree char *text = g_malloc(len + 1);
	static const char phrase[] = "buy before the news";

	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		memset(text, 'x', len);
		for (size_t i = 99; i < len; i += 100)
			text[i] = ' ';
		memcpy(text + (1u << 20) - 10 - shift, phrase, strlen(phrase));
		text[(1u << 20) - 11 - shift] = ' ';
		text[(1u << 20) - 10 - shift + strlen(phrase)] = ' ';
		memcpy(text + len - strlen(phrase), phrase, strlen(phrase));
		text[len - strlen(phrase) - 1] = ' ';
		text[len] = '\0';
		scan_bed_same(scan_bed_find_bytes(phrase, text, len),
		    "[buy before the news] [buy before the news]");
	}
}

static void
a_word_longer_than_any_phrase_is_just_no_hit(void **state)
{
	g_autofree char *word = g_strnfill(100000, 'a');
	g_autofree char *text = g_strconcat("fee ", word, " fee", NULL);

	(void)state;
	scan_bed_same(scan_bed_find("fee\naaaa", text), "[fee] [fee]");
}

/* The words differ in their letters, for digits are words of their own. */
static void
a_hundred_thousand_phrases_are_each_found_and_named(void **state)
{
	struct scan_set *set = scan_set_new();
	struct scan_work *work = scan_work_new();
	g_autoptr(GString) lines = g_string_new(NULL);
	struct scan_result r;

	(void)state;
	for (int i = 0; i < 100000; i++)
		g_string_append_printf(lines, "w%c%c%c%c%c do\n",
		    'a' + i / 10000 % 10, 'a' + i / 1000 % 10,
		    'a' + i / 100 % 10, 'a' + i / 10 % 10, 'a' + i % 10);
	assert_true(scan_set_lexicon(set, "big", "big.txt", lines->str,
	    lines->len, NULL, NULL, NULL));
	assert_true(scan_set_seal(set, NULL));
	assert_int_equal(scan_set_phrases(set), 100000);
	scan_result_init(&r);
	scan_run(set, work, "waaaaa do, wedcba do, wjjjjj do, wjjjjk do", 42,
	    &r);
	assert_int_equal(r.hits->len, 3);
	assert_string_equal(g_array_index(r.hits, struct scan_hit, 0).phrase,
	    "big.txt:1");
	assert_string_equal(g_array_index(r.hits, struct scan_hit, 1).phrase,
	    "big.txt:43211");
	assert_string_equal(g_array_index(r.hits, struct scan_hit, 2).phrase,
	    "big.txt:100000");
	scan_result_clear(&r);
	scan_work_free(work);
	scan_set_free(set);
}

static void
beyond_the_most_hits_every_name_keeps_one_and_weights_their_sum(void **state)
{
	struct scan_set *set = scan_set_new();
	struct scan_work *work = scan_work_new();
	g_autoptr(GString) text = g_string_new(NULL);
	struct scan_result r;
	int sum = 0;

	(void)state;
	assert_true(scan_set_lexicon(set, "a", "a", "fee = 2", 7, NULL, NULL,
	    NULL));
	assert_true(scan_set_lexicon(set, "b", "b", "tax", 3, NULL, NULL,
	    NULL));
	assert_true(scan_set_seal(set, NULL));
	for (int i = 0; i < 3000; i++)
		g_string_append(text, "fee ");
	g_string_append(text, "tax tax");
	scan_result_init(&r);
	scan_run(set, work, text->str, text->len, &r);
	assert_int_equal(r.hits->len, SCAN_HITS_MAX + 1);
	for (guint i = 0; i < r.hits->len; i++)
		sum += g_array_index(r.hits, struct scan_hit, i).weight;
	assert_int_equal(sum, 3000 * 2 + 2);
	assert_string_equal(g_array_index(r.hits, struct scan_hit,
	    SCAN_HITS_MAX).name, "b");
	scan_result_clear(&r);
	scan_work_free(work);
	scan_set_free(set);
}

/* ---- near ------------------------------------------------------------------------ */

static void
near_finds_both_in_any_order_with_so_many_words_between(void **state)
{
	static const struct spelling s[] = {
		{ "send near/2 money", "send me the money", "[send me the money]" },
		{ "send near/2 money", "send me all the money", "" },
		{ "send near/2 money", "money, please send", "[money, please send]" },
		{ "send near/0 money", "send money", "[send money]" },
		{ "send near/0 money", "send the money", "" },
		{ "send near/5 money", "send send x money", "[send x money]" },
		{ "send near/5 money", "send", "" },
		{ "wire transfer near/3 new account",
			"new bank account. The new account for the wire transfer",
			"[new account for the wire transfer]" },
		{ "a near/3 a", "a x a", "[a x a]" },
		{ "a near/3 a", "a", "" },
		{ "bank near/3 bank transfer", "bank transfer", "" },
		{ "bank near/3 bank transfer", "bank, a bank transfer",
			"[bank, a bank transfer]" },
		{ "send NEAR/2 money = 4", "Send\xe2\x80\x8b money",
			"[Send\xe2\x80\x8b money]" },
		{ "\"send\" near/2 \"money\"", "send money", "[send money]" },
		{ "\"a near/2 b\"", "a near 2 b", "[a near 2 b]" },
		{ "near miss", "near miss", "[near miss]" },
		{ "\xf0\x9f\xa4\xab near/2 deal", "\xf0\x9f\xa4\xab it is a deal", "" },
		{ "\xf0\x9f\xa4\xab near/3 deal", "\xf0\x9f\xa4\xab it is a deal",
			"[\xf0\x9f\xa4\xab it is a deal]" },
	};

	(void)state;
	CHECK(s);
}

/* ---- files ------------------------------------------------------------------------ */

static void
note(void *arg, const char *file, unsigned line, int level, const char *text)
{
	g_string_append_printf(arg, "%s:%u:%s %.12s\n", file, line,
	    level > 0 ? "" : " warning:", text);
}

static char *
complaints(const char *lines, size_t len, bool *ok, struct err *err)
{
	struct scan_set *set = scan_set_new();
	GString *said = g_string_new(NULL);

	*ok = scan_set_lexicon(set, "l", "f", lines, len, note, said, err);
	scan_set_free(set);
	return g_string_free(said, FALSE);
}

static void
every_mistake_of_a_file_is_told_with_its_line(void **state)
{
	static const char lines[] =
	    "good phrase\n"
	    "!!!\n"			/* 2: no word */
	    "one two three four five six seven eight nine ten eleven twelve "
	    "thirteen fourteen fifteen sixteen seventeen\n"
	    "phrase = 0\n"
	    "phrase = 101\n"
	    "phrase = many\n"
	    "\"not closed\n"
	    "a near/51 b\n"
	    "a near/ b\n"
	    "near/3 b\n"			/* 10: nothing before it */
	    "a near/3\n"
	    "a near/3 b near/3 c\n"
	    "[section x]\n"
	    "[category a b]\n"
	    "[category ]\n"
	    "b\xff" "d\n"
	    "  # only a comment\n"
	    "= 5";
	struct err err = ERR_INIT;
	bool ok;
	g_autofree char *said = complaints(lines, sizeof(lines) - 1, &ok, &err);
	unsigned wrong = 0;

	(void)state;
	assert_false(ok);
	assert_int_equal(err.kind, ERR_CONF);
	assert_string_equal(err.what, "scan.lexicon");
	assert_non_null(strstr(err.text, "f has 16 lines with a mistake; "
	    "line 2: "));
	for (unsigned line = 2; line <= 18; line++) {
		g_autofree char *where = g_strdup_printf("f:%u: ", line);

		if (line == 17)
			assert_null(strstr(said, where));
		else if (strstr(said, where) == NULL)
			fail_msg("nothing is said of line %u:\n%s", line, said);
		wrong += line != 17;
	}
	assert_int_equal(wrong, 16);
}

static void
a_long_line_a_long_word_and_a_nul_are_mistakes(void **state)
{
	g_autofree char *word = g_strnfill(65, 'w');
	g_autofree char *line = g_strnfill(4097, ' ');
	struct err err = ERR_INIT;
	char *said;
	bool ok;

	(void)state;
	said = complaints(word, 65, &ok, &err);
	assert_false(ok);
	g_free(said);
	line[10] = 'w';
	said = complaints(line, 4097, &ok, &err);
	assert_false(ok);
	g_free(said);
	said = complaints("a\0b", 3, &ok, &err);
	assert_false(ok);
	g_free(said);
}

static void
a_phrase_given_twice_is_a_warning_and_counts_once(void **state)
{
	static const char lines[] = "off the record\nfees\nOff-the-Record = 3\n"
	    "a near/2 b\nb near/2 a\na near/3 b\n[category x]\nfees\n";
	bool ok;
	g_autofree char *said = complaints(lines, strlen(lines), &ok, NULL);

	(void)state;
	assert_true(ok);
	assert_string_equal(said, "f:3: warning: this phrase \n"
	    "f:5: warning: this phrase \n");
	scan_bed_same(scan_bed_find("fees\nFEES", "fees"), "[fees]");
}

static void
an_empty_file_is_a_warning(void **state)
{
	bool ok;
	g_autofree char *said = complaints("# nothing\n", 10, &ok, NULL);

	(void)state;
	assert_true(ok);
	assert_non_null(strstr(said, "f:1: warning: "));
}

static void
comments_quotes_and_line_ends_are_read_as_documented(void **state)
{
	static const struct spelling s[] = {
		{ "\xef\xbb\xbf" "fee # and why\r\n#tax\r\n", "fee tax and why",
			"[fee]" },
		{ "\"rate = 5%\" = 3", "rate 5", "[rate 5]" },
		{ "\"no # sign\"", "no sign", "[no sign]" },
		{ "c#", "c #", "[c]" },
		{ "  fee  =  3  # x", "fee", "[fee]" },
		{ "fee=3", "fee", "[fee]" },
	};

	(void)state;
	CHECK(s);
}

static void
a_phrase_of_a_rule_is_found_as_one_of_a_file(void **state)
{
	struct scan_set *set = scan_set_new();
	struct scan_work *work = scan_work_new();
	struct err err = ERR_INIT;
	struct scan_result r;
	const struct scan_hit *h;

	(void)state;
	assert_true(scan_set_phrase(set, "p:3", "Sure Thing", &err));
	assert_true(scan_set_phrase(set, "p:3", "send near/2 money", &err));
	assert_false(scan_set_phrase(set, "p:3", "...", &err));
	assert_int_equal(err.kind, ERR_CONF);
	assert_false(scan_set_phrase(set, "p:3", "a\xff", &err));
	assert_true(scan_set_seal(set, NULL));
	scan_result_init(&r);
	scan_run(set, work, "a sure thing", 12, &r);
	assert_int_equal(r.hits->len, 1);
	h = &g_array_index(r.hits, struct scan_hit, 0);
	assert_string_equal(h->name, "p:3");
	assert_string_equal(h->phrase, "Sure Thing");
	assert_string_equal(h->category, "");
	assert_int_equal(h->weight, 1);
	scan_result_clear(&r);
	scan_work_free(work);
	scan_set_free(set);
}

static void
more_phrases_than_the_most_are_refused(void **state)
{
	g_autoptr(GString) lines = g_string_new(NULL);
	struct err err = ERR_INIT;
	struct scan_set *set = scan_set_new();

	(void)state;
	for (int i = 0; i <= SCAN_PHRASES_MAX; i++)
		g_string_append_printf(lines, "w%d x%d\n", i % 5000, i);
	assert_false(scan_set_lexicon(set, "l", "f", lines->str, lines->len,
	    NULL, NULL, &err));
	assert_non_null(strstr(err.text, "f has 1 line with a mistake; "
	    "line 200001: "));
	assert_int_equal(scan_set_phrases(set), SCAN_PHRASES_MAX);
	assert_true(scan_set_seal(set, NULL));
	scan_set_free(set);
}

/* ---- scripts ------------------------------------------------------------------------ */

static void
scripts_are_those_of_letters(void **state)
{
	static const struct {
		const char *text;
		uint64_t scripts;
	} s[] = {
		{ "", 0 }, { "12 %! 🙂", 0 }, { "abc", 1u << SCAN_LATIN },
		{ "ção", 1u << SCAN_LATIN }, { "ｆｕｌｌ 𝐛", 1u << SCAN_LATIN },
		{ "да", 1u << SCAN_CYRILLIC }, { "Ω", 1u << SCAN_GREEK },
		{ "5 µm", 1u << SCAN_LATIN }, { "سلام", 1u << SCAN_ARABIC },
		{ "שלום", 1u << SCAN_HEBREW }, { "中文", 1u << SCAN_HAN },
		{ "かな カナ", 1u << SCAN_KANA }, { "한글", 1u << SCAN_HANGUL },
		{ "नमस्ते", 1u << SCAN_DEVANAGARI }, { "ไทย", 1u << SCAN_THAI },
		{ "გამარჯობა", 1u << SCAN_OTHER },
		{ "ok да", 1u << SCAN_LATIN | 1u << SCAN_CYRILLIC },
	};
	struct scan_set *set = scan_set_new();
	struct scan_work *work = scan_work_new();

	(void)state;
	assert_true(scan_set_seal(set, NULL));
	for (size_t i = 0; i < G_N_ELEMENTS(s); i++) {
		struct scan_result r;

		scan_result_init(&r);
		scan_run(set, work, s[i].text, strlen(s[i].text), &r);
		assert_int_equal(r.scripts, s[i].scripts);
		assert_int_equal(scan_scripts(s[i].text, strlen(s[i].text)),
		    s[i].scripts);
		scan_result_clear(&r);
	}
	scan_work_free(work);
	scan_set_free(set);
}

static void
every_script_has_a_name_that_is_read_back(void **state)
{
	enum scan_script s;

	(void)state;
	for (int i = 0; i < SCAN_SCRIPTS; i++) {
		assert_true(scan_script_parse(scan_script_name(
		    (enum scan_script)i), &s));
		assert_int_equal(s, i);
	}
	assert_false(scan_script_parse("klingon", &s));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_phrase_is_found_as_whole_words_only),
		cmocka_unit_test(between_words_any_blanks_and_punctuation_may_stand),
		cmocka_unit_test(letters_of_scripts_without_blanks_are_words_each),
		cmocka_unit_test(a_symbol_counts_where_a_phrase_has_it),
		cmocka_unit_test(phrases_within_phrases_are_all_found),
		cmocka_unit_test(case_and_accents_do_not_matter),
		cmocka_unit_test(combining_spelling_is_the_same_and_belongs_to_the_hit),
		cmocka_unit_test(full_width_and_decorated_letters_are_letters),
		cmocka_unit_test(what_is_not_seen_does_not_part_words),
		cmocka_unit_test(look_alikes_within_a_word_do_not_hide_it),
		cmocka_unit_test(a_word_all_of_look_alikes_is_found_among_words_it_imitates),
		cmocka_unit_test(arabic_is_found_without_vowels_and_stretching),
		cmocka_unit_test(bytes_that_are_no_text_part_words),
		cmocka_unit_test(places_are_bytes_of_the_text_as_given),
		cmocka_unit_test(a_long_text_is_read_to_its_end),
		cmocka_unit_test(a_word_longer_than_any_phrase_is_just_no_hit),
		cmocka_unit_test(
		    a_hundred_thousand_phrases_are_each_found_and_named),
		cmocka_unit_test(beyond_the_most_hits_every_name_keeps_one_and_weights_their_sum),
		cmocka_unit_test(near_finds_both_in_any_order_with_so_many_words_between),
		cmocka_unit_test(every_mistake_of_a_file_is_told_with_its_line),
		cmocka_unit_test(a_long_line_a_long_word_and_a_nul_are_mistakes),
		cmocka_unit_test(a_phrase_given_twice_is_a_warning_and_counts_once),
		cmocka_unit_test(an_empty_file_is_a_warning),
		cmocka_unit_test(comments_quotes_and_line_ends_are_read_as_documented),
		cmocka_unit_test(a_phrase_of_a_rule_is_found_as_one_of_a_file),
		cmocka_unit_test(more_phrases_than_the_most_are_refused),
		cmocka_unit_test(scripts_are_those_of_letters),
		cmocka_unit_test(every_script_has_a_name_that_is_read_back),
	};

	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
