#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Applications that may use some business numbers only: their files and groups
# are theirs, those of other numbers are not, whoever says so.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
. "$here/gateway.lib.sh"
need_tools curl openssl python3

other=999888777666
write_directory archive
check "the Graph stand-in starts" start_graph --phone-number-id $other
make_tokens
for name in ours theirs both; do
	(umask 077; openssl rand -hex 20 > "$tmp/secrets/$name.token")
done
applications="
	application ours { token_file $tmp/secrets/ours.token;
		business $number; }
	application theirs { token_file $tmp/secrets/theirs.token;
		business $other; }
	application both { token_file $tmp/secrets/both.token;
		business $other; business $number; }"
write_gateway_conf
check "chatjournald starts with a gateway" start_all

# ---- files -------------------------------------------------------------------

make_file picture.png 5000
upload() {
	ask POST "/v25.0/$number/media" -F messaging_product=whatsapp \
		-F 'type=image/png' -F "file=@$graph/picture.png;type=image/png"
}
# The same for a file of our number, called $1: what is in $media.
as_ours_alone() {
	as=theirs
	check "another's application does not find $1" \
		refuses 403 10 - ask GET "/v25.0/$media"
	check "nor fetch it" refuses 403 10 - ask GET "/v25.0/$media/file"
	check "nor with its own number" refuses 403 10 - \
		ask GET "/v25.0/$media/file?phone_number_id=$other"
	check "nor with ours" refuses 403 10 - \
		ask GET "/v25.0/$media/file?phone_number_id=$number"
	check "nor delete it" refuses 403 10 - ask DELETE "/v25.0/$media"
	for as in ours both; do
		check "$as finds $1" is 200 ask GET "/v25.0/$media"
		check "at an address that names the number" same "$(of url)" \
			"$(gateway_url)/v25.0/$media/file?phone_number_id=$number"
		check "and there it is" is 200 \
			ask GET "/v25.0/$media/file?phone_number_id=$number"
	done
}
as=ours check "a file is uploaded" is 200 upload
media=$(of id)
as_ours_alone "what was uploaded"
as=both check "both deletes it" is 200 ask DELETE "/v25.0/$media"
check "Meta was told the number, too" \
	reached 1 "DELETE.*/$media?phone_number_id=$number\""
make_file 8900001.png 5000
media=8900001
check "a picture comes in" post_file wamid.PIC $media
came_in() {
	[ "$(as=ours ask GET "/v25.0/$media")" = 200 ] && python3 - "$store" << 'PY'
import sqlite3, sys
db = sqlite3.connect("file:%s/build.db?mode=ro" % sys.argv[1], uri=True)
sys.exit(not db.execute("SELECT count(*) FROM want").fetchone()[0])
PY
}
check "it is known" wait_for 10 came_in
as_ours_alone "what came in"
as=crm check "who may use all numbers has it" is 200 \
	ask GET "/v25.0/$media/file"
as=theirs check "another's application is not told about our number either" \
	refuses 403 10 - ask GET "/v25.0/$number"
as=both check "who may use it is" is 400 ask GET "/v25.0/$number"
make_file 8900002.png 5000
media=8900002
as=both check "one that is not known: 403 for who may use several numbers" \
	refuses 403 10 - ask GET "/v25.0/$media"
check "unless it is said of which" is 200 \
	ask GET "/v25.0/$media?phone_number_id=$other"
check "but not of which nobody has" refuses 403 10 - \
	ask GET "/v25.0/$media?phone_number_id=123456789"
check "nor of two at once" refuses 404 2500 - ask GET \
	"/v25.0/$media?phone_number_id=$other&phone_number_id=$number"
as=theirs check "with one number Meta is asked with that" is 200 \
	ask DELETE "/v25.0/$media"
check "and compares it" reached 1 "/$media?phone_number_id=$other\""
make_file 8900003.png 5000
theft='{"messaging_product":"whatsapp","to":"5511999990000","type":"image","image":{"id":"8900001"}}'
as=theirs check "to send a file of another's does not make it one's own" eval '
	json "/v25.0/$other/messages" "$theft" > /dev/null
	journaled "8900001" "X-ChatJournal-Application: theirs"
	refuses 403 10 - ask GET /v25.0/8900001/file'

# ---- groups ------------------------------------------------------------------

as=ours
check "a group is made" is 200 json "/v25.0/$number/groups" \
	'{"messaging_product":"whatsapp","subject":"Deal room"}'
group=$(python3 - "$graph/graph.requests" << 'PY'
import json, sys
print([o["result"] for o in map(json.loads, open(sys.argv[1]))
       if o["what"] == "group"][-1])
PY
)
check "nobody knows yet whose it is: 403" \
	refuses 403 10 - ask GET "/v25.0/$group?fields=subject"
to_group="{\"messaging_product\":\"whatsapp\",\"recipient_type\":\"group\",\"to\":\"$group\",\"type\":\"text\",\"text\":{\"body\":\"to all\"}}"
as=theirs check "who writes to it does not make it his own" eval '
	json "/v25.0/$other/messages" "$to_group" > /dev/null
	journaled "to all" "X-ChatJournal-Application: theirs"
	refuses 403 10 - ask GET "/v25.0/$group"'
group_event() {
	printf '{"object":"whatsapp_business_account","entry":[{"id":"900100200300400","changes":[{"field":"group_lifecycle_update","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"551140040001","phone_number_id":"%s"},"groups":[{"timestamp":"%s","group_id":"%s","type":"group_create","request_id":"rq1","subject":"Deal room"}]}}]}]}' \
		$number "$(date +%s)" "$group" > "$tmp/event.json"
	same "$(post "$tmp/event.json")" 200
}
check "a webhook tells of it" group_event
ours_now() {
	[ "$(as=ours ask GET "/v25.0/$group")" = 200 ]
}
check "then it is of that number" wait_for 10 ours_now
as=ours
remove='{"messaging_product":"whatsapp","participants":[{"user":"5511999990000"}]}'
check "its application removes somebody" is 200 \
	ask DELETE "/v25.0/$group/participants" \
	-H 'Content-Type: application/json' --data-binary "$remove"
check "that is journaled for the number" journaled "$group" DELETE \
	"X-ChatJournal-Business: .*$number"
check "it writes to the group" is 200 send "$to_group"
as=theirs
seen=$(at_meta)
check "another's application is refused: 403" \
	refuses 403 10 - ask GET "/v25.0/$group"
check "in all it asks for" refuses 403 10 - \
	ask DELETE "/v25.0/$group/participants" \
	-H 'Content-Type: application/json' --data-binary "$remove"
check "and so is what goes through our number" \
	refuses 403 10 - send "$to_group"
check "nothing of that went to Meta" reached "$seen"
as=crm check "who may use all numbers may" is 200 ask GET "/v25.0/$group"
check "everything received is accounted for" ctl verify
finish
