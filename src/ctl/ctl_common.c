/* SPDX-License-Identifier: Apache-2.0 */
/* What the admin tool's commands share: opening, failing, printing. */
#include <glib.h>
#include <json-c/json.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "conf.h"
#include "ctl_int.h"
#include "err.h"
#include "io.h"
#include "store.h"

int
ctl_fail(const struct err *err)
{
	fprintf(stderr, "chatjournal: %s\n", err->text);
	if (err->kind == ERR_CONF)
		return strncmp(err->what, "store.", 6) == 0 ? CTL_STORE
							    : CTL_CONF;
	return err->kind == ERR_PERM ? CTL_STORE : CTL_TEMP;
}

bool
ctl_conf_load(struct ctl *ctl)
{
	g_autoptr(GString) messages = g_string_new(NULL);
	struct err err = ERR_INIT;
	bool ok = conf_load(ctl->conf_path, &ctl->conf, messages, &err);

	fputs(messages->str, stderr);
	if (!ok)
		fprintf(stderr, "chatjournal: %s\n", err.text);
	return ok;
}

int
ctl_store_open(struct ctl *ctl, bool to_write)
{
	struct err err = ERR_INIT;

	if (!ctl_conf_load(ctl))
		return CTL_CONF;
	if (store_open(ctl->conf->store, to_write ? STORE_ADMIN : STORE_NONE,
	    &ctl->store, &err))
		return CTL_OK;
	return ctl_fail(&err);
}

static char *
next_buffer(void)
{
	static char buffers[4][CLOCK_ISO_SIZE];
	static unsigned at;

	return buffers[at++ % 4];
}

const char *
ctl_time(int64_t ms)
{
	return ms == 0 ? "-" : clock_iso(ms, 0, next_buffer());
}

const char *
ctl_age(int64_t since_ms)
{
	int64_t s = (clock_now_ms() - since_ms) / 1000;
	char *out = next_buffer();

	if (since_ms == 0)
		return "-";
	if (s < 120)
		snprintf(out, CLOCK_ISO_SIZE, "%lld s", (long long)s);
	else if (s < 7200)
		snprintf(out, CLOCK_ISO_SIZE, "%lld min", (long long)s / 60);
	else if (s < 172800)
		snprintf(out, CLOCK_ISO_SIZE, "%lld h", (long long)s / 3600);
	else
		snprintf(out, CLOCK_ISO_SIZE, "%lld d", (long long)s / 86400);
	return out;
}

void
ctl_json_print(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void
ctl_json_text(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key,
	    value != NULL ? json_object_new_string(value) : NULL);
}

void
ctl_json_int(struct json_object *o, const char *key, int64_t value)
{
	json_object_object_add(o, key, json_object_new_int64(value));
}

int64_t
ctl_id(const char *text, const char *prefix)
{
	size_t n = strlen(prefix);
	char *end;
	int64_t id;

	if (strncmp(text, prefix, n) != 0 || text[n] != ':')
		return 0;
	id = g_ascii_strtoll(text + n + 1, &end, 10);
	return *end == '\0' && id > 0 ? id : 0;
}

bool
ctl_mail_is_held(const struct store_mail *m)
{
	return m->bytes != NULL || m->file != NULL;
}

bool
ctl_mail_bytes(const struct store_mail *m, GBytes **out, struct err *err)
{
	GMappedFile *file;

	if (m->file == NULL) {
		*out = g_bytes_new_static(m->bytes, m->len);
		return true;
	}
	file = g_mapped_file_new(m->file, FALSE, NULL);
	if (file == NULL)
		return err_set(err, ERR_TEMP, "ctl.file", "cannot read %s",
		    m->file);
	*out = g_mapped_file_get_bytes(file);
	g_mapped_file_unref(file);
	return true;
}

/* Survives su and sudo, and cannot be set but by root (pam_loginuid(8)). */
static const struct passwd *
login_user(void)
{
	GBytes *text = NULL;
	gsize len;
	const char *bytes;
	const struct passwd *pw = NULL;
	guint64 uid;

	if (!io_file_load("/proc/self/loginuid", 32, &text, NULL))
		return NULL;
	bytes = g_bytes_get_data(text, &len);
	if (bytes != NULL && len > 0 && g_ascii_isdigit(bytes[0])) {
		g_autofree char *copy = g_strndup(bytes, len);

		uid = g_ascii_strtoull(copy, NULL, 10);
		pw = uid != UINT32_MAX ? getpwuid((uid_t)uid) : NULL;
	}
	g_bytes_unref(text);
	return pw;
}

const char *
ctl_who(void)
{
	const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	const struct passwd *pw = login_user();

	if (pw == NULL && sudo != NULL && sudo[0] != '\0')
		return sudo;
	if (pw == NULL)
		pw = getpwuid(getuid());
	return pw != NULL ? pw->pw_name : "unknown";
}
