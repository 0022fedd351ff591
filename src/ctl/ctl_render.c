/* SPDX-License-Identifier: Apache-2.0 */
/*
 * render: webhook JSON to the mails it becomes, by the very code that the
 * build role runs, over a store in memory. For previews, template authors
 * and evidence: the same event gives the same bytes.
 */
#include <glib.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "conf.h"
#include "ctl_int.h"
#include "err.h"
#include "hash.h"
#include "io.h"
#include "role.h"
#include "store.h"

#define FILE_MAX (64 << 20)

struct rendering {
	struct ctl *ctl;
	struct json_object *all;
	int64_t mails;
	bool failed;
};

/* Without a configuration file: everything to one journal, all defaults. */
static bool
load_conf(struct ctl *ctl)
{
	static const char plain[] =
	    "catch_all preview; render { domain chatjournal.example; }\n"
	    "intake { app_secret_file /dev/null; "
	    "verify_token_file /dev/null; }\n"
	    "journal preview { maildir /nonexistent; }\n";
	g_autoptr(GString) messages = g_string_new(NULL);
	struct err err = ERR_INIT;

	if (ctl->conf_given || access(ctl->conf_path, F_OK) == 0)
		return ctl_conf_load(ctl);
	if (conf_load_text("built-in", plain, strlen(plain), &ctl->conf,
	    messages, &err))
		return true;
	fputs(messages->str, stderr);
	return false;
}

static bool
received_ms(const struct ctl *ctl, int64_t *out)
{
	char *end;

	*out = clock_now_ms();
	if (ctl->received == NULL)
		return true;
	*out = g_ascii_strtoll(ctl->received, &end, 10);
	if (*end == '\0' && *out > 0)
		return true;
	fputs("chatjournal: --received takes milliseconds since 1970 (see "
	    "received_ms in chatjournal --json show event:N)\n", stderr);
	return false;
}

static bool
add_file(struct ctl *ctl, const char *path, int64_t at, struct err *err)
{
	struct store_event ev = { .received_ms = at, .remote = "file",
		.secret_name = "none", .signature = "none" };
	g_autoptr(GBytes) body = NULL;
	int64_t id;

	if (!io_file_load(path, FILE_MAX, &body, err))
		return false;
	ev.body = g_bytes_get_data(body, &ev.len);
	hash_sha256(ev.body, ev.len, ev.sha256);
	store_begin(ctl->store);
	store_event_add(ctl->store, &ev, &id);
	return store_commit(ctl->store, err);
}

/* Lets time pass until every turn is closed. */
static bool
run_build(struct ctl *ctl, int64_t now, struct build_progress *sum,
    struct err *err)
{
	struct build_progress p;
	struct build *b;
	bool ok = true;

	if (!build_new(ctl->conf, ctl->store, &b, err))
		return false;
	do {
		int64_t files = 0;

		ok = build_step(b, now, &p, err) &&
		    ctl_media_answer(ctl, now, &files, err);
		if (!ok)
			break;
		p.more |= files > 0;
		sum->parked_events += p.parked_events;
		sum->parked_turns += p.parked_turns;
		if (!p.more && p.next_due_ms != INT64_MAX)
			now = MAX(now, p.next_due_ms);
	} while (p.more || p.next_due_ms != INT64_MAX);
	build_free(b);
	return ok;
}

static void
write_file(struct rendering *r, const struct store_mail *m, GBytes *bytes)
{
	g_autofree char *name = g_strconcat(m->message_id, ".eml", NULL);
	g_autofree char *path = g_build_filename(r->ctl->out_dir, name, NULL);
	struct err err = ERR_INIT;
	gsize len;
	const void *data = g_bytes_get_data(bytes, &len);

	if (!io_publish(r->ctl->out_dir, r->ctl->out_dir, name, data, len,
	    &err)) {
		fprintf(stderr, "chatjournal: %s\n", err.text);
		r->failed = true;
	} else if (!r->ctl->json) {
		puts(path);
	}
}

