/* SPDX-License-Identifier: Apache-2.0 */
/* gateway: which request it is, who may make it, and what is refused how. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <json-c/json.h>
#include <string.h>

#include "gateway.h"

#define GROUP "Y2FwaV9ncm91cDoxMjM="

static GPtrArray *
list_of(const char *const *words)
{
	GPtrArray *a = g_ptr_array_new_with_free_func(g_free);

	for (; *words != NULL; words++)
		g_ptr_array_add(a, g_strdup(*words));
	return a;
}

static enum gateway_what
what_of(const char *method, const char *target, const GPtrArray *allowed)
{
	struct gateway_route r;

	gateway_route(method, target, allowed, &r);
	if (r.what == GATEWAY_UNKNOWN || r.what == GATEWAY_BAD_METHOD)
		assert_non_null(r.why);
	else
		assert_null(r.why);
	gateway_route_clear(&r);
	return r.what;
}

/* ---- routes ------------------------------------------------------------------ */

static void
each_path_of_graph_is_what_it_is(void **state)
{
	static const struct {
		const char *method, *target, *version, *id;
		enum gateway_what what;
	} rows[] = {
		{ "POST", "/v25.0/700111222333444/messages", "v25.0",
		    "700111222333444", GATEWAY_SEND },
		{ "POST", "/v9.10/700111/marketing_messages", "v9.10",
		    "700111", GATEWAY_SEND },
		{ "POST", "/v25.0/700111/media", "v25.0", "700111",
		    GATEWAY_UPLOAD },
		{ "GET", "/v25.0/811222", "v25.0", "811222",
		    GATEWAY_MEDIA_FIND },
		{ "GET", "/v25.0/811222?phone_number_id=700111", "v25.0",
		    "811222", GATEWAY_MEDIA_FIND },
		{ "GET", "/v25.0/811222/file", "v25.0", "811222",
		    GATEWAY_MEDIA_FILE },
		{ "GET", "/v25.0/811222/file?phone_number_id=700111", "v25.0",
		    "811222", GATEWAY_MEDIA_FILE },
		{ "DELETE", "/v25.0/811222", "v25.0", "811222",
		    GATEWAY_MEDIA_DELETE },
		{ "POST", "/v25.0/700111/calls", "v25.0", "700111",
		    GATEWAY_CALL },
		{ "POST", "/v25.0/700111/groups", "v25.0", "700111",
		    GATEWAY_GROUP },
		{ "GET", "/v25.0/700111/groups?limit=10&after=QVFI%3D",
		    "v25.0", "700111", GATEWAY_GROUP },
		{ "DELETE", "/v25.0/" GROUP "/participants", "v25.0", GROUP,
		    GATEWAY_GROUP },
		{ "GET", "/v25.0/" GROUP, "v25.0", GROUP, GATEWAY_GROUP },
		{ "POST", "/capture", NULL, NULL, GATEWAY_CAPTURE },
		{ "GET", "/sends/01HX-a_b.C", NULL, "01HX-a_b.C",
		    GATEWAY_LOOK },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct gateway_route r;

		gateway_route(rows[i].method, rows[i].target, NULL, &r);
		if (r.what != rows[i].what)
			fail_msg("%s %s", rows[i].method, rows[i].target);
		assert_int_equal(g_strcmp0(r.version, rows[i].version), 0);
		assert_int_equal(g_strcmp0(r.id, rows[i].id), 0);
		gateway_route_clear(&r);
	}
}

