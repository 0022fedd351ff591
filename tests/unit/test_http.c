/* SPDX-License-Identifier: Apache-2.0 */
/* http: what the listener refuses, bounds, hands over and drains. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "http_peer.h"

#define HOST "Host: a\r\n"
#define CLOSE "Connection: close\r\n"

static int
start(void **state)
{
	struct peer *p = g_new0(struct peer, 1);

	peer_init(p);
	peer_start(p);
	*state = p;
	return 0;
}

static int
start_hold(void **state)
{
	struct peer *p = g_new0(struct peer, 1);

	peer_init(p);
	p->app.mode = APP_HOLD;
	peer_start(p);
	*state = p;
	return 0;
}

/* With a deadline that no test waits for. */
static int
start_patient(void **state)
{
	struct peer *p = g_new0(struct peer, 1);

	peer_init(p);
	p->conf.deadline_ms = 60000;
	p->conf.max_body = 1000000;
	peer_start(p);
	*state = p;
	return 0;
}

static int
stop(void **state)
{
	peer_clear(*state);
	g_free(*state);
	return 0;
}

static void
an_ambiguous_request_is_refused_before_the_application_is_asked(void **state)
{
	static const struct {
		const char *law, *request;
		int status;
		/*
		 * false: MHD answers by itself before we are asked, in HTML;
		 * 0.9.75 even sends the headers of that answer twice.
		 */
		bool ours;
	} rows[] = {
		{ "length and chunked", "POST / HTTP/1.1\r\n" HOST
			"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
			"\r\n0\r\n\r\n", 400, true },
		{ "two lengths that differ", "POST / HTTP/1.1\r\n" HOST
			"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
			400, true },
		{ "two lengths that agree", "POST / HTTP/1.1\r\n" HOST
			"Content-Length: 2\r\ncontent-length: 2\r\n\r\nab",
			400, true },
		{ "no host", "GET / HTTP/1.1\r\nX: y\r\n\r\n", 400, true },
		{ "no header at all", "GET / HTTP/1.1\r\n\r\n", 400, true },
		{ "no host in 1.0", "GET / HTTP/1.0\r\n\r\n", 400, true },
		{ "two hosts", "GET / HTTP/1.1\r\n" HOST "HOST: b\r\n\r\n",
			400, true },
		{ "empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, true },
		{ "two signatures", "POST / HTTP/1.1\r\n" HOST
			"X-Hub-Signature-256: a\r\nx-hub-signature-256: a\r\n"
			"Content-Length: 0\r\n\r\n", 400, true },
		{ "other coding", "POST / HTTP/1.1\r\n" HOST
			"Transfer-Encoding: gzip, chunked\r\n\r\n", 400, true },
		{ "two codings", "POST / HTTP/1.1\r\n" HOST
			"Transfer-Encoding: chunked\r\n"
			"Transfer-Encoding: chunked\r\n\r\n", 400, true },
		{ "folded coding", "POST / HTTP/1.1\r\n" HOST
			"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400,
			true },
		{ "folded length", "POST / HTTP/1.1\r\n" HOST
			"Content-Length:\r\n 5\r\n\r\nabcde", 400, true },
		{ "folded second host", "POST / HTTP/1.1\r\n" HOST
			"Host:\r\n\tb\r\n\r\n", 400, true },
		{ "folded signature", "POST / HTTP/1.1\r\n" HOST
			"X-Hub-Signature-256: a\r\n b\r\n"
			"Content-Length: 0\r\n\r\n", 400, true },
		{ "folded first header", "GET / HTTP/1.1\r\n b\r\n" HOST
			"\r\n", 400, false },
		{ "a colon where the head would end", "POST / HTTP/1.1\r\n"
			HOST ":\r\nContent-Length: 5\r\n\r\nabcde", 400,
			true },
		{ "a nameless header", "POST / HTTP/1.1\r\n" HOST
			": x\r\nContent-Length: 5\r\n\r\nabcde", 400, true },
		{ "bare line feeds", "GET / HTTP/1.1\n" "Host: a\n\n", 400,
			true },
		{ "one bare line feed", "GET / HTTP/1.1\r\n" HOST
			"X: y\nZ: 1\r\n\r\n", 400, true },
		{ "a bare line feed at the end", "GET / HTTP/1.1\r\n" HOST
			"\n", 400, true },
		{ "a bare carriage return in a value", "GET / HTTP/1.1\r\n"
			HOST "X: y\rZ: 1\r\n\r\n", 400, true },
		{ "a control character in a value", "GET / HTTP/1.1\r\n"
			HOST "X: y\x01\r\n\r\n", 400, true },
		{ "chunked in 1.0", "POST / HTTP/1.0\r\n" HOST
			"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
			true },
		{ "blank before the colon", "POST / HTTP/1.1\r\n" HOST
			"Content-Length : 5\r\n\r\nabcde", 400, true },
		{ "nul in the path", "GET /a%00b HTTP/1.1\r\n" HOST "\r\n",
			400, true },
		{ "a blank in the target", "GET /a b HTTP/1.1\r\n" HOST
			"\r\n", 400, true },
		{ "two blanks before the target", "GET  / HTTP/1.1\r\n" HOST
			"\r\n", 400, true },
		{ "two blanks behind the target", "GET /  HTTP/1.1\r\n" HOST
			"\r\n", 400, true },
		{ "a control character in the target", "GET /\x01 HTTP/1.1\r\n"
			HOST "\r\n", 400, true },
		{ "negative length", "POST / HTTP/1.1\r\n" HOST
			"Content-Length: -5\r\n\r\n", 400, false },
		{ "garbage length", "POST / HTTP/1.1\r\n" HOST
			"Content-Length: 5x\r\n\r\nabcde", 400, false },
		{ "plus length", "POST / HTTP/1.1\r\n" HOST
			"Content-Length: +5\r\n\r\nabcde", 400, false },
		{ "list of lengths", "POST / HTTP/1.1\r\n" HOST
			"Content-Length: 5, 5\r\n\r\nabcde", 400, false },
		{ "empty length", "POST / HTTP/1.1\r\n" HOST
			"Content-Length:\r\n\r\n", 400, false },
		{ "length beyond 64 bits", "POST / HTTP/1.1\r\n" HOST
			"Content-Length: 99999999999999999999\r\n\r\n", 413,
			false },
		{ "length beyond the cap", "POST / HTTP/1.1\r\n" HOST
			"Content-Length: 1001\r\n\r\n", 413, true },
		{ "malformed chunk", "POST / HTTP/1.1\r\n" HOST
			"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400,
			false },
	};
	struct peer *p = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *all = talk(p, rows[i].request);

		if (status_of(all) != rows[i].status ||
		    strstr(all, "\r\nServer:") != NULL ||
		    strstr(all, "\r\nConnection: close\r\n") == NULL ||
		    (rows[i].ours && (!g_str_has_suffix(all, "\n") ||
		    count_of(all, "HTTP/1.1 ") != 1 ||
		    strstr(all, "Content-Type: text/plain") == NULL)))
			fail_msg("%s: want %d, got %s", rows[i].law,
			    rows[i].status, all);
	}
	assert_int_equal(atomic_load(&p->app.asked), 0);
	assert_int_equal(peer_stats(p).refused, 29);
	assert_int_equal(peer_stats(p).too_large, 1);
	assert_int_equal(peer_stats(p).requests, 0);
}

