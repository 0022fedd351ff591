/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way through an HTTP proxy. It is asked for a tunnel (CONNECT) and for
 * nothing else: TLS with Graph is spoken inside, and so the token passes the
 * proxy unread. The proxy sees names and ports of hosts, and its own password.
 * An answer that is no tunnel ends the call, and the error names the proxy.
 */
#include "graph_proxy.h"

#include <string.h>

#include "err.h"

#define HTTP "http://"
#define HTTPS "https://"
#define PASSWORD_MAX 1024
#define URL_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789.-:[]"

/* ---- set-up ------------------------------------------------------------------ */

static bool
is_tls(const char *url)
{
	return g_str_has_prefix(url, HTTPS);
}

/* Without a port libcurl would take one that no proxy has. */
static bool
is_proxy_url(const char *url)
{
	const char *host, *colon = strrchr(url, ':');
	size_t digits;

	if (!is_tls(url) && !g_str_has_prefix(url, HTTP))
		return false;
	host = url + strlen(is_tls(url) ? HTTPS : HTTP);
	if (host[strspn(host, URL_CHARS)] != '\0' || colon <= host)
		return false;
	digits = strspn(colon + 1, "0123456789");
	return digits > 0 && digits <= 5 && colon[1 + digits] == '\0';
}

/* RFC 7617 section 2: no ':' in the name, no controls in both. */
static bool
is_plain(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (g_ascii_iscntrl(s[i]))
			return false;
	}
	return len > 0 && len <= PASSWORD_MAX;
}

static void
forget(char *secret)
{
	explicit_bzero(secret, strlen(secret));
	g_free(secret);
}

/* As a header, which unlike libcurl's own copies can be wiped. */
static void
set_header(struct graph_proxy *p, const char *user, const char *password,
    size_t len)
{
	char *pair = g_strdup_printf("%s:%.*s", user, (int)len, password);
	char *coded = g_base64_encode((const guchar *)pair, strlen(pair));
	char *line = g_strconcat("Proxy-Authorization: Basic ", coded, NULL);

	p->headers = curl_slist_append(NULL, line);
	forget(line);
	forget(coded);
	forget(pair);
}

static bool
set_user(struct graph_proxy *p, const char *user, const GBytes *password,
    struct err *err)
{
	gsize len = 0;
	const char *s = password == NULL ? NULL :
	    g_bytes_get_data((GBytes *)(uintptr_t)password, &len);

	if (!is_plain(user, strlen(user)) || strchr(user, ':') != NULL)
		return err_set(err, ERR_CONF, "graph.conf",
		    "graph: proxy_user is empty or has a character in it "
		    "that no user's name may have");
	if (!is_plain(s, len))
		return err_set(err, ERR_CONF, "graph.conf",
		    "graph: the proxy's password is empty, too long or has "
		    "an odd character in it; its file holds the password "
		    "alone");
	set_header(p, user, s, len);
	return p->headers != NULL || err_set(err, ERR_TEMP, "graph.conf",
	    "graph: out of memory");
}

bool
graph_proxy_init(struct graph_proxy *p, const struct graph_conf *conf,
    struct err *err)
{
	if (conf->proxy == NULL)
		return true;
	if (!is_proxy_url(conf->proxy))
		return err_set(err, ERR_CONF, "graph.conf",
		    "graph: proxy must look like http://HOST:PORT or "
		    "https://HOST:PORT");
	p->url = g_strdup(conf->proxy);
	p->ca_file = g_strdup(conf->proxy_tls_ca_file);
	return conf->proxy_user == NULL ||
	    set_user(p, conf->proxy_user, conf->proxy_password, err);
}

void
graph_proxy_clear(struct graph_proxy *p)
{
	if (p->headers != NULL)
		explicit_bzero(p->headers->data, strlen(p->headers->data));
	curl_slist_free_all(p->headers);
	g_free(p->url);
	g_free(p->ca_file);
	*p = (struct graph_proxy){ 0 };
}

/* ---- one request ------------------------------------------------------------------ */

static void
apply_tls(CURL *easy, const char *ca_file)
{
	curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	if (ca_file == NULL)
		return;
	curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, ca_file);
	/* The built-in directory would be trusted besides. */
	curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
}

void
graph_proxy_apply(const struct graph_proxy *p, CURL *easy)
{
	/* Else $https_proxy and $no_proxy would decide. */
	curl_easy_setopt(easy, CURLOPT_PROXY, p->url != NULL ? p->url : "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	if (p->url == NULL)
		return;
	curl_easy_setopt(easy, CURLOPT_PROXYTYPE, is_tls(p->url) ?
	    (long)CURLPROXY_HTTPS : (long)CURLPROXY_HTTP);
	curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
	/* The token is in the other headers. */
	curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	curl_easy_setopt(easy, CURLOPT_PROXYHEADER, p->headers);
	/* What the proxy says is no answer of Graph. */
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	apply_tls(easy, p->ca_file);
}

/* ---- what went wrong ---------------------------------------------------------------- */

static bool
refused(const struct graph_proxy *p, long status, struct err *err)
{
	const char *remedy = "see its log";

	if (status == 407)
		remedy = "it wants a user whom it knows: see proxy_user and "
		    "proxy_password_file";
	else if (status >= 300 && status < 500)
		remedy = "have it allow CONNECT to the hosts of url and "
		    "media_host";
	return err_set(err, ERR_TEMP, "graph.proxy",
	    "the proxy answers %ld and opens no tunnel; %s (proxy %s)",
	    status, remedy, p->url);
}

static bool
not_reached(const struct graph_proxy *p, CURLcode res, const char *said,
    struct err *err)
{
	if (res == CURLE_SSL_CACERT_BADFILE)
		return err_set(err, ERR_CONF, "graph.conf",
		    "%s: see proxy_tls_ca", said);
	if (res == CURLE_PEER_FAILED_VERIFICATION)
		return err_set(err, ERR_TEMP, "graph.proxy",
		    "the proxy's certificate is not good, see proxy_tls_ca "
		    "(proxy %s): %s", p->url, said);
	return err_set(err, ERR_TEMP, "graph.proxy",
	    "the proxy opens no tunnel; see whether it runs and is the right "
	    "one (proxy %s): %s", p->url, said);
}

/* Nothing was asked of the host behind the proxy yet. */
static bool
is_early(CURL *easy)
{
	curl_off_t asked = 0;

	curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &asked);
	return asked == 0;
}

static long
status_of(CURL *easy)
{
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
	return status;
}

bool
graph_proxy_failed(const struct graph_proxy *p, CURL *easy, CURLcode res,
    const char *said, struct err *err)
{
	long status = status_of(easy);

	if (p->url == NULL || res == CURLE_OK || status / 100 == 2)
		return false;
	if (status > 0) {
		refused(p, status, err);
		return true;
	}
	/* The second: after a connection that had been kept was found dead. */
	if (!is_early(easy) && res != CURLE_COULDNT_CONNECT)
		return false;
	not_reached(p, res, said, err);
	return true;
}

char *
graph_proxy_text(const struct graph_proxy *p, CURL *easy, const char *said)
{
	if (p->url == NULL)
		return g_strdup(said);
	if (is_early(easy))
		return g_strdup_printf("no TLS with the host behind the "
		    "proxy, which must pass it on unopened (proxy %s): %s",
		    p->url, said);
	return g_strdup_printf("%s (proxy %s)", said, p->url);
}
