/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: everything that happened to one message, by time.
 *
 * The id is first made a set of turns and events; then each table adds its
 * facts about them; then the facts are ordered. Nothing here reads a body or
 * a mail's bytes.
 */
#include "store_sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

struct fact {
	int64_t at_ms, event_id, turn_id, mail_id;
	char *what, *detail;
};

struct trace {
	struct sqlite *s;
	GArray *turns, *events;	/* int64_t, each once */
	GPtrArray *facts;
	struct err *err;
};

static void
free_fact(gpointer data)
{
	struct fact *f = data;

	g_free(f->what);
	g_free(f->detail);
	g_free(f);
}

static void
add_once(GArray *ids, int64_t id)
{
	if (id == 0)
		return;
	for (guint i = 0; i < ids->len; i++) {
		if (g_array_index(ids, int64_t, i) == id)
			return;
	}
	g_array_append_val(ids, id);
}

/* ---- which turns and events -------------------------------------------- */

/* Rows of (turn id, event id), 0 for none. */
static bool
add_ids(struct trace *t, sqlite3_stmt *q)
{
	int r;

	while ((r = store_db_step(t->s, q, t->err)) > 0) {
		add_once(t->turns, sqlite3_column_int64(q, 0));
		add_once(t->events, sqlite3_column_int64(q, 1));
	}
	return r == 0;
}

static bool
find_number(struct trace *t, const char *sql, const char *digits)
{
	int64_t id = g_ascii_strtoll(digits, NULL, 10);

	return add_ids(t, store_db_query(t->s, sql, t->err, "i", id));
}

static bool
find_name(struct trace *t, const char *id)
{
	size_t len = strlen(id);
	g_autofree char *bare = len >= 2 && id[0] == '<' &&
	    id[len - 1] == '>' ? g_strndup(id + 1, len - 2) : g_strdup(id);
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(int64_t));

	if (!store_db_trail_find(t->s, bare, found, t->err))
		return false;
	for (guint i = 0; i < found->len; i++) {
		int64_t place = g_array_index(found, int64_t, i);

		add_once(place > 0 ? t->turns : t->events, ABS(place));
	}
	return true;
}

/* The records of a send, and the turns that came of them. */
static bool
find_send(struct trace *t, const char *hex)
{
	uint8_t key[STORE_KEY_SIZE];

	if (!store_send_key_parse(hex, key))
		return true;
	return add_ids(t, store_db_query(t->s, "WITH of(id) AS "
	    "(SELECT first_record_id FROM send WHERE key = ?1 "
	    "UNION SELECT record_id FROM send WHERE key = ?1) "
	    "SELECT 0, id FROM of WHERE id IS NOT NULL "
	    "UNION SELECT i.turn_id, i.event_id FROM of "
	    "CROSS JOIN item i ON i.event_id = of.id "
	    "UNION SELECT p.turn_id, p.event_id FROM of "
	    "CROSS JOIN parked p ON p.event_id = of.id", t->err, "b", key,
	    sizeof(key)));
}

static bool
find(struct trace *t, const char *id)
{
	if (g_str_has_prefix(id, "mail:"))
		return find_number(t, "SELECT turn_id, 0 FROM mail "
		    "WHERE id = ?", id + 5);
	if (g_str_has_prefix(id, "turn:"))
		return find_number(t, "SELECT id, 0 FROM turn WHERE id = ?",
		    id + 5);
	if (g_str_has_prefix(id, "event:"))
		return find_number(t, "SELECT 0, id FROM event WHERE id = ?1 "
		    "UNION SELECT 0, id FROM record WHERE id = ?1 "
		    "UNION SELECT turn_id, event_id FROM item "
		    "WHERE event_id = ?1 UNION SELECT turn_id, event_id "
		    "FROM parked WHERE event_id = ?1 "
		    "UNION SELECT i.turn_id, i.event_id "
		    "FROM sighting g JOIN item i ON i.key = g.key "
		    "WHERE g.event_id = ?1", id + 6);
	if (g_str_has_prefix(id, "send:"))
		return find_send(t, id + 5);
	return find_name(t, id);
}

/*
 * A file that came late makes a turn of its own: with a turn its follow-ups
 * are found, and with a follow-up the turn that it follows.
 */
