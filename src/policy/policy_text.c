/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person reads of an item, and what is found in it. Each part is
 * looked at by itself: a phrase does not begin in a caption and end in a
 * button. Nothing is read before a rule asks for it, and nothing twice.
 */
#include "policy_int.h"

#include <string.h>

#include "item.h"

/* ---- parts -------------------------------------------------------------------- */

/* What the body says already is not counted once more. */
static void
add_part(GArray *parts, const char *name, const char *text)
{
	const struct policy_part part = { text, name };

	if (text == NULL || *text == '\0')
		return;
	if (parts->len > 0 && strcmp(text,
	    g_array_index(parts, struct policy_part, 0).text) == 0)
		return;
	g_array_append_val(parts, part);
}

static void
add_template(GArray *parts, const struct item_template *t)
{
	add_part(parts, "header", t->header);
	add_part(parts, "footer", t->footer);
	for (guint i = 0; t->buttons != NULL && i < t->buttons->len; i++)
		add_part(parts, "button", g_ptr_array_index(t->buttons, i));
}

static void
add_reply(GArray *parts, const struct item_reply *r)
{
	add_part(parts, "reply", r->title != NULL ? r->title : r->id);
	add_part(parts, "reply", r->description);
	add_part(parts, "reply", r->body);
}

static void
add_location(GArray *parts, const struct item_location *l)
{
	add_part(parts, "location", l->name);
	add_part(parts, "location", l->address);
	add_part(parts, "location", l->url);
}

static void
add_facts(GArray *parts, const char *name, const GPtrArray *facts)
{
	for (guint i = 0; facts != NULL && i < facts->len; i++) {
		const struct item_fact *f = g_ptr_array_index(facts, i);

		add_part(parts, name, f->value);
	}
}

/* "phone.CELL": who makes a card gives its lines names of their own, too. */
static void
add_labels(GArray *parts, const GPtrArray *facts)
{
	static const char *const usual[] = { "cell", "mobile", "main", "home",
		"work", "iphone", "other", "wa_id", "pager", "fax", NULL };

	for (guint i = 0; facts != NULL && i < facts->len; i++) {
		const struct item_fact *f = g_ptr_array_index(facts, i);
		const char *dot = strchr(f->name, '.');
		g_autofree char *label = dot == NULL ? NULL :
		    g_ascii_strdown(dot + 1, -1);

		if (label != NULL && !g_strv_contains(usual, label))
			add_part(parts, "card", dot + 1);
	}
}

static void
add_cards(GArray *parts, const GPtrArray *cards)
{
	for (guint i = 0; cards != NULL && i < cards->len; i++) {
		const struct item_card *card = g_ptr_array_index(cards, i);

		add_part(parts, "card", card->name);
		add_facts(parts, "card", card->facts);
		add_labels(parts, card->facts);
	}
}

static void
add_media(GArray *parts, const GPtrArray *media)
{
	for (guint i = 0; media != NULL && i < media->len; i++) {
		const struct item_media *m = g_ptr_array_index(media, i);

		add_part(parts, "caption", m->caption);
		add_part(parts, "file-name", m->filename);
	}
}

static bool
has_part(const GArray *parts, const char *text)
{
	for (guint i = 0; i < parts->len; i++)
		if (strcmp(g_array_index(parts, struct policy_part, i).text,
		    text) == 0)
			return true;
	return false;
}

static void
add_files(GArray *parts, const GPtrArray *files)
{
	for (guint i = 0; files != NULL && i < files->len; i++) {
		const struct policy_file *f = g_ptr_array_index(files, i);

		if (f->name != NULL && !has_part(parts, f->name))
			add_part(parts, "file-name", f->name);
	}
}

static const char *
or_empty(const char *s)
{
	return s != NULL ? s : "";
}

/* A line as it is shown: one part, so that an amount keeps its currency. */
static void
add_order(GArray *parts, const GPtrArray *order, GPtrArray *owned)
{
	for (guint i = 0; order != NULL && i < order->len; i++) {
		const struct item_order_line *o = g_ptr_array_index(order, i);
		char *line = g_strjoin(" ", or_empty(o->quantity),
		    or_empty(o->product_id), or_empty(o->price),
		    or_empty(o->currency), NULL);

		g_ptr_array_add(owned, line);
		add_part(parts, "order", line);
	}
}

/* Everything of the item that a person reads, each once. */
static void
add_all(const struct policy_input *in, GArray *parts, GPtrArray *owned)
{
	const struct item *it = in->item;

	add_part(parts, NULL, it->text);
	if (it->template != NULL)
		add_template(parts, it->template);
	if (it->reply != NULL)
		add_reply(parts, it->reply);
	if (it->location != NULL)
		add_location(parts, it->location);
	add_facts(parts, "answer", it->answers);
	add_cards(parts, it->cards);
	add_order(parts, it->order, owned);
	add_media(parts, it->media);
	add_files(parts, in->files);
	add_part(parts, "extra", in->extra_text);
}

/* ---- working memory --------------------------------------------------------------- */

