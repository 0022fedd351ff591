/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam under libesmtp's connect().
 *
 * libesmtp connects by itself: without a time limit, without TCP_NODELAY
 * (which costs 40 ms for each mail above 2 KB), without a way to give it an
 * IPv6 literal or to learn which address it took. So we connect ourselves
 * (deliver_net.c), tell libesmtp to connect to port 0 of the loopback
 * address, and let its connect() arrive here, where its socket becomes
 * another name of ours. A program that exports a function of this name is
 * asked before the C library: deliver_seam_works() checks that, and where it
 * should ever fail, port 0 refuses every connection.
 *
 * All other calls go to the kernel as they came.
 *
 * <sys/socket.h> is left out on purpose: with GNU extensions it declares
 * connect() with a transparent union.
 */
#include "deliver_int.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

int connect(int fd, const struct sockaddr *addr, socklen_t len);

static _Thread_local int seam_sock = -1;

int
connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	int sock = seam_sock;

	if (sock < 0)
		return (int)syscall(SYS_connect, fd, addr, len);
	/* Once only: the feed may connect to its own things. */
	seam_sock = -1;
	return dup3(sock, fd, O_CLOEXEC) < 0 ? -1 : 0;
}

bool
deliver_seam_works(void)
{
	union {
		void *object;
		int (*function)(int, const struct sockaddr *, socklen_t);
	} first = { .object = dlsym(RTLD_DEFAULT, "connect") };

	return first.function == connect;
}

bool
deliver_seam_set(int sock)
{
	bool unused = seam_sock >= 0;

	seam_sock = sock;
	return unused;
}
