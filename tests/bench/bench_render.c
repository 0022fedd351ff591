/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many mails a core renders in a second of CPU time: one text message of
 * a 505-byte event, with the event attached. Beside it, as the measure of the
 * machine, a mail of the same parts and number of fields made with GMime
 * alone. One line of key=value pairs; BENCH_SHOW=1 prints the mail after it.
 *
 *     bench_render [COUNT]
 */
#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "directory.h"
#include "err.h"
#include "hash.h"
#include "item.h"
#include "render.h"

#define EVENT_BYTES 505
#define TEXT_BYTES 700
#define HTML_BYTES 1500
#define FIELDS 20

struct bench {
	struct render *render;
	const struct render_style *style;
	struct item *item;
	struct render_event event;
	struct directory_business business;
	struct render_input in;
	GPtrArray *items, *events;
	char body[EVENT_BYTES + 1];
	gsize bytes;
};

static void
fill_item(struct item *it)
{
	it->author = ITEM_CUSTOMER;
	it->network = g_strdup("whatsapp");
	it->id = g_strdup("wamid.HBgNNTUxMTk5OTk5MDAwMBUCABIYFDNBOTY3MkM0RDA5"
	    "RTdBM0E1NTFGAA==");
	it->at_ms = 1770127509000;
	it->account = g_strdup("102290129340398");
	it->business.number = g_strdup("551140040001");
	it->business.user_id = g_strdup("106540352242922");
	it->counterpart.number = g_strdup("5511999990000");
	it->counterpart.user_id = g_strdup("BR.13491208655302741918");
	it->counterpart.name = g_strdup("Ana Souza");
	it->text = g_strdup("Bom dia, posso transferir hoje?");
	it->raw = g_strdup("{}");
}

static void
begin(struct bench *b)
{
	static char name[] = "Private Banking", desk[] = "pb",
	    mail[] = "pb@bank.example";
	const char *src = getenv("SRCDIR") != NULL ? getenv("SRCDIR") : ".";
	g_autofree char *dir = g_build_filename(src, "templates", NULL);
	struct render_conf conf = { .tenant = "bank",
		.domain = "chatjournal.bank.example",
		.address_domain = "whatsapp.bank.example", .templates = dir,
		.attach_event = true };
	const struct render_style_conf none = { .language = NULL };
	struct err err = ERR_INIT;

	memset(b->body, 'x', EVENT_BYTES);
	b->item = item_new(ITEM_MESSAGE, ITEM_TYPE_TEXT);
	fill_item(b->item);
	b->event = (struct render_event){ .seq = 1, .source = "webhook",
		.received_ms = 1770127511402, .body = b->body,
		.len = EVENT_BYTES, .is_json = true };
	b->business = (struct directory_business){ .name = name, .desk = desk,
		.mail = mail };
	b->items = item_list_new();
	b->events = g_ptr_array_new();
	g_ptr_array_add(b->items, b->item);
	g_ptr_array_add(b->events, &b->event);
	b->in = (struct render_input){ .items = b->items, .events = b->events,
		.conversation = "whatsapp|106540352242922|n:5511999990000",
		.business = &b->business };
	if (!render_new(&conf, &b->render, &err) ||
	    !render_style_get(b->render, &none, &b->style, &err)) {
		fprintf(stderr, "bench_render: %s\n", err.text);
		exit(1);
	}
}

static void
render_one(struct bench *b, long i, FILE *show)
{
	const struct rendered *out;
	GPtrArray *mails;
	struct err err = ERR_INIT;
	const char *bytes;

	g_free(b->item->key);
	b->item->key = g_strdup_printf("whatsapp|m|106540352242922|%ld", i);
	hash_sha256(b->body, EVENT_BYTES, b->event.sha256);
	if (!render_mails(b->render, b->style, &b->in, &mails, &err)) {
		fprintf(stderr, "bench_render: %s\n", err.text);
		exit(1);
	}
	out = g_ptr_array_index(mails, 0);
	bytes = g_bytes_get_data(out->bytes, &b->bytes);
	if (show != NULL)
		fwrite(bytes, 1, b->bytes, show);
	g_ptr_array_unref(mails);
}

/* --- the same with GMime alone --- */

