/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the media role tries next: new wants in order of filing, and those
 * whose next try is due. What is begun is committed first: a process that
 * finds something begun at its start died at that work. It is then tried
 * alone, so that the one that kills is found, and given up in the end.
 */
#include <inttypes.h>
#include <limits.h>

#include "clock.h"
#include "conf.h"
#include "err.h"
#include "graph.h"
#include "log.h"
#include "med_int.h"
#include "proc.h"

#define CURSOR "wants"
#define UPLOAD_AT 5		/* among a job's strings */
#define BATCH_DEAD 1000

struct picked {
	struct med *m;
	GPtrArray *jobs;	/* struct med_job * */
	guint most;
	int64_t last_new;	/* 0: no new want was looked at */
	bool suspicious;	/* one with a death came first */
};

/* ---- after a death ------------------------------------------------------------- */

static bool
take_dead(void *arg, const struct store_want *want,
    const struct store_fetch *fetch)
{
	g_ptr_array_add(arg, med_job_new(want, fetch));
	return true;
}

static bool
is_poison(const struct med *m, const struct store_fetch *f)
{
	return f->deaths >= m->conf->poison_deaths;
}

static void
set_dead(struct med *m, struct store_fetch *f, bool crashed, int64_t now)
{
	f->deaths += crashed;
	f->state = STORE_FETCH_RETRY;
	f->next_ms = now;
	if (crashed && is_poison(m, f)) {
		f->state = STORE_UNAVAILABLE;
		f->done_ms = now;
		f->reason = "kills the media role again and again";
	}
	store_fetch_set(m->store, f);
}

static void
tell_unavailable(const struct med_job *j, const char *what)
{
	log_error("media.unavailable", "want=%" PRId64 " turn=%" PRId64
	    " what=%s reason=\"%s\"", j->fetch.want_id, j->turn_id, what,
	    j->fetch.reason);
}

static void
tell_dead(struct med *m, const struct med_job *j)
{
	log_warn("media.recover", "want=%" PRId64 " turn=%" PRId64 " deaths=%"
	    PRId64, j->fetch.want_id, j->turn_id, j->fetch.deaths);
	if (j->fetch.state != STORE_UNAVAILABLE)
		return;
	media_drop(store_dir(m->store, STORE_DIR_SPOOL), j->fetch.want_id);
	tell_unavailable(j, "media.poison");
}

bool
med_recover(struct med *m, bool crashed, struct err *err)
{
	g_autoptr(GPtrArray) dead =
	    g_ptr_array_new_with_free_func(med_job_free);
	int64_t now = clock_now_ms();

	if (!store_fetch_list(m->store, STORE_FETCH_TRYING, now, BATCH_DEAD,
	    take_dead, dead, err))
		return false;
	if (dead->len == 0)
		return true;
	store_begin(m->store);
	for (guint i = 0; i < dead->len; i++)
		set_dead(m, &((struct med_job *)dead->pdata[i])->fetch,
		    crashed, now);
	if (!store_commit(m->store, err))
		return false;
	for (guint i = 0; i < dead->len; i++)
		tell_dead(m, dead->pdata[i]);
	proc_wake(PROC_BUILD);
	return true;
}

/* ---- nobody to ask ---------------------------------------------------------------- */

#define BATCH_SETTLED 256

struct settling {
	struct med *m;
	int64_t now_ms;
	GPtrArray *jobs;	/* struct med_job *: too old */
	int64_t last_new;	/* of these, or seen before; 0: none */
};

static bool
is_too_old(const struct settling *s, const struct store_want *w)
{
	return s->now_ms - w->wanted_ms > s->m->conf->media.give_up_ms;
}

static bool
settle_one(void *arg, const struct store_want *want,
    const struct store_fetch *fetch)
{
	struct settling *s = arg;

	if (is_too_old(s, want))
		g_ptr_array_add(s->jobs, med_job_new(want, fetch));
	return s->jobs->len < BATCH_SETTLED;
}

/* In order of filing: the first that is young ends it. */
static bool
settle_new(void *arg, const struct store_want *want,
    const struct store_fetch *fetch)
{
	struct settling *s = arg;

	if (fetch->state == STORE_FETCH_NONE && !is_too_old(s, want))
		return false;
	s->last_new = want->id;
	return fetch->state != STORE_FETCH_NONE || settle_one(arg, want,
	    fetch);
}

