/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalog of a language: a file of lines "English = Translation".
 *
 * Nothing in it is a format or a program: %s and %u are replaced as text, and
 * a translation passes the same escaping as any value. What is wrong with a
 * file is found when it is loaded, and told with file and line.
 */
#include "render_words.h"

#include <string.h>

#include "err.h"
#include "io.h"
#include "render_int.h"
#include "text.h"

#define CATALOG_MAX (1 << 20)
#define BOM "\xef\xbb\xbf"
#define LANGUAGE "render.language"

/* ---- plural forms: Unicode CLDR, for whole numbers -------------------------- */

static const char *
one_or_many(guint n)
{
	return n == 1 ? "one" : "many";
}

/* Russian, Ukrainian, Belarusian: 1 and 21; 2-4 and 22-24; 5-20 and 25. */
static const char *
east_slavic(guint n)
{
	if (n % 10 == 1 && n % 100 != 11)
		return "one";
	if (n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14))
		return "few";
	return "many";
}

static const char *
polish(guint n)
{
	if (n == 1)
		return "one";
	return n % 10 == 1 ? "many" : east_slavic(n);
}

static const char *
czech(guint n)
{
	if (n == 1)
		return "one";
	return n >= 2 && n <= 4 ? "few" : "many";
}

static const char *
only_many(guint n)
{
	(void)n;
	return "many";
}

static const struct plural {
	const char *language;
	const char *(*form)(guint n);
	const char *forms[4];
} plurals[] = {
	{ "ru", east_slavic, { "one", "few", "many" } },
	{ "uk", east_slavic, { "one", "few", "many" } },
	{ "be", east_slavic, { "one", "few", "many" } },
	{ "pl", polish, { "one", "few", "many" } },
	{ "cs", czech, { "one", "few", "many" } },
	{ "sk", czech, { "one", "few", "many" } },
	{ "ja", only_many, { "many" } },
	{ "ko", only_many, { "many" } },
	{ "zh", only_many, { "many" } },
	{ NULL, one_or_many, { "one", "many" } },
};

/* "pt-BR" counts as "pt". */
static const struct plural *
plural_of(const char *language)
{
	size_t len = strcspn(language, "-");
	const struct plural *p = plurals;

	while (p->language != NULL && (strlen(p->language) != len ||
	    strncmp(p->language, language, len) != 0))
		p++;
	return p;
}

/* ---- reading ---------------------------------------------------------------- */

struct reader {
	struct render_words *words;
	GHashTable *seen;	/* keys of this file; char *, owned by words */
	const char *path;
	unsigned line;
	struct err *err;
};

static bool
refuse(const struct reader *r, const char *why, const char *what)
{
	return err_set(r->err, ERR_CONF, LANGUAGE, "%s:%u: %s%s", r->path,
	    r->line, why, what);
}

static size_t
count(const char *text, const char *mark)
{
	size_t n = 0;

	for (; (text = strstr(text, mark)) != NULL; text += strlen(mark))
		n++;
	return n;
}

static bool
check_pair(const struct reader *r, const char *key, const char *value)
{
	if (*key == '\0' || *value == '\0')
		return refuse(r, "one side is empty; write "
		    "\"English = translation\"", "");
	if (count(key, "%s") != count(value, "%s") ||
	    count(key, "%u") != count(value, "%u"))
		return refuse(r, "%s and %u must be in both, as often: ",
		    key);
	if (g_hash_table_contains(r->seen, key))
		return refuse(r, "a second translation of ", key);
	return true;
}

static bool
read_line(struct reader *r, char *line)
{
	char *middle = strstr(line, " = ");
	g_autofree char *clean = text_clean(line, strlen(line), TEXT_LINE,
	    SIZE_MAX);
	char *key, *value;

	if (strcmp(clean, line) != 0)
		return refuse(r, "a control, an invisible character, or not "
		    "UTF-8", "");
	if (middle == NULL)
		return refuse(r, "there is no \" = \"; write "
		    "\"English = translation\"", "");
	*middle = '\0';
	g_strstrip(line);
	if (!check_pair(r, line, g_strstrip(middle + 3)))
		return false;
	key = g_strdup(line);
	value = g_strdup(middle + 3);
	/* Not insert: that would keep the old key, and free this one. */
	g_hash_table_replace(r->words->table, key, value);
	g_hash_table_add(r->seen, key);
	return true;
}

bool
render_words_read(struct render_words *w, const char *path, struct err *err)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	struct reader r = { .words = w, .seen = seen, .path = path,
		.err = err };
	gsize len;
	const char *data;

	if (!io_file_load(path, CATALOG_MAX, &bytes, err)) {
		if (err != NULL)
			err->kind = ERR_CONF;
		return false;
	}
	data = g_bytes_get_data(bytes, &len);
	text = g_strndup(data, len);
	lines = g_strsplit(g_str_has_prefix(text, BOM) ? text + 3 : text,
	    "\n", -1);
	for (char **l = lines; *l != NULL; l++) {
		r.line++;
		g_strchomp(*l);
		if (**l != '\0' && **l != '#' && !read_line(&r, *l))
			return false;
	}
	return true;
}

/* ---- what our own code says -------------------------------------------------- */

static bool
check_word(const struct render_words *w, const char *word, const char *path,
    struct err *err)
{
	if (g_hash_table_contains(w->table, word))
		return true;
	return err_set(err, ERR_CONF, LANGUAGE, "%s has no words for \"%s\"; "
	    "add a line \"%s = ...\"", path, word, word);
}

static bool
check_forms(const struct render_words *w, const char *word, const char *path,
    struct err *err)
{
	const struct plural *p = plural_of(w->language);

	for (size_t i = 0; p->forms[i] != NULL; i++) {
		g_autofree char *key = g_strdup_printf("%s [%s]", word,
		    p->forms[i]);

		if (!check_word(w, key, path, err))
			return false;
	}
	return true;
}

bool
render_words_check(const struct render_words *w, const char *path,
    struct err *err)
{
	const char *const *word = render_words_known();

	for (; *word != NULL; word++) {
		bool counts = g_str_has_prefix(*word, "%u ");

		if (!(counts ? check_forms : check_word)(w, *word, path, err))
			return false;
	}
	return true;
}

struct render_words *
render_words_new(const char *language)
{
	struct render_words *w = g_new0(struct render_words, 1);

	w->language = g_strdup(language);
	w->table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    g_free);
	w->plural = plural_of(language)->form;
	return w;
}

void
render_words_free(struct render_words *w)
{
	if (w == NULL)
		return;
	g_hash_table_unref(w->table);
	g_free(w->language);
	g_free(w);
}
