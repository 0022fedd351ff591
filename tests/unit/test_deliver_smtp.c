/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deliver against tests/lib/smtp_peer.py, obedient and hostile. For each test
 * the peer begins anew; whatever happens, each mail is reported exactly once,
 * and nothing is called accepted that the peer has not got as it is.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <glib.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "deliver.h"
#include "err.h"
#include "io.h"

#define MAILS 12

struct world {
	char *dir, *script;
	struct deliver_relay relay;
	struct deliver_feed feed;
	struct deliver_mail mails[MAILS];
	char *texts[MAILS], *ids[MAILS];
	int count, given, calls;
	struct deliver_report reports[MAILS];
	int reported[MAILS];
	int64_t last_wait;
	struct err err;
};

/*
 * libesmtp's write() comes here, as its connect() goes to the seam. One of
 * them can be made to fail once, as when the kernel has no buffer.
 */
static _Thread_local int fail_write_in;
static _Thread_local int delayed_writes;

/* A write of this size waits 40 ms for an acknowledgement without it. */
static void
check_nodelay(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	if (getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len) == 0 && !on)
		delayed_writes++;
}

ssize_t write(int fd, const void *buf, size_t n);

ssize_t
write(int fd, const void *buf, size_t n)
{
	if (fail_write_in > 0 && n > 1000 && --fail_write_in == 0) {
		errno = ENOBUFS;
		return -1;
	}
	if (n > 1000)
		check_nodelay(fd);
	return syscall(SYS_write, fd, buf, n);
}

/* A name server that takes its time. */
int
getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
    struct addrinfo **out)
{
	union {
		void *object;
		int (*function)(const char *, const char *,
		    const struct addrinfo *, struct addrinfo **);
	} real = { .object = dlsym(RTLD_NEXT, "getaddrinfo") };

	if (strcmp(host, "slow.example") == 0 &&
	    (hints->ai_flags & AI_NUMERICHOST) == 0) {
		g_usleep(20000000);
		host = "127.0.0.1";
	}
	return real.function(host, port, hints, out);
}

static const struct deliver_mail *
next(void *arg, int64_t wait_ms)
{
	struct world *w = arg;

	w->last_wait = wait_ms;
	w->calls++;
	errno = ENOENT;		/* a caller's errno must not matter */
	return w->given < w->count ? &w->mails[w->given++] : NULL;
}

static void
done(void *arg, const struct deliver_mail *mail,
    const struct deliver_report *r)
{
	struct world *w = arg;
	long i = mail - w->mails;

	assert_in_range(i, 0, w->given - 1);
	w->reported[i]++;
	w->reports[i] = *r;
	errno = ENOENT;
}

static void
add_mail_with(struct world *w, const char *headers, const char *body)
{
	int i = w->count++;

	w->ids[i] = g_strdup_printf("<t.%d@bank.example>", i);
	w->texts[i] = g_strdup_printf(
	    "Date: Tue, 03 Feb 2026 14:05:09 +0000\r\n"
	    "From: a@bank.example\r\nTo: j@bank.example\r\n"
	    "Message-ID: %s\r\n%s\r\n%s", w->ids[i], headers, body);
	w->mails[i] = (struct deliver_mail){ .id = i,
		.message_id = w->ids[i], .envelope_from = "a@bank.example",
		.envelope_to = "j@bank.example", .bytes = w->texts[i],
		.len = strlen(w->texts[i]) };
}

static void
add_mails(struct world *w, int n)
{
	for (int i = 0; i < n; i++)
		add_mail_with(w, "Subject: a turn\r\n", "hello\r\n.\r\nbye\r\n");
}

static int
world_open(void **state)
{
	struct world *w = g_new0(struct world, 1);
	char name[] = "/tmp/cj-smtp-XXXXXX";

	w->dir = g_strdup(mkdtemp(name));
	w->script = g_build_filename(w->dir, "script", NULL);
	w->relay = (struct deliver_relay){ .name = "peer", .host = "127.0.0.1",
		.helo = "client.example", .connect_ms = 30000,
		.command_ms = 30000, .total_ms = 60000, .linger_ms = 50,
		.session_mails = 100 };
	w->feed = (struct deliver_feed){ next, done, w };
	*state = w;
	return 0;
}

static void
run_rm(const char *dir)
{
	g_autofree char *d = g_strdup(dir);
	char rm[] = "rm", rf[] = "-rf";
	char *argv[] = { rm, rf, d, NULL };

	g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
	    NULL, NULL, NULL);
}

static int
world_close(void **state)
{
	struct world *w = *state;

	run_rm(w->dir);
	for (int i = 0; i < w->count; i++) {
		g_free(w->texts[i]);
		g_free(w->ids[i]);
	}
	g_free(w->script);
	g_free(w->dir);
	g_free(w);
	return 0;
}

/* The peers of this program; each lives while its input is open. */
static struct peer {
	const char *address;
	bool has_tls, implicit;
	GPid pid;
	int in, out;
} peers[4];

static int
read_port(int fd)
{
	char buf[32] = "";
	size_t n = 0;

	while (n < sizeof(buf) - 1 && read(fd, buf + n, 1) == 1 &&
	    buf[n] != '\n')
		n++;
	return (int)strtol(buf, NULL, 10);
}

static void
spawn(struct peer *p, struct world *w)
{
	const char *src = getenv("SRCDIR");
	g_autofree char *prog = g_build_filename(src != NULL ? src : ".",
	    "tests", "lib", "smtp_peer.py", NULL);
	const char *argv[12] = { "python3", "-B", prog, "--dir", w->dir,
		"--script", w->script, "--address", p->address };
	int n = 9;

	if (p->implicit)
		argv[n++] = "--implicit-tls";
	if (p->has_tls)
		argv[n++] = "--tls-name=localhost";
	if (!g_spawn_async_with_pipes(NULL, (char **)(uintptr_t)argv, NULL,
	    G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
	    &p->pid, &p->in, &p->out, NULL, NULL)) {
		print_message("python3 is missing\n");
		skip();
	}
}

