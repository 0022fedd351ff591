/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of the template tables (render_vars.c) and what fills them. The order
 * of each enum is that of its table; a table has at most 64 rows.
 */
#pragma once

#include "render_int.h"
#include "render_words.h"

enum fact_row { F_NAME, F_PADDED, F_VALUE };

enum media_row { M_NAME, M_FILE, M_WHAT, M_MIME, M_DECLARED_MIME, M_SIZE,
	M_BYTES, M_LENGTH, M_SHA256, M_DECLARED_SHA256, M_ID, M_STATUS, M_HELD, M_LATE,
	M_MISSING, M_QUARANTINED, M_VERDICT, M_REASON, M_HASH_DIFFERS,
	M_TYPE_DIFFERS, M_CID, M_PART, M_IS_IMAGE, M_IS_STICKER, M_IS_VOICE,
	M_IS_AUDIO, M_IS_VIDEO, M_IS_DOCUMENT, M_ANIMATED };

enum party_row { P_ROLE, P_ROLE_PADDED, P_WHAT, P_NAME, P_ADDRESS, P_FACTS };

enum original_row { O_HELD, O_EARLIER, O_ID, O_AUTHOR, O_WHAT, O_TEXT, O_INDENTED,
	O_LINE, O_TIME, O_LOCAL, O_FILE };

enum card_row { C_NAME, C_FACTS };

enum button_row { B_TITLE };

enum order_row { R_PRODUCT, R_QUANTITY, R_PRICE, R_CURRENCY, R_LINE };

enum location_row { L_LATITUDE, L_LONGITUDE, L_PLACE, L_ADDRESS, L_LINK };

enum call_row { K_WHAT, K_MISSED, K_DIRECTION, K_BEGAN, K_BEGAN_LOCAL,
	K_ENDED, K_ENDED_LOCAL, K_DURATION, K_SECONDS, K_EVENT, K_STATUS };

enum receipt_row { S_STATUS, S_PADDED, S_WORD, S_TICKS, S_READ, S_FAILED,
	S_RECIPIENT };

enum identity_row { D_NAME, D_PADDED, D_BEFORE, D_AFTER, D_SAME };

enum send_row { N_OUTCOME, N_REASON, N_APPLICATION, N_EMPLOYEE, N_STATUS,
	N_KEY, N_BEFORE, N_BEFORE_INDENTED, N_REVIEWS };

enum line_row { W_LINE };

enum outcome_row { U_LINE, U_REASON, U_WAITS };

enum policy_row { Y_VERDICT, Y_RULES, Y_FLAG, Y_TAGS, Y_RETAIN, Y_UNSURE,
	Y_NOT_HERE, Y_WHY, Y_HELD, Y_HOLD_END, Y_HOLD_RULE, Y_RELEASED,
	Y_REJECTED, Y_EXPIRED, Y_REVIEWS, Y_SET };

enum problem_row { X_CODE, X_TITLE, X_TEXT, X_DETAILS };

enum item_row { I_NUMBER, I_WHAT, I_NAME, I_WRITER, I_SENT, I_RECEIVED,
	I_TIME, I_CLOCK, I_LOCAL, I_KIND, I_TYPE, I_AUTHOR, I_ID,
	I_IS_MESSAGE, I_IS_EDIT, I_IS_REVOKE, I_IS_REACTION, I_IS_RECEIPT,
	I_IS_SYSTEM, I_IS_CALL, I_IS_GROUP, I_IS_HISTORY, I_IS_GAP,
	I_IS_NOTICE, I_IS_ACCOUNT, I_IS_ATTEMPT, I_IS_OTHER, I_ALARM,
	I_REMOVED, I_MACHINE, I_TEXT,
	I_INDENTED, I_NOTE, I_MISSING, I_ORIGINAL, I_HEADER, I_FOOTER,
	I_BUTTONS, I_CARDS, I_ANSWERS, I_ORDER, I_LOCATION, I_CALL, I_RECEIPT,
	I_IDENTITY, I_PROBLEMS, I_FACTS, I_MEDIA, I_SEND, I_SHA256, I_RAW,
	I_RAW_INDENTED };

enum event_row { E_CAPTURED, E_SOURCE, E_SEQ, E_SHA256, E_SIZE, E_FILE };

