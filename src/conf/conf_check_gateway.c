/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables of the staff side cannot say: who may be let in, and that
 * neither tokens nor passwords go over a network in clear text.
 */
#include "conf_int.h"

#include <string.h>

static bool
has(const struct conf_node *node, const char *name)
{
	return conf_node_find(node->children, name) != NULL;
}

/* --- gateway --- */

void
conf_check_application(struct conf_load *l, const struct conf_node *node,
    void *base)
{
	const struct conf_application *a = base;

	if (!has(node, "token_file") && !has(node, "client_name"))
		conf_error(l->issues, node->words->next->pos,
		    "the application cannot prove itself: it has neither "
		    "token_file nor client_name");
	if (a->client_name != NULL && l->c->gateway.tls_client_ca == NULL)
		conf_error(l->issues, conf_node_pos(node, "client_name"),
		    "client_name needs tls_client_ca in gateway { }");
}

/* True when it is the first of this proof; what is one caller's is no other's. */
static bool
is_first(struct conf_load *l, GHashTable *seen, const struct conf_word *word,
    const char *what)
{
	g_autofree char *key = NULL;

	if (word == NULL)
		return true;
	key = g_strdup_printf("%s %s", what, word->value);
	if (g_hash_table_add(seen, g_steal_pointer(&key)))
		return true;
	conf_error(l->issues, word->pos, "this %s is given twice: it would "
	    "not tell who calls", what);
	return false;
}

static void
check_proofs(struct conf_load *l, const struct conf_node *node)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash,
	    g_str_equal, g_free, NULL);
	const struct conf_node *app, *n;

	app = conf_node_find(node->children, "application");
	for (; app != NULL; app = conf_node_find(app->next, "application")) {
		n = conf_node_find(app->children, "client_name");
		if (n != NULL)
			is_first(l, seen, n->words->next, "client_name");
		n = conf_node_find(app->children, "token_file");
		for (; n != NULL; n = conf_node_find(n->next, "token_file"))
			is_first(l, seen, n->words->next, "token_file");
	}
}

static void
check_tls(struct conf_load *l, const struct conf_node *node)
{
	const struct conf_gateway *g = &l->c->gateway;

	conf_need(l, node, "tls_certificate", "tls_key");
	conf_need(l, node, "tls_key", "tls_certificate");
	conf_need(l, node, "tls_client_ca", "tls_certificate");
	if (g->listen.address != NULL && !has(node, "tls_certificate") &&
	    !conf_is_near(l->c, g->listen.address))
		conf_error(l->issues, conf_node_pos(node, "listen"),
		    "tokens would come in clear text to %s, which is in no "
		    "trusted_network; add tls_certificate and tls_key",
		    g->listen.address);
}

void
conf_check_gateway(struct conf_load *l, const struct conf_node *node,
    void *base)
{
	(void)base;
	if (l->c->graph.url == NULL)
		conf_error(l->issues, node->words->pos,
		    "the gateway needs a graph { } block, where messages go "
		    "to");
	if (!has(node, "application"))
		conf_error(l->issues, node->words->pos,
		    "nobody may use the gateway; add application NAME { … }");
	check_tls(l, node);
	check_proofs(l, node);
	if (has(node, "delivered_wait") &&
	    l->c->gateway.mode != CONF_GATEWAY_DELIVERED)
		conf_warning(l->issues, conf_node_pos(node, "delivered_wait"),
		    "delivered_wait counts only with mode delivered");
}

/* --- ldap --- */

/* A login without a password is anonymous to many servers (RFC 4513 5.1.2). */
void
conf_check_ldap(struct conf_load *l, const struct conf_node *node, void *base)
{
	(void)base;
	conf_need(l, node, "bind_dn", "password_file");
	conf_need(l, node, "password_file", "bind_dn");
}
