/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays a role for test_proc_supervise: does what the "configuration" says,
 * one "role=behaviour" a line. What one life must tell the next is left in
 * the role's own wake descriptor, which outlives it.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "proc.h"

static enum proc_role role;

static void
say(const char *line)
{
	dprintf(STDERR_FILENO, "<6>player.%s\n", line);
}

static bool
woken(void)
{
	struct pollfd p = { proc_wake_fd(role), POLLIN, 0 };

	return poll(&p, 1, 0) > 0;
}

static void
enter(void)
{
	struct proc_limits lim = { .user = "nobody", .sandbox = 2 };
	struct err err = ERR_INIT;

	if (!proc_signals_catch(&err) || !proc_enter(role, &lim, &err) ||
	    !proc_confine(role, PROC_STORE_FILES, &lim, &err)) {
		fprintf(stderr, "<3>player.failed %s\n", err.text);
		exit(PROC_EXIT_TEMP);
	}
}

static void
beat(void)
{
	int fd = (int)strtol(getenv("CHATJOURNAL_STATUS_FD"), NULL, 10);

	proc_heartbeat();
	if (write(fd, "h", 1) < 0)	/* the supervisor was killed */
		say("alone");
}

static int
work(void)
{
	struct pollfd p[2] = { { proc_stop_fd(), POLLIN, 0 },
		{ proc_wake_fd(role), POLLIN, 0 } };

	proc_ready();
	while (!proc_stopping()) {
		if (poll(p, 2, 20) > 0 && (p[1].revents & POLLIN) != 0) {
			proc_wake_clear(role);
			say("woken");
		}
		beat();
	}
	say("drained");
	return 0;
}

static int
play_ready(void)
{
	enter();
	return work();
}

/* Says something to each who comes in. */
static int
play_door(void)
{
	struct pollfd p[2] = { { -1, POLLIN, 0 },
		{ proc_listen_fd(), POLLIN, 0 } };

	enter();
	p[0].fd = proc_stop_fd();
	proc_ready();
	while (!proc_stopping()) {
		int fd = poll(p, 2, 20) > 0 && p[1].revents != 0 ?
		    accept(p[1].fd, NULL, NULL) : -1;

		if (fd >= 0 && write(fd, "come in", 7) < 0)
			say("alone");
		if (fd >= 0)
			close(fd);
		beat();
	}
	say("drained");
	return 0;
}

static int
play_wait(void)
{
	struct pollfd p = { -1, POLLIN, 0 };

	enter();
	p.fd = proc_stop_fd();
	say("waits");
	while (!proc_stopping())
		poll(&p, 1, -1);
	return 0;
}

static int
play_crash(void)
{
	fprintf(stderr, "player: Assertion \"x\" failed");
	abort();
}

static int
play_crash_once(void)
{
	if (!woken()) {
		proc_wake(role);
		return play_crash();
	}
	return play_ready();
}

static int
play_temp_once(void)
{
	if (!woken()) {
		proc_wake(role);
		return PROC_EXIT_TEMP;
	}
	return 0;
}

static int
play_hang_once(void)
{
	if (!woken()) {
		proc_wake(role);
		proc_ready();
		for (;;)
			pause();
	}
	return play_ready();
}

/* Ends by SIGKILL only. */
static _Noreturn int
play_stubborn(void)
{
	signal(SIGTERM, SIG_IGN);
	proc_ready();
	for (;;) {
		poll(NULL, 0, 20);
		beat();
	}
}

static int
play_wake_build(void)
{
	enter();
	proc_wake(PROC_BUILD);
	return work();
}

/* What came through exec: descriptors, environment, offset of the snapshot. */
static int
play_inventory(void)
{
	extern char **environ;
	struct stat st;
	int n = 0;

	for (int fd = 3; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	dprintf(2, "<6>player.fds more=%d\n", n);
	for (n = 0; environ[n] != NULL; n++)
		;
	dprintf(2, "<6>player.env count=%d secret=%d notify=%d tz=%s\n", n,
	    getenv("SECRET") != NULL, getenv("NOTIFY_SOCKET") != NULL,
	    getenv("TZ"));
	if (fstat(0, &st) == 0)
		dprintf(2, "<6>player.stdin null=%d\n",
		    S_ISCHR(st.st_mode) && st.st_rdev == 0x103);
	return play_ready();
}

static int
play_config(void)
{
	return PROC_EXIT_CONF;
}

static int
play_ok(void)
{
	return 0;
}

static const struct {
	const char *name;
	int (*play)(void);
} plays[] = {
	{ "ready", play_ready }, { "crash-once", play_crash_once },
	{ "temp-once", play_temp_once }, { "hang-once", play_hang_once },
	{ "stubborn", play_stubborn }, { "wake-build", play_wake_build },
	{ "inventory", play_inventory }, { "config", play_config },
	{ "ok", play_ok }, { "door", play_door }, { "wait", play_wait },
};

/* From the offset as it is: a shared description would be at its end. */
static int
choose(char *text)
{
	char *save = NULL;

	for (char *l = strtok_r(text, "\n", &save); l != NULL;
	    l = strtok_r(NULL, "\n", &save)) {
		char *value = strchr(l, '=');

		if (value == NULL)
			continue;
		*value++ = '\0';
		for (size_t i = 0; i < sizeof(plays) / sizeof(*plays) &&
		    strcmp(l, proc_role_name(role)) == 0; i++) {
			if (strcmp(plays[i].name, value) == 0)
				return plays[i].play();
		}
	}
	fprintf(stderr, "<3>player.lost\n");
	return PROC_EXIT_CONF;
}

int
main(int argc, char **argv)
{
	char text[1024];
	ssize_t n = read(proc_conf_fd(), text, sizeof(text) - 1);

	if (argc != 3 || strcmp(argv[1], "--role") != 0 ||
	    !proc_role_parse(argv[2], &role) || n < 0)
		return PROC_EXIT_CONF;
	text[n] = '\0';
	return choose(text);
}
