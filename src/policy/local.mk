# src/policy: the bank's rules: what they match, what they demand
noinst_HEADERS += include/policy.h
src_libchatjournal_a_SOURCES += \
	src/policy/policy_name.c src/policy/policy_source.c

UNIT_TESTS += tests/unit/test_policy_source
tests_unit_test_policy_source_SOURCES = tests/unit/test_policy_source.c
tests_unit_test_policy_source_LDADD = $(LDADD) $(CMOCKA_LIBS)
