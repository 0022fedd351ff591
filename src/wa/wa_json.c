/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json-c behind typed getters. Only bodies that passed the scan come here.
 * Nothing is converted through a double, a wrong type reads as absent (the
 * item's raw JSON still shows it), and a NUL inside a string becomes U+FFFD.
 */
#include "wa_json_int.h"

#include <inttypes.h>
#include <string.h>

#include "err.h"

/* Events are from 2009 (the network's first year) to 2099, or have no time. */
#define SECONDS_MIN INT64_C(1230768000)
#define SECONDS_MAX INT64_C(4102444800)

/* The body with each long integer in quotes, see note_long_integer(). */
static GString *
quote_integers(const char *body, size_t len, const GArray *spans)
{
	GString *out = g_string_sized_new(len + 2 * spans->len);
	size_t done = 0;

	for (guint i = 0; i < spans->len; i++) {
		const struct wa_span *span =
		    &g_array_index(spans, struct wa_span, i);

		g_string_append_len(out, body + done, (gssize)(span->at - done));
		g_string_append_c(out, '"');
		g_string_append_len(out, body + span->at, (gssize)span->len);
		g_string_append_c(out, '"');
		done = span->at + span->len;
	}
	g_string_append_len(out, body + done, (gssize)(len - done));
	return out;
}

static json_object *
parse(const char *body, size_t len, int depth, int flags,
    enum json_tokener_error *why)
{
	struct json_tokener *tok = json_tokener_new_ex(depth);
	json_object *root;

	if (tok == NULL)
		return NULL;
	json_tokener_set_flags(tok, flags);
	root = json_tokener_parse_ex(tok, body, (int)len);
	*why = json_tokener_get_error(tok);
	json_tokener_free(tok);
	return root;
}

bool
wa_json_load(const void *body, size_t len, const struct wa_facts *facts,
    json_object **root, struct err *err)
{
	enum json_tokener_error why = json_tokener_success;
	/* No more than needed: each level costs. json-c counts values too. */
	int depth = facts->depth + 2;
	const char *text = body;
	GString *quoted = NULL;

	if (facts->long_integers != NULL) {
		quoted = quote_integers(text, len, facts->long_integers);
		text = quoted->str;
		len = quoted->len;
	}
	*root = parse(text, len, depth,
	    JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8, &why);
	/*
	 * Some builds of json-c 0.18 refuse every non-ASCII string when they
	 * are strict (json-c issues 875 and 892). The scan was strict already.
	 */
	if (*root == NULL)
		*root = parse(text, len, depth, 0, &why);
	if (quoted != NULL)
		g_string_free(quoted, TRUE);
	if (*root == NULL)
		return err_set(err, ERR_PERM, "wa.json",
		    "the body passed the check, but json-c refused it: %s",
		    json_tokener_error_desc(why));
	return true;
}

static size_t
count_members(json_object *o)
{
	size_t n = 0;

	if (json_object_is_type(o, json_type_array)) {
		size_t len = json_object_array_length(o);

		for (size_t i = 0; i < len; i++)
			n += count_members(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_object)) {
		n = (size_t)json_object_object_length(o);
		json_object_object_foreach(o, key, member) {
			(void)key;
			n += count_members(member);
		}
	}
	return n;
}

/*
 * json-c keeps the last of several members of one name, and cuts a name at a
 * NUL. What it dropped is missing in the count.
 */
bool
wa_json_has_repeats(json_object *root, const struct wa_facts *facts)
{
	return count_members(root) != facts->members;
}

static json_object *
load_object(const char *body, size_t len, const struct wa_facts *facts,
    struct err *err)
{
	json_object *root = NULL;

	if (body[strspn(body, " \t\r\n")] != '{') {
		err_set(err, ERR_PERM, "wa.json",
		    "the body is not a JSON object");
		return NULL;
	}
	return wa_json_load(body, len, facts, &root, err) ? root : NULL;
}

json_object *
wa_json_read(const void *body, size_t len, const struct wa_limits *lim,
    bool *repeats, struct err *err)
{
	struct wa_facts facts = { 0 };
	json_object *root = wa_scan(body, len, lim, &facts, err) ?
	    load_object(body, len, &facts, err) : NULL;

	if (root != NULL && repeats != NULL)
		*repeats = wa_json_has_repeats(root, &facts);
	g_clear_pointer(&facts.long_integers, g_array_unref);
	return root;
}

json_object *
wa_get_any(json_object *o, const char *key)
{
	json_object *member;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, key, &member))
		return NULL;
	return member;
}

