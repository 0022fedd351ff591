/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's pure part: what replies mean, when to try again, and which
 * transport a relay gets. Never talks to the network itself.
 */
#include "deliver.h"

#include <signal.h>
#include <string.h>

#include "deliver_int.h"
#include "err.h"

/* RFC 1035 section 2.3.4; an address literal is shorter. */
#define NAME_MAX_LEN 255

void
deliver_init(void)
{
	/* Neither library uses MSG_NOSIGNAL everywhere. */
	signal(SIGPIPE, SIG_IGN);
	deliver_curl_init();
}

/* Both go into a command line or an URL as they are. */
static bool
is_host(const char *s)
{
	static const char more[] = ".-_:[]%";
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++) {
		if (!g_ascii_isalnum(s[i]) && strchr(more, s[i]) == NULL)
			return false;
	}
	return len > 0 && len <= NAME_MAX_LEN;
}

bool
deliver_smtp_session(const struct deliver_relay *relay,
    const struct deliver_feed *feed, struct err *err)
{
	if (!is_host(relay->host) || relay->port < 1 || relay->port > 65535)
		return err_set(err, ERR_CONF, "smtp.relay",
		    "relay %s has no usable host and port", relay->name);
	if (relay->helo != NULL && !is_host(relay->helo))
		return err_set(err, ERR_CONF, "smtp.relay",
		    "relay %s: helo must be a host name", relay->name);
	if (relay->tls == DELIVER_TLS_NONE && relay->user == NULL)
		return deliver_esmtp_session(relay, feed, err);
	return deliver_curl_session(relay, feed, err);
}

static bool
is_policy_code(const char *text)
{
	return text != NULL && g_str_has_prefix(text, "5.7.");
}

static bool
is_relay_fault(enum deliver_stage stage, int code, const char *text)
{
	switch (code) {
	case 421:
	case 530:
	case 534:
	case 535:
	case 538:
		return true;
	default:
		if (stage == DELIVER_AT_CONNECT)
			return code >= 400 && code <= 599;
		/* Every mail of a journal has the same sender and recipient: a
		   denial of these says nothing about this one mail. Postfix
		   gives even client denials at RCPT (smtpd_delay_reject). */
		return (stage == DELIVER_AT_MAIL || stage == DELIVER_AT_RCPT) &&
		    code >= 500 && code <= 599 && is_policy_code(text);
	}
}

enum deliver_result
deliver_classify(enum deliver_stage stage, int code, const char *text)
{
	if (is_relay_fault(stage, code, text))
		return DELIVER_RELAY;
	if (code >= 400 && code <= 499)
		return DELIVER_DEFERRED;
	if (code >= 500 && code <= 599)
		return DELIVER_REJECTED;
	if (stage != DELIVER_AT_DATA)
		return DELIVER_UNTRIED;
	return code >= 200 && code <= 299 ? DELIVER_ACCEPTED : DELIVER_UNSURE;
}

static bool
is_auth_code(int code)
{
	return code == 530 || code == 534 || code == 535 || code == 538;
}

enum deliver_result
deliver_judge(const struct deliver_relay *relay, enum deliver_stage stage,
    int code, const char *text)
{
	enum deliver_result result = deliver_classify(stage, code, text);

	if (result == DELIVER_RELAY && relay->shared && code >= 500 &&
	    stage != DELIVER_AT_CONNECT && !is_auth_code(code))
		return DELIVER_DEFERRED;
	return result;
}

const char *
deliver_result_name(enum deliver_result r)
{
	switch (r) {
	case DELIVER_ACCEPTED:
		return "accepted";
	case DELIVER_DEFERRED:
		return "deferred";
	case DELIVER_UNSURE:
		return "unsure";
	case DELIVER_UNTRIED:
		return "untried";
	case DELIVER_REJECTED:
		return "rejected";
	case DELIVER_RELAY:
		return "relay";
	}
	return "unsure";
}

/* splitmix64: neighbouring seeds must not give neighbouring waits. */
static uint64_t
mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

int64_t
deliver_next_ms(const struct deliver_schedule *s, int attempts,
    uint64_t seed, int64_t now_ms)
{
	int64_t wait = s->min_ms;
	int64_t quarter;

	for (int i = 1; i < attempts && wait < s->max_ms; i++)
		wait = wait > s->max_ms / 2 ? s->max_ms : wait * 2;
	if (wait > s->max_ms)
		wait = s->max_ms;
	quarter = wait / 4;
	wait -= quarter;
	wait += (int64_t)(mix(seed ^ (uint64_t)(unsigned)attempts << 48) %
	    (uint64_t)(2 * quarter + 1));
	return now_ms + wait;
}
