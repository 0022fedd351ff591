/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files on their way: created in the spool, read in pieces, published under
 * the name of their content. What is visible in the directory is whole and
 * durable; what fails leaves nothing there.
 */
#include "media_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"

static bool
fail(struct err *err, const char *verb, const char *path)
{
	int e = errno;
	bool temp = e == ENOSPC || e == EDQUOT || e == EROFS || e == EIO ||
	    e == EMFILE || e == ENFILE;

	return err_set(err, temp ? ERR_TEMP : ERR_CONF, "io.publish",
	    "cannot %s %s: %s", verb, path, err_errno(e));
}

char *
media_file_spool(const char *spool, int64_t number, const char *end)
{
	return g_strdup_printf("%s/media-%" PRId64 "%s", spool, number, end);
}

bool
media_file_create(const char *path, int *fd, struct err *err)
{
	/* What a crash left under this name was never published. */
	unlink(path);
	*fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return *fd >= 0 || fail(err, "create", path);
}

bool
media_file_measure(int fd, uint8_t sha256[HASH_SIZE], int64_t *size,
    struct err *err)
{
	return hash_file(fd, sha256, size) ||
	    fail(err, "read", "a downloaded file");
}

/* Each directory is durable before there is something in it. */
static bool
make_dirs(const char *dir, const char *to, struct err *err)
{
	for (const char *slash = strchr(to, '/'); slash != NULL;
	    slash = strchr(slash + 1, '/')) {
		g_autofree char *path = g_strdup_printf("%s/%.*s", dir,
		    (int)(slash - to), to);
		g_autofree char *above = g_path_get_dirname(path);

		if (mkdir(path, 0700) == 0) {
			if (!io_dir_sync(above, err))
				return false;
		} else if (errno != EEXIST) {
			return fail(err, "create directory", path);
		}
	}
	return true;
}

static bool
sync_file(const char *path, struct err *err)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	return (fd >= 0 && fsync(fd) == 0) || fail(err, "sync", path);
}

bool
media_file_publish(const char *from, const char *dir, const char *to,
    bool keep, struct err *err)
{
	g_autofree char *path = g_build_filename(dir, to, NULL);
	g_autofree char *above = g_path_get_dirname(path);

	if (!make_dirs(dir, to, err) || !sync_file(from, err))
		return false;
	/* Names are of the content: what has this name is the same. */
	if (keep && link(from, path) != 0 && errno != EEXIST)
		return fail(err, "link", path);
	if (!keep && rename(from, path) != 0)
		return fail(err, "rename to", path);
	return io_dir_sync(above, err);
}

bool
media_sweep(const char *spool, struct err *err)
{
	DIR *d = opendir(spool);
	const struct dirent *e;

	if (d == NULL)
		return fail(err, "read directory", spool);
	while ((e = readdir(d)) != NULL) {
		g_autofree char *path = g_build_filename(spool, e->d_name,
		    NULL);

		if (g_str_has_prefix(e->d_name, "media-") &&
		    g_str_has_suffix(e->d_name, MEDIA_PART))
			unlink(path);
	}
	closedir(d);
	return true;
}

void
media_drop(const char *spool, int64_t number)
{
	g_autofree char *part = media_file_spool(spool, number, MEDIA_PART);
	g_autofree char *held = media_file_spool(spool, number, MEDIA_HELD);

	unlink(part);
	unlink(held);
}