static void
a_path_that_is_spelt_otherwise_is_none(void **state)
{
	static const char *const targets[] = {
		"", "/", "//", "v25.0/700111/messages", "*",
		"http://graph.facebook.com/v25.0/700111/messages",
		"/700111/messages", "/v25/700111/messages",
		"/V25.0/700111/messages", "/v25.0.1/700111/messages",
		"/v.0/700111/messages", "/v25.0x/700111/messages",
		"/v25.0/700111/messages/", "//v25.0/700111/messages",
		"/v25.0//700111/messages", "/v25.0/./700111/messages",
		"/v25.0/x/../700111/messages", "/v25.0/700111/Messages",
		"/v25.0/700111/%6dessages", "/v25.0/700111%2fmessages",
		"/v25.0/%37/messages", "/v25.0/700111/messages%00",
		"/v25.0/700111/messages#x", "/v25.0/700111/messages;x",
		"/v25.0/70 0111/messages", "/v25.0/7/messages",
		"/v25.0/700111a/messages", "/v25.0/me/messages",
		"/v25.0/9999999999999999999999999/messages",
		"/v25.0/700111\\messages", "/v25.0/" GROUP "/messages",
		"/v25.0/700111/messages\n", "/v25.0/\xd9\xa7/messages",
		"/v25.0", "/v25.0/", "/v25.0/me", "/v25.0/debug_token",
		"/v25.0/oauth/access_token", "/capture/", "/capture/x",
		"/sends/", "/sends/a/b", "/sends/a%20",
	};
	static const char *const media[] = {
		"/v25.0/811222?phone_number_id=", "/v25.0/811222?x=700111",
		"/v25.0/811222?phone_number_id=700111&phone_number_id=700112",
		"/v25.0/811222/file?phone_number_id=70011%31",
		"/v25.0/811222/file?fields=url", "/v25.0/811222/file?",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(targets); i++) {
		if (what_of("POST", targets[i], NULL) != GATEWAY_UNKNOWN)
			fail_msg("\"%s\"", targets[i]);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(media); i++) {
		if (what_of("GET", media[i], NULL) != GATEWAY_UNKNOWN)
			fail_msg("\"%s\"", media[i]);
	}
}

static void
a_query_cannot_make_another_request_of_it(void **state)
{
	static const char *const queries[] = { "", "type=text",
		"access_token=EAAG", "to=5511988880001&text={}", "x" };
	static const char *const gets[] = { "", "method=post", "Method=post",
		"access_token=x", "%6dethod=post", "limit=1&method=delete",
		"batch=[]", "a=1;method=post", "fields[]=x", "=x", "&",
		"limit=%zz", "limit=%4", "limit=a b", "limit=1&", "ids=1,2" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(queries); i++) {
		g_autofree char *send = g_strconcat(
		    "/v25.0/700111/messages?", queries[i], NULL);
		g_autofree char *media = g_strconcat("/v25.0/700111/media?",
		    queries[i], NULL);
		g_autofree char *find = g_strconcat("/v25.0/700111?",
		    queries[i], NULL);

		assert_int_equal(what_of("POST", send, NULL),
		    GATEWAY_UNKNOWN);
		assert_int_equal(what_of("POST", media, NULL),
		    GATEWAY_UNKNOWN);
		assert_int_equal(what_of("GET", find, NULL),
		    GATEWAY_UNKNOWN);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(gets); i++) {
		g_autofree char *groups = g_strconcat(
		    "/v25.0/700111/groups?", gets[i], NULL);

		if (what_of("GET", groups, NULL) != GATEWAY_UNKNOWN)
			fail_msg("\"%s\"", gets[i]);
	}
}

static void
another_method_of_a_path_is_said_to_be_that(void **state)
{
	static const char *const methods[] = { "GET", "PUT", "HEAD", "post",
		"OPTIONS", "", "DELETE" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
		assert_int_equal(what_of(methods[i],
		    "/v25.0/700111/messages", NULL), GATEWAY_BAD_METHOD);
		assert_int_equal(what_of(methods[i], "/capture", NULL),
		    GATEWAY_BAD_METHOD);
	}
	assert_int_equal(what_of("POST", "/v25.0/811222", NULL),
	    GATEWAY_BAD_METHOD);
}

static void
what_the_conf_allows_passes_and_nothing_beside_it(void **state)
{
	static const char *const words[] = {
		"GET /v*/*/message_templates", "POST /v25.0/12345?/register",
		"DELETE /v25.0/*", NULL };
	g_autoptr(GPtrArray) allowed = list_of(words);

	(void)state;
	assert_int_equal(what_of("GET", "/v25.0/900/message_templates?"
	    "fields=id,name&limit=20", allowed), GATEWAY_ALLOWED);
	assert_int_equal(what_of("POST", "/v25.0/123456/register", allowed),
	    GATEWAY_ALLOWED);
	/* Built in, whatever is allowed. */
	assert_int_equal(what_of("DELETE", "/v25.0/811222", allowed),
	    GATEWAY_MEDIA_DELETE);
	assert_int_equal(what_of("DELETE", "/v25.0/me", allowed),
	    GATEWAY_ALLOWED);
	assert_int_equal(what_of("POST", "/v25.0/900/message_templates",
	    allowed), GATEWAY_UNKNOWN);
	assert_int_equal(what_of("GET", "/v25.0/900/x/message_templates",
	    allowed), GATEWAY_UNKNOWN);
	assert_int_equal(what_of("POST", "/v25.0/12345/register", allowed),
	    GATEWAY_UNKNOWN);
	assert_int_equal(what_of("GET", "/v25.0/900/message_templates?"
	    "method=post", allowed), GATEWAY_UNKNOWN);
	assert_int_equal(what_of("GET", "/v25.0/900/message_templates?"
	    "access_token=x", allowed), GATEWAY_UNKNOWN);
}

