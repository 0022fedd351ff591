/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls by which files get names and bytes one after another: open to
 * create, write, rename. Until its directory is synced a name may be gone
 * after a power cut; the directory's sync makes it stay.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crash_calls.h"

#define CHUNK 65536

/* A name that is not on disk yet. */
struct name {
	struct name *older;
	ino_t dir;
	char *path;
	char *before;	/* what it was renamed from; NULL: created */
	int replaced;	/* what had the name before; -1: nothing */
};

static struct name *names;

static ino_t
dir_of(const char *path)
{
	char *dir = strdup(path), *slash = strrchr(dir, '/');
	struct stat st = { 0 };

	if (slash != NULL)
		*slash = '\0';
	if (stat(slash != NULL ? dir : ".", &st) != 0)
		st.st_ino = 0;
	free(dir);
	return st.st_ino;
}

static int
raw_open(const char *path, int flags)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC,
	    0600);
}

static void
note_name(const char *path, const char *before)
{
	struct name *n;

	if (crash_mode_now() != CRASH_CUT)
		return;
	n = malloc(sizeof(*n));
	n->dir = dir_of(path);
	n->path = strdup(path);
	n->before = before != NULL ? strdup(before) : NULL;
	n->replaced = raw_open(path, O_RDONLY);
	n->older = names;
	names = n;
}

void
crash_names_synced(ino_t dir)
{
	for (struct name **p = &names; *p != NULL; ) {
		if ((*p)->dir == dir)
			*p = (*p)->older;
		else
			p = &(*p)->older;
	}
}

static void
put_back(const struct name *n)
{
	int fd = raw_open(n->path, O_WRONLY | O_CREAT | O_TRUNC);
	char buf[CHUNK];
	ssize_t got;

	while ((got = read(n->replaced, buf, sizeof(buf))) > 0)
		syscall(SYS_write, fd, buf, got);
	close(fd);
}

void
crash_names_undo(void)
{
	for (struct name *n = names; n != NULL; n = n->older) {
		if (n->before != NULL)
			syscall(SYS_renameat2, AT_FDCWD, n->path, AT_FDCWD,
			    n->before, 0);
		else if (n->replaced < 0)
			syscall(SYS_unlinkat, AT_FDCWD, n->path, 0);
		if (n->before != NULL && n->replaced >= 0)
			put_back(n);
	}
}

/* ---- the calls ------------------------------------------------------------- */

int
open64(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if ((flags & O_CREAT) == 0)
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags);
	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	if (crash_is_now()) {
		if (crash_mode_now() == CRASH_FAIL)
			return crash_fail();
		crash_die();
	}
	note_name(path, NULL);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...) __attribute__((alias("open64")));

static bool
is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

ssize_t
write(int fd, const void *data, size_t len)
{
	off_t at;

	if (!is_file(fd))
		return syscall(SYS_write, fd, data, len);
	at = lseek(fd, 0, SEEK_CUR);
	if (crash_is_now()) {
		if (crash_mode_now() == CRASH_FAIL)
			return crash_fail();
		crash_note(fd, at, len);
		syscall(SYS_write, fd, data, len / 2);
		crash_die();
	}
	crash_note(fd, at, len);
	return syscall(SYS_write, fd, data, len);
}

int
rename(const char *from, const char *to)
{
	if (crash_is_now()) {
		if (crash_mode_now() == CRASH_FAIL)
			return crash_fail();
		crash_die();
	}
	note_name(to, from);
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