static struct peer *
find_peer(const char *address, bool has_tls, bool implicit)
{
	struct peer *p = peers;

	while (p->pid != 0 && (strcmp(p->address, address) != 0 ||
	    p->has_tls != has_tls || p->implicit != implicit))
		p++;
	assert_true(p < peers + G_N_ELEMENTS(peers));
	p->address = address;
	p->has_tls = has_tls;
	p->implicit = implicit;
	return p;
}

static void
peer_start_at(struct world *w, const char *script, const char *address,
    bool has_tls)
{
	struct peer *p = find_peer(address, has_tls,
	    w->relay.tls == DELIVER_TLS_IMPLICIT);
	g_autofree char *again = g_strdup_printf("again %s %s\n", w->dir,
	    w->script);

	assert_true(g_file_set_contents(w->script, script, -1, NULL));
	if (p->pid == 0)
		spawn(p, w);
	else
		assert_true(io_write_all(p->in, again, strlen(again), NULL));
	w->relay.port = read_port(p->out);
	assert_in_range(w->relay.port, 1, 65535);
}

static int
end_peers(void **state)
{
	(void)state;
	for (struct peer *p = peers; p < peers + G_N_ELEMENTS(peers) &&
	    p->pid != 0; p++) {
		close(p->in);
		close(p->out);
		waitpid(p->pid, NULL, 0);
	}
	return 0;
}

static void
peer_start(struct world *w, const char *script)
{
	peer_start_at(w, script, "127.0.0.1", false);
}

static char *
peer_file(struct world *w, const char *name, size_t *len)
{
	g_autofree char *path = g_build_filename(w->dir, name, NULL);
	char *data = NULL;

	if (!g_file_get_contents(path, &data, len, NULL))
		return NULL;
	return data;
}

static int
count_in(const char *text, const char *word)
{
	int n = 0;

	for (const char *p = text; (p = strstr(p, word)) != NULL; p++)
		n++;
	return n;
}

/* How often the peer's log has a line with these words. */
static int
log_count(struct world *w, const char *word)
{
	g_autofree char *log = peer_file(w, "log", NULL);

	return log == NULL ? 0 : count_in(log, word);
}

static bool
run(struct world *w)
{
	bool ok = deliver_smtp_session(&w->relay, &w->feed, &w->err);

	for (int i = 0; i < w->count; i++)
		assert_int_equal(w->reported[i], i < w->given ? 1 : 0);
	assert_true(ok || w->err.text[0] != '\0');
	return ok;
}

static void
assert_result(struct world *w, int i, enum deliver_result want, int code)
{
	if (w->reports[i].result != want || w->reports[i].code != code)
		fail_msg("mail %d: got %s %d \"%s\", want %s %d (%s: %s)", i,
		    deliver_result_name(w->reports[i].result),
		    w->reports[i].code, w->reports[i].reply,
		    deliver_result_name(want), code, w->err.what,
		    w->err.text);
}

static void
assert_failed(struct world *w, const char *what)
{
	if (run(w))
		fail_msg("the session ended well, want %s", what);
	assert_int_equal(w->err.kind, ERR_TEMP);
	assert_string_equal(w->err.what, what);
}

/*
 * Not before the deadline, and long before what would have been without: the
 * machine may be busy, and valgrind is slow.
 */
static void
assert_took(int64_t began_ms, int64_t at_least_ms)
{
	assert_in_range(clock_mono_ms() - began_ms, at_least_ms, 10000);
}

/* The n-th mail that the peer stored is our i-th, byte for byte. */
static void
assert_same_bytes(struct world *w, int n, int i)
{
	g_autofree char *name = g_strdup_printf("%04d.eml", n);
	size_t len = 0;
	g_autofree char *got = peer_file(w, name, &len);

	assert_non_null(got);
	assert_int_equal(len, w->mails[i].len);
	assert_memory_equal(got, w->texts[i], len);
}

static char *
long_text(int lines, const char *line)
{
	GString *s = g_string_new(NULL);

	for (int i = 0; i < lines; i++)
		g_string_append(s, line);
	return g_string_free(s, FALSE);
}

static void
add_awkward_mails(struct world *w)
{
	g_autofree char *wide = g_strnfill(5000, 'w');
	g_autofree char *head = g_strdup_printf("X-Long: %s\r\n\tfolded\r\n"
	    ".X-Dot: 1\r\nX-8: ol\xc3\xa1\r\nX-A: 1\r\nX-A: 2\r\n", wide);
	g_autofree char *body = long_text(3000,
	    ".a line that begins with a dot, \xd1\x8b\r\n..\r\n");

	add_mail_with(w, head, ".\r\n..\r\n.x\r\n\r\n\r\n");
	add_mail_with(w, "", body);
	add_mail_with(w, "", wide);
	g_free(w->texts[2]);
	w->texts[2] = g_strconcat(w->texts[0], wide, "\r\n", NULL);
	w->mails[2].bytes = w->texts[2];
	w->mails[2].len = strlen(w->texts[2]);
	add_mail_with(w, "", "");
}

static void
mails_arrive_as_the_same_bytes(void **state)
{
	struct world *w = *state;
	g_autofree char *env = NULL, *want = NULL;

	add_awkward_mails(w);
	peer_start(w, "");
	assert_true(run(w));
	for (int i = 0; i < 4; i++) {
		assert_result(w, i, DELIVER_ACCEPTED, 250);
		assert_same_bytes(w, i + 1, i);
	}
	assert_string_equal(w->reports[1].reply,
	    "250 2.0.0 Ok: queued as PEER2");
	env = peer_file(w, "0001.env", NULL);
	want = g_strdup_printf("FROM:<a@bank.example> SIZE=%zu "
	    "BODY=8BITMIME\nTO:<j@bank.example>\n", w->mails[0].len);
	assert_string_equal(env, want);
	assert_int_equal(log_count(w, " open"), 1);
	assert_int_equal(delayed_writes, 0);
}

