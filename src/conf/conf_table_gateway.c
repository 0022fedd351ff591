/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the staff side: the gateway with its applications, and the
 * directory server.
 */
#include "conf_int.h"

#include <string.h>

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY ((int64_t)24 * HOUR)
#define KIB ((int64_t)1 << 10)
#define MIB ((int64_t)1 << 20)

#define GATEWAY(field) offsetof(struct conf, gateway.field)
#define APPLICATION(field) offsetof(struct conf_application, field)
#define LDAP(field) offsetof(struct conf, ldap.field)

static const char *const mode_names[] = { [CONF_GATEWAY_STORED] = "stored",
	[CONF_GATEWAY_DELIVERED] = "delivered",
	[CONF_GATEWAY_OBSERVE] = "observe", NULL };
static const char *const nested_names[] = { [LDAP_NESTED_OFF] = "off",
	[LDAP_NESTED_IN_CHAIN] = "in-chain",
	[LDAP_NESTED_MEMBER_OF] = "member-of",
	[LDAP_NESTED_MEMBER] = "member", NULL };
static const char *const method_names[] = { "GET", "POST", "PUT", "PATCH",
	"DELETE", NULL };

/* An address that callers can use, too: not one that stands for all. */
static char *
derive_url(const struct conf *c, const void *base)
{
	const struct conf_gateway *g = &c->gateway;
	const char *host = g->listen.address;
	bool six = host != NULL && strchr(host, ':') != NULL;

	(void)base;
	if (host == NULL || strspn(host, "0.:") == strlen(host))
		return NULL;
	return g_strdup_printf("http%s://%s%s%s:%d",
	    g->tls_certificate != NULL ? "s" : "", six ? "[" : "", host,
	    six ? "]" : "", g->listen.port);
}

