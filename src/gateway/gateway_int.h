/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared inside gateway: JSON with its places in the text. json-c keeps no
 * offsets, takes the last of two members of one name, and reads a lone
 * surrogate as something else than other readers do; here bytes are cut and
 * joined, so each value knows where it stands. And what an id of Meta's is.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wa.h"

struct err;

/*
 * What is embedded in a record stands one level deeper than it came, and the
 * reader of records has the default depth.
 */
#define GATEWAY_LIMITS { .max_bytes = 4 << 20, .max_string = 1 << 20, \
	.max_depth = 28, .max_items = WA_ITEMS_DEFAULT }

/* A value: its bytes are [at, end), its name's with quotes [key, key_end). */
struct gateway_node {
	char kind;		/* { [ " 0 t f n */
	bool has_escaped_key;
	uint32_t at, end, key, key_end;
	uint32_t next;		/* brother; 0: none */
	uint32_t child;		/* first of its values; 0: none */
};
struct gateway_json {
	char *text;		/* a copy that ends with a NUL */
	GArray *nodes;
};

/* ERR_PERM "gateway.json", in the words of wa_json_check(). */
bool gateway_json_load(const void *body, size_t len,
    struct gateway_json *out, struct err *err);
void gateway_json_clear(struct gateway_json *j);
const struct gateway_node *gateway_json_root(const struct gateway_json *j);
/* NULL: there is none. */
const struct gateway_node *gateway_json_child(const struct gateway_json *j,
    const struct gateway_node *n);
const struct gateway_node *gateway_json_next(const struct gateway_json *j,
    const struct gateway_node *n);
/* The last member of this name, as most readers have it; NULL: none, or n is
 * NULL or no object. */
const struct gateway_node *gateway_json_get(const struct gateway_json *j,
    const struct gateway_node *n, const char *name);
bool gateway_json_is(const struct gateway_node *n, char kind);
/* n's name, decoded. NULL if it has none. */
char *gateway_json_name(const struct gateway_json *j,
    const struct gateway_node *n);
/* A string decoded (what is no character is U+FFFD), a number as it is
 * spelt; NULL for all else, and for NULL. */
char *gateway_json_text(const struct gateway_json *j,
    const struct gateway_node *n);
/*
 * Is there only one way to read it? No object has two members of one name, no
 * string an escape that is no character (NUL, half a surrogate pair).
 * ERR_PERM "gateway.json".
 */
bool gateway_json_check(const struct gateway_json *j, struct err *err);

/* s between quotes; controls are escaped, what is not UTF-8 is U+FFFD. */
void gateway_json_put(GString *out, const char *s);
/* The same without the quotes. */
void gateway_json_escape(GString *out, const char *s);

/* Meta's ids of numbers, accounts and files (gateway_route.c). */
