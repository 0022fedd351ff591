/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that name places in networks: domains, mail addresses, networks,
 * listeners, relays. Nothing is resolved: a configuration is right or wrong
 * whatever DNS says today.
 */
#include "conf_int.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

#define ADDRESS_MAX 254		/* RFC 5321 section 4.5.3.1.3, without < > */
#define LOCAL_PART_MAX 64
#define DOMAIN_MAX 253
#define LABEL_MAX 63

static bool
is_label(const char *s, size_t len)
{
	if (len == 0 || len > LABEL_MAX || s[0] == '-' || s[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!g_ascii_isalnum(s[i]) && s[i] != '-')
			return false;
	return true;
}

bool
conf_is_domain(const char *s)
{
	if (strlen(s) > DOMAIN_MAX)
		return false;
	for (;;) {
		size_t len = strcspn(s, ".");

		if (!is_label(s, len))
			return false;
		if (s[len] == '\0')
			return true;
		s += len + 1;
	}
}

bool
conf_domain_check(const char *s, struct err *err)
{
	if (conf_is_domain(s))
		return true;
	return err_set(err, ERR_CONF, "conf.value",
	    "is not a domain name: labels of letters, digits and '-', "
	    "separated by dots");
}

/* Loosely: what no relay would take, or what could break an SMTP command. */
bool
conf_mail_check(const char *s, struct err *err)
{
	const char *at = strchr(s, '@');
	size_t local = at != NULL ? (size_t)(at - s) : 0;

	for (const char *p = s; *p != '\0'; p++)
		if (!g_ascii_isgraph(*p))
			return err_set(err, ERR_CONF, "conf.value",
			    "is not a mail address: only ASCII, no blanks");
		else if (strchr("<>()[]\\,;:\"", *p))
			return err_set(err, ERR_CONF, "conf.value",
			    "is not a mail address: '%c' cannot be in it",
			    *p);
	if (at == NULL || strchr(at + 1, '@') != NULL)
		return err_set(err, ERR_CONF, "conf.value",
		    "is not a mail address: it needs one '@'");
	if (local == 0 || local > LOCAL_PART_MAX || strlen(s) > ADDRESS_MAX)
		return err_set(err, ERR_CONF, "conf.value",
		    "is not a mail address: too %s",
		    local == 0 ? "short before the '@'" : "long");
	if (!conf_is_domain(at + 1))
		return err_set(err, ERR_CONF, "conf.value",
		    "is not a mail address: no domain name after the '@'");
	return true;
}

/* Bytes of the address in out, 4 or 16; 0 if it is not a literal. */
static int
parse_ip(const char *s, uint8_t out[16])
{
	if (inet_pton(AF_INET, s, out) == 1)
		return 4;
	return inet_pton(AF_INET6, s, out) == 1 ? 16 : 0;
}

bool
conf_is_literal(const char *host)
{
	uint8_t ip[16];

	return parse_ip(host, ip) > 0;
}

bool
conf_is_loopback(const char *host)
{
	static const uint8_t six[16] = { [15] = 1 };
	uint8_t ip[16];
	int size = parse_ip(host, ip);

	if (size == 4)
		return ip[0] == 127;
	if (size == 16)
		return memcmp(ip, six, sizeof(six)) == 0;
	return g_ascii_strcasecmp(host, "localhost") == 0;
}

/* IPv4 as IPv6 shows it. */
static bool
parse_mapped(const char *s, uint8_t out[16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };
	uint8_t ip[16];
	int size = parse_ip(s, ip);

	if (size == 4)
		memcpy(out, prefix, sizeof(prefix));
	memcpy(out + 16 - size, ip, (size_t)size);
	return size > 0;
}

/* "0.0.0.0" has all of IPv4, "::" has all. */
static bool
covers(const uint8_t any[16], const uint8_t ip[16])
{
	static const uint8_t none[16] = { 0 }, any4[16] = { [10] = 0xff,
		[11] = 0xff };

	if (memcmp(any, none, 16) == 0)
		return true;
	return memcmp(any, any4, 16) == 0 && memcmp(ip, any4, 12) == 0;
}

bool
conf_listens_clash(const struct conf_listen *a, const struct conf_listen *b)
{
	uint8_t x[16], y[16];

	return a->address != NULL && b->address != NULL &&
	    a->port == b->port && parse_mapped(a->address, x) &&
	    parse_mapped(b->address, y) && (memcmp(x, y, 16) == 0 ||
	    covers(x, y) || covers(y, x));
}

/* Only digits, at most max. */
static bool
parse_small(const char *s, int max, int *out)
{
	size_t len = strspn(s, "0123456789");
	long n;

	if (len == 0 || len > 6 || s[len] != '\0')
		return false;
	n = strtol(s, NULL, 10);
	if (n > max)
		return false;
	*out = (int)n;
	return true;
}

/* Zeroes what is not of the network; true if something was there. */
static bool
mask(uint8_t *ip, int size, int bits)
{
	bool had = false;

	for (int i = 0; i < size; i++) {
		int keep = CLAMP(bits - 8 * i, 0, 8);
		uint8_t m = (uint8_t)(0xff00 >> keep);

		had |= (ip[i] & ~m & 0xff) != 0;
		ip[i] &= m;
	}
	return had;
}

static int
parse_network(const char *s, uint8_t ip[16], int *bits)
{
	const char *slash = strchr(s, '/');
	g_autofree char *addr = slash != NULL ?
	    g_strndup(s, (gsize)(slash - s)) : g_strdup(s);
	int size = parse_ip(addr, ip);

	*bits = size * 8;
	if (size == 0 || (slash != NULL &&
	    !parse_small(slash + 1, size * 8, bits)))
		return 0;
	return size;
}

/* Always with its prefix length: a single address gets /32 or /128. */
bool
conf_network_parse(const char *s, char **out, struct err *err)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t ip[16];
	int bits, size = parse_network(s, ip, &bits);

	if (size == 0)
		return err_set(err, ERR_CONF, "conf.value",
		    "is not an IP network such as 10.1.0.0/16 or fd00::/8");
	if (mask(ip, size, bits)) {
		inet_ntop(size == 4 ? AF_INET : AF_INET6, ip, text,
		    sizeof(text));
		return err_set(err, ERR_CONF, "conf.value",
		    "has bits beyond its prefix; the network is %s/%d", text,
		    bits);
	}
	inet_ntop(size == 4 ? AF_INET : AF_INET6, ip, text, sizeof(text));
	*out = g_strdup_printf("%s/%d", text, bits);
	return true;
}

