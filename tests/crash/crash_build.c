/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Crashes the commits of intake and media and the steps of the build role at
 * each of their system calls; another process then goes on to the end. What
 * comes out must be what an undisturbed run gives, byte for byte: every event
 * read, every item in exactly one mail of each journal, every file in its
 * mail or in one that follows it, the law of conservation kept. Between the
 * lives nothing is in the spool, and no mail file without its row.
 *
 * Twice as many calls are tried of where rules hold and exclude, officers
 * decide and the gateway records. crash_slice.h says which.
 */
#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf.h"
#include "crash_calls.h"
#include "crash_slice.h"
#include "crash_tree.h"
#include "err.h"
#include "log.h"
#include "role.h"
#include "store.h"

#define T0 INT64_C(1789999200000)
#define LEAST_CALLS 2000
#define LEAST_MAILS 80
#define LEAST_LARGE 6
#define TRIES_MAX 20
#define EVERY 397
#define DENSE 2
#define RULES_MS 700000	/* of the day: from then on they have work */

/* ---- the day that is lived -------------------------------------------------- */

#define ANA "\"from\":\"5511999990000\""
#define ANA_ID "\"from_user_id\":\"BR.5Qe0001\""
#define RUI "\"from\":\"5511988880002\""
#define EVA "\"from\":\"5511977770003\""
#define TEXT(id, who, at, words) "{\"id\":\"wamid." id "\"," who \
	",\"timestamp\":\"" at "\",\"type\":\"text\",\"text\":{\"body\":\"" \
	words "\"}}"
#define EVENT(field, member, list) "{\"object\":" \
	"\"whatsapp_business_account\",\"entry\":[{\"id\":\"9001\"," \
	"\"changes\":[{\"field\":\"" field "\",\"value\":{\"metadata\":{" \
	"\"display_phone_number\":\"551140000001\"," \
	"\"phone_number_id\":\"7001\"},\"" member "\":[" list "]}}]}]}"
#define SAID(list) EVENT("messages", "messages", list)
#define TO_ANA "\"from\":\"551140000001\",\"to\":\"5511999990000\""
#define TO_RUI "\"from\":\"551140000001\",\"to\":\"5511988880002\""
#define MESSAGE(id, who, at, type, content) "{\"id\":\"wamid." id "\"," who \
	",\"timestamp\":\"" at "\",\"type\":\"" type "\",\"" type "\":{" \
	content "}}"
#define IMAGE(id, who, at, media) MESSAGE(id, who, at, "image", \
	"\"id\":\"" media "\",\"mime_type\":\"image/jpeg\"")
#define STATUS(id, at, state, to) EVENT("messages", "statuses", "{\"id\":" \
	"\"wamid." id "\",\"status\":\"" state "\",\"timestamp\":\"" at \
	"\",\"recipient_id\":\"" to "\"}")

#define RECORD(key, outcome, more, words) "{\"object\":" \
	"\"chatjournal_gateway\",\"version\":1,\"send\":\"" key "\"," \
	"\"outcome\":\"" outcome "\",\"received_ms\":1789999920000," \
	"\"done_ms\":1789999920000,\"application\":\"crm\"," \
	"\"author\":\"staff\",\"account\":\"9001\",\"business\":{\"id\":" \
	"\"7001\",\"number\":\"551140000001\"},\"method\":\"POST\"," \
	"\"target\":\"/v25.0/7001/messages\",\"request\":{\"to\":" \
	"\"5511999990000\",\"type\":\"text\",\"text\":{\"body\":\"" words \
	"\"}}" more "}"
#define KEY "0123456789abcdef0123456789abcdef"

/* What became of a file: of so many bytes, or why there is none. */
struct fetched {
	const char *media_id;
	size_t size;
	const char *reason;
};

/*
 * What comes at one moment is one commit, of intake or, if it is files, of
 * media.
 */
struct moment {
	int64_t at_ms;
	const char *bodies[5];	/* ends with NULL */
	bool restart;		/* all processes begin anew, as every day */
	struct fetched files[3];	/* ends with NULL */
	const char *records[3];	/* of the gateway, ends with NULL */
	const char *review, *of;	/* verb, and the rule that holds it */
};

