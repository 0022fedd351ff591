#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How many sends a second the pool of src/graph has answered by nginx (TLS,
# an empty 200) on this machine, beside wrk with as many connections to the
# same nginx. Needs nginx and wrk; run from the build directory:
#   [CONNECTIONS="4 16 64"] bash tests/bench/graph.sh [SENDS]
set -eu
sends=${1:-30000}
build=${BUILDDIR:-.}
PATH=$PATH:/usr/sbin
dir=$(mktemp -d)
pids=
trap 'kill $pids 2> /dev/null; wait; rm -rf "$dir"' EXIT

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj /CN=localhost -addext subjectAltName=DNS:localhost \
	-keyout "$dir/key" -out "$dir/crt" 2> /dev/null
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
	server { listen 127.0.0.1:$port ssl; keepalive_requests 1000000000;
		ssl_certificate $dir/crt; ssl_certificate_key $dir/key;
		location / { return 200; } }
}
END
nginx -e "$dir/error" -p "$dir" -c "$dir/nginx.conf" &
pids=$!
for _ in $(seq 50); do
	curl -s -o "$dir/none" --cacert "$dir/crt" "https://localhost:$port/" &&
		break
	sleep 0.1
done

cat > "$dir/post.lua" << 'END'
wrk.method = "POST"
wrk.body = string.rep("x", 320)
wrk.headers["Content-Type"] = "application/json"
END
for c in ${CONNECTIONS:-4 16 64}; do
	"$build/tests/bench/bench_graph" "https://localhost:$port" \
		"$dir/crt" "$c" "$sends"
	command -v wrk > /dev/null || continue
	wrk -t1 -c"$c" -d3s -s "$dir/post.lua" "https://localhost:$port/" |
		awk -v c="$c" '/^Requests\/sec/ {
			printf "wrk connections=%d rate=%d\n", c, $2 }'
done
