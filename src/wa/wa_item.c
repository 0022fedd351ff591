/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every item has: the place it was met, its raw JSON, its problems and
 * its key. The key is made of nothing that differs between two deliveries of
 * the same event, and never of the time of arrival.
 */
#include "wa_int.h"

#include <string.h>

#include "hash.h"

#define KEY_PART_MAX 256

struct item *
wa_item_begin(const struct wa_walk *w, json_object *element)
{
	struct item *it = item_new(ITEM_NOTICE, ITEM_TYPE_UNKNOWN);

	it->direction = ITEM_RECEIVED;
	it->author = ITEM_NETWORK;
	it->network = g_strdup(WA_NETWORK);
	it->field = g_strdup(w->field);
	it->account = g_strdup(w->account);
	wa_party_merge(&it->business, &w->business);
	it->raw = wa_raw(element);
	return it;
}

static void
add_part(GString *key, const char *part)
{
	size_t len = strlen(part);
	uint8_t digest[HASH_SIZE];
	char hex[HASH_HEX_SIZE];

	g_string_append_c(key, '|');
	if (len > KEY_PART_MAX) {
		hash_sha256(part, len, digest);
		g_string_append(key, "sha256:");
		g_string_append(key, hash_hex(digest, hex));
		return;
	}
	for (const char *p = part; *p != '\0'; p++) {
		if (*p > ' ' && *p < 0x7f && *p != '|' && *p != '%')
			g_string_append_c(key, *p);
		else
			g_string_append_printf(key, "%%%02X",
			    (unsigned)(unsigned char)*p);
	}
}

/* A part that is not known is empty. */
char *
wa_key(const char *kind, const char *const *parts, size_t count)
{
	GString *key = g_string_sized_new(128);

	g_string_append(key, WA_NETWORK "|");
	g_string_append(key, kind);
	for (size_t i = 0; i < count; i++)
		add_part(key, parts[i] != NULL ? parts[i] : "");
	return g_string_free(key, FALSE);
}

static char *
key_of_raw(const struct wa_walk *w, const char *member, const struct item *it)
{
	uint8_t digest[HASH_SIZE];
	char hex[HASH_HEX_SIZE];
	const char *parts[] = { it->account, it->field, w->entry_time, hex };
	const char *id = it->business.user_id;

	hash_strings(digest, id != NULL ? id : "", member, it->raw, NULL);
	hash_hex(digest, hex);
	return wa_key("f", parts, G_N_ELEMENTS(parts));
}

void
wa_item_end(struct wa_walk *w, const char *member, struct item *it)
{
	if (w->items->len >= w->max_items) {
		w->too_many = true;
		item_free(it);
		return;
	}
	if (it->key == NULL)
		it->key = key_of_raw(w, member, it);
	g_ptr_array_add(w->items, it);
}

static void
read_problem(struct item *it, json_object *error, const char *path)
{
	static const struct wa_known data_known[] = { { "details", WA_TEXT },
		{ NULL } };
	struct wa_known known[] = { { "code", WA_TEXT }, { "title", WA_TEXT },
		{ "message", WA_TEXT }, { "error_data", WA_OBJECT },
		{ NULL }, { NULL } };
	json_object *data = wa_get(error, "error_data", json_type_object);
	g_autofree char *data_path = NULL;
	struct item_problem *p = item_problem_add(it);

	if (!json_object_is_type(error, json_type_object)) {
		p->message = wa_raw(error);
		return;
	}
	p->code = wa_get_text(error, "code");
	p->title = wa_get_text(error, "title");
	p->message = wa_get_text(error, "message");
	p->details = wa_get_text(data, "details");
	if (p->details == NULL) {	/* the older form */
		p->details = wa_get_text(error, "details");
		known[4] = (struct wa_known){ "details", WA_TEXT };
	}
	wa_rest_add(it, path, error, known);
	if (data == NULL)
		return;
	data_path = g_strconcat(path, ".error_data", NULL);
	wa_rest_add(it, data_path, data, data_known);
}

void
wa_problem_read(struct item *it, json_object *error)
{
	read_problem(it, error, "error");
}

void
wa_problems_read(struct item *it, json_object *element)
{
	json_object *errors = wa_get(element, "errors", json_type_array);
	size_t len = wa_length(errors);

	for (size_t i = 0; i < len; i++) {
		g_autofree char *path = g_strdup_printf("errors.%zu", i + 1);

		read_problem(it, json_object_array_get_idx(errors, i), path);
	}
}
