/* SPDX-License-Identifier: Apache-2.0 */
/* render: how each kind of item reads in the text part. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "render_bed.h"

/* The one item of the turn, without its text. */
static struct item *
make(struct fixture *f, enum item_kind kind, enum item_type type)
{
	f->item->kind = kind;
	f->item->type = type;
	set(&f->item->text, NULL);
	return f->item;
}

/* The network says it, of a message that was sent. */
static struct item *
make_receipt(struct fixture *f, struct item *it, const char *status)
{
	it->kind = ITEM_RECEIPT;
	it->type = ITEM_TYPE_STATUS;
	it->author = ITEM_NETWORK;
	set(&it->text, NULL);
	set(&it->id, NULL);
	set(&it->target, "wamid.OUT");
	it->receipt = g_new0(struct item_receipt, 1);
	it->receipt->status = g_strdup(status);
	it->receipt->recipient = g_strdup("5511999990000");
	item_fact_add(it, "pricing.category", "utility");
	if (it != f->item)
		g_ptr_array_add(f->items, it);
	return it;
}

static struct render_original original = {
	.held = true, .type = ITEM_TYPE_TEXT, .direction = ITEM_RECEIVED,
	.author = "Ana Souza", .text = "Transfer 210\nto Bruno",
	.at_ms = AT_MS - 60000,
};

static void
refer(struct fixture *f, const struct render_original *o)
{
	GPtrArray *list = g_ptr_array_new();

	while (list->len < f->items->len)
		g_ptr_array_add(list, NULL);
	list->pdata[0] = (gpointer)(uintptr_t)o;
	f->in.originals = list;
}

static void
forget(struct fixture *f)
{
	if (f->in.originals != NULL)
		g_ptr_array_unref((GPtrArray *)(uintptr_t)f->in.originals);
	if (f->in.media != NULL)
		g_ptr_array_unref((GPtrArray *)(uintptr_t)f->in.media);
	end(f);
}

static void
check_no_text(const struct fixture *f, const char *unwanted)
{
	g_autofree char *mail = mail_of(f);
	g_autofree char *text = text_of(mail);

	if (strstr(text, unwanted) != NULL)
		fail_msg("\"%s\" in\n%s", unwanted, text);
}

static void
check_subject(const struct fixture *f, const char *want)
{
	g_autofree char *mail = mail_of(f);
	g_autofree char *field = g_strconcat("Subject: ", want, NULL);

	check_field(mail, field);
}

/* --- what points back --- */

static void
an_edit_shows_what_it_said_before_and_says_now(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	make(&f, ITEM_EDIT, ITEM_TYPE_EDIT);
	set(&f.item->target, "wamid.OLD");
	set(&f.item->text, "Transfer 120\nto Bruno");
	refer(&f, &original);
	check_text(&f, "  before          Ana Souza, 2026-02-03 14:04:09 UTC "
	    "(text)\n\n    Transfer 210\n    to Bruno\n\n"
	    "  after\n\n    Transfer 120\n    to Bruno\n\n"
	    "  about message   wamid.OLD\n");
	check_subject(&f, "EDITED - WhatsApp: Ana Souza - +551140040001, "
	    "edited message");
	forget(&f);
}

static void
a_revoke_shows_what_was_deleted(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	make(&f, ITEM_REVOKE, ITEM_TYPE_REVOKE);
	set(&f.item->target, "wamid.OLD");
	refer(&f, &original);
	check_text(&f, "  deleted         Ana Souza, 2026-02-03 14:04:09 UTC "
	    "(text)\n\n    Transfer 210\n    to Bruno\n");
	check_subject(&f, "DELETED - WhatsApp: Ana Souza - +551140040001, "
	    "deleted message");
	forget(&f);
}