static const struct moment day[] = {
	{ 0, { SAID(TEXT("A1", ANA "," ANA_ID, "1789999200", "Bom dia")) } },
	{ 4000, { SAID(TEXT("A2", ANA_ID, "1789999204", "sou eu")),
	    SAID(TEXT("R1", RUI, "1789999203", "Hello")),
	    "this is no JSON" } },
	{ 9000, { EVENT("smb_message_echoes", "message_echoes",
	    TEXT("E1", TO_ANA, "1789999208", "Bom dia, Ana")) } },
	{ 9500, { EVENT("messages", "statuses", "{\"id\":\"wamid.E1\","
	    "\"status\":\"delivered\",\"timestamp\":\"1789999209\","
	    "\"recipient_id\":\"5511999990000\"}"),
	    SAID(TEXT("A1", ANA "," ANA_ID, "1789999200", "Bom dia")) } },
	{ 12000, { SAID(TEXT("A3", ANA, "1789999211", "tudo bem?") ","
	    TEXT("R2", RUI, "1789999211", "anybody?") ","
	    TEXT("R3", RUI, "1789999212", "hm")) } },
	{ 60000, { SAID(TEXT("A4", ANA, "1789999260", "so by number")),
	    SAID("{\"id\":\"wamid.R4\"," RUI ",\"timestamp\":\"1789999260\","
	    "\"type\":\"hologram\",\"hologram\":{}}"),
	    SAID(TEXT("R5", RUI ",\"from_user_id\":\"BR.Rui2\"",
	    "1789999259", "both")),
	    SAID("{\"id\":\"wamid.S1\"," EVA ",\"from_user_id\":\"BR.Eva3\","
	    "\"timestamp\":\"1789999260\",\"type\":\"hologram\"}") },
	    .restart = true },
	{ 61000, { SAID(TEXT("R6", "\"from_user_id\":\"BR.Rui2\"",
	    "1789999261", "by id")),
	    SAID(TEXT("S2", EVA, "1789999261", "by number")) },
	    .restart = true },
	{ 200000, { SAID(TEXT("A5", ANA_ID, "1789999400", "bye")) } },
	/* Files: here at once, in time, never, and two that are late. */
	{ 300000, { SAID(IMAGE("F1", ANA, "1789999500", "801")),
	    SAID(IMAGE("F2", RUI, "1789999500", "802")),
	    SAID(IMAGE("F3", EVA, "1789999500", "803") ","
	    IMAGE("F4", EVA, "1789999501", "804")) } },
	{ 301000, .files = { { "801", 300000 } } },
	{ 325000, .files = { { "802", 500 }, { "803", 0, "forgotten" } } },
	{ 329000, { SAID(IMAGE("F5", ANA_ID, "1789999528", "805")) } },
	{ 340000, { SAID(TEXT("A6", ANA_ID, "1789999540", "no?")) },
	    .restart = true },
	{ 390000, .files = { { "804", 280000 }, { "805", 0, "too large" } } },
	/* Receipts of one message, around a restart; and a failure. */
	{ 400000, { EVENT("smb_message_echoes", "message_echoes",
	    TEXT("E2", TO_RUI, "1789999600", "Hello, Rui")) } },
	{ 402000, { STATUS("E2", "1789999601", "sent", "5511988880002"),
	    STATUS("E2", "1789999602", "delivered", "5511988880002") } },
	{ 405000, { STATUS("E2", "1789999605", "read", "5511988880002"),
	    STATUS("E2", "1789999602", "delivered", "5511988880002") },
	    .restart = true },
	{ 406000, { STATUS("E1", "1789999606", "failed", "5511999990000") } },
	/* Changes and replies: of what is held, and of what is not. */
	{ 500000, { SAID(MESSAGE("C1", ANA_ID, "1789999700", "edit",
	    "\"original_message_id\":\"wamid.A3\",\"message\":{\"type\":"
	    "\"text\",\"text\":{\"body\":\"tudo mal\"}}")),
	    SAID(MESSAGE("C2", RUI, "1789999700", "revoke",
	    "\"original_message_id\":\"wamid.R2\"") ","
	    MESSAGE("C3", RUI, "1789999701", "reaction",
	    "\"message_id\":\"wamid.A1\",\"emoji\":\"+\"")) } },
	{ 501000, { SAID(MESSAGE("C4", ANA_ID, "1789999701", "revoke",
	    "\"original_message_id\":\"wamid.A3\"")) }, .restart = true },
	/* People: a number changes, and comes back with somebody else. */
	{ 600000, { SAID(MESSAGE("S3", EVA, "1789999800", "system",
	    "\"type\":\"user_changed_number\",\"body\":\"changed\","
	    "\"wa_id\":\"5511966660004\"")) } },
	{ 601000, { SAID(TEXT("S4", "\"from_user_id\":\"BR.Eva3\"",
	    "1789999801", "mine")),
	    SAID(TEXT("S5", EVA ",\"from_user_id\":\"BR.New5\"",
	    "1789999801", "not hers")) }, .restart = true },
	{ 602000, { SAID(TEXT("S6", EVA, "1789999802", "not hers")),
	    SAID(TEXT("S7", "\"from\":\"5511966660004\"", "1789999802",
	    "hers")) } },
	/* Rules: three are held, one has a part excluded; and the gateway. */
	{ 700000, { SAID(TEXT("H1", ANA_ID, "1789999900", "wire one") ","
	    TEXT("H2", RUI, "1789999900", "wire two") ","
	    TEXT("H3", EVA, "1789999900", "wire three")),
	    SAID(TEXT("X1", "\"from\":\"5511955550005\"", "1789999901",
	    "secret") "," TEXT("X2", "\"from\":\"5511955550005\"",
	    "1789999902", "no secret")) } },
	{ 725000, .records = { RECORD("s1", "accepted", ",\"response\":{"
	    "\"messages\":[{\"id\":\"wamid.G1\"}]}", "sent"),
	    RECORD(KEY, "unknown", "", "lost") } },
	{ 730000, .review = "release", .of = "one" },
	{ 731000, { EVENT("messages", "statuses", "{\"id\":\"wamid.G2\","
	    "\"status\":\"sent\",\"timestamp\":\"1789999930\","
	    "\"recipient_id\":\"5511999990000\","
	    "\"biz_opaque_callback_data\":\"cj:" KEY "\"}") } },
	{ 732000, .review = "reject", .of = "two", .restart = true },
};

