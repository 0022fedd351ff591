#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Everything at once at the gateway: several applications send, upload, repeat,
# hang up and dawdle, officers decide, Graph misbehaves, roles are killed, rules
# and modes change under way; and in the end every send is sent at most once, and
# requests, rows, records and mails tell the same. SEED repeats what is done,
# STORM_SECONDS lets it last.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
. "$here/gateway.lib.sh"
need_root "officers are told apart by SUDO_USER"
need_tools curl openssl python3 pgrep

seed=${SEED:-$((RANDOM * 32768 + RANDOM))}
seconds=${STORM_SECONDS:-8}
clients=${STORM_CLIENTS:-24}
other=220540352242922
most=${STORM_KIB:-200000}	# of memory, for the gateway
echo "# SEED=$seed STORM_SECONDS=$seconds"

cat > "$tmp/directory.conf" << DIRECTORY
staff E1234 { name "Maria Lima"; mail maria.lima@bank.example; group Sales; }
staff E2006 { name "Kim of the File"; mail kim@bank.example; }
business $number {
	number 551140040001; name "Private Banking"; desk pb;
	mail pb@bank.example; account 900100200300400; journal archive;
}
business $other {
	number 551140040002; name "Trading"; desk td; mail td@bank.example;
	account 900100200300400; journal archive;
}
DIRECTORY
cat > "$tmp/policy.conf.a" << 'RULES'
rule i-agree { match direction received; match text "I agree"; action consent given; }
rule tips { match text "inside tip"; action tag tip; action flag; action block "Inside information may not be sent."; }
rule offers { match direction sent; match text "special offer"; action require-consent "The customer has not agreed to offers."; }
rule looked-at { match direction sent; match text "please approve"; action approve; }
rule by-two { match direction sent; match text "large payment"; action approve persons 2; }
rule broadcast { match direction sent; match text "mass mailing"; count 3 customers 30d per business; action block "Too many customers."; }
rule disclaimer { match direction sent; match text "with advice"; action append "No advice." once conversation; }
rule timely { match direction sent; match text "timely words"; action prepend "As of now:" once 1m; }
rule promises { match group Traders; match text guaranteed; action block "Traders may not promise."; }
RULES
sed 's/inside tip"; /&match direction sent; /; s/tag tip/tag other-tip/' \
	"$tmp/policy.conf.a" > "$tmp/policy.conf.b"
echo 'rule all { match; }' > "$tmp/policy.conf.broken"
cp "$tmp/policy.conf.a" "$tmp/policy.conf"

# A directory server, where there is one; else one that never answers.
ldap=$tmp/ldap
free_ports ldap_port
mkdir "$ldap"
(umask 077; echo sesame > "$tmp/ldap.password")
if command -v slapd > /dev/null &&
	bash "$SRCDIR/tests/lib/slapd.sh" "$ldap" 2> "$tmp/ldap.err"; then
	slapd -f "$ldap/good.conf" -d stats -h "ldap://127.0.0.1:$ldap_port" \
		> "$ldap/log" 2>&1 &
	pids[slapd]=$!
fi
journals="ldap {
	url ldap://127.0.0.1:$ldap_port; base dc=bank; wait 400ms;
	bind_dn cn=reader,dc=bank; password_file $tmp/ldap.password;
	$([ ! -e "$ldap/tls/ca.pem" ] || echo "tls_ca $ldap/tls/ca.pem;")
	timeout 1s; absent 1s; fresh 2s; stale 3s;
}"
limits='number_rate 150; pair_interval 100ms; pair_burst 15; pace_wait 1500ms;'

check "the Graph stand-in starts" start_graph --phone-number-id $other
echo '[{"id":"5001","name":"payment_due","language":"pt_BR","status":"APPROVED","components":[{"type":"BODY","text":"Dear {{1}}, pay."}]}]' \
	> "$graph/graph.templates"
configure() {
	write_gateway_conf 'mode stored; delivered_wait 3s; deadline 20s;'
	# As long as a caller has patience, and Graph none.
	# A build with sanitizers needs more than the sandbox allows.
	sed -i "s/timeout 60s;/timeout 2s;/; s/business 999888777666;/business $other;/
		s/sandbox enforce;/sandbox ${STORM_SANDBOX:-enforce};/" "$conf"
}
configure
check "chatjournald starts with a gateway" start_all
storm() {
	python3 -B "$here/storm.py" --tmp "$tmp" --seed "$seed" \
		--seconds "$seconds" --clients "$clients" \
		--port "$gateway_port" --intake "$http_port" \
		--ctl "$BUILDDIR/chatjournal" --daemon "${pids[daemon]}" \
		--number $number --other $other > "$tmp/storm.out" 2>&1 &
	pids[storm]=$!
	wait "${pids[storm]}" && unset 'pids[storm]'
}
check "it blows" storm
echo "# $(tail -n 1 "$tmp/storm.out")"
check "no client failed" not grep -q Traceback "$tmp/storm.out"
grep -A20 Traceback "$tmp/storm.out" | sed 's/^/# /'
check "the gateway is there" wait_for 20 gateway_answers
check "its memory is bounded" test \
	"$(sed -n 's/^peak \([0-9]*\) .*/\1/p' "$tmp/storm.out")" -lt "$most"

cp "$tmp/policy.conf.a" "$tmp/policy.conf"	# it may be the broken one

# ---- afterwards ---------------------------------------------------------------------

let_expire() {
	python3 - "$store/gateway.db" << 'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=10)
db.execute("UPDATE send SET until_ms = 1 WHERE state = 'held'")
db.commit()
PY
}
none_is_left() {
	let_expire
	[ "$(gateway_db "SELECT count(*) FROM send
		WHERE state <> 'done'")" = 0 ]
}
check "no send is left over" wait_for 15 none_is_left
# What the file descriptors of its process say of connections that nobody has.
sockets_of() {
	local pid
	pid=$(role_pid gateway)
	awk -v port="$(printf '%04X' "$gateway_port")" \
		'$2 ~ ":" port "$" && $4 == "01" { n++ } END { print n + 0 }' \
		"/proc/$pid/net/tcp"
}
check "no connection is left over" wait_for 10 eval '[ "$(sockets_of)" = 0 ]'
check "nothing is left in the spool" wait_for 10 eval \
	'[ -z "$(find "$store/spool" -type f -name "upload-*")" ]'
tell_statuses() {
	python3 -B "$here/sent.py" statuses --graph "$graph" \
		--db "$store/gateway.db" --number $number > "$tmp/event.json"
	same "$(post "$tmp/event.json")" 200
}
check "Meta tells what became of them" tell_statuses
everything_went_out() {
	ctl status | grep -q '^records .* 0 unread' &&
		ctl status | grep -q '^events .* 0 unread' && has archive
}
check "everything goes out" wait_for 60 eval \
	'everything_went_out 2> /dev/null'
judged() {
	python3 -B "$here/storm_audit.py" --tmp "$tmp" > "$tmp/audit"
}
check "requests, rows, records and mails tell the same" eval \
	'wait_for ${SOON:-3} judged || { cat "$tmp/audit"; false; }'
grep '^#' "$tmp/audit"
check "everything received is accounted for" ctl verify
check "the token went nowhere else" nobody_else_was_contacted
check "on SIGTERM the daemon ends with 0" stop_daemon
check "no sanitizer complained" not grep -E 'Sanitizer|runtime error' "$tmp/log"
echo "# repeat with SEED=$seed"
finish
