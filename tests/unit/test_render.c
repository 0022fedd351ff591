/* SPDX-License-Identifier: Apache-2.0 */
/* render: turns to mails, mails to journal reports. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "err.h"
#include "item.h"
#include "render.h"
#include "render_bed.h"
#include "template.h"

/* --- the header --- */

#define FIELDS_BEFORE_SIDES \
	"Date From To Subject Message-ID References Conversation-ID " \
	"Contribution-ID Message-Direction Message-Context Auto-Submitted " \
	"List-Id X-ChatJournal-Version X-ChatJournal-Network " \
	"X-ChatJournal-Event X-ChatJournal-Types X-ChatJournal-Items " \
	"X-ChatJournal-Item "
#define FIELDS \
	FIELDS_BEFORE_SIDES \
	"X-ChatJournal-Business X-ChatJournal-Counterpart " \
	"X-ChatJournal-Author X-ChatJournal-Captured " \
	"X-ChatJournal-Event-SHA256 MIME-Version Content-Type "

static void
the_fields_of_a_mail_stand_in_a_fixed_order(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	g_autofree char *mail = mail_of(&f);
	g_autofree char *names = names_of(mail);

	assert_string_equal(names, FIELDS);
	check_wire_form(mail);
	check_field(mail, "Date: Tue, 03 Feb 2026 14:05:09 +0000");
	check_field(mail, "From: \"Ana Souza (WhatsApp)\" "
	    "<wa-5511999990000@whatsapp.bank.example>");
	check_field(mail, "To: \"+551140040001 (WhatsApp)\" "
	    "<wa-551140040001@whatsapp.bank.example>");
	check_field(mail, "Subject: WhatsApp: Ana Souza - +551140040001, "
	    "1 message");
	check_field(mail, "Contribution-ID: wamid.ONE");
	check_field(mail, "X-ChatJournal-Item: id=wamid.ONE; "
	    "at=2026-02-03T14:05:09Z; type=text");
	check_field(mail, "X-ChatJournal-Captured: 2026-02-03T14:05:11.402Z; "
	    "source=webhook; seq=1048576");
	check_field(mail, "List-Id: <wa-551140040001.whatsapp.bank.example>");
	end(&f);
}

static char name_desk[] = "Private Banking", desk[] = "pb",
    mail_desk[] = "pb@bank.example", name_staff[] = "Maria Lima",
    id_staff[] = "E1234", mail_staff[] = "maria.lima@bank.example",
    name_customer[] = "Ana de Souza", id_customer[] = "C-77";

static void
the_directory_names_both_sides(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.business = (struct directory_business){ .name = name_desk,
		.desk = desk, .mail = mail_desk };
	f.customer = (struct directory_customer){ .id = id_customer,
		.name = name_customer };
	f.in.business = &f.business;
	f.in.customer = &f.customer;
	g_autofree char *mail = mail_of(&f);

	check_field(mail, "From: \"Ana de Souza (WhatsApp)\" "
	    "<wa-5511999990000@whatsapp.bank.example>");
	check_field(mail, "To: \"Private Banking\" <pb@bank.example>");
	check_field(mail, "List-Id: \"Private Banking\" "
	    "<pb.whatsapp.bank.example>");
	check_field(mail, "X-ChatJournal-Business: number=551140040001; "
	    "id=106540352242922; desk=pb");
	check_text(&f, "  profile name    Ana Souza\n");
	check_text(&f, "  customer id     C-77\n");

	f.staff = (struct directory_staff){ .id = id_staff,
		.name = name_staff, .mail = mail_staff };
	f.in.staff = &f.staff;
	g_autofree char *with_staff = mail_of(&f);

	check_field(with_staff, "To: \"Maria Lima\" "
	    "<maria.lima@bank.example>");
	check_field(with_staff, "X-ChatJournal-Employee: id=E1234; "
	    "mail=maria.lima@bank.example");
	end(&f);
}

static void
direction_decides_who_writes_to_whom(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.item->direction = ITEM_SENT;
	f.item->author = ITEM_UNKNOWN_STAFF;
	g_autofree char *mail = mail_of(&f);

	check_field(mail, "From: \"+551140040001 (WhatsApp)\" "
	    "<wa-551140040001@whatsapp.bank.example>");
	check_field(mail, "To: \"Ana Souza (WhatsApp)\" "
	    "<wa-5511999990000@whatsapp.bank.example>");
	check_field(mail, "Message-Direction: sent");
	check_field(mail, "X-ChatJournal-Author: unknown-staff");
	end(&f);
}

