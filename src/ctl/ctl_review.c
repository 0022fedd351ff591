/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chatjournal review: what rules withhold, and the acts of officers on it. The
 * acts are only written down here, with who, when and why; build and gateway
 * carry them out.
 */
#include <glib.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "ctl_int.h"
#include "err.h"
#include "item.h"
#include "policy.h"
#include "store.h"
#include "text.h"

#define KEY_CHARS 32
#define WHY_MAX 500

/* ---- one that is held: a turn, or a send ----------------------------------- */

struct held {
	int64_t turn_id;		/* 0: a send */
	char key[KEY_CHARS + 1];	/* "" : a turn */
	char *rule;
	int64_t since_ms, until_ms, persons;
	char *application, *employee, *verdict;	/* of a send */
	bool is_held;
};

static void
held_clear(struct held *h)
{
	g_clear_pointer(&h->rule, g_free);
	g_clear_pointer(&h->application, g_free);
	g_clear_pointer(&h->employee, g_free);
	g_clear_pointer(&h->verdict, g_free);
}

static void
take_turn(struct held *h, const struct store_hold *row)
{
	h->turn_id = row->turn_id;
	h->rule = g_strdup(row->rule);
	h->since_ms = row->since_ms;
	h->until_ms = row->until_ms;
	h->persons = row->persons;
	h->is_held = row->ended_ms == 0;
}

/* The rule stands in the verdict. */
static char *
rule_of(const char *verdict)
{
	struct policy_verdict *v = NULL;
	char *rule = NULL;

	if (verdict != NULL &&
	    policy_verdict_parse(verdict, strlen(verdict), &v, NULL))
		rule = g_strdup(v->hold_rule);
	policy_verdict_free(v);
	return rule != NULL ? rule : g_strdup("-");
}

static void
take_send(struct held *h, const struct store_send *row)
{
	g_strlcpy(h->key, row->key, sizeof(h->key));
	h->rule = rule_of(row->verdict);
	h->since_ms = row->received_ms;
	h->until_ms = row->until_ms;
	h->persons = row->persons;
	h->application = g_strdup(row->application);
	h->employee = g_strdup(row->employee);
	h->verdict = g_strdup(row->verdict);
	h->is_held = row->state == STORE_SEND_HELD;
}

static char *
name_of(const struct held *h)
{
	return h->turn_id != 0 ? g_strdup_printf("turn:%" PRId64,
	    h->turn_id) : g_strdup_printf("send:%s", h->key);
}

/* ---- list ------------------------------------------------------------------ */

static void
print_held(const struct held *h)
{
	g_autofree char *name = name_of(h);

	printf("%s rule=%s since=%s until=%s persons=%" PRId64, name, h->rule,
	    ctl_time(h->since_ms), ctl_time(h->until_ms), h->persons);
	if (h->application != NULL)
		printf(" application=%s employee=%s", h->application,
		    h->employee != NULL ? h->employee : "-");
	putchar('\n');
}

static struct json_object *
held_json(const struct held *h)
{
	g_autofree char *name = name_of(h);
	struct json_object *o = json_object_new_object();

	ctl_json_text(o, "id", name);
	ctl_json_text(o, "rule", h->rule);
	ctl_json_int(o, "since_ms", h->since_ms);
	ctl_json_int(o, "until_ms", h->until_ms);
	ctl_json_int(o, "persons", h->persons);
	ctl_json_text(o, "application", h->application);
	ctl_json_text(o, "employee", h->employee);
	return o;
}

/* all: a JSON list, or NULL to print it. */
static void
add_held(struct json_object *all, struct held *h)
{
	if (all != NULL)
		json_object_array_add(all, held_json(h));
	else
		print_held(h);
	held_clear(h);
}

static bool
list_turn(void *all, const struct store_hold *row)
{
	struct held h = { 0 };

	take_turn(&h, row);
	add_held(all, &h);
	return true;
}

static bool
list_send(void *all, const struct store_send *row)
{
	struct held h = { 0 };

	take_send(&h, row);
	add_held(all, &h);
	return true;
}

static int
list(struct ctl *ctl)
{
	struct json_object *all = ctl->json ? json_object_new_array() : NULL;
	struct err err = ERR_INIT;

	if (!store_hold_list(ctl->store, ctl->after, (int)ctl->limit,
	    list_turn, all, &err) ||
	    !store_send_list(ctl->store, STORE_SEND_HELD, 0,
	    (int)ctl->limit, list_send, all, &err)) {
		json_object_put(all);
		return ctl_fail(&err);
	}
	if (all != NULL)
		ctl_json_print(all);
	return CTL_OK;
}

