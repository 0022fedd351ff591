/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Graph says: the address of a file, or why not. Nothing that comes
 * from there is believed to be short, clean or of the right type, and no text
 * of an error repeats what could be a token. No I/O.
 */
#include "graph_int.h"

#include <curl/curl.h>
#include <json-c/json.h>
#include <string.h>

#include "err.h"
#include "text.h"

#define DEPTH_MAX 32	/* cards in a template: 14 */
#define TEXT_MAX 200	/* of Meta's words in an error */
#define ID_MAX_LEN 128
/* Tokens are longer than any word; trace ids are shorter. */
#define WORD_MAX_LEN 40

bool
graph_is_id(const char *id)
{
	size_t len = strlen(id);

	return len > 0 && len <= ID_MAX_LEN && strspn(id, "0123456789-_"
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == len;
}

/* ---- JSON ------------------------------------------------------------------ */

/* NULL when it is not one whole object of valid UTF-8. */
static json_object *
parse(const char *body, size_t len, size_t max)
{
	struct json_tokener *tok;
	json_object *root;
	size_t end;

	if (len == 0 || len > max || !text_is_utf8(body, len) ||
	    memchr(body, '\0', len) != NULL)
		return NULL;
	tok = json_tokener_new_ex(DEPTH_MAX);
	if (tok == NULL)
		return NULL;
	root = json_tokener_parse_ex(tok, body, (int)len);
	end = json_tokener_get_parse_end(tok);
	json_tokener_free(tok);
	while (end < len && strchr(" \t\r\n", body[end]) != NULL)
		end++;
	if (end == len && json_object_is_type(root, json_type_object))
		return root;
	json_object_put(root);
	return NULL;
}

static json_object *
get(json_object *o, const char *key)
{
	json_object *member = NULL;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, key, &member))
		return NULL;
	return member;
}

/* NULL unless it is a string without NUL in it. */
static const char *
get_string(json_object *o, const char *key)
{
	json_object *member = get(o, key);
	const char *s;

	if (!json_object_is_type(member, json_type_string))
		return NULL;
	s = json_object_get_string(member);
	return strlen(s) == (size_t)json_object_get_string_len(member) ? s :
	    NULL;
}

/* A number, or one in quotes; -1 when it is neither, or negative. */
static int64_t
get_number(json_object *o, const char *key)
{
	json_object *member = get(o, key);
	const char *s = get_string(o, key);
	int64_t n;

	if (json_object_is_type(member, json_type_int)) {
		n = json_object_get_int64(member);
		return n < 0 ? -1 : n;
	}
	if (s == NULL || *s == '\0' || strlen(s) > 18 ||
	    s[strspn(s, "0123456789")] != '\0')
		return -1;
	return g_ascii_strtoll(s, NULL, 10);
}

/* ---- the address of a file ---------------------------------------------------- */

static bool
strange(struct err *err, const char *why)
{
	return err_set(err, ERR_TEMP, "graph.server",
	    "the answer about the file %s", why);
}

static bool
is_of(json_object *root, const char *id)
{
	const char *said = get_string(root, "id");

	return said == NULL || strcmp(said, id) == 0;
}

bool
graph_answer_media(const char *id, const char *body, size_t len,
    struct graph_media *out, struct err *err)
{
	json_object *root = parse(body, len, GRAPH_ANSWER_MAX);
	const char *url = get_string(root, "url");
	bool ok = false;

	if (root == NULL) {
		strange(err, "is no JSON object");
	} else if (url == NULL || *url == '\0') {
		strange(err, "has no url");
	} else if (!is_of(root, id)) {
		strange(err, "is about another one");
	} else {
		out->url = g_strdup(url);
		out->mime_type = g_strdup(get_string(root, "mime_type"));
		out->sha256 = g_strdup(get_string(root, "sha256"));
		out->size = get_number(root, "file_size");
		ok = true;
	}
	json_object_put(root);
	return ok;
}

void
graph_media_clear(struct graph_media *m)
{
	g_clear_pointer(&m->url, g_free);
	g_clear_pointer(&m->mime_type, g_free);
	g_clear_pointer(&m->sha256, g_free);
	m->size = -1;
}

