/* SPDX-License-Identifier: Apache-2.0 */
/* list, show and trace: mails and their stories. */
#include <glib.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "ctl_int.h"
#include "err.h"
#include "store.h"
#include "text.h"

/* ---- list ------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum store_list_what what;
} lists[] = {
	{ "pending", STORE_LIST_PENDING }, { "sent", STORE_LIST_SENT },
	{ "deferred", STORE_LIST_DEFERRED }, { "failed", STORE_LIST_FAILED },
	{ "parked", STORE_LIST_PARKED }, { "open", STORE_LIST_OPEN },
	{ "held", STORE_LIST_HELD }, { "files", STORE_LIST_FILES },
	{ "differing", STORE_LIST_DIFFERING },
};

static struct json_object *
row_json(const struct store_row *r)
{
	struct json_object *o = json_object_new_object();

	ctl_json_text(o, "state", r->state);
	ctl_json_int(o, "mail", r->mail_id);
	ctl_json_int(o, "turn", r->turn_id);
	ctl_json_int(o, "event", r->event_id);
	ctl_json_int(o, "file", r->want_id);
	ctl_json_text(o, "journal", r->journal);
	ctl_json_text(o, "message_id", r->message_id);
	ctl_json_int(o, "at_ms", r->at_ms);
	ctl_json_int(o, "attempts", r->attempts);
	ctl_json_int(o, "next_ms", r->next_ms);
	ctl_json_text(o, "reason", r->reason);
	ctl_json_text(o, "acknowledged", r->acknowledged);
	if (r->variant_id == 0)
		return o;
	ctl_json_int(o, "differing", r->variant_id);
	ctl_json_text(o, "id", r->wamid);
	ctl_json_text(o, "first_sha256", r->first);
	ctl_json_text(o, "sha256", r->digest);
	return o;
}

/* The turn and Message-ID are those of the mail that has the other bytes. */
static void
print_differing(const struct store_row *r)
{
	printf("differing:%-3" PRId64 " %s event:%" PRId64, r->variant_id,
	    ctl_time(r->at_ms), r->event_id);
	if (r->turn_id != 0)
		printf(" turn:%" PRId64, r->turn_id);
	printf(" %s first=%s now=%s times=%" PRId64 " %s\n",
	    r->wamid != NULL ? r->wamid : "-",
	    r->first != NULL ? r->first : "-", r->digest, r->attempts,
	    r->message_id != NULL ? r->message_id : "-");
}

static void
print_row(const struct store_row *r)
{
	if (r->want_id != 0)
		printf("file:%-8" PRId64, r->want_id);
	else if (r->mail_id != 0)
		printf("mail:%-8" PRId64, r->mail_id);
	else if (r->event_id != 0)
		printf("event:%-7" PRId64, r->event_id);
	else
		printf("turn:%-8" PRId64, r->turn_id);
	printf(" %-9s %s %-12s %s", r->state, ctl_time(r->at_ms),
	    r->journal != NULL ? r->journal : "-",
	    r->message_id != NULL ? r->message_id : "-");
	/* A parked event is journaled raw, in a turn of its own. */
	if (r->want_id == 0 && r->event_id != 0 && r->turn_id != 0)
		printf(" turn:%" PRId64, r->turn_id);
	if (r->want_id != 0)
		printf(" event:%" PRId64 " turn:%" PRId64, r->event_id,
		    r->turn_id);
	if (r->attempts > 1)
		printf(" attempts=%" PRId64, r->attempts);
	if (r->next_ms != 0)
		printf(" %s=%s", strcmp(r->state, "held") == 0 ? "until" :
		    "next", ctl_time(r->next_ms));
	if (r->reason != NULL && r->reason[0] != '\0')
		printf(" %s", r->reason);
	if (r->acknowledged != NULL)
		printf(" (acknowledged by %s)", r->acknowledged);
	putchar('\n');
}

static bool
take_row(void *arg, const struct store_row *r)
{
	struct json_object *all = arg;

	if (all != NULL)
		json_object_array_add(all, row_json(r));
	else if (r->variant_id != 0)
		print_differing(r);
	else
		print_row(r);
	return true;
}

int
ctl_list(struct ctl *ctl, int argc, char **argv)
{
	struct json_object *all = NULL;
	struct err err = ERR_INIT;
	size_t i = 0;
	int rc;

	while (argc == 1 && i < G_N_ELEMENTS(lists) &&
	    strcmp(lists[i].name, argv[0]) != 0)
		i++;
	if (argc != 1 || i == G_N_ELEMENTS(lists)) {
		fputs("chatjournal: list what? One of pending, sent, "
		    "deferred, failed, parked, open, held, files, "
		    "differing\n", stderr);
		return CTL_USAGE;
	}
	rc = ctl_store_open(ctl, false);
	if (rc != CTL_OK)
		return rc;
	if (ctl->json)
		all = json_object_new_array();
	if (!store_list(ctl->store, lists[i].what, ctl->journal, ctl->after,
	    (int)MIN(ctl->limit, INT32_MAX), take_row, all, &err)) {
		json_object_put(all);
		return ctl_fail(&err);
	}
	if (all != NULL)
		ctl_json_print(all);
	return CTL_OK;
}

