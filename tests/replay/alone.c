/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One event alone, one mail per item: everything a person or the network
 * said in it stands in the text of its mails, for people, and the bytes of
 * the event are attached, for proof. Nothing is parked.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "err.h"
#include "io.h"
#include "item.h"
#include "mail_read.h"
#include "play.h"
#include "wa.h"
#include "world.h"

#define EVENT_MAX (64 << 20)

/*
 * What need not stand in the text: it is in the attached event all the same.
 * file NULL: in any.
 */
static const struct {
	const char *file, *name;
} only_attached[] = {
	/* links that die within minutes */
	{ NULL, "url" },
	/* shown as hexadecimal digits, and in words */
	{ NULL, "sha256" }, { NULL, "voice" }, { NULL, "animated" },
	{ NULL, "forwarded" }, { NULL, "frequently_forwarded" },
	/* addresses of devices */
	{ NULL, "session" }, { NULL, "connection" },
	/* told by the group or the person, and by every mail */
	{ NULL, "recipient_type" }, { NULL, "messaging_product" },
	{ "status-group.json", "recipient_id" },
	{ "status-group-old.json", "recipient_id" },
	/* a name made safe, and numbers made digits */
	{ "document-hostile-name.json", "filename" },
	{ "account-hostile.json", "bidi\u202e" },
	{ "loose-types.json", "id" }, { "loose-types.json", "from" },
	{ "history-no-numbers.json", "from" },
};

/* Meta's words for shapes: the mail has the shape, in words of its own. */
static const char *const shapes[] = { "text", "image", "video", "audio",
	"voice", "document", "sticker", "location", "contacts", "interactive",
	"button", "order", "template", "reaction", "edit", "revoke", "system",
	"request_welcome", "media_placeholder", "unsupported", "unknown",
	"button_reply", "list_reply", "nfm_reply", "call_permission_reply",
	"user_changed_number", "user_changed_user_id", "header", "body",
	"footer", "buttons", "carousel", "HEADER", "BODY", "FOOTER", "BUTTONS",
	"CAROUSEL", "TEXT", "IMAGE", "LOCATION", "currency", "date_time",
	"ephemeral", "customer_changed_number", "summary", "contact", "call",
	NULL };

struct search {
	struct world *w;
	GString *shown;		/* the texts of all mails, blanks squeezed */
	guint seen;
};

/* Without blanks: a text part indents and breaks what it shows. */
static void
squeeze(GString *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (!g_ascii_isspace(*s))
			g_string_append_c(out, *s);
	}
}

/* As it is, or as it is written in JSON where raw JSON is shown. */
static bool
is_shown(const struct search *s, json_object *value)
{
	g_autoptr(GString) plain = g_string_new(NULL);
	g_autoptr(GString) json = g_string_new(NULL);

	squeeze(plain, json_object_get_string(value));
	squeeze(json, json_object_to_json_string_ext(value,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	return strstr(s->shown->str, plain->str) != NULL ||
	    strstr(s->shown->str, json->str) != NULL;
}

/* Seconds since 1970 are shown as a date, which is sought by its seconds. */
static bool
is_time_shown(const struct search *s, const char *digits)
{
	int64_t at = g_ascii_strtoll(digits, NULL, 10);
	g_autoptr(GDateTime) t = g_date_time_new_from_unix_utc(at);
	g_autofree char *date = t != NULL ?
	    g_date_time_format(t, "%Y-%m-%d%H:%M:%SUTC") : NULL;

	return date != NULL && strstr(s->shown->str, date) != NULL;
}

static bool
is_time(const char *name)
{
	static const char *const names[] = { "timestamp", "start_time",
		"end_time", NULL };

	return g_strv_contains(names, name);
}

/* A template's wording is shown with its placeholders filled. */
static bool
is_wording_shown(const struct search *s, const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "{{", -1);

	for (char **part = parts; *part != NULL; part++) {
		const char *end = part == parts ? NULL : strstr(*part, "}}");
		g_autoptr(GString) plain = g_string_new(NULL);

		squeeze(plain, end != NULL ? end + 2 : *part);
		if (strstr(s->shown->str, plain->str) == NULL)
			return false;
	}
	return parts[1] != NULL;
}

static bool
is_only_attached(const struct search *s, const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(only_attached); i++) {
		const char *file = only_attached[i].file;

		if (strcmp(only_attached[i].name, name) == 0 &&
		    (file == NULL || strcmp(file, s->w->script) == 0))
			return true;
	}
	return false;
}

static void
look_for(struct search *s, const char *name, json_object *value)
{
	const char *text = json_object_get_string(value);

	s->seen++;
	if (text == NULL || *text == '\0' || is_shown(s, value) ||
	    (is_time(name) && is_time_shown(s, text)) ||
	    (strcmp(name, "type") == 0 && g_strv_contains(shapes, text)) ||
	    (strcmp(name, "format") == 0 && g_strv_contains(shapes, text)) ||
	    is_wording_shown(s, text))
		return;
	world_fail(s->w, "%s \"%s\" stands in no mail's text", name, text);
}

