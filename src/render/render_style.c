/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a journal wants otherwise than another, checked once. Journals with
 * the same wishes get the same style, which the caller sees by its address.
 *
 * Headers that are added come finished out of here. None may be one that
 * gives a mail its structure, its identity or its people, nor one by which a
 * reader would take the mail for something else: a mistake here would be in
 * every mail of a journal.
 */
#include "render_field.h"
#include "render_int.h"

#include <string.h>

#include "err.h"
#include "text.h"

#define NAME_MAX_CHARS 76	/* with ": ", RFC 5322 section 2.1.1 */
/* A word is never folded, and a line has 998 characters. */
#define WORD_MAX_CHARS 900
#define VALUE_MAX_CHARS 16384

/* Those that may be renamed; chatjournal-headers(7) explains them. */
static const char *const ours[] = {
	"Conversation-ID", "Contribution-ID", "Message-Direction",
	"Message-Context", "List-Id", "X-ChatJournal-Version",
	"X-ChatJournal-Network", "X-ChatJournal-Event", "X-ChatJournal-Types",
	"X-ChatJournal-Items", "X-ChatJournal-Item", "X-ChatJournal-Original",
	"X-ChatJournal-Business", "X-ChatJournal-Counterpart",
	"X-ChatJournal-Author", "X-ChatJournal-Employee",
	"X-ChatJournal-Captured", "X-ChatJournal-Event-SHA256",
	"X-ChatJournal-Media", "X-ChatJournal-Part", "X-ChatJournal-Age",
	"X-ChatJournal-Application", "X-ChatJournal-Send",
	"X-ChatJournal-Policy", "X-ChatJournal-Flag",
	"X-ChatJournal-Retention", "X-ChatJournal-Review",
	"X-ChatJournal-Excluded", "X-ChatJournal-Alert",
};

/* A name that ends in '-' stands for all that begin so. */
static const char *const reserved[] = {
	/* RFC 5322 section 3.6, RFC 2045 */
	"Date", "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Subject",
	"Message-ID", "In-Reply-To", "References", "Return-Path", "Received",
	"Resent-", "MIME-Version", "Content-",
	/* what libesmtp takes out of a mail, or leaves only once in it */
	"Original-Recipient", "Disposition-Notification-To",
	/* ours */
	"Auto-Submitted", "Thread-Topic", "Thread-Index", "X-ChatJournal-",
	/* what relays write, and what signs a mail */
	"Delivered-To", "DKIM-Signature", "ARC-", "Authentication-Results",
	/* marks of journal reports and of copies that an archive restored */
	"X-MS-Journal-Report", "X-MS-Exchange-", "X-WM-Journal-Report",
	"X-Piler-",
};

/* --- checks --- */

/* RFC 5322 section 3.6.8. */
static bool
is_ftext(const char *name)
{
	size_t len = 0;

	for (; name[len] > ' ' && name[len] <= '~' && name[len] != ':'; len++)
		;
	return len > 0 && len <= NAME_MAX_CHARS && name[len] == '\0';
}

static bool
is_reserved(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(reserved); i++) {
		size_t len = strlen(reserved[i]);

		if (g_ascii_strncasecmp(name, reserved[i], len) == 0 &&
		    (name[len] == '\0' || reserved[i][len - 1] == '-'))
			return true;
	}
	return false;
}

static const char *
find_ours(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(ours); i++) {
		if (g_ascii_strcasecmp(name, ours[i]) == 0)
			return ours[i];
	}
	return NULL;
}

static bool
check_name(const char *name, struct err *err)
{
	if (!is_ftext(name))
		return err_set(err, ERR_CONF, "render.header", "\"%.80s\" is "
		    "not the name of a header: printable ASCII without blank "
		    "and colon, at most %d characters", name, NAME_MAX_CHARS);
	if (is_reserved(name) || find_ours(name) != NULL)
		return err_set(err, ERR_CONF, "render.header", "the header %s "
		    "has a meaning in every mail and cannot be set; choose "
		    "another name, such as X-Archive-Type", name);
	return true;
}

static bool
check_value(const char *name, const char *value, struct err *err)
{
	const char *why = NULL;
	size_t word = 0, longest = 0;

	for (const char *p = value; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			why = "has a control character or a line break";
		word = *p == ' ' ? 0 : word + 1;
		longest = MAX(longest, word);
	}
	if (longest == 0)
		why = "is empty";
	else if (!text_is_utf8(value, strlen(value)))
		why = "is not UTF-8";
	else if (longest > WORD_MAX_CHARS || strlen(value) > VALUE_MAX_CHARS)
		why = "is too long, or has a word of more than 900 characters";
	return why == NULL || err_set(err, ERR_CONF, "render.header",
	    "the value of the header %s %s", name, why);
}

static bool
check_headers(const GPtrArray *list, struct err *err)
{
	for (guint i = 0; list != NULL && i + 1 < list->len; i += 2) {
		const char *name = list->pdata[i];

		if (!check_name(name, err) ||
		    !check_value(name, list->pdata[i + 1], err))
			return false;
	}
	return true;
}

/* True when the name is among those at index 0, step, 2 * step … */
static bool
is_in(const GPtrArray *list, guint from, guint step, guint until,
    const char *name)
{
	for (guint i = from; list != NULL && i < MIN(list->len, until);
	    i += step) {
		if (g_ascii_strcasecmp(list->pdata[i], name) == 0)
			return true;
	}
	return false;
}

