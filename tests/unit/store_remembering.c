/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of the store: uploads, definitions of templates, and what rules
 * remember.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "err.h"
#include "store_bed.h"

static struct store *
gateway(struct bed *b)
{
	return b->of[STORE_GATEWAY];
}

/* ---- uploads ----------------------------------------------------------------- */

static char *
spool(struct bed *b, const char *bytes)
{
	char *path = g_build_filename(store_dir(gateway(b), STORE_DIR_SPOOL),
	    "upload-1", NULL);

	assert_true(g_file_set_contents(path, bytes, -1, NULL));
	return path;
}

static struct store_upload
upload_of(const char *media_id, const char *bytes, int64_t at_ms)
{
	struct store_upload u = { .media_id = media_id, .business = "551100",
		.application = "crm", .employee = "e7",
		.size = (int64_t)strlen(bytes), .at_ms = at_ms,
		.name = "a.pdf", .type = "application/pdf",
		.verdict = "clean" };

	digest_of(bytes, u.sha256);
	return u;
}

/* A file that staff uploaded, moved to its place. */
static void
put_upload(struct bed *b, const char *media_id, const char *bytes,
    int64_t at_ms)
{
	const struct store_upload u = upload_of(media_id, bytes, at_ms);
	g_autofree char *path = spool(b, bytes);

	begin(b, STORE_GATEWAY);
	assert_true(store_upload_add_file(gateway(b), &u, path));
	commit(b, STORE_GATEWAY);
	assert_int_not_equal(access(path, F_OK), 0);
}

struct got {
	int calls;
	int64_t at_ms, size;
	char *path, *employee, *name;
	uint8_t sha256[HASH_SIZE];
};

static bool
take_upload(void *arg, const struct store_upload *u)
{
	struct got *g = arg;

	g->calls++;
	g->at_ms = u->at_ms;
	g->size = u->size;
	g->path = g_strdup(u->path);
	g->employee = g_strdup(u->employee);
	g->name = g_strdup(u->name);
	memcpy(g->sha256, u->sha256, HASH_SIZE);
	return true;
}

static void
clear_got(struct got *g)
{
	g_free(g->path);
	g_free(g->employee);
	g_free(g->name);
	*g = (struct got){ 0 };
}

static struct got
get_upload(struct bed *b, const char *media_id)
{
	struct got g = { 0 };

	assert_true(store_upload_get(b->of[STORE_MEDIA], media_id,
	    take_upload, &g, NULL));
	return g;
}

/* Whether the upload still has its file, and the file is there. */
static void
expect_file(struct bed *b, const char *media_id, const char *bytes)
{
	struct got g = get_upload(b, media_id);
	g_autofree char *path = NULL, *read = NULL;

	assert_int_equal(g.calls, 1);
	assert_int_equal(g.path != NULL, bytes != NULL);
	if (bytes != NULL) {
		path = g_build_filename(store_dir(b->of[STORE_MEDIA],
		    STORE_DIR_UPLOAD), g.path, NULL);
		assert_true(g_file_get_contents(path, &read, NULL, NULL));
		assert_string_equal(read, bytes);
	}
	clear_got(&g);
}

static void
expect_law(struct bed *b, bool want)
{
	g_autofree char *why = NULL;
	bool ok = !want;

	assert_true(store_law_check(b->of[STORE_ADMIN], &ok, &why, NULL));
	if (ok != want)
		fail_msg("the law: %s", why == NULL ? "holds" : why);
}

static int64_t
purge_uploads(struct bed *b, int64_t before_ms, int limit)
{
	int64_t n = -1;

	assert_true(store_upload_purge(gateway(b), before_ms, limit, &n,
	    NULL));
	return n;
}

static void
the_latest_upload_of_an_id_is_given(void **state)
{
	struct bed *b = bed_of(state);
	struct got g;

	put_upload(b, "1", "first", T0);
	put_upload(b, "2", "other", T0 + 1);
	put_upload(b, "1", "second", T0 + 2);
	g = get_upload(b, "1");
	assert_int_equal(g.calls, 1);
	assert_int_equal(g.at_ms, T0 + 2);
	assert_int_equal(g.size, 6);
	assert_string_equal(g.employee, "e7");
	assert_string_equal(g.name, "a.pdf");
	clear_got(&g);
	expect_file(b, "1", "second");
	expect_file(b, "2", "other");
	g = get_upload(b, "3");
	assert_int_equal(g.calls, 0);
	expect_law(b, true);
}

