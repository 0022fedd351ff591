/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http: what the gateway needs of the listener beyond intake: large bodies in
 * a file, targets as they came, answers with headers and from files.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_peer.h"

#define HOST "Host: a\r\n"
#define CLOSE "Connection: close\r\n"
#define ABOVE 1000
#define MAX_BODY 300000

struct bed {
	struct peer p;
	char *dir;
};

static void
begin(struct bed *b, enum app_mode mode, const char *spool, int64_t deadline_ms)
{
	b->dir = g_strdup("/tmp/test-http-gateway-XXXXXX");
	assert_non_null(g_mkdtemp(b->dir));
	peer_init(&b->p);
	b->p.app.mode = mode;
	b->p.conf.deadline_ms = deadline_ms;
	b->p.conf.max_body = MAX_BODY;
	b->p.conf.spool = spool != NULL ? spool : b->dir;
	b->p.conf.spool_above = ABOVE;
	peer_start(&b->p);
}

static int
start(void **state)
{
	struct bed *b = g_new0(struct bed, 1);

	begin(b, APP_ECHO, NULL, 5000);
	*state = b;
	return 0;
}

static int
start_hurried(void **state)
{
	struct bed *b = g_new0(struct bed, 1);

	begin(b, APP_ECHO, NULL, PEER_DEADLINE_MS);
	*state = b;
	return 0;
}

static int
start_hold(void **state)
{
	struct bed *b = g_new0(struct bed, 1);

	begin(b, APP_HOLD, NULL, 5000);
	*state = b;
	return 0;
}

static int
start_without_spool(void **state)
{
	struct bed *b = g_new0(struct bed, 1);

	begin(b, APP_ECHO, "/nonexistent/spool", 5000);
	*state = b;
	return 0;
}

static unsigned
entries_of(const char *path)
{
	g_autoptr(GDir) d = g_dir_open(path, 0, NULL);
	unsigned n = 0;

	assert_non_null(d);
	while (g_dir_read_name(d) != NULL)
		n++;
	return n;
}

static int
stop(void **state)
{
	struct bed *b = *state;

	peer_clear(&b->p);
	assert_int_equal(rmdir(b->dir), 0);	/* nothing is left in it */
	g_free(b->dir);
	g_free(b);
	return 0;
}

static char *
pattern(size_t len)
{
	char *s = g_malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		s[i] = (char)('a' + (i * 31 >> 3) % 26);
	s[len] = '\0';
	return s;
}

static char *
with_length(const char *body)
{
	return g_strdup_printf("POST / HTTP/1.1\r\n" HOST
	    "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
}

static char *
in_chunks(const char *body, size_t step)
{
	GString *s = g_string_new("POST / HTTP/1.1\r\n" HOST
	    "Transfer-Encoding: chunked\r\n\r\n");
	size_t len = strlen(body);

	for (size_t at = 0; at < len; at += step) {
		size_t n = MIN(step, len - at);

		g_string_append_printf(s, "%zx\r\n%.*s\r\n", n, (int)n,
		    body + at);
	}
	g_string_append(s, "0\r\n\r\n");
	return g_string_free(s, FALSE);
}

/* dial_read_one() goes byte by byte */
static bool
echoes(int fd, const char *request, const char *body)
{
	g_autofree char *want = g_strdup_printf("len=%zu:%s", strlen(body),
	    body);
	g_autofree char *got = NULL;

	dial_say(fd, request);
	got = dial_read_one(fd);
	return got != NULL && g_str_has_suffix(got, want);
}

/* ---- the spool ----------------------------------------------------------------- */

static void
a_body_of_any_size_arrives_whole_and_the_next_one_too(void **state)
{
	static const size_t sizes[] = { ABOVE, 0, ABOVE + 1, 1, 5000, ABOVE,
		70000, MAX_BODY, 3 };
	struct bed *b = *state;
	int fd = dial(&b->p);

	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autofree char *body = pattern(sizes[i]);
		g_autofree char *plain = with_length(body);
		g_autofree char *chunked = in_chunks(body, 777);

		if (!echoes(fd, plain, body) || !echoes(fd, chunked, body))
			fail_msg("%zu bytes", sizes[i]);
	}
	close(fd);
	assert_int_equal(peer_stats(&b->p).spool_failed, 0);
}

