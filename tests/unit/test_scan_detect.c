/* SPDX-License-Identifier: Apache-2.0 */
/* scan: numbers and addresses; hosts of links; patterns. */
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
#include "../../src/scan/scan_int.h"

struct sample {
	const char *text, *found;
};

static void
check(enum scan_detector d, const struct sample *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		scan_bed_same(scan_bed_detect(d, s[i].text), s[i].found);
}
#define CHECK(d, s) check(d, s, G_N_ELEMENTS(s))

/* ---- cards ----------------------------------------------------------------------- */

/* Numbers that the networks publish for tests, or made with the Luhn digit. */
static void
a_card_of_each_network_is_found(void **state)
{
	static const struct sample s[] = {
		{ "4111111111111111", "[4111111111111111]" },	/* Visa */
		{ "4222222222222", "[4222222222222]" },
		{ "5555555555554444", "[5555555555554444]" },	/* Mastercard */
		{ "2223003122003222", "[2223003122003222]" },
		{ "378282246310005", "[378282246310005]" },	/* Amex */
		{ "30569309025904", "[30569309025904]" },	/* Diners */
		{ "36227206271667", "[36227206271667]" },
		{ "6011111111111117", "[6011111111111117]" },	/* Discover */
		{ "6200000000000005", "[6200000000000005]" },	/* UnionPay */
		{ "6205500000000000004", "[6205500000000000004]" },
		{ "3566002020360505", "[3566002020360505]" },	/* JCB */
		{ "2200000000000004", "[2200000000000004]" },	/* Mir */
		{ "6759649826438453", "[6759649826438453]" },	/* Maestro */
		{ "6362970000457013", "[6362970000457013]" },	/* Elo */
		{ "6062826786276634", "[6062826786276634]" },	/* Hipercard */
	};

	(void)state;
	CHECK(SCAN_CARD, s);
}

static void
a_card_may_be_cut_into_groups(void **state)
{
	static const struct sample s[] = {
		{ "my card: 4111 1111 1111 1111, exp 12/28",
			"[4111 1111 1111 1111]" },
		{ "4111-1111-1111-1111", "[4111-1111-1111-1111]" },
		{ "4111 - 1111 - 1111 - 1111", "[4111 - 1111 - 1111 - 1111]" },
		{ "4111.1111.1111.1111", "[4111.1111.1111.1111]" },
		{ "3782 822463 10005", "[3782 822463 10005]" },
		{ "4111 1111 1111 1111 123", "[4111 1111 1111 1111]" },
		{ "on 12 4111 1111 1111 1111", "[4111 1111 1111 1111]" },
		{ "41 11 11 11 11 11 11 11", "[41 11 11 11 11 11 11 11]" },
		{ "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
			"[4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1]" },
		{ "4111111111111111/12/28", "[4111111111111111]" },
		{ "4111111111111111|12|28|123", "[4111111111111111]" },
		{ "4111111111111111 5555555555554444",
			"[4111111111111111] [5555555555554444]" },
	};

	(void)state;
	CHECK(SCAN_CARD, s);
}

static void
a_card_may_be_disguised(void **state)
{
	static const struct sample s[] = {
		{ "４１１１１１１１１１１１１１１１", "[４１１１１１１１１１１１１１１１]" },
		{ "4111\xe2\x80\x8b" "1111\xc2\xad" "11111111",
			"[4111\xe2\x80\x8b" "1111\xc2\xad" "11111111]" },
		{ "4111\xc2\xa0" "1111\xe2\x80\xaf" "1111\xe2\x80\x93" "1111",
			"[4111\xc2\xa0" "1111\xe2\x80\xaf" "1111\xe2\x80\x93" "1111]" },
		{ "4111\xc2\xa0" "1111\xc2\xa0" "1111\xc2\xa0" "1111",
			"[4111\xc2\xa0" "1111\xc2\xa0" "1111\xc2\xa0" "1111]" },
		{ "٤١١١١١١١١١١١١١١١", "[٤١١١١١١١١١١١١١١١]" },
		{ "карта4111111111111111", "[4111111111111111]" },
	};

	(void)state;
	CHECK(SCAN_CARD, s);
}

