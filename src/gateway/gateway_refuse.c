/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a caller is told when nothing was sent, in the shape in which Graph
 * says it: a kit made for Graph reads it without knowing of us. Code and
 * is_transient are chosen so that it repeats what may be repeated, and nothing
 * else. Source: Meta, "WhatsApp Cloud API error codes".
 */
#include "gateway.h"

#include <string.h>

#include "gateway_int.h"
#include "text.h"

#define DETAILS_MAX 1000
#define TRACE_MAX 64

static const struct refusal {
	int status, code, subcode;
	bool is_transient;
	const char *message;
} refusals[] = {
	[GATEWAY_REFUSE_AUTH] = { 401, 190, 0, false,
		"Invalid OAuth access token - Cannot parse access token" },
	[GATEWAY_REFUSE_BUSINESS] = { 403, 10, 0, false,
		"(#10) Application does not have permission for this action" },
	[GATEWAY_REFUSE_EMPLOYEE] = { 400, 100, 0, false,
		"(#100) Invalid parameter" },
	[GATEWAY_REFUSE_JSON] = { 400, 100, 0, false,
		"(#100) Invalid parameter" },
	[GATEWAY_REFUSE_PATH] = { 404, 2500, 0, false,
		"Unknown path components" },
	[GATEWAY_REFUSE_METHOD] = { 405, 100, 0, false,
		"(#100) Unsupported method for this path" },
	[GATEWAY_REFUSE_POLICY] = { 403, 200, GATEWAY_SUBCODE_POLICY, false,
		"(#200) Not permitted by the policy of this business" },
	[GATEWAY_REFUSE_STORE] = { 503, 2, GATEWAY_SUBCODE_STORE, true,
		"(#2) Service temporarily unavailable" },
	[GATEWAY_REFUSE_BUSY] = { 429, 130429, 0, true,
		"(#130429) Rate limit hit" },
	[GATEWAY_REFUSE_BUSY_PAIR] = { 429, 131056, 0, true,
		"(#131056) (Business Account, Consumer Account) pair rate "
		"limit hit" },
	[GATEWAY_REFUSE_UNKNOWN] = { 502, 2, GATEWAY_SUBCODE_UNKNOWN, false,
		"(#2) The outcome is unknown: do not send it again" },
	[GATEWAY_REFUSE_UPSTREAM] = { 502, 2, 0, true,
		"(#2) Service temporarily unavailable" },
	[GATEWAY_REFUSE_JOURNAL] = { 503, 2, GATEWAY_SUBCODE_STORE, true,
		"(#2) Service temporarily unavailable" },
	[GATEWAY_REFUSE_REPEAT] = { 422, 100, 0, false,
		"(#100) Invalid parameter" },
	[GATEWAY_REFUSE_RUNNING] = { 409, 2, 0, true,
		"(#2) The request with this key is still under way" },
};
_Static_assert(G_N_ELEMENTS(refusals) == GATEWAY_REFUSALS,
    "each refusal has its words");

static void
put_clean(GString *out, const char *s)
{
	g_autofree char *clean = text_clean(s, strlen(s), TEXT_BLOCK,
	    DETAILS_MAX);

	gateway_json_put(out, clean);
}

int
gateway_refuse(enum gateway_refusal why, const char *details,
    const char *trace, GString *out)
{
	const struct refusal *r = &refusals[why];
	g_autofree char *id = text_clean_token(trace != NULL ? trace : "",
	    TRACE_MAX);

	g_string_append(out, "{\"error\":{\"message\":");
	gateway_json_put(out, r->message);
	g_string_append_printf(out, ",\"type\":\"OAuthException\","
	    "\"code\":%d", r->code);
	if (r->subcode != 0)
		g_string_append_printf(out, ",\"error_subcode\":%d",
		    r->subcode);
	g_string_append_printf(out, ",\"is_transient\":%s,\"error_data\":"
	    "{\"messaging_product\":\"whatsapp\",\"details\":",
	    r->is_transient ? "true" : "false");
	put_clean(out, details != NULL && *details != '\0' ? details :
	    r->message);
	g_string_append(out, "},\"fbtrace_id\":");
	gateway_json_put(out, id);
	g_string_append(out, "}}");
	return r->status;
}

int
gateway_held(const char *key, const char *to, GString *out)
{
	g_string_append(out, "{\"messaging_product\":\"whatsapp\","
	    "\"contacts\":[");
	if (to != NULL) {
		g_string_append(out, "{\"input\":");
		put_clean(out, to);
		g_string_append_c(out, '}');
	}
	g_string_append(out, "],\"messages\":[{\"id\":");
	put_clean(out, key);
	g_string_append(out, ",\"message_status\":\"held_for_review\"}]}");
	return 202;
}
