#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How many small POSTs a second the listener alone answers when a second
# thread answers them in batches (each 200 microseconds, the shape of a group
# commit without the disk), beside nginx that answers the same with an empty 200.
# Needs wrk; run from the build directory: bash tests/bench/http.sh [SECONDS]
set -eu
seconds=${1:-5}
build=${BUILDDIR:-.}
PATH=$PATH:/usr/sbin
dir=$(mktemp -d)
pids=
trap 'kill $pids 2> /dev/null; wait; rm -rf "$dir"' EXIT

cat > "$dir/post.lua" << 'END'
wrk.method = "POST"
wrk.body = string.rep("x", 505)
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-Hub-Signature-256"] = "sha256=" .. string.rep("0", 64)
END

measure() {	# NAME URL
	for c in 2 16 64; do
		wrk -t2 -c"$c" -d"${seconds}s" --latency -s "$dir/post.lua" \
			"$2" | awk -v name="$1" -v c="$c" '
			$1 == "99%" { p99 = $2 }
			/^Requests\/sec/ { rate = $2 }
			/Non-2xx|Socket errors/ { bad = bad " " $0 }
			END { printf "%-14s %3d connections %8.0f/s p99 %s%s\n",
				name, c, rate, p99, bad }'
	done
}

serve() {	# NAME ENVIRONMENT...
	mkfifo "$dir/$1"
	env "${@:2}" "$build/tests/integration/http_echo" > "$dir/$1" &
	pids="$pids $!"
	read -r _ port < "$dir/$1"
}

serve plain BATCH_US=200
measure listener "http://127.0.0.1:$port/webhook/whatsapp"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj /CN=localhost -keyout "$dir/key" -out "$dir/crt" 2> /dev/null
serve tls BATCH_US=200 TLS_CERTIFICATE="$dir/crt" TLS_KEY="$dir/key"
measure listener-tls "https://127.0.0.1:$port/webhook/whatsapp"

command -v nginx > /dev/null || exit 0
port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > "$dir/nginx.conf" << END
daemon off;
pid $dir/pid;
error_log $dir/error;
worker_processes 2;
events { worker_connections 512; }
http {
	access_log off;
	client_body_temp_path $dir/b; proxy_temp_path $dir/p;
	fastcgi_temp_path $dir/f; uwsgi_temp_path $dir/u;
	scgi_temp_path $dir/s;
	server { listen 127.0.0.1:$port; keepalive_requests 1000000000;
		location / { return 200; } }
}
END
nginx -e "$dir/error" -p "$dir" -c "$dir/nginx.conf" &
pids="$pids $!"
for _ in $(seq 50); do
	curl -s -o "$dir/none" "http://127.0.0.1:$port/" && break
	sleep 0.1
done
measure nginx "http://127.0.0.1:$port/webhook/whatsapp"
