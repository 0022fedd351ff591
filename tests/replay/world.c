/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration, store, steps of the build role, and the passing of time.
 * Nothing here sleeps, and nothing asks the system for the time.
 */
#include "world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "err.h"
#include "mail_read.h"

#define COMPLAINTS_MAX 4000
#define STEPS_MAX 100000
#define RETRY_MS 10000	/* what failed is tried again */
#define FINISH_MS (30 * (int64_t)60000)
#define HOLD_MAX_MS (31 * (int64_t)86400000)

bool
world_fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->complaints->len > COMPLAINTS_MAX)
		return false;
	g_string_append_printf(w->complaints, "%s:%d: ", w->script, w->line);
	va_start(ap, fmt);
	g_string_append_vprintf(w->complaints, fmt, ap);
	va_end(ap);
	g_string_append_c(w->complaints, '\n');
	return false;
}

bool
world_failed(const struct world *w)
{
	return w->complaints->len > 0;
}

char *
world_wamid(const char *id)
{
	return g_strconcat("wamid.", id, NULL);
}

/* ---- configuration ---------------------------------------------------------- */

static const char base_conf[] =
    "tenant bank;\nuser -;\nsandbox off;\n"
    "relay local { url smtp://127.0.0.1:25; }\n"
    "journal archive { relay local; to journal@archive.example; "
    "from wa-journal@bank.example; }\n";

static const char *const base_sections[][2] = {
	{ "intake", "app_secret_file /dev/null" },
	{ "intake", "verify_token_file /dev/null" },
	{ "render", "domain chatjournal.bank.example" },
	{ "render", "address_domain whatsapp.bank.example" },
};

static void
set_directive(struct world *w, const char *section, const char *line)
{
	GHashTable *h = g_hash_table_lookup(w->sections, section);
	g_autofree char *text = g_strstrip(g_strdup(line));

	if (h == NULL) {
		h = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
		    g_free);
		g_hash_table_insert(w->sections, g_strdup(section), h);
	}
	if (*text != '\0')
		g_hash_table_replace(h, g_strndup(text, strcspn(text, " \t")),
		    g_strdup(text));
}

bool
world_conf(struct world *w, const char *line)
{
	static const char *const merged[] = { "intake", "turn", "render",
		"keep", NULL };
	size_t n = strcspn(line, " \t{;");
	g_autofree char *name = g_strndup(line, n);
	const char *open = strchr(line, '{'), *close = strrchr(line, '}');
	g_autofree char *inside = NULL;
	g_auto(GStrv) parts = NULL;

	if (!g_strv_contains(merged, name)) {
		g_string_append_printf(w->extra, "%s\n", line);
		return true;
	}
	if (open == NULL || close == NULL)
		return world_fail(w, "conf %s needs { } on its line", name);
	inside = g_strndup(open + 1, (size_t)(close - open - 1));
	parts = g_strsplit(inside, ";", -1);
	for (size_t i = 0; parts[i] != NULL; i++)
		set_directive(w, name, parts[i]);
	return true;
}

static void
print_section(const char *name, GHashTable *h, GString *out)
{
	GHashTableIter it;
	gpointer line;

	g_string_append_printf(out, "%s {\n", name);
	g_hash_table_iter_init(&it, h);
	while (g_hash_table_iter_next(&it, NULL, &line))
		g_string_append_printf(out, "\t%s;\n", (char *)line);
	g_string_append(out, "}\n");
}

static bool
write_conf(struct world *w, const char *path)
{
	g_autofree char *directory = g_build_filename(w->dir,
	    "directory.conf", NULL);
	g_autofree char *policy = g_build_filename(w->dir, "policy.conf",
	    NULL);
	g_autoptr(GString) text = g_string_new(base_conf);
	GHashTableIter it;
	gpointer name, section;

	g_hash_table_iter_init(&it, w->sections);
	while (g_hash_table_iter_next(&it, &name, &section))
		print_section(name, section, text);
	g_string_append_printf(text, "%sdirectory %s;\n", w->extra->str,
	    directory);
	if (strstr(w->extra->str, "catch_all ") == NULL)
		g_string_append(text, "catch_all archive;\n");
	if (w->policy->len > 0)
		g_string_append_printf(text, "policy %s;\n", policy);
	return g_file_set_contents(policy, w->policy->str,
	    (gssize)w->policy->len, NULL) &&
	    g_file_set_contents(path, text->str, (gssize)text->len, NULL) &&
	    g_file_set_contents(directory, w->directory->str,
	    (gssize)w->directory->len, NULL);
}

