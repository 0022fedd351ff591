/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transport for TLS and AUTH: libcurl, one easy handle and, as long as
 * the relay keeps it, one connection for many mails. Never falls back to
 * clear text, never follows a proxy from the environment, never trusts the
 * system's authorities when the configuration names its own.
 *
 * libcurl gives one code for a whole transfer; which command it belongs to
 * is followed through its debug callback. What that shows of AUTH is not
 * kept.
 */
#include "deliver_int.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"

#define REPLY_MAX_LEN 1024

struct call {
	const struct deliver_relay *relay;
	const struct deliver_feed *feed;
	CURL *easy;
	char *url;
	int mails;		/* on this handle */
	char errbuf[CURL_ERROR_SIZE];
	struct err clear;	/* set when an address was refused */

	/* the mail in hand */
	const struct deliver_mail *mail;
	struct deliver_way way;
	size_t at;
	bool started, ended;
	bool begun;		/* MAIL was sent */
	bool quitting;		/* the reply to QUIT says nothing */
	enum deliver_stage stage;
	int code;		/* of the last whole reply at this stage */
	GString *reply;		/* its last line */
};

void
deliver_curl_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t
give_text(char *to, size_t size, size_t n, void *arg)
{
	struct call *c = arg;
	size_t len = MIN(size * n, c->mail->len - c->at);

	c->started = true;
	memcpy(to, (const char *)c->mail->bytes + c->at, len);
	c->at += len;
	deliver_way_pass(&c->way, c->at);
	c->ended = c->at == c->mail->len;
	return len;
}

static bool
starts(const char *line, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len >= n && strncasecmp(line, word, n) == 0;
}

static void
follow_command(struct call *c, const char *line, size_t len)
{
	if (starts(line, len, "MAIL FROM")) {
		c->stage = DELIVER_AT_MAIL;
		c->begun = true;
	} else if (starts(line, len, "RCPT TO")) {
		c->stage = DELIVER_AT_RCPT;
	} else if (starts(line, len, "DATA\r\n")) {
		c->stage = DELIVER_AT_DATA;
	} else if (starts(line, len, "QUIT\r\n")) {
		c->quitting = true;
		return;
	}
	c->code = 0;
}

static void
follow_reply(struct call *c, const char *line, size_t len)
{
	if (c->quitting || len < 4 || !g_ascii_isdigit(line[0]) ||
	    !g_ascii_isdigit(line[1]) || !g_ascii_isdigit(line[2]) ||
	    line[3] == '-')
		return;
	c->code = (line[0] - '0') * 100 + (line[1] - '0') * 10 +
	    (line[2] - '0');
	g_string_truncate(c->reply, 0);
	g_string_append_len(c->reply, line,
	    (gssize)MIN(len, REPLY_MAX_LEN));
	g_strchomp(c->reply->str);
	c->reply->len = strlen(c->reply->str);
}

static int
on_debug(CURL *easy, curl_infotype type, char *data, size_t len, void *arg)
{
	(void)easy;
	if (type == CURLINFO_HEADER_OUT)
		follow_command(arg, data, len);
	else if (type == CURLINFO_HEADER_IN)
		follow_reply(arg, data, len);
	return 0;
}

/* Without TLS the password stays on this host or a trusted network. */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct call *c = arg;

	(void)purpose;
	if (c->relay->tls == DELIVER_TLS_NONE &&
	    !deliver_net_trusts(&a->addr, c->relay->trusted)) {
		deliver_net_refuse(c->relay, &a->addr, &c->clear);
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static void
set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
	    (long)(CURLPROTO_SMTP | CURLPROTO_SMTPS));
#endif
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	/* Or $ALL_PROXY would decide where mail goes. */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
}

static void
set_tls(CURL *easy, const struct deliver_relay *relay)
{
	curl_easy_setopt(easy, CURLOPT_USE_SSL, relay->tls == DELIVER_TLS_NONE ?
	    (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (relay->tls_ca_file == NULL)
		return;
	curl_easy_setopt(easy, CURLOPT_CAINFO, relay->tls_ca_file);
	/* The built-in directory would be trusted besides. */
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

static void
set_times(CURL *easy, const struct deliver_relay *relay)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)relay->connect_ms);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)relay->total_ms);
	curl_easy_setopt(easy, CURLOPT_FTP_RESPONSE_TIMEOUT,
	    (long)((relay->command_ms + 999) / 1000));
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
}

