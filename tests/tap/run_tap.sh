#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tests/run-tap.sh judges programs: here it is judged itself, by programs that
# pass, fail, crash, skip, hang and leave something behind.
set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
count=0 failed=0

check() {
	local sentence=$1
	shift
	count=$((count + 1))
	if "$@" > "$tmp/why" 2>&1; then
		echo "ok $count - $sentence"
	else
		failed=1
		echo "not ok $count - $sentence"
		sed 's/^/# /' "$tmp/why" "$tmp/said"
	fi
}

# program NAME: made of the standard input.
program() {
	{ echo '#!/bin/bash'; cat; } > "$tmp/$1"
	chmod +x "$tmp/$1"
}

# judged ARGUMENT...: what was said, and the status.
judged() {
	(cd "$tmp" && SRCDIR=$tmp BUILDDIR=$tmp TMPDIR=$tmp \
		bash "$SRCDIR/tests/run-tap.sh" "$@") > "$tmp/said" 2>&1
	echo $? > "$tmp/status"
}

# said STATUS LINE...: these lines, the last one as the last.
said() {
	local status=$1 line
	shift
	[ "$(cat "$tmp/status")" = "$status" ] || {
		echo "status $(cat "$tmp/status") instead of $status"
		return 1
	}
	for line; do
		grep -qxF -- "$line" "$tmp/said" ||
			{ echo "not said: $line"; return 1; }
	done
	[ "$(tail -n 1 "$tmp/said")" = "$line" ]
}

# gone FILE: the process that FILE names is no more, soon.
gone() {
	local i
	for ((i = 0; i < 100; i++)); do
		case $(ps -o stat= -p "$(cat "$1")") in
		'' | Z*) return 0 ;;
		esac
		sleep 0.05
	done
	echo "$1 runs still: $(cat "$1")"
	return 1
}

said_and_gone() {
	local file=$1
	shift
	said "$@" && gone "$file"
}

program good << 'END'
echo "ok 1 - one"
echo "ok 2 - two"
echo "1..2"
END
program bad << 'END'
echo "1..2"
echo "# before"
echo "not ok 1 - one"
echo "# after"
echo "ok 2 - two"
echo "to the errors" >&2
exit 1
END
program few << 'END'
echo "1..3"
echo "ok 1 - one"
END
program planless << 'END'
echo "ok 1 - one"
END
program silent << 'END'
true
END
program crash << 'END'
echo "1..1"
echo "ok 1 - one"
kill -SEGV $$
END
program half << 'END'
echo "1..2"
echo "ok 1 - one"
kill -KILL $$
END
program three << 'END'
echo "1..1"
echo "ok 1 - one"
exit 3
END
program bail << 'END'
echo "1..1"
echo "Bail out! no more"
exit 1
END
program nothing << 'END'
echo "1..0 # SKIP no tools"
END
program automake << 'END'
echo "no machine"
exit 77
END
program some << 'END'
echo "1..2"
echo "ok 1 - one # SKIP no net"
echo "ok 2 - two"
END
program hang << 'END'
echo "1..1"
echo "ok 1 - one"
echo $$ > "$HERE/hang.pid"
sleep 600
END
program stubborn << 'END'
trap '' TERM HUP INT
echo $$ > "$HERE/stubborn.pid"
while :; do sleep 1; done
END
program litter << 'END'
sleep 600 &
echo $! > "$HERE/litter.pid"
: > "$TMPDIR/litter"
echo "$TMPDIR" > "$HERE/litter.dir"
echo "ok 1 - one"
echo "1..1"
END
for i in 1 2 3 4; do
	program "slow$i" << END
for n in 1 2 3 4 5 6 7 8; do
	echo "ok \$n - of $i"
	sleep 0.01
done
echo "1..8"
END
done
export HERE=$tmp

judged good
check "what passes is told, counted and no failure" \
	said 0 "PASS: good: one" "PASS: good: two" \
	"2 passed, 0 failed, 0 skipped"
judged bad
check "a failure is told with what was said around it" \
	said 1 "FAIL: bad: one" "    # before" "    # after" \
	"    | to the errors" "1 passed, 1 failed, 0 skipped"
