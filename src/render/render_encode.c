/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two transfer encodings of a mail's parts. Done here and not by GMime's
 * stream filters: those cost more than all the rest, and the bytes of a mail
 * shall not depend on the version of a library.
 */
#include "render_int.h"

#include <string.h>

#define QP_LINE_MAX 76		/* RFC 2045 section 6.7, rule 5 */

/* A line may take so many characters before its soft break. */
struct qp {
	GString *out;
	size_t col;
};

static void
soft_break(struct qp *q, size_t need)
{
	if (q->col + need > QP_LINE_MAX - 1) {
		g_string_append_len(q->out, "=\n", 2);
		q->col = 0;
	}
}

static void
add_escaped(struct qp *q, unsigned char c)
{
	static const char hex[] = "0123456789ABCDEF";
	const char escaped[3] = { '=', hex[c >> 4], hex[c & 15] };

	soft_break(q, 3);
	g_string_append_len(q->out, escaped, 3);
	q->col += 3;
}

/* Characters that stand for themselves. */
static void
add_run(struct qp *q, const char *s, size_t len)
{
	while (len > 0) {
		size_t room, n;

		soft_break(q, 1);
		/* At the start of a line it is the separator of mbox files. */
		if (q->col == 0 && len >= 5 && memcmp(s, "From ", 5) == 0) {
			add_escaped(q, 'F');
			s++;
			len--;
		}
		room = QP_LINE_MAX - 1 - q->col;
		n = MIN(room, len);
		g_string_append_len(q->out, s, (gssize)n);
		q->col += n;
		s += n;
		len -= n;
	}
}

static bool
is_literal(unsigned char c)
{
	return c >= ' ' && c <= '~' && c != '=';
}

/* One line without its end. */
static void
add_line(struct qp *q, const char *s, size_t len)
{
	size_t last = len > 0 ? len - 1 : 0;
	size_t i = 0;

	while (i < len) {
		size_t n = 0;

		/* A blank only if another character follows. */
		while (i + n < len && is_literal((unsigned char)s[i + n]) &&
		    (s[i + n] != ' ' || i + n < last))
			n++;
		add_run(q, s + i, n);
		i += n;
		if (i < len)
			add_escaped(q, (unsigned char)s[i++]);
	}
}

void
render_quoted_printable(GString *out, const char *s, size_t len)
{
	struct qp q = { .out = out };
	const char *end = s + len;

	while (s < end) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));

		add_line(&q, s, (size_t)((nl != NULL ? nl : end) - s));
		if (nl == NULL)
			return;
		g_string_append_c(out, '\n');
		q.col = 0;
		s = nl + 1;
	}
}

void
render_base64(GString *out, const void *data, size_t len)
{
	size_t start = out->len, n;
	gint state = 0, save = 0;

	/* GLib: (len / 3 + 1) * 4 + 4, and one in 72 for the line ends. */
	g_string_set_size(out, start + (len / 3 + 1) * 4 + 4 + len / 36 + 4);
	n = g_base64_encode_step(data, len, TRUE, out->str + start, &state,
	    &save);
	n += g_base64_encode_close(TRUE, out->str + start + n, &state, &save);
	g_string_truncate(out, start + n);
}