static void
what_points_to_a_message_that_is_not_held_says_so(void **state)
{
	static const struct {
		enum item_kind kind;
		enum item_type type;
		const char *want;
	} rows[] = {
		{ ITEM_EDIT, ITEM_TYPE_EDIT,
			"  before          a message that is not held\n" },
		{ ITEM_REVOKE, ITEM_TYPE_REVOKE,
			"  deleted         a message that is not held\n" },
		{ ITEM_REACTION, ITEM_TYPE_REACTION,
			"  reaction to     a message that is not held\n" },
		{ ITEM_SYSTEM, ITEM_TYPE_PIN,
			"  refers to       a message that is not held\n" },
	};
	struct render_original gone = { .held = false };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct fixture f;

		begin(&f);
		make(&f, rows[i].kind, rows[i].type);
		set(&f.item->target, "wamid.OLD");
		check_text(&f, rows[i].want);
		check_text(&f, "  about message   wamid.OLD\n");
		refer(&f, &gone);
		check_text(&f, rows[i].want);
		forget(&f);
	}
}

static void
a_reaction_says_to_what_and_whether_it_was_taken_back(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	make(&f, ITEM_REACTION, ITEM_TYPE_REACTION);
	set(&f.item->target, "wamid.OLD");
	set(&f.item->text, "👍");
	refer(&f, &original);
	check_text(&f, "Ana Souza: reaction ---\n\n  reaction to     Ana "
	    "Souza, 2026-02-03 14:04:09 UTC (text)\n\n    Transfer 210\n"
	    "    to Bruno\n\n\n    👍\n");
	set(&f.item->text, NULL);
	f.item->removed = true;
	check_text(&f, "Ana Souza: reaction removed ---\n");
	forget(&f);
}

static void
a_reply_shows_what_it_answers(void **state)
{
	struct render_original photo = { .held = true,
		.type = ITEM_TYPE_IMAGE, .author = "Maria Lima",
		.file = "../card.jpg", .at_ms = AT_MS - 60000 };
	struct fixture f;

	(void)state;
	begin(&f);
	f.item->context = g_new0(struct item_context, 1);
	f.item->context->id = g_strdup("wamid.QUOTED");
	f.item->context->from = g_strdup("551140040001");
	refer(&f, &photo);
	check_text(&f, "  answers         Maria Lima, 2026-02-03 14:04:09 UTC "
	    "(image)\n  file            _card.jpg\n\n    Bom dia\n\n");
	check_text(&f, "  quoted message  wamid.QUOTED\n"
	    "  quoted author   551140040001\n");
	forget(&f);
}

/* --- receipts --- */

static void
receipts_of_a_message_are_a_line_each_and_their_facts_stand_once(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	make_receipt(&f, f.item, "sent");
	for (int i = 0; i < 2; i++) {
		struct item *it = text_item("wamid.R", NULL);

		it->at_ms = AT_MS + 1000 * (i + 1);
		make_receipt(&f, it, i == 0 ? "delivered" : "read");
		if (i == 1)
			item_fact_add(it, "only here", "yes");
	}
	refer(&f, &original);
	check_text(&f, "--- Status of a message ---\n\n"
	    "  message         Ana Souza, 2026-02-03 14:04:09 UTC (text)\n\n"
	    "    Transfer 210\n    to Bruno\n\n"
	    "  sent        2026-02-03 14:05:09 UTC +5511999990000\n"
	    "  delivered   2026-02-03 14:05:10 UTC +5511999990000\n"
	    "  read        2026-02-03 14:05:11 UTC +5511999990000\n\n"
	    "  about message   wamid.OUT\n"
	    "  recipient       5511999990000\n"
	    "  pricing.category utility\n"
	    "  only here       yes\n\n--- People");
	check_subject(&f, "WhatsApp: Ana Souza - +551140040001, "
	    "status sent, delivered, read");
	forget(&f);
}

static void
a_message_that_failed_is_seen_before_the_mail_is_opened(void **state)
{
	struct item_problem *p;
	struct fixture f;

	(void)state;
	begin(&f);
	make_receipt(&f, f.item, "failed");
	p = item_problem_add(f.item);
	p->code = g_strdup("131049");
	p->title = g_strdup("Not sent");
	p->message = g_strdup("Not sent");
	p->details = g_strdup("to keep the ecosystem healthy");
	check_subject(&f, "NOT DELIVERED - WhatsApp: Ana Souza - "
	    "+551140040001, status failed");
	check_text(&f, "\n*** NOT DELIVERED: a message did not reach its "
	    "recipient.\n");
	check_text(&f, "  problem         131049 Not sent\n"
	    "                  to keep the ecosystem healthy\n");
	forget(&f);
}

