/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the media role share.
 *
 * One thread (the role's main one) owns the store. Workers only take jobs
 * from the crew's queue and put finished ones into another.
 */
#pragma once

#include <glib.h>
#include <pthread.h>

#include "err.h"
#include "media.h"
#include "store.h"

struct conf;
struct graph;

/* One want under work; owned by exactly one queue, worker or list. */
struct med_job {
	struct media_want want;
	char *strings[6];	/* those of want */
	struct store_fetch fetch;	/* as committed; without its strings */
	int64_t turn_id;
	int64_t started_ms;	/* monotonic */
	struct media_result result;
};
struct med_job *med_job_new(const struct store_want *want,
    const struct store_fetch *fetch);
void med_job_free(void *job);

/* med_crew.c: the workers. */
struct med_crew {
	pthread_mutex_t lock;	/* guards both queues and stopping */
	pthread_cond_t cond;
	GQueue ready, done;	/* struct med_job * */
	bool stopping;
	int fd;			/* eventfd: readable when something is done */
	struct media *media;
	int alive;
	pthread_t *threads;	/* so many as are alive */
};
bool med_crew_start(struct med_crew *crew, struct media *m, int count,
    struct err *err);
void med_crew_put(struct med_crew *crew, struct med_job *job);
/* NULL when none is done. */
struct med_job *med_crew_take(struct med_crew *crew);
/* What is under work is cut short, and done soon; then wait for the ends. */
void med_crew_hasten(struct med_crew *crew, struct media *m);
void med_crew_join(struct med_crew *crew);

/*
 * Nobody's file comes while the token is refused: the role then tries one at
 * a time, ever more rarely. Where only the pace is too fast it just waits.
 */
struct med_outage {
	bool on;
	int failures;
	int64_t since_ms;	/* monotonic, all of them */
	int64_t hold_until_ms;
};

struct med {
	const struct conf *conf;
	struct store *store;
	struct graph *graph;	/* NULL: no graph block, nothing is fetched */
	struct media *media;
	struct med_crew crew;
	GQueue landed;		/* struct med_job *: not committed yet */
	int in_flight;		/* handed over and not landed */
	bool alone;		/* one that a death is counted against */
	bool due_first;		/* whose turn it is: new wants or late ones */
	int64_t next_purge_ms, last_now_ms, next_settle_ms;
	struct med_outage outage;
};

/* med_pick.c: what is tried next. */
/*
 * What the last life was working on is tried again. crashed: it died of
 * itself, which counts as a death; whoever stopped the service, or the power,
 * says nothing about a file.
 */
bool med_recover(struct med *m, bool crashed, struct err *err);
/*
 * Without a graph block: what is wanted for longer than any file is asked for
 * cannot be had any more, and is said to be so. Younger ones wait, since the
 * block may come back.
 */
bool med_settle(struct med *m, int64_t now_ms, struct err *err);
/*
 * A clock that was set back, in this life or before it, would keep tries
 * waiting for as long, and files do not live for ever: they are due at once.
 */
bool med_mind_clock(struct med *m, int64_t now_ms, struct err *err);
/* Commits what is begun, and only then hands it over. */
bool med_hand_over(struct med *m, struct err *err);

/* med_result.c: what became of it. */
void med_collect(struct med *m);
/* On failure all stays in m->landed. */
bool med_commit(struct med *m, struct err *err);
