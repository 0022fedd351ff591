/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses and connections: resolves with a time limit, connects with one,
 * and never opens a connection for clear text to an address that is neither
 * this host's own nor in a trusted network. A failure names the address.
 */
#include "deliver_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
/* For tcpi_bytes_acked; <netinet/tcp.h> has an older struct tcp_info. */
#include <linux/tcp.h>

#include "clock.h"
#include "err.h"
#include "io.h"

/* An address without its port; a mapped IPv4 address as IPv4. */
struct ip {
	int bits;
	uint8_t b[16];
};

static bool
ip_of(const struct sockaddr *sa, struct ip *ip)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (sa->sa_family == AF_INET) {
		ip->bits = 32;
		memcpy(ip->b, &((const struct sockaddr_in *)(const void *)sa)
		    ->sin_addr, 4);
		return true;
	}
	if (sa->sa_family != AF_INET6)
		return false;
	ip->bits = 128;
	memcpy(ip->b, &((const struct sockaddr_in6 *)(const void *)sa)
	    ->sin6_addr, 16);
	if (memcmp(ip->b, mapped, sizeof(mapped)) == 0) {
		ip->bits = 32;
		memmove(ip->b, ip->b + 12, 4);
	}
	return true;
}

static bool
is_loopback(const struct ip *ip)
{
	static const uint8_t one[16] = { [15] = 1 };

	return ip->bits == 32 ? ip->b[0] == 127 :
	    memcmp(ip->b, one, sizeof(one)) == 0;
}

/* "10.0.0.0/8", "2001:db8::/32", or one address. */
static bool
network_has(const char *network, const struct ip *ip)
{
	const char *slash = strchr(network, '/');
	g_autofree char *addr = slash == NULL ? g_strdup(network) :
	    g_strndup(network, (size_t)(slash - network));
	struct ip net = { .bits = strchr(addr, ':') != NULL ? 128 : 32 };
	guint64 len = (guint64)net.bits;

	if (net.bits != ip->bits || inet_pton(net.bits == 32 ? AF_INET :
	    AF_INET6, addr, net.b) != 1)
		return false;
	if (slash != NULL && !g_ascii_string_to_unsigned(slash + 1, 10, 0,
	    (guint64)net.bits, &len, NULL))
		return false;
	for (guint64 i = 0; i < len; i++) {
		if (((net.b[i / 8] ^ ip->b[i / 8]) & 0x80 >> i % 8) != 0)
			return false;
	}
	return true;
}

/*
 * To reach one of its own addresses a host uses that same address as the
 * source. Connecting a datagram socket asks for the route, and sends nothing.
 */
static bool
is_own(const struct sockaddr *sa)
{
	struct sockaddr_storage local, peer;
	socklen_t local_len = sizeof(local), peer_len = sizeof(peer);
	struct ip a, b;
	auto_fd int fd = socket(sa->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, sa, sa->sa_family == AF_INET ?
	    sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&local, &local_len) != 0 ||
	    getpeername(fd, (struct sockaddr *)&peer, &peer_len) != 0 ||
	    !ip_of((struct sockaddr *)&local, &a) ||
	    !ip_of((struct sockaddr *)&peer, &b))
		return false;
	return a.bits == b.bits && memcmp(a.b, b.b, (size_t)a.bits / 8) == 0;
}

bool
deliver_net_trusts(const struct sockaddr *sa, const GPtrArray *trusted)
{
	struct ip ip;

	if (!ip_of(sa, &ip))
		return false;
	if (is_loopback(&ip))
		return true;
	for (guint i = 0; trusted != NULL && i < trusted->len; i++) {
		if (network_has(g_ptr_array_index(trusted, i), &ip))
			return true;
	}
	return is_own(sa);
}

static void
name_address(const struct sockaddr *sa, char out[INET6_ADDRSTRLEN])
{
	struct ip ip = { .bits = 0 };

	out[0] = '\0';
	if (ip_of(sa, &ip))
		inet_ntop(ip.bits == 32 ? AF_INET : AF_INET6, ip.b, out,
		    INET6_ADDRSTRLEN);
}

bool
deliver_net_refuse(const struct deliver_relay *relay,
    const struct sockaddr *sa, struct err *err)
{
	char addr[INET6_ADDRSTRLEN];

	name_address(sa, addr);
	return err_set(err, ERR_TEMP, "smtp.clear",
	    "relay %s: %s is %s, which is not this host, and mail in clear "
	    "text would cross the network; set tls, or name the network in "
	    "trusted_network", relay->name, relay->host, addr);
}

/* Shared by the session and a thread that may outlive its patience. */
struct lookup {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char *host;
	char port[8];
	struct addrinfo *found;
	int status;
	bool done, abandoned;
};

static void
lookup_free(struct lookup *l)
{
	if (l->found != NULL)
		freeaddrinfo(l->found);
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->lock);
	g_free(l->host);
	g_free(l);
}

static int
ask(const char *host, const char *port, int flags, struct addrinfo **out)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = flags | AI_NUMERICSERV };

	return getaddrinfo(host, port, &hints, out);
}

