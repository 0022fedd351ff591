/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns: the first line is one, the rest a text. Law: whatever forms of
 * the pattern are kept for cheaper texts, and whatever is found out without a
 * search, the places are those that PCRE2 finds with the pattern as it is.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <assert.h>
#include <glib.h>
#include <pcre2.h>
#include <string.h>

#include "err.h"
#include "fuzz.h"
#include "scan.h"
#include "text.h"

#define LIMIT 2000
#define HITS_MAX 100

/* The places as "from-to ", or NULL when a limit was met. */
static char *
reference(const char *regex, const char *text, size_t len)
{
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data);
	PCRE2_SIZE start = 0;
	int code, rc = 1;
	pcre2_code *re = pcre2_compile((PCRE2_SPTR)regex, strlen(regex),
	    PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS | PCRE2_NEVER_BACKSLASH_C,
	    &code, &start, NULL);
	GString *out = g_string_new(NULL);

	assert(re != NULL);
	start = 0;
	pcre2_set_match_limit(context, LIMIT);
	pcre2_set_depth_limit(context, LIMIT);
	for (int n = 0; n < HITS_MAX && start <= len; n++) {
		rc = pcre2_match(re, (PCRE2_SPTR)text, len, start,
		    PCRE2_NO_UTF_CHECK, data, context);
		if (rc < 0 || at[0] > at[1])
			break;
		g_string_append_printf(out, "%zu-%zu ", at[0], at[1]);
		if (at[0] == at[1])
			break;
		if (at[1] > start)
			start = at[1];
		else
			start += g_utf8_skip[(uint8_t)text[start]];
	}
	pcre2_code_free(re);
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	return g_string_free(out, rc < 0 && rc != PCRE2_ERROR_NOMATCH);
}

/* Is each place of the first among those of the second? */
static bool
is_within(const char *some, const char *all)
{
	g_auto(GStrv) words = g_strsplit(some, " ", -1);
	g_autofree char *in = g_strconcat(" ", all, NULL);

	for (size_t i = 0; words[i] != NULL; i++) {
		g_autofree char *word = g_strconcat(" ", words[i], " ", NULL);

		if (*words[i] != '\0' && strstr(in, word) == NULL)
			return false;
	}
	return true;
}

/* Nothing but ASCII that is seen. */
static bool
is_ascii_only(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((uint8_t)s[i] >= 0x7f || (s[i] < ' ' &&
		    !g_ascii_isspace(s[i])))
			return false;
	}
	return true;
}

static void
try_text(const struct scan_set *set, const char *regex, const char *text,
    size_t len)
{
	struct scan_work *work = scan_work_new();
	g_autofree char *want = reference(regex, text, len);
	g_autoptr(GString) got = g_string_new(NULL);
	struct scan_result r;

	scan_result_init(&r);
	scan_run(set, work, text, len, &r);
	for (guint i = 0; i < r.hits->len; i++) {
		const struct scan_hit *h = &g_array_index(r.hits,
		    struct scan_hit, i);

		assert(h->from <= h->to && h->to <= len);
		g_string_append_printf(got, "%zu-%zu ", h->from, h->to);
	}
	/* Without what is not seen there may be more. */
	if (want != NULL && r.unsure->len == 0) {
		assert(is_within(want, got->str));
		assert(*want != '\0' || got->len == 0 ||
		    !is_ascii_only(text, len));
	}
	scan_result_clear(&r);
	scan_work_free(work);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *nl = len > 0 ? memchr(data, '\n', len) : NULL;
	size_t first = nl != NULL ? (size_t)(nl - data) : len;
	g_autofree char *regex = g_strndup((const char *)data, first);
	const char *text = nl != NULL ? (const char *)nl + 1 : "";
	size_t left = nl != NULL ? len - first - 1 : 0;
	struct scan_set *set = scan_set_new();
	struct err err = ERR_INIT;

	if (!scan_set_pattern(set, "p", regex, &err)) {
		assert(err.kind == ERR_CONF && *err.text != '\0');
	} else if (left <= 4096 && text_is_utf8(text, left)) {
		assert(scan_set_seal(set, NULL));
		try_text(set, regex, text, left);
	}
	scan_set_free(set);
	return 0;
}
