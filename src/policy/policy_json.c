/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A verdict as one line of JSON, and back. Members that say nothing are left
 * out. What is read may be of another version: unknown members are passed
 * over; a known one of a wrong type is refused, with nothing half read.
 */
#include "policy_int.h"

#include <json-c/json.h>
#include <string.h>

#include "err.h"
#include "text.h"

#define DEPTH_MAX 32

/* ---- printing -------------------------------------------------------------- */

static void
put_string(json_object *o, const char *key, const char *s)
{
	if (s != NULL)
		json_object_object_add(o, key, json_object_new_string(s));
}

static void
put_true(json_object *o, const char *key, bool value)
{
	if (value)
		json_object_object_add(o, key, json_object_new_boolean(1));
}

static void
put_list(json_object *o, const char *key, const GPtrArray *elements,
    json_object *(*print)(gconstpointer element))
{
	json_object *list;

	if (elements->len == 0)
		return;
	list = json_object_new_array_ext((int)elements->len);
	for (guint i = 0; i < elements->len; i++)
		json_object_array_add(list,
		    print(g_ptr_array_index(elements, i)));
	json_object_object_add(o, key, list);
}

static json_object *
print_string(gconstpointer element)
{
	return json_object_new_string(element);
}

static void
put_strings(json_object *o, const char *key, const GPtrArray *strings)
{
	put_list(o, key, strings, print_string);
}

static json_object *
print_fired(gconstpointer element)
{
	const struct policy_fired *f = element;
	json_object *o = json_object_new_object();

	put_string(o, "rule", f->rule);
	put_true(o, "unsure", f->is_unsure);
	put_true(o, "not_here", f->not_here);
	put_strings(o, "why", f->why);
	return o;
}

static json_object *
print_addition(gconstpointer element)
{
	const struct policy_addition *a = element;
	json_object *o = json_object_new_object();

	put_string(o, "rule", a->rule);
	put_string(o, "text", a->text);
	put_true(o, "before", a->before);
	put_true(o, "once", a->once);
	return o;
}

static json_object *
print_tally(gconstpointer element)
{
	const struct policy_tally *t = element;
	json_object *o = json_object_new_object();

	put_string(o, "rule", t->rule);
	put_string(o, "subject", t->subject);
	put_string(o, "who", t->who);
	return o;
}

static void
put_hold(json_object *o, const struct policy_verdict *v)
{
	json_object *hold;

	if (v->hold_ms <= 0)
		return;
	hold = json_object_new_object();
	put_string(hold, "rule", v->hold_rule);
	json_object_object_add(hold, "ms", json_object_new_int64(v->hold_ms));
	json_object_object_add(hold, "persons",
	    json_object_new_int64(v->hold_persons));
	put_true(hold, "approve", v->approve);
	json_object_object_add(o, "hold", hold);
}

static void
put_block(json_object *o, const struct policy_verdict *v)
{
	json_object *block;

	if (v->block == NULL)
		return;
	block = json_object_new_object();
	put_string(block, "rule", v->block_rule);
	put_string(block, "reason", v->block);
	json_object_object_add(o, "block", block);
}

static json_object *
print_verdict(const struct policy_verdict *v)
{
	json_object *o = json_object_new_object();
	char hex[HASH_HEX_SIZE];

	put_string(o, "set", hash_hex(v->set, hex));
	put_string(o, "word", policy_verdict_word(v));
	put_list(o, "fired", v->fired, print_fired);
	put_strings(o, "tags", v->tags);
	put_true(o, "flag", v->flag);
	put_true(o, "quarantine", v->quarantine);
	if (v->exclude)
		put_string(o, "exclude", v->exclude_rule);
	put_string(o, "retain", v->retain);
	put_strings(o, "journals", v->journals);
	put_strings(o, "only_journals", v->only_journals);
	put_strings(o, "copies", v->copies);
	put_strings(o, "alerts", v->alerts);
	put_hold(o, v);
	put_block(o, v);
	if (v->consent_set != POLICY_CONSENT_UNKNOWN)
		put_string(o, "consent", policy_consent_name(v->consent_set));
	put_list(o, "additions", v->additions, print_addition);
	put_list(o, "tallies", v->tallies, print_tally);
	return o;
}

