/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares field by field and part by part, as encoded lines may break in
 * other places where a number is shorter.
 */
#include "golden.h"

#include <string.h>

#include "err.h"
#include "io.h"
#include "mail_read.h"
#include "world.h"

#define GOLDEN_MAX (1 << 20)
/* Of the event: in tests/golden, and in a scenario with one event. */
#define GOLDEN_SEQ "1048576"
#define OUR_SEQ "1"

static char *
with_our_number(const char *s, size_t len)
{
	GString *out = g_string_new_len(s, (gssize)len);

	g_string_replace(out, GOLDEN_SEQ, OUR_SEQ, 0);
	return g_string_free(out, FALSE);
}

/* The boundary is made of the content, and so of the number. */
static bool
is_same(const char *got, const char *want)
{
	size_t n = strcspn(got, ";");

	if (strcmp(got, want) == 0)
		return true;
	return g_str_has_prefix(got, "multipart/") &&
	    strncmp(got, want, n + 1) == 0;
}

static void
compare_fields(struct world *w, const struct mail_part *got,
    const struct mail_part *want)
{
	if (got->names->len != want->names->len)
		world_fail(w, "it has %u fields, not %u", got->names->len,
		    want->names->len);
	for (guint i = 0; i < MIN(got->names->len, want->names->len); i++) {
		const char *value = want->values->pdata[i];
		g_autofree char *ours = with_our_number(value, strlen(value));

		if (strcmp(got->names->pdata[i], want->names->pdata[i]) != 0 ||
		    !is_same(got->values->pdata[i], ours))
			world_fail(w, "field %s: %s; accepted: %s: %s",
			    (char *)got->names->pdata[i],
			    (char *)got->values->pdata[i],
			    (char *)want->names->pdata[i], ours);
	}
}

static void
compare_content(struct world *w, const struct mail_part *got,
    const struct mail_part *want)
{
	gsize len, want_len;
	const char *data = g_bytes_get_data(got->content, &len);
	const char *accepted = g_bytes_get_data(want->content, &want_len);
	g_autofree char *ours = with_our_number(accepted, want_len);

	if (len != strlen(ours) || memcmp(data, ours, len) != 0)
		world_fail(w, "another %s: %.*s; accepted: %s", got->type,
		    (int)len, data, ours);
}

static void
compare_part(struct world *w, const struct mail_part *got,
    const struct mail_part *want)
{
	compare_fields(w, got, want);
	if (got->parts->len != want->parts->len)
		world_fail(w, "%s has %u parts, not %u", got->type,
		    got->parts->len, want->parts->len);
	else if (strcmp(got->type, "message/rfc822") == 0)
		return;		/* is compared by itself */
	else if (got->parts->len == 0)
		compare_content(w, got, want);
	else
		for (guint i = 0; i < got->parts->len; i++)
			compare_part(w, got->parts->pdata[i],
			    want->parts->pdata[i]);
}

void
golden_check(struct world *w, const struct world_mail *m, const char *name)
{
	g_autofree char *path = g_build_filename(w->srcdir, "tests", "golden",
	    name, NULL);
	g_autoptr(GBytes) bytes = NULL;
	struct err err = ERR_INIT;
	struct mail_part *want;
	const char *data;
	gsize len;

	if (!io_file_load(path, GOLDEN_MAX, &bytes, &err)) {
		world_fail(w, "%s", err.text);
		return;
	}
	data = g_bytes_get_data(bytes, &len);
	want = mail_read(data, len);
	compare_part(w, m->read, want);
	mail_part_free(want);
}
