# tests: what is not a unit test, and other ways to run the tests
# SPDX-License-Identifier: Apache-2.0

include $(srcdir)/tests/crash/local.mk
include $(srcdir)/tests/fuzz/local.mk
include $(srcdir)/tests/golden/local.mk
include $(srcdir)/tests/lint/local.mk
include $(srcdir)/tests/bench/local.mk
include $(srcdir)/tests/replay/local.mk
include $(srcdir)/tests/screens/local.mk

# Tests against real programs: too slow, or too much to ask, for make check.
INTEGRATION_TESTS =

EXTRA_DIST += tests/run-tap.sh tests/tmpdir.sh
TESTS += tests/tap/run_tap.sh
EXTRA_DIST += tests/tap/run_tap.sh
# what the tests in Python share
EXTRA_DIST += tests/lib/mails.py tests/lib/tap.py
# what ./quickstart shows
EXTRA_DIST += tests/demo/page.py tests/demo/chart.png tests/demo/note.ogg \
	tests/demo/quickstart.sh tests/demo/statement.pdf
RUN_TAP = $(TEST_ENV) bash $(srcdir)/tests/run-tap.sh
TEST_ENV = SRCDIR='$(abs_top_srcdir)' BUILDDIR='$(abs_top_builddir)'

# Not all of it as prerequisites of one target: "all" is a make of its own,
# and with -j two of them would write the same objects.
check-programs: all
	@$(MAKE) $(AM_MAKEFLAGS) $(check_LIBRARIES) $(check_PROGRAMS) \
		$(check_SCRIPTS)

# As make check, but with one line for each sentence and one for the sum.
TAP_FLAGS =
TAP_WITHOUT =
TAP_JOBS = `nproc`
check-tap: check-programs
	TMPDIR=`$(SHELL) $(srcdir)/tests/tmpdir.sh` $(RUN_TAP) -j $(TAP_JOBS) $(TAP_FLAGS) \
		$(filter-out $(TAP_WITHOUT),$(TESTS))

check-integration: check-programs
	$(RUN_TAP) -j $(TAP_JOBS) $(TAP_FLAGS) $(INTEGRATION_TESTS)

# Of no use on a build that has sanitizers in it.
VALGRIND = valgrind -q --error-exitcode=99 --leak-check=full \
	--errors-for-leak-kinds=definite \
	--suppressions=$(abs_top_srcdir)/tests/valgrind.supp
EXTRA_DIST += tests/valgrind.supp
check-valgrind: check-programs
	G_SLICE=always-malloc $(RUN_TAP) -e test_proc_ -w '$(VALGRIND)' \
		$(UNIT_TESTS)

# In a copy of what would be distributed: a source directory that is already
# configured cannot be configured again for another build directory. The tests
# of the system call filters are skipped: the sanitizers need other calls.
#
# Nothing for the sanitizers to see: what runs no C of ours, and
# report_rules.py, for which the same is rendered as for read_back.py.
ASAN_WITHOUT = $(LINT_TESTS) tests/tap/run_tap.sh tests/fake/test_graph.py \
	tests/golden/report_rules.py
check-asan:
	$(MAKE) $(AM_MAKEFLAGS) distdir distdir=asan-build
	chmod -R u+w asan-build
	cd asan-build && ./configure -q --enable-sanitize CC='$(CC)' \
		CFLAGS='-g -O1'
	cd asan-build && UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		$(MAKE) $(AM_MAKEFLAGS) check-tap TAP_FLAGS='-e test_proc_' \
		TAP_WITHOUT='$(ASAN_WITHOUT)'

clean-local:
	rm -rf asan-build debian-build fuzz-build fuzz-work \
		tests/screens/out chatjournal_*.deb

.PHONY: check-programs check-tap check-integration check-valgrind check-asan

# the HTTP listener: a server for the nginx test and for measuring
check_PROGRAMS += tests/integration/http_echo
tests_integration_http_echo_SOURCES = tests/integration/http_echo.c
INTEGRATION_TESTS += tests/integration/nginx.sh
EXTRA_DIST += tests/integration/nginx.sh tests/bench/http.sh

