/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of who is who: aliases of persons, the history of their ids, and
 * how a value is spelled to be found. Knows no SQL.
 */
#include "store.h"

#include <string.h>

#include "err.h"
#include "store_int.h"

/* ---- aliases ---------------------------------------------------------------- */

bool
store_alias_get(struct store *st, const char *network, const char *id,
    char **person, struct err *err)
{
	return st->driver->item->alias_get(st, network, id, person, err);
}

bool
store_alias_set(struct store *st, const char *network, const char *id,
    const char *person, int64_t at_ms)
{
	return STORE_WRITE(st, STORE_BUILD, item, alias_set, network, id,
	    person, at_ms);
}

bool
store_alias_other(struct store *st, const char *network, const char *person,
    const char *prefix, char **id, struct err *err)
{
	return st->driver->item->alias_other(st, network, person, prefix, id,
	    err);
}

/* ---- the history ---------------------------------------------------------------- */

static bool
is_username(const char *kind)
{
	return strcmp(kind, "username") == 0;
}

char *
store_identity_sought(const char *kind, const char *value)
{
	if (is_username(kind))
		return g_ascii_strdown(value + (value[0] == '@'), -1);
	if (strcmp(kind, "number") == 0)
		return g_strdup(value + (value[0] == '+'));
	return g_strdup(value);
}

bool
store_identity_add(struct store *st, const struct store_identity *id)
{
	g_autofree char *sought = store_identity_sought(id->kind, id->value);

	return STORE_WRITE(st, STORE_BUILD, identity, add, id, sought);
}

bool
store_identity_end(struct store *st, const char *realm, const char *person,
    const char *kind, const char *value, int64_t until_ms)
{
	struct store_identity id = { .realm = realm, .person = person,
		.kind = kind, .value = value, .until_ms = until_ms };

	return STORE_WRITE(st, STORE_BUILD, identity, end, &id);
}

bool
store_identity_now(struct store *st, const char *realm, const char *person,
    const char *kind, store_identity_fn *fn, void *arg, struct err *err)
{
	return st->driver->identity->now(st, realm, person, kind, fn, arg,
	    err);
}

bool
store_identity_owner(struct store *st, const char *realm, const char *kind,
    const char *value, int64_t at_ms, char **person, struct err *err)
{
	g_autofree char *sought = store_identity_sought(kind, value);

	return st->driver->identity->owner(st, realm, kind, sought, at_ms,
	    person, err);
}

/*
 * What is asked for may be of any kind: as it is, without the mark that
 * people write before it, and in the spelling of usernames.
 */
bool
store_identity_trace(struct store *st, const char *value,
    store_identity_fn *fn, void *arg, struct err *err)
{
	g_autofree char *username = store_identity_sought("username", value);
	const char *bare = value + (value[0] == '+' || value[0] == '@');

	return st->driver->identity->trace(st, value, bare, username, fn, arg,
	    err);
}
