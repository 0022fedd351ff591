# tests/replay: scenarios with simulated time, the main test of the core
# SPDX-License-Identifier: Apache-2.0

REPLAY_TESTS = tests/replay/replay tests/replay/random_rules
check_PROGRAMS += $(REPLAY_TESTS)
TESTS += $(REPLAY_TESTS)
tests_replay_replay_SOURCES = tests/replay/replay.c \
	tests/replay/alone.c tests/replay/evidence.c \
	tests/replay/evidence.h tests/replay/expect.c tests/replay/expect.h \
	tests/replay/golden.c tests/replay/golden.h \
	tests/replay/law.c tests/replay/mail_read.c tests/replay/mail_read.h \
	tests/replay/play.c tests/replay/play.h \
	tests/replay/post.c tests/replay/post.h \
	tests/replay/record.c tests/replay/record.h \
	tests/replay/script.c tests/replay/script.h \
	tests/replay/world.c tests/replay/world.h \
	tests/replay/world_mail.c tests/replay/world_relay.c
tests_replay_random_rules_SOURCES = tests/replay/random_rules.c \
	tests/replay/evidence.c tests/replay/evidence.h tests/replay/law.c \
	tests/replay/leaks.c tests/replay/leaks.h \
	tests/replay/mail_read.c tests/replay/mail_read.h \
	tests/replay/world.c tests/replay/world.h \
	tests/replay/world_mail.c tests/replay/world_relay.c

EXTRA_DIST += tests/replay/README $(wildcard $(srcdir)/tests/replay/*.scn)
