/* SPDX-License-Identifier: Apache-2.0 */
/*
 * media against tests/fake/graph.py and a scanner of a few lines: whole tries,
 * and what each leaves in directory and spool. Every test has media ids of
 * its own, and an empty directory.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clamd_peer.h"
#include "clock.h"
#include "err.h"
#include "graph.h"
#include "graph_peer.h"
#include "hash.h"
#include "media.h"

#define SIZE 300000
#define NUMBER "106540352242922"

static const char script[] =
	"305 get#1 status 404\n"
	"306 get status 404\n"
	"310 get flip\n"
	"311 get#1 flip\n"
	"312 find answer sha256=none\n"
	"312 get short 7\n"
	"313 find answer sha256=none file_size=none\n"
	"313 get short 7\n"
	"314 get cut 1000\n"
	"316 find answer file_size=none\n"
	"316 get endless\n"
	"318 find error 400 190 Error validating access token\n"
	"319 get redirect https://localhost:{foreign}/x\n"
	"320 find error 400 4 retry-after=70 Too many calls\n"
	"321 find answer url=https://localhost:{foreign}/x\n"
	"322 find answer sha256=none\n"
	"323 find answer sha256=base64\n"
	"324 find answer sha256=garbage\n"
	"325 find answer sha256=wrong\n"
	"341 get stall 1000\n";

static struct graph_peer *peer;
static char content[SIZE];
static uint8_t digest[HASH_SIZE];
static char digest_hex[HASH_HEX_SIZE];

struct world {
	char *dir, *files, *spool;
	struct graph *graph;
	struct media_conf conf;
	struct media *m;
	struct media_want want;
	struct media_result r;
	struct clamd_peer clamd;
	int64_t now_ms;
	bool may_hold;		/* a held file is expected in the end */
};

/* ---- the world -------------------------------------------------------------------- */

static struct graph *
new_graph(void)
{
	struct graph_conf gc = { .url = peer->url, .version = "v25.0",
		.token = peer->token, .tls_ca_file = peer->ca_file,
		.connect_ms = 30000, .total_ms = 60000 };
	struct graph *g = NULL;

	assert_true(graph_new(&gc, &g, NULL));
	return g;
}

static void
begin(struct world *w)
{
	struct err err = ERR_INIT;

	media_free(w->m);
	if (!media_new(&w->conf, &w->m, &err))
		fail_msg("%s", err.text);
}

static int
world_open(void **state)
{
	struct world *w = g_new0(struct world, 1);
	char name[] = "/tmp/cj-media-XXXXXX";

	w->dir = g_strdup(mkdtemp(name));
	w->files = g_build_filename(w->dir, "media", NULL);
	w->spool = g_build_filename(w->dir, "spool", NULL);
	assert_int_equal(mkdir(w->files, 0700), 0);
	assert_int_equal(mkdir(w->spool, 0700), 0);
	w->graph = new_graph();
	w->conf = (struct media_conf){ .graph = w->graph, .dir = w->files,
		.spool = w->spool, .max_bytes = 1000000,
		.give_up_ms = 604800000, .retry_min_ms = 1000,
		.retry_max_ms = 60000, .scan_wait_ms = 600000,
		.scan_total_ms = 20000 };
	w->now_ms = clock_now_ms();
	w->want = (struct media_want){ .number = 7, .at_ms = w->now_ms,
		.phone_number_id = NUMBER };
	begin(w);
	*state = w;
	return 0;
}

static bool
spool_is_empty(struct world *w)
{
	g_autoptr(GDir) d = g_dir_open(w->spool, 0, NULL);

	return g_dir_read_name(d) == NULL;
}

static int
world_close(void **state)
{
	struct world *w = *state;

	clamd_peer_stop(&w->clamd);
	assert_true(w->may_hold || spool_is_empty(w));
	media_result_clear(&w->r);
	media_free(w->m);
	graph_free(w->graph);
	graph_peer_rm(w->dir);
	g_free(w->files);
	g_free(w->spool);
	g_free(w->dir);
	g_free(w);
	return 0;
}

static int
start_peer(void **state)
{
	(void)state;
	graph_init();
	graph_peer_fill(content, SIZE);
	memcpy(content, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0",
	    28);
	hash_sha256(content, SIZE, digest);
	hash_hex(digest, digest_hex);
	peer = graph_peer_start(script);
	assert_non_null(peer);	/* it needs python3 and openssl */
	graph_peer_files(peer, 301, 349, "png", content, SIZE);
	return 0;
}

