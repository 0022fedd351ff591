#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What an operator is told beside the mails: who has which ids, kinds of events
# that are new, that capture stops, and files that are missing.
. "${SRCDIR:?}/tests/integration/lib.sh"
need_tools curl openssl python3

# Nothing listens where files would come from.
free_ports graph_port
(umask 077 && openssl rand -hex 20 > "$tmp/graph-token")
write_conf << EOF
$(maildir_conf archive "$tmp/Maildir")
graph {
    url https://127.0.0.1:$graph_port;
    token_file $tmp/graph-token;
}
media { wait 1s; retry_min 1h; retry_max 1h; }
EOF

# said NUMBER USER-ID USERNAME NAME ID: a text by who has all these
said() {
	local ids="\"from\":\"$1\"" contact="\"wa_id\":\"$1\""
	[ -z "$2" ] || ids+=",\"from_user_id\":\"$2\"" contact+=",\"user_id\":\"$2\""
	printf '{"object":"whatsapp_business_account","entry":[{"id":"900100200300400","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"551140040001","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"%s","username":"%s"},%s}],"messages":[{%s,"id":"%s","timestamp":"%s","type":"text","text":{"body":"hello"}}]}}]}]}' \
		"$4" "$3" "$contact" "$ids" "$5" "$(date +%s)" > "$tmp/event.json"
	same "$(post "$tmp/event.json")" 200
}

# change FIELD VALUE: one change of that field
change() {
	printf '{"object":"whatsapp_business_account","entry":[{"id":"900100200300400","time":%s,"changes":[{"field":"%s","value":%s}]}]}' \
		"$(date +%s)" "$1" "$2" > "$tmp/event.json"
	same "$(post "$tmp/event.json")" 200
}

# knows PERSON PATTERN...: the trace of the person has each
knows() {
	local who=$1 pattern
	shift
	ctl trace "$who" > "$tmp/trace" || return 1
	for pattern in "$@"; do
		grep -q -- "$pattern" "$tmp/trace" ||
			{ echo "no $pattern in:"; cat "$tmp/trace"; return 1; }
	done
}

says_status() {
	ctl status | grep -q -- "$1"
}

a_mail_has() {
	grep -rqs -- "$1" "$tmp/Maildir/new"
}

check "chatjournald starts" start_daemon

check "somebody writes under a number" \
	said 5511999990000 '' ana.s Ana wamid.P1
check "and later with a user id, under another name" \
	said 5511999990000 BR.5Qe0001 ana.souza 'Ana Souza' wamid.P2
check "that both belong to one person is a mail of its own" \
	wait_for 10 a_mail_has 'X-ChatJournal-Types: identity'
check "by number the trace shows number, id, usernames and names" \
	wait_for 5 knows +5511999990000 '5511999990000' 'BR.5Qe0001' \
	'ana.s ' 'ana.souza' 'Ana Souza'
check "by user id too" knows BR.5Qe0001 '5511999990000' 'Ana Souza'
check "by username too, also by a former one" \
	eval 'knows @ana.souza BR.5Qe0001 && knows ana.s BR.5Qe0001'
check "what holds no longer has an end, what holds has none" eval \
	'grep "ana.s " "$tmp/trace" | grep -qv still &&
	grep "ana.souza" "$tmp/trace" | grep -q still'
check "as JSON it has times and sources" eval \
	'ctl --json trace BR.5Qe0001 | python3 -c "
import json, sys
rows = json.load(sys.stdin)
assert {r[\"kind\"] for r in rows} >= {\"number\", \"user-id\", \"username\", \"name\"}
assert all(r[\"first_ms\"] > 0 and r[\"source\"] for r in rows)"'
check "nobody is found who never wrote" status_is 1 ctl trace +4930000000

check "an event of a field that is not known is taken" \
	change brand_new_field '{"type":"sparkle","x":1}'
check "the log names it once" wait_for 5 logged \
	'kind.unknown.*field=brand_new_field'
check "and taken again" change brand_new_field '{"type":"sparkle","x":2}'
check "status counts both" wait_for 5 says_status \
	'^unknown  brand_new_field sparkle: 2 since'
check "the log has it once still" same \
	"$(grep -c 'kind.unknown.*brand_new_field' "$tmp/log")" 1

check "an account that goes off-board is taken" change account_update \
	'{"event":"ACCOUNT_OFFBOARDED","disconnection_info":{"reason":"PRIMARY_INACTIVITY"}}'
check "that is an alarm in the log" wait_for 5 logged \
	'error capture.alarm.*what=ACCOUNT_OFFBOARDED'
check "and in the subject of a mail" wait_for 10 a_mail_has \
	'^Subject: ALARM'

printf '{"object":"whatsapp_business_account","entry":[{"id":"900100200300400","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"551140040001","phone_number_id":"106540352242922"},"messages":[{"from":"5511999990000","id":"wamid.P9","timestamp":"%s","type":"image","image":{"id":"811000000000009","mime_type":"image/jpeg"}}]}}]}]}' \
	"$(date +%s)" > "$tmp/event.json"
check "a picture is taken that cannot be fetched" eval \
	'same "$(post "$tmp/event.json")" 200'
check "its mail goes out without it, and the log says so" wait_for 15 \
	logged 'warn turn.late-files'
check "list files shows it with the reason" eval \
	'ctl list files | grep -q "^file:1 .*event:.*turn:"'
check "status counts it" says_status '^files  *1 wanted'
check "everything received is accounted for" ctl verify
check "on SIGTERM the daemon ends with 0" stop_daemon
finish
