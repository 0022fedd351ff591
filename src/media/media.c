/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One try to get one file: does what media_plan.c says, step after step, and
 * fills the result. All bytes pass through the spool; none is in memory for
 * longer than a piece of it is looked at. Whatever ends a try leaves at most
 * the held file of a want that waits for its scan.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <magic.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "io.h"
#include "media_int.h"

#define QUARANTINE "quarantine"

struct media {
	struct media_conf conf;
	char *dir, *spool, *clamd;
	atomic_bool cancelled;
	pthread_mutex_t magic_lock;
	magic_t magic;		/* 9 MB: one for all threads */
};

struct try {
	struct media *m;
	const struct media_conf *conf;
	const struct media_want *want;
	int64_t now_ms, since_ms;	/* the caller's clock, ours */
	struct media_result *out;
	struct graph_media found;
	bool has_digest;		/* one was declared, by whomever */
	uint8_t digest[HASH_SIZE];
	char *part, *held;
	const char *file;		/* where the bytes are: part, held or kept */
	char *kept;			/* that file of the directory */
	int64_t asked_ms;
	bool must_wait;			/* for the scanner: not given up */
	struct err err;
};

/* ---- set-up ---------------------------------------------------------------------- */

static bool
is_directory(const char *path, struct err *err)
{
	struct stat st;

	if (path == NULL || (stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
		return true;
	return err_set(err, ERR_CONF, "media.conf",
	    "%s is no directory; create it", path);
}

static bool
check_clamd(const char *clamd, struct err *err)
{
	g_autofree char *host = NULL, *port = NULL;

	if (clamd == NULL || clamd[0] == '/' ||
	    media_clamd_address(clamd, &host, &port))
		return true;
	return err_set(err, ERR_CONF, "media.conf",
	    "clamd: %s is neither a path nor HOST:PORT", clamd);
}

/* It looks at bytes only: into no archive, with no other program. */
static bool
load_magic(struct media *m, struct err *err)
{
	m->magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS);
	if (m->magic != NULL && magic_load(m->magic, NULL) == 0)
		return true;
	return err_set(err, ERR_CONF, "media.magic",
	    "libmagic cannot load its table: %s; install libmagic-mgc",
	    m->magic == NULL ? "out of memory" : magic_error(m->magic));
}

bool
media_new(const struct media_conf *conf, struct media **out, struct err *err)
{
	struct media *m;

	if (!is_directory(conf->dir, err) ||
	    !is_directory(conf->spool, err) ||
	    !check_clamd(conf->clamd, err))
		return false;
	m = g_new0(struct media, 1);
	m->conf = *conf;
	m->conf.dir = m->dir = g_strdup(conf->dir);
	m->conf.spool = m->spool = g_strdup(conf->spool);
	m->conf.clamd = m->clamd = g_strdup(conf->clamd);
	pthread_mutex_init(&m->magic_lock, NULL);
	if (!load_magic(m, err)) {
		media_free(m);
		return false;
	}
	*out = m;
	return true;
}

void
media_free(struct media *m)
{
	if (m == NULL)
		return;
	if (m->magic != NULL)
		magic_close(m->magic);
	pthread_mutex_destroy(&m->magic_lock);
	g_free(m->dir);
	g_free(m->spool);
	g_free(m->clamd);
	g_free(m);
}

void
media_cancel(struct media *m)
{
	atomic_store(&m->cancelled, true);
	if (m->conf.graph != NULL)
		graph_cancel(m->conf.graph);
}

void
media_result_clear(struct media_result *r)
{
	g_clear_pointer(&r->path, g_free);
	g_clear_pointer(&r->type, g_free);
	g_clear_pointer(&r->verdict, g_free);
	g_clear_pointer(&r->reason, g_free);
}

/* ---- looking at bytes --------------------------------------------------------------- */

/* What libmagic says lives until it is asked again. */
static char *
ask_magic(struct media *m, int fd)
{
	const char *said;
	char *type;

	pthread_mutex_lock(&m->magic_lock);
	said = lseek(fd, 0, SEEK_SET) == 0 ?
	    magic_descriptor(m->magic, fd) : NULL;
	type = said == NULL ? NULL : media_type_plain(said);
	pthread_mutex_unlock(&m->magic_lock);
	return type != NULL ? type : g_strdup("application/octet-stream");
}

static void
sniff(struct media *m, int fd, const char *declared,
    struct media_result *out)
{
	g_autofree char *name = declared == NULL ? NULL :
	    media_type_plain(declared);
	g_autofree char *seen = ask_magic(m, fd);

	out->type_differs = !media_type_fits(name, seen);
	g_free(out->type);
	out->type = g_strdup(media_type_best(name, seen));
}

static bool
look_at(struct media *m, const char *path, const char *declared,
    struct media_result *out, struct err *err)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_set(err, ERR_TEMP, "io.open", "cannot open %s: %s",
		    path, err_errno(errno));
	if (!media_file_measure(fd, out->sha256, &out->size, err))
		return false;
	sniff(m, fd, declared, out);
	out->length_ms = media_length(fd, out->size);
	return true;
}

