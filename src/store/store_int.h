/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam between the store's verbs and what keeps them.
 *
 * A driver is one struct of functions, grouped by topic. The scheme of the
 * URI picks it. What is the same for all drivers lives in store.c and not
 * here: transactions are sticky, only the owner of a file writes it.
 *
 * A driver puts struct store first in its own struct. Every write gets a
 * struct err that is never NULL and is kept until the commit reports it.
 */
#pragma once

#include "err.h"
#include "store.h"
#include "store_dirs.h"

typedef bool store_purge_verb(struct store *, int64_t before_ms, int limit,
    int64_t *n, struct err *);

struct store_event_verbs {
	bool (*add)(struct store *, const struct store_event *, int64_t *id,
	    struct err *);
	bool (*list)(struct store *, int64_t after, int limit,
	    size_t max_bytes, store_event_fn *, void *, struct err *);
	bool (*get)(struct store *, int64_t id, store_event_fn *, void *,
	    struct err *);
	store_purge_verb *purge;
	bool (*park)(struct store *, int64_t event_id, int64_t turn_id,
	    const char *reason, int64_t now_ms, struct err *);
	bool (*unpark)(struct store *, int64_t id, int64_t now_ms,
	    struct err *);
	bool (*parked_get)(struct store *, int64_t id, store_parked_fn *,
	    void *, struct err *);
	bool (*record_add)(struct store *, const struct store_event *,
	    int64_t *id, struct err *);
	store_purge_verb *record_purge;
	bool (*record_is_sent)(struct store *, int64_t id, bool *,
	    struct err *);
};

struct store_progress_verbs {
	bool (*cursor_get)(struct store *, enum store_file, const char *,
	    int64_t *, struct err *);
	bool (*cursor_set)(struct store *, enum store_file, const char *,
	    int64_t, struct err *);
	bool (*claim_get)(struct store *, enum store_file, const char *,
	    struct store_claim *, struct err *);
	bool (*claim_set)(struct store *, enum store_file, const char *,
	    const struct store_claim *, struct err *);
};

struct store_item_verbs {
	bool (*seen)(struct store *, const uint8_t *key, const uint8_t *digest,
	    enum store_seen *, struct err *);
	bool (*add)(struct store *, const struct store_item *, struct err *);
	bool (*sighting_add)(struct store *, const uint8_t *key,
	    int64_t event_id, int64_t at_ms, bool same, struct err *);
	bool (*variant_add)(struct store *, const uint8_t *key,
	    const uint8_t *digest, int64_t event_id, int64_t at_ms,
	    int64_t *nth, bool *is_new, struct err *);
	bool (*variant_filed)(struct store *, const uint8_t *key,
	    const uint8_t *digest, int64_t turn_id, struct err *);
	bool (*message_id)(struct store *, const uint8_t *key, char **,
	    struct err *);
	/* place->key says which */
	bool (*find)(struct store *, struct store_place *place, struct err *);
	bool (*about)(struct store *, const char *target, const char *kind,
	    GArray *, struct err *);
	bool (*novelty_add)(struct store *, const char *field,
	    const char *word, int64_t at_ms, bool *first, struct err *);
	bool (*alias_get)(struct store *, const char *network, const char *id,
	    char **, struct err *);
	bool (*alias_set)(struct store *, const char *network, const char *id,
	    const char *person, int64_t at_ms, struct err *);
	bool (*alias_other)(struct store *, const char *network,
	    const char *person, const char *prefix, char **, struct err *);
};

/* sought: store_identity_sought() of kind and value. */
struct store_identity_verbs {
	bool (*add)(struct store *, const struct store_identity *,
	    const char *sought, struct err *);
	bool (*end)(struct store *, const struct store_identity *,
	    struct err *);
	bool (*now)(struct store *, const char *realm, const char *person,
	    const char *kind, store_identity_fn *, void *, struct err *);
	bool (*owner)(struct store *, const char *realm, const char *kind,
	    const char *sought, int64_t at_ms, char **person, struct err *);
	/* Of whoever has value or bare as sought, or this as username. */
	bool (*trace)(struct store *, const char *value, const char *bare,
	    const char *username, store_identity_fn *, void *, struct err *);
};

