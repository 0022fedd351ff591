/* SPDX-License-Identifier: Apache-2.0 */
/* scan: the lexicons that ship, and the engine beside PCRE2. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "io.h"
#include "scan.h"
#include "scan_bed.h"

/* ---- those that ship ---------------------------------------------------------------- */

static const char *const topics[] = { "off-channel", "guarantees", "insider",
	"complaints", "payment-fraud" };
static const char *const languages[] = { "en", "pt", "ru" };

static void
complain(void *arg, const char *file, unsigned line, int level,
    const char *text)
{
	(void)level;
	g_string_append_printf(arg, "%s:%u: %s\n", file, line, text);
}

/* Adds conf/lexicons/TOPIC.LANGUAGE.txt as the lexicon TOPIC. */
static void
load(struct scan_set *set, const char *topic, const char *language)
{
	const char *src = getenv("SRCDIR") != NULL ? getenv("SRCDIR") : ".";
	g_autofree char *file = g_strdup_printf("%s.%s.txt", topic, language);
	g_autofree char *path = g_build_filename(src, "conf", "lexicons", file,
	    NULL);
	g_autoptr(GString) said = g_string_new(NULL);
	g_autoptr(GBytes) bytes = NULL;
	struct err err = ERR_INIT;
	const char *text;
	gsize len;

	if (!io_file_load(path, 1 << 20, &bytes, &err))
		fail_msg("%s", err.text);
	text = g_bytes_get_data(bytes, &len);
	if (!scan_set_lexicon(set, topic, file, text, len, complain, said,
	    &err) || said->len > 0)
		fail_msg("%s", said->str);
}

static struct scan_set *
load_all(void)
{
	struct scan_set *set = scan_set_new();

	for (size_t t = 0; t < G_N_ELEMENTS(topics); t++) {
		for (size_t l = 0; l < G_N_ELEMENTS(languages); l++)
			load(set, topics[t], languages[l]);
	}
	assert_true(scan_set_seal(set, NULL));
	return set;
}

static void
every_lexicon_that_ships_parses_without_a_complaint(void **state)
{
	(void)state;
	for (size_t t = 0; t < G_N_ELEMENTS(topics); t++) {
		for (size_t l = 0; l < G_N_ELEMENTS(languages); l++) {
			struct scan_set *set = scan_set_new();

			load(set, topics[t], languages[l]);
			assert_in_range(scan_set_phrases(set), 25, 80);
			scan_set_free(set);
		}
	}
}

struct sentence {
	const char *text, *lexicon, *category;	/* of the first hit */
};

static void
they_find_what_they_are_for_in_sentences(void **state)
{
	static const struct sentence s[] = {
		{ "Hi Paul, let\xe2\x80\x99s take this offline, ok?",
			"off-channel", "other-channel" },
		{ "Message me on Tele\xe2\x80\x8bgram instead",
			"off-channel", "other-channel" },
		{ "careful, compliance are reading all of it",
			"off-channel", "other-channel" },
		{ "Please DELETE this message afterwards",
			"off-channel", "no-trace" },
		{ "Me chama no Telegram que te explico",
			"off-channel", "other-channel" },
		{ "apaga essa mensagem depois", "off-channel", "no-trace" },
		{ "Давайте в телеграм, там удобнее",
			"off-channel", "other-channel" },
		{ "удалите переписку, пожалуйста", "off-channel", "no-trace" },
		{ "It is a guaranteed return of 9% a year",
			"guarantees", "guarantee" },
		{ "I guarantee you will make a profit", "guarantees",
			"guarantee" },
		{ "É rentabilidade garantida, sem risco nenhum",
			"guarantees", "guarantee" },
		{ "Nao tem como perder", "guarantees", "guarantee" },
		{ "Это гарантированная доходность 20%",
			"guarantees", "guarantee" },
		{ "Решайте прямо сейчас", "guarantees", "pressure" },
		{ "I have some inside information about them",
			"insider", "inside" },
		{ "buy it before they announce", "insider", "inside" },
		{ "we could push the price up a bit", "insider", "abuse" },
		{ "Tenho informacao privilegiada sobre a empresa",
			"insider", "inside" },
		{ "vamos puxar o fechamento", "insider", "abuse" },
		{ "У меня инсайд, ещё не объявили", "insider", "inside" },
		{ "можно разогнать цену", "insider", "abuse" },
		{ "I would like to complain about my fees",
			"complaints", "complaint" },
		{ "My solicitor will write to you", "complaints", "legal" },
		{ "Quero fazer uma reclamação formal", "complaints",
			"complaint" },
		{ "vou ao Procon amanhã", "complaints", "legal" },
		{ "Хочу пожаловаться на менеджера", "complaints",
			"complaint" },
		{ "Я подам в суд!", "complaints", "legal" },
		{ "Our bank details have changed, see attached",
			"payment-fraud", "changed-account" },
		{ "Could you read me the code you received?",
			"payment-fraud", "credentials" },
		{ "I am in a meeting, please make the transfer now",
			"payment-fraud", "urgency" },
		{ "Oi mãe, esse é meu novo número", "payment-fraud",
			"impersonation" },
		{ "manda um PIX agora", "payment-fraud", "urgency" },
		{ "Назовите код из СМС", "payment-fraud", "credentials" },
		{ "переведите на безопасный счёт", "payment-fraud",
			"credentials" },
	};
	struct scan_set *set = load_all();
	struct scan_work *work = scan_work_new();

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(s); i++) {
		const struct scan_hit *h;
		struct scan_result r;

		scan_result_init(&r);
		scan_run(set, work, s[i].text, strlen(s[i].text), &r);
		if (r.hits->len == 0)
			fail_msg("nothing is found in: %s", s[i].text);
		h = &g_array_index(r.hits, struct scan_hit, 0);
		assert_string_equal(h->name, s[i].lexicon);
		assert_string_equal(h->category, s[i].category);
		scan_result_clear(&r);
	}
	scan_work_free(work);
	scan_set_free(set);
}

