/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A closed turn to the bytes of its mail. The only user of GMime.
 *
 * The same input gives the same bytes, today and on another host: dates come
 * from the events, Message-ID and boundaries from SHA-256 of keys. Nothing is
 * read from clock, host name or random numbers. Lines end in CRLF. Nothing
 * from outside reaches a header or a part without passing text.h.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hash.h"
#include "item.h"

struct directory_business;
struct directory_customer;
struct directory_staff;
struct err;
struct render;

struct render_conf {
	const char *tenant;	/* part of every Message-ID */
	const char *domain;	/* right side of Message-IDs: chatjournal.bank.example */
	const char *address_domain;	/* of wa-… addresses: whatsapp.bank.example */
	const char *templates;	/* directory with subject.txt, turn.txt, turn.html */
	bool attach_event;	/* the raw event as application/json part */
	const char *zone;	/* IANA name beside UTC: "America/Sao_Paulo";
				   NULL: UTC only. A business may have its own */
	/*
	 * Where mails with large files are written while they are made, so that
	 * none is ever in memory whole; NULL: everything stays in memory.
	 */
	const char *spool;
	/* Called now and then while something large is written; or NULL. */
	void (*alive)(void);
};

/*
 * What one journal wants otherwise than another. Journals with the same
 * wishes share a style, and with it the bytes of their mails.
 */
struct render_style_conf {
	const char *language;	/* "en", "pt", "ru": a set in templates */
	int64_t max_bytes;	/* of a mail; 0: what a transport takes */
	int64_t max_files;	/* attachments in a mail; 0: no limit */
	int64_t max_age_ms;	/* flag what is older; 0: never */
	bool thread_index;	/* Thread-Topic, Thread-Index for Outlook */
	/* Each of char *: name, value, name, value … in the order given. */
	const GPtrArray *headers;	/* added, exact case */
	const GPtrArray *renames;	/* ours, theirs */
	const GPtrArray *recipient_headers;	/* names: each lists all
						   addresses of the mail */
};
struct render_style;

/* An event one or more of the turn's items came in. */
struct render_event {
	int64_t seq;		/* its number in the store */
	const char *source;	/* "webhook" */
	int64_t received_ms;
	uint8_t sha256[HASH_SIZE];
	const void *body;
	size_t len;
	bool is_json;
	/*
	 * NULL: the body is attached whole. Else the event also holds what is
	 * none of this mail's business, and only the raw JSON of these items
	 * (struct item *) is attached; sha256 is still that of the body.
	 */
	const GPtrArray *excerpt;
};

enum render_media_state {
	RENDER_MEDIA_HELD,		/* path, size, sha256, type are set */
	RENDER_MEDIA_LATE,		/* not here yet: another mail brings it */
	RENDER_MEDIA_MISSING,		/* cannot be had: reason */
	RENDER_MEDIA_QUARANTINED,	/* held back as malware: verdict, sha256;
					   or by a rule: also reason */
};

/* What became of a file of one of the items. No entry: it is not fetched. */
struct render_media {
	const struct item_media *media;	/* which; of an item of the input */
	enum render_media_state state;
	const char *path;
	int64_t size;
	uint8_t sha256[HASH_SIZE];
	const char *type;	/* by its bytes; NULL when not known */
	bool hash_differs;	/* not the SHA-256 the network declared */
	bool type_differs;	/* declared as something else */
	int64_t length_ms;	/* of a recording; 0: not known */
	const char *verdict;	/* "clean", "infected: Eicar", "unscanned: …" */
	const char *reason;	/* why it is missing or late; one line */
};

/* What an item changes, answers or reports on. */
struct render_original {
	bool held;		/* false: no longer, or never, in the store, or of
				   another conversation */
	enum item_type type;
	enum item_direction direction;
	const char *author;	/* name to show, or NULL */
	const char *text;	/* as it stood before this item; or NULL */
	const char *file;	/* its file's name, or NULL */
	int64_t at_ms;
};

/* What the bank's rules found of the turn; header, text and HTML show it. */
struct render_policy {
	const char *word;		/* policy_verdict_word() */
	const GPtrArray *rules;		/* char *: names that fired */
	const GPtrArray *unsure;	/* char *: those not known for sure */
	const GPtrArray *not_here;	/* char *: those with an action that only
					   the gateway could have taken */
	const GPtrArray *tags;		/* char * */
	const GPtrArray *why;		/* char *: "RULE: lexicon …", see policy.h */
	bool flag;
	const char *retain;		/* or NULL */
	const char *set;		/* SHA-256 of the rule set, hex */
	/* Of a turn that was held: "released", "rejected", "expired"; or NULL */
	const char *hold_end, *hold_rule;
	int64_t held_ms, hold_end_ms;
	const GPtrArray *reviews;	/* struct item_fact: "release", "ana,
					   2026-11-22T10:00:00Z: reason" */
};

