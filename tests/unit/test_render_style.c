/* SPDX-License-Identifier: Apache-2.0 */
/* render: what journals want otherwise, in the header of their mails. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "item.h"
#include "render.h"
#include "mail_bed.h"
#include "../../src/render/render_int.h"

static struct render *renderer;

static int
setup(void **state)
{
	(void)state;
	renderer = bed_renderer(NULL, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	render_free(renderer);
	return 0;
}

static GPtrArray *
list_of(const char *const *strings)
{
	GPtrArray *out = g_ptr_array_new();

	for (; *strings != NULL; strings++)
		g_ptr_array_add(out, (gpointer)(uintptr_t)*strings);
	return out;
}

#define LIST(...) list_of((const char *const[]){ __VA_ARGS__, NULL })

static const struct render_style *
get(const struct render_style_conf *conf)
{
	const struct render_style *style = NULL;
	struct err err = ERR_INIT;

	if (!render_style_get(renderer, conf, &style, &err))
		fail_msg("%s", err.text);
	return style;
}

static void
equal_wishes_give_one_style(void **state)
{
	g_autoptr(GPtrArray) one = LIST("X-A", "1", "X-B", "2");
	g_autoptr(GPtrArray) same = LIST("X-A", "1", "X-B", "2");
	g_autoptr(GPtrArray) turned = LIST("X-B", "2", "X-A", "1");
	struct render_style_conf a = { .headers = one, .max_files = 16 };
	struct render_style_conf b = { .headers = same, .max_files = 16,
		.language = "en" };
	struct render_style_conf c = { .headers = turned, .max_files = 16 };
	struct render_style_conf d = { .renames = one, .max_files = 16 };

	(void)state;
	assert_ptr_equal(get(&a), get(&b));
	assert_ptr_not_equal(get(&a), get(&c));
	b.max_files = 17;
	assert_ptr_not_equal(get(&a), get(&b));
	assert_false(render_style_get(renderer, &d, &(const struct
	    render_style *){ NULL }, NULL));
}

/* "pair": name and value of a header; "rename": ours and theirs. */
static const struct {
	const char *what, *name, *value, *why;
} refused[] = {
	{ "pair", "From", "x@y", "From" },
	{ "pair", "SUBJECT", "x", "SUBJECT" },
	{ "pair", "Content-Type", "text/plain", "Content-Type" },
	{ "pair", "content-identifier", "ExJournalReport", "content-" },
	{ "pair", "Received", "by piler", "Received" },
	{ "pair", "Resent-To", "x@y", "Resent-To" },
	{ "pair", "MIME-Version", "1.0", "MIME-Version" },
	{ "pair", "Sender", "x@y", "Sender" },
	{ "pair", "X-MS-Journal-Report", "x", "X-MS-Journal-Report" },
	{ "pair", "X-piler-id", "1", "X-piler-id" },
	{ "pair", "X-ChatJournal-Event", "x", "X-ChatJournal-Event" },
	{ "pair", "List-Id", "x", "List-Id" },
	{ "pair", "Thread-Index", "x", "Thread-Index" },
	{ "pair", "", "x", "not the name" },
	{ "pair", "X A", "x", "not the name" },
	{ "pair", "X:A", "x", "not the name" },
	{ "pair", "X-\xc3\xa4", "x", "not the name" },
	{ "pair", "X-A\r\nBcc", "x", "not the name" },
	{ "pair", "X-A", "", "empty" },
	{ "pair", "X-A", "   ", "empty" },
	{ "pair", "X-A", "a\nBcc: x@y", "line break" },
	{ "pair", "X-A", "a\r\n\r\nbody", "line break" },
	{ "pair", "X-A", "a\tb", "control" },
	{ "pair", "X-A", "a\xff", "UTF-8" },
	{ "rename", "X-ChatJournal-Nothing", "X-A", "can be renamed" },
	{ "rename", "From", "X-A", "can be renamed" },
	{ "rename", "List-Id", "To", "To" },
	{ "rename", "List-Id", "X A", "not the name" },
	{ "rename", "List-Id", "X-ChatJournal-Items", "X-ChatJournal-Items" },
	{ "recipients", "Bcc", NULL, "Bcc" },
	/* The transport takes these out, or one of two. */
	{ "recipients", "Original-Recipient", NULL, "Original-Recipient" },
	{ "pair", "Disposition-Notification-To", "a@bank.example",
	    "Disposition-Notification-To" },
	{ "recipients", "X:", NULL, "not the name" },
};

