/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this module share: values, tables, and the way of a
 * configuration through them.
 *
 *   files (texts) -> lex -> parse (tree) -> apply (tables) -> check
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "conf_text.h"
#include "conf_tree.h"

/* --- conf_value.c, conf_word.c, conf_net.c: one value of one type --- */

enum conf_type { CONF_STRING, CONF_NAME, CONF_USER, CONF_PATH, CONF_URLPATH, CONF_STORE,
	CONF_MAIL, CONF_DOMAIN, CONF_PHONE, CONF_NETWORK, CONF_CHOICE,
	CONF_HEADER, CONF_LANGUAGE, CONF_ZONE, CONF_VERSION, CONF_HTTPS,
	CONF_HOSTS, CONF_PROXY, CONF_SOCKET, CONF_HTTP, CONF_LDAP, CONF_FORM,
	CONF_LISTEN, CONF_URL, CONF_BOOL,
	CONF_ENUM, CONF_NUMBER, CONF_SIZE, CONF_DURATION,
	CONF_PAIR,	/* two values of types `pair`; always CONF_MANY */
	CONF_WORDS,	/* min to max words, which the block's check reads */
	CONF_FREE };	/* words or a block, which it reads as well */

enum conf_row_flag { CONF_MANY = 1, CONF_REQUIRED = 2,
	CONF_JOINED = 4 };	/* a pair is one string, a blank between */

#define CONF_NOWHERE ((size_t)-1)	/* the block's check looks after it */

