/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a journal wants otherwise than another, checked once. Journals with
 * the same wishes get the same style, which the caller sees by its address.
 */
#include "render_int.h"

#include <string.h>

#include "err.h"

static char *
key_of(const struct render_style_conf *conf, const char *language)
{
	return g_strdup_printf("%s\n%" G_GINT64_FORMAT "\n%" G_GINT64_FORMAT
	    "\n%" G_GINT64_FORMAT "\n%d\n", language, conf->max_bytes,
	    conf->max_files, conf->max_age_ms, conf->thread_index);
}

bool
render_style_get(struct render *r, const struct render_style_conf *conf,
    const struct render_style **out, struct err *err)
{
	const struct render_language *language;
	g_autofree char *key = NULL;
	struct render_style *s;

	if (!render_language_get(r, conf->language, &language, err))
		return false;
	key = key_of(conf, language->name);
	for (guint i = 0; i < r->styles->len; i++) {
		s = r->styles->pdata[i];
		if (g_str_equal(s->key, key)) {
			*out = s;
			return true;
		}
	}
	s = g_new0(struct render_style, 1);
	s->key = g_steal_pointer(&key);
	s->language = language;
	s->max_bytes = conf->max_bytes;
	s->max_files = conf->max_files;
	s->max_age_ms = conf->max_age_ms;
	s->thread_index = conf->thread_index;
	g_ptr_array_add(r->styles, s);
	*out = s;
	return true;
}

void
render_style_free(gpointer p)
{
	struct render_style *s = p;

	g_free(s->key);
	g_free(s);
}
