/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A turn that is too large for one mail: a manifest, which has the turn's
 * Message-ID and texts and names every file, its digest and where it is; and
 * parts with the files. A file that is larger than a part is cut into slices
 * which, joined in their order, are the file.
 *
 * First the files of the people go into parts, and the events stay with the
 * manifest; if it is still too large the events go too, and at last the texts
 * themselves, of which the manifest keeps the beginning. Nothing is left out,
 * whatever the limits: what cannot be made smaller is sent larger.
 *
 * Sizes are planned with bounds and then measured; a plan that comes out too
 * large is made again with less room.
 */
#include "render_int.h"

#include <string.h>

#include "err.h"
#include "text.h"

/* Even where the limits leave no room at all, a slice has so much. */
#define SLICE_MIN (16 * RENDER_BASE64_LINE)
#define PLANS_MAX 16
#define PIECE_HEAD 640		/* of a part without its name, and its fields */
#define NO_LIMIT (INT64_MAX / 4)

enum level { KEEP_EVENTS, MOVE_EVENTS, MOVE_TEXTS };

struct cut {
	struct render *r;
	struct render_turn *t;
	GArray *kept, *moved;	/* struct render_piece: of the manifest, and
				   of the parts */
	GPtrArray *shares;	/* GArray of struct render_piece, a part each */
	int64_t room;		/* for the pieces of one part */
};

/* --- planning --- */

/* RFC 2231 takes up to three characters for one, and some for sections. */
static int64_t
spelled(const char *s)
{
	return s != NULL ? 4 * (int64_t)strlen(s) + 40 : 0;
}

/* A bound for all that a piece takes besides its content. */
static int64_t
head_of(const struct render_piece *p)
{
	const struct item_media *m = p->file->media;

	return PIECE_HEAD + 4 * spelled(p->name) + 2 * spelled(p->type) +
	    spelled(p->description) + (m != NULL ? spelled(m->id) : 0);
}

struct planner {
	struct cut *c;
	GArray *share;		/* the one that is being filled; or NULL */
	int64_t left, files_left;
};

static void
open_share(struct planner *p)
{
	int64_t files = p->c->t->style->max_files;

	p->share = g_array_new(FALSE, FALSE, sizeof(struct render_piece));
	g_ptr_array_add(p->c->shares, p->share);
	p->left = p->c->room;
	p->files_left = files > 0 ? files : NO_LIMIT;
}

static void
put(struct planner *p, const struct render_piece *piece)
{
	unsigned part = p->c->shares->len + 1;

	g_array_append_val(p->share, *piece);
	p->left -= head_of(piece) + render_base64_len(piece->len);
	p->files_left--;
	if (piece->file->first_part == 0)
		piece->file->first_part = part;
	piece->file->last_part = part;
}

/* Whose ".001" and so on are no other file's name. */
static const char *
slice_stem(const struct cut *c, const char *name)
{
	const GPtrArray *files = c->t->files;
	guint i = 0;

	while (i < files->len) {
		const struct render_file *f = files->pdata[i++];

		if (f->name == NULL || !g_str_has_prefix(f->name, name) ||
		    f->name[strlen(name)] != '.')
			continue;
		name = render_format(&c->t->scratch, "%s-cut", name);
		i = 0;
	}
	return name;
}

static void
put_slices(struct planner *p, const struct render_piece *whole)
{
	struct render_scratch *s = &p->c->t->scratch;
	int64_t end = whole->offset + whole->len;
	const char *stem = slice_stem(p->c, whole->name);
	struct render_piece slice = *whole;
	int64_t head = head_of(whole) + 64;
	int64_t max = (p->c->room - head) / (RENDER_BASE64_LINE / 3 * 4 + 2) *
	    RENDER_BASE64_LINE;

	slice.is_slice = true;
	slice.type = "application/octet-stream";
	max = MAX(max, SLICE_MIN);
	for (unsigned n = 1; slice.offset < end; n++) {
		slice.len = MIN(max, end - slice.offset);
		slice.name = render_format(s, "%s.%03u", stem, n);
		slice.description = render_format(s,
		    "slice %u of a file; all of them, joined, are it", n);
		if (p->share->len > 0)
			open_share(p);
		put(p, &slice);
		slice.offset += slice.len;
	}
}

/* In their order, so that who reads the parts one by one gets file by file. */
static void
plan(struct cut *c)
{
	struct planner p = { .c = c };

	g_ptr_array_set_size(c->shares, 0);
	for (guint i = 0; i < c->moved->len; i++) {
		struct render_piece *piece = &g_array_index(c->moved,
		    struct render_piece, i);
		int64_t cost = head_of(piece) + render_base64_len(piece->len);

		piece->file->first_part = 0;
		if (p.share == NULL || (p.share->len > 0 &&
		    (cost > p.left || p.files_left == 0)))
			open_share(&p);
		if (cost <= p.left)
			put(&p, piece);
		else
			put_slices(&p, piece);
	}
}