static void
expect_refused_with_nul_at(struct peer *p, const char *head, size_t i)
{
	g_autofree char *request = g_strdup(head);
	g_autofree char *all = NULL;
	int fd = dial(p);

	request[i] = '\0';
	dial_send(fd, request, strlen(head));
	shutdown(fd, SHUT_WR);
	all = dial_read_all(fd, 5000);
	close(fd);
	/* For some, MHD only closes the connection. */
	if (*all != '\0' && status_of(all) < 400)
		fail_msg("a NUL at %zu: %s", i, all);
}

static void
a_nul_anywhere_in_the_head_is_refused(void **state)
{
	static const char head[] = "GET /a HTTP/1.1\r\n" HOST
	    "X: ab\r\n\r\n";
	struct peer *p = *state;

	/* In place of a CR it ends the line as well (http_framing.c). */
	for (size_t i = 0; head[i] != '\0'; i++)
		if (head[i] != '\r')
			expect_refused_with_nul_at(p, head, i);
	assert_int_equal(atomic_load(&p->app.asked), 0);
}

static void
any_number_and_spacing_of_plain_headers_is_fine(void **state)
{
	static const char *const heads[] = {
		"Host: a\r\nX-Empty:\r\nX-Blank: \r\nX-Probe:v\r\n",
		"host:a\r\nx-probe:   \t v\r\n",
		"HOST: a \r\nX-Probe: v\r\nCookie: a=b; c=d\r\nCookie: e\r\n",
		"X-Probe: v\r\nX: \"a:b;c\"\r\nX: \xc3\xa9\r\nHost: [::1]:80\r\n",
	};
	g_autoptr(GString) many = g_string_new("X-Probe: v\r\nHost: a\r\n");

	for (int i = 0; i < 50; i++)
		g_string_append_printf(many, "X-%d: %d\r\n", i, i * i);
	g_string_append_printf(many, "X-Big: %0*d\r\n", 20000, 0);
	for (size_t i = 0; i <= G_N_ELEMENTS(heads); i++) {
		const char *head = i < G_N_ELEMENTS(heads) ? heads[i] :
		    many->str;
		g_autofree char *text = g_strconcat(
		    "\r\nPOST /a%20b?hub.mode=x%2By&z HTTP/1.1\r\n", head,
		    CLOSE "Content-Length: 2\r\n\r\nok", NULL);
		g_autofree char *all = talk(*state, text);

		if (strstr(all, "POST /a b mode=x+y probe=v len=2:ok") == NULL)
			fail_msg("%s: got %s", head, all);
	}
}

static void
headers_and_targets_have_a_bound(void **state)
{
	g_autofree char *long_text = g_strnfill(40000, 'x');
	g_autofree char *head = g_strconcat("GET / HTTP/1.1\r\n" HOST "X: ",
	    long_text, "\r\n\r\n", NULL);
	g_autofree char *target = g_strconcat("GET /", long_text,
	    " HTTP/1.1\r\n" HOST "\r\n", NULL);
	g_autofree char *a = talk(*state, head);
	g_autofree char *b = talk(*state, target);
	struct peer *p = *state;

	assert_int_equal(status_of(a), 431);
	assert_int_equal(status_of(b), 414);
	assert_int_equal(atomic_load(&p->app.asked), 0);
}