static void
without_any_extension_mails_arrive_as_the_same_bytes(void **state)
{
	struct world *w = *state;

	add_awkward_mails(w);
	peer_start(w, "offer\n");
	assert_true(run(w));
	for (int i = 0; i < 4; i++) {
		assert_result(w, i, DELIVER_ACCEPTED, 250);
		assert_same_bytes(w, i + 1, i);
	}
	/* Once to learn that 8BITMIME is missing, once for all the mails. */
	assert_int_equal(log_count(w, " open"), 2);
	assert_int_equal(log_count(w, "BODY="), 0);
}

static void
a_relay_that_knows_only_helo_gets_mail(void **state)
{
	struct world *w = *state;

	add_mails(w, 2);
	peer_start(w, "ehlo 502 5.5.1 what\n");
	assert_true(run(w));
	assert_result(w, 1, DELIVER_ACCEPTED, 250);
	assert_same_bytes(w, 2, 1);
}

static void
many_mails_share_one_connection(void **state)
{
	struct world *w = *state;

	add_mails(w, 10);
	peer_start(w, "");
	assert_true(run(w));
	for (int i = 0; i < 10; i++)
		assert_same_bytes(w, i + 1, i);
	assert_int_equal(log_count(w, " open"), 1);
	assert_int_equal(log_count(w, "> EHLO client.example"), 1);
	assert_int_equal(log_count(w, "> QUIT"), 1);
	assert_int_equal(log_count(w, "> RSET"), 0);
	assert_int_equal(w->calls, 11);
	assert_int_equal(w->last_wait, 50);
}

static void
a_connection_ends_after_so_many_mails(void **state)
{
	struct world *w = *state;

	w->relay.session_mails = 2;
	add_mails(w, 5);
	peer_start(w, "");
	assert_true(run(w));
	assert_result(w, 4, DELIVER_ACCEPTED, 250);
	assert_int_equal(log_count(w, " open"), 3);
	assert_int_equal(log_count(w, "> QUIT"), 3);
}

static void
without_mail_nothing_is_connected(void **state)
{
	struct world *w = *state;

	peer_start(w, "");
	assert_true(run(w));
	assert_int_equal(w->calls, 1);
	assert_int_equal(log_count(w, " open"), 0);
}

static void
chunking_is_not_used_even_when_offered(void **state)
{
	struct world *w = *state;

	add_mails(w, 2);
	peer_start(w, "offer CHUNKING\noffer PIPELINING\noffer BINARYMIME\n");
	assert_true(run(w));
	assert_same_bytes(w, 2, 1);
	assert_int_equal(log_count(w, "BDAT"), 0);
	assert_int_equal(log_count(w, "> DATA"), 2);
}

/* A refusal at any stage, and then the next mail on its way. */
static void
check_refusal(struct world *w, const char *script, enum deliver_result want,
    int code)
{
	add_mails(w, 3);
	peer_start(w, script);
	assert_true(run(w));
	assert_result(w, 0, want, code);
	assert_result(w, 1, DELIVER_ACCEPTED, 250);
	assert_result(w, 2, DELIVER_ACCEPTED, 250);
}

static void
a_refused_recipient_is_rejected_and_the_next_mail_goes_on(void **state)
{
	struct world *w = *state;

	check_refusal(w, "rcpt#1 550 5.1.1 no such user\n", DELIVER_REJECTED,
	    550);
	assert_string_equal(w->reports[0].reply, "550 5.1.1 no such user");
	assert_int_equal(log_count(w, " open"), 1);
}

static void
a_false_250_for_an_empty_mail_is_not_believed(void **state)
{
	struct world *w = *state;

	check_refusal(w, "rcpt#1 550 5.1.1 no such user\ndata#1 354 go on\n",
	    DELIVER_REJECTED, 550);
	/* The peer did accept something: nothing. */
	assert_int_equal(log_count(w, "mail 1 0 250"), 1);
}

static void
a_deferred_sender_is_deferred_and_the_next_mail_goes_on(void **state)
{
	check_refusal(*state, "mail#1 451 4.3.0 later\n", DELIVER_DEFERRED, 451);
}

static void
a_deferred_recipient_is_deferred_and_the_next_mail_goes_on(void **state)
{
	check_refusal(*state, "rcpt#1 450 4.2.0 greylisted\n",
	    DELIVER_DEFERRED, 450);
}

static void
a_refused_data_is_deferred_and_the_next_mail_goes_on(void **state)
{
	check_refusal(*state, "data#1 451 4.3.0 later\n", DELIVER_DEFERRED, 451);
}

static void
a_mail_refused_after_its_dot_is_rejected_and_the_next_goes_on(void **state)
{
	struct world *w = *state;

	check_refusal(w, "dot#1 554 5.6.0 content\n", DELIVER_REJECTED, 554);
	assert_int_equal(log_count(w, " open"), 1);
	assert_int_equal(log_count(w, "> RSET"), 1);
}

static void
a_mail_deferred_after_its_dot_is_deferred_and_the_next_goes_on(void **state)
{
	check_refusal(*state, "dot#1 452 4.3.1 full\n", DELIVER_DEFERRED, 452);
}

/* A fault of the relay: the mail in hand is kept, the others not touched. */
static void
check_fault(struct world *w, const char *script, const char *what, int code)
{
	add_mails(w, 3);
	peer_start(w, script);
	assert_failed(w, what);
	assert_int_equal(w->given, 1);
	assert_result(w, 0, DELIVER_RELAY, code);
	assert_non_null(strstr(w->err.text, "peer"));
}

static void
a_relay_that_wants_auth_is_paused(void **state)
{
	struct world *w = *state;

	check_fault(w, "mail 530 5.7.0 authentication required\n",
	    "smtp.auth", 530);
	assert_non_null(strstr(w->err.text, "530 5.7.0 authentication"));
}

static void
a_relay_that_denies_access_is_paused(void **state)
{
	check_fault(*state, "mail 554 5.7.1 access denied\n", "smtp.refused",
	    554);
}

static void
a_421_at_the_recipient_pauses_the_relay(void **state)
{
	check_fault(*state, "rcpt drop-after 421 4.3.2 shutting down\n",
	    "smtp.refused", 421);
}

