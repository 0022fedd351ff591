#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sends of one transaction: a rule that counts customers counts those that come
# at the same moment, also beside some whose groups are asked for, and one send
# that the store will not take does not keep back the others.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
. "$here/gateway.lib.sh"
need_tools curl python3

write_directory archive
check "the Graph stand-in starts" start_graph
cat > "$tmp/policy.conf" <<- 'POLICY'
	rule broadcast {
	    match direction sent;
	    count 3 customers 30d per business;
	    action block "Too many customers.";
	}
	rule traders { match group Traders; action tag trader; }
POLICY
free_ports dead_port
journals="ldap { url ldaps://127.0.0.1:$dead_port; base dc=example; wait 300ms; }"
write_gateway_conf
check "chatjournald starts with a gateway" start_all

# gateway_sql SQL [SECONDS]: holds the gateway's write lock for so long
gateway_sql() {
	python3 - "$store/gateway.db" "$1" "${2:-0}" << 'PY'
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
db.execute("BEGIN IMMEDIATE")
if sys.argv[2]:
    print(db.execute(sys.argv[2]).rowcount, flush=True)
else:
    print("locked", flush=True)
time.sleep(float(sys.argv[3]))
db.execute("COMMIT")
PY
}

# Thirty customers while the store cannot commit: all are judged together. Of
# every other one it is asked who of the staff writes.
flood() {
	local i
	for i in $(seq 10 39); do
		printf 'url = "%s/v25.0/%s/messages"\n' "$(gateway_url)" $number
		text "$(printf 'offer %s' "$i")" "55119999900$i" > "$tmp/body.$i"
		printf 'data-binary = "@%s"\n' "$tmp/body.$i"
		printf 'output = "%s"\nheader = "%s"\n' "$tmp/answer.$i" \
			"Content-Type: application/json"
		printf 'header = "Authorization: Bearer %s"\n' \
			"$(cat "$tmp/secrets/crm.token")"
		[ $((i % 2)) -eq 0 ] ||
			printf 'header = "X-ChatJournal-Employee: E%s"\n' "$i"
		echo next
	done > "$tmp/flood"
	sed -i '$d' "$tmp/flood"
	gateway_sql '' 1.5 > "$tmp/lock" &
	pids[lock]=$!
	wait_for 10 test -s "$tmp/lock" || return
	curl -s -Z --parallel-immediate --parallel-max 30 -m 30 \
		-K "$tmp/flood" > "$tmp/flood.out" 2>&1
	wait "${pids[lock]}"
	unset 'pids[lock]'
}
check "thirty customers are written to at the same moment" flood
check "three are" reached 3 'offer'
check "the others are refused by the rule" \
	same "$(grep -l 'Too many customers' "$tmp"/answer.?? | wc -l)" 27
check "all are recorded" same "$(gateway_db "SELECT outcome, count(*)
	FROM send GROUP BY 1 ORDER BY 1" | tr '\n' ' ')" 'accepted 3 blocked 27 '

# ---- turns -------------------------------------------------------------------------

# Somebody of one application is judged, when his groups have been waited for,
# while another application has many in line, and the number has several turns to
# give, as the store was locked for a while.
cat > "$tmp/policy.conf" <<- 'POLICY'
	rule traders { match group Traders; action tag trader; }
POLICY
limits='number_rate 60; pair_burst 0; pace_wait 20s;'
check "with turns to wait for" again
# requests APPLICATION FIRST LAST AT-ONCE [EMPLOYEE]
requests() {
	local i
	for i in $(seq "$2" "$3"); do
		printf 'url = "%s/v25.0/%s/messages"\n' "$(gateway_url)" $number
		printf 'data = "%s"\n' "$(text "crowd $i" "5511998$((100000 + i))" |
			sed 's/"/\\"/g')"
		printf 'output = "%s"\nheader = "%s"\n' "$tmp/crowd.out" \
			"Content-Type: application/json"
		printf 'header = "Authorization: Bearer %s"\n' \
			"$(cat "$tmp/secrets/$1.token")"
		[ -z "${5:-}" ] ||
			printf 'header = "X-ChatJournal-Employee: %s%s"\n' "$5" "$i"
		echo next
	done > "$tmp/crowd.$1"
	sed -i '$d' "$tmp/crowd.$1"
	curl -s -Z --parallel-immediate --parallel-max "$4" -m 60 \
		-K "$tmp/crowd.$1" > "$tmp/crowd.$1.curl" 2>&1
}
crowd() {
	while sleep 0.1; do gateway_sql '' 0.1; done > /dev/null &
	pids[lock]=$!
	requests crm 1 300 50 &
	pids[crowd]=$!
	requests bot 301 340 4 F
	wait "${pids[crowd]}"
	kill "${pids[lock]}"
	wait "${pids[lock]}" 2> /dev/null
	unset 'pids[lock]' 'pids[crowd]'
}
check "many write while turns are short" crowd
sent_of_crowd() {
	python3 - "$graph/graph.requests" << 'PY'
import re, sys
found = re.findall(r"crowd \d+", open(sys.argv[1]).read())
print(len(found), len(set(found)))
PY
}
check "each was sent once" same "$(sent_of_crowd)" '340 340'
check "the gateway did not end" not logged 'role.exit role=gateway.*signal'
limits='number_rate 0; pair_burst 0;'

# ---- one that the store will not take ----------------------------------------------

echo 'rule flags { match always; action flag; }' > "$tmp/policy.conf"
check "the rule is taken away" again
graph_script <<< '* send delay 1500'
send "$(text 'the stuck one')" > "$tmp/stuck" &
pids[stuck]=$!
check "one is on its way" wait_for 10 reached 1 'the stuck one'
graph_script < /dev/null
check "its row is ended behind the gateway's back" same "$(gateway_sql \
	"UPDATE send SET state = 'done', record_id = (SELECT max(id) FROM
	record) WHERE state = 'forwarding'")" 1
sleep 2
check "another one is sent and recorded" is 200 send "$(text 'goes on')"
check "and another" is 200 send "$(text 'goes on, too')"
check "the log names the one" log_says 'send.stuck.* send=[0-9a-f]'
wait "${pids[stuck]}"
unset 'pids[stuck]'
check "its sender is not told of a success" same "$(cat "$tmp/stuck")" 502
check "it was sent once" reached 1 'the stuck one'
check "on SIGTERM the daemon ends with 0" stop_daemon
finish
