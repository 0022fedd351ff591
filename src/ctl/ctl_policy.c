/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chatjournal policy: which rules fire on what, and why; which fired on a
 * message; what another rule set would find in what the store still holds; and
 * the sets that were in force. Reads only. What rules remember between
 * messages begins empty here: a count counts what it is shown.
 */
#include <glib.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "conf.h"
#include "ctl_int.h"
#include "directory.h"
#include "err.h"
#include "gateway.h"
#include "hash.h"
#include "io.h"
#include "item.h"
#include "policy.h"
#include "render.h"
#include "store.h"
#include "text.h"
#include "turn.h"
#include "wa.h"

#define FILE_MAX (64 << 20)
#define EVENTS_MAX 256
#define EVENTS_BYTES (16 << 20)

/* ---- judging one after the other -------------------------------------- */

struct bench {
	const struct conf *conf;
	struct policy *policy;
	struct policy_work *work;
	GHashTable *counted;	/* "rule|subject" -> who -> when */
	GHashTable *persons;	/* seen before */
	struct json_object *all;	/* NULL: printed for a person */
};

static bool
count(void *arg, const char *rule, const char *subject, const char *who,
    int64_t since_ms, int64_t *n)
{
	struct bench *b = arg;
	g_autofree char *name = g_strjoin("|", rule, subject, NULL);
	GHashTable *all = g_hash_table_lookup(b->counted, name);
	GHashTableIter it;
	gpointer key, at;

	*n = 1;
	if (all == NULL)
		return true;
	g_hash_table_iter_init(&it, all);
	while (g_hash_table_iter_next(&it, &key, &at))
		*n += strcmp(key, who) != 0 && *(int64_t *)at >= since_ms;
	return true;
}

static bool
told(void *arg, const char *rule, const char *talk, int64_t *at_ms)
{
	(void)arg;
	(void)rule;
	(void)talk;
	*at_ms = 0;
	return true;
}

static void
remember(struct bench *b, const struct policy_tally *t, int64_t at_ms)
{
	g_autofree char *name = g_strjoin("|", t->rule, t->subject, NULL);
	GHashTable *all = g_hash_table_lookup(b->counted, name);
	int64_t *at = g_new(int64_t, 1);

	if (all == NULL) {
		all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
		    g_free);
		g_hash_table_insert(b->counted, g_steal_pointer(&name), all);
	}
	*at = at_ms;
	g_hash_table_replace(all, g_strdup(t->who), at);
}

/* As build finds them, but for whom only the directory server knows. */
static const struct directory_staff *
staff_of(const struct bench *b, const struct policy_input *in)
{
	const struct directory *d = b->conf->directory;
	const struct item *it = in->item;
	const struct directory_staff *s = NULL;

	if (it->direction == ITEM_SENT &&
	    (it->author == ITEM_BOT || it->author == ITEM_OTHER_APP))
		return NULL;
	if (in->employee != NULL)
		return directory_staff_get(d, in->employee);
	if (in->business != NULL)
		s = directory_business_staff(in->business, it->at_ms > 0 ?
		    it->at_ms : in->now_ms);
	return s != NULL || it->business.number == NULL ? s :
	    directory_staff_by_number(d, it->business.number);
}

static struct policy_verdict *
judge(struct bench *b, struct item *it, bool at_gateway, int64_t now_ms)
{
	struct policy_world world = { .arg = b, .count = count,
		.told = told };
	g_autofree char *person = turn_person(it), *more = wa_more_text(it);
	g_autofree char *talk = turn_conversation(it, person);
	struct policy_input in = { .item = it, .at_gateway = at_gateway,
		.now_ms = now_ms, .talk = talk, .person = person,
		.extra_text = more };
	struct policy_verdict *v;

	in.business = directory_business_get(b->conf->directory,
	    it->business.user_id, it->business.number);
	in.customer = directory_customer_get(b->conf->directory,
	    it->counterpart.user_id, it->counterpart.number);
	if (it->send != NULL) {
		in.application = it->send->application;
		in.employee = it->send->employee;
	}
	in.staff = staff_of(b, &in);
	if (in.staff != NULL && it->author == ITEM_UNKNOWN_STAFF)
		it->author = ITEM_STAFF;
	in.is_new_counterpart = person != NULL &&
	    g_hash_table_add(b->persons, g_strdup(person));
	v = policy_judge(b->policy, b->work, &in, &world);
	for (guint i = 0; i < v->tallies->len; i++)
		remember(b, v->tallies->pdata[i], it->at_ms > 0 ? it->at_ms :
		    now_ms);
	return v;
}

