/* SPDX-License-Identifier: Apache-2.0 */
/* graph, the parts without a network: who gets the token, what answers mean. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <string.h>

#include "err.h"

#include "../../src/graph/graph_int.h"

/* ---- hosts ------------------------------------------------------------------ */

static bool
allows(const char *url)
{
	struct graph_place home = { (char *)(uintptr_t)"graph.facebook.com",
		8443 };
	static const char *const rules[] = { "lookaside.fbsbx.com",
		".whatsapp.net", "10.1.2.3" };
	g_autoptr(GPtrArray) more = g_ptr_array_new();
	struct err err = ERR_INIT;
	bool ok;

	for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
		g_ptr_array_add(more, (gpointer)(uintptr_t)rules[i]);
	ok = graph_host_check(&home, more, url, &err);
	if (!ok) {
		assert_int_equal(err.kind, ERR_PERM);
		assert_string_equal(err.what, "graph.host");
	}
	return ok;
}

static void
the_token_goes_to_allowed_hosts(void **state)
{
	static const char *const urls[] = {
		"https://graph.facebook.com:8443/v25.0/1",
		"https://graph.facebook.com/v25.0/1",	/* 443 */
		"HTTPS://Graph.Facebook.Com:8443",
		"https://lookaside.fbsbx.com/whatsapp_business/?mid=1&x=%2F",
		"https://lookaside.fbsbx.com:443/a?b@c:d/e",
		"https://mmg.whatsapp.net/x#@evil.example",
		"https://a.b.whatsapp.net?x",
		"https://10.1.2.3/x",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
		if (!allows(urls[i]))
			fail_msg("refused: %s", urls[i]);
	}
}

static void
the_token_goes_nowhere_else(void **state)
{
	static const char *const urls[] = {
		"", "x", "https", "https:", "https:/", "https://", "https:///",
		"https:///lookaside.fbsbx.com/", "//lookaside.fbsbx.com/x",
		"http://lookaside.fbsbx.com/x", "ftp://lookaside.fbsbx.com/",
		"file:///etc/passwd", "https:lookaside.fbsbx.com",
		" https://lookaside.fbsbx.com/", "https ://lookaside.fbsbx.com",
		"https://evil.example/x", "https://fbsbx.com/x",
		"https://evil.lookaside.fbsbx.com/",
		"https://lookaside.fbsbx.com.evil.example/",
		"https://evillookaside.fbsbx.com/",
		"https://whatsapp.net/x", "https://evilwhatsapp.net/x",
		"https://.whatsapp.net/x", "https://whatsapp.net.evil.example",
		/* users, escapes, slashes of another kind */
		"https://lookaside.fbsbx.com@evil.example/",
		"https://user@lookaside.fbsbx.com/",
		"https://u:p@lookaside.fbsbx.com/",
		"https://@lookaside.fbsbx.com/",
		"https://evil.example\\@lookaside.fbsbx.com/",
		"https://lookaside.fbsbx.com\\.evil.example/",
		"https://lookaside.fbsbx.com%2eevil.example/",
		"https://lookaside.fbsbx%2ecom/", "https://%6cookaside.fbsbx.com/",
		"https:\\\\lookaside.fbsbx.com/",
		"https://lookaside.fbsbx.com;evil.example/",
		"https://lookaside.fbsbx.com\t/", "https://lookaside.fbsbx.com/a b",
		"https://lookaside.fbsbx.com/\r\nX: y",
		"https://lookaside.fbsbx.com/\xc3\xa9",
		"https://lookaside\xe3\x80\x82" "fbsbx.com/",
		"https://lookaside.fbsbx.com./x", "https://lookaside..fbsbx.com/",
		"https://-lookaside.fbsbx.com/", "https://look_aside.fbsbx.com/",
		/* ports */
		"https://lookaside.fbsbx.com:80/", "https://lookaside.fbsbx.com:/",
		"https://lookaside.fbsbx.com:0443/",
		"https://lookaside.fbsbx.com:443:443/",
		"https://lookaside.fbsbx.com:44x/",
		"https://lookaside.fbsbx.com:65979/",	/* 443 + 65536 */
		"https://lookaside.fbsbx.com:-1/",
		"https://lookaside.fbsbx.com:443@evil.example/",
		/* addresses, however they are spelled */
		"https://127.0.0.1/x", "https://127.1/", "https://0x7f.1/",
		"https://2130706433/", "https://[::1]/x", "https://10.1.2.4/",
		"https://0xa010203/", "https://10.1.515/", "https://012.1.2.3/",
		"https://[::ffff:10.1.2.3]/", "https://localhost/",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
		if (allows(urls[i]))
			fail_msg("allowed: %s", urls[i]);
	}
}

