/* SPDX-License-Identifier: Apache-2.0 */
#include "leaks.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf.h"
#include "directory.h"
#include "err.h"
#include "item.h"
#include "mail_read.h"
#include "policy.h"
#include "wa.h"
#include "world.h"

#define MARK_LEN 8	/* "zq00012x" */

struct owner {
	char *key, *account, *number;
	GPtrArray *marks;	/* char * */
};

struct leaks {
	GHashTable *owners;	/* digest in hex -> struct owner */
	GHashTable *of_mark;	/* mark -> GPtrArray of struct owner */
	GPtrArray *asked;	/* marks in texts that rules look at */
	GHashTable *excluded;	/* marks */
	GHashTable *shown;	/* mark -> mail id + 1 */
	guint looked;
	unsigned n_shown, n_withheld;
};

/* ---- marks ----------------------------------------------------------------------- */

GBytes *
leaks_mark(GBytes *body, guint *next)
{
	static const char *const members[] = { "\"body\":\"",
		"\"caption\":\"", "\"text\":\"", "\"filename\":\"",
		"\"title\":\"", "\"description\":\"" };
	g_autoptr(GString) out = g_string_new(NULL);
	gsize len, i = 0;
	const char *data = g_bytes_get_data(body, &len);

	while (i < len) {
		size_t n = 0;

		for (size_t k = 0; k < G_N_ELEMENTS(members) && n == 0; k++) {
			size_t have = strlen(members[k]);

			if (len - i > have &&
			    memcmp(data + i, members[k], have) == 0)
				n = have;
		}
		g_string_append_len(out, data + i, n > 0 ? (gssize)n : 1);
		i += n > 0 ? n : 1;
		if (n > 0 && data[i] != '"')
			g_string_append_printf(out, "zq%05ux ", (*next)++);
	}
	return g_bytes_new(out->str, out->len);
}

char *
leaks_file(int64_t want_id)
{
	return g_strdup_printf("zf%05dx is what is in the file",
	    (int)want_id);
}

typedef void mark_fn(void *arg, const char *mark);

static void
find_marks(const char *text, size_t len, char kind, mark_fn *fn, void *arg)
{
	const char *end = text + len, *p = text;

	while ((p = memchr(p, 'z', (size_t)(end - p))) != NULL &&
	    end - p >= MARK_LEN) {
		char mark[MARK_LEN + 1] = "";

		memcpy(mark, p++, MARK_LEN);
		if (mark[1] == kind && mark[MARK_LEN - 1] == 'x' &&
		    strspn(mark + 2, "0123456789") == MARK_LEN - 3)
			fn(arg, mark);
	}
}

/* ---- whose they are ----------------------------------------------------------------- */

static void
free_owner(gpointer p)
{
	struct owner *o = p;

	g_free(o->key);
	g_free(o->account);
	g_free(o->number);
	g_ptr_array_unref(o->marks);
	g_free(o);
}

static void
free_array(gpointer p)
{
	g_ptr_array_unref(p);
}

static GHashTable *
new_set(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

struct leaks *
leaks_new(void)
{
	struct leaks *l = g_new0(struct leaks, 1);

	l->owners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    free_owner);
	l->of_mark = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    free_array);
	l->asked = g_ptr_array_new_with_free_func(g_free);
	l->excluded = new_set();
	l->shown = new_set();
	return l;
}

void
leaks_free(struct leaks *l)
{
	g_hash_table_unref(l->of_mark);
	g_hash_table_unref(l->owners);
	g_hash_table_unref(l->excluded);
	g_hash_table_unref(l->shown);
	g_ptr_array_unref(l->asked);
	g_free(l);
}

static char *
digest_of(const char *key)
{
	char *hex = g_malloc(HASH_HEX_SIZE);
	uint8_t digest[HASH_SIZE];

	store_key(key, digest);
	return hash_hex(digest, hex);
}

static struct owner *
owner_of(struct leaks *l, const struct item *it)
{
	g_autofree char *hex = digest_of(it->key);
	struct owner *o = g_hash_table_lookup(l->owners, hex);

	if (o != NULL)
		return o;
	o = g_new0(struct owner, 1);
	o->key = g_strdup(it->key);
	o->account = g_strdup(it->business.user_id);
	o->number = g_strdup(it->business.number);
	o->marks = g_ptr_array_new_with_free_func(g_free);
	g_hash_table_insert(l->owners, g_steal_pointer(&hex), o);
	return o;
}

