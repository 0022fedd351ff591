/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of chatjournal.conf(5), except of blocks with names and of the
 * staff side: one row per directive is parser, validator, default,
 * documentation and print-out. A new directive is a row here, a field in
 * conf.h, an entry in the manual page and one in the sample; a test compares
 * all four.
 */
#include "conf_int.h"

#include <string.h>

#include "log.h"

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY ((int64_t)24 * HOUR)
#define KIB ((int64_t)1 << 10)
#define MIB ((int64_t)1 << 20)

#define AT(field) offsetof(struct conf, field)

static const char *const sandbox_names[] = {
	[CONF_SANDBOX_ENFORCE] = "enforce", [CONF_SANDBOX_LOG] = "log",
	[CONF_SANDBOX_OFF] = "off", NULL };
static const char *const target_names[] = {
	[CONF_LOG_SYSLOG] = "syslog", [CONF_LOG_JOURNAL] = "journal",
	[CONF_LOG_STDERR] = "stderr", NULL };
static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info", [LOG_LEVEL_DEBUG] = "debug", NULL };
static const char *const receipts_names[] = {
	[CONF_RECEIPTS_NONE] = "none", [CONF_RECEIPTS_FAILED] = "failed",
	[CONF_RECEIPTS_ALL] = "all", NULL };
static const char *const infected_names[] = {
	[CONF_INFECTED_TAG] = "tag", [CONF_INFECTED_QUARANTINE] = "quarantine",
	NULL };
static const char *const facility_names[] = { "mail", "daemon", "auth",
	"authpriv", "cron", "ftp", "lpr", "news", "syslog", "user", "uucp",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6",
	"local7", NULL };

static char *
derive_store(const struct conf *c, const void *base)
{
	(void)base;
	return g_strconcat("sqlite:", c->state_dir, "/store", NULL);
}

static char *
derive_address_domain(const struct conf *c, const void *base)
{
	(void)base;
	return g_strdup(c->render.domain);
}

/* Meta's webhook client certificate carries this name. */
static char *
derive_client_name(const struct conf *c, const void *base)
{
	(void)base;
	return c->intake.tls_client_ca == NULL ? NULL :
	    g_strdup("client.webhooks.fbclientcerts.com");
}

static const struct conf_row main_rows[] = {
	{ "tenant", CONF_NAME, .preset = "default", .offset = AT(tenant),
		.help = "Part of every Message-ID; never change it." },
	{ "user", CONF_USER, .preset = "chatjournal", .offset = AT(user),
		.help = "Drop to this user when started as root; - : stay." },
	{ "state_dir", CONF_PATH, .preset = LOCALSTATEDIR "/lib/chatjournal",
		.offset = AT(state_dir), .help = "Directory of the store." },
	{ "run_dir", CONF_PATH, .preset = RUNSTATEDIR "/chatjournal",
		.offset = AT(run_dir),
		.help = "Directory of run-time files." },
	{ "store", CONF_STORE, .preset = "sqlite:STATE_DIR/store",
		.offset = AT(store), .derive = derive_store,
		.help = "Where events and mails are kept." },
	{ "sandbox", CONF_ENUM, .preset = "enforce", .names = sandbox_names,
		.offset = AT(sandbox),
		.help = "What a system call outside a role's rights does." },
	{ "poison_deaths", CONF_NUMBER, .preset = "3", .min = 1, .max = 100,
		.offset = AT(poison_deaths),
		.help = "Deaths on one item before a person must look." },
	{ "trusted_network", CONF_NETWORK, .flags = CONF_MANY,
		.offset = AT(trusted_networks),
		.help = "Clear text may go there." },
	{ "directory", CONF_PATH, .offset = AT(directory_file),
		.help = "The file that says who is who." },
	{ "policy", CONF_PATH, .offset = AT(policy_file),
		.help = "The file with the rules." },
	{ "catch_all", CONF_NAME, .flags = CONF_REQUIRED,
		.offset = AT(catch_all),
		.help = "Journal for business numbers not in the directory." },
};

static const struct conf_row log_rows[] = {
	{ "target", CONF_ENUM, .preset = "syslog", .names = target_names,
		.offset = AT(log.target), .help = "Where log lines go." },
	{ "facility", CONF_CHOICE, .preset = "mail", .names = facility_names,
		.offset = AT(log.facility), .help = "Syslog facility." },
	{ "level", CONF_ENUM, .preset = "info", .names = level_names,
		.offset = AT(log.level),
		.help = "The most detailed lines to log." },
};

