/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any JSON to facts: nested members get dotted names, elements of a list of
 * more than one get their number (from 1). Bounded in depth, in the length of
 * a name and in the facts of one item; what is past a bound stands there as
 * one fact with its JSON, never is it left out. Null, [] and {} say nothing
 * and give no fact; an empty string says that something is empty. Of a form's
 * answers everything is kept: no answer is one too.
 */
#include "wa_json_int.h"

#include <string.h>

#include "item.h"

#define FACTS_MAX 500
#define DEPTH_MAX 8
#define NAME_MAX_BYTES 256
#define MORE "more"	/* the fact that holds what is past a bound */

/* Where facts go, and the name of the one that comes next. */
struct flat {
	void (*add)(void *to, const char *name, const char *value);
	void *to;
	GPtrArray *const *list;	/* what add fills; NULL before the first */
	bool keep_blank;
	GString *path;
};

static void
add_fact(void *to, const char *name, const char *value)
{
	item_fact_add(to, name, value);
}

static void
add_answer(void *to, const char *name, const char *value)
{
	item_answer_add(to, name, value);
}

static void
add_card_fact(void *to, const char *name, const char *value)
{
	item_card_fact_add(to, name, value);
}

bool
wa_is_word(const char *const *words, const char *word)
{
	for (; word != NULL && *words != NULL; words++) {
		if (g_ascii_strcasecmp(*words, word) == 0)
			return true;
	}
	return false;
}

static bool
is_shape(json_object *o, enum wa_shape shape)
{
	switch (shape) {
	case WA_TEXT:
		return json_object_is_type(o, json_type_string) ||
		    json_object_is_type(o, json_type_int) ||
		    json_object_is_type(o, json_type_double);
	case WA_FLAG:
		return json_object_is_type(o, json_type_boolean);
	case WA_OBJECT:
		return json_object_is_type(o, json_type_object);
	case WA_LIST:
		return json_object_is_type(o, json_type_array);
	case WA_ANY:
		return true;
	case WA_NONE:
	default:
		return false;
	}
}

static bool
is_read(const struct wa_known *known, const char *key, json_object *member)
{
	for (; known != NULL && known->name != NULL; known++) {
		if (strcmp(known->name, key) == 0)
			return is_shape(member, known->shape);
	}
	return false;
}

static bool
is_full(const struct flat *f)
{
	return *f->list != NULL && (*f->list)->len >= FACTS_MAX;
}

/* Returns what truncates the name to what it was. */
static size_t
push(struct flat *f, const char *part)
{
	size_t len = f->path->len;

	if (len > 0)
		g_string_append_c(f->path, '.');
	g_string_append(f->path, part);
	return len;
}

static void
push_number(struct flat *f, size_t number)
{
	char text[24];

	g_snprintf(text, sizeof(text), "%zu", number);
	push(f, text);
}

static void
add_raw(struct flat *f, json_object *value)
{
	g_autofree char *raw = wa_raw(value);

	f->add(f->to, f->path->str, raw);
}

/* Takes rest, which may be NULL. */
static void
add_more(struct flat *f, json_object *rest)
{
	size_t len;

	if (rest == NULL)
		return;
	len = push(f, MORE);
	add_raw(f, rest);
	g_string_truncate(f->path, len);
	json_object_put(rest);
}

static void add_value(struct flat *f, json_object *value, int depth);

static void
add_members(struct flat *f, json_object *o, const struct wa_known *known,
    int depth)
{
	json_object *rest = NULL;

	json_object_object_foreach(o, key, member) {
		size_t len = f->path->len;

		if (is_read(known, key, member) ||
		    (wa_is_blank(member) && !f->keep_blank))
			continue;
		if (is_full(f) || len + 1 + strlen(key) > NAME_MAX_BYTES) {
			if (rest == NULL)
				rest = json_object_new_object();
			json_object_object_add(rest, key,
			    json_object_get(member));
			continue;
		}
		push(f, key);
		add_value(f, member, depth);
		g_string_truncate(f->path, len);
	}
	add_more(f, rest);
}

static void
add_elements(struct flat *f, json_object *list, int depth)
{
	size_t len = json_object_array_length(list), at = f->path->len;
	json_object *rest = NULL;

	for (size_t i = 0; i < len; i++) {
		json_object *o = json_object_array_get_idx(list, i);

		if (wa_is_blank(o) && !f->keep_blank)
			continue;
		if (is_full(f)) {
			if (rest == NULL)
				rest = json_object_new_array();
			json_object_array_add(rest, json_object_get(o));
			continue;
		}
		if (len > 1)
			push_number(f, i + 1);
		add_value(f, o, depth);
		g_string_truncate(f->path, at);
	}
	add_more(f, rest);
}

static void
add_value(struct flat *f, json_object *value, int depth)
{
	g_autofree char *text = wa_scalar(value);

	if (text != NULL)
		f->add(f->to, f->path->str, text);
	else if (wa_is_blank(value) && f->keep_blank)
		f->add(f->to, f->path->str, "");
	else if (depth >= DEPTH_MAX)
		add_raw(f, value);
	else if (json_object_is_type(value, json_type_array))
		add_elements(f, value, depth + 1);
	else if (json_object_is_type(value, json_type_object))
		add_members(f, value, NULL, depth + 1);
}

static void
flatten(struct flat *f, json_object *o, const char *prefix,
    const struct wa_known *known)
{
	bool is_object = json_object_is_type(o, json_type_object);

	f->path = g_string_new(prefix);
	if (is_object)
		add_members(f, o, known, 1);
	else
		add_value(f, o, 0);
	g_string_free(f->path, TRUE);
}

static bool
has_rest(json_object *o, const struct wa_known *known)
{
	json_object_object_foreach(o, key, member) {
		if (!is_read(known, key, member))
			return true;
	}
	return false;
}

void
wa_rest_add(struct item *it, const char *path, json_object *o,
    const struct wa_known *known)
{
	struct flat f = { .add = add_fact, .to = it, .list = &it->facts };

	if (o != NULL && (!json_object_is_type(o, json_type_object) ||
	    has_rest(o, known)))
		flatten(&f, o, path, known);
}

void
wa_answers_add(struct item *it, json_object *o)
{
	struct flat f = { .add = add_answer, .to = it, .list = &it->answers,
		.keep_blank = true };

	flatten(&f, o, json_object_is_type(o, json_type_object) ? NULL :
	    "answer", NULL);
}

void
wa_card_rest_add(struct item_card *card, const char *path, json_object *o,
    const struct wa_known *known)
{
	struct flat f = { .add = add_card_fact, .to = card,
		.list = &card->facts };

	flatten(&f, o, path, known);
}
