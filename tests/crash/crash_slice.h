/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which calls of a run are tried. To try all takes an hour; make check takes
 * a few, always the same, and make check-crash more, others each time.
 */
#pragma once

struct crash_slice {
	int every;	/* CRASH_EVERY: 1 is all; or usual / CRASH_TIMES */
	int from;	/* CRASH_FROM: any number; what begins elsewhere */
	int only;	/* CRASH_AT: this call alone; 0 */
};

/* From the environment, and told as a comment of TAP. */
struct crash_slice crash_slice(int usual);
/* From 1; each plan has other calls. */
int crash_slice_first(const struct crash_slice *s, int plan);
