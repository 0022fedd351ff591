/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers: made in the application's thread, sent by the worker.
 *
 * How an answer gets to the worker is told in http_request.c.
 *
 * Headers may come from another host. None of them can end a header early,
 * say where the message ends, or take the process down: it is left out.
 */
#include "http_framing.h"
#include "http_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TYPE_DEFAULT "text/plain; charset=utf-8"

/* What says how the message is framed, and what libmicrohttpd writes. */
static bool
is_ours(const char *name)
{
	static const char *const names[] = { "Connection", "Content-Length",
		"Content-Type", "Date", "Keep-Alive", "Proxy-Connection", "TE",
		"Trailer", "Transfer-Encoding", "Upgrade" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (g_ascii_strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

static struct MHD_Response *
response_with_type(struct MHD_Response *r, size_t len, const char *type)
{
	if (r == NULL)
		abort();	/* out of memory, as GLib does */
	if (type == NULL)
		type = TYPE_DEFAULT;
	if (len > 0)
		MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE,
		    http_is_field_value(type) && *type != '\0' ? type :
		    "application/octet-stream");
	return r;
}

struct MHD_Response *
http_response_new(const void *body, size_t len, const char *content_type)
{
	/* MHD copies, and wants a pointer that is not const. */
	return response_with_type(MHD_create_response_from_buffer(len,
	    (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY), len,
	    content_type);
}

static void
add_headers(struct MHD_Response *r, const char *const *headers)
{
	for (; headers != NULL && headers[0] != NULL; headers += 2) {
		assert(headers[1] != NULL);
		if (http_is_token(headers[0]) && !is_ours(headers[0]) &&
		    http_is_field_value(headers[1]))
			MHD_add_response_header(r, headers[0], headers[1]);
	}
}

static void
give(struct http_request *rq, int status, struct MHD_Response *r)
{
	struct MHD_Connection *mhd = rq->conn->mhd;
	struct http_server *srv = rq->conn->srv;
	int before;

	assert(status >= 200 && status <= 599);
	atomic_fetch_add(&srv->n.answering, 1);
	if (atomic_load(&srv->draining))
		MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	rq->status = status;
	rq->answer = r;
	before = atomic_exchange(&rq->asked, ASKED_ANSWERED);
	assert(before == ASKED_NOW || before == ASKED_SUSPENDED);
	if (before == ASKED_SUSPENDED)
		MHD_resume_connection(mhd);
	atomic_fetch_sub(&srv->n.answering, 1);
}

void
http_answer(struct http_request *rq, int status, const char *content_type,
    const void *body, size_t len, int retry_after_s)
{
	struct MHD_Response *r = http_response_new(body, len, content_type);

	if (retry_after_s > 0) {
		g_autofree char *text = g_strdup_printf("%d", retry_after_s);

		MHD_add_response_header(r, MHD_HTTP_HEADER_RETRY_AFTER, text);
	}
	give(rq, status, r);
}

void
http_answer_with(struct http_request *rq, int status,
    const char *content_type, const char *const *headers, const void *body,
    size_t len)
{
	struct MHD_Response *r = http_response_new(body, len, content_type);

	add_headers(r, headers);
	give(rq, status, r);
}

/* MHD would wait for the rest of a shorter one until the deadline. */
static bool
is_so_long(int fd, size_t len)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_size >= 0 &&
	    (uint64_t)st.st_size >= len;
}

void
http_answer_file(struct http_request *rq, int status,
    const char *content_type, const char *const *headers, int fd, size_t len)
{
	static const char sorry[] = "the file is not there as a whole\n";
	struct MHD_Response *r;

	if (!is_so_long(fd, len)) {
		if (fd >= 0)
			close(fd);
		http_answer(rq, MHD_HTTP_INTERNAL_SERVER_ERROR, NULL, sorry,
		    sizeof(sorry) - 1, 0);
		return;
	}
	r = response_with_type(MHD_create_response_from_fd64(len, fd), len,
	    content_type);
	add_headers(r, headers);
	give(rq, status, r);
}
