/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the gateway: a request, what became of it and, if it was made,
 * WhatsApp's answer, which alone ties the request to the wamid. What left is a
 * message of the business, what did not is an attempt; calls, groups and other
 * paths keep request and answer as facts. A record that is not understood is
 * shown raw; nothing here decides anything, the gateway has done so.
 */
#include "wa_record_int.h"

#include <string.h>

#include "clock.h"
#include "text.h"

#define RECORD_OBJECT "chatjournal_gateway"
#define RECORD_VERSION "1"
#define DEPTH_MORE 4	/* a record around a request of the greatest depth */
#define LATE_MS 1000	/* an answer later than that has its time shown */

/* gateway_outcome_name() */
static const struct wa_outcome outcomes[] = {
	{ "pending" }, { "accepted", true }, { "refused" }, { "blocked" },
	{ "held" }, { "rejected" }, { "expired" }, { "not-sent" },
	{ "unknown" }, { "reported", true },
};

/* ---- what every record has ------------------------------------------------- */

static const struct wa_outcome *
find_outcome(const char *name)
{
	for (size_t i = 0; name != NULL && i < G_N_ELEMENTS(outcomes); i++) {
		if (strcmp(outcomes[i].name, name) == 0)
			return &outcomes[i];
	}
	return NULL;
}

static bool
is_version(const char *part)
{
	return part[0] == 'v' && g_ascii_isdigit(part[1]);
}

static char *
take_part(const char *part)
{
	char *text = part != NULL && *part != '\0' ?
	    g_uri_unescape_string(part, NULL) : NULL;

	if (text != NULL && !text_is_utf8(text, strlen(text)))
		g_clear_pointer(&text, g_free);
	return text != NULL || part == NULL || *part == '\0' ? text :
	    g_strdup(part);
}

/* "/v25.0/ID/ENDPOINT/…?…"; the version may be left out. */
static void
read_target(struct wa_record *r)
{
	g_autofree char *target = wa_get_id(r->root, "target");
	g_auto(GStrv) parts = NULL;
	char **part;

	if (target == NULL || *target != '/')
		return;
	target[strcspn(target, "?#")] = '\0';
	parts = g_strsplit(target + 1, "/", 6);
	part = parts;
	if (*part != NULL && is_version(*part))
		part++;
	if (*part == NULL)
		return;
	r->id = take_part(part[0]);
	r->endpoint = take_part(part[1]);
}

bool
wa_record_is_message(const struct wa_record *r)
{
	return g_strcmp0(r->endpoint, "messages") == 0 ||
	    g_strcmp0(r->endpoint, "marketing_messages") == 0;
}

static void
read_business(struct wa_walk *w, const struct wa_record *r)
{
	json_object *business = wa_get_any(r->root, "business");
	g_autofree char *number = wa_get_id(business, "number");

	w->business.user_id = wa_get_id(business, "id");
	if (w->business.user_id == NULL && wa_record_is_message(r))
		w->business.user_id = g_strdup(r->id);
	w->business.number = wa_digits(number);
}

static enum item_author
find_author(json_object *root, const char *employee)
{
	g_autofree char *word = wa_get_text(root, "author");

	if (g_strcmp0(word, "bot") == 0)
		return ITEM_BOT;
	return employee != NULL ? ITEM_STAFF : ITEM_UNKNOWN_STAFF;
}

/* "ana, 2026-09-21T14:13:20Z: was called back", under what was done. */
static void
add_review(struct item *it, json_object *review, const char *path)
{
	g_autofree char *who = wa_get_id(review, "who");
	g_autofree char *verb = wa_get_id(review, "verb");
	g_autofree char *why = wa_get_id(review, "why");
	int64_t at = wa_get_time_ms(review, "at_ms");
	const struct wa_known known[] = { { "who", WA_TEXT },
		{ "verb", WA_TEXT }, { "why", WA_TEXT },
		{ "at_ms", wa_shape_if(at != 0) }, { NULL } };
	g_autoptr(GString) line = g_string_new(who);
	char iso[CLOCK_ISO_SIZE];

	wa_rest_add(it, path, review, known);
	if (at != 0)
		g_string_append_printf(line, "%s%s", line->len > 0 ? ", " : "",
		    clock_iso(at, 0, iso));
	if (why != NULL)
		g_string_append_printf(line, "%s%s", line->len > 0 ? ": " : "",
		    why);
	if (line->len > 0 || verb != NULL)
		item_review_add(it, verb != NULL ? verb : "review", line->str);
}