struct conf_row {
	const char *name;
	enum conf_type type;
	unsigned flags;
	const char *preset;	/* as it is written; NULL: none */
	int64_t min, max;
	const char *const *names;	/* of CONF_ENUM and CONF_CHOICE, also
					   within a pair */
	enum conf_type pair[2];		/* of CONF_PAIR */
	const char *usage;		/* the values of a row with several */
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

/*
 * Sets (or appends) the value; false and *err when it is not of the type. Not
 * for CONF_PAIR.
 */
bool conf_value_set(const struct conf_row *row, void *base, const char *text,
    const struct conf_place *at, struct err *err);
/* The value as it would be written (unquoted); NULL: not set. */
char *conf_value_format(const struct conf_row *row, const void *base);
/* "duration, 1s to 10m", for people. */
char *conf_value_type(const struct conf_row *row);

/* Of the text types; false and *err with the end of a sentence about s. */
typedef bool conf_check_fn(const char *s, struct err *err);
conf_check_fn conf_name_check, conf_urlpath_check, conf_header_check,
    conf_language_check, conf_zone_check, conf_version_check,
    conf_mail_check, conf_domain_check, conf_https_check, conf_hosts_check,
    conf_proxy_check, conf_socket_check, conf_http_check, conf_ldap_check,
    conf_form_check;

bool conf_is_domain(const char *s);
bool conf_network_parse(const char *s, char **out, struct err *err);
bool conf_listen_parse(const char *s, struct conf_listen *out,
    struct err *err);
bool conf_url_parse(const char *s, struct conf_relay *out, struct err *err);
/* The host of what conf_socket_check() let pass; NULL when it is a path. */
char *conf_socket_host(const char *s);
/* The host of what conf_proxy_check() let pass. */
char *conf_proxy_host(const char *s);
/* 127.0.0.0/8, ::1 or "localhost". */
bool conf_is_loopback(const char *host);
bool conf_is_literal(const char *host);
/* Whether the kernel would give a connection to either; "::" has IPv4, too. */
struct conf_listen;
bool conf_listens_clash(const struct conf_listen *a,
    const struct conf_listen *b);
bool conf_network_has(const char *network, const char *host);

/* --- conf_table*.c, conf_directory.c: the tables --- */

struct conf_load;

struct conf_block {
	const char *name;	/* "" for the top of a file */
	const char *label;	/* what its second word is; NULL: it has none */
	const struct conf_row *rows;
	size_t count;
	const struct conf_block *const *blocks;	/* NULL-ended, or NULL */
	/*
	 * It may be missing; then its presets do not count. The first row has
	 * a preset or is required, and so tells whether the block is there.
	 */
	bool optional;
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
    conf_block_journal, conf_block_gateway, conf_block_ldap,
    conf_block_policy, conf_block_directory;

/* "there is already a(n) WHAT \"LABEL\"" */
void conf_tell_again(struct conf_load *l, const struct conf_node *node,
    const char *what);

/* --- conf_apply.c: a tree through a table into a struct --- */

struct conf_refs;

struct conf_load {
	struct conf *c;
	struct conf_files *files;
	struct conf_issues *issues;
	GHashTable *journals_used;	/* names, borrowed */
	GHashTable *claims;	/* of ids and names: key -> struct conf_pos */
	struct conf_line line;	/* of the policy file */
	bool told_gateway;	/* that there is none for what rules want */
	bool told_scanner;	/* the same of a scanner */
	struct conf_refs *refs;	/* of rules to the directory; NULL: none */
};

void conf_block_apply(struct conf_load *l, const struct conf_block *block,
    const struct conf_node *node, void *base);
/* Of one word; not for CONF_PAIR and what follows it. */
bool conf_word_set(struct conf_load *l, const struct conf_row *row,
    const struct conf_word *word, void *base);
/* True if a journal of this name exists; else the error is noted. */
bool conf_journal_ref(struct conf_load *l, const struct conf_word *word);

/* False, and the error is noted, when value is there already. */
bool conf_claim(struct conf_load *l, const char *what, const char *value,
    struct conf_pos pos);
bool conf_is_claimed(const struct conf_load *l, const char *what,
    const char *value);

/* --- conf_check.c, conf_check_gateway.c: what tables cannot say --- */

/* Where one is, the other must be as well. */
void conf_need(struct conf_load *l, const struct conf_node *node,
    const char *one, const char *other);
/* An IP address that is of this host or in a trusted_network. */
bool conf_is_near(const struct conf *c, const char *host);

void conf_check_main(struct conf_load *l, const struct conf_node *node,
    void *base);
void conf_check_intake(struct conf_load *l, const struct conf_node *node,
    void *base);
void conf_check_graph(struct conf_load *l, const struct conf_node *node,
    void *base);
void conf_check_media(struct conf_load *l, const struct conf_node *node,
    void *base);
void conf_check_turn(struct conf_load *l, const struct conf_node *node,
    void *base);
void conf_check_relay(struct conf_load *l, const struct conf_node *node,
    void *base);
void conf_check_journal(struct conf_load *l, const struct conf_node *node,
    void *base);
void conf_check_gateway(struct conf_load *l, const struct conf_node *node,
    void *base);
void conf_check_application(struct conf_load *l, const struct conf_node *node,
    void *base);
void conf_check_ldap(struct conf_load *l, const struct conf_node *node,
    void *base);
/* After the directory was read. */
void conf_check_unused(struct conf_load *l, const struct conf_node *root);

/* --- conf_terms.c: who used a business number, and when --- */

struct directory_business;
/* The used_by directives of the block, into b->terms. */
void conf_terms_read(struct conf_load *l, const struct conf_node *node,
    struct directory_business *b);

/* --- conf_directory.c --- */

struct directory_staff;
/* NULL, and the error is noted, when there is none of that id. */
const struct directory_staff *conf_staff_ref(struct conf_load *l,
    const struct conf_word *word);

void conf_directory_read(struct conf_load *l, const struct conf_node *root);

/* --- conf_policy.c, conf_policy_rule.c: the policy file --- */

void conf_policy_read(struct conf_load *l, const struct conf_node *root);
/* "FILE:LINE", g_free() it. */
char *conf_policy_where(struct conf_load *l, struct conf_pos pos);
/* The rows are read here; the rule goes into c->policy. */
void *conf_rule_enter(struct conf_load *l, const struct conf_node *node);
void conf_rule_leave(struct conf_load *l, const struct conf_node *node,
    void *base);

/* --- conf.c --- */

/* Takes files over in every case. */
bool conf_read(struct conf_files *files, const char *name, struct conf **out,
    GString *messages, struct err *err);
void conf_relay_free(struct conf_relay *r);
void conf_journal_free(struct conf_journal *j);
void conf_application_free(struct conf_application *a);
