/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load of signed webhooks: keep-alive connections, each with one request
 * under way, every event with an id of its own and exactly BODY_SIZE bytes.
 * Prints one line: answers per second and the latency's percentiles. Any
 * answer but 200 is counted, never retried. Sends only to loopback.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "err.h"
#include "hash.h"
#include "io.h"

#define BODY_SIZE 505
#define REQUEST_MAX 1024

struct peer {
	int fd;
	char in[512];
	size_t have;
	gint64 begun_us;
};

struct load {
	int port, connections;
	long count, sent, answered, refused;
	double rate;			/* per second; 0: as fast as it goes */
	const char *path, *prefix;
	GBytes *secret;
	gint64 *latency_us;
	gint64 begun_us;
};

/* Finer than clock.h's milliseconds; only benchmarks need that. */
static gint64
now_us(void)
{
	return g_get_real_time();
}

/* A text event whose id is prefix and n, padded to BODY_SIZE. */
static void
make_body(const struct load *l, long n, char out[BODY_SIZE + 1])
{
	static const char head[] =
	    "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":"
	    "\"900100200300400\",\"changes\":[{\"value\":{"
	    "\"messaging_product\":\"whatsapp\",\"metadata\":{"
	    "\"display_phone_number\":\"551140040001\",\"phone_number_id\":"
	    "\"106540352242922\"},\"contacts\":[{\"profile\":{\"name\":"
	    "\"Ana\"},\"wa_id\":\"55119%08ld\"}],\"messages\":[{\"from\":"
	    "\"55119%08ld\",\"id\":\"wamid.%s%09ld\",\"timestamp\":\"%ld\","
	    "\"type\":\"text\",\"text\":{\"body\":\"";
	static const char tail[] =
	    "\"}}]},\"field\":\"messages\"}]}]}";
	long who = n % 5000;
	int len = snprintf(out, BODY_SIZE + 1, head, who, who, l->prefix, n,
	    1790000000 + n / 1000);
	int end = BODY_SIZE - (int)(sizeof(tail) - 1);

	while (len < end) {
		out[len] = "Please confirm the transfer. "[len % 29];
		len++;
	}
	memcpy(out + end, tail, sizeof(tail));
}

static size_t
make_request(const struct load *l, long n, char out[REQUEST_MAX])
{
	char body[BODY_SIZE + 1], hex[HASH_HEX_SIZE];
	uint8_t mac[HASH_SIZE];
	gsize key_len;
	const void *key = g_bytes_get_data(l->secret, &key_len);

	make_body(l, n, body);
	hash_hmac_sha256(key, key_len, body, BODY_SIZE, mac);
	return (size_t)snprintf(out, REQUEST_MAX,
	    "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: "
	    "application/json\r\nX-Hub-Signature-256: sha256=%s\r\n"
	    "Content-Length: %d\r\n\r\n%s", l->path, hash_hex(mac, hex),
	    BODY_SIZE, body);
}

static void
die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, err_errno(errno));
	exit(1);
}

