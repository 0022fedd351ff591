/* SPDX-License-Identifier: Apache-2.0 */
/* deliver without a network: replies, waits, fitness, wire, Maildir. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../src/deliver/deliver_int.h"
#include "clock.h"
#include "deliver.h"
#include "err.h"
#include "io.h"

#define HEAD "Date: Tue, 03 Feb 2026 14:05:09 +0000\r\n" \
	"From: a@bank.example\r\nTo: j@bank.example\r\n" \
	"Message-ID: <t.1@bank.example>\r\n"

static void
a_reply_means_what_its_stage_makes_of_it(void **state)
{
	static const struct {
		enum deliver_stage stage;
		int code;
		const char *text;
		enum deliver_result want;
	} rows[] = {
		{ DELIVER_AT_DATA, 250, "2.0.0 Ok", DELIVER_ACCEPTED },
		{ DELIVER_AT_DATA, 299, "", DELIVER_ACCEPTED },
		{ DELIVER_AT_RCPT, 250, "ok", DELIVER_UNTRIED },
		{ DELIVER_AT_MAIL, 250, "ok", DELIVER_UNTRIED },
		{ DELIVER_AT_DATA, 354, "go", DELIVER_UNSURE },
		{ DELIVER_AT_DATA, 0, NULL, DELIVER_UNSURE },
		{ DELIVER_AT_MAIL, 0, NULL, DELIVER_UNTRIED },
		{ DELIVER_AT_MAIL, 451, "4.3.0 later", DELIVER_DEFERRED },
		{ DELIVER_AT_RCPT, 450, "grey", DELIVER_DEFERRED },
		{ DELIVER_AT_DATA, 452, "full", DELIVER_DEFERRED },
		{ DELIVER_AT_CONNECT, 450, "busy", DELIVER_RELAY },
		{ DELIVER_AT_CONNECT, 554, "go away", DELIVER_RELAY },
		{ DELIVER_AT_MAIL, 421, "bye", DELIVER_RELAY },
		{ DELIVER_AT_RCPT, 421, "bye", DELIVER_RELAY },
		{ DELIVER_AT_DATA, 421, "bye", DELIVER_RELAY },
		{ DELIVER_AT_MAIL, 530, "5.7.0 auth", DELIVER_RELAY },
		{ DELIVER_AT_RCPT, 530, "auth", DELIVER_RELAY },
		{ DELIVER_AT_MAIL, 534, "weak", DELIVER_RELAY },
		{ DELIVER_AT_MAIL, 535, "wrong", DELIVER_RELAY },
		{ DELIVER_AT_MAIL, 538, "encrypt", DELIVER_RELAY },
		{ DELIVER_AT_MAIL, 550, "5.7.1 denied", DELIVER_RELAY },
		{ DELIVER_AT_MAIL, 553, "5.7.27 no", DELIVER_RELAY },
		{ DELIVER_AT_MAIL, 552, "5.3.4 too big", DELIVER_REJECTED },
		{ DELIVER_AT_MAIL, 550, "15.7.1 odd", DELIVER_REJECTED },
		{ DELIVER_AT_MAIL, 550, NULL, DELIVER_REJECTED },
		{ DELIVER_AT_RCPT, 550, "5.7.1 denied", DELIVER_RELAY },
		{ DELIVER_AT_RCPT, 550, "5.1.1 unknown", DELIVER_REJECTED },
		{ DELIVER_AT_DATA, 554, "5.7.1 virus", DELIVER_REJECTED },
		{ DELIVER_AT_DATA, 554, "5.6.0 bad", DELIVER_REJECTED },
		{ DELIVER_AT_DATA, 600, "", DELIVER_UNSURE },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		enum deliver_result got = deliver_classify(rows[i].stage,
		    rows[i].code, rows[i].text);

		if (got != rows[i].want)
			fail_msg("row %zu: %d \"%s\": got %s, want %s", i,
			    rows[i].code, rows[i].text,
			    deliver_result_name(got),
			    deliver_result_name(rows[i].want));
	}
}

static void
what_a_shared_relay_denies_to_one_journal_is_deferred(void **state)
{
	const struct deliver_relay alone = { .name = "r" },
	    shared = { .name = "r", .shared = true };

	(void)state;
	assert_int_equal(deliver_judge(&alone, DELIVER_AT_RCPT, 554,
	    "5.7.1 denied"), DELIVER_RELAY);
	assert_int_equal(deliver_judge(&shared, DELIVER_AT_RCPT, 554,
	    "5.7.1 denied"), DELIVER_DEFERRED);
	assert_int_equal(deliver_judge(&shared, DELIVER_AT_MAIL, 550,
	    "5.7.1 denied"), DELIVER_DEFERRED);
	assert_int_equal(deliver_judge(&shared, DELIVER_AT_MAIL, 530,
	    "5.7.0 auth"), DELIVER_RELAY);
	assert_int_equal(deliver_judge(&shared, DELIVER_AT_RCPT, 421,
	    "4.3.2 bye"), DELIVER_RELAY);
	assert_int_equal(deliver_judge(&shared, DELIVER_AT_CONNECT, 554,
	    "5.7.1 go away"), DELIVER_RELAY);
	assert_int_equal(deliver_judge(&shared, DELIVER_AT_RCPT, 550,
	    "5.1.1 unknown"), DELIVER_REJECTED);
}

static void
the_wait_doubles_up_to_a_bound_with_a_quarter_of_jitter(void **state)
{
	static const struct {
		int attempts;
		int64_t wait;
	} rows[] = {
		{ 0, 1000 }, { 1, 1000 }, { 2, 2000 }, { 3, 4000 },
		{ 4, 8000 }, { 5, 9000 }, { 6, 9000 }, { 1000000, 9000 },
	};
	const struct deliver_schedule s = { .min_ms = 1000, .max_ms = 9000 };
	int64_t now = 1770127509402;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		int64_t low = INT64_MAX, high = 0;

		for (uint64_t seed = 0; seed < 500; seed++) {
			int64_t w = deliver_next_ms(&s, rows[i].attempts, seed,
			    now) - now;

			low = MIN(low, w);
			high = MAX(high, w);
		}
		assert_true(low >= rows[i].wait - rows[i].wait / 4);
		assert_true(high <= rows[i].wait + rows[i].wait / 4);
		/* Mails that failed together do not come back together. */
		assert_true(high - low > rows[i].wait / 3);
	}
	assert_int_equal(deliver_next_ms(&s, 3, 7, now),
	    deliver_next_ms(&s, 3, 7, now));
}

