/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the counterpart of an item is: the alias table joins telephone number
 * and business-scoped user id, so that a conversation goes on when Meta
 * leaves one of them out. The first id under which somebody was seen names
 * the person for ever.
 */
#include <string.h>

#include "build_int.h"
#include "err.h"
#include "item.h"
#include "turn.h"

#define CACHE_MAX 100000

static char *
alias_id(const char *prefix, const char *value)
{
	return value != NULL ? g_strconcat(prefix, value, NULL) : NULL;
}

/* A copy of the person known under id, NULL when the id is new. */
static bool
look_up(struct build *b, const char *network, const char *id, char **person,
    struct err *err)
{
	g_autofree char *name = NULL;
	const char *hit;

	*person = NULL;
	if (id == NULL)
		return true;
	name = g_strjoin("|", network, id, NULL);
	hit = g_hash_table_lookup(b->persons, name);
	if (hit != NULL) {
		*person = g_strdup(hit);
		return true;
	}
	if (!store_alias_get(b->store, network, id, person, err))
		return false;
	if (*person != NULL)
		g_hash_table_replace(b->persons, g_steal_pointer(&name),
		    g_strdup(*person));
	return true;
}

static void
learn(struct build *b, const char *network, const char *id,
    const char *person, int64_t now_ms)
{
	if (id != NULL)
		store_alias_set(b->store, network, id, person, now_ms);
}

bool
build_person(struct build *b, const struct item *it, int64_t now_ms,
    char **person, struct err *err)
{
	const char *network = it->network != NULL ? it->network : "-";
	g_autofree char *u = alias_id("u:", it->counterpart.user_id);
	g_autofree char *n = alias_id("n:", it->counterpart.number);
	g_autofree char *by_u = NULL, *by_n = NULL;
	int64_t at = it->at_ms > 0 ? it->at_ms : now_ms;

	if (g_hash_table_size(b->persons) > CACHE_MAX)
		g_hash_table_remove_all(b->persons);
	if (!look_up(b, network, u, &by_u, err) ||
	    !look_up(b, network, n, &by_n, err))
		return false;
	*person = by_u != NULL ? g_strdup(by_u)
	    : by_n != NULL     ? g_strdup(by_n)
			       : turn_person(it);
	if (*person == NULL)
		return true;
	if (by_u == NULL)
		learn(b, network, u, *person, at);
	if (by_n == NULL)
		learn(b, network, n, *person, at);
	return true;
}

bool
build_person_other(struct build *b, const struct item *it,
    const char *person, const char *prefix, char **id, struct err *err)
{
	g_autofree char *full = NULL;

	*id = NULL;
	if (person == NULL)
		return true;
	if (!store_alias_other(b->store,
	    it->network != NULL ? it->network : "-", person, prefix, &full,
	    err))
		return false;
	if (full != NULL)
		*id = g_strdup(full + strlen(prefix));
	return true;
}
