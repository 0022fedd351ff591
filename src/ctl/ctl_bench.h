/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules tried on one message after the other, as chatjournal policy test and
 * simulate do. What rules remember between messages begins empty here: a count
 * counts what it is shown. Nothing is written.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct err;
struct item;
struct json_object;
struct policy;
struct policy_verdict;
struct policy_work;

#define CTL_BODY_MAX (64 << 20)	/* bytes of what is read to be judged */

struct ctl_bench {
	const struct conf *conf;
	struct policy *policy;
	struct policy_work *work;
	GHashTable *counted;	/* "rule|subject" -> who -> when */
	GHashTable *persons;	/* seen before */
	struct json_object *all;	/* NULL: printed for a person */
};

/* c stays the caller's, and outlives it. Close it also if it failed. */
bool ctl_bench_open(struct ctl_bench *b, const struct conf *c,
    struct err *err);
void ctl_bench_close(struct ctl_bench *b);
/* The verdict is the caller's. Who wrote the item is set where it is known. */
struct policy_verdict *ctl_bench_judge(struct ctl_bench *b, struct item *it,
    bool at_gateway, int64_t now_ms);

/* What staff systems post, the gateway's record of it, or a webhook. */
enum ctl_shape { CTL_WEBHOOK, CTL_RECORD, CTL_SEND };
enum ctl_shape ctl_shape_of(const void *body, size_t len);
/* *items is set also when what is in it is no known message. */
bool ctl_parse(const void *body, size_t len, enum ctl_shape shape,
    GPtrArray **items, struct err *err);
/* A copy of what went another way counts as captured. */
bool ctl_is_reported(const struct item *it);