static bool
find_old(struct settling *s, struct err *err)
{
	struct store *st = s->m->store;
	int64_t cursor;

	return store_cursor_get(st, STORE_MEDIA, CURSOR, &cursor, err) &&
	    store_want_list(st, cursor, BATCH_SETTLED, settle_new, s, err) &&
	    store_fetch_list(st, STORE_FETCH_RETRY, INT64_MAX, INT_MAX,
	    settle_one, s, err) &&
	    store_fetch_list(st, STORE_FETCH_TRYING, INT64_MAX, INT_MAX,
	    settle_one, s, err);
}

static bool
write_settled(struct settling *s, struct err *err)
{
	store_begin(s->m->store);
	for (guint i = 0; i < s->jobs->len; i++) {
		struct store_fetch *f = &((struct med_job *)
		    s->jobs->pdata[i])->fetch;

		f->state = STORE_UNAVAILABLE;
		f->done_ms = s->now_ms;
		f->reason = "fetching is not configured";
		store_fetch_set(s->m->store, f);
	}
	if (s->last_new != 0)
		store_cursor_set(s->m->store, STORE_MEDIA, CURSOR,
		    s->last_new);
	return store_commit(s->m->store, err);
}

bool
med_settle(struct med *m, int64_t now_ms, struct err *err)
{
	g_autoptr(GPtrArray) jobs =
	    g_ptr_array_new_with_free_func(med_job_free);
	struct settling s = { .m = m, .now_ms = now_ms, .jobs = jobs };

	if (!find_old(&s, err))
		return false;
	if (s.last_new == 0 && jobs->len == 0)
		return true;
	if (!write_settled(&s, err))
		return false;
	for (guint i = 0; i < jobs->len; i++)
		tell_unavailable(jobs->pdata[i], "media.off");
	if (jobs->len > 0)
		proc_wake(PROC_BUILD);
	return true;
}

/* ---- a clock that was set back -------------------------------------------------- */

struct far {
	GArray *ids;		/* int64_t */
	int64_t after_ms;
};

static bool
take_far(void *arg, const struct store_want *want,
    const struct store_fetch *fetch)
{
	struct far *far = arg;

	if (fetch->next_ms > far->after_ms)
		g_array_append_val(far->ids, want->id);
	return true;
}

struct hurry {
	struct store *store;
	int64_t now_ms;
};

static bool
try_now(void *arg, const struct store_want *want,
    const struct store_fetch *fetch)
{
	struct hurry *hurry = arg;
	struct store_fetch f = *fetch;

	(void)want;
	f.next_ms = hurry->now_ms;
	store_fetch_set(hurry->store, &f);
	return false;
}

static bool
hurry_all(struct med *m, const GArray *ids, int64_t now_ms, struct err *err)
{
	struct hurry hurry = { .store = m->store, .now_ms = now_ms };
	bool ok = true;

	store_begin(m->store);
	for (guint i = 0; ok && i < ids->len; i++)
		ok = store_want_get(m->store, g_array_index(ids, int64_t, i),
		    try_now, &hurry, err);
	if (ok)
		return store_commit(m->store, err);
	store_rollback(m->store);
	return false;
}

bool
med_mind_clock(struct med *m, int64_t now_ms, struct err *err)
{
	int64_t longest = m->conf->media.retry_max_ms;
	struct far far = { .after_ms = clock_far_ms(now_ms,
		MAX(longest + longest / 8, GRAPH_WAIT_MAX_MS)) };
	bool ok = true;

	if (!clock_may_be_back(m->last_now_ms, now_ms)) {
		m->last_now_ms = now_ms;
		return true;
	}
	far.ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	ok = store_fetch_list(m->store, STORE_FETCH_RETRY, INT64_MAX,
	    INT_MAX, take_far, &far, err) && (far.ids->len == 0 ||
	    hurry_all(m, far.ids, now_ms, err));
	g_array_unref(far.ids);
	if (ok)
		m->last_now_ms = now_ms;
	return ok;
}

/* ---- picking ---------------------------------------------------------------------- */

static bool
take(struct picked *p, const struct store_want *want,
    const struct store_fetch *fetch)
{
	g_ptr_array_add(p->jobs, med_job_new(want, fetch));
	return p->jobs->len < p->most;
}

