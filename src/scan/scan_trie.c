/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aho and Corasick's automaton (1975) whose letters are words. A word of the
 * text that no phrase has leads back to the root after one look into a hash
 * table; most words of most texts are such. Filled once, sealed, then only
 * read.
 */
#include "scan_int.h"

#include <string.h>

struct known {		/* a word */
	uint32_t at, n;	/* in cps */
	uint32_t child;	/* of the root */
};
struct slot {
	uint32_t hash, word;
};
struct edge {		/* below the root: most edges are of the root */
	uint32_t node, word, to;
};

struct scan_trie {
	GArray *cps;	/* uint32_t */
	GArray *words;	/* struct known; 0 is no word */
	GArray *nodes;	/* struct scan_node; 0 is the root */
	GArray *outs;	/* struct scan_out; 0 is none */
	struct slot *slots;
	struct edge *edges;
	size_t n_slots, n_edges, used_edges;	/* powers of two */
};

#define WORD(t, i) (&g_array_index((t)->words, struct known, i))
#define NODE(t, i) (&g_array_index((t)->nodes, struct scan_node, i))
#define OUT(t, i) (&g_array_index((t)->outs, struct scan_out, i))

struct scan_trie *
scan_trie_new(void)
{
	struct scan_trie *t = g_new0(struct scan_trie, 1);

	t->cps = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	t->words = g_array_new(FALSE, TRUE, sizeof(struct known));
	t->nodes = g_array_new(FALSE, TRUE, sizeof(struct scan_node));
	t->outs = g_array_new(FALSE, TRUE, sizeof(struct scan_out));
	g_array_set_size(t->words, 1);
	g_array_set_size(t->nodes, 1);
	g_array_set_size(t->outs, 1);
	t->n_slots = t->n_edges = 64;
	t->slots = g_new0(struct slot, t->n_slots);
	t->edges = g_new0(struct edge, t->n_edges);
	return t;
}

void
scan_trie_free(struct scan_trie *t)
{
	if (t == NULL)
		return;
	g_array_unref(t->cps);
	g_array_unref(t->words);
	g_array_unref(t->nodes);
	g_array_unref(t->outs);
	g_free(t->slots);
	g_free(t->edges);
	g_free(t);
}

/* ---- words -------------------------------------------------------------------- */

static bool
is_word(const struct scan_trie *t, uint32_t word, const struct scan_word *w)
{
	const struct known *k = WORD(t, word);

	return k->n == w->n && memcmp(&g_array_index(t->cps, uint32_t, k->at),
	    w->cp, w->n * sizeof(w->cp[0])) == 0;
}

/* Where the word is, or where it would be. */
static struct slot *
find_slot(const struct scan_trie *t, const struct scan_word *w)
{
	size_t i = w->hash & (t->n_slots - 1);

	while (t->slots[i].word != 0 && (t->slots[i].hash != w->hash ||
	    !is_word(t, t->slots[i].word, w)))
		i = (i + 1) & (t->n_slots - 1);
	return &t->slots[i];
}

uint32_t
scan_trie_word(const struct scan_trie *t, const struct scan_word *w)
{
	return w->is_long ? 0 : find_slot(t, w)->word;
}

static void
grow_slots(struct scan_trie *t)
{
	struct slot *old = t->slots;
	size_t n = t->n_slots;

	t->n_slots = n * 4;
	t->slots = g_new0(struct slot, t->n_slots);
	for (size_t i = 0; i < n; i++) {
		size_t to = old[i].hash & (t->n_slots - 1);

		if (old[i].word == 0)
			continue;
		while (t->slots[to].word != 0)
			to = (to + 1) & (t->n_slots - 1);
		t->slots[to] = old[i];
	}
	g_free(old);
}

uint32_t
scan_trie_add_word(struct scan_trie *t, const struct scan_word *w)
{
	struct known k = { .at = t->cps->len, .n = (uint32_t)w->n };
	struct slot *slot;

	if (t->words->len * 2 > t->n_slots)
		grow_slots(t);
	slot = find_slot(t, w);
	if (slot->word == 0) {
		g_array_append_vals(t->cps, w->cp, (guint)w->n);
		slot->hash = w->hash;
		slot->word = t->words->len;
		g_array_append_val(t->words, k);
	}
	return slot->word;
}

