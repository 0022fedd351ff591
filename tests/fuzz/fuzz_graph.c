/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Graph answers. The first line of the input is an address, a
 * Retry-After and what a caller wants sent to, the rest a body. Laws: an
 * address that gets the token leads, for libcurl's parser too, over https to
 * an allowed host, without a user; a target that is sent is one word, and
 * libcurl finds nothing in it to resolve; an answer that is believed has an
 * address; the template that is found is the one asked for; a refusal has a
 * kind, a name and one clean line that holds no word as long as a token; no
 * wait is longer than the bound.
 */
#include <assert.h>
#include <curl/curl.h>
#include <json-c/json.h>
#include <string.h>

#include "err.h"
#include "fuzz.h"
#include "text.h"

#include "../../src/graph/graph_int.h"

static const char *const rules[] = { "lookaside.fbsbx.com", ".whatsapp.net" };

static bool
ends_so(const char *host, const char *end)
{
	size_t n = strlen(host), m = strlen(end);

	return n > m && g_ascii_strcasecmp(host + n - m, end) == 0;
}

static void
check_place(const char *url)
{
	CURLU *u = curl_url();
	char *host = NULL, *user = NULL, *scheme = NULL;

	assert(curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK);
	assert(curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    g_ascii_strcasecmp(scheme, "https") == 0);
	assert(curl_url_get(u, CURLUPART_USER, &user, 0) != CURLUE_OK);
	assert(curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK);
	assert(g_ascii_strcasecmp(host, "graph.facebook.com") == 0 ||
	    g_ascii_strcasecmp(host, rules[0]) == 0 ||
	    ends_so(host, rules[1]));
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(u);
}

static void
try_url(const char *url)
{
	struct graph_place home = { (char *)(uintptr_t)"graph.facebook.com",
		443 };
	g_autoptr(GPtrArray) more = g_ptr_array_new();
	struct err err = ERR_INIT;

	for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
		g_ptr_array_add(more, (gpointer)(uintptr_t)rules[i]);
	if (graph_host_check(&home, more, url, &err))
		check_place(url);
	else
		assert(err.kind == ERR_PERM && text_is_utf8(err.text,
		    strlen(err.text)));
}

/* What libcurl would make of it is what is sent. */
static void
check_target(const char *target)
{
	g_autofree char *url = g_strconcat("https://graph.facebook.com",
	    target, NULL);
	g_autofree char *path = g_strndup(target, strcspn(target, "?"));
	CURLU *u = curl_url();
	char *host = NULL, *seen = NULL;

	for (const char *p = target; *p != '\0'; p++)
		assert(*p > ' ' && *p < 0x7f);
	assert(curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK);
	assert(curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK);
	assert(strcmp(host, "graph.facebook.com") == 0);
	assert(curl_url_get(u, CURLUPART_PATH, &seen, 0) == CURLUE_OK);
	assert(strcmp(seen, path) == 0);
	curl_free(host);
	curl_free(seen);
	curl_url_cleanup(u);
}

static void
try_target(const char *target)
{
	const struct graph_request rq = { .method = "POST", .target = target,
		.content_type = target };
	const char *method = NULL;
	struct err err = ERR_INIT;

	if (graph_request_check(&rq, &method, &err))
		check_target(target);
	else
		assert(err.kind == ERR_PERM && method == NULL);
}

static void
check_template(const char *json)
{
	json_object *o = json_tokener_parse(json), *name = NULL;

	assert(json_object_object_get_ex(o, "name", &name));
	assert(strcmp(json_object_get_string(name), "payment_due") == 0);
	json_object_put(o);
}

static void
try_templates(const char *body, size_t len)
{
	char *json = NULL, *after = NULL;
	struct err err = ERR_INIT;

	if (!graph_answer_templates(body, len, "payment_due", "en", &json,
	    &after, &err))
		assert(err.kind == ERR_TEMP && json == NULL && after == NULL);
	if (json != NULL)
		check_template(json);
	g_free(json);
	g_free(after);
}

static void
check_refusal(const struct err *err)
{
	const char *p = err->text;

	assert(err->kind != ERR_NONE && err->what[0] != '\0' && *p != '\0');
	assert(text_is_utf8(p, strlen(p)));
	assert(strpbrk(p, "\r\n\t\x1b\x7f") == NULL);
	while (*p != '\0') {
		size_t n = strcspn(p, " '\"<>(),;:=");

		assert(n <= 45);	/* 40, and an ellipsis */
		p += n + (p[n] != '\0');
	}
}

static void
try_body(const char *body, size_t len)
{
	static const long statuses[] = { 200, 204, 302, 400, 401, 404, 429,
		500 };
	struct graph_media m = { .size = -1 };
	struct err err = ERR_INIT;

	if (graph_answer_media("811", body, len, &m, &err)) {
		assert(m.url != NULL && *m.url != '\0' && m.size >= -1);
		assert(text_is_utf8(m.url, strlen(m.url)));
		graph_media_clear(&m);
	} else {
		assert(err.kind == ERR_TEMP && m.url == NULL);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++) {
		err = (struct err)ERR_INIT;
		assert(!graph_answer_refused(GRAPH_FIND, statuses[i], body,
		    len, &err));
		check_refusal(&err);
		assert(!graph_answer_refused(GRAPH_DOWNLOAD, statuses[i],
		    body, len, &err));
		check_refusal(&err);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *nl = len > 0 ? memchr(data, '\n', len) : NULL;
	size_t first = nl != NULL ? (size_t)(nl - data) : len;
	g_autofree char *line = g_strndup((const char *)data, first);
	int64_t ms = graph_retry_after(line, INT64_C(1792567680000));

	assert(ms >= 0 && ms <= GRAPH_WAIT_MAX_MS);
	try_url(line);
	try_target(line);
	try_templates(nl != NULL ? (const char *)nl + 1 : "",
	    nl != NULL ? len - first - 1 : 0);
	try_body(nl != NULL ? (const char *)nl + 1 : "",
	    nl != NULL ? len - first - 1 : 0);
	return 0;
}
