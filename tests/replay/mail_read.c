/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tests' reader of mails: RFC 5322 fields, RFC 2047 words, RFC 2231
 * parameters in pieces, multiparts, quoted-printable and base64. It trusts
 * nothing that the program under test says about its own mails.
 */
#include "mail_read.h"

#include <string.h>

/* ---- transfer encodings --------------------------------------------------- */

static GBytes *
decode_base64(const char *s, size_t len)
{
	g_autofree char *copy = g_strndup(s, len);
	gsize n;
	guchar *out = g_base64_decode(copy, &n);

	return g_bytes_new_take(out, n);
}

static void
append_quoted(GString *out, const char *s, size_t len, bool is_word)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '_' && is_word) {
			g_string_append_c(out, ' ');
		} else if (s[i] != '=' || i + 2 >= len) {
			g_string_append_c(out, s[i]);
		} else if (s[i + 1] == '\r' && s[i + 2] == '\n') {
			i += 2;
		} else {
			g_string_append_c(out,
			    (char)(g_ascii_xdigit_value(s[i + 1]) << 4 |
			    g_ascii_xdigit_value(s[i + 2])));
			i += 2;
		}
	}
}

static GBytes *
decode(const char *encoding, const char *s, size_t len)
{
	GString *out;

	if (encoding != NULL && g_ascii_strcasecmp(encoding, "base64") == 0)
		return decode_base64(s, len);
	if (encoding == NULL ||
	    g_ascii_strcasecmp(encoding, "quoted-printable") != 0)
		return g_bytes_new(s, len);
	out = g_string_sized_new(len);
	append_quoted(out, s, len, false);
	return g_string_free_to_bytes(out);
}

/* ---- header fields -------------------------------------------------------- */

/* "=?utf-8?q?…?=" at s; how long it is, 0 if there is none. */
static size_t
decode_word(const char *s, GString *out)
{
	const char *kind, *text, *end;

	if (!g_str_has_prefix(s, "=?") || (kind = strchr(s + 2, '?')) == NULL ||
	    (text = strchr(kind + 1, '?')) == NULL ||
	    (end = strstr(text + 1, "?=")) == NULL)
		return 0;
	text++;
	if (g_ascii_tolower(kind[1]) == 'b') {
		g_autoptr(GBytes) b = decode_base64(text,
		    (size_t)(end - text));

		g_string_append_len(out, g_bytes_get_data(b, NULL),
		    (gssize)g_bytes_get_size(b));
	} else {
		append_quoted(out, text, (size_t)(end - text), true);
	}
	return (size_t)(end + 2 - s);
}

/* Blanks between two encoded words belong to neither. */
static char *
decode_words(const char *s)
{
	GString *out = g_string_new(NULL);
	bool after_word = false;

	while (*s != '\0') {
		size_t blanks = strspn(s, " \t");
		size_t n = after_word ? blanks : 0;
		size_t len = decode_word(s + n, out);

		if (len > 0) {
			s += n + len;
			after_word = true;
		} else {
			g_string_append_c(out, *s++);
			after_word = false;
		}
	}
	return g_string_free(out, FALSE);
}

static void
add_field(struct mail_part *m, const GString *line)
{
	const char *colon = strchr(line->str, ':');

	if (colon == NULL)
		return;
	g_ptr_array_add(m->names, g_strndup(line->str,
	    (size_t)(colon - line->str)));
	colon++;
	g_ptr_array_add(m->values, decode_words(colon +
	    strspn(colon, " \t")));
}

/* Reads the fields, unfolded; gives the place where the body begins. */
static const char *
read_fields(struct mail_part *m, const char *s, const char *end)
{
	g_autoptr(GString) line = g_string_new(NULL);

	while (s < end) {
		const char *eol = g_strstr_len(s, end - s, "\r\n");
		const char *next = eol != NULL ? eol + 2 : end;

		if (eol == NULL)
			eol = end;
		if (line->len > 0 && *s != ' ' && *s != '\t') {
			add_field(m, line);
			g_string_truncate(line, 0);
		}
		if (eol == s)
			return next;
		g_string_append_len(line, s, eol - s);
		s = next;
	}
	if (line->len > 0)
		add_field(m, line);
	return end;
}

const char *
mail_field(const struct mail_part *m, const char *name, guint n)
{
	for (guint i = 0; i < m->names->len; i++) {
		if (g_ascii_strcasecmp(m->names->pdata[i], name) == 0 &&
		    n-- == 0)
			return m->values->pdata[i];
	}
	return NULL;
}

/* The value at s, quoted or not; *end is set behind it. */
static char *
read_value(const char *s, const char **end)
{
	GString *out = g_string_new(NULL);

	if (*s != '"') {
		size_t n = strcspn(s, "; \t");

		*end = s + n;
		return g_string_free(g_string_append_len(out, s, (gssize)n),
		    FALSE);
	}
	for (s++; *s != '\0' && *s != '"'; s++) {
		if (*s == '\\' && s[1] != '\0')
			s++;
		g_string_append_c(out, *s);
	}
	*end = *s == '"' ? s + 1 : s;
	return g_string_free(out, FALSE);
}