static void
a_header_that_would_change_what_a_mail_is_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_autoptr(GPtrArray) list = LIST(refused[i].name,
		    refused[i].value);
		bool is_pair = g_str_equal(refused[i].what, "pair");
		bool is_rename = g_str_equal(refused[i].what, "rename");
		struct render_style_conf conf = {
			.headers = is_pair ? list : NULL,
			.renames = is_rename ? list : NULL,
			.recipient_headers = is_pair || is_rename ? NULL
			    : list };
		const struct render_style *style = NULL;
		struct err err = ERR_INIT;

		if (render_style_get(renderer, &conf, &style, &err))
			fail_msg("row %zu was accepted", i);
		assert_null(style);
		assert_int_equal(err.kind, ERR_CONF);
		assert_string_equal(err.what, "render.header");
		if (strstr(err.text, refused[i].why) == NULL)
			fail_msg("row %zu: %s", i, err.text);
	}
}

static void
one_name_for_two_headers_is_refused(void **state)
{
	g_autoptr(GPtrArray) twice = LIST("List-Id", "X-A",
	    "X-ChatJournal-Items", "x-a");
	g_autoptr(GPtrArray) again = LIST("List-Id", "X-A", "list-id", "X-B");
	g_autoptr(GPtrArray) rename = LIST("List-Id", "X-A");
	g_autoptr(GPtrArray) header = LIST("X-A", "1");
	g_autoptr(GPtrArray) name = LIST("X-A");
	const struct render_style_conf rows[] = {
		{ .renames = twice }, { .renames = again },
		{ .renames = rename, .headers = header },
		{ .renames = rename, .recipient_headers = name },
		{ .headers = header, .recipient_headers = name },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct render_style *style;
		struct err err = ERR_INIT;

		assert_false(render_style_get(renderer, &rows[i], &style,
		    &err));
		assert_non_null(strstr(err.text, "twice"));
	}
}

static void
a_limit_below_what_a_mail_needs_is_refused(void **state)
{
	const struct render_style_conf rows[] = { { .max_bytes = 1000 },
		{ .max_bytes = -1 }, { .max_files = -1 },
		{ .max_age_ms = -1 } };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct render_style *style;
		struct err err = ERR_INIT;

		assert_false(render_style_get(renderer, &rows[i], &style,
		    &err));
		assert_int_equal(err.kind, ERR_CONF);
	}
}

/* src/deliver takes nothing that is as large as INT_MAX. */
static void
no_mail_is_made_that_no_transport_can_take(void **state)
{
	static const int64_t limits[] = { 0, INT64_C(2) << 30 };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
		const struct render_style_conf conf = {
			.max_bytes = limits[i] };
		const struct render_style *style;
		struct err err = ERR_INIT;

		assert_true(render_style_get(renderer, &conf, &style, &err));
		assert_true(style->max_bytes > 0);
		assert_true(style->max_bytes < INT_MAX - 1024);
		assert_false(render_fits(style, INT_MAX - 1024, 1));
	}
}

