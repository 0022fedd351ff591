/* SPDX-License-Identifier: Apache-2.0 */
/* conf: the gateway, its applications, and the directory server. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf_help.h"

#define APP "application crm { token_file /t1; } "
#define LDAP "ldap { url ldaps://ad; base 'dc=b'; "

static struct conf *
load_good(const char *text)
{
	g_autofree char *whole = g_strconcat(text, "\n", MINIMAL, NULL);
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = load_text(whole, got);

	if (c == NULL || got->len > 0)
		fail_msg("%s: %s", text, got->str);
	return c;
}

static void
without_its_block_there_is_no_gateway_and_no_directory_server(void **state)
{
	struct conf *c = load_good("");
	g_autoptr(GString) text = g_string_new(NULL);

	(void)state;
	assert_null(c->gateway.listen.address);
	assert_null(c->gateway.url);
	assert_int_equal(c->gateway.applications->len, 0);
	assert_null(c->ldap.url);
	conf_print(c, text);
	assert_null(strstr(text->str, "gateway"));
	assert_null(strstr(text->str, "ldap"));
	conf_free(c);
}

static void
a_gateway_has_defaults_when_it_is_there(void **state)
{
	struct conf *c = load_good("gateway { " APP "}");
	const struct conf_gateway *g = &c->gateway;
	const struct conf_application *a = g->applications->pdata[0];

	(void)state;
	assert_string_equal(g->listen.address, "127.0.0.1");
	assert_int_equal(g->listen.port, 8090);
	assert_string_equal(g->url, "http://127.0.0.1:8090");
	assert_int_equal(g->mode, CONF_GATEWAY_STORED);
	assert_int_equal(g->delivered_wait_ms, 30000);
	assert_int_equal(g->max_body_bytes, 1 << 20);
	assert_int_equal(g->max_upload_bytes, 110 << 20);
	assert_int_equal(g->deadline_ms, 60000);
	assert_int_equal(g->queue_ms, 10000);
	assert_int_equal(g->threads, 2);
	assert_int_equal(g->connections, 1024);
	assert_int_equal(g->connections_per_address, 256);
	assert_int_equal(g->upstream, 64);
	assert_int_equal(g->number_rate, 80);
	assert_int_equal(g->pair_ms, 6000);
	assert_int_equal(g->pair_burst, 45);
	assert_int_equal(g->pace_wait_ms, 10000);
	assert_int_equal(g->template_ms, 86400000);
	assert_int_equal(g->idempotency_ms, 86400000);
	assert_int_equal(g->upload_keep_ms, (int64_t)30 * 86400000);
	assert_false(g->capture);
	assert_int_equal(g->allow->len, 0);
	assert_string_equal(a->name, "crm");
	assert_string_equal(a->token_files->pdata[0], "/t1");
	assert_null(a->client_name);
	assert_int_equal(a->businesses->len, 0);
	assert_false(a->is_bot);
	assert_false(a->employee_required);
	conf_free(c);
}

static void
the_url_follows_the_listener_unless_it_stands_for_all_addresses(void **state)
{
	static const struct {
		const char *rows, *want;
	} rows[] = {
		{ "listen 10.1.2.3:80;", "http://10.1.2.3:80" },
		{ "listen [::1]:9;", "http://[::1]:9" },
		{ "listen 192.0.2.1:443; tls_certificate /c; tls_key /k;",
			"https://192.0.2.1:443" },
		{ "listen 0.0.0.0:443; tls_certificate /c; tls_key /k;",
			NULL },
		{ "listen [::]:443; tls_certificate /c; tls_key /k;", NULL },
		{ "listen [::]:443; tls_certificate /c; tls_key /k; "
			"url https://wa.bank.example;",
			"https://wa.bank.example" },
		{ "url http://h:81;", "http://h:81" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf("trusted_network "
		    "10.0.0.0/8; gateway { %s " APP "}", rows[i].rows);
		struct conf *c = load_good(text);

		if (rows[i].want == NULL)
			assert_null(c->gateway.url);
		else
			assert_string_equal(c->gateway.url, rows[i].want);
		conf_free(c);
	}
}

static void
a_directory_server_has_defaults_when_it_is_there(void **state)
{
	struct conf *c = load_good("ldap { base 'ou=staff,dc=b'; url "
	    "\"ldaps://a ldap://b.example:390\"; }");
	const struct conf_ldap *d = &c->ldap;

	(void)state;
	assert_string_equal(d->url, "ldaps://a ldap://b.example:390");
	assert_string_equal(d->base, "ou=staff,dc=b");
	assert_null(d->bind_dn);
	assert_string_equal(d->number_filter,
	    "(|(telephoneNumber=%s)(mobile=%s))");
	assert_string_equal(d->number_form, "+%s");
	assert_string_equal(d->id_filter, "(employeeID=%s)");
	assert_string_equal(d->attr_id, "employeeID");
	assert_string_equal(d->attr_name, "displayName");
	assert_string_equal(d->attr_mail, "mail");
	assert_string_equal(d->attr_group, "memberOf");
	assert_int_equal(d->nested, LDAP_NESTED_OFF);
	assert_null(d->group_base);
	assert_int_equal(d->timeout_ms, 5000);
	assert_int_equal(d->fresh_ms, 4 * 3600000);
	assert_int_equal(d->absent_ms, 900000);
	assert_int_equal(d->stale_ms, 7 * 86400000);
	assert_int_equal(d->wait_ms, 10000);
	conf_free(c);
}

static void
what_is_printed_of_the_staff_side_loads_and_prints_the_same(void **state)
{
	struct conf *c = load_good("trusted_network 10.0.0.0/8;\n"
	    "gateway { listen 10.0.0.1:80; mode delivered; delivered_wait "
	    "2s; number_rate 0; allow GET /*/x; allow DELETE \"/a;b\";\n"
	    "tls_certificate /c; tls_key /k; tls_client_ca /ca;\n"
	    "application b { client_name crm.b.example; bot on; business 1; "
	    "business 2; } " APP "}\n" LDAP "bind_dn 'cn=x y'; "
	    "password_file /p; number_form '00%s'; nested_groups member-of; "
	    "group_base 'ou=g r,dc=b'; }");
	g_autoptr(GString) one = g_string_new(NULL);
	g_autoptr(GString) two = g_string_new(NULL);
	struct conf *again;

	(void)state;
	conf_print(c, one);
	again = load_text(one->str, two);
	if (again == NULL)
		fail_msg("%s\n%s", two->str, one->str);
	conf_print(again, two);
	assert_string_equal(one->str, two->str);
	assert_string_equal(again->gateway.allow->pdata[1], "DELETE /a;b");
	assert_int_equal(again->gateway.applications->len, 2);
	assert_non_null(strstr(one->str, "\n\tapplication b {\n"
	    "\t\tclient_name crm.b.example;\n\t\tbusiness 1;\n"));
	assert_non_null(strstr(one->str, "\n\t\t#employee_required off;\n"
	    "\t}\n\n\tapplication crm {\n"));
	conf_free(c);
	conf_free(again);
}

