/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking up words, their plural forms, and the room they take in columns.
 *
 * A word that the catalog lacks is shown in English: what a webhook calls a
 * thing has no translation, and a mail must not fail for the want of one.
 * That no word of ours is missing is checked when a catalog is loaded.
 */
#include "render_words.h"

#include <string.h>

#include "render_int.h"

const char *
render_word(const struct render_words *w, const char *english)
{
	const char *found;

	if (w == NULL || english == NULL)
		return english;
	found = g_hash_table_lookup(w->table, english);
	return found != NULL ? found : english;
}

/* Not printf: the format comes from a file. */
static const char *
insert(struct render_scratch *s, const char *format, const char *mark,
    const char *value)
{
	const char *at = strstr(format, mark);

	if (at == NULL)
		return format;
	return render_format(s, "%.*s%s%s", (int)(at - format), format, value,
	    at + strlen(mark));
}

const char *
render_phrase(const struct render_words *w, struct render_scratch *s,
    const char *english, const char *value)
{
	return insert(s, render_word(w, english), "%s", value);
}

const char *
render_count(const struct render_words *w, struct render_scratch *s, guint n,
    const char *one, const char *many)
{
	const char *form = n == 1 ? one : many;
	char number[16];

	if (w != NULL) {
		g_autofree char *key = g_strdup_printf("%s [%s]", many,
		    w->plural(n));

		if (g_hash_table_contains(w->table, key))
			form = g_hash_table_lookup(w->table, key);
	}
	g_snprintf(number, sizeof(number), "%u", n);
	return insert(s, form, "%u", number);
}

/* VS16 asks for the emoji form of a sign, which is wide; joiners take none. */
static size_t
columns_of(gunichar c, size_t before)
{
	if (c == 0xfe0f)
		return before == 1 ? 1 : 0;
	if (g_unichar_iszerowidth(c))
		return 0;
	return g_unichar_iswide(c) ? 2 : 1;
}

size_t
render_columns(const char *text)
{
	size_t columns = 0, last = 1;

	while (*text != '\0') {
		gunichar c = (unsigned char)*text;

		if (c < 0x80) {
			last = 1;
			text++;
		} else {
			c = g_utf8_get_char_validated(text, -1);
			last = c >= (gunichar)-2 ? 1 : columns_of(c, last);
			text += c >= (gunichar)-2 ? 1 :
			    g_utf8_skip[(unsigned char)*text];
		}
		columns += last;
	}
	return columns;
}

const char *
render_padded(struct render_scratch *s, const char *text, size_t columns)
{
	size_t len = strlen(text), wide = render_columns(text);
	size_t blanks = wide < columns ? columns - wide : 1;
	char *out = render_room(s, len + blanks + 1);

	memcpy(out, text, len);
	memset(out + len, ' ', blanks);
	out[len + blanks] = '\0';
	return out;
}
