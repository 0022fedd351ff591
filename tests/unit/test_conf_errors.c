/* SPDX-License-Identifier: Apache-2.0 */
/* conf: every kind of mistake, with its place, its line and a caret. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf_help.h"

struct mistake {
	const char *text;	/* before MINIMAL, unless `alone` */
	const char *want;	/* all messages */
	bool alone;
};

static void
check(const struct mistake *m)
{
	g_autofree char *text = m->alone ? g_strdup(m->text) :
	    g_strconcat(m->text, MINIMAL, NULL);
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = load_text(text, got);

	if (c != NULL)
		fail_msg("accepted: %s", m->text);
	assert_string_equal(got->str, m->want);
}

static void
check_all(const struct mistake *m, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(&m[i]);
}

static void
mistakes_of_grammar_are_shown_where_they_are(void **state)
{
	static const struct mistake rows[] = {
		{ "user x\ntenant y;\n",
		    "t:1:7: ';' is missing after \"x\"\n"
		    "user x\n      ^\n" },
		{ "log { level info }\n",
		    "t:1:17: ';' is missing after \"info\"\n"
		    "log { level info }\n                ^\n" },
		{ "user \"x;\n",
		    "t:1:6: this quote is not closed on its line\n"
		    "user \"x;\n     ^~~\n" },
		{ "user 'x'y;\n",
		    "t:1:9: a blank or ';' must follow the closing quote\n"
		    "user 'x'y;\n        ^\n"
		    "t:1:9: user takes one value; put quotes around a value "
		    "with blanks\n"
		    "user 'x'y;\n        ^\n" },
		{ "}\n", "t:1:1: '}' closes nothing\n}\n^\n" },
		{ "{ user x; }\n",
		    "t:1:1: a block needs a name before '{'\n"
		    "{ user x; }\n^\n" },
		{ MINIMAL "log {\n", "t:2:5: this block is not closed: "
		    "'}' is missing\nlog {\n    ^\n", true },
		{ "journal b { maildir \"a\\n\"; }\n",
		    "t:1:23: unknown escape; only \\\", \\' and \\\\ are "
		    "known, and \\ itself is written \\\\\n"
		    "journal b { maildir \"a\\n\"; }\n"
		    "                      ^~\n" },
		{ "user \x01;\n", "t:1:6: control character 0x01 in a "
		    "value\nuser ?;\n     ^\n" },
		{ "user caf\xe9;\n",
		    "t:1:9: byte 0xe9 is not UTF-8; save the file as UTF-8\n"
		    "user caf?;\n        ^\n" },
	};

	(void)state;
	check_all(rows, G_N_ELEMENTS(rows));
}

static void
a_quote_inside_a_word_is_an_error(void **state)
{
	static const struct mistake m = { "journal b { maildir /a'b; }\n",
		"t:1:23: a quote inside a word; quote the whole value\n"
		"journal b { maildir /a'b; }\n                      ^\n" };

	(void)state;
	check(&m);
}

static void
columns_count_characters_and_the_caret_keeps_tabs(void **state)
{
	static const struct mistake rows[] = {
		{ "log {\n\tlevel  inf;\n}\n",
		    "t:2:9: \"inf\" is not one of error, warn, info, debug; "
		    "did you mean \"info\"?\n"
		    "\tlevel  inf;\n\t       ^~~\n" },
		{ "# \u00e9\nlog { #\u20ac\n target \"\u00e9\u20ac\" x; }\r\n",
		    "t:3:14: target takes one value; put quotes around a "
		    "value with blanks\n"
		    " target \"\u00e9\u20ac\" x; }\n"
		    "             ^\n" },
	};

	(void)state;
	check_all(rows, G_N_ELEMENTS(rows));
}