/* ---- templates ----------------------------------------------------------------- */

static bool
is_text(json_object *o, const char *key, const char *want)
{
	const char *s = get_string(o, key);

	return s != NULL && strcmp(s, want) == 0;
}

/* The filter of Graph is its own affair: what came is compared. */
static json_object *
pick(json_object *data, const char *name, const char *language)
{
	size_t n = json_object_array_length(data);

	for (size_t i = 0; i < n; i++) {
		json_object *o = json_object_array_get_idx(data, i);

		if (is_text(o, "name", name) &&
		    is_text(o, "language", language))
			return o;
	}
	return NULL;
}

/*
 * paging.next holds an address, which is only taken as a sign of more. NULL:
 * no more; "": more, and no way to ask for it.
 */
static const char *
cursor(json_object *root)
{
	json_object *paging = get(root, "paging");
	const char *after = get_string(get(paging, "cursors"), "after");

	if (get_string(paging, "next") == NULL)
		return NULL;
	return after != NULL ? after : "";
}

bool
graph_answer_templates(const char *body, size_t len, const char *name,
    const char *language, char **json, char **after, struct err *err)
{
	json_object *root = parse(body, len, GRAPH_TEMPLATES_MAX);
	json_object *data = get(root, "data"), *found;
	bool ok = json_object_is_type(data, json_type_array);

	if (!ok) {
		err_set(err, ERR_TEMP, "graph.server",
		    "the answer about the template %s", root == NULL ?
		    "is no JSON object" : "has no data");
	} else {
		found = pick(data, name, language);
		*json = found == NULL ? NULL : g_strdup(
		    json_object_to_json_string_ext(found,
		    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		*after = g_strdup(cursor(root));
	}
	json_object_put(root);
	return ok;
}

/* ---- refusals ------------------------------------------------------------------ */

struct refusal {
	int64_t code, subcode;	/* -1: not said */
	char *text;
};

/* Meta repeats a token that it calls malformed. */
static char *
without_tokens(const char *s)
{
	g_autofree char *clean = text_clean(s, strlen(s), TEXT_LINE, 4096);
	GString *out = g_string_new(NULL);

	for (const char *p = clean; *p != '\0';) {
		size_t n = strcspn(p, " '\"<>(),;:=");

		if (n > WORD_MAX_LEN)
			g_string_append(out, "[...]");
		else
			g_string_append_len(out, p, (gssize)n);
		p += n;
		if (*p != '\0')
			g_string_append_c(out, *p++);
	}
	g_free(clean);
	clean = g_string_free(out, FALSE);
	return text_clean(clean, strlen(clean), TEXT_LINE, TEXT_MAX);
}

static void
append(GString *text, const char *before, const char *words,
    const char *after)
{
	g_autofree char *clean = words == NULL ? NULL : without_tokens(words);

	if (clean != NULL && *clean != '\0')
		g_string_append_printf(text, "%s%s%s", before, clean, after);
}

static char *
say(json_object *e, const struct refusal *r)
{
	GString *text = g_string_new("");

	if (r->code >= 0)
		g_string_append_printf(text, ", code %" G_GINT64_FORMAT,
		    r->code);
	if (r->subcode >= 0)
		g_string_append_printf(text, "/%" G_GINT64_FORMAT,
		    r->subcode);
	append(text, ": ", get_string(e, "message"), "");
	append(text, "; ", get_string(get(e, "error_data"), "details"), "");
	append(text, " (fbtrace_id ", get_string(e, "fbtrace_id"), ")");
	return g_string_free(text, FALSE);
}

static void
read_refusal(const char *body, size_t len, struct refusal *out)
{
	json_object *root = parse(body, len, GRAPH_ANSWER_MAX);
	json_object *e = get(root, "error");

	out->code = get_number(e, "code");
	out->subcode = get_number(e, "error_subcode");
	out->text = json_object_is_type(e, json_type_object) ? say(e, out) :
	    g_strdup(", without a reason");
	json_object_put(root);
}

/* Source: Meta, Cloud API, "Error codes"; Graph API, "Handle errors". */
static const struct {
	int64_t first, last;
	enum err_kind kind;
	const char *what;
} codes[] = {
	{ 0, 0, ERR_CONF, "graph.auth" },
	{ 3, 3, ERR_CONF, "graph.auth" },
	{ 10, 10, ERR_CONF, "graph.auth" },
	{ 102, 102, ERR_CONF, "graph.auth" },
	{ 190, 190, ERR_CONF, "graph.auth" },
	{ 200, 299, ERR_CONF, "graph.auth" },
	{ 131005, 131005, ERR_CONF, "graph.auth" },
	{ 4, 4, ERR_TEMP, "graph.throttled" },
	{ 17, 17, ERR_TEMP, "graph.throttled" },
	{ 32, 32, ERR_TEMP, "graph.throttled" },
	{ 613, 613, ERR_TEMP, "graph.throttled" },
	{ 80007, 80007, ERR_TEMP, "graph.throttled" },
	{ 130429, 130429, ERR_TEMP, "graph.throttled" },
	{ 131048, 131048, ERR_TEMP, "graph.throttled" },
	{ 131056, 131056, ERR_TEMP, "graph.throttled" },
	{ 131064, 131064, ERR_TEMP, "graph.throttled" },
	{ 133016, 133016, ERR_TEMP, "graph.throttled" },
	{ 1, 2, ERR_TEMP, "graph.server" },
	{ 131000, 131000, ERR_TEMP, "graph.server" },
	{ 131016, 131016, ERR_TEMP, "graph.server" },
	{ 131057, 131057, ERR_TEMP, "graph.server" },
};

static bool
by_code(const struct refusal *r, enum err_kind *kind, const char **what)
{
	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
		if (r->code < codes[i].first || r->code > codes[i].last)
			continue;
		*kind = codes[i].kind;
		*what = codes[i].what;
		return true;
	}
	if (r->code != 100 || r->subcode != 33)
		return false;
	*kind = ERR_PERM;
	*what = "graph.gone";
	return true;
}

const char *
graph_who(enum graph_call call)
{
	return call == GRAPH_DOWNLOAD ? "the file's host" : "Graph";
}

static void
by_status(enum graph_call call, long status, enum err_kind *kind,
    const char **what)
{
	bool find = call != GRAPH_DOWNLOAD;

	*kind = ERR_TEMP;
	*what = "graph.server";
	if (status == 429) {
		*what = "graph.throttled";
	} else if (status == 401 || status == 403) {
		*kind = find ? ERR_CONF : ERR_TEMP;
		*what = find ? "graph.auth" : "graph.expired";
	} else if (status == 404 || status == 410) {
		*kind = find ? ERR_PERM : ERR_TEMP;
		*what = find ? "graph.gone" : "graph.expired";
	} else if (status >= 400 && status < 500 && status != 408) {
		*kind = ERR_PERM;
		*what = "graph.request";
	}
}

/*
 * A file's own host says 401 and 404 of an address that is too old, in
 * whatever words; only Graph itself judges the token.
 */
bool
graph_answer_refused(enum graph_call call, long status, const char *body,
    size_t len, struct err *err)
{
	struct refusal r;
	enum err_kind kind;
	const char *what;

	read_refusal(body, len, &r);
	if (call == GRAPH_DOWNLOAD || !by_code(&r, &kind, &what))
		by_status(call, status, &kind, &what);
	err_set(err, kind, what, "%s answers %ld%s%s",
	    graph_who(call), status, r.text,
	    kind != ERR_CONF ? "" :
	    "; see whether the token in token_file is valid and may read "
	    "this business's messages");
	g_free(r.text);
	return false;
}

/* RFC 9110 section 10.2.3. */
int64_t
graph_retry_after(const char *value, int64_t now_ms)
{
	size_t digits = strspn(value, "0123456789");
	int64_t ms;

	if (digits > 0 && value[digits] == '\0') {
		ms = digits > 9 ? GRAPH_WAIT_MAX_MS :
		    g_ascii_strtoll(value, NULL, 10) * 1000;
	} else {
		time_t at = curl_getdate(value, NULL);

		ms = at < 0 ? 0 : (int64_t)at * 1000 - now_ms;
	}
	return CLAMP(ms, 0, GRAPH_WAIT_MAX_MS);
}
