/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens to a tree of directives and blocks, with includes put in place.
 * Knows no directive but `include`, and `pattern`, whose value is a regular
 * expression. Takes any tokens: mistakes are noted and the tree has the rest.
 * Depth and number of blocks and includes are bounded. All nodes of a tree lie
 * in a few chunks, freed together.
 */
#include "conf_tree.h"

#include <string.h>

#include "err.h"

#define CHUNK_BYTES ((size_t)64 << 10)

struct parser {
	struct conf_tree *tree;
	struct conf_files *files;
	struct conf_issues *issues;
	struct conf_lexer lexer;
	struct conf_token tok;
	const struct parser *parent;	/* the file that includes this one */
	unsigned includes_deep;
	unsigned *includes;		/* of all files */
};

/* Where the next node of a list goes. */
struct list {
	struct conf_node **tail;
};

static void *
take(struct conf_tree *t, size_t size)
{
	char *chunk;

	size = (size + 7) & ~(size_t)7;
	if (size > CHUNK_BYTES) {
		chunk = g_malloc0(size);
		g_ptr_array_insert(t->chunks, 0, chunk);
		return chunk;
	}
	if (size > t->left) {
		g_ptr_array_add(t->chunks, g_malloc0(CHUNK_BYTES));
		t->left = CHUNK_BYTES;
	}
	chunk = t->chunks->pdata[t->chunks->len - 1];
	chunk += CHUNK_BYTES - t->left;
	t->left -= size;
	return chunk;
}

static struct conf_word *
word_new(struct conf_tree *t, const struct conf_token *tok)
{
	size_t size = strlen(tok->value) + 1;
	struct conf_word *w = take(t, sizeof(*w));
	char *copy = take(t, size);

	memcpy(copy, tok->value, size);
	w->value = copy;
	w->pos = tok->pos;
	w->is_bad = tok->is_bad;
	return w;
}

static void
next(struct parser *p)
{
	conf_lexer_next(&p->lexer, &p->tok);
}

static void parse_list(struct parser *p, struct list *list, unsigned depth);
static void include(struct parser *p, const struct conf_node *node,
    struct list *list);

/* Braces inside are skipped by counting: no recursion here. */
static void
skip_block(struct parser *p)
{
	unsigned open = 1;

	while (open > 0 && p->tok.kind != CONF_TOKEN_EOF) {
		open += p->tok.kind == CONF_TOKEN_OPEN;
		open -= p->tok.kind == CONF_TOKEN_CLOSE;
		if (open > 0)
			next(p);
	}
}

/* The current token is the opening brace; after it the closing one is past. */
static void
parse_block(struct parser *p, struct conf_node *node, unsigned depth)
{
	struct conf_pos open = p->tok.pos;
	struct list children = { &node->children };

	node->is_block = true;
	next(p);
	if (depth >= CONF_BLOCK_DEPTH_MAX) {
		conf_error(p->issues, open, "blocks are nested too deeply");
		skip_block(p);
	} else {
		parse_list(p, &children, depth + 1);
	}
	if (p->tok.kind == CONF_TOKEN_CLOSE)
		next(p);
	else
		conf_error(p->issues, open,
		    "this block is not closed: '}' is missing");
}

static void
missing_end(struct parser *p, const struct conf_word *last)
{
	struct conf_pos pos = { last->pos.src, last->pos.at + last->pos.len,
		1 };

	g_autofree char *shown = conf_shown(last->value);

	conf_error(p->issues, pos, "';' is missing after %s", shown);
}

/*
 * True while the current token is one more word of the directive. Values
 * stand on one line, so a word on a new line begins the next directive.
 */
static bool
continues(const struct parser *p, const struct conf_node *node)
{
	return p->tok.kind == CONF_TOKEN_WORD &&
	    !(p->tok.new_line && node->count >= 2);
}

static bool
is_pattern(const struct conf_node *node)
{
	return strcmp(node->words->value, "pattern") == 0;
}

static void
parse_directive(struct parser *p, struct list *list, unsigned depth)
{
	struct conf_node *node = take(p->tree, sizeof(*node));
	struct conf_word **tail = &node->words, *last = NULL;

	while (continues(p, node)) {
		last = word_new(p->tree, &p->tok);
		*tail = last;
		tail = &last->next;
		node->count++;
		p->lexer.is_regex = is_pattern(node);
		next(p);
	}
	p->lexer.is_regex = false;
	if (p->tok.kind == CONF_TOKEN_END)
		next(p);
	else if (p->tok.kind == CONF_TOKEN_OPEN)
		parse_block(p, node, depth);
	else
		missing_end(p, last);
	if (strcmp(node->words->value, "include") == 0) {
		include(p, node, list);
		return;
	}
	*list->tail = node;
	list->tail = &node->next;
}

