# src/directory: who is who (its file is read by src/conf)
src_libchatjournal_a_SOURCES += src/directory/directory.c \
	src/directory/directory_ldap.c src/directory/directory_wire.c \
	src/directory/directory_groups.c src/directory/directory_int.h

UNIT_TESTS += tests/unit/test_directory
tests_unit_test_directory_SOURCES = tests/unit/test_directory.c \
	tests/unit/conf_help.h
tests_unit_test_directory_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_directory_ldap
tests_unit_test_directory_ldap_SOURCES = tests/unit/test_directory_ldap.c
tests_unit_test_directory_ldap_LDADD = $(LDADD) $(CMOCKA_LIBS)
EXTRA_DIST += tests/lib/slapd.sh