/* By one who knows that somebody looks. */
static void
a_card_is_found_whatever_parts_its_groups(void **state)
{
	static const struct sample s[] = {
		{ "4111:1111:1111:1111", "[4111:1111:1111:1111]" },
		{ "4111\n1111\n1111\n1111", "[4111\n1111\n1111\n1111]" },
		{ "4111*1111*1111*1111", "[4111*1111*1111*1111]" },
		{ "4111,1111,1111,1111", "[4111,1111,1111,1111]" },
		{ "4111_1111_1111_1111", "[4111_1111_1111_1111]" },
		{ "4111💳1111💳1111💳1111", "[4111💳1111💳1111💳1111]" },
		{ "3782*822463*10005", "[3782*822463*10005]" },
		{ "4111    1111    1111    1111",
			"[4111    1111    1111    1111]" },
		{ "4.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1",
			"[4.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1]" },
		{ "visa4111 1111 1111 1111ok", "[4111 1111 1111 1111]" },
		{ "4111 1111 1111 1111,00", "[4111 1111 1111 1111]" },
	};

	(void)state;
	CHECK(SCAN_CARD, s);
}

static void
what_only_looks_like_a_card_is_none(void **state)
{
	static const struct sample s[] = {
		{ "4111111111111112", "" },		/* Luhn */
		{ "9111111111111111", "" },		/* nobody's range */
		{ "411111111111111", "" },		/* 15 of Visa */
		{ "41111111111111111111", "" },		/* a longer run */
		{ "14111111111111111", "" },
		{ "ref4111111111111111", "" },
		{ "4111111111111111x", "" },
		{ "a_4111111111111111", "" },
		{ "0.4111111111111111", "" },
		{ "1,4111111111111111", "" },
		{ "+4111111111111111", "" },
		{ "4111\n1111\n1111\n1111\n1111", "" },	/* a row of more */
		{ "41 1111 1111 1111 11 99", "" },
		{ "4111, 1111, 1111, 1111", "" },
		{ "41111111,11111111", "" }, { "41111111\n11111111", "" },
		{ "_4111 1111 1111 1111", "" },
		{ "+4111 1111 1111 1111", "" },
		{ "call 4111 about 1111 1111 1111", "" },
	};

	(void)state;
	CHECK(SCAN_CARD, s);
}

static void
a_russian_card_is_one_of_mir(void **state)
{
	static const struct sample s[] = {
		{ "2200 0000 0000 0004", "[2200 0000 0000 0004]" },
		{ "2204 0000 0000 0000", "[2204 0000 0000 0000]" },
		{ "2205000000000009", "" }, { "4111111111111111", "" },
	};

	(void)state;
	CHECK(SCAN_CARD_RU, s);
}

/* ---- accounts and persons --------------------------------------------------------- */

