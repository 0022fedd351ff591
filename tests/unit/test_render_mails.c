/* SPDX-License-Identifier: Apache-2.0 */
/* render: files in mails, mails in files, and turns that are cut. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "item.h"
#include "render.h"
#include "mail_bed.h"

#define JPEG "\xff\xd8\xff\xe0 a picture \xff\xd9"
#define ENVELOPE { .from = "wa-journal@bank.example", \
	.to = "journal@archive.example", .journaled_ms = BED_AT_MS + 20000 }

static struct render *in_memory, *spooling;
static char *spool;

static int
setup(void **state)
{
	(void)state;
	spool = g_dir_make_tmp("render-spool-XXXXXX", NULL);
	in_memory = bed_renderer(NULL, NULL);
	spooling = bed_renderer(NULL, spool);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	render_free(in_memory);
	render_free(spooling);
	if (rmdir(spool) != 0)
		return -1;	/* something was left behind */
	g_free(spool);
	return 0;
}

static const struct bed_part *
part_named(const GPtrArray *parts, const char *name)
{
	for (guint i = 0; i < parts->len; i++) {
		const struct bed_part *p = parts->pdata[i];

		if (g_str_equal(p->name, name))
			return p;
	}
	fail_msg("no part is named %s", name);
	return NULL;
}

static void
check_data(const struct bed_part *p, const void *want, size_t len)
{
	assert_int_equal(g_bytes_get_size(p->data), len);
	assert_memory_equal(g_bytes_get_data(p->data, NULL), want, len);
}

static GPtrArray *
parts_of(const char *mail)
{
	return bed_parts(mail, strlen(mail));
}

/* --- files as parts --- */

static void
a_held_file_is_a_part_with_its_bytes(void **state)
{
	struct bed b;

	(void)state;
	bed_begin(&b);
	bed_file(&b, b.item, "application/pdf", "%PDF-1.4 \0 end", 14);
	b.item->type = ITEM_TYPE_DOCUMENT;
	((struct item_media *)b.item->media->pdata[0])->filename =
	    g_strdup("Contrato.pdf");
	g_autofree char *mail = bed_mail(&b, in_memory, NULL);
	g_autoptr(GPtrArray) parts = parts_of(mail);
	const struct bed_part *pdf = part_named(parts, "Contrato.pdf");

	assert_int_equal(parts->len, 2);
	check_data(pdf, "%PDF-1.4 \0 end", 14);
	assert_string_equal(pdf->type, "application/pdf");
	assert_non_null(strstr(pdf->head, "Content-Disposition: attachment"));
	assert_non_null(strstr(pdf->head, "Content-Transfer-Encoding: "
	    "base64"));
	check_data(part_named(parts, "event.json"), BED_BODY,
	    strlen(BED_BODY));
	bed_end(&b);
}

