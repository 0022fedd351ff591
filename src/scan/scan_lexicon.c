/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lexicon files (chatjournal-policy(5)), line by line. All mistakes of a file
 * are told, each with its line; a file with a mistake is refused as a whole.
 */
#include "scan_int.h"

#include <string.h>

#include "err.h"
#include "text.h"

#define LINE_MAX_BYTES 4096

struct parser {
	struct scan_set *set;
	const char *name, *file;
	unsigned line, wrong, first_wrong;
	const char *first_why;
	const char *category;
	size_t phrases;
	scan_issue_fn *issue;
	void *arg;
};

static void
tell(struct parser *p, int level, const char *text)
{
	if (level > 0 && p->wrong++ == 0) {
		p->first_wrong = p->line;
		p->first_why = text;
	}
	if (p->issue != NULL)
		p->issue(p->arg, p->file, p->line, level, text);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void
trim(const char **s, size_t *len)
{
	while (*len > 0 && is_blank(**s)) {
		(*s)++;
		(*len)--;
	}
	while (*len > 0 && is_blank((*s)[*len - 1]))
		(*len)--;
}

/*
 * Where the first `what` outside of quotes is that has a blank (or the
 * beginning) before it; len: nowhere.
 */
static size_t
find_outside(const char *s, size_t len, const char *what)
{
	size_t n = strlen(what);
	bool quoted = false;

	for (size_t i = 0; i + n <= len; i++) {
		if (s[i] == '"')
			quoted = !quoted;
		else if (!quoted && (i == 0 || is_blank(s[i - 1])) &&
		    g_ascii_strncasecmp(s + i, what, n) == 0)
			return i;
	}
	return len;
}

static bool
is_balanced(const char *s, size_t len)
{
	size_t quotes = 0;

	for (size_t i = 0; i < len; i++)
		quotes += s[i] == '"';
	return quotes % 2 == 0;
}

/* The number that is all of s, at most max; -1: it is none. */
static int
read_number(const char *s, size_t len, int max)
{
	int n = 0;

	if (len == 0 || len > 3)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!g_ascii_isdigit(s[i]))
			return -1;
		n = n * 10 + (s[i] - '0');
	}
	return n <= max ? n : -1;
}

bool
scan_phrase_split(const char *text, size_t len, struct scan_phrase *out,
    const char **why)
{
	size_t at = find_outside(text, len, "near/");
	size_t end = at + strlen("near/");
	size_t digits = 0;

	out->text[0] = text;
	out->len[0] = at;
	out->near = -1;
	if (at == len)
		return true;
	while (end + digits < len && !is_blank(text[end + digits]))
		digits++;
	out->near = read_number(text + end, digits, SCAN_NEAR_MAX);
	out->text[1] = text + end + digits;
	out->len[1] = len - end - digits;
	if (out->near < 0)
		*why = "near/ needs a number of words, at most "
		    G_STRINGIFY(SCAN_NEAR_MAX);
	else if (find_outside(out->text[1], out->len[1], "near/") !=
	    out->len[1])
		*why = "only two phrases can be near each other";
	else
		return true;
	return false;
}

/* Takes "= WEIGHT" off the end; false: it is no weight. */
static bool
take_weight(const char *s, size_t *len, int *weight)
{
	size_t at = *len, from, n;
	bool quoted = false;
	const char *number;

	for (size_t i = 0; i < *len; i++) {
		if (s[i] == '"')
			quoted = !quoted;
		else if (s[i] == '=' && !quoted)
			at = i;
	}
	*weight = 1;
	if (at == *len)
		return true;
	from = at + 1;
	number = s + from;
	n = *len - from;
	trim(&number, &n);
	*weight = read_number(number, n, 100);
	*len = at;
	return *weight > 0;
}

static bool
is_category(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!g_ascii_isalnum(s[i]) && strchr("._-", s[i]) == NULL)
			return false;
	}
	return len > 0;
}

static void
parse_section(struct parser *p, const char *s, size_t len)
{
	const size_t n = strlen("[category ");
	g_autofree char *word = NULL;

	if (len <= n || strncmp(s, "[category ", n) != 0 || s[len - 1] != ']') {
		tell(p, 1, "only [category WORD] may stand in brackets; quote "
		    "a phrase that begins with one");
		return;
	}
	s += n;
	len -= n + 1;
	trim(&s, &len);
	if (!is_category(s, len)) {
		tell(p, 1, "a category is one word of letters, digits and "
		    "\"._-\"");
		return;
	}
	word = g_strndup(s, len);
	p->category = g_string_chunk_insert_const(p->set->strings, word);
}

static void
parse_phrase(struct parser *p, const char *s, size_t len)
{
	struct scan_entry e = { .name = p->name, .category = p->category };
	g_autofree char *id = NULL;
	struct scan_phrase phrase;
	const char *why = NULL;

	if (!is_balanced(s, len)) {
		tell(p, 1, "a quotation mark has no other");
		return;
	}
	if (!take_weight(s, &len, &e.weight)) {
		tell(p, 1, "a weight is a number from 1 to 100; quote a phrase "
		    "that has = in it");
		return;
	}
	if (!scan_phrase_split(s, len, &phrase, &why)) {
		tell(p, 1, why);
		return;
	}
	id = g_strdup_printf("%s:%u", p->file, p->line);
	e.id = g_string_chunk_insert(p->set->strings, id);
	e.near = phrase.near;
	switch (scan_set_add(p->set, &e, &phrase, &why)) {
	case SCAN_ADDED:
		p->phrases++;
		return;
	case SCAN_TWICE:
		p->phrases++;
		tell(p, 0, "this phrase is in the lexicon already");
		return;
	case SCAN_REFUSED:
		tell(p, 1, why);
		return;
	}
}

static void
parse_line(struct parser *p, const char *s, size_t len)
{
	if (len > 0 && s[len - 1] == '\r')
		len--;
	if (len > LINE_MAX_BYTES) {
		tell(p, 1, "the line has more than "
		    G_STRINGIFY(LINE_MAX_BYTES) " bytes");
		return;
	}
	if (memchr(s, '\0', len) != NULL || !text_is_utf8(s, len)) {
		tell(p, 1, "the line is not UTF-8 text");
		return;
	}
	len = find_outside(s, len, "#");
	trim(&s, &len);
	if (len == 0)
		return;
	if (*s == '[')
		parse_section(p, s, len);
	else
		parse_phrase(p, s, len);
}

bool
scan_set_lexicon(struct scan_set *s, const char *name, const char *file,
    const char *text, size_t len, scan_issue_fn *issue, void *arg,
    struct err *err)
{
	struct parser p = { .set = s, .file = file, .category = "",
		.issue = issue, .arg = arg };
	size_t at = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	p.name = g_string_chunk_insert_const(s->strings, name);
	while (at < len) {
		const char *nl = memchr(text + at, '\n', len - at);
		size_t n = nl != NULL ? (size_t)(nl - text) - at : len - at;

		p.line++;
		parse_line(&p, text + at, n);
		at += n + 1;
	}
	p.line = MAX(p.line, 1);
	if (p.phrases == 0 && p.wrong == 0)
		tell(&p, 0, "the file has no phrase");
	if (p.wrong > 0)
		return err_set(err, ERR_CONF, "scan.lexicon",
		    "%s has %u line%s with a mistake; line %u: %s", file,
		    p.wrong, p.wrong == 1 ? "" : "s", p.first_wrong,
		    p.first_why);
	return true;
}
