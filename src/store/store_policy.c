/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of what rules did and what must be kept of it: rule sets,
 * verdicts, holds, consent, alerts; what is asked of the directory server;
 * and what persons decided. As in store.c, only owners write, and the rest is
 * the driver's. Nothing here knows a rule or reads a verdict.
 */
#include "store.h"

#include <string.h>

#include "store_int.h"

/* ---- rule sets and verdicts ---------------------------------------------- */

bool
store_ruleset_set(struct store *st, const uint8_t sha256[HASH_SIZE],
    const void *text, size_t len, int64_t at_ms)
{
	return STORE_WRITE(st, STORE_BUILD, policy, ruleset_set, sha256, text,
	    len, at_ms);
}

bool
store_ruleset_list(struct store *st, store_ruleset_fn *fn, void *arg,
    struct err *err)
{
	return st->driver->policy->ruleset_list(st, fn, arg, err);
}

bool
store_judged_set(struct store *st, int64_t turn_id, const char *json)
{
	return STORE_WRITE(st, STORE_BUILD, policy, judged_set, turn_id,
	    json);
}

bool
store_judged_get(struct store *st, int64_t turn_id, char **json,
    struct err *err)
{
	return st->driver->policy->judged_get(st, turn_id, json, err);
}

/* ---- what is withheld ------------------------------------------------------ */

bool
store_turn_excluded(struct store *st, int64_t turn_id, const char *why,
    int64_t now_ms)
{
	return STORE_WRITE(st, STORE_BUILD, hold, excluded, turn_id, why,
	    now_ms);
}

bool
store_hold_end_is_known(const char *end)
{
	return strcmp(end, "released") == 0 || strcmp(end, "rejected") == 0 ||
	    strcmp(end, "expired") == 0;
}

bool
store_turn_hold(struct store *st, const struct store_hold *h)
{
	return STORE_WRITE(st, STORE_BUILD, hold, hold, h);
}

bool
store_turn_unhold(struct store *st, int64_t turn_id, const char *end,
    int64_t now_ms)
{
	return STORE_WRITE(st, STORE_BUILD, hold, unhold, turn_id, end,
	    now_ms);
}

bool
store_hold_get(struct store *st, int64_t turn_id, store_hold_fn *fn,
    void *arg, struct err *err)
{
	return st->driver->hold->get(st, turn_id, fn, arg, err);
}

bool
store_hold_list(struct store *st, int64_t after, int limit,
    store_hold_fn *fn, void *arg, struct err *err)
{
	return st->driver->hold->list(st, after, limit, fn, arg, err);
}

bool
store_hold_is_over(int64_t since_ms, int64_t until_ms, int64_t now_ms)
{
	return until_ms <= now_ms || since_ms - STORE_HOLD_SLACK_MS > now_ms;
}

bool
store_hold_due(struct store *st, int64_t now_ms, int limit, GArray **out,
    struct err *err)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(int64_t));

	if (!st->driver->hold->due(st, now_ms, limit, list, err))
		return false;
	*out = g_steal_pointer(&list);
	return true;
}

bool
store_hold_next_due(struct store *st, int64_t *out, struct err *err)
{
	return st->driver->hold->next_due(st, out, err);
}

bool
store_review_add(struct store *st, const struct store_review *r, int64_t *id)
{
	return STORE_WRITE(st, STORE_ADMIN, hold, review_add, r, id);
}

bool
store_review_list(struct store *st, int64_t after, int limit,
    store_review_fn *fn, void *arg, struct err *err)
{
	return st->driver->hold->review_list(st, after, limit, fn, arg, err);
}

bool
store_review_of(struct store *st, int64_t turn_id, const char *send_key,
    store_review_fn *fn, void *arg, struct err *err)
{
	return st->driver->hold->review_of(st, turn_id, send_key, fn, arg,
	    err);
}

/* ---- what is remembered ---------------------------------------------------- */

bool
store_consent_add(struct store *st, const char *realm, const char *person,
    const char *state, const char *source, int64_t at_ms)
{
	return STORE_WRITE(st, STORE_BUILD, policy, consent_add, realm,
	    person, state, source, at_ms);
}

bool
store_consent_get(struct store *st, const char *realm, const char *person,
    int64_t at_ms, char **state, struct err *err)
{
	return st->driver->policy->consent_get(st, realm, person, at_ms,
	    state, err);
}

bool
store_alert_set(struct store *st, const char *rule, int64_t last_ms,
    int64_t swallowed)
{
	return STORE_WRITE(st, STORE_BUILD, policy, alert_set, rule, last_ms,
	    swallowed);
}

bool
store_alert_get(struct store *st, const char *rule, int64_t *last_ms,
    int64_t *swallowed, struct err *err)
{
	return st->driver->policy->alert_get(st, rule, last_ms, swallowed,
	    err);
}

bool
store_resolution_add(struct store *st, const char *send_key,
    const char *wamid, int64_t at_ms)
{
	return STORE_WRITE(st, STORE_BUILD, policy, resolution_add, send_key,
	    wamid, at_ms);
}

bool
store_resolution_get(struct store *st, const char *send_key, char **wamid,
    struct err *err)
{
	return st->driver->policy->resolution_get(st, send_key, wamid, err);
}

bool
store_template_change_add(struct store *st, const char *account,
    const char *name, const char *language, int64_t at_ms)
{
	return STORE_WRITE(st, STORE_BUILD, policy, template_change_add,
	    account, name, language, at_ms);
}

bool
store_template_change_list(struct store *st, int64_t after, int limit,
    store_template_change_fn *fn, void *arg, struct err *err)
{
	return st->driver->policy->template_change_list(st, after, limit, fn,
	    arg, err);
}

/* ---- the directory server -------------------------------------------------- */

bool
store_ask_add(struct store *st, enum store_file file, const char *kind,
    const char *value, int64_t at_ms)
{
	return STORE_WRITE(st, file, ask, add, file, kind, value, at_ms);
}

bool
store_ask_list(struct store *st, enum store_file file, int64_t after,
    int limit, store_ask_fn *fn, void *arg, struct err *err)
{
	return st->driver->ask->list(st, file, after, limit, fn, arg, err);
}

bool
store_answer_set(struct store *st, const struct store_answer *a)
{
	return STORE_WRITE(st, STORE_DIRECTORY, ask, answer_set, a);
}

bool
store_answer_get(struct store *st, const char *kind, const char *value,
    store_answer_fn *fn, void *arg, struct err *err)
{
	return st->driver->ask->answer_get(st, kind, value, fn, arg, err);
}

bool
store_answer_hurry(struct store *st, int64_t far_ms, int64_t now_ms)
{
	return STORE_WRITE(st, STORE_DIRECTORY, ask, answer_hurry, far_ms,
	    now_ms);
}

bool
store_answer_list(struct store *st, int64_t until_ms, int64_t asked_ms,
    int limit, store_answer_fn *fn, void *arg, struct err *err)
{
	return st->driver->ask->answer_list(st, until_ms, asked_ms, limit, fn,
	    arg, err);
}

bool
store_server_set(struct store *st, bool up, int64_t since_ms,
    int64_t next_ms, const char *reason)
{
	return STORE_WRITE(st, STORE_DIRECTORY, ask, server_set, up, since_ms,
	    next_ms, reason);
}

bool
store_server_get(struct store *st, struct store_server_status *out,
    struct err *err)
{
	return st->driver->ask->server_get(st, out, err);
}
