/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a file name to a checked configuration, and its life. All mistakes of
 * both files are collected; if there is one, there is no configuration.
 */
#include "conf.h"

#include <string.h>

#include "conf_policy_int.h"
#include "directory.h"
#include "err.h"

void
conf_relay_free(struct conf_relay *r)
{
	if (r == NULL)
		return;
	g_free(r->name);
	g_free(r->host);
	g_free(r->tls_ca_file);
	g_free(r->user);
	g_free(r->password_file);
	g_free(r->helo);
	g_free(r);
}

void
conf_journal_free(struct conf_journal *j)
{
	if (j == NULL)
		return;
	g_free(j->name);
	g_free(j->relay);
	g_free(j->maildir);
	g_free(j->to);
	g_free(j->from);
	g_free(j->language);
	g_ptr_array_unref(j->headers);
	g_ptr_array_unref(j->renames);
	g_ptr_array_unref(j->recipient_headers);
	g_free(j);
}

void
conf_application_free(struct conf_application *a)
{
	if (a == NULL)
		return;
	g_free(a->name);
	g_ptr_array_unref(a->token_files);
	g_free(a->client_name);
	g_ptr_array_unref(a->businesses);
	g_free(a);
}

static void
free_relay(gpointer p)
{
	conf_relay_free(p);
}

static void
free_journal(gpointer p)
{
	conf_journal_free(p);
}

static void
free_application(gpointer p)
{
	conf_application_free(p);
}

static struct conf *
conf_new(struct conf_files *files)
{
	struct conf *c = g_new0(struct conf, 1);

	c->files = files;
	c->trusted_networks = g_ptr_array_new_with_free_func(g_free);
	c->intake.app_secret_files = g_ptr_array_new_with_free_func(g_free);
	c->graph.media_hosts = g_ptr_array_new_with_free_func(g_free);
	c->gateway.allow = g_ptr_array_new_with_free_func(g_free);
	c->gateway.applications =
	    g_ptr_array_new_with_free_func(free_application);
	c->relays = g_ptr_array_new_with_free_func(free_relay);
	c->journals = g_ptr_array_new_with_free_func(free_journal);
	c->directory = directory_new();
	c->policy = policy_source_new();
	return c;
}

static void
clear_intake(struct conf_intake *in)
{
	g_free(in->listen.address);
	g_free(in->path);
	g_ptr_array_unref(in->app_secret_files);
	g_free(in->verify_token_file);
	g_free(in->tls_certificate);
	g_free(in->tls_key);
	g_free(in->tls_client_ca);
	g_free(in->tls_client_name);
}

static void
clear_graph(struct conf_graph *g)
{
	g_free(g->url);
	g_free(g->version);
	g_free(g->token_file);
	g_free(g->tls_ca_file);
	g_ptr_array_unref(g->media_hosts);
	g_free(g->proxy);
	g_free(g->proxy_tls_ca_file);
	g_free(g->proxy_user);
	g_free(g->proxy_password_file);
}

static void
clear_gateway(struct conf_gateway *g)
{
	g_free(g->listen.address);
	g_free(g->url);
	g_free(g->tls_certificate);
	g_free(g->tls_key);
	g_free(g->tls_client_ca);
	g_ptr_array_unref(g->allow);
	g_ptr_array_unref(g->applications);
}

static void
clear_ldap(struct conf_ldap *d)
{
	g_free(d->url);
	g_free(d->base);
	g_free(d->bind_dn);
	g_free(d->password_file);
	g_free(d->tls_ca_file);
	g_free(d->number_filter);
	g_free(d->number_form);
	g_free(d->id_filter);
	g_free(d->attr_id);
	g_free(d->attr_name);
	g_free(d->attr_mail);
	g_free(d->attr_group);
	g_free(d->group_base);
}

void
conf_shrink(struct conf *c)
{
	policy_source_free(c->policy);
	c->policy = policy_source_new();
	directory_free(c->directory);
	c->directory = directory_new();
	conf_files_free(c->files);
	c->files = NULL;
}

void
conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	g_free(c->tenant);
	g_free(c->user);
	g_free(c->state_dir);
	g_free(c->run_dir);
	g_free(c->store);
	g_free(c->directory_file);
	g_free(c->policy_file);
	g_free(c->catch_all);
	g_free(c->log.facility);
	g_free(c->render.domain);
	g_free(c->render.address_domain);
	g_free(c->render.templates);
	g_free(c->render.zone);
	g_free(c->media.clamd);
	clear_intake(&c->intake);
	clear_graph(&c->graph);
	clear_gateway(&c->gateway);
	clear_ldap(&c->ldap);
	g_ptr_array_unref(c->trusted_networks);
	g_ptr_array_unref(c->relays);
	g_ptr_array_unref(c->journals);
	directory_free(c->directory);
	policy_source_free(c->policy);
	conf_files_free(c->files);
	g_free(c);
}

