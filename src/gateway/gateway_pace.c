/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a send may go: two limits and whose turn it is. Holds no clock, no lock
 * and no thread, and owns no ticket.
 *
 * Both limits are the generic cell rate algorithm (ITU-T I.371): a limit is the
 * time up to which it is spent. A person's place is given at once when a send
 * is asked for: a later one gets the next place ("borrowed" from the time to
 * come, as Meta has it for bursts), and who would get one too late is refused
 * rather than queued. Until then it stands in `later`; from then on, in the
 * queue of its application and number. Of one number's queues each has a turn
 * after the other: from their lengths it is known when a new one has its turn,
 * and who would have it too late is refused, too. Only what nobody could know
 * then (others who come, quiet that Meta asks for) makes somebody late. That is
 * bounded by age alone, so `waiting`, in order of asking, has the next one who
 * is late in front.
 */
#include "gateway.h"

#include <string.h>

#define US_PER_S INT64_C(1000000)
#define US_PER_MS INT64_C(1000)
/* So much of a second's rate may go at once after a rest. */
#define BURST_PART 20
/* Who was let in is not turned out for a little more than was promised. */
#define LATE_AFTER 2

struct number;

/* The sends of one application through one number. */
struct lane {
	struct number *number;
	char *application;
	GQueue ready;		/* struct ticket *: the person's place has come */
	size_t count;		/* with those in `later` */
	GList turn;		/* in number->turns while something is ready */
};

struct number {
	char *business;
	int64_t spent_us;	/* its rate is used up to then */
	int64_t closed_us;	/* Meta asked for quiet until then */
	GHashTable *lanes;	/* application to struct lane * */
	GQueue turns;		/* struct lane * */
	GList active;		/* in pace->active while it has turns */
};

struct ticket {
	void *what;		/* the caller's */
	struct lane *lane;
	int64_t asked_us, ready_us;
	uint64_t serial;
	GList in_ready, in_waiting;
};

struct gateway_pace {
	struct gateway_pace_conf conf;
	int64_t step_us, burst_us;	/* of a number; 0: no limit */
	int64_t pair_us, pair_burst_us;
	int64_t now_us;
	uint64_t serial;
	GHashTable *numbers;	/* business to struct number * */
	GHashTable *pairs;	/* "business person" to int64_t * */
	GSequence *later;	/* struct ticket *, by ready_us */
	GQueue waiting;		/* all of them, by asked_us */
	GQueue active;		/* struct number * */
};

/* ---- new and free ------------------------------------------------------------------ */

static void
lane_free(void *p)
{
	struct lane *l = p;

	g_free(l->application);
	g_free(l);
}

static void
number_free(void *p)
{
	struct number *n = p;

	g_hash_table_unref(n->lanes);
	g_free(n->business);
	g_free(n);
}

struct gateway_pace *
gateway_pace_new(const struct gateway_pace_conf *conf)
{
	struct gateway_pace *p = g_new0(struct gateway_pace, 1);

	p->conf = *conf;
	if (conf->number_rate > 0) {
		p->step_us = MAX(US_PER_S / conf->number_rate, 1);
		p->burst_us = MAX(conf->number_rate / BURST_PART - 1, 0) *
		    p->step_us;
	}
	if (conf->pair_ms > 0 && conf->pair_burst > 0) {
		p->pair_us = conf->pair_ms * US_PER_MS;
		p->pair_burst_us = (conf->pair_burst - 1) * p->pair_us;
	}
	p->numbers = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
	    number_free);
	p->pairs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    g_free);
	p->later = g_sequence_new(NULL);
	return p;
}

void
gateway_pace_free(struct gateway_pace *p)
{
	GList *link;

	if (p == NULL)
		return;
	while ((link = g_queue_pop_head_link(&p->waiting)) != NULL)
		g_free(link->data);
	g_sequence_free(p->later);
	g_hash_table_unref(p->pairs);
	g_hash_table_unref(p->numbers);
	g_free(p);
}

static struct number *
get_number(struct gateway_pace *p, const char *business)
{
	struct number *n = g_hash_table_lookup(p->numbers, business);

	if (n != NULL)
		return n;
	n = g_new0(struct number, 1);
	n->business = g_strdup(business);
	n->active.data = n;
	n->lanes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
	    lane_free);
	g_hash_table_insert(p->numbers, n->business, n);
	return n;
}

static struct lane *
get_lane(struct number *n, const char *application)
{
	struct lane *l = g_hash_table_lookup(n->lanes, application);

	if (l != NULL)
		return l;
	l = g_new0(struct lane, 1);
	l->number = n;
	l->application = g_strdup(application);
	l->turn.data = l;
	g_hash_table_insert(n->lanes, l->application, l);
	return l;
}

/* ---- the two limits ------------------------------------------------------------------ */

/* From when a limit spent up to then has a place. */
static int64_t
open_at(int64_t spent_us, int64_t burst_us)
{
	return spent_us - burst_us;
}

static int64_t
spend(int64_t spent_us, int64_t at_us, int64_t step_us)
{
	return MAX(spent_us, at_us) + step_us;
}

