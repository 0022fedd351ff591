/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The staff side: what a request to the gateway is, who may make it, what is
 * answered, when it may go on to Meta, and the record that is journaled of it.
 * Decisions and bytes only: no I/O, no clock, no store, no threads.
 *
 * A staff system speaks to it as to graph.facebook.com. The caller proves
 * itself by a token of its own ("Authorization: Bearer …") or a client
 * certificate; Meta's token is put in by the Graph client and is never seen
 * here. Headers of ours: X-ChatJournal-Employee (who of the staff writes),
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hash.h"

struct err;

/* ---- which request it is --------------------------------------------------- */

enum gateway_what {
	GATEWAY_SEND,		/* POST V/ID/messages, V/ID/marketing_messages */
	GATEWAY_READ,		/* the same, head.is_read: passed on, not
				   journaled. Never from gateway_route() */
	GATEWAY_UPLOAD,		/* POST V/ID/media */
	GATEWAY_MEDIA_FIND,	/* GET V/MEDIA-ID: url is rewritten to ours */
	GATEWAY_MEDIA_FILE,	/* GET V/MEDIA-ID/file (ours): the bytes */
	GATEWAY_MEDIA_DELETE,	/* DELETE V/MEDIA-ID: passed on */
	GATEWAY_CALL,		/* POST V/ID/calls: passed on with a record */
	GATEWAY_GROUP,		/* V/ID/groups…, V/GROUP-ID…: the same */
	GATEWAY_CAPTURE,	/* POST /capture: a copy from another sender */
	GATEWAY_LOOK,		/* GET /sends/KEY: what became of a send */
	GATEWAY_ALLOWED,	/* another path that the conf allows: passed on
				   with a record when it is not a GET */
	GATEWAY_UNKNOWN,	/* 404, GRAPH's code 2500 */
	GATEWAY_BAD_METHOD,	/* 405 */
};

struct gateway_route {
	enum gateway_what what;
	char *version;		/* "v25.0"; NULL for ours */
	char *id;		/* phone number id, media id, send key … */
	char *number;		/* of media: phone_number_id of the query; NULL:
				   none was given */
	const char *why;	/* of UNKNOWN and BAD_METHOD: for the caller */
};
/*
 * target: path and query as they came. Of each path there is one spelling;
 * a query that could change what the request is makes it unknown.
 * allowed: char *, a method, a blank, a path glob in which * and ? are never a
 * slash (GET, then v25.0, an id and message_templates); what the gateway judges
 * is never allowed that way.
 */
void gateway_route(const char *method, const char *target,
    const GPtrArray *allowed, struct gateway_route *out);
void gateway_route_clear(struct gateway_route *r);
/* All digits; the id of a group is not. */
bool gateway_is_number_id(const char *s);

/* ---- who it is -------------------------------------------------------------- */

struct gateway_application {
	char *name;
	GPtrArray *tokens;	/* GBytes *: any of them; empty: none */
	char *client_name;	/* of its certificate; NULL: none */
	GPtrArray *businesses;	/* char *: phone number ids; empty: all */
	char *author;		/* "staff" or "bot" */
	bool employee_required;
};
/*
 * authorization: the header, or NULL; client: name in a certificate that was
 * verified, or NULL. NULL: nobody. In constant time per token. Either will do;
 * both must not name two. A wrong token is nobody's even beside a certificate,
 * unless its application has no tokens.
 */
const struct gateway_application *gateway_caller(const GPtrArray *apps,
    const char *authorization, const char *client);
/* There are numbers that it may not use. */
bool gateway_is_limited(const struct gateway_application *app);
bool gateway_may_use(const struct gateway_application *app,
    const char *phone_number_id);
/* 1 to 64 of [A-Za-z0-9._@-]. */
bool gateway_is_employee(const char *s);
/* The key in an Idempotency-Key header, with or without its quotes: 1 to 255
 * visible characters. Owned; NULL: it is none. */
char *gateway_idempotency_key(const char *header);

/* ---- errors, in Graph's own shape -------------------------------------------- */

/* Ours: code 200 for what the bank's policy forbids, with this subcode. */
#define GATEWAY_SUBCODE_POLICY 4190001
#define GATEWAY_SUBCODE_HELD 4190002
#define GATEWAY_SUBCODE_STORE 4190003	/* cannot be recorded: not sent */
#define GATEWAY_SUBCODE_UNKNOWN 4190004	/* outcome unknown: do not repeat */

