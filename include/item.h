/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network-neutral vocabulary: what happened in a conversation.
 *
 * A network module (wa today) turns its own bytes into items; nothing after
 * it knows which network they came from. All strings are owned by the item,
 * as received (valid UTF-8, but otherwise untrusted: clean before showing),
 * and NULL when the event did not have them: missing is not empty.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What the item is to a records officer; X-ChatJournal-Event. */
enum item_kind {
	ITEM_MESSAGE,
	ITEM_EDIT,	/* a new version of an earlier message (target) */
	ITEM_REVOKE,	/* deleted for everyone (target) */
	ITEM_REACTION,	/* emoji set or removed on a message (target) */
	ITEM_RECEIPT,	/* sent, delivered, read, played, failed (target) */
	ITEM_SYSTEM,	/* number or id changed, handover, preferences */
	ITEM_CALL,
	ITEM_GROUP,	/* created, members, settings, suspended */
	ITEM_HISTORY,	/* a message of before the capture began */
	ITEM_GAP,	/* something happened whose content was withheld */
	ITEM_NOTICE,	/* kept and shown raw: not understood (yet) */
	ITEM_ACCOUNT,	/* administration of the account, number, templates */
	ITEM_ATTEMPT,	/* staff wanted to send it through the gateway: it did
			   not leave, not yet, or nobody knows (send.outcome) */
	ITEM_KINDS
};

/* What the content is; decides which of the pointers below may be set. */
enum item_type {
	ITEM_TYPE_UNKNOWN,	/* see type_name */
	/* messages */
	ITEM_TYPE_TEXT, ITEM_TYPE_IMAGE, ITEM_TYPE_VIDEO, ITEM_TYPE_AUDIO,
	ITEM_TYPE_VOICE, ITEM_TYPE_VOICEMAIL, ITEM_TYPE_DOCUMENT,
	ITEM_TYPE_STICKER, ITEM_TYPE_LOCATION, ITEM_TYPE_CONTACTS,
	ITEM_TYPE_BUTTON_REPLY, ITEM_TYPE_LIST_REPLY, ITEM_TYPE_FLOW_REPLY,
	ITEM_TYPE_CALL_PERMISSION_REPLY, ITEM_TYPE_PAYMENT,
	ITEM_TYPE_INTERACTIVE, ITEM_TYPE_TEMPLATE, ITEM_TYPE_ORDER,
	ITEM_TYPE_WELCOME_REQUEST, ITEM_TYPE_MEDIA_PLACEHOLDER,
	ITEM_TYPE_UNSUPPORTED,
	/* changes */
	ITEM_TYPE_EDIT, ITEM_TYPE_REVOKE, ITEM_TYPE_REACTION,
	ITEM_TYPE_STATUS, ITEM_TYPE_PIN,
	/* system */
	ITEM_TYPE_NUMBER_CHANGED, ITEM_TYPE_USER_ID_CHANGED,
	ITEM_TYPE_IDENTITY_CHANGED, ITEM_TYPE_HANDOVER, ITEM_TYPE_PREFERENCE,
	ITEM_TYPE_CONTACT_SYNC, ITEM_TYPE_CONTEXT_SUMMARY,
	ITEM_TYPE_USER_ACTION, ITEM_TYPE_USERNAME, ITEM_TYPE_INFERRED_EVENT,
	ITEM_TYPE_IDENTITY,	/* learned by chatjournal itself: who has which ids */
	ITEM_TYPE_RESOLVED,	/* a send whose outcome was unknown did leave */
	/* calls */
	ITEM_TYPE_CALL_CONNECT, ITEM_TYPE_CALL_TERMINATE,
	ITEM_TYPE_CALL_CREATED, ITEM_TYPE_CALL_STATUS,
	ITEM_TYPE_CALL_RECORDING, ITEM_TYPE_CALL_TRANSCRIPT,
	/* groups */
	ITEM_TYPE_GROUP_LIFECYCLE, ITEM_TYPE_GROUP_PARTICIPANTS,
	ITEM_TYPE_GROUP_SETTINGS, ITEM_TYPE_GROUP_STATUS,
	/* account */
	ITEM_TYPE_HISTORY_CHUNK, ITEM_TYPE_HISTORY_DECLINED,
	ITEM_TYPE_TEMPLATE_EVENT, ITEM_TYPE_ACCOUNT_EVENT,
	ITEM_TYPE_NUMBER_EVENT, ITEM_TYPE_ERROR, ITEM_TYPE_CONTENT_OFF,
	ITEM_TYPE_RAW,		/* a body that is not the network's format */
	ITEM_TYPES
};