static void
a_file_without_a_name_gets_one_by_what_it_is(void **state)
{
	static const struct {
		enum item_type item;
		const char *type, *name;
	} rows[] = {
		{ ITEM_TYPE_IMAGE, "image/jpeg", "image-1.jpg" },
		{ ITEM_TYPE_STICKER, "image/webp", "sticker-1.webp" },
		{ ITEM_TYPE_VOICE, "audio/ogg", "voice-1.ogg" },
		{ ITEM_TYPE_VIDEO, "video/mp4", "video-1.mp4" },
		{ ITEM_TYPE_AUDIO, "audio/mpeg", "audio-1.mp3" },
		{ ITEM_TYPE_DOCUMENT, "application/pdf", "document-1.pdf" },
		{ ITEM_TYPE_DOCUMENT, "application/x-odd", "document-1.bin" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct bed b;

		bed_begin(&b);
		b.item->type = rows[i].item;
		bed_file(&b, b.item, rows[i].type, "x", 1);
		g_autofree char *mail = bed_mail(&b, in_memory, NULL);
		g_autoptr(GPtrArray) parts = parts_of(mail);

		assert_string_equal(part_named(parts, rows[i].name)->type,
		    rows[i].type);
		bed_end(&b);
	}
}

static void
a_type_that_is_none_or_structure_becomes_octets(void **state)
{
	static const struct {
		const char *sniffed, *declared, *want;
	} rows[] = {
		{ "image/png", "image/jpeg", "image/png" },
		{ NULL, "Image/JPEG; q=1", "image/jpeg" },
		{ "application/octet-stream", "audio/ogg; codecs=opus",
			"audio/ogg" },
		{ "message/rfc822", "message/rfc822",
			"application/octet-stream" },
		{ NULL, "multipart/mixed; boundary=x",
			"application/octet-stream" },
		/* Exchange takes its text for that of the mail. */
		{ "application/vnd.ms-tnef", "application/ms-tnef",
			"application/octet-stream" },
		{ NULL, "Application/MS-TNEF", "application/octet-stream" },
		{ NULL, "text", "application/octet-stream" },
		{ NULL, "text/plain\r\nBcc: x@y", "application/octet-stream" },
		{ NULL, "a/b/c", "application/octet-stream" },
		{ NULL, NULL, "application/octet-stream" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct item_media *m;
		struct bed b;

		bed_begin(&b);
		bed_file(&b, b.item, rows[i].sniffed, "x", 1);
		m = b.item->media->pdata[0];
		g_free(m->mime_type);
		m->mime_type = g_strdup(rows[i].declared);
		m->filename = g_strdup("file");
		g_autofree char *mail = bed_mail(&b, in_memory, NULL);
		g_autoptr(GPtrArray) parts = parts_of(mail);

		assert_string_equal(part_named(parts, "file")->type,
		    rows[i].want);
		bed_end(&b);
	}
}

static void
no_two_files_of_a_mail_have_one_name(void **state)
{
	static const char *const names[] = { "a.pdf", "A.PDF", "a.pdf",
		"event.json", "noext", "noext", "a-2.pdf", ".." };
	static const char *const want[] = { "a.pdf", "A-2.PDF", "a-3.pdf",
		"event-2.json", "noext", "noext-2", "a-2-2.pdf",
		"document-8.pdf", "event.json" };
	struct bed b;

	(void)state;
	bed_begin(&b);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		bed_file(&b, b.item, "application/pdf", names[i],
		    strlen(names[i]));
		((struct item_media *)b.item->media->pdata[i])->filename =
		    g_strdup(names[i]);
	}
	g_autofree char *mail = bed_mail(&b, in_memory, NULL);
	g_autoptr(GPtrArray) parts = parts_of(mail);

	assert_int_equal(parts->len, G_N_ELEMENTS(want));
	for (size_t i = 0; i < G_N_ELEMENTS(want); i++)
		assert_string_equal(((struct bed_part *)
		    parts->pdata[i])->name, want[i]);
	bed_end(&b);
}

static void
a_name_that_is_not_ascii_is_utf8_in_rfc_2231(void **state)
{
	struct bed b;

	(void)state;
	bed_begin(&b);
	bed_file(&b, b.item, "application/pdf", "x", 1);
	((struct item_media *)b.item->media->pdata[0])->filename =
	    g_strdup("Vertr\xc3\xa4ge \xd0\xaf.pdf");
	g_autofree char *mail = bed_mail(&b, in_memory, NULL);

	assert_non_null(strstr(mail,
	    "filename*=UTF-8''Vertr%C3%A4ge%20%D0%AF.pdf"));
	assert_non_null(strstr(mail,
	    "name*=UTF-8''Vertr%C3%A4ge%20%D0%AF.pdf"));
	bed_end(&b);
}

/* The field of the only file, without its id. */
static char *
media_field(const struct bed *b)
{
	g_autofree char *mail = bed_mail(b, in_memory, NULL);
	g_autofree char *field = bed_field(mail, "X-ChatJournal-Media");

	assert_true(g_str_has_prefix(field, "id=811000000000000; "));
	return g_strdup(field + strlen("id=811000000000000; "));
}

static void
the_header_tells_what_became_of_each_file(void **state)
{
	uint8_t digest[HASH_SIZE];
	char hex[HASH_HEX_SIZE];
	struct render_media *m;
	struct bed b;

	(void)state;
	hash_sha256("x", 1, digest);
	hash_hex(digest, hex);
	bed_begin(&b);
	b.item->type = ITEM_TYPE_IMAGE;
	m = bed_file(&b, b.item, "image/jpeg", "x", 1);
	m->hash_differs = m->type_differs = true;
	m->verdict = "infected: Eicar";
	g_autofree char *held = media_field(&b);
	g_autofree char *want_held = g_strdup_printf("name=image-1.jpg; "
	    "type=image/jpeg; size=1; sha256=%s; status=attached; "
	    "differs=hash,type; verdict=\"infected: Eicar\"", hex);

	assert_string_equal(held, want_held);
	m->state = RENDER_MEDIA_QUARANTINED;
	g_autofree char *quarantined = media_field(&b);
	g_autofree char *want_quarantined = g_strdup_printf(
	    "type=application/octet-stream; size=1; sha256=%s; "
	    "status=quarantined; differs=hash,type; "
	    "verdict=\"infected: Eicar\"", hex);

	assert_string_equal(quarantined, want_quarantined);
	m->hash_differs = m->type_differs = false;
	m->verdict = NULL;
	m->state = RENDER_MEDIA_LATE;
	g_autofree char *late = media_field(&b);

	assert_string_equal(late, "type=application/octet-stream; "
	    "status=late");
	m->state = RENDER_MEDIA_MISSING;
	g_autofree char *missing = media_field(&b);

	assert_string_equal(missing, "type=application/octet-stream; "
	    "status=unavailable");
	b.in.media = NULL;
	g_autofree char *never = media_field(&b);

	assert_string_equal(never, "type=application/octet-stream; "
	    "status=not-attached");
	bed_end(&b);
}

static void
only_a_held_file_is_attached(void **state)
{
	struct bed b;

	(void)state;
	bed_begin(&b);
	bed_file(&b, b.item, "image/jpeg", JPEG, sizeof(JPEG))->state =
	    RENDER_MEDIA_QUARANTINED;
	bed_no_file(&b, b.item, RENDER_MEDIA_LATE);
	bed_no_file(&b, b.item, RENDER_MEDIA_MISSING);
	g_autofree char *mail = bed_mail(&b, in_memory, NULL);
	g_autoptr(GPtrArray) parts = parts_of(mail);

	assert_int_equal(parts->len, 1);
	part_named(parts, "event.json");
	bed_end(&b);
}

/* --- images --- */

/* Every cid: of the HTML is the Content-ID of one part of the mail. */
static size_t
check_cids(const char *mail)
{
	g_autoptr(GString) plain = g_string_new(mail);
	size_t n = 0;

	g_string_replace(plain, "=\r\n", "", 0);
	for (const char *p = plain->str; (p = strstr(p, "\"cid:")) != NULL;
	    n++) {
		g_autofree char *id = NULL;

		p += strlen("\"cid:");
		id = g_strdup_printf("Content-Id: <%.*s>\r\n",
		    (int)strcspn(p, "\""), p);
		if (strstr(mail, id) == NULL)
			fail_msg("%s is not in the mail", id);
	}
	return n;
}

static void
images_that_the_html_shows_are_with_it(void **state)
{
	struct bed b;

	(void)state;
	bed_begin(&b);
	b.item->type = ITEM_TYPE_IMAGE;
	bed_file(&b, b.item, "image/jpeg", JPEG, sizeof(JPEG));
	bed_file(&b, b.item, "image/jpeg", JPEG, sizeof(JPEG));
	bed_file(&b, b.item, "application/pdf", "pdf", 3);
	g_autofree char *mail = bed_mail(&b, in_memory, NULL);
	const char *alternative = strstr(mail, "multipart/alternative");
	const char *related = strstr(mail, "multipart/related");
	const char *html = strstr(mail, "text/html");
	const char *image = strstr(mail, "Content-Type: image/jpeg");
	const char *pdf = strstr(mail, "Content-Type: application/pdf");
	g_autoptr(GPtrArray) parts = parts_of(mail);

	assert_true(alternative < related && related < html &&
	    html < image && image < pdf);
	assert_int_equal(check_cids(mail), 2);
	assert_int_equal(parts->len, 4);
	assert_non_null(strstr(part_named(parts, "image-2.jpg")->head,
	    "Content-Disposition: inline"));
	check_data(part_named(parts, "image-2.jpg"), JPEG, sizeof(JPEG));
	/* The next mail of the same tree has no images. */
	b.in.media = NULL;
	g_autofree char *next = bed_mail(&b, in_memory, NULL);

	assert_null(strstr(next, "multipart/related"));
	assert_int_equal(check_cids(next), 0);
	bed_end(&b);
}

static void
what_is_no_image_or_too_large_is_attached(void **state)
{
	g_autofree char *large = g_malloc0((8 << 20) + 1);
	struct bed b;

	(void)state;
	bed_begin(&b);
	b.item->type = ITEM_TYPE_IMAGE;
	bed_file(&b, b.item, "image/svg+xml", "<svg/>", 6);
	bed_file(&b, b.item, "image/jpeg", large, (8 << 20) + 1);
	g_autofree char *mail = bed_mail(&b, in_memory, NULL);

	assert_null(strstr(mail, "multipart/related"));
	assert_int_equal(check_cids(mail), 0);
	bed_end(&b);
}

/* --- follow-ups --- */

static void
a_follow_up_is_another_mail_about_its_files_alone(void **state)
{
	struct bed b;

	(void)state;
	bed_begin(&b);
	b.item->type = ITEM_TYPE_IMAGE;
	bed_no_file(&b, b.item, RENDER_MEDIA_LATE);
	g_autofree char *first = bed_mail(&b, in_memory, NULL);
	g_autofree char *first_id = bed_field(first, "Message-ID");
	g_autofree char *bare = g_strndup(first_id + 1,
	    strlen(first_id) - 2);

	item_media_add(b.item);		/* came with the first mail */
	b.in.is_follow_up = true;
	b.in.parent_message_id = bare;
	g_autofree char *late = bed_mail(&b, in_memory, NULL);
	g_autofree char *late_id = bed_field(late, "Message-ID");
	g_autofree char *again = bed_mail(&b, in_memory, NULL);
	g_autofree char *event = bed_field(late, "X-ChatJournal-Event");
	g_autofree char *reply = bed_field(late, "In-Reply-To");
	g_autofree char *references = bed_field(late, "References");

	assert_string_equal(late, again);
	assert_string_equal(event, "media");
	assert_string_equal(reply, first_id);
	assert_true(g_str_has_suffix(references, first_id));
	assert_string_not_equal(first_id, late_id);
	assert_null(strstr(late, "event.json\r\n"));
	((struct render_media *)b.media->pdata[0])->state =
	    RENDER_MEDIA_MISSING;
	g_autofree char *missing = bed_mail(&b, in_memory, NULL);
	g_autofree char *missing_id = bed_field(missing, "Message-ID");
	const char *media = strstr(missing, "X-ChatJournal-Media:");

	assert_string_not_equal(missing_id, late_id);
	assert_non_null(media);
	assert_null(strstr(media + 1, "X-ChatJournal-Media:"));
	bed_end(&b);
}

/* A template may have a picture in its header, and the same in a card. */
static void
two_files_of_one_id_are_followed_up_by_two_mails(void **state)
{
	struct item_media *media;
	struct bed b;

	(void)state;
	bed_begin(&b);
	bed_no_file(&b, b.item, RENDER_MEDIA_MISSING);
	media = item_media_add(b.item);
	media->id = g_strdup(((struct item_media *)
	    b.item->media->pdata[0])->id);
	b.in.is_follow_up = true;
	g_autofree char *one = bed_mail(&b, in_memory, NULL);
	g_autofree char *one_id = bed_field(one, "Message-ID");

	((struct render_media *)b.media->pdata[0])->media = media;
	g_autofree char *two = bed_mail(&b, in_memory, NULL);
	g_autofree char *two_id = bed_field(two, "Message-ID");

	assert_string_not_equal(one_id, two_id);
	bed_end(&b);
}

/* --- the spool --- */

static void
check_digest_of(const struct rendered *mail)
{
	g_autoptr(GBytes) bytes = bed_bytes(mail);
	uint8_t digest[HASH_SIZE];

	hash_sha256(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
	    digest);
	assert_memory_equal(digest, mail->sha256, HASH_SIZE);
}

static void
a_large_mail_is_in_a_file_and_a_small_one_in_memory(void **state)
{
	const size_t sizes[] = { 0, 1, 57, 58, 100000, 150000, 200000,
		300000, 1 << 20 };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autofree char *data = g_malloc(sizes[i] + 1);
		struct bed b;

		for (size_t k = 0; k < sizes[i]; k++)
			data[k] = (char)(k * 7 + k / 251);
		bed_begin(&b);
		bed_file(&b, b.item, "application/pdf", data, sizes[i]);
		g_autoptr(GPtrArray) mails = bed_mails(&b, spooling, NULL);
		const struct rendered *mail = mails->pdata[0];
		g_autoptr(GBytes) bytes = bed_bytes(mail);
		g_autofree char *same = bed_mail(&b, in_memory, NULL);
		g_autoptr(GPtrArray) parts = bed_parts(g_bytes_get_data(bytes,
		    NULL), mail->len);

		assert_int_equal(mail->path != NULL, mail->len > 256 << 10);
		assert_int_equal(mail->bytes == NULL, mail->path != NULL);
		check_digest_of(mail);
		assert_string_equal(g_bytes_get_data(bytes, NULL), same);
		check_data(part_named(parts, "document-1.pdf"), data,
		    sizes[i]);
		bed_end(&b);
	}
}