static void
the_longest_wait_does_not_overflow(void **state)
{
	const struct deliver_schedule s = { .min_ms = 1,
		.max_ms = INT64_MAX / 4 };
	const struct deliver_schedule odd = { .min_ms = 50, .max_ms = 10 };

	(void)state;
	assert_true(deliver_next_ms(&s, 1000, 1, 0) > INT64_MAX / 8);
	assert_true(deliver_next_ms(&odd, 1, 1, 0) <= 13);
}

static bool
is_fit(const char *text, enum deliver_header header, struct deliver_fit *fit,
    struct err *err)
{
	struct deliver_mail m = { .envelope_from = "", .envelope_to = "j@x",
		.bytes = text, .len = strlen(text) };

	return deliver_fit_check(&m, header, fit, err);
}

static void
a_mail_that_could_end_early_or_be_changed_is_not_sent(void **state)
{
	static const struct {
		const char *text;
		bool kept, esmtp;	/* fit when headers are kept; parsed */
	} rows[] = {
		{ HEAD "\r\nhello\r\n", true, true },
		{ HEAD "\r\n", true, true },
		{ HEAD "\r\nhello", false, false },
		{ HEAD "\r\nhello\n.\r\nMAIL FROM:<x>\r\n", false, false },
		{ HEAD "\r\nhello\r.\r\n", false, false },
		{ HEAD "\r\nhello\r\r\n", false, false },
		{ HEAD "\n\r\nhello\r\n", false, false },
		{ HEAD, true, false },
		{ "", false, false },
		{ HEAD "Return-Path: <x@y>\r\n\r\n", true, false },
		{ HEAD "return-path: <x@y>\r\n\r\n", true, false },
		{ HEAD "Resent-Reply-To: x@y\r\n\r\n", true, false },
		{ HEAD "Original-Recipient: x\r\n\r\n", true, false },
		{ HEAD "to: second@y\r\n\r\n", true, false },
		{ HEAD "Date: again\r\n\r\n", true, false },
		{ HEAD "X-A: 1\r\nX-A: 2\r\nReceived: a\r\nReceived: b\r\n\r\n",
			true, true },
		{ HEAD "\r\nDate: in the body\r\n", true, true },
		{ "From: a@b\r\nMessage-ID: <1@b>\r\n\r\n", true, false },
		{ "Date: x\r\nMessage-ID: <1@b>\r\n\r\n", true, false },
		{ "Date: x\r\nFrom: a@b\r\n\r\n", true, false },
	};
	struct deliver_fit fit;
	struct err err;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (is_fit(rows[i].text, DELIVER_HEADER_KEPT, &fit, &err) !=
		    rows[i].kept)
			fail_msg("row %zu, headers kept", i);
		if (is_fit(rows[i].text, DELIVER_HEADER_ESMTP, &fit, &err) !=
		    rows[i].esmtp)
			fail_msg("row %zu, headers parsed", i);
	}
}

