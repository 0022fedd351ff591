/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The events of the batch under work: their bytes, and their items, parsed
 * once however many turns look at them. Never writes to the store.
 */
#include <string.h>

#include "build_int.h"
#include "conf.h"
#include "err.h"
#include "item.h"
#include "wa.h"

/* Of originals: a POST is at most some MB, and parsed several times that. */
#define PEEKED_MAX (16 << 20)
#define RECORD_MAX (32 << 20)

void
build_event_free(gpointer p)
{
	struct build_event *ev = p;

	g_clear_pointer(&ev->by_key, g_hash_table_unref);
	g_clear_pointer(&ev->items, g_ptr_array_unref);
	g_clear_pointer(&ev->made, g_ptr_array_unref);
	g_clear_pointer(&ev->stand_in, item_free);
	g_clear_pointer(&ev->body, g_bytes_unref);
	g_free(ev);
}

static struct build_event *
keep_in(GHashTable *events, const struct store_event *ev)
{
	struct build_event *copy = g_new0(struct build_event, 1);

	copy->id = ev->id;
	copy->received_ms = ev->received_ms;
	memcpy(copy->sha256, ev->sha256, HASH_SIZE);
	copy->body = g_bytes_new(ev->body, ev->len);
	copy->is_record = ev->id > STORE_EVENT_GATEWAY;
	copy->is_json = true;
	g_hash_table_replace(events, &copy->id, copy);
	return copy;
}

struct build_event *
build_event_keep(struct build *b, const struct store_event *ev)
{
	return keep_in(b->events, ev);
}

struct keeper {
	GHashTable *events;
	struct build_event *kept;
	bool purged;
};

static bool
keep_one(void *arg, const struct store_event *ev)
{
	struct keeper *k = arg;

	k->purged = ev->body == NULL;
	if (!k->purged)
		k->kept = keep_in(k->events, ev);
	return false;
}

struct build_event *
build_event_load(struct build *b, int64_t id, struct err *err)
{
	struct build_event *ev = g_hash_table_lookup(b->events, &id);
	struct keeper k = { .events = b->events };

	if (ev != NULL)
		return ev;
	if (!store_event_get(b->store, id, keep_one, &k, err))
		return NULL;
	if (k.kept == NULL)
		err_set(err, ERR_PERM, "build.event",
		    "event %" G_GINT64_FORMAT " %s", id,
		    k.purged ? "was purged before its turn was rendered"
			     : "is not in the store");
	return k.kept;
}

/*
 * Not among the events of the batch, which turns borrow from: those are kept
 * to its end, however many originals it looks at.
 */
bool
build_event_peek(struct build *b, int64_t id, struct build_event **ev,
    struct err *err)
{
	struct keeper k = { .events = b->peeked };

	*ev = g_hash_table_lookup(b->events, &id);
	if (*ev == NULL)
		*ev = g_hash_table_lookup(b->peeked, &id);
	if (*ev != NULL)
		return true;
	if (b->peeked_bytes > PEEKED_MAX) {
		g_hash_table_remove_all(b->peeked);
		b->peeked_bytes = 0;
	}
	if (!store_event_get(b->store, id, keep_one, &k, err))
		return false;
	if (k.kept != NULL)
		b->peeked_bytes += g_bytes_get_size(k.kept->body);
	*ev = k.kept;
	return true;
}

void
build_event_add(struct build_event *ev, struct item *it)
{
	if (ev->made == NULL)
		ev->made = item_list_new();
	g_ptr_array_add(ev->made, it);
}

static guint
hash_key(gconstpointer key)
{
	guint h;

	memcpy(&h, key, sizeof(h));
	return h;
}

static gboolean
is_same_key(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, HASH_SIZE) == 0;
}

/* Of items with the same key the first is the one that was filed. */
static GHashTable *
index_items(const struct build_event *ev)
{
	GHashTable *h = g_hash_table_new_full(hash_key, is_same_key, g_free,
	    NULL);

	for (guint i = ev->items->len; i-- > 0;) {
		const struct item *it = ev->items->pdata[i];
		uint8_t *key = g_malloc(HASH_SIZE);

		store_key(it->key, key);
		g_hash_table_replace(h, key, ev->items->pdata[i]);
	}
	return h;
}

