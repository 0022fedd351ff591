/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MIME tree of a mail, built and serialised by GMime; no other file uses
 * it.
 *
 * Fields and texts arrive finished (render_field.c, render_encode.c); GMime
 * adds structure, boundaries and CRLF. The fields are written to its stream
 * before the root part, which then continues them with Content-Type: as
 * objects of a GMimeMessage they would be parsed and spelt once more, at
 * twice the cost of a mail. The parts that every mail has are made once and
 * filled anew for each: making and freeing them was most of GMime's work. A
 * tree is used by one thread at a time.
 *
 * Files and events are not in the tree: a line marks the place of each, and
 * render_spool.c puts it there, so that the size of a mail is known before it
 * is written, and no file is ever in memory.
 */
#include "render_int.h"

#include <assert.h>
#include <gmime/gmime.h>
#include <pthread.h>
#include <string.h>

#define BOUNDARY_SIZE 40
#define TREE_BYTES_MAX (1 << 20)

/* GMime 3.2 declares none. */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeMultipart, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimePart, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeContentType, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeContentDisposition, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeStream, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeDataWrapper, g_object_unref)

static pthread_once_t gmime_once = PTHREAD_ONCE_INIT;

/*
 * "=_" cannot occur in quoted-printable or base64, and the digest depends on
 * what the mail says: nobody can write a text that holds its own boundary.
 */
static void
make_digits(char hex[HASH_HEX_SIZE], const struct render_turn *t,
    const GString *text)
{
	uint8_t digest[HASH_SIZE];

	hash_strings(digest, "boundary", t->message_id, text->str, NULL);
	hash_hex(digest, hex);
}

static const char *
boundary(char out[BOUNDARY_SIZE], char which, const char *hex)
{
	g_snprintf(out, BOUNDARY_SIZE, "=_%c_%.32s", which, hex);
	return out;
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
	GMimeMultipart *related;	/* of the HTML and its images, or NULL */
	struct text_part plain, html;
	GMimeFormatOptions *options;
	GMimeStream *stream;
	GByteArray *bytes;
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
	tree->stream = g_mime_stream_mem_new();
	tree->bytes = g_byte_array_new();
	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(tree->stream),
	    tree->bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(tree->stream), FALSE);
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
	g_object_unref(tree->stream);
	g_byte_array_unref(tree->bytes);
	g_free(tree);
}

