/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends in a store that is crashed at any call: what went to the network has a
 * row that was there before, nothing goes twice, and whatever was asked for
 * ends with a record. The network is a counter in shared memory.
 */
#include "crash_sends.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define T0 INT64_C(1770127509402)
#define FILE_LEN 5000

/* ---- the gateway ----------------------------------------------------------- */

static int64_t
add_record(struct store *st, const char *body)
{
	struct store_event ev = { .received_ms = T0, .remote = "r",
		.secret_name = "crm", .signature = "", .body = body,
		.len = strlen(body) };
	int64_t id = 0;

	hash_sha256(body, ev.len, ev.sha256);
	store_record_add(st, &ev, &id);
	return id;
}

static bool
finish(struct store *st, int64_t send, const char *outcome, int64_t *record)
{
	struct store_send end = { .id = send, .state = STORE_SEND_DONE,
		.outcome = outcome, .status = 200, .answer = "{}",
		.answer_len = 2, .changed_ms = T0 + 1 };

	store_begin(st);
	end.record_id = add_record(st, outcome);
	store_send_set(st, &end);
	*record = end.record_id;
	return store_commit(st, NULL);
}

/* The number of a send is in its key. */
static bool
ask(struct store *st, int64_t number, int64_t *id)
{
	uint8_t digest[HASH_SIZE] = { (uint8_t)number };
	char key[33];
	struct store_send s = { .key = key, .state = STORE_SEND_FORWARDING,
		.application = "crm", .remote = "r", .business = "b",
		.target = "/v1/b/messages", .idempotency = digest,
		.request = "{}", .request_len = 2, .received_ms = T0,
		.changed_ms = T0 };

	snprintf(key, sizeof(key), "%032x", (unsigned)number);
	store_begin(st);
	store_send_add(st, &s, id);
	return store_commit(st, NULL);
}

static void
send_one(struct store *st, struct crash_sends *told)
{
	int64_t number = ++told->asked, id = 0, record = 0;

	if (!ask(st, number, &id))
		return;
	told->gone[number % CRASH_SENDS]++;
	if (!finish(st, id, "accepted", &record))
		return;
	told->ended[number % CRASH_SENDS] = true;
	told->records = MAX(told->records, record);
}

static bool
write_spooled(const char *path, const char *bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write(fd, bytes, FILE_LEN) == FILE_LEN;

	if (fd >= 0)
		close(fd);
	return ok;
}

static void
upload(struct store *st, struct crash_sends *told)
{
	g_autofree char *bytes = g_strnfill(FILE_LEN,
	    (char)('a' + told->uploads));
	g_autofree char *id = g_strdup_printf("%d", (int)told->uploads + 1);
	g_autofree char *path = g_build_filename(store_dir(st,
	    STORE_DIR_SPOOL), "upload", NULL);
	struct store_upload u = { .media_id = id, .business = "b",
		.application = "crm", .size = FILE_LEN, .at_ms = T0 };

	hash_sha256(bytes, FILE_LEN, u.sha256);
	if (!write_spooled(path, bytes))
		return;
	store_begin(st);
	store_upload_add_file(st, &u, path);
	if (store_commit(st, NULL))
		told->uploads++;
}

void
crash_sends_pass(struct store *gateway, struct crash_sends *told)
{
	int64_t n;

	send_one(gateway, told);
	send_one(gateway, told);
	upload(gateway, told);
	store_record_purge(gateway, T0 + 1, 2, &n, NULL);
}

/* ---- build ------------------------------------------------------------------ */

/* Only the law looks at it: what a record says is in no mail here. */
static bool
file_one(void *arg, const struct store_event *ev)
{
	struct store *st = arg;
	g_autofree char *key = g_strdup_printf("r%d",
	    (int)(ev->id - STORE_EVENT_GATEWAY));
	const struct store_item it = { .key = key, .event_id = ev->id,
		.kind = "receipt", .type = "status" };

	store_item_add(st, &it);
	store_cursor_set(st, STORE_BUILD, STORE_CURSOR_RECORDS, ev->id);
	return true;
}

