/* SPDX-License-Identifier: Apache-2.0 */
/* Shared inside graph: the one proxy that all goes through, if there is one. */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "graph.h"

struct graph_proxy {
	char *url;			/* NULL: none is used */
	char *ca_file;
	struct curl_slist *headers;	/* for the proxy alone */
};

/* Takes copies. ERR_CONF graph.conf. */
bool graph_proxy_init(struct graph_proxy *p, const struct graph_conf *conf,
    struct err *err);
void graph_proxy_clear(struct graph_proxy *p);
/* Whether there is one or not: what the environment says does not count. */
void graph_proxy_apply(const struct graph_proxy *p, CURL *easy);
/*
 * Whether it is the proxy that res is about; then *err says so. said is what
 * libcurl has to say.
 */
bool graph_proxy_failed(const struct graph_proxy *p, CURL *easy,
    CURLcode res, const char *said, struct err *err);
/* What libcurl says of the rest, with the proxy that it went through. */
char *graph_proxy_text(const struct graph_proxy *p, CURL *easy,
    const char *said);
