#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs programs that print TAP and prints a line for each sentence (PASS, FAIL
# or SKIP, program, sentence), a line for each program that took long, and a
# last line "N passed, N failed, N skipped". Exit status 0 if nothing failed.
#
# usage: run-tap.sh [-s] [-e REGEX] [-j JOBS] [-k SECONDS] [-t SECONDS]
#	[-w WRAPPER] PROGRAM...
#   -e  skips in programs of this name are expected: told, but not counted
#   -j  run so many programs side by side (1)
#   -k  kill what did not end so long after it was given up (10)
#   -s  a skip is a failure, too (for CI, where nothing should be missing)
#   -t  give up on a program after so long (900)
#   -w  run programs that are not scripts by this command (valgrind ...)
#
# A program also fails if it prints no plan, other than the planned number of
# results, or ends in another status than 0 without a failed result. Status 77
# and a plan of 0 are skips, with the last line as the reason.
#
# Each program has a session and a TMPDIR of its own: what is left of the first
# is killed and counts as a failure, the second is removed. So it is, too, when
# this script is told to end (HUP, INT, TERM).
set -u
strict=0 limit=900 grace=10 wrapper= expected= jobs=1
while getopts se:j:k:t:w: opt; do
	case $opt in
	s) strict=1 ;;
	e) expected=$OPTARG ;;
	j) jobs=$OPTARG ;;
	k) grace=$OPTARG ;;
	t) limit=$OPTARG ;;
	w) wrapper=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))

here=$(cd "$(dirname "$0")" && pwd)
export SRCDIR=${SRCDIR:-${here%/tests}}
export BUILDDIR=${BUILDDIR:-$SRCDIR}
export CMOCKA_MESSAGE_OUTPUT=TAP
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
chmod 711 "$tmp"	# Postfix is another user

