/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MIME tree of a mail, built and serialised by GMime; no other file uses
 * it.
 *
 * Fields and contents arrive finished (render_field.c, render_encode.c); GMime
 * adds structure, boundaries and CRLF. The fields are written to its stream
 * before the root part, which then continues them with Content-Type: as
 * objects of a GMimeMessage they would be parsed and spelt once more, at
 * twice the cost of a mail. Objects are used by one thread only.
 */
#include "render_int.h"

#include <assert.h>
#include <gmime/gmime.h>
#include <pthread.h>
#include <string.h>

#define BOUNDARY_SIZE 40
#define MAIL_SIZE_GUESS 8192

/* GMime 3.2 declares none. */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeMultipart, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimePart, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeContentType, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeContentDisposition, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeStream, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeDataWrapper, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeFormatOptions, g_mime_format_options_free)

static pthread_once_t gmime_once = PTHREAD_ONCE_INIT;

void
render_mime_init(void)
{
	pthread_once(&gmime_once, g_mime_init);
}

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

/* encoded is finished in that encoding; GMime then only copies it. */
static void
set_content(GMimePart *part, const GString *encoded,
    GMimeContentEncoding encoding)
{
	g_autoptr(GMimeStream) mem = g_mime_stream_mem_new_with_buffer(
	    encoded->str, encoded->len);
	g_autoptr(GMimeDataWrapper) content =
	    g_mime_data_wrapper_new_with_stream(mem, encoding);

	g_mime_part_set_content_encoding(part, encoding);
	g_mime_part_set_content(part, content);
}

static void
add_text(GMimeMultipart *to, const char *subtype, const GString *text)
{
	g_autoptr(GMimePart) part = g_object_new(GMIME_TYPE_PART, NULL);
	g_autoptr(GString) qp = g_string_sized_new(text->len + text->len / 4);

	set_type(GMIME_OBJECT(part), "text", subtype, "charset", "utf-8");
	render_quoted_printable(qp, text->str, text->len);
	set_content(part, qp, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
	g_mime_multipart_add(to, GMIME_OBJECT(part));
}

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
	set_content(part, b64, GMIME_CONTENT_ENCODING_BASE64);
	g_mime_multipart_add(to, GMIME_OBJECT(part));
}

static void
add_body(GMimeMultipart *root, const char *boundary, const GString *text,
    const GString *html)
{
	g_autoptr(GMimeMultipart) body = new_multipart("alternative",
	    boundary);

	add_text(body, "plain", text);
	add_text(body, "html", html);
	g_mime_multipart_add(root, GMIME_OBJECT(body));
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
serialise(const GString *fields, GMimeMultipart *root)
{
	g_autoptr(GMimeFormatOptions) options = g_mime_format_options_new();
	GByteArray *bytes = g_byte_array_sized_new(MAIL_SIZE_GUESS);
	g_autoptr(GMimeStream) mem = g_mime_stream_mem_new();

	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(mem), bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(mem), FALSE);
	g_mime_format_options_set_newline_format(options,
	    GMIME_NEWLINE_FORMAT_DOS);
	write_fields(mem, fields);
	/* Memory streams fail only when memory does, and then GLib aborts. */
	if (g_mime_object_write_to_stream(GMIME_OBJECT(root), options,
	    mem) < 0)
		assert(!"a stream in memory failed");
	return g_byte_array_free_to_bytes(bytes);
}

GBytes *
render_mime(const struct render *r, struct render_turn *t,
    const GString *fields, const GString *text, const GString *html)
{
	g_autoptr(GMimeMultipart) root = NULL;
	const GPtrArray *events = t->in->events;
	char mixed[BOUNDARY_SIZE], alternative[BOUNDARY_SIZE];

	make_boundaries(mixed, alternative, t, text);
	root = new_multipart("mixed", mixed);
	add_body(root, alternative, text, html);
	for (guint i = 0; i < events->len && render_attaches_events(r, t->in);
	    i++) {
		const struct render_event *ev = g_ptr_array_index(events, i);

		add_event(root, ev, render_event_name(&t->scratch, ev, i));
	}
	return serialise(fields, root);
}