static void
an_iban_has_its_countrys_form_and_remainder(void **state)
{
	static const struct sample s[] = {	/* of the registry */
		{ "GB29NWBK60161331926819", "[GB29NWBK60161331926819]" },
		{ "gb29 nwbk 6016 1331 9268 19 is it",
			"[gb29 nwbk 6016 1331 9268 19]" },
		{ "DE89370400440532013000", "[DE89370400440532013000]" },
		{ "IBAN: FR14 2004 1010 0505 0001 3M02 606.",
			"[FR14 2004 1010 0505 0001 3M02 606]" },
		{ "BR1800360305000010009795493C1",
			"[BR1800360305000010009795493C1]" },
		{ "PT50000201231234567890154", "[PT50000201231234567890154]" },
		{ "NO9386011117947", "[NO9386011117947]" },
		{ "MT84MALT011000012345MTLCAST001S",
			"[MT84MALT011000012345MTLCAST001S]" },
		{ "AE07-0331-2345-6789-0123-456", "[AE07-0331-2345-6789-0123-456]" },
		{ "ＤＥ８９３７０４００４４０５３２０１３０００",
			"[ＤＥ８９３７０４００４４０５３２０１３０００]" },
		{ "DE 89.3704.0044.0532.0130.00",
			"[DE 89.3704.0044.0532.0130.00]" },
		{ "DE89\n3704\n0044\n0532\n0130\n00",
			"[DE89\n3704\n0044\n0532\n0130\n00]" },
		{ "D E 8 9 3 7 0 4 0 0 4 4 0 5 3 2 0 1 3 0 0 0", "" },
		{ "IBANDE89370400440532013000", "[DE89370400440532013000]" },
		{ "ligue no 93 86 0111 17947", "" },	/* in Portuguese */
		{ "GB28NWBK60161331926819", "" },	/* remainder */
		{ "XX29NWBK60161331926819", "" },	/* no such country */
		{ "DE8937040044053201300", "" },	/* too short */
		{ "DE893704004405320130000", "" },	/* too long */
		{ "xDE89370400440532013000", "" },
		{ "DE89 3704 0044 0532 01AB 00", "" },	/* letters */
		{ "de20 meters from the house in the wood", "" },
	};

	(void)state;
	CHECK(SCAN_IBAN, s);
}

static void
a_cpf_has_both_check_digits(void **state)
{
	static const struct sample s[] = {
		{ "CPF 529.982.247-25.", "[529.982.247-25]" },
		{ "52998224725", "[52998224725]" },
		{ "529982247-25", "[529982247-25]" },
		{ "529 982 247 25", "[529 982 247 25]" },
		{ "529.982.247 25", "[529.982.247 25]" },
		{ "529/982/247/25", "[529/982/247/25]" },
		{ "529\n982\n247\n25", "[529\n982\n247\n25]" },
		{ "529,982,247-25", "[529,982,247-25]" },
		{ "5 2 9 9 8 2 2 4 7 2 5", "[5 2 9 9 8 2 2 4 7 2 5]" },
		{ "5 2 9 9 8 2 2 4 7 2 5 1", "" },
		{ "2 529.982.247-25", "[529.982.247-25]" },
		{ "529.982.247-26", "" }, { "529.982.247-35", "" },
		{ "111.111.111-11", "" }, { "00000000000", "" },
		{ "1.529.982.247-25", "" }, { "529982247250", "" },
		{ "52.998.224.725", "" }, { "+52998224725", "" },
	};

	(void)state;
	CHECK(SCAN_CPF, s);
}

static void
a_cnpj_may_have_letters_and_has_both_check_digits(void **state)
{
	static const struct sample s[] = {
		{ "CNPJ 11.222.333/0001-81", "[11.222.333/0001-81]" },
		{ "11222333000181", "[11222333000181]" },
		{ "11222333/0001-81", "[11222333/0001-81]" },
		{ "11 222 333 0001 81", "[11 222 333 0001 81]" },
		{ "11.222.333.0001.81", "[11.222.333.0001.81]" },
		{ "11222333 0001-81", "[11222333 0001-81]" },
		{ "12 ABC 345 01DE 35", "" },
		{ "12.ABC.345/01DE-35", "[12.ABC.345/01DE-35]" },
		{ "12ABC34501DE35", "[12ABC34501DE35]" },
		{ "12.abc.345/01de-35", "[12.abc.345/01de-35]" },
		{ "12abc34501de35", "" },
		{ "11.222.333/0001-82", "" }, { "11.222.333/0001-91", "" },
		{ "12.ABC.345/01DE-36", "" }, { "00.000.000/0000-00", "" },
		{ "112223330001812", "" }, { "9.11.222.333/0001-81", "" },
		{ "11222333000181A", "" },
	};

	(void)state;
	CHECK(SCAN_CNPJ, s);
}

