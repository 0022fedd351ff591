/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of policy share. */
#pragma once

#include "policy.h"

/* Adds a copy unless it is there already. */
void policy_strings_add(GPtrArray *strings, const char *s);
void policy_strings_add_all(GPtrArray *strings, const GPtrArray *others);

/* Each is appended as an empty one, owned by the verdict. */
struct policy_fired *policy_fired_add(struct policy_verdict *v,
    const char *rule);
struct policy_addition *policy_addition_add(struct policy_verdict *v,
    const char *rule, const char *text);
/* Unless it is there already. */
void policy_tally_add(struct policy_verdict *v,
    const struct policy_tally *tally);
/* Care adds up: the longer time, more persons, the first rule's name. */
void policy_hold_add(struct policy_verdict *v, const char *rule, int64_t ms,
    int64_t persons);
void policy_block_add(struct policy_verdict *v, const char *rule,
    const char *reason);
void policy_exclude_add(struct policy_verdict *v, const char *rule);
/* A withdrawal beats what was given. */
void policy_consent_add(struct policy_verdict *v, enum policy_consent c);
