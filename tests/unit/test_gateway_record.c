/* SPDX-License-Identifier: Apache-2.0 */
/* gateway: uploads, Meta's answers, copies, and the record of a send. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <json-c/json.h>
#include <string.h>

#include "err.h"
#include "gateway.h"
#include "wa.h"

#define FORM "multipart/form-data; boundary=xYz"
#define PRODUCT "--xYz\r\nContent-Disposition: form-data; " \
	"name=\"messaging_product\"\r\n\r\nwhatsapp\r\n"
#define TYPE "--xYz\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\n" \
	"image/png\r\n"
#define FILE_AS(more) "--xYz\r\nContent-Disposition: form-data; " \
	"name=\"file\"; filename=\"a b.png\"\r\n" more "\r\n"
#define BYTES "PNG\r\n--xY\r\n\r\n--\r\n"
#define END "--xYz--\r\n"

static bool
finds(const char *type, const char *body, size_t len,
    struct gateway_part *out)
{
	struct err err = ERR_INIT;
	bool ok = gateway_part_find(type, body, len, out, &err);

	if (!ok) {
		assert_int_equal(err.kind, ERR_PERM);
		assert_string_equal(err.what, "gateway.multipart");
	}
	return ok;
}

/* ---- uploads ------------------------------------------------------------------ */

static void
the_file_of_an_upload_is_found_in_any_order(void **state)
{
	static const struct {
		const char *body, *type;
	} rows[] = {
		{ PRODUCT TYPE FILE_AS("Content-Type: image/jpeg\r\n")
		    BYTES "\r\n" END, "image/png" },
		{ FILE_AS("content-type:image/jpeg\r\n") BYTES "\r\n" PRODUCT
		    END, "image/jpeg" },
		{ TYPE PRODUCT FILE_AS("X-Any: thing\r\n"
		    "Content-Transfer-Encoding: BINARY\r\n") BYTES
		    "\r\n--xYz--", "image/png" },
		{ PRODUCT FILE_AS("") BYTES "\r\n" END, NULL },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct gateway_part p;

		if (!finds(FORM, rows[i].body, strlen(rows[i].body), &p))
			fail_msg("%s", rows[i].body);
		assert_int_equal(p.len, strlen(BYTES));
		assert_memory_equal(p.bytes, BYTES, p.len);
		assert_string_equal(p.filename, "a b.png");
		assert_int_equal(g_strcmp0(p.type, rows[i].type), 0);
		gateway_part_clear(&p);
	}
}

static void
a_boundary_is_read_as_mime_has_it(void **state)
{
	static const char *const good[] = { FORM,
		"Multipart/Form-Data;BOUNDARY=\"xYz\"",
		"multipart/form-data; charset=utf-8; boundary=xYz",
		"multipart/form-data ; boundary=\"x\\Yz\"" };
	static const char *const bad[] = { "multipart/form-data",
		"multipart/form-data; boundary=", "multipart/mixed; "
		"boundary=xYz", "multipart/form-data; boundary=\"\"",
		"multipart/form-data; boundary=xYz; boundary=abc",
		"multipart/form-data; boundary=\"xYz", "application/json",
		"multipart/form-data; boundary=\"xYz \"", "",
		"multipart/form-datax; boundary=xYz",
		"multipart/form-data; boundary=xYz x",
		"multipart/form-data; boundary*=xYz",
		"multipart/form-data, boundary=xYz",
		"multipart/form-data; boundary=0123456789012345678901234567890"
		"1234567890123456789012345678901234567890", NULL };
	static const char body[] = PRODUCT FILE_AS("") "x\r\n" END;
	struct gateway_part p;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		if (!finds(good[i], body, strlen(body), &p))
			fail_msg("%s", good[i]);
		gateway_part_clear(&p);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		if (finds(bad[i], body, strlen(body), &p))
			fail_msg("%s", bad[i]);
	}
}