/* ---- trace -------------------------------------------------------------------- */

struct tracing {
	struct json_object *all;	/* NULL: for a person */
	bool quiet;
	int64_t facts, mail_id, turn_id, event_id;
};

static struct json_object *
fact_json(const struct store_fact *f)
{
	struct json_object *o = json_object_new_object();

	ctl_json_int(o, "at_ms", f->at_ms);
	ctl_json_text(o, "what", f->what);
	ctl_json_int(o, "event", f->event_id);
	ctl_json_int(o, "turn", f->turn_id);
	ctl_json_int(o, "mail", f->mail_id);
	ctl_json_text(o, "detail", f->detail);
	return o;
}

static void
print_fact(const struct store_fact *f)
{
	char at[CLOCK_ISO_SIZE];

	printf("%s  %-10s", clock_iso(f->at_ms, 1, at), f->what);
	if (f->event_id != 0)
		printf(" event:%" PRId64, f->event_id);
	if (f->turn_id != 0)
		printf(" turn:%" PRId64, f->turn_id);
	if (f->mail_id != 0)
		printf(" mail:%" PRId64, f->mail_id);
	printf("%s%s\n", f->detail != NULL ? "  " : "",
	    f->detail != NULL ? f->detail : "");
}

static bool
take_fact(void *arg, const struct store_fact *f)
{
	struct tracing *t = arg;

	t->facts++;
	if (t->mail_id == 0)
		t->mail_id = f->mail_id;
	if (t->turn_id == 0)
		t->turn_id = f->turn_id;
	if (t->event_id == 0)
		t->event_id = f->event_id;
	if (t->all != NULL)
		json_object_array_add(t->all, fact_json(f));
	else if (!t->quiet)
		print_fact(f);
	return true;
}

static struct json_object *
identity_json(const struct store_identity *id)
{
	struct json_object *o = json_object_new_object();

	ctl_json_text(o, "realm", id->realm);
	ctl_json_text(o, "person", id->person);
	ctl_json_text(o, "kind", id->kind);
	ctl_json_text(o, "value", id->value);
	ctl_json_text(o, "source", id->source);
	ctl_json_int(o, "first_ms", id->first_ms);
	ctl_json_int(o, "until_ms", id->until_ms);
	return o;
}

/* Values are what people call themselves: any bytes. */
static bool
take_identity(void *arg, const struct store_identity *id)
{
	struct tracing *t = arg;
	g_autofree char *value = NULL, *person = NULL;

	t->facts++;
	if (t->all != NULL) {
		json_object_array_add(t->all, identity_json(id));
		return true;
	}
	value = text_clean(id->value, strlen(id->value), TEXT_LINE, SIZE_MAX);
	person = text_log_quote(id->person);
	printf("%s  %-20s  %-14s  %s  (%s, from a %s)\n",
	    ctl_time(id->first_ms), id->until_ms == 0 ? "still" :
	    ctl_time(id->until_ms), id->kind, value, person, id->source);
	return true;
}

static int
not_found(const char *id)
{
	fprintf(stderr, "chatjournal: nothing is known of %s; give a wamid, a "
	    "Message-ID, mail:N, turn:N, event:N or send:KEY, or somebody's "
	    "number, user id, username or name\n", id);
	return CTL_NOTHING;
}

int
ctl_trace(struct ctl *ctl, int argc, char **argv)
{
	struct tracing t = { 0 };
	struct err err = ERR_INIT;
	int rc;

	if (argc != 1) {
		fputs("chatjournal: trace takes one id\n", stderr);
		return CTL_USAGE;
	}
	rc = ctl_store_open(ctl, false);
	if (rc != CTL_OK)
		return rc;
	if (ctl->json)
		t.all = json_object_new_array();
	if (!store_trace(ctl->store, argv[0], take_fact, &t, &err) ||
	    (t.facts == 0 && !store_identity_trace(ctl->store, argv[0],
	    take_identity, &t, &err))) {
		json_object_put(t.all);
		return ctl_fail(&err);
	}
	if (t.all != NULL)
		ctl_json_print(t.all);
	return t.facts > 0 ? CTL_OK : not_found(argv[0]);
}

/* ---- show ------------------------------------------------------------------------ */

struct showing {
	struct ctl *ctl;
	bool found, purged;
};

static void
put_bytes(const void *bytes, size_t len)
{
	if (fwrite(bytes, 1, len, stdout) != len || fflush(stdout) != 0)
		fputs("chatjournal: cannot write to standard output\n",
		    stderr);
}

