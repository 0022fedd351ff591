/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preparing, opening and closing a store: the scheme of the URI picks the
 * driver. A new driver is a line in find_driver().
 */
#include "store.h"

#include <string.h>

#include "err.h"
#include "store_int.h"

static const struct store_driver *extra;

void
store_driver_register(const struct store_driver *driver)
{
	extra = driver;
}

static bool
has_scheme(const struct store_driver *driver, const char *uri)
{
	size_t len = strlen(driver->scheme);

	return strncmp(uri, driver->scheme, len) == 0 && uri[len] == ':';
}

static const struct store_driver *
find_driver(const char *uri, const char **address, struct err *err)
{
	const struct store_driver *driver = NULL;

	if (extra != NULL && has_scheme(extra, uri))
		driver = extra;
	else if (has_scheme(&store_sqlite_driver, uri))
		driver = &store_sqlite_driver;
	if (driver == NULL) {
		err_set(err, ERR_CONF, "store.open", "unknown kind of store "
		    "\"%s\"; use sqlite:/DIRECTORY", uri);
		return NULL;
	}
	*address = uri + strlen(driver->scheme) + 1;
	return driver;
}

bool
store_prepare(const char *uri, void (*progress)(void *), void *arg,
    struct err *err)
{
	const char *address;
	const struct store_driver *driver = find_driver(uri, &address, err);

	return driver != NULL &&
	    driver->prepare(address, progress, arg, err);
}

bool
store_open(const char *uri, enum store_file owns, struct store **out,
    struct err *err)
{
	const char *address;
	const struct store_driver *driver = find_driver(uri, &address, err);

	if (driver == NULL || !driver->open(address, owns, out, err))
		return false;
	(*out)->driver = driver;
	(*out)->owns = owns;
	return true;
}

void
store_close(struct store *st)
{
	struct store_dirs dirs;

	if (st == NULL)
		return;
	store_rollback(st);
	dirs = st->dirs;
	st->driver->close(st);
	store_dirs_clear(&dirs);
}