bool
conf_network_has(const char *network, const char *host)
{
	uint8_t net[16], ip[16];
	int bits, size = parse_network(network, net, &bits);

	if (size == 0 || parse_ip(host, ip) != size)
		return false;
	mask(ip, size, bits);
	return memcmp(net, ip, (size_t)size) == 0;
}

/*
 * "HOST", "HOST:PORT", "[v6]:PORT": host without brackets. Without a port
 * *port stays as it is.
 */
static bool
split_port(const char *s, char **host, int *port, struct err *err)
{
	const char *end = *s == '[' ? strchr(s, ']') : strchr(s, ':');
	size_t skip = *s == '[';

	if (*s == '[' && end == NULL)
		return err_set(err, ERR_CONF, "conf.value", "lacks a ']'");
	if (end == NULL)
		end = s + strlen(s);
	*host = g_strndup(s + skip, (gsize)(end - s) - skip);
	end += skip;
	if (skip && !strchr(*host, ':'))
		return err_set(err, ERR_CONF, "conf.value",
		    "has something else than an IPv6 address in [ ]");
	if (*end == '\0')
		return true;
	if (*end == ':' && strchr(end + 1, ':') != NULL)
		return err_set(err, ERR_CONF, "conf.value",
		    "is ambiguous: write IPv6 addresses as [ADDRESS]:PORT");
	if (*end != ':' || !parse_small(end + 1, 65535, port) || *port == 0)
		return err_set(err, ERR_CONF, "conf.value",
		    "has no port number from 1 to 65535 after the ':'");
	return true;
}

bool
conf_listen_parse(const char *s, struct conf_listen *out, struct err *err)
{
	g_autofree char *host = NULL;
	int port = 0;

	if (!split_port(s, &host, &port, err))
		return false;
	if (!conf_is_literal(host))
		return err_set(err, ERR_CONF, "conf.value",
		    "is not ADDRESS:PORT with an IP address, such as "
		    "127.0.0.1:8080 or [::1]:8080");
	if (port == 0)
		return err_set(err, ERR_CONF, "conf.value",
		    "lacks a port; write ADDRESS:PORT");
	g_free(out->address);
	out->address = g_steal_pointer(&host);
	out->port = port;
	return true;
}

static bool
check_rest(const char *rest, struct err *err)
{
	if (strchr(rest, '@') != NULL)
		return err_set(err, ERR_CONF, "conf.value",
		    "has a user in it; use the directives user and "
		    "password_file");
	if (strpbrk(rest, "/?#") != NULL)
		return err_set(err, ERR_CONF, "conf.value",
		    "has more than host and port");
	return true;
}

bool
conf_url_parse(const char *s, struct conf_relay *out, struct err *err)
{
	bool tls = g_str_has_prefix(s, "smtps://");
	g_autofree char *host = NULL;
	int port = tls ? 465 : 25;

	if (!tls && !g_str_has_prefix(s, "smtp://"))
		return err_set(err, ERR_CONF, "conf.value",
		    "is not smtp://HOST[:PORT] or smtps://HOST[:PORT]");
	s += tls ? strlen("smtps://") : strlen("smtp://");
	if (!check_rest(s, err) || !split_port(s, &host, &port, err))
		return false;
	if (!conf_is_literal(host) && !conf_is_domain(host))
		return err_set(err, ERR_CONF, "conf.value",
		    "has no host name or IP address after the //");
	g_free(out->host);
	out->host = g_steal_pointer(&host);
	out->port = port;
	out->tls = tls ? DELIVER_TLS_IMPLICIT : DELIVER_TLS_NONE;
	return true;
}