static void
a_group_is_copied_or_written_to_under_its_own_address(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.item->group_id = g_strdup("Y2FwaV9ncm91cA==");
	g_autofree char *mail = mail_of(&f);
	g_autofree char *head = head_of(mail);

	assert_non_null(strstr(head, "\nCc: \"Group (WhatsApp)\" <wag-"));
	assert_non_null(strstr(head, "; group-id=Y2FwaV9ncm91cA==\n"));
	f.item->direction = ITEM_SENT;
	g_autofree char *sent = mail_of(&f);
	g_autofree char *sent_head = head_of(sent);

	assert_non_null(strstr(sent_head, "\nTo: \"Group (WhatsApp)\" <wag-"));
	assert_null(strstr(sent_head, "\nCc:"));
	f.item->author = ITEM_NETWORK;
	g_autofree char *news = mail_of(&f);
	g_autofree char *news_head = head_of(news);

	assert_non_null(strstr(news_head, "\nCc: \"Ana Souza (WhatsApp)\" "
	    "<wa-5511999990000@whatsapp.bank.example>, "
	    "\"Group (WhatsApp)\" <wag-"));
	end(&f);
}

static void
what_a_program_sent_is_not_said_to_be_an_employees(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.item->direction = ITEM_SENT;
	f.business = (struct directory_business){ .name = name_desk,
		.desk = desk };
	f.staff = (struct directory_staff){ .id = id_staff,
		.name = name_staff, .mail = mail_staff };
	f.in.business = &f.business;
	f.in.staff = &f.staff;
	for (enum item_author a = ITEM_STAFF; a <= ITEM_OTHER_APP; a++) {
		f.item->author = a;
		g_autofree char *mail = mail_of(&f);

		check_field(mail, a == ITEM_STAFF ?
		    "From: \"Maria Lima\" <maria.lima@bank.example>" :
		    "From: \"Private Banking (WhatsApp)\" "
		    "<wa-551140040001@whatsapp.bank.example>");
	}
	end(&f);
}

static void
what_the_network_says_comes_from_a_system_address(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.item->kind = ITEM_RECEIPT;
	f.item->type = ITEM_TYPE_STATUS;
	f.item->author = ITEM_NETWORK;
	set(&f.item->text, NULL);
	f.item->target = g_strdup("wamid.OUT");
	f.item->receipt = g_new0(struct item_receipt, 1);
	f.item->receipt->status = g_strdup("delivered");
	g_autofree char *mail = mail_of(&f);

	check_field(mail, "From: \"WhatsApp\" <whatsapp@whatsapp.bank.example>");
	check_field(mail, "Cc: \"Ana Souza (WhatsApp)\" "
	    "<wa-5511999990000@whatsapp.bank.example>");
	check_field(mail, "Subject: WhatsApp: Ana Souza - +551140040001, "
	    "status delivered");
	check_text(&f, "--- Status of a message ---\n\n"
	    "  delivered   2026-02-03 14:05:09 UTC\n\n"
	    "  about message   wamid.OUT\n");
	end(&f);
}

/* Archives lower-case addresses and cut from '+' to '@'. */
static void
a_user_id_becomes_a_short_address_that_keeps_cases_apart(void **state)
{
	struct fixture f;
	g_autofree char *seen = NULL;

	(void)state;
	begin(&f);
	set(&f.item->counterpart.number, NULL);
	for (int i = 0; i < 2; i++) {
		char *id = g_strnfill(131, i == 0 ? 'a' : 'A');
		g_autofree char *mail = NULL;
		g_autofree char *head = NULL;
		const char *address;

		set(&f.item->counterpart.user_id, id);
		mail = mail_of(&f);
		head = head_of(mail);
		address = strstr(head, "<wau-");
		assert_non_null(address);
		assert_int_equal(strcspn(address, "@"), 31);
		assert_null(memchr(address, '+', 31));
		assert_non_null(strstr(head, id));
		if (seen != NULL)
			assert_memory_not_equal(address, seen, 31);
		set(&seen, address);
		g_free(id);
	}
	end(&f);
}

