/* SPDX-License-Identifier: Apache-2.0 */
/* render: what the bank's rules did with a turn, and alerts of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "render_bed.h"

/* A turn and what the rules found of it. */
struct judged {
	struct fixture f;
	struct render_policy policy;
	GPtrArray *rules, *tags;
};

static GPtrArray *
words(const char *a, const char *b)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(list, g_strdup(a));
	if (b != NULL)
		g_ptr_array_add(list, g_strdup(b));
	return list;
}

static void
judge(struct judged *j)
{
	begin(&j->f);
	j->rules = words("card-numbers", NULL);
	j->tags = words("pan", "cards");
	j->policy = (struct render_policy){ .word = "flag", .flag = true,
		.rules = j->rules, .tags = j->tags, .set = "0123456789abcdef"
		"0123456789abcdef0123456789abcdef0123456789abcdef" };
	j->f.in.policy = &j->policy;
}

static void
unjudge(struct judged *j)
{
	end(&j->f);
	g_ptr_array_unref(j->rules);
	g_ptr_array_unref(j->tags);
}

static void
alert_of(const struct judged *j, const char *rule, int64_t swallowed,
    struct rendered *out)
{
	const struct render_style_conf none = { .language = NULL };
	const struct render_style *style;
	struct err err = ERR_INIT;

	if (!render_style_get(plain, &none, &style, &err) ||
	    !render_alert(plain, style, &j->f.in, rule, swallowed, out, &err))
		fail_msg("%s: %s", err.what, err.text);
}

static char *
bytes_of(const struct rendered *mail)
{
	return g_strndup(g_bytes_get_data(mail->bytes, NULL), mail->len);
}

static void
an_alert_tells_rule_people_and_mail_but_nothing_that_was_said(void **state)
{
	struct rendered alert = { 0 };
	g_autofree char *turn = NULL, *mail = NULL, *id = NULL;
	struct judged j;

	(void)state;
	judge(&j);
	set(&j.f.item->text, "4111 1111 1111 1111");
	turn = mail_of(&j.f);
	alert_of(&j, "card-numbers", 3, &alert);
	mail = bytes_of(&alert);
	assert_string_equal(alert.subject,
	    "Policy alert: card-numbers, incoming");
	check_field(mail, "Subject: Policy alert: card-numbers, incoming");
	check_field(mail, "X-ChatJournal-Alert: rule=card-numbers;"
	    " not-reported=3");
	assert_non_null(strstr(mail, "\r\nrule            card-numbers\r\n"));
	assert_non_null(strstr(mail, "\r\ntags            pan, cards\r\n"));
	assert_non_null(strstr(mail, "Ana Souza (customer), "));
	assert_non_null(strstr(mail, "3 alerts of this rule since"));
	assert_null(strstr(mail, "4111"));
	id = g_strndup(strstr(turn, "Message-ID: ") + 12, 35);
	assert_non_null(strstr(mail, id));
	rendered_clear(&alert);
	unjudge(&j);
}

static void
an_alert_of_the_same_rule_and_turn_is_the_same_mail(void **state)
{
	struct rendered a = { 0 }, again = { 0 }, other = { 0 };
	struct judged j;

	(void)state;
	judge(&j);
	alert_of(&j, "card-numbers", 0, &a);
	alert_of(&j, "card-numbers", 0, &again);
	alert_of(&j, "guarantees", 0, &other);
	assert_true(g_str_has_prefix(a.message_id, "a."));
	assert_string_equal(a.message_id, again.message_id);
	assert_true(g_bytes_equal(a.bytes, again.bytes));
	assert_memory_equal(a.sha256, again.sha256, HASH_SIZE);
	assert_string_not_equal(a.message_id, other.message_id);
	rendered_clear(&a);
	rendered_clear(&again);
	rendered_clear(&other);
	unjudge(&j);
}

static void
an_alert_keeps_the_form_of_a_mail(void **state)
{
	struct rendered alert = { 0 };
	g_autofree char *mail = NULL;
	struct judged j;

	(void)state;
	judge(&j);
	set(&j.f.item->counterpart.name, "Ana\r\nBcc: eve@evil.example");
	alert_of(&j, "rule\nX-Evil: 1", 1, &alert);
	mail = bytes_of(&alert);
	check_wire_form(mail);
	assert_null(strstr(mail, "\nX-Evil"));
	assert_null(strstr(mail, "\nBcc"));
	rendered_clear(&alert);
	unjudge(&j);
}

static void
every_kind_and_type_of_item_has_words(void **state)
{
	(void)state;
	for (int kind = 0; kind < ITEM_KINDS; kind++) {
		for (int type = 0; type < ITEM_TYPES; type++) {
			g_autofree char *mail = NULL;
			struct fixture f;

			begin(&f);
			f.item->kind = (enum item_kind)kind;
			f.item->type = (enum item_type)type;
			mail = mail_of(&f);
			check_wire_form(mail);
			assert_null(strstr(mail, "(null)"));
			end(&f);
		}
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_alert_tells_rule_people_and_mail_but_nothing_that_was_said),
		cmocka_unit_test(
		    an_alert_of_the_same_rule_and_turn_is_the_same_mail),
		cmocka_unit_test(an_alert_keeps_the_form_of_a_mail),
		cmocka_unit_test(every_kind_and_type_of_item_has_words),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