# Sentences to the standard output, "passed failed skipped" to the file sums.
judge='
function tell(word, what) {
	if (word == "SKIP" && expected != "" && name ~ expected)
		word = "LEFT"
	print word ": " name ": " what
	count[word]++
}
/^1\.\.[0-9]+/ {
	plan = substr($1, 4) + 0
	planned = 1
	if (plan == 0) {
		sub(/^1\.\.0[ #]*([Ss][Kk][Ii][Pp][^ ]*)? */, "")
		tell("SKIP", $0 == "" ? "nothing to do" : $0)
	}
	next
}
/^(not )?ok/ {
	seen++
	what = $0
	sub(/^(not )?ok *[0-9]* *(- )?/, "", what)
	if (what ~ /# *[Ss][Kk][Ii][Pp]/)
		tell("SKIP", what)
	else if (/^ok/)
		tell("PASS", what)
	else if (what ~ /# *TODO/)
		tell("SKIP", what)
	else {
		tell("FAIL", what)
		if (held != "")
			printf "%s", held
	}
	held = ""
	after_fail = /^not/
	next
}
/^Bail out!/ {
	tell("FAIL", $0)
	next
}
{
	last = $0
	if (after_fail)
		print "    " $0
	else
		held = held "    " $0 "\n"
}
END {
	if (status == 77 && !planned && !seen)
		tell("SKIP", last == "" ? "exit status 77" : last)
	else if (status == 124 || (status == 137 && took >= limit))
		tell("FAIL", "took longer than " limit " s")
	else if (!planned)
		tell("FAIL", "printed no plan, status " status)
	else if (seen + 0 != plan)
		tell("FAIL", "gave " seen + 0 " of " plan " results, status " status)
	else if (status != 0 && !count["FAIL"])
		tell("FAIL", "ended with status " status)
	if (left != "")
		tell("FAIL", "left processes behind: " left)
	if (count["FAIL"] && held != "")
		printf "%s", held
	print count["PASS"] + 0, count["FAIL"] + 0, count["SKIP"] + 0 > sums
}'

# living SESSION: names of its processes that are no zombies.
living() {
	ps -s "$1" -o stat= -o comm= |
		awk '!/^Z/ { printf "%s%s", sep, $2; sep = " " }'
}

# left_of SESSION: what of it had time to end, and did not; then it is ended.
left_of() {
	local i names
	for ((i = 0; i < 20; i++)); do
		names=$(living "$1")
		[ -n "$names" ] || return
		sleep 0.1
	done
	echo "$names"
	pkill -KILL -s "$1"
}

# apart WORK COMMAND...: in a session of its own, which WORK.session names.
apart() {
	local work=$1 pid status
	shift
	mkdir -m 711 "$work.tmp"
	[ ! -e "$tmp/stop" ] || return 1
	TMPDIR=$work.tmp setsid timeout -k "$grace" "$limit" "$@" \
		> "$work.out" 2> "$work.errors" < /dev/null &
	pid=$!
	echo "$pid" > "$work.session"
	# Without "Killed"; a signal to this shell interrupts the first.
	wait "$pid" 2> /dev/null
	status=$?
	while kill -0 "$pid" 2> /dev/null; do
		wait "$pid" 2> /dev/null
		status=$?
	done
	return "$status"
}

# run PROGRAM WORK: its report to the standard output, its sums to WORK.sums.
run() {
	local program=$1 work=$2 name=${1#"$SRCDIR"/} path=$1 begun=$SECONDS
	local command=() status failed left
	[ -e "$path" ] || path=$BUILDDIR/$program
	[ -e "$path" ] || path=$SRCDIR/$program
	[[ $path == */* ]] || path=./$path
	case $program in
	*.sh) command=(bash "$path") ;;
	*.py) command=(python3 -B "$path") ;;
	*) read -ra command <<< "$wrapper"; command+=("$path") ;;
	esac
	if [ "${command[0]}" != "$path" ] &&
		! command -v "${command[0]}" > /dev/null; then
		echo "SKIP: $name: ${command[0]} is not installed"
		echo 0 0 1 > "$work.sums"
		return
	fi
	apart "$work" "${command[@]}"
	status=$?
	[ ! -e "$tmp/stop" ] || return 1
	left=$(left_of "$(cat "$work.session")")
	rm -f "$work.session"
	# Standard error is not TAP: it is shown only beside a failure.
	awk -v name="$name" -v status=$status -v limit="$limit" \
		-v sums="$work.sums" -v expected="$expected" \
		-v took=$((SECONDS - begun)) -v left="$left" \
		"$judge" "$work.out"
	read -r _ failed _ < "$work.sums"
	[ "$failed" -eq 0 ] || sed 's/^/    | /' "$work.errors"
	[ $((SECONDS - begun)) -lt 10 ] ||
		echo "TOOK: $name: $((SECONDS - begun)) s"
}

# stop STATUS: ends all programs, and those that still begin, then itself.
# timeout passes the signal on, and is rude later.
stop() {
	local i session
	trap '' HUP INT TERM
	: > "$tmp/stop"
	for ((i = 0; i < 10 * grace + 20; i++)); do
		[ -n "$(jobs -r)" ] || break
		for session in "$tmp"/*.session; do
			[ -s "$session" ] && [ ! -e "$session.told" ] &&
				: > "$session.told" &&
				kill -TERM "$(cat "$session")" 2> /dev/null
		done
		sleep 0.1
	done
	for session in "$tmp"/*.session; do
		[ -s "$session" ] && pkill -KILL -s "$(cat "$session")"
	done
	exit "$1"
}
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM

n=0
for program; do
	[ "$n" -lt "$jobs" ] || wait -n
	n=$((n + 1))
	{
		trap : HUP INT TERM
		run "$program" "$tmp/$n" > "$tmp/$n.report"
		# A report stays in one piece.
		flock "$tmp" cat "$tmp/$n.report" 2> /dev/null
		rm -rf "$tmp/$n.out" "$tmp/$n.errors" "$tmp/$n.report" \
			"$tmp/$n.tmp"
	} &
done
wait
passed=0 failed=0 skipped=0
for i in $(seq "$n"); do
	# A program whose sums are missing was not judged at all.
	p=0 f=1 s=0
	[ -e "$tmp/$i.sums" ] && read -r p f s < "$tmp/$i.sums"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $((failed + strict * skipped)) -eq 0 ]
