#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A real clamd, with a private socket and a database of one signature: clean
# files pass, infected ones are tagged or quarantined, a scanner that is away
# holds files back within its bound, and nothing is called clean that is not.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
need_tools curl openssl python3 pgrep clamd

box=$tmp/archive/new
conf_with() {
	[ -z "${pids[daemon]:-}" ] || stop_daemon || return 1
	write_conf <<- EOF
	$(graph_conf "wait 5m; $1")
	$(maildir_conf archive "$tmp/archive")
	EOF
	start_daemon
}

# says WAMID PATTERN: its mail has that in its text
says() {
	local f
	f=$(grep -l -- "$1" "$box"/*) &&
		python3 -B - "$f" "$2" << 'PY'
import email, email.policy, re, sys
m = email.message_from_binary_file(open(sys.argv[1], "rb"),
                                   policy=email.policy.default)
text = m.get_body(("plain",)).get_content()
print(text)
sys.exit(not re.search(sys.argv[2], text))
PY
}

make_clamd
check "the Graph stand-in starts" start_graph
check "clamd starts" start_clamd

make_file 601.png 20000
make_eicar 602.txt
check "chatjournald starts" conf_with "clamd $tmp/clamd.ctl; infected tag;"
check "a clean file is taken" post_file wamid.S601 601 "$(with_digest 601)"
check "it passes the scanner" wait_for 20 logged 'media.fetched .*scan=clean'
check "its mail brings it" wait_for 10 brings "$box" wamid.S601 \
	"$graph/601.png"
check "an infected file is taken" post_file wamid.S602 602 \
	"$(with_digest 602)"
check "the scanner finds it out" wait_for 20 logged \
	'error media.infected .*Eicar-Test-Signature.*done=tagged'
check "its mail brings it, as configured" wait_for 10 brings "$box" \
	wamid.S602 "$graph/602.txt"
check "and says what it is" says wamid.S602 'Eicar-Test-Signature'

make_eicar 603.txt
check "chatjournald starts with a quarantine, and the scanner over TCP" \
	conf_with "clamd 127.0.0.1:$clamd_port; infected quarantine;"
echo >> "$graph/603.txt"
echo "$(md5sum < "$graph/603.txt" | cut -d ' ' -f 1):69:Eicar-Test-Signature" \
	>> "$tmp/clamdb/test.hdb"
reload_clamd() {
	kill -USR2 "${pids[clamd]}" &&
		wait_for 30 grep -q 'Database correctly reloaded' \
			"$tmp/clamd.out"
}
check "clamd learns of another one" reload_clamd
check "that one is taken" post_file wamid.S603 603 "$(with_digest 603)"
check "it goes to the quarantine" wait_for 20 logged \
	'error media.infected .*done=quarantined'
hash=$(sha256_of "$graph/603.txt")
check "where it lies under its hash" \
	cmp "$store/media/quarantine/$hash" "$graph/603.txt"
check "and nowhere else" \
	not test -e "$store/media/${hash:0:2}/${hash:2:2}/$hash"
check "its mail comes without it" wait_for 10 brings "$box" wamid.S603
check "but with its hash and the name of the find" eval \
	'says wamid.S603 "Eicar-Test-Signature" && says wamid.S603 "$hash"'

make_file 604.png 2000000
check "a file that is too large for the scanner is taken" \
	post_file wamid.S604 604 "$(with_digest 604)"
check "it passes unscanned, and its mail says so" eval \
	'wait_for 20 brings "$box" wamid.S604 "$graph/604.png" &&
	says wamid.S604 "StreamMaxLength"'

end clamd
make_file 605.png 20000
check "a file is taken while the scanner is away" \
	post_file wamid.S605 605 "$(with_digest 605)"
check "it waits for the scanner" wait_for 20 logged_times \
	'media.retry .*what=media.scan' 2
check "nothing is sent meanwhile" not grep -ql wamid.S605 "$box"/*
check "the media role may die meanwhile" eval \
	'kill -KILL $(role_pid media) && wait_for 20 logged_times \
	"role.ready role=media" 3'
check "clamd starts again" start_clamd
check "the file passes" wait_for 20 brings "$box" wamid.S605 \
	"$graph/605.png"
check "and was fetched only once" asked get 605 1

end clamd
make_file 606.png 20000
check "chatjournald starts with a short patience for the scanner" \
	conf_with "clamd $tmp/clamd.ctl; scan_wait 1s;"
check "a file is taken" post_file wamid.S606 606 "$(with_digest 606)"
check "after that it passes unscanned" wait_for 20 brings "$box" wamid.S606 \
	"$graph/606.png"
check "and its mail says so" says wamid.S606 'unscanned'
check "it was fetched only once" asked get 606 1
check "nothing is left in the spool" same "$(ls "$store/spool")" ""
check "everything received is accounted for" ctl verify
check "on SIGTERM the daemon ends with 0" stop_daemon
finish
