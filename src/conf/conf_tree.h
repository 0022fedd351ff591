/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text to tokens to a tree. Knows the grammar, and no directive but include.
 */
#pragma once

#include "conf_text.h"

/* Bounds, so that no input can exhaust the stack or run for ever. */
#define CONF_BLOCK_DEPTH_MAX 8
#define CONF_INCLUDE_DEPTH_MAX 8
#define CONF_INCLUDES_MAX 1000

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
	bool is_regex;		/* unknown escapes are not ours */
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
