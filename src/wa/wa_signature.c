/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof that a webhook body comes from Meta: HMAC-SHA256 over the bytes
 * as received, with the app secret. Never looks into the body, never changes
 * it: Meta escapes "/" and non-ASCII characters in its own way, and any other
 * spelling of the same JSON has another digest.
 */
#include "wa.h"

#include <stdint.h>
#include <string.h>

#include "hash.h"

/* Exactly 64 hex digits after the prefix, and nothing after them. */
static bool
parse_header(const char *header, uint8_t out[HASH_SIZE])
{
	const size_t prefix = strlen(WA_SIGNATURE_PREFIX);

	if (header == NULL ||
	    strncmp(header, WA_SIGNATURE_PREFIX, prefix) != 0)
		return false;
	return hash_parse_hex(header + prefix, out);
}

const struct wa_secret *
wa_signature_check(const GPtrArray *secrets, const char *header,
    const void *body, size_t len)
{
	uint8_t claimed[HASH_SIZE], real[HASH_SIZE];

	if (!parse_header(header, claimed))
		return NULL;
	for (guint i = 0; i < secrets->len; i++) {
		const struct wa_secret *secret = secrets->pdata[i];
		gsize key_len;
		const void *key = g_bytes_get_data(secret->key, &key_len);

		/* Anyone can sign with an empty secret. */
		if (key_len == 0)
			continue;
		hash_hmac_sha256(key, key_len, body, len, real);
		if (hash_equal(claimed, real, HASH_SIZE))
			return secret;
	}
	return NULL;
}
