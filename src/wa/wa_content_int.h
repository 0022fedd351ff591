/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contents of messages: one parse function per shape, named in the table of
 * wa_types.c. To understand another type of message, write its function and
 * give it a row there.
 */
#pragma once

#include "wa_int.h"

/*
 * Fill an item from its content; false if what makes the message is not
 * there. path is that of the content, for what becomes a fact.
 */
typedef bool (*wa_content_fn)(struct item *it, json_object *content,
    const char *path);

/* wa_types.c */
struct wa_type {
	const char *name;
	enum item_type type;
	enum item_kind kind;		/* when parse succeeds */
	wa_content_fn parse;
	const char *target;		/* member with the id it changes */
	const struct wa_word *words;	/* refine type by content.type */
	bool network_only;		/* nobody can send such a one */
};
const struct wa_type *wa_type_find(const char *name);	/* NULL if unknown */
/* For a message without type: by the name of its content member. */
const struct wa_type *wa_type_guess(json_object *message);
/* The row's type, or a closer one by content.type. */
enum item_type wa_type_refine(const struct wa_type *row,
    json_object *content);

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
/* wa_send.c: the request of a send, by the gateway or in a standby echo */
bool wa_request_read(struct item *it, json_object *request,
    json_object *definition);
/* Takes out of it what is never part of a message. */
void wa_definition_trim(json_object *definition);
void wa_request_rest_add(struct item *it, json_object *request,
    const struct wa_type *row);
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
