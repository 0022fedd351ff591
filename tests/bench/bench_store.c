/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hot verbs of the store cost: events in batches of 64, the build
 * set of an item in batches of 100, the outcome of a mail in batches of 100,
 * what a file adds, then status and the law over all of it; and a send: its
 * row before it goes, its record and answer after, 64 a commit each.
 *
 *	bench_store [DIRECTORY [EVENTS [BYTES OF A MAIL]]]
 *
 * Each line: how many, per second of wall time, and microseconds of processor
 * time for each. One process plays all roles, each over its own connection.
 */
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "store.h"

#define EVENT_BATCH 64
#define ITEM_BATCH 100
#define BODY_BYTES 505
#define MAIL_BYTES 6000
#define PURGED 20000
/* One message in so many is an edit of the one before it. */
#define EDITS 100
#define ASKED 200
/* One in so many has a file. */
#define FILES 10

static const int64_t t0 = INT64_C(1770127509402);

struct bench {
	struct store *of[STORE_FILES];
	int64_t events;
	size_t mail_bytes;
	int64_t started_ms, cpu_us;
};

static void
must(bool ok, const struct err *err)
{
	if (ok)
		return;
	fprintf(stderr, "%s: %s\n", err->what, err->text);
	exit(1);
}

static int64_t
cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
	    u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static void
start(struct bench *b)
{
	b->started_ms = clock_mono_ms();
	b->cpu_us = cpu_us();
}

static void
stop(struct bench *b, const char *what, int64_t n)
{
	double ms = (double)MAX(1, clock_mono_ms() - b->started_ms);
	double us = (double)(cpu_us() - b->cpu_us);

	printf("%-28s %9d  %9.0f/s  %8.1f us cpu each  %8.0f ms\n", what,
	    (int)n, (double)n * 1000 / ms, us / (double)n, ms);
	fflush(stdout);
}

static void
add_events(struct bench *b)
{
	g_autofree char *body = g_strnfill(BODY_BYTES, 'x');
	struct store_event ev = { .received_ms = t0, .remote = "192.0.2.7",
		.secret_name = "main", .signature = body, .body = body,
		.len = BODY_BYTES };
	g_autofree char *signature = g_strnfill(71, 's');
	struct err err = ERR_INIT;

	ev.signature = signature;
	start(b);
	for (int64_t i = 0; i < b->events; ) {
		store_begin(b->of[STORE_INTAKE]);
		for (int k = 0; k < EVENT_BATCH && i < b->events; k++, i++)
			store_event_add(b->of[STORE_INTAKE], &ev, NULL);
		must(store_commit(b->of[STORE_INTAKE], &err), &err);
	}
	stop(b, "event_add, 64 a commit", b->events);
}

/* ---- build ------------------------------------------------------------- */

struct building {
	struct store *st;
	const char *mail;
	size_t mail_bytes;
	int64_t last;
};

/* Keys and ids as they are in life: long, and random but for their head. */
static void
spell_ids(int64_t n, char *key, char *wamid, char *message_id, uint8_t *digest)
{
	char hex[HASH_HEX_SIZE];

	hash_sha256(&n, sizeof(n), digest);
	hash_hex(digest, hex);
	snprintf(wamid, 128, "wamid.HBgNNTUxMTk5OTk5%.40s", hex);
	snprintf(key, 160, "whatsapp|message|%s", wamid);
	snprintf(message_id, 128, "%.26s@journal.bank.example", hex);
}

static void
spell_target(int64_t n, char *target)
{
	char key[160], message_id[128];
	uint8_t digest[HASH_SIZE];

	spell_ids(n - 1, key, target, message_id, digest);
}

