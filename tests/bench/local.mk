# tests/bench: speed and memory, each beside a reference in the same run
check_PROGRAMS += tests/bench/bench_build tests/bench/load
tests_bench_bench_build_SOURCES = tests/bench/bench_build.c
tests_bench_load_SOURCES = tests/bench/load.c
