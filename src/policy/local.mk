# src/policy: the bank's rules: what they match, what they demand
noinst_HEADERS += include/policy.h
src_libchatjournal_a_SOURCES += \
	src/policy/policy_int.h src/policy/policy_json.c \
	src/policy/policy_name.c src/policy/policy_source.c \
	src/policy/policy_verdict.c

UNIT_TESTS += tests/unit/test_policy_source
tests_unit_test_policy_source_SOURCES = tests/unit/test_policy_source.c
tests_unit_test_policy_source_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_policy_verdict
tests_unit_test_policy_verdict_SOURCES = tests/unit/test_policy_verdict.c
tests_unit_test_policy_verdict_LDADD = $(LDADD) $(CMOCKA_LIBS)