void
policy_verdict_print(const struct policy_verdict *v, GString *out)
{
	json_object *o = print_verdict(v);

	g_string_append(out, json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

/* ---- reading ---------------------------------------------------------------- */

/* Sticky: after the first mistake every getter answers "absent". */
struct reader {
	bool failed;
	struct err *err;
};

static void
refuse(struct reader *r, const char *key, const char *why)
{
	if (!r->failed)
		err_set(r->err, ERR_PERM, "policy.verdict",
		    "the verdict cannot be read: \"%s\" %s", key, why);
	r->failed = true;
}

static json_object *
get(struct reader *r, json_object *o, const char *key, json_type type)
{
	json_object *member;

	if (r->failed || !json_object_object_get_ex(o, key, &member))
		return NULL;
	if (json_object_is_type(member, type))
		return member;
	refuse(r, key, "is of another type than a verdict has there");
	return NULL;
}

/* A NUL would cut the string: what is stored must be what was judged. */
static const char *
string_of(struct reader *r, json_object *s, const char *key)
{
	const char *text = json_object_get_string(s);

	if (strlen(text) == (size_t)json_object_get_string_len(s))
		return text;
	refuse(r, key, "has a NUL in it");
	return NULL;
}

static const char *
get_string(struct reader *r, json_object *o, const char *key)
{
	json_object *s = get(r, o, key, json_type_string);

	return s != NULL ? string_of(r, s, key) : NULL;
}

static const char *
need_string(struct reader *r, json_object *o, const char *key)
{
	const char *s = get_string(r, o, key);

	if (s == NULL)
		refuse(r, key, "is missing");
	return s;
}

static bool
get_true(struct reader *r, json_object *o, const char *key)
{
	json_object *b = get(r, o, key, json_type_boolean);

	return b != NULL && json_object_get_boolean(b);
}

static int64_t
need_positive(struct reader *r, json_object *o, const char *key)
{
	json_object *n = get(r, o, key, json_type_int);
	int64_t value = n != NULL ? json_object_get_int64(n) : 0;

	if (value <= 0)
		refuse(r, key, "is not a positive number");
	return value;
}

static void
get_strings(struct reader *r, json_object *o, const char *key,
    GPtrArray *out)
{
	json_object *list = get(r, o, key, json_type_array);
	size_t n = list != NULL ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n && !r->failed; i++) {
		json_object *s = json_object_array_get_idx(list, i);
		const char *text = NULL;

		if (json_object_is_type(s, json_type_string))
			text = string_of(r, s, key);
		else
			refuse(r, key, "has an element that is no string");
		if (text != NULL)
			policy_strings_add(out, text);
	}
}

typedef void read_fn(struct reader *r, json_object *o,
    struct policy_verdict *v);

static void
read_fired(struct reader *r, json_object *o, struct policy_verdict *v)
{
	const char *rule = need_string(r, o, "rule");
	struct policy_fired *f;

	if (rule == NULL)
		return;
	f = policy_fired_add(v, rule);
	f->is_unsure = get_true(r, o, "unsure");
	f->not_here = get_true(r, o, "not_here");
	get_strings(r, o, "why", f->why);
}

static void
read_addition(struct reader *r, json_object *o, struct policy_verdict *v)
{
	const char *rule = need_string(r, o, "rule");
	const char *text = need_string(r, o, "text");
	struct policy_addition *a;

	if (r->failed)
		return;
	a = policy_addition_add(v, rule, text);
	a->before = get_true(r, o, "before");
	a->once = get_true(r, o, "once");
}

static void
read_tally(struct reader *r, json_object *o, struct policy_verdict *v)
{
	g_autofree char *rule = g_strdup(need_string(r, o, "rule"));
	g_autofree char *subject = g_strdup(need_string(r, o, "subject"));
	g_autofree char *who = g_strdup(need_string(r, o, "who"));
	const struct policy_tally t = { rule, subject, who };

	if (!r->failed)
		policy_tally_add(v, &t);
}

static void
get_objects(struct reader *r, json_object *o, const char *key,
    struct policy_verdict *v, read_fn *read)
{
	json_object *list = get(r, o, key, json_type_array);
	size_t n = list != NULL ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n && !r->failed; i++) {
		json_object *e = json_object_array_get_idx(list, i);

		if (json_object_is_type(e, json_type_object))
			read(r, e, v);
		else
			refuse(r, key, "has an element that is no object");
	}
}