static const struct conf_row intake_rows[] = {
	{ "listen", CONF_LISTEN, .preset = "127.0.0.1:8080",
		.offset = AT(intake.listen),
		.help = "Where webhooks are received." },
	{ "path", CONF_URLPATH, .preset = "/webhook/whatsapp",
		.offset = AT(intake.path),
		.help = "The one URL path that answers." },
	{ "app_secret_file", CONF_PATH, .flags = CONF_MANY | CONF_REQUIRED,
		.offset = AT(intake.app_secret_files),
		.help = "Meta app secret that signs webhooks." },
	{ "verify_token_file", CONF_PATH, .flags = CONF_REQUIRED,
		.offset = AT(intake.verify_token_file),
		.help = "Token of the subscription handshake." },
	{ "max_body", CONF_SIZE, .preset = "4M", .min = 64 * KIB,
		.max = 64 * MIB, .offset = AT(intake.max_body_bytes),
		.help = "Larger webhooks are refused." },
	{ "deadline", CONF_DURATION, .preset = "20s", .min = SECOND,
		.max = 10 * MINUTE, .offset = AT(intake.deadline_ms),
		.help = "A request must be complete by then." },
	{ "queue_age", CONF_DURATION, .preset = "10s", .min = 100,
		.max = MINUTE, .offset = AT(intake.queue_ms),
		.help = "Older waiting for the store: answer 503." },
	{ "threads", CONF_NUMBER, .preset = "2", .min = 1, .max = 32,
		.offset = AT(intake.threads),
		.help = "Threads of the listener." },
	{ "connections", CONF_NUMBER, .preset = "1024", .min = 1,
		.max = 65536, .offset = AT(intake.connections),
		.help = "Connections at the same time." },
	{ "connections_per_address", CONF_NUMBER, .preset = "256", .min = 1,
		.max = 65536, .offset = AT(intake.connections_per_address),
		.help = "The same from one address; a proxy counts as one." },
	{ "tls_certificate", CONF_PATH, .offset = AT(intake.tls_certificate),
		.help = "PEM file: the listener speaks TLS." },
	{ "tls_key", CONF_PATH, .offset = AT(intake.tls_key),
		.help = "PEM file with the private key." },
	{ "tls_client_ca", CONF_PATH, .offset = AT(intake.tls_client_ca),
		.help = "PEM file: clients need a certificate of it." },
	{ "tls_client_name", CONF_DOMAIN,
		.preset = "client.webhooks.fbclientcerts.com",
		.offset = AT(intake.tls_client_name),
		.derive = derive_client_name,
		.help = "Name in the client's certificate." },
};

static const struct conf_row turn_rows[] = {
	{ "idle", CONF_DURATION, .preset = "20s", .min = 0, .max = DAY,
		.offset = AT(turn.idle_ms),
		.help = "A turn ends when nothing was said for so long." },
	{ "span", CONF_DURATION, .preset = "2m", .min = SECOND, .max = DAY,
		.offset = AT(turn.span_ms),
		.help = "A turn is never longer than this." },
	{ "items", CONF_NUMBER, .preset = "50", .min = 1, .max = 1000,
		.offset = AT(turn.max_items),
		.help = "Nor has it more messages." },
	{ "bytes", CONF_SIZE, .preset = "1M", .min = KIB, .max = 64 * MIB,
		.offset = AT(turn.max_bytes),
		.help = "Nor more bytes of events." },
	{ "receipts", CONF_ENUM, .preset = "all", .names = receipts_names,
		.offset = AT(receipts),
		.help = "Which delivery receipts are journaled." },
	{ "receipt_wait", CONF_DURATION, .preset = "1m", .min = 0,
		.max = DAY, .offset = AT(turn.receipt_wait_ms),
		.help = "Receipts of one message wait for each other." },
};

/* The first row is what tells that the block is there. */
static const struct conf_row graph_rows[] = {
	{ "url", CONF_HTTPS, .preset = "https://graph.facebook.com",
		.offset = AT(graph.url), .help = "Where the API is." },
	{ "version", CONF_VERSION, .preset = "v25.0",
		.offset = AT(graph.version),
		.help = "Version of the API to ask." },
	{ "token_file", CONF_PATH, .flags = CONF_REQUIRED,
		.offset = AT(graph.token_file),
		.help = "Access token of a system user." },
	{ "tls_ca", CONF_PATH, .offset = AT(graph.tls_ca_file),
		.help = "PEM file of trusted authorities." },
	{ "media_host", CONF_HOSTS, .flags = CONF_MANY,
		.preset = "lookaside.fbsbx.com",
		.offset = AT(graph.media_hosts),
		.help = "Files may be there; it gets the token." },
	{ "proxy", CONF_PROXY, .offset = AT(graph.proxy),
		.help = "Go through this HTTP proxy (CONNECT)." },
	{ "proxy_tls_ca", CONF_PATH, .offset = AT(graph.proxy_tls_ca_file),
		.help = "PEM file of authorities trusted for the proxy." },
	{ "proxy_user", CONF_STRING, .offset = AT(graph.proxy_user),
		.help = "User that the proxy knows." },
	{ "proxy_password_file", CONF_PATH,
		.offset = AT(graph.proxy_password_file),
		.help = "File with the password for the proxy." },
	{ "connect_timeout", CONF_DURATION, .preset = "10s", .min = 100,
		.max = 10 * MINUTE, .offset = AT(graph.connect_ms),
		.help = "For one connect." },
	{ "timeout", CONF_DURATION, .preset = "10m", .min = SECOND,
		.max = DAY, .offset = AT(graph.total_ms),
		.help = "For one request or download in all." },
};