# deliver: the benchmark is built with the tests; tests/bench/deliver.sh runs it
EXTRA_DIST += tests/bench/deliver.sh
check_PROGRAMS += tests/bench/bench_deliver
tests_bench_bench_deliver_SOURCES = tests/bench/bench_deliver.c

# conf: what the presets make of all kinds of events
TESTS += tests/presets/presets.py
EXTRA_DIST += tests/presets/presets.py

# render: mails per second of one core
check_PROGRAMS += tests/bench/bench_render
tests_bench_bench_render_SOURCES = tests/bench/bench_render.c

# integration: chatjournald as a whole
CHATJOURNALD_TESTS = tests/integration/one-event.sh \
	tests/integration/tls-and-auth.sh tests/integration/outage.sh \
	tests/integration/shared-relay.sh tests/integration/two-journals.sh \
	tests/integration/hostile-relay.sh tests/integration/disk-full.sh \
	tests/integration/odd-events.sh tests/integration/people-and-alarms.sh \
	tests/integration/queue-age.sh \
	tests/integration/reload-and-stop.sh \
	tests/integration/listening.sh \
	tests/integration/behind-nginx.sh tests/integration/admin-tool.sh \
	tests/integration/policy-tool.sh \
	tests/integration/kill.sh
INTEGRATION_TESTS += $(CHATJOURNALD_TESTS)
EXTRA_DIST += $(CHATJOURNALD_TESTS) tests/integration/lib.sh \
	tests/integration/tool.lib.sh \
	tests/integration/poster.py tests/integration/audit.py

# install: make install and the Debian package; its own target, as the
# package is built first
INSTALL_TESTS = tests/integration/install.sh
check_PROGRAMS += tests/integration/as_unit
tests_integration_as_unit_SOURCES = tests/integration/as_unit.c
EXTRA_DIST += $(INSTALL_TESTS) tests/all.sh

check-install: check-programs
	$(MAKE) $(AM_MAKEFLAGS) deb
	$(RUN_TAP) $(INSTALL_TESTS)
.PHONY: check-install

# media: files of messages, with a stand-in for Graph and a real clamd
MEDIA_TESTS = tests/integration/media.sh tests/integration/media-scan.sh \
	tests/integration/media-large.sh tests/integration/media-proxy.sh
INTEGRATION_TESTS += $(MEDIA_TESTS)
EXTRA_DIST += $(MEDIA_TESTS) tests/integration/media.lib.sh \
	tests/integration/attached.py

# scan: what phrases and patterns cost a message
check_PROGRAMS += tests/bench/bench_scan
tests_bench_bench_scan_SOURCES = tests/bench/bench_scan.c

# graph.py's sending half, and what it promises
EXTRA_DIST += tests/fake/graph_check.py tests/fake/graph_send.py
TESTS += tests/fake/test_graph.py
EXTRA_DIST += tests/fake/test_graph.py

# gateway: what staff send, before a stand-in for Graph
GATEWAY_TESTS = tests/integration/gateway.sh \
	tests/integration/gateway-rules.sh tests/integration/gateway-tls.sh \
	tests/integration/gateway-scan.sh tests/integration/gateway-batch.sh \
	tests/integration/gateway-full.sh tests/integration/gateway-kill.sh \
	tests/integration/gateway-waits.sh tests/integration/gateway-own.sh \
	tests/integration/gateway-storm.sh
INTEGRATION_TESTS += $(GATEWAY_TESTS)
EXTRA_DIST += $(GATEWAY_TESTS) tests/integration/gateway.lib.sh \
	tests/integration/every_type.py tests/integration/in_mail.py \
	tests/integration/sender.py tests/integration/sent.py \
	tests/integration/storm.py tests/integration/storm_audit.py

# ldap: staff and groups by a real slapd
LDAP_TESTS = tests/integration/ldap.sh
INTEGRATION_TESTS += $(LDAP_TESTS)
EXTRA_DIST += $(LDAP_TESTS)
