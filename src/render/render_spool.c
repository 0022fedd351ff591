/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finished messages, in memory or in a file of the spool.
 *
 * What is in files goes from there to the spool in chunks: whatever the size
 * of a message, only some chunks of it are in memory. Files are read as they
 * were when they were taken: when one is shorter, or its digest is another,
 * the message is not made. A message that fails leaves nothing behind.
 */
#include "render_int.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "io.h"

/* Larger messages are written to a file, if there is a spool. */
#define MEMORY_MAX (256 << 10)
#define CHUNK (1024 * RENDER_BASE64_LINE)
#define BUFFER (128 << 10)	/* of a file; more than a chunk encoded */

struct sink {
	char *bytes;		/* all of it, or what is not yet in the file */
	size_t used;
	int fd;			/* -1: in memory */
	char *path;
	struct hash *hash;	/* of what is in the file */
	int64_t len;
	void (*alive)(void);
};

static bool
sink_open(struct sink *s, const struct render *r, const char *spool,
    int64_t size, struct err *err)
{
	memset(s, 0, sizeof(*s));
	s->fd = -1;
	s->len = size;
	s->alive = r->alive;
	if (spool == NULL) {
		s->bytes = g_malloc((size_t)size);
		return true;
	}
	s->path = g_build_filename(spool, "mail.XXXXXX", NULL);
	s->fd = mkostemp(s->path, O_CLOEXEC);
	if (s->fd < 0) {
		err_set(err, ERR_TEMP, "io.create", "cannot write a mail into "
		    "%s: %s", spool, err_errno(errno));
		g_clear_pointer(&s->path, g_free);
		return false;
	}
	s->bytes = g_malloc(BUFFER);
	s->hash = hash_new();
	return true;
}

static bool
sink_flush(struct sink *s, struct err *err)
{
	if (s->alive != NULL)
		s->alive();
	if (s->fd < 0)
		return true;
	hash_update(s->hash, s->bytes, s->used);
	if (!io_write_all(s->fd, s->bytes, s->used, err)) {
		if (err != NULL)
			err->kind = ERR_TEMP;
		return err_context(err, "%s", s->path);
	}
	s->used = 0;
	return true;
}

/* NULL: it shall be in memory. */
static const char *
spool_for(const struct render *r, int64_t size, bool is_of_many)
{
	return is_of_many || size > MEMORY_MAX ? r->spool : NULL;
}

/* Room for len more bytes, at most BUFFER. */
static char *
sink_room(struct sink *s, size_t len, struct err *err)
{
	if (s->fd >= 0 && s->used + len > BUFFER && !sink_flush(s, err))
		return NULL;
	return s->bytes + s->used;
}

static bool
sink_put(struct sink *s, const char *data, size_t len, struct err *err)
{
	while (len > 0) {
		size_t n = s->fd < 0 ? len : MIN(len, BUFFER);
		char *to = sink_room(s, n, err);

		if (to == NULL)
			return false;
		memcpy(to, data, n);
		s->used += n;
		data += n;
		len -= n;
	}
	return true;
}

/* Takes the sink's memory or file over; failed: nothing stays. */
static bool
sink_close(struct sink *s, struct rendered *out, struct err *err)
{
	if (!sink_flush(s, err))
		return false;
	out->len = (size_t)s->len;
	if (s->fd < 0) {
		hash_sha256(s->bytes, s->used, out->sha256);
		out->bytes = g_bytes_new_take(g_steal_pointer(&s->bytes),
		    s->used);
		return true;
	}
	if (close(s->fd) != 0) {
		s->fd = -1;
		return err_set(err, ERR_TEMP, "io.write", "%s: %s", s->path,
		    err_errno(errno));
	}
	s->fd = -1;
	hash_final(g_steal_pointer(&s->hash), out->sha256);
	out->path = g_steal_pointer(&s->path);
	return true;
}

static void
sink_clear(struct sink *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->path != NULL)
		unlink(s->path);
	if (s->hash != NULL)
		hash_final(s->hash, NULL);
	g_free(s->path);
	g_free(s->bytes);
}

/* --- files --- */

static bool
open_file(const char *path, int *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int e = errno;

	if (fd < 0) {
		err_set(err, ERR_TEMP, "io.open", "%s: %s", path,
		    err_errno(e));
		errno = e;
		return false;
	}
	*out = fd;
	return true;
}

/* Exactly len bytes from at. */
static bool
read_at(int fd, const char *path, char *to, size_t len, int64_t at,
    struct err *err)
{
	while (len > 0) {
		ssize_t n = pread(fd, to, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_TEMP, "io.read", "%s: %s",
			    path, err_errno(errno));
		if (n == 0)
			return err_set(err, ERR_TEMP, "io.short", "%s is "
			    "shorter than when it was taken", path);
		to += n;
		len -= (size_t)n;
		at += n;
	}
	return true;
}

/* --- pieces --- */

static bool
put_encoded(struct sink *s, const char *data, size_t len, bool is_last,
    struct err *err)
{
	char *to = sink_room(s, (size_t)render_base64_len((int64_t)len) + 2,
	    err);

	if (to == NULL)
		return false;
	s->used += (size_t)(render_base64(to, data, len, is_last) - to);
	return true;
}