struct store_turn_verbs {
	bool (*wait)(struct store *, int64_t id, int64_t until_ms,
	    struct err *);
	bool (*wait_due)(struct store *, int64_t now_ms, int limit, GArray *,
	    struct err *);
	bool (*wait_next)(struct store *, int64_t *, struct err *);
	/* message_id is never NULL */
	bool (*get)(struct store *, int64_t id, struct turn *, char state[16],
	    char **message_id, struct err *);
	bool (*open_list)(struct store *, const char *conversation,
	    GPtrArray *, struct err *);
	bool (*due_list)(struct store *, int64_t now_ms, int limit,
	    GPtrArray *, struct err *);
	bool (*closed_list)(struct store *, int64_t after, int limit,
	    GPtrArray *, struct err *);
	bool (*next_due)(struct store *, int64_t *, struct err *);
	bool (*item_list)(struct store *, int64_t turn_id, GArray *,
	    struct err *);
	bool (*add)(struct store *, struct turn *, const char *business,
	    const char *kind, enum turn_close_reason, struct err *);
	bool (*update)(struct store *, const struct turn *, struct err *);
	bool (*close)(struct store *, int64_t id, enum turn_close_reason,
	    int64_t now_ms, struct err *);
	bool (*rendered)(struct store *, int64_t id, const char *message_id,
	    const uint8_t *sha256, int64_t now_ms, struct err *);
	bool (*park)(struct store *, int64_t id, const char *reason,
	    int64_t now_ms, struct err *);
	bool (*unpark)(struct store *, int64_t id, struct err *);
};

struct store_want_verbs {
	bool (*add)(struct store *, const struct store_want *, int64_t *id,
	    struct err *);
	bool (*list)(struct store *, int64_t after, int limit,
	    store_want_fn *, void *, struct err *);
	bool (*of_turn)(struct store *, int64_t turn_id, store_want_fn *,
	    void *, struct err *);
	bool (*of_media)(struct store *, const char *media_id,
	    store_want_fn *, void *, struct err *);
	bool (*get)(struct store *, int64_t id, store_want_fn *, void *,
	    struct err *);
	bool (*late)(struct store *, int64_t id, struct err *);
	bool (*follow_up_add)(struct store *, int64_t turn_id,
	    int64_t want_id, struct err *);
	bool (*follow_up_get)(struct store *, int64_t turn_id, int64_t *,
	    struct err *);
};

struct store_fetch_verbs {
	bool (*list)(struct store *, enum store_fetch_state, int64_t now_ms,
	    int limit, store_want_fn *, void *, struct err *);
	bool (*next_due)(struct store *, int64_t *, struct err *);
	bool (*set)(struct store *, const struct store_fetch *, struct err *);
	bool (*results)(struct store *, int64_t after, int limit,
	    store_want_fn *, void *, struct err *);
	store_purge_verb *purge;
};

struct store_mail_verbs {
	bool (*content_add)(struct store *, int64_t turn_id, const void *,
	    size_t, const uint8_t *sha256, int64_t *id, struct err *);
	/* The file is in its place already: name, below STORE_DIR_MAIL. */
	bool (*content_add_file)(struct store *, int64_t turn_id,
	    const char *name, size_t, const uint8_t *sha256, int64_t *id,
	    struct err *);
	store_purge_verb *content_purge;
	bool (*add)(struct store *, const struct store_mail *, int64_t *id,
	    struct err *);
	bool (*pending)(struct store *, const char *journal, int64_t first,
	    int64_t last, int limit, store_mail_fn *, void *, struct err *);
	bool (*due)(struct store *, const char *journal, int64_t now_ms,
	    int limit, store_mail_fn *, void *, struct err *);
	bool (*failed)(struct store *, const char *journal, int64_t after,
	    int limit, store_mail_fn *, void *, struct err *);
	bool (*get)(struct store *, int64_t id, store_mail_fn *, void *,
	    struct err *);
	bool (*next_due)(struct store *, const char *journal, int64_t *,
	    struct err *);
	bool (*last)(struct store *, const char *journal, int64_t *,
	    struct err *);
};

struct store_delivery_verbs {
	bool (*outcome_set)(struct store *, const struct store_outcome *,
	    struct err *);
	bool (*attempt_add)(struct store *, int64_t mail_id, int64_t at_ms,
	    const char *result, int code, const char *reply, struct err *);
	bool (*hurry)(struct store *, const char *journal, int64_t far_ms,
	    int64_t now_ms, struct err *);
	bool (*relay_set)(struct store *, const char *name, bool up,
	    int64_t since_ms, int64_t next_ms, const char *reason,
	    struct err *);
	bool (*action_add)(struct store *, const struct store_action *,
	    int64_t *id, struct err *);
	bool (*action_list)(struct store *, int64_t after, store_action_fn *,
	    void *, struct err *);
	/* The request is sound. */
	bool (*request_add)(struct store *, const struct store_request *,
	    int64_t *id, struct err *);
	bool (*request_list)(struct store *, int64_t after, int limit,
	    store_request_fn *, void *, struct err *);
};

