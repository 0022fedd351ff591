/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's verbs: keeps transactions sticky, lets only the owner of a file
 * write it, and hands the rest to the driver. Knows no SQL. The first failure
 * of a transaction is kept here until store_commit() reports it.
 */
#include "store.h"

#include <assert.h>
#include <string.h>

#include "err.h"
#include "hash.h"
#include "store_int.h"

/* ---- transactions ------------------------------------------------------ */

void
store_begin(struct store *st)
{
	assert(!st->in_txn);
	st->in_txn = true;
	st->first = (struct err)ERR_INIT;
	st->failed = !st->driver->begin(st, &st->first);
}

static void
report(const struct store *st, struct err *err)
{
	if (err != NULL)
		*err = st->first;
}

bool
store_commit(struct store *st, struct err *err)
{
	assert(st->in_txn);
	if (!st->failed && st->driver->commit(st, &st->first)) {
		st->in_txn = false;
		return true;
	}
	report(st, err);
	store_rollback(st);
	return false;
}

void
store_rollback(struct store *st)
{
	if (st->in_txn)
		st->driver->rollback(st);
	st->in_txn = false;
	st->failed = false;
}

static bool
is_owner(const struct store *st, enum store_file file)
{
	return st->owns == file || st->owns == STORE_ALL;
}

/* Whether a write to the file may go on; if not, the transaction has failed. */
bool
store_may_write(struct store *st, enum store_file file)
{
	assert(st->in_txn);
	if (st->failed)
		return false;
	if (is_owner(st, file))
		return true;
	st->failed = true;
	return err_set(&st->first, ERR_TEMP, "store.readonly",
	    "the %s part of the store was opened for reading only",
	    store_file_name(file));
}

bool
store_note(struct store *st, bool ok)
{
	if (!ok)
		st->failed = true;
	return ok;
}

/* ---- events ------------------------------------------------------------ */

bool
store_event_add(struct store *st, const struct store_event *ev, int64_t *id)
{
	return STORE_WRITE(st, STORE_INTAKE, event, add, ev, id);
}

bool
store_event_list(struct store *st, int64_t after, int limit,
    size_t max_bytes, store_event_fn *fn, void *arg, struct err *err)
{
	return st->driver->event->list(st, after, limit, max_bytes, fn, arg,
	    err);
}

bool
store_event_get(struct store *st, int64_t id, store_event_fn *fn, void *arg,
    struct err *err)
{
	return st->driver->event->get(st, id, fn, arg, err);
}

bool
store_purge(struct store *st, enum store_file file, store_purge_verb *verb,
    int64_t before_ms, int limit, int64_t *n, struct err *err)
{
	bool alone = !st->in_txn;
	int64_t done = 0;
	bool ok;

	if (alone)
		store_begin(st);
	ok = store_may_write(st, file) && store_note(st, verb(st, before_ms,
	    limit, &done, &st->first));
	if (alone)
		ok = store_commit(st, err);
	else if (!ok)
		report(st, err);
	if (ok)
		*n = done;
	return ok;
}

bool
store_event_purge(struct store *st, int64_t before_ms, int limit, int64_t *n,
    struct err *err)
{
	return store_purge(st, STORE_INTAKE, st->driver->event->purge,
	    before_ms, limit, n, err);
}

bool
store_event_park(struct store *st, int64_t event_id, int64_t turn_id,
    const char *reason, int64_t now_ms)
{
	return STORE_WRITE(st, STORE_BUILD, event, park, event_id, turn_id, reason,
	    now_ms);
}

bool
store_event_unpark(struct store *st, int64_t event_id, int64_t now_ms)
{
	return STORE_WRITE(st, STORE_BUILD, event, unpark, event_id, now_ms);
}

bool
store_parked_get(struct store *st, int64_t event_id, store_parked_fn *fn,
    void *arg, struct err *err)
{
	return st->driver->event->parked_get(st, event_id, fn, arg, err);
}

/* ---- progress ---------------------------------------------------------- */

bool
store_cursor_get(struct store *st, enum store_file file, const char *name,
    int64_t *value, struct err *err)
{
	return st->driver->progress->cursor_get(st, file, name, value, err);
}

