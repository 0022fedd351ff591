/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of the store, kept by SQLite in files, one view per role. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>

#include "err.h"
#include "store_contract.h"

static void
open_files(struct bed *b)
{
	g_autofree char *dir = g_dir_make_tmp("store-XXXXXX", NULL);
	g_autofree char *uri = g_strconcat("sqlite:", dir, NULL);
	struct err err = ERR_INIT;

	if (!store_prepare(uri, NULL, NULL, &err))
		fail_msg("%s: %s", err.what, err.text);
	for (int f = 0; f < STORE_FILES; f++) {
		if (!store_open(uri, f, &b->of[f], &err))
			fail_msg("%s: %s", err.what, err.text);
	}
	b->own = g_steal_pointer(&dir);
}

static void
remove_dir(const char *dir)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(d)) != NULL) {
		g_autofree char *path = g_build_filename(dir, name, NULL);

		g_unlink(path);
	}
	g_dir_close(d);
	g_rmdir(dir);
}

static void
close_files(struct bed *b)
{
	for (int f = 0; f < STORE_FILES; f++)
		store_close(b->of[f]);
	remove_dir(b->own);
	g_free(b->own);
}

int
main(void)
{
	static const struct bed_driver driver = { open_files, close_files };

	return store_contract_run("sqlite in files", &driver);
}
