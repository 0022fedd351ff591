/* SPDX-License-Identifier: Apache-2.0 */
/* A clamd of a few lines in a thread: it says what the test wants it to. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "hash.h"

enum clamd_habit {
	CLAMD_ANSWERS,		/* when it has the whole file */
	CLAMD_DRIPS,		/* the same, a byte at a time */
	CLAMD_HASTY,		/* when it has the first chunk, and closes */
	CLAMD_HANGS,		/* reads everything, says nothing */
	CLAMD_DEAF,		/* reads nothing */
	CLAMD_CLOSES,		/* when it has the whole file */
};

struct clamd_peer {
	char *path;		/* of its socket */
	enum clamd_habit habit;
	const char *reply;	/* without its NUL */
	atomic_int calls;
	int64_t bytes;		/* of the last file */
	uint8_t sha256[HASH_SIZE];

	int fd, stop[2];
	pthread_t thread;
};

void clamd_peer_start(struct clamd_peer *p, const char *dir);
void clamd_peer_stop(struct clamd_peer *p);
