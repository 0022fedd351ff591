/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: the counts of status. Ids are given in order without holes and rows
 * are not deleted, so the highest id is the count; partial indexes count the
 * few that wait. Only the index of mails is walked whole; outcomes are looked
 * up for those above the mark below which all have one.
 */
#include "store_sqlite.h"

#include <string.h>

struct count {
	const char *sql;
	size_t offset;
};

#define INTO(member) offsetof(struct store_status, member)
#define READ_TO "(SELECT ifnull(max(value), 0) FROM {build}.cursor " \
	"WHERE name = '" STORE_CURSOR_EVENTS "')"

#define RECORDS_TO "(SELECT max(ifnull(max(value), 0), " STORE_DB_RECORDS ") " \
	"FROM {build}.cursor WHERE name = '" STORE_CURSOR_RECORDS "')"
#define SENDS(state) "SELECT count(*) FROM send WHERE state = '" state "'"

#define ASKS(table, cursor, also) "(SELECT count(*) FROM " table " k " \
	"WHERE k.id > (SELECT ifnull(max(value), 0) FROM {directory}.cursor " \
	"WHERE name = '" cursor "')" also ")"
#define ALL_ASKS(also) "SELECT " \
	ASKS("turn_ask", STORE_CURSOR_ASKED_BUILD, also) " + " \
	ASKS("send_ask", STORE_CURSOR_ASKED_GATEWAY, also)

static const struct count counts[] = {
	{ "SELECT max(id) FROM event", INTO(events) },
	{ "SELECT max(0, max(id) - " READ_TO ") FROM event",
	  INTO(events_unread) },
	{ "SELECT count(*) FROM parked WHERE ended_ms = 0",
	  INTO(events_parked) },
	{ "SELECT count(*) FROM parked p WHERE p.ended_ms = 0 AND "
	    STORE_DB_ACKNOWLEDGED("event_id", "p.event_id"),
	  INTO(events_acknowledged) },
	{ "SELECT count(*) FROM turn t WHERE t.state = 'parked' AND "
	    STORE_DB_ACKNOWLEDGED("turn_id", "t.id"),
	  INTO(turns_acknowledged) },
	{ "SELECT max(id) FROM variant", INTO(variants) },
	{ "SELECT count(*) FROM variant WHERE turn_id = 0",
	  INTO(variants_unsent) },
	{ "SELECT value FROM {intake}.cursor WHERE name = 'purged'",
	  INTO(events_purged) },
	{ "SELECT min(received_ms) FROM (SELECT * FROM "
	    "(SELECT received_ms FROM event WHERE id > " READ_TO
	    " ORDER BY id LIMIT 1) UNION ALL SELECT * FROM "
	    "(SELECT received_ms FROM record WHERE id > " RECORDS_TO
	    " ORDER BY id LIMIT 1))", INTO(oldest_unread_ms) },
	{ "SELECT max(id) - " STORE_DB_RECORDS " FROM record", INTO(records) },
	{ "SELECT max(0, max(id) - " RECORDS_TO ") FROM record",
	  INTO(records_unread) },
	{ SENDS("stored"), INTO(sends_stored) },
	{ SENDS("forwarding"), INTO(sends_forwarding) },
	{ SENDS("held"), INTO(sends_held) },
	{ "SELECT max(id) FROM send", INTO(sends_done) },
	{ "SELECT count(*) FROM send s WHERE s.outcome = 'unknown' "
	    "AND s.state = 'done' AND NOT EXISTS (SELECT 1 FROM resolution r "
	    "WHERE r.send_key = lower(hex(s.key)))", INTO(sends_unknown) },
	{ "SELECT max(id) FROM item", INTO(items) },
	{ "SELECT max(id) FROM sighting", INTO(sightings) },
	{ "SELECT count(*) FROM sighting WHERE same = 0",
	  INTO(sightings_differ) },
	{ "SELECT count(*) FROM turn WHERE state = 'open'",
	  INTO(turns_open) },
	{ "SELECT count(*) FROM turn WHERE state = 'closed'",
	  INTO(turns_closed) },
	{ "SELECT count(*) FROM turn WHERE state = 'held'",
	  INTO(turns_held) },
	{ "SELECT count(*) FROM turn WHERE state = 'parked'",
	  INTO(turns_parked) },
	{ "SELECT max(id) FROM turn", INTO(turns_rendered) },
	{ "SELECT count(*) FROM waiting", INTO(turns_waiting) },
	{ "SELECT count(*) FROM excluded", INTO(turns_excluded) },
	{ "SELECT max(id) FROM want", INTO(files_wanted) },
	{ "SELECT max(number) FROM fetch", INTO(files_fetched) },
	{ "SELECT count(*) FROM fetch WHERE state = 'quarantined'",
	  INTO(files_quarantined) },
	{ "SELECT count(*) FROM fetch WHERE state = 'unavailable'",
	  INTO(files_unavailable) },
	{ ALL_ASKS(""), INTO(asks_waiting) },
	{ ALL_ASKS(" AND EXISTS (SELECT 1 FROM answer a "
	    "WHERE a.kind = k.kind AND a.value = k.value)"), INTO(asks_old) },
};

