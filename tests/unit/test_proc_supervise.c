/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc: the supervisor's real loop over real processes (test_proc_player),
 * with delays in milliseconds. Each test runs a supervisor in a child and
 * reads its log as it comes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/proc/proc_int.h"
#include "clock.h"
#include "log.h"

#define PATIENCE_MS 30000
#define CALM "store=ok\nintake=ready\nbuild=ready\nmedia=ready\ndeliver=ready\n"

struct daemon {
	pid_t pid;
	int log;
	const char *conf, *next_conf;	/* next_conf NULL: reload is refused */
	unsigned roles, next_roles;	/* 0: CORE; as before */
	int listen, next_listen;	/* intake's; 0: none; as before */
	struct proc_timing timing;
	char text[65536];
	size_t len, seen;
};

/* Gateway and directory run only where they are configured. */
#define CORE (1u << PROC_STORE | 1u << PROC_INTAKE | 1u << PROC_BUILD | \
	1u << PROC_MEDIA | 1u << PROC_DELIVER)

static char player[4096];
static int out;

static void
log_line(void *arg, const char *role, pid_t pid, int severity,
    const char *line)
{
	(void)arg;
	(void)pid;
	dprintf(out, "%s: <%d>%s\n", role, severity, line);
}

static int
snapshot(const char *text)
{
	int fd = memfd_create("conf", MFD_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		abort();
	return fd;
}

static struct proc_setup
setup(const char *conf, unsigned roles, int listen)
{
	struct proc_setup s = { .roles = roles != 0 ? roles : CORE };

	for (int r = 0; r < PROC_ROLES; r++)
		s.listen[r] = -1;
	s.listen[PROC_INTAKE] = listen > 0 ? listen : -1;
	s.conf_fd = snapshot(conf);
	return s;
}

static bool
reload(void *arg, struct proc_setup *next)
{
	const struct daemon *d = arg;

	if (d->next_conf == NULL)
		return false;
	*next = setup(d->next_conf,
	    d->next_roles != 0 ? d->next_roles : d->roles,
	    d->next_listen != 0 ? d->next_listen : d->listen);
	return true;
}

static _Noreturn void
be_daemon(struct daemon *d)
{
	struct proc_supervisor sup = { .argv0 = player, .reload = reload,
		.log_line = log_line, .arg = d };
	int stray = open("/dev/null", O_RDONLY);	/* not close-on-exec */

	log_open_fd(out, 1, LOG_LEVEL_INFO);
	sup.setup = setup(d->conf, d->roles, d->listen);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit(stray < 0 ? 99 : proc_supervise_timed(&sup, &d->timing));
}

static void
start(struct daemon *d)
{
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	if (d->timing.stop_ms == 0)
		d->timing = (struct proc_timing){ 10, 80, 20000, 20000, 50 };
	d->pid = fork();
	assert_true(d->pid >= 0);
	if (d->pid == 0) {
		out = p[1];
		be_daemon(d);
	}
	close(p[1]);
	if (d->listen > 0)
		close(d->listen);
	if (d->next_listen > 0)
		close(d->next_listen);
	d->log = p[0];
}

/* Waits until text comes, after what was expected before. */
static void
expect(struct daemon *d, const char *text)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;

	for (;;) {
		struct pollfd p = { d->log, POLLIN, 0 };
		const char *at = strstr(d->text + d->seen, text);
		ssize_t n;

		if (at != NULL) {
			d->seen = (size_t)(at - d->text) + strlen(text);
			return;
		}
		n = clock_mono_ms() < until && poll(&p, 1, 1000) >= 0 ? 1 : 0;
		if (n > 0 && p.revents != 0)
			n = read(d->log, d->text + d->len,
			    sizeof(d->text) - 1 - d->len);
		else if (n > 0)
			continue;
		if (n <= 0)
			fail_msg("\"%s\" did not come; the log:\n%s", text,
			    d->text);
		d->len += (size_t)n;
		d->text[d->len] = '\0';
	}
}

