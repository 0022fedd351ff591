/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: chatjournal.conf(5) and the directory file.
 *
 * One table per block is parser, validator, default and documentation. All
 * errors of a run are collected, each with file:line:column, the source line
 * and a caret. Secrets are never in here, only the paths of their files.
 *
 * A loaded configuration remembers the text of every file it read (the
 * snapshot). The supervisor hands the snapshot to each role, so that a role
 * that is restarted after a crash runs with what was checked, whatever the
 * files say by now.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "deliver.h"
#include "directory.h"
#include "turn.h"

struct conf_files;
struct directory;
struct policy_source;
struct err;

enum conf_log_target { CONF_LOG_SYSLOG, CONF_LOG_JOURNAL, CONF_LOG_STDERR };
enum conf_sandbox { CONF_SANDBOX_ENFORCE, CONF_SANDBOX_LOG, CONF_SANDBOX_OFF };
enum conf_profile { CONF_PROFILE_PLAIN, CONF_PROFILE_EXCHANGE };
enum conf_receipts { CONF_RECEIPTS_NONE, CONF_RECEIPTS_FAILED,
	CONF_RECEIPTS_ALL };

struct conf_log {
	enum conf_log_target target;
	char *facility;
	int level;		/* enum log_level */
};

struct conf_listen {		/* intake { listen ADDRESS:PORT; } */
	char *address;
	int port;
};

struct conf_intake {
	struct conf_listen listen;
	char *path;
	GPtrArray *app_secret_files;	/* char * */
	char *verify_token_file;
	int64_t max_body_bytes, deadline_ms, queue_ms;
	int64_t threads, connections, connections_per_address;
	char *tls_certificate, *tls_key, *tls_client_ca, *tls_client_name;
};

struct conf_render {
	char *domain, *address_domain, *templates;
	bool attach_event;
	char *zone;		/* IANA name, or NULL */
};

/* Meta's Graph API; url NULL: no graph block, files are not fetched. */
struct conf_graph {
	char *url;		/* https://graph.facebook.com */
	char *version;		/* v25.0 */
	char *token_file, *tls_ca_file;
	GPtrArray *media_hosts;	/* char *, further hosts that get the token */
	char *proxy;		/* http://HOST:PORT or https:; NULL: none */
	char *proxy_tls_ca_file, *proxy_user, *proxy_password_file;
	int64_t connect_ms, total_ms;
};

enum conf_infected { CONF_INFECTED_TAG, CONF_INFECTED_QUARANTINE };

struct conf_media {
	int64_t downloads;	/* at the same time */
	int64_t max_bytes;	/* larger files are not taken */
	int64_t wait_ms;	/* a turn waits so long for its files */
	int64_t give_up_ms;	/* after the event: the network forgets them */
	int64_t retry_min_ms, retry_max_ms;
	char *clamd;		/* unix path or HOST:PORT; NULL: no scan */
	enum conf_infected infected;
	int64_t scan_wait_ms;	/* an unreachable scanner holds back so long */
};

struct conf_relay {
	char *name, *host;
	int64_t port;
	enum deliver_tls tls;
	char *tls_ca_file, *user, *password_file, *helo;
	int64_t sessions, session_mails;
	int64_t connect_ms, command_ms, total_ms, linger_ms;
	int64_t retry_min_ms, retry_max_ms;
};

struct conf_journal {
	char *name;
	char *relay;		/* name of a relay, or NULL: maildir is set */
	char *maildir;
	char *to, *from;	/* envelope and report addresses */
	enum conf_profile profile;
	int64_t warn_age_ms;
	char *language;		/* "en" */
	int64_t max_bytes, max_files, max_age_ms;	/* 0: no limit */
	bool thread_index;
	/* char *: name, value, name, value … as in render.h */
	GPtrArray *headers, *renames;
	GPtrArray *recipient_headers;	/* char * */
};

enum conf_gateway_mode { CONF_GATEWAY_STORED, CONF_GATEWAY_DELIVERED,
	CONF_GATEWAY_OBSERVE };

struct conf_application {
	char *name;
	GPtrArray *token_files;		/* char * */
	char *client_name;		/* of its certificate, or NULL */
	GPtrArray *businesses;		/* char *: phone number ids; empty: all */
	bool is_bot;			/* what it sends no person wrote */
	bool employee_required;
};

/* The staff side; listen.address NULL: no gateway block, no such role. */
struct conf_gateway {
	struct conf_listen listen;
	char *url;			/* how callers reach it, for links to
					   files; NULL: no such links */
	char *tls_certificate, *tls_key, *tls_client_ca;
	int64_t threads, connections, connections_per_address;
	int64_t max_body_bytes, max_upload_bytes, deadline_ms, queue_ms;
	enum conf_gateway_mode mode;
	int64_t delivered_wait_ms;
	int64_t upstream;		/* connections to Graph */
	int64_t number_rate, pair_ms, pair_burst, pace_wait_ms;
	int64_t template_ms;		/* a definition is believed so long */
	int64_t idempotency_ms;
	int64_t upload_keep_ms;
	bool capture;			/* POST /capture */
	GPtrArray *allow;		/* char *: "METHOD PATH-GLOB" */
	GPtrArray *applications;	/* struct conf_application * */
};

