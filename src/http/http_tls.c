/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS under the listener: which certificate a handshake gets, and whether
 * the client's is good. The only user of GnuTLS.
 *
 * The key pair in use can be replaced while the server runs. GnuTLS borrows
 * it during a handshake, which the connection deadline bounds: an old pair is
 * freed at a later reload, when it has been out of use for longer than that.
 *
 * libmicrohttpd only asks clients for a certificate; a handshake without one,
 * or with any one, succeeds. So each connection is verified here before its
 * first request reaches the application.
 */
#include "http_int.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "clock.h"
#include "err.h"
#include "io.h"
#include "text.h"

#define PEM_MAX_BYTES ((size_t)1 << 20)
#define CHAIN_MAX 16
#define RETIRED_MIN_MS 60000
#define PRIORITY_DEFAULT "NORMAL"
/* Whatever is configured: TLS 1.2 is the oldest that RFC 8996 leaves. */
#define PRIORITY_FLOOR \
	":-VERS-SSL3.0:-VERS-TLS1.0:-VERS-TLS1.1:-VERS-DTLS-ALL"

struct pair {
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned n;
	gnutls_privkey_t key;
	int64_t retired_ms;
};

struct http_tls {
	char *certificate, *key, *client_name, *priority;
	char *trust;
	int64_t keep_ms;
	pthread_mutex_t lock;
	struct pair *now;
	GPtrArray *retired;		/* struct pair * */
};

static void
pair_free(void *p)
{
	struct pair *pair = p;

	if (pair == NULL)
		return;
	for (unsigned i = 0; i < pair->n; i++)
		gnutls_pcert_deinit(&pair->chain[i]);
	if (pair->key != NULL)
		gnutls_privkey_deinit(pair->key);
	g_free(pair);
}

static bool
tls_err(struct err *err, const char *file, const char *why)
{
	return err_set(err, ERR_CONF, "http.tls", "%s: %s", file, why);
}

/* One name for every unusable file, so that the log can be searched for it. */
static bool
load(const char *path, bool secret, GBytes **out, struct err *err)
{
	struct err cause = ERR_INIT;
	bool ok = secret ? io_secret_load(path, PEM_MAX_BYTES, out, &cause) :
	    io_file_load(path, PEM_MAX_BYTES, out, &cause);

	return ok || err_set(err, ERR_CONF, "http.tls", "%s", cause.text);
}

static gnutls_datum_t
datum_of(GBytes *bytes)
{
	gsize len;
	const void *data = g_bytes_get_data(bytes, &len);

	return (gnutls_datum_t){ (unsigned char *)(uintptr_t)data,
		(unsigned)len };
}

/* Credentials refuse a key that is not the certificate's; pairs do not. */
static int
check_match(const gnutls_datum_t *cert, const gnutls_datum_t *key)
{
	gnutls_certificate_credentials_t cred;
	int r = gnutls_certificate_allocate_credentials(&cred);

	if (r < 0)
		return r;
	r = gnutls_certificate_set_x509_key_mem(cred, cert, key,
	    GNUTLS_X509_FMT_PEM);
	gnutls_certificate_free_credentials(cred);
	return r < 0 ? r : 0;
}

static int
import_pair(struct pair *p, const gnutls_datum_t *cert,
    const gnutls_datum_t *key)
{
	unsigned n = CHAIN_MAX;
	int r = gnutls_pcert_list_import_x509_raw(p->chain, &n, cert,
	    GNUTLS_X509_FMT_PEM, 0);

	if (r < 0)
		return r;
	p->n = n;
	r = gnutls_privkey_init(&p->key);
	if (r < 0)
		return r;
	return gnutls_privkey_import_x509_raw(p->key, key,
	    GNUTLS_X509_FMT_PEM, NULL, 0);
}

static bool
pair_load(const struct http_tls *tls, struct pair **out, struct err *err)
{
	g_autoptr(GBytes) cert = NULL;
	g_autoptr(GBytes) key = NULL;
	gnutls_datum_t c, k;
	struct pair *p;
	int r;

	if (!load(tls->certificate, false, &cert, err) ||
	    !load(tls->key, true, &key, err))
		return false;
	c = datum_of(cert);
	k = datum_of(key);
	r = check_match(&c, &k);
	if (r < 0)
		return err_set(err, ERR_CONF, "http.tls",
		    "%s and %s are not a PEM certificate and its key: %s",
		    tls->certificate, tls->key, gnutls_strerror(r));
	p = g_new0(struct pair, 1);
	r = import_pair(p, &c, &k);
	if (r < 0) {
		pair_free(p);
		return tls_err(err, tls->certificate, gnutls_strerror(r));
	}
	*out = p;
	return true;
}

