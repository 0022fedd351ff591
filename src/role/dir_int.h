/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the directory role share: a thread that talks to the
 * server, one question at a time, while the main thread minds the store, the
 * supervisor and the clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "directory.h"
#include "err.h"

struct dir_talk;

struct dir_reply {
	bool ok;
	struct directory_staff *staff;	/* the taker's; NULL: nobody */
	struct err err;
};

/* Takes the source over. */
bool dir_talk_new(struct ldap_source *source, struct dir_talk **out,
    struct err *err);
/* Nothing may be asked before the last reply was taken. */
void dir_talk_ask(struct dir_talk *t, enum ldap_by by, const char *value);
/* True when the reply is there; dir_talk_fd() is readable then. */
bool dir_talk_take(struct dir_talk *t, struct dir_reply *out);
int dir_talk_fd(const struct dir_talk *t);
/*
 * Cuts off what is under way. False when the thread does not end soon, as the
 * resolver has it: then nothing is freed, and the process must not exit(3),
 * which would take libraries down below it.
 */
bool dir_talk_stop(struct dir_talk *t);
