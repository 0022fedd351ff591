/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reader of the rule language. The input is the policy file, /p; after a line
 * "%%" follows a lexicon, /x. Laws: what is refused says where; messages are
 * clean; what is accepted has whole rules, each with its place, and a hash of
 * its bundle; its snapshot gives the same rules and texts; what compiles of it
 * has no error, and what does not has one with a place. No directive is taken
 * for values of the one before it without a word, unless it is in quotes.
 */
#include <assert.h>
#include <string.h>
#include <sys/mman.h>

#include "conf.h"
#include "err.h"
#include "fuzz.h"
#include "hash.h"
#include "io.h"
#include "policy.h"
#include "text.h"

#define MARK "\n%%\n"

static const char MAIN[] = "policy /p; catch_all a; "
	"intake { app_secret_file /s; verify_token_file /t; } "
	"render { domain d.example; } graph { token_file /g; } "
	"journal a { maildir /m; } journal b { maildir /b; }\n";

static void
put_strings(GString *out, const GPtrArray *list)
{
	for (guint i = 0; i < list->len; i++)
		g_string_append_printf(out, " <%s>",
		    (const char *)list->pdata[i]);
}

static void
put_conds(GString *out, const GPtrArray *conds)
{
	for (guint i = 0; i < conds->len; i++) {
		const struct policy_cond *c = conds->pdata[i];
		bool is_block = c->match == POLICY_ALL ||
		    c->match == POLICY_ANY || c->match == POLICY_NOT;

		assert(c->where != NULL && strchr(c->where, ':') != NULL);
		assert((c->conds->len > 0) == is_block);
		assert(c->match != POLICY_NOT || c->conds->len == 1);
		g_string_append_printf(out, "%s %s %ld", c->where,
		    policy_match_name(c->match), (long)c->number);
		put_strings(out, c->values);
		g_string_append(out, " {");
		put_conds(out, c->conds);
		g_string_append(out, " }");
	}
}

static void
put_rule(GString *out, const struct policy_rule *r)
{
	assert(*r->name != '\0' && r->conds->len > 0);
	assert(r->actions->len > 0 || r->is_final);
	g_string_append_printf(out, "rule %s %s %ld %ld %d %d %d\n", r->name,
	    r->where, (long)r->count_over, (long)r->count_ms,
	    (int)r->count_per, r->is_final, r->is_sure);
	put_conds(out, r->conds);
	for (guint i = 0; i < r->actions->len; i++) {
		const struct policy_action *a = r->actions->pdata[i];

		g_string_append_printf(out, "\n%s %s %s %d %ld %ld", a->where,
		    policy_act_name(a->act), a->text != NULL ? a->text : "",
		    a->once, (long)a->ms, (long)a->persons);
		put_strings(out, a->values);
	}
}

static void
put_lexicon(GString *out, const struct policy_lexicon *x)
{
	assert(x->files->len > 0);
	g_string_append_printf(out, "\nlexicon %s %s", x->name, x->where);
	for (guint i = 0; i < x->files->len; i++) {
		const struct policy_text *t = x->files->pdata[i];

		g_string_append_printf(out, " %s %zu ", t->name, t->len);
		g_string_append_len(out, t->text, (gssize)t->len);
	}
}

static void
put_window(GString *out, const struct policy_window *w)
{
	assert(w->n_spans > 0);
	g_string_append_printf(out, "\nwindow %s %s", w->name,
	    w->zone != NULL ? w->zone : "");
	for (size_t i = 0; i < w->n_spans; i++) {
		const struct policy_span *s = &w->spans[i];

		assert(s->days > 0 && s->days < 0x80);
		assert(s->from_min >= 0 && s->from_min < 1440);
		assert(s->until_min >= 0 && s->until_min <= 1440);
		g_string_append_printf(out, " %x %d-%d", s->days, s->from_min,
		    s->until_min);
	}
	put_strings(out, w->holidays);
}

/* All that is in a source, so that two can be compared. */
static char *
dump(const struct conf *c)
{
	const struct policy_source *s = c->policy;
	GString *out = g_string_new(NULL);

	conf_policy_bundle(c, out);
	g_string_append_len(out, (const char *)s->sha256, HASH_SIZE);
	g_string_append_printf(out, "%ld %ld %ld\n", (long)s->hold_ms,
	    (long)s->hold_persons, (long)s->alert_ms);
	for (guint i = 0; i < s->rules->len; i++)
		put_rule(out, s->rules->pdata[i]);
	for (guint i = 0; i < s->lexicons->len; i++)
		put_lexicon(out, s->lexicons->pdata[i]);
	for (guint i = 0; i < s->windows->len; i++)
		put_window(out, s->windows->pdata[i]);
	for (guint i = 0; i < s->patterns->len; i++) {
		const struct policy_pattern *p = s->patterns->pdata[i];

		g_string_append_printf(out, "\npattern %s %s %s", p->name,
		    p->regex, p->where);
	}
	return g_string_free(out, FALSE);
}

