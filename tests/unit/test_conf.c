/* SPDX-License-Identifier: Apache-2.0 */
/* conf: defaults, includes, snapshot, print-out, documentation, robustness. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf_help.h"
#include "directory.h"
#include "io.h"
#include "log.h"

static struct conf *
load_good(const char *text)
{
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = load_text(text, got);

	if (c == NULL)
		fail_msg("refused: %s", got->str);
	return c;
}

static struct conf *
load_file(const char *path)
{
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = NULL;

	if (!conf_load(path, &c, got, NULL))
		fail_msg("refused: %s", got->str);
	return c;
}

static char *
print(const struct conf *c)
{
	GString *out = g_string_new(NULL);

	conf_print(c, out);
	return g_string_free(out, FALSE);
}

static void
a_minimal_configuration_has_all_defaults(void **state)
{
	struct conf *c = load_good(MINIMAL);
	const struct conf_journal *j = conf_journal_get(c, "a");

	(void)state;
	assert_string_equal(c->tenant, "default");
	assert_string_equal(c->user, "chatjournal");
	assert_string_equal(c->state_dir, LOCALSTATEDIR "/lib/chatjournal");
	assert_string_equal(c->run_dir, RUNSTATEDIR "/chatjournal");
	assert_string_equal(c->store, "sqlite:" LOCALSTATEDIR
	    "/lib/chatjournal/store");
	assert_int_equal(c->sandbox, CONF_SANDBOX_ENFORCE);
	assert_int_equal(c->poison_deaths, 3);
	assert_int_equal(c->trusted_networks->len, 0);
	assert_null(c->directory_file);
	assert_non_null(c->directory);
	assert_int_equal(c->log.target, CONF_LOG_SYSLOG);
	assert_string_equal(c->log.facility, "mail");
	assert_int_equal(c->log.level, LOG_LEVEL_INFO);
	assert_string_equal(c->intake.listen.address, "127.0.0.1");
	assert_int_equal(c->intake.listen.port, 8080);
	assert_string_equal(c->intake.path, "/webhook/whatsapp");
	assert_int_equal(c->intake.max_body_bytes, 4 << 20);
	assert_int_equal(c->intake.deadline_ms, 20000);
	assert_int_equal(c->intake.queue_ms, 10000);
	assert_int_equal(c->intake.threads, 2);
	assert_int_equal(c->intake.connections, 1024);
	assert_int_equal(c->intake.connections_per_address, 256);
	assert_null(c->intake.tls_certificate);
	assert_null(c->intake.tls_client_name);
	assert_int_equal(c->turn.idle_ms, TURN_IDLE_DEFAULT_MS);
	assert_int_equal(c->turn.span_ms, TURN_SPAN_DEFAULT_MS);
	assert_int_equal(c->turn.max_items, TURN_ITEMS_DEFAULT);
	assert_int_equal(c->turn.max_bytes, TURN_BYTES_DEFAULT);
	assert_int_equal(c->turn.receipt_wait_ms,
	    TURN_RECEIPT_WAIT_DEFAULT_MS);
	assert_int_equal(c->receipts, CONF_RECEIPTS_ALL);
	assert_int_equal(c->media.downloads, 4);
	assert_int_equal(c->media.max_bytes, 110 << 20);
	assert_int_equal(c->media.wait_ms, 600000);
	assert_int_equal(c->media.give_up_ms, (int64_t)7 * 86400000);
	assert_int_equal(c->media.retry_min_ms, 10000);
	assert_int_equal(c->media.retry_max_ms, 1800000);
	assert_null(c->media.clamd);
	assert_int_equal(c->media.infected, CONF_INFECTED_TAG);
	assert_int_equal(c->media.scan_wait_ms, 600000);
	assert_null(c->render.zone);
	assert_string_equal(c->render.address_domain, "d.example");
	assert_string_equal(c->render.templates, PKGDATADIR "/templates");
	assert_true(c->render.attach_event);
	assert_int_equal(c->keep.event_ms, (int64_t)30 * 86400000);
	assert_int_equal(c->keep.mail_ms, (int64_t)30 * 86400000);
	assert_null(j->relay);
	assert_string_equal(j->to, "journal@d.example");
	assert_string_equal(j->from, "chatjournal@d.example");
	assert_int_equal(j->profile, CONF_PROFILE_PLAIN);
	assert_int_equal(j->warn_age_ms, 15 * 60000);
	assert_string_equal(j->language, "en");
	assert_int_equal(j->max_bytes, 0);
	assert_int_equal(j->max_files, 16);
	assert_int_equal(j->max_age_ms, 0);
	assert_false(j->thread_index);
	assert_int_equal(j->headers->len + j->renames->len +
	    j->recipient_headers->len, 0);
	assert_null(conf_journal_get(c, "b"));
	conf_free(c);
	conf_free(NULL);
}

static void
a_relay_takes_port_and_tls_from_its_url(void **state)
{
	static const struct {
		const char *rest, *host;
		int port;
		enum deliver_tls tls;
	} rows[] = {
		{ "url smtp://127.0.0.1;", "127.0.0.1", 25, DELIVER_TLS_NONE },
		{ "url smtp://localhost:2525;", "localhost", 2525,
			DELIVER_TLS_NONE },
		{ "url smtp://[::1]:26;", "::1", 26, DELIVER_TLS_NONE },
		{ "url smtp://mail.b.example;", "mail.b.example", 25,
			DELIVER_TLS_STARTTLS },
		{ "url smtp://10.1.2.3;", "10.1.2.3", 25,
			DELIVER_TLS_STARTTLS },
		{ "url smtp://10.1.2.3; tls none;", "10.1.2.3", 25,
			DELIVER_TLS_NONE },
		{ "tls starttls; url smtp://[::1];", "::1", 25,
			DELIVER_TLS_STARTTLS },
		{ "url smtps://[2001:db8::1];", "2001:db8::1", 465,
			DELIVER_TLS_IMPLICIT },
		{ "tls implicit; url smtps://h:466; user u; "
			"password_file /p;", "h", 466, DELIVER_TLS_IMPLICIT },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf(
		    "relay r { %s } trusted_network 10.1.0.0/16;\n" MINIMAL,
		    rows[i].rest);
		struct conf *c = load_good(text);
		const struct conf_relay *r = conf_relay_get(c, "r");

		assert_string_equal(r->host, rows[i].host);
		assert_int_equal(r->port, rows[i].port);
		assert_int_equal(r->tls, rows[i].tls);
		assert_int_equal(r->sessions, 4);
		assert_int_equal(r->session_mails, 200);
		assert_int_equal(r->connect_ms, 10000);
		assert_int_equal(r->command_ms, 60000);
		assert_int_equal(r->total_ms, 300000);
		assert_int_equal(r->linger_ms, 5000);
		assert_int_equal(r->retry_min_ms, 5000);
		assert_int_equal(r->retry_max_ms, 900000);
		conf_free(c);
	}
}

static void
values_are_read_with_units_quotes_and_escapes(void **state)
{
	struct conf *c = load_good(
	    "\xef\xbb\xbfuser - ; tenant \"b\" ;;\n"
	    "turn { idle 0; span 1500ms; bytes 512k; items 7; }\n"
	    "keep { event 7d; mail 36h; }\n"
	    "trusted_network 10.0.0.1; trusted_network fd00:10::/32;\n"
	    "log{target stderr;level debug;facility local7;}\n"
	    "relay r{url smtps://h;user 'a \"b\\\\\\' #;{}';"
	    "password_file /p#q;}#end\n"
	    "journal x { maildir \"/var/mail/a b\"; "
	    "to \"o'=x@y.example\"; }\r\n" MINIMAL);

	(void)state;
	assert_null(c->user);
	assert_string_equal(c->tenant, "b");
	assert_int_equal(c->turn.idle_ms, 0);
	assert_int_equal(c->turn.span_ms, 1500);
	assert_int_equal(c->turn.max_bytes, 512 << 10);
	assert_int_equal(c->turn.max_items, 7);
	assert_int_equal(c->keep.event_ms, 7 * 86400000);
	assert_int_equal(c->keep.mail_ms, 36 * 3600000);
	assert_string_equal(c->trusted_networks->pdata[0], "10.0.0.1/32");
	assert_string_equal(c->trusted_networks->pdata[1], "fd00:10::/32");
	assert_int_equal(c->log.target, CONF_LOG_STDERR);
	assert_int_equal(c->log.level, LOG_LEVEL_DEBUG);
	assert_string_equal(c->log.facility, "local7");
	assert_string_equal(conf_relay_get(c, "r")->user, "a \"b\\' #;{}");
	assert_string_equal(conf_relay_get(c, "r")->password_file, "/p#q");
	assert_string_equal(conf_journal_get(c, "x")->maildir,
	    "/var/mail/a b");
	conf_free(c);
}

static void
the_graph_block_has_defaults_when_it_is_there(void **state)
{
	struct conf *c = load_good(MINIMAL);

	(void)state;
	assert_string_equal(c->graph.url, "https://graph.facebook.com");
	assert_string_equal(c->graph.version, "v25.0");
	assert_string_equal(c->graph.token_file, "/g");
	assert_null(c->graph.tls_ca_file);
	assert_null(c->graph.proxy);
	assert_null(c->graph.proxy_user);
	assert_int_equal(c->graph.media_hosts->len, 1);
	assert_string_equal(c->graph.media_hosts->pdata[0],
	    "lookaside.fbsbx.com");
	assert_int_equal(c->graph.connect_ms, 10000);
	assert_int_equal(c->graph.total_ms, 600000);
	conf_free(c);
}

static void
without_a_graph_block_there_is_no_url_and_one_warning(void **state)
{
	static const char text[] = "catch_all a; intake { app_secret_file /s; "
	    "verify_token_file /t; } render { domain d; } "
	    "journal a { maildir /m; }\n";
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = load_text(text, got), *again;
	g_autofree char *printed = NULL;

	(void)state;
	assert_non_null(c);
	assert_null(c->graph.url);
	assert_null(c->graph.version);
	assert_int_equal(c->graph.media_hosts->len, 0);
	assert_true(g_str_has_prefix(got->str, "t:1:1: warning: there is no "
	    "graph { } block: files of messages are named in mails, but not "
	    "fetched\n"));
	printed = print(c);
	assert_null(strstr(printed, "graph"));
	again = load_good(printed);
	assert_null(again->graph.url);
	conf_free(c);
	conf_free(again);
}

static void
hosts_that_are_given_stand_instead_of_the_default(void **state)
{
	struct conf *c = load_good("catch_all a; intake { app_secret_file /s; "
	    "verify_token_file /t; } render { domain d; zone Etc/GMT+3; } "
	    "graph { token_file /g; url https://[::1]:8443; version v26.0; "
	    "media_host .fbcdn.net; media_host 127.0.0.1; tls_ca /ca; "
	    "proxy https://p:8443; proxy_tls_ca /pca; proxy_user u; "
	    "proxy_password_file /pw; } "
	    "media { clamd localhost:3310; infected quarantine; } "
	    "journal a { maildir /m; }\n");
	g_autofree char *text = print(c);

	(void)state;
	assert_int_equal(c->graph.media_hosts->len, 2);
	assert_string_equal(c->graph.media_hosts->pdata[0], ".fbcdn.net");
	assert_string_equal(c->graph.url, "https://[::1]:8443");
	assert_string_equal(c->graph.proxy, "https://p:8443");
	assert_string_equal(c->graph.proxy_tls_ca_file, "/pca");
	assert_string_equal(c->graph.proxy_user, "u");
	assert_string_equal(c->graph.proxy_password_file, "/pw");
	assert_string_equal(c->media.clamd, "localhost:3310");
	assert_int_equal(c->media.infected, CONF_INFECTED_QUARANTINE);
	assert_string_equal(c->render.zone, "Etc/GMT+3");
	assert_non_null(strstr(text, "\n\tmedia_host .fbcdn.net;\n"
	    "\tmedia_host 127.0.0.1;\n"));
	conf_free(c);
}

static void
a_journal_takes_headers_and_renames_in_the_order_given(void **state)
{
	struct conf *c = load_good("journal b { maildir /b; language pt-BR; "
	    "max_size 50M; max_files 0; max_age 30d; thread_index on;\n"
	    "header X-GlobalRelay-MsgType 'chat app';\n"
	    "header x-kvs-messagetype \"a\\\"b\";\n"
	    "header x-kvs-messagetype two;\n"
	    "rename X-ChatJournal-Network X-Net; rename X-A-1 X_B;\n"
	    "recipients_header X-ZANTAZ-RECIP; "
	    "recipients_header X-Envelope-To; }\n" MINIMAL);
	const struct conf_journal *j = conf_journal_get(c, "b");
	static const char *const headers[] = { "X-GlobalRelay-MsgType",
	    "chat app", "x-kvs-messagetype", "a\"b", "x-kvs-messagetype",
	    "two" };
	static const char *const renames[] = { "X-ChatJournal-Network",
	    "X-Net", "X-A-1", "X_B" };

	(void)state;
	assert_string_equal(j->language, "pt-BR");
	assert_int_equal(j->max_bytes, 50 << 20);
	assert_int_equal(j->max_files, 0);
	assert_int_equal(j->max_age_ms, (int64_t)30 * 86400000);
	assert_true(j->thread_index);
	assert_int_equal(j->headers->len, G_N_ELEMENTS(headers));
	for (size_t i = 0; i < G_N_ELEMENTS(headers); i++)
		assert_string_equal(j->headers->pdata[i], headers[i]);
	assert_int_equal(j->renames->len, G_N_ELEMENTS(renames));
	for (size_t i = 0; i < G_N_ELEMENTS(renames); i++)
		assert_string_equal(j->renames->pdata[i], renames[i]);
	assert_int_equal(j->recipient_headers->len, 2);
	assert_string_equal(j->recipient_headers->pdata[1], "X-Envelope-To");
	conf_free(c);
}

/* --- includes --- */

