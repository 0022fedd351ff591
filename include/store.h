/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store, by domain verbs. Roles meet only here.
 *
 * One file per writing role; its owner writes, all others read. A struct
 * store is one role's view: the file it owns for writing and the others
 * read-only. Not thread-safe: one thread uses it (that of the role).
 *
 * Writes happen between store_begin() and store_commit(). They are sticky:
 * after the first failure all further writes of the transaction do nothing,
 * and store_commit() rolls back and reports that first failure. After a
 * commit that returned true the writes survive a power cut.
 *
 * Errors of all verbs: ERR_TEMP "store.busy", "store.full" (disk full),
 * "store.readonly", "store.io"; ERR_PERM "store.corrupt", and "store.state":
 * what the caller asks contradicts what is stored (an item twice, a turn that
 * is not open); ERR_CONF "store.open", "store.version" (written by a newer
 * chatjournal), and "store.missing" (not prepared). ERR_UNSURE "store.commit":
 * the outcome of the commit is unknown (a remote driver lost its connection).
 *
 * Borrowed data passed to callbacks lives until the callback returns. A
 * callback that returns false ends the listing early, which is no error. It
 * may call other verbs, but not the one that called it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hash.h"
#include "turn.h"

struct err;
struct store;

enum store_file { STORE_INTAKE, STORE_MEDIA, STORE_BUILD, STORE_DELIVER,
	STORE_ADMIN, STORE_GATEWAY, STORE_DIRECTORY, STORE_FILES,
	STORE_NONE = STORE_FILES,	/* owns nothing: reads only */
	STORE_ALL			/* one process owns all (memory) */ };

/*
 * uri: "sqlite:/directory", or "sqlite::memory:" with STORE_ALL.
 * store_prepare() creates what is missing, upgrades old schemas and checks
 * every file (quick_check, at most half a minute for each, the big tables
 * last); nothing else may be running. progress (may be NULL) is called about
 * every second, by another thread.
 */
bool store_prepare(const char *uri, void (*progress)(void *), void *arg,
    struct err *err);
bool store_open(const char *uri, enum store_file owns, struct store **out,
    struct err *err);
void store_close(struct store *st);	/* NULL is fine; rolls back */

/*
 * Directories of the store for what is too large for a database: media files
 * (written by the media role), mails, uploads (by the gateway), and a spool
 * for all, all on one file system. Absolute; a store in memory has a temporary
 * one that goes with it. store_prepare() empties the spool, but for the media
 * role's "media-…", and removes files that no row knows: "ab/cd/SHA-256" of
 * media, mails and uploads, and "quarantine/SHA-256" of media.
 */
enum store_dir { STORE_DIR_MEDIA, STORE_DIR_MAIL, STORE_DIR_SPOOL,
	STORE_DIR_UPLOAD, STORE_DIRS };
const char *store_dir(struct store *st, enum store_dir which);

void store_begin(struct store *st);
bool store_commit(struct store *st, struct err *err);
void store_rollback(struct store *st);

/* ---- events: written by intake ---------------------------------------- */

struct store_event {
	int64_t id;		/* set by the store; grows by commit order */
	int64_t received_ms;
	const char *remote;
	const char *secret_name;	/* which app secret proved it */
	const char *signature;
	uint8_t sha256[HASH_SIZE];
	const void *body;	/* NULL once purged */
	size_t len;
};
typedef bool store_event_fn(void *arg, const struct store_event *ev);

bool store_event_add(struct store *st, const struct store_event *ev,
    int64_t *id);
/* Events with id > after, in order, at most limit and about max_bytes. */
bool store_event_list(struct store *st, int64_t after, int limit,
    size_t max_bytes, store_event_fn *fn, void *arg, struct err *err);
/* One event; fn is not called when there is none. */
bool store_event_get(struct store *st, int64_t id, store_event_fn *fn,
    void *arg, struct err *err);
/*
 * Forgets the bodies of events received before, that build has read and all
 * of whose mails were sent. *n: how many. Looks at no more than limit events
 * it has not seen and limit it once went past; where it can get no further
 * *n is 0. Outside a transaction it is one of its own.
 */
bool store_event_purge(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err);

/* ---- progress, and the poison rule: build and deliver ------------------ */

/*
 * Build's cursor of this name is the event up to which everything is filed;
 * purge, status and the conservation law go by it.
 */
#define STORE_CURSOR_EVENTS "webhook"
/*
 * Deliver's cursor "JOURNAL/done": every mail of the journal up to it has an
 * outcome. The law checks it; status and lists go by it.
 */
#define STORE_CURSOR_DONE "/done"

/* 0 when never set. The name is the caller's ("webhook", "archive/fresh"). */
bool store_cursor_get(struct store *st, enum store_file file,
    const char *name, int64_t *value, struct err *err);
bool store_cursor_set(struct store *st, enum store_file file,
    const char *name, int64_t value);

/* What is being worked on, committed before the work begins. */
struct store_claim {
	int64_t first, last;	/* 0, 0: no claim */
	int64_t deaths;		/* restarts that found this claim */
};
bool store_claim_get(struct store *st, enum store_file file,
    const char *name, struct store_claim *out, struct err *err);
/* first == 0 removes it. */
bool store_claim_set(struct store *st, enum store_file file,
    const char *name, const struct store_claim *claim);

/* ---- items and turns: written by build --------------------------------- */

