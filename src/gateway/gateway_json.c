/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON with its places in the text. wa_json_check() has gone over every byte
 * before: what is read here is known to follow the grammar, within limits, so
 * that no step asks again whether a bracket is closed. Changes nothing and
 * decides nothing.
 */
#include "gateway_int.h"

#include <string.h>

#include "err.h"

/* Beyond, names are compared by a table rather than one by one. */
#define PAIRS_MAX 16

struct reader {
	const char *text, *p;
	GArray *nodes;
};

static void
skip_blanks(struct reader *r)
{
	while (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t')
		r->p++;
}

/* True: there is an escape in it. */
static bool
skip_string(struct reader *r)
{
	bool escaped = false;

	for (r->p++; *r->p != '"'; r->p++) {
		if (*r->p == '\\') {
			escaped = true;
			r->p++;
		}
	}
	r->p++;
	return escaped;
}

static uint32_t
place(const struct reader *r)
{
	return (uint32_t)(r->p - r->text);
}

static struct gateway_node *
node(const GArray *nodes, uint32_t i)
{
	return &g_array_index(nodes, struct gateway_node, i);
}

static uint32_t read_value(struct reader *r);

static uint32_t
read_member(struct reader *r)
{
	uint32_t key, key_end, i;
	bool escaped;

	key = place(r);
	escaped = skip_string(r);
	key_end = place(r);
	skip_blanks(r);
	r->p++;		/* the colon */
	skip_blanks(r);
	i = read_value(r);
	node(r->nodes, i)->key = key;
	node(r->nodes, i)->key_end = key_end;
	node(r->nodes, i)->has_escaped_key = escaped;
	return i;
}

/* As deep as wa_json_check() let it be. */
static void
read_children(struct reader *r, uint32_t of, char closer)
{
	uint32_t last = 0;

	r->p++;
	skip_blanks(r);
	while (*r->p != closer) {
		uint32_t i = closer == '}' ? read_member(r) : read_value(r);

		if (last == 0)
			node(r->nodes, of)->child = i;
		else
			node(r->nodes, last)->next = i;
		last = i;
		skip_blanks(r);
		if (*r->p == ',') {
			r->p++;
			skip_blanks(r);
		}
	}
	r->p++;
}

static uint32_t
read_value(struct reader *r)
{
	struct gateway_node n = { .kind = *r->p, .at = place(r) };
	uint32_t i = r->nodes->len;

	if (n.kind == '-' || g_ascii_isdigit(n.kind))
		n.kind = '0';
	g_array_append_val(r->nodes, n);
	if (n.kind == '{')
		read_children(r, i, '}');
	else if (n.kind == '[')
		read_children(r, i, ']');
	else if (n.kind == '"')
		skip_string(r);
	else
		r->p += strspn(r->p, "+-.0123456789eEtrufalsn");
	node(r->nodes, i)->end = place(r);
	return i;
}

bool
gateway_json_load(const void *body, size_t len, struct gateway_json *out,
    struct err *err)
{
	const struct wa_limits limits = GATEWAY_LIMITS;
	g_autofree char *text = NULL;
	struct err why = ERR_INIT;
	struct reader r;

	if (!wa_json_check(body, len, &limits, &why))
		return err_set(err, ERR_PERM, "gateway.json", "%s", why.text);
	/* Ends with a NUL, so that a number at the very end ends, too. */
	text = g_malloc(len + 1);
	memcpy(text, body, len);
	text[len] = '\0';
	r = (struct reader){ .text = text, .p = text,
		.nodes = g_array_new(FALSE, FALSE, sizeof(struct gateway_node)) };
	skip_blanks(&r);
	read_value(&r);
	*out = (struct gateway_json){ .text = g_steal_pointer(&text),
		.nodes = r.nodes };
	return true;
}

void
gateway_json_clear(struct gateway_json *j)
{
	g_clear_pointer(&j->nodes, g_array_unref);
	g_clear_pointer(&j->text, g_free);
}

const struct gateway_node *
gateway_json_root(const struct gateway_json *j)
{
	return node(j->nodes, 0);
}

const struct gateway_node *
gateway_json_child(const struct gateway_json *j, const struct gateway_node *n)
{
	return n == NULL || n->child == 0 ? NULL : node(j->nodes, n->child);
}

const struct gateway_node *
gateway_json_next(const struct gateway_json *j, const struct gateway_node *n)
{
	return n->next == 0 ? NULL : node(j->nodes, n->next);
}

bool
gateway_json_is(const struct gateway_node *n, char kind)
{
	return n != NULL && n->kind == kind;
}

static unsigned
hex4(const char *p)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 4 | (unsigned)g_ascii_xdigit_value(p[i]);
	return v;
}

/* What stands after \u, as a character; 0: it is none. *p is moved past it. */
static gunichar
take_unicode(const char **p)
{
	unsigned first = hex4(*p), second;

	*p += 4;
	if (first < 0xd800 || first > 0xdfff)
		return first;
	if (first > 0xdbff || (*p)[0] != '\\' || (*p)[1] != 'u')
		return 0;
	second = hex4(*p + 2);
	if (second < 0xdc00 || second > 0xdfff)
		return 0;
	*p += 6;
	return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

static void
take_escape(const char **p, GString *out, bool *ok)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	gunichar c;
	char which = *(*p)++;

	if (which != 'u') {
		g_string_append_c(out, to[strchr(from, which) - from]);
		return;
	}
	c = take_unicode(p);
	if (c == 0)
		*ok = false;
	g_string_append_unichar(out, c != 0 ? c : 0xfffd);
}

