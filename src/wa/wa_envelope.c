/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole POST body to items: object, entries, changes. Loose about shape,
 * strict about loss: whatever is not walked into is shown raw, and a body
 * that gave nothing gives one notice that says so. Fails only when the body
 * is not JSON or beyond the limits.
 */
#include "wa_event_int.h"

#include <string.h>

#include "err.h"
#include "hash.h"

#define OBJECT "whatsapp_business_account"

/* The bytes themselves are the raw JSON: nothing in them was understood. */
static void
add_body(struct wa_walk *w, const char *body, size_t len, const char *note)
{
	struct item *it = wa_item_begin(w, NULL);

	g_free(it->raw);
	it->raw = g_strndup(body, len);
	it->note = g_strdup(note);
	wa_item_end(w, "body", it);
}

/* The entry as if it named this field alone: each item has its own JSON. */
static json_object *
entry_of(json_object *entry, json_object *name)
{
	static const char *const members[] = { "id", "time" };
	json_object *o = json_object_new_object();
	json_object *names = json_object_new_array();

	for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
		json_object *member = wa_get_any(entry, members[i]);

		if (member != NULL)
			json_object_object_add(o, members[i],
			    json_object_get(member));
	}
	json_object_array_add(names, json_object_get(name));
	json_object_object_add(o, "changed_fields", names);
	return o;
}

static void
add_changed_fields(struct wa_walk *w, json_object *fields)
{
	static const struct wa_event event = {
		.type = ITEM_TYPE_CONTENT_OFF, .kind = ITEM_GAP,
		.parse = wa_content_off_parse,
	};
	size_t len = json_object_array_length(fields);
	json_object *entry = w->entry;

	for (size_t i = 0; i < len; i++) {
		json_object *name = json_object_array_get_idx(fields, i);

		w->field = wa_text(name);
		w->entry = entry_of(entry, name);
		wa_event_add(w, "changed_fields", w->entry, &event);
		json_object_put(w->entry);
		g_clear_pointer(&w->field, g_free);
	}
	w->entry = entry;
}

static void
add_entry_lists(struct wa_walk *w, json_object *entry)
{
	json_object *changes = wa_get(entry, "changes", json_type_array);
	json_object *names = wa_get(entry, "changed_fields", json_type_array);
	size_t len = wa_length(changes);

	for (size_t i = 0; i < len; i++)
		wa_change_add(w, json_object_array_get_idx(changes, i));
	if (names != NULL)
		add_changed_fields(w, names);
}

static void
add_entry(struct wa_walk *w, json_object *entry)
{
	static const char *const known[] = { "id", "time", "changes",
		"changed_fields", NULL };
	guint before = w->items->len;

	w->entry = entry;
	w->account = wa_get_id(entry, "id");
	w->entry_time = wa_get_text(entry, "time");
	add_entry_lists(w, entry);
	if (w->items->len == before)
		wa_notice_add(w, "entry", entry, ITEM_TYPE_UNKNOWN,
		    "an entry without changes: shown raw");
	else
		wa_leftovers_add(w, entry, known, false);
	w->entry = NULL;
	g_clear_pointer(&w->account, g_free);
	g_clear_pointer(&w->entry_time, g_free);
}

static bool
is_foreign(json_object *root)
{
	g_autofree char *object = wa_get_text(root, "object");

	return object != NULL && strcmp(object, OBJECT) != 0;
}

static void
add_root(struct wa_walk *w, json_object *root, const char *body, size_t len)
{
	static const char *const known[] = { "object", "entry", NULL };
	json_object *entries = wa_get(root, "entry", json_type_array);
	size_t n = wa_length(entries);

	if (is_foreign(root)) {
		add_body(w, body, len,
		    "an event of another product than WhatsApp: shown raw");
		return;
	}
	for (size_t i = 0; i < n; i++)
		add_entry(w, json_object_array_get_idx(entries, i));
	if (n == 0)
		add_body(w, body, len, "a webhook without entries: shown raw");
	else
		wa_leftovers_add(w, root, known, false);
}

static bool
walk_body(struct wa_walk *w, const char *body, size_t len,
    const struct wa_facts *facts, struct err *err)
{
	json_object *root;

	/* Also: json-c cannot tell a bare null from a failure. */
	if (body[strspn(body, " \t\r\n")] != '{') {
		add_body(w, body, len,
		    "a webhook that is not a JSON object: shown raw");
		return true;
	}
	if (!wa_json_load(body, len, facts, &root, err))
		return false;
	add_root(w, root, body, len);
	if (wa_json_has_repeats(root, facts))
		add_body(w, body, len, "a JSON object names a member twice; "
		    "the other items show only one of them: shown raw");
	json_object_put(root);
	return true;
}

bool
wa_parse(const void *body, size_t len, const struct wa_limits *lim,
    GPtrArray **items, struct err *err)
{
	g_autoptr(GPtrArray) list = item_list_new();
	struct wa_walk w = { .items = list, .max_items = lim->max_items };
	struct wa_facts facts = { 0 };
	bool ok;

	if (w.max_items == 0)
		w.max_items = WA_ITEMS_DEFAULT;
	ok = wa_scan(body, len, lim, &facts, err) &&
	    walk_body(&w, body, len, &facts, err);
	g_clear_pointer(&facts.long_integers, g_array_unref);
	if (!ok)
		return false;
	if (w.too_many)
		return err_set(err, ERR_PERM, "wa.json",
		    "the body has more than %zu items", w.max_items);
	*items = g_steal_pointer(&list);
	return true;
}

struct item *
wa_raw_item(const void *body, size_t len, const char *reason)
{
	struct item *it = item_new(ITEM_NOTICE, ITEM_TYPE_RAW);
	uint8_t digest[HASH_SIZE];
	char hex[HASH_HEX_SIZE];
	const char *parts[] = { hex };

	hash_sha256(body, len, digest);
	hash_hex(digest, hex);
	it->direction = ITEM_RECEIVED;
	it->author = ITEM_NETWORK;
	it->network = g_strdup(WA_NETWORK);
	it->key = wa_key("r", parts, G_N_ELEMENTS(parts));
	it->note = g_strdup(reason);
	return it;
}
