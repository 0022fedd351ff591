/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories beside the databases, and files in them that are named by
 * their content: "ab/cd/SHA-256". What is visible there is whole and durable.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hash.h"
#include "store.h"

/* Where the directories of a store are. Temporary: made when first asked for. */
struct store_dirs {
	char *top;		/* NULL: temporary, and not made yet */
	bool temporary;
	char *of[STORE_DIRS];	/* by enum store_dir */
};

/* Makes what is missing below top. */
bool store_dirs_make(const char *top, struct err *err);
/* Removes what was temporary. */
void store_dirs_clear(struct store_dirs *d);

/* A file in the spool. */
struct store_spooled {
	const char *path;
	size_t len;
	const uint8_t *sha256;
};
/*
 * Moves it to this directory; *name is its place in there. Durable when it
 * returns. ERR_PERM "store.state" when the file is not in the spool or has
 * another length.
 */
bool store_file_keep(struct store *st, enum store_dir dir,
    const struct store_spooled *from, char **name, struct err *err);
/*
 * The same when an earlier transaction may have moved it, and failed; then
 * *name is NULL if it is in neither place.
 */
bool store_file_keep_again(struct store *st, enum store_dir dir,
    const struct store_spooled *from, char **name, struct err *err);
/* Removes the file, if it is there. */
bool store_file_remove(struct store *st, enum store_dir dir,
    const char *name, struct err *err);
/* Whether there is a file of this length. */
bool store_file_is_there(struct store *st, enum store_dir dir,
    const char *name, int64_t size);

/*
 * Removes files that nobody knows, which a crash can leave. Looks at no more
 * than it can in some seconds, each time beginning somewhere else.
 */
struct store_sweep {
	bool (*is_known)(void *arg, const char *name, bool *known,
	    struct err *err);
	void *arg;
	void (*life)(void *);	/* called about every second; or NULL */
	void *life_arg;
};
bool store_dirs_sweep(const char *top, enum store_dir dir,
    const struct store_sweep *sweep, struct err *err);
/* All in the spool but what is called media-…, which the media role minds. */
void store_dirs_sweep_spool(const char *top);
