/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speaks the part of clamd(8) that is needed, strictly: a client that breaks
 * the protocol is answered with an error. One connection at a time.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "clamd_peer.h"

#include <arpa/inet.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK_MAX (1 << 20)

static bool
get(int fd, void *to, size_t len)
{
	char *p = to;

	while (len > 0) {
		ssize_t n = read(fd, p, len);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static void
put(const struct clamd_peer *p, int fd, const char *reply)
{
	size_t len = strlen(reply) + 1, step =
	    p->habit == CLAMD_DRIPS ? 1 : len;

	for (size_t i = 0; i < len; i += step) {
		if (send(fd, reply + i, step, MSG_NOSIGNAL) < 0)
			return;
	}
}

/* Until the test is over or the client goes away. */
static void
hang(const struct clamd_peer *p, int fd)
{
	struct pollfd fds[] = { { .fd = p->stop[0], .events = POLLIN },
		{ .fd = fd, .events = POLLRDHUP } };

	poll(fds, 2, -1);
}

/* False when the client broke the protocol or left. */
static bool
read_file(struct clamd_peer *p, int fd)
{
	struct hash *h = hash_new();
	g_autofree char *buf = g_malloc(CHUNK_MAX);
	uint32_t size;
	bool ok;

	p->bytes = 0;
	while ((ok = get(fd, &size, sizeof(size))) && size != 0) {
		size = ntohl(size);
		if (size > CHUNK_MAX || !get(fd, buf, size)) {
			ok = false;
			break;
		}
		hash_update(h, buf, size);
		p->bytes += size;
		if (p->habit == CLAMD_HASTY)
			break;
	}
	hash_final(h, p->sha256);
	return ok;
}

static void
serve(struct clamd_peer *p, int fd)
{
	char command[10];

	p->calls++;
	if (p->habit == CLAMD_DEAF) {
		hang(p, fd);
		return;
	}
	if (!get(fd, command, sizeof(command)) ||
	    memcmp(command, "zINSTREAM", sizeof(command)) != 0 ||
	    !read_file(p, fd)) {
		put(p, fd, "UNKNOWN COMMAND");
		return;
	}
	if (p->habit == CLAMD_HANGS)
		hang(p, fd);
	else if (p->habit != CLAMD_CLOSES)
		put(p, fd, p->reply);
}

static void *
run(void *arg)
{
	struct clamd_peer *p = arg;
	struct pollfd fds[] = { { .fd = p->stop[0], .events = POLLIN },
		{ .fd = p->fd, .events = POLLIN } };

	while (poll(fds, 2, -1) > 0 && fds[0].revents == 0) {
		int fd = accept(p->fd, NULL, NULL);

		if (fd < 0)
			break;
		serve(p, fd);
		close(fd);
	}
	return NULL;
}

void
clamd_peer_start(struct clamd_peer *p, const char *dir)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	*p = (struct clamd_peer){ .reply = "stream: OK" };
	p->path = g_build_filename(dir, "clamd", NULL);
	g_strlcpy(sun.sun_path, p->path, sizeof(sun.sun_path));
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(p->fd, 8), 0);
	assert_int_equal(pipe(p->stop), 0);
	assert_int_equal(pthread_create(&p->thread, NULL, run, p), 0);
}

void
clamd_peer_stop(struct clamd_peer *p)
{
	if (p->path == NULL)
		return;
	assert_int_equal(write(p->stop[1], "x", 1), 1);
	pthread_join(p->thread, NULL);
	close(p->fd);
	close(p->stop[0]);
	close(p->stop[1]);
	unlink(p->path);
	g_clear_pointer(&p->path, g_free);
}
