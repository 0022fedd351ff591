/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the gateway role share: one send on its way.
 *
 *   listener thread   gw_request.c   route, caller, head        -> incoming
 *   main thread       gw_judge.c     who, template, rules
 *                     gw_commit.c    one transaction for all that are ready
 *                     gw_record.c    rows and records in it
 *   pool's thread     gw_forward.c   to Meta and back           -> replies
 *   main thread       gw_commit.c    outcome and record, one transaction
 *                     gw_answer.c    the caller's answer
 *
 * The store is the main thread's alone. Nothing is handed to the pool before
 * the transaction that says so is durable, and nothing is handed to it twice.
 */
#pragma once

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway.h"
#include "graph.h"
#include "hash.h"
#include "http.h"
#include "store.h"

struct conf;
struct directory_business;
struct directory_staff;
struct item;
struct policy;
struct policy_verdict;
struct policy_work;

#define GW_KEY_CHARS 32

/* What the store says of a send that is not done. */
enum gw_phase {
	GW_NEW,		/* not in the store yet */
	GW_STORED,	/* waits for its turn, or for its journal */
	GW_FORWARDING,	/* with the pool, or about to be */
	GW_REPLIED,	/* Meta's answer, to be made durable */
	GW_HELD,
};

struct gw_send {
	struct http_request *rq;	/* NULL: nobody waits for an answer */
	enum gateway_what what;
	char *method, *target, *remote, *content_type;	/* type may be NULL */
	char *business;			/* phone number id, or NULL */
	const struct gateway_application *app;	/* NULL: no longer configured */
	char *app_name, *author, *employee;	/* employee may be NULL */
	char key[GW_KEY_CHARS + 1];
	uint8_t idempotency[HASH_SIZE];
	bool has_idempotency;
	uint8_t sha256[HASH_SIZE];	/* of request */
	GBytes *request, *sent;		/* sent NULL: the request */
	struct gateway_head head;	/* of a SEND; else empty */
	int64_t received_ms;		/* wall clock */
	int64_t said_ms;		/* of a copy: when it was sent, or 0 */
	int64_t queued_ms;		/* monotonic */

	enum gw_phase phase;
	int64_t id, first_record_id, record_id;	/* in the store */
	struct item *item;		/* what is judged; NULL: nothing is */
	char *account, *talk, *realm, *person;
	char *definition;		/* JSON, or NULL */
	bool definition_sought;		/* it is there, or cannot be had */
	bool staff_sought;
	int64_t staff_until_ms;		/* monotonic; waits for the directory */
	const struct directory_staff *staff;
	struct directory_staff *remote_staff;	/* owned, of LDAP */
	bool groups_unknown;
	struct policy_verdict *verdict;	/* NULL: there are no rules */
	char *verdict_json;
	bool has_additions;		/* texts of rules stand in `sent` */
	bool is_observed;		/* observe mode let pass what rules stop */
	int64_t journal_until_ms;	/* monotonic; mode delivered */
	bool is_throttled;		/* Meta asks to slow down */
	bool is_graph_error;		/* it was Graph itself that refused */
	int64_t error_code;		/* Graph's, or 0 */
	bool is_pending;		/* its record "pending" is written */
	bool is_paced;			/* the queue of the pace has it */
	bool is_dead;			/* answered; only that queue has it */
	/* before the transaction under way, should it fail */
	bool was_stored, was_pending;
	enum gw_phase was_phase;
	int64_t was_first, was_record;
	int64_t replied_ms;		/* monotonic: since when it is unsaved */

	/* of an UPLOAD; wamid is the id that Meta gave the file */
	char *file_path, *file_name, *file_type, *file_verdict;
	uint8_t file_sha256[HASH_SIZE];
	int64_t file_size;

	/* what became of it */
	enum gateway_outcome outcome;
	char *reason;			/* for a person, or NULL */
	char *reviews;			/* JSON, or NULL */
	enum gateway_refusal refusal;	/* of an answer of our own */
	bool is_refused;
	enum graph_fate fate;
	int status;
	char *reply_type;
	GPtrArray *reply_headers;	/* char *, NULL-ended; NULL: none */
	GBytes *reply;
	char *wamid;
	struct gw *gw;
};

/*
 * What a worker does beside the main thread: it may block. Each kind has
 * workers of its own, so that a slow file keeps no send from its wording.
 */
