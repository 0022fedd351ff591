/* SPDX-License-Identifier: Apache-2.0 */
/* base: errors, clock, hash, io, text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "hash.h"
#include "io.h"
#include "log.h"
#include "text.h"

static void
an_error_text_that_is_too_long_is_cut_at_a_character(void **state)
{
	struct err err = ERR_INIT;
	g_autofree char *many = g_strnfill(1000, 'x');
	g_autoptr(GString) cyr = g_string_new(NULL);

	(void)state;
	assert_false(err_set(&err, ERR_TEMP, "a.b", "%s", many));
	assert_string_equal(err.what, "a.b");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_true(g_str_has_suffix(err.text, "xx..."));
	for (int i = 0; i < 600; i++)
		g_string_append(cyr, "ы");
	err_set(&err, ERR_TEMP, "a.b", "y%s", cyr->str);
	assert_true(text_is_utf8(err.text, strlen(err.text)));
}

static void
context_is_put_in_front_and_keeps_kind_and_name(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	err_set(&err, ERR_PERM, "wa.json", "bad byte");
	assert_false(err_context(&err, "event %d", 7));
	assert_string_equal(err.text, "event 7: bad byte");
	assert_string_equal(err.what, "wa.json");
	assert_int_equal(err.kind, ERR_PERM);
}

static void
dates_are_spelt_by_rfc_5322_and_iso_8601(void **state)
{
	char buf[CLOCK_RFC5322_SIZE], iso[CLOCK_ISO_SIZE];
	static const struct {
		int64_t ms;
		const char *mail, *iso;
	} rows[] = {
		{ 0, "Thu, 01 Jan 1970 00:00:00 +0000",
			"1970-01-01T00:00:00.000Z" },
		{ 1770127509402, "Tue, 03 Feb 2026 14:05:09 +0000",
			"2026-02-03T14:05:09.402Z" },
		{ 951782400000, "Tue, 29 Feb 2000 00:00:00 +0000",
			"2000-02-29T00:00:00.000Z" },
		{ 4107542399999, "Sun, 28 Feb 2100 23:59:59 +0000",
			"2100-02-28T23:59:59.999Z" },
		{ -1, "Wed, 31 Dec 1969 23:59:59 +0000",
			"1969-12-31T23:59:59.999Z" },
		{ 253402300800000, "Sat, 01 Jan 10000 00:00:00 +0000",
			"10000-01-01T00:00:00.000Z" },
		{ -62167219200001, "Fri, 31 Dec -001 23:59:59 +0000",
			"-001-12-31T23:59:59.999Z" },
		{ INT64_MAX, "Sun, 17 Aug 292278994 07:12:55 +0000",
			"292278994-08-17T07:12:55.807Z" },
		{ INT64_MIN, "Sun, 16 May -292275055 16:47:04 +0000",
			"-292275055-05-16T16:47:04.192Z" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		assert_string_equal(clock_rfc5322(rows[i].ms, buf),
		    rows[i].mail);
		assert_string_equal(clock_iso(rows[i].ms, 1, iso),
		    rows[i].iso);
	}
	assert_string_equal(clock_iso(1770127509402, 0, iso),
	    "2026-02-03T14:05:09Z");
}

/* Also across the changes to and from summer time. */
static void
local_time_is_that_of_the_zone_with_its_offset(void **state)
{
	static const struct {
		const char *zone;
		int64_t ms;
		const char *local;
	} rows[] = {
		{ "America/Sao_Paulo", 1770127509402,
			"2026-02-03 11:05:09 -03" },
		{ "Asia/Kolkata", 1770127509000, "2026-02-03 19:35:09 +05:30" },
		{ "Europe/London", 1774745999000, "2026-03-29 00:59:59 +00" },
		{ "Europe/London", 1774746000000, "2026-03-29 02:00:00 +01" },
		{ "America/St_Johns", 1770127509000,
			"2026-02-03 10:35:09 -03:30" },
		{ "Etc/UTC", -1, "1969-12-31 23:59:59 +00" },
	};
	static const char *const bad[] = { "Mars/Olympus", "", "/etc/passwd",
		"../UTC", "-03:00", NULL };
	char out[CLOCK_LOCAL_SIZE];

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct clock_zone *z = clock_zone_get(rows[i].zone);

		assert_non_null(z);
		assert_ptr_equal(z, clock_zone_get(rows[i].zone));
		assert_string_equal(clock_zone_name(z), rows[i].zone);
		assert_string_equal(clock_local(z, rows[i].ms, out),
		    rows[i].local);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_null(clock_zone_get(bad[i]));
}

