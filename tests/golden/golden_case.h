/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event of tests/events with what came after it, from a file such as
 *
 *     event image
 *     file 811000000000001 held photo.jpg image/jpeg "verdict=clean"
 *     max-files 1
 *
 * "record" in place of "event" is one of tests/records, what the gateway wrote.
 * One word of shell syntax after another; lines that begin with # are left
 * out. A held or quarantined file is one of tests/golden/media, or made-N: N
 * bytes that are made up. See golden_case.c for all words.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "item.h"
#include "render.h"

struct golden_case {
	char *event;		/* path */
	struct render_style_conf style;
	bool is_follow_up;
	int64_t age_ms;		/* now, after the first item; 0: as ever */
	char *parent;
	GPtrArray *files;	/* struct golden_file * */
	struct render_original *original;
	struct render_policy *policy;		/* NULL: there are no rules */
	bool is_excluded;
	char *exclude_rule, *employee, *name, *name_source;
	GPtrArray *media, *originals;	/* filled by golden_case_apply() */
	GPtrArray *strings;
};
void golden_case_load(struct golden_case *c, const char *path,
    const char *outdir);
void golden_case_clear(struct golden_case *c);
/* in lives no longer than c. */
void golden_case_apply(const struct golden_case *c, struct render_input *in);
