/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that change files, made to go wrong at a chosen one. The
 * program's own definitions of pwrite, fsync and so on take the place of the
 * C library's for every library in the process.
 *
 * fsync and fdatasync do not reach the disk: what a power cut leaves is
 * computed instead, so that hundreds of crashes take seconds.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

enum crash_mode {
	CRASH_NEVER,	/* only counts */
	CRASH_KILL,	/* dies in the middle of the call */
	CRASH_CUT,	/* dies, and all that was not synced is undone */
	CRASH_NAMES,	/* the same, but names reached the disk before bytes */
	CRASH_FAIL,	/* the call fails once, with EIO or ENOSPC */
};

#define CRASH_EXIT 9	/* how a process ends that died as it was told */

/* From now on; the at-th call is the one, from 1. */
void crash_arm(enum crash_mode mode, int at);
/* What somebody else does meanwhile is not counted, and stays. */
void crash_hold(bool hold);
/* Calls seen since, and whether the chosen one was reached. */
int crash_calls(void);

/* ---- for crash_names.c, which adds the calls that make names ------------ */

bool crash_is_now(void);
enum crash_mode crash_mode_now(void);
/* What the chosen call does: -1 with errno, or it does not return. */
int crash_fail(void);
__attribute__((noreturn)) void crash_die(void);
/* The bytes [at, at + len) of the file are about to change. */
void crash_note(int fd, off_t at, size_t len);

/* Defined by crash_names.c where it is linked. */
__attribute__((weak)) void crash_names_undo(void);
__attribute__((weak)) void crash_names_synced(ino_t dir);
