/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What events teach beyond themselves for the sake of sends: that a message of
 * unknown outcome did leave, which account a number belongs to, which template
 * was changed, whether a person consents. All in the batch's transaction.
 */
#include <string.h>

#include <json-c/json.h>

#include "build_int.h"
#include "err.h"
#include "gateway.h"
#include "item.h"
#include "policy.h"
#include "wa.h"

#define KEY_CHARS 32

/* ---- a send of unknown outcome --------------------------------------------- */

static char *
unknown_key(const char *send_key)
{
	return g_strjoin("|", WA_NETWORK, "g", send_key,
	    gateway_outcome_name(GATEWAY_OUTCOME_UNKNOWN), NULL);
}

static char *
message_key(const struct item *it, const char *wamid)
{
	return g_strjoin("|", WA_NETWORK, "m", it->business.user_id != NULL ?
	    it->business.user_id : "-", wamid, NULL);
}

static char *
raw_of(const char *send_key, const char *wamid)
{
	struct json_object *o = json_object_new_object();
	char *raw;

	json_object_object_add(o, "resolved",
	    json_object_new_string(send_key));
	json_object_object_add(o, "message", json_object_new_string(wamid));
	raw = g_strdup(json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
	return raw;
}

static void
copy_party(struct item_party *to, const struct item_party *from)
{
	to->number = g_strdup(from->number);
	to->user_id = g_strdup(from->user_id);
	to->parent_user_id = g_strdup(from->parent_user_id);
	to->username = g_strdup(from->username);
	to->name = g_strdup(from->name);
}

/* Of the status that told it, or of the record if the status came before. */
static void
make_resolved(struct build_event *ev, const struct item *from,
    const char *send_key, const char *wamid)
{
	struct item *it = item_new(ITEM_SYSTEM, ITEM_TYPE_RESOLVED);

	it->direction = ITEM_SENT;
	it->author = ITEM_NETWORK;
	it->network = g_strdup(from->network);
	it->field = g_strdup(from->field);
	it->type_name = g_strdup(item_type_name(it->type));
	it->account = g_strdup(from->account);
	it->at_ms = from->at_ms;
	copy_party(&it->business, &from->business);
	copy_party(&it->counterpart, &from->counterpart);
	it->group_id = g_strdup(from->group_id);
	it->id = g_strdup(wamid);
	it->target = g_strdup(wamid);
	it->key = message_key(from, wamid);
	it->refers = unknown_key(send_key);
	item_send_get(it)->key = g_strdup(send_key);
	it->raw = raw_of(send_key, wamid);
	build_event_add(ev, it);
}

static const char *
send_key_of(const struct item *it)
{
	const char *data = it->receipt != NULL ? it->receipt->callback_data :
	    NULL;
	const char *key;

	if (data == NULL || !g_str_has_prefix(data, WA_CALLBACK_PREFIX))
		return NULL;
	key = data + strlen(WA_CALLBACK_PREFIX);
	return strlen(key) == KEY_CHARS &&
	    strspn(key, "0123456789abcdef") == KEY_CHARS ? key : NULL;
}

/*
 * A status of a send that has no record as accepted: its answer was lost, or
 * its record is still on its way.
 */
static bool
note_status(struct build *b, struct build_event *ev, const struct item *it,
    int64_t now_ms, struct err *err)
{
	const char *send_key = send_key_of(it);
	g_autofree char *known = NULL, *message = NULL, *unknown = NULL;
	struct store_place place;

	if (send_key == NULL || it->target == NULL)
		return true;
	message = message_key(it, it->target);
	if (!store_item_find(b->store, message, &place, err))
		return false;
	if (place.event_id != 0)
		return true;
	if (!store_resolution_get(b->store, send_key, &known, err))
		return false;
	if (known != NULL)
		return true;
	store_resolution_add(b->store, send_key, it->target, now_ms);
	unknown = unknown_key(send_key);
	if (!store_item_find(b->store, unknown, &place, err))
		return false;
	if (place.event_id != 0)
		make_resolved(ev, it, send_key, it->target);
	return true;
}

static bool
note_unknown(struct build *b, struct build_event *ev, const struct item *it,
    struct err *err)
{
	g_autofree char *wamid = NULL;

	if (it->kind != ITEM_ATTEMPT || it->send->key == NULL ||
	    g_strcmp0(it->send->outcome, gateway_outcome_name(
	    GATEWAY_OUTCOME_UNKNOWN)) != 0)
		return true;
	if (!store_resolution_get(b->store, it->send->key, &wamid, err))
		return false;
	if (wamid != NULL)
		make_resolved(ev, it, it->send->key, wamid);
	return true;
}

/* ---- what others need to know ---------------------------------------------- */

/* Records lack the account unless the gateway learns it from here. */
static bool
note_account(struct build *b, const struct item *it, int64_t now_ms,
    struct err *err)
{
	g_autofree char *name = NULL, *known = NULL;
	const char *hit;

	if (it->account == NULL || it->business.user_id == NULL)
		return true;
	name = g_strjoin("|", BUILD_ACCOUNTS, it->business.user_id, NULL);
	hit = g_hash_table_lookup(b->persons, name);
	if (hit == NULL) {
		if (!store_alias_get(b->store, BUILD_ACCOUNTS,
		    it->business.user_id, &known, err))
			return false;
		hit = known;
	}
	if (g_strcmp0(hit, it->account) != 0)
		store_alias_set(b->store, BUILD_ACCOUNTS,
		    it->business.user_id, it->account, now_ms);
	if (hit == known)
		g_hash_table_replace(b->persons, g_steal_pointer(&name),
		    g_strdup(it->account));
	return true;
}

static bool
note_consent(struct build *b, const struct item *it, const char *person,
    int64_t now_ms)
{
	g_autofree char *realm = build_realm(it);
	bool stop = g_strcmp0(it->type_name, "stop") == 0;

	if (!stop && g_strcmp0(it->type_name, "resume") != 0)
		return true;
	return store_consent_add(b->store, realm, person,
	    policy_consent_name(stop ? POLICY_CONSENT_WITHDRAWN :
	    POLICY_CONSENT_GIVEN), "preference",
	    it->at_ms > 0 ? it->at_ms : now_ms);
}

static void
note_template(struct build *b, const struct item *it, int64_t now_ms)
{
	g_autofree char *name = NULL, *language = NULL;

	if (it->account != NULL && wa_template_changed(it, &name,
	    &language) && name != NULL)
		store_template_change_add(b->store, it->account, name,
		    language != NULL ? language : "", now_ms);
}

bool
build_send_note(struct build *b, struct build_event *ev,
    const struct item *it, const char *person, int64_t now_ms,
    struct err *err)
{
	if (it->type == ITEM_TYPE_PREFERENCE && person != NULL)
		note_consent(b, it, person, now_ms);
	if (it->type == ITEM_TYPE_TEMPLATE_EVENT)
		note_template(b, it, now_ms);
	return note_account(b, it, now_ms, err) &&
	    (it->send == NULL || note_unknown(b, ev, it, err)) &&
	    (it->receipt == NULL || note_status(b, ev, it, now_ms, err));
}