static void
read_send(struct wa_record *r)
{
	struct item_send *s = item_send_get(r->it);
	json_object *verdict = wa_get(r->root, "verdict", json_type_object);
	json_object *reviews = wa_get(r->root, "reviews", json_type_array);
	g_autofree char *status = wa_get_id(r->root, "status");

	s->key = wa_get_id(r->root, "send");
	s->outcome = wa_get_id(r->root, "outcome");
	s->application = wa_get_id(r->root, "application");
	s->employee = wa_get_id(r->root, "employee");
	if (g_strcmp0(status, "0") != 0)
		s->status = g_steal_pointer(&status);
	s->reason = wa_get_id(r->root, "reason");
	s->verdict = verdict != NULL ? wa_raw(verdict) : NULL;
	for (size_t i = 0; i < wa_length(reviews); i++) {
		g_autofree char *path = g_strdup_printf("reviews.%zu", i + 1);

		add_review(r->it, json_object_array_get_idx(reviews, i), path);
	}
}

/* When it was asked for; of a later record when it came to what it tells. */
static void
read_time(struct wa_record *r)
{
	r->received_ms = wa_get_time_ms(r->root, "received_ms");
	r->done_ms = wa_get_time_ms(r->root, "done_ms");
	r->is_later = wa_get_true(r->root, "was_recorded");
	r->it->at_ms = r->is_later && r->done_ms != 0 ? r->done_ms :
	    r->received_ms;
}

static void
add_times(struct wa_record *r)
{
	char iso[CLOCK_ISO_SIZE];

	if (r->it->at_ms != r->received_ms && r->received_ms != 0)
		item_fact_add(r->it, "gateway.received",
		    clock_iso(r->received_ms, 1, iso));
	else if (r->done_ms - r->received_ms >= LATE_MS)
		item_fact_add(r->it, "gateway.done",
		    clock_iso(r->done_ms, 1, iso));
}

/* False if it is not what an encoder makes of some bytes. */
static bool
decode(json_object *piece, GString *out)
{
	g_autofree char *base64 = json_object_is_type(piece,
	    json_type_string) ? wa_text(piece) : NULL;
	g_autofree unsigned char *bytes = NULL;
	g_autofree char *again = NULL;
	gsize len = 0;

	if (base64 == NULL || *base64 == '\0')
		return false;
	bytes = g_base64_decode(base64, &len);
	again = g_base64_encode(bytes, len);
	g_string_append_len(out, (const char *)bytes, (gssize)len);
	return strcmp(again, base64) == 0;
}

/* A body that is no JSON, in one string or several, as the text that it is. */
static bool
add_text(struct wa_record *r, const char *member, const char *name)
{
	json_object *o = wa_get_any(r->root, member);
	size_t len = MAX(wa_length(o), 1);
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; i < len; i++) {
		if (!decode(wa_length(o) > 0 ?
		    json_object_array_get_idx(o, i) : o, text))
			return false;
	}
	if (memchr(text->str, '\0', text->len) != NULL ||
	    !text_is_utf8(text->str, text->len))
		return false;
	item_fact_add(r->it, name, text->str);
	return true;
}

static enum wa_shape
shape_if_text(bool was_read)
{
	return was_read ? WA_ANY : WA_NONE;
}

static bool
is_post(const struct wa_record *r)
{
	g_autofree char *method = wa_get_text(r->root, "method");

	return g_strcmp0(method, "POST") == 0;
}

