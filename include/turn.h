/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which item belongs to which turn, and when a turn is finished.
 *
 * A turn is what one side of one conversation says until the other side
 * speaks, a quiet time passes or a bound is reached. Pure decisions: no
 * store, no clock. Times of events (at) come from the network and are not
 * trusted to be in order; times of arrival (now) are ours.
 *
 * - An item joins the open turn of its conversation and author while the turn
 *   is within all bounds and the item is not late.
 * - Late: its event time is before the turn's first item by more than the
 *   idle time. The turn is left alone, the item gets another.
 * - A pause longer than idle between event times ends the turn too, so that
 *   what arrives late in one go is grouped as it was said.
 * - Event times within a turn span at most `span`.
 * - The other side speaking closes the turn, unless what they said is older
 *   than the turn's first item (it only arrived late).
 * - What is not groupable (item_is_groupable) is a turn of its own, at once.
 * - idle 0: one item, one turn.
 * - Receipts of one message (turn_is_bundled) have turns of their own, which
 *   neither close nor are closed by what people say: all that come within
 *   receipt_wait of the first are one turn.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct item;

#define TURN_IDLE_DEFAULT_MS 20000
#define TURN_SPAN_DEFAULT_MS 120000
#define TURN_ITEMS_DEFAULT 50
#define TURN_BYTES_DEFAULT (1 << 20)

struct turn_rules {
	int64_t idle_ms;
	int64_t span_ms;
	int64_t max_items;
	int64_t max_bytes;
	int64_t receipt_wait_ms;	/* 0: every receipt at once */
};
#define TURN_RECEIPT_WAIT_DEFAULT_MS 60000

enum turn_close_reason {
	TURN_STILL_OPEN, TURN_IDLE, TURN_SPAN, TURN_FULL, TURN_ANSWERED,
	TURN_SINGLE,
	TURN_WAITED,		/* receipts: their time is over */
};

/* What is known of an open turn; the store keeps exactly this. */
struct turn {
	int64_t id;		/* 0 until stored */
	char *conversation;	/* see turn_conversation() */
	char *author;		/* see turn_author() */
	int64_t first_at_ms, last_at_ms;	/* event times */
	int64_t opened_ms, touched_ms;		/* arrival times */
	int64_t close_at_ms;			/* when turn_due() says so */
	int64_t items, bytes;
};

void turn_clear(struct turn *t);	/* frees the strings */
void turn_free(struct turn *t);		/* for GPtrArray of turns */

/*
 * "whatsapp|<business id>|<group id or person>". person is the stable name
 * of the counterpart from the alias table ("u:BR.5Qe…" or "n:5511…"); NULL
 * gives "-" (account events). Owned by the caller.
 */
char *turn_conversation(const struct item *it, const char *person);
/*
 * The bundle of receipts of one message within its conversation:
 * "receipts|<message id>|<conversation>". turn_talk() gives the conversation
 * back (borrowed), also when it was no bundle.
 */
char *turn_bundle(const struct item *it, const char *conversation);
const char *turn_talk(const char *key);

/* "u:…", "n:…" of the counterpart for received items; "b:<author name>" else. */
char *turn_author(const struct item *it, const char *person);

/* The counterpart's own best id: user id first ("u:…"), then number ("n:…"). */
char *turn_person(const struct item *it);

enum turn_verdict {
	TURN_JOIN,	/* add the item to this turn */
	TURN_CLOSE,	/* close this turn (reason), look at the next */
	TURN_LEAVE,	/* not this turn's business; look at the next */
};

/*
 * One open turn of the item's conversation against the item; an item that
 * joins none gets a turn of its own. bytes is the size that counts for the
 * item. *reason is set for TURN_CLOSE.
 */
enum turn_verdict turn_check(const struct turn_rules *rules,
    const struct turn *t, const struct item *it, const char *author,
    int64_t bytes, int64_t now_ms, enum turn_close_reason *reason);

/* Starts a turn (id 0, owning copies) or adds an item to it; sets close_at. */
void turn_start(struct turn *t, const struct turn_rules *rules,
    const char *conversation, const char *author, const struct item *it,
    int64_t bytes, int64_t now_ms);
void turn_join(struct turn *t, const struct turn_rules *rules,
    const struct item *it, int64_t bytes, int64_t now_ms);

/* TURN_STILL_OPEN, or why the turn is finished at now_ms. */
enum turn_close_reason turn_due(const struct turn_rules *rules,
    const struct turn *t, int64_t now_ms);

/* True when the item can never share a turn: idle 0, or not groupable. */
bool turn_is_single(const struct turn_rules *rules, const struct item *it);

/* True for receipts that wait for others of the same message; never `failed`. */
bool turn_is_bundled(const struct turn_rules *rules, const struct item *it);

/* Orders items (struct item *) by event time; equal times keep their order. */
void turn_sort(GPtrArray *items);

const char *turn_close_reason_name(enum turn_close_reason reason);
