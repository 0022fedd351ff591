# tests/fuzz: fuzz targets and the replay of their corpora
# SPDX-License-Identifier: Apache-2.0
#
# A new target is fuzz_NAME.c, two lines at the end of this file, and a corpus
# in corpus/NAME. "make check" replays the corpora; "make fuzz" runs libFuzzer
# on each target, FUZZ_SECONDS long.

FUZZ_SECONDS = 60
FUZZ_TARGETS =

if FUZZ
FUZZ_LDADD = $(FUZZ_ENGINE) $(LDADD)
else
check_LIBRARIES += tests/fuzz/libreplay.a
FUZZ_LDADD = tests/fuzz/libreplay.a $(LDADD)
TESTS += $(FUZZ_TARGETS)
endif
tests_fuzz_libreplay_a_SOURCES = tests/fuzz/fuzz.h tests/fuzz/replay_main.c

check_PROGRAMS += $(FUZZ_TARGETS)
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/run.sh

# Without --enable-fuzz this builds once more, in a copy of what would be
# distributed. FUZZ_CC must be clang.
FUZZ_CC = clang
if FUZZ
FUZZ_WORK = $(abs_top_builddir)/fuzz-work
fuzz: $(FUZZ_TARGETS)
	FUZZ_WORK='$(FUZZ_WORK)' FUZZ_SECONDS='$(FUZZ_SECONDS)' \
		FUZZ_TARGETS='$(FUZZ_TARGETS)' $(RUN_TAP) -t 86400 tests/fuzz/run.sh
else
fuzz:
	@$(FUZZ_CC) --version >/dev/null 2>&1 || { \
		echo "SKIP: fuzz: $(FUZZ_CC) is not installed"; \
		echo "0 passed, 0 failed, 1 skipped"; exit 0; }; \
	$(MAKE) $(AM_MAKEFLAGS) distdir distdir=fuzz-build && \
	chmod -R u+w fuzz-build && cd fuzz-build && \
	./configure -q --enable-fuzz CC='$(FUZZ_CC)' CFLAGS='-g -O1' && \
	$(MAKE) $(AM_MAKEFLAGS) fuzz FUZZ_SECONDS='$(FUZZ_SECONDS)' \
		FUZZ_WORK='$(abs_top_builddir)/fuzz-work'
endif
.PHONY: fuzz

# One target: two lines.
FUZZ_TARGETS += tests/fuzz/fuzz_template
tests_fuzz_fuzz_template_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_text
tests_fuzz_fuzz_text_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_wa
tests_fuzz_fuzz_wa_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_signature
tests_fuzz_fuzz_signature_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_conf
tests_fuzz_fuzz_conf_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_http
tests_fuzz_fuzz_http_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_smtp
tests_fuzz_fuzz_smtp_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_render
tests_fuzz_fuzz_render_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_graph
tests_fuzz_fuzz_graph_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_media
tests_fuzz_fuzz_media_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_policy
tests_fuzz_fuzz_policy_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_wa_gateway
tests_fuzz_fuzz_wa_gateway_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_rules
tests_fuzz_fuzz_rules_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_gateway_body
tests_fuzz_fuzz_gateway_body_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_gateway_part
tests_fuzz_fuzz_gateway_part_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_gateway_route
tests_fuzz_fuzz_gateway_route_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_scan
tests_fuzz_fuzz_scan_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_pattern
tests_fuzz_fuzz_pattern_LDADD = $(FUZZ_LDADD)
