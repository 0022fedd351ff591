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
	{ "list", ctl_list, "pending|sent|deferred|failed|parked|open|held|files"
		"|differing", "list mails, or what needs a person" },
	{ "show", ctl_show, "ID [--raw]",
		"one mail, turn or event; its bytes with --raw" },
	{ "trace", ctl_trace, "WAMID|MESSAGE-ID|ID|PERSON",
		"everything that happened to one message; who has which ids" },
	{ "retry", ctl_retry, "mail:N|turn:N|event:N ... | --all | --parked",
		"try again what failed or is parked" },
	{ "acknowledge", ctl_acknowledge, "mail:N|turn:N|event:N ... --why TEXT",
		"a person knows of it" },
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

enum setting_type { IS_SET, TEXT, NUMBER };
#define AT(member) offsetof(struct ctl, member)

/* Those that have a letter are also known by it. */
static const struct setting {
	const char *name;
	enum setting_type type;
	size_t at;
	char letter;
} settings[] = {
	{ "conf", TEXT, AT(conf_path), 'c' },
	{ "json", IS_SET, AT(json), 0 },
	{ "print", IS_SET, AT(print), 0 },
	{ "check", IS_SET, AT(check), 0 },
	{ "raw", IS_SET, AT(raw), 0 },
	{ "all", IS_SET, AT(all), 0 },
	{ "parked", IS_SET, AT(parked), 0 },
	{ "journal", TEXT, AT(journal), 'j' },
	{ "limit", NUMBER, AT(limit), 0 },
	{ "after", NUMBER, AT(after), 0 },
	{ "output", TEXT, AT(out_dir), 'o' },
	{ "templates", TEXT, AT(templates), 0 },
	{ "received", TEXT, AT(received), 0 },
	{ "media", TEXT, AT(media_dir), 0 },
	{ "why", TEXT, AT(why), 0 },
	{ "since", TEXT, AT(since), 0 },
	{ "policy", TEXT, AT(policy), 0 },
};
#define SETTINGS G_N_ELEMENTS(settings)

/* Beyond all letters: 256 and the place in the table. */
enum { FIRST = 256, HELP = FIRST + SETTINGS, SHOW_VERSION };

static int
value_of(size_t i)
{
	return settings[i].letter != 0 ? settings[i].letter : FIRST + (int)i;
}

static void
set(struct ctl *ctl, const struct setting *s, const char *value)
{
	void *at = (char *)ctl + s->at;

	if (s->type == IS_SET)
		*(bool *)at = true;
	else if (s->type == NUMBER)
		*(int64_t *)at = number(value);
	else
		*(const char **)at = value;
}

/* False on an unknown option; the commands see what is left. */
static bool
parse_options(struct ctl *ctl, int argc, char **argv)
{
	struct option options[SETTINGS + 3] = {
		[SETTINGS] = { "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, SHOW_VERSION },
	};
	int opt;

	for (size_t i = 0; i < SETTINGS; i++)
		options[i] = (struct option){ settings[i].name,
			settings[i].type == IS_SET ? no_argument :
			required_argument, NULL, value_of(i) };
	while ((opt = getopt_long(argc, argv, "c:j:o:", options, NULL)) != -1) {
		size_t i = 0;

		if (opt == HELP) {
			usage(stdout);
			exit(CTL_OK);
		}
		if (opt == SHOW_VERSION) {
			puts("chatjournal " PACKAGE_VERSION);
			exit(CTL_OK);
		}
		while (i < SETTINGS && value_of(i) != opt)
			i++;
		if (i == SETTINGS)
			return false;
		set(ctl, &settings[i], optarg);
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
	struct ctl ctl = { .limit = 100 };
	const struct command *cmd;
	int rc;

	log_set_level(LOG_LEVEL_ERROR);
	if (!parse_options(&ctl, argc, argv) || optind == argc) {
		usage(stderr);
		return CTL_USAGE;
	}
	ctl.conf_given = ctl.conf_path != NULL;
	if (!ctl.conf_given)
		ctl.conf_path = SYSCONFDIR "/chatjournal/chatjournal.conf";
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
