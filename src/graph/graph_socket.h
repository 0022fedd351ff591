/* SPDX-License-Identifier: Apache-2.0 */
/* Shared inside graph: the sockets under the connections of a pool. */
#pragma once

#include <curl/curl.h>
#include <glib.h>
#include <stdbool.h>

struct graph_socket {
	int fd;
	int port;	/* our end of it; 0: not asked yet */
	bool six;	/* IPv6 */
	bool used;	/* it has carried a request */
};

/* From now on easy's sockets are in `sockets`, which must outlive them. */
void graph_socket_follow(GArray *sockets, CURL *easy);
/*
 * Whether a request may go out on the connection with this end. Not when it
 * was used before and something has come on it since, if only its end. From
 * then on it counts as used.
 */
bool graph_socket_is_clean(GArray *sockets, const char *ip, int port);
