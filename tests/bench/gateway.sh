#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sends through the gateway, judged by rules, durable before they go and
# recorded before they are answered, to nginx that answers as Meta does (TLS, a
# wamid of its own for each); beside nginx as a plain reverse proxy to the
# same. "alone": build and deliver are stopped meanwhile, as in a burst.
# Needs nginx and wrk; run from the build directory:
#   bash tests/bench/gateway.sh [SECONDS]
set -eu
seconds=${1:-5}
build=${BUILDDIR:-.}
srcdir=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
PATH=$PATH:/usr/sbin
dir=$(mktemp -d)
nginx= daemon=
stop() {
	[ -z "$daemon" ] || { pkill -CONT -P "$daemon"; kill "$daemon"; } 2> /dev/null
	[ -z "$nginx" ] || kill "$nginx" 2> /dev/null
	wait
	rm -rf "$dir"
}
trap stop EXIT

ports=($(python3 -c 'import socket
all = [socket.socket() for _ in range(4)]
for s in all: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in all))'))
meta=${ports[0]} proxy=${ports[1]} gateway=${ports[2]} intake=${ports[3]}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj /CN=localhost -addext subjectAltName=DNS:localhost \
	-keyout "$dir/key" -out "$dir/crt" 2> /dev/null
cat > "$dir/nginx.conf" << END
daemon off;
pid $dir/pid;
error_log $dir/error;
worker_processes 2;
events { worker_connections 1024; }
http {
	access_log off;
	client_body_temp_path $dir/b; proxy_temp_path $dir/p;
	fastcgi_temp_path $dir/f; uwsgi_temp_path $dir/u;
	scgi_temp_path $dir/s;
	server { listen 127.0.0.1:$meta ssl; keepalive_requests 1000000000;
		ssl_certificate $dir/crt; ssl_certificate_key $dir/key;
		default_type application/json;
		location / { return 200 '{"messaging_product":"whatsapp","contacts":[{"input":"5511988880001","wa_id":"5511988880001"}],"messages":[{"id":"wamid.\$request_id"}]}'; } }
	upstream meta { server 127.0.0.1:$meta; keepalive 64; }
	server { listen 127.0.0.1:$proxy; keepalive_requests 1000000000;
		location / { proxy_pass https://meta; proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_ssl_name localhost; proxy_ssl_verify on;
			proxy_ssl_trusted_certificate $dir/crt; } }
}
END
nginx -e "$dir/error" -p "$dir" -c "$dir/nginx.conf" &
nginx=$!

(umask 077
for s in app verify meta crm; do echo "bench-$s-0123456789" > "$dir/$s"; done)
cat > "$dir/policy.conf" << END
lexicon off { file $srcdir/conf/lexicons/off-channel.en.txt; }
rule cards { match detect card iban; action tag pan; action block "no"; }
rule lures { match lexicon off; action tag lure; action flag; }
rule many { match direction sent; count 25 customers 30d per business; action flag; }
END
cat > "$dir/conf" << END
user -; state_dir $dir/state; run_dir $dir/state; catch_all archive;
policy $dir/policy.conf;
log { target stderr; level warn; }
intake { listen 127.0.0.1:$intake; app_secret_file $dir/app; verify_token_file $dir/verify; }
render { domain cj.example; templates $srcdir/templates; }
graph { url https://localhost:$meta; token_file $dir/meta; tls_ca $dir/crt; }
gateway { listen 127.0.0.1:$gateway; connections 512; number_rate 0; pair_burst 0;
	application crm { token_file $dir/crm; } }
journal archive { maildir $dir/journal; }
END
mkdir "$dir/state"
"$build/chatjournald" -c "$dir/conf" > "$dir/log" 2>&1 &
daemon=$!
for _ in $(seq 100); do
	curl -s -m 2 -o "$dir/none" "http://127.0.0.1:$gateway/" && break
	kill -0 "$daemon" || { cat "$dir/log"; exit 1; }
	sleep 0.1
done

# Everybody else each time, as in a day of a bank, and 320 bytes.
cat > "$dir/post.lua" << 'END'
local token = os.getenv("TOKEN")
local n = math.random(100000)
local text = string.rep("thank you, the statement is on its way ", 6)
request = function()
	n = n + 1
	local body = string.format('{"messaging_product":"whatsapp","to":"55119%08d","type":"text","text":{"body":"%s%d"}}', n % 100000000, text, n)
	return wrk.format("POST", "/v25.0/106540352242922/messages",
		{ ["Content-Type"] = "application/json",
		["Authorization"] = "Bearer " .. token }, body)
end
END
measure() {	# NAME PORT CONNECTIONS
	TOKEN=$(cat "$dir/crm") timeout $((seconds + 20)) wrk -t1 -c"$3" -d"${seconds}s" --latency \
		-s "$dir/post.lua" "http://127.0.0.1:$2/" |
		awk -v name="$1" -v c="$3" '
		$1 == "50%" { p50 = $2 } $1 == "99%" { p99 = $2 }
		/^Requests\/sec/ { rate = $2 }
		/Non-2xx|Socket errors/ { bad = bad " " $0 }
		END { printf "sends %s connections=%d rate=%d p50=%s p99=%s%s\n",
			name, c, rate, p50, p99, bad }'
}
others() { for r in build deliver; do
	pkill "$1" -P "$daemon" -f -- "--role $r"; done; }

for c in 1 16 64; do
	measure nginx "$proxy" "$c"
	measure gateway "$gateway" "$c"
	others -STOP
	measure gateway-alone "$gateway" "$c"
	others -CONT
done
grep -v ' warn role.hung ' "$dir/log" | head -5 >&2 || true