static int
stop_peer(void **state)
{
	(void)state;
	graph_peer_stop(peer);
	return 0;
}

static void
fetch(struct world *w, const char *id)
{
	w->want.id = id;
	media_result_clear(&w->r);
	media_fetch(w->m, &w->want, w->now_ms, &w->r);
	if (w->r.state == MEDIA_RETRY || w->r.state == MEDIA_UNAVAILABLE) {
		assert_null(w->r.path);
		assert_non_null(w->r.reason);
		assert_true(w->r.what[0] != '\0');
	} else {
		assert_non_null(w->r.path);
		assert_non_null(w->r.type);
	}
}

static void
assert_state(struct world *w, enum media_state state, const char *what)
{
	if (w->r.state != state || strcmp(w->r.what, what) != 0)
		fail_msg("got %d %s \"%s\", want %d %s", (int)w->r.state,
		    w->r.what, w->r.reason, (int)state, what);
}

static char *
file_of(struct world *w)
{
	return g_build_filename(w->files, w->r.path, NULL);
}

static bool
has_file(struct world *w)
{
	g_autofree char *path = file_of(w);

	return access(path, F_OK) == 0;
}

static void
remove_file(struct world *w)
{
	g_autofree char *path = file_of(w);

	assert_int_equal(unlink(path), 0);
}

static void
assert_whole(struct world *w)
{
	g_autofree char *path = NULL;
	g_autofree char *name = hash_path(digest);
	g_autofree char *got = NULL;
	gsize len;

	assert_state(w, MEDIA_FETCHED, "");
	path = file_of(w);
	assert_string_equal(w->r.path, name);
	assert_true(g_file_get_contents(path, &got, &len, NULL));
	assert_int_equal(len, SIZE);
	assert_memory_equal(got, content, SIZE);
	assert_memory_equal(w->r.sha256, digest, HASH_SIZE);
	assert_int_equal(w->r.size, SIZE);
	assert_string_equal(w->r.type, "image/png");
	assert_false(w->r.hash_differs);
}

/* So often was it asked for; waits for the stand-in's note. */
static void
assert_asked(const char *stage, const char *id, int times)
{
	g_autofree char *line = g_strdup_printf("graph %s %s ", stage, id);
	int got = graph_peer_wait(peer, line, times);

	if (got != times)
		fail_msg("%s: %d times, not %d", line, got, times);
}

/* ---- where a file comes from ------------------------------------------------------------ */

static void
what_staff_uploaded_is_taken_from_here_and_stays_there(void **state)
{
	struct world *w = *state;
	g_autofree char *upload = g_build_filename(w->dir, "upload.png", NULL);

	assert_true(g_file_set_contents(upload, (const char *)content, SIZE,
	    NULL));
	w->want.upload_path = upload;
	fetch(w, "349");
	assert_whole(w);
	assert_asked("find", "349", 0);
	assert_int_equal(access(upload, F_OK), 0);
	w->want.upload_path = "/nonexistent/upload.png";
	remove_file(w);
	fetch(w, "349");
	assert_whole(w);
	assert_asked("find", "349", 1);
}

static void
a_file_is_fetched_by_its_id(void **state)
{
	struct world *w = *state;

	w->want.mime_type = "image/png";
	fetch(w, "301");
	assert_whole(w);
	assert_false(w->r.type_differs);
	assert_null(w->r.verdict);
	assert_asked("find", "301", 1);
	assert_asked("get", "301", 1);
}

static void
another_type_than_declared_is_noted(void **state)
{
	struct world *w = *state;

	w->want.mime_type = "image/jpeg";
	fetch(w, "301");
	assert_whole(w);
	assert_true(w->r.type_differs);
}

static void
the_address_of_the_webhook_comes_first_while_it_is_fresh(void **state)
{
	struct world *w = *state;
	g_autofree char *url = graph_peer_url(peer, "302", 300);

	w->want.url = url;
	w->want.sha256 = digest_hex;
	fetch(w, "302");
	assert_whole(w);
	assert_asked("get", "302", 1);
	assert_asked("find", "302", 0);
}

static void
an_old_address_of_the_webhook_is_not_tried(void **state)
{
	struct world *w = *state;
	g_autofree char *url = graph_peer_url(peer, "303", 300);

	w->want.url = url;
	w->want.sha256 = digest_hex;
	w->now_ms += 300001;
	fetch(w, "303");
	assert_whole(w);
	assert_asked("find", "303", 1);
}

