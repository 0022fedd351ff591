/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lexicon files and texts: up to a line "%%" the file, after it the text.
 * Laws: a file that is refused says why; hits lie within the text and in
 * order; a text of ASCII has exactly the hits that a plain search for words
 * finds; zero-width characters change nothing; detectors and hosts keep to
 * the text.
 */
#include <assert.h>
#include <glib.h>
#include <string.h>

#include "err.h"
#include "fuzz.h"
#include "scan.h"
#include "text.h"

/* ---- a plain search ------------------------------------------------------------ */

/* The words of s as " one two ": the plainest way to compare them. */
static char *
plain_words(const char *s, size_t len)
{
	GString *out = g_string_new(" ");

	for (size_t i = 0; i < len; i++) {
		if (g_ascii_isalnum(s[i]))
			g_string_append_c(out, g_ascii_tolower(s[i]));
		else if (out->str[out->len - 1] != ' ')
			g_string_append_c(out, ' ');
	}
	if (out->str[out->len - 1] != ' ')
		g_string_append_c(out, ' ');
	return g_string_free(out, FALSE);
}

static bool
is_plain(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!g_ascii_isalnum(s[i]) && s[i] != ' ')
			return false;
	}
	return len > 0;
}

static bool
is_printable(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((s[i] < ' ' && s[i] != '\n') || s[i] > '~')
			return false;
	}
	return true;
}

static size_t
count_plain(const char *text, const char *phrase)
{
	size_t n = 0;

	for (const char *s = strstr(text, phrase); s != NULL;
	    s = strstr(s + 1, phrase))
		n++;
	return n;
}

static size_t
count_hits(const struct scan_result *r, unsigned line)
{
	g_autofree char *id = g_strdup_printf("f:%u", line);
	size_t n = 0;

	for (guint i = 0; i < r->hits->len; i++)
		n += strcmp(g_array_index(r->hits, struct scan_hit, i).phrase,
		    id) == 0;
	return n;
}

static void
note_line(void *arg, const char *file, unsigned line, int level,
    const char *text)
{
	assert(strcmp(file, "f") == 0 && line > 0 && *text != '\0');
	assert(level == 0 || level == 1);
	g_hash_table_add(arg, GUINT_TO_POINTER(line));
}

/* What is said of a line (given twice) leaves it out. */
static void
compare_lines(const char *file, size_t len, GHashTable *said,
    const char *text, const struct scan_result *r)
{
	unsigned line = 0;

	for (size_t at = 0; at < len; at++) {
		const char *nl = memchr(file + at, '\n', len - at);
		size_t n = nl != NULL ? (size_t)(nl - file) - at : len - at;
		g_autofree char *phrase = NULL;

		line++;
		if (is_plain(file + at, n) && !g_hash_table_contains(said,
		    GUINT_TO_POINTER(line))) {
			phrase = plain_words(file + at, n);
			assert(strlen(phrase) == 1 || count_hits(r, line) ==
			    count_plain(text, phrase));
		}
		at += n;
	}
}

/* ---- laws of hits ---------------------------------------------------------------- */

static void
check_hits(const struct scan_result *r, const char *text, size_t len)
{
	bool is_utf8 = text_is_utf8(text, len);
	size_t last = 0;

	for (guint i = 0; i < r->hits->len; i++) {
		const struct scan_hit *h = &g_array_index(r->hits,
		    struct scan_hit, i);

		assert(h->from < h->to && h->to <= len && h->from >= last);
		assert(!is_utf8 || text_is_utf8(text + h->from,
		    h->to - h->from));
		assert(*h->name != '\0' && h->weight > 0);
		last = h->from;
	}
}

/* With a zero-width space behind each character. */
static char *
sprinkle(const char *text, size_t len)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < len; i++) {
		g_string_append_c(out, text[i]);
		if (i + 1 == len || ((uint8_t)text[i + 1] & 0xc0) != 0x80)
			g_string_append(out, "\xe2\x80\x8b");
	}
	return g_string_free(out, FALSE);
}

static guint
count_sprinkled(const struct scan_set *set, struct scan_work *work,
    const char *text, size_t len)
{
	g_autofree char *more = sprinkle(text, len);
	struct scan_result r;
	guint n;

	scan_result_init(&r);
	scan_run(set, work, more, strlen(more), &r);
	check_hits(&r, more, strlen(more));
	n = r.hits->len;
	scan_result_clear(&r);
	return n;
}

static void
try_text(const struct scan_set *set, const char *file, size_t file_len,
    GHashTable *said, const char *text, size_t len)
{
	struct scan_work *work = scan_work_new();
	struct scan_result r;

	scan_result_init(&r);
	scan_run(set, work, text, len, &r);
	check_hits(&r, text, len);
	assert(r.scripts == scan_scripts(text, len));
	if (is_printable(text, len) && r.hits->len < SCAN_HITS_MAX) {
		g_autofree char *words = plain_words(text, len);

		compare_lines(file, file_len, said, words, &r);
	}
	if (memchr(text, '\0', len) == NULL && text_is_utf8(text, len))
		assert(count_sprinkled(set, work, text, len) == r.hits->len);
	scan_result_clear(&r);
	scan_work_free(work);
}

static void
try_detectors(const char *text, size_t len)
{
	g_autoptr(GPtrArray) hosts = scan_hosts(text, len);
	struct scan_result r;

	scan_result_init(&r);
	scan_detect(~0u, text, len, &r);
	check_hits(&r, text, len);
	scan_result_clear(&r);
	for (guint i = 0; i < hosts->len; i++) {
		const char *host = g_ptr_array_index(hosts, i);

		assert(*host != '\0' && text_is_utf8(host, strlen(host)));
		assert(strpbrk(host, " /@\\\n") == NULL);
		assert(scan_host_is_under(host, host));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *file = (const char *)data;
	const char *end = g_strstr_len(file, (gssize)len, "\n%%\n");
	size_t file_len = end != NULL ? (size_t)(end - file) : len;
	const char *text = end != NULL ? end + 4 : "";
	size_t text_len = end != NULL ? len - file_len - 4 : 0;
	g_autoptr(GHashTable) said = g_hash_table_new(NULL, NULL);
	struct scan_set *set = scan_set_new();
	struct err err = ERR_INIT;

	if (scan_set_lexicon(set, "l", "f", file, file_len, note_line, said,
	    &err)) {
		assert(scan_set_seal(set, &err));
		try_text(set, file, file_len, said, text, text_len);
	} else {
		assert(err.kind == ERR_CONF && g_hash_table_size(said) > 0);
	}
	scan_set_free(set);
	try_detectors(text, text_len);
	return 0;
}
