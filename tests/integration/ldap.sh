#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Staff by a real slapd: names and groups of who writes, from the gateway and
# from the phone, while it answers, while it is down, while it is slow, and
# when it comes back. Nothing that others send waits for it.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
. "$here/gateway.lib.sh"
need_tools curl openssl python3 pgrep slapd

ldap=$tmp/ldap
free_ports ldap_port ldaps_port dead_port
mkdir "$ldap"
bash "$SRCDIR/tests/lib/slapd.sh" "$ldap" || exit 1
(umask 077; echo sesame > "$tmp/ldap.password")

slapd_is_up() {
	: <> "/dev/tcp/127.0.0.1/$ldap_port" && : <> "/dev/tcp/127.0.0.1/$ldaps_port"
} 2> /dev/null

# start_slapd NAME: of its configurations
start_slapd() {
	slapd -f "$ldap/$1.conf" -d stats -h \
		"ldap://127.0.0.1:$ldap_port ldaps://127.0.0.1:$ldaps_port" \
		> "$ldap/log" 2>&1 &
	pids[slapd]=$!
	wait_for 20 slapd_is_up
}

# All of its threads stop: that takes a moment.
freeze() {
	kill -STOP "${pids[slapd]}"
	wait_for 5 grep -q '^State:.T' "/proc/${pids[slapd]}/status"
}

thaw() {
	kill -CONT "${pids[slapd]}"
}

# ldap_block [DIRECTIVES]: for write_gateway_conf
ldap_block() {
	cat <<- EOF
	ldap {
		url "ldap://127.0.0.1:$dead_port ldap://127.0.0.1:$ldap_port ldaps://127.0.0.1:$ldaps_port";
		base dc=bank;
		bind_dn cn=reader,dc=bank;
		password_file $tmp/ldap.password;
		tls_ca $ldap/tls/ca.pem;
		timeout 2s;
		absent 1s;
		wait ${patience:-1s};
		$1
	}
	EOF
}

# with_ldap [DIRECTIVES]
with_ldap() {
	journals=$(ldap_block "${1:-}")
	write_gateway_conf
}

cat > "$tmp/directory.conf" << 'DIRECTORY'
staff E1234 { name "Maria Lima"; mail maria.lima@bank.example; group Sales; }
staff E2006 { name "Kim of the File"; mail kim@bank.example; }
business 106540352242922 {
	number 551140040001; name "Private Banking"; desk pb;
	mail pb@bank.example; staff E1234; journal archive;
}
DIRECTORY
cat > "$tmp/policy.conf" << 'RULES'
rule promises { match group Traders; match text guaranteed; action block "Traders may not promise."; }
rule seventh { match group "Group 7"; action tag of-seven; }
rule floor { match group "Ring 2"; match text guaranteed; action block "Nobody of the floor may promise."; }
rule watched { match at capture; match direction sent; match group Compliance; action tag of-compliance; }
RULES

# as_staff ID WORDS: prints the status
as_staff() {
	send "$(text "$2")" -H "X-ChatJournal-Employee: $1"
}

# echo_event ID TEXT BUSINESS-ID BUSINESS-NUMBER: what staff typed on the phone
echo_event() {
	printf '{"object":"whatsapp_business_account","entry":[{"id":"900100200300400","changes":[{"field":"smb_message_echoes","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"%s","phone_number_id":"%s"},"contacts":[{"profile":{"name":"Ana Souza"},"wa_id":"5511999990000"}],"message_echoes":[{"from":"%s","to":"5511999990000","id":"%s","timestamp":"1795317236","type":"text","text":{"body":"%s"}}]}}]}]}' \
		"$4" "$3" "$4" "$1" "$2"
}

post_echo() {
	echo_event "$@" > "$tmp/event.json"
	[ "$(post "$tmp/event.json")" = 200 ]
}

# within MS COMMAND...: it succeeds, and in time
within() {
	local ms=$1 since=${EPOCHREALTIME/./} took
	shift
	"$@" || return 1
	took=$(((${EPOCHREALTIME/./} - since) / 1000))
	[ $took -le "$ms" ] || { echo "took $took ms"; return 1; }
}

down_times() {
	same "$(grep -c 'error directory.down' "$tmp/log")" "$1"
}

# ---- it is not there yet -------------------------------------------------------------

check "the Graph stand-in starts" start_graph
with_ldap 'fresh 1s; stale 1h; nested_groups member; group_base "ou=groups,dc=bank";'
check "chatjournald starts without a directory server" start_all
check "what the server would have to know counts as unsure: blocked" \
	refuses 403 200 4190001 as_staff E2001 'first, guaranteed'
check "the mail says that the directory did not answer" journaled \
	'first, guaranteed' "$(came_to blocked)" \
	'unsure: group Traders: the directory did not answer' E2001
