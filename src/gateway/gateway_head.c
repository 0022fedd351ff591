/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the gateway must know of a JSON body before it is parsed in full, and
 * whether there is only one way to read it. A body that Meta might read in
 * another way than the rules did is refused here: doubled members, a content
 * beside that of its type, an object packed into a string (Graph unpacks it),
 * members that make another request of it (batch, method, access_token).
 */
#include "gateway.h"

#include <string.h>

#include "err.h"
#include "gateway_int.h"

/* Names of a content member; a message has that of its type. */
static const char *const contents[] = { "text", "image", "video", "audio",
	"document", "sticker", "location", "contacts", "reaction", "template",
	"interactive", "pin", NULL };
/* They make another request of it, or another sender. */
static const char *const never[] = { "access_token", "appsecret_proof",
	"batch", "method", NULL };

static bool
fail(struct err *err, const char *name, const char *why)
{
	return err_set(err, ERR_PERM, "gateway.json", "the member \"%s\" %s",
	    name, why);
}

static bool
is_set(const struct gateway_node *n)
{
	return n != NULL && n->kind != 'n';
}

static bool
check_orders(const struct gateway_json *j, struct err *err)
{
	for (size_t i = 0; never[i] != NULL; i++) {
		if (gateway_json_get(j, gateway_json_root(j), never[i]) !=
		    NULL)
			return fail(err, never[i], "is not taken here");
	}
	return true;
}

/* A known member is an object or a list, or it is not there. */
static bool
check_shape(const struct gateway_json *j, const struct gateway_node *o,
    const char *name, struct err *err)
{
	const struct gateway_node *n = gateway_json_get(j, o, name);

	return !is_set(n) || n->kind == '{' || n->kind == '[' ||
	    fail(err, name, "is neither an object nor a list");
}

static bool
check_parts(const struct gateway_json *j, const struct gateway_node *root,
    struct err *err)
{
	const struct gateway_node *o = gateway_json_get(j, root, "interactive");
	const struct gateway_node *t = gateway_json_get(j, root, "template");

	return check_shape(j, root, "context", err) &&
	    check_shape(j, o, "header", err) &&
	    check_shape(j, o, "body", err) &&
	    check_shape(j, o, "footer", err) &&
	    check_shape(j, o, "action", err) &&
	    check_shape(j, t, "language", err) &&
	    check_shape(j, t, "components", err);
}

/* A message without a type is a text to Meta. */
static bool
check_content(const struct gateway_json *j, const struct gateway_node *root,
    const char *type, struct err *err)
{
	for (size_t i = 0; contents[i] != NULL; i++) {
		const char *name = contents[i];

		if (!check_shape(j, root, name, err))
			return false;
		if (is_set(gateway_json_get(j, root, name)) &&
		    strcmp(type != NULL ? type : "text", name) != 0)
			return fail(err, name, type != NULL ?
			    "is not that of the message's type" :
			    "needs a \"type\" that says so");
	}
	return check_parts(j, root, err);
}

/* A string or number that is there; empty is as absent. */
static bool
take(const struct gateway_json *j, const struct gateway_node *o,
    const char *name, char **out, struct err *err)
{
	const struct gateway_node *n = gateway_json_get(j, o, name);
	char *text;

	if (!is_set(n))
		return true;
	text = gateway_json_text(j, n);
	if (text == NULL)
		return fail(err, name, "is no string");
	if (*text == '\0')
		g_clear_pointer(&text, g_free);
	g_free(*out);
	*out = text;
	return true;
}

static bool
is_status_member(const char *name)
{
	static const char *const names[] = { "messaging_product", "status",
		"message_id", "typing_indicator", "recipient_type", "to",
		NULL };

	return g_strv_contains(names, name);
}

/* {"type":"text"}: what else might be shown there, the rules must see. */
static bool
is_typing(const struct gateway_json *j, const struct gateway_node *n)
{
	const struct gateway_node *type;
	g_autofree char *text = NULL;

	if (!is_set(n))
		return true;
	if (n->kind != '{')
		return false;
	type = gateway_json_child(j, n);
	text = gateway_json_text(j, gateway_json_get(j, n, "type"));
	return text != NULL && strcmp(text, "text") == 0 &&
	    gateway_json_next(j, type) == NULL;
}

