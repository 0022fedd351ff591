/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grouping of items into turns: decisions only. Neither reads a clock nor
 * keeps anything; what it decides is carried out by the build role.
 */
#include "turn.h"

#include <stdlib.h>
#include <string.h>

#include "item.h"

void
turn_clear(struct turn *t)
{
	g_clear_pointer(&t->conversation, g_free);
	g_clear_pointer(&t->author, g_free);
}

void
turn_free(struct turn *t)
{
	if (t == NULL)
		return;
	turn_clear(t);
	g_free(t);
}

char *
turn_person(const struct item *it)
{
	const struct item_party *p = &it->counterpart;

	if (p->user_id != NULL)
		return g_strconcat("u:", p->user_id, NULL);
	if (p->number != NULL)
		return g_strconcat("n:", p->number, NULL);
	return NULL;
}

static const char *
business_of(const struct item *it)
{
	if (it->business.user_id != NULL)
		return it->business.user_id;
	if (it->business.number != NULL)
		return it->business.number;
	return it->account != NULL ? it->account : "-";
}

char *
turn_conversation(const struct item *it, const char *person)
{
	g_autofree char *group = NULL;
	const char *other = person != NULL ? person : "-";

	if (it->group_id != NULL) {
		group = g_strconcat("g:", it->group_id, NULL);
		other = group;
	}
	return g_strjoin("|", it->network != NULL ? it->network : "-",
	    business_of(it), other, NULL);
}

/* No network has this name. */
#define BUNDLE "receipts|"

/* '|' ends the id; what is escaped need not be readable, only different. */
char *
turn_bundle(const struct item *it, const char *conversation)
{
	GString *key = g_string_new(BUNDLE);

	for (const char *p = it->target; p != NULL && *p != '\0'; p++) {
		if (*p == '|' || *p == '%')
			g_string_append_printf(key, "%%%02X", (unsigned)*p);
		else
			g_string_append_c(key, *p);
	}
	g_string_append_c(key, '|');
	g_string_append(key, conversation);
	return g_string_free(key, FALSE);
}

const char *
turn_talk(const char *key)
{
	const char *talk;

	if (!g_str_has_prefix(key, BUNDLE))
		return key;
	talk = strchr(key + strlen(BUNDLE), '|');
	return talk != NULL ? talk + 1 : key;
}

bool
turn_is_bundled(const struct turn_rules *rules, const struct item *it)
{
	return it->kind == ITEM_RECEIPT && rules->receipt_wait_ms > 0 &&
	    it->target != NULL && it->receipt != NULL &&
	    g_strcmp0(it->receipt->status, "failed") != 0;
}

char *
turn_author(const struct item *it, const char *person)
{
	if (it->direction == ITEM_SENT || it->author == ITEM_NETWORK)
		return g_strconcat("b:", item_author_name(it->author), NULL);
	return g_strdup(person != NULL ? person : "-");
}

bool
turn_is_single(const struct turn_rules *rules, const struct item *it)
{
	if (turn_is_bundled(rules, it))
		return false;
	return rules->idle_ms == 0 || !item_is_groupable(it);
}

static int64_t
time_of(const struct item *it, int64_t now_ms)
{
	return it->at_ms > 0 ? it->at_ms : now_ms;
}

/* Why the item cannot follow in its own author's turn, by event times. */
static enum turn_close_reason
too_far(const struct turn_rules *rules, const struct turn *t, int64_t at)
{
	if (at > t->last_at_ms + rules->idle_ms)
		return TURN_IDLE;
	if (at > t->first_at_ms + rules->span_ms)
		return TURN_SPAN;
	return TURN_STILL_OPEN;
}

static bool
is_late(const struct turn_rules *rules, const struct turn *t, int64_t at)
{
	return at < t->first_at_ms - rules->idle_ms ||
	    at < t->last_at_ms - rules->span_ms;
}

static bool
is_full(const struct turn_rules *rules, const struct turn *t, int64_t bytes)
{
	return t->items >= rules->max_items ||
	    t->bytes + bytes > rules->max_bytes;
}