static int
end_of(struct daemon *d)
{
	int status;

	assert_int_equal(waitpid(d->pid, &status, 0), d->pid);
	close(d->log);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int
stop(struct daemon *d)
{
	kill(d->pid, SIGTERM);
	return end_of(d);
}

static void
roles_start_after_the_store_and_stop_in_the_order_of_the_data(void **state)
{
	struct daemon d = { .conf = CALM };

	(void)state;
	start(&d);
	expect(&d, "<6>supervisor.start pid=");
	expect(&d, "role.start role=store");
	expect(&d, "role.exit role=store");
	expect(&d, "role.start role=intake");
	expect(&d, "supervisor.ready");
	kill(d.pid, SIGTERM);
	expect(&d, "supervisor.stop code=0");
	expect(&d, "intake: <6>player.drained");
	expect(&d, "<6>role.exit role=intake");
	expect(&d, "build: <6>player.drained");
	expect(&d, "<6>role.exit role=build");
	expect(&d, "media: <6>player.drained");
	expect(&d, "<6>role.exit role=media");
	expect(&d, "deliver: <6>player.drained");
	expect(&d, "<6>role.exit role=deliver");
	assert_int_equal(end_of(&d), 0);
}

static void
a_crash_is_restarted_after_a_delay_and_its_last_words_are_kept(void **state)
{
	struct daemon d = { .conf = "store=ok\nintake=ready\n"
		"build=crash-once\nmedia=ready\ndeliver=ready\n" };

	(void)state;
	start(&d);
	expect(&d, "build: <3>role.said text=\"player: Assertion \\\"x\\\" "
	    "failed\"");
	expect(&d, "<4>role.exit role=build");
	expect(&d, "signal=ABRT");
	expect(&d, "restart_in_ms=10");
	expect(&d, "role.start role=build");
	expect(&d, "supervisor.ready");
	assert_int_equal(stop(&d), 0);
}

static void
a_store_check_that_fails_for_now_is_repeated(void **state)
{
	struct daemon d = { .conf = "store=temp-once\nintake=ready\n"
		"build=ready\nmedia=ready\ndeliver=ready\n" };

	(void)state;
	start(&d);
	expect(&d, "code=75");
	expect(&d, "role.start role=store");
	expect(&d, "supervisor.ready");
	assert_int_equal(stop(&d), 0);
}

static void
a_role_that_hangs_is_killed_and_restarted(void **state)
{
	const char *preload = getenv("LD_PRELOAD");
	bool slow = preload != NULL && strstr(preload, "valgrind") != NULL;
	struct daemon d = { .conf = "deliver=hang-once\n",
		.roles = 1u << PROC_DELIVER,
		.timing = { 10, 80, slow ? 15000 : 1000, 20000, 50 } };

	(void)state;
	start(&d);
	expect(&d, "<3>role.hung role=deliver");
	expect(&d, "while=running");
	expect(&d, "role.exit role=deliver");
	expect(&d, "signal=KILL");
	expect(&d, "role.ready role=deliver");
	assert_int_equal(stop(&d), 0);
}

static void
a_wrong_configuration_of_one_role_stops_the_daemon_with_78(void **state)
{
	struct daemon d = { .conf = "store=ok\nintake=ready\nbuild=config\n"
		"media=ready\ndeliver=ready\n" };

	(void)state;
	start(&d);
	expect(&d, "<3>role.config role=build");
	expect(&d, "supervisor.stop code=78");
	assert_int_equal(end_of(&d), PROC_EXIT_CONF);
}

static void
a_reload_restarts_one_role_after_the_other_with_the_new_snapshot(void **state)
{
	struct daemon d = { .conf = CALM, .next_conf = "store=ok\n"
		"intake=inventory\nbuild=inventory\nmedia=inventory\n"
		"deliver=inventory\n" };

	(void)state;
	start(&d);
	expect(&d, "supervisor.ready");
	kill(d.pid, SIGHUP);
	expect(&d, "intake: <6>player.drained");
	expect(&d, "intake: <6>player.fds");
	expect(&d, "role.ready role=intake");
	expect(&d, "build: <6>player.drained");
	expect(&d, "build: <6>player.fds");
	expect(&d, "role.ready role=build");
	expect(&d, "media: <6>player.drained");
	expect(&d, "role.ready role=media");
	expect(&d, "deliver: <6>player.drained");
	expect(&d, "deliver: <6>player.fds");
	expect(&d, "role.ready role=deliver");
	expect(&d, "reload.ok");
	assert_int_equal(stop(&d), 0);
}

static void
a_refused_reload_leaves_everybody_alone(void **state)
{
	struct daemon d = { .conf = CALM };

	(void)state;
	start(&d);
	expect(&d, "supervisor.ready");
	kill(d.pid, SIGHUP);
	expect(&d, "<4>reload.refused");
	kill(d.pid, SIGTERM);
	expect(&d, "supervisor.stop");
	assert_null(strstr(strstr(d.text, "supervisor.ready"), "role.start"));
	assert_int_equal(end_of(&d), 0);
}

static void
a_wake_up_from_one_role_reaches_another(void **state)
{
	struct daemon d = { .conf = "store=ok\nintake=wake-build\n"
		"build=ready\nmedia=ready\ndeliver=ready\n" };

	(void)state;
	start(&d);
	expect(&d, "build: <6>player.woken");
	assert_int_equal(stop(&d), 0);
}

static void
a_role_inherits_its_own_descriptors_and_a_bare_environment(void **state)
{
	struct daemon d = { .conf = "store=ok\nintake=inventory\n"
		"build=inventory\nmedia=inventory\n"
		"deliver=inventory\n" };

	(void)state;
	setenv("SECRET", "x", 1);
	setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
	start(&d);
	unsetenv("SECRET");
	unsetenv("NOTIFY_SOCKET");
	/* the snapshot, the status pipe, seven wake descriptors */
	expect(&d, "intake: <6>player.fds more=9");
	expect(&d, "secret=0 notify=0 tz=UTC");
	expect(&d, "player.stdin null=1");
	expect(&d, "supervisor.ready");
	assert_int_equal(stop(&d), 0);
}

static void
a_role_that_ignores_sigterm_is_killed_and_the_others_still_drain(void **state)
{
	struct daemon d = { .conf = "store=ok\nintake=stubborn\nbuild=ready\n"
		"media=ready\ndeliver=ready\n", .timing = { 10, 80, 20000, 100, 50 } };

	(void)state;
	start(&d);
	expect(&d, "supervisor.ready");
	kill(d.pid, SIGTERM);
	expect(&d, "role.hung role=intake");
	expect(&d, "while=stopping");
	expect(&d, "signal=KILL");
	expect(&d, "build: <6>player.drained");
	assert_int_equal(end_of(&d), 0);
}

static void
a_second_sigterm_hastens(void **state)
{
	struct daemon d = { .conf = "store=ok\nintake=stubborn\nbuild=ready\n"
		"media=ready\ndeliver=ready\n" };

	(void)state;
	start(&d);
	expect(&d, "supervisor.ready");
	kill(d.pid, SIGTERM);
	expect(&d, "supervisor.stop");
	kill(d.pid, SIGTERM);
	expect(&d, "role.hung role=intake");
	assert_int_equal(end_of(&d), 0);
}

static pid_t
pid_in_log(struct daemon *d, const char *before)
{
	expect(d, before);
	return (pid_t)strtol(d->text + d->seen, NULL, 10);
}

static void
roles_drain_by_themselves_when_the_supervisor_is_killed(void **state)
{
	struct daemon d = { .conf = CALM };
	pid_t pids[3];
	int status;

	(void)state;
	/* So that the orphans become ours to wait for. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	start(&d);
	pids[0] = pid_in_log(&d, "role.start role=intake pid=");
	pids[1] = pid_in_log(&d, "role.start role=build pid=");
	pids[2] = pid_in_log(&d, "role.start role=deliver pid=");
	expect(&d, "supervisor.ready");
	kill(d.pid, SIGKILL);
	assert_int_equal(end_of(&d), -SIGKILL);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* Bound to loopback, not listening. */
static int
hold(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

/* -1: refused. */
static int
dial(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
	return -1;
}

/* The player's door says its pid to each who comes in. */
static void
expect_greeting(int fd, bool whole)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char buf[8] = "";

	assert_true(fd >= 0);
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_int_equal(recv(fd, buf, sizeof(buf), 0) > 0, whole);
	close(fd);
}

static void
who_connects_while_a_role_is_dead_waits_for_the_next(void **state)
{
	struct daemon d = { .conf = "store=ok\nintake=door\nbuild=ready\n"
		"media=ready\ndeliver=ready\n",
		.timing = { 200, 800, 20000, 20000, 50 } };
	uint16_t port;
	pid_t pid;
	int fds[3];

	(void)state;
	d.listen = hold(&port);
	start(&d);
	pid = pid_in_log(&d, "role.start role=intake pid=");
	expect(&d, "supervisor.ready");
	expect_greeting(dial(port), true);
	kill(pid, SIGKILL);
	expect(&d, "signal=KILL");
	for (int i = 0; i < 3; i++)
		fds[i] = dial(port);
	for (int i = 0; i < 3; i++)
		expect_greeting(fds[i], true);
	assert_int_equal(stop(&d), 0);
	assert_int_equal(dial(port), -1);
}

static void
nobody_is_let_in_before_the_store_is_ready(void **state)
{
	struct daemon d = { .conf = "store=wait\nintake=door\nbuild=ready\n"
		"media=ready\ndeliver=ready\n" };
	uint16_t port;

	(void)state;
	d.listen = hold(&port);
	start(&d);
	expect(&d, "store: <6>player.waits");
	assert_int_equal(dial(port), -1);
	kill(d.pid, SIGTERM);
	assert_int_equal(end_of(&d), 0);
}

static void
through_reloads_nobody_is_refused(void **state)
{
	static const char conf[] = "store=ok\nintake=door\nbuild=ready\n"
		"media=ready\ndeliver=ready\n";
	struct daemon d = { .conf = conf, .next_conf = conf };
	uint16_t port;

	(void)state;
	d.listen = hold(&port);
	start(&d);
	expect(&d, "supervisor.ready");
	for (int i = 0; i < 5; i++) {
		kill(d.pid, SIGHUP);
		expect(&d, "intake: <6>player.drained");
		expect_greeting(dial(port), true);
		expect(&d, "reload.ok");
	}
	assert_int_equal(stop(&d), 0);
}

static void
a_reload_to_another_socket_closes_the_one_before(void **state)
{
	static const char conf[] = "store=ok\nintake=door\nbuild=ready\n"
		"media=ready\ndeliver=ready\n";
	struct daemon d = { .conf = conf, .next_conf = conf };
	uint16_t before, after;

	(void)state;
	d.listen = hold(&before);
	d.next_listen = hold(&after);
	start(&d);
	expect(&d, "supervisor.ready");
	expect_greeting(dial(before), true);
	assert_int_equal(dial(after), -1);
	kill(d.pid, SIGHUP);
	expect(&d, "reload.ok");
	expect_greeting(dial(after), true);
	assert_int_equal(dial(before), -1);
	assert_int_equal(stop(&d), 0);
}

static void
a_reload_starts_roles_that_are_new_and_ends_those_that_are_gone(void **state)
{
	struct daemon d = { .conf = "store=ok\nintake=ready\ngateway=ready\n",
		.next_conf = "store=ok\nintake=ready\ndirectory=ready\n",
		.roles = 1u << PROC_STORE | 1u << PROC_INTAKE |
		    1u << PROC_GATEWAY,
		.next_roles = 1u << PROC_STORE | 1u << PROC_INTAKE |
		    1u << PROC_DIRECTORY };
	const char *rest;

	(void)state;
	start(&d);
	expect(&d, "supervisor.ready");
	kill(d.pid, SIGHUP);
	expect(&d, "role.ready role=intake");
	expect(&d, "gateway: <6>player.drained");
	expect(&d, "role.exit role=gateway");
	expect(&d, "role.start role=directory");
	expect(&d, "role.ready role=directory");
	expect(&d, "reload.ok");
	rest = strstr(d.text, "role.exit role=gateway");
	assert_int_equal(stop(&d), 0);
	assert_null(strstr(rest, "role.start role=gateway"));
}

/* Reads notices until one contains the text. */
static void
expect_notice(int fd, const char *text)
{
	char buf[512];
	struct pollfd p = { fd, POLLIN, 0 };

	for (;;) {
		ssize_t n;

		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		n = recv(fd, buf, sizeof(buf) - 1, 0);
		assert_true(n > 0);
		buf[n] = '\0';
		if (strstr(buf, text) != NULL)
			return;
	}
}

static void
the_service_manager_hears_of_every_step(void **state)
{
	struct daemon d = { .conf = CALM, .next_conf = CALM };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "@chatjournal-test-%d", (int)getpid());
	memcpy(addr.sun_path + 1, name + 1, strlen(name) - 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    strlen(name))), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "40000", 1);
	start(&d);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	expect_notice(fd, "EXTEND_TIMEOUT_USEC=");
	expect_notice(fd, "READY=1");
	expect_notice(fd, "WATCHDOG=1");
	kill(d.pid, SIGHUP);
	expect_notice(fd, "RELOADING=1\nMONOTONIC_USEC=");
	expect_notice(fd, "READY=1");
	kill(d.pid, SIGTERM);
	expect_notice(fd, "STOPPING=1");
	assert_int_equal(end_of(&d), 0);
	close(fd);
}

