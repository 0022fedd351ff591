#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of the gateway at each step of a send, and again and again under load,
# while Meta delays, breaks off and refuses: nothing is sent without a record,
# nothing twice, no record is lost, and in the end everything is known.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
. "$here/gateway.lib.sh"
need_tools curl openssl python3 pgrep

sends=1500 rate=90 lasting=18

cat > "$tmp/policy.conf" << 'RULES'
rule looked-at { match text "please approve"; action approve; }
RULES
due='{"messaging_product":"whatsapp","to":"5511999990000","type":"template","template":{"name":"payment_due","language":{"code":"pt_BR"},"components":[{"type":"body","parameters":[{"type":"text","text":"Eva"}]}]}}'
write_directory archive
sed -i 's/number 551140040001;/& account 900100200300400;/' \
	"$tmp/directory.conf"
check "the Graph stand-in starts" start_graph
echo '[{"id":"5001","name":"payment_due","language":"pt_BR","status":"APPROVED","components":[{"type":"BODY","text":"Dear {{1}}, pay."}]}]' \
	> "$graph/graph.templates"
write_gateway_conf
check "chatjournald starts with a gateway" start_all

# kill_gateway: the next one begins where it was, when it is there
kill_gateway() {
	local pid
	pid=$(role_pid gateway)
	[ -n "$pid" ] && kill -KILL "$pid"
}

is_back() {
	local pid
	pid=$(role_pid gateway)
	[ -n "$pid" ] && [ "$pid" != "$1" ] && gateway_answers
}

# dies_when COMMAND...: it is killed when the command succeeds, and comes back
dies_when() {
	local old
	old=$(role_pid gateway)
	wait_for 10 "$@" > "$tmp/dies.out" && kill_gateway &&
		wait_for 20 is_back "$old"
}

# in_background COMMAND...: prints its status to $tmp/later
in_background() {
	"$@" > "$tmp/later" &
	pids[later]=$!
}

ended_with() {
	wait "${pids[later]}" 2> /dev/null
	unset 'pids[later]'
	same "$(cat "$tmp/later")" "$1"
}

begun() {
	grep -q "^graph begin $1 " "$graph/graph.log"
}

# ---- step by step -----------------------------------------------------------------

graph_script <<< '* template delay 3000'
in_background send "$due"
check "it dies while the wording of a template is asked for" \
	dies_when begun template
check "the caller has no answer" ended_with 000
check "there is no row" same "$(gateway_db 'SELECT count(*) FROM send')" 0
check "and nothing was sent" reached 0 '"what": "send"'

graph_script <<< '* accept hang'
in_background send "$(text 'on the wire')"
check "it dies before Meta has read the request" \
	dies_when begun "accept $number"
check "the caller has no answer" ended_with 000
check "its outcome is unknown" last_is 'done' unknown
check "which is journaled" journaled 'on the wire' "$(came_to unknown)"

graph_script <<< '* send delay 3000'
in_background send "$(text 'at Meta')" -H 'Idempotency-Key: atmeta'
check "it dies while Meta works on it" dies_when reached 1 'at Meta'
check "the caller has no answer" ended_with 000
check "its outcome is unknown" last_is 'done' unknown
graph_script < /dev/null
check "the caller tries again, and is told that it is unknown" \
	refuses 502 2 4190004 send "$(text 'at Meta')" \
	-H 'Idempotency-Key: atmeta'
check "it was sent once" reached 1 'at Meta'

make_file picture.png 70000
upload() {
	ask POST "/v25.0/$number/media" -F messaging_product=whatsapp \
		-F 'type=image/png' -F "file=@$graph/picture.png;type=image/png"
}
graph_script <<< '* upload delay 3000'
in_background upload
check "it dies while a file is on its way" \
	dies_when reached 1 '"what": "upload"'
check "the caller has no answer" ended_with 000
check "and the next life has nothing of the file" \
	same "$(find "$store/spool" "$store/upload" -type f)" ''
graph_script < /dev/null

