#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each module includes only what tests/lint/LAYERS grants it.
set -u
cd "$SRCDIR" || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

find include src -name '*.[ch]' | LC_ALL=C sort > "$tmp/FILES"
xargs awk -f tests/lint/layers.awk tests/lint/LAYERS "$tmp/FILES" \
	< "$tmp/FILES" > "$tmp/found" || exit 1
rows=$(sed -n 's/^\([a-z-]*\):.*/\1/p' tests/lint/LAYERS)
others=$(cut -d' ' -f1 "$tmp/found" | sort -u | grep -vxF "$rows")

n=0
for module in $rows $others; do
	n=$((n + 1))
	allowed=$(sed -n "s/^$module: *//p" tests/lint/LAYERS)
	word=ok
	if grep "^$module " "$tmp/found" | sed 's/^[^ ]* /# /' | grep .; then
		word='not ok'
	fi
	echo "$word $n - $module stays within its row of LAYERS: ${allowed:-nothing}"
done

# Written out, as it is the rule on which the others rest.
n=$((n + 1))
word=ok
if grep -ln '^#include "store.h"' -r src --include='*.[ch]' |
    grep -vE '^src/(store|role|ctl)/' | sed 's/^/# /' | grep .; then
	word='not ok'
fi
echo "$word $n - nobody but the roles and the admin tool knows the store"
echo "1..$n"
