/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Crashes the publishing of files at each of its system calls: io_publish()
 * by itself, and a session into a Maildir. Two laws: what was acknowledged is
 * there; what is visible is whole. Afterwards another process goes on, and
 * all is there once, with nothing left over in tmp.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash_calls.h"
#include "deliver.h"
#include "err.h"
#include "io.h"

#define MAILS 5
#define REPEATED 2	/* the last one is this one again */
#define LEAST_CALLS 25
#define AGAIN_MAX 10

struct told {
	bool accepted[MAILS];
	int calls;
};

static struct told *told;
static char *dir;

/* ---- what is published ------------------------------------------------------ */

static size_t
size_of(int i)
{
	return i == 1 ? 300000 : 1000;
}

static char *
bytes_of(int i)
{
	char *bytes;

	if (i == MAILS - 1)
		i = REPEATED;
	bytes = g_strnfill(size_of(i), (char)('a' + i));
	bytes[size_of(i) - 1] = '$';
	return bytes;
}

static char *
name_of(int i)
{
	return g_strdup_printf("t.%d", i == MAILS - 1 ? REPEATED : i);
}

static char *
path_in(const char *sub)
{
	return g_build_filename(dir, sub, NULL);
}

/* ---- io_publish ---------------------------------------------------------------- */

static bool
publish_all(void)
{
	g_autofree char *tmp = path_in("tmp"), *new = path_in("new");
	bool ok = true;

	for (int i = 0; i < MAILS; i++) {
		g_autofree char *bytes = bytes_of(i), *name = name_of(i);

		if (told->accepted[i])
			continue;
		told->accepted[i] = io_publish(tmp, new, name, bytes,
		    size_of(i), NULL);
		ok = ok && told->accepted[i];
	}
	return ok;
}

/* ---- a session -------------------------------------------------------------------- */

struct feeding {
	struct deliver_mail mail;
	char *bytes, *id;
	int next;
};

static const struct deliver_mail *
next_mail(void *arg, int64_t wait_ms)
{
	struct feeding *f = arg;

	(void)wait_ms;
	while (f->next < MAILS && told->accepted[f->next])
		f->next++;
	if (f->next == MAILS)
		return NULL;
	g_free(f->bytes);
	g_free(f->id);
	f->bytes = bytes_of(f->next);
	f->id = name_of(f->next);
	f->mail = (struct deliver_mail){ .id = f->next, .message_id = f->id,
		.envelope_from = "f@test", .envelope_to = "t@test",
		.bytes = f->bytes, .len = size_of(f->next) };
	f->next++;
	return &f->mail;
}

static void
mail_done(void *arg, const struct deliver_mail *mail,
    const struct deliver_report *report)
{
	(void)arg;
	if (report->result == DELIVER_ACCEPTED)
		told->accepted[mail->id] = true;
}

static bool
deliver_all(void)
{
	struct feeding f = { .next = 0 };
	struct deliver_feed feed = { next_mail, mail_done, &f };
	bool ok = deliver_maildir_session(dir, &feed, NULL);

	g_free(f.bytes);
	g_free(f.id);
	return ok;
}

/* ---- what is checked ---------------------------------------------------------------- */

static guint
count_in(const char *sub)
{
	g_autofree char *path = path_in(sub);
	g_autoptr(GDir) d = g_dir_open(path, 0, NULL);
	guint n = 0;

	while (d != NULL && g_dir_read_name(d) != NULL)
		n++;
	return n;
}

/* Which mail the file is, -1 if it is none of them. */
static int
which(const char *path)
{
	g_autofree char *got = NULL;
	gsize len;

	if (!g_file_get_contents(path, &got, &len, NULL))
		return -1;
	for (int i = 0; i < MAILS; i++) {
		g_autofree char *want = bytes_of(i);

		if (len == size_of(i) && memcmp(got, want, len) == 0)
			return i;
	}
	return -1;
}

static const char *
check_laws(void)
{
	g_autofree char *new = path_in("new");
	g_autoptr(GDir) d = g_dir_open(new, 0, NULL);
	bool visible[MAILS] = { false };
	const char *name;

	while (d != NULL && (name = g_dir_read_name(d)) != NULL) {
		g_autofree char *path = g_build_filename(new, name, NULL);
		int i = which(path);

		if (i < 0)
			return "what is visible is not whole";
		visible[i] = true;
	}
	visible[MAILS - 1] = visible[REPEATED];
	for (int i = 0; i < MAILS; i++) {
		if (told->accepted[i] && !visible[i])
			return "what was acknowledged is not there";
	}
	return NULL;
}

