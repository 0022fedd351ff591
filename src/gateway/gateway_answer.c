/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meta's answers, and copies of other senders' requests and answers. Answers
 * are read as far as they can be: one of another shape gives less, never an
 * error. A copy is evidence of what somebody did: what of it would be lost is
 * refused, so that he learns of it.
 */
#include "gateway.h"

#include <string.h>

#include "clock.h"
#include "err.h"
#include "gateway_int.h"

#define DIGITS "0123456789"

static const struct gateway_node *
first_of(const struct gateway_json *j, const char *list)
{
	const struct gateway_node *n =
	    gateway_json_get(j, gateway_json_root(j), list);

	return gateway_json_is(n, '[') ? gateway_json_child(j, n) : NULL;
}

/* NULL if it is not there, or empty. */
static char *
text_of(const struct gateway_json *j, const struct gateway_node *o,
    const char *name)
{
	char *s = gateway_json_text(j, gateway_json_get(j, o, name));

	if (s != NULL && *s == '\0')
		g_clear_pointer(&s, g_free);
	return s;
}

/* 0: not a number, or beyond 18 digits. */
static int64_t
number_of(const struct gateway_json *j, const struct gateway_node *o,
    const char *name)
{
	g_autofree char *s = text_of(j, o, name);
	size_t n = s != NULL ? strspn(s, DIGITS) : 0;

	return n == 0 || n > 18 || s[n] != '\0' ? 0 :
	    g_ascii_strtoll(s, NULL, 10);
}

/* The pair limit: it is about one person, and the number may go on. */
#define CODE_PAIR 131056

/* Source: Meta, error codes, "Throttling errors". */
static bool
is_throttling(int64_t code)
{
	static const int64_t codes[] = { 4, 80007, 130429, 131048, 131064,
		133016 };

	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
		if (codes[i] == code)
			return true;
	}
	return false;
}

static void
take_error(const struct gateway_json *j, const struct gateway_node *error,
    struct gateway_answer *out)
{
	out->is_graph_error = error->kind == '{';
	out->code = number_of(j, error, "code");
}

static void
take_answer(const struct gateway_json *j, struct gateway_answer *out)
{
	const struct gateway_node *root = gateway_json_root(j);
	const struct gateway_node *error = gateway_json_get(j, root, "error");

	out->wamid = text_of(j, first_of(j, "messages"), "id");
	out->id = text_of(j, root, "id");
	if (error != NULL && error->kind != 'n')
		take_error(j, error, out);
}

void
gateway_answer_parse(int status, const void *body, size_t len,
    struct gateway_answer *out)
{
	struct gateway_json j;

	*out = (struct gateway_answer){ 0 };
	if (gateway_json_load(body, len, &j, NULL)) {
		take_answer(&j, out);
		gateway_json_clear(&j);
	}
	out->is_throttled = out->code != CODE_PAIR &&
	    (status == 429 || is_throttling(out->code));
}

void
gateway_answer_clear(struct gateway_answer *a)
{
	g_clear_pointer(&a->wamid, g_free);
	g_clear_pointer(&a->id, g_free);
}

bool
gateway_media_answer(const void *body, size_t len, const char *url,
    GBytes **out, char **was)
{
	const char *text = body;
	const struct gateway_node *n;
	struct gateway_json j;
	GString *s;

	if (!gateway_json_load(body, len, &j, NULL))
		return false;
	n = gateway_json_get(&j, gateway_json_root(&j), "url");
	/* Of two, one would still lead to Meta. */
	if (!gateway_json_is(n, '"') || !gateway_json_check(&j, NULL)) {
		gateway_json_clear(&j);
		return false;
	}
	s = g_string_new_len(text, n->at);
	gateway_json_put(s, url);
	g_string_append_len(s, text + n->end, (gssize)(len - n->end));
	*was = gateway_json_text(&j, n);
	*out = g_string_free_to_bytes(s);
	gateway_json_clear(&j);
	return true;
}

/* ---- copies ------------------------------------------------------------------------ */

static bool
fail(struct err *err, const char *why)
{
	return err_set(err, ERR_PERM, "gateway.copy",
	    "the copy cannot be recorded: %s", why);
}