static void
a_snils_has_its_control_number(void **state)
{
	static const struct sample s[] = {
		{ "СНИЛС 112-233-445 95", "[112-233-445 95]" },
		{ "11223344595", "[11223344595]" },
		{ "112 233 445 95", "[112 233 445 95]" },
		{ "112.233.445-95", "[112.233.445-95]" },
		{ "087-654-303 00", "[087-654-303 00]" },	/* sum 202 */
		{ "112-233-445 96", "" }, { "001-001-998 00", "" },
		{ "000-000-000 00", "" }, { "112233445950", "" },
		{ "3112-233-445 95", "" },
	};

	(void)state;
	CHECK(SCAN_SNILS, s);
}

static void
an_email_address_has_a_domain(void **state)
{
	static const struct sample s[] = {
		{ "mail ana.souza+x@bank.example.com.", "[ana.souza+x@bank.example.com]" },
		{ "<ana@x.co>, rui@y.pt", "[ana@x.co] [rui@y.pt]" },
		{ "ａｎａ＠ｘ．ｃｏｍ", "[ａｎａ＠ｘ．ｃｏｍ]" },
		{ "ana\xe2\x80\x8b@x.com", "[ana\xe2\x80\x8b@x.com]" },
		{ "почта@пример.рф", "[почта@пример.рф]" },
		{ "a@xn--e1afmkfd.xn--p1ai", "[a@xn--e1afmkfd.xn--p1ai]" },
		{ "a@x.com.5", "[a@x.com]" },
		{ "@ana", "" }, { "ana@", "" }, { "ana@host", "" },
		{ "a@b@c", "" }, { "ana@.com", "" }, { "a.@x.com", "" },
		{ "ana@x.c", "" }, { "ana@-x.com", "" },
	};

	(void)state;
	CHECK(SCAN_EMAIL, s);
}

static void
a_phone_number_is_international_or_has_a_national_form(void **state)
{
	static const struct sample s[] = {
		{ "+5511999990000", "[+5511999990000]" },
		{ "call +44 20 7946 0958, ok", "[+44 20 7946 0958]" },
		{ "+44 (0)20 7946 0958", "[+44 (0)20 7946 0958]" },
		{ "+7 (916) 123-45-67", "[+7 (916) 123-45-67]" },
		{ "＋４９１７１１２３４５６７", "[＋４９１７１１２３４５６７]" },
		{ "0049 171 1234567", "[0049 171 1234567]" },
		{ "(11) 99999-0000", "[(11) 99999-0000]" },
		{ "8 (916) 123-45-67", "[8 (916) 123-45-67]" },
		{ "8 916 123-45-67", "[8 916 123-45-67]" },
		{ "916 123-45-67", "[916 123-45-67]" },
		{ "020 7946 0958", "[020 7946 0958]" },
		{ "01 23 45 67 89", "[01 23 45 67 89]" },
		{ "030/123456", "[030/123456]" },
		{ "555-123-4567 10 am", "" },	/* no exchange begins with 1 */
		{ "555-223-4567 10 am", "[555-223-4567]" },
		{ "1-800-555-2345", "[1-800-555-2345]" },
		{ "11 99999-0000 hoje", "[11 99999-0000]" },
		{ "11 3333-4444", "[11 3333-4444]" },
	};

	(void)state;
	CHECK(SCAN_PHONE, s);
}

static void
amounts_dates_and_other_numbers_are_no_phone(void **state)
{
	static const struct sample s[] = {
		{ "5511999990000", "" }, { "+1234567", "" },
		{ "+1234567890123456", "" }, { "+0123456789", "" },
		{ "+1 000 000 000", "" }, { "1 000 000 000", "" },
		{ "1.000.000,00", "" }, { "2026-04-03 10:30", "" },
		{ "03.04.2026", "" }, { "03.04.2026 10.30", "" },
		{ "01 02 2026 1030", "" }, { "529.982.247-25", "" },
		{ "11.222.333/0001-81", "" }, { "10 2024-2026", "" },
		{ "4111 1111 1111 1111", "" }, { "200 300 4000", "" },
		{ "x+5511999990000", "" }, { "+5511999990000x", "" },
		{ "192.168.100.200", "" }, { "555-223-4567-89", "" },
	};

	(void)state;
	CHECK(SCAN_PHONE, s);
}

