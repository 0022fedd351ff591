# src/policy: the bank's rules: what they match, what they demand
noinst_HEADERS += include/policy.h
src_libchatjournal_a_SOURCES += \
	src/policy/policy_check.c src/policy/policy_eval.c \
	src/policy/policy_eval.h src/policy/policy_eval_file.c \
	src/policy/policy_eval_input.c src/policy/policy_eval_text.c \
	src/policy/policy_glob.c src/policy/policy_hours.c \
	src/policy/policy_int.h src/policy/policy_json.c \
	src/policy/policy_judge.c src/policy/policy_name.c \
	src/policy/policy_new.c src/policy/policy_node.c \
	src/policy/policy_source.c src/policy/policy_text.c \
	src/policy/policy_verdict.c src/policy/policy_word.c

UNIT_TESTS += tests/unit/test_policy_source
tests_unit_test_policy_source_SOURCES = tests/unit/test_policy_source.c
tests_unit_test_policy_source_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_policy_verdict
tests_unit_test_policy_verdict_SOURCES = tests/unit/test_policy_verdict.c
tests_unit_test_policy_verdict_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_policy_match
tests_unit_test_policy_match_SOURCES = tests/unit/test_policy_match.c \
	tests/unit/policy_bed.c tests/unit/policy_bed.h
tests_unit_test_policy_match_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_policy_act
tests_unit_test_policy_act_SOURCES = tests/unit/test_policy_act.c \
	tests/unit/policy_bed.c tests/unit/policy_bed.h
tests_unit_test_policy_act_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_policy_rules
tests_unit_test_policy_rules_SOURCES = tests/unit/test_policy_rules.c \
	tests/unit/policy_bed.c tests/unit/policy_bed.h
tests_unit_test_policy_rules_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_policy_laws
tests_unit_test_policy_laws_SOURCES = tests/unit/test_policy_laws.c \
	tests/unit/policy_bed.c tests/unit/policy_bed.h
tests_unit_test_policy_laws_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_policy_texts
tests_unit_test_policy_texts_SOURCES = tests/unit/test_policy_texts.c \
	tests/unit/wa_bed.c tests/unit/wa_bed.h
tests_unit_test_policy_texts_LDADD = $(LDADD) $(CMOCKA_LIBS)
