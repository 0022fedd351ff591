/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attachments of every mail against the bytes that were posted. Events
 * are compared by their hash; an excerpt is an array of items' own JSON, each
 * of which must have been posted just so.
 */
#include "evidence.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "conf.h"
#include "err.h"
#include "item.h"
#include "mail_read.h"
#include "wa.h"
#include "world.h"

struct evidence {
	struct world *w;
	GHashTable *posted;	/* hash of a body -> set of its items' JSON */
	GHashTable *said;	/* id -> set of the JSON it was said in */
	GHashTable *hashes;	/* of items' own JSON as it was posted */
};

/* What one mail has attached. */
struct attached {
	GHashTable *events;	/* hashes of whole bodies */
	GHashTable *items;	/* JSON */
};

static GHashTable *
new_set(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void
free_set(gpointer set)
{
	g_hash_table_unref(set);
}

static char *
hash_of(GBytes *bytes)
{
	char *hex = g_malloc(HASH_HEX_SIZE);
	uint8_t digest[HASH_SIZE];
	gsize len;
	const void *data = g_bytes_get_data(bytes, &len);

	hash_sha256(data, len, digest);
	return hash_hex(digest, hex);
}

/* One spelling for JSON that says the same. */
static char *
spell(json_object *o)
{
	return g_strdup(json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PLAIN));
}

/* ---- what was posted ------------------------------------------------------- */

static void
add_item(struct evidence *e, GHashTable *items, const struct item *it)
{
	json_object *o = it->raw != NULL ? json_tokener_parse(it->raw) : NULL;
	g_autofree char *json = spell(o);
	GHashTable *said;

	if (it->raw != NULL) {
		g_autoptr(GBytes) raw = g_bytes_new(it->raw,
		    strlen(it->raw));

		g_hash_table_add(e->hashes, hash_of(raw));
	}
	g_hash_table_add(items, g_strdup(json));
	if (it->id != NULL) {
		said = g_hash_table_lookup(e->said, it->id);
		if (said == NULL) {
			said = new_set();
			g_hash_table_insert(e->said, g_strdup(it->id), said);
		}
		g_hash_table_add(said, g_strdup(json));
	}
	json_object_put(o);
}

static void
add_event(struct evidence *e, GBytes *event, bool is_record)
{
	struct wa_limits limits = WA_LIMITS_DEFAULT;
	g_autoptr(GPtrArray) list = NULL;
	GHashTable *items = new_set();
	struct err err = ERR_INIT;
	gsize len;
	const void *body = g_bytes_get_data(event, &len);

	limits.max_bytes = len;
	if ((is_record ? wa_record_parse : wa_parse)(body, len, &limits,
	    &list, &err)) {
		for (guint i = 0; i < list->len; i++)
			add_item(e, items, list->pdata[i]);
	}
	g_hash_table_replace(e->posted, hash_of(event), items);
}

/* ---- what is attached ------------------------------------------------------- */

static void
read_excerpt(struct evidence *e, struct attached *a,
    const struct mail_part *part)
{
	gsize len;
	const char *data = g_bytes_get_data(part->content, &len);
	g_autofree char *text = g_strndup(data, len);
	json_object *list = json_tokener_parse(text);

	if (!json_object_is_type(list, json_type_array))
		world_fail(e->w, "an excerpt is no list");
	else
		for (size_t i = 0; i < json_object_array_length(list); i++)
			g_hash_table_add(a->items,
			    spell(json_object_array_get_idx(list, i)));
	json_object_put(list);
}

static void
read_part(struct evidence *e, struct attached *a,
    const struct mail_part *part)
{
	const char *how = mail_field(part, "Content-Disposition", 0);
	g_autofree char *name = how != NULL ? mail_param(how, "filename") :
	    NULL;

	if (name != NULL && g_str_has_prefix(name, "event"))
		g_hash_table_add(a->events, hash_of(part->content));
	if (name != NULL && g_str_has_prefix(name, "excerpt"))
		read_excerpt(e, a, part);
	for (guint i = 0; i < part->parts->len; i++)
		read_part(e, a, part->parts->pdata[i]);
}

/* ---- one mail ------------------------------------------------------------------ */

static void
check_names(struct evidence *e, const struct world_mail *m,
    struct attached *a)
{
	g_autoptr(GHashTable) named = new_set();
	const char *hex;
	GHashTableIter it;
	gpointer key;