static void
includes_are_read_in_the_order_of_their_names(void **state)
{
	char *dir = make_dir();
	g_autofree char *main_file = put_file(dir, "main.conf",
	    "include b*.conf;\ninclude none*;\n"
	    "intake { include part.inc; }\n"
	    "catch_all j1; render { domain d.example; }\n");
	g_autofree char *b2 = put_file(dir, "b2.conf",
	    "journal j2 { maildir two; }\n");
	g_autofree char *b1 = put_file(dir, "b1.conf",
	    "journal j1 { maildir one; }\n");
	g_autofree char *part = put_file(dir, "part.inc",
	    "app_secret_file s;\nverify_token_file /t;\n");
	g_autofree char *secret = g_build_filename(dir, "s", NULL);
	g_autofree char *one = g_build_filename(dir, "one", NULL);
	struct conf *c = load_file(main_file);
	const struct conf_journal *j = c->journals->pdata[0];

	(void)state;
	assert_int_equal(c->journals->len, 2);
	assert_string_equal(j->name, "j1");
	assert_string_equal(j->maildir, one);
	assert_string_equal(c->intake.app_secret_files->pdata[0], secret);
	conf_free(c);
	drop_dir(dir);
}

static void
an_error_in_an_included_file_names_that_file(void **state)
{
	char *dir = make_dir();
	g_autofree char *main_file = put_file(dir, "main.conf",
	    "include a.inc;\nfoo 1;\n" MINIMAL);
	g_autofree char *inc = put_file(dir, "a.inc", "\n bar 1;\n");
	g_autofree char *want = g_strdup_printf(
	    "%s:2:1: unknown directive \"foo\"\nfoo 1;\n^~~\n"
	    "%s:2:2: unknown directive \"bar\"\n bar 1;\n ^~~\n", main_file,
	    inc);
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = NULL;

	(void)state;
	assert_false(conf_load(main_file, &c, got, NULL));
	assert_string_equal(got->str, want);
	drop_dir(dir);
}

