#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One event through a real Postfix: the mail that arrives is the mail that
# chatjournal render prints for the event, byte by byte.
. "${SRCDIR:?}/tests/integration/lib.sh"
need_postfix

arrived() {
	local f=("$tmp/mail/$1/new"/*)
	echo "${f[0]}"
}

render() {
	local ms
	ms=$(ctl --json show event:1 |
		sed -n 's/.*"received_ms": *\([0-9]*\).*/\1/p')
	ctl -j archive --received "$ms" render "$tmp/event.json"
}

is_as_rendered() {
	render > "$tmp/render.eml" &&
		same_mail "$(arrived archive)" "$tmp/render.eml"
}

# The mail inside a journal report, as bytes.
inner_of() {
	python3 - "$1" << 'PY'
import re, sys
data = open(sys.argv[1], "rb").read().replace(b"\r\n", b"\n")
boundary = re.search(rb'boundary="?([^"\n;]+)', data).group(1)
head, _, body = data.split(b"\n--" + boundary)[2].partition(b"\n\n")
assert b"message/rfc822" in head, head
sys.stdout.buffer.write(body)
PY
}

inner_is_as_rendered() {
	inner_of "$(arrived exchange)" > "$tmp/inner.eml" &&
		same_mail "$tmp/inner.eml" "$tmp/render.eml"
}

stored_is_sent() {
	ctl --raw show mail:1 > "$tmp/stored.eml" &&
		same_mail "$(arrived archive)" "$tmp/stored.eml"
}

make_postfix
write_directory archive exchange
write_conf << EOF
$(relay_conf local "$smtp_port")
$(journal_conf archive local)
$(journal_conf exchange local 'profile exchange-journal;')
EOF

check "a private Postfix starts" start_postfix
check "chatjournald starts and answers the handshake" start_daemon
check "a signed event is answered with 200" post_text wamid.ONE \
	'Bom dia! Transferência de R$ 1.000,00 às 10h, ok? \u0416 \u2713'
check "it arrives through Postfix, once for each journal" \
	wait_for 10 eval 'mails_are archive 1 && mails_are exchange 1'
check "what arrives is byte by byte what chatjournal render prints" \
	is_as_rendered
check "a journal report has the very same mail inside" inner_is_as_rendered
check "show --raw prints what was sent" stored_is_sent
check "both mails are accounted for as sent" \
	wait_for 5 eval 'has archive 1 && has exchange 1'
check "everything received is accounted for" ctl verify
check "on SIGTERM the daemon ends with 0" stop_daemon
finish
