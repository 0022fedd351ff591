/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules cost: microseconds of CPU time to judge a message of 320 bytes by
 * 100 rules, with 10,000 phrases and 50 patterns, none of which a cheaper
 * condition spares. Beside it, as the measure of the machine, what the same
 * rules would cost as they are written: PCRE2 with JIT, each pattern for
 * itself and the phrases as alternatives, over the text as it is. One line of
 * key=value pairs.
 *
 *     bench_policy [COUNT]
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <inttypes.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "err.h"
#include "item.h"
#include "policy.h"

#define MESSAGE_BYTES 320
#define MESSAGES 64
#define LEXICONS 10
#define PHRASES 10000
#define PATTERNS 50
#define RULES 100
#define CHUNK 500	/* phrases of one PCRE2 pattern */

struct bench {
	struct policy_source *source;
	struct policy *policy;
	struct policy_work *work;
	GString *texts[LEXICONS];
	GPtrArray *phrases;
	GPtrArray *codes;	/* pcre2_code *, of the reference */
	pcre2_match_data *data;
	struct item *items[MESSAGES];
	unsigned fired;
};

/* Words that look like words; the same in each run. */
static char *
any_word(GRand *r)
{
	static const char consonants[] = "bcdfglmnprstv", vowels[] = "aeiou";
	GString *out = g_string_new(NULL);

	for (int n = g_rand_int_range(r, 1, 4); n > 0; n--) {
		g_string_append_c(out, consonants[g_rand_int_range(r, 0, 13)]);
		g_string_append_c(out, vowels[g_rand_int_range(r, 0, 5)]);
	}
	return g_string_free(out, FALSE);
}

static char *
any_words(GRand *r, size_t bytes)
{
	GString *out = g_string_new(NULL);

	while (out->len < bytes) {
		g_autofree char *word = any_word(r);

		g_string_append_printf(out, "%s%s", out->len > 0 ? " " : "",
		    word);
	}
	g_string_truncate(out, bytes);
	return g_string_free(out, FALSE);
}

static struct policy_rule *
add_rule(struct bench *b, const char *kind, int i, enum policy_match m)
{
	g_autofree char *name = g_strdup_printf("%s-%d", kind, i);
	g_autofree char *value = g_strdup_printf("%s%d", kind, i);
	struct policy_rule *rule = policy_rule_new(name, "bench:1");
	struct policy_cond *cond = policy_cond_new(m, "bench:1");

	g_ptr_array_add(cond->values, g_steal_pointer(&value));
	g_ptr_array_add(rule->conds, cond);
	g_ptr_array_add(rule->actions,
	    policy_action_new(POLICY_FLAG, "bench:1"));
	g_ptr_array_add(b->source->rules, rule);
	return rule;
}

static void
add_lexicons(struct bench *b, GRand *r)
{
	b->phrases = g_ptr_array_new_with_free_func(g_free);
	for (int i = 0; i < LEXICONS; i++)
		b->texts[i] = g_string_new(NULL);
	for (int i = 0; i < PHRASES; i++) {
		/* The number keeps them apart and out of most messages. */
		g_autofree char *words = any_words(r, 12);
		char *phrase = g_strdup_printf("%s %s%d", g_strchomp(words),
		    i % 100 == 0 ? "ba" : "phrase", i);

		g_ptr_array_add(b->phrases, phrase);
		g_string_append_printf(b->texts[i % LEXICONS], "%s\n",
		    phrase);
	}
	for (int i = 0; i < LEXICONS; i++) {
		g_autofree char *name = g_strdup_printf("lexicon%d", i);
		struct policy_lexicon *l = policy_lexicon_new(name);

		policy_lexicon_add(l, name, b->texts[i]->str,
		    b->texts[i]->len);
		g_ptr_array_add(b->source->lexicons, l);
	}
}

/* Account numbers, amounts, words near words: as banks write them. */
static void
add_patterns(struct bench *b)
{
	static const char *const forms[] = { "\\b\\d{%d}-\\d\\b",
		"\\bacc(ount|t)\\W{0,%d}\\d{4,}", "[A-Z]{%d}\\d{8,12}\\b",
		"\\b(buy|sell)\\s+\\d+\\s+of\\s+x%d", "\\bpromise%d\\w*\\b" };

	for (int i = 0; i < PATTERNS; i++) {
		g_autofree char *name = g_strdup_printf("pattern%d", i);
		g_autofree char *number = g_strdup_printf("%d", 2 + i / 5);
		g_auto(GStrv) halves = g_strsplit(forms[i % 5], "%d", 2);
		g_autofree char *regex = g_strjoinv(number, halves);

		g_ptr_array_add(b->source->patterns,
		    policy_pattern_new(name, regex, "bench:1"));
	}
}

