#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The gateway as staff systems see it, before a stand-in for Graph: what they
# may, what arrives, what they are answered, and that all of it is journaled.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
. "$here/gateway.lib.sh"
need_tools curl openssl python3

templates='[{"id":"5002","name":"never_told","language":"pt_BR","status":"APPROVED","components":[{"type":"BODY","text":"Nobody hears of {{1}} and {{2}}."}]},{"id":"5001","name":"payment_due","language":"pt_BR","status":"APPROVED","components":[{"type":"HEADER","format":"TEXT","text":"Reminder"},{"type":"BODY","text":"Dear {{1}}, {{2}} is due."},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Paid already"}]}]}]'
write_directory archive
sed -i 's/number 551140040001;/& account 900100200300400;/' \
	"$tmp/directory.conf"
check "the Graph stand-in starts" start_graph
echo "$templates" > "$graph/graph.templates"
write_gateway_conf
check "chatjournald starts with a gateway" start_all

# ---- every type of message -------------------------------------------------------

every_type() {
	python3 -B "$here/every_type.py" --port "$gateway_port" \
		--token "$tmp/secrets/crm.token" --graph "$graph" \
		--box "$box" --number $number > "$tmp/types"
}
check "all types of messages are sent" every_type
while IFS=$'\t' read -r name problem; do
	check "$name: arrives as it was sent, and is journaled" \
		same "$problem" ''
done < "$tmp/types"
check "there were many types" test "$(wc -l < "$tmp/types")" -ge 30
check "a template was shown with its header and buttons" \
	in_mail 'Dear Ana' Reminder 'Paid already'
check "its wording was asked for once" \
	same "$(at_meta '"what": "template"')" 1

# ---- what is changed of a template --------------------------------------------------

template_event() {
	printf '{"object":"whatsapp_business_account","entry":[{"id":"900100200300400","time":1795317236,"changes":[{"field":"message_template_components_update","value":{"message_template_id":5001,"message_template_name":"payment_due","message_template_language":"pt_BR","message_template_element":"new"}}]}]}' \
		> "$tmp/event.json"
	same "$(post "$tmp/event.json")" 200
}
due='{"messaging_product":"whatsapp","to":"5511999990000","type":"template","template":{"name":"payment_due","language":{"code":"pt_BR"},"components":[{"type":"body","parameters":[{"type":"text","text":"Eva"},{"type":"text","text":"R$ 1"}]}]}}'
echo "${templates/Dear/Hello}" > "$graph/graph.templates"
check "a webhook says that the wording of a template is changed" template_event
check "it is asked for again" wait_for 10 reached 2 '"what": "template"'
check "the same template is sent" is 200 send "$due"
check "its mail has the new wording" journaled 'Hello Eva, R\$ 1 is due'
check "a template that Meta does not know is refused by Meta" \
	is 404 send "${due/payment_due/other_name}"
check "which is journaled, with name and parameters" \
	journaled other_name Eva "$(came_to refused)"
check "and so is one in another language" is 404 send "${due/pt_BR/en}"

# ---- who may -------------------------------------------------------------------------

seen=$(at_meta)
nothing_more_at_meta() {
	reached "$seen"
}
anonymous() {
	curl -s -m 30 -o "$tmp/answer" -w '%{http_code}' -H \
		"Content-Type: application/json" --data-binary "$(text x)" "$@" \
		"$(gateway_url)/v25.0/$number/messages"
}
check "without a token: 401" refuses 401 190 - anonymous
check "with a wrong one: 401" refuses 401 190 - \
	anonymous -H 'Authorization: Bearer wrong'
check "with Meta's own token: 401" refuses 401 190 - \
	anonymous -H "Authorization: Bearer $(cat "$graph/graph.token")"
check "with a token in the query: 404, and it is not asked further" \
	refuses 404 2500 - json "/v25.0/$number/messages?access_token=x" "$(text x)"
as=second check "an application may have two tokens" is 200 send "$(text two)"
seen=$((seen + 1))
as=desk
check "an application that must name its employees is told so: 400" \
	refuses 400 100 - send "$(text x)"
check "with a name that is none: 400" \
	refuses 400 100 - send "$(text x)" -H 'X-ChatJournal-Employee: a b'
check "with a name, but another's number: 403" \
	refuses 403 10 - send "$(text x)" -H 'X-ChatJournal-Employee: E77'
as=crm
check "an unknown path: 404" refuses 404 2500 - json /v25.0/me/feed '{}'
check "a path that is written oddly: 404" \
	refuses 404 2500 - json "/v25.0/$number/%6dessages" "$(text x)" \
	--path-as-is