/* The path of a plain send says what the item says as well. */
static bool
is_plain(const struct wa_record *r)
{
	return g_strcmp0(r->endpoint, "messages") == 0 &&
	    g_strcmp0(r->id, r->it->business.user_id) == 0;
}

static void
add_rest(struct wa_record *r)
{
	const struct item_send *s = r->it->send;
	const bool request = add_text(r, "request_base64", "request");
	const bool sent = add_text(r, "sent_base64", "sent");
	const bool response = add_text(r, "response_base64", "response");
	const struct wa_known known[] = { { "object", WA_TEXT },
		{ "version", WA_TEXT }, { "send", WA_TEXT },
		{ "outcome", WA_TEXT }, { "was_recorded", WA_FLAG },
		{ "received_ms", wa_shape_if(r->received_ms != 0) },
		{ "done_ms", wa_shape_if(r->done_ms != 0) },
		{ "application", WA_TEXT }, { "author", WA_TEXT },
		{ "employee", WA_TEXT }, { "account", WA_TEXT },
		{ "business", WA_OBJECT }, { "method", wa_shape_if(is_post(r)) },
		{ "target", wa_shape_if(is_plain(r)) }, { "request", WA_OBJECT },
		{ "sent", WA_OBJECT }, { "response", WA_OBJECT },
		{ "request_base64", shape_if_text(request) },
		{ "sent_base64", shape_if_text(sent) },
		{ "response_base64", shape_if_text(response) },
		{ "status", WA_TEXT }, { "reason", WA_TEXT },
		{ "verdict", s->verdict != NULL ? WA_OBJECT : WA_NONE },
		{ "definition", WA_OBJECT }, { "reviews", WA_LIST },
		{ NULL } };

	add_times(r);
	wa_rest_add(r->it, "gateway", r->root, known);
}

/* ---- a record ------------------------------------------------------------------ */

static bool
is_known(const struct wa_record *r)
{
	g_autofree char *object = wa_get_text(r->root, "object");
	g_autofree char *version = wa_get_text(r->root, "version");

	return g_strcmp0(object, RECORD_OBJECT) == 0 &&
	    g_strcmp0(version, RECORD_VERSION) == 0 && r->outcome != NULL &&
	    r->it->send->key != NULL && r->id != NULL;
}

static char *
send_key(const struct wa_record *r, const char *outcome)
{
	const char *parts[] = { r->it->send->key, outcome };

	return wa_key("g", parts, G_N_ELEMENTS(parts));
}

/* What waited for a person was first of all held, else it was pending. */
static const char *
first_outcome(const struct wa_record *r)
{
	const struct item_send *s = r->it->send;

	return s->reviews != NULL || strcmp(s->outcome, "rejected") == 0 ||
	    strcmp(s->outcome, "expired") == 0 ? "held" : "pending";
}

static char *
message_key(const struct item *it, const char *id)
{
	const char *parts[] = { it->business.user_id, id };

	return id != NULL ? wa_key("m", parts, G_N_ELEMENTS(parts)) : NULL;
}

static char *
call_key(const struct item *it)
{
	const char *parts[] = { it->business.user_id, it->id, "connect" };

	return it->id != NULL ? wa_key("c", parts, G_N_ELEMENTS(parts)) : NULL;
}

static void
read_keys(struct wa_record *r)
{
	struct item *it = r->it;
	const char *answered = it->context != NULL ? it->context->id : NULL;

	if (wa_record_is_message(r) && wa_record_has_left(r))
		it->key = message_key(it, it->id);
	if (it->key == NULL)
		it->key = send_key(r, it->send->outcome);
	if (r->is_later)
		it->refers = send_key(r, first_outcome(r));
	else if (it->kind == ITEM_CALL)
		it->refers = call_key(it);
	else
		it->refers = message_key(it,
		    it->target != NULL ? it->target : answered);
}

static void
read_known(struct wa_record *r)
{
	wa_record_body_read(r);
	wa_record_answer_add(r);
	add_rest(r);
	read_keys(r);
}

