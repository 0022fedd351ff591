/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handing finished mails to a journal: transports, what counts as accepted,
 * and when to try again. No store: the caller feeds mails and takes results.
 *
 * A transport runs one session in the calling thread: it connects, takes
 * mails from the feed one after another, and reports each as soon as its
 * fate is known, before it takes the next.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct deliver_mail {
	int64_t id;
	const char *message_id;
	const char *envelope_from, *envelope_to;	/* bare; from may be "" */
	const void *bytes;	/* CRLF lines */
	size_t len;
	/*
	 * bytes is the private mapping of a file: a session goes through it
	 * piece by piece and gives back (madvise) what is behind it, so that a
	 * mail of 150 MB does not take as much memory.
	 */
	bool mapped;
	void *ref;		/* the caller's */
};

enum deliver_result {
	DELIVER_ACCEPTED,	/* the strict predicate held; keep the reply */
	DELIVER_DEFERRED,	/* 4xx on this mail, or the connection was lost
				   in its envelope: its turn had come */
	DELIVER_UNSURE,		/* connection lost after data was sent */
	DELIVER_UNTRIED,	/* the session ended before this mail's turn */
	DELIVER_REJECTED,	/* 5xx on this mail, or it is not fit to be
				   sent (bare CR or LF): a person decides */
	DELIVER_RELAY,		/* the relay is at fault (530, 535, 5.7.x
				   at MAIL or RCPT, TLS, refused): pause it,
				   keep the mail */
};

struct deliver_report {
	enum deliver_result result;
	int code;		/* SMTP code, 0 if there was none */
	char reply[512];	/* cleaned, one line; a Maildir gives the path */
};

/* Where a session gets mails and says what became of them. */
struct deliver_feed {
	/*
	 * The next mail, waiting up to wait_ms for one; NULL: none, end the
	 * session. The mail stays valid until it is reported.
	 */
	const struct deliver_mail *(*next)(void *arg, int64_t wait_ms);
	/* Exactly once for each mail that next() gave. */
	void (*done)(void *arg, const struct deliver_mail *mail,
	    const struct deliver_report *report);
	void *arg;
};

enum deliver_tls { DELIVER_TLS_NONE, DELIVER_TLS_STARTTLS,
	DELIVER_TLS_IMPLICIT };

struct deliver_relay {
	const char *name;
	const char *host;	/* name or literal; no brackets */
	int port;
	enum deliver_tls tls;
	const char *tls_ca_file;	/* NULL: the system's */
	const char *user;		/* NULL: no AUTH */
	const GBytes *password;
	const char *helo;		/* NULL: host name */
	const GPtrArray *trusted;	/* char *, "10.0.0.0/8": clear text allowed */
	int64_t connect_ms;		/* one connect */
	int64_t command_ms;		/* one reply */
	int64_t total_ms;		/* per mail: renewed by each next() */
	int64_t linger_ms;		/* keep an idle session this long */
	int session_mails;		/* then reconnect; 0: never */
	/*
	 * It serves several journals: that it denies sender or recipient of
	 * one is no reason to keep the mails of the others waiting.
	 */
	bool shared;
};

/*
 * Call once before threads start: ignores SIGPIPE, sets up the libraries.
 */
void deliver_init(void);

/*
 * Sessions to an SMTP relay, one at a time, until the feed has no mail for
 * linger_ms (then true) or the relay fails (then false). It connects only
 * when it has a mail in hand, and again by itself after session_mails, or
 * when an idle connection turns out to be dead. Mails taken were reported in
 * every case. ERR_TEMP with one of
 *   smtp.resolve, smtp.connect   not reached
 *   smtp.refused                 the relay answered, and wants none of it
 *   smtp.tls, smtp.auth          TLS missing or not verified; login refused
 *   smtp.clear                   clear text would leave this host for a
 *                                network that is not trusted
 *   smtp.lost, smtp.deadline     the connection broke, or took too long
 *   smtp.protocol                replies that make no sense
 * or ERR_CONF smtp.relay when host or helo cannot be used at all.
 * tls NONE without user goes through libesmtp; all else through libcurl.
 * A password goes in clear text only where mail may, by the same rule.
 */
bool deliver_smtp_session(const struct deliver_relay *relay,
    const struct deliver_feed *feed, struct err *err);

/*
 * The same into a Maildir (created if missing): tmp, fsync, rename to new,
 * fsync of new. The bytes are stored exactly as they are, with CRLF: what is
 * in the journal has the hash that was recorded. File names come from the
 * Message-ID and the recipient, so a repeated delivery replaces the same
 * bytes by themselves. A full disk is DELIVER_RELAY.
 */
bool deliver_maildir_session(const char *maildir,
    const struct deliver_feed *feed, struct err *err);

struct deliver_schedule {
	int64_t min_ms, max_ms;		/* first and longest wait */
};
/*
 * When to try again after `attempts` failures: now_ms and a wait of
 * min * 2^(attempts-1) up to max, with a jitter of +-25 % drawn from seed.
 * For ever, never "give up".
 */
int64_t deliver_next_ms(const struct deliver_schedule *s, int attempts,
    uint64_t seed, int64_t now_ms);

/*
 * What an SMTP reply at a stage means; text is what follows the code. The
 * rule: 2xx is accepted only at the end of data; 4xx is deferred; any refusal
 * at connect, 421, 530, 534, 535 and 538 anywhere, and 5.7.x at MAIL or RCPT
 * are the relay's fault; other 5xx is rejected. What is no verdict (2xx before the
 * end of data, 3xx, 0) is unsure at DATA and untried before.
 */
enum deliver_stage { DELIVER_AT_CONNECT, DELIVER_AT_MAIL, DELIVER_AT_RCPT,
	DELIVER_AT_DATA };
enum deliver_result deliver_classify(enum deliver_stage stage, int code,
    const char *text);
/* The same, where a shared relay denies sender or recipient: deferred. */
enum deliver_result deliver_judge(const struct deliver_relay *relay,
    enum deliver_stage stage, int code, const char *text);

const char *deliver_result_name(enum deliver_result r);
