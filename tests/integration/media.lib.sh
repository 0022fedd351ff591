# tests/integration/media.lib.sh: what the tests of media role share
# SPDX-License-Identifier: Apache-2.0
#
# Read after lib.sh: the Graph stand-in (tests/fake/graph.py), its files and
# its script, events that bring files, and what became of them.

graph=$tmp/graph

# Sets graph_port, foreign_port and plain_port.
start_graph() {
	mkdir -p "$graph"
	stay python3 -B "$SRCDIR/tests/fake/graph.py" --dir "$graph" \
		--phone-number-id 106540352242922 "$@" \
		> "$tmp/graph.ports" 2> "$tmp/graph.err" &
	pids[graph]=$!
	wait_for 20 test -s "$tmp/graph.ports" &&
		read -r graph_port foreign_port plain_port < "$tmp/graph.ports"
}

# graph_conf [DIRECTIVES-OF-MEDIA [OF-GRAPH]]: with waits that suit a test.
graph_conf() {
	cat <<- EOF
	graph {
		url https://localhost:$graph_port;
		token_file $graph/graph.token;
		tls_ca $graph/graph.ca.pem;
		connect_timeout 700ms;
		timeout 60s;
		${2:-}
	}
	media {
		retry_min 100ms;
		retry_max 400ms;
		$1
	}
	EOF
}

# graph_script: lines from standard input; in force from the next request on
graph_script() {
	cat > "$graph/graph.script.new"
	mv "$graph/graph.script.new" "$graph/graph.script"
}

# A picture of SIZE bytes, each another: make_file ID[.EXT] SIZE
make_file() {
	{
		printf '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0'
		head -c "$2" /dev/urandom
	} > "$graph/$1"
}

sha256_of() {
	openssl dgst -sha256 -r "$1" | cut -d ' ' -f 1
}

base64_of() {
	openssl dgst -sha256 -binary "$1" | base64
}

# file_event WAMID ID [MEMBERS] > FILE: a picture with this media id; MEMBERS
# begin with a comma.
file_event() {
	printf '{"object":"whatsapp_business_account","entry":[{"id":"900100200300400","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"551140040001","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Ana Souza"},"wa_id":"5511999990000"}],"messages":[{"from":"5511999990000","id":"%s","timestamp":"%s","type":"image","image":{"id":"%s","mime_type":"image/png"%s}}]}}]}]}' \
		"$1" "$(date +%s)" "$2" "${3:-}"
}

# with_digest ID: the member that a webhook has
with_digest() {
	printf ',"sha256":"%s"' "$(base64_of "$graph/$1".*)"
}

# post_file WAMID ID [MEMBERS]: succeeds if it was answered 200
post_file() {
	local answer
	file_event "$@" > "$tmp/event.json"
	answer=$(post "$tmp/event.json")
	[ "$answer" = 200 ] || { echo "answer $answer to $1"; return 1; }
}

# asked STAGE ID N: so many requests, as the stand-in notes them, which it does
# when it has answered
asked() {
	wait_for 2 asked_by_now "$@"
}

asked_by_now() {
	local n
	n=$(grep -c "^graph $1 $2 " "$graph/graph.log")
	[ "$n" -eq "$3" ]
}

# The token went nowhere else.
nobody_else_was_contacted() {
	not grep -E '^(foreign|plain) ' "$graph/graph.log"
}

# brings BOX WAMID [FILE]: the mail with that message has these very bytes, or no
# file at all
brings() {
	python3 -B "$here/attached.py" "$1" "$2" ${3:+"$3"}
}

# ---- a scanner ---------------------------------------------------------------

# MD5, size and name of the EICAR test file
make_clamd() {
	free_ports clamd_port
	mkdir -p "$tmp/clamdb"
	echo '44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature' \
		> "$tmp/clamdb/test.hdb"
	cat > "$tmp/clamd.conf" <<- EOF
	Foreground yes
	DatabaseDirectory $tmp/clamdb
	TemporaryDirectory $tmp
	LocalSocket $tmp/clamd.ctl
	TCPSocket $clamd_port
	TCPAddr 127.0.0.1
	StreamMaxLength 1M
	EOF
}

start_clamd() {
	clamd -c "$tmp/clamd.conf" > "$tmp/clamd.out" 2>&1 &
	pids[clamd]=$!
	wait_for 60 test -S "$tmp/clamd.ctl"
}

make_eicar() {
	printf '%s%s%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}$' \
		'EICAR-STANDARD-ANTIVIRUS-' 'TEST-FILE!$H+H*' > "$graph/$1"
}