static void
build_one(struct building *bu, int64_t event_id)
{
	char key[160], wamid[128], message_id[128], target[128];
	uint8_t digest[HASH_SIZE];
	char talk[] = "whatsapp|551130000000|u:BR.1234567890123456";
	char author[] = "u:BR.1234567890123456";
	struct turn t = { .conversation = talk, .author = author,
		.first_at_ms = t0, .last_at_ms = t0, .opened_ms = t0,
		.touched_ms = t0, .close_at_ms = t0, .items = 1,
		.bytes = 300 };
	struct store_mail m = { .journal = "archive", .queued_ms = t0,
		.message_id = message_id,
		.envelope_from = "journal@bank.example",
		.envelope_to = "archive@journal.bank.example" };
	struct store_item it = { .key = key, .event_id = event_id,
		.id = wamid, .kind = "message", .type = "text", .at_ms = t0 };
	enum store_seen seen;

	spell_ids(event_id, key, wamid, message_id, digest);
	if (event_id % EDITS == 0) {
		spell_target(event_id, target);
		it.target = target;
		it.kind = "edit";
	}
	store_item_seen(bu->st, key, digest, &seen, NULL);
	if (seen != STORE_NEW)
		abort();
	store_turn_add(bu->st, &t, "551130000000", "message", TURN_SINGLE);
	it.turn_id = m.turn_id = t.id;
	memcpy(it.digest, digest, HASH_SIZE);
	store_item_add(bu->st, &it);
	store_content_add(bu->st, t.id, bu->mail, bu->mail_bytes, digest,
	    &m.content_id);
	store_turn_rendered(bu->st, t.id, message_id, digest, t0);
	store_mail_add(bu->st, &m, NULL);
}

static bool
take_event(void *arg, const struct store_event *ev)
{
	struct building *bu = arg;

	build_one(bu, ev->id);
	bu->last = ev->id;
	return true;
}

/* From after this event to that, which may still be on its way. */
static void
build_all(struct bench *b, int64_t after, int64_t last)
{
	g_autofree char *mail = g_strnfill(b->mail_bytes, 'm');
	struct building bu = { .st = b->of[STORE_BUILD], .mail = mail,
		.mail_bytes = b->mail_bytes, .last = after };
	struct err err = ERR_INIT;

	start(b);
	while (bu.last < last) {
		store_begin(bu.st);
		must(store_event_list(bu.st, bu.last, ITEM_BATCH, 1 << 20,
		    take_event, &bu, &err), &err);
		store_cursor_set(bu.st, STORE_BUILD, STORE_CURSOR_EVENTS,
		    bu.last);
		must(store_commit(bu.st, &err), &err);
	}
	stop(b, "build set, 100 a commit", last - after);
}

/* ---- deliver ----------------------------------------------------------- */

static bool
take_mail(void *arg, const struct store_mail *m)
{
	if (m->len == 0)
		abort();
	g_array_append_val((GArray *)arg, m->id);
	return true;
}

static void
deliver_all(struct bench *b, int64_t upto)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	struct store *st = b->of[STORE_DELIVER];
	struct store_outcome o = { .journal = "archive",
		.state = STORE_SENT, .first_ms = t0, .last_ms = t0,
		.attempts = 1, .code = 250,
		.reply = "250 2.0.0 Ok: queued as 4XyZ12345678" };
	struct err err = ERR_INIT;
	int64_t done = 0;

	start(b);
	while (done < upto) {
		g_array_set_size(ids, 0);
		must(store_mail_pending(st, "archive", done + 1,
		    MIN(done + ITEM_BATCH, upto), ITEM_BATCH, take_mail, ids,
		    &err), &err);
		store_begin(st);
		for (guint i = 0; i < ids->len; i++) {
			o.mail_id = g_array_index(ids, int64_t, i);
			store_outcome_set(st, &o);
		}
		done = o.mail_id;
		store_cursor_set(st, STORE_DELIVER, "archive" STORE_CURSOR_DONE,
		    done);
		must(store_commit(st, &err), &err);
	}
	stop(b, "pending+outcome, 100 a commit", upto);
}

/* ---- files ------------------------------------------------------------------ */

