#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A store that does not come back: who waits keeps waiting, who comes later is
# told at once to come again.
. "${SRCDIR:?}/tests/integration/lib.sh"
need_tools curl openssl python3

write_conf << EOF
$(maildir_conf archive "$tmp/Maildir")
EOF
sed -i 's/^\tintake {$/\tintake { queue_age 300ms;/; s/^intake {$/intake { queue_age 300ms;/' "$conf"

# Holds the write lock of intake's file, as a stalled disk would.
hold_store() {
	python3 - "$store/intake.db" "$tmp/held" << 'PY' &
import pathlib, sqlite3, sys, time
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("BEGIN IMMEDIATE")
pathlib.Path(sys.argv[2]).write_text("1")
time.sleep(2.5)
c.execute("ROLLBACK")
c.close()
PY
	holder=$!
	wait_for 5 test -s "$tmp/held"
}

post_first() {
	text_event wamid.WAITS 'I was first' > "$tmp/first.json"
	post "$tmp/first.json" > "$tmp/first.answer" &
	first=$!
	sleep 0.8
}

later_is_refused() {
	text_event wamid.LATER 'I come later' > "$tmp/later.json"
	same "$(post "$tmp/later.json")" 503
}

first_is_answered() {
	wait "$first"
	same "$(cat "$tmp/first.answer")" 200
}

check "chatjournald starts" start_daemon
check "the store stalls" hold_store
check "a webhook waits for it" post_first
check "one that comes after queue_age is answered 503" later_is_refused
check "with Retry-After" grep -qi '^retry-after: [0-9]' "$tmp/head"
check "the log says why" log_says 'event.refused .*reason=queue-age'
wait "$holder"
check "the one that waited is answered 200" first_is_answered
check "and then the later one is taken" post_text wamid.LATER 'I come later'
check "both are journaled" wait_for 5 eval \
	'[ "$(ls "$tmp/Maildir/new" | wc -l)" -eq 2 ]'
check "everything received is accounted for" ctl verify
check "the daemon stops" stop_daemon
finish
