/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays a scenario line by line: the statements that are not about mails
 * being posted (post.c) or expected (expect.c), and the clock.
 */
#include "play.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf.h"
#include "err.h"
#include "expect.h"
#include "io.h"
#include "post.h"
#include "record.h"
#include "script.h"
#include "world.h"

#define EVENT_MAX (64 << 20)

struct play {
	struct world *w;
	struct post *post;
};

/* ---- statements ---------------------------------------------------------------- */

static void
do_post(struct play *p, struct script_line *l)
{
	const char *name = script_take(l);
	g_autofree char *path = g_build_filename(p->w->srcdir, "tests",
	    "events", name, NULL);
	g_autoptr(GBytes) body = NULL;
	struct err err = ERR_INIT;
	gsize len;
	const void *data;

	if (!io_file_load(path, EVENT_MAX, &body, &err)) {
		world_fail(p->w, "%s", err.text);
		return;
	}
	data = g_bytes_get_data(body, &len);
	world_post(p->w, data, len);
}

static void
do_raw(struct play *p, struct script_line *l)
{
	const char *text = script_take_text(l);

	if (text == NULL)
		world_fail(p->w, "raw what?");
	else
		world_post(p->w, text, strlen(text));
}

static void
do_relay(struct play *p, struct script_line *l)
{
	static const struct {
		const char *word;
		enum world_answer answer;
	} words[] = { { "accept", WORLD_ACCEPT }, { "451", WORLD_DEFER },
		{ "550", WORLD_REJECT }, { "lost", WORLD_LOSE },
		{ "lost-early", WORLD_LOSE_EARLY } };
	const char *word = script_take(l), *journal = script_get(l, "journal");

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (g_strcmp0(word, words[i].word) == 0) {
			g_hash_table_replace(p->w->answers,
			    g_strdup(journal != NULL ? journal : "archive"),
			    GINT_TO_POINTER((int)words[i].answer));
			return;
		}
	}
	world_fail(p->w, "relay %s?", word);
}

static void
do_build(struct play *p, struct script_line *l)
{
	const char *word = script_take(l);

	if (g_strcmp0(word, "off") == 0)
		p->w->build_off = true;
	else
		world_fail(p->w, "build off, or restart");
}

/* A directory that is not there is one that cannot be written. */
static void
do_spool(struct play *p, struct script_line *l)
{
	const char *word = script_take(l);
	const char *dir = store_dir(p->w->store, STORE_DIR_SPOOL);
	g_autofree char *aside = g_strconcat(dir, ".aside", NULL);

	p->w->spool_off = g_strcmp0(word, "off") == 0;
	if ((!p->w->spool_off && g_strcmp0(word, "on") != 0) ||
	    rename(p->w->spool_off ? dir : aside, p->w->spool_off ? aside :
	    dir) != 0)
		world_fail(p->w, "spool off, then on");
}

static void
do_restart(struct play *p, struct script_line *l)
{
	(void)l;
	world_restart(p->w);
}

/* Leaves what a role leaves that has died so often on one thing. */
static void
do_die(struct play *p, struct script_line *l)
{
	const char *times = script_take(l), *what = script_take(l);
	const char *number = script_take(l);
	const char *claim = g_strcmp0(what, "event") == 0 ? "webhook" :
	    g_strcmp0(what, "record") == 0 ? "gateway" :
	    g_strcmp0(what, "turn") == 0 ? "turns" :
	    g_strcmp0(what, "files") == 0 ? "files" :
	    g_strcmp0(what, "redo") == 0 ? "redo" : NULL;
	struct store_claim c = { 0 };
	struct err err = ERR_INIT;

	if (number == NULL || claim == NULL) {
		world_fail(p->w, "die TIMES event|record|turn|files|redo NUMBER "
		    "[to=NUMBER]");
		return;
	}
	c.first = c.last = g_ascii_strtoll(number, NULL, 10);
	if ((number = script_get(l, "to")) != NULL)
		c.last = g_ascii_strtoll(number, NULL, 10);
	if (strcmp(what, "record") == 0) {
		c.first += STORE_EVENT_GATEWAY;
		c.last += STORE_EVENT_GATEWAY;
	}
	/* The life that finds the claim counts itself among the dead. */
	c.deaths = g_ascii_strtoll(times, NULL, 10) - 1;
	store_begin(p->w->store);
	store_claim_set(p->w->store, STORE_BUILD, claim, &c);
	if (!store_commit(p->w->store, &err))
		world_fail(p->w, "claim: %s", err.text);
}

