/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MIME tree of a mail, built and serialised by GMime; only
 * render_read.c uses it as well.
 *
 * GMime adds structure, boundaries and the fields of the parts. What it
 * writes is the outline of a mail: marks stand where texts, files and events
 * go. render_frame.c fills in the texts, and keeps outlines that many mails
 * have, since making and freeing the tree was a third of the cost of a mail;
 * render_spool.c puts files and events in their places, so that the size of a
 * mail is known before it is written, and no file is ever in memory. The
 * fields of a mail come before its outline, which continues them with
 * Content-Type: in a GMimeMessage they would be parsed and spelt once more.
 */
#include "render_int.h"

#include <assert.h>
#include <gmime/gmime.h>
#include <pthread.h>
#include <string.h>

/* GMime 3.2 declares none. */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeMultipart, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimePart, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeContentType, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeContentDisposition, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeStream, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeDataWrapper, g_object_unref)

static pthread_once_t gmime_once = PTHREAD_ONCE_INIT;

void
render_gmime_init(void)
{
	pthread_once(&gmime_once, g_mime_init);
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
new_multipart(const char *subtype, char which, const char *digits)
{
	GMimeMultipart *mp = g_object_new(GMIME_TYPE_MULTIPART, NULL);
	char boundary[RENDER_MARK_SIZE];

	set_type(GMIME_OBJECT(mp), "multipart", subtype, "boundary",
	    render_mark(boundary, which, digits));
	return mp;
}

static void
add_content(GMimeMultipart *to, GMimePart *part, const char *content,
    GMimeContentEncoding encoding)
{
	g_autoptr(GMimeStream) mem = g_mime_stream_mem_new_with_buffer(content,
	    strlen(content));
	g_autoptr(GMimeDataWrapper) data =
	    g_mime_data_wrapper_new_with_stream(mem, encoding);

	g_mime_part_set_content_encoding(part, encoding);
	g_mime_part_set_content(part, data);
	g_mime_multipart_add(to, GMIME_OBJECT(part));
}

static void
add_text(GMimeMultipart *to, const char *subtype, char which,
    const char *digits)
{
	g_autoptr(GMimePart) part = g_object_new(GMIME_TYPE_PART, NULL);
	char mark[RENDER_MARK_SIZE];

	set_type(GMIME_OBJECT(part), "text", subtype, "charset", "utf-8");
	add_content(to, part, render_mark(mark, which, digits),
	    GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
}

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
add_piece(GMimeMultipart *to, const struct render_piece *p, const char *line)
{
	g_autoptr(GMimePart) part = g_object_new(GMIME_TYPE_PART, NULL);

	set_piece_type(GMIME_OBJECT(part), p);
	g_mime_part_set_content_description(part, p->description);
	if (p->cid != NULL)
		g_mime_part_set_content_id(part, p->cid);
	set_disposition(GMIME_OBJECT(part), p);
	add_content(to, part, line, GMIME_CONTENT_ENCODING_BASE64);
}

/* The pieces with a cid if shown, else all others. */
static void
add_pieces(GMimeMultipart *to, const GArray *pieces, bool shown,
    const char *digits)
{
	char mark[RENDER_MARK_SIZE];
	g_autofree char *line = g_strconcat(render_mark(mark,
	    RENDER_MARK_PIECE, digits), "\n", NULL);

	for (guint i = 0; i < pieces->len; i++) {
		const struct render_piece *p = &g_array_index(pieces,
		    struct render_piece, i);

		if ((p->cid != NULL) == shown)
			add_piece(to, p, line);
	}
}

/* The text, and the HTML with the images that it shows. */
static GMimeMultipart *
make_alternative(const GArray *pieces, const char *digits)
{
	GMimeMultipart *alternative = new_multipart("alternative", 'a',
	    digits);
	g_autoptr(GMimeMultipart) related = NULL;

	add_text(alternative, "plain", RENDER_MARK_TEXT, digits);
	if (pieces->len == 0 ||
	    g_array_index(pieces, struct render_piece, 0).cid == NULL) {
		add_text(alternative, "html", RENDER_MARK_HTML, digits);
		return alternative;
	}
	related = new_multipart("related", 'r', digits);
	add_text(related, "html", RENDER_MARK_HTML, digits);
	add_pieces(related, pieces, true, digits);
	g_mime_multipart_add(alternative, GMIME_OBJECT(related));
	return alternative;
}

static GString *
serialise(GMimeObject *root)
{
	GMimeFormatOptions *options = g_mime_format_options_new();
	g_autoptr(GMimeStream) to = g_mime_stream_mem_new();
	const GByteArray *bytes;

	g_mime_format_options_set_newline_format(options,
	    GMIME_NEWLINE_FORMAT_DOS);
	/* Memory streams fail only when memory does, and then GLib aborts. */
	if (g_mime_object_write_to_stream(root, options, to) < 0)
		assert(!"a stream in memory failed");
	g_mime_format_options_free(options);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(to));
	return g_string_new_len((const char *)bytes->data, bytes->len);
}

GString *
render_outline(const GArray *pieces, const char *digits)
{
	g_autoptr(GMimeMultipart) mixed = new_multipart("mixed", 'm', digits);
	g_autoptr(GMimeMultipart) alternative = make_alternative(pieces,
	    digits);

	g_mime_multipart_add(mixed, GMIME_OBJECT(alternative));
	add_pieces(mixed, pieces, false, digits);
	return serialise(GMIME_OBJECT(mixed));
}
