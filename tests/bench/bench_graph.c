/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many sends a second the pool has answered, and how much processor time
 * of its own each costs.
 *
 *   bench_graph URL CA-FILE [CONNECTIONS [SENDS [AT-ONCE]]]
 *
 * POSTs of 320 bytes, AT-ONCE of them with the pool at any time. Fails when one
 * is not answered by 200. graph.sh runs it against nginx.
 */
#include <glib.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clock.h"
#include "err.h"
#include "graph.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long under_way, bad;

static void
on_done(void *arg, const struct graph_reply *r)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	under_way--;
	if (r->fate != GRAPH_ANSWERED || r->status != 200) {
		if (bad++ == 0)
			fprintf(stderr, "fate %d status %d: %s\n", r->fate,
			    r->status, r->why != NULL ? r->why->text : "");
	}
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
}

static void
wait_for_fewer_than(long n)
{
	pthread_mutex_lock(&lock);
	while (under_way >= n)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void
run(struct graph_pool *pool, long sends, long at_once)
{
	char body[320];
	const struct graph_request rq = { .method = "POST",
		.target = "/v25.0/106540352242922/messages",
		.content_type = "application/json", .body = body,
		.len = sizeof(body), .max_answer = 65536, .total_ms = 60000,
		.done = on_done };

	memset(body, ' ', sizeof(body));
	memcpy(body, "{}", 2);
	for (long i = 0; i < sends; i++) {
		wait_for_fewer_than(at_once);
		pthread_mutex_lock(&lock);
		under_way++;
		pthread_mutex_unlock(&lock);
		graph_pool_submit(pool, &rq);
	}
	wait_for_fewer_than(1);
}

static double
cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static long
number(char **argv, int argc, int i, long otherwise)
{
	return argc > i ? strtol(argv[i], NULL, 10) : otherwise;
}

int
main(int argc, char **argv)
{
	g_autoptr(GBytes) token = g_bytes_new_static("EAAGbench", 9);
	struct graph_conf conf = { .version = "v25.0", .token = token,
		.connect_ms = 10000, .total_ms = 60000 };
	long connections = number(argv, argc, 3, 32);
	long sends = number(argv, argc, 4, 20000);
	long at_once = number(argv, argc, 5, 4 * connections);
	struct err err = ERR_INIT;
	struct graph_pool *pool;
	struct graph *g;
	int64_t begin;
	double cpu;

	if (argc < 3)
		return 2;
	conf.url = argv[1];
	conf.tls_ca_file = argv[2];
	graph_init();
	if (!graph_new(&conf, &g, &err) ||
	    !graph_pool_new(g, (int)connections, &pool, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	run(pool, connections, connections);	/* handshakes */
	cpu = cpu_ms();
	begin = clock_mono_ms();
	run(pool, sends, at_once);
	begin = clock_mono_ms() - begin;
	cpu = cpu_ms() - cpu;
	printf("pool sends=%ld connections=%ld rate=%.0f cpu_us=%.1f bad=%ld\n",
	    sends, connections, (double)sends * 1e3 / (double)begin,
	    cpu * 1e3 / (double)sends, bad);
	graph_pool_free(pool);
	graph_free(g);
	return bad == 0 ? 0 : 1;
}