static void
add_part(GMimeMultipart *to, const char *type, const char *subtype,
    size_t len)
{
	GMimePart *part = g_mime_part_new_with_type(type, subtype);
	g_autofree char *text = g_strnfill(len, 'x');
	GMimeStream *mem;
	GMimeDataWrapper *content;

	for (size_t i = 60; i < len; i += 60)
		text[i] = '\n';
	mem = g_mime_stream_mem_new_with_buffer(text, len);
	content = g_mime_data_wrapper_new_with_stream(mem,
	    GMIME_CONTENT_ENCODING_DEFAULT);
	g_mime_part_set_content(part, content);
	g_mime_part_set_content_encoding(part, strcmp(type, "text") == 0 ?
	    GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE :
	    GMIME_CONTENT_ENCODING_BASE64);
	g_mime_multipart_add(to, GMIME_OBJECT(part));
	g_object_unref(content);
	g_object_unref(mem);
	g_object_unref(part);
}

static void
add_fields(GMimeMessage *m, long i)
{
	char text[64];

	g_mime_message_add_mailbox(m, GMIME_ADDRESS_TYPE_FROM,
	    "Ana Souza (WhatsApp)", "wa-5511999990000@whatsapp.bank.example");
	g_mime_message_add_mailbox(m, GMIME_ADDRESS_TYPE_TO,
	    "Private Banking", "pb@bank.example");
	g_mime_message_set_subject(m, "WhatsApp: Ana Souza to Private Banking",
	    "utf-8");
	g_snprintf(text, sizeof(text), "t.%032ld@chatjournal.bank.example", i);
	g_mime_message_set_message_id(m, text);
	for (int k = 0; k < FIELDS; k++) {
		g_snprintf(text, sizeof(text), "X-ChatJournal-Field-%d", k);
		g_mime_object_append_header(GMIME_OBJECT(m), text,
		    "number=551140040001; id=106540352242922", "utf-8");
	}
}

static gsize
gmime_one(long i)
{
	GMimeMessage *m = g_mime_message_new(FALSE);
	GMimeMultipart *mixed = g_mime_multipart_new_with_subtype("mixed");
	GMimeMultipart *alt = g_mime_multipart_new_with_subtype("alternative");
	GMimeFormatOptions *options = g_mime_format_options_new();
	GMimeStream *out = g_mime_stream_mem_new();
	gsize len;

	add_fields(m, i);
	add_part(alt, "text", "plain", TEXT_BYTES);
	add_part(alt, "text", "html", HTML_BYTES);
	g_mime_multipart_add(mixed, GMIME_OBJECT(alt));
	add_part(mixed, "application", "json", EVENT_BYTES);
	g_mime_message_set_mime_part(m, GMIME_OBJECT(mixed));
	g_mime_format_options_set_newline_format(options,
	    GMIME_NEWLINE_FORMAT_DOS);
	g_mime_object_write_to_stream(GMIME_OBJECT(m), options, out);
	len = (gsize)g_mime_stream_length(out);
	g_object_unref(out);
	g_mime_format_options_free(options);
	g_object_unref(alt);
	g_object_unref(mixed);
	g_object_unref(m);
	return len;
}

/* Of this process: other work on the machine does not count. */
static int64_t
cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
	    (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

int
main(int argc, char **argv)
{
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 20000;
	struct bench b = { 0 };
	int64_t start, ours_ms, gmime_ms;
	gsize gmime_bytes = 0;

	begin(&b);
	start = cpu_ms();
	for (long i = 0; i < count; i++)
		render_one(&b, i, NULL);
	ours_ms = MAX(cpu_ms() - start, 1);
	start = cpu_ms();
	for (long i = 0; i < count; i++)
		gmime_bytes = gmime_one(i);
	gmime_ms = MAX(cpu_ms() - start, 1);
	fprintf(stdout, "bench=render mails=%ld per_second=%.0f bytes=%zu "
	    "gmime_alone_per_second=%.0f gmime_alone_bytes=%zu ratio=%.2f\n",
	    count, (double)count * 1000 / (double)ours_ms, b.bytes,
	    (double)count * 1000 / (double)gmime_ms, gmime_bytes,
	    (double)gmime_ms / (double)ours_ms);
	if (getenv("BENCH_SHOW") != NULL)
		render_one(&b, 1, stdout);
	render_free(b.render);
	g_ptr_array_unref(b.items);
	g_ptr_array_unref(b.events);
	return 0;
}
