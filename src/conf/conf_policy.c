/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy file, except its rules: defaults, lexicons, patterns, windows of
 * time, and the hash of it all. Lexicons are read and not looked into:
 * policy_new() does that, and it compiles patterns. Their texts stay in the
 * files of the configuration, from which the source borrows them.
 */
#include "conf_int.h"

#include <string.h>

#include "err.h"
#include "policy.h"
#include "text.h"

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define DAY ((int64_t)86400 * SECOND)

#define SOURCE(field) offsetof(struct policy_source, field)
#define WINDOW(field) offsetof(struct policy_window, field)

static const struct conf_row policy_rows[] = {
	{ "hold_max", CONF_DURATION, .preset = "1d", .min = MINUTE,
		.max = 30 * DAY, .offset = SOURCE(hold_ms),
		.help = "What is held longer is journaled with a flag." },
	{ "hold_persons", CONF_NUMBER, .preset = "1", .min = 1, .max = 5,
		.offset = SOURCE(hold_persons),
		.help = "So many persons must release what is held." },
	{ "alert_every", CONF_DURATION, .preset = "10m", .min = 0,
		.max = 30 * DAY, .offset = SOURCE(alert_ms),
		.help = "One alert of a rule in this time." },
	{ "pattern", CONF_WORDS, .flags = CONF_MANY, .min = 2, .max = 2,
		.usage = "NAME REGEX", .offset = CONF_NOWHERE,
		.help = "A regular expression for rules." },
};

static const struct conf_row lexicon_rows[] = {
	{ "file", CONF_WORDS, .flags = CONF_MANY | CONF_REQUIRED, .min = 1,
		.max = 1, .usage = "a path or a pattern of paths",
		.offset = CONF_NOWHERE,
		.help = "A file with phrases; repeat it for others." },
};

static const struct conf_row window_rows[] = {
	{ "zone", CONF_ZONE, .offset = WINDOW(zone),
		.help = "Time zone; else that of the desk, or UTC." },
	{ "hours", CONF_WORDS, .flags = CONF_MANY | CONF_REQUIRED, .min = 2,
		.max = 2, .usage = "DAYS FROM-UNTIL", .offset = CONF_NOWHERE,
		.help = "Hours of days, such as mon-fri 08:00-18:00." },
	{ "holiday", CONF_WORDS, .flags = CONF_MANY, .min = 1, .max = 1000,
		.usage = "DATE ...", .offset = CONF_NOWHERE,
		.help = "Days that are not in the window." },
};

static const struct conf_row rule_rows[] = {
	{ "match", CONF_FREE, .flags = CONF_MANY | CONF_REQUIRED,
		.usage = "CONDITION", .offset = CONF_NOWHERE,
		.help = "What must be so; all of them." },
	{ "count", CONF_WORDS, .min = 3, .max = 5,
		.usage = "NUMBER customers DURATION [per SUBJECT]",
		.offset = CONF_NOWHERE,
		.help = "Only from more than so many counterparts on." },
	{ "action", CONF_WORDS, .flags = CONF_MANY, .min = 1, .max = 1000,
		.usage = "ACTION [VALUE ...]", .offset = CONF_NOWHERE,
		.help = "What is done when it is so." },
	{ "final", CONF_WORDS, .min = 0, .max = 0, .usage = "nothing",
		.offset = CONF_NOWHERE,
		.help = "Then later rules are not looked at." },
	{ "sure", CONF_WORDS, .min = 0, .max = 0, .usage = "nothing",
		.offset = CONF_NOWHERE,
		.help = "It does not fire while it is unsure." },
};

char *
conf_policy_where(struct conf_load *l, struct conf_pos pos)
{
	return conf_line_text(&l->line, pos);
}

/* --- lexicons --- */

static void *
enter_lexicon(struct conf_load *l, const struct conf_node *node)
{
	const struct conf_word *label = node->words->next;
	struct policy_lexicon *x;

	if (!conf_claim(l, "lexicon", label->value, label->pos))
		return NULL;
	x = policy_lexicon_new(label->value);
	x->where = conf_policy_where(l, label->pos);
	g_ptr_array_add(l->c->policy->lexicons, x);
	return x;
}

static void
read_lexicon(struct conf_load *l, const struct conf_word *word,
    const char *name, struct policy_lexicon *x)
{
	struct err err = ERR_INIT;
	const struct conf_source *src = conf_files_get(l->files, name, &err);
	g_autofree char *shown = NULL;

	if (src == NULL) {
		conf_error(l->issues, word->pos, "%s", err.text);
		return;
	}
	shown = conf_files_policy_name(l->files, src);
	policy_lexicon_add(x, shown, src->text, src->len);
}

