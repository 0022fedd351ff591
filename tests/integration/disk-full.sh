#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A store on a full or read-only file system: webhooks are answered 503 with
# Retry-After, nothing that was answered 200 is lost, and all goes on by
# itself when there is room again.
. "${SRCDIR:?}/tests/integration/lib.sh"
need_root "only root may mount a small file system"
need_tools curl openssl python3 mountpoint

store=$tmp/small/store
mkdir "$tmp/small"
mount -t tmpfs -o size=6m,mode=700 tmpfs "$tmp/small" 2> /dev/null ||
	skip_all "a tmpfs cannot be mounted here"
mounts+=("$tmp/small")
write_conf <<- EOF
	$(maildir_conf archive "$tmp/Maildir")
EOF

fill() {
	dd if=/dev/zero of="$tmp/small/ballast" bs=4k 2> /dev/null
	[ "$(stat -f -c %f "$tmp/small")" -eq 0 ]
}

# Posts until one is refused; each with some weight, so that it comes to it.
posted=0
post_until_refused() {
	local answer
	until [ $posted -ge 400 ]; do
		posted=$((posted + 1))
		text_event "wamid.FULL$posted" "$(printf '%2000s' x)" \
			> "$tmp/event.json"
		answer=$(post "$tmp/event.json")
		echo "wamid.FULL$posted $answer" >> "$tmp/FULL.ledger"
		[ "$answer" = 200 ] || break
	done
	same "$answer" 503
}

says_when() {
	grep -iq '^Retry-After: [1-9]' "$tmp/head"
}

has_all_that_were_taken() {
	has archive
}

check "the daemon starts on a small file system" start_daemon
check "an event is taken" post_text wamid.FULL0 'before the flood'
echo "wamid.FULL0 200" > "$tmp/FULL.ledger"
check "its mail goes out" wait_for 5 has archive 1
check "something else fills the disk" fill
check "before long a webhook is answered 503" post_until_refused
check "the answer says when to try again" says_when
check "the log says why" log_says 'store.down.*full'
check "the next one is answered 503, too" eval \
	'same "$(post "$tmp/event.json")" 503'
check "the handshake is still answered" answers
check "no role has died of it" not logged 'role.exit.*role=[bdi]'

rm "$tmp/small/ballast"
check "with room again the same event is answered 200" \
	wait_for 10 eval '[ "$(post "$tmp/event.json")" = 200 ]'
echo "wamid.FULL$posted 200" >> "$tmp/FULL.ledger"
check "the log says so" log_says store.up
check "all that was answered 200 goes out" wait_for 20 has archive
check "and nothing else" audit --exact FULL "$tmp/Maildir/new"
check "everything received is accounted for" ctl verify
check "the daemon stops" stop_daemon

check "the file system becomes read-only" \
	mount -o remount,ro "$tmp/small"
"$BUILDDIR/chatjournald" -c "$conf" >> "$tmp/log" 2>&1 &
pids[daemon]=$!
check "a daemon started then says why it waits" \
	wait_for 10 logged 'role.failed.*name=store'
check "it does not listen" not answers
check "when it becomes writable" mount -o remount,rw "$tmp/small"
check "the daemon begins to listen by itself" wait_for 20 answers
check "an event is taken" post_text wamid.AGAIN 'after all'
check "its mail goes out" wait_for 10 has archive
check "everything received is accounted for" ctl verify
check "the daemon stops" stop_daemon
finish
