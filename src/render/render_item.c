/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One item as templates see it. Every part of an item becomes a fact (a name
 * and a value), so that a template needs no knowledge of kinds and types, and
 * a new member of an item is one line here.
 */
#include "render_view.h"

#include <string.h>

#include "text.h"

#define BLOCK_INDENT "    "
/*
 * Lists of one turn have at most so many rows, well below the engine's own
 * limit. An item that would pass it is shown as its raw JSON instead.
 */
#define ROWS_MAX 4000

static void
add_context(struct render_filler *f, GPtrArray *l, const struct item_context *c)
{
	if (c == NULL)
		return;
	render_fact_add(f, l, "quoted message", c->id);
	render_fact_add(f, l, "quoted author", c->from);
	render_fact_add(f, l, "forwarded", c->frequently_forwarded ? "many times" :
	    c->forwarded ? "yes" : NULL);
	render_fact_add(f, l, "catalog", c->catalog_id);
	render_fact_add(f, l, "product", c->product_id);
	render_fact_add(f, l, "came from", c->referral);
}

static void
add_location(struct render_filler *f, GPtrArray *l, const struct item_location *loc)
{
	if (loc == NULL)
		return;
	render_fact_add(f, l, "latitude", loc->latitude);
	render_fact_add(f, l, "longitude", loc->longitude);
	render_fact_add(f, l, "place", loc->name);
	render_fact_add(f, l, "address", loc->address);
	render_fact_add(f, l, "link", loc->url);
}

static void
add_reply(struct render_filler *f, GPtrArray *l, const struct item_reply *r)
{
	if (r == NULL)
		return;
	render_fact_add(f, l, "choice", r->title);
	render_fact_add(f, l, "description", r->description);
	render_fact_add(f, l, "choice id", r->id);
	render_fact_add(f, l, "form", r->name);
	render_fact_add(f, l, "form text", r->body);
	render_fact_add(f, l, "answers", r->json);
}

static void
add_receipt(struct render_filler *f, GPtrArray *l, const struct item_receipt *r)
{
	if (r == NULL)
		return;
	render_fact_add(f, l, "status", r->status);
	render_fact_add(f, l, "recipient", r->recipient);
	render_fact_add(f, l, "recipient id", r->recipient_user_id);
	render_fact_add(f, l, "callback data", r->callback_data);
}

static void
add_call(struct render_filler *f, GPtrArray *l, const struct item_call *c)
{
	if (c == NULL)
		return;
	render_fact_add(f, l, "call event", c->event);
	render_fact_add(f, l, "call status", c->status);
	render_fact_add(f, l, "call direction", c->direction);
	render_fact_add(f, l, "call began", render_time(f->s, c->start_ms));
	render_fact_add(f, l, "call ended", render_time(f->s, c->end_ms));
	if (c->duration_s >= 0)
		render_fact_add(f, l, "call duration", render_format(f->s,
		    "%" G_GINT64_FORMAT " s", c->duration_s));
}

static void
add_order(struct render_filler *f, GPtrArray *l, const GPtrArray *order)
{
	for (guint i = 0; order != NULL && i < order->len; i++) {
		const struct item_order_line *o = g_ptr_array_index(order, i);

		render_fact_add(f, l, "ordered", render_format(f->s,
		    "%s x %s at %s %s", o->quantity != NULL ? o->quantity : "?",
		    o->product_id != NULL ? o->product_id : "?",
		    o->price != NULL ? o->price : "?",
		    o->currency != NULL ? o->currency : ""));
	}
}

static void
add_problems(struct render_filler *f, GPtrArray *l, const GPtrArray *problems)
{
	for (guint i = 0; problems != NULL && i < problems->len; i++) {
		const struct item_problem *p = g_ptr_array_index(problems, i);

		render_fact_add(f, l, "problem", render_format(f->s, "%s %s",
		    p->code != NULL ? p->code : "",
		    p->title != NULL ? p->title : ""));
		if (g_strcmp0(p->message, p->title) != 0)
			render_fact_add(f, l, "problem text", p->message);
		render_fact_add(f, l, "problem details", p->details);
	}
}

static void
add_other_facts(struct render_filler *f, GPtrArray *l, const GPtrArray *facts)
{
	for (guint i = 0; facts != NULL && i < facts->len; i++) {
		const struct item_fact *fact = g_ptr_array_index(facts, i);

		render_fact_add(f, l, render_line(f->s, fact->name, RENDER_NAME_MAX),
		    fact->value);
	}
}

static GPtrArray *
fill_facts(struct render_filler *f, const struct item *it)
{
	GPtrArray *l = render_list(f->s);

	if (it->type == ITEM_TYPE_UNKNOWN)
		render_fact_add(f, l, "network's type", it->type_name);
	render_fact_add(f, l, "about message", it->target);
	add_context(f, l, it->context);
	add_location(f, l, it->location);
	add_reply(f, l, it->reply);
	add_receipt(f, l, it->receipt);
	add_call(f, l, it->call);
	add_order(f, l, it->order);
	add_other_facts(f, l, it->facts);
	add_problems(f, l, it->problems);
	return l;
}