static void
dots_are_counted_where_they_will_be_doubled(void **state)
{
	static const char text[] = HEAD ".X: 1\r\n\r\n.\r\n..a\r\nb.\r\n";
	struct deliver_fit fit;
	struct err err;

	(void)state;
	assert_true(is_fit(text, DELIVER_HEADER_ESMTP, &fit, &err));
	assert_int_equal(fit.wire_len, strlen(text) + 3 + 3);
	assert_false(fit.eight_bit);
	assert_true(is_fit(HEAD "\r\nol\xc3\xa1\r\n", DELIVER_HEADER_KEPT, &fit,
	    &err));
	assert_true(fit.eight_bit);
}

static void
an_address_that_could_carry_a_command_is_refused(void **state)
{
	static const char *const bad[] = { "", "a@b>\r\nDATA", "a b@c", "<a@b>",
		"a@b\n", "a\x7f@b", "\xc3\xa1@b" };
	g_autofree char *many = g_strnfill(300, 'a');
	struct deliver_mail m = { .envelope_from = "a@b", .bytes = HEAD "\r\n",
		.len = strlen(HEAD) + 2 };
	struct deliver_fit fit;
	struct err err;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		m.envelope_to = bad[i];
		assert_false(deliver_fit_check(&m, DELIVER_HEADER_KEPT, &fit,
		    &err));
	}
	m.envelope_to = many;
	assert_false(deliver_fit_check(&m, DELIVER_HEADER_KEPT, &fit, &err));
	m.envelope_to = "a@b";
	assert_true(deliver_fit_check(&m, DELIVER_HEADER_KEPT, &fit, &err));
}

static void
a_reply_is_kept_as_one_clean_line_of_at_most_511_bytes(void **state)
{
	struct deliver_report r;
	g_autoptr(GString) s = g_string_new("250 ");

	(void)state;
	deliver_report_set(&r, DELIVER_ACCEPTED, 250,
	    "250 ok\r\n\x1b[31mqueued\xff\r\n");
	assert_string_equal(r.reply, "250 ok [31mqueued\xef\xbf\xbd");
	while (s->len < 2000)
		g_string_append(s, "\xd1\x8b");
	deliver_report_set(&r, DELIVER_ACCEPTED, 250, s->str);
	assert_in_range(strlen(r.reply), 500, 511);
	assert_true(g_utf8_validate(r.reply, -1, NULL));
	deliver_report_set(&r, DELIVER_UNSURE, 0, NULL);
	assert_string_equal(r.reply, "");
}

static void
a_mail_that_is_too_large_is_rejected_with_the_remedy(void **state)
{
	static const struct {
		enum deliver_result result;
		const char *reply;
		bool remedy;
	} rows[] = {
		{ DELIVER_REJECTED, "552 5.3.4 Message size exceeds fixed "
		    "limit", true },
		{ DELIVER_REJECTED, "552 too big", true },
		{ DELIVER_REJECTED, "550 5.2.3 larger than I like", true },
		{ DELIVER_REJECTED, "552 5.2.2 mailbox full", false },
		{ DELIVER_REJECTED, "550 5.1.1 who", false },
		{ DELIVER_DEFERRED, "452 4.3.4 not now", false },
	};
	g_autofree char *more = g_strnfill(2000, 'x');
	g_autofree char *endless = g_strconcat("552 5.3.4 ", more, NULL);
	struct deliver_report r;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		deliver_report_set(&r, rows[i].result, 552, rows[i].reply);
		assert_true(g_str_has_prefix(r.reply, rows[i].reply));
		assert_int_equal(strstr(r.reply, "max_size") != NULL,
		    rows[i].remedy);
	}
	deliver_report_set(&r, DELIVER_REJECTED, 552, endless);
	assert_int_equal(strlen(r.reply), sizeof(r.reply) - 1);
	assert_true(g_str_has_suffix(r.reply, DELIVER_SIZE_REMEDY));
}