struct store_item {
	const char *key;	/* struct item's; stored as a digest */
	int64_t event_id;
	const char *id;		/* wamid or NULL */
	const char *target;	/* or NULL */
	const char *kind, *type;
	int64_t at_ms;
	uint8_t digest[HASH_SIZE];	/* of the item's raw JSON */
	int64_t turn_id;	/* 0: only recorded, a receipt that nobody
				   wants mailed */
};

enum store_seen { STORE_NEW, STORE_SAME, STORE_DIFFERS };
/* Whether an item with this key is there, with these or other bytes. */
bool store_item_seen(struct store *st, const char *key,
    const uint8_t digest[HASH_SIZE], enum store_seen *out, struct err *err);
bool store_item_add(struct store *st, const struct store_item *it);
/* A redelivery: which event repeated the item of this key. */
bool store_sighting_add(struct store *st, const char *key, int64_t event_id,
    int64_t at_ms, bool same_bytes);

/*
 * Other bytes than the first under this key, by their digest. *nth: which of
 * the different ones they are, from 1; *is_new: they were not seen before.
 */
#define STORE_VARIANTS_MAX 5	/* so many of an item are journaled */
bool store_variant_add(struct store *st, const char *key,
    const uint8_t digest[HASH_SIZE], int64_t event_id, int64_t at_ms,
    int64_t *nth, bool *is_new, struct err *err);
/* They are journaled by this turn. */
bool store_variant_filed(struct store *st, const char *key,
    const uint8_t digest[HASH_SIZE], int64_t turn_id);

/* The bare Message-ID of the rendered turn that holds the item; NULL: none. */
bool store_item_message_id(struct store *st, const char *key, char **out,
    struct err *err);

/* Where an item is to be found. */
struct store_place {
	int64_t event_id;	/* 0: there is no such item */
	int64_t turn_id;
	int64_t at_ms;
	uint8_t key[HASH_SIZE];
};
bool store_item_find(struct store *st, const char *key,
    struct store_place *out, struct err *err);
/* Items of this kind ("edit") about the message with this id, by order of
 * filing: an array of struct store_place. */
bool store_item_about(struct store *st, const char *target, const char *kind,
    GArray **out, struct err *err);

/*
 * Kinds of events that this version does not know: counted by field and
 * Meta's own word. *first (may be NULL): it was never seen before.
 */
bool store_novelty_add(struct store *st, const char *field, const char *word,
    int64_t at_ms, bool *first, struct err *err);

/* Person under which an id ("u:…", "n:…") is known; *out NULL: unknown. */
bool store_alias_get(struct store *st, const char *network, const char *id,
    char **person, struct err *err);
bool store_alias_set(struct store *st, const char *network, const char *id,
    const char *person, int64_t at_ms);
/* Another id of the same person with this prefix ("n:"), newest; or NULL. */
bool store_alias_other(struct store *st, const char *network,
    const char *person, const char *prefix, char **id, struct err *err);

/*
 * The history of what is known of persons: which value ("5511…", "BR.5Qe…",
 * a username, a name) was whose, from when until when. Written by build.
 */
struct store_identity {
	const char *realm, *person;
	const char *kind;	/* "number", "user-id", "parent-user-id",
				   "username", "name" */
	const char *value;
	const char *source;	/* "message", "contact", "system", "update" … */
	int64_t first_ms;	/* event time */
	int64_t until_ms;	/* 0: it still holds */
	bool is_first;		/* to add: nothing is known of the person yet,
				   which saves a search */
};
typedef bool store_identity_fn(void *arg, const struct store_identity *id);
/*
 * Holds from first_ms on; ended later by store_identity_end(). What is known
 * to have held then is not added again; what is known to hold only later is
 * known from then on.
 */
bool store_identity_add(struct store *st, const struct store_identity *id);
/* Does nothing when it does not hold. */
bool store_identity_end(struct store *st, const char *realm,
    const char *person, const char *kind, const char *value,
    int64_t until_ms);
/* What holds of a person now, of this kind (NULL: all); newest first. */
bool store_identity_now(struct store *st, const char *realm,
    const char *person, const char *kind, store_identity_fn *fn, void *arg,
    struct err *err);
/*
 * Whose the value was at that time, of several who had it last; *person NULL:
 * nobody's that is known.
 */
bool store_identity_owner(struct store *st, const char *realm,
    const char *kind, const char *value, int64_t at_ms, char **person,
    struct err *err);
/*
 * The whole history, by time, of every person that ever had this value, be it
 * number, user id, username or name (also with "+" or "@" before it).
 * Usernames are the same in upper and lower case, here and above.
 */
bool store_identity_trace(struct store *st, const char *value,
    store_identity_fn *fn, void *arg, struct err *err);

/* Open turns of a conversation, oldest first: an array of struct turn *. */
bool store_turn_open_list(struct store *st, const char *conversation,
    GPtrArray **out, struct err *err);
/* Open turns whose close_at_ms has come, at most limit. */
bool store_turn_due_list(struct store *st, int64_t now_ms, int limit,
    GPtrArray **out, struct err *err);
/* Earliest close_at_ms of all open turns; INT64_MAX when there is none. */
bool store_turn_next_due(struct store *st, int64_t *out, struct err *err);
/* Sets t->id. reason TURN_STILL_OPEN: open, else closed at once. */
bool store_turn_add(struct store *st, struct turn *t, const char *business,
    const char *kind, enum turn_close_reason reason);
