#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Manual pages are sound mdoc, and words are spelt as they are.
# Needs mandoc and codespell; without them these tests fail and say so.
set -u
cd "$SRCDIR" || exit 1
n=0

law() {	# law SENTENCE FILE-WITH-COMPLAINTS
	n=$((n + 1))
	sed 's/^/# /' "$2"
	if [ -s "$2" ]; then echo "not ok $n - $1"; else echo "ok $n - $1"; fi
}

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

need() {
	command -v "$1" > /dev/null && return
	echo "$1 is not installed: apt-get install $1"
	return 1
}

for page in doc/man/*.[1-8]; do
	need mandoc > "$tmp/found" &&
		mandoc -Tlint -W warning "$page" > "$tmp/found" 2>&1
	law "${page##*/} is sound mdoc" "$tmp/found"
done

# Of C, only the comments: strings and test data speak other languages.
texts=("$tmp/comments")
for path in README ARCHITECTURE.md CHANGES doc conf templates; do
	[ -e "$path" ] && texts+=("$path")
done
need codespell > "$tmp/found" &&
	python3 -B tests/lint/comments.py "$tmp/comments" > "$tmp/found" 2>&1 &&
	codespell -q 7 --skip '*.words,*.pt.txt,*.ru.txt' -I tests/lint/codespell.ignore "${texts[@]}" \
	> "$tmp/found" 2>&1
sed -i "s|^$tmp/comments/||" "$tmp/found"
law 'there are no spelling mistakes in documents and comments' "$tmp/found"
echo "1..$n"