static bool
check_members(const struct gateway_json *j, struct err *err)
{
	static const char *const names[] = { "request", "response",
		"phone_number_id", "at", "status", NULL };
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL);

	for (const struct gateway_node *n = gateway_json_child(j,
	    gateway_json_root(j)); n != NULL; n = gateway_json_next(j, n)) {
		g_autofree char *name = gateway_json_name(j, n);

		if (!g_strv_contains(names, name))
			return fail(err, "it has members other than request, "
			    "response, phone_number_id, at and status");
		if (!g_hash_table_add(seen, g_steal_pointer(&name)))
			return fail(err, "a member is there twice");
	}
	return true;
}

/* Seconds, milliseconds (from twelve digits on), or ISO 8601 in UTC. */
static bool
take_at(const struct gateway_json *j, struct gateway_copy *c, struct err *err)
{
	const struct gateway_node *n =
	    gateway_json_get(j, gateway_json_root(j), "at");
	g_autofree char *s = gateway_json_text(j, n);
	size_t digits = s != NULL ? strspn(s, DIGITS) : 0;

	if (n == NULL || n->kind == 'n')
		return true;
	if (digits > 0 && digits <= 14 && s[digits] == '\0')
		c->at_ms = g_ascii_strtoll(s, NULL, 10) *
		    (digits < 12 ? 1000 : 1);
	else
		c->at_ms = s != NULL ? clock_parse(s) : -1;
	return c->at_ms > 0 || fail(err, "\"at\" is no time: give seconds or "
	    "milliseconds since 1970, or 2026-02-03T14:05:09Z");
}

static bool
take_status(const struct gateway_json *j, struct gateway_copy *c,
    struct err *err)
{
	const struct gateway_node *root = gateway_json_root(j);
	const struct gateway_node *n = gateway_json_get(j, root, "status");
	int64_t status = number_of(j, root, "status");

	if (n == NULL || n->kind == 'n')
		return true;
	if (status < 100 || status > 599)
		return fail(err, "\"status\" is no status of HTTP");
	c->status = (int)status;
	return true;
}

static GBytes *
cut(const struct gateway_json *j, const struct gateway_node *n)
{
	return g_bytes_new(j->text + n->at, n->end - n->at);
}

static bool
take_bodies(const struct gateway_json *j, struct gateway_copy *c,
    struct err *err)
{
	const struct gateway_node *root = gateway_json_root(j), *n;

	n = gateway_json_get(j, root, "request");
	if (!gateway_json_is(n, '{'))
		return fail(err, "\"request\" is no object");
	c->request = cut(j, n);
	n = gateway_json_get(j, root, "response");
	if (n == NULL || n->kind == 'n')
		return true;
	if (n->kind != '{')
		return fail(err, "\"response\" is no object");
	c->response = cut(j, n);
	return true;
}

static bool
take_copy(const struct gateway_json *j, struct gateway_copy *c,
    struct err *err)
{
	const struct gateway_node *root = gateway_json_root(j);

	if (!gateway_json_is(root, '{'))
		return fail(err, "it is no JSON object");
	if (!check_members(j, err) || !take_bodies(j, c, err) ||
	    !take_at(j, c, err) || !take_status(j, c, err))
		return false;
	c->business_id = text_of(j, root, "phone_number_id");
	return (c->business_id != NULL &&
	    gateway_is_number_id(c->business_id)) ||
	    fail(err, "\"phone_number_id\" is none");
}

bool
gateway_copy_parse(const void *body, size_t len, struct gateway_copy *out,
    struct err *err)
{
	struct gateway_copy c = { 0 };
	struct err why = ERR_INIT;
	struct gateway_json j;
	bool ok;

	if (!gateway_json_load(body, len, &j, &why))
		return fail(err, why.text);
	ok = take_copy(&j, &c, err);
	gateway_json_clear(&j);
	if (ok)
		*out = c;
	else
		gateway_copy_clear(&c);
	return ok;
}

void
gateway_copy_clear(struct gateway_copy *c)
{
	g_clear_pointer(&c->business_id, g_free);
	g_clear_pointer(&c->request, g_bytes_unref);
	g_clear_pointer(&c->response, g_bytes_unref);
}
