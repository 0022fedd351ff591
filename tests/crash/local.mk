# tests/crash: dying, or failing, at each system call that changes files
# SPDX-License-Identifier: Apache-2.0
#
# crash_store is listed with the store.

CRASH_TESTS = tests/crash/crash_build tests/crash/crash_gateway \
	tests/crash/crash_maildir
check_PROGRAMS += $(CRASH_TESTS)
TESTS += $(CRASH_TESTS)
CRASH_CALLS = tests/crash/crash_calls.c tests/crash/crash_calls.h \
	tests/crash/crash_slice.c tests/crash/crash_slice.h \
	tests/crash/crash_tree.c tests/crash/crash_tree.h
tests_crash_crash_build_SOURCES = tests/crash/crash_build.c \
	tests/crash/crash_names.c $(CRASH_CALLS)
tests_crash_crash_maildir_SOURCES = tests/crash/crash_maildir.c \
	tests/crash/crash_names.c $(CRASH_CALLS)
tests_crash_crash_gateway_SOURCES = tests/crash/crash_gateway.c \
	tests/crash/crash_names.c $(CRASH_CALLS)
tests_crash_crash_gateway_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(srcdir)/src/role

# More calls than make check tries, and others each time: it all depends on
# CRASH_FROM, which is told.
check-crash: check-programs
	from=$${CRASH_FROM:-`date +%s`}; \
	echo "crash tests: CRASH_FROM=$$from CRASH_TIMES=$(CRASH_TIMES)"; \
	CRASH_FROM=$$from CRASH_TIMES=$(CRASH_TIMES) \
		TMPDIR=`$(SHELL) $(srcdir)/tests/tmpdir.sh` \
		$(RUN_TAP) -j $(TAP_JOBS) tests/crash/crash_build \
		tests/crash/crash_store tests/crash/crash_gateway
CRASH_TIMES = 4

.PHONY: check-crash