static void
a_request_sent_byte_by_byte_is_the_same_request(void **state)
{
	static const char *const requests[] = {
		"POST /p?hub.mode=subscribe HTTP/1.1\r\n" HOST CLOSE
		"X-Probe: v\r\nContent-Length: 6\r\n\r\nabcdef",
		"POST /p?hub.mode=subscribe HTTP/1.1\r\n" HOST CLOSE
		"X-Probe: v\r\nTransfer-Encoding: chunked\r\n\r\n"
		"2\r\nab\r\n3;x=y\r\ncde\r\n1\r\nf\r\n0\r\nT: t\r\n\r\n",
	};
	struct peer *p = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
		g_autofree char *all = NULL;
		int fd = dial(p);

		for (const char *at = requests[i]; *at != '\0'; at++)
			dial_send(fd, at, 1);
		all = dial_read_all(fd, 5000);
		close(fd);
		assert_int_equal(status_of(all), 200);
		assert_true(g_str_has_suffix(all,
		    "POST /p mode=subscribe probe=v len=6:abcdef"));
	}
}

static void
dotted_and_escaped_query_names_are_found(void **state)
{
	static const struct {
		const char *query, *seen;
	} rows[] = {
		{ "hub.mode=subscribe&hub.challenge=1", "mode=subscribe " },
		{ "hub%2Emode=a%20b", "mode=a b " },
		{ "x=1&hub.mode=a+b", "mode=a b " },
		{ "hub_mode=a", "mode=- " },
		{ "hub.mode=", "mode= " },
		{ "hub.mode", "mode=- " },
		{ "", "mode=- " },
		{ "hub.mode=1&hub.mode=2", "mode=1 " },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf("GET /?%s HTTP/1.1\r\n"
		    HOST CLOSE "\r\n", rows[i].query);
		g_autofree char *all = talk(*state, text);

		if (strstr(all, rows[i].seen) == NULL)
			fail_msg("%s: want %s, got %s", rows[i].query,
			    rows[i].seen, all);
	}
}

static void
every_method_is_for_the_application_and_head_gets_no_body(void **state)
{
	static const char *const methods[] = { "GET", "PUT", "DELETE",
		"OPTIONS", "PATCH", "BREW" };
	g_autofree char *head = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
		g_autofree char *text = g_strdup_printf(
		    "%s /x HTTP/1.1\r\n" HOST CLOSE "\r\n", methods[i]);
		g_autofree char *want = g_strdup_printf(
		    "\r\n\r\n%s /x mode=- probe=- len=0:", methods[i]);
		g_autofree char *all = talk(*state, text);

		assert_non_null(strstr(all, want));
	}
	head = talk(*state, "HEAD /x HTTP/1.1\r\n" HOST CLOSE "\r\n");
	assert_int_equal(status_of(head), 200);
	assert_true(g_str_has_suffix(head, "\r\n\r\n"));
}

static void
a_body_of_exactly_the_cap_is_taken(void **state)
{
	g_autofree char *body = g_strnfill(1000, 'b');
	g_autofree char *plain = g_strconcat("POST / HTTP/1.1\r\n" HOST CLOSE
	    "Content-Length: 1000\r\n\r\n", body, NULL);
	g_autofree char *chunked = g_strconcat("POST / HTTP/1.1\r\n" HOST
	    CLOSE "Transfer-Encoding: chunked\r\n\r\n3e8\r\n", body,
	    "\r\n0\r\n\r\n", NULL);
	g_autofree char *a = talk(*state, plain);
	g_autofree char *b = talk(*state, chunked);

	assert_non_null(strstr(a, "len=1000:bbbb"));
	assert_non_null(strstr(b, "len=1000:bbbb"));
}

static void
a_chunked_body_over_the_cap_gets_413_and_a_huge_one_is_cut(void **state)
{
	g_autofree char *body = g_strnfill(1001, 'b');
	g_autofree char *over = g_strconcat("POST / HTTP/1.1\r\n" HOST CLOSE
	    "Transfer-Encoding: chunked\r\n\r\n3e9\r\n", body,
	    "\r\n0\r\n\r\n", NULL);
	g_autofree char *huge = g_strconcat("POST / HTTP/1.1\r\n" HOST
	    "Transfer-Encoding: chunked\r\n\r\n3e9\r\n", body, "\r\n3e9\r\n",
	    body, "\r\n", NULL);
	g_autofree char *a = talk(*state, over);
	g_autofree char *b = talk(*state, huge);
	struct peer *p = *state;

	assert_int_equal(status_of(a), 413);
	assert_string_equal(b, "");
	assert_int_equal(atomic_load(&p->app.asked), 0);
	assert_int_equal(peer_stats(p).too_large, 2);
}

static void
a_connection_can_be_used_on_after_a_chunked_413(void **state)
{
	g_autofree char *body = g_strnfill(1001, 'b');
	g_autofree char *over = g_strconcat("POST / HTTP/1.1\r\n" HOST
	    "Transfer-Encoding: chunked\r\n\r\n3e9\r\n", body,
	    "\r\n0\r\n\r\nPOST /next HTTP/1.1\r\n" HOST CLOSE
	    "Content-Length: 2\r\n\r\nok", NULL);
	g_autofree char *all = talk(*state, over);

	assert_int_equal(status_of(all), 413);
	assert_true(g_str_has_suffix(all,
	    "POST /next mode=- probe=- len=2:ok"));
}

