/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mails that are too large for the database: a file each, mapped when its turn
 * has come. Before that its size and SHA-256 are compared with what was
 * rendered, by reading, which gives an error where a mapping gives a signal:
 * what is sent has the bytes that were recorded, or is not sent.
 *
 * If the file is cut short while it is being sent, the role dies of SIGBUS;
 * the next life finds the size wrong here, and the mail waits for a person.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver_int.h"
#include "err.h"
#include "hash.h"
#include "io.h"

static bool refuse(struct deliver_report *r, enum deliver_result result,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Always false. A path may be longer than a reply: the end is cut. */
static bool
refuse(struct deliver_report *r, enum deliver_result result, const char *fmt,
    ...)
{
	va_list ap;

	r->result = result;
	r->code = 0;
	va_start(ap, fmt);
	g_vsnprintf(r->reply, sizeof(r->reply), fmt, ap);
	va_end(ap);
	return false;
}

/* No descriptor, no memory, a disk that fails to read: it may come back. */
static bool
refuse_errno(struct deliver_report *r, const char *verb,
    const struct dlv_job *job)
{
	int e = errno;

	if (e == ENOENT || e == ENOTDIR || e == ELOOP)
		return refuse(r, DELIVER_REJECTED, "the mail's file is "
		    "missing: put it back from a backup and retry it: %s",
		    job->file);
	return refuse(r, DELIVER_DEFERRED, "cannot %s the mail's file: %s: "
	    "%s", verb, err_errno(e), job->file);
}

static bool
check_size(int fd, const struct dlv_job *job, struct deliver_report *r)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return refuse_errno(r, "examine", job);
	if (!S_ISREG(st.st_mode) || st.st_size < 0 ||
	    (size_t)st.st_size != job->mail.len)
		return refuse(r, DELIVER_REJECTED, "the mail's file has %lld "
		    "bytes and not %zu: put it back from a backup and retry "
		    "it: %s", (long long)st.st_size, job->mail.len, job->file);
	return true;
}

static bool
check_hash(int fd, const struct dlv_job *job, struct deliver_report *r)
{
	uint8_t digest[HASH_SIZE];
	int64_t size;

	if (!hash_file(fd, digest, &size))
		return refuse_errno(r, "read", job);
	if (hash_equal(digest, job->sha256, HASH_SIZE))
		return true;
	return refuse(r, DELIVER_REJECTED, "the mail's file is not what was "
	    "rendered (SHA-256 differs): put it back from a backup and retry "
	    "it: %s", job->file);
}

bool
dlv_file_open(struct dlv_job *job, struct deliver_report *report)
{
	auto_fd int fd = -1;
	void *map;

	if (job->file == NULL || job->mail.bytes != NULL)
		return true;
	fd = open(job->file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return refuse_errno(report, "open", job);
	if (!check_size(fd, job, report) || !check_hash(fd, job, report))
		return false;
	map = mmap(NULL, job->mail.len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return refuse_errno(report, "map", job);
	job->mail.bytes = map;
	return true;
}

void
dlv_file_close(struct dlv_job *job)
{
	if (job->file != NULL && job->mail.bytes != NULL)
		munmap((void *)(uintptr_t)job->mail.bytes, job->mail.len);
	if (job->file != NULL)
		job->mail.bytes = NULL;
}