static void
an_upload_may_have_been_put_by_the_caller_or_have_no_file(void **state)
{
	struct bed *b = bed_of(state);
	struct store_upload u = upload_of("1", "put", T0);
	g_autofree char *path = g_build_filename(store_dir(gateway(b),
	    STORE_DIR_UPLOAD), "put", NULL);
	struct got g;

	assert_true(g_file_set_contents(path, "put", -1, NULL));
	u.path = "put";
	begin(b, STORE_GATEWAY);
	assert_true(store_upload_add(gateway(b), &u));
	u.media_id = "2";
	u.path = u.employee = u.name = u.type = u.verdict = NULL;
	assert_true(store_upload_add(gateway(b), &u));
	commit(b, STORE_GATEWAY);
	expect_file(b, "1", "put");
	expect_file(b, "2", NULL);
	g = get_upload(b, "2");
	assert_null(g.employee);
	assert_null(g.name);
	clear_got(&g);
	expect_law(b, true);
}

static void
what_is_not_in_the_spool_or_not_as_long_is_no_upload(void **state)
{
	struct bed *b = bed_of(state);
	struct store_upload u = upload_of("1", "12345", T0);
	g_autofree char *path = spool(b, "1234");
	g_autofree char *away = g_build_filename(store_dir(gateway(b),
	    STORE_DIR_UPLOAD), "x", NULL);

	begin(b, STORE_GATEWAY);
	assert_false(store_upload_add_file(gateway(b), &u, path));
	commit_fails(b, STORE_GATEWAY, "store.state");
	assert_true(g_file_set_contents(away, "12345", -1, NULL));
	begin(b, STORE_GATEWAY);
	assert_false(store_upload_add_file(gateway(b), &u, away));
	commit_fails(b, STORE_GATEWAY, "store.state");
	assert_int_equal(get_upload(b, "1").calls, 0);
}

static void
an_upload_may_be_tried_again_when_its_transaction_failed(void **state)
{
	struct bed *b = bed_of(state);
	struct store_upload u = upload_of("1", "again", T0);
	g_autofree char *path = spool(b, "again");

	for (int i = 0; i < 3; i++) {
		begin(b, STORE_GATEWAY);
		assert_true(store_upload_add_file(gateway(b), &u, path));
		if (i < 2)
			store_rollback(gateway(b));
		else
			commit(b, STORE_GATEWAY);
	}
	expect_file(b, "1", "again");
	expect_law(b, true);
}

/* As when the last other upload of the same was purged in between. */
static void
an_upload_whose_file_is_nowhere_has_none(void **state)
{
	struct bed *b = bed_of(state);
	struct store_upload u = upload_of("1", "lost", T0);
	g_autofree char *path = spool(b, "lost");

	assert_int_equal(unlink(path), 0);
	begin(b, STORE_GATEWAY);
	assert_true(store_upload_add_file(gateway(b), &u, path));
	commit(b, STORE_GATEWAY);
	expect_file(b, "1", NULL);
	expect_law(b, true);
}

static void
old_uploads_lose_their_file_and_keep_their_row(void **state)
{
	struct bed *b = bed_of(state);

	put_upload(b, "1", "one", T0);
	put_upload(b, "2", "two", T0 + 1);
	put_upload(b, "3", "three", T0 + 2);
	assert_int_equal(purge_uploads(b, T0, 9), 0);
	assert_int_equal(purge_uploads(b, T0 + 2, 1), 1);
	assert_int_equal(purge_uploads(b, T0 + 2, 9), 1);
	assert_int_equal(purge_uploads(b, T0 + 2, 9), 0);
	expect_file(b, "1", NULL);
	expect_file(b, "2", NULL);
	expect_file(b, "3", "three");
	expect_law(b, true);
}

