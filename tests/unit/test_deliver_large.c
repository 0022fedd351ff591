/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deliver with a mail of 100 MB in a mapped file, against
 * tests/lib/smtp_peer.py and a Maildir: the same bytes arrive, and the memory
 * of this process does not grow with the mail.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deliver.h"
#include "err.h"
#include "hash.h"
#include "io.h"

#define MAIL_BYTES ((size_t)100 << 20)
#define GROWTH_MAX_KB (64 * 1024)
#ifdef __SANITIZE_ADDRESS__	/* which keeps freed memory for a while */
#define TOTAL_MAX_KB (128 * 1024)
#else
#define TOTAL_MAX_KB (64 * 1024)
#endif
/* Sanitizers and valgrind have more than this before anything is done. */
#define PLAIN_KB (24 * 1024)

struct world {
	char *dir;
	struct deliver_mail mail;
	char hex[HASH_HEX_SIZE];
	bool given;
	struct deliver_report report;
	long before_kb;
	GPid peer;
	int in, out;
};

static long
status_kb(const char *field)
{
	g_autofree char *text = NULL;
	const char *at;

	assert_true(g_file_get_contents("/proc/self/status", &text, NULL,
	    NULL));
	at = strstr(text, field);
	assert_non_null(at);
	return strtol(at + strlen(field), NULL, 10);
}

/* The peak is counted from here; "5" is in proc(5), clear_refs. */
static void
start_measuring(struct world *w)
{
	auto_fd int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "5", 1) != 1)
		skip();
	w->before_kb = status_kb("VmRSS:");
}

static void
assert_little_memory(struct world *w)
{
	long peak = status_kb("VmHWM:");

	print_message("peak %ld kB, %ld kB before\n", peak, w->before_kb);
	assert_in_range(peak - w->before_kb, 0, GROWTH_MAX_KB);
	if (w->before_kb < PLAIN_KB)
		assert_in_range(peak, 1, TOTAL_MAX_KB);
}

/* Lines as of base64, some with a dot in front, none like the one before. */
static void
write_mail(const char *path, struct world *w)
{
	static const char head[] = "Date: Tue, 03 Feb 2026 14:05:09 +0000\r\n"
	    "From: a@bank.example\r\nTo: j@bank.example\r\n"
	    "Message-ID: <t.1@bank.example>\r\nSubject: large\r\n\r\n";
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct hash *hash = hash_new();
	char block[8000], line[81];
	uint8_t digest[HASH_SIZE];
	size_t len = strlen(head);
	unsigned n = 0;

	assert_true(fd >= 0 && io_write_all(fd, head, len, NULL));
	hash_update(hash, head, len);
	while (len < MAIL_BYTES) {
		for (size_t i = 0; i < sizeof(block); i += 80, n++) {
			snprintf(line, sizeof(line), "%c%077u\r\n",
			    n % 100 == 0 ? '.' : 'x', n);
			memcpy(block + i, line, 80);
		}
		assert_true(io_write_all(fd, block, sizeof(block), NULL));
		hash_update(hash, block, sizeof(block));
		len += sizeof(block);
	}
	hash_final(hash, digest);
	hash_hex(digest, w->hex);
	w->mail.len = len;
}

static void
map_mail(struct world *w)
{
	g_autofree char *path = g_build_filename(w->dir, "mail", NULL);
	void *bytes;

	write_mail(path, w);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	bytes = mmap(NULL, w->mail.len, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(bytes != MAP_FAILED);
	w->mail.bytes = bytes;
	w->mail.mapped = true;
	w->mail.message_id = "<t.1@bank.example>";
	w->mail.envelope_from = "a@bank.example";
	w->mail.envelope_to = "j@bank.example";
}

static int
world_open(void **state)
{
	struct world *w = g_new0(struct world, 1);

	w->dir = g_strdup("/tmp/cj-large-XXXXXX");
	assert_non_null(g_mkdtemp(w->dir));
	w->in = w->out = -1;
	map_mail(w);
	*state = w;
	return 0;
}

static int
world_close(void **state)
{
	struct world *w = *state;
	char *argv[] = { (char[]){ "rm" }, (char[]){ "-rf" }, w->dir, NULL };

	if (w->peer != 0) {
		close(w->in);
		close(w->out);
		waitpid(w->peer, NULL, 0);
	}
	munmap((void *)(uintptr_t)w->mail.bytes, w->mail.len);
	g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
	    NULL, NULL, NULL);
	g_free(w->dir);
	g_free(w);
	return 0;
}