static void
the_number_that_is_known_now_is_used_when_the_item_lacks_it(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	set(&f.item->counterpart.number, NULL);
	set(&f.item->counterpart.name, NULL);
	set(&f.item->counterpart.user_id, "BR.150");
	f.in.counterpart_number = "5511988887777";
	g_autofree char *mail = mail_of(&f);

	check_field(mail, "From: \"+5511988887777 (WhatsApp)\" "
	    "<wa-5511988887777@whatsapp.bank.example>");
	check_field(mail, "X-ChatJournal-Counterpart: number=5511988887777; "
	    "user-id=BR.150");
	end(&f);
}

static void
a_mail_points_back_to_its_parent_and_to_its_conversation(void **state)
{
	struct fixture f;
	g_autofree char *references = NULL;

	(void)state;
	begin(&f);
	f.in.parent_message_id = "t.00@chatjournal.bank.example";
	g_autofree char *mail = mail_of(&f);
	g_autofree char *head = head_of(mail);
	const char *root = strstr(head, "\nConversation-ID: c.");

	assert_non_null(root);
	check_field(mail, "In-Reply-To: <t.00@chatjournal.bank.example>");
	references = g_strdup_printf("References: <%.34s"
	    "@chatjournal.bank.example> <t.00@chatjournal.bank.example>",
	    root + strlen("\nConversation-ID: "));
	check_field(mail, references);
	end(&f);
}

static void
a_message_id_differs_when_any_part_of_it_does(void **state)
{
	g_autofree char *base = render_message_id("a", "d.example", "whatsapp",
	    "k", "message");
	g_autofree char *tenant = render_message_id("b", "d.example",
	    "whatsapp", "k", "message");
	g_autofree char *key = render_message_id("a", "d.example", "whatsapp",
	    "k2", "message");
	g_autofree char *kind = render_message_id("a", "d.example", "whatsapp",
	    "k", "edit");

	(void)state;
	assert_true(g_str_has_prefix(base, "t."));
	assert_int_equal(strspn(base + 2, "0123456789abcdef"), 32);
	assert_string_equal(base + 34, "@d.example");
	assert_string_not_equal(base, tenant);
	assert_string_not_equal(base, key);
	assert_string_not_equal(base, kind);
}

static void
the_context_is_that_of_the_richest_item(void **state)
{
	struct fixture f;
	struct item *second;

	(void)state;
	begin(&f);
	f.item->type = ITEM_TYPE_VOICE;
	item_media_add(f.item);
	g_autofree char *voice = mail_of(&f);

	check_field(voice, "Message-Context: voice-message");
	second = text_item("wamid.TWO", "and text");
	g_ptr_array_add(f.items, second);
	g_autofree char *both = mail_of(&f);

	check_field(both, "Message-Context: multimedia-message");
	check_field(both, "X-ChatJournal-Types: voice text");
	check_field(both, "X-ChatJournal-Items: 2");
	end(&f);
}

static void
an_id_of_any_length_is_kept_whole(void **state)
{
	struct fixture f;
	g_autofree char *wamid = g_strdup_printf("wamid.%090d", 7);
	g_autofree char *field = g_strconcat("Contribution-ID: ", wamid, NULL);
	g_autofree char *huge = g_strnfill(3000, 'z');

	(void)state;
	begin(&f);
	set(&f.item->id, wamid);
	g_autofree char *mail = mail_of(&f);

	check_field(mail, field);
	set(&f.item->id, huge);
	g_autofree char *big = mail_of(&f);

	check_wire_form(big);
	assert_non_null(strstr(big, " id*49*="));
	check_text(&f, huge);
	end(&f);
}