static bool
count_simple(struct sqlite *s, struct store_status *out, struct err *err)
{
	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
		int64_t n;

		if (!store_db_number(s, counts[i].sql, 0, &n, err, ""))
			return false;
		memcpy((char *)out + counts[i].offset, &n, sizeof(n));
	}
	out->sends_done -= out->sends_stored + out->sends_forwarding +
	    out->sends_held;
	out->turns_rendered -= out->turns_open + out->turns_closed +
	    out->turns_held + out->turns_parked;
	/* Media's view is the younger one: it may know more than is wanted. */
	out->files_wanted = MAX(0, out->files_wanted - out->files_fetched);
	out->files_fetched -= out->files_quarantined + out->files_unavailable;
	return true;
}

/* ---- journals ---------------------------------------------------------- */

static bool
count_queued(struct sqlite *s, struct store_status *out, struct err *err)
{
	sqlite3_stmt *q = store_db_query(s, "SELECT journal, count(*) "
	    "FROM mail GROUP BY journal", err, "");
	int r;

	while ((r = store_db_step(s, q, err)) > 0)
		store_status_journal(out, store_db_text(q, 0))->queued =
		    sqlite3_column_int64(q, 1);
	return r == 0;
}

/* Below the mark all have an outcome; above it they are counted. */
#define DONE "(SELECT ifnull(max(value), 0) FROM {deliver}.cursor " \
	"WHERE name = ?1 || '" STORE_CURSOR_DONE "')"

static bool
count_outcomes(struct sqlite *s, struct store_journal_status *j,
    const char *journal, struct err *err)
{
	int64_t all;

	if (!store_db_number(s, "SELECT (SELECT count(*) FROM mail "
	    "WHERE journal = ?1 AND id <= " DONE ") + "
	    "(SELECT count(*) FROM mail m WHERE journal = ?1 AND id > " DONE
	    " AND EXISTS (SELECT 1 FROM outcome o WHERE o.mail_id = m.id))",
	    0, &all, err, "s", journal) ||
	    !store_db_number(s, "SELECT count(*) FROM outcome "
	    "WHERE state = 'deferred' AND journal = ?", 0, &j->deferred, err,
	    "s", journal) ||
	    !store_db_number(s, "SELECT count(*) FROM outcome "
	    "WHERE state = 'failed' AND journal = ?", 0, &j->failed, err,
	    "s", journal) ||
	    !store_db_number(s, "SELECT count(*) FROM outcome o "
	    "WHERE o.state = 'failed' AND o.journal = ? AND "
	    STORE_DB_ACKNOWLEDGED("mail_id", "o.mail_id"), 0,
	    &j->acknowledged, err, "s", journal))
		return false;
	j->sent = all - j->deferred - j->failed;
	j->pending = j->queued - all;
	return true;
}

