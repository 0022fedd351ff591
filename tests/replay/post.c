/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people write, as Meta would send it: one JSON change for a line. The
 * change is remembered under its id, so that it can be delivered again.
 */
#include "post.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "record.h"
#include "script.h"
#include "wa.h"
#include "world.h"

#define ACCOUNT "900100200300400"
#define BUSINESS_ID "700111222333444"
#define BUSINESS_NUMBER "551140000001"

struct post {
	json_object *changes;	/* array; NULL: nothing yet */
};

/* A line while it becomes a change. */
struct saying {
	struct world *w;
	struct script_line *l;
	const char *word;	/* "text", "image" … */
	bool is_echo;
	const char *from;	/* of one of many; NULL: as the line says */
};

static void
put(json_object *o, const char *name, const char *value)
{
	if (value != NULL)
		json_object_object_add(o, name, json_object_new_string(value));
}

static void
put_wamid(json_object *o, const char *name, const char *id)
{
	g_autofree char *wamid = id != NULL ? world_wamid(id) : NULL;

	put(o, name, wamid);
}

/* An object as the member `name` of o. */
static json_object *
put_object(json_object *o, const char *name)
{
	json_object *child = json_object_new_object();

	json_object_object_add(o, name, child);
	return child;
}

static json_object *
put_array(json_object *o, const char *name, json_object *first)
{
	json_object *list = json_object_new_array();

	json_object_object_add(o, name, list);
	if (first != NULL)
		json_object_array_add(list, first);
	return list;
}

/* ---- the parts of a message ---------------------------------------------------- */

static void
put_time(const struct saying *s, json_object *o, int64_t later_ms)
{
	const char *said = script_get(s->l, "said");
	int64_t at = s->w->now_ms;
	char digits[32];

	if (said != NULL && strcmp(said, "never") == 0)
		return;
	if (said != NULL && script_duration(said) < 0)
		world_fail(s->w, "said=%s is no time", said);
	if (said != NULL)
		at = WORLD_START_MS + script_duration(said);
	snprintf(digits, sizeof(digits), "%" G_GINT64_FORMAT,
	    (at + later_ms) / 1000);
	put(o, "timestamp", digits);
}

static void
put_text(const struct saying *s, json_object *m)
{
	const char *text = script_take_text(s->l);

	put(put_object(m, "text"), "body", text != NULL ? text : "");
}

static void
put_media(const struct saying *s, json_object *m)
{
	json_object *o = put_object(m, s->word);
	const char *id = script_get(s->l, "media");

	put(o, "id", id != NULL ? id : "811000000000001");
	put(o, "mime_type", script_get(s->l, "mime"));
	put(o, "sha256", "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	put(o, "filename", script_get(s->l, "file"));
	put(o, "url", script_get(s->l, "link"));
	put(o, "caption", script_take_text(s->l));
}

static void
put_edit(const struct saying *s, json_object *m)
{
	json_object *o = put_object(m, "edit"), *now;

	put_wamid(o, "original_message_id", script_get(s->l, "of"));
	now = put_object(o, "message");
	put(now, "type", "text");
	put_text(s, now);
}

static void
put_revoke(const struct saying *s, json_object *m)
{
	put_wamid(put_object(m, "revoke"), "original_message_id",
	    script_get(s->l, "of"));
}

static void
put_reaction(const struct saying *s, json_object *m)
{
	json_object *o = put_object(m, "reaction");

	put_wamid(o, "message_id", script_get(s->l, "of"));
	put(o, "emoji", script_take_text(s->l));
}

static void
put_system(const struct saying *s, json_object *m)
{
	json_object *o = put_object(m, "system");

	put(o, "type", "user_changed_number");
	put(o, "body", script_take_text(s->l));
	put(o, "wa_id", script_get(s->l, "new"));
}

/* A type that Meta has not thought of yet. */
static void
put_unknown(const struct saying *s, json_object *m)
{
	const char *text = script_take_text(s->l);

	json_object_object_add(m, "type",
	    json_object_new_string("hologram"));
	put(put_object(m, "hologram"), "depth", text != NULL ? text : "3");
}

static const struct {
	const char *word;
	void (*put)(const struct saying *s, json_object *m);
} types[] = {
	{ "text", put_text }, { "image", put_media }, { "video", put_media },
	{ "audio", put_media }, { "document", put_media },
	{ "sticker", put_media }, { "edit", put_edit },
	{ "revoke", put_revoke }, { "reaction", put_reaction },
	{ "system", put_system }, { "unknown", put_unknown },
};

static void
put_content(const struct saying *s, json_object *m)
{
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		if (strcmp(types[i].word, s->word) == 0) {
			put(m, "type", s->word);
			types[i].put(s, m);
			return;
		}
	}
}

static bool
is_type(const char *word)
{
	for (size_t i = 0; word != NULL && i < G_N_ELEMENTS(types); i++) {
		if (strcmp(types[i].word, word) == 0)
			return true;
	}
	return false;
}

