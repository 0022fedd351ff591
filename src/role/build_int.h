/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the build role share: one batch under work. */
#pragma once

#include <glib.h>

#include "hash.h"
#include "render.h"
#include "role.h"
#include "store.h"

struct directory_business;
struct item;
struct render;
struct policy;
struct policy_work;

/* Until a turn with a file that could not be read is tried again. */
#define BUILD_FILE_RETRY_MS 60000

/* Where events come from: of Meta, and of the gateway. */
enum { BUILD_WEBHOOKS, BUILD_RECORDS, BUILD_FEEDS };
struct build_feed {
	const char *cursor;	/* names the claim, too */
	const char *careful;	/* cursor of careful_until */
	int64_t base;		/* ids are above it */
	int64_t careful_until;	/* events up to this one are worked singly */
	struct store_claim claim;	/* as committed */
};

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
	bool is_record;		/* of the gateway, not of the network */
};

/* A hold on a turn; end is set when it is over (see store.h). */
struct build_hold {
	int64_t turn_id;
	char *rule;
	int64_t since_ms, until_ms, persons, ended_ms;
	const char *end;
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
	bool is_redone;		/* it was parked */
	struct build_hold hold;	/* that has ended; else all 0 */
	/* what became of it, to be logged once the batch is committed */
	char *message_id;	/* NULL: parked, held, or waiting for files */
	char *held;		/* the rule that withholds it */
	char *excluded;		/* the rule by which it, or some items of it,
				   are only recorded */
	guint excluded_items;
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
	struct policy *policy;
	struct policy_work *policy_work;
	bool rules_withhold;	/* there are some with hold or exclude */
	bool has_withheld;	/* something was, in this life or before */
	GHashTable *persons;	/* what is known of persons, a cache */
	GHashTable *staff;	/* answers about staff, a cache */
	GHashTable *staff_waits;	/* turns that wait for such an answer */
	int64_t staff_look_ms;	/* not looked at before, */
	int64_t staff_due_ms;	/* and then at the latest */
	bool asks_groups;	/* a rule does */
	bool asked;		/* a new question in this step */
	bool has_contacts;	/* phone book entries were ever seen */
	bool has_marks;		/* callback data of sends of unknown outcome */
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
	struct build_feed feeds[BUILD_FEEDS], *feed;	/* feed: under work */
	struct store_claim turn_claim, file_claim, redo_claim;	/* as committed */
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
/* SHA-256 of the item's own JSON, or of the event. */
void build_event_digest(const struct build_event *ev, const struct item *it,
    uint8_t out[HASH_SIZE]);
/*
 * From now on the item, one of the event's with this digest, is other bytes of
 * the one that has its key; its own key is made of that and the digest.
 */
void build_event_variant(struct build_event *ev, struct item *it,
    const uint8_t digest[HASH_SIZE]);
/* An item of our own making, owned by the event. */
void build_event_add(struct build_event *ev, struct item *it);
void build_event_free(gpointer p);

/* build_file.c: items under turns. */
bool build_file_event(struct build *b, struct build_event *ev, int64_t now_ms,
    struct build_progress *p, struct err *err);
/*
 * A parked event is tried again: what it holds is filed, or it stays parked.
 * last: it killed the role meanwhile, so that nobody looks into it any more.
 */
bool build_file_again(struct build *b, const struct store_parked *of,
    bool last, int64_t now_ms, struct build_progress *p, struct err *err);
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

/* Where the ids of an item mean something; owned by the caller. */
char *build_realm(const struct item *it);

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

bool build_identity_begin(struct build *b, struct err *err);
/* When anything of the person was first seen; 0: never. */
bool build_identity_first(struct build *b, const char *realm,
    const char *person, int64_t *first_ms, struct err *err);
/* The name in the business's phone book; NULL: none. Owned by the caller. */
bool build_identity_contact(struct build *b, const struct item *it,
    const char *person, char **name, struct err *err);

/*
 * build_staff.c: who of the staff. While pending_until_ms is not 0, what was
 * asked of the directory role (kind, value: borrowed) may still be answered.
 */
struct build_staff {
	const struct directory_staff *staff;	/* until the next step */
	const GPtrArray *groups;	/* besides those of staff; or NULL */
	bool groups_unknown;
	int64_t pending_until_ms;
	const char *kind, *value;
};
bool build_staff_find(struct build *b, const struct item *it,
    const struct directory_business *biz, int64_t now_ms,
    struct build_staff *out, struct err *err);
bool build_staff_begin(struct build *b, struct err *err);
/* The turn is to be looked at again when the answer comes, or does not. */
void build_staff_wait(struct build *b, int64_t turn_id,
    const struct build_staff *s);
/* Those of which that is so now: int64_t, into out, at most limit. */
bool build_staff_look(struct build *b, int64_t now_ms, guint limit,
    GArray *out, struct err *err);
int64_t build_staff_next(const struct build *b);	/* INT64_MAX: none */
GHashTable *build_staff_cache(void);
GHashTable *build_staff_waits(void);

/* build_send.c: what a new item teaches for the sake of sends. */
bool build_send_begin(struct build *b, struct err *err);
bool build_send_note(struct build *b, struct build_event *ev,
    const struct item *it, const char *person, int64_t now_ms,
    struct err *err);
/*
 * The key of the record of unknown outcome whose send turned out to be the
 * message that the item is about; NULL: there is none. Owned by the caller.
 */
bool build_send_unknown(struct build *b, const struct item *it, char **key,
    struct err *err);
/* Of one send there may be several records: this one is not the first. */
bool build_send_is_later(const struct item *it);

/* build_judge.c: the bank's rules on a gathered turn. */
struct policy_verdict;
struct build_verdict {
	struct policy_verdict *all;	/* of the turn; NULL: there are no rules,
					   and none of a gateway's either */
	/* Of several items, those that something is taken from: struct
	   build_taken *; NULL: what `all` takes is taken from each. */
	GPtrArray *taken;
	bool holds;		/* a rule of ours, not only the gateway's */
};
struct build_taken {
	uint8_t key[HASH_SIZE];	/* store_key() of the item's */
	char *exclude;		/* the rule; or NULL */
	bool quarantine;
};
void build_verdict_clear(struct build_verdict *v);
/* The rule that keeps the item out of the journal, or NULL. */
const char *build_verdict_exclude(const struct build_verdict *v,
    const uint8_t key[HASH_SIZE]);
bool build_verdict_quarantine(const struct build_verdict *v,
    const uint8_t key[HASH_SIZE]);
struct build_case {
	const struct render_input *in;
	const char *person;
	const GPtrArray *groups;	/* besides those of the staff; or NULL */
	bool groups_unknown;
	int64_t judged_turn;	/* what was found then counts; 0: judge */
	bool is_late;		/* mails follow, by what is found now */
};
bool build_judge_begin(struct build *b, int64_t now_ms, struct err *err);
bool build_judge(struct build *b, const struct build_turn *t,
    const struct build_case *c, struct build_verdict *out, struct err *err);
/* What was found of a turn before. */
bool build_judge_recall(struct build *b, int64_t turn_id,
    struct build_verdict *out, struct err *err);
/* A verdict as render.h wants it; all borrows from the verdict. */
struct build_findings {
	GPtrArray *rules, *unsure, *not_here, *why, *reviews;
	char set[HASH_HEX_SIZE];
	struct render_policy shown;
};
void build_findings_fill(struct build_findings *f, const struct build_turn *t,
    const struct policy_verdict *v);
void build_findings_clear(struct build_findings *f);

/* Everything render.h needs for one turn, with what must be freed. */
struct build_gathered {
	GPtrArray *items;	/* struct item *, borrowed from the events */
	GPtrArray *events;	/* struct render_event *, owned */
	GPtrArray *media, *originals;	/* see render.h; NULL if none */
	GPtrArray *records;	/* struct item *, owned: in place of others */
	guint late;			/* files that are not here yet */
	char *parent, *number, *user_id, *person, *contact;
	const struct directory_business *business;
	struct build_staff staff;
	int64_t first_turn;		/* of a follow-up: that of its file */
	struct render_input in;
	struct build_verdict verdict;
	struct build_findings findings;
};

/*
 * build_withhold.c: what rules keep out of mails. The turn as a whole, or the
 * items that a rule excludes: a record takes their place, the others stay.
 */
void build_withhold(struct build *b, struct build_turn *t,
    struct build_gathered *g);
/*
 * Of an event only what is of this turn is attached: what else it holds may
 * be withheld from the journal, now or when its turn is judged.
 */
void build_withhold_events(struct build *b, struct build_gathered *g);
/* From now on it is to be minded that something was. */
void build_withhold_note(struct build *b);
bool build_withhold_begin(struct build *b, struct err *err);
/* Whether what is there must not be shown in the mail of another item. */
bool build_is_withheld(struct build *b, const struct store_place *at,
    const char *state, bool *is, struct err *err);

/* build_hold.c: turns that wait for a person. */
void build_hold(struct build *b, struct build_turn *t,
    const struct policy_verdict *v, int64_t now_ms);
/* The hold that turn_id (of t, or of its file) had before, into t->hold. */
bool build_hold_recall(struct build *b, struct build_turn *t, int64_t turn_id,
    struct err *err);
/* The next review to take up, or hold whose time is over. */
struct build_holds {
	int64_t review_id, turn_id;	/* 0: none */
};
bool build_holds_look(struct build *b, int64_t now_ms,
    struct build_holds *out, struct err *err);
bool build_holds_work(struct build *b, const struct build_holds *todo,
    int64_t now_ms, struct err *err);
/* Acts of persons on the turn, added to *out: struct item_fact. */
bool build_hold_reviews(struct build *b, int64_t turn_id, GPtrArray **out,
    struct err *err);

/*
 * build_again.c: *same, whether the item differs from the first one under its
 * key in nothing but links to files.
 */
bool build_says_the_same(struct build *b, const struct item *it, bool *same,
    struct err *err);

/* build_redo.c: what persons want done about what is parked. */
struct build_redo {
	int64_t id;			/* 0: nothing */
	int64_t turn_id, event_id;	/* both 0: nothing for build */
	char *who;
	bool killed;		/* it was tried poison_deaths times, */
	bool last;		/* or this once more */
};
bool build_redo_look(struct build *b, struct build_redo *out,
    struct err *err);
bool build_redo_work(struct build *b, const struct build_redo *todo,
    int64_t now_ms, struct build_progress *p, struct err *err);

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
	GArray *staffed;	/* int64_t: and those who waited for staff */
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
bool build_originals(struct build *b, const struct build_turn *t,
    const GPtrArray *items, GPtrArray **originals, struct err *err);
void build_original_drop(GPtrArray *originals, guint i);

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
/* verdict NULL: the journals of the business alone. */
bool build_post(struct build *b, struct build_turn *t,
    const struct render_input *in, const struct policy_verdict *verdict,
    int64_t now_ms, struct err *err);
/* The alerts of a turn that is held: its mail may be long in coming. */
bool build_alert(struct build *b, struct build_turn *t,
    const struct render_input *in, const struct policy_verdict *verdict,
    int64_t now_ms, struct err *err);
/*
 * The mail of last resort of an event, to the catch-all journal, in a turn of
 * its own: *turn_id.
 */
bool build_post_last(struct build *b, const struct build_event *ev,
    const char *why, int64_t now_ms, int64_t *turn_id, struct err *err);