/* The event of a number is in the turn of that number. */
static void
want_files(struct bench *b)
{
	struct store *st = b->of[STORE_BUILD];
	struct store_want w = { .business = "551130000000",
		.mime_type = "image/jpeg", .at_ms = t0, .wanted_ms = t0,
		.url = "https://lookaside.example/whatsapp_business/attachments"
		    "/?mid=1234567890123456&ext=1770127809&hash=AbCdEfGh",
		.sha256 = "ZmlsZS1maWxlLWZpbGUtZmlsZS1maWxlLWZpbGUtZmk=" };
	struct err err = ERR_INIT;

	start(b);
	for (int64_t i = 1; i <= b->events / FILES; ) {
		store_begin(st);
		for (int k = 0; k < ITEM_BATCH && i <= b->events / FILES;
		    k++, i++) {
			g_autofree char *id = g_strdup_printf("%d",
			    (int)(1000000000 + i));

			w.turn_id = w.event_id = i * FILES;
			w.media_id = id;
			hash_sha256(&i, sizeof(i), w.key);
			store_want_add(st, &w, NULL);
		}
		must(store_commit(st, &err), &err);
	}
	stop(b, "want_add, 100 a commit", b->events / FILES);
}

static bool
count_result(void *arg, const struct store_want *w,
    const struct store_fetch *f)
{
	(void)w;
	*(int64_t *)arg = f->number;
	return true;
}

static void
fetch_files(struct bench *b)
{
	struct store *st = b->of[STORE_MEDIA];
	struct store_fetch f = { .attempts = 1, .first_ms = t0,
		.done_ms = t0, .size = 812345, .type = "image/jpeg",
		.verdict = "clean" };
	struct err err = ERR_INIT;
	int64_t n = b->events / FILES, last = 0;
	char hex[HASH_HEX_SIZE];

	start(b);
	for (int64_t i = 1; i <= n; ) {
		store_begin(st);
		for (int k = 0; k < ITEM_BATCH && i <= n; k++, i++) {
			hash_sha256(&i, sizeof(i), f.sha256);
			f.want_id = i;
			f.state = STORE_FETCH_TRYING;
			f.path = NULL;
			store_fetch_set(st, &f);
			f.state = STORE_FETCHED;
			f.path = hash_hex(f.sha256, hex);
			store_fetch_set(st, &f);
		}
		must(store_commit(st, &err), &err);
	}
	stop(b, "fetch_set twice, 100 a commit", n);
	start(b);
	while (last < n)
		must(store_result_list(b->of[STORE_BUILD], last, ITEM_BATCH,
		    count_result, &last, &err), &err);
	stop(b, "result_list, 100 at once", n);
}

/* Edits of old and of new messages, as build asks for them. */
static void
ask_about(struct bench *b)
{
	int64_t edits = b->events / EDITS, found = 0;
	struct err err = ERR_INIT;
	char target[128];

	start(b);
	for (int64_t i = 1; i <= ASKED; i++) {
		GArray *about;

		spell_target(EDITS * (1 + i * edits / (ASKED + 1)), target);
		must(store_item_about(b->of[STORE_BUILD], target, "edit",
		    &about, &err), &err);
		found += about->len;
		g_array_unref(about);
	}
	stop(b, "item_about", ASKED);
	if (found != ASKED)
		printf("found %d edits, not %d\n", (int)found, ASKED);
}

/* ---- looking ------------------------------------------------------------------ */

static void
look(struct bench *b)
{
	struct store_status s;
	struct err err = ERR_INIT;
	char *why = NULL;
	bool ok;

	start(b);
	must(store_status(b->of[STORE_ADMIN], &s, &err), &err);
	stop(b, "status", 1);
	store_status_clear(&s);
	start(b);
	must(store_law_check(b->of[STORE_ADMIN], &ok, &why, &err), &err);
	stop(b, "law_check", 1);
	if (!ok)
		printf("the law is broken: %s\n", why);
	g_free(why);
}

static bool
count_fact(void *arg, const struct store_fact *f)
{
	(void)f;
	++*(int64_t *)arg;
	return true;
}

/* The first message by its wamid: it is in the oldest run of the trail. */
static void
trace(struct bench *b)
{
	char key[160], wamid[128], message_id[128];
	uint8_t digest[HASH_SIZE];
	struct err err = ERR_INIT;
	int64_t facts = 0;

	spell_ids(1, key, wamid, message_id, digest);
	start(b);
	must(store_trace(b->of[STORE_ADMIN], wamid, count_fact, &facts, &err),
	    &err);
	must(store_trace(b->of[STORE_ADMIN], message_id, count_fact, &facts,
	    &err), &err);
	stop(b, "trace", 2);
	if (facts != 12)
		printf("traced %d facts, not 12\n", (int)facts);
}

