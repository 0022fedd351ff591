/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The definition of a template: asked for by name, page after page. The
 * address of the next page that Graph gives is not followed, as it names a
 * host and carries the token: only its cursor is used. A host that never
 * comes to an end is given up after so many pages, or at the deadline.
 */
#include <string.h>

#include "clock.h"
#include "err.h"
#include "graph_curl.h"
#include "graph_int.h"

#define PAGES_MAX 40
#define PAGE_SIZE 50
#define NAME_MAX_LEN 512	/* Meta, "Message templates" */
#define LANGUAGE_MAX_LEN 35
#define CURSOR_MAX_LEN 2048
/* quality_score changes with every rating and is not what is said. */
#define FIELDS "id,name,language,status,category,parameter_format,components"

struct search {
	struct graph *g;
	const char *account, *name, *language;
	int64_t until;		/* monotonic */
	int64_t *retry_ms;
};

static bool
is_plain(const char *s, size_t max)
{
	size_t len = strlen(s);

	return len > 0 && len <= max && strspn(s, "0123456789-_"
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == len;
}

static char *
page_url(const struct search *s, const char *after)
{
	g_autofree char *escaped = after == NULL ? NULL :
	    g_uri_escape_string(after, NULL, FALSE);

	return g_strdup_printf("%s/%s/%s/message_templates?fields=" FIELDS
	    "&name=%s&limit=%d%s%s", graph_origin(s->g), graph_version(s->g),
	    s->account, s->name, PAGE_SIZE, after != NULL ? "&after=" : "",
	    after != NULL ? escaped : "");
}

static bool
read_page(const struct search *s, const char *after, char **json,
    char **next, struct err *err)
{
	int64_t left = s->until - clock_mono_ms();
	g_autofree char *url = page_url(s, after);
	GString *answer = NULL;
	bool ok;

	if (left <= 0)
		return err_set(err, ERR_TEMP, "graph.deadline",
		    "Graph does not come to the end of its templates in time");
	if (!graph_ask_templates(s->g, url, left, &answer, s->retry_ms, err))
		return false;
	ok = graph_answer_templates(answer->str, answer->len, s->name,
	    s->language, json, next, err);
	g_string_free(answer, TRUE);
	return ok;
}

static bool
is_progress(const char *after, const char *next)
{
	return *next != '\0' && strlen(next) <= CURSOR_MAX_LEN &&
	    g_strcmp0(after, next) != 0;
}

static bool
search(const struct search *s, char **json, struct err *err)
{
	g_autofree char *after = NULL;

	for (int page = 0; page < PAGES_MAX; page++) {
		g_autofree char *next = NULL;
		char *found = NULL;

		if (!read_page(s, after, &found, &next, err))
			return false;
		if (found != NULL || next == NULL) {
			*json = found;
			return true;
		}
		if (!is_progress(after, next))
			return err_set(err, ERR_TEMP, "graph.server",
			    "Graph gives a next page of templates that is "
			    "none");
		g_free(after);
		after = g_steal_pointer(&next);
	}
	return err_set(err, ERR_TEMP, "graph.server",
	    "Graph does not come to the end of its templates in %d pages",
	    PAGES_MAX);
}

bool
graph_template_find(struct graph *g, const char *account, const char *name,
    const char *language, char **json, int64_t *retry_ms, struct err *err)
{
	const struct search s = { .g = g, .account = account, .name = name,
		.language = language, .retry_ms = retry_ms,
		.until = clock_mono_ms() + graph_total_ms(g) };

	if (retry_ms != NULL)
		*retry_ms = 0;
	if (!graph_is_id(account) || !is_plain(name, NAME_MAX_LEN) ||
	    !is_plain(language, LANGUAGE_MAX_LEN))
		return err_set(err, ERR_PERM, "graph.id",
		    "what is said to be the account, name or language of a "
		    "template cannot be one");
	return search(&s, json, err);
}
