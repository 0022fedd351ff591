/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for src/wa in the test of intake until that module is there. */
#include <glib.h>
#include <string.h>

#include "hash.h"
#include "wa.h"

const struct wa_secret *
wa_signature_check(const GPtrArray *secrets, const char *header,
    const void *body, size_t len)
{
	for (guint i = 0; i < secrets->len; i++) {
		const struct wa_secret *s = secrets->pdata[i];
		uint8_t mac[HASH_SIZE];
		char hex[HASH_HEX_SIZE];
		gsize n;
		const void *key = g_bytes_get_data(s->key, &n);

		hash_hmac_sha256(key, n, body, len, mac);
		if (g_str_has_prefix(header, WA_SIGNATURE_PREFIX) &&
		    strcmp(header + 7, hash_hex(mac, hex)) == 0)
			return s;
	}
	return NULL;
}
