/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transport for clear text on trusted ground: libesmtp. The only user of
 * that library, which is never asked for TLS or AUTH.
 *
 * smtp_start_session() does everything from the connection to QUIT in one
 * call. The next mail is added from inside the event that ends the one
 * before, which keeps the connection; upstream does not promise this, so a
 * test does. What the call returns says nothing about any mail: only the
 * events do, and of those only a 2xx that passes doubt().
 *
 * Whatever goes wrong, the mail in hand is reported, once, by finish().
 */
#include "deliver_int.h"

#include <errno.h>
#include <libesmtp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"

/* libesmtp raises anything shorter. */
#define TIMEOUT_MIN_MS 1000
/*
 * When a write times out, libesmtp 1.1.0 forgets what was in its buffer and
 * goes on with what follows (raw_write in siobuf.c): the mail would arrive
 * with a hole. So a write never times out before the guard has closed the
 * connection.
 */
#define TRANSFER_MARGIN_MS 60000

/* One call of deliver_esmtp_session(): several connections, one by one. */
struct run {
	const struct deliver_relay *relay;
	const struct deliver_feed *feed;
	const struct deliver_mail *carry;	/* for the next connection */
	struct deliver_fit carry_fit;
	bool drained;		/* the feed had nothing more */
	bool no_8bitmime;	/* the relay does not offer it */
};

/* One connection. */
struct line {
	struct run *run;
	int fd;
	struct deliver_guard guard;
	struct deliver_wire wire;
	smtp_session_t smtp;
	GPtrArray *flights;	/* struct flight *, freed with the session */
	struct flight *now;	/* not yet reported */
	bool again;		/* nothing wrong, but on a new connection */
	bool failed;
	bool leave;		/* what follows goes over a new connection */
	struct err err;
};

/* One mail on its way; libesmtp keeps a pointer to it. */
struct flight {
	struct line *line;
	const struct deliver_mail *mail;
	struct deliver_fit fit;
	smtp_message_t message;
	smtp_recipient_t rcpt;
	int64_t acked;		/* bytes, when the data began */
	bool begun;		/* MAIL was sent */
	struct deliver_way way;
	bool started, ended;	/* libesmtp took bytes; and met the end */
};

