/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only place that asks the system for the time. Everything else takes
 * the time as an argument: int64_t milliseconds since 1970 UTC, no leap
 * seconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_RFC5322_SIZE 48
#define CLOCK_ISO_SIZE 32

int64_t clock_now_ms(void);		/* wall clock, may jump */
int64_t clock_mono_ms(void);		/* never goes back; for deadlines */

/*
 * What is stored to be done at a time waits in vain when the clock is set back
 * by hours. So no stored time is believed that lies further ahead than the
 * longest wait of its kind: it is due now. Slack for a clock that is corrected
 * now and then, and for what is drawn at random.
 */
#define CLOCK_SLACK_MS 5000
/* Nothing that waits for at most most_ms was put off beyond this time. */
int64_t clock_far_ms(int64_t now_ms, int64_t most_ms);
/* at_ms INT64_MAX: never was a time, and is not far. */
bool clock_is_far(int64_t at_ms, int64_t now_ms, int64_t most_ms);
/* last_ms: when this was asked before; 0: never, so it may have been. */
bool clock_may_be_back(int64_t last_ms, int64_t now_ms);

/* "Tue, 03 Feb 2026 14:05:09 +0000" (RFC 5322 section 3.3), always UTC. */
const char *clock_rfc5322(int64_t ms, char out[CLOCK_RFC5322_SIZE]);
/* "2026-02-03T14:05:09Z", with millis != 0 "2026-02-03T14:05:09.402Z". */
const char *clock_iso(int64_t ms, int millis, char out[CLOCK_ISO_SIZE]);

/*
 * Time zones by IANA name, for showing a time to people; the system's tzdata
 * decides. NULL when there is no such zone. Never freed: one per name.
 */
struct clock_zone;
#define CLOCK_LOCAL_SIZE 48
const struct clock_zone *clock_zone_get(const char *name);
const char *clock_zone_name(const struct clock_zone *zone);
/* "2026-02-03 11:05:09 -03" (offset without minutes when they are 0). */
const char *clock_local(const struct clock_zone *zone, int64_t ms,
    char out[CLOCK_LOCAL_SIZE]);
/* Date and time of day as they are read off a wall there; NULL: UTC. */
struct clock_civil {
	int year, month, day;	/* month and day from 1 */
	int weekday;		/* 0 Monday … 6 Sunday */
	int minute;		/* of the day, 0 … 1439 */
};
void clock_civil(const struct clock_zone *zone, int64_t ms,
    struct clock_civil *out);
/* "2026-02-03", "2026-02-03T14:05:09Z" to milliseconds; -1: neither. */
int64_t clock_parse(const char *text);
