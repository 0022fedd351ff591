/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which request it is, from method and target alone. What is judged here must
 * be what Meta carries out: so a path has one spelling (no %, no dot segments,
 * no empty ones), and a query holds nothing that makes another request of it.
 * Graph takes parameters of a POST from the query as well as from the body,
 * and "method", "batch" and "access_token" anywhere. What is in doubt is
 * refused: out->why says it to whoever asks.
 */
#include "gateway.h"

#include <string.h>

#include "gateway_int.h"

#define TARGET_MAX 8192
#define SEGMENTS_MAX 12
#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

struct target {
	char **segments;	/* without the first, empty one */
	guint count;
	const char *query;	/* or NULL */
};

/* ---- the target's grammar ------------------------------------------------------ */

static bool
is_of(const char *s, const char *chars, size_t min, size_t max)
{
	size_t n = strlen(s);

	return n >= min && n <= max && strspn(s, chars) == n;
}

static bool
is_segment(const char *s)
{
	return is_of(s, LETTERS DIGITS "._:=-", 1, 256) &&
	    strcmp(s, ".") != 0 && strcmp(s, "..") != 0;
}

bool
gateway_is_number_id(const char *s)
{
	return is_of(s, DIGITS, 5, 24);
}

/*
 * Base64 of some length, such as Y2FwaV9ncm91cDoxMjM=. A capital and a digit
 * tell it from the words of Graph's own paths.
 */
static bool
is_group_id(const char *s)
{
	return is_of(s, LETTERS DIGITS "_-=", 16, 256) &&
	    strpbrk(s, DIGITS) != NULL &&
	    strpbrk(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL;
}

static bool
is_key(const char *s)
{
	return is_of(s, LETTERS DIGITS "._-", 1, 64);
}

static bool
is_version(const char *s)
{
	size_t n;

	if (*s++ != 'v')
		return false;
	n = strspn(s, DIGITS);
	if (n < 1 || n > 3 || s[n] != '.')
		return false;
	return is_of(s + n + 1, DIGITS, 1, 3);
}

/* The values of a query go on as they are; here they are only looked at. */
static bool
is_value(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] <= ' ' || s[i] > '~' || strchr("#;\"<>\\", s[i]))
			return false;
		if (s[i] == '%' && (i + 2 >= len ||
		    !g_ascii_isxdigit(s[i + 1]) ||
		    !g_ascii_isxdigit(s[i + 2])))
			return false;
	}
	return true;
}

static bool
is_taken(const char *name, size_t len)
{
	static const char *const names[] = { "access_token",
		"appsecret_proof", "batch", "ids", "method" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strlen(names[i]) == len &&
		    g_ascii_strncasecmp(names[i], name, len) == 0)
			return true;
	}
	return false;
}

/* only: names that may be there, NULL for any. */
static bool
is_query(const char *q, const char *const *only)
{
	while (q != NULL) {
		const char *amp = strchrnul(q, '&');
		size_t len = (size_t)(amp - q);
		size_t name = strspn(q, LETTERS DIGITS "_");
		g_autofree char *copy = g_strndup(q, name);

		if (name == 0 || name > len || is_taken(q, name))
			return false;
		if (name < len && (q[name] != '=' ||
		    !is_value(q + name + 1, len - name - 1)))
			return false;
		if (only != NULL && !g_strv_contains(only, copy))
			return false;
		q = *amp == '&' ? amp + 1 : NULL;
	}
	return true;
}

static bool
take_target(const char *target, struct target *out)
{
	g_auto(GStrv) segments = NULL;
	g_autofree char *path = NULL;
	const char *query = strchr(target, '?');
	guint n;

	if (*target != '/' || strlen(target) > TARGET_MAX)
		return false;
	path = query != NULL ?
	    g_strndup(target + 1, (size_t)(query - target - 1)) :
	    g_strdup(target + 1);
	segments = g_strsplit(path, "/", SEGMENTS_MAX + 1);
	n = g_strv_length(segments);
	for (guint i = 0; i < n; i++) {
		if (!is_segment(segments[i]))
			return false;
	}
	if (n == 0 || n > SEGMENTS_MAX)
		return false;
	out->segments = g_steal_pointer(&segments);
	out->count = n;
	out->query = query != NULL ? query + 1 : NULL;
	return true;
}

/* ---- what there is ---------------------------------------------------------------- */