static void
a_file_that_two_uploads_share_goes_with_the_last(void **state)
{
	struct bed *b = bed_of(state);

	put_upload(b, "1", "same", T0);
	put_upload(b, "2", "same", T0 + 5);
	assert_int_equal(purge_uploads(b, T0 + 1, 9), 1);
	expect_file(b, "1", NULL);
	expect_file(b, "2", "same");
	expect_law(b, true);
	put_upload(b, "3", "same", T0 + 9);
	assert_int_equal(purge_uploads(b, T0 + 6, 9), 1);
	expect_file(b, "3", "same");
	assert_int_equal(purge_uploads(b, T0 + 10, 9), 1);
	expect_file(b, "3", NULL);
	put_upload(b, "4", "same", T0 + 20);
	expect_file(b, "4", "same");
	expect_law(b, true);
}

static void
the_law_is_broken_by_an_upload_whose_file_is_gone(void **state)
{
	struct bed *b = bed_of(state);
	g_autofree char *path = NULL;
	struct got g;

	put_upload(b, "1", "one", T0);
	expect_law(b, true);
	g = get_upload(b, "1");
	path = g_build_filename(store_dir(gateway(b), STORE_DIR_UPLOAD),
	    g.path, NULL);
	assert_int_equal(unlink(path), 0);
	expect_law(b, false);
	clear_got(&g);
	/* The purge does not stumble over it. */
	assert_int_equal(purge_uploads(b, T0 + 1, 9), 1);
	expect_law(b, true);
}

/* ---- definitions ---------------------------------------------------------------- */

static void
see(struct bed *b, const char *language, int64_t at_ms, const char *json)
{
	struct store_definition d = { .account = "w1", .name = "hello",
		.language = language, .from_ms = at_ms, .checked_ms = at_ms,
		.json = json };

	begin(b, STORE_GATEWAY);
	assert_true(store_definition_set(gateway(b), &d));
	commit(b, STORE_GATEWAY);
}

static bool
spell_definition(void *arg, const struct store_definition *d)
{
	assert_string_equal(d->name, "hello");
	g_string_append_printf(arg, "%s/%s %s from+%d checked+%d", d->account,
	    d->language, d->json == NULL ? "none" : d->json,
	    (int)(d->from_ms - T0), (int)(d->checked_ms - T0));
	return true;
}

static void
expect_definition(struct bed *b, const char *language, int64_t at_ms,
    const char *want)
{
	g_autoptr(GString) text = g_string_new(NULL);

	assert_true(store_definition_get(b->of[STORE_BUILD], "w1", "hello",
	    language, at_ms, spell_definition, text, NULL));
	assert_string_equal(text->str, want);
}

static bool
take_checked(void *arg, const struct store_definition *d)
{
	*(int64_t *)arg = d->checked_ms;
	return true;
}

static void
expect_checked(struct bed *b, const char *language, int64_t want)
{
	int64_t got = -1;

	assert_true(store_definition_get(b->of[STORE_BUILD], "w1", "hello",
	    language, INT64_MAX, take_checked, &got, NULL));
	assert_int_equal(got, want);
}

static void
a_definition_is_the_one_that_held_at_the_time(void **state)
{
	struct bed *b = bed_of(state);

	expect_definition(b, "en", T0, "");
	see(b, "en", T0 + 10, "A");
	see(b, "en", T0 + 20, "B");
	expect_definition(b, "en", T0 + 9, "");
	expect_definition(b, "en", T0 + 10, "w1/en A from+10 checked+10");
	expect_definition(b, "en", T0 + 19, "w1/en A from+10 checked+10");
	expect_definition(b, "en", T0 + 20, "w1/en B from+20 checked+20");
	expect_definition(b, "en", INT64_MAX, "w1/en B from+20 checked+20");
	see(b, "en", T0 + 30, "A");
	expect_definition(b, "en", T0 + 25, "w1/en B from+20 checked+20");
	expect_definition(b, "en", T0 + 30, "w1/en A from+30 checked+30");
}

static void
the_same_wording_asked_for_again_is_no_new_version(void **state)
{
	struct bed *b = bed_of(state);

	see(b, "en", T0 + 10, "A");
	see(b, "en", T0 + 20, "A");
	expect_definition(b, "en", T0 + 10, "w1/en A from+10 checked+20");
	see(b, "en", T0 + 15, "A");
	expect_definition(b, "en", T0 + 99, "w1/en A from+10 checked+20");
}

