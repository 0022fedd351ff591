/* SPDX-License-Identifier: Apache-2.0 */
/*
 * render: what is filled into a kept outline is what GMime writes of a tree
 * that holds the texts.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <gmime/gmime.h>
#include <string.h>

#include "mail_bed.h"
#include "../../src/render/render_int.h"

#define FIELDS "Subject: a\n b\nMIME-Version: 1.0\n"

static const struct render_piece
    event = { .name = "event.json", .type = "application/json",
	.description = "raw webhook event", .data = "{}", .len = 2 },
    second = { .name = "event-2.bin", .type = "application/octet-stream",
	.description = "raw items of a larger webhook event", .data = "[]\n",
	.len = 3 };
static struct render_file file;
static const struct render_piece
    image = { .name = "Übersicht 2026 für die ganze Abteilung; "
	"\"endgültig\".png", .type = "image/png",
	.description = "image from the chat", .cid = "f.00.1@bank.example",
	.path = "/nonexistent", .len = 100, .file = &file },
    document = { .name = "scan.pdf", .type = "application/pdf",
	.description = "document from the chat", .path = "/nonexistent",
	.len = 0, .file = &file };

static const struct render_piece *const sets[][4] = { { NULL },
	{ &event }, { &event, &second }, { &document, &event },
	{ &image, &event }, { &image, &image, &document, &event } };

/* --- the whole, by GMime alone --- */

static void
set_type(gpointer object, const char *type, const char *subtype,
    const char *param, const char *value)
{
	GMimeContentType *ct = g_mime_content_type_new(type, subtype);

	g_mime_content_type_set_parameter(ct, param, value);
	if (!g_str_is_ascii(value)) {
		GMimeParam *p = g_mime_param_list_get_parameter(
		    g_mime_content_type_get_parameters(ct), param);

		g_mime_param_set_charset(p, "utf-8");
		g_mime_param_set_encoding_method(p,
		    GMIME_PARAM_ENCODING_METHOD_RFC2231);
	}
	g_mime_object_set_content_type(object, ct);
	g_object_unref(ct);
}

static void
add_part(gpointer to, gpointer part, const char *content,
    GMimeContentEncoding encoding)
{
	GMimeStream *mem = g_mime_stream_mem_new_with_buffer(content,
	    strlen(content));
	GMimeDataWrapper *data = g_mime_data_wrapper_new_with_stream(mem,
	    encoding);

	g_mime_part_set_content_encoding(part, encoding);
	g_mime_part_set_content(part, data);
	g_mime_multipart_add(to, part);
	g_object_unref(data);
	g_object_unref(mem);
	g_object_unref(part);
}

