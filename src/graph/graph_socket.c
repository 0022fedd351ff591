/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a kept connection still good? Between two requests of HTTP/1.1 the other
 * side has nothing to say: whatever can be read then is the end of the
 * connection, or of TLS on it. On a new one there may be session tickets, so
 * that one is not asked. libcurl tells the end of the connection that it is
 * about to use by address and port only, hence the list.
 */
#include "graph_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct graph_socket *
at(GArray *sockets, guint i)
{
	return &g_array_index(sockets, struct graph_socket, i);
}

static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct graph_socket s = { .six = address->family == AF_INET6 };

	(void)purpose;
	s.fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
	    address->protocol);
	if (s.fd < 0)
		return CURL_SOCKET_BAD;
	g_array_append_val((GArray *)arg, s);
	return s.fd;
}

static int
on_close(void *arg, curl_socket_t fd)
{
	GArray *sockets = arg;

	for (guint i = 0; i < sockets->len; i++) {
		if (at(sockets, i)->fd != fd)
			continue;
		g_array_remove_index_fast(sockets, i);
		break;
	}
	return close(fd);
}

void
graph_socket_follow(GArray *sockets, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sockets);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets);
}

/* Asked once it is connected; before, there is none. */
static int
port_of(struct graph_socket *s)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a;
	socklen_t len = sizeof(a);

	memset(&a, 0, sizeof(a));
	if (s->port == 0 && getsockname(s->fd, &a.sa, &len) == 0)
		s->port = ntohs(s->six ? a.v6.sin6_port : a.v4.sin_port);
	return s->port;
}

static struct graph_socket *
find(GArray *sockets, bool six, int port)
{
	for (guint i = 0; i < sockets->len; i++) {
		struct graph_socket *s = at(sockets, i);

		if (s->six == six && port_of(s) == port)
			return s;
	}
	return NULL;
}

static bool
is_quiet(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	    (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool
graph_socket_is_clean(GArray *sockets, const char *ip, int port)
{
	struct graph_socket *s = find(sockets, strchr(ip, ':') != NULL, port);
	bool used;

	if (s == NULL)
		return true;
	used = s->used;
	s->used = true;
	return !used || is_quiet(s->fd);
}
