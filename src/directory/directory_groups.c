/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups that a person is in because a group is in them. Either the server
 * follows the chain, or we do, level by level: no group twice, so that a loop
 * of groups ends, and bounded in number, depth and time. What is beyond is an
 * error: half of the groups would be worse than to know that none are known.
 */
#include "directory_int.h"

#include <string.h>

#include "clock.h"
#include "err.h"

#define STEPS_MAX 8		/* of timeout_ms, for all levels together */

struct walk {
	struct ldap_source *source;
	GPtrArray *names;	/* char *: what comes of it */
	GHashTable *seen;	/* char *: DNs, made comparable */
	int64_t until_ms;	/* monotonic */
};

char *
ldap_group_name(const char *dn)
{
	LDAPDN parts = NULL;
	char *name = NULL;

	if (ldap_str2dn(dn, &parts, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS &&
	    parts != NULL && parts[0] != NULL && parts[0][0] != NULL)
		name = g_strndup(parts[0][0]->la_value.bv_val,
		    parts[0][0]->la_value.bv_len);
	if (parts != NULL)
		ldap_dnfree(parts);
	return name != NULL ? name : g_strdup(dn);
}

/* RFC 4514 lets a DN be written in several ways; case does not count. */
static char *
comparable(const char *dn)
{
	g_autofree char *valid = NULL;
	LDAPDN parts = NULL;
	char *plain = NULL, *folded;

	if (ldap_str2dn(dn, &parts, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS &&
	    parts != NULL)
		ldap_dn2str(parts, &plain, LDAP_DN_FORMAT_LDAPV3);
	valid = g_utf8_make_valid(plain != NULL ? plain : dn, -1);
	folded = g_utf8_casefold(valid, -1);
	ldap_memfree(plain);
	if (parts != NULL)
		ldap_dnfree(parts);
	return folded;
}

static void
add_name(GPtrArray *names, const char *dn)
{
	char *name = ldap_group_name(dn);

	if (!g_utf8_validate(name, -1, NULL) ||
	    g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
		g_free(name);
	else
		g_ptr_array_add(names, name);
}

static bool
tell_many(struct err *err)
{
	return err_set(err, ERR_PERM, "ldap.groups", "in more than %d groups, "
	    "or in groups nested deeper than %d", LDAP_GROUPS_MAX,
	    LDAP_DEPTH_MAX);
}

/* dn is a group: to be followed, unless it was seen before. */
static void
take(struct walk *w, const char *dn, GPtrArray *level)
{
	if (!g_hash_table_add(w->seen, comparable(dn)))
		return;
	add_name(w->names, dn);
	g_ptr_array_add(level, g_strdup(dn));
}

char *
ldap_groups_filter(enum ldap_nested nested, const char *dn)
{
	return ldap_filter_fill(nested == LDAP_NESTED_IN_CHAIN ?
	    "(member:1.2.840.113556.1.4.1941:=%s)" :
	    "(|(member=%s)(uniqueMember=%s))", dn);
}

static void
take_values(struct walk *w, LDAPMessage *entry, GPtrArray *level)
{
	struct berval **values = ldap_get_values_len(w->source->ld, entry,
	    w->source->attr_group);

	for (int i = 0; values != NULL && values[i] != NULL; i++) {
		g_autofree char *dn = g_strndup(values[i]->bv_val,
		    values[i]->bv_len);

		take(w, dn, level);
	}
	ldap_value_free_len(values);
}

static void
take_entry(struct walk *w, LDAPMessage *entry, GPtrArray *level)
{
	char *dn = ldap_get_dn(w->source->ld, entry);

	if (dn != NULL)
		take(w, dn, level);
	ldap_memfree(dn);
}

/* The groups that dn is in, as the configuration says where to look. */
static bool
look(struct walk *w, const char *dn, GPtrArray *level, struct err *err)
{
	struct ldap_source *l = w->source;
	bool reads = l->nested == LDAP_NESTED_MEMBER_OF, is_cut;
	char none[] = LDAP_NO_ATTRS;
	char *attrs[] = { reads ? l->attr_group : none, NULL };
	g_autofree char *filter = reads ? g_strdup("(objectClass=*)") :
	    ldap_groups_filter(l->nested, dn);
	const struct ldap_question q = { .base = reads ? dn : l->group_base,
		.scope = reads ? LDAP_SCOPE_BASE : LDAP_SCOPE_SUBTREE,
		.filter = filter, .attrs = attrs,
		.limit = LDAP_GROUPS_MAX + 1, .may_lack = reads };
	LDAPMessage *result;

	if (clock_mono_ms() > w->until_ms)
		return err_set(err, ERR_TEMP, "ldap.timeout", "the groups of "
		    "groups: no answer in time");
	if (!ldap_source_ask(l, &q, &result, &is_cut, err))
		return false;
	for (LDAPMessage *e = result != NULL ? ldap_first_entry(l->ld,
	    result) : NULL; e != NULL; e = ldap_next_entry(l->ld, e)) {
		if (reads)
			take_values(w, e, level);
		else
			take_entry(w, e, level);
	}
	ldap_msgfree(result);
	if (is_cut || g_hash_table_size(w->seen) > LDAP_GROUPS_MAX)
		return tell_many(err);
	return true;
}

static bool
look_all(struct walk *w, const GPtrArray *level, GPtrArray *next,
    struct err *err)
{
	for (guint i = 0; i < level->len; i++)
		if (!look(w, level->pdata[i], next, err))
			return false;
	return true;
}

static bool
climb(struct walk *w, GPtrArray **level, struct err *err)
{
	for (int depth = 0; (*level)->len > 0; depth++) {
		GPtrArray *next = g_ptr_array_new_with_free_func(g_free);
		bool ok = depth < LDAP_DEPTH_MAX ?
		    look_all(w, *level, next, err) : tell_many(err);

		g_ptr_array_unref(*level);
		*level = next;
		if (!ok)
			return false;
	}
	return true;
}

bool
ldap_groups_add(struct ldap_source *l, const char *dn,
    const GPtrArray *direct, GPtrArray *groups, struct err *err)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) level = g_ptr_array_new_with_free_func(g_free);
	struct walk w = { l, groups, seen,
		clock_mono_ms() + STEPS_MAX * l->timeout_ms };

	if (l->nested == LDAP_NESTED_IN_CHAIN)
		return look(&w, dn, level, err);
	for (guint i = 0; i < direct->len; i++)
		take(&w, direct->pdata[i], level);
	if (l->nested == LDAP_NESTED_MEMBER)
		g_ptr_array_add(level, g_strdup(dn));
	return climb(&w, &level, err);
}
