#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two journals behind one relay that denies one of them: the other goes on,
# and what was denied waits and arrives when it is allowed.
. "${SRCDIR:?}/tests/integration/lib.sh"
need_postfix
need_tools pgrep

make_postfix
write_directory archive second
write_conf << EOF
$(relay_conf local "$smtp_port" 'sessions 2;')
$(journal_conf archive local)
$(journal_conf second local)
EOF

echo '/^second@/ 554 5.7.1 Access denied' > "$pf/access"

check "a private Postfix starts" start_postfix
check "chatjournald starts" start_daemon
start_poster LOAD 60 --connections 2
check "events are taken" wait_for 10 posted LOAD 60
check "the journal that is allowed gets all its mails" \
	wait_for 30 mails_are archive 60
check "of the other none arrived" mails_are second 0
check "the log says why" log_says '5\.7\.1'
check "and none is failed: it is no fault of the mails" \
	count_is second failed 0
postfix_says
check "when it is allowed its mails arrive" wait_for 30 mails_are second 60
check "both are sent" wait_for 5 eval 'has archive 60 && has second 60'
check "each event is in one mail of each" \
	eval 'audit LOAD "$tmp/mail/archive/new" &&
	audit LOAD "$tmp/mail/second/new"'
check "everything received is accounted for" ctl verify
check "the daemon stops" stop_daemon
finish
