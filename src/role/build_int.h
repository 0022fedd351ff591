/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the build role share: one batch under work. */
#pragma once

#include <glib.h>

#include "hash.h"
#include "role.h"
#include "store.h"

struct item;
struct render;

/* An event of the batch, parsed on first need. */
struct build_event {
	int64_t id, received_ms;
	uint8_t sha256[HASH_SIZE];
	GBytes *body;
	GPtrArray *items;	/* struct item *; NULL until parsed */
	GHashTable *by_key;	/* digest of key -> item; NULL until needed */
	struct item *stand_in;	/* shows the event raw; NULL until needed */
	bool is_json;
};

/* A turn that is closed and waits for rendering in this batch. */
struct build_turn {
	int64_t id;
	char *conversation;
	struct build_event *event;	/* of a single item, else NULL */
	struct item *item;		/* borrowed from event, else NULL */
	/* what became of it, to be logged once the batch is committed */
	char *message_id;	/* NULL: parked */
	char *parked;		/* why */
	guint items;
	int64_t mails;
	size_t bytes;
};

struct build {
	const struct conf *conf;
	struct store *store;
	struct render *render;
	GHashTable *persons;	/* "network|id" -> person, a cache */
	GHashTable *unmapped;	/* business ids already warned about */
	GHashTable *events;	/* int64_t id -> struct build_event * */
	GPtrArray *batch;	/* struct build_event *, by id; borrowed */
	GPtrArray *turns;	/* struct build_turn *, closed in this batch */
	guint rendered;		/* so many of turns are done with */
	int64_t last_now_ms;
	bool close_all;		/* the clock was set back */
	bool careful_turns;	/* due turns are rendered singly */
	int64_t careful_until;	/* events up to this one are worked singly */
	struct store_claim claim, turn_claim;	/* as committed */
	bool started;
};

/* build_event.c: events, parsed once per batch. */
struct build_event *build_event_load(struct build *b, int64_t id,
    struct err *err);
struct build_event *build_event_keep(struct build *b,
    const struct store_event *ev);
/* Parses; a body that is no JSON gives one raw notice and *parked = why. */
void build_event_parse(struct build *b, struct build_event *ev,
    char **parked);
void build_event_raw(struct build_event *ev, const char *reason);
/* The item with this key (see store_key()), or NULL. */
struct item *build_event_item(struct build_event *ev,
    const uint8_t key[HASH_SIZE]);
/* What stands for an item that is not among the event's: all of it, raw. */
struct item *build_event_stand_in(struct build_event *ev);
void build_event_free(gpointer p);

/* build_file.c: items under turns. */
bool build_file_event(struct build *b, struct build_event *ev, int64_t now_ms,
    struct build_progress *p, struct err *err);
void build_turn_closed(struct build *b, int64_t id, const char *conversation,
    struct build_event *ev, struct item *it);
void build_turn_free(gpointer p);

/* build_person.c: who the counterpart is. */
/* Owned by the caller; NULL when the item names nobody. */
bool build_person(struct build *b, const struct item *it, int64_t now_ms,
    char **person, struct err *err);
/* The digits or user id (prefix "n:" or "u:") also known; NULL if not. */
bool build_person_other(struct build *b, const struct item *it,
    const char *person, const char *prefix, char **id, struct err *err);

/*
 * build_render.c: a closed turn to its mails. A turn that cannot be rendered
 * is parked, which is no failure; failures are those of the store.
 */
bool build_render_turn(struct build *b, struct build_turn *t,
    int64_t now_ms, struct build_progress *p, struct err *err);
