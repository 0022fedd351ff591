/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value of one type: text to field and back. Messages are the end of a
 * sentence that begins with the value: `"20" needs a unit: …`. What is not
 * right leaves the field as it was.
 */
#include "conf_int.h"

#include <inttypes.h>
#include <string.h>

#include "err.h"
#include "text.h"

struct unit {
	const char *name;
	int64_t factor;
};

/* Largest first: that is how values are printed. */
static const struct unit duration_units[] = { { "d", 86400000 },
	{ "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }, { 0 } };
static const struct unit size_units[] = { { "G", 1 << 30 }, { "M", 1 << 20 },
	{ "k", 1 << 10 }, { "", 1 }, { 0 } };
static const struct unit no_units[] = { { "", 1 }, { 0 } };

static const struct unit *
units_of(enum conf_type type)
{
	if (type == CONF_DURATION)
		return duration_units;
	return type == CONF_SIZE ? size_units : no_units;
}

static char *
format_number(int64_t n, const struct unit *u)
{
	if (n == 0)
		return g_strdup("0");
	while (n % u->factor != 0)
		u++;
	return g_strdup_printf("%" PRId64 "%s", n / u->factor, u->name);
}

static bool
fail(struct err *err, const char *why)
{
	return err_set(err, ERR_CONF, "conf.value", "%s", why);
}

/* --- text --- */

static bool
check_string(const char *s, struct err *err)
{
	g_autofree char *clean = text_clean(s, strlen(s), TEXT_LINE, 1024);

	if (strlen(s) > 1024)
		return fail(err, "is longer than 1024 bytes");
	if (strcmp(s, clean) != 0)
		return fail(err, "has control or invisible characters in it");
	return true;
}

static bool
check_choice(const struct conf_row *row, const char *s, int *index,
    struct err *err)
{
	g_autofree char *all = g_strjoinv(", ", (char **)(uintptr_t)row->names);
	g_autofree char *guess = NULL;
	struct conf_near near;

	conf_near_begin(&near, s);
	for (int i = 0; row->names[i] != NULL; i++) {
		if (strcmp(s, row->names[i]) == 0) {
			*index = i;
			return true;
		}
		conf_near_try(&near, row->names[i]);
	}
	guess = conf_near_text(&near);
	return err_set(err, ERR_CONF, "conf.value", "is not one of %s%s", all,
	    guess);
}

/* "sqlite:PATH", with the path made absolute. */
static bool
parse_store(const char *s, const struct conf_place *at, char **out,
    struct err *err)
{
	g_autofree char *path = NULL;

	if (!g_str_has_prefix(s, "sqlite:") || s[7] == '\0')
		return fail(err, "is not sqlite:PATH, the one kind of store");
	path = conf_files_path(at->files, at->src, s + 7);
	*out = g_strconcat("sqlite:", path, NULL);
	return true;
}

static bool
parse_phone(const char *s, char **out, struct err *err)
{
	char *digits = text_phone_digits(s);

	if (digits == NULL)
		return fail(err, "is not a telephone number: country code "
		    "and number, 6 to 15 digits");
	*out = digits;
	return true;
}

/* A unix socket's path is made absolute as all paths; HOST:PORT stays. */
static bool
parse_socket(const char *s, const struct conf_place *at, char **out,
    struct err *err)
{
	if (!conf_socket_check(s, err))
		return false;
	*out = strchr(s, '/') != NULL ?
	    conf_files_path(at->files, at->src, s) : g_strdup(s);
	return true;
}

static conf_check_fn *
check_of(enum conf_type type)
{
	static conf_check_fn *const checks[] = {
		[CONF_NAME] = conf_name_check, [CONF_USER] = conf_name_check,
		[CONF_URLPATH] = conf_urlpath_check,
		[CONF_MAIL] = conf_mail_check,
		[CONF_DOMAIN] = conf_domain_check,
		[CONF_HEADER] = conf_header_check,
		[CONF_LANGUAGE] = conf_language_check,
		[CONF_ZONE] = conf_zone_check,
		[CONF_VERSION] = conf_version_check,
		[CONF_HTTPS] = conf_https_check,
		[CONF_HOSTS] = conf_hosts_check,
		[CONF_PROXY] = conf_proxy_check,
		[CONF_HTTP] = conf_http_check,
		[CONF_LDAP] = conf_ldap_check,
		[CONF_FORM] = conf_form_check,
	};

	return type < G_N_ELEMENTS(checks) ? checks[type] : NULL;
}

/* All types that end in a char *. */
static bool
parse_text(const struct conf_row *row, const char *s,
    const struct conf_place *at, char **out, struct err *err)
{
	conf_check_fn *check = check_of(row->type);
	bool ok = true;
	int index;

	if (row->type == CONF_PHONE)
		return parse_phone(s, out, err);
	if (row->type == CONF_NETWORK)
		return conf_network_parse(s, out, err);
	if (row->type == CONF_STORE)
		return parse_store(s, at, out, err);
	if (row->type == CONF_SOCKET)
		return parse_socket(s, at, out, err);
	if (check != NULL)
		ok = check(s, err);
	else if (row->type == CONF_CHOICE)
		ok = check_choice(row, s, &index, err);
	if (!ok || !check_string(s, err))
		return false;
	if (row->type == CONF_PATH)
		*out = conf_files_path(at->files, at->src, s);
	else	/* NULL is how "no user" is said to the rest of the program */
		*out = row->type == CONF_USER && strcmp(s, "-") == 0 ? NULL :
		    g_strdup(s);
	return true;
}

/* Lists that most entries of a large directory lack are made when needed. */
static void
add_value(GPtrArray **list, char *value)
{
	if (*list == NULL)
		*list = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(*list, value);
}

static bool
set_text(const struct conf_row *row, void *field, const char *s,
    const struct conf_place *at, struct err *err)
{
	char *value;

	if (*s == '\0')
		return fail(err, "is empty");
	if (!parse_text(row, s, at, &value, err))
		return false;
	if (field == NULL) {
		g_free(value);
	} else if (row->flags & CONF_MANY) {
		add_value(field, value);
	} else {
		g_free(*(char **)field);
		*(char **)field = value;
	}
	return true;
}

/* --- numbers --- */

static const struct unit *
find_unit(enum conf_type type, const char *name)
{
	for (const struct unit *u = units_of(type); u->name != NULL; u++) {
		if (strcmp(u->name, name) == 0)
			return u;
		/* 4m and 4K are plain enough as sizes. */
		if (type == CONF_SIZE && g_ascii_strcasecmp(u->name, name) == 0)
			return u;
	}
	return NULL;
}

static bool
fail_unit(enum conf_type type, const char *name, struct err *err)
{
	if (type == CONF_DURATION && *name == '\0')
		return fail(err, "needs a unit: ms, s, m, h or d");
	if (type == CONF_DURATION)
		return fail(err, "is not a duration: a number and ms, s, m, "
		    "h or d");
	if (type == CONF_SIZE)
		return fail(err, "is not a size: a number, and k, M or G");
	return fail(err, "is not a number");
}

static bool
fail_range(const struct conf_row *row, struct err *err)
{
	g_autofree char *min = format_number(row->min, units_of(row->type));
	g_autofree char *max = format_number(row->max, units_of(row->type));

	return err_set(err, ERR_CONF, "conf.value",
	    "is out of range: %s to %s", min, max);
}

static bool
set_number(const struct conf_row *row, int64_t *field, const char *s,
    struct err *err)
{
	size_t digits = strspn(s, "0123456789");
	const struct unit *u = find_unit(row->type, s + digits);
	int64_t n = 0;

	if (digits > 0 && u == NULL && strcmp(s, "0") == 0)
		u = no_units;
	if (digits == 0 || u == NULL)
		return fail_unit(row->type, digits > 0 ? s + digits : "?",
		    err);
	for (size_t i = 0; i < digits; i++) {
		n = n * 10 + (s[i] - '0');
		if (n > INT64_MAX / 10 / duration_units[0].factor)
			return fail_range(row, err);
	}
	n *= u->factor;
	if (n < row->min || n > row->max)
		return fail_range(row, err);
	*field = n;
	return true;
}

static bool
set_bool(bool *field, const char *s, struct err *err)
{
	if (strcmp(s, "on") != 0 && strcmp(s, "off") != 0)
		return fail(err, "is neither on nor off");
	*field = strcmp(s, "on") == 0;
	return true;
}

/* --- all --- */

static void *
field_of(const struct conf_row *row, void *base)
{
	return row->offset == CONF_NOWHERE ? NULL : (char *)base + row->offset;
}

bool
conf_value_set(const struct conf_row *row, void *base, const char *text,
    const struct conf_place *at, struct err *err)
{
	void *field = field_of(row, base);

	switch (row->type) {
	case CONF_BOOL:
		return set_bool(field, text, err);
	case CONF_ENUM:
		return check_choice(row, text, field, err);
	case CONF_NUMBER:
	case CONF_SIZE:
	case CONF_DURATION:
		return set_number(row, field, text, err);
	case CONF_LISTEN:
		return conf_listen_parse(text, field, err);
	case CONF_URL:
		return conf_url_parse(text, field, err);
	case CONF_STRING:
	case CONF_NAME:
	case CONF_USER:
	case CONF_PATH:
	case CONF_URLPATH:
	case CONF_STORE:
	case CONF_MAIL:
	case CONF_DOMAIN:
	case CONF_PHONE:
	case CONF_NETWORK:
	case CONF_CHOICE:
	case CONF_HEADER:
	case CONF_LANGUAGE:
	case CONF_ZONE:
	case CONF_VERSION:
	case CONF_HTTPS:
	case CONF_HOSTS:
	case CONF_PROXY:
	case CONF_SOCKET:
	case CONF_HTTP:
	case CONF_LDAP:
	case CONF_FORM:
	case CONF_PAIR:
	case CONF_WORDS:
	case CONF_FREE:
		break;
	}
	return set_text(row, field, text, at, err);
}

static char *
format_host(const char *scheme, const char *host, int64_t port)
{
	bool six = strchr(host, ':') != NULL;

	return g_strdup_printf("%s%s%s%s:%" PRId64, scheme, six ? "[" : "",
	    host, six ? "]" : "", port);
}

static char *
format_url(const struct conf_relay *r)
{
	if (r->host == NULL)
		return NULL;
	return format_host(r->tls == DELIVER_TLS_IMPLICIT ? "smtps://" :
	    "smtp://", r->host, r->port);
}

char *
conf_value_format(const struct conf_row *row, const void *base)
{
	const char *field = (const char *)base + row->offset;
	const struct conf_listen *listen = (const void *)field;

	switch (row->type) {
	case CONF_BOOL:
		return g_strdup(*(const bool *)field ? "on" : "off");
	case CONF_ENUM:
		return g_strdup(row->names[*(const int *)(const void *)field]);
	case CONF_NUMBER:
	case CONF_SIZE:
	case CONF_DURATION:
		return format_number(*(const int64_t *)(const void *)field,
		    units_of(row->type));
	case CONF_LISTEN:
		return listen->address == NULL ? NULL :
		    format_host("", listen->address, listen->port);
	case CONF_URL:
		return format_url((const void *)field);
	case CONF_STRING:
	case CONF_NAME:
	case CONF_USER:
	case CONF_PATH:
	case CONF_URLPATH:
	case CONF_STORE:
	case CONF_MAIL:
	case CONF_DOMAIN:
	case CONF_PHONE:
	case CONF_NETWORK:
	case CONF_CHOICE:
	case CONF_HEADER:
	case CONF_LANGUAGE:
	case CONF_ZONE:
	case CONF_VERSION:
	case CONF_HTTPS:
	case CONF_HOSTS:
	case CONF_PROXY:
	case CONF_SOCKET:
	case CONF_HTTP:
	case CONF_LDAP:
	case CONF_FORM:
	case CONF_PAIR:
	case CONF_WORDS:
	case CONF_FREE:
		break;
	}
	if (row->type == CONF_USER &&
	    *(char *const *)(const void *)field == NULL)
		return g_strdup("-");
	return g_strdup(*(char *const *)(const void *)field);
}

char *
conf_value_type(const struct conf_row *row)
{
	static const char *const names[] = {
		[CONF_STRING] = "string", [CONF_NAME] = "name",
		[CONF_USER] = "name",
		[CONF_PATH] = "path", [CONF_URLPATH] = "path",
		[CONF_STORE] = "driver:path", [CONF_MAIL] = "mail",
		[CONF_DOMAIN] = "domain", [CONF_PHONE] = "phone",
		[CONF_NETWORK] = "network", [CONF_CHOICE] = "choice",
		[CONF_HEADER] = "header", [CONF_LANGUAGE] = "language",
		[CONF_ZONE] = "zone", [CONF_VERSION] = "version",
		[CONF_HTTPS] = "url", [CONF_HOSTS] = "host",
		[CONF_PROXY] = "url", [CONF_SOCKET] = "path or address:port",
		[CONF_HTTP] = "url", [CONF_LDAP] = "url",
		[CONF_FORM] = "string",
		[CONF_LISTEN] = "address:port", [CONF_URL] = "url",
		[CONF_BOOL] = "on | off", [CONF_ENUM] = "choice",
		[CONF_NUMBER] = "number", [CONF_SIZE] = "size",
		[CONF_DURATION] = "duration",
	};
	g_autofree char *min = NULL, *max = NULL;

	if (row->usage != NULL)
		return g_strdup(row->usage);
	if (row->names != NULL)
		return g_strjoinv(" | ", (char **)(uintptr_t)row->names);
	if (row->max == 0)
		return g_strdup(names[row->type]);
	min = format_number(row->min, units_of(row->type));
	max = format_number(row->max, units_of(row->type));
	return g_strdup_printf("%s, %s to %s", names[row->type], min, max);
}
