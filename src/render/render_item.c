/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One item as templates see it. What most items have stands here; what only
 * some have is a list of its own (render_detail.c, render_files.c). Whatever
 * has no name of its own becomes a fact, so that nothing can be left out: a
 * new member of an item is one line here.
 */
#include "render_view.h"

#include <string.h>

#include "text.h"

/*
 * Lists of one turn have at most so many rows, well below the engine's own
 * limit. An item that would pass it is shown as its raw JSON instead.
 */
#define ROWS_MAX 4000

/* ---- words ----------------------------------------------------------------- */

const char *
render_writer(const struct render_words *w, enum item_author author)
{
	static const char *const words[ITEM_AUTHORS] = {
		[ITEM_CUSTOMER] = WORD("customer"),
		[ITEM_STAFF] = WORD("employee"),
		[ITEM_BOT] = WORD("bot"),
		[ITEM_OTHER_APP] = WORD("other application"),
		[ITEM_UNKNOWN_STAFF] = WORD("business, person not known"),
		[ITEM_NETWORK] = WORD("network"),
	};

	return render_word(w, words[author]);
}

static const char *const type_words[ITEM_TYPES] = {
	[ITEM_TYPE_UNKNOWN] = WORD("unknown"),
	[ITEM_TYPE_TEXT] = WORD("text"),
	[ITEM_TYPE_IMAGE] = WORD("image"),
	[ITEM_TYPE_VIDEO] = WORD("video"),
	[ITEM_TYPE_AUDIO] = WORD("audio"),
	[ITEM_TYPE_VOICE] = WORD("voice message"),
	[ITEM_TYPE_VOICEMAIL] = WORD("voicemail"),
	[ITEM_TYPE_DOCUMENT] = WORD("document"),
	[ITEM_TYPE_STICKER] = WORD("sticker"),
	[ITEM_TYPE_LOCATION] = WORD("location"),
	[ITEM_TYPE_CONTACTS] = WORD("contact cards"),
	[ITEM_TYPE_BUTTON_REPLY] = WORD("button pressed"),
	[ITEM_TYPE_LIST_REPLY] = WORD("choice from a list"),
	[ITEM_TYPE_FLOW_REPLY] = WORD("form filled in"),
	[ITEM_TYPE_CALL_PERMISSION_REPLY] = WORD("answer to a call request"),
	[ITEM_TYPE_PAYMENT] = WORD("payment"),
	[ITEM_TYPE_INTERACTIVE] = WORD("interactive message"),
	[ITEM_TYPE_TEMPLATE] = WORD("template message"),
	[ITEM_TYPE_ORDER] = WORD("order"),
	[ITEM_TYPE_WELCOME_REQUEST] = WORD("chat opened"),
	[ITEM_TYPE_MEDIA_PLACEHOLDER] = WORD("placeholder of a file"),
	[ITEM_TYPE_UNSUPPORTED] = WORD("message without content"),
	[ITEM_TYPE_EDIT] = WORD("edited message"),
	[ITEM_TYPE_REVOKE] = WORD("deleted message"),
	[ITEM_TYPE_REACTION] = WORD("reaction"),
	[ITEM_TYPE_STATUS] = WORD("status"),
	[ITEM_TYPE_PIN] = WORD("message pinned"),
	[ITEM_TYPE_NUMBER_CHANGED] = WORD("number changed"),
	[ITEM_TYPE_USER_ID_CHANGED] = WORD("user id changed"),
	[ITEM_TYPE_IDENTITY_CHANGED] = WORD("identity changed"),
	[ITEM_TYPE_IDENTITY] = WORD("ids of a person linked"),
	[ITEM_TYPE_RESOLVED] =
		WORD("a message whose outcome was unknown was sent"),
	[ITEM_TYPE_HANDOVER] = WORD("conversation handed over"),
	[ITEM_TYPE_PREFERENCE] = WORD("preference of the customer"),
	[ITEM_TYPE_CONTACT_SYNC] = WORD("entry of the phone book"),
	[ITEM_TYPE_CONTEXT_SUMMARY] = WORD("summary of the conversation"),
	[ITEM_TYPE_USER_ACTION] = WORD("action of the customer"),
	[ITEM_TYPE_USERNAME] = WORD("username"),
	[ITEM_TYPE_INFERRED_EVENT] = WORD("event inferred by the network"),
	[ITEM_TYPE_CALL_CONNECT] = WORD("call"),
	[ITEM_TYPE_CALL_TERMINATE] = WORD("call ended"),
	[ITEM_TYPE_CALL_CREATED] = WORD("call"),
	[ITEM_TYPE_CALL_STATUS] = WORD("status of a call"),
	[ITEM_TYPE_CALL_RECORDING] = WORD("recording of a call"),
	[ITEM_TYPE_CALL_TRANSCRIPT] = WORD("transcript of a call"),
	[ITEM_TYPE_GROUP_LIFECYCLE] = WORD("group created or deleted"),
	[ITEM_TYPE_GROUP_PARTICIPANTS] = WORD("members of a group"),
	[ITEM_TYPE_GROUP_SETTINGS] = WORD("settings of a group"),
	[ITEM_TYPE_GROUP_STATUS] = WORD("status of a group"),
	[ITEM_TYPE_HISTORY_CHUNK] = WORD("part of the history"),
	[ITEM_TYPE_HISTORY_DECLINED] = WORD("history declined"),
	[ITEM_TYPE_TEMPLATE_EVENT] = WORD("event of a template"),
	[ITEM_TYPE_ACCOUNT_EVENT] = WORD("event of the account"),
	[ITEM_TYPE_NUMBER_EVENT] = WORD("event of the number"),
	[ITEM_TYPE_ERROR] = WORD("error"),
	[ITEM_TYPE_CONTENT_OFF] = WORD("event without content"),
	[ITEM_TYPE_RAW] = WORD("not readable"),
};