static void
no_glob_is_so_wide_that_a_send_passes_unjudged(void **state)
{
	static const char *const words[] = { "POST /*", "POST /*/*",
		"POST /*/*/*", "POST /v25.0/*/messages", "POST *", "POST /",
		"POST", " ", "", NULL };
	static const char *const targets[] = { "/v25.0/1/messages",
		"/v25.0/me/messages", "/v25.0/700111/MESSAGES",
		"/v25.0/700111/messages?x=1", "/v25.0/x/marketing_messages",
		"/v25.0", "/700111/messages", "/v25.0/" GROUP "/messages",
		"/v25.0/batch/x", "/x25.0/700111/messages",
		"/v25.0/messages", "/v25.0/x/messages" };
	g_autoptr(GPtrArray) allowed = list_of(words);

	(void)state;
	assert_int_equal(what_of("POST", "/v25.0/700111/register", allowed),
	    GATEWAY_ALLOWED);
	assert_int_equal(what_of("POST", "/v25.0/700111/messages", allowed),
	    GATEWAY_SEND);
	for (size_t i = 0; i < G_N_ELEMENTS(targets); i++) {
		if (what_of("POST", targets[i], allowed) != GATEWAY_UNKNOWN)
			fail_msg("\"%s\"", targets[i]);
	}
}

/* ---- callers ------------------------------------------------------------------- */

static void
application_free(void *p)
{
	struct gateway_application *a = p;

	g_free(a->name);
	g_ptr_array_unref(a->tokens);
	g_free(a->client_name);
	g_ptr_array_unref(a->businesses);
	g_free(a);
}

static void
add_application(GPtrArray *apps, const char *name, const char *tokens,
    const char *client)
{
	struct gateway_application *a =
	    g_new0(struct gateway_application, 1);
	g_auto(GStrv) each = g_strsplit(tokens, " ", -1);

	a->name = g_strdup(name);
	a->client_name = g_strdup(client);
	a->businesses = g_ptr_array_new_with_free_func(g_free);
	a->tokens = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)g_bytes_unref);
	for (char **t = each; *t != NULL; t++)
		g_ptr_array_add(a->tokens, g_bytes_new(*t, strlen(*t)));
	g_ptr_array_add(apps, a);
}

static int
start(void **state)
{
	GPtrArray *apps = g_ptr_array_new_with_free_func(application_free);

	add_application(apps, "crm", "crm-token-new crm-token-old", NULL);
	add_application(apps, "bot", "bot-token", "bot.bank.example");
	add_application(apps, "desk", "", "desk.bank.example");
	g_ptr_array_set_size(((struct gateway_application *)
	    g_ptr_array_index(apps, 2))->tokens, 0);
	/* An empty token file must let nobody in. */
	add_application(apps, "empty", "", NULL);
	*state = apps;
	return 0;
}

static int
stop(void **state)
{
	g_ptr_array_unref(*state);
	return 0;
}

