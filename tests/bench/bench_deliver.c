/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many mails a second, and how much processor time for each.
 *
 *   bench_deliver HOST PORT [SESSIONS [MAILS [SIZE [curl]]]]
 *
 * Each session is a thread; they share MAILS mails of SIZE bytes. Meant for
 * Postfix' smtp-sink; deliver.sh runs both, and smtp-source for comparison.
 * Fails when a mail is not accepted. With "curl" the other transport is
 * measured, in clear text as well.
 */
#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../../src/deliver/deliver_int.h"
#include "clock.h"
#include "deliver.h"
#include "err.h"

static atomic_long left, accepted, refused;
static struct deliver_mail mail;
static bool (*run_session)(const struct deliver_relay *,
    const struct deliver_feed *, struct err *) = deliver_smtp_session;

static const struct deliver_mail *
next(void *arg, int64_t wait_ms)
{
	(void)arg;
	(void)wait_ms;
	return atomic_fetch_sub(&left, 1) > 0 ? &mail : NULL;
}

static void
done(void *arg, const struct deliver_mail *m, const struct deliver_report *r)
{
	(void)arg;
	(void)m;
	if (r->result == DELIVER_ACCEPTED)
		atomic_fetch_add(&accepted, 1);
	else if (atomic_fetch_add(&refused, 1) == 0)
		fprintf(stderr, "%s: %s\n", deliver_result_name(r->result),
		    r->reply);
}

static void *
session(void *relay)
{
	struct deliver_feed feed = { next, done, NULL };
	struct err err = ERR_INIT;

	while (atomic_load(&left) > 0) {
		if (!run_session(relay, &feed, &err)) {
			fprintf(stderr, "%s: %s\n", err.what, err.text);
			break;
		}
	}
	return NULL;
}

static char *
make_text(size_t size)
{
	GString *s = g_string_new("Date: Tue, 03 Feb 2026 14:05:09 +0000\r\n"
	    "From: Desk <desk@bank.example>\r\n"
	    "To: Journal <journal@bank.example>\r\n"
	    "Message-ID: <bench.1@bank.example>\r\n"
	    "Subject: a mail of the size of a turn\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n");

	for (int i = 0; i < 20; i++)
		g_string_append_printf(s, "X-ChatJournal-Field-%02d: value "
		    "of a metadata header, of usual length\r\n", i);
	g_string_append(s, "\r\n");
	while (s->len + 74 <= size)
		g_string_append(s, "A line of text as people write it, of the "
		    "length that mail lines have.....\r\n");
	return g_string_free(s, FALSE);
}

static double
cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static long
number(int argc, char **argv, int i, long preset)
{
	return argc > i ? strtol(argv[i], NULL, 10) : preset;
}

static void
run(struct deliver_relay *relay, int sessions)
{
	g_autofree pthread_t *t = g_new(pthread_t, sessions);

	for (int i = 0; i < sessions; i++)
		pthread_create(&t[i], NULL, session, relay);
	for (int i = 0; i < sessions; i++)
		pthread_join(t[i], NULL);
}

int
main(int argc, char **argv)
{
	int sessions = (int)number(argc, argv, 3, 4);
	long mails = number(argc, argv, 4, 20000);
	g_autofree char *text = make_text((size_t)number(argc, argv, 5, 5000));
	struct deliver_relay relay = { .name = "bench", .connect_ms = 5000,
		.command_ms = 30000, .total_ms = 60000, .linger_ms = 0,
		.session_mails = 200 };
	int64_t began;
	double ms, us;

	if (argc < 3)
		return 2;
	relay.host = argv[1];
	relay.port = (int)number(argc, argv, 2, 0);
	if (argc > 6)
		run_session = deliver_curl_session;
	mail = (struct deliver_mail){ .message_id = "<bench.1@bank.example>",
		.envelope_from = "desk@bank.example",
		.envelope_to = "journal@bank.example", .bytes = text,
		.len = strlen(text) };
	atomic_store(&left, mails);
	deliver_init();
	us = cpu_us();
	began = clock_mono_ms();
	run(&relay, sessions);
	ms = (double)(clock_mono_ms() - began);
	us = cpu_us() - us;
	printf("deliver sessions=%d mails=%ld size=%zu accepted=%ld "
	    "mails_per_s=%.0f cpu_us_per_mail=%.1f\n", sessions, mails,
	    mail.len, atomic_load(&accepted), (double)mails / ms * 1000,
	    us / (double)mails);
	return atomic_load(&accepted) == mails ? 0 : 1;
}