static bool
find_follow_ups(struct trace *t)
{
	for (guint i = 0; i < t->turns->len; i++) {
		int64_t id = g_array_index(t->turns, int64_t, i);
		sqlite3_stmt *q = store_db_query(t->s, "SELECT u.turn_id, 0 "
		    "FROM want w CROSS JOIN follow_up u ON u.want_id = w.id "
		    "WHERE w.turn_id = ?1 UNION SELECT w.turn_id, 0 "
		    "FROM follow_up u CROSS JOIN want w ON w.id = u.want_id "
		    "WHERE u.turn_id = ?1", t->err, "i", id);

		if (!add_ids(t, q))
			return false;
	}
	return true;
}

/* The events of the turns found, and those that repeated their items. */
static bool
find_events(struct trace *t)
{
	for (guint i = 0; i < t->turns->len; i++) {
		int64_t id = g_array_index(t->turns, int64_t, i);
		sqlite3_stmt *q = store_db_query(t->s, "SELECT 0, event_id "
		    "FROM item WHERE turn_id = ?1 UNION "
		    "SELECT 0, g.event_id FROM item i "
		    "JOIN sighting g ON g.key = i.key WHERE i.turn_id = ?1 "
		    "UNION SELECT 0, event_id FROM parked "
		    "WHERE turn_id = ?1", t->err, "i", id);

		if (!add_ids(t, q))
			return false;
	}
	return true;
}

/* ---- facts ------------------------------------------------------------- */

/* "name=value name=value" of the columns from `first` on; NULL if none. */
static char *
spell(sqlite3_stmt *q, int first)
{
	g_autoptr(GString) out = g_string_new(NULL);

	for (int i = first; i < sqlite3_column_count(q); i++) {
		const char *value = store_db_text(q, i);
		g_autofree char *quoted = NULL;

		if (value == NULL || *value == '\0')
			continue;
		quoted = text_log_quote(value);
		g_string_append_printf(out, "%s%s=%s", out->len > 0 ? " " : "",
		    sqlite3_column_name(q, i), quoted);
	}
	return out->len == 0 ? NULL :
	    g_string_free(g_steal_pointer(&out), FALSE);
}

/* Rows of what, at_ms, event, turn, mail, then named columns of detail. */
static bool
add_facts(struct trace *t, const char *sql, int64_t id)
{
	sqlite3_stmt *q = store_db_query(t->s, sql, t->err, "i", id);
	int r;

	while ((r = store_db_step(t->s, q, t->err)) > 0) {
		struct fact *f = g_new0(struct fact, 1);

		f->what = g_strdup(store_db_text(q, 0));
		f->at_ms = sqlite3_column_int64(q, 1);
		f->event_id = sqlite3_column_int64(q, 2);
		f->turn_id = sqlite3_column_int64(q, 3);
		f->mail_id = sqlite3_column_int64(q, 4);
		f->detail = spell(q, 5);
		g_ptr_array_add(t->facts, f);
	}
	return r == 0;
}

#define RECEIVED(id) "ifnull((SELECT received_ms FROM event " \
	"WHERE id = " id "), (SELECT received_ms FROM record WHERE id = " id "))"

static const char *const of_event[] = {
	"SELECT 'received', received_ms, id, 0, 0, remote, "
	"secret_name AS secret, size, "
	"CASE WHEN body IS NULL THEN 'yes' END AS purged "
	"FROM event WHERE id = ?",
	"SELECT 'received', received_ms, id, 0, 0, remote, application, size, "
	"CASE WHEN body IS NULL THEN 'yes' END AS purged "
	"FROM record WHERE id = ?",
	"SELECT 'asked', received_ms, record_id, 0, 0, "
	"lower(hex(key)) AS send, application, employee, target "
	"FROM send WHERE record_id = ?",
	"SELECT 'answered', changed_ms, record_id, 0, 0, "
	"lower(hex(key)) AS send, outcome, nullif(status, 0) AS status, "
	"wamid AS id FROM send WHERE record_id = ? AND state = 'done'",
	"SELECT 'parked', at_ms, event_id, turn_id, 0, reason "
	"FROM parked WHERE event_id = ?",
	"SELECT 'understood', ended_ms, event_id, 0, 0 "
	"FROM parked WHERE event_id = ? AND ended_ms <> 0",
	"SELECT verb, at_ms, event_id, 0, 0, who, why FROM request "
	"WHERE event_id = ? AND event_id <> 0 ORDER BY id",
	"SELECT 'recorded', " RECEIVED("i.event_id") ", i.event_id, 0, 0, "
	"i.wamid AS id, i.target, i.kind, i.type FROM item i "
	"WHERE i.event_id = ? AND i.turn_id IS NULL ORDER BY i.id",
};

