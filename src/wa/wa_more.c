/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reader of the mail sees of an item beside its named texts: facts of
 * members that nothing else shows, and, of what is shown raw, all that stands
 * in its JSON. As people read it: a line break that JSON writes as "\n" is no
 * letter n before the next word.
 */
#include <string.h>

#include "item.h"
#include "wa_json_int.h"

static void
add_line(GString *out, const char *line)
{
	if (line == NULL || *line == '\0')
		return;
	if (out->len > 0)
		g_string_append_c(out, '\n');
	g_string_append(out, line);
}

static void
add_json(GString *out, json_object *o)
{
	g_autofree char *text = wa_scalar(o);
	size_t len = wa_length(o);

	add_line(out, text);
	for (size_t i = 0; i < len; i++)
		add_json(out, json_object_array_get_idx(o, i));
	if (!json_object_is_type(o, json_type_object))
		return;
	json_object_object_foreach(o, key, member) {
		add_line(out, key);
		add_json(out, member);
	}
}

/* The texts within, if it is JSON that we wrote; else as it is. */
static void
add_raw(GString *out, const char *raw)
{
	g_autofree char *text = g_strconcat(raw, "\n", NULL);
	struct wa_limits limits = WA_LIMITS_DEFAULT;
	struct wa_facts facts = { 0 };
	size_t len = strlen(text);
	json_object *root = NULL;

	limits.max_bytes = len;	/* a record may be larger than a webhook */
	if (wa_scan(text, len, &limits, &facts, NULL) &&
	    wa_json_load(text, len, &facts, &root, NULL))
		add_json(out, root);
	else
		add_line(out, raw);
	g_clear_pointer(&facts.long_integers, g_array_unref);
	json_object_put(root);
}

/* What is past a bound of depth or number is a fact of JSON. */
static void
add_value(GString *out, const char *value)
{
	if (value != NULL && (*value == '{' || *value == '['))
		add_raw(out, value);
	else
		add_line(out, value);
}

/* What staff asked for before rules changed it was judged then. */
static bool
is_of_a_message(const struct item *it)
{
	return it->kind != ITEM_GROUP && it->kind != ITEM_ACCOUNT &&
	    it->kind != ITEM_CALL;
}

/* Facts that are not of what is shown in the chat. */
static bool
is_apart(const struct item *it, const char *name)
{
	static const char *const prefixes[] = { "gateway.", "response.",
		"error.", "errors." };

	if (g_str_has_prefix(name, "gateway.request"))
		return false;	/* it is no object */
	/* Of a kind of component that is not known yet. */
	if (g_str_has_prefix(name, "definition."))
		return !g_str_has_suffix(name, ".text");
	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
		if (g_str_has_prefix(name, prefixes[i]))
			return true;
	}
	return g_str_has_prefix(name, "request.") && is_of_a_message(it);
}

/* By its last word; whatever is not known to be a machine's is read. */
static bool
is_technical(const char *name)
{
	static const char *const words[] = { "id", "type", "sub_type", "index",
		"card_index", "preview_url", "catalog_id",
		"product_retailer_id", "retailer_id", "reference_id",
		"thumbnail_product_retailer_id", "flow_id", "flow_token",
		"flow_message_version", "expiration_time_ms", "offset",
		"amount_1000", "biz_opaque_callback_data", "recipient", "to",
		"response", "message_id", NULL };
	const char *dot = strrchr(name, '.');

	return g_strv_contains(words, dot != NULL ? dot + 1 : name);
}

static void
add_facts(GString *out, const struct item *it)
{
	for (guint i = 0; it->facts != NULL && i < it->facts->len; i++) {
		const struct item_fact *f = it->facts->pdata[i];

		if (!is_apart(it, f->name) && !is_technical(f->name))
			add_value(out, f->value);
	}
}

/* Of a form what is no list of answers, and answers past the bounds. */
static void
add_answers(GString *out, const struct item *it)
{
	if (it->reply != NULL && it->answers == NULL)
		add_line(out, it->reply->json);
	for (guint i = 0; it->answers != NULL && i < it->answers->len; i++) {
		const struct item_fact *f = it->answers->pdata[i];

		if (*f->value == '{' || *f->value == '[')
			add_raw(out, f->value);
	}
}

char *
wa_more_text(const struct item *it)
{
	GString *out = g_string_new(NULL);

	if (it->kind == ITEM_NOTICE && it->raw != NULL)
		add_raw(out, it->raw);
	else if (it->kind != ITEM_NOTICE)
		add_facts(out, it);
	add_answers(out, it);
	return g_string_free(out, out->len == 0);
}
