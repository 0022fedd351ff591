/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bank's rules: what they match and what they demand. A verdict from its
 * arguments; no I/O, no clock, no store. What must be remembered between
 * items (counts, texts given) is asked through struct policy_world and told
 * in the verdict; the role keeps it.
 *
 * The conf module reads the policy file into struct policy_source; policy_new()
 * compiles it. chatjournal-policy(5) is the manual of the language.
 *
 * What cannot be evaluated (a pattern that met its limit, groups of a person
 * while the directory is down, a file not scanned) is neither true nor false:
 * it is unsure, and so is what depends on it (not unsure is unsure; any with a
 * true part is true, all with a false part is false). A rule whose conditions
 * are unsure counts as fired for what adds care (tag, flag, alert, copy,
 * journal, hold, block, approve, require, retain) and not for what takes
 * something away or lets something pass (only-journal, quarantine, exclude,
 * consent, and `final`); the verdict names it in `unsure`. A rule that is
 * `sure` does not fire then.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hash.h"

struct directory_business;
struct directory_customer;
struct directory_staff;
struct err;
struct item;
struct policy;

/* ---- the source: filled by conf ------------------------------------------- */

enum policy_match {
	/* of the values any one must fit; patterns with * and ? where noted */
	POLICY_DIRECTION,	/* received sent */
	POLICY_AT,		/* gateway capture */
	POLICY_NETWORK,
	POLICY_BUSINESS,	/* phone_number_id or number */
	POLICY_DESK,
	POLICY_AUTHOR,		/* item_author_name() */
	POLICY_APPLICATION,	/* that sent it through the gateway */
	POLICY_EMPLOYEE,	/* employee id */
	POLICY_GROUP,		/* of the employee: directory file or LDAP */
	POLICY_CUSTOMER,	/* known, unknown, or a customer's id */
	POLICY_CUSTOMER_LIST,	/* `list` of the customer in the directory */
	POLICY_NEW_COUNTERPART,	/* no values: never seen before this item */
	POLICY_SCRIPT,		/* a letter of this script is in the text */
	POLICY_KIND,		/* item_kind_name() */
	POLICY_TYPE,		/* item_type_name() */
	POLICY_TEMPLATE,	/* name of the template sent; glob */
	POLICY_MEDIA_TYPE,	/* of any file; glob: image/ * */
	POLICY_FILE_SIZE,	/* any file larger than `number` bytes */
	POLICY_FILE_NAME,	/* of any file; glob, without case */
	POLICY_TEXT_SIZE,	/* more than `number` characters */
	POLICY_LINK_HOST,	/* host or below; "*": any link at all */
	POLICY_TIME,		/* the event's time is within a window */
	POLICY_AGE,		/* older than `number` ms when judged */
	POLICY_LEXICON,		/* NAME or NAME/CATEGORY; with `number` > 0
				   the weights of all hits in them sum up to it */
	POLICY_PATTERN,
	POLICY_TEXT,		/* these very phrases */
	POLICY_DETECT,		/* scan_detector_name() */
	POLICY_MALWARE,		/* infected unscanned clean, of any file;
				   unsure: infected, clean of one unscanned */
	POLICY_CONSENT,		/* given withdrawn unknown */
	POLICY_ALWAYS,
	/* of conds */
	POLICY_ALL, POLICY_ANY, POLICY_NOT,
	POLICY_MATCHES
};
const char *policy_match_name(enum policy_match m);	/* "link-host" … */
bool policy_match_parse(const char *name, enum policy_match *out);
/*
 * Of matches with a fixed list of words: the place of one in it, -1 if it is
 * not there; and the word at a place, NULL beyond the last, "" for one that
 * rules cannot name. Other matches have none.
 */
int policy_word_bit(enum policy_match m, const char *value);
const char *policy_word_at(enum policy_match m, int bit);

