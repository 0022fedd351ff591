/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Additions to a body on its way out. Nothing is written anew: bytes are put
 * in at places of the body that came, so that all else reaches Meta as the
 * sender wrote it. What would be beyond Meta's limits is refused, never cut.
 */
#include "gateway.h"

#include <string.h>

#include "err.h"
#include "gateway_int.h"

/* Source: Meta, Cloud API, reference of each message type. */
#define TEXT_MAX 4096
#define CAPTION_MAX 1024
#define INTERACTIVE_MAX 1024
#define LIST_MAX 4096
/* Between an addition and the text: an empty line. */
#define GAP "\n\n"

/* What replaces the bytes [at, end). */
struct change {
	uint32_t at, end;
	char *bytes;
};

struct place {
	const struct gateway_node *text;	/* a string; NULL: none yet */
	const struct gateway_node *owner;	/* that gets a caption then */
	glong max;
};

static bool
fail_no_text(struct err *err, const char *type)
{
	return err_set(err, ERR_PERM, "gateway.text",
	    "a rule adds to the text, and a message of type %.40s has none",
	    type);
}

static bool
is_caption_type(const char *type)
{
	return strcmp(type, "image") == 0 || strcmp(type, "video") == 0 ||
	    strcmp(type, "document") == 0;
}

static bool
is_list(const struct gateway_json *j, const struct gateway_node *interactive)
{
	g_autofree char *type = gateway_json_text(j,
	    gateway_json_get(j, interactive, "type"));

	return g_strcmp0(type, "list") == 0;
}

static bool
find_place(const struct gateway_json *j, const char *type, struct place *out,
    struct err *err)
{
	const struct gateway_node *o =
	    gateway_json_get(j, gateway_json_root(j), type);

	if (!gateway_json_is(o, '{'))
		return fail_no_text(err, type);
	if (strcmp(type, "text") == 0) {
		*out = (struct place){ .max = TEXT_MAX,
			.text = gateway_json_get(j, o, "body") };
	} else if (strcmp(type, "interactive") == 0) {
		*out = (struct place){
			.max = is_list(j, o) ? LIST_MAX : INTERACTIVE_MAX,
			.text = gateway_json_get(j,
			    gateway_json_get(j, o, "body"), "text") };
	} else if (is_caption_type(type)) {
		*out = (struct place){ .max = CAPTION_MAX, .owner = o,
			.text = gateway_json_get(j, o, "caption") };
	} else {
		return fail_no_text(err, type);
	}
	if (out->text == NULL ? out->owner == NULL : out->text->kind != '"')
		return fail_no_text(err, type);
	return true;
}

static bool
check_length(const struct gateway_json *j, const struct place *p,
    const char *before, const char *after, struct err *err)
{
	g_autofree char *old = gateway_json_text(j, p->text);
	glong n = 0, gap = 0;

	if (old != NULL) {
		n = g_utf8_strlen(old, -1);
		gap = n > 0 ? (glong)strlen(GAP) : 0;
	}
	n += *before != '\0' ? g_utf8_strlen(before, -1) + gap : 0;
	n += *after != '\0' ? g_utf8_strlen(after, -1) + gap : 0;
	if (gap == 0 && *before != '\0' && *after != '\0')
		n += (glong)strlen(GAP);
	return n <= p->max || err_set(err, ERR_PERM, "gateway.long",
	    "with what the bank's rules add, the text has %ld characters; "
	    "Meta takes %ld: shorten it", n, p->max);
}

static void
add_change(GArray *changes, uint32_t at, uint32_t end, GString *bytes)
{
	struct change c = { .at = at, .end = end,
		.bytes = g_string_free(bytes, FALSE) };

	g_array_append_val(changes, c);
}

/* A member at the beginning of an object. */
static void
add_member(GArray *changes, const struct gateway_node *o, const char *name,
    const char *value)
{
	GString *s = g_string_new("");

	gateway_json_put(s, name);
	g_string_append_c(s, ':');
	gateway_json_put(s, value);
	if (o->child != 0)
		g_string_append_c(s, ',');
	add_change(changes, o->at + 1, o->at + 1, s);
}

