/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the cases of tests/golden/cases; a mistake in one ends the program. */
#include "golden_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "hash.h"
#include "io.h"

#define HOUR_MS INT64_C(3600000)

struct golden_file {
	const char *id;
	const char *name;	/* instead of that of the event; or NULL */
	struct render_media found;
};

static void
stop(const char *path, const char *why)
{
	fprintf(stderr, "golden_render: %s: %s\n", path, why);
	exit(1);
}

static char *
keep(struct golden_case *c, char *string)
{
	g_ptr_array_add(c->strings, string);
	return string;
}

/* Bytes that base64 and line ends have no pattern in common with. */
static void
make_up(const char *path, size_t len)
{
	g_autofree char *data = g_malloc(len);
	uint32_t x = 1;

	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = (char)(x >> 24);
	}
	if (!g_file_set_contents(path, data, (gssize)len, NULL))
		stop(path, "cannot be written");
}

static void
set_bytes(struct golden_case *c, struct golden_file *f, const char *name,
    const char *dir, const char *outdir)
{
	bool is_made = g_str_has_prefix(name, "made-");
	char *path = keep(c, is_made
	    ? g_build_filename(outdir, name, NULL)
	    : g_build_filename(dir, "..", "media", name, NULL));
	g_autoptr(GBytes) bytes = NULL;
	struct err err = ERR_INIT;
	gsize len;

	if (is_made)
		make_up(path, strtoul(name + strlen("made-"), NULL, 10));
	if (!io_file_load(path, 1 << 30, &bytes, &err))
		stop(path, err.text);
	len = g_bytes_get_size(bytes);
	f->found.path = path;
	f->found.size = (int64_t)len;
	hash_sha256(g_bytes_get_data(bytes, NULL), len, f->found.sha256);
}

/*
 * "verdict=clean", "reason=…", "name=…", "length=MS", "hash-differs",
 * "type-differs"
 */
static void
set_outcome(struct golden_case *c, struct golden_file *f, const char *word)
{
	if (g_str_has_prefix(word, "verdict="))
		f->found.verdict = keep(c, g_strdup(word + 8));
	else if (g_str_has_prefix(word, "reason="))
		f->found.reason = keep(c, g_strdup(word + 7));
	else if (g_str_has_prefix(word, "name="))
		f->name = keep(c, g_strdup(word + 5));
	else if (g_str_has_prefix(word, "length="))
		f->found.length_ms = strtoll(word + 7, NULL, 10);
	else if (g_str_equal(word, "hash-differs"))
		f->found.hash_differs = true;
	else if (g_str_equal(word, "type-differs"))
		f->found.type_differs = true;
	else
		stop(word, "is not an outcome");
}

/* file ID held|quarantined NAME TYPE OUTCOME ... | late|missing OUTCOME ... */
static void
add_file(struct golden_case *c, char **words, const char *dir,
    const char *outdir)
{
	static const char *const states[] = {
		[RENDER_MEDIA_HELD] = "held", [RENDER_MEDIA_LATE] = "late",
		[RENDER_MEDIA_MISSING] = "missing",
		[RENDER_MEDIA_QUARANTINED] = "quarantined" };
	struct golden_file *f = g_new0(struct golden_file, 1);
	guint next = 3;

	g_ptr_array_add(c->files, f);
	f->id = keep(c, g_strdup(words[1]));
	while (f->found.state < G_N_ELEMENTS(states) &&
	    !g_str_equal(states[f->found.state], words[2]))
		f->found.state++;
	if (f->found.state == RENDER_MEDIA_HELD ||
	    f->found.state == RENDER_MEDIA_QUARANTINED) {
		set_bytes(c, f, words[3], dir, outdir);
		f->found.type = keep(c, g_strdup(words[4]));
		next = 5;
	}
	for (; words[next] != NULL; next++)
		set_outcome(c, f, words[next]);
}

/* original lost | original held received|sent TEXT */
static void
set_original(struct golden_case *c, char **words)
{
	struct render_original *o = g_new0(struct render_original, 1);

	c->original = o;
	o->type = ITEM_TYPE_TEXT;
	o->at_ms = INT64_C(1790000000000);
	o->held = g_str_equal(words[1], "held");
	if (!o->held)
		return;
	o->direction = g_str_equal(words[2], "sent") ? ITEM_SENT
	    : ITEM_RECEIVED;
	o->author = "Ana T.";
	o->text = keep(c, g_strdup(words[3]));
}

