/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of an item as templates see them: what the network declared, what
 * became of them, and what their bytes say. A file that is not in the mail
 * says why.
 */
#include "render_view.h"

#include <string.h>

#include "text.h"

const char *
render_digest(struct render_scratch *s, const char *digest)
{
	uint8_t raw[HASH_SIZE];
	char hex[HASH_HEX_SIZE];

	if (digest == NULL || !hash_parse(digest, raw))
		return NULL;
	return render_copy(s, hash_hex(raw, hex));
}

const char *
render_raw_digest(struct render_scratch *s, const struct item *it)
{
	uint8_t digest[HASH_SIZE];
	char hex[HASH_HEX_SIZE];

	if (it->raw == NULL)
		return NULL;
	hash_sha256(it->raw, strlen(it->raw), digest);
	return render_copy(s, hash_hex(digest, hex));
}

/* "812 bytes", "1.2 MB": to one decimal, in steps of a thousand. */
static const char *
human_size(struct render_filler *f, int64_t bytes)
{
	static const char *const units[] = { WORD("%s kB"), WORD("%s MB"),
		WORD("%s GB") };
	g_autofree char *number = NULL;
	int64_t unit = 1000;
	size_t i = 0;

	if (bytes < unit) {
		number = g_strdup_printf("%" G_GINT64_FORMAT, bytes);
		return render_phrase(f->words, f->s, WORD("%s bytes"), number);
	}
	while (bytes / unit >= 1000 && i + 1 < G_N_ELEMENTS(units)) {
		unit *= 1000;
		i++;
	}
	number = g_strdup_printf("%" G_GINT64_FORMAT ".%d", bytes / unit,
	    (int)(bytes % unit / (unit / 10)));
	return render_phrase(f->words, f->s, units[i], number);
}

/* "0:04", "1:02:03": to the nearest second, never "0:00". */
static const char *
play_length(struct render_scratch *s, int64_t ms)
{
	int64_t n = MAX(ms / 1000 + (ms % 1000 >= 500), 1);
	int seconds = (int)(n % 60), minutes = (int)(n / 60 % 60);

	if (n < 3600)
		return render_format(s, "%d:%02d", minutes, seconds);
	return render_format(s, "%" G_GINT64_FORMAT ":%02d:%02d", n / 3600,
	    minutes, seconds);
}

/* By the network's word for the message, else by the type of the bytes. */
static enum media_row
kind_of(const struct item *it, const struct item_media *m, const char *type)
{
	static const enum media_row by_type[ITEM_TYPES] = {
		[ITEM_TYPE_IMAGE] = M_IS_IMAGE,
		[ITEM_TYPE_STICKER] = M_IS_STICKER,
		[ITEM_TYPE_VOICE] = M_IS_VOICE,
		[ITEM_TYPE_VOICEMAIL] = M_IS_VOICE,
		[ITEM_TYPE_AUDIO] = M_IS_AUDIO,
		[ITEM_TYPE_CALL_RECORDING] = M_IS_AUDIO,
		[ITEM_TYPE_VIDEO] = M_IS_VIDEO,
		[ITEM_TYPE_DOCUMENT] = M_IS_DOCUMENT,
	};
	enum media_row kind = by_type[it->type];

	if (kind == M_NAME && type != NULL)	/* 0: not in the table */
		kind = g_str_has_prefix(type, "image/") ? M_IS_IMAGE :
		    g_str_has_prefix(type, "audio/") ? M_IS_AUDIO :
		    g_str_has_prefix(type, "video/") ? M_IS_VIDEO : kind;
	if (kind == M_IS_AUDIO && m->voice)
		return M_IS_VOICE;
	return kind != M_NAME ? kind : M_IS_DOCUMENT;
}

static void
fill_kind(struct render_filler *f, const struct item *it,
    const struct item_media *m, struct template_scope *scope)
{
	static const char *const words[] = {
		[M_IS_IMAGE] = WORD("image"),
		[M_IS_STICKER] = WORD("sticker"),
		[M_IS_VOICE] = WORD("voice message"),
		[M_IS_AUDIO] = WORD("audio"),
		[M_IS_VIDEO] = WORD("video"),
		[M_IS_DOCUMENT] = WORD("document"),
	};
	enum media_row kind = kind_of(it, m, scope->string[M_MIME]);

	scope->string[kind] = "1";
	scope->string[M_WHAT] = render_word(f->words, words[kind]);
	if (m->animated)
		scope->string[M_ANIMATED] = "1";
}

static void
fill_state(struct render_filler *f, const struct render_media *found,
    struct template_scope *scope)
{
	static const struct {
		enum media_row flag;
		const char *words;
	} states[] = {
		[RENDER_MEDIA_HELD] = { M_HELD, WORD("attached") },
		[RENDER_MEDIA_LATE] = { M_LATE,
			WORD("not here yet, another mail brings it") },
		[RENDER_MEDIA_MISSING] = { M_MISSING,
			WORD("could not be had") },
		[RENDER_MEDIA_QUARANTINED] = { M_QUARANTINED,
			WORD("held back as malware") },
	};

