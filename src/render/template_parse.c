/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a template to a flat list of operations.
 *
 * All that can be wrong with a template is found here, at load time, and is
 * told with file:line:column (both from 1; columns count characters, so a tab
 * is one). Line ends are brought to LF first; that moves no position.
 */
#include "template_int.h"

#include <stdarg.h>
#include <string.h>

#include "err.h"
#include "render_words.h"
#include "text.h"

#define SYNTAX "template.syntax"
#define BOM "\xef\xbb\xbf"

struct section {
	char *name;
	size_t at;		/* of its opening tag */
	char sigil;
	guint op;
	bool is_level;		/* it opened a level of names */
};

struct parser {
	struct template *t;
	const struct template_source *source;
	const char *text;	/* no NUL inside, NUL after it */
	size_t len;
	struct template_names names;
	struct section open[TEMPLATE_NESTING_MAX];
	int depth;
	struct err *err;
};

struct tag {
	size_t at, end;		/* the tag is text[at..end) */
	char sigil;		/* # ^ / ! _ or 0 for a value */
	char *name;		/* NULL for a comment */
};

static void
find_position(const char *text, size_t at, size_t *line, size_t *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < at; i++) {
		if (text[i] == '\n') {
			++*line;
			*column = 1;
		} else if ((text[i] & 0xc0) != 0x80) {
			++*column;
		}
	}
}

