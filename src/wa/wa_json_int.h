/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared inside wa: the scan, the typed getters, and what makes facts of JSON
 * that nobody reads otherwise.
 */
#pragma once

#include <glib.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wa.h"

struct err;
struct item;
struct item_card;

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
/*
 * All of it for a body that is one object, or NULL ("wa.json"); *repeats (may
 * be NULL): some object names a member twice, of which one was dropped.
 */
json_object *wa_json_read(const void *body, size_t len,
    const struct wa_limits *lim, bool *repeats, struct err *err);
json_object *wa_get(json_object *o, const char *key, json_type type);
json_object *wa_get_any(json_object *o, const char *key);
size_t wa_length(json_object *list);	/* 0 if it is no list */
char *wa_text(json_object *o);		/* string or number, else NULL */
char *wa_get_text(json_object *o, const char *key);
char *wa_get_id(json_object *o, const char *key);	/* NULL if empty too */
bool wa_get_true(json_object *o, const char *key);
int64_t wa_get_time(json_object *o, const char *key);
int64_t wa_get_time_ms(json_object *o, const char *key);
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
/* What could not be read as what it should be is still to be shown. */
static inline enum wa_shape
wa_shape_if(bool was_read)
{
	return was_read ? WA_TEXT : WA_NONE;
}
void wa_rest_add(struct item *it, const char *path, json_object *o,
    const struct wa_known *known);
/* All of it, also what is empty; of an o that is no object as "answer". */
void wa_answers_add(struct item *it, json_object *o);
void wa_card_rest_add(struct item_card *card, const char *path,
    json_object *o, const struct wa_known *known);
