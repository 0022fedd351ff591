/* SPDX-License-Identifier: Apache-2.0 */
/* Shared inside graph: what all requests have in common, whoever makes them. */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "graph.h"

/* Protocols, proxy, TLS, no redirects: what does not change with a request. */
void graph_easy_apply(const struct graph *g, CURL *easy);
/*
 * Fills *err from what libcurl ended with: cancelled, the proxy, the deadline,
 * the network. Always false.
 */
bool graph_easy_failed(struct graph *g, CURL *easy, CURLcode res,
    const char *errbuf, struct err *err);

bool graph_is_cancelled(struct graph *g);
/* "https://graph.facebook.com:443", "v25.0" */
const char *graph_origin(const struct graph *g);
const char *graph_version(const struct graph *g);
int64_t graph_total_ms(const struct graph *g);
/* The token, borrowed: other headers may be put in front of it. */
struct curl_slist *graph_headers(const struct graph *g);

/* One GET whose answer is owned by the caller; errors as graph_media_find(). */
bool graph_ask_templates(struct graph *g, const char *url, int64_t total_ms,
    GString **answer, int64_t *retry_ms, struct err *err);