bool store_turn_update(struct store *st, const struct turn *t);
bool store_turn_close(struct store *st, int64_t turn_id,
    enum turn_close_reason reason, int64_t now_ms);
/*
 * The closed turn's files are still wanted: until then at the latest. Called
 * again it sets another time; being rendered or parked ends it.
 */
bool store_turn_wait(struct store *st, int64_t turn_id, int64_t until_ms);
/* Waiting turns whose time is over, longest first, at most limit: an array of
 * int64_t. */
bool store_turn_wait_due(struct store *st, int64_t now_ms, int limit,
    GArray **out, struct err *err);
/* INT64_MAX when none waits. */
bool store_turn_wait_next(struct store *st, int64_t *out, struct err *err);
/*
 * state: "open", "closed", "held", "rendered", "parked"; out is the caller's
 * to clear.
 * *message_id (may be NULL) is the caller's, NULL unless rendered. When there
 * is no such turn, out->id is 0 and state is empty.
 */
bool store_turn_get(struct store *st, int64_t turn_id, struct turn *out,
    char state[16], char **message_id, struct err *err);
/* Closed, not yet rendered nor parked: after a crash or while waiting. */
bool store_turn_closed_list(struct store *st, int64_t after, int limit,
    GPtrArray **out, struct err *err);

struct store_turn_item {
	int64_t event_id;
	uint8_t key[HASH_SIZE];	/* store_key() of the item's key */
};
/* Into an array of struct store_turn_item, by order of filing. */
bool store_turn_item_list(struct store *st, int64_t turn_id, GArray **out,
    struct err *err);
/* The digest under which the store keeps a key (SHA-256). */
void store_key(const char *key, uint8_t out[HASH_SIZE]);

bool store_turn_rendered(struct store *st, int64_t turn_id,
    const char *message_id, const uint8_t sha256[HASH_SIZE], int64_t now_ms);
/* Needs a person; shown by status and list. */
bool store_turn_park(struct store *st, int64_t turn_id, const char *reason,
    int64_t now_ms);
/*
 * A parked turn is closed again, to be rendered in this transaction (or parked
 * again, or to wait for its files). Why it was parked is kept for trace.
 */
bool store_turn_unpark(struct store *st, int64_t turn_id);
/*
 * The event could not be understood; its raw notice is filed under turn_id.
 * Of one that is parked it sets turn_id and reason.
 */
bool store_event_park(struct store *st, int64_t event_id, int64_t turn_id,
    const char *reason, int64_t now_ms);
/* It was understood after all: its items are filed in this transaction. */
bool store_event_unpark(struct store *st, int64_t event_id, int64_t now_ms);
struct store_parked {
	int64_t event_id, turn_id, at_ms;
	int64_t ended_ms;	/* 0: it is parked */
	const char *reason;
};
typedef bool store_parked_fn(void *arg, const struct store_parked *p);
/* fn is not called when the event never was parked. */
bool store_parked_get(struct store *st, int64_t event_id,
    store_parked_fn *fn, void *arg, struct err *err);

/* ---- files of messages: wanted by build, fetched by media -------------- */

/* A file that belongs to an item; build writes one for each. */
struct store_want {
	int64_t id;		/* set by the store, in order of filing */
	int64_t turn_id, event_id;
	uint8_t key[HASH_SIZE];	/* of the item: store_key() */
	int64_t ordinal;	/* which of the item's files, from 0 */
	const char *business;	/* phone_number_id, or NULL */
	const char *media_id;
	const char *url, *mime_type, *sha256;	/* as declared, or NULL */
	int64_t at_ms, wanted_ms;
	bool late;		/* see store_want_late(); false when added */
};
enum store_fetch_state {
	STORE_FETCH_NONE,	/* the media role has not looked at it yet */
	STORE_FETCH_TRYING,	/* under work: committed before the work */
	STORE_FETCH_RETRY,	/* next_ms */
	/* final, never overwritten: */
	STORE_FETCHED, STORE_QUARANTINED, STORE_UNAVAILABLE,
};
struct store_fetch {
	int64_t want_id;
	enum store_fetch_state state;
	int64_t attempts, deaths, first_ms, next_ms, done_ms;
	uint8_t sha256[HASH_SIZE];
	int64_t size;
	const char *path;	/* relative to STORE_DIR_MEDIA, or NULL */
	const char *type, *verdict, *reason;	/* or NULL */
	bool hash_differs, type_differs;
	int64_t length_ms;	/* of a recording; 0: not known */
	int64_t number;		/* set by the store: grows by one for each that
				   becomes final; 0 until then */
};
/* fetch is never NULL: state STORE_FETCH_NONE where there is none. */
typedef bool store_want_fn(void *arg, const struct store_want *want,
    const struct store_fetch *fetch);

bool store_want_add(struct store *st, const struct store_want *w,
    int64_t *id);
/* Wants with id > after, by id. */
bool store_want_list(struct store *st, int64_t after, int limit,
    store_want_fn *fn, void *arg, struct err *err);
/* Those of one turn, by id. */
bool store_want_of_turn(struct store *st, int64_t turn_id, store_want_fn *fn,
    void *arg, struct err *err);
/* Those of one id of the network's, by id. */
bool store_want_of_media(struct store *st, const char *media_id,
    store_want_fn *fn, void *arg, struct err *err);
/* One want; fn is not called when there is none. */
bool store_want_get(struct store *st, int64_t id, store_want_fn *fn,
    void *arg, struct err *err);
