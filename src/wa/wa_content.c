/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contents of messages: one parse function per shape, named in the table of
 * types. Each says false when what makes the message is not there; it then
 * becomes a notice, and whatever was filled in stays.
 */
#include "wa_int.h"

bool
wa_text_parse(struct item *it, json_object *content)
{
	it->text = wa_get_text(content, "body");
	return it->text != NULL;
}

/* The address a voicemail has: a call's id on what looks like an audio. */
static bool
is_voicemail(const struct item *it)
{
	return it->type == ITEM_TYPE_AUDIO && it->id != NULL &&
	    g_str_has_prefix(it->id, "wacid.");
}

bool
wa_media_parse(struct item *it, json_object *content)
{
	struct item_media *m;

	if (!json_object_is_type(content, json_type_object))
		return false;
	m = item_media_add(it);
	m->id = wa_get_id(content, "id");
	m->url = wa_get_id(content, "url");
	m->mime_type = wa_get_text(content, "mime_type");
	m->sha256 = wa_get_text(content, "sha256");
	m->caption = wa_get_text(content, "caption");
	m->filename = wa_get_text(content, "filename");
	m->animated = wa_get_true(content, "animated");
	m->voice = it->type == ITEM_TYPE_VOICE || wa_get_true(content, "voice");
	it->text = g_strdup(m->caption);
	if (is_voicemail(it))
		it->type = ITEM_TYPE_VOICEMAIL;
	else if (it->type == ITEM_TYPE_AUDIO && m->voice)
		it->type = ITEM_TYPE_VOICE;
	return m->id != NULL || m->url != NULL;
}

/* An empty context, which exists, is none. */
void
wa_context_parse(struct item *it, json_object *message)
{
	json_object *o = wa_get(message, "context", json_type_object);
	json_object *product = wa_get(o, "referred_product", json_type_object);
	json_object *referral = wa_get_any(message, "referral");
	struct item_context *c;

	if (wa_is_empty(o) && wa_is_empty(referral))
		return;
	c = g_new0(struct item_context, 1);
	c->id = wa_get_id(o, "id");
	c->from = wa_get_id(o, "from");
	if (c->from == NULL)
		c->from = wa_get_id(o, "from_user_id");
	c->forwarded = wa_get_true(o, "forwarded");
	c->frequently_forwarded = wa_get_true(o, "frequently_forwarded");
	c->catalog_id = wa_get_id(product, "catalog_id");
	c->product_id = wa_get_id(product, "product_retailer_id");
	if (!wa_is_empty(referral))
		c->referral = wa_raw(referral);
	it->context = c;
}