static void
a_421_after_the_dot_pauses_the_relay(void **state)
{
	check_fault(*state, "dot drop-after 421 4.3.2 shutting down\n",
	    "smtp.refused", 421);
}

static void
a_greeting_that_refuses_pauses_the_relay(void **state)
{
	struct world *w = *state;

	check_fault(w, "greet drop-after 554 5.3.2 no service\n",
	    "smtp.refused", 554);
	assert_non_null(strstr(w->reports[0].reply, "554 5.3.2 no service"));
}

static void
a_busy_greeting_pauses_the_relay(void **state)
{
	check_fault(*state, "greet 421 too many\n", "smtp.refused", 421);
}

static void
a_refused_ehlo_pauses_the_relay(void **state)
{
	check_fault(*state, "ehlo 550 no\n", "smtp.refused", 550);
}

static void
garbage_for_a_greeting_pauses_the_relay(void **state)
{
	struct world *w = *state;

	check_fault(w, "greet raw \\x00\\xff\\x1b hello there\\r\\n",
	    "smtp.protocol", 0);
}

static void
lines_with_different_codes_pause_the_relay(void **state)
{
	struct world *w = *state;

	add_mails(w, 1);
	peer_start(w, "mail raw 250-yes\\r\\n550 no\\r\\n\n");
	assert_failed(w, "smtp.protocol");
	assert_result(w, 0, DELIVER_RELAY, 0);
}

static void
an_endless_reply_after_the_dot_leaves_the_mail_unsure(void **state)
{
	struct world *w = *state;

	add_mails(w, 1);
	peer_start(w, "dot big 20000 250\n");
	assert_failed(w, "smtp.protocol");
	assert_result(w, 0, DELIVER_UNSURE, 0);
}

static void
a_reply_with_control_characters_is_cleaned(void **state)
{
	struct world *w = *state;

	add_mails(w, 1);
	peer_start(w, "dot raw 250 2.0.0 ok \\x1b[31m\\xff\\x07\\r\\n\n");
	assert_true(run(w));
	assert_result(w, 0, DELIVER_ACCEPTED, 250);
	assert_string_equal(w->reports[0].reply,
	    "250 2.0.0 ok [31m\xef\xbf\xbd");
}

static void
a_connection_lost_after_the_dot_leaves_the_mail_unsure(void **state)
{
	struct world *w = *state;

	add_mails(w, 3);
	peer_start(w, "dot#2 drop\n");
	assert_failed(w, "smtp.lost");
	assert_result(w, 0, DELIVER_ACCEPTED, 250);
	assert_result(w, 1, DELIVER_UNSURE, 0);
	assert_int_equal(w->given, 2);
}

static void
a_connection_lost_in_mid_data_leaves_the_mail_unsure(void **state)
{
	struct world *w = *state;
	g_autofree char *body = long_text(20000,
	    "a mail that is longer than any buffer on the way\r\n");

	add_mail_with(w, "", body);
	add_mails(w, 1);
	peer_start(w, "body#1 at 5000 reset\n");
	assert_failed(w, "smtp.lost");
	assert_result(w, 0, DELIVER_UNSURE, 0);
	assert_int_equal(w->given, 1);
}

static void
a_first_connection_lost_at_mail_defers_it(void **state)
{
	struct world *w = *state;

	add_mails(w, 2);
	peer_start(w, "mail drop\n");
	assert_failed(w, "smtp.lost");
	assert_result(w, 0, DELIVER_DEFERRED, 0);
	assert_int_equal(w->given, 1);
}

static void
a_connection_lost_before_mail_leaves_it_untried(void **state)
{
	struct world *w = *state;

	add_mails(w, 2);
	peer_start(w, "greet drop\n");
	assert_failed(w, "smtp.lost");
	assert_result(w, 0, DELIVER_UNTRIED, 0);
}

static void
an_idle_connection_that_died_costs_nothing(void **state)
{
	struct world *w = *state;

	add_mails(w, 4);
	peer_start(w, "dot#1 drop-after 250 2.0.0 ok\nmail#3 drop\n"
	    "mail#5 drop-after 421 4.4.2 idle too long\n");
	assert_true(run(w));
	for (int i = 0; i < 4; i++) {
		assert_result(w, i, DELIVER_ACCEPTED, 250);
		assert_same_bytes(w, i + 1, i);
	}
}

static void
a_surplus_reply_never_becomes_an_acceptance(void **state)
{
	struct world *w = *state;

	add_mails(w, 1);
	peer_start(w, "rcpt raw 250 ok\\r\\n250 ok\\r\\n\ndot 550 no\n");
	assert_failed(w, "smtp.protocol");
	assert_int_not_equal(w->reports[0].result, DELIVER_ACCEPTED);
}

static void
a_250_before_the_mail_is_there_is_not_believed(void **state)
{
	struct world *w = *state;

	add_mails(w, 1);
	peer_start(w, "data raw 354 go\\r\\n250 2.0.0 queued\\r\\n\n");
	assert_failed(w, "smtp.protocol");
	assert_int_not_equal(w->reports[0].result, DELIVER_ACCEPTED);
}

static void
a_250_in_the_middle_of_a_mail_is_not_believed(void **state)
{
	struct world *w = *state;
	g_autofree char *body = long_text(200000,
	    "a mail that is longer than any buffer on the way, by far\r\n");

	w->relay.total_ms = 1500;
	add_mail_with(w, "", body);
	peer_start(w, "body#1 at 5000 raw 250 2.0.0 queued\\r\\n\n"
	    "dot hang\n");
	(void)run(w);
	assert_int_not_equal(w->reports[0].result, DELIVER_ACCEPTED);
}