/* A pattern that finds nothing would be a rule that never fires. */
static void
read_lexicons(struct conf_load *l, const struct conf_word *word,
    const char *pattern, struct policy_lexicon *x)
{
	struct err err = ERR_INIT;
	const GPtrArray *names = conf_files_glob(l->files, pattern, &err);

	if (names == NULL)
		conf_error(l->issues, word->pos, "%s", err.text);
	else if (names->len == 0)
		conf_error(l->issues, word->pos, "no file is named like this");
	for (guint i = 0; names != NULL && i < names->len; i++)
		read_lexicon(l, word, names->pdata[i], x);
}

static void
leave_lexicon(struct conf_load *l, const struct conf_node *node, void *base)
{
	const struct conf_node *n = conf_node_find(node->children, "file");

	for (; n != NULL; n = conf_node_find(n->next, "file")) {
		const struct conf_word *word = n->words->next;
		g_autofree char *name = NULL;

		if (n->is_block || n->count != 2 || word->is_bad)
			continue;
		name = conf_files_name(word->pos.src, word->value);
		if (*word->value == '\0')
			conf_error(l->issues, word->pos, "\"\" is empty");
		else if (strpbrk(word->value, "*?[") != NULL)
			read_lexicons(l, word, name, base);
		else
			read_lexicon(l, word, name, base);
	}
}

/* --- patterns --- */

static void
read_pattern(struct conf_load *l, const struct conf_node *n)
{
	static const struct conf_row name_row = { .type = CONF_NAME,
		.offset = CONF_NOWHERE };
	static const struct conf_row regex_row = { .type = CONF_STRING,
		.offset = CONF_NOWHERE };
	const struct conf_word *name = n->words->next;
	g_autofree char *where = NULL;

	if (!conf_word_set(l, &name_row, name, NULL) ||
	    !conf_word_set(l, &regex_row, name->next, NULL) ||
	    !conf_claim(l, "pattern", name->value, name->pos))
		return;
	where = conf_policy_where(l, name->pos);
	g_ptr_array_add(l->c->policy->patterns, policy_pattern_new(
	    name->value, name->next->value, where));
}

/* Before the blocks, since rules name them; the table tells of bad shapes. */
static void
read_patterns(struct conf_load *l, const struct conf_node *root)
{
	const struct conf_node *n = conf_node_find(root->children, "pattern");

	for (; n != NULL; n = conf_node_find(n->next, "pattern"))
		if (!n->is_block && n->count == 3)
			read_pattern(l, n);
}

/* --- windows --- */

static void *
enter_window(struct conf_load *l, const struct conf_node *node)
{
	const struct conf_word *label = node->words->next;
	struct policy_window *w;

	if (!conf_claim(l, "window", label->value, label->pos))
		return NULL;
	w = policy_window_new(label->value);
	w->where = conf_policy_where(l, label->pos);
	g_ptr_array_add(l->c->policy->windows, w);
	return w;
}

static int
find_day(const char *s, size_t len)
{
	static const char *const names[] = { "mon", "tue", "wed", "thu",
		"fri", "sat", "sun" };

	for (int i = 0; i < 7; i++)
		if (len == 3 && strncmp(s, names[i], 3) == 0)
			return i;
	return -1;
}

/* "mon", or "fri-mon"; 0 if it is neither. */
static unsigned
parse_days(const char *s)
{
	size_t len = strcspn(s, "-");
	int from = find_day(s, len), until = from;
	unsigned days;

	if (s[len] == '-')
		until = find_day(s + len + 1, strlen(s + len + 1));
	if (from < 0 || until < 0)
		return 0;
	for (days = 1u << from; from != until; days |= 1u << from)
		from = (from + 1) % 7;
	return days;
}

/* "mon-fri", "mon,wed,sat-sun" or "daily". */
static bool
parse_week(const char *s, unsigned *out)
{
	g_auto(GStrv) parts = g_strsplit(s, ",", -1);
	unsigned days = 0, more = 1;

	if (strcmp(s, "daily") == 0) {
		*out = 0x7f;
		return true;
	}
	for (char **p = parts; *p != NULL && more != 0; p++) {
		more = parse_days(*p);
		days |= more;
	}
	*out = days;
	return days != 0 && more != 0;
}

/* "08:00" in minutes of the day, up to 24:00; -1 if it is none. */
static int
parse_minute(const char *s)
{
	int hour, minute;

	if (strlen(s) != 5 || s[2] != ':' || !g_ascii_isdigit(s[0]) ||
	    !g_ascii_isdigit(s[1]) || !g_ascii_isdigit(s[3]) ||
	    !g_ascii_isdigit(s[4]))
		return -1;
	hour = (s[0] - '0') * 10 + s[1] - '0';
	minute = (s[3] - '0') * 10 + s[4] - '0';
	if (minute > 59 || hour * 60 + minute > 24 * 60)
		return -1;
	return hour * 60 + minute;
}

/* Until 07:00 from 22:00 is past midnight; at the same minute is neither. */
static bool
parse_hours(const char *s, struct policy_span *out)
{
	g_auto(GStrv) ends = g_strsplit(s, "-", -1);

	if (g_strv_length(ends) != 2)
		return false;
	out->from_min = parse_minute(ends[0]);
	out->until_min = parse_minute(ends[1]);
	return out->from_min >= 0 && out->from_min < 24 * 60 &&
	    out->until_min >= 0 && out->from_min != out->until_min;
}