struct policy_cond {
	enum policy_match match;
	GPtrArray *values;	/* char *; empty where it takes none */
	int64_t number;
	GPtrArray *conds;	/* struct policy_cond * */
	char *where;		/* "policy.conf:12" */
};

enum policy_act {
	POLICY_TAG,		/* values: tags */
	POLICY_FLAG,		/* for review */
	POLICY_RETAIN,		/* text: retention class; the first rule wins */
	POLICY_JOURNAL,		/* values: journals, besides those it has */
	POLICY_ONLY_JOURNAL,	/* values: instead of those it has */
	POLICY_COPY,		/* values: journals of supervisors */
	POLICY_ALERT,		/* syslog; values: journals that get a mail */
	POLICY_HOLD,		/* until persons release it, at most ms */
	POLICY_QUARANTINE,	/* its files are kept, not attached */
	POLICY_EXCLUDE,		/* only a record of it is journaled */
	POLICY_CONSENT_SET,	/* text: given, withdrawn */
	/* at the gateway only */
	POLICY_BLOCK,		/* text: public reason */
	POLICY_APPEND, POLICY_PREPEND,	/* text; once; ms: 0 per conversation */
	POLICY_REQUIRE_CONSENT,	/* text: public reason if it is not given */
	POLICY_REQUIRE_NOTICE,	/* text: goes before the first message */
	POLICY_APPROVE,		/* as hold: by persons other than the author */
	POLICY_ACTS
};
const char *policy_act_name(enum policy_act a);		/* "only-journal" … */
bool policy_act_parse(const char *name, enum policy_act *out);
bool policy_act_is_of_gateway(enum policy_act a);	/* only it can do that */

struct policy_action {
	enum policy_act act;
	GPtrArray *values;	/* char *; empty where it takes none */
	char *text;
	bool once;		/* append, prepend: once per … */
	int64_t ms;		/* … period, 0: conversation; of hold and
				   approve: the longest, 0: source's */
	int64_t persons;	/* of hold and approve; 0: source's */
	char *where;
};

enum policy_per { POLICY_PER_RULE, POLICY_PER_BUSINESS, POLICY_PER_DESK,
	POLICY_PER_EMPLOYEE, POLICY_PER_APPLICATION, POLICY_PER_TEMPLATE };
const char *policy_per_name(enum policy_per per);
bool policy_per_parse(const char *name, enum policy_per *out);

struct policy_rule {
	char *name;
	GPtrArray *conds;	/* struct policy_cond *: all must hold */
	/*
	 * count: fires only from the count_over + 1st different counterpart on
	 * for whom the conditions held within count_ms. 0 ms: no count. Of
	 * whom they are unsure counts, too, unless the rule is final, sure or takes
	 * something away: a sum is as sure as its parts.
	 */
	int64_t count_over, count_ms;
	enum policy_per count_per;
	GPtrArray *actions;	/* struct policy_action * */
	bool is_final;		/* once it fired no later rule is looked at */
	bool is_sure;		/* does not fire, nor count, while unsure */
	char *where;
};

/* Hours of a week; "time NAME" is true within, holidays are without. */
struct policy_window {
	char *name, *zone;	/* IANA; NULL: that of the desk, else UTC */
	struct policy_span {
		unsigned days;	/* bit 0 Monday … bit 6 Sunday */
		int from_min, until_min;	/* of the day, local; until may
						   be 1440; until <= from: past
						   midnight */
	} *spans;
	size_t n_spans;
	GPtrArray *holidays;	/* char *: policy_is_holiday() */
	char *where;		/* or NULL */
};
/* "2026-12-25", or "12-25" for each year: a date that there is. */
bool policy_is_holiday(const char *day);

struct policy_lexicon {
	char *name;
	GPtrArray *files;	/* struct policy_text * */
	char *where;		/* or NULL */
};
struct policy_text {
	char *name;
	const char *text;	/* of the snapshot; borrowed */
	size_t len;
};
struct policy_pattern {
	char *name, *regex, *where;
};

