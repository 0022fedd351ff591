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
struct ldap_source;

struct directory_staff {
	char *id;		/* employee id */
	char *name;		/* legal name */
	char *mail;
	GPtrArray *numbers;	/* char *, digits: numbers this person uses */
	GPtrArray *groups;	/* char *; NULL or empty: none are known */
	bool is_remote;		/* of LDAP, not of the file */
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
	char *account;		/* WABA id, or NULL: templates are looked up in */
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
	GPtrArray *lists;	/* char *: names of lists for rules; or NULL */
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
/* Who uses this telephone number; NULL: nobody that is listed. */
const struct directory_staff *directory_staff_by_number(
    const struct directory *d, const char *number);
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

/* ---- LDAP (directory_ldap.c, the only user of libldap) ----------------------- */

/*
 * One connection to a directory server, used by one thread. TLS is demanded
 * (ldaps, or StartTLS before the bind), the server's certificate and name are
 * checked. Every step (connecting, TLS, login, search) is bounded by
 * timeout_ms; only the resolver of host names is not. SIGPIPE is ignored by
 * the caller: libldap writes to connections that are gone.
 */
/*
 * How the groups are found that a person is in by other groups: not at all;
 * by the matching rule of Active Directory, which follows the chain itself; by
 * attr_group of the groups; by the groups that have a person or group as
 * member or uniqueMember.
 */
enum ldap_nested { LDAP_NESTED_OFF, LDAP_NESTED_IN_CHAIN,
	LDAP_NESTED_MEMBER_OF, LDAP_NESTED_MEMBER };
#define LDAP_GROUPS_MAX 500	/* of a person, where groups are nested */
#define LDAP_DEPTH_MAX 16	/* of groups in groups */

struct ldap_conf {
	const char *url;		/* "ldaps://ad.bank.example" or "ldap://…" with
					   StartTLS; several, blank between: the
					   next if one is down */
	const char *base, *bind_dn;	/* bind_dn NULL: anonymous */
	const GBytes *password;		/* copied */
	const char *tls_ca_file;	/* NULL: the system's */
	const char *number_filter;	/* "(|(telephoneNumber=%s)(mobile=%s))" */
	const char *number_form;	/* "+%s": how numbers are written there */
	const char *id_filter;		/* "(employeeID=%s)" */
	const char *attr_id, *attr_name, *attr_mail, *attr_group;
	enum ldap_nested nested;
	const char *group_base;		/* where groups are; NULL: base */
	int64_t timeout_ms;
};
bool ldap_source_new(const struct ldap_conf *conf, struct ldap_source **out,
    struct err *err);
void ldap_source_free(struct ldap_source *l);
/* Hangs up; the next search connects again. For when nothing is asked. */
void ldap_source_rest(struct ldap_source *l);
/*
 * By another thread: what is under way fails soon, and all that follows. What
 * it does not reach are the resolver and the making of a connection.
 */
void ldap_source_cut(struct ldap_source *l);
enum ldap_by { LDAP_BY_NUMBER, LDAP_BY_ID };
/*
 * *out: owned, is_remote; NULL when there is nobody (which is no error), and
 * for a value that is empty or longer than 256 bytes.
 * Groups are the first RDN's value of each attr_group, and those that these
 * are in. ERR_TEMP "ldap.down", "ldap.timeout"; ERR_CONF "ldap.auth",
 * "ldap.tls", "ldap.filter"; ERR_PERM "ldap.several": more than one entry fits;
 * "ldap.groups": more groups than LDAP_GROUPS_MAX, or nested deeper.
 */
bool ldap_source_find(struct ldap_source *l, enum ldap_by by,
    const char *value, struct directory_staff **out, struct err *err);