static void
that_a_template_is_unknown_is_known_too(void **state)
{
	struct bed *b = bed_of(state);

	see(b, "en", T0 + 1, NULL);
	see(b, "en", T0 + 2, NULL);
	expect_definition(b, "en", T0 + 5, "w1/en none from+1 checked+2");
	see(b, "en", T0 + 3, "A");
	expect_definition(b, "en", T0 + 2, "w1/en none from+1 checked+2");
	expect_definition(b, "en", T0 + 5, "w1/en A from+3 checked+3");
	see(b, "en", T0 + 6, NULL);
	expect_definition(b, "en", T0 + 7, "w1/en none from+6 checked+6");
}

static void
a_clock_set_back_loses_no_version(void **state)
{
	struct bed *b = bed_of(state);

	see(b, "en", T0 + 10, "A");
	see(b, "en", T0 + 10, "B");
	expect_definition(b, "en", T0 + 10, "w1/en A from+10 checked+10");
	expect_definition(b, "en", T0 + 11, "w1/en B from+11 checked+10");
	see(b, "en", T0 + 3, "C");
	expect_definition(b, "en", T0 + 9, "");
	expect_definition(b, "en", T0 + 12, "w1/en C from+12 checked+3");
}

static void
definitions_of_other_accounts_names_and_languages_are_others(void **state)
{
	struct bed *b = bed_of(state);
	struct store_definition other = { .account = "w2", .name = "hello",
		.language = "en", .from_ms = T0, .json = "{\"'\":\"\xc3\xa9\"}" };

	see(b, "en", T0, "A");
	see(b, "pt_BR", T0, "B");
	begin(b, STORE_GATEWAY);
	assert_true(store_definition_set(gateway(b), &other));
	other.account = "w1";
	other.name = "'; --";
	assert_true(store_definition_set(gateway(b), &other));
	commit(b, STORE_GATEWAY);
	expect_definition(b, "en", T0, "w1/en A from+0 checked+0");
	expect_definition(b, "pt_BR", T0, "w1/pt_BR B from+0 checked+0");
	expect_definition(b, "EN", T0, "");
}

static bool
spell_language(void *arg, const char *language)
{
	g_string_append_printf(arg, "%s ", language);
	return true;
}

static void
expect_languages(struct bed *b, const char *name, const char *want)
{
	g_autoptr(GString) text = g_string_new(NULL);

	assert_true(store_definition_languages(gateway(b), "w1", name,
	    spell_language, text, NULL));
	assert_string_equal(text->str, want);
}

static void
a_definition_in_doubt_is_to_be_asked_for_again(void **state)
{
	struct bed *b = bed_of(state);

	expect_languages(b, "hello", "");
	see(b, "pt_BR", T0, "B");
	see(b, "en", T0, "A");
	see(b, "en", T0 + 5, "C");
	expect_languages(b, "hello", "en pt_BR ");
	expect_languages(b, "other", "");
	begin(b, STORE_GATEWAY);
	assert_true(store_definition_doubt(gateway(b), "w1", "hello", "en"));
	assert_true(store_definition_doubt(gateway(b), "w1", "other", "en"));
	commit(b, STORE_GATEWAY);
	expect_checked(b, "en", 0);
	expect_checked(b, "pt_BR", T0);
	expect_definition(b, "en", T0, "w1/en A from+0 checked+0");
	see(b, "en", T0 + 7, "C");
	expect_definition(b, "en", T0 + 8, "w1/en C from+5 checked+7");
}

/* ---- tallies --------------------------------------------------------------------- */

static const enum store_file counting[] = { STORE_BUILD, STORE_GATEWAY };

static void
tally(struct bed *b, enum store_file file, const char *subject,
    const char *who, int64_t at_ms)
{
	begin(b, file);
	assert_true(store_tally_add(b->of[file], file, "r", subject, who,
	    at_ms));
	commit(b, file);
}