static void
read_hold(struct reader *r, json_object *o, struct policy_verdict *v)
{
	json_object *hold = get(r, o, "hold", json_type_object);
	int64_t ms, persons;
	const char *rule;

	if (hold == NULL)
		return;
	rule = need_string(r, hold, "rule");
	ms = need_positive(r, hold, "ms");
	persons = need_positive(r, hold, "persons");
	if (r->failed)
		return;
	policy_hold_add(v, rule, ms, persons);
	v->approve = get_true(r, hold, "approve");
}

static void
read_block(struct reader *r, json_object *o, struct policy_verdict *v)
{
	json_object *block = get(r, o, "block", json_type_object);
	const char *rule, *reason;

	if (block == NULL)
		return;
	rule = need_string(r, block, "rule");
	reason = need_string(r, block, "reason");
	if (!r->failed)
		policy_block_add(v, rule, reason);
}

static void
read_words(struct reader *r, json_object *o, struct policy_verdict *v)
{
	const char *exclude = get_string(r, o, "exclude");
	const char *consent = get_string(r, o, "consent");

	if (exclude != NULL)
		policy_exclude_add(v, exclude);
	if (consent != NULL && !policy_consent_parse(consent, &v->consent_set))
		refuse(r, "consent", "is neither given nor withdrawn");
	v->retain = g_strdup(get_string(r, o, "retain"));
	v->flag = get_true(r, o, "flag");
	v->quarantine = get_true(r, o, "quarantine");
}

static void
read_verdict(struct reader *r, json_object *o, struct policy_verdict *v)
{
	get_objects(r, o, "fired", v, read_fired);
	get_strings(r, o, "tags", v->tags);
	read_words(r, o, v);
	get_strings(r, o, "journals", v->journals);
	get_strings(r, o, "only_journals", v->only_journals);
	get_strings(r, o, "copies", v->copies);
	get_strings(r, o, "alerts", v->alerts);
	read_hold(r, o, v);
	read_block(r, o, v);
	get_objects(r, o, "additions", v, read_addition);
	get_objects(r, o, "tallies", v, read_tally);
}

/*
 * Not json-c's strict mode: some builds of json-c 0.18 refuse every string
 * that is not ASCII then (json-c issues 875 and 892).
 */
static json_object *
load(const char *json, size_t len)
{
	struct json_tokener *tok;
	json_object *o = NULL;

	if (len == 0 || len > INT32_MAX || memchr(json, '\0', len) != NULL ||
	    !text_is_utf8(json, len))
		return NULL;
	tok = json_tokener_new_ex(DEPTH_MAX);
	if (tok == NULL)
		return NULL;
	o = json_tokener_parse_ex(tok, json, (int)len);
	if (json_tokener_get_error(tok) == json_tokener_success)
		for (size_t i = json_tokener_get_parse_end(tok); i < len; i++)
			if (strchr(" \t\r\n", json[i]) == NULL)
				g_clear_pointer(&o, json_object_put);
	json_tokener_free(tok);
	return o;
}

static bool
read_root(json_object *o, struct policy_verdict **out, struct err *err)
{
	struct reader r = { .err = err };
	uint8_t set[HASH_SIZE];
	const char *hex = need_string(&r, o, "set");

	if (hex == NULL)
		return false;
	if (!hash_parse_hex(hex, set))
		return err_set(err, ERR_PERM, "policy.verdict",
		    "the verdict cannot be read: \"set\" is no SHA-256");
	*out = policy_verdict_new(set);
	read_verdict(&r, o, *out);
	if (r.failed)
		g_clear_pointer(out, policy_verdict_free);
	return !r.failed;
}

bool
policy_verdict_parse(const char *json, size_t len,
    struct policy_verdict **out, struct err *err)
{
	struct policy_verdict *v = NULL;
	json_object *o = load(json, len);
	bool ok;

	if (!json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		return err_set(err, ERR_PERM, "policy.verdict",
		    "the verdict cannot be read: it is not one JSON object");
	}
	ok = read_root(o, &v, err);
	json_object_put(o);
	if (ok)
		*out = v;
	return ok;
}