static const struct deliver_mail *
next(void *arg, int64_t wait_ms)
{
	struct world *w = arg;

	(void)wait_ms;
	if (w->given)
		return NULL;
	w->given = true;
	return &w->mail;
}

static void
done(void *arg, const struct deliver_mail *mail,
    const struct deliver_report *r)
{
	struct world *w = arg;

	assert_ptr_equal(mail, &w->mail);
	w->report = *r;
}

static int
start_peer(struct world *w, bool has_tls)
{
	const char *src = getenv("SRCDIR");
	g_autofree char *prog = g_build_filename(src != NULL ? src : ".",
	    "tests", "lib", "smtp_peer.py", NULL);
	g_autofree char *script = g_build_filename(w->dir, "script", NULL);
	const char *argv[] = { "python3", "-B", prog, "--dir", w->dir,
		"--script", script, has_tls ? "--tls-name=localhost" : NULL,
		NULL };
	char buf[32] = "";

	assert_true(g_file_set_contents(script,
	    "offer SIZE 200000000\noffer STARTTLS\nbody digest\n", -1, NULL));
	if (!g_spawn_async_with_pipes(NULL, (char **)(uintptr_t)argv, NULL,
	    G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
	    &w->peer, &w->in, &w->out, NULL, NULL)) {
		print_message("python3 is missing\n");
		skip();
	}
	for (size_t n = 0; n < sizeof(buf) - 1 &&
	    read(w->out, buf + n, 1) == 1 && buf[n] != '\n'; n++)
		;
	return (int)strtol(buf, NULL, 10);
}

/* The peer kept only the digest. */
static void
assert_arrived(struct world *w)
{
	g_autofree char *path = g_build_filename(w->dir, "0001.sum", NULL);
	g_autofree char *want = g_strdup_printf("%zu %s\n", w->mail.len,
	    w->hex);
	g_autofree char *got = NULL;

	if (w->report.result != DELIVER_ACCEPTED)
		fail_msg("%s", w->report.reply);
	assert_true(g_file_get_contents(path, &got, NULL, NULL));
	assert_string_equal(got, want);
}

static void
send_by_smtp(struct world *w, enum deliver_tls tls)
{
	g_autofree char *ca = g_build_filename(w->dir, "ca.pem", NULL);
	struct deliver_relay relay = { .name = "peer", .helo = "c.example",
		.host = tls == DELIVER_TLS_NONE ? "127.0.0.1" : "localhost",
		.tls = tls, .tls_ca_file = ca, .connect_ms = 30000,
		.command_ms = 60000, .total_ms = 300000, .linger_ms = 10 };
	struct deliver_feed feed = { next, done, w };
	struct err err = ERR_INIT;

	relay.port = start_peer(w, tls != DELIVER_TLS_NONE);
	start_measuring(w);
	if (!deliver_smtp_session(&relay, &feed, &err))
		fail_msg("%s", err.text);
	assert_little_memory(w);
	assert_arrived(w);
}

static void
a_large_mail_goes_through_libesmtp_in_little_memory(void **state)
{
	send_by_smtp(*state, DELIVER_TLS_NONE);
}

static void
a_large_mail_goes_through_libcurl_in_little_memory(void **state)
{
	send_by_smtp(*state, DELIVER_TLS_STARTTLS);
}

static void
a_large_mail_goes_into_a_maildir_in_little_memory(void **state)
{
	struct world *w = *state;
	g_autofree char *box = g_build_filename(w->dir, "box", NULL);
	struct deliver_feed feed = { next, done, w };
	g_autoptr(GBytes) got = NULL;
	struct err err = ERR_INIT;
	uint8_t digest[HASH_SIZE];
	char hex[HASH_HEX_SIZE];
	gsize len;

	start_measuring(w);
	if (!deliver_maildir_session(box, &feed, &err))
		fail_msg("%s", err.text);
	assert_little_memory(w);
	assert_int_equal(w->report.result, DELIVER_ACCEPTED);
	assert_true(io_file_load(w->report.reply, MAIL_BYTES * 2, &got, &err));
	hash_sha256(g_bytes_get_data(got, &len), g_bytes_get_size(got),
	    digest);
	assert_int_equal(len, w->mail.len);
	assert_string_equal(hash_hex(digest, hex), w->hex);
}

#define clear(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		clear(a_large_mail_goes_through_libesmtp_in_little_memory),
		clear(a_large_mail_goes_through_libcurl_in_little_memory),
		clear(a_large_mail_goes_into_a_maildir_in_little_memory),
	};

	deliver_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
