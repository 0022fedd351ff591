/* SPDX-License-Identifier: Apache-2.0 */
/* See wa_told.h. */
#include "wa_told.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "io.h"
#include "text.h"

/* ---- one line of an item --------------------------------------------------- */

static void
put(GString *out, const char *name, const char *value)
{
	g_autofree char *quoted = NULL;

	if (value == NULL)
		return;
	quoted = text_log_quote(value);
	g_string_append_printf(out, " %s=%s", name, quoted);
}

static void
put_party(GString *out, const char *name, const struct item_party *p)
{
	if (p->number == NULL && p->user_id == NULL && p->name == NULL)
		return;
	g_string_append_printf(out, " %s(", name);
	put(out, "number", p->number);
	put(out, "id", p->user_id);
	put(out, "parent", p->parent_user_id);
	put(out, "username", p->username);
	put(out, "name", p->name);
	g_string_append(out, " )");
}

static void
put_files(GString *out, const struct item *it)
{
	for (guint i = 0; it->media != NULL && i < it->media->len; i++) {
		const struct item_media *m = it->media->pdata[i];

		put(out, "media", m->id);
		put(out, "mime", m->mime_type);
		put(out, "sha256", m->sha256 != NULL ? "yes" : "no");
		put(out, "url", m->url != NULL ? "yes" : "no");
		put(out, "caption", m->caption);
		put(out, "filename", m->filename);
		g_string_append_printf(out, "%s%s", m->voice ? " voice" : "",
		    m->animated ? " animated" : "");
	}
	for (guint i = 0; it->problems != NULL && i < it->problems->len; i++) {
		const struct item_problem *p = it->problems->pdata[i];

		put(out, "problem", p->code);
		put(out, "title", p->title);
		put(out, "message", p->message);
		put(out, "details", p->details);
	}
}

static void
put_context(GString *out, const struct item_context *c)
{
	if (c == NULL)
		return;
	put(out, "answers", c->id);
	put(out, "answers-from", c->from);
	put(out, "product", c->product_id);
	put(out, "referral", c->referral);
	g_string_append_printf(out, "%s%s", c->forwarded ? " forwarded" : "",
	    c->frequently_forwarded ? " frequently-forwarded" : "");
}

static void
put_receipt(GString *out, const struct item_receipt *r)
{
	if (r == NULL)
		return;
	put(out, "status", r->status);
	put(out, "recipient", r->recipient);
	put(out, "recipient-id", r->recipient_user_id);
	put(out, "callback", r->callback_data);
}

static void
put_call(GString *out, const struct item_call *c)
{
	if (c == NULL)
		return;
	g_string_append(out, " call(");
	put(out, "event", c->event);
	put(out, "status", c->status);
	put(out, "direction", c->direction);
	g_string_append_printf(out, " start=%" G_GINT64_FORMAT " end=%"
	    G_GINT64_FORMAT " s=%" G_GINT64_FORMAT " )", c->start_ms,
	    c->end_ms, c->duration_s);
}

static void
put_reply(GString *out, const struct item_reply *r)
{
	if (r == NULL)
		return;
	g_string_append(out, " reply(");
	put(out, "id", r->id);
	put(out, "title", r->title);
	put(out, "description", r->description);
	put(out, "name", r->name);
	put(out, "body", r->body);
	put(out, "json", r->json);
	g_string_append(out, " )");
}

static void
put_location(GString *out, const struct item_location *l)
{
	if (l == NULL)
		return;
	g_string_append(out, " location(");
	put(out, "latitude", l->latitude);
	put(out, "longitude", l->longitude);
	put(out, "name", l->name);
	put(out, "address", l->address);
	put(out, "url", l->url);
	g_string_append(out, " )");
}