/* An item has no time of its own filing: it is as late as its event. */
static const char *const of_turn[] = {
	"SELECT 'filed', ifnull(" RECEIVED("i.event_id") ", t.opened_ms), "
	"i.event_id, i.turn_id, 0, i.wamid AS id, i.target, i.kind, i.type "
	"FROM item i JOIN turn t ON t.id = i.turn_id "
	"WHERE i.turn_id = ? ORDER BY i.id",
	"SELECT CASE WHEN g.same THEN 'repeated' ELSE 'changed' END, g.at_ms, "
	"g.event_id, i.turn_id, 0, i.wamid AS id FROM item i "
	"JOIN sighting g ON g.key = i.key WHERE i.turn_id = ? ORDER BY g.id",
	"SELECT 'wanted', w.wanted_ms, w.event_id, w.turn_id, 0, w.media_id, "
	"w.mime_type, CASE WHEN f.number IS NULL THEN f.attempts END "
	"AS attempts, CASE WHEN f.state = 'retry' THEN f.next_ms END "
	"AS next_ms, CASE WHEN f.number IS NULL THEN f.reason END AS reason "
	"FROM want w LEFT JOIN fetch f ON f.want_id = w.id "
	"WHERE w.turn_id = ? ORDER BY w.id",
	"SELECT f.state, f.done_ms, w.event_id, w.turn_id, 0, w.media_id, "
	"f.type, nullif(f.size, 0) AS size, CASE WHEN f.state = 'unavailable' "
	"THEN NULL ELSE lower(hex(f.sha256)) END AS sha256, f.verdict, "
	"CASE WHEN f.hash_differs THEN 'yes' END AS hash_differs, "
	"CASE WHEN f.type_differs THEN 'yes' END AS type_differs, f.reason, "
	"CASE WHEN f.state <> 'unavailable' AND f.path IS NULL THEN 'yes' END "
	"AS purged FROM want w CROSS JOIN fetch f ON f.want_id = w.id "
	"WHERE w.turn_id = ? AND f.number IS NOT NULL ORDER BY f.number",
	"SELECT 'follow-up', t.opened_ms, w.event_id, t.id, 0, w.media_id, "
	"w.turn_id AS of_turn FROM follow_up u "
	"CROSS JOIN turn t ON t.id = u.turn_id "
	"CROSS JOIN want w ON w.id = u.want_id WHERE u.turn_id = ?",
	"SELECT 'closed', closed_ms, 0, id, 0, closed_why AS reason, items "
	"FROM turn WHERE id = ? AND closed_ms IS NOT NULL",
	"SELECT 'held', since_ms, 0, turn_id, 0, rule, persons, until_ms "
	"FROM hold WHERE turn_id = ?",
	"SELECT verb, at_ms, 0, turn_id, 0, who, why FROM review "
	"WHERE turn_id = ? AND turn_id <> 0 ORDER BY id",
	/* That a hold ended by being parked is told by the turn. */
	"SELECT how, ended_ms, 0, turn_id, 0, rule FROM hold "
	"WHERE turn_id = ? AND ended_ms <> 0 AND how <> 'parked'",
	"SELECT 'excluded', at_ms, 0, turn_id, 0, why FROM excluded "
	"WHERE turn_id = ?",
	"SELECT 'parked', at_ms, 0, turn_id, 0, why AS reason "
	"FROM turn_unparked WHERE turn_id = ? ORDER BY id",
	"SELECT verb, at_ms, 0, turn_id, 0, who, why FROM request "
	"WHERE turn_id = ? AND turn_id <> 0 ORDER BY id",
	"SELECT state, done_ms, 0, id, 0, message_id, parked_why AS reason "
	"FROM turn WHERE id = ? AND state IN ('rendered', 'parked')",
	"SELECT 'queued', queued_ms, 0, turn_id, id, journal, message_id "
	"FROM mail WHERE turn_id = ? ORDER BY id",
	"SELECT 'attempt', a.at_ms, 0, m.turn_id, m.id, m.journal, a.result, "
	"nullif(a.code, 0) AS code, a.reply FROM mail m "
	"JOIN attempt a ON a.mail_id = m.id WHERE m.turn_id = ? ORDER BY a.id",
	"SELECT o.state, o.last_ms, 0, m.turn_id, m.id, m.journal, "
	"o.attempts, nullif(o.code, 0) AS code, o.reply, "
	"CASE WHEN o.state = 'deferred' THEN o.next_ms END AS next_ms "
	"FROM mail m JOIN outcome o ON o.mail_id = m.id "
	"WHERE m.turn_id = ? ORDER BY m.id",
	"SELECT r.verb, r.at_ms, 0, m.turn_id, m.id, r.who, r.why "
	"FROM mail m CROSS JOIN request r ON r.mail_id = m.id "
	"AND r.mail_id <> 0 WHERE m.turn_id = ? ORDER BY r.id",
	/* One that names no mail concerned those that had failed by then. */
	"SELECT a.verb, a.at_ms, 0, m.turn_id, m.id, a.who, m.journal "
	"FROM mail m CROSS JOIN action a ON a.mail_id = m.id "
	"OR (a.mail_id = 0 AND (a.journal IS NULL OR a.journal = m.journal) "
	"AND EXISTS (SELECT 1 FROM attempt f WHERE f.mail_id = m.id "
	"AND f.result = 'failed' AND f.at_ms <= a.at_ms)) "
	"WHERE m.turn_id = ? ORDER BY a.id",
};