	for (guint n = 0; (hex = mail_field(m->inner,
	    "X-ChatJournal-Event-SHA256", n)) != NULL; n++) {
		g_hash_table_add(named, g_strdup(hex));
		if (!g_hash_table_contains(e->posted, hex))
			world_fail(e->w, "mail %" PRId64 " names an event "
			    "that nobody posted", m->id);
	}
	if (g_hash_table_size(named) == 0)
		world_fail(e->w, "mail %" PRId64 " names no event", m->id);
	g_hash_table_iter_init(&it, a->events);
	while (g_hash_table_iter_next(&it, &key, NULL)) {
		if (!g_hash_table_contains(named, key))
			world_fail(e->w, "mail %" PRId64 " has other bytes "
			    "attached than those it names", m->id);
	}
}

static bool
is_in_event(struct evidence *e, const struct attached *a, const char *json)
{
	GHashTableIter it;
	gpointer hex;

	g_hash_table_iter_init(&it, a->events);
	while (g_hash_table_iter_next(&it, &hex, NULL)) {
		GHashTable *items = g_hash_table_lookup(e->posted, hex);

		if (items != NULL && g_hash_table_contains(items, json))
			return true;
	}
	return false;
}

/* A rule left it out: there is a record with the hash of what was said. */
static bool
is_left_out(struct evidence *e, const struct attached *a, const char *id)
{
	GHashTableIter it;
	gpointer json;
	bool found = false;

	g_hash_table_iter_init(&it, a->items);
	while (!found && g_hash_table_iter_next(&it, &json, NULL)) {
		json_object *o = json_tokener_parse(json), *of, *sha256;

		found = json_object_object_get_ex(o, "excluded", NULL) &&
		    json_object_object_get_ex(o, "id", &of) &&
		    json_object_object_get_ex(o, "sha256", &sha256) &&
		    strcmp(json_object_get_string(of), id) == 0 &&
		    g_hash_table_contains(e->hashes,
		    json_object_get_string(sha256));
		json_object_put(o);
	}
	return found;
}

/* The item is there in one of the forms in which it was said. */
static bool
is_proved(struct evidence *e, const struct attached *a, const char *id)
{
	GHashTable *said = g_hash_table_lookup(e->said, id);
	GHashTableIter it;
	gpointer json;

	if (said == NULL)
		return false;
	g_hash_table_iter_init(&it, said);
	while (g_hash_table_iter_next(&it, &json, NULL)) {
		if (g_hash_table_contains(a->items, json) ||
		    is_in_event(e, a, json))
			return true;
	}
	return false;
}

static void
check_items(struct evidence *e, const struct world_mail *m,
    struct attached *a)
{
	/* The mail it follows up has them, and is named in it. */
	if (m->is_follow_up)
		return;
	for (guint i = 0; i < m->ids->len; i++) {
		const char *id = m->ids->pdata[i];

		if (*id != '\0' && !is_proved(e, a, id) &&
		    !is_left_out(e, a, id))
			world_fail(e->w, "mail %" PRId64 " has not attached "
			    "what it shows of %s", m->id, id);
	}
	if (g_hash_table_size(a->events) + g_hash_table_size(a->items) == 0)
		world_fail(e->w, "mail %" PRId64 " proves nothing", m->id);
}

/* Of what is excluded there is a record, and nothing else. */
static void
check_nothing(struct evidence *e, const struct world_mail *m,
    struct attached *a)
{
	if (g_hash_table_size(a->events) + g_hash_table_size(a->items) > 0)
		world_fail(e->w, "mail %" PRId64 " has attached what it "
		    "excludes", m->id);
}

static void
check_mail(struct evidence *e, const struct world_mail *m)
{
	struct attached a = { .events = new_set(), .items = new_set() };

	read_part(e, &a, m->inner);
	check_names(e, m, &a);
	if (m->is_excluded)
		check_nothing(e, m, &a);
	/* A follow-up brings files; the mail before it had the events. */
	else if (e->w->conf->render.attach_event && !m->is_follow_up)
		check_items(e, m, &a);
	g_hash_table_unref(a.events);
	g_hash_table_unref(a.items);
}

void
evidence_check(struct world *w)
{
	struct evidence e = { .w = w, .hashes = new_set() };

	e.posted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    free_set);
	e.said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    free_set);
	for (guint i = 0; i < w->bodies->len; i++)
		add_event(&e, w->bodies->pdata[i], false);
	for (guint i = 0; i < w->records->len; i++)
		add_event(&e, w->records->pdata[i], true);
	for (guint i = 0; i < w->mails->len; i++) {
		const struct world_mail *m = w->mails->pdata[i];

		/* The manifest before them has the events; an alert none. */
		if (!m->is_part && !m->is_alert)
			check_mail(&e, m);
	}
	g_hash_table_unref(e.hashes);
	g_hash_table_unref(e.posted);
	g_hash_table_unref(e.said);
}
