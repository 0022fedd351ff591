#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The supervisor keeps the listening sockets: through reloads and the death of
# intake and gateway nobody who connects is refused. Another address is
# listened on before the old one is given up; one that cannot be had changes
# nothing. A gateway comes and goes with a reload.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
. "$here/gateway.lib.sh"
need_tools curl openssl python3 pgrep

check "the Graph stand-in starts" start_graph
write_gateway_conf
check "chatjournald starts with a gateway" start_all

reloads=0

# reload: and waits for its end
reload() {
	reloads=$((reloads + 1))
	kill -HUP "${pids[daemon]}"
	wait_for 20 logged_times 'reload.ok' "$reloads"
}

refused() {
	kill -HUP "${pids[daemon]}"
	wait_for 10 logged_times reload.refused "$1"
}

kill_role() {
	local pid
	pid=$(role_pid "$1")
	[ -n "$pid" ] && kill -KILL "$pid"
}

is_new() {
	local pid
	pid=$(role_pid "$1")
	[ -n "$pid" ] && [ "$pid" != "$2" ]
}

# nobody_at PORT: who connects is refused
nobody_at() {
	! { : <> "/dev/tcp/127.0.0.1/$1"; } 2> /dev/null
}

start_sender() {
	python3 -B "$here/sender.py" --port "$gateway_port" \
		--token "$tmp/secrets/crm.token" --ledger "$tmp/$1.ledger" \
		--number "$number" --prefix "$1" --key-every 1 "${@:2}" \
		2> "$tmp/$1.err" &
	pids[$1]=$!
}

# tries NAME: how they ended; waits for the end
tries() {
	wait_for 60 grep -qs '^tries ' "$tmp/$1.err"
	sed -n "s/^tries /# $1: /p" "$tmp/$1.err"
	grep -q '^tries ' "$tmp/$1.err"
}

no_try() {
	! grep -q "$2=" "$tmp/$1.err" || { cat "$tmp/$1.err"; return 1; }
}

# Who was stopped before its last event was answered leaves it out.
all_200() {
	! grep -v ' 200' "$tmp/$1.ledger"
}

# ---- reloads, with a new connection for each request ---------------------------------

# busy NAME COMMAND...: while the command runs
busy() {
	local name=$1 rc=0
	shift
	start_poster "HOOK$name" 100000 --fresh --connections 4 --rate 300
	start_sender "SEND$name" --fresh --count 100000 --connections 3 --rate 100
	"$@" || rc=1
	kill -TERM "${pids["HOOK$name"]}" "${pids["SEND$name"]}"
	tries "HOOK$name" && tries "SEND$name" || rc=1
	wait "${pids["HOOK$name"]}" "${pids["SEND$name"]}"
	unset "pids[HOOK$name]" "pids[SEND$name]"
	return $rc
}

five_reloads() {
	local i
	wait_for 10 posted HOOKhup 50 && wait_for 10 posted SENDhup 20 || return
	for i in 1 2 3 4 5; do
		reload || return
	done
}

check "five reloads under load" busy hup five_reloads
cat "$tmp/HOOKhup.err" "$tmp/SENDhup.err" | sed 's/^/# /'
check "no webhook was refused" no_try HOOKhup refused
check "none was cut off" no_try HOOKhup broken
check "no send was refused" no_try SENDhup refused
check "none was cut off" no_try SENDhup broken

deaths() {
	local role pid
	wait_for 10 posted HOOKkill 50 && wait_for 10 posted SENDkill 20 ||
		return
	for role in intake gateway; do
		pid=$(role_pid "$role")
		kill_role "$role"
		wait_for 10 logged "role.exit role=$role pid=$pid signal=KILL" &&
			wait_for 20 is_new "$role" "$pid" || return
	done
	reload
}

check "kill -9 of intake and of gateway under load" busy kill deaths
cat "$tmp/HOOKkill.err" "$tmp/SENDkill.err" | sed 's/^/# /'
check "no webhook was refused" no_try HOOKkill refused
check "no send was refused" no_try SENDkill refused
check "all webhooks were answered 200 in the end" eval \
	'all_200 HOOKhup && all_200 HOOKkill'
check "all mails go out" wait_for 60 has archive
for name in HOOKhup HOOKkill; do
	check "what was answered 200 of $name is there" audit "$name" "$box"
done
check "everything received is accounted for" ctl verify

# ---- other addresses -------------------------------------------------------------------

old_http=$http_port old_gateway=$gateway_port
free_ports http_port gateway_port
write_gateway_conf
check "a reload with other ports for both" reload
check "webhooks are taken at the new one" wait_for 10 answers
check "and sends" is 200 send "$(text 'at the new port')"
check "nobody listens at the old ones" eval \
	'nobody_at $old_http && nobody_at $old_gateway'

sed -i "s/listen 127.0.0.1:$http_port/listen 0.0.0.0:$http_port/" "$conf"
check "a reload with another address and the same port" reload
check "webhooks are taken there" wait_for 10 answers
check "at all addresses" eval 'curl -s -o "$tmp/out" "http://127.0.0.2:$http_port/"'

hold_port() {
	python3 - "$1" > "$tmp/held" <<- 'PY' &
	import signal, socket, sys
	s = socket.socket()
	s.bind(("127.0.0.1", int(sys.argv[1])))
	s.listen()
	print("held", flush=True)
	signal.pause()
	PY
	pids[held]=$!
	wait_for 10 grep -q held "$tmp/held"
}

free_ports taken
cp "$conf" "$tmp/good.conf"
before=$(role_pid intake)
check "another process listens on a port" hold_port "$taken"
sed -i "s/listen 127.0.0.1:$gateway_port/listen 127.0.0.1:$taken/" "$conf"
free_ports http_port
sed -i "s/listen 0.0.0.0:[0-9]*/listen 127.0.0.1:$http_port/" "$conf"
check "a reload to that port is refused" refused 1
check "the log says why, and what to do" logged \
	"reload.error.*127.0.0.1 port $taken.*in use.*stop it or change the port"
check "the other new one is given up" nobody_at "$http_port"
cp "$tmp/good.conf" "$conf"
http_port=$(sed -n 's/.*listen 0.0.0.0:\([0-9]*\);/\1/p' "$conf")
check "the old ones are served, by those who served them" eval \
	'answers && same "$(role_pid intake)" "$before"'
check "also sends" is 200 send "$(text 'as before')"
check "a reload with what was there before" reload

# ---- a gateway comes and goes ------------------------------------------------------------

python3 - "$conf" <<- 'PY'
import sys
text = open(sys.argv[1]).read()
open(sys.argv[1], "w").write(text[:text.index("gateway {")])
PY
check "a reload without the gateway" reload
check "its process is gone" same "$(role_pid gateway)" ""
check "nobody listens there" nobody_at "$gateway_port"
check "webhooks are taken" answers
cp "$tmp/good.conf" "$conf"
check "a reload with it" reload
check "a send passes" is 200 send "$(text 'again')"
check "all mails go out" wait_for 30 has archive
check "everything received is accounted for" ctl verify
check "the daemon stops" stop_daemon
check "nobody listens any more" eval \
	'nobody_at $http_port && nobody_at $gateway_port'

sed -i "s/listen 127.0.0.1:$gateway_port/listen 127.0.0.1:$taken/" "$conf"
check "it does not start at a port that is taken" eval \
	'status_is 78 "$BUILDDIR/chatjournald" -c "$conf" 2> "$tmp/said"'
check "and says so" grep -q "127.0.0.1 port $taken.*another process" "$tmp/said"
finish
