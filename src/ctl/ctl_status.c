/* SPDX-License-Identifier: Apache-2.0 */
/* check-config, status and verify. */
#include <glib.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#include "conf.h"
#include "ctl_int.h"
#include "err.h"
#include "role.h"
#include "store.h"

int
ctl_check_config(struct ctl *ctl, int argc, char **argv)
{
	g_autoptr(GString) text = g_string_new(NULL);
	bool ok;

	(void)argv;
	if (argc > 0) {
		fputs("chatjournal: check-config takes no arguments; name the "
		    "file with -c\n", stderr);
		return CTL_USAGE;
	}
	if (!ctl_conf_load(ctl))
		return CTL_CONF;
	ok = role_check(ctl->conf, text);
	fputs(text->str, stderr);	/* warnings, too */
	if (!ok)
		return CTL_CONF;
	g_string_truncate(text, 0);
	if (ctl->print)
		conf_print(ctl->conf, text);
	if (ctl->json) {
		struct json_object *o = json_object_new_object();

		ctl_json_text(o, "file", ctl->conf_path);
		json_object_object_add(o, "good", json_object_new_boolean(1));
		if (ctl->print)
			ctl_json_text(o, "values", text->str);
		ctl_json_print(o);
	} else if (ctl->print) {
		fputs(text->str, stdout);
	} else {
		printf("%s: the configuration is good\n", ctl->conf_path);
	}
	return CTL_OK;
}

static bool
is_configured(const struct ctl *ctl, const struct store_journal_status *j)
{
	return conf_journal_get(ctl->conf, j->journal) != NULL;
}

/* Relays that were given up stay in the store as they were last seen. */
static bool
is_in_use(const struct ctl *ctl, const struct store_relay_status *r)
{
	const struct conf_journal *j = conf_journal_get(ctl->conf, r->name);

	return conf_relay_get(ctl->conf, r->name) != NULL ||
	    (j != NULL && j->maildir != NULL);
}

/* Nobody delivers to a journal that is not in the configuration any more. */
static bool
is_stuck(const struct ctl *ctl, const struct store_journal_status *j)
{
	return j->failed > j->acknowledged || (!is_configured(ctl, j) &&
	    j->pending + j->deferred > 0);
}

/* Without ldap { } its last state is of no interest. */
static bool
is_directory_down(const struct ctl *ctl, const struct store_status *s)
{
	return ctl->conf->ldap.url != NULL && s->server.is_known &&
	    !s->server.up;
}

/* They wait for a graph block, and are given up in time. */
static bool
nobody_fetches(const struct ctl *ctl, const struct store_status *s)
{
	return ctl->conf->graph.url == NULL && s->files_wanted > 0;
}

static bool
needs_a_person(const struct ctl *ctl, const struct store_status *s)
{
	if (s->events_parked > s->events_acknowledged ||
	    s->turns_parked > s->turns_acknowledged ||
	    s->turns_held > 0 || s->sends_held > 0 || nobody_fetches(ctl, s))
		return true;
	for (guint i = 0; i < s->journals->len; i++) {
		if (is_stuck(ctl, &g_array_index(s->journals,
		    struct store_journal_status, i)))
			return true;
	}
	for (guint i = 0; i < s->relays->len; i++) {
		const struct store_relay_status *r = &g_array_index(
		    s->relays, struct store_relay_status, i);

		if (!r->up && is_in_use(ctl, r))
			return true;
	}
	return is_directory_down(ctl, s);
}

static struct json_object *
counts(const char *const *names, const int64_t *values, size_t n)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < n; i++)
		ctl_json_int(o, names[i], values[i]);
	return o;
}

static struct json_object *
journals_json(const struct ctl *ctl, const struct store_status *s)
{
	static const char *const names[] = { "queued", "sent", "deferred",
		"failed", "pending", "oldest_ms", "acknowledged" };
	struct json_object *all = json_object_new_array();

	for (guint i = 0; i < s->journals->len; i++) {
		const struct store_journal_status *j = &g_array_index(
		    s->journals, struct store_journal_status, i);
		struct json_object *o = counts(names, (const int64_t[]){
			j->queued, j->sent, j->deferred, j->failed,
			j->pending, j->oldest_ms, j->acknowledged }, 7);

		ctl_json_text(o, "name", j->journal);
		json_object_object_add(o, "configured",
		    json_object_new_boolean(is_configured(ctl, j)));
		json_object_array_add(all, o);
	}
	return all;
}

static struct json_object *
relays_json(const struct ctl *ctl, const struct store_status *s)
{
	struct json_object *all = json_object_new_array();

	for (guint i = 0; i < s->relays->len; i++) {
		const struct store_relay_status *r = &g_array_index(
		    s->relays, struct store_relay_status, i);
		struct json_object *o = json_object_new_object();

		ctl_json_text(o, "name", r->name);
		json_object_object_add(o, "configured",
		    json_object_new_boolean(is_in_use(ctl, r)));
		json_object_object_add(o, "up", json_object_new_boolean(
		    r->up));
		ctl_json_int(o, "since_ms", r->since_ms);
		ctl_json_int(o, "next_ms", r->next_ms);
		ctl_json_text(o, "reason", r->reason);
		json_object_array_add(all, o);
	}
	return all;
}

