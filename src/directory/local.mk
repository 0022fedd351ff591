# src/directory: who is who (its file is read by src/conf)
src_libchatjournal_a_SOURCES += src/directory/directory.c \
	src/directory/directory_ldap.c

UNIT_TESTS += tests/unit/test_directory
tests_unit_test_directory_SOURCES = tests/unit/test_directory.c \
	tests/unit/conf_help.h
tests_unit_test_directory_LDADD = $(LDADD) $(CMOCKA_LIBS)
