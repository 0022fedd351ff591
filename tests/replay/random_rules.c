/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever the rules say, nothing gets lost. Random sets of rules over all
 * events of tests/events and all records of tests/records, with officers who
 * release, reject or let time pass, and restarts: in the end the law of
 * conservation holds, every item is in exactly one mail, and the mails have the
 * Message-IDs that they have without rules. Where no rule holds or excludes,
 * they also have the same items and the same evidence attached. And nothing
 * leaks (leaks.h): what is withheld is in no mail, alert or log line, and each
 * turn is in the journals where it belongs, and in no others.
 *
 * RULES_SETS=N: so many sets; RULES_FROM=N: the first of them, to see one again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "conf.h"
#include "deliver.h"
#include "err.h"
#include "io.h"
#include "leaks.h"
#include "log.h"
#include "mail_read.h"
#include "world.h"

#define SETS 6
#define LEAST_POSTS 220
#define LEAST_FIRED 20
#define FILE_MAX (64 << 20)
#define RULES_MAX 8
#define GAP_MS 1500
#define MARKS_MAX 12
#define LEAST_WITHHELD 20

/* ---- chance, the same each time ---------------------------------------------- */

static uint64_t seed;

static guint
below(guint n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (guint)(seed >> 33) % n;
}

#define PICK(list) (list)[below(G_N_ELEMENTS(list))]

/* ---- rules --------------------------------------------------------------------- */

static const char *const conditions[] = {
	"always", "direction received", "direction sent", "at capture",
	"kind message", "kind receipt edit reaction", "kind attempt",
	"kind system group call account notice gap history", "type text",
	"type image document audio video", "type template interactive",
	"author customer", "author staff bot", "author network",
	"text a de the o", "text hello card contract", "text-size over 20",
	"detect card cpf iban email phone", "link-host *",
	"script cyrillic arabic", "new-counterpart", "consent unknown",
	"consent withdrawn", "application crm", "media-type image/*",
	"file-name *.pdf", "malware unscanned", "customer unknown",
	"business 700111222333444", "age over 1h", "time office",
	"lexicon words", "pattern digits", "template *", "group Compliance",
};
static const char *const mild[] = {
	"tag one", "tag two three", "flag", "retain short", "retain long",
	"journal extra", "copy super", "alert", "alert super",
	"only-journal extra", "only-journal extra super",
	"consent given", "consent withdrawn", "block \"no\"",
	"append \"bye\"", "prepend \"hello\" once conversation",
	"require-consent \"ask\"", "require-notice \"we record\"",
	"approve persons 2",
};
static const char *const harsh[] = { "hold", "hold persons 2",
	"hold max 5m", "hold persons 3 max 2h", "exclude", "quarantine" };

static void
add_condition(GString *out, int depth)
{
	guint way = depth > 2 ? 9 : below(10);

	if (way == 0) {
		g_string_append(out, "not { ");
		add_condition(out, depth + 1);
		g_string_append(out, " }");
	} else if (way <= 2) {
		g_string_append(out, way == 1 ? "any { " : "all { ");
		add_condition(out, depth + 1);
		g_string_append(out, " ");
		add_condition(out, depth + 1);
		g_string_append(out, " }");
	} else {
		g_string_append_printf(out, "%s;", PICK(conditions));
	}
}

static void
add_rule(GString *out, guint number, bool is_mild)
{
	g_string_append_printf(out, "rule r%u {\n", number);
	for (guint n = 1 + below(2); n > 0; n--) {
		g_string_append(out, "match ");
		add_condition(out, 0);
		g_string_append_c(out, '\n');
	}
	if (below(5) == 0)
		g_string_append_printf(out, "count %u customers 1d%s;\n",
		    1 + below(4), below(2) == 0 ? " per business" : "");
	for (guint n = 1 + below(3); n > 0; n--)
		g_string_append_printf(out, "action %s;\n",
		    !is_mild && below(3) == 0 ? PICK(harsh) : PICK(mild));
	g_string_append_printf(out, "%s}\n", below(6) == 0 ? "final;\n" : "");
}

static struct leaks *leaks;
static GPtrArray *excluded;	/* char *: marks that the first rule asks for */

/* What it excludes is known without asking what judged it. */
static void
add_exclusion(GString *out)
{
	const GPtrArray *marks = leaks_marks(leaks);

	g_string_append(out, "rule marked {\nmatch text");
	for (guint n = 1 + below(MARKS_MAX); n > 0; n--) {
		const char *mark = marks->pdata[below(marks->len)];

		g_ptr_array_add(excluded, g_strdup(mark));
		g_string_append_printf(out, " %s", mark);
	}
	g_string_append(out, ";\naction exclude;\n}\n");
}

