/* SPDX-License-Identifier: Apache-2.0 */
/* media, the parts without a network: plan, times, digests, types, files. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/media/media_int.h"

/* ---- the plan -------------------------------------------------------------------- */

/* Words of the table below, in the order of enum media_step. */
static const char *const step_names[] = { "held", "kept", "upload", "hint", "find",
	"get", "find-again", "get-again", "scan", "keep", "KEPT", "LATER",
	"CONF", "NEVER" };

static enum media_step
step_of(const char *name, size_t len)
{
	for (size_t i = 0; i < G_N_ELEMENTS(step_names); i++) {
		if (strlen(step_names[i]) == len &&
		    strncmp(step_names[i], name, len) == 0)
			return (enum media_step)i;
	}
	fail_msg("no step %.*s", (int)len, name);
	return STEPS;
}

/* Every outcome of every step, in the order of enum media_outcome. */
static void
the_plan_is_this_table(void **state)
{
	static const char *const rows[STEPS] = {
		/* OK NONE EXPIRED REFUSED DIFFERS LATER CONF NEVER */
		"scan kept kept kept kept LATER CONF NEVER",
		"scan upload upload upload upload LATER CONF NEVER",
		"scan hint hint hint hint LATER CONF NEVER",
		"scan find find find find LATER CONF NEVER",
		"get LATER LATER LATER LATER LATER CONF NEVER",
		"scan LATER find-again LATER LATER LATER CONF NEVER",
		"get-again LATER LATER LATER LATER LATER CONF NEVER",
		"scan LATER LATER LATER LATER LATER CONF NEVER",
		"keep keep LATER LATER LATER LATER CONF NEVER",
		"KEPT LATER LATER LATER LATER LATER CONF NEVER",
	};

	(void)state;
	for (int s = 0; s < STEPS; s++) {
		const char *p = rows[s];

		for (int o = 0; o < OUTCOMES; o++) {
			size_t len = strcspn(p, " ");
			enum media_step want = step_of(p, len);
			enum media_step got = media_plan_next(
			    (enum media_step)s, (enum media_outcome)o);

			if (got != want)
				fail_msg("%s, outcome %d: %s", step_names[s],
				    o, step_names[got]);
			p += len + (p[len] == ' ');
		}
		assert_string_equal(p, "");
	}
}

static void
every_walk_through_the_plan_ends(void **state)
{
	(void)state;
	/* Each step leads to a later one or an end. */
	for (int s = 0; s < STEPS; s++) {
		for (int o = 0; o < OUTCOMES; o++)
			assert_true((int)media_plan_next((enum media_step)s,
			    (enum media_outcome)o) > s);
	}
}

static void
only_size_and_a_bad_id_are_final(void **state)
{
	static const struct {
		enum err_kind kind;
		const char *what;
		enum media_outcome outcome;
	} rows[] = {
		{ ERR_NONE, "", OUT_OK },
		{ ERR_TEMP, "graph.network", OUT_LATER },
		{ ERR_TEMP, "graph.deadline", OUT_LATER },
		{ ERR_TEMP, "graph.throttled", OUT_LATER },
		{ ERR_TEMP, "graph.server", OUT_LATER },
		{ ERR_TEMP, "graph.stopped", OUT_LATER },
		{ ERR_TEMP, "graph.expired", OUT_EXPIRED },
		{ ERR_PERM, "graph.gone", OUT_REFUSED },
		{ ERR_PERM, "graph.host", OUT_REFUSED },
		{ ERR_PERM, "graph.request", OUT_REFUSED },
		{ ERR_PERM, "graph.size", OUT_NEVER },
		{ ERR_PERM, "graph.id", OUT_NEVER },
		{ ERR_CONF, "graph.auth", OUT_CONF },
		{ ERR_CONF, "graph.conf", OUT_CONF },
		{ ERR_TEMP, "media.differs", OUT_DIFFERS },
		{ ERR_TEMP, "media.scan", OUT_LATER },
		{ ERR_TEMP, "io.write", OUT_LATER },
		{ ERR_CONF, "io.publish", OUT_LATER },
		{ ERR_PERM, "something.new", OUT_LATER },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct err err = { .kind = rows[i].kind };

		g_strlcpy(err.what, rows[i].what, sizeof(err.what));
		if (media_plan_outcome(&err) != rows[i].outcome)
			fail_msg("%s", rows[i].what);
	}
}