static void
no_stored_time_is_believed_that_is_further_than_its_longest_wait(void **state)
{
	const int64_t now = 1790000000000, most = 60000;
	const int64_t far = now + most + CLOCK_SLACK_MS;

	(void)state;
	assert_int_equal(clock_far_ms(now, most), far);
	assert_false(clock_is_far(now - 1, now, most));
	assert_false(clock_is_far(far, now, most));
	assert_true(clock_is_far(far + 1, now, most));
	assert_true(clock_is_far(now + 5 * 3600000, now, most));
	/* Never, and waits without an end. */
	assert_false(clock_is_far(INT64_MAX, now, most));
	assert_true(clock_far_ms(now, INT64_MAX) == INT64_MAX);
	assert_true(clock_far_ms(now, INT64_MAX - now) == INT64_MAX);
	assert_false(clock_is_far(INT64_MAX - 1, now, INT64_MAX - 1));
}

static void
a_clock_may_be_back_at_the_start_and_when_it_jumped(void **state)
{
	const int64_t now = 1790000000000;

	(void)state;
	assert_true(clock_may_be_back(0, now));
	assert_false(clock_may_be_back(now, now));
	assert_false(clock_may_be_back(now, now + 3600000));
	assert_false(clock_may_be_back(now, now - CLOCK_SLACK_MS));
	assert_true(clock_may_be_back(now, now - CLOCK_SLACK_MS - 1));
}

static void
a_wall_clock_shows_weekday_and_minute_of_its_own_zone(void **state)
{
	static const struct {
		const char *zone, *utc;
		struct clock_civil want;
	} rows[] = {
		{ NULL, "1970-01-01T00:00:00Z", { 1970, 1, 1, 3, 0 } },
		{ NULL, "2026-02-08T23:59:59Z", { 2026, 2, 8, 6, 1439 } },
		/* Sunday here is Monday there, and the other way round. */
		{ "Asia/Tokyo", "2026-02-08T15:00:00Z", { 2026, 2, 9, 0, 0 } },
		{ "America/Sao_Paulo", "2026-01-01T02:59:00Z",
		    { 2025, 12, 31, 2, 1439 } },
		/* Clocks go forward at 01:00 UTC on the 29th of March. */
		{ "Europe/London", "2026-03-29T00:59:00Z",
		    { 2026, 3, 29, 6, 59 } },
		{ "Europe/London", "2026-03-29T01:00:00Z",
		    { 2026, 3, 29, 6, 120 } },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct clock_civil c;

		clock_civil(rows[i].zone != NULL ?
		    clock_zone_get(rows[i].zone) : NULL,
		    clock_parse(rows[i].utc), &c);
		assert_int_equal(c.year, rows[i].want.year);
		assert_int_equal(c.month, rows[i].want.month);
		assert_int_equal(c.day, rows[i].want.day);
		assert_int_equal(c.weekday, rows[i].want.weekday);
		assert_int_equal(c.minute, rows[i].want.minute);
	}
}

static void
a_date_is_read_only_when_there_is_such_a_day(void **state)
{
	static const char *const bad[] = { "2026-02-29", "2026-04-31",
		"2026-13-01", "2026-00-10", "2026-2-3", "2026-02-03T14:05:09",
		"2026-02-03T24:00:00Z", "2026-02-03T14:60:00Z", "1969-12-31",
		"2026-02-03 ", "", "yesterday" };

	(void)state;
	assert_int_equal(clock_parse("1970-01-01"), 0);
	assert_int_equal(clock_parse("2000-02-29"), 951782400000);
	assert_int_equal(clock_parse("2026-02-03T14:05:09Z"), 1770127509000);
	assert_int_equal(clock_parse("2100-02-28T23:59:59Z"), 4107542399000);
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_int_equal(clock_parse(bad[i]), -1);
}