enum id_kind { ID_NUMBER, ID_GROUP, ID_KEY };

struct path {
	const char *method;
	bool has_version;
	enum id_kind id;
	const char *before, *after;	/* fixed words around the id, or NULL */
	enum gateway_what what;
};

static const struct path paths[] = {
	{ "POST", true, ID_NUMBER, NULL, "messages", GATEWAY_SEND },
	{ "POST", true, ID_NUMBER, NULL, "marketing_messages", GATEWAY_SEND },
	{ "POST", true, ID_NUMBER, NULL, "media", GATEWAY_UPLOAD },
	{ "GET", true, ID_NUMBER, NULL, NULL, GATEWAY_MEDIA_FIND },
	{ "GET", true, ID_NUMBER, NULL, "file", GATEWAY_MEDIA_FILE },
	{ "DELETE", true, ID_NUMBER, NULL, NULL, GATEWAY_MEDIA_DELETE },
	{ "POST", true, ID_NUMBER, NULL, "calls", GATEWAY_CALL },
	{ "GET", true, ID_NUMBER, NULL, "groups", GATEWAY_GROUP },
	{ "POST", true, ID_NUMBER, NULL, "groups", GATEWAY_GROUP },
	{ "GET", true, ID_GROUP, NULL, NULL, GATEWAY_GROUP },
	{ "POST", true, ID_GROUP, NULL, NULL, GATEWAY_GROUP },
	{ "DELETE", true, ID_GROUP, NULL, NULL, GATEWAY_GROUP },
	{ "GET", true, ID_GROUP, NULL, "participants", GATEWAY_GROUP },
	{ "POST", true, ID_GROUP, NULL, "participants", GATEWAY_GROUP },
	{ "DELETE", true, ID_GROUP, NULL, "participants", GATEWAY_GROUP },
	{ "GET", true, ID_GROUP, NULL, "invite_link", GATEWAY_GROUP },
	{ "POST", true, ID_GROUP, NULL, "invite_link", GATEWAY_GROUP },
	{ "GET", true, ID_GROUP, NULL, "join_requests", GATEWAY_GROUP },
	{ "POST", true, ID_GROUP, NULL, "join_requests", GATEWAY_GROUP },
	{ "DELETE", true, ID_GROUP, NULL, "join_requests", GATEWAY_GROUP },
	{ "GET", false, ID_KEY, "sends", NULL, GATEWAY_LOOK },
};

static bool
is_id(enum id_kind kind, const char *s)
{
	switch (kind) {
	case ID_NUMBER:
		return gateway_is_number_id(s);
	case ID_GROUP:
		return !gateway_is_number_id(s) && is_group_id(s);
	case ID_KEY:
	default:
		return is_key(s);
	}
}

/* The id that t has in the place where p has one; NULL: another path. */
static const char *
fit(const struct path *p, const struct target *t)
{
	char *const *s = t->segments;
	guint want = (p->has_version ? 1u : 0) + (p->before != NULL ? 1u : 0) +
	    1 + (p->after != NULL ? 1u : 0);
	const char *id;

	if (t->count != want || (p->has_version && !is_version(*s++)))
		return NULL;
	if (p->before != NULL && strcmp(*s++, p->before) != 0)
		return NULL;
	id = *s++;
	if (p->after != NULL && strcmp(*s, p->after) != 0)
		return NULL;
	return is_id(p->id, id) ? id : NULL;
}

/* Parameters belong into the body: in the query nobody would judge them. */
static bool
is_query_for(enum gateway_what what, const char *method, const char *query)
{
	static const char *const none[] = { NULL };

	if (what == GATEWAY_ALLOWED ||
	    (what == GATEWAY_GROUP && strcmp(method, "GET") == 0))
		return is_query(query, NULL);
	return is_query(query, none);
}

/* ---- what the conf allows besides --------------------------------------------------- */

