/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns: PCRE2, compiled to machine code where the system lets it. A
 * search is bounded in steps, depth and memory; one that meets a bound has
 * neither matched nor not matched, and is reported so.
 *
 * Unicode properties cost time that most texts need not spend. On a text of
 * ASCII alone they decide as their ASCII counterparts do; where all digits are
 * those of ASCII, \d decides as [0-9] does, which PCRE2 looks for first. So
 * each pattern is compiled for such texts, too.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "scan_int.h"

#include <pcre2.h>
#include <string.h>

#include "err.h"
#include "text.h"

#define MATCH_LIMIT 100000u
#define MATCH_LIMIT_LEAST 1000u
#define MATCH_FULL_BYTES 4096	/* a text of a message, by Meta's limits */
#define DEPTH_LIMIT 1000
#define HEAP_LIMIT_KIB 1024
#define STACK_MIN (32 * 1024)
#define STACK_MAX (512 * 1024)
#define HITS_MAX 100		/* of one pattern in one text */

struct scan_pattern {
	const char *name;
	pcre2_code *full;
	pcre2_code *digits;	/* for texts with digits of ASCII only */
	pcre2_code *ascii;	/* for texts of ASCII only */
	struct scan_need need;
};

/* How the text that is searched differs from the one given. */
struct piece {
	size_t at, from;	/* in the one searched, in the one given */
	bool is_replaced;	/* one byte given is U+FFFD here */
};

struct copy {
	GString *text;
	GArray *pieces;		/* struct piece */
};

struct scan_match {
	pcre2_match_context *context;
	pcre2_match_data *data;
	pcre2_jit_stack *stack;
	struct copy valid;	/* where the text given is no UTF-8 */
	struct copy seen;	/* without what is not seen */
};

/* ---- compiling ---------------------------------------------------------------- */

static pcre2_code *
compile(const char *regex, uint32_t options, int *code, size_t *at)
{
	pcre2_code *c = pcre2_compile((PCRE2_SPTR)regex, strlen(regex),
	    options | PCRE2_CASELESS | PCRE2_NEVER_BACKSLASH_C, code, at,
	    NULL);

	/* Where writable memory must not be executable this fails, and
	   PCRE2 interprets. */
	if (c != NULL)
		(void)pcre2_jit_compile(c, PCRE2_JIT_COMPLETE);
	return c;
}

static bool
is_ascii(const char *s, size_t len)
{
	uint8_t all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (uint8_t)s[i];
	return all < 0x80;
}

/* A class, with 0-9 for \d. */
static bool
add_class(GString *out, const char *s, size_t len)
{
	bool has_any = false;

	for (size_t i = 0, n; i < len; i += n) {
		n = s[i] == '\\' ? 2 : 1;
		if (n == 2 && s[i + 1] == 'd') {
			g_string_append(out, "0-9");
			has_any = true;
		} else {
			g_string_append_len(out, s + i, (gssize)n);
		}
	}
	return has_any;
}

/* The same with [0-9] for \d. NULL: nothing to replace, or not safely. */
static char *
with_plain_digits(const char *regex)
{
	g_autoptr(GString) out = g_string_new(NULL);
	bool has_any = false;
	size_t n;

	if (scan_need_is_hard(regex))
		return NULL;
	for (const char *s = regex; *s != '\0'; s += n) {
		n = *s == '\\' && s[1] != '\0' ? 2 : 1;
		if (*s == '[') {
			n = scan_need_class_length(s);
			if (n == 0)
				return NULL;
			has_any |= add_class(out, s, n);
		} else if (n == 2 && s[1] == 'd') {
			g_string_append(out, "[0-9]");
			has_any = true;
		} else {
			g_string_append_len(out, s, (gssize)n);
		}
	}
	return has_any ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

struct scan_pattern *
scan_pattern_new(const char *name, const char *regex, struct err *err)
{
	struct scan_pattern *p = g_new0(struct scan_pattern, 1);
	g_autofree char *narrow = NULL;
	PCRE2_UCHAR why[160];
	size_t at = 0;
	int code = 0;

	p->name = name;
	scan_need_read(regex, &p->need);
	p->full = compile(regex, PCRE2_UTF | PCRE2_UCP, &code, &at);
	if (p->full == NULL) {
		pcre2_get_error_message(code, why, sizeof(why));
		err_set(err, ERR_CONF, "scan.pattern",
		    "pattern %s: at offset %zu: %s", name, at,
		    (const char *)why);
		g_free(p);
		return NULL;
	}
	narrow = with_plain_digits(regex);
	if (narrow != NULL)
		p->digits = compile(narrow, PCRE2_UTF | PCRE2_UCP, &code, &at);
	if (is_ascii(regex, strlen(regex)))
		p->ascii = compile(regex, 0, &code, &at);
	return p;
}

void
scan_pattern_free(struct scan_pattern *p)
{
	if (p == NULL)
		return;
	pcre2_code_free(p->full);
	pcre2_code_free(p->digits);
	pcre2_code_free(p->ascii);
	g_free(p);
}

static void
init_copy(struct copy *c)
{
	c->text = g_string_new(NULL);
	c->pieces = g_array_new(FALSE, FALSE, sizeof(struct piece));
}

static void
clear_copy(struct copy *c)
{
	g_string_free(c->text, TRUE);
	g_array_unref(c->pieces);
}

struct scan_match *
scan_match_new(void)
{
	struct scan_match *m = g_new0(struct scan_match, 1);

	m->context = pcre2_match_context_create(NULL);
	m->data = pcre2_match_data_create(1, NULL);
	m->stack = pcre2_jit_stack_create(STACK_MIN, STACK_MAX, NULL);
	g_assert(m->context != NULL && m->data != NULL);
	pcre2_set_depth_limit(m->context, DEPTH_LIMIT);
	pcre2_set_heap_limit(m->context, HEAP_LIMIT_KIB);
	if (m->stack != NULL)
		pcre2_jit_stack_assign(m->context, NULL, m->stack);
	init_copy(&m->valid);
	init_copy(&m->seen);
	return m;
}

void
scan_match_free(struct scan_match *m)
{
	if (m == NULL)
		return;
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->context);
	pcre2_jit_stack_free(m->stack);
	clear_copy(&m->valid);
	clear_copy(&m->seen);
	g_free(m);
}