/* ---- finding one ----------------------------------------------------------- */

static bool
find_turn(void *arg, const struct store_hold *row)
{
	take_turn(arg, row);
	return false;
}

static bool
find_send(void *arg, const struct store_send *row)
{
	take_send(arg, row);
	return false;
}

/* CTL_OK, and h is what the id names, held or not. */
static int
find(struct ctl *ctl, const char *id, struct held *h)
{
	struct err err = ERR_INIT;
	int64_t turn_id = ctl_id(id, "turn");
	const char *key = g_str_has_prefix(id, "send:") ? id + 5 : NULL;

	if (turn_id == 0 && (key == NULL || strlen(key) != KEY_CHARS)) {
		fprintf(stderr, "chatjournal: %s is neither turn:N nor "
		    "send:KEY, as review list shows them\n", id);
		return CTL_USAGE;
	}
	if (!(turn_id != 0 ? store_hold_get(ctl->store, turn_id, find_turn,
	    h, &err) : store_send_by_key(ctl->store, key, find_send, h,
	    &err)))
		return ctl_fail(&err);
	if (h->rule == NULL) {
		fprintf(stderr, "chatjournal: %s was never held\n", id);
		return CTL_NOTHING;
	}
	return CTL_OK;
}

/* ---- show ------------------------------------------------------------------ */

/* Both are NULL when it is printed for a person. */
struct shown {
	struct json_object *reviews, *originals;
};

static bool
show_review(void *arg, const struct store_review *r)
{
	struct shown *s = arg;
	struct json_object *o;

	if (s->reviews == NULL) {
		printf("%s by=%s at=%s why=%s\n", r->verb, r->who,
		    ctl_time(r->at_ms), r->why != NULL ? r->why : "-");
		return true;
	}
	o = json_object_new_object();
	ctl_json_text(o, "verb", r->verb);
	ctl_json_text(o, "who", r->who);
	ctl_json_int(o, "at_ms", r->at_ms);
	ctl_json_text(o, "why", r->why);
	json_object_array_add(s->reviews, o);
	return true;
}

static void
show_original(struct shown *s, const void *body, size_t len)
{
	g_autofree char *text = body != NULL ? text_clean(body, len,
	    TEXT_BLOCK, SIZE_MAX) : NULL;

	if (s->originals != NULL)
		json_object_array_add(s->originals, text != NULL ?
		    json_object_new_string(text) : NULL);
	else
		puts(text != NULL ? text : "(the content was purged)");
}

/* What others wrote in the same event is not shown. */
static void
show_item(void *arg, const struct item *it, const void *body, size_t len)
{
	if (it != NULL && it->raw != NULL)
		show_original(arg, it->raw, strlen(it->raw));
	else
		show_original(arg, body, len);
}

static bool
show_request(void *arg, const struct store_send *row)
{
	show_original(arg, row->request, row->request_len);
	return false;
}

static bool
load_verdict(struct ctl *ctl, const struct held *h, char **json,
    struct err *err)
{
	*json = g_strdup(h->verdict);
	return h->turn_id == 0 || store_judged_get(ctl->store, h->turn_id,
	    json, err);
}

static bool
show_rest(struct ctl *ctl, const struct held *h, struct shown *s,
    struct err *err)
{
	const char *key = h->turn_id == 0 ? h->key : NULL;

	return store_review_of(ctl->store, h->turn_id, key, show_review, s,
	    err) && (key == NULL ? ctl_turn_items(ctl, h->turn_id, show_item, s,
	    err) :
	    store_send_by_key(ctl->store, key, show_request, s, err));
}

static bool
show_json(struct ctl *ctl, const struct held *h, const char *verdict,
    struct err *err)
{
	struct json_object *o = held_json(h);
	struct shown s = { json_object_new_array(), json_object_new_array() };

	json_object_object_add(o, "held", json_object_new_boolean(
	    h->is_held));
	json_object_object_add(o, "verdict", verdict != NULL ?
	    json_tokener_parse(verdict) : NULL);
	json_object_object_add(o, "reviews", s.reviews);
	json_object_object_add(o, "originals", s.originals);
	if (!show_rest(ctl, h, &s, err)) {
		json_object_put(o);
		return false;
	}
	ctl_json_print(o);
	return true;
}

