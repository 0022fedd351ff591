#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Mails per second into Postfix' smtp-sink, beside smtp-source -d with as many
# sessions and the same size into the same sink, by turns, so that both meet
# the same machine.
#
#   deliver.sh [SESSIONS [MAILS [SIZE [ROUNDS]]]]
set -u

sessions=${1:-4} mails=${2:-20000} size=${3:-5000} rounds=${4:-3}
bench=${BUILDDIR:-.}/tests/bench/bench_deliver
PATH=$PATH:/usr/sbin:/sbin

command -v smtp-sink >/dev/null && command -v smtp-source >/dev/null || {
	echo "smtp-sink and smtp-source are missing (package postfix)"
	exit 77
}
port=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
user=()
[ "$(id -u)" != 0 ] || user=(-u nobody)
smtp-sink "${user[@]}" 127.0.0.1:"$port" 256 &
sink=$!
trap 'kill $sink 2>/dev/null' EXIT
for _ in $(seq 50); do
	(: </dev/tcp/127.0.0.1/"$port") 2>/dev/null && break
	sleep 0.1
done

source_once() {
	local TIMEFORMAT='%R %U %S'
	{ time smtp-source -d -s "$sessions" -m "$mails" -l "$size" \
		127.0.0.1:"$port"; } 2>&1 | awk -v n="$mails" -v s="$sessions" \
		-v l="$size" '{ printf "smtp-source sessions=%d mails=%d " \
		"size=%d mails_per_s=%.0f cpu_us_per_mail=%.1f\n", s, n, l, \
		n / $1, ($2 + $3) * 1e6 / n }'
}

for _ in $(seq "$rounds"); do
	"$bench" 127.0.0.1 "$port" "$sessions" "$mails" "$size" || exit 1
	source_once
done
echo "libcurl:"
"$bench" 127.0.0.1 "$port" "$sessions" $((mails / 4)) "$size" curl
