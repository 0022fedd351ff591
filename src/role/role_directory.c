/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory role: answers what build and gateway ask of the staff, by a
 * directory server, into a file of its own. Nobody waits for it for long, and
 * what it answered once is used while the server is down. Asks again for what
 * grows old. It reads no message.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "clock.h"
#include "conf.h"
#include "dir_int.h"
#include "io.h"
#include "log.h"
#include "role.h"
#include "role_int.h"
#include "store.h"
#include "text.h"

#define BATCH 50
#define RENEW_MS 5000
#define DOWN_MIN_MS 1000
#define DOWN_MAX_MS 60000
/* Servers lock out who comes with a wrong password again and again. */
#define LOGIN_MS 300000
/* What is answered by then is committed while others are waited for. */
#define GATHER_MS 20
/* Beyond what the server may take: the resolver, and all of its addresses. */
#define STUCK_MS 600000
#define STEPS_MAX 16

struct question {
	int64_t id;
	char *kind, *value;
};

struct dir {
	const struct conf *conf;
	struct store *store;
	struct dir_talk *talk;
	bool is_open;		/* a transaction with answers */
	struct store_server_status server;	/* as status shows it */
	bool is_read;		/* server is what the store has */
	int64_t down_ms;	/* monotonic, since when; 0: it answers */
	char *down_why;		/* what was said of it last */
	int64_t wait_ms, next_try_ms, next_renew_ms;
	int64_t last_now_ms;		/* wall clock; 0: not looked at yet */
};

static void
free_question(gpointer p)
{
	struct question *q = p;

	g_free(q->kind);
	g_free(q->value);
	g_free(q);
}

static GPtrArray *
new_questions(void)
{
	return g_ptr_array_new_with_free_func(free_question);
}

static void
add(GPtrArray *list, int64_t id, const char *kind, const char *value)
{
	struct question *q = g_new0(struct question, 1);

	q->id = id;
	q->kind = g_strdup(kind);
	q->value = g_strdup(value);
	g_ptr_array_add(list, q);
}

static void
open_transaction(struct dir *d)
{
	if (!d->is_open)
		store_begin(d->store);
	d->is_open = true;
}

/* ---- is it there? ---------------------------------------------------------- */

/*
 * For status. Since when is kept over restarts; it is written when a try
 * failed or it answers again, and not with each answer.
 */
static void
note_server(struct dir *d, bool up, const struct err *err)
{
	struct store_server_status *s = &d->server;
	int64_t now_ms = clock_now_ms();
	g_autofree char *reason = up ? g_strdup("") : text_clean(err->text,
	    strlen(err->text), TEXT_LINE, sizeof(s->reason) - 1);

	if (up && s->is_known && s->up)
		return;
	if (!s->is_known || s->up != up)
		s->since_ms = now_ms;
	s->is_known = true;
	s->up = up;
	s->next_ms = up ? 0 : now_ms + d->next_try_ms - clock_mono_ms();
	open_transaction(d);
	store_server_set(d->store, up, s->since_ms, s->next_ms, reason);
}

static bool
read_server(struct dir *d, struct err *err)
{
	d->is_read = d->is_read || store_server_get(d->store, &d->server,
	    err);
	return d->is_read;
}

static void
tell_down(struct dir *d, const struct err *err)
{
	int64_t mono = clock_mono_ms();

	d->wait_ms = d->down_ms == 0 ? DOWN_MIN_MS :
	    MIN(2 * d->wait_ms, DOWN_MAX_MS);
	d->next_try_ms = mono + (strcmp(err->what, "ldap.auth") == 0 ?
	    LOGIN_MS : d->wait_ms);
	if (d->down_ms == 0)
		d->down_ms = mono;
	note_server(d, false, err);
	if (g_strcmp0(d->down_why, err->what) == 0)
		return;
	g_free(d->down_why);
	d->down_why = g_strdup(err->what);
	log_err(LOG_LEVEL_ERROR, "directory.down", err, "%s", "");
}

static bool
is_resting(const struct dir *d)
{
	return d->down_ms != 0 && clock_mono_ms() < d->next_try_ms;
}

static void
tell_up(struct dir *d)
{
	if (d->down_ms != 0)
		log_info("directory.up", "after_ms=%" PRId64,
		    clock_mono_ms() - d->down_ms);
	d->down_ms = 0;
	g_clear_pointer(&d->down_why, g_free);
	note_server(d, true, NULL);
}

/* ---- what is kept ------------------------------------------------------------ */

static char *
groups_json(const GPtrArray *groups)
{
	struct json_object *list = json_object_new_array();
	char *text;

	for (guint i = 0; groups != NULL && i < groups->len; i++)
		json_object_array_add(list,
		    json_object_new_string(groups->pdata[i]));
	text = g_strdup(json_object_to_json_string_ext(list,
	    JSON_C_TO_STRING_PLAIN));
	json_object_put(list);
	return text;
}