/* libesmtp drops what it could not write, and goes on with what follows. */
static void
a_write_that_failed_in_the_middle_is_not_believed(void **state)
{
	struct world *w = *state;
	g_autofree char *body = long_text(200, "forty characters of text, "
	    "or nearly so.\r\n");
	size_t len = 0;
	g_autofree char *got = NULL;

	add_mail_with(w, "", body);
	add_mails(w, 1);
	peer_start(w, "");
	fail_write_in = 2;
	assert_failed(w, "smtp.protocol");
	assert_int_equal(fail_write_in, 0);
	assert_result(w, 0, DELIVER_UNSURE, 250);
	/* The peer believes that it has the mail; it has not. */
	got = peer_file(w, "0001.eml", &len);
	assert_non_null(got);
	assert_true(len < w->mails[0].len);
}

static void
a_dripping_relay_is_cut_off_by_the_total_deadline(void **state)
{
	struct world *w = *state;
	int64_t began;

	w->relay.total_ms = 500;
	add_mails(w, 2);
	peer_start(w, "mail drip 400 250 2.1.0 a reply of more than thirty bytes"
	    "\n");
	began = clock_mono_ms();
	assert_failed(w, "smtp.deadline");
	assert_took(began, 450);
	assert_result(w, 0, DELIVER_DEFERRED, 0);
}

static void
half_a_reply_to_the_dot_leaves_the_mail_unsure(void **state)
{
	struct world *w = *state;

	w->relay.total_ms = 500;
	add_mails(w, 1);
	peer_start(w, "dot drip 100 250 2.0.0 a reply of more than thirty "
	    "bytes\n");
	assert_false(run(w));
	assert_int_equal(w->reports[0].result, DELIVER_UNSURE);
}

static void
the_total_deadline_is_renewed_for_each_mail(void **state)
{
	struct world *w = *state;

	w->relay.total_ms = 1500;
	add_mails(w, 4);
	peer_start(w, "dot wait 500 250 2.0.0 slowly\n");
	assert_true(run(w));
	assert_result(w, 3, DELIVER_ACCEPTED, 250);
	assert_int_equal(log_count(w, " open"), 1);
}

static void
a_relay_that_stops_reading_is_cut_off(void **state)
{
	struct world *w = *state;
	g_autofree char *body = long_text(400000,
	    "a mail that is longer than any buffer on the way, by far\r\n");
	int64_t began;

	w->relay.total_ms = 600;
	add_mail_with(w, "", body);
	peer_start(w, "body at 1000 wait 60000 250 never\n");
	began = clock_mono_ms();
	assert_failed(w, "smtp.deadline");
	assert_took(began, 550);
	assert_result(w, 0, DELIVER_UNSURE, 0);
}

static void
a_relay_that_falls_silent_is_left_after_the_command_timeout(void **state)
{
	struct world *w = *state;
	int64_t began;

	w->relay.command_ms = 1000;
	add_mails(w, 1);
	peer_start(w, "dot hang\n");
	began = clock_mono_ms();
	assert_failed(w, "smtp.deadline");
	assert_took(began, 950);
	assert_result(w, 0, DELIVER_UNSURE, 0);
}

/* A listener whose queue is full drops what else wants to connect. */
static void
a_connect_that_is_not_answered_is_given_up_in_time(void **state)
{
	struct world *w = *state;
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	int lfd = socket(AF_INET, SOCK_STREAM, 0), fds[8];
	int64_t began;

	assert_int_equal(bind(lfd, (void *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(lfd, 0), 0);
	assert_int_equal(getsockname(lfd, (void *)&sa, &len), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fds[i], (void *)&sa, sizeof(sa));
	}
	w->relay.port = ntohs(sa.sin_port);
	w->relay.connect_ms = 300;
	add_mails(w, 2);
	began = clock_mono_ms();
	assert_failed(w, "smtp.connect");
	assert_took(began, 280);
	assert_result(w, 0, DELIVER_RELAY, 0);
	assert_non_null(strstr(w->err.text, "127.0.0.1"));
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		close(fds[i]);
	close(lfd);
}

static void
a_relay_that_is_down_is_named(void **state)
{
	struct world *w = *state;

	add_mails(w, 2);
	w->relay.port = 1;
	assert_failed(w, "smtp.connect");
	assert_int_equal(w->given, 1);
	assert_result(w, 0, DELIVER_RELAY, 0);
	assert_non_null(strstr(w->err.text, "127.0.0.1 port 1"));
}

static void
clear_text_does_not_leave_for_a_network_that_is_not_trusted(void **state)
{
	struct world *w = *state;

	/* RFC 5737: nobody's address, so a connect would just hang. */
	w->relay.host = "203.0.113.77";
	w->relay.port = 25;
	add_mails(w, 2);
	assert_failed(w, "smtp.clear");
	assert_result(w, 0, DELIVER_RELAY, 0);
	assert_non_null(strstr(w->err.text, "203.0.113.77"));
	assert_non_null(strstr(w->err.text, "trusted_network"));
}

static void
a_password_does_not_leave_in_clear_text_either(void **state)
{
	struct world *w = *state;
	g_autoptr(GBytes) password = g_bytes_new_static("secret", 6);

	w->relay.host = "203.0.113.77";
	w->relay.port = 25;
	w->relay.user = "u";
	w->relay.password = password;
	add_mails(w, 1);
	assert_failed(w, "smtp.clear");
	assert_result(w, 0, DELIVER_RELAY, 0);
}

static void
an_ipv6_literal_works(void **state)
{
	struct world *w = *state;
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	bool has = fd >= 0 && bind(fd, (void *)&sa, sizeof(sa)) == 0;

	if (fd >= 0)
		close(fd);
	if (!has) {
		print_message("this host has no ::1\n");
		skip();
	}
	w->relay.host = "::1";
	add_mails(w, 2);
	peer_start_at(w, "", "::1", false);
	assert_true(run(w));
	assert_same_bytes(w, 2, 1);
}

static void
a_host_name_is_looked_up(void **state)
{
	struct world *w = *state;

	w->relay.host = "localhost";
	add_mails(w, 1);
	peer_start(w, "");
	assert_true(run(w));
	assert_same_bytes(w, 1, 0);
}

static void
a_name_that_does_not_exist_is_said_so(void **state)
{
	struct world *w = *state;

	w->relay.host = "no-such-host.invalid";
	w->relay.port = 25;
	add_mails(w, 1);
	assert_failed(w, "smtp.resolve");
	assert_result(w, 0, DELIVER_RELAY, 0);
	assert_non_null(strstr(w->err.text, "no-such-host.invalid"));
}

static void
a_name_server_that_does_not_answer_is_given_up_in_time(void **state)
{
	struct world *w = *state;
	int64_t began = clock_mono_ms();

	w->relay.host = "slow.example";
	w->relay.port = 25;
	w->relay.connect_ms = 200;
	add_mails(w, 1);
	assert_failed(w, "smtp.resolve");
	assert_took(began, 190);
	assert_result(w, 0, DELIVER_RELAY, 0);
}

static void
a_mail_that_is_not_fit_is_rejected_and_the_others_go(void **state)
{
	struct world *w = *state;

	add_mail_with(w, "", "smuggled\n.\r\nMAIL FROM:<x@y>\r\n");
	add_mails(w, 1);
	add_mail_with(w, "Return-Path: <x@y>\r\n", "a\r\n");
	add_mails(w, 1);
	w->mails[3].envelope_to = "a@b>\r\nDATA\r\n";
	add_mails(w, 1);
	peer_start(w, "");
	assert_true(run(w));
	assert_result(w, 0, DELIVER_REJECTED, 0);
	assert_result(w, 1, DELIVER_ACCEPTED, 250);
	assert_result(w, 2, DELIVER_REJECTED, 0);
	assert_non_null(strstr(w->reports[2].reply, "Return-Path"));
	assert_result(w, 3, DELIVER_REJECTED, 0);
	assert_result(w, 4, DELIVER_ACCEPTED, 250);
	assert_int_equal(log_count(w, " mail "), 2);
	assert_int_equal(log_count(w, " open"), 1);
}

static void
a_relay_that_cannot_be_addressed_is_a_matter_of_configuration(void **state)
{
	struct world *w = *state;
	const char *const bad[] = { "", "a b", "x\r\nMAIL", "a/b", "u@h" };

	w->relay.port = 25;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		w->relay.host = bad[i];
		assert_false(run(w));
		assert_int_equal(w->err.kind, ERR_CONF);
	}
	w->relay.host = "127.0.0.1";
	w->relay.helo = "x y";
	assert_false(run(w));
	assert_int_equal(w->err.kind, ERR_CONF);
}