static void
put_mail(struct showing *s, const struct store_mail *m)
{
	g_autoptr(GBytes) bytes = NULL;
	struct err err = ERR_INIT;
	const void *data;
	gsize len;

	s->purged = !ctl_mail_is_held(m);
	if (s->purged)
		return;
	if (!ctl_mail_bytes(m, &bytes, &err)) {
		fprintf(stderr, "chatjournal: %s\n", err.text);
		return;
	}
	data = g_bytes_get_data(bytes, &len);
	put_bytes(data, len);
}

static bool
show_mail(void *arg, const struct store_mail *m)
{
	struct showing *s = arg;
	char sha[HASH_HEX_SIZE];

	s->found = true;
	if (s->ctl->raw) {
		put_mail(s, m);
		return false;
	}
	hash_hex(m->sha256, sha);
	if (s->ctl->json) {
		struct json_object *o = json_object_new_object();

		ctl_json_int(o, "mail", m->id);
		ctl_json_int(o, "turn", m->turn_id);
		ctl_json_text(o, "journal", m->journal);
		ctl_json_text(o, "message_id", m->message_id);
		ctl_json_text(o, "envelope_from", m->envelope_from);
		ctl_json_text(o, "envelope_to", m->envelope_to);
		ctl_json_int(o, "queued_ms", m->queued_ms);
		ctl_json_int(o, "size", (int64_t)m->len);
		ctl_json_text(o, "sha256", sha);
		json_object_object_add(o, "content", json_object_new_boolean(
		    ctl_mail_is_held(m)));
		ctl_json_print(o);
		return false;
	}
	printf("mail        %" PRId64 " of turn:%" PRId64 "\n"
	    "journal     %s\nmessage-id  %s\nfrom        %s\nto          %s\n"
	    "queued      %s\nsize        %zu%s\nsha256      %s\n", m->id,
	    m->turn_id, m->journal, m->message_id, m->envelope_from,
	    m->envelope_to, ctl_time(m->queued_ms), m->len,
	    ctl_mail_is_held(m) ? "" : " (purged)", sha);
	return false;
}

static bool
show_event(void *arg, const struct store_event *ev)
{
	struct showing *s = arg;
	char sha[HASH_HEX_SIZE];

	s->found = true;
	if (s->ctl->raw) {
		s->purged = ev->body == NULL;
		if (!s->purged)
			put_bytes(ev->body, ev->len);
		return false;
	}
	hash_hex(ev->sha256, sha);
	if (s->ctl->json) {
		struct json_object *o = json_object_new_object();

		ctl_json_int(o, "event", ev->id);
		ctl_json_int(o, "received_ms", ev->received_ms);
		ctl_json_text(o, "remote", ev->remote);
		ctl_json_text(o, "secret", ev->secret_name);
		ctl_json_text(o, "signature", ev->signature);
		ctl_json_int(o, "size", (int64_t)ev->len);
		ctl_json_text(o, "sha256", sha);
		ctl_json_print(o);
		return false;
	}
	printf("event       %" PRId64 "\nreceived    %s\nfrom        %s\n"
	    "secret      %s\nsignature   %s\nsize        %zu%s\n"
	    "sha256      %s\n", ev->id, ctl_time(ev->received_ms), ev->remote,
	    ev->secret_name, ev->signature, ev->len,
	    ev->body == NULL ? " (purged)" : "", sha);
	return false;
}

/* The first mail of what the id names; an event only when asked for it. */
static bool
show_found(struct ctl *ctl, const char *id, struct showing *s,
    struct err *err)
{
	struct tracing t = { .quiet = true };
	int64_t event = ctl_id(id, "event");

	if (event != 0)
		return store_event_get(ctl->store, event, show_event, s, err);
	if (!store_trace(ctl->store, id, take_fact, &t, err))
		return false;
	if (t.mail_id != 0)
		return store_mail_get(ctl->store, t.mail_id, show_mail, s,
		    err);
	if (t.event_id != 0)
		return store_event_get(ctl->store, t.event_id, show_event, s,
		    err);
	return true;
}

int
ctl_show(struct ctl *ctl, int argc, char **argv)
{
	struct showing s = { .ctl = ctl };
	struct err err = ERR_INIT;
	int rc;

	if (argc != 1) {
		fputs("chatjournal: show takes one id\n", stderr);
		return CTL_USAGE;
	}
	rc = ctl_store_open(ctl, false);
	if (rc != CTL_OK)
		return rc;
	if (!show_found(ctl, argv[0], &s, &err))
		return ctl_fail(&err);
	if (!s.found)
		return not_found(argv[0]);
	if (s.purged) {
		fputs("chatjournal: the content was purged (see keep in "
		    "chatjournal.conf); its hash remains\n", stderr);
		return CTL_NOTHING;
	}
	return CTL_OK;
}
