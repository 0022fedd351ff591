/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An upload: the first line of the input is a Content-Type, the rest a body.
 * Laws: the file found lies within the body, between two boundaries, and holds
 * none; its name and type are clean UTF-8.
 */
#include <assert.h>
#include <glib.h>
#include <string.h>

#include "err.h"
#include "fuzz.h"
#include "gateway.h"
#include "text.h"

static void
check_word(const char *s)
{
	if (s == NULL)
		return;
	assert(text_is_utf8(s, strlen(s)));
	for (; *s != '\0'; s++)
		assert((unsigned char)*s >= ' ' || *s == '\t');
}

static void
check_part(const struct gateway_part *p, const char *body, size_t len)
{
	const char *at = p->bytes;

	assert(at >= body && p->len <= len &&
	    at + p->len <= body + len);
	assert(body[0] == '-' && body[1] == '-');
	assert(at - body > 4 && memcmp(at - 4, "\r\n\r\n", 4) == 0);
	assert(memcmp(at + p->len, "\r\n--", 4) == 0);
	check_word(p->filename);
	check_word(p->type);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *nl = len > 0 ? memchr(data, '\n', len) : NULL;
	g_autofree char *type = NULL;
	struct gateway_part p;
	struct err err = ERR_INIT;

	if (nl == NULL)
		return 0;
	type = g_strndup((const char *)data, (gsize)(nl - data));
	len -= (size_t)(nl + 1 - data);
	if (gateway_part_find(type, nl + 1, len, &p, &err)) {
		check_part(&p, (const char *)nl + 1, len);
		gateway_part_clear(&p);
	} else {
		assert(err.kind == ERR_PERM &&
		    strcmp(err.what, "gateway.multipart") == 0);
	}
	return 0;
}