static void
add_rules(GString *out, bool is_mild)
{
	guint n = 1 + below(RULES_MAX);

	g_string_append(out, "alert_every 10m;\nhold_max 1h;\n"
	    "window office { hours mon-fri 08:00-14:05; }\n"
	    "pattern digits \"[0-9]{4}\";\n"
	    "lexicon words { file words.txt; }\n");
	g_ptr_array_set_size(excluded, 0);
	if (!is_mild && below(2) == 0)
		add_exclusion(out);
	for (guint i = 1; i <= n; i++)
		add_rule(out, i, is_mild);
}

/* ---- a day ------------------------------------------------------------------------ */

struct post {
	GBytes *body;
	bool is_record;
};

static GPtrArray *posts;	/* struct post *, in a mixed order */
static guint marks = 1;		/* the next one */
static int log_fd = -1;

static gint
by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
load(const char *srcdir, const char *kind, bool is_record)
{
	g_autofree char *in = g_build_filename(srcdir, "tests", kind, NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) d = g_dir_open(in, 0, NULL);
	const char *name;

	while (d != NULL && (name = g_dir_read_name(d)) != NULL) {
		if (g_str_has_suffix(name, ".json"))
			g_ptr_array_add(names, g_strdup(name));
	}
	g_ptr_array_sort(names, by_name);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path = g_build_filename(in, names->pdata[i],
		    NULL);
		struct post *p = g_new0(struct post, 1);
		g_autoptr(GBytes) bytes = NULL;

		p->is_record = is_record;
		if (!io_file_load(path, FILE_MAX, &bytes, NULL))
			exit(1);
		p->body = leaks_mark(bytes, &marks);
		leaks_learn(leaks, p->body, is_record);
		g_ptr_array_insert(posts, (gint)below(posts->len + 1), p);
	}
}

/* ---- files: each is there at once, or never --------------------------------------- */

static bool
take_want(void *arg, const struct store_want *want,
    const struct store_fetch *f)
{
	if (f->state == STORE_FETCH_NONE)
		g_array_append_val((GArray *)arg, want->id);
	return true;
}

static char *
write_file(struct world *w, struct store_fetch *f)
{
	g_autofree char *text = leaks_file(f->want_id);
	g_autofree char *place = NULL, *in = NULL;
	char *name;

	f->size = (int64_t)strlen(text);
	hash_sha256(text, strlen(text), f->sha256);
	name = hash_path(f->sha256);
	place = g_build_filename(store_dir(w->fetching, STORE_DIR_MEDIA),
	    name, NULL);
	in = g_path_get_dirname(place);
	if (g_mkdir_with_parents(in, 0700) != 0 ||
	    !g_file_set_contents(place, text, -1, NULL))
		world_fail(w, "cannot write %s", place);
	return name;
}

static void
fetch(struct world *w, int64_t want_id)
{
	static const enum store_fetch_state states[] = { STORE_UNAVAILABLE,
		STORE_QUARANTINED, STORE_FETCHED, STORE_FETCHED };
	struct store_fetch f = { .want_id = want_id, .attempts = 1,
		.first_ms = w->now_ms, .done_ms = w->now_ms,
		.type = "text/plain", .verdict = "clean",
		.state = states[want_id % (int)G_N_ELEMENTS(states)] };
	g_autofree char *path = NULL;

	if (f.state == STORE_UNAVAILABLE)
		f.reason = "forgotten";
	else
		f.path = path = write_file(w, &f);
	store_fetch_set(w->fetching, &f);
}

static void
fetch_all(struct world *w)
{
	g_autoptr(GArray) wants = g_array_new(FALSE, FALSE, sizeof(int64_t));
	struct err err = ERR_INIT;

	world_settle(w);
	if (!store_want_list(w->fetching, 0, INT32_MAX, take_want, wants,
	    &err))
		world_fail(w, "wants: %s", err.text);
	store_begin(w->fetching);
	for (guint i = 0; i < wants->len; i++)
		fetch(w, g_array_index(wants, int64_t, i));
	if (!store_commit(w->fetching, &err))
		world_fail(w, "fetch: %s", err.text);
	world_settle(w);
}

/* ---- the day itself ------------------------------------------------------------------ */

static void
check_law(struct world *w)
{
	g_autofree char *why = NULL;
	struct err err = ERR_INIT;
	bool ok = false;

	if (!store_law_check(w->store, &ok, &why, &err) || !ok)
		world_fail(w, "on the way the law is broken: %s",
		    why != NULL ? why : err.text);
}

