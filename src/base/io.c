/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole-file reads and durable writes. A failure leaves nothing visible.
 */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "err.h"

static enum err_kind
kind_of(int errnum)
{
	switch (errnum) {
	case ENOSPC:
	case EDQUOT:
	case EROFS:
	case EIO:
	case ENFILE:
	case EMFILE:
		return ERR_TEMP;
	default:
		return ERR_CONF;
	}
}

static bool
fail(struct err *err, const char *what, const char *verb, const char *path)
{
	int e = errno;

	return err_set(err, kind_of(e), what, "cannot %s %s: %s", verb, path,
	    err_errno(e));
}

static bool
read_all(int fd, const char *path, size_t max_bytes, GBytes **out,
    struct err *err)
{
	g_autoptr(GString) buf = g_string_sized_new(4096);
	char chunk[65536];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(err, "io.read", "read", path);
		if (buf->len + (size_t)n > max_bytes)
			return err_set(err, ERR_PERM, "io.size",
			    "%s is larger than %zu bytes", path, max_bytes);
		g_string_append_len(buf, chunk, n);
	}
	*out = g_string_free_to_bytes(g_steal_pointer(&buf));
	return true;
}

bool
io_file_load(const char *path, size_t max_bytes, GBytes **out, struct err *err)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		int e = errno;
		return err_set(err, ERR_CONF, "io.open", "cannot open %s: %s",
		    path, err_errno(e));
	}
	return read_all(fd, path, max_bytes, out, err);
}

static bool
check_secret(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fail(err, "io.secret", "examine", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONF, "io.secret",
		    "%s is not a regular file", path);
	if ((st.st_mode & 07) != 0 || (st.st_mode & 020) != 0)
		return err_set(err, ERR_CONF, "io.secret",
		    "%s holds a secret but has mode %04o; run: chmod 0640 %s",
		    path, (unsigned)(st.st_mode & 07777), path);
	return true;
}

bool
io_secret_load(const char *path, size_t max_bytes, GBytes **out,
    struct err *err)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	g_autoptr(GBytes) all = NULL;
	const char *data;
	gsize len;

	if (fd < 0) {
		int e = errno;
		return err_set(err, ERR_CONF, "io.open", "cannot open %s: %s",
		    path, err_errno(e));
	}
	if (!check_secret(fd, path, err) ||
	    !read_all(fd, path, max_bytes, &all, err))
		return false;
	data = g_bytes_get_data(all, &len);
	if (len > 0 && data[len - 1] == '\n')
		len--;
	if (len > 0 && data[len - 1] == '\r')
		len--;
	if (len == 0)
		return err_set(err, ERR_CONF, "io.secret",
		    "%s is empty; put the secret into it", path);
	/* A copy, so that the byte after the secret is a NUL. */
	char *copy = g_malloc(len + 1);
	memcpy(copy, data, len);
	copy[len] = '\0';
	*out = g_bytes_new_take(copy, len);
	return true;
}

void
io_secret_forget(GBytes *secret)
{
	gpointer data;
	gsize len;

	if (secret == NULL)
		return;
	data = g_bytes_unref_to_data(secret, &len);
	explicit_bzero(data, len);
	g_free(data);
}

bool
io_write_all(int fd, const void *data, size_t len, struct err *err)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int e = errno;
			return err_set(err, kind_of(e), "io.write",
			    "cannot write: %s", err_errno(e));
		}
		p += n;
		len -= (size_t)n;
	}
	return true;
}

bool
io_dir_sync(const char *dir, struct err *err)
{
	auto_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		return fail(err, "io.sync", "sync directory", dir);
	return true;
}

static bool
write_pieces(int fd, io_piece_fn *piece, void *arg, struct err *err)
{
	const void *data;
	size_t len;

	while ((data = piece(arg, &len)) != NULL)
		if (!io_write_all(fd, data, len, err))
			return false;
	return true;
}

static bool
write_tmp(const char *tmp, io_piece_fn *piece, void *arg, struct err *err)
{
	int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0)
		return fail(err, "io.publish", "create", tmp);
	ok = write_pieces(fd, piece, arg, err) || err_context(err, "%s", tmp);
	if (ok && fsync(fd) != 0)
		ok = fail(err, "io.publish", "sync", tmp);
	if (close(fd) != 0 && ok)
		ok = fail(err, "io.publish", "close", tmp);
	return ok;
}

struct whole {
	const void *data;
	size_t len;
};

static const void *
give_whole(void *arg, size_t *len)
{
	struct whole *w = arg;
	const void *data = w->data;

	*len = w->len;
	w->data = NULL;
	return data;
}

bool
io_publish(const char *tmp_dir, const char *to_dir, const char *name,
    const void *data, size_t len, struct err *err)
{
	struct whole w = { len > 0 ? data : NULL, len };

	return io_publish_pieces(tmp_dir, to_dir, name, give_whole, &w, err);
}

bool
io_publish_pieces(const char *tmp_dir, const char *to_dir, const char *name,
    io_piece_fn *piece, void *arg, struct err *err)
{
	g_autofree char *tmp = g_build_filename(tmp_dir, name, NULL);
	g_autofree char *to = g_build_filename(to_dir, name, NULL);

	/* What a crash left behind under this name was never published. */
	unlink(tmp);
	if (!write_tmp(tmp, piece, arg, err)) {
		unlink(tmp);
		return false;
	}
	if (rename(tmp, to) != 0) {
		fail(err, "io.publish", "rename to", to);
		unlink(tmp);
		return false;
	}
	if (!io_dir_sync(to_dir, err)) {
		if (err != NULL)
			err->kind = ERR_UNSURE;
		return false;
	}
	return true;
}

bool
io_mkdir_all(const char *path, struct err *err)
{
	if (g_mkdir_with_parents(path, 0700) != 0)
		return fail(err, "io.mkdir", "create directory", path);
	return true;
}
