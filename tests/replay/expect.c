/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The expectations of a scenario. Turns are looked at through the store's
 * trace; mails are read as the archive gets them.
 */
#include "expect.h"

#include <inttypes.h>
#include <string.h>

#include "conf.h"
#include "err.h"
#include "golden.h"
#include "mail_read.h"
#include "record.h"
#include "script.h"
#include "world.h"

#define REALM "whatsapp|900100200300400"

/* ---- turns ------------------------------------------------------------------- */

struct looked {
	const char *wamid;
	int64_t turn_id;	/* of the item with this wamid */
	const char *state;	/* of the turn */
	char *reason;
};

static char *
detail_of(const struct store_fact *f, const char *name)
{
	g_auto(GStrv) words = NULL;
	g_autofree char *begin = g_strconcat(name, "=", NULL);

	if (f->detail == NULL)
		return NULL;
	words = g_strsplit(f->detail, " ", -1);
	for (size_t i = 0; words[i] != NULL; i++) {
		if (g_str_has_prefix(words[i], begin))
			return g_strdup(words[i] + strlen(begin));
	}
	return NULL;
}

static bool
find_item(void *arg, const struct store_fact *f)
{
	struct looked *k = arg;
	g_autofree char *id = detail_of(f, "id");

	if (strcmp(f->what, "filed") == 0 && g_strcmp0(id, k->wamid) == 0)
		k->turn_id = f->turn_id;
	return true;
}

static bool
find_state(void *arg, const struct store_fact *f)
{
	struct looked *k = arg;

	if (f->turn_id != k->turn_id)
		return true;
	if (strcmp(f->what, "closed") == 0) {
		k->state = "closed";
		g_free(k->reason);
		k->reason = detail_of(f, "reason");
	}
	if (strcmp(f->what, "held") == 0)
		k->state = "held";
	if (strcmp(f->what, "rendered") == 0)
		k->state = "rendered";
	if (strcmp(f->what, "parked") == 0 && f->event_id == 0)
		k->state = "parked";
	return true;
}

int64_t
expect_turn_of(struct world *w, const char *id)
{
	g_autofree char *wamid = world_wamid(id);
	struct looked k = { .wamid = wamid };
	struct err err = ERR_INIT;

	if (!store_trace(w->store, wamid, find_item, &k, &err))
		world_fail(w, "trace: %s", err.text);
	return k.turn_id;
}

static void
check_turn_items(struct world *w, int64_t turn, char **ids)
{
	g_autoptr(GArray) items = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 1; ids[i] != NULL; i++) {
		if (expect_turn_of(w, ids[i]) != turn)
			world_fail(w, "%s is in another turn than %s", ids[i],
			    ids[0]);
	}
	if (!store_turn_item_list(w->store, turn, &items, &err))
		world_fail(w, "turn_items: %s", err.text);
	else if (items->len != g_strv_length(ids))
		world_fail(w, "the turn of %s has %u items", ids[0],
		    items->len);
}

static void
expect_turn(struct world *w, struct script_line *l)
{
	const char *list = script_take(l), *state = script_take(l);
	const char *reason = script_take(l);
	g_auto(GStrv) ids = g_strsplit(list != NULL ? list : "", ",", -1);
	g_autofree char *name = NULL;
	struct looked k = { .state = "open" };
	struct err err = ERR_INIT;

	k.turn_id = ids[0] != NULL ? expect_turn_of(w, ids[0]) : 0;
	if (k.turn_id == 0) {
		world_fail(w, "%s is in no turn", ids[0]);
		return;
	}
	check_turn_items(w, k.turn_id, ids);
	name = g_strdup_printf("turn:%" PRId64, k.turn_id);
	if (!store_trace(w->store, name, find_state, &k, &err))
		world_fail(w, "trace: %s", err.text);
	if (g_strcmp0(state, k.state) != 0)
		world_fail(w, "the turn of %s is %s", ids[0], k.state);
	if (reason != NULL && g_strcmp0(reason, k.reason) != 0)
		world_fail(w, "the turn of %s was closed because: %s", ids[0],
		    k.reason);
	g_free(k.reason);
}

