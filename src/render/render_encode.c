/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two transfer encodings of a mail's parts. Done here and not by GMime's
 * stream filters: those cost more than all the rest, and the bytes of a mail
 * shall not depend on the version of a library.
 */
#include "render_int.h"

#include <string.h>

#include "text.h"

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
		text_append(q->out, "=\r\n", 3);
		q->col = 0;
	}
}

static void
add_escaped(struct qp *q, unsigned char c)
{
	static const char hex[] = "0123456789ABCDEF";
	const char escaped[3] = { '=', hex[c >> 4], hex[c & 15] };

	soft_break(q, 3);
	text_append(q->out, escaped, 3);
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
		text_append(q->out, s, n);
		q->col += n;
		s += n;
		len -= n;
	}
}

static const bool is_literal[256] = {
	[' ' ... '<'] = true, ['>' ... '~'] = true,
};

/* One line without its end. */
static void
add_line(struct qp *q, const char *s, size_t len)
{
	const char *end = s + len;

	while (s < end) {
		const char *p = s;

		while (p < end && is_literal[(unsigned char)*p])
			p++;
		/* A blank only if another character follows. */
		if (p == end && p[-1] == ' ')
			p--;
		add_run(q, s, (size_t)(p - s));
		if (p < end)
			add_escaped(q, (unsigned char)*p++);
		s = p;
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
		text_append(out, "\r\n", 2);
		q.col = 0;
		s = nl + 1;
	}
}

int64_t
render_base64_len(int64_t len)
{
	int64_t lines = (len + RENDER_BASE64_LINE - 1) / RENDER_BASE64_LINE;

	return len == 0 ? 0 : (len + 2) / 3 * 4 + 2 * (lines - 1);
}

static char *
encode_line(char *out, const uint8_t *p, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (; len >= 3; len -= 3, p += 3) {
		*out++ = digits[p[0] >> 2];
		*out++ = digits[(p[0] & 3) << 4 | p[1] >> 4];
		*out++ = digits[(p[1] & 15) << 2 | p[2] >> 6];
		*out++ = digits[p[2] & 63];
	}
	if (len == 0)
		return out;
	*out++ = digits[p[0] >> 2];
	*out++ = digits[(p[0] & 3) << 4 | (len > 1 ? p[1] >> 4 : 0)];
	*out++ = len > 1 ? digits[(p[1] & 15) << 2] : '=';
	*out++ = '=';
	return out;
}

char *
render_base64(char *out, const void *data, size_t len, bool is_last)
{
	const uint8_t *p = data;

	while (len > 0) {
		size_t n = MIN(len, RENDER_BASE64_LINE);

		out = encode_line(out, p, n);
		p += n;
		len -= n;
		if (len > 0 || !is_last) {
			*out++ = '\r';
			*out++ = '\n';
		}
	}
	return out;
}
