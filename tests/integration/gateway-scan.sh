#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a real clamd says of files that staff upload: a rule keeps an infected
# one from leaving, a clean one passes, and one that nothing scanned is as the
# rules say.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
. "$here/gateway.lib.sh"
need_tools curl openssl python3 clamd

cat > "$tmp/policy.conf" << 'RULES'
rule virus { match malware infected; sure; action tag malware; action block "The file is infected."; }
rule blind { match malware unscanned; action tag unscanned; }
RULES
make_clamd
check "the Graph stand-in starts" start_graph
check "clamd starts" start_clamd
scanner="clamd $tmp/clamd.ctl;"
write_gateway_conf
check "chatjournald starts with a gateway and a scanner" start_all

# upload NAME TYPE
upload() {
	ask POST "/v25.0/$number/media" -F messaging_product=whatsapp \
		-F "type=$2" -F "file=@$graph/$1;type=$2"
}
document() {
	printf '{"messaging_product":"whatsapp","to":"%s","type":"document","document":{"id":"%s","filename":"%s"}}' \
		$customer "$1" "$2"
}

# cards ID: a template with a file by link, which nothing scans, and this one
cards() {
	printf '{"messaging_product":"whatsapp","to":"%s","type":"template","template":{"name":"cards","language":{"code":"en"},"components":[{"type":"carousel","cards":[{"card_index":0,"components":[{"type":"header","parameters":[{"type":"image","image":{"link":"https://cdn.example/a.png"}}]}]},{"card_index":1,"components":[{"type":"header","parameters":[{"type":"image","image":{"id":"%s"}}]}]}]}]}}' \
		$customer "$1"
}

make_file clean.png 20000
make_eicar bad.txt
check "a clean file is uploaded" is 200 upload clean.png image/png
check "and sent" is 200 send "$(document "$(of id)" clean.png)"
check "its mail has the file" wait_for 15 brings "$box" \
	"$(of messages 0 id)" "$graph/clean.png"
check "an infected file is uploaded" is 200 upload bad.txt text/plain
bad=$(of id) sent=$(at_meta '"what": "send"')
check "the message that would use it is blocked" refuses 403 200 4190001 \
	send "$(document "$bad" bad.txt)"
check "with the reason" same "$(of error error_data details)" \
	'The file is infected.'
check "it did not reach Meta" same "$(at_meta '"what": "send"')" "$sent"
check "the attempt is journaled with its tag" journaled bad.txt \
	"$(came_to blocked)" 'X-ChatJournal-Flag: malware'
check "an infected file beside one that nothing scanned is found all the same" \
	refuses 403 200 4190001 send "$(cards "$bad")"
check "for the same reason" same "$(of error error_data details)" \
	'The file is infected.'
check "that did not reach Meta either" same "$(at_meta '"what": "send"')" "$sent"

end clamd
check "while the scanner is away a file is uploaded" \
	is 200 upload clean.png image/png
check "and the message passes" is 200 send "$(document "$(of id)" blind.png)"
check "tagged as not scanned" journaled blind.png \
	'X-ChatJournal-Flag: unscanned'
check "everything is accounted for" ctl verify
check "on SIGTERM the daemon ends with 0" stop_daemon
finish