static struct json_object *
directory_json(const struct store_status *s)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "asked", json_object_new_boolean(
	    s->server.is_known));
	json_object_object_add(o, "up", json_object_new_boolean(s->server.up));
	ctl_json_int(o, "since_ms", s->server.since_ms);
	ctl_json_int(o, "next_ms", s->server.next_ms);
	ctl_json_text(o, "reason", s->server.reason);
	ctl_json_int(o, "waiting", s->asks_waiting);
	ctl_json_int(o, "waiting_with_old_answer", s->asks_old);
	return o;
}

static struct json_object *
novelties_json(const struct store_status *s)
{
	struct json_object *all = json_object_new_array();

	for (guint i = 0; i < s->novelties->len; i++) {
		const struct store_novelty *n = &g_array_index(s->novelties,
		    struct store_novelty, i);
		struct json_object *o = json_object_new_object();

		ctl_json_text(o, "field", n->field);
		ctl_json_text(o, "word", n->word);
		ctl_json_int(o, "count", n->count);
		ctl_json_int(o, "first_ms", n->first_ms);
		ctl_json_int(o, "last_ms", n->last_ms);
		json_object_array_add(all, o);
	}
	return all;
}

static void
print_json(const struct ctl *ctl, const struct store_status *s)
{
	static const char *const events[] = { "total", "unread", "parked",
		"purged", "oldest_unread_ms", "acknowledged" };
	static const char *const items[] = { "filed", "repeated",
		"differing", "different", "different_only_counted" };
	static const char *const turns[] = { "open", "closed", "rendered",
		"parked", "waiting", "held", "excluded", "acknowledged" };
	static const char *const files[] = { "wanted", "fetched",
		"quarantined", "unavailable" };
	static const char *const sends[] = { "stored", "forwarding", "held",
		"done", "unknown", "records", "records_unread" };
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "events", counts(events, (const int64_t[]){
		s->events, s->events_unread, s->events_parked,
		s->events_purged, s->oldest_unread_ms,
		s->events_acknowledged }, 6));
	json_object_object_add(o, "items", counts(items, (const int64_t[]){
		s->items, s->sightings, s->sightings_differ, s->variants,
		s->variants_unsent }, 5));
	json_object_object_add(o, "turns", counts(turns, (const int64_t[]){
		s->turns_open, s->turns_closed, s->turns_rendered,
		s->turns_parked, s->turns_waiting, s->turns_held,
		s->turns_excluded, s->turns_acknowledged }, 8));
	json_object_object_add(o, "files", counts(files, (const int64_t[]){
		s->files_wanted, s->files_fetched, s->files_quarantined,
		s->files_unavailable }, 4));
	json_object_object_add(o, "nobody_fetches", json_object_new_boolean(
	    nobody_fetches(ctl, s)));
	json_object_object_add(o, "sends", counts(sends, (const int64_t[]){
		s->sends_stored, s->sends_forwarding, s->sends_held,
		s->sends_done, s->sends_unknown, s->records,
		s->records_unread }, 7));
	json_object_object_add(o, "unknown", novelties_json(s));
	json_object_object_add(o, "journals", journals_json(ctl, s));
	json_object_object_add(o, "relays", relays_json(ctl, s));
	if (ctl->conf->ldap.url != NULL)
		json_object_object_add(o, "directory", directory_json(s));
	json_object_object_add(o, "attention", json_object_new_boolean(
	    needs_a_person(ctl, s)));
	ctl_json_print(o);
}

/* Nothing where there is no gateway. */
static void
print_sends(const struct store_status *s)
{
	int64_t sends = s->sends_stored + s->sends_forwarding +
	    s->sends_held + s->sends_done;

	if (sends + s->records == 0)
		return;
	printf("sends    %" PRId64 " asked for, %" PRId64 " not sent yet, %"
	    PRId64 " on their way, %" PRId64 " held, %" PRId64
	    " of unknown outcome\n", sends, s->sends_stored,
	    s->sends_forwarding, s->sends_held, s->sends_unknown);
	printf("records  %" PRId64 " of the gateway, %" PRId64 " unread\n",
	    s->records, s->records_unread);
}

/* Nothing where no directory server is configured. */
static void
print_directory(const struct ctl *ctl, const struct store_status *s)
{
	if (ctl->conf->ldap.url == NULL)
		return;
	if (s->server.is_known)
		printf("staff    the directory server is %s since %s%s%s\n",
		    s->server.up ? "up" : "DOWN", ctl_time(s->server.since_ms),
		    s->server.up ? "" : ": ", s->server.reason);
	else
		puts("staff    the directory server was not asked yet");
	printf("staff    %" PRId64 " questions wait for it, for %" PRId64
	    " of them an older answer is used\n", s->asks_waiting,
	    s->asks_old);
}

static void
print_acknowledged(int64_t n)
{
	if (n > 0)
		printf(" (%" PRId64 " acknowledged)", n);
}