static const char *
declared_type(const struct try *t)
{
	return t->want->mime_type != NULL ? t->want->mime_type :
	    t->found.mime_type;
}

static bool
is_declared(const struct try *t)
{
	if (t->has_digest)
		return hash_equal(t->digest, t->out->sha256, HASH_SIZE);
	return t->found.size < 0 || t->found.size == t->out->size;
}

/* ---- the steps ------------------------------------------------------------------------- */

static enum media_outcome
failed(const struct try *t)
{
	return media_plan_outcome(&t->err);
}

static enum media_outcome
take(struct try *t, const char *path)
{
	t->file = path;
	return OUT_OK;
}

static int64_t
changed_ms(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000 +
	    st->st_mtim.tv_nsec / 1000000;
}

/*
 * It was believed when it was put there. One from before the first try is of
 * another want that had this number: before a store was put back.
 */
static enum media_outcome
do_held(struct try *t)
{
	struct stat st;

	if (stat(t->held, &st) != 0)
		return OUT_NONE;
	if (changed_ms(&st) < t->want->first_ms) {
		unlink(t->held);
		return OUT_NONE;
	}
	if (!look_at(t->m, t->held, declared_type(t), t->out, &t->err))
		return failed(t);
	t->out->hash_differs = !is_declared(t);
	return take(t, t->held);
}

/* One that is not what its name says is fetched anew, and replaced. */
static enum media_outcome
do_kept(struct try *t)
{
	g_autofree char *name = t->has_digest ? hash_path(t->digest) : NULL;
	struct err ignored = ERR_INIT;

	if (name == NULL)
		return OUT_NONE;
	g_free(t->kept);
	t->kept = g_build_filename(t->conf->dir, name, NULL);
	if (access(t->kept, F_OK) != 0 ||
	    !look_at(t->m, t->kept, declared_type(t), t->out, &ignored) ||
	    !is_declared(t))
		return OUT_NONE;
	return take(t, t->kept);
}

static enum media_outcome
compare(struct try *t)
{
	t->out->hash_differs = !is_declared(t);
	if (!t->out->hash_differs ||
	    t->want->attempts >= MEDIA_TRIES - 1)
		return take(t, t->part);
	err_set(&t->err, ERR_TEMP, "media.differs", "%" PRId64 " bytes came "
	    "that are not those declared (SHA-256 or length)", t->out->size);
	return OUT_DIFFERS;
}

/*
 * What is fetched later under this id would be the same bytes: they are taken
 * from where the gateway keeps them. One that is not there is asked for.
 */
static enum media_outcome
do_upload(struct try *t)
{
	const char *path = t->want->upload_path;
	struct err ignored = ERR_INIT;

	if (path == NULL)
		return OUT_NONE;
	unlink(t->part);
	if (link(path, t->part) != 0 || !look_at(t->m, t->part,
	    declared_type(t), t->out, &ignored))
		return OUT_NONE;
	t->out->hash_differs = !is_declared(t);
	return take(t, t->part);
}

static enum media_outcome
download(struct try *t, const char *url)
{
	auto_fd int fd = -1;
	int64_t len;

	t->err = (struct err)ERR_INIT;
	if (!media_file_create(t->part, &fd, &t->err) ||
	    !graph_download(t->conf->graph, url, fd, t->conf->max_bytes,
	    &len, &t->asked_ms, &t->err) ||
	    !look_at(t->m, t->part, declared_type(t), t->out, &t->err))
		return failed(t);
	return compare(t);
}

/* Without a digest nothing would prove what came from there. */
static enum media_outcome
do_hint(struct try *t)
{
	const struct media_want *want = t->want;

	if (want->url == NULL || !t->has_digest ||
	    t->now_ms - want->at_ms > MEDIA_URL_LIFE_MS)
		return OUT_NONE;
	return download(t, want->url);
}