static void
media_are_told_in_header_and_text(void **state)
{
	struct fixture f;
	struct item_media *m;

	(void)state;
	begin(&f);
	f.item->type = ITEM_TYPE_DOCUMENT;
	m = item_media_add(f.item);
	m->id = g_strdup("811000000000007");
	m->filename = g_strdup("../../état \"a\".pdf\r\nX: y");
	m->mime_type = g_strdup("application/pdf");
	m->sha256 = g_strdup("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
	g_autofree char *mail = mail_of(&f);
	g_autofree char *head = head_of(mail);

	assert_non_null(strstr(head, "\nX-ChatJournal-Media: "
	    "id=811000000000007; name*0*=utf-8''"));
	assert_non_null(strstr(head, " type=application/pdf; declared-sha256="
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	    "; status=not-attached\n"));
	check_text(&f, "  declared SHA-256 e3b0c44298fc1c149afbf4c8996fb9");
	check_text(&f, "  file status     not fetched\n"
	    "  file type       application/pdf\n");
	end(&f);
}

/* --- hostile input --- */

static void
nothing_from_outside_adds_a_field_or_a_line(void **state)
{
	static const char *const corpus[] = {
		"x\r\nBcc: evil@evil.example", "x\nBcc: evil@evil.example",
		"x\rBcc: evil@evil.example", "\r\n\r\n<script>alert(1)</script>",
		"x\xe2\x80\xa8""Bcc: evil@evil.example", "=?utf-8?Q?=0D=0ABcc:x?=",
		"\xe2\x80\xae" "gpj.exe", "\xed\xa0\x80 lone", "\xff\xfe\xfd",
		"\"; name=\"x", "a\\\"b\\", "<a@b>, <c@d>", "(comment",
		"שלום عليكم", "👩‍👩‍👧‍👦", "\t\v\f\x01\x1b[31m", "", " ", ";", "=",
		"x\x7fy", "%0d%0aBcc: x", "--=_m_0", "{{name}}", "+", "@", ",",
	};

	(void)state;
	for (size_t i = 0; i <= G_N_ELEMENTS(corpus); i++) {
		g_autofree char *bad = i < G_N_ELEMENTS(corpus) ?
		    g_strdup(corpus[i]) : g_strnfill(5000, 'n');
		struct directory_business b = { .name = bad, .desk = bad,
			.mail = bad };
		struct directory_staff s = { .id = bad, .name = bad,
			.mail = bad };
		struct directory_customer c = { .id = bad, .name = bad };
		struct item_media *m;
		struct fixture f;

		begin(&f);
		f.item->context = g_new0(struct item_context, 1);
		m = item_media_add(f.item);
		set(&f.item->context->id, bad);
		set(&f.item->id, bad);
		set(&f.item->text, bad);
		set(&f.item->note, bad);
		set(&f.item->target, bad);
		set(&f.item->network, bad);
		set(&f.item->account, bad);
		set(&f.item->business.user_id, bad);
		set(&f.item->counterpart.name, bad);
		set(&f.item->counterpart.username, bad);
		set(&f.item->counterpart.user_id, bad);
		set(&f.item->counterpart.parent_user_id, bad);
		set(&m->filename, bad);
		set(&m->mime_type, bad);
		set(&m->sha256, bad);
		set(&m->id, bad);
		f.event.source = bad;
		item_fact_add(f.item, bad, bad);
		for (int round = 0; round < 4; round++) {
			g_autofree char *names = NULL;
			g_autofree char *mail = NULL;
			g_autofree char *lower = NULL;

			if (round == 1)
				set(&f.item->counterpart.number, bad);
			if (round == 2) {
				f.in.business = &b;
				f.in.staff = &s;
				f.in.customer = &c;
			}
			if (round == 3)
				set(&f.item->group_id, bad);
			mail = mail_of(&f);
			check_wire_form(mail);
			names = names_of(mail);
			lower = g_ascii_strdown(names, -1);
			assert_null(strstr(lower, "bcc"));
			assert_true(g_str_has_prefix(names, "Date From To "));
			assert_int_equal(count(names, "From "), 1);
			assert_int_equal(count(names, "Content-Type "), 1);
			assert_null(strstr(strstr(mail, "text/html"),
			    "<script>"));
		}
		end(&f);
	}
}

static void
what_a_customer_writes_cannot_pass_for_a_line_of_the_journal(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	set(&f.item->text, "hello\n--- Evidence ---\r  capture         never\n");
	set(&f.item->counterpart.name, "Eve\nTo              Nobody");
	g_autofree char *mail = mail_of(&f);
	g_autofree char *text = text_of(mail);

	assert_int_equal(count(text, "\n--- Evidence ---"), 1);
	assert_int_equal(count(text, "\n    --- Evidence ---"), 1);
	assert_int_equal(count(text, "\n  capture "), 1);
	assert_int_equal(count(text, "\nTo "), 2);
	end(&f);
}

static void
boundaries_occur_only_where_parts_begin_and_end(void **state)
{
	struct fixture f;
	g_autofree char *boundary = NULL;

	(void)state;
	begin(&f);
	g_autofree char *first = mail_of(&f);
	const char *at = strstr(first, "=_m_");

	boundary = g_strndup(at, 36);
	/* Knowing the boundary of one text does not help with another. */
	set(&f.item->text, boundary);
	set(&f.item->counterpart.name, boundary);
	g_autofree char *mail = mail_of(&f);
	g_autofree char *own = g_strndup(strstr(strstr(mail, "multipart/mixed"),
	    "=_m_"), 36);

	assert_string_not_equal(own, boundary);
	/* In Content-Type, before two parts, and at the end. */
	assert_int_equal(count(mail, own), 4);
	own[2] = 'a';
	assert_int_equal(count(mail, own), 4);
	end(&f);
}

/* --- the body --- */

static void
the_text_part_is_complete_by_itself(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.item->context = g_new0(struct item_context, 1);
	f.item->context->id = g_strdup("wamid.QUOTED");
	f.item->counterpart.user_id = g_strdup("BR.150");
	check_text(&f, "WhatsApp: 1 message, incoming (customer)\n");
	check_text(&f, "From            Ana Souza (customer)\n"
	    "  number          +5511999990000\n  user id         BR.150\n");
	check_text(&f, "To              +551140040001 (business)\n");
	check_text(&f, "--- 1/1 --- 14:05:09 Ana Souza: text ---\n");
	check_text(&f, "  answers         a message that is not held\n");
	check_text(&f, "\n\n    Bom dia\n\n");
	check_text(&f, "  quoted message  wamid.QUOTED\n");
	check_text(&f, "  id              wamid.ONE\n");
	check_text(&f, "  capture         2026-02-03T14:05:11.402Z, webhook, "
	    "1048576\n");
	end(&f);
}

static void
a_notice_shows_its_reason_and_its_json(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.item->kind = ITEM_NOTICE;
	f.item->type = ITEM_TYPE_UNKNOWN;
	set(&f.item->text, NULL);
	set(&f.item->type_name, "hologram");
	set(&f.item->note, "a type that is not known: hologram");
	set(&f.item->raw, "{\"hologram\":{\"depth\":3}}");
	check_text(&f, "  note            a type that is not known: hologram\n");
	check_text(&f, "  network's type  hologram\n");
	check_text(&f, "    {\n      \"hologram\": {\n        \"depth\": 3\n"
	    "      }\n    }\n");
	end(&f);
}

static void
an_item_with_too_many_facts_is_shown_as_json_instead(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	for (int i = 0; i < 20000; i++)
		item_fact_add(f.item, "x", "y");
	set(&f.item->raw, "{\"many\":20000}");
	check_text(&f, "    {\n      \"many\": 20000\n    }\n");
	end(&f);
}

static void
an_item_without_time_takes_the_time_of_its_capture(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.item->at_ms = 0;
	g_autofree char *mail = mail_of(&f);

	check_field(mail, "Date: Tue, 03 Feb 2026 14:05:11 +0000");
	check_field(mail, "X-ChatJournal-Item: id=wamid.ONE; type=text");
	end(&f);
}

/* --- attached events --- */

static void
events_are_attached_as_they_were_received(void **state)
{
	struct fixture f;
	struct render_event raw = { .seq = 9, .source = "webhook",
		.body = "\xff\0not json", .len = 10 };
	g_autofree char *b64 = g_base64_encode((const guchar *)BODY,
	    strlen(BODY));

	(void)state;
	begin(&f);
	g_ptr_array_add(f.events, &raw);
	g_autofree char *mail = mail_of(&f);

	assert_non_null(strstr(mail, "\r\nContent-Type: application/json; "
	    "name=event.json\r\n"));
	assert_non_null(strstr(mail, "filename=event-2.bin\r\n"));
	assert_non_null(strstr(mail, b64));
	assert_non_null(strstr(mail, "\r\n\r\n/wBub3QganNvbg==\r\n"));
	assert_int_equal(count(mail, "Content-Description: raw webhook "
	    "event\r\n"), 2);
	end(&f);
}

static void
events_are_left_out_on_request_but_never_of_a_raw_item(void **state)
{
	struct render_conf conf = conf_with(templates, false);
	struct render *r;
	struct fixture f;
	struct err err = ERR_INIT;

	(void)state;
	assert_true(render_new(&conf, &r, &err));
	begin(&f);
	g_autofree char *mail = render_with(r, &f.in);

	assert_null(strstr(mail, "event.json"));
	f.item->type = ITEM_TYPE_RAW;
	f.event.is_json = false;
	g_autofree char *raw = render_with(r, &f.in);

	assert_non_null(strstr(raw, "Content-Type: application/octet-stream; "
	    "name=event.bin\r\n"));
	/* Nor of one that is not the first. */
	g_ptr_array_insert(f.items, 0, text_item("wamid.Z", "without a time"));
	g_autofree char *second = render_with(r, &f.in);

	assert_non_null(strstr(second, "name=event.bin\r\n"));
	render_free(r);
	end(&f);
}

/* --- the same bytes --- */

static void *
render_many(void *arg)
{
	const struct fixture *f = arg;
	char *first = mail_of(f);

	for (int i = 0; i < 200; i++) {
		g_autofree char *again = mail_of(f);

		if (strcmp(first, again) != 0)
			return first;
	}
	g_free(first);
	return NULL;
}

static void
the_same_turn_gives_the_same_bytes_in_every_thread_and_order(void **state)
{
	struct fixture f, other;
	pthread_t thread[2];
	void *failed[2];

	(void)state;
	begin(&f);
	begin(&other);
	set(&f.item->text, "Привет, мир: é, 👍");
	set(&other.item->key, "another");
	set(&other.item->text, "something else");
	g_autofree char *before = mail_of(&f);

	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, render_many,
		    i == 0 ? &f : &other), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(thread[i], &failed[i]), 0);
		assert_null(failed[i]);
	}
	g_autofree char *after = mail_of(&f);

	assert_string_equal(before, after);
	end(&f);
	end(&other);
}

