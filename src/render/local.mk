# src/render: sources and unit tests

# templates
src_libchatjournal_a_SOURCES += \
	src/render/template.c src/render/template_escape.c \
	src/render/template_int.h src/render/template_names.c \
	src/render/template_parse.c

UNIT_TESTS += tests/unit/test_template
tests_unit_test_template_SOURCES = tests/unit/test_template.c
tests_unit_test_template_LDADD = $(LDADD) $(CMOCKA_LIBS)