static bool
older(struct sqlite *s, struct store_journal_status *j, const char *sql,
    const char *journal, struct err *err)
{
	int64_t ms;

	if (!store_db_number(s, sql, 0, &ms, err, "s", journal))
		return false;
	if (ms != 0 && (j->oldest_ms == 0 || ms < j->oldest_ms))
		j->oldest_ms = ms;
	return true;
}

#define QUEUED_OF(state) "SELECT queued_ms FROM mail WHERE id = " \
	"(SELECT min(mail_id) FROM outcome WHERE state = '" state "' " \
	"AND journal = ?)"

static bool
find_oldest(struct sqlite *s, struct store_journal_status *j,
    const char *journal, struct err *err)
{
	return (j->pending == 0 || older(s, j, "SELECT queued_ms FROM mail "
	    "WHERE id = (SELECT id FROM mail m WHERE journal = ?1 "
	    "AND id > " DONE " AND NOT EXISTS (SELECT 1 FROM outcome o WHERE o.mail_id = m.id) "
	    "ORDER BY id LIMIT 1)", journal, err)) &&
	    (j->deferred == 0 ||
	    older(s, j, QUEUED_OF("deferred"), journal, err)) &&
	    (j->failed == 0 ||
	    older(s, j, QUEUED_OF("failed"), journal, err));
}

static bool
count_journals(struct sqlite *s, struct store_status *out, struct err *err)
{
	if (!count_queued(s, out, err))
		return false;
	for (guint i = 0; i < out->journals->len; i++) {
		struct store_journal_status *j = &g_array_index(out->journals,
		    struct store_journal_status, i);

		if (!count_outcomes(s, j, j->journal, err) ||
		    !find_oldest(s, j, j->journal, err))
			return false;
	}
	return true;
}

static bool
read_relays(struct sqlite *s, struct store_status *out, struct err *err)
{
	sqlite3_stmt *q = store_db_query(s, "SELECT name, up, since_ms, "
	    "next_ms, reason FROM relay ORDER BY name", err, "");
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		struct store_relay_status relay = {
			.up = sqlite3_column_int64(q, 1) != 0,
			.since_ms = sqlite3_column_int64(q, 2),
			.next_ms = sqlite3_column_int64(q, 3),
		};

		g_strlcpy(relay.name, store_db_text(q, 0),
		    sizeof(relay.name));
		g_strlcpy(relay.reason, store_db_text(q, 4),
		    sizeof(relay.reason));
		g_array_append_val(out->relays, relay);
	}
	return r == 0;
}

static bool
read_novelties(struct sqlite *s, struct store_status *out, struct err *err)
{
	sqlite3_stmt *q = store_db_query(s, "SELECT field, word, count, "
	    "first_ms, last_ms FROM novelty "
	    "ORDER BY count DESC, field, word LIMIT ?", err, "i",
	    (int64_t)STORE_NOVELTIES_MAX);
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		struct store_novelty n = {
			.count = sqlite3_column_int64(q, 2),
			.first_ms = sqlite3_column_int64(q, 3),
			.last_ms = sqlite3_column_int64(q, 4),
		};

		g_strlcpy(n.field, store_db_text(q, 0), sizeof(n.field));
		g_strlcpy(n.word, store_db_text(q, 1), sizeof(n.word));
		g_array_append_val(out->novelties, n);
	}
	return r == 0;
}

bool
store_sqlite_status(struct store *st, struct store_status *out,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	bool ok = store_db_look_begin(s, err) &&
	    count_simple(s, out, err) &&
	    count_journals(s, out, err) &&
	    read_relays(s, out, err) &&
	    store_sqlite_ask.server_get(st, &out->server, err) &&
	    read_novelties(s, out, err);

	store_db_look_end(s);
	return ok;
}