static struct media_times
times(int64_t now_ms, int64_t attempts)
{
	return (struct media_times){ .at_ms = 1000, .give_up_ms = 1000000,
		.now_ms = now_ms, .attempts = attempts, .retry_min_ms = 100,
		.retry_max_ms = 5000, .salt = 7 };
}

static void
waits_double_up_to_the_longest(void **state)
{
	int64_t want = 100;

	(void)state;
	for (int64_t n = 1; n < 70; n++) {
		struct media_times t = times(2000, n);
		int64_t next = 0;

		assert_true(media_plan_again(&t, &next));
		assert_in_range(next - 2000, want, want + want / 8);
		want = MIN(want * 2, 5000);
	}
}

static void
the_last_try_is_when_the_time_is_over(void **state)
{
	struct media_times t = times(1000999, 20);
	int64_t next = 0;

	(void)state;
	assert_true(media_plan_again(&t, &next));
	assert_int_equal(next, 1001000);
	t.now_ms = 1001000;
	assert_false(media_plan_again(&t, &next));
}

static void
a_wait_that_was_asked_for_is_kept(void **state)
{
	struct media_times t = times(2000, 1);
	int64_t next = 0;

	(void)state;
	t.asked_ms = 70000;
	assert_true(media_plan_again(&t, &next));
	assert_int_equal(next, 72000);
	t.asked_ms = 1;
	assert_true(media_plan_again(&t, &next));
	assert_true(next >= 2100);
}

static void
what_failed_together_is_not_tried_together(void **state)
{
	int64_t first = 0, next = 0;
	bool differ = false;

	(void)state;
	for (uint64_t salt = 0; salt < 10; salt++) {
		struct media_times t = times(2000, 6);

		t.salt = salt;
		assert_true(media_plan_again(&t, &next));
		differ |= first != 0 && next != first;
		first = next;
	}
	assert_true(differ);
}

/* ---- types ---------------------------------------------------------------------------- */

static void
a_type_is_plain_without_parameters_and_other_names(void **state)
{
	static const char *const rows[][2] = {
		{ "image/jpeg", "image/jpeg" }, { "Image/JPG", "image/jpeg" },
		{ "audio/ogg; codecs=opus", "audio/ogg" },
		{ " text/plain ;charset=x", "text/plain" },
		{ "application/vnd.oasis.opendocument.text",
		    "application/vnd.oasis.opendocument.text" },
		{ "", NULL }, { "image", NULL }, { "/", NULL }, { "a/", NULL },
		{ "/b", NULL }, { "a b/c", NULL }, { "a/b\r\nX: y", NULL },
		{ "a/b/c", NULL }, { "a/\xc3\xa9", NULL },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = media_type_plain(rows[i][0]);

		if (g_strcmp0(got, rows[i][1]) != 0)
			fail_msg("%s: %s", rows[i][0], got);
	}
}

