/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WhatsApp: signature, and webhook JSON to items. No I/O, no clock, no state.
 *
 * wa_parse() never loses anything: what it does not know becomes a notice
 * item with its raw JSON, and one bad item does not stop its neighbours.
 *
 * Item keys (whatsapp-webhook facts: Meta redelivers, in other POSTs and out
 * of order), fields joined by '|', made of:
 *   message, edit, revoke, reaction, echo   whatsapp|m|<phone_number_id>|<id>
 *   one without its content   whatsapp|u|<phone_number_id>|<id>
 *   status    whatsapp|s|<phone_number_id>|<id>|<status>|<recipient>|<participant>|<timestamp>
 *   call      whatsapp|c|<phone_number_id>|<id>|<event or status>
 *   its recordings, transcripts      whatsapp|c|<phone_number_id>|<id>|<event>|<media id>
 *   else      whatsapp|f|<account>|<field>|<entry time>|<hash>
 * <hash> is hash_strings() of phone_number_id, member name (of a machine's
 * summary with the key of the item it came with, of a history chunk with its
 * first message and their number, of a line of the history without id with its
 * person) and the item's raw JSON. What has no id of its own gets this form,
 * and so do a placeholder in the history, statuses of payments and of whatever
 * else is no message, and words about calls that are not known. What is
 * without its content (kind GAP: unsupported, or with errors in its place; or
 * of a known type and not understood) and that placeholder have forms of their
 * own because the content may come later under the same id, and is then a new
 * item. An item's refers has the form with m;
 * of a call's later events that of its connect; of a summary the key of what
 * it came with. Of a key nothing but the parts above is made, never what else
 * a status or a message holds. <recipient> and <participant> are the user id
 * if there is one, else the number. Bytes that are not printable ASCII, and
 * '|' and '%', are written %XX; a part of more than 256 bytes is replaced by
 * "sha256:" and its hash.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct err;

#define WA_NETWORK "whatsapp"
#define WA_SIGNATURE_PREFIX "sha256="

struct wa_limits {
	size_t max_bytes;	/* whole body */
	size_t max_string;	/* one JSON string, decoded or not */
	int max_depth;		/* at most WA_DEPTH_MAX counts */
	size_t max_items;	/* of one body; 0 means the default */
};
#define WA_DEPTH_MAX 128
#define WA_ITEMS_DEFAULT 50000	/* Meta sends at most 1,000 updates at once */
#define WA_LIMITS_DEFAULT { .max_bytes = 4 << 20, .max_string = 1 << 20, \
	.max_depth = 32, .max_items = WA_ITEMS_DEFAULT }

/* One secret of the rotation list; name goes into log and store. */
struct wa_secret {
	char *name;
	GBytes *key;
};

/*
 * Checks "sha256=<64 hex>" (X-Hub-Signature-256) over the raw bytes against
 * every secret, in constant time per secret. Returns the one that matched
 * (borrowed), or NULL. secrets is an array of struct wa_secret *.
 * Source: Meta, Webhooks, "Validating payloads".
 */
const struct wa_secret *wa_signature_check(const GPtrArray *secrets,
    const char *header, const void *body, size_t len);

/*
 * The linear check before json-c: strict UTF-8, no raw control characters in
 * strings, only JSON's own tokens outside of them, balanced brackets, depth,
 * string and total size. ERR_PERM "wa.json" with the byte offset.
 * (json-c alone accepts single quotes, NaN, raw controls and overlong UTF-8.)
 */
bool wa_json_check(const void *body, size_t len, const struct wa_limits *lim,
    struct err *err);

/*
 * All items of a POST body in document order (a machine's summary follows what
 * it came with); *items is a list to be freed with g_ptr_array_unref().
 * ERR_PERM "wa.json" when the body is not JSON or beyond the limits: the
 * caller parks the event and journals it raw with wa_raw_item(). A JSON body
 * of any other shape (no entry list, another "object") is not an error: it
 * gives one notice item. Never gives an empty list: a body without items gives
 * a notice that says so.
 */
bool wa_parse(const void *body, size_t len, const struct wa_limits *lim,
    GPtrArray **items, struct err *err);

