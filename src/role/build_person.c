/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the counterpart of an item is: the alias table joins telephone number
 * and business-scoped user id, so that a conversation goes on when Meta
 * leaves one of them out. The first id under which somebody was seen names
 * the person for ever. The user id is the person; a number is theirs until
 * it comes with another user id: then it was given to somebody else, whose
 * words must not appear in the old owner's conversation. What arrives late is
 * judged by its own time: it gives nobody's number back.
 */
#include <inttypes.h>
#include <string.h>

#include "build_int.h"
#include "err.h"
#include "item.h"
#include "turn.h"

#define CACHE_MAX 100000
/* Older than this on arrival: whose the number was then must be looked up. */
#define LATE_MS (int64_t)(10 * 60 * 1000)

/* What is known of an item's counterpart before the item is filed. */
struct known {
	char *realm;		/* where the ids mean something */
	char *u, *n;		/* ids of the item; NULL if it has none */
	char *by_u, *by_n;	/* persons known under them, or NULL */
	char *person;		/* who it is; NULL when the item names nobody */
	int64_t at_ms;
	int64_t lost_ms;	/* the number is another's since; 0: it is not */
	bool is_late;
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
char *
build_realm(const struct item *it)
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
learn(struct build *b, const char *realm, const char *id, const char *person,
    const char *before, int64_t at_ms)
{
	g_autofree char *name = g_strjoin("|", realm, id, NULL);

	g_hash_table_remove(b->persons, name);
	forget_others(b, realm, person);
	if (before != NULL)
		forget_others(b, realm, before);
	store_alias_set(b->store, realm, id, person, at_ms);
}

/* A late item is about whoever had the number when it was sent. */
static bool
correct_owner(struct build *b, struct known *k, struct err *err)
{
	char *owner;

	if (!k->is_late || k->by_n == NULL)
		return true;
	if (!store_identity_owner(b->store, k->realm, "number",
	    k->n + strlen("n:"), k->at_ms, &owner, err))
		return false;
	if (owner != NULL) {
		g_free(k->by_n);
		k->by_n = owner;
	}
	return true;
}

static bool
recall(struct build *b, const struct item *it, int64_t now_ms,
    struct known *k, struct err *err)
{
	*k = (struct known){ .realm = build_realm(it),
		.u = alias_id("u:", it->counterpart.user_id),
		.n = alias_id("n:", it->counterpart.number),
		.at_ms = it->at_ms > 0 ? it->at_ms : now_ms };
	k->is_late = k->at_ms < now_ms - LATE_MS;
	if (g_hash_table_size(b->persons) > CACHE_MAX)
		g_hash_table_remove_all(b->persons);
	return look_up(b, k->realm, k->u, &k->by_u, err) &&
	    look_up(b, k->realm, k->n, &k->by_n, err) &&
	    correct_owner(b, k, err);
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

/* The number comes with another user id: it changed hands. */
static bool
move_number(struct build *b, struct known *k, struct err *err)
{
	const char *digits = k->n + strlen("n:");
	int64_t since;

	if (k->by_n != NULL) {
		if (!build_identity_since(b, k->realm, k->by_n, "number",
		    digits, &since, err))
			return false;
		if (k->is_late && since > k->at_ms) {
			k->lost_ms = since;
			return true;
		}
		if (!build_identity_end(b, k->realm, k->by_n, "number",
		    digits, k->at_ms, err))
			return false;
	}
	learn(b, k->realm, k->n, k->person, k->by_n, k->at_ms);
	return true;
}

static bool
is_new(const struct known *k)
{
	return k->by_u == NULL && g_strcmp0(k->by_n, k->person) != 0;
}

/* All that is known of somebody new is what this item says. */
static void
remember_others(struct build *b, const struct known *k)
{
	g_hash_table_replace(b->persons, other_name(k->realm, k->person,
	    "u:"), g_strdup(k->u != NULL ? k->u : ""));
	g_hash_table_replace(b->persons, other_name(k->realm, k->person,
	    "n:"), g_strdup(k->n != NULL && k->lost_ms == 0 ? k->n : ""));
}

static bool
learn_ids(struct build *b, struct known *k, struct err *err)
{
	if (k->u != NULL && k->by_u == NULL)
		learn(b, k->realm, k->u, k->person, NULL, k->at_ms);
	if (k->n != NULL && g_strcmp0(k->by_n, k->person) != 0 &&
	    !move_number(b, k, err))
		return false;
	if (k->person != NULL && is_new(k))
		remember_others(b, k);
	return true;
}

static bool
witness(struct build *b, struct build_event *ev, const struct item *it,
    const struct known *k, struct err *err)
{
	struct build_witness w = { .event = ev, .item = it,
		.realm = k->realm, .person = k->person, .at_ms = k->at_ms,
		.is_new = is_new(k),
		.learned_user_id = k->u != NULL && k->by_u == NULL,
		.learned_number = g_strcmp0(k->by_n, k->person) != 0 };

	if (k->person == NULL)
		return true;
	return build_identity_note(b, &w, err) && (k->lost_ms == 0 ||
	    build_identity_end(b, k->realm, k->person, "number",
	    k->n + strlen("n:"), k->lost_ms, err));
}

/* ---- what the network itself says of a change ------------------------------ */

/* Who had the ids before it, else whoever has those after it. */
static bool
find_changed(struct build *b, const struct item_identity *id,
    struct known *k, struct err *err)
{
	char *ids[] = { alias_id("u:", id->before.user_id),
		alias_id("n:", id->before.number),
		alias_id("u:", id->after.user_id),
		alias_id("n:", id->after.number) };
	bool ok = true;

