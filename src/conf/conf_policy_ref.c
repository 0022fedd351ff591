/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules name and the directory file should have: desks, business
 * numbers, employees, groups, customers and their lists. A rule set may serve
 * several hosts, so that what is missing is no mistake, but a warning; and
 * only where nobody else could know it. Rules are read before the directory:
 * so they are noted first, and looked up when all of it was read. Costs
 * nothing for what rules do not ask for.
 */
#include "conf_policy_int.h"

#include <string.h>

#include "directory.h"

struct ref {
	char *value;
	struct conf_pos pos;
};

struct conf_refs {
	GPtrArray *asked[POLICY_MATCHES];	/* struct ref * */
	/* Of the directory: as compared -> as written there, borrowed. */
	GHashTable *names[POLICY_MATCHES];
};

static void
free_ref(gpointer p)
{
	struct ref *r = p;

	g_free(r->value);
	g_free(r);
}

void
conf_refs_free(struct conf_refs *r)
{
	for (int m = 0; r != NULL && m < POLICY_MATCHES; m++) {
		if (r->asked[m] == NULL)
			continue;
		g_ptr_array_unref(r->asked[m]);
		g_hash_table_unref(r->names[m]);
	}
	g_free(r);
}

/* Groups are compared without case, as rules do. */
static char *
comparable(enum policy_match m, const char *name)
{
	g_autofree char *wide = NULL;

	if (m != POLICY_GROUP)
		return g_strdup(name);
	wide = g_utf8_normalize(name, -1, G_NORMALIZE_NFKC);
	return g_utf8_casefold(wide != NULL ? wide : name, -1);
}

static bool
is_of_directory(enum policy_match m, const char *value)
{
	if (m == POLICY_CUSTOMER)
		return strcmp(value, "known") != 0 &&
		    strcmp(value, "unknown") != 0;
	return m == POLICY_DESK || m == POLICY_BUSINESS ||
	    m == POLICY_EMPLOYEE || m == POLICY_GROUP ||
	    m == POLICY_CUSTOMER_LIST;
}

void
conf_ref_add(struct conf_load *l, enum policy_match m, const char *value,
    struct conf_pos pos)
{
	struct ref *r;

	if (!is_of_directory(m, value))
		return;
	if (l->refs == NULL)
		l->refs = g_new0(struct conf_refs, 1);
	if (l->refs->asked[m] == NULL) {
		l->refs->asked[m] = g_ptr_array_new_with_free_func(free_ref);
		l->refs->names[m] = g_hash_table_new_full(g_str_hash,
		    g_str_equal, g_free, NULL);
	}
	r = g_new(struct ref, 1);
	*r = (struct ref){ g_strdup(value), pos };
	g_ptr_array_add(l->refs->asked[m], r);
}

void
conf_ref_name(struct conf_load *l, enum policy_match m, const char *name)
{
	if (name != NULL && l->refs != NULL && l->refs->names[m] != NULL)
		g_hash_table_insert(l->refs->names[m], comparable(m, name),
		    (char *)(uintptr_t)name);
}

void
conf_ref_names(struct conf_load *l, enum policy_match m,
    const GPtrArray *names)
{
	for (guint i = 0; names != NULL && i < names->len; i++)
		conf_ref_name(l, m, names->pdata[i]);
}

/*
 * A server may know the staff; a caller of the gateway may name anybody. What
 * happens on a number that is in no file is judged, too.
 */
static bool
is_complete(const struct conf *c, enum policy_match m)
{
	if (m == POLICY_EMPLOYEE)
		return c->ldap.url == NULL && c->gateway.listen.address == NULL;
	return m != POLICY_GROUP || c->ldap.url == NULL;
}

static void
warn(struct conf_load *l, enum policy_match m, const struct ref *r)
{
	g_autofree char *shown = conf_shown(r->value), *hint = NULL;
	struct conf_near near;
	GHashTableIter it;
	gpointer name;

	conf_near_begin(&near, r->value);
	g_hash_table_iter_init(&it, l->refs->names[m]);
	while (l->issues->list->len < CONF_ISSUES_MAX &&
	    g_hash_table_iter_next(&it, NULL, &name))
		conf_near_try(&near, name);
	hint = conf_near_text(&near);
	conf_warning(l->issues, r->pos, "there is no %s %s in the directory"
	    "%s%s", policy_match_name(m), shown,
	    m == POLICY_BUSINESS ? "" : ", so this never matches", hint);
}

static void
check_all(struct conf_load *l, enum policy_match m)
{
	const GPtrArray *asked = l->refs->asked[m];

	for (guint i = 0; asked != NULL && i < asked->len; i++) {
		const struct ref *r = asked->pdata[i];
		g_autofree char *name = comparable(m, r->value);

		if (!g_hash_table_contains(l->refs->names[m], name))
			warn(l, m, r);
	}
}

void
conf_ref_check(struct conf_load *l)
{
	for (int m = 0; l->refs != NULL && m < POLICY_MATCHES; m++)
		if (is_complete(l->c, (enum policy_match)m))
			check_all(l, (enum policy_match)m);
}
