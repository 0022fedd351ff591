/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Template messages as they are sent: a name, a language and parameters.
 * With the template's definition the wording the customer saw is put
 * together; without it, or when a parameter is missing, the item says so by
 * expanded = false and lists the parameters as facts.
 */
#include "wa_content_int.h"

#include <string.h>

/* Meta allows ten buttons; so nothing here is quadratic in what was sent. */
#define BUTTONS_MAX 32
#define PARAMS_MAX 100
#define OFFER "limited_time_offer"

struct param {
	char *name;	/* its own, or its number, from 1 */
	char *value;
	bool used;
};

/* One template message, or one card of a carousel, on its way. */
struct wording {
	struct item *it;
	json_object *sent, *defined;	/* lists of components; may be NULL */
	const char *path;	/* of the list sent */
	const char *prefix;	/* of facts: "" or "card.1." */
	bool whole;		/* every placeholder was filled */
};

static void
clear_param(gpointer element)
{
	struct param *p = element;

	g_free(p->name);
	g_free(p->value);
}

/* The words are in lower case where sent, in upper where defined. */
static bool
is_component(json_object *o, const char *type)
{
	g_autofree char *word = wa_get_id(o, "type");

	return word != NULL && g_ascii_strcasecmp(word, type) == 0;
}

/* *at: where to begin, and after it where it was found. */
static json_object *
find_component(json_object *list, const char *type, size_t *at)
{
	size_t len = wa_length(list);

	for (; *at < len; ++*at) {
		json_object *o = json_object_array_get_idx(list, *at);

		if (is_component(o, type))
			return o;
	}
	return NULL;
}

static void
add_fact(const struct wording *w, const char *name, const char *value)
{
	g_autofree char *full = g_strconcat(w->prefix, name, NULL);

	item_fact_add(w->it, full, value);
}

/* Amounts and dates carry the text to be shown, as Meta words it. */
static char *
read_fallback(struct item *it, json_object *o, const char *path)
{
	static const struct wa_known known[] = {
		{ "fallback_value", WA_TEXT }, { NULL } };

	wa_rest_add(it, path, o, known);
	return wa_get_text(o, "fallback_value");
}

static bool
is_file(const char *type)
{
	return strcmp(type, "image") == 0 || strcmp(type, "video") == 0 ||
	    strcmp(type, "document") == 0 || strcmp(type, "gif") == 0;
}

/* The text a parameter puts into the wording; NULL if it is something else. */
static char *
read_value(struct item *it, json_object *o, const char *type, const char *path)
{
	json_object *inner = wa_get(o, type, json_type_object);
	g_autofree char *inner_path = g_strconcat(path, ".", type, NULL);

	char *text = strcmp(type, "text") == 0 ? wa_get_text(o, "text") : NULL;

	if (text != NULL)
		return text;
	if (inner != NULL && (strcmp(type, "currency") == 0 ||
	    strcmp(type, "date_time") == 0))
		return read_fallback(it, inner, inner_path);
	if (strcmp(type, "location") == 0 && it->location == NULL &&
	    inner != NULL)
		wa_location_parse(it, inner, inner_path);
	else if (!is_file(type) || !wa_media_read(it, inner, inner_path))
		wa_rest_add(it, inner_path, wa_get_any(o, type), NULL);
	return NULL;
}

/* number: its place, from 1; what is no text takes a place as well. */
static void
read_param(struct item *it, json_object *o, const char *path, size_t number,
    GArray *params)
{
	g_autofree char *type = wa_get_id(o, "type");
	struct wa_known known[] = { { "type", WA_TEXT },
		{ "parameter_name", WA_TEXT },
		{ type != NULL ? type : "", WA_ANY }, { NULL } };
	struct param p = { 0 };

	if (type != NULL)
		p.value = read_value(it, o, type, path);
	wa_rest_add(it, path, o, known);
	if (p.value == NULL)
		return;
	p.name = wa_get_id(o, "parameter_name");
	if (p.name == NULL)
		p.name = g_strdup_printf("%zu", number);
	g_array_append_val(params, p);
}

