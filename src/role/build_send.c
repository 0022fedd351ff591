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
#include "role_int.h"
#include "wa.h"

/* ---- a send of unknown outcome --------------------------------------------- */

static bool
is_unknown(const struct item *it)
{
	return it->kind == ITEM_ATTEMPT && it->send != NULL &&
	    it->send->key != NULL && g_strcmp0(it->send->outcome,
	    gateway_outcome_name(GATEWAY_OUTCOME_UNKNOWN)) == 0;
}

/*
 * An application may use the callback data for its own ends; the gateway then
 * leaves it alone, and what it is of a send of unknown outcome is written down.
 * It need not be unique: it counts for one person and one number.
 */
#define MARKS "callback"	/* network of aliases: the caller's data -> send */

static char *
mark_name(const struct item *it, const char *data)
{
	const char *who = it->group_id != NULL ? it->group_id :
	    it->counterpart.number != NULL ? it->counterpart.number :
	    it->counterpart.user_id;

	return g_strjoin("|", it->business.user_id != NULL ?
	    it->business.user_id : "-", who != NULL ? who : "-", data, NULL);
}

bool
build_send_begin(struct build *b, struct err *err)
{
	int64_t seen;

	if (!store_cursor_get(b->store, STORE_BUILD, MARKS, &seen, err))
		return false;
	b->has_marks = seen != 0;
	return true;
}

static void
keep_mark(struct build *b, const struct item *it, int64_t now_ms)
{
	const char *data = item_fact_get(it, "biz_opaque_callback_data");
	g_autofree char *name = NULL;

	if (data == NULL)
		return;
	name = mark_name(it, data);
	store_alias_set(b->store, MARKS, name, it->send->key, now_ms);
	if (!b->has_marks)
		store_cursor_set(b->store, STORE_BUILD, MARKS, 1);
	b->has_marks = true;
}

/* What the status says of a send of ours; *out NULL: nothing. */
static bool
resolved_of(struct build *b, const struct item *it, struct item **out,
    struct err *err)
{
	const char *data = it->receipt != NULL ? it->receipt->callback_data :
	    NULL;
	struct item_receipt receipt = { 0 };
	struct item status = *it;	/* nothing of it is freed here */
	g_autofree char *name = NULL, *key = NULL, *mark = NULL;

	*out = wa_resolved_item(it);
	if (*out != NULL || data == NULL || !b->has_marks)
		return true;
	name = mark_name(it, data);
	if (!store_alias_get(b->store, MARKS, name, &key, err))
		return false;
	if (key == NULL)
		return true;
	receipt.callback_data = mark = g_strconcat(WA_CALLBACK_PREFIX, key,
	    NULL);
	status.receipt = &receipt;
	*out = wa_resolved_item(&status);
	return true;
}

/*
 * A status of a send that has no record as accepted: its answer was lost, or
 * its record is still on its way.
 */
static bool
note_status(struct build *b, struct build_event *ev, const struct item *it,
    int64_t now_ms, struct err *err)
{
	auto_item *resolved = NULL;
	g_autofree char *known = NULL;
	struct store_place place = { 0 };

	if (!resolved_of(b, it, &resolved, err))
		return false;
	if (resolved == NULL)
		return true;
	if (it->refers != NULL &&
	    !store_item_find(b->store, it->refers, &place, err))
		return false;
	if (place.event_id != 0)
		return true;
	if (!store_resolution_get(b->store, resolved->send->key, &known, err))
		return false;
	if (known != NULL)
		return true;
	store_resolution_add(b->store, resolved->send->key, it->target,
	    now_ms);
	if (!store_item_find(b->store, resolved->refers, &place, err))
		return false;
	if (place.event_id != 0)
		build_event_add(ev, g_steal_pointer(&resolved));
	return true;
}

/* What shows that it left came first; it is gone, but for the wamid. */
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