static void
a_large_body_has_no_name_and_takes_no_memory_while_it_waits(void **state)
{
	struct bed *b = *state;
	g_autofree char *body = pattern(MAX_BODY);
	g_autofree char *request = with_length(body);
	g_autofree char *one = NULL;
	const char *seen;
	size_t len;
	int fd = dial(&b->p);

	dial_say(fd, request);
	app_wait_held(&b->p.app, 1);
	assert_int_equal(entries_of(b->dir), 0);
	seen = http_request_body(b->p.app.held->pdata[0], &len);
	assert_int_equal(len, MAX_BODY);
	assert_memory_equal(seen, body, MAX_BODY);
	app_answer_all(&b->p.app, 200, "ok");
	one = dial_read_one(fd);
	close(fd);
	assert_int_equal(status_of(one), 200);
}

static void
without_a_place_a_large_body_gets_503_and_a_small_one_is_served(void **state)
{
	struct bed *b = *state;
	g_autofree char *body = pattern(5000);
	g_autofree char *small = pattern(ABOVE);
	g_autofree char *chunked = in_chunks(body, 777);
	g_autofree char *small_one = with_length(small);
	g_autofree char *first = talk(&b->p, "POST / HTTP/1.1\r\n" HOST CLOSE
	    "Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n");
	g_autofree char *second = NULL;
	int fd = dial(&b->p);

	assert_int_equal(status_of(first), 503);
	assert_null(strstr(first, "100 Continue"));
	assert_non_null(strstr(first, "try again later"));
	dial_say(fd, chunked);
	second = dial_read_one(fd);
	assert_int_equal(status_of(second), 503);
	assert_int_equal(atomic_load(&b->p.app.asked), 0);
	assert_true(echoes(fd, small_one, small));
	close(fd);
	assert_int_equal(peer_stats(&b->p).spool_failed, 2);
	assert_int_equal(peer_stats(&b->p).spool_errno, ENOENT);
	assert_int_equal(peer_stats(&b->p).requests, 1);
}

/* A limit on files is as good as a full disk. */
static void
a_disk_that_is_full_halfway_gets_503_and_the_connection_goes_on(void **state)
{
	struct bed *b = *state;
	struct rlimit old, tight;
	g_autofree char *body = pattern(200000);
	g_autofree char *plain = with_length(body);
	g_autofree char *chunked = in_chunks(body, 9999);
	g_autofree char *one = NULL;
	g_autofree char *two = NULL;
	int fd = dial(&b->p);

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight = old;
	tight.rlim_cur = 100000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	dial_say(fd, plain);
	one = dial_read_one(fd);
	dial_say(fd, chunked);
	two = dial_read_one(fd);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(status_of(one), 503);
	assert_int_equal(status_of(two), 503);
	assert_int_equal(atomic_load(&b->p.app.asked), 0);
	assert_true(echoes(fd, plain, body));
	close(fd);
	assert_int_equal(peer_stats(&b->p).spool_failed, 2);
	assert_int_equal(peer_stats(&b->p).spool_errno, EFBIG);
}

static void
hang_up(int fd)
{
	struct linger hard = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd);
}

/* MHD waits for the rest until the deadline when only the sending side ends. */
static void
a_client_that_goes_away_while_spooling_leaves_nothing(void **state)
{
	struct bed *b = *state;
	g_autofree char *body = pattern(100000);
	g_autofree char *plain = with_length(body);
	g_autofree char *chunked = in_chunks(body, 9999);
	unsigned before = entries_of("/proc/self/fd"), after = 0;

	for (int i = 0; i < 20; i++) {
		int fd = dial(&b->p);

		dial_send(fd, i % 2 == 0 ? plain : chunked,
		    1000 + 4000 * (size_t)i);
		if (i % 4 < 2)
			hang_up(fd);
		else
			close(fd);
	}
	for (int i = 0; i < 200; i++) {
		after = entries_of("/proc/self/fd");
		if (after <= before)
			break;
		g_usleep(10000);
	}
	assert_in_range(after, 0, before);
	assert_int_equal(atomic_load(&b->p.app.asked), 0);
	assert_int_equal(entries_of(b->dir), 0);
}