static void
unknown_directives_come_with_a_guess_or_their_home(void **state)
{
	static const struct mistake rows[] = {
		{ "tenent x;\n", "t:1:1: unknown directive \"tenent\"; did "
		    "you mean \"tenant\"?\ntenent x;\n^~~~~~\n" },
		{ "trun { }\n", "t:1:1: unknown block \"trun\"; did you "
		    "mean \"turn\"?\ntrun { }\n^~~~\n" },
		{ "idle 2s;\n", "t:1:1: unknown directive \"idle\"; it "
		    "belongs into turn { }\nidle 2s;\n^~~~\n" },
		{ "log { sandbox off; }\n", "t:1:7: unknown directive "
		    "\"sandbox\"; it belongs into the main file, outside of "
		    "all blocks\nlog { sandbox off; }\n      ^~~~~~~\n" },
		{ "log { levle info; }\n", "t:1:7: unknown directive "
		    "\"levle\"; did you mean \"level\"?\n"
		    "log { levle info; }\n      ^~~~~\n" },
		{ "xylophone 1;\n", "t:1:1: unknown directive "
		    "\"xylophone\"\nxylophone 1;\n^~~~~~~~~\n" },
		{ "q 1;\n", "t:1:1: unknown directive \"q\"\nq 1;\n^\n" },
	};

	(void)state;
	check_all(rows, G_N_ELEMENTS(rows));
}

static void
what_is_given_twice_names_the_first(void **state)
{
	static const struct mistake rows[] = {
		{ "user x;\nuser y;\n", "t:2:1: user is given twice; the "
		    "first is at t:1\nuser y;\n^~~~\n" },
		{ "log { }\nlog { }\n", "t:2:1: log is given twice; the "
		    "first is at t:1\nlog { }\n^~~\n" },
		{ "journal b { maildir /b; }\njournal b { maildir /c; }\n",
		    "t:2:9: there is already a journal \"b\"\n"
		    "journal b { maildir /c; }\n        ^\n" },
		{ "relay r { url smtp://[::1]; }\n"
		    "relay r { url smtp://[::1]; }\n",
		    "t:2:7: there is already a relay \"r\"\n"
		    "relay r { url smtp://[::1]; }\n      ^\n" },
		{ "journal b { maildir /b;\nrename X-A X-B;\n"
		    "rename X-A X-C;\n}\n",
		    "t:3:8: this header is given twice for rename\n"
		    "rename X-A X-C;\n       ^~~\n" },
		{ "journal b { maildir /x; }\njournal c { maildir /x; }\n",
		    "t:2:21: journal \"b\" has this Maildir already\n"
		    "journal c { maildir /x; }\n"
		    "                    ^~\n" },
	};

	(void)state;
	check_all(rows, G_N_ELEMENTS(rows));
}

static void
a_directive_has_one_value_and_a_block_has_braces(void **state)
{
	static const struct mistake rows[] = {
		{ "user;\n", "t:1:1: user needs a value\nuser;\n^~~~\n" },
		{ "user a b;\n", "t:1:8: user takes one value; put quotes "
		    "around a value with blanks\nuser a b;\n       ^\n" },
		{ "user { }\n", "t:1:1: user takes a value and ';', not a "
		    "block\nuser { }\n^~~~\n" },
		{ "log;\n", "t:1:1: log is a block: log { … }\nlog;\n^~~\n" },
		{ "log x { }\n", "t:1:5: one word too many before '{'\n"
		    "log x { }\n    ^\n" },
		{ "journal b { maildir /b; header X-A; }\n",
		    "t:1:25: header needs NAME VALUE\n"
		    "journal b { maildir /b; header X-A; }\n"
		    "                        ^~~~~~\n" },
		{ "journal b { maildir /b; header X-A b c; }\n",
		    "t:1:38: header takes NAME VALUE; put quotes around a "
		    "value with blanks\n"
		    "journal b { maildir /b; header X-A b c; }\n"
		    "                                     ^\n" },
		{ "journal b { maildir /b; header X-A\nv; }\n",
		    "t:1:25: header needs NAME VALUE\n"
		    "journal b { maildir /b; header X-A\n"
		    "                        ^~~~~~\n"
		    "t:1:35: ';' is missing after \"X-A\"\n"
		    "journal b { maildir /b; header X-A\n"
		    "                                  ^\n"
		    "t:2:1: unknown directive \"v\"\nv; }\n^\n" },
		{ "relay { }\n", "t:1:1: relay is a block: relay NAME { … }\n"
		    "relay { }\n^~~~~\n" },
		{ "relay \"a b\" { }\n", "t:1:7: \"a b\" is not a name: only "
		    "letters, digits, '.', '_' and '-'\n"
		    "relay \"a b\" { }\n      ^~~~~\n" },
		{ "user \"\";\n", "t:1:6: \"\" is empty\n"
		    "user \"\";\n     ^~\n" },
	};

	(void)state;
	check_all(rows, G_N_ELEMENTS(rows));
}

