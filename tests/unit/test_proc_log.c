/* SPDX-License-Identifier: Apache-2.0 */
/* proc: lines of the log pipes, the ring, and where the log goes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../src/proc/proc_int.h"
#include "clock.h"
#include "err.h"
#include "log.h"

/* --- lines ------------------------------------------------------------- */

struct heard {
	char text[32768];
	int lines;
};

static void
hear(void *arg, int severity, const char *line)
{
	struct heard *h = arg;
	size_t n = strlen(h->text);

	snprintf(h->text + n, sizeof(h->text) - n, "%d|%s\n", severity, line);
	h->lines++;
}

static void
lines_are_the_same_in_whatever_pieces_they_come(void **state)
{
	static const char text[] = "<6>a.b c=d\n<3>e.f\n\nplain \"x\"\n"
	    "<9>not a severity\n<7>";
	static const char want[] = "6|a.b c=d\n3|e.f\n"
	    "3|role.said text=\"plain \\\"x\\\"\"\n"
	    "3|role.said text=\"<9>not a severity\"\n7|\n";
	static struct heard whole, bytes;
	static struct proc_lines a, b;

	(void)state;
	proc_lines_feed(&a, text, sizeof(text) - 1, hear, &whole);
	proc_lines_flush(&a, hear, &whole);
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		proc_lines_feed(&b, text + i, 1, hear, &bytes);
	proc_lines_flush(&b, hear, &bytes);
	assert_string_equal(whole.text, want);
	assert_string_equal(bytes.text, want);
}

static void
a_line_that_is_too_long_is_cut_and_the_next_one_is_whole(void **state)
{
	static struct heard h;
	static struct proc_lines l;
	static char text[20000];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "<4>long ", 8);
	memcpy(text + sizeof(text) - 11, "\n<6>next a\n", 11);
	proc_lines_feed(&l, text, sizeof(text), hear, &h);
	assert_int_equal(h.lines, 2);
	assert_non_null(strstr(h.text, "xxx...\n6|next a\n"));
	assert_true(strlen(h.text) < PROC_LINE_MAX + 20);
}

/* --- the ring ---------------------------------------------------------- */

/* A target that stalls while its gate is shut. */
struct slow {
	pthread_mutex_t gate;
	pthread_mutex_t lock;
	char *text;
	size_t len, room;
	long lines, dropped;
	bool closed;
};

static void
slow_put(void *arg, const struct proc_entry *e)
{
	struct slow *s = arg;
	size_t n = strlen(e->text);

	pthread_mutex_lock(&s->gate);
	pthread_mutex_unlock(&s->gate);
	pthread_mutex_lock(&s->lock);
	if (strncmp(e->text, "log.dropped count=", 18) == 0)
		s->dropped += strtol(e->text + 18, NULL, 10);
	else
		s->lines++;
	if (s->len + n + 2 < s->room) {
		memcpy(s->text + s->len, e->text, n);
		s->len += n;
		s->text[s->len++] = '\n';
		s->text[s->len] = '\0';
	}
	pthread_mutex_unlock(&s->lock);
}

static void
slow_close(void *arg)
{
	struct slow *s = arg;

	pthread_mutex_lock(&s->lock);
	s->closed = true;
	pthread_mutex_unlock(&s->lock);
}

static char text_room[65536];

static void
open_slow(struct slow *s)
{
	struct proc_target t = { slow_put, slow_close, s };

	memset(s, 0, sizeof(*s));
	text_room[0] = '\0';
	s->text = text_room;
	s->room = sizeof(text_room);
	pthread_mutex_init(&s->gate, NULL);
	pthread_mutex_init(&s->lock, NULL);
	assert_true(proc_sink_start(&t, NULL));
}

static void
role_and_pid_follow_the_event_name(void **state)
{
	struct slow s;

	(void)state;
	open_slow(&s);
	proc_log_write(6, "deliver", 42, "mail.sent mail=7 ms=3");
	proc_log_write(4, "intake", 43, "bare");
	proc_log_write(6, NULL, 1, "role.start role=build pid=44");
	proc_log_stop();
	assert_string_equal(s.text, "mail.sent role=deliver pid=42 mail=7 "
	    "ms=3\nbare role=intake pid=43\nrole.start role=build pid=44\n");
	assert_true(s.closed);
}