static void
added_headers_keep_their_case_and_order(void **state)
{
	g_autoptr(GPtrArray) headers = LIST("x-kvs-MessageType", "WhatsApp",
	    "X-GlobalRelay-MsgType", "WhatsApp Archive", "Precedence", "bulk",
	    "X-Bank", "Zürich");
	struct render_style_conf conf = { .headers = headers };
	struct bed b;

	(void)state;
	bed_begin(&b);
	g_autofree char *mail = bed_mail(&b, renderer, get(&conf));

	assert_non_null(strstr(mail, "\r\nx-kvs-MessageType: WhatsApp\r\n"
	    "X-GlobalRelay-MsgType: WhatsApp Archive\r\n"
	    "Precedence: bulk\r\n"
	    "X-Bank: =?utf-8?B?WsO8cmljaA==?=\r\nMIME-Version: 1.0\r\n"));
	bed_end(&b);
}

static void
a_long_value_is_folded_but_a_word_of_it_is_not(void **state)
{
	g_autofree char *word = g_strnfill(500, 'w');
	g_autofree char *value = g_strdup_printf("<ITEM> %s =?x?= %s", word,
	    word);
	g_autofree char *want = g_strdup_printf("\r\nX-Kvs-IndexData: <ITEM>"
	    "\r\n %s\r\n =?x?=\r\n %s\r\n", word, word);
	g_autoptr(GPtrArray) headers = LIST("X-Kvs-IndexData", value);
	struct render_style_conf conf = { .headers = headers };
	struct bed b;

	(void)state;
	bed_begin(&b);
	g_autofree char *mail = bed_mail(&b, renderer, get(&conf));

	assert_non_null(strstr(mail, want));
	bed_end(&b);
}

static void
our_headers_are_called_what_the_archive_calls_them(void **state)
{
	g_autoptr(GPtrArray) renames = LIST("x-chatjournal-event", "X-Kind",
	    "Conversation-ID", "X-Talk", "List-Id", "X-Line",
	    "X-ChatJournal-Item", "X-Thing");
	struct render_style_conf conf = { .renames = renames };
	struct bed b;

	(void)state;
	bed_begin(&b);
	g_autofree char *mail = bed_mail(&b, renderer, get(&conf));

	assert_non_null(strstr(mail, "\r\nX-Kind: message\r\n"));
	assert_non_null(strstr(mail, "\r\nX-Talk: c."));
	assert_non_null(strstr(mail, "\r\nX-Line: <wa-"));
	assert_non_null(strstr(mail, "\r\nX-Thing: id=wamid.ONE; "));
	assert_null(strstr(mail, "X-ChatJournal-Event:"));
	assert_null(strstr(mail, "Conversation-ID:"));
	assert_null(strstr(mail, "List-Id:"));
	assert_null(strstr(mail, "X-ChatJournal-Item:"));
	assert_non_null(strstr(mail, "\r\nX-ChatJournal-Items: 1\r\n"));
	bed_end(&b);
}

static void
every_field_of_our_own_in_the_manual_page_can_be_renamed(void **state)
{
	const char *src = getenv("SRCDIR");
	g_autofree char *path = g_build_filename(src != NULL ? src : ".",
	    "doc", "man", "chatjournal-headers.7", NULL);
	g_autofree char *page = NULL;
	size_t n = 0;

	(void)state;
	assert_true(g_file_get_contents(path, &page, NULL, NULL));
	for (const char *p = page; (p = strstr(p, "\n.It Li X-ChatJournal-"))
	    != NULL; n++) {
		g_autofree char *name = NULL;

		p += strlen("\n.It Li ");
		name = g_strndup(p, strcspn(p, "\n"));
		g_autoptr(GPtrArray) renames = LIST(name, "X-Other");
		struct render_style_conf conf = { .renames = renames };

		get(&conf);
	}
	assert_true(n >= 16);
}