static void
read_hours(struct conf_load *l, const struct conf_node *n,
    struct policy_window *w)
{
	const struct conf_word *days = n->words->next, *hours = days->next;
	g_autofree char *shown = NULL;
	struct policy_span span;

	if (days->is_bad || hours->is_bad)
		return;
	if (!parse_week(days->value, &span.days)) {
		shown = conf_shown(days->value);
		conf_error(l->issues, days->pos, "%s is not days such as "
		    "mon-fri, mon,wed,fri or daily", shown);
	} else if (!parse_hours(hours->value, &span)) {
		shown = conf_shown(hours->value);
		conf_error(l->issues, hours->pos, "%s is not hours such as "
		    "08:00-18:00", shown);
	} else {
		policy_window_add(w, &span);
	}
}

static void
read_holidays(struct conf_load *l, const struct conf_node *n,
    struct policy_window *w)
{
	for (const struct conf_word *d = n->words->next; d; d = d->next) {
		g_autofree char *shown = NULL;

		if (d->is_bad)
			continue;
		if (policy_is_holiday(d->value)) {
			g_ptr_array_add(w->holidays, g_strdup(d->value));
			continue;
		}
		shown = conf_shown(d->value);
		conf_error(l->issues, d->pos, "%s is not a date such as "
		    "2026-12-25, or 12-25 for each year", shown);
	}
}

static void
leave_window(struct conf_load *l, const struct conf_node *node, void *base)
{
	const struct conf_node *n = conf_node_find(node->children, "hours");

	for (; n != NULL; n = conf_node_find(n->next, "hours"))
		if (!n->is_block && n->count == 3)
			read_hours(l, n, base);
	n = conf_node_find(node->children, "holiday");
	for (; n != NULL; n = conf_node_find(n->next, "holiday"))
		if (!n->is_block)
			read_holidays(l, n, base);
}

/* --- all --- */

static const struct conf_block block_lexicon = { .name = "lexicon",
	.label = "NAME", .rows = lexicon_rows,
	.count = G_N_ELEMENTS(lexicon_rows), .enter = enter_lexicon,
	.leave = leave_lexicon, .help = "Phrases that rules look for." };
static const struct conf_block block_window = { .name = "window",
	.label = "NAME", .rows = window_rows,
	.count = G_N_ELEMENTS(window_rows), .enter = enter_window,
	.leave = leave_window, .help = "Hours of the week." };
static const struct conf_block block_rule = { .name = "rule",
	.label = "NAME", .rows = rule_rows, .count = G_N_ELEMENTS(rule_rows),
	.enter = conf_rule_enter, .leave = conf_rule_leave,
	.help = "What is done with what." };

/* In this order: rules refer to the others, wherever they stand. */
static const struct conf_block *const policy_blocks[] = { &block_lexicon,
	&block_window, &block_rule, NULL };

const struct conf_block conf_block_policy = { .name = "policy",
	.rows = policy_rows, .count = G_N_ELEMENTS(policy_rows),
	.blocks = policy_blocks, .help = "The policy file." };

/* Each text once, after a line with its name and length. */
void
conf_policy_bundle(const struct conf *c, GString *out)
{
	const GPtrArray *list = c->files != NULL ? c->files->policy : NULL;

	for (guint i = 0; list != NULL && i < list->len; i++) {
		const struct conf_source *src = list->pdata[i];
		g_autofree char *name = conf_files_policy_name(c->files, src);
		g_autofree char *clean = text_clean(name, strlen(name),
		    TEXT_LINE, SIZE_MAX);

		g_string_append_printf(out, "# file %s, %zu bytes\n", clean,
		    src->len);
		g_string_append_len(out, src->text, (gssize)src->len);
		g_string_append_c(out, '\n');
	}
}

static void
read_source(struct conf_load *l, const struct conf_source *src)
{
	struct conf_tree *tree = conf_tree_new(l->files, src, l->issues);
	g_autoptr(GString) bundle = NULL;

	read_patterns(l, tree->root);
	conf_block_apply(l, &conf_block_policy, tree->root, l->c->policy);
	conf_tree_free(tree);
	if (l->issues->errors > 0)
		return;
	bundle = g_string_new(NULL);
	conf_policy_bundle(l->c, bundle);
	hash_sha256(bundle->str, bundle->len, l->c->policy->sha256);
}

void
conf_policy_read(struct conf_load *l, const struct conf_node *root)
{
	struct err err = ERR_INIT;
	const struct conf_source *src;

	l->files->in_policy = true;
	src = conf_files_get(l->files, l->c->policy_file, &err);
	if (src != NULL)
		read_source(l, src);
	else
		conf_error(l->issues, conf_node_pos(root, "policy"), "%s",
		    err.text);
	l->files->in_policy = false;
}