json_object *
wa_get(json_object *o, const char *key, json_type type)
{
	json_object *member = wa_get_any(o, key);

	return json_object_is_type(member, type) ? member : NULL;
}

size_t
wa_length(json_object *list)
{
	return json_object_is_type(list, json_type_array) ?
	    json_object_array_length(list) : 0;
}

static char *
copy_string(json_object *o)
{
	size_t len = (size_t)json_object_get_string_len(o);
	const char *s = json_object_get_string(o);
	GString *out;

	if (memchr(s, '\0', len) == NULL)
		return g_strndup(s, len);
	out = g_string_sized_new(len + 16);
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\0')
			g_string_append(out, "\xef\xbf\xbd");
		else
			g_string_append_c(out, s[i]);
	}
	return g_string_free(out, FALSE);
}

char *
wa_text(json_object *o)
{
	switch (json_object_get_type(o)) {
	case json_type_string:
		return copy_string(o);
	case json_type_int:
	case json_type_double:
		/* A double parsed by json-c keeps its spelling. */
		return g_strdup(json_object_get_string(o));
	case json_type_null:
	case json_type_boolean:
	case json_type_object:
	case json_type_array:
	default:
		return NULL;
	}
}

char *
wa_get_text(json_object *o, const char *key)
{
	return wa_text(wa_get_any(o, key));
}

char *
wa_get_id(json_object *o, const char *key)
{
	char *id = wa_get_text(o, key);

	if (id != NULL && *id == '\0')
		g_clear_pointer(&id, g_free);
	return id;
}

bool
wa_get_true(json_object *o, const char *key)
{
	json_object *member = wa_get(o, key, json_type_boolean);

	return member != NULL && json_object_get_boolean(member);
}

static int64_t
get_number(json_object *o, const char *key)
{
	g_autofree char *text = wa_get_text(o, key);
	size_t n = text != NULL ? strspn(text, "0123456789") : 0;

	return n == 0 || n > 15 || text[n] != '\0' ? 0 :
	    g_ascii_strtoll(text, NULL, 10);
}

int64_t
wa_get_time(json_object *o, const char *key)
{
	int64_t s = get_number(o, key);

	return s < SECONDS_MIN || s >= SECONDS_MAX ? 0 : s * 1000;
}

int64_t
wa_get_time_ms(json_object *o, const char *key)
{
	int64_t ms = get_number(o, key);

	return ms < SECONDS_MIN * 1000 || ms >= SECONDS_MAX * 1000 ? 0 : ms;
}

bool
wa_is_empty(json_object *o)
{
	switch (json_object_get_type(o)) {
	case json_type_null:
		return true;
	case json_type_string:
		return json_object_get_string_len(o) == 0;
	case json_type_array:
		return json_object_array_length(o) == 0;
	case json_type_object:
		return json_object_object_length(o) == 0;
	case json_type_boolean:
	case json_type_double:
	case json_type_int:
	default:
		return false;
	}
}

bool
wa_is_blank(json_object *o)
{
	return wa_is_empty(o) && !json_object_is_type(o, json_type_string);
}

char *
wa_scalar(json_object *o)
{
	if (json_object_is_type(o, json_type_boolean))
		return g_strdup(json_object_get_boolean(o) ? "true" : "false");
	return wa_text(o);
}

char *
wa_raw(json_object *o)
{
	size_t len;
	const char *s = json_object_to_json_string_length(o,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

	return g_strndup(s, len);
}
