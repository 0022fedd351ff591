/* SPDX-License-Identifier: Apache-2.0 */
/* role: mails in files, how they are checked and how many are sent at once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/role/deliver_int.h"
#include "clock.h"
#include "conf.h"
#include "err.h"
#include "hash.h"
#include "io.h"

static const char text[] = "Date: Tue, 03 Feb 2026 14:05:09 +0000\r\n"
    "From: a@bank.example\r\nMessage-ID: <t.1@bank.example>\r\n\r\nx\r\n";

struct bench {
	char *dir, *file;
};

static int
set_up(void **state)
{
	struct bench *b = g_new0(struct bench, 1);

	b->dir = g_strdup("/tmp/cj-file-XXXXXX");
	assert_non_null(g_mkdtemp(b->dir));
	b->file = g_build_filename(b->dir, "mail", NULL);
	assert_true(g_file_set_contents(b->file, text, -1, NULL));
	*state = b;
	return 0;
}

static int
tear_down(void **state)
{
	struct bench *b = *state;

	g_remove(b->file);
	g_rmdir(b->dir);
	g_free(b->dir);
	g_free(b->file);
	g_free(b);
	return 0;
}

static struct dlv_job *
make_job(const char *file)
{
	struct dlv_job *job = g_new0(struct dlv_job, 1);

	job->file = g_strdup(file);
	job->message_id = g_strdup("<t.1@bank.example>");
	job->envelope_from = g_strdup("a@bank.example");
	job->envelope_to = g_strdup("j@bank.example");
	hash_sha256(text, strlen(text), job->sha256);
	if (file == NULL)
		job->bytes = g_bytes_new_static(text, strlen(text));
	job->mail = (struct deliver_mail){ .message_id = job->message_id,
		.envelope_from = job->envelope_from,
		.envelope_to = job->envelope_to, .len = strlen(text),
		.bytes = file == NULL ? text : NULL, .mapped = file != NULL,
		.ref = job };
	return job;
}

static void
a_file_that_is_what_was_rendered_is_mapped(void **state)
{
	struct bench *b = *state;
	struct dlv_job *job = make_job(b->file);
	struct deliver_report r;
	const void *bytes;

	assert_true(dlv_file_open(job, &r));
	assert_memory_equal(job->mail.bytes, text, strlen(text));
	bytes = job->mail.bytes;
	/* The second try of the same job has it still, also without a name. */
	assert_int_equal(g_remove(b->file), 0);
	assert_true(dlv_file_open(job, &r));
	assert_ptr_equal(job->mail.bytes, bytes);
	dlv_job_free(job);
}

static void
assert_refused(const char *file, enum deliver_result result, const char *why)
{
	struct dlv_job *job = make_job(file);
	struct deliver_report r = { 0 };

	assert_false(dlv_file_open(job, &r));
	assert_null(job->mail.bytes);
	assert_int_equal(r.result, result);
	assert_int_equal(r.code, 0);
	if (strstr(r.reply, why) == NULL || strstr(r.reply, file) == NULL)
		fail_msg("want %s\ngot %s", why, r.reply);
	dlv_job_free(job);
}

static void
a_file_that_is_not_what_was_rendered_waits_for_a_person(void **state)
{
	struct bench *b = *state;
	g_autofree char *other = g_strdup(text);

	assert_refused("/nonexistent/mail", DELIVER_REJECTED,
	    "is missing: put it back");
	assert_refused(b->dir, DELIVER_REJECTED, " bytes and not ");
	assert_true(g_file_set_contents(b->file, text, 20, NULL));
	assert_refused(b->file, DELIVER_REJECTED, "has 20 bytes and not ");
	other[strlen(text) - 3] = 'y';
	assert_true(g_file_set_contents(b->file, other, -1, NULL));
	assert_refused(b->file, DELIVER_REJECTED, "SHA-256 differs");
	assert_int_equal(g_remove(b->file), 0);
	assert_int_equal(symlink("/dev/null", b->file), 0);
	assert_refused(b->file, DELIVER_REJECTED, "is missing: put it back");
}

static void
a_file_that_cannot_be_opened_for_now_is_deferred(void **state)
{
	struct bench *b = *state;
	struct rlimit old, none;

	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	assert_refused(b->file, DELIVER_DEFERRED, "cannot open the mail's "
	    "file: ");
	setrlimit(RLIMIT_NOFILE, &old);
}

/* A relay that accepts connections and says nothing. */
static int
silent_listener(int *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&sa, len) == 0 &&
	    listen(fd, 16) == 0 &&
	    getsockname(fd, (struct sockaddr *)&sa, &len) == 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

/* How many the workers have taken, once it is `want` or time is up. */
static guint
wait_for_ready(struct dlv_outlet *o, guint want)
{
	int64_t until = clock_mono_ms() + 10000;
	guint n;

	do {
		g_usleep(1000);
		pthread_mutex_lock(&o->lock);
		n = o->ready.length;
		pthread_mutex_unlock(&o->lock);
	} while (n != want && clock_mono_ms() < until);
	return n;
}

static void
large_mails_leave_half_of_the_sessions_to_the_others(void **state)
{
	struct bench *b = *state;
	struct dlv_results results = { .fd = -1 };
	struct conf_relay conf = { .sessions = 4 };
	struct dlv_outlet o = { .name = "r", .conf = &conf,
		.results = &results, .relay = { .name = "r",
		.host = "127.0.0.1", .helo = "c.example",
		.connect_ms = 10000, .command_ms = 10000,
		.total_ms = 20000 } };
	struct err err = ERR_INIT;
	int fd = silent_listener(&o.relay.port);
	struct dlv_job *job;

	pthread_mutex_init(&results.lock, NULL);
	g_queue_init(&results.jobs);
	assert_true(dlv_outlet_start(&o, &err));
	for (int i = 0; i < 6; i++)
		dlv_outlet_put(&o, make_job(i < 4 ? b->file : NULL), false);
	/* Two large and two small are on their way, two large are left. */
	assert_int_equal(wait_for_ready(&o, 2), 2);
	pthread_mutex_lock(&o.lock);
	assert_int_equal(o.large, 2);
	for (GList *l = o.ready.head; l != NULL; l = l->next)
		assert_non_null(((struct dlv_job *)l->data)->file);
	pthread_mutex_unlock(&o.lock);
	dlv_outlet_stop(&o);
	close(fd);
	dlv_outlet_clear(&o);
	assert_int_equal(results.jobs.length, 4);
	assert_int_equal(o.large, 0);
	while ((job = g_queue_pop_head(&results.jobs)) != NULL)
		dlv_job_free(job);
	pthread_mutex_destroy(&results.lock);
}

#define clear(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		clear(a_file_that_is_what_was_rendered_is_mapped),
		clear(a_file_that_is_not_what_was_rendered_waits_for_a_person),
		clear(a_file_that_cannot_be_opened_for_now_is_deferred),
		clear(large_mails_leave_half_of_the_sessions_to_the_others),
	};

	deliver_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