static void
a_report_of_a_mail_in_a_file_is_in_a_file_and_holds_it(void **state)
{
	const struct render_envelope env = ENVELOPE;
	g_autofree char *data = g_malloc0(300000);
	struct rendered small = { 0 }, large = { 0 };
	struct err err = ERR_INIT;
	struct bed b;

	(void)state;
	bed_begin(&b);
	bed_file(&b, b.item, "application/pdf", data, 300000);
	g_autoptr(GPtrArray) filed = bed_mails(&b, spooling, NULL);
	g_autoptr(GPtrArray) held = bed_mails(&b, in_memory, NULL);
	struct rendered *inner = filed->pdata[0];
	g_autoptr(GBytes) mail = bed_bytes(inner);

	assert_true(render_journal_report(spooling, &b.in, inner, &env,
	    &large, &err));
	assert_true(render_journal_report(in_memory, &b.in, held->pdata[0],
	    &env, &small, &err));
	assert_non_null(large.path);
	assert_non_null(small.bytes);
	g_autoptr(GBytes) one = bed_bytes(&large);
	g_autoptr(GBytes) two = bed_bytes(&small);

	assert_true(g_bytes_equal(one, two));
	assert_non_null(memmem(g_bytes_get_data(one, NULL), large.len,
	    g_bytes_get_data(mail, NULL), inner->len));
	check_digest_of(&large);
	rendered_clear(&large);
	rendered_clear(&small);
	bed_end(&b);
}

