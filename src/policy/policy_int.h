/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of policy share. */
#pragma once

#include "policy.h"

#include "scan.h"

struct clock_zone;
struct item;

/* ---- compiled --------------------------------------------------------------- */

struct policy_lexicon_ref {
	int id;			/* of struct policy_found */
	const char *category;	/* NULL: any */
};

/* A condition with all names resolved; what is NULL or 0 is not used by it. */
struct policy_node {
	const struct policy_cond *source;
	enum policy_match match;
	int cost;		/* 0: of the input; 1: files; 2: texts */
	uint64_t set;		/* bits of the words of a closed vocabulary */
	GPtrArray *words;	/* char *: the values, made comparable */
	GArray *lexicons;	/* struct policy_lexicon_ref */
	GArray *ids;		/* int: patterns, phrases of "text" */
	GPtrArray *windows;	/* struct policy_hours *, borrowed */
	GPtrArray *nodes;	/* struct policy_node *, the cheap ones first */
};

struct policy_hours {
	const struct policy_window *source;
	const struct clock_zone *zone;	/* NULL: the desk's */
};

struct policy_compiled {
	const struct policy_rule *source;
	struct policy_node *root;	/* "all" of its conditions */
	bool takes_away;	/* counts for nothing while it is unsure */
};

struct policy {
	const struct policy_source *source;
	GPtrArray *rules;	/* struct policy_compiled * */
	GPtrArray *hours;	/* struct policy_hours *, as source->windows */
	struct scan_set *scan;
	bool has_scan;		/* a rule uses a lexicon, pattern or phrase */
	unsigned detectors;	/* bits of all that any rule uses */
	GHashTable *lexicon_ids, *pattern_ids;	/* name -> id + 1 */
	GPtrArray *category_names;	/* char *, for policy_lexicon_ref */
};

/* Complaints of policy_new(), and how many were errors. */
struct policy_issues {
	policy_issue_fn *issue;
	void *arg;
	unsigned errors;
	char *first;		/* "where: text" of the first error */
};
void policy_error(struct policy_issues *to, const char *where,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void policy_warning(struct policy_issues *to, const char *where,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

struct policy_compiler {
	struct policy *policy;
	struct policy_issues *issues;
	GHashTable *used;	/* elements of source that a rule names */
	int phrases;		/* "text" conditions so far */
};
/* Never NULL; what was wrong with it was told. */
struct policy_node *policy_node_new(struct policy_compiler *c,
    const struct policy_cond *source);
/* "all" of the rule's conditions. */
struct policy_node *policy_root_new(struct policy_compiler *c,
    const struct policy_rule *rule);
void policy_node_free(struct policy_node *n);

bool policy_act_takes_away(enum policy_act a);	/* it needs certainty */
void policy_check_action(struct policy_issues *to,
    const struct policy_action *a);

/* Complains of rules that can never fire, and of actions that never can. */
void policy_check_reach(struct policy_issues *to, const struct policy *p);

/* All words of a fixed list, blank between; NULL: any value goes. */
char *policy_words(enum policy_match m);
uint64_t policy_words_all(enum policy_match m);

/* '*' is any run, '?' one character; in time that is linear in both. */
bool policy_glob(const char *pattern, const char *text);
/* Without case and width; owned by the caller. */
char *policy_fold(const char *name);

bool policy_hours_check(struct policy_issues *to,
    const struct policy_window *w);
bool policy_hours_have(const struct policy_hours *h,
    const struct clock_zone *desk, int64_t ms);

/* ---- texts of an item ------------------------------------------------------ */

struct policy_part {
	const char *text;
	const char *name;	/* "caption" …; NULL: the body */
};
struct policy_found {
	enum scan_source source;
	int id;			/* of the lexicon, pattern or detector */
	int weight;
	const char *phrase, *category, *part;
	size_t from, to;
};

struct policy_work {
	struct scan_work *scan;
	struct scan_result result;
	GArray *parts;		/* struct policy_part */
	GPtrArray *owned;	/* char * that parts borrow */
	GArray *found;		/* struct policy_found */
	GArray *unsure;		/* int: patterns that met a limit */
	GPtrArray *hosts;
	GPtrArray *groups;	/* char *: of the employee, folded */
	uint64_t scripts;
	bool has_parts, has_scan, has_detected, has_hosts, has_scripts,
	    has_groups;
};
void policy_work_begin(struct policy_work *w);
/* Each does its work once for an item. */
const GArray *policy_work_parts(struct policy_work *w,
    const struct policy_input *in);
void policy_work_scan(struct policy_work *w, const struct policy *p,
    const struct policy_input *in);
void policy_work_detect(struct policy_work *w, const struct policy *p,
    const struct policy_input *in);
const GPtrArray *policy_work_hosts(struct policy_work *w,
    const struct policy_input *in);
uint64_t policy_work_scripts(struct policy_work *w,
    const struct policy_input *in);

/* ---- judging --------------------------------------------------------------- */

/* In this order: all is the least, any the greatest, not the mirror. */
enum policy_truth { POLICY_NO, POLICY_UNSURE, POLICY_YES };

struct policy_case {
	const struct policy *policy;
	struct policy_work *work;
	const struct policy_input *in;
};
/* why may be NULL; then no more is looked at than it takes. */
enum policy_truth policy_eval(const struct policy_case *c,
    const struct policy_node *n, GPtrArray *why);
const char *policy_employee(const struct policy_input *in);

/* ---- verdicts ---------------------------------------------------------------- */

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