enum gateway_refusal {
	GATEWAY_REFUSE_AUTH,		/* 401, code 190 */
	GATEWAY_REFUSE_BUSINESS,	/* 403, code 10: not this application's */
	GATEWAY_REFUSE_EMPLOYEE,	/* 400, code 100: header missing or wrong */
	GATEWAY_REFUSE_JSON,		/* 400, code 100 */
	GATEWAY_REFUSE_PATH,		/* 404, code 2500 */
	GATEWAY_REFUSE_METHOD,		/* 405 */
	GATEWAY_REFUSE_POLICY,		/* 403, code 200, reason of the rule */
	GATEWAY_REFUSE_STORE,		/* 503, code 2, Retry-After */
	GATEWAY_REFUSE_BUSY,		/* 429, code 130429: the number's pace */
	GATEWAY_REFUSE_BUSY_PAIR,	/* 429, code 131056: to one person */
	GATEWAY_REFUSE_UNKNOWN,		/* 502, code 2: outcome unknown */
	GATEWAY_REFUSE_UPSTREAM,	/* 502, code 2: not reached, not sent */
	GATEWAY_REFUSE_JOURNAL,		/* 503: not journaled in time, not sent */
	GATEWAY_REFUSE_REPEAT,		/* 422: same key, another request */
	GATEWAY_REFUSE_RUNNING,		/* 409: the first is still under way */
	GATEWAY_REFUSALS
};
/* The HTTP status; out gets {"error":{…}}. details (may be NULL) is the
 * sentence for a person; trace our own id of the request. */
int gateway_refuse(enum gateway_refusal why, const char *details,
    const char *trace, GString *out);
/* 202 with the shape of a success: id is the send's key, message_status
 * "held_for_review". */
int gateway_held(const char *key, const char *to, GString *out);

/* ---- bodies ------------------------------------------------------------------ */

/*
 * Before anything is passed on, with or without a record: with a GET and
 * MEDIA_DELETE goes no body; all others but UPLOAD are application/json (a form
 * that looks like JSON is another request to Graph; send "application/json" on,
 * not the caller's spelling); bodies of CALL, GROUP and ALLOWED, which nothing
 * else reads, are unambiguous and hold no "batch", "method", "access_token".
 * Those of SEND and CAPTURE are read by gateway_head_parse() and
 * gateway_copy_parse(), of UPLOAD by gateway_part_find(). ERR_PERM
 * "gateway.json".
 */
bool gateway_body_check(enum gateway_what what, const char *method,
    const char *content_type, const void *body, size_t len, struct err *err);

/* Of a JSON body to /messages: what the gateway must know before it is parsed
 * in full. Strings are owned; NULL: not there. */
struct gateway_head {
	char *to;		/* "to", or "recipient" */
	char *type;
	char *callback_data;	/* biz_opaque_callback_data */
	char *template_name, *template_language;
	bool is_read;		/* marks as read or shows typing, and holds
				   nothing else that could be shown */
};
/*
 * ERR_PERM "gateway.json": no JSON object, beyond the limits (4 MiB, strings of
 * 1 MiB, depth 28), or not to be read in one way only: two members of one name
 * anywhere, an escape that is no character, a content member that is not of
 * the type (text if there is none) or no object, "batch", "method",
 * "access_token" at the top.
 */
bool gateway_head_parse(const void *body, size_t len,
    struct gateway_head *out, struct err *err);
void gateway_head_clear(struct gateway_head *h);

/*
 * The body with additions before and after its text (text.body, a caption,
 * interactive.body.text), an empty line between, and biz_opaque_callback_data
 * set if it has none. before, after, callback may be NULL. An image, video or
 * document without a caption gets one. Everything else stays as it was, byte
 * for byte. The body has passed gateway_head_parse(). ERR_PERM "gateway.text":
 * no text to add to (a template, a sticker …): the caller refuses;
 * "gateway.long": beyond Meta's limit.
 */
bool gateway_body_change(const void *body, size_t len, const char *before,
    const char *after, const char *callback, GBytes **out, struct err *err);

/*
 * The file part of multipart/form-data (RFC 7578), its bytes borrowed from
 * body. The form holds messaging_product, file and perhaps type, each once,
 * and nothing else. ERR_PERM "gateway.multipart".
 */
struct gateway_part {
	const void *bytes;
	size_t len;
	char *filename, *type;	/* as declared, or NULL; type is that of the
				   field "type", else of the part */
};
bool gateway_part_find(const char *content_type, const void *body, size_t len,
    struct gateway_part *out, struct err *err);
void gateway_part_clear(struct gateway_part *p);

/* Meta's answer: what it says of these, owned, or NULL each. */
struct gateway_answer {
	char *wamid;
	char *id;		/* of an upload, at the top */
	bool is_graph_error;	/* there is an "error": Graph itself refused it,
				   and not something on the way */
	bool is_throttled;	/* 429 or a throttling code: slow down. Not for
				   131056, which is about one person */
	int64_t code;		/* of the error, 0 if none */
};
void gateway_answer_parse(int status, const void *body, size_t len,
    struct gateway_answer *out);
void gateway_answer_clear(struct gateway_answer *a);
/*
 * The answer to MEDIA_FIND with url in the place of Meta's, which is *was.
 * False: it holds no url, or more than one; nothing is set.
 */
bool gateway_media_answer(const void *body, size_t len, const char *url,
    GBytes **out, char **was);

/* ---- pacing ------------------------------------------------------------------- */

