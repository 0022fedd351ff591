/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of render. Data goes one way: names (who is who) and
 * parts (which files), then view (what templates may show), field (spelling of
 * header fields), encode (transfer encodings), mime (the tree; GMime), frame
 * (the texts in it), and spool (the bytes). mails and cut decide how many mails it becomes.
 */
#pragma once

#include <pthread.h>

#include "item.h"
#include "render.h"
#include "template.h"

struct clock_zone;
struct render_words;

/* Longest name and subject that are shown, in code points. */
#define RENDER_NAME_MAX 120
#define RENDER_SUBJECT_MAX 240
#define RENDER_ID_SIZE 35	/* "t." or "c." and 32 hex */
#define RENDER_BYTES_LEAST (64 << 10)	/* the lowest limit of a mail */
/* A larger one no transport takes: lengths are ints in libesmtp. */
#define RENDER_BYTES_MOST (INT64_C(2000) << 20)
#define RENDER_ENVELOPE_MAX 8192	/* of a journal report, without the mail */
/* Of one text part: several times what the largest webhook can hold. */
#define RENDER_TEXT_MAX (64 << 20)

struct render {
	char *tenant, *domain, *address_domain;
	char *templates;
	char *spool;		/* NULL: everything stays in memory */
	void (*alive)(void);	/* or NULL */
	bool attach_event;
	const struct clock_zone *zone;	/* NULL: UTC only */
	GPtrArray *languages;	/* struct render_language * */
	GPtrArray *styles;	/* struct render_style * */
	pthread_mutex_t outlines_lock;
	GHashTable *outlines;	/* struct outline *, of render_frame.c */
};

/* --- render_language.c: the templates of a language --- */

struct render_language {
	char *name;
	char *path;			/* of its catalog */
	struct render_words *words;	/* owned; NULL: English */
	struct template *subject, *text, *html;
};
/* Loaded on first use; lives as long as r. */
bool render_language_get(struct render *r, const char *name,
    const struct render_language **out, struct err *err);
void render_language_free(gpointer language);

/* --- render_style.c: what a journal wants otherwise --- */

struct render_style {
	char *key;			/* equal wishes have equal keys */
	const struct render_language *language;
	int64_t max_bytes;		/* never 0 */
	int64_t max_files, max_age_ms;	/* 0: no limit */
	bool thread_index;
	char *headers;			/* finished fields, or "" */
	GPtrArray *renames;		/* ours, theirs …; NULL: none */
	GPtrArray *recipient_headers;	/* NULL: none */
};
void render_style_free(gpointer style);
/* What one of our headers is called in this style. */
const char *render_style_name(const struct render_style *s, const char *name);

/* --- render_scratch.c --- */

/*
 * What one call allocates and frees at its end, all at once: most strings of
 * a view are borrowed from the items, so no string has an owner of its own.
 */