enum turn_row { T_FROM, T_TO, T_WHAT, T_DIRECTION, T_NETWORK, T_EVENT,
	T_AUTHOR, T_WRITER, T_COUNT, T_FIRST, T_FIRST_LOCAL, T_LAST,
	T_LAST_LOCAL, T_ZONE, T_TOPIC, T_DESK, T_BUSINESS, T_EMPLOYEE,
	T_CUSTOMER, T_CUSTOMER_NUMBER, T_CUSTOMER_ID, T_GROUP, T_MESSAGE_ID,
	T_CONVERSATION, T_PARENT, T_PART, T_PARTS, T_RECEIVED, T_SENT,
	T_ALARM, T_GAP, T_FAILED, T_DELETED, T_EDITED, T_FOLLOW_UP, T_AGED,
	T_RECEIPTS, T_EXCLUDED, T_EXCLUDE_RULE, T_OUTCOMES, T_POLICY,
	T_PARTIES, T_ITEMS, T_EVENTS };

/* A view being filled; rows are counted, see render_item_fill(). */
struct render_filler {
	const struct render_turn *t;
	struct render_scratch *s;
	const struct render_words *words;
	const struct clock_zone *zone;	/* NULL: UTC only */
	size_t rows;
	GPtrArray *said;	/* facts of the receipts before this one */
};

struct template_scope *render_scope_add(struct render_filler *f,
    GPtrArray *list);
/*
 * Nothing is added without a value: what is not known takes no line. The name
 * is shown in the language of the mail if its catalog has it.
 */
void render_fact_add(struct render_filler *f, GPtrArray *list,
    const char *name, const char *value);
/* Each struct item_fact; NULL adds nothing. */
void render_facts_add(struct render_filler *f, GPtrArray *list,
    const GPtrArray *facts);
/* "2026-02-03 14:05:09 UTC"; NULL for 0. */
const char *render_time(struct render_scratch *s, int64_t ms);
/* "2026-02-03 11:05:09 -03" in the desk's zone; NULL for 0 or without zone. */
const char *render_local(struct render_filler *f, int64_t ms);
/* A clean copy with every line indented, so that no line can be forged. */
const char *render_indented(struct render_filler *f, const char *text);

/* --- render_item.c --- */

void render_item_fill(struct render_filler *f, GPtrArray *list, guint index);
/* "customer", "employee", "bot" … */
const char *render_writer(const struct render_words *w,
    enum item_author author);
/* What the item is: "missed call", "reaction removed", "voice message" … */
const char *render_what(const struct render_words *w, const struct item *it);
/* "voice message", "order" … */
const char *render_type_word(const struct render_words *w,
    enum item_type type);

/*
 * --- render_detail.c: what only some items have, each a list of its own;
 * NULL when there is nothing ---
 */

GPtrArray *render_original_list(struct render_filler *f, guint index);
GPtrArray *render_buttons(struct render_filler *f, const GPtrArray *buttons);
GPtrArray *render_cards(struct render_filler *f, const GPtrArray *cards);
GPtrArray *render_answers(struct render_filler *f, const GPtrArray *answers);
GPtrArray *render_order(struct render_filler *f, const GPtrArray *order);
GPtrArray *render_location(struct render_filler *f,
    const struct item_location *location);
GPtrArray *render_call(struct render_filler *f, const struct item *it);
/* "missed call", "incoming call ended" … of an item that has a call. */
const char *render_call_word(const struct render_words *w,
    const struct item *it);
GPtrArray *render_receipt(struct render_filler *f,
    const struct item_receipt *receipt);
GPtrArray *render_identity(struct render_filler *f,
    const struct item_identity *identity);
GPtrArray *render_problems(struct render_filler *f, const GPtrArray *problems);

/*
 * --- render_policy.c: what the rules found, and what became of sends; each
 * a list, NULL when there is nothing to show ---
 */

GPtrArray *render_policy_list(struct render_filler *f);
GPtrArray *render_send(struct render_filler *f, const struct item_send *send);
/* What did not leave, or nobody knows: each outcome of the turn once. */
GPtrArray *render_outcomes(struct render_filler *f);
/* "blocked message to Ana" of an attempt; NULL when its outcome is none. */
const char *render_attempt_word(struct render_filler *f,
    const struct item *it);
/* Of an excluded turn: "excluded by rule customers-only". */
const char *render_excluded_word(struct render_filler *f);

/* --- render_files.c --- */

GPtrArray *render_files(struct render_filler *f, const struct item *it);