static void
a_recipient_header_lists_all_addresses_of_the_mail(void **state)
{
	g_autoptr(GPtrArray) names = LIST("X-ZANTAZ-RECIP", "X-Envelope-To");
	struct render_style_conf conf = { .recipient_headers = names };
	struct bed b;

	(void)state;
	bed_begin(&b);
	b.item->group_id = g_strdup("GROUP");
	g_autofree char *mail = bed_mail(&b, renderer, get(&conf));
	g_autofree char *first = bed_field(mail, "X-ZANTAZ-RECIP");
	g_autofree char *second = bed_field(mail, "X-Envelope-To");
	g_auto(GStrv) addresses = g_strsplit(first, ", ", -1);

	assert_string_equal(first, second);
	assert_int_equal(g_strv_length(addresses), 3);
	assert_string_equal(addresses[0],
	    "wa-5511999990000@whatsapp.bank.example");
	assert_string_equal(addresses[1],
	    "wa-551140040001@whatsapp.bank.example");
	assert_true(g_str_has_prefix(addresses[2], "wag-"));
	bed_end(&b);
}

static void
a_mail_older_than_the_archive_takes_is_flagged(void **state)
{
	const int64_t day = INT64_C(86400000);
	struct render_style_conf conf = { .max_age_ms = 30 * day };
	struct bed b;

	(void)state;
	bed_begin(&b);
	b.in.now_ms = BED_AT_MS + 30 * day;
	g_autofree char *young = bed_mail(&b, renderer, get(&conf));

	assert_null(strstr(young, "X-ChatJournal-Age"));
	b.in.now_ms += 10 * day;
	g_autofree char *old = bed_mail(&b, renderer, get(&conf));
	g_autofree char *age = bed_field(old, "X-ChatJournal-Age");

	assert_string_equal(age, "age=960h; limit=720h");
	conf.max_age_ms = 0;
	g_autofree char *never = bed_mail(&b, renderer, get(&conf));

	assert_null(strstr(never, "X-ChatJournal-Age"));
	bed_end(&b);
}

static void
what_an_item_is_about_is_told_as_far_as_it_is_held(void **state)
{
	struct render_original o = { .held = true, .type = ITEM_TYPE_TEXT,
		.direction = ITEM_SENT, .at_ms = BED_AT_MS - 60000,
		.text = "before" };
	g_autoptr(GPtrArray) originals = g_ptr_array_new();
	struct bed b;

	(void)state;
	bed_begin(&b);
	b.item->target = g_strdup("wamid.ZERO");
	g_ptr_array_add(originals, &o);
	b.in.originals = originals;
	g_autofree char *held = bed_mail(&b, renderer, NULL);
	g_autofree char *field = bed_field(held, "X-ChatJournal-Original");

	assert_string_equal(field, "id=wamid.ZERO; held=yes; "
	    "at=2026-02-03T14:04:09Z; type=text; direction=sent");
	o.held = false;
	g_autofree char *lost = bed_mail(&b, renderer, NULL);
	g_autofree char *other = bed_field(lost, "X-ChatJournal-Original");

	assert_string_equal(other, "id=wamid.ZERO; held=no");
	originals->pdata[0] = NULL;
	g_autofree char *none = bed_mail(&b, renderer, NULL);

	assert_null(strstr(none, "X-ChatJournal-Original"));
	bed_end(&b);
}

/* --- Thread-Index --- */

static GBytes *
index_of(const char *mail)
{
	g_autofree char *field = bed_field(mail, "Thread-Index");
	gsize len;
	guchar *raw = g_base64_decode(field, &len);

	return g_bytes_new_take(raw, len);
}

static int64_t
child_ms(const uint8_t *p)
{
	uint32_t delta = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
	int64_t units = (int64_t)(delta & 0x7fffffff) <<
	    (delta & 0x80000000 ? 23 : 18);

	return INT64_C(1577836800000) + units / 10000;
}