static void
expect_count(struct bed *b, enum store_file file, const char *who,
    int64_t since_ms, int64_t want)
{
	int64_t n = 0;

	assert_true(store_tally_count(b->of[STORE_ADMIN], file, "r", "s", who,
	    since_ms, &n, NULL));
	assert_int_equal(n, want);
}

static void
different_ones_are_counted_since_a_time(void **state)
{
	struct bed *b = bed_of(state);

	for (size_t i = 0; i < G_N_ELEMENTS(counting); i++) {
		enum store_file f = counting[i];

		expect_count(b, f, NULL, 0, 0);
		expect_count(b, f, "a", 0, 1);
		tally(b, f, "s", "a", T0);
		tally(b, f, "s", "b", T0 + 1);
		tally(b, f, "s", "a", T0 + 5);
		tally(b, f, "s", "a", T0 + 2);
		tally(b, f, "other", "c", T0 + 9);
		expect_count(b, f, NULL, T0, 2);
		expect_count(b, f, "a", T0, 2);
		expect_count(b, f, "z", T0, 3);
		expect_count(b, f, NULL, T0 + 1, 2);
		expect_count(b, f, NULL, T0 + 2, 1);
		expect_count(b, f, "b", T0 + 2, 2);
		expect_count(b, f, NULL, T0 + 5, 1);
		expect_count(b, f, NULL, T0 + 6, 0);
		expect_count(b, f, "a", T0 + 6, 1);
	}
}

static void
nobody_counts_further_than_he_is_asked_to(void **state)
{
	struct bed *b = bed_of(state);
	static const int64_t asked[] = { 1, 2, 3, 4, 9 };
	static const int64_t want[] = { 1, 2, 3, 4, 4 };

	tally(b, STORE_GATEWAY, "s", "a", T0);
	tally(b, STORE_GATEWAY, "s", "b", T0);
	tally(b, STORE_GATEWAY, "s", "c", T0);
	for (size_t i = 0; i < G_N_ELEMENTS(asked); i++) {
		int64_t n = asked[i];

		assert_true(store_tally_count(gateway(b), STORE_GATEWAY, "r",
		    "s", "z", T0, &n, NULL));
		assert_int_equal(n, want[i]);
	}
}

static void
build_and_gateway_count_each_for_itself(void **state)
{
	struct bed *b = bed_of(state);

	tally(b, STORE_BUILD, "s", "a", T0);
	expect_count(b, STORE_GATEWAY, NULL, 0, 0);
	tally(b, STORE_GATEWAY, "s", "b", T0);
	tally(b, STORE_GATEWAY, "s", "c", T0);
	expect_count(b, STORE_BUILD, NULL, 0, 1);
	expect_count(b, STORE_GATEWAY, NULL, 0, 2);
}

static void
old_counts_are_forgotten_a_few_at_a_time(void **state)
{
	struct bed *b = bed_of(state);

	for (size_t i = 0; i < G_N_ELEMENTS(counting); i++) {
		enum store_file f = counting[i];
		int64_t n = -1;

		tally(b, f, "s", "a", T0);
		tally(b, f, "s", "b", T0 + 1);
		tally(b, f, "s", "c", T0 + 2);
		tally(b, f, "s", "a", T0 + 3);
		assert_true(store_tally_purge(b->of[f], f, T0 + 3, 1, &n,
		    NULL));
		assert_int_equal(n, 1);
		assert_true(store_tally_purge(b->of[f], f, T0 + 3, 9, &n,
		    NULL));
		assert_int_equal(n, 1);
		assert_true(store_tally_purge(b->of[f], f, T0 + 3, 9, &n,
		    NULL));
		assert_int_equal(n, 0);
		expect_count(b, f, NULL, 0, 1);
		expect_count(b, f, "a", 0, 1);
	}
}

