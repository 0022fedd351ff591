# src/base: errors, log, clock, io, text, hash
src_libchatjournal_a_SOURCES += \
	src/base/clock.c src/base/err.c src/base/hash.c src/base/io.c \
	src/base/log.c src/base/text.c

UNIT_TESTS += tests/unit/test_base
tests_unit_test_base_SOURCES = tests/unit/test_base.c
tests_unit_test_base_LDADD = $(LDADD) $(CMOCKA_LIBS)