static void
who_calls_is_told_by_token_or_certificate(void **state)
{
	static const struct {
		const char *law, *authorization, *client, *want;
	} rows[] = {
		{ "any token of it", "Bearer crm-token-new", NULL, "crm" },
		{ "the older one", "bearer crm-token-old", NULL, "crm" },
		{ "a certificate", NULL, "desk.bank.example", "desk" },
		{ "in any case", NULL, "Desk.Bank.Example", "desk" },
		{ "a kit's own token beside it", "Bearer x",
		    "desk.bank.example", "desk" },
		{ "both, of one", "Bearer bot-token", "bot.bank.example",
		    "bot" },
		{ "a token beside a stranger's certificate",
		    "Bearer bot-token", "x.bank.example", "bot" },
		{ "nothing", NULL, NULL, NULL },
		{ "another token", "Bearer crm-token", NULL, NULL },
		{ "no token", "Bearer ", NULL, NULL },
		{ "only the scheme", "Bearer", NULL, NULL },
		{ "another scheme", "Basic crm-token-new", NULL, NULL },
		{ "two blanks", "Bearer  crm-token-new", NULL, NULL },
		{ "a blank behind", "Bearer crm-token-new ", NULL, NULL },
		{ "two at once", "Bearer crm-token-new, Bearer x", NULL,
		    NULL },
		{ "no blank", "Bearercrm-token-new", NULL, NULL },
		{ "a wrong token beside a certificate", "Bearer wrong",
		    "bot.bank.example", NULL },
		{ "token and certificate of two", "Bearer bot-token",
		    "desk.bank.example", NULL },
		{ "an empty name", NULL, "", NULL },
		{ "another name", NULL, "x.desk.bank.example", NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct gateway_application *a = gateway_caller(*state,
		    rows[i].authorization, rows[i].client);

		if (g_strcmp0(a != NULL ? a->name : NULL, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].law,
			    a != NULL ? a->name : "nobody");
	}
}

static void
an_application_uses_only_its_numbers(void **state)
{
	struct gateway_application *crm = g_ptr_array_index(
	    (GPtrArray *)*state, 0);

	assert_true(gateway_may_use(crm, "700111"));
	g_ptr_array_add(crm->businesses, g_strdup("700111"));
	assert_true(gateway_may_use(crm, "700111"));
	assert_false(gateway_may_use(crm, "7001112"));
	assert_false(gateway_may_use(crm, ""));
}

static void
employees_and_keys_are_of_few_characters(void **state)
{
	g_autofree char *long_key = g_strnfill(255, 'k');
	g_autofree char *too_long = g_strnfill(256, 'k');
	g_autofree char *quoted = gateway_idempotency_key("\"ab-1\"");
	g_autofree char *bare = gateway_idempotency_key("ab-1");
	g_autofree char *longest = gateway_idempotency_key(long_key);

	(void)state;
	assert_true(gateway_is_employee("j.doe-2_x@bank"));
	assert_false(gateway_is_employee(""));
	assert_false(gateway_is_employee("j doe"));
	assert_false(gateway_is_employee("j\ndoe"));
	assert_false(gateway_is_employee("d\xc3\xb6"));
	assert_true(gateway_is_employee(long_key + 255 - 64));
	assert_false(gateway_is_employee(long_key + 255 - 65));
	assert_string_equal(quoted, "ab-1");
	assert_string_equal(bare, quoted);
	assert_string_equal(longest, long_key);
	assert_null(gateway_idempotency_key(too_long));
	assert_null(gateway_idempotency_key(""));
	assert_null(gateway_idempotency_key("\"\""));
	assert_null(gateway_idempotency_key("\""));
	assert_null(gateway_idempotency_key("a b"));
	assert_null(gateway_idempotency_key("\"a\"b\""));
	assert_null(gateway_idempotency_key("a\\b"));
}

/* ---- refusals --------------------------------------------------------------------- */

static json_object *
parse(const GString *s)
{
	json_object *o = json_tokener_parse(s->str);

	assert_non_null(o);
	return o;
}

static json_object *
at(json_object *o, const char *path)
{
	g_auto(GStrv) names = g_strsplit(path, ".", -1);

	for (char **n = names; *n != NULL && o != NULL; n++)
		o = json_object_is_type(o, json_type_array) ?
		    json_object_array_get_idx(o, (size_t)
		    g_ascii_strtoull(*n, NULL, 10)) :
		    json_object_object_get(o, *n);
	return o;
}

static void
refusals_have_the_shape_of_graph(void **state)
{
	static const struct {
		enum gateway_refusal why;
		int status, code, subcode;
		bool may_repeat;
	} rows[] = {
		{ GATEWAY_REFUSE_AUTH, 401, 190, 0, false },
		{ GATEWAY_REFUSE_BUSINESS, 403, 10, 0, false },
		{ GATEWAY_REFUSE_EMPLOYEE, 400, 100, 0, false },
		{ GATEWAY_REFUSE_JSON, 400, 100, 0, false },
		{ GATEWAY_REFUSE_PATH, 404, 2500, 0, false },
		{ GATEWAY_REFUSE_METHOD, 405, 100, 0, false },
		{ GATEWAY_REFUSE_POLICY, 403, 200, GATEWAY_SUBCODE_POLICY,
		    false },
		{ GATEWAY_REFUSE_STORE, 503, 2, GATEWAY_SUBCODE_STORE, true },
		{ GATEWAY_REFUSE_BUSY, 429, 130429, 0, true },
		{ GATEWAY_REFUSE_BUSY_PAIR, 429, 131056, 0, true },
		{ GATEWAY_REFUSE_UNKNOWN, 502, 2, GATEWAY_SUBCODE_UNKNOWN,
		    false },
		{ GATEWAY_REFUSE_UPSTREAM, 502, 2, 0, true },
		{ GATEWAY_REFUSE_JOURNAL, 503, 2, GATEWAY_SUBCODE_STORE,
		    true },
		{ GATEWAY_REFUSE_REPEAT, 422, 100, 0, false },
		{ GATEWAY_REFUSE_RUNNING, 409, 2, 0, true },
	};

	(void)state;
	assert_int_equal(G_N_ELEMENTS(rows), GATEWAY_REFUSALS);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) s = g_string_new("");
		int status = gateway_refuse(rows[i].why, NULL, "trace1", s);
		json_object *o = parse(s);

		assert_int_equal(status, rows[i].status);
		assert_int_equal(json_object_get_int(at(o, "error.code")),
		    rows[i].code);
		assert_int_equal(json_object_get_int(
		    at(o, "error.error_subcode")), rows[i].subcode);
		assert_int_equal(json_object_get_boolean(
		    at(o, "error.is_transient")), rows[i].may_repeat);
		assert_string_equal(json_object_get_string(
		    at(o, "error.type")), "OAuthException");
		assert_string_equal(json_object_get_string(
		    at(o, "error.fbtrace_id")), "trace1");
		assert_true(json_object_get_string_len(
		    at(o, "error.message")) > 0);
		assert_true(json_object_get_string_len(
		    at(o, "error.error_data.details")) > 0);
		json_object_put(o);
	}
}

