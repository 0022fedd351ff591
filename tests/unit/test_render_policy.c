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

/* ---- rules in the mail ------------------------------------------------------- */

static void
rules_stand_in_header_and_text(void **state)
{
	GPtrArray *why = words("card-numbers: detect card at 3-22", NULL);
	g_autofree char *mail = NULL;
	struct judged j;

	(void)state;
	judge(&j);
	j.policy.why = why;
	j.policy.unsure = j.policy.not_here = j.rules;
	j.policy.retain = "7y";
	mail = mail_of(&j.f);
	check_field(mail, "X-ChatJournal-Policy: verdict=flag; "
	    "rules=card-numbers; unsure=card-numbers; "
	    "not-here=card-numbers; set=0123456789abcdef");
	check_field(mail, "X-ChatJournal-Flag: review");
	check_field(mail, "X-ChatJournal-Flag: pan");
	check_field(mail, "X-ChatJournal-Flag: cards");
	check_field(mail, "X-ChatJournal-Retention: 7y");
	check_text(&j.f, "*** FOR REVIEW: ");
	check_text(&j.f, "\n  because         card-numbers: detect card at "
	    "3-22\n");
	check_text(&j.f, "\n  rule set        0123456789abcdef0123456789abcdef"
	    "0123456789abcdef0123456789abcdef\n");
	unjudge(&j);
	g_ptr_array_unref(why);
}

static void
thousands_of_hits_are_counted_and_not_all_shown(void **state)
{
	GPtrArray *why = g_ptr_array_new_with_free_func(g_free);
	struct judged j;

	(void)state;
	judge(&j);
	for (int i = 0; i < 5000; i++)
		g_ptr_array_add(why, g_strdup_printf("rule: at %d", i));
	j.policy.why = why;
	check_text(&j.f, "\n  because         rule: at 0\n");
	check_text(&j.f, "\n  because         4800 more\n");
	unjudge(&j);
	g_ptr_array_unref(why);
}

static void
nothing_of_a_rule_adds_a_field_or_a_line(void **state)
{
	struct item_fact act = { (char *)(uintptr_t)"release\nX-Evil: 1",
		(char *)(uintptr_t)"rui\r\nBcc: eve@evil.example" };
	GPtrArray *reviews = g_ptr_array_new();
	GPtrArray *evil = words("a\r\nX-Evil: 2", NULL);
	g_autofree char *mail = NULL;
	struct judged j;

	(void)state;
	judge(&j);
	g_ptr_array_add(reviews, &act);
	j.policy.tags = j.policy.rules = j.policy.why = evil;
	j.policy.reviews = reviews;
	j.policy.retain = "7y\nX-Evil: 3";
	j.f.item->send = g_new0(struct item_send, 1);
	set(&j.f.item->send->application, "crm\r\nX-Evil: 4");
	set(&j.f.item->send->reason, "no\nX-Evil: 5");
	set(&j.f.item->send->outcome, "odd\nX-Evil: 6");
	mail = mail_of(&j.f);
	check_wire_form(mail);
	assert_null(strstr(mail, "\nX-Evil"));
	assert_null(strstr(mail, "\nBcc"));
	unjudge(&j);
	g_ptr_array_unref(reviews);
	g_ptr_array_unref(evil);
}

static void
a_mail_without_rules_says_nothing_of_them(void **state)
{
	g_autofree char *mail = NULL, *text = NULL;
	struct fixture f;

	(void)state;
	begin(&f);
	mail = mail_of(&f);
	text = text_of(mail);
	assert_null(strstr(mail, "X-ChatJournal-Policy"));
	assert_null(strstr(text, "Policy"));
	end(&f);
}

/* ---- names -------------------------------------------------------------------- */

static void
the_customer_file_is_trusted_before_the_contact_list(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.in.counterpart_name = "Ana (Itaim)";
	f.in.counterpart_name_source = "contact list";
	check_text(&f, "From            Ana (Itaim) (customer)\n");
	check_text(&f, "\n  name from       contact list\n");
	check_text(&f, "\n  profile name    Ana Souza\n");
	check_text_in("pt", &f, "\n  nome vem de     lista de contatos\n");
	f.customer.name = (char *)(uintptr_t)"Ana de Souza";
	f.in.customer = &f.customer;
	check_text(&f, "From            Ana de Souza (customer)\n");
	g_autofree char *mail = mail_of(&f);
	g_autofree char *text = text_of(mail);
	assert_null(strstr(text, "name from"));
	end(&f);
}

