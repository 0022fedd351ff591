/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a scenario into lines of words. Knows nothing of what they mean. */
#include "script.h"

#include <string.h>

static void
free_word(gpointer p)
{
	struct script_word *w = p;

	g_free(w->name);
	g_free(w->value);
	g_free(w);
}

static void
free_line(gpointer p)
{
	struct script_line *l = p;

	g_ptr_array_unref(l->words);
	g_free(l->rest);
	g_free(l);
}

void
script_free(struct script *s)
{
	if (s == NULL)
		return;
	g_ptr_array_unref(s->lines);
	g_free(s->name);
	g_free(s->sentence);
	g_free(s);
}

/* ---- words ----------------------------------------------------------------- */

/* A quoted string that begins behind its quote; gives where it ends. */
static const char *
read_quoted(const char *s, GString *out)
{
	for (; *s != '\0' && *s != '"'; s++) {
		if (*s != '\\' || s[1] == '\0') {
			g_string_append_c(out, *s);
			continue;
		}
		s++;
		if (*s == 'n')
			g_string_append_c(out, '\n');
		else if (*s == 'r')
			g_string_append_c(out, '\r');
		else if (*s == 't')
			g_string_append_c(out, '\t');
		else if (*s == 'x' && s[1] != '\0' && s[2] != '\0') {
			g_string_append_c(out,
			    (char)(g_ascii_xdigit_value(s[1]) << 4 |
			    g_ascii_xdigit_value(s[2])));
			s += 2;
		} else {
			g_string_append_c(out, *s);
		}
	}
	return *s == '"' ? s + 1 : s;
}

static size_t
name_length(const char *s)
{
	size_t n = 0;

	while (g_ascii_isalnum(s[n]) || s[n] == '-' || s[n] == '_')
		n++;
	return n;
}

/* "name=", "name~" or "name!~" at s: how long it is, and what it asks. */
static size_t
read_operator(const char *s, enum script_op *op)
{
	if (*s == '=') {
		*op = SCRIPT_IS;
		return 1;
	}
	if (*s == '~') {
		*op = SCRIPT_HAS;
		return 1;
	}
	if (s[0] == '!' && s[1] == '~') {
		*op = SCRIPT_HAS_NOT;
		return 2;
	}
	return 0;
}

static const char *
read_word(const char *s, struct script_word *w)
{
	g_autoptr(GString) value = g_string_new(NULL);
	size_t n = name_length(s), len;

	if (*s == '!' && name_length(s + 1) > 0) {
		n = name_length(s + 1);
		w->op = SCRIPT_NONE;
		w->name = g_strndup(s + 1, n);
		return s + 1 + n;
	}
	len = n > 0 ? read_operator(s + n, &w->op) : 0;
	if (len > 0) {
		w->name = g_strndup(s, n);
		s += n + len;
	}
	w->quoted = *s == '"';
	if (w->quoted) {
		s = read_quoted(s + 1, value);
	} else {
		n = strcspn(s, " \t");
		g_string_append_len(value, s, (gssize)n);
		s += n;
	}
	w->value = g_strdup(value->str);
	return s;
}

static struct script_line *
read_line(const char *text, int number)
{
	struct script_line *l = g_new0(struct script_line, 1);
	const char *s = text + strcspn(text, " \t");

	l->number = number;
	l->rest = g_strdup(s + strspn(s, " \t"));
	l->words = g_ptr_array_new_with_free_func(free_word);
	for (s = text; *(s += strspn(s, " \t")) != '\0';) {
		struct script_word *w = g_new0(struct script_word, 1);

		s = read_word(s, w);
		g_ptr_array_add(l->words, w);
	}
	return l;
}

struct script *
script_load(const char *path, char **why)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	struct script *s;

	if (!g_file_get_contents(path, &text, NULL, NULL) ||
	    !g_str_has_prefix(text, "# ")) {
		*why = g_strdup("cannot be read, or does not begin with "
		    "its sentence (\"# …\")");
		return NULL;
	}
	lines = g_strsplit(text, "\n", -1);
	s = g_new0(struct script, 1);
	s->name = g_path_get_basename(path);
	s->sentence = g_strdup(lines[0] + 2);
	s->lines = g_ptr_array_new_with_free_func(free_line);
	for (int i = 1; lines[i] != NULL; i++) {
		const char *line = g_strstrip(lines[i]);

		if (*line != '\0' && *line != '#')
			g_ptr_array_add(s->lines, read_line(line, i + 1));
	}
	return s;
}

/* ---- asking ----------------------------------------------------------------- */

static const char *
take(struct script_line *l, bool only_quoted)
{
	for (guint i = 0; i < l->words->len; i++) {
		struct script_word *w = l->words->pdata[i];

		if (w->used || w->op != SCRIPT_PLAIN ||
		    (only_quoted && !w->quoted))
			continue;
		w->used = true;
		return w->value;
	}
	return NULL;
}

const char *
script_take(struct script_line *l)
{
	return take(l, false);
}

const char *
script_take_text(struct script_line *l)
{
	return take(l, true);
}

const char *
script_get(struct script_line *l, const char *name)
{
	for (guint i = 0; i < l->words->len; i++) {
		struct script_word *w = l->words->pdata[i];

		if (w->op == SCRIPT_IS && strcmp(w->name, name) == 0) {
			w->used = true;
			return w->value;
		}
	}
	return NULL;
}

const char *
script_unused(const struct script_line *l)
{
	for (guint i = 0; i < l->words->len; i++) {
		const struct script_word *w = l->words->pdata[i];

		if (!w->used)
			return w->name != NULL ? w->name : w->value;
	}
	return NULL;
}

/* ---- times ------------------------------------------------------------------ */

static int64_t
unit_ms(const char **s)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
		{ "h", 3600000 }, { "d", 86400000 } };

	for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
		if (g_str_has_prefix(*s, units[i].name)) {
			*s += strlen(units[i].name);
			return units[i].ms;
		}
	}
	return -1;
}

static int64_t
clock_time(const char *s)
{
	int64_t sum = 0;
	char *end = NULL;

	for (;; s = end + 1) {
		sum = sum * 60 + g_ascii_strtoll(s, &end, 10);
		if (end == s)
			return -1;
		if (*end != ':')
			break;
	}
	sum *= 1000;
	if (*end == '.')
		sum += g_ascii_strtoll(end + 1, &end, 10);
	return *end == '\0' ? sum : -1;
}

int64_t
script_duration(const char *s)
{
	int64_t sum = 0;
	char *end;

	if (s == NULL || *s == '\0')
		return -1;
	if (strchr(s, ':') != NULL)
		return clock_time(s);
	while (*s != '\0') {
		int64_t n = g_ascii_strtoll(s, &end, 10), ms;
		const char *unit = end;

		ms = unit_ms(&unit);
		if (end == s || ms < 0)
			return -1;
		sum += n * ms;
		s = unit;
	}
	return sum;
}
