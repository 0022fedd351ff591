/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is who, in hash tables. Entries are owned by one table per kind; the
 * others borrow. An entry with a taken key is refused whole, so that a
 * lookup has one answer whatever the order of the file.
 */
#include "directory.h"

#include <string.h>

#include "err.h"
#include "text.h"

struct directory {
	GPtrArray *staff, *businesses, *customers;	/* the owners */
	GHashTable *staff_by_id, *staff_by_number;
	GHashTable *business_by_id, *business_by_number;
	GHashTable *customer_by_id, *customer_by_number;
	GHashTable *customer_by_user_id;
};

static void
free_staff(gpointer p)
{
	directory_staff_free(p);
}

static void
free_business(gpointer p)
{
	directory_business_free(p);
}

static void
free_customer(gpointer p)
{
	directory_customer_free(p);
}

static GHashTable *
table_new(void)
{
	return g_hash_table_new(g_str_hash, g_str_equal);
}

struct directory *
directory_new(void)
{
	struct directory *d = g_new0(struct directory, 1);

	d->staff = g_ptr_array_new_with_free_func(free_staff);
	d->businesses = g_ptr_array_new_with_free_func(free_business);
	d->customers = g_ptr_array_new_with_free_func(free_customer);
	d->staff_by_id = table_new();
	d->staff_by_number = table_new();
	d->business_by_id = table_new();
	d->business_by_number = table_new();
	d->customer_by_id = table_new();
	d->customer_by_number = table_new();
	d->customer_by_user_id = table_new();
	return d;
}

void
directory_free(struct directory *d)
{
	if (d == NULL)
		return;
	g_hash_table_unref(d->staff_by_id);
	g_hash_table_unref(d->staff_by_number);
	g_hash_table_unref(d->business_by_id);
	g_hash_table_unref(d->business_by_number);
	g_hash_table_unref(d->customer_by_id);
	g_hash_table_unref(d->customer_by_number);
	g_hash_table_unref(d->customer_by_user_id);
	g_ptr_array_unref(d->businesses);
	g_ptr_array_unref(d->customers);
	g_ptr_array_unref(d->staff);
	g_free(d);
}

static void *
find(GHashTable *table, const char *key)
{
	return key != NULL ? g_hash_table_lookup(table, key) : NULL;
}

/* Numbers are kept as digits; events may give them with a '+'. */
static void *
find_number(GHashTable *table, const char *number)
{
	if (number != NULL && *number == '+')
		number++;
	return find(table, number);
}

const struct directory_business *
directory_business_get(const struct directory *d, const char *phone_number_id,
    const char *number)
{
	const struct directory_business *b;

	b = find(d->business_by_id, phone_number_id);
	return b != NULL ? b : find_number(d->business_by_number, number);
}

const struct directory_staff *
directory_business_staff(const struct directory_business *b, int64_t at_ms)
{
	for (guint i = 0; b->terms != NULL && i < b->terms->len; i++) {
		const struct directory_term *t = b->terms->pdata[i];

		if (t->from_ms <= at_ms && at_ms < t->until_ms)
			return t->staff;
	}
	return b->staff;
}

const struct directory_staff *
directory_staff_get(const struct directory *d, const char *id)
{
	return find(d->staff_by_id, id);
}

const struct directory_staff *
directory_staff_by_number(const struct directory *d, const char *number)
{
	return find_number(d->staff_by_number, number);
}

const struct directory_customer *
directory_customer_get(const struct directory *d, const char *user_id,
    const char *number)
{
	const struct directory_customer *c;

	c = find(d->customer_by_user_id, user_id);
	return c != NULL ? c : find_number(d->customer_by_number, number);
}

/* Nothing is said when key is NULL; value is masked when it is a number. */
static bool
is_free(GHashTable *table, const char *key, const char *what, struct err *err)
{
	g_autofree char *masked = NULL;

	if (key == NULL || !g_hash_table_contains(table, key))
		return true;
	if (strstr(what, "number") != NULL)
		masked = text_mask(key);
	return err_set(err, ERR_CONF, "directory.duplicate",
	    "%s %s is in the directory twice; remove one", what,
	    masked != NULL ? masked : key);
}

