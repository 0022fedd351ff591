/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of the template tables (render_vars.c) and what fills them. The order
 * of each enum is that of its table.
 */
#pragma once

#include "render_int.h"

enum fact_row { F_NAME, F_PADDED, F_VALUE };

enum media_row { M_NAME, M_MIME, M_SIZE, M_SHA256, M_ID,
	M_STATUS };

enum party_row { P_ROLE, P_ROLE_PADDED, P_WHAT, P_NAME,
	P_ADDRESS, P_FACTS };

enum item_row { I_NUMBER, I_TIME, I_CLOCK, I_KIND, I_TYPE,
	I_AUTHOR, I_ID, I_TEXT, I_INDENTED, I_NOTE, I_FACTS,
	I_MEDIA, I_RAW, I_RAW_INDENTED };

enum event_row { E_CAPTURED, E_SOURCE, E_SEQ, E_SHA256,
	E_SIZE, E_FILE };

enum turn_row { T_FROM, T_TO, T_WHAT, T_DIRECTION, T_NETWORK,
	T_EVENT, T_AUTHOR, T_COUNT, T_FIRST, T_LAST, T_DESK,
	T_BUSINESS, T_EMPLOYEE, T_CUSTOMER, T_CUSTOMER_NUMBER,
	T_CUSTOMER_ID, T_MESSAGE_ID, T_CONVERSATION, T_PARENT,
	T_RECEIVED, T_SENT, T_PARTIES, T_ITEMS, T_EVENTS };

/* A view being filled; rows are counted, see render_item_fill(). */
struct render_filler {
	const struct render_turn *t;
	struct render_scratch *s;
	size_t rows;
};

struct template_scope *render_scope_add(struct render_filler *f,
    GPtrArray *list);
/* Nothing is added without a value: what is not known takes no line. */
void render_fact_add(struct render_filler *f, GPtrArray *list,
    const char *name, const char *value);
/* "2026-02-03 14:05:09 UTC"; NULL for 0. */
const char *render_time(struct render_scratch *s, int64_t ms);

void render_item_fill(struct render_filler *f, GPtrArray *list,
    const struct item *it);
