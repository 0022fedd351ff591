/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is withheld is nowhere. The words of every posted item get a mark of
 * their own; a mark may be in a mail only when an item that has it was shown
 * by its own mail, and is not kept out of that; in alerts and log lines there
 * are none. Of files the same. And each turn is in the journals that its
 * business number and the rules name, and in no others.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct leaks;
struct world;

/* Puts marks into a body; *next is the number of the next one. */
GBytes *leaks_mark(GBytes *body, guint *next);
/* The content of a file that is fetched: the mark of this want. */
char *leaks_file(int64_t want_id);

struct leaks *leaks_new(void);
void leaks_free(struct leaks *l);
/* A body that is posted again and again, marked. */
void leaks_learn(struct leaks *l, GBytes *body, bool is_record);
/* Marks of captured items that a rule can ask for by "text": char *. */
const GPtrArray *leaks_marks(const struct leaks *l);

/* A new world begins; those marks are excluded by a rule; may be NULL. */
void leaks_begin(struct leaks *l, const GPtrArray *excluded);
/* What was mailed since; rules withhold something. */
void leaks_look(struct leaks *l, struct world *w, bool withholds);
/* In the end: marks, files and journals of all there is, and the log. */
void leaks_check(struct leaks *l, struct world *w, int log_fd);
/* Marks that were shown, and items that were withheld, so far. */
unsigned leaks_shown(const struct leaks *l);
unsigned leaks_withheld(const struct leaks *l);
