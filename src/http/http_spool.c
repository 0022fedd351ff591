/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies that are too large to be kept in memory: into a file without a name
 * while they arrive, mapped for the application once they are whole. The file
 * goes with its request, and with the process. What fails is counted and told
 * to the client as 503; nothing is logged here.
 */
#include "http_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "err.h"
#include "io.h"

bool
http_spool_wanted(const struct http_request *rq, uint64_t len)
{
	const struct http_server *srv = rq->conn->srv;

	return srv->spool != NULL && len > srv->conf.spool_above;
}

static bool
fail(struct http_request *rq, int errnum)
{
	struct http_counts *n = &rq->conn->srv->n;

	atomic_store(&n->spool_errno, errnum);
	atomic_fetch_add(&n->spool_failed, 1);
	http_spool_clear(rq);
	return false;
}

/* NFS and the like know no file that never had a name. */
static int
open_named(const char *dir)
{
	g_autofree char *path = g_build_filename(dir, "http-XXXXXX", NULL);
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd >= 0)
		unlink(path);
	return fd;
}

bool
http_spool_open(struct http_request *rq)
{
	const char *dir = rq->conn->srv->spool;
	int fd = open(dir, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		fd = open_named(dir);
	if (fd < 0)
		return fail(rq, errno);
	rq->spool_fd = fd;
	if (!http_spool_write(rq, rq->body, rq->len))
		return false;
	g_clear_pointer(&rq->body, g_free);
	rq->size = 0;
	return true;
}

bool
http_spool_write(struct http_request *rq, const void *data, size_t n)
{
	errno = 0;
	return n == 0 || io_write_all(rq->spool_fd, data, n, NULL) ||
	    fail(rq, errno);
}

bool
http_spool_map(struct http_request *rq)
{
	void *map;

	if (rq->len == 0)
		return true;
	map = mmap(NULL, rq->len, PROT_READ, MAP_PRIVATE, rq->spool_fd, 0);
	if (map == MAP_FAILED)
		return fail(rq, errno);
	rq->map = map;
	return true;
}

void
http_spool_clear(struct http_request *rq)
{
	if (rq->map != NULL)
		munmap(rq->map, rq->len);
	if (rq->spool_fd >= 0)
		close(rq->spool_fd);
	rq->map = NULL;
	rq->spool_fd = -1;
}
