/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls[] and the statuses of calls: who called whom, how it ended, and the
 * recordings and transcripts that come later as media. The description of a
 * session (SDP) holds addresses and fingerprints of people's devices: it stays
 * in the raw JSON and is never a fact. Meta does not say "missed": such a call
 * ends without a start.
 */
#include "wa_content_int.h"
#include "wa_event_int.h"

#include <string.h>

/* Two names of the transcript are in Meta's pages. */
static const struct wa_word events[] = {
	{ "connect", ITEM_TYPE_CALL_CONNECT },
	{ "terminate", ITEM_TYPE_CALL_TERMINATE },
	{ "call_created", ITEM_TYPE_CALL_CREATED },
	{ "call_recording_available", ITEM_TYPE_CALL_RECORDING },
	{ "call_transcription_available", ITEM_TYPE_CALL_TRANSCRIPT },
	{ "call_transcript_available", ITEM_TYPE_CALL_TRANSCRIPT },
	{ NULL }
};

/* Where the media of an event lie. */
static const char *const recording_holders[] = { "call_recording",
	"recording", NULL };
static const char *const transcript_holders[] = { "call_transcript",
	"call_transcription", "transcript", "transcription", NULL };

struct found {
	const char *holder, *member;	/* member NULL: the holder itself */
	json_object *media;		/* NULL if there is none */
};

static bool
is_media(json_object *o)
{
	g_autofree char *id = wa_get_id(o, "id");
	g_autofree char *url = wa_get_id(o, "url");

	return id != NULL || url != NULL;
}

static struct found
look_into(json_object *call, const char *name)
{
	json_object *holder = wa_get(call, name, json_type_object);
	struct found f = { .holder = name };

	if (holder == NULL)
		return f;
	if (is_media(holder)) {
		f.media = holder;
		return f;
	}
	json_object_object_foreach(holder, key, member) {
		if (f.media == NULL && is_media(member)) {
			f.member = key;
			f.media = member;
		}
	}
	return f;
}

static struct found
find_media(const struct item *it, json_object *call)
{
	const char *const *names = it->type == ITEM_TYPE_CALL_RECORDING ?
	    recording_holders : transcript_holders;
	struct found f = { 0 };

	for (; f.media == NULL && *names != NULL; names++)
		f = look_into(call, *names);
	return f;
}

static bool
has_media(const struct item *it)
{
	return it->type == ITEM_TYPE_CALL_RECORDING ||
	    it->type == ITEM_TYPE_CALL_TRANSCRIPT;
}

/*
 * A call can have several recordings: its id and the event are not enough. Of
 * an event that is not known all of its JSON is needed.
 */
static char *
call_key(const struct item *it, json_object *call)
{
	g_autofree char *media = NULL;
	const char *parts[] = { it->business.user_id, it->id, it->type_name,
		NULL };

	if (it->id == NULL || it->type == ITEM_TYPE_UNKNOWN)
		return NULL;
	if (!has_media(it))
		return wa_key("c", parts, 3);
	media = wa_get_id(find_media(it, call).media, "id");
	parts[3] = media;
	return media != NULL ? wa_key("c", parts, 4) : NULL;
}

/* All events of a call hang on the one that opened it. */
static char *
opening_key(const struct item *it)
{
	const char *parts[] = { it->business.user_id, it->id, "connect" };

	if (it->type == ITEM_TYPE_CALL_CONNECT ||
	    it->type == ITEM_TYPE_CALL_CREATED)
		return NULL;
	return wa_key("c", parts, G_N_ELEMENTS(parts));
}

static void
read_direction(struct item *it, const char *direction)
{
	if (direction == NULL)
		return;
	if (g_ascii_strcasecmp(direction, "USER_INITIATED") == 0) {
		it->author = ITEM_CUSTOMER;
	} else if (g_ascii_strcasecmp(direction, "BUSINESS_INITIATED") == 0) {
		it->direction = ITEM_SENT;
		it->author = ITEM_UNKNOWN_STAFF;
	}
}