static void
put_context(const struct saying *s, json_object *m)
{
	const char *reply = script_get(s->l, "reply");

	if (reply != NULL)
		put_wamid(put_object(m, "context"), "id", reply);
}

/* ---- who says it to whom --------------------------------------------------------- */

static void
put_metadata(const struct saying *s, json_object *value)
{
	json_object *o = put_object(value, "metadata");
	const char *id = script_get(s->l, "business");
	const char *number = script_get(s->l, "business-number");

	put(value, "messaging_product", "whatsapp");
	put(o, "display_phone_number", number != NULL ? number :
	    BUSINESS_NUMBER);
	put(o, "phone_number_id", id != NULL ? id : BUSINESS_ID);
}

static void
put_contacts(const struct saying *s, json_object *value)
{
	const char *name = script_get(s->l, "name");
	json_object *c = json_object_new_object();
	json_object *profile = put_object(c, "profile");

	put(profile, "name", name != NULL ? name : "Ana T.");
	put(profile, "username", script_get(s->l, "username"));
	put(c, "wa_id", script_get(s->l, s->is_echo ? "to" : "from"));
	put(c, "user_id", script_get(s->l, "user"));
	put(c, "parent_user_id", script_get(s->l, "parent"));
	put_array(value, "contacts", c);
}

static json_object *
make_message(const struct saying *s, const char *id, int64_t later_ms)
{
	json_object *m = json_object_new_object();

	put_wamid(m, "id", id);
	if (s->is_echo) {
		put(m, "from", BUSINESS_NUMBER);
		put(m, "to", script_get(s->l, "to"));
		put(m, "to_user_id", script_get(s->l, "user"));
	} else {
		put(m, "from", s->from != NULL ? s->from :
		    script_get(s->l, "from"));
		put(m, "from_user_id", script_get(s->l, "user"));
	}
	put_time(s, m, later_ms);
	put(m, "group_id", script_get(s->l, "group"));
	put_context(s, m);
	put_content(s, m);
	return m;
}

static json_object *
make_status(const struct saying *s)
{
	json_object *m = json_object_new_object(), *e;
	const char *state = script_get(s->l, "state");
	const char *group = script_get(s->l, "group");
	const char *send = script_get(s->l, "send");
	g_autofree char *key = send != NULL ? record_key(send) : NULL;
	g_autofree char *data = NULL;

	put_wamid(m, "id", script_get(s->l, "of"));
	put(m, "status", state);
	put_time(s, m, 0);
	if (group != NULL) {
		put(m, "recipient_type", "group");
		put(m, "recipient_id", group);
	}
	put(m, group != NULL ? "recipient_participant_id" : "recipient_id",
	    script_get(s->l, "to"));
	if (send != NULL)
		data = g_strconcat(WA_CALLBACK_PREFIX, key, NULL);
	put(m, "biz_opaque_callback_data", data != NULL ? data :
	    script_get(s->l, "mark"));
	if (g_strcmp0(state, "failed") == 0) {
		e = json_object_new_object();
		json_object_object_add(e, "code",
		    json_object_new_int(131049));
		put(e, "title", "Not delivered");
		put_array(m, "errors", e);
	}
	return m;
}

/* An id before and after; only the latter when it did not change. */
static void
put_ids(const struct saying *s, json_object *o, const char *name,
    const char *was, const char *is)
{
	const char *before = script_get(s->l, was);
	const char *after = script_get(s->l, is);
	json_object *ids;

	if (after == NULL)
		return;
	ids = put_object(o, name);
	put(ids, "previous", before != NULL ? before : after);
	put(ids, "current", after);
}

static json_object *
make_user_id_update(const struct saying *s)
{
	json_object *o = json_object_new_object();

	put(o, "wa_id", script_get(s->l, "from"));
	put(o, "detail", script_take_text(s->l));
	put_ids(s, o, "user_id", "was", "user");
	put_ids(s, o, "parent_user_id", "parent-was", "parent");
	put_time(s, o, 0);
	return o;
}

/* What a person wishes of the business: "stop", "resume". */
static json_object *
make_preference(const struct saying *s)
{
	json_object *o = json_object_new_object();

	put(o, "wa_id", script_get(s->l, "from"));
	put(o, "user_id", script_get(s->l, "user"));
	put(o, "detail", script_take_text(s->l));
	put(o, "category", "marketing_messages");
	put(o, "value", script_get(s->l, "value"));
	put_time(s, o, 0);
	return o;
}

static json_object *
make_change(const struct saying *s, const char *field, const char *member,
    json_object *first)
{
	json_object *change = json_object_new_object(), *value;

	put(change, "field", field);
	value = put_object(change, "value");
	put_metadata(s, value);
	if (strcmp(member, "statuses") != 0)
		put_contacts(s, value);
	put_array(value, member, first);
	return change;
}

/* ---- lines ------------------------------------------------------------------------ */

static void
remember(const struct saying *s, const char *id, json_object *change)
{
	g_hash_table_replace(s->w->said, g_strdup(id),
	    g_strdup(json_object_to_json_string(change)));
}