static bool
bench_open(struct bench *b, const struct conf *c, struct err *err)
{
	*b = (struct bench){ .conf = c };
	if (!policy_new(c->policy, NULL, NULL, &b->policy, err))
		return false;
	b->work = policy_work_new(b->policy);
	b->counted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    (GDestroyNotify)g_hash_table_unref);
	b->persons = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    NULL);
	return true;
}

static void
bench_close(struct bench *b)
{
	if (b->work == NULL)
		return;
	policy_work_free(b->work);
	policy_free(b->policy);
	g_hash_table_unref(b->counted);
	g_hash_table_unref(b->persons);
}

/* ---- showing a verdict ------------------------------------------------- */

static void
print_list(const char *name, const GPtrArray *list)
{
	if (list->len == 0)
		return;
	printf("  %s", name);
	for (guint i = 0; i < list->len; i++)
		printf(" %s", (const char *)list->pdata[i]);
	putchar('\n');
}

static void
print_fired(const struct policy_fired *f)
{
	printf("  rule %s%s%s\n", f->rule, f->is_unsure ? " (unsure)" : "",
	    f->not_here ? " (not enforceable here)" : "");
	for (guint i = 0; i < f->why->len; i++)
		printf("    %s\n", (const char *)f->why->pdata[i]);
}

/* Of "RULE" and "RULE JOURNAL", the log line and the mails. */
static void
print_alerts(const GPtrArray *alerts)
{
	for (guint i = 0; i < alerts->len; i++) {
		g_auto(GStrv) w = g_strsplit(alerts->pdata[i], " ", 2);

		if (w[1] == NULL)
			printf("  alert (%s)\n", w[0]);
		else
			printf("  alert to %s (%s)\n", w[1], w[0]);
	}
}

/* What the one word for it may not say. */
static void
print_acts(const struct policy_verdict *v)
{
	if (v->flag)
		puts("  flag");
	if (v->quarantine)
		puts("  quarantine");
	if (v->exclude)
		printf("  exclude (%s)\n", v->exclude_rule);
	if (v->consent_set != POLICY_CONSENT_UNKNOWN)
		printf("  consent %s\n", policy_consent_name(v->consent_set));
}

/* As the policy file would say it. */
static void
print_hold(const struct policy_verdict *v)
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" },
		{ 1000, "s" }, { 1, "ms" } };
	size_t i = 0;

	while (v->hold_ms % units[i].ms != 0)
		i++;
	printf("  %s by %" PRId64 " person%s within %" PRId64 "%s (%s)\n",
	    v->approve ? "approve" : "hold: release", v->hold_persons,
	    v->hold_persons == 1 ? "" : "s", v->hold_ms / units[i].ms,
	    units[i].unit, v->hold_rule);
}

static void
print_verdict(const struct policy_verdict *v)
{
	for (guint i = 0; i < v->fired->len; i++)
		print_fired(v->fired->pdata[i]);
	if (v->fired->len == 0)
		puts("  no rule fires");
	print_list("tags", v->tags);
	print_list("journals", v->journals);
	print_list("only-journals", v->only_journals);
	print_list("copies", v->copies);
	print_alerts(v->alerts);
	print_acts(v);
	if (v->retain != NULL)
		printf("  retain %s\n", v->retain);
	if (v->hold_ms > 0)
		print_hold(v);
	if (v->block != NULL)
		printf("  block: %s\n", v->block);
	for (guint i = 0; i < v->additions->len; i++) {
		const struct policy_addition *a = v->additions->pdata[i];

		printf("  %s \"%s\"\n", a->before ? "prepend" : "append",
		    a->text);
	}
}

static struct json_object *
verdict_json(const char *what, const struct policy_verdict *v)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct json_object *o = json_object_new_object();

	policy_verdict_print(v, text);
	ctl_json_text(o, "item", what);
	ctl_json_text(o, "word", policy_verdict_word(v));
	json_object_object_add(o, "verdict", json_tokener_parse(text->str));
	return o;
}

/* ---- test --------------------------------------------------------------- */

static char *
name_of(const struct item *it)
{
	g_autofree char *id = text_log_quote(it->id != NULL ? it->id : "-");

	return g_strdup_printf("%s %s %s %s", item_direction_name(
	    it->direction), item_kind_name(it->kind),
	    item_type_name(it->type), id);
}

