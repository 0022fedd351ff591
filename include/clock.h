/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only place that asks the system for the time. Everything else takes
 * the time as an argument: int64_t milliseconds since 1970 UTC, no leap
 * seconds.
 */
#pragma once

#include <stdint.h>

#define CLOCK_RFC5322_SIZE 48
#define CLOCK_ISO_SIZE 32

int64_t clock_now_ms(void);		/* wall clock, may jump */
int64_t clock_mono_ms(void);		/* never goes back; for deadlines */

/* "Tue, 03 Feb 2026 14:05:09 +0000" (RFC 5322 section 3.3), always UTC. */
const char *clock_rfc5322(int64_t ms, char out[CLOCK_RFC5322_SIZE]);
/* "2026-02-03T14:05:09Z", with millis != 0 "2026-02-03T14:05:09.402Z". */
const char *clock_iso(int64_t ms, int millis, char out[CLOCK_ISO_SIZE]);
