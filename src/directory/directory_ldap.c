/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who of the staff somebody is, by a directory server. The only user of
 * libldap. Over TLS or not at all; every value that goes into a filter is
 * escaped (RFC 4515 section 3); every search is bounded in time and size.
 * Keeps one connection, and makes another when it is lost.
 */
#include "directory.h"

#define LDAP_DEPRECATED 0
#include <ldap.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>

#include "err.h"

#define ENTRIES_MAX 2		/* two are too many */
#define VALUE_MAX 512

struct ldap_source {
	char *url, *base, *bind_dn, *tls_ca_file;
	GBytes *password;
	char *number_filter, *number_form, *id_filter;
	char *attr_id, *attr_name, *attr_mail, *attr_group;
	int64_t timeout_ms;
	LDAP *ld;		/* NULL: not connected */
};

bool
ldap_source_new(const struct ldap_conf *conf, struct ldap_source **out,
    struct err *err)
{
	struct ldap_source *l;

	if (strstr(conf->number_filter, "%s") == NULL ||
	    strstr(conf->id_filter, "%s") == NULL)
		return err_set(err, ERR_CONF, "ldap.filter", "a filter "
		    "without %%s finds the same entry for everybody");
	l = g_new0(struct ldap_source, 1);
	l->url = g_strdup(conf->url);
	l->base = g_strdup(conf->base);
	l->bind_dn = g_strdup(conf->bind_dn);
	l->tls_ca_file = g_strdup(conf->tls_ca_file);
	if (conf->password != NULL) {
		gsize len;
		const void *p = g_bytes_get_data(
		    (GBytes *)(uintptr_t)conf->password, &len);

		l->password = g_bytes_new(p, len);
	}
	l->number_filter = g_strdup(conf->number_filter);
	l->number_form = g_strdup(conf->number_form);
	l->id_filter = g_strdup(conf->id_filter);
	l->attr_id = g_strdup(conf->attr_id);
	l->attr_name = g_strdup(conf->attr_name);
	l->attr_mail = g_strdup(conf->attr_mail);
	l->attr_group = g_strdup(conf->attr_group);
	l->timeout_ms = conf->timeout_ms;
	*out = l;
	return true;
}

static void
hang_up(struct ldap_source *l)
{
	if (l->ld != NULL)
		ldap_unbind_ext_s(l->ld, NULL, NULL);
	l->ld = NULL;
}

void
ldap_source_free(struct ldap_source *l)
{
	if (l == NULL)
		return;
	hang_up(l);
	g_free(l->url);
	g_free(l->base);
	g_free(l->bind_dn);
	g_free(l->tls_ca_file);
	if (l->password != NULL) {
		gsize len;
		void *p = g_bytes_unref_to_data(l->password, &len);

		explicit_bzero(p, len);
		g_free(p);
	}
	g_free(l->number_filter);
	g_free(l->number_form);
	g_free(l->id_filter);
	g_free(l->attr_id);
	g_free(l->attr_name);
	g_free(l->attr_mail);
	g_free(l->attr_group);
	g_free(l);
}

/* ---- connecting --------------------------------------------------------- */

