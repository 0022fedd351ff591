/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: the conservation law. One query per article: it counts what breaks
 * it and names the first. Reads everything, so it is for tests and for a
 * person who asks, not for a loop. Of files it sees whether those that are
 * still needed are there, and of what length.
 */
#include "store_sqlite.h"

struct article {
	const char *sql;	/* how many, and the least id */
	const char *breaks;	/* "%d <breaks>, the first is %d" */
};

#define CURSOR "(SELECT ifnull(max(value), 0) FROM {build}.cursor " \
	"WHERE name = '" STORE_CURSOR_EVENTS "')"

#define RECORDS_TO "(SELECT ifnull(max(value), 0) FROM {build}.cursor " \
	"WHERE name = '" STORE_CURSOR_RECORDS "')"
#define NO_TRACE "NOT EXISTS (SELECT 1 FROM item i " \
	"WHERE i.event_id = e.id) AND NOT EXISTS (SELECT 1 FROM sighting g " \
	"WHERE g.event_id = e.id) AND NOT EXISTS (SELECT 1 FROM parked p " \
	"WHERE p.event_id = e.id)"
/* Neither an event nor a record. */
#define NOWHERE(id) "NOT EXISTS (SELECT 1 FROM event e WHERE e.id = " id \
	") AND NOT EXISTS (SELECT 1 FROM record r WHERE r.id = " id ")"
#define FETCHED_TO "(SELECT ifnull(max(value), 0) FROM {build}.cursor " \
	"WHERE name = '" STORE_CURSOR_FETCHED "')"
#define IS_RENDERED(turn_id) "EXISTS (SELECT 1 FROM turn t " \
	"WHERE t.id = " turn_id " AND t.state = 'rendered')"

/*
 * Asked before there is one view of all: media's is taken after build's there,
 * and may know of wants that build's does not have yet.
 */
static const struct article backups[] = {
	{ "SELECT max(0, ifnull(max(want_id), 0) - "
	    "ifnull((SELECT max(id) FROM want), 0)), max(want_id) FROM fetch",
	  "files were fetched that nobody wants; build.db may have been put "
	  "back from a backup" },
};

