#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make bench: speed and memory of the whole daemon, each figure beside a
# reference that does the same work in the same run. Everything on loopback,
# in a private directory, stopped by pid. Prints one table row per figure.
#
#   BENCH_EVENTS   events from POST to 250 (200000)
#   BENCH_QUEUE    mails in the backlog for memory and draining (500000);
#                  0 leaves that part out
#   BENCH_PARTS    which parts (render scan rules gateway answers sends through
#                  latency backlog)
#   BENCH_SESSIONS SMTP sessions at once, ours and smtp-source's (4)
set -u
srcdir=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
bdir=${BUILDDIR:-$srcdir}
events=${BENCH_EVENTS:-200000}
queue=${BENCH_QUEUE:-500000}
sessions=${BENCH_SESSIONS:-4}
parts=${BENCH_PARTS:-render scan rules gateway answers sends through latency backlog}
tmp=$(mktemp -d)
daemon= sink= nginx=
trap 'stop_all; rm -rf "$tmp"' EXIT

stop_all() {
	local p
	for p in $daemon $sink; do
		kill "$p" 2>/dev/null
		wait "$p" 2>/dev/null
	done
	[ -s "$tmp/nginx.pid" ] && kill "$(cat "$tmp/nginx.pid")" 2>/dev/null
	daemon= sink=
}

