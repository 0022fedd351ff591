/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the blocks that have a name: relay and journal.
 */
#include "conf_int.h"

#include <string.h>

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY ((int64_t)24 * HOUR)
#define GIB ((int64_t)1 << 30)

#define RELAY(field) offsetof(struct conf_relay, field)
#define JOURNAL(field) offsetof(struct conf_journal, field)

static const char *const tls_names[] = { [DELIVER_TLS_NONE] = "none",
	[DELIVER_TLS_STARTTLS] = "starttls",
	[DELIVER_TLS_IMPLICIT] = "implicit", NULL };
static const char *const profile_names[] = { [CONF_PROFILE_PLAIN] = "plain",
	[CONF_PROFILE_EXCHANGE] = "exchange-journal", NULL };

/* The url, which comes first, has left what its scheme says. */
static char *
derive_tls(const struct conf *c, const void *base)
{
	const struct conf_relay *r = base;

	(void)c;
	if (r->tls == DELIVER_TLS_IMPLICIT)
		return g_strdup("implicit");
	return g_strdup(r->host != NULL && conf_is_loopback(r->host) ?
	    "none" : "starttls");
}

static char *
derive_mail(const struct conf *c, const void *base, const char *local)
{
	const struct conf_journal *j = base;

	if (j->maildir == NULL || c->render.domain == NULL)
		return NULL;
	return g_strconcat(local, "@", c->render.domain, NULL);
}

static char *
derive_to(const struct conf *c, const void *base)
{
	return derive_mail(c, base, "journal");
}

static char *
derive_from(const struct conf *c, const void *base)
{
	return derive_mail(c, base, "chatjournal");
}

/* Rows that others are derived from come first. */
static const struct conf_row relay_rows[] = {
	{ "url", CONF_URL, .flags = CONF_REQUIRED, .offset = 0,
		.help = "smtp://HOST[:PORT] or smtps://HOST[:PORT]." },
	{ "tls", CONF_ENUM, .preset = "none to this host, else starttls",
		.names = tls_names, .offset = RELAY(tls),
		.derive = derive_tls,
		.help = "Whether TLS is required." },
	{ "tls_ca", CONF_PATH, .offset = RELAY(tls_ca_file),
		.help = "PEM file of trusted authorities." },
	{ "user", CONF_STRING, .offset = RELAY(user),
		.help = "Authenticate as this user." },
	{ "password_file", CONF_PATH, .offset = RELAY(password_file),
		.help = "File with the password." },
	{ "helo", CONF_DOMAIN, .offset = RELAY(helo),
		.help = "Name to greet with." },
	{ "sessions", CONF_NUMBER, .preset = "4", .min = 1, .max = 64,
		.offset = RELAY(sessions),
		.help = "Sessions at the same time." },
	{ "session_mails", CONF_NUMBER, .preset = "200", .min = 1,
		.max = 100000, .offset = RELAY(session_mails),
		.help = "Mails in one session." },
	{ "connect_timeout", CONF_DURATION, .preset = "10s", .min = 100,
		.max = 10 * MINUTE, .offset = RELAY(connect_ms),
		.help = "For one connect." },
	{ "command_timeout", CONF_DURATION, .preset = "1m", .min = 100,
		.max = HOUR, .offset = RELAY(command_ms),
		.help = "For one answer." },
	{ "mail_timeout", CONF_DURATION, .preset = "5m", .min = SECOND,
		.max = DAY, .offset = RELAY(total_ms),
		.help = "For one mail in all." },
	{ "linger", CONF_DURATION, .preset = "5s", .min = 0,
		.max = 10 * MINUTE, .offset = RELAY(linger_ms),
		.help = "Keep an idle session open this long." },
	{ "retry_min", CONF_DURATION, .preset = "5s", .min = 10, .max = DAY,
		.offset = RELAY(retry_min_ms),
		.help = "First wait after a failure." },
	{ "retry_max", CONF_DURATION, .preset = "15m", .min = 10, .max = DAY,
		.offset = RELAY(retry_max_ms),
		.help = "Longest wait; retries never end." },
};