static void
print_items(const struct store_status *s)
{
	printf("items    %" PRId64 " filed, %" PRId64 " repeated, %" PRId64
	    " of them differing", s->items, s->sightings,
	    s->sightings_differ);
	if (s->variants > 0)
		printf(" in %" PRId64 " ways, %" PRId64 " only counted",
		    s->variants, s->variants_unsent);
	putchar('\n');
}

static void
print_files(const struct ctl *ctl, const struct store_status *s)
{
	printf("files    %" PRId64 " wanted, %" PRId64 " fetched, %" PRId64
	    " in quarantine, %" PRId64 " unavailable\n", s->files_wanted,
	    s->files_fetched, s->files_quarantined, s->files_unavailable);
	if (nobody_fetches(ctl, s))
		printf("warning  nobody fetches the files that are wanted: the "
		    "configuration has no graph block; each is given up %"
		    PRId64 " h after it was wanted\n",
		    ctl->conf->media.give_up_ms / 3600000);
}

static void
print_text(const struct ctl *ctl, const struct store_status *s)
{
	printf("events   %" PRId64 " received, %" PRId64 " unread (oldest %s)"
	    ", %" PRId64 " parked", s->events, s->events_unread,
	    ctl_age(s->oldest_unread_ms), s->events_parked);
	print_acknowledged(s->events_acknowledged);
	printf(", %" PRId64 " purged\n", s->events_purged);
	print_items(s);
	printf("turns    %" PRId64 " open, %" PRId64 " closed, %" PRId64
	    " rendered, %" PRId64 " parked", s->turns_open, s->turns_closed,
	    s->turns_rendered, s->turns_parked);
	print_acknowledged(s->turns_acknowledged);
	printf(", %" PRId64 " waiting for files\n", s->turns_waiting);
	printf("rules    %" PRId64 " turns held, %" PRId64 " of the rendered "
	    "journaled only as a record\n", s->turns_held, s->turns_excluded);
	print_files(ctl, s);
	print_sends(s);
	for (guint i = 0; i < s->novelties->len; i++) {
		const struct store_novelty *n = &g_array_index(s->novelties,
		    struct store_novelty, i);

		printf("unknown  %s %s: %" PRId64 " since %s, last %s\n",
		    n->field, n->word, n->count, ctl_time(n->first_ms),
		    ctl_time(n->last_ms));
	}
	for (guint i = 0; i < s->journals->len; i++) {
		const struct store_journal_status *j = &g_array_index(
		    s->journals, struct store_journal_status, i);

		printf("journal  %s: %" PRId64 " queued, %" PRId64 " sent, %"
		    PRId64 " pending, %" PRId64 " deferred, %" PRId64
		    " failed", j->journal, j->queued, j->sent, j->pending,
		    j->deferred, j->failed);
		print_acknowledged(j->acknowledged);
		printf(", oldest %s%s\n", ctl_age(j->oldest_ms),
		    is_configured(ctl, j) ? "" :
		    " (not in the configuration)");
	}
	for (guint i = 0; i < s->relays->len; i++) {
		const struct store_relay_status *r = &g_array_index(
		    s->relays, struct store_relay_status, i);

		if (!is_in_use(ctl, r))
			continue;
		printf("relay    %s: %s since %s%s%s\n", r->name,
		    r->up ? "up" : "DOWN", ctl_time(r->since_ms),
		    r->up ? "" : ": ", r->up ? "" : r->reason);
	}
	print_directory(ctl, s);
	if (needs_a_person(ctl, s))
		puts("something waits for a person: see above, chatjournal "
		    "list failed, chatjournal list parked, chatjournal list "
		    "held");
}

int
ctl_status(struct ctl *ctl, int argc, char **argv)
{
	struct store_status s = { 0 };
	struct err err = ERR_INIT;
	int rc;

	(void)argv;
	if (argc > 0) {
		fputs("chatjournal: status takes no arguments\n", stderr);
		return CTL_USAGE;
	}
	rc = ctl_store_open(ctl, false);
	if (rc != CTL_OK)
		return rc;
	if (!store_status(ctl->store, &s, &err))
		return ctl_fail(&err);
	if (ctl->json)
		print_json(ctl, &s);
	else
		print_text(ctl, &s);
	rc = ctl->check && needs_a_person(ctl, &s) ? CTL_ATTENTION : CTL_OK;
	store_status_clear(&s);
	return rc;
}

int
ctl_verify(struct ctl *ctl, int argc, char **argv)
{
	g_autofree char *why = NULL;
	struct err err = ERR_INIT;
	bool ok;
	int rc;

	(void)argv;
	if (argc > 0) {
		fputs("chatjournal: verify takes no arguments\n", stderr);
		return CTL_USAGE;
	}
	rc = ctl_store_open(ctl, false);
	if (rc != CTL_OK)
		return rc;
	if (!store_law_check(ctl->store, &ok, &why, &err))
		return ctl_fail(&err);
	if (ctl->json) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "accounted",
		    json_object_new_boolean(ok));
		ctl_json_text(o, "why", why);
		ctl_json_print(o);
	} else {
		puts(ok ? "everything received is accounted for" : why);
	}
	return ok ? CTL_OK : CTL_ATTENTION;
}
