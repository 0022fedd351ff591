/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature header. The first line of the input is the header, the rest the
 * body. Laws: a header that is accepted carries the HMAC of these bytes under
 * the very secret that is returned; the right header is always accepted; one
 * that is changed in one digit, or signs another body, never is.
 */
#include <assert.h>
#include <glib.h>
#include <string.h>

#include "fuzz.h"
#include "hash.h"
#include "wa.h"

static const char *const keys[] = { "first-secret", "", "k" };

static struct wa_secret *
secret_new(const char *key)
{
	struct wa_secret *s = g_new0(struct wa_secret, 1);

	s->name = g_strdup(key);
	s->key = g_bytes_new(key, strlen(key));
	return s;
}

static void
secret_free(void *arg)
{
	struct wa_secret *s = arg;

	g_free(s->name);
	g_bytes_unref(s->key);
	g_free(s);
}

static char *
sign(const char *key, const void *body, size_t len)
{
	uint8_t mac[HASH_SIZE];
	char hex[HASH_HEX_SIZE];

	hash_hmac_sha256(key, strlen(key), body, len, mac);
	return g_strconcat(WA_SIGNATURE_PREFIX, hash_hex(mac, hex), NULL);
}

/* A header from outside. */
static void
try_header(const GPtrArray *secrets, const char *header, const void *body,
    size_t len)
{
	const struct wa_secret *s = wa_signature_check(secrets, header, body,
	    len);
	g_autofree char *right = NULL;

	if (s == NULL)
		return;
	right = sign(s->name, body, len);
	assert(g_ascii_strcasecmp(header, right) == 0);
	assert(*s->name != '\0');	/* anyone can sign with nothing */
}

static void
try_right(const GPtrArray *secrets, guint i, const void *body, size_t len)
{
	const struct wa_secret *want = g_ptr_array_index(secrets, i);
	g_autofree char *header = sign(want->name, body, len);
	size_t digit = strlen(WA_SIGNATURE_PREFIX) + len % 64;

	if (*want->name == '\0')
		want = NULL;
	assert(wa_signature_check(secrets, header, body, len) == want);
	if (len > 0)
		assert(wa_signature_check(secrets, header, body, len - 1) ==
		    NULL);
	header[digit] = header[digit] == '0' ? '1' : '0';
	assert(wa_signature_check(secrets, header, body, len) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *nl = len > 0 ? memchr(data, '\n', len) : NULL;
	size_t first = nl != NULL ? (size_t)(nl - data) : len;
	g_autofree char *header = g_strndup((const char *)data, first);
	g_autoptr(GPtrArray) secrets =
	    g_ptr_array_new_with_free_func(secret_free);
	const void *body = nl != NULL ? (const void *)(nl + 1) : "";
	size_t left = nl != NULL ? len - first - 1 : 0;

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		g_ptr_array_add(secrets, secret_new(keys[i]));
	assert(wa_signature_check(secrets, NULL, body, left) == NULL);
	try_header(secrets, header, body, left);
	for (guint i = 0; i < secrets->len; i++)
		try_right(secrets, i, body, left);
	return 0;
}