static void
what_is_required_and_missing_is_named(void **state)
{
	static const struct mistake rows[] = {
		{ "", "t:1:1: app_secret_file is missing in intake { }\n\n^\n"
		    "t:1:1: catch_all is missing\n\n^\n"
		    "t:1:1: domain is missing in render { }\n\n^\n"
		    "t:1:1: no journal is declared; add journal NAME { … }\n"
		    "\n^\n"
		    "t:1:1: verify_token_file is missing in intake { }\n"
		    "\n^\n", true },
		{ "relay r { }\n", "t:1:1: url is missing in relay { }\n"
		    "relay r { }\n^~~~~\n" },
		{ "journal b { }\n", "t:1:1: the journal has neither relay "
		    "nor maildir\njournal b { }\n^~~~~~~\n" },
		{ "relay r { url smtp://[::1]; }\n"
		    "journal b { relay r; maildir /b; }\n",
		    "t:2:30: a journal has either relay or maildir, not "
		    "both\njournal b { relay r; maildir /b; }\n"
		    "                             ^~\n" },
		{ "relay r { url smtp://[::1]; }\n"
		    "journal b { relay r; to a@b; }\n",
		    "t:2:1: from is missing in journal { }; relay needs it\n"
		    "journal b { relay r; to a@b; }\n^~~~~~~\n" },
	};

	(void)state;
	check_all(rows, G_N_ELEMENTS(rows));
}

static void
references_must_lead_somewhere(void **state)
{
	static const struct mistake rows[] = {
		{ "relay main { url smtp://[::1]; }\n"
		    "journal b { relay mian; to a@b; from a@b; }\n",
		    "t:2:19: there is no relay \"mian\"; did you mean "
		    "\"main\"?\n"
		    "journal b { relay mian; to a@b; from a@b; }\n"
		    "                  ^~~~\n" },
		{ "catch_all archiv;\njournal archive { maildir /m; }\n"
		    "intake { app_secret_file /s; verify_token_file /t; }\n"
		    "render { domain d; }\n",
		    "t:1:11: there is no journal \"archiv\"; did you mean "
		    "\"archive\"?\ncatch_all archiv;\n          ^~~~~~\n",
		    true },
	};

	(void)state;
	check_all(rows, G_N_ELEMENTS(rows));
}

