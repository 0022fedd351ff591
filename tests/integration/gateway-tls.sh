#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The gateway over TLS, for applications that prove themselves by a certificate,
# behind nginx, and at the limits of a number and of a person.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
. "$here/gateway.lib.sh"
need_tools curl openssl python3

# client_certificate NAME CA
client_certificate() {
	local d=$tmp/tls
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj "/CN=$1" -keyout "$d/$1.key" -out "$d/$1.csr" 2> /dev/null
	openssl x509 -req -in "$d/$1.csr" -CA "$d/$2.pem" -CAkey "$d/$2.key" \
		-CAcreateserial -days 2 -out "$d/$1.pem" 2> /dev/null
}

gateway_url() {
	echo "https://localhost:$gateway_port"
}

gateway_answers() {
	[ "$(curl -s -k -o /dev/null -m 5 -w '%{http_code}' \
		"$(gateway_url)/" 2> /dev/null)" = 401 ]
}

# with_cert NAME BODY [CURL-OPTION...]: a send without a token
with_cert() {
	local name=$1 body=$2
	shift 2
	curl -s -m 30 -o "$tmp/answer" -w '%{http_code}' \
		--cacert "$tmp/tls/ca.pem" --cert "$tmp/tls/$name.pem" \
		--key "$tmp/tls/$name.key" -H 'Content-Type: application/json' \
		--data-binary "$body" "$@" \
		"$(gateway_url)/v25.0/$number/messages"
}

make_certificate
client_certificate trading.bank.example ca
client_certificate nobody.bank.example ca
client_certificate thief.bank.example strange
check "the Graph stand-in starts, with a limit" start_graph --rate 8
tls="tls_certificate $tmp/tls/server.pem; tls_key $tmp/tls/server.key;
	tls_client_ca $tmp/tls/ca.pem; url https://localhost:1;
	application trading { client_name trading.bank.example;
		token_file $tmp/secrets/trading.token; }"
make_tokens
(umask 077; openssl rand -hex 20 > "$tmp/secrets/trading.token")
limits='number_rate 5; pair_burst 0; pace_wait 10s;'
write_gateway_conf "$tls"
check "chatjournald starts with a gateway over TLS" start_all

# ---- certificates ---------------------------------------------------------------------

check "with a token and no certificate" \
	is 200 send "$(text 'by token')" --cacert "$tmp/tls/ca.pem"
check "with a certificate and no token" \
	is 200 with_cert trading.bank.example "$(text 'by certificate')"
check "the record has the application that it names" \
	journaled 'by certificate' '"application":"trading"'
check "a certificate of no application: 401" refuses 401 190 - \
	with_cert nobody.bank.example "$(text x)"
check "one application's certificate with another's token: 401" \
	refuses 401 190 - with_cert trading.bank.example "$(text x)" \
	-H "Authorization: Bearer $(cat "$tmp/secrets/crm.token")"
check "a certificate of a strange authority is refused" \
	not is 200 with_cert thief.bank.example "$(text x)"
check "without TLS there is nothing" not curl -s -m 5 \
	"http://localhost:$gateway_port/"
check "nor below TLS 1.2" not curl -s -k -m 5 --tls-max 1.1 "$(gateway_url)/"
check "two messages are at Meta" reached 2

# ---- the limits of a number -------------------------------------------------------------

# many N TO-PREFIX: at once, each to another person; the statuses in $tmp/many
many() {
	local i token
	token=$(cat "$tmp/secrets/$as.token")
	for i in $(seq "$1"); do
		[ "$i" -eq 1 ] || echo next
		text "number $i" "$2$i" > "$tmp/many.$i"
		cat <<- CONF
		url = "$(gateway_url)/v25.0/$number/messages"
		insecure
		header = "Authorization: Bearer $token"
		header = "Content-Type: application/json"
		data-binary = "@$tmp/many.$i"
		output = "$tmp/many.answer.$i"
		write-out = "%{http_code}\n"
		CONF
	done > "$tmp/many.conf"
	curl -sS --no-progress-meter -m 30 --parallel --parallel-immediate \
		--parallel-max 40 -K "$tmp/many.conf" | sort | uniq -c |
		tr -s ' \n' ' ' > "$tmp/many.statuses"
}
check "twenty messages at once of a number with five a second" \
	many 20 55118888800
check "are all sent, as Meta's limit is kept" \
	same "$(cat "$tmp/many.statuses")" " 20 200 "
check "Meta refused none of them" not grep -q '"status": 429' \
	"$graph/graph.requests"