static bool
take_held(void *arg, const struct store_hold *h)
{
	g_array_append_val((GArray *)arg, h->turn_id);
	return true;
}

/* An officer looks at some of what is held. */
static void
decide(struct world *w)
{
	static const char *const who[] = { "ana", "bob", "eva" };
	g_autoptr(GArray) held = g_array_new(FALSE, FALSE, sizeof(int64_t));
	struct err err = ERR_INIT;
	int64_t id;

	store_hold_list(w->store, 0, 100, take_held, held, &err);
	for (guint i = 0; i < held->len; i++) {
		struct store_review r = { .who = PICK(who), .why = "so",
			.at_ms = w->now_ms, .verb = below(3) == 0 ? "reject" :
			"release",
			.turn_id = g_array_index(held, int64_t, i) };

		if (below(3) > 0)
			continue;
		store_begin(w->admin);
		store_review_add(w->admin, &r, &id);
		/* Refused: the same person did the same before. */
		store_commit(w->admin, &err);
	}
	world_settle(w);
}

static bool
withholds(const struct world *w)
{
	return strstr(w->policy->str, "action hold") != NULL ||
	    strstr(w->policy->str, "action exclude") != NULL;
}

static void
live(struct world *w)
{
	leaks_begin(leaks, excluded);
	for (guint i = 0; i < posts->len && !world_failed(w); i++) {
		const struct post *p = posts->pdata[i];
		gsize len;
		const void *body = g_bytes_get_data(p->body, &len);

		w->line = (int)i;
		(p->is_record ? world_record : world_post)(w, body, len);
		fetch_all(w);
		if (i % 3 == 0)
			world_pass(w, w->now_ms + GAP_MS);
		if (i % 31 == 30)
			decide(w);
		if (i % 101 == 100)
			world_restart(w);
		if (i % 67 == 66)
			check_law(w);
		leaks_look(leaks, w, withholds(w));
	}
	if (!world_failed(w))
		world_finish(w);
	if (!world_failed(w))
		law_check(w);
	if (!world_failed(w))
		leaks_check(leaks, w, log_fd);
}

/* ---- what came of it ----------------------------------------------------------------- */

/* What a mail is about: its items; and, to be exact, what it has attached. */
static void
add_part(GString *out, const struct mail_part *p)
{
	const char *how = mail_field(p, "Content-Disposition", 0);
	g_autofree char *name = how != NULL ? mail_param(how, "filename") :
	    NULL;
	uint8_t digest[HASH_SIZE];
	char hex[HASH_HEX_SIZE];
	gsize len;
	const void *data;

	for (guint i = 0; i < p->parts->len; i++)
		add_part(out, p->parts->pdata[i]);
	if (name == NULL)
		return;
	data = g_bytes_get_data(p->content, &len);
	hash_sha256(data, len, digest);
	g_string_append_printf(out, " %s", hash_hex(digest, hex));
}

static char *
told_by(const struct world_mail *m, bool is_exact)
{
	g_autoptr(GString) out = g_string_new(m->message_id);
	const char *value;

	for (guint i = 0; is_exact && (value = mail_field(m->inner,
	    "X-ChatJournal-Item", i)) != NULL; i++)
		g_string_append_printf(out, " %s", value);
	if (is_exact)
		add_part(out, m->inner);
	return g_strdup(out->str);
}

/* One line for each turn, whichever journals it went to. */
static GHashTable *
summarise(const struct world *w, bool is_exact)
{
	GHashTable *sum = g_hash_table_new_full(g_str_hash, g_str_equal,
	    g_free, NULL);

	for (guint i = 0; i < w->mails->len; i++) {
		const struct world_mail *m = w->mails->pdata[i];

		if (!m->is_alert)
			g_hash_table_add(sum, told_by(m, is_exact));
	}
	return sum;
}

static void
compare(struct world *w, GHashTable *want, GHashTable *got)
{
	GHashTableIter it;
	gpointer line;

	if (g_hash_table_size(want) != g_hash_table_size(got))
		world_fail(w, "%u turns are journaled, and %u without rules",
		    g_hash_table_size(got), g_hash_table_size(want));
	g_hash_table_iter_init(&it, want);
	while (g_hash_table_iter_next(&it, &line, NULL)) {
		if (!g_hash_table_contains(got, line))
			world_fail(w, "not journaled as it is without rules: "
			    "%s", (char *)line);
	}
}

/* ---- runs ---------------------------------------------------------------------------- */