/* Those to be tried again by now (RETRY), or found TRYING after a crash
 * (state picks), longest due first. */
bool store_fetch_list(struct store *st, enum store_fetch_state state,
    int64_t now_ms, int limit, store_want_fn *fn, void *arg,
    struct err *err);
/* Earliest next_ms of those to be tried again; INT64_MAX: none. */
bool store_fetch_next_due(struct store *st, int64_t *out, struct err *err);
/* Replaces the fetch of the want; one that is final stays as it is. */
bool store_fetch_set(struct store *st, const struct store_fetch *f);
/*
 * Final fetches with number > after, in the order they became so. Build's
 * cursor STORE_CURSOR_FETCHED says how far it has taken them up.
 */
#define STORE_CURSOR_FETCHED "fetched"
bool store_result_list(struct store *st, int64_t after, int limit,
    store_want_fn *fn, void *arg, struct err *err);
/* The mail of its turn went out without it: the outcome needs a follow-up. */
bool store_want_late(struct store *st, int64_t want_id);
/* A turn of kind "media": it brings the outcome of this want after the mail
 * of the turn that the want belongs to. */
bool store_follow_up_add(struct store *st, int64_t turn_id, int64_t want_id);
/* The want of a follow-up turn; 0 when it is none. */
bool store_follow_up_get(struct store *st, int64_t turn_id, int64_t *want_id,
    struct err *err);
/*
 * Forgets files that every mail with them was sent before, as
 * store_event_purge(), by the media role: the path of the fetch becomes NULL,
 * and the file goes with the last want that has it. A file that one under
 * work (STORE_FETCH_TRYING) may turn out to be stays for now.
 */
bool store_media_purge(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err);

struct store_mail {
	int64_t id, turn_id, content_id;
	const char *journal;
	const char *message_id;
	const char *envelope_from, *envelope_to;
	int64_t queued_ms;
	uint8_t sha256[HASH_SIZE];
	const void *bytes;	/* NULL once purged, or when it is a file */
	const char *file;	/* absolute path of a large one, else NULL */
	size_t len;
	int64_t attempts;	/* failures so far (from deliver) */
	int64_t first_ms;	/* of the first attempt, 0: none */
};
typedef bool store_mail_fn(void *arg, const struct store_mail *m);

bool store_content_add(struct store *st, int64_t turn_id, const void *bytes,
    size_t len, const uint8_t sha256[HASH_SIZE], int64_t *content_id);
/*
 * The same for a mail in a file of STORE_DIR_SPOOL, which is moved, durably,
 * to its place before this returns. Should the transaction fail, the file is
 * gone all the same (store_prepare() sweeps what no row knows), so a retry
 * begins with rendering it.
 */
bool store_content_add_file(struct store *st, int64_t turn_id,
    const char *path, size_t len, const uint8_t sha256[HASH_SIZE],
    int64_t *content_id);
/* Uses turn_id, content_id, journal, message_id, envelope, queued_ms. */
bool store_mail_add(struct store *st, const struct store_mail *m,
    int64_t *id);
/* Forgets contents all of whose mails were sent before; as event_purge. */
bool store_content_purge(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err);

/* ---- delivery: written by deliver --------------------------------------- */

/* Mails of a journal with first <= id <= last and no outcome, by id. */
bool store_mail_pending(struct store *st, const char *journal, int64_t first,
    int64_t last, int limit, store_mail_fn *fn, void *arg, struct err *err);
/*
 * Deferred mails whose next_ms has come, oldest mail first; of hundreds, the
 * oldest among those that have been due for longest.
 */
bool store_mail_due(struct store *st, const char *journal, int64_t now_ms,
    int limit, store_mail_fn *fn, void *arg, struct err *err);
/* Earliest next_ms of deferred mails of the journal; INT64_MAX: none. */
bool store_mail_next_due(struct store *st, const char *journal, int64_t *out,
    struct err *err);
/*
 * Deferred mails of the journal that were put off beyond far_ms, because the
 * clock was set back since, are due at now_ms.
 */
bool store_mail_hurry(struct store *st, const char *journal, int64_t far_ms,
    int64_t now_ms);
/* Highest mail id of the journal, 0 if none. */
bool store_mail_last(struct store *st, const char *journal, int64_t *out,
    struct err *err);
bool store_mail_get(struct store *st, int64_t id, store_mail_fn *fn,
    void *arg, struct err *err);

enum store_outcome_state { STORE_SENT, STORE_DEFERRED, STORE_FAILED };
struct store_outcome {
	int64_t mail_id;
	const char *journal;
	enum store_outcome_state state;
	int64_t attempts, first_ms, last_ms, next_ms;
	int code;
	const char *reply;
};
/* Replaces the mail's outcome. STORE_SENT is final: never overwritten. */
bool store_outcome_set(struct store *st, const struct store_outcome *o);
/* A history line for trace: an attempt that did not end in acceptance. */
bool store_attempt_add(struct store *st, int64_t mail_id, int64_t at_ms,
    const char *result, int code, const char *reply);
bool store_relay_set(struct store *st, const char *name, bool up,
    int64_t since_ms, int64_t next_ms, const char *reason);

/* ---- acts of a person: written by the admin tool ------------------------ */

struct store_action {
	int64_t id, at_ms;
	const char *who, *verb;	/* "retry" */
	int64_t mail_id;	/* 0: all failed ones */
	const char *journal;	/* or NULL */
};
typedef bool store_action_fn(void *arg, const struct store_action *a);
bool store_action_add(struct store *st, const struct store_action *a,
    int64_t *id);