/* One value per row; the message begins with it. */
static void
values_of_the_wrong_type_or_out_of_range_are_refused(void **state)
{
	static const struct {
		const char *block, *name, *value, *why;
	} rows[] = {
		{ "turn", "idle", "20", "needs a unit: ms, s, m, h or d" },
		{ "turn", "idle", "2y", "is not a duration: a number and ms, "
		    "s, m, h or d" },
		{ "turn", "idle", "s", "is not a duration: a number and ms, "
		    "s, m, h or d" },
		{ "turn", "idle", "-1s", "is not a duration: a number and "
		    "ms, s, m, h or d" },
		{ "turn", "idle", "2d", "is out of range: 0 to 1d" },
		{ "turn", "idle", "99999999999999999999d",
		    "is out of range: 0 to 1d" },
		{ "turn", "span", "0", "is out of range: 1s to 1d" },
		{ "turn", "items", "1001", "is out of range: 1 to 1000" },
		{ "turn", "items", "0", "is out of range: 1 to 1000" },
		{ "turn", "items", "5x", "is not a number" },
		{ "turn", "items", "x", "is not a number" },
		{ "turn", "bytes", "1T", "is not a size: a number, and k, M "
		    "or G" },
		{ "turn", "bytes", "1G", "is out of range: 1k to 64M" },
		{ "turn", "receipts", "fail", "is not one of none, failed, "
		    "all; did you mean \"failed\"?" },
		{ "log", "facility", "local8", "is not one of mail, daemon, "
		    "auth, authpriv, cron, ftp, lpr, news, syslog, user, "
		    "uucp, local0, local1, local2, local3, local4, local5, "
		    "local6, local7; did you mean \"local0\"?" },
		{ "render", "attach_event", "yes", "is neither on nor off" },
		{ "render", "address_domain", "a..b", "is not a domain name: "
		    "labels of letters, digits and '-', separated by dots" },
		{ "render", "address_domain", "-a.b", "is not a domain name: "
		    "labels of letters, digits and '-', separated by dots" },
		{ "intake", "listen", "localhost:80", "is not ADDRESS:PORT "
		    "with an IP address, such as 127.0.0.1:8080 or "
		    "[::1]:8080" },
		{ "intake", "listen", "127.0.0.1", "lacks a port; write "
		    "ADDRESS:PORT" },
		{ "intake", "listen", "127.0.0.1:0", "has no port number "
		    "from 1 to 65535 after the ':'" },
		{ "intake", "listen", "127.0.0.1:65536", "has no port number "
		    "from 1 to 65535 after the ':'" },
		{ "intake", "listen", "::1:80", "is ambiguous: write IPv6 "
		    "addresses as [ADDRESS]:PORT" },
		{ "intake", "listen", "[::1", "lacks a ']'" },
		{ "intake", "listen", "[1.2.3.4]:8", "has something else "
		    "than an IPv6 address in [ ]" },
		{ "intake", "path", "webhook", "must begin with '/'" },
		{ "intake", "path", "/a?b", "is not a plain URL path" },
		{ "graph", "url", "http://x", "is not https://HOST[:PORT]" },
		{ "graph", "url", "https://x/v1", "has more than host and "
		    "port" },
		{ "graph", "url", "https://", "has no host name or IP "
		    "address after the //" },
		{ "graph", "version", "25.0", "is not a version such as "
		    "v25.0" },
		{ "graph", "version", "v25", "is not a version such as "
		    "v25.0" },
		{ "graph", "media_host", ".com", "is too wide; name a domain "
		    "of its owner" },
		{ "graph", "media_host", "a/b", "is not a host, or a domain "
		    "with a leading dot for all hosts below it" },
		{ "graph", "proxy", "socks5://p:1080", "is not "
		    "http://HOST:PORT or https://HOST:PORT" },
		{ "graph", "proxy", "http://p", "lacks a port; write "
		    "http://HOST:PORT or https://HOST:PORT" },
		{ "graph", "proxy", "http://u:w@p:3128", "has a user in it; "
		    "use the directives proxy_user and proxy_password_file" },
		{ "graph", "proxy", "http://p:3128/", "has more than host "
		    "and port" },
		{ "graph", "proxy", "http://:3128", "has no host name or IP "
		    "address after the //" },
		{ "media", "clamd", "clamd.sock", "is neither the path of a "
		    "socket nor ADDRESS:PORT with an IP address or "
		    "localhost" },
		{ "media", "clamd", "localhost:0", "is neither the path of a "
		    "socket nor ADDRESS:PORT with an IP address or "
		    "localhost" },
		{ "media", "max_size", "3G", "is out of range: 64k to 2G" },
		{ "media", "infected", "tagg", "is not one of tag, "
		    "quarantine; did you mean \"tag\"?" },
		{ "render", "zone", "America/Gotham", "is not a time zone "
		    "that this system knows; see that tzdata is installed" },
		{ "render", "zone", "America/", "is not a time zone such as "
		    "America/Sao_Paulo" },
		{ "render", "zone", "../etc/passwd", "is not a time zone "
		    "such as America/Sao_Paulo" },
		{ "journal b", "language", "English", "is not a language "
		    "such as en, pt or pt-BR" },
		{ "journal b", "language", "pt_BR", "is not a language "
		    "such as en, pt or pt-BR" },
		{ "journal b", "recipients_header", "To:", "is not the name "
		    "of a header: only letters, digits, '-' and '_', no "
		    "':'" },
		{ "journal b", "recipients_header", "-x", "must begin with a "
		    "letter" },
		{ "relay r", "url", "http://x", "is not smtp://HOST[:PORT] "
		    "or smtps://HOST[:PORT]" },
		{ "relay r", "url", "smtp://u@h", "has a user in it; use the "
		    "directives user and password_file" },
		{ "relay r", "url", "smtp://h/", "has more than host and "
		    "port" },
		{ "relay r", "url", "smtp://h:99999", "has no port number "
		    "from 1 to 65535 after the ':'" },
		{ "relay r", "url", "smtp://", "has no host name or IP "
		    "address after the //" },
		{ "journal b", "to", "ab", "is not a mail address: it needs "
		    "one '@'" },
		{ "journal b", "to", "a@b@c", "is not a mail address: it "
		    "needs one '@'" },
		{ "journal b", "to", "\"a b@c\"", "is not a mail address: "
		    "only ASCII, no blanks" },
		{ "journal b", "to", "<a@c>", "is not a mail address: '<' "
		    "cannot be in it" },
		{ "journal b", "to", "@c", "is not a mail address: too short "
		    "before the '@'" },
		{ "journal b", "to", "a@", "is not a mail address: no domain "
		    "name after the '@'" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf(
		    "%s {\n%s %s;\n}\n" MINIMAL, rows[i].block,
		    rows[i].name, rows[i].value);
		g_autofree char *want = g_strdup_printf(
		    "t:2:%zu: %s%s%s %s\n%s %s;\n", strlen(rows[i].name) + 2,
		    *rows[i].value == '"' ? "" : "\"", rows[i].value,
		    *rows[i].value == '"' ? "" : "\"", rows[i].why,
		    rows[i].name, rows[i].value);
		g_autoptr(GString) got = g_string_new(NULL);

		assert_null(load_text(text, got));
		if (strstr(got->str, want) == NULL)
			fail_msg("want %s\ngot %s", want, got->str);
	}
}

static void
networks_and_stores_are_checked(void **state)
{
	static const struct mistake rows[] = {
		{ "trusted_network 10.1.2.3/16;\n", "t:1:17: \"10.1.2.3/16\" "
		    "has bits beyond its prefix; the network is "
		    "10.1.0.0/16\ntrusted_network 10.1.2.3/16;\n"
		    "                ^~~~~~~~~~~\n" },
		{ "trusted_network 10.1.0.0/33;\n", "t:1:17: \"10.1.0.0/33\" "
		    "is not an IP network such as 10.1.0.0/16 or fd00::/8\n"
		    "trusted_network 10.1.0.0/33;\n"
		    "                ^~~~~~~~~~~\n" },
		{ "store pgsql:x;\n", "t:1:7: \"pgsql:x\" is not "
		    "sqlite:PATH, the one kind of store\n"
		    "store pgsql:x;\n      ^~~~~~~\n" },
	};

	(void)state;
	check_all(rows, G_N_ELEMENTS(rows));
}

static void
clear_text_goes_only_where_it_is_trusted(void **state)
{
	static const struct mistake rows[] = {
		{ "relay r { url smtp://192.0.2.1; tls none; }\n",
		    "t:1:37: clear text to 192.0.2.1, which is in no "
		    "trusted_network\n"
		    "relay r { url smtp://192.0.2.1; tls none; }\n"
		    "                                    ^~~~\n" },
		{ "relay r { url smtp://[::1]; user u; password_file /p; }\n",
		    "t:1:34: the password would travel in clear; add tls "
		    "starttls, or write smtps://\n"
		    "relay r { url smtp://[::1]; user u; password_file /p; }\n"
		    "                                 ^\n" },
		{ "relay r { url smtps://h; tls none; }\n",
		    "t:1:30: smtps:// is TLS from the first byte; remove "
		    "tls, or write smtp://\n"
		    "relay r { url smtps://h; tls none; }\n"
		    "                             ^~~~\n"
		    "t:1:30: warning: without a trusted_network, clear text "
		    "is sent only when h turns out to be this host\n"
		    "relay r { url smtps://h; tls none; }\n"
		    "                             ^~~~\n" },
		{ "relay r { url smtp://h; tls implicit; }\n",
		    "t:1:29: for TLS from the first byte the url must be "
		    "smtps://\n"
		    "relay r { url smtp://h; tls implicit; }\n"
		    "                            ^~~~~~~~\n" },
	};

	(void)state;
	check_all(rows, G_N_ELEMENTS(rows));
}

static void
directives_that_need_each_other_are_checked(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "relay r { url smtps://h;\nuser u; }\n",
		    "t:2:6: user needs password_file as well\n" },
		{ "relay r { url smtps://h;\npassword_file /p; }\n",
		    "t:2:15: password_file needs user as well\n" },
		{ "relay r { url smtps://h;\nretry_min 1h; }\n",
		    "t:2:11: retry_min is longer than retry_max\n" },
		{ "media {\nretry_max 1s; }\n",
		    "t:2:11: retry_min is longer than retry_max\n" },
		{ "media {\nclamd 192.0.2.1:3310; }\n",
		    "t:2:7: files would go in clear text to 192.0.2.1, which "
		    "is in no trusted_network\n" },
		{ "journal b { maildir /b;\nmax_size 1k; }\n",
		    "t:2:10: max_size is 0 for no limit, or at least 256k\n" },
		{ "journal b { maildir /b;\nheader X-A: b; }\n",
		    "t:2:8: \"X-A:\" is not the name of a header: only "
		    "letters, digits, '-' and '_', no ':'\n" },
		{ "journal b { maildir /b;\nrename X-A \"b c\"; }\n",
		    "t:2:12: \"b c\" is not the name of a header: only "
		    "letters, digits, '-' and '_', no ':'\n" },
		{ "journal b { maildir /b;\nheadr X-A b; }\n",
		    "t:2:1: unknown directive \"headr\"; did you mean "
		    "\"header\"?\n" },
		{ "graph { url https://g; }\n",
		    "t:1:1: token_file is missing in graph { }\n" },
		{ "graph {\nproxy_user u; proxy_password_file /p; }\n",
		    "t:2:12: proxy_user needs proxy as well\n" },
		{ "graph { proxy http://p:1;\nproxy_user u; }\n",
		    "t:2:12: proxy_user needs proxy_password_file as well\n" },
		{ "graph { proxy http://p:1;\nproxy_password_file /p; }\n",
		    "t:2:21: proxy_password_file needs proxy_user as well\n" },
		{ "graph {\nproxy_tls_ca /p; }\n",
		    "t:2:14: proxy_tls_ca needs proxy as well\n" },
		{ "graph { proxy http://p:1;\nproxy_tls_ca /p; }\n",
		    "t:2:14: there is no TLS with a proxy at http://; write "
		    "https:// or remove proxy_tls_ca\n" },
		{ "intake {\ntls_certificate /c; }\n",
		    "t:2:17: tls_certificate needs tls_key as well\n" },
		{ "intake {\ntls_key /c; }\n",
		    "t:2:9: tls_key needs tls_certificate as well\n" },
		{ "intake {\ntls_client_ca /c; }\n",
		    "t:2:15: tls_client_ca needs tls_certificate as well\n" },
		{ "intake {\ntls_client_name c; }\n",
		    "t:2:17: tls_client_name needs tls_client_ca as well\n" },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strconcat(rows[i].text, MINIMAL,
		    NULL);
		g_autoptr(GString) got = g_string_new(NULL);

		assert_null(load_text(text, got));
		if (strstr(got->str, rows[i].want) == NULL)
			fail_msg("want %s\ngot %s", rows[i].want, got->str);
	}
}

