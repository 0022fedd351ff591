/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a table cannot say: directives that need or exclude each other, and
 * references by name. Secret and certificate files are not opened here: the
 * role that needs them does that, with its own rights.
 */
#include "conf_int.h"

#include <string.h>

#define MAX_SIZE_LEAST (256 << 10)

static bool
has(const struct conf_node *node, const char *name)
{
	return conf_node_find(node->children, name) != NULL;
}

/* The word after the name, or NULL. */
static const struct conf_word *
value_of(const struct conf_node *node, const char *name)
{
	const struct conf_node *n = conf_node_find(node->children, name);

	return n != NULL ? n->words->next : NULL;
}

void
conf_need(struct conf_load *l, const struct conf_node *node,
    const char *one, const char *other)
{
	if (has(node, one) && !has(node, other))
		conf_error(l->issues, conf_node_pos(node, one),
		    "%s needs %s as well", one, other);
}

/* --- references --- */

static void
tell_no_journal(struct conf_load *l, const struct conf_word *word)
{
	g_autofree char *shown = conf_shown(word->value), *hint = NULL;
	struct conf_near near;

	conf_near_begin(&near, word->value);
	for (guint i = 0; i < l->c->journals->len; i++) {
		const struct conf_journal *j = l->c->journals->pdata[i];

		conf_near_try(&near, j->name);
	}
	hint = conf_near_text(&near);
	conf_error(l->issues, word->pos, "there is no journal %s%s", shown,
	    hint);
}

bool
conf_journal_ref(struct conf_load *l, const struct conf_word *word)
{
	const struct conf_journal *j = conf_journal_get(l->c, word->value);

	if (j == NULL) {
		tell_no_journal(l, word);
		return false;
	}
	g_hash_table_add(l->journals_used, j->name);
	return true;
}

static void
check_relay_ref(struct conf_load *l, const struct conf_word *word)
{
	g_autofree char *shown = conf_shown(word->value), *hint = NULL;
	struct conf_near near;

	if (conf_relay_get(l->c, word->value) != NULL)
		return;
	conf_near_begin(&near, word->value);
	for (guint i = 0; i < l->c->relays->len; i++) {
		const struct conf_relay *r = l->c->relays->pdata[i];

		conf_near_try(&near, r->name);
	}
	hint = conf_near_text(&near);
	conf_error(l->issues, word->pos, "there is no relay %s%s", shown,
	    hint);
}

/* --- blocks --- */

void
conf_check_main(struct conf_load *l, const struct conf_node *node, void *base)
{
	const struct conf_word *word = value_of(node, "catch_all");
	const struct conf_node *gateway = conf_node_find(node->children,
	    "gateway");

	(void)base;
	if (gateway != NULL && conf_listens_clash(&l->c->intake.listen,
	    &l->c->gateway.listen))
		conf_error(l->issues, conf_node_pos(gateway, "listen"),
		    "intake listens on that port, too; give one of them "
		    "another");
	if (l->c->journals->len == 0 && !has(node, "journal"))
		conf_error(l->issues, node->words->pos,
		    "no journal is declared; add journal NAME { … }");
	else if (word != NULL)
		conf_journal_ref(l, word);
}

void
conf_check_intake(struct conf_load *l, const struct conf_node *node,
    void *base)
{
	(void)base;
	conf_need(l, node, "tls_certificate", "tls_key");
	conf_need(l, node, "tls_key", "tls_certificate");
	conf_need(l, node, "tls_client_ca", "tls_certificate");
	conf_need(l, node, "tls_client_name", "tls_client_ca");
}

void
conf_check_turn(struct conf_load *l, const struct conf_node *node, void *base)
{
	const struct conf *c = base;

	if (c->turn.idle_ms > c->turn.span_ms)
		conf_warning(l->issues, conf_node_pos(node,
		    has(node, "span") ? "span" : "idle"),
		    "span is shorter than idle: it ends turns first");
}

bool
conf_is_near(const struct conf *c, const char *host)
{
	if (conf_is_loopback(host))
		return true;
	for (guint i = 0; i < c->trusted_networks->len; i++)
		if (conf_network_has(c->trusted_networks->pdata[i], host))
			return true;
	return false;
}

