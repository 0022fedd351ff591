/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories beside the databases, for what is too large for a row.
 * Knows nothing of what the files are; whoever sweeps says which are known.
 * What fails leaves nothing visible but whole files.
 */
#include "store_dirs.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "io.h"
#include "store_int.h"

#define SWEEP_MS 5000
#define LIFE_MS 1000
#define FAN_OUT 256
#define QUARANTINE "quarantine"
#define OF_MEDIA "media-"

static const char *const names[] = {
	[STORE_DIR_MEDIA] = "media", [STORE_DIR_MAIL] = "mail",
	[STORE_DIR_SPOOL] = "spool", [STORE_DIR_UPLOAD] = "upload",
};

static bool
fail(struct err *err, const char *verb, const char *path)
{
	int e = errno;

	return err_set(err, ERR_TEMP, e == ENOSPC || e == EDQUOT ?
	    "store.full" : e == EROFS || e == EACCES || e == EPERM ?
	    "store.readonly" : "store.io", "cannot %s %s: %s; check space, "
	    "mount and permissions", verb, path, err_errno(e));
}

/* ---- the directories ---------------------------------------------------- */

bool
store_dirs_make(const char *top, struct err *err)
{
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *dir = g_build_filename(top, names[i], NULL);

		if (!io_mkdir_all(dir, err))
			return false;
	}
	return io_dir_sync(top, err);
}

/* Only for a store in memory, which no daemon has: it has to work. */
static void
make_temporary(struct store_dirs *d)
{
	struct err err = ERR_INIT;
	bool ok;

	d->top = g_build_filename(g_get_tmp_dir(), "chatjournal-XXXXXX", NULL);
	ok = mkdtemp(d->top) != NULL && store_dirs_make(d->top, &err);
	assert(ok);
}

const char *
store_dir(struct store *st, enum store_dir which)
{
	struct store_dirs *d = &st->dirs;

	if (d->top == NULL)
		make_temporary(d);
	if (d->of[which] == NULL)
		d->of[which] = g_build_filename(d->top, names[which], NULL);
	return d->of[which];
}

/* All that is below the directory, and the directory. */
static void
remove_tree(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (d == NULL && fd >= 0)
		close(fd);
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, e->d_name, 0) != 0)
			remove_tree(fd, e->d_name);
	}
	if (d != NULL)
		closedir(d);
	unlinkat(parent, name, AT_REMOVEDIR);
}

void
store_dirs_clear(struct store_dirs *d)
{
	if (d->temporary && d->top != NULL)
		remove_tree(AT_FDCWD, d->top);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		g_free(d->of[i]);
	g_free(d->top);
	*d = (struct store_dirs){ 0 };
}

/* ---- one file ------------------------------------------------------------- */

/* One directory, whose name is durable before anything is in it. */
static bool
make_dir(const char *dir, struct err *err)
{
	g_autofree char *above = NULL;

	if (mkdir(dir, 0700) != 0)
		return errno == EEXIST || fail(err, "create", dir);
	above = g_path_get_dirname(dir);
	return io_dir_sync(above, err);
}

static bool
make_place(const char *path, char **dir, struct err *err)
{
	g_autofree char *second = g_path_get_dirname(path);
	g_autofree char *first = g_path_get_dirname(second);

	if (!make_dir(first, err) || !make_dir(second, err))
		return false;
	*dir = g_steal_pointer(&second);
	return true;
}

static bool
sync_spooled(const char *path, size_t len, struct err *err)
{
	auto_fd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return fail(err, "open", path);
	if (!S_ISREG(st.st_mode) || st.st_size != (off_t)len)
		return err_set(err, ERR_PERM, "store.state", "%s is not a file "
		    "of %zu bytes", path, len);
	return fsync(fd) == 0 || fail(err, "sync", path);
}

static bool
is_spooled(struct store *st, const char *path)
{
	g_autofree char *dir = g_path_get_dirname(path);

	return strcmp(dir, store_dir(st, STORE_DIR_SPOOL)) == 0;
}

bool
store_file_keep(struct store *st, enum store_dir dir,
    const struct store_spooled *from, char **name, struct err *err)
{
	g_autofree char *place = hash_path(from->sha256);
	g_autofree char *to = g_build_filename(store_dir(st, dir), place,
	    NULL);
	g_autofree char *above = NULL;

	if (!is_spooled(st, from->path))
		return err_set(err, ERR_PERM, "store.state", "%s is not in the "
		    "spool of the store", from->path);
	if (!sync_spooled(from->path, from->len, err) ||
	    !make_place(to, &above, err))
		return false;
	/* Names are of the content: what is replaced is the same. */
	if (rename(from->path, to) != 0)
		return fail(err, "rename to", to);
	if (!io_dir_sync(above, err))
		return false;
	*name = g_steal_pointer(&place);
	return true;
}