struct policy_source {
	GPtrArray *rules;	/* struct policy_rule *, in order */
	GPtrArray *lexicons, *patterns, *windows;
	int64_t hold_ms;	/* the longest hold */
	int64_t hold_persons;
	int64_t alert_ms;	/* one alert of a rule in this time */
	/* Over the texts of the policy file, what it includes, and its
	   lexicons, in order; all 0 without a policy file. */
	uint8_t sha256[HASH_SIZE];
};
/* No rules; holds of 24 h by one person, an alert each 10 min. */
struct policy_source *policy_source_new(void);
void policy_source_free(struct policy_source *s);
struct policy_cond *policy_cond_new(enum policy_match m, const char *where);
void policy_cond_free(struct policy_cond *c);
struct policy_action *policy_action_new(enum policy_act a, const char *where);
void policy_action_free(struct policy_action *a);
struct policy_rule *policy_rule_new(const char *name, const char *where);
void policy_rule_free(struct policy_rule *r);
struct policy_lexicon *policy_lexicon_new(const char *name);
void policy_lexicon_free(struct policy_lexicon *l);
/* Adds a file to l; the name is copied, the text is borrowed. */
void policy_lexicon_add(struct policy_lexicon *l, const char *name,
    const char *text, size_t len);
struct policy_pattern *policy_pattern_new(const char *name, const char *regex,
    const char *where);
void policy_pattern_free(struct policy_pattern *p);
struct policy_window *policy_window_new(const char *name);
void policy_window_free(struct policy_window *w);
void policy_window_add(struct policy_window *w,
    const struct policy_span *span);

/* ---- compiled ------------------------------------------------------------- */

typedef void policy_issue_fn(void *arg, const char *where, bool is_error,
    const char *text);

/*
 * All mistakes that only compiling finds (a pattern, a line of a lexicon, a
 * name that nothing defines) are told to issue (which may be NULL) as errors,
 * and as warnings: rules that can never fire (after a final rule that always
 * does, conditions that exclude each other, actions of the gateway on what
 * never passes it), lexicons and windows that no rule uses. False, ERR_CONF
 * "policy.…", if there was an error. s is borrowed while *out lives.
 */
bool policy_new(const struct policy_source *s, policy_issue_fn *issue,
    void *arg, struct policy **out, struct err *err);
void policy_free(struct policy *p);
bool policy_is_empty(const struct policy *p);	/* no rule at all */
const uint8_t *policy_sha256(const struct policy *p);

/* ---- judging --------------------------------------------------------------- */

enum policy_consent { POLICY_CONSENT_UNKNOWN, POLICY_CONSENT_GIVEN,
	POLICY_CONSENT_WITHDRAWN };
const char *policy_consent_name(enum policy_consent c);
bool policy_consent_parse(const char *name, enum policy_consent *out);

enum policy_malware { POLICY_MALWARE_UNKNOWN, POLICY_MALWARE_CLEAN,
	POLICY_MALWARE_INFECTED, POLICY_MALWARE_UNSCANNED };

struct policy_file {
	const char *name, *type;	/* or NULL */
	int64_t size;			/* -1: not known */
	enum policy_malware malware;
};

struct policy_input {
	const struct item *item;
	bool at_gateway;
	int64_t now_ms;
	const char *talk;		/* turn_conversation(), or NULL */
	const char *person;		/* "u:…", "n:…" of the counterpart */
	const struct directory_business *business;
	const struct directory_staff *staff;
	const struct directory_customer *customer;
	const char *application, *employee;	/* or NULL */
	const GPtrArray *groups;	/* char *; those of staff besides */
	bool groups_unknown;		/* the directory did not answer */
	bool is_new_counterpart, new_unknown;
	enum policy_consent consent;
	const GPtrArray *files;		/* struct policy_file *; or NULL */
	/* More text that the customer sees, beside item->text and what the
	   item holds (template header, footer, buttons are taken from it). */
	const char *extra_text;
};