/* Many proxies speak no TLS, and the password is worth no more than they. */
void
conf_check_graph(struct conf_load *l, const struct conf_node *node,
    void *base)
{
	const struct conf_graph *g = &((const struct conf *)base)->graph;
	bool tls = g->proxy != NULL && g_str_has_prefix(g->proxy, "https://");
	g_autofree char *host = g->proxy != NULL ?
	    conf_proxy_host(g->proxy) : NULL;

	conf_need(l, node, "proxy_user", "proxy");
	conf_need(l, node, "proxy_user", "proxy_password_file");
	conf_need(l, node, "proxy_password_file", "proxy_user");
	conf_need(l, node, "proxy_tls_ca", "proxy");
	if (host == NULL || tls)
		return;
	if (g->proxy_tls_ca_file != NULL)
		conf_error(l->issues, conf_node_pos(node, "proxy_tls_ca"),
		    "there is no TLS with a proxy at http://; write https:// "
		    "or remove proxy_tls_ca");
	if (g->proxy_user != NULL && !conf_is_near(l->c, host))
		conf_warning(l->issues, conf_node_pos(node, "proxy_user"),
		    "the password goes to the proxy in clear text; write "
		    "https:// if it speaks TLS");
}

/* Other than for relays, no name is resolved and looked at again. */
void
conf_check_media(struct conf_load *l, const struct conf_node *node,
    void *base)
{
	const struct conf_media *m = &((const struct conf *)base)->media;
	g_autofree char *host = m->clamd != NULL ?
	    conf_socket_host(m->clamd) : NULL;

	if (host != NULL && !conf_is_near(l->c, host))
		conf_error(l->issues, conf_node_pos(node, "clamd"),
		    "files would go in clear text to %s, which is in no "
		    "trusted_network", host);
	if (m->retry_min_ms > m->retry_max_ms)
		conf_error(l->issues, conf_node_pos(node,
		    has(node, "retry_min") ? "retry_min" : "retry_max"),
		    "retry_min is longer than retry_max");
}

/* A name is looked at again when it has been resolved, by deliver. */
static void
check_clear_text(struct conf_load *l, const struct conf_node *node,
    const struct conf_relay *r)
{
	struct conf_pos pos = conf_node_pos(node, "tls");

	if (r->host == NULL || conf_is_near(l->c, r->host))
		return;
	if (conf_is_literal(r->host))
		conf_error(l->issues, pos,
		    "clear text to %s, which is in no trusted_network",
		    r->host);
	else if (l->c->trusted_networks->len == 0)
		conf_warning(l->issues, pos,
		    "without a trusted_network, clear text is sent only when "
		    "%s turns out to be this host", r->host);
}

/* The scheme and tls must say the same. */
static void
check_scheme(struct conf_load *l, const struct conf_node *node,
    struct conf_relay *r)
{
	const struct conf_word *url = value_of(node, "url");
	bool implicit = url != NULL &&
	    g_str_has_prefix(url->value, "smtps://");
	struct conf_pos pos = conf_node_pos(node, "tls");

	if (url == NULL || r->host == NULL || !has(node, "tls"))
		return;
	if (implicit && r->tls != DELIVER_TLS_IMPLICIT)
		conf_error(l->issues, pos,
		    "smtps:// is TLS from the first byte; remove tls, or "
		    "write smtp://");
	if (!implicit && r->tls == DELIVER_TLS_IMPLICIT)
		conf_error(l->issues, pos,
		    "for TLS from the first byte the url must be smtps://");
}

void
conf_check_relay(struct conf_load *l, const struct conf_node *node, void *base)
{
	struct conf_relay *r = base;

	check_scheme(l, node, r);
	if (r->host != NULL && r->tls == DELIVER_TLS_NONE)
		check_clear_text(l, node, r);
	conf_need(l, node, "user", "password_file");
	conf_need(l, node, "password_file", "user");
	if (r->host != NULL && r->user != NULL && r->tls == DELIVER_TLS_NONE)
		conf_error(l->issues, conf_node_pos(node, "user"),
		    "the password would travel in clear; add tls starttls, "
		    "or write smtps://");
	if (r->retry_min_ms > r->retry_max_ms)
		conf_error(l->issues, conf_node_pos(node,
		    has(node, "retry_min") ? "retry_min" : "retry_max"),
		    "retry_min is longer than retry_max");
}