static void
read_record(struct wa_record *r)
{
	struct item *it = r->it;

	read_send(r);
	read_time(r);
	it->direction = ITEM_SENT;
	it->author = find_author(r->root, it->send->employee);
	r->request = wa_get(r->root, "request", json_type_object);
	r->sent = wa_get(r->root, "sent", json_type_object);
	r->response = wa_get(r->root, "response", json_type_object);
	r->error = wa_get(r->response, "error", json_type_object);
	r->outcome = find_outcome(it->send->outcome);
	if (is_known(r)) {
		read_known(r);
		return;
	}
	wa_recipient_read(it, r->request, &wa_send_keys);
	it->note = g_strdup("a record of the gateway of a form that is not "
	    "known: shown raw");
}

static void
add_record(struct wa_walk *w, json_object *root)
{
	struct wa_record r = { .root = root };

	w->account = wa_get_id(root, "account");
	read_target(&r);
	read_business(w, &r);
	w->field = g_strdup(r.endpoint);
	r.it = wa_item_begin(w, root);
	read_record(&r);
	wa_item_end(w, "record", r.it);
	g_free(r.id);
	g_free(r.endpoint);
}

static void
add_body(struct wa_walk *w, const void *body, size_t len)
{
	struct item *it = wa_item_begin(w, NULL);

	g_free(it->raw);
	it->raw = g_strndup(body, len);
	it->note = g_strdup("a JSON object names a member twice; the other "
	    "items show only one of them: shown raw");
	wa_item_end(w, "body", it);
}

bool
wa_record_parse(const void *body, size_t len, const struct wa_limits *lim,
    GPtrArray **items, struct err *err)
{
	g_autoptr(GPtrArray) list = item_list_new();
	struct wa_walk w = { .items = list, .max_items = WA_ITEMS_DEFAULT };
	struct wa_limits wide = *lim;
	bool repeats = false;
	json_object *root;

	wide.max_depth += DEPTH_MORE;
	root = wa_json_read(body, len, &wide, &repeats, err);
	if (root == NULL)
		return false;
	add_record(&w, root);
	if (repeats)
		add_body(&w, body, len);
	json_object_put(root);
	g_free(w.account);
	g_free(w.field);
	item_party_clear(&w.business);
	*items = g_steal_pointer(&list);
	return true;
}

/* ---- a send of unknown outcome that did leave --------------------------------- */

struct item *
wa_resolved_item(const struct item *receipt)
{
	const char *mark = receipt->receipt != NULL ?
	    receipt->receipt->callback_data : NULL;
	const char *key[] = { NULL, "resolved" };
	const char *unknown[] = { NULL, "unknown" };
	struct item *it;

	if (mark == NULL || !g_str_has_prefix(mark, WA_CALLBACK_PREFIX) ||
	    mark[strlen(WA_CALLBACK_PREFIX)] == '\0' ||
	    receipt->target == NULL)
		return NULL;
	key[0] = unknown[0] = mark + strlen(WA_CALLBACK_PREFIX);
	it = item_new(ITEM_SYSTEM, ITEM_TYPE_RESOLVED);
	it->direction = ITEM_SENT;
	it->author = ITEM_NETWORK;
	it->network = g_strdup(WA_NETWORK);
	it->field = g_strdup(receipt->field);
	it->type_name = g_strdup(receipt->type_name);
	it->key = wa_key("g", key, G_N_ELEMENTS(key));
	it->refers = wa_key("g", unknown, G_N_ELEMENTS(unknown));
	it->target = g_strdup(receipt->target);
	it->at_ms = receipt->at_ms;
	it->account = g_strdup(receipt->account);
	wa_party_merge(&it->business, &receipt->business);
	wa_party_merge(&it->counterpart, &receipt->counterpart);
	it->group_id = g_strdup(receipt->group_id);
	item_send_get(it)->key = g_strdup(key[0]);
	it->raw = g_strdup(receipt->raw);
	return it;
}