static void
a_bad_address_of_the_webhook_is_asked_for_anew(void **state)
{
	struct world *w = *state;
	g_autofree char *old = graph_peer_url(peer, "304", -10);

	w->want.url = old;
	w->want.sha256 = digest_hex;
	fetch(w, "304");
	assert_whole(w);
	assert_asked("find", "304", 1);
	assert_asked("get", "304", 2);
	remove_file(w);
	w->want.url = "https://evil.example/x";
	fetch(w, "304");
	assert_whole(w);
	assert_asked("find", "304", 2);
}

static void
an_expired_address_is_asked_for_again_once(void **state)
{
	struct world *w = *state;

	fetch(w, "305");
	assert_whole(w);
	assert_asked("find", "305", 2);
	assert_asked("get", "305", 2);
	remove_file(w);
	fetch(w, "306");
	assert_state(w, MEDIA_RETRY, "graph.expired");
	assert_asked("find", "306", 2);
	assert_asked("get", "306", 2);
}

static void
what_is_there_already_is_not_fetched(void **state)
{
	struct world *w = *state;

	w->want.sha256 = digest_hex;
	fetch(w, "301");
	assert_whole(w);
	fetch(w, "307");
	assert_whole(w);
	assert_asked("find", "307", 0);
	/* The same where only Graph's answer has the digest. */
	w->want.sha256 = NULL;
	fetch(w, "307");
	assert_whole(w);
	assert_asked("find", "307", 1);
	assert_asked("get", "307", 0);
}

static void
a_damaged_file_is_fetched_anew(void **state)
{
	struct world *w = *state;
	g_autofree char *path = NULL;

	w->want.sha256 = digest_hex;
	fetch(w, "308");
	path = file_of(w);
	assert_true(g_file_set_contents(path, "damaged", -1, NULL));
	fetch(w, "308");
	assert_whole(w);
	assert_asked("get", "308", 2);
}

/* ---- what is believed ---------------------------------------------------------------------- */

static void
wrong_bytes_are_tried_again_then_kept_and_noted(void **state)
{
	struct world *w = *state;

	w->want.sha256 = "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=";
	for (w->want.attempts = 0; w->want.attempts < 2; w->want.attempts++) {
		fetch(w, "309");
		assert_state(w, MEDIA_RETRY, "media.differs");
		assert_true(w->r.next_ms > w->now_ms);
	}
	fetch(w, "309");
	assert_state(w, MEDIA_FETCHED, "");
	assert_true(w->r.hash_differs);
	assert_memory_equal(w->r.sha256, digest, HASH_SIZE);
	fetch(w, "310");
	assert_true(w->r.hash_differs);
	assert_memory_not_equal(w->r.sha256, digest, HASH_SIZE);
}

static void
wrong_bytes_from_the_webhooks_address_are_asked_for_by_id(void **state)
{
	struct world *w = *state;
	g_autofree char *url = graph_peer_url(peer, "311", 300);

	w->want.url = url;
	w->want.sha256 = digest_hex;
	fetch(w, "311");
	assert_whole(w);
	assert_asked("find", "311", 1);
	assert_asked("get", "311", 2);
}

static void
without_a_digest_the_length_must_be_right(void **state)
{
	struct world *w = *state;

	fetch(w, "312");
	assert_state(w, MEDIA_RETRY, "media.differs");
	fetch(w, "313");	/* nothing was declared at all */
	assert_state(w, MEDIA_FETCHED, "");
	assert_int_equal(w->r.size, SIZE - 7);
}

static void
without_a_digest_the_webhooks_address_is_not_used(void **state)
{
	struct world *w = *state;
	g_autofree char *url = graph_peer_url(peer, "322", 300);

	w->want.url = url;
	fetch(w, "322");
	assert_whole(w);
	assert_asked("find", "322", 1);
}

static void
the_answers_digest_counts_when_the_webhook_has_none(void **state)
{
	struct world *w = *state;

	fetch(w, "323");
	assert_whole(w);
	fetch(w, "324");	/* none that could be read: the length counts */
	assert_whole(w);
	fetch(w, "325");
	assert_state(w, MEDIA_RETRY, "media.differs");
	w->want.sha256 = digest_hex;
	fetch(w, "325");
	assert_whole(w);
}

/* ---- what goes wrong ------------------------------------------------------------------------- */

