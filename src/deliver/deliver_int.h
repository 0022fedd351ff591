/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this module share. The order of calls for one session is
 * in deliver_esmtp.c and deliver_curl.c.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver.h"

struct err;
struct sockaddr;

/* deliver_mail.c: is a mail fit for the wire, and what to say about it. */

struct deliver_fit {
	int64_t wire_len;	/* with dots doubled and the final dot */
	bool eight_bit;
};

/* What the transport does to header fields. */
enum deliver_header { DELIVER_HEADER_KEPT, DELIVER_HEADER_ESMTP };

bool deliver_fit_check(const struct deliver_mail *mail,
    enum deliver_header header, struct deliver_fit *fit, struct err *err);

/*
 * A way through the bytes of a mail. Of one that is mapped, what lies behind
 * is given back a piece at a time: it stays in the page cache, and is not
 * counted as this process's memory.
 */
#define DELIVER_PIECE ((size_t)1 << 20)

struct deliver_way {
	const struct deliver_mail *mail;
	size_t at;		/* of the next piece */
	size_t gone;		/* given back up to here */
};

void deliver_way_start(struct deliver_way *w, const struct deliver_mail *mail);
/* All of what is not mapped; NULL at the end. */
const char *deliver_way_next(struct deliver_way *w, size_t *len);
/* What lies before this offset is not read again on this way. */
void deliver_way_pass(struct deliver_way *w, size_t offset);

/*
 * Cleans text (any bytes, may be NULL) and cuts it at a character. Of what is
 * rejected for its size the remedy is added.
 */
#define DELIVER_SIZE_REMEDY " (raise the relay's limit and retry it, or it " \
	"stays; with a smaller max_size of the journal larger mails are split)"
void deliver_report_set(struct deliver_report *r, enum deliver_result result,
    int code, const char *text);

/* Takes mails until one is fit; reports the others as rejected. */
const struct deliver_mail *deliver_feed_take(const struct deliver_feed *feed,
    int64_t wait_ms, enum deliver_header header, struct deliver_fit *fit);

/* deliver_net.c: addresses and connections. */

/* May clear text go there: this host itself, or a trusted network? */
bool deliver_net_trusts(const struct sockaddr *sa, const GPtrArray *trusted);

/* The error for an address that is not trusted; always false. */
bool deliver_net_refuse(const struct deliver_relay *relay,
    const struct sockaddr *sa, struct err *err);

/* A connected socket, only to where clear text may go. */
bool deliver_net_connect(const struct deliver_relay *relay, int *out,
    struct err *err);

/* Something to read, or the end, when nothing was asked: do not use it. */
bool deliver_net_is_stale(int fd);

/* Bytes that the peer has acknowledged; 0 if the system does not say. */
int64_t deliver_net_acked(int fd);

/* deliver_connect.c: the seam under libesmtp's connect(). */

/* Does a foreign library that calls connect() reach ours? */
bool deliver_seam_works(void);

/*
 * The next connect() of this thread, once, makes its socket another name of
 * sock instead of connecting. -1 takes it back; true if it was not used.
 */
bool deliver_seam_set(int sock);

/* deliver_guard.c: total deadlines by a thread of its own. */

struct deliver_guard {
	int fd;			/* not closed by the guard */
	int64_t deadline_ms;	/* clock_mono_ms(); INT64_MAX: none */
	bool fired;
};

void deliver_guard_add(struct deliver_guard *g, int fd, int64_t deadline_ms);
void deliver_guard_set(struct deliver_guard *g, int64_t deadline_ms);
bool deliver_guard_fired(struct deliver_guard *g);
void deliver_guard_remove(struct deliver_guard *g);

/* deliver_wire.c: what goes over a libesmtp connection, watched. */

struct deliver_wire {
	int64_t asked, answered;	/* replies */
	bool broken;		/* more answers than questions, or BDAT */
	int64_t mails;		/* MAIL commands */
	bool at_line_start;	/* of a command */
	bool quitting;		/* the reply to QUIT explains nothing */
	size_t keyword;		/* how much of CHUNKING was met */
	int code;		/* of the last whole reply line */
	GString *line;		/* being read */
	GString *last;		/* whole */
};

void deliver_wire_init(struct deliver_wire *w);
void deliver_wire_clear(struct deliver_wire *w);
void deliver_wire_sent(struct deliver_wire *w, const char *buf, size_t len);
void deliver_wire_received(struct deliver_wire *w, char *buf, size_t len);

/* The two transports. */
bool deliver_esmtp_session(const struct deliver_relay *relay,
    const struct deliver_feed *feed, struct err *err);
bool deliver_curl_session(const struct deliver_relay *relay,
    const struct deliver_feed *feed, struct err *err);
void deliver_curl_init(void);