static void
walk(struct search *s, const char *name, json_object *o)
{
	if (is_only_attached(s, name))
		return;
	if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, key, child)
			walk(s, key, child);
	} else if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			walk(s, name, json_object_array_get_idx(o, i));
	} else {
		look_for(s, name, o);
	}
}

/* An event that is its value as a whole, and not a list of events. */
static bool
is_whole(json_object *value)
{
	static const char *const lists[] = { "messages", "message_echoes",
		"statuses", "history", "standby", "contacts" };

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		if (json_object_object_get_ex(value, lists[i], NULL))
			return false;
	}
	return json_object_is_type(value, json_type_object);
}

/* Finds the lists of what was said, wherever they stand. */
static void
walk_lists(struct search *s, json_object *o)
{
	static const char *const lists[] = { "messages", "message_echoes",
		"statuses", "calls", "groups", "user_preferences",
		"user_id_update", "user_actions", "state_sync",
		"automatic_events", "errors", "conversation_context", NULL };

	if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			walk_lists(s, json_object_array_get_idx(o, i));
		return;
	}
	if (!json_object_is_type(o, json_type_object))
		return;
	json_object_object_foreach(o, key, child) {
		if (g_strv_contains(lists, key) ||
		    (strcmp(key, "value") == 0 && is_whole(child)))
			walk(s, key, child);
		else
			walk_lists(s, child);
	}
}

static void
search_all(struct world *w, const char *body)
{
	struct search s = { .w = w, .shown = g_string_new(NULL) };
	json_object *o = json_tokener_parse(body);

	for (guint i = 0; i < w->mails->len; i++) {
		const struct world_mail *m = w->mails->pdata[i];
		g_autofree char *text = mail_text(m->inner, "text/plain");

		squeeze(s.shown, text);
	}
	walk_lists(&s, o);
	json_object_put(o);
	g_string_free(s.shown, TRUE);
}

/* What the mails have attached: the event, or parts of it. */
static GString *
read_attached(const struct world *w)
{
	GString *out = g_string_new(NULL);
	const struct mail_part *p;

	for (guint i = 0; i < w->mails->len; i++) {
		const struct world_mail *m = w->mails->pdata[i];

		for (guint n = 0; (p = mail_find(m->inner,
		    "application/json", n)) != NULL; n++)
			g_string_append_len(out,
			    g_bytes_get_data(p->content, NULL),
			    (gssize)g_bytes_get_size(p->content));
	}
	return out;
}

/*
 * Every item's own JSON is attached, byte for byte the event's or, where only
 * parts of it are, in the one spelling the parser gives.
 */
static void
check_attached(struct world *w, GBytes *body)
{
	const struct wa_limits limits = WA_LIMITS_DEFAULT;
	g_autoptr(GString) attached = read_attached(w);
	g_autoptr(GPtrArray) items = NULL;
	struct err err = ERR_INIT;
	gsize len;
	const char *data = g_bytes_get_data(body, &len);

	if (attached->len >= len && memmem(attached->str, attached->len, data,
	    len) != NULL)
		return;
	if (!wa_parse(data, len, &limits, &items, &err)) {
		world_fail(w, "%s", err.text);
		return;
	}
	for (guint i = 0; i < items->len; i++) {
		const struct item *it = items->pdata[i];

		if (it->raw != NULL && strstr(attached->str, it->raw) == NULL)
			world_fail(w, "item %u is nowhere attached", i + 1);
	}
}

static void
check(struct world *w, GBytes *body)
{
	if (w->mails->len == 0)
		world_fail(w, "no mail came of it");
	if (w->sum.parked_events + w->sum.parked_turns > 0)
		world_fail(w, "%" PRId64 " events and %" PRId64 " turns were "
		    "parked", w->sum.parked_events, w->sum.parked_turns);
	check_attached(w, body);
	search_all(w, g_bytes_get_data(body, NULL));
}

static void
post_alone(struct world *w, const char *path)
{
	g_autoptr(GBytes) body = NULL;
	struct err err = ERR_INIT;
	gsize len;
	const void *data;

	if (!io_file_load(path, EVENT_MAX, &body, &err)) {
		world_fail(w, "%s", err.text);
		return;
	}
	data = g_bytes_get_data(body, &len);
	world_conf(w, "turn { idle 0; receipt_wait 0; }");
	world_post(w, data, len);
	world_settle(w);
	if (!world_failed(w))
		check(w, body);
	if (!world_failed(w))
		world_finish(w);
	if (!world_failed(w))
		law_check(w);
}

bool
play_alone(const char *srcdir, const char *path, GString *complaints)
{
	g_autofree char *name = g_path_get_basename(path);
	struct world *w = world_new(srcdir, name);
	bool ok;

	post_alone(w, path);
	ok = !world_failed(w);
	g_string_append(complaints, w->complaints->str);
	world_free(w);
	return ok;
}
