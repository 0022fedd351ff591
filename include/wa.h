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
 * direction SENT, counterpart from to or recipient, contents as of a message of
 * that type; key and business are not set. definition: JSON of its template as
 * of GET …/message_templates (one element of data), or NULL. ERR_PERM
 * "wa.json", "wa.send": not a message (no type that is known and no content
 * member): such an item is given all the same when the body is an object, as a
 * notice with its raw JSON, since nothing leaves unseen.
 */
bool wa_send_parse(const void *body, size_t len, const struct wa_limits *lim,
    const char *definition, struct item **out, struct err *err);

/*
 * Items of a record of the gateway (gateway.h). Keys:
 *   accepted, reported with a wamid   whatsapp|m|<phone_number_id>|<wamid>
 *   else                     whatsapp|g|<send key>|<outcome>
 * Accepted and reported ones are messages of the business, what did not leave
 * is kind ATTEMPT. refers of a later record of the same send is the key of its
 * first. Calls, groups and other paths are kind CALL, GROUP, ACCOUNT with the
 * request and answer as facts. A record of another shape gives one notice; it
 * never fails but for "wa.json", as wa_parse().
 */
bool wa_record_parse(const void *body, size_t len,
    const struct wa_limits *lim, GPtrArray **items, struct err *err);

/*
 * The wording of a template message is put together from its definition with
 * the parameters of the request; parts (header, body, footer, buttons, cards)
 * stand in item.template and item.text. Without: expanded = false, parameters
 * as facts.
 */

/* biz_opaque_callback_data that the gateway sets: "cj:" and the send's key. */
#define WA_CALLBACK_PREFIX "cj:"