static void
add_rules(struct bench *b)
{
	for (int i = 0; i < PATTERNS; i++)
		add_rule(b, "pattern", i, POLICY_PATTERN);
	for (int i = 0; i < LEXICONS; i++)
		add_rule(b, "lexicon", i, POLICY_LEXICON);
	for (int i = PATTERNS + LEXICONS; i < RULES; i++)
		add_rule(b, "desk", i, POLICY_DESK);
}

static void
add_code(struct bench *b, const char *regex)
{
	int error = 0;
	PCRE2_SIZE at = 0;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)regex,
	    PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS,
	    &error, &at, NULL);

	if (code == NULL) {
		fprintf(stderr, "bench_policy: PCRE2 refuses %.60s\n", regex);
		exit(1);
	}
	pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	g_ptr_array_add(b->codes, code);
}

static void
add_reference(struct bench *b)
{
	b->codes = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)pcre2_code_free);
	b->data = pcre2_match_data_create(4, NULL);
	for (guint i = 0; i < b->source->patterns->len; i++) {
		const struct policy_pattern *p =
		    g_ptr_array_index(b->source->patterns, i);

		add_code(b, p->regex);
	}
	for (guint i = 0; i < b->phrases->len; i += CHUNK) {
		g_autoptr(GString) regex = g_string_new("\\b(?:");

		for (guint k = i; k < i + CHUNK; k++)
			g_string_append_printf(regex, "%s%s", k > i ? "|" : "",
			    (char *)g_ptr_array_index(b->phrases, k));
		g_string_append(regex, ")\\b");
		add_code(b, regex->str);
	}
}

static void
tell(void *arg, const char *where, bool is_error, const char *text)
{
	(void)arg;
	if (is_error)
		fprintf(stderr, "bench_policy: %s: %s\n", where, text);
}

static void
begin(struct bench *b)
{
	g_autoptr(GRand) r = g_rand_new_with_seed(1);
	struct err err = ERR_INIT;

	b->source = policy_source_new();
	add_lexicons(b, r);
	add_patterns(b);
	add_rules(b);
	add_reference(b);
	for (int i = 0; i < MESSAGES; i++) {
		b->items[i] = item_new(ITEM_MESSAGE, ITEM_TYPE_TEXT);
		b->items[i]->text = any_words(r, MESSAGE_BYTES);
	}
	if (!policy_new(b->source, tell, NULL, &b->policy, &err)) {
		fprintf(stderr, "bench_policy: %s\n", err.text);
		exit(1);
	}
	b->work = policy_work_new(b->policy);
}

static void
end(struct bench *b)
{
	for (int i = 0; i < MESSAGES; i++)
		item_free(b->items[i]);
	policy_work_free(b->work);
	policy_free(b->policy);
	policy_source_free(b->source);
	for (int i = 0; i < LEXICONS; i++)
		g_string_free(b->texts[i], TRUE);
	g_ptr_array_unref(b->phrases);
	g_ptr_array_unref(b->codes);
	pcre2_match_data_free(b->data);
}

static void
judge(struct bench *b, long i)
{
	const struct policy_input in = { .item = b->items[i % MESSAGES] };
	struct policy_verdict *v = policy_judge(b->policy, b->work, &in,
	    NULL);

	b->fired += v->fired->len;
	policy_verdict_free(v);
}

static void
refer(struct bench *b, long i)
{
	const char *text = b->items[i % MESSAGES]->text;

	for (guint k = 0; k < b->codes->len; k++)
		b->fired += pcre2_match(g_ptr_array_index(b->codes, k),
		    (PCRE2_SPTR)text, MESSAGE_BYTES, 0, 0, b->data, NULL) > 0;
}

static double
cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double
measure(struct bench *b, long count, void (*work)(struct bench *b, long i))
{
	double begun;

	for (long i = 0; i < MESSAGES; i++)
		work(b, i);
	begun = cpu_s();
	for (long i = 0; i < count; i++)
		work(b, i);
	return (cpu_s() - begun) * 1e6 / (double)count;
}

int
main(int argc, char **argv)
{
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 20000;
	struct bench b = { .fired = 0 };
	double ours, ref;

	begin(&b);
	ours = measure(&b, count, judge);
	ref = measure(&b, MAX(count / 20, 1), refer);
	printf("messages=%ld rules=%d phrases=%d patterns=%d us=%.1f "
	    "pcre2_us=%.1f ratio=%.3f\n", count, RULES, PHRASES, PATTERNS,
	    ours, ref, ref / ours);
	end(&b);
	return 0;
}