judged few
check "fewer results than planned are a failure" \
	said 1 "FAIL: few: gave 1 of 3 results, status 0" \
	"1 passed, 1 failed, 0 skipped"
judged planless
check "no plan is a failure" \
	said 1 "FAIL: planless: printed no plan, status 0" \
	"1 passed, 1 failed, 0 skipped"
judged silent
check "so is saying nothing" \
	said 1 "FAIL: silent: printed no plan, status 0" \
	"0 passed, 1 failed, 0 skipped"
judged crash
check "a crash after all results is a failure" \
	said 1 "FAIL: crash: ended with status 139" \
	"1 passed, 1 failed, 0 skipped"
judged half
check "so is one halfway, and not taken for a hang" \
	said 1 "FAIL: half: gave 1 of 2 results, status 137" \
	"1 passed, 1 failed, 0 skipped"
judged three
check "another status than 0 is a failure" \
	said 1 "FAIL: three: ended with status 3" \
	"1 passed, 1 failed, 0 skipped"
judged bail
check "to bail out is a failure" grep -qx "FAIL: bail: Bail out! no more" \
	"$tmp/said"
judged missing
check "a program that is not there is a failure" \
	said 1 "FAIL: missing: printed no plan, status 127" \
	"0 passed, 1 failed, 0 skipped"
judged -w no-such-wrapper good
check "a wrapper that is not installed is a skip" \
	said 0 "SKIP: good: no-such-wrapper is not installed" \
	"0 passed, 0 failed, 1 skipped"
judged nothing automake some
check "skips are told with their reason, and no failure" \
	said 0 "SKIP: nothing: no tools" "SKIP: automake: no machine" \
	"SKIP: some: one # SKIP no net" "1 passed, 0 failed, 3 skipped"
judged -s some
check "with -s a skip is a failure" \
	said 1 "1 passed, 0 failed, 1 skipped"
judged -e '^some$' some
check "with -e it is told, but not counted" \
	said 0 "LEFT: some: one # SKIP no net" "1 passed, 0 failed, 0 skipped"
judged -t 1 hang
check "what hangs is given up, with its children" \
	said_and_gone "$tmp/hang.pid" 1 "FAIL: hang: took longer than 1 s" \
	"1 passed, 1 failed, 0 skipped"
judged -t 1 -k 1 stubborn
check "what will not end is killed" \
	said_and_gone "$tmp/stubborn.pid" 1 \
	"FAIL: stubborn: took longer than 1 s" "0 passed, 1 failed, 0 skipped"
judged litter
check "processes that are left behind are a failure, and ended" \
	said_and_gone "$tmp/litter.pid" 1 \
	"FAIL: litter: left processes behind: sleep" \
	"1 passed, 1 failed, 0 skipped"
check "what is left in TMPDIR is removed" \
	test ! -e "$(cat "$tmp/litter.dir")"
judged -j 4 slow1 slow2 slow3 slow4 bad crash
check "of several side by side the sum is of all" \
	said 1 "34 passed, 2 failed, 0 skipped"
# Each program's lines follow each other.
check "their reports are not mixed" \
	test "$(grep -o 'slow[1-4]' "$tmp/said" | uniq | wc -l)" -eq 4
rm -f "$tmp"/*.pid
(cd "$tmp" && SRCDIR=$tmp BUILDDIR=$tmp TMPDIR=$tmp \
	exec bash "$SRCDIR/tests/run-tap.sh" -k 1 -j 2 hang stubborn) \
	> "$tmp/said" 2>&1 &
for ((i = 0; i < 200; i++)); do
	[ -s "$tmp/hang.pid" ] && [ -s "$tmp/stubborn.pid" ] && break
	sleep 0.05
done
kill -TERM $!
wait $!
echo $? > "$tmp/status"
check "told to end, it ends" test "$(cat "$tmp/status")" -eq 143
check "and with it the programs that it runs" gone "$tmp/hang.pid"
check "those, too, that will not" gone "$tmp/stubborn.pid"
check "and leaves no files" \
	test "$(find "$tmp" -mindepth 1 -type d | wc -l)" -eq 0
echo "1..$count"
exit "$failed"