bool
store_cursor_set(struct store *st, enum store_file file, const char *name,
    int64_t value)
{
	return STORE_WRITE(st, file, progress, cursor_set, file, name, value);
}

bool
store_claim_get(struct store *st, enum store_file file, const char *name,
    struct store_claim *out, struct err *err)
{
	return st->driver->progress->claim_get(st, file, name, out, err);
}

bool
store_claim_set(struct store *st, enum store_file file, const char *name,
    const struct store_claim *claim)
{
	return STORE_WRITE(st, file, progress, claim_set, file, name, claim);
}

/* ---- items ------------------------------------------------------------- */

void
store_key(const char *key, uint8_t out[HASH_SIZE])
{
	hash_sha256(key, strlen(key), out);
}

bool
store_item_seen(struct store *st, const char *key,
    const uint8_t digest[HASH_SIZE], enum store_seen *out, struct err *err)
{
	uint8_t hash[HASH_SIZE];

	store_key(key, hash);
	return st->driver->item->seen(st, hash, digest, out, err);
}

bool
store_item_add(struct store *st, const struct store_item *it)
{
	return STORE_WRITE(st, STORE_BUILD, item, add, it);
}

bool
store_sighting_add(struct store *st, const char *key, int64_t event_id,
    int64_t at_ms, bool same_bytes)
{
	uint8_t hash[HASH_SIZE];

	store_key(key, hash);
	return STORE_WRITE(st, STORE_BUILD, item, sighting_add, hash, event_id,
	    at_ms, same_bytes);
}

bool
store_item_message_id(struct store *st, const char *key, char **out,
    struct err *err)
{
	uint8_t hash[HASH_SIZE];

	store_key(key, hash);
	return st->driver->item->message_id(st, hash, out, err);
}

bool
store_item_find(struct store *st, const char *key, struct store_place *out,
    struct err *err)
{
	*out = (struct store_place){ 0 };
	store_key(key, out->key);
	return st->driver->item->find(st, out, err);
}

bool
store_item_about(struct store *st, const char *target, const char *kind,
    GArray **out, struct err *err)
{
	g_autoptr(GArray) list =
	    g_array_new(FALSE, FALSE, sizeof(struct store_place));

	if (!st->driver->item->about(st, target, kind, list, err))
		return false;
	*out = g_steal_pointer(&list);
	return true;
}

bool
store_novelty_add(struct store *st, const char *field, const char *word,
    int64_t at_ms, bool *first, struct err *err)
{
	bool is_first = false;
	bool ok = STORE_WRITE(st, STORE_BUILD, item, novelty_add, field, word,
	    at_ms, &is_first);

	if (!ok)
		report(st, err);
	if (first != NULL)
		*first = is_first;
	return ok;
}

bool
store_variant_add(struct store *st, const char *key,
    const uint8_t digest[HASH_SIZE], int64_t event_id, int64_t at_ms,
    int64_t *nth, bool *is_new, struct err *err)
{
	uint8_t of[HASH_SIZE];
	bool ok;

	store_key(key, of);
	ok = STORE_WRITE(st, STORE_BUILD, item, variant_add, of, digest,
	    event_id, at_ms, nth, is_new);
	if (!ok)
		report(st, err);
	return ok;
}

bool
store_variant_filed(struct store *st, const char *key,
    const uint8_t digest[HASH_SIZE], int64_t turn_id)
{
	uint8_t of[HASH_SIZE];

	store_key(key, of);
	return STORE_WRITE(st, STORE_BUILD, item, variant_filed, of, digest,
	    turn_id);
}

/* ---- turns ------------------------------------------------------------- */

bool
store_turn_open_list(struct store *st, const char *conversation,
    GPtrArray **out, struct err *err)
{
	g_autoptr(GPtrArray) list = store_turn_array();

	if (!st->driver->turn->open_list(st, conversation, list, err))
		return false;
	*out = g_steal_pointer(&list);
	return true;
}

bool
store_turn_due_list(struct store *st, int64_t now_ms, int limit,
    GPtrArray **out, struct err *err)
{
	g_autoptr(GPtrArray) list = store_turn_array();

	if (!st->driver->turn->due_list(st, now_ms, limit, list, err))
		return false;
	*out = g_steal_pointer(&list);
	return true;
}

