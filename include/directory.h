/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is who: business numbers, staff and known customers, from files.
 *
 * Read once per (re)load from the configuration snapshot; lookups are pure
 * and never fail: what is not listed is NULL, and the caller goes on with
 * what the event says (an unmapped number goes to the catch-all journal).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct directory;
struct err;

struct directory_staff {
	char *id;		/* employee id */
	char *name;		/* legal name */
	char *mail;
	GPtrArray *numbers;	/* char *, digits: numbers this person uses */
};

/* Who used a business number, and when: [from, until). */
struct directory_term {
	const struct directory_staff *staff;
	int64_t from_ms;	/* INT64_MIN: always */
	int64_t until_ms;	/* INT64_MAX: still */
};

struct directory_business {
	char *id;		/* phone_number_id */
	char *number;		/* digits; NULL if not given */
	char *name;		/* "Private Banking" */
	char *desk;		/* short name: List-Id, tags */
	char *mail;		/* the desk's mail address, or NULL */
	const struct directory_staff *staff;	/* who alone uses it, or NULL */
	GPtrArray *journals;	/* char *, names of journals; at least one */
	char *zone;		/* IANA time zone of the desk, or NULL */
	GPtrArray *terms;	/* struct directory_term *, by time, without
				   overlap; NULL or empty: staff holds always */
};

/* Who used the number at that time, or NULL: terms first, then staff. */
const struct directory_staff *directory_business_staff(
    const struct directory_business *b, int64_t at_ms);

struct directory_customer {
	char *id;		/* the bank's own key, or NULL */
	char *name;
	GPtrArray *numbers;	/* char *, digits */
	GPtrArray *user_ids;	/* char *, BSUIDs */
};

/* An empty directory: every lookup answers NULL. */
struct directory *directory_new(void);
void directory_free(struct directory *d);

/* By phone_number_id, then by number; either may be NULL. */
const struct directory_business *directory_business_get(
    const struct directory *d, const char *phone_number_id,
    const char *number);
const struct directory_staff *directory_staff_get(const struct directory *d,
    const char *id);
/* By user id first, then by number; either may be NULL. */
const struct directory_customer *directory_customer_get(
    const struct directory *d, const char *user_id, const char *number);

/*
 * The adders are called by the reader of the directory file (conf module).
 * They take the struct over. False with ERR_CONF "directory.duplicate" when
 * an id or number is there already (the struct is then freed).
 */
bool directory_staff_add(struct directory *d, struct directory_staff *s,
    struct err *err);
bool directory_business_add(struct directory *d, struct directory_business *b,
    struct err *err);
bool directory_customer_add(struct directory *d, struct directory_customer *c,
    struct err *err);

struct directory_staff *directory_staff_new(void);
void directory_staff_free(struct directory_staff *s);
struct directory_business *directory_business_new(void);
void directory_business_free(struct directory_business *b);
struct directory_customer *directory_customer_new(void);
void directory_customer_free(struct directory_customer *c);
