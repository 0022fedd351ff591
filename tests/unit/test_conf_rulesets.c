/* SPDX-License-Identifier: Apache-2.0 */
/* The rule sets that are shipped: compiled, and what they make of messages. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf_help.h"
#include "policy_bed.h"

static const char *const shipped[] = { "conf/policy.conf.sample",
	"conf/policy/brazil.conf", "conf/policy/fca.conf",
	"conf/policy/finra.conf" };

#define GATEWAY_BLOCK "gateway { application crm { token_file /t; } }\n"

/* Beside a gateway and, unless none of its rules uses one, a supervisor. */
static struct conf *
load_shipped(const char *name, GString *messages)
{
	char *dir = make_dir(), *source = realpath(getenv("SRCDIR"), NULL);
	g_autofree char *policy = g_build_filename(source, name, NULL);
	g_autofree char *main_file = put_file(dir, "c.conf",
	    strstr(name, "sample") != NULL ? GATEWAY_BLOCK MINIMAL :
	    GATEWAY_BLOCK "media { clamd /s; } "
	    "journal supervisor { maildir /sup; }\n" MINIMAL);
	struct conf *c = NULL;

	free(source);
	conf_load_policy(main_file, policy, &c, messages, NULL);
	drop_dir(dir);
	return c;
}

/* The bed takes the rules over; their texts stay with c. */
static struct conf *
set_up(struct policy_bed *b, const char *name)
{
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = load_shipped(name, got);

	if (c == NULL || got->len > 0)
		fail_msg("%s: %s", name, got->str);
	policy_bed_init(b);
	policy_source_free(b->source);
	b->source = g_steal_pointer(&c->policy);
	policy_bed_compile(b);
	return c;
}

static void
each_shipped_rule_set_is_without_mistakes_and_warnings(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(shipped); i++) {
		struct policy_bed bed;
		struct conf *c = set_up(&bed, shipped[i]);

		if (bed.issues->len > 0)
			fail_msg("%s: %s", shipped[i],
			    (const char *)bed.issues->pdata[0]);
		assert_true(bed.source->rules->len >= 3);
		policy_bed_clear(&bed);
		conf_free(c);
	}
}

static char *
fired_by(const struct policy_verdict *v)
{
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < v->fired->len; i++) {
		const struct policy_fired *f = v->fired->pdata[i];

		if (strcmp(f->rule, "retention") != 0)
			g_string_append_printf(out, "%s%s",
			    out->len > 0 ? " " : "", f->rule);
	}
	return g_string_free(out, FALSE);
}

/* Somebody known writes with somebody known, on a Wednesday or a Sunday. */
#define WHO "now=2026-03-04T15:00:01Z; person=n:1; employee=E1; "
#define WORKDAY WHO "time=2026-03-04T15:00:00Z; "
#define SUNDAY WHO "time=2026-03-01T15:00:00Z; "
#define STAFF WORKDAY "direction=sent; author=staff; "
#define GATEWAY STAFF "at=gateway; "
#define CUSTOMER WORKDAY "direction=received; author=customer; customer=C1; "

struct row {
	const char *set, *scene, *fired, *word;
};

static void
check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		g_autofree char *name = g_strdup_printf("conf/policy%s.conf%s",
		    rows[i].set, *rows[i].set == '\0' ? ".sample" : "");
		struct policy_bed bed;
		struct conf *c = set_up(&bed, name);
		struct policy_verdict *v = policy_bed_judge(&bed,
		    rows[i].scene);
		g_autofree char *fired = fired_by(v);

		if (strcmp(fired, rows[i].fired) != 0 ||
		    strcmp(policy_verdict_word(v), rows[i].word) != 0)
			fail_msg("%s, %s: got %s (%s)", name, rows[i].scene,
			    fired, policy_verdict_word(v));
		policy_verdict_free(v);
		policy_bed_clear(&bed);
		conf_free(c);
	}
}

static void
talk_about_the_weather_is_nobodys_business(void **state)
{
	static const struct row rows[] = {
		{ "", CUSTOMER "text=What a lovely day", "", "deliver" },
		{ "/fca", CUSTOMER "text=What a lovely day", "", "deliver" },
		{ "/fca", STAFF "text=See you on Monday", "", "deliver" },
		{ "/finra", STAFF "text=See you on Monday", "", "deliver" },
		{ "/brazil", STAFF "text=Bom dia, tudo bem?", "", "deliver" },
		{ "/brazil", CUSTOMER "text=Bom dia", "", "deliver" },
	};

	(void)state;
	check_rows(rows, G_N_ELEMENTS(rows));
}

