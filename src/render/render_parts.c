/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files a mail has, under which names and types, and in which order
 * they become parts.
 *
 * Names and declared types are the sender's: a name passes text.h, a type
 * only if it is one, and never one that would make a mail program take the
 * file for a part of the mail's structure.
 */
#include "render_int.h"

#include <string.h>

#include "text.h"

/* Larger images are attached, and not shown by the HTML. */
#define INLINE_MAX (8 << 20)
#define LINEAR_MAX 64		/* more files are found by a table */
#define OCTETS "application/octet-stream"

/* --- types --- */

/*
 * What would be taken for the mail itself: parts of MIME, and TNEF, whose
 * properties Exchange puts in the place of those of the mail around it.
 */
static bool
is_structure(const char *type)
{
	return g_str_has_prefix(type, "message/") ||
	    g_str_has_prefix(type, "multipart/") ||
	    g_str_equal(type, "application/ms-tnef") ||
	    g_str_equal(type, "application/vnd.ms-tnef");
}

static bool
is_type(const char *type)
{
	static const char token[] = "abcdefghijklmnopqrstuvwxyz0123456789"
	    "!#$&^_.+-";
	size_t major = strspn(type, token);
	size_t minor;

	if (major == 0 || major > 127 || type[major] != '/')
		return false;
	minor = strspn(type + major + 1, token);
	return minor > 0 && minor <= 127 && type[major + 1 + minor] == '\0' &&
	    !is_structure(type);
}

/* "Image/JPEG; q=1" gives image/jpeg; NULL when it is none for a part. */
static const char *
clean_type(struct render_scratch *s, const char *type)
{
	char *out;

	if (type == NULL)
		return NULL;
	out = render_keep(s, g_ascii_strdown(type,
	    (gssize)strcspn(type, "; \t")));
	return is_type(out) ? out : NULL;
}

static const char *
type_of(struct render_scratch *s, const struct item_media *m,
    const struct render_media *found)
{
	const char *type = clean_type(s, found->type);

	if (type == NULL || g_str_equal(type, OCTETS))
		type = clean_type(s, m->mime_type);
	return type != NULL ? type : OCTETS;
}

static const char *
extension_of(const char *type)
{
	static const char *const rows[][2] = {
		{ "image/jpeg", "jpg" }, { "image/png", "png" },
		{ "image/gif", "gif" }, { "image/webp", "webp" },
		{ "video/mp4", "mp4" }, { "video/3gpp", "3gp" },
		{ "video/quicktime", "mov" }, { "audio/ogg", "ogg" },
		{ "audio/opus", "opus" }, { "audio/mpeg", "mp3" },
		{ "audio/aac", "aac" }, { "audio/amr", "amr" },
		{ "audio/mp4", "m4a" }, { "audio/x-m4a", "m4a" },
		{ "application/ogg", "ogg" }, { "application/pdf", "pdf" },
		{ "application/zip", "zip" }, { "application/json", "json" },
		{ "application/msword", "doc" },
		{ "application/vnd.ms-excel", "xls" },
		{ "application/vnd.ms-powerpoint", "ppt" },
		{ "application/vnd.openxmlformats-officedocument."
			"wordprocessingml.document", "docx" },
		{ "application/vnd.openxmlformats-officedocument."
			"spreadsheetml.sheet", "xlsx" },
		{ "application/vnd.openxmlformats-officedocument."
			"presentationml.presentation", "pptx" },
		{ "text/plain", "txt" }, { "text/csv", "csv" },
		{ "text/html", "html" }, { "text/vcard", "vcf" },
		{ "text/x-vcard", "vcf" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (g_str_equal(rows[i][0], type))
			return rows[i][1];
	}
	return "bin";
}

static bool
is_image(const char *type)
{
	static const char *const shown[] = { "image/jpeg", "image/png",
		"image/gif", "image/webp", NULL };

	return g_strv_contains(shown, type);
}

/* --- names --- */

static const char *
stem_of(const struct render_file *f)
{
	static const char *const major[] = { "image", "video", "audio" };

	if (f->item->type == ITEM_TYPE_STICKER)
		return "sticker";
	if (f->media->voice || f->item->type == ITEM_TYPE_VOICE ||
	    f->item->type == ITEM_TYPE_VOICEMAIL)
		return "voice";
	for (size_t i = 0; i < G_N_ELEMENTS(major); i++) {
		if (g_str_has_prefix(f->type, major[i]))
			return major[i];
	}
	return "document";
}

static const char *
name_of(struct render_scratch *s, const struct render_file *f, guint index)
{
	char *name;

	if (f->media->filename != NULL) {
		name = render_keep(s, text_clean_filename(f->media->filename));
		if (!g_str_equal(name, "unnamed"))
			return name;
	}
	return render_format(s, "%s-%u.%s", stem_of(f), index + 1,
	    extension_of(f->type));
}

/* The names of a mail. */
struct names {
	GHashTable *taken;	/* in one case */
	GHashTable *next;	/* of a name: the number to go on with */
};

/* "scan.pdf", "scan-2.pdf": slices of files must not be mixed up. */
static const char *
make_unique(struct render_scratch *s, const struct names *names,
    const char *name)
{
	const char *dot = strrchr(name, '.');
	int stem = (int)(dot != NULL && dot > name ? (size_t)(dot - name)
	    : strlen(name));
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(names->next, name));
	const char *out = name;

	if (n == 0 && g_hash_table_add(names->taken, g_utf8_casefold(name,
	    -1)))
		return name;
	n = MAX(n, 2);
	do
		out = render_format(s, "%.*s-%u%s", stem, name, n++,
		    name + stem);
	while (!g_hash_table_add(names->taken, g_utf8_casefold(out, -1)));
	g_hash_table_insert(names->next, (gpointer)(uintptr_t)name,
	    GUINT_TO_POINTER(n));
	return out;
}