/* A large mail must not stay in memory in the shape of its tree. */
static bool
is_worth_keeping(const struct render_tree *tree)
{
	return tree->bytes->len < TREE_BYTES_MAX;
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
take_images_out(struct render_tree *tree)
{
	GMimeObject *html;

	if (tree->related == NULL)
		return;
	html = g_mime_multipart_get_part(tree->related, 0);
	g_object_unref(g_mime_multipart_replace(tree->alternative, 1, html));
	g_clear_pointer(&tree->related, g_object_unref);
}

static void
tree_give(struct render *r, struct render_tree *tree)
{
	while (g_mime_multipart_get_count(tree->mixed) > 1)
		g_object_unref(g_mime_multipart_remove_at(tree->mixed, 1));
	take_images_out(tree);
	if (!is_worth_keeping(tree)) {
		tree_free(tree);
		return;
	}
	pthread_mutex_lock(&r->trees_lock);
	g_ptr_array_add(r->trees, tree);
	pthread_mutex_unlock(&r->trees_lock);
}

void
render_gmime_init(void)
{
	pthread_once(&gmime_once, g_mime_init);
}

void
render_trees_init(struct render *r)
{
	render_gmime_init();
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

/* Names are sent as UTF-8, whatever charset GMime would find shorter. */
static void
set_utf8(GMimeParamList *params, const char *name)
{
	GMimeParam *param = g_mime_param_list_get_parameter(params, name);

	g_mime_param_set_charset(param, "utf-8");
	g_mime_param_set_encoding_method(param,
	    GMIME_PARAM_ENCODING_METHOD_RFC2231);
}

static void
set_piece_type(GMimeObject *part, const struct render_piece *p)
{
	size_t major = strcspn(p->type, "/");
	g_autofree char *type = g_strndup(p->type, major);
	g_autoptr(GMimeContentType) ct = g_mime_content_type_new(type,
	    p->type + major + 1);

	g_mime_content_type_set_parameter(ct, "name", p->name);
	if (!g_str_is_ascii(p->name))
		set_utf8(g_mime_content_type_get_parameters(ct), "name");
	g_mime_object_set_content_type(part, ct);
}

static void
set_disposition(GMimeObject *part, const struct render_piece *p)
{
	g_autoptr(GMimeContentDisposition) cd =
	    g_mime_content_disposition_new();

	g_mime_content_disposition_set_disposition(cd, p->cid != NULL
	    ? GMIME_DISPOSITION_INLINE : GMIME_DISPOSITION_ATTACHMENT);
	g_mime_content_disposition_set_parameter(cd, "filename", p->name);
	if (!g_str_is_ascii(p->name))
		set_utf8(g_mime_content_disposition_get_parameters(cd),
		    "filename");
	g_mime_object_set_content_disposition(part, cd);
}

static void
add_piece(GMimeMultipart *to, const struct render_piece *p, const char *mark)
{
	g_autoptr(GMimePart) part = g_object_new(GMIME_TYPE_PART, NULL);
	g_autoptr(GMimeStream) mem = NULL;

	set_piece_type(GMIME_OBJECT(part), p);
	g_mime_part_set_content_description(part, p->description);
	if (p->cid != NULL)
		g_mime_part_set_content_id(part, p->cid);
	set_disposition(GMIME_OBJECT(part), p);
	mem = g_mime_stream_mem_new_with_buffer(mark, strlen(mark));
	set_content(part, mem, GMIME_CONTENT_ENCODING_BASE64);
	g_mime_multipart_add(to, GMIME_OBJECT(part));
}

/* The HTML's place is taken by a multipart of it and its images. */
static GMimeMultipart *
related_of(struct render_tree *tree, const char *hex)
{
	char name[BOUNDARY_SIZE];
	GMimeObject *html;

	if (tree->related != NULL)
		return tree->related;
	html = g_mime_multipart_get_part(tree->alternative, 1);
	tree->related = new_multipart("related", boundary(name, 'r', hex));
	g_mime_multipart_add(tree->related, html);
	g_object_unref(g_mime_multipart_replace(tree->alternative, 1,
	    GMIME_OBJECT(tree->related)));
	return tree->related;
}

static void
add_pieces(struct render_tree *tree, const GArray *pieces, const char *hex,
    const char *mark)
{
	g_autofree char *line = g_strconcat(mark, "\n", NULL);

	for (guint i = 0; i < pieces->len; i++) {
		const struct render_piece *p = &g_array_index(pieces,
		    struct render_piece, i);

		add_piece(p->cid != NULL ? related_of(tree, hex)
		    : tree->mixed, p, line);
	}
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

static void
serialise(const GString *fields, struct render_tree *tree)
{
	g_byte_array_set_size(tree->bytes, 0);
	g_mime_stream_reset(tree->stream);
	write_fields(tree->stream, fields);
	/* Memory streams fail only when memory does, and then GLib aborts. */
	if (g_mime_object_write_to_stream(GMIME_OBJECT(tree->mixed),
	    tree->options, tree->stream) < 0)
		assert(!"a stream in memory failed");
}

static int64_t
size_of(const struct render_frame *f)
{
	int64_t size = (int64_t)f->len;

	for (guint i = 0; i < f->pieces->len; i++)
		size += render_base64_len(g_array_index(f->pieces,
		    struct render_piece, i).len) - (int64_t)f->mark_len;
	return size;
}

void
render_frame_make(struct render *r, const struct render_turn *t,
    const struct render_body *body, struct render_frame *out)
{
	struct render_tree *tree = tree_take(r);
	char hex[HASH_HEX_SIZE], name[BOUNDARY_SIZE];

	make_digits(hex, t, body->text);
	g_mime_multipart_set_boundary(tree->mixed, boundary(name, 'm', hex));
	g_mime_multipart_set_boundary(tree->alternative, boundary(name, 'a',
	    hex));
	fill_text(&tree->plain, body->text);
	fill_text(&tree->html, body->html);
	out->tree = tree;
	boundary(out->mark, 'p', hex);
	out->mark_len = strlen(out->mark);
	out->pieces = body->pieces;
	add_pieces(tree, body->pieces, hex, out->mark);
	serialise(body->fields, tree);
	out->bytes = (const char *)tree->bytes->data;
	out->len = tree->bytes->len;
	out->size = size_of(out);
}

void
render_frame_clear(struct render *r, struct render_frame *f)
{
	tree_give(r, g_steal_pointer(&f->tree));
}
