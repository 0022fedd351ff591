/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the deliver role share.
 *
 * One thread (the role's main one) owns the store and everything in struct
 * dlv_journal. Worker threads only take jobs from their outlet's queue and
 * put finished ones into the role's result queue.
 */
#pragma once

#include <glib.h>
#include <pthread.h>

#include "deliver.h"
#include "err.h"
#include "store.h"

struct conf;
struct conf_journal;
struct conf_relay;
struct dlv_journal;
struct dlv_outlet;

/* One mail on its way; owned by exactly one queue or worker at a time. */
struct dlv_job {
	struct deliver_mail mail;
	struct dlv_journal *journal;
	char *message_id, *envelope_from, *envelope_to;
	GBytes *bytes;		/* NULL when it is in a file */
	char *file;		/* absolute; mapped when its turn comes */
	uint8_t sha256[HASH_SIZE];
	int64_t queued_ms, attempts, first_ms;
	int64_t started_ms;	/* handed to a worker; monotonic */
	bool is_retry;		/* came from the deferred ones */
	struct deliver_report report;
};

/*
 * A mail in a file takes no memory while it waits, and little when it is sent:
 * it counts as this much of the window.
 */
#define DLV_FILE_WEIGHT (64 << 10)

/* How many mails are in hand at most, for each session of the outlet. */
#define DLV_WINDOW_PER_SESSION 32

/* Finished jobs and faults, from the workers to the main thread. */
struct dlv_results {
	pthread_mutex_t lock;
	GQueue jobs;		/* struct dlv_job * */
	int fd;			/* eventfd: readable when something came */
	bool told;		/* fd was written since the last look */
};

enum dlv_state { DLV_UP, DLV_PAUSED, DLV_PROBE };

/* A relay, or one Maildir: a queue and the threads that empty it. */
struct dlv_outlet {
	const char *name;
	const struct conf_relay *conf;	/* NULL for a Maildir */
	const char *maildir;
	struct deliver_relay relay;
	GBytes *password;
	struct dlv_results *results;

	pthread_mutex_t lock;	/* guards all below */
	pthread_cond_t cond;
	GQueue ready;		/* struct dlv_job * */
	enum dlv_state state;
	bool stopping, probing;
	int large;		/* mails from files that are being sent */
	int workers, alive;
	guint low_mark;		/* with fewer ready, results are told at once */
	char fault[sizeof(((struct err *)0)->text)];
	bool has_fault;
	pthread_t *threads;

	/* main thread only */
	int failures;
	int64_t retry_at_ms;	/* monotonic */
	int64_t last_ok_ms;	/* monotonic */
	int64_t since_ms;
	bool told_down;
};

struct dlv_range {
	int64_t next, last;
};

/* A claim as committed, and whether the next lives must go one by one. */
struct dlv_claim {
	char *name;
	struct store_claim held;
};

struct dlv_journal {
	const struct conf_journal *conf;
	struct dlv_outlet *outlet;
	char *cursor_done, *cursor_careful;
	int64_t done;		/* every mail up to here has an outcome */
	int64_t done_stored;
	int64_t careful_until;
	bool careful_due;
	GArray *backlog;	/* struct dlv_range, oldest first */
	int64_t fresh_next;
	int fresh_owed;		/* places given to the backlog, in quarters */
	GHashTable *flying;	/* int64_t id -> struct dlv_job * */
	int64_t flying_bytes;
	GQueue fetched;		/* claimed next, then handed over */
	int64_t next_due_ms;	/* wall clock */
	int64_t next_warn_ms;	/* monotonic */
	struct dlv_claim lane, due;
};

/* The role as a whole; the main thread's. */
struct dlv {
	const struct conf *conf;
	struct store *store;
	struct dlv_results results;
	GPtrArray *outlets;	/* struct dlv_outlet * */
	GPtrArray *journals;	/* struct dlv_journal * */
	GQueue landed;		/* jobs whose outcome is not committed yet */
	int64_t action_id, next_action_ms;
	int64_t last_now_ms;	/* wall clock; 0: not looked at yet */
};

/* deliver_outlet.c: threads and their queue. */
bool dlv_outlet_start(struct dlv_outlet *o, struct err *err);
void dlv_outlet_put(struct dlv_outlet *o, struct dlv_job *job, bool front);
/* Stops taking mails; workers end after the mail in hand. */
void dlv_outlet_stop(struct dlv_outlet *o);
bool dlv_outlet_is_idle(struct dlv_outlet *o);	/* all workers have ended */
void dlv_outlet_clear(struct dlv_outlet *o);
/* Carries out pauses and probes; the fault, if a session had one. */
bool dlv_outlet_fault(struct dlv_outlet *o, char *text, size_t size);
void dlv_outlet_set(struct dlv_outlet *o, enum dlv_state state);
bool dlv_outlet_has_room(struct dlv_outlet *o);
void dlv_job_free(struct dlv_job *job);

/*
 * deliver_file.c: maps the file of a job whose turn has come; nothing to do
 * for one in memory, or mapped before. False: *report says why, and whether a
 * person must look (rejected) or it may come right by itself (deferred).
 */
bool dlv_file_open(struct dlv_job *job, struct deliver_report *report);
void dlv_file_close(struct dlv_job *job);

/* deliver_journal.c: which mails are taken up next. */
bool dlv_journal_open(struct dlv_journal *j, struct store *st,
    int64_t poison_deaths, int64_t now_ms, struct err *err);
void dlv_journal_clear(struct dlv_journal *j);
/* Reads what may be taken up into j->fetched. */
bool dlv_journal_fetch(struct dlv_journal *j, struct store *st,
    int64_t now_ms, struct err *err);
/* Mails put off for longer than any is, by a clock since set back, are due. */
bool dlv_journal_hurry(struct dlv_journal *j, struct store *st,
    int64_t now_ms, struct err *err);
/* When a mail of this outlet is tried again. */
struct deliver_schedule dlv_outlet_schedule(const struct dlv_outlet *o);
/* Commits the claim on j->fetched and hands the jobs to the outlet. */
bool dlv_journal_hand_over(struct dlv_journal *j, struct store *st,
    struct err *err);
/* The relay is back: what piled up becomes a lane of its own. */
bool dlv_journal_rebase(struct dlv_journal *j, struct store *st,
    struct err *err);
/* The job has its outcome (stored by the caller). */
void dlv_journal_landed(struct dlv_journal *j, struct dlv_job *job);
/* The outcome could not be committed: the job counts as in flight again. */
void dlv_journal_aloft(struct dlv_journal *j, struct dlv_job *job);
/* Writes the low-water mark into the open transaction. */
void dlv_journal_mark(struct dlv_journal *j, struct store *st);

/* deliver_relay.c: relays up and down. */
void dlv_relay_store(struct dlv *d, const struct dlv_outlet *o, bool up,
    const char *reason);
void dlv_relay_down(struct dlv *d, struct dlv_outlet *o, const char *reason);
void dlv_relay_alive(struct dlv *d, struct dlv_outlet *o);
/* Carries out what sessions reported, and probes what is paused. */
void dlv_relays_look(struct dlv *d);

/* deliver_result.c: what became of mails. */
/* Takes the workers' reports over into d->landed. */
void dlv_results_collect(struct dlv *d);
/* What was nobody's fault goes back to the head of its queue. */
void dlv_results_return(struct dlv *d);
/* Commits the outcomes of the rest; on failure they stay in d->landed. */
bool dlv_results_commit(struct dlv *d, struct err *err);

/* deliver_watch.c: now and then. */
void dlv_warn_orphans(struct dlv *d);
void dlv_warn_late(struct dlv *d, struct dlv_journal *j, int64_t mono);
void dlv_actions_look(struct dlv *d, int64_t mono);
