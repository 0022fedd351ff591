/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of what passed the gateway, and of what rules remember of it. As
 * store.c: knows no SQL, hands everything to the driver.
 */
#include "store.h"

#include "err.h"
#include "store_int.h"

/* ---- records ------------------------------------------------------------- */

bool
store_record_add(struct store *st, const struct store_event *ev, int64_t *id)
{
	return STORE_WRITE(st, STORE_GATEWAY, event, record_add, ev, id);
}

bool
store_record_purge(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err)
{
	return store_purge(st, STORE_GATEWAY, st->driver->event->record_purge,
	    before_ms, limit, n, err);
}

bool
store_record_is_sent(struct store *st, int64_t record_id, bool *sent,
    struct err *err)
{
	return st->driver->event->record_is_sent(st, record_id, sent, err);
}

/* ---- sends --------------------------------------------------------------- */

bool
store_send_add(struct store *st, const struct store_send *s, int64_t *id)
{
	return STORE_WRITE(st, STORE_GATEWAY, send, add, s, id);
}

bool
store_send_set(struct store *st, const struct store_send *s)
{
	return STORE_WRITE(st, STORE_GATEWAY, send, set, s);
}

bool
store_send_by_key(struct store *st, const char *key, store_send_fn *fn,
    void *arg, struct err *err)
{
	return st->driver->send->by_key(st, key, fn, arg, err);
}

bool
store_send_by_idempotency(struct store *st,
    const uint8_t idempotency[HASH_SIZE], int64_t since_ms,
    store_send_fn *fn, void *arg, struct err *err)
{
	return st->driver->send->by_idempotency(st, idempotency, since_ms, fn,
	    arg, err);
}

bool
store_send_list(struct store *st, enum store_send_state state, int64_t after,
    int limit, store_send_fn *fn, void *arg, struct err *err)
{
	return st->driver->send->list(st, state, after, limit, fn, arg, err);
}

/* ---- uploads ------------------------------------------------------------- */

bool
store_upload_add(struct store *st, const struct store_upload *u)
{
	return STORE_WRITE(st, STORE_GATEWAY, upload, add, u);
}

bool
store_upload_add_file(struct store *st, const struct store_upload *u,
    const char *spooled)
{
	const struct store_spooled from = { spooled, (size_t)u->size,
		u->sha256 };
	struct store_upload placed = *u;
	g_autofree char *name = NULL;

	if (!store_may_write(st, STORE_GATEWAY) ||
	    !store_note(st, store_file_keep_again(st, STORE_DIR_UPLOAD, &from,
	    &name, &st->first)))
		return false;
	placed.path = name;
	return store_upload_add(st, &placed);
}

bool
store_upload_get(struct store *st, const char *media_id,
    store_upload_fn *fn, void *arg, struct err *err)
{
	return st->driver->upload->get(st, media_id, fn, arg, err);
}

bool
store_upload_purge(struct store *st, int64_t before_ms, int limit,
    int64_t *n, struct err *err)
{
	return store_purge(st, STORE_GATEWAY, st->driver->upload->purge,
	    before_ms, limit, n, err);
}

/* ---- definitions --------------------------------------------------------- */

bool
store_definition_set(struct store *st, const struct store_definition *d)
{
	return STORE_WRITE(st, STORE_GATEWAY, definition, set, d);
}

bool
store_definition_get(struct store *st, const char *account, const char *name,
    const char *language, int64_t at_ms, store_definition_fn *fn, void *arg,
    struct err *err)
{
	const struct store_definition of = { .account = account, .name = name,
		.language = language };

	return st->driver->definition->get(st, &of, at_ms, fn, arg, err);
}

bool
store_definition_doubt(struct store *st, const char *account,
    const char *name, const char *language)
{
	const struct store_definition of = { .account = account, .name = name,
		.language = language };

	return STORE_WRITE(st, STORE_GATEWAY, definition, doubt, &of);
}

