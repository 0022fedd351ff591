/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions of an item: no, unsure or yes. What is not known is never
 * guessed. Reasons name the rule's own words and places in the text, never
 * the text: they go to where fewer may read.
 */
#include "policy_int.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "clock.h"
#include "directory.h"
#include "item.h"
#include "text.h"

#define WHY_MAX 32
#define NAME_CHARS 255

typedef enum policy_truth leaf_fn(const struct policy_case *c,
    const struct policy_node *n, GPtrArray *why);

static enum policy_truth
truth(bool is_true)
{
	return is_true ? POLICY_YES : POLICY_NO;
}

static void
because(GPtrArray *why, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
because(GPtrArray *why, const char *fmt, ...)
{
	g_autofree char *reason = NULL;
	va_list ap;

	if (why == NULL || why->len > WHY_MAX)
		return;
	if (why->len == WHY_MAX) {
		g_ptr_array_add(why, g_strdup("more"));
		return;
	}
	va_start(ap, fmt);
	reason = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	policy_strings_add(why, reason);
}

static const char *
name_of(const struct policy_node *n)
{
	return policy_match_name(n->match);
}

/* The values as they are written in the policy file. */
static const char *
value_at(const struct policy_node *n, guint i)
{
	return g_ptr_array_index(n->source->values, i);
}

/* ---- of the input ---------------------------------------------------------------- */

static enum policy_truth
eval_word(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const struct item *it = c->in->item;
	int bit = n->match == POLICY_DIRECTION ? (int)it->direction :
	    n->match == POLICY_AT ? (int)c->in->at_gateway :
	    n->match == POLICY_AUTHOR ? (int)it->author :
	    n->match == POLICY_KIND ? (int)it->kind :
	    n->match == POLICY_TYPE ? (int)it->type : (int)c->in->consent;

	if ((n->set >> bit & 1) == 0)
		return POLICY_NO;
	because(why, "%s %s", name_of(n), policy_word_at(n->match, bit));
	return POLICY_YES;
}

static enum policy_truth
eval_name_of(const struct policy_node *n, const char *name, GPtrArray *why)
{
	for (guint i = 0; name != NULL && i < n->words->len; i++) {
		if (strcmp(g_ptr_array_index(n->words, i), name) != 0)
			continue;
		because(why, "%s %s", name_of(n), value_at(n, i));
		return POLICY_YES;
	}
	return POLICY_NO;
}

const char *
policy_employee(const struct policy_input *in)
{
	if (in->employee != NULL)
		return in->employee;
	return in->staff != NULL ? in->staff->id : NULL;
}

static enum policy_truth
eval_name(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const struct policy_input *in = c->in;
	const char *name = n->match == POLICY_NETWORK ? in->item->network :
	    n->match == POLICY_APPLICATION ? in->application :
	    n->match == POLICY_EMPLOYEE ? policy_employee(in) :
	    in->business != NULL ? in->business->desk : NULL;

	return eval_name_of(n, name, why);
}

static enum policy_truth
eval_business(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const struct directory_business *b = c->in->business;
	const char *const names[] = { b != NULL ? b->id : NULL,
		b != NULL ? b->number : NULL, c->in->item->business.user_id,
		c->in->item->business.number };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (eval_name_of(n, names[i], why) == POLICY_YES)
			return POLICY_YES;
	return POLICY_NO;
}

/* AD compares names of groups without case, so do rules. */
static void
add_folded(GPtrArray *to, const GPtrArray *names)
{
	for (guint i = 0; names != NULL && i < names->len; i++)
		g_ptr_array_add(to,
		    policy_fold(g_ptr_array_index(names, i)));
}

static const GPtrArray *
groups_of(const struct policy_case *c)
{
	struct policy_work *w = c->work;

	if (w->has_groups)
		return w->groups;
	w->has_groups = true;
	add_folded(w->groups, c->in->groups);
	if (c->in->staff != NULL)
		add_folded(w->groups, c->in->staff->groups);
	return w->groups;
}

static enum policy_truth
eval_group(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const GPtrArray *groups = groups_of(c);

	for (guint i = 0; i < groups->len; i++)
		if (eval_name_of(n, g_ptr_array_index(groups, i), why) ==
		    POLICY_YES)
			return POLICY_YES;
	if (!c->in->groups_unknown)
		return POLICY_NO;
	because(why, "unsure: group %s: the directory did not answer",
	    value_at(n, 0));
	return POLICY_UNSURE;
}

static enum policy_truth
eval_customer(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const struct directory_customer *customer = c->in->customer;
	const char *word = customer != NULL ? "known" : "unknown";

	if (eval_name_of(n, word, why) == POLICY_YES)
		return POLICY_YES;
	return eval_name_of(n, customer != NULL ? customer->id : NULL, why);
}

static enum policy_truth
eval_customer_list(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const struct directory_customer *customer = c->in->customer;
	const GPtrArray *lists = customer != NULL ? customer->lists : NULL;

	for (guint i = 0; lists != NULL && i < lists->len; i++)
		if (eval_name_of(n, g_ptr_array_index(lists, i), why) ==
		    POLICY_YES)
			return POLICY_YES;
	return POLICY_NO;
}

static enum policy_truth
eval_new(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	(void)n;
	if (c->in->new_unknown) {
		because(why, "unsure: new-counterpart: not known whether they "
		    "were seen before");
		return POLICY_UNSURE;
	}
	if (c->in->is_new_counterpart)
		because(why, "new-counterpart");
	return truth(c->in->is_new_counterpart);
}

static enum policy_truth
eval_template(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const struct item_template *t = c->in->item->template;

	for (guint i = 0; t != NULL && t->name != NULL &&
	    i < n->words->len; i++) {
		if (!policy_glob(g_ptr_array_index(n->words, i), t->name))
			continue;
		because(why, "template %s", value_at(n, i));
		return POLICY_YES;
	}
	return POLICY_NO;
}

static enum policy_truth
eval_time(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const struct directory_business *b = c->in->business;
	const struct clock_zone *desk = b != NULL && b->zone != NULL ?
	    clock_zone_get(b->zone) : NULL;
	int64_t at_ms = c->in->item->at_ms != 0 ? c->in->item->at_ms :
	    c->in->now_ms;

	for (guint i = 0; i < n->windows->len; i++) {
		const struct policy_hours *h =
		    g_ptr_array_index(n->windows, i);

		if (!policy_hours_have(h, desk, at_ms))
			continue;
		because(why, "time %s", h->source->name);
		return POLICY_YES;
	}
	return POLICY_NO;
}

static enum policy_truth
eval_age(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	int64_t at_ms = c->in->item->at_ms;

	/* What passes the gateway happens now. */
	if (at_ms == 0 && !c->in->at_gateway) {
		because(why, "unsure: age: the event has no time");
		return POLICY_UNSURE;
	}
	if (at_ms == 0 || c->in->now_ms - at_ms <= n->source->number)
		return POLICY_NO;
	because(why, "age over %" PRId64 " ms", n->source->number);
	return POLICY_YES;
}

static enum policy_truth
eval_always(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	(void)c;
	(void)n;
	because(why, "always");
	return POLICY_YES;
}

/* ---- files --------------------------------------------------------------------- */

/* What is known of the i-th file: from the role, else from the event. */
static bool
get_file(const struct policy_input *in, guint i, struct policy_file *out)
{
	const GPtrArray *media = in->item->media;
	const struct item_media *m;

	if (in->files != NULL) {
		if (i >= in->files->len)
			return false;
		*out = *(const struct policy_file *)
		    g_ptr_array_index(in->files, i);
		return true;
	}
	if (media == NULL || i >= media->len)
		return false;
	m = g_ptr_array_index(media, i);
	*out = (struct policy_file){ .name = m->filename,
		.type = m->mime_type, .size = -1,
		.malware = POLICY_MALWARE_UNKNOWN };
	return true;
}

typedef enum policy_truth file_fn(const struct policy_file *f,
    const struct policy_node *n, GPtrArray *why);

static enum policy_truth
any_file(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why, file_fn *fits)
{
	enum policy_truth t = POLICY_NO;
	struct policy_file f;

	for (guint i = 0; get_file(c->in, i, &f) && t != POLICY_YES; i++)
		t = MAX(t, fits(&f, n, why));
	return t;
}

/* "audio/ogg; codecs=opus" is audio/ogg. */
static enum policy_truth
fits_type(const struct policy_file *f, const struct policy_node *n,
    GPtrArray *why)
{
	g_autofree char *type = f->type != NULL ?
	    g_ascii_strdown(f->type, -1) : NULL;

	if (type == NULL) {
		because(why, "unsure: media-type: of a file it is not known");
		return POLICY_UNSURE;
	}
	type[strcspn(type, "; \t")] = '\0';
	for (guint i = 0; i < n->words->len; i++) {
		if (!policy_glob(g_ptr_array_index(n->words, i), type))
			continue;
		because(why, "media-type %s", value_at(n, i));
		return POLICY_YES;
	}
	return POLICY_NO;
}

static enum policy_truth
eval_media_type(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	return any_file(c, n, why, fits_type);
}

static enum policy_truth
fits_size(const struct policy_file *f, const struct policy_node *n,
    GPtrArray *why)
{
	if (f->size < 0) {
		because(why, "unsure: file-size: of a file it is not known");
		return POLICY_UNSURE;
	}
	if (f->size <= n->source->number)
		return POLICY_NO;
	because(why, "file-size over %" PRId64, n->source->number);
	return POLICY_YES;
}

static enum policy_truth
eval_file_size(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	return any_file(c, n, why, fits_size);
}

/* As a person's computer takes the name: without what is not seen, and
 * without the dots and blanks at its end. */
static char *
fold_file_name(const char *name)
{
	g_autofree char *line = text_clean(name, strlen(name), TEXT_LINE,
	    NAME_CHARS);
	char *folded = policy_fold(line);
	size_t len = strlen(folded);

	while (len > 0 && (folded[len - 1] == '.' || folded[len - 1] == ' '))
		folded[--len] = '\0';
	return folded;
}

static enum policy_truth
fits_name(const struct policy_file *f, const struct policy_node *n,
    GPtrArray *why)
{
	g_autofree char *name = f->name != NULL ? fold_file_name(f->name) :
	    NULL;

	for (guint i = 0; name != NULL && i < n->words->len; i++) {
		if (!policy_glob(g_ptr_array_index(n->words, i), name))
			continue;
		because(why, "file-name %s", value_at(n, i));
		return POLICY_YES;
	}
	return POLICY_NO;
}

static enum policy_truth
eval_file_name(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	return any_file(c, n, why, fits_name);
}

/* Whether it is clean or infected is not known of what nothing scanned. */
static enum policy_truth
fits_malware(const struct policy_file *f, const struct policy_node *n,
    GPtrArray *why)
{
	static const unsigned could_be[] = {
		[POLICY_MALWARE_UNKNOWN] = 1U << POLICY_MALWARE_CLEAN |
		    1U << POLICY_MALWARE_INFECTED |
		    1U << POLICY_MALWARE_UNSCANNED,
		[POLICY_MALWARE_CLEAN] = 0,
		[POLICY_MALWARE_INFECTED] = 0,
		[POLICY_MALWARE_UNSCANNED] = 1U << POLICY_MALWARE_CLEAN |
		    1U << POLICY_MALWARE_INFECTED,
	};

	if ((n->set >> f->malware & 1) != 0) {
		because(why, "malware %s", policy_word_at(POLICY_MALWARE,
		    (int)f->malware));
		return POLICY_YES;
	}
	if ((n->set & could_be[f->malware]) == 0)
		return POLICY_NO;
	because(why, "unsure: malware: a file was not scanned");
	return POLICY_UNSURE;
}

static enum policy_truth
eval_malware(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	return any_file(c, n, why, fits_malware);
}

/* ---- texts ------------------------------------------------------------------------ */

static enum policy_truth
eval_script(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	uint64_t both = n->set & policy_work_scripts(c->work, c->in);

	for (int bit = 0; both >> bit != 0; bit++)
		if ((both >> bit & 1) != 0)
			because(why, "script %s",
			    policy_word_at(POLICY_SCRIPT, bit));
	return truth(both != 0);
}

static enum policy_truth
eval_text_size(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const GArray *parts = policy_work_parts(c->work, c->in);
	int64_t chars = 0;

	for (guint i = 0; i < parts->len; i++) {
		const struct policy_part *part =
		    &g_array_index(parts, struct policy_part, i);

		if (g_strcmp0(part->name, "file-name") != 0)
			chars += g_utf8_strlen(part->text, -1);
	}
	if (chars <= n->source->number)
		return POLICY_NO;
	because(why, "text-size over %" PRId64, n->source->number);
	return POLICY_YES;
}

static bool
has_host_under(const GPtrArray *hosts, const char *domain)
{
	for (guint i = 0; i < hosts->len; i++)
		if (strcmp(domain, "*") == 0 ||
		    scan_host_is_under(g_ptr_array_index(hosts, i), domain))
			return true;
	return false;
}

static enum policy_truth
eval_link_host(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const GPtrArray *hosts = policy_work_hosts(c->work, c->in);
	enum policy_truth t = POLICY_NO;

	for (guint i = 0; i < n->words->len; i++) {
		if (!has_host_under(hosts, g_ptr_array_index(n->words, i)))
			continue;
		because(why, "link-host %s", value_at(n, i));
		t = POLICY_YES;
	}
	return t;
}

/* "lexicon lures: lures.txt:12 at 14-22", "detect card in caption at 3-22" */
static void
because_found(GPtrArray *why, const struct policy_found *f,
    const char *what, const char *name)
{
	if (why == NULL)
		return;
	because(why, "%s %s%s%s%s%s at %zu-%zu", what, name,
	    f->source == SCAN_LEXICON && f->phrase != NULL ? ": " : "",
	    f->source == SCAN_LEXICON && f->phrase != NULL ? f->phrase : "",
	    f->part != NULL ? " in " : "", f->part != NULL ? f->part : "",
	    f->from, f->to);
}

static const char *
lexicon_name(const struct policy_case *c, int id)
{
	const struct policy_lexicon *l = g_ptr_array_index(
	    c->policy->source->lexicons, (guint)id);

	return l->name;
}

static bool
is_in_lexicons(const struct policy_found *f, const struct policy_node *n)
{
	for (guint i = 0; i < n->lexicons->len; i++) {
		const struct policy_lexicon_ref *ref = &g_array_index(
		    n->lexicons, struct policy_lexicon_ref, i);

		if (f->source == SCAN_LEXICON && f->id == ref->id &&
		    (ref->category == NULL ||
		    g_strcmp0(f->category, ref->category) == 0))
			return true;
	}
	return false;
}

static enum policy_truth
eval_lexicon(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	int64_t need = MAX(n->source->number, 1), sum = 0;

	policy_work_scan(c->work, c->policy, c->in);
	for (guint i = 0; i < c->work->found->len; i++) {
		const struct policy_found *f = &g_array_index(c->work->found,
		    struct policy_found, i);

		if (!is_in_lexicons(f, n))
			continue;
		sum += n->source->number > 0 ? f->weight : 1;
		if (sum >= need && why == NULL)
			return POLICY_YES;
		because_found(why, f, "lexicon", lexicon_name(c, f->id));
	}
	if (sum >= need)
		return POLICY_YES;
	if (!c->work->is_cut || n->source->number == 0)
		return POLICY_NO;
	because(why, "unsure: lexicon: there are too many hits to add up");
	return POLICY_UNSURE;
}

static bool
has_id(const GArray *ids, int id)
{
	for (guint i = 0; i < ids->len; i++)
		if (g_array_index(ids, int, i) == id)
			return true;
	return false;
}

static const char *
pattern_name(const struct policy_case *c, int id)
{
	const struct policy_pattern *p = g_ptr_array_index(
	    c->policy->source->patterns, (guint)id);

	return p->name;
}

static enum policy_truth
unsure_pattern(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	enum policy_truth t = POLICY_NO;

	for (guint i = 0; i < c->work->unsure->len; i++) {
		int id = g_array_index(c->work->unsure, int, i);

		if (!has_id(n->ids, id))
			continue;
		because(why, "unsure: pattern %s met its limit",
		    pattern_name(c, id));
		t = POLICY_UNSURE;
	}
	return t;
}

static enum policy_truth
eval_pattern(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	enum policy_truth t = POLICY_NO;

	policy_work_scan(c->work, c->policy, c->in);
	for (guint i = 0; i < c->work->found->len; i++) {
		const struct policy_found *f = &g_array_index(c->work->found,
		    struct policy_found, i);

		if (f->source != SCAN_PATTERN || !has_id(n->ids, f->id))
			continue;
		if (why == NULL)
			return POLICY_YES;
		because_found(why, f, "pattern", pattern_name(c, f->id));
		t = POLICY_YES;
	}
	return MAX(t, unsure_pattern(c, n, why));
}

static enum policy_truth
eval_text(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	enum policy_truth t = POLICY_NO;

	policy_work_scan(c->work, c->policy, c->in);
	for (guint i = 0; i < c->work->found->len; i++) {
		struct policy_found f = g_array_index(c->work->found,
		    struct policy_found, i);

		if (f.source != SCAN_LEXICON || !has_id(n->ids, f.id))
			continue;
		f.phrase = NULL;
		because_found(why, &f, "text", n->source->where != NULL ?
		    n->source->where : "");
		t = POLICY_YES;
	}
	return t;
}

static enum policy_truth
eval_detect(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	enum policy_truth t = POLICY_NO;

	policy_work_detect(c->work, c->policy, c->in);
	for (guint i = 0; i < c->work->found->len; i++) {
		const struct policy_found *f = &g_array_index(c->work->found,
		    struct policy_found, i);

		if (f->source != SCAN_DETECTOR || f->id < 0 ||
		    (n->set >> f->id & 1) == 0)
			continue;
		because_found(why, f, "detect",
		    policy_word_at(POLICY_DETECT, f->id));
		t = POLICY_YES;
	}
	return t;
}

/* ---- of conditions -------------------------------------------------------------- */

static enum policy_truth
eval_all(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	enum policy_truth t = POLICY_YES;

	for (guint i = 0; i < n->nodes->len && t != POLICY_NO; i++)
		t = MIN(t, policy_eval(c, g_ptr_array_index(n->nodes, i),
		    why));
	return t;
}

/* With reasons all of its parts are looked at, each with its own. */
static enum policy_truth
eval_any(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	enum policy_truth t = POLICY_NO;

	for (guint i = 0; i < n->nodes->len; i++) {
		const struct policy_node *kid = g_ptr_array_index(n->nodes, i);
		enum policy_truth one = policy_eval(c, kid, NULL);

		t = MAX(t, one);
		if (why == NULL && t == POLICY_YES)
			return t;
		if (why != NULL && one != POLICY_NO)
			policy_eval(c, kid, why);
	}
	return t;
}

/* As the policy file says it. */
static void
describe(const struct policy_node *n, GString *out)
{
	bool is_group = n->nodes->len > 0;

	g_string_append(out, name_of(n));
	if (n->match == POLICY_TEXT)
		g_string_append_printf(out, " %s", n->source->where != NULL ?
		    n->source->where : "");
	for (guint i = 0; n->match != POLICY_TEXT &&
	    i < n->source->values->len; i++)
		g_string_append_printf(out, " %s", value_at(n, i));
	if (n->source->number > 0)
		g_string_append_printf(out, " over %" PRId64,
		    n->source->number);
	for (guint i = 0; i < n->nodes->len; i++) {
		g_string_append(out, i == 0 ? " { " : "; ");
		describe(g_ptr_array_index(n->nodes, i), out);
	}
	if (is_group)
		g_string_append(out, " }");
}

static enum policy_truth
eval_not(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	const struct policy_node *kid = g_ptr_array_index(n->nodes, 0);
	enum policy_truth t = POLICY_YES - policy_eval(c, kid, NULL);

	if (why != NULL && t != POLICY_NO) {
		g_autoptr(GString) text = g_string_new(NULL);

		describe(kid, text);
		because(why, "%snot %s", t == POLICY_UNSURE ? "unsure: " : "",
		    text->str);
	}
	return t;
}

enum policy_truth
policy_eval(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	static leaf_fn *const evals[POLICY_MATCHES] = {
		[POLICY_DIRECTION] = eval_word,
		[POLICY_AT] = eval_word,
		[POLICY_NETWORK] = eval_name,
		[POLICY_BUSINESS] = eval_business,
		[POLICY_DESK] = eval_name,
		[POLICY_AUTHOR] = eval_word,
		[POLICY_APPLICATION] = eval_name,
		[POLICY_EMPLOYEE] = eval_name,
		[POLICY_GROUP] = eval_group,
		[POLICY_CUSTOMER] = eval_customer,
		[POLICY_CUSTOMER_LIST] = eval_customer_list,
		[POLICY_NEW_COUNTERPART] = eval_new,
		[POLICY_SCRIPT] = eval_script,
		[POLICY_KIND] = eval_word,
		[POLICY_TYPE] = eval_word,
		[POLICY_TEMPLATE] = eval_template,
		[POLICY_MEDIA_TYPE] = eval_media_type,
		[POLICY_FILE_SIZE] = eval_file_size,
		[POLICY_FILE_NAME] = eval_file_name,
		[POLICY_TEXT_SIZE] = eval_text_size,
		[POLICY_LINK_HOST] = eval_link_host,
		[POLICY_TIME] = eval_time,
		[POLICY_AGE] = eval_age,
		[POLICY_LEXICON] = eval_lexicon,
		[POLICY_PATTERN] = eval_pattern,
		[POLICY_TEXT] = eval_text,
		[POLICY_DETECT] = eval_detect,
		[POLICY_MALWARE] = eval_malware,
		[POLICY_CONSENT] = eval_word,
		[POLICY_ALWAYS] = eval_always,
		[POLICY_ALL] = eval_all,
		[POLICY_ANY] = eval_any,
		[POLICY_NOT] = eval_not,
	};

	return evals[n->match](c, n, why);
}
