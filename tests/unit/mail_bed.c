/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A turn and its mails for tests, and a reader of mails that is not GMime: it
 * looks for the parts with a file name and decodes them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "mail_bed.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"

static void
free_media(gpointer p)
{
	struct render_media *m = p;

	if (m->path != NULL) {
		unlink(m->path);
		g_free((char *)(uintptr_t)m->path);
	}
	g_free(m);
}

void
bed_begin(struct bed *b)
{
	struct item *it = item_new(ITEM_MESSAGE, ITEM_TYPE_TEXT);

	memset(b, 0, sizeof(*b));
	it->direction = ITEM_RECEIVED;
	it->author = ITEM_CUSTOMER;
	it->network = g_strdup("whatsapp");
	it->id = g_strdup("wamid.ONE");
	it->key = g_strdup("whatsapp|m|106540352242922|wamid.ONE");
	it->at_ms = BED_AT_MS;
	it->business.number = g_strdup("551140040001");
	it->business.user_id = g_strdup("106540352242922");
	it->counterpart.number = g_strdup("5511999990000");
	it->counterpart.name = g_strdup("Ana Souza");
	it->text = g_strdup("Bom dia");
	it->raw = g_strdup("{\"type\":\"text\"}");
	b->item = it;
	b->items = item_list_new();
	b->events = g_ptr_array_new();
	b->media = g_ptr_array_new_with_free_func(free_media);
	g_ptr_array_add(b->items, it);
	b->event = (struct render_event){ .seq = 1048576, .source = "webhook",
		.received_ms = BED_AT_MS + 2402, .body = BED_BODY,
		.len = strlen(BED_BODY), .is_json = true };
	hash_sha256(BED_BODY, strlen(BED_BODY), b->event.sha256);
	g_ptr_array_add(b->events, &b->event);
	b->in = (struct render_input){ .items = b->items,
		.events = b->events, .media = b->media,
		.now_ms = BED_AT_MS + 20000,
		.conversation = "whatsapp|106540352242922|n:5511999990000" };
}

void
bed_end(struct bed *b)
{
	g_ptr_array_unref(b->items);
	g_ptr_array_unref(b->events);
	g_ptr_array_unref(b->media);
	if (b->dir != NULL)
		rmdir(b->dir);
	g_free(b->dir);
}

int bed_beats;

static void
beat(void)
{
	bed_beats++;
}

struct render *
bed_renderer(const char *templates, const char *spool)
{
	const char *src = getenv("SRCDIR");
	g_autofree char *shipped = g_build_filename(src != NULL ? src : ".",
	    "templates", NULL);
	struct render_conf conf = { .tenant = "bank",
		.domain = "chatjournal.bank.example",
		.address_domain = "whatsapp.bank.example",
		.templates = templates != NULL ? templates : shipped,
		.attach_event = true, .spool = spool, .alive = beat };
	struct err err = ERR_INIT;
	struct render *r = NULL;

	if (!render_new(&conf, &r, &err))
		fail_msg("%s", err.text);
	return r;
}

/* --- files --- */

struct render_media *
bed_no_file(struct bed *b, struct item *it, enum render_media_state state)
{
	struct item_media *m = item_media_add(it);
	struct render_media *found = g_new0(struct render_media, 1);

	m->id = g_strdup_printf("81100000000000%u", b->media->len);
	m->mime_type = g_strdup("application/octet-stream");
	found->media = m;
	found->state = state;
	g_ptr_array_add(b->media, found);
	return found;
}

struct render_media *
bed_file(struct bed *b, struct item *it, const char *type, const void *data,
    size_t len)
{
	struct render_media *found = bed_no_file(b, it, RENDER_MEDIA_HELD);

	if (b->dir == NULL)
		b->dir = g_dir_make_tmp("mail-bed-XXXXXX", NULL);
	found->path = g_strdup_printf("%s/%u", b->dir, b->media->len);
	assert_true(g_file_set_contents(found->path, data, (gssize)len,
	    NULL));
	found->type = type;
	found->size = (int64_t)len;
	hash_sha256(data, len, found->sha256);
	return found;
}

/* --- mails --- */

GPtrArray *
bed_mails(const struct bed *b, struct render *r,
    const struct render_style *style)
{
	const struct render_style_conf none = { .language = NULL };
	GPtrArray *mails = NULL;
	struct err err = ERR_INIT;

	if (style == NULL && !render_style_get(r, &none, &style, &err))
		fail_msg("%s", err.text);
	if (!render_mails(r, style, &b->in, &mails, &err))
		fail_msg("%s: %s", err.what, err.text);
	assert_true(mails->len > 0);
	return mails;
}

