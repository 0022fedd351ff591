/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the configuration share. */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "err.h"

/* The shortest configuration there is, on one line. */
#define MINIMAL "catch_all a; intake { app_secret_file /s; " \
	"verify_token_file /t; } render { domain d.example; } " \
	"graph { token_file /g; } " \
	"journal a { maildir /m; }\n"

static inline struct conf *
load_text(const char *text, GString *messages)
{
	struct conf *c = NULL;
	struct err err = ERR_INIT;

	if (conf_load_text("t", text, strlen(text), &c, messages, &err)) {
		assert_int_equal(err.kind, ERR_NONE);
		return c;
	}
	assert_null(c);
	assert_int_equal(err.kind, ERR_CONF);
	return NULL;
}

/* A directory of its own; the test removes it with drop_dir(). */
static inline char *
make_dir(void)
{
	char *dir = g_build_filename(g_get_tmp_dir(), "conf-test-XXXXXX",
	    NULL);

	assert_non_null(g_mkdtemp(dir));
	return dir;
}

static inline char *
put_file(const char *dir, const char *name, const char *text)
{
	char *path = g_build_filename(dir, name, NULL);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	return path;
}

static inline void
drop_dir(char *dir)
{
	const char *name;
	GDir *d = g_dir_open(dir, 0, NULL);

	while (d != NULL && (name = g_dir_read_name(d)) != NULL) {
		g_autofree char *path = g_build_filename(dir, name, NULL);

		g_remove(path);
	}
	if (d != NULL)
		g_dir_close(d);
	g_rmdir(dir);
	g_free(dir);
}

static inline char *
read_source(const char *name)
{
	g_autofree char *path = g_build_filename(getenv("SRCDIR"), name,
	    NULL);
	char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		fail_msg("cannot read %s", path);
	return text;
}