void
build_event_digest(const struct build_event *ev, const struct item *it,
    uint8_t out[HASH_SIZE])
{
	if (it->raw != NULL)
		hash_sha256(it->raw, strlen(it->raw), out);
	else
		memcpy(out, ev->sha256, HASH_SIZE);
}

static char *
variant_key(const struct item *it, const uint8_t digest[HASH_SIZE])
{
	char hex[HASH_HEX_SIZE];

	return g_strdup_printf("%s|variant|%s", it->key,
	    hash_hex(digest, hex));
}

void
build_event_variant(struct build_event *ev, struct item *it,
    const uint8_t digest[HASH_SIZE])
{
	static const char note[] = "received again with other content; what "
	    "came first is in a mail of its own";
	char *key = variant_key(it, digest);
	char *old = it->note;

	it->variant_of = it->key;
	it->key = key;
	it->note = old == NULL ? g_strdup(note) :
	    g_strdup_printf("%s; %s", old, note);
	g_free(old);
	g_clear_pointer(&ev->by_key, g_hash_table_unref);
}

/* What was filed as other bytes of an item, by the digest in its key. */
static struct item *
find_variant(struct build_event *ev, const uint8_t key[HASH_SIZE])
{
	for (guint i = 0; i < ev->items->len; i++) {
		struct item *it = ev->items->pdata[i];
		g_autofree char *other = NULL;
		uint8_t digest[HASH_SIZE], stored[HASH_SIZE];

		if (it->variant_of != NULL)
			continue;
		build_event_digest(ev, it, digest);
		other = variant_key(it, digest);
		store_key(other, stored);
		if (memcmp(stored, key, HASH_SIZE) != 0)
			continue;
		build_event_variant(ev, it, digest);
		return it;
	}
	return NULL;
}

struct item *
build_event_item(struct build_event *ev, const uint8_t key[HASH_SIZE])
{
	struct item *it;

	if (ev->by_key == NULL)
		ev->by_key = index_items(ev);
	it = g_hash_table_lookup(ev->by_key, key);
	return it != NULL ? it : find_variant(ev, key);
}

/*
 * The items stay as they are: turns of this batch may have borrowed them.
 */
struct item *
build_event_stand_in(struct build_event *ev)
{
	gsize len;
	const void *body = g_bytes_get_data(ev->body, &len);

	if (!ev->is_json)
		return ev->items->pdata[0];
	if (ev->stand_in == NULL)
		ev->stand_in = wa_raw_item(body, len,
		    "filed by another version of the parser");
	return ev->stand_in;
}

void
build_event_raw(struct build_event *ev, const char *reason)
{
	gsize len;
	const void *body = g_bytes_get_data(ev->body, &len);

	g_clear_pointer(&ev->by_key, g_hash_table_unref);
	g_clear_pointer(&ev->items, g_ptr_array_unref);
	ev->items = item_list_new();
	ev->is_json = false;
	g_ptr_array_add(ev->items, wa_raw_item(body, len, reason));
}

void
build_event_parse(struct build *b, struct build_event *ev, char **parked)
{
	struct wa_limits limits = WA_LIMITS_DEFAULT;
	struct err why = ERR_INIT;
	gsize len;
	const void *body = g_bytes_get_data(ev->body, &len);

	if (ev->items != NULL)
		return;
	/* A record holds a whole request and its answer. */
	if (ev->is_record)
		limits.max_bytes = RECORD_MAX;
	else
		limits.max_bytes = (size_t)b->conf->intake.max_body_bytes;
	if ((ev->is_record ? wa_record_parse : wa_parse)(body, len, &limits,
	    &ev->items, &why))
		return;
	build_event_raw(ev, why.text);
	if (parked != NULL)
		*parked = g_strdup(why.text);
}