/* Who takes a minute over one mail would else be taken for hung, and killed. */
static void
while_a_large_mail_is_made_its_maker_shows_that_it_lives(void **state)
{
	g_autofree char *data = g_malloc0(1000000);
	GPtrArray *mails;
	struct bed b;

	(void)state;
	bed_begin(&b);
	bed_file(&b, b.item, "application/pdf", data, 1000000);
	bed_beats = 0;
	mails = bed_mails(&b, spooling, NULL);
	assert_true(bed_beats >= 8);
	g_ptr_array_unref(mails);
	bed_end(&b);
}

static void
a_mail_that_is_not_taken_leaves_no_file(void **state)
{
	g_autofree char *data = g_malloc0(300000);
	g_autofree char *path = NULL;
	GPtrArray *mails;
	struct bed b;

	(void)state;
	bed_begin(&b);
	bed_file(&b, b.item, "application/pdf", data, 300000);
	mails = bed_mails(&b, spooling, NULL);
	path = g_strdup(((struct rendered *)mails->pdata[0])->path);
	assert_int_equal(access(path, F_OK), 0);
	g_ptr_array_unref(mails);
	assert_int_not_equal(access(path, F_OK), 0);
	bed_end(&b);
}

static bool
fails(const struct bed *b, struct render *r, struct err *err)
{
	const struct render_style_conf none = { .language = NULL };
	const struct render_style *style;
	GPtrArray *mails;

	assert_true(render_style_get(r, &none, &style, err));
	return !render_mails(r, style, &b->in, &mails, err);
}

