/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chats of before the capture began, which a business shares when it joins:
 * chunks of threads of messages. Each message is filed under its thread's
 * person; a chunk or thread without any is itself shown raw.
 */
#include "wa_event_int.h"

static void
add_messages(struct wa_walk *w, json_object *thread)
{
	json_object *list = wa_get(thread, "messages", json_type_array);
	size_t len = list != NULL ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < len; i++)
		wa_message_add(w, json_object_array_get_idx(list, i),
		    WA_THREAD);
}

static void
add_thread(struct wa_walk *w, json_object *thread)
{
	static const char *const known[] = { "id", "context", "messages",
		NULL };
	static const struct wa_party_keys id_keys = { .number = "id" };
	struct item_party person = { 0 };
	guint before = w->items->len;

	wa_party_read(&person, wa_get(thread, "context", json_type_object),
	    &wa_plain_keys);
	if (!wa_party_is_known(&person))
		wa_party_read(&person, thread, &id_keys);
	w->thread = &person;
	add_messages(w, thread);
	w->thread = NULL;
	item_party_clear(&person);
	if (w->items->len == before)
		wa_notice_add(w, "threads", thread, ITEM_TYPE_HISTORY_CHUNK,
		    "a history thread without messages: shown raw");
	else
		wa_leftovers_add(w, thread, known, false);
}

static void
add_chunk(struct wa_walk *w, json_object *chunk)
{
	static const char *const known[] = { "metadata", "threads", "errors",
		NULL };
	static const struct wa_event declined = {
		.type = ITEM_TYPE_HISTORY_DECLINED, .kind = ITEM_ACCOUNT,
		.parse = wa_declined_parse,
		.note = "the history is not shared: shown raw",
	};
	json_object *threads = wa_get(chunk, "threads", json_type_array);
	json_object *errors = wa_get(chunk, "errors", json_type_array);
	size_t n = threads != NULL ? json_object_array_length(threads) : 0;
	guint before = w->items->len;

	for (size_t i = 0; i < n; i++)
		add_thread(w, json_object_array_get_idx(threads, i));
	n = errors != NULL ? json_object_array_length(errors) : 0;
	for (size_t i = 0; i < n; i++)
		wa_event_add(w, "errors", json_object_array_get_idx(errors, i),
		    &declined);
	if (w->items->len == before)
		wa_notice_add(w, "history", chunk, ITEM_TYPE_HISTORY_CHUNK,
		    "a history chunk without messages: shown raw");
	else
		wa_leftovers_add(w, chunk, known, false);
}

void
wa_history_add(struct wa_walk *w, json_object *list)
{
	size_t len = json_object_array_length(list);

	for (size_t i = 0; i < len; i++)
		add_chunk(w, json_object_array_get_idx(list, i));
}
