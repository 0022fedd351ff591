#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SIGHUP and SIGTERM while events come in: a wrong configuration is refused, a
# good one is taken up, and no accepted request is left without its answer:
# what is in the store was answered 200, and what was answered 200 is there.
. "${SRCDIR:?}/tests/integration/lib.sh"
need_tools curl openssl python3

write_conf << EOF
$(maildir_conf archive "$tmp/archive")
$(maildir_conf second "$tmp/second")
EOF

hup() {
	kill -HUP "${pids[daemon]}"
}

reloaded() {
	wait_for 15 logged_times 'reload.ok' "$1"
}

# An error in the directory, with the line that is wrong.
break_directory() {
	cp "$tmp/directory.conf" "$tmp/good.conf"
	echo 'busines 42 { }' >> "$tmp/directory.conf"
	hup
}

add_business() {
	cat "$tmp/good.conf" - > "$tmp/directory.conf" <<- EOF
	business 777000777000777 {
		number 551140040007;
		name "Corporate Banking";
		desk cb;
		journal second;
	}
	EOF
	hup
}

post_to_new() {
	post_text "$1" 'for the new desk' 5511999990000 777000777000777 \
		551140040007
}

in_box() {
	grep -rqs -- "id=$2;" "$tmp/$1/new"
}

# Of a poster that tries once: something was answered, something was not.
was_cut() {
	grep -q ' 200$' "$tmp/$1.ledger" && grep -qv ' 200$' "$tmp/$1.ledger"
}

outcomes() {
	echo "# $1: $(cut -d ' ' -f 2 "$tmp/$1.ledger" | sort | uniq -c |
		tr -s ' \n' ' ')"
}

check "chatjournald starts" start_daemon
start_poster HUP 1500 --once --rate 400 --connections 8
check "with an unknown directive in the directory file and SIGHUP" \
	break_directory
check "the new configuration is refused" wait_for 5 logged reload.refused
check "the log has file, line and a hint" \
	log_says 'reload.error.*directory.conf:[0-9]*:1.*business'
check "the old one stays in force" \
	post_text wamid.OLD 'as before'
check "no role was restarted" not logged 'role.exit.*role=[ibd]'
check "an event of an unknown business number goes to catch_all" eval \
	'post_to_new wamid.NEW1 && wait_for 5 in_box archive wamid.NEW1'
check "with the number in the directory file and SIGHUP" add_business
check "the new configuration is taken up" reloaded 1
check "an event of that number goes to its journal" eval \
	'post_to_new wamid.NEW2 && wait_for 5 in_box second wamid.NEW2'
check "and to no other" not in_box archive wamid.NEW2
check "further reloads" eval 'hup && reloaded 2 && hup && reloaded 3'
check "all requests of that time have ended" wait_for 20 posted HUP 1500
outcomes HUP
check "all mails go out" wait_for 20 eval 'has archive && has second'
check "what was answered 200 is there, and nothing else" \
	audit --exact HUP "$tmp/archive/new"

start_poster TERM 1500 --once --rate 500 --connections 8
check "under load" wait_for 10 posted TERM 300
check "SIGTERM ends the daemon with 0" stop_daemon
check "no request was cut, says the log" not logged intake.cut
check "all requests of that time have ended" wait_for 20 posted TERM 1500
check "some were answered 200, and some not" was_cut TERM
outcomes TERM
check "the daemon starts again" start_daemon
check "what was left goes out" wait_for 20 eval 'has archive && has second'
check "what was answered 200 is there, and nothing else" \
	audit --exact TERM "$tmp/archive/new"
check "everything received is accounted for" ctl verify
check "the daemon stops" stop_daemon
finish