GBytes *
bed_bytes(const struct rendered *mail)
{
	char *bytes;
	gsize len;

	if (mail->bytes != NULL) {
		len = g_bytes_get_size(mail->bytes);
		bytes = g_malloc(len + 1);
		memcpy(bytes, g_bytes_get_data(mail->bytes, NULL), len);
		bytes[len] = '\0';
	} else {
		assert_true(g_file_get_contents(mail->path, &bytes, &len,
		    NULL));
	}
	assert_int_equal(len, mail->len);
	return g_bytes_new_take(bytes, len);
}

char *
bed_mail(const struct bed *b, struct render *r,
    const struct render_style *style)
{
	g_autoptr(GPtrArray) mails = bed_mails(b, r, style);
	g_autoptr(GBytes) bytes = bed_bytes(mails->pdata[0]);

	assert_int_equal(mails->len, 1);
	return g_strdup(g_bytes_get_data(bytes, NULL));
}

/* --- reading --- */

static char *
unfolded(const char *head, size_t len)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < len; i++) {
		if (head[i] == '\r' && i + 2 < len &&
		    (head[i + 2] == ' ' || head[i + 2] == '\t')) {
			g_string_append_c(out, ' ');
			i += 2;
		} else if (head[i] != '\r') {
			g_string_append_c(out, head[i]);
		}
	}
	return g_string_free(out, FALSE);
}

static char *
line_of(const char *head, const char *name)
{
	g_autofree char *start = g_strconcat("\n", name, ": ", NULL);
	g_autofree char *all = g_strconcat("\n", head, "\n", NULL);
	const char *at = strstr(all, start);

	if (at == NULL)
		return NULL;
	at += strlen(start);
	return g_strndup(at, strcspn(at, "\n"));
}

char *
bed_field(const char *mail, const char *name)
{
	const char *stop = strstr(mail, "\r\n\r\n");
	g_autofree char *head = NULL;
	char *field;

	assert_non_null(stop);
	head = unfolded(mail, (size_t)(stop - mail));
	field = line_of(head, name);
	if (field == NULL)
		fail_msg("no field %s in\n%s", name, head);
	return field;
}

static void
free_part(gpointer p)
{
	struct bed_part *part = p;

	g_free(part->head);
	g_free(part->name);
	g_free(part->type);
	g_bytes_unref(part->data);
	g_free(part);
}

static struct bed_part *
part_of(const char *start, size_t len)
{
	const char *stop = memmem(start, len, "\r\n\r\n", 4);
	g_autofree char *disposition = NULL, *type = NULL, *text = NULL;
	struct bed_part *part = g_new0(struct bed_part, 1);
	const char *name;
	guchar *data;
	gsize n;

	assert_non_null(stop);
	part->head = unfolded(start, (size_t)(stop - start));
	disposition = line_of(part->head, "Content-Disposition");
	type = line_of(part->head, "Content-Type");
	name = strstr(disposition, "filename=") + strlen("filename=");
	part->name = g_strndup(name + (*name == '"'), strcspn(name +
	    (*name == '"'), "\";"));
	part->type = g_strndup(type, strcspn(type, ";"));
	stop += 4;
	text = g_strndup(stop, len - (size_t)(stop - start));
	data = g_base64_decode(text, &n);
	part->data = g_bytes_new_take(data, n);
	return part;
}

/* Boundaries are the lines that begin with "--=_". */
GPtrArray *
bed_parts(const char *mail, size_t len)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(free_part);
	const char *end = mail + len, *p = mail, *next;

	for (; (p = memmem(p, (size_t)(end - p), "\r\n--=_", 6)) != NULL;
	    p = next) {
		const char *head = memmem(p + 2, (size_t)(end - p - 2),
		    "\r\n", 2);
		const char *blank = memmem(p, (size_t)(end - p),
		    "\r\n\r\n", 4);

		next = memmem(p + 2, (size_t)(end - p - 2), "\r\n--=_", 6);
		if (next == NULL)
			break;
		if (blank != NULL && blank < next && memmem(head,
		    (size_t)(blank - head), "filename=", 9) != NULL)
			g_ptr_array_add(out, part_of(head + 2,
			    (size_t)(next - head - 2)));
	}
	return out;
}
