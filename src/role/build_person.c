/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the counterpart of an item is: the alias table joins telephone number
 * and business-scoped user id, so that a conversation goes on when Meta
 * leaves one of them out. The first id under which somebody was seen names
 * the person for ever. The user id is the person; a number is theirs until
 * it comes with another user id: then it was given to somebody else, whose
 * words must not appear in the old owner's conversation.
 */
#include <string.h>

#include "build_int.h"
#include "err.h"
#include "item.h"
#include "turn.h"

#define CACHE_MAX 100000

/* What is known of an item's counterpart before the item is filed. */
struct known {
	char *realm;		/* where the ids mean something */
	char *u, *n;		/* ids of the item; NULL if it has none */
	char *by_u, *by_n;	/* persons known under them, or NULL */
	char *person;		/* who it is; NULL when the item names nobody */
};

static void
known_clear(struct known *k)
{
	g_free(k->realm);
	g_free(k->u);
	g_free(k->n);
	g_free(k->by_u);
	g_free(k->by_n);
	g_free(k->person);
}

/* User ids are of one business portfolio, and so is a WhatsApp account. */
static char *
realm_of(const struct item *it)
{
	const char *network = it->network != NULL ? it->network : "-";

	return it->account != NULL ?
	    g_strjoin("|", network, it->account, NULL) : g_strdup(network);
}

static char *
alias_id(const char *prefix, const char *value)
{
	return value != NULL ? g_strconcat(prefix, value, NULL) : NULL;
}

/* A copy of the person known under id, NULL when the id is new. */
static bool
look_up(struct build *b, const char *realm, const char *id, char **person,
    struct err *err)
{
	g_autofree char *name = NULL;
	const char *hit;

	*person = NULL;
	if (id == NULL)
		return true;
	name = g_strjoin("|", realm, id, NULL);
	hit = g_hash_table_lookup(b->persons, name);
	if (hit != NULL) {
		*person = g_strdup(hit);
		return true;
	}
	if (!store_alias_get(b->store, realm, id, person, err))
		return false;
	if (*person != NULL)
		g_hash_table_replace(b->persons, g_steal_pointer(&name),
		    g_strdup(*person));
	return true;
}

/* Under which the other ids of a person are cached; "" stands for none. */
static char *
other_name(const char *realm, const char *person, const char *prefix)
{
	return g_strjoin("|", "other", realm, person, prefix, NULL);
}

/* An id of the person with this prefix, whole; *full NULL: not known. */
static bool
look_up_other(struct build *b, const char *realm, const char *person,
    const char *prefix, char **full, struct err *err)
{
	g_autofree char *name = other_name(realm, person, prefix);
	g_autofree char *found = NULL;
	const char *hit = g_hash_table_lookup(b->persons, name);

	if (hit == NULL) {
		if (!store_alias_other(b->store, realm, person, prefix,
		    &found, err))
			return false;
		hit = found != NULL ? found : "";
		g_hash_table_replace(b->persons, g_steal_pointer(&name),
		    g_strdup(hit));
	}
	*full = hit[0] != '\0' ? g_strdup(hit) : NULL;
	return true;
}

static void
forget_others(struct build *b, const char *realm, const char *person)
{
	g_autofree char *number = other_name(realm, person, "n:");
	g_autofree char *user_id = other_name(realm, person, "u:");

	g_hash_table_remove(b->persons, number);
	g_hash_table_remove(b->persons, user_id);
}

/* The id is the person's from now on; before it was that of `before`. */
static void
learn(struct build *b, const struct known *k, const char *id,
    const char *before, int64_t at_ms)
{
	g_autofree char *name = g_strjoin("|", k->realm, id, NULL);

	g_hash_table_remove(b->persons, name);
	forget_others(b, k->realm, k->person);
	if (before != NULL)
		forget_others(b, k->realm, before);
	store_alias_set(b->store, k->realm, id, k->person, at_ms);
}

static bool
recall(struct build *b, const struct item *it, struct known *k,
    struct err *err)
{
	*k = (struct known){ .realm = realm_of(it),
		.u = alias_id("u:", it->counterpart.user_id),
		.n = alias_id("n:", it->counterpart.number) };
	if (g_hash_table_size(b->persons) > CACHE_MAX)
		g_hash_table_remove_all(b->persons);
	return look_up(b, k->realm, k->u, &k->by_u, err) &&
	    look_up(b, k->realm, k->n, &k->by_n, err);
}

static bool
decide(struct build *b, const struct item *it, struct known *k,
    struct err *err)
{
	g_autofree char *other = NULL;

	if (k->by_u == NULL && k->by_n != NULL && k->u != NULL &&
	    !look_up_other(b, k->realm, k->by_n, "u:", &other, err))
		return false;
	if (k->by_u != NULL)
		k->person = g_strdup(k->by_u);
	else if (k->by_n != NULL && other == NULL)
		k->person = g_strdup(k->by_n);
	else
		k->person = turn_person(it);
	return true;
}

bool
build_person(struct build *b, const struct item *it, int64_t now_ms,
    char **person, struct err *err)
{
	int64_t at = it->at_ms > 0 ? it->at_ms : now_ms;
	struct known k;
	bool ok = recall(b, it, &k, err) && decide(b, it, &k, err);

	if (ok && k.u != NULL && k.by_u == NULL)
		learn(b, &k, k.u, NULL, at);
	if (ok && k.n != NULL && g_strcmp0(k.by_n, k.person) != 0)
		learn(b, &k, k.n, k.by_n, at);
	if (ok)
		*person = g_steal_pointer(&k.person);
	known_clear(&k);
	return ok;
}

bool
build_person_other(struct build *b, const struct item *it,
    const char *person, const char *prefix, char **id, struct err *err)
{
	g_autofree char *realm = realm_of(it), *full = NULL;

	*id = NULL;
	if (person == NULL)
		return true;
	if (!look_up_other(b, realm, person, prefix, &full, err))
		return false;
	if (full != NULL)
		*id = g_strdup(full + strlen(prefix));
	return true;
}
