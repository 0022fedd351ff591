/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake store: the verbs of events, items, turns, mails. Searches are
 * loops over all rows; a transaction begins with a copy of all rows.
 */
#include "fake/store_memory.h"

#include <string.h>

static const size_t row_sizes[FAKE_TABLES] = {
	[FAKE_EVENT] = sizeof(struct store_event),
	[FAKE_CURSOR] = sizeof(struct fake_progress),
	[FAKE_CLAIM] = sizeof(struct fake_progress),
	[FAKE_TURN] = sizeof(struct fake_turn),
	[FAKE_ITEM] = sizeof(struct fake_item),
	[FAKE_SIGHTING] = sizeof(struct fake_sighting),
	[FAKE_ALIAS] = sizeof(struct fake_alias),
	[FAKE_PARKED_EVENT] = sizeof(struct fake_parked),
	[FAKE_CONTENT] = sizeof(struct fake_content),
	[FAKE_MAIL] = sizeof(struct store_mail),
	[FAKE_OUTCOME] = sizeof(struct store_outcome),
	[FAKE_ATTEMPT] = sizeof(struct fake_attempt),
	[FAKE_RELAY] = sizeof(struct fake_relay),
	[FAKE_SERVER] = sizeof(struct fake_server),
	[FAKE_ACTION] = sizeof(struct store_action),
	[FAKE_WANT] = sizeof(struct fake_want),
	[FAKE_IDENTITY] = sizeof(struct fake_identity),
	[FAKE_NOVELTY] = sizeof(struct store_novelty),
	[FAKE_RESULT] = sizeof(int64_t),
	[FAKE_FOLLOW_UP] = sizeof(struct fake_follow_up),
	[FAKE_RULESET] = sizeof(struct store_ruleset),
	[FAKE_CONSENT] = sizeof(struct fake_consent),
	[FAKE_ALERT] = sizeof(struct fake_alert),
	[FAKE_RESOLUTION] = sizeof(struct fake_resolution),
	[FAKE_TEMPLATE_CHANGE] = sizeof(struct fake_template_change),
	[FAKE_REVIEW] = sizeof(struct store_review),
	[FAKE_ASK] = sizeof(struct fake_ask),
	[FAKE_ANSWER] = sizeof(struct store_answer),
	[FAKE_RECORD] = sizeof(struct store_event),
	[FAKE_SEND] = sizeof(struct store_send),
	[FAKE_UPLOAD] = sizeof(struct store_upload),
	[FAKE_DEFINITION] = sizeof(struct store_definition),
	[FAKE_TALLY] = sizeof(struct fake_tally),
	[FAKE_TOLD] = sizeof(struct fake_told),
	[FAKE_UNPARKED] = sizeof(struct fake_unparked),
	[FAKE_REQUEST] = sizeof(struct store_request),
	[FAKE_VARIANT] = sizeof(struct fake_variant),
};

char *
fake_keep(struct fake *f, const char *s)
{
	return s == NULL ? NULL : g_string_chunk_insert_const(f->strings, s);
}

const void *
fake_keep_bytes(struct fake *f, const void *data, size_t len)
{
	char *copy;

	if (data == NULL)
		return NULL;
	copy = g_malloc(len + 1);
	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = '\0';
	g_ptr_array_add(f->blobs, copy);
	return copy;
}

bool
fake_refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_PERM, "store.state", "refused: %s", why);
}

/* ---- open, transactions ------------------------------------------------ */

static bool
prepare(const char *address, void (*progress)(void *), void *arg,
    struct err *err)
{
	(void)address, (void)progress, (void)arg, (void)err;
	return true;
}

static bool
open_fake(const char *address, enum store_file owns, struct store **out,
    struct err *err)
{
	struct fake *f;

	(void)address;
	if (owns != STORE_ALL)
		return err_set(err, ERR_CONF, "store.open",
		    "the fake store has one owner for all");
	f = g_new0(struct fake, 1);
	for (int t = 0; t < FAKE_TABLES; t++)
		f->rows[t] = g_array_new(FALSE, TRUE, (guint)row_sizes[t]);
	f->strings = g_string_chunk_new(4096);
	f->blobs = g_ptr_array_new_with_free_func(g_free);
	f->base.dirs.temporary = true;
	*out = &f->base;
	return true;
}

static void
close_fake(struct store *st)
{
	struct fake *f = FAKE_OF(st);

	for (int t = 0; t < FAKE_TABLES; t++)
		g_array_unref(f->rows[t]);
	g_string_chunk_free(f->strings);
	g_ptr_array_unref(f->blobs);
	g_free(f);
}

