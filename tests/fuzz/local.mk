# tests/fuzz: fuzz targets and the replay of their corpora
# SPDX-License-Identifier: Apache-2.0
#
# A new target is fuzz_NAME.c, two lines at the end of this file, and a corpus
# in corpus/NAME. "make check" replays the corpora; "make fuzz" needs
# ./configure --enable-fuzz CC=clang and runs each target FUZZ_SECONDS long.

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

if FUZZ
fuzz: $(FUZZ_TARGETS)
	$(TEST_ENV) FUZZ_SECONDS=$(FUZZ_SECONDS) \
		bash $(srcdir)/tests/fuzz/run.sh $(FUZZ_TARGETS)
else
fuzz:
	@echo "make fuzz: configure with --enable-fuzz CC=clang" >&2; exit 1
endif
.PHONY: fuzz

# One target: two lines.
FUZZ_TARGETS += tests/fuzz/fuzz_template
tests_fuzz_fuzz_template_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_text
tests_fuzz_fuzz_text_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_wa
tests_fuzz_fuzz_wa_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_conf
tests_fuzz_fuzz_conf_LDADD = $(FUZZ_LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_http
tests_fuzz_fuzz_http_LDADD = $(FUZZ_LDADD)