static void
a_line_cannot_forge_another_line_or_a_terminal_escape(void **state)
{
	struct slow s;

	(void)state;
	open_slow(&s);
	proc_log_write(6, "build", 1, "a\nb.c k=\x1b[31m\x7f\xc2\x9b\r");
	proc_log_stop();
	assert_string_equal(s.text, "a\\x0ab.c role=build pid=1 "
	    "k=\\x1b[31m\\x7f\\xc2\\x9b\\x0d\n");
}

static void
lines_keep_their_order_and_all_are_written_before_the_stop(void **state)
{
	struct slow s;
	char line[32];

	(void)state;
	open_slow(&s);
	pthread_mutex_lock(&s.gate);
	for (int i = 0; i < 2000; i++) {
		snprintf(line, sizeof(line), "n.%d", i);
		proc_log_write(6, NULL, 0, line);
	}
	pthread_mutex_unlock(&s.gate);
	proc_log_stop();
	assert_int_equal(s.lines, 2000);
	for (int i = 0, at = 0; i < 2000; i++) {
		int n = snprintf(line, sizeof(line), "n.%d\n", i);

		assert_memory_equal(s.text + at, line, (size_t)n);
		at += n;
	}
}

static void
a_stalled_logger_blocks_nobody_and_every_lost_line_is_counted(void **state)
{
	const long given = PROC_SINK_LINES + 5000;
	struct slow s;
	int64_t began;

	(void)state;
	open_slow(&s);
	pthread_mutex_lock(&s.gate);
	began = clock_mono_ms();
	for (long i = 0; i < given; i++)
		proc_log_write(6, "build", 1, "some.event key=value");
	assert_true(clock_mono_ms() - began < 5000);
	pthread_mutex_unlock(&s.gate);
	proc_log_stop();
	assert_int_equal(s.lines, PROC_SINK_LINES);
	assert_int_equal(s.lines + s.dropped, given);
}

static void
the_ring_is_bounded_in_bytes_too(void **state)
{
	static char line[PROC_LINE_MAX];
	struct slow s;

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	open_slow(&s);
	pthread_mutex_lock(&s.gate);
	for (int i = 0; i < 2000; i++)
		proc_log_write(6, NULL, 0, line);
	pthread_mutex_unlock(&s.gate);
	proc_log_stop();
	assert_true(s.lines > 900 && s.lines < 1030);
	assert_int_equal(s.lines + s.dropped, 2000);
}

static void
a_logger_that_never_comes_back_is_left_behind(void **state)
{
	struct slow s;
	bool closed = false;

	(void)state;
	open_slow(&s);
	pthread_mutex_lock(&s.gate);
	proc_log_write(6, NULL, 0, "x.y");
	proc_sink_stop(30);
	proc_log_write(6, NULL, 0, "after.stop");
	assert_false(s.closed);
	pthread_mutex_unlock(&s.gate);
	for (int i = 0; i < 10000 && !closed; i++) {
		usleep(1000);
		pthread_mutex_lock(&s.lock);
		closed = s.closed;
		pthread_mutex_unlock(&s.lock);
	}
	assert_true(closed);
	assert_string_equal(s.text, "x.y\n");
}

static void
the_supervisors_own_lines_go_through_the_same_ring(void **state)
{
	struct slow s;

	(void)state;
	assert_int_equal(proc_log_fd(), -1);
	open_slow(&s);
	log_open_fd(proc_log_fd(), 1, LOG_LEVEL_INFO);
	log_info("role.start", "role=build pid=44");
	proc_sink_own_read();
	log_warn("role.exit", "role=build");
	proc_log_stop();
	log_open_fd(STDERR_FILENO, 0, LOG_LEVEL_INFO);
	assert_string_equal(s.text, "role.start role=build pid=44\n"
	    "role.exit role=build\n");
}

/* --- targets ----------------------------------------------------------- */

/* What a target writes to standard error. */
static void
stderr_of(enum proc_log_target which, char *out, size_t size)
{
	int p[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(p), 0);
	dup2(p[1], STDERR_FILENO);
	close(p[1]);
	assert_true(proc_log_start(which, "mail", NULL));
	proc_log_write(4, "build", 5, "item.parked event=9");
	proc_log_stop();
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = read(p[0], out, size - 1);
	close(p[0]);
	out[n > 0 ? n : 0] = '\0';
}

static void
standard_error_gets_time_and_level_for_people(void **state)
{
	char out[256];

	(void)state;
	unsetenv("JOURNAL_STREAM");
	stderr_of(PROC_LOG_STDERR, out, sizeof(out));
	assert_int_equal(strcspn(out, " "), strlen("2026-02-03T14:05:09.402Z"));
	assert_string_equal(strchr(out, ' '),
	    " warn item.parked role=build pid=5 event=9\n");
}