static struct world *
begin(const char *srcdir, const char *name)
{
	struct world *w = world_new(srcdir, name);
	g_autofree char *words = g_build_filename(w->dir, "words.txt", NULL);

	world_conf(w, "graph { token_file /dev/null; }");
	world_conf(w, "journal extra { relay local; to e@archive.example; "
	    "from wa-journal@bank.example; }");
	world_conf(w, "journal super { relay local; to s@archive.example; "
	    "from wa-journal@bank.example; }");
	world_conf(w, "journal desk { relay local; to d@archive.example; "
	    "from wa-journal@bank.example; }");
	g_string_append(w->directory, "business 700111222333444 { number "
	    "551140000001; name P; desk pb; journal archive; journal desk; "
	    "}\n");
	g_file_set_contents(words, "hello\nof the\nsua conta = 7\n", -1, NULL);
	return w;
}

static GHashTable *plain, *exact;	/* without rules */
static int64_t fired;

static void
count_fired(const struct world *w)
{
	for (guint i = 0; i < w->mails->len; i++) {
		const struct world_mail *m = w->mails->pdata[i];
		const char *policy = mail_field(m->inner,
		    "X-ChatJournal-Policy", 0);

		fired += policy != NULL && strstr(policy, "rules=") != NULL;
	}
}

static bool
try_set(const char *srcdir, int number)
{
	g_autofree char *name = g_strdup_printf("set-%d", number);
	struct world *w = begin(srcdir, name);
	bool is_mild = number % 2 == 0, ok;
	g_autoptr(GHashTable) got = NULL;

	seed = 1000003u * (uint64_t)number + 17;
	add_rules(w->policy, is_mild);
	live(w);
	got = summarise(w, is_mild);
	if (!world_failed(w))
		compare(w, is_mild ? exact : plain, got);
	count_fired(w);
	ok = !world_failed(w);
	if (!ok)
		printf("# RULES_FROM=%d RULES_SETS=1, with the rules\n%s"
		    "# %s\n", number, w->policy->str, w->complaints->str);
	world_free(w);
	return ok;
}

static bool
live_without(const char *srcdir)
{
	struct world *w = begin(srcdir, "without");
	bool ok;

	live(w);
	plain = summarise(w, false);
	exact = summarise(w, true);
	ok = !world_failed(w) && posts->len >= LEAST_POSTS;
	printf("# %u events and records, %u turns%s%s\n", posts->len,
	    g_hash_table_size(plain), ok ? "" : ": ", w->complaints->str);
	world_free(w);
	return ok;
}

static int
number_of(const char *name, int usual)
{
	const char *value = getenv(name);

	return value != NULL ? (int)strtol(value, NULL, 10) : usual;
}

static void
say(bool ok, int number, const char *sentence)
{
	printf("%sok %d - %s\n", ok ? "" : "not ", number, sentence);
	fflush(stdout);
}

static void
free_post(gpointer p)
{
	g_bytes_unref(((struct post *)p)->body);
	g_free(p);
}

int
main(void)
{
	const char *env = getenv("SRCDIR");
	g_autofree char *srcdir = g_canonicalize_filename(
	    env != NULL ? env : ".", NULL);
	int sets = number_of("RULES_SETS", SETS);
	int from = number_of("RULES_FROM", 1);
	bool ok, all = true, some;

	log_fd = memfd_create("log", MFD_CLOEXEC);
	log_open_fd(log_fd, 0, LOG_LEVEL_DEBUG);
	deliver_init();
	printf("1..4\n");
	leaks = leaks_new();
	excluded = g_ptr_array_new_with_free_func(g_free);
	posts = g_ptr_array_new_with_free_func(free_post);
	seed = 42;
	load(srcdir, "events", false);
	load(srcdir, "records", true);
	ok = live_without(srcdir);
	say(ok, 1, "without rules every event and record is journaled");
	for (int i = from; i < from + sets; i++)
		all = try_set(srcdir, i) && all;
	say(all, 2, "whatever rules say, no item is lost, no mail is "
	    "another one, and nothing that is withheld is shown");
	printf("# rules fired in %" PRId64 " mails\n", fired);
	say(fired >= LEAST_FIRED, 3, "and the rules did fire");
	printf("# %u marks shown, %u times an item withheld\n",
	    leaks_shown(leaks), leaks_withheld(leaks));
	some = sets < SETS || (leaks_withheld(leaks) >= LEAST_WITHHELD &&
	    leaks_shown(leaks) > leaks_withheld(leaks));
	say(some, 4, "and they did withhold something");
	leaks_free(leaks);
	g_ptr_array_unref(excluded);
	g_ptr_array_unref(posts);
	g_hash_table_unref(plain);
	g_hash_table_unref(exact);
	return ok && all && some && fired >= LEAST_FIRED ? 0 : 1;
}
