/* SPDX-License-Identifier: Apache-2.0 */
/* "expect …" lines: what must be true at this moment of a scenario. */
#pragma once

struct script_line;
struct world;

void expect_line(struct world *w, struct script_line *l);
