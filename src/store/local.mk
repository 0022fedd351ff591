# src/store: the verbs, the SQLite driver, the schema embedded at build time
src_libchatjournal_a_SOURCES += \
	src/store/store.c src/store/store_open.c \
	src/store/store_look.c src/store/store_int.h \
	src/store/store_identity.c src/store/store_want.c \
	src/store/store_gateway.c \
	src/store/store_dirs.c src/store/store_dirs.h \
	src/store/store_sqlite.c src/store/store_sqlite.h \
	src/store/store_sqlite_open.c src/store/store_sqlite_prepare.c \
	src/store/store_sqlite_check.c src/store/store_sqlite_sweep.c \
	src/store/store_sqlite_event.c src/store/store_sqlite_item.c \
	src/store/store_sqlite_identity.c \
	src/store/store_sqlite_turn.c src/store/store_sqlite_want.c \
	src/store/store_sqlite_mail.c \
	src/store/store_policy.c src/store/store_sqlite_policy.c \
	src/store/store_sqlite_hold.c src/store/store_sqlite_review.c \
	src/store/store_sqlite_ask.c \
	src/store/store_sqlite_purge.c src/store/store_sqlite_law.c \
	src/store/store_sqlite_status.c src/store/store_sqlite_list.c \
	src/store/store_sqlite_trace.c src/store/store_sqlite_trail.c \
	src/store/store_sqlite_send.c src/store/store_sqlite_upload.c \
	src/store/store_sqlite_tally.c
nodist_src_libchatjournal_a_SOURCES = src/store/schema.h

EXTRA_DIST += src/store/sql/schema.sql
BUILT_SOURCES += src/store/schema.h
CLEANFILES += src/store/schema.h

# Comments other than the section marks are left out.
src/store/schema.h: src/store/sql/schema.sql
	$(AM_V_GEN)$(MKDIR_P) src/store && \
	{ echo 'static const char schema_sql[] ='; \
	  $(AWK) '/^-- (file|version|only) / { print "\t\"" $$0 "\\n\""; next } \
	    { sub(/ *--.*/, "") } /./ { gsub(/["\\]/, "\\\\&"); \
	    print "\t\"" $$0 "\\n\"" } END { print "\t;" }' \
	    $(srcdir)/src/store/sql/schema.sql; } >$@.tmp && mv $@.tmp $@

src/store/store_sqlite_prepare.$(OBJEXT): src/store/schema.h

# The contract, once for each driver.
STORE_CONTRACT = tests/unit/store_contract.c tests/unit/store_contract.h \
	tests/unit/store_bed.c tests/unit/store_bed.h \
	tests/unit/store_filing.c tests/unit/store_knowing.c \
	tests/unit/store_wanting.c \
	tests/unit/store_keeping.c tests/unit/store_delivery.c \
	tests/unit/store_looking.c tests/unit/store_following.c \
	tests/unit/store_judging.c tests/unit/store_holding.c \
	tests/unit/store_sending.c tests/unit/store_remembering.c \
	tests/unit/store_redoing.c

UNIT_TESTS += tests/unit/test_store_sqlite
tests_unit_test_store_sqlite_SOURCES = tests/unit/test_store_sqlite.c \
	$(STORE_CONTRACT)
tests_unit_test_store_sqlite_CPPFLAGS = $(AM_CPPFLAGS) \
	-iquote $(srcdir)/src/store
tests_unit_test_store_sqlite_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_store_memory
tests_unit_test_store_memory_SOURCES = tests/unit/test_store_memory.c \
	$(STORE_CONTRACT)
tests_unit_test_store_memory_LDADD = $(LDADD) $(CMOCKA_LIBS)

check_PROGRAMS += tests/bench/bench_store
tests_bench_bench_store_SOURCES = tests/bench/bench_store.c

# The fake, for tests of those who use the store.
FAKE_STORE = tests/fake/store_memory.c tests/fake/store_memory.h \
	tests/fake/store_memory_look.c tests/fake/store_memory_mail.c \
	tests/fake/store_memory_trace.c tests/fake/store_memory_turn.c \
	tests/fake/store_memory_identity.c tests/fake/store_memory_want.c \
	tests/fake/store_memory_policy.c tests/fake/store_memory_hold.c \
	tests/fake/store_memory_gateway.c tests/fake/store_memory_parked.c
FAKE_STORE_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(srcdir)/tests \
	-iquote $(srcdir)/src/store

UNIT_TESTS += tests/unit/test_store_fake
tests_unit_test_store_fake_SOURCES = tests/unit/test_store_fake.c \
	$(STORE_CONTRACT) $(FAKE_STORE)
tests_unit_test_store_fake_CPPFLAGS = $(FAKE_STORE_CPPFLAGS)
tests_unit_test_store_fake_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_store_files
tests_unit_test_store_files_SOURCES = tests/unit/test_store_files.c \
	tests/unit/store_bed.c tests/unit/store_bed.h \
	tests/unit/store_contract.h
tests_unit_test_store_files_CPPFLAGS = $(AM_CPPFLAGS) \
	-iquote $(srcdir)/src/store
tests_unit_test_store_files_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_store_upgrade
tests_unit_test_store_upgrade_SOURCES = tests/unit/test_store_upgrade.c \
	tests/unit/store_version_1.h tests/unit/store_version_2.h \
	tests/unit/store_bed.c \
	tests/unit/store_bed.h tests/unit/store_contract.h
tests_unit_test_store_upgrade_CPPFLAGS = $(AM_CPPFLAGS) \
	-iquote $(srcdir)/src/store
tests_unit_test_store_upgrade_LDADD = $(LDADD) $(CMOCKA_LIBS)

check_PROGRAMS += tests/crash/crash_store
TESTS += tests/crash/crash_store
tests_crash_crash_store_SOURCES = tests/crash/crash_store.c \
	tests/crash/crash_names.c \
	tests/crash/crash_sends.c tests/crash/crash_sends.h \
	tests/crash/crash_slice.c tests/crash/crash_slice.h \
	tests/crash/crash_tree.c tests/crash/crash_tree.h \
	tests/crash/crash_calls.c tests/crash/crash_calls.h
tests_crash_crash_store_CPPFLAGS = $(AM_CPPFLAGS) \
	-iquote $(srcdir)/src/store
