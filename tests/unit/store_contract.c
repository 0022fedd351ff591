/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the contract of the store against one driver. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "store_bed.h"

static const struct bed_driver *current;

static int
open_bed(void **state)
{
	struct bed *b = g_new0(struct bed, 1);

	current->open(b);
	*state = b;
	return 0;
}

static int
close_bed(void **state)
{
	current->close(*state);
	g_free(*state);
	return 0;
}

static void
add_group(GArray *all, const struct CMUnitTest *tests, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct CMUnitTest test = tests[i];

		test.setup_func = open_bed;
		test.teardown_func = close_bed;
		g_array_append_val(all, test);
	}
}

int
store_contract_run(const char *name, const struct bed_driver *driver)
{
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE,
	    sizeof(struct CMUnitTest));

	current = driver;
	add_group(all, store_contract_filing, store_contract_filing_n);
	add_group(all, store_contract_knowing, store_contract_knowing_n);
	add_group(all, store_contract_wanting, store_contract_wanting_n);
	add_group(all, store_contract_keeping, store_contract_keeping_n);
	add_group(all, store_contract_delivery, store_contract_delivery_n);
	add_group(all, store_contract_looking, store_contract_looking_n);
	add_group(all, store_contract_following, store_contract_following_n);
	add_group(all, store_contract_judging, store_contract_judging_n);
	add_group(all, store_contract_holding, store_contract_holding_n);
	add_group(all, store_contract_sending, store_contract_sending_n);
	add_group(all, store_contract_remembering,
	    store_contract_remembering_n);
	add_group(all, store_contract_redoing, store_contract_redoing_n);
	return _cmocka_run_group_tests(name,
	    (const struct CMUnitTest *)(void *)all->data, all->len, NULL, NULL);
}
