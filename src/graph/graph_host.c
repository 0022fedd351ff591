/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which hosts get the token. A URL is not interpreted but compared: whatever
 * is not spelled in the plainest way is refused, so that no two parsers can
 * disagree about where it leads. No I/O.
 */
#include "graph_int.h"

#include <string.h>

#include "err.h"

#define URL_MAX_LEN 4096
#define HOST_MAX_LEN 253	/* RFC 1035 section 2.3.4, as text */
#define HTTPS "https://"
#define HTTPS_PORT 443

static bool
refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_PERM, "graph.host",
	    "the address of the file %s: nothing was sent to it", why);
}

static bool
is_plain(const char *url)
{
	size_t len = strlen(url);

	for (size_t i = 0; i < len; i++) {
		if (url[i] <= ' ' || url[i] > '~' || url[i] == '\\')
			return false;
	}
	return len <= URL_MAX_LEN;
}

static bool
is_label(const char *s, size_t len)
{
	if (len == 0 || len > 63 || s[0] == '-' || s[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!g_ascii_isalnum(s[i]) && s[i] != '-')
			return false;
	}
	return true;
}

static bool
is_host(const char *s, size_t len)
{
	const char *end = s + len, *dot;

	if (len == 0 || len > HOST_MAX_LEN)
		return false;
	while ((dot = memchr(s, '.', (size_t)(end - s))) != NULL) {
		if (!is_label(s, (size_t)(dot - s)))
			return false;
		s = dot + 1;
	}
	return is_label(s, (size_t)(end - s));
}

/* A port after ":"; 0: not one. */
static int
port_of(const char *s, size_t len)
{
	int port = 0;

	if (len < 1 || len > 5 || s[0] == '0')
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (!g_ascii_isdigit(s[i]))
			return 0;
		port = port * 10 + (s[i] - '0');
	}
	return port > 65535 ? 0 : port;
}

bool
graph_place_parse(const char *url, struct graph_place *out, struct err *err)
{
	const char *name, *colon;
	size_t len, name_len;
	int port = HTTPS_PORT;

	if (!is_plain(url))
		return refuse(err, "is too long or no plain text");
	if (g_ascii_strncasecmp(url, HTTPS, strlen(HTTPS)) != 0)
		return refuse(err, "does not begin with https://");
	name = url + strlen(HTTPS);
	len = name_len = strcspn(name, "/?#");
	colon = memchr(name, ':', len);
	if (colon != NULL) {
		name_len = (size_t)(colon - name);
		port = port_of(colon + 1, len - name_len - 1);
	}
	if (port == 0 || !is_host(name, name_len))
		return refuse(err, "has no plain host name");
	out->host = g_ascii_strdown(name, (gssize)name_len);
	out->port = port;
	return true;
}

void
graph_place_clear(struct graph_place *p)
{
	g_clear_pointer(&p->host, g_free);
}

/* The last label of a name has a letter in it; that of an address has not. */
static bool
is_address(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *last = dot != NULL ? dot + 1 : host;

	return last[strspn(last, "0123456789")] == '\0' ||
	    g_ascii_strncasecmp(last, "0x", 2) == 0;
}

static bool
fits(const char *host, const char *rule)
{
	size_t n = strlen(rule), len = strlen(host);

	if (rule[0] != '.')
		return g_ascii_strcasecmp(host, rule) == 0;
	return len > n && !is_address(host) &&
	    g_ascii_strcasecmp(host + len - n, rule) == 0;
}

static bool
is_allowed(const struct graph_place *home, const GPtrArray *more,
    const struct graph_place *p)
{
	if (p->port != home->port && p->port != HTTPS_PORT)
		return false;
	if (strcmp(p->host, home->host) == 0)
		return true;
	for (guint i = 0; more != NULL && i < more->len; i++) {
		if (fits(p->host, more->pdata[i]))
			return true;
	}
	return false;
}

bool
graph_host_check(const struct graph_place *home, const GPtrArray *more,
    const char *url, struct err *err)
{
	struct graph_place p;
	bool ok;

	if (!graph_place_parse(url, &p, err))
		return false;
	ok = is_allowed(home, more, &p);
	if (!ok)
		err_set(err, ERR_PERM, "graph.host", "the file is said to be "
		    "at %s port %d, which does not get the token; if it "
		    "is Meta's, add it to media_host", p.host, p.port);
	graph_place_clear(&p);
	return ok;
}

bool
graph_host_is_rule(const char *rule)
{
	const char *name = rule[0] == '.' ? rule + 1 : rule;

	return is_host(name, strlen(name));
}