static bool
take_mail(void *arg, const struct store_mail *m)
{
	struct rendering *r = arg;
	g_autoptr(GBytes) bytes = NULL;
	struct err err = ERR_INIT;

	r->mails++;
	if (!ctl_mail_bytes(m, &bytes, &err)) {
		fprintf(stderr, "chatjournal: %s\n", err.text);
		r->failed = true;
		return true;
	}
	if (r->ctl->out_dir != NULL)
		write_file(r, m, bytes);
	else if (!r->ctl->json)
		fwrite(g_bytes_get_data(bytes, NULL), 1, m->len, stdout);
	if (r->all != NULL) {
		struct json_object *o = json_object_new_object();

		ctl_json_text(o, "message_id", m->message_id);
		ctl_json_text(o, "journal", m->journal);
		ctl_json_int(o, "size", (int64_t)m->len);
		json_object_array_add(r->all, o);
	}
	return true;
}

static bool
count_mail(void *arg, const struct store_mail *m)
{
	(void)m;
	++*(int64_t *)arg;
	return true;
}

static bool
each_mail(struct ctl *ctl, store_mail_fn *fn, void *arg, struct err *err)
{
	for (guint i = 0; i < ctl->conf->journals->len; i++) {
		const struct conf_journal *j = ctl->conf->journals->pdata[i];

		if (ctl->journal != NULL && strcmp(ctl->journal, j->name) != 0)
			continue;
		if (!store_mail_pending(ctl->store, j->name, 1, INT64_MAX,
		    INT32_MAX, fn, arg, err))
			return false;
	}
	return true;
}

static int
print_all(struct ctl *ctl, struct err *err)
{
	struct rendering r = { .ctl = ctl };
	int64_t n = 0;

	if (!each_mail(ctl, count_mail, &n, err))
		return ctl_fail(err);
	if (n == 0) {
		fputs("chatjournal: no mail comes of this\n", stderr);
		return CTL_NOTHING;
	}
	if (n > 1 && ctl->out_dir == NULL && !ctl->json) {
		fprintf(stderr, "chatjournal: this becomes %" PRId64 " mails; "
		    "name a directory for them with -o, or one journal with "
		    "-j\n", n);
		return CTL_USAGE;
	}
	if (ctl->json)
		r.all = json_object_new_array();
	if (!each_mail(ctl, take_mail, &r, err))
		return ctl_fail(err);
	if (r.all != NULL)
		ctl_json_print(r.all);
	return r.failed ? CTL_TEMP : CTL_OK;
}

/* Files are wanted when there is a folder to look for them, and only then. */
static bool
set_media(struct ctl *ctl)
{
	g_free(ctl->conf->graph.url);
	ctl->conf->graph.url = g_strdup(ctl->media_dir);
	if (ctl->media_dir == NULL ||
	    g_file_test(ctl->media_dir, G_FILE_TEST_IS_DIR))
		return true;
	fprintf(stderr, "chatjournal: --media %s: there is no such "
	    "directory\n", ctl->media_dir);
	return false;
}

int
ctl_render(struct ctl *ctl, int argc, char **argv)
{
	struct build_progress sum = { 0 };
	struct err err = ERR_INIT;
	int64_t at;

	if (argc == 0) {
		fputs("chatjournal: render which files?\n", stderr);
		return CTL_USAGE;
	}
	if (!received_ms(ctl, &at))
		return CTL_USAGE;
	if (!load_conf(ctl))
		return CTL_CONF;
	if (!set_media(ctl))
		return CTL_USAGE;
	if (ctl->templates != NULL) {
		g_free(ctl->conf->render.templates);
		ctl->conf->render.templates = g_strdup(ctl->templates);
	}
	if (!store_open("sqlite::memory:", STORE_ALL, &ctl->store, &err))
		return ctl_fail(&err);
	for (int i = 0; i < argc; i++) {
		if (!add_file(ctl, argv[i], at, &err))
			return ctl_fail(&err);
	}
	if (!run_build(ctl, at, &sum, &err))
		return ctl_fail(&err);
	if (sum.parked_events + sum.parked_turns > 0)
		fputs("chatjournal: something was parked: it is no webhook "
		    "JSON, or cannot be rendered\n", stderr);
	return print_all(ctl, &err);
}
