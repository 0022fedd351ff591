/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file in multipart/form-data (RFC 7578, RFC 2046 section 5.1). The bytes
 * go on to Meta as they came: so what could be read in two ways is refused.
 * No preamble, no epilogue, no blanks behind a boundary, each field once, only
 * the fields of an upload, one file. Nothing is decoded or copied.
 */
#include "gateway.h"

#include <string.h>

#include "err.h"
#include "text.h"

#define HEAD_MAX 4096		/* of one part */
#define HEADERS_MAX 8
#define FIELD_MAX 256		/* a value that is no file */
#define PARTS_MAX 8

struct span {
	const char *p;
	size_t len;
};

/* One part: its disposition's name and filename, its type, and the rest. */
struct piece {
	char *name, *filename, *type;
	struct span body;
};

struct form {
	char *type;		/* the field of this name */
	bool has_product, has_file;
	struct gateway_part file;
};

static bool
fail(struct err *err, const char *why)
{
	return err_set(err, ERR_PERM, "gateway.multipart",
	    "the upload is not acceptable multipart/form-data: %s", why);
}

/* ---- parameters of a header ---------------------------------------------------- */

static size_t
token_len(const char *s)
{
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789!#$%&'*+-.^_`|~");
}

/* After the opening quote; *s is moved past the closing one. */
static char *
take_quoted(const char **s)
{
	GString *out = g_string_new("");

	for (const char *p = *s; *p != '\0'; p++) {
		if (*p == '"') {
			*s = p + 1;
			return g_string_free(out, FALSE);
		}
		if (*p == '\\' && p[1] != '\0')
			p++;
		g_string_append_c(out, *p);
	}
	g_string_free(out, TRUE);
	return NULL;
}

/* "; name=value" at *s: 1 taken, 0 the end, -1 neither. */
static int
take_parameter(const char **s, char **name, char **value)
{
	const char *p = *s + strspn(*s, " \t");
	size_t n;

	*name = *value = NULL;
	if (*p == '\0')
		return 0;
	if (*p++ != ';')
		return -1;
	p += strspn(p, " \t");
	n = token_len(p);
	if (n == 0 || p[n] != '=')
		return -1;
	*name = g_ascii_strdown(p, (gssize)n);
	p += n + 1;
	if (*p == '"') {
		p++;
		*value = take_quoted(&p);
	} else if (token_len(p) > 0) {
		*value = g_strndup(p, token_len(p));
		p += token_len(p);
	}
	*s = p;
	return *value != NULL ? 1 : -1;
}

/*
 * One parameter of each of the wanted names (lower case) at most; others are
 * passed over, but for the "…*" forms: RFC 7578 section 4.2 forbids them, and
 * who reads them sees another name than who does not.
 */
static bool
take_parameters(const char *s, const char *const *wanted, char **values)
{
	for (;;) {
		g_autofree char *name = NULL, *value = NULL;
		int got = take_parameter(&s, &name, &value);

		if (got <= 0)
			return got == 0;
		if (strchr(name, '*') != NULL)
			return false;
		for (size_t i = 0; wanted[i] != NULL; i++) {
			if (strcmp(name, wanted[i]) != 0)
				continue;
			if (values[i] != NULL)
				return false;
			values[i] = g_steal_pointer(&value);
			break;
		}
	}
}

/* RFC 2046 section 5.1.1: 1 to 70 of bchars, the last one no blank. */
static bool
is_boundary(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789'()+_,-./:=? ");

	return n >= 1 && n <= 70 && s[n] == '\0' && s[n - 1] != ' ';
}

static bool
take_boundary(const char *content_type, char **out, struct err *err)
{
	static const char media[] = "multipart/form-data";
	static const char *const wanted[] = { "boundary", NULL };
	char *value = NULL;

	if (content_type == NULL ||
	    g_ascii_strncasecmp(content_type, media, strlen(media)) != 0 ||
	    token_len(content_type + strlen(media)) > 0)
		return fail(err, "the Content-Type is another");
	if (!take_parameters(content_type + strlen(media), wanted, &value) ||
	    value == NULL || !is_boundary(value)) {
		g_free(value);
		return fail(err, "the Content-Type has no good boundary");
	}
	*out = value;
	return true;
}

