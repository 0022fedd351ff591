/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a caller's request may go to Graph: a method that Graph has, a path
 * that nobody on the way can read as another one or as the end of a line. A
 * function of its arguments; no I/O.
 */
#include <string.h>

#include "err.h"
#include "graph_int.h"

#define TARGET_MAX ((size_t)16 * 1024)

static const char *
method_of(const char *s)
{
	static const char *const methods[] = { "GET", "POST", "DELETE" };

	for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
		if (strcmp(s, methods[i]) == 0)
			return methods[i];
	return NULL;
}

/* "." and "..", escaped or not: whoever resolves them goes elsewhere. */
static bool
is_dots(const char *segment, size_t len)
{
	size_t dots = 0;

	for (size_t i = 0; i < len; dots++) {
		if (segment[i] == '.')
			i++;
		else if (len - i >= 3 &&
		    g_ascii_strncasecmp(segment + i, "%2e", 3) == 0)
			i += 3;
		else
			return false;
	}
	return dots == 1 || dots == 2;
}

static bool
is_target(const char *s)
{
	size_t path = strcspn(s, "?");

	if (s[0] != '/' || s[1] == '/' || strlen(s) > TARGET_MAX)
		return false;
	for (const char *at = s; *at != '\0'; at++)
		if (*at <= ' ' || *at >= 0x7f || strchr("\"#<>\\^`{|}",
		    *at) != NULL)
			return false;
	for (size_t at = 1; at <= path;) {
		size_t n = strcspn(s + at, "/?");

		if (is_dots(s + at, n))
			return false;
		at += n + 1;
	}
	return true;
}

bool
graph_is_line(const char *s)
{
	for (; *s != '\0'; s++)
		if ((*s >= 0 && *s < ' ') || *s == 0x7f)
			return false;
	return true;
}

bool
graph_request_check(const struct graph_request *rq, const char **method,
    struct err *err)
{
	const char *known = method_of(rq->method);

	if (known == NULL)
		return err_set(err, ERR_PERM, "graph.request",
		    "only GET, POST and DELETE are sent to Graph");
	if (!is_target(rq->target))
		return err_set(err, ERR_PERM, "graph.request",
		    "the path or query has a character, or a step up, that "
		    "is not sent to Graph");
	if (rq->content_type != NULL && !graph_is_line(rq->content_type))
		return err_set(err, ERR_PERM, "graph.request",
		    "the content type has a control character in it");
	*method = known;
	return true;
}