static void
they_find_nothing_in_everyday_messages(void **state)
{
	static const char *const s[] = {
		"Good morning Ana, could you confirm the transfer we discussed "
		"yesterday? It should leave the main account before noon.",
		"The meeting is on Thursday at ten, room 4. Please bring the "
		"signed form and your passport.",
		"Thanks a lot, that was very helpful. Have a nice weekend!",
		"The fund returned 4.2% last year; past performance is no "
		"indication of future results, and you may lose money.",
		"Bom dia, você pode confirmar a transferência de ontem? O extrato "
		"de março ainda não apareceu no portal.",
		"Obrigado pelo atendimento, foi excelente. Até amanhã!",
		"O fundo rendeu 4% no ano passado; há risco de perda.",
		"Доброе утро, подтвердите, пожалуйста, вчерашний перевод.",
		"Спасибо, всё получилось. Хороших выходных!",
		"Встреча в четверг в десять, возьмите паспорт.",
	};
	struct scan_set *set = load_all();
	struct scan_work *work = scan_work_new();

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(s); i++) {
		struct scan_result r;

		scan_result_init(&r);
		scan_run(set, work, s[i], strlen(s[i]), &r);
		scan_bed_same(scan_bed_show(&r, s[i]), "");
		scan_result_clear(&r);
	}
	scan_work_free(work);
	scan_set_free(set);
}

/* ---- beside PCRE2 -------------------------------------------------------------------- */

#define PHRASES 3000
#define CHUNK 250	/* PCRE2 refuses much larger ones */
#define TEXTS 200
#define TEXT_WORDS 60
#define EDGE "[\\p{L}\\p{N}\\p{M}]"

/* No two of them differ by accents alone. */
static const char *const vocabulary[] = {
	"account", "advance", "bank", "bonus", "call", "cash", "client",
	"confirm", "deal", "dinner", "fee", "form", "market", "money", "news",
	"order", "pay", "price", "profit", "return", "sell", "share", "tax",
	"ação", "atenção", "câmbio", "cartão", "conta", "crédito", "dinheiro",
	"fácil", "juros", "lucro", "não", "órgão", "preço", "prêmio", "saldo",
	"também", "título", "único", "você", "à", "às", "é",
	"акция", "банк", "брокер", "вклад", "деньги", "доход", "если",
	"карта", "купить", "между", "нами", "перевод", "прибыль", "рынок",
	"сделка", "счёт", "только", "цена", "чек", "я", "2026", "100k",
	"ربح", "مال", "سوق", "λόγος", "κέρδος", "straße",
};

static uint32_t
draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % below;
}

static const char *
draw_word(uint32_t *seed)
{
	return vocabulary[draw(seed, G_N_ELEMENTS(vocabulary))];
}

/*
 * None begins with another: where one is found no other is. seen has the
 * phrases and all that they begin with, the latter with a blank at the end.
 */
static bool
is_fresh(GHashTable *seen, const char *phrase)
{
	g_autofree char *longer = g_strconcat(phrase, " ", NULL);
	g_autofree char *s = g_strdup(phrase);
	char *blank;

	if (g_hash_table_contains(seen, longer))
		return false;
	do {
		if (g_hash_table_contains(seen, s))
			return false;
		blank = strrchr(s, ' ');
		if (blank != NULL)
			*blank = '\0';
	} while (blank != NULL);
	for (const char *at = strchr(phrase, ' '); at != NULL;
	    at = strchr(at + 1, ' '))
		g_hash_table_add(seen, g_strndup(phrase,
		    (gsize)(at - phrase) + 1));
	g_hash_table_add(seen, g_strdup(phrase));
	return true;
}

static GPtrArray *
make_phrases(uint32_t *seed)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL);
	GPtrArray *phrases = g_ptr_array_new_with_free_func(g_free);

	while (phrases->len < PHRASES) {
		g_autoptr(GString) s = g_string_new(draw_word(seed));
		uint32_t more = 1 + draw(seed, 3);

		for (uint32_t i = 0; i < more; i++)
			g_string_append_printf(s, " %s", draw_word(seed));
		if (is_fresh(seen, s->str))
			g_ptr_array_add(phrases, g_strdup(s->str));
	}
	return phrases;
}

