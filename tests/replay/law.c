/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conservation law at the end of a scenario: what was posted is in mails,
 * or recorded, or repeated, or parked; nothing else is. The store's own
 * account (store_law_check) and one made here from the posted bytes and from
 * the mails must agree.
 */
#include <inttypes.h>
#include <string.h>

#include "conf.h"
#include "err.h"
#include "evidence.h"
#include "item.h"
#include "mail_read.h"
#include "wa.h"
#include "world.h"

/* What the posted bytes amount to, and what came of them. */
struct account {
	struct world *w;
	GHashTable *keys;	/* char *, of all items seen so far, to the
				   JSON each came with first */
	GHashTable *others;	/* char *, of their keys and other JSON */
	GHashTable *differing;	/* char * of a key -> how many of these */
	GHashTable *parked;	/* int64_t event id -> int64_t turn id */
	GArray *parked_turns;	/* int64_t */
	GPtrArray *ids;		/* char *, that must be in a mail */
	GPtrArray *found;	/* char *, that are; borrowed */
	GHashTable *turns;	/* int64_t turn id -> its first mail */
	int64_t repeats, recorded, owed, mailed, waiting;
	int64_t made;		/* items that the build role itself made */
};

/* ---- what was posted -------------------------------------------------------- */

static bool
is_recorded(const struct conf *c, const struct item *it)
{
	if (it->kind != ITEM_RECEIPT || c->receipts == CONF_RECEIPTS_ALL)
		return false;
	return c->receipts == CONF_RECEIPTS_NONE || it->receipt == NULL ||
	    g_strcmp0(it->receipt->status, "failed") != 0;
}

static void
owe_item(struct account *a, const struct item *it)
{
	if (is_recorded(a->w->conf, it)) {
		a->recorded++;
	} else {
		a->owed++;
		if (it->id != NULL)
			g_ptr_array_add(a->ids, g_strdup(it->id));
	}
}

/* Whether it is to be journaled as something else than what came first. */
/* Links to files are no content; of all members "url" here they are. */
static char *
without_links(const char *raw)
{
	GString *out = g_string_new(NULL);
	const char *url;

	while ((url = strstr(raw, "\"url\":")) != NULL) {
		g_string_append_len(out, raw, url - raw);
		raw = strchr(strchr(url + strlen("\"url\":"), '"') + 1, '"') +
		    1;
		while (out->len > 0 && strchr(", ", out->str[out->len - 1]))
			g_string_truncate(out, out->len - 1);
	}
	g_string_append(out, raw);
	return g_string_free(out, FALSE);
}

static bool
says_the_same(const char *one, const char *other)
{
	g_autofree char *a = without_links(one), *b = without_links(other);

	return strcmp(a, b) == 0;
}

static bool
is_variant(struct account *a, const struct item *it)
{
	const char *first = g_hash_table_lookup(a->keys, it->key);
	int n = GPOINTER_TO_INT(g_hash_table_lookup(a->differing, it->key));

	if (it->raw == NULL || says_the_same(first, it->raw) ||
	    !g_hash_table_add(a->others, g_strconcat(it->key, "\n", it->raw,
	    NULL)))
		return false;
	g_hash_table_replace(a->differing, g_strdup(it->key),
	    GINT_TO_POINTER(n + 1));
	return n < STORE_VARIANTS_MAX;
}

static void
count_item(struct account *a, const struct item *it)
{
	if (!g_hash_table_contains(a->keys, it->key)) {
		g_hash_table_insert(a->keys, g_strdup(it->key),
		    g_strdup(it->raw != NULL ? it->raw : ""));
		owe_item(a, it);
		return;
	}
	a->repeats++;
	if (is_variant(a, it))
		owe_item(a, it);
}

static int64_t items_in_turn(struct account *a, int64_t turn_id);

/*
 * An event that is or was parked owes its raw bytes, if even they can be
 * shown; in a mail of last resort they are no item.
 */
static void
count_parked(struct account *a, int64_t turn_id, const void *body, size_t len)
{
	struct item *raw = wa_raw_item(body, len, "");

	if ((turn_id != 0 && items_in_turn(a, turn_id) > 0) ||
	    g_hash_table_contains(a->keys, raw->key))
		count_item(a, raw);
	item_free(raw);
}

static bool
is_record(int64_t id)
{
	return id > STORE_EVENT_GATEWAY;
}

static bool
take_parked_event(void *arg, const struct store_parked *p)
{
	struct store_parked *out = arg;

	*out = *p;
	out->reason = NULL;
	return false;
}

