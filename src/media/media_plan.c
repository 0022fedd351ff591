/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to do next about one file, and when to try again: tables and
 * arithmetic, no I/O. The unit test holds the tables' meaning in sentences.
 */
#include "media_int.h"

#include <string.h>

/*
 * OUT_NONE after STEP_FIND and the like cannot be; it ends in another try as
 * everything else does that is not understood.
 */
static const enum media_step next[STEPS][OUTCOMES] = {
	/*              OK  NONE  EXPIRED  REFUSED  DIFFERS  LATER  CONF  NEVER */
	[STEP_HELD] = { STEP_SCAN, STEP_KEPT, STEP_KEPT, STEP_KEPT, STEP_KEPT,
		END_LATER, END_CONF, END_NEVER },
	[STEP_KEPT] = { STEP_SCAN, STEP_UPLOAD, STEP_UPLOAD, STEP_UPLOAD,
		STEP_UPLOAD, END_LATER, END_CONF, END_NEVER },
	[STEP_UPLOAD] = { STEP_SCAN, STEP_HINT, STEP_HINT, STEP_HINT,
		STEP_HINT, END_LATER, END_CONF, END_NEVER },
	[STEP_HINT] = { STEP_SCAN, STEP_FIND, STEP_FIND, STEP_FIND, STEP_FIND,
		END_LATER, END_CONF, END_NEVER },
	[STEP_FIND] = { STEP_GET, END_LATER, END_LATER, END_LATER, END_LATER,
		END_LATER, END_CONF, END_NEVER },
	[STEP_GET] = { STEP_SCAN, END_LATER, STEP_FIND_AGAIN, END_LATER,
		END_LATER, END_LATER, END_CONF, END_NEVER },
	[STEP_FIND_AGAIN] = { STEP_GET_AGAIN, END_LATER, END_LATER, END_LATER,
		END_LATER, END_LATER, END_CONF, END_NEVER },
	[STEP_GET_AGAIN] = { STEP_SCAN, END_LATER, END_LATER, END_LATER,
		END_LATER, END_LATER, END_CONF, END_NEVER },
	[STEP_SCAN] = { STEP_KEEP, STEP_KEEP, END_LATER, END_LATER, END_LATER,
		END_LATER, END_CONF, END_NEVER },
	[STEP_KEEP] = { END_KEPT, END_LATER, END_LATER, END_LATER, END_LATER,
		END_LATER, END_CONF, END_NEVER },
};

enum media_step
media_plan_next(enum media_step step, enum media_outcome outcome)
{
	return next[step][outcome];
}

enum media_outcome
media_plan_outcome(const struct err *err)
{
	static const struct {
		const char *what;
		enum media_outcome outcome;
	} names[] = {
		{ "graph.expired", OUT_EXPIRED },
		{ "graph.host", OUT_REFUSED },
		{ "graph.request", OUT_REFUSED },
		{ "graph.gone", OUT_REFUSED },
		{ "graph.size", OUT_NEVER },
		{ "graph.id", OUT_NEVER },
		{ "graph.auth", OUT_CONF },
		{ "graph.conf", OUT_CONF },
		{ "media.differs", OUT_DIFFERS },
	};

	if (err->kind == ERR_NONE)
		return OUT_OK;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strcmp(err->what, names[i].what) == 0)
			return names[i].outcome;
	}
	return OUT_LATER;
}

static uint64_t
mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	return x ^ x >> 33;
}

/* Doubles from the least wait to the longest, and up to an eighth more. */
static int64_t
wait_ms(const struct media_times *t)
{
	int64_t ms = MAX(t->retry_min_ms, 1);

	for (int64_t i = 1; i < t->attempts && ms < t->retry_max_ms; i++)
		ms *= 2;
	ms = MIN(ms, MAX(t->retry_max_ms, 1));
	return ms + (int64_t)(mix(t->salt + (uint64_t)t->attempts) %
	    (uint64_t)(ms / 8 + 1));
}

/* The last try is made when the time is just over. */
bool
media_plan_again(const struct media_times *t, int64_t *next_ms)
{
	int64_t end = t->at_ms + t->give_up_ms;

	if (t->now_ms >= end)
		return false;
	*next_ms = MIN(t->now_ms + MAX(wait_ms(t), t->asked_ms), end);
	return true;
}
