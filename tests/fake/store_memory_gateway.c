/* SPDX-License-Identifier: Apache-2.0 */
/* The fake store: what passed the gateway, and what rules remember. */
#include <string.h>

#include <json-c/json.h>

#include "fake/store_memory.h"

/* ---- records ------------------------------------------------------------- */

bool
fake_record_add(struct store *st, const struct store_event *ev, int64_t *id,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct store_event row = *ev;

	(void)err;
	row.id = STORE_EVENT_GATEWAY + FAKE_N(f, FAKE_RECORD) + 1;
	row.remote = fake_keep(f, ev->remote);
	row.secret_name = fake_keep(f, ev->secret_name);
	row.signature = "";
	row.body = fake_keep_bytes(f, ev->len == 0 ? "" : ev->body, ev->len);
	g_array_append_val(f->rows[FAKE_RECORD], row);
	if (id != NULL)
		*id = row.id;
	return true;
}

/* Without the words that rules added, and whom they count. */
static const char *
left_of(struct fake *f, const char *verdict)
{
	json_object *o = verdict == NULL ? NULL : json_tokener_parse(verdict);
	const char *left = NULL;

	if (o != NULL) {
		json_object_object_del(o, "additions");
		json_object_object_del(o, "tallies");
		left = fake_keep(f, json_object_to_json_string_ext(o,
		    JSON_C_TO_STRING_PLAIN));
	}
	json_object_put(o);
	return left;
}

static void
forget_bytes(struct fake *f, int64_t record_id)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_SEND); i++) {
		struct store_send *s = FAKE_AT(f, FAKE_SEND, store_send, i);

		if (s->record_id != record_id || s->state != STORE_SEND_DONE)
			continue;
		s->request = s->sent = s->answer = NULL;
		s->definition = NULL;
		s->verdict = left_of(f, s->verdict);
		s->request_len = s->sent_len = s->answer_len = 0;
	}
}

bool
fake_record_purge(struct store *st, int64_t before_ms, int limit, int64_t *n,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	int64_t read = fake_cursor(f, STORE_BUILD, STORE_CURSOR_RECORDS);

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_RECORD) && *n < limit; i++) {
		struct store_event *ev = FAKE_AT(f, FAKE_RECORD, store_event,
		    i);

		if (ev->body == NULL || ev->id > read ||
		    ev->received_ms >= before_ms ||
		    !fake_event_done(f, ev->id))
			continue;
		ev->body = NULL;
		ev->len = 0;
		forget_bytes(f, ev->id);
		++*n;
	}
	return true;
}

bool
fake_record_is_sent(struct store *st, int64_t id, bool *sent,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	bool any = false, all = true;

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_ITEM); i++) {
		const struct store_item *it =
		    &FAKE_AT(f, FAKE_ITEM, fake_item, i)->it;

		if (it->event_id != id || it->turn_id == 0)
			continue;
		any = true;
		all = all && fake_turn_done(f, it->turn_id, INT64_MAX);
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_PARKED_EVENT); i++) {
		const struct fake_parked *p = FAKE_AT(f, FAKE_PARKED_EVENT,
		    fake_parked, i);

		if (p->event_id != id)
			continue;
		any = true;
		all = all && fake_turn_done(f, p->turn_id, INT64_MAX);
	}
	*sent = any && all;
	return true;
}

/* ---- sends --------------------------------------------------------------- */

static struct store_send *
find_send(struct fake *f, const char *key)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_SEND); i++) {
		struct store_send *s = FAKE_AT(f, FAKE_SEND, store_send, i);

		if (strcmp(s->key, key) == 0)
			return s;
	}
	return NULL;
}

static bool
check_send(struct fake *f, const struct store_send *s, struct err *err)
{
	if ((s->record_id != 0 && fake_event(f, s->record_id) == NULL) ||
	    (s->first_record_id != 0 &&
	    fake_event(f, s->first_record_id) == NULL))
		return fake_refuse(err, "the send's record is not there");
	if (s->state >= STORE_SEND_STATES)
		return fake_refuse(err, "the send has no known state");
	if ((s->state == STORE_SEND_HELD || s->state == STORE_SEND_DONE) &&
	    s->record_id == 0)
		return fake_refuse(err, "the send needs a record");
	return true;
}