/* libcurl keeps copies of its own. */
static void
set_login(CURL *easy, const struct deliver_relay *relay)
{
	gsize len = 0;
	const char *bytes = relay->password == NULL ? NULL :
	    g_bytes_get_data((GBytes *)(uintptr_t)relay->password, &len);
	char *password;

	if (relay->user == NULL)
		return;
	password = g_strndup(bytes != NULL ? bytes : "", len);
	curl_easy_setopt(easy, CURLOPT_USERNAME, relay->user);
	curl_easy_setopt(easy, CURLOPT_PASSWORD, password);
	explicit_bzero(password, len);
	g_free(password);
}

static bool
open_handle(struct call *c)
{
	c->easy = curl_easy_init();
	c->mails = 0;
	if (c->easy == NULL)
		return false;
	curl_easy_setopt(c->easy, CURLOPT_URL, c->url);
	set_protocols(c->easy);
	set_tls(c->easy, c->relay);
	set_times(c->easy, c->relay);
	set_login(c->easy, c->relay);
	curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->errbuf);
	curl_easy_setopt(c->easy, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(c->easy, CURLOPT_DEBUGFUNCTION, on_debug);
	curl_easy_setopt(c->easy, CURLOPT_DEBUGDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(c->easy, CURLOPT_OPENSOCKETDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_READFUNCTION, give_text);
	curl_easy_setopt(c->easy, CURLOPT_READDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c->easy, CURLOPT_UPLOAD_BUFFERSIZE, 65536L);
	return true;
}

/* Says QUIT, when there is still somebody to say it to. */
static void
close_handle(struct call *c)
{
	if (c->easy != NULL)
		curl_easy_cleanup(c->easy);
	c->easy = NULL;
}

static char *
make_url(const struct deliver_relay *relay)
{
	char name[256] = "localhost";
	bool colon = strchr(relay->host, ':') != NULL;

	if (relay->helo == NULL)
		gethostname(name, sizeof(name) - 1);
	return g_strdup_printf("%s://%s%s%s:%d/%s",
	    relay->tls == DELIVER_TLS_IMPLICIT ? "smtps" : "smtp",
	    colon ? "[" : "", relay->host, colon ? "]" : "", relay->port,
	    relay->helo != NULL ? relay->helo : name);
}

static void
begin_mail(struct call *c)
{
	c->at = 0;
	deliver_way_start(&c->way, c->mail);
	c->started = c->ended = c->begun = c->quitting = false;
	c->stage = DELIVER_AT_CONNECT;
	c->code = 0;
	c->errbuf[0] = '\0';
	c->clear.kind = ERR_NONE;
	g_string_truncate(c->reply, 0);
}

static CURLcode
transfer(struct call *c)
{
	struct curl_slist *to = NULL;
	CURLcode res;

	begin_mail(c);
	to = curl_slist_append(NULL, c->mail->envelope_to);
	curl_easy_setopt(c->easy, CURLOPT_MAIL_FROM, c->mail->envelope_from);
	curl_easy_setopt(c->easy, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(c->easy, CURLOPT_INFILESIZE_LARGE,
	    (curl_off_t)c->mail->len);
	res = curl_easy_perform(c->easy);
	curl_easy_setopt(c->easy, CURLOPT_MAIL_RCPT, NULL);
	curl_slist_free_all(to);
	c->mails++;
	return res;
}

/* The connection had died of idleness: nobody's fault. */
static bool
was_stale(struct call *c, CURLcode res)
{
	long connects = 0;

	curl_easy_getinfo(c->easy, CURLINFO_NUM_CONNECTS, &connects);
	return res != CURLE_OK && connects == 0 && !c->started &&
	    (c->code == 421 || c->code == 0) &&
	    res != CURLE_OPERATION_TIMEDOUT;
}

static bool
is_connected(const struct call *c)
{
	curl_off_t us = 0;

	curl_easy_getinfo(c->easy, CURLINFO_CONNECT_TIME_T, &us);
	return us > 0 || c->begun;
}

static const char *
failure_name(const struct call *c, CURLcode res)
{
	if (c->clear.kind != ERR_NONE)
		return "smtp.clear";
	switch ((int)res) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return "smtp.resolve";
	case CURLE_COULDNT_CONNECT:
		return "smtp.connect";
	case CURLE_USE_SSL_FAILED:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
		return "smtp.tls";
	case CURLE_LOGIN_DENIED:
		return "smtp.auth";
	case CURLE_OPERATION_TIMEDOUT:
		return is_connected(c) ? "smtp.deadline" : "smtp.connect";
	default:
		if (c->code >= 400)
			return "smtp.refused";
		return res == CURLE_WEIRD_SERVER_REPLY ? "smtp.protocol" :
		    "smtp.lost";
	}
}

static bool
fail(const struct call *c, CURLcode res, struct err *err)
{
	if (c->clear.kind != ERR_NONE) {
		*err = c->clear;
		return false;
	}
	return err_set(err, ERR_TEMP, failure_name(c, res),
	    "relay %s (%s port %d): %s%s%s", c->relay->name, c->relay->host,
	    c->relay->port, c->errbuf[0] != '\0' ? c->errbuf :
	    curl_easy_strerror(res), c->reply->len > 0 ? "; last reply: " : "",
	    c->reply->str);
}

/* What a failure means for the mail when no reply has decided. */
static enum deliver_result
fate(const struct call *c, const struct err *err)
{
	if (c->started)
		return DELIVER_UNSURE;
	if (strcmp(err->what, "smtp.lost") != 0 &&
	    strcmp(err->what, "smtp.deadline") != 0)
		return DELIVER_RELAY;
	return c->begun ? DELIVER_DEFERRED : DELIVER_UNTRIED;
}

static void
report(struct call *c, enum deliver_result result, const char *text)
{
	const struct deliver_mail *mail = c->mail;
	struct deliver_report r;

	c->mail = NULL;
	deliver_report_set(&r, result, c->code, text);
	c->feed->done(c->feed->arg, mail, &r);
}

static const char *
after_code(const char *reply)
{
	return strlen(reply) > 4 ? reply + 4 : "";
}

/* 4xx or 5xx to MAIL, RCPT, DATA or the final dot. */
static bool
judge_refusal(struct call *c, struct err *err)
{
	enum deliver_result result = deliver_judge(c->relay, c->stage,
	    c->code, after_code(c->reply->str));
	bool relay = result == DELIVER_RELAY;

	report(c, result, c->reply->str);
	/* Servers answer ever slower where they had to deny something. */
	if (result == DELIVER_DEFERRED && c->code >= 500)
		close_handle(c);
	if (!relay)
		return true;
	return err_set(err, ERR_TEMP, c->code == 421 || c->code < 530 ||
	    c->code > 538 ? "smtp.refused" : "smtp.auth",
	    "relay %s: it answered %s", c->relay->name, c->reply->str);
}

/* False when the session is over. */
static bool
judge(struct call *c, CURLcode res, struct err *err)
{
	if (res == CURLE_OK && c->ended && c->stage == DELIVER_AT_DATA &&
	    c->code >= 200 && c->code <= 299) {
		report(c, DELIVER_ACCEPTED, c->reply->str);
		return true;
	}
	if (c->stage != DELIVER_AT_CONNECT && c->code >= 400)
		return judge_refusal(c, err);
	if (res == CURLE_OK)
		res = CURLE_WEIRD_SERVER_REPLY;
	fail(c, res, err);
	if (c->code < 400)
		c->code = 0;
	report(c, fate(c, err), err->text);
	return false;
}

static bool
send_one(struct call *c, struct err *err)
{
	CURLcode res;

	if (c->easy != NULL && c->relay->session_mails > 0 &&
	    c->mails >= c->relay->session_mails)
		close_handle(c);
	if (c->easy == NULL && !open_handle(c)) {
		begin_mail(c);
		err_set(err, ERR_TEMP, "smtp.connect",
		    "relay %s: libcurl gave no handle", c->relay->name);
		report(c, DELIVER_RELAY, err->text);
		return false;
	}
	res = transfer(c);
	if (was_stale(c, res)) {
		close_handle(c);
		if (open_handle(c))
			res = transfer(c);
	}
	return judge(c, res, err);
}

bool
deliver_curl_session(const struct deliver_relay *relay,
    const struct deliver_feed *feed, struct err *err)
{
	struct call c = { .relay = relay, .feed = feed };
	struct deliver_fit fit;
	struct err why = ERR_INIT;
	bool ok = true;

	c.url = make_url(relay);
	c.reply = g_string_sized_new(128);
	while (ok && (c.mail = deliver_feed_take(feed, relay->linger_ms,
	    DELIVER_HEADER_KEPT, &fit)) != NULL)
		ok = send_one(&c, &why);
	close_handle(&c);
	g_string_free(c.reply, TRUE);
	g_free(c.url);
	if (!ok && err != NULL)
		*err = why;
	return ok;
}