static void
count_event(struct account *a, int64_t id, GBytes *event)
{
	struct wa_limits limits = WA_LIMITS_DEFAULT;
	g_autoptr(GPtrArray) items = NULL;
	struct err err = ERR_INIT;
	gsize len;
	const void *body = g_bytes_get_data(event, &len);
	struct store_parked parked = { .ended_ms = 1 };

	limits.max_bytes = len;
	if (!store_parked_get(a->w->store, id, take_parked_event, &parked,
	    &err))
		world_fail(a->w, "parked: %s", err.text);
	if (parked.event_id != 0)
		count_parked(a, parked.turn_id, body, len);
	if (parked.ended_ms == 0)
		return;
	if (!(is_record(id) ? wa_record_parse : wa_parse)(body, len,
	    &limits, &items, &err)) {
		world_fail(a->w, "event %" PRId64 " is no JSON, but was not "
		    "parked", id);
	} else {
		for (guint i = 0; i < items->len; i++)
			count_item(a, items->pdata[i]);
	}
}

static bool
take_parked(void *arg, const struct store_row *row)
{
	struct account *a = arg;
	int64_t *pair = g_new(int64_t, 2);

	pair[0] = row->event_id;
	pair[1] = row->turn_id;
	if (row->event_id != 0) {
		g_hash_table_replace(a->parked, pair, pair + 1);
	} else {
		g_array_append_val(a->parked_turns, pair[1]);
		g_free(pair);
	}
	return true;
}

/* ---- what came of it ---------------------------------------------------------- */

static int64_t
items_of(const struct world_mail *m)
{
	const char *n = mail_field(m->inner, "X-ChatJournal-Items", 0);

	return n != NULL ? g_ascii_strtoll(n, NULL, 10) : 0;
}

static GBytes *
inner_bytes(const struct world_mail *m)
{
	const struct mail_part *p = mail_find(m->read, "message/rfc822", 0);

	return p != NULL ? p->content : m->bytes;
}

static int64_t
items_in_turn(struct account *a, int64_t turn_id)
{
	g_autoptr(GArray) items = NULL;
	struct err err = ERR_INIT;

	if (!store_turn_item_list(a->w->store, turn_id, &items, &err)) {
		world_fail(a->w, "turn_items: %s", err.text);
		return 0;
	}
	return items->len;
}

static bool
is_same_style(const struct world *w, const struct world_mail *a,
    const struct world_mail *b)
{
	const struct conf_journal *x = conf_journal_get(w->conf, a->journal);
	const struct conf_journal *y = conf_journal_get(w->conf, b->journal);

	return strcmp(x->language, y->language) == 0 &&
	    x->max_bytes == y->max_bytes && x->max_files == y->max_files &&
	    x->max_age_ms == y->max_age_ms &&
	    x->thread_index == y->thread_index;
}

/*
 * Every journal of a turn has the same mail, be it in a report or not, unless
 * it wants it otherwise.
 */
static void
count_mail(struct account *a, struct world_mail *m)
{
	struct world_mail *first = g_hash_table_lookup(a->turns, &m->turn_id);
	const char *types = mail_field(m->inner, "X-ChatJournal-Types", 0);

	if (m->is_follow_up || m->is_part || m->is_alert)
		return;
	if (first != NULL) {
		if (is_same_style(a->w, first, m) &&
		    !g_bytes_equal(inner_bytes(first), inner_bytes(m)))
			world_fail(a->w, "mails %" PRId64 " and %" PRId64
			    " of turn %" PRId64 " differ inside", first->id,
			    m->id, m->turn_id);
		return;
	}
	g_hash_table_insert(a->turns, &m->turn_id, m);
	a->made += g_strcmp0(types, "identity") == 0 ||
	    g_strcmp0(types, "resolved") == 0;
	a->mailed += a->w->show_raw ? items_in_turn(a, m->turn_id) :
	    items_of(m);
	if (items_of(m) != (int64_t)m->ids->len)
		world_fail(a->w, "mail %" PRId64 " has %u items, and says %"
		    PRId64, m->id, m->ids->len, items_of(m));
	for (guint i = 0; i < m->ids->len; i++) {
		if (*(char *)m->ids->pdata[i] != '\0')
			g_ptr_array_add(a->found, m->ids->pdata[i]);
	}
}

