/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening socket, and how a peer's address is spelt. Whoever makes the
 * socket need not be the process that serves: it outlives that, and with it
 * those who wait in its queue.
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

int
http_listen_port(int fd)
{
	union any_addr a;
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.sa, &len) != 0 ||
	    (a.sa.sa_family != AF_INET && a.sa.sa_family != AF_INET6))
		return -1;
	return ntohs(a.sa.sa_family == AF_INET6 ? a.v6.sin6_port :
	    a.v4.sin_port);
}

/*
 * While this is set on two sockets of one user, the kernel lets both listen on
 * one port, be their addresses the same or not. Set only for that moment: a
 * second daemon on the port must be refused as ever.
 */
static void
share(const struct http_place *place, int fd, int on)
{
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	for (size_t i = 0; i < place->n_beside; i++)
		if (place->beside[i] >= 0)
			setsockopt(place->beside[i], SOL_SOCKET, SO_REUSEPORT,
			    &on, sizeof(on));
}

static bool
bind_and_listen(int fd, const union any_addr *a, socklen_t len)
{
	return bind(fd, &a->sa, len) == 0 && listen(fd, SOMAXCONN) == 0;
}

static bool
listen_beside(const struct http_place *place, int fd,
    const union any_addr *a, socklen_t len)
{
	bool ok = bind_and_listen(fd, a, len);
	int e;

	if (ok || errno != EADDRINUSE || place->n_beside == 0)
		return ok;
	share(place, fd, 1);
	ok = bind_and_listen(fd, a, len);
	e = errno;
	share(place, fd, 0);
	errno = e;
	return ok;
}

static bool
open_place(const struct http_place *place, bool listening, int *out,
    struct err *err)
{
	union any_addr a;
	socklen_t len = address_of(place->address, place->port, &a);
	auto_fd int fd = -1;

	if (len == 0 || place->port < 0 || place->port > 65535)
		return err_set(err, ERR_CONF, "http.listen",
		    "%s port %d: not an IPv4 or IPv6 address with a port",
		    place->address, place->port);
	fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (fd < 0 || !set_options(fd, a.sa.sa_family) ||
	    !(listening ? listen_beside(place, fd, &a, len) :
	    bind(fd, &a.sa, len) == 0)) {
		int e = errno;

		return err_set(err, ERR_CONF, "http.listen",
		    "cannot listen on %s port %d: %s%s", place->address,
		    place->port, err_errno(e), remedy(e));
	}
	*out = fd;
	fd = -1;
	return true;
}

bool
http_hold(const struct http_place *place, int *fd, struct err *err)
{
	return open_place(place, false, fd, err);
}

bool
http_listen(const struct http_place *place, int *fd, struct err *err)
{
	return open_place(place, true, fd, err);
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