static void
a_daemon_that_cannot_be_executed_says_so_and_goes_on_trying(void **state)
{
	struct daemon d = { .conf = CALM };
	char was[sizeof(player)];

	(void)state;
	memcpy(was, player, sizeof(was));
	snprintf(player, sizeof(player), "/nonexistent/chatjournald");
	start(&d);
	memcpy(player, was, sizeof(was));
	expect(&d, "<3>role.exec role=store");
	expect(&d, "restart_in_ms=10");
	expect(&d, "restart_in_ms=20");
	assert_int_equal(stop(&d), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    roles_start_after_the_store_and_stop_in_the_order_of_the_data),
		cmocka_unit_test(
		    a_crash_is_restarted_after_a_delay_and_its_last_words_are_kept),
		cmocka_unit_test(a_store_check_that_fails_for_now_is_repeated),
		cmocka_unit_test(a_role_that_hangs_is_killed_and_restarted),
		cmocka_unit_test(
		    a_wrong_configuration_of_one_role_stops_the_daemon_with_78),
		cmocka_unit_test(
		    a_reload_restarts_one_role_after_the_other_with_the_new_snapshot),
		cmocka_unit_test(a_refused_reload_leaves_everybody_alone),
		cmocka_unit_test(a_wake_up_from_one_role_reaches_another),
		cmocka_unit_test(
		    a_role_inherits_its_own_descriptors_and_a_bare_environment),
		cmocka_unit_test(
		    a_role_that_ignores_sigterm_is_killed_and_the_others_still_drain),
		cmocka_unit_test(a_second_sigterm_hastens),
		cmocka_unit_test(
		    roles_drain_by_themselves_when_the_supervisor_is_killed),
		cmocka_unit_test(
		    who_connects_while_a_role_is_dead_waits_for_the_next),
		cmocka_unit_test(nobody_is_let_in_before_the_store_is_ready),
		cmocka_unit_test(through_reloads_nobody_is_refused),
		cmocka_unit_test(
		    a_reload_to_another_socket_closes_the_one_before),
		cmocka_unit_test(
		    a_reload_starts_roles_that_are_new_and_ends_those_that_are_gone),
		cmocka_unit_test(the_service_manager_hears_of_every_step),
		cmocka_unit_test(
		    a_daemon_that_cannot_be_executed_says_so_and_goes_on_trying),
	};
	ssize_t n = readlink("/proc/self/exe", player, sizeof(player) - 32);
	char *slash;

	if (n < 0)
		return 1;
	player[n] = '\0';
	slash = strrchr(player, '/');
	memcpy(slash, "/test_proc_player", sizeof("/test_proc_player"));
	return cmocka_run_group_tests_name("proc_supervise", tests, NULL,
	    NULL);
}