static gint
by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each id that was posted is in exactly one mail. */
static void
compare_ids(struct account *a)
{
	guint i = 0, j = 0;

	g_ptr_array_sort(a->ids, by_text);
	g_ptr_array_sort(a->found, by_text);
	while (i < a->ids->len || j < a->found->len) {
		int order = i == a->ids->len ? 1 : j == a->found->len ? -1 :
		    strcmp(a->ids->pdata[i], a->found->pdata[j]);

		if (order == 0) {
			i++;
			j++;
		} else if (order < 0) {
			world_fail(a->w, "%s is in no mail",
			    (char *)a->ids->pdata[i++]);
		} else {
			world_fail(a->w, "%s is in one mail too many",
			    (char *)a->found->pdata[j++]);
		}
	}
}

static void
count_waiting(struct account *a)
{
	for (guint i = 0; i < a->parked_turns->len; i++)
		a->waiting += items_in_turn(a,
		    g_array_index(a->parked_turns, int64_t, i));
}

static void
compare_sum(struct account *a, const char *what, int64_t got, int64_t want)
{
	if (got != want)
		world_fail(a->w, "%s: %" PRId64 ", but it should be %" PRId64,
		    what, got, want);
}

static void
compare_sums(struct account *a)
{
	struct store_status s = { 0 };
	struct err err = ERR_INIT;
	int64_t unsent = 0;

	compare_sum(a, "items in mails and parked turns",
	    a->mailed + a->waiting, a->owed + a->made);
	if (!store_status(a->w->store, &s, &err)) {
		world_fail(a->w, "status: %s", err.text);
		return;
	}
	compare_sum(a, "items in the store", s.items, a->owed + a->recorded +
	    a->made);
	compare_sum(a, "sightings", s.sightings, a->repeats);
	compare_sum(a, "events", s.events, a->w->bodies->len);
	compare_sum(a, "records", s.records, a->w->records->len);
	compare_sum(a, "parked events", s.events_parked,
	    g_hash_table_size(a->parked));
	for (guint i = 0; i < s.journals->len; i++) {
		const struct store_journal_status *j = &g_array_index(
		    s.journals, struct store_journal_status, i);

		unsent += j->queued - j->sent;
		compare_sum(a, "mails neither sent nor failed",
		    j->pending + j->deferred, 0);
	}
	compare_sum(a, "mails that no relay has", (int64_t)a->w->mails->len -
	    g_hash_table_size(a->w->taken), unsent);
	store_status_clear(&s);
}

/* ---- the whole -------------------------------------------------------------------- */

static void
check_store(struct world *w)
{
	g_autofree char *why = NULL;
	struct err err = ERR_INIT;
	bool ok = false;

	if (!store_law_check(w->store, &ok, &why, &err))
		world_fail(w, "law: %s", err.text);
	else if (!ok)
		world_fail(w, "the store breaks its law: %s", why);
}

static void
check_account(struct account *a)
{
	struct err err = ERR_INIT;

	if (!store_list(a->w->store, STORE_LIST_PARKED, NULL, 0, INT32_MAX,
	    take_parked, a, &err))
		world_fail(a->w, "list: %s", err.text);
	for (guint i = 0; i < a->w->bodies->len; i++)
		count_event(a, i + 1, a->w->bodies->pdata[i]);
	for (guint i = 0; i < a->w->records->len; i++)
		count_event(a, STORE_EVENT_GATEWAY + i + 1,
		    a->w->records->pdata[i]);
	for (guint i = 0; i < a->w->mails->len; i++)
		count_mail(a, a->w->mails->pdata[i]);
	count_waiting(a);
	compare_sums(a);
	if (!a->w->show_raw && a->parked_turns->len == 0)
		compare_ids(a);
}

void
law_check(struct world *w)
{
	struct account a = { .w = w };

	w->line = 0;
	check_store(w);
	evidence_check(w);
	a.keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    g_free);
	a.others = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    NULL);
	a.differing = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    NULL);
	a.parked = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
	    NULL);
	a.turns = g_hash_table_new(g_int64_hash, g_int64_equal);
	a.parked_turns = g_array_new(FALSE, FALSE, sizeof(int64_t));
	a.ids = g_ptr_array_new_with_free_func(g_free);
	a.found = g_ptr_array_new();
	check_account(&a);
	g_hash_table_unref(a.keys);
	g_hash_table_unref(a.others);
	g_hash_table_unref(a.differing);
	g_hash_table_unref(a.parked);
	g_hash_table_unref(a.turns);
	g_array_unref(a.parked_turns);
	g_ptr_array_unref(a.ids);
	g_ptr_array_unref(a.found);
}
