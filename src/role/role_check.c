/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold before a configuration is put to use, beyond what its own
 * text shows: templates and rules compile, secret files are there and private.
 * Reads only; the secrets are looked at and forgotten.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "build_int.h"
#include "conf.h"
#include "err.h"
#include "graph.h"
#include "io.h"
#include "policy.h"
#include "render.h"
#include "role.h"
#include "role_int.h"
#include "text.h"

static bool
check_secret(const char *path, GString *messages)
{
	struct err err = ERR_INIT;
	GBytes *secret = NULL;

	if (path == NULL)
		return true;
	if (!io_secret_load(path, ROLE_SECRET_MAX, &secret, &err)) {
		g_string_append_printf(messages, "%s\n", err.text);
		return false;
	}
	io_secret_forget(secret);
	return true;
}

static bool
check_readable(const char *path, GString *messages)
{
	struct err err = ERR_INIT;
	g_autoptr(GBytes) data = NULL;

	if (path == NULL || io_file_load(path, 1 << 20, &data, &err))
		return true;
	g_string_append_printf(messages, "%s\n", err.text);
	return false;
}

static bool
check_templates(const struct conf *c, GString *messages)
{
	struct render_conf rc = { .tenant = c->tenant,
		.domain = c->render.domain,
		.address_domain = c->render.address_domain,
		.templates = c->render.templates };
	const struct render_style *style;
	struct err err = ERR_INIT;
	struct render *r;
	bool ok = true;

	if (!render_new(&rc, &r, &err)) {
		g_string_append_printf(messages, "%s\n", err.text);
		return false;
	}
	for (guint i = 0; i < c->journals->len; i++) {
		if (build_style_get(r, c->journals->pdata[i], &style, &err))
			continue;
		g_string_append_printf(messages, "%s\n", err.text);
		ok = false;
	}
	render_free(r);
	return ok;
}

/* Also that the secrets can be sent: the role would stop the daemon else. */
static bool
check_graph(const struct conf_graph *g, GString *messages)
{
	struct err err = ERR_INIT;
	struct graph *graph = NULL;

	if (g->url == NULL || role_graph_new(g, &graph, &err)) {
		graph_free(graph);
		return true;
	}
	g_string_append_printf(messages, "%s\n", err.text);
	return false;
}

#define TOLD_MAX 100	/* complaints about rules; more are counted only */

struct told {
	GString *messages;
	unsigned count;
};

static void
tell_policy(void *arg, const char *where, bool is_error, const char *text)
{
	struct told *t = arg;
	g_autofree char *line = g_strdup_printf("%s: %s%s", where,
	    is_error ? "" : "warning: ", text);
	g_autofree char *clean = text_clean(line, strlen(line), TEXT_LINE,
	    SIZE_MAX);

	if (++t->count <= TOLD_MAX)
		g_string_append_printf(t->messages, "%s\n", clean);
}

/* What only compiling finds: patterns, lines of lexicons, rules in the way. */
static bool
check_policy(const struct conf *c, GString *messages)
{
	struct told told = { messages, 0 };
	struct err err = ERR_INIT;
	struct policy *p = NULL;
	bool ok = policy_new(c->policy, tell_policy, &told, &p, &err);

	if (told.count > TOLD_MAX)
		g_string_append_printf(messages, "and %u more\n",
		    told.count - TOLD_MAX);
	if (ok)
		policy_free(p);
	return ok;
}

static bool
check_gateway(const struct conf_gateway *g, GString *messages)
{
	bool ok = check_secret(g->tls_key, messages);

	ok &= check_readable(g->tls_certificate, messages);
	ok &= check_readable(g->tls_client_ca, messages);
	for (guint i = 0; i < g->applications->len; i++) {
		const struct conf_application *a = g->applications->pdata[i];

		for (guint k = 0; k < a->token_files->len; k++)
			ok &= check_secret(a->token_files->pdata[k], messages);
	}
	return ok;
}

bool
role_check(const struct conf *c, GString *messages)
{
	const GPtrArray *files = c->intake.app_secret_files;
	bool ok = check_templates(c, messages);

	for (guint i = 0; i < files->len; i++)
		ok &= check_secret(files->pdata[i], messages);
	ok &= check_secret(c->intake.verify_token_file, messages);
	ok &= check_secret(c->intake.tls_key, messages);
	ok &= check_readable(c->intake.tls_certificate, messages);
	ok &= check_readable(c->intake.tls_client_ca, messages);
	ok &= check_graph(&c->graph, messages);
	ok &= check_readable(c->graph.tls_ca_file, messages);
	ok &= check_readable(c->graph.proxy_tls_ca_file, messages);
	ok &= check_policy(c, messages);
	ok &= check_gateway(&c->gateway, messages);
	ok &= check_secret(c->ldap.password_file, messages);
	ok &= check_readable(c->ldap.tls_ca_file, messages);
	for (guint i = 0; i < c->relays->len; i++) {
		const struct conf_relay *r = c->relays->pdata[i];

		ok &= check_secret(r->password_file, messages);
		ok &= check_readable(r->tls_ca_file, messages);
	}
	return ok;
}
