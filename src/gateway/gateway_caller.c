/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who calls, and what he may. Tokens are compared by their digests, every one
 * of every application each time: how long it takes tells neither which token
 * was near nor how many bytes of it were right.
 */
#include "gateway.h"

#include <string.h>

#define AUTHORIZATION_MAX 4096
#define SCHEME "Bearer "
#define NAME_MAX_CHARS 64
#define IDEMPOTENCY_MAX 255

/* What stands behind "Bearer ", NULL if that is not what it is. */
static const char *
token_in(const char *authorization)
{
	const char *token;

	if (authorization == NULL ||
	    g_ascii_strncasecmp(authorization, SCHEME, strlen(SCHEME)) != 0 ||
	    strlen(authorization) > AUTHORIZATION_MAX)
		return NULL;
	token = authorization + strlen(SCHEME);
	/* RFC 6750 section 2.1: b64token. Nothing that is trimmed somewhere. */
	return *token != '\0' && strpbrk(token, " \t\r\n,") == NULL ? token :
	    NULL;
}

static bool
has_token(const struct gateway_application *app,
    const uint8_t digest[HASH_SIZE])
{
	bool found = false;

	for (guint i = 0; app->tokens != NULL && i < app->tokens->len; i++) {
		gsize len;
		const void *token = g_bytes_get_data(
		    g_ptr_array_index(app->tokens, i), &len);
		uint8_t mine[HASH_SIZE];

		hash_sha256(token != NULL ? token : "", len, mine);
		found |= hash_equal(mine, digest, HASH_SIZE) && len > 0;
	}
	return found;
}

static const struct gateway_application *
find_by_token(const GPtrArray *apps, const char *token)
{
	const struct gateway_application *found = NULL;
	uint8_t digest[HASH_SIZE];

	hash_sha256(token, strlen(token), digest);
	for (guint i = 0; i < apps->len; i++) {
		const struct gateway_application *app =
		    g_ptr_array_index(apps, i);

		if (has_token(app, digest) && found == NULL)
			found = app;
	}
	return found;
}

static const struct gateway_application *
find_by_client(const GPtrArray *apps, const char *client)
{
	for (guint i = 0; i < apps->len; i++) {
		const struct gateway_application *app =
		    g_ptr_array_index(apps, i);

		if (app->client_name != NULL &&
		    g_ascii_strcasecmp(app->client_name, client) == 0)
			return app;
	}
	return NULL;
}

static bool
has_no_tokens(const struct gateway_application *app)
{
	return app->tokens == NULL || app->tokens->len == 0;
}

const struct gateway_application *
gateway_caller(const GPtrArray *apps, const char *authorization,
    const char *client)
{
	const struct gateway_application *by_token = NULL, *by_client = NULL;
	const char *token = token_in(authorization);

	if (token != NULL)
		by_token = find_by_token(apps, token);
	if (client != NULL && *client != '\0')
		by_client = find_by_client(apps, client);
	if (by_token != NULL)
		return by_client == NULL || by_client == by_token ? by_token :
		    NULL;
	/* Kits for Graph cannot but send some token. It is of no meaning for
	   one that has none; for any other it is a wrong one. */
	if (by_client != NULL &&
	    (authorization == NULL || has_no_tokens(by_client)))
		return by_client;
	return NULL;
}

bool
gateway_is_limited(const struct gateway_application *app)
{
	return app->businesses != NULL && app->businesses->len > 0;
}

bool
gateway_may_use(const struct gateway_application *app,
    const char *phone_number_id)
{
	if (!gateway_is_limited(app))
		return true;
	for (guint i = 0; i < app->businesses->len; i++) {
		if (strcmp(g_ptr_array_index(app->businesses, i),
		    phone_number_id) == 0)
			return true;
	}
	return false;
}

bool
gateway_is_employee(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789._@-");

	return n > 0 && n <= NAME_MAX_CHARS && s[n] == '\0';
}

/* A quoted string is how the draft writes it, a bare one how most do. */
char *
gateway_idempotency_key(const char *header)
{
	size_t n = strlen(header);

	if (n >= 2 && header[0] == '"' && header[n - 1] == '"') {
		header++;
		n -= 2;
	}
	if (n == 0 || n > IDEMPOTENCY_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (header[i] <= ' ' || header[i] > '~' ||
		    header[i] == '"' || header[i] == '\\')
			return NULL;
	}
	return g_strndup(header, n);
}
