/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text to tokens: words, quoted strings, braces, semicolons. Takes any
 * bytes. What is wrong is noted with its place, and reading goes on, so that
 * one run shows all mistakes. A quote never runs past its line: a forgotten
 * one is blamed where it is, not at the end of the file.
 */
#include "conf_tree.h"

#include <string.h>

void
conf_lexer_init(struct conf_lexer *lx, const struct conf_source *src,
    struct conf_issues *issues)
{
	lx->src = src;
	lx->issues = issues;
	lx->word = g_string_new(NULL);
	lx->is_regex = false;
	/* A byte order mark, as editors on Windows leave. */
	lx->at = src->len >= 3 && memcmp(src->text, "\xef\xbb\xbf", 3) == 0 ?
	    3 : 0;
}

void
conf_lexer_clear(struct conf_lexer *lx)
{
	g_string_free(lx->word, TRUE);
	lx->word = NULL;
}

static int
peek(const struct conf_lexer *lx)
{
	if (lx->at >= lx->src->len)
		return -1;
	return (unsigned char)lx->src->text[lx->at];
}

static bool
is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
ends_word(int c)
{
	return c < 0 || is_blank(c) || c == ';' || c == '{' || c == '}';
}

static struct conf_pos
pos_from(const struct conf_lexer *lx, size_t from)
{
	return (struct conf_pos){ lx->src, from, lx->at - from };
}

/* Blanks and comments; true when a line ended. */
static bool
skip(struct conf_lexer *lx)
{
	bool ended = false;
	int c;

	while ((c = peek(lx)) >= 0) {
		if (c == '#')
			while ((c = peek(lx)) >= 0 && c != '\n')
				lx->at++;
		else if (is_blank(c))
			lx->at++;
		else
			break;
		ended |= c == '\n';
	}
	return ended;
}

/*
 * Values go into headers, paths and SMTP commands: no control characters,
 * and only UTF-8.
 */
static bool
has_good_bytes(const struct conf_lexer *lx, size_t from)
{
	const char *p = lx->src->text + from, *bad;
	size_t len = lx->at - from;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			conf_error(lx->issues,
			    (struct conf_pos){ lx->src, from + i, 1 },
			    "control character 0x%02x in a value", c);
			return false;
		}
	}
	if (g_utf8_validate(p, (gssize)len, &bad))
		return true;
	conf_error(lx->issues, (struct conf_pos){ lx->src,
	    from + (size_t)(bad - p), 1 },
	    "byte 0x%02x is not UTF-8; save the file as UTF-8",
	    (unsigned char)*bad);
	return false;
}

static void
read_bare(struct conf_lexer *lx)
{
	bool told = false;
	int c;

	while (!ends_word(c = peek(lx))) {
		if ((c == '"' || c == '\'') && !told) {
			conf_error(lx->issues,
			    (struct conf_pos){ lx->src, lx->at, 1 },
			    "a quote inside a word; quote the whole value");
			told = true;
		}
		g_string_append_c(lx->word, (char)c);
		lx->at++;
	}
}

static void
read_escape(struct conf_lexer *lx)
{
	size_t from = lx->at++;
	int c = peek(lx);

	if (c == '"' || c == '\'' || c == '\\') {
		g_string_append_c(lx->word, (char)c);
		lx->at++;
		return;
	}
	if (lx->is_regex) {
		g_string_append_c(lx->word, '\\');
		return;
	}
	conf_error(lx->issues, (struct conf_pos){ lx->src, from, 2 },
	    "unknown escape; only \\\", \\' and \\\\ are known, and \\ itself "
	    "is written \\\\");
}

/* The line ended within quotes: a semicolon that ends it is given back. */
static void
give_up_quote(struct conf_lexer *lx, size_t from)
{
	GString *w = lx->word;

	conf_error(lx->issues, pos_from(lx, from),
	    "this quote is not closed on its line");
	while (lx->at > from + 1 && is_blank(lx->src->text[lx->at - 1]))
		lx->at--;
	while (w->len > 0 && is_blank(w->str[w->len - 1]))
		g_string_truncate(w, w->len - 1);
	if (w->len > 0 && w->str[w->len - 1] == ';') {
		g_string_truncate(w, w->len - 1);
		lx->at--;
	}
}

static void
read_quoted(struct conf_lexer *lx)
{
	size_t from = lx->at;
	int quote = peek(lx), c;

	lx->at++;
	while ((c = peek(lx)) != quote) {
		if (c < 0 || c == '\n') {
			give_up_quote(lx, from);
			return;
		}
		if (c == '\\') {
			read_escape(lx);
			continue;
		}
		g_string_append_c(lx->word, (char)c);
		lx->at++;
	}
	lx->at++;
	if (!ends_word(peek(lx)))
		conf_error(lx->issues,
		    (struct conf_pos){ lx->src, lx->at, 1 },
		    "a blank or ';' must follow the closing quote");
}

static enum conf_token_kind
read_token(struct conf_lexer *lx)
{
	size_t from = lx->at;
	int c = peek(lx);

	g_string_truncate(lx->word, 0);
	if (c == '"' || c == '\'')
		read_quoted(lx);
	else if (!ends_word(c))
		read_bare(lx);
	if (lx->at > from)
		return CONF_TOKEN_WORD;
	if (c < 0)
		return CONF_TOKEN_EOF;
	lx->at++;
	return c == '{' ? CONF_TOKEN_OPEN : c == '}' ? CONF_TOKEN_CLOSE :
	    CONF_TOKEN_END;
}

void
conf_lexer_next(struct conf_lexer *lx, struct conf_token *out)
{
	size_t from;

	out->new_line = skip(lx);
	from = lx->at;
	out->kind = read_token(lx);
	out->pos = pos_from(lx, from);
	out->value = lx->word->str;
	out->is_bad = out->kind == CONF_TOKEN_WORD &&
	    !has_good_bytes(lx, from);
}
