/* SPDX-License-Identifier: Apache-2.0 */
/* graph: the definition of a template, from accounts that make it hard. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <json-c/json.h>
#include <string.h>

#include "err.h"
#include "graph.h"
#include "graph_peer.h"

static struct graph_peer *peer;
static struct graph *g;

static int
start(void **state)
{
	struct graph_conf conf;

	(void)state;
	peer = graph_peer_start_sends();
	assert_non_null(peer);	/* it needs python3 and openssl */
	conf = (struct graph_conf){ .url = peer->url, .version = "v25.0",
		.token = peer->token, .tls_ca_file = peer->ca_file,
		.connect_ms = 10000, .total_ms = 20000 };
	return graph_new(&conf, &g, NULL) ? 0 : -1;
}

static int
stop(void **state)
{
	(void)state;
	graph_free(g);
	graph_peer_stop(peer);
	return 0;
}

/* Its first text, or "-" when there is none such. */
static char *
text_of(const char *account, const char *language)
{
	struct err err = ERR_INIT;
	g_autofree char *json = NULL;
	json_object *root, *components = NULL, *text = NULL;
	char *out;

	if (!graph_template_find(g, account, "payment_due", language, &json,
	    NULL, &err))
		fail_msg("%s: %s %s", account, err.what, err.text);
	if (json == NULL)
		return g_strdup("-");
	assert_null(strchr(json, '\n'));
	root = json_tokener_parse(json);
	assert_true(json_object_object_get_ex(root, "components",
	    &components));
	assert_true(json_object_object_get_ex(json_object_array_get_idx(
	    components, 0), "text", &text));
	out = g_strdup(json_object_get_string(text));
	json_object_put(root);
	return out;
}

static void
the_definition_of_this_name_and_language_is_found(void **state)
{
	g_autofree char *en = text_of("one", "en");
	g_autofree char *pt = text_of("one", "pt_BR");
	g_autofree char *none = text_of("one", "de");
	g_autofree char *us = text_of("one", "en_US");

	(void)state;
	assert_string_equal(en, "Hello");
	assert_string_equal(pt, "Ol\xc3\xa1 {{1}}");
	assert_string_equal(none, "-");
	assert_string_equal(us, "-");
}

static void
it_is_found_on_a_later_page_by_its_cursor_alone(void **state)
{
	g_autofree char *text = text_of("pages", "en");
	g_auto(GStrv) lines = graph_peer_lines(peer);
	int pages = 0;

	(void)state;
	assert_string_equal(text, "Hello");
	for (char **l = lines; *l != NULL; l++) {
		if (strstr(*l, " GET pages token=yes ") == NULL)
			continue;
		pages++;
		/* What a cursor holds is no parameter of its own. */
		assert_null(strstr(*l, "&access_token"));
		assert_non_null(strstr(*l, "&name=payment_due&"));
	}
	assert_int_equal(pages, 6);
}

static void
what_is_not_of_the_known_shape_is_passed_over(void **state)
{
	g_autofree char *text = text_of("odd", "en");

	(void)state;
	assert_string_equal(text, "the right one");
}

static void
an_account_that_makes_no_sense_is_the_servers_fault(void **state)
{
	static const struct {
		const char *account;
		enum err_kind kind;
		const char *what;
	} rows[] = {
		{ "endless", ERR_TEMP, "graph.server" },
		{ "circle", ERR_TEMP, "graph.server" },
		{ "no-cursor", ERR_TEMP, "graph.server" },
		{ "no-data", ERR_TEMP, "graph.server" },
		{ "deep", ERR_TEMP, "graph.server" },
		{ "huge", ERR_TEMP, "graph.server" },
		{ "throttled", ERR_TEMP, "graph.throttled" },
		{ "nobody", ERR_PERM, "graph.gone" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct err err = ERR_INIT;
		char *json = (char *)(uintptr_t)"untouched";
		int64_t retry_ms = -1;

		if (graph_template_find(g, rows[i].account, "payment_due",
		    "en", &json, &retry_ms, &err) || err.kind != rows[i].kind ||
		    strcmp(err.what, rows[i].what) != 0)
			fail_msg("%s: %s %s", rows[i].account, err.what,
			    err.text);
		assert_string_equal(json, "untouched");
		assert_int_equal(retry_ms, 3000);
	}
}

static void
what_is_no_name_is_not_asked_for(void **state)
{
	static const struct {
		const char *account, *name, *language;
	} rows[] = {
		{ "../me", "a", "en" }, { "", "a", "en" },
		{ "1", "", "en" }, { "1", "a&b=c", "en" },
		{ "1", "a/../b", "en" }, { "1", "a b", "en" },
		{ "1", "a", "" }, { "1", "a", "en&x" },
	};
	int before = graph_peer_logged(peer, "seen");

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct err err = ERR_INIT;
		char *json = NULL;

		assert_false(graph_template_find(g, rows[i].account,
		    rows[i].name, rows[i].language, &json, NULL, &err));
		assert_int_equal(err.kind, ERR_PERM);
		assert_string_equal(err.what, "graph.id");
	}
	assert_int_equal(graph_peer_logged(peer, "seen"), before);
	assert_int_equal(graph_peer_logged(peer, "error"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_definition_of_this_name_and_language_is_found),
		cmocka_unit_test(it_is_found_on_a_later_page_by_its_cursor_alone),
		cmocka_unit_test(what_is_not_of_the_known_shape_is_passed_over),
		cmocka_unit_test(an_account_that_makes_no_sense_is_the_servers_fault),
		cmocka_unit_test(what_is_no_name_is_not_asked_for),
	};

	graph_init();
	return cmocka_run_group_tests_name("templates of Graph", tests, start,
	    stop);
}