struct render_input {
	const GPtrArray *items;		/* struct item *, in order, at least one */
	/* struct render_original * for each item, NULL where it has none; the
	   array may be NULL */
	const GPtrArray *originals;
	const GPtrArray *media;		/* struct render_media *; may be NULL */
	/*
	 * Not the items themselves, which were journaled before, but the files
	 * in `media` that came, or failed, after it. Another kind of mail with
	 * a Message-ID of its own; parent_message_id is the first one.
	 */
	bool is_follow_up;
	int64_t now_ms;			/* decides the age flag, nothing else */
	const GPtrArray *events;	/* struct render_event *, by seq */
	const char *conversation;	/* the turn's key */
	const char *parent_message_id;	/* bare id; NULL when not known */
	const struct directory_business *business;	/* each NULL if unmapped */
	const struct directory_staff *staff;
	const struct directory_customer *customer;
	const char *counterpart_number;	/* known now, also when the item lacks it */
	const char *counterpart_user_id;
	/* The best name that is known, if the customer file has none, and where
	   it is from: "contact list", "profile"; NULL: what the items say. */
	const char *counterpart_name, *counterpart_name_source;
	const char *employee;		/* id that is not in any directory; or NULL */
	const struct render_policy *policy;	/* NULL: there are no rules */
	/*
	 * A record in place of the content: who, when, which kinds, how many,
	 * SHA-256 of each item and its files, and why (exclude_rule); no text,
	 * name of a file, event or file is in any part. The Message-ID is that
	 * of the turn.
	 */
	bool is_excluded;
	const char *exclude_rule;
};

/* A finished message: in memory, or, when large, in a file of the spool. */
struct rendered {
	char *message_id;	/* without < > */
	char *subject;		/* one clean line; a report repeats it */
	GBytes *bytes;		/* NULL when it is in a file */
	char *path;		/* NULL when it is in memory; the caller moves it
				   away, or rendered_clear() removes it */
	size_t len;
	uint8_t sha256[HASH_SIZE];
};
void rendered_clear(struct rendered *r);
void rendered_free(struct rendered *r);		/* for GPtrArray */

/*
 * Loads and checks the templates. ERR_CONF with file:line:column if one is
 * missing or wrong. conf is copied.
 */
bool render_new(const struct render_conf *conf, struct render **out,
    struct err *err);
void render_free(struct render *r);

/*
 * Loads the style's language if no other style has. ERR_CONF
 * "render.language", "template.…", "render.header" (a header that may not be
 * added or renamed), "render.size" (a limit below 64 KiB, or negative). Styles
 * live as long as r; equal wishes give the same one. Not while another thread
 * uses r.
 */
bool render_style_get(struct render *r, const struct render_style_conf *conf,
    const struct render_style **out, struct err *err);

/*
 * The mails of a turn in this style: one; or, when it would pass the style's
 * limits, also with a report around it, a manifest (with the turn's
 * Message-ID, naming every file, its SHA-256 and its parts) and numbered parts
 * with the files. A file that is larger than a part is cut, nothing is left
 * out. Array of struct rendered *, owned by the caller, manifest first.
 * ERR_PERM "render.…", also when a file of `media` is gone or no longer the
 * one that was taken; ERR_TEMP "io.…" when the spool cannot be written or a
 * file not be read.
 */
bool render_mails(struct render *r, const struct render_style *style,
    const struct render_input *in, GPtrArray **out, struct err *err);

struct render_envelope {
	const char *from;	/* header From of the report */
	const char *to;		/* the journaling mailbox */
	int64_t journaled_ms;	/* Date of the report: time of closing the turn */
};

/*
 * The Exchange envelope journal report around inner, which is embedded byte
 * for byte as message/rfc822 ([MS-XJRNL] 2.1; the nine rules are in the .c);
 * in a file of the spool if inner is in a file. Its Message-ID is derived from
 * the inner one and the journal mailbox. in NULL: around a mail of last resort.
 */
bool render_journal_report(struct render *r, const struct render_input *in,
    const struct rendered *inner, const struct render_envelope *env,
    struct rendered *out, struct err *err);

/*
 * A short mail for a supervisor: rule, tags, direction, when, business, who (as
 * far as the mail of the turn says it) and that mail's Message-ID; no text of
 * the conversation. swallowed: alerts of this rule since the last one.
 */
bool render_alert(struct render *r, const struct render_style *style,
    const struct render_input *in, const char *rule, int64_t swallowed,
    struct rendered *out, struct err *err);

/*
 * What an event becomes that nobody can look into without dying of it: its
 * bytes, attached. why: a clean line. Message-ID "e.<32 hex>@domain", of the
 * bytes.
 */
bool render_last_resort(struct render *r, const struct render_style *style,
    const struct render_event *ev, const char *why, struct rendered *out,
    struct err *err);

/*
 * The events attached to a mail of ours, as they were received (GBytes *, also
 * within a journal report); empty when there are none. Owned by the caller.
 */
GPtrArray *render_events_of(const void *mail, size_t len);

/* "t.<32 hex>@domain" of the turn whose first item has this key. */
char *render_message_id(const char *tenant, const char *domain,
    const char *network, const char *first_key, const char *kind);

/* The declared template names, for check-config and the man page test. */
struct template_var;
const struct template_var *render_template_vars(void);
