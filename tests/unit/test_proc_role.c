/* SPDX-License-Identifier: Apache-2.0 */
/* proc: names, wake descriptors, the status pipe, the stop flag. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc.h"

static void
set_fd(const char *name, int fd)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", fd);
	setenv(name, text, 1);
}

static bool
is_readable(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, 0) == 1;
}

static void
every_role_has_a_name_that_reads_back(void **state)
{
	static const char *const names[] = { "store", "intake", "gateway",
		"build", "media", "directory", "deliver" };
	enum proc_role role;

	(void)state;
	for (int r = 0; r < PROC_ROLES; r++) {
		assert_string_equal(proc_role_name((enum proc_role)r),
		    names[r]);
		assert_true(proc_role_parse(names[r], &role));
		assert_int_equal(role, r);
	}
	role = PROC_DELIVER;
	assert_false(proc_role_parse("supervisor", &role));
	assert_int_equal(role, PROC_DELIVER);
}

static void
without_a_supervisor_everything_is_a_quiet_nothing(void **state)
{
	(void)state;
	unsetenv("CHATJOURNAL_WAKE_BUILD_FD");
	setenv("CHATJOURNAL_WAKE_DELIVER_FD", "7x", 1);
	assert_int_equal(proc_conf_fd(), -1);
	assert_int_equal(proc_wake_fd(PROC_BUILD), -1);
	assert_int_equal(proc_wake_fd(PROC_DELIVER), -1);
	proc_wake(PROC_BUILD);
	proc_wake_clear(PROC_BUILD);
	proc_ready();
	proc_heartbeat();
	proc_notify("READY=1");
}

static void
any_number_of_wake_ups_is_one_wake_up(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	uint64_t most = UINT64_MAX - 1;

	(void)state;
	set_fd("CHATJOURNAL_WAKE_BUILD_FD", fd);
	assert_int_equal(proc_wake_fd(PROC_BUILD), fd);
	assert_false(is_readable(fd));
	proc_wake(PROC_BUILD);
	proc_wake(PROC_BUILD);
	assert_true(is_readable(fd));
	proc_wake_clear(PROC_BUILD);
	assert_false(is_readable(fd));
	proc_wake_clear(PROC_BUILD);
	assert_int_equal(write(fd, &most, sizeof(most)), 8);
	proc_wake(PROC_BUILD);		/* full: must not block */
	assert_true(is_readable(fd));
	close(fd);
}

static void
ready_is_said_and_heartbeats_do_not_flood_the_pipe(void **state)
{
	char got[64];
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	set_fd("CHATJOURNAL_STATUS_FD", p[1]);
	proc_ready();
	assert_int_equal(read(p[0], got, sizeof(got)), 1);
	assert_int_equal(got[0], 'R');
	for (int i = 0; i < 100000; i++)
		proc_heartbeat();
	assert_in_range(read(p[0], got, sizeof(got)), 1, 9);
	close(p[0]);
	close(p[1]);
}

static int
be_stopped(void)
{
	if (!proc_signals_catch(NULL) || proc_stopping() ||
	    is_readable(proc_stop_fd()))
		return 1;
	raise(SIGHUP);
	raise(SIGPIPE);
	if (proc_stopping())
		return 2;
	raise(SIGTERM);
	raise(SIGINT);
	return proc_stopping() && is_readable(proc_stop_fd()) ? 0 : 3;
}

static void
sigterm_sets_the_flag_and_the_descriptor_and_sighup_nothing(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(be_stopped());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    ready_is_said_and_heartbeats_do_not_flood_the_pipe),
		cmocka_unit_test(every_role_has_a_name_that_reads_back),
		cmocka_unit_test(
		    without_a_supervisor_everything_is_a_quiet_nothing),
		cmocka_unit_test(any_number_of_wake_ups_is_one_wake_up),
		cmocka_unit_test(
		    sigterm_sets_the_flag_and_the_descriptor_and_sighup_nothing),
	};

	return cmocka_run_group_tests_name("proc_role", tests, NULL, NULL);
}
