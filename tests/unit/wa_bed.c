/* SPDX-License-Identifier: Apache-2.0 */
/* See wa_bed.h. */
#include "wa_bed.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "io.h"

const struct wa_limits limits = WA_LIMITS_DEFAULT;

GPtrArray *
parse_bytes(const char *body, size_t len)
{
	GPtrArray *items = NULL;
	struct err err = ERR_INIT;

	if (!wa_parse(body, len, &limits, &items, &err))
		fail_msg("%s: %.*s", err.text, (int)MIN(len, 2000), body);
	return items;
}

GPtrArray *
parse(const char *body)
{
	return parse_bytes(body, strlen(body));
}

GPtrArray *
parse_change(const char *entry, const char *field, const char *members)
{
	g_autofree char *body = g_strdup_printf(
	    "{\"object\":\"whatsapp_business_account\",\"entry\":[{"
	    "\"id\":\"900\",%s\"changes\":[{\"field\":\"%s\",\"value\":{"
	    "\"metadata\":{\"display_phone_number\":\"551140000001\","
	    "\"phone_number_id\":\"700\"},%s}}]}]}", entry, field, members);

	return parse(body);
}

GPtrArray *
parse_field(const char *field, const char *members)
{
	return parse_change("", field, members);
}

const struct item *
only_item(const GPtrArray *items)
{
	assert_int_equal(items->len, 1);
	return items->pdata[0];
}

const char *
find_fact(const GPtrArray *facts, const char *name)
{
	for (guint i = 0; facts != NULL && i < facts->len; i++) {
		const struct item_fact *f = facts->pdata[i];

		if (strcmp(f->name, name) == 0)
			return f->value;
	}
	return NULL;
}

static gint
by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *
path_in(const char *dir, const char *file)
{
	const char *src = getenv("SRCDIR");

	return g_build_filename(src != NULL ? src : ".", "tests", dir, file,
	    NULL);
}

char *
event_path(const char *file)
{
	return path_in("events", file);
}

char *
record_path(const char *file)
{
	return path_in("records", file);
}

static GPtrArray *
list_json(const char *dir)
{
	g_autofree char *path = path_in(dir, NULL);
	GDir *d = g_dir_open(path, 0, NULL);
	GPtrArray *names;
	const char *name;

	if (d == NULL)
		return NULL;
	names = g_ptr_array_new_with_free_func(g_free);
	while ((name = g_dir_read_name(d)) != NULL) {
		if (g_str_has_suffix(name, ".json"))
			g_ptr_array_add(names, g_strndup(name,
			    strlen(name) - strlen(".json")));
	}
	g_dir_close(d);
	g_ptr_array_sort(names, by_name);
	return names;
}

GPtrArray *
list_events(void)
{
	return list_json("events");
}

GPtrArray *
list_records(void)
{
	return list_json("records");
}

static GBytes *
load_json(const char *dir, const char *name)
{
	g_autofree char *base = g_strconcat(name, ".json", NULL);
	g_autofree char *file = path_in(dir, base);
	GBytes *bytes = NULL;
	struct err err = ERR_INIT;

	if (!io_file_load(file, 1 << 20, &bytes, &err))
		fail_msg("%s", err.text);
	return bytes;
}

GBytes *
load_event(const char *name)
{
	return load_json("events", name);
}

GBytes *
load_record(const char *name)
{
	return load_json("records", name);
}

GPtrArray *
parse_event(const char *name)
{
	g_autoptr(GBytes) bytes = load_event(name);
	gsize len;
	const char *body = g_bytes_get_data(bytes, &len);

	return parse_bytes(body, len);
}

GPtrArray *
parse_record_bytes(const char *body, size_t len)
{
	GPtrArray *items = NULL;
	struct err err = ERR_INIT;

	if (!wa_record_parse(body, len, &limits, &items, &err))
		fail_msg("%s: %.*s", err.text, (int)MIN(len, 2000), body);
	return items;
}

GPtrArray *
parse_record(const char *name)
{
	g_autoptr(GBytes) bytes = load_record(name);
	gsize len;
	const char *body = g_bytes_get_data(bytes, &len);

	return parse_record_bytes(body, len);
}
