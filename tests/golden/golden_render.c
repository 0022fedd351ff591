/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Webhook bodies, and records of the gateway (those in a directory of that
 * name), to mails, without daemon, store or clock:
 *
 *     golden_render [-nx] [-l LANGUAGE] [-z ZONE] TEMPLATES OUTDIR
 *         EVENT.json|CASE.case ...
 *
 * Neighbouring messages of one author in one body become one turn. For the
 * n-th mail of EVENT it writes EVENT-n.eml, its journal report EVENT-n.rpt,
 * EVENT-n.ids with the id of each item that it shows and EVENT-n.raw with its
 * JSON, a line each. -n attaches no event, -x excludes all turns by a rule.
 * The directory knows one business number; times of capture and numbers in the
 * store are fixed. A case (golden_case.h) is an event with files and a style
 * of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "err.h"
#include "golden_case.h"
#include "io.h"
#include "item.h"
#include "render.h"
#include "turn.h"
#include "wa.h"

#define CAPTURED_MS 1790001000402
#define SEQ 1048576
#define KNOWN_BUSINESS "700111222333444"
#define KNOWN_CUSTOMER "5511988880001"

static char name_desk[] = "Private Banking", desk[] = "pb",
    name_staff[] = "Maria Lima", id_staff[] = "E1234",
    mail_staff[] = "maria.lima@bank.example",
    name_customer[] = "Ana Torres de Araújo", id_customer[] = "C-77";
static const struct directory_staff staff = { .id = id_staff,
	.name = name_staff, .mail = mail_staff };
static const struct directory_business business = { .name = name_desk,
	.desk = desk };
static const struct directory_customer customer = { .id = id_customer,
	.name = name_customer };

struct run {
	struct render *render;
	const struct render_style *style;
	const char *dir;
	char *base;		/* of the event's file */
	struct render_event event;
	const struct golden_case *c;
	bool is_excluded;
	int mails;
};

static void
stop(const char *what, const struct err *err)
{
	fprintf(stderr, "golden_render: %s: %s\n", what, err->text);
	exit(1);
}

static void
write_out(const struct run *run, const char *extension, const void *data,
    size_t len)
{
	g_autofree char *path = g_strdup_printf("%s/%s-%d.%s", run->dir,
	    run->base, run->mails, extension);

	if (!g_file_set_contents(path, data, (gssize)len, NULL)) {
		fprintf(stderr, "golden_render: cannot write %s\n", path);
		exit(1);
	}
}

static void
write_mail(const struct run *run, const char *extension,
    const struct rendered *mail)
{
	g_autoptr(GBytes) bytes = NULL;
	struct err err = ERR_INIT;

	if (mail->bytes != NULL)
		bytes = g_bytes_ref(mail->bytes);
	else if (!io_file_load(mail->path, mail->len, &bytes, &err))
		stop(mail->path, &err);
	write_out(run, extension, g_bytes_get_data(bytes, NULL),
	    g_bytes_get_size(bytes));
}

/* A part of a cut turn shows no items. */
static void
write_items(const struct run *run, const GPtrArray *items, bool is_part)
{
	g_autoptr(GString) ids = g_string_new(NULL);
	g_autoptr(GString) raw = g_string_new(NULL);

	for (guint i = 0; i < items->len && !is_part; i++) {
		const struct item *it = g_ptr_array_index(items, i);

		if (it->id != NULL)
			g_string_append_printf(ids, "%s\n", it->id);
		if (it->raw != NULL)
			g_string_append_printf(raw, "%s\n", it->raw);
	}
	write_out(run, "ids", ids->str, ids->len);
	write_out(run, "raw", raw->str, raw->len);
}

/* In the place of what the role finds in its directory. */
static void
look_up(struct render_input *in)
{
	const struct item *first = g_ptr_array_index(in->items, 0);

	if (g_strcmp0(first->business.user_id, KNOWN_BUSINESS) == 0) {
		in->business = &business;
		if (first->direction == ITEM_SENT)
			in->staff = &staff;
	}
	if (g_strcmp0(first->counterpart.number, KNOWN_CUSTOMER) == 0)
		in->customer = &customer;
}

static void
write_one(struct run *run, const struct render_input *in,
    const struct rendered *mail, bool is_part)
{
	const struct render_envelope env = { .from = "wa-journal@bank.example",
		.to = "journal@archive.example",
		.journaled_ms = CAPTURED_MS + 20000 };
	struct rendered report;
	struct err err = ERR_INIT;

	run->mails++;
	if (!render_journal_report(run->render, in, mail, &env, &report, &err))
		stop(run->base, &err);
	write_mail(run, "eml", mail);
	write_mail(run, "rpt", &report);
	write_items(run, in->items, is_part);
	rendered_clear(&report);
}

