/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chatjournald(8): the supervisor, or with --role one of its roles.
 *
 * The supervisor checks the configuration, hands its snapshot and their
 * listening sockets to the roles and writes everybody's log lines to the
 * configured target. It opens neither the store nor any secret for use, and
 * parses nothing from outside.
 */
#include <errno.h>
#include <getopt.h>
#include <glib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf.h"
#include "err.h"
#include "http.h"
#include "log.h"
#include "proc.h"
#include "role.h"

#define STOP_MS 30000
#define EXIT_USAGE 64

struct daemon {
	const char *path;
	struct conf *conf;
	struct proc_setup setup;	/* what the supervisor has */
};

/* ---- configuration ---------------------------------------------------------- */

static bool
load(const char *path, struct conf **out)
{
	g_autoptr(GString) messages = g_string_new(NULL);
	struct err err = ERR_INIT;
	struct conf *c = NULL;
	bool ok = conf_load(path, &c, messages, &err);

	if (ok && !role_check(c, messages)) {
		ok = err_set(&err, ERR_CONF, "conf.check",
		    "%s cannot be used", path);
		conf_free(c);
	}
	if (messages->len > 0)
		fputs(messages->str, stderr);
	if (!ok)
		fprintf(stderr, "chatjournald: %s\n", err.text);
	else
		*out = c;
	return ok;
}

/* A large directory leaves much that was needed only to read it. */
static void
give_back_memory(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

/*
 * -1 and a line on standard error when it cannot be made. c is shrunk: who is
 * who is the roles' business.
 */
static int
snapshot(struct conf *c)
{
	int fd = memfd_create("chatjournal.conf", MFD_CLOEXEC);
	struct err err = ERR_INIT;

	if (fd < 0 || !conf_snapshot_save(c, fd, &err)) {
		fprintf(stderr, "chatjournald: cannot keep the configuration: "
		    "%s\n", fd < 0 ? err_errno(errno) : err.text);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	conf_shrink(c);
	give_back_memory();
	return fd;
}

/* What is said of a reload reaches the log: there is no terminal. */
static void
log_lines(const char *text, bool is_refused)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **l = lines; *l != NULL; l++) {
		if (**l != '\0' && is_refused)
			log_error("reload.error", "text=%s", *l);
		else if (**l != '\0')
			log_warn("reload.warning", "text=%s", *l);
	}
}

/* Who has nothing to do is not there: no process, no descriptor. */
static unsigned
roles_of(const struct conf *c)
{
	unsigned roles = 1u << PROC_STORE | 1u << PROC_INTAKE |
	    1u << PROC_BUILD | 1u << PROC_MEDIA | 1u << PROC_DELIVER;

	if (c->gateway.listen.address != NULL)
		roles |= 1u << PROC_GATEWAY;
	if (c->ldap.url != NULL)
		roles |= 1u << PROC_DIRECTORY;
	return roles;
}

/*
 * What was opened at the start cannot change under running roles: the store
 * was checked once, by a role of its own.
 */
static bool
is_same_place(const struct conf *old, const struct conf *new)
{
	if (g_strcmp0(old->store, new->store) == 0 &&
	    g_strcmp0(old->state_dir, new->state_dir) == 0 &&
	    g_strcmp0(old->user, new->user) == 0 &&
	    old->log.target == new->log.target &&
	    g_strcmp0(old->log.facility, new->log.facility) == 0)
		return true;
	log_error("reload.error", "text=\"store, state_dir, user and the"
	    " log's target need a restart\"");
	return false;
}

/* ---- listening sockets -------------------------------------------------------- */

static const struct conf_listen *
listen_of(const struct conf *c, int role)
{
	if (role == PROC_INTAKE)
		return &c->intake.listen;
	return role == PROC_GATEWAY && c->gateway.listen.address != NULL ?
	    &c->gateway.listen : NULL;
}

/* What old has at the same place stays as it is. */
static bool
is_same_listen(const struct conf_listen *a, const struct conf_listen *b)
{
	return a != NULL && b != NULL && a->port == b->port &&
	    strcmp(a->address, b->address) == 0;
}

/* Those of a that b has not. */
static void
close_others(const struct proc_setup *a, const struct proc_setup *b)
{
	for (int r = 0; r < PROC_ROLES; r++)
		if (a->listen[r] >= 0 && a->listen[r] != b->listen[r])
			close(a->listen[r]);
}

/* At the start nobody is let in before the store is ready. */
static bool
hold_all(const struct conf *c, struct proc_setup *out, struct err *err)
{
	for (int r = 0; r < PROC_ROLES; r++) {
		const struct conf_listen *l = listen_of(c, r);
		struct http_place place = { .port = 0 };

		out->listen[r] = -1;
		if (l == NULL)
			continue;
		place.address = l->address;
		place.port = l->port;
		if (!http_hold(&place, &out->listen[r], err))
			return false;
	}
	return true;
}

/* The new ones, before anything else is changed; none is left on failure. */
static bool
listen_anew(const struct daemon *d, const struct conf *c,
    struct proc_setup *out)
{
	struct err err = ERR_INIT;
	bool ok = true;

	for (int r = 0; r < PROC_ROLES; r++) {
		const struct conf_listen *l = listen_of(c, r);
		struct http_place place = { .beside = d->setup.listen,
			.n_beside = PROC_ROLES };

		out->listen[r] = -1;
		if (is_same_listen(l, listen_of(d->conf, r))) {
			out->listen[r] = d->setup.listen[r];
		} else if (l != NULL && ok) {
			place.address = l->address;
			place.port = l->port;
			ok = http_listen(&place, &out->listen[r], &err);
		}
	}
	if (!ok) {
		log_err(LOG_LEVEL_ERROR, "reload.error", &err, "%s", "");
		close_others(out, &d->setup);
	}
	return ok;
}

