/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MIME tree of a mail, built and serialised by GMime; no other file uses
 * it.
 *
 * Fields and contents arrive finished (render_field.c, render_encode.c); GMime
 * adds structure, boundaries and CRLF. The fields are written to its stream
 * before the root part, which then continues them with Content-Type: as
 * objects of a GMimeMessage they would be parsed and spelt once more, at
 * twice the cost of a mail. The parts that every mail has are made once and
 * filled anew for each: making and freeing them was most of GMime's work. A
 * tree is used by one thread at a time.
 */
#include "render_int.h"

#include <assert.h>
#include <gmime/gmime.h>
#include <pthread.h>
#include <string.h>

#define BOUNDARY_SIZE 40
#define MAIL_SIZE_GUESS 8192
#define TREE_BYTES_MAX (1 << 20)

/* GMime 3.2 declares none. */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeMultipart, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimePart, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeContentType, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeContentDisposition, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeStream, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeDataWrapper, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeFormatOptions, g_mime_format_options_free)

static pthread_once_t gmime_once = PTHREAD_ONCE_INIT;

/*
 * "=_" cannot occur in quoted-printable or base64, and the digest depends on
 * what the mail says: nobody can write a text that holds its own boundary.
 */
static void
make_boundaries(char mixed[BOUNDARY_SIZE], char alternative[BOUNDARY_SIZE],
    const struct render_turn *t, const GString *text)
{
	uint8_t digest[HASH_SIZE];
	char hex[HASH_HEX_SIZE];

	hash_strings(digest, "boundary", t->message_id, text->str, NULL);
	hash_hex(digest, hex);
	g_snprintf(mixed, BOUNDARY_SIZE, "=_m_%.32s", hex);
	g_snprintf(alternative, BOUNDARY_SIZE, "=_a_%.32s", hex);
}

/* The content type is set once, complete: each change spells it again. */
static void
set_type(GMimeObject *object, const char *type, const char *subtype,
    const char *param, const char *value)
{
	g_autoptr(GMimeContentType) ct = g_mime_content_type_new(type,
	    subtype);

	g_mime_content_type_set_parameter(ct, param, value);
	g_mime_object_set_content_type(object, ct);
}

/* Not g_mime_multipart_new_with_subtype(): that asks for random bytes. */
static GMimeMultipart *
new_multipart(const char *subtype, const char *boundary)
{
	GMimeMultipart *mp = g_object_new(GMIME_TYPE_MULTIPART, NULL);

	set_type(GMIME_OBJECT(mp), "multipart", subtype, "boundary", boundary);
	return mp;
}

/* A part whose content is what stream holds, finished in that encoding. */
static void
set_content(GMimePart *part, GMimeStream *stream,
    GMimeContentEncoding encoding)
{
	g_autoptr(GMimeDataWrapper) content =
	    g_mime_data_wrapper_new_with_stream(stream, encoding);

	g_mime_part_set_content_encoding(part, encoding);
	g_mime_part_set_content(part, content);
}

/* ---- what every mail has ------------------------------------------------- */

struct text_part {
	GMimeStream *stream;
	GByteArray *encoded;
};

struct render_tree {
	GMimeMultipart *mixed, *alternative;
	struct text_part plain, html;
	GMimeFormatOptions *options;
};

static void
new_text(struct text_part *t, GMimeMultipart *to, const char *subtype)
{
	g_autoptr(GMimePart) part = g_object_new(GMIME_TYPE_PART, NULL);

	t->encoded = g_byte_array_new();
	t->stream = g_mime_stream_mem_new();
	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(t->stream),
	    t->encoded);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(t->stream), FALSE);
	set_type(GMIME_OBJECT(part), "text", subtype, "charset", "utf-8");
	set_content(part, t->stream, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
	g_mime_multipart_add(to, GMIME_OBJECT(part));
}

static void
fill_text(struct text_part *t, const GString *text)
{
	g_autoptr(GString) qp = g_string_sized_new(text->len + text->len / 4);

	render_quoted_printable(qp, text->str, text->len);
	g_byte_array_set_size(t->encoded, 0);
	g_byte_array_append(t->encoded, (const guint8 *)qp->str,
	    (guint)qp->len);
	g_mime_stream_reset(t->stream);
}

static struct render_tree *
tree_new(void)
{
	struct render_tree *tree = g_new0(struct render_tree, 1);

	tree->mixed = new_multipart("mixed", "=_m");
	tree->alternative = new_multipart("alternative", "=_a");
	new_text(&tree->plain, tree->alternative, "plain");
	new_text(&tree->html, tree->alternative, "html");
	g_mime_multipart_add(tree->mixed, GMIME_OBJECT(tree->alternative));
	tree->options = g_mime_format_options_new();
	g_mime_format_options_set_newline_format(tree->options,
	    GMIME_NEWLINE_FORMAT_DOS);
	return tree;
}

static void
tree_free(gpointer p)
{
	struct render_tree *tree = p;

	g_object_unref(tree->mixed);
	g_object_unref(tree->alternative);
	g_object_unref(tree->plain.stream);
	g_object_unref(tree->html.stream);
	g_byte_array_unref(tree->plain.encoded);
	g_byte_array_unref(tree->html.encoded);
	g_mime_format_options_free(tree->options);
	g_free(tree);
}