struct render_scratch {
	GPtrArray *blocks;	/* g_free */
	GPtrArray *lists;	/* g_ptr_array_unref */
	char *free;		/* of the newest block made for strings */
	size_t left;
};
void render_scratch_init(struct render_scratch *s);
void render_scratch_clear(struct render_scratch *s);
/* Takes the string over and returns it. */
char *render_keep(struct render_scratch *s, char *string);
/* Room for anything that is not larger than some strings. */
void *render_room(struct render_scratch *s, size_t size);
char *render_copy(struct render_scratch *s, const char *string);
char *render_format(struct render_scratch *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same as with %s for each, or %lld, at a fraction of the cost. */
char *render_strings(struct render_scratch *s, const char *first, ...)
    G_GNUC_NULL_TERMINATED;
char *render_number(struct render_scratch *s, int64_t n);
GPtrArray *render_list(struct render_scratch *s);

/*
 * One clean line without outer blanks and runs of blanks; NULL for NULL and
 * when nothing is left.
 */
const char *render_line(struct render_scratch *s, const char *text,
    size_t max_chars);
/* The same, and whatever is not in [!-~] becomes '_'. */
const char *render_ascii(struct render_scratch *s, const char *text,
    size_t max_chars);
/* Of char *; NULL when there is none. As it is: not made one line. */
const char *render_joined(struct render_scratch *s, const GPtrArray *list,
    const char *between);
/* Of what is ours and has bare \n; owned by the caller. */
GString *render_with_crlf(const GString *lines);

/* --- render_names.c: who is who --- */

enum render_role { RENDER_FROM, RENDER_TO, RENDER_CC };

/* A participant. All strings are clean lines, NULL when not known. */
struct render_party {
	enum render_role role;
	const struct render_words *words;	/* of what is named by us */
	bool is_group;
	bool is_chat;		/* display name gets " (WhatsApp)" */
	const char *what;	/* "customer", "employee", "desk" … */
	const char *name;	/* never NULL */
	const char *line;	/* of a business: its number, as a name */
	const char *address;	/* addr-spec, never NULL */
	const char *given_name;	/* what customers call themselves */
	const char *name_source;	/* where name is from, if that is said */
	const char *number, *user_id, *parent_user_id, *username;
	const char *customer_id, *employee_id, *mail;
	const char *business, *business_number, *business_id;
	const char *group_id;
};

#define RENDER_PARTIES 4
struct render_parties {
	struct render_party list[RENDER_PARTIES];	/* From first */
	size_t n;
	const struct render_words *words;
};
void render_parties_find(const struct render *r, struct render_scratch *s,
    const struct render_input *in, const struct render_words *words,
    struct render_parties *out);
/* "Ana Souza (WhatsApp)" */
const char *render_display_name(struct render_scratch *s,
    const struct render_party *p);
/* "pb.whatsapp.bank.example"; NULL when the business side is not known. */
const char *render_list_id(const struct render *r, struct render_scratch *s,
    const struct render_input *in);

/* --- render_view.c: what templates may show --- */

/* Everything that is derived once per turn. */
struct render_turn {
	const struct render_input *in;
	struct render_input record;	/* what in is of an excluded turn */
	const struct render_style *style;
	struct render_scratch scratch;
	struct render_parties who;
	GPtrArray *files;			/* struct render_file *, of the
						   scratch; NULL: none */
	GHashTable *by_media;			/* of many files; or NULL */
	int64_t at_ms;				/* Date */
	char *message_id;			/* t.<hex>@domain */
	char conversation[RENDER_ID_SIZE];	/* c.<hex> */
	char *subject;				/* one clean line */
	struct template_scope view;
	/* What the view needs to know and does not find in the input. */
	unsigned part, parts;			/* 0: the mail is not cut */
	bool is_cut;				/* into parts: it has no images */
	bool is_aged;				/* older than the archive takes */
	/*
	 * What all mails of a conversation have in common in their subject: the
	 * part of it that comes first, and Thread-Topic. Set by
	 * render_view_fill().
	 */
	const char *topic;
};
void render_view_fill(const struct render *r, struct render_turn *t);

/* What the item changes, answers or reports on: the network's id, or NULL. */
const char *render_original_id(const struct item *it);
/* 64 lower-case hex of a digest given as hex or base64; NULL for others. */
const char *render_digest(struct render_scratch *s, const char *digest);
/* SHA-256 of the item's JSON; NULL when it has none. */
const char *render_raw_digest(struct render_scratch *s,
    const struct item *it);
/* "event.json", "event-2.json", "event.bin" … of the event at index. */
const char *render_event_name(struct render_scratch *s,
    const struct render_event *ev, guint index);
/* RAW items exist nowhere but in the event, so it is always attached. */
bool render_attaches_events(const struct render *r,
    const struct render_input *in);

/* --- render_html.c --- */

/*
 * Whether a template that compiled shows only what is in the mail, and runs
 * nothing. ERR_CONF "template.remote" with file:line.
 */
bool render_html_check(const char *path, const char *text, struct err *err);

/* --- render_parts.c: the files of a mail --- */

/*
 * A file of one of the items, as it stands in this mail. Of a turn that is
 * cut also what else is attached: then item, media and found are NULL.
 */
struct render_file {
	const struct item *item;
	const struct item_media *media;
	const struct render_media *found;	/* NULL: it is not fetched */
	const char *name;	/* in the mail, no other has it; NULL when the
				   file is not in the mail */
	const char *type;	/* "image/jpeg": of the part */
	const char *status;	/* "attached", "late", "unavailable",
				   "quarantined", "not-attached" */
	const char *cid;	/* bare; NULL: not an image that HTML shows */
	const char *parts;	/* "2/3", "2-4/5": which of the mails of a turn
				   that was cut hold it; NULL: this one */
	const char *slice;	/* in a part: the name of what it has of it */
	unsigned first_part, last_part;
	int64_t size;
	uint8_t sha256[HASH_SIZE];
	/* While it is written to mails: it must still have its digest. */
	struct hash *hash;
	int64_t hashed;
};
void render_files_find(const struct render *r, struct render_turn *t);
void render_files_clear(struct render_turn *t);
/* NULL for a file that is none of this mail's. */
const struct render_file *render_file_get(const struct render_turn *t,
    const struct item_media *media);
/* What HTML writes after "cid:"; NULL: the image is not in this mail. */
const char *render_media_cid(const struct render_turn *t,
    const struct item_media *media);

/* Whether this mail has a file of the item. */
bool render_has_file(const struct render_turn *t, const struct item *it);
/* The name of an event's file; of a cut turn also in which part it is. */
const char *render_event_place(const struct render_turn *t,
    struct render_scratch *s, const char *name);

/* What becomes one part of base64. */
struct render_piece {
	const char *name, *type, *description;
	const char *cid;	/* set for what HTML shows */
	const void *data;	/* NULL: it is in the file at path */
	const char *path;
	int64_t offset, len;
	bool is_slice;
	struct render_file *file;	/* NULL: an event, in a whole mail */
};
/*
 * Files and events of a mail that is not cut: array of struct render_piece,
 * what HTML shows first. html decides what that is; NULL: nothing.
 */
GArray *render_pieces(const struct render *r, struct render_turn *t,
    const GString *html);
/* Gives a file to each piece that has none. */
void render_pieces_file(struct render_turn *t, GArray *pieces);

/* --- render_json.c --- */

/* A line per member; safe for any bytes, also when it is not JSON. */
char *render_json_indent(const char *json);

/* --- render_encode.c: transfer encodings --- */

/* Lines end in \n, and in \r\n then. */
void render_quoted_printable(GString *out, const char *s, size_t len);
/*
 * Lines of 76 characters with \r\n between them: what a chunk that is not the
 * last gives ends with one, so all but the last are of RENDER_BASE64_LINE
 * times n bytes. Writes render_base64_len() bytes, and two for a chunk that
 * is not the last.
 */
#define RENDER_BASE64_LINE 57
int64_t render_base64_len(int64_t len);
char *render_base64(char *out, const void *data, size_t len, bool is_last);

/* --- render_headers.c: the fields of a mail --- */

void render_headers(const struct render *r, struct render_turn *t,
    const GArray *pieces, GString *out);
/* --- render_policy_fields.c: those of rules and sends --- */

/* Nothing for a turn that no rule has looked at and the gateway not seen. */
void render_policy_fields(struct render_turn *t, GString *out);

/* --- render_thread.c --- */

/* Thread-Index: base64 of the scratch. */
const char *render_thread_index(struct render_turn *t);

/* --- render_mime.c: the tree --- */

void render_gmime_init(void);	/* once, whoever comes first */
/*
 * A mail from its Content-Type on, with marks in the places of the texts and
 * of each piece. digits: 32, of all marks and boundaries.
 */
GString *render_outline(const GArray *pieces, const char *digits);

/* --- render_frame.c: a mail without its files --- */

#define RENDER_MARK_SIZE 40
#define RENDER_MARK_TEXT 't'
#define RENDER_MARK_HTML 'h'
#define RENDER_MARK_PIECE 'p'
/* What stands for something; with another letter it is a boundary. */
char *render_mark(char out[RENDER_MARK_SIZE], char which, const char *digits);

void render_outlines_init(struct render *r);
void render_outlines_clear(struct render *r);

/* What a mail is made of. All texts have \n; fields: render_headers(). */
struct render_body {
	const GString *fields, *text, *html;
	const GArray *pieces;	/* struct render_piece, those of HTML first */
};
/* A message with a mark, one line, in the place of each piece. */
struct render_frame {
	GString *bytes;
	char mark[RENDER_MARK_SIZE];
	const GArray *pieces;
	int64_t size;		/* of the message with its pieces */
	bool is_of_many;	/* then it goes to the spool whatever its size */
};
void render_frame_make(struct render *r, const struct render_turn *t,
    const struct render_body *body, struct render_frame *out);
void render_frame_clear(struct render_frame *f);

/* --- render_spool.c: where finished messages are written --- */

/* bytes or path, len and sha256 of out. */
bool render_frame_write(const struct render *r, const struct render_frame *f,
    struct rendered *out, struct err *err);
/* The same for inner, unchanged, between two texts. */
bool render_around(const struct render *r, const char *head,
    const struct rendered *inner, const char *tail, struct rendered *out,
    struct err *err);

/* --- render_turn.c --- */

/* Names, ids, view and subject; to be cleared also after failure. */
bool render_turn_begin(const struct render *r,
    const struct render_style *style, const struct render_input *in,
    struct render_turn *t, struct err *err);
void render_turn_clear(struct render_turn *t);

/* --- render_mails.c --- */

/* A mail that is not yet written. */
struct render_draft {
	GString *text, *html, *fields;
	struct render_frame frame;
};
bool render_draft_begin(struct render_turn *t, struct render_draft *d,
    struct err *err);
void render_draft_frame(struct render *r, struct render_turn *t,
    const GArray *pieces, struct render_draft *d);
/* Adds the finished mail to the list. */
bool render_draft_write(struct render *r, const struct render_turn *t,
    const struct render_draft *d, GPtrArray *to, struct err *err);
void render_draft_clear(struct render_draft *d);
/* Whether a mail, with an envelope around it, keeps the style's limits. */
bool render_fits(const struct render_style *style, int64_t size,
    int64_t files);

/* --- render_cut.c: a turn that is too large for one mail --- */

bool render_cut(struct render *r, struct render_turn *t, GPtrArray *mails,
    struct err *err);