static int
show(struct ctl *ctl, const struct held *h)
{
	g_autofree char *verdict = NULL;
	struct err err = ERR_INIT;
	struct shown s = { 0 };

	if (!load_verdict(ctl, h, &verdict, &err))
		return ctl_fail(&err);
	if (ctl->json)
		return show_json(ctl, h, verdict, &err) ? CTL_OK :
		    ctl_fail(&err);
	print_held(h);
	if (verdict != NULL)
		puts(verdict);
	return show_rest(ctl, h, &s, &err) ? CTL_OK : ctl_fail(&err);
}

/* ---- acts ------------------------------------------------------------------ */

struct before {
	const char *who;
	bool is_done;
};

static bool
take_before(void *arg, const struct store_review *r)
{
	struct before *b = arg;

	b->is_done |= strcmp(r->who, b->who) == 0 &&
	    strcmp(r->verb, "release") == 0;
	return true;
}

/* True when the act may be written; else says why not. */
static bool
may_act(struct ctl *ctl, const struct held *h, const char *verb, int *rc)
{
	struct before b = { .who = ctl_who() };
	struct err err = ERR_INIT;
	bool is_own;

	if (!h->is_held) {
		fputs("chatjournal: it is not held any more\n", stderr);
		*rc = CTL_NOTHING;
		return false;
	}
	if (strcmp(verb, "release") != 0)
		return true;
	if (!ctl_is_own(ctl, h->turn_id, h->employee, &is_own, &err)) {
		*rc = ctl_fail(&err);
		return false;
	}
	if (is_own) {
		fputs("chatjournal: nobody releases a message of their own\n",
		    stderr);
		*rc = CTL_USAGE;
		return false;
	}
	if (!store_review_of(ctl->store, h->turn_id, h->turn_id == 0 ?
	    h->key : NULL, take_before, &b, &err)) {
		*rc = ctl_fail(&err);
		return false;
	}
	if (b.is_done) {
		fprintf(stderr, "chatjournal: %s has released it already; "
		    "it takes %" PRId64 " persons\n", b.who, h->persons);
		*rc = CTL_USAGE;
		return false;
	}
	return true;
}

static void
print_act(const struct ctl *ctl, const char *name,
    const struct store_review *r)
{
	struct json_object *o;

	if (!ctl->json) {
		printf("%s: %s by %s; the daemon carries it out\n", name,
		    r->verb, r->who);
		return;
	}
	o = json_object_new_object();
	ctl_json_text(o, "id", name);
	ctl_json_text(o, "verb", r->verb);
	ctl_json_text(o, "who", r->who);
	ctl_json_int(o, "at_ms", r->at_ms);
	ctl_json_text(o, "why", r->why);
	ctl_json_print(o);
}

static int
act(struct ctl *ctl, const struct held *h, const char *verb)
{
	g_autofree char *why = NULL, *name = name_of(h);
	struct store_review r = { .at_ms = clock_now_ms(), .who = ctl_who(),
		.verb = verb, .turn_id = h->turn_id,
		.send_key = h->turn_id == 0 ? h->key : NULL };
	struct err err = ERR_INIT;
	int64_t id;
	int rc = CTL_OK;

	if (ctl->why == NULL || ctl->why[0] == '\0') {
		fprintf(stderr, "chatjournal: say why: review %s %s --why "
		    "TEXT\n", verb, name);
		return CTL_USAGE;
	}
	if (!may_act(ctl, h, verb, &rc))
		return rc;
	r.why = why = text_clean(ctl->why, strlen(ctl->why), TEXT_LINE,
	    WHY_MAX);
	store_begin(ctl->store);
	store_review_add(ctl->store, &r, &id);
	if (!store_commit(ctl->store, &err))
		return ctl_fail(&err);
	print_act(ctl, name, &r);
	return CTL_OK;
}

int
ctl_review(struct ctl *ctl, int argc, char **argv)
{
	bool is_list = argc == 1 && strcmp(argv[0], "list") == 0;
	bool is_show = argc == 2 && strcmp(argv[0], "show") == 0;
	bool is_act = argc == 2 && (strcmp(argv[0], "release") == 0 ||
	    strcmp(argv[0], "reject") == 0);
	struct held h = { 0 };
	int rc;

	if (!is_list && !is_show && !is_act) {
		fputs("chatjournal: review list | show ID | release ID --why "
		    "TEXT | reject ID --why TEXT\n", stderr);
		return CTL_USAGE;
	}
	rc = ctl_store_open(ctl, is_act);
	if (rc == CTL_OK && is_list)
		return list(ctl);
	if (rc == CTL_OK)
		rc = find(ctl, argv[1], &h);
	if (rc == CTL_OK)
		rc = is_show ? show(ctl, &h) : act(ctl, &h, argv[0]);
	held_clear(&h);
	return rc;
}