static void
detectors_are_looked_for_as_asked_and_have_names(void **state)
{
	static const char text[] = "a@x.com 4111111111111111";
	enum scan_detector d;
	struct scan_result r;

	(void)state;
	scan_result_init(&r);
	scan_detect(1u << SCAN_CARD | 1u << SCAN_EMAIL, text, strlen(text), &r);
	assert_int_equal(r.hits->len, 2);
	assert_string_equal(g_array_index(r.hits, struct scan_hit, 0).name,
	    "email");
	assert_int_equal(g_array_index(r.hits, struct scan_hit, 1).source,
	    SCAN_DETECTOR);
	scan_detect(0, text, strlen(text), &r);
	assert_int_equal(r.hits->len, 2);
	scan_detect(~0u, "", 0, &r);
	assert_int_equal(r.hits->len, 2);
	scan_result_clear(&r);
	for (int i = 0; i < SCAN_DETECTORS; i++) {
		assert_true(scan_detector_parse(scan_detector_name(
		    (enum scan_detector)i), &d));
		assert_int_equal(d, i);
	}
	assert_false(scan_detector_parse("dna", &d));
}

/* ---- hosts ------------------------------------------------------------------------ */

static char *
hosts_of(const char *text)
{
	g_autoptr(GPtrArray) hosts = scan_hosts(text, strlen(text));

	g_ptr_array_add(hosts, NULL);
	return g_strjoinv(" ", (char **)hosts->pdata);
}