static int64_t
number_open_at(const struct gateway_pace *p, const struct number *n)
{
	return MAX(open_at(n->spent_us, p->burst_us), n->closed_us);
}

static void
number_spend(const struct gateway_pace *p, struct number *n)
{
	if (p->step_us > 0)
		n->spent_us = spend(n->spent_us, p->now_us, p->step_us);
}

/* One person, however his number is written. */
static char *
person_key(const char *business, const char *to)
{
	GString *s = g_string_new(business);
	size_t at;

	g_string_append_c(s, ' ');
	at = s->len;
	if (strspn(to, "+0123456789 ()-.") != strlen(to)) {
		g_string_append(s, to);
		return g_string_free(s, FALSE);
	}
	for (const char *c = to; *c != '\0'; c++) {
		if (g_ascii_isdigit(*c))
			g_string_append_c(s, *c);
	}
	if (s->len == at)
		g_string_append(s, to);
	return g_string_free(s, FALSE);
}

static int64_t *
get_pair(struct gateway_pace *p, const char *business, const char *to)
{
	g_autofree char *key = person_key(business, to);
	int64_t *spent = g_hash_table_lookup(p->pairs, key);

	if (spent == NULL) {
		spent = g_new0(int64_t, 1);
		g_hash_table_insert(p->pairs, g_steal_pointer(&key), spent);
	}
	return spent;
}

/* ---- queues ---------------------------------------------------------------------------- */

static int
compare(gconstpointer a, gconstpointer b, gpointer arg)
{
	const struct ticket *x = a, *y = b;

	(void)arg;
	if (x->ready_us != y->ready_us)
		return x->ready_us < y->ready_us ? -1 : 1;
	return (x->serial > y->serial) - (x->serial < y->serial);
}

static void
make_ready(struct gateway_pace *p, struct ticket *t)
{
	struct lane *l = t->lane;
	struct number *n = l->number;

	if (l->ready.length == 0) {
		if (n->turns.length == 0)
			g_queue_push_tail_link(&p->active, &n->active);
		g_queue_push_tail_link(&n->turns, &l->turn);
	}
	g_queue_push_tail_link(&l->ready, &t->in_ready);
}

/* Those whose person's place has come meanwhile. */
static void
advance(struct gateway_pace *p, int64_t now_ms)
{
	/* A clock that goes back stands still here. */
	p->now_us = MAX(p->now_us, now_ms * US_PER_MS);
	while (!g_sequence_is_empty(p->later)) {
		GSequenceIter *first = g_sequence_get_begin_iter(p->later);
		struct ticket *t = g_sequence_get(first);

		if (t->ready_us > p->now_us)
			return;
		g_sequence_remove(first);
		make_ready(p, t);
	}
}

/* Out of all queues; its what is left to the caller. */
static void *
take(struct gateway_pace *p, struct ticket *t)
{
	struct lane *l = t->lane;
	struct number *n = l->number;
	void *what = t->what;

	g_queue_unlink(&l->ready, &t->in_ready);
	g_queue_unlink(&p->waiting, &t->in_waiting);
	l->count--;
	if (l->ready.length == 0) {
		g_queue_unlink(&n->turns, &l->turn);
		if (n->turns.length == 0)
			g_queue_unlink(&p->active, &n->active);
	}
	g_free(t);
	return what;
}

static void
enqueue(struct gateway_pace *p, struct lane *l, void *what, int64_t ready_us)
{
	struct ticket *t = g_new0(struct ticket, 1);

	t->what = what;
	t->lane = l;
	t->asked_us = p->now_us;
	t->ready_us = ready_us;
	t->serial = p->serial++;
	t->in_ready.data = t->in_waiting.data = t;
	g_queue_push_tail_link(&p->waiting, &t->in_waiting);
	l->count++;
	if (ready_us <= p->now_us)
		make_ready(p, t);
	else
		g_sequence_insert_sorted(p->later, t, compare, NULL);
}

/*
 * When a new one at the end of this queue would have its turn: before it go
 * all of its own, and of each other queue as many, as they take turns.
 */
static int64_t
turn_at(const struct gateway_pace *p, const struct lane *l, int64_t ready_us)
{
	const struct number *n = l->number;
	size_t before = l->count;
	GHashTableIter i;
	gpointer other;

	g_hash_table_iter_init(&i, n->lanes);
	while (g_hash_table_iter_next(&i, NULL, &other)) {
		if (other != l)
			before += MIN(((struct lane *)other)->count,
			    l->count + 1);
	}
	return MAX(ready_us, MAX(number_open_at(p, n), p->now_us) +
	    (int64_t)before * p->step_us);
}

