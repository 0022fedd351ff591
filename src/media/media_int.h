/* SPDX-License-Identifier: Apache-2.0 */
/* Shared inside media: decisions, names and types, files, the scanner. */
#pragma once

#include <stdatomic.h>

#include "err.h"
#include "graph.h"
#include "media.h"

/* ---- decisions (media_plan.c) --------------------------------------------- */

/* Meta, Cloud API, "Retrieve Media URL": an address is good for 5 minutes. */
#define MEDIA_URL_LIFE_MS 300000
/* Bytes that are not those declared are taken at this try. */
#define MEDIA_TRIES 3

enum media_step {
	STEP_HELD,		/* in the spool: it only waits for a scan */
	STEP_KEPT,		/* the declared digest is in the directory */
	STEP_UPLOAD,		/* it came from here: staff uploaded it */
	STEP_HINT,		/* get it from the webhook's url */
	STEP_FIND, STEP_GET,
	STEP_FIND_AGAIN, STEP_GET_AGAIN,
	STEP_SCAN,
	STEP_KEEP,		/* make it durable under its name */
	STEPS,
	END_KEPT = STEPS,	/* done */
	END_LATER,
	END_CONF,		/* later, when the configuration is mended */
	END_NEVER,
};
enum media_outcome {
	OUT_OK,
	OUT_NONE,		/* this step has nothing to offer */
	OUT_EXPIRED,
	OUT_REFUSED,		/* by this host, or it is no allowed host */
	OUT_DIFFERS,		/* not the declared bytes */
	OUT_LATER,
	OUT_CONF,
	OUT_NEVER,
	OUTCOMES
};
enum media_step media_plan_next(enum media_step step,
    enum media_outcome outcome);
/* What an error of graph.h or io.h is to the plan. */
enum media_outcome media_plan_outcome(const struct err *err);

/* Whether there is a next try, and when: END_LATER or END_CONF. */
struct media_times {
	int64_t at_ms, give_up_ms, now_ms;
	int64_t attempts;	/* this one included */
	int64_t retry_min_ms, retry_max_ms;
	int64_t asked_ms;	/* the other side asked for this wait; 0 */
	uint64_t salt;		/* spreads what failed at one time */
};
bool media_plan_again(const struct media_times *t, int64_t *next_ms);

/* ---- types (media_type.c) --------------------------------------------------- */

/* "Image/JPG; x=y" -> "image/jpeg"; NULL when it is no type. */
char *media_type_plain(const char *type);
/*
 * Whether a file that libmagic takes for sniffed may be called declared
 * (plain ones both; declared may be NULL).
 */
bool media_type_fits(const char *declared, const char *sniffed);
/* The better name of the two for one that fits. */
const char *media_type_best(const char *declared, const char *sniffed);

/* ---- files (media_file.c) --------------------------------------------------- */

bool media_file_measure(int fd, uint8_t sha256[HASH_SIZE], int64_t *size,
    struct err *err);
/* An empty new file to write and read. */
bool media_file_create(const char *path, int *fd, struct err *err);
/*
 * from, synced, becomes dir/to, whose directories are made; durable when it
 * returns. With keep from stays, as another link.
 */
bool media_file_publish(const char *from, const char *dir, const char *to,
    bool keep, struct err *err);
/* "SPOOL/media-NUMBER.END", owned by the caller. */
char *media_file_spool(const char *spool, int64_t number, const char *end);
#define MEDIA_PART ".part"	/* is being fetched */
#define MEDIA_HELD ".held"	/* waits for a scan */

/* ---- the scanner (media_clamd.c) --------------------------------------------- */

enum media_reply { REPLY_CLEAN, REPLY_INFECTED, REPLY_TOO_LARGE, REPLY_ERROR };
/* One reply of clamd without its end. *text: name or error, the caller's. */
enum media_reply media_clamd_parse(const char *reply, size_t len,
    char **text);
/* A path, HOST:PORT or [ADDRESS]:PORT; false: none of them. */
bool media_clamd_address(const char *clamd, char **host, char **port);

struct media_scan {
	const char *clamd;
	int64_t total_ms;
	const atomic_bool *cancelled;
};
/*
 * *verdict: "clean", "infected: NAME", or "unscanned: WHY" where asking again
 * is no use; the caller's. ERR_TEMP media.scan: asking again may help.
 */
bool media_clamd_scan(const struct media_scan *s, int fd, char **verdict,
    struct err *err);

/* ---- how long it plays (media_length.c) ------------------------------------ */

/* Milliseconds of an Ogg or MP4 recording; 0: not known. */
int64_t media_length(int fd, int64_t size);