/* ---- the text that is searched --------------------------------------------------- */

struct subject {
	const char *text;
	size_t len;
	bool is_ascii, has_plain_digits;
	const GArray *pieces;	/* NULL: it is the text as given */
	struct scan_need have;
};

static void
add_piece(struct copy *to, size_t from, bool is_replaced)
{
	struct piece p = { to->text->len, from, is_replaced };

	g_array_append_val(to->pieces, p);
}

static bool
is_unseen(const struct scan_fold *fold, uint32_t c)
{
	uint32_t e = scan_fold_get(fold, c);

	return SCAN_CLASS(e) == SCAN_UNSEEN && !SCAN_IS_MARK(e);
}

/* Looks at all of it; says whether anything is not seen. */
static bool
survey(const struct scan_fold *fold, struct subject *s)
{
	bool has_unseen = false;

	s->is_ascii = is_ascii(s->text, s->len);
	s->has_plain_digits = true;
	scan_need_look(s->text, s->len, &s->have);
	for (size_t at = 0; at < s->len;) {
		uint32_t c = scan_decode((const uint8_t *)s->text, s->len,
		    &at);
		uint32_t e = scan_fold_get(fold, c);

		has_unseen |= SCAN_CLASS(e) == SCAN_UNSEEN &&
		    !SCAN_IS_MARK(e);
		if (c >= 0x80 && (SCAN_IS_DIGIT(e) ||
		    SCAN_CLASS(e) == SCAN_MANY))
			s->has_plain_digits = false;
	}
	return has_unseen;
}

/* A byte that is none of UTF-8 becomes U+FFFD. What is alike is one piece. */
static struct subject
rewrite(struct copy *to, const struct scan_fold *fold,
    const struct subject *raw, bool without_unseen)
{
	const uint8_t *text = (const uint8_t *)raw->text;
	bool is_new = true;

	g_string_truncate(to->text, 0);
	g_array_set_size(to->pieces, 0);
	for (size_t at = 0; at < raw->len;) {
		size_t from = at;
		uint32_t c = scan_decode(text, raw->len, &at);
		bool is_bad = text[from] >= 0x80 && at == from + 1;

		if (without_unseen && is_unseen(fold, c)) {
			is_new = true;
			continue;
		}
		if (is_new || is_bad)
			add_piece(to, from, is_bad);
		is_new = is_bad;
		if (is_bad)
			g_string_append(to->text, "\xef\xbf\xbd");
		else
			g_string_append_len(to->text, raw->text + from,
			    (gssize)(at - from));
	}
	return (struct subject){ .text = to->text->str, .len = to->text->len,
		.is_ascii = is_ascii(to->text->str, to->text->len),
		.has_plain_digits = raw->has_plain_digits,
		.pieces = to->pieces, .have = raw->have };
}

