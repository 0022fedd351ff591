#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Files of messages from a Graph that misbehaves, each time in another way:
# what can still be had arrives with its mail, byte by byte; what cannot is
# said in the mail and followed up; the token goes nowhere else.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
need_tools curl openssl python3 pgrep

# id -> what its file's way is like; each is cured by the second or third try
declare -A trick=(
	[501]=''
	[502]='get#1 status 404'
	[503]='get#1 status 401'
	[504]='get#1 flip'
	[505]='get#1 short 100'
	[506]='get#1 long 100'
	[507]='get#1 cut 1000'
	[508]='get#1 stall 1000'
	[509]='get slow 10'
	[510]='get#1 redirect https://localhost:{foreign}/x'
	[511]='get#1 redirect {good}'
	[512]='find#1 redirect https://localhost:{foreign}/v25.0/512'
	[513]='find#1 error 429 4 retry-after=1 Too many calls'
	[514]='find#1 status 500'
	[515]='find#1 status 200'
	[516]='find#1 truncated'
	[517]='find#1 huge'
	[518]='find#1 answer url=https://localhost:{foreign}/x'
	[519]='find#1 answer url=http://localhost:{plain}/x'
	[520]='find#1 answer url=https://localhost:{port}@127.0.0.1:{foreign}/x'
	[521]='find#1 drop'
	[522]='find#1 hang'
	[523]='find#1 answer id=999'
	[524]='find#1 error 400 100/33 Unsupported get request'
	[525]='get#1 status 503'
	[526]='find#1 answer url=https://127.0.0.1:{port}/x'
)
declare -A sentence=(
	[501]='a file that is there is fetched'
	[502]='after 404 on the address a new one is asked for'
	[503]='after 401 on the address a new one is asked for'
	[504]='wrong bytes are not taken at the first try'
	[505]='a file that is too short is not taken'
	[506]='a file that is too long is not taken'
	[507]='a connection that is closed in the middle is no file'
	[508]='a body that stalls is given up and fetched again'
	[509]='slow bytes are waited for'
	[510]='a redirect of the file to a foreign host is not followed'
	[511]='a redirect to itself is not followed'
	[512]='a redirect of Graph to a foreign host is not followed'
	[513]='429 with Retry-After is waited for'
	[514]='500 is tried again'
	[515]='a page of HTML is no answer'
	[516]='half an answer is none'
	[517]='an answer of a megabyte is none'
	[518]='an address at a foreign host is not called'
	[519]='an address without TLS is not called'
	[520]='an address with a user in it is not called'
	[521]='an answer that does not come is asked for again'
	[522]='a silent Graph is given up and asked again'
	[523]='an answer about another file is not believed'
	[524]='what is not there yet is asked for again'
	[525]='503 is tried again'
	[526]='an address by number is not called'
)
ids=($(printf '%s\n' "${!trick[@]}" | sort))

write_script() {
	local id
	for id in "${ids[@]}"; do
		[ -z "${trick[$id]}" ] || echo "$id ${trick[$id]}"
	done | graph_script
}

box=$tmp/archive/new

make_all() {
	local id
	for id in "${ids[@]}"; do
		make_file "$id.png" 20000
	done
}

post_all() {
	local id
	for id in "${ids[@]}"; do
		post_file "wamid.F$id" "$id" "$(with_digest "$id")" || return 1
	done
}

fetched() {
	ctl status | grep -Eq "^files .*\\b$1 fetched"
}

# conf_with DIRECTIVES-OF-MEDIA: and the daemon is started (again) with it
conf_with() {
	[ -z "${pids[daemon]:-}" ] || stop_daemon || return 1
	write_conf <<- EOF
	$(graph_conf "$1")
	$(maildir_conf archive "$tmp/archive")
	EOF
	start_daemon
}

# ---- what can be had ------------------------------------------------------------

check "the Graph stand-in starts" start_graph
make_all
write_script
check "chatjournald starts" conf_with 'wait 5m;'
check "an event for each file is taken" post_all
check "every file is fetched in the end" wait_for 40 fetched "${#ids[@]}"
check "every mail is sent" wait_for 20 has archive "${#ids[@]}"
for id in "${ids[@]}"; do
	check "${sentence[$id]}" brings "$box" "wamid.F$id" "$graph/$id.png"
done
check "a first try that fails is logged with its reason" \
	log_says 'media.retry .*what=graph.host reason='
check "the wait that Graph asked for was kept" \
	log_says 'media.retry .*next_ms=\(9[0-9][0-9]\|1000\) what=graph.throttled'
check "one request for each was enough where nothing was wrong" \
	asked get 501 1
check "nobody but Graph and its host of files was contacted" \
	nobody_else_was_contacted
check "everything received is accounted for" ctl verify

# ---- the webhook's own address -----------------------------------------------------

webhook_url_of() {
	python3 -B "$SRCDIR/tests/fake/graph.py" --dir "$graph" \
		--port "$graph_port" --print-url "$1" --url-life "$2"
}

post_with_url() {
	post_file "wamid.F$1" "$1" \
		"$(with_digest "$1"),\"url\":\"$(webhook_url_of "$1" "$2")\""
}