static void
half_a_file_is_not_kept(void **state)
{
	struct world *w = *state;
	g_autoptr(GDir) d = NULL;

	fetch(w, "314");
	assert_state(w, MEDIA_RETRY, "graph.network");
	assert_in_range(w->r.next_ms, w->now_ms + 1000, w->now_ms + 30000);
	d = g_dir_open(w->files, 0, NULL);
	assert_null(g_dir_read_name(d));
}

static void
a_file_that_is_too_large_is_final(void **state)
{
	struct world *w = *state;

	fetch(w, "316");
	assert_state(w, MEDIA_UNAVAILABLE, "graph.size");
	w->conf.max_bytes = SIZE - 1;
	begin(w);
	fetch(w, "315");
	assert_state(w, MEDIA_UNAVAILABLE, "graph.size");
	assert_asked("find", "315", 1);
	assert_asked("get", "315", 0);
}

static void
what_is_gone_is_asked_for_until_the_time_is_over(void **state)
{
	struct world *w = *state;

	w->want.attempts = 40;
	fetch(w, "999");
	assert_state(w, MEDIA_RETRY, "graph.gone");
	assert_true(w->r.next_ms >= w->now_ms + 60000);
	w->now_ms = w->want.at_ms + w->conf.give_up_ms;
	fetch(w, "999");
	assert_state(w, MEDIA_UNAVAILABLE, "graph.gone");
	assert_non_null(strstr(w->r.reason, "100/33"));
	fetch(w, "../me");
	assert_state(w, MEDIA_UNAVAILABLE, "graph.id");
}

static void
a_refused_token_is_told_apart(void **state)
{
	struct world *w = *state;

	fetch(w, "318");
	assert_state(w, MEDIA_RETRY, "graph.auth");
	assert_true(w->r.is_conf);
	assert_non_null(strstr(w->r.reason, "token_file"));
	fetch(w, "999");
	assert_false(w->r.is_conf);
}

static void
a_redirect_and_a_foreign_address_wait_for_a_person(void **state)
{
	struct world *w = *state;

	fetch(w, "319");
	assert_state(w, MEDIA_RETRY, "graph.host");
	fetch(w, "321");
	assert_state(w, MEDIA_RETRY, "graph.host");
	assert_non_null(strstr(w->r.reason, "media_host"));
	assert_int_equal(graph_peer_logged(peer, "foreign"), 0);
}

static void
a_throttled_try_is_as_late_as_asked_for(void **state)
{
	struct world *w = *state;

	fetch(w, "320");
	assert_state(w, MEDIA_RETRY, "graph.throttled");
	assert_true(w->r.next_ms >= w->now_ms + 70000);
}

static void *
cancel_soon(void *arg)
{
	g_usleep(100000);
	media_cancel(arg);
	return NULL;
}

static void
a_try_can_be_stopped(void **state)
{
	struct world *w = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, w->m), 0);
	fetch(w, "341");
	pthread_join(thread, NULL);
	assert_state(w, MEDIA_RETRY, "media.stopped");
	assert_true(w->r.next_ms <= w->now_ms + 30000);
}

static void
a_full_or_missing_spool_is_not_the_files_fault(void **state)
{
	struct world *w = *state;

	assert_int_equal(rmdir(w->spool), 0);
	fetch(w, "301");
	assert_state(w, MEDIA_RETRY, "io.publish");
	assert_int_equal(mkdir(w->spool, 0700), 0);
}

/* ---- the scanner ------------------------------------------------------- */

static void
scan_with(struct world *w, enum clamd_habit habit, const char *reply)
{
	if (w->clamd.path == NULL)
		clamd_peer_start(&w->clamd, w->dir);
	w->clamd.habit = habit;
	w->clamd.reply = reply;
	w->conf.clamd = w->clamd.path;
	begin(w);
}

static void
a_clean_file_was_seen_whole_by_the_scanner(void **state)
{
	struct world *w = *state;

	scan_with(w, CLAMD_ANSWERS, "stream: OK");
	fetch(w, "330");
	assert_whole(w);
	assert_string_equal(w->r.verdict, "clean");
	assert_int_equal(w->clamd.bytes, SIZE);
	assert_memory_equal(w->clamd.sha256, digest, HASH_SIZE);
	scan_with(w, CLAMD_DRIPS, "stream: OK");
	w->want.sha256 = digest_hex;
	fetch(w, "330");	/* what is there is scanned all the same */
	assert_string_equal(w->r.verdict, "clean");
	assert_int_equal(w->clamd.calls, 2);
}

static void
an_infected_file_is_tagged(void **state)
{
	struct world *w = *state;

	scan_with(w, CLAMD_ANSWERS, "stream: Eicar-Test-Signature FOUND");
	fetch(w, "331");
	assert_whole(w);
	assert_string_equal(w->r.verdict, "infected: Eicar-Test-Signature");
}

