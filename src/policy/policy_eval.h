/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conditions by what they look at. Each answers for one item; with why
 * it gives its reasons, and then it looks at all of its values.
 */
#pragma once

#include "policy_int.h"

typedef enum policy_truth policy_leaf_fn(const struct policy_case *c,
    const struct policy_node *n, GPtrArray *why);

/* A reason, unless why is NULL or has enough of them. */
void policy_because(GPtrArray *why, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* "policy.conf:12": not where the file is, which mails need not tell. */
const char *policy_place_of(const struct policy_node *n);
/* "desk" */
const char *policy_name_of(const struct policy_node *n);
/* The i-th value as it is written in the policy file. */
const char *policy_value_at(const struct policy_node *n, guint i);

policy_leaf_fn policy_eval_word;
policy_leaf_fn policy_eval_name;
policy_leaf_fn policy_eval_business;
policy_leaf_fn policy_eval_group;
policy_leaf_fn policy_eval_customer;
policy_leaf_fn policy_eval_customer_list;
policy_leaf_fn policy_eval_new;
policy_leaf_fn policy_eval_template;
policy_leaf_fn policy_eval_time;
policy_leaf_fn policy_eval_age;
policy_leaf_fn policy_eval_always;
policy_leaf_fn policy_eval_media_type;
policy_leaf_fn policy_eval_file_size;
policy_leaf_fn policy_eval_file_name;
policy_leaf_fn policy_eval_malware;
policy_leaf_fn policy_eval_script;
policy_leaf_fn policy_eval_text_size;
policy_leaf_fn policy_eval_link_host;
policy_leaf_fn policy_eval_lexicon;
policy_leaf_fn policy_eval_pattern;
policy_leaf_fn policy_eval_text;
policy_leaf_fn policy_eval_detect;
