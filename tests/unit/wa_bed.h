/* SPDX-License-Identifier: Apache-2.0 */
/* Small steps that the tests of wa are written in; a failure fails the test. */
#pragma once

#include <glib.h>
#include <stddef.h>

#include "item.h"
#include "wa.h"

extern const struct wa_limits limits;	/* the default */

GPtrArray *parse_bytes(const char *body, size_t len);
GPtrArray *parse(const char *body);
/*
 * The items of one change; members are of its value, beside the metadata of
 * number 551140000001 with id 700. entry is "" or members of the entry, each
 * with its comma.
 */
GPtrArray *parse_change(const char *entry, const char *field,
    const char *members);
GPtrArray *parse_field(const char *field, const char *members);

const struct item *only_item(const GPtrArray *items);
/* NULL if there is none; facts may be NULL. */
const char *find_fact(const GPtrArray *facts, const char *name);

/* tests/events/FILE */
char *event_path(const char *file);
/* All of tests/events/NAME.json, sorted; NULL if they cannot be listed. */
GPtrArray *list_events(void);
GBytes *load_event(const char *name);
GPtrArray *parse_event(const char *name);

/* The same of the gateway's records, tests/records. */
char *record_path(const char *file);
GPtrArray *list_records(void);
GBytes *load_record(const char *name);
GPtrArray *parse_record_bytes(const char *body, size_t len);
GPtrArray *parse_record(const char *name);
