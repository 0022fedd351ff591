/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an earlier life of the gateway left under way: none of it is sent again.
 * What may have left is unknown, what had not is not sent; both are journaled.
 */
#include "err.h"
#include "gw_int.h"
#include "proc.h"

#define RECOVER_MAX 100

struct recovery {
	struct gw *g;
	GPtrArray *list;
};

static bool
take_row(void *arg, const struct store_send *row)
{
	struct recovery *r = arg;
	struct gw_send *s = gw_send_load(r->g, row);

	gw_reviews(r->g, s);
	g_ptr_array_add(r->list, s);
	return true;
}

/* What became of those that an earlier life did not end. */
struct ending {
	struct gw *g;
	enum gateway_outcome outcome;
	const char *reason;
	int64_t now_ms;
};

static bool
end_all(const struct ending *e, const GPtrArray *list, struct err *err)
{
	store_begin(e->g->store);
	for (guint i = 0; i < list->len; i++) {
		struct gw_send *s = list->pdata[i];

		gw_account(e->g, s);
		gw_send_refuse(s, e->outcome == GATEWAY_NOT_SENT ?
		    GATEWAY_REFUSE_UPSTREAM : GATEWAY_REFUSE_UNKNOWN,
		    e->reason);
		gw_mark(s);
		gw_finish(e->g, s, e->outcome, e->now_ms);
	}
	if (!store_commit(e->g->store, err))
		return false;
	for (guint i = 0; i < list->len; i++)
		gw_tell(e->g, list->pdata[i]);
	return true;
}

/* One that the store will not take must not keep the gateway from starting. */
static bool
end_each(const struct ending *e, const GPtrArray *list, struct err *err)
{
	for (guint i = 0; i < list->len; i++) {
		g_autoptr(GPtrArray) one = g_ptr_array_new();
		struct gw_send *s = list->pdata[i];
		struct err why = ERR_INIT;

		gw_restore(s);
		g_ptr_array_add(one, s);
		if (end_all(e, one, &why))
			continue;
		if (why.kind == ERR_TEMP) {
			*err = why;
			return false;
		}
		gw_tell_stuck(s, &why);
	}
	return true;
}

static bool
recover_state(const struct ending *e, enum store_send_state state,
    int64_t after, struct err *err)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)gw_send_free);
	struct recovery r = { e->g, list };
	struct err why = ERR_INIT;

	if (!store_send_list(e->g->store, state, after, RECOVER_MAX,
	    take_row, &r, err))
		return false;
	if (list->len == 0)
		return true;
	after = ((struct gw_send *)list->pdata[list->len - 1])->id;
	if (!end_all(e, list, &why)) {
		*err = why;
		if (why.kind == ERR_TEMP || !end_each(e, list, err))
			return false;
	}
	proc_heartbeat();
	return recover_state(e, state, after, err);
}

bool
gw_recover(struct gw *g, int64_t now_ms, struct err *err)
{
	const struct ending left = { g, GATEWAY_OUTCOME_UNKNOWN,
		"the gateway ended while it was being sent", now_ms };
	const struct ending stayed = { g, GATEWAY_NOT_SENT,
		"the gateway ended before it was sent", now_ms };

	return recover_state(&left, STORE_SEND_FORWARDING, 0, err) &&
	    recover_state(&stayed, STORE_SEND_STORED, 0, err);
}