const char *
render_type_word(const struct render_words *w, enum item_type type)
{
	return render_word(w, type_words[type]);
}

const char *
render_what(const struct render_words *w, const struct item *it)
{
	if (it->removed)
		return render_word(w, WORD("reaction removed"));
	if (it->call != NULL)
		return render_call_word(w, it);
	return render_type_word(w, it->type);
}

/* ---- facts ----------------------------------------------------------------- */

static void
add_context(struct render_filler *f, GPtrArray *l, const struct item_context *c)
{
	if (c == NULL)
		return;
	render_fact_add(f, l, WORD("quoted message"), c->id);
	render_fact_add(f, l, WORD("quoted author"), c->from);
	render_fact_add(f, l, WORD("forwarded"), render_word(f->words,
	    c->frequently_forwarded ? WORD("many times") :
	    c->forwarded ? WORD("yes") : NULL));
	render_fact_add(f, l, WORD("catalog"), c->catalog_id);
	render_fact_add(f, l, WORD("product"), c->product_id);
}

static void
add_reply(struct render_filler *f, GPtrArray *l, const struct item *it)
{
	const struct item_reply *r = it->reply;

	if (r == NULL)
		return;
	if (g_strcmp0(r->title, it->text) != 0)
		render_fact_add(f, l, WORD("choice"), r->title);
	render_fact_add(f, l, WORD("description"), r->description);
	render_fact_add(f, l, WORD("choice id"), r->id);
	render_fact_add(f, l, WORD("form"), r->name);
	if (g_strcmp0(r->body, it->text) != 0)
		render_fact_add(f, l, WORD("form text"), r->body);
	render_fact_add(f, l, WORD("answers as sent"), r->json);
}

static void
add_receipt(struct render_filler *f, GPtrArray *l, const struct item_receipt *r)
{
	if (r == NULL)
		return;
	render_fact_add(f, l, WORD("recipient"), r->recipient);
	render_fact_add(f, l, WORD("recipient id"), r->recipient_user_id);
	render_fact_add(f, l, WORD("callback data"), r->callback_data);
}

static void
add_template(struct render_filler *f, GPtrArray *l, const struct item_template *t)
{
	if (t == NULL)
		return;
	render_fact_add(f, l, WORD("template"), t->name);
	render_fact_add(f, l, WORD("template language"), t->language);
	render_fact_add(f, l, WORD("template category"), t->category);
	if (t->name != NULL && !t->expanded)
		render_fact_add(f, l, WORD("wording"), render_word(f->words,
		    WORD("not known, only the name and its parameters")));
}

/* Of the files: what belongs to the message, not to the bytes. */
static void
add_captions(struct render_filler *f, GPtrArray *l, const struct item *it)
{
	for (guint i = 0; it->media != NULL && i < it->media->len; i++) {
		const struct item_media *m = g_ptr_array_index(it->media, i);

		if (g_strcmp0(m->caption, it->text) != 0)
			render_fact_add(f, l, WORD("caption"), m->caption);
	}
}

/* Receipts of one message say the same of it again and again: once is enough. */
static void
drop_repeated(struct render_filler *f, GPtrArray *l)
{
	if (f->said == NULL)
		f->said = render_list(f->s);
	for (guint i = 0; i < l->len;) {
		const struct template_scope *fact = g_ptr_array_index(l, i);
		bool known = false;

		for (guint j = 0; j < f->said->len && !known; j++) {
			const struct template_scope *old =
			    g_ptr_array_index(f->said, j);

			known = g_strcmp0(old->string[F_NAME],
			    fact->string[F_NAME]) == 0 &&
			    g_strcmp0(old->string[F_VALUE],
			    fact->string[F_VALUE]) == 0;
		}
		if (known) {
			g_ptr_array_remove_index(l, i);
			continue;
		}
		g_ptr_array_add(f->said, g_ptr_array_index(l, i++));
	}
}