static bool
send_add(struct store *st, const struct store_send *s, int64_t *id,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	uint8_t key[STORE_KEY_SIZE];
	struct store_send row = *s;

	if (!store_send_key_parse(s->key, key) || find_send(f, s->key) != NULL)
		return fake_refuse(err, "the send's key is none, or known");
	if (!check_send(f, s, err))
		return false;
	row.id = FAKE_N(f, FAKE_SEND) + 1;
	row.key = fake_keep(f, s->key);
	row.application = fake_keep(f, s->application);
	row.employee = fake_keep(f, s->employee);
	row.remote = fake_keep(f, s->remote);
	row.business = fake_keep(f, s->business);
	row.method = fake_keep(f, s->method);
	row.target = fake_keep(f, s->target);
	row.content_type = fake_keep(f, s->content_type);
	row.idempotency = fake_keep_bytes(f, s->idempotency, HASH_SIZE);
	row.request = fake_keep_bytes(f, s->request == NULL ? "" : s->request,
	    s->request_len);
	row.sent = fake_keep_bytes(f, s->sent, s->sent_len);
	row.answer = fake_keep_bytes(f, s->answer, s->answer_len);
	row.verdict = fake_keep(f, s->verdict);
	row.definition = fake_keep(f, s->definition);
	row.outcome = fake_keep(f, s->outcome);
	row.wamid = fake_keep(f, s->wamid);
	g_array_append_val(f->rows[FAKE_SEND], row);
	if (id != NULL)
		*id = row.id;
	return true;
}

static void
change(const char **to, struct fake *f, const char *value)
{
	if (value != NULL)
		*to = fake_keep(f, value);
}

static void
change_number(int64_t *to, int64_t value)
{
	if (value != 0)
		*to = value;
}

static bool
send_set(struct store *st, const struct store_send *s, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct store_send *at, row;

	if (s->id < 1 || s->id > FAKE_N(f, FAKE_SEND))
		return fake_refuse(err, "there is no such send");
	at = FAKE_AT(f, FAKE_SEND, store_send, (guint)s->id - 1);
	row = *at;
	row.state = s->state;
	row.until_ms = s->until_ms;
	row.status = s->status != 0 ? s->status : row.status;
	change_number(&row.changed_ms, s->changed_ms);
	change_number(&row.persons, s->persons);
	change_number(&row.first_record_id, s->first_record_id);
	change_number(&row.record_id, s->record_id);
	change(&row.outcome, f, s->outcome);
	change(&row.wamid, f, s->wamid);
	change(&row.verdict, f, s->verdict);
	if (s->sent != NULL) {
		row.sent = fake_keep_bytes(f, s->sent, s->sent_len);
		row.sent_len = s->sent_len;
	}
	if (s->answer != NULL) {
		row.answer = fake_keep_bytes(f, s->answer, s->answer_len);
		row.answer_len = s->answer_len;
	}
	if (at->state == STORE_SEND_DONE)
		return fake_refuse(err, "the send is done");
	if (!check_send(f, &row, err))
		return false;
	*at = row;
	return true;
}

static bool
give(const struct store_send *row, store_send_fn *fn, void *arg)
{
	struct store_send copy = *row;

	return fn(arg, &copy);
}

static bool
send_by_key(struct store *st, const char *key, store_send_fn *fn, void *arg,
    struct err *err)
{
	const struct store_send *s = find_send(FAKE_OF(st), key);

	(void)err;
	if (s != NULL)
		give(s, fn, arg);
	return true;
}

static bool
send_by_idempotency(struct store *st, const uint8_t *digest,
    int64_t since_ms, store_send_fn *fn, void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	const struct store_send *latest = NULL;

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_SEND); i++) {
		const struct store_send *s = FAKE_AT(f, FAKE_SEND, store_send,
		    i);

		if (s->idempotency == NULL || s->received_ms <= since_ms ||
		    memcmp(s->idempotency, digest, HASH_SIZE) != 0)
			continue;
		if (latest == NULL || s->received_ms >= latest->received_ms)
			latest = s;
	}
	if (latest != NULL)
		give(latest, fn, arg);
	return true;
}

static bool
send_list(struct store *st, enum store_send_state state, int64_t after,
    int limit, store_send_fn *fn, void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	if (state >= STORE_SEND_STATES)
		return fake_refuse(err, "sends have no such state");
	for (guint i = 0; i < FAKE_N(f, FAKE_SEND) && limit > 0; i++) {
		const struct store_send *s = FAKE_AT(f, FAKE_SEND, store_send,
		    i);

		if (s->id <= after || s->state != state)
			continue;
		limit--;
		if (!give(s, fn, arg))
			break;
	}
	return true;
}

/* ---- uploads ------------------------------------------------------------- */

static bool
upload_add(struct store *st, const struct store_upload *u, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct store_upload row = *u;

	(void)err;
	row.media_id = fake_keep(f, u->media_id);
	row.business = fake_keep(f, u->business);
	row.application = fake_keep(f, u->application);
	row.employee = fake_keep(f, u->employee);
	row.path = fake_keep(f, u->path);
	row.name = fake_keep(f, u->name);
	row.type = fake_keep(f, u->type);
	row.verdict = fake_keep(f, u->verdict);
	g_array_append_val(f->rows[FAKE_UPLOAD], row);
	return true;
}