static void
what_harms_by_itself_is_stopped_at_the_gateway(void **state)
{
	static const struct row rows[] = {
		{ "", GATEWAY "text=card 4111 1111 1111 1111", "card-numbers",
			"block" },
		{ "", GATEWAY "group=Compliance; text=4111111111111111", "",
			"deliver" },
		{ "", GATEWAY "text=about DL-123456", "card-numbers",
			"block" },
		{ "/fca", GATEWAY "text=card 4111 1111 1111 1111",
			"account-data disclosure", "block" },
		{ "/fca", CUSTOMER "text=card 4111 1111 1111 1111",
			"account-data", "flag" },
		{ "/finra", GATEWAY "text=SSN 123-45-6789",
			"customer-data notice", "block" },
		{ "/brazil", GATEWAY "consent=given; text=CPF 529.982.247-25",
			"personal-data account-data", "block" },
		{ "/brazil", CUSTOMER "text=CPF 529.982.247-25",
			"personal-data", "deliver" },
		{ "/fca", GATEWAY "type=document; "
			"file=x.EXE|application/x-msdownload|9|clean",
			"programs", "block" },
		{ "/finra", CUSTOMER "type=document; "
			"file=a.pdf|application/pdf|9|infected", "malware",
			"flag" },
	};

	(void)state;
	check_rows(rows, G_N_ELEMENTS(rows));
}

static void
a_file_that_nothing_scanned_is_marked_and_does_not_hide_malware(void **state)
{
	static const struct row rows[] = {
		{ "/fca", GATEWAY "type=document; "
			"file=a.pdf|application/pdf|9|unscanned", "unscanned",
			"deliver" },
		{ "/finra", CUSTOMER "type=document; "
			"file=a.pdf|application/pdf|9|unknown", "unscanned",
			"deliver" },
		{ "/fca", GATEWAY "type=template; "
			"file=a.pdf|application/pdf|9|unscanned; "
			"file=b.pdf|application/pdf|9|infected",
			"malware unscanned", "block" },
		{ "/finra", CUSTOMER "type=template; "
			"file=a.pdf|application/pdf|9|infected; "
			"file=b.pdf|application/pdf|9|unknown",
			"malware unscanned", "flag" },
		{ "/brazil", CUSTOMER "type=template; "
			"file=a.pdf|application/pdf|9|infected; "
			"file=b.pdf|application/pdf|9|unscanned",
			"malware unscanned", "flag" },
		{ "/brazil", CUSTOMER "type=document; "
			"file=a.pdf|application/pdf|9|clean", "", "deliver" },
		{ "/brazil", GATEWAY "type=document; "
			"file=a.pdf|application/pdf|9|infected", "malware",
			"block" },
	};

	(void)state;
	check_rows(rows, G_N_ELEMENTS(rows));
}

static void
words_of_an_ordinary_day_stop_and_alarm_nobody(void **state)
{
	static const struct row rows[] = {
		{ "/fca", STAFF "text=Sure thing, I will send it today", "",
			"deliver" },
		{ "/fca", STAFF "text=Your one-time password comes by post",
			"", "deliver" },
		{ "/fca", GATEWAY "text=There is no guaranteed return",
			"guarantees disclosure", "flag" },
		{ "/fca", CUSTOMER "text=My lawyer and I will sign the deed",
			"", "deliver" },
		{ "/finra", STAFF "text=The payment must go out today", "",
			"deliver" },
		{ "/finra", CUSTOMER "text=Please call my mobile", "",
			"deliver" },
		{ "/brazil", CUSTOMER "text=O boleto ainda não saiu", "",
			"deliver" },
		{ "/brazil", STAFF "text=Por aqui não consigo ver o saldo",
			"", "deliver" },
		{ "/brazil", GATEWAY "text=Não há risco cambial",
			"guarantees", "flag" },
		{ "/brazil", CUSTOMER "text=Qual o telefone da ouvidoria?",
			"", "deliver" },
	};

	(void)state;
	check_rows(rows, G_N_ELEMENTS(rows));
}