void
crash_sends_file(struct store *build)
{
	int64_t cursor;

	if (!store_cursor_get(build, STORE_BUILD, STORE_CURSOR_RECORDS,
	    &cursor, NULL))
		return;
	store_begin(build);
	if (store_event_list(build, MAX(cursor, STORE_EVENT_GATEWAY), 10,
	    1 << 20, file_one, build, NULL))
		store_commit(build, NULL);
	else
		store_rollback(build);
}

/* ---- what is checked ----------------------------------------------------------- */

static bool
take_id(void *arg, const struct store_send *s)
{
	g_array_append_val((GArray *)arg, s->id);
	return true;
}

static bool
recover(struct store *st, struct err *err)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	int64_t record;

	if (!store_send_list(st, STORE_SEND_FORWARDING, 0, 1000, take_id, ids,
	    err))
		return false;
	for (guint i = 0; i < ids->len; i++) {
		if (!finish(st, g_array_index(ids, int64_t, i), "unknown",
		    &record))
			return err_set(err, ERR_TEMP, "crash",
			    "a send cannot be ended");
	}
	return true;
}

struct check {
	const struct crash_sends *told;
	const char *broken;
	int64_t number;
	bool found;
};

static bool
check_send(void *arg, const struct store_send *s)
{
	struct check *c = arg;

	c->found = true;
	if (s->state != STORE_SEND_DONE || s->record_id == 0)
		c->broken = "a send has no end";
	else if (c->told->ended[c->number % CRASH_SENDS] &&
	    strcmp(s->outcome, "accepted") != 0)
		c->broken = "the outcome of a send is lost";
	return true;
}

static bool
check_upload(void *arg, const struct store_upload *u)
{
	struct check *c = arg;

	c->found = true;
	if (u->path == NULL)
		c->broken = "an upload has no file";
	return true;
}

static bool
check_sends(struct store *st, struct check *c, struct err *err)
{
	for (c->number = 1; c->number <= c->told->asked; c->number++) {
		int gone = c->told->gone[c->number % CRASH_SENDS];
		char key[33];

		snprintf(key, sizeof(key), "%032x", (unsigned)c->number);
		c->found = false;
		if (!store_send_by_key(st, key, check_send, c, err))
			return false;
		if (gone > 1)
			c->broken = "a send went twice";
		if (gone > 0 && !c->found)
			c->broken = "a send went without a record";
	}
	return true;
}

/* That their files are there and as long as they should be, the law says. */
static bool
check_uploads(struct store *st, struct check *c, struct err *err)
{
	for (int64_t i = 1; i <= c->told->uploads; i++) {
		g_autofree char *id = g_strdup_printf("%d", (int)i);

		c->found = false;
		if (!store_upload_get(st, id, check_upload, c, err))
			return false;
		if (!c->found)
			c->broken = "an upload is lost";
	}
	return true;
}

static bool
take_last(void *arg, const struct store_event *ev)
{
	*(int64_t *)arg = ev->id;
	return true;
}

static bool
check_records(struct store *st, struct check *c, struct err *err)
{
	int64_t last = 0;

	if (!store_event_list(st, STORE_EVENT_GATEWAY, 1000, SIZE_MAX,
	    take_last, &last, err))
		return false;
	if (last < c->told->records)
		c->broken = "a record is lost";
	return true;
}

bool
crash_sends_check(const char *uri, const struct crash_sends *told,
    const char **broken, struct err *err)
{
	struct check c = { .told = told };
	struct store *st;
	bool ok;

	if (!store_open(uri, STORE_GATEWAY, &st, err))
		return false;
	ok = recover(st, err) && check_sends(st, &c, err) &&
	    check_uploads(st, &c, err) && check_records(st, &c, err);
	store_close(st);
	if (c.broken != NULL)
		*broken = c.broken;
	return ok;
}
