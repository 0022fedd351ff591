/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the directory module share: the wire below libldap.
 *
 * libldap bounds connecting and waiting for a result, but not every read and
 * write: of a server that falls silent in the middle of a TLS handshake, or of
 * an answer, it waits for ever, some versions of it busily. So all that goes
 * over the network goes through a layer of our own, which has a deadline.
 */
#pragma once

#include <ldap.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct ldap_wire {
	ldap_conncb calls;	/* libldap holds on to it */
	int64_t timeout_ms;
	int64_t deadline_ms;	/* monotonic, of the step under way */
	bool is_late;		/* it ended a step */
	atomic_bool is_cut;	/* by another thread: nothing works any more */
};

void ldap_wire_init(struct ldap_wire *w, int64_t timeout_ms);
/* Connections of ld go through the wire from now on; a result of libldap. */
int ldap_wire_lay(struct ldap_wire *w, LDAP *ld);
/* A step begins; is_late is of this step. */
void ldap_wire_begin(struct ldap_wire *w);
