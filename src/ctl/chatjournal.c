/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chatjournal(1): looks at the store, and leaves wishes for the daemon.
 *
 * It reads all files of the store and writes only to the admin file; the
 * roles carry out what stands there. It never talks to the daemon, and works
 * whether that runs or not.
 */
#include <getopt.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "ctl_int.h"
#include "log.h"
#include "store.h"

static const struct command {
	const char *name;
	ctl_fn *run;
	const char *arguments, *help;
} commands[] = {
	{ "check-config", ctl_check_config, "[--print]",
		"check the configuration; show every value in force" },
	{ "status", ctl_status, "[--check]",
		"counts per state, journal and relay, and the oldest ages" },
	{ "verify", ctl_verify, "",
		"check that nothing in the store is unaccounted for" },
	{ "list", ctl_list, "pending|sent|deferred|failed|parked|open|held|files",
		"list mails, or what needs a person" },
	{ "show", ctl_show, "ID [--raw]",
		"one mail, turn or event; its bytes with --raw" },
	{ "trace", ctl_trace, "WAMID|MESSAGE-ID|ID|PERSON",
		"everything that happened to one message; who has which ids" },
	{ "retry", ctl_retry, "mail:N ... | --all",
		"try failed mails again" },
	{ "policy", ctl_policy, "test FILE ... | explain ID | simulate | sets",
		"which rules fire, and why; try another rule set" },
	{ "review", ctl_review, "list | show ID | release|reject ID --why TEXT",
		"what rules withhold; the acts of officers on it" },
	{ "render", ctl_render, "FILE ...",
		"webhook JSON to .eml, without daemon or store" },
};

static void
usage(FILE *to)
{
	fputs("usage: chatjournal [-c FILE] [--json] COMMAND ...\n", to);
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		fprintf(to, "  %-13s%-51s %s\n", commands[i].name,
		    commands[i].arguments, commands[i].help);
}

static int64_t
number(const char *text)
{
	char *end;
	int64_t n = g_ascii_strtoll(text, &end, 10);

	return *end == '\0' && end != text && n >= 0 ? n : -1;
}

/* False on an unknown option; the commands see what is left. */
static bool
parse_options(struct ctl *ctl, int argc, char **argv)
{
	enum { JSON = 1, PRINT, CHECK, RAW, ALL, LIMIT, AFTER, TEMPLATES,
		RECEIVED, MEDIA, WHY, SINCE,
		POLICY, HELP, SHOW_VERSION };
	static const struct option options[] = {
		{ "conf", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, JSON },
		{ "print", no_argument, NULL, PRINT },
		{ "check", no_argument, NULL, CHECK },
		{ "raw", no_argument, NULL, RAW },
		{ "all", no_argument, NULL, ALL },
		{ "journal", required_argument, NULL, 'j' },
		{ "limit", required_argument, NULL, LIMIT },
		{ "after", required_argument, NULL, AFTER },
		{ "output", required_argument, NULL, 'o' },
		{ "templates", required_argument, NULL, TEMPLATES },
		{ "received", required_argument, NULL, RECEIVED },
		{ "media", required_argument, NULL, MEDIA },
		{ "why", required_argument, NULL, WHY },
		{ "since", required_argument, NULL, SINCE },
		{ "policy", required_argument, NULL, POLICY },
		{ "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, SHOW_VERSION },
		{ 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "c:j:o:", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			ctl->conf_path = optarg;
			ctl->conf_given = true;
			break;
		case 'j':
			ctl->journal = optarg;
			break;
		case 'o':
			ctl->out_dir = optarg;
			break;
		case JSON:
			ctl->json = true;
			break;
		case PRINT:
			ctl->print = true;
			break;
		case CHECK:
			ctl->check = true;
			break;
		case RAW:
			ctl->raw = true;
			break;
		case ALL:
			ctl->all = true;
			break;
		case LIMIT:
			ctl->limit = number(optarg);
			break;
		case AFTER:
			ctl->after = number(optarg);
			break;
		case TEMPLATES:
			ctl->templates = optarg;
			break;
		case RECEIVED:
			ctl->received = optarg;
			break;
		case MEDIA:
			ctl->media_dir = optarg;
			break;
		case SINCE:
			ctl->since = optarg;
			break;
		case POLICY:
			ctl->policy = optarg;
			break;
		case WHY:
			ctl->why = optarg;
			break;
		case HELP:
			usage(stdout);
			exit(CTL_OK);
		case SHOW_VERSION:
			puts("chatjournal " PACKAGE_VERSION);
			exit(CTL_OK);
		default:
			return false;
		}
	}
	return ctl->limit >= 0 && ctl->after >= 0;
}

static const struct command *
find(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	struct ctl ctl = {
		.conf_path = SYSCONFDIR "/chatjournal/chatjournal.conf",
		.limit = 100,
	};
	const struct command *cmd;
	int rc;

	log_set_level(LOG_LEVEL_ERROR);
	if (!parse_options(&ctl, argc, argv) || optind == argc) {
		usage(stderr);
		return CTL_USAGE;
	}
	cmd = find(argv[optind]);
	if (cmd == NULL) {
		fprintf(stderr, "chatjournal: unknown command %s\n",
		    argv[optind]);
		usage(stderr);
		return CTL_USAGE;
	}
	rc = cmd->run(&ctl, argc - optind - 1, argv + optind + 1);
	store_close(ctl.store);
	conf_free(ctl.conf);
	return rc;
}
