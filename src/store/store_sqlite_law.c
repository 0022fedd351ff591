/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: the conservation law. One query per article: it counts what breaks
 * it and names the first. Reads everything, so it is for tests and for a
 * person who asks, not for a loop.
 */
#include "store_sqlite.h"

struct article {
	const char *sql;	/* how many, and the least id */
	const char *breaks;	/* "%d <breaks>, the first is %d" */
};

#define CURSOR "(SELECT ifnull(max(value), 0) FROM {build}.cursor " \
	"WHERE name = '" STORE_CURSOR_EVENTS "')"

static const struct article articles[] = {
	{ "SELECT count(*), min(i.id) FROM item i WHERE NOT EXISTS "
	    "(SELECT 1 FROM turn t WHERE t.id = i.turn_id) "
	    "AND (i.turn_id IS NOT NULL OR i.kind <> 'receipt')",
	  "items are filed under no turn" },
	{ "SELECT count(*), min(t.id) FROM turn t WHERE t.state NOT IN "
	    "('open', 'closed', 'held', 'rendered', 'parked')",
	  "turns are in no known state" },
	{ "SELECT count(*), min(t.id) FROM turn t "
	    "WHERE t.state = 'rendered' AND NOT EXISTS "
	    "(SELECT 1 FROM mail m WHERE m.turn_id = t.id)",
	  "turns are rendered but have no mail" },
	{ "SELECT count(*), min(m.id) FROM mail m WHERE NOT EXISTS "
	    "(SELECT 1 FROM turn t WHERE t.id = m.turn_id "
	    "AND t.state = 'rendered')",
	  "mails are of a turn that is not rendered" },
	{ "SELECT count(*), min(m.id) FROM mail m WHERE NOT EXISTS "
	    "(SELECT 1 FROM content c WHERE c.id = m.content_id)",
	  "mails have no content" },
	{ "SELECT count(*), min(m.id) FROM mail m "
	    "JOIN content c ON c.id = m.content_id "
	    "LEFT JOIN outcome o ON o.mail_id = m.id WHERE c.bytes IS NULL "
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
	    " AND NOT EXISTS (SELECT 1 FROM item i WHERE i.event_id = e.id)"
	    " AND NOT EXISTS (SELECT 1 FROM sighting g "
	    "WHERE g.event_id = e.id) AND NOT EXISTS "
	    "(SELECT 1 FROM parked p WHERE p.event_id = e.id)",
	  "events were read but left no item, sighting or note" },
	{ "SELECT count(*), min(i.event_id) FROM item i WHERE NOT EXISTS "
	    "(SELECT 1 FROM event e WHERE e.id = i.event_id)",
	  "items are of no event" },
	{ "SELECT max(0, " CURSOR " - ifnull(max(id), 0)), max(id) "
	    "FROM event",
	  "events were read that are not there; intake.db may have been put "
	  "back from a backup" },
	{ "SELECT count(*), min(e.id) FROM event e WHERE e.body IS NULL "
	    "AND e.id > " CURSOR,
	  "events lost their body before they were read" },
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
check_all(struct sqlite *s, char **why, struct err *err)
{
	for (size_t i = 0; i < G_N_ELEMENTS(articles) && *why == NULL; i++) {
		if (!check(s, &articles[i], why, err))
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
	bool done = store_db_look_begin(s, err) &&
	    check_all(s, &broken, err);

	store_db_look_end(s);
	if (!done)
		return false;
	*ok = broken == NULL;
	*why = g_steal_pointer(&broken);
	return true;
}
