#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every command of chatjournal(1), with and without --json, while the daemon
# runs and while it does not: documented exit status, and JSON that is JSON.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$SRCDIR/tests/integration/tool.lib.sh"
need_tools curl openssl python3

free_ports peer_port
write_directory archive refusing
write_conf << EOF
$(maildir_conf archive "$tmp/Maildir")
$(relay_conf peer "$peer_port")
$(journal_conf refusing peer)
EOF
# Mail 2 is refused; an event is parked; the rest goes its way.
echo 'rcpt#1 550 5.1.1 not here' > "$tmp/peer.script"

with_conf() {
	local conf=$1
	shift
	"$@"
}

lists_say() {
	local what
	for what in pending sent deferred failed parked open held files \
		differing; do
		# An empty list is an empty text.
		ctl list $what > /dev/null &&
			quietly --json list $what || return 1
		keep_json list $what
	done
}

all_commands() {
	local when=$1 id
	check "$when: check-config, and with --print" \
		eval 'says 0 check-config && says 0 check-config --print'
	check "$when: status, and 2 with --check when something waits" \
		eval 'says 0 status && says 2 status --check'
	check "$when: verify" says 0 verify
	check "$when: list of every state" lists_say
	for id in wamid.TOOL mail:1 turn:1 event:1 "$mid" "<$mid>"; do
		check "$when: show and trace of ${id%%@*}" \
			eval 'says 0 show "$id" && says 0 trace "$id"'
	done
	check "$when: an unknown id ends with 1" eval \
		'says 1 show wamid.NOBODY && says 1 trace mail:4711 &&
		says 1 show event:99 && says 1 trace nonsense'
	check "$when: retry of what is not failed ends with 1" \
		eval 'says 1 retry mail:1 && says 1 retry mail:4711'
	check "$when: neither what is not parked can be tried again, nor known" \
		eval 'says 1 retry turn:1 && says 1 retry event:1 &&
		says 1 retry event:99 && says 1 retry turn:99 &&
		says 1 acknowledge mail:1 --why known &&
		says 1 acknowledge nonsense --why known'
	check "$when: render of a file" \
		says 0 -j archive render "$tmp/tool.json"
	check "$when: render of what is no file ends with another status" \
		not says 0 render "$tmp/nowhere.json"
	check "$when: wrong usage ends with 64" eval \
		'says 64 nonsense && says 64 list && says 64 list nonsense &&
		says 64 show && says 64 trace && says 64 retry &&
		says 64 retry mail:1 --all && says 64 retry --all --parked &&
		says 64 acknowledge && says 64 acknowledge event:2 &&
		says 64 acknowledge --why known && says 64 status more &&
		says 64 verify more && says 64 render && says 64 --nonsense'
}

raw_is_right() {
	ctl show --raw event:1 | cmp - "$tmp/tool.json" &&
		ctl show --raw mail:1 | cmp - "$tmp/Maildir/new/${mid%@*}".*
}

text_has() {
	ctl "${@:2}" | grep -q -- "$1"
}