static void *
run_thread(void *arg)
{
	struct world *w = arg;

	return deliver_smtp_session(&w->relay, &w->feed, &w->err) ? w : NULL;
}

static void
several_sessions_run_at_once(void **state)
{
	struct world *w = *state, *other[4];
	pthread_t t[4];
	void *ok;

	peer_start(w, "");
	for (int i = 0; i < 4; i++) {
		void *p;

		world_open(&p);
		other[i] = p;
		other[i]->relay.port = w->relay.port;
		other[i]->relay.session_mails = 3;
		add_mails(other[i], 10);
		pthread_create(&t[i], NULL, run_thread, other[i]);
	}
	for (int i = 0; i < 4; i++) {
		void *p = other[i];

		pthread_join(t[i], &ok);
		assert_ptr_equal(ok, p);
		for (int m = 0; m < 10; m++) {
			assert_int_equal(other[i]->reported[m], 1);
			assert_result(other[i], m, DELIVER_ACCEPTED, 250);
		}
		world_close(&p);
	}
	assert_int_equal(log_count(w, " mail "), 40);
	assert_int_equal(log_count(w, " open"), 16);
}

/* libcurl: TLS and AUTH. */

static void
tls_start(struct world *w, enum deliver_tls tls, const char *script)
{
	w->relay.tls = tls;
	w->relay.host = "localhost";
	w->relay.tls_ca_file = g_build_filename(w->dir, "ca.pem", NULL);
	peer_start_at(w, script, "127.0.0.1", true);
}

static int
tls_close(void **state)
{
	struct world *w = *state;

	g_free((char *)(uintptr_t)w->relay.tls_ca_file);
	return world_close(state);
}

static void
starttls_carries_many_mails_as_the_same_bytes(void **state)
{
	struct world *w = *state;

	add_awkward_mails(w);
	add_mails(w, 3);
	tls_start(w, DELIVER_TLS_STARTTLS, "");
	assert_true(run(w));
	for (int i = 0; i < 7; i++) {
		assert_result(w, i, DELIVER_ACCEPTED, 250);
		assert_same_bytes(w, i + 1, i);
	}
	assert_string_equal(w->reports[6].reply,
	    "250 2.0.0 Ok: queued as PEER7");
	assert_int_equal(log_count(w, " tls TLS"), 1);
	assert_int_equal(log_count(w, " open"), 1);
	assert_int_equal(log_count(w, "> QUIT"), 1);
	assert_int_equal(log_count(w, "> EHLO client.example"), 2);
}

static void
implicit_tls_works_and_connections_end_after_so_many_mails(void **state)
{
	struct world *w = *state;

	w->relay.session_mails = 2;
	add_mails(w, 3);
	tls_start(w, DELIVER_TLS_IMPLICIT, "");
	assert_true(run(w));
	assert_same_bytes(w, 3, 2);
	assert_int_equal(log_count(w, " tls TLS"), 2);
}

static void
without_starttls_nothing_is_sent(void **state)
{
	struct world *w = *state;

	add_mails(w, 2);
	tls_start(w, DELIVER_TLS_STARTTLS, "offer PIPELINING\n");
	assert_failed(w, "smtp.tls");
	assert_int_equal(w->given, 1);
	assert_int_equal(w->reports[0].result, DELIVER_RELAY);
	assert_int_equal(log_count(w, "> MAIL"), 0);
}

static void
a_certificate_of_an_unknown_authority_is_refused(void **state)
{
	struct world *w = *state;

	add_mails(w, 1);
	tls_start(w, DELIVER_TLS_STARTTLS, "");
	g_free((char *)(uintptr_t)w->relay.tls_ca_file);
	w->relay.tls_ca_file = NULL;
	assert_failed(w, "smtp.tls");
	assert_int_equal(w->reports[0].result, DELIVER_RELAY);
	assert_int_equal(log_count(w, "> MAIL"), 0);
}

