/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts of links: of everything with a scheme, and of a bare name that phones
 * show as a link: its last label is a top-level domain. Texts are folded
 * first (NFKC, lower case, nothing unseen), so that a host is the one a
 * browser would go to. Never fails.
 */
#include "scan_int.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define HOST_MAX 253
#define MARKS_MAX 8

/* Generic ones that chats have in them; those of countries are below. */
static const char generic[] =
    " com net org info biz edu gov mil int app dev xyz online site website "
    "top shop store club link live chat bank finance money cash loan credit "
    "capital trade trading invest fund exchange market markets insurance "
    "pay tax legal law group company business agency global world today "
    "digital network systems services solutions support center email cloud "
    "host hosting page web blog news media social video tube zone space "
    "tech software academy guru expert pro name mobi asia tel travel jobs "
    "vip win bet casino games game fun icu buzz click download review rocks "
    "life love ninja one plus red blue green black gold team work works "
    "ltd llc gmbh inc srl lat moscow london berlin paris rio "
    "xn--p1ai ";

static const char national[] =
    " ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg "
    "bh bi bj bm bn bo br bs bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co "
    "cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm "
    "fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr "
    "ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr "
    "kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn "
    "mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz "
    "om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc "
    "sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj "
    "tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf "
    "ws ye yt za zm zw ";

static const char foreign[] =
    " рф рус бел укр москва дети онлайн сайт орг ком срб мкд бг ею қаз ευ ελ "
    "السعودية امارات مصر قطر المغرب الاردن عمان ישראל भारत ไทย 中国 中國 香港 "
    "台湾 台灣 公司 网络 网址 新加坡 한국 ";

/* ---- characters of names ----------------------------------------------------------- */

static bool
is_name(const char *s)
{
	return g_ascii_isalnum(*s) || *s == '-' || *s == '_' ||
	    (uint8_t)*s >= 0x80;
}

/* Not of ASCII, and neither a letter, nor a mark, nor a digit. */
static bool
has_foreign_sign(const char *s, size_t len)
{
	for (size_t at = 0; at < len;) {
		uint32_t c = scan_decode((const uint8_t *)s, len, &at);
		utf8proc_category_t cat;

		if (c < 0x80)
			continue;
		cat = utf8proc_category((utf8proc_int32_t)c);
		if (cat < UTF8PROC_CATEGORY_LU || cat > UTF8PROC_CATEGORY_ND)
			return true;
	}
	return false;
}

static bool
is_listed(const char *list, const char *label, size_t len)
{
	g_autofree char *key = g_strdup_printf(" %.*s ", (int)len, label);

	return strstr(list, key) != NULL;
}

static bool
is_top(const char *label, size_t len)
{
	return is_listed(national, label, len) ||
	    is_listed(generic, label, len) || is_listed(foreign, label, len);
}

/* What a path, a port or "www." makes a link of, if it may be a name. */
static bool
is_letters(const char *label, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!g_ascii_isalpha(label[i]) && (uint8_t)label[i] < 0x80)
			return false;
	}
	return len > 1;
}

/* ---- finding ------------------------------------------------------------------------ */

struct hosts {
	GPtrArray *list;
	GHashTable *seen;	/* what is in the list */
};

static void
add(struct hosts *hosts, const char *s, size_t len)
{
	g_autofree char *host = NULL;

	while (len > 0 && s[len - 1] == '.')
		len--;
	while (len > 0 && *s == '.') {
		s++;
		len--;
	}
	if (len == 0 || len > HOST_MAX || has_foreign_sign(s, len))
		return;
	host = g_strndup(s, len);
	if (g_hash_table_contains(hosts->seen, host))
		return;
	g_hash_table_add(hosts->seen, host);
	g_ptr_array_add(hosts->list, g_steal_pointer(&host));
}

/* Behind "://": userinfo, host, port. Returns what it took. */
static size_t
add_authority(struct hosts *hosts, const char *s)
{
	size_t len = strcspn(s, "/\\?# \t\r\n\"<>"), from = 0, n;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '@')
			from = i + 1;
	}
	if (s[from] == '[') {
		n = strcspn(s + from, "]");
		if (from + n < len)
			add(hosts, s + from + 1, n - 1);
		return len;
	}
	for (n = 0; from + n < len && (is_name(s + from + n) ||
	    s[from + n] == '.'); n++)
		;
	add(hosts, s + from, n);
	return len;
}

