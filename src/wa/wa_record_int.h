/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by what reads the gateway's records: the record, what was asked for
 * (wa_record_body.c) and what was answered (wa_record_answer.c).
 */
#pragma once

#include "wa_int.h"

struct wa_outcome {
	const char *name;
	bool leaves;	/* the customer has it */
};

struct wa_record {
	struct item *it;
	json_object *root;
	json_object *request, *sent, *response;	/* objects, else NULL */
	json_object *error;	/* of the response, or NULL */
	const struct wa_outcome *outcome;	/* NULL: not known */
	char *id, *endpoint;	/* of the target; may be NULL */
	bool is_later;		/* an earlier record has this send */
	int64_t received_ms, done_ms;
};

/* wa_record.c */
bool wa_record_is_message(const struct wa_record *r);

/* wa_record_body.c: kind, type, content and person; also the item's id. */
void wa_record_body_read(struct wa_record *r);

/* wa_record_answer.c */
json_object *wa_record_first(json_object *response, const char *list);
/* A message is in the customer's chat, as far as anybody can tell. */
bool wa_record_has_left(const struct wa_record *r);
void wa_record_answer_add(struct wa_record *r);