static void
do_clock(struct play *p, struct script_line *l)
{
	const char *way = script_take(l);
	int64_t by = script_duration(script_take(l));

	if (by < 0 || way == NULL) {
		world_fail(p->w, "clock back|forward DURATION");
		return;
	}
	if (strcmp(way, "back") == 0)
		by = -by;
	p->w->ahead_ms += by;
	p->w->now_ms += by;
}

/* The owners purge what is older than this. */
static void
do_purge(struct play *p, struct script_line *l)
{
	int64_t before = p->w->now_ms - script_duration(script_take(l));
	struct err err = ERR_INIT;
	int64_t n;

	if (!store_event_purge(p->w->intake, before, 10000, &n, &err) ||
	    !store_record_purge(p->w->gateway, before, 10000, &n, &err) ||
	    !store_content_purge(p->w->store, before, 10000, &n, &err) ||
	    !store_media_purge(p->w->fetching, before, 10000, &n, &err))
		world_fail(p->w, "purge: %s", err.text);
}

/* ---- the media role, simulated ------------------------------------------------ */

struct wish {
	const char *media_id;
	int64_t want_id;	/* the first with this id that is not final */
	char *path;		/* of the last one that has a file */
};

static bool
find_want(void *arg, const struct store_want *want,
    const struct store_fetch *f)
{
	struct wish *k = arg;

	if (strcmp(want->media_id, k->media_id) != 0)
		return true;
	if (k->want_id == 0 && f->state == STORE_FETCH_NONE)
		k->want_id = want->id;
	if (f->path != NULL) {
		g_free(k->path);
		k->path = g_strdup(f->path);
	}
	return true;
}

static void
find_wish(struct play *p, struct wish *k)
{
	struct err err = ERR_INIT;

	if (!store_want_list(p->w->store, 0, INT32_MAX, find_want, k, &err))
		world_fail(p->w, "wants: %s", err.text);
}

static bool
set_fetch(struct play *p, const struct store_fetch *f)
{
	struct err err = ERR_INIT;

	store_begin(p->w->fetching);
	store_fetch_set(p->w->fetching, f);
	return store_commit(p->w->fetching, &err) ||
	    world_fail(p->w, "fetch: %s", err.text);
}

/* The bytes said, as a file that is where media's files are; its name. */
static char *
write_file(struct play *p, const char *text, struct store_fetch *f)
{
	g_autofree char *place = NULL, *dir = NULL;
	char *name;

	f->size = (int64_t)strlen(text);
	hash_sha256(text, strlen(text), f->sha256);
	name = hash_path(f->sha256);
	place = g_build_filename(store_dir(p->w->fetching, STORE_DIR_MEDIA),
	    name, NULL);
	dir = g_path_get_dirname(place);
	if (g_mkdir_with_parents(dir, 0700) != 0 ||
	    !g_file_set_contents(place, text, (gssize)f->size, NULL))
		world_fail(p->w, "cannot write %s", place);
	return name;
}

/* What is said, size=N: over and over again up to this length. */
static char *
take_bytes(struct script_line *l)
{
	const char *size = script_get(l, "size"), *text = script_take_text(l);
	gsize n = size != NULL ? (gsize)g_ascii_strtoull(size, NULL, 10) : 0;
	GString *bytes = g_string_new(text);

	if (text == NULL)
		return g_string_free(bytes, TRUE), NULL;
	while (*text != '\0' && bytes->len < n)
		g_string_append(bytes, text);
	if (n > 0)
		g_string_truncate(bytes, n);
	return g_string_free(bytes, FALSE);
}