static void
the_reason_of_a_refusal_is_said_safely(void **state)
{
	g_autoptr(GString) s = g_string_new("");
	json_object *o;

	(void)state;
	gateway_refuse(GATEWAY_REFUSE_POLICY, "No \"cards\"\x01 \xff\\ by chat."
	    "\xe2\x80\xae", "a\"b\n", s);
	o = parse(s);
	assert_string_equal(json_object_get_string(
	    at(o, "error.error_data.details")),
	    "No \"cards\" \xef\xbf\xbd\\ by chat.");
	assert_string_equal(json_object_get_string(
	    at(o, "error.fbtrace_id")), "a_b_");
	json_object_put(o);
}

static void
a_held_send_looks_like_one_that_was_taken(void **state)
{
	g_autoptr(GString) s = g_string_new("");
	g_autoptr(GString) none = g_string_new("");
	json_object *o;

	(void)state;
	assert_int_equal(gateway_held("k1", "+55 11 98888-0001", s), 202);
	o = parse(s);
	assert_string_equal(json_object_get_string(at(o, "messages.0.id")),
	    "k1");
	assert_string_equal(json_object_get_string(
	    at(o, "messages.0.message_status")), "held_for_review");
	assert_string_equal(json_object_get_string(at(o, "contacts.0.input")),
	    "+55 11 98888-0001");
	json_object_put(o);
	gateway_held("k1", NULL, none);
	o = parse(none);
	assert_int_equal(json_object_array_length(at(o, "contacts")), 0);
	json_object_put(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_path_of_graph_is_what_it_is),
		cmocka_unit_test(a_path_that_is_spelt_otherwise_is_none),
		cmocka_unit_test(a_query_cannot_make_another_request_of_it),
		cmocka_unit_test(another_method_of_a_path_is_said_to_be_that),
		cmocka_unit_test(
		    what_the_conf_allows_passes_and_nothing_beside_it),
		cmocka_unit_test(
		    no_glob_is_so_wide_that_a_send_passes_unjudged),
		cmocka_unit_test_setup_teardown(
		    who_calls_is_told_by_token_or_certificate, start, stop),
		cmocka_unit_test_setup_teardown(
		    an_application_uses_only_its_numbers, start, stop),
		cmocka_unit_test(employees_and_keys_are_of_few_characters),
		cmocka_unit_test(refusals_have_the_shape_of_graph),
		cmocka_unit_test(the_reason_of_a_refusal_is_said_safely),
		cmocka_unit_test(a_held_send_looks_like_one_that_was_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