enum gateway_turn
gateway_pace_ask(struct gateway_pace *p, const char *application,
    const char *business, const char *to, void *ticket, int64_t now_ms)
{
	struct number *n = get_number(p, business);
	struct lane *l = get_lane(n, application);
	int64_t *pair = p->pair_us > 0 && to != NULL ?
	    get_pair(p, business, to) : NULL;
	int64_t ready_us;
	bool go;

	advance(p, now_ms);
	ready_us = p->now_us;
	if (pair != NULL)
		ready_us = MAX(ready_us, open_at(*pair, p->pair_burst_us));
	if (ready_us - p->now_us > p->conf.wait_ms * US_PER_MS)
		return GATEWAY_TOO_MANY_PAIR;
	go = ready_us <= p->now_us && n->turns.length == 0 &&
	    number_open_at(p, n) <= p->now_us;
	if (!go && (l->count >= (size_t)MAX(p->conf.queue, 0) ||
	    turn_at(p, l, ready_us) - p->now_us >
	    p->conf.wait_ms * US_PER_MS))
		return GATEWAY_TOO_MANY;
	if (pair != NULL)
		*pair = spend(*pair, ready_us, p->pair_us);
	if (go)
		number_spend(p, n);
	else
		enqueue(p, l, ticket, ready_us);
	return go ? GATEWAY_GO : GATEWAY_WAIT;
}

/* ---- whose turn it is ---------------------------------------------------------------------- */

static struct ticket *
oldest(const struct gateway_pace *p)
{
	return p->waiting.head != NULL ? p->waiting.head->data : NULL;
}

static int64_t
late_us(const struct gateway_pace *p)
{
	return LATE_AFTER * p->conf.wait_ms * US_PER_MS;
}

static struct ticket *
find_late(const struct gateway_pace *p)
{
	struct ticket *t = oldest(p);

	return t != NULL && p->now_us - t->asked_us > late_us(p) ? t : NULL;
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < 0 || b < a ? b : a;
}

/* The number that may send now; else *next_us is when one may. */
static struct number *
find_number(const struct gateway_pace *p, int64_t *next_us)
{
	for (GList *i = p->active.head; i != NULL; i = i->next) {
		int64_t at_us = number_open_at(p, i->data);

		if (at_us <= p->now_us)
			return i->data;
		*next_us = sooner(*next_us, at_us);
	}
	return NULL;
}

/* The next of the application whose turn it is; its next turn is the last. */
static struct ticket *
pick(struct gateway_pace *p, struct number *n)
{
	GList *turn = g_queue_pop_head_link(&n->turns);
	struct lane *l = turn->data;

	g_queue_push_tail_link(&n->turns, turn);
	g_queue_unlink(&p->active, &n->active);
	g_queue_push_tail_link(&p->active, &n->active);
	return g_queue_peek_head(&l->ready);
}

/* Rounded up: waiting so long is enough. */
static int64_t
wait_until(const struct gateway_pace *p, int64_t next_us)
{
	const struct ticket *first = oldest(p);

	if (first == NULL)
		return -1;
	next_us = sooner(next_us, first->asked_us + late_us(p) + 1);
	if (!g_sequence_is_empty(p->later)) {
		const struct ticket *t = g_sequence_get(
		    g_sequence_get_begin_iter(p->later));

		next_us = sooner(next_us, t->ready_us);
	}
	return MAX((next_us - p->now_us + US_PER_MS - 1) / US_PER_MS, 1);
}

void *
gateway_pace_next(struct gateway_pace *p, int64_t now_ms, bool *late,
    int64_t *wait_ms)
{
	int64_t next_us = -1;
	struct number *n;
	struct ticket *t;

	advance(p, now_ms);
	*wait_ms = 0;
	t = find_late(p);
	*late = t != NULL;
	if (t != NULL)
		return take(p, t);
	n = find_number(p, &next_us);
	if (n == NULL) {
		*wait_ms = wait_until(p, next_us);
		return NULL;
	}
	number_spend(p, n);
	return take(p, pick(p, n));
}

/*
 * No burst after the quiet either: what was spent before counts as if it had
 * been just now.
 */
void
gateway_pace_slow(struct gateway_pace *p, const char *business,
    int64_t until_ms)
{
	struct number *n = get_number(p, business);

	n->closed_us = MAX(n->closed_us, until_ms * US_PER_MS);
	if (p->step_us > 0)
		n->spent_us = MAX(n->spent_us, n->closed_us + p->burst_us);
}

/* ---- forgetting ------------------------------------------------------------------------------ */

static gboolean
is_spent_pair(gpointer key, gpointer value, gpointer arg)
{
	const struct gateway_pace *p = arg;

	(void)key;
	return *(int64_t *)value <= p->now_us;
}

static bool
is_idle(const struct gateway_pace *p, const struct number *n)
{
	GHashTableIter i;
	gpointer lane;

	if (n->spent_us > p->now_us || n->closed_us > p->now_us)
		return false;
	g_hash_table_iter_init(&i, n->lanes);
	while (g_hash_table_iter_next(&i, NULL, &lane)) {
		if (((struct lane *)lane)->count > 0)
			return false;
	}
	return true;
}

static gboolean
is_idle_number(gpointer key, gpointer value, gpointer arg)
{
	(void)key;
	return is_idle(arg, value);
}

void
gateway_pace_tidy(struct gateway_pace *p, int64_t now_ms)
{
	advance(p, now_ms);
	g_hash_table_foreach_remove(p->pairs, is_spent_pair, p);
	g_hash_table_foreach_remove(p->numbers, is_idle_number, p);
}
