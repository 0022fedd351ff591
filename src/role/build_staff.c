/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who of the staff it was: by the directory file, else by what the directory
 * role was told by LDAP. A turn waits a little for an answer that is not there
 * yet, and goes out without it when that takes too long. Nothing is asked of
 * the network here: questions and answers meet in the store. An answer that is
 * old is used, and asked for again.
 */
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "build_int.h"
#include "conf.h"
#include "directory.h"
#include "err.h"
#include "item.h"
#include "role_int.h"

#define CACHE_MAX 20000
#define CACHE_MS 30000
/* An answer that is used although it is old is asked for again. */
#define ASK_AGAIN_MS 60000
/* How often it is looked whether answers are there that turns wait for. */
#define LOOK_MS 50

/* An answer, or a question that is under way. */
struct entry {
	struct directory_staff *staff;	/* NULL: nobody, or not known yet */
	int64_t until_ms;	/* looked up again after that */
	int64_t fresh_ms;	/* until then it holds */
	int64_t asked_ms;	/* 0: not asked */
	int64_t oldest_ms;	/* an answer that held until before is not used */
	bool is_answered, is_unclear;
};

/* The turns that wait for one answer. */
struct waiters {
	char *kind, *value;
	int64_t until_ms;
	GArray *turns;		/* int64_t */
};

static void
free_entry(gpointer p)
{
	struct entry *e = p;

	directory_staff_free(e->staff);
	g_free(e);
}

static void
free_waiters(gpointer p)
{
	struct waiters *w = p;

	g_free(w->kind);
	g_free(w->value);
	g_array_unref(w->turns);
	g_free(w);
}

static bool
take_answer(void *arg, const struct store_answer *a)
{
	struct entry *e = arg;

	/* What is too old to be used is as if it were not there. */
	e->is_answered = a->until_ms >= e->oldest_ms;
	e->is_unclear = e->is_answered && role_staff_is_unclear(a);
	e->fresh_ms = a->until_ms;
	if (e->is_answered)
		e->staff = role_staff_read(a);
	return false;
}

static bool
look_up(struct build *b, const char *kind, const char *value, int64_t now_ms,
    struct entry **out, struct err *err)
{
	g_autofree char *name = g_strjoin("|", kind, value, NULL);
	struct entry *e = g_hash_table_lookup(b->staff, name), *fresh;

	if (e != NULL && e->until_ms > now_ms &&
	    e->until_ms <= now_ms + CACHE_MS) {
		*out = e;
		return true;
	}
	fresh = g_new0(struct entry, 1);
	fresh->asked_ms = e != NULL ? e->asked_ms : 0;
	fresh->oldest_ms = now_ms - b->conf->ldap.stale_ms;
	if (!store_answer_get(b->store, kind, value, take_answer, fresh,
	    err)) {
		free_entry(fresh);
		return false;
	}
	if (fresh->is_answered)
		fresh->until_ms = now_ms + CACHE_MS;
	if (g_hash_table_size(b->staff) >= CACHE_MAX)
		g_hash_table_remove_all(b->staff);
	g_hash_table_replace(b->staff, g_steal_pointer(&name), fresh);
	*out = fresh;
	return true;
}

/* The question is committed with what it is asked for. */
static void
put_question(struct build *b, struct entry *e, const char *kind,
    const char *value, int64_t now_ms)
{
	int64_t again_ms = e->is_answered ? ASK_AGAIN_MS : INT64_MAX;

	if (e->asked_ms != 0 && now_ms >= e->asked_ms &&
	    now_ms - e->asked_ms < again_ms)
		return;
	e->asked_ms = now_ms;
	store_ask_add(b->store, STORE_BUILD, kind, value, now_ms);
	b->asked = true;
}

/* What is not answered is pending while the time for an answer is not over. */
static bool
ask(struct build *b, const char *kind, const char *value, int64_t now_ms,
    struct build_staff *out, struct err *err)
{
	int64_t until_ms;
	struct entry *e;

	if (!look_up(b, kind, value, now_ms, &e, err))
		return false;
	if (!e->is_answered || e->fresh_ms <= now_ms)
		put_question(b, e, kind, value, now_ms);
	out->staff = e->staff;
	out->groups_unknown = !e->is_answered || e->is_unclear;
	until_ms = e->asked_ms + b->conf->ldap.wait_ms;
	if (!e->is_answered && now_ms < until_ms) {
		out->pending_until_ms = until_ms;
		out->kind = kind;
		out->value = value;
	}
	return true;
}

/* ---- who it was ------------------------------------------------------------ */

static bool
has_groups(const struct directory_staff *s)
{
	return s->groups != NULL && s->groups->len > 0;
}

/*
 * What the file says of a person counts. Of groups it may say nothing: then
 * the server is asked for them, if a rule wants to know.
 */
static bool
take_listed(struct build *b, const struct directory_staff *s, int64_t now_ms,
    struct build_staff *out, struct err *err)
{
	bool ok = true;

	if (b->asks_groups && !has_groups(s) && s->id != NULL) {
		ok = ask(b, "id", s->id, now_ms, out, err);
		if (ok && out->staff != NULL)
			out->groups = out->staff->groups;
	}
	out->staff = s;
	return ok;
}

/* Whom the server names by a number, the file may know better. */
static bool
ask_number(struct build *b, const char *number, int64_t now_ms,
    struct build_staff *out, struct err *err)
{
	const struct directory_staff *listed;

