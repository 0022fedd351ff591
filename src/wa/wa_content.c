/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contents of messages that are one flat object: one parse function per
 * shape, named in the table of types. Each says false when what makes the
 * message is not there; it then becomes a notice or a gap, and whatever was
 * filled in stays.
 */
#include "wa_content_int.h"

bool
wa_text_parse(struct item *it, json_object *content, const char *path)
{
	static const struct wa_known known[] = { { "body", WA_TEXT }, { NULL } };

	it->text = wa_get_text(content, "body");
	if (it->text == NULL)
		return false;
	wa_rest_add(it, path, content, known);
	return true;
}

/* The address a voicemail has: a call's id on what looks like an audio. */
static bool
is_voicemail(const struct item *it)
{
	return it->type == ITEM_TYPE_AUDIO && it->id != NULL &&
	    g_str_has_prefix(it->id, "wacid.");
}

/* What is sent may name a file by the sender's own link in place of an id. */
static struct item_media *
add_media(struct item *it, json_object *content)
{
	g_autofree char *id = wa_get_id(content, "id");
	g_autofree char *url = wa_get_id(content, "url");
	struct item_media *m;

	if (url == NULL)
		url = wa_get_id(content, "link");
	if (id == NULL && url == NULL)
		return NULL;
	m = item_media_add(it);
	m->id = g_steal_pointer(&id);
	m->url = g_steal_pointer(&url);
	return m;
}

bool
wa_media_read(struct item *it, json_object *content, const char *path)
{
	static const struct wa_known known[] = { { "id", WA_TEXT },
		{ "url", WA_TEXT }, { "mime_type", WA_TEXT },
		{ "sha256", WA_TEXT }, { "caption", WA_TEXT },
		{ "filename", WA_TEXT }, { "voice", WA_FLAG },
		{ "animated", WA_FLAG }, { NULL } };
	struct item_media *m = add_media(it, content);

	if (m == NULL)
		return false;
	m->mime_type = wa_get_text(content, "mime_type");
	m->sha256 = wa_get_text(content, "sha256");
	m->caption = wa_get_text(content, "caption");
	m->filename = wa_get_text(content, "filename");
	m->animated = wa_get_true(content, "animated");
	m->voice = it->type == ITEM_TYPE_VOICE || wa_get_true(content, "voice");
	wa_rest_add(it, path, content, known);
	return true;
}

/* Without a file there may still be a caption: of an edit, of what is lost. */
bool
wa_media_parse(struct item *it, json_object *content, const char *path)
{
	static const struct wa_known known[] = { { "caption", WA_TEXT },
		{ NULL } };
	const struct item_media *m;

	it->text = wa_get_text(content, "caption");
	if (!wa_media_read(it, content, path)) {
		wa_rest_add(it, path, content, known);
		return false;
	}
	m = g_ptr_array_index(it->media, it->media->len - 1);
	if (is_voicemail(it))
		it->type = ITEM_TYPE_VOICEMAIL;
	else if (it->type == ITEM_TYPE_AUDIO && m->voice)
		it->type = ITEM_TYPE_VOICE;
	return true;
}

bool
wa_location_parse(struct item *it, json_object *content, const char *path)
{
	static const struct wa_known known[] = { { "latitude", WA_TEXT },
		{ "longitude", WA_TEXT }, { "name", WA_TEXT },
		{ "address", WA_TEXT }, { "url", WA_TEXT }, { NULL } };
	struct item_location *l;

	if (!json_object_is_type(content, json_type_object) ||
	    it->location != NULL)
		return false;
	l = it->location = g_new0(struct item_location, 1);
	l->latitude = wa_get_id(content, "latitude");
	l->longitude = wa_get_id(content, "longitude");
	l->name = wa_get_id(content, "name");
	l->address = wa_get_id(content, "address");
	l->url = wa_get_id(content, "url");
	wa_rest_add(it, path, content, known);
	return (l->latitude != NULL && l->longitude != NULL) ||
	    l->name != NULL || l->address != NULL;
}