static void
check_hash(const struct conf *c)
{
	g_autoptr(GString) bundle = g_string_new(NULL);
	uint8_t want[HASH_SIZE];

	conf_policy_bundle(c, bundle);
	assert(g_str_has_prefix(bundle->str, "# file p, "));
	hash_sha256(bundle->str, bundle->len, want);
	assert(memcmp(want, c->policy->sha256, HASH_SIZE) == 0);
}

static void
check_snapshot(const struct conf *c)
{
	auto_fd int fd = memfd_create("conf", MFD_CLOEXEC);
	g_autofree char *one = dump(c), *two = NULL;
	struct conf *again = NULL;

	assert(fd >= 0 && conf_snapshot_save(c, fd, NULL));
	assert(conf_snapshot_load(fd, &again, NULL));
	two = dump(again);
	assert(strcmp(one, two) == 0);
	conf_free(again);
	again = NULL;
	assert(conf_snapshot_load_main(fd, &again, NULL));
	assert(again->policy->rules->len == 0);
	conf_free(again);
}

static void
count_errors(void *arg, const char *where, bool is_error, const char *text)
{
	unsigned *errors = arg;

	assert(*where != '\0' && *text != '\0');
	*errors += is_error;
}

static void
check_compiled(const struct conf *c)
{
	struct err err = ERR_INIT;
	struct policy *p = NULL;
	unsigned errors = 0;

	if (policy_new(c->policy, count_errors, &errors, &p, &err)) {
		assert(errors == 0);
		policy_free(p);
	} else {
		assert(errors > 0 && err.kind == ERR_CONF && p == NULL);
	}
}

static void
check_values(const GPtrArray *values)
{
	for (guint i = 1; i + 1 < values->len; i++) {
		const char *word = values->pdata[i];
		enum policy_match m;
		enum policy_act a;

		assert(strcmp(word, "match") != 0 ||
		    !policy_match_parse(values->pdata[i + 1], &m));
		assert(strcmp(word, "action") != 0 ||
		    !policy_act_parse(values->pdata[i + 1], &a));
	}
}

static void
check_conds(const GPtrArray *conds)
{
	for (guint i = 0; i < conds->len; i++) {
		const struct policy_cond *c = conds->pdata[i];

		check_values(c->values);
		check_conds(c->conds);
	}
}

/* What was warned of is not silent, nor is what is in quotes forgotten. */
static void
check_ends(const struct conf *c, const GString *messages, const char *text,
    size_t len)
{
	const GPtrArray *rules = c->policy->rules;

	if (strstr(messages->str, "a ';' seems") != NULL ||
	    memchr(text, '"', len) != NULL || memchr(text, '\'', len) != NULL)
		return;
	for (guint i = 0; i < rules->len; i++) {
		const struct policy_rule *r = rules->pdata[i];

		check_conds(r->conds);
		for (guint k = 0; k < r->actions->len; k++)
			check_values(((const struct policy_action *)
			    r->actions->pdata[k])->values);
	}
}

static void
check_messages(const GString *messages)
{
	assert(text_is_utf8(messages->str, messages->len));
	for (const char *p = messages->str; *p != '\0'; p++)
		assert((unsigned char)*p >= ' ' || *p == '\n' || *p == '\t');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	const char *mark = len == 0 ? NULL : memmem(text, len, MARK,
	    strlen(MARK));
	size_t first = mark == NULL ? len : (size_t)(mark - text);
	size_t skip = mark == NULL ? len : first + strlen(MARK);
	const struct conf_text texts[] = { { "/m", MAIN, strlen(MAIN) },
		{ "/p", text, first },
		{ "/x", text + skip, len - skip } };
	g_autoptr(GString) messages = g_string_new(NULL);
	struct err err = ERR_INIT;
	struct conf *c = NULL;

	if (conf_load_texts(texts, G_N_ELEMENTS(texts), &c, messages, &err)) {
		check_hash(c);
		check_ends(c, messages, text, first);
		check_snapshot(c);
		check_compiled(c);
	} else {
		assert(c == NULL && err.kind == ERR_CONF);
		assert(g_str_has_prefix(messages->str, "/p:"));
	}
	check_messages(messages);
	conf_free(c);
	return 0;
}
