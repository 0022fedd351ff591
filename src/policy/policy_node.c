/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions with their names resolved: words to bits, names to what they
 * name. Every mistake is told with its place; one that is found does not
 * hide the next.
 */
#include "policy_int.h"

#include <string.h>

#include "err.h"
#include "text.h"

/* What a condition is written with. */
enum form { VALUES, NUMBER, NOTHING, NODES };

static enum form
form_of(enum policy_match m)
{
	if (m == POLICY_ALL || m == POLICY_ANY || m == POLICY_NOT)
		return NODES;
	if (m == POLICY_FILE_SIZE || m == POLICY_TEXT_SIZE || m == POLICY_AGE)
		return NUMBER;
	if (m == POLICY_ALWAYS || m == POLICY_NEW_COUNTERPART)
		return NOTHING;
	return VALUES;
}

static int
cost_of(enum policy_match m)
{
	if (m == POLICY_MEDIA_TYPE || m == POLICY_FILE_SIZE ||
	    m == POLICY_FILE_NAME || m == POLICY_MALWARE)
		return 1;
	if (m == POLICY_LEXICON || m == POLICY_PATTERN || m == POLICY_TEXT ||
	    m == POLICY_DETECT || m == POLICY_SCRIPT ||
	    m == POLICY_LINK_HOST || m == POLICY_TEXT_SIZE)
		return 2;
	return 0;
}

void
policy_node_free(struct policy_node *n)
{
	if (n == NULL)
		return;
	g_ptr_array_unref(n->words);
	g_array_unref(n->lexicons);
	g_array_unref(n->ids);
	g_ptr_array_unref(n->windows);
	g_ptr_array_unref(n->nodes);
	g_free(n);
}

static struct policy_node *
new_node(enum policy_match m, const struct policy_cond *source)
{
	struct policy_node *n = g_new0(struct policy_node, 1);

	n->source = source;
	n->match = m;
	n->cost = cost_of(m);
	n->words = g_ptr_array_new_with_free_func(g_free);
	n->lexicons = g_array_new(FALSE, FALSE,
	    sizeof(struct policy_lexicon_ref));
	n->ids = g_array_new(FALSE, FALSE, sizeof(int));
	n->windows = g_ptr_array_new();
	n->nodes = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)policy_node_free);
	return n;
}

/* ---- values ---------------------------------------------------------------- */

static void
add_bit(struct policy_compiler *c, struct policy_node *n, const char *value)
{
	g_autofree char *words = NULL;
	int bit = policy_word_bit(n->match, value);

	if (bit >= 0) {
		n->set |= UINT64_C(1) << bit;
		return;
	}
	words = policy_words(n->match);
	policy_error(c->issues, n->source->where, "%s cannot be %s; it is one "
	    "of: %s", policy_match_name(n->match), value, words);
}

/* Lines "[category WORD]" of its files. */
static bool
text_has_category(const struct policy_text *t, const char *category)
{
	g_autofree char *copy = g_strndup(t->text, t->len);
	g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);

	for (char **l = lines; *l != NULL; l++) {
		char *line = g_strstrip(*l), *end = strchr(line, ']');

		if (*line != '[' || end == NULL)
			continue;
		*end = '\0';
		line = g_strchug(line + 1);
		if (g_str_has_prefix(line, "category") &&
		    strcmp(g_strstrip(line + strlen("category")),
		    category) == 0)
			return true;
	}
	return false;
}

static bool
has_category(const struct policy_lexicon *l, const char *category)
{
	for (guint i = 0; i < l->files->len; i++)
		if (text_has_category(g_ptr_array_index(l->files, i),
		    category))
			return true;
	return false;
}

static void
add_category(struct policy_compiler *c, struct policy_node *n,
    const struct policy_lexicon *l, struct policy_lexicon_ref *ref)
{
	if (has_category(l, ref->category))
		return;
	policy_error(c->issues, n->source->where, "no file of lexicon %s has "
	    "a line [category %s]", l->name, ref->category);
}

static void
add_lexicon(struct policy_compiler *c, struct policy_node *n,
    const char *value)
{
	struct policy *p = c->policy;
	g_autofree char *name = g_strdup(value);
	struct policy_lexicon_ref ref = { 0, NULL };
	char *slash = strchr(name, '/'), *category;
	struct policy_lexicon *l;
	int id = GPOINTER_TO_INT(g_hash_table_lookup(p->lexicon_ids, value));

	if (id == 0 && slash != NULL) {
		*slash = '\0';
		id = GPOINTER_TO_INT(g_hash_table_lookup(p->lexicon_ids,
		    name));
		category = g_strdup(slash + 1);
		g_ptr_array_add(p->category_names, category);
		ref.category = category;
	}
	if (id == 0) {
		policy_error(c->issues, n->source->where, "there is no "
		    "lexicon %s; define it: lexicon %s { file FILE; }", name,
		    name);
		return;
	}
	l = g_ptr_array_index(p->source->lexicons, (guint)id - 1);
	if (ref.category != NULL)
		add_category(c, n, l, &ref);
	ref.id = id - 1;
	g_array_append_val(n->lexicons, ref);
	g_hash_table_add(c->used, l);
}

static void
add_pattern(struct policy_compiler *c, struct policy_node *n,
    const char *value)
{
	struct policy *p = c->policy;
	int id = GPOINTER_TO_INT(g_hash_table_lookup(p->pattern_ids, value));

	if (id-- == 0) {
		policy_error(c->issues, n->source->where, "there is no "
		    "pattern %s; define it: pattern %s \"REGEX\";", value,
		    value);
		return;
	}
	g_array_append_val(n->ids, id);
	g_hash_table_add(c->used,
	    g_ptr_array_index(p->source->patterns, (guint)id));
}

