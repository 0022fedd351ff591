# src/render: sources and unit tests

# templates
src_libchatjournal_a_SOURCES += \
	src/render/template.c src/render/template_escape.c \
	src/render/template_int.h src/render/template_names.c \
	src/render/template_parse.c

UNIT_TESTS += tests/unit/test_template
tests_unit_test_template_SOURCES = tests/unit/test_template.c
tests_unit_test_template_LDADD = $(LDADD) $(CMOCKA_LIBS)

# mails
src_libchatjournal_a_SOURCES += \
	src/render/render_alert.c \
	src/render/render_catalog.c src/render/render_cut.c \
	src/render/render_detail.c src/render/render_encode.c \
	src/render/render_field.c src/render/render_field.h \
	src/render/render_files.c src/render/render_frame.c \
	src/render/render_headers.c \
	src/render/render_html.c src/render/render_int.h \
	src/render/render_item.c src/render/render_json.c \
	src/render/render_known.c src/render/render_language.c \
	src/render/render_last.c \
	src/render/render_mails.c src/render/render_mime.c \
	src/render/render_names.c src/render/render_notes.c \
	src/render/render_parts.c src/render/render_policy.c \
	src/render/render_policy_fields.c src/render/render_read.c \
	src/render/render_report.c src/render/render_scratch.c \
	src/render/render_spool.c src/render/render_style.c \
	src/render/render_thread.c src/render/render_turn.c \
	src/render/render_vars.c src/render/render_view.c \
	src/render/render_view.h src/render/render_words.c \
	src/render/render_words.h

RENDER_BED = tests/unit/render_bed.c tests/unit/render_bed.h

UNIT_TESTS += tests/unit/test_render_language tests/unit/test_render_view
tests_unit_test_render_language_SOURCES = \
	tests/unit/test_render_language.c $(RENDER_BED)
tests_unit_test_render_language_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_render_view_SOURCES = tests/unit/test_render_view.c \
	$(RENDER_BED)
tests_unit_test_render_view_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_render tests/unit/test_render_field
UNIT_TESTS += tests/unit/test_render_html
tests_unit_test_render_html_SOURCES = tests/unit/test_render_html.c
tests_unit_test_render_html_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_render_SOURCES = tests/unit/test_render.c $(RENDER_BED)
tests_unit_test_render_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_render_field_SOURCES = tests/unit/test_render_field.c
tests_unit_test_render_field_LDADD = $(LDADD) $(CMOCKA_LIBS)

dist_templates_DATA = templates/subject.txt templates/turn.txt \
	templates/turn.html templates/pt.words templates/ru.words
templatesdir = $(pkgdatadir)/templates

UNIT_TESTS += tests/unit/test_render_style
tests_unit_test_render_style_SOURCES = tests/unit/test_render_style.c \
	tests/unit/mail_bed.c tests/unit/mail_bed.h
tests_unit_test_render_style_LDADD = $(LDADD) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_render_mails
tests_unit_test_render_mails_SOURCES = tests/unit/test_render_mails.c \
	tests/unit/mail_bed.c tests/unit/mail_bed.h
tests_unit_test_render_mails_LDADD = $(LDADD) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_render_policy
tests_unit_test_render_policy_SOURCES = tests/unit/test_render_policy.c \
	$(RENDER_BED)
tests_unit_test_render_policy_LDADD = $(LDADD) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_render_frame
tests_unit_test_render_frame_SOURCES = tests/unit/test_render_frame.c \
	tests/unit/mail_bed.c tests/unit/mail_bed.h
tests_unit_test_render_frame_LDADD = $(LDADD) $(CMOCKA_LIBS)
