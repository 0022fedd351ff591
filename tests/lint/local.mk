# tests/lint: rules that a pattern can express
# SPDX-License-Identifier: Apache-2.0

LINT_TESTS = tests/lint/layers.sh tests/lint/source.py \
	tests/lint/events.py tests/lint/docs.sh tests/lint/words.py
TESTS += $(LINT_TESTS)
EXTRA_DIST += $(LINT_TESTS) tests/lint/LAYERS tests/lint/layers.awk \
	tests/lint/codespell.ignore tests/lint/comments.py \
	tests/lint/csource.py
