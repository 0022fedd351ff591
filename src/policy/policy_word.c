/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closed vocabularies: matches whose values are a fixed list of words.
 * A value is a bit, so that "any of these" is one mask.
 */
#include "policy_int.h"

#include <assert.h>
#include <string.h>

#include "item.h"

static_assert(ITEM_TYPES <= 64 && ITEM_KINDS <= 64 && ITEM_AUTHORS <= 64 &&
    SCAN_DETECTORS <= 32 && SCAN_SCRIPTS <= 64, "sets are 64 bits");

/* NULL: no such place; "": a value that rules cannot name. */
static const char *
word_of(enum policy_match m, int i)
{
	static const char *const at[] = { "capture", "gateway" };
	static const char *const malware[] = {
		[POLICY_MALWARE_UNKNOWN] = "",
		[POLICY_MALWARE_CLEAN] = "clean",
		[POLICY_MALWARE_INFECTED] = "infected",
		[POLICY_MALWARE_UNSCANNED] = "unscanned" };

	if (m == POLICY_DIRECTION)
		return i <= ITEM_SENT ?
		    item_direction_name((enum item_direction)i) : NULL;
	if (m == POLICY_AT)
		return i < (int)G_N_ELEMENTS(at) ? at[i] : NULL;
	if (m == POLICY_AUTHOR)
		return i < ITEM_AUTHORS ?
		    item_author_name((enum item_author)i) : NULL;
	if (m == POLICY_KIND)
		return i < ITEM_KINDS ?
		    item_kind_name((enum item_kind)i) : NULL;
	if (m == POLICY_TYPE)
		return i < ITEM_TYPES ?
		    item_type_name((enum item_type)i) : NULL;
	if (m == POLICY_SCRIPT)
		return i < SCAN_SCRIPTS ?
		    scan_script_name((enum scan_script)i) : NULL;
	if (m == POLICY_DETECT)
		return i < SCAN_DETECTORS ?
		    scan_detector_name((enum scan_detector)i) : NULL;
	if (m == POLICY_MALWARE)
		return i < (int)G_N_ELEMENTS(malware) ? malware[i] : NULL;
	if (m == POLICY_CONSENT)
		return i <= POLICY_CONSENT_WITHDRAWN ?
		    policy_consent_name((enum policy_consent)i) : NULL;
	return NULL;
}

int
policy_word_bit(enum policy_match m, const char *value)
{
	const char *word;

	for (int i = 0; (word = word_of(m, i)) != NULL; i++)
		if (*word != '\0' && strcmp(word, value) == 0)
			return i;
	return -1;
}

const char *
policy_word_at(enum policy_match m, int bit)
{
	return word_of(m, bit);
}

char *
policy_words(enum policy_match m)
{
	GString *out = g_string_new(NULL);
	const char *word;

	for (int i = 0; (word = word_of(m, i)) != NULL; i++)
		if (*word != '\0')
			g_string_append_printf(out, "%s%s",
			    out->len > 0 ? " " : "", word);
	return g_string_free(out, out->len == 0);
}

uint64_t
policy_words_all(enum policy_match m)
{
	uint64_t set = 0;

	for (int i = 0; word_of(m, i) != NULL; i++)
		set |= UINT64_C(1) << i;
	return set;
}