static void
hosts_of_all_links_are_found_once(void **state)
{
	static const struct sample s[] = {
		{ "see https://T.me/Ana?x=1 and t.me/b", "t.me" },
		{ "join wa.me/5511999990000", "wa.me" },
		{ "www.bank.example/a", "www.bank.example" },
		{ "go to example.com. Thanks", "example.com" },
		{ "(example.com)", "example.com" },
		{ "http://google.com@evil.example:8080/x", "evil.example" },
		{ "HTTP:\\\\evil.example\\x", "evil.example" },
		{ "http://192.0.2.1/x http://[2001:db8::1]:80/",
			"192.0.2.1 2001:db8::1" },
		{ "ｔ．ｍｅ／ｘ", "t.me" },
		{ "t\xe2\x80\x8b.me/x", "t.me" },
		{ "例え。com/x", "例え.com" },
		{ "пример.рф и Пример.РФ", "пример.рф" },
		{ "xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai" },
		{ "a.co b.io a.co", "a.co b.io" },
		{ "host:8080/x", "" },
		{ "intranet.local:8080/x", "intranet.local" },
		{ "https://x", "x" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(s); i++)
		scan_bed_same(hosts_of(s[i].text), s[i].found);
}

static void
a_text_made_to_be_slow_is_not(void **state)
{
	g_autoptr(GString) text = g_string_new("x");

	(void)state;
	/* Marks in the wrong order, then names that are all different. */
	for (int i = 0; i < 200000; i++)
		g_string_append(text, i % 2 == 0 ? "\xcc\x81" : "\xcc\xa7");
	for (int i = 0; i < 50000; i++)
		g_string_append_printf(text, " h%d.com", i);
	g_autoptr(GPtrArray) hosts = scan_hosts(text->str, text->len);
	assert_int_equal(hosts->len, 50000);
}

static void
what_only_has_dots_is_no_link(void **state)
{
	static const char *const s[] = { "", "ana@example.com", "3.14",
		"the end.Next one", "Конец.Начало", "e.g. this", "1.2.3.4",
		"report.pdf", "note: // x", "...", "a..com", "://", "http://",
		"a@b.com@c.com", ".", "10.5/2" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(s); i++)
		scan_bed_same(hosts_of(s[i]), "");
}

static void
a_host_is_under_its_domain(void **state)
{
	(void)state;
	assert_true(scan_host_is_under("t.me", "t.me"));
	assert_true(scan_host_is_under("web.t.me", "T.ME"));
	assert_true(scan_host_is_under("web.t.me", ".t.me"));
	assert_false(scan_host_is_under("cat.me", "t.me"));
	assert_false(scan_host_is_under("me", "t.me"));
	assert_false(scan_host_is_under("t.me", ""));
	assert_false(scan_host_is_under("t.me.evil.example", "t.me"));
}

/* ---- patterns --------------------------------------------------------------------- */

static void
match(const char *regex, const char *text, const char *found)
{
	scan_bed_same(scan_bed_match(regex, text, strlen(text)), found);
}

static void
a_pattern_is_of_unicode_and_without_case(void **state)
{
	(void)state;
	match("\\b\\d{5}-\\d\\b", "conta 12345-6 e 98765-4.", "[12345-6] [98765-4]");
	match("приват", "ПРИВАТ и приват", "[ПРИВАТ] [приват]");
	match("\\w+ção", "a INFORMAÇÃO", "[INFORMAÇÃO]");
	match("(?-i)ABC", "abc ABC", "[ABC]");
	match("\\bs\\b", "ſ", "[ſ]");
	match("s", "\xc5\xbf" "S", "[\xc5\xbf] [S]");
	match("x", "", "");
}

static void
a_pattern_of_ascii_decides_on_ascii_as_on_any_text(void **state)
{
	static const char *const regexes[] = { "\\b\\w+\\b", "\\d+",
		"[[:punct:]]+", "\\s+", "k", "[^a-z\\x{ad}]+", "\\p{Lu}+",
		"(?<!\\d)\\d{2}(?!\\d)", "[[:alpha:]]{3,}", "\\x{e9}?a",
		"a.c", "^\\S+", "[[:^alnum:]]\\x{ad}?(?=[ab])" };
	static const char text[] = "Kay pays 12, then 345_6 (a-c)\ta\vb; ok?";

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(regexes); i++) {
		g_autofree char *ascii = scan_bed_match(regexes[i], text,
		    strlen(text));
		/* One more at the end, and it is any text. */
		g_autofree char *longer = g_strconcat(text, "\xc2\xad", NULL);

		assert_true(*ascii == '[');
		scan_bed_same(scan_bed_match(regexes[i], longer,
		    strlen(longer)), ascii);
	}
}

/* With a digit of another script behind it, \d is not [0-9]. */
static void
a_pattern_of_digits_decides_on_plain_digits_as_on_any(void **state)
{
	static const char *const regexes[] = { "\\d+", "\\b\\d{2}\\b",
		"[\\d.]+", "[^\\d\\s\\x{b9}]+", "\\D\\d", "[]\\d]+", "[^]\\d\\x{b9}]+",
		"\\\\d|ç", "[[:alpha:]\\d]{4,}", "[\\]\\d]+", "[\\\\d]+",
		"(?ix)\\d # [ \n \\d", "(?#[)\\d\\d", "\\Q[\\E?\\d" };
	static const char text[] = "Açaí 12, 345-6.7 ]8[ conta9 \\d ";

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(regexes); i++) {
		g_autofree char *plain = scan_bed_match(regexes[i], text,
		    strlen(text));
		g_autofree char *longer = g_strconcat(text, "\xc2\xb9", NULL);

		assert_true(*plain == '[');
		scan_bed_same(scan_bed_match(regexes[i], longer,
		    strlen(longer)), plain);
	}
	match("\\d+", "٤٢ 7", "[٤٢] [7]");
}

static void
a_pattern_sees_through_what_is_not_seen(void **state)
{
	(void)state;
	match("\\d{5}-\\d", "conta 12\xe2\x80\x8b" "345-6\xe2\x80\x8b!",
	    "[12\xe2\x80\x8b" "345-6]");
	match("\\x{200b}", "a\xe2\x80\x8b" "b", "[\xe2\x80\x8b]");
	match("ab", "a\xe2\x80\x8b" "b ab", "[a\xe2\x80\x8b" "b] [ab]");
	match("a.b", "a\xff" "b", "[a\xff" "b]");
	match("b$", "\xff\xc2\xad" "b", "[b]");
	match("^.$", "\xff", "[\xff]");
	scan_bed_same(scan_bed_match("a.?b", "a\0b", 3), "[a");
}