static void
a_suffix_never_fits_an_address(void **state)
{
	struct graph_place home = { (char *)(uintptr_t)"graph.example", 443 };
	g_autoptr(GPtrArray) more = g_ptr_array_new();

	(void)state;
	g_ptr_array_add(more, (gpointer)(uintptr_t)".2.3");
	assert_false(graph_host_check(&home, more, "https://10.1.2.3/", NULL));
}

static void
a_url_that_is_too_long_is_refused(void **state)
{
	g_autofree char *fill = g_strnfill(5000, 'x');
	g_autofree char *url = g_strconcat("https://lookaside.fbsbx.com/",
	    fill, NULL);

	(void)state;
	assert_false(allows(url));
}

static void
a_refused_url_is_not_repeated_but_for_its_host(void **state)
{
	struct graph_place home = { (char *)(uintptr_t)"graph.example", 443 };
	struct err err = ERR_INIT;

	(void)state;
	assert_false(graph_host_check(&home, NULL,
	    "https://evil.example/x?hash=SECRET", &err));
	assert_non_null(strstr(err.text, "evil.example"));
	assert_null(strstr(err.text, "SECRET"));
}

static void
a_rule_is_a_name_or_a_suffix(void **state)
{
	static const char *const bad[] = { "", ".", "a..b", "https://x",
		"x:443", "*.fbsbx.com", "x/", "..x", "-x" };

	(void)state;
	assert_true(graph_host_is_rule("lookaside.fbsbx.com"));
	assert_true(graph_host_is_rule(".fbsbx.com"));
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_false(graph_host_is_rule(bad[i]));
}

/* ---- set-up -------------------------------------------------------------------- */

static void
assert_conf(const char *url, const char *version, const char *token, bool good)
{
	g_autoptr(GBytes) bytes = g_bytes_new(token, strlen(token));
	struct graph_conf conf = { .url = url, .version = version,
		.token = bytes, .connect_ms = 1000, .total_ms = 1000 };
	struct graph *g = NULL;
	struct err err = ERR_INIT;

	if (graph_new(&conf, &g, &err) != good)
		fail_msg("%s %s %s: %s", url, version, token, err.text);
	if (!good) {
		assert_int_equal(err.kind, ERR_CONF);
		assert_string_equal(err.what, "graph.conf");
		assert_null(strstr(err.text, "EAAG"));
	}
	graph_free(g);
}

static void
a_configuration_that_cannot_work_is_refused_at_once(void **state)
{
	static const char good[] = "https://graph.facebook.com";

	(void)state;
	assert_conf(good, "v25.0", "EAAG1", true);
	assert_conf("https://graph.example:8443/", "v7.12", "EAAG1", true);
	assert_conf("http://graph.facebook.com", "v25.0", "EAAG1", false);
	assert_conf("https://graph.facebook.com/v25.0", "v25.0", "EAAG1",
	    false);
	assert_conf("https://u@graph.facebook.com", "v25.0", "EAAG1", false);
	assert_conf("https://graph.facebook.com?x", "v25.0", "EAAG1", false);
	assert_conf(good, "25.0", "EAAG1", false);
	assert_conf(good, "v25", "EAAG1", false);
	assert_conf(good, "v25.0/x", "EAAG1", false);
	assert_conf(good, "v.0", "EAAG1", false);
	assert_conf(good, "v25.0", "", false);
	assert_conf(good, "v25.0", "EAAG1\nX-Other: y", false);
	assert_conf(good, "v25.0", "EAAG1 ", false);
}