static void
add_words(struct golden_case *c, const GPtrArray **list, char **words)
{
	GPtrArray *to = (GPtrArray *)(uintptr_t)*list;

	if (to == NULL)
		*list = to = g_ptr_array_new();
	for (; *words != NULL; words++)
		g_ptr_array_add(to, keep(c, g_strdup(*words)));
}

/* ---- rules ------------------------------------------------------------------- */

static int64_t
number(const char *word)
{
	return word != NULL ? strtoll(word, NULL, 10) : 0;
}

static struct render_policy *
policy_of(struct golden_case *c)
{
	if (c->policy == NULL)
		c->policy = g_new0(struct render_policy, 1);
	return c->policy;
}

/* hold END RULE SINCE UNTIL, in milliseconds */
static void
set_hold(struct golden_case *c, char **words)
{
	struct render_policy *p = policy_of(c);

	p->hold_end = keep(c, g_strdup(words[1]));
	p->hold_rule = keep(c, g_strdup(words[2]));
	p->held_ms = number(words[3]);
	p->hold_end_ms = number(words[4]);
}

/* review VERB NOTE */
static void
add_review(struct golden_case *c, char **words)
{
	struct render_policy *p = policy_of(c);
	GPtrArray *to = (GPtrArray *)(uintptr_t)p->reviews;
	struct item_fact *act = (struct item_fact *)(void *)keep(c,
	    g_malloc0(sizeof(*act)));

	if (to == NULL)
		p->reviews = to = g_ptr_array_new();
	act->name = keep(c, g_strdup(words[1]));
	act->value = keep(c, g_strdup(words[2]));
	g_ptr_array_add(to, act);
}

/* policy WORD SET | rules … | unsure … | not-here … | tags … | why LINE … */
static bool
set_policy(struct golden_case *c, char **words)
{
	const char *what = words[0];

	if (g_str_equal(what, "policy")) {
		policy_of(c)->word = keep(c, g_strdup(words[1]));
		policy_of(c)->set = keep(c, g_strdup(words[2]));
	} else if (g_str_equal(what, "rules")) {
		add_words(c, &policy_of(c)->rules, words + 1);
	} else if (g_str_equal(what, "unsure")) {
		add_words(c, &policy_of(c)->unsure, words + 1);
	} else if (g_str_equal(what, "not-here")) {
		add_words(c, &policy_of(c)->not_here, words + 1);
	} else if (g_str_equal(what, "tags")) {
		add_words(c, &policy_of(c)->tags, words + 1);
	} else if (g_str_equal(what, "why")) {
		add_words(c, &policy_of(c)->why, words + 1);
	} else if (g_str_equal(what, "flag")) {
		policy_of(c)->flag = true;
	} else if (g_str_equal(what, "retain")) {
		policy_of(c)->retain = keep(c, g_strdup(words[1]));
	} else if (g_str_equal(what, "hold")) {
		set_hold(c, words);
	} else if (g_str_equal(what, "review")) {
		add_review(c, words);
	} else {
		return false;
	}
	return true;
}

/* excluded RULE | employee ID | name NAME SOURCE */
static bool
set_turn(struct golden_case *c, char **words)
{
	const char *what = words[0];

	if (g_str_equal(what, "excluded")) {
		c->is_excluded = true;
		c->exclude_rule = keep(c, g_strdup(words[1]));
	} else if (g_str_equal(what, "employee")) {
		c->employee = keep(c, g_strdup(words[1]));
	} else if (g_str_equal(what, "name")) {
		c->name = keep(c, g_strdup(words[1]));
		c->name_source = keep(c, g_strdup(words[2]));
	} else {
		return false;
	}
	return true;
}

static bool
set_style(struct golden_case *c, char **words)
{
	const char *what = words[0];
	int64_t n = words[1] != NULL ? strtoll(words[1], NULL, 10) : 0;

	if (g_str_equal(what, "max-bytes"))
		c->style.max_bytes = n;
	else if (g_str_equal(what, "max-files"))
		c->style.max_files = n;
	else if (g_str_equal(what, "max-age-hours"))
		c->style.max_age_ms = n * HOUR_MS;
	else if (g_str_equal(what, "thread-index"))
		c->style.thread_index = true;
	else if (g_str_equal(what, "language"))
		c->style.language = keep(c, g_strdup(words[1]));
	else if (g_str_equal(what, "header"))
		add_words(c, &c->style.headers, words + 1);
	else if (g_str_equal(what, "rename"))
		add_words(c, &c->style.renames, words + 1);
	else if (g_str_equal(what, "recipients-header"))
		add_words(c, &c->style.recipient_headers, words + 1);
	else
		return false;
	return true;
}

