/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who of the staff somebody is, by a directory server. The only user of
 * libldap. Over TLS or not at all; every value that goes into a filter is
 * escaped (RFC 4515 section 3); every search is bounded in time and size.
 * Keeps one connection, and makes another when it is lost.
 */
#include "directory.h"

#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "directory_int.h"
#include "err.h"

#define ENTRIES_MAX 2		/* two are too many */
#define VALUE_MAX 512
#define ASKED_MAX 256

static char **
split(const char *urls)
{
	g_auto(GStrv) words = g_strsplit(urls, " ", -1);
	GPtrArray *out = g_ptr_array_new();

	for (char **w = words; *w != NULL; w++) {
		if (**w != '\0')
			g_ptr_array_add(out, g_strdup(*w));
	}
	g_ptr_array_add(out, NULL);
	return (char **)g_ptr_array_free(out, FALSE);
}

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
	l->urls = split(conf->url);
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
	l->nested = conf->nested;
	l->group_base = g_strdup(conf->group_base != NULL ?
	    conf->group_base : conf->base);
	l->timeout_ms = conf->timeout_ms;
	ldap_wire_init(&l->wire, conf->timeout_ms);
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
	g_strfreev(l->urls);
	g_free(l->base);
	g_free(l->bind_dn);
	g_free(l->tls_ca_file);
	if (l->password != NULL) {
		gsize len;
		void *p = g_bytes_unref_to_data(l->password, &len);

		if (len > 0)
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
	g_free(l->group_base);
	g_free(l);
}

/* ---- connecting --------------------------------------------------------- */

enum phase { PHASE_OPTIONS, PHASE_CONNECT, PHASE_LOGIN, PHASE_SEARCH };

/* libldap tells by a text only that it was TLS, and not the network. */
static bool
is_of_tls(int rc, enum phase phase, const char *more)
{
	if (phase == PHASE_OPTIONS)	/* the authorities cannot be read */
		return true;
	if (phase != PHASE_CONNECT)
		return false;
	/* A server without TLS answers something to StartTLS. */
	return rc > 0 || ((rc == LDAP_CONNECT_ERROR ||
	    rc == LDAP_SERVER_DOWN) && more != NULL);
}

static void
explain_tls(int rc, enum phase phase, const char *more, const char *doing,
    struct err *err)
{
	/* Of a failed check GnuTLS has no words. */
	bool is_check = more == NULL || *more == '\0' || *more == '(';

	if (phase == PHASE_OPTIONS)
		err_set(err, ERR_CONF, "ldap.tls", "%s: the authorities in "
		    "tls_ca cannot be used", doing);
	else if (rc > 0)
		err_set(err, ERR_CONF, "ldap.tls", "%s: the server refuses "
		    "StartTLS: %s", doing, ldap_err2string(rc));
	else
		err_set(err, ERR_CONF, "ldap.tls", "%s: %s (see tls_ca in "
		    "ldap: the server's certificate and name are checked)",
		    doing, is_check ? "no trusted certificate of this name" :
		    more);
}

static void
explain(int rc, enum phase phase, const char *more, const char *doing,
    struct err *err)
{
	bool has_more = more != NULL && *more != '\0';

	if (is_of_tls(rc, phase, more)) {
		explain_tls(rc, phase, more, doing, err);
		return;
	}
	switch (rc) {
	case LDAP_TIMEOUT:
	case LDAP_TIMELIMIT_EXCEEDED:
		err_set(err, ERR_TEMP, "ldap.timeout", "%s: no answer in "
		    "time", doing);
		return;
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_INAPPROPRIATE_AUTH:
	case LDAP_INSUFFICIENT_ACCESS:
	case LDAP_STRONG_AUTH_REQUIRED:
	case LDAP_OPERATIONS_ERROR:	/* Active Directory, to nobody */
		err_set(err, ERR_CONF, "ldap.auth", "%s: %s (see bind_dn and "
		    "password_file in ldap)", doing, ldap_err2string(rc));
		return;
	case LDAP_FILTER_ERROR:
	case LDAP_INVALID_DN_SYNTAX:
	case LDAP_NO_SUCH_OBJECT:
	case LDAP_REFERRAL:
		err_set(err, ERR_CONF, "ldap.filter", "%s: %s (see base, the "
		    "filters and the rights of bind_dn in ldap)", doing,
		    ldap_err2string(rc));
		return;
	default:
		err_set(err, ERR_TEMP, "ldap.down", "%s: %s%s%s", doing,
		    ldap_err2string(rc), has_more ? ", " : "", has_more ?
		    more : "");
	}
}

