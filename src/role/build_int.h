/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the build role share: one batch under work. */
#pragma once

#include <glib.h>

#include "hash.h"
#include "role.h"
#include "store.h"

struct directory_business;
struct item;
struct render;
struct render_input;

/* Until a turn with a file that could not be read is tried again. */
#define BUILD_FILE_RETRY_MS 60000

/* An event of the batch, parsed on first need. */
struct build_event {
	int64_t id, received_ms;
	uint8_t sha256[HASH_SIZE];
	GBytes *body;
	GPtrArray *items;	/* struct item *; NULL until parsed */
	GPtrArray *made;	/* struct item * we made of it; or NULL */
	GHashTable *by_key;	/* digest of key -> item; NULL until needed */
	struct item *stand_in;	/* shows the event raw; NULL until needed */
	bool is_json;
};

/* A turn that is closed and is to be rendered in this batch. */
struct build_turn {
	int64_t id;
	char *conversation;
	struct build_event *event;	/* of a single item, else NULL */
	struct item *item;		/* borrowed from event, else NULL */
	int64_t want_id;	/* of a follow-up, else 0 */
	int64_t of_turn;	/* of a follow-up: the turn of its file */
	bool is_waiting;	/* the store has it as waiting for files */
	bool is_overdue;	/* and it has waited long enough */
	/* what became of it, to be logged once the batch is committed */
	char *message_id;	/* NULL: parked, or waiting for files */
	char *parked;		/* why */
	char *unreadable;	/* the file it needs, and why; tried again */
	guint items, late;
	int64_t mails;
	size_t bytes;
};

struct build {
	const struct conf *conf;
	struct store *store;
	struct render *render;
	GPtrArray *styles;	/* const struct render_style *, by journal */
	GHashTable *persons;	/* what is known of persons, a cache */
	GHashTable *unmapped;	/* business ids already warned about */
	GHashTable *events;	/* int64_t id -> struct build_event * */
	GHashTable *peeked;	/* the same, of originals only */
	size_t peeked_bytes;
	GPtrArray *batch;	/* struct build_event *, by id; borrowed */
	GPtrArray *turns;	/* struct build_turn *, closed in this batch */
	GPtrArray *news;	/* struct build_news *, logged once committed */
	guint rendered;		/* so many of turns are done with */
	int64_t files;		/* wanted by this step */
	int64_t last_now_ms;
	bool close_all;		/* the clock was set back */
	bool wait_no_more;	/* and no turn waits for its files */
	bool careful_turns;	/* due turns are rendered singly */
	bool careful_files;	/* and those that waited, or are followed up */
	int64_t careful_until;	/* events up to this one are worked singly */
	struct store_claim claim, turn_claim, file_claim;	/* as committed */
	bool started;
};

/* build.c: what is worth a line in the log, if the batch is committed. */
void build_tell(struct build *b, int level, const char *event,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* build_event.c: events, parsed once per batch. */
struct build_event *build_event_load(struct build *b, int64_t id,
    struct err *err);
/*
 * The same for a look at an original: *ev is NULL, and that is no failure,
 * when its body was purged. Valid until the next call.
 */
bool build_event_peek(struct build *b, int64_t id, struct build_event **ev,
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
/* An item of our own making, owned by the event. */
void build_event_add(struct build_event *ev, struct item *it);
void build_event_free(gpointer p);

/* build_file.c: items under turns. */
bool build_file_event(struct build *b, struct build_event *ev, int64_t now_ms,
    struct build_progress *p, struct err *err);
struct build_turn *build_turn_closed(struct build *b, int64_t id,
    const char *conversation, struct build_event *ev, struct item *it);
void build_turn_free(gpointer p);

/*
 * build_person.c: who the counterpart is. *person is owned by the caller;
 * NULL when the item names nobody.
 */
bool build_person(struct build *b, struct build_event *ev,
    const struct item *it, int64_t now_ms, char **person, struct err *err);
/* The same by what is known already; nothing is learned. */
bool build_person_known(struct build *b, const struct item *it,
    int64_t now_ms, char **person, struct err *err);
/* The digits or user id (prefix "n:" or "u:") also known; NULL if not. */
bool build_person_other(struct build *b, const struct item *it,
    const char *person, const char *prefix, char **id, struct err *err);

/* build_identity.c: the history of what is known of persons. */

/* One item's word on a person. */
struct build_witness {
	struct build_event *event;	/* gets the items made of it */
	const struct item *item;
	const char *realm, *person;
	int64_t at_ms;
	bool is_new;		/* the person was not known before */
	/* known by another id before, and the item tells this one too */
	bool learned_user_id, learned_number;
};
/*
 * Records what the item says of its counterpart. What changes something that
 * was known becomes an item of its own: event->made.
 */
bool build_identity_note(struct build *b, const struct build_witness *w,
    struct err *err);
/* The id was given up, or is somebody else's now. */
bool build_identity_end(struct build *b, const char *realm,
    const char *person, const char *kind, const char *value, int64_t at_ms,
    struct err *err);
/* Since when the value is the person's; 0: it is not. */
bool build_identity_since(struct build *b, const char *realm,
    const char *person, const char *kind, const char *value, int64_t *since,
    struct err *err);

/* build_files.c: files of items. */
void build_files_want(struct build *b, const struct build_event *ev,
    const struct item *it, int64_t turn_id, int64_t now_ms);
/*
 * What became of the files of these items: struct render_media *, NULL when
 * there is none; *late is how many are not here yet, to be journaled later.
 * want_id: only this one (0: all of the turn).
 */
bool build_files_gather(struct build *b, int64_t turn_id, int64_t want_id,
    const GPtrArray *items, GPtrArray **media, guint *late, struct err *err);
/* Their turn is rendered without them. */
bool build_files_are_late(struct build *b, int64_t turn_id, struct err *err);

/* What there is to do about files: final fetches, and turns in a hurry. */
struct build_files {
	guint limit;
	GArray *results;	/* struct build_result, by number */
	GArray *due;		/* int64_t: turns whose wait is over */
	int64_t first, last;	/* the turns concerned are within */
};
struct build_result {
	int64_t number, want_id, turn_id;
	bool late;
};
bool build_files_look(struct build *b, int64_t now_ms,
    struct build_files *out, struct err *err);
/* Puts the turns that can be rendered now into b->turns. */
bool build_files_work(struct build *b, int64_t now_ms,
    const struct build_files *todo, struct err *err);
void build_files_clear(struct build_files *todo);

/*
 * build_original.c: what items change, answer or report on, as far as it is
 * of the same conversation.
 */
bool build_originals(struct build *b, const GPtrArray *items,
    const char *talk, GPtrArray **originals, struct err *err);

/*
 * build_render.c: a closed turn to its mails. A turn that cannot be rendered
 * is parked, which is no failure; failures are those of the store.
 */
bool build_render_turn(struct build *b, struct build_turn *t,
    int64_t now_ms, struct build_progress *p, struct err *err);

/* build_post.c: rendered once for each style, queued for each journal. */
struct conf_journal;
struct render_style;
bool build_style_get(struct render *r, const struct conf_journal *j,
    const struct render_style **out, struct err *err);
bool build_styles_load(struct build *b, struct err *err);
bool build_post(struct build *b, struct build_turn *t,
    const struct render_input *in, int64_t now_ms, struct err *err);