/* A translated status keeps the network's own word beside it. */
static void
a_status_is_never_lost_in_translation(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	make_receipt(&f, f.item, "delivered");
	check_text_in("pt", &f, "  entregue    2026-02-03 14:05:09 UTC "
	    "+5511999990000 [delivered]\n");
	set(&f.item->receipt->status, "beamed");
	check_text_in("ru", &f, "  beamed      2026-02-03 14:05:09 UTC "
	    "+5511999990000\n");
	forget(&f);
}

/* --- what a message holds --- */

static struct item_call *
make_call(struct fixture *f)
{
	struct item_call *c = g_new0(struct item_call, 1);

	make(f, ITEM_CALL, ITEM_TYPE_CALL_TERMINATE);
	c->duration_s = -1;
	c->event = g_strdup("terminate");
	c->direction = g_strdup("USER_INITIATED");
	return f->item->call = c;
}

static void
a_call_says_how_long_it_was_or_that_it_was_missed(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
		{ 9, "  duration        9 s (9 s)\n" },
		{ 93, "  duration        1 min 33 s (93 s)\n" },
		{ 3600, "  duration        1 h 0 min 0 s (3600 s)\n" },
	};
	struct item_call *c;
	struct fixture f;

	(void)state;
	begin(&f);
	c = make_call(&f);
	check_text(&f, "  call            missed call\n"
	    "  direction       USER_INITIATED\n"
	    "  event           terminate\n");
	f.item->direction = ITEM_SENT;
	check_text(&f, "  call            outgoing call, not answered\n");
	c->start_ms = AT_MS - 93000;
	c->end_ms = AT_MS;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		c->duration_s = rows[i].seconds;
		check_text(&f, rows[i].text);
	}
	check_text(&f, "  call            outgoing call ended\n");
	check_text(&f, "  began           2026-02-03 14:03:36 UTC\n"
	    "  ended           2026-02-03 14:05:09 UTC\n");
	check_text_in("ru", &f, "  длительность    1 ч 0 мин 0 с (3600 s)\n");
	forget(&f);
}

static void
a_place_is_named_and_its_coordinates_are_as_received(void **state)
{
	struct item_location *l = g_new0(struct item_location, 1);
	struct fixture f;

	(void)state;
	begin(&f);
	make(&f, ITEM_MESSAGE, ITEM_TYPE_LOCATION)->location = l;
	l->latitude = g_strdup("-23.56130000000000001");
	l->longitude = g_strdup("-46.6560");
	l->name = g_strdup("Agência Paulista");
	l->url = g_strdup("https://maps.example/x");
	check_text(&f, "  place           Agência Paulista\n"
	    "  coordinates     -23.56130000000000001, -46.6560\n"
	    "  link            https://maps.example/x\n");
	check_subject(&f, "WhatsApp: Ana Souza - +551140040001, location");
	forget(&f);
}

static void
an_order_stands_in_columns_and_nothing_is_computed(void **state)
{
	static const char *const lines[][4] = {
		{ "2", "gold-card", "12.50", "BRL" },
		{ "100", "карта", "1e3", "BRL" },
		{ NULL, "x", NULL, NULL },
	};
	struct fixture f;

	(void)state;
	begin(&f);
	make(&f, ITEM_MESSAGE, ITEM_TYPE_ORDER);
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		struct item_order_line *o = item_order_add(f.item);

		o->quantity = g_strdup(lines[i][0]);
		o->product_id = g_strdup(lines[i][1]);
		o->price = g_strdup(lines[i][2]);
		o->currency = g_strdup(lines[i][3]);
	}
	check_text(&f, "      2 x gold-card  12.50 BRL\n"
	    "    100 x карта      1e3 BRL\n"
	    "      ? x x          ?\n");
	forget(&f);
}