static void
hmac_agrees_with_rfc_4231_and_the_webhook_vector(void **state)
{
	uint8_t mac[HASH_SIZE];
	char hex[HASH_HEX_SIZE];
	const char *body =
	    "{\"object\":\"whatsapp_business_account\",\"entry\":[]}";
	uint8_t key[131];

	(void)state;
	hash_hmac_sha256("test_app_secret", 15, body, strlen(body), mac);
	assert_string_equal(hash_hex(mac, hex),
	    "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756");
	memset(key, 0xaa, sizeof(key));
	body = "Test Using Larger Than Block-Size Key - Hash Key First";
	hash_hmac_sha256(key, sizeof(key), body, strlen(body), mac);
	assert_string_equal(hash_hex(mac, hex),
	    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void
sha256_of_nothing_and_its_base32_are_known(void **state)
{
	uint8_t d[HASH_SIZE];
	char hex[HASH_HEX_SIZE], b32[HASH_B32_SIZE];

	(void)state;
	hash_sha256("", 0, d);
	assert_string_equal(hash_hex(d, hex),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	/* coreutils: printf '' | sha256sum | xxd -r -p | base32 */
	assert_string_equal(hash_base32(d, b32), "4oymiquy7qobjgx36tejs35zeq");
}

static void
a_hash_in_pieces_is_that_of_the_whole(void **state)
{
	static const size_t cuts[] = { 0, 1, 63, 64, 65, 300 };
	uint8_t data[300], whole[HASH_SIZE], pieces[HASH_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	hash_sha256(data, sizeof(data), whole);
	for (size_t i = 0; i < G_N_ELEMENTS(cuts); i++) {
		struct hash *h = hash_new();

		hash_update(h, data, cuts[i]);
		/* Another one on the way does not disturb it. */
		hash_sha256("other", 5, pieces);
		hash_update(h, data + cuts[i], sizeof(data) - cuts[i]);
		hash_final(h, pieces);
		assert_true(hash_equal(whole, pieces, sizeof(whole)));
	}
	hash_final(hash_new(), NULL);
}

static void
a_digest_is_hex_or_base64(void **state)
{
	static const char *const same[] = {
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08",
		"n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
		"n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg",
		"n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg=",
	};
	static const char *const bad[] = { "", "x", "n4bQ",
		"n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgh=",
		"n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCg==",
		"n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg==",
		"n4bQgYhMfWWaL qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
		"gf86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0",
	};
	uint8_t want[HASH_SIZE], got[HASH_SIZE];

	(void)state;
	hash_sha256("test", 4, want);
	for (size_t i = 0; i < G_N_ELEMENTS(same); i++) {
		assert_true(hash_parse(same[i], got));
		assert_memory_equal(got, want, HASH_SIZE);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		if (hash_parse(bad[i], got))
			fail_msg("taken: %s", bad[i]);
	}
}

static void
hashed_strings_do_not_run_into_each_other(void **state)
{
	uint8_t a[HASH_SIZE], b[HASH_SIZE];

	(void)state;
	hash_strings(a, "ab", "c", NULL);
	hash_strings(b, "a", "bc", NULL);
	assert_false(hash_equal(a, b, sizeof(a)));
	hash_strings(b, "ab", "c", NULL);
	assert_true(hash_equal(a, b, sizeof(a)));
}

static void
utf8_is_strict_about_overlong_surrogate_and_range(void **state)
{
	static const struct {
		const char *s;
		bool ok;
	} rows[] = {
		{ "plain", true }, { "é ы 中 😀", true }, { "\xc0\xaf", false },
		{ "\xed\xa0\x80", false }, { "\xf5\x80\x80\x80", false },
		{ "\xf4\x90\x80\x80", false }, { "\xe0\x80\xaf", false },
		{ "\xc3", false }, { "a\x80", false },
		{ "\xf4\x8f\xbf\xbf", true }, { "\xf0\x8f\xbf\xbf", false },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_int_equal(text_is_utf8(rows[i].s, strlen(rows[i].s)),
		    rows[i].ok);
	assert_true(text_is_utf8("a\0b", 3));
}

static void
cleaning_removes_what_could_forge_a_line_or_its_reading_order(void **state)
{
	static const struct {
		const char *in;
		enum text_clean how;
		const char *want;
	} rows[] = {
		{ "Ana\r\nBcc: x@y", TEXT_LINE, "Ana Bcc: x@y" },
		{ "\r\n\tAna\n", TEXT_LINE, "Ana" },
		{ "a\n\n\n b", TEXT_LINE, "a b" },
		{ "one\r\ntwo\rthree\nfour\t.", TEXT_BLOCK,
			"one\ntwo\nthree\nfour\t." },
		{ "x\xe2\x80\xaegnp.exe", TEXT_LINE, "xgnp.exe" },
		{ "a\xe2\x81\xa6" "b\xe2\x81\xa9", TEXT_BLOCK, "ab" },
		{ "a\x1b[31mb\x7f", TEXT_LINE, "a[31mb" },
		{ "a\xc2\x9b" "b", TEXT_LINE, "ab" },
		{ "a\xff" "b", TEXT_LINE, "a\xef\xbf\xbd" "b" },
		{ "\xe2\x80\xa8para", TEXT_BLOCK, "\npara" },
		{ "👨\xe2\x80\x8d👩", TEXT_LINE, "👨\xe2\x80\x8d👩" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = text_clean(rows[i].in,
		    strlen(rows[i].in), rows[i].how, 1000);

		assert_string_equal(got, rows[i].want);
	}
}

static void
cleaning_cuts_at_a_character_and_shows_it(void **state)
{
	g_autofree char *cut = text_clean("привет мир", strlen("привет мир"),
	    TEXT_LINE, 6);
	g_autofree char *whole = text_clean("привет", strlen("привет"),
	    TEXT_LINE, 6);

	(void)state;
	assert_string_equal(cut, "приве…");
	assert_string_equal(whole, "привет");
}

static void
file_names_become_safe_base_names(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "../../etc/passwd", "_.._etc_passwd" },
		{ "a\r\nContent-Type: x.pdf", "a Content-Type_ x.pdf" },
		{ "...", "unnamed" }, { "", "unnamed" },
		{ "Relatório 2026.pdf", "Relatório 2026.pdf" },
		{ ".hidden", "hidden" }, { "trail. ", "trail" },
	};
	g_autofree char *long_name = NULL;
	g_autofree char *many = g_strnfill(300, 'x');
	g_autofree char *in = g_strconcat(many, ".pdf", NULL);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = text_clean_filename(rows[i].in);

		assert_string_equal(got, rows[i].want);
	}
	long_name = text_clean_filename(in);
	assert_int_equal(strlen(long_name), 120);
	assert_true(g_str_has_suffix(long_name, "x.pdf"));
}

static void
a_long_file_name_does_not_end_in_what_the_cut_laid_bare(void **state)
{
	g_autofree char *many = g_strnfill(118, 'x');
	g_autofree char *in = g_strconcat(many, ". yyyyyyyyyyyyyyyyyyyy", NULL);
	g_autofree char *got = text_clean_filename(in);

	(void)state;
	assert_string_equal(got, many);
}

static void
log_values_are_quoted_when_they_need_to_be(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "plain-1.2:x", "plain-1.2:x" }, { "", "\"\"" },
		{ "a b", "\"a b\"" }, { "a\nb", "\"a\\x0ab\"" },
		{ "a\"b\\", "\"a\\\"b\\\\\"" }, { "é", "\"\\xc3\\xa9\"" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = text_log_quote(rows[i].in);

		assert_string_equal(got, rows[i].want);
	}
}

static void
phone_numbers_are_digits_with_sane_length(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "5511999990000", "5511999990000" },
		{ "+5511999990000", "5511999990000" },
		{ "0511999990000", NULL }, { "12345", NULL },
		{ "1234567890123456", NULL }, { "55 11", NULL },
		{ "BR.5QeX", NULL }, { "", NULL },
	};
	g_autofree char *masked = text_mask("5511999990000");
	g_autofree char *all = text_mask("123");

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = text_phone_digits(rows[i].in);

		if (rows[i].want == NULL)
			assert_null(got);
		else
			assert_string_equal(got, rows[i].want);
	}
	assert_null(text_phone_digits(NULL));
	assert_string_equal(masked, "*********0000");
	assert_string_equal(all, "***");
}

