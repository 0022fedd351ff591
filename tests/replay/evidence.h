/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a mail proves: the events it names were posted, and each of its items
 * is attached, with its whole event or, of an event that many share, alone.
 */
#pragma once

struct world;

void evidence_check(struct world *w);
