/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts that are read, and what is said about places in them. Positions
 * are offsets into a text that lives as long as its files; line and column
 * are computed only when an issue is printed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct err;

#define CONF_TEXT_MAX (64u << 20)	/* bytes, all files together */
#define CONF_ISSUES_MAX 100		/* more are counted, not kept */

/* --- conf_files.c: the texts that were read, and nothing else --- */

struct conf_source {
	char *name;		/* as opened */
	char *text;
	size_t len;
	unsigned rank;		/* order of reading */
	bool of_policy;		/* one of the texts that are the rule set */
};

struct conf_glob {
	char *pattern;
	GPtrArray *names;	/* char *, sorted */
};

struct conf_files {
	bool sealed;		/* nothing more is read from disk */
	bool main_only;		/* only those of the main file are there */
	char *cwd;		/* of the process that read the first file */
	GPtrArray *sources, *globs;
	size_t total_bytes;
	guint main_sources, main_globs;	/* the rest is of the other two */
	bool in_policy;		/* what is got now is of the rule set */
	char *policy_instead;	/* of what the main file names; or NULL */
	GPtrArray *policy;	/* those, in the order of their use; borrowed */
};

struct conf_files *conf_files_new(bool sealed);
/* What is read from now on is of the policy and directory files. */
void conf_files_main_ends(struct conf_files *f);
void conf_files_free(struct conf_files *f);
/* Takes text over. False when all together would be too large. */
bool conf_files_add(struct conf_files *f, const char *name, char *text,
    size_t len, struct err *err);
/* Frees all but the texts of the rule set. */
void conf_files_keep_policy(struct conf_files *f);
/* Its name as the rule set has it: from the policy file's directory on. */
char *conf_files_policy_name(const struct conf_files *f,
    const struct conf_source *src);
/* The text of a file, read when it is wanted for the first time. */
const struct conf_source *conf_files_get(struct conf_files *f,
    const char *name, struct err *err);
/* Names (char *) that match; what the disk says is asked only once. */
const GPtrArray *conf_files_glob(struct conf_files *f, const char *pattern,
    struct err *err);
/* The name by which a file mentioned in `by` is opened. */
char *conf_files_name(const struct conf_source *by, const char *value);
/* The same as an absolute path, for values. */
char *conf_files_path(const struct conf_files *f,
    const struct conf_source *by, const char *value);

/* --- conf_issues.c: errors and warnings with their places --- */

struct conf_pos {
	const struct conf_source *src;
	size_t at, len;
};

struct conf_issues {
	GPtrArray *list;
	unsigned errors, unlisted;
};

struct conf_issues *conf_issues_new(void);
void conf_issues_free(struct conf_issues *is);
void conf_error(struct conf_issues *is, struct conf_pos pos,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void conf_warning(struct conf_issues *is, struct conf_pos pos,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Everything, by file and line, each with the source line and a caret. */
void conf_issues_print(struct conf_issues *is, GString *out);
/* False, and *err tells of the first error, when there are any. */
bool conf_issues_verdict(struct conf_issues *is, struct err *err);
/* The value in quotes, cut and cleaned, for messages. */
char *conf_shown(const char *value);
/* "FILE:LINE" */
char *conf_pos_text(struct conf_pos pos);
/*
 * The same for many places of a file, mostly in its order: *line remembers
 * the last one, so that the file is not counted through each time.
 */
struct conf_line {
	struct conf_pos pos;
	unsigned line;
};
char *conf_line_text(struct conf_line *line, struct conf_pos pos);

/* The nearest of the candidates tried, for "did you mean". */
struct conf_near {
	const char *word;
	char best[64];
	unsigned distance;
};
void conf_near_begin(struct conf_near *n, const char *word);
void conf_near_try(struct conf_near *n, const char *candidate);
/* "" or "; did you mean \"x\"?"; owned by the caller. */
char *conf_near_text(const struct conf_near *n);
