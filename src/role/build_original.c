/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What items point back to: the message an edit, a revoke, a reaction or a
 * receipt is about, or that a reply answers, as it stood before. It is read
 * from the event it came in, while that is in the store; when it is not, the
 * mail says so. Everything here is copied: nothing borrows from other events.
 */
#include <string.h>

#include "build_int.h"
#include "conf.h"
#include "directory.h"
#include "err.h"
#include "item.h"
#include "render.h"
#include "turn.h"

/* For whose mail they are sought. */
struct seeker {
	struct build *b;
	int64_t turn_id;
	const char *talk;	/* its conversation */
};

/* What the renderer is told, with the strings it borrows. */
struct copy {
	struct render_original original;
	char *author, *text, *file;
};

static void
free_copy(gpointer p)
{
	struct copy *c = p;

	if (c == NULL)
		return;
	g_free(c->author);
	g_free(c->text);
	g_free(c->file);
	g_free(c);
}

/*
 * Who answers in private what was said in a group has both read, but the one
 * who reads the mail has not.
 */
static bool
is_in_talk(const struct turn *t, const char *talk)
{
	return t->conversation != NULL &&
	    strcmp(turn_talk(t->conversation), talk) == 0;
}

/* What is withheld of the own turn is taken out once that is judged. */
static bool
may_show(const struct seeker *k, const struct store_place *at, bool *may,
    struct err *err)
{
	bool is_withheld = false, ok;
	struct turn t;
	char state[16];

	if (!store_turn_get(k->b->store, at->turn_id, &t, state, NULL, err))
		return false;
	*may = is_in_talk(&t, k->talk);
	turn_clear(&t);
	ok = !*may || at->turn_id == k->turn_id ||
	    build_is_withheld(k->b, at, state, &is_withheld, err);
	*may = *may && !is_withheld;
	return ok;
}

/*
 * The item at that place, borrowed until the next look; NULL: purged, of
 * another conversation, or withheld by a rule.
 */
static bool
find_at(const struct seeker *k, const struct store_place *at,
    struct item **it, struct err *err)
{
	struct build_event *ev;
	bool may;

	*it = NULL;
	if (!may_show(k, at, &may, err))
		return false;
	if (!may)
		return true;
	if (!build_event_peek(k->b, at->event_id, &ev, err))
		return false;
	if (ev == NULL)
		return true;
	build_event_parse(k->b, ev, NULL);
	*it = build_event_item(ev, at->key);
	return true;
}

static bool
has_text(const struct item *it)
{
	return it->text != NULL && it->text[0] != '\0';
}

static void
copy_text(struct copy *c, const struct item *it)
{
	if (!has_text(it))
		return;
	g_free(c->text);
	c->text = g_strdup(it->text);
	c->original.text = c->text;
}

/* As the mails of that person name them. */
static char *
author_of(const struct build *b, const struct item *it)
{
	const struct directory *d = b->conf->directory;
	const struct item_party *p = &it->counterpart;
	const struct directory_business *biz;
	const struct directory_customer *customer;
	const struct directory_staff *staff;

	if (it->direction == ITEM_RECEIVED) {
		customer = directory_customer_get(d, p->user_id, p->number);
		return g_strdup(customer != NULL ? customer->name : p->name);
	}
	biz = directory_business_get(d, it->business.user_id,
	    it->business.number);
	if (biz == NULL)
		return NULL;
	staff = directory_business_staff(biz, it->at_ms);
	return g_strdup(staff != NULL ? staff->name : biz->name);
}

static void
copy_item(const struct build *b, struct copy *c, const struct item *it)
{
	const struct item_media *m;

	c->original.held = true;
	c->original.type = it->type;
	c->original.direction = it->direction;
	c->original.at_ms = it->at_ms;
	c->original.author = c->author = author_of(b, it);
	copy_text(c, it);
	if (it->media != NULL && it->media->len > 0) {
		m = it->media->pdata[0];
		c->file = g_strdup(m->filename);
		c->original.file = c->file;
	}
}

/* Those made before the item, and not the item itself. */
static GArray *
edits_before(const GArray *edits, const struct item *it)
{
	GArray *out = g_array_new(FALSE, FALSE, sizeof(struct store_place));
	uint8_t own[HASH_SIZE];

	store_key(it->key, own);
	for (guint i = 0; i < edits->len; i++) {
		const struct store_place *at = &g_array_index(edits,
		    struct store_place, i);

		if (at->at_ms <= it->at_ms &&
		    memcmp(at->key, own, HASH_SIZE) != 0)
			g_array_append_vals(out, at, 1);
	}
	return out;
}