static void
a_thread_index_has_one_head_per_conversation_and_a_block_per_mail(void **state)
{
	struct render_style_conf conf = { .thread_index = true };
	struct bed b;

	(void)state;
	bed_begin(&b);
	g_autofree char *one = bed_mail(&b, renderer, get(&conf));
	g_autoptr(GBytes) first = index_of(one);
	const uint8_t *p = g_bytes_get_data(first, NULL);

	assert_int_equal(g_bytes_get_size(first), 27);
	/* 2020-01-01 is 0x01d5c03669050000 in units of 100 ns since 1601. */
	assert_memory_equal(p, "\x01\x01\xd5\xc0\x36\x69", 6);
	/* 23 bits of it are not kept: 0.84 seconds. */
	assert_in_range(BED_AT_MS - child_ms(p + 22), 0, 840);
	g_free(b.item->key);
	b.item->key = g_strdup("whatsapp|m|106540352242922|TWO");
	b.item->at_ms += 60000;
	g_autofree char *two = bed_mail(&b, renderer, get(&conf));
	g_autoptr(GBytes) second = index_of(two);

	assert_memory_equal(p, g_bytes_get_data(second, NULL), 22);
	assert_int_not_equal(g_bytes_compare(first, second), 0);
	b.in.conversation = "whatsapp|106540352242922|n:other";
	g_autofree char *three = bed_mail(&b, renderer, get(&conf));
	g_autoptr(GBytes) other = index_of(three);

	assert_memory_not_equal(p + 6, (const uint8_t *)g_bytes_get_data(other,
	    NULL) + 6, 16);
	bed_end(&b);
}

static void
the_topic_of_a_thread_is_the_same_in_all_its_mails(void **state)
{
	struct render_style_conf conf = { .thread_index = true };
	struct bed b;

	(void)state;
	bed_begin(&b);
	g_autofree char *received = bed_mail(&b, renderer, get(&conf));
	g_autofree char *topic = bed_field(received, "Thread-Topic");

	b.item->direction = ITEM_SENT;
	b.item->author = ITEM_UNKNOWN_STAFF;
	g_autofree char *sent = bed_mail(&b, renderer, get(&conf));
	g_autofree char *same = bed_field(sent, "Thread-Topic");

	assert_non_null(strstr(topic, "Ana Souza"));
	assert_string_equal(topic, same);
	bed_end(&b);
}

static void
a_follow_up_is_a_child_of_the_first_mail(void **state)
{
	struct render_style_conf conf = { .thread_index = true };
	struct bed b;

	(void)state;
	bed_begin(&b);
	g_autofree char *one = bed_mail(&b, renderer, get(&conf));
	g_autoptr(GBytes) first = index_of(one);
	g_autofree char *id = bed_field(one, "Message-ID");

	id[strlen(id) - 1] = '\0';
	b.in.parent_message_id = id + 1;
	b.in.is_follow_up = true;
	g_autofree char *two = bed_mail(&b, renderer, get(&conf));
	g_autoptr(GBytes) second = index_of(two);

	assert_int_equal(g_bytes_get_size(second), 32);
	assert_memory_equal(g_bytes_get_data(first, NULL),
	    g_bytes_get_data(second, NULL), 27);
	bed_end(&b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_wishes_give_one_style),
		cmocka_unit_test(
		    a_header_that_would_change_what_a_mail_is_is_refused),
		cmocka_unit_test(one_name_for_two_headers_is_refused),
		cmocka_unit_test(a_limit_below_what_a_mail_needs_is_refused),
		cmocka_unit_test(no_mail_is_made_that_no_transport_can_take),
		cmocka_unit_test(added_headers_keep_their_case_and_order),
		cmocka_unit_test(
		    a_long_value_is_folded_but_a_word_of_it_is_not),
		cmocka_unit_test(
		    our_headers_are_called_what_the_archive_calls_them),
		cmocka_unit_test(
		    every_field_of_our_own_in_the_manual_page_can_be_renamed),
		cmocka_unit_test(
		    a_recipient_header_lists_all_addresses_of_the_mail),
		cmocka_unit_test(
		    a_mail_older_than_the_archive_takes_is_flagged),
		cmocka_unit_test(
		    what_an_item_is_about_is_told_as_far_as_it_is_held),
		cmocka_unit_test(
		    a_thread_index_has_one_head_per_conversation_and_a_block_per_mail),
		cmocka_unit_test(
		    the_topic_of_a_thread_is_the_same_in_all_its_mails),
		cmocka_unit_test(a_follow_up_is_a_child_of_the_first_mail),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
