/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of rules share: conf_policy_rule.c and its two halves. */
#pragma once

#include "conf_int.h"
#include "policy.h"

/* --- conf_policy_rule.c: words of a rule; what is wrong is noted --- */

typedef const char *conf_name_fn(int i);	/* NULL: no more */

/* "unknown WHAT "x"; did you mean …" */
void conf_rule_unknown(struct conf_load *l, const struct conf_word *word,
    const char *what, const struct conf_near *near);
/* The place in the list; -1 if it is not there. */
int conf_rule_choice(struct conf_load *l, const struct conf_word *word,
    const char *what, conf_name_fn *name);
bool conf_rule_number(struct conf_load *l, const struct conf_word *word,
    enum conf_type type, int64_t max, int64_t *out);
void conf_rule_string(struct conf_load *l, const struct conf_word *word,
    enum conf_type type, char **out);
bool conf_rule_is(const struct conf_word *word, const char *s);
/*
 * From word on the words may be values, unless a directive of a rule clearly
 * begins among them: then a ';' was forgotten. True when that is an error. It
 * is only warned of where any word may be a value (are_open), and of "final".
 */
bool conf_rule_runs_on(struct conf_load *l, const struct conf_word *word,
    bool are_open);
bool conf_rule_is_quoted(const struct conf_word *word);
/* "a ';' seems to be missing before …" */
char *conf_rule_hint(const struct conf_word *word);

/* --- conf_policy_match.c, conf_policy_act.c: one line of a rule --- */

void conf_rule_match(struct conf_load *l, const struct conf_node *n,
    struct policy_rule *r);
void conf_rule_action(struct conf_load *l, const struct conf_node *n,
    struct policy_rule *r);

/* --- conf_policy_ref.c: what rules name and the directory may not have --- */

/* A value of a condition of rules; those that the directory lists are kept. */
void conf_ref_add(struct conf_load *l, enum policy_match m, const char *value,
    struct conf_pos pos);
/* The directory has it. */
void conf_ref_name(struct conf_load *l, enum policy_match m,
    const char *name);
void conf_ref_names(struct conf_load *l, enum policy_match m,
    const GPtrArray *names);
/* Warns of what is in none of its entries. */
void conf_ref_check(struct conf_load *l);
void conf_refs_free(struct conf_refs *r);