static void
a_password_in_clear_text_to_a_proxy_is_a_warning_only(void **state)
{
	static const struct {
		const char *proxy;
		bool warned;
	} rows[] = { { "http://proxy.bank.example:3128", true },
		{ "http://192.0.2.1:3128", true },
		{ "http://10.0.0.1:3128", false },	/* trusted */
		{ "http://[::1]:3128", false },
		{ "https://192.0.2.1:3128", false } };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf(
		    "trusted_network 10.0.0.0/8; catch_all a; "
		    "intake { app_secret_file /s; verify_token_file /t; } "
		    "render { domain d; } journal a { maildir /m; } "
		    "graph { token_file /g; proxy %s;\nproxy_user u; "
		    "proxy_password_file /p; }\n", rows[i].proxy);
		g_autoptr(GString) got = g_string_new(NULL);
		struct conf *c = load_text(text, got);

		assert_non_null(c);
		assert_int_equal(g_str_has_prefix(got->str, "t:2:12: warning: "
		    "the password goes to the proxy in clear text; write "
		    "https:// if it speaks TLS\n"), rows[i].warned);
		conf_free(c);
	}
}

static unsigned
count_lines_with(const char *text, const char *needle)
{
	unsigned n = 0;

	for (; (text = strstr(text, needle)) != NULL; text++)
		n++;
	return n;
}

