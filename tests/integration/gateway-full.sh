#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The gateway with a store that is full, and stopped and reloaded under load:
# nothing is sent that cannot be recorded, what has left is not forgotten, and
# no request that was begun is cut.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
. "$here/gateway.lib.sh"
need_tools curl openssl python3 mountpoint

sent() {
	python3 -B "$here/sent.py" "$1" --graph "$graph" \
		--db "$store/gateway.db" "${@:2}"
}

# start_sender NAME COUNT [OPTION...]
start_sender() {
	local name=$1 n=$2
	shift 2
	python3 -B "$here/sender.py" --port "$gateway_port" \
		--token "$tmp/secrets/crm.token" --ledger "$tmp/$name.ledger" \
		--number $number --prefix "$name" --count "$n" \
		--connections 12 "$@" 2> "$tmp/$name.err" &
	pids[$name]=$!
}

# only NAME STATUS...: its sends ended so and not otherwise
only() {
	local name=$1
	shift
	same "$(cut -d ' ' -f 2 "$tmp/$name.ledger" | sort -u | tr '\n' ' ')" \
		"$(printf '%s ' "$@")"
}

check "the Graph stand-in starts" start_graph

# ---- stop and reload -----------------------------------------------------------------

write_gateway_conf
check "chatjournald starts" start_all
graph_script <<< '* send delay 300'
start_sender HUP 300 --rate 80
check "under load" wait_for 10 posted HUP 60
check "with SIGHUP the configuration is read again" eval \
	'kill -HUP "${pids[daemon]}"; wait_for 15 logged reload.ok'
check "all requests end" wait_for 30 posted HUP 300
check "those with a key were all sent" eval '
	! awk "NR >= 0 && \$1 ~ /[02468]\$/ && \$2 != 200" "$tmp/HUP.ledger" |
		grep .'
check "none was cut, or is unknown" \
	eval 'not logged gateway.cut && not logged send.unknown'
check "nothing was sent twice, or is not as its row says" \
	sent audit "$tmp/HUP.ledger"

start_sender TERM 400 --rate 80 --key-every 1000
check "under load" wait_for 10 posted TERM 60
graph_script <<< '* send delay 2000'
check "with many at Meta" sleep 0.6
check "SIGTERM ends the daemon with 0" stop_daemon
check "no request was cut, says the log" \
	eval 'not logged gateway.cut && not logged send.unknown'
check "all requests end" wait_for 20 posted TERM 400
check "those that were begun were answered 200" eval \
	'! grep -v " 200 \| refused\$\| broken\$" "$tmp/TERM.ledger" | grep .'
check "nothing was sent twice, and no send is left over" \
	sent audit "$tmp/TERM.ledger"
graph_script < /dev/null

# ---- a full disk ----------------------------------------------------------------------

small() {
	mkdir "$tmp/small" &&
		mount -t tmpfs -o size=8m,mode=700 tmpfs "$tmp/small" &&
		mounts+=("$tmp/small")
} 2> /dev/null

fill() {
	dd if=/dev/zero of="$tmp/small/ballast" bs=4k 2> /dev/null
	[ "$(stat -f -c %f "$tmp/small")" -eq 0 ]
}

# Until one is refused; each has some weight, so that it comes to it.
n=0
send_until_refused() {
	local answer
	until [ $n -ge 400 ]; do
		n=$((n + 1))
		answer=$(send "$(text "FULL$n $(printf '%2000s' x)")")
		[ "$answer" = 200 ] || break
	done
	same "$answer" 503
}

if [ "$(id -u)" -ne 0 ] || ! small; then
	skip "with a full store nothing is sent" "no small file system here"
else
	store=$tmp/small/store
	rm -f "$graph/graph.requests"
	write_gateway_conf 'queue_age 1s;'
	check "with a store on a small file system" start_all
	check "a message is sent" is 200 send "$(text 'before the flood')"
	check "something else fills the disk" fill
	check "before long a message is refused" send_until_refused
	check "with 503, as Graph says it" refuses 503 2 4190003 \
		send "$(text "FULL$n again $(printf '%2000s' x)")"
	check "the answer says when to try again" \
		grep -qi '^Retry-After: [1-9]' "$tmp/head"
	check "the log says why" log_says 'store.down.*role=gateway.*full'
	check "the refused ones were not sent" reached 0 "FULL$n "
	check "no file is taken either" eval '
		make_file f.png 2000000
		[ "$(ask POST "/v25.0/$number/media" -F \
			messaging_product=whatsapp -F type=image/png -F \
			"file=@$graph/f.png;type=image/png")" = 503 ]'
	check "marks as read still go" is 200 send \
		'{"messaging_product":"whatsapp","status":"read","message_id":"wamid.IN1"}'
	rm "$tmp/small/ballast"
	check "with room again messages are sent" wait_for 10 eval \
		'[ "$(send "$(text "after the flood")")" = 200 ]'
	check "the log says so" log_says 'store.up.*role=gateway'

	# What has left when the disk is full: the answer is not recorded yet.
	graph_script <<< '* send delay 1500'
	send "$(text 'left before')" > "$tmp/later" &
	pids[later]=$!
	check "one is at Meta" wait_for 10 reached 1 'left before'
	check "when the disk is filled" fill
	wait "${pids[later]}"
	unset 'pids[later]'
	check "its caller is not told of a success without a record" eval '
		[ "$(cat "$tmp/later")" = 200 ] ||
			refuses 502 2 4190004 cat "$tmp/later"'
	echo "# its caller was told $(cat "$tmp/later")"
	rm "$tmp/small/ballast"
	graph_script < /dev/null
	left_before() {
		[ "$(gateway_db "SELECT outcome FROM send
			WHERE instr(request, 'left before') > 0")" = accepted ]
	}
	check "with room again it is recorded as accepted" \
		wait_for 10 left_before
	check "everything is as the rows say" sent audit
	check "everything goes out" wait_for 20 has archive
	check "everything received is accounted for" ctl verify
	check "the daemon stops" stop_daemon
	check "the file system becomes read-only" \
		mount -o remount,ro "$tmp/small"
	"$BUILDDIR/chatjournald" -c "$conf" >> "$tmp/log" 2>&1 &
	pids[daemon]=$!
	check "a daemon started then says why it waits" \
		wait_for 10 logged 'role.failed.*name=store'
	check "nobody listens" not gateway_answers
	mount -o remount,rw "$tmp/small"
	check "when it becomes writable all goes on" \
		wait_for 20 gateway_answers
	check "a message is sent" is 200 send "$(text 'after all')"
	check "the daemon stops" stop_daemon
fi
finish