static void
open_peer(const struct load *l, struct peer *p)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)l->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;

	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (p->fd < 0 || connect(p->fd, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void
send_next(struct load *l, struct peer *p)
{
	char rq[REQUEST_MAX];
	size_t len = make_request(l, l->sent, rq);

	p->begun_us = now_us();
	p->have = 0;
	l->sent++;
	if (write(p->fd, rq, len) != (ssize_t)len)
		die("write");
}

/* True when a whole answer is there (answers have short bodies or none). */
static bool
read_answer(struct load *l, struct peer *p)
{
	ssize_t n = read(p->fd, p->in + p->have, sizeof(p->in) - 1 - p->have);
	const char *end, *length;

	if (n <= 0)
		die("connection closed by the server");
	p->have += (size_t)n;
	p->in[p->have] = '\0';
	end = strstr(p->in, "\r\n\r\n");
	length = strcasestr(p->in, "content-length:");
	if (end == NULL || (length != NULL && (size_t)(end + 4 - p->in) +
	    strtoul(length + 15, NULL, 10) > p->have))
		return false;
	l->latency_us[l->answered++] = now_us() - p->begun_us;
	if (strncmp(p->in + 9, "200", 3) != 0)
		l->refused++;
	return true;
}

/* With a rate, a request goes out at its own time, not when the last ended. */
static void
pace(const struct load *l)
{
	gint64 due;

	if (l->rate <= 0)
		return;
	due = l->begun_us + (gint64)((double)l->sent * 1e6 / l->rate);
	while (now_us() < due)
		g_usleep((gulong)MAX(due - now_us(), 1));
}

static void
run(struct load *l)
{
	g_autofree struct peer *peers = g_new0(struct peer,
	    (gsize)l->connections);
	auto_fd int ep = epoll_create1(0);
	struct epoll_event ev[256];

	for (int i = 0; i < l->connections; i++) {
		open_peer(l, &peers[i]);
		ev[0] = (struct epoll_event){ .events = EPOLLIN,
			.data.ptr = &peers[i] };
		epoll_ctl(ep, EPOLL_CTL_ADD, peers[i].fd, &ev[0]);
	}
	l->begun_us = now_us();
	for (int i = 0; i < l->connections && l->sent < l->count; i++)
		send_next(l, &peers[i]);
	while (l->answered < l->count) {
		int n = epoll_wait(ep, ev, 256, 30000);

		if (n <= 0)
			die("no answer for 30 s");
		for (int i = 0; i < n; i++) {
			if (!read_answer(l, ev[i].data.ptr) ||
			    l->sent == l->count)
				continue;
			pace(l);
			send_next(l, ev[i].data.ptr);
		}
	}
	for (int i = 0; i < l->connections; i++)
		close(peers[i].fd);
}

static int
by_value(const void *a, const void *b)
{
	gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

	return x < y ? -1 : x > y;
}

static double
percentile_ms(const struct load *l, double p)
{
	return (double)l->latency_us[(long)(p * (double)(l->count - 1))] / 1e3;
}

static bool
parse(struct load *l, int argc, char **argv)
{
	struct err err = ERR_INIT;
	int opt;

	while ((opt = getopt(argc, argv, "p:c:n:r:u:s:i:")) != -1) {
		switch (opt) {
		case 'p':
			l->port = (int)strtol(optarg, NULL, 10);
			break;
		case 'c':
			l->connections = (int)strtol(optarg, NULL, 10);
			break;
		case 'n':
			l->count = strtol(optarg, NULL, 10);
			break;
		case 'r':
			l->rate = strtod(optarg, NULL);
			break;
		case 'u':
			l->path = optarg;
			break;
		case 'i':
			l->prefix = optarg;
			break;
		case 's':
			if (!io_secret_load(optarg, 4096, &l->secret, &err))
				fprintf(stderr, "load: %s\n", err.text);
			break;
		default:
			return false;
		}
	}
	return l->port > 0 && l->count > 0 && l->connections > 0 &&
	    l->secret != NULL;
}

int
main(int argc, char **argv)
{
	struct load l = { .connections = 64, .count = 10000,
		.path = "/webhook/whatsapp", .prefix = "BENCH" };
	double seconds;

	if (!parse(&l, argc, argv)) {
		fputs("usage: load -p PORT -s SECRET-FILE [-c CONNECTIONS] "
		    "[-n COUNT] [-r RATE] [-u PATH] [-i ID-PREFIX]\n", stderr);
		return 64;
	}
	l.latency_us = g_new(gint64, (gsize)l.count);
	run(&l);
	seconds = (double)(now_us() - l.begun_us) / 1e6;
	qsort(l.latency_us, (size_t)l.count, sizeof(gint64), by_value);
	printf("count=%ld per_s=%.0f p50_ms=%.2f p99_ms=%.2f max_ms=%.2f "
	    "refused=%ld seconds=%.2f\n", l.count,
	    (double)l.count / seconds, percentile_ms(&l, 0.5),
	    percentile_ms(&l, 0.99), percentile_ms(&l, 1.0), l.refused,
	    seconds);
	g_free(l.latency_us);
	g_bytes_unref(l.secret);
	return l.refused > 0;
}