/* ---- which mail ---------------------------------------------------------------- */

static bool
has_id(const struct world_mail *m, const char *wamid)
{
	for (guint i = 0; i < m->ids->len; i++) {
		if (strcmp(m->ids->pdata[i], wamid) == 0)
			return true;
	}
	return false;
}

/*
 * The first mail of the journal (NULL: any) that holds the item; "file/A" is
 * the one that brings a file of A later, "alert/A" one that tells of its turn.
 */
static const struct world_mail *
mail_of(struct world *w, const char *id, const char *journal)
{
	bool later = g_str_has_prefix(id, "file/");
	bool alert = g_str_has_prefix(id, "alert/");
	const char *of = strchr(id, '/') != NULL ? strchr(id, '/') + 1 : id;
	g_autofree char *wamid = world_wamid(of);
	int64_t turn = alert ? expect_turn_of(w, of) : 0;

	for (guint i = 0; i < w->mails->len; i++) {
		const struct world_mail *m = w->mails->pdata[i];

		if (journal != NULL && strcmp(m->journal, journal) != 0)
			continue;
		if (alert ? m->is_alert && m->turn_id == turn :
		    has_id(m, wamid) && m->is_follow_up == later &&
		    !m->is_part)
			return m;
	}
	return NULL;
}

/* "#3": the third mail of the store; else "A,B,C", in just this order. */
static const struct world_mail *
pick_mail(struct world *w, const char *list, const char *journal)
{
	g_auto(GStrv) ids = g_strsplit(list, ",", -1);
	g_autoptr(GString) has = g_string_new(NULL);
	const struct world_mail *m;
	guint n;

	if (*list == '#') {
		n = (guint)g_ascii_strtoull(list + 1, NULL, 10);
		if (n >= 1 && n <= w->mails->len)
			return w->mails->pdata[n - 1];
		world_fail(w, "there are %u mails", w->mails->len);
		return NULL;
	}
	m = mail_of(w, ids[0], journal);
	if (m == NULL) {
		world_fail(w, "no mail has %s", ids[0]);
		return NULL;
	}
	for (guint i = 0; i < m->ids->len; i++)
		g_string_append_printf(has, "%s%s", i > 0 ? "," : "",
		    g_str_has_prefix(m->ids->pdata[i], "wamid.") ?
		    (char *)m->ids->pdata[i] + 6 : (char *)m->ids->pdata[i]);
	if (m->is_follow_up || m->is_alert)
		return m;
	if (strcmp(has->str, list) != 0 && !g_str_has_suffix(list, ",…"))
		world_fail(w, "the mail has %s", has->str);
	return m;
}

/* ---- what is asked of a mail ----------------------------------------------------- */

struct found {
	int64_t id, attempts;
	const char *state;
};

static bool
find_outcome(void *arg, const struct store_row *row)
{
	struct found *f = arg;

	if (row->mail_id == f->id) {
		f->state = row->state;
		f->attempts = row->attempts;
	}
	return f->state == NULL;
}

static void
check_outcome(struct world *w, const struct world_mail *m,
    struct script_line *l)
{
	static const enum store_list_what whats[] = { STORE_LIST_PENDING,
		STORE_LIST_SENT, STORE_LIST_DEFERRED, STORE_LIST_FAILED };
	static const char *const names[] = { "pending", "sent", "deferred",
		"failed" };
	const char *state = script_take(l), *n = script_get(l, "attempts");
	struct found f = { .id = m->id };
	struct err err = ERR_INIT;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(whats) && f.state == NULL; i++) {
		if (!store_list(w->store, whats[i], m->journal, 0, INT32_MAX,
		    find_outcome, &f, &err))
			world_fail(w, "list: %s", err.text);
	}
	if (f.state == NULL || (state != NULL &&
	    strcmp(state, names[i - 1]) != 0))
		world_fail(w, "the mail is %s", f.state != NULL ?
		    names[i - 1] : "nowhere");
	if (n != NULL && g_ascii_strtoll(n, NULL, 10) != f.attempts)
		world_fail(w, "the mail has %" PRId64 " attempts", f.attempts);
}