/*
 * fetched | unavailable | quarantined media=ID [type=T] [verdict=V]
 * [length=MS] "…"
 */
static void
do_fetch(struct play *p, struct script_line *l, enum store_fetch_state state)
{
	struct wish k = { .media_id = script_get(l, "media") };
	const char *type = script_get(l, "type");
	const char *verdict = script_get(l, "verdict");
	const char *length = script_get(l, "length");
	g_autofree char *text = take_bytes(l);
	struct store_fetch f = { .state = state, .attempts = 1,
		.first_ms = p->w->now_ms, .done_ms = p->w->now_ms,
		.type = type, .verdict = verdict, .length_ms = length != NULL
		? g_ascii_strtoll(length, NULL, 10) : 0 };
	g_autofree char *path = NULL;

	if (k.media_id == NULL || text == NULL) {
		world_fail(p->w, "fetched|unavailable|quarantined media=ID "
		    "\"bytes or reason\"");
		return;
	}
	find_wish(p, &k);
	g_free(k.path);
	if (k.want_id == 0) {
		world_fail(p->w, "nobody wants %s", k.media_id);
		return;
	}
	f.want_id = k.want_id;
	if (state == STORE_UNAVAILABLE)
		f.reason = text;
	else
		f.path = path = write_file(p, text, &f);
	set_fetch(p, &f);
}

static void
do_fetched(struct play *p, struct script_line *l)
{
	do_fetch(p, l, STORE_FETCHED);
}

static void
do_unavailable(struct play *p, struct script_line *l)
{
	do_fetch(p, l, STORE_UNAVAILABLE);
}

static void
do_quarantined(struct play *p, struct script_line *l)
{
	do_fetch(p, l, STORE_QUARANTINED);
}

/* Where the file is; NULL: there is none. */
static char *
place_of(struct play *p, struct script_line *l)
{
	struct wish k = { .media_id = script_get(l, "media") };
	char *place;

	if (k.media_id != NULL)
		find_wish(p, &k);
	if (k.path == NULL) {
		world_fail(p->w, "there is no such file");
		return NULL;
	}
	place = g_build_filename(store_dir(p->w->fetching, STORE_DIR_MEDIA),
	    k.path, NULL);
	g_free(k.path);
	return place;
}

static void
do_gone(struct play *p, struct script_line *l)
{
	g_autofree char *place = place_of(p, l);

	if (place != NULL && unlink(place) != 0)
		world_fail(p->w, "cannot remove %s", place);
}

/* What is there cannot be opened, by root neither. */
static void
do_lose(struct play *p, struct script_line *l)
{
	g_autofree char *place = place_of(p, l), *aside = NULL;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	g_autofree char *own = g_build_filename(p->w->dir, "socket", NULL);
	auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (place == NULL)
		return;
	aside = g_strconcat(place, ".aside", NULL);
	g_strlcpy(at.sun_path, own, sizeof(at.sun_path));
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
	    rename(place, aside) != 0 || rename(own, place) != 0)
		world_fail(p->w, "cannot hide %s", place);
}

static void
do_regain(struct play *p, struct script_line *l)
{
	g_autofree char *place = place_of(p, l), *aside = NULL;

	if (place == NULL)
		return;
	aside = g_strconcat(place, ".aside", NULL);
	if (rename(aside, place) != 0)
		world_fail(p->w, "cannot bring back %s", place);
}

/* ---- what a test may say about itself ------------------------------------------ */

static void
do_allow(struct play *p, struct script_line *l)
{
	const char *word = script_take(l);

	if (g_strcmp0(word, "shown-raw") == 0)
		p->w->show_raw = true;
	else
		world_fail(p->w, "allow %s?", word);
}

static void
do_store(struct play *p, struct script_line *l)
{
	p->w->on_file = g_strcmp0(script_take(l), "file") == 0;
}

static void
do_record(struct play *p, struct script_line *l)
{
	record_line(p->w, l);
}

static void
do_review(struct play *p, struct script_line *l)
{
	review_line(p->w, l);
}