static bool
changed(const char *path, struct err *err)
{
	return err_set(err, ERR_PERM, "render.file", "%s is lost, or not what "
	    "it was when it was taken; restore it, then render the turn again",
	    path);
}

/* Slices are written in their order, so that the whole is hashed by them. */
static bool
check_digest(const struct render_piece *p, const char *data, size_t len,
    struct err *err)
{
	struct render_file *f = p->file;
	uint8_t digest[HASH_SIZE];

	if (f->hash == NULL)
		f->hash = hash_new();
	hash_update(f->hash, data, len);
	f->hashed += (int64_t)len;
	if (f->hashed < f->size)
		return true;
	hash_final(g_steal_pointer(&f->hash), digest);
	return memcmp(digest, f->sha256, HASH_SIZE) == 0 ||
	    changed(p->path, err);
}

static bool
check_size(int fd, const struct render_piece *p, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_set(err, ERR_TEMP, "io.read", "%s: %s", p->path,
		    err_errno(errno));
	return st.st_size == p->file->size || changed(p->path, err);
}

/* One that is lost comes back only if a person brings it. */
static bool
open_piece(const struct render_piece *p, int *fd, struct err *err)
{
	if (open_file(p->path, fd, err))
		return check_size(*fd, p, err);
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ?
	    changed(p->path, err) : false;
}

static bool
put_file(struct sink *s, const struct render_piece *p, struct err *err)
{
	g_autofree char *chunk = g_malloc(CHUNK);
	auto_fd int fd = -1;

	if (!open_piece(p, &fd, err))
		return false;
	for (int64_t at = 0; at < p->len; at += CHUNK) {
		size_t n = (size_t)MIN(p->len - at, CHUNK);

		if (!read_at(fd, p->path, chunk, n, p->offset + at, err) ||
		    !check_digest(p, chunk, n, err) ||
		    !put_encoded(s, chunk, n, at + CHUNK >= p->len, err))
			return false;
	}
	return true;
}

static bool
put_memory(struct sink *s, const struct render_piece *p, struct err *err)
{
	const char *data = p->data;

	for (int64_t at = 0; at < p->len; at += CHUNK) {
		size_t n = (size_t)MIN(p->len - at, CHUNK);

		if (!put_encoded(s, data + p->offset + at, n,
		    at + CHUNK >= p->len, err))
			return false;
	}
	return true;
}

/* The marks are in the order of the pieces, and nowhere else. */
static bool
put_frame(struct sink *s, const struct render_frame *f, struct err *err)
{
	const char *p = f->bytes->str, *end = p + f->bytes->len;
	size_t mark_len = strlen(f->mark);

	for (guint i = 0; i < f->pieces->len; i++) {
		const struct render_piece *piece = &g_array_index(f->pieces,
		    struct render_piece, i);
		const char *mark = memmem(p, (size_t)(end - p), f->mark,
		    mark_len);

		assert(mark != NULL);
		if (!sink_put(s, p, (size_t)(mark - p), err) ||
		    !(piece->data != NULL ? put_memory : put_file)(s, piece,
		    err))
			return false;
		p = mark + mark_len;
	}
	return sink_put(s, p, (size_t)(end - p), err);
}

bool
render_frame_write(const struct render *r, const struct render_frame *f,
    struct rendered *out, struct err *err)
{
	struct sink s;
	bool ok = sink_open(&s, r, spool_for(r, f->size, f->is_of_many), f->size,
	    err) &&
	    put_frame(&s, f, err) && sink_close(&s, out, err);

	sink_clear(&s);
	return ok;
}

static bool
put_message(struct sink *s, const struct rendered *m, struct err *err)
{
	g_autofree char *chunk = NULL;
	auto_fd int fd = -1;

	if (m->bytes != NULL)
		return sink_put(s, g_bytes_get_data(m->bytes, NULL),
		    g_bytes_get_size(m->bytes), err);
	if (!open_file(m->path, &fd, err))
		return false;
	chunk = g_malloc(CHUNK);
	for (size_t at = 0; at < m->len; at += CHUNK) {
		size_t n = MIN(m->len - at, CHUNK);

		if (!read_at(fd, m->path, chunk, n, (int64_t)at, err) ||
		    !sink_put(s, chunk, n, err))
			return false;
	}
	return true;
}

bool
render_around(const struct render *r, const char *head,
    const struct rendered *inner, const char *tail, struct rendered *out,
    struct err *err)
{
	size_t before = strlen(head), after = strlen(tail);
	int64_t size = (int64_t)(before + inner->len + after);
	struct sink s;
	bool ok = sink_open(&s, r, spool_for(r, size, inner->path != NULL), size,
	    err) &&
	    sink_put(&s, head, before, err) && put_message(&s, inner, err) &&
	    sink_put(&s, tail, after, err) && sink_close(&s, out, err);

	sink_clear(&s);
	return ok;
}

void
rendered_clear(struct rendered *r)
{
	g_clear_pointer(&r->message_id, g_free);
	g_clear_pointer(&r->subject, g_free);
	g_clear_pointer(&r->bytes, g_bytes_unref);
	if (r->path != NULL)
		unlink(r->path);
	g_clear_pointer(&r->path, g_free);
}

void
rendered_free(struct rendered *r)
{
	rendered_clear(r);
	g_free(r);
}