/*
 * Meta's limits: a number's throughput, and how often one number may write to
 * one person. Requests of several applications through one number take turns.
 * Not thread-safe. Times are of any clock that does not go back.
 */
struct gateway_pace;
struct gateway_pace_conf {
	int64_t number_rate;	/* per second and number; 0: no limit */
	int64_t pair_ms;	/* one message to a person in so many ms … */
	int64_t pair_burst;	/* … after so many at once; 0: no limit */
	int64_t wait_ms;	/* who would wait longer is refused at once */
	int64_t queue;		/* so many of one application and number */
};
struct gateway_pace *gateway_pace_new(const struct gateway_pace_conf *conf);
void gateway_pace_free(struct gateway_pace *p);
enum gateway_turn { GATEWAY_GO, GATEWAY_WAIT, GATEWAY_TOO_MANY,
	GATEWAY_TOO_MANY_PAIR };
/*
 * May it go now? GATEWAY_WAIT: ticket is queued and comes out of
 * gateway_pace_next() later. Who would wait for longer than wait_ms, as it
 * looks now, is not let in: nothing was spent for it, ticket is forgotten. to
 * NULL: no person (an upload …).
 */
enum gateway_turn gateway_pace_ask(struct gateway_pace *p,
    const char *application, const char *business, const char *to,
    void *ticket, int64_t now_ms);
/* The next ticket whose turn has come, or NULL; *late: it waited for twice
 * wait_ms, since more applications came or the network asked for quiet after
 * it was let in, and is to be given up. *wait_ms, of NULL: until there may be one, -1: none waits.
 * Call it until it gives NULL. */
void *gateway_pace_next(struct gateway_pace *p, int64_t now_ms, bool *late,
    int64_t *wait_ms);
/* The network itself asked to slow down for this number (429). */
void gateway_pace_slow(struct gateway_pace *p, const char *business,
    int64_t until_ms);
/* Forgets what is idle; now and then. */
void gateway_pace_tidy(struct gateway_pace *p, int64_t now_ms);

/* ---- the record ----------------------------------------------------------------- */

/*
 * One JSON object: the body of the event that build reads (wa_record_parse()
 * makes items of it). request, sent and response stand in it as they were, byte
 * for byte (line breaks included), when they are JSON of a depth up to 28; else
 * as "…_base64", a string, or a list of strings past 768 KiB. verdict,
 * definition and reviews the same.
 */
#define GATEWAY_OBJECT "chatjournal_gateway"
enum gateway_outcome {
	GATEWAY_PENDING,	/* journaled first, then to be sent */
	GATEWAY_ACCEPTED,	/* by Meta: wamid */
	GATEWAY_REFUSED,	/* by Meta: 4xx, 5xx */
	GATEWAY_BLOCKED,	/* by the bank's rules */
	GATEWAY_OUTCOME_HELD,	/* waits for a person */
	GATEWAY_REJECTED,	/* by a person */
	GATEWAY_EXPIRED,	/* nobody released it in time: not sent */
	GATEWAY_NOT_SENT,	/* Meta was not reached, or not journaled in
				   time, or we were restarted before */
	GATEWAY_OUTCOME_UNKNOWN,	/* it may have been sent */
	GATEWAY_REPORTED,	/* /capture: sent by somebody else */
	GATEWAY_OUTCOMES
};
const char *gateway_outcome_name(enum gateway_outcome o);	/* "not-sent" … */
bool gateway_outcome_parse(const char *name, enum gateway_outcome *out);

struct gateway_record {
	const char *key;		/* of the send */
	enum gateway_outcome outcome;
	bool was_recorded;		/* an earlier record has this send */
	int64_t received_ms, done_ms;
	const char *application, *author, *employee, *remote;
	const char *account, *business_id, *business_number;
	const char *method, *target;
	const void *request, *sent, *response;	/* sent NULL: as request */
	size_t request_len, sent_len, response_len;
	int status;			/* Meta's, 0: none */
	const char *verdict;		/* policy_verdict_print(), or NULL */
	const char *definition;		/* JSON of the template, or NULL */
	const char *reason;		/* a sentence for a person, or NULL */
	const char *reviews;		/* JSON list of who, verb, at_ms, why */
};
void gateway_record_print(const struct gateway_record *r, GString *out);

/*
 * POST /capture: {"request":{…},"response":{…},"phone_number_id":…,"at":…,
 * "status":…}; at in seconds or milliseconds since 1970 or as ISO 8601 in UTC,
 * status that of HTTP; request and response are the bytes as they came. ERR_PERM
 * "gateway.copy", also for members that would not be recorded.
 */
struct gateway_copy {
	char *business_id;
	int64_t at_ms;			/* 0: not said */
	GBytes *request, *response;	/* response NULL: not known */
	int status;			/* 0: not said */
};
bool gateway_copy_parse(const void *body, size_t len,
    struct gateway_copy *out, struct err *err);
void gateway_copy_clear(struct gateway_copy *c);
