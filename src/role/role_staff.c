/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the directory role was told of somebody of the staff, as build and the
 * gateway use it. Judges no age: whether an answer still counts is theirs to
 * say. Groups that cannot be read are none.
 */
#include <json-c/json.h>

#include "directory.h"
#include "role_int.h"
#include "store.h"

static GPtrArray *
read_groups(const char *json)
{
	GPtrArray *groups = g_ptr_array_new_with_free_func(g_free);
	struct json_object *list = json != NULL ? json_tokener_parse(json) :
	    NULL;

	for (size_t i = 0; list != NULL && i < json_object_array_length(list);
	    i++)
		g_ptr_array_add(groups, g_strdup(json_object_get_string(
		    json_object_array_get_idx(list, i))));
	json_object_put(list);
	return groups;
}

struct directory_staff *
role_staff_read(const struct store_answer *a)
{
	struct directory_staff *s;

	if (!a->found)
		return NULL;
	s = directory_staff_new();
	s->id = g_strdup(a->id);
	s->name = g_strdup(a->name);
	s->mail = g_strdup(a->mail);
	s->groups = read_groups(a->groups);
	s->is_remote = true;
	return s;
}

bool
role_staff_is_unclear(const struct store_answer *a)
{
	return !a->found && a->groups != NULL;
}
