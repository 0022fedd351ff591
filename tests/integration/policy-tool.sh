#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# chatjournal policy and chatjournal review, with and without --json: rules are
# tried on files, explained, simulated; what they hold is shown, released by
# two persons, rejected, each act once and never by the one it is about.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$SRCDIR/tests/integration/media.lib.sh"
. "$SRCDIR/tests/integration/tool.lib.sh"
need_tools curl openssl python3
# Tests act as several persons, as sudo tells who they are.
need_root "only root can act for others"

cat > "$tmp/policy.conf" << EOF
lexicon lures { file $SRCDIR/conf/lexicons/off-channel.en.txt; }
rule lures { match lexicon lures; action tag off-channel; action flag; }
rule secret { match text "project falcon"; action hold persons 2 max 4h; }
rule cards { match at gateway; match detect card; action block "No cards."; }
rule promises { match at gateway; match text guaranteed; action approve; }
rule staff { match direction sent; match author staff; match employee E1; match at capture; action tag staff; }
EOF
cat > "$tmp/directory.conf" << 'EOF'
staff E1 { name "Maria Lima"; mail maria.lima@bank.example; }
business 106540352242922 {
	number 551140040001;
	name "Private Banking";
	desk pb;
	staff E1;
	journal archive;
}
EOF
sed 's/project falcon/look at me/' "$tmp/policy.conf" > "$tmp/next.conf"
make_secrets
free_ports gateway_port
(umask 077; openssl rand -hex 20 > "$tmp/secrets/crm")
check "a stand-in for the Graph API is started" start_graph
write_conf << EOF
policy $tmp/policy.conf;
$(graph_conf 'wait 2s;')
$(maildir_conf archive "$tmp/Maildir")
gateway {
	listen 127.0.0.1:$gateway_port;
	application crm { token_file $tmp/secrets/crm; }
}
EOF

request() {
	printf '{"messaging_product":"whatsapp","to":"447700900123","type":"text","text":{"body":"%s"}}' "$1"
}

# send TEXT EMPLOYEE: prints the status
send() {
	curl -s -m 30 -o "$tmp/answer" -w '%{http_code}' \
		-H "Authorization: Bearer $(cat "$tmp/secrets/crm")" \
		-H "X-ChatJournal-Employee: $2" \
		-H 'Content-Type: application/json' --data-binary "$(request "$1")" \
		"http://127.0.0.1:$gateway_port/v25.0/106540352242922/messages"
}

# out_has PATTERN COMMAND...: in what it prints
out_has() {
	ctl "${@:2}" > "$tmp/out" && grep -Eq -- "$1" "$tmp/out" ||
		{ cat "$tmp/out"; return 1; }
}

# of PYTHON COMMAND...: true of the JSON that it prints, o
of() {
	ctl --json "${@:2}" > "$tmp/out" && python3 - "$1" "$tmp/out" << 'PY'
import json, sys
o = json.load(open(sys.argv[2], encoding="utf-8"))
what = " ".join(sys.argv[1].split())
sys.exit(0 if eval(what) else "not so: %s\n%s" % (what, o))
PY
}

as() {
	local who=$1
	shift
	SUDO_USER=$who ctl "$@"
}

# held KIND: the last one that is held, turn or send
held() {
	ctl review list | sed -n "s/^\($1:[^ ]*\) .*/\1/p" | tail -n 1
}

holds() {
	[ "$(ctl review list | grep -c "^$1:")" -eq "$2" ]
}

mail_has() {
	grep -rlq -- "$1" "$tmp/Maildir/new" 2> /dev/null
}

at_meta() {
	[ "$(grep -c -- "$1" "$graph/graph.requests" 2> /dev/null)" = "$2" ]
}

nothing_held() {
	[ -z "$(ctl review list)" ]
}

check "the configuration is good" says 0 check-config
check "chatjournald starts" start_daemon
check "nothing is held: the list is empty" nothing_held
check "and as JSON it is an empty list" of 'o == []' review list

# ---- trying rules on files ---------------------------------------------------