/* Declared by Meta or the sender, seen by libmagic 5.44. */
static void
other_names_and_containers_are_no_difference(void **state)
{
	static const char ooxml[] = "application/vnd.openxmlformats-"
	    "officedocument.wordprocessingml.document";
	static const char *const rows[][2] = {
		{ "image/jpeg", "image/jpeg" }, { "image/jpg", "image/jpeg" },
		{ "audio/ogg; codecs=opus", "audio/ogg" },
		{ "audio/opus", "audio/ogg" }, { "audio/ogg", "application/ogg" },
		{ "audio/mpeg", "audio/mpeg" }, { "audio/mp3", "audio/mpeg" },
		{ "audio/mpeg", "application/octet-stream" },
		{ "audio/mp4", "video/mp4" }, { "audio/mp4", "audio/x-m4a" },
		{ "audio/aac", "audio/x-hx-aac-adts" },
		{ "audio/amr", "audio/AMR" }, { "video/3gpp", "video/mp4" },
		{ "video/mp4", "video/quicktime" },
		{ ooxml, "application/zip" },
		{ ooxml, "application/vnd.openxmlformats-officedocument" },
		{ ooxml, "application/CDFV2-encrypted" },
		{ "application/msword", "application/CDFV2" },
		{ "application/msword", ooxml },
		{ "application/vnd.ms-excel", "application/x-ole-storage" },
		{ "application/vnd.ms-excel", "text/csv" },
		{ "application/vnd.ms-powerpoint", "application/vnd.ms-office" },
		{ "application/vnd.android.package-archive",
		    "application/java-archive" },
		{ "application/vnd.oasis.opendocument.text", "application/zip" },
		{ "text/plain", "text/x-c" }, { "text/csv", "text/plain" },
		{ "text/csv", "application/csv" },
		{ "text/plain", "application/json" },
		{ "application/json", "text/plain" },
		{ "text/vcard", "text/plain" }, { "text/plain", "text/html" },
		{ "text/xml", "text/xml" }, { "application/xml", "text/plain" },
		{ "application/rtf", "text/rtf" },
		{ "application/pgp-signature", "text/plain" },
		{ "application/octet-stream", "application/pdf" },
		{ "application/x-own", "application/octet-stream" },
		{ "image/svg+xml", "image/svg+xml" },
		{ "application/vnd.custom+xml", "text/xml" },
		{ "no type", "image/png" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *declared = media_type_plain(rows[i][0]);
		g_autofree char *seen = media_type_plain(rows[i][1]);

		if (!media_type_fits(declared, seen))
			fail_msg("%s seen as %s is a difference", rows[i][0],
			    rows[i][1]);
	}
	assert_true(media_type_fits(NULL, "image/png"));
}

static void
another_kind_of_file_is_a_difference(void **state)
{
	static const char *const rows[][2] = {
		{ "image/jpeg", "image/png" }, { "image/jpeg", "text/html" },
		{ "image/jpeg", "application/octet-stream" },
		{ "image/png", "inode/x-empty" },
		{ "application/pdf", "application/x-dosexec" },
		{ "application/pdf", "text/plain" },
		{ "application/pdf", "application/zip" },
		{ "application/pdf", "application/octet-stream" },
		{ "audio/ogg", "application/x-dosexec" },
		{ "audio/ogg; codecs=opus", "text/html" },
		{ "video/mp4", "application/zip" },
		{ "text/plain", "application/x-dosexec" },
		{ "text/csv", "application/pdf" },
		{ "image/webp", "application/x-executable" },
		{ "application/vnd.openxmlformats-officedocument."
		    "spreadsheetml.sheet", "application/pdf" },
		{ "application/vnd.openxmlformats-officedocument."
		    "spreadsheetml.sheet", "text/html" },
		{ "application/zip", "application/x-dosexec" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *declared = media_type_plain(rows[i][0]);
		g_autofree char *seen = media_type_plain(rows[i][1]);

		if (media_type_fits(declared, seen))
			fail_msg("%s seen as %s is no difference", rows[i][0],
			    rows[i][1]);
	}
}

static void
the_name_that_says_more_is_the_better_one(void **state)
{
	static const char *const rows[][3] = {
		{ "image/jpeg", "image/jpeg", "image/jpeg" },
		{ "image/jpeg", "text/html", "text/html" },
		{ "text/csv", "text/plain", "text/csv" },
		{ "text/plain", "text/html", "text/html" },
		{ "application/vnd.ms-excel", "application/x-ole-storage",
		    "application/vnd.ms-excel" },
		{ "audio/aac", "application/octet-stream", "audio/aac" },
		{ "application/octet-stream", "image/png", "image/png" },
		{ "message/rfc822", "message/rfc822",
		    "application/octet-stream" },
		{ "message/rfc822", "text/plain", "application/octet-stream" },
		{ "image/png", "inode/x-empty", "application/octet-stream" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_string_equal(media_type_best(rows[i][0], rows[i][1]),
		    rows[i][2]);
	assert_string_equal(media_type_best(NULL, "image/png"), "image/png");
}

/* ---- the scanner's words ----------------------------------------------------------------- */

static void
a_reply_is_a_verdict_only_in_its_exact_form(void **state)
{
	static const struct {
		const char *reply;
		enum media_reply is;
		const char *text;
	} rows[] = {
		{ "stream: OK", REPLY_CLEAN, "" },
		{ "stream: Eicar-Test-Signature FOUND", REPLY_INFECTED,
		    "Eicar-Test-Signature" },
		{ "stream: A b(c:1) FOUND", REPLY_INFECTED, "A b(c:1)" },
		{ "stream: x\x1b[1m\r\ny FOUND", REPLY_INFECTED, "x[1m y" },
		{ "INSTREAM size limit exceeded. ERROR", REPLY_TOO_LARGE,
		    NULL },
		{ "stream: Can't open file or directory ERROR", REPLY_ERROR,
		    NULL },
		{ "UNKNOWN COMMAND", REPLY_ERROR, NULL },
		{ "", REPLY_ERROR, NULL }, { "OK", REPLY_ERROR, NULL },
		{ "stream: OK ", REPLY_ERROR, NULL },
		{ "stream: OK\n", REPLY_ERROR, NULL },
		{ "Stream: OK", REPLY_ERROR, NULL },
		{ "stream:  FOUND", REPLY_ERROR, NULL },
		{ "stream: FOUND", REPLY_ERROR, NULL },
		{ "FOUND", REPLY_ERROR, NULL },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = NULL;

		if (media_clamd_parse(rows[i].reply, strlen(rows[i].reply),
		    &text) != rows[i].is)
			fail_msg("\"%s\"", rows[i].reply);
		if (rows[i].text != NULL)
			assert_string_equal(text, rows[i].text);
	}
}

static void
a_scanner_is_a_path_or_a_host_and_port(void **state)
{
	static const char *const good[][3] = {
		{ "127.0.0.1:3310", "127.0.0.1", "3310" },
		{ "clamd.bank.example:3310", "clamd.bank.example", "3310" },
		{ "[::1]:3310", "::1", "3310" },
	};
	static const char *const bad[] = { "", "clamd", "clamd:", ":3310",
		"a:b", "::1:3310", "[]:3310", "clamd:33 10" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autofree char *host = NULL, *port = NULL;

		assert_true(media_clamd_address(good[i][0], &host, &port));
		assert_string_equal(host, good[i][1]);
		assert_string_equal(port, good[i][2]);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		char *host = NULL, *port = NULL;

		assert_false(media_clamd_address(bad[i], &host, &port));
	}
}

/* ---- files ------------------------------------------------------------------------------- */

static char *
make_dir(void)
{
	char name[] = "/tmp/cj-media-XXXXXX";

	return g_strdup(mkdtemp(name));
}

static void
run_rm(const char *dir)
{
	const char *argv[] = { "rm", "-rf", dir, NULL };

	g_spawn_sync(NULL, (char **)(uintptr_t)argv, NULL,
	    G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
}

static void
put(const char *dir, const char *name, const char *content)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);

	assert_true(g_file_set_contents(path, content, -1, NULL));
}

static bool
has(const char *dir, const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);

	return access(path, F_OK) == 0;
}

static void
a_file_is_published_below_two_directories_of_its_digest(void **state)
{
	g_autofree char *dir = make_dir();
	g_autofree char *from = g_build_filename(dir, "x.part", NULL);
	uint8_t sha256[HASH_SIZE];
	g_autofree char *name = NULL;
	struct err err = ERR_INIT;

	(void)state;
	hash_sha256("test", 4, sha256);
	name = hash_path(sha256);
	assert_string_equal(name, "9f/86/9f86d081884c7d659a2feaa0c55ad015a3bf"
	    "4f1b2b0b822cd15d6c15b0f00a08");
	put(dir, "x.part", "test");
	assert_true(media_file_publish(from, dir, name, false, &err));
	assert_true(has(dir, name));
	assert_false(has(dir, "x.part"));
	/* The same bytes once more. */
	put(dir, "x.part", "test");
	assert_true(media_file_publish(from, dir, name, false, &err));
	put(dir, "x.part", "test");
	assert_true(media_file_publish(from, dir, name, true, &err));
	assert_true(has(dir, "x.part"));
	assert_false(media_file_publish("/nonexistent", dir, name, false,
	    &err));
	run_rm(dir);
}

static void
the_sweep_takes_unfinished_downloads_and_nothing_else(void **state)
{
	g_autofree char *dir = make_dir();

	(void)state;
	put(dir, "media-1.part", "");
	put(dir, "media-2.held", "");
	put(dir, "mail-3.part", "");
	assert_true(media_sweep(dir, NULL));
	assert_false(has(dir, "media-1.part"));
	assert_true(has(dir, "media-2.held"));
	assert_true(has(dir, "mail-3.part"));
	media_drop(dir, 2);
	media_drop(dir, 3);
	assert_false(has(dir, "media-2.held"));
	assert_true(has(dir, "mail-3.part"));
	assert_false(media_sweep("/nonexistent", NULL));
	run_rm(dir);
}

/* ---- libmagic ------------------------------------------------------------------------------ */

#define DATA(s) (s), sizeof(s) - 1

static void
bytes_are_recognised_by_their_beginning(void **state)
{
	static const struct {
		const char *declared;
		const char *data;
		size_t len;
		const char *type;
		bool differs;
	} rows[] = {
		{ "image/jpg", DATA("\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1"
		    "\0\1\0\0\xff\xd9"), "image/jpeg", false },
		{ "image/jpeg", DATA("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1"
		    "\0\0\0\1\10\6\0\0\0"), "image/png", true },
		{ "image/webp", DATA("RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0"),
		    "image/webp", false },
		{ "audio/ogg; codecs=opus", DATA("OggS\0\2\0\0\0\0\0\0\0\0\1"
		    "\0\0\0\0\0\0\0\0\0\0\0\1\x13OpusHead\1\1\0\0\x80\xbb\0"
		    "\0\0\0\0"), "audio/ogg", false },
		{ "application/pdf", DATA("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"),
		    "application/pdf", false },
		{ "application/pdf", DATA("MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff"
		    "\0\0"), NULL, true },
		{ "image/jpeg", DATA("<!DOCTYPE html><html><body>Sorry"),
		    "text/html", true },
		{ "application/vnd.openxmlformats-officedocument."
		    "wordprocessingml.document", DATA("PK\3\4\x14\0\0\0\0\0"
		    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0x"),
		    "application/vnd.openxmlformats-officedocument."
		    "wordprocessingml.document", false },
		{ "text/csv", DATA("name;sum\nx;1\n"), "text/csv", false },
		{ NULL, DATA("hello\n"), "text/plain", false },
		{ "image/jpeg", DATA(""), "application/octet-stream", true },
		{ "x\r\ny: z", DATA("\1\2\3\4"), "application/octet-stream",
		    false },
	};
	g_autofree char *dir = make_dir();
	g_autofree char *path = g_build_filename(dir, "file", NULL);
	struct media_conf conf = { 0 };
	struct media *m;

	(void)state;
	assert_true(media_new(&conf, &m, NULL));
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct media_want want = { .mime_type = rows[i].declared };
		struct media_result r;

		assert_true(g_file_set_contents(path, rows[i].data,
		    (gssize)rows[i].len, NULL));
		assert_true(media_inspect(m, &want, path, &r, NULL));
		if ((rows[i].type != NULL &&
		    strcmp(r.type, rows[i].type) != 0) ||
		    r.type_differs != rows[i].differs)
			fail_msg("row %zu: %s %d", i, r.type, r.type_differs);
		media_result_clear(&r);
	}
	media_free(m);
	run_rm(dir);
}

static void
a_file_at_hand_is_compared_with_what_was_declared(void **state)
{
	g_autofree char *dir = make_dir();
	g_autofree char *path = g_build_filename(dir, "file", NULL);
	struct media_want want = {
		.sha256 = "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=" };
	struct media_conf conf = { 0 };
	struct media *m;
	struct media_result r;
	struct err err = ERR_INIT;

	(void)state;
	assert_true(media_new(&conf, &m, NULL));
	put(dir, "file", "test");
	assert_true(media_inspect(m, &want, path, &r, NULL));
	assert_int_equal(r.state, MEDIA_FETCHED);
	assert_string_equal(r.path, path);
	assert_int_equal(r.size, 4);
	assert_false(r.hash_differs);
	media_result_clear(&r);
	put(dir, "file", "tesT");
	assert_true(media_inspect(m, &want, path, &r, NULL));
	assert_true(r.hash_differs);
	media_result_clear(&r);
	assert_false(media_inspect(m, &want, "/nonexistent", &r, &err));
	assert_string_equal(err.what, "io.open");
	media_free(m);
	run_rm(dir);
}

static void
a_configuration_that_cannot_work_is_refused(void **state)
{
	struct media_conf conf = { .dir = "/nonexistent", .spool = "/tmp" };
	struct media *m = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_false(media_new(&conf, &m, &err));
	assert_int_equal(err.kind, ERR_CONF);
	conf = (struct media_conf){ .dir = "/tmp", .spool = "/tmp",
		.clamd = "clamd" };
	assert_false(media_new(&conf, &m, &err));
	assert_int_equal(err.kind, ERR_CONF);
	media_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_plan_is_this_table),
		cmocka_unit_test(every_walk_through_the_plan_ends),
		cmocka_unit_test(only_size_and_a_bad_id_are_final),
		cmocka_unit_test(waits_double_up_to_the_longest),
		cmocka_unit_test(the_last_try_is_when_the_time_is_over),
		cmocka_unit_test(a_wait_that_was_asked_for_is_kept),
		cmocka_unit_test(what_failed_together_is_not_tried_together),
		cmocka_unit_test(
		    a_type_is_plain_without_parameters_and_other_names),
		cmocka_unit_test(other_names_and_containers_are_no_difference),
		cmocka_unit_test(another_kind_of_file_is_a_difference),
		cmocka_unit_test(the_name_that_says_more_is_the_better_one),
		cmocka_unit_test(a_reply_is_a_verdict_only_in_its_exact_form),
		cmocka_unit_test(a_scanner_is_a_path_or_a_host_and_port),
		cmocka_unit_test(
		    a_file_is_published_below_two_directories_of_its_digest),
		cmocka_unit_test(
		    the_sweep_takes_unfinished_downloads_and_nothing_else),
		cmocka_unit_test(bytes_are_recognised_by_their_beginning),
		cmocka_unit_test(
		    a_file_at_hand_is_compared_with_what_was_declared),
		cmocka_unit_test(a_configuration_that_cannot_work_is_refused),
	};

	return cmocka_run_group_tests_name("media", tests, NULL, NULL);
}