/* One after another; NULL if there is none. */
static char *
all_fields(const struct world_mail *m, const char *name)
{
	GString *all = g_string_new(NULL);
	const char *value;

	for (guint i = 0; (value = mail_field(m->inner, name, i)) != NULL; i++)
		g_string_append_printf(all, "%s%s", i > 0 ? ", " : "", value);
	return g_string_free(all, mail_field(m->inner, name, 0) == NULL);
}

/* What a word is about: a part's text, or a header field. */
static char *
subject_of(const struct world_mail *m, const char *name)
{
	static const char *const shorts[][2] = {
		{ "event", "X-ChatJournal-Event" },
		{ "author", "X-ChatJournal-Author" },
		{ "employee", "X-ChatJournal-Employee" },
		{ "business", "X-ChatJournal-Business" },
		{ "counterpart", "X-ChatJournal-Counterpart" },
		{ "types", "X-ChatJournal-Types" },
		{ "captured", "X-ChatJournal-Captured" },
		{ "policy", "X-ChatJournal-Policy" },
		{ "flag", "X-ChatJournal-Flag" },
		{ "retention", "X-ChatJournal-Retention" },
		{ "review", "X-ChatJournal-Review" },
		{ "excluded", "X-ChatJournal-Excluded" },
		{ "send", "X-ChatJournal-Send" },
		{ "alert", "X-ChatJournal-Alert" },
		{ "media", "X-ChatJournal-Media" },
	};

	if (strcmp(name, "text") == 0)
		return mail_text(m->inner, "text/plain");
	if (strcmp(name, "html") == 0)
		return mail_text(m->inner, "text/html");
	if (strcmp(name, "outer") == 0)
		return mail_text(m->read, "text/plain");
	for (size_t i = 0; i < G_N_ELEMENTS(shorts); i++) {
		if (strcmp(name, shorts[i][0]) == 0)
			name = shorts[i][1];
	}
	return all_fields(m, name);
}

static void
check_word(struct world *w, const struct world_mail *m, struct script_word *k)
{
	g_autofree char *got = subject_of(m, k->name);
	const char *what = got != NULL ? got : "missing";

	k->used = true;
	switch (k->op) {
	case SCRIPT_IS:
		if (g_strcmp0(got, k->value) != 0)
			world_fail(w, "%s is %s", k->name, what);
		break;
	case SCRIPT_HAS:
		if (got == NULL || strstr(got, k->value) == NULL)
			world_fail(w, "%s lacks \"%s\": %s", k->name,
			    k->value, what);
		break;
	case SCRIPT_HAS_NOT:
		if (got != NULL && strstr(got, k->value) != NULL)
			world_fail(w, "%s has \"%s\"", k->name, k->value);
		break;
	case SCRIPT_NONE:
		if (got != NULL)
			world_fail(w, "%s is %s", k->name, got);
		break;
	case SCRIPT_PLAIN:
		break;
	}
}

static void
check_reply(struct world *w, const struct world_mail *m, const char *to)
{
	const struct world_mail *parent = mail_of(w, to, NULL);
	const char *got = mail_field(m->inner, "In-Reply-To", 0);
	g_autofree char *want = parent == NULL ? NULL : g_strconcat("<",
	    parent->message_id, ">", NULL);

	if (want == NULL || g_strcmp0(got, want) != 0)
		world_fail(w, "the mail answers %s", got != NULL ? got :
		    "nothing");
}

static void
expect_mail(struct world *w, struct script_line *l)
{
	const char *list = script_take(l), *to = script_get(l, "answers");
	const char *golden = script_get(l, "golden");
	const struct world_mail *m = pick_mail(w, list != NULL ? list : "",
	    script_get(l, "journal"));

	if (m == NULL)
		return;
	check_outcome(w, m, l);
	if (to != NULL)
		check_reply(w, m, to);
	if (golden != NULL)
		golden_check(w, m, golden);
	for (guint i = 0; i < l->words->len; i++) {
		struct script_word *k = l->words->pdata[i];

		if (k->name != NULL && !k->used)
			check_word(w, m, k);
	}
}