/* ---- sends --------------------------------------------------------------- */

#define SEND_BATCH 64
#define REQUEST_BYTES 420
#define ANSWER_BYTES 240
#define RECORD_BYTES 1300

/* Keys are of their time, digests of Idempotency-Keys are random. */
static void
ask_to_send(struct bench *b, int64_t i, bool keyed)
{
	g_autofree char *request = g_strnfill(REQUEST_BYTES, 'q');
	uint8_t digest[HASH_SIZE];
	char key[33];
	struct store_send s = { .key = key, .state = STORE_SEND_FORWARDING,
		.application = "crm", .employee = "e1234567",
		.remote = "192.0.2.7", .business = "551130000000",
		.target = "/v25.0/551130000000/messages",
		.content_type = "application/json", .request = request,
		.request_len = REQUEST_BYTES, .received_ms = t0 + i,
		.changed_ms = t0 + i };

	hash_sha256(&i, sizeof(i), digest);
	hash_sha256(request, REQUEST_BYTES, s.sha256);
	snprintf(key, sizeof(key), "%012x%012x%08x", (unsigned)(i >> 6),
	    (unsigned)digest[0] << 8 | digest[1], (unsigned)i);
	s.idempotency = keyed ? digest : NULL;
	store_send_add(b->of[STORE_GATEWAY], &s, NULL);
}

static void
answer_send(struct bench *b, int64_t id)
{
	g_autofree char *body = g_strnfill(RECORD_BYTES, 'r');
	struct store_event ev = { .received_ms = t0 + id,
		.remote = "192.0.2.7", .secret_name = "crm", .signature = "",
		.body = body, .len = RECORD_BYTES };
	struct store_send s = { .id = id, .state = STORE_SEND_DONE,
		.outcome = "accepted", .status = 200, .answer = body,
		.answer_len = ANSWER_BYTES, .changed_ms = t0 + id,
		.wamid = "wamid.HBgNNTUxMTk5OTk5OTk5OTkVAgARGBI5QTNDQTVCM0Q0Q0"
		    "Q2RTY3RTcA" };

	hash_sha256(body, RECORD_BYTES, ev.sha256);
	store_record_add(b->of[STORE_GATEWAY], &ev, &s.record_id);
	s.first_record_id = s.record_id;
	store_send_set(b->of[STORE_GATEWAY], &s);
}

static void
send_all(struct bench *b, int64_t done, bool keyed)
{
	struct err err = ERR_INIT;

	start(b);
	for (int64_t i = done; i < done + b->events; i += SEND_BATCH) {
		store_begin(b->of[STORE_GATEWAY]);
		for (int k = 0; k < SEND_BATCH; k++)
			ask_to_send(b, i + k + 1, keyed);
		must(store_commit(b->of[STORE_GATEWAY], &err), &err);
		store_begin(b->of[STORE_GATEWAY]);
		for (int k = 0; k < SEND_BATCH; k++)
			answer_send(b, i + k + 1);
		must(store_commit(b->of[STORE_GATEWAY], &err), &err);
	}
	stop(b, keyed ? "sends with Idempotency-Key" : "sends, 64 a commit",
	    b->events);
}

/* What a rule costs that counts the customers of a busy number. */
static void
count(struct bench *b)
{
	struct err err = ERR_INIT;
	struct store *st = b->of[STORE_GATEWAY];
	int64_t n = 0;

	start(b);
	for (int64_t i = 0; i < b->events; ) {
		store_begin(st);
		for (int k = 0; k < SEND_BATCH; k++, i++) {
			g_autofree char *who = g_strdup_printf("u:%08x",
			    (unsigned)(i * 2654435761u));

			store_tally_add(st, STORE_GATEWAY, "many", "5511", who,
			    t0 + i);
		}
		must(store_commit(st, &err), &err);
	}
	stop(b, "tally_add, 64 a commit", b->events);
	start(b);
	for (int i = 0; i < ASKED; i++) {
		n = 26;
		must(store_tally_count(st, STORE_GATEWAY, "many", "5511",
		    "u:x", t0, &n, &err), &err);
	}
	stop(b, "tally_count, over 25", ASKED);
}

