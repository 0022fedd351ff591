/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the gateway: a request, what became of it and, if it was made,
 * WhatsApp's answer, which alone ties the request to the wamid. What left is a
 * message of the business, what did not is an attempt; calls, groups and other
 * paths keep request and answer as facts. A record that is not understood is
 * shown raw; nothing here decides anything, the gateway has done so.
 */
#include "wa_event_int.h"
#include "wa_content_int.h"

#include <string.h>

#include "clock.h"
#include "text.h"

#define RECORD_OBJECT "chatjournal_gateway"
#define RECORD_VERSION "1"
#define DEPTH_MORE 4	/* a record around a request of the greatest depth */
#define LATE_MS 1000	/* an answer later than that has its time shown */

/* gateway_outcome_name(); leaves: it is in the customer's chat. */
static const struct outcome {
	const char *name;
	bool leaves;
} outcomes[] = {
	{ "pending" }, { "accepted", true }, { "refused" }, { "blocked" },
	{ "held" }, { "rejected" }, { "expired" }, { "not-sent" },
	{ "unknown" }, { "reported", true },
};

struct record {
	struct item *it;
	json_object *root;
	json_object *request, *sent, *response;	/* objects, else NULL */
	json_object *error;	/* of the response, or NULL */
	const struct outcome *outcome;	/* NULL: not known */
	char *id, *endpoint;	/* of the target; may be NULL */
	bool is_later;		/* an earlier record has this send */
	int64_t received_ms, done_ms;
};

/* ---- what every record has ------------------------------------------------- */

static const struct outcome *
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
read_target(struct record *r)
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

static bool
is_sending(const struct record *r)
{
	return g_strcmp0(r->endpoint, "messages") == 0 ||
	    g_strcmp0(r->endpoint, "marketing_messages") == 0;
}

static void
read_business(struct wa_walk *w, const struct record *r)
{
	json_object *business = wa_get_any(r->root, "business");
	g_autofree char *number = wa_get_id(business, "number");

	w->business.user_id = wa_get_id(business, "id");
	if (w->business.user_id == NULL && is_sending(r))
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
		{ "at_ms", at != 0 ? WA_TEXT : WA_NONE }, { NULL } };
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
read_send(struct record *r)
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
read_time(struct record *r)
{
	r->received_ms = wa_get_time_ms(r->root, "received_ms");
	r->done_ms = wa_get_time_ms(r->root, "done_ms");
	r->is_later = wa_get_true(r->root, "was_recorded");
	r->it->at_ms = r->is_later && r->done_ms != 0 ? r->done_ms :
	    r->received_ms;
}

static void
add_times(struct record *r)
{
	char iso[CLOCK_ISO_SIZE];

	if (r->it->at_ms != r->received_ms && r->received_ms != 0)
		item_fact_add(r->it, "gateway.received",
		    clock_iso(r->received_ms, 1, iso));
	else if (r->done_ms - r->received_ms >= LATE_MS)
		item_fact_add(r->it, "gateway.done",
		    clock_iso(r->done_ms, 1, iso));
}

/* What is no JSON, as the text it is, if it is any; else as it stands. */
static bool
add_text(struct record *r, const char *member, const char *name)
{
	g_autofree char *base64 = wa_get_id(r->root, member);
	g_autofree unsigned char *bytes = NULL;
	g_autofree char *text = NULL;
	gsize len = 0;

	if (base64 == NULL)
		return false;
	bytes = g_base64_decode(base64, &len);
	if (len == 0 || memchr(bytes, '\0', len) != NULL ||
	    !text_is_utf8(bytes, len))
		return false;
	text = g_strndup((const char *)bytes, len);
	item_fact_add(r->it, name, text);
	return true;
}

static enum wa_shape
shape_if(bool was_read)
{
	return was_read ? WA_TEXT : WA_NONE;
}

static bool
is_post(const struct record *r)
{
	g_autofree char *method = wa_get_text(r->root, "method");

	return g_strcmp0(method, "POST") == 0;
}

/* The path of a plain send says what the item says as well. */
static bool
is_plain(const struct record *r)
{
	return g_strcmp0(r->endpoint, "messages") == 0 &&
	    g_strcmp0(r->id, r->it->business.user_id) == 0;
}