static void
expect_continue_gets_100_and_then_the_answer(void **state)
{
	g_autofree char *rest = NULL;
	char first[32] = "";
	int fd = dial(*state);

	dial_say(fd, "POST / HTTP/1.1\r\n" HOST CLOSE
	    "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	assert_int_equal(recv(fd, first, 25, MSG_WAITALL), 25);
	assert_string_equal(first, "HTTP/1.1 100 Continue\r\n\r\n");
	dial_say(fd, "abc");
	rest = dial_read_all(fd, 5000);
	close(fd);
	assert_int_equal(status_of(rest), 200);
	assert_true(g_str_has_suffix(rest, "len=3:abc"));
}

static void
expect_continue_beyond_the_cap_gets_413_and_no_100(void **state)
{
	g_autofree char *all = talk(*state, "POST / HTTP/1.1\r\n" HOST
	    "Expect: 100-continue\r\nContent-Length: 5000000\r\n\r\n");

	assert_int_equal(status_of(all), 413);
	assert_null(strstr(all, "100 Continue"));
}

static void
pipelined_requests_are_answered_in_order(void **state)
{
	g_autofree char *all = talk(*state,
	    "POST /1 HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\none"
	    "GET /2 HTTP/1.1\r\n" HOST "\r\n"
	    "POST /3 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	    "5\r\nthree\r\n0\r\n\r\n"
	    "POST /4 HTTP/1.1\r\n" HOST CLOSE "Content-Length: 0\r\n\r\n");
	const char *one = strstr(all, "POST /1 mode=- probe=- len=3:one");
	const char *two = strstr(all, "GET /2 mode=- probe=- len=0:");
	const char *three = strstr(all, "POST /3 mode=- probe=- len=5:three");
	const char *four = strstr(all, "POST /4 mode=- probe=- len=0:");

	assert_int_equal(count_of(all, "HTTP/1.1 200 OK"), 4);
	assert_true(one != NULL && one < two && two < three && three < four);
}

static void
pipelined_requests_wait_for_the_answer_of_another_thread(void **state)
{
	struct peer *p = *state;
	g_autofree char *all = NULL;
	int fd = dial(p);

	dial_say(fd, "GET /1 HTTP/1.1\r\n" HOST "\r\n"
	    "GET /2 HTTP/1.1\r\n" HOST CLOSE "\r\n");
	app_wait_held(&p->app, 1);
	app_answer_all(&p->app, 200, "first");
	app_wait_held(&p->app, 1);
	app_answer_all(&p->app, 503, "second");
	all = dial_read_all(fd, 5000);
	close(fd);
	assert_int_equal(count_of(all, "HTTP/1.1 200 OK"), 1);
	assert_int_equal(count_of(all, "HTTP/1.1 503 "), 1);
	assert_true(strstr(all, "first") < strstr(all, "second"));
}

static void
a_connection_forgets_the_body_of_the_request_before(void **state)
{
	struct peer *p = *state;
	g_autofree char *big = g_strnfill(900, 'A');
	g_autofree char *text = g_strconcat("POST / HTTP/1.1\r\n" HOST
	    "Content-Length: 900\r\n\r\n", big, NULL);
	int fd = dial(p);

	for (int i = 0; i < 3; i++) {
		g_autofree char *one = NULL;
		g_autofree char *two = NULL;

		dial_say(fd, text);
		one = dial_read_one(fd);
		assert_non_null(strstr(one, "len=900:AAA"));
		dial_say(fd, "POST / HTTP/1.1\r\n" HOST
		    "Content-Length: 1\r\n\r\nz");
		two = dial_read_one(fd);
		assert_true(g_str_has_suffix(two, "len=1:z"));
	}
	close(fd);
}

static void
an_answer_may_come_before_the_handler_returns(void **state)
{
	struct peer p;

	(void)state;
	peer_init(&p);
	p.app.mode = APP_OTHER_FIRST;
	peer_start(&p);
	for (int i = 0; i < 20; i++) {
		g_autofree char *all = talk(&p, "POST / HTTP/1.1\r\n" HOST
		    CLOSE "Content-Length: 2\r\n\r\nhi");

		assert_int_equal(status_of(all), 201);
		assert_true(g_str_has_suffix(all, "\r\n\r\nother"));
	}
	peer_clear(&p);
}

static void
no_answer_is_lost_however_it_races_with_the_handler(void **state)
{
	struct peer p;
	int fds[4];

	(void)state;
	peer_init(&p);
	p.app.mode = APP_OTHER_RACE;
	peer_start(&p);
	for (int i = 0; i < 4; i++)
		fds[i] = dial(&p);
	for (int round = 0; round < 500; round++) {
		for (int i = 0; i < 4; i++)
			dial_say(fds[i], "POST / HTTP/1.1\r\n" HOST
			    "Content-Length: 2\r\n\r\nhi");
		for (int i = 0; i < 4; i++) {
			g_autofree char *one = dial_read_one(fds[i]);

			assert_int_equal(status_of(one), 200);
			assert_true(g_str_has_suffix(one, "race"));
		}
	}
	assert_int_equal(atomic_load(&p.app.asked), 2000);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	peer_clear(&p);
}

static void
type_and_retry_after_are_as_the_application_said(void **state)
{
	struct peer *p = *state;
	g_autofree char *all = NULL;
	int fd = dial(p);

	dial_say(fd, "GET / HTTP/1.1\r\n" HOST CLOSE "\r\n");
	app_wait_held(&p->app, 1);
	http_answer(p->app.held->pdata[0], 503, "application/json", "{}", 2,
	    30);
	all = dial_read_all(fd, 5000);
	close(fd);
	assert_int_equal(status_of(all), 503);
	assert_non_null(strstr(all, "\r\nRetry-After: 30\r\n"));
	assert_non_null(strstr(all, "\r\nContent-Type: application/json\r\n"));
	assert_true(g_str_has_suffix(all, "\r\n\r\n{}"));
}

/* Cut, without an answer, not before the deadline and soon after it. */
static void
check_cut(struct peer *p, const char *start_with, bool trickle)
{
	int64_t begin = clock_mono_ms(), took;
	g_autofree char *all = NULL;
	int fd = dial(p);

	dial_say(fd, start_with);
	while (trickle && clock_mono_ms() - begin < PEER_DEADLINE_MS * 3) {
		struct pollfd q = { .fd = fd, .events = POLLIN };

		if (poll(&q, 1, 10) > 0)
			break;
		dial_send(fd, "x", 1);
	}
	all = dial_read_all(fd, 2000);
	took = clock_mono_ms() - begin;
	close(fd);
	assert_non_null(all);
	assert_string_equal(all, "");
	if (took < PEER_DEADLINE_MS - 5 || took > PEER_DEADLINE_MS * 3)
		fail_msg("\"%s\": cut after %d ms", start_with, (int)took);
}

static void
a_client_that_only_trickles_is_cut_at_the_deadline(void **state)
{
	struct peer *p = *state;

	check_cut(p, "GET /slow-line", true);
	check_cut(p, "GET / HTTP/1.1\r\n" HOST "X: ", true);
	check_cut(p, "POST / HTTP/1.1\r\n" HOST
	    "Content-Length: 900\r\n\r\n", true);
	check_cut(p, "POST / HTTP/1.1\r\n" HOST
	    "Transfer-Encoding: chunked\r\n\r\n300\r\n", true);
	check_cut(p, "", false);
	assert_int_equal(atomic_load(&p->app.asked), 0);
	assert_int_equal(peer_stats(p).late, 5);
}

/*
 * Bytes and the end come together: MHD, whose epoll is edge-triggered, may not
 * see the end. Which of them do so is chance, so there are many.
 */
static void
who_hangs_up_in_the_middle_is_forgotten_long_before_the_deadline(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\n" HOST
	    "Content-Length: 900000\r\n\r\n";
	struct peer *p = *state;
	g_autofree char *body = g_strnfill(90000, 'x');

	for (size_t i = 0; i < 300; i++) {
		int fd = dial(p);

		dial_say(fd, head);
		dial_send(fd, body, 300 * i);
		close(fd);
	}
	assert_true(http_server_drain(p->srv, 5000));
	assert_int_equal(peer_stats(p).late, 0);
	assert_int_equal(atomic_load(&p->app.asked), 0);
}

static void
an_idle_connection_is_closed_at_the_deadline_but_not_called_late(void **state)
{
	struct peer *p = *state;
	g_autofree char *one = NULL;
	g_autofree char *rest = NULL;
	int64_t begin, took;
	int fd = dial(p);

	dial_say(fd, "GET / HTTP/1.1\r\n" HOST "\r\n");
	one = dial_read_one(fd);
	begin = clock_mono_ms();
	assert_int_equal(status_of(one), 200);
	rest = dial_read_all(fd, 2000);
	took = clock_mono_ms() - begin;
	close(fd);
	assert_string_equal(rest, "");
	assert_in_range(took, PEER_DEADLINE_MS - 5, PEER_DEADLINE_MS * 3);
	assert_int_equal(peer_stats(p).late, 0);
}

static void
each_request_of_a_connection_has_its_own_deadline(void **state)
{
	struct peer *p = *state;
	int fd = dial(p);

	for (int i = 0; i < 4; i++) {
		g_autofree char *one = NULL;

		dial_say(fd, "GET / HTTP/1.1\r\n" HOST);
		g_usleep(PEER_DEADLINE_MS * 1000 * 2 / 5);
		dial_say(fd, "\r\n");
		one = dial_read_one(fd);
		assert_int_equal(status_of(one), 200);
	}
	close(fd);
}

static void
a_request_that_waits_for_the_application_is_not_cut(void **state)
{
	struct peer *p = *state;
	g_autofree char *all = NULL;
	int fd = dial(p);

	dial_say(fd, "GET / HTTP/1.1\r\n" HOST CLOSE "\r\n");
	app_wait_held(&p->app, 1);
	g_usleep(PEER_DEADLINE_MS * 1000 * 3 / 2);
	app_answer_all(&p->app, 200, "late but whole");
	all = dial_read_all(fd, 5000);
	close(fd);
	assert_true(g_str_has_suffix(all, "late but whole"));
	assert_int_equal(peer_stats(p).late, 0);
}

static void
a_client_that_went_away_is_no_error_for_who_answers(void **state)
{
	struct peer *p = *state;

	for (int i = 0; i < 10; i++) {
		int fd = dial(p);

		dial_say(fd, "POST / HTTP/1.1\r\n" HOST
		    "Content-Length: 2\r\n\r\nhi");
		app_wait_held(&p->app, 1);
		if (i % 2 == 0) {
			struct linger hard = { 1, 0 };

			setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard,
			    sizeof(hard));
		}
		close(fd);
		app_answer_all(&p->app, 200, "nobody");
	}
	assert_true(http_server_drain(p->srv, 2000));
	assert_int_equal(peer_stats(p).requests, 10);
}

