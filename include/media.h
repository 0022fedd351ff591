/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file of a message, from its id to a verified, scanned, durable file:
 * what to ask next, what to believe, when to try again. No store, no log.
 *
 * Files are named by their content (hash_path()), below two levels of
 * directories, written durably before anybody is told of them. The same
 * bytes are kept once. Nothing is ever run or unpacked here.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hash.h"

struct err;
struct graph;
struct media;

enum media_infected { MEDIA_TAG, MEDIA_QUARANTINE };

/* graph, dir and spool may be NULL where only media_inspect() is used. */
struct media_conf {
	struct graph *graph;		/* borrowed */
	const char *dir;		/* of the files; must exist */
	const char *spool;		/* on the same file system; must exist */
	int64_t max_bytes;
	int64_t give_up_ms;		/* after the event's time */
	int64_t retry_min_ms, retry_max_ms;
	const char *clamd;		/* "/run/clamav/clamd.ctl", "127.0.0.1:3310";
					   NULL: no scan */
	enum media_infected infected;
	int64_t scan_wait_ms;
	int64_t scan_total_ms;		/* one scan */
};

/* What is wanted; all strings may be NULL but id. */
struct media_want {
	int64_t number;			/* names it in the spool: no other want
					   under work may have the same */
	const char *id, *url, *mime_type, *sha256, *phone_number_id;
	int64_t at_ms;			/* when the event came (a history has
					   old messages, but new ids) */
	int64_t attempts;		/* failures so far */
	int64_t first_ms;		/* of the first attempt; 0: this one */
	/* A file that staff uploaded, at hand: it is linked, and judged as if
	   it had been downloaded. NULL, or no link: it is asked for. */
	const char *upload_path;	/* absolute */
};

#define MEDIA_INFECTED "infected: "

enum media_state {
	MEDIA_FETCHED,		/* path, sha256, size, type, verdict are set */
	MEDIA_QUARANTINED,	/* the same; path is in the quarantine */
	MEDIA_UNAVAILABLE,	/* final: reason */
	MEDIA_RETRY,		/* next_ms, reason */
};

struct media_result {
	enum media_state state;
	char *path;		/* relative to dir */
	uint8_t sha256[HASH_SIZE];
	int64_t size;
	char *type;		/* by its bytes (libmagic), or the declared name
				   of the same: .docx is a zip; never NULL when
				   fetched: application/octet-stream at least */
	bool hash_differs;	/* after several tries the bytes still are not
				   those declared: kept all the same, and said */
	bool type_differs;	/* declared as another type */
	int64_t length_ms;	/* of a recording; 0: not known */
	char *verdict;		/* "clean", MEDIA_INFECTED "NAME",
				   "unscanned: WHY";
				   NULL without a scanner */
	char *reason;		/* for a person: cause, and remedy if any */
	char what[24];		/* of the failure: "graph.auth" … for the log:
				   those of graph.h and io.h, media.differs,
				   media.scan, media.stopped */
	int64_t next_ms;
	bool is_conf;		/* nobody's file will come before the
				   configuration (token, CA) is mended */
};
void media_result_clear(struct media_result *r);

bool media_new(const struct media_conf *conf, struct media **out,
    struct err *err);
void media_free(struct media *m);
/*
 * Every media_fetch() under way ends soon (RETRY, media.stopped); so does
 * every later one. From any thread.
 */
void media_cancel(struct media *m);

/*
 * One try, in the calling thread; several threads may run it at once. Never
 * fails: what went wrong is in the result.
 *  - declared SHA-256 of a file that is there already: nothing is fetched;
 *  - the url of the webhook first while it is fresh (5 min after the event),
 *    then one asked for by id; an expired one is asked for again once;
 *  - base64 and hex digests alike; what Meta's answer declares counts when
 *    the webhook declared none;
 *  - only time, too many bytes, or an id that is none make it final: Meta
 *    says "not there" also of files that the token may not see;
 *  - a file whose scanner does not answer stays in the spool: it is not
 *    fetched again.
 */
void media_fetch(struct media *m, const struct media_want *want,
    int64_t now_ms, struct media_result *out);

/*
 * A file that is at hand already (chatjournal render --media) in the same
 * way: hashed, sniffed, compared; not scanned, not copied: path is absolute.
 */
bool media_inspect(struct media *m, const struct media_want *want,
    const char *path, struct media_result *out, struct err *err);

/*
 * Scans a file at hand: "clean", MEDIA_INFECTED "NAME", "unscanned: WHY" also
 * when the scanner cannot be reached within total_ms. Owned by the caller.
 */
char *media_scan(const char *clamd, const char *path, int64_t total_ms);

/* Removes unfinished downloads of a former life from the spool. */
bool media_sweep(const char *spool, struct err *err);
/* Removes what the spool holds of a want that is not tried any more. */
void media_drop(const char *spool, int64_t number);