static void
all_errors_are_reported_in_one_run_in_the_order_of_the_file(void **state)
{
	static const char text[] =
		"tenent x;\nuser x\nlog { level 3; }\npoison_deaths 0;\n"
		"relay r { url x; sessions 0; }\n" MINIMAL;
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = NULL;
	struct err err = ERR_INIT;
	const char *at;

	(void)state;
	assert_false(conf_load_text("t", text, strlen(text), &c, got, &err));
	assert_string_equal(err.what, "conf.invalid");
	assert_string_equal(err.text, "6 errors in the configuration, the "
	    "first: t:1:1: unknown directive \"tenent\"; did you mean "
	    "\"tenant\"?");
	at = got->str;
	for (const char *const *want = (const char *const[]){ "t:1:1: ",
	    "t:2:7: ", "t:3:13: ", "t:4:15: ", "t:5:15: ", "t:5:27: ", NULL };
	    *want != NULL; want++) {
		at = strstr(at, *want);
		assert_non_null(at);
	}
}

static void
a_flood_of_errors_is_counted_but_not_printed(void **state)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = NULL;
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < 1000; i++)
		g_string_append(text, "bogus_thing 1;\n");
	g_string_append(text, MINIMAL);
	assert_false(conf_load_text("t", text->str, text->len, &c, got,
	    &err));
	assert_int_equal(count_lines_with(got->str, ": unknown "), 100);
	assert_true(g_str_has_suffix(got->str, "\nand 900 more\n"));
	assert_true(g_str_has_prefix(err.text, "1000 errors "));
}

