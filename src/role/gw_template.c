/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wording of templates as it stands when one is sent: kept in the store
 * with the time from which it was seen to hold, asked of Meta by a worker when
 * it is not known, too old, or said to be changed. A send waits for the first
 * answer; without one it goes out all the same, marked as not expanded.
 */
#include <string.h>

#include "clock.h"
#include "conf.h"
#include "err.h"
#include "gw_int.h"
#include "log.h"
#include "text.h"

#define CURSOR_TEMPLATES "templates"
#define LOOK_MAX 100
/* After a failure Meta is not asked again for every send. */
#define FAILED_MS 30000
/* Callers name templates as they like: past so many, memory begins anew. */
#define ENTRIES_MAX 10000
/* A send waits no longer for Meta's answer: its caller waits, too. */
#define ANSWER_WAIT_MS 4000

struct entry {
	char *json;		/* NULL: Meta knows none */
	int64_t checked_ms;	/* 0: never */
	int64_t failed_mono_ms;	/* last failure to ask; 0: none */
	int64_t change_id;	/* the last change that was heard of */
	bool is_known, is_asked;
	bool is_late;		/* it was asked for before that change */
};

static void
free_entry(gpointer p)
{
	struct entry *e = p;

	g_free(e->json);
	g_free(e);
}

GHashTable *
gw_definitions_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    free_entry);
}

static char *
entry_name(const char *account, const char *name, const char *language)
{
	return g_strjoin("|", account, name, language, NULL);
}

static bool
take_definition(void *arg, const struct store_definition *d)
{
	struct entry *e = arg;

	e->json = g_strdup(d->json);
	e->checked_ms = d->checked_ms;
	e->is_known = true;
	return false;
}

static struct entry *
entry_of(struct gw *g, const char *account, const char *name,
    const char *language, int64_t now_ms)
{
	g_autofree char *key = entry_name(account, name, language);
	struct entry *e = g_hash_table_lookup(g->definitions, key);

	if (e != NULL)
		return e;
	if (g_hash_table_size(g->definitions) >= ENTRIES_MAX)
		g_hash_table_remove_all(g->definitions);
	e = g_new0(struct entry, 1);
	store_definition_get(g->store, account, name, language, now_ms,
	    take_definition, e, NULL);
	g_hash_table_insert(g->definitions, g_steal_pointer(&key), e);
	return e;
}

/* ---- asking Meta ----------------------------------------------------------- */

static void
run_ask(struct gw *g, struct gw_job *job)
{
	struct err err = ERR_INIT;
	int64_t retry_ms;

	job->ok = graph_template_find(g->graph, job->account, job->name,
	    job->language, &job->json, &retry_ms, &err);
	if (!job->ok)
		job->why = g_strdup(err.text);
}

static void
keep(struct gw *g, const struct gw_job *job)
{
	struct store_definition d = { .account = job->account,
		.name = job->name, .language = job->language,
		.from_ms = clock_now_ms(), .json = job->json };
	struct err err = ERR_INIT;

	d.checked_ms = d.from_ms;
	store_begin(g->store);
	store_definition_set(g->store, &d);
	if (!store_commit(g->store, &err))
		log_err(LOG_LEVEL_WARN, "gateway.retry", &err, "%s", "");
}

static void
take_asked(struct gw *g, struct gw_job *job)
{
	int64_t now_ms = clock_now_ms();
	struct entry *e = entry_of(g, job->account, job->name, job->language,
	    now_ms);
	g_autofree char *name = text_log_quote(job->name), *why = NULL;

	e->is_asked = false;
	if (!job->ok) {
		why = text_log_quote(job->why);
		log_warn("template.failed", "name=%s reason=%s", name, why);
		e->failed_mono_ms = clock_mono_ms();
		return;
	}
	keep(g, job);
	g_free(e->json);
	e->json = g_strdup(job->json);
	e->checked_ms = e->is_late ? 0 : now_ms;
	e->failed_mono_ms = 0;
	e->is_known = true;
}

static void
ask(struct gw *g, struct entry *e, const char *account, const char *name,
    const char *language)
{
	struct gw_job *job = g_new0(struct gw_job, 1);

	job->fd = -1;
	job->run = run_ask;
	job->done = take_asked;
	job->account = g_strdup(account);
	job->name = g_strdup(name);
	job->language = g_strdup(language);
	e->is_asked = true;
	e->is_late = false;
	gw_job_put(g, GW_WORK_TEMPLATE, job);
}

/* ---- for a send ------------------------------------------------------------ */

static bool
is_old(const struct gw *g, const struct entry *e, int64_t now_ms)
{
	return !e->is_known || e->checked_ms == 0 ||
	    now_ms - e->checked_ms > g->conf->gateway.template_ms ||
	    now_ms < e->checked_ms;
}

/*
 * A wording that is merely old is used while a newer one is asked for; one that
 * is said to be changed is waited for.
 */