static void
other_files_count_nothing(void **state)
{
	static const enum store_file others[] = { STORE_INTAKE, STORE_MEDIA,
		STORE_DELIVER, STORE_ADMIN, STORE_DIRECTORY };
	struct bed *b = bed_of(state);

	for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
		struct store *st = b->of[others[i]];
		struct err err = ERR_INIT;
		int64_t n = -1;

		begin(b, others[i]);
		assert_false(store_tally_add(st, others[i], "r", "s", "w",
		    T0));
		commit_fails(b, others[i], "store.state");
		assert_false(store_tally_count(st, others[i], "r", "s", NULL,
		    0, &n, &err));
		assert_string_equal(err.what, "store.state");
		err = (struct err)ERR_INIT;
		assert_false(store_tally_purge(st, others[i], T0, 9, &n,
		    &err));
		assert_string_equal(err.what, "store.state");
		assert_int_equal(n, -1);
	}
}

static void
nobody_is_no_one_to_count(void **state)
{
	struct bed *b = bed_of(state);

	begin(b, STORE_GATEWAY);
	assert_false(store_tally_add(gateway(b), STORE_GATEWAY, "r", "s",
	    NULL, T0));
	commit_fails(b, STORE_GATEWAY, "store.state");
	tally(b, STORE_GATEWAY, "s", "", T0);
	tally(b, STORE_GATEWAY, "s", "'\"%", T0);
	expect_count(b, STORE_GATEWAY, NULL, 0, 2);
}

/* ---- texts that were given ----------------------------------------------------- */

static void
expect_told(struct bed *b, const char *rule, const char *talk, int64_t want)
{
	int64_t at = -1;

	assert_true(store_told_get(b->of[STORE_ADMIN], rule, talk, &at,
	    NULL));
	assert_int_equal(at, want);
}

static void
when_a_text_was_last_given_is_known_by_rule_and_conversation(void **state)
{
	struct bed *b = bed_of(state);

	expect_told(b, "r", "t", 0);
	begin(b, STORE_GATEWAY);
	assert_true(store_told_set(gateway(b), "r", "t", T0 + 5));
	assert_true(store_told_set(gateway(b), "r", "t'", T0 + 7));
	commit(b, STORE_GATEWAY);
	expect_told(b, "r", "t", T0 + 5);
	expect_told(b, "r", "t'", T0 + 7);
	expect_told(b, "r2", "t", 0);
	begin(b, STORE_GATEWAY);
	assert_true(store_told_set(gateway(b), "r", "t", T0));
	assert_true(store_told_set(gateway(b), "r", "t'", T0 + 8));
	commit(b, STORE_GATEWAY);
	expect_told(b, "r", "t", T0 + 5);
	expect_told(b, "r", "t'", T0 + 8);
	begin(b, STORE_GATEWAY);
	assert_true(store_told_set(gateway(b), "r", "t", T0 + 50));
	store_rollback(gateway(b));
	expect_told(b, "r", "t", T0 + 5);
}

#define TEST(name) cmocka_unit_test(name)
const struct CMUnitTest store_contract_remembering[] = {
	TEST(the_latest_upload_of_an_id_is_given),
	TEST(an_upload_may_have_been_put_by_the_caller_or_have_no_file),
	TEST(what_is_not_in_the_spool_or_not_as_long_is_no_upload),
	TEST(an_upload_may_be_tried_again_when_its_transaction_failed),
	TEST(an_upload_whose_file_is_nowhere_has_none),
	TEST(old_uploads_lose_their_file_and_keep_their_row),
	TEST(a_file_that_two_uploads_share_goes_with_the_last),
	TEST(the_law_is_broken_by_an_upload_whose_file_is_gone),
	TEST(a_definition_is_the_one_that_held_at_the_time),
	TEST(the_same_wording_asked_for_again_is_no_new_version),
	TEST(that_a_template_is_unknown_is_known_too),
	TEST(a_clock_set_back_loses_no_version),
	TEST(definitions_of_other_accounts_names_and_languages_are_others),
	TEST(a_definition_in_doubt_is_to_be_asked_for_again),
	TEST(different_ones_are_counted_since_a_time),
	TEST(nobody_counts_further_than_he_is_asked_to),
	TEST(build_and_gateway_count_each_for_itself),
	TEST(old_counts_are_forgotten_a_few_at_a_time),
	TEST(other_files_count_nothing),
	TEST(nobody_is_no_one_to_count),
	TEST(when_a_text_was_last_given_is_known_by_rule_and_conversation),
};
const size_t store_contract_remembering_n =
    G_N_ELEMENTS(store_contract_remembering);