/* Where the process that dies is; shared with the one that goes on. */
struct told {
	int calls, odd;
	int rules_at;		/* the call with which they come into play */
	int64_t acknowledged, now_ms;
};

static struct told *told;
static char *dir, *uri, *fresh;
static struct conf *conf;

/* ---- living -------------------------------------------------------------------- */

struct life {
	struct store *intake, *media, *store, *gateway, *admin;
	struct build *build;
};

static void
end(struct life *l)
{
	build_free(l->build);
	store_close(l->store);
	store_close(l->media);
	store_close(l->intake);
	store_close(l->gateway);
	store_close(l->admin);
	*l = (struct life){ NULL };
}

/* A failing call may hit an opening, too: the supervisor tries again. */
static bool
begin(struct life *l)
{
	struct err err = ERR_INIT;

	for (int i = 0; i < TRIES_MAX; i++) {
		if (store_open(uri, STORE_INTAKE, &l->intake, &err) &&
		    store_open(uri, STORE_MEDIA, &l->media, &err) &&
		    store_open(uri, STORE_GATEWAY, &l->gateway, &err) &&
		    store_open(uri, STORE_ADMIN, &l->admin, &err) &&
		    store_open(uri, STORE_BUILD, &l->store, &err) &&
		    build_new(conf, l->store, &l->build, &err))
			return true;
		end(l);
	}
	return false;
}

static int64_t
count_events(struct store *st)
{
	struct store_status s = { 0 };
	int64_t n = -1;

	if (store_status(st, &s, NULL))
		n = s.events;
	store_status_clear(&s);
	return n;
}

static int64_t
count_records(struct store *st)
{
	struct store_status s = { 0 };
	int64_t n = -1;

	if (store_status(st, &s, NULL))
		n = s.records;
	store_status_clear(&s);
	return n;
}

static size_t
bodies_of(const struct moment *m)
{
	size_t n = 0;

	while (m->bodies[n] != NULL)
		n++;
	return n;
}

