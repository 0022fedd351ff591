#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of every process again and again, while events come in on several
# connections and some of them bring files: nothing that was answered is lost,
# and nothing arrives twice but with the same Message-ID and the same bytes.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
need_postfix
need_tools pgrep

events=4000 rate=120 lasting=36 file_every=20
roles="intake media build deliver"

make_files() {
	local id
	for id in {601..640}; do
		make_file $id.png $(((id % 4) * (id % 10) * 12000 + 5000))
	done
}

make_postfix
start_graph && make_files
write_directory archive second
write_conf << EOF
$(relay_conf local "$smtp_port")
$(journal_conf archive local)
$(maildir_conf second "$tmp/second")
$(graph_conf "wait 1s;")
EOF

declare -A killed=()

kill_role() {
	local pid
	pid=$(role_pid "$1")
	[ -n "$pid" ] && kill -KILL "$pid" &&
		killed[$1]=$((${killed[$1]:-0} + 1))
}

# Its roles end by themselves, and the next daemon begins where they were.
kill_supervisor() {
	kill -KILL "${pids[daemon]}"
	wait "${pids[daemon]}" 2> /dev/null
	killed[supervisor]=$((${killed[supervisor]:-0} + 1))
	start_daemon
}

rage() {
	local end=$((SECONDS + lasting)) turn=0 role
	while [ $SECONDS -lt $end ]; do
		for role in $roles; do
			# not in step with the seconds of the restarts
			sleep "0.$((RANDOM % 80 + 10))"
			kill_role "$role"
		done
		turn=$((turn + 1))
		[ $((turn % 4)) -ne 0 ] || kill_supervisor || return 1
	done
	for role in $roles; do
		[ "${killed[$role]:-0}" -ge 5 ] || return 1
	done
	[ "${killed[supervisor]:-0}" -ge 2 ]
}

nothing_waits_for_a_person() {
	ctl status --check
}

# Also of the files: one that was fetched may not be in a mail yet.
everything_went_out() {
	ctl status | grep -q '^files  *0 wanted, .* 0 unavailable$' &&
		ctl status | grep -q '^turns  *0 open, 0 closed,' &&
		has archive && has second
}

check "a private Postfix starts" start_postfix
check "chatjournald starts" start_daemon
start_poster LOAD $events --rate $rate --connections 6 \
	--files "$graph" --file-every $file_every
check "each role and the supervisor can be killed several times" rage
echo "# killed: $(for role in "${!killed[@]}"; do
	echo -n "$role ${killed[$role]} times "; done)"
check "in the end every event is answered with 200" \
	wait_for 60 posted LOAD $events
check "everything goes out" wait_for 60 everything_went_out
check "nothing waits for a person" nothing_waits_for_a_person
check "everything received is accounted for" ctl verify
check "Postfix delivers all it took" wait_for 30 postfix_is_empty
check "every event is in one mail in Postfix's mailbox, and every file once" \
	audit LOAD "$tmp/mail/archive/new"
check "every event is in one mail in the Maildir, and every file once" \
	audit LOAD "$tmp/second/new"
echo "# in Postfix: $(audit LOAD "$tmp/mail/archive/new")"
check "the token went nowhere else" nobody_else_was_contacted
check "on SIGTERM the daemon ends with 0" stop_daemon
finish
