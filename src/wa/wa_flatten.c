/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any JSON to facts: nested members get dotted names, elements of a list of
 * more than one get their number (from 1). Bounded in depth, in the length of
 * a name and in the facts of one item; what is past a bound stands there as
 * one fact with its JSON, never is it left out. Null, [] and {} say nothing
 * and give no fact; an empty string says that something is empty.
 */
#include "wa_int.h"

#include <string.h>

#define FACTS_MAX 500
#define DEPTH_MAX 8
#define NAME_MAX_BYTES 256
#define MORE "more"	/* the fact that holds what is past a bound */

static bool
is_full(const struct item *it)
{
	return it->facts != NULL && it->facts->len >= FACTS_MAX;
}

bool
wa_is_among(const char *const *names, const char *name)
{
	for (; names != NULL && *names != NULL; names++) {
		if (strcmp(*names, name) == 0)
			return true;
	}
	return false;
}

static char *
join(const char *prefix, const char *key)
{
	if (prefix == NULL || *prefix == '\0')
		return g_strdup(key);
	return g_strconcat(prefix, ".", key, NULL);
}

static bool
is_too_long(const char *prefix, const char *key)
{
	size_t len = prefix != NULL ? strlen(prefix) + 1 : 0;

	return len + strlen(key) > NAME_MAX_BYTES;
}

static void
add_raw(struct item *it, const char *name, json_object *value)
{
	g_autofree char *raw = wa_raw(value);

	item_fact_add(it, name, raw);
}

/* Takes rest, which may be NULL. */
static void
add_more(struct item *it, const char *prefix, json_object *rest)
{
	g_autofree char *name = join(prefix, MORE);

	if (rest != NULL)
		add_raw(it, name, rest);
	json_object_put(rest);
}

static void add_value(struct item *it, const char *name, json_object *value,
    int depth);

static void
add_members(struct item *it, json_object *o, const char *prefix,
    const char *const *known, int depth)
{
	json_object *rest = NULL;

	json_object_object_foreach(o, key, member) {
		g_autofree char *name = NULL;

		if (wa_is_among(known, key) || wa_is_blank(member))
			continue;
		if (is_full(it) || is_too_long(prefix, key)) {
			if (rest == NULL)
				rest = json_object_new_object();
			json_object_object_add(rest, key,
			    json_object_get(member));
			continue;
		}
		name = join(prefix, key);
		add_value(it, name, member, depth);
	}
	add_more(it, prefix, rest);
}

static void
add_elements(struct item *it, json_object *list, const char *name, int depth)
{
	size_t len = json_object_array_length(list);
	json_object *rest = NULL;

	for (size_t i = 0; i < len; i++) {
		json_object *o = json_object_array_get_idx(list, i);
		g_autofree char *numbered = NULL;

		if (wa_is_blank(o))
			continue;
		if (is_full(it)) {
			if (rest == NULL)
				rest = json_object_new_array();
			json_object_array_add(rest, json_object_get(o));
			continue;
		}
		if (len > 1)
			numbered = g_strdup_printf("%s.%zu", name, i + 1);
		add_value(it, numbered != NULL ? numbered : name, o, depth);
	}
	add_more(it, name, rest);
}

static void
add_value(struct item *it, const char *name, json_object *value, int depth)
{
	g_autofree char *text = wa_scalar(value);

	if (text != NULL)
		item_fact_add(it, name, text);
	else if (depth >= DEPTH_MAX)
		add_raw(it, name, value);
	else if (json_object_is_type(value, json_type_array))
		add_elements(it, value, name, depth + 1);
	else if (json_object_is_type(value, json_type_object))
		add_members(it, value, name, NULL, depth + 1);
}

void
wa_facts_add(struct item *it, json_object *o, const char *prefix,
    const char *const *known)
{
	if (json_object_is_type(o, json_type_object))
		add_members(it, o, prefix, known, 1);
	else
		add_value(it, prefix != NULL ? prefix : "value", o, 0);
}

void
wa_fact_read(struct item *it, json_object *o, const char *key)
{
	add_value(it, key, wa_get_any(o, key), 1);
}