static void
standard_error_gets_a_severity_when_the_journal_reads_it(void **state)
{
	struct proc_target t;
	char name[] = "/tmp/chatjournal-stderr-XXXXXX", is[64], out[128] = "";
	int fd = mkstemp(name), saved = dup(STDERR_FILENO);
	struct proc_entry *e = calloc(1, sizeof(*e) + 8);
	struct stat st;

	(void)state;
	memcpy(e->text, "a.b c=d", 8);
	e->severity = 3;
	assert_int_equal(fstat(fd, &st), 0);
	snprintf(is, sizeof(is), "%lu:%lu", (unsigned long)st.st_dev,
	    (unsigned long)st.st_ino);
	setenv("JOURNAL_STREAM", is, 1);
	dup2(fd, STDERR_FILENO);
	assert_true(proc_target_open(PROC_LOG_STDERR, "mail", &t, NULL));
	t.put(t.arg, e);
	dup2(saved, STDERR_FILENO);
	close(saved);
	unsetenv("JOURNAL_STREAM");
	assert_int_equal(pread(fd, out, sizeof(out) - 1, 0), 11);
	assert_string_equal(out, "<3>a.b c=d\n");
	free(e);
	close(fd);
	unlink(name);
}

static void
the_journal_gets_the_event_and_the_role_as_fields(void **state)
{
	char dir[] = "/tmp/chatjournal-journal-XXXXXX", out[512] = "";
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct proc_target t;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/s", dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_true(proc_target_journal(a.sun_path, &t, NULL));
	assert_true(proc_sink_start(&t, NULL));
	proc_log_write(4, "build", 5, "item.parked event=9");
	proc_log_stop();
	assert_true(recv(fd, out, sizeof(out) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(out, "MESSAGE=item.parked role=build pid=5 "
	    "event=9\nPRIORITY=4\nSYSLOG_IDENTIFIER=chatjournald\n"
	    "CHATJOURNAL_EVENT=item.parked\nCHATJOURNAL_ROLE=build\n");
	close(fd);
	unlink(a.sun_path);
	rmdir(dir);
}

static void
without_a_system_logger_lines_go_to_standard_error(void **state)
{
	char out[256];

	(void)state;
	if (access("/run/systemd/journal/socket", F_OK) == 0 ||
	    access("/dev/log", F_OK) == 0)
		skip();
	stderr_of(PROC_LOG_JOURNAL, out, sizeof(out));
	assert_string_equal(out, "<4>item.parked role=build pid=5 event=9\n");
	stderr_of(PROC_LOG_SYSLOG, out, sizeof(out));
	assert_string_equal(out, "<4>item.parked role=build pid=5 event=9\n");
}

static void
an_unknown_facility_is_a_configuration_error(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_false(proc_log_start(PROC_LOG_SYSLOG, "local9", &err));
	assert_int_equal(err.kind, ERR_CONF);
	assert_non_null(strstr(err.text, "local0"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    lines_are_the_same_in_whatever_pieces_they_come),
		cmocka_unit_test(
		    a_line_that_is_too_long_is_cut_and_the_next_one_is_whole),
		cmocka_unit_test(role_and_pid_follow_the_event_name),
		cmocka_unit_test(
		    a_line_cannot_forge_another_line_or_a_terminal_escape),
		cmocka_unit_test(
		    lines_keep_their_order_and_all_are_written_before_the_stop),
		cmocka_unit_test(
		    a_stalled_logger_blocks_nobody_and_every_lost_line_is_counted),
		cmocka_unit_test(the_ring_is_bounded_in_bytes_too),
		cmocka_unit_test(a_logger_that_never_comes_back_is_left_behind),
		cmocka_unit_test(
		    the_supervisors_own_lines_go_through_the_same_ring),
		cmocka_unit_test(standard_error_gets_time_and_level_for_people),
		cmocka_unit_test(
		    standard_error_gets_a_severity_when_the_journal_reads_it),
		cmocka_unit_test(
		    the_journal_gets_the_event_and_the_role_as_fields),
		cmocka_unit_test(
		    without_a_system_logger_lines_go_to_standard_error),
		cmocka_unit_test(an_unknown_facility_is_a_configuration_error),
	};

	return cmocka_run_group_tests_name("proc_log", tests, NULL, NULL);
}
