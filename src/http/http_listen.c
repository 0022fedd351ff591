/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening socket, made before the role drops its rights.
 */
#include "http_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "err.h"
#include "io.h"

union any_addr {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Literals only: a name would need a resolver, and may mean many sockets. */
static socklen_t
address_of(const char *text, int port, union any_addr *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons((uint16_t)port);
		return sizeof(out->v4);
	}
	if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1) {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons((uint16_t)port);
		return sizeof(out->v6);
	}
	return 0;
}

/* "::" serves IPv4 too, whatever net.ipv6.bindv6only says. */
static bool
set_options(int fd, int family)
{
	int on = 1, off = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return false;
	return family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
	    &off, sizeof(off)) == 0;
}

static const char *
remedy(int errnum)
{
	if (errnum == EADDRINUSE)
		return "; another process listens there: stop it or change "
		    "the port";
	if (errnum == EACCES)
		return "; ports below 1024 need CAP_NET_BIND_SERVICE";
	if (errnum == EADDRNOTAVAIL)
		return "; no interface of this host has that address";
	return "";
}

static int
bound_port(int fd)
{
	union any_addr a;
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.sa, &len) != 0)
		return -1;
	return ntohs(a.sa.sa_family == AF_INET6 ? a.v6.sin6_port :
	    a.v4.sin_port);
}

bool
http_listen_open(struct http_server *srv, struct err *err)
{
	const struct http_conf *conf = &srv->conf;
	union any_addr a;
	socklen_t len = address_of(conf->address, conf->port, &a);
	auto_fd int fd = -1;

	if (len == 0 || conf->port < 0 || conf->port > 65535)
		return err_set(err, ERR_CONF, "http.listen",
		    "%s port %d: not an IPv4 or IPv6 address with a port",
		    conf->address, conf->port);
	fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (fd < 0 || !set_options(fd, a.sa.sa_family) ||
	    bind(fd, &a.sa, len) != 0 || listen(fd, SOMAXCONN) != 0) {
		int e = errno;

		return err_set(err, ERR_CONF, "http.listen",
		    "cannot listen on %s port %d: %s%s", conf->address,
		    conf->port, err_errno(e), remedy(e));
	}
	srv->port = bound_port(fd);
	srv->listen_fd = fd;
	fd = -1;
	return true;
}

/* An IPv4 client of a dual-stack socket is spelt as IPv4. */
void
http_remote_text(const struct sockaddr *addr, char out[INET6_ADDRSTRLEN])
{
	union any_addr a;
	const uint8_t *b;

	out[0] = '\0';
	memset(&a, 0, sizeof(a));
	if (addr == NULL)
		return;
	if (addr->sa_family == AF_INET) {
		memcpy(&a.v4, addr, sizeof(a.v4));
		inet_ntop(AF_INET, &a.v4.sin_addr, out, INET6_ADDRSTRLEN);
	} else if (addr->sa_family == AF_INET6) {
		memcpy(&a.v6, addr, sizeof(a.v6));
		b = a.v6.sin6_addr.s6_addr;
		if (IN6_IS_ADDR_V4MAPPED(&a.v6.sin6_addr))
			inet_ntop(AF_INET, b + 12, out, INET6_ADDRSTRLEN);
		else
			inet_ntop(AF_INET6, b, out, INET6_ADDRSTRLEN);
	}
}