static void
mistakes_on_the_staff_side_are_shown_where_they_are(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "gateway { }\n", "t:1:1: nobody may use the gateway; add "
		    "application NAME { … }\n" },
		{ "gateway {\napplication crm { }\n}\n", "t:2:13: the "
		    "application cannot prove itself: it has neither "
		    "token_file nor client_name\n" },
		{ "gateway {\napplication crm {\nclient_name c; } }\n",
		    "t:3:13: client_name needs tls_client_ca in gateway "
		    "{ }\n" },
		{ "gateway { " APP "\napplication crm { token_file /u; } }\n",
		    "t:2:13: there is already an application \"crm\"\n" },
		{ "gateway { " APP "\napplication b { token_file /t1; } }\n",
		    "t:2:28: this token_file is given twice: it would not "
		    "tell who calls\n" },
		{ "gateway { " APP "\nlisten 0.0.0.0:80; }\n",
		    "t:2:8: tokens would come in clear text to 0.0.0.0, "
		    "which is in no trusted_network; add tls_certificate "
		    "and tls_key\n" },
		{ "gateway { " APP "\nlisten 127.0.0.1:8080; }\n",
		    "t:2:8: intake listens on that port, too; give one of "
		    "them another\n" },
		{ "trusted_network 0.0.0.0/0; gateway { " APP
		    "\nlisten 0.0.0.0:8080; }\n", "t:2:8: intake listens" },
		{ "trusted_network ::/0; gateway { " APP
		    "\nlisten [::]:8080; }\n", "t:2:8: intake listens" },
		{ "gateway { " APP "\ntls_certificate /c; }\n",
		    "t:2:17: tls_certificate needs tls_key as well\n" },
		{ "gateway { " APP "\ntls_client_ca /c; }\n",
		    "t:2:15: tls_client_ca needs tls_certificate as well\n" },
		{ "gateway { " APP "\nmode sent; }\n", "t:2:6: \"sent\" is "
		    "not one of stored, delivered, observe\n" },
		{ "gateway { " APP "\nurl ftp://h; }\n", "t:2:5: \"ftp://h\" "
		    "is not http://HOST[:PORT] or https://HOST[:PORT]\n" },
		{ "gateway { " APP "\nurl http://h/x; }\n", "t:2:5: "
		    "\"http://h/x\" has more than host and port\n" },
		{ "gateway { " APP "\nallow FETCH /x; }\n", "t:2:7: "
		    "\"FETCH\" is not one of GET, POST, PUT, PATCH, "
		    "DELETE" },
		{ "gateway { " APP "\nallow GET x; }\n", "t:2:11: \"x\" must "
		    "begin with '/'\n" },
		{ "gateway { " APP "\nallow GET; }\n", "t:2:1: allow needs "
		    "METHOD PATH\n" },
		{ "gateway { " APP "\nemployee_required on; }\n", "t:2:1: "
		    "unknown directive \"employee_required\"; it belongs "
		    "into application { }\n" },
		{ "application crm { }\n", "t:1:1: unknown block "
		    "\"application\"; it belongs into gateway { }\n" },
		{ "ldap { }\n", "t:1:1: base is missing in ldap { }\n" },
		{ "ldap { base x;\nurl ldapi:///x; }\n", "t:2:5: "
		    "\"ldapi:///x\" is not ldaps://HOST[:PORT] or, with "
		    "StartTLS, ldap://HOST[:PORT]\n" },
		{ "ldap { base x;\nurl ldaps://; }\n", "t:2:5: \"ldaps://\" "
		    "has no host name or IP address after the //\n" },
		{ "ldap { base x;\nurl \"ldaps://a ldaps://b/dc=x\"; }\n",
		    "t:2:5: \"ldaps://a ldaps://b/dc=x\" has more than host "
		    "and port\n" },
		{ LDAP "\nbind_dn x; }\n",
		    "t:2:9: bind_dn needs password_file as well\n" },
		{ LDAP "\npassword_file /x; }\n",
		    "t:2:15: password_file needs bind_dn as well\n" },
		{ LDAP "\nid_filter (a=b); }\n", "t:2:11: \"(a=b)\" has no "
		    "%s, where the value goes\n" },
		{ LDAP "\nid_filter (&(a=b)(c=%s); }\n", "t:2:11: "
		    "\"(&(a=b)(c=%s)\" has a parenthesis without its "
		    "other\n" },
		{ LDAP "\nnumber_filter (a=%d%s); }\n", "t:2:15: "
		    "\"(a=%d%s)\" has a '%' that is not of %s\n" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strconcat(rows[i].text, MINIMAL,
		    NULL);
		g_autoptr(GString) got = g_string_new(NULL);
		struct conf *c = load_text(text, got);

		if (c != NULL || strstr(got->str, rows[i].want) == NULL)
			fail_msg("want %s\ngot %s", rows[i].want, got->str);
	}
}