/* Marks as read and has nothing else to say. */
static bool
is_read(const struct gateway_json *j, const struct gateway_node *root)
{
	g_autofree char *status =
	    gateway_json_text(j, gateway_json_get(j, root, "status"));

	if (status == NULL || strcmp(status, "read") != 0)
		return false;
	for (const struct gateway_node *n = gateway_json_child(j, root);
	    n != NULL; n = gateway_json_next(j, n)) {
		g_autofree char *name = gateway_json_name(j, n);

		if (!is_status_member(name))
			return false;
	}
	return gateway_json_is(gateway_json_get(j, root, "message_id"), '"') &&
	    is_typing(j, gateway_json_get(j, root, "typing_indicator"));
}

static bool
take_members(const struct gateway_json *j, struct gateway_head *h,
    struct err *err)
{
	const struct gateway_node *root = gateway_json_root(j), *template;

	if (!take(j, root, "type", &h->type, err) ||
	    !take(j, root, "recipient", &h->to, err) ||
	    !take(j, root, "to", &h->to, err) ||
	    !take(j, root, "biz_opaque_callback_data", &h->callback_data,
	    err) || !check_content(j, root, h->type, err))
		return false;
	template = gateway_json_get(j, root, "template");
	if (!is_set(template))
		return true;
	return take(j, template, "name", &h->template_name, err) &&
	    take(j, gateway_json_get(j, template, "language"), "code",
	    &h->template_language, err);
}

/* An object that is read in one way only and gives no orders. */
static bool
load(const void *body, size_t len, struct gateway_json *j, struct err *err)
{
	if (!gateway_json_load(body, len, j, err))
		return false;
	if ((gateway_json_is(gateway_json_root(j), '{') ||
	    err_set(err, ERR_PERM, "gateway.json",
	    "the body is no JSON object")) &&
	    gateway_json_check(j, err) && check_orders(j, err))
		return true;
	gateway_json_clear(j);
	return false;
}

bool
gateway_head_parse(const void *body, size_t len, struct gateway_head *out,
    struct err *err)
{
	struct gateway_head h = { 0 };
	struct gateway_json j;
	bool ok;

	if (!load(body, len, &j, err))
		return false;
	ok = take_members(&j, &h, err);
	if (ok) {
		h.is_read = is_read(&j, gateway_json_root(&j));
		*out = h;
	} else {
		gateway_head_clear(&h);
	}
	gateway_json_clear(&j);
	return ok;
}

/* application/json, in UTF-8 if it says so: by another type other readers
 * take other things out of the same bytes. */
static bool
is_json_type(const char *type)
{
	static const char json[] = "application/json";
	const char *p;

	if (type == NULL || g_ascii_strncasecmp(type, json, strlen(json)) != 0)
		return false;
	p = type + strlen(json);
	p += strspn(p, " ");
	if (*p == '\0')
		return true;
	if (*p++ != ';')
		return false;
	p += strspn(p, " ");
	return *p == '\0' || g_ascii_strcasecmp(p, "charset=utf-8") == 0 ||
	    g_ascii_strcasecmp(p, "charset=\"utf-8\"") == 0;
}

static bool
takes_no_body(enum gateway_what what, const char *method)
{
	return strcmp(method, "GET") == 0 || what == GATEWAY_MEDIA_DELETE;
}

static bool
check_orderless(const void *body, size_t len, struct err *err)
{
	struct gateway_json j;

	if (!load(body, len, &j, err))
		return false;
	gateway_json_clear(&j);
	return true;
}

bool
gateway_body_check(enum gateway_what what, const char *method,
    const char *content_type, const void *body, size_t len, struct err *err)
{
	bool is_read_later = what == GATEWAY_SEND || what == GATEWAY_READ ||
	    what == GATEWAY_CAPTURE;

	if (what == GATEWAY_UPLOAD)
		return true;
	if (takes_no_body(what, method))
		return len == 0 || err_set(err, ERR_PERM, "gateway.json",
		    "a body is not taken with this request");
	if (len == 0 && !is_read_later)
		return true;
	if (!is_json_type(content_type))
		return err_set(err, ERR_PERM, "gateway.json",
		    "the Content-Type must be application/json");
	return is_read_later || check_orderless(body, len, err);
}

void
gateway_head_clear(struct gateway_head *h)
{
	g_clear_pointer(&h->to, g_free);
	g_clear_pointer(&h->type, g_free);
	g_clear_pointer(&h->callback_data, g_free);
	g_clear_pointer(&h->template_name, g_free);
	g_clear_pointer(&h->template_language, g_free);
}