/* A name that no lexicon of the file can have. */
static void
add_phrase(struct policy_compiler *c, struct policy_node *n,
    const char *value)
{
	struct policy *p = c->policy;
	g_autofree char *name = g_strdup_printf("\x01%d", c->phrases);
	int id = (int)p->source->lexicons->len + c->phrases;
	struct err err = ERR_INIT;

	if (!scan_set_phrase(p->scan, name, value, &err)) {
		policy_error(c->issues, n->source->where, "text \"%s\": %s",
		    value, err.text);
		return;
	}
	c->phrases++;
	g_hash_table_insert(p->lexicon_ids, g_steal_pointer(&name),
	    GINT_TO_POINTER(id + 1));
	g_array_append_val(n->ids, id);
}

static void
add_window(struct policy_compiler *c, struct policy_node *n,
    const char *value)
{
	for (guint i = 0; i < c->policy->hours->len; i++) {
		struct policy_hours *h =
		    g_ptr_array_index(c->policy->hours, i);

		if (strcmp(h->source->name, value) != 0)
			continue;
		g_ptr_array_add(n->windows, h);
		g_hash_table_add(c->used,
		    g_ptr_array_index(c->policy->source->windows, i));
		return;
	}
	policy_error(c->issues, n->source->where, "there is no window %s; "
	    "define it: window %s { hours mon-fri 08:00-18:00; }", value,
	    value);
}

/* Spelt as what it will be compared with. */
static char *
comparable(enum policy_match m, const char *value)
{
	char *digits;

	if (m == POLICY_MEDIA_TYPE || m == POLICY_LINK_HOST)
		return g_ascii_strdown(value, -1);
	if (m == POLICY_FILE_NAME || m == POLICY_GROUP)
		return policy_fold(value);
	digits = m == POLICY_BUSINESS && *value == '+' ?
	    text_phone_digits(value) : NULL;
	return digits != NULL ? digits : g_strdup(value);
}

static void
add_value(struct policy_compiler *c, struct policy_node *n,
    const char *value)
{
	if (policy_words_all(n->match) != 0)
		add_bit(c, n, value);
	else if (n->match == POLICY_LEXICON)
		add_lexicon(c, n, value);
	else if (n->match == POLICY_PATTERN)
		add_pattern(c, n, value);
	else if (n->match == POLICY_TEXT)
		add_phrase(c, n, value);
	else if (n->match == POLICY_TIME)
		add_window(c, n, value);
	else
		g_ptr_array_add(n->words, comparable(n->match, value));
	if (n->match == POLICY_DETECT)
		c->policy->detectors |= (unsigned)n->set;
	if (n->cost == 2 && n->match != POLICY_DETECT &&
	    (n->lexicons->len > 0 || n->ids->len > 0))
		c->policy->has_scan = true;
}

/* ---- nodes ------------------------------------------------------------------ */

static void
check_form(struct policy_compiler *c, const struct policy_cond *source)
{
	const char *name = policy_match_name(source->match);
	enum form form = form_of(source->match);

	if (form == VALUES && source->values->len == 0)
		policy_error(c->issues, source->where, "%s needs a value",
		    name);
	if (form != VALUES && source->values->len > 0)
		policy_error(c->issues, source->where, "%s takes no value, "
		    "but has %s", name,
		    (const char *)g_ptr_array_index(source->values, 0));
	if (source->number < 0)
		policy_error(c->issues, source->where, "%s cannot be negative",
		    name);
	if (form == NODES && source->conds->len == 0)
		policy_error(c->issues, source->where, "%s { } has no "
		    "condition in it", name);
	if (form != NODES && source->conds->len > 0)
		policy_error(c->issues, source->where, "%s takes no "
		    "conditions", name);
	/* Neither of them, or not both of them: the reader cannot know. */
	if (source->match == POLICY_NOT && source->conds->len > 1)
		policy_error(c->issues, source->where, "not { } takes one "
		    "condition; put any { } or all { } around several");
}

static gint
compare_cost(gconstpointer a, gconstpointer b)
{
	const struct policy_node *const *x = a, *const *y = b;

	return (*x)->cost - (*y)->cost;
}

static void
add_nodes(struct policy_compiler *c, struct policy_node *n,
    const GPtrArray *conds)
{
	for (guint i = 0; i < conds->len; i++) {
		struct policy_node *kid = policy_node_new(c,
		    g_ptr_array_index(conds, i));

		n->cost = MAX(n->cost, kid->cost);
		g_ptr_array_add(n->nodes, kid);
	}
	/* Stable, so reasons keep the order of the file within one cost. */
	g_ptr_array_sort(n->nodes, compare_cost);
}

struct policy_node *
policy_node_new(struct policy_compiler *c, const struct policy_cond *source)
{
	struct policy_node *n = new_node(source->match, source);

	check_form(c, source);
	if (form_of(source->match) == VALUES)
		for (guint i = 0; i < source->values->len; i++)
			add_value(c, n, g_ptr_array_index(source->values, i));
	add_nodes(c, n, source->conds);
	return n;
}

struct policy_node *
policy_root_new(struct policy_compiler *c, const struct policy_rule *rule)
{
	struct policy_node *n = new_node(POLICY_ALL, NULL);

	add_nodes(c, n, rule->conds);
	return n;
}