/* A large mail must not stay in memory in the shape of its tree. */
static bool
is_worth_keeping(const struct render_tree *tree)
{
	return tree->plain.encoded->len + tree->html.encoded->len <
	    TREE_BYTES_MAX;
}

static struct render_tree *
tree_take(struct render *r)
{
	struct render_tree *tree;

	pthread_mutex_lock(&r->trees_lock);
	tree = r->trees->len > 0
	    ? g_ptr_array_steal_index_fast(r->trees, r->trees->len - 1) : NULL;
	pthread_mutex_unlock(&r->trees_lock);
	return tree != NULL ? tree : tree_new();
}

static void
tree_give(struct render *r, struct render_tree *tree)
{
	if (!is_worth_keeping(tree)) {
		tree_free(tree);
		return;
	}
	while (g_mime_multipart_get_count(tree->mixed) > 1)
		g_object_unref(g_mime_multipart_remove_at(tree->mixed, 1));
	pthread_mutex_lock(&r->trees_lock);
	g_ptr_array_add(r->trees, tree);
	pthread_mutex_unlock(&r->trees_lock);
}

void
render_trees_init(struct render *r)
{
	pthread_once(&gmime_once, g_mime_init);
	pthread_mutex_init(&r->trees_lock, NULL);
	r->trees = g_ptr_array_new_with_free_func(tree_free);
}

void
render_trees_clear(struct render *r)
{
	g_ptr_array_unref(r->trees);
	pthread_mutex_destroy(&r->trees_lock);
}

/* ---- what only this mail has ----------------------------------------------- */

static void
set_attachment(GMimeObject *object, const char *name)
{
	g_autoptr(GMimeContentDisposition) cd =
	    g_mime_content_disposition_new();

	g_mime_content_disposition_set_disposition(cd,
	    GMIME_DISPOSITION_ATTACHMENT);
	g_mime_content_disposition_set_parameter(cd, "filename", name);
	g_mime_object_set_content_disposition(object, cd);
}

/* A JSON array of the items' own JSON, a line each. */
static GString *
excerpt_of(const struct render_event *ev)
{
	GString *out = g_string_new("[");

	for (guint i = 0; i < ev->excerpt->len; i++) {
		const struct item *it = ev->excerpt->pdata[i];

		g_string_append(out, i > 0 ? ",\n" : "");
		g_string_append(out, it->raw != NULL ? it->raw : "null");
	}
	g_string_append(out, "]\n");
	return out;
}

static void
add_event(GMimeMultipart *to, const struct render_event *ev, const char *name)
{
	g_autoptr(GString) excerpt = NULL;
	g_autoptr(GMimePart) part = g_object_new(GMIME_TYPE_PART, NULL);
	g_autoptr(GString) b64 = g_string_new(NULL);
	g_autoptr(GMimeStream) mem = NULL;

	set_type(GMIME_OBJECT(part), "application",
	    ev->is_json ? "json" : "octet-stream", "name", name);
	g_mime_part_set_content_description(part, ev->excerpt != NULL
	    ? "raw items of a larger webhook event" : "raw webhook event");
	set_attachment(GMIME_OBJECT(part), name);
	if (ev->excerpt != NULL) {
		excerpt = excerpt_of(ev);
		render_base64(b64, excerpt->str, excerpt->len);
	} else {
		render_base64(b64, ev->body, ev->len);
	}
	mem = g_mime_stream_mem_new_with_buffer(b64->str, b64->len);
	set_content(part, mem, GMIME_CONTENT_ENCODING_BASE64);
	g_mime_multipart_add(to, GMIME_OBJECT(part));
}

static void
write_fields(GMimeStream *to, const GString *fields)
{
	const char *p = fields->str, *nl;

	for (; (nl = strchr(p, '\n')) != NULL; p = nl + 1) {
		g_mime_stream_write(to, p, (size_t)(nl - p));
		g_mime_stream_write(to, "\r\n", 2);
	}
}

static GBytes *
serialise(const GString *fields, const struct render_tree *tree)
{
	GByteArray *bytes = g_byte_array_sized_new(MAIL_SIZE_GUESS);
	g_autoptr(GMimeStream) mem = g_mime_stream_mem_new();

	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(mem), bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(mem), FALSE);
	write_fields(mem, fields);
	/* Memory streams fail only when memory does, and then GLib aborts. */
	if (g_mime_object_write_to_stream(GMIME_OBJECT(tree->mixed),
	    tree->options, mem) < 0)
		assert(!"a stream in memory failed");
	return g_byte_array_free_to_bytes(bytes);
}

GBytes *
render_mime(struct render *r, struct render_turn *t, const GString *fields,
    const GString *text, const GString *html)
{
	const GPtrArray *events = t->in->events;
	struct render_tree *tree = tree_take(r);
	char mixed[BOUNDARY_SIZE], alternative[BOUNDARY_SIZE];
	GBytes *bytes;

	make_boundaries(mixed, alternative, t, text);
	g_mime_multipart_set_boundary(tree->mixed, mixed);
	g_mime_multipart_set_boundary(tree->alternative, alternative);
	fill_text(&tree->plain, text);
	fill_text(&tree->html, html);
	for (guint i = 0; i < events->len && render_attaches_events(r, t->in);
	    i++) {
		const struct render_event *ev = g_ptr_array_index(events, i);

		add_event(tree->mixed, ev,
		    render_event_name(&t->scratch, ev, i));
	}
	bytes = serialise(fields, tree);
	tree_give(r, tree);
	return bytes;
}