static const struct article articles[] = {
	{ "SELECT count(*), min(i.id) FROM item i WHERE NOT EXISTS "
	    "(SELECT 1 FROM turn t WHERE t.id = i.turn_id) "
	    "AND (i.turn_id IS NOT NULL OR i.kind <> 'receipt')",
	  "items are filed under no turn" },
	{ "SELECT count(*), min(v.id) FROM variant v "
	    "JOIN item i ON i.key = v.key WHERE v.turn_id = 0 "
	    "AND i.kind <> 'receipt' AND (SELECT count(*) FROM variant w "
	    "WHERE w.key = v.key AND w.id <= v.id) <= "
	    G_STRINGIFY(STORE_VARIANTS_MAX),
	  "bytes that differ from the first are in no turn" },
	{ "SELECT count(*), min(t.id) FROM turn t WHERE t.state NOT IN "
	    "('open', 'closed', 'held', 'rendered', 'parked')",
	  "turns are in no known state" },
	{ "SELECT count(*), min(t.id) FROM turn t "
	    "WHERE t.state = 'rendered' AND NOT EXISTS "
	    "(SELECT 1 FROM mail m WHERE m.turn_id = t.id)",
	  "turns are rendered but have no mail" },
	/* A turn that is held alerts at once. */
	{ "SELECT count(*), min(m.id) FROM mail m WHERE NOT EXISTS "
	    "(SELECT 1 FROM turn t WHERE t.id = m.turn_id "
	    "AND t.state = 'rendered') AND NOT EXISTS "
	    "(SELECT 1 FROM hold h WHERE h.turn_id = m.turn_id)",
	  "mails are of a turn that is not rendered" },
	{ "SELECT count(*), min(m.id) FROM mail m WHERE NOT EXISTS "
	    "(SELECT 1 FROM content c WHERE c.id = m.content_id)",
	  "mails have no content" },
	{ "SELECT count(*), min(m.id) FROM mail m "
	    "JOIN content c ON c.id = m.content_id "
	    "LEFT JOIN outcome o ON o.mail_id = m.id "
	    "WHERE typeof(c.bytes) = 'null' AND NOT EXISTS "
	    "(SELECT 1 FROM content_file x WHERE x.content_id = c.id) "
	    "AND (o.state IS NULL OR o.state <> 'sent')",
	  "mails lost their content before they were sent" },
	{ "SELECT count(*), min(o.mail_id) FROM outcome o WHERE o.state "
	    "NOT IN ('sent', 'deferred', 'failed')",
	  "mails have no known outcome" },
	{ "SELECT count(*), min(o.mail_id) FROM outcome o WHERE NOT EXISTS "
	    "(SELECT 1 FROM mail m WHERE m.id = o.mail_id "
	    "AND m.journal = o.journal)",
	  "outcomes are of no mail of their journal" },
	{ "SELECT count(*), min(m.id) FROM mail m WHERE m.id <= "
	    "(SELECT value FROM {deliver}.cursor "
	    "WHERE name = m.journal || '" STORE_CURSOR_DONE "') AND NOT "
	    "EXISTS (SELECT 1 FROM outcome o WHERE o.mail_id = m.id)",
	  "mails were passed over without an outcome" },
	{ "SELECT count(*), min(e.id) FROM event e WHERE e.id <= " CURSOR
	    " AND " NO_TRACE,
	  "events were read but left no item, sighting or note" },
	{ "SELECT count(*), min(e.id) FROM record e WHERE e.id <= " RECORDS_TO
	    " AND " NO_TRACE,
	  "records were read but left no item, sighting or note" },
	{ "SELECT count(*), min(i.event_id) FROM item i WHERE "
	    NOWHERE("i.event_id"),
	  "items are of no event" },
	{ "SELECT max(0, " CURSOR " - ifnull(max(id), 0)), max(id) "
	    "FROM event",
	  "events were read that are not there; intake.db may have been put "
	  "back from a backup" },
	{ "SELECT max(0, " RECORDS_TO " - ifnull(max(id), " STORE_DB_RECORDS ")), "
	    "max(id) FROM record",
	  "records were read that are not there; gateway.db may have been put "
	  "back from a backup" },
	{ "SELECT count(*), min(e.id) FROM event e WHERE e.body IS NULL "
	    "AND e.id > " CURSOR,
	  "events lost their body before they were read" },
	{ "SELECT count(*), min(e.id) FROM record e WHERE e.body IS NULL "
	    "AND e.id > " RECORDS_TO,
	  "records lost their body before they were read" },
	{ "SELECT count(*), min(s.id) FROM send s WHERE s.state NOT IN "
	    "('stored', 'forwarding', 'held', 'done')",
	  "sends are in no known state" },
	{ "SELECT count(*), min(s.id) FROM send s "
	    "WHERE s.state IN ('held', 'done') AND NOT EXISTS "
	    "(SELECT 1 FROM record r WHERE r.id = s.record_id)",
	  "sends are held or done and have no record" },
	{ "SELECT count(*), min(s.id) FROM send s "
	    "WHERE s.state <> 'done' AND s.request IS NULL",
	  "sends lost their request before they were done" },
	{ "SELECT count(*), min(t.id) FROM turn t WHERE NOT EXISTS "
	    "(SELECT 1 FROM item i WHERE i.turn_id = t.id) AND NOT EXISTS "
	    "(SELECT 1 FROM follow_up u WHERE u.turn_id = t.id) "
	    "AND t.id NOT IN (SELECT turn_id FROM parked)",
	  "turns have no item, follow no file up and show no parked event" },
	{ "SELECT count(*), min(t.id) FROM turn t WHERE t.state = 'closed' "
	    "AND NOT EXISTS (SELECT 1 FROM waiting w "
	    "WHERE w.turn_id = t.id)",
	  "turns are closed but wait for nothing" },
	{ "SELECT count(*), min(w.turn_id) FROM waiting w WHERE NOT EXISTS "
	    "(SELECT 1 FROM turn t WHERE t.id = w.turn_id "
	    "AND t.state = 'closed')",
	  "turns wait that are not closed" },
	{ "SELECT count(*), min(t.id) FROM turn t WHERE t.state = 'held' "
	    "AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.turn_id = t.id "
	    "AND h.ended_ms = 0)",
	  "turns are held but no hold will ever end" },
	{ "SELECT count(*), min(h.turn_id) FROM hold h WHERE h.ended_ms = 0 "
	    "AND NOT EXISTS (SELECT 1 FROM turn t WHERE t.id = h.turn_id "
	    "AND t.state = 'held')",
	  "holds go on for turns that are not held" },
	{ "SELECT count(*), min(x.turn_id) FROM excluded x WHERE NOT "
	    IS_RENDERED("x.turn_id"),
	  "turns are excluded but no mail says so" },
	{ "SELECT count(*), min(w.id) FROM want w WHERE NOT EXISTS "
	    "(SELECT 1 FROM turn t WHERE t.id = w.turn_id) OR ("
	    NOWHERE("w.event_id") ")",
	  "wanted files are of no turn or no event" },
	{ "SELECT count(*), min(w.id) FROM want w "
	    "LEFT JOIN fetch f ON f.want_id = w.id WHERE w.late = 0 "
	    "AND f.number IS NULL AND " IS_RENDERED("w.turn_id"),
	  "files are neither in the mail of their turn nor noted as late" },
	{ "SELECT count(*), min(w.id) FROM want w "
	    "CROSS JOIN fetch f ON f.want_id = w.id WHERE w.late = 1 "
	    "AND f.number <= " FETCHED_TO " AND " IS_RENDERED("w.turn_id")
	    " AND NOT EXISTS (SELECT 1 FROM follow_up u "
	    "WHERE u.want_id = w.id)",
	  "files came late and were not followed up" },
	{ "SELECT count(*), min(u.turn_id) FROM follow_up u WHERE NOT EXISTS "
	    "(SELECT 1 FROM fetch f WHERE f.want_id = u.want_id "
	    "AND f.number IS NOT NULL)",
	  "turns follow up a file whose outcome is open" },
	{ "SELECT max(0, " FETCHED_TO " - ifnull(max(number), 0)), "
	    "max(number) FROM fetch",
	  "files were taken up that did not come; media.db may have been put "
	  "back from a backup" },
	{ "SELECT count(*), min(f.want_id) FROM fetch f WHERE "
	    "(f.number IS NULL) <> (f.state IN ('trying', 'retry'))",
	  "files became final without a number, or otherwise" },
};