static void
a_form_that_could_be_read_otherwise_is_refused(void **state)
{
	static const char *const bodies[] = {
		"", "--xYz", "--xYz--", "--xYz--\r\n", "x",
		/* preamble, epilogue, missing parts */
		"hello\r\n" PRODUCT FILE_AS("") "x\r\n" END,
		"\r\n" PRODUCT FILE_AS("") "x\r\n" END,
		PRODUCT FILE_AS("") "x\r\n" END "more",
		PRODUCT FILE_AS("") "x\r\n" END "\r\n",
		PRODUCT FILE_AS("") "x\r\n", PRODUCT FILE_AS("") "x",
		PRODUCT END, FILE_AS("") "x\r\n" END, PRODUCT TYPE END,
		/* twice */
		PRODUCT FILE_AS("") "x\r\n" FILE_AS("") "y\r\n" END,
		PRODUCT PRODUCT FILE_AS("") "x\r\n" END,
		PRODUCT TYPE TYPE FILE_AS("") "x\r\n" END,
		/* line breaks of other kinds, blanks behind a boundary */
		"--xYz\nContent-Disposition: form-data; name=\"file\"\n\nx\n"
		"--xYz--\n",
		"--xYz \r\nContent-Disposition: form-data; name=\"file\"\r\n"
		"\r\nx\r\n" PRODUCT END,
		PRODUCT FILE_AS("") "x\r\n--xYzz\r\n\r\n" END,
		/* fields that make another request of it */
		PRODUCT FILE_AS("") "x\r\n--xYz\r\nContent-Disposition: "
		    "form-data; name=\"access_token\"\r\n\r\nE\r\n" END,
		PRODUCT FILE_AS("") "x\r\n--xYz\r\nContent-Disposition: "
		    "form-data; name=\"method\"\r\n\r\nDELETE\r\n" END,
		/* odd headers */
		PRODUCT "--xYz\r\n\r\nx\r\n" END,
		PRODUCT "--xYz\r\nContent-Type: image/png\r\n\r\nx\r\n" END,
		PRODUCT "--xYz\r\nContent-Disposition: attachment; "
		    "name=\"file\"\r\n\r\nx\r\n" END,
		PRODUCT "--xYz\r\nContent-Disposition: form-data; "
		    "name=\"file\"; name=\"type\"\r\n\r\nx\r\n" END,
		PRODUCT "--xYz\r\nContent-Disposition: form-data; "
		    "name=\"file\"; filename*=utf-8''b.exe\r\n\r\nx\r\n" END,
		PRODUCT "--xYz\r\nContent-Disposition: form-data; "
		    "name=\"file\r\n\r\nx\r\n" END,
		PRODUCT "--xYz\r\nContent-Disposition: form-data; "
		    "name=\"file\"\r\nContent-Disposition: form-data; "
		    "name=\"type\"\r\n\r\nx\r\n" END,
		PRODUCT FILE_AS("Content-Transfer-Encoding: base64\r\n")
		    "eA==\r\n" END,
		PRODUCT FILE_AS("Content-Type: image/png\r\n"
		    "Content-Type: text/html\r\n") "x\r\n" END,
		PRODUCT FILE_AS("Content-Type: nonsense\r\n") "x\r\n" END,
		PRODUCT FILE_AS(" folded: x\r\n") "x\r\n" END,
		PRODUCT FILE_AS("Bad Name: x\r\n") "x\r\n" END,
		PRODUCT FILE_AS("X: \xff\r\n") "x\r\n" END,
		PRODUCT FILE_AS("X: a\rb\r\n") "x\r\n" END,
		PRODUCT FILE_AS("A:1\r\nB:1\r\nC:1\r\nD:1\r\nE:1\r\nF:1\r\n"
		    "G:1\r\nH:1\r\n") "x\r\n" END,
		/* odd values */
		"--xYz\r\nContent-Disposition: form-data; "
		    "name=\"messaging_product\"\r\n\r\nsms\r\n" FILE_AS("")
		    "x\r\n" END,
		PRODUCT "--xYz\r\nContent-Disposition: form-data; "
		    "name=\"type\"\r\n\r\nnonsense\r\n" FILE_AS("") "x\r\n"
		    END,
		PRODUCT "--xYz\r\nContent-Disposition: form-data; "
		    "name=\"type\"\r\n\r\nimage/png;\r\nx\r\n" FILE_AS("")
		    "x\r\n" END,
		PRODUCT "--xYz\r\nContent-Disposition: form-data; "
		    "name=\"type\"\r\n\r\nimage/png; \xff\r\n"
		    FILE_AS("") "x\r\n" END,
		PRODUCT "--xYz\r\nContent-Disposition: form-data; "
		    "name=\"type\"; filename=\"x\"\r\n\r\nimage/png\r\n"
		    FILE_AS("") "x\r\n" END,
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
		struct gateway_part p;

		if (finds(FORM, bodies[i], strlen(bodies[i]), &p))
			fail_msg("%zu: %s", i, bodies[i]);
	}
}