pages_of_one() {
	local first
	first=$(ctl list sent --limit 1)
	same "$(echo "$first" | wc -l)" 1 || return 1
	first=${first#mail:}
	ctl list sent --after "${first%% *}" | grep -q '^mail:' &&
		! ctl list sent --after "${first%% *}" |
			grep -q "^mail:${first%% *} "
}

check "a relay that refuses the first mail is started" \
	start_peer peer "$peer_port"
check "chatjournald starts" start_daemon
text_event wamid.TOOL 'look at me' > "$tmp/tool.json"
check "an event is taken" same "$(post "$tmp/tool.json")" 200
check "one journal takes its mail, the other refuses it" wait_for 10 eval \
	'count_is archive sent 1 && count_is refusing failed 1'
echo 'no JSON' > "$tmp/event.json"
check "an event that is no JSON is taken" same "$(post "$tmp/event.json")" 200
check "it is parked and goes out" wait_for 10 eval \
	'text_has parked list parked && has archive 2'
mid=$(ctl --json show mail:1 |
	sed -n 's/.*"message_id": *"\([^"]*\)".*/\1/p')

all_commands running
check "list failed names mail, journal and answer" \
	text_has '^mail:2 .*refusing.*550 5.1.1 not here' list failed
check "list with -j is of that journal only" \
	eval 'ctl list sent -j archive | grep -qv refusing &&
	! ctl list failed -j archive | grep -q .'
check "list goes on after a number" pages_of_one
check "the trace tells of event, turn and each attempt" eval \
	'text_has event:1 trace wamid.TOOL && text_has turn:1 trace wamid.TOOL &&
	text_has 550 trace wamid.TOOL'
check "show --raw gives the bytes of event and mail" raw_is_right
check "render -o writes files" eval \
	'ctl -o "$tmp" render "$tmp/tool.json" && [ -s "$tmp/$mid.eml" ]'
check "check-config --print shows values that are not in the file" \
	text_has poison_deaths check-config --print
sed "1i policy $tmp/rules;" "$conf" > "$tmp/ruled.conf"
printf 'pattern p "(";\nrule r { match pattern p; action flag; }\n' > "$tmp/rules"
check "check-config finds what is wrong with a pattern of a rule" eval \
	'with_conf "$tmp/ruled.conf" says 78 check-config &&
	grep -q "rules:1: pattern p: .*missing closing" "$tmp/err"'
printf 'rule r { match always; final; }\nrule s { match always; action flag; }\n' \
	> "$tmp/rules"
check "check-config warns of a rule that can never fire" eval \
	'with_conf "$tmp/ruled.conf" says 0 check-config &&
	grep -q "rules:2: warning: rule s can never fire" "$tmp/err"'
check "--help and --version end with 0" \
	eval 'ctl --help | grep -q usage && ctl --version | grep -q "^chatjournal "'

check "a second event is taken" post_text wamid.TOOL2 'and at me'
check "retry of one failed mail" ctl --json retry mail:2
check "that mail goes out" wait_for 10 count_is refusing failed 0
check "retry of all is taken when there are none" says 0 retry --all
check "the log tells of the wish" wait_for 5 logged 'mail.retry.*count=1'

sed 's/idle 0/idle zero/' "$conf" > "$tmp/wrong.conf"
check "a wrong configuration ends each command with 78" eval \
	'for c in check-config status verify "list sent" "show mail:1" \
		"trace mail:1" "retry --all" "render $tmp/tool.json"; do
		with_conf "$tmp/wrong.conf" says 78 $c || return 1
	done'
sed "s,sqlite:$store,sqlite:$tmp/nowhere," "$conf" > "$tmp/empty.conf"
check "a store that is not there ends with 69" eval \
	'for c in status verify "list sent" "show mail:1" "trace mail:1"; do
		with_conf "$tmp/empty.conf" says 69 $c || return 1
	done'
check "and is not made by looking for it" not test -e "$tmp/nowhere"
check "render needs neither store nor configuration file" eval \
	'"$BUILDDIR/chatjournal" --templates "$SRCDIR/templates" \
		render "$tmp/tool.json" | grep -q "^Message-ID: <"'

check "the daemon stops" stop_daemon
all_commands stopped
check "retry waits for the daemon" eval \
	'says 0 retry --all && start_daemon && wait_for 5 logged_times mail.retry 4'
check "all that was printed with --json is JSON" all_is_json 50

# The event that is no JSON is all that waits.
check "an event that is still no JSON may be tried again" \
	eval 'says 0 retry event:2 --why upgraded &&
	wait_for 5 logged "parked.retry.*event=2.*end=tried"'
check "and is parked as before, with one mail" eval \
	'text_has "^event:2 " list parked && [ "$(ctl list sent -j archive |
		wc -l)" -eq "$(find "$tmp/Maildir/new" -type f | wc -l)" ]'
check "status --check tells of it" says 2 status --check
check "somebody acknowledges it" \
	ctl acknowledge event:2 --why 'a test of theirs'
check "status --check does not tell of it any more" says 0 status --check
check "status counts it as acknowledged" \
	text_has '1 parked (1 acknowledged)' status
check "list parked says by whom and why" text_has \
	'^event:2 .*(acknowledged by .*: a test of theirs)' list parked
check "and so does its trace" \
	text_has 'acknowledge .*why="a test of theirs"' trace event:2

