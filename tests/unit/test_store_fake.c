/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of the store, kept by the fake that other tests use. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "err.h"
#include "fake/store_memory.h"
#include "store_contract.h"

static void
open_fake(struct bed *b)
{
	struct err err = ERR_INIT;
	struct store *st;

	assert_true(store_prepare("fake:", NULL, NULL, &err));
	if (!store_open("fake:", STORE_ALL, &st, &err))
		fail_msg("%s: %s", err.what, err.text);
	for (int f = 0; f < STORE_FILES; f++)
		b->of[f] = st;
}

static void
close_fake(struct bed *b)
{
	store_close(b->of[0]);
}

int
main(void)
{
	static const struct bed_driver driver = { open_fake, close_fake };

	store_driver_register(&store_memory_driver);
	return store_contract_run("fake", &driver);
}