/* ---- one part --------------------------------------------------------------------- */

static void
piece_clear(struct piece *p)
{
	g_free(p->name);
	g_free(p->filename);
	g_free(p->type);
}

static bool
take_disposition(const char *value, struct piece *out, struct err *err)
{
	static const char *const wanted[] = { "name", "filename", NULL };
	char *values[2] = { NULL, NULL };
	bool ok;

	if (out->name != NULL || token_len(value) != strlen("form-data") ||
	    g_ascii_strncasecmp(value, "form-data", 9) != 0)
		return fail(err, "a part's disposition is not form-data, once");
	ok = take_parameters(value + 9, wanted, values);
	out->name = values[0];
	out->filename = values[1];
	if (!ok || out->name == NULL)
		return fail(err, "a part's disposition has no good name");
	return true;
}

static bool
take_header(char *line, struct piece *out, struct err *err)
{
	size_t n = token_len(line);
	char *value = line + n + 1;

	if (n == 0 || line[n] != ':')
		return fail(err, "a part's header is none");
	line[n] = '\0';
	value = g_strstrip(value);
	if (g_ascii_strcasecmp(line, "Content-Disposition") == 0)
		return take_disposition(value, out, err);
	if (g_ascii_strcasecmp(line, "Content-Type") == 0) {
		if (out->type != NULL)
			return fail(err, "a part has two types");
		out->type = g_strdup(value);
	}
	/* RFC 7578 section 4.7: deprecated; what is decoded is not judged. */
	if (g_ascii_strcasecmp(line, "Content-Transfer-Encoding") == 0 &&
	    g_ascii_strcasecmp(value, "binary") != 0 &&
	    g_ascii_strcasecmp(value, "8bit") != 0 &&
	    g_ascii_strcasecmp(value, "7bit") != 0)
		return fail(err, "a part is encoded");
	return true;
}

/* No raw controls but the CR LF between headers; names are UTF-8. */
static bool
is_clean_head(const char *s, size_t len)
{
	if (!text_is_utf8(s, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		bool is_break = s[i] == '\r' && i + 1 < len &&
		    s[i + 1] == '\n';

		if (is_break)
			i++;
		else if (((unsigned char)s[i] < ' ' && s[i] != '\t') ||
		    s[i] == '\x7f')
			return false;
	}
	return true;
}

static bool
take_head(struct span head, struct piece *out, struct err *err)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (head.len > HEAD_MAX || !is_clean_head(head.p, head.len))
		return fail(err, "a part's headers are too long or not clean");
	text = g_strndup(head.p, head.len);
	lines = g_strsplit(text, "\r\n", HEADERS_MAX + 1);
	if (g_strv_length(lines) > HEADERS_MAX)
		return fail(err, "a part has too many headers");
	for (char **line = lines; *line != NULL; line++) {
		if (!take_header(*line, out, err))
			return false;
	}
	return out->name != NULL || fail(err, "a part has no disposition");
}

static bool
take_piece(struct span part, struct piece *out, struct err *err)
{
	const char *blank = memmem(part.p, part.len, "\r\n\r\n", 4);
	struct span head;

	if (blank == NULL)
		return fail(err, "a part has no headers");
	head = (struct span){ part.p, (size_t)(blank - part.p) };
	out->body = (struct span){ blank + 4, part.len - head.len - 4 };
	return take_head(head, out, err);
}

/* ---- the form ---------------------------------------------------------------------- */

/* "type/subtype" with parameters, or NULL. */
static bool
is_media_type(const char *s)
{
	size_t n = token_len(s);

	if (n == 0 || s[n] != '/' || strlen(s) > FIELD_MAX)
		return false;
	for (const char *c = s; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~')
			return false;
	}
	s += n + 1;
	n = token_len(s);
	return n > 0 && (s[n] == '\0' || s[n] == ';' || s[n] == ' ');
}