/* A string at [at, end), quotes included. *ok: each escape is a character. */
static char *
decode(const struct gateway_json *j, uint32_t at, uint32_t end, bool *ok)
{
	const char *p = j->text + at + 1, *stop = j->text + end - 1;
	GString *out;

	*ok = true;
	if (memchr(p, '\\', (size_t)(stop - p)) == NULL)
		return g_strndup(p, (size_t)(stop - p));
	out = g_string_sized_new((size_t)(stop - p));
	while (p < stop) {
		if (*p == '\\') {
			p++;
			take_escape(&p, out, ok);
		} else {
			g_string_append_c(out, *p++);
		}
	}
	return g_string_free(out, FALSE);
}

char *
gateway_json_name(const struct gateway_json *j, const struct gateway_node *n)
{
	bool ok;

	return n->key == n->key_end ? NULL :
	    decode(j, n->key, n->key_end, &ok);
}

char *
gateway_json_text(const struct gateway_json *j, const struct gateway_node *n)
{
	bool ok;

	if (gateway_json_is(n, '"'))
		return decode(j, n->at, n->end, &ok);
	if (gateway_json_is(n, '0'))
		return g_strndup(j->text + n->at, n->end - n->at);
	return NULL;
}

static bool
is_named(const struct gateway_json *j, const struct gateway_node *n,
    const char *name)
{
	const char *key = j->text + n->key + 1;
	size_t len = n->key_end - n->key - 2;
	g_autofree char *decoded = NULL;

	if (!n->has_escaped_key)
		return strlen(name) == len && memcmp(key, name, len) == 0;
	decoded = gateway_json_name(j, n);
	return strcmp(decoded, name) == 0;
}

const struct gateway_node *
gateway_json_get(const struct gateway_json *j, const struct gateway_node *n,
    const char *name)
{
	const struct gateway_node *found = NULL;

	if (!gateway_json_is(n, '{'))
		return NULL;
	for (n = gateway_json_child(j, n); n != NULL;
	    n = gateway_json_next(j, n)) {
		if (is_named(j, n, name))
			found = n;
	}
	return found;
}

/* ---- only one way to read it ------------------------------------------------- */

static bool
check_string(const struct gateway_json *j, uint32_t at, uint32_t end,
    struct err *err)
{
	bool ok = true;

	if (memchr(j->text + at, '\\', end - at) != NULL)
		g_free(decode(j, at, end, &ok));
	return ok || err_set(err, ERR_PERM, "gateway.json",
	    "the string at byte %u has an escape that is no character", at);
}

static bool
fail_twice(const char *name, struct err *err)
{
	return err_set(err, ERR_PERM, "gateway.json",
	    "the member \"%s\" is there twice in one object; send it once",
	    name);
}

static bool
check_names_by_table(const struct gateway_json *j,
    const struct gateway_node *first, struct err *err)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL);

	for (const struct gateway_node *n = first; n != NULL;
	    n = gateway_json_next(j, n)) {
		g_autofree char *name = gateway_json_name(j, n);

		if (g_hash_table_contains(seen, name))
			return fail_twice(name, err);
		g_hash_table_add(seen, g_steal_pointer(&name));
	}
	return true;
}

static bool
check_names(const struct gateway_json *j, const struct gateway_node *first,
    struct err *err)
{
	size_t count = 0;

	for (const struct gateway_node *n = first; n != NULL;
	    n = gateway_json_next(j, n)) {
		g_autofree char *name = gateway_json_name(j, n);

		if (++count > PAIRS_MAX)
			return check_names_by_table(j, first, err);
		for (const struct gateway_node *m = first; m != n;
		    m = gateway_json_next(j, m)) {
			if (is_named(j, m, name))
				return fail_twice(name, err);
		}
	}
	return true;
}

bool
gateway_json_check(const struct gateway_json *j, struct err *err)
{
	for (uint32_t i = 0; i < j->nodes->len; i++) {
		const struct gateway_node *n = node(j->nodes, i);

		if (n->has_escaped_key &&
		    !check_string(j, n->key, n->key_end, err))
			return false;
		if (n->kind == '"' && !check_string(j, n->at, n->end, err))
			return false;
		if (n->kind == '{' &&
		    !check_names(j, gateway_json_child(j, n), err))
			return false;
	}
	return true;
}

/* ---- writing ------------------------------------------------------------------ */

static void
put_char(GString *out, gunichar c)
{
	if (c == '"' || c == '\\') {
		g_string_append_c(out, '\\');
		g_string_append_c(out, (char)c);
	} else if (c == '\n') {
		g_string_append(out, "\\n");
	} else if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) {
		g_string_append_printf(out, "\\u%04x", c);
	} else {
		g_string_append_unichar(out, c);
	}
}

void
gateway_json_escape(GString *out, const char *s)
{
	g_autofree char *valid = g_utf8_make_valid(s, -1);

	for (char *p = valid; *p != '\0'; p = g_utf8_next_char(p))
		put_char(out, g_utf8_get_char(p));
}

void
gateway_json_put(GString *out, const char *s)
{
	g_string_append_c(out, '"');
	gateway_json_escape(out, s);
	g_string_append_c(out, '"');
}
