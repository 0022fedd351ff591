/* SPDX-License-Identifier: Apache-2.0 */
/* The steps every role process goes through, written once. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proc.h"

struct conf;
struct conf_graph;
struct err;
struct graph;
struct store;

/* Logs *err as the reason why the role stops, and gives its exit code. */
int role_fail(enum proc_role role, const struct err *err);

/*
 * After the role has read its secrets and bound its sockets: drops rights,
 * opens the store owning the role's file, confines itself, tells the
 * supervisor. ready may be called later by the role when *defer_ready.
 */
bool role_enter(enum proc_role role, unsigned rights, const struct conf *c,
    struct store **st, struct err *err);

/*
 * Sleeps until a wake-up, a stop signal or the time is over; also returns
 * early for extra_fd (-1: none). Sends a heartbeat first.
 */
void role_wait(enum proc_role role, int extra_fd, int64_t ms);

/*
 * Forgets content that is older than keep_ms by a store_*_purge() verb, a
 * bounded number at a time; logs purge.done or purge.failed. At most every
 * ROLE_PURGE_MS, kept in *next_ms (monotonic), unless there was more to do.
 */
typedef bool role_purge_fn(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err);
void role_purge(struct store *st, role_purge_fn *purge, const char *kind,
    int64_t keep_ms, int64_t *next_ms);

/* Reads the block's secrets, and forgets them. */
bool role_graph_new(const struct conf_graph *cg, struct graph **out,
    struct err *err);

/* Does a rule ask for groups of the staff? */
struct policy_source;
bool role_asks_groups(const struct policy_source *p);

/* A network of aliases, by build: ids of business numbers to accounts. */
#define ROLE_ACCOUNTS "account"
/* The same of groups, to the phone number id of the business number in them. */
#define ROLE_GROUPS "group"

/* Of the staff, owned by the caller; NULL: nobody, or not to be told. */
struct directory_staff;
struct store_answer;
struct directory_staff *role_staff_read(const struct store_answer *a);
/* Several fit: nothing is known, which is not the same as nobody. */
bool role_staff_is_unclear(const struct store_answer *a);

/* No secret of a role is longer. */
#define ROLE_SECRET_MAX 4096
/* Waits before trying again after a store that is full or busy. */
#define ROLE_RETRY_MS 1000
/* The longest sleep: a lost wake-up costs this much latency, no more. */
#define ROLE_POLL_MS 1000
/* How often purging is looked at, and how much at once. */
#define ROLE_PURGE_MS 10000
#define ROLE_PURGE_BATCH 500
