/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text through a set. Words of the text are stepped through the automaton
 * as they are read, whatever the length of the text: nothing but the places
 * of the last words is remembered, and where parts of a "near" were seen.
 */
#include "scan_int.h"

#include <string.h>

/* A power of two that holds the words of the longest phrase. */
#define RING 16
G_STATIC_ASSERT(RING >= SCAN_PHRASE_WORDS_MAX);

struct seen {		/* a part of an entry with near */
	uint32_t entry;
	enum scan_part part;
	size_t from, to;	/* bytes */
	size_t word, end;	/* [word, end), counted in words */
};

struct scan_work {
	GArray *seen;
	struct scan_match *match;
};

/* The words seen through the automaton: without symbols, and with them. */
struct stream {
	uint32_t node;
	size_t n;
	struct {
		size_t from, word;
	} ring[RING];
};

struct run {
	const struct scan_set *set;
	struct scan_work *work;
	struct scan_result *result;
	struct scan_reader reader;
	struct stream plain, full;
	size_t words;
	unsigned scripts;	/* of ALIKE that the text has a letter of */
	unsigned found;		/* of any script, as it goes */
};

struct scan_work *
scan_work_new(void)
{
	struct scan_work *w = g_new0(struct scan_work, 1);

	w->seen = g_array_new(FALSE, FALSE, sizeof(struct seen));
	w->match = scan_match_new();
	return w;
}

void
scan_work_free(struct scan_work *w)
{
	if (w == NULL)
		return;
	g_array_unref(w->seen);
	scan_match_free(w->match);
	g_free(w);
}

static void
add_hit(struct run *r, uint32_t entry, size_t from, size_t to)
{
	const struct scan_entry *e = &g_array_index(r->set->entries,
	    struct scan_entry, entry);
	struct scan_hit hit = { .source = SCAN_LEXICON, .name = e->name,
		.phrase = e->id, .category = e->category,
		.weight = e->weight, .from = from, .to = to };

	scan_result_add(r->result, &hit);
}

/* ---- words -------------------------------------------------------------------- */

static void
report(struct run *r, const struct stream *s, const struct scan_node *node)
{
	size_t first = (s->n - node->depth) & (RING - 1);
	size_t from = s->ring[first].from, to = r->reader.word.to;

	for (uint32_t i = node->out; i != 0;) {
		const struct scan_out *o = scan_trie_out(r->set->trie, i);
		struct seen seen = { o->entry, o->part, from, to,
			s->ring[first].word, r->words };

		if (o->part == SCAN_WHOLE)
			add_hit(r, o->entry, from, to);
		else
			g_array_append_val(r->work->seen, seen);
		i = o->next;
	}
}

static void
step(struct run *r, struct stream *s, uint32_t word, bool symbols)
{
	const struct scan_trie *trie = r->set->trie;
	uint32_t i;

	s->node = scan_trie_step(trie, s->node, word);
	s->ring[s->n & (RING - 1)].from = r->reader.word.from;
	s->ring[s->n & (RING - 1)].word = r->words -
	    (r->reader.word.is_symbol ? 0 : 1);
	s->n++;
	for (i = s->node; i != 0; i = scan_trie_node(trie, i)->dict) {
		const struct scan_node *node = scan_trie_node(trie, i);

		if (node->out != 0 && node->has_symbol == symbols)
			report(r, s, node);
	}
}

/*
 * A word is looked up as it is written; when no phrase has it so, in the
 * scripts whose letters it may imitate: those of the word itself when it
 * mixes them, else those of other words of the text.
 */
static uint32_t
look_up(struct run *r)
{
	const struct scan_word *w = &r->reader.word;
	uint32_t word = scan_trie_word(r->set->trie, w);
	unsigned own = w->scripts & SCAN_ALIKE_SCRIPTS;
	bool is_mixed = (own & (own - 1)) != 0;
	unsigned try = is_mixed ? SCAN_ALIKE_SCRIPTS : r->scripts & ~own;

	if (word != 0 || own == 0 || try == 0 || w->is_long)
		return word;
	for (int script = SCAN_LATIN; script <= SCAN_GREEK; script++) {
		struct scan_word as;

		if ((try & 1u << script) == 0 ||
		    !scan_word_alike(&r->reader, (enum scan_script)script, &as))
			continue;
		word = scan_trie_word(r->set->trie, &as);
		if (word != 0)
			return word;
	}
	return 0;
}

