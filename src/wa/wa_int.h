/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared inside wa: the scan, the typed getters, the walk over a body and
 * the tables of Meta's words. To make a notice into a full item, give its row
 * in wa_types.c a kind and a parse function.
 */
#pragma once

#include <glib.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "item.h"
#include "wa.h"

struct err;

/* wa_check.c: what the pre-scan saw; *facts starts as zeros. */
struct wa_span {
	size_t at, len;
};
struct wa_facts {
	size_t members;		/* of all objects together */
	int depth;		/* of the deepest bracket */
	GArray *long_integers;	/* struct wa_span; NULL if none */
};
bool wa_scan(const void *body, size_t len, const struct wa_limits *lim,
    struct wa_facts *facts, struct err *err);

/*
 * wa_json.c: objects may be NULL or of any type, which reads as "is not
 * there". Results of get_text and raw are owned by the caller.
 */
bool wa_json_load(const void *body, size_t len, const struct wa_facts *facts,
    json_object **root, struct err *err);
bool wa_json_has_repeats(json_object *root, const struct wa_facts *facts);
json_object *wa_get(json_object *o, const char *key, json_type type);
json_object *wa_get_any(json_object *o, const char *key);
size_t wa_length(json_object *list);	/* 0 if it is no list */
char *wa_text(json_object *o);		/* string or number, else NULL */
char *wa_get_text(json_object *o, const char *key);
char *wa_get_id(json_object *o, const char *key);	/* NULL if empty too */
bool wa_get_true(json_object *o, const char *key);
int64_t wa_get_time(json_object *o, const char *key);
bool wa_is_empty(json_object *o);	/* null, "", [] or {} */
bool wa_is_blank(json_object *o);	/* null, [] or {} */
char *wa_scalar(json_object *o);	/* wa_text(), "true" or "false" */
char *wa_raw(json_object *o);

/* wa_flatten.c: in any case of letters; words ends with NULL, NULL is none. */
bool wa_is_word(const char *const *words, const char *word);

/*
 * What was not read as facts, names "path.member.2.member"; path is "" at the
 * top of an element. A member is left out if known (ends with a NULL name; may
 * be NULL) has it in the shape it is of. What is past the bounds is one fact
 * with its JSON. An o that is no object is one fact (or a list's) named path.
 */
enum wa_shape {
	WA_TEXT,	/* string or number */
	WA_FLAG, WA_OBJECT, WA_LIST, WA_ANY, WA_NONE,
};
struct wa_known {
	const char *name;
	enum wa_shape shape;
};
void wa_rest_add(struct item *it, const char *path, json_object *o,
    const struct wa_known *known);
/* All of it, also what is empty; of an o that is no object as "answer". */
void wa_answers_add(struct item *it, json_object *o);
void wa_card_rest_add(struct item_card *card, const char *path,
    json_object *o, const struct wa_known *known);

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
/* Members that are not known yet are filled in. */
void wa_party_read(struct item_party *p, json_object *o,
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

/*
 * Fill an item from its content; false if what makes the message is not
 * there. path is that of the content, for what becomes a fact.
 */
typedef bool (*wa_content_fn)(struct item *it, json_object *content,
    const char *path);
/* wa_content.c */
bool wa_text_parse(struct item *it, json_object *content, const char *path);
bool wa_media_parse(struct item *it, json_object *content, const char *path);
bool wa_media_read(struct item *it, json_object *content, const char *path);
bool wa_location_parse(struct item *it, json_object *content,
    const char *path);
bool wa_button_parse(struct item *it, json_object *content, const char *path);
bool wa_reaction_parse(struct item *it, json_object *content,
    const char *path);
bool wa_revoke_parse(struct item *it, json_object *content, const char *path);
bool wa_pin_parse(struct item *it, json_object *content, const char *path);
bool wa_welcome_parse(struct item *it, json_object *content,
    const char *path);
void wa_context_parse(struct item *it, json_object *message,
    const char *path);
struct item_reply *wa_reply_get(struct item *it);
/* wa_cards.c */
bool wa_cards_parse(struct item *it, json_object *content, const char *path);
bool wa_order_parse(struct item *it, json_object *content, const char *path);
/* wa_interactive.c */
bool wa_interactive_parse(struct item *it, json_object *content,
    const char *path);
/* wa_template.c; the definition may be NULL. */
bool wa_template_parse(struct item *it, json_object *content,
    const char *path);
bool wa_template_read(struct item *it, json_object *content,
    json_object *definition, const char *path);
/* wa_edit.c */
bool wa_edit_parse(struct item *it, json_object *content, const char *path);
bool wa_ephemeral_parse(struct item *it, json_object *content,
    const char *path);
/* wa_identity.c */
void wa_system_person_read(struct item_party *p, json_object *content);
bool wa_system_parse(struct item *it, json_object *content, const char *path);
/* wa_gap.c */
bool wa_unsupported_parse(struct item *it, json_object *content,
    const char *path);
bool wa_placeholder_parse(struct item *it, json_object *content,
    const char *path);
char *wa_gap_note(const struct item *it);

/* wa_types.c */
struct wa_word {
	const char *name;
	enum item_type type;
};
struct wa_type {
	const char *name;
	enum item_type type;
	enum item_kind kind;		/* when parse succeeds */
	wa_content_fn parse;
	const char *target;		/* member with the id it changes */
	const struct wa_word *words;	/* refine type by content.type */
};
struct wa_field {
	const char *name;
	enum item_type type;
	bool full;	/* messages in it are parsed in full */
	bool lists;	/* value holds lists of elements, see wa_value.c */
	/* Of a whole value; see wa_event_int.h */
	enum item_kind kind;
	bool (*parse)(const struct wa_walk *w, struct item *it,
	    json_object *value);
};
const struct wa_type *wa_type_find(const char *name);	/* NULL if unknown */
/* For a message without type: by the name of its content member. */
const struct wa_type *wa_type_guess(json_object *message);
/* The row's type, or a closer one by content.type. */
enum item_type wa_type_refine(const struct wa_type *row,
    json_object *content);
const struct wa_field *wa_field_find(const char *name);
enum item_type wa_word_find(const struct wa_word *words, const char *name,
    enum item_type otherwise);
