/* SPDX-License-Identifier: Apache-2.0 */
/* Turns to render, and what is read in their mails. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "render_bed.h"

char *templates;
struct render *plain;

struct render_conf
conf_with(const char *dir, bool attach)
{
	return (struct render_conf){ .tenant = "bank",
		.domain = "Chatjournal.bank.example",
		.address_domain = "whatsapp.bank.example",
		.templates = dir, .attach_event = attach };
}

int
setup(void **state)
{
	const char *src = getenv("SRCDIR");
	struct render_conf conf;
	struct err err = ERR_INIT;

	(void)state;
	templates = g_build_filename(src != NULL ? src : ".", "templates",
	    NULL);
	conf = conf_with(templates, true);
	if (render_new(&conf, &plain, &err))
		return 0;
	print_error("%s\n", err.text);
	return -1;
}

int
teardown(void **state)
{
	(void)state;
	render_free(plain);
	g_free(templates);
	return 0;
}

/* --- a turn to be changed by each test --- */

struct item *
text_item(const char *id, const char *text)
{
	struct item *it = item_new(ITEM_MESSAGE, ITEM_TYPE_TEXT);

	it->direction = ITEM_RECEIVED;
	it->author = ITEM_CUSTOMER;
	it->network = g_strdup("whatsapp");
	it->id = g_strdup(id);
	it->key = g_strconcat("whatsapp|m|106540352242922|", id, NULL);
	it->at_ms = AT_MS;
	it->business.number = g_strdup("551140040001");
	it->business.user_id = g_strdup("106540352242922");
	it->counterpart.number = g_strdup("5511999990000");
	it->counterpart.name = g_strdup("Ana Souza");
	it->text = g_strdup(text);
	it->raw = g_strdup("{\"type\":\"text\"}");
	return it;
}

void
begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->items = item_list_new();
	f->events = g_ptr_array_new();
	f->item = text_item("wamid.ONE", "Bom dia");
	g_ptr_array_add(f->items, f->item);
	f->event = (struct render_event){ .seq = 1048576, .source = "webhook",
		.received_ms = AT_MS + 2402, .body = BODY,
		.len = strlen(BODY), .is_json = true };
	hash_sha256(BODY, strlen(BODY), f->event.sha256);
	g_ptr_array_add(f->events, &f->event);
	f->in = (struct render_input){ .items = f->items,
		.events = f->events,
		.conversation = "whatsapp|106540352242922|n:5511999990000" };
}

void
end(struct fixture *f)
{
	g_ptr_array_unref(f->items);
	g_ptr_array_unref(f->events);
}

void
set(char **where, const char *value)
{
	g_free(*where);
	*where = g_strdup(value);
}

GPtrArray *
mails_with(struct render *r, const struct render_input *in)
{
	const struct render_style_conf none = { .language = NULL };
	const struct render_style *style;
	GPtrArray *mails = NULL;
	struct err err = ERR_INIT;

	if (!render_style_get(r, &none, &style, &err) ||
	    !render_mails(r, style, in, &mails, &err))
		fail_msg("%s: %s", err.what, err.text);
	return mails;
}

char *
render_with(struct render *r, const struct render_input *in)
{
	g_autoptr(GPtrArray) mails = mails_with(r, in);
	const struct rendered *out = mails->pdata[0];
	char *text = g_strndup(g_bytes_get_data(out->bytes, NULL), out->len);

	assert_int_equal(mails->len, 1);
	assert_int_equal(strlen(text), out->len);
	return text;
}

char *
mail_of(const struct fixture *f)
{
	return render_with(plain, &f->in);
}

/* --- reading a mail --- */

/* The unfolded header block, each line ended by \n. */
char *
head_of(const char *mail)
{
	const char *stop = strstr(mail, "\r\n\r\n");
	GString *out;

	assert_non_null(stop);
	out = g_string_new_len(mail, stop + 2 - mail);
	for (char *p; (p = strstr(out->str, "\r\n")) != NULL;) {
		gssize at = p - out->str;
		bool folded = p[2] == ' ' || p[2] == '\t';

		g_string_erase(out, at, folded ? 2 : 1);
	}
	return g_string_free(out, FALSE);
}

