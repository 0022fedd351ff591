# src/turn: sources and unit tests
src_libchatjournal_a_SOURCES += src/turn/turn.c

UNIT_TESTS += tests/unit/test_turn
tests_unit_test_turn_SOURCES = tests/unit/test_turn.c
tests_unit_test_turn_LDADD = $(LDADD) $(CMOCKA_LIBS)