static void
expect_no(struct world *w, struct script_line *l)
{
	const char *what = script_take(l), *id = script_take(l);

	if (g_strcmp0(what, "mail") != 0 || id == NULL)
		world_fail(w, "expect no mail of what?");
	else if (mail_of(w, id, script_get(l, "journal")) != NULL)
		world_fail(w, "there is a mail with %s", id);
}

/* ---- numbers, conversations ------------------------------------------------------- */

static void
compare(struct world *w, struct script_line *l, const char *name, int64_t got)
{
	const char *want = script_get(l, name);

	if (want != NULL && g_ascii_strtoll(want, NULL, 10) != got)
		world_fail(w, "%s is %" PRId64, name, got);
}

static int64_t
count_alerts(const struct world *w)
{
	int64_t n = 0;

	for (guint i = 0; i < w->mails->len; i++)
		n += ((const struct world_mail *)w->mails->pdata[i])->is_alert;
	return n;
}

static bool
count_ask(void *n, int64_t id, const char *kind, const char *value,
    int64_t at_ms)
{
	(void)kind;
	(void)value;
	(void)at_ms;
	*(int64_t *)n = id;
	return true;
}

/* How often the directory role was asked: what is asked again counts anew. */
static int64_t
count_asks(struct world *w)
{
	struct err err = ERR_INIT;
	int64_t n = 0;

	if (!store_ask_list(w->store, STORE_BUILD, 0, INT32_MAX, count_ask,
	    &n, &err))
		world_fail(w, "asks: %s", err.text);
	return n;
}

static void
expect_count(struct world *w, struct script_line *l)
{
	struct store_status s = { 0 };
	struct err err = ERR_INIT;

	if (!store_status(w->store, &s, &err)) {
		world_fail(w, "status: %s", err.text);
		return;
	}
	compare(w, l, "events", s.events);
	compare(w, l, "unread", s.events_unread);
	compare(w, l, "purged", s.events_purged);
	compare(w, l, "parked-events", s.events_parked);
	compare(w, l, "items", s.items);
	compare(w, l, "repeats", s.sightings);
	compare(w, l, "differing", s.sightings_differ);
	compare(w, l, "open", s.turns_open);
	compare(w, l, "rendered", s.turns_rendered);
	compare(w, l, "parked-turns", s.turns_parked);
	compare(w, l, "held", s.turns_held);
	compare(w, l, "excluded", s.turns_excluded);
	compare(w, l, "records", s.records);
	compare(w, l, "alerts", count_alerts(w));
	compare(w, l, "asks", count_asks(w));
	compare(w, l, "waiting", s.turns_waiting);
	compare(w, l, "files-wanted", s.files_wanted);
	compare(w, l, "mails", w->mails->len);
	compare(w, l, "turns-a-step", w->most_turns);
	compare(w, l, "taken", g_hash_table_size(w->taken));
	compare(w, l, "taken-again", w->taken_again);
	store_status_clear(&s);
}

static void
expect_conversation(struct world *w, struct script_line *l)
{
	const char *a = script_take(l), *how = script_take(l);
	const char *b = script_take(l);
	const struct world_mail *x, *y;
	bool same;

	if (b == NULL) {
		world_fail(w, "expect conversation A same|other B");
		return;
	}
	x = mail_of(w, a, NULL);
	y = mail_of(w, b, NULL);
	if (x == NULL || y == NULL) {
		world_fail(w, "no mail has %s", x == NULL ? a : b);
		return;
	}
	same = g_strcmp0(mail_field(x->inner, "Conversation-ID", 0),
	    mail_field(y->inner, "Conversation-ID", 0)) == 0;
	if (same != (strcmp(how, "same") == 0))
		world_fail(w, "%s and %s are %s", a, b, same ?
		    "in one conversation" : "in two conversations");
}

/* ---- what is known of people -------------------------------------------------------- */

struct knowing {
	const char *kind;
	GString *values;	/* that hold now, by time */
};

static bool
add_known(void *arg, const struct store_identity *id)
{
	struct knowing *k = arg;

	if (id->until_ms == 0 && strcmp(id->kind, k->kind) == 0)
		g_string_append_printf(k->values, "%s%s",
		    k->values->len > 0 ? "," : "", id->value);
	return true;
}