/* "2/3" or "2-4/5". */
static void
number_parts(struct cut *c)
{
	struct render_turn *t = c->t;

	t->parts = c->shares->len + 1;
	for (guint i = 0; i < t->files->len; i++) {
		struct render_file *f = t->files->pdata[i];

		f->parts = f->first_part == 0 ? NULL
		    : f->first_part == f->last_part
		    ? render_format(&t->scratch, "%u/%u", f->first_part,
		    t->parts)
		    : render_format(&t->scratch, "%u-%u/%u", f->first_part,
		    f->last_part, t->parts);
	}
}

/* --- one part --- */

/* Of what is in it: another cut of the same turn has other ids. */
static char *
part_id(const struct render *r, const struct render_turn *manifest,
    unsigned part, unsigned parts, const GArray *share)
{
	g_autoptr(GString) what = g_string_new(NULL);
	uint8_t digest[HASH_SIZE];
	char hex[HASH_HEX_SIZE];

	g_string_printf(what, "%u/%u\n", part, parts);
	for (guint i = 0; i < share->len; i++) {
		const struct render_piece *p = &g_array_index(share,
		    struct render_piece, i);

		g_string_append_printf(what, "%s %" G_GINT64_FORMAT " %"
		    G_GINT64_FORMAT " %s\n", hash_hex(p->file->sha256, hex),
		    p->offset, p->len, p->name);
	}
	hash_strings(digest, "part", manifest->message_id, what->str, NULL);
	return g_strdup_printf("p.%.32s@%s", hash_hex(digest, hex),
	    r->domain);
}

static char *
numbered(const char *subject, unsigned part, unsigned parts)
{
	return g_strdup_printf("%s (%u/%u)", subject, part, parts);
}

/* A slice goes under its own name, but only in its part. */
static void
name_slices(const GArray *share, bool are_named)
{
	for (guint i = 0; i < share->len; i++) {
		const struct render_piece *p = &g_array_index(share,
		    struct render_piece, i);

		p->file->slice = are_named && p->is_slice ? p->name : NULL;
	}
}

/*
 * A turn of its own which answers the manifest, and with its own scratch:
 * there may be thousands.
 */
static void
part_begin(const struct cut *c, guint index, struct render_input *in,
    struct render_turn *out)
{
	const struct render_turn *t = c->t;

	*in = *t->in;
	in->parent_message_id = t->message_id;
	*out = *t;
	out->in = in;
	out->part = index + 2;
	render_scratch_init(&out->scratch);
	memset(&out->view, 0, sizeof(out->view));
	out->message_id = part_id(c->r, t, out->part, t->parts,
	    c->shares->pdata[index]);
	out->subject = numbered(t->subject, out->part, t->parts);
	name_slices(c->shares->pdata[index], true);
	render_view_fill(c->r, out);
	name_slices(c->shares->pdata[index], false);
}

/* The files belong to the manifest. */
static void
part_clear(struct render_turn *part)
{
	g_free(part->message_id);
	g_free(part->subject);
	render_scratch_clear(&part->scratch);
}

/* Measured if mails is NULL, else written. *size is that of the mail. */
static bool
make_part(struct cut *c, guint index, GPtrArray *mails, int64_t *size,
    struct err *err)
{
	struct render_draft d;
	struct render_input in;
	struct render_turn part;
	bool ok;

	if (c->r->alive != NULL)
		c->r->alive();
	part_begin(c, index, &in, &part);
	ok = render_draft_begin(&part, &d, err);
	if (ok) {
		render_draft_frame(c->r, &part, c->shares->pdata[index], &d);
		*size = d.frame.size;
		ok = mails == NULL ||
		    render_draft_write(c->r, &part, &d, mails, err);
	}
	render_draft_clear(&d);
	part_clear(&part);
	return ok;
}

/* By how much the largest part is too large; 0: none is. */
static bool
measure(struct cut *c, int64_t *over, struct err *err)
{
	int64_t limit = c->t->style->max_bytes - RENDER_ENVELOPE_MAX;

	*over = 0;
	for (guint i = 0; i < c->shares->len; i++) {
		int64_t size;

		if (!make_part(c, i, NULL, &size, err))
			return false;
		*over = MAX(*over, size - limit);
	}
	return true;
}

static bool
plan_parts(struct cut *c, struct err *err)
{
	int64_t over;

	c->room = c->t->style->max_bytes - RENDER_ENVELOPE_MAX;
	for (int i = 0; i < PLANS_MAX; i++) {
		plan(c);
		number_parts(c);
		if (!measure(c, &over, err))
			return false;
		if (over <= 0)
			return true;
		c->room = MAX(c->room - over - 256, 0);
	}
	return true;
}

/* --- the manifest --- */