static void
a_chunked_body_over_the_cap_is_still_413(void **state)
{
	struct bed *b = *state;
	g_autofree char *body = pattern(MAX_BODY + 1);
	g_autofree char *chunked = in_chunks(body, 30000);
	g_autofree char *one = NULL;
	int fd = dial(&b->p);

	dial_say(fd, chunked);
	one = dial_read_one(fd);
	close(fd);
	assert_int_equal(status_of(one), 413);
	assert_int_equal(atomic_load(&b->p.app.asked), 0);
}

/* ---- targets --------------------------------------------------------------------- */

static void
a_target_is_told_as_it_came(void **state)
{
	static const char *const targets[] = {
		"/v25.0/1/messages", "/a%20b?x=%2F&y=a+b&z", "/?", "//a/../b",
		"/v25.0/%31/media?access_token=a%26b", "*",
		"http://other.example/v25.0/1",
	};
	struct bed *b = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(targets); i++) {
		g_autofree char *text = g_strdup_printf("DELETE %s HTTP/1.1\r\n"
		    HOST CLOSE "\r\n", targets[i]);
		g_autofree char *all = talk(&b->p, text);

		assert_int_equal(status_of(all), 200);
		assert_string_equal(b->p.app.target, targets[i]);
	}
}

/* ---- answers ----------------------------------------------------------------------- */

/* Asks, answers what is held by answer(), and reads until closed. */
static char *
answered(struct bed *b, const char *method,
    void (*answer)(struct http_request *rq, void *arg), void *arg)
{
	g_autofree char *text = g_strdup_printf("%s / HTTP/1.1\r\n" HOST CLOSE
	    "\r\n", method);
	struct http_request *rq;
	char *all;
	int fd = dial(&b->p);

	dial_say(fd, text);
	app_wait_held(&b->p.app, 1);
	rq = g_ptr_array_steal_index_fast(b->p.app.held, 0);
	answer(rq, arg);
	all = dial_read_all(fd, 5000);
	close(fd);
	assert_non_null(all);
	return all;
}

static void
say_headers(struct http_request *rq, void *arg)
{
	http_answer_with(rq, 429, "application/json", arg, "{}", 2);
}

static void
an_answer_has_the_headers_that_it_was_given(void **state)
{
	static const char *const headers[] = { "Retry-After", "7",
		"X-App-Usage", "{\"call_count\":28}", "facebook-api-version",
		"v25.0", "X-Empty", "", NULL };
	g_autofree char *all = answered(*state, "POST", say_headers,
	    (void *)(uintptr_t)headers);
	g_autofree char *head = answered(*state, "HEAD", say_headers,
	    (void *)(uintptr_t)headers);

	assert_int_equal(status_of(all), 429);
	assert_non_null(strstr(all, "\r\nRetry-After: 7\r\n"));
	assert_non_null(strstr(all, "\r\nX-App-Usage: {\"call_count\":28}\r\n"));
	assert_non_null(strstr(all, "\r\nfacebook-api-version: v25.0\r\n"));
	assert_non_null(strstr(all, "\r\nContent-Type: application/json\r\n"));
	assert_true(g_str_has_suffix(all, "\r\n\r\n{}"));
	assert_int_equal(status_of(head), 429);
	assert_non_null(strstr(head, "\r\nRetry-After: 7\r\n"));
	assert_non_null(strstr(head, "\r\nContent-Length: 2\r\n"));
	assert_true(g_str_has_suffix(head, "\r\n\r\n"));
}

static void
a_header_that_would_end_another_or_the_head_is_left_out(void **state)
{
	static const char *const headers[] = { "X-A", "1\r\nSet-Cookie: evil=1",
		"X-B\r\nSet-Cookie: evil=2\r\nX-C", "1", "X-D: 1\r\nEvil", "1",
		"", "evil", "X E", "evil", "X-F", "a\nevil", "X-G", "a\revil",
		"X-H", "a\x01" "evil", "X-I", "a\x7f" "evil",
		"Content-Length", "0", "content-length", "999",
		"Transfer-Encoding", "chunked", "CONNECTION", "keep-alive",
		"Content-Type", "evil/evil", "X-Good", "good \xc3\xa9", NULL };
	g_autofree char *all = answered(*state, "GET", say_headers,
	    (void *)(uintptr_t)headers);

	assert_int_equal(status_of(all), 429);
	assert_null(strstr(all, "evil"));
	assert_null(strstr(all, "Set-Cookie"));
	assert_int_equal(count_of(all, "Content-Length:"), 1);
	assert_int_equal(count_of(all, "Connection: close\r\n"), 1);
	assert_null(strstr(all, "chunked"));
	assert_non_null(strstr(all, "\r\nX-Good: good \xc3\xa9\r\n"));
	assert_true(g_str_has_suffix(all, "\r\n\r\n{}"));
}