/* The last piece that begins at or before `at`; there is one. */
static const struct piece *
find_piece(const GArray *pieces, size_t at)
{
	guint low = 0, high = pieces->len;

	while (high - low > 1) {
		guint mid = (low + high) / 2;

		if (g_array_index(pieces, struct piece, mid).at <= at)
			low = mid;
		else
			high = mid;
	}
	return &g_array_index(pieces, struct piece, low);
}

/* The place in the text given of a byte of the one searched; past: of its
 * end. */
static size_t
place(const struct subject *s, size_t at, bool past)
{
	const struct piece *p;

	if (s->pieces == NULL)
		return at + past;
	if (s->pieces->len == 0)
		return 0;
	p = find_piece(s->pieces, at);
	return p->from + past + (p->is_replaced ? 0 : at - p->at);
}

/* ---- searching -------------------------------------------------------------------- */

static bool
is_known(const struct scan_result *r, guint since, const struct scan_hit *hit)
{
	for (guint i = since; i < r->hits->len; i++) {
		const struct scan_hit *h = &g_array_index(r->hits,
		    struct scan_hit, i);

		if (h->from == hit->from && h->to == hit->to)
			return true;
	}
	return false;
}

static void
add_match(const struct scan_pattern *p, const struct subject *s, guint since,
    struct scan_result *r, const size_t at[2])
{
	struct scan_hit hit = { .source = SCAN_PATTERN, .name = p->name,
		.category = "", .weight = 1, .from = place(s, at[0], false) };

	hit.to = at[1] > at[0] ? place(s, at[1] - 1, true) : hit.from;
	if (!is_known(r, since, &hit))
		scan_result_add(r, &hit);
}

/*
 * PCRE2 counts steps anew at each place it starts from. In a long text these
 * are many, so each gets less: all of them together are bounded, too.
 */
static uint32_t
match_limit(size_t len)
{
	size_t limit = len <= MATCH_FULL_BYTES ? MATCH_LIMIT :
	    (size_t)MATCH_LIMIT * MATCH_FULL_BYTES / len;

	return (uint32_t)MAX(limit, MATCH_LIMIT_LEAST);
}

static size_t
next_char(const struct subject *s, size_t at)
{
	do
		at++;
	while (at < s->len && ((uint8_t)s->text[at] & 0xc0) == 0x80);
	return at;
}

static const pcre2_code *
choose(const struct scan_pattern *p, const struct subject *s)
{
	if (s->is_ascii && p->ascii != NULL)
		return p->ascii;
	return s->has_plain_digits && p->digits != NULL ? p->digits : p->full;
}

static bool
can_match(const struct scan_pattern *p, const struct subject *s)
{
	return ((p->need.ascii[0] & ~s->have.ascii[0]) |
	    (p->need.ascii[1] & ~s->have.ascii[1])) == 0 &&
	    (!s->has_plain_digits || p->need.digits <= s->have.digits);
}

/* An empty match says all that it can say the first time. */
static void
search(struct scan_match *m, const struct scan_pattern *p,
    const struct subject *s, guint since, struct scan_result *r)
{
	const pcre2_code *code = choose(p, s);
	const size_t *at = pcre2_get_ovector_pointer(m->data);
	size_t start = 0;

	for (int n = 0; n < HITS_MAX && start <= s->len; n++) {
		int rc = pcre2_match(code, (PCRE2_SPTR)s->text, s->len, start,
		    PCRE2_NO_UTF_CHECK, m->data, m->context);

		if (rc == PCRE2_ERROR_NOMATCH)
			return;
		if (rc < 0) {
			scan_result_add_unsure(r, p->name);
			return;
		}
		if (at[0] > at[1])	/* \K in a look-behind */
			return;
		add_match(p, s, since, r, at);
		if (at[0] == at[1])
			return;
		start = at[1] > start ? at[1] : next_char(s, start);
	}
}

void
scan_match_run(const struct scan_set *s, struct scan_match *m,
    const char *text, size_t len, struct scan_result *r)
{
	struct subject raw = { .text = len > 0 ? text : "", .len = len };
	struct subject given, seen;
	bool has_unseen;

	if (s->patterns->len == 0)
		return;
	has_unseen = survey(s->fold, &raw);
	given = raw.is_ascii || text_is_utf8(text, len) ? raw :
	    rewrite(&m->valid, s->fold, &raw, false);
	if (has_unseen)
		seen = rewrite(&m->seen, s->fold, &raw, true);
	pcre2_set_match_limit(m->context, match_limit(len));
	for (guint i = 0; i < s->patterns->len; i++) {
		const struct scan_pattern *p =
		    g_ptr_array_index(s->patterns, i);
		guint since = r->hits->len;

		if (!can_match(p, &raw))
			continue;
		search(m, p, &given, since, r);
		if (has_unseen)
			search(m, p, &seen, since, r);
	}
}
