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
};

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

struct render_input {
	const GPtrArray *items;		/* struct item *, in order, at least one */
	const GPtrArray *events;	/* struct render_event *, by seq */
	const char *conversation;	/* the turn's key */
	const char *parent_message_id;	/* bare id; NULL when not known */
	const struct directory_business *business;	/* each NULL if unmapped */
	const struct directory_staff *staff;
	const struct directory_customer *customer;
	const char *counterpart_number;	/* known now, also when the item lacks it */
	const char *counterpart_user_id;
};

/* A finished message. */
struct rendered {
	char *message_id;	/* without < > */
	GBytes *bytes;
	uint8_t sha256[HASH_SIZE];
};
void rendered_clear(struct rendered *r);

/*
 * Loads and checks the templates. ERR_CONF with file:line:column if one is
 * missing or wrong. conf is copied.
 */
bool render_new(const struct render_conf *conf, struct render **out,
    struct err *err);
void render_free(struct render *r);

/* The inner message, the same for every journal. ERR_PERM "render.…". */
bool render_turn(struct render *r, const struct render_input *in,
    struct rendered *out, struct err *err);

struct render_envelope {
	const char *from;	/* header From of the report */
	const char *to;		/* the journaling mailbox */
	int64_t journaled_ms;	/* Date of the report: time of closing the turn */
};

/*
 * The Exchange envelope journal report around inner, which is embedded byte
 * for byte as message/rfc822 ([MS-XJRNL] 2.1; the nine rules are in the .c).
 * Its Message-ID is derived from the inner one and the journal mailbox.
 */
bool render_journal_report(struct render *r, const struct render_input *in,
    const struct rendered *inner, const struct render_envelope *env,
    struct rendered *out, struct err *err);

/* "t.<32 hex>@domain" of the turn whose first item has this key. */
char *render_message_id(const char *tenant, const char *domain,
    const char *network, const char *first_key, const char *kind);

/* The declared template names, for check-config and the man page test. */
struct template_var;
const struct template_var *render_template_vars(void);
