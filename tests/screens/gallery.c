/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mails of everything that an item can say, also of what no single event
 * says: old text that is held, files in each of their states, an aged mail,
 * markup in every place where a stranger's words are shown.
 *
 *     gallery TEMPLATES FILES OUTDIR
 *
 * FILES holds photo.png, sticker.png, voice.ogg and so on, as made by
 * screens.py. Each scene becomes OUTDIR/NAME.eml.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory.h"
#include "err.h"
#include "hash.h"
#include "item.h"
#include "render.h"

#define AT_MS 1790001000000
#define HOSTILE "<script>alert(1)</script><img src=x onerror=alert(2)> \"'&lt;"
#define LONG_WORD "wamid.HBgNNTUxMTk5OTk5MDAwMBUCABIYFDNBOTY3MkM0RDA5RTdBM0E1" \
	"NTFGAAHBgNNTUxMTk5OTk5MDAwMBUCABIYFDNBOTY3MkM0RDA5RTdBM0E1NTFGAA=="
#define ARABIC "صباح الخير، أريد فتح حساب توفير من فضلكم. شكرا جزيلا لكم"
#define HEBREW "שלום, אני רוצה לפתוח חשבון חיסכון בבנק שלכם בבקשה, תודה רבה"

struct scene {
	struct render *render;
	const char *files, *out;
	GPtrArray *items, *events, *originals, *media;
	GPtrArray *paths;	/* of the files, g_free */
	struct render_event event;
	struct render_input in;
	struct render_style_conf style;
	int count;		/* of ids */
};

static char name_desk[] = "Private Banking", desk[] = "pb",
    name_staff[] = "Maria Lima", id_staff[] = "E1234",
    mail_staff[] = "maria.lima@bank.example",
    name_customer[] = "Ana Torres de Araújo", id_customer[] = "C-77",
    name_rtl[] = "محمد عبد الله", zone_moscow[] = "Europe/Moscow";
static const struct directory_staff staff = { .id = id_staff,
	.name = name_staff, .mail = mail_staff };
static const struct directory_business business = { .name = name_desk,
	.desk = desk };
static const struct directory_business moscow = { .name = name_desk,
	.desk = desk, .zone = zone_moscow };
static const struct directory_customer customer = { .id = id_customer,
	.name = name_customer };
static const struct directory_customer customer_rtl = { .id = id_customer,
	.name = name_rtl };
static const char json[] = "{\"object\":\"whatsapp_business_account\"}";

static void
stop(const char *what, const char *why)
{
	fprintf(stderr, "gallery: %s: %s\n", what, why);
	exit(1);
}

/* ---- what scenes are made of ------------------------------------------------ */

static struct item *
add(struct scene *s, enum item_kind kind, enum item_type type,
    const char *text)
{
	struct item *it = item_new(kind, type);

	it->author = ITEM_CUSTOMER;
	it->network = g_strdup("whatsapp");
	it->id = g_strdup_printf("wamid.TESTGALLERY%d", ++s->count);
	it->key = g_strdup_printf("whatsapp|m|%s", it->id);
	it->at_ms = AT_MS + 61000 * (int64_t)s->count;
	it->account = g_strdup("900100200300400");
	it->business.number = g_strdup("551140000001");
	it->business.user_id = g_strdup("700111222333444");
	it->counterpart.number = g_strdup("5511988880001");
	it->counterpart.user_id = g_strdup("BR.5QeXaMpLe0001");
	it->counterpart.name = g_strdup("Ana T.");
	it->text = g_strdup(text);
	it->raw = g_strdup("{\"id\":\"x\",\"type\":\"hologram\","
	    "\"hologram\":{\"depth\":3,\"of\":[\"a\",\"b\"]}}");
	g_ptr_array_add(s->items, it);
	g_ptr_array_add(s->originals, NULL);
	return it;
}

static struct item *
sent(struct item *it)
{
	it->direction = ITEM_SENT;
	it->author = ITEM_STAFF;
	return it;
}

static struct item *
by_network(struct item *it)
{
	it->author = ITEM_NETWORK;
	return it;
}

