/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts a configuration was made from. A file is read at most once, and
 * a pattern is expanded at most once; together they are the snapshot, from
 * which the same configuration can be made again. Sealed files never ask the
 * disk. Nothing is parsed here.
 */
#include "conf_text.h"

#include <glob.h>
#include <string.h>

#include "err.h"
#include "io.h"

static void
source_free(gpointer p)
{
	struct conf_source *src = p;

	g_free(src->name);
	g_free(src->text);
	g_free(src);
}

static void
glob_free(gpointer p)
{
	struct conf_glob *g = p;

	g_free(g->pattern);
	g_ptr_array_unref(g->names);
	g_free(g);
}

struct conf_files *
conf_files_new(bool sealed)
{
	struct conf_files *f = g_new0(struct conf_files, 1);

	f->sealed = sealed;
	f->cwd = g_get_current_dir();
	f->sources = g_ptr_array_new_with_free_func(source_free);
	f->globs = g_ptr_array_new_with_free_func(glob_free);
	f->policy = g_ptr_array_new();
	return f;
}

void
conf_files_main_ends(struct conf_files *f)
{
	f->main_sources = f->sources->len;
	f->main_globs = f->globs->len;
}

void
conf_files_free(struct conf_files *f)
{
	if (f == NULL)
		return;
	g_free(f->cwd);
	g_ptr_array_unref(f->sources);
	g_ptr_array_unref(f->globs);
	g_ptr_array_unref(f->policy);
	g_free(f->policy_instead);
	g_free(f);
}

bool
conf_files_add(struct conf_files *f, const char *name, char *text, size_t len,
    struct err *err)
{
	struct conf_source *src;

	if (len > CONF_TEXT_MAX - f->total_bytes) {
		g_free(text);
		return err_set(err, ERR_CONF, "conf.size",
		    "%s: all files together are larger than %u MiB", name,
		    CONF_TEXT_MAX >> 20);
	}
	src = g_new0(struct conf_source, 1);
	src->name = g_strdup(name);
	src->text = text;
	src->len = len;
	src->rank = f->sources->len;
	f->total_bytes += len;
	g_ptr_array_add(f->sources, src);
	return true;
}

static struct conf_source *
find_source(const struct conf_files *f, const char *name)
{
	for (guint i = 0; i < f->sources->len; i++) {
		struct conf_source *src = f->sources->pdata[i];

		if (strcmp(src->name, name) == 0)
			return src;
	}
	return NULL;
}

static bool
load(struct conf_files *f, const char *name, struct err *err)
{
	GBytes *bytes;
	gsize len;
	char *text;

	if (!io_file_load(name, CONF_TEXT_MAX, &bytes, err))
		return false;
	text = g_bytes_unref_to_data(bytes, &len);
	return conf_files_add(f, name, text, len, err);
}

static const struct conf_source *
note(struct conf_files *f, struct conf_source *src)
{
	if (f->in_policy && !src->of_policy) {
		src->of_policy = true;
		g_ptr_array_add(f->policy, src);
	}
	return src;
}

void
conf_files_keep_policy(struct conf_files *f)
{
	GPtrArray *kept = g_ptr_array_new_with_free_func(source_free);

	for (guint i = 0; i < f->sources->len; i++) {
		struct conf_source *src = f->sources->pdata[i];

		if (src->of_policy)
			g_ptr_array_add(kept, src);
		else
			source_free(src);
	}
	g_ptr_array_set_free_func(f->sources, NULL);
	g_ptr_array_unref(f->sources);
	f->sources = kept;
	g_ptr_array_set_size(f->globs, 0);
}

char *
conf_files_policy_name(const struct conf_files *f,
    const struct conf_source *src)
{
	const struct conf_source *first = f->policy->pdata[0];
	g_autofree char *dir = g_path_get_dirname(first->name);
	size_t len = strcmp(dir, "/") == 0 ? 0 : strlen(dir);

	if (strncmp(src->name, dir, len) == 0 && src->name[len] == '/')
		return g_strdup(src->name + len + 1);
	return g_strdup(src->name);
}

const struct conf_source *
conf_files_get(struct conf_files *f, const char *name, struct err *err)
{
	struct conf_source *src = find_source(f, name);

	if (src != NULL)
		return note(f, src);
	if (f->sealed) {
		err_set(err, ERR_CONF, "conf.sealed",
		    "%s cannot be read here: only the text given counts",
		    name);
		return NULL;
	}
	return load(f, name, err) ? note(f, find_source(f, name)) : NULL;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In byte order, so that no locale changes which file comes first. */
static bool
expand(const char *pattern, GPtrArray *names, struct err *err)
{
	glob_t g = { .gl_pathc = 0 };
	int rc = glob(pattern, GLOB_NOSORT | GLOB_ERR, NULL, &g);

	for (size_t i = 0; rc == 0 && i < g.gl_pathc; i++)
		g_ptr_array_add(names, g_strdup(g.gl_pathv[i]));
	globfree(&g);
	if (rc != 0 && rc != GLOB_NOMATCH)
		return err_set(err, ERR_CONF, "conf.glob",
		    "cannot list %s: a directory cannot be read", pattern);
	g_ptr_array_sort(names, compare_names);
	return true;
}

static const GPtrArray *
find_glob(const struct conf_files *f, const char *pattern)
{
	for (guint i = 0; i < f->globs->len; i++) {
		const struct conf_glob *g = f->globs->pdata[i];

		if (strcmp(g->pattern, pattern) == 0)
			return g->names;
	}
	return NULL;
}

const GPtrArray *
conf_files_glob(struct conf_files *f, const char *pattern, struct err *err)
{
	const GPtrArray *known = find_glob(f, pattern);
	struct conf_glob *g;

	if (known != NULL)
		return known;
	if (f->sealed) {
		err_set(err, ERR_CONF, "conf.sealed",
		    "%s cannot be listed here: only the text given counts",
		    pattern);
		return NULL;
	}
	g = g_new0(struct conf_glob, 1);
	g->pattern = g_strdup(pattern);
	g->names = g_ptr_array_new_with_free_func(g_free);
	if (!expand(pattern, g->names, err)) {
		glob_free(g);
		return NULL;
	}
	g_ptr_array_add(f->globs, g);
	return g->names;
}

char *
conf_files_name(const struct conf_source *by, const char *value)
{
	g_autofree char *dir = NULL;

	if (by == NULL || g_path_is_absolute(value))
		return g_strdup(value);
	dir = g_path_get_dirname(by->name);
	if (strcmp(dir, ".") == 0)
		return g_strdup(value);
	return g_build_filename(dir, value, NULL);
}

char *
conf_files_path(const struct conf_files *f, const struct conf_source *by,
    const char *value)
{
	g_autofree char *name = conf_files_name(by, value);

	if (f == NULL || g_path_is_absolute(name))
		return g_steal_pointer(&name);
	return g_build_filename(f->cwd, name, NULL);
}