static GArray *
read_params(struct item *it, json_object *component, const char *path)
{
	json_object *list = wa_get(component, "parameters", json_type_array);
	size_t len = wa_length(list);
	GArray *params = g_array_new(FALSE, TRUE, sizeof(struct param));

	g_array_set_clear_func(params, clear_param);
	for (size_t i = 0; i < len; i++) {
		g_autofree char *inner = g_strdup_printf("%s.parameters.%zu",
		    path, i + 1);

		read_param(it, json_object_array_get_idx(list, i), inner,
		    i + 1, params);
	}
	return params;
}

static struct param *
find_param(GArray *params, const char *name, size_t len)
{
	for (guint i = 0; i < MIN(params->len, PARAMS_MAX); i++) {
		struct param *p = &g_array_index(params, struct param, i);

		if (strlen(p->name) == len && strncmp(p->name, name, len) == 0)
			return p;
	}
	return NULL;
}

/* "{{1}}", "{{ first_name }}"; len is up to the closing braces. */
static struct param *
find_placeholder(GArray *params, const char *name, size_t len)
{
	while (len > 0 && *name == ' ')
		name++, len--;
	while (len > 0 && name[len - 1] == ' ')
		len--;
	return find_param(params, name, len);
}

/* One pass: what is filled in is never looked at again. */
static char *
fill_placeholders(struct wording *w, const char *text, GArray *params)
{
	GString *out = g_string_new(NULL);
	const char *open, *end;

	while ((open = strstr(text, "{{")) != NULL &&
	    (end = strstr(open, "}}")) != NULL) {
		struct param *p = find_placeholder(params, open + 2,
		    (size_t)(end - open) - 2);

		g_string_append_len(out, text, open - text);
		if (p != NULL) {
			g_string_append(out, p->value);
			p->used = true;
		} else {
			g_string_append_len(out, open, end + 2 - open);
			w->whole = false;
		}
		text = end + 2;
	}
	g_string_append(out, text);
	return g_string_free(out, FALSE);
}

static void
add_params(const struct wording *w, const char *name, const GArray *params)
{
	for (guint i = 0; i < params->len; i++) {
		const struct param *p = &g_array_index(params, struct param, i);
		g_autofree char *full = NULL;

		if (p->used)
			continue;
		full = g_strconcat(name, ".", p->name, NULL);
		add_fact(w, full, p->value);
	}
}

static void
add_definition_rest(const struct wording *w, const char *name,
    json_object *defined)
{
	static const struct wa_known known[] = { { "type", WA_TEXT },
		{ "format", WA_TEXT }, { "text", WA_TEXT },
		{ "buttons", WA_LIST }, { "cards", WA_LIST }, { NULL } };
	g_autofree char *full = g_strconcat(w->prefix, "definition.", name, NULL);

	wa_rest_add(w->it, full, defined, known);
}

/* The wording of a component, or NULL if it has none or is not defined. */
static char *
read_part(struct wording *w, const char *type)
{
	static const struct wa_known known[] = { { "type", WA_TEXT },
		{ "parameters", WA_LIST }, { NULL } };
	size_t at = 0, defined_at = 0;
	json_object *defined = find_component(w->defined, type, &defined_at);
	json_object *sent = find_component(w->sent, type, &at);
	g_autofree char *path = g_strdup_printf("%s.%zu", w->path, at + 1);
	g_autoptr(GArray) params = read_params(w->it, sent, path);
	g_autofree char *text = wa_get_text(defined, "text");
	char *out = text != NULL ? fill_placeholders(w, text, params) : NULL;

	add_params(w, type, params);
	wa_rest_add(w->it, path, sent, known);
	add_definition_rest(w, type, defined);
	return out;
}

/* The send's component for the button at this place, from 0. */
static json_object *
find_button(const struct wording *w, size_t index)
{
	g_autofree char *want = g_strdup_printf("%zu", index);
	json_object *o;
	size_t at = 0;

	if (index >= BUTTONS_MAX)
		return NULL;
	for (; (o = find_component(w->sent, "button", &at)) != NULL; at++) {
		g_autofree char *got = wa_get_id(o, "index");

		if (g_strcmp0(got, want) == 0)
			return o;
	}
	return NULL;
}

