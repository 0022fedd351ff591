/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a role has from its supervisor: the descriptors that the environment
 * names, wake-ups, the status pipe, and the stop flag. All of it works, as
 * nothing, in a process that no supervisor started (tests, a debugger).
 */
#include "proc_int.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"

#define BEAT_EVERY_MS 1000	/* a busy loop must not fill the pipe */

static atomic_bool stopping;
static atomic_int stop_fd = -1;

static const struct {
	const char *name, *wake;
} roles[PROC_ROLES] = {
	[PROC_STORE] = { "store", "CHATJOURNAL_WAKE_STORE_FD" },
	[PROC_INTAKE] = { "intake", "CHATJOURNAL_WAKE_INTAKE_FD" },
	[PROC_GATEWAY] = { "gateway", "CHATJOURNAL_WAKE_GATEWAY_FD" },
	[PROC_BUILD] = { "build", "CHATJOURNAL_WAKE_BUILD_FD" },
	[PROC_MEDIA] = { "media", "CHATJOURNAL_WAKE_MEDIA_FD" },
	[PROC_DIRECTORY] = { "directory", "CHATJOURNAL_WAKE_DIRECTORY_FD" },
	[PROC_DELIVER] = { "deliver", "CHATJOURNAL_WAKE_DELIVER_FD" },
};

const char *
proc_role_name(enum proc_role role)
{
	return role < PROC_ROLES ? roles[role].name : "unknown";
}

const char *
proc_wake_env(enum proc_role role)
{
	return roles[role].wake;
}

bool
proc_role_parse(const char *name, enum proc_role *out)
{
	for (int r = 0; r < PROC_ROLES; r++) {
		if (strcmp(roles[r].name, name) == 0) {
			*out = (enum proc_role)r;
			return true;
		}
	}
	return false;
}

static int
env_fd(const char *name)
{
	const char *value = getenv(name);
	char *rest;
	long fd;

	if (value == NULL || *value == '\0')
		return -1;
	fd = strtol(value, &rest, 10);
	return *rest == '\0' && fd > 2 && fd < 1 << 20 ? (int)fd : -1;
}

int
proc_conf_fd(void)
{
	return env_fd("CHATJOURNAL_CONF_FD");
}

bool
proc_after_crash(void)
{
	const char *text = getenv("CHATJOURNAL_AFTER_CRASH");

	return text != NULL && strcmp(text, "1") == 0;
}

int
proc_listen_fd(void)
{
	return env_fd("CHATJOURNAL_LISTEN_FD");
}

int
proc_wake_fd(enum proc_role role)
{
	return role < PROC_ROLES ? env_fd(roles[role].wake) : -1;
}

void
proc_wake(enum proc_role role)
{
	int fd = proc_wake_fd(role);
	uint64_t one = 1;

	/* EAGAIN: it has been woken 2^64 times already. */
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		return;
}

void
proc_wake_clear(enum proc_role role)
{
	int fd = proc_wake_fd(role);
	uint64_t count;

	if (fd >= 0 && read(fd, &count, sizeof(count)) < 0)
		return;
}

static void
tell(char byte)
{
	int fd = env_fd("CHATJOURNAL_STATUS_FD");

	/* A full pipe has enough heartbeats in it. */
	if (fd >= 0 && write(fd, &byte, 1) < 0)
		return;
}

void
proc_ready(void)
{
	tell('R');
}

void
proc_heartbeat(void)
{
	static atomic_llong last = INT64_MIN / 2;
	long long now = clock_mono_ms();

	if (now - atomic_load(&last) < BEAT_EVERY_MS)
		return;
	atomic_store(&last, now);
	tell('h');
}

static void
on_stop(int signo)
{
	int saved = errno;
	uint64_t one = 1;
	ssize_t n;

	(void)signo;
	atomic_store(&stopping, true);
	n = write(atomic_load(&stop_fd), &one, sizeof(one));
	(void)n;	/* it fails only when it is readable already */
	errno = saved;
}

/* SA_RESTART: libraries that cannot bear EINTR are woken by poll() alone. */
static bool
handle(int signo, void (*fn)(int))
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = SA_RESTART };

	sigemptyset(&sa.sa_mask);
	return sigaction(signo, &sa, NULL) == 0;
}

bool
proc_signals_catch(struct err *err)
{
	int fd = atomic_load(&stop_fd);

	if (fd < 0)
		fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	atomic_store(&stop_fd, fd);
	if (fd < 0 || !handle(SIGTERM, on_stop) || !handle(SIGINT, on_stop) ||
	    !handle(SIGHUP, SIG_IGN) || !handle(SIGPIPE, SIG_IGN))
		return err_set(err, ERR_TEMP, "proc.signals",
		    "cannot catch signals: %s", err_errno(errno));
	return true;
}

bool
proc_stopping(void)
{
	return atomic_load(&stopping);
}

int
proc_stop_fd(void)
{
	return atomic_load(&stop_fd);
}
