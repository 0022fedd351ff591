/* SPDX-License-Identifier: Apache-2.0 */
/* Plays scenarios: from files, and one for each event of tests/events. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* True if all went as expected; else complaints say what did not. */
bool play_script(const char *srcdir, const char *path, char **sentence,
    GString *complaints);

/* Posts one file alone, and looks for everything of it in its mails. */
bool play_alone(const char *srcdir, const char *path, GString *complaints);