/* A tap on a template's quick reply. */
bool
wa_button_parse(struct item *it, json_object *content, const char *path)
{
	static const struct wa_known known[] = { { "payload", WA_TEXT },
		{ "text", WA_TEXT }, { NULL } };
	struct item_reply *r;

	if (!json_object_is_type(content, json_type_object))
		return false;
	r = wa_reply_get(it);
	r->id = wa_get_text(content, "payload");
	r->title = wa_get_text(content, "text");
	it->text = g_strdup(r->title);
	wa_rest_add(it, path, content, known);
	return r->id != NULL || r->title != NULL;
}

/* No emoji, or an empty one: it was taken back. */
bool
wa_reaction_parse(struct item *it, json_object *content, const char *path)
{
	static const struct wa_known known[] = { { "message_id", WA_TEXT },
		{ "emoji", WA_TEXT }, { NULL } };
	json_object *emoji = wa_get_any(content, "emoji");

	it->text = wa_get_id(content, "emoji");
	wa_rest_add(it, path, content, known);
	if (it->target == NULL || (it->text == NULL && !wa_is_empty(emoji)))
		return false;
	it->removed = it->text == NULL;
	return true;
}

bool
wa_revoke_parse(struct item *it, json_object *content, const char *path)
{
	static const struct wa_known known[] = {
		{ "original_message_id", WA_TEXT }, { NULL } };

	wa_rest_add(it, path, content, known);
	return it->target != NULL;
}

bool
wa_pin_parse(struct item *it, json_object *content, const char *path)
{
	static const struct wa_known known[] = { { "message_id", WA_TEXT },
		{ NULL } };

	wa_rest_add(it, path, content, known);
	return it->target != NULL;
}

/* The chat was opened for the first time: there is nothing to say more. */
bool
wa_welcome_parse(struct item *it, json_object *content, const char *path)
{
	wa_rest_add(it, path, content, NULL);
	return true;
}

static void
read_referral(struct item *it, struct item_context *c, json_object *referral)
{
	if (wa_is_empty(referral))
		return;
	c->referral = wa_raw(referral);
	wa_rest_add(it, "referral", referral, NULL);
}

static void
read_context(struct item *it, struct item_context *c, json_object *o,
    const char *path)
{
	static const struct wa_known product_known[] = {
		{ "catalog_id", WA_TEXT }, { "product_retailer_id", WA_TEXT },
		{ NULL } };
	struct wa_known known[] = { { "id", WA_TEXT }, { "from", WA_TEXT },
		{ "forwarded", WA_FLAG }, { "frequently_forwarded", WA_FLAG },
		{ "referred_product", WA_OBJECT }, { NULL }, { NULL },
		{ NULL } };
	json_object *product = wa_get(o, "referred_product", json_type_object);
	g_autofree char *product_path = NULL;
	int n = 5;

	c->id = wa_get_id(o, "id");
	if (c->id == NULL) {	/* its name in what is sent */
		c->id = wa_get_id(o, "message_id");
		known[n++] = (struct wa_known){ "message_id", WA_TEXT };
	}
	c->from = wa_get_id(o, "from");
	if (c->from == NULL) {
		c->from = wa_get_id(o, "from_user_id");
		known[n] = (struct wa_known){ "from_user_id", WA_TEXT };
	}
	c->forwarded = wa_get_true(o, "forwarded");
	c->frequently_forwarded = wa_get_true(o, "frequently_forwarded");
	c->catalog_id = wa_get_id(product, "catalog_id");
	c->product_id = wa_get_id(product, "product_retailer_id");
	wa_rest_add(it, path, o, known);
	if (product == NULL)
		return;
	product_path = g_strconcat(path, ".referred_product", NULL);
	wa_rest_add(it, product_path, product, product_known);
}

/* An empty context, which exists, is none. */
void
wa_context_parse(struct item *it, json_object *message, const char *path)
{
	json_object *o = wa_get(message, "context", json_type_object);
	json_object *referral = wa_get_any(message, "referral");

	if (wa_is_empty(o) && wa_is_empty(referral))
		return;
	it->context = g_new0(struct item_context, 1);
	if (o != NULL)
		read_context(it, it->context, o, path);
	read_referral(it, it->context, referral);
}

struct item_reply *
wa_reply_get(struct item *it)
{
	if (it->reply == NULL)
		it->reply = g_new0(struct item_reply, 1);
	return it->reply;
}
