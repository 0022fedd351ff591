/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store without SQL, for tests: everything is an array of rows. Register
 * store_memory_driver with store_driver_register(), then open "fake:" with
 * STORE_ALL. It keeps the contract of store.h (test_store_fake), and nothing
 * after it is closed.
 */
#pragma once

#include "store_int.h"

extern const struct store_driver store_memory_driver;

/* ---- for its own files --------------------------------------------------- */

enum fake_turn_state { FAKE_OPEN, FAKE_CLOSED, FAKE_HELD, FAKE_RENDERED,
	FAKE_PARKED };

struct fake_turn {
	struct turn t;
	enum fake_turn_state state;
	const char *why_closed, *why_parked, *message_id;
	int64_t closed_ms, done_ms;
	int64_t wait_until_ms;	/* 0: it does not wait */
	const char *judged, *why_excluded;	/* NULL: it is not */
	int64_t excluded_ms;
	struct store_hold hold;	/* turn_id 0: it never was held */
};

struct fake_consent {
	const char *realm, *person, *state;
	int64_t at_ms;
};

struct fake_alert {
	const char *rule;
	int64_t last_ms, swallowed;
};

struct fake_resolution {
	const char *send_key, *wamid;
};

struct fake_template_change {
	const char *account, *name, *language;
};

struct fake_ask {
	enum store_file file;
	const char *kind, *value;
	int64_t id, at_ms;
};

struct fake_want {
	struct store_want w;
	struct store_fetch fetch;
};

struct fake_identity {
	struct store_identity id;
	const char *sought;
	guint n;		/* its place */
};

struct fake_follow_up {
	int64_t turn_id, want_id;
};

struct fake_item {
	struct store_item it;
	uint8_t key[HASH_SIZE];
};

struct fake_sighting {
	uint8_t key[HASH_SIZE];
	int64_t event_id, at_ms;
	bool same;
};

struct fake_alias {
	const char *network, *id, *person;
	int64_t last_ms;
};

struct fake_content {
	int64_t turn_id;
	uint8_t sha256[HASH_SIZE];
	const void *bytes;
	size_t len;
	const char *file;	/* its name; or NULL */
};

struct fake_attempt {
	int64_t mail_id, at_ms;
	const char *result, *reply;
	int code;
};

struct fake_server {
	const char *reason;
	bool up;
	int64_t since_ms, next_ms;
};
struct fake_relay {
	const char *name, *reason;
	bool up;
	int64_t since_ms, next_ms;
};

struct fake_progress {
	enum store_file file;
	const char *name;
	int64_t value;
	struct store_claim claim;
};

struct fake_parked {
	int64_t event_id, turn_id, at_ms;
	const char *reason;
	int64_t ended_ms;	/* 0: it is parked */
};

struct fake_unparked {
	int64_t turn_id, at_ms;
	const char *why;
};

struct fake_variant {
	uint8_t key[HASH_SIZE], digest[HASH_SIZE];
	int64_t event_id, turn_id, at_ms, times;
};

struct fake_tally {
	struct store_tally t;
	int64_t at_ms;
};

struct fake_told {
	const char *rule, *talk;
	int64_t at_ms;
};

enum fake_table { FAKE_EVENT, FAKE_CURSOR, FAKE_CLAIM, FAKE_TURN, FAKE_ITEM,
	FAKE_SIGHTING, FAKE_ALIAS, FAKE_PARKED_EVENT, FAKE_CONTENT, FAKE_MAIL,
	FAKE_OUTCOME, FAKE_ATTEMPT, FAKE_RELAY, FAKE_SERVER, FAKE_ACTION, FAKE_WANT,
	FAKE_RESULT, FAKE_FOLLOW_UP, FAKE_IDENTITY, FAKE_NOVELTY,
	FAKE_RULESET, FAKE_CONSENT, FAKE_ALERT,
	FAKE_RESOLUTION, FAKE_TEMPLATE_CHANGE, FAKE_REVIEW, FAKE_ASK,
	FAKE_ANSWER,
	FAKE_RECORD, FAKE_SEND, FAKE_UPLOAD, FAKE_DEFINITION, FAKE_TALLY,
	FAKE_TOLD, FAKE_UNPARKED, FAKE_REQUEST, FAKE_VARIANT,
	FAKE_TABLES };

/* Strings and bytes are never changed, so a copy of the rows is a snapshot. */
struct fake {
	struct store base;
	GArray *rows[FAKE_TABLES];
	GArray *before[FAKE_TABLES];	/* while in a transaction */
	GStringChunk *strings;
	GPtrArray *blobs;
	int64_t purged;
};