static void
test_item(struct bench *b, struct item *it, bool at_gateway)
{
	struct policy_verdict *v = judge(b, it, at_gateway, clock_now_ms());
	g_autofree char *name = name_of(it);

	if (b->all != NULL) {
		json_object_array_add(b->all, verdict_json(name, v));
	} else {
		printf("%s: %s\n", name, policy_verdict_word(v));
		print_verdict(v);
	}
	policy_verdict_free(v);
}

enum shape { WEBHOOK, RECORD, SEND };

static enum shape
shape_of(const void *body, size_t len)
{
	g_autofree char *text = g_strndup(body, len);
	struct json_object *o = json_tokener_parse(text), *word;
	enum shape shape = WEBHOOK;

	if (json_object_object_get_ex(o, "object", &word))
		shape = g_strcmp0(json_object_get_string(word),
		    GATEWAY_OBJECT) == 0 ? RECORD : WEBHOOK;
	else if (json_object_object_get_ex(o, "messaging_product", NULL))
		shape = SEND;
	json_object_put(o);
	return shape;
}

/* *items is set also when what is in it is no known message. */
static bool
parse(const void *body, size_t len, enum shape shape, GPtrArray **items,
    struct err *err)
{
	struct wa_limits limits = WA_LIMITS_DEFAULT;
	struct item *it = NULL;
	bool ok;

	limits.max_bytes = FILE_MAX;
	if (shape == RECORD)
		return wa_record_parse(body, len, &limits, items, err);
	if (shape == WEBHOOK)
		return wa_parse(body, len, &limits, items, err);
	ok = wa_send_parse(body, len, &limits, NULL, &it, err);
	if (!ok) {
		item_free(it);
		return false;
	}
	it->author = ITEM_STAFF;
	*items = item_list_new();
	g_ptr_array_add(*items, it);
	return true;
}

/* A copy of what went another way counts as captured. */
static bool
is_reported(const struct item *it)
{
	return it->send != NULL && g_strcmp0(it->send->outcome,
	    gateway_outcome_name(GATEWAY_REPORTED)) == 0;
}

static bool
test_body(struct bench *b, const void *body, size_t len, struct err *err)
{
	g_autoptr(GPtrArray) items = NULL;
	enum shape shape = shape_of(body, len);

	if (!parse(body, len, shape, &items, err))
		return false;
	for (guint i = 0; i < items->len; i++)
		test_item(b, items->pdata[i], shape != WEBHOOK &&
		    !is_reported(items->pdata[i]));
	return true;
}

/* A mail of ours is tested by the events that are attached to it. */
static bool
test_mail(struct bench *b, const void *mail, size_t len, struct err *err)
{
	g_autoptr(GPtrArray) events = render_events_of(mail, len);

	if (events->len == 0)
		return err_set(err, ERR_PERM, "policy.mail", "no event is "
		    "attached to this mail; give the webhook's JSON");
	for (guint i = 0; i < events->len; i++) {
		gsize n;
		const void *body = g_bytes_get_data(events->pdata[i], &n);

		if (!test_body(b, body, n, err))
			return false;
	}
	return true;
}

static bool
is_json(const char *text, size_t len)
{
	while (len > 0 && g_ascii_isspace(*text)) {
		text++;
		len--;
	}
	return len > 0 && (*text == '{' || *text == '[');
}

static bool
test_file(struct bench *b, const char *path, struct err *err)
{
	g_autoptr(GBytes) file = NULL;
	const char *bytes;
	gsize len;

	if (!io_file_load(path, FILE_MAX, &file, err))
		return false;
	bytes = g_bytes_get_data(file, &len);
	if (is_json(bytes, len) ? test_body(b, bytes, len, err) :
	    test_mail(b, bytes, len, err))
		return true;
	err_context(err, "%s", path);
	return false;
}

static int
test(struct ctl *ctl, int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct bench b = { 0 };
	bool ok = true;

	if (argc == 0) {
		fputs("chatjournal: policy test takes files\n", stderr);
		return CTL_USAGE;
	}
	if (!ctl_conf_load(ctl))
		return CTL_CONF;
	if (!bench_open(&b, ctl->conf, &err))
		return ctl_fail(&err);
	if (ctl->json)
		b.all = json_object_new_array();
	for (int i = 0; ok && i < argc; i++)
		ok = test_file(&b, argv[i], &err);
	if (ok && b.all != NULL)
		ctl_json_print(json_object_get(b.all));
	json_object_put(b.all);
	bench_close(&b);
	return ok ? CTL_OK : ctl_fail(&err);
}