/* known VALUE KIND="…": what holds of all who ever had the value. */
static void
expect_known(struct world *w, struct script_line *l)
{
	const char *of = script_take(l);
	struct err err = ERR_INIT;

	for (guint i = 0; of != NULL && i < l->words->len; i++) {
		struct script_word *word = l->words->pdata[i];
		g_autoptr(GString) values = g_string_new(NULL);
		struct knowing k = { word->name, values };

		if (word->op != SCRIPT_IS)
			continue;
		word->used = true;
		if (!store_identity_trace(w->store, of, add_known, &k, &err))
			world_fail(w, "identity: %s", err.text);
		else if (strcmp(values->str, word->value) != 0)
			world_fail(w, "of %s is known %s %s", of, word->name,
			    values->str);
	}
}

/* ---- what was learned for the sake of sends ------------------------------------------ */

static void
expect_same(struct world *w, const char *what, const char *got,
    const char *want)
{
	if (g_strcmp0(got != NULL ? got : "nothing", want) != 0)
		world_fail(w, "%s: %s", what, got != NULL ? got : "nothing");
}

/* consent NUMBER given|withdrawn|nothing */
static void
expect_consent(struct world *w, struct script_line *l)
{
	const char *number = script_take(l), *want = script_take(l);
	g_autofree char *id = g_strconcat("n:", number, NULL);
	g_autofree char *person = NULL, *state = NULL;
	struct err err = ERR_INIT;

	if (!store_alias_get(w->store, REALM, id, &person, &err) ||
	    (person != NULL && !store_consent_get(w->store, REALM, person,
	    INT64_MAX, &state, &err)))
		world_fail(w, "consent: %s", err.text);
	expect_same(w, "consent", state, want);
}

/* account BUSINESS ID */
static void
expect_account(struct world *w, struct script_line *l)
{
	const char *business = script_take(l), *want = script_take(l);
	g_autofree char *account = NULL;
	struct err err = ERR_INIT;

	if (!store_alias_get(w->store, "account", business, &account, &err))
		world_fail(w, "account: %s", err.text);
	expect_same(w, "account", account, want);
}

/* resolved NAME A: the send of this name left as A */
static void
expect_resolved(struct world *w, struct script_line *l)
{
	const char *name = script_take(l), *want = script_take(l);
	g_autofree char *key = record_key(name), *wamid = NULL;
	const char *id = NULL;
	struct err err = ERR_INIT;

	if (!store_resolution_get(w->store, key, &wamid, &err))
		world_fail(w, "resolution: %s", err.text);
	if (wamid != NULL)
		id = strchr(wamid, '.') + 1;
	expect_same(w, "the send left as", id, want);
}

static bool
take_change(void *arg, int64_t id, const char *account, const char *name,
    const char *language)
{
	GString *all = arg;

	(void)id, (void)account;
	g_string_append_printf(all, "%s%s/%s", all->len > 0 ? "," : "", name,
	    language);
	return true;
}

/* templates-changed NAME/LANGUAGE,… */
static void
expect_changed(struct world *w, struct script_line *l)
{
	g_autoptr(GString) all = g_string_new(NULL);
	struct err err = ERR_INIT;

	if (!store_template_change_list(w->store, 0, INT32_MAX, take_change,
	    all, &err))
		world_fail(w, "template changes: %s", err.text);
	expect_same(w, "templates changed", all->len > 0 ? all->str : NULL,
	    script_take(l));
}

void
expect_line(struct world *w, struct script_line *l)
{
	static const struct {
		const char *word;
		void (*check)(struct world *w, struct script_line *l);
	} kinds[] = { { "turn", expect_turn }, { "mail", expect_mail },
		{ "no", expect_no }, { "count", expect_count },
		{ "conversation", expect_conversation },
		{ "known", expect_known }, { "consent", expect_consent },
		{ "account", expect_account },
		{ "resolved", expect_resolved },
		{ "templates-changed", expect_changed } };
	const char *word = script_take(l);

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (g_strcmp0(word, kinds[i].word) == 0) {
			kinds[i].check(w, l);
			return;
		}
	}
	world_fail(w, "expect %s?", word);
}