#define FAKE_OF(st) ((struct fake *)(void *)(st))
#define FAKE_N(f, table) ((f)->rows[table]->len)
#define FAKE_AT(f, table, type, i) \
	(&g_array_index((f)->rows[table], struct type, i))

/* The string, kept as long as the store; NULL stays NULL. */
char *fake_keep(struct fake *f, const char *s);
/* The bytes, the same; NULL stays NULL. */
const void *fake_keep_bytes(struct fake *f, const void *data, size_t len);
bool fake_refuse(struct err *err, const char *why);
/* The event or record of this id; NULL if there is none. */
struct store_event *fake_event(struct fake *f, int64_t id);
/* Whether all that came of the event or record was sent. */
bool fake_event_done(struct fake *f, int64_t id);
/* The row of this id, NULL if there is none. */
struct fake_turn *fake_turn(struct fake *f, int64_t id);
struct fake_want *fake_want(struct fake *f, int64_t id);
/* The turn that follows the want up, 0 if there is none. */
int64_t fake_follow_up(struct fake *f, int64_t want_id);
struct store_outcome *fake_outcome(struct fake *f, int64_t mail_id);
int64_t fake_cursor(struct fake *f, enum store_file file, const char *name);
/* Whether the turn is rendered and all its mails were sent before that. */
bool fake_turn_done(struct fake *f, int64_t turn_id, int64_t before_ms);
/* Whether the outcome of the want is in a mail all of which were. */
bool fake_want_done(struct fake *f, const struct fake_want *w,
    int64_t before_ms);
/* The mail of this id, with its bytes or file and what deliver knows. */
struct store_mail fake_mail(struct fake *f, int64_t id);

extern const struct store_identity_verbs fake_identity_verbs;
bool fake_novelty_add(struct store *st, const char *field, const char *word,
    int64_t at_ms, bool *first, struct err *err);
extern const struct store_turn_verbs fake_turn_verbs;
extern const struct store_want_verbs fake_want_verbs;
extern const struct store_fetch_verbs fake_fetch_verbs;
extern const struct store_mail_verbs fake_mail_verbs;
extern const struct store_delivery_verbs fake_delivery_verbs;
bool fake_trace(struct store *st, const char *id, store_fact_fn *fn, void *arg,
    struct err *err);
extern const struct store_policy_verbs fake_policy_verbs;
extern const struct store_hold_verbs fake_hold_verbs;
extern const struct store_ask_verbs fake_ask_verbs;
void fake_count_asks(struct fake *f, struct store_status *s);
extern const struct store_look_verbs fake_look;
bool fake_record_add(struct store *st, const struct store_event *ev,
    int64_t *id, struct err *err);
bool fake_record_purge(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err);
bool fake_record_is_sent(struct store *st, int64_t id, bool *sent,
    struct err *err);
extern const struct store_send_verbs fake_send_verbs;
extern const struct store_upload_verbs fake_upload_verbs;
extern const struct store_definition_verbs fake_definition_verbs;
extern const struct store_tally_verbs fake_tally_verbs;

/* store_memory_parked.c */
bool fake_event_park(struct store *st, int64_t event_id, int64_t turn_id,
    const char *reason, int64_t now_ms, struct err *err);
bool fake_event_unpark(struct store *st, int64_t event_id, int64_t now_ms,
    struct err *err);
bool fake_parked_get(struct store *st, int64_t event_id, store_parked_fn *fn,
    void *arg, struct err *err);
bool fake_turn_unpark(struct store *st, int64_t id, struct err *err);
bool fake_request_add(struct store *st, const struct store_request *r,
    int64_t *id, struct err *err);
bool fake_request_list(struct store *st, int64_t after, int limit,
    store_request_fn *fn, void *arg, struct err *err);
/* "WHO: WHY" of the last one of what the row is of; NULL: nobody did. */
const char *fake_acknowledged(struct fake *f, const struct store_row *row);
bool fake_variant_add(struct store *st, const uint8_t *key,
    const uint8_t *digest, int64_t event_id, int64_t at_ms, int64_t *nth,
    bool *is_new, struct err *err);
bool fake_variant_filed(struct store *st, const uint8_t *key,
    const uint8_t *digest, int64_t turn_id, struct err *err);
bool fake_variant_is_lost(struct fake *f, guint i);
void fake_list_differing(struct fake *f, int64_t after, int limit,
    store_row_fn *fn, void *arg);