static void
a_file_that_cannot_be_read_or_is_another_makes_no_mail(void **state)
{
	g_autofree char *data = g_malloc0(300000);
	struct render_media *m;
	struct err err = ERR_INIT;
	struct bed b;

	(void)state;
	bed_begin(&b);
	m = bed_file(&b, b.item, "application/pdf", data, 300000);
	data[299999] = 1;
	assert_true(g_file_set_contents(m->path, data, 300000, NULL));
	assert_true(fails(&b, spooling, &err));
	assert_int_equal(err.kind, ERR_PERM);
	assert_string_equal(err.what, "render.file");
	assert_true(fails(&b, in_memory, &err));
	assert_int_equal(truncate(m->path, 1000), 0);
	assert_true(fails(&b, spooling, &err));
	assert_int_equal(err.kind, ERR_PERM);
	/* Tried for ever it would keep all other turns from being rendered. */
	unlink(m->path);
	assert_true(fails(&b, spooling, &err));
	assert_int_equal(err.kind, ERR_PERM);
	assert_string_equal(err.what, "render.file");
	assert_non_null(strstr(err.text, m->path));
	bed_end(&b);
}

static void
a_spool_that_cannot_be_written_is_a_passing_failure(void **state)
{
	struct render *r = bed_renderer(NULL, "/dev/null/nothing");
	g_autofree char *data = g_malloc0(300000);
	struct err err = ERR_INIT;
	struct bed b;

	(void)state;
	bed_begin(&b);
	bed_file(&b, b.item, "application/pdf", data, 300000);
	assert_true(fails(&b, r, &err));
	assert_int_equal(err.kind, ERR_TEMP);
	assert_true(g_str_has_prefix(err.what, "io."));
	render_free(r);
	bed_end(&b);
}

/* --- cut turns --- */

static const struct render_style *
limited(struct render *r, int64_t max_bytes, int64_t max_files)
{
	struct render_style_conf conf = { .max_bytes = max_bytes,
		.max_files = max_files };
	const struct render_style *style = NULL;
	struct err err = ERR_INIT;

	if (!render_style_get(r, &conf, &style, &err))
		fail_msg("%s", err.text);
	return style;
}

static void
check_limits(const struct bed *b, struct render *r,
    const struct rendered *mail, int64_t max_bytes, int64_t max_files)
{
	const struct render_envelope env = ENVELOPE;
	g_autoptr(GBytes) bytes = bed_bytes(mail);
	const char *text = g_bytes_get_data(bytes, NULL);
	g_autoptr(GPtrArray) parts = bed_parts(text, mail->len);
	struct rendered report = { 0 };
	struct err err = ERR_INIT;

	assert_true(render_journal_report(r, &b->in, mail, &env, &report,
	    &err));
	if (max_bytes > 0 && (int64_t)report.len > max_bytes)
		fail_msg("%zu of %" G_GINT64_FORMAT, report.len, max_bytes);
	assert_true(max_files == 0 || parts->len <= max_files);
	assert_true(report.len - mail->len < 8192);
	check_digest_of(mail);
	check_cids(text);
	rendered_clear(&report);
}

/* "a.pdf.001" gives a.pdf; NULL for what is no slice. */
static char *
stem_of(const char *name)
{
	size_t len = strlen(name), digits = 0;

	while (digits < len && g_ascii_isdigit(name[len - 1 - digits]))
		digits++;
	return digits >= 3 && name[len - 1 - digits] == '.'
	    ? g_strndup(name, len - 1 - digits) : NULL;
}

/* Joins the parts of all mails by name, slices in the order they come. */
static GHashTable *
joined(const GPtrArray *mails)
{
	GHashTable *out = g_hash_table_new_full(g_str_hash, g_str_equal,
	    g_free, (GDestroyNotify)g_byte_array_unref);

	for (guint i = 0; i < mails->len; i++) {
		g_autoptr(GBytes) bytes = bed_bytes(mails->pdata[i]);
		g_autoptr(GPtrArray) parts = bed_parts(g_bytes_get_data(bytes,
		    NULL), g_bytes_get_size(bytes));

		for (guint k = 0; k < parts->len; k++) {
			const struct bed_part *p = parts->pdata[k];
			char *stem = stem_of(p->name);
			bool is_slice = stem != NULL;
			GByteArray *file;

			if (stem == NULL)
				stem = g_strdup(p->name);
			file = g_hash_table_lookup(out, stem);
			assert_true(file == NULL || is_slice);
			if (file == NULL)
				g_hash_table_insert(out, g_strdup(stem),
				    file = g_byte_array_new());
			g_byte_array_append(file, g_bytes_get_data(p->data,
			    NULL), (guint)g_bytes_get_size(p->data));
			g_free(stem);
		}
	}
	return out;
}

