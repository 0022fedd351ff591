/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contact cards and orders: lists of things a customer sent. Every member of
 * a card becomes a fact under its type ("phone.CELL", "address.HOME.city").
 */
#include "wa_content_int.h"

#include <string.h>

/* Lists of a card: name of the fact, member with the value (NULL: all). */
static const struct {
	const char *list, *fact, *value;
} card_lists[] = {
	{ "phones", "phone", "phone" }, { "emails", "email", "email" },
	{ "addresses", "address", NULL }, { "urls", "url", "url" },
};

static void
add_card_line(struct item_card *card, size_t row, json_object *o)
{
	struct wa_known known[] = { { "type", WA_TEXT }, { NULL }, { NULL } };
	g_autofree char *type = wa_get_id(o, "type");
	g_autofree char *path = type == NULL ?
	    g_strdup(card_lists[row].fact) :
	    g_strconcat(card_lists[row].fact, ".", type, NULL);
	g_autofree char *value = NULL;

	if (card_lists[row].value != NULL) {
		value = wa_get_id(o, card_lists[row].value);
		known[1] = (struct wa_known){ card_lists[row].value, WA_TEXT };
	}
	item_card_fact_add(card, path, value);
	wa_card_rest_add(card, path, o, known);
}

static bool
add_card_list(struct item_card *card, const char *key, json_object *list)
{
	for (size_t row = 0; row < G_N_ELEMENTS(card_lists); row++) {
		size_t len;

		if (strcmp(card_lists[row].list, key) != 0 ||
		    !json_object_is_type(list, json_type_array))
			continue;
		len = json_object_array_length(list);
		for (size_t i = 0; i < len; i++)
			add_card_line(card, row,
			    json_object_array_get_idx(list, i));
		return true;
	}
	return false;
}

static void
read_card_name(struct item_card *card, json_object *name)
{
	static const struct wa_known known[] = {
		{ "formatted_name", WA_TEXT }, { NULL } };

	card->name = wa_get_id(name, "formatted_name");
	wa_card_rest_add(card, json_object_is_type(name, json_type_object) ?
	    "" : "name", name, known);
}

static void
read_card(struct item *it, json_object *o)
{
	struct item_card *card = item_card_add(it);

	if (!json_object_is_type(o, json_type_object)) {
		wa_card_rest_add(card, "card", o, NULL);
		return;
	}
	json_object_object_foreach(o, key, member) {
		if (strcmp(key, "name") == 0)
			read_card_name(card, member);
		else if (!add_card_list(card, key, member))
			wa_card_rest_add(card, key, member, NULL);
	}
}

bool
wa_cards_parse(struct item *it, json_object *content, const char *path)
{
	size_t len;

	(void)path;
	if (!json_object_is_type(content, json_type_array))
		return false;
	len = json_object_array_length(content);
	for (size_t i = 0; i < len; i++)
		read_card(it, json_object_array_get_idx(content, i));
	return len > 0;
}

static void
read_order_line(struct item *it, json_object *o, const char *path)
{
	static const struct wa_known known[] = {
		{ "product_retailer_id", WA_TEXT }, { "quantity", WA_TEXT },
		{ "item_price", WA_TEXT }, { "currency", WA_TEXT }, { NULL } };
	struct item_order_line *line = item_order_add(it);

	line->product_id = wa_get_id(o, "product_retailer_id");
	line->quantity = wa_get_id(o, "quantity");
	line->price = wa_get_id(o, "item_price");
	line->currency = wa_get_id(o, "currency");
	wa_rest_add(it, path, o, known);
}

bool
wa_order_parse(struct item *it, json_object *content, const char *path)
{
	static const struct wa_known known[] = { { "text", WA_TEXT },
		{ "product_items", WA_LIST }, { NULL } };
	json_object *list = wa_get(content, "product_items", json_type_array);
	size_t len = wa_length(list);

	it->text = wa_get_id(content, "text");
	for (size_t i = 0; i < len; i++) {
		g_autofree char *line = g_strdup_printf("%s.product_items.%zu",
		    path, i + 1);

		read_order_line(it, json_object_array_get_idx(list, i), line);
	}
	wa_rest_add(it, path, content, known);
	return len > 0 || it->text != NULL;
}