/* retry | acknowledge turn|event|record|mail NUMBER by=WHO [why=…] */
static void
do_request(struct play *p, struct script_line *l, const char *verb)
{
	const char *what = script_take(l), *number = script_take(l);
	const char *why = script_get(l, "why");
	struct store_request r = { .at_ms = p->w->now_ms, .verb = verb,
		.who = script_get(l, "by"), .why = why != NULL ? why : "" };
	int64_t id = number != NULL ? g_ascii_strtoll(number, NULL, 10) : 0;
	struct err err = ERR_INIT;

	if (g_strcmp0(what, "turn") == 0)
		r.turn_id = id;
	else if (g_strcmp0(what, "event") == 0)
		r.event_id = id;
	else if (g_strcmp0(what, "record") == 0)
		r.event_id = STORE_EVENT_GATEWAY + id;
	else if (g_strcmp0(what, "mail") == 0)
		r.mail_id = id;
	store_begin(p->w->admin);
	store_request_add(p->w->admin, &r, NULL);
	if (!store_commit(p->w->admin, &err))
		world_fail(p->w, "request: %s", err.text);
}

static void
do_retry(struct play *p, struct script_line *l)
{
	do_request(p, l, "retry");
}

static void
do_acknowledge(struct play *p, struct script_line *l)
{
	do_request(p, l, "acknowledge");
}

static void
keep_answer(struct play *p, struct store_answer *a, int64_t fresh_ms)
{
	struct err err = ERR_INIT;

	a->at_ms = p->w->now_ms;
	a->until_ms = p->w->now_ms + fresh_ms;
	store_begin(p->w->knowing);
	store_answer_set(p->w->knowing, a);
	if (!store_commit(p->w->knowing, &err))
		world_fail(p->w, "answer: %s", err.text);
}

/*
 * answered number=N | employee=ID [nobody | several] [id=ID] [name=…] [mail=…]
 * [groups=A,B] [fresh=TIME]
 */
static void
do_answered(struct play *p, struct script_line *l)
{
	const char *number = script_get(l, "number");
	const char *groups = script_get(l, "groups");
	const char *fresh = script_get(l, "fresh"), *none = script_take(l);
	g_auto(GStrv) list = g_strsplit(groups != NULL ? groups : "", ",",
	    -1);
	g_autofree char *quoted = g_strjoinv("\",\"", list);
	g_autofree char *json = groups != NULL ?
	    g_strdup_printf("[\"%s\"]", quoted) : g_strdup("[]");
	struct store_answer a = { .kind = number != NULL ? "number" : "id",
		.value = number != NULL ? number :
		    script_get(l, "employee"), .found = none == NULL };

	if (a.value == NULL || (none != NULL && strcmp(none, "nobody") != 0 &&
	    strcmp(none, "several") != 0)) {
		world_fail(p->w, "answered number=N|employee=ID "
		    "[nobody|several] …");
		return;
	}
	if (a.found) {
		a.id = script_get(l, "id");
		a.name = script_get(l, "name");
		a.mail = script_get(l, "mail");
		a.groups = json;
	} else if (strcmp(none, "several") == 0) {
		a.groups = STORE_GROUPS_UNKNOWN;
	}
	keep_answer(p, &a, script_duration(fresh != NULL ? fresh : "4h"));
}

/* A file beside the policy file: a lexicon. */
static void
do_file(struct play *p, struct script_line *l)
{
	const char *name = script_take(l), *text = script_take_text(l);
	g_autofree char *path = g_build_filename(p->w->dir, name, NULL);

	if (text == NULL || !g_file_set_contents(path, text, -1, NULL))
		world_fail(p->w, "file NAME \"text\"");
}

static void
do_expect(struct play *p, struct script_line *l)
{
	expect_line(p->w, l);
}

