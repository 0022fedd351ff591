/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of a send: what build reads, and what the journal shows. Bodies
 * stand in it byte for byte. One that is no JSON, or is deeper or longer than
 * the record's reader takes, is base64: what was sent decides nothing about
 * whether its record can be read.
 */
#include "gateway.h"

#include <inttypes.h>
#include <string.h>

#include "gateway_int.h"

/*
 * A string of the record is at most as long as its reader takes: longer bytes
 * are a list of such strings. A multiple of three, so that each of them ends
 * without padding but the last.
 */
#define BASE64_BYTES (3 * 256 * 1024 - 3)

static const char *const names[] = {
	[GATEWAY_PENDING] = "pending",
	[GATEWAY_ACCEPTED] = "accepted",
	[GATEWAY_REFUSED] = "refused",
	[GATEWAY_BLOCKED] = "blocked",
	[GATEWAY_OUTCOME_HELD] = "held",
	[GATEWAY_REJECTED] = "rejected",
	[GATEWAY_EXPIRED] = "expired",
	[GATEWAY_NOT_SENT] = "not-sent",
	[GATEWAY_OUTCOME_UNKNOWN] = "unknown",
	[GATEWAY_REPORTED] = "reported",
};
_Static_assert(G_N_ELEMENTS(names) == GATEWAY_OUTCOMES,
    "each outcome has its name");

const char *
gateway_outcome_name(enum gateway_outcome o)
{
	return names[o];
}

bool
gateway_outcome_parse(const char *name, enum gateway_outcome *out)
{
	for (int i = 0; i < GATEWAY_OUTCOMES; i++) {
		if (strcmp(names[i], name) == 0) {
			*out = (enum gateway_outcome)i;
			return true;
		}
	}
	return false;
}

/* In an object that has members already. */
static void
put_text(GString *out, const char *name, const char *value)
{
	if (value == NULL)
		return;
	g_string_append_printf(out, ",\"%s\":", name);
	gateway_json_put(out, value);
}

static void
put_time(GString *out, const char *name, int64_t ms)
{
	if (ms > 0)
		g_string_append_printf(out, ",\"%s\":%" PRId64, name, ms);
}

static void
put_piece(GString *out, const uint8_t *bytes, size_t len)
{
	g_autofree char *text = g_base64_encode(bytes, len);

	g_string_append_printf(out, "\"%s\"", text);
}

static void
put_base64(GString *out, const uint8_t *bytes, size_t len)
{
	if (len <= BASE64_BYTES) {
		put_piece(out, bytes, len);
		return;
	}
	for (size_t at = 0; at < len; at += BASE64_BYTES) {
		g_string_append_c(out, at == 0 ? '[' : ',');
		put_piece(out, bytes + at, MIN(len - at, BASE64_BYTES));
	}
	g_string_append_c(out, ']');
}

static void
put_body(GString *out, const char *name, const void *bytes, size_t len)
{
	const struct wa_limits limits = GATEWAY_LIMITS;

	if (bytes == NULL)
		return;
	if (wa_json_check(bytes, len, &limits, NULL)) {
		g_string_append_printf(out, ",\"%s\":", name);
		g_string_append_len(out, bytes, (gssize)len);
	} else {
		g_string_append_printf(out, ",\"%s_base64\":", name);
		put_base64(out, bytes, len);
	}
}

static void
put_json(GString *out, const char *name, const char *json)
{
	if (json != NULL)
		put_body(out, name, json, strlen(json));
}

static void
put_business(GString *out, const struct gateway_record *r)
{
	const char *comma = "";

	if (r->business_id == NULL && r->business_number == NULL)
		return;
	g_string_append(out, ",\"business\":{");
	if (r->business_id != NULL) {
		g_string_append(out, "\"id\":");
		gateway_json_put(out, r->business_id);
		comma = ",";
	}
	if (r->business_number != NULL) {
		g_string_append_printf(out, "%s\"number\":", comma);
		gateway_json_put(out, r->business_number);
	}
	g_string_append_c(out, '}');
}

static bool
is_changed(const struct gateway_record *r)
{
	return r->sent != NULL && (r->request == NULL ||
	    r->sent_len != r->request_len ||
	    memcmp(r->sent, r->request, r->sent_len) != 0);
}

static void
put_exchange(GString *out, const struct gateway_record *r)
{
	put_text(out, "method", r->method);
	put_text(out, "target", r->target);
	put_body(out, "request", r->request, r->request_len);
	if (is_changed(r))
		put_body(out, "sent", r->sent, r->sent_len);
	if (r->status != 0)
		g_string_append_printf(out, ",\"status\":%d", r->status);
	put_body(out, "response", r->response, r->response_len);
}

void
gateway_record_print(const struct gateway_record *r, GString *out)
{
	g_string_append(out, "{\"object\":\"" GATEWAY_OBJECT "\","
	    "\"version\":1");
	put_text(out, "send", r->key);
	put_text(out, "outcome", gateway_outcome_name(r->outcome));
	g_string_append_printf(out, ",\"was_recorded\":%s",
	    r->was_recorded ? "true" : "false");
	put_time(out, "received_ms", r->received_ms);
	put_time(out, "done_ms", r->done_ms);
	put_text(out, "application", r->application);
	put_text(out, "author", r->author);
	put_text(out, "employee", r->employee);
	put_text(out, "remote", r->remote);
	put_text(out, "account", r->account);
	put_business(out, r);
	put_exchange(out, r);
	put_json(out, "verdict", r->verdict);
	put_json(out, "definition", r->definition);
	put_text(out, "reason", r->reason);
	put_json(out, "reviews", r->reviews);
	g_string_append_c(out, '}');
}
