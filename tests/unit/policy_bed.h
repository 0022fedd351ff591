/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules and items for the tests of policy. A scene is an item and what is
 * known about it, in one line: "direction=sent; text=Call me; group=Sales";
 * a ^ in a value stands for a semicolon.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "item.h"
#include "policy.h"

struct policy_bed {
	struct policy_source *source;
	struct policy *policy;
	struct policy_work *work;
	GPtrArray *issues;	/* char *: "error p:1: …", "warning p:1: …" */
	/* The world: what was counted and told, in this process. */
	struct policy_world world;
	bool is_deaf;		/* the world does not answer */
	GHashTable *tallies;	/* "rule|subject|who" -> ms, owned */
	GHashTable *told;	/* "rule|talk" -> ms, owned */
	int asked;		/* for a count */
};
void policy_bed_init(struct policy_bed *b);
void policy_bed_clear(struct policy_bed *b);

/* Values are separated by '|'; "" is none. */
struct policy_cond *policy_bed_cond(const char *match, const char *values,
    int64_t number);
/* Of up to three; NULL ends. */
struct policy_cond *policy_bed_group(const char *match,
    struct policy_cond *a, struct policy_cond *b, struct policy_cond *c);
/* Adds a rule; cond may be NULL. */
struct policy_rule *policy_bed_rule(struct policy_bed *b, const char *name,
    struct policy_cond *cond);
/* text may be NULL. */
struct policy_action *policy_bed_act(struct policy_rule *r, const char *act,
    const char *values, const char *text);
void policy_bed_lexicon(struct policy_bed *b, const char *name,
    const char *file, const char *text);
void policy_bed_pattern(struct policy_bed *b, const char *name,
    const char *regex);
void policy_bed_window(struct policy_bed *b, const char *name,
    const char *zone, const struct policy_span *span);

/* Whether it compiles; issues are what it said. */
bool policy_bed_try(struct policy_bed *b);
/* It must, or the test fails. */
void policy_bed_compile(struct policy_bed *b);
/* A complaint that has this in it. */
bool policy_bed_said(const struct policy_bed *b, const char *words);

/* A scene of its own: everything in it is owned by it. */
struct policy_scene;
struct policy_scene *policy_scene_new(const char *line);
void policy_scene_free(struct policy_scene *s);
struct policy_input *policy_scene_input(struct policy_scene *s);

/* Judges; compiles first if nothing did. The verdict is the caller's. */
struct policy_verdict *policy_bed_judge(struct policy_bed *b,
    const char *scene);
/* What a role does afterwards: tallies are kept, once-texts were told. */
void policy_bed_remember(struct policy_bed *b,
    const struct policy_verdict *v, const char *talk, int64_t now_ms);
struct policy_fired *policy_bed_fired(const struct policy_verdict *v,
    const char *rule);
bool policy_bed_has(const GPtrArray *strings, const char *s);
