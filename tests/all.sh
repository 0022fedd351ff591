#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs every kind of test of a configured build directory, one stage after
# another, and closes with the sum "N passed, N failed, N skipped". Stages run
# to their end even if an earlier one failed. What `./quickstart check` calls.
set -u
bdir=$1
srcdir=$(cd "$(dirname "$0")/.." && pwd)
passed=0 failed=0 skipped=0
begun=$(date +%s)

# stage NAME COMMAND...: adds the command's closing line to the sum.
stage() {
	local name=$1 log=$bdir/stage-$1.log line rc start
	shift
	start=$(date +%s)
	echo "== $name: $*"
	"$@" >"$log" 2>&1
	rc=$?
	# With what is indented behind a failure: why it failed.
	awk '/^[^ ]/ { show = /^(FAIL|SKIP): /; n = 0 }
		show && n++ < 40' "$log"
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -n 1)
	if [ -z "$line" ]; then
		line='1 passed, 0 failed, 0 skipped'
		if [ $rc -ne 0 ]; then
			tail -n 20 "$log"
			line='0 passed, 1 failed, 0 skipped'
		fi
	elif [ $rc -ne 0 ] && [[ $line == *' 0 failed, '* ]]; then
		tail -n 20 "$log"
		line=${line/ 0 failed/ 1 failed}
	fi
	echo "   $name: $line ($(($(date +%s) - start)) s)"
	set -- $line
	passed=$((passed + $1)) failed=$((failed + $3)) skipped=$((skipped + $5))
}

mk() { make --no-print-directory -j"$(nproc)" -C "$bdir" "$@"; }

stage check mk check-tap
stage crash mk check-crash
stage integration mk check-integration
stage asan mk check-asan
stage screens mk check-screens
stage fuzz mk fuzz FUZZ_SECONDS="${FUZZ_SECONDS:-10}"
stage distcheck mk distcheck
stage quickstart env SRCDIR="$srcdir" BUILDDIR="$bdir" \
	bash "$srcdir/tests/run-tap.sh" "$srcdir/tests/demo/quickstart.sh"
stage install mk check-install

echo "all stages took $(($(date +%s) - begun)) s"
echo "$passed passed, $failed failed, $skipped skipped"
# Nothing may be missing where CI runs: a skip there is a failure.
[ "$failed" -eq 0 ] && { [ "${CI:-}" != true ] || [ "$skipped" -eq 0 ]; }