static enum media_outcome
do_find(struct try *t)
{
	const struct media_want *want = t->want;

	t->err = (struct err)ERR_INIT;
	graph_media_clear(&t->found);
	if (!graph_media_find(t->conf->graph, want->id,
	    want->phone_number_id, &t->found, &t->asked_ms, &t->err))
		return failed(t);
	if (!t->has_digest && t->found.sha256 != NULL)
		t->has_digest = hash_parse(t->found.sha256,
		    t->digest);
	if (t->found.size <= t->conf->max_bytes)
		return OUT_OK;
	err_set(&t->err, ERR_PERM, "graph.size", "the file has %" PRId64
	    " bytes, and only %" PRId64 " are taken: see max_size in media",
	    t->found.size, t->conf->max_bytes);
	return OUT_NEVER;
}

static enum media_outcome
do_get(struct try *t)
{
	enum media_outcome kept = do_kept(t);

	return kept == OUT_OK ? kept : download(t, t->found.url);
}

/*
 * The file's time says since when it waits, over restarts. A clock that was
 * set back must not make it wait for longer.
 */
static bool
has_waited(const struct try *t)
{
	int64_t since = t->now_ms;
	struct stat st;

	if (t->file == t->kept && t->want->first_ms > 0)
		since = t->want->first_ms;
	if (t->file == t->held && stat(t->held, &st) == 0)
		since = changed_ms(&st);
	return ABS(t->now_ms - since) >= t->conf->scan_wait_ms;
}

static bool
hold(struct try *t)
{
	struct timespec at = { .tv_sec = t->now_ms / 1000,
		.tv_nsec = t->now_ms % 1000 * 1000000 };
	struct timespec times[2] = { at, at };
	g_autofree char *name = g_path_get_basename(t->held);

	if (t->file != t->part)
		return true;
	if (utimensat(AT_FDCWD, t->part, times, 0) != 0 ||
	    !media_file_publish(t->part, t->conf->spool, name, false, NULL))
		return false;
	t->file = t->held;
	return true;
}

static enum media_outcome
unscanned(struct try *t)
{
	if (has_waited(t) && strcmp(t->err.what, "media.stopped") != 0) {
		t->out->verdict = g_strdup_printf("unscanned: %s",
		    t->err.text);
		return OUT_OK;
	}
	t->must_wait = hold(t);
	return OUT_LATER;
}

static enum media_outcome
do_scan(struct try *t)
{
	struct media_scan scan = { .clamd = t->conf->clamd,
		.total_ms = t->conf->scan_total_ms,
		.cancelled = &t->m->cancelled };
	auto_fd int fd = -1;

	if (scan.clamd == NULL)
		return OUT_NONE;
	t->err = (struct err)ERR_INIT;
	fd = open(t->file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err_set(&t->err, ERR_TEMP, "io.open", "cannot open %s: %s",
		    t->file, err_errno(errno));
		return OUT_LATER;
	}
	if (media_clamd_scan(&scan, fd, &t->out->verdict, &t->err))
		return OUT_OK;
	return unscanned(t);
}

static bool
is_infected(const struct try *t)
{
	return t->out->verdict != NULL &&
	    g_str_has_prefix(t->out->verdict, MEDIA_INFECTED);
}

/*
 * A file of the directory stays there, infected or not: an earlier message
 * refers to it.
 */
static enum media_outcome
do_keep(struct try *t)
{
	bool away = is_infected(t) &&
	    t->conf->infected == MEDIA_QUARANTINE;
	bool kept = t->file == t->kept;
	char hex[HASH_HEX_SIZE];

	t->out->path = away ? g_strdup_printf(QUARANTINE "/%s",
	    hash_hex(t->out->sha256, hex)) : hash_path(t->out->sha256);
	t->err = (struct err)ERR_INIT;
	if ((kept && !away) || media_file_publish(t->file, t->conf->dir,
	    t->out->path, kept, &t->err)) {
		t->out->state = away ? MEDIA_QUARANTINED : MEDIA_FETCHED;
		return OUT_OK;
	}
	/* Fetched it is: that must not be done again. */
	t->must_wait = hold(t);
	return OUT_LATER;
}

/* ---- one try ---------------------------------------------------------- */

static enum media_outcome (*const steps[STEPS])(struct try *) = {
	[STEP_HELD] = do_held, [STEP_KEPT] = do_kept,
	[STEP_UPLOAD] = do_upload, [STEP_HINT] = do_hint,
	[STEP_FIND] = do_find, [STEP_GET] = do_get,
	[STEP_FIND_AGAIN] = do_find, [STEP_GET_AGAIN] = do_get,
	[STEP_SCAN] = do_scan, [STEP_KEEP] = do_keep,
};