static bool
fail(struct ldap_source *l, int rc, enum phase phase, const char *doing,
    struct err *err)
{
	char *more = NULL;

	if (l->ld != NULL)
		ldap_get_option(l->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
	if (l->wire.is_late)
		rc = LDAP_TIMEOUT;
	explain(rc, phase, more, doing, err);
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

/*
 * GnuTLS, which libldap is built with here and there, knows no authorities by
 * itself; ldap.conf(5) may name some.
 */
static const char *
system_authorities(void)
{
	static const char *const files[] = {
		"/etc/ssl/certs/ca-certificates.crt",	/* Debian */
		"/etc/pki/tls/certs/ca-bundle.crt",	/* Fedora */
		"/etc/ssl/ca-bundle.pem",		/* SUSE */
	};
	char *file = NULL, *folder = NULL;
	bool has_some;

	ldap_get_option(NULL, LDAP_OPT_X_TLS_CACERTFILE, &file);
	ldap_get_option(NULL, LDAP_OPT_X_TLS_CACERTDIR, &folder);
	has_some = file != NULL || folder != NULL;
	ldap_memfree(file);
	ldap_memfree(folder);
	for (size_t i = 0; !has_some && i < G_N_ELEMENTS(files); i++) {
		if (access(files[i], R_OK) == 0)
			return files[i];
	}
	return NULL;
}

/* NULL is a value: LDAP_OPT_OFF. */
static int
set_options(struct ldap_source *l)
{
	struct timeval tv = timeout_of(l);
	int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND;
	int minimum = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
	const struct {
		int option;
		const void *value;
	} options[] = {
		{ LDAP_OPT_PROTOCOL_VERSION, &version },
		{ LDAP_OPT_NETWORK_TIMEOUT, &tv },
		{ LDAP_OPT_TIMEOUT, &tv },
		{ LDAP_OPT_RESTART, LDAP_OPT_ON },
		{ LDAP_OPT_REFERRALS, LDAP_OPT_OFF },
		/* Names of addresses are of no use, and may take long. */
		{ LDAP_OPT_X_SASL_NOCANON, LDAP_OPT_ON },
		{ LDAP_OPT_X_TLS_REQUIRE_CERT, &demand },
		{ LDAP_OPT_X_TLS_PROTOCOL_MIN, &minimum },
	};
	int rc = LDAP_SUCCESS;

	for (size_t i = 0; rc == LDAP_SUCCESS && i < G_N_ELEMENTS(options);
	    i++)
		rc = ldap_set_option(l->ld, options[i].option,
		    options[i].value);
	return rc;
}

/* After the others: the context of TLS is made of them. */
static int
set_tls(struct ldap_source *l)
{
	const char *file = l->tls_ca_file != NULL ? l->tls_ca_file :
	    system_authorities();
	int rc = LDAP_SUCCESS, new = 0;

	if (file != NULL)
		rc = ldap_set_option(l->ld, LDAP_OPT_X_TLS_CACERTFILE, file);
	return rc != LDAP_SUCCESS ? rc :
	    ldap_set_option(l->ld, LDAP_OPT_X_TLS_NEWCTX, &new);
}

/*
 * Of LDAP_OPT_X_TLS_PROTOCOL_MIN libldap takes no notice when GnuTLS is below,
 * which calls a version "TLS1.2", and OpenSSL "TLSv1.2".
 */
static bool
is_new_enough(LDAP *ld)
{
	char *version = NULL;
	bool ok;

	ldap_get_option(ld, LDAP_OPT_X_TLS_VERSION, &version);
	ok = version != NULL && g_str_has_prefix(version, "TLS") &&
	    strcmp(version, "TLSv1") != 0 &&
	    !g_str_has_suffix(version, "1.0") &&
	    !g_str_has_suffix(version, "1.1");
	ldap_memfree(version);
	return ok;
}

/* Up to where it is known that nobody listens, and who answers. */
static bool
secure(struct ldap_source *l, const char *url, struct err *err)
{
	int rc = g_str_has_prefix(url, "ldaps://") ? ldap_connect(l->ld) :
	    ldap_start_tls_s(l->ld, NULL, NULL);

	if (rc != LDAP_SUCCESS) {
		/* ldap_connect() does not say which. */
		if (rc == -1)
			rc = LDAP_SERVER_DOWN;
		return fail(l, rc, PHASE_CONNECT, url, err);
	}
	if (is_new_enough(l->ld))
		return true;
	hang_up(l);
	return err_set(err, ERR_CONF, "ldap.tls", "%s: the server speaks "
	    "only TLS older than 1.2", url);
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
	int rc;

	ldap_wire_begin(&l->wire);
	rc = ldap_initialize(&l->ld, url);
	if (rc == LDAP_SUCCESS)
		rc = set_options(l);
	if (rc == LDAP_SUCCESS)
		rc = set_tls(l);
	if (rc == LDAP_SUCCESS)
		rc = ldap_wire_lay(&l->wire, l->ld);
	if (rc != LDAP_SUCCESS)
		return fail(l, rc, PHASE_OPTIONS, url, err);
	if (!secure(l, url, err))
		return false;
	ldap_wire_begin(&l->wire);
	rc = log_in(l);
	return rc == LDAP_SUCCESS || fail(l, rc, PHASE_LOGIN, url, err);
}

/*
 * Begins with the one that answered last. When none does, the first that is
 * configured wrongly is said rather than one that is down.
 */
static bool
connect_any(struct ldap_source *l, struct err *err)
{
	guint n = g_strv_length(l->urls);
	struct err why = ERR_INIT, first = ERR_INIT;

	if (l->ld != NULL)
		return true;
	if (!has_secret(l))
		return err_set(err, ERR_CONF, "ldap.auth", "bind_dn without "
		    "a password");
	for (guint i = 0; i < n; i++) {
		guint which = (l->which + i) % n;

		if (connect_to(l, l->urls[which], &why)) {
			l->which = which;
			return true;
		}
		if (i == 0 || (first.kind != ERR_CONF &&
		    why.kind == ERR_CONF))
			first = why;
	}
	if (err != NULL)
		*err = first;
	return false;
}

void
ldap_source_rest(struct ldap_source *l)
{
	hang_up(l);
}

void
ldap_source_cut(struct ldap_source *l)
{
	atomic_store(&l->wire.is_cut, true);
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

char *
ldap_filter_fill(const char *form, const char *value)
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
		return ldap_filter_fill(l->id_filter, value);
	number = l->number_form != NULL ? ldap_filter_fill(l->number_form,
	    value) : g_strdup(value);
	return ldap_filter_fill(l->number_filter, number);
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

/* What attr_group says, as it stands there. */
static GPtrArray *
groups_of(struct ldap_source *l, LDAPMessage *entry)
{
	GPtrArray *groups = g_ptr_array_new_with_free_func(g_free);
	struct berval **values = l->attr_group != NULL ?
	    ldap_get_values_len(l->ld, entry, l->attr_group) : NULL;

	for (int i = 0; values != NULL && values[i] != NULL; i++)
		g_ptr_array_add(groups, g_strndup(values[i]->bv_val,
		    values[i]->bv_len));
	ldap_value_free_len(values);
	return groups;
}

static GPtrArray *
names_of(const GPtrArray *groups)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < groups->len; i++) {
		char *name = ldap_group_name(groups->pdata[i]);

		if (g_utf8_validate(name, -1, NULL))
			g_ptr_array_add(names, name);
		else
			g_free(name);
	}
	return names;
}

static bool
read_staff(struct ldap_source *l, LDAPMessage *entry,
    struct directory_staff **out, struct err *err)
{
	struct directory_staff *s = directory_staff_new();
	g_autoptr(GPtrArray) groups = groups_of(l, entry);
	char *dn = l->nested != LDAP_NESTED_OFF ?
	    ldap_get_dn(l->ld, entry) : NULL;
	bool ok;

