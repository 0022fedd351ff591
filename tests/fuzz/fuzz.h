/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every fuzz target defines. It returns 0; a broken law is an assert().
 * With --enable-fuzz libFuzzer calls it, else replay_main.c, in make check.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