/* ---- edges ---------------------------------------------------------------------- */

static size_t
edge_hash(uint32_t node, uint32_t word)
{
	uint64_t h = ((uint64_t)node << 32 | word) *
	    UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(h ^ h >> 32);
}

static struct edge *
find_edge(const struct scan_trie *t, uint32_t node, uint32_t word)
{
	size_t i = edge_hash(node, word) & (t->n_edges - 1);

	while (t->edges[i].to != 0 && (t->edges[i].node != node ||
	    t->edges[i].word != word))
		i = (i + 1) & (t->n_edges - 1);
	return &t->edges[i];
}

static void
grow_edges(struct scan_trie *t)
{
	struct edge *old = t->edges;
	size_t n = t->n_edges;

	t->n_edges = n * 4;
	t->edges = g_new0(struct edge, t->n_edges);
	for (size_t i = 0; i < n; i++) {
		if (old[i].to != 0)
			*find_edge(t, old[i].node, old[i].word) = old[i];
	}
	g_free(old);
}

static uint32_t
child_of(const struct scan_trie *t, uint32_t node, uint32_t word)
{
	if (node == 0)
		return WORD(t, word)->child;
	return find_edge(t, node, word)->to;
}

static uint32_t
add_child(struct scan_trie *t, uint32_t node, uint32_t word)
{
	struct scan_node made = { .parent = node, .word = word,
		.depth = (uint8_t)(NODE(t, node)->depth + 1) };
	uint32_t to = t->nodes->len;

	g_array_append_val(t->nodes, made);
	if (node == 0) {
		WORD(t, word)->child = to;
		return to;
	}
	if (++t->used_edges * 2 > t->n_edges)
		grow_edges(t);
	*find_edge(t, node, word) = (struct edge){ node, word, to };
	return to;
}

uint32_t
scan_trie_add(struct scan_trie *t, const uint32_t *words, size_t n,
    bool has_symbol)
{
	uint32_t node = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t next = child_of(t, node, words[i]);

		node = next != 0 ? next : add_child(t, node, words[i]);
	}
	NODE(t, node)->has_symbol = has_symbol;
	return node;
}

void
scan_trie_add_out(struct scan_trie *t, uint32_t node, uint32_t entry,
    enum scan_part part)
{
	struct scan_out out = { NODE(t, node)->out, entry, part };

	NODE(t, node)->out = t->outs->len;
	g_array_append_val(t->outs, out);
}

/* ---- reading ---------------------------------------------------------------------- */

uint32_t
scan_trie_step(const struct scan_trie *t, uint32_t node, uint32_t word)
{
	if (word == 0)
		return 0;
	for (; node != 0; node = NODE(t, node)->fail) {
		uint32_t to = find_edge(t, node, word)->to;

		if (to != 0)
			return to;
	}
	return WORD(t, word)->child;
}

static void
seal_node(struct scan_trie *t, uint32_t i)
{
	struct scan_node *n = NODE(t, i);
	const struct scan_node *fail;

	n->fail = n->parent == 0 ? 0 :
	    scan_trie_step(t, NODE(t, n->parent)->fail, n->word);
	fail = NODE(t, n->fail);
	n->dict = fail->out != 0 ? n->fail : fail->dict;
}

/* What a node falls back to is nearer to the root, and must be ready first. */
void
scan_trie_seal(struct scan_trie *t)
{
	for (unsigned depth = 1; depth <= SCAN_PHRASE_WORDS_MAX; depth++) {
		for (uint32_t i = 1; i < t->nodes->len; i++) {
			if (NODE(t, i)->depth == depth)
				seal_node(t, i);
		}
	}
}

const struct scan_node *
scan_trie_node(const struct scan_trie *t, uint32_t node)
{
	return NODE(t, node);
}

const struct scan_out *
scan_trie_out(const struct scan_trie *t, uint32_t out)
{
	return OUT(t, out);
}