static void
add_rest(struct record *r)
{
	const struct item_send *s = r->it->send;
	const bool request = add_text(r, "request_base64", "request");
	const bool sent = add_text(r, "sent_base64", "sent");
	const bool response = add_text(r, "response_base64", "response");
	const struct wa_known known[] = { { "object", WA_TEXT },
		{ "version", WA_TEXT }, { "send", WA_TEXT },
		{ "outcome", WA_TEXT }, { "was_recorded", WA_FLAG },
		{ "received_ms", shape_if(r->received_ms != 0) },
		{ "done_ms", shape_if(r->done_ms != 0) },
		{ "application", WA_TEXT }, { "author", WA_TEXT },
		{ "employee", WA_TEXT }, { "account", WA_TEXT },
		{ "business", WA_OBJECT }, { "method", shape_if(is_post(r)) },
		{ "target", shape_if(is_plain(r)) }, { "request", WA_OBJECT },
		{ "sent", WA_OBJECT }, { "response", WA_OBJECT },
		{ "request_base64", shape_if(request) },
		{ "sent_base64", shape_if(sent) },
		{ "response_base64", shape_if(response) },
		{ "status", WA_TEXT }, { "reason", WA_TEXT },
		{ "verdict", s->verdict != NULL ? WA_OBJECT : WA_NONE },
		{ "definition", WA_OBJECT }, { "reviews", WA_LIST },
		{ NULL } };

	add_times(r);
	wa_rest_add(r->it, "gateway", r->root, known);
}

/* ---- the answer -------------------------------------------------------------- */

static json_object *
first_of(json_object *o, const char *key)
{
	json_object *list = wa_get(o, key, json_type_array);

	return wa_length(list) > 0 ? json_object_array_get_idx(list, 0) : NULL;
}

static char *
path_in(const char *list, size_t len, size_t i)
{
	return len > 1 ? g_strdup_printf("response.%s.%zu", list, i + 1) :
	    g_strconcat("response.", list, NULL);
}

/* The number as it was asked for is a fact of the request. */
static bool
is_fact(const struct item *it, const char *value)
{
	for (guint i = 0; it->facts != NULL && i < it->facts->len; i++) {
		const struct item_fact *f = it->facts->pdata[i];

		if (strcmp(f->name, "to") == 0 && strcmp(f->value, value) == 0)
			return true;
	}
	return false;
}

static enum wa_shape
shape_of_person(const struct item *it, json_object *contact, const char *key)
{
	g_autofree char *id = wa_get_id(contact, key);

	return shape_if(id != NULL && (wa_names(it, id) || is_fact(it, id) ||
	    g_strcmp0(it->counterpart.username, id) == 0));
}

static void
add_contacts(struct item *it, json_object *response)
{
	json_object *list = wa_get(response, "contacts", json_type_array);
	size_t len = wa_length(list);

	for (size_t i = 0; i < len; i++) {
		json_object *o = json_object_array_get_idx(list, i);
		g_autofree char *path = path_in("contacts", len, i);
		const struct wa_known known[] = {
			{ "input", shape_of_person(it, o, "input") },
			{ "wa_id", shape_of_person(it, o, "wa_id") },
			{ "user_id", shape_of_person(it, o, "user_id") },
			{ "parent_user_id",
			    shape_of_person(it, o, "parent_user_id") },
			{ "username", shape_of_person(it, o, "username") },
			{ NULL } };

		wa_rest_add(it, path, o, known);
	}
}

/* Of the elements of a list only the first has the item's id. */
static void
add_named(struct item *it, json_object *response, const char *key)
{
	json_object *list = wa_get(response, key, json_type_array);
	size_t len = wa_length(list);

	for (size_t i = 0; i < len; i++) {
		json_object *o = json_object_array_get_idx(list, i);
		g_autofree char *path = path_in(key, len, i);
		g_autofree char *id = wa_get_id(o, "id");
		g_autofree char *word = wa_get_text(o, "message_status");
		const struct wa_known known[] = {
			{ "id", shape_if(g_strcmp0(id, it->id) == 0) },
			{ "message_status",
			    shape_if(g_strcmp0(word, it->send->outcome) == 0) },
			{ NULL } };

		wa_rest_add(it, path, o, known);
	}
}

static void
add_response(struct record *r)
{
	static const struct wa_known known[] = {
		{ "messaging_product", WA_TEXT }, { "contacts", WA_LIST },
		{ "messages", WA_LIST }, { "calls", WA_LIST },
		{ "error", WA_OBJECT }, { NULL } };

	if (r->error != NULL)
		wa_problem_read(r->it, r->error);
	wa_rest_add(r->it, "response", r->response, known);
	add_contacts(r->it, r->response);
	add_named(r->it, r->response, "messages");
	add_named(r->it, r->response, "calls");
}