/* One commit, then the acknowledgement. */
static bool
receive(struct life *l, const struct moment *m)
{
	int64_t id = 0;

	store_begin(l->intake);
	for (size_t i = 0; i < bodies_of(m); i++) {
		struct store_event ev = { .received_ms = T0 + m->at_ms,
			.remote = "r", .secret_name = "s", .signature = "g",
			.body = m->bodies[i], .len = strlen(m->bodies[i]) };

		hash_sha256(ev.body, ev.len, ev.sha256);
		store_event_add(l->intake, &ev, &id);
	}
	if (!store_commit(l->intake, NULL))
		return false;
	told->acknowledged = id;
	return true;
}

struct wish {
	const char *media_id;
	int64_t want_id;	/* 0: not wanted, or final */
};

static bool
find_want(void *arg, const struct store_want *want,
    const struct store_fetch *f)
{
	struct wish *k = arg;

	if (strcmp(want->media_id, k->media_id) == 0 &&
	    f->state == STORE_FETCH_NONE)
		k->want_id = want->id;
	return k->want_id == 0;
}

/* The file is there, durably: this is what the tests of media are about. */
static char *
make_file(struct store *st, const struct fetched *file, struct store_fetch *f)
{
	char *name;
	g_autofree char *bytes = g_strnfill(file->size, file->media_id[2]);
	g_autofree char *path = NULL, *place = NULL;

	f->size = (int64_t)file->size;
	hash_sha256(bytes, file->size, f->sha256);
	name = hash_path(f->sha256);
	path = g_build_filename(store_dir(st, STORE_DIR_MEDIA), name, NULL);
	place = g_path_get_dirname(path);
	crash_hold(true);
	if (g_mkdir_with_parents(place, 0700) != 0 ||
	    !g_file_set_contents(path, bytes, (gssize)file->size, NULL))
		told->odd++;
	crash_hold(false);
	return name;
}

static void
add_fetch(struct life *l, const struct fetched *file, int64_t now_ms)
{
	struct wish k = { .media_id = file->media_id };
	g_autofree char *path = NULL;
	struct store_fetch f = { .attempts = 1, .first_ms = now_ms,
		.done_ms = now_ms, .type = "image/jpeg",
		.verdict = "clean", .reason = file->reason };

	if (!store_want_list(l->media, 0, INT32_MAX, find_want, &k, NULL))
		told->odd++;
	if (k.want_id == 0)
		return;
	f.want_id = k.want_id;
	f.state = file->reason != NULL ? STORE_UNAVAILABLE : STORE_FETCHED;
	if (file->reason == NULL)
		f.path = path = make_file(l->media, file, &f);
	store_fetch_set(l->media, &f);
}

static void
fetch(struct life *l, const struct moment *m)
{
	for (int k = 0; k < TRIES_MAX; k++) {
		store_begin(l->media);
		for (int i = 0; m->files[i].media_id != NULL; i++)
			add_fetch(l, &m->files[i], T0 + m->at_ms);
		if (store_commit(l->media, NULL))
			return;
	}
	told->odd++;
}

/* ---- the gateway, and officers ------------------------------------------------ */

/* One commit; n: so many are there already. */
static bool
record(struct life *l, const struct moment *m)
{
	int64_t id;

	store_begin(l->gateway);
	for (size_t i = 0; m->records[i] != NULL; i++) {
		struct store_event ev = { .received_ms = T0 + m->at_ms,
			.remote = "r", .secret_name = "crm", .signature = "",
			.body = m->records[i], .len = strlen(m->records[i]) };

		hash_sha256(ev.body, ev.len, ev.sha256);
		store_record_add(l->gateway, &ev, &id);
	}
	return store_commit(l->gateway, NULL);
}

/* All records of the day come at one moment. */
static void
record_once(struct life *l, const struct moment *m)
{
	for (int k = 0; k < TRIES_MAX; k++) {
		if (count_records(l->store) > 0 || record(l, m))
			return;
	}
	told->odd++;
}

struct case_of {
	const char *rule;
	int64_t turn_id;	/* 0: not held, or no more */
};

static bool
find_case(void *arg, const struct store_hold *h)
{
	struct case_of *c = arg;

	if (strcmp(h->rule, c->rule) == 0)
		c->turn_id = h->turn_id;
	return true;
}