bool
store_file_keep_again(struct store *st, enum store_dir dir,
    const struct store_spooled *from, char **name, struct err *err)
{
	g_autofree char *place = hash_path(from->sha256);
	g_autofree char *to = g_build_filename(store_dir(st, dir), place,
	    NULL);
	g_autofree char *above = g_path_get_dirname(to);

	if (access(from->path, F_OK) == 0 || errno != ENOENT)
		return store_file_keep(st, dir, from, name, err);
	*name = NULL;
	if (!store_file_is_there(st, dir, place, (int64_t)from->len))
		return true;
	/* What failed may have been this. */
	if (!io_dir_sync(above, err))
		return false;
	*name = g_steal_pointer(&place);
	return true;
}

bool
store_file_remove(struct store *st, enum store_dir dir, const char *name,
    struct err *err)
{
	g_autofree char *path = g_build_filename(store_dir(st, dir), name,
	    NULL);

	return unlink(path) == 0 || errno == ENOENT ||
	    fail(err, "remove", path);
}

bool
store_file_is_there(struct store *st, enum store_dir dir, const char *name,
    int64_t size)
{
	g_autofree char *path = g_build_filename(store_dir(st, dir), name,
	    NULL);
	struct stat found;

	return stat(path, &found) == 0 && S_ISREG(found.st_mode) &&
	    found.st_size == size;
}

/* ---- sweeping --------------------------------------------------------------- */

struct sweeping {
	const struct store_sweep *how;
	int64_t until_ms, life_ms;
};

static bool
has_time(struct sweeping *s)
{
	int64_t now = clock_mono_ms();

	if (s->how->life != NULL && now >= s->life_ms) {
		s->how->life(s->how->life_arg);
		s->life_ms = now + LIFE_MS;
	}
	return now < s->until_ms;
}

static bool
is_hex(const char *name, size_t len)
{
	return strlen(name) == len &&
	    strspn(name, "0123456789abcdef") == len;
}

/* The files named by a hash in dir, which is `prefix` for those who know. */
static bool
sweep_files(struct sweeping *s, const char *dir, const char *prefix,
    struct err *err)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	bool ok = true;

	while (ok && d != NULL && (e = readdir(d)) != NULL) {
		g_autofree char *name = NULL, *path = NULL;
		bool known = true;

		if (!is_hex(e->d_name, HASH_SIZE * 2))
			continue;
		name = g_build_filename(prefix, e->d_name, NULL);
		path = g_build_filename(dir, e->d_name, NULL);
		ok = s->how->is_known(s->how->arg, name, &known, err) &&
		    (known || unlink(path) == 0 || fail(err, "remove", path));
	}
	if (d != NULL)
		closedir(d);
	return ok;
}

static bool
sweep_second(struct sweeping *s, const char *first, const char *prefix,
    struct err *err)
{
	DIR *d = opendir(first);
	const struct dirent *e;
	bool ok = true;

	while (ok && d != NULL && has_time(s) && (e = readdir(d)) != NULL) {
		g_autofree char *dir = NULL, *name = NULL;

		if (!is_hex(e->d_name, 2))
			continue;
		dir = g_build_filename(first, e->d_name, NULL);
		name = g_build_filename(prefix, e->d_name, NULL);
		ok = sweep_files(s, dir, name, err);
		/* Succeeds if it is empty. */
		unlinkat(AT_FDCWD, dir, AT_REMOVEDIR);
	}
	if (d != NULL)
		closedir(d);
	return ok;
}

bool
store_dirs_sweep(const char *top, enum store_dir dir,
    const struct store_sweep *sweep, struct err *err)
{
	int64_t now = clock_mono_ms();
	struct sweeping s = { .how = sweep, .until_ms = now + SWEEP_MS };
	g_autofree char *in = g_build_filename(top, names[dir], NULL);
	g_autofree char *away = g_build_filename(in, QUARANTINE, NULL);

	if (!sweep_files(&s, away, QUARANTINE, err))
		return false;
	for (int64_t i = now; i < now + FAN_OUT && has_time(&s); i++) {
		g_autofree char *name = g_strdup_printf("%02x",
		    (unsigned)(i % FAN_OUT));
		g_autofree char *first = g_build_filename(in, name, NULL);

		if (!sweep_second(&s, first, name, err))
			return false;
		unlinkat(AT_FDCWD, first, AT_REMOVEDIR);
	}
	return true;
}

void
store_dirs_sweep_spool(const char *top)
{
	g_autofree char *dir = g_build_filename(top, names[STORE_DIR_SPOOL],
	    NULL);
	DIR *d = opendir(dir);
	const struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		g_autofree char *path = g_build_filename(dir, e->d_name, NULL);

		if (e->d_name[0] != '.' &&
		    !g_str_has_prefix(e->d_name, OF_MEDIA))
			unlink(path);
	}
	if (d != NULL)
		closedir(d);
}