/* A directory server; url NULL: none, and no such role. */
struct conf_ldap {
	char *url, *base, *bind_dn, *password_file, *tls_ca_file;
	char *number_filter, *number_form, *id_filter;
	char *attr_id, *attr_name, *attr_mail, *attr_group;
	enum ldap_nested nested;
	char *group_base;		/* NULL: base */
	int64_t timeout_ms;
	int64_t fresh_ms, absent_ms;	/* an answer holds; that there is nobody */
	int64_t stale_ms;		/* is used while the server is down */
	int64_t wait_ms;		/* a turn or request waits so long */
};

struct conf_keep {		/* content kept after every journal has it */
	int64_t event_ms, mail_ms;
};

struct conf {
	char *tenant;
	char *user;		/* NULL ("-" in the file): do not change user */
	char *state_dir, *run_dir, *store, *directory_file;
	char *catch_all;	/* name of a journal */
	int64_t poison_deaths;	/* unexplained deaths before parking */
	enum conf_sandbox sandbox;
	GPtrArray *trusted_networks;	/* char *, CIDR */
	struct conf_log log;
	struct conf_intake intake;
	struct turn_rules turn;
	enum conf_receipts receipts;
	struct conf_render render;
	struct conf_graph graph;
	struct conf_media media;
	struct conf_keep keep;
	struct conf_gateway gateway;
	struct conf_ldap ldap;
	char *policy_file;	/* NULL: no rules */
	struct policy_source *policy;	/* never NULL; its texts live as long as c */
	GPtrArray *relays;	/* struct conf_relay * */
	GPtrArray *journals;	/* struct conf_journal * */
	struct directory *directory;	/* empty without a directory file */
	struct conf_files *files;	/* every text read: the snapshot; of
					   what came from one, only the texts
					   of the policy, NULL without */
};

/*
 * Reads path, everything it includes, the policy file and the directory file.
 * What only policy_new() finds is not looked for. On failure *err
 * says how many errors there are, and messages (which may be NULL) has them
 * all, ready to print, one "file:line:column: …" block each; warnings are in
 * it too, also on success. The caller frees *out with conf_free().
 */
bool conf_load(const char *path, struct conf **out, GString *messages,
    struct err *err);

/*
 * The same from text in memory (tests, fuzzing); includes and a directory
 * file are refused.
 */
bool conf_load_text(const char *name, const char *text, size_t len,
    struct conf **out, GString *messages, struct err *err);

/*
 * The same from several texts, of which the first is chatjournal.conf; the
 * others are there under their absolute names, and no other file is.
 */
struct conf_text {
	const char *name, *text;
	size_t len;
};
bool conf_load_texts(const struct conf_text *texts, size_t n,
    struct conf **out, GString *messages, struct err *err);

/* As conf_load(), but with this policy file instead of the one it names. */
bool conf_load_policy(const char *path, const char *policy,
    struct conf **out, GString *messages, struct err *err);

/*
 * Writes the snapshot to fd (a memfd), and makes a configuration from one.
 * Loading starts at offset 0 and never moves the descriptor's offset, which
 * several processes may share.
 */
bool conf_snapshot_save(const struct conf *c, int fd, struct err *err);
bool conf_snapshot_load(int fd, struct conf **out, struct err *err);
/*
 * The same without the directory and policy files: lookups answer NULL, there
 * are no rules. For those who need neither, since both may be large.
 */
bool conf_snapshot_load_main(int fd, struct conf **out, struct err *err);
/*
 * Frees the directory, the policy and all texts, which is most of the memory:
 * for the holder of a snapshot, who can load it again.
 */
void conf_shrink(struct conf *c);

void conf_free(struct conf *c);

const struct conf_journal *conf_journal_get(const struct conf *c,
    const char *name);
const struct conf_relay *conf_relay_get(const struct conf *c,
    const char *name);

/*
 * The texts that make the rule set: policy file, what it includes, lexicons,
 * each with its name, as one text for keeping (chatjournal-policy(5)); its
 * SHA-256 is that of c->policy. Names are those from the directory of the
 * policy file on, so that it may lie anywhere. Empty without a policy file.
 */
void conf_policy_bundle(const struct conf *c, GString *out);

/*
 * Every value in force, as a configuration file; a value that is the default
 * is commented out. Loading the result gives the same configuration.
 */
void conf_print(const struct conf *c, GString *out);

/*
 * One row per directive of all files, for the test that compares with the
 * man pages: the block ("" for the top of chatjournal.conf; "staff",
 * "business" and "customer" are those of the directory file, "policy" is the
 * top of the policy file, which has "lexicon", "window" and "rule"), the name,
 * what values it takes, the default or NULL.
 */
typedef void conf_row_fn(void *arg, const char *block, const char *name,
    const char *type, const char *preset, const char *help);
void conf_each_row(conf_row_fn *fn, void *arg);