/* Not when a line of its own has the network's word anyhow. */
static bool
is_type_worth_a_line(const struct item *it)
{
	const char *name = it->type_name;

	if (g_strcmp0(name, item_type_name(it->type)) == 0 ||
	    it->call != NULL || it->receipt != NULL || it->identity != NULL)
		return false;
	for (guint i = 0; it->facts != NULL && i < it->facts->len; i++) {
		const struct item_fact *fact = g_ptr_array_index(it->facts, i);

		if (g_strcmp0(fact->value, name) == 0)
			return false;
	}
	return true;
}

static GPtrArray *
fill_facts(struct render_filler *f, const struct item *it)
{
	GPtrArray *l = render_list(f->s);

	if (is_type_worth_a_line(it))
		render_fact_add(f, l, WORD("network's type"), it->type_name);
	render_fact_add(f, l, WORD("about message"), it->target);
	add_context(f, l, it->context);
	add_reply(f, l, it);
	add_receipt(f, l, it->receipt);
	add_template(f, l, it->template);
	add_captions(f, l, it);
	render_facts_add(f, l, it->facts);
	if (it->kind == ITEM_RECEIPT)
		drop_repeated(f, l);
	return l;
}

/* ---- the item -------------------------------------------------------------- */

static size_t
len_of(const GPtrArray *list)
{
	return list != NULL ? list->len : 0;
}

static size_t
card_rows(const GPtrArray *cards)
{
	size_t rows = len_of(cards);

	for (guint i = 0; cards != NULL && i < cards->len; i++) {
		const struct item_card *c = g_ptr_array_index(cards, i);

		rows += len_of(c->facts);
	}
	return rows;
}

static bool
has_room(const struct render_filler *f, const struct item *it)
{
	/* 32 are those of the rest; a file has a caption too. */
	size_t rows = 32 + len_of(it->facts) + len_of(it->order) +
	    2 * len_of(it->media) + len_of(it->problems) +
	    card_rows(it->cards) + len_of(it->answers);

	if (it->template != NULL)
		rows += len_of(it->template->buttons);
	if (it->send != NULL)
		rows += len_of(it->send->reviews);
	return f->rows + rows <= ROWS_MAX;
}

static bool
is_bare(const struct template_scope *scope)
{
	static const enum item_row lists[] = { I_FACTS, I_MEDIA, I_CARDS,
		I_ANSWERS, I_ORDER, I_LOCATION, I_CALL, I_RECEIPT, I_IDENTITY,
		I_PROBLEMS };

	if (scope->string[I_TEXT] != NULL)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		if (len_of(scope->list[lists[i]]) > 0)
			return false;
	}
	return true;
}

static void
fill_raw(struct render_filler *f, const struct item *it, struct template_scope *scope)
{
	char *json;

	if (it->raw == NULL)
		return;
	json = render_keep(f->s, render_json_indent(it->raw));
	scope->string[I_RAW] = json;
	scope->string[I_RAW_INDENTED] = render_indented(f, json);
}

static void
fill_flags(const struct item *it, struct template_scope *scope)
{
	static const enum item_row row[ITEM_KINDS] = {
		[ITEM_MESSAGE] = I_IS_MESSAGE, [ITEM_EDIT] = I_IS_EDIT,
		[ITEM_REVOKE] = I_IS_REVOKE, [ITEM_REACTION] = I_IS_REACTION,
		[ITEM_RECEIPT] = I_IS_RECEIPT, [ITEM_SYSTEM] = I_IS_SYSTEM,
		[ITEM_CALL] = I_IS_CALL, [ITEM_GROUP] = I_IS_GROUP,
		[ITEM_HISTORY] = I_IS_HISTORY, [ITEM_GAP] = I_IS_GAP,
		[ITEM_NOTICE] = I_IS_NOTICE, [ITEM_ACCOUNT] = I_IS_ACCOUNT,
		[ITEM_ATTEMPT] = I_IS_ATTEMPT,
	};

	static const bool has_word[ITEM_KINDS] = {
		[ITEM_MESSAGE] = true, [ITEM_EDIT] = true,
		[ITEM_REVOKE] = true, [ITEM_REACTION] = true,
		[ITEM_RECEIPT] = true, [ITEM_HISTORY] = true,
		[ITEM_ATTEMPT] = true,
	};

	scope->string[row[it->kind]] = "1";
	if (!has_word[it->kind])
		scope->string[I_IS_OTHER] = "1";
	scope->string[it->direction == ITEM_SENT ? I_SENT : I_RECEIVED] = "1";
	if (it->alarm)
		scope->string[I_ALARM] = "1";
	if (it->removed)
		scope->string[I_REMOVED] = "1";
	if (it->machine_written)
		scope->string[I_MACHINE] = "1";
}

