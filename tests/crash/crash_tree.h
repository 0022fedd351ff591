/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories of stores that are thrown away. Not for use while armed: these
 * calls would be counted, too.
 */
#pragma once

/* All that is in it; and itself. */
void crash_tree_empty(const char *dir);
void crash_tree_remove(const char *dir);
/* to has then what from has, and nothing else; directories in it are empty. */
void crash_tree_copy(const char *from, const char *to);