enum turn_verdict
turn_check(const struct turn_rules *rules, const struct turn *t,
    const struct item *it, const char *author, int64_t bytes, int64_t now_ms,
    enum turn_close_reason *reason)
{
	int64_t at = time_of(it, now_ms);
	enum turn_close_reason why = turn_due(rules, t, now_ms);

	if (why == TURN_STILL_OPEN && turn_is_bundled(rules, it) &&
	    t->items < rules->max_items)
		return TURN_JOIN;
	if (why == TURN_STILL_OPEN && turn_is_single(rules, it))
		return TURN_LEAVE;
	if (why == TURN_STILL_OPEN && g_strcmp0(t->author, author) != 0) {
		if (at < t->first_at_ms)
			return TURN_LEAVE;
		why = TURN_ANSWERED;
	}
	if (why == TURN_STILL_OPEN && is_late(rules, t, at))
		return TURN_LEAVE;
	if (why == TURN_STILL_OPEN)
		why = too_far(rules, t, at);
	if (why == TURN_STILL_OPEN && is_full(rules, t, bytes))
		why = TURN_FULL;
	if (why == TURN_STILL_OPEN)
		return TURN_JOIN;
	*reason = why;
	return TURN_CLOSE;
}

static bool
is_bundle(const struct turn *t)
{
	return turn_talk(t->conversation) != t->conversation;
}

static void
set_deadline(struct turn *t, const struct turn_rules *rules)
{
	if (is_bundle(t)) {
		t->close_at_ms = t->opened_ms + rules->receipt_wait_ms;
		return;
	}
	t->close_at_ms = MIN(t->touched_ms + rules->idle_ms,
	    t->opened_ms + rules->span_ms);
}

void
turn_start(struct turn *t, const struct turn_rules *rules,
    const char *conversation, const char *author, const struct item *it,
    int64_t bytes, int64_t now_ms)
{
	int64_t at = time_of(it, now_ms);

	*t = (struct turn){
		.conversation = g_strdup(conversation),
		.author = g_strdup(author),
		.first_at_ms = at, .last_at_ms = at,
		.opened_ms = now_ms, .touched_ms = now_ms,
		.items = 1, .bytes = bytes,
	};
	set_deadline(t, rules);
}

void
turn_join(struct turn *t, const struct turn_rules *rules,
    const struct item *it, int64_t bytes, int64_t now_ms)
{
	int64_t at = time_of(it, now_ms);

	t->first_at_ms = MIN(t->first_at_ms, at);
	t->last_at_ms = MAX(t->last_at_ms, at);
	t->touched_ms = MAX(t->touched_ms, now_ms);
	t->items++;
	t->bytes += bytes;
	set_deadline(t, rules);
}

enum turn_close_reason
turn_due(const struct turn_rules *rules, const struct turn *t, int64_t now_ms)
{
	if (now_ms < t->close_at_ms)
		return TURN_STILL_OPEN;
	if (is_bundle(t))
		return TURN_WAITED;
	if (t->close_at_ms == t->opened_ms + rules->span_ms)
		return TURN_SPAN;
	return TURN_IDLE;
}

struct order {
	struct item *item;
	guint place;
};

static gint
by_time(gconstpointer a, gconstpointer b)
{
	const struct order *x = a, *y = b;

	if (x->item->at_ms != y->item->at_ms)
		return x->item->at_ms < y->item->at_ms ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

void
turn_sort(GPtrArray *items)
{
	g_autofree struct order *o = g_new(struct order, items->len);

	for (guint i = 0; i < items->len; i++)
		o[i] = (struct order){ items->pdata[i], i };
	qsort(o, items->len, sizeof(*o), by_time);
	for (guint i = 0; i < items->len; i++)
		items->pdata[i] = o[i].item;
}

const char *
turn_close_reason_name(enum turn_close_reason reason)
{
	switch (reason) {
	case TURN_STILL_OPEN:
		return "open";
	case TURN_IDLE:
		return "idle";
	case TURN_SPAN:
		return "span";
	case TURN_FULL:
		return "full";
	case TURN_ANSWERED:
		return "answered";
	case TURN_SINGLE:
		return "single";
	case TURN_WAITED:
		return "waited";
	}
	return "open";
}