static void
fill_times(struct render_filler *f, const struct item *it,
    struct template_scope *scope)
{
	const char *local = render_local(f, it->at_ms);

	if (it->at_ms == 0)
		return;
	scope->string[I_TIME] = render_time(f->s, it->at_ms);
	scope->string[I_LOCAL] = local;
	scope->string[I_CLOCK] = render_format(f->s, "%.8s",
	    (local != NULL ? local : scope->string[I_TIME]) + 11);
}

static void
fill_words(struct render_filler *f, const struct item *it,
    struct template_scope *scope)
{
	scope->string[I_NAME] = f->t->who.list[0].name;
	scope->string[I_WHAT] = render_what(f->words, it);
	scope->string[I_WRITER] = render_writer(f->words, it->author);
	scope->string[I_KIND] = item_kind_name(it->kind);
	scope->string[I_TYPE] = item_type_name(it->type);
	scope->string[I_AUTHOR] = item_author_name(it->author);
	scope->string[I_ID] = render_line(f->s, it->id, SIZE_MAX);
	scope->string[I_NOTE] = render_note(f->words, f->s,
	    render_line(f->s, it->note, SIZE_MAX));
	scope->string[I_MISSING] = render_line(f->s, it->missing, SIZE_MAX);
	if (f->t->part <= 1 && it->text != NULL && it->text[0] != '\0') {
		scope->string[I_TEXT] = it->text;
		scope->string[I_INDENTED] = render_indented(f, it->text);
	}
}

static void
fill_template(struct render_filler *f, const struct item_template *t,
    struct template_scope *scope)
{
	if (t == NULL)
		return;
	scope->string[I_HEADER] = render_line(f->s, t->header, SIZE_MAX);
	scope->string[I_FOOTER] = render_line(f->s, t->footer, SIZE_MAX);
	scope->list[I_BUTTONS] = render_buttons(f, t->buttons);
}

static void
fill_details(struct render_filler *f, const struct item *it,
    struct template_scope *scope)
{
	fill_template(f, it->template, scope);
	scope->list[I_CARDS] = render_cards(f, it->cards);
	scope->list[I_ANSWERS] = render_answers(f, it->answers);
	scope->list[I_ORDER] = render_order(f, it->order);
	scope->list[I_LOCATION] = render_location(f, it->location);
	scope->list[I_CALL] = render_call(f, it);
	scope->list[I_RECEIPT] = render_receipt(f, it->receipt);
	scope->list[I_IDENTITY] = render_identity(f, it->identity);
	scope->list[I_PROBLEMS] = render_problems(f, it->problems);
	scope->list[I_MEDIA] = render_files(f, it);
	scope->list[I_FACTS] = fill_facts(f, it);
}

/* Of an excluded item: who, when, which kind, and what proves it later. */
static void
fill_record(struct render_filler *f, const struct item *it,
    struct template_scope *scope)
{
	scope->string[I_NAME] = f->t->who.list[0].name;
	scope->string[I_WHAT] = render_type_word(f->words, it->type);
	scope->string[I_WRITER] = render_writer(f->words, it->author);
	scope->string[I_KIND] = item_kind_name(it->kind);
	scope->string[I_TYPE] = item_type_name(it->type);
	scope->string[I_AUTHOR] = item_author_name(it->author);
	scope->string[I_ID] = render_line(f->s, it->id, SIZE_MAX);
	scope->string[I_SHA256] = render_raw_digest(f->s, it);
	scope->string[I_REMOVED] = NULL;
	scope->list[I_MEDIA] = render_files(f, it);
	if (f->t->part <= 1)
		scope->list[I_SEND] = render_send(f, it->send);
}

void
render_item_fill(struct render_filler *f, GPtrArray *list, guint index)
{
	const struct item *it = g_ptr_array_index(f->t->in->items, index);
	struct template_scope *scope = render_scope_add(f, list);

	scope->string[I_NUMBER] = render_number(f->s, index + 1);
	fill_flags(it, scope);
	fill_times(f, it, scope);
	if (f->t->in->is_excluded) {
		fill_record(f, it, scope);
		return;
	}
	fill_words(f, it, scope);
	if (f->t->part > 1) {
		scope->list[I_MEDIA] = render_files(f, it);
		return;
	}
	scope->list[I_ORIGINAL] = render_original_list(f, index);
	scope->list[I_SEND] = render_send(f, it->send);
	if (!has_room(f, it)) {
		fill_raw(f, it, scope);
		return;
	}
	fill_details(f, it, scope);
	if (it->kind == ITEM_NOTICE || is_bare(scope))
		fill_raw(f, it, scope);
}