/* The latest that is left; of two of one time the one filed later. */
static guint
latest_of(const GArray *edits)
{
	guint best = 0;

	for (guint i = 1; i < edits->len; i++) {
		if (g_array_index(edits, struct store_place, i).at_ms >=
		    g_array_index(edits, struct store_place, best).at_ms)
			best = i;
	}
	return best;
}

/*
 * The text after the edits that came before this item: of two that were filed
 * in the wrong order, the one that was made later counts.
 */
static bool
apply_edits(const struct seeker *k, const struct item *it, struct copy *c,
    struct err *err)
{
	g_autoptr(GArray) all = NULL, edits = NULL;
	struct item *edit;

	if (!store_item_about(k->b->store, it->target, item_kind_name(ITEM_EDIT),
	    &all, err))
		return false;
	edits = edits_before(all, it);
	while (edits->len > 0) {
		guint i = latest_of(edits);

		if (!find_at(k, &g_array_index(edits, struct store_place, i),
		    &edit, err))
			return false;
		if (edit != NULL && has_text(edit) &&
		    g_strcmp0(edit->refers, it->refers) == 0) {
			copy_text(c, edit);
			return true;
		}
		g_array_remove_index(edits, i);
	}
	return true;
}

/* A send of unknown outcome is known by its own key, until it is resolved. */
static bool
find_place(struct build *b, const struct item *it, struct store_place *at,
    struct err *err)
{
	g_autofree char *key = NULL;

	if (!store_item_find(b->store, it->refers, at, err))
		return false;
	if (at->event_id != 0)
		return true;
	return build_send_unknown(b, it, &key, err) && (key == NULL ||
	    store_item_find(b->store, key, at, err));
}

static bool
find_original(const struct seeker *k, const struct item *it, struct copy *c,
    struct err *err)
{
	struct store_place at;
	struct item *found;

	if (!find_place(k->b, it, &at, err))
		return false;
	if (at.event_id == 0)
		return true;
	if (!find_at(k, &at, &found, err))
		return false;
	if (found == NULL)
		return true;
	copy_item(k->b, c, found);
	if ((it->kind == ITEM_EDIT || it->kind == ITEM_REVOKE) &&
	    it->target != NULL)
		return apply_edits(k, it, c, err);
	return true;
}

/* Receipts of one bundle, and replies in a row, mostly mean the same message. */
static struct copy *
same_as_before(const GPtrArray *items, const GPtrArray *list, guint i)
{
	const struct item *it = items->pdata[i], *before;
	const struct copy *c;
	struct copy *out;

	if (i == 0 || list->pdata[i - 1] == NULL || it->kind == ITEM_EDIT)
		return NULL;
	before = items->pdata[i - 1];
	if (before->kind != it->kind ||
	    g_strcmp0(before->refers, it->refers) != 0)
		return NULL;
	c = list->pdata[i - 1];
	out = g_new(struct copy, 1);
	*out = *c;
	out->original.author = out->author = g_strdup(c->author);
	out->original.text = out->text = g_strdup(c->text);
	out->original.file = out->file = g_strdup(c->file);
	return out;
}

/* The array's own function frees what is taken out. */
void
build_original_drop(GPtrArray *originals, guint i)
{
	free_copy(originals->pdata[i]);
	originals->pdata[i] = NULL;
}

/* A call's events refer to its first, which need not have come: no gap. */
static struct copy *
drop_unheld_call(const struct item *it, struct copy *c)
{
	if (it->kind != ITEM_CALL || c->original.held)
		return c;
	free_copy(c);
	return NULL;
}

bool
build_originals(struct build *b, const struct build_turn *t,
    const GPtrArray *items, GPtrArray **originals, struct err *err)
{
	const struct seeker k = { .b = b, .turn_id = t->id,
		.talk = turn_talk(t->conversation) };

	for (guint i = 0; i < items->len; i++) {
		const struct item *it = items->pdata[i];
		struct copy *c;

		if (it->refers == NULL)
			continue;
		if (*originals == NULL)
			*originals = g_ptr_array_new_with_free_func(free_copy);
		g_ptr_array_set_size(*originals, (gint)items->len);
		c = same_as_before(items, *originals, i);
		if (c == NULL) {
			c = g_new0(struct copy, 1);
			(*originals)->pdata[i] = c;
			if (!find_original(&k, it, c, err))
				return false;
		}
		(*originals)->pdata[i] = drop_unheld_call(it, c);
	}
	return true;
}
