/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one event costs in the build role, all of it: reading, parsing,
 * filing, rendering, queueing, committing. Runs the role's own steps over a
 * store in files; idle 0, one journal, events of 505 bytes. CPU time is the
 * figure, as the machine may be shared. One line of key=value pairs.
 *
 *     bench_build DIRECTORY TEMPLATES [COUNT]
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf.h"
#include "err.h"
#include "hash.h"
#include "log.h"
#include "role.h"
#include "store.h"

#define BODY_SIZE 505
#define BATCH 500

static void
die(const struct err *err)
{
	fprintf(stderr, "bench_build: %s\n", err->text);
	exit(1);
}

static void
make_body(long n, char out[BODY_SIZE + 1])
{
	static const char tail[] = "\"}}]},\"field\":\"messages\"}]}]}";
	int len = snprintf(out, BODY_SIZE + 1,
	    "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":"
	    "\"900100200300400\",\"changes\":[{\"value\":{"
	    "\"messaging_product\":\"whatsapp\",\"metadata\":{"
	    "\"display_phone_number\":\"551140040001\",\"phone_number_id\":"
	    "\"106540352242922\"},\"contacts\":[{\"profile\":{\"name\":"
	    "\"Ana\"},\"wa_id\":\"55119%08ld\"}],\"messages\":[{\"from\":"
	    "\"55119%08ld\",\"id\":\"wamid.BUILD%09ld\",\"timestamp\":\"%ld\""
	    ",\"type\":\"text\",\"text\":{\"body\":\"", n % 5000, n % 5000, n,
	    1790000000 + n / 1000);

	while (len < BODY_SIZE - (int)(sizeof(tail) - 1)) {
		out[len] = "Please confirm the transfer. "[len % 29];
		len++;
	}
	memcpy(out + len, tail, sizeof(tail));
}

static void
add_events(const char *uri, long count)
{
	struct err err = ERR_INIT;
	struct store *st;
	char body[BODY_SIZE + 1];

	if (!store_prepare(uri, NULL, NULL, &err) ||
	    !store_open(uri, STORE_INTAKE, &st, &err))
		die(&err);
	for (long i = 0; i < count; i++) {
		struct store_event ev = { .received_ms = 1790000000000 + i,
			.remote = "127.0.0.1", .secret_name = "bench",
			.signature = "none", .body = body, .len = BODY_SIZE };
		int64_t id;

		make_body(i, body);
		hash_sha256(body, BODY_SIZE, ev.sha256);
		if (i % BATCH == 0)
			store_begin(st);
		store_event_add(st, &ev, &id);
		if ((i % BATCH == BATCH - 1 || i == count - 1) &&
		    !store_commit(st, &err))
			die(&err);
	}
	store_close(st);
}

static struct conf *
make_conf(const char *templates)
{
	g_autoptr(GString) messages = g_string_new(NULL);
	g_autofree char *text = g_strdup_printf("catch_all a;\n"
	    "intake { app_secret_file /dev/null; "
	    "verify_token_file /dev/null; }\nturn { idle 0s; }\n"
	    "render { domain bench.example; templates %s; }\n"
	    "journal a { maildir /nonexistent; }\n", templates);
	struct err err = ERR_INIT;
	struct conf *c;

	if (!conf_load_text("bench", text, strlen(text), &c, messages, &err)) {
		fputs(messages->str, stderr);
		die(&err);
	}
	return c;
}

static int64_t
run(struct conf *c, const char *uri)
{
	struct build_progress p;
	struct err err = ERR_INIT;
	struct store *st;
	struct build *b;
	int64_t mails = 0;

	if (!store_open(uri, STORE_BUILD, &st, &err) ||
	    !build_new(c, st, &b, &err))
		die(&err);
	do {
		if (!build_step(b, 1790000000000, &p, &err))
			die(&err);
		mails += p.mails;
	} while (p.more);
	build_free(b);
	store_close(st);
	return mails;
}

int
main(int argc, char **argv)
{
	long count = argc > 3 ? strtol(argv[3], NULL, 10) : 20000;
	g_autofree char *uri = NULL;
	struct conf *c;
	clock_t begun;
	double cpu;
	int64_t mails;

	if (argc < 3) {
		fputs("usage: bench_build DIRECTORY TEMPLATES [COUNT]\n",
		    stderr);
		return 64;
	}
	uri = g_strconcat("sqlite:", argv[1], NULL);
	log_set_level(LOG_LEVEL_ERROR);
	c = make_conf(argv[2]);
	add_events(uri, count);
	begun = clock();
	mails = run(c, uri);
	cpu = (double)(clock() - begun) / CLOCKS_PER_SEC;
	printf("mails=%lld cpu_us_per_event=%.1f per_cpu_second=%.0f\n",
	    (long long)mails, cpu * 1e6 / (double)count,
	    (double)count / cpu);
	conf_free(c);
	return mails != count;
}