static void
one_address_has_only_its_share_of_connections(void **state)
{
	struct peer p;
	int fds[6], served = 0, refused = 0;

	(void)state;
	peer_init(&p);
	p.conf.connections_per_address = 4;
	peer_start(&p);
	for (int i = 0; i < 6; i++) {
		fds[i] = dial(&p);
		dial_say(fds[i], "GET / HTTP/1.1\r\n" HOST "\r\n");
	}
	for (int i = 0; i < 6; i++) {
		g_autofree char *one = dial_read_one(fds[i]);

		served += one != NULL;
		refused += one == NULL;
	}
	/* Not before all were read: a place that is free is taken again. */
	for (int i = 0; i < 6; i++)
		close(fds[i]);
	assert_int_equal(served, 4);
	assert_int_equal(refused, 2);
	peer_clear(&p);
}

static void
past_the_limit_of_connections_the_next_one_waits_for_a_place(void **state)
{
	g_autofree char *late = NULL;
	struct peer p;
	int fds[3];

	(void)state;
	peer_init(&p);
	p.conf.connections = 2;
	p.conf.deadline_ms = 5000;
	peer_start(&p);
	for (int i = 0; i < 3; i++) {
		fds[i] = dial(&p);
		dial_say(fds[i], "GET / HTTP/1.1\r\n" HOST "\r\n");
	}
	for (int i = 0; i < 2; i++) {
		g_autofree char *one = dial_read_one(fds[i]);

		assert_int_equal(status_of(one), 200);
	}
	assert_int_equal(peer_stats(&p).requests, 2);
	close(fds[0]);
	late = dial_read_one(fds[2]);
	assert_int_equal(status_of(late), 200);
	close(fds[1]);
	close(fds[2]);
	peer_clear(&p);
}