/* ---- messages ---------------------------------------------------------------- */

/* The members of o that are others in the one compared with, or not there. */
static json_object *
difference(json_object *o, json_object *with, const char *said)
{
	json_object *out = NULL;

	json_object_object_foreach(o, key, member) {
		json_object *other = wa_get_any(with, key);
		g_autofree char *text = wa_text(member);
		json_object *part;

		if (json_object_equal(member, other) ||
		    (text != NULL && g_strcmp0(text, said) == 0))
			continue;
		part = json_object_is_type(member, json_type_object) &&
		    json_object_is_type(other, json_type_object) ?
		    difference(member, other, said) : json_object_get(member);
		if (out == NULL)
			out = json_object_new_object();
		json_object_object_add(out, key, part);
	}
	return out;
}

/* What staff asked for where policy sent another thing. */
static void
add_request_before(struct record *r)
{
	auto_item *before = item_new(ITEM_NOTICE, ITEM_TYPE_UNKNOWN);
	json_object *rest;

	if (r->sent == NULL || r->request == NULL)
		return;
	if (wa_request_read(before, r->request, NULL) && before->text != NULL &&
	    g_strcmp0(before->text, r->it->text) != 0)
		r->it->send->text_before = g_strdup(before->text);
	rest = difference(r->request, r->sent, r->it->send->text_before);
	if (rest != NULL)
		wa_rest_add(r->it, "request", rest, NULL);
	json_object_put(rest);
}

/* The gateway's own mark says no more than the send's key. */
static void
drop_mark(json_object *body, const char *key)
{
	g_autofree char *mark = wa_get_text(body, "biz_opaque_callback_data");
	g_autofree char *own = g_strconcat(WA_CALLBACK_PREFIX, key, NULL);

	if (g_strcmp0(mark, own) == 0)
		json_object_object_del(body, "biz_opaque_callback_data");
}

/* By the network's own ids first: it may spell a number in another way. */
static void
read_person(struct record *r, json_object *body)
{
	g_autofree char *kind = wa_get_text(body, "recipient_type");

	if (g_strcmp0(kind, "group") != 0)
		wa_party_read(&r->it->counterpart,
		    first_of(r->response, "contacts"), &wa_plain_keys);
}

/* Of what others report their answer tells whether it did. */
static bool
has_left(const struct record *r)
{
	const char *status = r->it->send->status;

	if (!r->outcome->leaves || first_of(r->response, "messages") != NULL)
		return r->outcome->leaves;
	return r->error == NULL && (status == NULL || *status == '2');
}

static void
become(struct record *r, bool understood, json_object *body)
{
	struct item *it = r->it;
	g_autofree char *note = g_steal_pointer(&it->note);

	if (!has_left(r)) {
		it->kind = ITEM_ATTEMPT;
		it->note = g_strdup(note);
		if (!understood && body != NULL)
			wa_request_rest_add(it, body, NULL);
	} else if (!understood) {
		it->note = g_strconcat(note, ": shown raw", NULL);
	}
}

static void
read_message(struct record *r)
{
	json_object *body = r->sent != NULL ? r->sent : r->request;
	json_object *definition = wa_get(r->root, "definition",
	    json_type_object);
	struct item *it = r->it;
	bool understood = false;

	if (definition != NULL)
		wa_definition_trim(definition);
	if (body != NULL) {
		drop_mark(body, it->send->key);
		read_person(r, body);
		understood = wa_request_read(it, body, definition);
	} else {
		it->note = g_strdup("a message without a type");
	}
	become(r, understood, body);
	add_request_before(r);
	it->id = wa_get_id(first_of(r->response, "messages"), "id");
}

/* ---- what else goes through -------------------------------------------------- */

static void
add_request(struct record *r, const struct wa_known *known)
{
	static const char *const people[] = { "to", "recipient", NULL };

	wa_rest_add(r->it, "request", r->sent != NULL ? r->sent : r->request,
	    known);
	wa_people_add(r->it, r->request, people);
	if (r->sent != NULL)
		add_request_before(r);
}