static struct sockaddr *
address(const char *s, struct sockaddr_storage *ss)
{
	struct sockaddr_in *a = (void *)ss;
	struct sockaddr_in6 *b = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, s, &a->sin_addr) == 1) {
		a->sin_family = AF_INET;
		a->sin_port = htons(25);
	} else {
		assert_int_equal(inet_pton(AF_INET6, s, &b->sin6_addr), 1);
		b->sin6_family = AF_INET6;
		b->sin6_port = htons(25);
	}
	return (void *)ss;
}

static void
clear_text_goes_to_this_host_and_to_trusted_networks_only(void **state)
{
	static const struct {
		const char *addr, *network;
		bool want;
	} rows[] = {
		{ "127.0.0.1", NULL, true }, { "127.8.8.8", NULL, true },
		{ "::1", NULL, true }, { "::ffff:127.0.0.1", NULL, true },
		{ "203.0.113.1", NULL, false },
		{ "203.0.113.1", "203.0.113.0/24", true },
		{ "203.0.114.1", "203.0.113.0/24", false },
		{ "203.0.114.1", "203.0.113.0/22", true },
		{ "203.0.113.1", "203.0.113.1", true },
		{ "203.0.113.2", "203.0.113.1/32", false },
		{ "203.0.113.2", "0.0.0.0/0", true },
		{ "::ffff:203.0.113.2", "203.0.113.0/24", true },
		{ "2001:db8::1", "2001:db8::/32", true },
		{ "2001:db9::1", "2001:db8::/32", false },
		{ "2001:db8::1", "0.0.0.0/0", false },
		{ "203.0.113.2", "rubbish", false },
		{ "203.0.113.2", "203.0.113.0/33", false },
		{ "203.0.113.2", "203.0.113.0/x", false },
	};
	struct sockaddr_storage ss;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) nets = g_ptr_array_new_with_free_func(
		    g_free);

		if (rows[i].network != NULL)
			g_ptr_array_add(nets, g_strdup(rows[i].network));
		if (deliver_net_trusts(address(rows[i].addr, &ss), nets) !=
		    rows[i].want)
			fail_msg("%s in %s", rows[i].addr, rows[i].network);
	}
}

/* libesmtp binds to connect() as any shared library does. */
static void
connect_of_a_shared_library_reaches_the_seam(void **state)
{
	(void)state;
	assert_true(deliver_seam_works());
	assert_false(deliver_seam_set(0));
	assert_true(deliver_seam_set(-1));
}

static void
more_replies_than_questions_break_the_wire(void **state)
{
	struct deliver_wire w;
	char greeting[] = "220-a\r\n220 b\r\n", two[] = "250 a\r\n250 b\r\n";

	(void)state;
	deliver_wire_init(&w);
	deliver_wire_received(&w, greeting, strlen(greeting));
	assert_false(w.broken);
	deliver_wire_sent(&w, "EHLO x\r\n", 8);
	for (char *p = two; *p != '\0'; p++)
		deliver_wire_received(&w, p, 1);
	assert_true(w.broken);
	assert_int_equal(w.code, 250);
	assert_string_equal(w.last->str, "250 b\r");
	deliver_wire_clear(&w);
}

static void
chunking_is_hidden_however_the_reply_is_cut(void **state)
{
	static const char reply[] = "250-x\r\n250-CHUNKING\r\n250-CCHUNKING\r\n"
	    "250 chunking\r\n";

	(void)state;
	for (size_t cut = 1; cut < sizeof(reply); cut++) {
		char buf[sizeof(reply)];
		struct deliver_wire w;

		memcpy(buf, reply, sizeof(buf));
		deliver_wire_init(&w);
		for (size_t at = 0; at < sizeof(reply) - 1; at += cut)
			deliver_wire_received(&w, buf + at,
			    MIN(cut, sizeof(reply) - 1 - at));
		for (char *p = buf; *p != '\0'; p++)
			*p = g_ascii_toupper(*p);
		assert_null(strstr(buf, "CHUNKING"));
		assert_non_null(strstr(buf, "CHUNKIN-"));
		deliver_wire_clear(&w);
	}
}

