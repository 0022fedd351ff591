#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The listener behind a real nginx that runs conf/nginx.conf.sample, in a
# directory of its own; only ports and paths are replaced. What the listener
# saw is told by http_echo. With mTLS for a second round.
set -u
: "${SRCDIR:?}" "${BUILDDIR:?}"
PATH=$PATH:/usr/sbin:/sbin

for tool in nginx openssl curl python3; do
	command -v $tool > /dev/null || {
		echo "1..0 # SKIP $tool is not installed"
		exit 77
	}
done

dir=$(mktemp -d) || exit 99
echo_pid= n=0
stop_nginx() {
	[ -f "$dir/nginx.pid" ] || return 0
	kill "$(cat "$dir/nginx.pid")"
	for _ in $(seq 100); do
		[ -f "$dir/nginx.pid" ] || return 0
		sleep 0.05
	done
}
cleanup() {
	stop_nginx
	[ -z "$echo_pid" ] || kill "$echo_pid" 2> /dev/null
	rm -rf "$dir"
}
trap cleanup EXIT

# ok STATUS SENTENCE
ok() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$dir/out" "$dir/error.log" 2> /dev/null | tail -20
	fi
}

# --- certificates: a CA, a server, two clients -----------------------------
cert() {	# NAME CN
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj "/C=US/O=Test/CN=$2" -keyout "$dir/$1.key" \
		-out "$dir/$1.csr" 2> /dev/null &&
	openssl x509 -req -in "$dir/$1.csr" -CA "$dir/ca.pem" \
		-CAkey "$dir/ca.key" -CAcreateserial -days 2 \
		-out "$dir/$1.pem" 2> /dev/null
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj "/CN=Test CA" -keyout "$dir/ca.key" -out "$dir/ca.pem" 2> /dev/null
cert server journal.example.com
cert meta client.webhooks.fbclientcerts.com
cert stranger client.webhooks.fbclientcerts.com.example.org

# --- the listener ----------------------------------------------------------
mkfifo "$dir/port"
"$BUILDDIR/tests/integration/http_echo" > "$dir/port" 2> "$dir/echo.err" &
echo_pid=$!
read -r _ port < "$dir/port"

# --- nginx -----------------------------------------------------------------
tls_port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
sample() {
	sed -e "s|127.0.0.1:8080|127.0.0.1:$port|" \
		-e "s|listen 443|listen 127.0.0.1:$tls_port|" \
		-e '/listen \[::\]/d' \
		-e "s|/etc/ssl/certs/journal.example.com.pem|$dir/server.pem|" \
		-e "s|/etc/ssl/private/journal.example.com.key|$dir/server.key|" \
		-e "s|/etc/chatjournal/meta-[^;]*|$dir/ca.pem|" \
		-e "s|/var/log/nginx/|$dir/|" "$@" "$SRCDIR/conf/nginx.conf.sample"
}
[ "$(id -u)" -eq 0 ] && user='user root;' || user=
cat > "$dir/nginx.conf" << END
$user
pid $dir/nginx.pid;
error_log $dir/error.log;
worker_processes 1;
events { worker_connections 256; }
http {
	client_body_temp_path $dir/body;
	proxy_temp_path $dir/proxy;
	fastcgi_temp_path $dir/fastcgi;
	uwsgi_temp_path $dir/uwsgi;
	scgi_temp_path $dir/scgi;
	include $dir/site.conf;
}
END
start_nginx() {
	nginx -q -e "$dir/error.log" -p "$dir" -c "$dir/nginx.conf" "$@" \
		> "$dir/out" 2>&1
}
url=https://journal.example.com:$tls_port
ask() {		# CURL-ARGUMENTS...; body to $dir/out, prints the status
	curl -s -o "$dir/out" -w '%{http_code}' --max-time 20 \
		--cacert "$dir/ca.pem" \
		--resolve "journal.example.com:$tls_port:127.0.0.1" "$@"
}
raw() {		# bytes of standard input over TLS; what comes back
	timeout 10 openssl s_client -quiet -no_ign_eof \
		-connect "127.0.0.1:$tls_port" \
		-servername journal.example.com -ign_eof 2> /dev/null
}

echo 1..18
sample > "$dir/site.conf"
start_nginx -t
ok $? 'the sample is a valid nginx configuration'
start_nginx || { echo "Bail out! nginx does not start"; exit 1; }

sig=sha256=$(printf 'x%.0s' $(seq 64))
printf '{"a":"\\u00e9\\/","b":"\303\251\0"}' > "$dir/event"
sum=$(sha256sum < "$dir/event" | cut -d' ' -f1)
len=$(($(wc -c < "$dir/event")))

got=$(ask -H "X-Hub-Signature-256: $sig" --data-binary "@$dir/event" \
	"$url/webhook/whatsapp")
[ "$got" = 200 ] && grep -q "^POST /webhook/whatsapp len=$len sha256=$sum " \
	"$dir/out"
ok $? 'a webhook arrives as the same bytes'
grep -q " signature=$sig " "$dir/out"
ok $? 'its signature header arrives as it was'
grep -q ' host=journal.example.com ' "$dir/out" &&
	grep -q ' forwarded=127.0.0.1 ' "$dir/out"
ok $? 'host and client address are passed on'

got=$(ask -H 'X-Forwarded-For: 192.0.2.9' --data-binary "@$dir/event" \
	"$url/webhook/whatsapp")
[ "$got" = 200 ] && grep -q ' forwarded=127.0.0.1 ' "$dir/out"
ok $? 'a client address that the client claims is not passed on'

got=$(ask "$url/webhook/whatsapp?hub.mode=subscribe&hub.challenge=115&hub.verify_token=s3cret")
[ "$got" = 200 ] && grep -q '^GET /webhook/whatsapp .* mode=subscribe$' \
	"$dir/out"
ok $? 'the handshake arrives with its dotted names'
sleep 0.1
grep -q '"GET /webhook/whatsapp" 200' "$dir/chatjournal.log" &&
	! grep -q s3cret "$dir/chatjournal.log"
ok $? 'the access log does not hold the verify token'

got=$(ask -H 'Transfer-Encoding: chunked' --data-binary "@$dir/event" \
	"$url/webhook/whatsapp")
[ "$got" = 200 ] && grep -q " len=$len sha256=$sum " "$dir/out"
ok $? 'a chunked body arrives whole'

head -c 4194304 /dev/urandom > "$dir/large"
sum=$(sha256sum < "$dir/large" | cut -d' ' -f1)
got=$(ask --data-binary "@$dir/large" "$url/webhook/whatsapp")
[ "$got" = 200 ] && grep -q " len=4194304 sha256=$sum " "$dir/out"
ok $? 'a body of exactly the limit arrives whole'
printf x >> "$dir/large"
got=$(ask -H 'Expect: 100-continue' --data-binary "@$dir/large" \
	"$url/webhook/whatsapp")
[ "$got" = 413 ]
ok $? 'one byte more is refused with 413'

got=$(ask --data-binary "@$dir/event" "$url/webhook/whatsapp/")
[ "$got" = 404 ] && ! grep -q sha256= "$dir/out"
ok $? 'any other path is refused by nginx'

got=$(ask -H "X-Hub-Signature-256: $sig" -H "x-hub-signature-256: other" \
	--data-binary "@$dir/event" "$url/webhook/whatsapp")
[ "$got" = 400 ] && grep -q 'given twice' "$dir/out"
ok $? 'a doubled signature header is refused by the listener'

printf 'POST /webhook/whatsapp HTTP/1.1\r\nHost: journal.example.com\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /webhook/whatsapp?hub.mode=smuggled HTTP/1.1\r\nHost: a\r\n\r\n' |
	raw > "$dir/out"
head -1 "$dir/out" | grep -q '^HTTP/1.1 400 ' &&
	! grep -q mode=smuggled "$dir/out"
ok $? 'a request with two lengths gets 400 and smuggles nothing'

printf 'POST /webhook/whatsapp HTTP/1.1\r\nHost: journal.example.com\r\n: x\r\n\tfolded\r\nX: y\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' |
	raw > "$dir/out"
! grep -q mode=smuggled "$dir/out" &&
	[ "$(grep -c '^HTTP/1.1 ' "$dir/out")" -eq 1 ]
ok $? 'a nameless and a folded line make one answer at most'

fail=0
for i in $(seq 40); do
	echo "url=$url/webhook/whatsapp?hub.mode=m$i"
	echo "output=$dir/many.$i"
done > "$dir/many"
curl -sS --no-progress-meter --parallel --parallel-max 8 --cacert "$dir/ca.pem" --max-time 30 \
	--resolve "journal.example.com:$tls_port:127.0.0.1" \
	--data-binary "@$dir/event" -K "$dir/many" || fail=1
for i in $(seq 40); do
	grep -q " len=$len .* mode=m$i\$" "$dir/many.$i" || fail=1
done
ok $fail 'requests at the same time each get their own answer'

# --- with client certificates ---------------------------------------------
stop_nginx
sample -e 's,^\t#\(ssl_\|if \),\t\1,' > "$dir/site.conf"
start_nginx
none=$(ask --data-binary "@$dir/event" "$url/webhook/whatsapp")
wrong=$(ask --cert "$dir/stranger.pem" --key "$dir/stranger.key" \
	--data-binary "@$dir/event" "$url/webhook/whatsapp")
echo "none: $none, stranger: $wrong" > "$dir/out"
[ "$none" = 400 ] && [ "$wrong" = 403 ]
ok $? 'mTLS: without a certificate 400, with that of a stranger 403'
right=$(ask --cert "$dir/meta.pem" --key "$dir/meta.key" \
	--data-binary "@$dir/event" "$url/webhook/whatsapp")
[ "$right" = 200 ] && grep -q " len=$len " "$dir/out"
ok $? "mTLS: with Meta's name the webhook arrives"

kill "$echo_pid"
wait "$echo_pid"
status=$?
echo_pid=
ok $status 'the listener drains with idle connections of the proxy open'