static char *
make_text(uint32_t *seed)
{
	static const char *const gaps[] = { " ", " ", " ", "  ", "\n", ", ",
		"-", ". ", "x ", "\xc2\xa0" };
	GString *text = g_string_new(NULL);

	for (int i = 0; i < TEXT_WORDS; i++) {
		const char *word = draw_word(seed);
		g_autofree char *upper = g_utf8_strup(word, -1);

		g_string_append(text, draw(seed, 4) == 0 &&
		    strcmp(word, "straße") != 0 ? upper : word);
		g_string_append(text, gaps[draw(seed, G_N_ELEMENTS(gaps))]);
	}
	return g_string_free(text, FALSE);
}

static pcre2_code *
make_chunk(const GPtrArray *phrases, guint from)
{
	g_autoptr(GString) regex = g_string_new("(?<!" EDGE ")(?=((?:");
	pcre2_code *code;
	PCRE2_SIZE at;
	int error;

	for (guint i = from; i < from + CHUNK && i < phrases->len; i++) {
		g_auto(GStrv) words = g_strsplit(g_ptr_array_index(phrases, i),
		    " ", -1);
		g_autofree char *joined = g_strjoinv("[\\s\\p{P}]+", words);

		g_string_append_printf(regex, "%s%s", i > from ? "|" : "",
		    joined);
	}
	g_string_append(regex, "))(?!" EDGE "))");
	code = pcre2_compile((PCRE2_SPTR)regex->str, regex->len, PCRE2_UTF |
	    PCRE2_UCP | PCRE2_CASELESS, &error, &at, NULL);
	assert_non_null(code);
	pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	return code;
}

static void
match_chunk(const pcre2_code *code, const char *text, GPtrArray *out)
{
	pcre2_match_data *data = pcre2_match_data_create(2, NULL);
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data);
	size_t start = 0, len = strlen(text);

	while (start < len && pcre2_match(code, (PCRE2_SPTR)text, len, start,
	    0, data, NULL) > 0) {
		g_ptr_array_add(out, g_strdup_printf("%07zu-%07zu", at[2],
		    at[3]));
		start = at[0] + g_utf8_skip[(uint8_t)text[at[0]]];
	}
	pcre2_match_data_free(data);
}

static int
compare(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *
join(GPtrArray *places)
{
	g_ptr_array_sort(places, compare);
	g_ptr_array_add(places, NULL);
	return g_strjoinv(" ", (char **)places->pdata);
}

static char *
scan_places(const struct scan_set *set, struct scan_work *work,
    const char *text)
{
	g_autoptr(GPtrArray) places = g_ptr_array_new_with_free_func(g_free);
	struct scan_result r;

	scan_result_init(&r);
	scan_run(set, work, text, strlen(text), &r);
	for (guint i = 0; i < r.hits->len; i++) {
		const struct scan_hit *h = &g_array_index(r.hits,
		    struct scan_hit, i);

		g_ptr_array_add(places, g_strdup_printf("%07zu-%07zu", h->from,
		    h->to));
	}
	scan_result_clear(&r);
	return join(places);
}

static void
the_automaton_finds_what_pcre2_finds(void **state)
{
	uint32_t seed = 20260403;
	g_autoptr(GPtrArray) phrases = make_phrases(&seed);
	g_autoptr(GPtrArray) codes = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)pcre2_code_free);
	struct scan_set *set = scan_set_new();
	struct scan_work *work = scan_work_new();
	size_t found = 0;

	(void)state;
	for (guint i = 0; i < phrases->len; i++)
		assert_true(scan_set_phrase(set, "l",
		    g_ptr_array_index(phrases, i), NULL));
	assert_true(scan_set_seal(set, NULL));
	for (guint i = 0; i < phrases->len; i += CHUNK)
		g_ptr_array_add(codes, make_chunk(phrases, i));
	for (int i = 0; i < TEXTS; i++) {
		g_autofree char *text = make_text(&seed);
		g_autofree char *ours = scan_places(set, work, text);
		g_autoptr(GPtrArray) places =
		    g_ptr_array_new_with_free_func(g_free);

		for (guint k = 0; k < codes->len; k++)
			match_chunk(g_ptr_array_index(codes, k), text, places);
		found += places->len;
		scan_bed_same(join(places), ours);
	}
	assert_true(found > 500);
	scan_work_free(work);
	scan_set_free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_lexicon_that_ships_parses_without_a_complaint),
		cmocka_unit_test(they_find_what_they_are_for_in_sentences),
		cmocka_unit_test(they_find_nothing_in_everyday_messages),
		cmocka_unit_test(the_automaton_finds_what_pcre2_finds),
	};

	return cmocka_run_group_tests_name("scan_lexicons", tests, NULL, NULL);
}
