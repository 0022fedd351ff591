/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The replay tests. Without arguments: every scenario tests/replay/NAME.scn
 * and every event in tests/events, under SRCDIR. With arguments: these files
 * only, and the log of the roles on standard error. Prints TAP.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver.h"
#include "log.h"
#include "play.h"

#define LEAST_FILES 160

static int failed, count;

static void
tell(bool ok, const char *sentence, const GString *complaints)
{
	g_auto(GStrv) lines = g_strsplit(complaints->str, "\n", -1);

	count++;
	failed += !ok;
	printf("%sok %d - %s\n", ok ? "" : "not ", count, sentence);
	for (size_t i = 0; lines[i] != NULL; i++) {
		if (*lines[i] != '\0')
			printf("# %s\n", lines[i]);
	}
	fflush(stdout);
}

static void
play(const char *srcdir, const char *path)
{
	g_autoptr(GString) complaints = g_string_new(NULL);
	g_autofree char *sentence = NULL;
	g_autofree char *name = g_path_get_basename(path);
	bool ok;

	if (g_str_has_suffix(path, ".scn")) {
		ok = play_script(srcdir, path, &sentence, complaints);
	} else {
		sentence = g_strconcat("everything in ", name, " stands in "
		    "its mails", NULL);
		ok = play_alone(srcdir, path, complaints);
	}
	tell(ok, sentence, complaints);
}

static gint
by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
add_files(GPtrArray *paths, const char *srcdir, const char *kind,
    const char *suffix)
{
	g_autofree char *path = g_build_filename(srcdir, "tests", kind, NULL);
	g_autoptr(GDir) d = g_dir_open(path, 0, NULL);
	guint before = paths->len;
	const char *name;

	while (d != NULL && (name = g_dir_read_name(d)) != NULL) {
		if (g_str_has_suffix(name, suffix))
			g_ptr_array_add(paths, g_build_filename(path, name,
			    NULL));
	}
	qsort(paths->pdata + before, paths->len - before, sizeof(gpointer),
	    by_name);
}

/* A test that finds nothing to do must not pass. */
static void
expect_all(const GPtrArray *paths)
{
	g_autoptr(GString) complaints = g_string_new(NULL);

	if (paths->len < LEAST_FILES)
		g_string_append_printf(complaints, "only %u files",
		    paths->len);
	tell(paths->len >= LEAST_FILES, "all scenarios and events were found",
	    complaints);
}

/* The roles log what they should; it is of no interest to TAP. */
static void
quiet(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		log_open_fd(fd, 0, LOG_LEVEL_ERROR);
}

int
main(int argc, char **argv)
{
	const char *env = getenv("SRCDIR");
	g_autofree char *srcdir = g_canonicalize_filename(
	    env != NULL ? env : ".", NULL);
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

	deliver_init();
	for (int i = 1; i < argc; i++)
		g_ptr_array_add(paths, g_strdup(argv[i]));
	if (argc == 1) {
		quiet();
		add_files(paths, srcdir, "replay", ".scn");
		add_files(paths, srcdir, "events", ".json");
		expect_all(paths);
	}
	for (guint i = 0; i < paths->len; i++)
		play(srcdir, paths->pdata[i]);
	printf("1..%d\n", count);
	return failed > 0;
}
