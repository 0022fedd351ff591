/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The history of what is known of persons: number, user ids, username and the
 * name they give themselves, each from when until when. What changes becomes
 * an item of its own, since an officer who reads one conversation must learn
 * in it that the person goes by another id from now on. Nothing is decided
 * here about who somebody is (build_person.c).
 */
#include <string.h>

#include <json-c/json.h>

#include "build_int.h"
#include "err.h"
#include "hash.h"
#include "item.h"

/* What the business's own phone book calls somebody. */
#define CONTACT_NAME "contact-name"
#define CURSOR_CONTACTS "contacts"	/* 1: there are some */

/* What is known of persons. */
struct kind {
	const char *name;
	size_t at;		/* in struct item_party */
};
static const struct kind kinds[] = {
	{ "number", offsetof(struct item_party, number) },
	{ "user-id", offsetof(struct item_party, user_id) },
	{ "parent-user-id", offsetof(struct item_party, parent_user_id) },
	{ "username", offsetof(struct item_party, username) },
	{ "name", offsetof(struct item_party, name) },
};
static const struct kind contact_name = { CONTACT_NAME,
	offsetof(struct item_party, name) };

static char **
member(const struct item_party *p, const struct kind *kind)
{
	return (char **)((char *)(uintptr_t)p + kind->at);
}

/* ---- what holds now, cached ------------------------------------------------ */

static char *
cache_name(const char *realm, const char *person, const char *kind)
{
	return g_strjoin("|", "now", realm, person, kind, NULL);
}

static void
remember(struct build *b, const char *realm, const char *person,
    const char *kind, const char *value)
{
	g_hash_table_replace(b->persons, cache_name(realm, person, kind),
	    g_strdup(value));
}

struct current {
	char *value;
	const char *wanted;	/* only this one, or NULL */
	int64_t since_ms;
};

static bool
take_current(void *arg, const struct store_identity *id)
{
	struct current *c = arg;

	if (c->wanted != NULL && strcmp(c->wanted, id->value) != 0)
		return true;
	c->value = g_strdup(id->value);
	c->since_ms = id->first_ms;
	return false;
}

/* *value is borrowed from the cache, "" when nothing holds. */
static bool
value_now(struct build *b, const struct build_witness *w, const char *kind,
    const char **value, struct err *err)
{
	g_autofree char *name = cache_name(w->realm, w->person, kind);
	struct current c = { 0 };

	*value = g_hash_table_lookup(b->persons, name);
	if (*value != NULL)
		return true;
	if (!w->is_new && !store_identity_now(b->store, w->realm, w->person,
	    kind, take_current, &c, err))
		return false;
	if (c.value == NULL)
		c.value = g_strdup("");
	*value = c.value;
	g_hash_table_replace(b->persons, g_steal_pointer(&name), c.value);
	return true;
}

bool
build_identity_since(struct build *b, const char *realm, const char *person,
    const char *kind, const char *value, int64_t *since, struct err *err)
{
	struct current c = { .wanted = value };

	if (!store_identity_now(b->store, realm, person, kind, take_current,
	    &c, err))
		return false;
	*since = c.since_ms;
	g_free(c.value);
	return true;
}

bool
build_identity_end(struct build *b, const char *realm, const char *person,
    const char *kind, const char *value, int64_t at_ms, struct err *err)
{
	int64_t since;

	if (!build_identity_since(b, realm, person, kind, value, &since, err))
		return false;
	if (since == 0)
		return true;
	store_identity_end(b->store, realm, person, kind, value, at_ms);
	remember(b, realm, person, kind, "");
	return true;
}

/* ---- a change as an item --------------------------------------------------- */

static void
copy_party(struct item_party *to, const struct item_party *from)
{
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		*member(to, &kinds[i]) = g_strdup(*member(from, &kinds[i]));
}

