# tests/integration/gateway.lib.sh: what the tests of the gateway share
# SPDX-License-Identifier: Apache-2.0
#
# Read after lib.sh and media.lib.sh: the gateway's configuration, staff systems
# that use it, and what Graph's stand-in, the store and the journal have of what
# they sent.

number=106540352242922
customer=5511999990000
box=$tmp/archive/new

limits='number_rate 0; pair_burst 0;'

make_tokens() {
	local name
	make_secrets
	for name in crm bot desk second; do
		(umask 077; openssl rand -hex 20 > "$tmp/secrets/$name.token")
	done
	free_ports gateway_port
}

# write_gateway_conf [DIRECTIVES [OF-GRAPH]]: of gateway; rules, if any, come
# from $tmp/policy.conf, $scanner is of media. Called again it keeps ports and tokens.
write_gateway_conf() {
	[ -n "${gateway_port:-}" ] || make_tokens
	write_conf <<- CONF
	$([ ! -e "$tmp/policy.conf" ] || echo "policy $tmp/policy.conf;")
	$(graph_conf "wait 2s; ${scanner:-}" "${2:-}")
	$(maildir_conf archive "$tmp/archive")
	${journals:-}
	gateway {
		listen 127.0.0.1:$gateway_port;
		$limits
		capture on;
		allow GET /v25.0/*/message_templates;
		application crm {
			token_file $tmp/secrets/crm.token;
			token_file $tmp/secrets/second.token;
		}
		${applications:-}
		application bot { token_file $tmp/secrets/bot.token; bot on; }
		application desk {
			token_file $tmp/secrets/desk.token;
			business 999888777666;
			employee_required on;
		}
		${1:-}
	}
	CONF
}

gateway_answers() {
	[ "$(curl -s -o /dev/null -m 5 -w '%{http_code}' \
		"$(gateway_url)/" 2> /dev/null)" != 000 ]
}

gateway_url() {
	echo "http://127.0.0.1:$gateway_port"
}

start_all() {
	start_daemon && wait_for 20 gateway_answers
}

# again [DIRECTIVES [OF-GRAPH]]: the daemon, with another configuration
again() {
	stop_daemon && write_gateway_conf "$@" && start_all
}

# ---- what staff systems do -------------------------------------------------------

as=crm

# ask METHOD PATH [CURL-OPTION...]: prints the status; the answer lies in
# $tmp/answer, its head in $tmp/head.
ask() {
	local method=$1 path=$2
	shift 2
	curl -s -m 30 -X "$method" -o "$tmp/answer" -D "$tmp/head" \
		-w '%{http_code}' -H "Authorization: Bearer $(
		cat "$tmp/secrets/$as.token")" "$@" "$(gateway_url)$path"
}

# json PATH BODY [CURL-OPTION...]: a POST
json() {
	local path=$1 body=$2
	shift 2
	ask POST "$path" -H 'Content-Type: application/json' -H 'Expect:' \
		--data-binary "$body" "$@"
}

# send BODY [CURL-OPTION...]
send() {
	json "/v25.0/$number/messages" "$@"
}

# text WORDS [TO]: a body
text() {
	printf '{"messaging_product":"whatsapp","to":"%s","type":"text","text":{"body":"%s"}}' \
		"${2:-$customer}" "$1"
}

# of PATH...: what the answer has there, as messages 0 id
of() {
	python3 - "$tmp/answer" "$@" << 'PY'
import json, sys
o = json.load(open(sys.argv[1], encoding="utf-8"))
for word in sys.argv[2:]:
    o = o[int(word) if isinstance(o, list) else word]
print(o)
PY
}

# is STATUS COMMAND...: the command prints it
is() {
	local want=$1 got
	shift
	got=$("$@")
	[ "$got" = "$want" ] && return
	echo "status $got instead of $want: $(head -c 600 "$tmp/answer")"
	return 1
}

# refuses STATUS CODE SUBCODE COMMAND...: in Graph's shape, with a trace
refuses() {
	local status=$1 code=$2 subcode=$3
	shift 3
	is "$status" "$@" && same "$(python3 - "$tmp/answer" << 'PY'
import json, re, sys
e = json.load(open(sys.argv[1], encoding="utf-8"))["error"]
good = e["message"] and e["type"] == "OAuthException" and \
    e["error_data"]["messaging_product"] == "whatsapp" and \
    e["error_data"]["details"] and re.fullmatch("[0-9a-f]{32}", e["fbtrace_id"])
print(e["code"], e.get("error_subcode", "-"), "yes" if good else e)
PY
	)" "$code $subcode yes"
}

# ---- what became of it ---------------------------------------------------------------

# at_meta [FILTER]: how many requests the stand-in read that hold FILTER
at_meta() {
	local n=0
	[ ! -e "$graph/graph.requests" ] ||
		n=$(grep -c -- "${1:-}" "$graph/graph.requests")
	echo "$n"
}

# reached N [FILTER]
reached() {
	same "$(at_meta "${2:-}")" "$1"
}

# gateway_db QUERY: of the gateway's database, which the daemon may be using
gateway_db() {
	python3 - "$store/gateway.db" "$1" << 'PY'
import sqlite3, sys
db = sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True)
for row in db.execute(sys.argv[2]):
    print(*row)
PY
}

# came_to OUTCOME: a pattern for in_mail
came_to() {
	printf 'X-ChatJournal-Send: key=[0-9a-f]*; outcome=%s' "$1"
}

# last_is STATE OUTCOME: of the last send
last_is() {
	same "$(gateway_db "SELECT state, ifnull(outcome, '-') FROM send
		ORDER BY id DESC LIMIT 1")" "$1 $2"
}

# in_mail PATTERN...: one mail has all of them, in head, text or event
in_mail() {
	python3 -B "$here/in_mail.py" "$box" "$@"
}

looked_for() {
	in_mail "$@" > "$tmp/found"
}

# journaled PATTERN...: soon
journaled() {
	wait_for ${SOON:-10} looked_for "$@" 2> /dev/null && return
	cat "$tmp/found"
	return 1
}
