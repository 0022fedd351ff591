/* SPDX-License-Identifier: Apache-2.0 */
/* "expect …" lines: what must be true at this moment of a scenario. */
#pragma once

#include <stdint.h>

struct script_line;
struct world;

void expect_line(struct world *w, struct script_line *l);
/* The turn that holds the item; 0: none. */
int64_t expect_turn_of(struct world *w, const char *id);
