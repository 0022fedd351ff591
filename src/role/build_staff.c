/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who of the staff it was: by the directory file, else by what the directory
 * role was told by LDAP. A turn waits a little for an answer that is not there
 * yet, and goes out without it when that takes too long. Nothing is asked of
 * the network here: questions and answers meet in the store.
 */
#include <inttypes.h>
#include <string.h>

#include <json-c/json.h>

#include "build_int.h"
#include "conf.h"
#include "directory.h"
#include "err.h"
#include "item.h"
#include "proc.h"

#define CACHE_MAX 20000
#define CACHE_MS 30000

/* An answer, or a question that is under way. */
struct entry {
	struct directory_staff *staff;	/* NULL: nobody, or not known yet */
	int64_t until_ms;	/* looked up again after that */
	int64_t asked_ms;	/* 0: not asked */
	int64_t oldest_ms;	/* an answer that held until before is not used */
	bool is_answered;
};

static void
free_entry(gpointer p)
{
	struct entry *e = p;

	directory_staff_free(e->staff);
	g_free(e);
}

static GPtrArray *
read_groups(const char *json)
{
	GPtrArray *groups = g_ptr_array_new_with_free_func(g_free);
	struct json_object *list = json != NULL ? json_tokener_parse(json) :
	    NULL;

	for (size_t i = 0; list != NULL && i < json_object_array_length(list);
	    i++)
		g_ptr_array_add(groups, g_strdup(json_object_get_string(
		    json_object_array_get_idx(list, i))));
	json_object_put(list);
	return groups;
}

static bool
take_answer(void *arg, const struct store_answer *a)
{
	struct entry *e = arg;
	struct directory_staff *s;

	/* What is too old to be used is as if it were not there. */
	e->is_answered = a->until_ms >= e->oldest_ms;
	if (!a->found || !e->is_answered)
		return false;
	e->staff = s = directory_staff_new();
	s->id = g_strdup(a->id);
	s->name = g_strdup(a->name);
	s->mail = g_strdup(a->mail);
	s->groups = read_groups(a->groups);
	s->is_remote = true;
	return false;
}

static bool
look_up(struct build *b, const char *kind, const char *value, int64_t now_ms,
    struct entry **out, struct err *err)
{
	g_autofree char *name = g_strjoin("|", kind, value, NULL);
	struct entry *e = g_hash_table_lookup(b->staff, name), *fresh;

	if (e != NULL && e->until_ms > now_ms) {
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

/* Asks once; pending while the time for an answer is not over. */
static bool
ask(struct build *b, const char *kind, const char *value, int64_t now_ms,
    struct build_staff *out, struct err *err)
{
	struct entry *e;

	if (!look_up(b, kind, value, now_ms, &e, err))
		return false;
	out->staff = e->staff;
	if (e->is_answered)
		return true;
	if (e->asked_ms == 0 || now_ms < e->asked_ms) {
		e->asked_ms = now_ms;
		store_ask_add(b->store, STORE_BUILD, kind, value, now_ms);
		b->asked = true;
	}
	out->is_pending = now_ms - e->asked_ms < b->conf->ldap.wait_ms;
	out->groups_unknown = !out->is_pending;
	return true;
}

bool
build_staff_find(struct build *b, const struct item *it,
    const struct directory_business *biz, int64_t now_ms,
    struct build_staff *out, struct err *err)
{
	const struct directory *d = b->conf->directory;
	const char *employee = it->send != NULL ? it->send->employee : NULL;
	int64_t at_ms = it->at_ms > 0 ? it->at_ms : now_ms;

	*out = (struct build_staff){ 0 };
	if (employee != NULL) {
		out->staff = directory_staff_get(d, employee);
		if (out->staff != NULL || b->conf->ldap.url == NULL)
			return true;
		return ask(b, "id", employee, now_ms, out, err);
	}
	if (biz != NULL)
		out->staff = directory_business_staff(biz, at_ms);
	/* A desk's number is nobody's own. */
	if (out->staff != NULL || it->business.number == NULL)
		return true;
	out->staff = directory_staff_by_number(d, it->business.number);
	if (out->staff != NULL || b->conf->ldap.url == NULL)
		return true;
	return ask(b, "number", it->business.number, now_ms, out, err);
}

GHashTable *
build_staff_cache(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    free_entry);
}