bool store_action_list(struct store *st, int64_t after, store_action_fn *fn,
    void *arg, struct err *err);
/*
 * What a person wants done about what is parked, or about a failed mail: just
 * one of mail, turn and event is not 0. "retry" is for build, of a turn or an
 * event; a mail is retried by an action. "acknowledge" changes nothing: status
 * and lists say so of what is parked, or failed, until it is no more.
 */
struct store_request {
	int64_t id, at_ms;
	const char *who, *verb;		/* "retry", "acknowledge" */
	int64_t mail_id, turn_id, event_id;
	const char *why;
};
typedef bool store_request_fn(void *arg, const struct store_request *r);
bool store_request_add(struct store *st, const struct store_request *r,
    int64_t *id);
/* By id, for build's cursor "request". */
bool store_request_list(struct store *st, int64_t after, int limit,
    store_request_fn *fn, void *arg, struct err *err);

/* Failed mails of a journal (NULL: any) with id > after. */
bool store_mail_failed(struct store *st, const char *journal, int64_t after,
    int limit, store_mail_fn *fn, void *arg, struct err *err);

/* ---- looking, for the admin tool ---------------------------------------- */

struct store_journal_status {
	char journal[64];
	int64_t queued, sent, deferred, failed, pending;
	int64_t acknowledged;	/* of the failed ones */
	int64_t oldest_ms;	/* queued_ms of the oldest not sent; 0: none */
};
struct store_relay_status {
	char name[64];
	bool up;
	int64_t since_ms, next_ms;
	char reason[512];
};
/* The directory server, as its role last found it. */
struct store_server_status {
	bool is_known;		/* it was asked at all */
	bool up;
	int64_t since_ms, next_ms;
	char reason[512];
};
struct store_novelty {
	char field[64], word[64];
	int64_t count, first_ms, last_ms;
};
struct store_status {
	int64_t events, events_unread, events_parked, events_purged;
	int64_t events_acknowledged, turns_acknowledged;	/* of the parked */
	int64_t oldest_unread_ms;
	int64_t items, sightings, sightings_differ;
	int64_t variants;	/* different bytes among those that differ */
	int64_t variants_unsent;	/* of these: only counted */
	int64_t turns_open, turns_closed, turns_rendered, turns_parked;
	int64_t turns_waiting;	/* of the closed ones: for files */
	int64_t turns_held;
	int64_t records, records_unread;	/* of the gateway */
	int64_t sends_stored, sends_forwarding, sends_held, sends_done;
	int64_t sends_unknown;	/* done, outcome unknown, not resolved yet */
	int64_t turns_excluded;	/* of the rendered: journaled as a record */
	int64_t files_wanted, files_fetched, files_quarantined,
	    files_unavailable;	/* wanted: not final yet */
	GArray *novelties;	/* struct store_novelty: most frequent first,
				   at most 100 */
	GArray *journals;	/* struct store_journal_status */
	GArray *relays;		/* struct store_relay_status */
	struct store_server_status server;
	int64_t asks_waiting;	/* no answer yet since they were asked */
	int64_t asks_old;	/* of these: an older answer is used */
};
bool store_status(struct store *st, struct store_status *out,
    struct err *err);
void store_status_clear(struct store_status *s);

/*
 * The conservation law over the whole store: every item filed is in a turn,
 * but for receipts that are only recorded; every turn is open, closed, parked
 * or rendered; a turn without items is a follow-up, or shows a parked event; a
 * closed one waits for files; every want has a turn, and one that is final and
 * that build has taken up is in the mail of its turn or in a follow-up; every
 * rendered turn has a mail; every mail is pending, sent, deferred or failed;
 * every event is unread, or has items or sightings or is parked; no cursor is
 * past what is pending or unread; files that are still needed are there and as
 * long as they should be. Held turns are in no other state, and have a hold that
 * has not ended; every send is stored, forwarding, held or done, and a done or
 * held one has a record; records are read as events are. *ok and, if not, why.
 */
bool store_law_check(struct store *st, bool *ok, char **why,
    struct err *err);

enum store_list_what { STORE_LIST_PENDING, STORE_LIST_SENT,
	STORE_LIST_DEFERRED, STORE_LIST_FAILED, STORE_LIST_PARKED,
	STORE_LIST_OPEN, STORE_LIST_HELD,
	STORE_LIST_FILES,	/* not final yet, and unavailable ones */
	STORE_LIST_DIFFERING,	/* other bytes under the key of an item */ };
/*
 * One line for a list: of a mail, of a parked event or turn (mail_id 0), of
 * a file (want_id), or of what differs (variant_id). A listing goes on after
 * the id of what it lists.
 */
struct store_row {
	int64_t mail_id, turn_id, event_id, want_id, variant_id;
	const char *journal, *message_id, *state, *reason;
	int64_t at_ms, attempts, next_ms;
	const char *acknowledged;	/* "WHO: WHY" the last time, or NULL */
	/* of what differs: the id of its message, and digests, in hex, of the
	   bytes that came first and of these; attempts: how often they came */
	const char *wamid, *first, *digest;
};
typedef bool store_row_fn(void *arg, const struct store_row *row);
bool store_list(struct store *st, enum store_list_what what,
    const char *journal, int64_t after, int limit, store_row_fn *fn,
    void *arg, struct err *err);