struct loader {
	struct peer *p;
	int answered, cut;
};

/* Until the server closes the connection or listens no more. */
static void *
load(void *arg)
{
	struct loader *l = arg;

	for (;;) {
		int fd = dial(l->p);
		char *one;

		if (fd < 0)
			return NULL;
		do {
			dial_say(fd, "POST / HTTP/1.1\r\n" HOST
			    "Content-Length: 4\r\n\r\nload");
			one = dial_read_one(fd);
			l->answered += status_of(one) == 200;
			l->cut += one == NULL;
			g_free(one);
		} while (one != NULL);
		close(fd);
	}
}

static void
drain_under_load_answers_all_that_was_asked(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		struct loader loaders[8];
		pthread_t threads[8];
		struct peer p;
		int answered = 0;

		peer_init(&p);
		p.app.mode = APP_OTHER_RACE;
		p.conf.deadline_ms = 5000;
		peer_start(&p);
		for (int i = 0; i < 8; i++) {
			loaders[i] = (struct loader){ .p = &p };
			pthread_create(&threads[i], NULL, load, &loaders[i]);
		}
		g_usleep(30000);
		assert_true(http_server_drain(p.srv, 5000));
		for (int i = 0; i < 8; i++) {
			pthread_join(threads[i], NULL);
			answered += loaders[i].answered;
		}
		assert_int_equal(answered, atomic_load(&p.app.asked));
		assert_true(answered > 8);
		peer_clear(&p);
	}
}

static void
drain_refuses_the_new_closes_the_idle_and_waits_for_the_asked(void **state)
{
	struct peer *p = *state;
	g_autofree char *idle_rest = NULL;
	g_autofree char *all = NULL;
	int idle, busy;

	idle = dial(p);
	dial_say(idle, "GET / HTTP/1.1\r\n" HOST "\r\n");
	app_wait_held(&p->app, 1);
	app_answer_all(&p->app, 200, "warm");
	g_free(dial_read_one(idle));
	busy = dial(p);
	dial_say(busy, "GET / HTTP/1.1\r\n" HOST "\r\n");
	app_wait_held(&p->app, 1);

	/* As long as the first may still send another request. */
	assert_false(http_server_drain(p->srv, 150));
	assert_int_equal(dial(p), -1);
	idle_rest = dial_read_all(idle, PEER_DEADLINE_MS / 2);
	assert_non_null(idle_rest);
	assert_string_equal(idle_rest, "");
	app_answer_all(&p->app, 200, "in the end");
	assert_true(http_server_drain(p->srv, 2000));
	all = dial_read_all(busy, 2000);
	assert_true(g_str_has_suffix(all, "in the end"));
	assert_non_null(strstr(all, "\r\nConnection: close\r\n"));
	close(idle);
	close(busy);
}

static void
a_successor_can_listen_while_the_drained_one_still_answers(void **state)
{
	struct peer *p = *state, next;
	g_autofree char *from_next = NULL;
	g_autofree char *from_old = NULL;
	int fd = dial(p);

	dial_say(fd, "GET / HTTP/1.1\r\n" HOST CLOSE "\r\n");
	app_wait_held(&p->app, 1);
	assert_false(http_server_drain(p->srv, 5));
	peer_init(&next);
	next.place.port = p->port;
	peer_start(&next);
	from_next = talk(&next, "GET /new HTTP/1.1\r\n" HOST CLOSE "\r\n");
	assert_non_null(strstr(from_next, "GET /new"));
	app_answer_all(&p->app, 200, "old");
	from_old = dial_read_all(fd, 2000);
	close(fd);
	assert_true(g_str_has_suffix(from_old, "old"));
	peer_clear(&next);
}

static void
a_server_can_be_freed_with_requests_unanswered(void **state)
{
	g_autofree char *all = NULL;
	struct peer p;
	int fds[5];

	(void)state;
	peer_init(&p);
	p.app.mode = APP_HOLD;
	peer_start(&p);
	for (int i = 0; i < 5; i++) {
		fds[i] = dial(&p);
		dial_say(fds[i], "GET / HTTP/1.1\r\n" HOST "\r\n");
	}
	app_wait_held(&p.app, 5);
	peer_clear(&p);
	for (int i = 0; i < 5; i++) {
		g_autofree char *none = dial_read_all(fds[i], 2000);

		assert_non_null(none);
		assert_string_equal(none, "");
		close(fds[i]);
	}
}