static bool
is_stop(const struct err *err)
{
	return strcmp(err->what, "graph.stopped") == 0 ||
	    strcmp(err->what, "media.stopped") == 0;
}

static uint64_t
salt_of(const char *id)
{
	return g_str_hash(id);
}

static void
set_reason(struct try *t, enum media_state state, const char *before)
{
	struct media_result *out = t->out;

	out->state = state;
	out->reason = g_strconcat(before, t->err.text, NULL);
	g_strlcpy(out->what, t->err.what, sizeof(out->what));
}

/* Not there yet: again, or given up. */
static void
postpone(struct try *t, bool is_conf)
{
	struct media_times times = { .at_ms = t->want->at_ms,
		.give_up_ms = t->conf->give_up_ms,
		.now_ms = t->now_ms + clock_mono_ms() - t->since_ms,
		.attempts = t->want->attempts + 1,
		.retry_min_ms = t->conf->retry_min_ms,
		.retry_max_ms = t->conf->retry_max_ms,
		.asked_ms = t->asked_ms, .salt = salt_of(t->want->id) };

	t->out->is_conf = is_conf;
	if (is_stop(&t->err)) {
		set_reason(t, MEDIA_RETRY, "");
		g_strlcpy(t->out->what, "media.stopped", sizeof(t->out->what));
		t->out->next_ms = times.now_ms;
		return;
	}
	if (t->must_wait) {	/* what is here already is not given up */
		times.at_ms = times.now_ms;
		times.give_up_ms = MAX(t->conf->scan_wait_ms, 1);
	}
	if (media_plan_again(&times, &t->out->next_ms))
		set_reason(t, MEDIA_RETRY, "");
	else
		set_reason(t, MEDIA_UNAVAILABLE, "given up, as the network "
		    "forgets files: ");
}

static void
finish(struct try *t, enum media_step end)
{
	if (end == END_LATER || end == END_CONF)
		postpone(t, end == END_CONF);
	else if (end == END_NEVER)
		set_reason(t, MEDIA_UNAVAILABLE, "");
	if (end != END_KEPT) {
		g_clear_pointer(&t->out->path, g_free);
		g_clear_pointer(&t->out->type, g_free);
		g_clear_pointer(&t->out->verdict, g_free);
		t->out->hash_differs = t->out->type_differs = false;
		t->out->length_ms = 0;
		t->out->size = 0;
	}
	unlink(t->part);
}

void
media_fetch(struct media *m, const struct media_want *want,
    int64_t now_ms, struct media_result *out)
{
	const struct media_conf *conf = &m->conf;
	struct try t = { .m = m, .conf = conf, .want = want,
		.now_ms = now_ms, .since_ms = clock_mono_ms(), .out = out,
		.found.size = -1, .err = ERR_INIT };
	enum media_step step = STEP_HELD;

	*out = (struct media_result){ 0 };
	t.part = media_file_spool(conf->spool, want->number, MEDIA_PART);
	t.held = media_file_spool(conf->spool, want->number, MEDIA_HELD);
	t.has_digest = want->sha256 != NULL &&
	    hash_parse(want->sha256, t.digest);
	while (step < STEPS)
		step = media_plan_next(step, steps[step](&t));
	finish(&t, step);
	graph_media_clear(&t.found);
	g_free(t.kept);
	g_free(t.part);
	g_free(t.held);
}

bool
media_inspect(struct media *m, const struct media_want *want,
    const char *path, struct media_result *out, struct err *err)
{
	struct media_result r = { .state = MEDIA_FETCHED };
	uint8_t digest[HASH_SIZE];

	if (!look_at(m, path, want->mime_type, &r, err)) {
		media_result_clear(&r);
		return false;
	}
	r.hash_differs = want->sha256 != NULL &&
	    hash_parse(want->sha256, digest) &&
	    !hash_equal(digest, r.sha256, HASH_SIZE);
	r.path = g_canonicalize_filename(path, NULL);
	*out = r;
	return true;
}

char *
media_scan(const char *clamd, const char *path, int64_t total_ms)
{
	static const atomic_bool never;
	struct media_scan scan = { .clamd = clamd, .total_ms = total_ms,
		.cancelled = &never };
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct err err = ERR_INIT;
	char *verdict = NULL;

	if (fd < 0)
		return g_strdup_printf("unscanned: %s", err_errno(errno));
	if (!media_clamd_scan(&scan, fd, &verdict, &err))
		verdict = g_strdup_printf("unscanned: %s", err.text);
	return verdict;
}