/* What it says they need, as "signs digits". */
static char *
needs(const char *regex)
{
	GString *out = g_string_new(NULL);
	struct scan_need need;

	scan_need_read(regex, &need);
	for (unsigned c = 0; c < 128; c++) {
		if ((need.ascii[c / 64] >> c % 64 & 1) != 0)
			g_string_append_c(out, (char)c);
	}
	g_string_append_printf(out, " %u", need.digits);
	return g_string_free(out, FALSE);
}

static void
a_text_without_what_a_pattern_needs_is_not_searched(void **state)
{
	static const struct sample s[] = {
		{ "\\b\\d{5}-\\d\\b", "- 6" }, { "ab+c?d*e", "abe 0" },
		{ "ABC", "abc 0" }, { "ask", "a 0" },	/* K, long s */
		{ "a|b", " 0" }, { "(a|b)c", "c 0" }, { "[ab]c", "c 0" },
		{ "[]a]c", "c 0" }, { "[^]a]c", "c 0" }, { "[\\]a]c", "c 0" },
		{ "[[:digit:]]c", "c 0" }, { "([)]|\\))c", "c 0" },
		{ "a{0}b", "b 0" }, { "a{0,}b", "b 0" }, { "a{2,3}?b", "ab 0" },
		{ "a{,3}b", " 0" }, { "a{b", " 0" }, { "a{2}{0}b", " 0" },
		{ "a+{0}b", " 0" }, { "a++b", "ab 0" },
		{ "[0-9]{3}\\d+", " 4" }, { "\\d?\\d*\\d{2,9}", " 2" },
		{ "\\p{L}a", " 0" }, { "\\x{41}a", " 0" }, { "(a)\\1b", " 0" },
		{ "\\.\\@\\w", ".@ 0" }, { "çb?ã", " 0" }, { "a(?#b)c", " 0" },
		{ "(?x)a b", " 0" }, { "(?i)a", "a 0" }, { "\\Qa\\E?b", " 0" },
		{ "(*ACCEPT)a", " 0" }, { "a(?=b)(?!c)", "a 0" },
		{ "^a.$", "a 0" }, { "", " 0" }, { "a(b", " 0" }, { "a[b", " 0" },
		{ "a\\", " 0" }, { "\\Kab", " 0" }, { "\\d{999}\\d{999}", " 0" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(s); i++)
		scan_bed_same(needs(s[i].text), s[i].found);
	match("ask", "\xe2\x84\xaa: A\xc5\xbf\xe2\x84\xaa",
	    "[A\xc5\xbf\xe2\x84\xaa]");
	match("\\d{2}a", "٤٢a", "[٤٢a]");
}

static void
an_empty_match_counts_once(void **state)
{
	(void)state;
	match("(?=.*foo)(?=.*bar)", "a bar and foo", "[]");
	match("(?=.*foo)(?=.*bar)", "a bar", "");
	match("x*", "aaa", "[]");
}

static void
a_pattern_that_meets_a_limit_is_unsure(void **state)
{
	g_autofree char *text = g_strnfill(40, 'a');

	(void)state;
	match("(a+)+$", text, "[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]");
	text[39] = '!';
	match("(a+)+$", text, "unsure");
	/* what was found before it stays */
	text[0] = 'b';
	text[1] = ' ';
	match("^b|(a+)+$", text, "[b] unsure");
}

static void
a_long_text_gets_fewer_steps_at_each_place(void **state)
{
	g_autofree char *text = g_strnfill(1 << 20, 'a');

	(void)state;
	for (size_t i = 20; i < 1 << 20; i += 21)
		text[i] = ' ';
	scan_bed_same(scan_bed_match("(a+a+)+[bc]", text, 1 << 20),
	    "unsure");
	scan_bed_same(scan_bed_match("a{21}", text, 1 << 20), "");
}

static void
at_most_a_hundred_hits_of_a_pattern_are_kept(void **state)
{
	g_autofree char *text = g_strnfill(1000, 'a');
	struct scan_set *set = scan_set_new();
	struct scan_work *work = scan_work_new();
	struct scan_result r;

	(void)state;
	assert_true(scan_set_pattern(set, "p", "a", NULL));
	assert_true(scan_set_seal(set, NULL));
	scan_result_init(&r);
	scan_run(set, work, text, 1000, &r);
	assert_int_equal(r.hits->len, 100);
	assert_string_equal(g_array_index(r.hits, struct scan_hit, 0).name,
	    "p");
	assert_null(g_array_index(r.hits, struct scan_hit, 0).phrase);
	scan_result_clear(&r);
	scan_work_free(work);
	scan_set_free(set);
}

static void
a_pattern_that_is_none_is_refused_with_its_place(void **state)
{
	struct scan_set *set = scan_set_new();
	struct err err = ERR_INIT;

	(void)state;
	assert_false(scan_set_pattern(set, "iban", "ab(c", &err));
	assert_int_equal(err.kind, ERR_CONF);
	assert_string_equal(err.what, "scan.pattern");
	assert_string_equal(err.text, "pattern iban: at offset 4: missing "
	    "closing parenthesis");
	assert_false(scan_set_pattern(set, "c", "a\\Cb", &err));
	assert_false(scan_set_pattern(set, "c", "a\xff", &err));
	scan_set_free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_card_of_each_network_is_found),
		cmocka_unit_test(a_card_may_be_cut_into_groups),
		cmocka_unit_test(a_card_may_be_disguised),
		cmocka_unit_test(a_card_is_found_whatever_parts_its_groups),
		cmocka_unit_test(what_only_looks_like_a_card_is_none),
		cmocka_unit_test(a_russian_card_is_one_of_mir),
		cmocka_unit_test(an_iban_has_its_countrys_form_and_remainder),
		cmocka_unit_test(a_cpf_has_both_check_digits),
		cmocka_unit_test(a_cnpj_may_have_letters_and_has_both_check_digits),
		cmocka_unit_test(a_snils_has_its_control_number),
		cmocka_unit_test(an_email_address_has_a_domain),
		cmocka_unit_test(a_phone_number_is_international_or_has_a_national_form),
		cmocka_unit_test(amounts_dates_and_other_numbers_are_no_phone),
		cmocka_unit_test(detectors_are_looked_for_as_asked_and_have_names),
		cmocka_unit_test(hosts_of_all_links_are_found_once),
		cmocka_unit_test(a_text_made_to_be_slow_is_not),
		cmocka_unit_test(what_only_has_dots_is_no_link),
		cmocka_unit_test(a_host_is_under_its_domain),
		cmocka_unit_test(a_pattern_is_of_unicode_and_without_case),
		cmocka_unit_test(a_pattern_of_ascii_decides_on_ascii_as_on_any_text),
		cmocka_unit_test(a_pattern_of_digits_decides_on_plain_digits_as_on_any),
		cmocka_unit_test(a_pattern_sees_through_what_is_not_seen),
		cmocka_unit_test(a_text_without_what_a_pattern_needs_is_not_searched),
		cmocka_unit_test(an_empty_match_counts_once),
		cmocka_unit_test(a_pattern_that_meets_a_limit_is_unsure),
		cmocka_unit_test(a_long_text_gets_fewer_steps_at_each_place),
		cmocka_unit_test(at_most_a_hundred_hits_of_a_pattern_are_kept),
		cmocka_unit_test(a_pattern_that_is_none_is_refused_with_its_place),
	};

	return cmocka_run_group_tests_name("scan_detect", tests, NULL, NULL);
}