struct store_policy_verbs {
	bool (*ruleset_set)(struct store *, const uint8_t *sha256,
	    const void *text, size_t, int64_t at_ms, struct err *);
	bool (*ruleset_list)(struct store *, store_ruleset_fn *, void *,
	    struct err *);
	bool (*judged_set)(struct store *, int64_t turn_id, const char *json,
	    struct err *);
	bool (*judged_get)(struct store *, int64_t turn_id, char **json,
	    struct err *);
	bool (*consent_add)(struct store *, const char *realm,
	    const char *person, const char *state, const char *source,
	    int64_t at_ms, struct err *);
	bool (*consent_get)(struct store *, const char *realm,
	    const char *person, int64_t at_ms, char **state, struct err *);
	bool (*alert_set)(struct store *, const char *rule, int64_t last_ms,
	    int64_t swallowed, struct err *);
	bool (*alert_get)(struct store *, const char *rule, int64_t *last_ms,
	    int64_t *swallowed, struct err *);
	bool (*resolution_add)(struct store *, const char *send_key,
	    const char *wamid, int64_t at_ms, struct err *);
	bool (*resolution_get)(struct store *, const char *send_key,
	    char **wamid, struct err *);
	bool (*template_change_add)(struct store *, const char *account,
	    const char *name, const char *language, int64_t at_ms,
	    struct err *);
	bool (*template_change_list)(struct store *, int64_t after, int limit,
	    store_template_change_fn *, void *, struct err *);
};

struct store_hold_verbs {
	bool (*hold)(struct store *, const struct store_hold *, struct err *);
	bool (*unhold)(struct store *, int64_t turn_id, const char *end,
	    int64_t now_ms, struct err *);
	bool (*get)(struct store *, int64_t turn_id, store_hold_fn *, void *,
	    struct err *);
	bool (*list)(struct store *, int64_t after, int limit,
	    store_hold_fn *, void *, struct err *);
	bool (*due)(struct store *, int64_t now_ms, int limit, GArray *,
	    struct err *);
	bool (*next_due)(struct store *, int64_t *, struct err *);
	bool (*excluded)(struct store *, int64_t turn_id, const char *why,
	    int64_t now_ms, struct err *);
	bool (*review_add)(struct store *, const struct store_review *,
	    int64_t *id, struct err *);
	bool (*review_list)(struct store *, int64_t after, int limit,
	    store_review_fn *, void *, struct err *);
	bool (*review_of)(struct store *, int64_t turn_id,
	    const char *send_key, store_review_fn *, void *, struct err *);
};

/* file: STORE_BUILD or STORE_GATEWAY, no other. */
struct store_ask_verbs {
	bool (*add)(struct store *, enum store_file, const char *kind,
	    const char *value, int64_t at_ms, struct err *);
	bool (*list)(struct store *, enum store_file, int64_t after,
	    int limit, store_ask_fn *, void *, struct err *);
	bool (*answer_set)(struct store *, const struct store_answer *,
	    struct err *);
	bool (*answer_get)(struct store *, const char *kind,
	    const char *value, store_answer_fn *, void *, struct err *);
	bool (*answer_hurry)(struct store *, int64_t far_ms, int64_t now_ms,
	    struct err *);
	bool (*answer_list)(struct store *, int64_t until_ms,
	    int64_t asked_ms, int limit, store_answer_fn *, void *,
	    struct err *);
	bool (*server_set)(struct store *, bool up, int64_t since_ms,
	    int64_t next_ms, const char *reason, struct err *);
	bool (*server_get)(struct store *, struct store_server_status *,
	    struct err *);
};

struct store_send_verbs {
	bool (*add)(struct store *, const struct store_send *, int64_t *id,
	    struct err *);
	bool (*set)(struct store *, const struct store_send *, struct err *);
	bool (*by_key)(struct store *, const char *key, store_send_fn *,
	    void *, struct err *);
	bool (*by_idempotency)(struct store *, const uint8_t *digest,
	    int64_t since_ms, store_send_fn *, void *, struct err *);
	bool (*list)(struct store *, enum store_send_state, int64_t after,
	    int limit, store_send_fn *, void *, struct err *);
};

struct store_upload_verbs {
	bool (*add)(struct store *, const struct store_upload *,
	    struct err *);
	bool (*get)(struct store *, const char *media_id, store_upload_fn *,
	    void *, struct err *);
	store_purge_verb *purge;
};

struct store_definition_verbs {
	bool (*set)(struct store *, const struct store_definition *,
	    struct err *);
	/* Of the same account, name and language. */
	bool (*get)(struct store *, const struct store_definition *,
	    int64_t at_ms, store_definition_fn *, void *, struct err *);
	bool (*doubt)(struct store *, const struct store_definition *,
	    struct err *);
	bool (*languages)(struct store *, const struct store_definition *,
	    store_language_fn *, void *, struct err *);
};

