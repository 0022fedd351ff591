/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a function says why it failed.
 *
 * A function that can fail returns bool and takes a struct err * last. The
 * kind tells the caller what to do; `what` is a stable dotted name that goes
 * into the log; `text` is for a person: the cause, and the remedy if there is
 * one. Nothing in here needs to be freed. Library code never logs an error:
 * it returns it, and the role that called logs it once.
 */
#pragma once

#include <stdbool.h>

enum err_kind {
	ERR_NONE,
	ERR_TEMP,	/* may work later: retry */
	ERR_PERM,	/* will not work: park it, a person must look */
	ERR_CONF,	/* the configuration is wrong: refuse to start */
	ERR_UNSURE,	/* the outcome is unknown; a retry may duplicate */
};

struct err {
	enum err_kind kind;
	char what[24];		/* e.g. "store.busy" */
	char text[488];
};

#define ERR_INIT { .kind = ERR_NONE }

/*
 * Fills *err (which may be NULL) and always returns false, so that a failing
 * function reads: return err_set(err, ERR_TEMP, "store.busy", "...").
 * A text that is too long is cut at a UTF-8 boundary and ends in "...".
 */
bool err_set(struct err *err, enum err_kind kind, const char *what,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Puts "context: " in front of the text that is already in *err; returns false. */
bool err_context(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* "temporary", "permanent", "configuration", "unsure" or "none". */
const char *err_kind_name(enum err_kind kind);

/*
 * The text of an errno value, in a buffer of this thread that the next call
 * overwrites. (strerror is banned: it may share one buffer among threads.)
 */
const char *err_errno(int errnum);