/* The item came from no network: this is what there is to show raw. */
static char *
raw_of(const struct build_witness *w, const struct kind *kind,
    const char *before, const char *after)
{
	struct json_object *o = json_object_new_object();
	char *raw;

	json_object_object_add(o, "learned", json_object_new_string(
	    kind->name));
	if (before[0] != '\0')
		json_object_object_add(o, "before",
		    json_object_new_string(before));
	json_object_object_add(o, "after", json_object_new_string(after));
	if (w->item->id != NULL)
		json_object_object_add(o, "from",
		    json_object_new_string(w->item->id));
	raw = g_strdup(json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
	return raw;
}

static char *
key_of(const struct build_witness *w, const struct kind *kind,
    const char *after)
{
	uint8_t digest[HASH_SIZE];
	char hex[HASH_HEX_SIZE];

	hash_strings(digest, w->realm, w->person, kind->name, after,
	    w->item->key, NULL);
	return g_strconcat("identity|", hash_hex(digest, hex), NULL);
}

static void
make_item(const struct build_witness *w, const struct kind *kind,
    const char *before, const char *after)
{
	const struct item *from = w->item;
	struct item *it = item_new(ITEM_SYSTEM, ITEM_TYPE_IDENTITY);
	struct item_identity *id = item_identity_get(it);

	it->direction = ITEM_RECEIVED;
	it->author = ITEM_NETWORK;
	it->network = g_strdup(from->network);
	it->field = g_strdup(from->field);
	it->type_name = g_strdup(kind->name);
	it->account = g_strdup(from->account);
	it->at_ms = w->at_ms;
	copy_party(&it->business, &from->business);
	copy_party(&it->counterpart, &from->counterpart);
	if (before[0] != '\0')
		*member(&id->before, kind) = g_strdup(before);
	*member(&id->after, kind) = g_strdup(after);
	item_fact_add(it, "learned from", from->id);
	it->raw = raw_of(w, kind, before, after);
	it->key = key_of(w, kind, after);
	build_event_add(w->event, it);
}

/* ---- one value ------------------------------------------------------------- */

static const char *
source_of(const struct item *it)
{
	return it->identity != NULL ? "change" :
	    it->kind == ITEM_MESSAGE ? "message" : item_kind_name(it->kind);
}

static void
add(struct build *b, const struct build_witness *w, const struct kind *kind,
    const char *value)
{
	struct store_identity id = { .realm = w->realm, .person = w->person,
		.kind = kind->name, .value = value,
		.source = source_of(w->item), .first_ms = w->at_ms,
		.is_first = w->is_new };

	store_identity_add(b->store, &id);
	remember(b, w->realm, w->person, kind->name, value);
}

/* What the network tells as a change is a mail already. */
static bool
is_news(const struct build_witness *w, const struct kind *kind,
    const char *before)
{
	if (w->item->identity != NULL || w->is_new ||
	    w->item->type == ITEM_TYPE_CONTACT_SYNC)
		return false;
	if (kind->at == offsetof(struct item_party, number))
		return before[0] != '\0' || w->learned_number;
	if (kind->at == offsetof(struct item_party, user_id))
		return before[0] != '\0' || w->learned_user_id;
	return before[0] != '\0';
}

static bool
note(struct build *b, const struct build_witness *w, const struct kind *kind,
    const char *value, struct err *err)
{
	g_autofree char *before = NULL;
	const char *now;
	int64_t since;

	if (!value_now(b, w, kind->name, &now, err))
		return false;
	if (strcmp(now, value) == 0)
		return true;
	before = g_strdup(now);
	if (before[0] != '\0') {
		if (!build_identity_since(b, w->realm, w->person, kind->name,
		    before, &since, err))
			return false;
		/* It came late: what is known is newer. */
		if (since > w->at_ms)
			return true;
		store_identity_end(b->store, w->realm, w->person, kind->name,
		    before, w->at_ms);
	}
	add(b, w, kind, value);
	if (is_news(w, kind, before))
		make_item(w, kind, before, value);
	return true;
}

/*
 * Names come in several meanings: here, what customers call themselves, not
 * what a group calls them.
 */
static bool
is_own_word(const struct item *it)
{
	return it->author == ITEM_CUSTOMER && it->kind == ITEM_MESSAGE;
}

/* From then on a look into the phone book is worth its time. */
static void
note_contacts(struct build *b)
{
	if (b->has_contacts)
		return;
	b->has_contacts = true;
	store_cursor_set(b->store, STORE_BUILD, CURSOR_CONTACTS, 1);
}

/* An entry of the business's phone book (smb_app_state_sync). */
static bool
note_contact(struct build *b, const struct build_witness *w, struct err *err)
{
	const char *name = item_fact_get(w->item, "contact.full_name");
	const char *now;

	if (name == NULL)
		name = item_fact_get(w->item, "contact.first_name");
	if (g_strcmp0(item_fact_get(w->item, "action"), "remove") != 0) {
		if (name == NULL || name[0] == '\0')
			return true;
		note_contacts(b);
		return note(b, w, &contact_name, name, err);
	}
	if (!value_now(b, w, CONTACT_NAME, &now, err))
		return false;
	return now[0] == '\0' || build_identity_end(b, w->realm, w->person,
	    CONTACT_NAME, now, w->at_ms, err);
}

bool
build_identity_note(struct build *b, const struct build_witness *w,
    struct err *err)
{
	const struct item *it = w->item;
	const struct item_party *p = it->identity != NULL ?
	    &it->identity->after : &it->counterpart;

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		const char *value = *member(p, &kinds[i]);

		if (value == NULL || value[0] == '\0' ||
		    (kinds[i].at == offsetof(struct item_party, name) &&
		    !is_own_word(it)))
			continue;
		if (!note(b, w, &kinds[i], value, err))
			return false;
	}
	return it->type != ITEM_TYPE_CONTACT_SYNC || it->kind != ITEM_SYSTEM ||
	    note_contact(b, w, err);
}

/* ---- looking back ---------------------------------------------------------- */

static bool
take_earliest(void *arg, const struct store_identity *id)
{
	int64_t *first = arg;

	if (*first == 0 || id->first_ms < *first)
		*first = id->first_ms;
	return true;
}

bool
build_identity_first(struct build *b, const char *realm, const char *person,
    int64_t *first_ms, struct err *err)
{
	*first_ms = 0;
	return store_identity_now(b->store, realm, person, NULL,
	    take_earliest, first_ms, err);
}

bool
build_identity_begin(struct build *b, struct err *err)
{
	int64_t seen;

	if (!store_cursor_get(b->store, STORE_BUILD, CURSOR_CONTACTS, &seen,
	    err))
		return false;
	b->has_contacts = seen != 0;
	return true;
}

bool
build_identity_contact(struct build *b, const struct item *it,
    const char *person, char **name, struct err *err)
{
	g_autofree char *realm = NULL;
	struct build_witness w = { .person = person };
	const char *value;

	*name = NULL;
	if (!b->has_contacts || person == NULL)
		return true;
	w.realm = realm = build_realm(it);
	if (!value_now(b, &w, CONTACT_NAME, &value, err))
		return false;
	*name = value[0] != '\0' ? g_strdup(value) : NULL;
	return true;
}
