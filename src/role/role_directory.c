/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory role: answers what build and gateway ask of the staff, by a
 * directory server, into a file of its own. Nobody waits for it for long, and
 * what it answered once is used while the server is down. Asks again for what
 * grows old. It reads no message.
 */
#include <inttypes.h>
#include <string.h>

#include <json-c/json.h>

#include "clock.h"
#include "conf.h"
#include "directory.h"
#include "err.h"
#include "io.h"
#include "log.h"
#include "role.h"
#include "role_int.h"
#include "store.h"

#define BATCH 50
#define RENEW_MS 5000
#define DOWN_MIN_MS 1000
#define DOWN_MAX_MS 60000

struct question {
	int64_t id;
	char *kind, *value;
};

struct dir {
	const struct conf *conf;
	struct store *store;
	struct ldap_source *ldap;
	int64_t down_ms;	/* monotonic, since when; 0: it answers */
	int64_t wait_ms, next_try_ms, next_renew_ms;
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

/* ---- one answer ------------------------------------------------------------ */

static void
tell_down(struct dir *d, const struct err *err)
{
	int64_t mono = clock_mono_ms();

	d->wait_ms = d->down_ms == 0 ? DOWN_MIN_MS :
	    MIN(2 * d->wait_ms, DOWN_MAX_MS);
	d->next_try_ms = mono + d->wait_ms;
	if (d->down_ms == 0) {
		d->down_ms = mono;
		log_err(LOG_LEVEL_ERROR, "directory.down", err, "%s", "");
	}
}

static void
tell_up(struct dir *d)
{
	if (d->down_ms != 0)
		log_info("directory.up", "after_ms=%" PRId64,
		    clock_mono_ms() - d->down_ms);
	d->down_ms = 0;
}

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

static void
keep(struct dir *d, const struct question *q,
    const struct directory_staff *s, int64_t now_ms)
{
	const struct conf_ldap *cl = &d->conf->ldap;
	g_autofree char *groups = s != NULL ? groups_json(s->groups) : NULL;
	struct store_answer a = { .kind = q->kind, .value = q->value,
		.found = s != NULL, .groups = groups, .at_ms = now_ms };

	a.until_ms = now_ms + (s != NULL ? cl->fresh_ms : cl->absent_ms);
	if (s != NULL) {
		a.id = s->id;
		a.name = s->name;
		a.mail = s->mail;
	}
	store_answer_set(d->store, &a);
}

/* False: the server does not answer; nothing more is asked now. */
static bool
answer(struct dir *d, const struct question *q, int64_t now_ms)
{
	struct directory_staff *s = NULL;
	struct err err = ERR_INIT;
	enum ldap_by by = strcmp(q->kind, "id") == 0 ? LDAP_BY_ID :
	    LDAP_BY_NUMBER;

	if (!ldap_source_find(d->ldap, by, q->value, &s, &err) &&
	    err.kind != ERR_PERM) {
		tell_down(d, &err);
		return false;
	}
	if (err.kind == ERR_PERM)
		log_err(LOG_LEVEL_WARN, "directory.unclear", &err, "kind=%s",
		    q->kind);
	tell_up(d);
	keep(d, q, s, now_ms);
	directory_staff_free(s);
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

/* All of one asker's that wait; the cursor follows what was answered. */
static bool
work_asks(struct dir *d, enum store_file file, const char *cursor_name,
    bool *busy, struct err *err)
{
	g_autoptr(GPtrArray) list = new_questions();
	int64_t cursor, now_ms = clock_now_ms(), done = 0;

	if (!store_cursor_get(d->store, STORE_DIRECTORY, cursor_name,
	    &cursor, err) ||
	    !store_ask_list(d->store, file, cursor, BATCH, take_ask, list,
	    err))
		return false;
	store_begin(d->store);
	for (guint i = 0; i < list->len && !proc_stopping(); i++) {
		const struct question *q = list->pdata[i];
		int64_t until = 0;

		proc_heartbeat();
		if (!store_answer_get(d->store, q->kind, q->value, is_fresh,
		    &until, err)) {
			store_rollback(d->store);
			return false;
		}
		if (until <= now_ms && !answer(d, q, now_ms))
			break;
		done = q->id;
	}
	if (done != 0)
		store_cursor_set(d->store, STORE_DIRECTORY, cursor_name,
		    done);
	*busy |= list->len == BATCH && done != 0;
	if (!store_commit(d->store, err))
		return false;
	if (done != 0)
		proc_wake(file == STORE_BUILD ? PROC_BUILD : PROC_GATEWAY);
	return true;
}

/* ---- what grows old -------------------------------------------------------------- */

static bool
take_old(void *arg, const struct store_answer *a)
{
	add(arg, 0, a->kind, a->value);
	return true;
}

static bool
renew(struct dir *d, struct err *err)
{
	g_autoptr(GPtrArray) list = new_questions();
	int64_t now_ms = clock_now_ms();

	if (clock_mono_ms() < d->next_renew_ms)
		return true;
	d->next_renew_ms = clock_mono_ms() + RENEW_MS;
	if (!store_answer_list(d->store, now_ms + RENEW_MS,
	    now_ms - d->conf->ldap.stale_ms, BATCH, take_old, list, err))
		return false;
	if (list->len == 0)
		return true;
	store_begin(d->store);
	for (guint i = 0; i < list->len && !proc_stopping(); i++) {
		proc_heartbeat();
		if (!answer(d, list->pdata[i], now_ms))
			break;
	}
	return store_commit(d->store, err);
}

/* ---- life ---------------------------------------------------------------------------- */

static bool
step(struct dir *d, bool *busy, struct err *err)
{
	if (d->down_ms != 0 && clock_mono_ms() < d->next_try_ms)
		return true;
	return work_asks(d, STORE_BUILD, STORE_CURSOR_ASKED_BUILD, busy,
	    err) && work_asks(d, STORE_GATEWAY, STORE_CURSOR_ASKED_GATEWAY,
	    busy, err) && renew(d, err);
}

static void
loop(struct dir *d)
{
	while (!proc_stopping()) {
		struct err err = ERR_INIT;
		bool busy = false;

		if (!step(d, &busy, &err)) {
			log_err(LOG_LEVEL_ERROR, "directory.retry", &err,
			    "%s", "");
			role_wait(PROC_DIRECTORY, -1, ROLE_RETRY_MS);
		} else if (!busy) {
			role_wait(PROC_DIRECTORY, -1, ROLE_POLL_MS);
		}
	}
}

static bool
start(struct dir *d, struct err *err)
{
	const struct conf_ldap *cl = &d->conf->ldap;
	GBytes *password = NULL;
	struct ldap_conf lc = { .url = cl->url, .base = cl->base,
		.bind_dn = cl->bind_dn, .tls_ca_file = cl->tls_ca_file,
		.number_filter = cl->number_filter,
		.number_form = cl->number_form, .id_filter = cl->id_filter,
		.attr_id = cl->attr_id, .attr_name = cl->attr_name,
		.attr_mail = cl->attr_mail, .attr_group = cl->attr_group,
		.timeout_ms = cl->timeout_ms };
	bool ok;

	if (cl->password_file != NULL && !io_secret_load(cl->password_file,
	    ROLE_SECRET_MAX, &password, err))
		return false;
	lc.password = password;
	ok = ldap_source_new(&lc, &d->ldap, err);
	io_secret_forget(password);
	return ok && role_enter(PROC_DIRECTORY, PROC_STORE_FILES |
	    PROC_CONNECT, d->conf, &d->store, err);
}

int
role_directory(const struct conf *c)
{
	struct dir d = { .conf = c };
	struct err err = ERR_INIT;
	int rc = PROC_EXIT_OK;

	if (start(&d, &err)) {
		proc_ready();
		loop(&d);
	} else {
		rc = role_fail(PROC_DIRECTORY, &err);
	}
	ldap_source_free(d.ldap);
	store_close(d.store);
	return rc;
}