/* The title is what was seen; where it leads is a fact. */
static void
read_button(struct wording *w, json_object *defined, size_t index)
{
	static const struct wa_known sent_known[] = { { "type", WA_TEXT },
		{ "index", WA_TEXT }, { "parameters", WA_LIST }, { NULL } };
	static const struct wa_known known[] = { { "text", WA_TEXT },
		{ "url", WA_TEXT }, { NULL } };
	g_autofree char *name = g_strdup_printf("button.%zu", index + 1);
	g_autofree char *url_name = g_strconcat(name, ".url", NULL);
	g_autofree char *full = g_strconcat(w->prefix, name, NULL);
	g_autofree char *title = wa_get_id(defined, "text");
	g_autofree char *url = wa_get_id(defined, "url");
	g_autofree char *filled = NULL;
	json_object *sent = find_button(w, index);
	g_autoptr(GArray) params = read_params(w->it, sent, full);

	item_button_add(w->it, title);
	if (url != NULL)
		filled = fill_placeholders(w, url, params);
	add_fact(w, url_name, filled);
	add_params(w, name, params);
	wa_rest_add(w->it, full, sent, sent_known);
	wa_rest_add(w->it, full, defined, known);
}

static size_t
read_defined_buttons(struct wording *w)
{
	size_t at = 0;
	json_object *o = find_component(w->defined, "buttons", &at);
	json_object *list = wa_get(o, "buttons", json_type_array);
	size_t len = wa_length(list);

	for (size_t i = 0; i < len; i++)
		read_button(w, json_object_array_get_idx(list, i), i);
	add_definition_rest(w, "buttons", o);
	return len;
}

static bool
is_read(const struct wording *w, json_object *sent, size_t defined)
{
	g_autofree char *text = wa_get_id(sent, "index");
	guint64 index;

	return text != NULL && g_ascii_string_to_unsigned(text, 10, 0,
	    BUTTONS_MAX, &index, NULL) && index < defined &&
	    find_button(w, (size_t)index) == sent;
}

/* Buttons whose title is not known: their place and parameters are facts. */
static void
read_other_buttons(struct wording *w, size_t defined)
{
	json_object *o;

	for (size_t at = 0;
	    (o = find_component(w->sent, "button", &at)) != NULL; at++) {
		g_autofree char *path = g_strdup_printf("%s.%zu", w->path,
		    at + 1);

		if (!is_read(w, o, defined))
			wa_rest_add(w->it, path, o, NULL);
	}
}

static json_object *
element(json_object *list, size_t i)
{
	return i < wa_length(list) ? json_object_array_get_idx(list, i) : NULL;
}

/* Its place as the card itself says it; -1 if it does not. */
static gint64
place_of(json_object *card)
{
	g_autofree char *text = wa_get_id(card, "card_index");
	guint64 index;

	return text != NULL && g_ascii_string_to_unsigned(text, 10, 0,
	    G_MAXINT, &index, NULL) ? (gint64)index : -1;
}

/*
 * The cards sent, each at its place, with NULL at those that were not sent:
 * by their numbers, and what has none or one that is taken where there is room.
 */
static GPtrArray *
place_cards(json_object *cards, size_t places)
{
	GPtrArray *placed = g_ptr_array_sized_new((guint)places);
	g_autoptr(GPtrArray) others = g_ptr_array_new();
	guint free_at = 0;

	g_ptr_array_set_size(placed, (gint)places);
	for (size_t i = 0; i < wa_length(cards); i++) {
		json_object *card = json_object_array_get_idx(cards, i);
		gint64 place = place_of(card);

		if (place >= 0 && (size_t)place < places &&
		    placed->pdata[place] == NULL)
			placed->pdata[place] = card;
		else
			g_ptr_array_add(others, card);
	}
	for (guint i = 0; i < others->len; i++) {
		while (free_at < placed->len && placed->pdata[free_at] != NULL)
			free_at++;
		if (free_at < placed->len)
			placed->pdata[free_at++] = others->pdata[i];
	}
	return placed;
}