static void
add_escaped(GArray *changes, uint32_t at, const char *first,
    const char *second)
{
	GString *s = g_string_new("");

	gateway_json_escape(s, first);
	gateway_json_escape(s, second);
	add_change(changes, at, at, s);
}

static void
add_text(GArray *changes, const struct place *p, const char *before,
    const char *after)
{
	const struct gateway_node *t = p->text;
	bool is_empty = t == NULL || t->end - t->at == 2;

	if (is_empty) {
		bool both = *before != '\0' && *after != '\0';
		g_autofree char *all = g_strconcat(before, both ? GAP : "",
		    after, NULL);

		if (t == NULL)
			add_member(changes, p->owner, "caption", all);
		else
			add_escaped(changes, t->at + 1, all, "");
		return;
	}
	if (*before != '\0')
		add_escaped(changes, t->at + 1, before, GAP);
	if (*after != '\0')
		add_escaped(changes, t->end - 1, GAP, after);
}

/* Null and "" are as good as none. */
static void
add_callback(GArray *changes, const struct gateway_json *j,
    const char *callback)
{
	static const char name[] = "biz_opaque_callback_data";
	const struct gateway_node *root = gateway_json_root(j);
	const struct gateway_node *n = gateway_json_get(j, root, name);

	if (n == NULL) {
		add_member(changes, root, name, callback);
	} else if (n->kind == 'n' || (n->kind == '"' && n->end - n->at == 2)) {
		GString *s = g_string_new("");

		gateway_json_put(s, callback);
		add_change(changes, n->at, n->end, s);
	}
}

static int
compare(gconstpointer a, gconstpointer b)
{
	const struct change *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

static GBytes *
apply(const void *body, size_t len, GArray *changes)
{
	const char *text = body;
	GString *out = g_string_sized_new(len + 256);
	size_t done = 0;

	g_array_sort(changes, compare);
	for (guint i = 0; i < changes->len; i++) {
		const struct change *c =
		    &g_array_index(changes, struct change, i);

		g_string_append_len(out, text + done, (gssize)(c->at - done));
		g_string_append(out, c->bytes);
		done = c->end;
	}
	g_string_append_len(out, text + done, (gssize)(len - done));
	return g_string_free_to_bytes(out);
}

static void
clear_change(void *c)
{
	g_free(((struct change *)c)->bytes);
}

static bool
plan_text(GArray *changes, const struct gateway_json *j, const char *before,
    const char *after, struct err *err)
{
	g_autofree char *type = gateway_json_text(j,
	    gateway_json_get(j, gateway_json_root(j), "type"));
	struct place p = { 0 };

	if (*before == '\0' && *after == '\0')
		return true;
	/* Meta's own default. */
	if (!find_place(j, type != NULL ? type : "text", &p, err) ||
	    !check_length(j, &p, before, after, err))
		return false;
	add_text(changes, &p, before, after);
	return true;
}

bool
gateway_body_change(const void *body, size_t len, const char *before,
    const char *after, const char *callback, GBytes **out, struct err *err)
{
	g_autoptr(GArray) changes = g_array_new(FALSE, FALSE,
	    sizeof(struct change));
	struct gateway_json j;
	bool ok;

	g_array_set_clear_func(changes, clear_change);
	if (!gateway_json_load(body, len, &j, err))
		return false;
	if (gateway_json_is(gateway_json_root(&j), '{'))
		ok = plan_text(changes, &j, before != NULL ? before : "",
		    after != NULL ? after : "", err);
	else
		ok = err_set(err, ERR_PERM, "gateway.json",
		    "the body is no JSON object");
	if (ok && callback != NULL)
		add_callback(changes, &j, callback);
	if (ok)
		*out = apply(body, len, changes);
	gateway_json_clear(&j);
	return ok;
}
