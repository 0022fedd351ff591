/* SPDX-License-Identifier: Apache-2.0 */
/* Starts and asks tests/fake/graph.py and sends.py. A failure fails the test. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "graph_peer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "hash.h"
#include "io.h"

static char *
program(const char *name)
{
	const char *src = getenv("SRCDIR");

	return g_build_filename(src != NULL ? src : ".", "tests", "fake",
	    name, NULL);
}

static bool
read_line(int fd, char *buf, size_t size)
{
	size_t n = 0;

	while (n < size - 1 && read(fd, buf + n, 1) == 1 && buf[n] != '\n')
		n++;
	buf[n] = '\0';
	return n > 0;
}

static bool
spawn(struct graph_peer *p, const char *name, const char *number)
{
	g_autofree char *prog = program(name);
	const char *argv[] = { "python3", "-B", prog, "--dir", p->dir,
		number != NULL ? "--phone-number-id" : NULL, number, NULL };

	return g_spawn_async_with_pipes(NULL, (char **)(uintptr_t)argv, NULL,
	    G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
	    &p->pid, &p->in, &p->out, NULL, NULL);
}

static struct graph_peer *
start(struct graph_peer *p, const char *name, const char *number)
{
	int *ports[] = { &p->port, &p->foreign, &p->plain };
	g_autofree char *token = NULL;
	char line[64], *rest = line;

	if (!spawn(p, name, number) ||
	    !read_line(p->out, line, sizeof(line))) {
		graph_peer_rm(p->dir);
		return NULL;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(ports); i++)
		*ports[i] = (int)strtol(rest, &rest, 10);
	p->url = g_strdup_printf("https://localhost:%d", p->port);
	p->ca_file = g_build_filename(p->dir, "graph.ca.pem", NULL);
	token = g_build_filename(p->dir, "graph.token", NULL);
	assert_true(io_secret_load(token, 4096, &p->token, NULL));
	return p;
}

static struct graph_peer *
peer_new(const char *log)
{
	struct graph_peer *p = g_new0(struct graph_peer, 1);
	char name[] = "/tmp/cj-graph-XXXXXX";

	p->dir = g_strdup(mkdtemp(name));
	p->log = g_build_filename(p->dir, log, NULL);
	return p;
}

struct graph_peer *
graph_peer_start(const char *script)
{
	struct graph_peer *p = peer_new("graph.log");

	graph_peer_file(p, "graph.script", script, strlen(script));
	return start(p, "graph.py", "106540352242922");
}

struct graph_peer *
graph_peer_start_sends(void)
{
	return start(peer_new("sends.log"), "sends.py", NULL);
}

void
graph_peer_stop(struct graph_peer *p)
{
	if (p == NULL)
		return;
	close(p->in);
	close(p->out);
	waitpid(p->pid, NULL, 0);
	graph_peer_rm(p->dir);
	g_bytes_unref(p->token);
	g_free(p->ca_file);
	g_free(p->url);
	g_free(p->log);
	g_free(p->dir);
	g_free(p);
}

void
graph_peer_file(struct graph_peer *p, const char *name, const void *data,
    gsize len)
{
	g_autofree char *path = g_build_filename(p->dir, name, NULL);

	assert_true(g_file_set_contents(path, data, (gssize)len, NULL));
}

void
graph_peer_files(struct graph_peer *p, int first, int last, const char *ext,
    const void *data, gsize len)
{
	for (int id = first; id <= last; id++) {
		g_autofree char *name = g_strdup_printf("%d.%s", id, ext);

		graph_peer_file(p, name, data, len);
	}
}

void
graph_peer_fill(char *data, gsize len)
{
	for (gsize i = 0; i < len; i++)
		data[i] = (char)(i * 31 >> 3);
}

char **
graph_peer_lines(struct graph_peer *p)
{
	g_autofree char *text = NULL;

	if (!g_file_get_contents(p->log, &text, NULL, NULL))
		text = g_strdup("");
	return g_strsplit(text, "\n", -1);
}

int
graph_peer_logged(struct graph_peer *p, const char *begin)
{
	g_auto(GStrv) lines = graph_peer_lines(p);
	int n = 0;

	for (char **l = lines; *l != NULL; l++)
		n += g_str_has_prefix(*l, begin);
	return n;
}

int
graph_peer_wait(struct graph_peer *p, const char *begin, int times)
{
	int got = graph_peer_logged(p, begin);

	for (int i = 0; i < 1000 && got < times; i++) {
		g_usleep(10000);
		got = graph_peer_logged(p, begin);
	}
	return got;
}

/* As --print-url does, without a process for each. */
char *
graph_peer_url(struct graph_peer *p, const char *id, int life)
{
	int64_t expires = clock_now_ms() / 1000 + life;
	g_autofree char *signed_part = g_strdup_printf("%s %" PRId64, id,
	    expires);
	uint8_t mac[HASH_SIZE];
	char hex[HASH_HEX_SIZE];
	gsize len;
	const char *key = g_bytes_get_data(p->token, &len);

	hash_hmac_sha256(key, len, signed_part, strlen(signed_part), mac);
	return g_strdup_printf("%s/whatsapp_business/attachments/?mid=%s"
	    "&ext=%" PRId64 "&hash=%.24s", p->url, id, expires,
	    hash_hex(mac, hex));
}

void
graph_peer_rm(const char *dir)
{
	const char *argv[] = { "rm", "-rf", dir, NULL };

	g_spawn_sync(NULL, (char **)(uintptr_t)argv, NULL,
	    G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
}
