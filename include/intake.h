/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a webhook request must prove. A verdict from its parts; no I/O.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct wa_secret;

struct intake_rules {
	const char *path;		/* "/webhook/whatsapp" */
	const GPtrArray *secrets;	/* struct wa_secret *, at least one */
	const char *verify_token;
};

struct intake_request {
	const char *method, *path;
	const char *signature;		/* X-Hub-Signature-256 or NULL */
	const char *mode, *challenge, *verify_token;	/* hub.* or NULL */
	const void *body;
	size_t len;
};

enum intake_verdict {
	INTAKE_RECORD,		/* store the body; 200 after the sync */
	INTAKE_CHALLENGE,	/* 200 with the challenge, nothing else */
	INTAKE_NOT_FOUND,	/* 404: not our path */
	INTAKE_METHOD,		/* 405 */
	INTAKE_UNSIGNED,	/* 401: no signature */
	INTAKE_BAD_SIGNATURE,	/* 401: no secret matches */
	INTAKE_BAD_TOKEN,	/* 403: handshake with a wrong token */
	INTAKE_BAD_REQUEST,	/* 400: handshake without mode or challenge,
				   empty body */
};

/* *secret is set (borrowed) for INTAKE_RECORD. */
enum intake_verdict intake_check(const struct intake_rules *rules,
    const struct intake_request *rq, const struct wa_secret **secret);

/* HTTP status and stable name ("bad-signature") of a verdict. */
int intake_verdict_status(enum intake_verdict v);
const char *intake_verdict_name(enum intake_verdict v);
