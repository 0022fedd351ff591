/* SPDX-License-Identifier: Apache-2.0 */
/* render: the languages of mails, and their catalogs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "render_bed.h"

static void
a_mail_speaks_the_language_of_its_journal_in_the_same_columns(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	check_text_in("pt", &f, "WhatsApp: 1 mensagem, recebida (cliente)\n");
	check_text_in("pt", &f, "De              Ana Souza (cliente)\n"
	    "Para            +551140040001 (empresa)\n"
	    "Horário         2026-02-03 14:05:09 UTC\n");
	check_text_in("pt", &f, "\n  número          +5511999990000\n");
	check_text_in("ru", &f, "От              Ana Souza (клиент)\n"
	    "Кому            +551140040001 (организация)\n"
	    "Время           2026-02-03 14:05:09 UTC\n");
	check_text_in("ru", &f, "--- Доказательства ---\n"
	    "  запись          2026-02-03T14:05:11.402Z");
	end(&f);
}

static void
a_number_takes_the_form_that_its_language_wants(void **state)
{
	static const struct {
		guint n;
		const char *en, *pt, *ru;
	} rows[] = {
		{ 1, ": 1 message,", ": 1 mensagem,", ": 1 сообщение," },
		{ 2, ": 2 messages,", ": 2 mensagens,", ": 2 сообщения," },
		{ 5, ": 5 messages,", ": 5 mensagens,", ": 5 сообщений," },
		{ 11, ": 11 messages,", ": 11 mensagens,",
			": 11 сообщений," },
		{ 12, ": 12 messages,", ": 12 mensagens,",
			": 12 сообщений," },
		{ 21, ": 21 messages,", ": 21 mensagens,",
			": 21 сообщение," },
		{ 24, ": 24 messages,", ": 24 mensagens,",
			": 24 сообщения," },
	};
	struct fixture f;

	(void)state;
	begin(&f);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		while (f.items->len < rows[i].n)
			g_ptr_array_add(f.items, text_item("wamid.N", "x"));
		check_text_in("en", &f, rows[i].en);
		check_text_in("pt", &f, rows[i].pt);
		check_text_in("ru", &f, rows[i].ru);
	}
	end(&f);
}

static void
a_note_is_said_in_the_language_with_what_stands_in_it(void **state)
{
	static const struct {
		const char *note, *pt;
	} rows[] = {
		{ "unknown field hologram_updates: shown raw",
			"  observação      campo desconhecido "
			"hologram_updates: exibido como recebido\n" },
		{ "WhatsApp gave no content: a poll (poll_creation). This "
			"type of message is not supported in groups.",
			"  observação      O WhatsApp não forneceu o conteúdo: "
			"uma enquete (poll_creation). Este tipo de mensagem "
			"não é compatível com grupos.\n" },
		{ "text in a change without field: shown raw",
			"  observação      texto em uma alteração sem campo: "
			"exibido como recebido\n" },
		{ "%s (%s) : shown raw", "  observação      %s (%s) : "
			"exibido como recebido\n" },
		{ "nobody wrote this sentence before",
			"  observação      nobody wrote this sentence before\n" },
		{ ": shown raw", "  observação      : shown raw\n" },
	};
	struct fixture f;

	(void)state;
	begin(&f);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		set(&f.item->note, rows[i].note);
		check_text_in("pt", &f, rows[i].pt);
	}
	end(&f);
}

/* A directory of templates with these texts; remove_dir() ends it. */
static char *
make_dir(const char *html, const char *words)
{
	char *dir = g_dir_make_tmp("render-XXXXXX", NULL);

	write_file(dir, "subject.txt", "{{_DELETED}}: {{what}}");
	write_file(dir, "turn.txt", "{{_New words}} {{_Time}} {{what}}\n");
	write_file(dir, "turn.html", html);
	if (words != NULL)
		write_file(dir, "ru.words", words);
	return dir;
}

static void
remove_dir(char *dir)
{
	static const char *const names[] = { "subject.txt", "turn.txt",
		"turn.html", "ru.words", "en.words" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(dir, names[i], NULL);

		unlink(path);
	}
	assert_int_equal(rmdir(dir), 0);
	g_free(dir);
}

static void
a_catalog_is_refused_with_the_file_and_what_is_wrong(void **state)
{
	static const struct {
		const char *words, *where;
	} rows[] = {
		{ "# only this\n\nTime\n", "ru.words:3: there is no \" = \"" },
		{ "Time = \n", "ru.words:1: there is no" },
		{ " = x\n", "ru.words:1: one side is empty" },
		{ "Time = a\nTime = b\n", "ru.words:2: a second translation" },
		{ "%u messages [one] = one\n", "ru.words:1: %s and %u must" },
		{ "Time = a\x01\n", "ru.words:1: a control" },
		{ "Time = \xff\n", "ru.words:1: a control" },
		{ "\xef\xbb\xbfTime = ok\r\n", "ru.words has no words for \"" },
		{ NULL, "there is no file " },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct render_style_conf style = { .language = "ru" };
		const struct render_style *out = NULL;
		char *dir = make_dir("x", rows[i].words);
		struct render_conf conf = conf_with(dir, true);
		struct err err = ERR_INIT;
		struct render *r;

		assert_true(render_new(&conf, &r, &err));
		assert_false(render_style_get(r, &style, &out, &err));
		assert_int_equal(err.kind, ERR_CONF);
		if (strstr(err.text, rows[i].where) == NULL)
			fail_msg("no \"%s\" in %s", rows[i].where, err.text);
		assert_null(out);
		render_free(r);
		remove_dir(dir);
	}
}

static void
english_needs_no_catalog_but_may_be_said_otherwise(void **state)
{
	char *dir = make_dir("{{_Time}}", NULL);
	struct render_conf conf = conf_with(dir, true);
	struct err err = ERR_INIT;
	struct render *r;
	struct fixture f;

	(void)state;
	write_file(dir, "en.words", "Time = Hour\n%u messages [many] = "
	    "%u notes\n");
	begin(&f);
	assert_true(render_new(&conf, &r, &err));
	g_autofree char *one = render_with(r, &f.in);
	g_autofree char *text = text_of(one);

	assert_string_equal(text, "New words Hour 1 message\n");
	g_ptr_array_add(f.items, text_item("wamid.TWO", "x"));
	g_autofree char *two = render_with(r, &f.in);

	check_field(two, "Subject: DELETED: 2 notes");
	render_free(r);
	end(&f);
	remove_dir(dir);
}

static void
the_name_of_a_language_is_no_path(void **state)
{
	static const char *const bad[] = { "../pt", "", "p/t", "pt.", "xx" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct render_style_conf conf = { .language = bad[i] };
		const struct render_style *style;
		struct err err = ERR_INIT;

		assert_false(render_style_get(plain, &conf, &style, &err));
		assert_int_equal(err.kind, ERR_CONF);
		assert_string_equal(err.what, "render.language");
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_mail_speaks_the_language_of_its_journal_in_the_same_columns),
		cmocka_unit_test(
		    a_number_takes_the_form_that_its_language_wants),
		cmocka_unit_test(
		    a_note_is_said_in_the_language_with_what_stands_in_it),
		cmocka_unit_test(
		    a_catalog_is_refused_with_the_file_and_what_is_wrong),
		cmocka_unit_test(
		    english_needs_no_catalog_but_may_be_said_otherwise),
		cmocka_unit_test(the_name_of_a_language_is_no_path),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