/* --- the journal report --- */

static char *
report_of(const struct fixture *f, const char *to, char **inner_out)
{
	const struct render_envelope env = {
		.from = "WhatsApp journal <wa-journal@bank.example>",
		.to = to, .journaled_ms = AT_MS + 60000 };
	g_autoptr(GPtrArray) mails = mails_with(plain, &f->in);
	const struct rendered *inner = mails->pdata[0];
	struct rendered out;
	struct err err = ERR_INIT;
	char *text;

	assert_true(render_journal_report(plain, &f->in, inner, &env, &out,
	    &err));
	text = g_strndup(g_bytes_get_data(out.bytes, NULL),
	    g_bytes_get_size(out.bytes));
	*inner_out = g_strndup(g_bytes_get_data(inner->bytes, NULL),
	    inner->len);
	assert_true(g_str_has_prefix(out.message_id, "jr."));
	rendered_clear(&out);
	return text;
}

static void
a_report_holds_the_mail_byte_for_byte(void **state)
{
	struct fixture f;
	g_autofree char *inner = NULL;
	g_autofree char *ending = NULL;

	(void)state;
	begin(&f);
	g_autofree char *report = report_of(&f, "j@archive.example", &inner);
	g_autofree char *whole = g_strconcat("Content-Type: message/rfc822\r\n"
	    "Content-Disposition: attachment\r\n\r\n", inner, "\r\n--=_j_",
	    NULL);

	assert_non_null(strstr(report, whole));
	check_wire_form(report);
	ending = g_strndup(strstr(report, "=_j_"), 36);
	assert_int_equal(count(report, ending), 4);
	assert_int_equal(count(report, "--=_j_"), 3);
	end(&f);
}