static bool
begin(struct store *st, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (int t = 0; t < FAKE_TABLES; t++)
		f->before[t] = g_array_copy(f->rows[t]);
	return true;
}

static bool
commit(struct store *st, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (int t = 0; t < FAKE_TABLES; t++)
		g_clear_pointer(&f->before[t], g_array_unref);
	return true;
}

static void
rollback(struct store *st)
{
	struct fake *f = FAKE_OF(st);

	for (int t = 0; t < FAKE_TABLES; t++) {
		g_array_unref(f->rows[t]);
		f->rows[t] = g_steal_pointer(&f->before[t]);
	}
}

/* ---- events ------------------------------------------------------------ */

static bool
event_add(struct store *st, const struct store_event *ev, int64_t *id,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct store_event row = *ev;

	(void)err;
	row.id = FAKE_N(f, FAKE_EVENT) + 1;
	row.remote = fake_keep(f, ev->remote);
	row.secret_name = fake_keep(f, ev->secret_name);
	row.signature = fake_keep(f, ev->signature);
	row.body = fake_keep_bytes(f, ev->len == 0 ? "" : ev->body, ev->len);
	g_array_append_val(f->rows[FAKE_EVENT], row);
	if (id != NULL)
		*id = row.id;
	return true;
}

struct store_event *
fake_event(struct fake *f, int64_t id)
{
	enum fake_table table = id > STORE_EVENT_GATEWAY ? FAKE_RECORD :
	    FAKE_EVENT;
	int64_t n = table == FAKE_RECORD ? id - STORE_EVENT_GATEWAY : id;

	return n < 1 || n > FAKE_N(f, table) ? NULL :
	    FAKE_AT(f, table, store_event, (guint)n - 1);
}

static bool
event_list(struct store *st, int64_t after, int limit, size_t max_bytes,
    store_event_fn *fn, void *arg, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	int64_t id = after + 1;
	size_t bytes = 0;

	(void)err;
	for (int n = 0; fake_event(f, id) != NULL && n < limit &&
	    bytes < max_bytes; id++, n++) {
		struct store_event ev = *fake_event(f, id);

		bytes += ev.len;
		if (!fn(arg, &ev))
			return true;
	}
	return true;
}

static bool
event_get(struct store *st, int64_t id, store_event_fn *fn, void *arg,
    struct err *err)
{
	if (fake_event(FAKE_OF(st), id) == NULL)
		return true;
	return event_list(st, id - 1, 1, 1, fn, arg, err);
}

bool
fake_event_done(struct fake *f, int64_t id)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_ITEM); i++) {
		const struct store_item *it =
		    &FAKE_AT(f, FAKE_ITEM, fake_item, i)->it;

		if (it->event_id == id && it->turn_id != 0 &&
		    !fake_turn_done(f, it->turn_id, INT64_MAX))
			return false;
	}
	for (int64_t want = 1; fake_want(f, want) != NULL; want++) {
		const struct fake_want *w = fake_want(f, want);

		if (w->w.event_id == id && !fake_want_done(f, w, INT64_MAX))
			return false;
	}
	for (guint i = 0; i < FAKE_N(f, FAKE_PARKED_EVENT); i++) {
		const struct fake_parked *p =
		    FAKE_AT(f, FAKE_PARKED_EVENT, fake_parked, i);

		if (p->event_id == id && !fake_turn_done(f, p->turn_id,
		    INT64_MAX))
			return false;
	}
	return true;
}

static bool
event_purge(struct store *st, int64_t before_ms, int limit, int64_t *n,
    struct err *err)
{
	struct fake *f = FAKE_OF(st);
	int64_t read = fake_cursor(f, STORE_BUILD, STORE_CURSOR_EVENTS);

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_EVENT) && *n < limit; i++) {
		struct store_event *ev = FAKE_AT(f, FAKE_EVENT, store_event,
		    i);

		if (ev->body == NULL || ev->id > read ||
		    ev->received_ms >= before_ms || !fake_event_done(f, ev->id))
			continue;
		ev->body = NULL;
		ev->len = 0;
		f->purged++;
		++*n;
	}
	return true;
}

/* ---- progress ---------------------------------------------------------- */

static struct fake_progress *
find_progress(struct fake *f, enum fake_table table, enum store_file file,
    const char *name)
{
	for (guint i = 0; i < FAKE_N(f, table); i++) {
		struct fake_progress *p = FAKE_AT(f, table, fake_progress, i);

		if (p->file == file && strcmp(p->name, name) == 0)
			return p;
	}
	return NULL;
}