static bool
take_new(void *arg, const struct store_want *want,
    const struct store_fetch *fetch)
{
	struct picked *p = arg;

	p->last_new = want->id;
	return fetch->state != STORE_FETCH_NONE || take(p, want, fetch);
}

/* One that may kill waits until nothing else is under work. */
static bool
take_due(void *arg, const struct store_want *want,
    const struct store_fetch *fetch)
{
	struct picked *p = arg;

	if (fetch->deaths == 0)
		return take(p, want, fetch);
	p->suspicious = true;
	g_ptr_array_set_size(p->jobs, 0);
	if (p->m->in_flight == 0)
		take(p, want, fetch);
	return false;
}

static bool
pick_new(struct picked *p, struct err *err)
{
	int64_t cursor;
	int room = (int)(p->most - p->jobs->len);

	return room == 0 || (store_cursor_get(p->m->store, STORE_MEDIA,
	    CURSOR, &cursor, err) && store_want_list(p->m->store, cursor,
	    room, take_new, p, err));
}

static bool
pick_due(struct picked *p, int64_t now, struct err *err)
{
	int room = (int)(p->most - p->jobs->len);

	return room == 0 || store_fetch_list(p->m->store, STORE_FETCH_RETRY,
	    now, room, take_due, p, err);
}

/*
 * By turns first the new ones and first those that are due: under load
 * neither waits for the other.
 */
static bool
pick(struct picked *p, struct err *err)
{
	int64_t now = clock_now_ms();
	bool due_first = p->m->due_first;

	if (due_first && !pick_due(p, now, err))
		return false;
	if (!p->suspicious && !pick_new(p, err))
		return false;
	if (!due_first && !pick_due(p, now, err))
		return false;
	/* The new ones it threw out are looked at again. */
	if (p->suspicious)
		p->last_new = 0;
	return true;
}

static guint
room(const struct med *m)
{
	guint downloads = (guint)m->conf->media.downloads;

	if (m->alone || (guint)m->in_flight >= downloads ||
	    clock_mono_ms() < m->outage.hold_until_ms)
		return 0;
	if (m->outage.on)
		return m->in_flight == 0 ? 1 : 0;
	return downloads - (guint)m->in_flight;
}

static bool
take_upload(void *arg, const struct store_upload *u)
{
	struct med_job *j = arg;

	g_free(j->strings[UPLOAD_AT]);
	j->strings[UPLOAD_AT] = g_strdup(u->path);
	return false;
}

/* What staff uploaded through the gateway is here already. */
static void
find_upload(struct med *m, struct med_job *j)
{
	char *name;

	if (m->conf->gateway.listen.address == NULL ||
	    !store_upload_get(m->store, j->want.id, take_upload, j, NULL) ||
	    j->strings[UPLOAD_AT] == NULL)
		return;
	name = j->strings[UPLOAD_AT];
	j->strings[UPLOAD_AT] = g_build_filename(store_dir(m->store,
	    STORE_DIR_UPLOAD), name, NULL);
	g_free(name);
	j->want.upload_path = j->strings[UPLOAD_AT];
}

static void
begin(struct med *m, struct med_job *j, int64_t now)
{
	find_upload(m, j);
	j->fetch.state = STORE_FETCH_TRYING;
	if (j->fetch.first_ms == 0)
		j->fetch.first_ms = j->want.first_ms = now;
	store_fetch_set(m->store, &j->fetch);
}

bool
med_hand_over(struct med *m, struct err *err)
{
	g_autoptr(GPtrArray) jobs =
	    g_ptr_array_new_with_free_func(med_job_free);
	struct picked p = { .m = m, .jobs = jobs, .most = room(m) };
	int64_t now = clock_now_ms();

	if (p.most == 0)
		return true;
	if (!pick(&p, err))
		return false;
	if (jobs->len == 0 && p.last_new == 0)
		return true;
	store_begin(m->store);
	for (guint i = 0; i < jobs->len; i++)
		begin(m, jobs->pdata[i], now);
	if (p.last_new != 0)
		store_cursor_set(m->store, STORE_MEDIA, CURSOR, p.last_new);
	if (!store_commit(m->store, err))
		return false;
	m->alone = p.suspicious && jobs->len > 0;
	m->due_first = !m->due_first;
	m->in_flight += (int)jobs->len;
	while (jobs->len > 0)
		med_crew_put(&m->crew, g_ptr_array_steal_index(jobs, 0));
	return true;
}
