/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry and acknowledge: what persons want done about failed mails and about
 * what is parked. It is only written down here, with who, when and why;
 * deliver and build carry it out. All that is named must be as it is said to
 * be, or nothing is asked for.
 */
#include <glib.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "ctl_int.h"
#include "err.h"
#include "store.h"
#include "text.h"
#include "turn.h"

#define WHY_MAX 500

/* One thing of an id: just one of these is not 0. */
struct named {
	int64_t mail_id, turn_id, event_id;
};

static bool
parse(const char *id, struct named *out)
{
	*out = (struct named){ .mail_id = ctl_id(id, "mail"),
		.turn_id = ctl_id(id, "turn"),
		.event_id = ctl_id(id, "event") };
	return out->mail_id != 0 || out->turn_id != 0 || out->event_id != 0;
}

/* ---- whether it is as it should be ------------------------------------------ */

static bool
note_id(void *arg, const struct store_mail *m)
{
	*(int64_t *)arg = m->id;
	return false;
}

static bool
is_failed(struct ctl *ctl, int64_t id, bool *is, struct err *err)
{
	int64_t found = 0;

	if (!store_mail_failed(ctl->store, ctl->journal, id - 1, 1, note_id,
	    &found, err))
		return false;
	*is = found == id;
	return true;
}

static bool
is_parked_turn(struct ctl *ctl, int64_t id, bool *is, struct err *err)
{
	struct turn t = { 0 };
	char state[16];

	if (!store_turn_get(ctl->store, id, &t, state, NULL, err))
		return false;
	*is = strcmp(state, "parked") == 0;
	turn_clear(&t);
	return true;
}

static bool
take_parked(void *arg, const struct store_parked *p)
{
	*(bool *)arg = p->ended_ms == 0;
	return false;
}

static bool
is_as_it_should(struct ctl *ctl, const struct named *n, bool *is,
    struct err *err)
{
	*is = false;
	if (n->mail_id != 0)
		return is_failed(ctl, n->mail_id, is, err);
	if (n->turn_id != 0)
		return is_parked_turn(ctl, n->turn_id, is, err);
	return store_parked_get(ctl->store, n->event_id, take_parked, is,
	    err);
}

static bool
take_body(void *arg, const struct store_event *ev)
{
	*(bool *)arg = ev->body != NULL;
	return false;
}

/* What is journaled raw is forgotten in time, and then cannot be read. */
static int
check_body(struct ctl *ctl, const char *id, const struct named *n)
{
	struct err err = ERR_INIT;
	bool is_there = n->event_id == 0;

	if (!is_there && !store_event_get(ctl->store, n->event_id, take_body,
	    &is_there, &err))
		return ctl_fail(&err);
	if (is_there)
		return CTL_OK;
	fprintf(stderr, "chatjournal: the content of %s was purged (see keep "
	    "in chatjournal.conf); its raw bytes were journaled\n", id);
	return CTL_NOTHING;
}

static int
check(struct ctl *ctl, const char *id, bool to_retry)
{
	struct err err = ERR_INIT;
	struct named n;
	bool is;

	parse(id, &n);
	if (!is_as_it_should(ctl, &n, &is, &err))
		return ctl_fail(&err);
	if (is)
		return to_retry ? check_body(ctl, id, &n) : CTL_OK;
	fprintf(stderr, "chatjournal: %s is not %s; see chatjournal list %s\n",
	    id, n.mail_id != 0 ? "a failed mail" : "parked",
	    n.mail_id != 0 ? "failed" : "parked");
	return CTL_NOTHING;
}

static int
check_all(struct ctl *ctl, int argc, char **argv, bool to_retry)
{
	struct named n;
	int rc = CTL_OK;

	for (int i = 0; i < argc; i++) {
		if (parse(argv[i], &n))
			continue;
		fprintf(stderr, "chatjournal: %s is neither mail:N, turn:N "
		    "nor event:N\n", argv[i]);
		return CTL_NOTHING;
	}
	rc = ctl_store_open(ctl, true);
	for (int i = 0; i < argc && rc == CTL_OK; i++)
		rc = check(ctl, argv[i], to_retry);
	return rc;
}

/* ---- writing it down ---------------------------------------------------------- */