struct item;
/*
 * The notice item for a body that wa_parse() refused: kind NOTICE, type RAW,
 * key whatsapp|r|<sha256 of the body>, note = reason. raw stays NULL: the
 * bytes are in the event.
 */
struct item *wa_raw_item(const void *body, size_t len, const char *reason);

/* ---- the gateway's side ---------------------------------------------------- */

/*
 * The message of a body to /messages as an item, for judging before it leaves:
 * direction SENT, author UNKNOWN_STAFF (the caller knows better), counterpart
 * from to or recipient (to wins, as with WhatsApp), contents as of a message
 * of that type, raw the request; key, business, time and refers are not set.
 * definition: JSON of its template as of GET …/message_templates (one element
 * of data), or NULL; one of another name or language, or that is no JSON, is
 * as none. False:
 *   ERR_PERM "wa.json"   no JSON object, or beyond the limits; *out untouched
 *   ERR_PERM "wa.send"   not a message: no type that is known, no content, or
 *                        an object names a member twice. *out is given all the
 *                        same, as a notice with its person and its raw JSON:
 *                        nothing leaves unseen. Its text, if any, is not to be
 *                        relied upon.
 */
bool wa_send_parse(const void *body, size_t len, const struct wa_limits *lim,
    const char *definition, struct item **out, struct err *err);

/*
 * Items of a record of the gateway (gateway.h): one, and a notice more if an
 * object in it names a member twice. Keys:
 *   accepted, reported with a wamid   whatsapp|m|<phone_number_id>|<wamid>
 *   else                     whatsapp|g|<send key>|<outcome>
 *   of another form          whatsapp|f|…, as above
 * Accepted and reported ones are messages of the business, what did not leave
 * (also what is reported with an error for an answer) is kind ATTEMPT, of the
 * type that it would have had. Content is that of "sent", else of "request";
 * send.text_before is the request's text if it is another. at is received_ms;
 * of a later record of the same send (was_recorded) it is done_ms, and refers
 * is the key of the first, whose outcome was held if it was reviewed, was
 * rejected or expired, else pending. Calls, groups and other paths are kind
 * CALL, GROUP, ACCOUNT with the request and answer as facts. Facts of the
 * record itself are named gateway.…, of the answer response.…; what the
 * request had that was changed is request.…. field is the path's last word
 * ("messages"). A record of another shape gives one notice; it never fails but
 * for "wa.json", as wa_parse(). It may be a little deeper than lim says: a
 * request of the greatest depth stands in it.
 */
bool wa_record_parse(const void *body, size_t len,
    const struct wa_limits *lim, GPtrArray **items, struct err *err);

/*
 * The wording of a template message is put together from its definition with
 * the parameters of the request; parts (header, body, footer, buttons) stand
 * in item.template and item.text, of the cards of a carousel and of an offer
 * in facts ("card.1.body", "limited_time_offer"). Without: expanded = false,
 * parameters as facts ("body.1", "header.1", "template.components.…").
 * Authentication templates are never expanded: WhatsApp words them.
 */

/*
 * More that the customer reads of an item than stands in its own members: of
 * its facts the words of cards, lists, offers and of templates whose wording
 * is not known; of a notice all that stands in its JSON. A line each, or NULL.
 * What is of the record, the answer, the definition, and what policy took out
 * is not in it, nor are ids. For what judges texts (policy_input.extra_text).
 */
char *wa_more_text(const struct item *it);

/* biz_opaque_callback_data that the gateway sets: "cj:" and the send's key. */
#define WA_CALLBACK_PREFIX "cj:"

/*
 * Of a receipt whose callback data is the gateway's: the item that says that
 * the send left after all (kind SYSTEM, type RESOLVED; target is the wamid,
 * send.key the send's, key whatsapp|g|<send key>|resolved, refers that of
 * outcome unknown). NULL: it is no receipt, or not of a send of ours. Whether
 * the outcome was unknown is for the caller to say.
 */
struct item *wa_resolved_item(const struct item *receipt);

/*
 * Of an item of type TEMPLATE_EVENT: which template of item.account was
 * changed, in wording, state or category. name and language (as the API spells
 * it: "en_US") are owned by the caller; NULL if the event does not say, and
 * then it may be any. False for any other item.
 */
bool wa_template_changed(const struct item *it, char **name, char **language);