static void
a_file_may_hold_any_bytes_or_none(void **state)
{
	static const char head[] = PRODUCT FILE_AS("");
	static const char tail[] = "\r\n" END;
	g_autoptr(GString) s = g_string_new_len(head, sizeof(head) - 1);
	struct gateway_part p;

	(void)state;
	for (int i = 0; i < 3 * 256; i++)
		g_string_append_c(s, (char)i);
	g_string_append_len(s, tail, sizeof(tail) - 1);
	assert_true(finds(FORM, s->str, s->len, &p));
	assert_int_equal(p.len, 3 * 256);
	assert_int_equal(((const uint8_t *)p.bytes)[767], 255);
	gateway_part_clear(&p);
	g_string_truncate(s, sizeof(head) - 1);
	g_string_append_len(s, tail, sizeof(tail) - 1);
	assert_true(finds(FORM, s->str, s->len, &p));
	assert_int_equal(p.len, 0);
	gateway_part_clear(&p);
}

/* ---- answers ------------------------------------------------------------------------ */

static void
answer(int status, const char *body, struct gateway_answer *a)
{
	gateway_answer_parse(status, body, strlen(body), a);
}

static void
an_answer_says_what_became_of_the_send(void **state)
{
	struct gateway_answer a;

	(void)state;
	answer(200, "{\"messaging_product\":\"whatsapp\",\"contacts\":[{"
	    "\"input\":\"+55\",\"wa_id\":\"5511988880001\",\"user_id\":"
	    "\"BR.5Qe\"}],\"messages\":[{\"id\":\"wamid.TESTOUT6\","
	    "\"message_status\":\"accepted\"}]}", &a);
	assert_string_equal(a.wamid, "wamid.TESTOUT6");
	assert_false(a.is_graph_error);
	assert_false(a.is_throttled);
	gateway_answer_clear(&a);
	answer(400, "{\"error\":{\"message\":\"(#131056) pair\\nlimit\","
	    "\"type\":\"OAuthException\",\"code\":131056,\"fbtrace_id\":\"A\""
	    "}}", &a);
	assert_true(a.is_graph_error);
	assert_false(a.is_throttled);
	assert_int_equal(a.code, 131056);
	assert_null(a.wamid);
	gateway_answer_clear(&a);
	answer(200, "{\"id\":\"811222\"}", &a);
	assert_string_equal(a.id, "811222");
	gateway_answer_clear(&a);
}

