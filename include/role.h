/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roles: wiring only. Each role_*() is a process's whole life after
 * exec; it loads its configuration from the snapshot, performs the ritual of
 * proc.h, and loops until asked to stop. It returns a PROC_EXIT_* code.
 *
 * The build role's work is also available as steps, without process, clock
 * or sleep: the replay tests and `chatjournal render` drive the same code
 * that the daemon runs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct err;
struct store;

int role_store(const struct conf *c);
int role_intake(const struct conf *c);
int role_media(const struct conf *c);
int role_gateway(const struct conf *c);
int role_directory(const struct conf *c);
int role_build(const struct conf *c);
int role_deliver(const struct conf *c);

struct build;

/* Loads the templates. conf and store are borrowed. */
bool build_new(const struct conf *c, struct store *st, struct build **out,
    struct err *err);
void build_free(struct build *b);

/* How far rules look back: what they remember of before is forgotten. */
int64_t build_memory_ms(const struct build *b);

struct build_progress {
	int64_t events, items, repeats, differing, turns, mails;
	int64_t parked_events, parked_turns;
	int64_t files;		/* wanted from now on */
	bool asked;		/* of the directory role */
	bool more;		/* call again at once */
	int64_t next_due_ms;	/* earliest end of an open turn, or of
				   a wait for files; INT64_MAX: none */
};

/*
 * One batch: new events are parsed, filed under turns, and every turn that
 * is finished at now_ms is rendered and queued, all in one transaction. On
 * failure nothing of the batch happened; a store that is full or busy is
 * ERR_TEMP, and the same call may be made again later.
 */
bool build_step(struct build *b, int64_t now_ms, struct build_progress *out,
    struct err *err);

/* What must hold before a configuration is put to use, beyond conf.h:
 * templates compile, secret files are there and private. Every problem is
 * appended to messages. */
struct _GString;
bool role_check(const struct conf *c, struct _GString *messages);