static bool
takes_proxy(const char *proxy, const char *user, const char *password)
{
	g_autoptr(GBytes) token = g_bytes_new("EAAG1", 5);
	g_autoptr(GBytes) secret = g_bytes_new(password, strlen(password));
	struct graph_conf conf = { .url = "https://graph.facebook.com",
		.version = "v25.0", .token = token, .connect_ms = 1000,
		.total_ms = 1000, .proxy = proxy, .proxy_user = user,
		.proxy_password = secret };
	struct graph *g = NULL;
	struct err err = ERR_INIT;
	bool ok = graph_new(&conf, &g, &err);

	if (!ok) {
		assert_int_equal(err.kind, ERR_CONF);
		assert_string_equal(err.what, "graph.conf");
		assert_null(strstr(err.text, "s3cret"));
	}
	graph_free(g);
	return ok;
}

static void
a_proxy_is_a_scheme_a_host_and_a_port(void **state)
{
	static const char *const good[] = { "http://proxy.bank.example:3128",
		"https://10.1.2.3:8443", "http://[2001:db8::1]:80" };
	static const char *const bad[] = { "", "http:", "http://", "http://p",
		"p:3128", "socks5://p:1080", "http://:3128", "http://p:",
		"http://p:x", "http://p:123456", "http://u:w@p:3128",
		"http://p:3128/", "http://p?:3128", "http://p#:3128",
		"http://p :3128", "HTTP://p:3128" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		if (!takes_proxy(good[i], NULL, ""))
			fail_msg("refused: %s", good[i]);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		if (takes_proxy(bad[i], NULL, ""))
			fail_msg("taken: %s", bad[i]);
	}
}

static void
a_proxys_user_and_password_must_be_sendable(void **state)
{
	static const char proxy[] = "http://proxy.bank.example:3128";

	(void)state;
	assert_true(takes_proxy(proxy, "bank", "s3cret: p\xc3\xa4ss"));
	assert_false(takes_proxy(proxy, "", "s3cret"));
	assert_false(takes_proxy(proxy, "ba:nk", "s3cret"));
	assert_false(takes_proxy(proxy, "ba\nnk", "s3cret"));
	assert_false(takes_proxy(proxy, "bank", ""));
	assert_false(takes_proxy(proxy, "bank", "s3cret\r\nX-Other: y"));
}

/* ---- answers --------------------------------------------------------------------- */

static bool
read_answer(const char *body, struct graph_media *m)
{
	struct err err = ERR_INIT;
	bool ok;

	*m = (struct graph_media){ .size = -1 };
	ok = graph_answer_media("811", body, strlen(body), m, &err);
	if (!ok) {
		assert_int_equal(err.kind, ERR_TEMP);
		assert_string_equal(err.what, "graph.server");
	}
	return ok;
}

static void
an_answer_gives_address_type_digest_and_size(void **state)
{
	struct graph_media m;

	(void)state;
	assert_true(read_answer("{\"messaging_product\":\"whatsapp\","
	    "\"url\":\"https:\\/\\/lookaside.fbsbx.com\\/x?mid=811\","
	    "\"mime_type\":\"image\\/jpeg\",\"sha256\":\"ab\","
	    "\"file_size\":303833,\"id\":\"811\"}\n", &m));
	assert_string_equal(m.url, "https://lookaside.fbsbx.com/x?mid=811");
	assert_string_equal(m.mime_type, "image/jpeg");
	assert_string_equal(m.sha256, "ab");
	assert_int_equal(m.size, 303833);
	graph_media_clear(&m);
	assert_true(read_answer("{\"url\":\"u\",\"file_size\":\"12\","
	    "\"mime_type\":7,\"sha256\":null}", &m));
	assert_int_equal(m.size, 12);
	assert_null(m.mime_type);
	assert_null(m.sha256);
	graph_media_clear(&m);
}

static void
an_answer_of_another_shape_is_the_servers_fault(void **state)
{
	static const char *const bodies[] = { "", " ", "{}", "[]", "null",
		"\"url\"", "{\"url\":\"\"}", "{\"url\":1}", "{\"url\":\"x\"",
		"{\"url\":\"x\"} {}", "{\"url\":\"x\"}x", "<html>",
		"{\"url\":\"x\",\"id\":\"812\"}", "{\"url\":\"x\\u0000y\"}",
		"{\"url\":\"\xff\"}", "{\"error\":{\"code\":190}}" };
	GString *deep = g_string_new("{\"url\":\"x\",\"a\":");
	struct graph_media m;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
		if (read_answer(bodies[i], &m))
			fail_msg("believed: %s", bodies[i]);
	}
	for (int i = 0; i < 100; i++)
		g_string_append_c(deep, '[');
	assert_false(read_answer(deep->str, &m));
	g_string_free(deep, TRUE);
}