enum item_direction { ITEM_RECEIVED, ITEM_SENT };

/* X-ChatJournal-Author. */
enum item_author {
	ITEM_CUSTOMER, ITEM_STAFF, ITEM_BOT, ITEM_OTHER_APP,
	ITEM_UNKNOWN_STAFF,	/* the business, but not known which person */
	ITEM_NETWORK,		/* the network itself: system, account, receipts */
	ITEM_AUTHORS
};

/* A person or number outside or inside; any subset may be known. */
struct item_party {
	char *number;		/* digits, no '+' */
	char *user_id;		/* business-scoped user id (BSUID) */
	char *parent_user_id;
	char *username;
	char *name;		/* what the person calls themself: unverified */
};

struct item_media {
	char *id;		/* fetchable for 7 days */
	char *url;		/* fetchable for 5 minutes */
	char *mime_type;	/* as declared */
	char *sha256;		/* as declared: base64 or hex */
	char *caption;
	char *filename;
	bool voice, animated;
};

/* What a message answers or where it came from. */
struct item_context {
	char *id;		/* the quoted message */
	char *from;		/* its author, number or user id */
	bool forwarded, frequently_forwarded;
	char *catalog_id, *product_id;
	char *referral;		/* JSON of the ad or post that led here */
};

struct item_location {
	char *latitude, *longitude;	/* as received, never through a double */
	char *name, *address, *url;
};

/* An ordered name/value line; nested lists are flattened with dotted names. */
struct item_fact {
	char *name;
	char *value;
};

struct item_reply {		/* taps, list choices, Flow answers */
	char *id, *title, *description;
	char *name, *body, *json;
};

struct item_order_line {
	char *product_id, *quantity, *price, *currency;
};

struct item_receipt {
	char *status;		/* verbatim: sent delivered read played failed … */
	char *recipient, *recipient_user_id;
	char *callback_data;	/* our own string, returned */
};

struct item_call {
	char *event, *status, *direction;
	int64_t start_ms, end_ms;	/* 0 when unknown */
	int64_t duration_s;		/* -1 when unknown */
};

/* A contact card: a name, and its other lines as facts ("mobile", "org" …). */
struct item_card {
	char *name;
	GPtrArray *facts;	/* struct item_fact */
};

/*
 * What surrounds the body (item.text) of a template or interactive message:
 * what the customer saw. expanded: the body is the wording itself; else only
 * name and parameters are known.
 */
struct item_template {
	char *name, *language, *category;
	char *header, *footer;
	GPtrArray *buttons;	/* char *, titles in order */
	bool expanded;
};

/* Ids of one person before and after a change; what is unknown is NULL. */
struct item_identity {
	struct item_party before, after;
};

/* A message that came through the gateway, or was reported to it. */
struct item_send {
	char *key;		/* the gateway's own, for ever */
	char *outcome;		/* gateway_outcome_name() */
	char *application, *employee;
	char *status;		/* HTTP status of the network's answer, or NULL */
	char *reason;		/* why it did not leave; for a person */
	char *verdict;		/* JSON: policy_verdict_parse(); or NULL */
	char *text_before;	/* the text as staff gave it, if policy changed
				   it; NULL: it was not changed */
	GPtrArray *reviews;	/* struct item_fact: "released", "ana, 2026-…" */
};

struct item_problem {		/* Meta's error objects, three levels alike */
	char *code, *title, *message, *details;
};

struct item {
	enum item_kind kind;
	enum item_type type;
	enum item_direction direction;
	enum item_author author;