static void
a_bdat_that_slips_through_breaks_the_wire(void **state)
{
	struct deliver_wire w;

	(void)state;
	deliver_wire_init(&w);
	deliver_wire_sent(&w, "MAIL FROM:<BDAT>\r\n", 18);
	assert_false(w.broken);
	assert_int_equal(w.mails, 1);
	deliver_wire_sent(&w, "BDAT 1\r\n", 8);
	assert_true(w.broken);
	deliver_wire_clear(&w);
}

static void
a_guard_closes_only_what_is_over(void **state)
{
	struct deliver_guard late, early;
	int a[2], b[2];
	char c;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
	deliver_guard_add(&late, a[0], INT64_MAX);
	deliver_guard_add(&early, b[0], clock_mono_ms() + 60000);
	deliver_guard_set(&early, clock_mono_ms() + 30);
	assert_int_equal(read(b[0], &c, 1), 0);
	assert_true(deliver_guard_fired(&early));
	assert_false(deliver_guard_fired(&late));
	assert_int_equal(write(a[1], "x", 1), 1);
	assert_int_equal(read(a[0], &c, 1), 1);
	deliver_guard_remove(&late);
	deliver_guard_remove(&early);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
}

/* A Maildir. */

struct box {
	char *dir;
	struct deliver_mail mails[3];
	struct deliver_report reports[3];
	int given, done;
};

static const struct deliver_mail *
box_next(void *arg, int64_t wait_ms)
{
	struct box *b = arg;

	assert_true(wait_ms > 0);
	return b->given < 3 && b->mails[b->given].bytes != NULL ?
	    &b->mails[b->given++] : NULL;
}

static void
box_done(void *arg, const struct deliver_mail *mail,
    const struct deliver_report *r)
{
	struct box *b = arg;

	assert_ptr_equal(mail, &b->mails[b->done]);
	b->reports[b->done++] = *r;
}

static bool
box_run(struct box *b, struct err *err)
{
	const struct deliver_feed feed = { box_next, box_done, b };

	b->given = b->done = 0;
	return deliver_maildir_session(b->dir, &feed, err);
}

static int
box_open(void **state)
{
	struct box *b = g_new0(struct box, 1);
	char name[] = "/tmp/cj-box-XXXXXX";

	b->dir = g_strdup(mkdtemp(name));
	for (int i = 0; i < 3; i++)
		b->mails[i] = (struct deliver_mail){ .id = i,
			.message_id = "<t.abc@bank.example>",
			.envelope_from = "", .envelope_to = "j@bank.example" };
	*state = b;
	return 0;
}

static int
box_close(void **state)
{
	struct box *b = *state;
	g_autofree char *cmd = g_strdup_printf("%s", b->dir);
	char *argv[] = { (char[]){ "rm" }, (char[]){ "-rf" }, cmd, NULL };

	g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
	    NULL, NULL, NULL);
	g_free(b->dir);
	g_free(b);
	return 0;
}

static guint
count_files(const char *dir, const char *sub)
{
	g_autofree char *path = g_build_filename(dir, sub, NULL);
	GDir *d = g_dir_open(path, 0, NULL);
	guint n = 0;

	assert_non_null(d);
	while (g_dir_read_name(d) != NULL)
		n++;
	g_dir_close(d);
	return n;
}

static void
a_maildir_keeps_the_very_bytes_under_a_stable_name(void **state)
{
	struct box *b = *state;
	static const char text[] = HEAD "\r\n.dot\r\nol\xc3\xa1\r\n";
	g_autoptr(GBytes) got = NULL;
	g_autofree char *first = NULL;
	struct err err = ERR_INIT;

	b->mails[0].bytes = b->mails[1].bytes = text;
	b->mails[0].len = b->mails[1].len = strlen(text);
	assert_true(box_run(b, &err));
	assert_int_equal(b->done, 2);
	assert_int_equal(b->reports[0].result, DELIVER_ACCEPTED);
	/* The same mail twice is one file. */
	assert_string_equal(b->reports[0].reply, b->reports[1].reply);
	assert_int_equal(count_files(b->dir, "new"), 1);
	assert_int_equal(count_files(b->dir, "tmp"), 0);
	assert_int_equal(count_files(b->dir, "cur"), 0);
	assert_non_null(strstr(b->reports[0].reply, "/new/t.abc."));
	assert_true(io_file_load(b->reports[0].reply, 10000, &got, &err));
	assert_int_equal(g_bytes_get_size(got), strlen(text));
	assert_memory_equal(g_bytes_get_data(got, NULL), text, strlen(text));
	first = g_strdup(b->reports[0].reply);
	assert_true(box_run(b, &err));
	assert_string_equal(first, b->reports[0].reply);
}