/* Neither in the table nor twice in the list itself. */
static bool
are_free(GHashTable *table, const GPtrArray *keys, const char *what,
    struct err *err)
{
	g_autoptr(GHashTable) own = table_new();

	for (guint i = 0; i < keys->len; i++) {
		if (!is_free(table, keys->pdata[i], what, err) ||
		    !is_free(own, keys->pdata[i], what, err))
			return false;
		g_hash_table_add(own, keys->pdata[i]);
	}
	return true;
}

static void
put(GHashTable *table, char *key, void *entry)
{
	if (key != NULL)
		g_hash_table_insert(table, key, entry);
}

static void
put_all(GHashTable *table, const GPtrArray *keys, void *entry)
{
	for (guint i = 0; i < keys->len; i++)
		put(table, keys->pdata[i], entry);
}

bool
directory_staff_add(struct directory *d, struct directory_staff *s,
    struct err *err)
{
	if (!is_free(d->staff_by_id, s->id, "staff", err) ||
	    !are_free(d->staff_by_number, s->numbers, "staff number", err)) {
		directory_staff_free(s);
		return false;
	}
	g_ptr_array_add(d->staff, s);
	put(d->staff_by_id, s->id, s);
	put_all(d->staff_by_number, s->numbers, s);
	return true;
}

bool
directory_business_add(struct directory *d, struct directory_business *b,
    struct err *err)
{
	if (!is_free(d->business_by_id, b->id, "phone_number_id", err) ||
	    !is_free(d->business_by_number, b->number, "business number",
	    err)) {
		directory_business_free(b);
		return false;
	}
	g_ptr_array_add(d->businesses, b);
	put(d->business_by_id, b->id, b);
	put(d->business_by_number, b->number, b);
	return true;
}

bool
directory_customer_add(struct directory *d, struct directory_customer *c,
    struct err *err)
{
	if (!is_free(d->customer_by_id, c->id, "customer", err) ||
	    !are_free(d->customer_by_number, c->numbers, "customer number",
	    err) ||
	    !are_free(d->customer_by_user_id, c->user_ids, "user_id", err)) {
		directory_customer_free(c);
		return false;
	}
	g_ptr_array_add(d->customers, c);
	put(d->customer_by_id, c->id, c);
	put_all(d->customer_by_number, c->numbers, c);
	put_all(d->customer_by_user_id, c->user_ids, c);
	return true;
}

struct directory_staff *
directory_staff_new(void)
{
	struct directory_staff *s = g_new0(struct directory_staff, 1);

	s->numbers = g_ptr_array_new_with_free_func(g_free);
	return s;
}

void
directory_staff_free(struct directory_staff *s)
{
	if (s == NULL)
		return;
	g_free(s->id);
	g_free(s->name);
	g_free(s->mail);
	g_ptr_array_unref(s->numbers);
	if (s->groups != NULL)
		g_ptr_array_unref(s->groups);
	g_free(s);
}

struct directory_business *
directory_business_new(void)
{
	struct directory_business *b = g_new0(struct directory_business, 1);

	b->journals = g_ptr_array_new_with_free_func(g_free);
	return b;
}

void
directory_business_free(struct directory_business *b)
{
	if (b == NULL)
		return;
	g_free(b->id);
	g_free(b->number);
	g_free(b->name);
	g_free(b->desk);
	g_free(b->mail);
	g_free(b->zone);
	g_free(b->account);
	g_ptr_array_unref(b->journals);
	if (b->terms != NULL)
		g_ptr_array_unref(b->terms);
	g_free(b);
}

struct directory_customer *
directory_customer_new(void)
{
	struct directory_customer *c = g_new0(struct directory_customer, 1);

	c->numbers = g_ptr_array_new_with_free_func(g_free);
	c->user_ids = g_ptr_array_new_with_free_func(g_free);
	return c;
}

void
directory_customer_free(struct directory_customer *c)
{
	if (c == NULL)
		return;
	g_free(c->id);
	g_free(c->name);
	g_ptr_array_unref(c->numbers);
	g_ptr_array_unref(c->user_ids);
	if (c->lists != NULL)
		g_ptr_array_unref(c->lists);
	g_free(c);
}