text_event wamid.LURE 'message me on Telegram' > "$tmp/lure.json"
request 'it is 4111 1111 1111 1111' > "$tmp/card.json"
text_event wamid.ECHO 'good morning' | sed 's/"field":"messages"/"field":"smb_message_echoes"/
	s/"messages":\[/"message_echoes":[/
	s/"from":"\([0-9]*\)"/"from":"551140040001","to":"\1"/' > "$tmp/echo.json"
check "policy test names the rule that fires on a webhook" \
	out_has '^received message text wamid.LURE: flag$' \
	policy test "$tmp/lure.json"
check "and why: file and line of the phrase, and its place" grep -Eq \
	'^    lexicon lures: .*/off-channel.en.txt:[0-9]+ at 0-22$' "$tmp/out"
check "what was found is not repeated" not grep -qi telegram "$tmp/out"
check "a request is judged as the gateway would" \
	out_has '^  block: No cards.$' policy test "$tmp/card.json"
check "the same with --json" of \
	'[v["word"] for v in o] == ["flag", "block"] and
	o[0]["verdict"]["fired"][0]["rule"] == "lures"' \
	policy test "$tmp/lure.json" "$tmp/card.json"
check "a mail is tested by its events" eval \
	'ctl render "$tmp/lure.json" > "$tmp/lure.eml" &&
	out_has "wamid.LURE: flag$" policy test "$tmp/lure.eml"'
check "who wrote it is known as the daemon knows it" \
	out_has '^sent message text .*: deliver$' policy test "$tmp/echo.json"
check "and a rule about the person fires" grep -qx '  tags staff' "$tmp/out"
printf 'Subject: hello\n\nhello\n' > "$tmp/other.eml"
check "a mail without events is refused with its name" eval \
	'says 69 policy test "$tmp/other.eml" &&
	grep -q "other.eml: no event" "$tmp/err"'
check "a file that is not there is refused" \
	not says 0 policy test "$tmp/nowhere.json"
check "wrong usage ends with 64" eval 'says 64 policy && says 64 policy test &&
	says 64 policy nonsense && says 64 policy explain &&
	says 64 policy simulate && says 64 policy simulate --since yesterday \
		--policy "$tmp/next.conf" &&
	says 64 review && says 64 review release turn:1 more &&
	says 64 review show mail:1 && says 64 review show send:short'

# ---- what fired, what would, what was in force -------------------------------

check "a lure is taken" same "$(post "$tmp/lure.json")" 200
check "it is journaled" wait_for 10 has archive 1
check "a message of which no rule speaks is taken" \
	post_text wamid.PLAIN 'look at me'
check "it is journaled" wait_for 10 has archive 2
check "policy explain says which rule fired, and the set" out_has \
	'^turn:[0-9]+: flag, by set [0-9a-f]{64}$' policy explain wamid.LURE
check "and its tags" grep -qx '  tags off-channel' "$tmp/out"
check "or that none did" out_has \
	'^no rule fired; set [0-9a-f]{64} was in force$' policy explain wamid.PLAIN
check "with --json what fired" of \
	'o["verdict"]["tags"] == ["off-channel"]' policy explain wamid.LURE
check "with --json that none did" of \
	'o["verdict"] is None and len(o["set"]) == 64' policy explain wamid.PLAIN
check "an unknown message ends with 1" says 1 policy explain wamid.NOBODY
check "policy sets lists the set" of 'len(o) == 1 and o[0]["bytes"] > 0' \
	policy sets
set=$(ctl policy sets | cut -c 1-12)
check "and gives its text, by the beginning of its hash" \
	out_has 'project falcon' policy sets "$set"
check "the same with --json" of '"project falcon" in o[0]["text"]' \
	policy sets "$set"
check "no set begins so: 1" says 1 policy sets nonsense
check "policy simulate counts before and after" out_has '^secret +0 +1$' \
	policy simulate --since 2026-01-01 --policy "$tmp/next.conf"
check "also what stays" grep -Eq '^lures +1 +1$' "$tmp/out"
check "and what changes" grep -q '^2 items, 1 with another verdict, 0 ' "$tmp/out"
check "the same with --json" of 'o["items"] == 2 and o["changed"] == 1 and
	{"rule": "secret", "before": 0, "after": 1} in o["rules"]' \
	policy simulate --since 2026-01-01 --policy "$tmp/next.conf"
check "since a later day there is nothing" of 'o["items"] == 0' \
	policy simulate --since 2126-01-01 --policy "$tmp/next.conf"
check "a simulation changes nothing" eval 'nothing_held && has archive 2'
echo 'rule broken {' > "$tmp/broken.conf"
check "rules that are wrong end it with 78" says 78 \
	policy simulate --since 2026-01-01 --policy "$tmp/broken.conf"

# ---- what is held ------------------------------------------------------------

check "a message that a rule holds is taken" \
	post_text wamid.HELD1 'Project Falcon goes on'
check "its turn is held, and shown" wait_for 10 holds turn 1
turn=$(held turn)
check "review list says rule, time and persons" out_has \
	"^$turn rule=secret since=20.*Z until=20.*Z persons=2$" review list
check "with --json times are numbers" of \
	'o[0]["until_ms"] - o[0]["since_ms"] == 4 * 3600 * 1000' review list
check "review show gives verdict and original" eval \
	'says 0 review show "$turn" && out_has "Project Falcon" review show "$turn"'
check "the same with --json" of 'o["held"] and o["reviews"] == [] and
	"Project Falcon" in o["originals"][0] and
	o["verdict"]["fired"][0]["rule"] == "secret"' review show "$turn"
check "an act needs a reason" says 64 review release "$turn"
check "one releases it" as ana --json review release "$turn" --why 'it is public'
check "the same person does not count twice" eval \
	'status_is 64 as ana review release "$turn" --why again 2> "$tmp/err" &&
	grep -q "ana has released it already; it takes 2 persons" "$tmp/err"'
check "so it is held still" eval 'holds turn 1 && has archive 2'
check "a second one releases it" \
	as bruno review release "$turn" --why 'I agree'
check "it is journaled with its content" wait_for 10 eval \
	'has archive 3 && nothing_held'
check "who, when and why stays" of \
	'[(r["verb"], r["who"], r["why"]) for r in o["reviews"]] ==
	[("release", "ana", "it is public"), ("release", "bruno", "I agree")] and
	not o["held"]' review show "$turn"
check "what is not held any more is not released: 1" \
	says 1 review release "$turn" --why late
check "another one is held" eval \
	'post_text wamid.HELD2 "project falcon, again" && wait_for 10 holds turn 1'
check "one person rejects it" \
	as ana review reject "$(held turn)" --why 'not for the archive'
check "a record of it is journaled" wait_for 10 eval \
	'has archive 4 && nothing_held'
check "without its content" not mail_has 'project falcon, again'
check "what was never held ends with 1" eval 'says 1 review show turn:1 &&
	says 1 review show send:00112233445566778899aabbccddeeff'

# Two people in one event, one in Russian, as Meta escapes it
text_event wamid.HELD3 'project falcon русский' |
	python3 -c 'import json, sys
e = sys.stdin.read()
o = json.loads(e)
v = o["entry"][0]["changes"][0]["value"]
m = dict(v["messages"][0], **{"from": "5511988880002", "id": "wamid.OTHER"})
m["text"] = {"body": "a secret of somebody else"}
v["messages"].append(m)
print(json.dumps(o), end="")' > "$tmp/two.json"
check "an event of two people is taken" same "$(post "$tmp/two.json")" 200
check "what one of them wrote is held" wait_for 10 holds turn 1
check "review show gives it as people write it" \
	out_has 'falcon русский' review show "$(held turn)"
check "and nothing of the other one" not grep -q 'somebody else' "$tmp/out"
check "it is released" eval 'as ana review release "$(held turn)" --why ok &&
	as bruno review release "$(held turn)" --why ok'
check "nothing is held any more" wait_for 10 nothing_held

text_event wamid.OWN 'project falcon from us' | sed 's/"field":"messages"/"field":"smb_message_echoes"/
	s/"messages":\[/"message_echoes":[/
	s/"from":"\([0-9]*\)"/"from":"551140040001","to":"\1"/' > "$tmp/own.json"
check "what staff wrote on the phone is taken" same "$(post "$tmp/own.json")" 200
check "it is held" wait_for 10 holds turn 1
check "who wrote it does not release it" eval \
	'status_is 64 as maria.lima review release "$(held turn)" --why mine \
		2> "$tmp/err" &&
	grep -q "nobody releases a message of their own" "$tmp/err"'
check "others do" eval 'as ana review release "$(held turn)" --why ok &&
	as bruno review release "$(held turn)" --why ok'
check "then it is held no more" wait_for 10 nothing_held

# ---- what staff want to send -------------------------------------------------

check "a message that needs approval is answered 202" \
	same "$(send 'returns are guaranteed' ana)" 202
check "it is held" wait_for 10 holds send 1
check "it is shown with who wants to send it" out_has \
	'rule=promises .* application=crm employee=ana$' review list
send=$(held send)
check "review show gives verdict and request" of 'o["employee"] == "ana" and
	"returns are guaranteed" in o["originals"][0] and
	o["verdict"]["hold"]["rule"] == "promises"' review show "$send"
check "nobody releases a message of their own" eval \
	'status_is 64 as ana review release "$send" --why mine 2> "$tmp/err" &&
	grep -q "nobody releases a message of their own" "$tmp/err"'
check "nothing has left" not at_meta guaranteed 1
check "somebody else releases it" \
	as bruno review release "$send" --why 'as in the prospectus'
check "it is sent, once" wait_for 10 at_meta guaranteed 1
check "and is not held any more" wait_for 10 nothing_held
check "one that is held" same "$(send 'a guaranteed gain' ana)" 202
check "and rejected" eval 'wait_for 10 holds send 1 &&
	as ana review reject "$(held send)" --why "I was wrong"'
check "never leaves" eval \
	'wait_for 10 nothing_held && at_meta "a guaranteed gain" 0'
check "policy explain takes the key of a send" wait_for 10 \
	out_has '^  rule promises$' policy explain "$send"
check "one send counts once in a simulation" of \
	'{"rule": "promises", "before": 2, "after": 2} in o["rules"]' \
	policy simulate --since 2026-01-01 --policy "$tmp/next.conf"
check "chatjournald stops" stop_daemon
check "reviews are shown also while it does not run" says 0 review show "$turn"
check "everything received is accounted for" ctl verify
check "all that was printed with --json is JSON" all_is_json 3
finish
