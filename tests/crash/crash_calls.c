/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replaces the system calls that change files. For a power cut it notes, for
 * each write, what was there before; a sync forgets the notes of its file; at
 * the cut the remaining ones are undone, last first.
 */
#include "crash_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static enum crash_mode mode;
static int target, calls;
static bool held;

void
crash_arm(enum crash_mode m, int at)
{
	mode = m;
	target = at;
	calls = 0;
}

void
crash_hold(bool hold)
{
	held = hold;
}

int
crash_calls(void)
{
	return calls;
}

/* ---- what a power cut undoes ------------------------------------------- */

struct note {
	struct note *older;
	int fd;			/* our own: SQLite may close its */
	ino_t ino;
	off_t at, old_size;
	size_t len;
	char old[];
};

static struct note *notes;

static int
own_fd(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDWR | O_CLOEXEC);
}

static bool
is_cut(void)
{
	return !held && (mode == CRASH_CUT || mode == CRASH_NAMES);
}

void
crash_note(int fd, off_t at, size_t len)
{
	struct stat st;
	struct note *n;
	ssize_t got;

	if (!is_cut() || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return;
	n = malloc(sizeof(*n) + len);
	n->ino = st.st_ino;
	n->fd = own_fd(fd);
	n->at = at;
	n->old_size = st.st_size;
	got = pread(n->fd, n->old, len, at);
	n->len = got > 0 ? (size_t)got : 0;
	n->older = notes;
	notes = n;
}

static void
forget_notes(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return;
	for (struct note **p = &notes; *p != NULL; ) {
		if ((*p)->ino == st.st_ino)
			*p = (*p)->older;
		else
			p = &(*p)->older;
	}
	if (S_ISDIR(st.st_mode) && crash_names_synced != NULL)
		crash_names_synced(st.st_ino);
}

static void
undo_notes(void)
{
	for (struct note *n = notes; n != NULL; n = n->older) {
		syscall(SYS_pwrite64, n->fd, n->old, n->len, n->at);
		syscall(SYS_ftruncate, n->fd, n->old_size);
	}
}

/* ---- the moment -------------------------------------------------------- */

enum crash_mode
crash_mode_now(void)
{
	return held ? CRASH_NEVER : mode;
}

bool
crash_is_now(void)
{
	return mode != CRASH_NEVER && !held && ++calls == target;
}

void
crash_die(void)
{
	if (is_cut())
		undo_notes();
	if (mode == CRASH_CUT && crash_names_undo != NULL)
		crash_names_undo();
	_exit(CRASH_EXIT);
}

int
crash_fail(void)
{
	errno = target % 2 == 0 ? ENOSPC : EIO;
	return -1;
}

/* ---- the calls --------------------------------------------------------- */

ssize_t
pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	if (crash_is_now()) {
		if (mode == CRASH_FAIL)
			return crash_fail();
		/* A torn write; a cut undoes it, or not if it was synced. */
		crash_note(fd, at, len);
		syscall(SYS_pwrite64, fd, data, len / 2, at);
		crash_die();
	}
	crash_note(fd, at, len);
	return syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
	return pwrite64(fd, data, len, at);
}

static int
sync_file(int fd)
{
	if (crash_is_now()) {
		if (mode == CRASH_FAIL)
			return crash_fail();
		crash_die();
	}
	forget_notes(fd);
	return 0;
}

int
fsync(int fd)
{
	return sync_file(fd);
}

int
fdatasync(int fd)
{
	return sync_file(fd);
}

int
ftruncate64(int fd, off64_t size)
{
	struct stat st;

	if (crash_is_now()) {
		if (mode == CRASH_FAIL)
			return crash_fail();
		crash_die();
	}
	if (fstat(fd, &st) == 0)
		crash_note(fd, size, st.st_size > size ?
		    (size_t)(st.st_size - size) : 0);
	return (int)syscall(SYS_ftruncate, fd, size);
}

int
ftruncate(int fd, off_t size)
{
	return ftruncate64(fd, size);
}

int
unlink(const char *path)
{
	if (crash_is_now()) {
		if (mode == CRASH_FAIL)
			return crash_fail();
		crash_die();
	}
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
