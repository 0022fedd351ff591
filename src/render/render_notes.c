/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The notes of items in the language of a mail.
 *
 * A note is an English sentence that a network module made, often around a
 * word of the network's. The patterns here are those sentences; %s stands for
 * what is put in, which is looked up in its turn. A note that fits none stays
 * English: better than none. Only mails in another language come here.
 */
#include "render_words.h"

#include <string.h>

#include "render_int.h"

#define HOLES 4

/* The first that fits is taken: the closer ones stand first. */
static const char *const patterns[] = {
	WORD("WhatsApp gave no content: %s (%s). %s."),
	WORD("WhatsApp gave no content: a message of type %s. %s."),
	WORD("WhatsApp gave no content: a message whose type it does not say. "
	    "%s."),
	WORD("WhatsApp gave no content: %s (%s)"),
	WORD("WhatsApp gave no content: a message of type %s"),
	WORD("%s of a form that is not known: shown raw"),
	WORD("%s without its content: shown raw"),
	WORD("%s without anything known in it: shown raw"),
	WORD("unknown message type %s: shown raw"),
	WORD("unknown field %s: shown raw"),
	WORD("excluded by rule %s"),
	WORD("%s in %s, not known or not complete: shown raw"),
	WORD("%s in %s: shown raw"),
	WORD("not understood, shown raw: %s"),
	WORD("%s: shown raw"),
};

/*
 * Sentences without a hole, and what is put into the others. Nothing uses
 * this list but the test that compares it with the catalogs.
 */
__attribute__((unused)) static const char *const sentences[] = {
	WORD("WhatsApp gave no content: a message whose type it does not say"),
	WORD("a file of before the capture began; WhatsApp brings it in an "
	    "event of its own if it is less than 14 days old, and never "
	    "otherwise"),

	/* what is withheld */
	WORD("a sound or voice note"), WORD("a tap on a button"),
	WORD("contact cards"), WORD("a document"),
	WORD("an earlier message was edited; neither its new text nor which "
	    "message it was came with it"),
	WORD("an animated picture"), WORD("an invitation to a group"),
	WORD("a template message"), WORD("a picture"),
	WORD("a message with buttons or a list"),
	WORD("a disappearing message was kept"),
	WORD("a link with its preview"), WORD("a list"), WORD("a location"),
	WORD("a file"), WORD("an order"),
	WORD("a message was pinned or unpinned"), WORD("a poll"),
	WORD("a vote in a poll"), WORD("a product of a catalogue"),
	WORD("a reaction"), WORD("a sticker"), WORD("a text"), WORD("a video"),
	WORD("a voice note"),

	/* and why */
	WORD("This type of message is not supported in groups"),
	WORD("This type of message is not passed on; it can be seen only in "
	    "the app of those who have it"),
	WORD("The file could not be fetched, as when it is larger than "
	    "100 MB"),
	WORD("The message was not available to WhatsApp's API, as happens "
	    "with the first message to a number that is also used in the "
	    "app, and with messages from ads"),

	/* alarms, and what to do */
	WORD("the WhatsApp Business account was deleted: nothing more is "
	    "captured from its numbers; find out who deleted it, and take "
	    "its numbers out of use or set them up again"),
	WORD("the number was disconnected from the API: what is written on "
	    "it from now on is not captured; stop its use until it is "
	    "connected again, and record the gap"),
	WORD("the account is disabled, will be, or is enabled again: read "
	    "the state; while it is disabled no message goes or comes, so "
	    "find out where conversations go meanwhile"),
	WORD("the app that captures messages may have been removed from the "
	    "account: check in WhatsApp Manager that it is still "
	    "subscribed, and stop the use of the numbers until it is"),
	WORD("the account was taken from the partner: its messages may not "
	    "be captured any more; check the subscription, and stop the use "
	    "of the numbers until it is restored"),
	WORD("the account is restricted in sending or receiving messages: "
	    "read the restriction, clear its cause in WhatsApp Manager, and "
	    "check which conversations it interrupts"),
	WORD("WhatsApp calls this critical: read the alert, and look into "
	    "WhatsApp Manager whether messages are affected"),
	WORD("the chats of before the number was connected are not shared "
	    "and are in no journal: keep them from the phone in another "
	    "way, or connect the number anew and let its user agree"),
	WORD("the webhook came without its content, which is lost: switch on "
	    "\"Include values\" for this app in its webhook settings at "
	    "once, and record the gap"),

	/* what is shown raw */
	WORD("a change without field"), WORD("a change without a field"),
	WORD("a change without a value"),
	WORD("a history chunk without messages"),
	WORD("a history thread without messages"),
	WORD("a message without a type"),
	WORD("a status without its name or message"),
	WORD("a webhook that is not a JSON object"),
	WORD("a webhook without entries"), WORD("an entry without changes"),
	WORD("an event of another product than WhatsApp"),
	WORD("a JSON object names a member twice; the other items show only "
	    "one of them"),
	WORD("an element among the messages that is not an object"),
	WORD("an element among the statuses that is not an object"),
	WORD("call event"), WORD("group event"), WORD("inferred event"),
	WORD("user action"), WORD("user id changed"),
	WORD("customer's preference"),
	WORD("entry of the business's phone book"),
	WORD("error without a message"), WORD("the history is not shared"),
	WORD("what a machine wrote about the conversation"),

	/* of build */
	WORD("received again with other content; what came first is in a "
	    "mail of its own"),

	/* names of lines that other modules add */
	WORD("learned from"),
};

struct hole {
	const char *at;
	size_t len;
};

static const char *
find_last(const char *text, const char *piece)
{
	size_t len = strlen(text), want = strlen(piece);

	if (want > len || strcmp(text + len - want, piece) != 0)
		return NULL;
	return text + len - want;
}

/* What stands in text for each %s of pattern; false if it does not fit. */
static bool
fits(const char *pattern, const char *text, struct hole holes[HOLES])
{
	g_auto(GStrv) pieces = g_strsplit(pattern, "%s", -1);
	guint n = g_strv_length(pieces);

	if (!g_str_has_prefix(text, pieces[0]))
		return false;
	text += strlen(pieces[0]);
	for (guint i = 1; i < n && i <= HOLES; i++) {
		const char *end = i + 1 == n ? find_last(text, pieces[i]) :
		    strstr(text, pieces[i]);

		if (end == NULL || end == text)
			return false;
		holes[i - 1] = (struct hole){ text, (size_t)(end - text) };
		text = end + strlen(pieces[i]);
	}
	return true;
}

static const char *
fill(const struct render_words *w, struct render_scratch *s,
    const char *pattern, const struct hole holes[HOLES])
{
	g_auto(GStrv) pieces = g_strsplit(render_word(w, pattern), "%s", -1);
	GString *out = g_string_new(pieces[0]);

	for (guint i = 1; pieces[i] != NULL; i++) {
		g_autofree char *word = g_strndup(holes[i - 1].at,
		    holes[i - 1].len);

		g_string_append(out, render_word(w, word));
		g_string_append(out, pieces[i]);
	}
	return render_keep(s, g_string_free(out, FALSE));
}

const char *
render_note(const struct render_words *w, struct render_scratch *s,
    const char *note)
{
	if (w == NULL || note == NULL || g_hash_table_contains(w->table, note))
		return render_word(w, note);
	for (size_t i = 0; i < G_N_ELEMENTS(patterns); i++) {
		struct hole holes[HOLES];

		if (fits(patterns[i], note, holes))
			return fill(w, s, patterns[i], holes);
	}
	return note;
}
