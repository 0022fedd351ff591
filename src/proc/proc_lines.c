/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a role writes to its log pipe, as lines: "<N>event key=value". They
 * come in pieces and may end without a line end when the writer dies. What
 * has no "<N>" was not written by log.h: an assertion, a sanitizer, a
 * library. It is kept as role.said, an error, since it tends to be the last
 * thing a process says. Over-long lines are cut and end in "...".
 */
#include "proc_int.h"

#include <string.h>

static void
put(char *out, size_t size, size_t *at, char c)
{
	if (*at + 1 < size)
		out[(*at)++] = c;
}

/* Quoted like text_log_quote(); the sink escapes control characters. */
static void
say(const char *text, proc_line_fn *fn, void *arg)
{
	static const char head[] = "role.said text=\"";
	char line[PROC_LINE_MAX * 2 + sizeof(head) + 1];
	size_t at = sizeof(head) - 1;

	memcpy(line, head, at);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			put(line, sizeof(line) - 1, &at, '\\');
		put(line, sizeof(line) - 1, &at, *text);
	}
	line[at++] = '"';
	line[at] = '\0';
	fn(arg, 3, line);
}

static void
give(struct proc_lines *l, proc_line_fn *fn, void *arg)
{
	char *s = l->buf;

	if (l->cut)
		memcpy(s + sizeof(l->buf) - 4, "...", 4);
	else
		s[l->len] = '\0';
	if (s[0] == '<' && s[1] >= '0' && s[1] <= '7' && s[2] == '>')
		fn(arg, s[1] - '0', s + 3);
	else if (s[0] != '\0')
		say(s, fn, arg);
	l->len = 0;
	l->cut = false;
}

void
proc_lines_feed(struct proc_lines *l, const char *data, size_t len,
    proc_line_fn *fn, void *arg)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n')
			give(l, fn, arg);
		else if (l->len < sizeof(l->buf) - 1)
			l->buf[l->len++] = data[i] != '\0' ? data[i] : ' ';
		else
			l->cut = true;
	}
}

void
proc_lines_flush(struct proc_lines *l, proc_line_fn *fn, void *arg)
{
	if (l->len > 0)
		give(l, fn, arg);
}
