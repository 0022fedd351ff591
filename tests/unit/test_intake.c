/* SPDX-License-Identifier: Apache-2.0 */
/* intake: the verdict on each kind of request. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "intake.h"
#include "wa.h"

#define PATH "/webhook/whatsapp"
#define TOKEN "t0ken"
/* The self-test vector: key test_app_secret. */
#define BODY "{\"object\":\"whatsapp_business_account\",\"entry\":[]}"
#define SIGNED "sha256=" \
	"dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"

static struct wa_secret *
secret_new(const char *name, const char *key)
{
	struct wa_secret *s = g_new0(struct wa_secret, 1);

	s->name = g_strdup(name);
	s->key = g_bytes_new(key, strlen(key));
	return s;
}

static void
secret_free(void *p)
{
	struct wa_secret *s = p;

	g_free(s->name);
	g_bytes_unref(s->key);
	g_free(s);
}

static int
start(void **state)
{
	GPtrArray *a = g_ptr_array_new_with_free_func(secret_free);

	g_ptr_array_add(a, secret_new("new", "some_newer_secret"));
	g_ptr_array_add(a, secret_new("old", "test_app_secret"));
	*state = a;
	return 0;
}

static int
stop(void **state)
{
	g_ptr_array_unref(*state);
	return 0;
}

static char *
sign(const char *key, const void *body, size_t len)
{
	uint8_t mac[HASH_SIZE];
	char hex[HASH_HEX_SIZE];

	hash_hmac_sha256(key, strlen(key), body, len, mac);
	return g_strconcat(WA_SIGNATURE_PREFIX, hash_hex(mac, hex), NULL);
}

static void
each_request_gets_its_verdict(void **state)
{
	static const struct {
		const char *law, *method, *path, *signature, *body;
		const char *mode, *challenge, *token;
		enum intake_verdict want;
	} rows[] = {
		{ "a signed event", "POST", PATH, SIGNED, BODY, NULL, NULL,
			NULL, INTAKE_RECORD },
		{ "the query of a post says nothing", "POST", PATH, SIGNED,
			BODY, "subscribe", "1", "wrong", INTAKE_RECORD },
		{ "a token does not stand in for a signature", "POST", PATH,
			NULL, BODY, "subscribe", "1", TOKEN, INTAKE_UNSIGNED },
		{ "no signature", "POST", PATH, NULL, BODY, NULL, NULL, NULL,
			INTAKE_UNSIGNED },
		{ "empty signature", "POST", PATH, "", BODY, NULL, NULL,
			NULL, INTAKE_UNSIGNED },
		{ "one byte more than was signed", "POST", PATH, SIGNED,
			BODY " ", NULL, NULL, NULL, INTAKE_BAD_SIGNATURE },
		{ "a signature that is none", "POST", PATH, "sha256=x", BODY,
			NULL, NULL, NULL, INTAKE_BAD_SIGNATURE },
		{ "the old sha1 form", "POST", PATH, "sha1=" "aa", BODY,
			NULL, NULL, NULL, INTAKE_BAD_SIGNATURE },
		{ "empty and unsigned", "POST", PATH, NULL, "", NULL, NULL,
			NULL, INTAKE_UNSIGNED },
		{ "empty and badly signed", "POST", PATH, SIGNED, "", NULL,
			NULL, NULL, INTAKE_BAD_SIGNATURE },
		{ "another path", "POST", "/", SIGNED, BODY, NULL, NULL, NULL,
			INTAKE_NOT_FOUND },
		{ "a longer path", "POST", PATH "/", SIGNED, BODY, NULL, NULL,
			NULL, INTAKE_NOT_FOUND },
		{ "a shorter path", "POST", "/webhook", SIGNED, BODY, NULL,
			NULL, NULL, INTAKE_NOT_FOUND },
		{ "a path in capitals", "POST", "/Webhook/whatsapp", SIGNED,
			BODY, NULL, NULL, NULL, INTAKE_NOT_FOUND },
		{ "a doubled slash", "POST", "//webhook/whatsapp", SIGNED,
			BODY, NULL, NULL, NULL, INTAKE_NOT_FOUND },
		{ "no path", "POST", NULL, SIGNED, BODY, NULL, NULL, NULL,
			INTAKE_NOT_FOUND },
		{ "the path comes before the method", "DELETE", "/x", NULL,
			"", NULL, NULL, NULL, INTAKE_NOT_FOUND },
		{ "head", "HEAD", PATH, NULL, "", "subscribe", "1", TOKEN,
			INTAKE_METHOD },
		{ "put", "PUT", PATH, SIGNED, BODY, NULL, NULL, NULL,
			INTAKE_METHOD },
		{ "methods are case-sensitive", "post", PATH, SIGNED, BODY,
			NULL, NULL, NULL, INTAKE_METHOD },
		{ "handshake", "GET", PATH, NULL, "", "subscribe",
			"1158201444", TOKEN, INTAKE_CHALLENGE },
		{ "handshake, wrong token", "GET", PATH, NULL, "",
			"subscribe", "1", "other", INTAKE_BAD_TOKEN },
		{ "handshake, longer token", "GET", PATH, NULL, "",
			"subscribe", "1", TOKEN "1", INTAKE_BAD_TOKEN },
		{ "handshake, empty token", "GET", PATH, NULL, "",
			"subscribe", "1", "", INTAKE_BAD_TOKEN },
		{ "handshake, no token", "GET", PATH, NULL, "", "subscribe",
			"1", NULL, INTAKE_BAD_TOKEN },
		{ "handshake, no mode", "GET", PATH, NULL, "", NULL, "1",
			TOKEN, INTAKE_BAD_REQUEST },
		{ "handshake, other mode", "GET", PATH, NULL, "",
			"unsubscribe", "1", TOKEN, INTAKE_BAD_REQUEST },
		{ "handshake, no challenge", "GET", PATH, NULL, "",
			"subscribe", NULL, TOKEN, INTAKE_BAD_REQUEST },
		{ "handshake, empty challenge", "GET", PATH, NULL, "",
			"subscribe", "", TOKEN, INTAKE_BAD_REQUEST },
		{ "plain get", "GET", PATH, SIGNED, "", NULL, NULL, NULL,
			INTAKE_BAD_REQUEST },
	};
	const struct intake_rules rules = { PATH, *state, TOKEN };

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct intake_request rq = {
			rows[i].method, rows[i].path, rows[i].signature,
			rows[i].mode, rows[i].challenge, rows[i].token,
			rows[i].body, strlen(rows[i].body),
		};
		const struct wa_secret *secret = NULL;
		enum intake_verdict got = intake_check(&rules, &rq, &secret);

		if (got != rows[i].want)
			fail_msg("%s: want %s, got %s", rows[i].law,
			    intake_verdict_name(rows[i].want),
			    intake_verdict_name(got));
		assert_true((secret != NULL) == (got == INTAKE_RECORD));
	}
}