static bool
check_renames(const struct render_style_conf *conf, struct err *err)
{
	const GPtrArray *list = conf->renames;

	for (guint i = 0; list != NULL && i + 1 < list->len; i += 2) {
		const char *name = list->pdata[i], *to = list->pdata[i + 1];

		if (find_ours(name) == NULL)
			return err_set(err, ERR_CONF, "render.header",
			    "\"%.80s\" is not a header that can be renamed; "
			    "chatjournal-headers(7) lists them", name);
		if (!check_name(to, err))
			return false;
		if (is_in(list, 0, 2, i, name) || is_in(list, 1, 2, i, to) ||
		    is_in(conf->headers, 0, 2, G_MAXUINT, to))
			return err_set(err, ERR_CONF, "render.header",
			    "%s or %s is named twice", name, to);
	}
	return true;
}

static bool
check_recipients(const struct render_style_conf *conf, struct err *err)
{
	const GPtrArray *list = conf->recipient_headers;

	for (guint i = 0; list != NULL && i < list->len; i++) {
		const char *name = list->pdata[i];

		if (!check_name(name, err))
			return false;
		if (is_in(list, 0, 1, i, name) ||
		    is_in(conf->headers, 0, 2, G_MAXUINT, name) ||
		    is_in(conf->renames, 1, 2, G_MAXUINT, name))
			return err_set(err, ERR_CONF, "render.header",
			    "%s is named twice", name);
	}
	return true;
}

static bool
check_limits(const struct render_style_conf *conf, struct err *err)
{
	if (conf->max_bytes < 0 || (conf->max_bytes > 0 &&
	    conf->max_bytes < RENDER_BYTES_LEAST))
		return err_set(err, ERR_CONF, "render.size", "a mail cannot "
		    "be held below %d bytes; allow at least so many",
		    RENDER_BYTES_LEAST);
	if (conf->max_files < 0 || conf->max_age_ms < 0)
		return err_set(err, ERR_CONF, "render.size",
		    "a limit is negative; 0 is none");
	return true;
}

/* --- the style --- */

/* No name and no value has a line break. */
static void
add_list(GString *key, const GPtrArray *list)
{
	for (guint i = 0; list != NULL && i < list->len; i++)
		g_string_append_printf(key, "\t%s\n",
		    (const char *)list->pdata[i]);
	g_string_append_c(key, '\n');
}

static char *
key_of(const struct render_style_conf *conf, const char *language)
{
	GString *key = g_string_new(language);

	g_string_append_printf(key, "\n%" G_GINT64_FORMAT "\n%"
	    G_GINT64_FORMAT "\n%" G_GINT64_FORMAT "\n%d\n", conf->max_bytes,
	    conf->max_files, conf->max_age_ms, conf->thread_index);
	add_list(key, conf->headers);
	add_list(key, conf->renames);
	add_list(key, conf->recipient_headers);
	return g_string_free(key, FALSE);
}

/* ASCII stays as it is, whatever it looks like: it is for a machine. */
static char *
finish_headers(const GPtrArray *list)
{
	GString *out = g_string_new(NULL);
	struct render_fields f = { .out = out };

	for (guint i = 0; list != NULL && i + 1 < list->len; i += 2) {
		const char *value = list->pdata[i + 1];

		render_field_begin(&f, list->pdata[i]);
		if (g_str_is_ascii(value))
			render_field_words(&f, value);
		else
			render_field_text(&f, value);
		render_field_end(&f);
	}
	return g_string_free(out, FALSE);
}

static GPtrArray *
copy(const GPtrArray *list)
{
	GPtrArray *out;

	if (list == NULL || list->len == 0)
		return NULL;
	out = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < list->len; i++)
		g_ptr_array_add(out, g_strdup(list->pdata[i]));
	return out;
}

static struct render_style *
style_new(const struct render_style_conf *conf,
    const struct render_language *language, char *key)
{
	struct render_style *s = g_new0(struct render_style, 1);

	s->key = key;
	s->language = language;
	s->max_bytes = conf->max_bytes > 0 ? MIN(conf->max_bytes,
	    RENDER_BYTES_MOST) : RENDER_BYTES_MOST;
	s->max_files = conf->max_files;
	s->max_age_ms = conf->max_age_ms;
	s->thread_index = conf->thread_index;
	s->headers = finish_headers(conf->headers);
	s->renames = copy(conf->renames);
	s->recipient_headers = copy(conf->recipient_headers);
	return s;
}

bool
render_style_get(struct render *r, const struct render_style_conf *conf,
    const struct render_style **out, struct err *err)
{
	const struct render_language *language;
	g_autofree char *key = NULL;

	if (!check_headers(conf->headers, err) || !check_renames(conf, err) ||
	    !check_recipients(conf, err) || !check_limits(conf, err) ||
	    !render_language_get(r, conf->language, &language, err))
		return false;
	key = key_of(conf, language->name);
	for (guint i = 0; i < r->styles->len; i++) {
		const struct render_style *s = r->styles->pdata[i];

		if (g_str_equal(s->key, key)) {
			*out = s;
			return true;
		}
	}
	*out = style_new(conf, language, g_steal_pointer(&key));
	g_ptr_array_add(r->styles, (gpointer)(uintptr_t)*out);
	return true;
}

void
render_style_free(gpointer p)
{
	struct render_style *s = p;

	g_free(s->key);
	g_free(s->headers);
	g_clear_pointer(&s->renames, g_ptr_array_unref);
	g_clear_pointer(&s->recipient_headers, g_ptr_array_unref);
	g_free(s);
}

const char *
render_style_name(const struct render_style *s, const char *name)
{
	const GPtrArray *list = s->renames;

	for (guint i = 0; list != NULL && i + 1 < list->len; i += 2) {
		if (g_ascii_strcasecmp(list->pdata[i], name) == 0)
			return list->pdata[i + 1];
	}
	return name;
}