/* ---- explain ---------------------------------------------------------------- */

/* A send has several turns: of its attempt, its outcome, its receipts. */
struct turn_facts {
	GArray *turns;		/* int64_t, each once */
	int64_t at_ms;
};

static void
add_turn(GArray *turns, int64_t id)
{
	for (guint i = 0; i < turns->len; i++) {
		if (g_array_index(turns, int64_t, i) == id)
			return;
	}
	g_array_append_val(turns, id);
}

static bool
take_fact(void *arg, const struct store_fact *f)
{
	struct turn_facts *t = arg;

	if (f->turn_id != 0)
		add_turn(t->turns, f->turn_id);
	if (strcmp(f->what, "rendered") == 0 || t->at_ms == 0)
		t->at_ms = f->at_ms;
	return true;
}

struct in_force {
	int64_t at_ms, since_ms;
	char hex[HASH_HEX_SIZE];
};

/* The one that came into force last; a set that was taken back did so again. */
static bool
take_set(void *arg, const struct store_ruleset *r)
{
	struct in_force *f = arg;
	int64_t since_ms = r->last_ms <= f->at_ms ? r->last_ms : r->first_ms;

	if (since_ms <= f->at_ms && since_ms >= f->since_ms) {
		hash_hex(r->sha256, f->hex);
		f->since_ms = since_ms;
	}
	return true;
}

static void
explain_json(int64_t turn_id, const char *set, const char *verdict)
{
	struct json_object *o = json_object_new_object();

	ctl_json_int(o, "turn", turn_id);
	ctl_json_text(o, "set", set);
	json_object_object_add(o, "verdict", verdict != NULL ?
	    json_tokener_parse(verdict) : NULL);
	ctl_json_print(o);
}

/* The last of them that a rule spoke of, else the first, with *json NULL. */
static bool
find_judged(struct ctl *ctl, const GArray *turns, int64_t *id, char **json,
    struct err *err)
{
	for (guint i = turns->len; *json == NULL && i > 0; i--) {
		*id = g_array_index(turns, int64_t, i - 1);
		if (!store_judged_get(ctl->store, *id, json, err))
			return false;
	}
	return true;
}

static int
explain_none(struct ctl *ctl, const struct turn_facts *t, int64_t turn_id)
{
	struct in_force f = { .at_ms = t->at_ms };
	struct err err = ERR_INIT;

	if (!store_ruleset_list(ctl->store, take_set, &f, &err))
		return ctl_fail(&err);
	if (ctl->json)
		explain_json(turn_id, f.hex[0] != '\0' ? f.hex : NULL,
		    NULL);
	else if (f.hex[0] == '\0')
		puts("no rule set was in force");
	else
		printf("no rule fired; set %s was in force\n", f.hex);
	return CTL_OK;
}

static int
explain(struct ctl *ctl, const char *id)
{
	g_autoptr(GArray) turns = g_array_new(FALSE, FALSE, sizeof(int64_t));
	struct policy_verdict *v = NULL;
	struct turn_facts t = { .turns = turns };
	struct err err = ERR_INIT;
	g_autofree char *json = NULL;
	char hex[HASH_HEX_SIZE];
	int64_t turn_id = 0;
	int rc = ctl_store_open(ctl, false);

	if (rc != CTL_OK)
		return rc;
	if (!store_trace(ctl->store, id, take_fact, &t, &err))
		return ctl_fail(&err);
	if (turns->len == 0) {
		fprintf(stderr, "chatjournal: nothing is known of %s\n", id);
		return CTL_NOTHING;
	}
	if (!find_judged(ctl, turns, &turn_id, &json, &err))
		return ctl_fail(&err);
	if (json == NULL)
		return explain_none(ctl, &t, turn_id);
	if (!policy_verdict_parse(json, strlen(json), &v, &err))
		return ctl_fail(&err);
	hash_hex(v->set, hex);
	if (ctl->json) {
		explain_json(turn_id, hex, json);
	} else {
		printf("turn:%" PRId64 ": %s, by set %s\n", turn_id,
		    policy_verdict_word(v), hex);
		print_verdict(v);
	}
	policy_verdict_free(v);
	return CTL_OK;
}

/* ---- simulate ------------------------------------------------------------------ */

struct tally {
	int64_t before, after;
};

struct simulation {
	struct bench before, after;
	GHashTable *rules;	/* name -> struct tally */
	GHashTable *sends;	/* seen: one send has several records */
	int64_t since_ms, last, items, purged, changed;
	bool failed;
};