static void
cards_and_answers_are_lines_of_name_and_value(void **state)
{
	struct item_card *card;
	struct fixture f;

	(void)state;
	begin(&f);
	make(&f, ITEM_MESSAGE, ITEM_TYPE_FLOW_REPLY);
	card = item_card_add(f.item);
	card->name = g_strdup("João Souza");
	item_card_fact_add(card, "mobile", "+55 11 97777-0002");
	item_answer_add(f.item, "Когда вам удобно?", "завтра");
	item_answer_add(f.item, "日本語", "はい");
	check_text(&f, "  contact card    João Souza\n"
	    "    mobile          +55 11 97777-0002\n"
	    "    Когда вам удобно?  завтра\n"
	    "    日本語             はい\n");
	forget(&f);
}

static void
a_template_shows_what_the_customer_saw(void **state)
{
	struct item_template *t;
	struct fixture f;

	(void)state;
	begin(&f);
	f.item->type = ITEM_TYPE_TEMPLATE;
	t = item_template_get(f.item);
	t->name = g_strdup("payment_due");
	t->header = g_strdup("Reminder");
	t->footer = g_strdup("Bank S.A.");
	item_button_add(f.item, "Pay\nnow");
	check_text(&f, "\n    Reminder\n\n    Bom dia\n\n    Bank S.A.\n\n"
	    "    [ Pay now ]\n  template        payment_due\n"
	    "  wording         not known, only the name and its parameters\n");
	t->expanded = true;
	check_no_text(&f, "wording");
	forget(&f);
}

/* --- what must not be overlooked --- */

static void
a_gap_is_a_visible_block_with_code_and_reason(void **state)
{
	struct item_problem *p;
	struct fixture f;

	(void)state;
	begin(&f);
	make(&f, ITEM_GAP, ITEM_TYPE_UNSUPPORTED);
	set(&f.item->missing, "poll_creation");
	p = item_problem_add(f.item);
	p->code = g_strdup("131051");
	p->title = g_strdup("Message type unknown");
	check_text(&f, "\n  *** CAPTURE GAP ***\n  it was          "
	    "poll_creation\n  problem         131051 Message type unknown\n");
	check_subject(&f, "CAPTURE GAP - WhatsApp: Ana Souza - "
	    "+551140040001, message without content");
	forget(&f);
}

static void
an_alarm_stands_in_subject_head_and_item(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	make(&f, ITEM_ACCOUNT, ITEM_TYPE_ACCOUNT_EVENT);
	f.item->alarm = true;
	set(&f.item->note, "the number left the platform");
	check_subject(&f, "ALARM - WhatsApp: Ana Souza - +551140040001, "
	    "event of the account");
	check_text(&f, "\n\n*** ALARM: the capture of messages has stopped or "
	    "may stop.\n");
	check_text(&f, "\n  *** ALARM ***\n  note            the number left "
	    "the platform\n");
	forget(&f);
}

static void
what_no_person_wrote_is_labelled(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.item->machine_written = true;
	check_text(&f, "\n  *** Written by a machine, not by a person ***\n\n"
	    "    Bom dia\n");
	check_text_in("pt", &f, "Texto gerado por máquina");
	f.item->kind = ITEM_HISTORY;
	check_text(&f, "  *** Sent before the capture began ***\n");
	forget(&f);
}

static void
an_item_older_than_the_journal_wants_is_flagged(void **state)
{
	struct render_style_conf conf = { .max_age_ms = 30 * 86400000L };
	const struct render_style *style;
	struct fixture f;

	(void)state;
	begin(&f);
	assert_true(render_style_get(plain, &conf, &style, NULL));
	for (int days = 29; days <= 31; days += 2) {
		g_autofree char *text = NULL;
		g_autofree char *mail = NULL;
		struct rendered *first;
		GPtrArray *mails;

		f.in.now_ms = AT_MS + days * 86400000L;
		assert_true(render_mails(plain, style, &f.in, &mails, NULL));
		first = g_ptr_array_index(mails, 0);
		mail = g_strndup(g_bytes_get_data(first->bytes, NULL),
		    first->len);
		text = text_of(mail);
		assert_int_equal(count(text, "\n*** OLD: "), days > 30);
		g_ptr_array_unref(mails);
	}
	forget(&f);
}