bool
gw_definition(struct gw *g, struct gw_send *s, int64_t now_ms,
    int64_t mono_ms)
{
	const char *name = s->head.template_name;
	const char *language = s->head.template_language;
	struct entry *e;

	if (s->definition_sought || name == NULL || language == NULL ||
	    s->account == NULL)
		return true;
	e = entry_of(g, s->account, name, language, now_ms);
	if (is_old(g, e, now_ms) && !e->is_asked &&
	    (e->failed_mono_ms == 0 ||
	    mono_ms - e->failed_mono_ms > FAILED_MS))
		ask(g, e, s->account, name, language);
	if ((!e->is_known || e->checked_ms == 0) && e->is_asked &&
	    mono_ms - s->queued_ms < ANSWER_WAIT_MS)
		return false;
	s->definition = g_strdup(e->json);
	s->definition_sought = true;
	return true;
}

/* ---- what webhooks said ---------------------------------------------------- */

/*
 * The cursor moves past a change when Meta was asked after it, so that a new
 * process asks again for what this one did not get to. What Meta did not tell
 * is put in doubt in the store by then: no later life believes it.
 */
struct looking {
	struct gw *g;
	int64_t last;		/* all up to here were asked for */
	bool waits;		/* for one that is asked for now */
	GPtrArray *doubts;	/* char *: account, name, language … */
	struct err err;
};

static void
change(struct entry *e, int64_t id)
{
	e->change_id = id;
	e->is_late = e->is_asked;
	e->checked_ms = 0;
	e->failed_mono_ms = 0;
}

static void
change_one(struct looking *l, int64_t id, const char *account,
    const char *name, const char *language)
{
	struct entry *e = entry_of(l->g, account, name, language,
	    clock_now_ms());

	if (e->change_id < id) {
		change(e, id);
		if (!e->is_asked)
			ask(l->g, e, account, name, language);
	}
	l->waits |= e->is_asked;
	if (e->is_asked || e->checked_ms != 0)
		return;
	g_ptr_array_add(l->doubts, g_strdup(account));
	g_ptr_array_add(l->doubts, g_strdup(name));
	g_ptr_array_add(l->doubts, g_strdup(language));
}

static bool
take_language(void *arg, const char *language)
{
	g_hash_table_add(arg, g_strdup(language));
	return true;
}

/* All that something is known of: here, or in the store. */
static GHashTable *
languages_of(struct looking *l, const char *account, const char *name)
{
	g_autofree char *prefix = entry_name(account, name, "");
	GHashTable *all = g_hash_table_new_full(g_str_hash, g_str_equal,
	    g_free, NULL);
	GHashTableIter it;
	gpointer key;

	g_hash_table_iter_init(&it, l->g->definitions);
	while (g_hash_table_iter_next(&it, &key, NULL)) {
		if (g_str_has_prefix(key, prefix))
			take_language(all, (char *)key + strlen(prefix));
	}
	if (!store_definition_languages(l->g->store, account, name,
	    take_language, all, &l->err))
		l->waits = true;
	return all;
}

static void
change_all(struct looking *l, int64_t id, const char *account,
    const char *name)
{
	g_autoptr(GHashTable) all = languages_of(l, account, name);
	GHashTableIter it;
	gpointer language;

	g_hash_table_iter_init(&it, all);
	while (g_hash_table_iter_next(&it, &language, NULL))
		change_one(l, id, account, name, language);
}

static bool
take_change(void *arg, int64_t id, const char *account, const char *name,
    const char *language)
{
	struct looking *l = arg;

	if (language[0] == '\0')
		change_all(l, id, account, name);
	else
		change_one(l, id, account, name, language);
	if (!l->waits)
		l->last = id;
	return true;
}

static void
move_on(struct looking *l)
{
	store_begin(l->g->store);
	for (guint i = 0; i + 2 < l->doubts->len; i += 3)
		store_definition_doubt(l->g->store, l->doubts->pdata[i],
		    l->doubts->pdata[i + 1], l->doubts->pdata[i + 2]);
	store_cursor_set(l->g->store, STORE_GATEWAY, CURSOR_TEMPLATES,
	    l->last);
	store_commit(l->g->store, &l->err);
}

void
gw_templates_look(struct gw *g)
{
	g_autoptr(GPtrArray) doubts = g_ptr_array_new_with_free_func(g_free);
	struct looking l = { .g = g, .doubts = doubts };
	int64_t cursor;

	if (store_cursor_get(g->store, STORE_GATEWAY, CURSOR_TEMPLATES,
	    &cursor, &l.err) &&
	    store_template_change_list(g->store, cursor, LOOK_MAX,
	    take_change, &l, &l.err) && l.last != 0)
		move_on(&l);
	if (l.err.kind != ERR_NONE)
		log_err(LOG_LEVEL_WARN, "gateway.retry", &l.err, "%s", "");
}