/* --- the files of a turn --- */

static const struct render_media *
find(const struct render_input *in, const struct item_media *m)
{
	for (guint i = 0; in->media != NULL && i < in->media->len; i++) {
		const struct render_media *found = in->media->pdata[i];

		if (found->media == m)
			return found;
	}
	return NULL;
}

static const char *
status_of(const struct render_media *found)
{
	static const char *const names[] = {
		[RENDER_MEDIA_HELD] = "attached",
		[RENDER_MEDIA_LATE] = "late",
		[RENDER_MEDIA_MISSING] = "unavailable",
		[RENDER_MEDIA_QUARANTINED] = "quarantined",
	};

	return found != NULL ? names[found->state] : "not-attached";
}

static const char *
make_cid(const struct render *r, struct render_scratch *s,
    const struct render_media *found, guint index)
{
	char hex[HASH_HEX_SIZE];

	return render_format(s, "f.%.32s.%u@%s", hash_hex(found->sha256, hex),
	    index + 1, r->domain);
}

static void
add_file(const struct render *r, struct render_turn *t,
    const struct item *it, const struct item_media *m)
{
	const struct render_media *found = find(t->in, m);
	struct render_scratch *s = &t->scratch;
	struct render_file *f;

	if (found == NULL && t->in->is_follow_up)
		return;
	if (t->files == NULL)
		t->files = render_list(s);
	f = g_new0(struct render_file, 1);
	g_ptr_array_add(s->blocks, f);
	*f = (struct render_file){ .item = it, .media = m, .found = found,
		.status = status_of(found) };
	if (t->in->is_excluded && found != NULL &&
	    found->state == RENDER_MEDIA_HELD) {
		f->status = "excluded";
	} else if (found != NULL && found->state == RENDER_MEDIA_HELD) {
		f->size = found->size;
		memcpy(f->sha256, found->sha256, HASH_SIZE);
		f->type = type_of(s, m, found);
		f->name = name_of(s, f, t->files->len);
		if (is_image(f->type) && found->size <= INLINE_MAX)
			f->cid = make_cid(r, s, found, t->files->len);
	}
	g_ptr_array_add(t->files, f);
}

static void
name_files(const struct render *r, struct render_turn *t)
{
	g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) next = g_hash_table_new(g_str_hash, g_str_equal);
	const struct names names = { taken, next };
	const GPtrArray *events = t->in->events;

	g_hash_table_add(taken, g_strdup("turn.txt"));
	g_hash_table_add(taken, g_strdup("turn.html"));
	for (guint i = 0; i < events->len && render_attaches_events(r, t->in);
	    i++)
		g_hash_table_add(taken, g_strdup(render_event_name(&t->scratch,
		    events->pdata[i], i)));
	for (guint i = 0; i < t->files->len; i++) {
		struct render_file *f = t->files->pdata[i];

		if (f->name != NULL)
			f->name = make_unique(&t->scratch, &names, f->name);
	}
}

/* Each of a carousel's thousand is asked for in each of its parts. */
static void
index_files(struct render_turn *t)
{
	t->by_media = g_hash_table_new(g_direct_hash, g_direct_equal);
	for (guint i = 0; i < t->files->len; i++) {
		struct render_file *f = t->files->pdata[i];

		g_hash_table_insert(t->by_media,
		    (gpointer)(uintptr_t)f->media, f);
	}
}

void
render_files_find(const struct render *r, struct render_turn *t)
{
	const GPtrArray *items = t->in->items;

	for (guint i = 0; i < items->len; i++) {
		const struct item *it = items->pdata[i];

		for (guint j = 0; it->media != NULL && j < it->media->len; j++)
			add_file(r, t, it, it->media->pdata[j]);
	}
	if (t->files == NULL)
		return;
	name_files(r, t);
	if (t->files->len > LINEAR_MAX)
		index_files(t);
}

void
render_files_clear(struct render_turn *t)
{
	g_clear_pointer(&t->by_media, g_hash_table_unref);
	for (guint i = 0; t->files != NULL && i < t->files->len; i++) {
		struct render_file *f = t->files->pdata[i];

		if (f->hash != NULL)
			hash_final(g_steal_pointer(&f->hash), NULL);
	}
}