static bool
fail(struct ldap_source *l, int rc, const char *doing, struct err *err)
{
	char *more = NULL;

	if (l->ld != NULL)
		ldap_get_option(l->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
	if (rc == LDAP_INVALID_CREDENTIALS ||
	    rc == LDAP_INAPPROPRIATE_AUTH || rc == LDAP_INSUFFICIENT_ACCESS)
		err_set(err, ERR_CONF, "ldap.auth", "%s: %s (see bind_dn and "
		    "password_file in ldap)", doing, ldap_err2string(rc));
	else if (rc == LDAP_FILTER_ERROR || rc == LDAP_INVALID_DN_SYNTAX ||
	    rc == LDAP_NO_SUCH_OBJECT)
		err_set(err, ERR_CONF, "ldap.filter", "%s: %s (see base and "
		    "the filters in ldap)", doing, ldap_err2string(rc));
	else if (rc == LDAP_TIMEOUT || rc == LDAP_TIMELIMIT_EXCEEDED)
		err_set(err, ERR_TEMP, "ldap.timeout", "%s: no answer in "
		    "time", doing);
	else if (rc == LDAP_CONNECT_ERROR)
		err_set(err, ERR_CONF, "ldap.tls", "%s: %s (see tls_ca in "
		    "ldap: the server's certificate and name are checked)",
		    doing, more != NULL && *more != '\0' ? more :
		    ldap_err2string(rc));
	else
		err_set(err, ERR_TEMP, "ldap.down", "%s: %s%s%s", doing,
		    ldap_err2string(rc), more != NULL && *more != '\0' ?
		    ", " : "", more != NULL ? more : "");
	ldap_memfree(more);
	hang_up(l);
	return false;
}

static struct timeval
timeout_of(const struct ldap_source *l)
{
	return (struct timeval){ .tv_sec = l->timeout_ms / 1000,
		.tv_usec = l->timeout_ms % 1000 * 1000 };
}

static int
set_options(struct ldap_source *l)
{
	struct timeval tv = timeout_of(l);
	int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND, new = 0;
	int minimum = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
	const struct {
		int option;
		const void *value;
	} options[] = {
		{ LDAP_OPT_PROTOCOL_VERSION, &version },
		{ LDAP_OPT_NETWORK_TIMEOUT, &tv },
		{ LDAP_OPT_TIMEOUT, &tv },
		{ LDAP_OPT_REFERRALS, LDAP_OPT_OFF },
		{ LDAP_OPT_X_TLS_REQUIRE_CERT, &demand },
		{ LDAP_OPT_X_TLS_PROTOCOL_MIN, &minimum },
		{ LDAP_OPT_X_TLS_CACERTFILE, l->tls_ca_file },
		{ LDAP_OPT_X_TLS_NEWCTX, &new },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
		int rc = options[i].value == NULL ? LDAP_SUCCESS :
		    ldap_set_option(l->ld, options[i].option,
		    options[i].value);

		if (rc != LDAP_SUCCESS)
			return rc;
	}
	return LDAP_SUCCESS;
}

static int
log_in(struct ldap_source *l)
{
	struct berval secret = { 0 };
	gsize len = 0;

	if (l->bind_dn == NULL)
		return ldap_sasl_bind_s(l->ld, "", LDAP_SASL_SIMPLE, &secret,
		    NULL, NULL, NULL);
	if (l->password != NULL)
		secret.bv_val = (char *)(uintptr_t)g_bytes_get_data(
		    l->password, &len);
	secret.bv_len = len;
	return ldap_sasl_bind_s(l->ld, l->bind_dn, LDAP_SASL_SIMPLE, &secret,
	    NULL, NULL, NULL);
}

/* An empty password would be taken for "nobody", and let in (RFC 4513 5.1.2). */
static bool
has_secret(const struct ldap_source *l)
{
	return l->bind_dn == NULL || (l->password != NULL &&
	    g_bytes_get_size(l->password) > 0);
}

static bool
connect_to(struct ldap_source *l, const char *url, struct err *err)
{
	bool implicit = g_str_has_prefix(url, "ldaps://");
	int rc = ldap_initialize(&l->ld, url);

	if (rc == LDAP_SUCCESS)
		rc = set_options(l);
	if (rc != LDAP_SUCCESS)
		return fail(l, rc, url, err);
	if (!implicit)
		rc = ldap_start_tls_s(l->ld, NULL, NULL);
	if (rc != LDAP_SUCCESS)
		return fail(l, rc, url, err);
	rc = log_in(l);
	return rc == LDAP_SUCCESS || fail(l, rc, url, err);
}

/* The next server where one is down; what is configured wrongly is said. */
static bool
connect_any(struct ldap_source *l, struct err *err)
{
	g_auto(GStrv) urls = g_strsplit(l->url, " ", -1);
	struct err why = ERR_INIT;

	if (l->ld != NULL)
		return true;
	if (!has_secret(l))
		return err_set(err, ERR_CONF, "ldap.auth", "bind_dn without "
		    "a password");
	for (char **u = urls; *u != NULL; u++) {
		if (**u == '\0')
			continue;
		if (connect_to(l, *u, &why))
			return true;
	}
	if (err != NULL)
		*err = why;
	return false;
}

/* ---- searching ------------------------------------------------------------ */

static void
append_escaped(GString *out, const char *value)
{
	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;

		if (c == '*' || c == '(' || c == ')' || c == '\\' ||
		    c < 0x20 || c >= 0x7f)
			g_string_append_printf(out, "\\%02x", c);
		else
			g_string_append_c(out, (char)c);
	}
}

/* Every %s of the form is replaced. */
static char *
fill(const char *form, const char *value)
{
	GString *out = g_string_new(NULL);

	for (; *form != '\0'; form++) {
		if (form[0] == '%' && form[1] == 's') {
			append_escaped(out, value);
			form++;
		} else {
			g_string_append_c(out, *form);
		}
	}
	return g_string_free(out, FALSE);
}