static void
a_server_that_was_never_started_only_holds_its_port(void **state)
{
	struct err err = ERR_INIT;
	struct peer p;

	(void)state;
	peer_init(&p);
	peer_listen(&p);
	assert_true(http_server_new(&p.conf, NULL, NULL, &p.srv, &err));
	assert_true(http_server_port(p.srv) > 0);
	assert_true(http_server_drain(p.srv, 0));
	peer_clear(&p);
}

static void
an_address_that_cannot_be_bound_is_named_with_its_port(void **state)
{
	struct peer *p = *state;
	struct http_place place = { .address = "127.0.0.1", .port = p->port };
	g_autofree char *port = g_strdup_printf("%d", p->port);
	struct err err = ERR_INIT;
	int fd = -1;

	assert_false(http_hold(&place, &fd, &err));
	assert_int_equal(err.kind, ERR_CONF);
	assert_string_equal(err.what, "http.listen");
	assert_non_null(strstr(err.text, "127.0.0.1"));
	assert_non_null(strstr(err.text, port));
	assert_non_null(strstr(err.text, "another process"));
	assert_false(http_listen(&place, &fd, &err));
	assert_non_null(strstr(err.text, "another process"));
	place.address = "localhost";
	assert_false(http_hold(&place, &fd, &err));
	assert_string_equal(err.what, "http.listen");
	place.address = "192.0.2.1";
	assert_false(http_listen(&place, &fd, &err));
	assert_non_null(strstr(err.text, "no interface"));
	place.address = "127.0.0.1";
	place.port = 70000;
	assert_false(http_hold(&place, &fd, &err));
	assert_int_equal(fd, -1);
}

static void
what_is_no_socket_is_refused(void **state)
{
	struct http_conf conf = { .threads = 1, .connections = 1,
		.deadline_ms = 1, .listen_fd = eventfd(0, EFD_CLOEXEC) };
	struct http_server *srv = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_false(http_server_new(&conf, NULL, NULL, &srv, &err));
	assert_string_equal(err.what, "http.listen");
	conf.listen_fd = -1;
	assert_false(http_server_new(&conf, NULL, NULL, &srv, &err));
	assert_string_equal(err.what, "http.listen");
	assert_null(srv);
}

/* What a client meets: -1 is refused. */
static int
dial_port(int port)
{
	struct peer p = { .place = { .address = "127.0.0.1" }, .port = port };

	return dial(&p);
}

static int
port_of(int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin_port);
}

static void
a_held_place_is_nobody_elses_and_refuses_until_it_listens(void **state)
{
	struct http_place place = { .address = "127.0.0.1" };
	struct err err = ERR_INIT;
	int fd = -1, other = -1, client;

	(void)state;
	assert_true(http_hold(&place, &fd, &err));
	place.port = port_of(fd);
	assert_int_equal(dial_port(place.port), -1);
	assert_int_equal(listen(fd, 1), 0);
	assert_false(http_hold(&place, &other, &err));
	client = dial_port(place.port);
	assert_true(client >= 0);
	close(client);
	close(fd);
}

