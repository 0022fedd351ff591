/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mail of ours read again: the events that are attached to it. For tools
 * that judge or render anew; nothing of a mail's text is taken from here. Like
 * render_mime.c it uses GMime, for the other direction.
 */
#include "render_int.h"

#include <gmime/gmime.h>
#include <string.h>

/* GMime 3.2 declares none. */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeStream, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeParser, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GMimeMessage, g_object_unref)

static GBytes *
content_of(GMimePart *part)
{
	g_autoptr(GMimeStream) out = g_mime_stream_mem_new();
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GByteArray *bytes;

	if (content == NULL ||
	    g_mime_data_wrapper_write_to_stream(content, out) < 0)
		return NULL;
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out));
	return g_bytes_new(bytes->data, bytes->len);
}

/* A file that a customer sent may be JSON, too; ours have names of ours. */
static bool
is_event(GMimePart *part)
{
	const char *name = g_mime_part_get_filename(part);

	return name != NULL && g_str_has_suffix(name, ".json") &&
	    (g_str_has_prefix(name, "event") ||
	    g_str_has_prefix(name, "excerpt"));
}

static void
take_part(GMimeObject *parent, GMimeObject *object, gpointer arg)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	GPtrArray *events = arg;
	GBytes *bytes;

	(void)parent;
	if (!GMIME_IS_PART(object) || !is_event(GMIME_PART(object)) ||
	    !g_mime_content_type_is_type(type, "application", "json"))
		return;
	bytes = content_of(GMIME_PART(object));
	if (bytes != NULL)
		g_ptr_array_add(events, bytes);
}

GPtrArray *
render_events_of(const void *mail, size_t len)
{
	GPtrArray *events = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)g_bytes_unref);
	g_autoptr(GMimeStream) in = NULL;
	g_autoptr(GMimeParser) parser = NULL;
	g_autoptr(GMimeMessage) message = NULL;

	render_gmime_init();
	in = g_mime_stream_mem_new_with_buffer(mail, len);
	parser = g_mime_parser_new_with_stream(in);
	message = g_mime_parser_construct_message(parser, NULL);
	if (message != NULL)
		g_mime_message_foreach(message, take_part, events);
	return events;
}
