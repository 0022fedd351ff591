/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches commands and replies of a libesmtp connection as they pass its
 * monitor callback. Three things libesmtp does not do by itself:
 *
 * It keeps the last reply line, for errors that have no event of their own.
 *
 * It counts. More replies than questions means that replies no longer belong
 * to the commands they seem to answer: a 250 read after the final dot might
 * have been written for something else. Such a connection is broken.
 *
 * It hides CHUNKING. libesmtp 1.1.0 cannot be told not to use BDAT, and when
 * a relay refuses the first of several pipelined chunks, what is unread of
 * this mail goes out in front of the next one (msg_source keeps its buffer,
 * smtp-bdat.c). With DATA that cannot happen. The buffer that the monitor is
 * shown is the one that is parsed next, so one letter changed in it is enough;
 * should a BDAT be written all the same, the connection is broken.
 */
#include "deliver_int.h"

#include <string.h>

#define LINE_MAX_LEN 1024

void
deliver_wire_init(struct deliver_wire *w)
{
	*w = (struct deliver_wire){
		.asked = 1,	/* the greeting comes by itself */
		.at_line_start = true,
		.line = g_string_sized_new(128),
		.last = g_string_sized_new(128),
	};
}

void
deliver_wire_clear(struct deliver_wire *w)
{
	g_string_free(w->line, TRUE);
	g_string_free(w->last, TRUE);
}

void
deliver_wire_sent(struct deliver_wire *w, const char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (w->at_line_start && (buf[i] == 'B' || buf[i] == 'b'))
			w->broken = true;
		if (w->at_line_start && buf[i] == 'Q')
			w->quitting = true;
		w->mails += w->at_line_start && buf[i] == 'M';
		w->at_line_start = buf[i] == '\n';
		w->asked += buf[i] == '\n';
	}
}

static void
end_line(struct deliver_wire *w)
{
	const char *s = w->line->str;
	bool has_code = g_ascii_isdigit(s[0]) && g_ascii_isdigit(s[1]) &&
	    g_ascii_isdigit(s[2]);

	if (!has_code || s[3] != '-')
		w->answered++;
	if (w->answered > w->asked)
		w->broken = true;
	if (!w->quitting) {
		w->code = has_code ? (s[0] - '0') * 100 + (s[1] - '0') * 10 +
		    (s[2] - '0') : 0;
		g_string_truncate(w->last, 0);
		g_string_append_len(w->last, s, (gssize)w->line->len);
	}
	g_string_truncate(w->line, 0);
}

/* No letter of the word begins it again but the first. */
static void
hide_chunking(struct deliver_wire *w, char *c)
{
	static const char word[] = "CHUNKING";
	char up = g_ascii_toupper(*c);

	if (up != word[w->keyword]) {
		w->keyword = up == word[0];
		return;
	}
	if (word[++w->keyword] == '\0') {
		*c = '-';
		w->keyword = 0;
	}
}

void
deliver_wire_received(struct deliver_wire *w, char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (w->mails == 0)
			hide_chunking(w, &buf[i]);
		if (buf[i] == '\n')
			end_line(w);
		else if (w->line->len < LINE_MAX_LEN)
			g_string_append_c(w->line, buf[i]);
	}
}
