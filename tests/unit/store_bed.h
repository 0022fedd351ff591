/* SPDX-License-Identifier: Apache-2.0 */
/* Small steps that the tests of the store are written in. */
#pragma once

#include "store_contract.h"

#define T0 INT64_C(1770127509402)

struct bed *bed_of(void **state);
void begin(struct bed *b, enum store_file file);
void commit(struct bed *b, enum store_file file);
/* The commit must fail with this error. */
void commit_fails(struct bed *b, enum store_file file, const char *what);

/* Each is one transaction. */
int64_t put_event(struct bed *b, int64_t at_ms, const char *body);
void read_to(struct bed *b, int64_t event_id);
void put_outcome(struct bed *b, int64_t mail_id, const char *journal,
    enum store_outcome_state state, int64_t last_ms, int64_t next_ms);

/* Within build's transaction. */
int64_t add_turn(struct bed *b, const char *conversation,
    enum turn_close_reason reason);
void add_item(struct bed *b, const char *key, int64_t event_id,
    int64_t turn_id);
int64_t add_mail(struct bed *b, int64_t turn_id, const char *journal,
    const char *bytes);

/* A want of the turn's and event's, with this media id; its id. */
int64_t add_want(struct bed *b, int64_t turn_id, int64_t event_id,
    const char *media_id);
/* One transaction of media's: the fetch of the want gets this state. */
void put_fetch(struct bed *b, int64_t want_id, enum store_fetch_state state,
    const char *path, int64_t next_ms);

/*
 * The ways of a file, each step a transaction. An event whose turn waits for
 * one (event, turn and want have the same id in a store with nothing else);
 * its turn rendered, without the file of this want unless 0 (gives the mail);
 * build takes up results to this number; a turn that follows a want up.
 */
int64_t put_wanting(struct bed *b, const char *key);
int64_t put_rendered(struct bed *b, int64_t turn, int64_t late);
void take_up(struct bed *b, int64_t number);
int64_t put_follow_up(struct bed *b, int64_t want);

/*
 * The whole way of one message: event, item, turn, rendered, a mail per
 * journal (NULL: none). The id of the first mail; message id "<KEY>@test".
 */
int64_t put_message(struct bed *b, const char *key, const char *journal,
    const char *journal2);

void digest_of(const char *text, uint8_t out[HASH_SIZE]);
/* The directory and all that is in it. */
void remove_tree(const char *dir);
/* The trace of this id: each "what+ms" since T0, a blank behind each. */
void expect_story(struct bed *b, const char *id, const char *want);
/* Ids of mails, as listed. */
bool take_id(void *arg, const struct store_mail *m);
GArray *pending(struct bed *b, const char *journal);
#define ID(array, i) g_array_index(array, int64_t, i)

extern const struct CMUnitTest store_contract_filing[];
extern const size_t store_contract_filing_n;
extern const struct CMUnitTest store_contract_knowing[];
extern const size_t store_contract_knowing_n;
extern const struct CMUnitTest store_contract_wanting[];
extern const size_t store_contract_wanting_n;
extern const struct CMUnitTest store_contract_keeping[];
extern const size_t store_contract_keeping_n;
extern const struct CMUnitTest store_contract_judging[];
extern const size_t store_contract_judging_n;
extern const struct CMUnitTest store_contract_holding[];
extern const size_t store_contract_holding_n;
extern const struct CMUnitTest store_contract_following[];
extern const size_t store_contract_following_n;
extern const struct CMUnitTest store_contract_delivery[];
extern const size_t store_contract_delivery_n;
extern const struct CMUnitTest store_contract_looking[];
extern const size_t store_contract_looking_n;
extern const struct CMUnitTest store_contract_sending[];
extern const size_t store_contract_sending_n;
extern const struct CMUnitTest store_contract_remembering[];
extern const size_t store_contract_remembering_n;
extern const struct CMUnitTest store_contract_redoing[];
extern const size_t store_contract_redoing_n;