/*
 * Everything that happened to one message, by time: id is a wamid, a
 * Message-ID (with or without < >) or "mail:N", "turn:N", "event:N",
 * "send:KEY".
 */
struct store_fact {
	int64_t at_ms;
	const char *what;	/* "asked" and "answered" (of a send),
				   "received", "filed", "recorded", "repeated",
				   "changed", "closed", "rendered", "queued", "attempt",
				   "sent", "deferred", "failed", "parked",
				   "retry", "acknowledge", "understood",
				   "wanted", "fetched", "unavailable",
				   "quarantined", "follow-up", "held",
				   "released", "rejected", "expired",
				   "excluded", and of persons "release" and
				   "reject" */
	int64_t event_id, turn_id, mail_id;
	const char *detail;	/* key=value pairs, or NULL */
};
typedef bool store_fact_fn(void *arg, const struct store_fact *f);
bool store_trace(struct store *st, const char *id, store_fact_fn *fn,
    void *arg, struct err *err);

/* ---- what passed the gateway: written by it ----------------------------- */

/*
 * Records: what the gateway tells build, as events. Their ids are above
 * STORE_EVENT_GATEWAY, so that an id says where it belongs: every verb takes
 * either kind, and store_event_list() lists records in order when `after` is
 * at least this. secret_name is the application, signature "".
 */
#define STORE_EVENT_GATEWAY INT64_C(1000000000000000)
/* Build's cursor of records, as STORE_CURSOR_EVENTS is of events. */
#define STORE_CURSOR_RECORDS "gateway"
bool store_record_add(struct store *st, const struct store_event *ev,
    int64_t *id);
/*
 * As store_event_purge(), of records. Of a send go with it request and answer,
 * its template's words, and "additions" and "tallies" of the verdict, which
 * hold words and persons; what else the verdict says stays.
 */
bool store_record_purge(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err);

enum store_send_state {
	STORE_SEND_STORED,	/* durable; may wait for its turn, its journal */
	STORE_SEND_FORWARDING,	/* it may be on its way: committed before */
	STORE_SEND_HELD,	/* until a person releases it, or until_ms */
	STORE_SEND_DONE,	/* final: record_id has what became of it */
	STORE_SEND_STATES
};
struct store_send {
	int64_t id;		/* set by the store */
	/* 32 lower-case hex digits, names it for ever. The first ones are best
	   its time, so that keys grow: random ones cost a page each. */
	const char *key;
	enum store_send_state state;
	const char *application, *employee, *remote;	/* employee may be NULL */
	const char *business;		/* phone_number_id */
	const char *method;		/* NULL: not known */
	const char *target;		/* path and query */
	const char *content_type;	/* or NULL */
	/* digest of application and Idempotency-Key; NULL: none was given, or
	   it is forgotten */
	const uint8_t *idempotency;
	uint8_t sha256[HASH_SIZE];	/* of request */
	const void *request;		/* NULL once purged */
	size_t request_len;
	const void *sent;		/* NULL: the request itself */
	size_t sent_len;
	const char *verdict;		/* JSON, or NULL */
	const char *definition;		/* JSON of its template, or NULL */
	int64_t received_ms, changed_ms;
	int64_t until_ms, persons;	/* of a hold; else 0 */
	const char *outcome;		/* gateway_outcome_name() of the last
					   record; NULL: none yet */
	int status;			/* what the caller was answered */
	const void *answer;		/* or NULL */
	size_t answer_len;
	const char *wamid;		/* or NULL */
	int64_t first_record_id, record_id;	/* 0: none yet */
};
typedef bool store_send_fn(void *arg, const struct store_send *s);
/*
 * All members but id count. "store.state": the key is there already, or it is
 * no key; it is HELD or DONE without a record; there is no such record.
 */
bool store_send_add(struct store *st, const struct store_send *s,
    int64_t *id);
/*
 * Sets state, sent, verdict, changed_ms, until_ms, persons, outcome, status,
 * answer, wamid, first_record_id, record_id of s->id; what is NULL or 0 stays
 * as it was, but until_ms. "store.state" when it is DONE already, there is
 * none, or as above.
 */
bool store_send_set(struct store *st, const struct store_send *s);
/* This one and the next call fn at most once. */
bool store_send_by_key(struct store *st, const char *key, store_send_fn *fn,
    void *arg, struct err *err);
/*
 * The latest received after since_ms. Which sends came before that time is
 * forgotten some time after: since_ms is to grow.
 */
bool store_send_by_idempotency(struct store *st,
    const uint8_t idempotency[HASH_SIZE], int64_t since_ms,
    store_send_fn *fn, void *arg, struct err *err);
/* By id, of one state. */
bool store_send_list(struct store *st, enum store_send_state state,
    int64_t after, int limit, store_send_fn *fn, void *arg, struct err *err);
/*
 * Whether all mails made of this record are accepted by their journals; false
 * while it is not filed or rendered yet.
 */
bool store_record_is_sent(struct store *st, int64_t record_id, bool *sent,
    struct err *err);

