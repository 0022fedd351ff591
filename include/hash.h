/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, HMAC and their spellings. The only user of libcrypto's digests. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_SIZE 32
#define HASH_HEX_SIZE 65
#define HASH_B32_SIZE 27

void hash_sha256(const void *data, size_t len, uint8_t out[HASH_SIZE]);
void hash_hmac_sha256(const void *key, size_t key_len, const void *data,
    size_t len, uint8_t out[HASH_SIZE]);

/*
 * SHA-256 of what comes in pieces, such as a file that is never in memory as
 * a whole. hash_final() frees it; out may be NULL.
 */
struct hash;
struct hash *hash_new(void);
void hash_update(struct hash *h, const void *data, size_t len);
void hash_final(struct hash *h, uint8_t out[HASH_SIZE]);

/* The same of what a file has from its beginning; false with errno set. */
bool hash_file(int fd, uint8_t out[HASH_SIZE], int64_t *size);

/* Lower-case hex, NUL-terminated; returns out. */
char *hash_hex(const uint8_t digest[HASH_SIZE], char out[HASH_HEX_SIZE]);

/*
 * "ab/cd/<64 hex>", g_free() it: how a file is named by its content, below the
 * directory for such files.
 */
char *hash_path(const uint8_t digest[HASH_SIZE]);

/* Exactly 64 hex digits of either case; out is untouched by others. */
bool hash_parse_hex(const char *s, uint8_t out[HASH_SIZE]);
/* The same, or base64 of either alphabet, with or without its padding. */
bool hash_parse(const char *s, uint8_t out[HASH_SIZE]);

/* First 130 bits as 26 lower-case RFC 4648 base32 characters, for addresses. */
char *hash_base32(const uint8_t digest[HASH_SIZE], char out[HASH_B32_SIZE]);

/* Takes the same time whatever the bytes are. */
bool hash_equal(const void *a, const void *b, size_t len);

/*
 * SHA-256 over several strings, each preceded by its length as eight bytes,
 * most significant first, so that ("ab","c") and ("a","bc") differ. The list
 * ends with NULL.
 */
void hash_strings(uint8_t out[HASH_SIZE], const char *first, ...)
    __attribute__((sentinel));