struct pair {
	struct leaks *l;
	struct owner *o;
};

static void
take_mark(void *arg, const char *mark)
{
	struct pair *p = arg;
	GPtrArray *list = g_hash_table_lookup(p->l->of_mark, mark);

	if (list == NULL) {
		list = g_ptr_array_new();
		g_hash_table_insert(p->l->of_mark, g_strdup(mark), list);
	}
	if (!g_ptr_array_find(list, p->o, NULL)) {
		g_ptr_array_add(list, p->o);
		g_ptr_array_add(p->o->marks, g_strdup(mark));
	}
}

static void
take_asked(void *arg, const char *mark)
{
	g_ptr_array_add(((struct leaks *)arg)->asked, g_strdup(mark));
}

void
leaks_learn(struct leaks *l, GBytes *body, bool is_record)
{
	struct wa_limits limits = WA_LIMITS_DEFAULT;
	g_autoptr(GPtrArray) items = NULL;
	struct err err = ERR_INIT;
	gsize len;
	const void *data = g_bytes_get_data(body, &len);

	limits.max_bytes = len;
	if (!(is_record ? wa_record_parse : wa_parse)(data, len, &limits,
	    &items, &err))
		return;
	for (guint i = 0; i < items->len; i++) {
		const struct item *it = items->pdata[i];
		struct pair p = { l, owner_of(l, it) };

		if (it->raw != NULL)
			find_marks(it->raw, strlen(it->raw), 'q', take_mark,
			    &p);
		if (it->text != NULL && !is_record)
			find_marks(it->text, strlen(it->text), 'q',
			    take_asked, l);
	}
}

const GPtrArray *
leaks_marks(const struct leaks *l)
{
	return l->asked;
}

void
leaks_begin(struct leaks *l, const GPtrArray *excluded)
{
	g_hash_table_remove_all(l->shown);
	g_hash_table_remove_all(l->excluded);
	l->looked = 0;
	for (guint i = 0; excluded != NULL && i < excluded->len; i++)
		g_hash_table_add(l->excluded, g_strdup(excluded->pdata[i]));
}

unsigned
leaks_shown(const struct leaks *l)
{
	return l->n_shown;
}

unsigned
leaks_withheld(const struct leaks *l)
{
	return l->n_withheld;
}

/* ---- what became of an item ------------------------------------------------------------ */

static bool
take_end(void *arg, const struct store_hold *h)
{
	*(bool *)arg = g_strcmp0(h->end, "rejected") == 0;
	return false;
}

/* What was found of the turn: by item, or by all of it. */
static bool
is_taken(const char *json, const char *hex, const char *what)
{
	json_object *o = json_tokener_parse(json), *list, *item, *of;
	bool is = json_object_object_get_ex(o, what, NULL);

	if (is && json_object_object_get_ex(o, "taken", &list)) {
		is = false;
		for (size_t i = 0; i < json_object_array_length(list); i++) {
			of = json_object_array_get_idx(list, i);
			is |= json_object_object_get_ex(of, "item", &item) &&
			    strcmp(json_object_get_string(item), hex) == 0 &&
			    json_object_object_get_ex(of, what, NULL);
		}
	}
	json_object_put(o);
	return is;
}

static bool
is_judged(struct world *w, int64_t turn_id, const char *key, const char *what)
{
	g_autofree char *json = NULL, *hex = digest_of(key);
	struct err err = ERR_INIT;

	if (!store_judged_get(w->store, turn_id, &json, &err))
		world_fail(w, "judged: %s", err.text);
	return json != NULL && is_taken(json, hex, what);
}

/* Its own mail was made, and has its words. */
static bool
is_shown(struct world *w, const struct owner *o, bool withholds)
{
	struct store_place at = { 0 };
	struct turn t;
	bool rejected = false;
	char state[16] = "";
	struct err err = ERR_INIT;

	if (!store_item_find(w->store, o->key, &at, &err) || at.turn_id == 0 ||
	    !store_turn_get(w->store, at.turn_id, &t, state, NULL, &err))
		return true;	/* only recorded, or its event is parked */
	turn_clear(&t);
	if (strcmp(state, "rendered") != 0)
		return !withholds;
	store_hold_get(w->store, at.turn_id, take_end, &rejected, &err);
	return !rejected && !is_judged(w, at.turn_id, o->key, "exclude");
}