static void
two_mails_never_share_a_file_name(void **state)
{
	struct box *b = *state;
	struct err err = ERR_INIT;

	for (int i = 0; i < 3; i++) {
		b->mails[i].bytes = HEAD "\r\n";
		b->mails[i].len = strlen(HEAD) + 2;
	}
	b->mails[0].message_id = "<../a/b@bank.example>";
	b->mails[1].message_id = "<../a:b@bank.example>";
	b->mails[2].message_id = "<../a:b@other.example>";
	assert_true(box_run(b, &err));
	assert_int_equal(count_files(b->dir, "new"), 3);
}

static void
a_maildir_that_takes_nothing_is_at_fault_not_the_mail(void **state)
{
	struct box *b = *state;
	struct rlimit old, small = { .rlim_cur = 10, .rlim_max = RLIM_INFINITY };
	struct err err = ERR_INIT;
	bool ok;

	for (int i = 0; i < 2; i++) {
		b->mails[i].bytes = HEAD "\r\n";
		b->mails[i].len = strlen(HEAD) + 2;
	}
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	ok = box_run(b, &err);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_false(ok);
	assert_int_equal(err.kind, ERR_TEMP);
	/* It stops at the first: the others are not touched. */
	assert_int_equal(b->given, 1);
	assert_int_equal(b->done, 1);
	assert_int_equal(b->reports[0].result, DELIVER_RELAY);
	assert_non_null(strstr(b->reports[0].reply, "t.abc"));
	assert_int_equal(count_files(b->dir, "new"), 0);
	assert_int_equal(count_files(b->dir, "tmp"), 0);
}

static void
a_maildir_that_cannot_be_made_takes_no_mail(void **state)
{
	struct box *b = *state;
	g_autofree char *file = g_build_filename(b->dir, "file", NULL);
	g_autofree char *old = b->dir;
	struct err err = ERR_INIT;
	bool ok;

	b->mails[0].bytes = HEAD "\r\n";
	assert_true(g_file_set_contents(file, "x", 1, NULL));
	b->dir = file;
	ok = box_run(b, &err);
	b->dir = g_steal_pointer(&old);
	assert_false(ok);
	assert_int_equal(b->given, 0);
	assert_non_null(strstr(err.text, "/file/tmp"));
}

#define box_test(f) cmocka_unit_test_setup_teardown(f, box_open, box_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_means_what_its_stage_makes_of_it),
		cmocka_unit_test(
		    what_a_shared_relay_denies_to_one_journal_is_deferred),
		cmocka_unit_test(
		    the_wait_doubles_up_to_a_bound_with_a_quarter_of_jitter),
		cmocka_unit_test(the_longest_wait_does_not_overflow),
		cmocka_unit_test(
		    a_mail_that_could_end_early_or_be_changed_is_not_sent),
		cmocka_unit_test(dots_are_counted_where_they_will_be_doubled),
		cmocka_unit_test(
		    an_address_that_could_carry_a_command_is_refused),
		cmocka_unit_test(
		    a_reply_is_kept_as_one_clean_line_of_at_most_511_bytes),
		cmocka_unit_test(
		    a_mail_that_is_too_large_is_rejected_with_the_remedy),
		cmocka_unit_test(
		    clear_text_goes_to_this_host_and_to_trusted_networks_only),
		cmocka_unit_test(connect_of_a_shared_library_reaches_the_seam),
		cmocka_unit_test(more_replies_than_questions_break_the_wire),
		cmocka_unit_test(chunking_is_hidden_however_the_reply_is_cut),
		cmocka_unit_test(a_bdat_that_slips_through_breaks_the_wire),
		cmocka_unit_test(a_guard_closes_only_what_is_over),
		box_test(a_maildir_keeps_the_very_bytes_under_a_stable_name),
		box_test(two_mails_never_share_a_file_name),
		box_test(a_maildir_that_takes_nothing_is_at_fault_not_the_mail),
		box_test(a_maildir_that_cannot_be_made_takes_no_mail),
	};

	deliver_init();
	return cmocka_run_group_tests_name("deliver", tests, NULL, NULL);
}
