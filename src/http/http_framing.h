/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is it certain where a request ends and whom it is for? What may stand in a
 * header? No I/O.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Headers of one request; see http_framing_verdict(). */
struct http_framing {
	const char *const *singles;
	unsigned seen;			/* one bit per name in singles */
	int hosts, lengths, codings;
	bool bad_name, bad_line, bad_host, bad_coding, doubled;
	bool in_place;			/* walk the head, too */
	const char *at, *end;
};

/*
 * Where MHD up to 0.9.77 has left the head, request line first, and the target
 * as it came.
 */
void http_framing_begin(struct http_framing *f, const char *head, size_t len,
    const char *target, const char *version);
void http_framing_add(struct http_framing *f, const char *name,
    const char *value);
/* NULL, or the line that tells the client what is ambiguous. */
const char *http_framing_verdict(struct http_framing *f, const char *version);

/* What a request line may name: no blank, no control character. */
bool http_is_target(const char *s);
/* Of a header: its name, and what may stand behind it; NULL is a value. */
bool http_is_token(const char *s);
bool http_is_field_value(const char *s);
