/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only some items have: what they refer to, cards, orders, places,
 * calls, receipts, changes of identity, problems. Each is a list for the
 * templates, NULL when there is nothing to show. Amounts and coordinates are
 * shown as they were received: nothing is computed with them.
 */
#include "render_view.h"

#include <string.h>

#include "text.h"

#define LINE_MAX_CHARS 200
#define ANSWER_COLUMNS_MAX 40
#define STATUS_COLUMNS 12

static const char *
plus(struct render_filler *f, const char *number)
{
	char *digits = text_phone_digits(number);

	return digits != NULL ? render_format(f->s, "+%s", render_keep(f->s,
	    digits)) : render_line(f->s, number, SIZE_MAX);
}

/* ---- what an item changes, answers or reports on ---------------------------- */

static const struct render_original *
original_at(const struct render_filler *f, guint index)
{
	const GPtrArray *list = f->t->in->originals;

	return list != NULL && index < list->len ?
	    g_ptr_array_index(list, index) : NULL;
}

const char *
render_original_id(const struct item *it)
{
	if (it->target != NULL)
		return it->target;
	return it->context != NULL ? it->context->id : NULL;
}

/* Of what our own systems sent nothing is held: only a find is worth a line. */
static bool
is_wanted(struct render_filler *f, const struct item *it, guint index)
{
	const struct render_original *o = original_at(f, index);
	const struct item *before = index > 0 ?
	    g_ptr_array_index(f->t->in->items, index - 1) : NULL;

	if (it->kind != ITEM_RECEIPT)
		return o != NULL || render_original_id(it) != NULL;
	return o != NULL && o->held && (before == NULL ||
	    g_strcmp0(before->target, it->target) != 0);
}

static void
fill_original(struct render_filler *f, const struct render_original *o,
    struct template_scope *scope)
{
	scope->string[O_HELD] = "1";
	if (o->author != NULL)
		scope->string[O_AUTHOR] = render_line(f->s, o->author,
		    RENDER_NAME_MAX);
	scope->string[O_WHAT] = render_type_word(f->words, o->type);
	if (o->text != NULL && o->text[0] != '\0') {
		scope->string[O_TEXT] = o->text;
		scope->string[O_INDENTED] = render_indented(f, o->text);
		scope->string[O_LINE] = render_line(f->s, o->text,
		    LINE_MAX_CHARS);
	}
	if (o->file != NULL)
		scope->string[O_FILE] = render_keep(f->s,
		    text_clean_filename(o->file));
	scope->string[O_TIME] = render_time(f->s, o->at_ms);
	scope->string[O_LOCAL] = render_local(f, o->at_ms);
}

/* The gateway's own key is in that of each of its records. */
static bool
is_earlier_record(const struct item *it)
{
	return it->send != NULL && it->send->key != NULL &&
	    it->refers != NULL && strstr(it->refers, it->send->key) != NULL;
}

GPtrArray *
render_original_list(struct render_filler *f, guint index)
{
	const struct item *it = g_ptr_array_index(f->t->in->items, index);
	const struct render_original *o = original_at(f, index);
	struct template_scope *scope;
	GPtrArray *l;

	if (!is_wanted(f, it, index))
		return NULL;
	l = render_list(f->s);
	scope = render_scope_add(f, l);
	scope->string[O_ID] = render_line(f->s, render_original_id(it), SIZE_MAX);
	if (it->context != NULL)
		scope->string[O_AUTHOR] = plus(f, it->context->from);
	if (o != NULL && o->held)
		fill_original(f, o, scope);
	if (is_earlier_record(it))
		scope->string[O_EARLIER] = "1";
	return l;
}

/* ---- what a message holds --------------------------------------------------- */

GPtrArray *
render_buttons(struct render_filler *f, const GPtrArray *buttons)
{
	GPtrArray *l = buttons != NULL ? render_list(f->s) : NULL;

	for (guint i = 0; buttons != NULL && i < buttons->len; i++)
		render_scope_add(f, l)->string[B_TITLE] = render_line(f->s,
		    g_ptr_array_index(buttons, i), SIZE_MAX);
	return l;
}