check "one is held" is 202 send "$(text 'please approve it')"
key=$(of messages 0 id)
check "it dies then" dies_when true
check "it is held still" last_is held held
if [ "$(id -u)" -eq 0 ]; then
	graph_script <<< '* send delay 3000'
	check "an officer releases it" eval \
		'SUDO_USER=otto ctl review release "send:$key" --why fine'
	check "it dies while Meta works on it" \
		dies_when reached 1 'please approve it'
	check "its outcome is unknown" last_is 'done' unknown
	check "its record says who released it" journaled \
		'please approve it' "$(came_to unknown)" otto
	graph_script < /dev/null
	check "it is not sent again" eval 'sleep 1; reached 1 "please approve it"'
fi

check "with the mode delivered, and a journal that takes nothing" eval '
	free_ports peer_port
	journals=$(relay_conf peer "$peer_port"; journal_conf second peer)
	sed -i "s/journal archive;/& journal second;/" "$tmp/directory.conf"
	again "mode delivered; delivered_wait 20s;"'
in_background send "$(text 'journal first')"
pending() {
	last_is stored pending
}
check "it dies while it waits for the journal" dies_when pending
check "the caller has no answer" ended_with 000
check "it was not sent" last_is 'done' not-sent
check "and is not at Meta" reached 0 'journal first'
check "the journal comes up" start_peer peer "$peer_port"
sed -i 's/ journal second;//' "$tmp/directory.conf"

# ---- under load ----------------------------------------------------------------------

# What Meta does with people whose number ends so.
script() {
	local i
	for i in 00 10 20 30; do
		echo "55119000000$i send drop-after"
	done
	for i in 01 11; do
		echo "55119000000$i send cut 15"
	done
	for i in 02 12 22 32; do
		echo "55119000000$i send delay 250"
	done
	echo '5511900000003 send close'
	echo '5511900000013 send delay 60 error 500 131000 Something went wrong'
	echo '5511900000023 send error 429 130429 retry-after=1 Rate limit hit'
	echo '5511900000033 send drop'
	echo '5511900000004 send delay 150 garbage'
	echo '5511900000014 send drop'
}
script | graph_script
killed=0
rage() {
	local end=$((SECONDS + lasting))
	while [ $SECONDS -lt $end ]; do
		sleep "0.$((RANDOM % 90 + 10))"
		kill_gateway && killed=$((killed + 1))
	done
	[ $killed -ge 8 ]
}
check "with a journal again" again
python3 -B "$here/sender.py" --port "$gateway_port" \
	--token "$tmp/secrets/crm.token" --ledger "$tmp/KILL.ledger" \
	--number $number --prefix KILL --count $sends --rate $rate \
	--connections 12 2> "$tmp/KILL.err" &
pids[KILL]=$!
check "the gateway can be killed again and again" rage
echo "# killed $killed times"
graph_script < /dev/null
check "in the end every send has its answer" wait_for 60 posted KILL $sends
check "the gateway is there" wait_for 20 gateway_answers
sent() {
	python3 -B "$here/sent.py" "$1" --graph "$graph" \
		--db "$store/gateway.db" "${@:2}"
}
check "nothing was sent twice, or without a row that says so" \
	sent audit "$tmp/KILL.ledger"
echo "# $(sent audit "$tmp/KILL.ledger")"
check "many were sent, and some outcomes are unknown" eval '
	[ "$(grep -c " 200 " "$tmp/KILL.ledger")" -gt 300 ] &&
	sent audit "$tmp/KILL.ledger" | grep -q "unknown [1-9][0-9]"'
tell_statuses() {
	sent statuses --number $number > "$tmp/event.json"
	same "$(post "$tmp/event.json")" 200
}
check "Meta tells what became of them" tell_statuses
# Not the receipts: they are gathered for a while.
everything_went_out() {
	ctl status | grep -q '^records .* 0 unread' &&
		ctl status | grep -q '^events .* 0 unread' &&
		has archive && has second
}
all_is_known() {
	sent audit --box "$box" "$tmp/KILL.ledger" > "$tmp/audit"
}
check "everything goes out" wait_for 60 eval \
	'everything_went_out 2> /dev/null'
check "every record is in a mail, and what was unknown is known" \
	eval 'wait_for 20 all_is_known || { cat "$tmp/audit"; false; }'
check "everything received is accounted for" ctl verify
check "the token went nowhere else" nobody_else_was_contacted
check "on SIGTERM the daemon ends with 0" stop_daemon
finish