static void
an_odd_answer_is_read_as_far_as_it_goes(void **state)
{
	static const struct {
		int status;
		const char *body;
		bool is_throttled;
		int64_t code;	/* of Graph's own error */
	} rows[] = {
		{ 200, "", false, 0 },
		{ 502, "<html>", false, 0 },
		{ 429, "<html>", true, 0 },
		{ 429, "{\"error\":{\"code\":131056}}", false, 131056 },
		{ 200, "{\"error\":{\"code\":100}}", false, 100 },
		{ 200, "{\"error\":\"x\"}", false, 0 },
		{ 200, "{\"error\":null}", false, 0 },
		{ 400, "{\"error\":{\"code\":\"80007\"}}", true, 80007 },
		{ 400, "{\"error\":{\"code\":-4,\"message\":7}}", false, 0 },
		{ 200, "{\"messages\":{\"id\":\"x\"},\"contacts\":\"y\"}",
		    false, 0 },
		{ 200, "{\"messages\":[],\"contacts\":[[]]}", false, 0 },
		{ 200, "[]", false, 0 },
		{ 200, "{\"messages\":[{\"id\":\"\"}]}", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct gateway_answer a;

		answer(rows[i].status, rows[i].body, &a);
		if (a.is_throttled != rows[i].is_throttled ||
		    a.code != rows[i].code ||
		    (a.code != 0 && !a.is_graph_error) || a.wamid != NULL)
			fail_msg("%d %s", rows[i].status, rows[i].body);
		gateway_answer_clear(&a);
	}
}

static void
a_file_s_address_is_ours_in_the_answer(void **state)
{
	static const char body[] = "{\"messaging_product\":\"whatsapp\",\"url\""
	    ": \"https:\\/\\/lookaside.fbsbx.com\\/x?a=1\" ,\"id\":\"811\"}";
	static const char *const none[] = { "", "{}", "{\"url\":5}",
		"{\"url\":\"a\",\"url\":\"b\"}", "{\"url\":null}" };
	g_autoptr(GBytes) out = NULL;
	g_autofree char *was = NULL;
	const char want[] = "{\"messaging_product\":\"whatsapp\",\"url\": "
	    "\"https://gw/v25.0/811/file\" ,\"id\":\"811\"}";

	(void)state;
	assert_true(gateway_media_answer(body, strlen(body),
	    "https://gw/v25.0/811/file", &out, &was));
	assert_string_equal(was, "https://lookaside.fbsbx.com/x?a=1");
	assert_int_equal(g_bytes_get_size(out), strlen(want));
	assert_memory_equal(g_bytes_get_data(out, NULL), want, strlen(want));
	for (size_t i = 0; i < G_N_ELEMENTS(none); i++) {
		GBytes *b = NULL;
		char *w = NULL;

		assert_false(gateway_media_answer(none[i], strlen(none[i]),
		    "x", &b, &w));
		assert_null(b);
		assert_null(w);
	}
}

static void
an_error_on_the_way_is_not_graph_s_own(void **state)
{
	static const char *const bodies[] = { "", "<html>", "{}", "[]",
		"{\"error\":\"bad gateway\"}", "{\"error\":null}" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
		struct gateway_answer a;

		answer(502, bodies[i], &a);
			assert_false(a.is_graph_error);
		gateway_answer_clear(&a);
	}
}

/* ---- copies -------------------------------------------------------------------------- */

static bool
copies(const char *body, struct gateway_copy *c)
{
	struct err err = ERR_INIT;
	bool ok = gateway_copy_parse(body, strlen(body), c, &err);

	if (!ok) {
		assert_int_equal(err.kind, ERR_PERM);
		assert_string_equal(err.what, "gateway.copy");
	}
	return ok;
}

static void
assert_bytes(GBytes *got, const char *want)
{
	assert_non_null(got);
	assert_int_equal(g_bytes_get_size(got), strlen(want));
	assert_memory_equal(g_bytes_get_data(got, NULL), want, strlen(want));
}

static void
a_copy_keeps_both_bodies_as_they_came(void **state)
{
	static const struct {
		const char *at;
		int64_t at_ms;
	} rows[] = {
		{ "1790000000", INT64_C(1790000000000) },
		{ "1790000000123", INT64_C(1790000000123) },
		{ "\"1790000000\"", INT64_C(1790000000000) },
		{ "\"2026-02-03T14:05:09Z\"", INT64_C(1770127509000) },
		{ "null", 0 },
	};
	struct gateway_copy c;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *body = g_strdup_printf(" {\"phone_number_id\":"
		    "\"700111\",\"request\": {\"to\":\"5\" , \"to\":\"6\"} ,"
		    "\"response\":{\"a\":1.0},\"at\":%s,\"status\":200}",
		    rows[i].at);

		if (!copies(body, &c))
			fail_msg("%s", body);
		assert_string_equal(c.business_id, "700111");
		assert_int_equal(c.at_ms, rows[i].at_ms);
		assert_int_equal(c.status, 200);
		assert_bytes(c.request, "{\"to\":\"5\" , \"to\":\"6\"}");
		assert_bytes(c.response, "{\"a\":1.0}");
		gateway_copy_clear(&c);
	}
	assert_true(copies("{\"request\":{},\"phone_number_id\":700111}", &c));
	assert_null(c.response);
	assert_int_equal(c.at_ms, 0);
	assert_int_equal(c.status, 0);
	gateway_copy_clear(&c);
}

static void
a_copy_that_would_lose_something_is_refused(void **state)
{
	static const char *const bodies[] = { "", "[]", "{}", "x",
		"{\"request\":{}}", "{\"phone_number_id\":\"700111\"}",
		"{\"request\":\"{}\",\"phone_number_id\":\"700111\"}",
		"{\"request\":{},\"phone_number_id\":\"7\"}",
		"{\"request\":{},\"phone_number_id\":\"700111x\"}",
		"{\"request\":{},\"phone_number_id\":{}}",
		"{\"request\":{},\"request\":{},\"phone_number_id\":700111}",
		"{\"request\":{},\"phone_number_id\":700111,\"employee\":"
		"\"x\"}",
		"{\"request\":{},\"phone_number_id\":700111,\"response\":5}",
		"{\"request\":{},\"phone_number_id\":700111,\"at\":\"now\"}",
		"{\"request\":{},\"phone_number_id\":700111,\"at\":-5}",
		"{\"request\":{},\"phone_number_id\":700111,\"at\":{}}",
		"{\"request\":{},\"phone_number_id\":700111,"
		"\"at\":999999999999999}",
		"{\"request\":{},\"phone_number_id\":700111,\"status\":99}",
		"{\"request\":{},\"phone_number_id\":700111,\"status\":\"ok\"}",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
		struct gateway_copy c;

		if (copies(bodies[i], &c))
			fail_msg("%s", bodies[i]);
	}
}

