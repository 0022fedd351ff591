/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Crashes the store at its system calls, one run per call, and checks after
 * each: what was acknowledged is there; what is there is whole; the
 * conservation law holds. Also that a crash while preparing is mended by
 * preparing again.
 *
 * crash_slice.h says which calls are tried.
 */
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash_calls.h"
#include "crash_sends.h"
#include "crash_slice.h"
#include "crash_tree.h"
#include "err.h"
#include "io.h"
#include "store_sqlite.h"

#define EVERY 41
#define ROUNDS 8
#define T0 INT64_C(1770127509402)
/* So many calls a run must have, or the test tests nothing. */
#define LEAST_CALLS 700
#define LEAST_PREPARE_CALLS 200

/* What the process that dies had been told; shared with the one that checks. */
struct told {
	int64_t events, mails, sent, fetched;
	int64_t held, let_go;	/* the last turns */
	struct crash_sends sends;
	int calls;
};

static struct told *told;
static char *dir, *fresh, *uri;

/* ---- what is written --------------------------------------------------- */

/* Bytes that tell their id and that nothing is missing. */
static char *
bytes_of(int64_t id, size_t len)
{
	char *bytes = g_strnfill(len, (char)('a' + id % 26));

	bytes[len - 1] = '$';
	return bytes;
}

#define BODY_LEN 3000
#define MAIL_LEN 5000

static void
write_events(struct store *st)
{
	int64_t id = 0;

	store_begin(st);
	for (int i = 0; i < 2; i++) {
		g_autofree char *body = bytes_of(told->events + i + 1,
		    BODY_LEN);
		struct store_event ev = { .received_ms = T0, .remote = "r",
			.secret_name = "s", .signature = "g", .body = body,
			.len = BODY_LEN };

		hash_sha256(body, BODY_LEN, ev.sha256);
		store_event_add(st, &ev, &id);
	}
	if (store_commit(st, NULL))
		told->events = id;
}

struct building {
	struct store *st;
	int64_t last, mail, held;
};