enum gw_work { GW_WORK_TEMPLATE, GW_WORK_UPLOAD, GW_WORK_FETCH, GW_WORKS };
struct gw_crew {
	struct gw *gw;
	GQueue jobs;
	pthread_cond_t work;		/* jobs wait */
};
struct gw_job {
	void (*run)(struct gw *g, struct gw_job *job);	/* worker */
	void (*done)(struct gw *g, struct gw_job *job);	/* main thread */
	struct gw_send *send;		/* or NULL */
	struct http_request *rq;	/* of a file that is fetched */
	char *account, *name, *language, *json;		/* of a template */
	char *media_id, *number, *path, *file_name, *type, *verdict;
	uint8_t sha256[HASH_SIZE];
	int64_t size;
	bool ok, is_absent;
	char *why;
	int fd;
};

struct gw {
	const struct conf *conf;
	struct store *store;
	struct http_server *http;
	struct graph *graph;
	struct graph_pool *pool;
	struct gateway_pace *pace;
	struct policy *policy;
	struct policy_work *policy_work;
	GPtrArray *apps;		/* struct gateway_application * */
	char *spool;			/* of the store */

	pthread_mutex_t lock;		/* of all queues */
	GQueue incoming, replies, jobs_done;
	struct gw_crew crews[GW_WORKS];
	pthread_t *workers;
	int n_workers;
	bool stopping;
	int wake_fd;

	/* the main thread's own */
	bool in_txn;			/* gw_begin(), for the next gw_commit() */
	bool asks;			/* with a question for the directory */
	GPtrArray *waiting;		/* for a definition, staff, journal */
	GPtrArray *unsaved;		/* replies whose commit failed */
	GHashTable *definitions;	/* "account|name|language" -> entry */
	GHashTable *staff_asked;	/* employee -> int64_t, monotonic */
	bool asks_groups;		/* a rule does */
	GHashTable *underway;		/* "application|key" with idempotency */
	GHashTable *ending;		/* int64_t ids of held ones under work */
	int64_t review_cursor;		/* seen by this process: all are looked
					   at once when it starts */
	int64_t next_hold_ms, next_tally_ms, next_purge_ms, next_upload_purge_ms, next_template_ms,
	    next_tidy_ms;		/* monotonic */
	int64_t down_ms, down_told_ms, unstored;
	int64_t upstream_down_ms, upstream_told_ms;

	/* of listener threads, under the lock */
	GHashTable *refusals;		/* reason -> what is to be told of it */
};

/* ---- gw_request.c: a listener thread has a request ------------------------- */
enum http_verdict gw_handle(void *app, struct http_request *rq);
struct gw_send *gw_send_new(struct gw *g);
/* It does not go on; its caller gets an answer of our own. */
void gw_send_refuse(struct gw_send *s, enum gateway_refusal why,
    const char *reason);
/* 32 hex digits; false, and "": there are no random numbers. */
bool gw_key_make(int64_t now_ms, char out[GW_KEY_CHARS + 1]);
void gw_send_free(struct gw_send *s);

/* ---- gw_queue.c ------------------------------------------------------------ */
/* From any thread; the first one wakes the main thread. */
void gw_put(struct gw *g, GQueue *queue, void *element);
void *gw_get(struct gw *g, GQueue *queue);	/* NULL: it is empty */
void gw_job_put(struct gw *g, enum gw_work kind, struct gw_job *job);
void gw_job_free(struct gw_job *job);
/* Before anything is put. */
void gw_crews_init(struct gw *g);
void gw_crews_clear(struct gw *g);
bool gw_workers_start(struct gw *g, struct err *err);
void gw_workers_stop(struct gw *g);	/* when their jobs are done */

/* ---- gw_step.c ------------------------------------------------------------- */
/* True: call again at once. *wait_ms: else after so long at most. */
bool gw_step(struct gw *g, bool takes_new, int64_t *wait_ms);

/* ---- gw_judge.c: who it is, what is said, what the rules say --------------- */
/*
 * False: it waits for something (and is in g->waiting); call again. True: the
 * verdict is there, or the send is refused (is_refused).
 */
bool gw_judge(struct gw *g, struct gw_send *s, int64_t now_ms,
    int64_t mono_ms);

/*
 * Of a send that is released: its verdict and conversation as they were when
 * it was judged, so that what it tells once is remembered as told.
 */
void gw_recall(struct gw *g, struct gw_send *s);

/* The WABA of the number, as configured or learned; false: store failed. */
bool gw_account(struct gw *g, struct gw_send *s);

/* ---- gw_template.c: wordings of templates ---------------------------------- */
/* True when s->definition is what it will be; else a worker asks Meta. */
bool gw_definition(struct gw *g, struct gw_send *s, int64_t now_ms,
    int64_t mono_ms);
/* Webhooks said that templates were changed: they are asked for again. */
void gw_templates_look(struct gw *g);
GHashTable *gw_definitions_new(void);

