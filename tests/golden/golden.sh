#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The mails of tests/events are, byte for byte, those under tests/golden.
# With --accept (make golden-accept) the files there are replaced; look at
# the difference before it is committed.
set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
golden=$SRCDIR/tests/golden

# One of each kind of mail; read_back.py looks at the mails of all events.
events='account-alert bsuid-only button changed-fields contact-sync
document-hostile-name echo-edit-revoke echo-text edit forwarded group
history image location many-in-one media-failed not-json order other-object
reaction-removed reply revoke status-failed system-user-id text-ar
text-controls text-pt text-ru unknown-type unsupported voice-note'

# Files, styles, what came later, and what the rules and the gateway did; the
# large ones are only read back.
cases='aged contract edited follow-up headers hostile-name late missing
not-held photo quarantined recording split sticker thread voice
judged passed released expired rejected excluded excluded-late excluded-send
blocked held send-rejected send-expired send-unknown send-refused
send-not-sent send-pending send-reported send-released send-changed
send-template send-no-wording pt-judged ru-blocked pt-excluded'

files=()
for c in $cases; do
	files+=("$golden/cases/$c.case")
done
for e in $events; do
	for f in "$SRCDIR/tests/events/$e.json" "$golden/$e.bin"; do
		[ -e "$f" ] && files+=("$f")
	done
done
"$BUILDDIR/tests/golden/golden_render" "$SRCDIR/templates" "$tmp" \
	"${files[@]}" || exit 1
# language LANGUAGE ZONE EVENT...: the same in another language
language() {
	local name=$1 zone=$2
	shift 2
	mkdir "$tmp/$name" || exit 1
	"$BUILDDIR/tests/golden/golden_render" -l "$name" -z "$zone" \
		"$SRCDIR/templates" "$tmp/$name" \
		"${@/#/$SRCDIR/tests/events/}" || exit 1
	for f in "$tmp/$name"/*.eml; do
		mv "$f" "$tmp/$name-${f##*/}"
	done
	rm -r "${tmp:?}/$name"
}
language pt America/Sao_Paulo text-pt.json status-failed.json \
	call-terminate.json unsupported.json order.json
language ru Europe/Moscow text-ru.json edit.json interactive.json \
	group-participants.json account-offboarded.json
rm -f "$tmp"/*.ids "$tmp"/*.raw
for f in "$tmp"/*.rpt; do	# one report is enough: it embeds the mail
	[ "${f##*/}" = group-1.rpt ] || rm "$f"
done

if [ "${1-}" = --accept ]; then
	rm -f "$golden"/*.eml "$golden"/*.rpt
	cp "$tmp"/*.eml "$tmp"/*.rpt "$golden"
	exit
fi

n=0
for f in "$tmp"/*; do
	n=$((n + 1))
	name=${f##*/}
	if cmp -s "$f" "$golden/$name"; then
		echo "ok $n - $name is as it was accepted"
	else
		diff "$golden/$name" "$f" 2>&1 | head -20 | sed 's/^/# /'
		echo "not ok $n - $name is as it was accepted"
	fi
done
n=$((n + 1))
lost=$(cd "$golden" && for f in *.eml *.rpt; do [ -e "$tmp/$f" ] || echo "$f"; done)
[ -z "$lost" ] || echo "$lost" | sed 's/^/# not rendered any more: /'
[ -z "$lost" ] && echo "ok $n - no accepted mail is missing" ||
	echo "not ok $n - no accepted mail is missing"
echo "1..$n"
