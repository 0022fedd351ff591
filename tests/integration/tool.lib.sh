# tests/integration/tool.lib.sh: asking chatjournal(1), with and without --json
# SPDX-License-Identifier: Apache-2.0
#
# Read after lib.sh.

# All that was printed with --json is looked at in one go, in the end.
jsons=0
keep_json() {
	jsons=$((jsons + 1))
	{ echo "$*"; cat "$tmp/out"; } > "$tmp/json.$jsons"
}

# all_is_json N: and there are more than N of it
all_is_json() {
	python3 - "$1" "$tmp"/json.* << 'PY'
import json, sys
for name in sys.argv[2:]:
    command, _, text = open(name, encoding="utf-8").read().partition("\n")
    try:
        json.loads(text)
    except ValueError as e:
        sys.exit("%s: %s\n%s" % (command, e, text))
assert len(sys.argv) > int(sys.argv[1]), len(sys.argv)
PY
}

quietly() {
	ctl "$@" > "$tmp/out" 2> "$tmp/err"
}

# says STATUS ARGUMENT...: that status, and with --json the same and JSON.
# On success there is something to read, on failure a message.
says() {
	local want=$1 stream
	shift
	for json in '' --json; do
		status_is "$want" quietly $json "$@" || {
			cat "$tmp/out" "$tmp/err"
			return 1
		}
		case $want in
		0 | 2) stream=out ;;
		*) stream=err ;;
		esac
		[ -s "$tmp/$stream" ] || { echo "nothing said: $json"; return 1; }
		if [ -n "$json" ] && [ $stream = out ]; then
			keep_json "$@"
		fi
	done
}