	if (!ask(b, "number", number, now_ms, out, err))
		return false;
	if (out->staff == NULL || out->staff->id == NULL)
		return true;
	listed = directory_staff_get(b->conf->directory, out->staff->id);
	if (listed == NULL)
		return true;
	if (!has_groups(listed))
		out->groups = out->staff->groups;
	out->staff = listed;
	return true;
}

static const struct directory_staff *
listed_staff(const struct directory *d, const struct item *it,
    const struct directory_business *biz, int64_t at_ms)
{
	const struct directory_staff *s = NULL;

	if (it->send != NULL && it->send->employee != NULL)
		return directory_staff_get(d, it->send->employee);
	if (biz != NULL)
		s = directory_business_staff(biz, at_ms);
	if (s == NULL && it->business.number != NULL)
		s = directory_staff_by_number(d, it->business.number);
	return s;
}

bool
build_staff_find(struct build *b, const struct item *it,
    const struct directory_business *biz, int64_t now_ms,
    struct build_staff *out, struct err *err)
{
	const struct directory_staff *s = listed_staff(b->conf->directory, it,
	    biz, it->at_ms > 0 ? it->at_ms : now_ms);

	*out = (struct build_staff){ .staff = s };
	if (b->conf->ldap.url == NULL)
		return true;
	if (s != NULL)
		return take_listed(b, s, now_ms, out, err);
	if (it->send != NULL && it->send->employee != NULL)
		return ask(b, "id", it->send->employee, now_ms, out, err);
	if (it->business.number == NULL)
		return true;
	return ask_number(b, it->business.number, now_ms, out, err);
}

/* ---- turns that wait for it ------------------------------------------------ */

void
build_staff_wait(struct build *b, int64_t turn_id,
    const struct build_staff *s)
{
	g_autofree char *name = g_strjoin("|", s->kind, s->value, NULL);
	struct waiters *w = g_hash_table_lookup(b->staff_waits, name);

	if (w == NULL) {
		w = g_new0(struct waiters, 1);
		w->kind = g_strdup(s->kind);
		w->value = g_strdup(s->value);
		w->turns = g_array_new(FALSE, FALSE, sizeof(int64_t));
		g_hash_table_insert(b->staff_waits, g_steal_pointer(&name),
		    w);
	}
	w->until_ms = s->pending_until_ms;
	b->staff_due_ms = MIN(b->staff_due_ms, w->until_ms);
	g_array_append_val(w->turns, turn_id);
}

/*
 * What an earlier life let wait for an answer is not known any more: all that
 * waits is looked at again.
 */
bool
build_staff_begin(struct build *b, struct err *err)
{
	struct waiters *w;
	GArray *turns = NULL;

	if (b->conf->ldap.url == NULL)
		return true;
	if (!store_turn_wait_due(b->store, INT64_MAX, INT_MAX, &turns, err))
		return false;
	w = g_new0(struct waiters, 1);
	w->turns = turns;
	g_hash_table_insert(b->staff_waits, g_strdup(""), w);
	return true;
}

static bool
is_over(struct build *b, const struct waiters *w, int64_t now_ms, bool *over,
    struct err *err)
{
	struct entry e = { .oldest_ms = now_ms - b->conf->ldap.stale_ms };

	*over = now_ms >= w->until_ms;
	if (*over)
		return true;
	if (!store_answer_get(b->store, w->kind, w->value, take_answer, &e,
	    err))
		return false;
	*over = e.is_answered;
	directory_staff_free(e.staff);
	return true;
}

/* From the end, as far as there is room. */
static void
hand_out(struct waiters *w, guint limit, GArray *out)
{
	while (w->turns->len > 0 && out->len < limit) {
		int64_t id = g_array_index(w->turns, int64_t,
		    w->turns->len - 1);

		g_array_append_val(out, id);
		g_array_set_size(w->turns, w->turns->len - 1);
	}
}

/* Whoever is woken looks; under load not each time. */
static bool
is_too_soon(struct build *b, int64_t now_ms)
{
	bool soon = now_ms < b->staff_look_ms &&
	    now_ms > b->staff_look_ms - LOOK_MS;

	if (soon)
		b->staff_due_ms = b->staff_look_ms;
	else
		b->staff_look_ms = now_ms + LOOK_MS;
	return soon;
}

bool
build_staff_look(struct build *b, int64_t now_ms, guint limit, GArray *out,
    struct err *err)
{
	GHashTableIter it;
	gpointer p;

	if (g_hash_table_size(b->staff_waits) == 0 || is_too_soon(b, now_ms))
		return true;
	b->staff_due_ms = INT64_MAX;
	g_hash_table_iter_init(&it, b->staff_waits);
	while (g_hash_table_iter_next(&it, NULL, &p)) {
		struct waiters *w = p;
		bool over = false;

		if (!is_over(b, w, now_ms, &over, err))
			return false;
		if (over)
			hand_out(w, limit, out);
		if (w->turns->len == 0)
			g_hash_table_iter_remove(&it);
		else
			b->staff_due_ms = MIN(b->staff_due_ms, over ?
			    b->staff_look_ms : w->until_ms);
	}
	return true;
}

int64_t
build_staff_next(const struct build *b)
{
	return g_hash_table_size(b->staff_waits) == 0 ? INT64_MAX :
	    b->staff_due_ms;
}

GHashTable *
build_staff_cache(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    free_entry);
}

GHashTable *
build_staff_waits(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    free_waiters);
}
