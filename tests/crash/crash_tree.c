/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Throwing stores away, and copying one that is prepared: to prepare one takes
 * longer than all that is tried on it.
 */
#include "crash_tree.h"

#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>

static int
remove_below(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type;
	return at->level == 0 ? 0 : remove(path);
}

void
crash_tree_empty(const char *dir)
{
	nftw(dir, remove_below, 8, FTW_DEPTH | FTW_PHYS);
}

void
crash_tree_remove(const char *dir)
{
	crash_tree_empty(dir);
	g_rmdir(dir);
}

static void
copy_file(const char *from, const char *to)
{
	g_autofree char *bytes = NULL;
	gsize len;

	if (g_file_test(from, G_FILE_TEST_IS_DIR))
		g_mkdir(to, 0700);
	else if (!g_file_get_contents(from, &bytes, &len, NULL) ||
	    !g_file_set_contents_full(to, bytes, (gssize)len,
	    G_FILE_SET_CONTENTS_NONE, 0600, NULL))
		exit(1);
}

void
crash_tree_copy(const char *from, const char *to)
{
	g_autoptr(GDir) d = g_dir_open(from, 0, NULL);
	const char *name;

	crash_tree_empty(to);
	g_mkdir(to, 0700);
	while ((name = g_dir_read_name(d)) != NULL) {
		g_autofree char *source = g_build_filename(from, name, NULL);
		g_autofree char *copy = g_build_filename(to, name, NULL);

		copy_file(source, copy);
	}
}