# pace_refused N: the log counts so many of them.
pace_refused() {
	same "$(awk '/ gateway.refused .* reason=pace / {
		sub(/.*count=/, ""); n += $0 } END { print n + 0 }' \
		"$tmp/log")" "$1"
}
limits='number_rate 5; pair_burst 0; pace_wait 0;'
check "when nobody waits" again "$tls"
seen=$(at_meta)
check "of twenty at once" many 20 55118888800
check "some are refused: 429" grep -q ' 429 ' "$tmp/many.statuses"
check "with Graph's code for it" grep -q '"code":130429' "$tmp"/many.answer.*
busy=$(grep -l 130429 "$tmp"/many.answer.* | wc -l)
check "and those did not reach Meta" reached $((seen + 20 - busy))
check "nor does a record say that they were sent" same "$(gateway_db \
	"SELECT count(*) FROM send WHERE outcome = 'accepted'")" \
	"$(at_meta '"what": "send"')"
check "the log says so, at once and of those that came later" \
	wait_for 5 pace_refused "$busy"
limits='number_rate 0; pair_burst 2; pair_interval 1h; pace_wait 0;'
check "with a limit for one person" again "$tls"
check "two messages are sent" eval '
	is 200 send "$(text one)" -k && is 200 send "$(text two)" -k'
check "the third: 429, with Graph's code for it" \
	refuses 429 131056 - send "$(text three)" -k
check "another person can be written to" \
	is 200 send "$(text one 5511988880009)" -k

# ---- nginx ----------------------------------------------------------------------------------

gateway_url() {
	echo "http://127.0.0.1:$gateway_port"
}
limits='number_rate 0; pair_burst 0;'
plain_again() {
	gateway_answers() {
		[ "$(curl -s -o /dev/null -m 5 -w '%{http_code}' \
			"$(gateway_url)/" 2> /dev/null)" = 401 ]
	}
	again "url https://graph.bank.example;"
}

write_nginx() {
	local user=
	[ "$(id -u)" -ne 0 ] || user='user root;'
	# The sample, with ports and paths of this test only.
	sed -e "s|127.0.0.1:8090|127.0.0.1:$gateway_port|" \
		-e "s|listen 10.0.0.1:443|listen 127.0.0.1:$nginx_port|" \
		-e "s|/etc/ssl/certs/gateway.example.com.pem|$tmp/tls/server.pem|" \
		-e "s|/etc/ssl/private/gateway.example.com.key|$tmp/tls/server.key|" \
		-e "s|/var/log/nginx/|$tmp/|" \
		"$SRCDIR/conf/nginx-gateway.conf.sample" > "$tmp/site.conf"
	cat > "$tmp/nginx.conf" <<- CONF
	$user
	daemon off;
	pid $tmp/nginx.pid;
	error_log $tmp/nginx-error.log;
	events { worker_connections 256; }
	http {
		client_body_temp_path $tmp/body;
		proxy_temp_path $tmp/proxy;
		fastcgi_temp_path $tmp/fastcgi;
		uwsgi_temp_path $tmp/uwsgi;
		scgi_temp_path $tmp/scgi;
		include $tmp/site.conf;
	}
	CONF
}

through_nginx() {
	curl -s -m 30 -o "$tmp/answer" -D "$tmp/head" -w '%{http_code}' \
		--cacert "$tmp/tls/ca.pem" -H 'Content-Type: application/json' \
		-H "Authorization: Bearer $(cat "$tmp/secrets/crm.token")" \
		"$@"
}

nginx_is_up() {
	[ "$(through_nginx "$front/")" != 000 ]
}

if ! command -v nginx > /dev/null; then
	skip "behind nginx all is the same" "nginx is not installed"
else
	check "the gateway starts for a proxy" plain_again
	free_ports nginx_port
	front=https://localhost:$nginx_port
	write_nginx
	nginx -q -e "$tmp/nginx-error.log" -p "$tmp" -c "$tmp/nginx.conf" \
		> "$tmp/nginx.out" 2>&1 &
	pids[nginx]=$!
	check "nginx starts with the sample in front of it" wait_for 10 nginx_is_up
	check "a message goes through both" is 200 through_nginx \
		--data-binary "$(text 'through nginx')" \
		"$front/v25.0/$number/messages"
	check "it arrives once" reached 1 'through nginx'
	make_file big.png 3000000
	check "a large file goes through both" is 200 curl -s -m 30 \
		-o "$tmp/answer" -w '%{http_code}' --cacert "$tmp/tls/ca.pem" \
		-H "Authorization: Bearer $(cat "$tmp/secrets/crm.token")" \
		-F messaging_product=whatsapp -F 'type=image/png' \
		-F "file=@$graph/big.png;type=image/png" \
		"$front/v25.0/$number/media"
	media=$(of id)
	check "and arrives as it was" cmp "$graph/big.png" "$graph/$media.png"
	check "links to files are those of the proxy" eval '
		is 200 through_nginx "$front/v25.0/$media" &&
		same "$(of url)" "https://graph.bank.example/v25.0/$media/file"'
	check "what is refused is refused" refuses 404 2500 - through_nginx \
		"$front/v25.0/me/feed"
fi
check "everything received is accounted for" ctl verify
check "on SIGTERM the daemon ends with 0" stop_daemon
finish
