/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mail of the build role beside an accepted one of tests/golden, which was
 * rendered without a store: they may differ in the event's number only.
 */
#pragma once

struct world;
struct world_mail;

void golden_check(struct world *w, const struct world_mail *m,
    const char *name);