static void
an_employee_whom_no_directory_knows_is_named_by_id(void **state)
{
	g_autofree char *mail = NULL;
	struct fixture f;

	(void)state;
	begin(&f);
	f.item->direction = ITEM_SENT;
	f.item->author = ITEM_STAFF;
	f.in.employee = "ana.souza";
	mail = mail_of(&f);
	check_field(mail, "X-ChatJournal-Employee: id=ana.souza");
	check_text(&f, "\n  employee id     ana.souza\n");
	end(&f);
}

/* ---- sends --------------------------------------------------------------------- */

static void
send_with(struct fixture *f, const char *outcome)
{
	struct item_send *send;

	begin(f);
	f->item->kind = ITEM_ATTEMPT;
	f->item->direction = ITEM_SENT;
	f->item->author = ITEM_STAFF;
	send = item_send_get(f->item);
	set(&send->key, "s1");
	set(&send->outcome, outcome);
	set(&send->reason, "because of this");
}

static void
what_became_of_a_send_is_seen_before_it_is_read(void **state)
{
	static const struct {
		const char *outcome, *subject, *line;
	} rows[] = {
		{ "pending", "message to Ana Souza, journaled before it is "
			"sent", "PENDING: " },
		{ "refused", "message to Ana Souza, refused by WhatsApp",
			"NOT SENT: WhatsApp " },
		{ "blocked", "blocked message to Ana Souza", "BLOCKED " },
		{ "held", "held message to Ana Souza", "HELD: " },
		{ "rejected", "rejected message to Ana Souza", "REJECTED " },
		{ "expired", "expired message to Ana Souza", "EXPIRED: " },
		{ "not-sent", "message to Ana Souza, not sent",
			"NOT SENT: it " },
		{ "unknown", "message to Ana Souza, outcome unknown",
			"OUTCOME UNKNOWN: " },
		{ "reported", "message to Ana Souza, reported by another "
			"sender", "REPORTED " },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *mail = NULL, *text = NULL, *subject = NULL,
		    *top = NULL;
		struct fixture f;

		send_with(&f, rows[i].outcome);
		mail = mail_of(&f);
		text = text_of(mail);
		subject = g_strdup_printf("Subject: WhatsApp: Ana Souza - "
		    "+551140040001, %s", rows[i].subject);
		check_field(mail, subject);
		top = g_strdup_printf("\n*** %s", rows[i].line);
		assert_non_null(strstr(text, top));
		assert_true(strstr(text, top) < strstr(text, "--- 1/1"));
		assert_non_null(strstr(text, "because of this\n"));
		end(&f);
	}
}

static void
what_was_accepted_is_a_message_like_any_other(void **state)
{
	g_autofree char *mail = NULL, *text = NULL;
	struct fixture f;

	(void)state;
	send_with(&f, "accepted");
	f.item->kind = ITEM_MESSAGE;
	set(&f.item->send->text_before, "Bom dia, Ana");
	mail = mail_of(&f);
	text = text_of(mail);
	check_field(mail, "Subject: WhatsApp: Ana Souza - +551140040001, "
	    "1 message");
	assert_null(strstr(text, "***"));
	check_text(&f, "\n  gateway         sent, accepted by WhatsApp\n");
	check_text(&f, "\n  as staff wrote it\n\n    Bom dia, Ana\n");
	check_field(mail, "X-ChatJournal-Send: key=s1; outcome=accepted");
	end(&f);
}

static void
one_outcome_of_many_messages_is_told_once(void **state)
{
	g_autofree char *mail = NULL, *text = NULL;
	struct fixture f;

	(void)state;
	send_with(&f, "reported");
	f.item->kind = ITEM_MESSAGE;
	for (int i = 0; i < 3; i++) {
		struct item *more = text_item("wamid.MORE", "x");

		more->direction = ITEM_SENT;
		set(&item_send_get(more)->outcome, "reported");
		set(&item_send_get(more)->reason, "because of this");
		g_ptr_array_add(f.items, more);
	}
	mail = mail_of(&f);
	text = text_of(mail);
	assert_int_equal(count(text, "\n*** REPORTED"), 1);
	end(&f);
}

