/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the directory file, and its reader. Ids, numbers and user
 * ids are claimed with their place before an entry is added, so that a
 * second claim can name the first. Messages do not repeat numbers: they may
 * end up in a log.
 */
#include "conf_policy_int.h"

#include <string.h>

#include "directory.h"
#include "err.h"
#include "text.h"

#define STAFF(field) offsetof(struct directory_staff, field)
#define BUSINESS(field) offsetof(struct directory_business, field)
#define CUSTOMER(field) offsetof(struct directory_customer, field)

static const struct conf_row staff_rows[] = {
	{ "name", CONF_STRING, .flags = CONF_REQUIRED, .offset = STAFF(name),
		.help = "Legal name." },
	{ "mail", CONF_MAIL, .flags = CONF_REQUIRED, .offset = STAFF(mail),
		.help = "Mail address." },
	{ "number", CONF_PHONE, .flags = CONF_MANY, .offset = STAFF(numbers),
		.help = "A number this person uses." },
	{ "group", CONF_STRING, .flags = CONF_MANY, .offset = STAFF(groups),
		.help = "A group of this person, for rules." },
};

static const struct conf_row business_rows[] = {
	{ "number", CONF_PHONE, .offset = BUSINESS(number),
		.help = "The number itself." },
	{ "name", CONF_STRING, .flags = CONF_REQUIRED,
		.offset = BUSINESS(name), .help = "What the number is for." },
	{ "desk", CONF_NAME, .flags = CONF_REQUIRED,
		.offset = BUSINESS(desk),
		.help = "Short name, for List-Id and tags." },
	{ "mail", CONF_MAIL, .offset = BUSINESS(mail),
		.help = "Mail address of the desk." },
	{ "staff", CONF_NAME, .offset = CONF_NOWHERE,
		.help = "Who alone uses the number." },
	{ "used_by", CONF_WORDS, .flags = CONF_MANY, .min = 1, .max = 5,
		.usage = "STAFF [from DATE] [until DATE]",
		.offset = CONF_NOWHERE,
		.help = "Who alone used the number for some time." },
	{ "zone", CONF_ZONE, .offset = BUSINESS(zone),
		.help = "Time zone of the desk." },
	{ "account", CONF_NAME, .offset = BUSINESS(account),
		.help = "The WhatsApp business account, for templates." },
	{ "journal", CONF_NAME, .flags = CONF_MANY | CONF_REQUIRED,
		.offset = BUSINESS(journals),
		.help = "Gets the conversations of this number." },
};

static const struct conf_row customer_rows[] = {
	{ "name", CONF_STRING, .flags = CONF_REQUIRED,
		.offset = CUSTOMER(name), .help = "Name." },
	{ "number", CONF_PHONE, .flags = CONF_MANY,
		.offset = CUSTOMER(numbers),
		.help = "A telephone number of the customer." },
	{ "user_id", CONF_STRING, .flags = CONF_MANY,
		.offset = CUSTOMER(user_ids),
		.help = "A business-scoped user id of the customer." },
	{ "list", CONF_NAME, .flags = CONF_MANY, .offset = CUSTOMER(lists),
		.help = "A list the customer is on, for rules." },
};

bool
conf_is_claimed(const struct conf_load *l, const char *what,
    const char *value)
{
	g_autofree char *key = g_strdup_printf("%s %s", what, value);

	return g_hash_table_contains(l->claims, key);
}

bool
conf_claim(struct conf_load *l, const char *what, const char *value,
    struct conf_pos pos)
{
	char *key = g_strdup_printf("%s %s", what, value);
	const struct conf_pos *first = g_hash_table_lookup(l->claims, key);
	g_autofree char *where = NULL;
	struct conf_pos *own;

	if (first == NULL) {
		own = g_new(struct conf_pos, 1);
		*own = pos;
		g_hash_table_insert(l->claims, key, own);
		return true;
	}
	g_free(key);
	where = conf_pos_text(*first);
	conf_error(l->issues, pos, "this %s is given twice; the first is at %s",
	    what, where);
	return false;
}

/* All values of a repeatable directive, telephone numbers as digits. */
static bool
claim_all(struct conf_load *l, const struct conf_node *node, const char *name,
    const char *what)
{
	const struct conf_node *n = conf_node_find(node->children, name);
	bool ok = true;

	for (; n != NULL; n = conf_node_find(n->next, name)) {
		const struct conf_word *w = n->words->next;
		g_autofree char *digits = NULL;

		if (w == NULL)
			continue;
		digits = text_phone_digits(w->value);
		ok &= conf_claim(l, what, digits != NULL ? digits : w->value,
		    w->pos);
	}
	return ok;
}

static const struct conf_word *
label_of(const struct conf_node *node)
{
	return node->words->next;
}

static void
report(struct conf_load *l, const struct conf_node *node,
    const struct err *err)
{
	conf_error(l->issues, label_of(node)->pos, "%s", err->text);
}

static void *
enter_staff(struct conf_load *l, const struct conf_node *node)
{
	struct directory_staff *s = directory_staff_new();

	(void)l;
	s->id = g_strdup(label_of(node)->value);
	return s;
}

