#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs programs that print TAP and prints a line for each sentence (PASS, FAIL
# or SKIP, program, sentence), a line for each program that took long, and a
# last line "N passed, N failed, N skipped". Exit status 0 if nothing failed.
#
# usage: run-tap.sh [-s] [-e REGEX] [-j JOBS] [-t SECONDS] [-w WRAPPER]
#	PROGRAM...
#   -e  skips in programs of this name are expected: told, but not counted
#   -j  run so many programs side by side (1)
#   -s  a skip is a failure, too (for CI, where nothing should be missing)
#   -t  give up on a program after so long (900)
#   -w  run programs that are not scripts by this command (valgrind ...)
#
# A program also fails if it prints no plan, other than the planned number of
# results, or ends in another status than 0 without a failed result. Status 77
# and a plan of 0 are skips, with the last line as the reason.
set -u
strict=0 limit=900 wrapper= expected= jobs=1
while getopts se:j:t:w: opt; do
	case $opt in
	s) strict=1 ;;
	e) expected=$OPTARG ;;
	j) jobs=$OPTARG ;;
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
	else if (status == 124)
		tell("FAIL", "took longer than " limit " s")
	else if (!planned)
		tell("FAIL", "printed no plan, status " status)
	else if (seen + 0 != plan)
		tell("FAIL", "gave " seen + 0 " of " plan " results, status " status)
	else if (status != 0 && !count["FAIL"])
		tell("FAIL", "ended with status " status)
	if (count["FAIL"] && held != "")
		printf "%s", held
	print count["PASS"] + 0, count["FAIL"] + 0, count["SKIP"] + 0 > sums
}'

# run PROGRAM WORK: its report to the standard output, its sums to WORK.sums.
run() {
	local program=$1 work=$2 name=${1#"$SRCDIR"/} path=$1 begun=$SECONDS
	local command=() status failed
	[ -e "$path" ] || path=$BUILDDIR/$program
	[ -e "$path" ] || path=$SRCDIR/$program
	case $program in
	*.sh) command=(bash "$path") ;;
	*.py) command=(python3 -B "$path") ;;
	*) read -ra command <<< "$wrapper"; command+=("$path") ;;
	esac
	if ! command -v "${command[0]}" > /dev/null; then
		echo "SKIP: $name: ${command[0]} is not installed"
		echo 0 0 1 > "$work.sums"
		return
	fi
	timeout -k 10 "$limit" "${command[@]}" > "$work.out" \
		2> "$work.errors" < /dev/null
	status=$?
	# Standard error is not TAP: it is shown only beside a failure.
	awk -v name="$name" -v status=$status -v limit="$limit" \
		-v sums="$work.sums" -v expected="$expected" \
		"$judge" "$work.out"
	read -r _ failed _ < "$work.sums"
	[ "$failed" -eq 0 ] || sed 's/^/    | /' "$work.errors"
	[ $((SECONDS - begun)) -lt 10 ] ||
		echo "TOOK: $name: $((SECONDS - begun)) s"
}

n=0
for program; do
	[ "$n" -lt "$jobs" ] || wait -n
	n=$((n + 1))
	{
		run "$program" "$tmp/$n" > "$tmp/$n.report"
		# A report stays in one piece.
		flock "$tmp" cat "$tmp/$n.report"
		rm -f "$tmp/$n.out" "$tmp/$n.errors" "$tmp/$n.report"
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