bool
store_definition_languages(struct store *st, const char *account,
    const char *name, store_language_fn *fn, void *arg, struct err *err)
{
	const struct store_definition of = { .account = account,
		.name = name };

	return st->driver->definition->languages(st, &of, fn, arg, err);
}

/* ---- what rules remember ------------------------------------------------- */

bool
store_tally_add(struct store *st, enum store_file file, const char *rule,
    const char *subject, const char *who, int64_t at_ms)
{
	const struct store_tally t = { file, rule, subject, who };

	return STORE_WRITE(st, file, tally, add, &t, at_ms);
}

bool
store_tally_count(struct store *st, enum store_file file, const char *rule,
    const char *subject, const char *who, int64_t since_ms, int64_t *n,
    struct err *err)
{
	const struct store_tally t = { file, rule, subject, who };

	return st->driver->tally->count(st, &t, since_ms, n, err);
}

/* As a driver's purge, for the files that have nothing of the kind. */
static bool
purge_nothing(struct store *st, int64_t before_ms, int limit, int64_t *n,
    struct err *err)
{
	(void)before_ms, (void)limit, (void)n;
	return store_tally_refuse(st->owns, err);
}

bool
store_tally_purge(struct store *st, enum store_file file, int64_t before_ms,
    int limit, int64_t *n, struct err *err)
{
	store_purge_verb *verb = purge_nothing;

	if (file == STORE_BUILD)
		verb = st->driver->tally->purge_turns;
	else if (file == STORE_GATEWAY)
		verb = st->driver->tally->purge_sends;
	return store_purge(st, file, verb, before_ms, limit, n, err);
}

bool
store_told_set(struct store *st, const char *rule, const char *talk,
    int64_t at_ms)
{
	return STORE_WRITE(st, STORE_GATEWAY, tally, told_set, rule, talk,
	    at_ms);
}

bool
store_told_get(struct store *st, const char *rule, const char *talk,
    int64_t *at_ms, struct err *err)
{
	return st->driver->tally->told_get(st, rule, talk, at_ms, err);
}

/* ---- what the drivers share ------------------------------------------------ */

bool
store_tally_refuse(enum store_file file, struct err *err)
{
	return err_set(err, ERR_PERM, "store.state",
	    "the %s file counts nothing for rules", store_file_name(file));
}

static const char *const state_names[STORE_SEND_STATES] = {
	[STORE_SEND_STORED] = "stored",
	[STORE_SEND_FORWARDING] = "forwarding",
	[STORE_SEND_HELD] = "held",
	[STORE_SEND_DONE] = "done",
};

const char *
store_send_state_name(enum store_send_state state)
{
	return state < STORE_SEND_STATES ? state_names[state] : "unknown";
}

enum store_send_state
store_send_state(const char *name)
{
	for (int i = 0; i < STORE_SEND_STATES; i++) {
		if (g_strcmp0(name, state_names[i]) == 0)
			return (enum store_send_state)i;
	}
	return STORE_SEND_STATES;
}

bool
store_send_key_parse(const char *hex, uint8_t out[STORE_KEY_SIZE])
{
	for (size_t i = 0; i < STORE_KEY_SIZE * 2; i++) {
		int digit = g_ascii_xdigit_value(hex[i]);

		if (digit < 0 || g_ascii_isupper(hex[i]))
			return false;
		out[i / 2] = (uint8_t)(i % 2 == 0 ? digit << 4 :
		    out[i / 2] | digit);
	}
	return hex[STORE_KEY_SIZE * 2] == '\0';
}

void
store_send_key_print(const uint8_t key[STORE_KEY_SIZE],
    char out[STORE_KEY_SIZE * 2 + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < STORE_KEY_SIZE; i++) {
		out[i * 2] = digits[key[i] >> 4];
		out[i * 2 + 1] = digits[key[i] & 15];
	}
	out[STORE_KEY_SIZE * 2] = '\0';
}
