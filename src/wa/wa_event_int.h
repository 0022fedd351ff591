/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events that are no messages: one parse function per shape, named in the
 * tables of wa_types.c and wa_value.c. To understand another one, write its
 * function and put it into its row.
 */
#pragma once

#include "wa_int.h"

/*
 * Fills an item that already has its word (type_name), time, person, group
 * and problems. False: the word or the shape is not known; it is then a
 * notice, with whatever was filled in. May set note: what a person should do.
 */
typedef bool (*wa_event_fn)(const struct wa_walk *w, struct item *it,
    json_object *o);

struct wa_event {
	enum item_type type;
	enum item_kind kind;	/* when parse succeeds */
	wa_event_fn parse;	/* NULL: always a notice */
	const char *note;	/* of the notice */
};

/* wa_types.c */
struct wa_field {
	const char *name;
	enum item_type type;
	bool full;	/* messages in it are parsed in full */
	bool lists;	/* value holds lists of elements, see wa_value.c */
	/* of a whole value */
	enum item_kind kind;
	wa_event_fn parse;
};
const struct wa_field *wa_field_find(const char *name);

/* wa_notice.c; member is where it was found, and part of the key. */
void wa_event_add(struct wa_walk *w, const char *member, json_object *element,
    const struct wa_event *event);
/* Of the envelope is read who; and that it is WhatsApp says every item. */
#define WA_ENVELOPE_KNOWN { "messaging_product", WA_TEXT }, \
	{ "metadata", WA_OBJECT }, { "contacts", WA_LIST }
/*
 * Members of o that were not read yet as facts; also a timestamp that is no
 * time. known ends with what is read of every event: WA_EVENT_KNOWN of an
 * element, WA_VALUE_KNOWN of a whole value, where errors are no problems.
 */
#define WA_VALUE_KNOWN { "timestamp", WA_TEXT }, { NULL }
#define WA_EVENT_KNOWN { "errors", WA_LIST }, WA_VALUE_KNOWN
void wa_event_rest_add(struct item *it, json_object *o,
    const struct wa_known *known);

/* wa_call.c */
/* Before the person is read: the direction tells the ends apart. */
void wa_call_begin(struct item *it, json_object *call);
bool wa_call_parse(const struct wa_walk *w, struct item *it,
    json_object *call);
/* False, and nothing done, if the word is not known or the call not named. */
bool wa_call_status_read(struct item *it, json_object *status);

/* wa_group.c */
bool wa_group_parse(const struct wa_walk *w, struct item *it,
    json_object *group);

/* wa_system.c */
bool wa_handover_parse(const struct wa_walk *w, struct item *it,
    json_object *value);
bool wa_preference_parse(const struct wa_walk *w, struct item *it,
    json_object *preference);
bool wa_contact_sync_parse(const struct wa_walk *w, struct item *it,
    json_object *sync);
bool wa_user_id_parse(const struct wa_walk *w, struct item *it,
    json_object *update);
bool wa_user_action_parse(const struct wa_walk *w, struct item *it,
    json_object *action);
bool wa_inferred_parse(const struct wa_walk *w, struct item *it,
    json_object *event);
bool wa_username_parse(const struct wa_walk *w, struct item *it,
    json_object *value);
/* Fields of which no description exists: all that is there, as facts. */
bool wa_undescribed_parse(const struct wa_walk *w, struct item *it,
    json_object *value);
/*
 * The summary in a conversation_context, an item of its own, about the person
 * and of the time of the item it came with (NULL if none). NULL adds none.
 */
void wa_summary_add(struct wa_walk *w, json_object *context,
    const struct item *beside);
void wa_handover_summary_add(struct wa_walk *w, json_object *value);

/* wa_account.c */
bool wa_account_update_parse(const struct wa_walk *w, struct item *it,
    json_object *value);
bool wa_alert_parse(const struct wa_walk *w, struct item *it,
    json_object *value);
bool wa_flow_parse(const struct wa_walk *w, struct item *it,
    json_object *value);
bool wa_account_parse(const struct wa_walk *w, struct item *it,
    json_object *value);
bool wa_error_parse(const struct wa_walk *w, struct item *it,
    json_object *error);
bool wa_declined_parse(const struct wa_walk *w, struct item *it,
    json_object *error);
bool wa_content_off_parse(const struct wa_walk *w, struct item *it,
    json_object *entry);

/* wa_template_event.c */
bool wa_template_status_parse(const struct wa_walk *w, struct item *it,
    json_object *value);
bool wa_template_wording_parse(const struct wa_walk *w, struct item *it,
    json_object *value);