check "a method that the path does not take: 405" \
	refuses 405 100 - ask PUT "/v25.0/$number/messages"
check "what is no JSON: 400" refuses 400 100 - send '{"to":'
check "a member twice: 400" refuses 400 100 - send \
	'{"messaging_product":"whatsapp","to":"1","to":"2","type":"text","text":{"body":"x"}}'
check "a batch: 400" refuses 400 100 - send '{"batch":"[]"}'
check "a form that looks like JSON: 400" refuses 400 100 - \
	ask POST "/v25.0/$number/messages" --data-binary "$(text x)"
check "a type that nobody knows: 400" refuses 400 100 - send \
	'{"messaging_product":"whatsapp","to":"5511999990000","type":"hologram","hologram":{"a":1}}'
check "a body over max_body: 400" eval '
	text "$(head -c 1100000 /dev/zero | tr "\0" x)" > "$tmp/large"
	refuses 400 100 - send "@$tmp/large"'
check "nothing of all that reached Meta" nothing_more_at_meta
check "the log tells who was refused, and why" \
	log_says 'gateway.refused.* reason=auth remote=127.0.0.1 trace=[0-9a-f]'
check "an employee is named in the mail" eval '
	is 200 send "$(text "by E88")" -H "X-ChatJournal-Employee: E88"
	journaled "by E88" "X-ChatJournal-Employee: id=E88" \
		"X-ChatJournal-Application: crm"'
as=bot check "what a program sends is marked so" eval '
	is 200 send "$(text "I am a bot")"
	journaled "I am a bot" "X-ChatJournal-Author: bot"'

# ---- passed on without a record ---------------------------------------------------------

before=$(gateway_db 'SELECT count(*) FROM record')
mark='{"messaging_product":"whatsapp","status":"read","message_id":"wamid.IN1"}'
check "a mark as read is passed on" is 200 send "$mark"
check "a typing indicator, too" is 200 send \
	"${mark%\}},\"typing_indicator\":{\"type\":\"text\"}}"
check "both reached Meta" reached 2 '"what": "read"'
check "no record was made" \
	same "$(gateway_db 'SELECT count(*) FROM record')" "$before"
check "what the conf allows is passed on" \
	is 200 ask GET "/v25.0/900100200300400/message_templates?limit=1"
check "other methods of it are not" refuses 404 2500 - \
	json /v25.0/900100200300400/message_templates '{}'

# ---- calls and groups ---------------------------------------------------------------------

call='{"messaging_product":"whatsapp","to":"5511999990000","action":"connect","session":{"sdp_type":"offer","sdp":"v=0"}}'
check "a call is passed on" is 200 json "/v25.0/$number/calls" "$call"
check "it is journaled" journaled 'X-ChatJournal-Event: call' wacid
check "a group is made" is 200 json "/v25.0/$number/groups" \
	'{"messaging_product":"whatsapp","subject":"Deal room"}'
check "it is journaled" journaled 'X-ChatJournal-Event: group' 'Deal room'
group=$(python3 - "$graph/graph.requests" << 'PY'
import json, sys
print([o["result"] for o in map(json.loads, open(sys.argv[1]))
       if o["what"] == "group"][-1])
PY
)
check "who is in it is asked for" is 200 ask GET "/v25.0/$group?fields=subject"
check "somebody is removed" is 200 ask DELETE "/v25.0/$group/participants" \
	-H 'Content-Type: application/json' --data-binary \
	'{"messaging_product":"whatsapp","participants":[{"user":"5511999990000"}]}'
check "that is journaled" journaled "$group" DELETE
check "a batch in the body of a call is refused" refuses 400 100 - \
	json "/v25.0/$number/calls" '{"batch":"[]"}'

# ---- files ----------------------------------------------------------------------------------

make_file picture.png 70000
upload() {
	ask POST "/v25.0/$number/media" -F messaging_product=whatsapp \
		-F 'type=image/png' -F "file=@$graph/picture.png;type=image/png"
}
image() {
	printf '{"messaging_product":"whatsapp","to":"%s","type":"image","image":{"id":"%s","caption":"%s"}}' \
		$customer "$1" "$2"
}
check "a file is uploaded" is 200 upload
media=$(of id)
check "Meta has its very bytes" cmp "$graph/$media.png" "$graph/picture.png"
check "it is sent" is 200 send "$(image "$media" 'the chart')"
check "its mail has the file" wait_for 15 brings "$box" \
	"$(of messages 0 id)" "$graph/picture.png"