static void
nothing_a_terminal_acts_on_gets_into_messages(void **state)
{
	static const char text[] = "bog\x1b[31mus \x07\xff\x80 x;\n" MINIMAL;
	g_autoptr(GString) got = g_string_new(NULL);

	(void)state;
	assert_null(load_text(text, got));
	for (const char *p = got->str; *p != '\0'; p++)
		assert_true((unsigned char)*p >= ' ' || *p == '\n');
	assert_true(g_utf8_validate(got->str, -1, NULL));
}

static void
includes_and_directories_are_refused_for_text_in_memory(void **state)
{
	static const struct mistake rows[] = {
		{ "include /etc/passwd;\n", "t:1:9: /etc/passwd cannot be "
		    "read here: only the text given counts\n"
		    "include /etc/passwd;\n        ^~~~~~~~~~~\n" },
		{ "include /etc/*;\n", "t:1:9: /etc/* cannot be listed here: "
		    "only the text given counts\n"
		    "include /etc/*;\n        ^~~~~~\n" },
		{ "directory /etc/passwd;\n", "t:1:11: /etc/passwd cannot be "
		    "read here: only the text given counts\n"
		    "directory /etc/passwd;\n          ^~~~~~~~~~~\n" },
		{ "include;\n", "t:1:1: include takes one value: a file or a "
		    "pattern\ninclude;\n^~~~~~~\n" },
	};

	(void)state;
	check_all(rows, G_N_ELEMENTS(rows));
}

static void
what_is_declared_and_not_used_is_a_warning_only(void **state)
{
	g_autoptr(GString) got = g_string_new(NULL);
	struct conf *c = load_text("relay r { url smtps://h; }\n"
	    "journal b { maildir /b; }\nturn { span 5s; }\n" MINIMAL, got);

	(void)state;
	assert_non_null(c);
	assert_string_equal(got->str,
	    "t:1:7: warning: no journal uses this relay\n"
	    "relay r { url smtps://h; }\n      ^\n"
	    "t:2:9: warning: nothing goes to this journal: it is neither "
	    "catch_all nor named in the directory or in a rule\n"
	    "journal b { maildir /b; }\n        ^\n"
	    "t:3:13: warning: span is shorter than idle: it ends turns "
	    "first\nturn { span 5s; }\n            ^~\n");
	conf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_of_grammar_are_shown_where_they_are),
		cmocka_unit_test(a_quote_inside_a_word_is_an_error),
		cmocka_unit_test(columns_count_characters_and_the_caret_keeps_tabs),
		cmocka_unit_test(unknown_directives_come_with_a_guess_or_their_home),
		cmocka_unit_test(what_is_given_twice_names_the_first),
		cmocka_unit_test(a_directive_has_one_value_and_a_block_has_braces),
		cmocka_unit_test(what_is_required_and_missing_is_named),
		cmocka_unit_test(references_must_lead_somewhere),
		cmocka_unit_test(values_of_the_wrong_type_or_out_of_range_are_refused),
		cmocka_unit_test(networks_and_stores_are_checked),
		cmocka_unit_test(clear_text_goes_only_where_it_is_trusted),
		cmocka_unit_test(directives_that_need_each_other_are_checked),
		cmocka_unit_test(a_password_in_clear_text_to_a_proxy_is_a_warning_only),
		cmocka_unit_test(all_errors_are_reported_in_one_run_in_the_order_of_the_file),
		cmocka_unit_test(a_flood_of_errors_is_counted_but_not_printed),
		cmocka_unit_test(nothing_a_terminal_acts_on_gets_into_messages),
		cmocka_unit_test(includes_and_directories_are_refused_for_text_in_memory),
		cmocka_unit_test(what_is_declared_and_not_used_is_a_warning_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
