/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of scan share: a set from a few lines, and hits as text. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "scan.h"

/*
 * What the lexicon "l" of these lines finds in the text: "[words] [words]",
 * cut out of the text by the places of the hits. The caller frees it.
 */
char *scan_bed_find(const char *lines, const char *text);
char *scan_bed_find_bytes(const char *lines, const char *text, size_t len);
/* The same for one pattern; "unsure" when a limit was met. */
char *scan_bed_match(const char *regex, const char *text, size_t len);
/* And for one detector. */
char *scan_bed_detect(enum scan_detector d, const char *text);

/* Hits of a result over this text, as above. */
char *scan_bed_show(const struct scan_result *r, const char *text);

/* Fails, with both, if got is not want; frees got. */
void scan_bed_same(char *got, const char *want);