/* "name", "name*", "name*0", "name*0*": how the value continues. */
static bool
is_piece(const char *key, size_t len, const char *name, bool *escaped)
{
	size_t n = strlen(name);

	if (len < n || g_ascii_strncasecmp(key, name, n) != 0 ||
	    (len > n && key[n] != '*'))
		return false;
	*escaped = len > n && key[len - 1] == '*';
	return true;
}

static void
append_piece(GString *out, const char *value, bool escaped)
{
	const char *text = value;
	g_autofree char *plain = NULL;

	if (!escaped) {
		g_string_append(out, value);
		return;
	}
	/* charset'language'text, in the first piece */
	if (out->len == 0 && strchr(text, '\'') != NULL) {
		text = strchr(text, '\'') + 1;
		text = strchr(text, '\'') != NULL ? strchr(text, '\'') + 1 :
		    text;
	}
	plain = g_uri_unescape_string(text, NULL);
	g_string_append(out, plain != NULL ? plain : text);
}

char *
mail_param(const char *value, const char *name)
{
	g_autoptr(GString) out = g_string_new(NULL);
	const char *s = value;
	bool found = false;

	while (s != NULL && *s != '\0') {
		size_t len;
		bool escaped = false;

		s += strspn(s, "; \t");
		len = strcspn(s, "=; \t\"");
		if (s[len] == '=') {
			const char *key = s;
			g_autofree char *v = read_value(s + len + 1, &s);

			if (is_piece(key, len, name, &escaped)) {
				append_piece(out, v, escaped);
				found = true;
			}
		} else {
			s += len + (s[len] == '"');
		}
	}
	return found ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

/* ---- parts ---------------------------------------------------------------- */

static void
add_part(struct mail_part *m, const char *from, const char *to)
{
	/* The line end before a boundary belongs to the boundary. */
	if (to - from >= 2 && to[-2] == '\r' && to[-1] == '\n')
		to -= 2;
	g_ptr_array_add(m->parts, mail_read(from, (size_t)(to - from)));
}

static void
read_parts(struct mail_part *m, const char *s, const char *end,
    const char *boundary)
{
	g_autofree char *mark = g_strconcat("--", boundary, NULL);
	size_t n = strlen(mark);
	const char *from = NULL;

	while (s < end) {
		const char *eol = g_strstr_len(s, end - s, "\r\n");
		const char *next = eol != NULL ? eol + 2 : end;
		bool is_mark = (size_t)(end - s) >= n &&
		    memcmp(s, mark, n) == 0;

		if (is_mark && from != NULL)
			add_part(m, from, s);
		if (is_mark && (size_t)(end - s) >= n + 2 &&
		    memcmp(s + n, "--", 2) == 0)
			return;
		if (is_mark)
			from = next;
		s = next;
	}
}

struct mail_part *
mail_read(const char *bytes, size_t len)
{
	struct mail_part *m = g_new0(struct mail_part, 1);
	const char *end = bytes + len, *body, *type;
	g_autofree char *boundary = NULL;

	m->names = g_ptr_array_new_with_free_func(g_free);
	m->values = g_ptr_array_new_with_free_func(g_free);
	m->parts = g_ptr_array_new_with_free_func(mail_part_free);
	body = read_fields(m, bytes, end);
	type = mail_field(m, "Content-Type", 0);
	type = type != NULL ? type : "text/plain";
	m->type = g_ascii_strdown(type, (gssize)strcspn(type, "; \t"));
	boundary = mail_param(type, "boundary");
	m->content = decode(mail_field(m, "Content-Transfer-Encoding", 0),
	    body, (size_t)(end - body));
	if (boundary != NULL && g_str_has_prefix(m->type, "multipart/"))
		read_parts(m, body, end, boundary);
	return m;
}

void
mail_part_free(gpointer part)
{
	struct mail_part *m = part;

	if (m == NULL)
		return;
	g_ptr_array_unref(m->names);
	g_ptr_array_unref(m->values);
	g_ptr_array_unref(m->parts);
	g_bytes_unref(m->content);
	g_free(m->type);
	g_free(m);
}

static const struct mail_part *
find_in(const struct mail_part *m, const char *type, guint *n)
{
	const struct mail_part *found = NULL;

	if (strcmp(m->type, type) == 0 && (*n)-- == 0)
		return m;
	for (guint i = 0; found == NULL && i < m->parts->len; i++)
		found = find_in(m->parts->pdata[i], type, n);
	return found;
}

const struct mail_part *
mail_find(const struct mail_part *m, const char *type, guint n)
{
	return find_in(m, type, &n);
}

char *
mail_text(const struct mail_part *m, const char *type)
{
	const struct mail_part *p = mail_find(m, type, 0);
	GString *out;

	if (p == NULL)
		return g_strdup("");
	out = g_string_new_len(g_bytes_get_data(p->content, NULL),
	    (gssize)g_bytes_get_size(p->content));
	g_string_replace(out, "\r\n", "\n", 0);
	return g_string_free(out, FALSE);
}