/* What the last item answers or changes. text NULL: it is not held. */
static void
original(struct scene *s, const char *author, const char *text)
{
	struct render_original *o = g_new0(struct render_original, 1);
	struct item *it = g_ptr_array_index(s->items, s->items->len - 1);

	o->held = text != NULL;
	o->type = ITEM_TYPE_TEXT;
	o->author = author;
	o->text = text;
	o->at_ms = AT_MS - 3600000;
	g_free(it->target);
	it->target = g_strdup("wamid.TESTORIGINAL");
	s->originals->pdata[s->originals->len - 1] = o;
}

/* A file of the item; state -1: not fetched. */
static struct render_media *
file(struct scene *s, struct item *it, const char *name, int state)
{
	struct item_media *m = item_media_add(it);
	struct render_media *r = g_new0(struct render_media, 1);
	gsize len = 0;
	g_autofree char *bytes = NULL;
	char *path = g_build_filename(s->files, name, NULL);

	g_ptr_array_add(s->paths, path);
	m->id = g_strdup("1234567890123456");
	m->filename = it->type == ITEM_TYPE_DOCUMENT ? g_strdup(name) : NULL;
	if (!g_file_get_contents(path, &bytes, &len, NULL))
		stop(path, "cannot be read");
	m->mime_type = g_strdup(
	    g_str_has_suffix(name, ".png") ? "image/png" :
	    g_str_has_suffix(name, ".ogg") ? "audio/ogg; codecs=opus" :
	    g_str_has_suffix(name, ".mp4") ? "video/mp4" : "application/pdf");
	m->caption = g_strdup(it->text);
	r->media = m;
	r->state = state < 0 ? RENDER_MEDIA_MISSING :
	    (enum render_media_state)state;
	r->path = path;
	r->size = (int64_t)len;
	hash_sha256(bytes, len, r->sha256);
	r->type = m->mime_type;
	g_ptr_array_add(state >= 0 ? s->media : s->paths, r);
	return r;
}

static void
fact(struct item *it, const char *name, const char *value)
{
	item_fact_add(it, name, value);
}

static void
receipt(struct scene *s, const char *status)
{
	struct item *it = by_network(add(s, ITEM_RECEIPT, ITEM_TYPE_STATUS,
	    NULL));

	it->receipt = g_new0(struct item_receipt, 1);
	it->receipt->status = g_strdup(status);
	it->receipt->recipient = g_strdup("5511988880001");
	original(s, name_staff, "Bom dia, Ana. O CDB vence em 12/10; envio o "
	    "extrato por e-mail.");
}

static struct item *
call(struct scene *s, enum item_type type, int64_t duration_s)
{
	struct item *it = add(s, ITEM_CALL, type, NULL);

	it->call = g_new0(struct item_call, 1);
	it->call->event = g_strdup("terminate");
	it->call->status = g_strdup(duration_s > 0 ? "COMPLETED" : "FAILED");
	it->call->direction = g_strdup("USER_INITIATED");
	it->call->duration_s = duration_s;
	if (duration_s > 0) {
		it->call->start_ms = AT_MS;
		it->call->end_ms = AT_MS + duration_s * 1000;
	}
	return it;
}

static void
problem(struct item *it, const char *code, const char *title,
    const char *details)
{
	struct item_problem *p = item_problem_add(it);

	p->code = g_strdup(code);
	p->title = g_strdup(title);
	p->message = g_strdup(title);
	p->details = g_strdup(details);
}

/* ---- messages --------------------------------------------------------------- */

static void
texts(struct scene *s)
{
	add(s, ITEM_MESSAGE, ITEM_TYPE_TEXT, "Bom dia! Tudo bem?");
	add(s, ITEM_MESSAGE, ITEM_TYPE_TEXT, "Qual é o saldo da minha conta "
	    "de investimento?\n\nPreciso disso hoje, antes das 17h, por favor."
	    "\n\t- CDB\n\t- Tesouro Direto");
	add(s, ITEM_MESSAGE, ITEM_TYPE_TEXT, "E quando vence o CDB? 🙂👍🏽");
	add(s, ITEM_MESSAGE, ITEM_TYPE_TEXT, "ok");
}

static void
text_sent(struct scene *s)
{
	sent(add(s, ITEM_MESSAGE, ITEM_TYPE_TEXT, "Bom dia, Ana. O CDB vence "
	    "em 12/10; envio o extrato por e-mail."));
}