/* A part is about what it has, any other mail about all files. */
static bool
is_here(const struct render_turn *t, const struct render_file *f)
{
	return t->part <= 1 ||
	    (f->first_part <= t->part && f->last_part >= t->part);
}

const struct render_file *
render_file_get(const struct render_turn *t, const struct item_media *media)
{
	const struct render_file *found;

	if (t->by_media != NULL) {
		found = g_hash_table_lookup(t->by_media, media);
		return found != NULL && is_here(t, found) ? found : NULL;
	}
	for (guint i = 0; t->files != NULL && i < t->files->len; i++) {
		const struct render_file *f = t->files->pdata[i];

		if (f->media == media)
			return is_here(t, f) ? f : NULL;
	}
	return NULL;
}

const char *
render_media_cid(const struct render_turn *t, const struct item_media *media)
{
	const struct render_file *f = render_file_get(t, media);

	return f != NULL && !t->is_cut ? f->cid : NULL;
}

bool
render_has_file(const struct render_turn *t, const struct item *it)
{
	for (guint i = 0; t->files != NULL && i < t->files->len; i++) {
		const struct render_file *f = t->files->pdata[i];

		if (f->item == it && is_here(t, f))
			return true;
	}
	return false;
}

const char *
render_event_place(const struct render_turn *t, struct render_scratch *s,
    const char *name)
{
	for (guint i = 0; t->is_cut && i < t->files->len; i++) {
		const struct render_file *f = t->files->pdata[i];

		if (f->item == NULL && f->parts != NULL &&
		    g_str_equal(f->name, name))
			return render_format(s, "%s, %s", name, f->parts);
	}
	return name;
}

/* --- parts --- */

static void
add_media(struct render_turn *t, GArray *to, struct render_file *f,
    bool is_shown)
{
	struct render_piece p = { .name = f->name, .type = f->type,
		.description = render_format(&t->scratch, "%s from the chat",
		    item_type_name(f->item->type)),
		.cid = is_shown ? f->cid : NULL, .path = f->found->path,
		.len = f->size, .file = f };

	g_array_append_val(to, p);
}

/* Whatever the template is like: what it does not show is an attachment. */
static bool
is_shown(const struct render_file *f, const GString *html)
{
	g_autofree char *url = NULL;

	if (f->cid == NULL || html == NULL)
		return false;
	url = g_strconcat("cid:", f->cid, NULL);
	return strstr(html->str, url) != NULL;
}

static void
add_files(struct render_turn *t, GArray *to, const GString *html)
{
	for (int shown = 1; shown >= 0; shown--) {
		for (guint i = 0; i < t->files->len; i++) {
			struct render_file *f = t->files->pdata[i];

			if (f->name != NULL && is_shown(f, html) == shown)
				add_media(t, to, f, shown);
		}
	}
}

/* A JSON array of the items' own JSON, a line each. */
static char *
excerpt_of(const struct render_event *ev)
{
	GString *out = g_string_new("[");

	for (guint i = 0; i < ev->excerpt->len; i++) {
		const struct item *it = ev->excerpt->pdata[i];

		g_string_append(out, i > 0 ? ",\n" : "");
		g_string_append(out, it->raw != NULL ? it->raw : "null");
	}
	g_string_append(out, "]\n");
	return g_string_free(out, FALSE);
}

static void
add_event(struct render_turn *t, GArray *to, const struct render_event *ev,
    guint index)
{
	struct render_piece p = {
		.name = render_event_name(&t->scratch, ev, index),
		.type = ev->is_json ? "application/json" : OCTETS,
		.description = "raw webhook event",
		.data = ev->body, .len = (int64_t)ev->len };

	if (ev->excerpt != NULL) {
		p.description = "raw items of a larger webhook event";
		p.data = render_keep(&t->scratch, excerpt_of(ev));
		p.len = (int64_t)strlen(p.data);
	}
	g_array_append_val(to, p);
}

GArray *
render_pieces(const struct render *r, struct render_turn *t,
    const GString *html)
{
	GArray *out = g_array_sized_new(FALSE, FALSE,
	    sizeof(struct render_piece), 4);
	const GPtrArray *events = t->in->events;

	if (t->files != NULL)
		add_files(t, out, html);
	for (guint i = 0; i < events->len && render_attaches_events(r, t->in);
	    i++)
		add_event(t, out, events->pdata[i], i);
	return out;
}

void
render_pieces_file(struct render_turn *t, GArray *pieces)
{
	if (t->files == NULL)
		t->files = render_list(&t->scratch);
	for (guint i = 0; i < pieces->len; i++) {
		struct render_piece *p = &g_array_index(pieces,
		    struct render_piece, i);
		struct render_file *f;

		if (p->file != NULL)
			continue;
		p->file = f = g_new0(struct render_file, 1);
		g_ptr_array_add(t->scratch.blocks, f);
		*f = (struct render_file){ .name = p->name, .type = p->type,
			.status = "attached", .size = p->len };
		hash_sha256(p->data, (size_t)p->len, f->sha256);
		g_ptr_array_add(t->files, f);
	}
}
