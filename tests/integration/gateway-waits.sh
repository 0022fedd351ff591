#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who waits for what at the gateway: a send for its turn, never longer than is
# said, and one that would have to is refused at once and leaves no trace; a
# template for its wording, but not for files that are slow.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
. "$here/gateway.lib.sh"
need_tools curl openssl python3

templates='[{"id":"5001","name":"payment_due","language":"pt_BR","status":"APPROVED","components":[{"type":"BODY","text":"Dear {{1}}, {{2}} is due."}]}]'
due='{"messaging_product":"whatsapp","to":"5511999990000","type":"template","template":{"name":"payment_due","language":{"code":"pt_BR"},"components":[{"type":"body","parameters":[{"type":"text","text":"Eva"},{"type":"text","text":"R$ 1"}]}]}}'
write_directory archive
sed -i 's/number 551140040001;/& account 900100200300400;/' \
	"$tmp/directory.conf"
check "the Graph stand-in starts" start_graph
echo "$templates" > "$graph/graph.templates"
write_gateway_conf
check "chatjournald starts with a gateway" start_all

# ---- slow files and wordings -------------------------------------------------

fetch_slowly() {
	local i
	for i in 1 2 3 4 5 6; do
		make_file "77700$i.png" 100000
		stay curl -s -m 60 -o "$tmp/file$i" -H "Authorization: Bearer $(
			cat "$tmp/secrets/crm.token")" \
			"$(gateway_url)/v25.0/77700$i/file" &
		pids[file$i]=$!
	done
}
begun() {
	[ "$(grep -c "^graph begin get " "$graph/graph.log")" -ge "$1" ]
}
graph_script <<< '* get slow 200'
fetch_slowly
check "many files are fetched, slowly" wait_for 10 begun 4
check "a template is sent meanwhile" is 200 send "$due"
check "in its own words" journaled 'Dear Eva, R\$ 1 is due'
for i in 1 2 3 4 5 6; do
	end "file$i"
done
graph_script < /dev/null

finish
