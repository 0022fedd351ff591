/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chatjournal policy simulate: what another rule set would find in what the
 * store still holds, beside the one in force. Reads only.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "conf.h"
#include "ctl_bench.h"
#include "ctl_int.h"
#include "err.h"
#include "item.h"
#include "policy.h"
#include "store.h"

#define EVENTS_MAX 256
#define EVENTS_BYTES (16 << 20)

struct tally {
	int64_t before, after;
};

struct simulation {
	struct ctl_bench before, after;
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
	a = ctl_bench_judge(&s->before, it, at_gateway, at_ms);
	b = ctl_bench_judge(&s->after, it, at_gateway, at_ms);
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
	if (!ctl_parse(ev->body, ev->len, is_record ? CTL_RECORD : CTL_WEBHOOK,
	    &items, NULL))
		return true;
	for (guint i = 0; i < items->len; i++)
		simulate_item(s, items->pdata[i], is_record &&
		    !ctl_is_reported(items->pdata[i]), ev->received_ms);
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
	if (!ctl_bench_open(&s->before, ctl->conf, &err) ||
	    !ctl_bench_open(&s->after, new, &err) ||
	    !simulate_feed(ctl, s, 0, &err) ||
	    !simulate_feed(ctl, s, STORE_EVENT_GATEWAY, &err))
		rc = ctl_fail(&err);
	else
		show_simulation(ctl, s);
	ctl_bench_close(&s->before);
	ctl_bench_close(&s->after);
	g_hash_table_unref(s->rules);
	g_hash_table_unref(s->sends);
	return rc;
}

int
ctl_simulate(struct ctl *ctl)
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
