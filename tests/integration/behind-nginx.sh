#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# chatjournald behind a real nginx with conf/nginx.conf.sample: events come in
# over TLS, and are stored as they were sent. What the
# sample does with all else is in nginx.sh.
. "${SRCDIR:?}/tests/integration/lib.sh"
need_tools nginx curl openssl python3

free_ports nginx_port
url=https://journal.example.com:$nginx_port/webhook/whatsapp
make_certificate
write_conf << EOF
$(maildir_conf archive "$tmp/Maildir")
EOF

# The sample, with ports and paths of this test only.
write_nginx() {
	local user=
	[ "$(id -u)" -ne 0 ] || user='user root;'
	sed -e "s|127.0.0.1:8080|127.0.0.1:$http_port|" \
		-e "s|listen 443|listen 127.0.0.1:$nginx_port|" \
		-e '/listen \[::\]/d' \
		-e "s|/etc/ssl/certs/journal.example.com.pem|$tmp/tls/server.pem|" \
		-e "s|/etc/ssl/private/journal.example.com.key|$tmp/tls/server.key|" \
		-e "s|/var/log/nginx/|$tmp/|" \
		"$SRCDIR/conf/nginx.conf.sample" > "$tmp/site.conf"
	cat > "$tmp/nginx.conf" <<- EOF
	$user
	daemon off;
	pid $tmp/nginx.pid;
	error_log $tmp/nginx-error.log;
	worker_processes 2;
	events { worker_connections 256; }
	http {
		client_body_temp_path $tmp/body;
		proxy_temp_path $tmp/proxy;
		fastcgi_temp_path $tmp/fastcgi;
		uwsgi_temp_path $tmp/uwsgi;
		scgi_temp_path $tmp/scgi;
		include $tmp/site.conf;
	}
	EOF
}

over_tls() {
	curl -s -m 20 -k --resolve "journal.example.com:$nginx_port:127.0.0.1" \
		"$@"
}

nginx_answers() {
	[ -n "$(over_tls -o /dev/null -w '%{remote_port}' "$url")" ] &&
		[ "$(over_tls -o /dev/null -w '%{http_code}' "$url")" != 000 ]
}

start_nginx() {
	write_nginx
	nginx -q -e "$tmp/nginx-error.log" -p "$tmp" -c "$tmp/nginx.conf" \
		> "$tmp/nginx.out" 2>&1 &
	pids[nginx]=$!
	wait_for 10 nginx_answers
}

# send FILE: prints the status that came through nginx
send() {
	over_tls -o /dev/null -D "$tmp/head" -w '%{http_code}' \
		-H "X-Hub-Signature-256: sha256=$(signature "$1")" \
		--data-binary "@$1" "$url"
}

handshake() {
	same "$(over_tls "$url?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=$(cat "$tmp/secrets/verify")")" \
		1158201444
}

# Forty events, eight at a time, each with its own signature.
send_many() {
	local i
	for i in $(seq 40); do
		text_event "wamid.MANY$i" "number $i" > "$tmp/many.$i"
		[ "$i" -eq 1 ] || echo next
		cat <<- EOF
		url = "$url"
		insecure
		resolve = "journal.example.com:$nginx_port:127.0.0.1"
		output = "/dev/null"
		write-out = "%{http_code}\n"
		header = "X-Hub-Signature-256: sha256=$(signature "$tmp/many.$i")"
		data-binary = "@$tmp/many.$i"
		EOF
	done > "$tmp/many.conf"
	same "$(curl -sS --no-progress-meter -m 30 --parallel \
		--parallel-max 8 -K "$tmp/many.conf" | sort | uniq -c |
		tr -s ' ')" " 40 200"
}

check "chatjournald starts" start_daemon
check "nginx starts with the sample in front of it" start_nginx
check "the handshake of the subscription works through it" handshake
text_event wamid.PROXY 'Grüße, \u00e9t\u00e9 \/ \ud83d\ude00' > "$tmp/event.json"
check "a signed event is answered 200" \
	eval 'same "$(send "$tmp/event.json")" 200'
check "what is stored is what was sent" \
	eval 'ctl --raw show event:1 | cmp - "$tmp/event.json"'
check "its mail goes out" wait_for 5 has archive 1
check "forty events over eight connections are answered 200" send_many
check "their mails go out" wait_for 10 has archive 41
check "a wrong signature gets its 401" same 401 "$(over_tls -o /dev/null \
	-w '%{http_code}' -H "X-Hub-Signature-256: sha256=$(openssl rand -hex 32)" \
	--data-binary "@$tmp/event.json" "$url")"
check "the daemon restarts under nginx" \
	eval 'stop_daemon && start_daemon'
check "events go on through the connections nginx keeps" \
	eval 'wait_for 15 eval "[ \$(send $tmp/many.1) = 200 ]"'
check "while the daemon is down nginx answers 502" eval \
	'stop_daemon && same "$(send "$tmp/event.json")" 502'
check "nginx comes back to it by itself" eval \
	'start_daemon && wait_for 15 eval "[ \$(send $tmp/event.json) = 200 ]"'
check "everything received is accounted for" ctl verify
check "on SIGTERM the daemon ends with 0, with nginx connected" stop_daemon
check "it did not have to cut a connection" not logged intake.cut
finish
