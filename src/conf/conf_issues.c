/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collects the errors and warnings of one run, and prints them in the order
 * of the files, each with its line and a caret. What is quoted from a file
 * may be any bytes; nothing that a terminal would act on gets through.
 */
#include "conf_text.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "err.h"
#include "text.h"

#define EXCERPT_BEFORE 100	/* bytes of the line shown before the place */
#define EXCERPT_MAX 200
#define SHOWN_CHARS 60	/* of a value that is quoted in a message */

struct issue {
	struct conf_pos pos;
	bool is_error;
	char *text;
};

static void
issue_free(gpointer p)
{
	struct issue *i = p;

	g_free(i->text);
	g_free(i);
}

struct conf_issues *
conf_issues_new(void)
{
	struct conf_issues *is = g_new0(struct conf_issues, 1);

	is->list = g_ptr_array_new_with_free_func(issue_free);
	return is;
}

void
conf_issues_free(struct conf_issues *is)
{
	if (is == NULL)
		return;
	g_ptr_array_unref(is->list);
	g_free(is);
}

static void
add(struct conf_issues *is, struct conf_pos pos, bool is_error, char *text)
{
	struct issue *i;

	is->errors += is_error;
	if (is->list->len >= CONF_ISSUES_MAX) {
		is->unlisted++;
		g_free(text);
		return;
	}
	i = g_new0(struct issue, 1);
	i->pos = pos;
	i->is_error = is_error;
	/* It may quote a path, and that may be any bytes. */
	i->text = text_clean(text, strlen(text), TEXT_LINE, SIZE_MAX);
	g_free(text);
	g_ptr_array_add(is->list, i);
}

void
conf_error(struct conf_issues *is, struct conf_pos pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(is, pos, true, g_strdup_vprintf(fmt, ap));
	va_end(ap);
}

void
conf_warning(struct conf_issues *is, struct conf_pos pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(is, pos, false, g_strdup_vprintf(fmt, ap));
	va_end(ap);
}

static unsigned
line_of(struct conf_pos pos)
{
	unsigned line = 1;

	for (size_t i = 0; i < pos.at && i < pos.src->len; i++)
		line += pos.src->text[i] == '\n';
	return line;
}

static size_t
line_start(struct conf_pos pos)
{
	size_t at = pos.at;

	while (at > 0 && pos.src->text[at - 1] != '\n')
		at--;
	return at;
}

static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* In characters, from 1. */
static unsigned
column_of(struct conf_pos pos)
{
	unsigned column = 1;

	for (size_t i = line_start(pos); i < pos.at; i++)
		column += !is_continuation(pos.src->text[i]);
	return column;
}

char *
conf_pos_text(struct conf_pos pos)
{
	return g_strdup_printf("%s:%u", pos.src->name, line_of(pos));
}

char *
conf_line_text(struct conf_line *line, struct conf_pos pos)
{
	if (line->pos.src != pos.src || line->pos.at > pos.at)
		*line = (struct conf_line){ { pos.src, 0, 0 }, 1 };
	for (; line->pos.at < pos.at; line->pos.at++)
		line->line += pos.src->text[line->pos.at] == '\n';
	return g_strdup_printf("%s:%u", pos.src->name, line->line);
}

char *
conf_shown(const char *value)
{
	g_autofree char *clean = text_clean(value, strlen(value), TEXT_LINE,
	    SHOWN_CHARS);

	return g_strdup_printf("\"%s\"", clean);
}

/*
 * One character of the line, and what stands for it in the line of the caret:
 * as many blanks as it is wide (a tab for a tab). Returns its bytes.
 */
static size_t
put_char(const char *p, size_t len, GString *line, GString *under, char mark)
{
	gunichar c = g_utf8_get_char_validated(p, (gssize)len);
	bool is_bad = c == (gunichar)-1 || c == (gunichar)-2;
	size_t n = g_utf8_skip[(unsigned char)*p];

	if (*p == '\t') {
		g_string_append_c(line, '\t');
		g_string_append_c(under, mark == ' ' ? '\t' : mark);
		return 1;
	}
	if (is_bad || !g_unichar_isprint(c)) {
		g_string_append_c(line, '?');
		g_string_append_c(under, mark);
		return is_bad ? 1 : n;
	}
	g_string_append_len(line, p, (gssize)n);
	if (!g_unichar_iszerowidth(c))
		g_string_append_c(under, mark);
	if (g_unichar_iswide(c))
		g_string_append_c(under, mark);
	return n;
}

static char
mark_at(struct conf_pos pos, size_t at)
{
	if (at == pos.at)
		return '^';
	return at > pos.at && at < pos.at + pos.len ? '~' : ' ';
}

static void
excerpt(struct conf_pos pos, GString *out)
{
	g_autoptr(GString) under = g_string_new(NULL);
	size_t from = line_start(pos), to = pos.at;

	while (to < pos.src->len && pos.src->text[to] != '\n')
		to++;
	if (to > from && pos.src->text[to - 1] == '\r')
		to--;
	if (pos.at - from > EXCERPT_BEFORE)
		from = pos.at - EXCERPT_BEFORE;
	while (from < pos.at && is_continuation(pos.src->text[from]))
		from++;
	to = MIN(to, from + EXCERPT_MAX);
	for (size_t i = from; i < to;)
		i += put_char(pos.src->text + i, to - i, out, under,
		    mark_at(pos, i));
	if (pos.at >= to)
		g_string_append_c(under, '^');
	while (under->len > 0 && strchr(" \t", under->str[under->len - 1]))
		g_string_truncate(under, under->len - 1);
	g_string_append_printf(out, "\n%s\n", under->str);
}

static void
print_issue(const struct issue *i, GString *out)
{
	g_string_append_printf(out, "%s:%u:%u: %s%s\n", i->pos.src->name,
	    line_of(i->pos), column_of(i->pos), i->is_error ? "" : "warning: ",
	    i->text);
	excerpt(i->pos, out);
}

static int
compare(gconstpointer a, gconstpointer b)
{
	const struct issue *x = *(const struct issue *const *)a;
	const struct issue *y = *(const struct issue *const *)b;

	if (x->pos.src != y->pos.src)
		return x->pos.src->rank < y->pos.src->rank ? -1 : 1;
	if (x->pos.at != y->pos.at)
		return x->pos.at < y->pos.at ? -1 : 1;
	return strcmp(x->text, y->text);
}

void
conf_issues_print(struct conf_issues *is, GString *out)
{
	g_ptr_array_sort(is->list, compare);
	for (guint i = 0; i < is->list->len; i++)
		print_issue(is->list->pdata[i], out);
	if (is->unlisted > 0)
		g_string_append_printf(out, "and %u more\n", is->unlisted);
}

static const struct issue *
first_error(const struct conf_issues *is)
{
	for (guint i = 0; i < is->list->len; i++) {
		const struct issue *it = is->list->pdata[i];

		if (it->is_error)
			return it;
	}
	return NULL;
}

bool
conf_issues_verdict(struct conf_issues *is, struct err *err)
{
	const struct issue *first;

	if (is->errors == 0)
		return true;
	g_ptr_array_sort(is->list, compare);
	first = first_error(is);
	if (first == NULL)
		return err_set(err, ERR_CONF, "conf.invalid", "%u errors",
		    is->errors);
	return err_set(err, ERR_CONF, "conf.invalid",
	    "%u error%s in the configuration, the first: %s:%u:%u: %s",
	    is->errors, is->errors == 1 ? "" : "s", first->pos.src->name,
	    line_of(first->pos), column_of(first->pos), first->text);
}