/* ---- mails ---------------------------------------------------------------------------- */

struct look {
	struct leaks *l;
	struct world *w;
	const struct world_mail *m;
	bool withholds;
};

static void
check_mark(struct look *k, const char *mark, int64_t mail_id)
{
	const GPtrArray *list = g_hash_table_lookup(k->l->of_mark, mark);
	bool ok = list == NULL;

	for (guint i = 0; !ok && i < list->len; i++)
		ok = is_shown(k->w, list->pdata[i], k->withholds);
	if (!ok)
		world_fail(k->w, "mail %" PRId64 " shows %s of %s, which is "
		    "withheld", mail_id, mark,
		    ((struct owner *)list->pdata[0])->key);
}

static void
take_shown(void *arg, const char *mark)
{
	struct look *k = arg;

	if (k->m->is_alert)
		world_fail(k->w, "the alert %" PRId64 " shows %s", k->m->id,
		    mark);
	if (g_hash_table_contains(k->l->excluded, mark))
		world_fail(k->w, "mail %" PRId64 " shows %s, which a rule "
		    "excludes", k->m->id, mark);
	if (g_hash_table_contains(k->l->shown, mark))
		return;
	g_hash_table_insert(k->l->shown, g_strdup(mark),
	    GINT_TO_POINTER((int)k->m->id));
	k->l->n_shown++;
	check_mark(k, mark, k->m->id);
}

static bool
take_file(void *arg, const struct store_want *want,
    const struct store_fetch *f)
{
	struct look *k = arg;
	const struct owner *o;
	char hex[HASH_HEX_SIZE];

	o = g_hash_table_lookup(k->l->owners, hash_hex(want->key, hex));
	if (f->state == STORE_QUARANTINED || (o != NULL &&
	    (!is_shown(k->w, o, k->withholds) ||
	    is_judged(k->w, want->turn_id, o->key, "quarantine"))))
		world_fail(k->w, "mail %" PRId64 " has file %" PRId64
		    ", which is withheld", k->m->id, want->id);
	return true;
}

static void
take_content(void *arg, const char *mark)
{
	struct look *k = arg;
	struct err err = ERR_INIT;

	if (!store_want_get(k->w->store, g_ascii_strtoll(mark + 2, NULL, 10),
	    take_file, k, &err))
		world_fail(k->w, "want: %s", err.text);
}

static void
look_at_text(struct look *k, const char *text, size_t len)
{
	find_marks(text, len, 'q', take_shown, k);
	find_marks(text, len, 'f', take_content, k);
}

static void
look_at_part(struct look *k, const struct mail_part *p)
{
	gsize len;
	const char *data = p->content != NULL ?
	    g_bytes_get_data(p->content, &len) : NULL;

	for (guint i = 0; i < p->values->len; i++)
		look_at_text(k, p->values->pdata[i],
		    strlen(p->values->pdata[i]));
	if (data != NULL)
		look_at_text(k, data, len);
	for (guint i = 0; i < p->parts->len; i++)
		look_at_part(k, p->parts->pdata[i]);
}

void
leaks_look(struct leaks *l, struct world *w, bool withholds)
{
	for (; l->looked < w->mails->len && !world_failed(w); l->looked++) {
		struct look k = { l, w, w->mails->pdata[l->looked],
			withholds };
		gsize len;
		const char *bytes = g_bytes_get_data(k.m->bytes, &len);

		look_at_text(&k, bytes, len);
		look_at_part(&k, k.m->read);
		if (k.m->inner != k.m->read)
			look_at_part(&k, k.m->inner);
	}
}

/* ---- journals -------------------------------------------------------------------------- */

static void
add_all(GHashTable *set, const GPtrArray *names)
{
	for (guint i = 0; i < names->len; i++)
		g_hash_table_add(set, g_strdup(names->pdata[i]));
}

/* False when one of its items is none that was posted. */
static bool
add_own(struct leaks *l, struct world *w, int64_t turn_id, GHashTable *set)
{
	g_autoptr(GArray) items = NULL;
	const struct directory_business *b;
	const struct owner *o = NULL;
	struct err err = ERR_INIT;
	char hex[HASH_HEX_SIZE];

	if (!store_turn_item_list(w->store, turn_id, &items, &err) ||
	    items->len == 0)
		return false;
	o = g_hash_table_lookup(l->owners, hash_hex(g_array_index(items,
	    struct store_turn_item, 0).key, hex));
	if (o == NULL)
		return false;
	b = directory_business_get(w->conf->directory, o->account, o->number);
	if (b != NULL)
		add_all(set, b->journals);
	else
		g_hash_table_add(set, g_strdup(w->conf->catch_all));
	return true;
}

