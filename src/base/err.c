/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills struct err. Never logs, never allocates, never fails.
 */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts at a UTF-8 boundary so that a log line stays valid text. */
static void
end_with_dots(char *text, size_t size)
{
	size_t at = size - 4;

	while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
		at--;
	memcpy(text + at, "...", 4);
}

static void __attribute__((format(printf, 2, 0)))
format_text(struct err *err, const char *fmt, va_list ap)
{
	int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);

	if (n >= (int)sizeof(err->text))
		end_with_dots(err->text, sizeof(err->text));
}

bool
err_set(struct err *err, enum err_kind kind, const char *what,
    const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return false;
	err->kind = kind;
	snprintf(err->what, sizeof(err->what), "%s", what);
	va_start(ap, fmt);
	format_text(err, fmt, ap);
	va_end(ap);
	return false;
}

bool
err_context(struct err *err, const char *fmt, ...)
{
	struct err old;
	va_list ap;
	size_t len;
	int n;

	if (err == NULL)
		return false;
	old = *err;
	va_start(ap, fmt);
	format_text(err, fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	n = snprintf(err->text + len, sizeof(err->text) - len, ": %s",
	    old.text);
	if (n >= (int)(sizeof(err->text) - len))
		end_with_dots(err->text, sizeof(err->text));
	return false;
}

const char *
err_kind_name(enum err_kind kind)
{
	switch (kind) {
	case ERR_NONE:
		return "none";
	case ERR_TEMP:
		return "temporary";
	case ERR_PERM:
		return "permanent";
	case ERR_CONF:
		return "configuration";
	case ERR_UNSURE:
		return "unsure";
	}
	return "none";
}

const char *
err_errno(int errnum)
{
	static _Thread_local char buf[128];

	return strerror_r(errnum, buf, sizeof(buf));
}
