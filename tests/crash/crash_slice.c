/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads from the environment which calls are tried. What is no number counts
 * as not set.
 */
#include "crash_slice.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/param.h>

#define APART 5		/* the first calls of two plans */
#define NO_OTHER (1 << 29)

static int
number_of(const char *name, int least, int otherwise)
{
	const char *wish = getenv(name);
	int n = wish != NULL ? (int)(strtoul(wish, NULL, 10) % NO_OTHER) : 0;

	return n >= least ? n : otherwise;
}

struct crash_slice
crash_slice(int usual)
{
	int times = number_of("CRASH_TIMES", 1, 1);
	struct crash_slice s = {
		.every = number_of("CRASH_EVERY", 1, MAX(1, usual / times)),
		.from = number_of("CRASH_FROM", 0, 0),
		.only = number_of("CRASH_AT", 1, 0),
	};

	if (s.only > 0)
		s.every = NO_OTHER;
	else
		printf("# CRASH_EVERY=%d CRASH_FROM=%d\n", s.every,
		    s.from % s.every);
	return s;
}

int
crash_slice_first(const struct crash_slice *s, int plan)
{
	if (s->only > 0)
		return s->only;
	return 1 + (s->from % s->every + plan * APART) % s->every;
}