static void
a_certificate_for_another_name_is_refused(void **state)
{
	struct world *w = *state;

	add_mails(w, 1);
	tls_start(w, DELIVER_TLS_STARTTLS, "");
	w->relay.host = "127.0.0.1";
	assert_failed(w, "smtp.tls");
	assert_int_equal(log_count(w, "> MAIL"), 0);
}

static void
commands_injected_before_tls_are_refused(void **state)
{
	struct world *w = *state;

	add_mails(w, 1);
	tls_start(w, DELIVER_TLS_STARTTLS,
	    "starttls inject 250-x\\r\\n250 AUTH PLAIN\\r\\n250 ok\\r\\n\n");
	assert_false(run(w));
	assert_int_not_equal(w->reports[0].result, DELIVER_ACCEPTED);
	assert_int_equal(log_count(w, "> MAIL"), 0);
	assert_int_equal(log_count(w, "> AUTH"), 0);
}

static void
log_in(struct world *w, const char *password, const char *script)
{
	w->relay.user = "bridge";
	w->relay.password = g_bytes_new(password, strlen(password));
	tls_start(w, DELIVER_TLS_STARTTLS, script);
	(void)run(w);
	g_bytes_unref((GBytes *)(uintptr_t)w->relay.password);
}

#define OFFER_AUTH "offer STARTTLS\noffer AUTH PLAIN LOGIN\n" \
	"login bridge right\n"

static void
a_login_is_made_under_tls(void **state)
{
	struct world *w = *state;

	add_mails(w, 2);
	log_in(w, "right", OFFER_AUTH);
	assert_result(w, 1, DELIVER_ACCEPTED, 250);
	assert_int_equal(log_count(w, "> AUTH"), 1);
}

static void
a_wrong_password_pauses_the_relay(void **state)
{
	struct world *w = *state;

	add_mails(w, 2);
	log_in(w, "wrong", OFFER_AUTH);
	assert_string_equal(w->err.what, "smtp.auth");
	assert_int_equal(w->given, 1);
	assert_result(w, 0, DELIVER_RELAY, 535);
	assert_null(strstr(w->err.text, "wrong\n"));
	assert_int_equal(log_count(w, "> MAIL"), 0);
}

/* The same laws as in clear text. */
static void
check_tls(struct world *w, const char *script, enum deliver_result want,
    int code)
{
	add_mails(w, 3);
	tls_start(w, DELIVER_TLS_STARTTLS, script);
	assert_true(run(w));
	assert_result(w, 0, want, code);
	assert_result(w, 1, DELIVER_ACCEPTED, 250);
	assert_result(w, 2, DELIVER_ACCEPTED, 250);
}

static void
under_tls_a_refused_recipient_is_rejected_and_the_next_goes_on(void **state)
{
	check_tls(*state, "rcpt#1 550 5.1.1 no\n", DELIVER_REJECTED, 550);
}

static void
under_tls_a_deferred_mail_is_deferred_and_the_next_goes_on(void **state)
{
	check_tls(*state, "dot#1 451 4.3.0 later\n", DELIVER_DEFERRED, 451);
}

static void
under_tls_a_deferred_sender_is_deferred_and_the_next_goes_on(void **state)
{
	check_tls(*state, "mail#1 450 4.1.8 later\n", DELIVER_DEFERRED, 450);
}

static void
under_tls_an_idle_connection_that_died_costs_nothing(void **state)
{
	check_tls(*state, "mail#2 drop-after 421 4.4.2 idle\nmail#4 drop\n",
	    DELIVER_ACCEPTED, 250);
}

static void
under_tls_530_pauses_the_relay(void **state)
{
	struct world *w = *state;

	add_mails(w, 2);
	tls_start(w, DELIVER_TLS_STARTTLS, "mail 530 5.7.0 auth\n");
	assert_failed(w, "smtp.auth");
	assert_result(w, 0, DELIVER_RELAY, 530);
	assert_int_equal(w->given, 1);
}

static void
under_tls_a_connection_lost_after_the_dot_leaves_it_unsure(void **state)
{
	struct world *w = *state;

	add_mails(w, 3);
	tls_start(w, DELIVER_TLS_STARTTLS, "dot#2 drop\n");
	assert_failed(w, "smtp.lost");
	assert_result(w, 0, DELIVER_ACCEPTED, 250);
	assert_result(w, 1, DELIVER_UNSURE, 0);
	assert_int_equal(w->given, 2);
}

static void
under_tls_a_dripping_relay_is_cut_off(void **state)
{
	struct world *w = *state;
	int64_t began;

	w->relay.total_ms = 1500;
	add_mails(w, 1);
	tls_start(w, DELIVER_TLS_STARTTLS,
	    "rcpt drip 400 250 2.1.0 a reply of more than thirty bytes\n");
	began = clock_mono_ms();
	assert_failed(w, "smtp.deadline");
	assert_took(began, 1400);
	assert_int_not_equal(w->reports[0].result, DELIVER_ACCEPTED);
}

static void
a_greeting_that_refuses_pauses_the_tls_relay(void **state)
{
	struct world *w = *state;

	add_mails(w, 1);
	tls_start(w, DELIVER_TLS_STARTTLS, "greet 554 5.3.2 no service\n");
	assert_failed(w, "smtp.refused");
	assert_int_equal(w->reports[0].result, DELIVER_RELAY);
}

