/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON laid out for the eye. Works on the characters alone, so that numbers
 * and strings stay as they were received, and nothing here can be refused.
 */
#include "render_int.h"

#include <string.h>

#define INDENT_MAX 64

static void
new_line(GString *out, int depth)
{
	static const char blanks[] = "                                "
	    "                                ";

	g_string_append_c(out, '\n');
	g_string_append_len(out, blanks, MIN(2 * depth, INDENT_MAX));
}

/* Copies a string with its quotes; returns what follows. */
static const char *
copy_string(GString *out, const char *p)
{
	const char *start = p++;

	while (*p != '\0' && *p != '"')
		p += p[0] == '\\' && p[1] != '\0' ? 2 : 1;
	if (*p == '"')
		p++;
	g_string_append_len(out, start, (gssize)(p - start));
	return p;
}

static const char *
skip_blanks(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

char *
render_json_indent(const char *json)
{
	GString *out = g_string_sized_new(2 * strlen(json) + 1);
	const char *p = skip_blanks(json);
	int depth = 0;

	while (*p != '\0') {
		char c = *p;

		if (c == '"') {
			p = skip_blanks(copy_string(out, p));
			continue;
		}
		p = skip_blanks(p + 1);
		if (c == '}' || c == ']') {
			depth = MAX(depth - 1, 0);
			new_line(out, depth);
		}
		g_string_append_c(out, c);
		if ((c == '{' && *p == '}') || (c == '[' && *p == ']')) {
			g_string_append_c(out, *p);
			p = skip_blanks(p + 1);
		} else if (c == '{' || c == '[') {
			new_line(out, ++depth);
		} else if (c == ',') {
			new_line(out, depth);
		} else if (c == ':') {
			g_string_append_c(out, ' ');
		}
	}
	return g_string_free(out, FALSE);
}
