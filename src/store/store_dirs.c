/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories beside the databases, for what is too large for a row.
 * Nothing here knows which file belongs to what.
 */
#include "store.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "io.h"
#include "store_int.h"

static const char *const names[] = {
	[STORE_DIR_MEDIA] = "media", [STORE_DIR_MAIL] = "mail",
	[STORE_DIR_SPOOL] = "spool",
};

bool
store_dirs_make(const char *top, struct err *err)
{
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *dir = g_build_filename(top, names[i], NULL);

		if (!io_mkdir_all(dir, err))
			return false;
	}
	return io_dir_sync(top, err);
}

/* Only for a store in memory, which no daemon has: it has to work. */
static void
make_temporary(struct store_dirs *d)
{
	struct err err = ERR_INIT;
	bool ok;

	d->top = g_build_filename(g_get_tmp_dir(), "chatjournal-XXXXXX", NULL);
	ok = mkdtemp(d->top) != NULL && store_dirs_make(d->top, &err);
	assert(ok);
}

const char *
store_dir(struct store *st, enum store_dir which)
{
	struct store_dirs *d = &st->dirs;

	if (d->top == NULL)
		make_temporary(d);
	if (d->of[which] == NULL)
		d->of[which] = g_build_filename(d->top, names[which], NULL);
	return d->of[which];
}

/* ---- emptying ------------------------------------------------------------- */

/* All that is below the directory; it goes too when `itself`. */
static void
remove_below(int parent, const char *name, bool itself)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (d == NULL && fd >= 0)
		close(fd);
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, e->d_name, 0) != 0)
			remove_below(fd, e->d_name, true);
	}
	if (d != NULL)
		closedir(d);
	if (itself)
		unlinkat(parent, name, AT_REMOVEDIR);
}

void
store_dirs_clear(struct store_dirs *d)
{
	if (d->temporary && d->top != NULL)
		remove_below(AT_FDCWD, d->top, true);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		g_free(d->of[i]);
	g_free(d->top);
	*d = (struct store_dirs){ 0 };
}