/* The beginning of the text, in whole lines, as far as it may take room. */
static void
shorten(struct render_draft *d, int64_t max)
{
	static const char tail[] = "\n[...] turn.txt, turn.html\n";
	size_t len = MIN(d->text->len, (size_t)max / 16);
	g_autofree char *clean = NULL;

	while (len > 0 && d->text->str[len - 1] != '\n')
		len--;
	g_string_truncate(d->text, len);
	g_string_append(d->text, tail);
	g_string_assign(d->html, "<!DOCTYPE html>\n<html><head>"
	    "<meta charset=\"utf-8\"></head>\n<body><pre>\n");
	text_html_escape(d->html, d->text->str);
	g_string_append(d->html, "</pre></body></html>\n");
}

static void
refill(struct cut *c)
{
	memset(&c->t->view, 0, sizeof(c->t->view));
	c->t->part = 1;
	render_view_fill(c->r, c->t);
}

/* With the subject of the first part while it is made. */
static bool
draft_manifest(struct cut *c, enum level level, struct render_draft *d,
    struct err *err)
{
	struct render_turn *t = c->t;
	char *subject = t->subject;

	refill(c);
	if (!render_draft_begin(t, d, err))
		return false;
	if (level == MOVE_TEXTS)
		shorten(d, t->style->max_bytes);
	t->subject = numbered(subject, 1, t->parts);
	render_draft_frame(c->r, t, c->kept, d);
	g_free(t->subject);
	t->subject = subject;
	return true;
}

static bool
write_manifest(struct cut *c, const struct render_draft *d, GPtrArray *mails,
    struct err *err)
{
	struct rendered *mail;

	if (!render_draft_write(c->r, c->t, d, mails, err))
		return false;
	mail = mails->pdata[mails->len - 1];
	g_free(mail->subject);
	mail->subject = numbered(c->t->subject, 1, c->t->parts);
	return true;
}

/* --- the pieces of each level --- */

static void
add_text(struct cut *c, const char *name, const char *type,
    const GString *text)
{
	struct render_piece p = { .name = name, .type = type,
		.description = "text of the turn", .len = (int64_t)text->len,
		.data = render_copy(&c->t->scratch, text->str) };

	g_array_append_val(c->moved, p);
}

/* As they are in the whole mail, but without parts to point to. */
static bool
add_texts(struct cut *c, struct err *err)
{
	struct render_draft d;
	bool ok;

	c->t->parts = 0;
	refill(c);
	ok = render_draft_begin(c->t, &d, err);
	if (ok) {
		add_text(c, "turn.txt", "text/plain", d.text);
		add_text(c, "turn.html", "text/html", d.html);
	}
	render_draft_clear(&d);
	return ok;
}

/* Of the files of an earlier level only those of the items stay. */
static void
drop_files(struct render_turn *t)
{
	for (guint i = t->files != NULL ? t->files->len : 0; i-- > 0;) {
		const struct render_file *f = t->files->pdata[i];

		if (f->media == NULL)
			g_ptr_array_remove_index(t->files, i);
	}
}

static bool
share_out(struct cut *c, enum level level, struct err *err)
{
	g_autoptr(GArray) all = NULL;

	drop_files(c->t);
	g_array_set_size(c->kept, 0);
	g_array_set_size(c->moved, 0);
	if (level == MOVE_TEXTS && !add_texts(c, err))
		return false;
	all = render_pieces(c->r, c->t, NULL);
	for (guint i = 0; i < all->len; i++) {
		struct render_piece p = g_array_index(all,
		    struct render_piece, i);

		g_array_append_val(level == KEEP_EVENTS && p.file == NULL
		    ? c->kept : c->moved, p);
	}
	render_pieces_file(c->t, c->moved);
	return true;
}

/* *fits is false when nothing was written because the manifest is too large. */
static bool
cut_at(struct cut *c, enum level level, GPtrArray *mails, bool *fits,
    struct err *err)
{
	struct render_draft d = { .text = NULL };
	bool ok;

	*fits = true;
	if (!share_out(c, level, err) || !plan_parts(c, err))
		return false;
	ok = draft_manifest(c, level, &d, err);
	if (ok) {
		*fits = level == MOVE_TEXTS || (c->shares->len > 0 &&
		    render_fits(c->t->style, d.frame.size, c->kept->len));
		ok = !*fits || write_manifest(c, &d, mails, err);
	}
	render_draft_clear(&d);
	for (guint i = 0; ok && *fits && i < c->shares->len; i++) {
		int64_t size;

		ok = make_part(c, i, mails, &size, err);
	}
	return ok;
}

bool
render_cut(struct render *r, struct render_turn *t, GPtrArray *mails,
    struct err *err)
{
	struct cut c = { .r = r, .t = t,
		.kept = g_array_new(FALSE, FALSE, sizeof(struct render_piece)),
		.moved = g_array_new(FALSE, FALSE,
		    sizeof(struct render_piece)),
		.shares = g_ptr_array_new_with_free_func(
		    (GDestroyNotify)g_array_unref) };
	bool fits = false, ok = true;

	t->is_cut = true;
	for (enum level level = KEEP_EVENTS; ok && !fits; level++)
		ok = cut_at(&c, level, mails, &fits, err);
	g_array_unref(c.kept);
	g_array_unref(c.moved);
	g_ptr_array_unref(c.shares);
	return ok;
}
