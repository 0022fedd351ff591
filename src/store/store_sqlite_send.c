/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: sends. One row each, written when it comes and again with each
 * change of its state until it is done; what is done is never changed again,
 * but that the purge takes its bytes.
 */
#include "store_sqlite.h"

/* ---- reading ----------------------------------------------------------- */

#define SELECT "SELECT s.id, s.key, s.state, s.received_ms, s.changed_ms, " \
	"s.until_ms, s.persons, s.status, s.first_record_id, s.record_id, " \
	"s.outcome, s.wamid, s.application, s.employee, s.remote, " \
	"s.business, s.target, s.content_type, s.sha256, s.verdict, " \
	"s.definition, s.request, s.sent, s.answer, s.method, d.digest "
#define FROM "FROM send s LEFT JOIN idempotency d ON d.send_id = s.id "

static void
read_send(sqlite3_stmt *q, struct store_send *s)
{
	size_t len;

	s->id = sqlite3_column_int64(q, 0);
	s->state = store_send_state(store_db_text(q, 2));
	s->received_ms = sqlite3_column_int64(q, 3);
	s->changed_ms = sqlite3_column_int64(q, 4);
	s->until_ms = sqlite3_column_int64(q, 5);
	s->persons = sqlite3_column_int64(q, 6);
	s->status = (int)sqlite3_column_int64(q, 7);
	s->first_record_id = sqlite3_column_int64(q, 8);
	s->record_id = sqlite3_column_int64(q, 9);
	s->outcome = store_db_text(q, 10);
	s->wamid = store_db_text(q, 11);
	s->application = store_db_text(q, 12);
	s->employee = store_db_text(q, 13);
	s->remote = store_db_text(q, 14);
	s->business = store_db_text(q, 15);
	s->target = store_db_text(q, 16);
	s->content_type = store_db_text(q, 17);
	store_db_digest(q, 18, s->sha256);
	s->verdict = store_db_text(q, 19);
	s->definition = store_db_text(q, 20);
	s->request = store_db_blob(q, 21, &s->request_len);
	s->sent = store_db_blob(q, 22, &s->sent_len);
	s->answer = store_db_blob(q, 23, &s->answer_len);
	s->method = store_db_text(q, 24);
	s->idempotency = store_db_blob(q, 25, &len);
}

static bool
give(struct sqlite *s, sqlite3_stmt *q, store_send_fn *fn, void *arg,
    struct err *err)
{
	char key[STORE_KEY_SIZE * 2 + 1];
	struct store_send send = { .key = key };
	uint8_t raw[HASH_SIZE];
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		store_db_digest(q, 1, raw);
		store_send_key_print(raw, key);
		read_send(q, &send);
		if (!fn(arg, &send)) {
			store_db_end(q);
			return true;
		}
	}
	return r == 0;
}

static bool
send_by_key(struct store *st, const char *key, store_send_fn *fn, void *arg,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	uint8_t raw[STORE_KEY_SIZE];

	if (!store_send_key_parse(key, raw))
		return true;
	return give(s, store_db_query(s, SELECT FROM "WHERE s.key = ?", err,
	    "b", raw, sizeof(raw)), fn, arg, err);
}

static bool
send_by_idempotency(struct store *st, const uint8_t *digest,
    int64_t since_ms, store_send_fn *fn, void *arg, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	s->asked_since_ms = since_ms;
	return give(s, store_db_query(s, SELECT "FROM idempotency d "
	    "CROSS JOIN send s ON s.id = d.send_id WHERE d.digest = ? "
	    "AND d.received_ms > ? ORDER BY d.received_ms DESC, s.id DESC "
	    "LIMIT 1", err, "hi", digest, since_ms), fn, arg, err);
}

/* An index of those that are not done serves only what names a state. */
#define LIST(state) SELECT FROM "WHERE s.state = '" state "' " \
	"AND s.id > ? ORDER BY s.id LIMIT ?"