/* A file that staff uploaded: in STORE_DIR_UPLOAD, durable before its row. */
struct store_upload {
	const char *media_id;	/* Meta's, from the answer */
	const char *business, *application, *employee;	/* employee or NULL */
	uint8_t sha256[HASH_SIZE];
	int64_t size, at_ms;
	const char *path;	/* relative to STORE_DIR_UPLOAD; NULL: gone */
	const char *name, *type, *verdict;	/* or NULL */
};
typedef bool store_upload_fn(void *arg, const struct store_upload *u);
bool store_upload_add(struct store *st, const struct store_upload *u);
/*
 * The same for a file in STORE_DIR_SPOOL, which is moved, durably, to its
 * place before this returns; u->path does not count. Should the transaction
 * fail, the same may be tried again. A file that is in neither place is none:
 * the upload has no path, and the network still has it.
 */
bool store_upload_add_file(struct store *st, const struct store_upload *u,
    const char *spooled);
/* The latest of this id; fn is not called when there is none. */
bool store_upload_get(struct store *st, const char *media_id,
    store_upload_fn *fn, void *arg, struct err *err);
/*
 * Forgets files (not rows) of before; those another upload has stay. Who put a
 * file in its place himself must not purge before its row is there.
 */
bool store_upload_purge(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err);

/* Definitions of templates, with the time from which each was seen to hold. */
struct store_definition {
	const char *account, *name, *language;
	int64_t from_ms;	/* when this wording was first seen */
	int64_t checked_ms;	/* when the network was last asked */
	const char *json;	/* NULL: the network knows no such template */
};
typedef bool store_definition_fn(void *arg, const struct store_definition *d);
/*
 * A new version if json differs from the latest, which it is always younger
 * than; else checked_ms moves on.
 */
bool store_definition_set(struct store *st, const struct store_definition *d);
/* What held at that time; fn is not called when nothing is known. */
bool store_definition_get(struct store *st, const char *account,
    const char *name, const char *language, int64_t at_ms,
    store_definition_fn *fn, void *arg, struct err *err);

/* The latest wording may have changed: its checked_ms is 0 from now on. */
bool store_definition_doubt(struct store *st, const char *account,
    const char *name, const char *language);
/* In which languages something is known of it, each once. */
typedef bool store_language_fn(void *arg, const char *language);
bool store_definition_languages(struct store *st, const char *account,
    const char *name, store_language_fn *fn, void *arg, struct err *err);

/* ---- what rules remember: of build, and of the gateway ------------------- */

/*
 * file: STORE_BUILD or STORE_GATEWAY; the caller's own to write. Each counts
 * what it judged itself.
 */
bool store_tally_add(struct store *st, enum store_file file,
    const char *rule, const char *subject, const char *who, int64_t at_ms);
/*
 * Different ones since then (inclusive); `who` (may be NULL) counts even if
 * not added. Counts no further than to *n as it is given; 0: all, which costs
 * time for each.
 */
bool store_tally_count(struct store *st, enum store_file file,
    const char *rule, const char *subject, const char *who, int64_t since_ms,
    int64_t *n, struct err *err);
bool store_tally_purge(struct store *st, enum store_file file,
    int64_t before_ms, int limit, int64_t *n, struct err *err);
/* When a text was last given: of the gateway. 0: never. Only moves on. */
bool store_told_set(struct store *st, const char *rule, const char *talk,
    int64_t at_ms);
bool store_told_get(struct store *st, const char *rule, const char *talk,
    int64_t *at_ms, struct err *err);

/* ---- policy: written by build --------------------------------------------- */

/* The rule sets that were in force, with their texts; known ones get last_ms. */
bool store_ruleset_set(struct store *st, const uint8_t sha256[HASH_SIZE],
    const void *text, size_t len, int64_t at_ms);
struct store_ruleset {
	uint8_t sha256[HASH_SIZE];
	int64_t first_ms, last_ms;
	const void *text;
	size_t len;
};
typedef bool store_ruleset_fn(void *arg, const struct store_ruleset *r);
/* By first_ms. */
bool store_ruleset_list(struct store *st, store_ruleset_fn *fn, void *arg,
    struct err *err);

/*
 * What was found of a turn; kept only where a rule fired, or where mails that
 * follow go by it. JSON: policy.h.
 * Set again it is replaced.
 */
bool store_judged_set(struct store *st, int64_t turn_id, const char *json);
/* *json NULL: nothing is kept, or no such turn. Owned by the caller. */
bool store_judged_get(struct store *st, int64_t turn_id, char **json,
    struct err *err);

/*
 * The mail of this turn is only a record that there was something, or is so of
 * some of its items: why (a rule, a rejection). Of a closed turn that is
 * rendered in this transaction, or was; once.
 */
bool store_turn_excluded(struct store *st, int64_t turn_id, const char *why,
    int64_t now_ms);

/* A turn that a rule withholds: state "held". */
struct store_hold {
	int64_t turn_id;
	const char *rule;
	int64_t since_ms, until_ms, persons;
	int64_t ended_ms;	/* 0: it is held */
	const char *end;	/* "released", "rejected", "expired", "parked";
				   or NULL */
};
typedef bool store_hold_fn(void *arg, const struct store_hold *h);
/*
 * A closed turn becomes held, and waits for its files no more. Once: a hold
 * that ended has been decided, so that a turn cannot be held for ever. It has
 * an end: until_ms is after since_ms. store_turn_park() ends it, too.
 */
bool store_turn_hold(struct store *st, const struct store_hold *h);
/* A held turn becomes closed again, to be rendered in this transaction (or to
 * wait for its files). */
bool store_turn_unhold(struct store *st, int64_t turn_id, const char *end,
    int64_t now_ms);
/* fn is not called when the turn never was held. */
bool store_hold_get(struct store *st, int64_t turn_id, store_hold_fn *fn,
    void *arg, struct err *err);