/* Meta's own limits are presets where it has published any. */
static const struct conf_row gateway_rows[] = {
	{ "listen", CONF_LISTEN, .preset = "127.0.0.1:8090",
		.offset = GATEWAY(listen),
		.help = "Where staff systems send their requests." },
	{ "tls_certificate", CONF_PATH, .offset = GATEWAY(tls_certificate),
		.help = "PEM file: the listener speaks TLS." },
	{ "tls_key", CONF_PATH, .offset = GATEWAY(tls_key),
		.help = "PEM file with the private key." },
	{ "tls_client_ca", CONF_PATH, .offset = GATEWAY(tls_client_ca),
		.help = "PEM file: clients may show a certificate of it." },
	{ "url", CONF_HTTP, .preset = "of the address in listen",
		.offset = GATEWAY(url), .derive = derive_url,
		.help = "How callers reach it, for links to files." },
	{ "mode", CONF_ENUM, .preset = "stored", .names = mode_names,
		.offset = GATEWAY(mode),
		.help = "What must be so before a message is sent." },
	{ "delivered_wait", CONF_DURATION, .preset = "30s", .min = 100,
		.max = 10 * MINUTE, .offset = GATEWAY(delivered_wait_ms),
		.help = "Wait so long for the journal to accept." },
	{ "max_body", CONF_SIZE, .preset = "1M", .min = 4 * KIB,
		.max = 64 * MIB, .offset = GATEWAY(max_body_bytes),
		.help = "Larger requests are refused." },
	{ "max_upload", CONF_SIZE, .preset = "110M", .min = 64 * KIB,
		.max = 2048 * MIB, .offset = GATEWAY(max_upload_bytes),
		.help = "Larger files are refused." },
	{ "deadline", CONF_DURATION, .preset = "1m", .min = SECOND,
		.max = 10 * MINUTE, .offset = GATEWAY(deadline_ms),
		.help = "A request must be complete by then." },
	{ "queue_age", CONF_DURATION, .preset = "10s", .min = 100,
		.max = MINUTE, .offset = GATEWAY(queue_ms),
		.help = "Older waiting for the store: answer 503." },
	{ "threads", CONF_NUMBER, .preset = "2", .min = 1, .max = 32,
		.offset = GATEWAY(threads), .help = "Threads of the listener." },
	{ "connections", CONF_NUMBER, .preset = "1024", .min = 1,
		.max = 65536, .offset = GATEWAY(connections),
		.help = "Connections at the same time." },
	{ "connections_per_address", CONF_NUMBER, .preset = "256", .min = 1,
		.max = 65536, .offset = GATEWAY(connections_per_address),
		.help = "The same from one address." },
	{ "upstream", CONF_NUMBER, .preset = "64", .min = 1, .max = 1024,
		.offset = GATEWAY(upstream),
		.help = "Connections to the Graph API." },
	{ "number_rate", CONF_NUMBER, .preset = "80", .min = 0, .max = 10000,
		.offset = GATEWAY(number_rate),
		.help = "Messages a second of one number; 0: no limit." },
	{ "pair_interval", CONF_DURATION, .preset = "6s", .min = 0,
		.max = HOUR, .offset = GATEWAY(pair_ms),
		.help = "One message to one person in this time, after" },
	{ "pair_burst", CONF_NUMBER, .preset = "45", .min = 0, .max = 10000,
		.offset = GATEWAY(pair_burst),
		.help = "so many at once; 0: no limit." },
	{ "pace_wait", CONF_DURATION, .preset = "10s", .min = 0,
		.max = 10 * MINUTE, .offset = GATEWAY(pace_wait_ms),
		.help = "Nobody waits longer for that: answer 429." },
	{ "template_age", CONF_DURATION, .preset = "1d", .min = MINUTE,
		.max = 30 * DAY, .offset = GATEWAY(template_ms),
		.help = "The definition of a template is believed so long." },
	{ "idempotency", CONF_DURATION, .preset = "1d", .min = MINUTE,
		.max = 30 * DAY, .offset = GATEWAY(idempotency_ms),
		.help = "An Idempotency-Key is remembered so long." },
	{ "upload_keep", CONF_DURATION, .preset = "30d", .min = HOUR,
		.max = 36500 * DAY, .offset = GATEWAY(upload_keep_ms),
		.help = "Uploaded files that nobody sent are kept so long." },
	{ "capture", CONF_BOOL, .preset = "off", .offset = GATEWAY(capture),
		.help = "Take copies from other senders at /capture." },
	{ "allow", CONF_PAIR, .flags = CONF_MANY | CONF_JOINED,
		.usage = "METHOD PATH", .names = method_names,
		.pair = { CONF_CHOICE, CONF_URLPATH },
		.offset = GATEWAY(allow),
		.help = "Pass these on as well; * in the path: anything." },
};

static const struct conf_row application_rows[] = {
	{ "token_file", CONF_PATH, .flags = CONF_MANY,
		.offset = APPLICATION(token_files),
		.help = "File with a token by which it proves itself." },
	{ "client_name", CONF_DOMAIN, .offset = APPLICATION(client_name),
		.help = "Name in the certificate by which it does." },
	{ "business", CONF_NAME, .flags = CONF_MANY,
		.offset = APPLICATION(businesses),
		.help = "Phone number id it may use; without: all." },
	{ "bot", CONF_BOOL, .preset = "off", .offset = APPLICATION(is_bot),
		.help = "What it sends no person wrote." },
	{ "employee_required", CONF_BOOL, .preset = "off",
		.offset = APPLICATION(employee_required),
		.help = "Each request must say who of the staff writes." },
};