/* Quoted-printable goes in with bare ends of lines: CRLF is GMime's work. */
static void
add_text(gpointer to, const char *subtype, const GString *text)
{
	g_autoptr(GString) qp = g_string_new(NULL);
	gpointer part = g_object_new(GMIME_TYPE_PART, NULL);

	render_quoted_printable(qp, text->str, text->len);
	g_string_replace(qp, "\r\n", "\n", 0);
	set_type(part, "text", subtype, "charset", "utf-8");
	add_part(to, part, qp->str, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
}

static void
add_piece(gpointer to, const struct render_piece *p, const char *mark)
{
	GMimeContentDisposition *cd = g_mime_content_disposition_new();
	g_auto(GStrv) type = g_strsplit(p->type, "/", 2);
	g_autofree char *line = g_strconcat(mark, "\n", NULL);
	gpointer part = g_object_new(GMIME_TYPE_PART, NULL);

	set_type(part, type[0], type[1], "name", p->name);
	g_mime_part_set_content_description(part, p->description);
	if (p->cid != NULL)
		g_mime_part_set_content_id(part, p->cid);
	g_mime_content_disposition_set_disposition(cd, p->cid != NULL ?
	    "inline" : "attachment");
	g_mime_content_disposition_set_parameter(cd, "filename", p->name);
	if (!g_str_is_ascii(p->name)) {
		GMimeParam *fn = g_mime_param_list_get_parameter(
		    g_mime_content_disposition_get_parameters(cd),
		    "filename");

		g_mime_param_set_charset(fn, "utf-8");
		g_mime_param_set_encoding_method(fn,
		    GMIME_PARAM_ENCODING_METHOD_RFC2231);
	}
	g_mime_object_set_content_disposition(part, cd);
	g_object_unref(cd);
	add_part(to, part, line, GMIME_CONTENT_ENCODING_BASE64);
}

static gpointer
new_multipart(const char *subtype, char which, const char *mark)
{
	gpointer mp = g_object_new(GMIME_TYPE_MULTIPART, NULL);
	g_autofree char *boundary = g_strdup(mark);

	boundary[2] = which;
	set_type(mp, "multipart", subtype, "boundary", boundary);
	return mp;
}

static char *
by_gmime(const struct render_body *b, const char *mark)
{
	gpointer mixed = new_multipart("mixed", 'm', mark);
	gpointer alternative = new_multipart("alternative", 'a', mark);
	gpointer related = new_multipart("related", 'r', mark);
	GMimeStream *out = g_mime_stream_mem_new();
	GMimeFormatOptions *options = g_mime_format_options_new();
	const struct render_piece *p = (gpointer)b->pieces->data;
	bool shows = b->pieces->len > 0 && p->cid != NULL;
	GByteArray *bytes;
	char *text;

	add_text(alternative, "plain", b->text);
	add_text(shows ? related : alternative, "html", b->html);
	g_mime_multipart_add(mixed, alternative);
	for (guint i = 0; i < b->pieces->len; i++)
		add_piece(p[i].cid != NULL ? related : mixed, &p[i], mark);
	if (shows)
		g_mime_multipart_add(alternative, related);
	g_mime_stream_printf(out, "%s", "Subject: a\r\n b\r\n"
	    "MIME-Version: 1.0\r\n");
	g_mime_format_options_set_newline_format(options,
	    GMIME_NEWLINE_FORMAT_DOS);
	g_mime_object_write_to_stream(mixed, options, out);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out));
	text = g_strndup((const char *)bytes->data, bytes->len);
	g_mime_format_options_free(options);
	g_object_unref(out);
	g_object_unref(related);
	g_object_unref(alternative);
	g_object_unref(mixed);
	return text;
}

/* --- laws --- */

static void
check(struct render *r, const char *text, const char *html, size_t set)
{
	g_autoptr(GString) fields = g_string_new(FIELDS);
	g_autoptr(GString) plain = g_string_new(text);
	g_autoptr(GString) rich = g_string_new(html);
	g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE,
	    sizeof(struct render_piece));
	const struct render_body body = { fields, plain, rich, pieces };
	const struct render_turn t = { .message_id = (char[]){ "t.1@x" } };
	struct render_frame f = { .bytes = NULL };
	g_autofree char *want = NULL;

	for (size_t i = 0; i < 4 && sets[set][i] != NULL; i++)
		g_array_append_vals(pieces, sets[set][i], 1);
	render_frame_make(r, &t, &body, &f);
	want = by_gmime(&body, f.mark);
	assert_string_equal(f.bytes->str, want);
	render_frame_clear(&f);
}

static void
a_frame_is_what_gmime_writes_of_its_tree(void **state)
{
	static const char *const texts[] = { "", "a", "a\n", "\n", "\n\n",
		"a\n\n", "blank ", " \n", "From here", ".\n..\n", "--\n",
		"\r\n", "\r", "a\r\nb", "=_t_ =_h_ =_p_", "--=_m_\n--=_a_--",
		"Привет, 世界 🙂\nsecond line\n", "<p>a long line that has to be "
		"broken somewhere since it is longer than what a line may be "
		"by the rules, and more than once at that</p>\n" };
	struct render *r = bed_renderer(NULL, NULL);

	(void)state;
	/* Twice: made, and kept. */
	for (size_t i = 0; i < 2 * G_N_ELEMENTS(sets); i++) {
		for (size_t j = 0; j < G_N_ELEMENTS(texts); j++)
			check(r, texts[j], texts[(j + i) %
			    G_N_ELEMENTS(texts)], i % G_N_ELEMENTS(sets));
	}
	render_free(r);
}

static void
only_outlines_without_foreign_names_are_kept(void **state)
{
	struct render *r = bed_renderer(NULL, NULL);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(sets); i++)
		check(r, "a\n", "b\n", i);
	assert_int_equal(g_hash_table_size(r->outlines), 3);
	render_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_is_what_gmime_writes_of_its_tree),
		cmocka_unit_test(only_outlines_without_foreign_names_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