static void
odd_sizes_are_not_said(void **state)
{
	static const char *const sizes[] = { "-1", "1.5", "\"x\"", "\"\"",
		"\"99999999999999999999\"", "true", "[]", "\"-3\"" };
	struct graph_media m;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autofree char *body = g_strdup_printf(
		    "{\"url\":\"u\",\"file_size\":%s}", sizes[i]);

		assert_true(read_answer(body, &m));
		assert_int_equal(m.size, -1);
		graph_media_clear(&m);
	}
}

static void
what_a_refusal_means_is_in_its_code_and_then_its_status(void **state)
{
	static const struct {
		enum graph_call call;
		long status;
		const char *code;	/* NULL: a page of HTML */
		enum err_kind kind;
		const char *what;
	} rows[] = {
		{ GRAPH_FIND, 401, "190", ERR_CONF, "graph.auth" },
		{ GRAPH_FIND, 400, "190", ERR_CONF, "graph.auth" },
		{ GRAPH_FIND, 400, "0", ERR_CONF, "graph.auth" },
		{ GRAPH_FIND, 403, "10", ERR_CONF, "graph.auth" },
		{ GRAPH_FIND, 403, "200", ERR_CONF, "graph.auth" },
		{ GRAPH_FIND, 403, "299", ERR_CONF, "graph.auth" },
		{ GRAPH_FIND, 401, NULL, ERR_CONF, "graph.auth" },
		{ GRAPH_FIND, 403, NULL, ERR_CONF, "graph.auth" },
		{ GRAPH_FIND, 429, NULL, ERR_TEMP, "graph.throttled" },
		{ GRAPH_FIND, 400, "4", ERR_TEMP, "graph.throttled" },
		{ GRAPH_FIND, 400, "80007", ERR_TEMP, "graph.throttled" },
		{ GRAPH_FIND, 400, "130429", ERR_TEMP, "graph.throttled" },
		{ GRAPH_FIND, 500, "2", ERR_TEMP, "graph.server" },
		{ GRAPH_FIND, 400, "131000", ERR_TEMP, "graph.server" },
		{ GRAPH_FIND, 500, NULL, ERR_TEMP, "graph.server" },
		{ GRAPH_FIND, 502, NULL, ERR_TEMP, "graph.server" },
		{ GRAPH_FIND, 408, NULL, ERR_TEMP, "graph.server" },
		{ GRAPH_FIND, 204, NULL, ERR_TEMP, "graph.server" },
		{ GRAPH_FIND, 400, "100,\"error_subcode\":33", ERR_PERM,
		    "graph.gone" },
		{ GRAPH_FIND, 404, NULL, ERR_PERM, "graph.gone" },
		{ GRAPH_FIND, 410, NULL, ERR_PERM, "graph.gone" },
		{ GRAPH_FIND, 400, "100", ERR_PERM, "graph.request" },
		{ GRAPH_FIND, 400, "131009", ERR_PERM, "graph.request" },
		{ GRAPH_FIND, 400, NULL, ERR_PERM, "graph.request" },
		{ GRAPH_DOWNLOAD, 401, "190", ERR_TEMP, "graph.expired" },
		{ GRAPH_DOWNLOAD, 401, NULL, ERR_TEMP, "graph.expired" },
		{ GRAPH_DOWNLOAD, 403, NULL, ERR_TEMP, "graph.expired" },
		{ GRAPH_DOWNLOAD, 404, NULL, ERR_TEMP, "graph.expired" },
		{ GRAPH_DOWNLOAD, 410, NULL, ERR_TEMP, "graph.expired" },
		{ GRAPH_DOWNLOAD, 429, NULL, ERR_TEMP, "graph.throttled" },
		{ GRAPH_DOWNLOAD, 503, NULL, ERR_TEMP, "graph.server" },
		{ GRAPH_DOWNLOAD, 206, NULL, ERR_TEMP, "graph.server" },
		{ GRAPH_DOWNLOAD, 400, NULL, ERR_PERM, "graph.request" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *body = rows[i].code == NULL ?
		    g_strdup("<html>no</html>") : g_strdup_printf(
		    "{\"error\":{\"message\":\"no\",\"code\":%s}}",
		    rows[i].code);
		struct err err = ERR_INIT;

		assert_false(graph_answer_refused(rows[i].call,
		    rows[i].status, body, strlen(body), &err));
		if (err.kind != rows[i].kind ||
		    strcmp(err.what, rows[i].what) != 0)
			fail_msg("row %zu: %s %s", i, err_kind_name(err.kind),
			    err.what);
	}
}

static void
metas_words_are_in_the_error_and_no_token(void **state)
{
	static const char body[] = "{\"error\":{\"message\":\"Malformed access "
	    "token EAAGm0PX4ZCpsBAKZCgSlRnZBZAkZCZCqZBEAAGm0PX4ZCpsBAK\\r\\n"
	    "X\",\"type\":\"OAuthException\",\"code\":190,"
	    "\"error_subcode\":463,\"fbtrace_id\":\"Ax1_trace-2\","
	    "\"error_data\":{\"details\":\"session expired\"}}}";
	struct err err = ERR_INIT;

	(void)state;
	graph_answer_refused(GRAPH_FIND, 400, body, strlen(body), &err);
	assert_non_null(strstr(err.text, "400"));
	assert_non_null(strstr(err.text, "190/463"));
	assert_non_null(strstr(err.text, "Malformed access token"));
	assert_non_null(strstr(err.text, "session expired"));
	assert_non_null(strstr(err.text, "Ax1_trace-2"));
	assert_null(strstr(err.text, "EAAG"));
	assert_null(strpbrk(err.text, "\r\n"));
}

static void
retry_after_is_seconds_or_a_date_and_never_long(void **state)
{
	/* Wed, 21 Oct 2026 07:28:00 GMT */
	const int64_t at = INT64_C(1792567680000);
	static const struct {
		const char *value;
		int64_t ms;
	} rows[] = {
		{ "0", 0 }, { "7", 7000 }, { "3600", 3600000 },
		{ "3601", 3600000 }, { "999999999999999999999", 3600000 },
		{ "-1", 0 }, { "", 0 }, { "soon", 0 },
		{ "Wed, 21 Oct 2026 07:28:30 GMT", 30000 },
		{ "Wed, 21 Oct 2026 07:27:30 GMT", 0 },
		{ "Wed, 21 Oct 2076 07:28:30 GMT", 3600000 },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_int_equal(graph_retry_after(rows[i].value, at),
		    rows[i].ms);
}

static void
only_plain_ids_are_asked_for(void **state)
{
	static const char *const bad[] = { "", ".", "..", "1/2", "1?x", "1#",
		"1%2f", "1 2", "\xc3\xa9", "1\r\n" };
	g_autofree char *longest = g_strnfill(128, '1');
	g_autofree char *longer = g_strnfill(129, '1');

	(void)state;
	assert_true(graph_is_id("811000000000007"));
	assert_true(graph_is_id(longest));
	assert_false(graph_is_id(longer));
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_false(graph_is_id(bad[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_token_goes_to_allowed_hosts),
		cmocka_unit_test(the_token_goes_nowhere_else),
		cmocka_unit_test(a_suffix_never_fits_an_address),
		cmocka_unit_test(a_url_that_is_too_long_is_refused),
		cmocka_unit_test(a_refused_url_is_not_repeated_but_for_its_host),
		cmocka_unit_test(a_rule_is_a_name_or_a_suffix),
		cmocka_unit_test(
		    a_configuration_that_cannot_work_is_refused_at_once),
		cmocka_unit_test(a_proxy_is_a_scheme_a_host_and_a_port),
		cmocka_unit_test(a_proxys_user_and_password_must_be_sendable),
		cmocka_unit_test(an_answer_gives_address_type_digest_and_size),
		cmocka_unit_test(
		    an_answer_of_another_shape_is_the_servers_fault),
		cmocka_unit_test(odd_sizes_are_not_said),
		cmocka_unit_test(
		    what_a_refusal_means_is_in_its_code_and_then_its_status),
		cmocka_unit_test(metas_words_are_in_the_error_and_no_token),
		cmocka_unit_test(
		    retry_after_is_seconds_or_a_date_and_never_long),
		cmocka_unit_test(only_plain_ids_are_asked_for),
	};

	graph_init();
	return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