static void
check_joined(GHashTable *files, const char *name, const void *want,
    size_t len)
{
	GByteArray *file = g_hash_table_lookup(files, name);

	if (file == NULL)
		fail_msg("%s is lost", name);
	assert_int_equal(file->len, len);
	assert_memory_equal(file->data, want, len);
}

struct sample {
	GPtrArray *data;	/* GBytes, one for each file of the item */
	GBytes *event;
};

static void
fill(GRand *rand, struct bed *b, struct sample *s)
{
	int files = g_rand_int_range(rand, 0, 8);
	gsize len = (gsize)g_rand_int_range(rand, 1, 120000);

	s->data = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)g_bytes_unref);
	for (int i = 0; i < files; i++) {
		gsize n = (gsize)g_rand_int_range(rand, 0,
		    g_rand_boolean(rand) ? 3000 : 300000);
		char *data = g_malloc(n + 1);

		for (gsize k = 0; k < n; k++)
			data[k] = (char)g_rand_int(rand);
		bed_file(b, b->item, i % 2 ? "image/jpeg" : "application/pdf",
		    data, n);
		((struct item_media *)b->item->media->pdata[i])->filename =
		    g_strdup_printf("file %d.%s", i, i % 2 ? "jpg" : "pdf");
		g_ptr_array_add(s->data, g_bytes_new_take(data, n));
	}
	s->event = g_bytes_new_take(g_strnfill(len, 'e'), len);
	b->event.body = g_bytes_get_data(s->event, &b->event.len);
	if (g_rand_int_range(rand, 0, 4) == 0) {
		g_free(b->item->text);
		b->item->text = g_strnfill((gsize)g_rand_int_range(rand, 1,
		    100000), 't');
	}
}

static void
check_sample(const struct sample *s, const GPtrArray *mails)
{
	g_autoptr(GHashTable) files = joined(mails);
	gsize len;
	const void *data = g_bytes_get_data(s->event, &len);

	check_joined(files, "event.json", data, len);
	for (guint i = 0; i < s->data->len; i++) {
		g_autofree char *name = g_strdup_printf("file %u.%s", i,
		    i % 2 ? "jpg" : "pdf");

		data = g_bytes_get_data(s->data->pdata[i], &len);
		check_joined(files, name, data, len);
	}
}

static void
nothing_is_lost_whatever_the_sizes_and_the_limits_are(void **state)
{
	GRand *rand = g_rand_new_with_seed(20260203);

	(void)state;
	for (int i = 0; i < 60; i++) {
		int64_t max_bytes = g_rand_boolean(rand) ? 0 :
		    g_rand_int_range(rand, 64 << 10, 400000);
		int64_t max_files = g_rand_int_range(rand, 0, 5);
		struct render *r = i % 2 ? in_memory : spooling;
		struct sample s = { NULL };
		struct bed b;

		bed_begin(&b);
		fill(rand, &b, &s);
		g_autoptr(GPtrArray) mails = bed_mails(&b, r, limited(r,
		    max_bytes, max_files));

		for (guint k = 0; k < mails->len; k++)
			check_limits(&b, r, mails->pdata[k], max_bytes,
			    max_files);
		check_sample(&s, mails);
		g_ptr_array_unref(s.data);
		g_bytes_unref(s.event);
		bed_end(&b);
	}
	g_rand_free(rand);
}

static void
a_turn_within_the_limits_is_not_cut(void **state)
{
	struct bed b;

	(void)state;
	bed_begin(&b);
	bed_file(&b, b.item, "application/pdf", "x", 1);
	g_autofree char *whole = bed_mail(&b, in_memory, NULL);
	g_autofree char *same = bed_mail(&b, in_memory, limited(in_memory,
	    64 << 10, 2));

	assert_string_equal(whole, same);
	assert_null(strstr(whole, "X-ChatJournal-Part"));
	bed_end(&b);
}

static char *
text_of(const GPtrArray *mails, guint i)
{
	g_autoptr(GBytes) bytes = bed_bytes(mails->pdata[i]);

	return g_strdup(g_bytes_get_data(bytes, NULL));
}

static void
check_is(const char *mail, const char *name, const char *want)
{
	g_autofree char *field = bed_field(mail, name);

	assert_string_equal(field, want);
}