/* What is counted; file may be one that counts nothing. */
struct store_tally {
	enum store_file file;
	const char *rule, *subject, *who;
};
struct store_tally_verbs {
	bool (*add)(struct store *, const struct store_tally *, int64_t at_ms,
	    struct err *);
	bool (*count)(struct store *, const struct store_tally *,
	    int64_t since_ms, int64_t *n, struct err *);
	store_purge_verb *purge_turns, *purge_sends;
	bool (*told_set)(struct store *, const char *rule, const char *talk,
	    int64_t at_ms, struct err *);
	bool (*told_get)(struct store *, const char *rule, const char *talk,
	    int64_t *at_ms, struct err *);
};

struct store_look_verbs {
	bool (*status)(struct store *, struct store_status *, struct err *);
	bool (*law_check)(struct store *, bool *, char **, struct err *);
	bool (*list)(struct store *, enum store_list_what, const char *journal,
	    int64_t after, int limit, store_row_fn *, void *, struct err *);
	bool (*trace)(struct store *, const char *id, store_fact_fn *, void *,
	    struct err *);
};

/* address: what follows "scheme:" in the URI. */
struct store_driver {
	const char *scheme;
	bool (*prepare)(const char *address, void (*progress)(void *), void *,
	    struct err *);
	bool (*open)(const char *address, enum store_file owns,
	    struct store **out, struct err *);
	void (*close)(struct store *);
	bool (*begin)(struct store *, struct err *);
	bool (*commit)(struct store *, struct err *);
	void (*rollback)(struct store *);
	const struct store_event_verbs *event;
	const struct store_progress_verbs *progress;
	const struct store_item_verbs *item;
	const struct store_identity_verbs *identity;
	const struct store_turn_verbs *turn;
	const struct store_want_verbs *want;
	const struct store_fetch_verbs *fetch;
	const struct store_mail_verbs *mail;
	const struct store_delivery_verbs *delivery;
	const struct store_policy_verbs *policy;
	const struct store_hold_verbs *hold;
	const struct store_ask_verbs *ask;
	const struct store_look_verbs *look;
	const struct store_send_verbs *send;
	const struct store_upload_verbs *upload;
	const struct store_definition_verbs *definition;
	const struct store_tally_verbs *tally;
};

struct store {
	const struct store_driver *driver;
	struct store_dirs dirs;	/* by the driver when it opens */
	enum store_file owns;
	bool in_txn;
	bool failed;		/* in this transaction, with `first` */
	struct err first;
};

extern const struct store_driver store_sqlite_driver;

/* One more driver for this process; tests register their fake with it. */
void store_driver_register(const struct store_driver *driver);

/*
 * A write to the owner's `file`: nothing after the first failure of the
 * transaction, whose error is kept.
 */
#define STORE_WRITE(st, file, topic, verb, ...) \
	(store_may_write(st, file) && store_note(st, \
	    (st)->driver->topic->verb(st, __VA_ARGS__, &(st)->first)))
bool store_may_write(struct store *st, enum store_file file);
bool store_note(struct store *st, bool ok);
/* A purge of the owner's `file`; alone it is a transaction of its own. */
bool store_purge(struct store *st, enum store_file file,
    store_purge_verb *verb, int64_t before_ms, int limit, int64_t *n,
    struct err *err);

/* "intake", "media", "build", "deliver", "admin", "gateway", "directory". */
const char *store_file_name(enum store_file file);
/* So many novelties a status names. */
#define STORE_NOVELTIES_MAX 100
/* What a value of this kind is found by; owned by the caller. */
char *store_identity_sought(const char *kind, const char *value);
/* "trying", "retry", "fetched" …; "wanted" for none. */
const char *store_fetch_name(enum store_fetch_state state);
enum store_fetch_state store_fetch_state(const char *name);
bool store_fetch_is_final(enum store_fetch_state state);
/* Refuses to count in this file; always false. */
bool store_tally_refuse(enum store_file file, struct err *err);
/* "stored" … "done"; STORE_SEND_STATES for other words. */
const char *store_send_state_name(enum store_send_state state);
enum store_send_state store_send_state(const char *name);
/* A send's key as it is kept; false for what is no key. */
#define STORE_KEY_SIZE 16
bool store_send_key_parse(const char *hex, uint8_t out[STORE_KEY_SIZE]);
void store_send_key_print(const uint8_t key[STORE_KEY_SIZE],
    char out[STORE_KEY_SIZE * 2 + 1]);
/* An array of struct turn * that frees them. */
GPtrArray *store_turn_array(void);
/* The one spelling of these states, in tables and listings. */
const char *store_outcome_name(enum store_outcome_state state);
/* Whether a hold may end like this: "released", "rejected", "expired". */
bool store_hold_end_is_known(const char *end);
/* Adds a zeroed row for the journal unless there is one; valid until the next. */
struct store_journal_status *store_status_journal(struct store_status *s,
    const char *journal);