static void
review(struct life *l, const struct moment *m)
{
	struct case_of c = { .rule = m->of };
	struct store_review r = { .at_ms = T0 + m->at_ms, .who = "ana",
		.verb = m->review, .why = "known" };
	struct err err = ERR_INIT;
	int64_t id;

	if (!store_hold_list(l->store, 0, INT32_MAX, find_case, &c, NULL))
		told->odd++;
	r.turn_id = c.turn_id;
	for (int k = 0; r.turn_id != 0 && k < TRIES_MAX; k++) {
		store_begin(l->admin);
		store_review_add(l->admin, &r, &id);
		/* The same act twice is refused: it was taken before. */
		if (store_commit(l->admin, &err) || err.kind == ERR_PERM)
			return;
	}
	told->odd += r.turn_id != 0;
}

/* Steps until all is done that can be done now; tries again as the role. */
static int64_t
work(struct life *l, int64_t now_ms)
{
	struct build_progress p = { .more = true };
	struct err err = ERR_INIT;
	int tries = 0;

	told->now_ms = now_ms;
	while (p.more && tries < TRIES_MAX) {
		if (build_step(l->build, now_ms, &p, &err))
			continue;
		told->odd += err.kind != ERR_TEMP;
		tries++;
	}
	told->odd += tries == TRIES_MAX;
	if (told->odd > TRIES_MAX)
		_exit(1);	/* it would go on for ever */
	return p.next_due_ms;
}

static void
pass(struct life *l, int64_t until_ms)
{
	int64_t next = work(l, told->now_ms);

	while (next <= until_ms)
		next = work(l, MAX(next, told->now_ms + 1));
}

/*
 * Lives through the day, or goes on with it where the store and the clock
 * are. What is not stored was not acknowledged, and Meta sends it again.
 */
static bool
live(void)
{
	struct life l = { NULL };
	int64_t stored, seen = 0;

	if (!begin(&l))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(day); i++) {
		const struct moment *m = &day[i];

		stored = count_events(l.store);
		seen += (int64_t)bodies_of(m);
		if (stored >= seen && T0 + m->at_ms < told->now_ms)
			continue;
		pass(&l, T0 + m->at_ms - 1);
		told->now_ms = T0 + m->at_ms;
		if (m->at_ms == RULES_MS)
			told->rules_at = crash_calls();
		for (int k = 0; stored < seen && k < TRIES_MAX; k++)
			stored = receive(&l, m) ? seen : stored;
		if (m->files[0].media_id != NULL)
			fetch(&l, m);
		if (m->records[0] != NULL)
			record_once(&l, m);
		if (m->review != NULL)
			review(&l, m);
		if (m->restart) {
			end(&l);
			if (!begin(&l))
				return false;
		}
		work(&l, T0 + m->at_ms);
	}
	pass(&l, told->now_ms + 600000);
	end(&l);
	return true;
}

/* ---- what came of it --------------------------------------------------------------- */

struct result {
	GString *sums;		/* of each mail, in order: a line */
	int64_t events, items, repeats, n;
	GHashTable *ids;	/* "journal wamid" of all that are in mails */
	GHashTable *files;	/* paths of mails that are files */
	const char *wrong;
};

/* Not of the report around a mail, which has its fields once more. */
static void
count_ids(struct result *r, const struct store_mail *m, const char *bytes)
{
	static const char field[] = "\nX-ChatJournal-Item: id=wamid.";
	const char *end = bytes + m->len, *s = g_strstr_len(bytes, m->len,
	    "\nX-ChatJournal-Event: media\r");

	if (s != NULL)
		return;		/* an item that was mailed before */
	for (s = bytes; (s = g_strstr_len(s, end - s, field)) != NULL;) {
		g_autofree char *id = NULL;

		s += sizeof(field) - 1;
		id = g_strndup(s, strcspn(s, ";\r"));
		if (!g_hash_table_add(r->ids, g_strjoin(" ", m->journal, id,
		    NULL)))
			r->wrong = "an item is in two mails";
	}
}

