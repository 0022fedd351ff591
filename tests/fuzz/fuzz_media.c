/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a virus scanner answers, and what a message declares of its file. The
 * first line of the input is a type, the second a digest, the third another
 * type, the rest a scanner's reply. Laws: only "stream: OK" to the letter is
 * clean; a name is one clean line; a type that is taken is two tokens, and as
 * itself it fits and is the best; a digest that is taken is that of its own
 * hexadecimal form.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "text.h"

#include "../../src/media/media_int.h"

static char *
take_line(const char **p, size_t *len)
{
	const char *nl = *len > 0 ? memchr(*p, '\n', *len) : NULL;
	size_t n = nl != NULL ? (size_t)(nl - *p) : *len;
	char *line = g_strndup(*p, n);

	*p += n;
	*len -= n;
	if (nl != NULL) {
		(*p)++;
		(*len)--;
	}
	return line;
}

static void
try_reply(const char *reply, size_t len)
{
	g_autofree char *text = NULL;
	enum media_reply r = media_clamd_parse(reply, len, &text);

	assert(text != NULL && text_is_utf8(text, strlen(text)));
	assert(strpbrk(text, "\r\n\t\x1b\x7f") == NULL);
	assert((r == REPLY_CLEAN) == (len == 10 &&
	    memcmp(reply, "stream: OK", 10) == 0));
	if (r == REPLY_INFECTED)
		assert(len > 14 && memcmp(reply + len - 6, " FOUND", 6) == 0);
}

static void
try_types(const char *a, const char *b)
{
	g_autofree char *declared = media_type_plain(a);
	g_autofree char *seen = media_type_plain(b);
	g_autofree char *again = NULL;
	const char *best;

	if (seen == NULL)
		return;
	assert(text_is_utf8(seen, strlen(seen)));
	assert(strpbrk(seen, " \t\r\n;\"") == NULL);
	assert(strchr(seen, '/') == strrchr(seen, '/'));
	again = media_type_plain(seen);
	assert(g_strcmp0(again, seen) == 0);
	assert(media_type_fits(seen, seen) && media_type_fits(NULL, seen));
	best = media_type_best(declared, seen);
	assert(best == seen || best == declared ||
	    strcmp(best, "application/octet-stream") == 0);
	assert(media_type_fits(declared, seen) || best != declared);
}

static void
try_digest(const char *s)
{
	uint8_t digest[HASH_SIZE], again[HASH_SIZE];
	char hex[HASH_HEX_SIZE];

	if (!hash_parse(s, digest))
		return;
	assert(strlen(s) == 64 || strlen(s) == 43 || strlen(s) == 44);
	assert(hash_parse(hash_hex(digest, hex), again));
	assert(memcmp(digest, again, HASH_SIZE) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *p = len > 0 ? (const char *)data : "";
	g_autofree char *declared = take_line(&p, &len);
	g_autofree char *sha256 = take_line(&p, &len);
	g_autofree char *seen = take_line(&p, &len);

	try_types(declared, seen);
	try_digest(sha256);
	try_reply(p, len);
	return 0;
}
