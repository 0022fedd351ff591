/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The snapshot on a descriptor: every text and every expanded pattern.
 *
 *   "chatjournal snapshot 1\n", then records: a kind byte, then strings, each
 *   with its length as eight bytes, most significant first.
 *   D cwd | F name text | G pattern, count of names (8 bytes), names | E
 *
 * It goes from the supervisor to its own children through a memfd. A reader
 * still trusts no length. Roles share the descriptor and thus its offset,
 * so reading never moves it.
 */
#include "conf_int.h"

#include <errno.h>
#include <string.h>
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
put_source(gpointer p, gpointer arg)
{
	const struct conf_source *src = p;
	GString *out = arg;

	g_string_append_c(out, 'F');
	put_string(out, src->name, strlen(src->name));
	put_string(out, src->text, src->len);
}

static void
put_glob(gpointer p, gpointer arg)
{
	const struct conf_glob *g = p;
	GString *out = arg;

	g_string_append_c(out, 'G');
	put_string(out, g->pattern, strlen(g->pattern));
	put_number(out, g->names->len);
	for (guint i = 0; i < g->names->len; i++)
		put_string(out, g->names->pdata[i], strlen(g->names->pdata[i]));
}

bool
conf_snapshot_save(const struct conf *c, int fd, struct err *err)
{
	g_autoptr(GString) out = g_string_new(MAGIC);

	g_string_append_c(out, 'D');
	put_string(out, c->files->cwd, strlen(c->files->cwd));
	g_ptr_array_foreach(c->files->sources, put_source, out);
	g_ptr_array_foreach(c->files->globs, put_glob, out);
	g_string_append_c(out, 'E');
	return io_write_all(fd, out->str, out->len, err) ||
	    err_context(err, "configuration snapshot");
}

struct reader {
	const char *p;
	size_t left;
};

static bool
get_number(struct reader *r, uint64_t *out)
{
	uint64_t n = 0;

	if (r->left < 8)
		return false;
	for (int i = 0; i < 8; i++)
		n = n << 8 | (unsigned char)r->p[i];
	r->p += 8;
	r->left -= 8;
	*out = n;
	return true;
}

/* A NUL-terminated copy. */
static bool
get_string(struct reader *r, char **out, size_t *len)
{
	uint64_t n;

	if (!get_number(r, &n) || n > r->left)
		return false;
	*out = g_malloc((size_t)n + 1);
	memcpy(*out, r->p, (size_t)n);
	(*out)[n] = '\0';
	r->p += n;
	r->left -= (size_t)n;
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

static bool
get_records(struct reader *r, struct conf_files *f)
{
	bool ok = true;

	while (ok && r->left > 0) {
		char kind = *r->p;

		r->p++;
		r->left--;
		if (kind == 'E')
			return f->sources->len > 0;
		if (kind == 'D')
			ok = get_cwd(r, f);
		else if (kind == 'F')
			ok = get_source(r, f);
		else
			ok = kind == 'G' && get_glob(r, f);
	}
	return false;
}

static bool
read_all(int fd, GString *buf, struct err *err)
{
	char chunk[65536];
	ssize_t n;

	while ((n = pread(fd, chunk, sizeof(chunk), (off_t)buf->len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int e = errno;
			return err_set(err, ERR_TEMP, "conf.snapshot",
			    "cannot read the configuration snapshot: %s",
			    err_errno(e));
		}
		g_string_append_len(buf, chunk, n);
		if (buf->len > SNAPSHOT_MAX)
			return err_set(err, ERR_CONF, "conf.snapshot",
			    "the configuration snapshot is too large");
	}
	return true;
}

bool
conf_snapshot_load(int fd, struct conf **out, struct err *err)
{
	g_autoptr(GString) buf = g_string_sized_new(4096);
	struct conf_files *f;
	struct reader r;
	const char *first;

	if (!read_all(fd, buf, err))
		return false;
	f = conf_files_new(true);
	r.p = buf->str + sizeof(MAGIC) - 1;
	r.left = buf->len - (sizeof(MAGIC) - 1);
	if (!g_str_has_prefix(buf->str, MAGIC) || !get_records(&r, f)) {
		conf_files_free(f);
		return err_set(err, ERR_CONF, "conf.snapshot",
		    "the configuration snapshot is damaged; restart the "
		    "daemon");
	}
	first = ((const struct conf_source *)f->sources->pdata[0])->name;
	return conf_read(f, first, out, NULL, err);
}