static struct fake_progress *
get_progress(struct fake *f, enum fake_table table, enum store_file file,
    const char *name)
{
	struct fake_progress row = { .file = file, .name = fake_keep(f, name) };

	if (find_progress(f, table, file, name) == NULL)
		g_array_append_val(f->rows[table], row);
	return find_progress(f, table, file, name);
}

int64_t
fake_cursor(struct fake *f, enum store_file file, const char *name)
{
	struct fake_progress *p = find_progress(f, FAKE_CURSOR, file, name);

	return p == NULL ? 0 : p->value;
}

static bool
cursor_get(struct store *st, enum store_file file, const char *name,
    int64_t *value, struct err *err)
{
	if (file == STORE_ADMIN)
		return fake_refuse(err, "no progress in the admin file");
	*value = fake_cursor(FAKE_OF(st), file, name);
	return true;
}

static bool
cursor_set(struct store *st, enum store_file file, const char *name,
    int64_t value, struct err *err)
{
	if (file == STORE_ADMIN)
		return fake_refuse(err, "no progress in the admin file");
	get_progress(FAKE_OF(st), FAKE_CURSOR, file, name)->value = value;
	return true;
}

static bool
has_claims(enum store_file file)
{
	return file == STORE_BUILD || file == STORE_DELIVER ||
	    file == STORE_GATEWAY || file == STORE_DIRECTORY;
}

static bool
claim_get(struct store *st, enum store_file file, const char *name,
    struct store_claim *out, struct err *err)
{
	if (!has_claims(file))
		return fake_refuse(err, "no claims in this file");
	*out = get_progress(FAKE_OF(st), FAKE_CLAIM, file, name)->claim;
	return true;
}

static bool
claim_set(struct store *st, enum store_file file, const char *name,
    const struct store_claim *claim, struct err *err)
{
	struct store_claim none = { 0 };

	if (!has_claims(file))
		return fake_refuse(err, "no claims in this file");
	get_progress(FAKE_OF(st), FAKE_CLAIM, file, name)->claim =
	    claim->first == 0 ? none : *claim;
	return true;
}

/* ---- items ------------------------------------------------------------- */

static struct fake_item *
find_item(struct fake *f, const uint8_t *key)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_ITEM); i++) {
		struct fake_item *it = FAKE_AT(f, FAKE_ITEM, fake_item, i);

		if (memcmp(it->key, key, HASH_SIZE) == 0)
			return it;
	}
	return NULL;
}

static bool
item_seen(struct store *st, const uint8_t *key, const uint8_t *digest,
    enum store_seen *out, struct err *err)
{
	const struct fake_item *it = find_item(FAKE_OF(st), key);

	(void)err;
	if (it == NULL)
		*out = STORE_NEW;
	else
		*out = memcmp(it->it.digest, digest, HASH_SIZE) == 0 ?
		    STORE_SAME : STORE_DIFFERS;
	return true;
}

static bool
item_add(struct store *st, const struct store_item *it, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_item row = { .it = *it };

	store_key(it->key, row.key);
	if (find_item(f, row.key) != NULL)
		return fake_refuse(err, "the item is there");
	if (it->turn_id != 0 && fake_turn(f, it->turn_id) == NULL)
		return fake_refuse(err, "the item has no turn");
	row.it.key = fake_keep(f, it->key);
	row.it.id = fake_keep(f, it->id);
	row.it.target = fake_keep(f, it->target);
	row.it.kind = fake_keep(f, it->kind);
	row.it.type = fake_keep(f, it->type);
	g_array_append_val(f->rows[FAKE_ITEM], row);
	return true;
}

static bool
sighting_add(struct store *st, const uint8_t *key, int64_t event_id,
    int64_t at_ms, bool same, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_sighting row = { .event_id = event_id, .at_ms = at_ms,
		.same = same };

	(void)err;
	memcpy(row.key, key, HASH_SIZE);
	g_array_append_val(f->rows[FAKE_SIGHTING], row);
	return true;
}

static bool
message_id(struct store *st, const uint8_t *key, char **out, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	const struct fake_item *it = find_item(f, key);

	(void)err;
	*out = it == NULL || it->it.turn_id == 0 ? NULL :
	    g_strdup(fake_turn(f, it->it.turn_id)->message_id);
	return true;
}

static bool
item_find(struct store *st, struct store_place *place, struct err *err)
{
	const struct fake_item *it = find_item(FAKE_OF(st), place->key);

	(void)err;
	if (it == NULL)
		return true;
	place->event_id = it->it.event_id;
	place->turn_id = it->it.turn_id;
	place->at_ms = it->it.at_ms;
	return true;
}

