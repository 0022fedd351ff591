/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small reader of mails for the tests, written apart from what writes them:
 * header fields unfolded and decoded, MIME parts with their content.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct mail_part {
	GPtrArray *names, *values;	/* char *, in order; RFC 2047 decoded */
	char *type;		/* "text/plain", lower case */
	GBytes *content;	/* decoded; of message/rfc822 the mail itself */
	GPtrArray *parts;	/* struct mail_part *; of multipart, else empty */
};

/* Never fails: what is no MIME is one part. */
struct mail_part *mail_read(const char *bytes, size_t len);
void mail_part_free(gpointer part);

/* The n-th field of this name, from 0; NULL when there are not so many. */
const char *mail_field(const struct mail_part *m, const char *name, guint n);

/* The parameter of a field's value ("id=…; at=…"), owned by the caller. */
char *mail_param(const char *value, const char *name);

/* The n-th part of this type, in depth, not looking into embedded mails. */
const struct mail_part *mail_find(const struct mail_part *m,
    const char *type, guint n);

/* The text of the first part of this type; lines end in LF. Never NULL. */
char *mail_text(const struct mail_part *m, const char *type);