static void read_lists(struct wording *w);

/* A card's words are lines of their own. */
static void
read_card(struct wording *outer, json_object *sent, json_object *defined,
    size_t number)
{
	static const struct wa_known known[] = { { "components", WA_LIST },
		{ NULL } };
	g_autofree char *name = g_strdup_printf("%scard.%zu", outer->prefix,
	    number);
	g_autofree char *prefix = g_strconcat(name, ".", NULL);
	g_autofree char *path = g_strconcat(name, ".components", NULL);
	g_autofree char *body = NULL, *header = NULL, *footer = NULL;
	struct wording w = { outer->it,
		wa_get(sent, "components", json_type_array),
		wa_get(defined, "components", json_type_array), path, prefix,
		true };

	header = read_part(&w, "header");
	body = read_part(&w, "body");
	footer = read_part(&w, "footer");
	add_fact(&w, "header", header);
	add_fact(&w, "body", body);
	add_fact(&w, "footer", footer);
	read_lists(&w);
	wa_rest_add(w.it, name, sent, known);
	wa_rest_add(w.it, name, defined, known);
	outer->whole = outer->whole && w.whole;
}

static void
read_cards(struct wording *w)
{
	static const struct wa_known known[] = { { "type", WA_TEXT },
		{ "cards", WA_LIST }, { NULL } };
	size_t at = 0, defined_at = 0;
	json_object *sent = find_component(w->sent, "carousel", &at);
	json_object *defined = find_component(w->defined, "carousel",
	    &defined_at);
	json_object *cards = wa_get(sent, "cards", json_type_array);
	json_object *defined_cards = wa_get(defined, "cards", json_type_array);
	size_t len = MAX(wa_length(cards), wa_length(defined_cards));
	g_autoptr(GPtrArray) placed = place_cards(cards, len);

	for (size_t i = 0; i < len; i++)
		read_card(w, placed->pdata[i], element(defined_cards, i),
		    i + 1);
	wa_rest_add(w->it, w->path, sent, known);
	add_definition_rest(w, "carousel", defined);
}

/* What it says above the body of an offer that ends. */
static void
read_offer(struct wording *w)
{
	static const struct wa_known known[] = { { OFFER, WA_OBJECT },
		{ NULL } };
	static const struct wa_known inner_known[] = { { "text", WA_TEXT },
		{ NULL } };
	size_t at = 0;
	json_object *defined = find_component(w->defined, OFFER, &at);
	json_object *offer = wa_get(defined, OFFER, json_type_object);
	g_autofree char *path = g_strconcat(w->prefix, OFFER, NULL);
	g_autofree char *outer = g_strconcat(w->prefix, "definition." OFFER,
	    NULL);
	g_autofree char *text = wa_get_id(offer, "text");

	item_fact_add(w->it, path, text);
	wa_rest_add(w->it, path, offer, inner_known);
	wa_rest_add(w->it, outer, defined, known);
}

static bool
is_first(json_object *list, size_t i, const char *type)
{
	size_t at = 0;

	return is_component(json_object_array_get_idx(list, i), type) &&
	    find_component(list, type, &at) != NULL && at == i;
}

/* When an offer ends, what is new, and what is there a second time. */
static void
read_other_parts(struct wording *w, json_object *list, const char *path,
    const char *const read[2])
{
	const char *const known[] = { "header", "body", "footer", "carousel",
		read[0], read[1] };

	for (size_t i = 0; i < wa_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		g_autofree char *inner = g_strdup_printf("%s.%zu", path, i + 1);
		bool done = is_component(o, "button") && list == w->sent;

		for (size_t k = 0; !done && k < G_N_ELEMENTS(known); k++)
			done = is_first(list, i, known[k]);
		if (!done)
			wa_rest_add(w->it, inner, o, NULL);
	}
}