static void
take_symbol(struct run *r)
{
	uint32_t word;

	if (!r->set->has_symbols)
		return;
	word = scan_trie_word(r->set->trie, &r->reader.word);
	if (word != 0)
		step(r, &r->full, word, true);
}

static void
take_words(struct run *r)
{
	while (scan_reader_next(&r->reader)) {
		uint32_t word;

		if (r->reader.word.is_symbol) {
			take_symbol(r);
			continue;
		}
		r->found |= r->reader.word.scripts;
		r->words++;
		word = look_up(r);
		step(r, &r->plain, word, false);
		if (r->set->has_symbols)
			step(r, &r->full, word, true);
	}
}

/* ---- near ---------------------------------------------------------------------- */

static int
compare_seen(gconstpointer left, gconstpointer right)
{
	const struct seen *a = left, *b = right;

	if (a->entry != b->entry)
		return a->entry < b->entry ? -1 : 1;
	if (a->to != b->to)
		return a->to < b->to ? -1 : 1;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return (int)a->part - (int)b->part;
}

static bool
is_near(const struct seen *before, const struct seen *after, size_t near)
{
	return before->part != after->part && before->to <= after->from &&
	    before->end <= after->word && after->word - before->end <= near;
}

/*
 * The nearest other part before seen[i]. As all are sorted by their ends, what
 * ends too far away ends the search.
 */
static bool
find_near(const struct seen *seen, size_t i, size_t near, size_t *out)
{
	for (size_t k = i; k-- > 0 && seen[k].entry == seen[i].entry;) {
		if (is_near(&seen[k], &seen[i], near)) {
			*out = k;
			return true;
		}
		if (seen[k].end + near < seen[i].word)
			return false;
	}
	return false;
}

static void
pair_up(struct run *r)
{
	GArray *all = r->work->seen;
	const struct seen *seen = (const void *)all->data;
	size_t last_from = SIZE_MAX, other;

	g_array_sort(all, compare_seen);
	for (guint i = 0; i < all->len; i++) {
		const struct scan_entry *e = &g_array_index(r->set->entries,
		    struct scan_entry, seen[i].entry);
		bool is_repeated = i > 0 && seen[i].to == seen[i - 1].to &&
		    seen[i].entry == seen[i - 1].entry;

		if (!is_repeated)
			last_from = SIZE_MAX;
		if (!find_near(seen, i, (size_t)e->near, &other) ||
		    seen[other].from == last_from)
			continue;
		last_from = seen[other].from;
		add_hit(r, seen[i].entry, last_from, seen[i].to);
	}
	g_array_set_size(all, 0);
}

/* ---- all of it -------------------------------------------------------------------- */

/* From the bytes alone: which of the scripts that look alike may be there. */
static unsigned
glance(const uint8_t *text, size_t len)
{
	unsigned scripts = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x80)
			scripts |= (unsigned)(g_ascii_isalpha(text[i])) <<
			    SCAN_LATIN;
		else if (text[i] >= 0xc3 && text[i] <= 0xc9)
			scripts |= 1u << SCAN_LATIN;
		else if (text[i] == 0xce || text[i] == 0xcf)
			scripts |= 1u << SCAN_GREEK;
		else if (text[i] >= 0xd0 && text[i] <= 0xd4)
			scripts |= 1u << SCAN_CYRILLIC;
		else if (text[i] == 0xef || text[i] == 0xf0)
			scripts |= 1u << SCAN_LATIN;	/* full-width, bold */
	}
	return scripts;
}

void
scan_run(const struct scan_set *s, struct scan_work *w, const char *text,
    size_t len, struct scan_result *r)
{
	struct run run = { .set = s, .work = w, .result = r };

	g_assert(s->is_sealed);
	run.scripts = glance((const uint8_t *)text, len);
	scan_reader_init(&run.reader, s->fold, text, len);
	take_words(&run);
	if (w->seen->len > 0)
		pair_up(&run);
	r->scripts |= run.found & ((1u << SCAN_SCRIPTS) - 1);
	scan_match_run(s, w->match, text, len, r);
	scan_result_sort(r);
}