	s->id = first_value(l, entry, l->attr_id);
	s->name = first_value(l, entry, l->attr_name);
	s->mail = first_value(l, entry, l->attr_mail);
	if (s->groups != NULL)
		g_ptr_array_unref(s->groups);
	s->groups = names_of(groups);
	s->is_remote = true;
	ok = dn == NULL || ldap_groups_add(l, dn, groups, s->groups, err);
	ldap_memfree(dn);
	if (ok)
		*out = s;
	else
		directory_staff_free(s);
	return ok;
}

static int
search(struct ldap_source *l, const struct ldap_question *q, LDAPMessage **out)
{
	struct timeval tv = timeout_of(l);
	int rc;

	ldap_wire_begin(&l->wire);
	rc = ldap_search_ext_s(l->ld, q->base, q->scope, q->filter, q->attrs,
	    0, NULL, NULL, &tv, q->limit, out);
	return l->wire.is_late ? LDAP_TIMEOUT : rc;
}

/* The server, or a firewall on the way, may have dropped it meanwhile. */
static bool
may_be_stale(int rc)
{
	return rc == LDAP_SERVER_DOWN || rc == LDAP_CONNECT_ERROR ||
	    rc == LDAP_TIMEOUT || rc == LDAP_UNAVAILABLE ||
	    rc == LDAP_OPERATIONS_ERROR;
}

/* What fails on a kept connection is tried once more on a new one. */
static bool
ask(struct ldap_source *l, const struct ldap_question *q, LDAPMessage **out,
    int *rc, struct err *err)
{
	bool kept = l->ld != NULL;

	if (!connect_any(l, err))
		return false;
	*rc = search(l, q, out);
	if (!kept || !may_be_stale(*rc))
		return true;
	ldap_msgfree(g_steal_pointer(out));
	hang_up(l);
	if (!connect_any(l, err))
		return false;
	*rc = search(l, q, out);
	return true;
}

bool
ldap_source_ask(struct ldap_source *l, const struct ldap_question *q,
    LDAPMessage **out, bool *is_cut, struct err *err)
{
	int rc;

	*out = NULL;
	if (!ask(l, q, out, &rc, err))
		return false;
	*is_cut = rc == LDAP_SIZELIMIT_EXCEEDED;
	if (q->may_lack && (rc == LDAP_NO_SUCH_OBJECT ||
	    rc == LDAP_REFERRAL || rc == LDAP_INVALID_DN_SYNTAX))
		rc = LDAP_SUCCESS;
	if (rc == LDAP_SUCCESS || *is_cut)
		return true;
	ldap_msgfree(g_steal_pointer(out));
	return fail(l, rc, PHASE_SEARCH, "the search", err);
}

bool
ldap_source_find(struct ldap_source *l, enum ldap_by by, const char *value,
    struct directory_staff **out, struct err *err)
{
	char *attrs[] = { l->attr_id, l->attr_name, l->attr_mail,
		l->attr_group, NULL };
	struct ldap_question q = { .base = l->base, .attrs = attrs,
		.scope = LDAP_SCOPE_SUBTREE, .limit = ENTRIES_MAX };
	g_autofree char *filter = NULL;
	LDAPMessage *result = NULL;
	bool ok, is_cut;
	int n;

	*out = NULL;
	/* Servers drop the connection of who asks for too much. */
	if (*value == '\0' || strlen(value) > ASKED_MAX)
		return true;
	q.filter = filter = filter_of(l, by, value);
	if (!ldap_source_ask(l, &q, &result, &is_cut, err))
		return false;
	n = ldap_count_entries(l->ld, result);
	ok = n <= 1 || err_set(err, ERR_PERM, "ldap.several", "more than one "
	    "entry fits: make the filter in ldap narrower");
	if (n == 1)
		ok = read_staff(l, ldap_first_entry(l->ld, result), out, err);
	ldap_msgfree(result);
	return ok;
}