GPtrArray *
render_cards(struct render_filler *f, const GPtrArray *cards)
{
	GPtrArray *l = cards != NULL ? render_list(f->s) : NULL;

	for (guint i = 0; cards != NULL && i < cards->len; i++) {
		const struct item_card *card = g_ptr_array_index(cards, i);
		struct template_scope *scope = render_scope_add(f, l);

		scope->string[C_NAME] = render_line(f->s, card->name,
		    SIZE_MAX);
		scope->list[C_FACTS] = render_list(f->s);
		render_facts_add(f, scope->list[C_FACTS], card->facts);
	}
	return l;
}

/* The widest of the strings at row, but not more than max. */
static size_t
widest(const GPtrArray *l, size_t row, size_t max)
{
	size_t columns = 0;

	for (guint i = 0; i < l->len; i++) {
		const struct template_scope *scope = g_ptr_array_index(l, i);

		if (scope->string[row] != NULL)
			columns = MAX(columns,
			    render_columns(scope->string[row]));
	}
	return MIN(columns, max);
}

/* The questions are the customer's form's: as wide as they need, in reason. */
GPtrArray *
render_answers(struct render_filler *f, const GPtrArray *answers)
{
	GPtrArray *l = answers != NULL ? render_list(f->s) : NULL;
	size_t columns;

	if (l == NULL)
		return NULL;
	render_facts_add(f, l, answers);
	columns = widest(l, F_NAME, ANSWER_COLUMNS_MAX) + 2;
	for (guint i = 0; i < l->len; i++) {
		struct template_scope *scope = g_ptr_array_index(l, i);

		scope->string[F_PADDED] = render_padded(f->s,
		    scope->string[F_NAME], columns);
	}
	return l;
}

static const char *
or_unknown(const char *line)
{
	return line != NULL ? line : "?";
}

/* "  2 x SKU-1     10.50 BRL" */
static const char *
order_line(struct render_filler *f, const struct template_scope *row,
    size_t quantity_columns, size_t product_columns)
{
	const char *quantity = or_unknown(row->string[R_QUANTITY]);
	size_t wide = render_columns(quantity);
	size_t blanks = wide < quantity_columns ? quantity_columns - wide : 0;

	return render_format(f->s, "%*s%s x %s%s%s%s", (int)blanks, "",
	    quantity, render_padded(f->s, or_unknown(row->string[R_PRODUCT]),
	    product_columns + 2), or_unknown(row->string[R_PRICE]),
	    row->string[R_CURRENCY] != NULL ? " " : "",
	    row->string[R_CURRENCY] != NULL ? row->string[R_CURRENCY] : "");
}

GPtrArray *
render_order(struct render_filler *f, const GPtrArray *order)
{
	GPtrArray *l = order != NULL ? render_list(f->s) : NULL;
	size_t quantity, product;

	if (l == NULL)
		return NULL;
	for (guint i = 0; i < order->len; i++) {
		const struct item_order_line *o = g_ptr_array_index(order, i);
		struct template_scope *row = render_scope_add(f, l);

		row->string[R_PRODUCT] = render_line(f->s, o->product_id,
		    SIZE_MAX);
		row->string[R_QUANTITY] = render_line(f->s, o->quantity,
		    SIZE_MAX);
		row->string[R_PRICE] = render_line(f->s, o->price, SIZE_MAX);
		row->string[R_CURRENCY] = render_line(f->s, o->currency,
		    SIZE_MAX);
	}
	quantity = widest(l, R_QUANTITY, ANSWER_COLUMNS_MAX);
	product = widest(l, R_PRODUCT, ANSWER_COLUMNS_MAX);
	for (guint i = 0; i < l->len; i++) {
		struct template_scope *row = g_ptr_array_index(l, i);

		row->string[R_LINE] = order_line(f, row, quantity, product);
	}
	return l;
}

GPtrArray *
render_location(struct render_filler *f, const struct item_location *location)
{
	struct template_scope *scope;
	GPtrArray *l;

	if (location == NULL)
		return NULL;
	l = render_list(f->s);
	scope = render_scope_add(f, l);
	scope->string[L_LATITUDE] = render_line(f->s, location->latitude,
	    SIZE_MAX);
	scope->string[L_LONGITUDE] = render_line(f->s, location->longitude,
	    SIZE_MAX);
	scope->string[L_PLACE] = render_line(f->s, location->name, SIZE_MAX);
	scope->string[L_ADDRESS] = render_line(f->s, location->address,
	    SIZE_MAX);
	scope->string[L_LINK] = render_line(f->s, location->url, SIZE_MAX);
	return l;
}