struct policy_work *
policy_work_new(const struct policy *p)
{
	struct policy_work *w = g_new0(struct policy_work, 1);

	(void)p;
	w->scan = scan_work_new();
	scan_result_init(&w->result);
	w->parts = g_array_new(FALSE, FALSE, sizeof(struct policy_part));
	w->owned = g_ptr_array_new_with_free_func(g_free);
	w->found = g_array_new(FALSE, FALSE, sizeof(struct policy_found));
	w->unsure = g_array_new(FALSE, FALSE, sizeof(int));
	w->hosts = g_ptr_array_new_with_free_func(g_free);
	w->groups = g_ptr_array_new_with_free_func(g_free);
	return w;
}

void
policy_work_free(struct policy_work *w)
{
	if (w == NULL)
		return;
	scan_work_free(w->scan);
	scan_result_clear(&w->result);
	g_array_unref(w->parts);
	g_ptr_array_unref(w->owned);
	g_array_unref(w->found);
	g_array_unref(w->unsure);
	g_ptr_array_unref(w->hosts);
	g_ptr_array_unref(w->groups);
	g_free(w);
}

void
policy_work_begin(struct policy_work *w)
{
	g_array_set_size(w->parts, 0);
	g_ptr_array_set_size(w->owned, 0);
	g_array_set_size(w->found, 0);
	g_array_set_size(w->unsure, 0);
	g_ptr_array_set_size(w->hosts, 0);
	g_ptr_array_set_size(w->groups, 0);
	w->scripts = 0;
	w->has_parts = w->has_scan = w->has_detected = false;
	w->has_hosts = w->has_scripts = w->has_groups = false;
}

const GArray *
policy_work_parts(struct policy_work *w, const struct policy_input *in)
{
	if (!w->has_parts)
		add_all(in, w->parts, w->owned);
	w->has_parts = true;
	return w->parts;
}

/* ---- finding ------------------------------------------------------------------------ */

/* The place of a name; names are those that were given to the set. */
static int
id_of(const struct policy *p, const struct scan_hit *h)
{
	if (h->source == SCAN_DETECTOR)
		return policy_word_bit(POLICY_DETECT, h->name);
	return GPOINTER_TO_INT(g_hash_table_lookup(h->source == SCAN_LEXICON ?
	    p->lexicon_ids : p->pattern_ids, h->name)) - 1;
}

static void
keep_found(struct policy_work *w, const struct policy *p, const char *part)
{
	const GArray *hits = w->result.hits;

	for (guint i = 0; i < hits->len; i++) {
		const struct scan_hit *h =
		    &g_array_index(hits, struct scan_hit, i);
		const struct policy_found f = { h->source, id_of(p, h),
			h->weight, h->phrase, h->category, part, h->from,
			h->to };

		g_array_append_val(w->found, f);
	}
	for (guint i = 0; i < w->result.unsure->len; i++) {
		int id = GPOINTER_TO_INT(g_hash_table_lookup(p->pattern_ids,
		    g_ptr_array_index(w->result.unsure, i))) - 1;

		g_array_append_val(w->unsure, id);
	}
	g_array_set_size(w->result.hits, 0);
	g_ptr_array_set_size(w->result.unsure, 0);
	w->result.scripts = 0;
}

void
policy_work_scan(struct policy_work *w, const struct policy *p,
    const struct policy_input *in)
{
	const GArray *parts = policy_work_parts(w, in);

	if (w->has_scan || !p->has_scan)
		return;
	w->has_scan = true;
	for (guint i = 0; i < parts->len; i++) {
		const struct policy_part *part =
		    &g_array_index(parts, struct policy_part, i);

		scan_run(p->scan, w->scan, part->text, strlen(part->text),
		    &w->result);
		w->scripts |= w->result.scripts;
		keep_found(w, p, part->name);
	}
	w->has_scripts = true;
}

void
policy_work_detect(struct policy_work *w, const struct policy *p,
    const struct policy_input *in)
{
	const GArray *parts = policy_work_parts(w, in);

	if (w->has_detected)
		return;
	w->has_detected = true;
	for (guint i = 0; i < parts->len; i++) {
		const struct policy_part *part =
		    &g_array_index(parts, struct policy_part, i);

		scan_detect(p->detectors, part->text, strlen(part->text),
		    &w->result);
		keep_found(w, p, part->name);
	}
}

const GPtrArray *
policy_work_hosts(struct policy_work *w, const struct policy_input *in)
{
	const GArray *parts = policy_work_parts(w, in);

	if (w->has_hosts)
		return w->hosts;
	w->has_hosts = true;
	for (guint i = 0; i < parts->len; i++) {
		const struct policy_part *part =
		    &g_array_index(parts, struct policy_part, i);
		g_autoptr(GPtrArray) hosts = scan_hosts(part->text,
		    strlen(part->text));

		policy_strings_add_all(w->hosts, hosts);
	}
	return w->hosts;
}

uint64_t
policy_work_scripts(struct policy_work *w, const struct policy_input *in)
{
	const GArray *parts = policy_work_parts(w, in);

	for (guint i = 0; i < parts->len && !w->has_scripts; i++) {
		const struct policy_part *part =
		    &g_array_index(parts, struct policy_part, i);

		w->scripts |= scan_scripts(part->text, strlen(part->text));
	}
	w->has_scripts = true;
	return w->scripts;
}
