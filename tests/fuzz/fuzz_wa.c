/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A webhook body. Laws: it gives at least one item, each with a printable
 * key, a known kind and raw JSON that is itself acceptable; or it is refused
 * as permanent, and then its bytes still make an item. Parsing it again
 * gives the same keys.
 */
#include <assert.h>
#include <glib.h>
#include <string.h>

#include "err.h"
#include "fuzz.h"
#include "item.h"
#include "text.h"
#include "wa.h"

static const struct wa_limits limits = WA_LIMITS_DEFAULT;

static void
check_string(const char *s)
{
	assert(s == NULL || text_is_utf8(s, strlen(s)));
}

static void
check_key(const char *key)
{
	assert(key != NULL && g_str_has_prefix(key, WA_NETWORK "|"));
	for (; *key != '\0'; key++)
		assert(*key > ' ' && *key < 0x7f);
}

static void
check_facts(const GPtrArray *facts)
{
	for (guint i = 0; facts != NULL && i < facts->len; i++) {
		const struct item_fact *f = facts->pdata[i];

		check_string(f->name);
		check_string(f->value);
	}
}

static void
check_item(const struct item *it)
{
	struct wa_limits wide = limits;
	struct err err = ERR_INIT;

	check_key(it->key);
	assert(it->kind < ITEM_KINDS && it->type < ITEM_TYPES &&
	    it->author < ITEM_AUTHORS);
	assert(it->kind != ITEM_NOTICE || it->note != NULL);
	assert(it->kind != ITEM_RECEIPT || it->receipt != NULL);
	check_string(it->id);
	check_string(it->text);
	check_string(it->note);
	check_string(it->field);
	check_string(it->type_name);
	check_string(it->counterpart.name);
	check_string(it->counterpart.user_id);
	check_facts(it->facts);
	check_facts(it->answers);
	/* A control character is longer when it is escaped the other way. */
	wide.max_string *= 6;
	wide.max_bytes *= 6;
	assert(wa_json_check(it->raw, strlen(it->raw), &wide, &err));
}

static void
check_same(const GPtrArray *a, const GPtrArray *b)
{
	assert(a->len == b->len);
	for (guint i = 0; i < a->len; i++) {
		const struct item *x = a->pdata[i], *y = b->pdata[i];

		assert(strcmp(x->key, y->key) == 0);
		assert(strcmp(x->raw, y->raw) == 0);
	}
}

static void
check_refusal(const uint8_t *data, size_t len, const struct err *err)
{
	auto_item *it = wa_raw_item(data, len, err->text);

	assert(err->kind == ERR_PERM && strcmp(err->what, "wa.json") == 0);
	check_key(it->key);
	assert(it->raw == NULL && it->note != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	GPtrArray *items = NULL, *again = NULL;
	struct err err = ERR_INIT;

	if (!wa_parse(data, len, &limits, &items, &err)) {
		check_refusal(data, len, &err);
		return 0;
	}
	assert(wa_json_check(data, len, &limits, &err));
	assert(items->len > 0);
	for (guint i = 0; i < items->len; i++)
		check_item(items->pdata[i]);
	assert(wa_parse(data, len, &limits, &again, &err));
	check_same(items, again);
	g_ptr_array_unref(items);
	g_ptr_array_unref(again);
	return 0;
}
