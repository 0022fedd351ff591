/* SPDX-License-Identifier: Apache-2.0 */
/* role: the build role's steps, where a scenario would be roundabout. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "err.h"
#include "hash.h"
#include "log.h"
#include "role.h"
#include "store.h"
#include "turn.h"

#define NOW 1790000000000

struct bed {
	struct conf *conf;
	struct store *store;
	struct build *build;
	GPtrArray *mails;	/* char *: the text of each, base64 decoded too */
};

/* A life of the build role with this for a graph block. */
static void
live(struct bed *b, const char *graph)
{
	g_autoptr(GString) messages = g_string_new(NULL);
	const char *src = getenv("SRCDIR");
	g_autofree char *text = g_strdup_printf("catch_all a;\n"
	    "intake { app_secret_file /x; verify_token_file /x; }\n"
	    "turn { idle 0s; }\n"
	    "%s\n"
	    "render { domain cj.example; templates %s/templates; }\n"
	    "journal a { maildir /x; }\n", graph, src != NULL ? src : ".");
	struct err err = ERR_INIT;

	build_free(b->build);
	conf_free(b->conf);
	if (!conf_load_text("test", text, strlen(text), &b->conf, messages,
	    &err))
		fail_msg("%s", messages->str);
	assert_true(build_new(b->conf, b->store, &b->build, &err));
}

#define GRAPH "graph { token_file /dev/null; }"

static int
set_up(void **state)
{
	struct bed *b = g_new0(struct bed, 1);
	struct err err = ERR_INIT;

	log_set_level(LOG_LEVEL_ERROR);
	assert_true(store_open("sqlite::memory:", STORE_ALL, &b->store, &err));
	live(b, GRAPH);
	b->mails = g_ptr_array_new_with_free_func(g_free);
	*state = b;
	return 0;
}

static int
tear_down(void **state)
{
	struct bed *b = *state;

	g_ptr_array_unref(b->mails);
	build_free(b->build);
	store_close(b->store);
	conf_free(b->conf);
	g_free(b);
	return 0;
}

static void
post(struct bed *b, const char *body)
{
	struct store_event ev = { .received_ms = NOW, .remote = "test",
		.secret_name = "s", .signature = "s", .body = body,
		.len = strlen(body) };
	struct err err = ERR_INIT;
	int64_t id;

	hash_sha256(body, ev.len, ev.sha256);
	store_begin(b->store);
	store_event_add(b->store, &ev, &id);
	assert_true(store_commit(b->store, &err));
}

static bool
take_mail(void *arg, const struct store_mail *m)
{
	struct bed *b = arg;
	g_autofree char *mail = g_strndup(m->bytes, m->len);
	const char *part = strstr(mail, "Encoding: base64\r\n\r\n");
	g_autofree guchar *raw = NULL;
	gsize len = 0;

	if (part != NULL)	/* a follow-up may have none */
		raw = g_base64_decode(part +
		    strlen("Encoding: base64\r\n\r\n"), &len);
	g_ptr_array_add(b->mails, g_strdup_printf("%s\n%.*s", mail,
	    (int)len, raw != NULL ? (const char *)raw : ""));
	return true;
}

static void
run_at(struct bed *b, int64_t now_ms)
{
	struct build_progress p;
	struct err err = ERR_INIT;

	do {
		if (!build_step(b->build, now_ms, &p, &err))
			fail_msg("%s", err.text);
	} while (p.more);
	assert_true(store_mail_pending(b->store, "a", 1, INT64_MAX, 1000,
	    take_mail, b, &err));
}

static void
run(struct bed *b)
{
	run_at(b, NOW);
}

#define MESSAGE(from, id, text) "{\"from\":\"" from "\",\"id\":\"wamid." id \
	"\",\"timestamp\":\"1790000000\",\"type\":\"text\",\"text\":{\"body\":" \
	"\"" text "\"}}"
