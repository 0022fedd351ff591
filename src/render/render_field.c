/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a header field is spelt: folding, RFC 2047, RFC 2231.
 *
 * Takes clean lines only (render_line, render_ascii); then no input can end a
 * field or begin another. Done here because GMime writes ASCII words of more
 * than 78 characters, such as a WhatsApp message id, as encoded words, picks
 * other charsets than UTF-8 and folds differently from version to version.
 */
#include "render_field.h"

#include <string.h>

#include "text.h"

#define LINE_MAX_COLS 77	/* RFC 5322 section 2.1.1: 78, and a comma */
#define WORD_MAX_COLS 70	/* longer ones make free text be encoded */
/* 42 bytes are 56 of base64 and, with =?utf-8?B?…?=, 68 columns. */
#define ENCODED_BYTES 42
#define PARAM_BARE_MAX 255
#define PARAM_COLS 60		/* of one value or RFC 2231 section */

void
render_field_begin(struct render_fields *f, const char *name)
{
	f->start = f->out->len;
	text_append(f->out, name, strlen(name));
	g_string_append_c(f->out, ':');
	f->col = f->out->len - f->start;
	f->first = true;
}

void
render_field_end(struct render_fields *f)
{
	if (f->first)
		g_string_truncate(f->out, f->start);
	else
		g_string_append_c(f->out, '\n');
}

/* The first word stays on the line of the name: some readers need that. */
static void
begin_word(struct render_fields *f, size_t len)
{
	if (!f->first && f->col + 1 + len > LINE_MAX_COLS) {
		g_string_append_c(f->out, '\n');
		f->col = 0;
	}
	g_string_append_c(f->out, ' ');
	f->col += 1 + len;
	f->first = false;
}

static void
add_word(struct render_fields *f, const char *word, size_t len)
{
	begin_word(f, len);
	text_append(f->out, word, len);
}

void
render_field_word(struct render_fields *f, const char *word)
{
	add_word(f, word, strlen(word));
}

void
render_field_words(struct render_fields *f, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (len > 0)
			add_word(f, text, len);
		text += len;
		text += strspn(text, " ");
	}
}

/* What a reader would change, or could take for an encoded word. */
static bool
needs_encoding(const char *text)
{
	size_t word = 0;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p < ' ' || *p > '~' || (p[0] == '=' && p[1] == '?'))
			return true;
		word = *p == ' ' ? 0 : word + 1;
		if (word > WORD_MAX_COLS)
			return true;
	}
	return false;
}

/* As many whole characters as fit into one encoded word. */
static size_t
chunk_of(const char *text)
{
	size_t len = strnlen(text, ENCODED_BYTES + 1);

	if (len <= ENCODED_BYTES)
		return len;
	for (len = ENCODED_BYTES; len > 1; len--) {
		if (((unsigned char)text[len] & 0xc0) != 0x80)
			break;
	}
	return len;
}

static void
add_encoded(struct render_fields *f, const char *text)
{
	while (*text != '\0') {
		size_t len = chunk_of(text);
		g_autofree char *b64 = g_base64_encode(
		    (const guchar *)text, len);
		g_autofree char *word = g_strconcat("=?utf-8?B?", b64, "?=",
		    NULL);

		render_field_word(f, word);
		text += len;
	}
}

void
render_field_text(struct render_fields *f, const char *text)
{
	if (needs_encoding(text))
		add_encoded(f, text);
	else
		render_field_words(f, text);
}

static void
append_quoted(GString *out, const char *text)
{
	g_string_append_c(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			g_string_append_c(out, '\\');
		g_string_append_c(out, *text);
	}
	g_string_append_c(out, '"');
}

void
render_field_mailbox(struct render_fields *f, const char *name,
    const char *address)
{
	g_autoptr(GString) word = g_string_sized_new(128);

	if (!f->first) {
		g_string_append_c(f->out, ',');
		f->col++;
	}
	if (name != NULL && needs_encoding(name)) {
		add_encoded(f, name);
	} else if (name != NULL) {
		append_quoted(word, name);
		render_field_words(f, word->str);
		g_string_truncate(word, 0);
	}
	g_string_append_c(word, '<');
	g_string_append(word, address);
	g_string_append_c(word, '>');
	render_field_word(f, word->str);
}

enum param_form { PARAM_BARE, PARAM_QUOTED, PARAM_EXTENDED };

static enum param_form
form_of(const char *value)
{
	bool bare = *value != '\0';
	size_t len = 0;

	for (; value[len] != '\0'; len++) {
		char c = value[len];

		if (c < ' ' || c > '~' || (c == '=' && value[len + 1] == '?'))
			return PARAM_EXTENDED;
		if (c == ' ' || c == '"' || c == ';' || c == '\\')
			bare = false;
	}
	if (bare)
		return len <= PARAM_BARE_MAX ? PARAM_BARE : PARAM_EXTENDED;
	return len <= PARAM_COLS ? PARAM_QUOTED : PARAM_EXTENDED;
}

/* attribute-char of RFC 2231, and a percent sign for all others. */
static size_t
append_percent(GString *out, unsigned char c)
{
	static const char hex[] = "0123456789ABCDEF";

	if (g_ascii_isalnum(c) || (c != '\0' && strchr("-._~+", c) != NULL)) {
		g_string_append_c(out, (char)c);
		return 1;
	}
	g_string_append_c(out, '%');
	g_string_append_c(out, hex[c >> 4]);
	g_string_append_c(out, hex[c & 15]);
	return 3;
}

/* name*0*=utf-8''…; name*1*=… */
static void
add_extended(struct render_fields *f, const char *name, const char *value)
{
	g_autoptr(GString) word = g_string_sized_new(128);

	for (int section = 0; *value != '\0'; section++) {
		size_t cols = 0;

		g_string_printf(word, "%s*%d*=%s", name, section,
		    section == 0 ? "utf-8''" : "");
		while (*value != '\0' && cols + 3 <= PARAM_COLS)
			cols += append_percent(word, (unsigned char)*value++);
		if (*value != '\0')
			g_string_append_c(word, ';');
		render_field_word(f, word->str);
	}
}

static size_t
escapes_of(const char *value)
{
	size_t n = 0;

	for (; *value != '\0'; value++)
		n += *value == '"' || *value == '\\';
	return n;
}

void
render_field_param(struct render_fields *f, const char *name,
    const char *value)
{
	enum param_form form;
	size_t name_len, len, quotes;

	if (value == NULL)
		return;
	if (!f->first) {
		g_string_append_c(f->out, ';');
		f->col++;
	}
	form = form_of(value);
	if (form == PARAM_EXTENDED) {
		add_extended(f, name, value);
		return;
	}
	name_len = strlen(name);
	len = strlen(value);
	quotes = form == PARAM_QUOTED ? 2 + escapes_of(value) : 0;
	begin_word(f, name_len + 1 + len + quotes);
	text_append(f->out, name, name_len);
	g_string_append_c(f->out, '=');
	if (form == PARAM_QUOTED)
		append_quoted(f->out, value);
	else
		text_append(f->out, value, len);
}