/* The scheme that ends here is one, so it is no "note: //". */
static bool
is_scheme(const char *text, const char *colon)
{
	return colon > text && g_ascii_isalpha(colon[-1]) &&
	    strspn(colon + 1, "/\\") >= 2;
}

static size_t
name_length(const char *s)
{
	size_t n = 0;

	while (is_name(s + n) || (s[n] == '.' && is_name(s + n + 1)))
		n++;
	return n;
}

/* A name without scheme, of n bytes; before and after it is no "@". */
static bool
is_bare_link(const char *s, size_t n)
{
	const char *dot = g_strrstr_len(s, (gssize)n, ".");
	size_t len;
	bool is_marked;

	if (dot == NULL || dot == s)
		return false;
	len = (size_t)(s + n - dot) - 1;
	is_marked = s[n] == '/' || strncmp(s, "www.", 4) == 0 ||
	    (s[n] == ':' && g_ascii_isdigit(s[n + 1]));
	return is_top(dot + 1, len) ||
	    (is_marked && is_letters(dot + 1, len));
}

static void
find_hosts(struct hosts *hosts, const char *text)
{
	for (const char *s = text; *s != '\0';) {
		size_t n = name_length(s);
		char before = s > text ? s[-1] : '\0';

		if (*s == ':' && is_scheme(text, s)) {
			s += 1 + strspn(s + 1, "/\\");
			s += add_authority(hosts, s);
		} else if (n == 0) {
			s++;
		} else {
			if (before != '@' && s[n] != '@' && is_bare_link(s, n))
				add(hosts, s, n);
			s += n;
		}
	}
}

/* In names, the full stop of Han is a dot (UTS 46). */
static void
replace_stops(char *s)
{
	char *to = s;

	while (*s != '\0') {
		if (strncmp(s, "\xe3\x80\x82", 3) == 0) {
			*to++ = '.';
			s += 3;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/*
 * As valid UTF-8 of what is seen. Marks are put in order by comparing each
 * with those before it, so a run of them is cut: no name has so many.
 */
static GString *
clean(const char *text, size_t len)
{
	GString *out = g_string_sized_new(len + 1);
	size_t marks = 0;

	for (size_t at = 0; at < len;) {
		uint32_t c = scan_decode((const uint8_t *)text, len, &at);
		const utf8proc_property_t *p =
		    utf8proc_get_property((utf8proc_int32_t)c);

		marks = p->combining_class != 0 ? marks + 1 : 0;
		if (p->ignorable || marks > MARKS_MAX || c == 0)
			continue;
		g_string_append_unichar(out, c);
	}
	return out;
}

static char *
fold(const char *text, size_t len)
{
	GString *seen = clean(text, len);
	utf8proc_uint8_t *folded = NULL;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)seen->str,
	    (utf8proc_ssize_t)seen->len, &folded, UTF8PROC_STABLE |
	    UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
	    UTF8PROC_IGNORE);
	char *out = n < 0 ? g_strdup("") : g_strndup((const char *)folded,
	    (gsize)n);

	free(folded);
	g_string_free(seen, TRUE);
	replace_stops(out);
	return out;
}

GPtrArray *
scan_hosts(const char *text, size_t len)
{
	g_autofree char *folded = fold(text, len);
	struct hosts hosts = { g_ptr_array_new_with_free_func(g_free),
		g_hash_table_new(g_str_hash, g_str_equal) };

	find_hosts(&hosts, folded);
	g_hash_table_unref(hosts.seen);
	return hosts.list;
}

bool
scan_host_is_under(const char *host, const char *domain)
{
	size_t n = strlen(host), m;

	if (*domain == '.')
		domain++;
	m = strlen(domain);
	if (m == 0 || m > n || g_ascii_strcasecmp(host + n - m, domain) != 0)
		return false;
	return m == n || host[n - m - 1] == '.';
}