static void
an_infected_file_goes_to_quarantine(void **state)
{
	struct world *w = *state;
	g_autofree char *want = g_strconcat("quarantine/", digest_hex, NULL);
	g_autofree char *name = hash_path(digest);
	g_autofree char *kept = g_build_filename(w->files, name, NULL);

	w->conf.infected = MEDIA_QUARANTINE;
	scan_with(w, CLAMD_HASTY, "stream: Eicar-Test-Signature FOUND");
	fetch(w, "332");
	assert_state(w, MEDIA_QUARANTINED, "");
	assert_string_equal(w->r.path, want);
	assert_true(has_file(w));
	assert_int_equal(access(kept, F_OK), -1);
}

static void
a_file_of_an_earlier_message_is_not_taken_away_from_it(void **state)
{
	struct world *w = *state;
	g_autofree char *name = hash_path(digest);
	g_autofree char *kept = g_build_filename(w->files, name, NULL);

	fetch(w, "333");
	w->conf.infected = MEDIA_QUARANTINE;
	scan_with(w, CLAMD_ANSWERS, "stream: Learned-Later FOUND");
	w->want.sha256 = digest_hex;
	fetch(w, "333");
	assert_state(w, MEDIA_QUARANTINED, "");
	assert_true(has_file(w));
	assert_int_equal(access(kept, F_OK), 0);
}

static void
a_file_waits_for_its_scanner_without_being_fetched_again(void **state)
{
	struct world *w = *state;

	scan_with(w, CLAMD_CLOSES, "");
	fetch(w, "334");
	assert_state(w, MEDIA_RETRY, "media.scan");
	assert_false(spool_is_empty(w));
	w->now_ms += 599000;
	w->want.attempts++;
	fetch(w, "334");
	assert_state(w, MEDIA_RETRY, "media.scan");
	scan_with(w, CLAMD_ANSWERS, "stream: OK");
	fetch(w, "334");
	assert_whole(w);
	assert_string_equal(w->r.verdict, "clean");
	assert_asked("get", "334", 1);
}

/*
 * As after a store was put back from a backup, whose numbers are given anew:
 * it would bring one customer's file to another.
 */
static void
a_held_file_from_before_the_first_try_is_somebody_elses(void **state)
{
	g_autofree char *path = NULL;
	struct world *w = *state;

	path = g_strdup_printf("%s/media-%d.held", w->spool,
	    (int)w->want.number);
	assert_true(g_file_set_contents(path, "of another", 10, NULL));
	w->now_ms += 5000;
	w->want.first_ms = w->now_ms;
	fetch(w, "349");
	assert_whole(w);
	assert_int_equal(access(path, F_OK), -1);
}

static void
after_its_wait_a_file_is_taken_unscanned(void **state)
{
	struct world *w = *state;

	w->conf.clamd = "/nonexistent/clamd";
	begin(w);
	fetch(w, "335");
	assert_state(w, MEDIA_RETRY, "media.scan");
	assert_true(w->r.next_ms <= w->now_ms + 600000);
	w->now_ms += 600000;
	fetch(w, "335");
	assert_whole(w);
	assert_true(g_str_has_prefix(w->r.verdict, "unscanned: "));
	assert_non_null(strstr(w->r.verdict, "/nonexistent/clamd"));
	assert_asked("get", "335", 1);
}

static void
what_is_no_verdict_is_never_clean(void **state)
{
	static const struct {
		enum clamd_habit habit;
		const char *reply;
	} rows[] = {
		{ CLAMD_HASTY, "stream: OK" }, { CLAMD_CLOSES, "" },
		{ CLAMD_ANSWERS, "OK" }, { CLAMD_ANSWERS, "" },
		{ CLAMD_ANSWERS, "stream: OK but FOUND nothing ERROR" },
		{ CLAMD_HANGS, "" }, { CLAMD_DEAF, "" },
	};
	struct world *w = *state;

	w->conf.scan_total_ms = 300;
	w->may_hold = true;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		scan_with(w, rows[i].habit, rows[i].reply);
		fetch(w, "336");
		assert_state(w, MEDIA_RETRY, "media.scan");
	}
	assert_asked("get", "336", 1);
}

