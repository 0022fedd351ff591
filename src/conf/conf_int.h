/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this module share: texts, trees, tables and issues.
 *
 *   files (texts) -> lex -> parse (tree) -> apply (tables) -> check
 *
 * Positions are offsets into a text that lives as long as its files; line and
 * column are computed only when an issue is printed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"

struct err;

/* Bounds, so that no input can exhaust stack or memory. */
#define CONF_TEXT_MAX (64u << 20)	/* bytes, all files together */
#define CONF_BLOCK_DEPTH_MAX 8
#define CONF_INCLUDE_DEPTH_MAX 8
#define CONF_INCLUDES_MAX 1000
#define CONF_ISSUES_MAX 100

/* --- conf_files.c: the texts that were read, and nothing else --- */

struct conf_source {
	char *name;		/* as opened */
	char *text;
	size_t len;
	unsigned rank;		/* order of reading */
};

struct conf_glob {
	char *pattern;
	GPtrArray *names;	/* char *, sorted */
};

struct conf_files {
	bool sealed;		/* nothing more is read from disk */
	char *cwd;		/* of the process that read the first file */
	GPtrArray *sources, *globs;
	size_t total_bytes;
};

struct conf_files *conf_files_new(bool sealed);
void conf_files_free(struct conf_files *f);
/* Takes text over. False when all together would be too large. */
bool conf_files_add(struct conf_files *f, const char *name, char *text,
    size_t len, struct err *err);
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

/* --- conf_lex.c --- */

enum conf_token_kind { CONF_TOKEN_WORD, CONF_TOKEN_OPEN, CONF_TOKEN_CLOSE,
	CONF_TOKEN_END, CONF_TOKEN_EOF };

struct conf_token {
	enum conf_token_kind kind;
	struct conf_pos pos;
	bool new_line;		/* a line ended before it */
	bool is_bad;		/* its bytes are wrong, as was noted */
	const char *value;	/* of a word; until the next token */
};

struct conf_lexer {
	const struct conf_source *src;
	struct conf_issues *issues;
	size_t at;
	GString *word;
};

void conf_lexer_init(struct conf_lexer *lx, const struct conf_source *src,
    struct conf_issues *issues);
void conf_lexer_clear(struct conf_lexer *lx);
void conf_lexer_next(struct conf_lexer *lx, struct conf_token *out);

/* --- conf_parse.c --- */

struct conf_word {
	struct conf_word *next;
	const char *value;
	struct conf_pos pos;
	bool is_bad;		/* not worth a second error */
};

struct conf_node {
	struct conf_node *next;
	struct conf_word *words;	/* the name, then the values */
	unsigned count;			/* of words */
	bool is_block;
	struct conf_node *children;
};

struct conf_tree {
	GPtrArray *chunks;	/* all memory of the tree */
	size_t left;		/* of the last chunk */
	struct conf_node *root;	/* one word, "" at the start of the file */
};

/*
 * Parses src and all it includes; mistakes go into issues, and the tree has
 * what could be understood.
 */
struct conf_tree *conf_tree_new(struct conf_files *files,
    const struct conf_source *src, struct conf_issues *issues);
void conf_tree_free(struct conf_tree *t);
/* The first child of that name from node on, or NULL. */
const struct conf_node *conf_node_find(const struct conf_node *node,
    const char *name);
/* Where the (first) value of a child stands, or the node itself. */
struct conf_pos conf_node_pos(const struct conf_node *node,
    const char *child);

/* --- conf_value.c, conf_net.c: one value of one type --- */

enum conf_type { CONF_STRING, CONF_NAME, CONF_PATH, CONF_URLPATH, CONF_STORE,
	CONF_MAIL, CONF_DOMAIN, CONF_PHONE, CONF_NETWORK, CONF_CHOICE,
	CONF_LISTEN, CONF_URL, CONF_BOOL, CONF_ENUM, CONF_NUMBER, CONF_SIZE,
	CONF_DURATION };

enum conf_row_flag { CONF_MANY = 1, CONF_REQUIRED = 2 };

#define CONF_NOWHERE ((size_t)-1)	/* the block's check looks after it */