free_port() {
	python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

value() { sed -n "s/.*\b$1=\([0-9.]*\).*/\1/p" <<<"$2"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b ? a / b : 0 }'; }
row() { printf '%-52s %12s %12s %6s\n' "$@"; }

start_sink() {
	sink_port=${1:-$(free_port)}
	# -c counts; it takes everything and keeps nothing.
	smtp-sink -u nobody "127.0.0.1:$sink_port" 4096 >/dev/null 2>&1 &
	sink=$!
	sleep 0.3
}

stop_sink() {
	kill "$sink" 2>/dev/null
	wait "$sink" 2>/dev/null
	sink=
}

start_daemon() {
	port=$(free_port)
	rm -rf "$tmp/state"
	mkdir -p "$tmp/state"
	(umask 077
	echo bench-secret >"$tmp/secret"
	echo bench-token >"$tmp/token")
	cat >"$tmp/conf" <<-EOF
	user -;
	state_dir $tmp/state;
	run_dir $tmp/state;
	catch_all archive;
	log { target stderr; level warn; }
	intake {
	    listen 127.0.0.1:$port;
	    app_secret_file $tmp/secret;
	    verify_token_file $tmp/token;
	    queue_age 1m;
	}
	turn { idle 0s; }
	render {
	    domain chatjournal.bench.example;
	    templates $srcdir/templates;
	}
	relay sink {
	    url smtp://127.0.0.1:$sink_port;
	    sessions $sessions;
	    retry_min 1s;
	    retry_max 2s;
	}
	journal archive { relay sink; to a@bench.example; from c@bench.example; }
	EOF
	"$bdir/chatjournald" -c "$tmp/conf" >"$tmp/log" 2>&1 &
	daemon=$!
	for _ in $(seq 100); do
		curl -fs "http://127.0.0.1:$port/webhook/whatsapp?hub.mode=subscribe&hub.challenge=1&hub.verify_token=bench-token" \
			>/dev/null && return
		sleep 0.1
	done
	cat "$tmp/log" >&2
	exit 1
}

stop_daemon() {
	kill "$daemon"
	wait "$daemon"
	daemon=
}

role_pid() { pgrep -P "$daemon" -f -- "--role $1"; }
load() { "$bdir/tests/bench/load" -s "$tmp/secret" "$@"; }
sql() { sqlite3 "$tmp/state/store/$1.db" "$2"; }
sent() { sql deliver "SELECT count(*) FROM outcome WHERE state = 'sent'"; }

wait_sent() {
	local until=$(($(date +%s) + 1200))
	while [ "$(sent)" -lt "$1" ]; do
		[ "$(date +%s)" -lt $until ] || { echo "not all was sent" >&2; tail -n 5 "$tmp/log" >&2; exit 1; }
		sleep 0.1
	done
}

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { print b - a }'; }
per_s() { awk -v n="$1" -v s="$2" 'BEGIN { printf "%.0f", n / s }'; }

# ---- answers to webhooks, beside nginx with an empty 200 -----------------------

bench_answers() {
	local ours all ref
	nginx_port=$(free_port)
	cat >"$tmp/nginx.conf" <<-EOF
	worker_processes 2;
	pid $tmp/nginx.pid;
	error_log $tmp/nginx.log;
	events { worker_connections 1024; }
	http {
	    access_log off;
	    client_body_temp_path $tmp; proxy_temp_path $tmp;
	    fastcgi_temp_path $tmp; uwsgi_temp_path $tmp; scgi_temp_path $tmp;
	    keepalive_requests 100000000;
	    server { listen 127.0.0.1:$nginx_port; location / { return 200; } }
	}
	EOF
	nginx -c "$tmp/nginx.conf" 2>/dev/null
	sleep 0.3
	start_sink
	start_daemon
	# Intake alone first: the roles behind it are held, what it stores waits.
	kill -STOP "$(role_pid build)" "$(role_pid deliver)"
	load -p "$port" -n 5000 -i WARM >/dev/null
	load -p "$nginx_port" -n 5000 >/dev/null
	ref=$(load -p "$nginx_port" -n 100000)
	ours=$(load -p "$port" -n 100000 -i ALONE)
	kill -CONT "$(role_pid build)" "$(role_pid deliver)"
	row "durable webhooks/s (64 connections) : nginx empty 200" \
		"$(value per_s "$ours")" "$(value per_s "$ref")" \
		"$(ratio "$(value per_s "$ours")" "$(value per_s "$ref")")"
	row "  p99 ms" "$(value p99_ms "$ours")" "$(value p99_ms "$ref")" ""
	stop_daemon
	stop_sink
	kill "$(cat "$tmp/nginx.pid")"
}

# ---- sends to Graph, beside wrk to the same nginx over TLS ---------------------

bench_sends() {
	local out ours ref
	out=$(CONNECTIONS=16 bash "$srcdir/tests/bench/graph.sh")
	ours=$(value rate "$(grep ^pool <<<"$out")")
	ref=$(value rate "$(grep ^wrk <<<"$out")")
	row "sends/s of the pool (TLS, 16 connections) : wrk" "$ours" "$ref" \
		"$(ratio "$ours" "$ref")"
}

# ---- from POST to the relay's 250 --------------------------------------------------

bench_through() {
	local begun took size ref rate
	start_sink
	start_daemon
	load -p "$port" -n 2000 -i WARM >/dev/null
	wait_sent 2000
	begun=$(now)
	load -p "$port" -n "$events" -i THRU >"$tmp/load.out"
	wait_sent $((events + 2000))
	took=$(since "$begun")
	size=$(sql build 'SELECT max(size) FROM content')
	rate=$(per_s "$events" "$took")
	begun=$(now)
	smtp-source -d -s "$sessions" -m "$events" -l "$size" -f c@bench.example \
		-t a@bench.example "127.0.0.1:$sink_port"
	ref=$(per_s "$events" "$(since "$begun")")
	row "events/s from POST to 250 ($events) : smtp-source -d" "$rate" \
		"$ref" "$(ratio "$rate" "$ref")"
	"$bdir/chatjournal" -c "$tmp/conf" verify >&2 || exit 1
	rss "  resident MB of all processes, after it"
	stop_daemon
	stop_sink
}

# Proportional set size: what all processes together really occupy.
rss() {
	local p sum=0
	for p in $daemon $(pgrep -P "$daemon"); do
		sum=$((sum + $(awk '/^Pss:/ { print $2 }' "/proc/$p/smaps_rollup")))
	done
	row "$1" "$((sum / 1024))" "" ""
}

# ---- one event at a time --------------------------------------------------------------

bench_latency() {
	start_sink
	start_daemon
	load -p "$port" -c 1 -n 1000 -r 50 -i IDLE >/dev/null
	wait_sent 1000
	sqlite3 "$tmp/state/store/deliver.db" <<-EOF >"$tmp/latency"
	ATTACH '$tmp/state/store/build.db' AS b;
	ATTACH '$tmp/state/store/intake.db' AS i;
	SELECT o.last_ms - e.received_ms FROM outcome o
	JOIN b.mail m ON m.id = o.mail_id
	JOIN b.item t ON t.turn_id = m.turn_id
	JOIN i.event e ON e.id = t.event_id ORDER BY 1;
	EOF
	row "idle latency POST to 250 committed, ms: p50 / p99" \
		"$(sed -n 500p "$tmp/latency")" "$(sed -n 990p "$tmp/latency")" ""
	stop_daemon
	stop_sink
}

# ---- a backlog ---------------------------------------------------------------------------

drain_rate() {
	local begun
	load -p "$port" -n "$1" -i "$2" >/dev/null
	while [ "$(sql build 'SELECT count(*) FROM mail')" -lt "$3" ]; do
		sleep 0.5
	done
	[ "$4" = show ] && rss "resident MB of all processes, $1 mails queued"
	start_sink "$sink_port"
	begun=$(now)
	wait_sent "$3"
	per_s "$1" "$(since "$begun")" >"$tmp/rate"
	stop_sink
}

bench_backlog() {
	local small
	start_sink
	stop_sink
	start_daemon
	drain_rate 10000 SMALL 10000 hide
	small=$(cat "$tmp/rate")
	drain_rate "$queue" LARGE $((queue + 10000)) show
	row "drain mails/s: $queue : 10000 queued" "$(cat "$tmp/rate")" \
		"$small" "$(ratio "$(cat "$tmp/rate")" "$small")"
	"$bdir/chatjournal" -c "$tmp/conf" verify >&2 || exit 1
	stop_daemon
}

echo "$(date -u +%Y-%m-%d), $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
row "figure : reference" "chatjournal" "reference" "ratio"
bench_render() {
	"$bdir/tests/bench/bench_render" 20000 | sed 's/^/  /'
}

# 10,000 phrases and 50 patterns, beside 500 of the phrases in PCRE2 alone.
bench_scan() {
	local line
	"$bdir/tests/bench/bench_scan" 20000 | while read -r line; do
		row "scan us/message of $(value bytes "$line") bytes, $(sed \
			's/.*language=\([a-z]*\).*/\1/' <<<"$line") : PCRE2, 500" \
			"$(value us "$line")" \
			"$(value pcre2_of_500_phrases_us "$line")" \
			"$(ratio "$(value us "$line")" \
			"$(value pcre2_of_500_phrases_us "$line")")"
	done
}

# ---- rules, beside PCRE2 alone ---------------------------------------------------

bench_rules() {
	local out
	out=$("$bdir/tests/bench/bench_policy" 20000)
	row "us to judge 320 bytes, 10k phrases, 50 patterns : PCRE2" \
		"$(value us "$out")" "$(value pcre2_us "$out")" \
		"$(value ratio "$out")"
}

# ---- sends, beside nginx as a plain proxy to the same ----------------------------

bench_gateway() {
	local out line name
	out=$(bash "$srcdir/tests/bench/gateway.sh" 5)
	for name in gateway gateway-alone; do
		for c in 1 16 64; do
			line=$(grep "^sends $name connections=$c " <<<"$out")
			ref=$(grep "^sends nginx connections=$c " <<<"$out")
			row "sends/s, $c connections, $name : nginx as proxy" \
				"$(value rate "$line")" "$(value rate "$ref")" \
				"$(ratio "$(value rate "$line")" \
				"$(value rate "$ref")")"
		done
	done
	sed 's/^/  /' <<<"$out"
}

for part in $parts; do
	[ "$part" = backlog ] && [ "$queue" -eq 0 ] && continue
	"bench_$part"
done