static bool
load_trust(struct http_tls *tls, const char *path, struct err *err)
{
	g_autoptr(GBytes) pem = NULL;
	gnutls_x509_crt_t *list = NULL;
	gnutls_datum_t d;
	unsigned n = 0;
	int r;

	if (!load(path, false, &pem, err))
		return false;
	d = datum_of(pem);
	r = gnutls_x509_crt_list_import2(&list, &n, &d, GNUTLS_X509_FMT_PEM,
	    0);
	if (r < 0)
		return tls_err(err, path, gnutls_strerror(r));
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(list[i]);
	gnutls_free(list);
	if (n == 0)
		return tls_err(err, path, "no certificate in it");
	tls->trust = g_strndup((const char *)d.data, d.size);
	return true;
}

static bool
check_priority(const struct http_tls *tls, struct err *err)
{
	gnutls_priority_t p;
	const char *at = NULL;

	if (gnutls_priority_init(&p, tls->priority, &at) < 0)
		return err_set(err, ERR_CONF, "http.tls",
		    "GnuTLS priority string: not understood at \"%s\"",
		    at != NULL ? at : tls->priority);
	gnutls_priority_deinit(p);
	return true;
}

bool
http_tls_new(const struct http_conf *conf, struct http_tls **out,
    struct err *err)
{
	struct http_tls *tls;

	if (conf->tls_key == NULL)
		return tls_err(err, conf->tls_certificate,
		    "a certificate needs its key");
	tls = g_new0(struct http_tls, 1);
	tls->certificate = g_strdup(conf->tls_certificate);
	tls->key = g_strdup(conf->tls_key);
	tls->client_name = g_strdup(conf->tls_client_name);
	tls->priority = g_strconcat(conf->tls_priority != NULL ?
	    conf->tls_priority : PRIORITY_DEFAULT, PRIORITY_FLOOR, NULL);
	tls->keep_ms = MAX(2 * conf->deadline_ms, RETIRED_MIN_MS);
	tls->retired = g_ptr_array_new_with_free_func(pair_free);
	pthread_mutex_init(&tls->lock, NULL);
	if (!check_priority(tls, err) || !pair_load(tls, &tls->now, err) ||
	    (conf->tls_client_ca != NULL &&
	    !load_trust(tls, conf->tls_client_ca, err))) {
		http_tls_free(tls);
		return false;
	}
	*out = tls;
	return true;
}

static void
free_retired(struct http_tls *tls, int64_t now)
{
	while (tls->retired->len > 0) {
		const struct pair *oldest = tls->retired->pdata[0];

		if (now - oldest->retired_ms < tls->keep_ms)
			return;
		g_ptr_array_remove_index(tls->retired, 0);
	}
}

bool
http_tls_reload(struct http_tls *tls, struct err *err)
{
	int64_t now = clock_mono_ms();
	struct pair *fresh;

	if (!pair_load(tls, &fresh, err))
		return false;
	pthread_mutex_lock(&tls->lock);
	free_retired(tls, now);
	tls->now->retired_ms = now;
	g_ptr_array_add(tls->retired, tls->now);
	tls->now = fresh;
	pthread_mutex_unlock(&tls->lock);
	return true;
}

void
http_tls_free(struct http_tls *tls)
{
	if (tls == NULL)
		return;
	pair_free(tls->now);
	g_ptr_array_unref(tls->retired);
	pthread_mutex_destroy(&tls->lock);
	g_free(tls->certificate);
	g_free(tls->key);
	g_free(tls->client_name);
	g_free(tls->priority);
	g_free(tls->trust);
	g_free(tls);
}

const char *
http_tls_priority(const struct http_tls *tls)
{
	return tls->priority;
}

const char *
http_tls_trust(const struct http_tls *tls)
{
	return tls->trust;
}

static gnutls_session_t
session_of(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd,
	    MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
}

/*
 * The callback has no argument of its own. MHD uses the session's pointer
 * for pre-shared keys only, which we do not have.
 */
void
http_tls_attach(struct http_tls *tls, struct MHD_Connection *mhd)
{
	gnutls_session_set_ptr(session_of(mhd), tls);
}

