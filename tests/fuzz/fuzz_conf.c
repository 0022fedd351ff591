/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration reader. The input is chatjournal.conf, which is /m; after a
 * line "%%" follows the directory file, /d. Laws: what is refused says where;
 * messages are clean; what is accepted prints to something that is accepted
 * and prints the same, and so does its snapshot, of which no beginning is
 * taken for the whole.
 */
#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/conf/conf_int.h"
#include "err.h"
#include "fuzz.h"
#include "io.h"
#include "text.h"

#define MARK "\n%%\n"

static void
add(struct conf_files *f, const char *name, const uint8_t *data, size_t len)
{
	char *copy = g_malloc(len + 1);

	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = '\0';
	assert(conf_files_add(f, name, copy, len, NULL));
}

static struct conf_files *
split(const uint8_t *data, size_t len)
{
	struct conf_files *f = conf_files_new(true);
	const uint8_t *mark = len == 0 ? NULL :
	    memmem(data, len, MARK, strlen(MARK));

	if (mark == NULL) {
		add(f, "/m", data, len);
		return f;
	}
	add(f, "/m", data, (size_t)(mark - data));
	mark += strlen(MARK);
	add(f, "/d", mark, len - (size_t)(mark - data));
	return f;
}

static char *
print(const struct conf *c)
{
	GString *out = g_string_new(NULL);

	conf_print(c, out);
	return g_string_free(out, FALSE);
}

static void
check_print(const struct conf *c, const char *text)
{
	g_autofree char *again = NULL;
	struct conf *copy = NULL;

	/* The directory file is not part of what is printed. */
	if (c->directory_file != NULL)
		return;
	assert(conf_load_text("p", text, strlen(text), &copy, NULL, NULL));
	again = print(copy);
	assert(strcmp(text, again) == 0);
	conf_free(copy);
}

static void
check_snapshot(const struct conf *c, const char *text)
{
	auto_fd int fd = memfd_create("conf", MFD_CLOEXEC);
	g_autofree char *again = NULL;
	struct conf *copy = NULL;
	struct err err = ERR_INIT;
	off_t size;

	assert(fd >= 0 && conf_snapshot_save(c, fd, NULL));
	size = lseek(fd, 0, SEEK_END);
	assert(conf_snapshot_load(fd, &copy, NULL));
	again = print(copy);
	assert(strcmp(text, again) == 0);
	conf_free(copy);
	assert(ftruncate(fd, size - 1 - size / 3) == 0);
	assert(!conf_snapshot_load(fd, &copy, &err));
	assert(strcmp(err.what, "conf.snapshot") == 0);
}

static void
check_messages(const GString *messages)
{
	assert(text_is_utf8(messages->str, messages->len));
	for (const char *p = messages->str; *p != '\0'; p++)
		assert((unsigned char)*p >= ' ' || *p == '\n' || *p == '\t');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autoptr(GString) messages = g_string_new(NULL);
	struct err err = ERR_INIT;
	struct conf *c = NULL;

	if (conf_read(split(data, len), "/m", &c, messages, &err)) {
		g_autofree char *text = print(c);

		check_print(c, text);
		check_snapshot(c, text);
	} else {
		assert(c == NULL && err.kind == ERR_CONF);
		assert(g_str_has_prefix(messages->str, "/"));
	}
	check_messages(messages);
	conf_free(c);
	return 0;
}
