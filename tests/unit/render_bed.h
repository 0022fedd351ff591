/* SPDX-License-Identifier: Apache-2.0 */
/* Small steps that the tests of render are written in. */
#pragma once

#include "directory.h"
#include "err.h"
#include "item.h"
#include "render.h"
#include "template.h"

#define AT_MS 1770127509000	/* 2026-02-03 14:05:09 UTC */
#define BODY "{\"object\":\"whatsapp_business_account\"}"

/* Made by setup(), for all tests of a group. */
extern char *templates;		/* the directory */
extern struct render *plain;	/* attaches events */
struct render_conf conf_with(const char *dir, bool attach);
int setup(void **state);
int teardown(void **state);

/* A turn of one text message, to be changed by each test. */
struct fixture {
	struct item *item;
	GPtrArray *items, *events;
	struct render_event event;
	struct directory_business business;
	struct directory_staff staff;
	struct directory_customer customer;
	struct render_input in;
};

struct item *text_item(const char *id, const char *text);
void begin(struct fixture *f);
void end(struct fixture *f);
void set(char **where, const char *value);
/* Without wishes: array of struct rendered *. */
GPtrArray *mails_with(struct render *r, const struct render_input *in);
/* The only mail of them. */
char *render_with(struct render *r, const struct render_input *in);
/* All of these are owned by the caller. */
char *mail_of(const struct fixture *f);
/* The unfolded header block, each line ended by \n. */
char *head_of(const char *mail);
/* The names of the fields, joined by blanks. */
char *names_of(const char *mail);
void check_field(const char *mail, const char *want);
/* The text part, decoded. */
char *text_of(const char *mail);
void check_text(const struct fixture *f, const char *want);
/* Laws that hold for each mail and each report. */
void check_wire_form(const char *mail);
size_t count(const char *hay, const char *needle);
void write_file(const char *dir, const char *name, const char *text);
char *mail_in(const char *language, const struct fixture *f);
void check_text_in(const char *language, const struct fixture *f,
    const char *want);
