/* SPDX-License-Identifier: Apache-2.0 */
/* item: constructors, destructors and names. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <string.h>

#include "item.h"

static void
assert_is_word(const char *name, GHashTable *seen)
{
	assert_non_null(name);
	assert_true(strlen(name) > 0);
	assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"),
	    strlen(name));
	assert_true(g_hash_table_add(seen, g_strdup(name)));
}

static void
every_kind_type_author_and_direction_has_its_own_lower_case_name(void **state)
{
	g_autoptr(GHashTable) kinds = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) types = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) authors = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL);

	(void)state;
	for (int i = 0; i < ITEM_KINDS; i++)
		assert_is_word(item_kind_name((enum item_kind)i), kinds);
	for (int i = 0; i < ITEM_TYPES; i++)
		assert_is_word(item_type_name((enum item_type)i), types);
	for (int i = 0; i < ITEM_AUTHORS; i++)
		assert_is_word(item_author_name((enum item_author)i), authors);
	assert_string_equal(item_direction_name(ITEM_RECEIVED), "received");
	assert_string_equal(item_direction_name(ITEM_SENT), "sent");
	assert_string_equal(item_author_name(ITEM_UNKNOWN_STAFF),
	    "unknown-staff");
}

static void
a_value_outside_of_an_enum_still_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(item_kind_name(ITEM_KINDS), "notice");
	assert_string_equal(item_type_name(ITEM_TYPES), "unknown");
	assert_string_equal(item_author_name(ITEM_AUTHORS), "network");
}

static void
only_plain_messages_may_share_a_turn(void **state)
{
	(void)state;
	for (int i = 0; i < ITEM_KINDS; i++) {
		auto_item *it = item_new((enum item_kind)i, ITEM_TYPE_TEXT);

		assert_int_equal(item_is_groupable(it), i == ITEM_MESSAGE);
	}
}

static void
lists_are_absent_until_something_is_added(void **state)
{
	auto_item *it = item_new(ITEM_MESSAGE, ITEM_TYPE_IMAGE);

	(void)state;
	assert_null(it->media);
	assert_null(it->facts);
	item_fact_add(it, "name", NULL);
	assert_null(it->facts);
	item_fact_add(it, "name", "value");
	assert_int_equal(it->facts->len, 1);
	const struct item_fact *f = g_ptr_array_index(it->facts, 0);
	assert_string_equal(f->name, "name");
	assert_string_equal(f->value, "value");
	assert_string_equal(item_fact_get(it, "name"), "value");
	assert_null(item_fact_get(it, "nam"));
}

/* Under ASan or valgrind this shows that nothing is left behind. */
static void
an_item_with_everything_in_it_is_freed_whole(void **state)
{
	g_autoptr(GPtrArray) list = item_list_new();
	struct item *it = item_new(ITEM_MESSAGE, ITEM_TYPE_IMAGE);

	(void)state;
	it->network = g_strdup("x");
	it->key = g_strdup("x");
	it->raw = g_strdup("{}");
	it->counterpart.name = g_strdup("x");
	it->context = g_new0(struct item_context, 1);
	it->context->referral = g_strdup("{}");
	it->location = g_new0(struct item_location, 1);
	it->location->latitude = g_strdup("1.0");
	it->reply = g_new0(struct item_reply, 1);
	it->reply->json = g_strdup("{}");
	it->receipt = g_new0(struct item_receipt, 1);
	it->receipt->status = g_strdup("read");
	it->call = g_new0(struct item_call, 1);
	it->call->event = g_strdup("connect");
	item_send_get(it)->outcome = g_strdup("held");
	item_review_add(it, "release", "ana");
	item_media_add(it)->caption = g_strdup("x");
	item_problem_add(it)->details = g_strdup("x");
	item_order_add(it)->price = g_strdup("1.50");
	item_fact_add(it, "a", "b");
	g_ptr_array_add(list, it);
	assert_int_equal(list->len, 1);
	item_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_kind_type_author_and_direction_has_its_own_lower_case_name),
		cmocka_unit_test(a_value_outside_of_an_enum_still_has_a_name),
		cmocka_unit_test(only_plain_messages_may_share_a_turn),
		cmocka_unit_test(lists_are_absent_until_something_is_added),
		cmocka_unit_test(an_item_with_everything_in_it_is_freed_whole),
	};

	return cmocka_run_group_tests_name("item", tests, NULL, NULL);
}