static bool
note_unknown(struct build *b, struct build_event *ev, const struct item *it,
    int64_t now_ms, struct err *err)
{
	struct item_receipt receipt = { 0 };
	struct item status = *it;	/* nothing of it is freed here */
	g_autofree char *wamid = NULL, *data = NULL, *raw = NULL;

	if (!is_unknown(it))
		return true;
	keep_mark(b, it, now_ms);
	if (!store_resolution_get(b->store, it->send->key, &wamid, err))
		return false;
	if (wamid == NULL)
		return true;
	receipt.callback_data = data = g_strconcat(WA_CALLBACK_PREFIX,
	    it->send->key, NULL);
	status.receipt = &receipt;
	status.target = wamid;
	status.raw = raw = raw_of(it->send->key, wamid);
	build_event_add(ev, wa_resolved_item(&status));
	return true;
}

/* Of the event of which it was made: a status, or the record itself. */
static bool
unknown_key(struct build *b, const struct build_event *ev, const char *wamid,
    char **key, struct err *err)
{
	for (guint i = 0; i < ev->items->len; i++) {
		const struct item *it = ev->items->pdata[i];
		auto_item *resolved = NULL;

		if (is_unknown(it)) {
			*key = g_strdup(it->key);
			return true;
		}
		if (g_strcmp0(it->target, wamid) == 0 &&
		    !resolved_of(b, it, &resolved, err))
			return false;
		if (resolved != NULL) {
			*key = g_steal_pointer(&resolved->refers);
			return true;
		}
	}
	return true;
}

bool
build_send_unknown(struct build *b, const struct item *it, char **key,
    struct err *err)
{
	const char *wamid = it->target != NULL ? it->target :
	    it->context != NULL ? it->context->id : NULL;
	g_autoptr(GArray) places = NULL;
	struct build_event *ev;

	if (wamid == NULL)
		return true;
	if (!store_item_about(b->store, wamid, item_kind_name(ITEM_SYSTEM),
	    &places, err))
		return false;
	for (guint i = 0; *key == NULL && i < places->len; i++) {
		if (!build_event_peek(b, g_array_index(places,
		    struct store_place, i).event_id, &ev, err))
			return false;
		if (ev == NULL)
			continue;
		build_event_parse(b, ev, NULL);
		if (!unknown_key(b, ev, wamid, key, err))
			return false;
	}
	return true;
}

bool
build_send_is_later(const struct item *it)
{
	return it->send != NULL && it->send->key != NULL &&
	    it->refers != NULL && strstr(it->refers, it->send->key) != NULL;
}

/* ---- what others need to know ---------------------------------------------- */

static bool
note_alias(struct build *b, const char *network, const char *id,
    const char *value, int64_t now_ms, struct err *err)
{
	g_autofree char *name = g_strjoin("|", network, id, NULL);
	g_autofree char *known = NULL;
	const char *hit = g_hash_table_lookup(b->persons, name);

	if (hit == NULL) {
		if (!store_alias_get(b->store, network, id, &known, err))
			return false;
		hit = known;
	}
	if (g_strcmp0(hit, value) != 0)
		store_alias_set(b->store, network, id, value, now_ms);
	if (hit == known)
		g_hash_table_replace(b->persons, g_steal_pointer(&name),
		    g_strdup(value));
	return true;
}

/* Records lack the account unless the gateway learns it from here. */
static bool
note_account(struct build *b, const struct item *it, int64_t now_ms,
    struct err *err)
{
	return it->account == NULL || it->business.user_id == NULL ||
	    note_alias(b, ROLE_ACCOUNTS, it->business.user_id, it->account,
	    now_ms, err);
}

/*
 * Who may speak for a group is told by what the network says of it and by what
 * comes from it, and never by what somebody wanted to send to it.
 */
static bool
note_group(struct build *b, const struct item *it, int64_t now_ms,
    struct err *err)
{
	bool tells = it->kind == ITEM_GROUP || (it->kind == ITEM_MESSAGE &&
	    it->direction == ITEM_RECEIVED);

	return it->group_id == NULL || it->business.user_id == NULL ||
	    it->send != NULL || !tells || note_alias(b, ROLE_GROUPS,
	    it->group_id, it->business.user_id, now_ms, err);
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
	    note_group(b, it, now_ms, err) &&
	    (it->send == NULL || note_unknown(b, ev, it, now_ms, err)) &&
	    (it->receipt == NULL || note_status(b, ev, it, now_ms, err));
}