static bool
gather(struct trace *t, GArray *ids, const char *const *sql, size_t n)
{
	for (guint i = 0; i < ids->len; i++) {
		for (size_t k = 0; k < n; k++) {
			if (!add_facts(t, sql[k],
			    g_array_index(ids, int64_t, i)))
				return false;
		}
	}
	return true;
}

/* ---- the whole --------------------------------------------------------- */

static gint
by_time(gconstpointer a, gconstpointer b)
{
	const struct fact *x = *(struct fact *const *)a;
	const struct fact *y = *(struct fact *const *)b;

	return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

static gint
by_id(gconstpointer a, gconstpointer b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* What happened at one time is told in one order, whatever was asked for. */
static bool
find_all(struct trace *t, const char *id)
{
	if (!find(t, id) || !find_follow_ups(t) || !find_events(t))
		return false;
	g_array_sort(t->turns, by_id);
	g_array_sort(t->events, by_id);
	return true;
}

static bool
collect(struct trace *t, const char *id)
{
	return store_db_look_begin(t->s, t->err) && find_all(t, id) &&
	    gather(t, t->events, of_event, G_N_ELEMENTS(of_event)) &&
	    gather(t, t->turns, of_turn, G_N_ELEMENTS(of_turn));
}

static void
give(GPtrArray *facts, store_fact_fn *fn, void *arg)
{
	for (guint i = 0; i < facts->len; i++) {
		const struct fact *f = facts->pdata[i];
		struct store_fact row = {
			.at_ms = f->at_ms, .what = f->what,
			.event_id = f->event_id, .turn_id = f->turn_id,
			.mail_id = f->mail_id, .detail = f->detail,
		};

		if (!fn(arg, &row))
			return;
	}
}

bool
store_sqlite_trace(struct store *st, const char *id, store_fact_fn *fn,
    void *arg, struct err *err)
{
	g_autoptr(GArray) turns = g_array_new(FALSE, FALSE, sizeof(int64_t));
	g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(int64_t));
	g_autoptr(GPtrArray) facts = g_ptr_array_new_with_free_func(free_fact);
	struct trace t = { .s = SQLITE_OF(st), .turns = turns,
		.events = events, .facts = facts, .err = err };
	bool ok = collect(&t, id);

	store_db_look_end(t.s);
	if (!ok)
		return false;
	/* GLib sorts arrays stably: equal times stay in order of causes. */
	g_ptr_array_sort(facts, by_time);
	give(facts, fn, arg);
	return true;
}