static bool
add_wanted(struct leaks *l, struct world *w, int64_t turn_id,
    GHashTable *set)
{
	g_autofree char *json = NULL;
	struct policy_verdict *v = NULL;
	struct err err = ERR_INIT;

	if (!add_own(l, w, turn_id, set) ||
	    !store_judged_get(w->store, turn_id, &json, &err))
		return false;
	if (json == NULL)
		return true;
	if (!policy_verdict_parse(json, strlen(json), &v, &err))
		return world_fail(w, "verdict: %s", err.text);
	if (v->only_journals->len > 0)
		g_hash_table_remove_all(set);
	add_all(set, v->only_journals);
	add_all(set, v->journals);
	add_all(set, v->copies);
	policy_verdict_free(v);
	return true;
}

static void
compare(struct world *w, int64_t turn_id, GHashTable *want, GHashTable *got)
{
	GHashTableIter it;
	gpointer name;

	g_hash_table_iter_init(&it, want);
	while (g_hash_table_iter_next(&it, &name, NULL))
		if (!g_hash_table_contains(got, name))
			world_fail(w, "turn %" PRId64 " is not in journal %s",
			    turn_id, (char *)name);
	g_hash_table_iter_init(&it, got);
	while (g_hash_table_iter_next(&it, &name, NULL))
		if (!g_hash_table_contains(want, name))
			world_fail(w, "turn %" PRId64 " is in journal %s, "
			    "where it does not belong", turn_id,
			    (char *)name);
}

static void
check_journals(struct leaks *l, struct world *w)
{
	g_autoptr(GHashTable) turns = g_hash_table_new_full(g_int64_hash,
	    g_int64_equal, NULL, (GDestroyNotify)g_hash_table_unref);
	GHashTableIter it;
	gpointer id, got;

	for (guint i = 0; i < w->mails->len; i++) {
		struct world_mail *m = w->mails->pdata[i];

		if (m->is_alert || m->is_follow_up)
			continue;
		got = g_hash_table_lookup(turns, &m->turn_id);
		if (got == NULL) {
			got = new_set();
			g_hash_table_insert(turns, &m->turn_id, got);
		}
		g_hash_table_add(got, g_strdup(m->journal));
	}
	g_hash_table_iter_init(&it, turns);
	while (g_hash_table_iter_next(&it, &id, &got)) {
		g_autoptr(GHashTable) want = new_set();

		if (add_wanted(l, w, *(int64_t *)id, want))
			compare(w, *(int64_t *)id, want, got);
	}
}

/* ---- in the end ------------------------------------------------------------------------- */

static void
count_withheld(struct leaks *l, struct world *w)
{
	GHashTableIter it;
	gpointer o;

	g_hash_table_iter_init(&it, l->owners);
	while (g_hash_table_iter_next(&it, NULL, &o))
		l->n_withheld += !is_shown(w, o, true);
}

static void
take_logged(void *arg, const char *mark)
{
	world_fail(arg, "the log shows %s", mark);
}

static void
check_log(struct world *w, int fd)
{
	off_t len = lseek(fd, 0, SEEK_END);
	char *text = len > 0 ? mmap(NULL, (size_t)len, PROT_READ, MAP_PRIVATE,
	    fd, 0) : MAP_FAILED;

	if (text == MAP_FAILED) {
		world_fail(w, "there is no log");
		return;
	}
	find_marks(text, (size_t)len, 'q', take_logged, w);
	find_marks(text, (size_t)len, 'f', take_logged, w);
	munmap(text, (size_t)len);
	if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0)
		world_fail(w, "the log cannot be emptied");
}

void
leaks_check(struct leaks *l, struct world *w, int log_fd)
{
	struct look k = { l, w, NULL, true };
	GHashTableIter it;
	gpointer mark, mail;

	w->line = 0;
	leaks_look(l, w, true);
	g_hash_table_iter_init(&it, l->shown);
	while (g_hash_table_iter_next(&it, &mark, &mail))
		check_mark(&k, mark, GPOINTER_TO_INT(mail));
	check_journals(l, w);
	check_log(w, log_fd);
	count_withheld(l, w);
}