static void
a_manifest_names_every_file_and_its_parts(void **state)
{
	g_autofree char *data = g_malloc0(120000);
	char hex[HASH_HEX_SIZE];
	struct render_media *large;
	struct bed b;

	(void)state;
	bed_begin(&b);
	bed_file(&b, b.item, "application/pdf", "small", 5);
	large = bed_file(&b, b.item, "video/mp4", data, 120000);
	g_autofree char *whole = bed_mail(&b, in_memory, NULL);
	g_autofree char *id = bed_field(whole, "Message-ID");
	g_autofree char *subject = bed_field(whole, "Subject");
	g_autoptr(GPtrArray) mails = bed_mails(&b, in_memory,
	    limited(in_memory, 100000, 0));
	g_autofree char *manifest = text_of(mails, 0);
	g_autofree char *numbered = g_strconcat(subject, " (1/4)", NULL);
	g_autofree char *media = bed_field(manifest, "X-ChatJournal-Media");
	g_autofree char *digest = g_strdup(hash_hex(large->sha256, hex));

	assert_int_equal(mails->len, 4);
	check_is(manifest, "Message-ID", id);
	check_is(manifest, "Subject", numbered);
	check_is(manifest, "X-ChatJournal-Part", "1/4");
	assert_true(g_str_has_suffix(media, "; status=attached; part=2/4"));
	assert_non_null(strstr(manifest, "part=3-4/4"));
	assert_non_null(strstr(manifest, digest));
	assert_non_null(strstr(manifest, "event.json"));
	bed_end(&b);
}

static void
parts_answer_the_manifest_and_have_ids_of_their_own(void **state)
{
	g_autofree char *data = g_malloc0(120000);
	struct bed b;

	(void)state;
	bed_begin(&b);
	bed_file(&b, b.item, "video/mp4", data, 120000);
	g_autoptr(GPtrArray) mails = bed_mails(&b, in_memory,
	    limited(in_memory, 100000, 0));
	g_autoptr(GPtrArray) again = bed_mails(&b, spooling,
	    limited(spooling, 100000, 0));
	g_autoptr(GPtrArray) other = bed_mails(&b, in_memory,
	    limited(in_memory, 110000, 0));
	g_autofree char *manifest = text_of(mails, 0);
	g_autofree char *id = bed_field(manifest, "Message-ID");

	assert_true(mails->len > 2);
	assert_int_equal(mails->len, other->len);
	for (guint i = 0; i < mails->len; i++) {
		const struct rendered *one = mails->pdata[i],
		    *two = again->pdata[i], *three = other->pdata[i];
		g_autofree char *mail = text_of(mails, i);
		g_autofree char *part = g_strdup_printf("%u/%u", i + 1,
		    mails->len);

		check_is(mail, "X-ChatJournal-Part", part);
		assert_non_null(strstr(one->subject, part));
		assert_string_equal(one->message_id, two->message_id);
		assert_memory_equal(one->sha256, two->sha256, HASH_SIZE);
		/* Only the manifest may be taken for that of another cut. */
		assert_int_equal(strcmp(one->message_id,
		    three->message_id) == 0, i == 0);
		if (i == 0)
			continue;
		g_autofree char *references = bed_field(mail, "References");

		check_is(mail, "In-Reply-To", id);
		assert_true(g_str_has_suffix(references, id));
		assert_string_not_equal(one->message_id,
		    ((struct rendered *)mails->pdata[i - 1])->message_id);
	}
	bed_end(&b);
}

static void
an_image_of_a_cut_turn_is_in_a_part_and_not_in_the_html(void **state)
{
	struct bed b;

	(void)state;
	bed_begin(&b);
	b.item->type = ITEM_TYPE_IMAGE;
	bed_file(&b, b.item, "image/jpeg", JPEG, sizeof(JPEG));
	bed_file(&b, b.item, "image/jpeg", JPEG, sizeof(JPEG));
	g_autoptr(GPtrArray) mails = bed_mails(&b, in_memory,
	    limited(in_memory, 0, 1));

	assert_int_equal(mails->len, 3);
	for (guint i = 0; i < mails->len; i++) {
		g_autofree char *mail = text_of(mails, i);

		assert_int_equal(check_cids(mail), 0);
		assert_null(strstr(mail, "multipart/related"));
	}
	bed_end(&b);
}

static void
texts_that_are_too_large_are_attached_and_begin_the_manifest(void **state)
{
	struct bed b;

	(void)state;
	bed_begin(&b);
	g_free(b.item->text);
	b.item->text = g_strnfill(150000, 'a');
	for (size_t i = 60; i < 150000; i += 60)
		b.item->text[i] = '\n';
	g_autoptr(GPtrArray) mails = bed_mails(&b, in_memory,
	    limited(in_memory, 64 << 10, 0));
	g_autofree char *manifest = text_of(mails, 0);
	g_autoptr(GHashTable) files = joined(mails);
	GByteArray *text = g_hash_table_lookup(files, "turn.txt");
	GByteArray *html = g_hash_table_lookup(files, "turn.html");

	for (guint i = 0; i < mails->len; i++)
		check_limits(&b, in_memory, mails->pdata[i], 64 << 10, 0);
	assert_non_null(strstr(manifest, "[...] turn.txt, turn.html"));
	assert_true(text != NULL && text->len > 150000);
	assert_true(html != NULL && html->len > 150000);
	check_joined(files, "event.json", BED_BODY, strlen(BED_BODY));
	bed_end(&b);
}

