# tests/screens: the HTML part as headless Chromium shows it; make check-screens
# leaves pictures of all mails in tests/screens/out, to be looked at
# SPDX-License-Identifier: Apache-2.0

check_PROGRAMS += tests/screens/gallery
tests_screens_gallery_SOURCES = tests/screens/gallery.c

SCREENS_TESTS = tests/screens/screens.py
EXTRA_DIST += $(SCREENS_TESTS) tests/screens/chromium.py \
	tests/screens/harness.js

check-screens: check-programs
	$(RUN_TAP) $(SCREENS_TESTS)

.PHONY: check-screens