/* Those that are held, by turn. */
bool store_hold_list(struct store *st, int64_t after, int limit,
    store_hold_fn *fn, void *arg, struct err *err);
/*
 * Held turns whose until_ms has come, at most limit: array of int64_t. Also
 * those that begin later than now by more than the slack: the clock was set
 * back, and would keep them for as long.
 */
#define STORE_HOLD_SLACK_MS ((int64_t)3600 * 1000)
bool store_hold_due(struct store *st, int64_t now_ms, int limit,
    GArray **out, struct err *err);
bool store_hold_next_due(struct store *st, int64_t *out, struct err *err);
/* The same of one, also of a send. */
bool store_hold_is_over(int64_t since_ms, int64_t until_ms, int64_t now_ms);

/* What is known of a person's consent; kept for ever. */
bool store_consent_add(struct store *st, const char *realm,
    const char *person, const char *state, const char *source,
    int64_t at_ms);
/* The latest at that time; *state NULL: nothing is known. Owned. */
bool store_consent_get(struct store *st, const char *realm,
    const char *person, int64_t at_ms, char **state, struct err *err);

/* Alerts sent by rule: the last one, and how many were swallowed since. */
bool store_alert_set(struct store *st, const char *rule, int64_t last_ms,
    int64_t swallowed);
bool store_alert_get(struct store *st, const char *rule, int64_t *last_ms,
    int64_t *swallowed, struct err *err);

/*
 * The wamid by which a send of unknown outcome turned out to have left. The
 * first one stays.
 */
bool store_resolution_add(struct store *st, const char *send_key,
    const char *wamid, int64_t at_ms);
bool store_resolution_get(struct store *st, const char *send_key,
    char **wamid, struct err *err);

/* Templates that a webhook said were changed, for the gateway's cursor. */
bool store_template_change_add(struct store *st, const char *account,
    const char *name, const char *language, int64_t at_ms);
typedef bool store_template_change_fn(void *arg, int64_t id,
    const char *account, const char *name, const char *language);
bool store_template_change_list(struct store *st, int64_t after, int limit,
    store_template_change_fn *fn, void *arg, struct err *err);

/* ---- the directory server: asked by build and gateway, written by the
 * directory role ------------------------------------------------------------ */

/*
 * file: STORE_BUILD or STORE_GATEWAY. kind: "number", "id". What was asked for
 * before is asked for again: it has a new id.
 */
bool store_ask_add(struct store *st, enum store_file file, const char *kind,
    const char *value, int64_t at_ms);
typedef bool store_ask_fn(void *arg, int64_t id, const char *kind,
    const char *value, int64_t at_ms);
bool store_ask_list(struct store *st, enum store_file file, int64_t after,
    int limit, store_ask_fn *fn, void *arg, struct err *err);
/* The directory role's cursors of asks. */
#define STORE_CURSOR_ASKED_BUILD "asked/build"
#define STORE_CURSOR_ASKED_GATEWAY "asked/gateway"
#define STORE_GROUPS_UNKNOWN "null"
struct store_answer {
	const char *kind, *value;
	bool found;
	const char *id, *name, *mail;	/* of the staff; NULL: nobody */
	const char *groups;		/* JSON list, or NULL; of nobody NULL,
					   or STORE_GROUPS_UNKNOWN: several fit,
					   so that nothing is known */
	int64_t at_ms, until_ms;	/* fresh until; stale after */
};
typedef bool store_answer_fn(void *arg, const struct store_answer *a);
bool store_answer_set(struct store *st, const struct store_answer *a);
/* Also a stale one; fn is not called when it was never answered. */
bool store_answer_get(struct store *st, const char *kind, const char *value,
    store_answer_fn *fn, void *arg, struct err *err);
/* In place of what was said of the server before. */
bool store_server_set(struct store *st, bool up, int64_t since_ms,
    int64_t next_ms, const char *reason);
bool store_server_get(struct store *st, struct store_server_status *out,
    struct err *err);
/*
 * Fresh until before then and asked for since `asked_ms`: to be renewed;
 * those first that are stale for longest.
 */
bool store_answer_list(struct store *st, int64_t until_ms, int64_t asked_ms,
    int limit, store_answer_fn *fn, void *arg, struct err *err);
/* Fresh for longer than far_ms, as the clock was set back: until now_ms. */
bool store_answer_hurry(struct store *st, int64_t far_ms, int64_t now_ms);

/* ---- review: written by the admin tool -------------------------------------- */

struct store_review {
	int64_t id, at_ms;
	const char *who, *verb;		/* "release", "reject" */
	int64_t turn_id;		/* 0: of a send */
	const char *send_key;		/* NULL: of a turn */
	const char *why;
};
typedef bool store_review_fn(void *arg, const struct store_review *r);
/*
 * Of a turn or of a send, not of both. "store.state": the same person did the
 * same to it before, so that two rows are always two persons.
 */
bool store_review_add(struct store *st, const struct store_review *r,
    int64_t *id);
/* By id, for the cursors "review" of build and gateway. */
bool store_review_list(struct store *st, int64_t after, int limit,
    store_review_fn *fn, void *arg, struct err *err);
/* Of one turn (send_key NULL) or one send (turn_id 0), by id. */
bool store_review_of(struct store *st, int64_t turn_id,
    const char *send_key, store_review_fn *fn, void *arg, struct err *err);
