/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a webhook request must prove: a pure verdict from its parts.
 *
 * Nothing in here looks into the body. A POST is judged by its signature
 * alone and a GET by its token alone; what comes first tells a stranger
 * least (no signature at all is told apart from a wrong one only because
 * that is what a misconfigured proxy looks like).
 */
#include "intake.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "hash.h"
#include "wa.h"

static bool
is_given(const char *s)
{
	return s != NULL && *s != '\0';
}

/* Over digests, so that the time taken does not even tell the length. */
static bool
is_same_token(const char *a, const char *b)
{
	uint8_t da[HASH_SIZE], db[HASH_SIZE];

	if (!is_given(a) || !is_given(b))
		return false;
	hash_sha256(a, strlen(a), da);
	hash_sha256(b, strlen(b), db);
	return hash_equal(da, db, HASH_SIZE);
}

/* Meta, "Create a webhook endpoint": the verification request. */
static enum intake_verdict
check_handshake(const struct intake_rules *rules,
    const struct intake_request *rq)
{
	if (!is_given(rq->mode) || strcmp(rq->mode, "subscribe") != 0 ||
	    !is_given(rq->challenge))
		return INTAKE_BAD_REQUEST;
	if (!is_same_token(rules->verify_token, rq->verify_token))
		return INTAKE_BAD_TOKEN;
	return INTAKE_CHALLENGE;
}

static enum intake_verdict
check_event(const struct intake_rules *rules, const struct intake_request *rq,
    const struct wa_secret **secret)
{
	const struct wa_secret *match;

	if (!is_given(rq->signature))
		return INTAKE_UNSIGNED;
	match = wa_signature_check(rules->secrets, rq->signature, rq->body,
	    rq->len);
	if (match == NULL)
		return INTAKE_BAD_SIGNATURE;
	if (rq->len == 0)
		return INTAKE_BAD_REQUEST;
	*secret = match;
	return INTAKE_RECORD;
}

enum intake_verdict
intake_check(const struct intake_rules *rules,
    const struct intake_request *rq, const struct wa_secret **secret)
{
	if (rq->path == NULL || strcmp(rq->path, rules->path) != 0)
		return INTAKE_NOT_FOUND;
	if (strcmp(rq->method, "POST") == 0)
		return check_event(rules, rq, secret);
	if (strcmp(rq->method, "GET") == 0)
		return check_handshake(rules, rq);
	return INTAKE_METHOD;
}

static const struct {
	int status;
	const char *name;
} answers[] = {
	[INTAKE_RECORD] = { 200, "record" },
	[INTAKE_CHALLENGE] = { 200, "challenge" },
	[INTAKE_NOT_FOUND] = { 404, "not-found" },
	[INTAKE_METHOD] = { 405, "method" },
	[INTAKE_UNSIGNED] = { 401, "unsigned" },
	[INTAKE_BAD_SIGNATURE] = { 401, "bad-signature" },
	[INTAKE_BAD_TOKEN] = { 403, "bad-token" },
	[INTAKE_BAD_REQUEST] = { 400, "bad-request" },
};

int
intake_verdict_status(enum intake_verdict v)
{
	assert((size_t)v < G_N_ELEMENTS(answers));
	return answers[v].status;
}

const char *
intake_verdict_name(enum intake_verdict v)
{
	assert((size_t)v < G_N_ELEMENTS(answers));
	return answers[v].name;
}