static const struct conf_row journal_rows[] = {
	{ "relay", CONF_NAME, .offset = JOURNAL(relay),
		.help = "Deliver by SMTP through this relay." },
	{ "maildir", CONF_PATH, .offset = JOURNAL(maildir),
		.help = "Deliver into this Maildir." },
	{ "to", CONF_MAIL, .preset = "with maildir: journal@DOMAIN",
		.offset = JOURNAL(to), .derive = derive_to,
		.help = "The journaling mailbox." },
	{ "from", CONF_MAIL, .preset = "with maildir: chatjournal@DOMAIN",
		.offset = JOURNAL(from), .derive = derive_from,
		.help = "Envelope sender, and sender of reports." },
	{ "profile", CONF_ENUM, .preset = "plain", .names = profile_names,
		.offset = JOURNAL(profile),
		.help = "The mail itself, or a journal report around it." },
	{ "warn_age", CONF_DURATION, .preset = "15m", .min = SECOND,
		.max = 30 * DAY, .offset = JOURNAL(warn_age_ms),
		.help = "Warn of a mail that waits longer." },
	{ "language", CONF_LANGUAGE, .preset = "en",
		.offset = JOURNAL(language),
		.help = "Language of the mails' own words." },
	{ "max_size", CONF_SIZE, .preset = "0", .min = 0, .max = 2 * GIB,
		.offset = JOURNAL(max_bytes),
		.help = "Larger mails are split into parts; 0: never." },
	{ "max_files", CONF_NUMBER, .preset = "16", .min = 0, .max = 1000,
		.offset = JOURNAL(max_files),
		.help = "Files in one mail; 0: any number." },
	{ "max_age", CONF_DURATION, .preset = "0", .min = 0,
		.max = 36500 * DAY, .offset = JOURNAL(max_age_ms),
		.help = "Flag what is older when it is journaled; 0: never." },
	{ "thread_index", CONF_BOOL, .preset = "off",
		.offset = JOURNAL(thread_index),
		.help = "Add Thread-Topic and Thread-Index for Outlook." },
	{ "header", CONF_PAIR, .flags = CONF_MANY, .usage = "NAME VALUE",
		.pair = { CONF_HEADER, CONF_STRING },
		.offset = JOURNAL(headers),
		.help = "A header that every mail gets." },
	{ "rename", CONF_PAIR, .flags = CONF_MANY, .usage = "OURS THEIRS",
		.pair = { CONF_HEADER, CONF_HEADER },
		.offset = JOURNAL(renames),
		.help = "Write one of our headers under another name." },
	{ "recipients_header", CONF_HEADER, .flags = CONF_MANY,
		.offset = JOURNAL(recipient_headers),
		.help = "A header that lists all addresses of the mail." },
};

void
conf_tell_again(struct conf_load *l, const struct conf_node *node,
    const char *what)
{
	const struct conf_word *label = node->words->next;
	g_autofree char *shown = conf_shown(label->value);

	conf_error(l->issues, label->pos, "there is already %s %s %s",
	    strchr("aeiou", *what) != NULL ? "an" : "a", what,
	    shown);
}

static void *
enter_relay(struct conf_load *l, const struct conf_node *node)
{
	struct conf_relay *r;

	if (conf_relay_get(l->c, node->words->next->value) != NULL) {
		conf_tell_again(l, node, "relay");
		return NULL;
	}
	r = g_new0(struct conf_relay, 1);
	r->name = g_strdup(node->words->next->value);
	g_ptr_array_add(l->c->relays, r);
	return r;
}

static void *
enter_journal(struct conf_load *l, const struct conf_node *node)
{
	struct conf_journal *j;

	if (conf_journal_get(l->c, node->words->next->value) != NULL) {
		conf_tell_again(l, node, "journal");
		return NULL;
	}
	j = g_new0(struct conf_journal, 1);
	j->name = g_strdup(node->words->next->value);
	j->headers = g_ptr_array_new_with_free_func(g_free);
	j->renames = g_ptr_array_new_with_free_func(g_free);
	j->recipient_headers = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(l->c->journals, j);
	return j;
}

const struct conf_block conf_block_relay = { .name = "relay",
	.label = "NAME", .rows = relay_rows,
	.count = G_N_ELEMENTS(relay_rows), .enter = enter_relay,
	.leave = conf_check_relay, .list = offsetof(struct conf, relays),
	.label_at = RELAY(name), .help = "An SMTP server for journals." };

const struct conf_block conf_block_journal = { .name = "journal",
	.label = "NAME", .rows = journal_rows,
	.count = G_N_ELEMENTS(journal_rows), .enter = enter_journal,
	.leave = conf_check_journal,
	.list = offsetof(struct conf, journals), .label_at = JOURNAL(name),
	.help = "Where mails go." };