/* ---- calls ------------------------------------------------------------------ */

static bool
is_missed(const struct item *it)
{
	return it->type == ITEM_TYPE_CALL_TERMINATE &&
	    it->call->duration_s <= 0 && it->call->start_ms == 0;
}

static const char *
call_status_word(const char *status)
{
	static const char *const words[][2] = {
		{ "ringing", WORD("call ringing") },
		{ "accepted", WORD("call accepted") },
		{ "rejected", WORD("call rejected") },
	};

	for (size_t i = 0; status != NULL && i < G_N_ELEMENTS(words); i++) {
		if (g_ascii_strcasecmp(status, words[i][0]) == 0)
			return words[i][1];
	}
	return WORD("status of a call");
}

static const char *
end_word(const struct item *it)
{
	bool sent = it->direction == ITEM_SENT;

	if (is_missed(it))
		return sent ? WORD("outgoing call, not answered") :
		    WORD("missed call");
	return sent ? WORD("outgoing call ended") :
	    WORD("incoming call ended");
}

const char *
render_call_word(const struct render_words *w, const struct item *it)
{
	const char *english = NULL;

	if (it->type == ITEM_TYPE_CALL_CONNECT ||
	    it->type == ITEM_TYPE_CALL_CREATED)
		english = it->direction == ITEM_SENT ? WORD("outgoing call") :
		    WORD("incoming call");
	else if (it->type == ITEM_TYPE_CALL_TERMINATE)
		english = end_word(it);
	else if (it->type == ITEM_TYPE_CALL_STATUS)
		english = call_status_word(it->call->status);
	return english != NULL ? render_word(w, english) :
	    render_type_word(w, it->type);
}

/* "1 h 2 min 33 s", without leading zeroes. */
static const char *
duration(struct render_filler *f, int64_t seconds)
{
	static const struct {
		const char *word;
		int64_t seconds;
	} units[] = {
		{ WORD("%s h"), 3600 }, { WORD("%s min"), 60 },
		{ WORD("%s s"), 1 },
	};
	g_autoptr(GString) out = g_string_new(NULL);
	int64_t rest = seconds;

	for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
		g_autofree char *n = g_strdup_printf("%" G_GINT64_FORMAT,
		    rest / units[i].seconds);

		if (out->len == 0 && rest < units[i].seconds &&
		    units[i].seconds > 1)
			continue;
		rest %= units[i].seconds;
		g_string_append(out, out->len > 0 ? " " : "");
		g_string_append(out, render_phrase(f->words, f->s,
		    units[i].word, n));
	}
	return render_copy(f->s, out->str);
}

GPtrArray *
render_call(struct render_filler *f, const struct item *it)
{
	const struct item_call *c = it->call;
	struct template_scope *scope;
	GPtrArray *l;

	if (c == NULL)
		return NULL;
	l = render_list(f->s);
	scope = render_scope_add(f, l);
	scope->string[K_WHAT] = render_call_word(f->words, it);
	if (is_missed(it))
		scope->string[K_MISSED] = "1";
	scope->string[K_DIRECTION] = render_line(f->s, c->direction, SIZE_MAX);
	scope->string[K_EVENT] = render_line(f->s, c->event, SIZE_MAX);
	scope->string[K_STATUS] = render_line(f->s, c->status, SIZE_MAX);
	scope->string[K_BEGAN] = render_time(f->s, c->start_ms);
	scope->string[K_BEGAN_LOCAL] = render_local(f, c->start_ms);
	scope->string[K_ENDED] = render_time(f->s, c->end_ms);
	scope->string[K_ENDED_LOCAL] = render_local(f, c->end_ms);
	if (c->duration_s >= 0) {
		scope->string[K_DURATION] = duration(f, c->duration_s);
		scope->string[K_SECONDS] = render_format(f->s,
		    "%" G_GINT64_FORMAT, c->duration_s);
	}
	return l;
}

/* ---- receipts --------------------------------------------------------------- */