static bool
take_file(struct form *f, struct piece *p, struct err *err)
{
	if (f->has_file)
		return fail(err, "there are two files");
	if (p->type != NULL && !is_media_type(p->type))
		return fail(err, "the file's type is none");
	f->has_file = true;
	f->file.bytes = p->body.p;
	f->file.len = p->body.len;
	f->file.filename = g_steal_pointer(&p->filename);
	f->file.type = g_steal_pointer(&p->type);
	return true;
}

static bool
take_field(struct form *f, const struct piece *p, struct err *err)
{
	g_autofree char *value = NULL;

	if (p->filename != NULL || p->body.len > FIELD_MAX ||
	    memchr(p->body.p, '\0', p->body.len) != NULL)
		return fail(err, "a field has a file in it, or is too long");
	value = g_strndup(p->body.p, p->body.len);
	if (strcmp(p->name, "messaging_product") == 0) {
		if (f->has_product || strcmp(value, "whatsapp") != 0)
			return fail(err, "messaging_product is not whatsapp, "
			    "once");
		f->has_product = true;
		return true;
	}
	if (strcmp(p->name, "type") != 0)
		return fail(err, "there is a field that an upload has not");
	if (f->type != NULL || !is_media_type(value))
		return fail(err, "the field type is no media type, once");
	f->type = g_steal_pointer(&value);
	return true;
}

static bool
take_part(struct form *f, struct span part, struct err *err)
{
	struct piece p = { 0 };
	bool ok = take_piece(part, &p, err);

	if (ok)
		ok = strcmp(p.name, "file") == 0 ? take_file(f, &p, err) :
		    take_field(f, &p, err);
	piece_clear(&p);
	return ok;
}

/* s begins after a boundary: CR LF, or "--" and the end. */
static bool
is_end(struct span s)
{
	return (s.len == 2 && memcmp(s.p, "--", 2) == 0) ||
	    (s.len == 4 && memcmp(s.p, "--\r\n", 4) == 0);
}

static bool
take_parts(struct form *f, const char *delimiter, struct span s,
    struct err *err)
{
	size_t n = strlen(delimiter);

	for (int i = 0; i < PARTS_MAX; i++) {
		struct span part;
		const char *next;

		if (is_end(s))
			return true;
		if (s.len < 2 || memcmp(s.p, "\r\n", 2) != 0)
			return fail(err, "something stands behind a boundary");
		next = memmem(s.p + 2, s.len - 2, delimiter, n);
		if (next == NULL)
			return fail(err, "the last boundary is missing");
		part = (struct span){ s.p + 2, (size_t)(next - s.p - 2) };
		if (!take_part(f, part, err))
			return false;
		s.len -= (size_t)(next - s.p) + n;
		s.p = next + n;
	}
	return fail(err, "there are too many parts");
}

bool
gateway_part_find(const char *content_type, const void *body, size_t len,
    struct gateway_part *out, struct err *err)
{
	g_autofree char *boundary = NULL, *delimiter = NULL;
	struct form f = { 0 };
	size_t n;
	bool ok;

	if (!take_boundary(content_type, &boundary, err))
		return false;
	delimiter = g_strconcat("\r\n--", boundary, NULL);
	/* The first one has no line break before it. */
	n = strlen(delimiter) - 2;
	if (len < n || memcmp(body, delimiter + 2, n) != 0)
		return fail(err, "it does not begin with its boundary");
	ok = take_parts(&f, delimiter,
	    (struct span){ (const char *)body + n, len - n }, err);
	if (ok && !f.has_file)
		ok = fail(err, "there is no file");
	if (ok && !f.has_product)
		ok = fail(err, "there is no messaging_product");
	if (ok && f.type != NULL) {
		g_free(f.file.type);
		f.file.type = g_steal_pointer(&f.type);
	}
	g_free(f.type);
	if (ok)
		*out = f.file;
	else
		gateway_part_clear(&f.file);
	return ok;
}

void
gateway_part_clear(struct gateway_part *p)
{
	g_clear_pointer(&p->filename, g_free);
	g_clear_pointer(&p->type, g_free);
}