const struct conf_journal *
conf_journal_get(const struct conf *c, const char *name)
{
	for (guint i = 0; i < c->journals->len; i++) {
		const struct conf_journal *j = c->journals->pdata[i];

		if (strcmp(j->name, name) == 0)
			return j;
	}
	return NULL;
}

const struct conf_relay *
conf_relay_get(const struct conf *c, const char *name)
{
	for (guint i = 0; i < c->relays->len; i++) {
		const struct conf_relay *r = c->relays->pdata[i];

		if (strcmp(r->name, name) == 0)
			return r;
	}
	return NULL;
}

static void
read_all(struct conf_load *l, const struct conf_source *src)
{
	struct conf_tree *tree = conf_tree_new(l->files, src, l->issues);

	conf_block_apply(l, &conf_block_main, tree->root, l->c);
	if (l->files->policy_instead != NULL) {
		g_free(l->c->policy_file);
		l->c->policy_file = g_strdup(l->files->policy_instead);
	}
	conf_files_main_ends(l->files);
	if (l->c->policy_file != NULL && !l->files->main_only)
		conf_policy_read(l, tree->root);
	if (l->c->directory_file != NULL && !l->files->main_only)
		conf_directory_read(l, tree->root);
	/* With errors about, what seems unused may be a misspelt reference. */
	if (l->issues->errors == 0) {
		conf_check_unused(l, tree->root);
		if (l->c->directory_file != NULL && !l->files->main_only)
			conf_ref_check(l);
	}
	conf_tree_free(tree);
}

static bool
read_source(struct conf_files *files, const struct conf_source *src,
    struct conf **out, GString *messages, struct err *err)
{
	struct conf_load l = { .c = conf_new(files), .files = files,
		.issues = conf_issues_new() };
	bool ok;

	l.journals_used = g_hash_table_new(g_str_hash, g_str_equal);
	l.claims = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    g_free);
	read_all(&l, src);
	ok = conf_issues_verdict(l.issues, err);
	if (messages != NULL)
		conf_issues_print(l.issues, messages);
	g_hash_table_unref(l.journals_used);
	g_hash_table_unref(l.claims);
	conf_refs_free(l.refs);
	conf_issues_free(l.issues);
	if (ok)
		*out = l.c;
	else
		conf_free(l.c);
	return ok;
}

bool
conf_read(struct conf_files *files, const char *name, struct conf **out,
    GString *messages, struct err *err)
{
	struct err local = ERR_INIT;
	const struct conf_source *src;

	src = conf_files_get(files, name, &local);
	if (src != NULL)
		return read_source(files, src, out, messages, err);
	conf_files_free(files);
	if (messages != NULL)
		g_string_append_printf(messages, "%s\n", local.text);
	return err_set(err, ERR_CONF, local.what, "%s", local.text);
}

bool
conf_load(const char *path, struct conf **out, GString *messages,
    struct err *err)
{
	return conf_read(conf_files_new(false), path, out, messages, err);
}

bool
conf_load_policy(const char *path, const char *policy, struct conf **out,
    GString *messages, struct err *err)
{
	struct conf_files *files = conf_files_new(false);

	files->policy_instead = conf_files_path(files, NULL, policy);
	return conf_read(files, path, out, messages, err);
}

bool
conf_load_texts(const struct conf_text *texts, size_t n, struct conf **out,
    GString *messages, struct err *err)
{
	struct conf_files *files = conf_files_new(true);

	for (size_t i = 0; i < n; i++) {
		char *copy = g_malloc(texts[i].len + 1);

		memcpy(copy, texts[i].text, texts[i].len);
		copy[texts[i].len] = '\0';
		if (!conf_files_add(files, texts[i].name, copy, texts[i].len,
		    err)) {
			conf_files_free(files);
			return false;
		}
	}
	return conf_read(files, texts[0].name, out, messages, err);
}

bool
conf_load_text(const char *name, const char *text, size_t len,
    struct conf **out, GString *messages, struct err *err)
{
	const struct conf_text one = { name, text, len };

	return conf_load_texts(&one, 1, out, messages, err);
}