/* ---- reload ------------------------------------------------------------------- */

static bool
prepare(struct daemon *d, struct conf *c, struct proc_setup *next)
{
	if (!is_same_place(d->conf, c) || !listen_anew(d, c, next))
		return false;
	next->roles = roles_of(c);
	next->conf_fd = snapshot(c);
	if (next->conf_fd < 0)
		close_others(next, &d->setup);
	return next->conf_fd >= 0;
}

static bool
reload(void *arg, struct proc_setup *next)
{
	struct daemon *d = arg;
	g_autoptr(GString) messages = g_string_new(NULL);
	struct err err = ERR_INIT;
	struct conf *c = NULL;

	if (!conf_load(d->path, &c, messages, &err) ||
	    !role_check(c, messages)) {
		log_lines(messages->str, true);
		conf_free(c);
		return false;
	}
	if (!prepare(d, c, next)) {
		conf_free(c);
		return false;
	}
	log_lines(messages->str, false);
	conf_free(d->conf);
	d->conf = c;
	d->setup = *next;
	log_set_level((enum log_level)c->log.level);
	return true;
}

/* ---- logging ------------------------------------------------------------------ */

static void
role_line(void *arg, const char *role, pid_t pid, int severity,
    const char *line)
{
	(void)arg;
	proc_log_write(severity, role, pid, line);
}

static bool
start_log(const struct daemon *d, struct err *err)
{
	const struct conf_log *log = &d->conf->log;

	if (!proc_log_start((enum proc_log_target)log->target, log->facility,
	    err))
		return false;
	log_open_fd(proc_log_fd(), 1, (enum log_level)log->level);
	return true;
}

/* ---- the two lives of this program ----------------------------------------------- */

/* Only build and the gateway must know who is who, and the rules. */
static bool
load_snapshot(enum proc_role role, struct conf **out, struct err *err)
{
	if (role == PROC_BUILD || role == PROC_GATEWAY)
		return conf_snapshot_load(proc_conf_fd(), out, err);
	return conf_snapshot_load_main(proc_conf_fd(), out, err);
}

static int
run_role(const char *name)
{
	int (*const run[PROC_ROLES])(const struct conf *) = {
		[PROC_STORE] = role_store,
		[PROC_INTAKE] = role_intake,
		[PROC_GATEWAY] = role_gateway,
		[PROC_BUILD] = role_build,
		[PROC_MEDIA] = role_media,
		[PROC_DIRECTORY] = role_directory,
		[PROC_DELIVER] = role_deliver,
	};
	struct err err = ERR_INIT;
	struct conf *c = NULL;
	enum proc_role role;
	int rc;

	log_open_fd(STDERR_FILENO, 1, LOG_LEVEL_INFO);
	if (!proc_role_parse(name, &role) || proc_conf_fd() < 0) {
		fputs("chatjournald: --role is for the supervisor's use\n",
		    stderr);
		return EXIT_USAGE;
	}
	if (!load_snapshot(role, &c, &err)) {
		log_err(LOG_LEVEL_ERROR, "role.failed", &err, "name=%s",
		    name);
		return PROC_EXIT_CONF;
	}
	give_back_memory();
	log_set_level((enum log_level)c->log.level);
	rc = run[role](c);
	conf_free(c);
	return rc;
}

static int
supervise(const char *path)
{
	struct daemon d = { .path = path };
	struct proc_supervisor sup = {
		.reload = reload, .log_line = role_line, .arg = &d,
		.stop_ms = STOP_MS,
	};
	struct err err = ERR_INIT;
	int rc;

	if (!load(path, &d.conf) ||
	    (d.setup.conf_fd = snapshot(d.conf)) < 0)
		return PROC_EXIT_CONF;
	d.setup.roles = roles_of(d.conf);
	if (!hold_all(d.conf, &d.setup, &err) || !start_log(&d, &err)) {
		fprintf(stderr, "chatjournald: %s\n", err.text);
		return err.kind == ERR_CONF ? PROC_EXIT_CONF : PROC_EXIT_TEMP;
	}
	sup.setup = d.setup;
	rc = proc_supervise(&sup);
	proc_log_stop();
	log_open_fd(STDERR_FILENO, 0, LOG_LEVEL_ERROR);
	conf_free(d.conf);
	return rc;
}

static void
usage(FILE *to)
{
	fputs("usage: chatjournald [-c FILE] [--check]\n"
	    "  -c, --conf FILE  configuration (default "
	    SYSCONFDIR "/chatjournal/chatjournal.conf)\n"
	    "  --check          check the configuration and exit\n"
	    "  --version, --help\n", to);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "conf", required_argument, NULL, 'c' },
		{ "role", required_argument, NULL, 'r' },
		{ "check", no_argument, NULL, 'k' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *path = SYSCONFDIR "/chatjournal/chatjournal.conf";
	struct conf *c = NULL;
	bool check = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			path = optarg;
			break;
		case 'r':
			return run_role(optarg);
		case 'k':
			check = true;
			break;
		case 'V':
			puts("chatjournald " PACKAGE_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!check)
		return supervise(path);
	if (!load(path, &c))
		return PROC_EXIT_CONF;
	conf_free(c);
	puts("the configuration is good");
	return 0;
}
