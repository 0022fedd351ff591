# tests/golden: whole mails, compared byte for byte and read back
# SPDX-License-Identifier: Apache-2.0

check_PROGRAMS += tests/golden/golden_render
tests_golden_golden_render_SOURCES = tests/golden/golden_render.c \
	tests/golden/golden_case.c tests/golden/golden_case.h

GOLDEN_TESTS = tests/golden/golden.sh tests/golden/read_back.py \
	tests/golden/law.py tests/golden/report_rules.py
TESTS += $(GOLDEN_TESTS)
EXTRA_DIST += $(GOLDEN_TESTS) tests/golden/not-json.bin \
	tests/golden/read_back.pl \
	$(wildcard $(srcdir)/tests/golden/*.eml $(srcdir)/tests/golden/*.rpt) \
	$(wildcard $(srcdir)/tests/golden/cases/*.case) \
	$(wildcard $(srcdir)/tests/golden/media/*)

golden-accept: tests/golden/golden_render
	$(TEST_ENV) bash $(srcdir)/tests/golden/golden.sh --accept

.PHONY: golden-accept
