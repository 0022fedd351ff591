/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A body from a staff system, a copy, an answer of Meta: all read the same
 * input. Laws: json-c, with which the rules read the message, sees the same
 * receiver, type and callback data as the head; a changed body is one that can
 * be read again, has the additions in its text and all other members as they
 * were; a copy's request is a piece of the input; and whatever it is, a record
 * of it can be read.
 */
#include <assert.h>
#include <glib.h>
#include <json-c/json.h>
#include <string.h>

#include "err.h"
#include "fuzz.h"
#include "gateway.h"
#include "wa.h"

#define BEFORE "before \"it\""
#define AFTER "after\nit"
#define CALLBACK "cj:key"

static const struct wa_limits reader = { .max_bytes = 32 << 20,
	.max_string = 2 << 20, .max_depth = 32, .max_items = 0 };

static json_object *
parse(const void *body, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(64);
	json_object *o = json_tokener_parse_ex(tok, body, (int)len);

	/* A number or the like at the very end. */
	if (o == NULL && json_tokener_get_error(tok) == json_tokener_continue)
		o = json_tokener_parse_ex(tok, "", 1);
	json_tokener_free(tok);
	return o;
}

/* A string's or number's text; NULL if it is empty or not there. */
static const char *
text_of(json_object *o, const char *name)
{
	json_object *m;

	if (!json_object_object_get_ex(o, name, &m) ||
	    !json_object_is_type(m, json_type_string) ||
	    json_object_get_string_len(m) == 0)
		return NULL;
	return json_object_get_string(m);
}

static bool
has_string(json_object *o, const char *name)
{
	json_object *m;

	return !json_object_object_get_ex(o, name, &m) || m == NULL ||
	    json_object_is_type(m, json_type_string);
}

static void
check_head(json_object *o, const struct gateway_head *h)
{
	assert(json_object_is_type(o, json_type_object));
	if (has_string(o, "type"))
		assert(g_strcmp0(text_of(o, "type"), h->type) == 0);
	if (has_string(o, "to") && has_string(o, "recipient"))
		assert(g_strcmp0(text_of(o, "to") != NULL ?
		    text_of(o, "to") : text_of(o, "recipient"), h->to) == 0);
	if (has_string(o, "biz_opaque_callback_data"))
		assert(g_strcmp0(text_of(o, "biz_opaque_callback_data"),
		    h->callback_data) == 0);
	if (h->is_read)
		assert(h->type == NULL &&
		    !json_object_object_get_ex(o, "text", NULL) &&
		    !json_object_object_get_ex(o, "template", NULL));
}

/* Where the text of a message of this type is; NULL: nowhere. */
static json_object *
text_owner(json_object *o, const char *type, const char **name)
{
	json_object *m = NULL, *body = NULL;

	type = type != NULL ? type : "text";
	if (!json_object_object_get_ex(o, type, &m))
		return NULL;
	*name = "caption";
	if (strcmp(type, "text") == 0)
		*name = "body";
	if (strcmp(type, "interactive") != 0)
		return m;
	*name = "text";
	json_object_object_get_ex(m, "body", &body);
	return body;
}

static void
check_texts(json_object *was, json_object *is, const char *type)
{
	const char *name = NULL;
	json_object *old = text_owner(was, type, &name);
	json_object *now = text_owner(is, type, &name);
	const char *text = text_of(now, name);
	const char *before = text_of(old, name);

	assert(text != NULL && g_str_has_prefix(text, BEFORE) &&
	    g_str_has_suffix(text, AFTER));
	if (before != NULL)
		assert(strstr(text, before) != NULL);
	json_object_object_del(old, name);
	json_object_object_del(now, name);
}

static void
try_change(json_object *was, const struct gateway_head *h, const void *body,
    size_t len)
{
	struct gateway_head again;
	struct err err = ERR_INIT;
	GBytes *out = NULL;
	json_object *is;
	gsize n;

	if (!gateway_body_change(body, len, BEFORE, AFTER, CALLBACK, &out,
	    &err)) {
		assert(err.kind == ERR_PERM && out == NULL);
		return;
	}
	is = parse(g_bytes_get_data(out, &n), g_bytes_get_size(out));
	assert(gateway_head_parse(g_bytes_get_data(out, NULL), n, &again,
	    &err));
	assert(again.callback_data != NULL && g_strcmp0(again.callback_data,
	    h->callback_data != NULL ? h->callback_data : CALLBACK) == 0);
	assert(g_strcmp0(again.to, h->to) == 0);
	check_texts(was, is, h->type);
	json_object_object_del(is, "biz_opaque_callback_data");
	json_object_object_del(was, "biz_opaque_callback_data");
	assert(strcmp(json_object_to_json_string(is),
	    json_object_to_json_string(was)) == 0);
	gateway_head_clear(&again);
	json_object_put(is);
	g_bytes_unref(out);
}

static void
try_head(const void *body, size_t len)
{
	struct gateway_head h;
	struct err err = ERR_INIT;
	json_object *o;

	if (!gateway_head_parse(body, len, &h, &err)) {
		assert(err.kind == ERR_PERM);
		return;
	}
	o = parse(body, len);
	check_head(o, &h);
	try_change(o, &h, body, len);
	json_object_put(o);
	gateway_head_clear(&h);
}

static void
try_copy(const void *body, size_t len)
{
	struct gateway_copy c;
	gsize n;

	if (!gateway_copy_parse(body, len, &c, NULL))
		return;
	assert(strspn(c.business_id, "0123456789") == strlen(c.business_id));
	assert(c.at_ms >= 0);
	assert(memmem(body, len, g_bytes_get_data(c.request, &n),
	    g_bytes_get_size(c.request)) != NULL);
	assert(wa_json_check(g_bytes_get_data(c.request, &n),
	    g_bytes_get_size(c.request), &reader, NULL));
	gateway_copy_clear(&c);
}

static void
try_answer(const void *body, size_t len)
{
	struct gateway_answer a;
	g_autoptr(GBytes) out = NULL;
	g_autofree char *was = NULL;

	gateway_answer_parse(200, body, len, &a);
	assert(a.code >= 0 && (!a.is_throttled || a.code != 0));
	gateway_answer_clear(&a);
	if (!gateway_media_answer(body, len, "https://here", &out, &was))
		return;
	assert(was != NULL && wa_json_check(g_bytes_get_data(out, NULL),
	    g_bytes_get_size(out), &reader, NULL));
}

static void
try_record(const void *body, size_t len)
{
	g_autofree char *text = g_strndup(body, len);
	const struct gateway_record r = { .key = "k", .request = body,
		.request_len = len, .reason = text, .verdict = text,
		.target = text };
	g_autoptr(GString) s = g_string_new("");

	gateway_record_print(&r, s);
	assert(wa_json_check(s->str, s->len, &reader, NULL));
	/* Its own reader takes it for what it is. */
	if (wa_json_check(body, len, &reader, NULL) &&
	    strstr(s->str, "\"request_base64\":") == NULL)
		assert(memmem(s->str, s->len, body, len) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try_head(data, len);
	try_copy(data, len);
	try_answer(data, len);
	try_record(data, len);
	return 0;
}