static void
read_call(struct record *r)
{
	/* The session tells addresses of a phone: it is in the raw JSON. */
	static const struct wa_known known[] = { { "to", WA_TEXT },
		{ "recipient", WA_TEXT }, { "action", WA_TEXT },
		{ "messaging_product", WA_TEXT }, { "call_id", WA_TEXT },
		{ "session", WA_ANY }, { "connection", WA_ANY }, { NULL } };
	static const struct wa_word words[] = {
		{ "connect", ITEM_TYPE_CALL_CONNECT },
		{ "reject", ITEM_TYPE_CALL_TERMINATE },
		{ "terminate", ITEM_TYPE_CALL_TERMINATE }, { NULL } };
	struct item *it = r->it;
	g_autofree char *call = wa_get_id(r->request, "call_id");

	it->kind = ITEM_CALL;
	it->type_name = wa_get_id(r->request, "action");
	it->type = wa_word_find(words, it->type_name, ITEM_TYPE_CALL_STATUS);
	it->id = wa_get_id(first_of(r->response, "calls"), "id");
	if (it->id == NULL)
		it->id = g_strdup(call);
	it->call = g_new0(struct item_call, 1);
	it->call->event = g_strdup(it->type_name);
	it->call->duration_s = -1;
	drop_mark(r->request, it->send->key);
	wa_recipient_read(it, r->request, &wa_send_keys);
	add_request(r, known);
	if (g_strcmp0(call, it->id) != 0)
		item_fact_add(it, "request.call_id", call);
}

static bool
is_group(const struct record *r)
{
	static const char *const endpoints[] = { "groups", "participants",
		"invite_link", "join_requests", NULL };

	/* A group's id is not all digits; any other's is. */
	return (r->endpoint != NULL && g_strv_contains(endpoints,
	    r->endpoint)) || (r->endpoint == NULL && r->id != NULL &&
	    r->id[strspn(r->id, "0123456789")] != '\0');
}

static enum item_type
find_group_type(const struct record *r)
{
	g_autofree char *method = wa_get_text(r->root, "method");

	if (g_strcmp0(r->endpoint, "participants") == 0 ||
	    g_strcmp0(r->endpoint, "join_requests") == 0)
		return ITEM_TYPE_GROUP_PARTICIPANTS;
	if (g_strcmp0(r->endpoint, "groups") == 0 ||
	    g_strcmp0(method, "DELETE") == 0)
		return ITEM_TYPE_GROUP_LIFECYCLE;
	return ITEM_TYPE_GROUP_SETTINGS;
}

static void
read_other(struct record *r)
{
	static const struct wa_known known[] = {
		{ "messaging_product", WA_TEXT }, { NULL } };
	struct item *it = r->it;

	it->kind = is_group(r) ? ITEM_GROUP : ITEM_ACCOUNT;
	it->type = ITEM_TYPE_ACCOUNT_EVENT;
	if (it->kind == ITEM_GROUP) {
		it->type = find_group_type(r);
		if (g_strcmp0(r->id, it->business.user_id) != 0)
			it->group_id = g_strdup(r->id);
	}
	wa_rest_add(it, "request", r->sent != NULL ? r->sent : r->request,
	    known);
	if (r->sent != NULL)
		add_request_before(r);
}

/* ---- a record ------------------------------------------------------------------ */

static bool
is_known(const struct record *r)
{
	g_autofree char *object = wa_get_text(r->root, "object");
	g_autofree char *version = wa_get_text(r->root, "version");

	return g_strcmp0(object, RECORD_OBJECT) == 0 &&
	    g_strcmp0(version, RECORD_VERSION) == 0 && r->outcome != NULL &&
	    r->it->send->key != NULL && r->id != NULL;
}

static char *
send_key(const struct record *r, const char *outcome)
{
	const char *parts[] = { r->it->send->key, outcome };

	return wa_key("g", parts, G_N_ELEMENTS(parts));
}

/* What waited for a person was first of all held, else it was pending. */
static const char *
first_outcome(const struct record *r)
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
read_keys(struct record *r)
{
	struct item *it = r->it;
	const char *answered = it->context != NULL ? it->context->id : NULL;

	if (is_sending(r) && has_left(r))
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
read_known(struct record *r)
{
	if (is_sending(r))
		read_message(r);
	else if (g_strcmp0(r->endpoint, "calls") == 0)
		read_call(r);
	else
		read_other(r);
	add_response(r);
	add_rest(r);
	read_keys(r);
}

static void
read_record(struct record *r)
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
	struct record r = { .root = root };

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