static void
read_line(struct golden_case *c, char **words, const char *dir,
    const char *outdir)
{
	const char *what = words[0];

	if (g_str_equal(what, "event") || g_str_equal(what, "record"))
		c->event = g_strdup_printf("%s/../../%ss/%s.json", dir, what,
		    words[1]);
	else if (g_str_equal(what, "file"))
		add_file(c, words, dir, outdir);
	else if (g_str_equal(what, "follow-up"))
		c->is_follow_up = true;
	else if (g_str_equal(what, "age-hours"))
		c->age_ms = strtoll(words[1], NULL, 10) * HOUR_MS;
	else if (g_str_equal(what, "parent"))
		c->parent = keep(c, g_strdup(words[1]));
	else if (g_str_equal(what, "original"))
		set_original(c, words);
	else if (!set_style(c, words) && !set_policy(c, words) &&
	    !set_turn(c, words))
		stop(what, "is not a word of a case");
}

void
golden_case_load(struct golden_case *c, const char *path, const char *outdir)
{
	g_autofree char *text = NULL, *dir = g_path_get_dirname(path);
	g_auto(GStrv) lines = NULL;

	memset(c, 0, sizeof(*c));
	c->files = g_ptr_array_new_with_free_func(g_free);
	c->strings = g_ptr_array_new_with_free_func(g_free);
	c->media = g_ptr_array_new();
	c->originals = g_ptr_array_new();
	if (!g_file_get_contents(path, &text, NULL, NULL))
		stop(path, "cannot be read");
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		g_auto(GStrv) words = NULL;

		if (**line != '\0' && **line != '#' &&
		    g_shell_parse_argv(*line, NULL, &words, NULL))
			read_line(c, words, dir, outdir);
	}
	if (c->event == NULL)
		stop(path, "names no event");
}

static void
drop(const GPtrArray *list)
{
	if (list != NULL)
		g_ptr_array_unref((GPtrArray *)(uintptr_t)list);
}

void
golden_case_clear(struct golden_case *c)
{
	drop(c->style.headers);
	drop(c->style.renames);
	drop(c->style.recipient_headers);
	if (c->policy != NULL) {
		drop(c->policy->rules);
		drop(c->policy->unsure);
		drop(c->policy->not_here);
		drop(c->policy->tags);
		drop(c->policy->why);
		drop(c->policy->reviews);
	}
	g_free(c->policy);
	g_ptr_array_unref(c->media);
	g_ptr_array_unref(c->originals);
	g_ptr_array_unref(c->files);
	g_ptr_array_unref(c->strings);
	g_free(c->original);
	g_free(c->event);
}

static void
find_files(const struct golden_case *c, const struct item *it)
{
	for (guint i = 0; it->media != NULL && i < it->media->len; i++) {
		struct item_media *m = it->media->pdata[i];

		for (guint k = 0; k < c->files->len; k++) {
			struct golden_file *f = c->files->pdata[k];

			if (g_strcmp0(f->id, m->id) != 0)
				continue;
			f->found.media = m;
			if (f->name != NULL) {
				g_free(m->filename);
				m->filename = g_strdup(f->name);
			}
			g_ptr_array_add(c->media, &f->found);
		}
	}
}

void
golden_case_apply(const struct golden_case *c, struct render_input *in)
{
	const struct item *first = in->items->pdata[0];

	g_ptr_array_set_size(c->media, 0);
	g_ptr_array_set_size(c->originals, 0);
	for (guint i = 0; i < in->items->len; i++) {
		find_files(c, in->items->pdata[i]);
		g_ptr_array_add(c->originals, i == 0 ? c->original : NULL);
	}
	in->media = c->media;
	in->originals = c->originals;
	in->is_follow_up = c->is_follow_up;
	in->parent_message_id = c->parent;
	in->policy = c->policy;
	in->is_excluded = c->is_excluded;
	in->exclude_rule = c->exclude_rule;
	in->employee = c->employee;
	in->counterpart_name = c->name;
	in->counterpart_name_source = c->name_source;
	if (c->name != NULL)
		in->customer = NULL;
	if (c->age_ms != 0)
		in->now_ms = first->at_ms + c->age_ms;
}