#define EVENT(messages) "{\"object\":\"whatsapp_business_account\",\"entry\":" \
	"[{\"id\":\"9\",\"changes\":[{\"field\":\"messages\",\"value\":{" \
	"\"metadata\":{\"phone_number_id\":\"77\"},\"messages\":[" messages \
	"]}}]}]}"

static const char *
mail_with(const struct bed *b, const char *text)
{
	for (guint i = 0; i < b->mails->len; i++) {
		if (strstr(b->mails->pdata[i], text) != NULL)
			return b->mails->pdata[i];
	}
	fail_msg("no mail has %s", text);
	return NULL;
}

static void
no_customer_sees_the_words_of_another_in_one_post(void **state)
{
	struct bed *b = *state;
	const char *mail;

	post(b, EVENT(MESSAGE("5511999990000", "A", "apricot") ","
	    MESSAGE("447700900123", "B", "blueberry")));
	run(b);
	assert_int_equal(b->mails->len, 2);
	mail = mail_with(b, "wamid.A");
	assert_non_null(strstr(mail, "excerpt.json"));
	assert_non_null(strstr(mail, "apricot"));
	assert_null(strstr(mail, "blueberry"));
	mail = mail_with(b, "wamid.B");
	assert_null(strstr(mail, "apricot"));
}

static void
a_post_of_one_customer_is_attached_as_it_was_received(void **state)
{
	struct bed *b = *state;
	const char *body = EVENT(MESSAGE("5511999990000", "A", "apricot") ", "
	    MESSAGE("5511999990000", "B", "blueberry"));

	post(b, body);
	run(b);
	assert_int_equal(b->mails->len, 2);
	for (guint i = 0; i < b->mails->len; i++)
		assert_non_null(strstr(b->mails->pdata[i], body));
}

static void
a_large_post_does_not_grow_with_its_square(void **state)
{
	struct bed *b = *state;
	g_autoptr(GString) messages = g_string_new(NULL);
	g_autofree char *body = NULL;
	gsize sum = 0;

	for (int i = 0; i < 400; i++)
		g_string_append_printf(messages, "%s{\"from\":"
		    "\"5511999990000\",\"id\":\"wamid.L%d\",\"timestamp\":"
		    "\"1790000000\",\"type\":\"text\",\"text\":{\"body\":"
		    "\"%0200d\"}}", i > 0 ? "," : "", i, i);
	body = g_strdup_printf(EVENT("%s"), messages->str);
	assert_true(strlen(body) > 65536);
	post(b, body);
	run(b);
	assert_int_equal(b->mails->len, 400);
	for (guint i = 0; i < b->mails->len; i++)
		sum += strlen(b->mails->pdata[i]);
	assert_true(sum < 400 * 12000);
}

/* Of an item that this version of the parser makes no more. */
static int64_t
want_for_nothing(struct bed *b)
{
	struct store_want w = { .turn_id = 1, .event_id = 1,
		.media_id = "99", .at_ms = NOW, .wanted_ms = NOW };
	struct err err = ERR_INIT;
	int64_t id = 0;

	store_begin(b->store);
	store_want_add(b->store, &w, &id);
	assert_true(store_commit(b->store, &err));
	return id;
}

static void
set_fetch(struct bed *b, const struct store_fetch *f)
{
	struct err err = ERR_INIT;

	store_begin(b->store);
	store_fetch_set(b->store, f);
	assert_true(store_commit(b->store, &err));
}

static void
bring(struct bed *b, int64_t want)
{
	struct store_fetch f = { .want_id = want, .state = STORE_FETCHED,
		.attempts = 1, .first_ms = NOW, .done_ms = NOW,
		.path = "ab/cd/none", .type = "image/png" };

	set_fetch(b, &f);
}

static void
assert_parked(struct bed *b, int64_t turn)
{
	struct err err = ERR_INIT;
	char state[16];
	struct turn t;

	assert_true(store_turn_get(b->store, turn, &t, state, NULL, &err));
	assert_string_equal(state, "parked");
	turn_clear(&t);
}

#define IMAGE EVENT("{\"from\":\"5511999990000\",\"id\":\"wamid.I\"," \
	"\"timestamp\":\"1790000000\",\"type\":\"image\",\"image\":" \
	"{\"id\":\"811\"}}")