static bool
add_message(struct post *p, struct saying *s)
{
	const char *id = script_get(s->l, "id");
	json_object *change = make_change(s,
	    s->is_echo ? "smb_message_echoes" : "messages",
	    s->is_echo ? "message_echoes" : "messages",
	    make_message(s, id, 0));

	if (id != NULL)
		remember(s, id, change);
	json_object_array_add(p->changes, change);
	return true;
}

static bool
add_status(struct post *p, struct saying *s)
{
	json_object *change = make_change(s, "messages", "statuses",
	    make_status(s));
	g_autofree char *id = g_strdup_printf("status/%s/%s",
	    script_get(s->l, "of"), script_get(s->l, "state"));

	remember(s, id, change);
	json_object_array_add(p->changes, change);
	return true;
}

static bool
add_preference(struct post *p, struct saying *s)
{
	json_object_array_add(p->changes, make_change(s, "user_preferences",
	    "user_preferences", make_preference(s)));
	return true;
}

static bool
add_user_id(struct post *p, struct saying *s)
{
	json_object *change = make_change(s, "user_id_update",
	    "user_id_update", make_user_id_update(s));
	g_autofree char *id = g_strdup_printf("user-id/%s",
	    script_get(s->l, "user"));

	remember(s, id, change);
	json_object_array_add(p->changes, change);
	return true;
}

/*
 * "many 1000 from=… id=M "text"": M1 to M1000 in one change, a second each.
 * Of "many-people" each is from somebody else.
 */
static bool
add_many(struct post *p, struct saying *s)
{
	const char *count = script_take(s->l), *id = script_get(s->l, "id");
	const char *every = script_get(s->l, "every");
	const char *text = script_take_text(s->l);
	int64_t gap = every != NULL ? script_duration(every) : 1000;
	int64_t n = count != NULL ? g_ascii_strtoll(count, NULL, 10) : 0;
	json_object *change = make_change(s, "messages", "messages", NULL);
	bool people = strcmp(s->word, "many-people") == 0;
	json_object *list;

	list = json_object_object_get(json_object_object_get(change, "value"),
	    "messages");
	s->word = "";
	for (int64_t i = 1; i <= n; i++) {
		g_autofree char *one = g_strdup_printf("%s%" G_GINT64_FORMAT,
		    id, i);
		g_autofree char *from = g_strdup_printf("55119%"
		    G_GINT64_FORMAT, 10000000 + i);
		json_object *m;

		s->from = people ? from : NULL;
		m = make_message(s, one, (i - 1) * gap);
		put(m, "type", "text");
		put(put_object(m, "text"), "body", text != NULL ? text : one);
		json_object_array_add(list, m);
	}
	json_object_array_add(p->changes, change);
	return true;
}

static bool
add_again(struct post *p, struct saying *s)
{
	const char *id = script_take(s->l);
	const char *text = id != NULL ? g_hash_table_lookup(s->w->said, id) :
	    NULL;

	if (text == NULL)
		return world_fail(s->w, "nobody has said %s", id);
	json_object_array_add(p->changes, json_tokener_parse(text));
	return true;
}

struct post *
post_new(void)
{
	struct post *p = g_new0(struct post, 1);

	p->changes = json_object_new_array();
	return p;
}

void
post_free(struct post *p)
{
	json_object_put(p->changes);
	g_free(p);
}

bool
post_add(struct post *p, struct world *w, const char *word,
    struct script_line *l, bool *known)
{
	struct saying s = { .w = w, .l = l, .word = word };
	const char *type;

	*known = true;
	if (strcmp(word, "echo") == 0) {
		s.is_echo = true;
		s.word = "text";
		type = script_get(l, "type");
		if (type != NULL)
			s.word = type;
		if (!is_type(s.word))
			return world_fail(w, "no type %s", s.word);
		return add_message(p, &s);
	}
	if (strcmp(word, "status") == 0)
		return add_status(p, &s);
	if (strcmp(word, "user-id") == 0)
		return add_user_id(p, &s);
	if (strcmp(word, "preference") == 0)
		return add_preference(p, &s);
	if (strcmp(word, "many") == 0 || strcmp(word, "many-people") == 0)
		return add_many(p, &s);
	if (strcmp(word, "again") == 0)
		return add_again(p, &s);
	*known = is_type(word);
	return *known && add_message(p, &s);
}

void
post_send(struct post *p, struct world *w)
{
	json_object *body, *entry;
	const char *text;

	if (json_object_array_length(p->changes) == 0)
		return;
	body = json_object_new_object();
	put(body, "object", "whatsapp_business_account");
	entry = json_object_new_object();
	put(entry, "id", ACCOUNT);
	json_object_object_add(entry, "changes", p->changes);
	put_array(body, "entry", entry);
	text = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN |
	    JSON_C_TO_STRING_NOSLASHESCAPE);
	world_post(w, text, strlen(text));
	json_object_put(body);
	p->changes = json_object_new_array();
}
