/* SPDX-License-Identifier: Apache-2.0 */
/* A turn of one message, with files, for the tests of render's mails. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "hash.h"
#include "item.h"
#include "render.h"

#define BED_AT_MS INT64_C(1770127509000)
#define BED_BODY "{\"object\":\"whatsapp_business_account\"}"

struct bed {
	struct item *item;
	GPtrArray *items, *events, *media;
	struct render_event event;
	struct render_input in;
	char *dir;		/* of its files; NULL before the first */
};
void bed_begin(struct bed *b);
void bed_end(struct bed *b);

/* templates NULL: the shipped ones. spool NULL: none. */
struct render *bed_renderer(const char *templates, const char *spool);

/* How often it has shown that it lives. */
extern int bed_beats;

/* A held file with these bytes of an item; all can be changed after. */
struct render_media *bed_file(struct bed *b, struct item *it,
    const char *type, const void *data, size_t len);
/* The same without bytes. */
struct render_media *bed_no_file(struct bed *b, struct item *it,
    enum render_media_state state);

/* The only mail of the turn; style NULL: that of no wishes. */
char *bed_mail(const struct bed *b, struct render *r,
    const struct render_style *style);
/* All of them: struct rendered *. Fails the test if there are none. */
GPtrArray *bed_mails(const struct bed *b, struct render *r,
    const struct render_style *style);
/* The bytes of a mail, followed by a NUL, wherever they are. */
GBytes *bed_bytes(const struct rendered *mail);

/* The first field of this name, unfolded; fails the test if there is none. */
char *bed_field(const char *mail, const char *name);

/* A part that has a file name. */
struct bed_part {
	char *head;		/* unfolded */
	char *name, *type;
	GBytes *data;		/* decoded */
};
/* In their order: array of struct bed_part *. */
GPtrArray *bed_parts(const char *mail, size_t len);