static const struct conf_row media_rows[] = {
	{ "downloads", CONF_NUMBER, .preset = "4", .min = 1, .max = 64,
		.offset = AT(media.downloads),
		.help = "Files fetched at the same time." },
	{ "max_size", CONF_SIZE, .preset = "110M", .min = 64 * KIB,
		.max = 2048 * MIB, .offset = AT(media.max_bytes),
		.help = "Larger files are not taken." },
	{ "wait", CONF_DURATION, .preset = "10m", .min = 0, .max = DAY,
		.offset = AT(media.wait_ms),
		.help = "A turn waits so long for its files." },
	{ "give_up", CONF_DURATION, .preset = "7d", .min = SECOND,
		.max = 30 * DAY, .offset = AT(media.give_up_ms),
		.help = "After the event; then the network has forgotten." },
	{ "retry_min", CONF_DURATION, .preset = "10s", .min = 10, .max = DAY,
		.offset = AT(media.retry_min_ms),
		.help = "First wait after a failure." },
	{ "retry_max", CONF_DURATION, .preset = "30m", .min = 10, .max = DAY,
		.offset = AT(media.retry_max_ms),
		.help = "Longest wait." },
	{ "clamd", CONF_SOCKET, .offset = AT(media.clamd),
		.help = "Have files scanned by this clamd." },
	{ "infected", CONF_ENUM, .preset = "tag", .names = infected_names,
		.offset = AT(media.infected),
		.help = "What is done with a file that clamd finds bad." },
	{ "scan_wait", CONF_DURATION, .preset = "10m", .min = 0, .max = DAY,
		.offset = AT(media.scan_wait_ms),
		.help = "A scanner out of reach holds files back so long." },
};

static const struct conf_row render_rows[] = {
	{ "domain", CONF_DOMAIN, .flags = CONF_REQUIRED,
		.offset = AT(render.domain),
		.help = "Right side of Message-IDs." },
	{ "address_domain", CONF_DOMAIN, .preset = "DOMAIN",
		.offset = AT(render.address_domain),
		.derive = derive_address_domain,
		.help = "Right side of addresses of WhatsApp users." },
	{ "templates", CONF_PATH, .preset = PKGDATADIR "/templates",
		.offset = AT(render.templates),
		.help = "Directory of templates." },
	{ "attach_event", CONF_BOOL, .preset = "on",
		.offset = AT(render.attach_event),
		.help = "Attach the raw events to each mail." },
	{ "zone", CONF_ZONE, .offset = AT(render.zone),
		.help = "Show times in this zone too, beside UTC." },
};

static const struct conf_row keep_rows[] = {
	{ "event", CONF_DURATION, .preset = "30d", .min = 0,
		.max = 36500 * DAY, .offset = AT(keep.event_ms),
		.help = "Keep raw events after delivery." },
	{ "mail", CONF_DURATION, .preset = "30d", .min = 0,
		.max = 36500 * DAY, .offset = AT(keep.mail_ms),
		.help = "Keep rendered mails and files after delivery." },
};

static const struct conf_block block_log = { .name = "log",
	.rows = log_rows, .count = G_N_ELEMENTS(log_rows),
	.help = "Where and how much is logged." };
static const struct conf_block block_intake = { .name = "intake",
	.rows = intake_rows, .count = G_N_ELEMENTS(intake_rows),
	.leave = conf_check_intake, .help = "The listener for webhooks." };
static const struct conf_block block_turn = { .name = "turn",
	.rows = turn_rows, .count = G_N_ELEMENTS(turn_rows),
	.leave = conf_check_turn,
	.help = "Which messages become one mail." };
static const struct conf_block block_render = { .name = "render",
	.rows = render_rows, .count = G_N_ELEMENTS(render_rows),
	.help = "How mails are made." };
static const struct conf_block block_graph = { .name = "graph",
	.rows = graph_rows, .count = G_N_ELEMENTS(graph_rows),
	.optional = true, .leave = conf_check_graph,
	.help = "Meta's Graph API, which has the files." };
static const struct conf_block block_media = { .name = "media",
	.rows = media_rows, .count = G_N_ELEMENTS(media_rows),
	.leave = conf_check_media, .help = "Files that messages bring." };
static const struct conf_block block_keep = { .name = "keep",
	.rows = keep_rows, .count = G_N_ELEMENTS(keep_rows),
	.help = "How long delivered content stays in the store." };

/*
 * In this order: journals refer to relays and to render's domain, the gateway
 * to graph.
 */
static const struct conf_block *const main_blocks[] = { &block_log,
	&block_intake, &block_graph, &block_media, &block_turn, &block_render,
	&block_keep, &conf_block_relay, &conf_block_journal,
	&conf_block_gateway, &conf_block_ldap, NULL };

const struct conf_block conf_block_main = { .name = "",
	.rows = main_rows, .count = G_N_ELEMENTS(main_rows),
	.blocks = main_blocks, .leave = conf_check_main,
	.help = "chatjournal.conf" };