static void
put_template(GString *out, const struct item_template *t)
{
	if (t == NULL)
		return;
	g_string_append(out, " template(");
	put(out, "name", t->name);
	put(out, "language", t->language);
	put(out, "category", t->category);
	put(out, "header", t->header);
	put(out, "footer", t->footer);
	for (guint i = 0; t->buttons != NULL && i < t->buttons->len; i++)
		put(out, "button", t->buttons->pdata[i]);
	g_string_append(out, t->expanded ? " expanded )" : " )");
}

static void
put_facts(GString *out, const char *name, const GPtrArray *facts)
{
	if (facts == NULL)
		return;
	g_string_append_printf(out, " %s(", name);
	for (guint i = 0; i < facts->len; i++) {
		const struct item_fact *f = facts->pdata[i];
		g_autofree char *name_quoted = text_log_quote(f->name);

		put(out, name_quoted, f->value);
	}
	g_string_append(out, " )");
}

static void
put_cards(GString *out, const struct item *it)
{
	for (guint i = 0; it->cards != NULL && i < it->cards->len; i++) {
		const struct item_card *c = it->cards->pdata[i];

		put(out, "card", c->name);
		put_facts(out, "lines", c->facts);
	}
	for (guint i = 0; it->order != NULL && i < it->order->len; i++) {
		const struct item_order_line *o = it->order->pdata[i];

		g_string_append(out, " line(");
		put(out, "product", o->product_id);
		put(out, "quantity", o->quantity);
		put(out, "price", o->price);
		put(out, "currency", o->currency);
		g_string_append(out, " )");
	}
}

static void
put_send(GString *out, const struct item_send *s)
{
	if (s == NULL)
		return;
	g_string_append(out, " send(");
	put(out, "key", s->key);
	put(out, "outcome", s->outcome);
	put(out, "application", s->application);
	put(out, "employee", s->employee);
	put(out, "status", s->status);
	put(out, "reason", s->reason);
	put(out, "verdict", s->verdict);
	put(out, "text-before", s->text_before);
	put_facts(out, "reviews", s->reviews);
	g_string_append(out, " )");
}

static void
put_flags(GString *out, const struct item *it)
{
	g_string_append_printf(out, "%s%s%s", it->removed ? " removed" : "",
	    it->machine_written ? " machine-written" : "",
	    it->alarm ? " ALARM" : "");
}

void
describe_item(GString *out, const struct item *it)
{
	g_string_append_printf(out, "\t%s %s %s %s at=%" G_GINT64_FORMAT,
	    item_kind_name(it->kind), item_type_name(it->type),
	    item_direction_name(it->direction), item_author_name(it->author),
	    it->at_ms);
	put(out, "field", it->field);
	put(out, "word", it->type_name);
	put(out, "id", it->id);
	put(out, "target", it->target);
	put(out, "key", it->key);
	put(out, "refers", it->refers);
	put(out, "account", it->account);
	put_party(out, "business", &it->business);
	put_party(out, "counterpart", &it->counterpart);
	put(out, "group", it->group_id);
	put(out, "text", it->text);
	put_context(out, it->context);
	put_receipt(out, it->receipt);
	put_files(out, it);
	put_call(out, it->call);
	put_reply(out, it->reply);
	put_location(out, it->location);
	put_template(out, it->template);
	if (it->identity != NULL) {
		put_party(out, "before", &it->identity->before);
		put_party(out, "after", &it->identity->after);
	}
	put_cards(out, it);
	put_send(out, it->send);
	put_facts(out, "answers", it->answers);
	put_facts(out, "facts", it->facts);
	put_flags(out, it);
	put(out, "missing", it->missing);
	put(out, "note", it->note);
	g_string_append_c(out, '\n');
}

void
assert_written_down(const char *file, const GString *got)
{
	g_autoptr(GBytes) want = NULL;
	struct err err = ERR_INIT;
	gsize len;

	if (getenv("ACCEPT") != NULL)
		assert_true(g_file_set_contents(file, got->str, -1, NULL));
	if (!io_file_load(file, 1 << 20, &want, &err))
		fail_msg("%s", err.text);
	const char *wanted = g_bytes_get_data(want, &len);
	g_auto(GStrv) a = g_strsplit(got->str, "\n", -1);
	g_autofree char *copy = g_strndup(wanted, len);
	g_auto(GStrv) b = g_strsplit(copy, "\n", -1);
	for (guint i = 0; a[i] != NULL && b[i] != NULL; i++)
		assert_string_equal(a[i], b[i]);
	assert_int_equal(g_strv_length(a), g_strv_length(b));
}