static bool
upload_get(struct store *st, const char *media_id, store_upload_fn *fn,
    void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (guint i = FAKE_N(f, FAKE_UPLOAD); i > 0; i--) {
		struct store_upload u = *FAKE_AT(f, FAKE_UPLOAD, store_upload,
		    i - 1);

		if (strcmp(u.media_id, media_id) != 0)
			continue;
		fn(arg, &u);
		break;
	}
	return true;
}

static bool
is_shared(struct fake *f, const char *path)
{
	int users = 0;

	for (guint i = 0; i < FAKE_N(f, FAKE_UPLOAD); i++)
		users += g_strcmp0(FAKE_AT(f, FAKE_UPLOAD, store_upload,
		    i)->path, path) == 0;
	return users > 1;
}

static bool
upload_purge(struct store *st, int64_t before_ms, int limit, int64_t *n,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);

	for (guint i = 0; i < FAKE_N(f, FAKE_UPLOAD) && *n < limit; i++) {
		struct store_upload *u = FAKE_AT(f, FAKE_UPLOAD, store_upload,
		    i);

		if (u->path == NULL || u->at_ms >= before_ms)
			continue;
		if (!is_shared(f, u->path) && !store_file_remove(st,
		    STORE_DIR_UPLOAD, u->path, err))
			return false;
		u->path = NULL;
		++*n;
	}
	return true;
}

/* ---- definitions --------------------------------------------------------- */

static struct store_definition *
find_definition(struct fake *f, const struct store_definition *of,
    int64_t at_ms)
{
	struct store_definition *latest = NULL;

	for (guint i = 0; i < FAKE_N(f, FAKE_DEFINITION); i++) {
		struct store_definition *d = FAKE_AT(f, FAKE_DEFINITION,
		    store_definition, i);

		if (strcmp(d->account, of->account) == 0 &&
		    strcmp(d->name, of->name) == 0 &&
		    strcmp(d->language, of->language) == 0 &&
		    d->from_ms <= at_ms)
			latest = d;
	}
	return latest;
}

static bool
definition_set(struct store *st, const struct store_definition *d,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct store_definition *latest = find_definition(f, d, INT64_MAX);
	struct store_definition row = *d;

	(void)err;
	if (latest != NULL && g_strcmp0(latest->json, d->json) == 0) {
		latest->checked_ms = MAX(latest->checked_ms, d->checked_ms);
		return true;
	}
	row.account = fake_keep(f, d->account);
	row.name = fake_keep(f, d->name);
	row.language = fake_keep(f, d->language);
	row.json = fake_keep(f, d->json);
	if (latest != NULL)
		row.from_ms = MAX(d->from_ms, latest->from_ms + 1);
	g_array_append_val(f->rows[FAKE_DEFINITION], row);
	return true;
}

static bool
definition_get(struct store *st, const struct store_definition *of,
    int64_t at_ms, store_definition_fn *fn, void *arg, struct err *err)
{
	const struct store_definition *d = find_definition(FAKE_OF(st), of,
	    at_ms);
	struct store_definition copy;

	(void)err;
	if (d == NULL)
		return true;
	copy = *d;
	fn(arg, &copy);
	return true;
}

static bool
definition_doubt(struct store *st, const struct store_definition *of,
    struct err *err)
{
	struct store_definition *d = find_definition(FAKE_OF(st), of,
	    INT64_MAX);

	(void)err;
	if (d != NULL)
		d->checked_ms = 0;
	return true;
}

static int
compare_texts(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
definition_languages(struct store *st, const struct store_definition *of,
    store_language_fn *fn, void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	g_autoptr(GPtrArray) list = g_ptr_array_new();

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_DEFINITION); i++) {
		struct store_definition *d = FAKE_AT(f, FAKE_DEFINITION,
		    store_definition, i);

		if (strcmp(d->account, of->account) == 0 &&
		    strcmp(d->name, of->name) == 0 &&
		    !g_ptr_array_find_with_equal_func(list, d->language,
		    g_str_equal, NULL))
			g_ptr_array_add(list, (char *)(uintptr_t)d->language);
	}
	g_ptr_array_sort(list, compare_texts);
	for (guint i = 0; i < list->len; i++) {
		if (!fn(arg, list->pdata[i]))
			break;
	}
	return true;
}

/* ---- tallies --------------------------------------------------------------- */