/* A file of this length; nothing is synced. False when that failed. */
static bool
write_file(const char *path, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write(fd, bytes, len) == (ssize_t)len;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Every second mail is a file. */
static void
add_content(struct store *st, int64_t turn, const char *bytes,
    const uint8_t *sha256, int64_t *id)
{
	g_autofree char *path = NULL;

	if (turn % 2 == 0) {
		store_content_add(st, turn, bytes, MAIL_LEN, sha256, id);
		return;
	}
	path = g_build_filename(store_dir(st, STORE_DIR_SPOOL), "turn", NULL);
	write_file(path, bytes, MAIL_LEN);
	store_content_add_file(st, turn, path, MAIL_LEN, sha256, id);
}

static void
render(struct building *bu, int64_t turn)
{
	g_autofree char *bytes = bytes_of(turn, MAIL_LEN);
	g_autofree char *key = g_strdup_printf("k%d", (int)turn);
	struct store_mail m = { .turn_id = turn, .journal = "j",
		.message_id = key, .envelope_from = "f", .envelope_to = "t",
		.queued_ms = T0 };
	uint8_t sha256[HASH_SIZE];

	hash_sha256(bytes, MAIL_LEN, sha256);
	add_content(bu->st, turn, bytes, sha256, &m.content_id);
	store_turn_rendered(bu->st, turn, key, sha256, T0);
	store_mail_add(bu->st, &m, &bu->mail);
}

static void
hold(struct building *bu, int64_t turn)
{
	const struct store_hold h = { .turn_id = turn, .rule = "r",
		.since_ms = T0, .until_ms = T0 + 1, .persons = 1 };

	store_turn_hold(bu->st, &h);
	bu->held = turn;
}

/* Every third message has a file, for which its turn waits; every fifth that
 * has none is held by a rule. */
static bool
build_one(void *arg, const struct store_event *ev)
{
	struct building *bu = arg;
	g_autofree char *key = g_strdup_printf("k%d", (int)ev->id);
	char talk[] = "t", author[] = "a";
	struct turn t = { .conversation = talk, .author = author };
	struct store_item it = { .key = key, .event_id = ev->id,
		.kind = "message", .type = "text" };
	struct store_want w = { .event_id = ev->id, .media_id = key };

	store_turn_add(bu->st, &t, "b", "message", TURN_SINGLE);
	it.turn_id = w.turn_id = t.id;
	store_item_add(bu->st, &it);
	if (ev->id % 3 == 0) {
		store_want_add(bu->st, &w, NULL);
		store_turn_wait(bu->st, t.id, T0);
	} else if (ev->id % 5 == 0) {
		hold(bu, t.id);
	} else {
		render(bu, t.id);
	}
	bu->last = ev->id;
	return true;
}

static bool
take_result(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	struct building *bu = arg;

	render(bu, w->turn_id);
	bu->last = f->number;
	return true;
}

/* Turn by turn: each is held, or let go and rendered. */
static void
let_go(struct store *st)
{
	g_autoptr(GArray) due = NULL;

	if (!store_hold_due(st, T0 + 1, 10, &due, NULL))
		return;
	for (guint i = 0; i < due->len; i++) {
		int64_t turn = g_array_index(due, int64_t, i);
		struct building bu = { .st = st };

		store_begin(st);
		store_turn_unhold(st, turn, "expired", T0 + 1);
		render(&bu, turn);
		if (!store_commit(st, NULL))
			continue;
		told->mails = bu.mail;
		told->let_go = turn;
	}
}

static void
take_up(struct store *st)
{
	struct building bu = { .st = st };
	int64_t cursor;
	bool ok;

	if (!store_cursor_get(st, STORE_BUILD, STORE_CURSOR_FETCHED, &cursor,
	    NULL))
		return;
	store_begin(st);
	ok = store_result_list(st, cursor, 10, take_result, &bu, NULL);
	if (!ok || bu.last == 0) {
		store_rollback(st);
		return;
	}
	store_cursor_set(st, STORE_BUILD, STORE_CURSOR_FETCHED, bu.last);
	if (store_commit(st, NULL))
		told->mails = bu.mail;
}

/* ---- media ---------------------------------------------------------------- */

static bool
take_want(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	if (f->state <= STORE_FETCH_TRYING)
		g_array_append_val((GArray *)arg, w->id);
	return true;
}

static bool
set_fetch(struct store *st, const struct store_fetch *f)
{
	store_begin(st);
	store_fetch_set(st, f);
	return store_commit(st, NULL);
}

static void
fetch_one(struct store *st, int64_t want)
{
	g_autofree char *bytes = bytes_of(want, MAIL_LEN);
	char hex[HASH_HEX_SIZE];
	struct store_fetch f = { .want_id = want,
		.state = STORE_FETCH_TRYING, .size = MAIL_LEN };

	if (!set_fetch(st, &f))
		return;
	hash_sha256(bytes, MAIL_LEN, f.sha256);
	f.path = hash_hex(f.sha256, hex);
	if (!io_publish(store_dir(st, STORE_DIR_SPOOL),
	    store_dir(st, STORE_DIR_MEDIA), f.path, bytes, MAIL_LEN, NULL))
		return;
	f.state = STORE_FETCHED;
	if (set_fetch(st, &f))
		told->fetched = want;
}

static void
fetch(struct store *st)
{
	g_autoptr(GArray) wants = g_array_new(FALSE, FALSE, sizeof(int64_t));

	if (!store_want_list(st, 0, 100, take_want, wants, NULL))
		return;
	for (guint i = 0; i < wants->len; i++)
		fetch_one(st, g_array_index(wants, int64_t, i));
}

/* ---- build ------------------------------------------------------------------ */

static void
build(struct store *st)
{
	struct building bu = { .st = st };
	int64_t cursor;
	bool ok;

	if (!store_cursor_get(st, STORE_BUILD, STORE_CURSOR_EVENTS, &cursor,
	    NULL))
		return;
	store_begin(st);
	ok = store_event_list(st, cursor, 10, 1 << 20, build_one, &bu, NULL);
	if (!ok || bu.last == 0) {
		store_rollback(st);
		return;
	}
	store_cursor_set(st, STORE_BUILD, STORE_CURSOR_EVENTS, bu.last);
	if (!store_commit(st, NULL))
		return;
	told->mails = MAX(told->mails, bu.mail);
	told->held = MAX(told->held, bu.held);
}

static bool
take_mail(void *arg, const struct store_mail *m)
{
	g_array_append_val((GArray *)arg, m->id);
	return true;
}

static void
deliver(struct store *st)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	struct store_outcome o = { .journal = "j", .state = STORE_SENT,
		.attempts = 1, .first_ms = T0, .last_ms = T0, .reply = "250" };

	if (!store_mail_pending(st, "j", 1, INT64_MAX, 10, take_mail, ids,
	    NULL))
		return;
	store_begin(st);
	for (guint i = 0; i < ids->len; i++) {
		o.mail_id = g_array_index(ids, int64_t, i);
		store_outcome_set(st, &o);
	}
	if (store_commit(st, NULL))
		told->sent = MAX(told->sent, o.mail_id);
}

