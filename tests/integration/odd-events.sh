#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Events that are not as they should be: each is kept, journaled in some way,
# and shown; none stops its neighbours.
. "${SRCDIR:?}/tests/integration/lib.sh"
need_tools curl openssl python3

write_conf << EOF
$(maildir_conf archive "$tmp/Maildir")
EOF

boxed() {
	find "$tmp/Maildir/new" -type f | wc -l
}

box_has() {
	[ "$(boxed)" -eq "$1" ] && has archive "$1"
}

answer_is() {
	local want=$1
	shift
	same "$(post "$@")" "$want"
}

raw_is_attached() {
	python3 - "$tmp/event.json" "$tmp/Maildir/new" << 'PY'
import email, email.policy, os, sys
want = open(sys.argv[1], "rb").read()
for name in os.listdir(sys.argv[2]):
    with open(os.path.join(sys.argv[2], name), "rb") as f:
        mail = email.message_from_binary_file(f, policy=email.policy.default)
    for part in mail.walk():
        if part.get_payload(decode=True) == want:
            sys.exit(0)
sys.exit("no mail has these bytes")
PY
}

field() {
	ctl --json status | python3 -c \
		'import json, sys; print(eval(sys.argv[1], json.load(sys.stdin)))' "$1"
}

check "chatjournald starts" start_daemon

printf 'this is { no JSON \001\377' > "$tmp/event.json"
check "a signed body that is no JSON is answered 200" \
	answer_is 200 "$tmp/event.json"
check "the log says that it is parked" wait_for 5 logged 'event.parked.*event=1'
check "it is journaled" wait_for 5 box_has 1
check "with its very bytes attached" raw_is_attached
check "show --raw gives them as well" \
	eval 'ctl --raw show event:1 | cmp - "$tmp/event.json"'
check "list parked shows it" \
	eval 'ctl list parked | grep -q "^event:1 .*turn:1 .*JSON"'
check "status --check ends with 2" status_is 2 ctl status --check

check "an event for an unknown business number is answered 200" \
	post_text wamid.UNMAPPED 'hello?' 5511999990000 999000999000999 551140049999
check "it goes to the catch_all journal" wait_for 5 box_has 2
check "the log warns of the number" \
	wait_for 5 logged 'warn business.unmapped.*999000999000999'
check "a second one is taken" \
	post_text wamid.UNMAPPED2 'still there?' 5511999990000 999000999000999 551140049999
check "and journaled" wait_for 5 box_has 3
check "but not warned of again" \
	eval '[ "$(grep -c business.unmapped "$tmp/log")" -eq 1 ]'

check "an event is taken" post_text wamid.TWICE 'once is enough'
check "and journaled" wait_for 5 box_has 4
check "the same one is answered 200 again" \
	post_text wamid.TWICE 'once is enough'
check "the same id with another text is answered 200" \
	post_text wamid.TWICE 'once is not enough'
check "the log says that they differ" \
	wait_for 5 logged 'item.differs.*id=wamid.TWICE'
check "that is a mail of its own" wait_for 5 box_has 5
check "which answers the first one" eval \
	'grep -lq "received again with other content" "$tmp"/Maildir/new/* &&
	grep -h "^In-Reply-To:" $(grep -l "received again with other content" \
		"$tmp"/Maildir/new/*) | grep -q "<t\."'
check "the other one again is answered 200" \
	post_text wamid.TWICE 'once is not enough'
check "a later event is journaled" \
	eval 'post_text wamid.AFTER later && wait_for 5 box_has 6'
check "there is no third mail" box_has 6
check "list differing has both digests" eval \
	'ctl list differing | grep -q "^differing:1 .*wamid.TWICE first=[0-9a-f]\{64\} now=[0-9a-f]\{64\}"'
check "and how often they came" eval \
	'ctl list differing | head -1 | grep -q " times=2 t\."'
check "status counts the repeats, and those that differ" same \
	"$(field '(items["repeated"], items["differing"])')" '(3, 2)'
check "the trace has them" eval \
	'[ "$(ctl trace wamid.TWICE | grep -ci repeat)" -ge 1 ]'

text_event wamid.FORGED 'not from Meta' > "$tmp/forged.json"
check "a wrong signature is answered 401" same 401 "$(curl -s -o /dev/null \
	-w '%{http_code}' -H "X-Hub-Signature-256: sha256=$(openssl rand -hex 32)" \
	--data-binary "@$tmp/forged.json" "$(webhook_url)")"
check "no signature is answered 401" same 401 "$(curl -s -o /dev/null \
	-w '%{http_code}' --data-binary "@$tmp/forged.json" "$(webhook_url)")"
check "the log says so" wait_for 5 logged 'event.refused.*signature'

# All events of the examples, in one run.
n=0
for f in "$SRCDIR"/tests/events/*.json; do
	answer=$(post "$f")
	[ "$answer" = 200 ] && n=$((n + 1))
done
check "all examples of events are answered 200" \
	same "$n" "$(find "$SRCDIR/tests/events" -name '*.json' | wc -l)"
check "all are read" wait_for 20 eval \
	'ctl status | grep -q "^events .* received, 0 unread"'
check "all their mails are sent" wait_for 10 has archive
check "no turn was parked" eval 'ctl status | grep -q "rendered, 0 parked"'
check "what was refused is nowhere" \
	not grep -rqs wamid.FORGED "$tmp/Maildir/new"
check "no log line has what was said, or whole numbers" \
	not logged 'once is\|5511999990000'
check "everything received is accounted for" ctl verify
check "the daemon stops" stop_daemon
finish
