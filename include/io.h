/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files: whole reads, and writes that are durable when they return.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

struct err;

/* A local `auto_fd int fd = open(...)` is closed when the scope ends. */
static inline void
io_auto_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define auto_fd __attribute__((cleanup(io_auto_close)))

/*
 * Reads a whole file of at most max_bytes. ERR_CONF "io.open" when it cannot
 * be opened, ERR_PERM "io.size" when larger. The bytes are followed by a NUL
 * that is not counted. *out is owned by the caller.
 */
bool io_file_load(const char *path, size_t max_bytes, GBytes **out,
    struct err *err);

/*
 * The same, and refuses (ERR_CONF "io.secret") a file that others than its
 * owner and group may read or anybody but the owner may write, an empty file,
 * and one that is not regular. One trailing newline is removed.
 */
bool io_secret_load(const char *path, size_t max_bytes, GBytes **out,
    struct err *err);

/* Overwrites and frees it, if nobody else holds it; may be NULL. */
void io_secret_forget(GBytes *secret);

/* Writes all bytes, going on after short writes and EINTR. */
bool io_write_all(int fd, const void *data, size_t len, struct err *err);

/* fsync of a directory, so that a rename in it survives a power cut. */
bool io_dir_sync(const char *dir, struct err *err);

/*
 * Publishes bytes under to_dir/name, all or nothing: written to tmp_dir/name
 * (O_EXCL, mode 0600), fsync, rename, fsync of to_dir. Both directories must
 * be on one file system. If to_dir/name already exists it is replaced by the
 * same bytes, which is harmless as names are derived from content.
 * On failure nothing is visible in to_dir; a leftover in tmp_dir is removed.
 * ERR_TEMP for ENOSPC, EDQUOT, EROFS, EIO; ERR_CONF when a directory is
 * missing or not writable. ERR_UNSURE if only the last fsync failed.
 */
bool io_publish(const char *tmp_dir, const char *to_dir, const char *name,
    const void *data, size_t len, struct err *err);

/* The next piece and its length, or NULL at the end. */
typedef const void *io_piece_fn(void *arg, size_t *len);
/* The same of what is never in memory as a whole. */
bool io_publish_pieces(const char *tmp_dir, const char *to_dir,
    const char *name, io_piece_fn *piece, void *arg, struct err *err);

/* mkdir -p with mode 0700 for what is missing. */
bool io_mkdir_all(const char *path, struct err *err);
