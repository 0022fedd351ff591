# src/intake: sources and unit tests
src_libchatjournal_a_SOURCES += src/intake/intake.c

UNIT_TESTS += tests/unit/test_intake
tests_unit_test_intake_SOURCES = tests/unit/test_intake.c
tests_unit_test_intake_LDADD = $(LDADD) $(CMOCKA_LIBS)