static void
a_report_has_the_marker_after_to_and_known_tags_only(void **state)
{
	struct fixture f;
	g_autofree char *inner = NULL;

	(void)state;
	begin(&f);
	g_autofree char *report = report_of(&f, "j@archive.example", &inner);
	g_autofree char *names = names_of(report);
	g_autofree char *want = NULL;
	const char *body = strstr(report, "\r\n\r\n--=_j_");
	const char *id = strstr(inner, "<t.");

	assert_string_equal(names, "From To Subject Date Message-ID "
	    "MIME-Version Auto-Submitted X-MS-Journal-Report Content-Type ");
	check_field(report, "Date: Tue, 03 Feb 2026 14:06:09 +0000");
	assert_non_null(strstr(report, "\r\nX-MS-Journal-Report:\r\n"));
	want = g_strdup_printf("\r\nContent-Type: text/plain; charset=utf-8"
	    "\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
	    "Sender: wa-5511999990000@whatsapp.bank.example\r\n"
	    "Subject: WhatsApp: Ana Souza - +551140040001, 1 message\r\n"
	    "Message-ID: %.*s\r\n"
	    "To: wa-551140040001@whatsapp.bank.example\r\n--=_j_",
	    (int)strcspn(id, "\r"), id);
	assert_non_null(strstr(body, want));
	end(&f);
}

