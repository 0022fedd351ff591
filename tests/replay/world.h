/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world a scenario plays in: a real store, the real steps of the build
 * role, a simulated clock, and a simulated relay for each journal.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "hash.h"
#include "role.h"
#include "store.h"

struct conf;
struct mail_part;

/* 2026-09-21T14:00:00Z is 00:00 of every scenario. */
#define WORLD_START_MS 1789999200000

enum world_answer { WORLD_ACCEPT, WORLD_DEFER, WORLD_REJECT, WORLD_LOSE,
	WORLD_LOSE_EARLY };

/* A mail of the store, as it was when it was first seen. */
struct world_mail {
	int64_t id, turn_id;
	char *journal, *message_id;
	GBytes *bytes;
	struct mail_part *read;	/* of a report: the report */
	struct mail_part *inner;	/* the mail itself; may be == read */
	GPtrArray *ids;		/* char *, of its items in order; "" if none */
	bool is_follow_up;	/* brings a file of an item that was mailed */
	bool is_part;		/* of several: files only */
	bool is_alert;		/* tells of a turn, and has none of its items */
	bool is_excluded;	/* a record in place of the content */
};

struct world {
	const char *srcdir;
	char *dir;		/* temporary; configuration, and store file */
	GHashTable *sections;	/* name -> GHashTable directive -> line */
	GString *extra, *directory, *policy;
	bool on_file, build_off, show_raw;
	bool spool_off;		/* large mails cannot be written */
	int64_t now_ms;
	int64_t ahead_ms;	/* of the clock before that of the scenario */

	struct conf *conf;
	struct store *store;	/* the build role's; it also sees all */
	/* in memory: the same */
	struct store *intake, *fetching, *outgoing, *gateway, *admin,
	    *knowing;
	struct build *build;
	struct build_progress sum, last;
	int64_t most_turns;	/* of one step since the last restart */

	GPtrArray *bodies;	/* GBytes *, every event that was acknowledged */
	GPtrArray *records;	/* the same of the gateway */
	GHashTable *said;	/* id -> change as JSON, to be said again */

	GPtrArray *mails;	/* struct world_mail *, place = id - 1 */
	GHashTable *answers;	/* journal -> enum world_answer */
	GHashTable *taken;	/* "journal|message id" -> GBytes * */
	int64_t taken_again;

	const char *script;
	int line;
	GString *complaints;
};

struct world *world_new(const char *srcdir, const char *script);
void world_free(struct world *w);

/* Remembers a complaint with the present line; always returns false. */
bool world_fail(struct world *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool world_failed(const struct world *w);

/* "turn { idle 20s; }", merged; takes effect at the next start. */
bool world_conf(struct world *w, const char *line);
bool world_start(struct world *w);
/* The processes die; a store in memory lives on. */
void world_restart(struct world *w);

/* An acknowledged event with these bytes, at the present time. */
void world_post(struct world *w, const void *body, size_t len);
/* The same of the gateway. */
void world_record(struct world *w, const void *body, size_t len);
/* All that can be done at the present time is done. */
void world_settle(struct world *w);
/* The clock goes on to this time; all that falls due on the way is done. */
void world_pass(struct world *w, int64_t until_ms);
/* Lets time pass until nothing is open any more. */
void world_finish(struct world *w);

/* world_relay.c: what the relays take, and when they are asked again. */
void world_deliver(struct world *w);
int64_t world_next_retry(struct world *w);

/* world_mail.c: every mail there is; also that none of them ever changes. */
void world_look(struct world *w);
/* Of one in memory or in a file; NULL when they are gone. */
GBytes *world_bytes(const struct store_mail *m);

/* law.c: the conservation law, by the store's account and by our own. */
void law_check(struct world *w);

/* "A" of a scenario is wamid.A outside. */
char *world_wamid(const char *id);