	for (size_t i = 0; ok && k->by_u == NULL && i < G_N_ELEMENTS(ids); i++)
		ok = look_up(b, k->realm, ids[i], &k->by_u, err);
	k->person = g_strdup(k->by_u);
	for (size_t i = 0; k->person == NULL && i < G_N_ELEMENTS(ids); i++)
		k->person = g_strdup(ids[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
		g_free(ids[i]);
	return ok;
}

/*
 * Whose the id is now, NULL if nobody's or the person's own. *is_newer: that
 * one got it after the change, which came late.
 */
static bool
find_owner(struct build *b, const struct known *k, const char *id,
    const char *kind, char **owner, bool *is_newer, struct err *err)
{
	int64_t since = 0;

	*is_newer = false;
	if (!look_up(b, k->realm, id, owner, err))
		return false;
	if (g_strcmp0(*owner, k->person) == 0)
		g_clear_pointer(owner, g_free);
	if (*owner == NULL)
		return true;
	if (!build_identity_since(b, k->realm, *owner, kind,
	    id + strlen("n:"), &since, err))
		return false;
	*is_newer = since > k->at_ms;
	return true;
}

/* Who gets a number that was given up is not the one who had it. */
static bool
give_up(struct build *b, const struct known *k, const char *number,
    struct err *err)
{
	g_autofree char *id = alias_id("n:", number);
	g_autofree char *next = g_strdup_printf("%s@%" PRId64, id, k->at_ms);
	g_autofree char *owner = NULL;
	bool is_newer;

	if (!build_identity_end(b, k->realm, k->person, "number", number,
	    k->at_ms, err) ||
	    !find_owner(b, k, id, "number", &owner, &is_newer, err))
		return false;
	if (!is_newer)
		learn(b, k->realm, id, next, k->person, k->at_ms);
	return true;
}

/* Who had the id has it no more. */
static bool
take_over(struct build *b, const struct known *k, const char *id,
    const char *kind, struct err *err)
{
	g_autofree char *owner = NULL;
	bool is_newer;

	if (id == NULL)
		return true;
	if (!find_owner(b, k, id, kind, &owner, &is_newer, err))
		return false;
	if (is_newer)
		return true;
	if (owner != NULL && !build_identity_end(b, k->realm, owner, kind,
	    id + strlen("n:"), k->at_ms, err))
		return false;
	learn(b, k->realm, id, k->person, owner, k->at_ms);
	return true;
}

static bool
is_other(const char *before, const char *after)
{
	return before != NULL && after != NULL && strcmp(before, after) != 0;
}

/* User ids are nobody else's ever again: this one is the person's for good. */
static bool
end_user_id(struct build *b, const struct known *k, const char *user_id,
    struct err *err)
{
	g_autofree char *id = alias_id("u:", user_id), *owner = NULL;

	if (!look_up(b, k->realm, id, &owner, err))
		return false;
	/* The id that follows it is to be the newest. */
	if (owner == NULL)
		learn(b, k->realm, id, k->person, NULL, k->at_ms - 1);
	return build_identity_end(b, k->realm, k->person, "user-id", user_id,
	    k->at_ms, err);
}

static bool
learn_change(struct build *b, const struct known *k,
    const struct item_identity *id, struct err *err)
{
	g_autofree char *u = alias_id("u:", id->after.user_id);
	g_autofree char *n = alias_id("n:", id->after.number);

	if (is_other(id->before.number, id->after.number) &&
	    !give_up(b, k, id->before.number, err))
		return false;
	if (is_other(id->before.user_id, id->after.user_id) &&
	    !end_user_id(b, k, id->before.user_id, err))
		return false;
	return take_over(b, k, u, "user-id", err) &&
	    take_over(b, k, n, "number", err);
}

static bool
person_of_change(struct build *b, struct build_event *ev,
    const struct item *it, int64_t now_ms, char **person, struct err *err)
{
	struct known k = { .realm = build_realm(it),
		.at_ms = it->at_ms > 0 ? it->at_ms : now_ms };
	bool ok = find_changed(b, it->identity, &k, err) &&
	    (k.person == NULL || (learn_change(b, &k, it->identity, err) &&
	    witness(b, ev, it, &k, err)));

	if (ok)
		*person = g_steal_pointer(&k.person);
	known_clear(&k);
	return ok;
}

/* ---- the public part ------------------------------------------------------- */

bool
build_person(struct build *b, struct build_event *ev, const struct item *it,
    int64_t now_ms, char **person, struct err *err)
{
	struct known k;
	bool ok;

	if (it->type == ITEM_TYPE_IDENTITY)
		return build_person_known(b, it, now_ms, person, err);
	if (it->identity != NULL)
		return person_of_change(b, ev, it, now_ms, person, err);
	ok = recall(b, it, now_ms, &k, err) && decide(b, it, &k, err) &&
	    learn_ids(b, &k, err) && witness(b, ev, it, &k, err);
	if (ok)
		*person = g_steal_pointer(&k.person);
	known_clear(&k);
	return ok;
}

bool
build_person_known(struct build *b, const struct item *it, int64_t now_ms,
    char **person, struct err *err)
{
	struct known k = { 0 };
	bool ok;

	if (it->identity != NULL && it->type != ITEM_TYPE_IDENTITY) {
		k.realm = build_realm(it);
		ok = find_changed(b, it->identity, &k, err);
	} else {
		ok = recall(b, it, now_ms, &k, err) && decide(b, it, &k, err);
	}
	if (ok)
		*person = g_steal_pointer(&k.person);
	known_clear(&k);
	return ok;
}

bool
build_person_other(struct build *b, const struct item *it,
    const char *person, const char *prefix, char **id, struct err *err)
{
	g_autofree char *realm = build_realm(it), *full = NULL;

	*id = NULL;
	if (person == NULL)
		return true;
	if (!look_up_other(b, realm, person, prefix, &full, err))
		return false;
	if (full != NULL)
		*id = g_strdup(full + strlen(prefix));
	return true;
}