static void
long_words(struct scene *s)
{
	struct item *it = add(s, ITEM_MESSAGE, ITEM_TYPE_TEXT, "https://bank."
	    "example/a/very/long/path/without/any/blank?token=" LONG_WORD
	    "\n" LONG_WORD);

	fact(it, LONG_WORD, LONG_WORD);
	fact(it, "came from", LONG_WORD);
	item_answer_add(it, LONG_WORD, LONG_WORD);
	it->context = g_new0(struct item_context, 1);
	it->context->id = g_strdup(LONG_WORD);
	original(s, LONG_WORD, LONG_WORD LONG_WORD);
}

static void
scripts(struct scene *s)
{
	s->in.customer = &customer_rtl;
	add(s, ITEM_MESSAGE, ITEM_TYPE_TEXT, ARABIC);
	add(s, ITEM_MESSAGE, ITEM_TYPE_TEXT, HEBREW "\nThe IBAN is GB33BUKB"
	    "20201555555555.\n" ARABIC);
	add(s, ITEM_MESSAGE, ITEM_TYPE_TEXT, "The word for bank is بنك, and "
	    "in Hebrew בנק; ธนาคาร, बैंक, ბანკი, τράπεζα, банк.");
	original(s, name_rtl, ARABIC);
	add(s, ITEM_MESSAGE, ITEM_TYPE_TEXT, "5 ديسمبر؟");
}

static void
text_sent_arabic(struct scene *s)
{
	sent(add(s, ITEM_MESSAGE, ITEM_TYPE_TEXT, ARABIC));
	sent(add(s, ITEM_MESSAGE, ITEM_TYPE_TEXT, "نعم"));
}

static void
replies(struct scene *s)
{
	struct item *it = sent(add(s, ITEM_MESSAGE, ITEM_TYPE_TEXT,
	    "Em 12/10."));

	original(s, name_customer, "E quando vence o CDB? 🙂");
	it = sent(add(s, ITEM_MESSAGE, ITEM_TYPE_TEXT, "Sim."));
	it->context = g_new0(struct item_context, 1);
	it->context->id = g_strdup("wamid.TESTUNKNOWN");
	it->context->from = g_strdup("5511988880001");
	it->context->frequently_forwarded = true;
	original(s, NULL, NULL);
}

static void
pictures(struct scene *s)
{
	struct item *it = add(s, ITEM_MESSAGE, ITEM_TYPE_IMAGE,
	    "O extrato, foto 1");

	file(s, it, "photo.png", RENDER_MEDIA_HELD);
	it = add(s, ITEM_MESSAGE, ITEM_TYPE_STICKER, NULL);
	file(s, it, "sticker.png", RENDER_MEDIA_HELD);
}

static void
players(struct scene *s)
{
	struct item *it = add(s, ITEM_MESSAGE, ITEM_TYPE_VOICE, NULL);
	struct render_media *m = file(s, it, "voice.ogg", RENDER_MEDIA_HELD);

	m->media->id[0] = '9';
	m->length_ms = 4151;
	it = add(s, ITEM_MESSAGE, ITEM_TYPE_AUDIO, NULL);
	file(s, it, "voice.ogg", RENDER_MEDIA_HELD);
	it = add(s, ITEM_MESSAGE, ITEM_TYPE_VIDEO, "Veja o vídeo");
	file(s, it, "film.mp4", RENDER_MEDIA_HELD);
	it = add(s, ITEM_MESSAGE, ITEM_TYPE_DOCUMENT, NULL);
	file(s, it, "contract.pdf", RENDER_MEDIA_HELD)->verdict = "clean";
}

static void
lost_files(struct scene *s)
{
	struct item *it = add(s, ITEM_MESSAGE, ITEM_TYPE_IMAGE, "late");

	file(s, it, "photo.png", RENDER_MEDIA_LATE)->reason =
	    "the network answers slowly";
	it = add(s, ITEM_MESSAGE, ITEM_TYPE_VOICE, NULL);
	file(s, it, "voice.ogg", RENDER_MEDIA_MISSING)->reason =
	    "HTTP 404: the network no longer has it";
	it = add(s, ITEM_MESSAGE, ITEM_TYPE_DOCUMENT, NULL);
	file(s, it, "contract.pdf", RENDER_MEDIA_QUARANTINED)->verdict =
	    "infected: Eicar-Signature";
	it = add(s, ITEM_MESSAGE, ITEM_TYPE_VIDEO, "not fetched");
	file(s, it, "film.mp4", -1);
}