static void
a_report_of_a_group_names_the_group_as_recipient(void **state)
{
	struct fixture f;
	g_autofree char *inner = NULL;

	(void)state;
	begin(&f);
	f.item->group_id = g_strdup("Y2FwaV9ncm91cA==");
	g_autofree char *report = report_of(&f, "j@archive.example", &inner);

	assert_int_equal(count(report, "\r\nRecipient: wag-"), 1);
	end(&f);
}

static void
reports_to_two_journals_differ_but_not_from_one_try_to_the_next(void **state)
{
	struct fixture f;
	g_autofree char *i1 = NULL, *i2 = NULL, *i3 = NULL;

	(void)state;
	begin(&f);
	g_autofree char *one = report_of(&f, "a@archive.example", &i1);
	g_autofree char *again = report_of(&f, "a@archive.example", &i2);
	g_autofree char *two = report_of(&f, "b@archive.example", &i3);
	const char *id = strstr(one, "<jr."), *id2 = strstr(two, "<jr.");

	assert_string_equal(one, again);
	assert_string_equal(i1, i3);
	assert_memory_not_equal(id, id2, 36);
	end(&f);
}

/* --- what cannot be rendered, and what is refused at load --- */

static void
a_turn_without_items_or_key_is_an_error(void **state)
{
	const struct render_style_conf none = { .language = NULL };
	const struct render_style *style;
	GPtrArray *mails = NULL;
	struct fixture f;
	struct err err = ERR_INIT;

	(void)state;
	begin(&f);
	assert_true(render_style_get(plain, &none, &style, &err));
	set(&f.item->key, NULL);
	assert_false(render_mails(plain, style, &f.in, &mails, &err));
	assert_null(mails);
	assert_int_equal(err.kind, ERR_PERM);
	assert_string_equal(err.what, "render.key");
	g_ptr_array_set_size(f.items, 0);
	assert_false(render_mails(plain, style, &f.in, &mails, &err));
	assert_string_equal(err.what, "render.empty");
	end(&f);
}

static void
templates_are_checked_when_they_are_loaded(void **state)
{
	static const struct {
		const char *html, *what, *where;
	} rows[] = {
		{ "<p>{{#items}}{{textt}}{{/items}}", "template.unknown",
			"turn.html:1:14" },
		{ "a\n<SCRIPT>", "template.remote", "turn.html:2: <script>" },
	};
	g_autofree char *dir = g_dir_make_tmp("render-XXXXXX", NULL);
	struct render_conf conf = conf_with(dir, true);
	struct render *r = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_false(render_new(&conf, &r, &err));
	assert_int_equal(err.kind, ERR_CONF);
	assert_non_null(strstr(err.text, "subject.txt"));
	write_file(dir, "subject.txt", "{{from}}");
	write_file(dir, "turn.txt", "{{from}}");
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		write_file(dir, "turn.html", rows[i].html);
		assert_false(render_new(&conf, &r, &err));
		assert_int_equal(err.kind, ERR_CONF);
		assert_string_equal(err.what, rows[i].what);
		assert_non_null(strstr(err.text, rows[i].where));
	}
	assert_null(r);
	static const char *const names[] = { "subject.txt", "turn.txt",
		"turn.html" };
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(dir, names[i], NULL);

		unlink(path);
	}
	rmdir(dir);
}

static void
a_domain_that_is_none_is_refused(void **state)
{
	struct render_conf conf = conf_with(templates, true);
	struct render *r;
	struct err err = ERR_INIT;

	(void)state;
	conf.domain = "a\r\nb";
	assert_false(render_new(&conf, &r, &err));
	assert_string_equal(err.what, "render.domain");
	conf.domain = "a.example";
	conf.address_domain = NULL;
	assert_false(render_new(&conf, &r, &err));
	assert_non_null(strstr(err.text, "address-domain"));
}

/* Each row has its item in the page, and each list names its members. */
static void
check_table(const char *page, const struct template_var *vars)
{
	for (; vars->name != NULL; vars++) {
		g_autofree char *item = g_strdup_printf("\n.It Li %s\n",
		    vars->name);

		assert_non_null(vars->help);
		if (strstr(page, item) == NULL)
			fail_msg("chatjournal-templates(5) lacks %s",
			    vars->name);
		if (vars->kind == TEMPLATE_LIST)
			check_table(page, vars->members);
	}
}

