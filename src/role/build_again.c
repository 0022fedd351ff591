/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an item that came again with other bytes says anything else than
 * the first did. Meta adds a link to a file to what it delivers again, good
 * for minutes: that is no other message. Where the first is no longer in the
 * store nobody can tell, and it counts as another one.
 */
#include <json-c/json.h>
#include <string.h>

#include "build_int.h"
#include "item.h"

/* Of a file: {"id", "mime_type", "sha256", "url"} */
static bool
is_file(struct json_object *o)
{
	return json_object_object_get_ex(o, "id", NULL) &&
	    json_object_object_get_ex(o, "mime_type", NULL);
}

static void
drop_links(struct json_object *o)
{
	if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			drop_links(json_object_array_get_idx(o, i));
		return;
	}
	if (!json_object_is_type(o, json_type_object))
		return;
	if (is_file(o))
		json_object_object_del(o, "url");
	json_object_object_foreach(o, name, member) {
		(void)name;
		drop_links(member);
	}
}

static struct json_object *
read_without_links(const char *raw)
{
	struct json_object *o = json_tokener_parse(raw);

	drop_links(o);
	return o;
}

static bool
is_same_message(const char *a, const char *b)
{
	struct json_object *one = read_without_links(a);
	struct json_object *other = read_without_links(b);
	bool same = one != NULL && other != NULL &&
	    json_object_equal(one, other) != 0;

	json_object_put(one);
	json_object_put(other);
	return same;
}

bool
build_says_the_same(struct build *b, const struct item *it, bool *same,
    struct err *err)
{
	struct store_place at = { 0 };
	struct build_event *ev = NULL;
	const struct item *first;

	*same = false;
	if (it->raw == NULL)
		return true;
	if (!store_item_find(b->store, it->key, &at, err) ||
	    (at.event_id != 0 && !build_event_peek(b, at.event_id, &ev, err)))
		return false;
	if (ev == NULL)
		return true;
	build_event_parse(b, ev, NULL);
	first = build_event_item(ev, at.key);
	*same = first != NULL && first->raw != NULL &&
	    is_same_message(first->raw, it->raw);
	return true;
}
