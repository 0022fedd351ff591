/* SPDX-License-Identifier: Apache-2.0 */
/* What an item of WhatsApp says, for tests: all of it, and whether it is all. */
#pragma once

#include <glib.h>
#include <json-c/json.h>
#include <stddef.h>

#include "item.h"

/* One line with all that is known of the item, but its raw JSON. */
void describe_item(GString *out, const struct item *it);
/*
 * The lines are those of this file; with ACCEPT set it is written anew first.
 */
void assert_written_down(const char *file, const GString *got);
/* Every scalar of o stands somewhere in the item. */
void assert_all_told(const struct item *it, json_object *o);
/*
 * check of root with each member in o, and below, in its turn in the place of
 * a value of another shape. How many there were.
 */
size_t check_mutants(json_object *root, json_object *o,
    void (*check)(json_object *root));
