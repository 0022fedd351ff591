/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Did you mean": the nearest of the words that would have been right, by
 * the number of letters to add, drop, change or swap. Guesses only when it
 * is near; never allocates while it compares.
 */
#include "conf_text.h"

#include <string.h>

#define WORD_MAX 63

void
conf_near_begin(struct conf_near *n, const char *word)
{
	n->word = word;
	n->best[0] = '\0';
	/* A third of the letters may be wrong, at least one, at most three. */
	n->distance = CLAMP((unsigned)strlen(word) / 3, 1, 3) + 1;
	/* A single letter is near to everything. */
	if (strlen(word) < 2)
		n->distance = 1;
}

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	return MIN(MIN(a, b), c);
}

/* Optimal string alignment, with the last three rows of the matrix. */
static unsigned
distance(const char *a, size_t la, const char *b, size_t lb)
{
	unsigned rows[3][WORD_MAX + 1];

	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned *now = rows[i % 3], *up = rows[(i + 2) % 3];
		const unsigned *up2 = rows[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			now[j] = min3(up[j] + 1, now[j - 1] + 1,
			    up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] = MIN(now[j], up2[j - 2] + 1);
		}
	}
	return rows[la % 3][lb];
}

void
conf_near_try(struct conf_near *n, const char *candidate)
{
	size_t la = strlen(n->word), lb = strlen(candidate);
	unsigned d;

	if (la > WORD_MAX || lb > WORD_MAX)
		return;
	d = distance(n->word, la, candidate, lb);
	/* The beginning of a longer word counts as one mistake. */
	if (la >= 3 && strncmp(n->word, candidate, la) == 0)
		d = MIN(d, 1);
	if (d >= n->distance)
		return;
	n->distance = d;
	memcpy(n->best, candidate, lb + 1);
}

char *
conf_near_text(const struct conf_near *n)
{
	if (n->best[0] == '\0')
		return g_strdup("");
	return g_strdup_printf("; did you mean \"%s\"?", n->best);
}
