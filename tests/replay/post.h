/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a scenario to webhook bodies, in Meta's format. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct script_line;
struct world;

/* A POST under construction: one entry with a change for each line. */
struct post;

struct post *post_new(void);
void post_free(struct post *p);

/*
 * Adds what the line says; word is its first one. False with a complaint
 * when it says no message; *known tells whether word is one of ours at all.
 */
bool post_add(struct post *p, struct world *w, const char *word,
    struct script_line *l, bool *known);
/* Posts it, if anything was added, and begins anew. */
void post_send(struct post *p, struct world *w);
