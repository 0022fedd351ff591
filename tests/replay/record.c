/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records as the gateway prints them, of few words; judged, where a scenario
 * wants it, by the same rules as the gateway's. And reviews, as chatjournal(1)
 * writes them.
 */
#include "record.h"

#include <json-c/json.h>
#include <string.h>

#include "conf.h"
#include "err.h"
#include "expect.h"
#include "gateway.h"
#include "io.h"
#include "item.h"
#include "policy.h"
#include "script.h"
#include "wa.h"
#include "world.h"

#define RECORD_MAX (64 << 20)
#define KEY_CHARS 32
#define BUSINESS_ID "700111222333444"
#define TARGET "/v25.0/" BUSINESS_ID "/messages"

char *
record_key(const char *name)
{
	uint8_t digest[HASH_SIZE];
	char hex[HASH_HEX_SIZE];

	hash_sha256(name, strlen(name), digest);
	return g_strndup(hash_hex(digest, hex), KEY_CHARS);
}

static void
put(json_object *o, const char *name, const char *value)
{
	if (value != NULL)
		json_object_object_add(o, name, json_object_new_string(value));
}

static json_object *
put_object(json_object *o, const char *name)
{
	json_object *child = json_object_new_object();

	json_object_object_add(o, name, child);
	return child;
}

/* Printed, and let go. */
static char *
take_text(json_object *o)
{
	char *text = g_strdup(json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));

	json_object_put(o);
	return text;
}

/* ---- request and answer -------------------------------------------------------- */

static char *
make_request(struct script_line *l)
{
	json_object *o = json_object_new_object(), *content;
	const char *type = script_get(l, "type");
	const char *reply = script_get(l, "reply");
	const char *text = script_take_text(l);
	g_autofree char *quoted = reply != NULL ? world_wamid(reply) : NULL;

	if (type == NULL)
		type = "text";
	put(o, "messaging_product", "whatsapp");
	put(o, "to", script_get(l, "to"));
	put(o, "recipient", script_get(l, "user"));
	put(o, "type", type);
	put(o, "biz_opaque_callback_data", script_get(l, "mark"));
	if (quoted != NULL)
		put(put_object(o, "context"), "message_id", quoted);
	content = put_object(o, type);
	put(content, strcmp(type, "text") == 0 ? "body" : "caption", text);
	put(content, "id", script_get(l, "media"));
	return take_text(o);
}

static char *
make_response(struct script_line *l, enum gateway_outcome outcome)
{
	json_object *o, *list, *m;
	const char *id = script_get(l, "id");
	g_autofree char *wamid = id != NULL ? world_wamid(id) : NULL;

	if (wamid == NULL && outcome != GATEWAY_REFUSED)
		return NULL;
	o = json_object_new_object();
	if (outcome == GATEWAY_REFUSED) {
		m = put_object(o, "error");
		put(m, "message", "Recipient not in allowed list");
		json_object_object_add(m, "code",
		    json_object_new_int(131030));
		return take_text(o);
	}
	list = json_object_new_array();
	m = json_object_new_object();
	put(m, "id", wamid);
	json_object_array_add(list, m);
	put(o, "messaging_product", "whatsapp");
	json_object_object_add(o, "messages", list);
	return take_text(o);
}

static char *
make_reviews(struct world *w, const char *who)
{
	json_object *list = json_object_new_array();
	json_object *o = json_object_new_object();

	put(o, "who", who);
	put(o, "verb", "release");
	json_object_object_add(o, "at_ms", json_object_new_int64(w->now_ms));
	put(o, "why", "called back");
	json_object_array_add(list, o);
	return take_text(list);
}

/* ---- what the gateway would have found ------------------------------------------ */

static char *
judge(struct world *w, const char *request, const char *employee)
{
	struct wa_limits limits = WA_LIMITS_DEFAULT;
	struct policy_input in = { .at_gateway = true, .now_ms = w->now_ms,
		.application = "crm", .employee = employee };
	g_autoptr(GString) json = g_string_new(NULL);
	struct policy_verdict *v;
	struct policy_work *work;
	struct policy *policy;
	struct err err = ERR_INIT;
	struct item *it = NULL;

	if (!wa_send_parse(request, strlen(request), &limits, NULL, &it,
	    &err) ||
	    !policy_new(w->conf->policy, NULL, NULL, &policy, &err)) {
		world_fail(w, "judging: %s", err.text);
		item_free(it);
		return NULL;
	}
	work = policy_work_new(policy);
	in.item = it;
	v = policy_judge(policy, work, &in, NULL);
	policy_verdict_print(v, json);
	policy_verdict_free(v);
	policy_work_free(work);
	policy_free(policy);
	item_free(it);
	return g_strdup(json->str);
}