/* --- files --- */

static struct item_media *
add_file(struct fixture *f, struct render_media *found)
{
	struct item_media *m = item_media_add(f->item);
	GPtrArray *list = g_ptr_array_new();

	f->item->type = ITEM_TYPE_DOCUMENT;
	m->id = g_strdup("811000000000007");
	m->filename = g_strdup("../scan.pdf");
	m->mime_type = g_strdup("application/pdf");
	m->sha256 = g_strdup("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
	found->media = m;
	g_ptr_array_add(list, found);
	f->in.media = list;
	return m;
}

#define NOTHING_SHA256 \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void
a_file_says_what_it_is_and_what_became_of_it(void **state)
{
	static const struct {
		enum render_media_state state;
		const char *verdict, *reason, *want;
	} rows[] = {
		{ RENDER_MEDIA_LATE, NULL, "the server is slow",
			"  file            _scan.pdf\n  file status     not here "
			"yet, another mail brings it\n  reason          the "
			"server is slow\n  file type       application/pdf\n"
			"  declared SHA-256 " NOTHING_SHA256 "\n" },
		{ RENDER_MEDIA_MISSING, NULL, "expired after 7 days",
			"  file status     could not be had\n"
			"  reason          expired after 7 days\n" },
		{ RENDER_MEDIA_QUARANTINED, "infected: Eicar", NULL,
			"  file status     held back as malware\n"
			"  scanner         infected: Eicar\n"
			"  file type       application/pdf\n"
			"  file size       1.2 MB (1234567)\n"
			"  file SHA-256    " NOTHING_SHA256 "\n"
			"  file id         811000000000007\n" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct render_media found = { .state = rows[i].state,
			.size = 1234567, .verdict = rows[i].verdict,
			.reason = rows[i].reason };
		struct fixture f;

		hash_sha256("", 0, found.sha256);
		begin(&f);
		add_file(&f, &found);
		check_text(&f, rows[i].want);
		check_subject(&f, "WhatsApp: Ana Souza - +551140040001, "
		    "document");
		forget(&f);
	}
}

static void
a_recording_says_how_long_it_plays_when_that_is_known(void **state)
{
	static const struct {
		int64_t ms;
		const char *want;
	} rows[] = {
		{ 1, "0:01" }, { 1499, "0:01" }, { 1500, "0:02" },
		{ 4151, "0:04" }, { 59499, "0:59" }, { 59500, "1:00" },
		{ 93000, "1:33" }, { 3599499, "59:59" },
		{ 3599500, "1:00:00" }, { 3723000, "1:02:03" },
		{ INT64_C(360000000), "100:00:00" },
		{ INT64_MAX, "2562047788015:12:56" },
	};
	struct render_media found = { .state = RENDER_MEDIA_QUARANTINED,
		.size = 12, .type = "audio/ogg" };
	struct fixture f;

	(void)state;
	begin(&f);
	add_file(&f, &found);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *want = g_strdup_printf(
		    "  file size       12 bytes (12)\n"
		    "  duration        %s\n", rows[i].want);

		found.length_ms = rows[i].ms;
		check_text(&f, want);
	}
	for (found.length_ms = 0; found.length_ms >= -1; found.length_ms--)
		check_no_text(&f, "duration");
	found.length_ms = 4151;
	found.state = RENDER_MEDIA_MISSING;
	check_no_text(&f, "duration");
	forget(&f);
}

static void
bytes_that_are_not_what_was_declared_are_pointed_out(void **state)
{
	struct render_media found = { .state = RENDER_MEDIA_QUARANTINED,
		.size = 12, .type = "text/html", .hash_differs = true,
		.type_differs = true };
	struct fixture f;

	(void)state;
	begin(&f);
	add_file(&f, &found);
	check_text(&f, "  file type       text/html\n"
	    "  *** The bytes are not of the declared type ***\n"
	    "  declared type   application/pdf\n"
	    "  file size       12 bytes (12)\n");
	check_text(&f, "  *** The bytes do not have the declared SHA-256 ***\n"
	    "  declared SHA-256 " NOTHING_SHA256 "\n");
	forget(&f);
}

static void
a_late_file_names_the_message_it_belongs_to(void **state)
{
	struct render_media found = { .state = RENDER_MEDIA_MISSING,
		.reason = "expired" };
	struct fixture f;

	(void)state;
	begin(&f);
	add_file(&f, &found);
	item_media_add(f.item)->id = g_strdup("another");
	g_ptr_array_add(f.items, text_item("wamid.TWO", "said already"));
	f.in.is_follow_up = true;
	f.in.parent_message_id = "t.00@chatjournal.bank.example";
	check_text(&f, "\n*** File for the message of 2026-02-03 14:05:09 UTC\n"
	    "    t.00@chatjournal.bank.example\n");
	check_text(&f, "  file status     could not be had\n");
	check_text(&f, "--- 1/2 --- ");
	check_no_text(&f, "another");
	check_no_text(&f, "said already");
	check_subject(&f, "WhatsApp: Ana Souza - +551140040001, "
	    "file of an earlier message");
	forget(&f);
}

/* --- people, times, widths --- */

static void
a_change_of_identity_shows_before_and_after(void **state)
{
	struct item_identity *id;
	struct fixture f;

	(void)state;
	begin(&f);
	make(&f, ITEM_SYSTEM, ITEM_TYPE_NUMBER_CHANGED);
	id = item_identity_get(f.item);
	set(&id->before.number, "5511999990000");
	set(&id->after.number, "5511999990001");
	set(&id->before.username, "ana");
	set(&id->after.username, "ana");
	set(&id->after.user_id, "BR.150");
	check_text(&f, "  number          +5511999990000 -> +5511999990001\n"
	    "  user id         ? -> BR.150\n"
	    "  username        ana\n");
	forget(&f);
}

static void
times_stand_in_utc_and_in_the_zone_of_the_desk(void **state)
{
	static char kolkata[] = "Asia/Kolkata";
	struct render_conf conf = conf_with(templates, true);
	struct err err = ERR_INIT;
	struct render *r;
	struct fixture f;
	struct item *later = text_item("wamid.TWO", "x");

	(void)state;
	conf.zone = "America/Sao_Paulo";
	assert_true(render_new(&conf, &r, &err));
	begin(&f);
	g_autofree char *mail = render_with(r, &f.in);
	g_autofree char *text = text_of(mail);

	assert_non_null(strstr(text, "Time            2026-02-03 14:05:09 UTC\n"
	    "Local time      2026-02-03 11:05:09 -03 (America/Sao_Paulo)\n"));
	assert_non_null(strstr(text, "--- 1/1 --- 11:05:09 Ana Souza: text"));
	later->at_ms += 5000;
	g_ptr_array_add(f.items, later);
	f.in.business = &f.business;
	f.business.zone = kolkata;
	g_autofree char *own = render_with(r, &f.in);
	g_autofree char *own_text = text_of(own);

	assert_non_null(strstr(own_text, "Local time      2026-02-03 19:35:09 "
	    "+05:30 - 2026-02-03 19:35:14 +05:30 (Asia/Kolkata)\n"));
	assert_non_null(strstr(own_text, "  time            2026-02-03 "
	    "14:05:14 UTC (2026-02-03 19:35:14 +05:30)\n"));
	check_no_text(&f, "Local time      2026-02-03 11");
	conf.zone = "Mars/Olympus";
	render_free(r);
	assert_false(render_new(&conf, &r, &err));
	assert_string_equal(err.what, "render.zone");
	forget(&f);
}

static void
names_are_filled_up_by_the_columns_they_take(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{ "Straße", "  Straße          x\n" },
		{ "имя", "  имя             x\n" },
		{ "名前", "  名前            x\n" },
		{ "☎️ office", "  ☎️ office       x\n" },
		{ "👍🏽", "  👍🏽            x\n" },
		{ "e\xcc\x81te\xcc\x81", "  e\xcc\x81te\xcc\x81             x\n" },
		{ "שם", "  שם              x\n" },
		{ "exactly 16 chars", "  exactly 16 chars x\n" },
		{ "\x01", "  ?               x\n" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct fixture f;

		begin(&f);
		item_fact_add(f.item, rows[i].name, "x");
		check_text(&f, rows[i].want);
		forget(&f);
	}
}

static void
all_mails_of_a_conversation_begin_their_subject_alike(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	check_subject(&f, "WhatsApp: Ana Souza - +551140040001, 1 message");
	f.item->direction = ITEM_SENT;
	check_subject(&f, "WhatsApp: Ana Souza - +551140040001, 1 message");
	f.item->author = ITEM_NETWORK;
	f.item->kind = ITEM_SYSTEM;
	f.item->type = ITEM_TYPE_UNKNOWN;
	check_subject(&f, "WhatsApp: Ana Souza - +551140040001, "
	    "system message");
	f.item->type = ITEM_TYPE_TEXT;
	set(&f.item->group_id, "Y2FwaV9ncm91cDoxNzA1NTU1MDEz");
	f.item->kind = ITEM_MESSAGE;
	f.item->author = ITEM_CUSTOMER;
	f.item->direction = ITEM_RECEIVED;
	check_subject(&f, "WhatsApp: Group NTU1MDEz - +551140040001, "
	    "1 message");
	set(&f.item->counterpart.name, "Bruno");
	check_subject(&f, "WhatsApp: Group NTU1MDEz - +551140040001, "
	    "1 message");
	forget(&f);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_edit_shows_what_it_said_before_and_says_now),
		cmocka_unit_test(a_revoke_shows_what_was_deleted),
		cmocka_unit_test(
		    what_points_to_a_message_that_is_not_held_says_so),
		cmocka_unit_test(
		    a_reaction_says_to_what_and_whether_it_was_taken_back),
		cmocka_unit_test(a_reply_shows_what_it_answers),
		cmocka_unit_test(
		    receipts_of_a_message_are_a_line_each_and_their_facts_stand_once),
		cmocka_unit_test(
		    a_message_that_failed_is_seen_before_the_mail_is_opened),
		cmocka_unit_test(a_status_is_never_lost_in_translation),
		cmocka_unit_test(
		    a_call_says_how_long_it_was_or_that_it_was_missed),
		cmocka_unit_test(
		    a_place_is_named_and_its_coordinates_are_as_received),
		cmocka_unit_test(
		    an_order_stands_in_columns_and_nothing_is_computed),
		cmocka_unit_test(cards_and_answers_are_lines_of_name_and_value),
		cmocka_unit_test(a_template_shows_what_the_customer_saw),
		cmocka_unit_test(a_gap_is_a_visible_block_with_code_and_reason),
		cmocka_unit_test(an_alarm_stands_in_subject_head_and_item),
		cmocka_unit_test(what_no_person_wrote_is_labelled),
		cmocka_unit_test(
		    an_item_older_than_the_journal_wants_is_flagged),
		cmocka_unit_test(a_file_says_what_it_is_and_what_became_of_it),
		cmocka_unit_test(
		    a_recording_says_how_long_it_plays_when_that_is_known),
		cmocka_unit_test(
		    bytes_that_are_not_what_was_declared_are_pointed_out),
		cmocka_unit_test(a_late_file_names_the_message_it_belongs_to),
		cmocka_unit_test(a_change_of_identity_shows_before_and_after),
		cmocka_unit_test(
		    times_stand_in_utc_and_in_the_zone_of_the_desk),
		cmocka_unit_test(names_are_filled_up_by_the_columns_they_take),
		cmocka_unit_test(
		    all_mails_of_a_conversation_begin_their_subject_alike),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