	char *network;		/* "whatsapp" */
	char *field;		/* webhook field it came in, verbatim */
	char *type_name;	/* the network's own word, verbatim */
	/*
	 * What makes it the same item when it is delivered again, in whichever
	 * POST: printable, without time of arrival. See wa.h for how it is made.
	 */
	char *key;
	char *id;		/* wamid/wacid; NULL when it has none */
	char *target;		/* id of the message this changes or reports on */
	char *refers;		/* key of the message it changes or answers; or NULL */
	char *variant_of;	/* key of the item that was received first, of
				   which these are other bytes; or NULL */
	int64_t at_ms;		/* event time; 0 when the event has none */

	char *account;		/* WABA id */
	struct item_party business;	/* number and, in user_id, phone_number_id */
	struct item_party counterpart;	/* the other side (in a group: its author) */
	char *group_id;

	char *text;		/* body, caption (also in media), emoji of a
				   reaction, new text of an edit, other words */
	char *note;		/* why it is a notice or a gap; for a person */
	char *missing;		/* of a gap: what the network says it was
				   ("poll_creation"); NULL: it does not say */
	bool removed;		/* a reaction that was taken back */
	bool machine_written;	/* summaries, transcripts: no person wrote it */
	bool alarm;		/* capture stops or may stop: tell a person */
	struct item_context *context;
	struct item_location *location;
	struct item_reply *reply;
	struct item_receipt *receipt;
	struct item_call *call;
	struct item_template *template;
	struct item_identity *identity;
	struct item_send *send;
	GPtrArray *media;	/* struct item_media; NULL if none */
	GPtrArray *order;	/* struct item_order_line; NULL if none */
	GPtrArray *cards;	/* struct item_card; NULL if none */
	GPtrArray *answers;	/* struct item_fact: a form's questions and
				   answers, in order; NULL if none */
	GPtrArray *facts;	/* struct item_fact; NULL if none */
	GPtrArray *problems;	/* struct item_problem; NULL if none */

	char *raw;		/* the item's own JSON, compact; NULL for RAW */
};

struct item *item_new(enum item_kind kind, enum item_type type);
void item_free(struct item *it);	/* NULL is fine */
#define auto_item __attribute__((cleanup(item_auto_free))) struct item
static inline void
item_auto_free(struct item **it)
{
	item_free(*it);
}

/* Frees the strings and sets them to NULL; the struct stays its owner's. */
void item_party_clear(struct item_party *p);
/* to is empty. */
void item_party_copy(struct item_party *to, const struct item_party *from);

/* An array that frees its items. */
GPtrArray *item_list_new(void);

/* Each adds an empty element owned by the item and returns it to be filled. */
struct item_media *item_media_add(struct item *it);
struct item_problem *item_problem_add(struct item *it);
struct item_order_line *item_order_add(struct item *it);
struct item_card *item_card_add(struct item *it);
/* Copies both; a NULL value adds nothing. */
void item_fact_add(struct item *it, const char *name, const char *value);
/* The first value of this name, borrowed; NULL: none. */
const char *item_fact_get(const struct item *it, const char *name);
void item_answer_add(struct item *it, const char *name, const char *value);
void item_card_fact_add(struct item_card *card, const char *name,
    const char *value);
void item_review_add(struct item *it, const char *verb, const char *value);
/* The same for a list of no item; *list is made on first use. */
void item_fact_list_add(GPtrArray **list, const char *name,
    const char *value);
/* The item's, made on first use. */
struct item_template *item_template_get(struct item *it);
struct item_identity *item_identity_get(struct item *it);
struct item_send *item_send_get(struct item *it);
/* Copies the title of a button that was offered. */
void item_button_add(struct item *it, const char *title);

/* Header spellings: "message", "text", "received", "customer" … */
const char *item_kind_name(enum item_kind kind);
const char *item_type_name(enum item_type type);
const char *item_direction_name(enum item_direction direction);
const char *item_author_name(enum item_author author);

/*
 * True for what opens or joins a turn together with its neighbours (plain
 * messages); false for what is always a turn of its own.
 */
bool item_is_groupable(const struct item *it);