static void
a_proxy_in_the_environment_is_not_asked(void **state)
{
	struct world *w = *state;

	add_mails(w, 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	setenv("smtp_proxy", "http://127.0.0.1:1", 1);
	tls_start(w, DELIVER_TLS_STARTTLS, "");
	(void)run(w);
	unsetenv("ALL_PROXY");
	unsetenv("smtp_proxy");
	assert_result(w, 0, DELIVER_ACCEPTED, 250);
}

static void
check_too_large(struct world *w)
{
	assert_true(run(w));
	for (int i = 0; i < 2; i++) {
		assert_result(w, i, DELIVER_REJECTED, 552);
		assert_true(g_str_has_prefix(w->reports[i].reply,
		    "552 5.3.4 too big (raise the relay's limit"));
		assert_non_null(strstr(w->reports[i].reply, "max_size"));
	}
	assert_result(w, 2, DELIVER_ACCEPTED, 250);
	assert_same_bytes(w, 2, 2);
}

/* Once for the SIZE that was announced, once for what came. */
#define TOO_LARGE "mail#1 552 5.3.4 too big\ndot#1 552 5.3.4 too big\n"

static void
what_is_too_large_for_the_relay_waits_with_the_remedy(void **state)
{
	struct world *w = *state;

	add_mails(w, 3);
	peer_start(w, TOO_LARGE);
	check_too_large(w);
}

static void
what_is_too_large_waits_with_the_remedy_over_tls_too(void **state)
{
	struct world *w = *state;

	add_mails(w, 3);
	tls_start(w, DELIVER_TLS_STARTTLS, TOO_LARGE);
	check_too_large(w);
}

#define clear(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
#define tls(f) cmocka_unit_test_setup_teardown(f, world_open, tls_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		clear(mails_arrive_as_the_same_bytes),
		clear(without_any_extension_mails_arrive_as_the_same_bytes),
		clear(a_relay_that_knows_only_helo_gets_mail),
		clear(many_mails_share_one_connection),
		clear(a_connection_ends_after_so_many_mails),
		clear(without_mail_nothing_is_connected),
		clear(chunking_is_not_used_even_when_offered),
		clear(
		    a_refused_recipient_is_rejected_and_the_next_mail_goes_on),
		clear(a_false_250_for_an_empty_mail_is_not_believed),
		clear(what_is_too_large_for_the_relay_waits_with_the_remedy),
		tls(what_is_too_large_waits_with_the_remedy_over_tls_too),
		clear(a_deferred_sender_is_deferred_and_the_next_mail_goes_on),
		clear(
		    a_deferred_recipient_is_deferred_and_the_next_mail_goes_on),
		clear(a_refused_data_is_deferred_and_the_next_mail_goes_on),
		clear(
		    a_mail_refused_after_its_dot_is_rejected_and_the_next_goes_on),
		clear(
		    a_mail_deferred_after_its_dot_is_deferred_and_the_next_goes_on),
		clear(a_relay_that_wants_auth_is_paused),
		clear(a_relay_that_denies_access_is_paused),
		clear(a_421_at_the_recipient_pauses_the_relay),
		clear(a_421_after_the_dot_pauses_the_relay),
		clear(a_greeting_that_refuses_pauses_the_relay),
		clear(a_busy_greeting_pauses_the_relay),
		clear(a_refused_ehlo_pauses_the_relay),
		clear(garbage_for_a_greeting_pauses_the_relay),
		clear(lines_with_different_codes_pause_the_relay),
		clear(an_endless_reply_after_the_dot_leaves_the_mail_unsure),
		clear(a_reply_with_control_characters_is_cleaned),
		clear(a_connection_lost_after_the_dot_leaves_the_mail_unsure),
		clear(a_connection_lost_in_mid_data_leaves_the_mail_unsure),
		clear(a_first_connection_lost_at_mail_defers_it),
		clear(a_connection_lost_before_mail_leaves_it_untried),
		clear(an_idle_connection_that_died_costs_nothing),
		clear(a_surplus_reply_never_becomes_an_acceptance),
		clear(a_250_before_the_mail_is_there_is_not_believed),
		clear(a_250_in_the_middle_of_a_mail_is_not_believed),
		clear(a_write_that_failed_in_the_middle_is_not_believed),
		clear(a_dripping_relay_is_cut_off_by_the_total_deadline),
		clear(half_a_reply_to_the_dot_leaves_the_mail_unsure),
		clear(the_total_deadline_is_renewed_for_each_mail),
		clear(a_relay_that_stops_reading_is_cut_off),
		clear(
		    a_relay_that_falls_silent_is_left_after_the_command_timeout),
		clear(a_connect_that_is_not_answered_is_given_up_in_time),
		clear(a_relay_that_is_down_is_named),
		clear(
		    clear_text_does_not_leave_for_a_network_that_is_not_trusted),
		clear(a_password_does_not_leave_in_clear_text_either),
		clear(an_ipv6_literal_works),
		clear(a_host_name_is_looked_up),
		clear(a_name_that_does_not_exist_is_said_so),
		clear(a_name_server_that_does_not_answer_is_given_up_in_time),
		clear(a_mail_that_is_not_fit_is_rejected_and_the_others_go),
		clear(
		    a_relay_that_cannot_be_addressed_is_a_matter_of_configuration),
		clear(several_sessions_run_at_once),
		tls(starttls_carries_many_mails_as_the_same_bytes),
		tls(implicit_tls_works_and_connections_end_after_so_many_mails),
		tls(without_starttls_nothing_is_sent),
		tls(a_certificate_of_an_unknown_authority_is_refused),
		tls(a_certificate_for_another_name_is_refused),
		tls(commands_injected_before_tls_are_refused),
		tls(a_login_is_made_under_tls),
		tls(a_wrong_password_pauses_the_relay),
		tls(under_tls_a_refused_recipient_is_rejected_and_the_next_goes_on),
		tls(under_tls_a_deferred_mail_is_deferred_and_the_next_goes_on),
		tls(under_tls_a_deferred_sender_is_deferred_and_the_next_goes_on),
		tls(under_tls_an_idle_connection_that_died_costs_nothing),
		tls(under_tls_530_pauses_the_relay),
		tls(under_tls_a_connection_lost_after_the_dot_leaves_it_unsure),
		tls(under_tls_a_dripping_relay_is_cut_off),
		tls(a_greeting_that_refuses_pauses_the_tls_relay),
		tls(a_proxy_in_the_environment_is_not_asked),
	};

	deliver_init();
	return cmocka_run_group_tests_name("deliver smtp", tests, NULL,
	    end_peers);
}