/* ---- records ------------------------------------------------------------------------ */

struct parts {
	char *key, *request, *response, *verdict, *reviews;
};

static void
parts_clear(struct parts *p)
{
	g_free(p->key);
	g_free(p->request);
	g_free(p->response);
	g_free(p->verdict);
	g_free(p->reviews);
}

static const char *
word_or(struct script_line *l, const char *name, const char *usual)
{
	const char *value = script_get(l, name);

	return value != NULL ? value : usual;
}

static void
make_parts(struct world *w, struct script_line *l, struct parts *p,
    struct gateway_record *r)
{
	const char *verdict = script_get(l, "verdict");
	const char *who = script_get(l, "released-by");

	r->request = p->request = make_request(l);
	r->request_len = strlen(p->request);
	r->response = p->response = make_response(l, r->outcome);
	r->response_len = p->response != NULL ? strlen(p->response) : 0;
	r->status = p->response == NULL ? 0 :
	    r->outcome == GATEWAY_REFUSED ? 400 : 200;
	if (verdict != NULL && strcmp(verdict, "judged") != 0)
		p->verdict = g_strdup(verdict);
	else if (verdict != NULL)
		p->verdict = judge(w, p->request, r->employee);
	r->verdict = p->verdict;
	if (who != NULL)
		r->reviews = p->reviews = make_reviews(w, who);
}

static void
add_record(struct world *w, struct script_line *l, const char *name)
{
	struct parts parts = { .key = record_key(name) };
	struct gateway_record r = { .key = parts.key,
		.received_ms = w->now_ms, .done_ms = w->now_ms,
		.application = "crm", .author = word_or(l, "author", "staff"),
		.employee = script_get(l, "employee"), .remote = "192.0.2.9",
		.account = word_or(l, "account", "900100200300400"),
		.business_id = BUSINESS_ID, .business_number = "551140000001",
		.method = "POST", .target = TARGET,
		.reason = script_get(l, "reason") };
	const char *outcome = script_get(l, "outcome");
	g_autoptr(GString) body = g_string_new(NULL);

	r.was_recorded = g_strcmp0(script_get(l, "was-recorded"), "yes") == 0;
	if (strcmp(r.account, "none") == 0)
		r.account = NULL;
	if (outcome == NULL || !gateway_outcome_parse(outcome, &r.outcome)) {
		world_fail(w, "record %s of which outcome?", name);
	} else {
		make_parts(w, l, &parts, &r);
		gateway_record_print(&r, body);
		world_record(w, body->str, body->len);
	}
	parts_clear(&parts);
}

static void
add_file(struct world *w, const char *name)
{
	g_autofree char *path = g_build_filename(w->srcdir, "tests",
	    "records", name, NULL);
	g_autoptr(GBytes) body = NULL;
	struct err err = ERR_INIT;
	gsize len;
	const void *data;

	if (!io_file_load(path, RECORD_MAX, &body, &err)) {
		world_fail(w, "%s", err.text);
		return;
	}
	data = g_bytes_get_data(body, &len);
	world_record(w, data, len);
}

void
record_line(struct world *w, struct script_line *l)
{
	const char *name = script_take(l);

	if (name == NULL || !world_start(w))
		world_fail(w, "record what?");
	else if (g_str_has_suffix(name, ".json"))
		add_file(w, name);
	else
		add_record(w, l, name);
}

/* ---- officers -------------------------------------------------------------------------- */

void
review_line(struct world *w, struct script_line *l)
{
	const char *verb = script_take(l), *id = script_take(l);
	bool refused = g_strcmp0(script_take(l), "refused") == 0;
	struct store_review r = { .at_ms = w->now_ms, .verb = verb,
		.who = script_get(l, "by"), .why = script_get(l, "why") };
	struct err err = ERR_INIT;
	int64_t n;

	if (id == NULL || r.who == NULL) {
		world_fail(w, "review release|reject A by=WHO");
		return;
	}
	r.turn_id = expect_turn_of(w, id);
	store_begin(w->admin);
	store_review_add(w->admin, &r, &n);
	if (store_commit(w->admin, &err) == refused)
		world_fail(w, "the review was %s: %s", refused ? "taken" :
		    "refused", err.text);
}