static struct tally *
tally_of(struct simulation *s, const char *rule)
{
	struct tally *t = g_hash_table_lookup(s->rules, rule);

	if (t == NULL) {
		t = g_new0(struct tally, 1);
		g_hash_table_insert(s->rules, g_strdup(rule), t);
	}
	return t;
}

static void
simulate_item(struct simulation *s, struct item *it, bool at_gateway,
    int64_t at_ms)
{
	struct policy_verdict *a, *b;

	if (it->send != NULL && it->send->key != NULL &&
	    !g_hash_table_add(s->sends, g_strdup(it->send->key)))
		return;
	a = judge(&s->before, it, at_gateway, at_ms);
	b = judge(&s->after, it, at_gateway, at_ms);
	s->items++;
	s->changed += strcmp(policy_verdict_word(a),
	    policy_verdict_word(b)) != 0;
	for (guint i = 0; i < a->fired->len; i++)
		tally_of(s, ((struct policy_fired *)
		    a->fired->pdata[i])->rule)->before++;
	for (guint i = 0; i < b->fired->len; i++)
		tally_of(s, ((struct policy_fired *)
		    b->fired->pdata[i])->rule)->after++;
	policy_verdict_free(a);
	policy_verdict_free(b);
}

static bool
simulate_event(void *arg, const struct store_event *ev)
{
	struct simulation *s = arg;
	bool is_record = ev->id > STORE_EVENT_GATEWAY;
	g_autoptr(GPtrArray) items = NULL;

	s->last = ev->id;
	if (ev->received_ms < s->since_ms)
		return true;
	if (ev->body == NULL) {
		s->purged++;
		return true;
	}
	if (!parse(ev->body, ev->len, is_record ? RECORD : WEBHOOK, &items,
	    NULL))
		return true;
	for (guint i = 0; i < items->len; i++)
		simulate_item(s, items->pdata[i], is_record &&
		    !is_reported(items->pdata[i]), ev->received_ms);
	return true;
}

static bool
simulate_feed(struct ctl *ctl, struct simulation *s, int64_t base,
    struct err *err)
{
	int64_t after;

	s->last = base;
	do {
		after = s->last;
		if (!store_event_list(ctl->store, after, EVENTS_MAX,
		    EVENTS_BYTES, simulate_event, s, err))
			return false;
	} while (s->last != after);
	return true;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
print_simulation(const struct simulation *s, char *const *names, guint n)
{
	printf("%-32s %10s %10s\n", "rule", "before", "after");
	for (guint i = 0; i < n; i++) {
		const struct tally *t = g_hash_table_lookup(s->rules,
		    names[i]);

		printf("%-32s %10" PRId64 " %10" PRId64 "\n", names[i],
		    t->before, t->after);
	}
	printf("%" PRId64 " items, %" PRId64 " with another verdict, %" PRId64
	    " events without content any more\n", s->items, s->changed,
	    s->purged);
}

static void
simulation_json(const struct simulation *s, char *const *names, guint n)
{
	struct json_object *all = json_object_new_array();
	struct json_object *whole = json_object_new_object();

	for (guint i = 0; i < n; i++) {
		const struct tally *t = g_hash_table_lookup(s->rules,
		    names[i]);
		struct json_object *o = json_object_new_object();

		ctl_json_text(o, "rule", names[i]);
		ctl_json_int(o, "before", t->before);
		ctl_json_int(o, "after", t->after);
		json_object_array_add(all, o);
	}
	json_object_object_add(whole, "rules", all);
	ctl_json_int(whole, "items", s->items);
	ctl_json_int(whole, "changed", s->changed);
	ctl_json_int(whole, "purged", s->purged);
	ctl_json_print(whole);
}

static void
show_simulation(const struct ctl *ctl, const struct simulation *s)
{
	guint n;
	g_autofree char **names = (char **)g_hash_table_get_keys_as_array(
	    s->rules, &n);

	if (n > 0)
		qsort(names, n, sizeof(*names), by_name);
	if (ctl->json)
		simulation_json(s, names, n);
	else
		print_simulation(s, names, n);
}

static int
run_simulation(struct ctl *ctl, struct simulation *s, struct conf *new)
{
	struct err err = ERR_INIT;
	int rc = CTL_OK;

	s->rules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    g_free);
	s->sends = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    NULL);
	if (!bench_open(&s->before, ctl->conf, &err) ||
	    !bench_open(&s->after, new, &err) ||
	    !simulate_feed(ctl, s, 0, &err) ||
	    !simulate_feed(ctl, s, STORE_EVENT_GATEWAY, &err))
		rc = ctl_fail(&err);
	else
		show_simulation(ctl, s);
	bench_close(&s->before);
	bench_close(&s->after);
	g_hash_table_unref(s->rules);
	g_hash_table_unref(s->sends);
	return rc;
}