static int
give_pair(gnutls_session_t session, const gnutls_datum_t *req_ca_rdn,
    int nreqs, const gnutls_pk_algorithm_t *pk_algos, int pk_algos_length,
    gnutls_pcert_st **chain, unsigned int *n, gnutls_privkey_t *key)
{
	struct http_tls *tls = gnutls_session_get_ptr(session);

	(void)req_ca_rdn;
	(void)nreqs;
	(void)pk_algos;
	(void)pk_algos_length;
	pthread_mutex_lock(&tls->lock);
	*chain = tls->now->chain;
	*n = tls->now->n;
	*key = tls->now->key;
	pthread_mutex_unlock(&tls->lock);
	return 0;
}

void *
http_tls_callback(void)
{
	gnutls_certificate_retrieve_function2 *fn = give_pair;

	return (void *)(uintptr_t)fn;
}

/* A NUL inside a name would let "good\0.evil" pass for "good". */
static bool
is_same_name(const char *have, size_t len, const char *want)
{
	return len == strlen(want) && g_ascii_strncasecmp(have, want,
	    len) == 0;
}

/* One name of a certificate: false ends the walk. */
typedef bool name_fn(void *arg, const char *name, size_t len);

static void
each_common_name(gnutls_x509_crt_t crt, name_fn *fn, void *arg)
{
	char name[256];		/* ub-common-name is 64 (RFC 5280) */

	for (unsigned i = 0;; i++) {
		size_t len = sizeof(name);
		int r = gnutls_x509_crt_get_dn_by_oid(crt,
		    GNUTLS_OID_X520_COMMON_NAME, i, 0, name, &len);

		if (r == GNUTLS_E_SHORT_MEMORY_BUFFER)
			continue;
		if (r < 0 || !fn(arg, name, len))
			return;
	}
}

static void
each_dns_name(gnutls_x509_crt_t crt, name_fn *fn, void *arg)
{
	char name[256];		/* a DNS name has at most 253 characters */

	for (unsigned i = 0;; i++) {
		size_t len = sizeof(name);
		int r = gnutls_x509_crt_get_subject_alt_name(crt, i, name,
		    &len, NULL);

		if (r == GNUTLS_E_SHORT_MEMORY_BUFFER)
			continue;
		if (r < 0 || (r == GNUTLS_SAN_DNSNAME &&
		    !fn(arg, name, len)))
			return;
	}
}

struct match {
	const char *want;
	bool found;
};

static bool
compare(void *arg, const char *name, size_t len)
{
	struct match *m = arg;

	m->found = is_same_name(name, len, m->want);
	return !m->found;
}

static bool
has_name(gnutls_x509_crt_t crt, const char *want)
{
	struct match m = { want, false };

	each_dns_name(crt, compare, &m);
	if (!m.found)
		each_common_name(crt, compare, &m);
	return m.found;
}

struct first {
	bool any;
	char *name;
};

/* Goes into records and logs: one that cannot be shown is none. */
static bool
take_first(void *arg, const char *name, size_t len)
{
	struct first *f = arg;

	f->any = true;
	if (len > 0 && text_is_utf8(name, len)) {
		f->name = text_clean(name, len, TEXT_LINE, len);
		if (strlen(f->name) != len || memcmp(f->name, name, len) != 0)
			g_clear_pointer(&f->name, g_free);
	}
	return false;
}

static char *
name_of(gnutls_x509_crt_t crt)
{
	struct first f = { false, NULL };

	each_dns_name(crt, take_first, &f);
	if (!f.any)
		each_common_name(crt, take_first, &f);
	return f.name;
}

static bool
read_name(const struct http_tls *tls, const gnutls_datum_t *der, char **name)
{
	gnutls_x509_crt_t crt;
	bool ok;

	if (gnutls_x509_crt_init(&crt) < 0)
		return false;
	ok = gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) >= 0 &&
	    (tls->client_name == NULL || has_name(crt, tls->client_name));
	if (ok)
		*name = name_of(crt);
	gnutls_x509_crt_deinit(crt);
	return ok;
}

enum peer
http_tls_peer(const struct http_tls *tls, struct MHD_Connection *mhd,
    char **name)
{
	gnutls_session_t session = session_of(mhd);
	unsigned status = 0, n = 0;
	const gnutls_datum_t *certs = gnutls_certificate_get_peers(session,
	    &n);

	if (certs == NULL || n == 0)
		return PEER_NONE;
	if (gnutls_certificate_verify_peers2(session, &status) < 0 ||
	    status != 0)
		return PEER_BAD;
	return read_name(tls, &certs[0], name) ? PEER_GOOD : PEER_BAD;
}
