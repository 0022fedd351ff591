/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The templates of a language, loaded when the first style wants it. English
 * is in the directory of templates itself, any other in one below it.
 */
#include "render_int.h"

#include <string.h>

#include "err.h"
#include "io.h"

#define TEMPLATE_FILE_MAX (1 << 20)
#define ENGLISH "en"

static bool
load_template(const char *dir, const char *name, enum template_kind kind,
    struct template **out, struct err *err)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autoptr(GBytes) bytes = NULL;
	const char *text;
	gsize len;

	if (!io_file_load(path, TEMPLATE_FILE_MAX, &bytes, err)) {
		if (err != NULL)
			err->kind = ERR_CONF;
		return false;
	}
	text = g_bytes_get_data(bytes, &len);
	return template_compile(path, text, len, kind, render_template_vars(),
	    out, err) &&
	    (kind != TEMPLATE_HTML || render_html_check(path, text, err));
}

static bool
load(struct render *r, struct render_language *l, struct err *err)
{
	g_autofree char *dir = g_str_equal(l->name, ENGLISH)
	    ? g_strdup(r->templates)
	    : g_build_filename(r->templates, l->name, NULL);

	return load_template(dir, "subject.txt", TEMPLATE_LINE, &l->subject,
	    err) &&
	    load_template(dir, "turn.txt", TEMPLATE_TEXT, &l->text, err) &&
	    load_template(dir, "turn.html", TEMPLATE_HTML, &l->html, err);
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
	if (!check_name(name, err))
		return false;
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
	g_free(l->name);
	g_free(l);
}
