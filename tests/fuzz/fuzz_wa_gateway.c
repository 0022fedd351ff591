/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway's side: a record, and a request with its template's definition in
 * a second line. Laws: a record gives one item, or two, or is refused as no
 * JSON; each has a printable key and raw JSON; a request gives an item, also
 * when it is no message, or is refused as no JSON; what is given again gives
 * the same. Of a receipt with the gateway's mark comes an item with a key.
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

		assert(f->name != NULL && f->value != NULL);
		check_string(f->name);
		check_string(f->value);
	}
}

static void
check_item(const struct item *it)
{
	assert(it->kind < ITEM_KINDS && it->type < ITEM_TYPES &&
	    it->author < ITEM_AUTHORS);
	assert(it->kind != ITEM_NOTICE || it->note != NULL);
	assert(it->kind != ITEM_ATTEMPT || it->send != NULL);
	assert(it->raw != NULL);
	check_string(it->raw);
	check_string(it->id);
	check_string(it->field);
	check_string(it->group_id);
	check_string(it->text);
	check_string(it->note);
	check_string(it->counterpart.user_id);
	check_facts(it->facts);
	g_autofree char *more = wa_more_text(it);

	check_string(more);
	if (it->send != NULL) {
		check_string(it->send->text_before);
		check_facts(it->send->reviews);
	}
}

static void
try_record(const uint8_t *data, size_t len)
{
	g_autoptr(GPtrArray) items = NULL, again = NULL;
	struct err err = ERR_INIT;

	if (!wa_record_parse(data, len, &limits, &items, &err)) {
		assert(items == NULL && err.kind == ERR_PERM &&
		    strcmp(err.what, "wa.json") == 0);
		return;
	}
	assert(items->len == 1 || items->len == 2);
	assert(wa_record_parse(data, len, &limits, &again, &err));
	for (guint i = 0; i < items->len; i++) {
		const struct item *it = items->pdata[i];
		const struct item *other = again->pdata[i];

		check_key(it->key);
		check_item(it);
		assert(strcmp(it->key, other->key) == 0);
		assert(strcmp(it->raw, other->raw) == 0);
	}
}

static void
try_request(const uint8_t *data, size_t len)
{
	const uint8_t *end = len > 0 ? memchr(data, '\n', len) : NULL;
	size_t first = end != NULL ? (size_t)(end - data) : len;
	g_autofree char *definition = end == NULL ? NULL :
	    g_strndup((const char *)end + 1, len - first - 1);
	struct err err = ERR_INIT;
	struct item *it = NULL;

	if (wa_send_parse(data, first, &limits, definition, &it, &err)) {
		assert(it->kind != ITEM_NOTICE);
	} else if (it != NULL) {
		assert(it->kind == ITEM_NOTICE &&
		    strcmp(err.what, "wa.send") == 0);
	} else {
		assert(strcmp(err.what, "wa.json") == 0);
		return;
	}
	assert(it->direction == ITEM_SENT && it->key == NULL);
	check_item(it);
	item_free(it);
}

static void
try_mark(const uint8_t *data, size_t len)
{
	auto_item *receipt = item_new(ITEM_RECEIPT, ITEM_TYPE_STATUS);
	struct item *it;

	receipt->receipt = g_new0(struct item_receipt, 1);
	receipt->receipt->callback_data = g_strdup_printf("%s%.*s",
	    WA_CALLBACK_PREFIX, (int)MIN(len, 1000), (const char *)data);
	receipt->target = g_strdup("wamid.A");
	it = wa_resolved_item(receipt);
	if (it != NULL) {
		check_key(it->key);
		check_key(it->refers);
	}
	item_free(it);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try_record(data, len);
	try_request(data, len);
	try_mark(data, len);
	return 0;
}