/* '*' is any number of characters, '?' one; neither is a slash. */
static bool
is_like(const char *glob, const char *s)
{
	const char *star = NULL, *back = NULL;

	while (*s != '\0') {
		if (*glob == '*') {
			star = glob++;
			back = s;
		} else if (*glob == *s || (*glob == '?' && *s != '/')) {
			glob++;
			s++;
		} else if (star != NULL && *back != '/') {
			glob = star + 1;
			s = ++back;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return *glob == '\0';
}

/* A wide glob must not become a way around what is judged. */
static bool
is_reserved(const char *word)
{
	static const char *const words[] = { "messages", "marketing_messages",
		"media", "calls", "batch" };

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (g_ascii_strcasecmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

static bool
is_allowed(const char *method, const struct target *t,
    const GPtrArray *allowed)
{
	g_autofree char *path = g_strjoinv("/", t->segments);
	bool reads = strcmp(method, "GET") == 0;

	if (t->count < 2 || !is_version(t->segments[0]))
		return false;
	for (guint i = 1; i < t->count && !reads; i++) {
		if (is_reserved(t->segments[i]))
			return false;
	}
	for (guint i = 0; allowed != NULL && i < allowed->len; i++) {
		const char *row = g_ptr_array_index(allowed, i);
		const char *glob = strchr(row, ' ');

		if (glob != NULL && strlen(method) == (size_t)(glob - row) &&
		    memcmp(row, method, strlen(method)) == 0 &&
		    glob[1] == '/' && is_like(glob + 2, path))
			return true;
	}
	return false;
}

/* ---- the whole ------------------------------------------------------------------------ */

static void
decide(struct gateway_route *out, enum gateway_what what, const char *why)
{
	out->what = what;
	out->why = why;
}

/* One number, once: it decides who may have the file. */
static bool
take_number(const char *query, struct gateway_route *out)
{
	static const char name[] = "phone_number_id=";

	if (query == NULL)
		return true;
	if (!g_str_has_prefix(query, name) ||
	    !gateway_is_number_id(query + strlen(name)))
		return false;
	out->number = g_strdup(query + strlen(name));
	return true;
}

static bool
is_media(enum gateway_what what)
{
	return what == GATEWAY_MEDIA_FIND || what == GATEWAY_MEDIA_FILE ||
	    what == GATEWAY_MEDIA_DELETE;
}

static void
accept_query(const char *method, const struct target *t,
    struct gateway_route *out)
{
	if (is_media(out->what) ? !take_number(t->query, out) :
	    !is_query_for(out->what, method, t->query))
		decide(out, GATEWAY_UNKNOWN, "a parameter of the query is not "
		    "taken here; parameters belong into the body");
}

/* True: this path exists. */
static bool
find_path(const char *method, const struct target *t,
    struct gateway_route *out)
{
	bool exists = false;

	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
		const char *id = fit(&paths[i], t);

		if (id == NULL)
			continue;
		exists = true;
		if (strcmp(paths[i].method, method) != 0)
			continue;
		out->id = g_strdup(id);
		decide(out, paths[i].what, NULL);
		accept_query(method, t, out);
		return true;
	}
	if (exists)
		decide(out, GATEWAY_BAD_METHOD,
		    "this path does not take this method");
	return exists;
}

static void
find(const char *method, const struct target *t, const GPtrArray *allowed,
    struct gateway_route *out)
{
	if (t->count == 1 && strcmp(t->segments[0], "capture") == 0) {
		bool post = strcmp(method, "POST") == 0;

		decide(out, post ? GATEWAY_CAPTURE : GATEWAY_BAD_METHOD,
		    post ? NULL : "this path takes POST only");
		if (post)
			accept_query(method, t, out);
		return;
	}
	if (find_path(method, t, out) && out->what != GATEWAY_BAD_METHOD)
		return;
	if (!is_allowed(method, t, allowed))
		return;
	decide(out, GATEWAY_ALLOWED, NULL);
	accept_query(method, t, out);
}

void
gateway_route(const char *method, const char *target,
    const GPtrArray *allowed, struct gateway_route *out)
{
	struct target t = { 0 };

	*out = (struct gateway_route){ .what = GATEWAY_UNKNOWN,
		.why = "no such path, or one that the gateway does not pass "
		    "on; begin with a version, as /v25.0/ID/messages" };
	if (!take_target(target, &t)) {
		out->why = "the path is not written as Graph's paths are";
		return;
	}
	if (is_version(t.segments[0]))
		out->version = g_strdup(t.segments[0]);
	find(method, &t, allowed, out);
	g_strfreev(t.segments);
}

void
gateway_route_clear(struct gateway_route *r)
{
	g_clear_pointer(&r->version, g_free);
	g_clear_pointer(&r->id, g_free);
	g_clear_pointer(&r->number, g_free);
}
