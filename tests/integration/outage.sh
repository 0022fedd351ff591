#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A relay that is down, refuses for now, refuses for good, or is killed: its
# mail waits, is tried again, and arrives.
. "${SRCDIR:?}/tests/integration/lib.sh"
need_postfix
need_tools pgrep python3

linger=0
make_postfix
write_conf << EOF
$(relay_conf local "$smtp_port" 'sessions 3;')
$(journal_conf archive local)
EOF

post_many() {
	local i
	for i in $(seq "$1" "$2"); do
		post_text "wamid.OUT$i" "message $i" || return 1
	done
}

kill_postfix() {
	end postfix KILL
}

# Postfix dies in the middle of its work, again and again.
postfix_dies_often() {
	local i
	for i in 1 2 3 4; do
		sleep 0.7
		kill_postfix
		start_postfix || return 1
	done
}

only_failed_is() {
	[ "$(ctl list failed | wc -l)" -eq 1 ] &&
		ctl list failed | grep -q "^mail:$1 .*$2"
}

check "chatjournald starts while its relay is down" start_daemon
check "events are taken all the same" post_many 1 5
check "the log says that the relay is down" wait_for 10 logged relay.down
check "status says so, too" wait_for 5 eval 'ctl status | grep -q DOWN'
check "the mails are pending" count_is archive pending 5
check "Postfix is started" start_postfix
check "what piled up arrives" wait_for 15 mails_are archive 5
check "the log says that the relay is up" wait_for 5 logged relay.up

postfix_says '450 4.7.1 come back later'
check "while Postfix answers 450 an event is taken" post_many 6 6
check "its mail is deferred" wait_for 5 count_is archive deferred 1
check "the log says so" log_says 'mail.deferred.*450'
check "new mails are tried all the same" \
	eval 'post_many 7 7 && wait_for 5 count_is archive deferred 2'
postfix_says
check "when Postfix is willing again both arrive" \
	wait_for 15 mails_are archive 7

postfix_says '550 5.1.1 nobody here'
check "while Postfix answers 550 an event is taken" post_many 8 8
check "its mail is failed" wait_for 5 count_is archive failed 1
check "the log says so as an error" log_says 'error mail.failed.*550'
check "list failed shows it with the answer" only_failed_is 8 550
check "status --check ends with 2" status_is 2 ctl status --check
postfix_says
check "what failed is not tried again by itself" \
	eval 'post_many 9 9 && wait_for 10 mails_are archive 8'
check "retry is taken" ctl retry mail:8
check "the failed mail arrives" wait_for 15 mails_are archive 9
check "nothing is failed any more" wait_for 5 count_is archive failed 0
check "status --check ends with 0" wait_for 5 ctl status --check

# set_clock_back: what was put off before is five hours further away
set_clock_back() {
	python3 - "$store/deliver.db" <<- 'PY'
	import sqlite3, sys
	db = sqlite3.connect(sys.argv[1], timeout=10)
	db.execute("UPDATE outcome SET first_ms = first_ms + 18000000, "
	           "last_ms = last_ms + 18000000, "
	           "next_ms = next_ms + 18000000 WHERE state = 'deferred'")
	db.commit()
	PY
}

postfix_says '450 4.7.1 come back later'
check "another mail is deferred" \
	eval 'post_many 10 10 && wait_for 5 count_is archive deferred 1'
check "the daemon stops" stop_daemon
check "the clock is set back by hours" set_clock_back
postfix_says
check "the daemon starts" start_daemon
check "the mail does not wait for the clock" wait_for 15 mails_are archive 10

start_poster LOAD 400 --rate 120 --connections 3
check "Postfix can be killed several times while it works" \
	postfix_dies_often
check "all events are taken" wait_for 20 posted LOAD 400
check "all mails are accepted in the end" wait_for 30 has archive
check "Postfix delivers all it took" wait_for 30 postfix_is_empty
check "every event is in one mail in the mailbox" \
	audit LOAD "$tmp/mail/archive/new"
echo "# in Postfix: $(audit LOAD "$tmp/mail/archive/new")"
check "everything received is accounted for" ctl verify
check "on SIGTERM the daemon ends with 0" stop_daemon
finish
