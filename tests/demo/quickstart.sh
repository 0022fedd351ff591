#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ./quickstart says what a stranger should see: what was sent through the
# gateway, blocked with its reason, held and released, worded by a template,
# found by a lexicon; all of it journaled. Run by tests/all.sh.
set -u
: "${SRCDIR:?}"
demo=$SRCDIR/quickstart.d
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
count=0 failed=0

check() {
	count=$((count + 1))
	if "${@:2}" > /dev/null 2>&1; then
		echo "ok $count - $1"
	else
		failed=1
		echo "not ok $count - $1"
	fi
}

says() {
	grep -Eq -- "$1" "$out"
}

nobody_is_left() {
	! kill -0 "$(cat "$demo/pid")"
}

same_number() {
	[ "$(sed -n 's/.* became \([0-9]*\) mails in .*/\1/p' "$out")" = \
		"$(find "$demo/Maildir/new" -type f | wc -l)" ]
}

check "./quickstart ends well" \
	eval 'env -u MAKEFLAGS "$SRCDIR/quickstart" > "$out" 2>&1'
check "it says how many mails there are" same_number
check "it shows a message that was sent through the gateway" \
	says '^ +sent +wamid\.'
check "it shows one that was blocked, with the reason for its sender" \
	says '^ +blocked +Card and account numbers may not be sent by chat\.$'
check "it shows one that was held, with its rule" \
	says '^ +held +send:[0-9a-f]{32}, by the rule guarantees$'
check "it shows who released it" \
	says '^ +released +send:[0-9a-f]{32}, by [^ ]+$'
check "it shows a template that was sent" says '^ +template +wamid\.'
check "it shows what a lexicon found in captured words" \
	says '^ +tagged +off-channel: '
check "what it names as a page is one" \
	grep -q 'deposit of BRL 40,000 matures on 12 October' "$demo/day.html"
check "nothing of it runs any more" nobody_is_left
[ $failed -eq 0 ] || sed 's/^/# /' "$out" | tail -n 40
echo "1..$count"
exit $failed