static void
html_is_escaped(void **state)
{
	g_autoptr(GString) out = g_string_new(NULL);

	(void)state;
	text_html_escape(out, "<b a=\"1\" c='2'>&amp;");
	assert_string_equal(out->str,
	    "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;");
}

static char *
new_dir(void)
{
	return g_dir_make_tmp("chatjournal-base-XXXXXX", NULL);
}

static void
a_published_file_is_whole_and_leaves_no_temporary(void **state)
{
	g_autofree char *top = new_dir();
	g_autofree char *tmp = g_build_filename(top, "tmp", NULL);
	g_autofree char *to = g_build_filename(top, "new", NULL);
	g_autofree char *file = g_build_filename(to, "one", NULL);
	g_autofree char *left = g_build_filename(tmp, "one", NULL);
	g_autoptr(GBytes) got = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_true(io_mkdir_all(tmp, &err));
	assert_true(io_mkdir_all(to, &err));
	assert_true(io_publish(tmp, to, "one", "hello", 5, &err));
	assert_true(io_publish(tmp, to, "one", "hello", 5, &err));
	assert_true(io_file_load(file, 100, &got, &err));
	assert_memory_equal(g_bytes_get_data(got, NULL), "hello", 5);
	assert_int_equal(access(left, F_OK), -1);
	unlink(file);
	rmdir(tmp);
	rmdir(to);
	rmdir(top);
}

static void
publishing_into_a_missing_directory_names_it(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_false(io_publish("/nonexistent/tmp", "/nonexistent/new", "x",
	    "y", 1, &err));
	assert_int_equal(err.kind, ERR_CONF);
	assert_non_null(strstr(err.text, "/nonexistent/tmp/x"));
}

