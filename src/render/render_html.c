/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an HTML template may be made of: elements and attributes that show
 * something by themselves, pictures only out of the mail (src="cid:{{…}}").
 * Archives show mails for years, and nobody can say what a foreign host
 * answers by then; so whatever could fetch or run something is refused when
 * the template is loaded. What is allowed is listed, not what is forbidden:
 * the lists of the forbidden grow with each browser.
 *
 * The template was compiled before, so its {{tags}} are well formed. Sections
 * are looked through: {{#a}}x{{/a}}{{^a}}y{{/a}} is checked as "xy" with a mark
 * at each tag, and must begin and end in the same place of the HTML.
 */
#include "render_int.h"

#include <stdarg.h>
#include <string.h>

#include "err.h"
#include "template_int.h"

/* Stand for tags of the template in text that is being looked at. */
#define MARK_SECTION '\x01'
#define MARK_VALUE '\x02'

enum place_kind { IN_TEXT, IN_TITLE, IN_STYLE, IN_TAG, IN_VALUE };

/* Where a section tag stands; start tells one tag or value from the next. */
struct place {
	enum place_kind kind;
	const char *start;
};

struct html_scan {
	const char *path, *text;
	const char *p;		/* what is next */
	struct place open[TEMPLATE_NESTING_MAX];
	int depth;
	GString *seen;		/* of the value or style sheet */
	struct err *err;
};

static const char *const elements[] = { "b", "bdi", "bdo", "big",
	"blockquote", "body", "br", "caption", "center", "cite", "code",
	"col", "colgroup", "dd", "del", "div", "dl", "dt", "em", "font", "h1",
	"h2", "h3", "h4", "h5", "h6", "head", "hr", "html", "i", "img", "ins",
	"li", "mark", "meta", "ol", "p", "pre", "q", "s", "small", "span",
	"strong", "style", "sub", "sup", "table", "tbody", "td", "tfoot", "th",
	"thead", "time", "title", "tr", "tt", "u", "ul", "wbr", NULL };
static const char *const attributes[] = { "align", "alt", "aria-hidden",
	"aria-label", "bgcolor", "border", "bordercolor", "cellpadding",
	"cellspacing", "charset", "class", "clear", "color", "colspan",
	"content", "datetime", "dir", "face", "height", "hspace", "id",
	"lang", "name", "noshade", "nowrap", "role", "rowspan", "scope",
	"size", "src", "start", "style", "text", "title", "type", "valign",
	"vspace", "width", NULL };
/* What may stand before "(" and after "@" in a style. */
static const char *const functions[] = { "", "and", "calc", "clamp", "hsl",
	"hsla", "is", "max", "media", "min", "not", "nth-child", "or", "rgb",
	"rgba", "where", NULL };
static const char *const rules[] = { "media", NULL };

static bool refuse(const struct html_scan *s, const char *at, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

static bool
refuse(const struct html_scan *s, const char *at, const char *fmt, ...)
{
	g_autofree char *what = NULL;
	size_t line = 1;
	va_list ap;

	va_start(ap, fmt);
	what = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	for (const char *p = s->text; p < at; p++)
		line += *p == '\n';
	return err_set(s->err, ERR_CONF, "template.remote", "%s:%zu: %s is "
	    "not allowed: a journaled mail must show the same for ever, "
	    "without fetching or running anything", s->path, line, what);
}

static bool
is_listed(const char *const *list, const char *word)
{
	return g_strv_contains(list, word);
}

/* Lower case; NULL if there is none. */
static char *
read_word(const char *p)
{
	size_t n = 0;

	while (g_ascii_isalnum(p[n]) || p[n] == '-')
		n++;
	return n > 0 ? g_ascii_strdown(p, (gssize)n) : NULL;
}

/* --- tags of the template --- */

static bool
close_section(struct html_scan *s, struct place here, const char *at)
{
	struct place *open = &s->open[--s->depth];

	if (open->kind == here.kind && open->start == here.start)
		return true;
	return refuse(s, at, "a section that ends in another tag or value "
	    "of the HTML than it began in");
}

static bool
check_value_tag(struct html_scan *s, struct place here, const char *at)
{
	if (here.kind == IN_TAG)
		return refuse(s, at, "{{…}} in a tag without quotes");
	g_string_append_c(s->seen, MARK_VALUE);
	return true;
}

/* At "{{". Moves behind its "}}". */
static bool
pass_mustache(struct html_scan *s, struct place here)
{
	const char *at = s->p;

	s->p = strstr(at, "}}") + 2;
	switch (at[2]) {
	case '!':
		return true;
	case '#':
	case '^':
		g_string_append_c(s->seen, MARK_SECTION);
		s->open[s->depth++] = here;
		return true;
	case '/':
		g_string_append_c(s->seen, MARK_SECTION);
		return close_section(s, here, at);
	default:
		return check_value_tag(s, here, at);
	}
}

/* Collects what stands before the character end, tags of the template too. */
static bool
collect(struct html_scan *s, enum place_kind kind, char end)
{
	struct place here = { kind, s->p };

	g_string_truncate(s->seen, 0);
	while (*s->p != '\0' && *s->p != end) {
		if (s->p[0] == '{' && s->p[1] == '{') {
			if (!pass_mustache(s, here))
				return false;
		} else {
			g_string_append_c(s->seen, *s->p++);
		}
	}
	return *s->p == end ||
	    refuse(s, here.start, "what is not closed by %c", end);
}

/* --- styles --- */

static bool
check_function(const struct html_scan *s, const char *css, size_t bracket,
    const char *at)
{
	g_autofree char *word = NULL;
	size_t from = bracket;

	while (from > 0 && (g_ascii_isalnum(css[from - 1]) ||
	    strchr("-_\x01", css[from - 1]) != NULL))
		from--;
	word = g_ascii_strdown(css + from, (gssize)(bracket - from));
	return is_listed(functions, word) ||
	    refuse(s, at, "%s() in a style", word);
}

static bool
check_style(const struct html_scan *s, const char *css, const char *at)
{
	for (size_t i = 0; css[i] != '\0'; i++) {
		g_autofree char *rule = NULL;

		if (css[i] == MARK_VALUE)
			return refuse(s, at, "{{…}} in a style");
		if (strchr("\\&<", css[i]) != NULL)
			return refuse(s, at, "\"%c\" in a style", css[i]);
		if (css[i] == '(' && !check_function(s, css, i, at))
			return false;
		if (css[i] != '@')
			continue;
		rule = read_word(css + i + 1);
		if (rule == NULL || !is_listed(rules, rule))
			return refuse(s, at, "@%s in a style",
			    rule != NULL ? rule : "");
	}
	return true;
}

/* --- tags of HTML --- */

static bool
check_value(const struct html_scan *s, const char *name, const char *at)
{
	static const char cid[] = { 'c', 'i', 'd', ':', MARK_VALUE, '\0' };

	if (strcmp(name, "style") == 0)
		return check_style(s, s->seen->str, at);
	if (strcmp(name, "src") == 0 && strcmp(s->seen->str, cid) != 0)
		return refuse(s, at, "src= with anything but "
		    "\"cid:{{name}}\"");
	return true;
}

/* Behind the name of an attribute. */
static bool
pass_value(struct html_scan *s, const char *name)
{
	const char *at = s->p;

	g_string_truncate(s->seen, 0);
	if (*s->p != '=')
		return check_value(s, name, at);
	if (strchr("\"'", s->p[1]) == NULL || s->p[1] == '\0')
		return refuse(s, at, "%s= without quotes", name);
	s->p += 2;
	if (!collect(s, IN_VALUE, s->p[-1]))
		return false;
	s->p++;
	return check_value(s, name, at);
}

static bool
pass_attribute(struct html_scan *s)
{
	g_autofree char *name = read_word(s->p);

	if (name == NULL)
		return refuse(s, s->p, "\"%c\" in a tag", *s->p);
	if (!is_listed(attributes, name))
		return refuse(s, s->p, "%s=", name);
	s->p += strlen(name);
	return pass_value(s, name);
}

/* Behind the name of the element; leaves s->p behind ">". */
static bool
pass_attributes(struct html_scan *s)
{
	struct place here = { IN_TAG, s->p };

	while (*s->p != '>') {
		bool ok = true;

		if (*s->p == '\0')
			return refuse(s, here.start, "a tag without >");
		if (s->p[0] == '{' && s->p[1] == '{')
			ok = pass_mustache(s, here);
		else if (g_ascii_isspace(*s->p) || *s->p == '/')
			s->p++;
		else
			ok = pass_attribute(s);
		if (!ok)
			return false;
	}
	s->p++;
	return true;
}

/* What is no HTML up to its end tag, though it may look like it. */
static bool
pass_raw(struct html_scan *s, const char *element)
{
	bool is_style = strcmp(element, "style") == 0;
	const char *at = s->p;

	if (!collect(s, is_style ? IN_STYLE : IN_TITLE, '<'))
		return false;
	if (s->p[1] != '/' || g_ascii_strncasecmp(s->p + 2, element,
	    strlen(element)) != 0)
		return refuse(s, s->p, "\"<\" in <%s>", element);
	return !is_style || check_style(s, s->seen->str, at);
}

/* At "<". */
static bool
pass_tag(struct html_scan *s)
{
	bool is_end = s->p[1] == '/';
	g_autofree char *element = read_word(s->p + 1 + is_end);

	if (g_ascii_strncasecmp(s->p, "<!doctype html>", 15) == 0) {
		s->p += 15;
		return true;
	}
	if (element == NULL)
		return refuse(s, s->p, "\"<%.1s\"", s->p + 1);
	if (!is_listed(elements, element))
		return refuse(s, s->p, "<%s>", element);
	s->p += 1 + is_end + strlen(element);
	if (!pass_attributes(s))
		return false;
	if (is_end || (strcmp(element, "style") != 0 &&
	    strcmp(element, "title") != 0))
		return true;
	return pass_raw(s, element);
}

bool
render_html_check(const char *path, const char *text, struct err *err)
{
	g_autoptr(GString) seen = g_string_new(NULL);
	struct html_scan s = { .path = path, .text = text, .p = text,
		.seen = seen, .err = err };
	bool ok = true;

	while (ok && *s.p != '\0') {
		if (s.p[0] == '{' && s.p[1] == '{')
			ok = pass_mustache(&s, (struct place){ IN_TEXT, NULL });
		else if (*s.p == '<')
			ok = pass_tag(&s);
		else
			s.p++;
	}
	return ok;
}