/* ---- gw_commit.c: transactions --------------------------------------------- */
/*
 * Takes both lists over, and ends what gw_begin() began; false when the store
 * failed (already dealt with).
 */
bool gw_commit(struct gw *g, GPtrArray *fresh, GPtrArray *replied,
    int64_t now_ms, int64_t mono_ms);
/*
 * Begins the transaction that the next gw_commit() ends, if it is not: what is
 * asked goes into it, and what was judged is counted in it, for those that are
 * judged after.
 */
void gw_begin(struct gw *g);
void gw_count(struct gw *g, const struct gw_send *s, int64_t now_ms);
/* A reply that could not be made durable: kept, and tried again. */
void gw_unsaved(struct gw *g, struct gw_send *s);

/* ---- gw_record.c: what the store keeps of one, in the transaction under way - */
/* Its row as it is now. */
void gw_save(struct gw *g, struct gw_send *s, enum store_send_state state,
    int64_t now_ms);
/* A record of the send as it is now. */
void gw_record(struct gw *g, struct gw_send *s, enum gateway_outcome outcome,
    int64_t now_ms);
/* Both: it is done. */
void gw_finish(struct gw *g, struct gw_send *s, enum gateway_outcome outcome,
    int64_t now_ms);
/* What it is before a transaction, and again when that failed. */
void gw_mark(struct gw_send *s);
void gw_restore(struct gw_send *s);

/* ---- gw_recover.c ----------------------------------------------------------- */
/* What an earlier life left: outcomes unknown, and what never left. */
bool gw_recover(struct gw *g, int64_t now_ms, struct err *err);

/* ---- gw_repeat.c: the same request again ----------------------------------- */
/*
 * True when the request was answered: it is done, held, under way, or another
 * one under the same key; s is freed then.
 */
bool gw_is_repeat(struct gw *g, struct gw_send *s, int64_t now_ms);
void gw_underway_remove(struct gw *g, struct gw_send *s);
/* GET /sends/KEY, by the application that sent it; frees s. */
void gw_look_up(struct gw *g, struct gw_send *s);

/* ---- gw_hold.c ------------------------------------------------------------- */
/* Held sends that were released, rejected, or whose time is over. */
/* Puts them into fresh, for the next transaction. */
void gw_holds_look(struct gw *g, GPtrArray *fresh, int64_t now_ms,
    int64_t mono_ms);
struct gw_send *gw_send_load(struct gw *g, const struct store_send *row);
/* What persons did about it, for its record, if anybody did. */
void gw_reviews(struct gw *g, struct gw_send *s);

/* ---- gw_forward.c ---------------------------------------------------------- */
void gw_forward(struct gw *g, struct gw_send *s);
/* What is passed on without a record; target NULL: the request's. */
void gw_pass(struct gw *g, struct http_request *rq, const char *target);

/* ---- gw_tell.c: the log ---------------------------------------------------- */
GHashTable *gw_refusals_new(void);
/*
 * What never got a row; from any thread. One line a second for each reason, a
 * string of the program; gw_tell_rest() has those that came in between.
 */
void gw_tell_refused(struct gw *g, const char *remote, const char *reason,
    const char *trace);
void gw_tell_rest(struct gw *g, int64_t mono_ms);
void gw_tell_store_down(struct gw *g, const struct err *err, unsigned n);
void gw_tell_store_up(struct gw *g);
/*
 * The store will never take what became of it. Its row is left as it is: the
 * next start finds it there, under way, and records it as unknown or not sent.
 * Nobody is told of a success.
 */
void gw_tell_stuck(const struct gw_send *s, const struct err *why);
/* What became of one. */
void gw_tell(struct gw *g, const struct gw_send *s);

/* ---- gw_answer.c ----------------------------------------------------------- */
/* The caller's answer by what became of it; s->rq is NULL afterwards. */
void gw_answer(struct gw_send *s);
void gw_refuse(struct http_request *rq, enum gateway_refusal why,
    const char *details, const char *trace);
void gw_answer_held(struct http_request *rq, const char *key, const char *to);
#define GW_JSON_TYPE "application/json; charset=utf-8"
void gw_answer_json(struct http_request *rq, int status, const GString *body);

/* ---- gw_media.c ------------------------------------------------------------ */
void gw_upload(struct gw *g, struct gw_send *s);
/* What a former life left in the spool; before there are new ones. */
void gw_uploads_sweep(const struct gw *g);
/* Finds, fetches or deletes it, as route says; from any thread. */
void gw_media(struct gw *g, struct http_request *rq,
    const struct gateway_route *route);
/*
 * The same for an application that may not use all numbers: whether the file is
 * one of its own. Frees s.
 */
void gw_media_of(struct gw *g, struct gw_send *s);