/* Whoever waits for an answer is woken; all of them look again. */
static bool
commit(struct dir *d, struct err *err)
{
	if (!d->is_open)
		return true;
	d->is_open = false;
	d->is_read = store_commit(d->store, err);
	if (!d->is_read)
		return false;
	proc_wake(PROC_BUILD);
	proc_wake(PROC_GATEWAY);
	return true;
}

static void
undo(struct dir *d)
{
	if (d->is_open)
		store_rollback(d->store);
	d->is_open = false;
	d->is_read = false;
}

/* Of several that fit nothing is known, which is less than nobody. */
static void
keep(struct dir *d, const struct question *q, const struct dir_reply *r)
{
	const struct conf_ldap *cl = &d->conf->ldap;
	const struct directory_staff *s = r->staff;
	g_autofree char *groups = s != NULL ? groups_json(s->groups) :
	    g_strdup(r->ok ? NULL : STORE_GROUPS_UNKNOWN);
	int64_t now_ms = clock_now_ms();
	struct store_answer a = { .kind = q->kind, .value = q->value,
		.found = s != NULL, .groups = groups, .at_ms = now_ms };

	a.until_ms = now_ms + (s != NULL ? cl->fresh_ms : cl->absent_ms);
	if (s != NULL) {
		a.id = s->id;
		a.name = s->name;
		a.mail = s->mail;
	}
	open_transaction(d);
	store_answer_set(d->store, &a);
}

/* ---- one question ---------------------------------------------------------------- */

/*
 * The supervisor hears that we live while the server is waited for, but not
 * for ever. False: we are to stop, or the store failed meanwhile.
 */
static bool
wait_for_reply(struct dir *d, struct dir_reply *r, struct err *err)
{
	int64_t since = clock_mono_ms();
	int64_t patience = STUCK_MS + STEPS_MAX * d->conf->ldap.timeout_ms;
	bool ok = true;
	int ms = GATHER_MS;

	while (!dir_talk_take(d->talk, r)) {
		struct pollfd fds[] = {
			{ .fd = dir_talk_fd(d->talk), .events = POLLIN },
			{ .fd = proc_stop_fd(), .events = POLLIN },
		};

		if (proc_stopping())
			return false;
		if (clock_mono_ms() - since < patience)
			proc_heartbeat();
		if (poll(fds, 2, ms) != 0)
			continue;
		ok = ok && commit(d, err);
		ms = ROLE_POLL_MS;
	}
	if (!ok)
		directory_staff_free(r->staff);
	return ok;
}

/* *down: the server does not answer, so nothing more is asked now. */
static bool
answer(struct dir *d, const struct question *q, bool *down, struct err *err)
{
	struct dir_reply r = { .staff = NULL };

	dir_talk_ask(d->talk, strcmp(q->kind, "id") == 0 ? LDAP_BY_ID :
	    LDAP_BY_NUMBER, q->value);
	if (!wait_for_reply(d, &r, err))
		return false;
	*down = !r.ok && r.err.kind != ERR_PERM;
	if (*down) {
		tell_down(d, &r.err);
		return true;
	}
	tell_up(d);
	if (!r.ok)
		log_err(LOG_LEVEL_WARN, "directory.unclear", &r.err,
		    "kind=%s", q->kind);
	keep(d, q, &r);
	directory_staff_free(r.staff);
	return true;
}

/* ---- who asks ----------------------------------------------------------------- */

static bool
take_ask(void *arg, int64_t id, const char *kind, const char *value,
    int64_t at_ms)
{
	(void)at_ms;
	add(arg, id, kind, value);
	return true;
}

static bool
is_fresh(void *arg, const struct store_answer *a)
{
	int64_t *until = arg;

	*until = a->until_ms;
	return false;
}

static bool
work_ask(struct dir *d, const struct question *q, const char *cursor_name,
    bool *down, struct err *err)
{
	int64_t until = 0;

	if (!store_answer_get(d->store, q->kind, q->value, is_fresh, &until,
	    err))
		return false;
	if (until <= clock_now_ms() && !answer(d, q, down, err))
		return false;
	if (*down)
		return true;
	open_transaction(d);
	store_cursor_set(d->store, STORE_DIRECTORY, cursor_name, q->id);
	return true;
}

/* All of one asker's that wait; the cursor follows what was answered. */
static bool
work_asks(struct dir *d, enum store_file file, const char *cursor_name,
    bool *busy, struct err *err)
{
	g_autoptr(GPtrArray) list = new_questions();
	bool down = false;
	int64_t cursor;

	if (is_resting(d))
		return true;
	if (!store_cursor_get(d->store, STORE_DIRECTORY, cursor_name,
	    &cursor, err) ||
	    !store_ask_list(d->store, file, cursor, BATCH, take_ask, list,
	    err))
		return false;
	for (guint i = 0; i < list->len && !down && !proc_stopping(); i++) {
		if (!work_ask(d, list->pdata[i], cursor_name, &down, err))
			return false;
	}
	*busy |= list->len == BATCH && !down;
	return commit(d, err);
}