static char *
filter_of(const struct ldap_source *l, enum ldap_by by, const char *value)
{
	g_autofree char *number = NULL;

	if (by == LDAP_BY_ID)
		return fill(l->id_filter, value);
	number = l->number_form != NULL ? fill(l->number_form, value) :
	    g_strdup(value);
	return fill(l->number_filter, number);
}

static char *
first_value(struct ldap_source *l, LDAPMessage *entry, const char *attr)
{
	struct berval **values = attr != NULL ?
	    ldap_get_values_len(l->ld, entry, attr) : NULL;
	char *text = NULL;

	if (values != NULL && values[0] != NULL &&
	    values[0]->bv_len <= VALUE_MAX && g_utf8_validate(
	    values[0]->bv_val, (gssize)values[0]->bv_len, NULL))
		text = g_strndup(values[0]->bv_val, values[0]->bv_len);
	ldap_value_free_len(values);
	return text;
}

/* "CN=Traders,OU=Groups,DC=bank" is "Traders"; what is no DN is itself. */
static char *
group_name(const struct berval *value)
{
	g_autofree char *text = g_strndup(value->bv_val, value->bv_len);
	LDAPDN dn = NULL;
	char *name = NULL;

	if (ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS &&
	    dn != NULL && dn[0] != NULL && dn[0][0] != NULL)
		name = g_strndup(dn[0][0]->la_value.bv_val,
		    dn[0][0]->la_value.bv_len);
	if (dn != NULL)
		ldap_dnfree(dn);
	return name != NULL ? name : g_steal_pointer(&text);
}

static GPtrArray *
groups_of(struct ldap_source *l, LDAPMessage *entry)
{
	GPtrArray *groups = g_ptr_array_new_with_free_func(g_free);
	struct berval **values = l->attr_group != NULL ?
	    ldap_get_values_len(l->ld, entry, l->attr_group) : NULL;

	for (int i = 0; values != NULL && values[i] != NULL; i++) {
		char *name = group_name(values[i]);

		if (g_utf8_validate(name, -1, NULL))
			g_ptr_array_add(groups, name);
		else
			g_free(name);
	}
	ldap_value_free_len(values);
	return groups;
}

static struct directory_staff *
staff_of(struct ldap_source *l, LDAPMessage *entry)
{
	struct directory_staff *s = directory_staff_new();

	s->id = first_value(l, entry, l->attr_id);
	s->name = first_value(l, entry, l->attr_name);
	s->mail = first_value(l, entry, l->attr_mail);
	if (s->groups != NULL)
		g_ptr_array_unref(s->groups);
	s->groups = groups_of(l, entry);
	s->is_remote = true;
	return s;
}

static int
search(struct ldap_source *l, const char *filter, LDAPMessage **out)
{
	char *attrs[] = { l->attr_id, l->attr_name, l->attr_mail,
		l->attr_group, NULL };
	struct timeval tv = timeout_of(l);
	int rc = ldap_search_ext_s(l->ld, l->base, LDAP_SCOPE_SUBTREE,
	    filter, attrs, 0, NULL, NULL, &tv, ENTRIES_MAX, out);

	return rc == LDAP_SIZELIMIT_EXCEEDED ? LDAP_SUCCESS : rc;
}

/* A kept connection may be gone: once more with a new one. */
static bool
ask(struct ldap_source *l, const char *filter, LDAPMessage **out,
    struct err *err)
{
	bool kept = l->ld != NULL;
	int rc;

	if (!connect_any(l, err))
		return false;
	rc = search(l, filter, out);
	if (kept && (rc == LDAP_SERVER_DOWN || rc == LDAP_CONNECT_ERROR)) {
		ldap_msgfree(g_steal_pointer(out));
		hang_up(l);
		if (!connect_any(l, err))
			return false;
		rc = search(l, filter, out);
	}
	return rc == LDAP_SUCCESS || fail(l, rc, "the search", err);
}

bool
ldap_source_find(struct ldap_source *l, enum ldap_by by, const char *value,
    struct directory_staff **out, struct err *err)
{
	g_autofree char *filter = filter_of(l, by, value);
	LDAPMessage *result = NULL;
	int n;
	bool ok = ask(l, filter, &result, err);

	*out = NULL;
	n = ok ? ldap_count_entries(l->ld, result) : 0;
	if (n == 1)
		*out = staff_of(l, ldap_first_entry(l->ld, result));
	else if (n > 1)
		ok = err_set(err, ERR_PERM, "ldap.several", "more than one "
		    "entry fits: make the filter in ldap narrower");
	ldap_msgfree(result);
	return ok;
}
