#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs libFuzzer on each of FUZZ_TARGETS, FUZZ_SECONDS long, from its corpus,
# one target for each processor at a time.
# What it finds on the way is kept in FUZZ_WORK/NAME for the next time; an
# input that breaks a law is left beside it as NAME.crash-*. Prints TAP.
set -u
seconds=${FUZZ_SECONDS:-60}
work=${FUZZ_WORK:-$BUILDDIR/fuzz-work}
read -ra targets <<< "$FUZZ_TARGETS"
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1}
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export G_SLICE=always-malloc

echo "1..${#targets[@]}"
# fuzz N TARGET: one line of TAP, and why.
fuzz() {
	local n=$1 target=$2 name=${2##*/fuzz_} log corpus dir runs
	log=$work/$name.log
	mkdir -p "$work/$name"
	corpus=("$work/$name" "$SRCDIR/tests/fuzz/corpus/$name")
	if [ -f "$SRCDIR/tests/fuzz/corpus/$name.also" ]; then
		while read -r dir; do
			[ -d "$SRCDIR/$dir" ] && corpus+=("$SRCDIR/$dir")
		done < "$SRCDIR/tests/fuzz/corpus/$name.also"
	fi
	if "$BUILDDIR/$target" -max_total_time="$seconds" -timeout=10 \
	    -rss_limit_mb=1024 -max_len=65536 -print_final_stats=1 \
	    -artifact_prefix="$work/$name." "${corpus[@]}" \
	    > "$log" 2>&1 < /dev/null; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
		echo "ok $n - $name breaks no law in $seconds s ($runs inputs)"
	else
		echo "not ok $n - $name breaks no law in $seconds s ($log)"
		tail -n 40 "$log" | sed 's/^/# /'
	fi
}

n=0
for target in "${targets[@]}"; do
	[ "$n" -lt "$(nproc)" ] || wait -n
	n=$((n + 1))
	{
		report=$(fuzz "$n" "$target")
		flock "$work" echo "$report"
	} &
done
wait