static void
includes_that_never_end_are_refused(void **state)
{
	static const struct {
		const char *main, *inc, *want;
	} rows[] = {
		{ "include m.conf;\n", "", "m.conf includes itself" },
		{ "include x.inc;\n", "include m.conf;\n",
			"m.conf includes itself" },
		{ "include *;\n", "", "m.conf includes itself" },
		{ "include none;\n", "", "none: No such file or directory" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *dir = make_dir();
		g_autofree char *text = g_strconcat(rows[i].main, MINIMAL,
		    NULL);
		g_autofree char *m = put_file(dir, "m.conf", text);
		g_autofree char *x = put_file(dir, "x.inc", rows[i].inc);
		g_autoptr(GString) got = g_string_new(NULL);
		struct conf *c = NULL;

		assert_false(conf_load(m, &c, got, NULL));
		if (strstr(got->str, rows[i].want) == NULL)
			fail_msg("want %s\ngot %s", rows[i].want, got->str);
		drop_dir(dir);
	}
}

static void
includes_may_not_multiply_without_bound(void **state)
{
	char *dir = make_dir();
	g_autofree char *m = put_file(dir, "m.conf", "include 0;\n" MINIMAL);
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = NULL;

	(void)state;
	/* Twelve levels, each of which includes the next one ten times. */
	for (int i = 0; i < 12; i++) {
		g_autofree char *name = g_strdup_printf("%d", i);
		g_autoptr(GString) text = g_string_new(NULL);
		g_autofree char *path = NULL;

		for (int k = 0; k < 10; k++)
			g_string_append_printf(text, "include %d;\n", i + 1);
		path = put_file(dir, name, text->str);
	}
	assert_false(conf_load(m, &c, got, NULL));
	assert_non_null(strstr(got->str, "nested more than 8 deep"));
	assert_non_null(strstr(got->str, " more\n"));
	drop_dir(dir);
}

static void
a_file_that_is_not_there_is_named(void **state)
{
	g_autoptr(GString) got = g_string_new(NULL);
	struct err err = ERR_INIT;
	struct conf *c = NULL;

	(void)state;
	assert_false(conf_load("/nonexistent/c.conf", &c, got, &err));
	assert_int_equal(err.kind, ERR_CONF);
	assert_string_equal(err.text, "cannot open /nonexistent/c.conf: "
	    "No such file or directory");
	assert_string_equal(got->str, "cannot open /nonexistent/c.conf: "
	    "No such file or directory\n");
}

/* --- snapshot --- */

static int
save(const struct conf *c)
{
	int fd = memfd_create("conf", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(conf_snapshot_save(c, fd, NULL));
	return fd;
}

static void
a_snapshot_outlives_the_files_it_was_made_from(void **state)
{
	char *dir = make_dir();
	g_autofree char *m = put_file(dir, "m.conf", "include x*.inc;\n"
	    "directory d.conf;\n" MINIMAL);
	g_autofree char *x = put_file(dir, "x.inc",
	    "journal b { maildir rel; }\n");
	g_autofree char *d = put_file(dir, "d.conf",
	    "business 1 { name n; desk d; journal b; }\n");
	struct conf *c = load_file(m), *again = NULL, *third = NULL;
	auto_fd int fd = save(c);
	g_autofree char *before = print(c), *after = NULL, *late = NULL;
	g_autofree char *extra = NULL;

	(void)state;
	extra = put_file(dir, "x2.inc", "journal c { maildir /c; }\n");
	assert_int_equal(g_remove(m), 0);
	assert_int_equal(g_remove(x), 0);
	g_free(d);
	d = put_file(dir, "d.conf", "rubbish");
	assert_true(conf_snapshot_load(fd, &again, NULL));
	assert_true(conf_snapshot_load(fd, &third, NULL));
	after = print(again);
	late = print(third);
	assert_string_equal(before, after);
	assert_string_equal(before, late);
	assert_non_null(directory_business_get(again->directory, "1", NULL));
	conf_free(c);
	conf_free(again);
	conf_free(third);
	drop_dir(dir);
}

static void
a_process_that_need_not_know_people_loads_none(void **state)
{
	char *dir = make_dir();
	g_autofree char *m = put_file(dir, "m.conf", "directory d.conf;\n"
	    "include x.inc;\n" MINIMAL);
	g_autofree char *x = put_file(dir, "x.inc",
	    "journal b { maildir /b; }\n");
	g_autofree char *d = put_file(dir, "d.conf", "include p*.inc;\n");
	g_autofree char *p = put_file(dir, "p1.inc",
	    "business 1 { name n; desk d; journal b; }\n");
	struct conf *c = load_file(m), *part = NULL, *whole = NULL;
	auto_fd int fd = save(c);
	g_autofree char *before = print(c), *after = NULL;

	(void)state;
	conf_shrink(c);
	assert_null(directory_business_get(c->directory, "1", NULL));
	assert_true(conf_snapshot_load_main(fd, &part, NULL));
	assert_null(directory_business_get(part->directory, "1", NULL));
	after = print(part);
	assert_string_equal(before, after);
	assert_true(conf_snapshot_load(fd, &whole, NULL));
	assert_non_null(directory_business_get(whole->directory, "1", NULL));
	conf_free(c);
	conf_free(part);
	conf_free(whole);
	drop_dir(dir);
}

static void
a_snapshot_of_relative_names_does_not_depend_on_the_directory(void **state)
{
	char *dir = make_dir();
	g_autofree char *m = put_file(dir, "m.conf",
	    "journal b { maildir rel; }\n" MINIMAL);
	g_autofree char *old = g_get_current_dir();
	g_autofree char *want = g_build_filename(dir, "rel", NULL);
	struct conf *c = NULL, *again = NULL;

	(void)state;
	assert_int_equal(chdir(dir), 0);
	c = load_file("m.conf");
	assert_int_equal(chdir(old), 0);
	assert_string_equal(conf_journal_get(c, "b")->maildir, want);
	auto_fd int fd = save(c);
	assert_true(conf_snapshot_load(fd, &again, NULL));
	assert_string_equal(conf_journal_get(again, "b")->maildir, want);
	conf_free(c);
	conf_free(again);
	drop_dir(dir);
}

static void
a_damaged_snapshot_is_refused_at_every_length(void **state)
{
	struct conf *c = load_good(MINIMAL), *again = NULL;
	auto_fd int fd = save(c);
	off_t size = lseek(fd, 0, SEEK_END);
	struct err err = ERR_INIT;

	(void)state;
	assert_true(size > (off_t)sizeof(MINIMAL));
	for (off_t n = size - 1; n >= 0; n--) {
		assert_int_equal(ftruncate(fd, n), 0);
		assert_false(conf_snapshot_load(fd, &again, &err));
		assert_string_equal(err.what, "conf.snapshot");
	}
	assert_false(conf_snapshot_load(-1, &again, &err));
	assert_int_equal(err.kind, ERR_TEMP);
	conf_free(c);
}

/* --- print-out --- */

static void
what_is_printed_loads_and_prints_the_same(void **state)
{
	static const char *const texts[] = {
		MINIMAL,
		"tenant t; user -; state_dir /s; run_dir /r; sandbox log; "
		"poison_deaths 9; trusted_network 10.0.0.0/8; "
		"trusted_network ::1; log { target journal; level error; "
		"facility daemon; } turn { idle 1500ms; span 2h; items 1; "
		"bytes 1025; receipts failed; } keep { event 0; mail 90d; } "
		"relay a { url smtp://[::1]:26; helo h.example; sessions 1; } "
		"relay b { url smtps://h; user 'a \"\\\\ ;'; "
		"password_file '/p x'; tls_ca /ca; retry_max 1d; } "
		"relay c { url smtp://10.1.1.1; tls none; } "
		"relay d { url smtp://mx.example; } "
		"journal x { relay b; to a@b; from c@d; "
		"profile exchange-journal; warn_age 1s; } "
		"journal y { maildir /y; to a@b; }\n" MINIMAL,
		"media { downloads 9; max_size 1M; wait 0; give_up 1h; "
		"clamd '/run/a b'; infected quarantine; scan_wait 1s; } "
		"journal x { maildir /x; language pt; max_size 1G; "
		"header X-A \"b; 'c' \\\" \\\\\"; header X-A 'd'; "
		"rename X-B X-C; recipients_header X-D; thread_index on; }\n"
		MINIMAL,
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		struct conf *c = load_good(texts[i]), *again;
		g_autofree char *one = print(c), *two = NULL;

		again = load_good(one);
		two = print(again);
		assert_string_equal(one, two);
		assert_int_equal(again->relays->len, c->relays->len);
		assert_int_equal(again->user == NULL, c->user == NULL);
		assert_int_equal(again->turn.span_ms, c->turn.span_ms);
		assert_null(strstr(one, "\n\tmedia_host"));
		conf_free(c);
		conf_free(again);
	}
}

static void
a_printed_value_is_commented_out_when_it_is_the_default(void **state)
{
	struct conf *c = load_good("turn { idle 20s; span 3m; }\n"
	    "relay r { url smtp://h; tls starttls; }\n" MINIMAL);
	g_autofree char *text = print(c);

	(void)state;
	assert_non_null(strstr(text, "\n\t#idle 20s;\n\tspan 3m;\n"));
	assert_non_null(strstr(text, "\n\turl smtp://h:25;\n\t#tls starttls;"));
	assert_non_null(strstr(text, "\n#tenant default;\n"));
	assert_non_null(strstr(text, "\ncatch_all a;\n"));
	conf_free(c);
}

/* Or else the comparison with the value in force would not see it. */
static void
presets_are_written_as_they_are_printed(void **state)
{
	struct conf *c = load_good("relay r { url smtp://[::1]; }\n" MINIMAL);
	g_autofree char *text = print(c);
	g_autoptr(GRegex) others = g_regex_new("^\\s*(#.*|\\}|)\n",
	    G_REGEX_MULTILINE, 0, NULL);
	g_autofree char *rest = g_regex_replace_literal(others, text, -1, 0,
	    "", 0, NULL);

	(void)state;
	assert_string_equal(rest, "catch_all a;\nlog {\nintake {\n"
	    "\tapp_secret_file /s;\n\tverify_token_file /t;\n"
	    "graph {\n\ttoken_file /g;\nmedia {\nturn {\n"
	    "render {\n\tdomain d.example;\nkeep {\nrelay r {\n"
	    "\turl smtp://[::1]:25;\njournal a {\n\tmaildir /m;\n");
	conf_free(c);
}

/* --- documentation --- */

struct docs {
	char *manual, *sample, *directory;
	char *policy_manual, *policy;
	unsigned rows;
};

static bool
is_of_policy(const char *block)
{
	return strcmp(block, "policy") == 0 || strcmp(block, "lexicon") == 0 ||
	    strcmp(block, "window") == 0 || strcmp(block, "rule") == 0;
}

/* "word" as a word of its own. */
static bool
mentions(const char *text, const char *word)
{
	g_autofree char *escaped = g_regex_escape_string(word, -1);
	g_autofree char *pattern = g_strdup_printf("(?<![\\w-])%s(?![\\w-])",
	    escaped);

	return g_regex_match_simple(pattern, text, 0, 0);
}

/* Between the block's heading (or opening line) and the end of its part. */
static char *
section(const char *text, const char *start, const char *const *ends)
{
	const char *from = strstr(text, start), *to;

	if (from == NULL)
		return g_strdup("");
	from += strlen(start);
	to = from + strlen(from);
	for (; *ends != NULL; ends++) {
		const char *end = strstr(from, *ends);

		if (end != NULL && end < to)
			to = end;
	}
	return g_strndup(from, (gsize)(to - from));
}

static void
check_manual(const struct docs *d, const char *block, const char *name)
{
	static const char *const ends[] = { "\n.Ss ", "\n.Sh ", NULL };
	g_autofree char *start = *block == '\0' ||
	    strcmp(block, "policy") == 0 ? g_strdup("\n.Sh DIRECTIVES\n") :
	    g_strdup_printf("\n.Ss %s ", block);
	g_autofree char *part = section(is_of_policy(block) ?
	    d->policy_manual : d->manual, start, ends);
	g_autofree char *item = g_strdup_printf("\n.It Ic %s", name);
	const char *at = strstr(part, item);

	if (at == NULL || strchr(" \n", at[strlen(item)]) == NULL)
		fail_msg("the manual: %s { } lacks %s", block, name);
}

static void
check_sample(const struct docs *d, const char *block, const char *name)
{
	bool is_nested = strcmp(block, "application") == 0;
	const char *const ends[] = { is_nested ? "\n\t}" : "\n}", NULL };
	bool is_directory = strcmp(block, "staff") == 0 ||
	    strcmp(block, "business") == 0 || strcmp(block, "customer") == 0;
	const char *text = is_directory ? d->directory :
	    is_of_policy(block) ? d->policy : d->sample;
	g_autofree char *start = g_strdup_printf("\n%s%s ",
	    is_nested ? "\t" : "", block);
	g_autofree char *part = *block == '\0' ||
	    is_of_policy(block) ? g_strdup(text) : section(text,
	    start, ends);

	/* The second journal of the sample, commented out, is the Maildir. */
	if (strcmp(name, "maildir") == 0)
		part = (g_free(part), g_strdup(text));
	if (!mentions(part, name))
		fail_msg("the sample lacks %s in %s { }", name, block);
}

static void
check_row(void *arg, const char *block, const char *name, const char *type,
    const char *preset, const char *help)
{
	struct docs *d = arg;

	(void)preset;
	d->rows++;
	assert_true(*type != '\0');
	assert_true(g_str_has_suffix(help, ".") || strlen(help) > 10);
	if (strcmp(type, "block") == 0) {
		g_autofree char *head = g_strdup_printf("\n.Ss %s ", name);

		assert_non_null(strstr(is_of_policy(block) ? d->policy_manual :
		    d->manual, head));
		return;
	}
	if (strcmp(name, "include") != 0)
		check_manual(d, block, name);
	else
		assert_non_null(strstr(d->manual, "\n.It Ic include "));
	check_sample(d, block, name);
}

/* The sample with every commented directive and block in force. */
static char *
switch_on(const char *text)
{
	g_autoptr(GRegex) on = g_regex_new("^(#?\\s*)#([a-z_}\\t])",
	    G_REGEX_MULTILINE, 0, NULL);
	g_autoptr(GRegex) block = g_regex_new("^#(\\t)", G_REGEX_MULTILINE, 0,
	    NULL);
	g_autofree char *live = g_regex_replace(on, text, -1, 0, "\\1\\2", 0,
	    NULL);

	return g_regex_replace(block, live, -1, 0, "\\1", 0, NULL);
}

static void
every_row_is_in_the_manual_and_in_the_samples(void **state)
{
	g_autofree char *plain = read_source("conf/chatjournal.conf.sample");
	g_autofree char *rules = read_source("conf/policy.conf.sample");
	struct docs d = { read_source("doc/man/chatjournal.conf.5"),
		switch_on(plain),
		read_source("conf/directory.conf.sample"),
		read_source("doc/man/chatjournal-policy.5"),
		switch_on(rules), 0 };

	(void)state;
	conf_each_row(check_row, &d);
	assert_true(d.rows > 100);
	g_free(d.manual);
	g_free(d.sample);
	g_free(d.directory);
	g_free(d.policy_manual);
	g_free(d.policy);
}

/* A literal default stands in the manual as the table has it. */
static void
check_preset(void *arg, const char *block, const char *name, const char *type,
    const char *preset, const char *help)
{
	static const char *const ends[] = { "\n.It ", "\n.Ss ", "\n.Sh ",
		NULL };
	const struct docs *d = arg;
	const char *manual = is_of_policy(block) ? d->policy_manual :
	    d->manual;
	g_autofree char *start = NULL, *part = NULL, *item = NULL;

	(void)help;
	if (preset == NULL || !(g_str_has_prefix(type, "number") ||
	    g_str_has_prefix(type, "duration") ||
	    g_str_has_prefix(type, "size")))
		return;
	start = g_strdup_printf("\n.Ss %s ", block);
	item = g_strdup_printf("\n.It Ic %s ", name);
	if (*block == '\0' || strcmp(block, "policy") == 0)
		start = (g_free(start), g_strdup("\n.Sh DIRECTIVES\n"));
	part = section(strstr(manual, start), item, ends);
	if (strstr(part, "default ") == NULL || !mentions(part, preset))
		fail_msg("the manual: %s: default is not %s", name, preset);
}

static void
the_manual_gives_the_defaults_of_the_tables(void **state)
{
	struct docs d = {
		.manual = read_source("doc/man/chatjournal.conf.5"),
		.policy_manual = read_source("doc/man/chatjournal-policy.5") };

	(void)state;
	conf_each_row(check_preset, &d);
	g_free(d.manual);
	g_free(d.policy_manual);
}

static char *
sample(const char *name, const char *dir)
{
	g_autofree char *text = read_source(name);
	g_auto(GStrv) parts = g_strsplit(text, "/etc/chatjournal", -1);

	return g_strjoinv(dir, parts);
}

static void
the_samples_load_without_a_word(void **state)
{
	char *dir = make_dir();
	g_autofree char *one = sample("conf/chatjournal.conf.sample", dir);
	g_autofree char *two = sample("conf/directory.conf.sample", dir);
	g_autofree char *m = put_file(dir, "chatjournal.conf", one);
	g_autofree char *d = put_file(dir, "directory.conf", two);
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = NULL;

	(void)state;
	assert_true(conf_load(m, &c, got, NULL));
	assert_string_equal(got->str, "");
	assert_string_equal(c->render.address_domain, "whatsapp.bank.example");
	assert_non_null(directory_staff_get(c->directory, "E1234"));
	conf_free(c);
	drop_dir(dir);
}

/* With every commented directive switched on but those that exclude others. */
static void
the_commented_lines_of_the_sample_are_valid_too(void **state)
{
	g_autofree char *text = read_source("conf/chatjournal.conf.sample");
	g_autoptr(GRegex) off = g_regex_new(
	    "^\\s*((directory|policy|include|user) |password_file .*relay).*$",
	    G_REGEX_MULTILINE, 0, NULL);
	g_autofree char *live = switch_on(text);
	g_autofree char *plain = g_regex_replace_literal(off, live, -1, 0, "",
	    0, NULL);
	struct conf *c = load_good(plain);

	(void)state;
	assert_non_null(conf_journal_get(c, "copy"));
	assert_int_equal(c->trusted_networks->len, 2);
	assert_string_equal(c->intake.tls_client_name,
	    "client.webhooks.fbclientcerts.com");
	conf_free(c);
}

/* --- presets --- */

static const char preset_conf[] = "include preset.conf;\n"
    "relay local { url smtp://127.0.0.1; }\ncatch_all %s;\n"
    "intake { app_secret_file /s; verify_token_file /t; }\n"
    "render { domain d.example; }\ngraph { token_file /g; }\n";

/* Of the preset as text; NULL, and messages, if it is refused. */
static struct conf *
load_preset(const char *text, const char *journal, GString *messages)
{
	char *dir = make_dir();
	g_autofree char *whole = NULL;
	g_auto(GStrv) parts = g_strsplit(preset_conf, "%s", 2);
	g_autofree char *m = NULL, *p = put_file(dir, "preset.conf", text);
	struct conf *c = NULL;

	whole = g_strjoinv(journal, parts);
	m = put_file(dir, "m.conf", whole);
	conf_load(m, &c, messages, NULL);
	drop_dir(dir);
	return c;
}

static char *
replace(const char *text, const char *from, const char *to)
{
	g_auto(GStrv) parts = g_strsplit(text, from, -1);

	return g_strjoinv(to, parts);
}

static void
each_preset_loads_when_it_is_filled_in_and_only_then(void **state)
{
	static const struct {
		const char *file, *journal;
		enum conf_profile profile;
		const char *header;
	} rows[] = {
		{ "exchange-purview", "exchange", CONF_PROFILE_PLAIN, NULL },
		{ "enterprise-vault", "vault", CONF_PROFILE_PLAIN,
			"x-kvs-messagetype" },
		{ "global-relay", "global-relay", CONF_PROFILE_PLAIN,
			"X-GlobalRelay-MsgType" },
		{ "smarsh", "smarsh", CONF_PROFILE_EXCHANGE, NULL },
		{ "mimecast", "mimecast", CONF_PROFILE_EXCHANGE, NULL },
		{ "piler", "piler", CONF_PROFILE_PLAIN, NULL },
		{ "mailbox", "mailbox", CONF_PROFILE_PLAIN, NULL },
	};
	g_autofree char *manual = read_source("doc/man/chatjournal.conf.5");

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *name = g_strdup_printf("%s.conf",
		    rows[i].file);
		g_autofree char *item = g_strdup_printf("\n.It Pa %s\n", name);
		g_autofree char *path = g_strconcat("conf/presets/", name,
		    NULL);
		g_autofree char *text = read_source(path);
		g_autofree char *filled = replace(text, " FILL_IN;", " a@b;");
		g_autoptr(GString) got = g_string_new(NULL);
		g_autoptr(GString) raw = g_string_new(NULL);
		struct conf *c = load_preset(filled, rows[i].journal, got);
		const struct conf_journal *j;

		if (c == NULL || got->len > 0)
			fail_msg("%s: %s", path, got->str);
		j = conf_journal_get(c, rows[i].journal);
		assert_non_null(j);
		assert_int_equal(j->profile, rows[i].profile);
		assert_true(j->max_bytes > 0);
		if (rows[i].header != NULL)
			assert_string_equal(j->headers->pdata[0],
			    rows[i].header);
		conf_free(c);
		assert_null(load_preset(text, rows[i].journal, raw));
		assert_non_null(strstr(raw->str,
		    "\"FILL_IN\" is not a mail address"));
		if (strstr(manual, item) == NULL)
			fail_msg("chatjournal.conf.5 lacks preset %s", name);
	}
}

static void
presets_keep_below_the_limits_they_speak_of(void **state)
{
	static const struct {
		const char *file, *journal;
		int64_t below;
	} rows[] = {
		{ "exchange-purview", "exchange", 36 << 20 },
		{ "global-relay", "global-relay", 250 << 20 },
		{ "piler", "piler", 50000000 },
		{ "mailbox", "mailbox", 10240000 },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf(
		    "conf/presets/%s.conf", rows[i].file);
		g_autofree char *text = read_source(path);
		g_autofree char *filled = replace(text, " FILL_IN;", " a@b;");
		g_autoptr(GString) got = g_string_new(NULL);
		struct conf *c = load_preset(filled, rows[i].journal, got);

		assert_non_null(c);
		assert_in_range(conf_journal_get(c,
		    rows[i].journal)->max_bytes, rows[i].below / 2,
		    rows[i].below - 65536);
		conf_free(c);
	}
}

/* --- robustness --- */

static void
try_text(const char *text, size_t len)
{
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = NULL;

	if (!conf_load_text("t", text, len, &c, got, NULL))
		assert_true(got->len > 0);
	assert_true(g_utf8_validate(got->str, (gssize)got->len, NULL));
	conf_free(c);
}

/* A generator of its own, so that a failure can be repeated. */
static uint32_t
roll(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void
no_truncation_of_the_sample_crashes(void **state)
{
	g_autofree char *text = read_source("conf/chatjournal.conf.sample");
	size_t len = strlen(text);

	(void)state;
	for (size_t n = 0; n <= len; n += 3)
		try_text(text, n);
}

static void
no_random_change_of_the_sample_crashes(void **state)
{
	static const char bits[] = "{};\"'\\#\n\0\x80\xff*/:[]@ \t9";
	g_autofree char *text = read_source("conf/chatjournal.conf.sample");
	size_t len = strlen(text);
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		g_autofree char *copy = g_strdup(text);

		for (uint32_t k = roll(&seed) % 8 + 1; k > 0; k--)
			copy[roll(&seed) % len] =
			    bits[roll(&seed) % (sizeof(bits) - 1)];
		try_text(copy, len);
	}
}

static void
garbage_and_endless_nesting_do_not_crash(void **state)
{
	g_autofree char *open = g_strnfill(100000, '{');
	g_autofree char *close = g_strnfill(100000, '}');
	g_autofree char *quotes = g_strnfill(100000, '"');
	g_autofree char *word = g_strnfill(1000000, 'x');
	g_autoptr(GString) nest = g_string_new(NULL);
	uint32_t seed = 7;

	(void)state;
	try_text(open, 100000);
	try_text(close, 100000);
	try_text(quotes, 100000);
	try_text(word, 1000000);
	for (int i = 0; i < 10000; i++)
		g_string_append(nest, "a {");
	try_text(nest->str, nest->len);
	for (int i = 0; i < 300; i++) {
		char noise[257];

		for (size_t k = 0; k < sizeof(noise); k++)
			noise[k] = (char)roll(&seed);
		try_text(noise, sizeof(noise));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minimal_configuration_has_all_defaults),
		cmocka_unit_test(a_relay_takes_port_and_tls_from_its_url),
		cmocka_unit_test(values_are_read_with_units_quotes_and_escapes),
		cmocka_unit_test(the_graph_block_has_defaults_when_it_is_there),
		cmocka_unit_test(without_a_graph_block_there_is_no_url_and_one_warning),
		cmocka_unit_test(hosts_that_are_given_stand_instead_of_the_default),
		cmocka_unit_test(a_journal_takes_headers_and_renames_in_the_order_given),
		cmocka_unit_test(includes_are_read_in_the_order_of_their_names),
		cmocka_unit_test(an_error_in_an_included_file_names_that_file),
		cmocka_unit_test(includes_that_never_end_are_refused),
		cmocka_unit_test(includes_may_not_multiply_without_bound),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
		cmocka_unit_test(a_snapshot_outlives_the_files_it_was_made_from),
		cmocka_unit_test(a_process_that_need_not_know_people_loads_none),
		cmocka_unit_test(a_snapshot_of_relative_names_does_not_depend_on_the_directory),
		cmocka_unit_test(a_damaged_snapshot_is_refused_at_every_length),
		cmocka_unit_test(what_is_printed_loads_and_prints_the_same),
		cmocka_unit_test(a_printed_value_is_commented_out_when_it_is_the_default),
		cmocka_unit_test(presets_are_written_as_they_are_printed),
		cmocka_unit_test(every_row_is_in_the_manual_and_in_the_samples),
		cmocka_unit_test(the_manual_gives_the_defaults_of_the_tables),
		cmocka_unit_test(the_samples_load_without_a_word),
		cmocka_unit_test(the_commented_lines_of_the_sample_are_valid_too),
		cmocka_unit_test(each_preset_loads_when_it_is_filled_in_and_only_then),
		cmocka_unit_test(presets_keep_below_the_limits_they_speak_of),
		cmocka_unit_test(no_truncation_of_the_sample_crashes),
		cmocka_unit_test(no_random_change_of_the_sample_crashes),
		cmocka_unit_test(garbage_and_endless_nesting_do_not_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