/* Memory between items; NULL members: not known, so unsure. */
struct policy_world {
	void *arg;
	/*
	 * How many different `who` were counted for rule and subject since
	 * then, `who` of now included; no further than *n as it is given.
	 */
	bool (*count)(void *arg, const char *rule, const char *subject,
	    const char *who, int64_t since_ms, int64_t *n);
	/* When the text of this rule was last given in talk; 0: never. */
	bool (*told)(void *arg, const char *rule, const char *talk,
	    int64_t *at_ms);
};

struct policy_fired {
	char *rule;
	bool is_unsure;
	bool not_here;	/* has an action that only the gateway could take */
	GPtrArray *why;	/* char *: "lexicon off-channel: lures.txt:12 at 14-22",
			   "detect card at 3-22": never the text itself */
};
/* To be remembered for policy_world.count; but not of what was blocked or
   rejected, for that reached nobody. */
struct policy_tally {
	char *rule, *subject, *who;
};
struct policy_addition {	/* to be put before or after the text */
	char *rule, *text;
	bool before, once;	/* once: remember that it was told */
};

/* What came of all rules. Empty arrays are never NULL. */
struct policy_verdict {
	uint8_t set[HASH_SIZE];
	GPtrArray *fired;	/* struct policy_fired *, in order of rules */
	GPtrArray *tags;	/* char *, each once */
	bool flag, quarantine, exclude;
	char *retain;		/* or NULL */
	GPtrArray *journals, *only_journals, *copies;	/* char *, each once */
	GPtrArray *alerts;	/* char *: "RULE", and "RULE JOURNAL" for each
				   that gets a mail */
	int64_t hold_ms, hold_persons;	/* 0: not held */
	bool approve;		/* of the hold: a second person's approval */
	char *hold_rule;
	char *block;		/* public reason; NULL: not blocked */
	char *block_rule;
	char *exclude_rule;
	enum policy_consent consent_set;	/* UNKNOWN: not changed */
	GPtrArray *additions;	/* struct policy_addition * */
	GPtrArray *tallies;	/* struct policy_tally * */
};

/* How long tallies are looked back upon; 0: no rule counts. */
int64_t policy_memory_ms(const struct policy *p);

/* A thread's own working memory. */
struct policy_work;
struct policy_work *policy_work_new(const struct policy *p);
void policy_work_free(struct policy_work *w);

/* Owned by the caller; never fails. */
struct policy_verdict *policy_judge(const struct policy *p,
    struct policy_work *w, const struct policy_input *in,
    const struct policy_world *world);
void policy_verdict_free(struct policy_verdict *v);
/* An empty one of this set. */
struct policy_verdict *policy_verdict_new(const uint8_t set[HASH_SIZE]);

/*
 * Several items of one turn: into gets what from demands besides. A hold of
 * either holds both; the longer time and the more persons count; only_journals
 * of an item add up, and count for the turn only if every item has some (what
 * one rule takes from one item is not taken from its neighbours).
 * Start with the first item's verdict, not with an empty one. exclude and
 * quarantine of either are of both: whoever does not want to take the
 * neighbours away with the item looks at the verdict of each before. Of two
 * consents set, withdrawn counts.
 */
void policy_verdict_merge(struct policy_verdict *into,
    const struct policy_verdict *from);

/* "deliver", "flag", "hold", "exclude", "block": the header's word. */
const char *policy_verdict_word(const struct policy_verdict *v);

/*
 * As one line of JSON, and back: what the gateway found travels with its
 * record. ERR_PERM "policy.verdict". Unknown members are passed over.
 */
void policy_verdict_print(const struct policy_verdict *v, GString *out);
bool policy_verdict_parse(const char *json, size_t len,
    struct policy_verdict **out, struct err *err);