static const char *
check_end(void)
{
	const char *wrong = check_laws();

	for (int i = 0; i < MAILS && wrong == NULL; i++) {
		if (!told->accepted[i])
			wrong = "it does not come to its end";
	}
	if (wrong == NULL && count_in("new") != MAILS - 1)
		wrong = "there are not as many files as mails";
	if (wrong == NULL && count_in("tmp") != 0)
		wrong = "something is left over in tmp";
	return wrong;
}

/* ---- runs --------------------------------------------------------------------------- */

struct plan {
	const char *sentence;
	bool (*work)(void);
	enum crash_mode mode;
};

static const struct plan plans[] = {
	{ "a file is published whole or not at all, when killed at any call",
	    publish_all, CRASH_KILL },
	{ "the same, when cut off from power",
	    publish_all, CRASH_CUT },
	{ "the same, when names reach the disk before bytes",
	    publish_all, CRASH_NAMES },
	{ "when a call fails it says so, and going on publishes all",
	    publish_all, CRASH_FAIL },
	{ "a Maildir has what it acknowledged, and whole, when killed at any "
	    "call", deliver_all, CRASH_KILL },
	{ "the same Maildir, when cut off from power",
	    deliver_all, CRASH_CUT },
	{ "the same Maildir, when names reach the disk before bytes",
	    deliver_all, CRASH_NAMES },
	{ "when a call fails the Maildir's mail is not acknowledged, and goes "
	    "there later", deliver_all, CRASH_FAIL },
};

static void
fresh_dirs(void)
{
	static const char *const subs[] = { "new", "tmp", "cur" };

	for (size_t i = 0; i < G_N_ELEMENTS(subs); i++) {
		g_autofree char *path = path_in(subs[i]);
		g_autoptr(GDir) d = g_dir_open(path, 0, NULL);
		const char *name;

		while (d != NULL && (name = g_dir_read_name(d)) != NULL) {
			g_autofree char *file = g_build_filename(path, name,
			    NULL);

			g_unlink(file);
		}
		g_mkdir(path, 0700);
	}
	memset(told, 0, sizeof(*told));
}

/* In a process of its own; goes on after failures as the role does. */
static int
run(const struct plan *p, enum crash_mode mode, int at)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		crash_arm(mode, at);
		for (int i = 0; i < AGAIN_MAX && !p->work(); i++)
			;
		told->calls = crash_calls();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
try_one(const struct plan *p, int at)
{
	int want = p->mode == CRASH_FAIL ? 0 : CRASH_EXIT, got;
	const char *wrong;

	fresh_dirs();
	got = run(p, p->mode, at);
	wrong = got == want ? check_laws() : "it ended in another way";
	if (wrong == NULL && run(p, CRASH_NEVER, 0) != 0)
		wrong = "going on did not end well";
	if (wrong == NULL)
		wrong = check_end();
	if (wrong != NULL)
		printf("# at call %d: %s\n", at, wrong);
	return wrong == NULL;
}

static bool
try_plan(const struct plan *p, int number)
{
	int calls;
	bool ok;

	fresh_dirs();
	run(p, CRASH_FAIL, -1);
	calls = told->calls;
	ok = calls >= LEAST_CALLS;
	printf("# %d calls\n", calls);
	for (int at = 1; at <= calls; at++)
		ok = try_one(p, at) && ok;
	printf("%sok %d - %s\n", ok ? "" : "not ", number, p->sentence);
	fflush(stdout);
	return ok;
}

int
main(void)
{
	bool ok = true;

	dir = g_dir_make_tmp("crash-maildir-XXXXXX", NULL);
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	printf("1..%d\n", (int)G_N_ELEMENTS(plans));
	for (int i = 0; i < (int)G_N_ELEMENTS(plans); i++)
		ok = try_plan(&plans[i], i + 1) && ok;
	fresh_dirs();
	for (int i = 0; i < 3; i++) {
		static const char *const subs[] = { "new", "tmp", "cur" };
		g_autofree char *path = path_in(subs[i]);

		g_rmdir(path);
	}
	g_rmdir(dir);
	g_free(dir);
	return ok ? 0 : 1;
}
