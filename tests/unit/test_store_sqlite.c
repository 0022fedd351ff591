/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of the store, kept by SQLite in files, one view per role. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "err.h"
#include "store_bed.h"
#include "store_dirs.h"

/* Prepared once: that takes many syncs. Each test works on a copy. */
static char *template_dir;

static int
prepare_template(void)
{
	g_autofree char *uri = NULL;
	struct err err = ERR_INIT;

	template_dir = g_dir_make_tmp("store-XXXXXX", NULL);
	uri = g_strconcat("sqlite:", template_dir, NULL);
	if (store_prepare(uri, NULL, NULL, &err))
		return 0;
	print_message("# %s: %s\n", err.what, err.text);
	return 1;
}

static void
copy_template(const char *dir)
{
	for (int f = 0; f < STORE_FILES; f++) {
		static const char *const names[] = { "intake.db", "media.db",
			"build.db", "deliver.db", "admin.db",
			"gateway.db", "directory.db" };
		g_autofree char *from = g_build_filename(template_dir,
		    names[f], NULL);
		g_autofree char *to = g_build_filename(dir, names[f], NULL);
		g_autofree char *data = NULL;
		gsize len;

		assert_true(g_file_get_contents(from, &data, &len, NULL));
		assert_true(g_file_set_contents(to, data, (gssize)len, NULL));
	}
}

static void
open_files(struct bed *b)
{
	g_autofree char *dir = g_dir_make_tmp("store-XXXXXX", NULL);
	g_autofree char *uri = g_strconcat("sqlite:", dir, NULL);
	struct err err = ERR_INIT;

	copy_template(dir);
	assert_true(store_dirs_make(dir, &err));
	for (int f = 0; f < STORE_FILES; f++) {
		if (!store_open(uri, f, &b->of[f], &err))
			fail_msg("%s: %s", err.what, err.text);
	}
	b->own = g_steal_pointer(&dir);
}

static void
close_files(struct bed *b)
{
	for (int f = 0; f < STORE_FILES; f++)
		store_close(b->of[f]);
	remove_tree(b->own);
	g_free(b->own);
}

int
main(void)
{
	static const struct bed_driver driver = { open_files, close_files };
	int failed = prepare_template();

	if (failed == 0)
		failed = store_contract_run("sqlite in files", &driver);
	remove_tree(template_dir);
	g_free(template_dir);
	return failed;
}