static void fail_line(struct line *l, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The first failure counts. Nothing more goes over this connection. */
static void
fail_line(struct line *l, const char *what, const char *fmt, ...)
{
	char text[sizeof(l->err.text)];
	va_list ap;

	if (l->failed)
		return;
	l->failed = true;
	va_start(ap, fmt);
	g_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set(&l->err, ERR_TEMP, what, "relay %s: %s", l->run->relay->name,
	    text);
}

static void
cut_line(struct line *l)
{
	shutdown(l->fd, SHUT_RDWR);
}

static void
report(struct line *l, enum deliver_result result, int code, const char *text)
{
	struct flight *f = l->now;
	const struct deliver_mail *mail = f->mail;
	struct deliver_report r;

	l->now = NULL;
	f->mail = NULL;
	deliver_report_set(&r, result, code, text);
	l->run->feed->done(l->run->feed->arg, mail, &r);
}

/*
 * libesmtp's source of text. It parses lines by itself, copies each, and asks
 * for a piece when it is done with the one before. A stray errno at the end
 * would abort the connection, and must, when the mail is no longer ours to
 * send.
 */
static const char *
give_text(void **ctx, int *len, void *arg)
{
	struct flight *f = arg;
	const char *piece;
	size_t size;

	(void)ctx;
	if (len == NULL) {
		f->acked = deliver_net_acked(f->line->fd);
		f->started = f->ended = false;
		return NULL;
	}
	*len = 0;
	if (f->mail == NULL) {
		errno = EIO;
		return NULL;
	}
	if (!f->started)
		deliver_way_start(&f->way, f->mail);
	f->started = true;
	piece = deliver_way_next(&f->way, &size);
	errno = 0;
	*len = (int)size;
	if (piece != NULL)
		return piece;
	/* The final dot asks for one reply. */
	if (!f->ended)
		f->line->wire.asked++;
	f->ended = true;
	return NULL;
}

static void
add_flight(struct line *l, const struct deliver_mail *mail,
    const struct deliver_fit *fit)
{
	struct flight *f = g_new0(struct flight, 1);

	g_ptr_array_add(l->flights, f);
	f->line = l;
	f->mail = mail;
	f->fit = *fit;
	f->message = smtp_add_message(l->smtp);
	smtp_set_reverse_path(f->message, mail->envelope_from);
	f->rcpt = smtp_add_recipient(f->message, mail->envelope_to);
	smtp_size_set_estimate(f->message, (unsigned long)mail->len);
	/* Asked of the first mail, it is demanded of the relay. */
	if (fit->eight_bit && !l->run->no_8bitmime)
		smtp_8bitmime_set_body(f->message, E8bitmime_8BITMIME);
	smtp_set_messagecb(f->message, give_text, f);
	l->now = f;
}

static const struct deliver_mail *
take(struct run *run, struct deliver_fit *fit)
{
	const struct deliver_mail *mail = run->carry;

	*fit = run->carry_fit;
	run->carry = NULL;
	if (mail == NULL)
		mail = deliver_feed_take(run->feed, run->relay->linger_ms,
		    DELIVER_HEADER_ESMTP, fit);
	run->drained = mail == NULL;
	return mail;
}

/* Not when libesmtp has already decided to leave. */
static void
add_next(struct line *l)
{
	const struct deliver_relay *relay = l->run->relay;
	const struct deliver_mail *mail;
	struct deliver_fit fit;

	deliver_guard_set(&l->guard, INT64_MAX);
	if (l->failed || l->leave || (relay->session_mails > 0 &&
	    l->flights->len >= (guint)relay->session_mails)) {
		mail = NULL;
	} else if ((mail = take(l->run, &fit)) != NULL &&
	    l->wire.asked == l->wire.answered && deliver_net_is_stale(l->fd)) {
		l->run->carry = mail;
		l->run->carry_fit = fit;
		cut_line(l);
		mail = NULL;
	}
	if (mail != NULL)
		add_flight(l, mail, &fit);
	deliver_guard_set(&l->guard, clock_mono_ms() +
	    (mail != NULL ? relay->total_ms : relay->command_ms));
}

static char *
reply_text(const smtp_status_t *st)
{
	const char *text = st->text != NULL ? st->text : "";

	if (st->enh_class == 0)
		return g_strdup(text);
	return g_strdup_printf("%d.%d.%d %s", st->enh_class, st->enh_subject,
	    st->enh_detail, text);
}

/*
 * Why a 2xx at the end of data is not to be believed; NULL if it is.
 * libesmtp shows 250 for a mail of which not a byte was sent (its recipient
 * was refused, and the relay accepted an empty mail), or when replies are
 * out of step; and it does not notice a write that failed.
 */
static const char *
doubt(struct line *l, const struct flight *f)
{
	const smtp_status_t *rcpt = smtp_recipient_status(f->rcpt);

	if (!f->ended)
		return "it said yes to a mail that it did not get";
	if (l->wire.broken)
		return "it sent more replies than it was asked for";
	/* Of a line without an end libesmtp takes what there is. */
	if (l->wire.answered < l->wire.asked)
		return "the connection ended within its reply";
	if (rcpt->code < 200 || rcpt->code > 299 ||
	    !smtp_recipient_check_complete(f->rcpt))
		return "it said yes without a recipient";
	if (f->acked > 0 && deliver_net_acked(l->fd) - f->acked !=
	    f->fit.wire_len)
		return "it said yes before it had the whole mail";
	return NULL;
}

static const char *
fault_name(int code)
{
	return code == 530 || code == 534 || code == 535 || code == 538 ?
	    "smtp.auth" : "smtp.refused";
}

/* The fate of the mail in hand, by a reply. */
static void
conclude(struct line *l, enum deliver_stage stage, const smtp_status_t *st)
{
	g_autofree char *text = reply_text(st);
	g_autofree char *full = g_strdup_printf("%d %s", st->code, text);
	enum deliver_result result = deliver_judge(l->run->relay, stage,
	    st->code, text);
	const char *why = NULL;

	g_strchomp(full);
	/* Servers answer ever slower where they had to deny something. */
	l->leave |= result == DELIVER_DEFERRED && st->code >= 500;
	if (result == DELIVER_ACCEPTED)
		why = doubt(l, l->now);
	else if (result == DELIVER_UNSURE || result == DELIVER_UNTRIED)
		why = "its reply makes no sense here";
	if (why != NULL) {
		result = l->now->started ? DELIVER_UNSURE : DELIVER_RELAY;
		fail_line(l, "smtp.protocol", "%s: %s", why, full);
		cut_line(l);
	} else if (result == DELIVER_RELAY) {
		fail_line(l, fault_name(st->code), "it answered %s", full);
	}
	report(l, result, st->code, why != NULL ? l->err.text : full);
}

static bool
is_2xx(const smtp_status_t *st)
{
	return st->code >= 200 && st->code <= 299;
}

static void
on_mail(struct line *l, smtp_message_t message)
{
	const smtp_status_t *st = smtp_reverse_path_status(message);

	if (l->now == NULL || l->now->message != message || is_2xx(st))
		return;
	/* Too long idle, and we were a moment too early to see it. */
	if (st->code == 421 && l->flights->len > 1) {
		l->again = true;
		return;
	}
	conclude(l, DELIVER_AT_MAIL, st);
	add_next(l);
}

/* The next mail is added now: after the reply to DATA it would be too late. */
static void
on_rcpt(struct line *l, smtp_recipient_t rcpt)
{
	const smtp_status_t *st = smtp_recipient_status(rcpt);

	if (l->now == NULL || l->now->rcpt != rcpt || is_2xx(st))
		return;
	conclude(l, DELIVER_AT_RCPT, st);
	add_next(l);
}

static void
on_sent(struct line *l, smtp_message_t message)
{
	struct flight *f = l->now;
	bool after_dot;

	/* Already reported when its recipient was refused. */
	if (f == NULL || f->message != message)
		return;
	after_dot = f->started;
	conclude(l, DELIVER_AT_DATA, smtp_message_transfer_status(message));
	/* When DATA itself is refused, QUIT is already decided. */
	if (after_dot)
		add_next(l);
}

static void
on_event(smtp_session_t smtp, int event, void *arg, ...)
{
	struct line *l = arg;
	va_list ap;

	(void)smtp;
	va_start(ap, arg);
	switch (event) {
	case SMTP_EV_MAILSTATUS:
		(void)va_arg(ap, const char *);
		on_mail(l, va_arg(ap, smtp_message_t));
		break;
	case SMTP_EV_RCPTSTATUS:
		(void)va_arg(ap, const char *);
		on_rcpt(l, va_arg(ap, smtp_recipient_t));
		break;
	case SMTP_EV_MESSAGESENT:
		on_sent(l, va_arg(ap, smtp_message_t));
		break;
	case SMTP_EV_EXTNA_8BITMIME:
		l->run->no_8bitmime = true;
		l->again = true;
		break;
	default:
		break;
	}
	va_end(ap);
	errno = 0;
}

/* The buffer is libesmtp's own, and may be written to: see deliver_wire.c. */
static void
on_wire(const char *buf, int len, int writing, void *arg)
{
	union {
		const char *in;
		char *out;
	} b = { .in = buf };
	struct line *l = arg;

	int64_t mails = l->wire.mails;

	if (writing == SMTP_CB_READING)
		deliver_wire_received(&l->wire, b.out, (size_t)len);
	else if (writing == SMTP_CB_WRITING)
		deliver_wire_sent(&l->wire, buf, (size_t)len);
	if (l->now != NULL && l->wire.mails > mails)
		l->now->begun = true;
	if (l->wire.broken)
		cut_line(l);
}

static void
set_timeouts(smtp_session_t smtp, const struct deliver_relay *relay)
{
	static const int which[] = { Timeout_GREETING, Timeout_ENVELOPE,
		Timeout_DATA, Timeout_DATA2 };
	int64_t ms = MAX(relay->command_ms, TIMEOUT_MIN_MS);

	for (size_t i = 0; i < G_N_ELEMENTS(which); i++)
		smtp_set_timeout(smtp, which[i] |
		    Timeout_OVERRIDE_RFC2822_MINIMUM, (long)ms);
	smtp_set_timeout(smtp, Timeout_TRANSFER |
	    Timeout_OVERRIDE_RFC2822_MINIMUM,
	    (long)(relay->total_ms + TRANSFER_MARGIN_MS));
}

/* Did the peer close, rather than fall silent? */
static bool
is_closed(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
	    (errno != EAGAIN && errno != EWOULDBLOCK);
}

/* Why the session ended with a mail in hand. */
static void
explain(struct line *l)
{
	const struct deliver_relay *relay = l->run->relay;

	if (deliver_guard_fired(&l->guard))
		fail_line(l, "smtp.deadline", "no end within total_time %lld ms",
		    (long long)relay->total_ms);
	else if (l->wire.broken)
		fail_line(l, "smtp.protocol",
		    "it sent more replies than it was asked for, last: %s",
		    l->wire.last->str);
	else if (l->wire.mails == 0 && l->wire.code >= 400)
		fail_line(l, "smtp.refused", "it answered %s",
		    l->wire.last->str);
	else if (smtp_errno() != SMTP_ERR_DROPPED_CONNECTION)
		fail_line(l, "smtp.protocol",
		    "a reply cannot be understood, last: %s",
		    l->wire.last->str);
	else if (is_closed(l->fd))
		fail_line(l, "smtp.lost", "the connection was lost");
	else
		fail_line(l, "smtp.deadline", "no reply within %lld ms",
		    (long long)relay->command_ms);
}

/*
 * A connection that was idle may turn out to be dead only when MAIL is sent.
 * Then nothing is known against this mail, nor against the relay.
 */
static bool
may_carry(const struct line *l)
{
	return l->again || (l->flights->len > 1 && !l->now->started &&
	    strcmp(l->err.what, "smtp.lost") == 0);
}

static void
carry(struct line *l)
{
	l->run->carry = l->now->mail;
	l->run->carry_fit = l->now->fit;
	l->now->mail = NULL;
	l->now = NULL;
	l->failed = false;
}

static enum deliver_result
fate(const struct line *l)
{
	if (l->now->started)
		return DELIVER_UNSURE;
	if (strcmp(l->err.what, "smtp.refused") == 0 ||
	    strcmp(l->err.what, "smtp.protocol") == 0)
		return DELIVER_RELAY;
	/* Its turn had come: others go first the next time. */
	return l->now->begun ? DELIVER_DEFERRED : DELIVER_UNTRIED;
}

/* Leaves no mail without a report. */
static void
finish(struct line *l)
{
	if (l->now == NULL)
		return;
	if (!l->again)
		explain(l);
	if (may_carry(l))
		carry(l);
	else
		report(l, fate(l), l->now->begun ? 0 : l->wire.code,
		    l->err.text);
}

static void
talk(struct line *l, const struct deliver_mail *mail,
    const struct deliver_fit *fit)
{
	const struct deliver_relay *relay = l->run->relay;

	smtp_set_server(l->smtp, "127.0.0.1:0");
	if (relay->helo != NULL)
		smtp_set_hostname(l->smtp, relay->helo);
	set_timeouts(l->smtp, relay);
	smtp_set_eventcb(l->smtp, on_event, l);
	smtp_set_monitorcb(l->smtp, on_wire, l, 0);
	add_flight(l, mail, fit);
	deliver_guard_add(&l->guard, l->fd, clock_mono_ms() + relay->total_ms);
	deliver_seam_set(l->fd);
	smtp_start_session(l->smtp);
	if (deliver_seam_set(-1))
		fail_line(l, "smtp.connect", "libesmtp did not connect");
	finish(l);
	deliver_guard_remove(&l->guard);
}

static bool
run_line(struct run *run, const struct deliver_mail *mail,
    const struct deliver_fit *fit, struct err *err)
{
	struct line l = { .run = run };
	struct deliver_report r;

	if (!deliver_net_connect(run->relay, &l.fd, &l.err)) {
		deliver_report_set(&r, DELIVER_RELAY, 0, l.err.text);
		run->feed->done(run->feed->arg, mail, &r);
		if (err != NULL)
			*err = l.err;
		return false;
	}
	deliver_wire_init(&l.wire);
	l.flights = g_ptr_array_new_with_free_func(g_free);
	l.smtp = smtp_create_session();
	talk(&l, mail, fit);
	smtp_destroy_session(l.smtp);
	g_ptr_array_free(l.flights, TRUE);
	deliver_wire_clear(&l.wire);
	close(l.fd);
	if (l.failed && err != NULL)
		*err = l.err;
	return !l.failed;
}

bool
deliver_esmtp_session(const struct deliver_relay *relay,
    const struct deliver_feed *feed, struct err *err)
{
	struct run run = { .relay = relay, .feed = feed };
	const struct deliver_mail *mail;
	struct deliver_fit fit;

	if (!deliver_seam_works())
		return err_set(err, ERR_CONF, "smtp.relay",
		    "this program was linked so that libesmtp does not reach "
		    "its connect(); build it with -Wl,--export-dynamic");
	while (!run.drained && (mail = take(&run, &fit)) != NULL) {
		if (!run_line(&run, mail, &fit, err))
			return false;
	}
	return true;
}