static void
parse_list(struct parser *p, struct list *list, unsigned depth)
{
	struct conf_node nameless;

	while (p->tok.kind != CONF_TOKEN_EOF) {
		if (p->tok.kind == CONF_TOKEN_WORD) {
			parse_directive(p, list, depth);
			continue;
		}
		if (p->tok.kind == CONF_TOKEN_CLOSE && depth > 0)
			return;
		if (p->tok.kind == CONF_TOKEN_CLOSE)
			conf_error(p->issues, p->tok.pos,
			    "'}' closes nothing");
		if (p->tok.kind == CONF_TOKEN_OPEN) {
			conf_error(p->issues, p->tok.pos,
			    "a block needs a name before '{'");
			memset(&nameless, 0, sizeof(nameless));
			parse_block(p, &nameless, depth);
			continue;
		}
		next(p);
	}
}

static void
parse_source(struct parser *p, const struct conf_source *src,
    struct list *list)
{
	conf_lexer_init(&p->lexer, src, p->issues);
	next(p);
	parse_list(p, list, 0);
	conf_lexer_clear(&p->lexer);
}

static bool
is_being_read(const struct parser *p, const struct conf_source *src)
{
	for (; p != NULL; p = p->parent)
		if (p->lexer.src == src)
			return true;
	return false;
}

static void
include_file(struct parser *p, const struct conf_word *value,
    const char *name, struct list *list)
{
	struct parser inner = { .tree = p->tree, .files = p->files,
		.issues = p->issues, .parent = p, .includes = p->includes,
		.includes_deep = p->includes_deep + 1 };
	const struct conf_source *src;
	struct err err = ERR_INIT;

	src = conf_files_get(p->files, name, &err);
	if (src == NULL)
		conf_error(p->issues, value->pos, "%s", err.text);
	else if (is_being_read(p, src))
		conf_error(p->issues, value->pos, "%s includes itself", name);
	else if (inner.includes_deep > CONF_INCLUDE_DEPTH_MAX)
		conf_error(p->issues, value->pos,
		    "includes are nested more than %d deep",
		    CONF_INCLUDE_DEPTH_MAX);
	else if (++*p->includes == CONF_INCLUDES_MAX)
		conf_error(p->issues, value->pos, "more than %d includes",
		    CONF_INCLUDES_MAX);
	else if (*p->includes < CONF_INCLUDES_MAX)
		parse_source(&inner, src, list);
}

static void
include_glob(struct parser *p, const struct conf_word *value,
    const char *pattern, struct list *list)
{
	struct err err = ERR_INIT;
	const GPtrArray *names = conf_files_glob(p->files, pattern, &err);

	if (names == NULL) {
		conf_error(p->issues, value->pos, "%s", err.text);
		return;
	}
	for (guint i = 0; i < names->len; i++)
		include_file(p, value, names->pdata[i], list);
}

static void
include(struct parser *p, const struct conf_node *node, struct list *list)
{
	const struct conf_word *value = node->words->next;
	g_autofree char *name = NULL;

	if (node->count != 2 || node->is_block || *value->value == '\0') {
		conf_error(p->issues, node->words->pos,
		    "include takes one value: a file or a pattern");
		return;
	}
	name = conf_files_name(value->pos.src, value->value);
	if (strpbrk(value->value, "*?[") != NULL)
		include_glob(p, value, name, list);
	else
		include_file(p, value, name, list);
}

struct conf_tree *
conf_tree_new(struct conf_files *files, const struct conf_source *src,
    struct conf_issues *issues)
{
	struct conf_tree *t = g_new0(struct conf_tree, 1);
	unsigned includes = 0;
	struct parser p = { .tree = t, .files = files, .issues = issues,
		.includes = &includes };
	struct conf_token start = { .pos = { src, 0, 0 }, .value = "" };
	struct list list;

	t->chunks = g_ptr_array_new_with_free_func(g_free);
	t->root = take(t, sizeof(*t->root));
	t->root->words = word_new(t, &start);
	t->root->count = 1;
	t->root->is_block = true;
	list.tail = &t->root->children;
	parse_source(&p, src, &list);
	return t;
}

void
conf_tree_free(struct conf_tree *t)
{
	if (t == NULL)
		return;
	g_ptr_array_unref(t->chunks);
	g_free(t);
}

const struct conf_node *
conf_node_find(const struct conf_node *node, const char *name)
{
	while (node != NULL && strcmp(node->words->value, name) != 0)
		node = node->next;
	return node;
}

struct conf_pos
conf_node_pos(const struct conf_node *node, const char *child)
{
	const struct conf_node *found = conf_node_find(node->children, child);

	if (found == NULL)
		return node->words->pos;
	if (found->words->next == NULL)
		return found->words->pos;
	return found->words->next->pos;
}
