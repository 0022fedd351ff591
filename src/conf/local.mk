# src/conf: the configuration language, its tables, and the snapshot
src_libchatjournal_a_SOURCES += \
	src/conf/conf.c src/conf/conf_apply.c src/conf/conf_check.c \
	src/conf/conf_check_gateway.c src/conf/conf_directory.c src/conf/conf_files.c src/conf/conf_int.h \
	src/conf/conf_issues.c src/conf/conf_lex.c src/conf/conf_near.c \
	src/conf/conf_net.c src/conf/conf_parse.c src/conf/conf_print.c \
	src/conf/conf_policy.c src/conf/conf_policy_act.c \
	src/conf/conf_policy_int.h src/conf/conf_policy_match.c src/conf/conf_policy_ref.c \
	src/conf/conf_policy_rule.c \
	src/conf/conf_snapshot.c src/conf/conf_table.c \
	src/conf/conf_table_gateway.c src/conf/conf_table_relay.c src/conf/conf_terms.c \
	src/conf/conf_text.h \
	src/conf/conf_tree.h src/conf/conf_value.c src/conf/conf_word.c

UNIT_TESTS += tests/unit/test_conf tests/unit/test_conf_errors \
	tests/unit/test_conf_gateway tests/unit/test_conf_policy \
	tests/unit/test_conf_rulesets
tests_unit_test_conf_rulesets_SOURCES = tests/unit/test_conf_rulesets.c \
	tests/unit/conf_help.h tests/unit/policy_bed.c \
	tests/unit/policy_bed.h
tests_unit_test_conf_rulesets_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_conf_policy_SOURCES = tests/unit/test_conf_policy.c \
	tests/unit/conf_help.h
tests_unit_test_conf_policy_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c tests/unit/conf_help.h
tests_unit_test_conf_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_conf_gateway_SOURCES = tests/unit/test_conf_gateway.c \
	tests/unit/conf_help.h
tests_unit_test_conf_gateway_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_conf_errors_SOURCES = tests/unit/test_conf_errors.c \
	tests/unit/conf_help.h
tests_unit_test_conf_errors_LDADD = $(LDADD) $(CMOCKA_LIBS)