static const struct {
	const char *word;
	void (*act)(struct play *p, struct script_line *l);
	bool settles;		/* something to do came of it */
} statements[] = {
	{ "post", do_post, true }, { "raw", do_raw, true },
	{ "relay", do_relay, false }, { "build", do_build, false },
	{ "spool", do_spool, true },
	{ "restart", do_restart, true }, { "die", do_die, false },
	{ "clock", do_clock, true }, { "purge", do_purge, false },
	{ "allow", do_allow, false }, { "store", do_store, false },
	{ "fetched", do_fetched, true },
	{ "unavailable", do_unavailable, true },
	{ "quarantined", do_quarantined, true },
	{ "lose", do_lose, false }, { "regain", do_regain, false },
	{ "gone", do_gone, false },
	{ "record", do_record, true }, { "review", do_review, true },
	{ "retry", do_retry, true }, { "acknowledge", do_acknowledge, false },
	{ "answered", do_answered, true }, { "file", do_file, false },
	{ "expect", do_expect, false },
};

static void
act(struct play *p, const char *word, struct script_line *l)
{
	for (size_t i = 0; i < G_N_ELEMENTS(statements); i++) {
		if (strcmp(word, statements[i].word) == 0) {
			statements[i].act(p, l);
			if (statements[i].settles)
				world_settle(p->w);
			return;
		}
	}
	world_fail(p->w, "%s?", word);
}

/* ---- lines ---------------------------------------------------------------------- */

/* Everything said so far with "and" is one POST; it goes out now. */
static void
send_said(struct play *p)
{
	guint before = p->w->bodies->len;

	post_send(p->post, p->w);
	if (p->w->bodies->len > before)
		world_settle(p->w);
}

static void
go_on(struct play *p, struct script_line *l)
{
	int64_t at = script_duration(script_take(l));
	int64_t until = WORLD_START_MS + p->w->ahead_ms + at;

	if (at < 0 || until < p->w->now_ms)
		world_fail(p->w, "at: no time, or one that is over");
	else
		world_pass(p->w, until);
}

/* Lines that are taken as they are. */
static bool
is_setting(struct play *p, const struct script_line *l, const char *word)
{
	if (strcmp(word, "conf") == 0)
		world_conf(p->w, l->rest);
	else if (strcmp(word, "directory") == 0)
		g_string_append_printf(p->w->directory, "%s\n", l->rest);
	else if (strcmp(word, "policy") == 0)
		g_string_append_printf(p->w->policy, "%s\n", l->rest);
	else if (strcmp(word, "policy-gone") == 0)
		g_string_truncate(p->w->policy, 0);
	else
		return false;
	return true;
}

static void
play_line(struct play *p, struct script_line *l)
{
	const char *word = script_take(l), *left;
	bool known = false;

	if (is_setting(p, l, word))
		return;
	if (strcmp(word, "and") == 0)
		word = script_take(l);
	else
		send_said(p);
	if (strcmp(word, "at") == 0) {
		go_on(p, l);
		word = script_take(l);
	}
	if (word == NULL)
		return;
	post_add(p->post, p->w, word, l, &known);
	if (!known)
		act(p, word, l);
	left = script_unused(l);
	if (left != NULL && !world_failed(p->w))
		world_fail(p->w, "what is \"%s\"?", left);
}

static void
play_lines(struct play *p, const struct script *s)
{
	for (guint i = 0; i < s->lines->len && !world_failed(p->w); i++) {
		struct script_line *l = s->lines->pdata[i];

		p->w->line = l->number;
		play_line(p, l);
	}
	send_said(p);
	if (!world_failed(p->w))
		world_finish(p->w);
	if (!world_failed(p->w))
		law_check(p->w);
}

bool
play_script(const char *srcdir, const char *path, char **sentence,
    GString *complaints)
{
	g_autofree char *why = NULL;
	struct script *s = script_load(path, &why);
	struct play p;
	bool ok;

	if (s == NULL) {
		*sentence = g_path_get_basename(path);
		g_string_append_printf(complaints, "%s: %s\n", path, why);
		return false;
	}
	*sentence = g_strdup(s->sentence);
	p = (struct play){ .w = world_new(srcdir, s->name),
		.post = post_new() };
	play_lines(&p, s);
	ok = !world_failed(p.w);
	g_string_append(complaints, p.w->complaints->str);
	post_free(p.post);
	world_free(p.w);
	script_free(s);
	return ok;
}