static bool
item_about(struct store *st, const char *target, const char *kind,
    GArray *out, struct err *err)
{
	struct fake *f = FAKE_OF(st);

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_ITEM); i++) {
		const struct fake_item *it = FAKE_AT(f, FAKE_ITEM, fake_item,
		    i);
		struct store_place place = { .event_id = it->it.event_id,
			.turn_id = it->it.turn_id, .at_ms = it->it.at_ms };

		memcpy(place.key, it->key, HASH_SIZE);
		if (g_strcmp0(it->it.target, target) == 0 &&
		    strcmp(it->it.kind, kind) == 0)
			g_array_append_val(out, place);
	}
	return true;
}

static struct fake_alias *
find_alias(struct fake *f, const char *network, const char *id)
{
	for (guint i = 0; i < FAKE_N(f, FAKE_ALIAS); i++) {
		struct fake_alias *a = FAKE_AT(f, FAKE_ALIAS, fake_alias, i);

		if (strcmp(a->network, network) == 0 && strcmp(a->id, id) == 0)
			return a;
	}
	return NULL;
}

static bool
alias_get(struct store *st, const char *network, const char *id,
    char **person, struct err *err)
{
	const struct fake_alias *a = find_alias(FAKE_OF(st), network, id);

	(void)err;
	*person = a == NULL ? NULL : g_strdup(a->person);
	return true;
}

static bool
alias_set(struct store *st, const char *network, const char *id,
    const char *person, int64_t at_ms, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	struct fake_alias row = { fake_keep(f, network), fake_keep(f, id),
		fake_keep(f, person), at_ms };
	struct fake_alias *old = find_alias(f, network, id);

	(void)err;
	if (old != NULL)
		*old = row;
	else
		g_array_append_val(f->rows[FAKE_ALIAS], row);
	return true;
}

static bool
alias_other(struct store *st, const char *network, const char *person,
    const char *prefix, char **id, struct err *err)
{
	struct fake *f = FAKE_OF(st);
	const struct fake_alias *newest = NULL;

	(void)err;
	for (guint i = 0; i < FAKE_N(f, FAKE_ALIAS); i++) {
		struct fake_alias *a = FAKE_AT(f, FAKE_ALIAS, fake_alias, i);

		if (strcmp(a->network, network) == 0 &&
		    strcmp(a->person, person) == 0 &&
		    g_str_has_prefix(a->id, prefix) &&
		    (newest == NULL || a->last_ms > newest->last_ms))
			newest = a;
	}
	*id = newest == NULL ? NULL : g_strdup(newest->id);
	return true;
}

/* ---- the tables of verbs ----------------------------------------------- */

static const struct store_event_verbs event_verbs = {
	.add = event_add, .list = event_list, .get = event_get,
	.purge = event_purge, .park = fake_event_park,
	.unpark = fake_event_unpark, .parked_get = fake_parked_get,
	.record_add = fake_record_add, .record_purge = fake_record_purge,
	.record_is_sent = fake_record_is_sent,
};
static const struct store_progress_verbs progress_verbs = {
	.cursor_get = cursor_get, .cursor_set = cursor_set,
	.claim_get = claim_get, .claim_set = claim_set,
};
static const struct store_item_verbs item_verbs = {
	.seen = item_seen, .add = item_add, .sighting_add = sighting_add,
	.variant_add = fake_variant_add,
	.variant_filed = fake_variant_filed,
	.message_id = message_id, .find = item_find, .about = item_about,
	.novelty_add = fake_novelty_add, .alias_get = alias_get,
	.alias_set = alias_set, .alias_other = alias_other,
};

const struct store_driver store_memory_driver = {
	.scheme = "fake",
	.prepare = prepare, .open = open_fake, .close = close_fake,
	.begin = begin, .commit = commit, .rollback = rollback,
	.event = &event_verbs,
	.progress = &progress_verbs,
	.item = &item_verbs,
	.identity = &fake_identity_verbs,
	.turn = &fake_turn_verbs,
	.want = &fake_want_verbs,
	.fetch = &fake_fetch_verbs,
	.mail = &fake_mail_verbs,
	.delivery = &fake_delivery_verbs,
	.policy = &fake_policy_verbs,
	.hold = &fake_hold_verbs,
	.ask = &fake_ask_verbs,
	.look = &fake_look,
	.send = &fake_send_verbs,
	.upload = &fake_upload_verbs,
	.definition = &fake_definition_verbs,
	.tally = &fake_tally_verbs,
};
