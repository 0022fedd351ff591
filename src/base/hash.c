/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 and HMAC through libcrypto. The algorithm objects are fetched once
 * per process: a fetch per call costs more than hashing a webhook.
 */
#include "hash.h"

#include <assert.h>
#include <errno.h>
#include <glib.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 65536

static EVP_MD *sha256;
static pthread_key_t ctx_key;	/* only to free the context of a thread */
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void
free_ctx(void *ctx)
{
	EVP_MD_CTX_free(ctx);
}

static void
fetch_once(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	assert(sha256 != NULL);
	if (pthread_key_create(&ctx_key, free_ctx) != 0)
		assert(!"no key for thread data is left");
}

static void
init(EVP_MD_CTX *ctx)
{
	assert(ctx != NULL);
	if (EVP_DigestInit_ex2(ctx, sha256, NULL) != 1)
		assert(!"SHA-256 is not available");
}

/* One context per thread, reused. */
static EVP_MD_CTX *
begin(void)
{
	static _Thread_local EVP_MD_CTX *ctx;

	pthread_once(&sha256_once, fetch_once);
	if (ctx == NULL) {
		ctx = EVP_MD_CTX_new();
		pthread_setspecific(ctx_key, ctx);
	}
	init(ctx);
	return ctx;
}

static void
add(EVP_MD_CTX *ctx, const void *data, size_t len)
{
	if (len > 0 && EVP_DigestUpdate(ctx, data, len) != 1)
		assert(!"SHA-256 failed");
}

static void
end(EVP_MD_CTX *ctx, uint8_t out[HASH_SIZE])
{
	if (EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		assert(!"SHA-256 failed");
}

void
hash_sha256(const void *data, size_t len, uint8_t out[HASH_SIZE])
{
	EVP_MD_CTX *ctx = begin();

	add(ctx, data, len);
	end(ctx, out);
}

struct hash {
	EVP_MD_CTX *ctx;
};

struct hash *
hash_new(void)
{
	struct hash *h = malloc(sizeof(*h));

	assert(h != NULL);
	pthread_once(&sha256_once, fetch_once);
	h->ctx = EVP_MD_CTX_new();
	init(h->ctx);
	return h;
}

void
hash_update(struct hash *h, const void *data, size_t len)
{
	add(h->ctx, data, len);
}

void
hash_final(struct hash *h, uint8_t out[HASH_SIZE])
{
	if (out != NULL)
		end(h->ctx, out);
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

bool
hash_file(int fd, uint8_t out[HASH_SIZE], int64_t *size)
{
	struct hash *h = hash_new();
	g_autofree char *buf = g_malloc(PIECE);
	int64_t at = 0;
	ssize_t n;

	while ((n = pread(fd, buf, PIECE, at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int e = errno;

			hash_final(h, NULL);
			errno = e;
			return false;
		}
		hash_update(h, buf, (size_t)n);
		at += n;
	}
	hash_final(h, out);
	*size = at;
	return true;
}

/* RFC 2104, on top of the fetched digest: no key object per call. */
void
hash_hmac_sha256(const void *key, size_t key_len, const void *data,
    size_t len, uint8_t out[HASH_SIZE])
{
	uint8_t block[64] = { 0 }, pad[64], inner[HASH_SIZE];
	EVP_MD_CTX *ctx;

	if (key_len > sizeof(block))
		hash_sha256(key, key_len, block);
	else if (key_len > 0)
		memcpy(block, key, key_len);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] = block[i] ^ 0x36;
	ctx = begin();
	add(ctx, pad, sizeof(pad));
	add(ctx, data, len);
	end(ctx, inner);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] = block[i] ^ 0x5c;
	ctx = begin();
	add(ctx, pad, sizeof(pad));
	add(ctx, inner, sizeof(inner));
	end(ctx, out);
	OPENSSL_cleanse(block, sizeof(block));
	OPENSSL_cleanse(pad, sizeof(pad));
}

char *
hash_hex(const uint8_t digest[HASH_SIZE], char out[HASH_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < HASH_SIZE; i++) {
		out[2 * i] = digits[digest[i] >> 4];
		out[2 * i + 1] = digits[digest[i] & 15];
	}
	out[2 * HASH_SIZE] = '\0';
	return out;
}

bool
hash_parse_hex(const char *s, uint8_t out[HASH_SIZE])
{
	if (strlen(s) != 2 * HASH_SIZE ||
	    strspn(s, "0123456789abcdefABCDEF") != 2 * HASH_SIZE)
		return false;
	for (size_t i = 0; i < HASH_SIZE; i++)
		out[i] = (uint8_t)(g_ascii_xdigit_value(s[2 * i]) << 4 |
		    g_ascii_xdigit_value(s[2 * i + 1]));
	return true;
}

/* Both alphabets; 43 digits hold 258 bits: the last two must be 0. */
static bool
parse_base64(const char *s, uint8_t out[HASH_SIZE])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	int have = 0, at = 0;

	for (int i = 0; i < 43; i++) {
		const char *d = strchr(digits, s[i] == '-' ? '+' :
		    s[i] == '_' ? '/' : s[i]);

		if (d == NULL)
			return false;
		bits = bits << 6 | (uint32_t)(d - digits);
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (at < HASH_SIZE)
			out[at++] = (uint8_t)(bits >> have);
	}
	return at == HASH_SIZE && (bits & 3) == 0;
}

bool
hash_parse(const char *s, uint8_t out[HASH_SIZE])
{
	uint8_t digest[HASH_SIZE];
	size_t len = strlen(s);

	if (len != 43 && (len != 44 || s[43] != '='))
		return hash_parse_hex(s, out);
	if (!parse_base64(s, digest))
		return false;
	memcpy(out, digest, HASH_SIZE);
	return true;
}

char *
hash_path(const uint8_t digest[HASH_SIZE])
{
	char hex[HASH_HEX_SIZE];

	hash_hex(digest, hex);
	return g_strdup_printf("%.2s/%.2s/%s", hex, hex + 2, hex);
}

char *
hash_base32(const uint8_t digest[HASH_SIZE], char out[HASH_B32_SIZE])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

	for (int i = 0; i < HASH_B32_SIZE - 1; i++) {
		int bit = i * 5;
		unsigned pair = (unsigned)digest[bit / 8] << 8 |
		    digest[bit / 8 + 1];

		out[i] = digits[pair >> (11 - bit % 8) & 31];
	}
	out[HASH_B32_SIZE - 1] = '\0';
	return out;
}

bool
hash_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

static void
add_string(EVP_MD_CTX *ctx, const char *s)
{
	uint64_t len = strlen(s);
	uint8_t be[8];

	for (int i = 0; i < 8; i++)
		be[i] = (uint8_t)(len >> (56 - 8 * i));
	add(ctx, be, sizeof(be));
	add(ctx, s, len);
}

void
hash_strings(uint8_t out[HASH_SIZE], const char *first, ...)
{
	EVP_MD_CTX *ctx = begin();
	va_list ap;

	va_start(ap, first);
	for (const char *s = first; s != NULL; s = va_arg(ap, const char *))
		add_string(ctx, s);
	va_end(ap);
	end(ctx, out);
}