static void
what_the_scanner_does_not_take_is_said_to_be_unscanned(void **state)
{
	struct world *w = *state;

	scan_with(w, CLAMD_HASTY, "INSTREAM size limit exceeded. ERROR");
	fetch(w, "337");
	assert_whole(w);
	assert_non_null(strstr(w->r.verdict, "StreamMaxLength"));
	assert_true(g_str_has_prefix(w->r.verdict, "unscanned: "));
}

static void *
cancel_when_scanning(void *arg)
{
	struct world *w = arg;

	while (atomic_load(&w->clamd.calls) == 0)
		g_usleep(5000);
	media_cancel(w->m);
	return NULL;
}

static void
a_scan_can_be_stopped_and_its_file_stays(void **state)
{
	struct world *w = *state;
	pthread_t thread;

	w->may_hold = true;
	w->conf.scan_wait_ms = 0;
	scan_with(w, CLAMD_HANGS, "");
	assert_int_equal(pthread_create(&thread, NULL,
	    cancel_when_scanning, w), 0);
	fetch(w, "338");
	pthread_join(thread, NULL);
	assert_state(w, MEDIA_RETRY, "media.stopped");
	assert_false(spool_is_empty(w));
}

/* ---- several at once --------------------------------------------------- */

struct part {
	struct media *m;
	int64_t now_ms;
	int number;
	bool ok;
};

static void *
fetch_some(void *arg)
{
	struct part *p = arg;

	p->ok = true;
	for (int i = 0; p->ok && i < 4; i++) {
		struct media_want want = { .number = p->number * 10 + i,
			.id = "301", .at_ms = p->now_ms };
		struct media_result r;

		media_fetch(p->m, &want, p->now_ms, &r);
		p->ok = r.state == MEDIA_FETCHED;
		media_result_clear(&r);
	}
	return NULL;
}

static void
several_threads_fetch_the_same_bytes_at_once(void **state)
{
	struct world *w = *state;
	struct part parts[4];
	pthread_t threads[4];

	for (int i = 0; i < 4; i++) {
		parts[i] = (struct part){ .m = w->m, .now_ms = w->now_ms,
			.number = i };
		assert_int_equal(pthread_create(&threads[i], NULL, fetch_some,
		    &parts[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_true(parts[i].ok);
	}
	fetch(w, "301");
	assert_whole(w);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_staff_uploaded_is_taken_from_here_and_stays_there),
		TEST(a_file_is_fetched_by_its_id),
		TEST(another_type_than_declared_is_noted),
		TEST(the_address_of_the_webhook_comes_first_while_it_is_fresh),
		TEST(an_old_address_of_the_webhook_is_not_tried),
		TEST(a_bad_address_of_the_webhook_is_asked_for_anew),
		TEST(an_expired_address_is_asked_for_again_once),
		TEST(what_is_there_already_is_not_fetched),
		TEST(a_damaged_file_is_fetched_anew),
		TEST(wrong_bytes_are_tried_again_then_kept_and_noted),
		TEST(wrong_bytes_from_the_webhooks_address_are_asked_for_by_id),
		TEST(without_a_digest_the_length_must_be_right),
		TEST(without_a_digest_the_webhooks_address_is_not_used),
		TEST(the_answers_digest_counts_when_the_webhook_has_none),
		TEST(half_a_file_is_not_kept),
		TEST(a_file_that_is_too_large_is_final),
		TEST(what_is_gone_is_asked_for_until_the_time_is_over),
		TEST(a_refused_token_is_told_apart),
		TEST(a_redirect_and_a_foreign_address_wait_for_a_person),
		TEST(a_throttled_try_is_as_late_as_asked_for),
		TEST(a_try_can_be_stopped),
		TEST(a_full_or_missing_spool_is_not_the_files_fault),
		TEST(a_clean_file_was_seen_whole_by_the_scanner),
		TEST(an_infected_file_is_tagged),
		TEST(an_infected_file_goes_to_quarantine),
		TEST(a_file_of_an_earlier_message_is_not_taken_away_from_it),
		TEST(a_file_waits_for_its_scanner_without_being_fetched_again),
		TEST(a_held_file_from_before_the_first_try_is_somebody_elses),
		TEST(after_its_wait_a_file_is_taken_unscanned),
		TEST(what_is_no_verdict_is_never_clean),
		TEST(what_the_scanner_does_not_take_is_said_to_be_unscanned),
		TEST(a_scan_can_be_stopped_and_its_file_stays),
		TEST(several_threads_fetch_the_same_bytes_at_once),
	};

	return cmocka_run_group_tests_name("media against peers", tests,
	    start_peer, stop_peer);
}