/* ---- records ----------------------------------------------------------------------------- */

static void
outcomes_have_names_that_lead_back(void **state)
{
	enum gateway_outcome o;

	(void)state;
	for (int i = 0; i < GATEWAY_OUTCOMES; i++) {
		assert_true(gateway_outcome_parse(
		    gateway_outcome_name((enum gateway_outcome)i), &o));
		assert_int_equal(o, i);
	}
	assert_string_equal(gateway_outcome_name(GATEWAY_NOT_SENT),
	    "not-sent");
	assert_false(gateway_outcome_parse("", &o));
	assert_false(gateway_outcome_parse("Accepted", &o));
}

static void
a_record_is_one_object_with_the_bodies_as_they_were(void **state)
{
	static const char request[] = "{ \"to\" :\"5\",\n\"n\":1.50e+3}";
	static const char sent[] = "{\"x\":1, \"to\" :\"5\"}";
	static const char response[] = "{\"messages\":[{\"id\":\"wamid.1\"}]}";
	const struct gateway_record r = { .key = "k1",
		.outcome = GATEWAY_ACCEPTED, .was_recorded = true,
		.received_ms = 1790000000123, .done_ms = 1790000000456,
		.application = "crm", .author = "staff", .employee = "j.doe",
		.remote = "192.0.2.7", .account = "900", .business_id = "700",
		.business_number = "551140000001", .method = "POST",
		.target = "/v25.0/700/messages", .request = request,
		.request_len = strlen(request), .sent = sent,
		.sent_len = strlen(sent), .response = response,
		.response_len = strlen(response), .status = 200,
		.verdict = "{\"set\":\"ab\"}", .definition = "{\"name\":\"t\"}",
		.reason = "why \"not\"", .reviews = "[{\"who\":\"o\"}]" };
	g_autoptr(GString) s = g_string_new("");

	(void)state;
	gateway_record_print(&r, s);
	assert_string_equal(s->str, "{\"object\":\"chatjournal_gateway\","
	    "\"version\":1,\"send\":\"k1\",\"outcome\":\"accepted\","
	    "\"was_recorded\":true,\"received_ms\":1790000000123,"
	    "\"done_ms\":1790000000456,\"application\":\"crm\",\"author\":"
	    "\"staff\",\"employee\":\"j.doe\",\"remote\":\"192.0.2.7\","
	    "\"account\":\"900\",\"business\":{\"id\":\"700\",\"number\":"
	    "\"551140000001\"},\"method\":\"POST\",\"target\":"
	    "\"/v25.0/700/messages\",\"request\":{ \"to\" :\"5\",\n\"n\":"
	    "1.50e+3},\"sent\":{\"x\":1, \"to\" :\"5\"},\"status\":200,"
	    "\"response\":{\"messages\":[{\"id\":\"wamid.1\"}]},\"verdict\":"
	    "{\"set\":\"ab\"},\"definition\":{\"name\":\"t\"},\"reason\":"
	    "\"why \\\"not\\\"\",\"reviews\":[{\"who\":\"o\"}]}");
}

static void
what_a_record_has_no_value_of_is_left_out(void **state)
{
	const struct gateway_record bare = { .key = "k",
		.outcome = GATEWAY_NOT_SENT };
	const struct gateway_record same = { .key = "k", .request = "{}",
		.request_len = 2, .sent = "{}", .sent_len = 2,
		.business_number = "55" };
	g_autoptr(GString) s = g_string_new("");

	(void)state;
	gateway_record_print(&bare, s);
	assert_string_equal(s->str, "{\"object\":\"chatjournal_gateway\","
	    "\"version\":1,\"send\":\"k\",\"outcome\":\"not-sent\","
	    "\"was_recorded\":false}");
	g_string_truncate(s, 0);
	gateway_record_print(&same, s);
	assert_string_equal(s->str, "{\"object\":\"chatjournal_gateway\","
	    "\"version\":1,\"send\":\"k\",\"outcome\":\"pending\","
	    "\"was_recorded\":false,\"business\":{\"number\":\"55\"},"
	    "\"request\":{}}");
}