static bool
take_mail(void *arg, const struct store_mail *m)
{
	struct result *r = arg;
	g_autofree char *loaded = NULL;
	const char *bytes = m->bytes;
	uint8_t sha256[HASH_SIZE];
	char hex[HASH_HEX_SIZE];
	gsize len = m->len;

	r->n++;
	if (m->file != NULL) {
		g_hash_table_add(r->files, g_strdup(m->file));
		g_file_get_contents(m->file, &loaded, &len, NULL);
		bytes = loaded;
	}
	if (bytes == NULL || len != m->len) {
		r->wrong = "a mail has no bytes";
		return false;
	}
	hash_sha256(bytes, len, sha256);
	if (memcmp(sha256, m->sha256, HASH_SIZE) != 0)
		r->wrong = "a mail is not whole";
	count_ids(r, m, bytes);
	g_string_append_printf(r->sums, "%s %s %s\n", m->journal,
	    m->message_id, hash_hex(sha256, hex));
	return true;
}

static const char *
check_store(struct store *st, struct result *r)
{
	struct store_status s = { 0 };
	g_autofree char *why = NULL;
	bool ok = false, all;

	if (!store_law_check(st, &ok, &why, NULL) || !ok)
		return "the law is broken";
	if (!store_status(st, &s, NULL))
		return "there is no status";
	r->events = s.events;
	all = s.events_unread + s.records_unread + s.turns_held == 0 &&
	    s.turns_open == 0 && s.records == 2 && s.turns_excluded == 2 &&
	    s.turns_closed == 0 && s.turns_parked == 0 &&
	    s.events_parked == 1;
	r->items = s.items;
	r->repeats = s.sightings;
	store_status_clear(&s);
	return all ? NULL : "not all is done, or something was given up";
}

static GHashTable *known_files;
static int unknown_files;

static int
count_unknown(const char *path, const struct stat *st, int type,
    struct FTW *at)
{
	(void)st, (void)at;
	unknown_files += type == FTW_F &&
	    !g_hash_table_contains(known_files, path);
	return 0;
}

/* Files below this directory of the store that are not in `known`. */
static int
count_files(const char *name, GHashTable *known)
{
	g_autofree char *in = g_build_filename(dir, "store", name, NULL);

	unknown_files = 0;
	known_files = known;
	nftw(in, count_unknown, 8, FTW_PHYS);
	return unknown_files;
}

static void
check_files(struct result *r)
{
	g_autoptr(GHashTable) none = g_hash_table_new(g_str_hash, g_str_equal);

	if (count_files("spool", none) > 0)
		r->wrong = "something is left in the spool";
	else if (count_files("mail", r->files) > 0)
		r->wrong = "a file of a mail has no row";
}

static void
result_init(struct result *r)
{
	*r = (struct result){ .sums = g_string_new(NULL) };
	r->ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	r->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    NULL);
}

static void
take_mails(struct store *st, struct result *r)
{
	bool ok = true;

	for (int64_t id = 1, n = 0; ok && r->n == n; id++) {
		n++;
		ok = store_mail_get(st, id, take_mail, r, NULL);
	}
}

/* is_over: all must have been done. */
static void
look(struct result *r, bool is_over)
{
	struct store *st = NULL;
	g_autofree char *why = NULL;
	bool ok = store_prepare(uri, NULL, NULL, NULL) &&
	    store_open(uri, STORE_NONE, &st, NULL), lawful = false;

	result_init(r);
	if (!ok)
		r->wrong = "the store does not open";
	else if (is_over)
		r->wrong = check_store(st, r);
	else if (!store_law_check(st, &lawful, &why, NULL) || !lawful)
		r->wrong = "the law is broken between two lives";
	if (ok)
		take_mails(st, r);
	store_close(st);
	if (r->wrong == NULL)
		check_files(r);
}

static void
result_clear(struct result *r)
{
	g_string_free(r->sums, TRUE);
	g_hash_table_unref(r->ids);
	g_hash_table_unref(r->files);
}

/* ---- runs ----------------------------------------------------------------------------- */

static void
copy_file(const char *from, const char *to)
{
	g_autofree char *bytes = NULL;
	gsize len;

	if (!g_file_get_contents(from, &bytes, &len, NULL) ||
	    !g_file_set_contents_full(to, bytes, (gssize)len,
	    G_FILE_SET_CONTENTS_NONE, 0600, NULL))
		exit(1);
}