/* The names of the fields, joined by blanks. */
char *
names_of(const char *mail)
{
	g_autofree char *head = head_of(mail);
	g_auto(GStrv) lines = g_strsplit(head, "\n", -1);
	GString *out = g_string_new(NULL);

	for (char **l = lines; **l != '\0'; l++) {
		char *colon = strchr(*l, ':');

		assert_non_null(colon);
		g_string_append_len(out, *l, colon - *l);
		g_string_append_c(out, ' ');
	}
	return g_string_free(out, FALSE);
}

void
check_field(const char *mail, const char *want)
{
	g_autofree char *head = head_of(mail);
	g_autofree char *line = g_strconcat("\n", want, "\n", NULL);
	g_autofree char *all = g_strconcat("\n", head, NULL);

	if (strstr(all, line) == NULL)
		fail_msg("no field \"%s\" in\n%s", want, head);
}

/* The text part, decoded. */
char *
text_of(const char *mail)
{
	const char *p = strstr(mail, "Content-Type: text/plain");
	GString *out = g_string_new(NULL);

	assert_non_null(p);
	p = strstr(p, "\r\n\r\n") + 4;
	for (; strncmp(p, "\r\n--=_", 6) != 0; p++) {
		char hex[3] = { 0 };

		assert_true(*p != '\0');
		if (*p == '\r')
			continue;
		if (*p != '=') {
			g_string_append_c(out, *p);
			continue;
		}
		memcpy(hex, p + 1, 2);
		p += 2;
		if (hex[0] != '\r')
			g_string_append_c(out, (char)strtol(hex, NULL, 16));
	}
	return g_string_free(out, FALSE);
}

void
check_text(const struct fixture *f, const char *want)
{
	g_autofree char *mail = mail_of(f);
	g_autofree char *text = text_of(mail);

	if (strstr(text, want) == NULL)
		fail_msg("no \"%s\" in\n%s", want, text);
}

/* Laws that hold for each mail and each report. */
void
check_wire_form(const char *mail)
{
	size_t col = 0;

	for (const char *p = mail; *p != '\0'; p++) {
		bool is_end = p[0] == '\r' && p[1] == '\n';

		if (*p == '\n')
			assert_true(p > mail && p[-1] == '\r');
		if (*p == '\r')
			assert_true(is_end);
		assert_true(*p == '\t' || *p == '\r' || *p == '\n' ||
		    (*p >= ' ' && *p <= '~'));
		col = is_end || *p == '\n' ? 0 : col + 1;
		assert_true(col <= 998);
	}
}

size_t
count(const char *hay, const char *needle)
{
	size_t n = 0;

	while ((hay = strstr(hay, needle)) != NULL) {
		n++;
		hay += strlen(needle);
	}
	return n;
}

void
write_file(const char *dir, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);

	assert_true(g_file_set_contents(path, text, -1, NULL));
}

char *
mail_in(const char *language, const struct fixture *f)
{
	struct render_style_conf conf = { .language = language };
	const struct render_style *style;
	GPtrArray *mails;
	struct err err = ERR_INIT;
	struct rendered *mail;
	char *text;

	if (!render_style_get(plain, &conf, &style, &err) ||
	    !render_mails(plain, style, &f->in, &mails, &err))
		fail_msg("%s: %s", err.what, err.text);
	mail = g_ptr_array_index(mails, 0);
	text = g_strndup(g_bytes_get_data(mail->bytes, NULL), mail->len);
	g_ptr_array_unref(mails);
	return text;
}

void
check_text_in(const char *language, const struct fixture *f, const char *want)
{
	g_autofree char *mail = mail_in(language, f);
	g_autofree char *text = text_of(mail);

	if (strstr(text, want) == NULL)
		fail_msg("no \"%s\" in\n%s", want, text);
}