struct conf_row {
	const char *name;
	enum conf_type type;
	unsigned flags;
	const char *preset;	/* as it is written; NULL: none */
	int64_t min, max;
	const char *const *names;	/* of CONF_ENUM and CONF_CHOICE */
	size_t offset;
	/* A preset that depends on other values; `preset` then describes it. */
	char *(*derive)(const struct conf *c, const void *base);
	const char *help;
};

/* Where a value stands, for paths relative to their file; NULL: a preset. */
struct conf_place {
	const struct conf_files *files;
	const struct conf_source *src;
};

/* Sets (or appends) the value; false and *err when it is not of the type. */
bool conf_value_set(const struct conf_row *row, void *base, const char *text,
    const struct conf_place *at, struct err *err);
/* The value as it would be written (unquoted); NULL: not set. */
char *conf_value_format(const struct conf_row *row, const void *base);
/* "duration, 1s to 10m", for people. */
char *conf_value_type(const struct conf_row *row);

bool conf_is_domain(const char *s);
bool conf_mail_check(const char *s, struct err *err);
bool conf_domain_check(const char *s, struct err *err);
bool conf_network_parse(const char *s, char **out, struct err *err);
bool conf_listen_parse(const char *s, struct conf_listen *out,
    struct err *err);
bool conf_url_parse(const char *s, struct conf_relay *out, struct err *err);
/* 127.0.0.0/8, ::1 or "localhost". */
bool conf_is_loopback(const char *host);
bool conf_is_literal(const char *host);
bool conf_network_has(const char *network, const char *host);

/* --- conf_table.c, conf_table_relay.c, conf_directory.c: the tables --- */

struct conf_load;

struct conf_block {
	const char *name;	/* "" for the top of a file */
	const char *label;	/* what its second word is; NULL: it has none */
	const struct conf_row *rows;
	size_t count;
	const struct conf_block *const *blocks;	/* NULL-ended, or NULL */
	const char *help;
	/*
	 * For labelled blocks: a new, empty object, or NULL when this one must
	 * be skipped (already said why). Else the block writes to struct conf.
	 */
	void *(*enter)(struct conf_load *l, const struct conf_node *node);
	/* After all rows and blocks: what a table cannot say. May be NULL. */
	void (*leave)(struct conf_load *l, const struct conf_node *node,
	    void *base);
	/* For printing: the array of objects in struct conf, and their label. */
	size_t list, label_at;
};

extern const struct conf_block conf_block_main, conf_block_relay,
    conf_block_journal, conf_block_directory;

/* --- conf_apply.c: a tree through a table into a struct --- */

struct conf_load {
	struct conf *c;
	struct conf_files *files;
	struct conf_issues *issues;
	GHashTable *journals_used;	/* names, borrowed */
	GHashTable *claims;	/* of ids and numbers: key -> struct conf_pos */
};

void conf_block_apply(struct conf_load *l, const struct conf_block *block,
    const struct conf_node *node, void *base);
/* True if a journal of this name exists; else the error is noted. */
bool conf_journal_ref(struct conf_load *l, const struct conf_word *word);

/* --- conf_check.c: what tables cannot say --- */

void conf_check_main(struct conf_load *l, const struct conf_node *node,
    void *base);
void conf_check_intake(struct conf_load *l, const struct conf_node *node,
    void *base);
void conf_check_turn(struct conf_load *l, const struct conf_node *node,
    void *base);
void conf_check_relay(struct conf_load *l, const struct conf_node *node,
    void *base);
void conf_check_journal(struct conf_load *l, const struct conf_node *node,
    void *base);
/* After the directory was read. */
void conf_check_unused(struct conf_load *l, const struct conf_node *root);

/* --- conf_directory.c --- */

void conf_directory_read(struct conf_load *l, const struct conf_node *root);

/* --- conf.c --- */

/* Takes files over in every case. */
bool conf_read(struct conf_files *files, const char *name, struct conf **out,
    GString *messages, struct err *err);
void conf_relay_free(struct conf_relay *r);
void conf_journal_free(struct conf_journal *j);