static void
odd_files(struct scene *s)
{
	struct item *it = sent(add(s, ITEM_MESSAGE, ITEM_TYPE_IMAGE, NULL));
	struct render_media *m = file(s, it, "photo.png", RENDER_MEDIA_HELD);

	m->hash_differs = true;
	it->media->len = 1;
	it = sent(add(s, ITEM_MESSAGE, ITEM_TYPE_DOCUMENT, NULL));
	m = file(s, it, "contract.pdf", RENDER_MEDIA_HELD);
	m->type_differs = true;
	m->type = "application/x-dosexec";
	m->verdict = "unscanned: larger than the scanner takes";
}

static void
places(struct scene *s)
{
	struct item *it = add(s, ITEM_MESSAGE, ITEM_TYPE_LOCATION, NULL);

	it->location = g_new0(struct item_location, 1);
	it->location->latitude = g_strdup("-23.5613580");
	it->location->longitude = g_strdup("-46.6564970");
	it->location->name = g_strdup("Agência Paulista");
	it->location->address = g_strdup("Av. Paulista 1578, São Paulo");
	it->location->url = g_strdup("https://maps.example/paulista");
	it = add(s, ITEM_MESSAGE, ITEM_TYPE_LOCATION, NULL);
	it->location = g_new0(struct item_location, 1);
	it->location->latitude = g_strdup("24.4539");
	it->location->longitude = g_strdup("54.3773");
}

static void
cards(struct scene *s)
{
	struct item *it = add(s, ITEM_MESSAGE, ITEM_TYPE_CONTACTS, NULL);
	struct item_card *card = item_card_add(it);

	card->name = g_strdup("João Souza");
	item_card_fact_add(card, "mobile", "+55 11 97777-0002");
	item_card_fact_add(card, "org", "Souza Ltda, Diretoria");
	item_card_fact_add(card, "email", "joao.souza@example.com");
	card = item_card_add(it);
	card->name = g_strdup(name_rtl);
	item_card_fact_add(card, "work", "+971 50 123 4567");
}

static void
orders(struct scene *s)
{
	struct item *it = add(s, ITEM_MESSAGE, ITEM_TYPE_ORDER,
	    "Please reserve these for Monday");
	static const char *const rows[][3] = { { "CDB-2027", "1", "1000.00" },
		{ "a-rather-long-product-name-without-blanks-0001", "25",
			"1234567.50" } };

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct item_order_line *o = item_order_add(it);

		o->product_id = g_strdup(rows[i][0]);
		o->quantity = g_strdup(rows[i][1]);
		o->price = g_strdup(rows[i][2]);
		o->currency = g_strdup("BRL");
	}
}

static void
forms(struct scene *s)
{
	struct item *it = add(s, ITEM_MESSAGE, ITEM_TYPE_FLOW_REPLY, NULL);

	it->reply = g_new0(struct item_reply, 1);
	it->reply->name = g_strdup("flow");
	it->reply->body = g_strdup("Sent");
	item_answer_add(it, "What is your monthly income?", "12.000");
	item_answer_add(it, "Purpose of the account",
	    "Savings for the education of my children");
	item_answer_add(it, "الغرض من الحساب", ARABIC);
	it = add(s, ITEM_MESSAGE, ITEM_TYPE_BUTTON_REPLY, NULL);
	it->reply = g_new0(struct item_reply, 1);
	it->reply->title = g_strdup("Confirmar");
	it->reply->id = g_strdup("confirm-42");
	original(s, name_staff, "Confirma a transferência de R$ 1.200?");
}

static void
templates(struct scene *s)
{
	struct item *it = sent(add(s, ITEM_MESSAGE, ITEM_TYPE_TEMPLATE,
	    "Olá Ana, sua fatura de R$ 1.234,56 vence em 12/10/2026."));
	struct item_template *t = item_template_get(it);

	it->author = ITEM_BOT;
	t->name = g_strdup("payment_due");
	t->language = g_strdup("pt_BR");
	t->category = g_strdup("UTILITY");
	t->header = g_strdup("Fatura de outubro");
	t->footer = g_strdup("Responda SAIR para não receber avisos");
	t->expanded = true;
	item_button_add(it, "Pagar agora");
	item_button_add(it, "Falar com o gerente");
	item_button_add(it, "Já paguei");
}