static void
intake_and_gateway_may_share_a_port_on_addresses_of_their_own(void **state)
{
	static const char *const rows[] = { "127.0.0.2:8080", "[::1]:8080",
		"127.0.0.1:8081" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf("gateway { " APP
		    "listen %s; }", rows[i]);

		conf_free(load_good(text));
	}
}

static void
a_gateway_without_graph_has_nowhere_to_send(void **state)
{
	static const char text[] = "gateway { " APP "}\ncatch_all a; intake { "
	    "app_secret_file /s; verify_token_file /t; } "
	    "render { domain d; } journal a { maildir /m; }\n";
	g_autoptr(GString) got = g_string_new(NULL);

	(void)state;
	assert_null(load_text(text, got));
	assert_true(g_str_has_prefix(got->str, "t:1:1: the gateway needs a "
	    "graph { } block, where messages go to\n"));
}

static void
a_wait_that_does_not_count_is_a_warning(void **state)
{
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = load_text("gateway { " APP "delivered_wait 9s; }\n"
	    MINIMAL, got);

	(void)state;
	assert_non_null(c);
	assert_non_null(strstr(got->str, "warning: delivered_wait counts "
	    "only with mode delivered\n"));
	conf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_its_block_there_is_no_gateway_and_no_directory_server),
		cmocka_unit_test(a_gateway_has_defaults_when_it_is_there),
		cmocka_unit_test(the_url_follows_the_listener_unless_it_stands_for_all_addresses),
		cmocka_unit_test(a_directory_server_has_defaults_when_it_is_there),
		cmocka_unit_test(what_is_printed_of_the_staff_side_loads_and_prints_the_same),
		cmocka_unit_test(mistakes_on_the_staff_side_are_shown_where_they_are),
		cmocka_unit_test(
		    intake_and_gateway_may_share_a_port_on_addresses_of_their_own),
		cmocka_unit_test(a_gateway_without_graph_has_nowhere_to_send),
		cmocka_unit_test(a_wait_that_does_not_count_is_a_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
