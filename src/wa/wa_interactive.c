/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interactive messages: what a customer chose or filled in, and, in echoes
 * and in the history, what the business offered (header, body, footer,
 * buttons). An inner type that is neither stays a notice.
 */
#include "wa_content_int.h"

#include <string.h>

/*
 * A form's answers are JSON in a string, of any shape. What is not JSON, or
 * beyond the limits of a body, is shown as the string it is.
 */
static void
read_answers(struct item *it, const char *json)
{
	static const struct wa_limits limits = WA_LIMITS_DEFAULT;
	/* json-c waits for more after a number that nothing follows. */
	g_autofree char *text = g_strconcat(json, "\n", NULL);
	struct wa_facts facts = { 0 };
	size_t len = strlen(text);
	json_object *root = NULL;

	if (wa_scan(text, len, &limits, &facts, NULL) &&
	    wa_json_load(text, len, &facts, &root, NULL))
		wa_answers_add(it, root);
	g_clear_pointer(&facts.long_integers, g_array_unref);
	json_object_put(root);
}

static bool
read_form(struct item *it, json_object *o, const char *path)
{
	static const struct wa_known known[] = { { "name", WA_TEXT },
		{ "body", WA_TEXT }, { "response_json", WA_ANY }, { NULL } };
	json_object *answers = wa_get_any(o, "response_json");
	struct item_reply *r = wa_reply_get(it);

	r->name = wa_get_text(o, "name");
	r->body = wa_get_text(o, "body");
	r->json = json_object_is_type(answers, json_type_string) ?
	    wa_text(answers) : wa_is_empty(answers) ? NULL : wa_raw(answers);
	if (r->json != NULL)
		read_answers(it, r->json);
	it->text = g_strdup(r->body);
	wa_rest_add(it, path, o, known);
	return r->json != NULL || r->body != NULL || r->name != NULL;
}

static bool
read_choice(struct item *it, json_object *o, const char *path)
{
	static const struct wa_known known[] = { { "id", WA_TEXT },
		{ "title", WA_TEXT }, { "description", WA_TEXT }, { NULL } };
	struct item_reply *r = wa_reply_get(it);

	r->id = wa_get_text(o, "id");
	r->title = wa_get_text(o, "title");
	r->description = wa_get_text(o, "description");
	it->text = g_strdup(r->title);
	wa_rest_add(it, path, o, known);
	return r->id != NULL || r->title != NULL;
}

static bool
read_permission(struct item *it, json_object *o, const char *path)
{
	static const struct wa_known known[] = { { "response", WA_TEXT },
		{ NULL } };

	wa_reply_get(it)->title = wa_get_text(o, "response");
	wa_rest_add(it, path, o, known);
	return it->reply->title != NULL;
}

static bool
read_payment(struct item *it, json_object *o, const char *path)
{
	wa_rest_add(it, path, o, NULL);
	return true;
}

static const struct {
	const char *name;
	wa_content_fn read;
	bool type_shows;	/* the item's type says the same */
} replies[] = {
	{ "button_reply", read_choice, true },
	{ "list_reply", read_choice, true },
	{ "nfm_reply", read_form, true },
	{ "call_permission_reply", read_permission, true },
	{ "payment_method", read_payment, false },
	{ "payment_notification", read_payment, false },
};

static void
add_offered(struct item *it, json_object *o, const char *path,
    const char *title)
{
	struct wa_known known[] = { { title, WA_TEXT }, { NULL } };
	g_autofree char *text = wa_get_id(o, title);

	item_button_add(it, text);
	wa_rest_add(it, path, o, known);
}

static void
add_button(struct item *it, json_object *button, const char *path)
{
	static const struct wa_known known[] = { { "reply", WA_OBJECT },
		{ NULL } };
	g_autofree char *inner = g_strconcat(path, ".reply", NULL);

	add_offered(it, wa_get(button, "reply", json_type_object), inner,
	    "title");
	wa_rest_add(it, path, button, known);
}

static void
add_row(struct item *it, json_object *row, const char *path)
{
	add_offered(it, row, path, "title");
}

typedef void (*element_fn)(struct item *it, json_object *o, const char *path);

static void
add_each(struct item *it, json_object *o, const char *key,
    const char *path, element_fn add)
{
	json_object *list = wa_get(o, key, json_type_array);
	size_t len = wa_length(list);

	for (size_t i = 0; i < len; i++) {
		g_autofree char *inner = g_strdup_printf("%s.%s.%zu", path, key,
		    i + 1);

		add(it, json_object_array_get_idx(list, i), inner);
	}
}

static void
add_section(struct item *it, json_object *section, const char *path)
{
	static const struct wa_known known[] = { { "rows", WA_LIST },
		{ NULL } };

	wa_rest_add(it, path, section, known);
	add_each(it, section, "rows", path, add_row);
}