/* ---- nothing is left out ------------------------------------------------------- */

static void
tell(GString *out, const char *s)
{
	if (s != NULL)
		g_string_append_printf(out, "%s\n", s);
}

static void
tell_facts(GString *out, const GPtrArray *facts)
{
	for (guint i = 0; facts != NULL && i < facts->len; i++) {
		const struct item_fact *f = facts->pdata[i];

		tell(out, f->value);
	}
}

static void
tell_party(GString *out, const struct item_party *p)
{
	tell(out, p->number);
	tell(out, p->user_id);
	tell(out, p->parent_user_id);
	tell(out, p->username);
}

static void
tell_message(GString *out, const struct item *it)
{
	tell(out, it->type_name);
	tell(out, it->id);
	tell(out, it->target);
	tell(out, it->group_id);
	tell(out, it->text);
	tell(out, it->missing);
	tell_party(out, &it->business);
	tell_party(out, &it->counterpart);
	tell_facts(out, it->facts);
	tell_facts(out, it->answers);
	if (it->identity != NULL) {
		tell_party(out, &it->identity->before);
		tell_party(out, &it->identity->after);
	}
	g_string_append_printf(out, "%" G_GINT64_FORMAT "\n", it->at_ms / 1000);
}

static void
tell_context(GString *out, const struct item *it)
{
	const struct item_context *c = it->context;
	const struct item_location *l = it->location;
	const struct item_reply *r = it->reply;

	if (c != NULL) {
		tell(out, c->id);
		tell(out, c->from);
		tell(out, c->catalog_id);
		tell(out, c->product_id);
	}
	if (l != NULL) {
		tell(out, l->latitude);
		tell(out, l->longitude);
		tell(out, l->name);
		tell(out, l->address);
		tell(out, l->url);
	}
	if (r != NULL) {
		tell(out, r->id);
		tell(out, r->title);
		tell(out, r->description);
		tell(out, r->name);
		tell(out, r->body);
		tell(out, r->json);
	}
}

static void
tell_lists(GString *out, const struct item *it)
{
	for (guint i = 0; it->media != NULL && i < it->media->len; i++) {
		const struct item_media *m = it->media->pdata[i];

		tell(out, m->id);
		tell(out, m->url);
		tell(out, m->mime_type);
		tell(out, m->sha256);
		tell(out, m->caption);
		tell(out, m->filename);
	}
	for (guint i = 0; it->order != NULL && i < it->order->len; i++) {
		const struct item_order_line *o = it->order->pdata[i];

		tell(out, o->product_id);
		tell(out, o->quantity);
		tell(out, o->price);
		tell(out, o->currency);
	}
	for (guint i = 0; it->cards != NULL && i < it->cards->len; i++) {
		const struct item_card *c = it->cards->pdata[i];

		tell(out, c->name);
		tell_facts(out, c->facts);
		/* a list's type is in the names of its facts */
		for (guint j = 0; c->facts != NULL && j < c->facts->len; j++)
			tell(out, ((struct item_fact *)c->facts->pdata[j])->name);
	}
	for (guint i = 0; it->problems != NULL && i < it->problems->len; i++) {
		const struct item_problem *p = it->problems->pdata[i];

		tell(out, p->code);
		tell(out, p->title);
		tell(out, p->message);
		tell(out, p->details);
	}
}

static void
tell_send(GString *out, const struct item_send *s)
{
	tell(out, s->key);
	tell(out, s->outcome);
	tell(out, s->application);
	tell(out, s->employee);
	tell(out, s->status);
	tell(out, s->reason);
	tell(out, s->text_before);
	tell_facts(out, s->reviews);
}

