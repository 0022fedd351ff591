/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The snapshot on a descriptor: every text and every expanded pattern.
 *
 *   "chatjournal snapshot 1\n", then records: a kind byte, then strings, each
 *   with its length as eight bytes, most significant first.
 *   D cwd | F name text | G pattern, count of names (8 bytes), names | E
 *   f and g are F and G of the policy and directory files, and come after the
 *   others.
 *
 * It goes from the supervisor to its own children through a memfd. A reader
 * still trusts no length. Roles share the descriptor and thus its offset,
 * so reading never moves it. Texts are read into their place, or passed over:
 * the directory and the lexicons may be large.
 */
#include "conf_int.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "io.h"

static const char MAGIC[] = "chatjournal snapshot 1\n";

/* Texts, and room for names and patterns. */
#define SNAPSHOT_MAX ((size_t)CONF_TEXT_MAX + (16u << 20))

static void
put_number(GString *out, uint64_t n)
{
	for (int i = 56; i >= 0; i -= 8)
		g_string_append_c(out, (char)(n >> i));
}

static void
put_string(GString *out, const char *s, size_t len)
{
	put_number(out, len);
	g_string_append_len(out, s, (gssize)len);
}

static void
put_source(GString *out, char kind, const struct conf_source *src)
{
	g_string_append_c(out, kind);
	put_string(out, src->name, strlen(src->name));
	put_string(out, src->text, src->len);
}

static void
put_glob(GString *out, char kind, const struct conf_glob *g)
{
	g_string_append_c(out, kind);
	put_string(out, g->pattern, strlen(g->pattern));
	put_number(out, g->names->len);
	for (guint i = 0; i < g->names->len; i++)
		put_string(out, g->names->pdata[i], strlen(g->names->pdata[i]));
}

/* Either what the main file was made from, or what came after it. */
static void
put_files(GString *out, const struct conf_files *f, bool main_part)
{
	guint sources = main_part ? 0 : f->main_sources;
	guint globs = main_part ? 0 : f->main_globs;

	for (; sources < (main_part ? f->main_sources : f->sources->len);
	    sources++)
		put_source(out, main_part ? 'F' : 'f',
		    f->sources->pdata[sources]);
	for (; globs < (main_part ? f->main_globs : f->globs->len); globs++)
		put_glob(out, main_part ? 'G' : 'g', f->globs->pdata[globs]);
}

bool
conf_snapshot_save(const struct conf *c, int fd, struct err *err)
{
	g_autoptr(GString) out = g_string_new(MAGIC);

	g_string_append_c(out, 'D');
	put_string(out, c->files->cwd, strlen(c->files->cwd));
	put_files(out, c->files, true);
	put_files(out, c->files, false);
	g_string_append_c(out, 'E');
	return io_write_all(fd, out->str, out->len, err) ||
	    err_context(err, "configuration snapshot");
}

struct reader {
	int fd;
	off_t at;
	uint64_t left;
};

static bool
get_bytes(struct reader *r, void *out, size_t len)
{
	char *p = out;

	if (len > r->left)
		return false;
	r->left -= len;
	while (len > 0) {
		ssize_t n = pread(r->fd, p, len, r->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		r->at += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
get_number(struct reader *r, uint64_t *out)
{
	uint8_t bytes[8];
	uint64_t n = 0;

	if (!get_bytes(r, bytes, sizeof(bytes)))
		return false;
	for (int i = 0; i < 8; i++)
		n = n << 8 | bytes[i];
	*out = n;
	return true;
}

/* A NUL-terminated copy. */
static bool
get_string(struct reader *r, char **out, size_t *len)
{
	g_autofree char *s = NULL;
	uint64_t n;

	if (!get_number(r, &n) || n > r->left)
		return false;
	s = g_malloc((size_t)n + 1);
	s[n] = '\0';
	if (!get_bytes(r, s, (size_t)n))
		return false;
	*out = g_steal_pointer(&s);
	*len = (size_t)n;
	return true;
}

static bool
get_source(struct reader *r, struct conf_files *f)
{
	g_autofree char *name = NULL;
	char *text;
	size_t len;

	return get_string(r, &name, &len) && get_string(r, &text, &len) &&
	    conf_files_add(f, name, text, len, NULL);
}

static bool
get_glob(struct reader *r, struct conf_files *f)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	struct conf_glob *g = g_new0(struct conf_glob, 1);
	uint64_t count = 0;
	size_t len;
	bool ok;

	g->names = names;
	/* In the list at once: it is freed with the files. */
	g_ptr_array_add(f->globs, g);
	ok = get_string(r, &g->pattern, &len) && get_number(r, &count);
	for (uint64_t i = 0; ok && i < count; i++) {
		char *name;

		ok = get_string(r, &name, &len);
		if (ok)
			g_ptr_array_add(names, name);
	}
	return ok;
}

static bool
get_cwd(struct reader *r, struct conf_files *f)
{
	char *cwd;
	size_t len;

	if (!get_string(r, &cwd, &len))
		return false;
	g_free(f->cwd);
	f->cwd = cwd;
	return true;
}

/* What follows E, and with main_only what is not of the main file, is not read. */
static bool
get_records(struct reader *r, struct conf_files *f)
{
	bool ok = true;
	char kind;

	while (ok && get_bytes(r, &kind, 1)) {
		if (kind == 'E' ||
		    (f->main_only && (kind == 'f' || kind == 'g')))
			return f->sources->len > 0;
		if (kind == 'D')
			ok = get_cwd(r, f);
		else if (kind == 'F' || kind == 'f')
			ok = get_source(r, f);
		else
			ok = (kind == 'G' || kind == 'g') && get_glob(r, f);
	}
	return false;
}

/* False when it is no snapshot; *err is set only when it cannot be read. */
static bool
read_start(int fd, struct reader *r, struct err *err)
{
	char magic[sizeof(MAGIC) - 1];
	struct stat sb;

	if (fstat(fd, &sb) < 0) {
		int e = errno;
		return err_set(err, ERR_TEMP, "conf.snapshot",
		    "cannot read the configuration snapshot: %s",
		    err_errno(e));
	}
	*r = (struct reader){ fd, 0, (uint64_t)sb.st_size };
	return r->left <= SNAPSHOT_MAX && get_bytes(r, magic, sizeof(magic)) &&
	    memcmp(magic, MAGIC, sizeof(magic)) == 0;
}

static bool
load(int fd, bool main_only, struct conf **out, struct err *err)
{
	struct err local = ERR_INIT;
	struct conf_files *f;
	struct reader r;
	const char *first;

	f = conf_files_new(true);
	f->main_only = main_only;
	if (!read_start(fd, &r, &local) || !get_records(&r, f)) {
		conf_files_free(f);
		if (local.kind != ERR_NONE)
			return err_set(err, local.kind, local.what, "%s",
			    local.text);
		return err_set(err, ERR_CONF, "conf.snapshot",
		    "the configuration snapshot is damaged; restart the "
		    "daemon");
	}
	first = ((const struct conf_source *)f->sources->pdata[0])->name;
	if (!conf_read(f, first, out, NULL, err))
		return false;
	if (f->policy->len > 0) {
		conf_files_keep_policy(f);
		return true;
	}
	conf_files_free(f);
	(*out)->files = NULL;
	return true;
}

bool
conf_snapshot_load(int fd, struct conf **out, struct err *err)
{
	return load(fd, false, out, err);
}

bool
conf_snapshot_load_main(int fd, struct conf **out, struct err *err)
{
	return load(fd, true, out, err);
}