static bool
is_role(int file)
{
	return file < STORE_ADMIN || file == STORE_GATEWAY;
}

/* What in life happens after thousands of pages. */
static void
tidy(struct store **of)
{
	int64_t n;

	store_event_purge(of[STORE_INTAKE], T0 + 1, 3, &n, NULL);
	store_content_purge(of[STORE_BUILD], T0 + 1, 3, &n, NULL);
	store_media_purge(of[STORE_MEDIA], T0 + 1, 3, &n, NULL);
	for (int f = 0; f < STORE_FILES; f++) {
		if (!is_role(f))
			continue;
		sqlite3_wal_checkpoint_v2(SQLITE_OF(of[f])->db, "main",
		    SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	}
}

static void
live(void)
{
	struct store *of[STORE_FILES] = { NULL };

	for (int f = 0; f < STORE_FILES; f++) {
		if (!is_role(f))
			continue;
		if (!store_open(uri, f, &of[f], NULL))
			return;
	}
	for (int i = 0; i < ROUNDS; i++) {
		write_events(of[STORE_INTAKE]);
		if (i % 2 == 0)
			crash_sends_pass(of[STORE_GATEWAY], &told->sends);
		build(of[STORE_BUILD]);
		crash_sends_file(of[STORE_BUILD]);
		fetch(of[STORE_MEDIA]);
		take_up(of[STORE_BUILD]);
		if (i % 2 == 1)
			let_go(of[STORE_BUILD]);
		deliver(of[STORE_DELIVER]);
		if (i % 3 == 2)
			tidy(of);
	}
	for (int f = 0; f < STORE_FILES; f++)
		store_close(of[f]);
}

/* ---- what is checked --------------------------------------------------- */

/* Ids seen, and whether one was not whole. */
struct check {
	int64_t last;
	const char *broken;
};

static bool
check_event(void *arg, const struct store_event *ev)
{
	g_autofree char *want = bytes_of(ev->id, BODY_LEN);
	struct check *c = arg;

	c->last = ev->id;
	if (ev->body != NULL && (ev->len != BODY_LEN ||
	    memcmp(ev->body, want, BODY_LEN) != 0))
		c->broken = "an event is not whole";
	return true;
}

static bool
is_whole(const char *path, const uint8_t want[HASH_SIZE])
{
	g_autofree char *bytes = NULL;
	uint8_t sha256[HASH_SIZE];
	gsize len;

	if (!g_file_get_contents(path, &bytes, &len, NULL))
		return false;
	hash_sha256(bytes, len, sha256);
	return len == MAIL_LEN && memcmp(sha256, want, HASH_SIZE) == 0;
}

/* A file that is gone was purged, or the law says so. */
static bool
check_mail(void *arg, const struct store_mail *m)
{
	struct check *c = arg;
	uint8_t sha256[HASH_SIZE];

	c->last = m->id;
	if (m->file != NULL && access(m->file, F_OK) == 0 &&
	    !is_whole(m->file, m->sha256))
		c->broken = "a mail in a file is not whole";
	if (m->bytes == NULL)
		return true;
	hash_sha256(m->bytes, m->len, sha256);
	if (m->len != MAIL_LEN || memcmp(sha256, m->sha256, HASH_SIZE) != 0)
		c->broken = "a mail is not whole";
	return true;
}

static bool
check_want(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	struct check *c = arg;
	g_autofree char *path = f->path == NULL ? NULL : g_build_filename(dir,
	    "media", f->path, NULL);

	if (w->id <= told->fetched && f->state != STORE_FETCHED)
		c->broken = "a file that was fetched is forgotten";
	if (path != NULL && access(path, F_OK) == 0 &&
	    !is_whole(path, f->sha256))
		c->broken = "a file is not whole";
	return true;
}

static bool
check_hold(void *arg, const struct store_hold *h)
{
	struct check *c = arg;

	c->last = h->turn_id;
	if (h->turn_id <= told->let_go && h->ended_ms == 0)
		c->broken = "a turn that was let go is held";
	return true;
}

/* Whether it goes on being held, or was rendered, the law checks. */
static bool
check_holds(struct store *st, struct check *c, struct err *err)
{
	c->last = 0;
	for (int64_t turn = 1; turn <= told->held; turn++) {
		if (!store_hold_get(st, turn, check_hold, c, err))
			return false;
	}
	if (c->last != told->held)
		c->broken = "a hold is lost";
	return true;
}

static bool
check_events(struct store *st, struct check *c, struct err *err)
{
	if (!store_event_list(st, 0, 1000, SIZE_MAX, check_event, c, err))
		return false;
	if (c->last < told->events)
		c->broken = "an acknowledged event is lost";
	return true;
}

static bool
check_mails(struct store *st, struct check *c, struct err *err)
{
	int64_t last;

	if (!store_mail_last(st, "j", &last, err))
		return false;
	if (last < told->mails)
		c->broken = "a mail that was filed is lost";
	for (int64_t id = 1; id <= last; id++) {
		if (!store_mail_get(st, id, check_mail, c, err))
			return false;
	}
	c->last = INT64_MAX;
	if (!store_mail_pending(st, "j", 1, told->sent, 1, check_mail, c, err))
		return false;
	if (c->last != INT64_MAX)
		c->broken = "an outcome is lost";
	return true;
}

static char *
check_law(struct store *st, struct err *err)
{
	char *why = NULL;
	bool ok = false;

	if (!store_law_check(st, &ok, &why, err))
		return g_strdup(err->text);
	return why;
}

/* NULL, or what is wrong. As the daemon does, it prepares first. */
static char *
check_store(void)
{
	struct check c = { 0 };
	struct err err = ERR_INIT;
	struct store *st = NULL;
	char *wrong;

	if (!store_prepare(uri, NULL, NULL, &err) ||
	    !crash_sends_check(uri, &told->sends, &c.broken, &err) ||
	    !store_open(uri, STORE_NONE, &st, &err))
		return g_strdup(err.text);
	if (!check_events(st, &c, &err) || !check_mails(st, &c, &err) ||
	    !check_holds(st, &c, &err) ||
	    !store_want_list(st, 0, 1000, check_want, &c, &err))
		wrong = g_strdup(err.text);
	else if (c.broken != NULL)
		wrong = g_strdup(c.broken);
	else
		wrong = check_law(st, &err);
	store_close(st);
	return wrong;
}

/* ---- runs -------------------------------------------------------------- */

static bool
set_up(void)
{
	struct err err = ERR_INIT;
	g_autofree char *fresh_uri = NULL;

	dir = g_dir_make_tmp("crash-store-XXXXXX", NULL);
	fresh = g_dir_make_tmp("crash-fresh-XXXXXX", NULL);
	uri = g_strconcat("sqlite:", dir, NULL);
	fresh_uri = g_strconcat("sqlite:", fresh, NULL);
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (store_prepare(fresh_uri, NULL, NULL, &err))
		return true;
	printf("Bail out! %s\n", err.text);
	return false;
}

static void
prepare_only(void)
{
	store_prepare(uri, NULL, NULL, NULL);
}

/* In a process of its own; its exit code. */
static int
run(void (*work)(void), enum crash_mode mode, int at)
{
	int status = 0;
	pid_t pid;

	memset(told, 0, sizeof(*told));
	pid = fork();
	if (pid == 0) {
		crash_arm(mode, at);
		work();
		told->calls = crash_calls();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
count_calls(void (*work)(void), bool from_nothing)
{
	if (from_nothing)
		crash_tree_empty(dir);
	else
		crash_tree_copy(fresh, dir);
	run(work, CRASH_FAIL, -1);
	return told->calls;
}

struct plan {
	const char *sentence;
	void (*work)(void);
	bool from_nothing;
	enum crash_mode mode;
	int least_calls;
};

static const struct plan plans[] = {
	{ "killed at any call, the store has what it acknowledged, and whole",
	    live, false, CRASH_KILL, LEAST_CALLS },
	{ "cut off from power at any call, it has what it acknowledged",
	    live, false, CRASH_CUT, LEAST_CALLS },
	{ "when any call fails, what is acknowledged all the same is there",
	    live, false, CRASH_FAIL, LEAST_CALLS },
	{ "killed while preparing, it is prepared by the next start",
	    prepare_only, true, CRASH_KILL, LEAST_PREPARE_CALLS },
	{ "cut off while preparing, it is prepared by the next start",
	    prepare_only, true, CRASH_CUT, LEAST_PREPARE_CALLS },
};

static bool
try_one(const struct plan *p, int at)
{
	int want = p->mode == CRASH_FAIL ? 0 : CRASH_EXIT;
	g_autofree char *wrong = NULL;
	int got;

	if (p->from_nothing)
		crash_tree_empty(dir);
	else
		crash_tree_copy(fresh, dir);
	got = run(p->work, p->mode, at);
	if (got == want)
		wrong = check_store();
	else
		wrong = g_strdup_printf("it ended with %d, not %d", got, want);
	if (wrong != NULL)
		printf("# at call %d: %s\n", at, wrong);
	return wrong == NULL;
}

static bool
try_plan(const struct plan *p, int number, const struct crash_slice *slice)
{
	int calls = count_calls(p->work, p->from_nothing), tried = 0;
	bool ok = calls >= p->least_calls;

	if (!ok)
		printf("# only %d calls\n", calls);
	for (int at = crash_slice_first(slice, number); at <= calls;
	    at += slice->every, tried++)
		ok = try_one(p, at) && ok;
	printf("# %d of %d calls tried\n", tried, calls);
	printf("%sok %d - %s\n", ok ? "" : "not ", number + 1, p->sentence);
	fflush(stdout);
	return ok;
}

int
main(void)
{
	struct crash_slice slice = crash_slice(EVERY);
	bool ok = true;

	if (!set_up())
		return 1;
	printf("1..%d\n", (int)G_N_ELEMENTS(plans));
	for (int i = 0; i < (int)G_N_ELEMENTS(plans); i++)
		ok = try_plan(&plans[i], i, &slice) && ok;
	crash_tree_remove(dir);
	crash_tree_remove(fresh);
	g_free(dir);
	g_free(fresh);
	g_free(uri);
	return ok ? 0 : 1;
}