check "it was not downloaded from Meta" \
	not grep -Eq "^graph (find|get) $media " "$graph/graph.log"
check "no half of it is left in the spool" \
	same "$(find "$store/spool" -type f)" ''
found() {
	is 200 ask GET "/v25.0/$media?phone_number_id=$number"
}
check "the file is asked for" found
url=$(of url)
check "the address is the gateway's own" \
	same "$url" "$(gateway_url)/v25.0/$media/file?phone_number_id=$number"
check "there are its bytes" eval '
	is 200 ask GET "/v25.0/$media/file" && cmp "$tmp/answer" "$graph/picture.png"'
check "with its type" grep -qi '^Content-Type: image/png' "$tmp/head"
check "without a token there is nothing" \
	same "$(curl -s -o /dev/null -w '%{http_code}' "$url")" 401
check "it is deleted" is 200 ask DELETE "/v25.0/$media"
check "then it is not found" is 400 ask GET "/v25.0/$media"
check "and has no bytes" refuses 404 2500 - ask GET "/v25.0/$media/file"
check "a form without a file: 400" refuses 400 100 - \
	ask POST "/v25.0/$number/media" -F messaging_product=whatsapp
check "a file that Meta refuses is refused as Meta does" is 400 \
	ask POST "/v25.0/$number/media" -F messaging_product=whatsapp \
	-F 'type=font/ttf' -F "file=@$graph/picture.png"

# ---- copies ---------------------------------------------------------------------------------

copy() {
	printf '{"phone_number_id":"%s","at":"2026-02-03T14:05:09Z","status":200,"request":%s,"response":{"messaging_product":"whatsapp","messages":[{"id":"wamid.COPY%s"}]}}' \
		$number "$(text "$1")" "$1"
}
seen=$(at_meta)
check "a copy of what another system sent is taken" eval \
	'is 200 json /capture "$(copy 1)" -H "Idempotency-Key: copy1"'
check "its mail has it as that message, reported" \
	journaled 'id=wamid.COPY1' 'at=2026-02-03T14:05:09Z' \
	"$(came_to reported)"
check "the same copy again is answered as the first" eval \
	'is 200 json /capture "$(copy 1)" -H "Idempotency-Key: copy1" &&
	same "$(cat "$tmp/answer")" "{\"success\":true}"'
check "and is no second one" same "$(gateway_db \
	"SELECT count(*) FROM send WHERE outcome = 'reported'")" 1
check "a copy that says too little: 400" refuses 400 100 - \
	json /capture '{"request":{}}'
as=desk check "a copy for another's number: 403" \
	refuses 403 10 - json /capture "$(copy 2)"
check "nothing of that went to Meta" nothing_more_at_meta

# ---- the same again ---------------------------------------------------------------------------

keyed() {
	send "$(text "$2")" -H "Idempotency-Key: $1"
}
check "a message with an idempotency key is sent" is 200 keyed k1 'only once'
first=$(cat "$tmp/answer")
check "again it gets the first answer" eval \
	'is 200 keyed k1 "only once" && same "$(cat "$tmp/answer")" "$first"'
check "and was sent once" reached 1 'only once'
check "another message with that key: 422" \
	refuses 422 100 - keyed k1 'something else'
as=bot check "another application may have the same key" \
	is 200 keyed k1 'of the bot'
graph_script <<< '* send delay 3000'
# With a $tmp/answer of its own.
(mkdir "$tmp/aside"; ln -s ../secrets "$tmp/aside/secrets"
	tmp=$tmp/aside; keyed k2 'slow one' > "$tmp/../slow") &
pids[slow]=$!
check "a slow one is on its way" wait_for 10 reached 1 'slow one'
check "the same while the first is under way: 409" \
	refuses 409 2 - keyed k2 'slow one'
check "another one then: 422" refuses 422 100 - keyed k2 'not the same'
wait "${pids[slow]}"
unset 'pids[slow]'
check "the first one is answered" same "$(cat "$tmp/slow")" 200
graph_script <<< '* send error 429 130429 retry-after=1 Rate limit hit'
check "Meta's 429 is passed on" is 429 keyed k3 'too fast'
check "with its words and its Retry-After" eval \
	'grep -q 130429 "$tmp/answer" && grep -qi "^retry-after: 1" "$tmp/head"'
graph_script < /dev/null
check "it is journaled as refused" journaled 'too fast' "$(came_to refused)"
check "and may be tried again with the same key" \
	wait_for 10 eval '[ "$(keyed k3 "too fast")" = 200 ]'
