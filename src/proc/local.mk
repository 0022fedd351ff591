# src/proc: the supervisor, the ritual of a role, the sandbox, the log sink
src_libchatjournal_a_SOURCES += \
	src/proc/proc_confine.c src/proc/proc_enter.c src/proc/proc_int.h \
	src/proc/proc_lines.c src/proc/proc_news.c src/proc/proc_notify.c \
	src/proc/proc_role.c src/proc/proc_sink.c src/proc/proc_spawn.c \
	src/proc/proc_supervise.c src/proc/proc_table.c src/proc/proc_target.c

UNIT_TESTS += tests/unit/test_proc_libraries tests/unit/test_proc_log \
	tests/unit/test_proc_ritual tests/unit/test_proc_role \
	tests/unit/test_proc_supervise tests/unit/test_proc_table
tests_unit_test_proc_libraries_SOURCES = tests/unit/test_proc_libraries.c
tests_unit_test_proc_libraries_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_proc_log_SOURCES = tests/unit/test_proc_log.c
tests_unit_test_proc_log_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_proc_ritual_SOURCES = tests/unit/test_proc_ritual.c
tests_unit_test_proc_ritual_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_proc_role_SOURCES = tests/unit/test_proc_role.c
tests_unit_test_proc_role_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_proc_supervise_SOURCES = tests/unit/test_proc_supervise.c
tests_unit_test_proc_supervise_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_proc_table_SOURCES = tests/unit/test_proc_table.c
tests_unit_test_proc_table_LDADD = $(LDADD) $(CMOCKA_LIBS)
# plays the roles for test_proc_supervise
check_PROGRAMS += tests/unit/test_proc_player
tests_unit_test_proc_player_SOURCES = tests/unit/test_proc_player.c