/* ---- what grows old -------------------------------------------------------------- */

static bool
take_old(void *arg, const struct store_answer *a)
{
	add(arg, 0, a->kind, a->value);
	return true;
}

static bool
renew(struct dir *d, bool *busy, struct err *err)
{
	g_autoptr(GPtrArray) list = new_questions();
	int64_t now_ms = clock_now_ms();
	bool down = false;

	if (is_resting(d) || clock_mono_ms() < d->next_renew_ms)
		return true;
	if (!store_answer_list(d->store, now_ms + RENEW_MS,
	    now_ms - d->conf->ldap.stale_ms, BATCH, take_old, list, err))
		return false;
	for (guint i = 0; i < list->len && !down && !proc_stopping(); i++) {
		if (!answer(d, list->pdata[i], &down, err))
			return false;
	}
	if (list->len < BATCH || down)
		d->next_renew_ms = clock_mono_ms() + RENEW_MS;
	else
		*busy = true;
	return commit(d, err);
}

/* ---- a clock that was set back ---------------------------------------------------- */

/* What is believed for longer than any answer is asked for again. */
static bool
mind_clock(struct dir *d, struct err *err)
{
	const struct conf_ldap *cl = &d->conf->ldap;
	int64_t now_ms = clock_now_ms();
	bool ok = true;

	if (clock_may_be_back(d->last_now_ms, now_ms)) {
		store_begin(d->store);
		store_answer_hurry(d->store, clock_far_ms(now_ms,
		    MAX(cl->fresh_ms, cl->absent_ms)), now_ms);
		ok = store_commit(d->store, err);
	}
	if (ok)
		d->last_now_ms = now_ms;
	return ok;
}

/* ---- life ---------------------------------------------------------------------------- */

static bool
step(struct dir *d, bool *busy, struct err *err)
{
	return mind_clock(d, err) && read_server(d, err) &&
	    work_asks(d, STORE_BUILD, STORE_CURSOR_ASKED_BUILD, busy, err) &&
	    work_asks(d, STORE_GATEWAY, STORE_CURSOR_ASKED_GATEWAY, busy,
	    err) && renew(d, busy, err);
}

static void
loop(struct dir *d)
{
	while (!proc_stopping()) {
		struct err err = ERR_INIT;
		bool busy = false;

		if (!step(d, &busy, &err)) {
			undo(d);
			if (proc_stopping())
				break;
			log_err(LOG_LEVEL_ERROR, "directory.retry", &err,
			    "%s", "");
			role_wait(PROC_DIRECTORY, -1, ROLE_RETRY_MS);
		} else if (busy) {
			proc_heartbeat();
		} else {
			role_wait(PROC_DIRECTORY, -1, ROLE_POLL_MS);
		}
	}
}

static bool
make_source(const struct conf_ldap *cl, struct ldap_source **out,
    struct err *err)
{
	GBytes *password = NULL;
	struct ldap_conf lc = { .url = cl->url, .base = cl->base,
		.bind_dn = cl->bind_dn, .tls_ca_file = cl->tls_ca_file,
		.number_filter = cl->number_filter,
		.number_form = cl->number_form, .id_filter = cl->id_filter,
		.attr_id = cl->attr_id, .attr_name = cl->attr_name,
		.attr_mail = cl->attr_mail, .attr_group = cl->attr_group,
		.nested = cl->nested, .group_base = cl->group_base,
		.timeout_ms = cl->timeout_ms };
	bool ok;

	if (cl->password_file != NULL && !io_secret_load(cl->password_file,
	    ROLE_SECRET_MAX, &password, err))
		return false;
	lc.password = password;
	ok = ldap_source_new(&lc, out, err);
	io_secret_forget(password);
	return ok;
}

static bool
start(struct dir *d, struct err *err)
{
	struct ldap_source *source;

	if (!make_source(&d->conf->ldap, &source, err))
		return false;
	if (!role_enter(PROC_DIRECTORY, PROC_STORE_FILES | PROC_CONNECT,
	    d->conf, &d->store, err)) {
		ldap_source_free(source);
		return false;
	}
	return dir_talk_new(source, &d->talk, err);
}

int
role_directory(const struct conf *c)
{
	struct dir d = { .conf = c };
	struct err err = ERR_INIT;
	int rc = PROC_EXIT_OK;
	bool is_over;

	if (start(&d, &err)) {
		proc_ready();
		loop(&d);
	} else {
		rc = role_fail(PROC_DIRECTORY, &err);
	}
	is_over = dir_talk_stop(d.talk);
	store_close(d.store);
	g_free(d.down_why);
	if (!is_over)
		_exit(rc);
	return rc;
}