graph_script <<< '* send error 400 131030 Recipient not in allowed list'
check "what Meta refuses for good is answered so" is 400 keyed k4 'not allowed'
graph_script < /dev/null
check "and again the same" is 400 keyed k4 'not allowed'
graph_script <<< '* send empty 404'
check "a refusal without a word is answered so" is 404 keyed empty 'no word'
graph_script < /dev/null
check "and again the same: nothing" eval \
	'is 404 keyed empty "no word" && [ ! -s "$tmp/answer" ]'
check "an idempotency key that is none: 400" \
	refuses 400 100 - keyed "$(printf '%0300d' 1)" x

# ---- what became of one ---------------------------------------------------------------------

graph_script <<< '* send drop-after'
check "an answer that is lost: 502, do not send it again" \
	refuses 502 2 4190004 keyed k5 'lost answer'
key=$(of error fbtrace_id)
check "again the same, and it is not sent again" eval \
	'refuses 502 2 4190004 keyed k5 "lost answer" && reached 1 "lost answer"'
check "it is journaled as unknown" journaled 'lost answer' \
	"$(came_to unknown)" "$key"
check "the log says so" log_says "send.unknown.* send=$key"
check "who sent it may ask" is 200 ask GET "/sends/$key"
check "and is told that it is unknown" same "$(of outcome)" unknown
as=bot check "nobody else may" refuses 404 2500 - ask GET "/sends/$key"
status_of() {
	python3 - "$graph/graph.requests" "$1" "$number" << 'PY' > "$tmp/event.json"
import json, sys, time
for o in map(json.loads, open(sys.argv[1])):
    if sys.argv[2] in o.get("body", ""):
        data = json.loads(o["body"])["biz_opaque_callback_data"]
        status = {"id": o["result"], "status": "delivered", "timestamp":
                  str(int(time.time())), "recipient_id": "5511999990000",
                  "biz_opaque_callback_data": data}
print(json.dumps({"object": "whatsapp_business_account", "entry": [{
    "id": "900100200300400", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {
            "display_phone_number": "551140040001",
            "phone_number_id": sys.argv[3]}, "statuses": [status]}}]}]}))
PY
	same "$(post "$tmp/event.json")" 200
}
check "the status webhook of it comes" status_of 'lost answer'
check "a mail says that it left after all" journaled \
	'X-ChatJournal-Types: resolved' "cj:$key" 'lost answer'
graph_script <<< '* send truncated'
check "half an answer is no answer" refuses 502 2 4190004 send "$(text half)"
graph_script <<< '* send garbage'
check "a page in place of one neither" \
	refuses 502 2 4190004 send "$(text 'a page')"
graph_script <<< '* send status 503'
check "a 5xx that is not Graph's own neither" \
	refuses 502 2 4190004 send "$(text 'a proxy')"
graph_script <<< '* send error 500 131000 Something went wrong'
check "a 5xx of Graph's own is passed on" is 500 send "$(text '131000')"
check "and journaled as refused" last_is 'done' refused
graph_script < /dev/null
end graph
check "when Meta is not there: 502, and it was not sent" \
	refuses 502 2 - keyed k6 'nobody there'
check "which is recorded" last_is 'done' not-sent
check "the log says so" log_says upstream.down
rm "$tmp/graph.ports"
check "the stand-in comes back" start_graph --port "$graph_port"
write_gateway_conf 'mode stored;'
check "after a restart all goes on" again
check "what was not sent may be sent with the same key" \
	is 200 keyed k6 'nobody there'
graph_script <<< '* template hang'
check "a template whose wording Meta does not tell is sent all the same" \
	is 200 send "${due/payment_due/never_told}"
check "its mail has name and parameters, and says so" \
	journaled never_told Eva 'wording  *not known'
check "everything received is accounted for" ctl verify
check "no send is left over" same "$(gateway_db \
	"SELECT count(*) FROM send WHERE state <> 'done'")" 0
check "the token went nowhere else" nobody_else_was_contacted
check "it is in no log, mail or answer" not grep -rlqF \
	"$(cat "$graph/graph.token")" "$tmp/log" "$box" "$tmp/answer"
stops_soon() {
	local begun=$SECONDS
	stop_daemon && [ $((SECONDS - begun)) -lt 10 ]
}
check "on SIGTERM the daemon ends with 0, though Meta is silent" stops_soon
check "no request was cut" not logged gateway.cut
finish