static void
another_address_with_the_port_one_has_can_be_listened_on(void **state)
{
	static const char *const rows[][2] = {
		{ "127.0.0.1", "0.0.0.0" }, { "0.0.0.0", "127.0.0.1" },
		{ "127.0.0.1", "127.0.0.1" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct http_place place = { .address = rows[i][0] };
		struct err err = ERR_INIT;
		int fds[2] = { -1, -1 }, next = -1, stranger = -1, client;

		assert_true(http_listen(&place, &fds[1], &err));
		place = (struct http_place){ .address = rows[i][1],
			.port = port_of(fds[1]) };
		assert_false(http_listen(&place, &next, &err));
		place.beside = fds;
		place.n_beside = 2;
		assert_true(http_listen(&place, &next, &err));
		place.n_beside = 0;
		close(fds[1]);
		client = dial_port(place.port);
		assert_true(client >= 0);
		close(client);
		/* As a second daemon would. */
		assert_false(http_hold(&place, &stranger, &err));
		close(next);
	}
}

static void
a_client_that_gave_up_in_the_queue_is_not_served(void **state)
{
	g_autofree char *got = NULL;
	struct err err = ERR_INIT;
	struct peer p;
	int gone;

	(void)state;
	peer_init(&p);
	peer_listen(&p);
	p.port = port_of(p.conf.listen_fd);
	gone = dial(&p);
	dial_say(gone, "POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n"
	    CLOSE "\r\ngone");
	close(gone);
	peer_serve(&p);
	got = talk(&p, "GET /again HTTP/1.1\r\n" HOST CLOSE "\r\n");
	assert_non_null(strstr(got, "GET /again"));
	assert_true(http_server_drain(p.srv, 2000));
	assert_int_equal(atomic_load(&p.app.asked), 1);
	assert_string_equal(err.text, "");
	peer_clear(&p);
}

/* The supervisor's part: it has the socket too, and starts the next one. */
static void
who_connects_between_two_servers_is_served_by_the_second(void **state)
{
	g_autofree char *got = NULL;
	struct peer old, next;
	int kept, fd;

	(void)state;
	peer_init(&old);
	peer_listen(&old);
	kept = dup(old.conf.listen_fd);
	peer_serve(&old);
	g_free(talk(&old, "GET / HTTP/1.1\r\n" HOST CLOSE "\r\n"));
	assert_true(http_server_drain(old.srv, 2000));
	fd = dial(&old);
	assert_true(fd >= 0);
	dial_say(fd, "GET /between HTTP/1.1\r\n" HOST CLOSE "\r\n");
	peer_clear(&old);
	peer_init(&next);
	next.conf.listen_fd = kept;
	peer_serve(&next);
	got = dial_read_all(fd, 2000);
	assert_non_null(strstr(got, "GET /between"));
	close(fd);
	peer_clear(&next);
}

static void
who_has_just_connected_is_still_served_by_a_drained_server(void **state)
{
	g_autofree char *got = NULL;
	struct peer p;
	int fd;

	(void)state;
	peer_init(&p);
	p.conf.deadline_ms = 5000;
	peer_start(&p);
	fd = dial(&p);
	assert_false(http_server_drain(p.srv, 5));
	dial_say(fd, "GET /late HTTP/1.1\r\n" HOST "\r\n");
	got = dial_read_all(fd, 2000);
	assert_non_null(got);
	assert_non_null(strstr(got, "GET /late"));
	assert_non_null(strstr(got, "\r\nConnection: close\r\n"));
	assert_true(http_server_drain(p.srv, 2000));
	close(fd);
	peer_clear(&p);
}

static void
the_peer_address_is_told_in_its_own_family(void **state)
{
	static const struct {
		const char *listen, *remote;
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1" }, { "0.0.0.0", "127.0.0.1" },
		{ "::1", "::1" }, { "::", "127.0.0.1" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct err err = ERR_INIT;
		struct peer p;
		int probe;

		peer_init(&p);
		p.place.address = rows[i].listen;
		p.conf.threads = 1;
		if (strchr(rows[i].listen, ':') != NULL) {
			if (!http_hold(&p.place, &probe, &err)) {
				print_message("# no IPv6 here: %s\n", err.text);
				peer_clear(&p);
				continue;
			}
			close(probe);
		}
		peer_start(&p);
		g_free(talk(&p, "GET / HTTP/1.1\r\n" HOST CLOSE "\r\n"));
		assert_string_equal(p.app.remote, rows[i].remote);
		peer_clear(&p);
	}
}

int
main(void)
{
#define WITH(f) cmocka_unit_test_setup_teardown(f, start, stop)
#define HOLD(f) cmocka_unit_test_setup_teardown(f, start_hold, stop)
	const struct CMUnitTest tests[] = {
		WITH(an_ambiguous_request_is_refused_before_the_application_is_asked),
		WITH(a_nul_anywhere_in_the_head_is_refused),
		WITH(any_number_and_spacing_of_plain_headers_is_fine),
		WITH(headers_and_targets_have_a_bound),
		WITH(a_request_sent_byte_by_byte_is_the_same_request),
		WITH(dotted_and_escaped_query_names_are_found),
		WITH(every_method_is_for_the_application_and_head_gets_no_body),
		WITH(a_body_of_exactly_the_cap_is_taken),
		WITH(a_chunked_body_over_the_cap_gets_413_and_a_huge_one_is_cut),
		WITH(a_connection_can_be_used_on_after_a_chunked_413),
		WITH(expect_continue_gets_100_and_then_the_answer),
		WITH(expect_continue_beyond_the_cap_gets_413_and_no_100),
		WITH(pipelined_requests_are_answered_in_order),
		HOLD(pipelined_requests_wait_for_the_answer_of_another_thread),
		WITH(a_connection_forgets_the_body_of_the_request_before),
		cmocka_unit_test(an_answer_may_come_before_the_handler_returns),
		cmocka_unit_test(no_answer_is_lost_however_it_races_with_the_handler),
		HOLD(type_and_retry_after_are_as_the_application_said),
		WITH(a_client_that_only_trickles_is_cut_at_the_deadline),
		cmocka_unit_test_setup_teardown(
		    who_hangs_up_in_the_middle_is_forgotten_long_before_the_deadline,
		    start_patient, stop),
		WITH(an_idle_connection_is_closed_at_the_deadline_but_not_called_late),
		WITH(each_request_of_a_connection_has_its_own_deadline),
		HOLD(a_request_that_waits_for_the_application_is_not_cut),
		HOLD(a_client_that_went_away_is_no_error_for_who_answers),
		cmocka_unit_test(one_address_has_only_its_share_of_connections),
		cmocka_unit_test(past_the_limit_of_connections_the_next_one_waits_for_a_place),
		cmocka_unit_test(drain_under_load_answers_all_that_was_asked),
		HOLD(drain_refuses_the_new_closes_the_idle_and_waits_for_the_asked),
		HOLD(a_successor_can_listen_while_the_drained_one_still_answers),
		cmocka_unit_test(a_server_can_be_freed_with_requests_unanswered),
		cmocka_unit_test(a_server_that_was_never_started_only_holds_its_port),
		WITH(an_address_that_cannot_be_bound_is_named_with_its_port),
		cmocka_unit_test(what_is_no_socket_is_refused),
		cmocka_unit_test(
		    a_held_place_is_nobody_elses_and_refuses_until_it_listens),
		cmocka_unit_test(
		    another_address_with_the_port_one_has_can_be_listened_on),
		cmocka_unit_test(a_client_that_gave_up_in_the_queue_is_not_served),
		cmocka_unit_test(
		    who_connects_between_two_servers_is_served_by_the_second),
		cmocka_unit_test(
		    who_has_just_connected_is_still_served_by_a_drained_server),
		cmocka_unit_test(the_peer_address_is_told_in_its_own_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
