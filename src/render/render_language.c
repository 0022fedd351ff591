/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The templates of a language, loaded when the first style wants it.
 *
 * There is one set of templates; what differs are the words in it, and these
 * are in a catalog beside the templates (pt.words). A directory of templates
 * that an administrator made may have a catalog of its own, which says only
 * what is new or otherwise: the installed one is read before it.
 */
#include "render_int.h"

#include <string.h>
#include <unistd.h>

#include "err.h"
#include "render_words.h"

#define ENGLISH "en"
#define INSTALLED PKGDATADIR "/templates"

/* ---- the catalog ------------------------------------------------------------ */

static bool
read_catalog(struct render_words *w, const char *path, bool *found,
    struct err *err)
{
	if (access(path, F_OK) != 0)
		return true;
	*found = true;
	return render_words_read(w, path, err);
}

/* English is complete without a file, but may have one to say it otherwise. */
static bool
load_words(struct render_language *l, const char *dir, struct err *err)
{
	g_autofree char *file = g_strconcat(l->name, ".words", NULL);
	g_autofree char *installed = g_build_filename(INSTALLED, file, NULL);
	bool is_english = g_str_equal(l->name, ENGLISH);
	bool found = false;

	l->path = g_build_filename(dir, file, NULL);
	l->words = render_words_new(l->name);
	if (!is_english && !g_str_equal(installed, l->path) &&
	    !read_catalog(l->words, installed, &found, err))
		return false;
	if (!read_catalog(l->words, l->path, &found, err))
		return false;
	if (!found && is_english) {
		render_words_free(g_steal_pointer(&l->words));
		return true;
	}
	if (!found)
		return err_set(err, ERR_CONF, "render.language", "there is no "
		    "file %s, so no language \"%s\"; en, pt and ru come with "
		    "chatjournal", l->path, l->name);
	return is_english || render_words_check(l->words, l->path, err);
}

static const char *
find_words(const void *catalog, const char *words)
{
	const struct render_words *w = catalog;

	return g_hash_table_lookup(w->table, words);
}

/* Of English, what a file does not say otherwise stays as it is. */
static const char *
find_english(const void *catalog, const char *words)
{
	return render_word(catalog, words);
}

/* ---- the templates ----------------------------------------------------------- */

static bool
load_template(const struct render_language *l, const char *path,
    enum template_kind kind, struct template **out, struct err *err)
{
	g_autoptr(GBytes) bytes = NULL;
	struct template_source source = { .name = path, .kind = kind,
		.vars = render_template_vars(), .catalog = l->words,
		.catalog_name = l->path,
		.find = g_str_equal(l->name, ENGLISH) ? find_english :
		    find_words };

	return template_load(&source, &bytes, out, err) &&
	    (kind != TEMPLATE_HTML ||
	    render_html_check(path, source.text, err));
}

static bool
load_templates(struct render_language *l, const char *dir, struct err *err)
{
	const struct {
		const char *name;
		enum template_kind kind;
		struct template **out;
	} files[] = {
		{ "subject.txt", TEMPLATE_LINE, &l->subject },
		{ "turn.txt", TEMPLATE_TEXT, &l->text },
		{ "turn.html", TEMPLATE_HTML, &l->html },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(dir, files[i].name,
		    NULL);

		if (!load_template(l, path, files[i].kind, files[i].out, err))
			return false;
	}
	return true;
}

/* It becomes a part of a path. */
static bool
check_name(const char *name, struct err *err)
{
	size_t len = strlen(name);

	if (len > 0 && len <= 35 && strspn(name,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") == len)
		return true;
	return err_set(err, ERR_CONF, "render.language", "\"%s\" is not a "
	    "language; write it as en, pt or ru", name);
}

static bool
load(struct render *r, struct render_language *l, struct err *err)
{
	return check_name(l->name, err) && load_words(l, r->templates, err) &&
	    load_templates(l, r->templates, err);
}

bool
render_language_get(struct render *r, const char *name,
    const struct render_language **out, struct err *err)
{
	struct render_language *l;

	if (name == NULL)
		name = ENGLISH;
	for (guint i = 0; i < r->languages->len; i++) {
		l = r->languages->pdata[i];
		if (g_str_equal(l->name, name)) {
			*out = l;
			return true;
		}
	}
	l = g_new0(struct render_language, 1);
	l->name = g_strdup(name);
	if (!load(r, l, err)) {
		render_language_free(l);
		return false;
	}
	g_ptr_array_add(r->languages, l);
	*out = l;
	return true;
}

void
render_language_free(gpointer p)
{
	struct render_language *l = p;

	template_free(l->subject);
	template_free(l->text);
	template_free(l->html);
	render_words_free(l->words);
	g_free(l->path);
	g_free(l->name);
	g_free(l);
}
