#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Files of messages through an HTTP proxy: it opens tunnels and reads nothing
# of what is in them. When it does not, the log names it, and the files come
# when it does again.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
need_tools curl openssl python3 pgrep

box=$tmp/archive/new
proxy=$tmp/proxy
secret='p:ss wörd'
mkdir -p "$proxy"
(umask 077 && printf '%s\n' "$secret" > "$tmp/proxy.password")

# start_proxy [OPTION...]: in the place of the one that ran
start_proxy() {
	end proxy
	: > "$tmp/proxy.port"
	stay python3 -B "$SRCDIR/tests/fake/proxy.py" --dir "$proxy" \
		${proxy_port:+--port "$proxy_port"} "$@" \
		> "$tmp/proxy.port" 2> "$tmp/proxy.err" &
	pids[proxy]=$!
	wait_for 10 test -s "$tmp/proxy.port" &&
		read -r proxy_port < "$tmp/proxy.port"
}

# conf_with DIRECTIVES-OF-GRAPH: and the daemon is started (again) with it
conf_with() {
	[ -z "${pids[daemon]:-}" ] || stop_daemon || return 1
	write_conf <<- EOF2
	$(graph_conf 'wait 5m;' "$1")
	$(maildir_conf archive "$tmp/archive")
	EOF2
	start_daemon
}

post_id() {
	make_file "$1.png" 20000
	post_file "wamid.P$1" "$1" "$(with_digest "$1")"
}

proxy_saw() {
	grep -Eq "$1" "$proxy/proxy.log"
}

# comes ID: its mail has it
comes() {
	wait_for 10 brings "$box" "wamid.P$1" "$graph/$1.png"
}

# ---- a proxy that does what it should ---------------------------------------------

export https_proxy=http://127.0.0.1:9 ALL_PROXY=http://127.0.0.1:9
export no_proxy='*'
curl() {
	env -u https_proxy -u ALL_PROXY curl "$@"
}
check "the Graph stand-in starts" start_graph
check "so does the proxy" start_proxy
check "chatjournald starts with the proxy in its configuration" \
	conf_with "proxy http://localhost:$proxy_port;"
alive daemon || finish
check "an event with a file is taken" post_id 701
check "the file comes, whatever the environment says of proxies" comes 701
check "it came through a tunnel" \
	proxy_saw "^CONNECT localhost:$graph_port 200 user=no$"
check "the proxy was asked for tunnels only" \
	not grep -v '^CONNECT ' "$proxy/proxy.log"
check "Graph got the token" \
	grep -q '^graph get 701 200 token=yes' "$graph/graph.log"

# ---- one that does not ---------------------------------------------------------------

# held_back ID NAME PATTERN [OPTION...]: a proxy with these options holds the
# file back, the log says why, and it comes when the proxy is as it should be
held_back() {
	local id=$1 name=$2 pattern=$3
	shift 3
	check "$name is the one that is asked" start_proxy "$@"
	mark=$(wc -l < "$tmp/log")
	check "$name: an event with a file is taken" post_id "$id"
	check "$name: the log says why there is no file" \
		wait_for 10 new_line "$pattern"
	check "$name: nothing was asked of Graph" \
		not grep -q "^graph .* $id " "$graph/graph.log"
	check "$name goes, and the file comes" eval "start_proxy && comes $id"
}

# new_line PATTERN: in the log, after so many lines as mark says
new_line() {
	tail -n "+$((mark + 1))" "$tmp/log" | grep -Eq "$1"
}

named="proxy http://localhost:$proxy_port"
held_back 711 'a proxy that wants a user' \
	"media.retry .*what=graph.proxy .*407.*proxy_user.*$named" --user a:b
held_back 712 'a proxy that forbids' \
	"media.retry .*what=graph.proxy .*403.*allow CONNECT.*$named" \
	--mode status=403
held_back 713 'a proxy that finds no way' \
	"media.retry .*what=graph.proxy .*502.*$named" --mode status=502
held_back 714 'a proxy that redirects' \
	"media.retry .*what=graph.proxy .*302.*$named" --mode status=302
held_back 715 'a proxy that hangs up' \
	"media.retry .*what=graph.proxy .*$named" --mode close
held_back 716 'a proxy that says nothing' \
	"media.retry .*what=graph.proxy .*$named" --mode hang
held_back 717 'a proxy that poses as Graph' \
	"media.retry .*what=graph.network .*unopened.*$named" --mode impostor
held_back 718 'a proxy that answers in clear text' \
	"media.retry .*what=graph.network .*unopened.*$named" --mode clear
check "what the proxy says of waiting is not taken for Graph's word" \
	not logged 'media.retry .*next_ms=[0-9]\{5,\}'

end proxy
mark=$(wc -l < "$tmp/log")
check "an event is taken while the proxy is down" post_id 719
check "the log names the proxy" wait_for 10 new_line \
	"media.retry .*what=graph.proxy .*see whether it runs.*$named"
check "Graph is not asked directly" \
	not grep -q '^graph .* 719 ' "$graph/graph.log"
check "the file comes when the proxy is up" eval 'start_proxy && comes 719'
check "no file was given up" not logged media.unavailable

# ---- one that wants a user, over TLS -----------------------------------------------------

check "a proxy starts that speaks TLS and wants a user" \
	start_proxy --tls --user "bank:$secret"
check "chatjournald starts with an authority that did not sign for it" \
	conf_with "proxy https://localhost:$proxy_port;
		proxy_tls_ca $graph/graph.ca.pem; proxy_user bank;
		proxy_password_file $tmp/proxy.password;"
mark=$(wc -l < "$tmp/log")
check "an event with a file is taken again" post_id 721
check "that proxy is not trusted, and the log says which file to see" \
	wait_for 10 new_line \
	"media.retry .*what=graph.proxy .*proxy_tls_ca.*proxy https://"
check "it was sent no password" not proxy_saw 'user=(yes|wrong)'
check "chatjournald starts with the right one" \
	conf_with "proxy https://localhost:$proxy_port;
		proxy_tls_ca $proxy/graph.ca.pem; proxy_user bank;
		proxy_password_file $tmp/proxy.password;"
check "the file comes" comes 721
check "the proxy knew the user" \
	proxy_saw "^CONNECT localhost:$graph_port 200 user=yes$"

# ---- what nobody may have seen ---------------------------------------------------------------

check "all that the proxies could read was noted" \
	grep -qa "^CONNECT localhost:$graph_port HTTP/1.1" "$proxy/proxy.seen"
check "the token was not in it, nor a header that could hold it" eval '
	not grep -qaF "$(cat "$graph/graph.token")" "$proxy/proxy.seen" &&
	not grep -qai "^authorization:" "$proxy/proxy.seen"'
check "Graph was sent no password of a proxy" \
	not grep "^graph other " "$graph/graph.log"
check "nobody else was contacted" \
	nobody_else_was_contacted
check "token and password are in no log line and no mail" \
	not grep -rlF -e "$(cat "$graph/graph.token")" -e "$secret" \
	-e "$(printf %s "bank:$secret" | base64)" "$tmp/log" "$box"
check "everything is sent" wait_for 10 eval 'ctl status --check; has archive'
check "everything received is accounted for" ctl verify

# ---- what check-config says -----------------------------------------------------------------

check "a password file that is readable by others is refused" eval '
	chmod 644 "$tmp/proxy.password"
	ctl check-config 2>&1 | grep -q proxy.password'
check "on SIGTERM the daemon ends with 0" stop_daemon
finish
