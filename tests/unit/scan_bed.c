/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of scan share. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "err.h"
#include "scan_bed.h"

char *
scan_bed_show(const struct scan_result *r, const char *text)
{
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < r->hits->len; i++) {
		const struct scan_hit *h = &g_array_index(r->hits,
		    struct scan_hit, i);

		g_string_append(out, i > 0 ? " [" : "[");
		g_string_append_len(out, text + h->from,
		    (gssize)(h->to - h->from));
		g_string_append_c(out, ']');
	}
	for (guint i = 0; i < r->unsure->len; i++)
		g_string_append(out, out->len > 0 ? " unsure" : "unsure");
	return g_string_free(out, FALSE);
}

static char *
run(struct scan_set *set, const char *text, size_t len)
{
	struct scan_work *work = scan_work_new();
	struct scan_result r;
	char *out;

	assert_true(scan_set_seal(set, NULL));
	scan_result_init(&r);
	scan_run(set, work, text, len, &r);
	out = scan_bed_show(&r, text);
	scan_result_clear(&r);
	scan_work_free(work);
	scan_set_free(set);
	return out;
}

char *
scan_bed_find_bytes(const char *lines, const char *text, size_t len)
{
	struct scan_set *set = scan_set_new();
	struct err err = ERR_INIT;

	if (!scan_set_lexicon(set, "l", "l", lines, strlen(lines), NULL, NULL,
	    &err))
		fail_msg("%s", err.text);
	return run(set, text, len);
}

char *
scan_bed_find(const char *lines, const char *text)
{
	return scan_bed_find_bytes(lines, text, strlen(text));
}

char *
scan_bed_match(const char *regex, const char *text, size_t len)
{
	struct scan_set *set = scan_set_new();
	struct err err = ERR_INIT;

	if (!scan_set_pattern(set, "p", regex, &err))
		fail_msg("%s", err.text);
	return run(set, text, len);
}

char *
scan_bed_detect(enum scan_detector d, const char *text)
{
	struct scan_result r;
	char *out;

	scan_result_init(&r);
	scan_detect(1u << d, text, strlen(text), &r);
	out = scan_bed_show(&r, text);
	scan_result_clear(&r);
	return out;
}

void
scan_bed_same(char *got, const char *want)
{
	g_autofree char *owned = got;

	if (strcmp(owned, want) != 0)
		fail_msg("got: %s, want: %s", owned, want);
}