bool
store_turn_closed_list(struct store *st, int64_t after, int limit,
    GPtrArray **out, struct err *err)
{
	g_autoptr(GPtrArray) list = store_turn_array();

	if (!st->driver->turn->closed_list(st, after, limit, list, err))
		return false;
	*out = g_steal_pointer(&list);
	return true;
}

bool
store_turn_next_due(struct store *st, int64_t *out, struct err *err)
{
	return st->driver->turn->next_due(st, out, err);
}

bool
store_turn_item_list(struct store *st, int64_t turn_id, GArray **out,
    struct err *err)
{
	g_autoptr(GArray) list =
	    g_array_new(FALSE, FALSE, sizeof(struct store_turn_item));

	if (!st->driver->turn->item_list(st, turn_id, list, err))
		return false;
	*out = g_steal_pointer(&list);
	return true;
}

bool
store_turn_add(struct store *st, struct turn *t, const char *business,
    const char *kind, enum turn_close_reason reason)
{
	return STORE_WRITE(st, STORE_BUILD, turn, add, t, business, kind, reason);
}

bool
store_turn_update(struct store *st, const struct turn *t)
{
	return STORE_WRITE(st, STORE_BUILD, turn, update, t);
}

bool
store_turn_close(struct store *st, int64_t turn_id,
    enum turn_close_reason reason, int64_t now_ms)
{
	return STORE_WRITE(st, STORE_BUILD, turn, close, turn_id, reason, now_ms);
}

bool
store_turn_wait(struct store *st, int64_t turn_id, int64_t until_ms)
{
	return STORE_WRITE(st, STORE_BUILD, turn, wait, turn_id, until_ms);
}

bool
store_turn_wait_due(struct store *st, int64_t now_ms, int limit,
    GArray **out, struct err *err)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(int64_t));

	if (!st->driver->turn->wait_due(st, now_ms, limit, list, err))
		return false;
	*out = g_steal_pointer(&list);
	return true;
}

bool
store_turn_wait_next(struct store *st, int64_t *out, struct err *err)
{
	return st->driver->turn->wait_next(st, out, err);
}

bool
store_turn_get(struct store *st, int64_t turn_id, struct turn *out,
    char state[16], char **message_id, struct err *err)
{
	g_autofree char *id = NULL;

	*out = (struct turn){ 0 };
	state[0] = '\0';
	if (!st->driver->turn->get(st, turn_id, out, state, &id, err))
		return false;
	if (message_id != NULL)
		*message_id = g_steal_pointer(&id);
	return true;
}

bool
store_turn_rendered(struct store *st, int64_t turn_id,
    const char *message_id, const uint8_t sha256[HASH_SIZE], int64_t now_ms)
{
	return STORE_WRITE(st, STORE_BUILD, turn, rendered, turn_id, message_id,
	    sha256, now_ms);
}

bool
store_turn_park(struct store *st, int64_t turn_id, const char *reason,
    int64_t now_ms)
{
	return STORE_WRITE(st, STORE_BUILD, turn, park, turn_id, reason, now_ms);
}

bool
store_turn_unpark(struct store *st, int64_t turn_id)
{
	return STORE_WRITE(st, STORE_BUILD, turn, unpark, turn_id);
}

/* ---- mails ------------------------------------------------------------- */

bool
store_content_add(struct store *st, int64_t turn_id, const void *bytes,
    size_t len, const uint8_t sha256[HASH_SIZE], int64_t *content_id)
{
	return STORE_WRITE(st, STORE_BUILD, mail, content_add, turn_id, bytes, len,
	    sha256, content_id);
}

bool
store_content_add_file(struct store *st, int64_t turn_id, const char *path,
    size_t len, const uint8_t sha256[HASH_SIZE], int64_t *content_id)
{
	const struct store_spooled from = { path, len, sha256 };
	g_autofree char *name = NULL;

	return store_may_write(st, STORE_BUILD) &&
	    store_note(st, store_file_keep(st, STORE_DIR_MAIL, &from, &name,
	    &st->first)) &&
	    STORE_WRITE(st, STORE_BUILD, mail, content_add_file, turn_id, name,
	    len, sha256, content_id);
}