# A turn as it is left when its renderer died on it again and again.
die_on_turn() {
	python3 - "$store/build.db" << 'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
(turn,), = db.execute("SELECT id FROM turn WHERE state = 'open'")
db.execute("INSERT INTO claim VALUES ('turns', ?, ?, 3)", (turn, turn))
db.commit()
PY
}

sed -i 's/idle 0/idle 3s/' "$conf"
check "the daemon starts anew with turns that stay open" \
	eval 'stop_daemon && start_daemon'
check "an event is taken, and the role dies on its turn" eval \
	'post_text wamid.DIES "renders badly" &&
	wait_for 2 eval "ctl list open | grep -q ." &&
	stop_daemon && die_on_turn && start_daemon'
check "its turn is parked" \
	wait_for 10 eval 'text_has "^turn:.*killed the build role" list parked'
turn=$(ctl list parked | sed -n 's/^\(turn:[0-9]*\).*/\1/p')
check "status --check tells of it" says 2 status --check
check "somebody has it tried again" ctl retry "$turn" --why mended
check "its mail goes out" wait_for 10 eval \
	'grep -rqs "renders badly" "$tmp/Maildir/new"'
check "it is parked no more" not text_has '^turn:' list parked
check "the trace tells that it was, and who wanted what" eval \
	'text_has "parked .*killed the build role" trace "$turn" &&
	text_has "retry .*why=mended" trace "$turn"'
check "retry of all that is parked" ctl retry --parked
check "asks for one" eval \
	'[ "$(ctl --json retry --parked | tr -dc 0-9)" = 1 ]'
check "everything received is accounted for" ctl verify
check "the daemon stops" stop_daemon

# A turn as a rule leaves it, made by hand: the look of it is what counts here.
check "a turn is held" python3 - "$store/build.db" <<'EOF'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.executescript("""
    INSERT INTO turn (state, conversation, author, kind, first_at_ms,
        last_at_ms, opened_ms, touched_ms, close_at_ms, items, bytes)
        VALUES ('held', 'talk', 'u:A', 'message', 1, 1, 1, 1, 1, 1, 1);
    INSERT INTO hold (turn_id, rule, since_ms, until_ms, persons)
        SELECT max(id), 'no-cards', 1000, 90000, 2 FROM turn;
    INSERT INTO excluded (turn_id, why, at_ms)
        SELECT min(id), 'private', 1000 FROM turn WHERE state = 'rendered';
""")
EOF
check "list held names its rule and when it is journaled at the latest" eval \
	'ctl list held | grep -q "^turn:.* held .* until=.* no-cards$"'
check "status counts it, and what is excluded" eval 'ctl status |
	grep -q "^rules  *1 turns held, 1 of the rendered journaled only"'
check "status --check says that it waits for a person" says 2 status --check
check "trace tells since when it is held" eval \
	'ctl trace turn:$(ctl list held | sed "s/^turn:\([0-9]*\).*/\1/") |
		grep -q " held .*rule=no-cards persons=2"'
check "verify says that no message is in it" says 2 verify

# The same with what passed the gateway.
check "status does not speak of sends where there are none" eval \
	'! ctl status | grep -q "^sends "'
check "a send is held" python3 - "$store/gateway.db" <<'EOF'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.executescript("""
    INSERT INTO record (id, received_ms, remote, application, sha256, size,
        body) VALUES (1000000000000001, 1, 'r', 'crm', x'00', 2, x'7b7d');
    INSERT INTO send (key, state, received_ms, changed_ms, until_ms, persons,
        status, record_id, application, remote, business, target, sha256,
        request) VALUES (x'00112233445566778899aabbccddeeff', 'held', 1, 1, 9,
        1, 202, 1000000000000001, 'crm', 'r', 'b', '/', x'00', x'7b7d');
""")
EOF
check "status counts it" eval 'ctl status | grep -q \
	"^sends  *1 asked for, 0 not sent yet, 0 on their way, 1 held, 0 of"'
check "and its record" eval \
	'ctl status | grep -q "^records  *1 of the gateway, 1 unread$"'
check "trace tells of it by its key" eval \
	'ctl trace send:00112233445566778899aabbccddeeff |
		grep -q " asked .*application=crm"'
check "show gives the bytes of a record" eval \
	'[ "$(ctl show --raw event:1000000000000001)" = "{}" ]'
finish
