/* SPDX-License-Identifier: Apache-2.0 */
/* The admin tool's commands and what they share. The only users of printf. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct conf;
struct err;
struct json_object;
struct store;

/* Exit status, documented in chatjournal(1). */
enum ctl_exit {
	CTL_OK = 0,
	CTL_NOTHING = 1,	/* nothing found under that id */
	CTL_ATTENTION = 2,	/* status --check, verify: a person is needed */
	CTL_USAGE = 64,
	CTL_STORE = 69,		/* the store cannot be read */
	CTL_TEMP = 75,
	CTL_CONF = 78,
};

struct ctl {
	const char *conf_path;
	bool conf_given;
	bool json;
	/* options of single commands */
	bool print, check, raw, all, parked;
	const char *why;	/* of an act of review, or a request */
	const char *since, *policy;	/* of a simulation */
	const char *journal, *out_dir, *templates, *received, *media_dir;
	int64_t limit, after;

	struct conf *conf;
	struct store *store;
};

typedef int ctl_fn(struct ctl *ctl, int argc, char **argv);

ctl_fn ctl_review, ctl_policy;
int ctl_simulate(struct ctl *ctl);
ctl_fn ctl_check_config, ctl_status, ctl_verify, ctl_list, ctl_show,
    ctl_trace, ctl_retry, ctl_acknowledge, ctl_render;

/*
 * Answers what the build role wants of files, from ctl->media_dir: a file is
 * there under its media id, with or without an extension. *n: how many.
 */
bool ctl_media_answer(struct ctl *ctl, int64_t now_ms, int64_t *n,
    struct err *err);

/* Reads the configuration; false after saying what is wrong. */
bool ctl_conf_load(struct ctl *ctl);
/*
 * Configuration and store, read-only or owning the admin file. The exit
 * status, CTL_OK if both are there.
 */
int ctl_store_open(struct ctl *ctl, bool to_write);
int ctl_fail(const struct err *err);

/* A mail's bytes, also when they are a file; false and *err if that is gone. */
struct store_mail;
struct _GBytes;
bool ctl_mail_bytes(const struct store_mail *m, struct _GBytes **out,
    struct err *err);
bool ctl_mail_is_held(const struct store_mail *m);	/* not purged */

/*
 * Each message of a turn. it NULL: it cannot be found in its event, of which
 * this is the whole body (NULL: purged).
 */
struct item;
typedef void ctl_item_fn(void *arg, const struct item *it, const void *body,
    size_t len);
bool ctl_turn_items(struct ctl *ctl, int64_t turn_id, ctl_item_fn *fn,
    void *arg, struct err *err);
/* Whether whoever runs this wrote any of the turn (0: none), or is employee. */
bool ctl_is_own(struct ctl *ctl, int64_t turn_id, const char *employee,
    bool *is, struct err *err);

/*
 * Who runs this: who logged in, as the kernel's audit knows, also through su
 * and sudo; else the user of this process. Environment counts only for root.
 */
const char *ctl_who(void);

/* "2026-02-03T14:05:09Z", "-" for 0; in a buffer of four that rotate. */
const char *ctl_time(int64_t ms);
/* "3 d 4 h", "12 s" since then; "-" for 0. Same buffers. */
const char *ctl_age(int64_t since_ms);
void ctl_json_print(struct json_object *o);	/* frees it */
void ctl_json_text(struct json_object *o, const char *key, const char *value);
void ctl_json_int(struct json_object *o, const char *key, int64_t value);
/* "mail:7" and prefix "mail" give 7; 0 if it is something else. */
int64_t ctl_id(const char *text, const char *prefix);