/* ---- changes ---------------------------------------------------------------- */

static void
edit(struct scene *s)
{
	add(s, ITEM_EDIT, ITEM_TYPE_EDIT, "The transfer is 12,000 USD");
	original(s, name_customer, "The transfer is 1,200 USD\nplease");
}

static void
edit_sent_unheld(struct scene *s)
{
	sent(add(s, ITEM_EDIT, ITEM_TYPE_EDIT, "corrected"));
	original(s, NULL, NULL);
}

static void
revoked(struct scene *s)
{
	sent(add(s, ITEM_REVOKE, ITEM_TYPE_REVOKE, NULL));
	original(s, name_staff, "Let us talk on my private number");
}

static void
revoke_unheld(struct scene *s)
{
	add(s, ITEM_REVOKE, ITEM_TYPE_REVOKE, NULL);
	original(s, NULL, NULL);
}

static void
reaction(struct scene *s)
{
	add(s, ITEM_REACTION, ITEM_TYPE_REACTION, "👍🏽");
	original(s, name_staff, "O CDB vence em 12/10");
}

static void
reaction_removed(struct scene *s)
{
	add(s, ITEM_REACTION, ITEM_TYPE_REACTION, NULL)->removed = true;
	original(s, name_staff, "O CDB vence em 12/10");
}

static void
receipts(struct scene *s)
{
	receipt(s, "sent");
	receipt(s, "delivered");
	receipt(s, "read");
}

static void
receipt_failed(struct scene *s)
{
	receipt(s, "failed");
	problem(g_ptr_array_index(s->items, 0), "131047",
	    "Re-engagement message", "More than 24 hours have passed since "
	    "the customer last replied to this number.");
}

/* ---- calls, groups, system -------------------------------------------------- */

static void
call_missed(struct scene *s)
{
	call(s, ITEM_TYPE_CALL_TERMINATE, 0);
}

static void
call_ended(struct scene *s)
{
	sent(call(s, ITEM_TYPE_CALL_TERMINATE, 754));
}

static void
call_recording(struct scene *s)
{
	file(s, call(s, ITEM_TYPE_CALL_RECORDING, 92), "voice.ogg",
	    RENDER_MEDIA_HELD);
}

static void
call_transcript(struct scene *s)
{
	struct item *it = call(s, ITEM_TYPE_CALL_TRANSCRIPT, 92);

	it->machine_written = true;
	it->text = g_strdup("Business: Bom dia.\nCustomer: Bom dia, Maria.");
}

static void
group(struct scene *s)
{
	struct item *it = by_network(add(s, ITEM_GROUP,
	    ITEM_TYPE_GROUP_PARTICIPANTS, NULL));

	it->group_id = g_strdup("Y2FwaV9ncm91cDoxOTUwNTU1MDA3OToxMjAzNjM");
	fact(it, "event", "group_participants_add");
	fact(it, "added.wa_id", "5511988880001");
	fact(it, "added.name", HEBREW);
	fact(it, "reason", "invite_link");
}

static void
number_changed(struct scene *s)
{
	struct item *it = by_network(add(s, ITEM_SYSTEM,
	    ITEM_TYPE_NUMBER_CHANGED,
	    "User Ana changed from 5511988880001 to 5511988880009"));
	struct item_identity *i = item_identity_get(it);

	i->before.number = g_strdup("5511988880001");
	i->after.number = g_strdup("5511988880009");
	i->before.user_id = g_strdup("BR.5QeXaMpLe0001");
	i->after.user_id = g_strdup("BR.5QeXaMpLe0009");
}

static void
handover(struct scene *s)
{
	struct item *it = by_network(add(s, ITEM_SYSTEM,
	    ITEM_TYPE_CONTEXT_SUMMARY, "The customer asked for the balance "
	    "and wants to move 1,200 USD. The assistant could not help."));

	it->machine_written = true;
	fact(it, "new owner", "human agent");
}

/* ---- what is missing, and what is not of a conversation --------------------- */