void
wa_call_begin(struct item *it, json_object *call)
{
	g_autofree char *direction = wa_get_text(call, "direction");

	read_direction(it, direction);
	it->type = wa_word_find(events, it->type_name,
	    ITEM_TYPE_UNKNOWN);
	it->key = call_key(it, call);
}

static int64_t
get_seconds(json_object *o, const char *key)
{
	g_autofree char *text = wa_get_text(o, key);
	size_t n = text != NULL ? strspn(text, "0123456789") : 0;

	if (n == 0 || n > 9 || text[n] != '\0')
		return -1;
	return g_ascii_strtoll(text, NULL, 10);
}

/* What holds it may hold more. */
static bool
read_media(struct item *it, json_object *call, const struct found *f)
{
	const struct wa_known known[] = { { f->member, WA_OBJECT }, { NULL } };
	g_autofree char *path = NULL;

	if (f->media == NULL)
		return false;
	path = g_strjoin(".", f->holder, f->member, NULL);
	it->machine_written = it->type == ITEM_TYPE_CALL_TRANSCRIPT;
	if (f->member != NULL)
		wa_rest_add(it, f->holder, wa_get_any(call, f->holder), known);
	return wa_media_read(it, f->media, path);
}

static void
read_call(struct item *it, json_object *call)
{
	struct item_call *c = g_new0(struct item_call, 1);

	c->event = g_strdup(it->type_name);
	c->status = wa_get_text(call, "status");
	c->direction = wa_get_text(call, "direction");
	c->start_ms = wa_get_time(call, "start_time");
	c->end_ms = wa_get_time(call, "end_time");
	c->duration_s = get_seconds(call, "duration");
	it->call = c;
}

static void
add_rest(struct item *it, json_object *call, const char *holder)
{
	const struct item_call *c = it->call;
	const struct wa_known known[] = { { "id", WA_TEXT },
		{ "event", WA_TEXT }, { "direction", WA_TEXT },
		{ "status", WA_TEXT }, WA_ENDS_KNOWN,
		{ "start_time", wa_shape_if(c->start_ms != 0) },
		{ "end_time", wa_shape_if(c->end_ms != 0) },
		{ "duration", wa_shape_if(c->duration_s >= 0) },
		/* An older form of the session is named connection. */
		{ "session", WA_ANY }, { "connection", WA_ANY },
		{ holder != NULL ? holder : "session", WA_OBJECT },
		WA_EVENT_KNOWN };

	wa_event_rest_add(it, call, known);
}

bool
wa_call_parse(const struct wa_walk *w, struct item *it, json_object *call)
{
	struct found f = { 0 };

	(void)w;
	if (it->type == ITEM_TYPE_UNKNOWN || it->id == NULL)
		return false;
	if (has_media(it)) {
		f = find_media(it, call);
		if (!read_media(it, call, &f))
			return false;
	}
	read_call(it, call);
	it->refers = opening_key(it);
	add_rest(it, call, f.holder);
	return true;
}

/* Only calls of the business have statuses. */
bool
wa_call_status_read(struct item *it, json_object *status)
{
	static const char *const words[] = { "RINGING", "ACCEPTED",
		"REJECTED", NULL };
	static const struct wa_known known[] = { { "id", WA_TEXT },
		{ "type", WA_TEXT }, { "status", WA_TEXT },
		{ "recipient_type", WA_TEXT }, { "recipient_id", WA_TEXT },
		{ "recipient_user_id", WA_TEXT },
		{ "recipient_parent_user_id", WA_TEXT },
		{ "group_id", WA_TEXT }, WA_EVENT_KNOWN };

	if (!wa_is_word(words, it->type_name) || it->target == NULL)
		return false;
	it->kind = ITEM_CALL;
	it->type = ITEM_TYPE_CALL_STATUS;
	it->direction = ITEM_SENT;
	it->author = ITEM_UNKNOWN_STAFF;
	it->id = g_steal_pointer(&it->target);
	it->key = call_key(it, status);
	it->call = g_new0(struct item_call, 1);
	it->call->status = g_strdup(it->type_name);
	it->call->duration_s = -1;
	it->refers = opening_key(it);
	wa_event_rest_add(it, status, known);
	return true;
}