static void
tell_rest(GString *out, const struct item *it)
{
	const struct item_template *t = it->template;

	if (it->receipt != NULL) {
		tell(out, it->receipt->status);
		tell(out, it->receipt->callback_data);
	}
	if (it->send != NULL)
		tell_send(out, it->send);
	if (t == NULL)
		return;
	tell(out, t->name);
	tell(out, t->language);
	tell(out, t->category);
	tell(out, t->header);
	tell(out, t->footer);
	for (guint i = 0; t->buttons != NULL && i < t->buttons->len; i++)
		tell(out, t->buttons->pdata[i]);
}

/*
 * What the item says in its own way: shapes by its type, flags by flags, a
 * template's wording with its placeholders filled.
 */
static bool
is_said_otherwise(const char *key, json_object *value, const char *text)
{
	static const char *const keys[] = { "type", "format", "voice",
		"animated", "forwarded", "frequently_forwarded",
		"recipient_type", "messaging_product", "index",
		"parameter_name", NULL };

	return g_strv_contains(keys, key) || strstr(text, "{{") != NULL ||
	    json_object_is_type(value, json_type_null) || *text == '\0' ||
	    /* numbers made digits */
	    *text == '+' || strcmp(text, "17") == 0;
}

static void
assert_said(const char *said, const struct item *it, const char *key,
    json_object *o)
{
	if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, name, member)
			assert_said(said, it, name, member);
	} else if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			assert_said(said, it, key,
			    json_object_array_get_idx(o, i));
	} else {
		const char *text = json_object_get_string(o);

		if (o != NULL && !is_said_otherwise(key, o, text) &&
		    strstr(said, text) == NULL)
			fail_msg("%s \"%s\" is nowhere in the item of %s", key,
			    text, it->raw);
	}
}

void
assert_all_told(const struct item *it, json_object *o)
{
	g_autoptr(GString) said = g_string_new("\n");

	tell_message(said, it);
	tell_context(said, it);
	tell_lists(said, it);
	tell_rest(said, it);
	assert_said(said->str, it, "", o);
}

/* ---- with any member of any other shape --------------------------------------- */

struct mutation {
	json_object *root;
	void (*check)(json_object *root);
	size_t made;
};

/* Another shape each time; what it says is found nowhere by chance. */
static json_object *
next_shape(void)
{
	static const char *const shapes[] = { "null", "70007", "true",
		"\"0dd-1\"", "[\"0dd-2\",[90009]]", "{\"0dd-3\":{\"x\":\"0dd-4\"}}",
		"[{\"0dd-5\":\"0dd-6\"}]", "\"\"", "{}" };
	static size_t next;

	return json_tokener_parse(shapes[next++ % G_N_ELEMENTS(shapes)]);
}

static void mutate_inside(struct mutation *m, json_object *o);

static void
mutate_members(struct mutation *m, json_object *o)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);

	json_object_object_foreach(o, key, unused) {
		(void)unused;
		g_ptr_array_add(keys, g_strdup(key));
	}
	for (guint i = 0; i < keys->len; i++) {
		const char *name = keys->pdata[i];
		json_object *old = json_object_get(json_object_object_get(o,
		    name));

		json_object_object_add(o, name, next_shape());
		m->check(m->root);
		m->made++;
		json_object_object_add(o, name, old);
		mutate_inside(m, old);
	}
}

static void
mutate_inside(struct mutation *m, json_object *o)
{
	if (json_object_is_type(o, json_type_object))
		mutate_members(m, o);
	for (size_t i = 0; json_object_is_type(o, json_type_array) &&
	    i < json_object_array_length(o); i++)
		mutate_inside(m, json_object_array_get_idx(o, i));
}

size_t
check_mutants(json_object *root, json_object *o,
    void (*check)(json_object *root))
{
	struct mutation m = { .root = root, .check = check };

	mutate_inside(&m, o);
	return m.made;
}
