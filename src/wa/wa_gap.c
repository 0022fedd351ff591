/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages whose content the network keeps to itself: what it was, as far as
 * it says, and why, in words for a person. A gap is never silent.
 */
#include "wa_content_int.h"

#include <string.h>

struct phrase {
	const char *word, *text;
};

/* Meta's words in unsupported.type; others occur and are shown as they are. */
static const struct phrase missing_words[] = {
	{ "audio", "a sound or voice note" },
	{ "button", "a tap on a button" },
	{ "contacts", "contact cards" },
	{ "document", "a document" },
	{ "edit", "an earlier message was edited; neither its new text nor "
	    "which message it was came with it" },
	{ "gif", "an animated picture" },
	{ "group_invite", "an invitation to a group" },
	{ "hsm", "a template message" },
	{ "image", "a picture" },
	{ "interactive", "a message with buttons or a list" },
	{ "keep_in_chat", "a disappearing message was kept" },
	{ "link_preview", "a link with its preview" },
	{ "list", "a list" },
	{ "location", "a location" },
	{ "media_placeholder", "a file" },
	{ "order", "an order" },
	{ "pin", "a message was pinned or unpinned" },
	{ "poll_creation", "a poll" },
	{ "poll_update", "a vote in a poll" },
	{ "product", "a product of a catalogue" },
	{ "reaction", "a reaction" },
	{ "sticker", "a sticker" },
	{ "text", "a text" },
	{ "video", "a video" },
	{ "voice", "a voice note" },
};

/* Meta: error codes of webhooks. */
static const struct phrase reasons[] = {
	{ "130501", "This type of message is not supported in groups" },
	{ "131051", "This type of message is not passed on; it can be seen "
	    "only in the app of those who have it" },
	{ "131052", "The file could not be fetched, as when it is larger "
	    "than 100 MB" },
	{ "131060", "The message was not available to WhatsApp's API, as "
	    "happens with the first message to a number that is also used "
	    "in the app, and with messages from ads" },
};

static const char *
find_phrase(const struct phrase *rows, size_t count, const char *word)
{
	for (size_t i = 0; word != NULL && i < count; i++) {
		if (strcmp(rows[i].word, word) == 0)
			return rows[i].text;
	}
	return NULL;
}

static const char *
find_reason(const struct item *it)
{
	const char *text = NULL;

	for (guint i = 0; text == NULL && it->problems != NULL &&
	    i < it->problems->len; i++) {
		const struct item_problem *p =
		    g_ptr_array_index(it->problems, i);

		text = find_phrase(reasons, G_N_ELEMENTS(reasons), p->code);
	}
	return text;
}

char *
wa_gap_note(const struct item *it)
{
	const char *what = find_phrase(missing_words,
	    G_N_ELEMENTS(missing_words), it->missing);
	const char *why = find_reason(it);
	GString *note = g_string_new("WhatsApp gave no content: ");

	if (what != NULL)
		g_string_append_printf(note, "%s (%s)", what, it->missing);
	else if (it->missing != NULL)
		g_string_append_printf(note, "a message of type %s",
		    it->missing);
	else
		g_string_append(note, "a message whose type it does not say");
	if (why != NULL)
		g_string_append_printf(note, ". %s.", why);
	return g_string_free(note, FALSE);
}

bool
wa_unsupported_parse(struct item *it, json_object *content, const char *path)
{
	static const struct wa_known known[] = { { "type", WA_TEXT },
		{ NULL } };

	it->missing = wa_get_id(content, "type");
	wa_rest_add(it, path, content, known);
	it->note = wa_gap_note(it);
	return true;
}

bool
wa_placeholder_parse(struct item *it, json_object *content, const char *path)
{
	wa_rest_add(it, path, content, NULL);
	it->missing = g_strdup("media");
	it->note = g_strdup("a file of before the capture began; WhatsApp "
	    "brings it in an event of its own if it is less than 14 days "
	    "old, and never otherwise");
	return true;
}