/* Its name depends on the type: what is on the button to be pressed. */
static void
add_parameters(struct item *it, json_object *o, const char *path)
{
	static const struct wa_known known[] = { { "display_text", WA_TEXT },
		{ "flow_cta", WA_TEXT }, { NULL } };
	g_autofree char *inner = g_strconcat(path, ".parameters", NULL);
	g_autofree char *text = wa_get_id(o, "display_text");
	g_autofree char *cta = wa_get_id(o, "flow_cta");

	item_button_add(it, text);
	item_button_add(it, cta);
	wa_rest_add(it, inner, o, known);
}

static void add_card(struct item *it, json_object *card, const char *path);

static void
read_action(struct item *it, json_object *action, const char *path)
{
	static const struct wa_known known[] = { { "button", WA_TEXT },
		{ "buttons", WA_LIST }, { "sections", WA_LIST },
		{ "parameters", WA_ANY }, { "cards", WA_LIST }, { NULL } };
	g_autofree char *inner = g_strconcat(path, ".action", NULL);
	g_autofree char *menu = wa_get_id(action, "button");

	item_button_add(it, menu);
	add_each(it, action, "buttons", inner, add_button);
	add_each(it, action, "sections", inner, add_section);
	add_parameters(it, wa_get_any(action, "parameters"), inner);
	add_each(it, action, "cards", inner, add_card);
	wa_rest_add(it, inner, action, known);
}

/* A header is a line of text, or a file under the name of its type. */
static char *
read_header(struct item *it, json_object *header, const char *path)
{
	g_autofree char *type = wa_get_id(header, "type");
	g_autofree char *inner = g_strconcat(path, ".header", NULL);
	g_autofree char *file = g_strconcat(inner, ".", type, NULL);
	struct wa_known known[] = { { "type", WA_TEXT }, { "text", WA_TEXT },
		{ NULL }, { NULL } };

	if (type != NULL && wa_media_read(it,
	    wa_get(header, type, json_type_object), file))
		known[2] = (struct wa_known){ type, WA_OBJECT };
	wa_rest_add(it, inner, header, known);
	return wa_get_id(header, "text");
}

static char *
read_words(struct item *it, json_object *o, const char *key, const char *path)
{
	static const struct wa_known known[] = { { "text", WA_TEXT },
		{ NULL } };
	json_object *part = wa_get_any(o, key);
	g_autofree char *inner = g_strconcat(path, ".", key, NULL);

	wa_rest_add(it, inner, part, known);
	return wa_get_text(part, "text");
}

/* A card of a carousel: its words are lines of their own. */
static void
add_card(struct item *it, json_object *card, const char *path)
{
	static const struct wa_known known[] = { { "header", WA_ANY },
		{ "body", WA_ANY }, { "action", WA_OBJECT }, { NULL } };
	g_autofree char *header = read_header(it, wa_get_any(card, "header"),
	    path);
	g_autofree char *body = read_words(it, card, "body", path);
	g_autofree char *header_name = g_strconcat(path, ".header", NULL);
	g_autofree char *body_name = g_strconcat(path, ".body", NULL);
	json_object *action = wa_get(card, "action", json_type_object);

	item_fact_add(it, header_name, header);
	item_fact_add(it, body_name, body);
	if (action != NULL)
		read_action(it, action, path);
	wa_rest_add(it, path, card, known);
}

static bool
read_offer(struct item *it, json_object *content, const char *path)
{
	static const struct wa_known known[] = { { "header", WA_ANY },
		{ "body", WA_ANY }, { "footer", WA_ANY },
		{ "action", WA_OBJECT }, { NULL } };
	json_object *action = wa_get(content, "action", json_type_object);
	struct item_template *t;

	if (action == NULL &&
	    wa_get(content, "body", json_type_object) == NULL)
		return false;
	t = item_template_get(it);
	t->expanded = true;
	t->header = read_header(it, wa_get_any(content, "header"), path);
	it->text = read_words(it, content, "body", path);
	t->footer = read_words(it, content, "footer", path);
	if (action != NULL)
		read_action(it, action, path);
	wa_rest_add(it, path, content, known);
	return true;
}

bool
wa_interactive_parse(struct item *it, json_object *content, const char *path)
{
	g_autofree char *word = wa_get_id(content, "type");

	for (size_t i = 0; word != NULL && i < G_N_ELEMENTS(replies); i++) {
		struct wa_known known[] = { { word, WA_OBJECT },
			{ "type", replies[i].type_shows ? WA_TEXT : WA_NONE },
			{ NULL } };
		g_autofree char *inner = NULL;
		json_object *o;

		if (strcmp(replies[i].name, word) != 0)
			continue;
		o = wa_get(content, word, json_type_object);
		inner = g_strconcat(path, ".", word, NULL);
		if (o == NULL || !replies[i].read(it, o, inner))
			return false;
		wa_rest_add(it, path, content, known);
		return true;
	}
	return read_offer(it, content, path);
}