static bool
send_list(struct store *st, enum store_send_state state, int64_t after,
    int limit, store_send_fn *fn, void *arg, struct err *err)
{
	static const char *const sql[STORE_SEND_STATES] = {
		[STORE_SEND_STORED] = LIST("stored"),
		[STORE_SEND_FORWARDING] = LIST("forwarding"),
		[STORE_SEND_HELD] = LIST("held"),
		[STORE_SEND_DONE] = LIST("done"),
	};
	struct sqlite *s = SQLITE_OF(st);

	if (state >= STORE_SEND_STATES)
		return err_set(err, ERR_PERM, "store.state",
		    "sends have no state %d", (int)state);
	return give(s, store_db_query(s, sql[state], err, "ii", after,
	    (int64_t)limit), fn, arg, err);
}

/* ---- writing ------------------------------------------------------------- */

/*
 * The index of digests is random: with each new one some that nobody asks for
 * any more go, so that it stays as small as the time that is asked for.
 */
static bool
add_digest(struct sqlite *s, int64_t send_id, const struct store_send *send,
    struct err *err)
{
	return store_db_run(s, "INSERT INTO idempotency (send_id, "
	    "received_ms, digest) VALUES (?,?,?)", err, "iih", send_id,
	    send->received_ms, send->idempotency) &&
	    store_db_run(s, "DELETE FROM idempotency WHERE send_id IN "
	    "(SELECT send_id FROM idempotency ORDER BY send_id LIMIT 2) "
	    "AND received_ms <= ?", err, "i", s->asked_since_ms);
}

static bool
insert(struct sqlite *s, const uint8_t *key, const struct store_send *send,
    struct err *err)
{
	const void *request = send->request == NULL ? "" : send->request;

	return store_db_run(s, "INSERT INTO send (key, state, received_ms, "
	    "changed_ms, until_ms, persons, status, first_record_id, "
	    "record_id, outcome, wamid, application, employee, remote, "
	    "business, target, content_type, sha256, verdict, definition, "
	    "request, sent, answer, method) VALUES (?,?,?,?,?,?,?,"
	    "nullif(?,0),nullif(?,0),?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", err,
	    "bsiiiiiiisssssssshssbbbs", key, (size_t)STORE_KEY_SIZE,
	    store_send_state_name(send->state), send->received_ms,
	    send->changed_ms, send->until_ms, send->persons,
	    (int64_t)send->status, send->first_record_id, send->record_id,
	    send->outcome, send->wamid, send->application, send->employee,
	    send->remote, send->business, send->target, send->content_type,
	    send->sha256, send->verdict, send->definition, request,
	    send->request_len, send->sent, send->sent_len, send->answer,
	    send->answer_len, send->method);
}

static bool
send_add(struct store *st, const struct store_send *send, int64_t *id,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	uint8_t key[STORE_KEY_SIZE];
	int64_t added;

	if (!store_send_key_parse(send->key, key))
		return err_set(err, ERR_PERM, "store.state",
		    "a send's key is not 32 hex digits");
	if (!insert(s, key, send, err))
		return false;
	added = sqlite3_last_insert_rowid(s->db);
	if (send->idempotency != NULL && !add_digest(s, added, send, err))
		return false;
	if (id != NULL)
		*id = added;
	return true;
}

static bool
send_set(struct store *st, const struct store_send *send, struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);

	return store_db_run(s, "UPDATE send SET state = ?2, "
	    "changed_ms = ifnull(nullif(?3, 0), changed_ms), until_ms = ?4, "
	    "status = ifnull(nullif(?5, 0), status), "
	    "first_record_id = ifnull(nullif(?6, 0), first_record_id), "
	    "record_id = ifnull(nullif(?7, 0), record_id), "
	    "outcome = ifnull(?8, outcome), wamid = ifnull(?9, wamid), "
	    "verdict = ifnull(?10, verdict), sent = ifnull(?11, sent), "
	    "answer = ifnull(?12, answer), "
	    "persons = ifnull(nullif(?13, 0), persons) "
	    "WHERE id = ?1 AND state <> 'done'", err, "isiiiiisssbbi", send->id,
	    store_send_state_name(send->state), send->changed_ms,
	    send->until_ms, (int64_t)send->status, send->first_record_id,
	    send->record_id, send->outcome, send->wamid, send->verdict,
	    send->sent, send->sent_len, send->answer, send->answer_len,
	    send->persons) &&
	    store_db_changed(s, "send", send->id, "under way", err);
}

const struct store_send_verbs store_sqlite_send = {
	.add = send_add,
	.set = send_set,
	.by_key = send_by_key,
	.by_idempotency = send_by_idempotency,
	.list = send_list,
};