/* Both would write the same file names, made from Message-IDs. */
static void
check_maildir(struct conf_load *l, const struct conf_node *node,
    const struct conf_journal *j)
{
	for (guint i = 0; i < l->c->journals->len; i++) {
		const struct conf_journal *o = l->c->journals->pdata[i];

		if (o == j || o->maildir == NULL ||
		    strcmp(o->maildir, j->maildir) != 0)
			continue;
		conf_error(l->issues, conf_node_pos(node, "maildir"),
		    "journal \"%s\" has this Maildir already", o->name);
		return;
	}
}

static void
need_address(struct conf_load *l, const struct conf_node *node,
    const char *name)
{
	if (!has(node, name))
		conf_error(l->issues, node->words->pos,
		    "%s is missing in journal { }; relay needs it", name);
}

static void
check_twice(struct conf_load *l, const struct conf_node *node,
    const char *name)
{
	const struct conf_node *n = conf_node_find(node->children, name);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash,
	    g_str_equal);

	for (; n != NULL; n = conf_node_find(n->next, name)) {
		const struct conf_word *w = n->words->next;

		if (w != NULL && !g_hash_table_add(seen,
		    (char *)(uintptr_t)w->value))
			conf_error(l->issues, w->pos,
			    "this header is given twice for %s", name);
	}
}

/* Smaller ones would be all frame and no content. */
static void
check_limits(struct conf_load *l, const struct conf_node *node,
    const struct conf_journal *j)
{
	if (j->max_bytes > 0 && j->max_bytes < MAX_SIZE_LEAST)
		conf_error(l->issues, conf_node_pos(node, "max_size"),
		    "max_size is 0 for no limit, or at least 256k");
	check_twice(l, node, "rename");
	check_twice(l, node, "recipients_header");
}

void
conf_check_journal(struct conf_load *l, const struct conf_node *node,
    void *base)
{
	const struct conf_word *relay = value_of(node, "relay");
	const struct conf_journal *j = base;

	if (has(node, "relay") && has(node, "maildir"))
		conf_error(l->issues, conf_node_pos(node, "maildir"),
		    "a journal has either relay or maildir, not both");
	else if (!has(node, "relay") && !has(node, "maildir"))
		conf_error(l->issues, node->words->pos,
		    "the journal has neither relay nor maildir");
	if (relay != NULL)
		check_relay_ref(l, relay);
	if (has(node, "relay") && !has(node, "maildir")) {
		need_address(l, node, "to");
		need_address(l, node, "from");
	}
	if (j->maildir != NULL)
		check_maildir(l, node, j);
	check_limits(l, node, j);
}

/* --- what is declared and not used --- */

static bool
is_relay_used(const struct conf *c, const char *name)
{
	for (guint i = 0; i < c->journals->len; i++) {
		const struct conf_journal *j = c->journals->pdata[i];

		if (j->relay != NULL && strcmp(j->relay, name) == 0)
			return true;
	}
	return false;
}

static void
warn_unused(struct conf_load *l, const struct conf_node *node)
{
	const struct conf_word *label = node->words->next;

	if (label == NULL)
		return;
	if (strcmp(node->words->value, "relay") == 0 &&
	    !is_relay_used(l->c, label->value))
		conf_warning(l->issues, label->pos,
		    "no journal uses this relay");
	if (strcmp(node->words->value, "journal") == 0 &&
	    !g_hash_table_contains(l->journals_used, label->value))
		conf_warning(l->issues, label->pos,
		    "nothing goes to this journal: it is neither catch_all "
		    "nor named in the directory or in a rule");
}

void
conf_check_unused(struct conf_load *l, const struct conf_node *root)
{
	for (const struct conf_node *n = root->children; n; n = n->next)
		warn_unused(l, n);
	if (l->c->graph.url == NULL)
		conf_warning(l->issues, root->words->pos,
		    "there is no graph { } block: files of messages are "
		    "named in mails, but not fetched");
}
