/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays a corpus through one fuzz target, without libFuzzer: fuzz_NAME runs
 * over tests/fuzz/corpus/NAME, over the directories that the file
 * tests/fuzz/corpus/NAME.also lists (one a line, from the top of the source),
 * or over those given as arguments. Each file is tried whole and cut short at
 * sixteen places. Prints TAP; a broken law aborts, which the plan gives away.
 */
#include <dirent.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "err.h"
#include "fuzz.h"
#include "io.h"

#define CUTS 16
#define INPUT_MAX (16 << 20)

/* An own block of exactly len bytes, so that reading past it is noticed. */
static void
try_bytes(const void *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (len > 0)
		memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static bool
replay_file(const char *path)
{
	g_autoptr(GBytes) bytes = NULL;
	struct err err = ERR_INIT;
	const void *data;
	gsize len;

	if (!io_file_load(path, INPUT_MAX, &bytes, &err)) {
		printf("# %s\n", err.text);
		return false;
	}
	data = g_bytes_get_data(bytes, &len);
	for (size_t i = 0; i < CUTS; i++)
		try_bytes(data, len * i / CUTS);
	try_bytes(data, len);
	return true;
}

static int
is_visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* All files under path, sorted, into files. */
static void
collect(const char *path, GPtrArray *files)
{
	struct dirent **entry;
	struct stat st;
	int n;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		g_ptr_array_add(files, g_strdup(path));
		return;
	}
	n = scandir(path, &entry, is_visible, alphasort);
	for (int i = 0; i < n; i++) {
		g_autofree char *child = g_strconcat(path, "/",
		    entry[i]->d_name, NULL);

		collect(child, files);
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
}

static void
collect_also(const char *srcdir, const char *corpus, GPtrArray *files)
{
	g_autofree char *list = g_strconcat(corpus, ".also", NULL);
	g_autoptr(GBytes) bytes = NULL;
	g_auto(GStrv) lines = NULL;

	if (!io_file_load(list, INPUT_MAX, &bytes, NULL))
		return;
	lines = g_strsplit(g_bytes_get_data(bytes, NULL), "\n", -1);
	for (size_t i = 0; lines[i] != NULL; i++) {
		g_autofree char *path = g_strconcat(srcdir, "/", lines[i],
		    NULL);

		if (*g_strstrip(lines[i]) != '\0')
			collect(path, files);
	}
}

static const char *
target_name(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');
	const char *name = slash != NULL ? slash + 1 : argv0;

	return g_str_has_prefix(name, "fuzz_") ? name + 5 : name;
}

int
main(int argc, char **argv)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
	const char *srcdir = getenv("SRCDIR") != NULL ? getenv("SRCDIR") : ".";
	const char *name = target_name(argv[0]);
	g_autofree char *corpus = g_strconcat(srcdir, "/tests/fuzz/corpus/",
	    name, NULL);
	int failed = 0;

	for (int i = 1; i < argc; i++)
		collect(argv[i], files);
	if (argc == 1) {
		collect(corpus, files);
		collect_also(srcdir, corpus, files);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);	/* an abort loses no line */
	printf("1..%u\n", files->len + 1);
	for (guint i = 0; i < files->len; i++) {
		const char *path = g_ptr_array_index(files, i);
		bool ok = replay_file(path);

		failed += !ok;
		printf("%s %u - %s holds its laws for %s\n",
		    ok ? "ok" : "not ok", i + 1, name,
		    g_str_has_prefix(path, srcdir) ?
		    path + strlen(srcdir) + 1 : path);
	}
	failed += files->len == 0;
	printf("%s %u - %s has a corpus to replay\n",
	    files->len > 0 ? "ok" : "not ok", files->len + 1, name);
	return failed > 0;
}