/* Files that must be there: id, name or NULL, size. */
struct needed {
	const char *sql;
	enum store_dir dir;
	const char *breaks;
};

static const struct needed needed[] = {
	{ "SELECT m.id, x.name, c.size FROM content_file x "
	    "CROSS JOIN content c ON c.id = x.content_id "
	    "CROSS JOIN mail m ON m.turn_id = c.turn_id "
	    "AND m.content_id = c.id "
	    "LEFT JOIN outcome o ON o.mail_id = m.id "
	    "WHERE o.state IS NULL OR o.state <> 'sent' ORDER BY m.id",
	  STORE_DIR_MAIL,
	  "mails lost their file before they were sent" },
	{ "SELECT w.id, f.path, f.size FROM fetch f "
	    "CROSS JOIN want w ON w.id = f.want_id "
	    "WHERE f.path IS NOT NULL AND (EXISTS (SELECT 1 FROM turn t "
	    "WHERE t.id = w.turn_id AND t.state IN ('open', 'closed', 'held')) "
	    "OR (w.late = 1 AND NOT EXISTS (SELECT 1 FROM follow_up u "
	    "WHERE u.want_id = w.id AND " IS_RENDERED("u.turn_id") "))) "
	    "ORDER BY w.id",
	  STORE_DIR_MEDIA,
	  "files are gone before they were in a mail" },
	{ "SELECT id, path, size FROM upload WHERE path IS NOT NULL "
	    "ORDER BY id",
	  STORE_DIR_UPLOAD,
	  "uploaded files are gone" },
};

static bool
check(struct sqlite *s, const struct article *a, char **why, struct err *err)
{
	sqlite3_stmt *q = store_db_query(s, a->sql, err, "");
	int r = store_db_step(s, q, err);
	int64_t n, first;

	if (r < 0)
		return false;
	n = sqlite3_column_int64(q, 0);
	first = sqlite3_column_int64(q, 1);
	store_db_end(q);
	if (n > 0)
		*why = g_strdup_printf("%" G_GINT64_FORMAT " %s (the first is "
		    "%" G_GINT64_FORMAT ")", n, a->breaks, first);
	return true;
}

static bool
check_files(struct sqlite *s, const struct needed *a, char **why,
    struct err *err)
{
	sqlite3_stmt *q = store_db_query(s, a->sql, err, "");
	int64_t n = 0, first = 0;
	int r;

	while ((r = store_db_step(s, q, err)) > 0) {
		if (store_file_is_there(&s->base, a->dir, store_db_text(q, 1),
		    sqlite3_column_int64(q, 2)))
			continue;
		if (n++ == 0)
			first = sqlite3_column_int64(q, 0);
	}
	if (r < 0)
		return false;
	if (n > 0)
		*why = g_strdup_printf("%" G_GINT64_FORMAT " %s (the first is "
		    "%" G_GINT64_FORMAT ")", n, a->breaks, first);
	return true;
}

static bool
check_list(struct sqlite *s, const struct article *list, size_t n,
    char **why, struct err *err)
{
	for (size_t i = 0; i < n && *why == NULL; i++) {
		if (!check(s, &list[i], why, err))
			return false;
	}
	return true;
}

static bool
check_all(struct sqlite *s, char **why, struct err *err)
{
	if (!check_list(s, articles, G_N_ELEMENTS(articles), why, err))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(needed) && *why == NULL; i++) {
		if (!check_files(s, &needed[i], why, err))
			return false;
	}
	return true;
}

bool
store_sqlite_law_check(struct store *st, bool *ok, char **why,
    struct err *err)
{
	struct sqlite *s = SQLITE_OF(st);
	g_autofree char *broken = NULL;
	bool done = check_list(s, backups, G_N_ELEMENTS(backups), &broken,
	    err) && store_db_look_begin(s, err) &&
	    check_all(s, &broken, err);

	store_db_look_end(s);
	if (!done)
		return false;
	*ok = broken == NULL;
	*why = g_steal_pointer(&broken);
	return true;
}
