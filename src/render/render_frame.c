/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mail without its files: fields, then the outline that GMime made, with
 * the texts in their places.
 *
 * Mails that have the same parts have the same outline but for the digits of
 * its marks and boundaries, which are always as many. So outlines are kept,
 * but for those with names that are not ours: they would be one for each file,
 * and may hold whatever a sender likes. An outline that is kept is not changed
 * nor freed before the renderer is, so many threads may use it.
 */
#include "render_int.h"

#include <string.h>

#include "text.h"

#define OUTLINES_MAX 64
#define DIGITS 32
#define MARK_LEN (DIGITS + 4)

char *
render_mark(char out[RENDER_MARK_SIZE], char which, const char *digits)
{
	g_snprintf(out, RENDER_MARK_SIZE, "=_%c_%.*s", which, DIGITS, digits);
	return out;
}

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

/* ---- outlines ------------------------------------------------------------ */

/* A place of an outline. */
struct hole {
	size_t at, len;		/* what of the outline it takes */
	char which;		/* RENDER_MARK_TEXT, _HTML; 0: digits */
};

struct outline {
	GString *bytes;
	GArray *holes;		/* struct hole, in order */
};

static void
outline_free(gpointer p)
{
	struct outline *o = p;

	if (o == NULL)
		return;
	g_string_free(o->bytes, TRUE);
	g_array_unref(o->holes);
	g_free(o);
}

static void
find_holes(struct outline *o, const char *digits)
{
	const char *start = o->bytes->str, *p = start;

	while ((p = strstr(p, digits)) != NULL) {
		struct hole h = { (size_t)(p - start), DIGITS, 0 };

		p += DIGITS;
		/* A boundary in the header is quoted, and has its letter. */
		if (h.at >= 4 && (start[h.at - 2] == RENDER_MARK_TEXT ||
		    start[h.at - 2] == RENDER_MARK_HTML))
			h = (struct hole){ h.at - 4, MARK_LEN,
				start[h.at - 2] };
		g_array_append_val(o->holes, h);
	}
}

static struct outline *
outline_new(const GArray *pieces, const char *hex)
{
	struct outline *o = g_new0(struct outline, 1);
	char digits[DIGITS + 1];

	g_strlcpy(digits, hex, sizeof(digits));
	o->bytes = render_outline(pieces, digits);
	o->holes = g_array_new(FALSE, FALSE, sizeof(struct hole));
	find_holes(o, digits);
	return o;
}

/* What tells outlines apart; NULL: not to be kept. */
static GString *
key_of(const GArray *pieces)
{
	GString *key = g_string_sized_new(128);

	for (guint i = 0; i < pieces->len; i++) {
		const struct render_piece *p = &g_array_index(pieces,
		    struct render_piece, i);

		if (p->file != NULL || p->cid != NULL) {
			g_string_free(key, TRUE);
			return NULL;
		}
		g_string_append(key, p->name);
		g_string_append_c(key, '\n');
		g_string_append(key, p->type);
		g_string_append_c(key, '\n');
		g_string_append(key, p->description);
		g_string_append_c(key, '\n');
	}
	return key;
}

static const struct outline *
get_kept(struct render *r, const char *key, const GArray *pieces,
    const char *hex)
{
	struct outline *o;

	pthread_mutex_lock(&r->outlines_lock);
	o = g_hash_table_lookup(r->outlines, key);
	if (o == NULL && g_hash_table_size(r->outlines) < OUTLINES_MAX) {
		o = outline_new(pieces, hex);
		g_hash_table_insert(r->outlines, g_strdup(key), o);
	}
	pthread_mutex_unlock(&r->outlines_lock);
	return o;
}

void
render_outlines_init(struct render *r)
{
	render_gmime_init();
	pthread_mutex_init(&r->outlines_lock, NULL);
	r->outlines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    outline_free);
}

void
render_outlines_clear(struct render *r)
{
	g_hash_table_unref(r->outlines);
	pthread_mutex_destroy(&r->outlines_lock);
}

/* ---- frames --------------------------------------------------------------- */

static void
write_fields(GString *to, const GString *fields)
{
	const char *p = fields->str, *nl;

	for (; (nl = strchr(p, '\n')) != NULL; p = nl + 1) {
		text_append(to, p, (size_t)(nl - p));
		text_append(to, "\r\n", 2);
	}
}

static void
fill(GString *to, const struct outline *o, const struct render_body *body,
    const char *hex)
{
	size_t at = 0;

	for (guint i = 0; i < o->holes->len; i++) {
		const struct hole *h = &g_array_index(o->holes, struct hole,
		    i);

		text_append(to, o->bytes->str + at, h->at - at);
		if (h->which == 0)
			text_append(to, hex, DIGITS);
		else if (h->which == RENDER_MARK_TEXT)
			render_quoted_printable(to, body->text->str,
			    body->text->len);
		else
			render_quoted_printable(to, body->html->str,
			    body->html->len);
		at = h->at + h->len;
	}
	text_append(to, o->bytes->str + at, o->bytes->len - at);
}

/* Nearly always enough. */
static size_t
guess(const struct render_body *body)
{
	size_t texts = body->text->len + body->html->len;

	return body->fields->len + texts + texts / 8 + 2048 +
	    512 * (size_t)body->pieces->len;
}

static int64_t
size_of(const struct render_frame *f)
{
	int64_t size = (int64_t)f->bytes->len;

	for (guint i = 0; i < f->pieces->len; i++)
		size += render_base64_len(g_array_index(f->pieces,
		    struct render_piece, i).len) - MARK_LEN;
	return size;
}

void
render_frame_make(struct render *r, const struct render_turn *t,
    const struct render_body *body, struct render_frame *out)
{
	GString *key = key_of(body->pieces);
	const struct outline *kept = NULL;
	struct outline *own = NULL;
	char hex[HASH_HEX_SIZE];

	make_digits(hex, t, body->text);
	if (key != NULL) {
		kept = get_kept(r, key->str, body->pieces, hex);
		g_string_free(key, TRUE);
	}
	if (kept == NULL)
		kept = own = outline_new(body->pieces, hex);
	render_mark(out->mark, RENDER_MARK_PIECE, hex);
	out->pieces = body->pieces;
	out->bytes = g_string_sized_new(guess(body));
	write_fields(out->bytes, body->fields);
	fill(out->bytes, kept, body, hex);
	out->size = size_of(out);
	outline_free(own);
}

void
render_frame_clear(struct render_frame *f)
{
	g_string_free(g_steal_pointer(&f->bytes), TRUE);
}
