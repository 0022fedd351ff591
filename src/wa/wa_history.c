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
	size_t len = wa_length(list);

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

static size_t
count_messages(json_object *threads)
{
	size_t len = wa_length(threads);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		json_object *list = wa_get(json_object_array_get_idx(threads,
		    i), "messages", json_type_array);

		n += wa_length(list);
	}
	return n;
}

static const char *
first_id(const struct wa_walk *w, guint from)
{
	const struct item *it = from < w->items->len ?
	    g_ptr_array_index(w->items, from) : NULL;

	return it != NULL && it->id != NULL ? it->id : "";
}

static void
add_count(struct item *it, const char *name, size_t count)
{
	g_autofree char *text = g_strdup_printf("%zu", count);

	item_fact_add(it, name, text);
}

/*
 * How far the sharing is: so that it can be seen whether all of it came.
 * Chunks come in any order, and again when a business joins again, so the
 * first message is part of the key.
 */
static void
add_progress(struct wa_walk *w, json_object *chunk, json_object *threads,
    guint from)
{
	json_object *metadata = wa_get(chunk, "metadata", json_type_object);
	size_t messages = count_messages(threads);
	g_autofree char *member = NULL;
	struct item *it;

	if (wa_get_any(metadata, "phase") == NULL &&
	    wa_get_any(metadata, "chunk_order") == NULL &&
	    wa_get_any(metadata, "progress") == NULL)
		return;
	member = g_strdup_printf("history|%s|%zu", first_id(w, from), messages);
	it = wa_item_begin(w, metadata);
	it->kind = ITEM_ACCOUNT;
	it->type = ITEM_TYPE_HISTORY_CHUNK;
	it->at_ms = wa_get_time(w->entry, "time");
	wa_rest_add(it, "", metadata, NULL);
	add_count(it, "threads", wa_length(threads));
	add_count(it, "messages", messages);
	wa_item_end(w, member, it);
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
	size_t n = wa_length(threads);
	guint before = w->items->len;

	for (size_t i = 0; i < n; i++)
		add_thread(w, json_object_array_get_idx(threads, i));
	n = wa_length(errors);
	for (size_t i = 0; i < n; i++)
		wa_event_add(w, "errors", json_object_array_get_idx(errors, i),
		    &declined);
	add_progress(w, chunk, threads, before);
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