static void
slices_are_not_mixed_up_with_a_file_of_such_a_name(void **state)
{
	g_autofree char *data = g_malloc0(200000);
	struct bed b;

	(void)state;
	bed_begin(&b);
	bed_file(&b, b.item, "video/mp4", data, 200000);
	bed_file(&b, b.item, "video/mp4", "x", 1);
	((struct item_media *)b.item->media->pdata[0])->filename =
	    g_strdup("a.mp4");
	((struct item_media *)b.item->media->pdata[1])->filename =
	    g_strdup("a.mp4.001");
	g_autoptr(GPtrArray) mails = bed_mails(&b, in_memory,
	    limited(in_memory, 100000, 0));
	g_autoptr(GHashTable) files = joined(mails);

	check_joined(files, "a.mp4-cut", data, 200000);
	check_joined(files, "a.mp4", "x", 1);
	bed_end(&b);
}

/* --- memory --- */

static long
high_water_kib(void)
{
	g_autofree char *status = NULL;
	const char *line;

	assert_true(g_file_get_contents("/proc/self/status", &status, NULL,
	    NULL));
	line = strstr(status, "VmHWM:");
	assert_non_null(line);
	return strtol(line + 6, NULL, 10);
}

#define LARGE (100 << 20)

/* Zeros that take no room on the disk. */
static void
make_large(struct render_media *m)
{
	static const char zeros[1 << 16];
	struct hash *h = hash_new();

	assert_int_equal(truncate(m->path, LARGE), 0);
	for (int i = 0; i < LARGE >> 16; i++)
		hash_update(h, zeros, sizeof(zeros));
	hash_final(h, m->sha256);
	m->size = LARGE;
}

/* Runs first: what other tests have needed would count. */
static void
a_document_of_100_mb_is_never_in_memory(void **state)
{
	const struct render_envelope env = ENVELOPE;
	struct rendered report = { 0 };
	struct err err = ERR_INIT;
	struct bed b;
	long kib;

	(void)state;
	bed_begin(&b);
	make_large(bed_file(&b, b.item, "application/pdf", "", 0));
	for (int cut = 0; cut < 2; cut++) {
		g_autoptr(GPtrArray) mails = bed_mails(&b, spooling,
		    limited(spooling, cut ? 25 << 20 : 0, 0));
		int64_t size = 0;

		assert_int_equal(mails->len, cut ? 7 : 1);
		for (guint i = 0; i < mails->len; i++) {
			const struct rendered *mail = mails->pdata[i];

			assert_non_null(mail->path);
			size += (int64_t)mail->len;
		}
		assert_in_range(size, LARGE / 57 * 78,
		    LARGE / 57 * 78 + (100 << 10));
		assert_true(render_journal_report(spooling, &b.in,
		    mails->pdata[mails->len - 1], &env, &report, &err));
		assert_non_null(report.path);
		rendered_clear(&report);
	}
	bed_end(&b);
	kib = high_water_kib();
	print_message("# VmHWM %ld KiB\n", kib);
	assert_true(kib < 64 << 10);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_of_100_mb_is_never_in_memory),
		cmocka_unit_test(a_held_file_is_a_part_with_its_bytes),
		cmocka_unit_test(a_file_without_a_name_gets_one_by_what_it_is),
		cmocka_unit_test(
		    a_type_that_is_none_or_structure_becomes_octets),
		cmocka_unit_test(no_two_files_of_a_mail_have_one_name),
		cmocka_unit_test(a_name_that_is_not_ascii_is_utf8_in_rfc_2231),
		cmocka_unit_test(the_header_tells_what_became_of_each_file),
		cmocka_unit_test(only_a_held_file_is_attached),
		cmocka_unit_test(images_that_the_html_shows_are_with_it),
		cmocka_unit_test(what_is_no_image_or_too_large_is_attached),
		cmocka_unit_test(
		    a_follow_up_is_another_mail_about_its_files_alone),
		cmocka_unit_test(
		    two_files_of_one_id_are_followed_up_by_two_mails),
		cmocka_unit_test(
		    a_large_mail_is_in_a_file_and_a_small_one_in_memory),
		cmocka_unit_test(
		    a_report_of_a_mail_in_a_file_is_in_a_file_and_holds_it),
		cmocka_unit_test(
		    while_a_large_mail_is_made_its_maker_shows_that_it_lives),
		cmocka_unit_test(a_mail_that_is_not_taken_leaves_no_file),
		cmocka_unit_test(
		    a_file_that_cannot_be_read_or_is_another_makes_no_mail),
		cmocka_unit_test(
		    a_spool_that_cannot_be_written_is_a_passing_failure),
		cmocka_unit_test(
		    nothing_is_lost_whatever_the_sizes_and_the_limits_are),
		cmocka_unit_test(a_turn_within_the_limits_is_not_cut),
		cmocka_unit_test(a_manifest_names_every_file_and_its_parts),
		cmocka_unit_test(
		    parts_answer_the_manifest_and_have_ids_of_their_own),
		cmocka_unit_test(
		    an_image_of_a_cut_turn_is_in_a_part_and_not_in_the_html),
		cmocka_unit_test(
		    texts_that_are_too_large_are_attached_and_begin_the_manifest),
		cmocka_unit_test(
		    slices_are_not_mixed_up_with_a_file_of_such_a_name),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