static void
gap(struct scene *s)
{
	struct item *it = add(s, ITEM_GAP, ITEM_TYPE_UNSUPPORTED, NULL);

	it->missing = g_strdup("poll_creation");
	it->note = g_strdup("The network did not deliver the content of this "
	    "message.");
	problem(it, "131051", "Message type unknown",
	    "Message type is currently not supported.");
}

static void
alarm_raised(struct scene *s)
{
	struct item *it = by_network(add(s, ITEM_ACCOUNT,
	    ITEM_TYPE_ACCOUNT_EVENT, NULL));

	it->alarm = true;
	it->note = g_strdup("The number was taken off the platform in the "
	    "phone app: nothing more of it is captured.");
	fact(it, "event", "ACCOUNT_OFFBOARDED");
	fact(it, "disconnection_info.reason", "PRIMARY_INACTIVITY");
}

static void
history_message(struct scene *s)
{
	struct item *it = sent(add(s, ITEM_HISTORY, ITEM_TYPE_TEXT,
	    "Of before the capture began"));

	fact(it, "status", "READ");
}

static void
notice(struct scene *s)
{
	struct item *it = add(s, ITEM_NOTICE, ITEM_TYPE_UNKNOWN, NULL);

	it->type_name = g_strdup("hologram");
	it->note = g_strdup("a kind of message that is not known: shown raw");
}

static void
follow_up(struct scene *s)
{
	struct item *it = add(s, ITEM_MESSAGE, ITEM_TYPE_IMAGE, "late");

	file(s, it, "photo.png", RENDER_MEDIA_HELD);
	s->in.is_follow_up = true;
	s->in.parent_message_id = "t.0123456789abcdef0123456789abcdef@"
	    "chatjournal.bank.example";
}

static void
hostile(struct scene *s)
{
	struct item *it = add(s, ITEM_MESSAGE, ITEM_TYPE_DOCUMENT, HOSTILE);
	struct item_card *card;
	struct item_template *t;

	g_free(it->counterpart.name);
	it->counterpart.name = g_strdup(HOSTILE);
	s->in.customer = NULL;
	file(s, it, "contract.pdf", RENDER_MEDIA_MISSING)->reason = HOSTILE;
	g_free(((struct item_media *)it->media->pdata[0])->filename);
	((struct item_media *)it->media->pdata[0])->filename =
	    g_strdup(HOSTILE ".pdf");
	card = item_card_add(it);
	card->name = g_strdup(HOSTILE);
	item_card_fact_add(card, HOSTILE, HOSTILE);
	item_answer_add(it, HOSTILE, HOSTILE);
	item_order_add(it)->product_id = g_strdup(HOSTILE);
	t = item_template_get(it);
	t->header = g_strdup(HOSTILE);
	t->footer = g_strdup(HOSTILE);
	item_button_add(it, HOSTILE);
	it->location = g_new0(struct item_location, 1);
	it->location->name = g_strdup(HOSTILE);
	it->location->url = g_strdup("javascript:" HOSTILE);
	it->note = g_strdup(HOSTILE);
	problem(it, HOSTILE, HOSTILE, HOSTILE);
	fact(it, HOSTILE, HOSTILE);
	original(s, HOSTILE, HOSTILE);
}

/* ---- what a journal wants otherwise ----------------------------------------- */

static void
portuguese(struct scene *s)
{
	receipt_failed(s);
	s->style.language = "pt";
}

static void
russian(struct scene *s)
{
	struct item *it;

	lost_files(s);
	it = add(s, ITEM_MESSAGE, ITEM_TYPE_TEXT, "Добрый день! Перезвоните "
	    "мне, пожалуйста, до 17:00.");
	it->machine_written = true;
	s->in.business = &moscow;
	s->style.language = "ru";
}

static void
aged(struct scene *s)
{
	texts(s);
	s->style.max_age_ms = 86400000;
	s->in.now_ms = AT_MS + 40 * s->style.max_age_ms;
}

static void
cut(struct scene *s)
{
	pictures(s);
	players(s);
	s->style.max_files = 2;
}