static void
each_file(const char *in, void (*act)(const char *path, const char *name))
{
	g_autoptr(GDir) d = g_dir_open(in, 0, NULL);
	const char *name;

	while (d != NULL && (name = g_dir_read_name(d)) != NULL) {
		g_autofree char *path = g_build_filename(in, name, NULL);

		if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
			act(path, name);
	}
}

static void
copy_one(const char *path, const char *name)
{
	g_autofree char *to = g_build_filename(dir, "store", name, NULL);

	copy_file(path, to);
}

static void
start_anew(void)
{
	static const char *const dirs[] = { "store", "store/media",
		"store/mail", "store/spool" };
	g_autofree char *store = g_build_filename(dir, "store", NULL);

	crash_tree_remove(store);
	for (size_t i = 0; i < G_N_ELEMENTS(dirs); i++) {
		g_autofree char *path = g_build_filename(dir, dirs[i], NULL);

		g_mkdir(path, 0700);
	}
	each_file(fresh, copy_one);
	memset(told, 0, sizeof(*told));
	told->now_ms = T0;
}

static int
run(enum crash_mode mode, int at)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		bool ok;

		crash_arm(mode, at);
		ok = live();
		told->calls = crash_calls();
		_exit(ok ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static struct result reference;

/* NULL, or what the life that ended has left behind. */
static const char *
look_between(void)
{
	struct result r;
	const char *wrong;

	look(&r, false);
	wrong = r.wrong;
	if (wrong == NULL && !g_str_has_prefix(reference.sums->str,
	    r.sums->str))
		wrong = "what is there is not the beginning of it all";
	result_clear(&r);
	return wrong;
}

static const char *
look_at_end(void)
{
	struct result r;
	const char *wrong;

	if (told->odd > 0)
		return "a passing failure was not told as one";
	look(&r, true);
	wrong = r.wrong;
	if (wrong == NULL && r.events < told->acknowledged)
		wrong = "an acknowledged event is lost";
	if (wrong == NULL && (r.items != reference.items ||
	    r.repeats != reference.repeats ||
	    strcmp(r.sums->str, reference.sums->str) != 0))
		wrong = "something else came of it";
	result_clear(&r);
	return wrong;
}

/* NULL, or what is wrong, after the run that ended with got. */
static const char *
judge(enum crash_mode mode, int got)
{
	const char *wrong;

	if (got != (mode == CRASH_FAIL ? 0 : CRASH_EXIT))
		return "it ended in another way";
	if (mode != CRASH_FAIL) {
		wrong = look_between();
		if (wrong != NULL)
			return wrong;
		if (run(CRASH_NEVER, 0) != 0)
			return "going on did not end well";
	}
	return look_at_end();
}

static int rules_at;

struct plan {
	const char *sentence;
	enum crash_mode mode;
};

static const struct plan plans[] = {
	{ "killed at any call, the next life makes the same mails of it",
	    CRASH_KILL },
	{ "cut off from power at any call, it makes the same mails of it, too",
	    CRASH_CUT },
	{ "when any call fails, the same life makes the same mails of it later",
	    CRASH_FAIL },
};

/* Where most of the day is not, each plan takes other calls. */
static int
next_call(int at, int every)
{
	return at + (at < rules_at ? every : MAX(1, every / DENSE));
}

static bool
try_plan(const struct plan *p, int number, int calls,
    const struct crash_slice *slice)
{
	int tried = 0;
	bool ok = true;

	for (int at = crash_slice_first(slice, number); at <= calls;
	    at = next_call(at, slice->every)) {
		const char *wrong;

		start_anew();
		tried++;
		wrong = judge(p->mode, run(p->mode, at));
		if (wrong != NULL)
			printf("# at call %d: %s\n", at, wrong);
		ok = ok && wrong == NULL;
	}
	printf("# %d of %d calls tried\n", tried, calls);
	printf("%sok %d - %s\n", ok ? "" : "not ", number + 2, p->sentence);
	fflush(stdout);
	return ok;
}

static bool
live_undisturbed(int *calls)
{
	int large;
	bool ok;

	start_anew();
	ok = run(CRASH_FAIL, -1) == 0;
	*calls = told->calls;
	rules_at = told->rules_at;
	look(&reference, true);
	large = (int)g_hash_table_size(reference.files);
	printf("# %d mails, %d of them files, %d calls%s%s\n",
	    (int)reference.n, large, *calls,
	    reference.wrong != NULL ? ": " : "",
	    reference.wrong != NULL ? reference.wrong : "");
	ok = ok && reference.wrong == NULL && reference.n >= LEAST_MAILS &&
	    large >= LEAST_LARGE && *calls >= LEAST_CALLS;
	printf("%sok 1 - undisturbed, every item is in one mail of each "
	    "journal\n", ok ? "" : "not ");
	return ok;
}

/* ---- set-up ------------------------------------------------------------------------------ */

static const char rules[] =
    "rule one { match text \"wire one\"; action hold; "
    "action alert archive; }\n"
    "rule two { match text \"wire two\"; action hold; }\n"
    "rule three { match text \"wire three\"; action hold max 2m; }\n"
    "rule secret { match text secret; match not { text \"no secret\"; } "
    "action exclude; }\n"
    "rule many { match direction received; "
    "count 3 customers 1h per business; action tag many; }\n";

/* Three ways of one mail: plain, in parts and Portuguese, in a report. */
static bool
write_conf(const char *path)
{
	const char *src = getenv("SRCDIR");
	g_autofree char *top = g_canonicalize_filename(src != NULL ? src : ".",
	    NULL);
	g_autofree char *business = g_build_filename(dir, "directory.conf",
	    NULL);
	g_autofree char *policy = g_build_filename(dir, "policy.conf", NULL);
	g_autofree char *text = g_strdup_printf("tenant bank; user -;\n"
	    "policy %s;\n"
	    "catch_all archive; directory %s;\n"
	    "turn { idle 20s; receipts all; receipt_wait 30s; }\n"
	    "graph { token_file /dev/null; } media { wait 10s; }\n"
	    "intake { app_secret_file /dev/null; "
	    "verify_token_file /dev/null; }\n"
	    "render { domain chatjournal.bank.example; "
	    "templates %s/templates; }\n"
	    "journal archive { maildir /nonexistent/1; }\n"
	    "journal parts { maildir /nonexistent/2; language pt; "
	    "max_size 256k; }\n"
	    "journal report { maildir /nonexistent/3; "
	    "profile exchange-journal; }\n", policy, business, top);

	return g_file_set_contents(path, text, -1, NULL) &&
	    g_file_set_contents(policy, rules, -1, NULL) &&
	    g_file_set_contents(business, "business 7001 { "
	    "number 551140000001; name PB; desk pb; mail pb@bank.example; "
	    "journal archive; journal report; journal parts; }\n", -1, NULL);
}

static bool
load_conf(void)
{
	g_autofree char *path = g_build_filename(dir, "chatjournal.conf",
	    NULL);
	g_autoptr(GString) messages = g_string_new(NULL);

	if (write_conf(path) && conf_load(path, &conf, messages, NULL))
		return true;
	printf("Bail out! %s\n", messages->str);
	return false;
}

static bool
set_up(void)
{
	g_autofree char *store = NULL;
	g_autofree char *fresh_uri = NULL;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	log_open_fd(null, 0, LOG_LEVEL_ERROR);
	dir = g_dir_make_tmp("crash-build-XXXXXX", NULL);
	store = g_build_filename(dir, "store", NULL);
	fresh = g_build_filename(dir, "fresh", NULL);
	uri = g_strconcat("sqlite:", store, NULL);
	fresh_uri = g_strconcat("sqlite:", fresh, NULL);
	g_mkdir(store, 0700);
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return load_conf() && store_prepare(fresh_uri, NULL, NULL, NULL);
}

static void
clean_up(void)
{
	crash_tree_remove(dir);
	result_clear(&reference);
	conf_free(conf);
	g_free(dir);
	g_free(uri);
	g_free(fresh);
}

int
main(void)
{
	struct crash_slice slice = crash_slice(EVERY);
	int calls;
	bool ok;

	printf("1..%d\n", 1 + (int)G_N_ELEMENTS(plans));
	if (!set_up())
		return 1;
	ok = live_undisturbed(&calls);
	for (int i = 0; i < (int)G_N_ELEMENTS(plans); i++)
		ok = try_plan(&plans[i], i, calls, &slice) && ok;
	clean_up();
	return ok ? 0 : 1;
}