static bool fail_at(const struct parser *p, size_t at, const char *what,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static bool
fail_at(const struct parser *p, size_t at, const char *what,
    const char *fmt, ...)
{
	g_autofree char *msg = NULL;
	size_t line, column;
	va_list ap;

	va_start(ap, fmt);
	msg = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	find_position(p->text, at, &line, &column);
	return err_set(p->err, ERR_CONF, what, "%s:%zu:%zu: %s", p->t->name,
	    line, column, msg);
}

/* Literal text is held to the rules for values, but is refused, not mended. */
static bool
check_characters(const struct parser *p)
{
	g_autofree char *clean = text_clean(p->text, p->len, TEXT_BLOCK,
	    SIZE_MAX);
	size_t at = 0;
	gunichar c;

	while (at < p->len && clean[at] != '\0' && clean[at] == p->text[at])
		at++;
	if (at == p->len && clean[at] == '\0')
		return true;
	while (!text_is_utf8(p->text, at))	/* back to its first byte */
		at--;
	c = p->text[at] == '\0' ? 0 :
	    g_utf8_get_char_validated(p->text + at, (gssize)(p->len - at));
	if (c >= (gunichar)-2)
		return fail_at(p, at, SYNTAX, "the byte 0x%02x is not UTF-8; "
		    "save the file as UTF-8", (unsigned char)p->text[at]);
	return fail_at(p, at, SYNTAX, "the character U+%04X is a control or "
	    "invisible; remove it", (unsigned)c);
}

static void
add_op(struct parser *p, enum template_op_code code,
    const struct template_ref *ref, uint32_t a, uint32_t b)
{
	struct template_op op = { .code = code, .a = a, .b = b };

	if (ref != NULL) {
		op.kind = ref->var->kind;
		op.level = ref->level;
		op.row = ref->row;
	}
	g_array_append_val(p->t->ops, op);
}

static struct template_op *
op_at(const struct parser *p, guint i)
{
	return &g_array_index(p->t->ops, struct template_op, i);
}

/* A LINE template may be broken over lines; the result is one. */
static void
add_literal(struct parser *p, size_t from, size_t to)
{
	GString *lit = p->t->literals;
	gsize start = lit->len;

	if (p->t->kind != TEMPLATE_LINE)
		g_string_append_len(lit, p->text + from, (gssize)(to - from));
	else
		for (; from < to; from++) {
			if (p->text[from] != '\n')
				g_string_append_c(lit, p->text[from] == '\t' ?
				    ' ' : p->text[from]);
		}
	if (lit->len > start)
		add_op(p, OP_LITERAL, NULL, (uint32_t)start,
		    (uint32_t)(lit->len - start));
}

static bool
is_name(const char *s)
{
	if (*s == '\0' || *s == '.' || g_str_has_suffix(s, ".") ||
	    strstr(s, "..") != NULL)
		return false;
	while (g_ascii_isalnum(*s) || (*s != '\0' && strchr("_.-", *s)))
		s++;
	return *s == '\0';
}

/* What mustache has and this language has not. */
static bool
check_sigil(const struct parser *p, size_t at)
{
	switch (p->text[at + 2]) {
	case '{':
	case '&':
		return fail_at(p, at, SYNTAX, "raw output does not exist; "
		    "write {{name}}, it is escaped as it must be");
	case '>':
		return fail_at(p, at, SYNTAX, "there are no partials; "
		    "write the text here");
	case '=':
		return fail_at(p, at, SYNTAX,
		    "the delimiters {{ }} cannot be changed");
	default:
		return true;
	}
}

/* Words may be anything; their blanks at the end are looked at later. */
static bool
read_name(const struct parser *p, size_t from, size_t to, struct tag *tag)
{
	g_autofree char *name = g_strndup(p->text + from, to - from);

	if (strchr(name, '\n') != NULL)
		return fail_at(p, tag->at, SYNTAX,
		    "the tag is not closed by }} on its line");
	if (tag->sigil == '_') {
		tag->name = g_steal_pointer(&name);
		return true;
	}
	g_strstrip(name);
	if (!is_name(name))
		return fail_at(p, tag->at, SYNTAX, "\"%s\" is not a name; "
		    "use letters, digits, _ - and dots", name);
	tag->name = g_steal_pointer(&name);
	return true;
}

static bool
read_tag(const struct parser *p, size_t at, struct tag *tag)
{
	const char *close = strstr(p->text + at + 2, "}}");
	size_t from = at + 2, to;

	if (!check_sigil(p, at))
		return false;
	if (close == NULL)
		return fail_at(p, at, SYNTAX, "the tag is not closed by }}");
	to = (size_t)(close - p->text);
	*tag = (struct tag){ .at = at, .end = to + 2 };
	if (strchr("#^/!_", p->text[from]) != NULL)
		tag->sigil = p->text[from++];
	return tag->sigil == '!' || read_name(p, from, to, tag);
}

/*
 * If nothing but blanks stands beside the tag, its whole line goes, and with
 * it the line end. *from and *to are what is then cut out.
 */
static void
widen_to_line(const struct parser *p, const struct tag *tag, size_t *from,
    size_t *to)
{
	size_t a = tag->at, b = tag->end;

	*from = a;
	*to = b;
	if (tag->sigil == '\0' || tag->sigil == '_')
		return;
	while (a > 0 && (p->text[a - 1] == ' ' || p->text[a - 1] == '\t'))
		a--;
	while (p->text[b] == ' ' || p->text[b] == '\t')
		b++;
	if ((a > 0 && p->text[a - 1] != '\n') ||
	    (b < p->len && p->text[b] != '\n'))
		return;
	*from = a;
	*to = MIN(b + 1, p->len);
}

static bool
find_name(const struct parser *p, const struct tag *tag,
    struct template_ref *ref)
{
	g_autofree char *hint = NULL;

	if (template_names_find(&p->names, tag->name, ref))
		return true;
	hint = template_names_hint(&p->names, tag->name);
	return fail_at(p, tag->at, "template.unknown",
	    "there is no {{%s}} here%s", tag->name, hint);
}

static bool
add_value(struct parser *p, const struct tag *tag)
{
	struct template_ref ref;

	if (!find_name(p, tag, &ref))
		return false;
	if (ref.var->kind != TEMPLATE_STRING)
		return fail_at(p, tag->at, SYNTAX, "%s is a %s; "
		    "write {{#%s}}...{{/%s}}", tag->name,
		    ref.var->kind == TEMPLATE_LIST ? "list" : "flag",
		    tag->name, tag->name);
	add_op(p, OP_VALUE, &ref, 0, 0);
	return true;
}

/* At least one blank parts words from what stands in the next column. */
static void
add_words(struct parser *p, const char *words, size_t columns)
{
	GString *lit = p->t->literals;
	gsize start = lit->len;
	size_t wide = render_columns(words);

	template_escape(lit, p->t->kind, words, strlen(words));
	if (columns > 0 && p->t->kind == TEMPLATE_TEXT)
		g_string_append_printf(lit, "%*s",
		    wide < columns ? (int)(columns - wide) : 1, "");
	if (lit->len > start)
		add_op(p, OP_LITERAL, NULL, (uint32_t)start,
		    (uint32_t)(lit->len - start));
}

static bool
translate(struct parser *p, const struct tag *tag)
{
	const struct template_source *source = p->source;
	g_autofree char *key = g_strchug(g_strdup(tag->name));
	size_t columns = render_columns(key);
	const char *words = g_strchomp(key);

	if (*key == '\0')
		return fail_at(p, tag->at, SYNTAX, "{{_}} has no words");
	if (columns == render_columns(key))
		columns = 0;
	if (source->find != NULL)
		words = source->find(source->catalog, key);
	if (words == NULL)
		return fail_at(p, tag->at, "template.words",
		    "%s has no words for \"%s\"; add a line \"%s = ...\"",
		    source->catalog_name, key, key);
	add_words(p, words, columns);
	return true;
}

static bool
open_section(struct parser *p, struct tag *tag)
{
	struct section *s = &p->open[p->depth];
	struct template_ref ref;

	if (!find_name(p, tag, &ref))
		return false;
	if (p->depth == TEMPLATE_NESTING_MAX)
		return fail_at(p, tag->at, SYNTAX,
		    "more than %d sections within each other",
		    TEMPLATE_NESTING_MAX);
	*s = (struct section){ .at = tag->at, .sigil = tag->sigil,
		.name = g_steal_pointer(&tag->name), .op = p->t->ops->len };
	p->depth++;
	if (s->sigil == '#' && ref.var->kind == TEMPLATE_LIST) {
		s->is_level = true;
		p->names.level++;
		add_op(p, OP_EACH, &ref, 0, p->names.level);
		p->names.table[p->names.level] = ref.var->members;
		p->names.list[p->names.level] = ref;
	} else {
		add_op(p, s->sigil == '#' ? OP_SKIP_UNSET : OP_SKIP_SET,
		    &ref, 0, 0);
	}
	return true;
}

static bool
close_section(struct parser *p, const struct tag *tag)
{
	struct section *s;
	size_t line, column;

	if (p->depth == 0)
		return fail_at(p, tag->at, SYNTAX,
		    "{{/%s}} closes nothing; no section is open", tag->name);
	s = &p->open[p->depth - 1];
	if (strcmp(s->name, tag->name) != 0) {
		find_position(p->text, s->at, &line, &column);
		return fail_at(p, tag->at, SYNTAX, "{{/%s}} found where "
		    "{{%c%s}} of %zu:%zu has to be closed first", tag->name,
		    s->sigil, s->name, line, column);
	}
	if (s->is_level) {
		add_op(p, OP_NEXT, NULL, s->op, 0);
		p->names.level--;
	}
	op_at(p, s->op)->a = p->t->ops->len;
	g_free(s->name);
	p->depth--;
	return true;
}

static bool
add_tag(struct parser *p, struct tag *tag)
{
	switch (tag->sigil) {
	case '!':
		return true;
	case '#':
	case '^':
		return open_section(p, tag);
	case '/':
		return close_section(p, tag);
	case '_':
		return translate(p, tag);
	default:
		return add_value(p, tag);
	}
}

static bool
parse(struct parser *p)
{
	const char *at;
	size_t pos = 0;

	while ((at = strstr(p->text + pos, "{{")) != NULL) {
		struct tag tag = { 0 };
		size_t from, to;
		bool ok;

		if (!read_tag(p, (size_t)(at - p->text), &tag))
			return false;
		widen_to_line(p, &tag, &from, &to);
		add_literal(p, pos, from);
		ok = add_tag(p, &tag);
		g_free(tag.name);
		if (!ok)
			return false;
		pos = to;
	}
	add_literal(p, pos, p->len);
	if (p->depth == 0)
		return true;
	const struct section *s = &p->open[p->depth - 1];
	return fail_at(p, s->at, SYNTAX, "{{%c%s}} is never closed by {{/%s}}",
	    s->sigil, s->name, s->name);
}

/* A copy with LF line ends; some editors put a BOM in front. */
static GString *
normalise(const char *text, size_t len)
{
	GString *out = g_string_sized_new(len);
	size_t i = len >= 3 && memcmp(text, BOM, 3) == 0 ? 3 : 0;

	for (; i < len; i++) {
		if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n')
			g_string_append_c(out, text[i]);
	}
	return out;
}

bool
template_compile_source(const struct template_source *source,
    struct template **out, struct err *err)
{
	g_autoptr(GString) copy = NULL;
	struct template *t;
	bool ok;

	if (source->len > TEMPLATE_BYTES_MAX)
		return err_set(err, ERR_CONF, SYNTAX, "%s:1:1: larger than "
		    "%d bytes", source->name, TEMPLATE_BYTES_MAX);
	copy = normalise(source->text, source->len);
	t = g_new0(struct template, 1);
	t->name = g_strdup(source->name);
	t->kind = source->kind;
	t->literals = g_string_new(NULL);
	t->ops = g_array_new(FALSE, FALSE, sizeof(struct template_op));
	struct parser p = { .t = t, .source = source, .text = copy->str,
		.len = copy->len, .names.table[0] = source->vars, .err = err };
	ok = check_characters(&p) && parse(&p);
	while (p.depth > 0)
		g_free(p.open[--p.depth].name);
	if (!ok) {
		template_free(t);
		return false;
	}
	*out = t;
	return true;
}

bool
template_compile(const char *name, const char *text, size_t len,
    enum template_kind kind, const struct template_var *vars,
    struct template **out, struct err *err)
{
	const struct template_source source = { .name = name, .text = text,
		.len = len, .kind = kind, .vars = vars };

	return template_compile_source(&source, out, err);
}
