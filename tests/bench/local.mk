# tests/bench: speed and memory, each beside a reference in the same run
check_PROGRAMS += tests/bench/bench_build tests/bench/bench_graph \
	tests/bench/load
tests_bench_bench_build_SOURCES = tests/bench/bench_build.c
tests_bench_bench_graph_SOURCES = tests/bench/bench_graph.c
tests_bench_load_SOURCES = tests/bench/load.c

# policy: what rules cost a message
check_PROGRAMS += tests/bench/bench_policy
tests_bench_bench_policy_SOURCES = tests/bench/bench_policy.c

EXTRA_DIST += tests/bench/gateway.sh tests/bench/graph.sh \
	tests/bench/run.sh

# Not in a hurry, and not beside other work: the figures are of this machine.
bench: check-programs
	$(TEST_ENV) bash $(srcdir)/tests/bench/run.sh

.PHONY: bench