static const struct conf_row ldap_rows[] = {
	{ "url", CONF_LDAP, .flags = CONF_REQUIRED, .offset = LDAP(url),
		.help = "ldaps://HOST[:PORT], or ldap:// with StartTLS." },
	{ "base", CONF_STRING, .flags = CONF_REQUIRED, .offset = LDAP(base),
		.help = "Where people are looked for." },
	{ "bind_dn", CONF_STRING, .offset = LDAP(bind_dn),
		.help = "Log in as this entry." },
	{ "password_file", CONF_PATH, .offset = LDAP(password_file),
		.help = "File with its password." },
	{ "tls_ca", CONF_PATH, .offset = LDAP(tls_ca_file),
		.help = "PEM file of trusted authorities." },
	{ "number_filter", CONF_FORM,
		.preset = "(|(telephoneNumber=%s)(mobile=%s))",
		.offset = LDAP(number_filter),
		.help = "Finds who has a telephone number." },
	{ "number_form", CONF_FORM, .preset = "+%s",
		.offset = LDAP(number_form),
		.help = "How numbers are written there." },
	{ "id_filter", CONF_FORM, .preset = "(employeeID=%s)",
		.offset = LDAP(id_filter),
		.help = "Finds who has an employee id." },
	{ "attr_id", CONF_NAME, .preset = "employeeID",
		.offset = LDAP(attr_id),
		.help = "Attribute with the employee id." },
	{ "attr_name", CONF_NAME, .preset = "displayName",
		.offset = LDAP(attr_name),
		.help = "Attribute with the legal name." },
	{ "attr_mail", CONF_NAME, .preset = "mail", .offset = LDAP(attr_mail),
		.help = "Attribute with the mail address." },
	{ "attr_group", CONF_NAME, .preset = "memberOf",
		.offset = LDAP(attr_group),
		.help = "Attribute with the groups." },
	{ "nested_groups", CONF_ENUM, .preset = "off", .names = nested_names,
		.offset = LDAP(nested),
		.help = "How groups that groups are in are found." },
	{ "group_base", CONF_STRING, .offset = LDAP(group_base),
		.help = "Where groups are looked for; default: base." },
	{ "timeout", CONF_DURATION, .preset = "5s", .min = 100,
		.max = 10 * MINUTE, .offset = LDAP(timeout_ms),
		.help = "For one search." },
	{ "fresh", CONF_DURATION, .preset = "4h", .min = SECOND,
		.max = 30 * DAY, .offset = LDAP(fresh_ms),
		.help = "An answer holds so long." },
	{ "absent", CONF_DURATION, .preset = "15m", .min = SECOND,
		.max = 30 * DAY, .offset = LDAP(absent_ms),
		.help = "The same for the answer that there is nobody." },
	{ "stale", CONF_DURATION, .preset = "7d", .min = 0,
		.max = 365 * DAY, .offset = LDAP(stale_ms),
		.help = "Old answers are used while no server is there." },
	{ "wait", CONF_DURATION, .preset = "10s", .min = 0,
		.max = 10 * MINUTE, .offset = LDAP(wait_ms),
		.help = "A turn or request waits so long for an answer." },
};

static void *
enter_application(struct conf_load *l, const struct conf_node *node)
{
	GPtrArray *list = l->c->gateway.applications;
	const char *name = node->words->next->value;
	struct conf_application *a;

	for (guint i = 0; i < list->len; i++) {
		a = list->pdata[i];
		if (strcmp(a->name, name) == 0) {
			conf_tell_again(l, node, "application");
			return NULL;
		}
	}
	a = g_new0(struct conf_application, 1);
	a->name = g_strdup(name);
	a->token_files = g_ptr_array_new_with_free_func(g_free);
	a->businesses = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(list, a);
	return a;
}

static const struct conf_block block_application = { .name = "application",
	.label = "NAME", .rows = application_rows,
	.count = G_N_ELEMENTS(application_rows), .enter = enter_application,
	.leave = conf_check_application, .list = GATEWAY(applications),
	.label_at = APPLICATION(name),
	.help = "A system of the bank that sends." };

static const struct conf_block *const gateway_blocks[] = {
	&block_application, NULL };

const struct conf_block conf_block_gateway = { .name = "gateway",
	.rows = gateway_rows, .count = G_N_ELEMENTS(gateway_rows),
	.blocks = gateway_blocks, .optional = true,
	.leave = conf_check_gateway,
	.help = "The way of staff systems to the Graph API." };

const struct conf_block conf_block_ldap = { .name = "ldap",
	.rows = ldap_rows, .count = G_N_ELEMENTS(ldap_rows),
	.optional = true, .leave = conf_check_ldap,
	.help = "A directory server that knows staff." };
