/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the directory module share: a server that is asked, groups
 * of groups, and the wire below libldap.
 *
 * libldap bounds connecting and waiting for a result, but not every read and
 * write: of a server that falls silent in the middle of a TLS handshake, or of
 * an answer, it waits for ever, some versions of it busily. So all that goes
 * over the network goes through a layer of our own, which has a deadline.
 */
#pragma once

#include <glib.h>
#include <ldap.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "directory.h"

struct err;

struct ldap_wire {
	ldap_conncb calls;	/* libldap holds on to it */
	int64_t timeout_ms;
	int64_t deadline_ms;	/* monotonic, of the step under way */
	bool is_late;		/* it ended a step */
	atomic_bool is_cut;	/* by another thread: nothing works any more */
};

void ldap_wire_init(struct ldap_wire *w, int64_t timeout_ms);
/* Connections of ld go through the wire from now on; a result of libldap. */
int ldap_wire_lay(struct ldap_wire *w, LDAP *ld);
/* A step begins; is_late is of this step. */
void ldap_wire_begin(struct ldap_wire *w);

/* ---- directory_ldap.c -------------------------------------------------------- */

struct ldap_source {
	char **urls, *base, *bind_dn, *tls_ca_file;
	guint which;		/* of urls: answered last */
	GBytes *password;
	char *number_filter, *number_form, *id_filter;
	char *attr_id, *attr_name, *attr_mail, *attr_group;
	enum ldap_nested nested;
	char *group_base;
	int64_t timeout_ms;
	struct ldap_wire wire;
	LDAP *ld;		/* NULL: not connected */
};

struct ldap_question {
	const char *base, *filter;
	int scope;
	char **attrs;
	int limit;		/* of entries; more are too many */
	bool may_lack;		/* that there is no such base is no error */
};

/* On true *out is there, to be freed; *is_cut: there are more entries. */
bool ldap_source_ask(struct ldap_source *l, const struct ldap_question *q,
    LDAPMessage **out, bool *is_cut, struct err *err);
/* Every %s of the form is replaced by the value, escaped (RFC 4515 section 3). */
char *ldap_filter_fill(const char *form, const char *value);

/* ---- directory_groups.c ------------------------------------------------------- */

/* "CN=Traders,OU=Groups,DC=bank" is "Traders"; what is no DN is itself. */
char *ldap_group_name(const char *dn);
/*
 * Adds the names of the groups that dn is in by other groups. direct: char *,
 * what attr_group says of it; groups has the names of these already.
 */
bool ldap_groups_add(struct ldap_source *l, const char *dn,
    const GPtrArray *direct, GPtrArray *groups, struct err *err);
/* The filter that finds groups of dn, for what asks with one; g_free() it. */
char *ldap_groups_filter(enum ldap_nested nested, const char *dn);