static char *
why_of(const struct ctl *ctl)
{
	return ctl->why == NULL ? g_strdup("") : text_clean(ctl->why,
	    strlen(ctl->why), TEXT_LINE, WHY_MAX);
}

static void
add_request(struct ctl *ctl, const char *verb, const struct named *n)
{
	g_autofree char *why = why_of(ctl);
	struct store_request r = { .at_ms = clock_now_ms(), .who = ctl_who(),
		.verb = verb, .mail_id = n->mail_id, .turn_id = n->turn_id,
		.event_id = n->event_id, .why = why };

	store_request_add(ctl->store, &r, NULL);
}

/* 0: all that failed. Deliver follows these. */
static void
add_action(struct ctl *ctl, int64_t mail_id)
{
	struct store_action a = { .at_ms = clock_now_ms(), .who = ctl_who(),
		.verb = "retry", .mail_id = mail_id,
		.journal = ctl->journal };
	int64_t id;

	store_action_add(ctl->store, &a, &id);
}

static bool
take_row(void *arg, const struct store_row *row)
{
	struct named n = { .event_id = row->event_id,
		.turn_id = row->event_id != 0 ? 0 : row->turn_id };

	g_array_append_val((GArray *)arg, n);
	return true;
}

static int
write_down(struct ctl *ctl, const char *verb, const GArray *all)
{
	struct err err = ERR_INIT;
	bool is_retry = strcmp(verb, "retry") == 0;

	store_begin(ctl->store);
	if (ctl->all)
		add_action(ctl, 0);
	for (guint i = 0; i < all->len; i++) {
		const struct named *n = &g_array_index(all, struct named, i);

		if (is_retry && n->mail_id != 0)
			add_action(ctl, n->mail_id);
		else
			add_request(ctl, verb, n);
	}
	return store_commit(ctl->store, &err) ? CTL_OK : ctl_fail(&err);
}

static void
say(const struct ctl *ctl, guint n, const char *text)
{
	struct json_object *o;

	if (!ctl->json) {
		puts(text);
		return;
	}
	o = json_object_new_object();
	ctl_json_int(o, "asked", n);
	ctl_json_print(o);
}

static GArray *
named_in(int argc, char **argv)
{
	GArray *all = g_array_new(FALSE, FALSE, sizeof(struct named));

	for (int i = 0; i < argc; i++) {
		struct named n;

		parse(argv[i], &n);
		g_array_append_val(all, n);
	}
	return all;
}

/* ---- commands ------------------------------------------------------------------ */

int
ctl_retry(struct ctl *ctl, int argc, char **argv)
{
	g_autoptr(GArray) all = NULL;
	struct err err = ERR_INIT;
	int rc;

	if ((argc > 0) + ctl->all + ctl->parked != 1) {
		fputs("chatjournal: retry takes mail:N, turn:N, event:N ..., "
		    "or --all, or --parked\n", stderr);
		return CTL_USAGE;
	}
	rc = check_all(ctl, argc, argv, true);
	if (rc != CTL_OK)
		return rc;
	all = named_in(argc, argv);
	if (ctl->parked && !store_list(ctl->store, STORE_LIST_PARKED, NULL, 0,
	    INT32_MAX, take_row, all, &err))
		return ctl_fail(&err);
	rc = write_down(ctl, "retry", all);
	if (rc == CTL_OK)
		say(ctl, all->len + ctl->all, "the daemon will try again "
		    "within a second or two");
	return rc;
}

int
ctl_acknowledge(struct ctl *ctl, int argc, char **argv)
{
	g_autoptr(GArray) all = NULL;
	int rc;

	if (argc == 0 || ctl->why == NULL || ctl->why[0] == '\0') {
		fputs("chatjournal: acknowledge mail:N, turn:N, event:N ... "
		    "--why TEXT\n", stderr);
		return CTL_USAGE;
	}
	rc = check_all(ctl, argc, argv, false);
	if (rc != CTL_OK)
		return rc;
	all = named_in(argc, argv);
	rc = write_down(ctl, "acknowledge", all);
	if (rc == CTL_OK)
		say(ctl, all->len, "status --check does not report it any "
		    "more; it stays where it is");
	return rc;
}