static void
a_secret_that_others_can_read_is_refused_with_the_remedy(void **state)
{
	g_autofree char *top = new_dir();
	g_autofree char *file = g_build_filename(top, "secret", NULL);
	g_autoptr(GBytes) got = NULL;
	struct err err = ERR_INIT;
	int fd = open(file, O_WRONLY | O_CREAT, 0600);

	(void)state;
	assert_true(io_write_all(fd, "hush\n", 5, &err));
	close(fd);
	assert_int_equal(chmod(file, 0644), 0);
	assert_false(io_secret_load(file, 100, &got, &err));
	assert_int_equal(err.kind, ERR_CONF);
	assert_non_null(strstr(err.text, "chmod 0640"));
	assert_int_equal(chmod(file, 0640), 0);
	assert_true(io_secret_load(file, 100, &got, &err));
	assert_string_equal(g_bytes_get_data(got, NULL), "hush");
	assert_int_equal(g_bytes_get_size(got), 4);
	assert_int_equal(truncate(file, 0), 0);
	g_clear_pointer(&got, g_bytes_unref);
	assert_false(io_secret_load(file, 100, &got, &err));
	unlink(file);
	rmdir(top);
}

static void
a_log_line_is_one_write_and_a_full_pipe_never_blocks(void **state)
{
	char buf[65536 * 2];
	int p[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	log_open_fd(p[1], 1, LOG_LEVEL_INFO);
	log_info("a.b", "n=%d text=%s", 1, "x\ny");
	log_debug("never.seen", "n=1");
	n = read(p[0], buf, sizeof(buf));
	assert_int_equal(n, strlen("<6>a.b n=1 text=x y\n"));
	assert_memory_equal(buf, "<6>a.b n=1 text=x y\n", (size_t)n);
	for (int i = 0; i < 10000; i++)
		log_warn("flood", "i=%d padding=%0100d", i, 0);
	n = read(p[0], buf, sizeof(buf));
	assert_true(n > 0);
	log_info("after", "x=1");
	n = read(p[0], buf, sizeof(buf) - 1);
	assert_true(n > 0);
	buf[n] = '\0';
	assert_non_null(strstr(buf, "<4>log.dropped count="));
	assert_non_null(strstr(buf, "<6>after x=1\n"));
	log_open_fd(STDERR_FILENO, 0, LOG_LEVEL_INFO);
	close(p[0]);
	close(p[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_error_text_that_is_too_long_is_cut_at_a_character),
		cmocka_unit_test(
		    context_is_put_in_front_and_keeps_kind_and_name),
		cmocka_unit_test(dates_are_spelt_by_rfc_5322_and_iso_8601),
		cmocka_unit_test(
		    local_time_is_that_of_the_zone_with_its_offset),
		cmocka_unit_test(
		    no_stored_time_is_believed_that_is_further_than_its_longest_wait),
		cmocka_unit_test(
		    a_clock_may_be_back_at_the_start_and_when_it_jumped),
		cmocka_unit_test(
		    a_wall_clock_shows_weekday_and_minute_of_its_own_zone),
		cmocka_unit_test(a_date_is_read_only_when_there_is_such_a_day),
		cmocka_unit_test(
		    hmac_agrees_with_rfc_4231_and_the_webhook_vector),
		cmocka_unit_test(sha256_of_nothing_and_its_base32_are_known),
		cmocka_unit_test(a_hash_in_pieces_is_that_of_the_whole),
		cmocka_unit_test(a_digest_is_hex_or_base64),
		cmocka_unit_test(hashed_strings_do_not_run_into_each_other),
		cmocka_unit_test(
		    utf8_is_strict_about_overlong_surrogate_and_range),
		cmocka_unit_test(
		    cleaning_removes_what_could_forge_a_line_or_its_reading_order),
		cmocka_unit_test(cleaning_cuts_at_a_character_and_shows_it),
		cmocka_unit_test(file_names_become_safe_base_names),
		cmocka_unit_test(
		    a_long_file_name_does_not_end_in_what_the_cut_laid_bare),
		cmocka_unit_test(log_values_are_quoted_when_they_need_to_be),
		cmocka_unit_test(phone_numbers_are_digits_with_sane_length),
		cmocka_unit_test(html_is_escaped),
		cmocka_unit_test(
		    a_published_file_is_whole_and_leaves_no_temporary),
		cmocka_unit_test(publishing_into_a_missing_directory_names_it),
		cmocka_unit_test(
		    a_secret_that_others_can_read_is_refused_with_the_remedy),
		cmocka_unit_test(
		    a_log_line_is_one_write_and_a_full_pipe_never_blocks),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