static bool
counts(enum store_file file, struct err *err)
{
	return file == STORE_BUILD || file == STORE_GATEWAY ||
	    store_tally_refuse(file, err);
}

static bool
is_of(const struct fake_tally *row, const struct store_tally *t)
{
	return row->t.file == t->file && strcmp(row->t.rule, t->rule) == 0 &&
	    strcmp(row->t.subject, t->subject) == 0;
}

static bool
tally_add(struct store *st, const struct store_tally *t, int64_t at_ms,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_tally row = { { t->file, fake_keep(f, t->rule),
		fake_keep(f, t->subject), fake_keep(f, t->who) }, at_ms };

	if (!counts(t->file, err))
		return false;
	if (t->rule == NULL || t->subject == NULL || t->who == NULL)
		return fake_refuse(err, "nobody is counted, or for nothing");
	for (guint i = 0; i < FAKE_N(f, FAKE_TALLY); i++) {
		struct fake_tally *at = FAKE_AT(f, FAKE_TALLY, fake_tally, i);

		if (is_of(at, t) && strcmp(at->t.who, t->who) == 0) {
			at->at_ms = MAX(at->at_ms, at_ms);
			return true;
		}
	}
	g_array_append_val(f->rows[FAKE_TALLY], row);
	return true;
}

static bool
tally_count(struct store *st, const struct store_tally *t, int64_t since_ms,
    int64_t *n, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	int64_t others = 0;

	if (!counts(t->file, err))
		return false;
	for (guint i = 0; i < FAKE_N(f, FAKE_TALLY); i++) {
		const struct fake_tally *at = FAKE_AT(f, FAKE_TALLY,
		    fake_tally, i);

		others += is_of(at, t) && at->at_ms >= since_ms &&
		    g_strcmp0(at->t.who, t->who) != 0;
	}
	others += t->who != NULL;
	*n = *n > 0 ? MIN(*n, others) : others;
	return true;
}

static bool
purge(struct store *st, enum store_file file, int64_t before_ms, int limit,
    int64_t *n)
{
	struct fake *f = FAKE_OF(st);

	for (guint i = 0; i < FAKE_N(f, FAKE_TALLY) && *n < limit; ) {
		const struct fake_tally *at = FAKE_AT(f, FAKE_TALLY,
		    fake_tally, i);

		if (at->t.file != file || at->at_ms >= before_ms) {
			i++;
			continue;
		}
		g_array_remove_index(f->rows[FAKE_TALLY], i);
		++*n;
	}
	return true;
}

static bool
purge_turns(struct store *st, int64_t before_ms, int limit, int64_t *n,
    struct err *err)
{
	(void)err;
	return purge(st, STORE_BUILD, before_ms, limit, n);
}

static bool
purge_sends(struct store *st, int64_t before_ms, int limit, int64_t *n,
    struct err *err)
{
	(void)err;
	return purge(st, STORE_GATEWAY, before_ms, limit, n);
}

static struct fake_told *
find_told(struct fake *f, const char *rule, const char *talk)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_TOLD); i++) {
		struct fake_told *t = FAKE_AT(f, FAKE_TOLD, fake_told, i);

		if (strcmp(t->rule, rule) == 0 && strcmp(t->talk, talk) == 0)
			return t;
	}
	return NULL;
}

static bool
told_set(struct store *st, const char *rule, const char *talk, int64_t at_ms,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_told row = { fake_keep(f, rule), fake_keep(f, talk),
		at_ms };
	struct fake_told *old = find_told(f, rule, talk);

	(void)err;
	if (old != NULL)
		old->at_ms = MAX(old->at_ms, at_ms);
	else
		g_array_append_val(f->rows[FAKE_TOLD], row);
	return true;
}

static bool
told_get(struct store *st, const char *rule, const char *talk,
    int64_t *at_ms, struct err *err)
{
	const struct fake_told *t = find_told(FAKE_OF(st), rule, talk);

	(void)err;
	*at_ms = t == NULL ? 0 : t->at_ms;
	return true;
}

const struct store_send_verbs fake_send_verbs = {
	.add = send_add, .set = send_set,
	.by_key = send_by_key, .by_idempotency = send_by_idempotency,
	.list = send_list,
};
const struct store_upload_verbs fake_upload_verbs = {
	.add = upload_add, .get = upload_get, .purge = upload_purge,
};
const struct store_definition_verbs fake_definition_verbs = {
	.set = definition_set, .get = definition_get,
	.doubt = definition_doubt, .languages = definition_languages,
};
const struct store_tally_verbs fake_tally_verbs = {
	.add = tally_add, .count = tally_count,
	.purge_turns = purge_turns, .purge_sends = purge_sends,
	.told_set = told_set, .told_get = told_get,
};