static void
a_file_whose_item_is_not_found_stops_its_turn(void **state)
{
	struct bed *b = *state;

	post(b, IMAGE);
	run(b);
	assert_int_equal(b->mails->len, 0);
	bring(b, want_for_nothing(b));
	run(b);
	assert_parked(b, 1);
}

static void
a_late_file_whose_item_is_not_found_is_not_followed_up_by_nothing(
    void **state)
{
	struct bed *b = *state;
	int64_t want;

	post(b, EVENT(MESSAGE("5511999990000", "A", "apricot")));
	run(b);
	assert_int_equal(b->mails->len, 1);
	want = want_for_nothing(b);
	store_begin(b->store);
	store_want_late(b->store, want);
	assert_true(store_commit(b->store, NULL));
	bring(b, want);
	run(b);
	assert_parked(b, 2);
}

static bool
take_late(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	(void)f;
	*(bool *)arg = w->late;
	return true;
}

static void
a_file_whose_item_is_not_found_is_waited_for_and_noted_as_late(void **state)
{
	struct store_fetch f = { .want_id = 1, .state = STORE_UNAVAILABLE,
		.attempts = 1, .first_ms = NOW, .done_ms = NOW,
		.reason = "forgotten" };
	struct bed *b = *state;
	g_autofree char *why = NULL;
	bool late = false, ok = false;
	int64_t want;

	post(b, IMAGE);
	run(b);
	want = want_for_nothing(b);
	set_fetch(b, &f);
	run(b);
	assert_int_equal(b->mails->len, 0);
	run_at(b, NOW + 24 * 3600 * 1000);
	assert_int_equal(b->mails->len, 1);
	assert_true(store_want_get(b->store, want, take_late, &late, NULL));
	assert_true(late);
	assert_true(store_law_check(b->store, &ok, &why, NULL));
	assert_true(ok);
}

static void
unavailable(struct bed *b, int64_t want)
{
	struct store_fetch f = { .want_id = want, .state = STORE_UNAVAILABLE,
		.attempts = 1, .first_ms = NOW, .done_ms = NOW,
		.reason = "gone" };
	struct err err = ERR_INIT;

	store_begin(b->store);
	store_fetch_set(b->store, &f);
	assert_true(store_commit(b->store, &err));
}

/* By a reload, in the middle of the wait. */
static void
a_turn_goes_out_when_the_graph_block_goes_and_is_followed_up_when_it_comes(
    void **state)
{
	struct bed *b = *state;

	post(b, IMAGE);
	run(b);
	live(b, "");
	run(b);
	assert_int_equal(b->mails->len, 0);
	run_at(b, NOW + 600000);
	assert_int_equal(b->mails->len, 1);
	mail_with(b, "status=late");
	live(b, GRAPH);
	unavailable(b, 1);
	run_at(b, NOW + 700000);
	mail_with(b, "status=unavailable");
	/* What came while there was no block was not wanted, and says so. */
	live(b, "");
	post(b, EVENT("{\"from\":\"5511999990000\",\"id\":\"wamid.J\","
	    "\"timestamp\":\"1790000000\",\"type\":\"image\",\"image\":"
	    "{\"id\":\"812\"}}"));
	run_at(b, NOW + 800000);
	mail_with(b, "status=not-attached");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(no_customer_sees_the_words_of_another_in_one_post),
		T(a_post_of_one_customer_is_attached_as_it_was_received),
		T(a_large_post_does_not_grow_with_its_square),
		T(a_file_whose_item_is_not_found_stops_its_turn),
		T(a_late_file_whose_item_is_not_found_is_not_followed_up_by_nothing),
		T(a_turn_goes_out_when_the_graph_block_goes_and_is_followed_up_when_it_comes),
		T(a_file_whose_item_is_not_found_is_waited_for_and_noted_as_late),
	};

	return cmocka_run_group_tests_name("build", tests, NULL, NULL);
}