/* What follows the //; *port stays as it is when none is given. */
static bool
check_place(const char *s, int *port, struct err *err)
{
	g_autofree char *host = NULL;

	if (strpbrk(s, "@/?#") != NULL)
		return err_set(err, ERR_CONF, "conf.value",
		    "has more than host and port");
	if (!split_port(s, &host, port, err))
		return false;
	if (!conf_is_literal(host) && !conf_is_domain(host))
		return err_set(err, ERR_CONF, "conf.value",
		    "has no host name or IP address after the //");
	return true;
}

/* "https://graph.facebook.com", and nothing after the host and port. */
bool
conf_https_check(const char *s, struct err *err)
{
	int port = 443;

	if (!g_str_has_prefix(s, "https://"))
		return err_set(err, ERR_CONF, "conf.value",
		    "is not https://HOST[:PORT]");
	return check_place(s + strlen("https://"), &port, err);
}

/* The same, but clear text is allowed: whether, the block's check looks. */
bool
conf_http_check(const char *s, struct err *err)
{
	int port = 80;

	if (!g_str_has_prefix(s, "http://") &&
	    !g_str_has_prefix(s, "https://"))
		return err_set(err, ERR_CONF, "conf.value",
		    "is not http://HOST[:PORT] or https://HOST[:PORT]");
	return check_place(strstr(s, "//") + 2, &port, err);
}

/*
 * "ldaps://ad1.bank.example ldaps://ad2.bank.example": one server, or several
 * of which the next is asked when one is down. No search is written in them.
 */
bool
conf_ldap_check(const char *s, struct err *err)
{
	g_auto(GStrv) urls = g_strsplit(s, " ", -1);
	unsigned n = 0;
	int port = 389;

	for (char **u = urls; *u != NULL; u++) {
		if (**u == '\0')
			continue;
		if (!g_str_has_prefix(*u, "ldaps://") &&
		    !g_str_has_prefix(*u, "ldap://"))
			return err_set(err, ERR_CONF, "conf.value",
			    "is not ldaps://HOST[:PORT] or, with StartTLS, "
			    "ldap://HOST[:PORT]");
		if (!check_place(strstr(*u, "//") + 2, &port, err))
			return false;
		n++;
	}
	return n > 0 || err_set(err, ERR_CONF, "conf.value", "is empty");
}

/* "http://proxy.bank.example:3128": proxies have no usual port. */
bool
conf_proxy_check(const char *s, struct err *err)
{
	int port = 0;

	if (!g_str_has_prefix(s, "http://") &&
	    !g_str_has_prefix(s, "https://"))
		return err_set(err, ERR_CONF, "conf.value",
		    "is not http://HOST:PORT or https://HOST:PORT");
	s = strstr(s, "//") + 2;
	if (strchr(s, '@') != NULL)
		return err_set(err, ERR_CONF, "conf.value",
		    "has a user in it; use the directives proxy_user and "
		    "proxy_password_file");
	if (!check_place(s, &port, err))
		return false;
	return port > 0 || err_set(err, ERR_CONF, "conf.value",
	    "lacks a port; write http://HOST:PORT or https://HOST:PORT");
}

char *
conf_proxy_host(const char *s)
{
	return conf_socket_host(strstr(s, "//") + 2);
}

/* A host, or with a leading dot all below a domain. */
bool
conf_hosts_check(const char *s, struct err *err)
{
	const char *host = *s == '.' ? s + 1 : s;

	/* ".com" would be anybody's. */
	if (*s == '.' && strchr(host, '.') == NULL)
		return err_set(err, ERR_CONF, "conf.value",
		    "is too wide; name a domain of its owner");
	if (conf_is_literal(s) || conf_is_domain(host))
		return true;
	return err_set(err, ERR_CONF, "conf.value",
	    "is not a host, or a domain with a leading dot for all hosts "
	    "below it");
}

static bool
is_socket_address(const char *s)
{
	g_autofree char *host = NULL;
	int port = 0;

	return split_port(s, &host, &port, NULL) && port > 0 &&
	    (conf_is_literal(host) || strcmp(host, "localhost") == 0);
}

/* A path has a '/' in it, ADDRESS:PORT has not. */
bool
conf_socket_check(const char *s, struct err *err)
{
	if (strchr(s, '/') != NULL || is_socket_address(s))
		return true;
	return err_set(err, ERR_CONF, "conf.value",
	    "is neither the path of a socket nor ADDRESS:PORT with an IP "
	    "address or localhost");
}

char *
conf_socket_host(const char *s)
{
	char *host = NULL;
	int port = 0;

	if (strchr(s, '/') == NULL)
		split_port(s, &host, &port, NULL);
	return host;
}