static void
a_send_that_is_resolved_says_which(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.item->kind = ITEM_SYSTEM;
	f.item->type = ITEM_TYPE_RESOLVED;
	f.item->author = ITEM_NETWORK;
	f.item->direction = ITEM_SENT;
	set(&f.item->text, NULL);
	set(&f.item->target, "wamid.SENT");
	set(&f.item->refers, "whatsapp|g|s1|unknown");
	set(&item_send_get(f.item)->key, "s1");
	check_text(&f, "a message whose outcome was unknown was sent");
	check_text(&f, "\n  gateway key     s1\n");
	check_text(&f, "\n  about message   wamid.SENT\n");
	end(&f);
}

/* ---- what is kept out ----------------------------------------------------------- */

static void
an_excluded_turn_leaves_a_record_under_its_own_id(void **state)
{
	g_autofree char *whole = NULL, *mail = NULL, *id = NULL, *text = NULL;
	struct judged j;

	(void)state;
	judge(&j);
	set(&j.f.item->text, "Meet me elsewhere");
	whole = mail_of(&j.f);
	j.f.in.is_excluded = true;
	j.f.in.exclude_rule = "no-chat";
	mail = mail_of(&j.f);
	text = text_of(mail);
	check_wire_form(mail);
	id = g_strndup(strstr(whole, "Message-ID: "), 47);
	assert_non_null(strstr(mail, id));
	check_field(mail, "Subject: WhatsApp: Ana Souza - +551140040001, "
	    "excluded by rule no-chat");
	check_field(mail, "X-ChatJournal-Excluded: rule=no-chat");
	assert_non_null(strstr(mail, "sha256="));
	assert_null(strstr(mail, "elsewhere"));
	assert_null(strstr(mail, "event.json"));
	assert_non_null(strstr(text, "\n  item SHA-256    "));
	unjudge(&j);
}

static void
an_original_is_not_told_by_the_record_of_its_answer(void **state)
{
	struct render_original o = { .held = true, .type = ITEM_TYPE_TEXT,
		.text = "The secret", .file = "secret.pdf", .at_ms = AT_MS };
	GPtrArray *originals = g_ptr_array_new();
	g_autofree char *mail = NULL;
	struct fixture f;

	(void)state;
	begin(&f);
	g_ptr_array_add(originals, &o);
	f.in.originals = originals;
	f.in.is_excluded = true;
	f.in.exclude_rule = "no-chat";
	mail = mail_of(&f);
	assert_null(strstr(mail, "secret"));
	end(&f);
	g_ptr_array_unref(originals);
}

static void
an_excluded_turn_without_any_shape_is_not_attached_either(void **state)
{
	g_autofree char *mail = NULL;
	struct fixture f;

	(void)state;
	begin(&f);
	f.item->kind = ITEM_NOTICE;
	f.item->type = ITEM_TYPE_RAW;
	f.in.is_excluded = true;
	mail = mail_of(&f);
	assert_null(strstr(mail, "Content-Disposition"));
	check_field(mail, "X-ChatJournal-Excluded: rule=unknown");
	end(&f);
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
		cmocka_unit_test(rules_stand_in_header_and_text),
		cmocka_unit_test(
		    thousands_of_hits_are_counted_and_not_all_shown),
		cmocka_unit_test(nothing_of_a_rule_adds_a_field_or_a_line),
		cmocka_unit_test(a_mail_without_rules_says_nothing_of_them),
		cmocka_unit_test(
		    the_customer_file_is_trusted_before_the_contact_list),
		cmocka_unit_test(
		    an_employee_whom_no_directory_knows_is_named_by_id),
		cmocka_unit_test(
		    what_became_of_a_send_is_seen_before_it_is_read),
		cmocka_unit_test(
		    what_was_accepted_is_a_message_like_any_other),
		cmocka_unit_test(one_outcome_of_many_messages_is_told_once),
		cmocka_unit_test(a_send_that_is_resolved_says_which),
		cmocka_unit_test(
		    an_excluded_turn_leaves_a_record_under_its_own_id),
		cmocka_unit_test(
		    an_original_is_not_told_by_the_record_of_its_answer),
		cmocka_unit_test(
		    an_excluded_turn_without_any_shape_is_not_attached_either),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