	if (found == NULL) {
		scope->string[M_STATUS] = render_word(f->words,
		    WORD("not fetched"));
		return;
	}
	scope->string[states[found->state].flag] = "1";
	scope->string[M_STATUS] = render_word(f->words,
	    states[found->state].words);
	scope->string[M_VERDICT] = render_line(f->s, found->verdict,
	    RENDER_NAME_MAX);
	scope->string[M_REASON] = render_line(f->s, found->reason, SIZE_MAX);
	if (found->state == RENDER_MEDIA_QUARANTINED && found->reason != NULL)
		scope->string[M_STATUS] = render_word(f->words,
		    WORD("held back"));
}

static void
fill_bytes(struct render_filler *f, const struct render_media *found,
    struct template_scope *scope)
{
	char hex[HASH_HEX_SIZE];

	if (found == NULL || (found->state != RENDER_MEDIA_HELD &&
	    found->state != RENDER_MEDIA_QUARANTINED))
		return;
	scope->string[M_SIZE] = human_size(f, found->size);
	scope->string[M_BYTES] = render_format(f->s, "%" G_GINT64_FORMAT,
	    found->size);
	if (found->length_ms > 0)
		scope->string[M_LENGTH] = play_length(f->s, found->length_ms);
	scope->string[M_SHA256] = render_copy(f->s,
	    hash_hex(found->sha256, hex));
	if (found->hash_differs)
		scope->string[M_HASH_DIFFERS] = "1";
	if (found->type != NULL)
		scope->string[M_MIME] = render_line(f->s, found->type,
		    RENDER_NAME_MAX);
	if (found->type_differs)
		scope->string[M_TYPE_DIFFERS] = "1";
}

/* What was declared and not repeated by the bytes. */
static void
fill_declared(struct render_filler *f, const struct item_media *m,
    struct template_scope *scope)
{
	const char *type = render_line(f->s, m->mime_type, SIZE_MAX);
	const char *digest = render_digest(f->s, m->sha256);

	if (m->filename != NULL)
		scope->string[M_NAME] = render_keep(f->s,
		    text_clean_filename(m->filename));
	if (scope->string[M_MIME] == NULL)
		scope->string[M_MIME] = type;
	else if (g_strcmp0(scope->string[M_MIME], type) != 0)
		scope->string[M_DECLARED_MIME] = type;
	if (digest == NULL)
		digest = render_line(f->s, m->sha256, SIZE_MAX);
	if (g_strcmp0(digest, scope->string[M_SHA256]) != 0)
		scope->string[M_DECLARED_SHA256] = digest;
	scope->string[M_ID] = render_line(f->s, m->id, SIZE_MAX);
}

/* Of a file of an excluded turn: which it was, but nothing that it says. */
static void
fill_excluded(struct render_filler *f, const struct render_file *file,
    struct template_scope *scope)
{
	const struct render_media *found = file->found;
	const struct item_media *m = file->media;

	fill_bytes(f, found, scope);
	fill_state(f, found, scope);
	scope->string[M_DECLARED_SHA256] = render_digest(f->s, m->sha256);
	scope->string[M_ID] = render_line(f->s, m->id, SIZE_MAX);
	scope->string[M_MIME] = scope->string[M_LENGTH] = NULL;
	scope->string[M_TYPE_DIFFERS] = scope->string[M_REASON] = NULL;
	if (scope->string[M_HELD] == NULL)
		return;
	scope->string[M_HELD] = NULL;
	scope->string[M_STATUS] = render_word(f->words,
	    WORD("left out by a rule"));
}

static void
fill_file(struct render_filler *f, const struct render_file *file,
    struct template_scope *scope)
{
	scope->string[M_FILE] = file->slice != NULL ? file->slice
	    : file->name;
	scope->string[M_PART] = file->parts;
	scope->string[M_CID] = render_media_cid(f->t, file->media);
	fill_bytes(f, file->found, scope);
	fill_declared(f, file->media, scope);
	fill_state(f, file->found, scope);
}

GPtrArray *
render_files(struct render_filler *f, const struct item *it)
{
	GPtrArray *l = it->media != NULL ? render_list(f->s) : NULL;

	for (guint i = 0; it->media != NULL && i < it->media->len; i++) {
		const struct item_media *m = g_ptr_array_index(it->media, i);
		const struct render_file *file = render_file_get(f->t, m);
		struct template_scope *scope;

		if (file == NULL)
			continue;	/* the mail is about another one */
		scope = render_scope_add(f, l);
		if (f->t->in->is_excluded)
			fill_excluded(f, file, scope);
		else
			fill_file(f, file, scope);
		fill_kind(f, it, m, scope);
	}
	return l;
}