static void
render_items(struct run *run, GPtrArray *items, const char *conversation)
{
	g_autoptr(GPtrArray) events = g_ptr_array_new(), mails = NULL;
	struct render_input in = { .items = items, .events = events,
		.conversation = conversation,
		.now_ms = CAPTURED_MS + 20000,
		.is_excluded = run->is_excluded, .exclude_rule = "no-chat" };
	struct err err = ERR_INIT;

	g_ptr_array_add(events, &run->event);
	look_up(&in);
	if (run->c != NULL)
		golden_case_apply(run->c, &in);
	if (!render_mails(run->render, run->style, &in, &mails, &err))
		stop(run->base, &err);
	for (guint i = 0; i < mails->len; i++)
		write_one(run, &in, mails->pdata[i], i > 0);
}

static bool
is_continued(const struct item *a, const struct item *b)
{
	g_autofree char *person_a = turn_person(a);
	g_autofree char *person_b = turn_person(b);
	g_autofree char *conversation_a = turn_conversation(a, person_a);
	g_autofree char *conversation_b = turn_conversation(b, person_b);
	g_autofree char *author_a = turn_author(a, person_a);
	g_autofree char *author_b = turn_author(b, person_b);

	return item_is_groupable(a) && item_is_groupable(b) &&
	    strcmp(conversation_a, conversation_b) == 0 &&
	    strcmp(author_a, author_b) == 0;
}

static void
render_turns(struct run *run, const GPtrArray *items)
{
	for (guint i = 0; i < items->len;) {
		g_autoptr(GPtrArray) turn = g_ptr_array_new();
		const struct item *first = g_ptr_array_index(items, i);
		g_autofree char *person = turn_person(first);
		g_autofree char *conversation = turn_conversation(first,
		    person);

		do
			g_ptr_array_add(turn, g_ptr_array_index(items, i++));
		while (i < items->len && is_continued(first,
		    g_ptr_array_index(items, i)));
		render_items(run, turn, conversation);
	}
}

/* What wa refuses is journaled raw, as the role does. */
static void
render_event_file(struct run *run, const char *path, const char *name)
{
	const struct wa_limits limits = WA_LIMITS_DEFAULT;
	bool is_record = strstr(path, "/records/") != NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GPtrArray) items = NULL;
	struct err err = ERR_INIT;
	const void *body;
	gsize len;

	if (!io_file_load(path, 4 << 20, &bytes, &err))
		stop(path, &err);
	body = g_bytes_get_data(bytes, &len);
	run->event = (struct render_event){ .seq = SEQ, .source = is_record ? "gateway"
		: "webhook", .received_ms = CAPTURED_MS, .body = body,
		.len = len };
	hash_sha256(body, len, run->event.sha256);
	run->event.is_json = (is_record ? wa_record_parse : wa_parse)(body,
	    len, &limits, &items, &err);
	if (!run->event.is_json) {
		items = item_list_new();
		g_ptr_array_add(items, wa_raw_item(body, len, err.text));
	}
	run->base = g_path_get_basename(name);
	if (strrchr(run->base, '.') != NULL)
		*strrchr(run->base, '.') = '\0';
	run->mails = 0;
	render_turns(run, items);
	g_free(run->base);
}

static void
render_case_file(struct run *run, const char *path)
{
	const struct render_style *plain = run->style;
	struct err err = ERR_INIT;
	struct golden_case c;

	golden_case_load(&c, path, run->dir);
	if (!render_style_get(run->render, &c.style, &run->style, &err))
		stop(path, &err);
	run->c = &c;
	render_event_file(run, c.event, path);
	run->c = NULL;
	run->style = plain;
	golden_case_clear(&c);
}

static int
usage(void)
{
	fputs("usage: golden_render [-nx] [-l LANGUAGE] [-z ZONE] TEMPLATES "
	    "OUTDIR EVENT|CASE ...\n", stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	struct run run = { 0 };
	struct err err = ERR_INIT;
	struct render_style_conf style = { .language = NULL };
	struct render_conf conf = { .tenant = "bank",
		.domain = "chatjournal.bank.example",
		.address_domain = "whatsapp.bank.example",
		.attach_event = true };

	for (int c; (c = getopt(argc, argv, "nxl:z:")) != -1;) {
		if (c == 'n')
			conf.attach_event = false;
		else if (c == 'x')
			run.is_excluded = true;
		else if (c == 'l')
			style.language = optarg;
		else if (c == 'z')
			conf.zone = optarg;
		else
			return usage();
	}
	if (argc - optind < 2)
		return usage();
	conf.templates = argv[optind];
	conf.spool = run.dir = argv[optind + 1];
	if (!render_new(&conf, &run.render, &err) ||
	    !render_style_get(run.render, &style, &run.style, &err))
		stop(conf.templates, &err);
	for (int i = optind + 2; i < argc; i++) {
		if (g_str_has_suffix(argv[i], ".case"))
			render_case_file(&run, argv[i]);
		else
			render_event_file(&run, argv[i], argv[i]);
	}
	render_free(run.render);
	return 0;
}
