/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The graph block and its secrets, put together: for the media role, and for
 * the check of a configuration that the role is to work with. Sends nothing.
 */
#include "conf.h"
#include "graph.h"
#include "io.h"
#include "role_int.h"

bool
role_graph_new(const struct conf_graph *cg, struct graph **out,
    struct err *err)
{
	struct graph_conf gc = { .url = cg->url, .version = cg->version,
		.tls_ca_file = cg->tls_ca_file,
		.media_hosts = cg->media_hosts, .proxy = cg->proxy,
		.proxy_tls_ca_file = cg->proxy_tls_ca_file,
		.proxy_user = cg->proxy_user,
		.connect_ms = cg->connect_ms, .total_ms = cg->total_ms };
	GBytes *token = NULL, *password = NULL;
	bool ok;

	ok = io_secret_load(cg->token_file, ROLE_SECRET_MAX, &token, err) &&
	    (cg->proxy_password_file == NULL || io_secret_load(
	    cg->proxy_password_file, ROLE_SECRET_MAX, &password, err));
	gc.token = token;
	gc.proxy_password = password;
	ok = ok && graph_new(&gc, out, err);
	io_secret_forget(token);
	io_secret_forget(password);
	return ok;
}