/* ---- intake and build at once ------------------------------------------ */

static gint
by_size(gconstpointer a, gconstpointer b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* In a process of its own: how long its commits take while build works. */
static void
receive(const char *uri, int64_t n)
{
	g_autoptr(GArray) took = g_array_new(FALSE, FALSE, sizeof(int64_t));
	g_autofree char *body = g_strnfill(BODY_BYTES, 'x');
	struct store_event ev = { .received_ms = t0, .remote = "192.0.2.7",
		.secret_name = "main", .signature = "", .body = body,
		.len = BODY_BYTES };
	struct err err = ERR_INIT;
	struct store *st;

	must(store_open(uri, STORE_INTAKE, &st, &err), &err);
	for (int64_t i = 0; i < n; i += EVENT_BATCH) {
		int64_t ms = clock_mono_ms();

		store_begin(st);
		for (int k = 0; k < EVENT_BATCH; k++)
			store_event_add(st, &ev, NULL);
		must(store_commit(st, &err), &err);
		ms = clock_mono_ms() - ms;
		g_array_append_val(took, ms);
	}
	g_array_sort(took, by_size);
	printf("intake's commits beside build: p50 %d ms, p99 %d ms, max %d "
	    "ms\n", (int)g_array_index(took, int64_t, took->len / 2),
	    (int)g_array_index(took, int64_t, took->len * 99 / 100),
	    (int)g_array_index(took, int64_t, took->len - 1));
	store_close(st);
}

static void
both_at_once(struct bench *b, const char *uri)
{
	struct err err = ERR_INIT;
	pid_t pid;

	/* No connection may live across a fork. */
	for (int f = 0; f < STORE_FILES; f++)
		store_close(b->of[f]);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		receive(uri, b->events);
		fflush(stdout);
		_exit(0);
	}
	must(store_open(uri, STORE_BUILD, &b->of[STORE_BUILD], &err), &err);
	build_all(b, b->events, b->events * 2);
	store_close(b->of[STORE_BUILD]);
	waitpid(pid, NULL, 0);
}

static void
purge(struct bench *b)
{
	struct err err = ERR_INIT;
	int64_t n, total = 0;

	start(b);
	do {
		must(store_content_purge(b->of[STORE_BUILD], t0 + 1, 500, &n,
		    &err), &err);
		total += n;
	} while (n > 0 && total < PURGED);
	stop(b, "content_purge, 500 a commit", MAX(1, total));
	total = 0;
	start(b);
	do {
		must(store_event_purge(b->of[STORE_INTAKE], t0 + 1, 500, &n,
		    &err), &err);
		total += n;
	} while (n > 0 && total < PURGED);
	stop(b, "event_purge, 500 a commit", MAX(1, total));
}

int
main(int argc, char **argv)
{
	g_autofree char *dir = argc > 1 ? g_strdup(argv[1]) :
	    g_dir_make_tmp("bench-store-XXXXXX", NULL);
	g_autofree char *uri = g_strconcat("sqlite:", dir, NULL);
	struct bench b = {
		.events = argc > 2 ? strtol(argv[2], NULL, 10) : 20000,
		.mail_bytes = argc > 3 ? strtoul(argv[3], NULL, 10) :
		    MAIL_BYTES,
	};
	struct err err = ERR_INIT;

	/* Whole batches of sends. */
	b.events -= b.events % SEND_BATCH;
	printf("store in %s\n", dir);
	must(store_prepare(uri, NULL, NULL, &err), &err);
	for (int f = 0; f < STORE_FILES; f++)
		must(store_open(uri, f, &b.of[f], &err), &err);
	add_events(&b);
	build_all(&b, 0, b.events);
	deliver_all(&b, b.events * 9 / 10);
	want_files(&b);
	fetch_files(&b);
	ask_about(&b);
	look(&b);
	trace(&b);
	purge(&b);
	send_all(&b, 0, false);
	send_all(&b, b.events, true);
	count(&b);
	both_at_once(&b, uri);
	return 0;
}