make_file 531.png 3000
make_file 532.png 3000
check "an event with an address is taken" post_with_url 531 300
check "and one with an address that is too old" post_with_url 532 -5
check "both files are fetched" wait_for 20 fetched $((${#ids[@]} + 2))
check "a fresh address needs no other one" asked find 531 0
check "for an old one another was asked for" asked find 532 1
make_file 533.png 10
cp "$graph/531.png" "$graph/533.png"
check "an event with a file that is there already is taken" \
	post_file wamid.F533 533 "$(with_digest 533)"
check "it is there at once" wait_for 20 fetched $((${#ids[@]} + 3))
check "and was not fetched again" eval 'asked find 533 0 && asked get 533 0'
check "its mail has it" wait_for 10 brings "$box" wamid.F533 \
	"$graph/531.png"

# ---- what cannot be had ---------------------------------------------------------------

# says WAMID PATTERN: a mail with that message has it in its text
says() {
	local f
	for f in $(grep -l -- "$1" "$box"/*); do
		python3 -B - "$f" "$2" << 'PY' && return
import email, email.policy, re, sys
m = email.message_from_binary_file(open(sys.argv[1], "rb"),
                                   policy=email.policy.default)
text = m.get_body(("plain",)).get_content()
print(text)
sys.exit(not re.search(sys.argv[2], text))
PY
	done
	return 1
}

graph_script << 'EOF'
541 get endless
542 find error 400 100/33 Unsupported get request
543 get flip
544 find#1 status 500
544 find#2 status 500
544 find#3 status 500
EOF
make_file 541.png 1000
make_file 543.png 1000
make_file 544.png 1000
check "chatjournald starts with other limits" \
	conf_with 'wait 300ms; give_up 4s; max_size 1M; downloads 2;'
post_bad() {
	post_file wamid.F541 541 && post_file wamid.F542 542 &&
		post_file wamid.F543 543 "$(with_digest 541)" &&
		post_file wamid.F544 544 "$(with_digest 544)"
}
check "four events with files are taken" post_bad
check "a body without an end is cut at the limit, and final" \
	wait_for 20 logged 'media.unavailable .*what=graph.size'
check "its mail says that the file is not there, and why" \
	wait_for 10 says wamid.F541 'larger than|too large'
check "bytes that stay wrong are kept in the end, and that is said" \
	wait_for 20 logged 'media.fetched .*hash_differs=1'
check "its mail brings them" wait_for 20 says wamid.F543 'SHA-256'
check "a mail does not wait longer than allowed" \
	wait_for 10 grep -ql wamid.F542 "$box"/*
check "what is gone is given up when its time is over" \
	wait_for 20 logged 'media.unavailable .*what=graph.gone'
check "a late file comes in a mail of its own" \
	wait_for 20 brings "$box" wamid.F544 "$graph/544.png"
check "everything is sent" wait_for 20 eval 'ctl status --check; has archive'
check "nothing is left half in the spool" \
	same "$(ls "$store/spool")" ""
check "everything received is accounted for still" ctl verify

# ---- a token that is refused -------------------------------------------------------------

graph_script <<< '* find error 401 190/463 Error validating access token'
for id in 551 552 553 554 555; do
	make_file $id.png 1000
done
post_more() {
	local id
	for id in 551 552 553 554 555; do
		post_file "wamid.F$id" $id "$(with_digest $id)" || return 1
	done
}
check "chatjournald starts again" conf_with 'wait 5m;'
before=$(grep -c '^graph find' "$graph/graph.log")
check "events with files are taken while the token is refused" post_more
check "the refusal is logged as an error, with the remedy" \
	wait_for 10 logged 'error media.auth .*what=graph.auth .*token_file'
asked_since() {
	[ $(($(grep -c '^graph find' "$graph/graph.log") - before)) -ge "$1" ]
}
check "one file at a time is tried, to see whether it is over" \
	wait_for 20 asked_since 8
check "it is said once, not for each file" \
	same "$(grep -c 'media.auth' "$tmp/log")" 1
graph_script < /dev/null
check "when the token is good again, that is said" \
	wait_for 10 logged 'info media.resumed'
check "and all files come" wait_for 20 fetched $((${#ids[@]} + 10))
check "with their mails" wait_for 20 has archive
since_refusal() {
	sed -n '/media.auth/,$p' "$tmp/log"
}
check "no try was counted against them" eval \
	'[ "$(since_refusal | grep -c "media.fetched .*attempts=1 ")" -eq 5 ]'
check "the token is in no log line and no mail" \
	not grep -rl "$(cat "$graph/graph.token")" "$tmp/log" "$box"
check "nobody else was ever contacted" nobody_else_was_contacted

# ---- without a graph block ------------------------------------------------------------------

check "without a graph block the daemon starts, and says so" eval '
	stop_daemon
	maildir_conf archive "$tmp/archive" | write_conf
	start_daemon'
check "a message with a file is journaled without it" eval '
	post_file wamid.NOGRAPH 561
	wait_for 10 brings "$box" wamid.NOGRAPH'
check "everything received is accounted for in the end" ctl verify
check "on SIGTERM the daemon ends with 0" stop_daemon
finish
