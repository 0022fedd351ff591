/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of store.h as tests, for any driver. A program per driver
 * says how a fresh store is opened and runs them all.
 */
#pragma once

#include "store.h"

/* A fresh store for one test: a writer per file, which may be one and all. */
struct bed {
	struct store *of[STORE_FILES];
	void *own;		/* the opener's */
};

struct bed_driver {
	void (*open)(struct bed *);
	void (*close)(struct bed *);
};

/* Runs the contract; the number of failed tests. */
int store_contract_run(const char *name, const struct bed_driver *driver);
