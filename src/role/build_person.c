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

/* Under which the other ids of a person are cached; "" stands for none. */
static char *
other_name(const char *network, const char *person, const char *prefix)
{
	return g_strjoin("|", "other", network, person, prefix, NULL);
}

static void
learn(struct build *b, const char *network, const char *id,
    const char *person, int64_t now_ms)
{
	g_autofree char *number = NULL, *user_id = NULL;

	if (id == NULL)
		return;
	store_alias_set(b->store, network, id, person, now_ms);
	number = other_name(network, person, "n:");
	user_id = other_name(network, person, "u:");
	g_hash_table_remove(b->persons, number);
	g_hash_table_remove(b->persons, user_id);
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
	const char *network = it->network != NULL ? it->network : "-";
	g_autofree char *name = NULL, *full = NULL;
	const char *hit;

	*id = NULL;
	if (person == NULL)
		return true;
	name = other_name(network, person, prefix);
	hit = g_hash_table_lookup(b->persons, name);
	if (hit == NULL) {
		if (!store_alias_other(b->store, network, person, prefix,
		    &full, err))
			return false;
		hit = full != NULL ? full : "";
		g_hash_table_replace(b->persons, g_steal_pointer(&name),
		    g_strdup(hit));
	}
	if (hit[0] != '\0')
		*id = g_strdup(hit + strlen(prefix));
	return true;
}