/* ---- rendering -------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*fill)(struct scene *s);
} scenes[] = {
	{ "text", texts }, { "text-sent", text_sent },
	{ "long-words", long_words }, { "scripts", scripts },
	{ "text-sent-arabic", text_sent_arabic }, { "reply", replies },
	{ "pictures", pictures }, { "players", players },
	{ "lost-files", lost_files }, { "odd-files", odd_files },
	{ "place", places }, { "cards", cards }, { "order", orders },
	{ "form", forms }, { "template", templates }, { "edit", edit },
	{ "edit-unheld", edit_sent_unheld }, { "revoke", revoked },
	{ "revoke-unheld", revoke_unheld }, { "reaction", reaction },
	{ "reaction-removed", reaction_removed }, { "receipts", receipts },
	{ "receipt-failed", receipt_failed }, { "call-missed", call_missed },
	{ "call-ended", call_ended }, { "call-recording", call_recording },
	{ "call-transcript", call_transcript }, { "group", group },
	{ "number-changed", number_changed }, { "handover", handover },
	{ "gap", gap }, { "alarm", alarm_raised },
	{ "history", history_message }, { "notice", notice },
	{ "follow-up", follow_up }, { "hostile", hostile },
	{ "portuguese", portuguese }, { "russian", russian },
	{ "aged", aged }, { "cut", cut },
};

static void
write_mail(const struct scene *s, const char *name, guint part,
    const struct rendered *mail)
{
	g_autofree char *number = part > 0 ? g_strdup_printf("-%u", part + 1) :
	    g_strdup("");
	g_autofree char *path = g_strdup_printf("%s/gallery-%s%s.eml", s->out,
	    name, number);
	gsize len;
	const void *data = g_bytes_get_data(mail->bytes, &len);

	if (!g_file_set_contents(path, data, (gssize)len, NULL))
		stop(path, "cannot be written");
}

static void
render(struct scene *s, const char *name)
{
	const struct render_style *style;
	g_autoptr(GPtrArray) mails = NULL;
	struct err err = ERR_INIT;

	if (!render_style_get(s->render, &s->style, &style, &err) ||
	    !render_mails(s->render, style, &s->in, &mails, &err))
		stop(name, err.text);
	for (guint i = 0; i < mails->len; i++)
		write_mail(s, name, i, g_ptr_array_index(mails, i));
}

static void
play(struct scene *s, const char *name, void (*fill)(struct scene *))
{
	const struct item *first;

	s->items = item_list_new();
	s->originals = g_ptr_array_new_with_free_func(g_free);
	s->media = g_ptr_array_new_with_free_func(g_free);
	s->paths = g_ptr_array_new_with_free_func(g_free);
	s->in = (struct render_input){ .items = s->items, .events = s->events,
		.originals = s->originals, .media = s->media,
		.conversation = "whatsapp|700111222333444|n:5511988880001",
		.business = &business, .customer = &customer,
		.now_ms = AT_MS };
	s->style = (struct render_style_conf){ .language = "en" };
	fill(s);
	first = g_ptr_array_index(s->items, 0);
	if (first->direction == ITEM_SENT)
		s->in.staff = &staff;
	render(s, name);
	g_ptr_array_unref(s->media);
	g_ptr_array_unref(s->paths);
	g_ptr_array_unref(s->originals);
	g_ptr_array_unref(s->items);
}

int
main(int argc, char **argv)
{
	struct scene s = { 0 };
	struct err err = ERR_INIT;

	if (argc != 4)
		stop("usage", "gallery TEMPLATES FILES OUTDIR");
	const struct render_conf conf = { .tenant = "bank",
		.domain = "chatjournal.bank.example",
		.address_domain = "whatsapp.bank.example",
		.templates = argv[1], .attach_event = true };

	if (!render_new(&conf, &s.render, &err))
		stop(argv[1], err.text);
	s.files = argv[2];
	s.out = argv[3];
	s.event = (struct render_event){ .seq = 1048576, .source = "webhook",
		.received_ms = AT_MS + 400000, .body = json,
		.len = strlen(json), .is_json = true };
	hash_sha256(json, strlen(json), s.event.sha256);
	s.events = g_ptr_array_new();
	g_ptr_array_add(s.events, &s.event);
	for (size_t i = 0; i < G_N_ELEMENTS(scenes); i++)
		play(&s, scenes[i].name, scenes[i].fill);
	g_ptr_array_unref(s.events);
	render_free(s.render);
	return 0;
}