const char *
render_digest(struct render_scratch *s, const char *digest)
{
	uint8_t raw[HASH_SIZE + 4];
	char hex[HASH_HEX_SIZE];
	gint state = 0;
	guint save = 0;
	size_t len;

	if (digest == NULL)
		return NULL;
	len = strlen(digest);
	if (len == 64 && strspn(digest, "0123456789abcdefABCDEF") == 64)
		return render_keep(s, g_ascii_strdown(digest, -1));
	if (len < 43 || len > 44 || g_base64_decode_step(digest, len, raw,
	    &state, &save) != HASH_SIZE)
		return NULL;
	return render_keep(s, g_strdup(hash_hex(raw, hex)));
}

static GPtrArray *
fill_media(struct render_filler *f, const struct item *it)
{
	GPtrArray *l = render_list(f->s);

	for (guint i = 0; it->media != NULL && i < it->media->len; i++) {
		const struct item_media *m = g_ptr_array_index(it->media, i);
		struct template_scope *scope = render_scope_add(f, l);

		if (m->filename != NULL)
			scope->string[M_NAME] = render_keep(f->s,
			    text_clean_filename(m->filename));
		scope->string[M_MIME] = render_line(f->s, m->mime_type,
		    RENDER_NAME_MAX);
		scope->string[M_SHA256] = render_digest(f->s, m->sha256);
		scope->string[M_ID] = render_line(f->s, m->id, SIZE_MAX);
		scope->string[M_STATUS] = "not-attached";
	}
	return l;
}

/* Cleaned before it is indented: a lone CR is a line break too. */
static const char *
indent(struct render_filler *f, const char *text)
{
	g_autofree char *clean = text_clean(text, strlen(text), TEXT_BLOCK,
	    SIZE_MAX);
	GString *out = g_string_sized_new(strlen(clean) + 64);
	const char *p = clean;

	for (;;) {
		size_t len = strcspn(p, "\n");

		if (len > 0)
			g_string_append(out, BLOCK_INDENT);
		g_string_append_len(out, p, (gssize)len);
		p += len;
		if (*p == '\0')
			break;
		g_string_append_c(out, *p++);
	}
	return render_keep(f->s, g_string_free(out, FALSE));
}

static size_t
len_of(const GPtrArray *list)
{
	return list != NULL ? list->len : 0;
}

static bool
has_room(const struct render_filler *f, const struct item *it)
{
	/* A problem takes up to three rows; 32 are those of the rest. */
	size_t rows = 32 + len_of(it->facts) + len_of(it->order) +
	    len_of(it->media) + 3 * len_of(it->problems);

	return f->rows + rows <= ROWS_MAX;
}

static bool
is_bare(const struct template_scope *scope)
{
	return scope->string[I_TEXT] == NULL &&
	    len_of(scope->list[I_FACTS]) == 0 &&
	    len_of(scope->list[I_MEDIA]) == 0;
}

static void
fill_raw(struct render_filler *f, const struct item *it, struct template_scope *scope)
{
	char *json;

	if (it->raw == NULL)
		return;
	json = render_keep(f->s, render_json_indent(it->raw));
	scope->string[I_RAW] = json;
	scope->string[I_RAW_INDENTED] = indent(f, json);
}

void
render_item_fill(struct render_filler *f, GPtrArray *list, const struct item *it)
{
	struct template_scope *scope = render_scope_add(f, list);

	scope->string[I_NUMBER] = render_format(f->s, "%u", list->len);
	scope->string[I_TIME] = render_time(f->s, it->at_ms);
	if (it->at_ms != 0)
		scope->string[I_CLOCK] = render_format(f->s, "%.8s",
		    scope->string[I_TIME] + 11);
	scope->string[I_KIND] = item_kind_name(it->kind);
	scope->string[I_TYPE] = item_type_name(it->type);
	scope->string[I_AUTHOR] = item_author_name(it->author);
	scope->string[I_ID] = render_line(f->s, it->id, SIZE_MAX);
	scope->string[I_NOTE] = render_line(f->s, it->note, SIZE_MAX);
	if (it->text != NULL && it->text[0] != '\0') {
		scope->string[I_TEXT] = it->text;
		scope->string[I_INDENTED] = indent(f, it->text);
	}
	if (!has_room(f, it)) {
		fill_raw(f, it, scope);
		return;
	}
	scope->list[I_FACTS] = fill_facts(f, it);
	scope->list[I_MEDIA] = fill_media(f, it);
	if (it->kind == ITEM_NOTICE || it->note != NULL || is_bare(scope))
		fill_raw(f, it, scope);
}
