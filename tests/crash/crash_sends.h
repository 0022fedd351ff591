/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's part of crash_store: sends are journaled before they go. */
#pragma once

#include "err.h"
#include "store.h"

#define CRASH_SENDS 64

/* What the process that dies had been told; shared with the one that checks. */
struct crash_sends {
	int64_t asked, uploads, records;
	uint8_t gone[CRASH_SENDS];	/* how often each went to the network */
	bool ended[CRASH_SENDS];	/* its outcome was committed */
};

/* Two sends and an upload, as the gateway does it. */
void crash_sends_pass(struct store *gateway, struct crash_sends *told);
/* Build reads the records. */
void crash_sends_file(struct store *build);
/* As at the gateway's start: what may have gone is unknown. Then all is
 * checked; *broken says what is wrong. */
bool crash_sends_check(const char *uri, const struct crash_sends *told,
    const char **broken, struct err *err);