static int
simulate(struct ctl *ctl)
{
	g_autoptr(GString) messages = g_string_new(NULL);
	struct simulation s = { 0 };
	struct err err = ERR_INIT;
	struct conf *new = NULL;
	int rc;

	if (ctl->since == NULL || ctl->policy == NULL ||
	    (s.since_ms = clock_parse(ctl->since)) < 0) {
		fputs("chatjournal: policy simulate --since DATE --policy "
		    "FILE; DATE is 2026-02-03 or 2026-02-03T14:05:09Z\n",
		    stderr);
		return CTL_USAGE;
	}
	rc = ctl_store_open(ctl, false);
	if (rc != CTL_OK)
		return rc;
	if (!conf_load_policy(ctl->conf_path, ctl->policy, &new, messages,
	    &err)) {
		fputs(messages->str, stderr);
		return ctl_fail(&err);
	}
	rc = run_simulation(ctl, &s, new);
	conf_free(new);
	return rc;
}

/* ---- sets --------------------------------------------------------------------------- */

struct sets {
	const char *wanted;	/* hex, or its beginning; NULL: list all */
	struct json_object *all;	/* NULL: printed for a person */
	int64_t count;
};

static struct json_object *
set_json(const struct store_ruleset *r, const char *hex, bool whole)
{
	struct json_object *o = json_object_new_object();

	ctl_json_text(o, "sha256", hex);
	ctl_json_int(o, "first_ms", r->first_ms);
	ctl_json_int(o, "last_ms", r->last_ms);
	ctl_json_int(o, "bytes", (int64_t)r->len);
	if (whole)
		json_object_object_add(o, "text",
		    json_object_new_string_len(r->text, (int)r->len));
	return o;
}

static bool
show_set(void *arg, const struct store_ruleset *r)
{
	struct sets *s = arg;
	char hex[HASH_HEX_SIZE];

	hash_hex(r->sha256, hex);
	if (s->wanted != NULL && !g_str_has_prefix(hex, s->wanted))
		return true;
	s->count++;
	if (s->all != NULL)
		json_object_array_add(s->all, set_json(r, hex,
		    s->wanted != NULL));
	else if (s->wanted != NULL)
		fwrite(r->text, 1, r->len, stdout);
	else
		printf("%s from=%s until=%s bytes=%zu\n", hex,
		    ctl_time(r->first_ms), ctl_time(r->last_ms), r->len);
	return s->wanted == NULL;
}

static int
sets(struct ctl *ctl, const char *wanted)
{
	struct sets s = { .wanted = wanted };
	struct err err = ERR_INIT;
	int rc = ctl_store_open(ctl, false);

	if (rc != CTL_OK)
		return rc;
	if (ctl->json)
		s.all = json_object_new_array();
	if (!store_ruleset_list(ctl->store, show_set, &s, &err)) {
		json_object_put(s.all);
		return ctl_fail(&err);
	}
	if (s.count == 0 && wanted != NULL) {
		json_object_put(s.all);
		fprintf(stderr, "chatjournal: no rule set's SHA-256 begins "
		    "with %s; see policy sets\n", wanted);
		return CTL_NOTHING;
	}
	if (s.all != NULL)
		ctl_json_print(s.all);
	return CTL_OK;
}

int
ctl_policy(struct ctl *ctl, int argc, char **argv)
{
	const char *verb = argc > 0 ? argv[0] : "";

	if (strcmp(verb, "test") == 0)
		return test(ctl, argc - 1, argv + 1);
	if (strcmp(verb, "explain") == 0 && argc == 2)
		return explain(ctl, argv[1]);
	if (strcmp(verb, "simulate") == 0 && argc == 1)
		return simulate(ctl);
	if (strcmp(verb, "sets") == 0 && argc <= 2)
		return sets(ctl, argc == 2 ? argv[1] : NULL);
	fputs("chatjournal: policy test FILE ... | explain ID | simulate "
	    "--since DATE --policy FILE | sets [SHA-256]\n", stderr);
	return CTL_USAGE;
}
