#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who waits for what at the gateway: a send for its turn, never longer than is
# said, and one that would have to is refused at once and leaves no trace; a
# template for its wording, but not for files that are slow.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
. "$here/gateway.lib.sh"
need_tools curl openssl python3

templates='[{"id":"5001","name":"payment_due","language":"pt_BR","status":"APPROVED","components":[{"type":"BODY","text":"Dear {{1}}, {{2}} is due."}]}]'
due='{"messaging_product":"whatsapp","to":"5511999990000","type":"template","template":{"name":"payment_due","language":{"code":"pt_BR"},"components":[{"type":"body","parameters":[{"type":"text","text":"Eva"},{"type":"text","text":"R$ 1"}]}]}}'
write_directory archive
sed -i 's/number 551140040001;/& account 900100200300400;/' \
	"$tmp/directory.conf"
check "the Graph stand-in starts" start_graph
echo "$templates" > "$graph/graph.templates"
write_gateway_conf
check "chatjournald starts with a gateway" start_all

# ---- slow files and wordings -------------------------------------------------

fetch_slowly() {
	local i
	for i in 1 2 3 4 5 6; do
		make_file "77700$i.png" 100000
		stay curl -s -m 60 -o "$tmp/file$i" -H "Authorization: Bearer $(
			cat "$tmp/secrets/crm.token")" \
			"$(gateway_url)/v25.0/77700$i/file" &
		pids[file$i]=$!
	done
}
begun() {
	[ "$(grep -c "^graph begin get " "$graph/graph.log")" -ge "$1" ]
}
graph_script <<< '* get slow 200'
fetch_slowly
check "many files are fetched, slowly" wait_for 10 begun 4
check "a template is sent meanwhile" is 200 send "$due"
check "in its own words" journaled 'Dear Eva, R\$ 1 is due'
for i in 1 2 3 4 5 6; do
	end "file$i"
done
graph_script < /dev/null

# ---- wordings that are changed -----------------------------------------------

# Without a language: any of it.
changed_to() {
	echo "${templates/Dear/$1}" > "$graph/graph.templates"
	printf '{"object":"whatsapp_business_account","entry":[{"id":"900100200300400","time":1795317236,"changes":[{"field":"message_template_components_update","value":{"message_template_id":5001,"message_template_name":"payment_due","message_template_element":"%s"}}]}]}' \
		"$1" > "$tmp/event.json"
	same "$(post "$tmp/event.json")" 200
}
read_to() {
	[ "$(gateway_db "SELECT value FROM cursor WHERE name =
		'templates'")" = "$1" ]
}
check "a new process has no wording in memory" again
check "a webhook says that a template is changed, in what language ever" \
	changed_to Hello
check "it is asked for again" wait_for 10 read_to 1
check "it is sent" is 200 send "$due"
check "in the new words" journaled 'Hello Eva, R\$ 1 is due'
graph_script <<< '* template error 500 2 Later'
check "it is changed while Meta does not tell how" changed_to Salut
check "that is noted" wait_for 10 read_to 2
graph_script < /dev/null
check "a later process" again
check "sends it" is 200 send "$due"
check "and does not believe what was said before the change" \
	journaled 'Salut Eva, R\$ 1 is due'

# ---- turns -------------------------------------------------------------------

cat > "$tmp/policy.conf" << 'RULES'
rule broad { match direction sent; count 100 customers 1d per business; action flag; }
rule notice { match direction sent; action append "Recorded." once conversation; }
RULES
limits='number_rate 1; pair_interval 1h; pair_burst 2; pace_wait 1500ms;'
check "with one message a second, and two to a person" again
rows() {
	gateway_db "SELECT (SELECT count(*) FROM send), (SELECT count(*) FROM
		record), (SELECT count(*) FROM send_tally), (SELECT count(*)
		FROM told), (SELECT count(*) FROM idempotency)"
}
to() {
	send "$(text "turn $1" "551198888000$1")" -H "Idempotency-Key: turn$1"
}
# Each with its own $tmp/answer.
many_at_once() {
	local i
	for i in 1 2 3 4 5 6 7 8 9; do
		(tmp=$tmp/turn$i; mkdir "$tmp"; ln -s ../secrets "$tmp/secrets"
			to $i > "$tmp/status") &
		pids[turn$i]=$!
	done
	for i in 1 2 3 4 5 6 7 8 9; do
		wait "${pids[turn$i]}"
		unset "pids[turn$i]"
	done
}
answered() {
	cat "$tmp"/turn?/status | grep -o "$1" | wc -l
}
refused_as_meta_does() {
	local i
	for i in 1 2 3 4 5 6 7 8 9; do
		[ "$(cat "$tmp/turn$i/status")" = 429 ] || continue
		last=$i
		grep -q '"code":130429,.*"is_transient":true' \
			"$tmp/turn$i/answer" || return 1
		grep -qi '^Retry-After: [1-9]' "$tmp/turn$i/head" || return 1
	done
}
check "many come at once, more than may wait" many_at_once
sent=$(answered 200)
check "some are sent" test "$sent" -ge 1
check "those who would wait too long are refused" test "$(answered 429)" -ge 3
check "and all others are sent" same "$((sent + $(answered 429)))" 9
check "they are refused as Meta does it, and told to come again" \
	refused_as_meta_does
check "nothing of them is recorded, counted or told" \
	same "$(rows)" "$((sent + 3)) $((sent + 3)) $sent $sent $sent"
check "nor did they reach Meta" reached "$sent" 'turn [1-9]'
goes_later() {
	[ "$(to "$last")" = 200 ]
}
check "with the same key one of them is sent later" wait_for 10 goes_later
check "with what is said once" reached 1 "turn $last"'\\\\n\\\\nRecorded'
again_to_first() {
	[ "$(send "$(text "more $1" 5511977770001)")" = "$2" ]
}
check "a person gets one" wait_for 10 again_to_first 1 200
check "and a second one" wait_for 10 again_to_first 2 200
before=$(rows)
check "and no third within the time: 429 at once, with the code of a pair" \
	refuses 429 131056 - send "$(text 'more 3' 5511977770001)"
check "nothing of it either" same "$(rows)" "$before"
told_of() {
	send "$(text 'more 4' 5511977770001)" > /dev/null
	logged 'gateway.refused.* reason=pace'
}
check "the log says so, at most once a second" wait_for 5 told_of
check "nothing was recorded as not sent" same "$(gateway_db \
	"SELECT count(*) FROM send WHERE outcome = 'not-sent'")" 0
check "everything received is accounted for" ctl verify

finish