static void
the_manual_page_describes_every_name_of_a_template(void **state)
{
	g_autofree char *path = g_build_filename(templates, "..", "doc", "man",
	    "chatjournal-templates.5", NULL);
	g_autofree char *page = NULL;

	(void)state;
	assert_true(g_file_get_contents(path, &page, NULL, NULL));
	check_table(page, render_template_vars());
}

/* Each field that a mail may have has its item in the page. */
static void
the_manual_page_describes_every_field_of_a_mail(void **state)
{
	static const char *const others[] = { "Cc", "In-Reply-To",
		"X-ChatJournal-Employee", "X-ChatJournal-Media",
		"X-MS-Journal-Report" };
	g_autofree char *path = g_build_filename(templates, "..", "doc", "man",
	    "chatjournal-headers.7", NULL);
	g_autofree char *page = NULL;
	g_auto(GStrv) names = g_strsplit(FIELDS, " ", -1);

	(void)state;
	assert_true(g_file_get_contents(path, &page, NULL, NULL));
	for (size_t i = 0; names[i][0] != '\0'; i++) {
		g_autofree char *item = g_strdup_printf("\n.It Li %s\n",
		    names[i]);

		if (strstr(page, item) == NULL)
			fail_msg("no %s in the page", names[i]);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		assert_non_null(strstr(page, others[i]));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fields_of_a_mail_stand_in_a_fixed_order),
		cmocka_unit_test(the_directory_names_both_sides),
		cmocka_unit_test(direction_decides_who_writes_to_whom),
		cmocka_unit_test(
		    a_group_is_copied_or_written_to_under_its_own_address),
		cmocka_unit_test(
		    what_a_program_sent_is_not_said_to_be_an_employees),
		cmocka_unit_test(
		    what_the_network_says_comes_from_a_system_address),
		cmocka_unit_test(
		    a_user_id_becomes_a_short_address_that_keeps_cases_apart),
		cmocka_unit_test(
		    the_number_that_is_known_now_is_used_when_the_item_lacks_it),
		cmocka_unit_test(
		    a_mail_points_back_to_its_parent_and_to_its_conversation),
		cmocka_unit_test(
		    a_message_id_differs_when_any_part_of_it_does),
		cmocka_unit_test(the_context_is_that_of_the_richest_item),
		cmocka_unit_test(an_id_of_any_length_is_kept_whole),
		cmocka_unit_test(media_are_told_in_header_and_text),
		cmocka_unit_test(nothing_from_outside_adds_a_field_or_a_line),
		cmocka_unit_test(
		    what_a_customer_writes_cannot_pass_for_a_line_of_the_journal),
		cmocka_unit_test(
		    boundaries_occur_only_where_parts_begin_and_end),
		cmocka_unit_test(the_text_part_is_complete_by_itself),
		cmocka_unit_test(a_notice_shows_its_reason_and_its_json),
		cmocka_unit_test(
		    an_item_with_too_many_facts_is_shown_as_json_instead),
		cmocka_unit_test(
		    an_item_without_time_takes_the_time_of_its_capture),
		cmocka_unit_test(events_are_attached_as_they_were_received),
		cmocka_unit_test(
		    events_are_left_out_on_request_but_never_of_a_raw_item),
		cmocka_unit_test(
		    the_same_turn_gives_the_same_bytes_in_every_thread_and_order),
		cmocka_unit_test(a_report_holds_the_mail_byte_for_byte),
		cmocka_unit_test(
		    a_report_has_the_marker_after_to_and_known_tags_only),
		cmocka_unit_test(
		    a_report_of_a_group_names_the_group_as_recipient),
		cmocka_unit_test(
		    reports_to_two_journals_differ_but_not_from_one_try_to_the_next),
		cmocka_unit_test(a_turn_without_items_or_key_is_an_error),
		cmocka_unit_test(templates_are_checked_when_they_are_loaded),
		cmocka_unit_test(a_domain_that_is_none_is_refused),
		cmocka_unit_test(
		    the_manual_page_describes_every_name_of_a_template),
		cmocka_unit_test(
		    the_manual_page_describes_every_field_of_a_mail),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