static void *
look_up(void *arg)
{
	struct lookup *l = arg;
	struct addrinfo *found = NULL;
	int status = ask(l->host, l->port, AI_ADDRCONFIG, &found);
	bool abandoned;

	pthread_mutex_lock(&l->lock);
	l->found = status == 0 ? found : NULL;
	l->status = status;
	l->done = true;
	abandoned = l->abandoned;
	pthread_cond_signal(&l->changed);
	pthread_mutex_unlock(&l->lock);
	if (abandoned)
		lookup_free(l);
	return NULL;
}

static struct lookup *
lookup_new(const struct deliver_relay *relay)
{
	struct lookup *l = g_new0(struct lookup, 1);
	pthread_condattr_t attr;

	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->changed, &attr);
	pthread_condattr_destroy(&attr);
	l->host = g_strdup(relay->host);
	snprintf(l->port, sizeof(l->port), "%d", relay->port);
	return l;
}

static bool
start_detached(void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	sigset_t none, old;
	pthread_t thread;
	int status;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&none);
	pthread_sigmask(SIG_SETMASK, &none, &old);
	status = pthread_create(&thread, &attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return status == 0;
}

/* False if it is not done in time: then the thread frees it. */
static bool
wait_for(struct lookup *l, int64_t wait_ms)
{
	int64_t end = clock_mono_ms() + wait_ms;
	struct timespec ts = { .tv_sec = (time_t)(end / 1000),
		.tv_nsec = (long)(end % 1000) * 1000000 };
	bool done;

	pthread_mutex_lock(&l->lock);
	while (!l->done && pthread_cond_timedwait(&l->changed, &l->lock,
	    &ts) == 0)
		;
	done = l->done;
	l->abandoned = !done;
	pthread_mutex_unlock(&l->lock);
	return done;
}

/* getaddrinfo() has no time limit: a name is looked up in a thread. */
static bool
resolve(const struct deliver_relay *relay, struct addrinfo **out,
    struct err *err)
{
	struct lookup *l = lookup_new(relay);
	int status;

	if (ask(l->host, l->port, AI_NUMERICHOST, out) == 0) {
		lookup_free(l);
		return true;
	}
	if (!start_detached(look_up, l)) {
		lookup_free(l);
		return err_set(err, ERR_TEMP, "smtp.resolve",
		    "relay %s: no thread to look up its address",
		    relay->name);
	}
	if (!wait_for(l, relay->connect_ms))
		return err_set(err, ERR_TEMP, "smtp.resolve",
		    "relay %s: the address of %s was not found within %lld ms;"
		    " check the name servers", relay->name, relay->host,
		    (long long)relay->connect_ms);
	status = l->status;
	*out = g_steal_pointer(&l->found);
	lookup_free(l);
	if (status == 0)
		return true;
	return err_set(err, ERR_TEMP, "smtp.resolve",
	    "relay %s: no address for %s: %s", relay->name, relay->host,
	    gai_strerror(status));
}

static bool
wait_connected(int fd, int64_t end_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int status = 0;
	socklen_t len = sizeof(status);
	int n;

	do {
		int64_t left = end_ms - clock_mono_ms();

		n = poll(&p, 1, (int)CLAMP(left, 0, INT_MAX));
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	if (n <= 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &status, &len) != 0)
		return false;
	errno = status;
	return status == 0;
}

/*
 * Without TCP_NODELAY a mail above libesmtp's 2048-byte buffer waits 40 ms
 * for a delayed acknowledgement. The others notice a peer that is gone.
 */
static void
set_options(int fd, const struct deliver_relay *relay)
{
	int on = 1, idle = 60;
	unsigned user_ms = (unsigned)CLAMP(relay->command_ms, 1000, 3600000);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_ms,
	    sizeof(user_ms));
}

static bool
connect_one(const struct deliver_relay *relay, const struct addrinfo *a,
    int *out, struct err *err)
{
	char addr[INET6_ADDRSTRLEN];
	int fd;

	if (!deliver_net_trusts(a->ai_addr, relay->trusted))
		return deliver_net_refuse(relay, a->ai_addr, err);
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd >= 0)
		set_options(fd, relay);
	if (fd >= 0 && (connect(fd, a->ai_addr, a->ai_addrlen) == 0 ||
	    (errno == EINPROGRESS && wait_connected(fd, clock_mono_ms() +
	    relay->connect_ms)))) {
		*out = fd;
		return true;
	}
	int e = errno;

	if (fd >= 0)
		close(fd);
	name_address(a->ai_addr, addr);
	return err_set(err, ERR_TEMP, "smtp.connect",
	    "relay %s: no connection to %s port %d (%s): %s", relay->name,
	    relay->host, relay->port, addr, err_errno(e));
}

bool
deliver_net_connect(const struct deliver_relay *relay, int *out,
    struct err *err)
{
	struct addrinfo *found = NULL;
	bool ok = false;

	if (!resolve(relay, &found, err))
		return false;
	for (const struct addrinfo *a = found; a != NULL && !ok; a = a->ai_next)
		ok = connect_one(relay, a, out, err);
	freeaddrinfo(found);
	return ok;
}

bool
deliver_net_is_stale(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLRDHUP };

	return poll(&p, 1, 0) != 0;
}

int64_t
deliver_net_acked(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return 0;
	return (int64_t)info.tcpi_bytes_acked;
}