bool
store_content_purge(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err)
{
	return store_purge(st, STORE_BUILD, st->driver->mail->content_purge,
	    before_ms, limit, n, err);
}

bool
store_mail_add(struct store *st, const struct store_mail *m, int64_t *id)
{
	return STORE_WRITE(st, STORE_BUILD, mail, add, m, id);
}

bool
store_mail_pending(struct store *st, const char *journal, int64_t first,
    int64_t last, int limit, store_mail_fn *fn, void *arg, struct err *err)
{
	return st->driver->mail->pending(st, journal, first, last, limit, fn,
	    arg, err);
}

bool
store_mail_due(struct store *st, const char *journal, int64_t now_ms,
    int limit, store_mail_fn *fn, void *arg, struct err *err)
{
	return st->driver->mail->due(st, journal, now_ms, limit, fn, arg, err);
}

bool
store_mail_failed(struct store *st, const char *journal, int64_t after,
    int limit, store_mail_fn *fn, void *arg, struct err *err)
{
	return st->driver->mail->failed(st, journal, after, limit, fn, arg,
	    err);
}

bool
store_mail_get(struct store *st, int64_t id, store_mail_fn *fn, void *arg,
    struct err *err)
{
	return st->driver->mail->get(st, id, fn, arg, err);
}

bool
store_mail_next_due(struct store *st, const char *journal, int64_t *out,
    struct err *err)
{
	return st->driver->mail->next_due(st, journal, out, err);
}

bool
store_mail_last(struct store *st, const char *journal, int64_t *out,
    struct err *err)
{
	return st->driver->mail->last(st, journal, out, err);
}

/* ---- delivery and acts of a person ------------------------------------- */

bool
store_outcome_set(struct store *st, const struct store_outcome *o)
{
	return STORE_WRITE(st, STORE_DELIVER, delivery, outcome_set, o);
}

bool
store_attempt_add(struct store *st, int64_t mail_id, int64_t at_ms,
    const char *result, int code, const char *reply)
{
	return STORE_WRITE(st, STORE_DELIVER, delivery, attempt_add, mail_id, at_ms,
	    result, code, reply);
}

bool
store_relay_set(struct store *st, const char *name, bool up,
    int64_t since_ms, int64_t next_ms, const char *reason)
{
	return STORE_WRITE(st, STORE_DELIVER, delivery, relay_set, name, up,
	    since_ms, next_ms, reason);
}

bool
store_mail_hurry(struct store *st, const char *journal, int64_t far_ms,
    int64_t now_ms)
{
	return STORE_WRITE(st, STORE_DELIVER, delivery, hurry, journal,
	    far_ms, now_ms);
}

bool
store_action_add(struct store *st, const struct store_action *a, int64_t *id)
{
	return STORE_WRITE(st, STORE_ADMIN, delivery, action_add, a, id);
}

bool
store_action_list(struct store *st, int64_t after, store_action_fn *fn,
    void *arg, struct err *err)
{
	return st->driver->delivery->action_list(st, after, fn, arg, err);
}

/* A mail is retried by an action, as deliver follows these. */
static bool
is_sound(const struct store_request *r)
{
	bool is_retry = strcmp(r->verb, "retry") == 0;

	return r->who != NULL && r->who[0] != '\0' &&
	    (is_retry || strcmp(r->verb, "acknowledge") == 0) &&
	    (r->mail_id != 0) + (r->turn_id != 0) + (r->event_id != 0) == 1 &&
	    !(is_retry && r->mail_id != 0);
}

bool
store_request_add(struct store *st, const struct store_request *r,
    int64_t *id)
{
	return store_may_write(st, STORE_ADMIN) &&
	    store_note(st, is_sound(r) || err_set(&st->first, ERR_PERM,
	    "store.state", "a request is of one thing, by somebody, and "
	    "known")) &&
	    STORE_WRITE(st, STORE_ADMIN, delivery, request_add, r, id);
}

bool
store_request_list(struct store *st, int64_t after, int limit,
    store_request_fn *fn, void *arg, struct err *err)
{
	return st->driver->delivery->request_list(st, after, limit, fn, arg,
	    err);
}