check "what needs no group is not kept back" is 200 as_staff E2001 'first, plain'
check "and nobody waits for the same answer again" within 900 \
	is 200 as_staff E2001 'second, plain'
check "of the file's own groups nothing is asked" within 900 \
	is 200 as_staff E1234 'guaranteed by Maria'
check "a phone of an unknown number: its turn goes out all the same" eval '
	post_echo wamid.E1 "first echo" 777 442079460001 &&
	within 8000 journaled "first echo" "!Mary Brown" "unsure: group"'
check "the log has one line of it" eval \
	'wait_for 5 logged "error directory.down" && down_times 1'
check "and nothing of who was asked for" not grep -E \
	'directory.*(E2001|442079460001)' "$tmp/log"

staff_is() {
	ctl status > "$tmp/found" || return
	grep -q "^staff    the directory server is $1 since 20" "$tmp/found"
}
waits() {
	ctl status > "$tmp/found" || return
	grep -q "^staff    $1 questions wait for it, for $2 of them" "$tmp/found"
}
check "status shows that it is down, and why" eval \
	'staff_is DOWN && grep -q "^staff .*DOWN since .*: ldaps*://" "$tmp/found"'
check "and how many questions wait" waits '[1-9][0-9]*' 0
check "and that this waits for a person" eval \
	'ctl status --check > "$tmp/found"; [ $? = 2 ]'
since_ms() {
	ctl --json status | python3 -c \
		'import json, sys; print(json.load(sys.stdin)["directory"]["since_ms"])'
}
since=$(since_ms)

# ---- it answers ----------------------------------------------------------------------

check "slapd starts" start_slapd good
soon_up() {
	as_staff E9999 'anybody' > "$tmp/status"
	logged 'info directory.up'
}
check "it is noticed" wait_for 90 soon_up
check "status shows it as well" wait_for 5 staff_is up
check "and that nobody waits" wait_for 5 waits 0 0
check "since when has changed" eval '[ "$(since_ms)" -gt "$since" ]'
check "Traders are blocked by their group" \
	refuses 403 200 4190001 as_staff E2001 'third, guaranteed'
check "and it is no longer unsure" journaled 'third, guaranteed' \
	"$(came_to blocked)" 'promises: group Traders' '!did not answer'
check "the mail has the name and the address" journaled 'third, guaranteed' \
	'João Silva' jsilva@bank.example
check "others are not" is 200 as_staff E2002 'fourth, guaranteed'
check "their mail has their name" journaled 'fourth, guaranteed' 'Mary Brown' \
	mbrown@bank.example
check "who is in a group of a group is in that, and a loop of groups ends" \
	eval 'refuses 403 200 4190001 as_staff E2007 "nested, guaranteed" &&
	journaled "nested, guaranteed" "In Nest" "floor: group Ring 2" "!unsure"'
check "of who is in groups too deep it is said that nothing is known" \
	eval 'refuses 403 200 4190001 as_staff E2008 "deep, guaranteed" &&
	journaled "deep, guaranteed" "unsure: group Ring 2" "!In Deep" &&
	logged "warn directory.unclear .*what=ldap.groups"'
check "who is not in the directory is in no group" \
	is 200 as_staff E9998 'fifth, guaranteed'
check "and shown by the id" journaled 'fifth, guaranteed' E9998
check "of a person in the file the name is the file's, the groups the server's" \
	eval 'is 200 as_staff E2006 "sixth, plain" &&
	journaled "sixth, plain" "Kim of the File" "!In Many" of-seven'
check "what is typed on a phone is by whom the server says, in their group" \
	eval 'post_echo wamid.E2 "second echo" 777 442079460001 &&
	journaled "second echo" "Mary Brown" of-compliance "!unsure"'
check "a number in the file is of whom the file says" eval '
	post_echo wamid.E3 "third echo" 106540352242922 551140040001 &&
	journaled "third echo" "Maria Lima" "!Silva"'
check "of a number that two have nothing is known, and that is said" eval '
	post_echo wamid.E4 "fourth echo" 778 442079460003 &&
	journaled "fourth echo" "!Twin" "unsure: group Compliance" &&
	logged "warn directory.unclear .*kind=number"'
check "an id cannot be a filter" is 400 as_staff '*)(uid=*' 'seventh'
check "its first address was dead, and no line says so" down_times 1
check "its password went over TLS only" eval '
	grep -q "STARTTLS" "$ldap/log" &&
	grep "BIND dn=\"cn=reader" "$ldap/log" | grep -q " ssf=256" &&
	not grep "BIND dn=\"cn=reader.* ssf=0" "$ldap/log"'

# ---- it goes away --------------------------------------------------------------------

role=$(role_pid directory)
end slapd
sleep 1		# what was known is no longer fresh
check "what was known is used: Traders are still blocked" \
	refuses 403 200 4190001 as_staff E2001 'eighth, guaranteed'
check "and nobody is unsure" journaled 'eighth, guaranteed' 'João Silva' \
	'promises: group Traders' '!unsure'