static const struct {
	const char *status, *ticks;
	bool is_read;
} ticks[] = {
	{ WORD("sent"), "✓", false }, { WORD("delivered"), "✓✓", false },
	{ WORD("read"), "✓✓", true }, { WORD("played"), "✓✓", true },
	{ WORD("failed"), "✗", false }, { WORD("deleted"), NULL, false },
	{ WORD("warning"), NULL, false }, { WORD("pending"), NULL, false },
	{ WORD("captured"), NULL, false },
};

GPtrArray *
render_receipt(struct render_filler *f, const struct item_receipt *r)
{
	const char *word = r != NULL ? render_line(f->s, r->status, SIZE_MAX) :
	    NULL;
	struct template_scope *scope;
	GPtrArray *l;

	if (word == NULL)
		return NULL;
	l = render_list(f->s);
	scope = render_scope_add(f, l);
	scope->string[S_STATUS] = render_word(f->words, word);
	scope->string[S_PADDED] = render_padded(f->s, scope->string[S_STATUS],
	    STATUS_COLUMNS);
	if (strcmp(word, scope->string[S_STATUS]) != 0)
		scope->string[S_WORD] = word;
	scope->string[S_RECIPIENT] = plus(f, r->recipient != NULL ?
	    r->recipient : r->recipient_user_id);
	for (size_t i = 0; i < G_N_ELEMENTS(ticks); i++) {
		if (strcmp(ticks[i].status, word) != 0)
			continue;
		scope->string[S_TICKS] = ticks[i].ticks;
		scope->string[S_READ] = ticks[i].is_read ? "1" : NULL;
	}
	if (g_ascii_strcasecmp(word, "failed") == 0)
		scope->string[S_FAILED] = "1";
	return l;
}

/* ---- identity --------------------------------------------------------------- */

static void
add_change(struct render_filler *f, GPtrArray *l, const char *name,
    const char *const value[2])
{
	struct template_scope *scope;

	if (value[0] == NULL && value[1] == NULL)
		return;
	scope = render_scope_add(f, l);
	scope->string[D_NAME] = render_word(f->words, name);
	scope->string[D_PADDED] = render_padded(f->s, scope->string[D_NAME],
	    16);
	scope->string[D_BEFORE] = render_line(f->s, value[0], SIZE_MAX);
	scope->string[D_AFTER] = render_line(f->s, value[1], SIZE_MAX);
	if (g_strcmp0(value[0], value[1]) == 0)
		scope->string[D_SAME] = "1";
}

GPtrArray *
render_identity(struct render_filler *f, const struct item_identity *identity)
{
	const struct item_party *a, *b;
	GPtrArray *l;

	if (identity == NULL)
		return NULL;
	a = &identity->before;
	b = &identity->after;
	l = render_list(f->s);
	add_change(f, l, WORD("number"), (const char *const[2]){
	    plus(f, a->number), plus(f, b->number) });
	add_change(f, l, WORD("user id"), (const char *const[2]){
	    a->user_id, b->user_id });
	add_change(f, l, WORD("parent user id"), (const char *const[2]){
	    a->parent_user_id, b->parent_user_id });
	add_change(f, l, WORD("username"), (const char *const[2]){
	    a->username, b->username });
	add_change(f, l, WORD("profile name"), (const char *const[2]){
	    a->name, b->name });
	return l;
}

/* ---- problems --------------------------------------------------------------- */

GPtrArray *
render_problems(struct render_filler *f, const GPtrArray *problems)
{
	GPtrArray *l = problems != NULL ? render_list(f->s) : NULL;

	for (guint i = 0; problems != NULL && i < problems->len; i++) {
		const struct item_problem *p = g_ptr_array_index(problems, i);
		struct template_scope *scope = render_scope_add(f, l);

		scope->string[X_CODE] = render_line(f->s, p->code, SIZE_MAX);
		scope->string[X_TITLE] = render_line(f->s, p->title, SIZE_MAX);
		if (g_strcmp0(p->message, p->title) != 0)
			scope->string[X_TEXT] = render_line(f->s, p->message,
			    SIZE_MAX);
		scope->string[X_DETAILS] = render_line(f->s, p->details,
		    SIZE_MAX);
	}
	return l;
}
