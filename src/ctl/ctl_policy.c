/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chatjournal policy: which rules fire on what, and why; which fired on a
 * message; and the sets that were in force. What another rule set would find
 * is in ctl_simulate.c. Reads only.
 */
#include <glib.h>
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
#include "hash.h"
#include "io.h"
#include "item.h"
#include "policy.h"
#include "render.h"
#include "store.h"
#include "text.h"
#include "turn.h"

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
test_item(struct ctl_bench *b, struct item *it, bool at_gateway)
{
	struct policy_verdict *v = ctl_bench_judge(b, it, at_gateway,
	    clock_now_ms());
	g_autofree char *name = name_of(it);

	if (b->all != NULL) {
		json_object_array_add(b->all, verdict_json(name, v));
	} else {
		printf("%s: %s\n", name, policy_verdict_word(v));
		print_verdict(v);
	}
	policy_verdict_free(v);
}

static bool
test_body(struct ctl_bench *b, const void *body, size_t len, struct err *err)
{
	g_autoptr(GPtrArray) items = NULL;
	enum ctl_shape shape = ctl_shape_of(body, len);

	if (!ctl_parse(body, len, shape, &items, err))
		return false;
	for (guint i = 0; i < items->len; i++)
		test_item(b, items->pdata[i], shape != CTL_WEBHOOK &&
		    !ctl_is_reported(items->pdata[i]));
	return true;
}

/* A mail of ours is tested by the events that are attached to it. */
static bool
test_mail(struct ctl_bench *b, const void *mail, size_t len, struct err *err)
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
test_file(struct ctl_bench *b, const char *path, struct err *err)
{
	g_autoptr(GBytes) file = NULL;
	const char *bytes;
	gsize len;

	if (!io_file_load(path, CTL_BODY_MAX, &file, err))
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
	struct ctl_bench b = { 0 };
	bool ok = true;

	if (argc == 0) {
		fputs("chatjournal: policy test takes files\n", stderr);
		return CTL_USAGE;
	}
	if (!ctl_conf_load(ctl))
		return CTL_CONF;
	if (!ctl_bench_open(&b, ctl->conf, &err))
		return ctl_fail(&err);
	if (ctl->json)
		b.all = json_object_new_array();
	for (int i = 0; ok && i < argc; i++)
		ok = test_file(&b, argv[i], &err);
	if (ok && b.all != NULL)
		ctl_json_print(json_object_get(b.all));
	json_object_put(b.all);
	ctl_bench_close(&b);
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
		return ctl_simulate(ctl);
	if (strcmp(verb, "sets") == 0 && argc <= 2)
		return sets(ctl, argc == 2 ? argv[1] : NULL);
	fputs("chatjournal: policy test FILE ... | explain ID | simulate "
	    "--since DATE --policy FILE | sets [SHA-256]\n", stderr);
	return CTL_USAGE;
}