static bool
load_conf(struct world *w)
{
	g_autofree char *path = g_build_filename(w->dir, "chatjournal.conf",
	    NULL);
	g_autoptr(GString) messages = g_string_new(NULL);
	struct err err = ERR_INIT;

	conf_free(w->conf);
	w->conf = NULL;
	if (!write_conf(w, path))
		return world_fail(w, "cannot write %s", path);
	if (!conf_load(path, &w->conf, messages, &err))
		return world_fail(w, "%s\n%s", err.text, messages->str);
	return true;
}

/* ---- beginning and end ------------------------------------------------------- */

static void
free_bytes(gpointer p)
{
	g_bytes_unref(p);
}

static void
free_table(gpointer p)
{
	g_hash_table_unref(p);
}

static void
free_mail(gpointer p)
{
	struct world_mail *m = p;

	if (m->inner != m->read)
		mail_part_free(m->inner);
	mail_part_free(m->read);
	g_bytes_unref(m->bytes);
	g_ptr_array_unref(m->ids);
	g_free(m->journal);
	g_free(m->message_id);
	g_free(m);
}

struct world *
world_new(const char *srcdir, const char *script)
{
	struct world *w = g_new0(struct world, 1);
	g_autofree char *templates = g_strdup_printf("templates %s/templates",
	    srcdir);

	w->srcdir = srcdir;
	w->script = script;
	w->dir = g_dir_make_tmp("replay-XXXXXX", NULL);
	w->sections = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    free_table);
	w->extra = g_string_new(NULL);
	w->directory = g_string_new(NULL);
	w->policy = g_string_new(NULL);
	w->now_ms = WORLD_START_MS;
	w->bodies = g_ptr_array_new_with_free_func(free_bytes);
	w->records = g_ptr_array_new_with_free_func(free_bytes);
	w->said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    g_free);
	w->mails = g_ptr_array_new_with_free_func(free_mail);
	w->answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    NULL);
	w->taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    free_bytes);
	w->complaints = g_string_new(NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(base_sections); i++)
		set_directive(w, base_sections[i][0], base_sections[i][1]);
	set_directive(w, "render", templates);
	return w;
}

/* A store in memory has one owner; of files, every role has its own. */
static bool
open_store(struct world *w)
{
	g_autofree char *uri = g_strconcat("sqlite:", w->dir, "/store", NULL);
	struct err err = ERR_INIT;
	bool ok;

	if (w->store != NULL)
		return true;
	if (w->on_file) {
		ok = store_prepare(uri, NULL, NULL, &err) &&
		    store_open(uri, STORE_INTAKE, &w->intake, &err) &&
		    store_open(uri, STORE_MEDIA, &w->fetching, &err) &&
		    store_open(uri, STORE_GATEWAY, &w->gateway, &err) &&
		    store_open(uri, STORE_ADMIN, &w->admin, &err) &&
		    store_open(uri, STORE_DIRECTORY, &w->knowing, &err) &&
		    store_open(uri, STORE_BUILD, &w->store, &err) &&
		    store_open(uri, STORE_DELIVER, &w->outgoing, &err);
	} else {
		ok = store_open("sqlite::memory:", STORE_ALL, &w->store,
		    &err);
		w->intake = w->fetching = w->outgoing = w->gateway =
		    w->admin = w->knowing = w->store;
	}
	return ok || world_fail(w, "store: %s", err.text);
}

static void
close_store(struct world *w)
{
	struct store **const all[] = { &w->intake, &w->fetching,
		&w->outgoing, &w->gateway, &w->admin, &w->knowing };

	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		if (*all[i] != w->store)
			store_close(*all[i]);
		*all[i] = NULL;
	}
	store_close(w->store);
	w->store = NULL;
}

static void
remove_tree(const char *path)
{
	g_autoptr(GDir) d = g_dir_open(path, 0, NULL);
	const char *name;

	while (d != NULL && (name = g_dir_read_name(d)) != NULL) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		remove_tree(file);
	}
	remove(path);
}

void
world_free(struct world *w)
{
	build_free(w->build);
	close_store(w);
	conf_free(w->conf);
	remove_tree(w->dir);
	g_free(w->dir);
	g_hash_table_unref(w->sections);
	g_string_free(w->extra, TRUE);
	g_string_free(w->directory, TRUE);
	g_string_free(w->policy, TRUE);
	g_ptr_array_unref(w->bodies);
	g_ptr_array_unref(w->records);
	g_hash_table_unref(w->said);
	g_ptr_array_unref(w->mails);
	g_hash_table_unref(w->answers);
	g_hash_table_unref(w->taken);
	g_string_free(w->complaints, TRUE);
	g_free(w);
}

bool
world_start(struct world *w)
{
	struct err err = ERR_INIT;

	if (w->build != NULL)
		return true;
	if (!load_conf(w) || !open_store(w))
		return false;
	if (!build_new(w->conf, w->store, &w->build, &err))
		return world_fail(w, "build: %s", err.text);
	return true;
}

