/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request's method and target: the first word of the input and the rest of
 * its line; the second line is an Authorization header, the third an allowed
 * path. Laws: what is taken has a path of plain segments and a query that
 * changes nothing; a send is a send only in its one spelling, and never passes
 * as something that the conf allows; nobody gets in without the token.
 */
#include <assert.h>
#include <glib.h>
#include <string.h>

#include "fuzz.h"
#include "gateway.h"

#define TOKEN "the-token"

static void
check_path(const char *target)
{
	size_t n = strcspn(target, "?");

	assert(target[0] == '/' && n > 1 && target[n - 1] != '/');
	for (size_t i = 0; i < n; i++) {
		assert(g_ascii_isalnum(target[i]) ||
		    strchr("/._:=-", target[i]) != NULL);
		assert(strncmp(target + i, "//", 2) != 0 &&
		    strncmp(target + i, "/../", 4) != 0 &&
		    strncmp(target + i, "/./", 3) != 0);
	}
}

static void
check_query(const char *target)
{
	g_autofree char *low = g_ascii_strdown(target, -1);
	const char *q = strchr(low, '?');

	if (q == NULL)
		return;
	for (; q != NULL; q = strchr(q, '&')) {
		q++;
		assert(!g_str_has_prefix(q, "method=") &&
		    !g_str_has_prefix(q, "access_token=") &&
		    !g_str_has_prefix(q, "batch="));
	}
}

static bool
ends_so(const char *target, const char *end)
{
	g_autofree char *path = g_ascii_strdown(target,
	    (gssize)strcspn(target, "?"));

	return g_str_has_suffix(path, end);
}

static void
check_route(const char *method, const char *target,
    const struct gateway_route *r)
{
	bool sends = ends_so(target, "/messages") ||
	    ends_so(target, "/marketing_messages");

	if (r->what == GATEWAY_UNKNOWN || r->what == GATEWAY_BAD_METHOD) {
		assert(r->why != NULL);
		return;
	}
	check_path(target);
	check_query(target);
	assert(r->what != GATEWAY_READ);
	if (r->what == GATEWAY_SEND) {
		g_autofree char *a = g_strdup_printf("/%s/%s/messages",
		    r->version, r->id);
		g_autofree char *b = g_strdup_printf(
		    "/%s/%s/marketing_messages", r->version, r->id);

		assert(strcmp(target, a) == 0 || strcmp(target, b) == 0);
		assert(strcmp(method, "POST") == 0);
	} else if (strcmp(method, "POST") == 0) {
		assert(!sends);
	}
}

static void
try_caller(const char *authorization)
{
	char name[] = "one", client[] = "client.example";
	g_autoptr(GPtrArray) apps = g_ptr_array_new();
	struct gateway_application app = { .name = name,
		.client_name = client, .tokens = g_ptr_array_new() };
	g_autoptr(GBytes) token = g_bytes_new_static(TOKEN, strlen(TOKEN));

	g_ptr_array_add(app.tokens, token);
	g_ptr_array_add(apps, &app);
	if (gateway_caller(apps, authorization, NULL) != NULL)
		assert(g_ascii_strcasecmp(authorization, "Bearer " TOKEN) ==
		    0 && g_str_has_suffix(authorization, TOKEN));
	g_ptr_array_unref(app.tokens);
}

static void
try_words(const char *s)
{
	g_autofree char *key = gateway_idempotency_key(s);
	g_autoptr(GString) out = g_string_new("");

	if (gateway_is_employee(s))
		assert(strpbrk(s, " \"\\\r\n") == NULL && strlen(s) <= 64);
	if (key != NULL)
		assert(strlen(key) <= 255 && strpbrk(key, " \"\r\n") == NULL);
	gateway_refuse(GATEWAY_REFUSE_POLICY, s, s, out);
	assert(g_utf8_validate(out->str, (gssize)out->len, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autofree char *text = g_strndup((const char *)data, len);
	g_auto(GStrv) lines = g_strsplit(text, "\n", 3);
	g_autoptr(GPtrArray) allowed = g_ptr_array_new();
	g_auto(GStrv) words = NULL;
	struct gateway_route r;
	guint n = g_strv_length(lines);

	if (n == 0)
		return 0;
	words = g_strsplit(lines[0], " ", 2);
	if (g_strv_length(words) == 2) {
		if (n > 2)
			g_ptr_array_add(allowed, lines[2]);
		gateway_route(words[0], words[1], allowed, &r);
		check_route(words[0], words[1], &r);
		gateway_route_clear(&r);
	}
	if (n > 1)
		try_caller(lines[1]);
	try_words(lines[0]);
	return 0;
}