check "phones still have their names" eval '
	post_echo wamid.E5 "fifth echo" 777 442079460001 &&
	journaled "fifth echo" "Mary Brown" of-compliance'
check "the log has one more line of it" eval \
	'wait_for 15 down_times 2 > "$tmp/found" && sleep 1 && down_times 2'
check "status shows it, and that old answers are used" wait_for 5 eval \
	'staff_is DOWN && waits "[1-9][0-9]*" "[1-9][0-9]*"'
since=$(since_ms)
kill -KILL "$role"
restarted() {
	[ "$(role_pid directory)" -gt 0 ] && [ "$(role_pid directory)" != "$role" ]
}
check "the role is started again when it dies" wait_for 20 restarted
role=$(role_pid directory)
check "it fails again" wait_for 15 down_times 3
check "and since when it is down is kept" same "$(since_ms)" "$since"
check "slapd starts again" start_slapd good
check "it is noticed again" wait_for 90 logged_times 'info directory.up' 2
check "a connection that is lost meanwhile costs nothing" eval '
	end slapd; start_slapd good &&
	refuses 403 200 4190001 as_staff E2001 "ninth, guaranteed" &&
	is 200 as_staff E2003 "ninth, of a new one" &&
	journaled "ninth, of a new one" "Jo Doe"'

# ---- it is slow ----------------------------------------------------------------------

freeze
check "while it is slow webhooks are taken at once" \
	within 900 post_text wamid.S1 'while it is slow'
check "and journaled" journaled 'while it is slow'
check "a turn that needs it goes out in time" eval '
	post_echo wamid.E6 "sixth echo" 779 447700900003 &&
	within 8000 journaled "sixth echo" "unsure: group Compliance"'
check "so does a message of somebody new" within 4000 \
	is 200 as_staff E2004 'tenth, plain'
check "the role lives on" same "$(role_pid directory)" "$role"
check "on SIGTERM the daemon ends with 0, and does not wait for it" \
	within 15000 stop_daemon
thaw

# ---- a thousand -------------------------------------------------------------------------

patience=60s
with_ldap
check "chatjournald starts again" start_all
python3 - > "$tmp/event.json" << 'PY'
import json
print(json.dumps({"object": "whatsapp_business_account", "entry": [
    {"id": "900100200300400", "changes": [
        {"field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": str(4420000000 + i),
                         "phone_number_id": str(8000 + i)},
            "contacts": [{"profile": {"name": "Ana"},
                          "wa_id": "5511999990000"}],
            "messages": [{"from": "5511999990000", "id": "wamid.K%d" % i,
                          "timestamp": "1795317236", "type": "text",
                          "text": {"body": "thousand %d" % i}}]}}
        for i in range(1000)]}]}, separators=(",", ":")))
PY
count_of() {
	same "$(grep -l 'thousand' "$box"/* | wc -l)" "$1" > /dev/null
}
since=${EPOCHREALTIME/./}
check "a thousand messages to as many numbers are taken" \
	is 200 post "$tmp/event.json"
check "each is journaled when it is known that the number is nobody's" \
	wait_for 60 count_of 1000
echo "# in $(((${EPOCHREALTIME/./} - since) / 1000)) ms"
check "on two connections" eval '
	n=$(grep -c ACCEPT "$ldap/log") && [ "$n" -le 20 ] || { echo "$n"; false; }'

# ---- it will not have us ------------------------------------------------------------

stop_daemon
echo wrong > "$tmp/ldap.password"
: > "$tmp/log.old"; cat "$tmp/log" >> "$tmp/log.old"; : > "$tmp/log"
patience=500ms
with_ldap
check "chatjournald starts with a wrong password" start_all
before=$(grep -c 'err=49' "$ldap/log")
check "what it would have to know is unsure" \
	refuses 403 200 4190001 as_staff E2005 'eleventh, guaranteed'
check "the log says why, once" eval \
	'wait_for 5 logged "error directory.down .*what=ldap.auth" && down_times 1'
as_staff E2004 'twelfth' > "$tmp/status"
sleep 2
check "it does not try until the account is locked" \
	eval 'n=$(grep -c "err=49" "$ldap/log"); [ $((n - before)) -le 3 ] ||
	{ echo "$((n - before)) times"; false; }'
stop_daemon
echo sesame > "$tmp/ldap.password"
end slapd
start_slapd strange
check "chatjournald starts with a server that somebody else certified" \
	start_all
check "what it says is not believed" \
	refuses 403 200 4190001 as_staff E2005 'thirteenth, guaranteed'
check "nor is it told the password" not grep -q ' BIND ' "$ldap/log"
check "and the log says so" wait_for 5 logged \
	'error directory.down .*what=ldap.tls'
check "everything received is accounted for" ctl verify
check "on SIGTERM the daemon ends with 0" stop_daemon
finish