static void
any_secret_of_the_list_may_have_signed_and_is_named(void **state)
{
	static const char *const keys[][2] = {
		{ "new", "some_newer_secret" }, { "old", "test_app_secret" },
	};
	const struct intake_rules rules = { PATH, *state, TOKEN };

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autofree char *sig = sign(keys[i][1], "a\0b", 3);
		const struct intake_request rq = { .method = "POST",
			.path = PATH, .signature = sig, .body = "a\0b",
			.len = 3 };
		const struct wa_secret *secret = NULL;

		assert_int_equal(intake_check(&rules, &rq, &secret),
		    INTAKE_RECORD);
		assert_string_equal(secret->name, keys[i][0]);
	}
}

static void
an_empty_body_is_refused_even_when_signed(void **state)
{
	g_autofree char *sig = sign("test_app_secret", "", 0);
	const struct intake_rules rules = { PATH, *state, TOKEN };
	const struct intake_request rq = { .method = "POST", .path = PATH,
		.signature = sig, .body = "", .len = 0 };
	const struct wa_secret *secret = NULL;

	assert_int_equal(intake_check(&rules, &rq, &secret),
	    INTAKE_BAD_REQUEST);
	assert_null(secret);
}

static void
a_handshake_never_passes_without_a_configured_token(void **state)
{
	static const char *const none[] = { NULL, "" };

	for (size_t i = 0; i < G_N_ELEMENTS(none); i++) {
		const struct intake_rules rules = { PATH, *state, none[i] };
		const struct intake_request rq = { .method = "GET",
			.path = PATH, .mode = "subscribe", .challenge = "1",
			.verify_token = none[i], .body = "" };
		const struct wa_secret *secret = NULL;

		assert_int_equal(intake_check(&rules, &rq, &secret),
		    INTAKE_BAD_TOKEN);
	}
}

static void
each_verdict_has_its_status_and_its_name(void **state)
{
	static const struct {
		enum intake_verdict v;
		int status;
		const char *name;
	} rows[] = {
		{ INTAKE_RECORD, 200, "record" },
		{ INTAKE_CHALLENGE, 200, "challenge" },
		{ INTAKE_NOT_FOUND, 404, "not-found" },
		{ INTAKE_METHOD, 405, "method" },
		{ INTAKE_UNSIGNED, 401, "unsigned" },
		{ INTAKE_BAD_SIGNATURE, 401, "bad-signature" },
		{ INTAKE_BAD_TOKEN, 403, "bad-token" },
		{ INTAKE_BAD_REQUEST, 400, "bad-request" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		assert_int_equal(intake_verdict_status(rows[i].v),
		    rows[i].status);
		assert_string_equal(intake_verdict_name(rows[i].v),
		    rows[i].name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_gets_its_verdict),
		cmocka_unit_test(any_secret_of_the_list_may_have_signed_and_is_named),
		cmocka_unit_test(an_empty_body_is_refused_even_when_signed),
		cmocka_unit_test(a_handshake_never_passes_without_a_configured_token),
		cmocka_unit_test(each_verdict_has_its_status_and_its_name),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