/* Buttons, cards, and whatever else there is. */
static void
read_lists(struct wording *w)
{
	static const char *const sent[2] = { "button", "button" };
	static const char *const defined[2] = { "buttons", OFFER };
	g_autofree char *path = g_strconcat(w->prefix,
	    "definition.components", NULL);

	read_other_buttons(w, read_defined_buttons(w));
	read_cards(w);
	read_offer(w);
	read_other_parts(w, w->sent, w->path, sent);
	read_other_parts(w, w->defined, path, defined);
}

/*
 * One-time codes: WhatsApp words them itself, in the language of the phone, and
 * the definition may lack a part of it, or give it as it is elsewhere.
 */
static bool
is_authentication(const struct wording *w, const char *category)
{
	size_t at = 0;
	json_object *body = find_component(w->defined, "body", &at);

	return (category != NULL &&
	    g_ascii_strcasecmp(category, "AUTHENTICATION") == 0) ||
	    wa_get_any(body, "add_security_recommendation") != NULL;
}

static void
read_wording(struct wording *w)
{
	struct item_template *t = item_template_get(w->it);

	t->header = read_part(w, "header");
	w->it->text = read_part(w, "body");
	t->footer = read_part(w, "footer");
	read_lists(w);
	t->expanded = w->whole && w->it->text != NULL &&
	    !is_authentication(w, t->category);
}

/* A language is a word in the definition, an object where it is sent. */
static char *
read_language(struct item *it, json_object *o, const char *path)
{
	static const struct wa_known known[] = { { "code", WA_TEXT },
		{ NULL } };
	json_object *language = wa_get_any(o, "language");
	g_autofree char *inner = g_strconcat(path, ".language", NULL);

	if (json_object_is_type(language, json_type_object)) {
		wa_rest_add(it, inner, language, known);
		return wa_get_id(language, "code");
	}
	if (json_object_is_type(language, json_type_string))
		return wa_text(language);
	wa_rest_add(it, inner, language, NULL);
	return NULL;
}

static void
read_names(struct item *it, json_object *content, json_object *definition,
    const char *path)
{
	struct item_template *t = item_template_get(it);

	t->name = wa_get_id(content, "name");
	if (t->name == NULL)
		t->name = wa_get_id(definition, "name");
	t->language = read_language(it, content, path);
	if (t->language == NULL)
		t->language = wa_get_id(definition, "language");
	t->category = wa_get_id(definition, "category");
}

/* Of the definition's names only what the item does not say as well. */
static enum wa_shape
shape_of(json_object *definition, const char *key, const char *said)
{
	g_autofree char *text = wa_get_id(definition, key);

	return g_strcmp0(text, said) == 0 ? WA_TEXT : WA_NONE;
}

static void
add_definition_names(struct item *it, json_object *definition)
{
	const struct item_template *t = it->template;
	const struct wa_known known[] = {
		{ "name", shape_of(definition, "name", t->name) },
		{ "language", shape_of(definition, "language", t->language) },
		{ "category", WA_TEXT }, { "components", WA_LIST }, { NULL } };

	wa_rest_add(it, "definition", definition, known);
}

bool
wa_template_read(struct item *it, json_object *content,
    json_object *definition, const char *path)
{
	static const struct wa_known known[] = { { "name", WA_TEXT },
		{ "language", WA_ANY }, { "components", WA_LIST }, { NULL } };
	g_autofree char *list_path = g_strconcat(path, ".components", NULL);
	struct wording w = { it,
		wa_get(content, "components", json_type_array),
		wa_get(definition, "components", json_type_array), list_path,
		"", true };

	if (!json_object_is_type(content, json_type_object))
		return false;
	read_names(it, content, definition, path);
	read_wording(&w);
	wa_rest_add(it, path, content, known);
	add_definition_names(it, definition);
	return it->template->name != NULL || it->text != NULL;
}

bool
wa_template_parse(struct item *it, json_object *content, const char *path)
{
	return wa_template_read(it, content, NULL, path);
}