static void
say_type(struct http_request *rq, void *arg)
{
	http_answer(rq, 200, arg, "x", 1, 0);
}

static void
a_type_that_is_none_does_not_end_the_process(void **state)
{
	static const char *const types[] = { "", "a/b\r\nX-Evil: 1", "a\nb",
		"\x01" };

	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		g_autofree char *all = answered(*state, "GET", say_type,
		    (void *)(uintptr_t)types[i]);

		assert_int_equal(status_of(all), 200);
		assert_null(strstr(all, "Evil"));
		assert_non_null(strstr(all,
		    "\r\nContent-Type: application/octet-stream\r\n"));
	}
}

struct file {
	const char *path;
	size_t len;
};

static void
say_file(struct http_request *rq, void *arg)
{
	static const char *const headers[] = { "X-A", "b", NULL };
	const struct file *f = arg;

	http_answer_file(rq, 200, "image/png", headers,
	    open(f->path, O_RDONLY | O_CLOEXEC), f->len);
}

static void
an_answer_can_come_from_a_file(void **state)
{
	static const size_t sizes[] = { 0, 1, 70000, 2000000 };
	struct bed *b = *state;
	g_autofree char *path = g_build_filename(b->dir, "file", NULL);
	unsigned before = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autofree char *body = pattern(sizes[i]);
		g_autofree char *head = NULL;
		g_autofree char *all = NULL;
		g_autofree char *cut = NULL;
		struct file f = { path, sizes[i] };

		assert_true(g_file_set_contents(path, body, (gssize)sizes[i],
		    NULL));
		all = answered(b, "GET", say_file, &f);
		if (status_of(all) != 200)
			fail_msg("%zu bytes: %.100s", sizes[i], all);
		before = before != 0 ? before : entries_of("/proc/self/fd");
		assert_non_null(strstr(all, "\r\nX-A: b\r\n"));
		assert_string_equal(strstr(all, "\r\n\r\n") + 4, body);
		head = answered(b, "HEAD", say_file, &f);
		assert_true(g_str_has_suffix(head, "\r\n\r\n"));
		f.len++;		/* promised, and not there */
		cut = answered(b, "GET", say_file, &f);
		assert_int_equal(status_of(cut), 500);
		assert_null(strstr(cut, "image/png"));
	}
	unlink(path);
	assert_true(http_server_drain(b->p.srv, 2000));
	assert_in_range(entries_of("/proc/self/fd"), 0, before);
}

int
main(void)
{
#define WITH(f) cmocka_unit_test_setup_teardown(f, start, stop)
#define HOLD(f) cmocka_unit_test_setup_teardown(f, start_hold, stop)
#define HURRIED(f) cmocka_unit_test_setup_teardown(f, start_hurried, stop)
#define WITHOUT(f) cmocka_unit_test_setup_teardown(f, start_without_spool, stop)
	const struct CMUnitTest tests[] = {
		WITH(a_body_of_any_size_arrives_whole_and_the_next_one_too),
		HOLD(a_large_body_has_no_name_and_takes_no_memory_while_it_waits),
		WITHOUT(without_a_place_a_large_body_gets_503_and_a_small_one_is_served),
		WITH(a_disk_that_is_full_halfway_gets_503_and_the_connection_goes_on),
		HURRIED(a_client_that_goes_away_while_spooling_leaves_nothing),
		WITH(a_chunked_body_over_the_cap_is_still_413),
		WITH(a_target_is_told_as_it_came),
		HOLD(an_answer_has_the_headers_that_it_was_given),
		HOLD(a_header_that_would_end_another_or_the_head_is_left_out),
		HOLD(a_type_that_is_none_does_not_end_the_process),
		HOLD(an_answer_can_come_from_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