static void
lures_promises_and_complaints_are_found_in_their_language(void **state)
{
	static const struct row rows[] = {
		{ "/fca", STAFF "text=Let us move to telegram please",
			"off-channel", "flag" },
		{ "/fca", GATEWAY "text=Let us move to telegram please",
			"off-channel off-channel-send disclosure", "hold" },
		{ "/finra", CUSTOMER "text=Move to TELEGRAM!", "off-channel",
			"flag" },
		{ "/fca", CUSTOMER "text=see https://t.me/x",
			"other-messengers", "flag" },
		{ "/fca", STAFF "text=You can't lose!", "guarantees", "flag" },
		{ "/fca", GATEWAY "text=You can't lose!",
			"guarantees guarantees-send disclosure", "block" },
		{ "/finra", GATEWAY "text=You can't lose!",
			"promissory promissory-approval notice", "hold" },
		{ "/finra", GATEWAY "group=Registered Principals; "
			"text=You can't lose!", "promissory notice",
			"flag" },
		{ "/finra", GATEWAY "groups-unknown; text=You can't lose!",
			"promissory promissory-approval notice", "hold" },
		{ "/fca", CUSTOMER "text=This is a COMPLAINT", "complaints",
			"flag" },
		{ "/brazil", CUSTOMER "text=quero fazer uma reclamação",
			"complaints", "flag" },
		{ "/brazil", CUSTOMER "text=I want to complain.",
			"complaints", "flag" },
	};

	(void)state;
	check_rows(rows, G_N_ELEMENTS(rows));
}

static void
consent_follows_what_the_customer_says(void **state)
{
	static const struct row rows[] = {
		{ "/brazil", CUSTOMER "text=SAIR", "leaves", "flag" },
		{ "/brazil", CUSTOMER "text=não quero mais receber.",
			"leaves", "flag" },
		{ "/brazil", CUSTOMER "text=Aceito mensagens!", "agrees",
			"deliver" },
		{ "/brazil", CUSTOMER "text=Não aceito mensagens", "",
			"deliver" },
		{ "/brazil", CUSTOMER "text=Aceito a proposta", "",
			"deliver" },
		{ "/brazil", CUSTOMER "text=Posso sair do fundo?", "",
			"deliver" },
		{ "/brazil", CUSTOMER "text=vou ter de sair mais cedo do "
			"escritório hoje para buscar as crianças", "",
			"deliver" },
		{ "/brazil", STAFF "consent=withdrawn; text=Bom dia",
			"after-withdrawal", "flag" },
		{ "/brazil", GATEWAY "type=template; template=oferta",
			"templates-need-consent", "block" },
		{ "/brazil", GATEWAY "consent=given; type=template; "
			"template=oferta", "templates-need-consent",
			"deliver" },
	};

	(void)state;
	check_rows(rows, G_N_ELEMENTS(rows));
}

static void
hours_and_strangers_are_marked_and_not_stopped(void **state)
{
	static const struct row rows[] = {
		{ "", SUNDAY "direction=sent; text=x", "night", "deliver" },
		{ "/fca", SUNDAY "direction=sent; author=staff; text=x",
			"out-of-hours", "deliver" },
		{ "/finra", SUNDAY "direction=sent; author=staff; text=x",
			"out-of-hours", "deliver" },
		{ "/brazil", SUNDAY "direction=sent; author=staff; text=x",
			"out-of-hours", "deliver" },
		{ "/fca", WORKDAY "direction=received; new; text=hello",
			"stranger", "deliver" },
		{ "/fca", CUSTOMER "text=Привет", "not-english", "flag" },
	};

	(void)state;
	check_rows(rows, G_N_ELEMENTS(rows));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_shipped_rule_set_is_without_mistakes_and_warnings),
		cmocka_unit_test(talk_about_the_weather_is_nobodys_business),
		cmocka_unit_test(what_harms_by_itself_is_stopped_at_the_gateway),
		cmocka_unit_test(a_file_that_nothing_scanned_is_marked_and_does_not_hide_malware),
		cmocka_unit_test(words_of_an_ordinary_day_stop_and_alarm_nobody),
		cmocka_unit_test(lures_promises_and_complaints_are_found_in_their_language),
		cmocka_unit_test(consent_follows_what_the_customer_says),
		cmocka_unit_test(hours_and_strangers_are_marked_and_not_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
