/* SPDX-License-Identifier: Apache-2.0 */
/* What passed the gateway, as records of its own; and what officers decide. */
#pragma once

struct script_line;
struct world;

/* "record FILE" of tests/records, or "record NAME outcome=… …": see README. */
void record_line(struct world *w, struct script_line *l);
/* "review release|reject A by=WHO [why="…"] [refused]" */
void review_line(struct world *w, struct script_line *l);
/* The key of the send that a scenario calls so: 32 hexadecimal digits. */
char *record_key(const char *name);