static void
leave_staff(struct conf_load *l, const struct conf_node *node, void *base)
{
	struct directory_staff *s = base;
	struct err err = ERR_INIT;
	bool ok = conf_claim(l, "staff id", s->id, label_of(node)->pos);

	ok &= claim_all(l, node, "number", "staff number");
	conf_ref_name(l, POLICY_EMPLOYEE, s->id);
	conf_ref_names(l, POLICY_GROUP, s->groups);
	if (!ok)
		directory_staff_free(s);
	else if (!directory_staff_add(l->c->directory, s, &err))
		report(l, node, &err);
}

static void *
enter_business(struct conf_load *l, const struct conf_node *node)
{
	struct directory_business *b = directory_business_new();

	(void)l;
	b->id = g_strdup(label_of(node)->value);
	return b;
}

const struct directory_staff *
conf_staff_ref(struct conf_load *l, const struct conf_word *word)
{
	const struct directory_staff *s = directory_staff_get(
	    l->c->directory, word->value);
	g_autofree char *shown = NULL;

	if (s != NULL)
		return s;
	shown = conf_shown(word->value);
	conf_error(l->issues, word->pos, "there is no staff %s", shown);
	return NULL;
}

static void
find_staff(struct conf_load *l, const struct conf_node *node,
    struct directory_business *b)
{
	const struct conf_node *n = conf_node_find(node->children, "staff");

	if (n != NULL && n->words->next != NULL)
		b->staff = conf_staff_ref(l, n->words->next);
}

static void
find_journals(struct conf_load *l, const struct conf_node *node)
{
	const struct conf_node *n = conf_node_find(node->children, "journal");
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash,
	    g_str_equal);

	for (; n != NULL; n = conf_node_find(n->next, "journal")) {
		const struct conf_word *w = n->words->next;

		if (w == NULL || !conf_journal_ref(l, w))
			continue;
		if (g_hash_table_contains(seen, w->value))
			conf_error(l->issues, w->pos,
			    "this journal is given twice for the number");
		g_hash_table_add(seen, (char *)(uintptr_t)w->value);
	}
}

static void
leave_business(struct conf_load *l, const struct conf_node *node, void *base)
{
	struct directory_business *b = base;
	struct err err = ERR_INIT;
	bool ok = conf_claim(l, "phone_number_id", b->id, label_of(node)->pos);

	ok &= claim_all(l, node, "number", "business number");
	conf_ref_name(l, POLICY_BUSINESS, b->id);
	conf_ref_name(l, POLICY_BUSINESS, b->number);
	conf_ref_name(l, POLICY_DESK, b->desk);
	find_staff(l, node, b);
	conf_terms_read(l, node, b);
	find_journals(l, node);
	if (!ok)
		directory_business_free(b);
	else if (!directory_business_add(l->c->directory, b, &err))
		report(l, node, &err);
}

static void *
enter_customer(struct conf_load *l, const struct conf_node *node)
{
	struct directory_customer *c = directory_customer_new();

	(void)l;
	c->id = g_strdup(label_of(node)->value);
	return c;
}

static void
leave_customer(struct conf_load *l, const struct conf_node *node, void *base)
{
	struct directory_customer *c = base;
	struct err err = ERR_INIT;
	bool ok = conf_claim(l, "customer id", c->id, label_of(node)->pos);

	ok &= claim_all(l, node, "number", "customer number");
	conf_ref_name(l, POLICY_CUSTOMER, c->id);
	conf_ref_names(l, POLICY_CUSTOMER_LIST, c->lists);
	ok &= claim_all(l, node, "user_id", "user_id");
	if (conf_node_find(node->children, "number") == NULL &&
	    conf_node_find(node->children, "user_id") == NULL)
		conf_error(l->issues, label_of(node)->pos,
		    "the customer has neither number nor user_id");
	if (!ok)
		directory_customer_free(c);
	else if (!directory_customer_add(l->c->directory, c, &err))
		report(l, node, &err);
}

static const struct conf_block block_staff = { .name = "staff",
	.label = "ID", .rows = staff_rows, .count = G_N_ELEMENTS(staff_rows),
	.enter = enter_staff, .leave = leave_staff, .help = "An employee." };
static const struct conf_block block_business = { .name = "business",
	.label = "PHONE_NUMBER_ID", .rows = business_rows,
	.count = G_N_ELEMENTS(business_rows), .enter = enter_business,
	.leave = leave_business, .help = "A business number." };
static const struct conf_block block_customer = { .name = "customer",
	.label = "ID", .rows = customer_rows,
	.count = G_N_ELEMENTS(customer_rows), .enter = enter_customer,
	.leave = leave_customer, .help = "A known customer." };

/* In this order: business refers to staff, wherever it stands in the file. */
static const struct conf_block *const directory_blocks[] = { &block_staff,
	&block_business, &block_customer, NULL };

const struct conf_block conf_block_directory = { .name = "directory",
	.blocks = directory_blocks, .help = "The directory file" };

void
conf_directory_read(struct conf_load *l, const struct conf_node *root)
{
	struct err err = ERR_INIT;
	const struct conf_source *src;
	struct conf_tree *tree;

	src = conf_files_get(l->files, l->c->directory_file, &err);
	if (src == NULL) {
		conf_error(l->issues, conf_node_pos(root, "directory"), "%s",
		    err.text);
		return;
	}
	tree = conf_tree_new(l->files, src, l->issues);
	conf_block_apply(l, &conf_block_directory, tree->root, l->c);
	conf_tree_free(tree);
}