/* Bodies of any bytes, strings of any bytes: the record is always readable,
 * by the reader's own check, and holds them. */
static void
no_body_can_make_a_record_unreadable(void **state)
{
	const struct wa_limits reader = WA_LIMITS_DEFAULT;
	g_autoptr(GRand) r = g_rand_new_with_seed(11);

	(void)state;
	for (int i = 0; i < 400; i++) {
		uint8_t body[64], text[24];
		size_t len = (size_t)g_rand_int_range(r, 0, sizeof(body));
		struct gateway_record rec = { .key = "k", .request = body,
			.request_len = len, .reason = (const char *)text,
			.verdict = (const char *)text,
			.employee = (const char *)text };
		g_autoptr(GString) s = g_string_new("");
		g_autofree guchar *back = NULL;
		struct err err = ERR_INIT;
		json_object *o;
		gsize n;

		for (size_t k = 0; k < len; k++)
			body[k] = (uint8_t)g_rand_int(r);
		for (size_t k = 0; k < sizeof(text); k++)
			text[k] = (uint8_t)g_rand_int_range(r, 1, 256);
		text[sizeof(text) - 1] = 0;
		gateway_record_print(&rec, s);
		if (!wa_json_check(s->str, s->len, &reader, &err))
			fail_msg("%s", err.text);
		o = json_tokener_parse(s->str);
		assert_non_null(o);
		if (json_object_object_get_ex(o, "request", NULL)) {
			/* One digit, or so: JSON by chance. */
			assert_true(len <= 4);
		} else {
			back = g_base64_decode(json_object_get_string(
			    json_object_object_get(o, "request_base64")), &n);
			assert_int_equal(n, len);
			assert_memory_equal(back, body, len);
		}
		json_object_put(o);
	}
}

static void
deep_and_long_bodies_fit_into_what_the_reader_takes(void **state)
{
	const struct wa_limits reader = { .max_bytes = 16 << 20,
		.max_string = 1 << 20, .max_depth = 32, .max_items = 0 };
	g_autofree char *deep = g_strnfill(31, '[');
	g_autofree char *many = g_strnfill(2 << 20, 'x');
	const char *bodies[] = { deep, many };

	(void)state;
	for (int depth = 14; depth <= 30; depth++) {
		g_autofree char *open = g_strnfill((gsize)depth, '[');
		g_autofree char *close = g_strnfill((gsize)depth, ']');
		g_autofree char *body = g_strconcat(open, close, NULL);
		const struct gateway_record r = { .key = "k", .request = body,
			.request_len = strlen(body) };
		g_autoptr(GString) s = g_string_new("");

		gateway_record_print(&r, s);
		assert_true(wa_json_check(s->str, s->len, &reader, NULL));
		assert_true((strstr(s->str, "base64") != NULL) ==
		    (depth > 28));
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
		const struct gateway_record r = { .key = "k",
			.response = bodies[i],
			.response_len = strlen(bodies[i]) };
		g_autoptr(GString) s = g_string_new("");

		gateway_record_print(&r, s);
		assert_true(wa_json_check(s->str, s->len, &reader, NULL));
		assert_non_null(strstr(s->str, "response_base64"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_of_an_upload_is_found_in_any_order),
		cmocka_unit_test(a_boundary_is_read_as_mime_has_it),
		cmocka_unit_test(
		    a_form_that_could_be_read_otherwise_is_refused),
		cmocka_unit_test(a_file_may_hold_any_bytes_or_none),
		cmocka_unit_test(an_answer_says_what_became_of_the_send),
		cmocka_unit_test(an_odd_answer_is_read_as_far_as_it_goes),
		cmocka_unit_test(an_error_on_the_way_is_not_graph_s_own),
		cmocka_unit_test(a_file_s_address_is_ours_in_the_answer),
		cmocka_unit_test(a_copy_keeps_both_bodies_as_they_came),
		cmocka_unit_test(a_copy_that_would_lose_something_is_refused),
		cmocka_unit_test(outcomes_have_names_that_lead_back),
		cmocka_unit_test(
		    a_record_is_one_object_with_the_bodies_as_they_were),
		cmocka_unit_test(what_a_record_has_no_value_of_is_left_out),
		cmocka_unit_test(no_body_can_make_a_record_unreadable),
		cmocka_unit_test(
		    deep_and_long_bodies_fit_into_what_the_reader_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
