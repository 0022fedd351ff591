/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared inside wa: the walk over a body, its items and people, and the tables
 * of Meta's words. What is read from JSON at all is in wa_json_int.h; contents
 * of messages are in wa_content_int.h, other events in wa_event_int.h.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "item.h"
#include "wa_json_int.h"

/* The walk: what is known at the place where an element is met. */
struct wa_walk {
	GPtrArray *items;
	size_t max_items;
	bool too_many;

	json_object *entry;
	char *account, *entry_time;

	char *field;
	bool full;		/* this field's messages are parsed in full */
	struct item_party business;
	GArray *contacts;	/* struct item_party */
	const struct item_party *thread;	/* of a history thread */
	const struct item *beside;	/* what a summary came with */
};

/* wa_item.c: an item that has what the walk knows, not yet in the list. */
struct item *wa_item_begin(const struct wa_walk *w, json_object *element);
/* Puts it into the list (takes it); without a key it gets one from raw. */
void wa_item_end(struct wa_walk *w, const char *member, struct item *it);
void wa_problem_read(struct item *it, json_object *error);
void wa_problems_read(struct item *it, json_object *element);
char *wa_key(const char *kind, const char *const *parts, size_t count);

/* wa_party.c */
struct wa_party_keys {
	const char *number, *user_id, *parent_user_id, *username;
};
extern const struct wa_party_keys wa_from_keys, wa_to_keys, wa_plain_keys;
extern const struct wa_party_keys wa_send_keys;	/* of a Send API request */
/* The members that the first two name. */
#define WA_ENDS_KNOWN { "from", WA_TEXT }, { "from_user_id", WA_TEXT }, \
	{ "from_parent_user_id", WA_TEXT }, { "to", WA_TEXT }, \
	{ "to_user_id", WA_TEXT }, { "to_parent_user_id", WA_TEXT }
/* Members that are not known yet are filled in. */
void wa_party_read(struct item_party *p, json_object *o,
    const struct wa_party_keys *keys);
/* The same of what was sent: to a group, it names that where the person is. */
void wa_recipient_read(struct item *it, json_object *o,
    const struct wa_party_keys *keys);
void wa_party_merge(struct item_party *p, const struct item_party *from);
void wa_party_match(const struct wa_walk *w, struct item_party *p);
bool wa_party_is_known(const struct item_party *p);
GArray *wa_contacts_read(json_object *value);
char *wa_digits(const char *number);
bool wa_is_business(const struct wa_walk *w, json_object *o, const char *key);
void wa_business_read(struct item_party *p, json_object *value);
/*
 * Numbers, users and groups under these keys (end with NULL) as facts, unless
 * the item names them already, however they are spelt.
 */
void wa_people_add(struct item *it, json_object *o, const char *const *keys);
/* The item names this number, user or group already. */
bool wa_names(const struct item *it, const char *id);
/* recipient_type is a word that the item's group or person says as well. */
bool wa_is_plain_recipient(json_object *o);

/* wa_message.c */
enum wa_side {
	WA_INBOUND,	/* messages[] */
	WA_ECHO,	/* message_echoes[] */
	WA_THREAD,	/* messages[] of a history thread */
};
void wa_message_add(struct wa_walk *w, json_object *message,
    enum wa_side side);

/* wa_status.c */
void wa_status_add(struct wa_walk *w, json_object *status);

/*
 * wa_notice.c: an element that is not parsed further, under whoever it names.
 * member is where it was found and part of the key; note is copied.
 */
void wa_notice_add(struct wa_walk *w, const char *member,
    json_object *element, enum item_type type, const char *note);
/*
 * One notice of the members of o that are in none of known (ends with NULL)
 * and hold something; plain values only if scalars is set.
 */
void wa_leftovers_add(struct wa_walk *w, json_object *o,
    const char *const *known, bool scalars);

/* wa_history.c: the list of chunks. */
void wa_history_add(struct wa_walk *w, json_object *list);

/* wa_value.c: every item of a change; at least one. */
void wa_change_add(struct wa_walk *w, json_object *change);

/* wa_types.c */
struct wa_word {
	const char *name;
	enum item_type type;
};
enum item_type wa_word_find(const struct wa_word *words, const char *name,
    enum item_type otherwise);