void
world_restart(struct world *w)
{
	build_free(w->build);
	w->build = NULL;
	if (w->on_file)
		close_store(w);
	w->build_off = false;
	w->most_turns = 0;
	if (world_start(w))
		world_settle(w);
}

/* ---- time --------------------------------------------------------------------- */

void
world_post(struct world *w, const void *body, size_t len)
{
	struct store_event ev = { .received_ms = w->now_ms,
		.remote = "192.0.2.1", .secret_name = "app.secret",
		.signature = "sha256=none", .body = body, .len = len };
	struct err err = ERR_INIT;
	int64_t id;

	if (!world_start(w))
		return;
	hash_sha256(body, len, ev.sha256);
	store_begin(w->intake);
	store_event_add(w->intake, &ev, &id);
	if (!store_commit(w->intake, &err)) {
		world_fail(w, "intake: %s", err.text);
		return;
	}
	g_ptr_array_add(w->bodies, g_bytes_new(body, len));
}

void
world_record(struct world *w, const void *body, size_t len)
{
	struct store_event ev = { .received_ms = w->now_ms,
		.remote = "192.0.2.9", .secret_name = "crm",
		.signature = "", .body = body, .len = len };
	struct err err = ERR_INIT;
	int64_t id;

	if (!world_start(w))
		return;
	hash_sha256(body, len, ev.sha256);
	store_begin(w->gateway);
	store_record_add(w->gateway, &ev, &id);
	if (!store_commit(w->gateway, &err)) {
		world_fail(w, "gateway: %s", err.text);
		return;
	}
	g_ptr_array_add(w->records, g_bytes_new(body, len));
}

static void
add_up(struct world *w, const struct build_progress *p)
{
	w->sum.events += p->events;
	w->sum.items += p->items;
	w->sum.repeats += p->repeats;
	w->sum.differing += p->differing;
	w->sum.turns += p->turns;
	w->sum.mails += p->mails;
	w->sum.parked_events += p->parked_events;
	w->sum.parked_turns += p->parked_turns;
	w->most_turns = MAX(w->most_turns, p->turns);
	w->last = *p;
}

static bool
run_build(struct world *w)
{
	struct err err = ERR_INIT;
	struct build_progress p;

	for (int i = 0; i < STEPS_MAX; i++) {
		if (!build_step(w->build, w->now_ms, &p, &err))
			return w->spool_off ? false : world_fail(w,
			    "build_step: %s: %s", err.what, err.text);
		add_up(w, &p);
		if (!p.more)
			return true;
	}
	return world_fail(w, "the build role never comes to rest");
}

void
world_settle(struct world *w)
{
	if (!world_start(w) || w->build_off)
		return;
	if (run_build(w)) {
		world_look(w);
		world_deliver(w);
	}
}

void
world_pass(struct world *w, int64_t until_ms)
{
	if (!world_start(w))
		return;
	for (int i = 0; i < STEPS_MAX && !world_failed(w); i++) {
		int64_t next = world_next_retry(w);

		if (!w->build_off)
			next = MIN(next, w->spool_off ? w->now_ms + RETRY_MS :
			    w->last.next_due_ms);
		if (next > until_ms)
			break;
		w->now_ms = MAX(w->now_ms + (i > 0), next);
		world_settle(w);
	}
	w->now_ms = until_ms;
}

/* What is held to the end is journaled when its time is over. */
static void
outlast_holds(struct world *w)
{
	struct store_status s = { 0 };
	struct err err = ERR_INIT;
	int64_t held = 0;

	if (!store_status(w->store, &s, &err))
		world_fail(w, "status: %s", err.text);
	held = s.turns_held;
	store_status_clear(&s);
	if (held > 0)
		world_pass(w, w->now_ms + HOLD_MAX_MS);
}

void
world_finish(struct world *w)
{
	struct store_status s = { 0 };
	struct err err = ERR_INIT;

	if (w->build_off || w->build == NULL)
		world_restart(w);
	g_hash_table_remove_all(w->answers);
	world_pass(w, w->now_ms + FINISH_MS);
	outlast_holds(w);
	if (world_failed(w))
		return;
	if (!store_status(w->store, &s, &err)) {
		world_fail(w, "status: %s", err.text);
		return;
	}
	if (s.turns_open + s.turns_closed + s.turns_held > 0 ||
	    s.events_unread + s.records_unread > 0)
		world_fail(w, "at the end %" PRId64 " turns are open, %" PRId64
		    " closed, %" PRId64 " held, %" PRId64 " events unread, %"
		    PRId64 " records", s.turns_open, s.turns_closed,
		    s.turns_held, s.events_unread, s.records_unread);
	store_status_clear(&s);
}
