#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The largest file that WhatsApp has, in little memory; and a media role that
# is killed in the middle of its work: nothing is lost, nothing is half.
. "${SRCDIR:?}/tests/integration/lib.sh"
. "$here/media.lib.sh"
need_tools curl openssl python3 pgrep

box=$tmp/archive/new
most_kb=65536

conf_with() {
	[ -z "${pids[daemon]:-}" ] || stop_daemon || return 1
	write_conf <<- EOF
	$(graph_conf "wait 10m; $1")
	$(maildir_conf archive "$tmp/archive")
	EOF
	sed -i 's/connect_timeout 700ms/connect_timeout 60s/' "$conf"
	start_daemon
}

# peak ROLE: the most memory its process ever had, in kB
peak() {
	awk '/^VmHWM/ { print $2 }' "/proc/$(role_pid "$1")/status"
}

check "the Graph stand-in starts" start_graph
check "chatjournald starts" conf_with 'downloads 4;'

# ---- 100 MB ------------------------------------------------------------------------

head -c 104857600 /dev/urandom > "$graph/701.bin"
check "a document of 100 MB is taken" \
	post_file wamid.L701 701 "$(with_digest 701)"
check "it is fetched" wait_for 60 logged 'media.fetched .*bytes=104857600'
check "its mail is sent" wait_for 60 has archive 1
check "its mail brings it" brings "$box" wamid.L701 "$graph/701.bin"
for role in media build deliver; do
	kb=$(peak $role)
	echo "# $role: $kb kB"
	check "$role never had 64 MB of memory" test "${kb:-$most_kb}" -lt \
		$most_kb
done
rm -f "$graph/701.bin" "$box"/*

# ---- killed at work -------------------------------------------------------------------

ids=(711 712 713 714 715 716 717 718)
for id in "${ids[@]}"; do
	make_file $id.png 300000
done
# a second or two for each
graph_script <<< '* get slow 4'

post_all() {
	local id
	for id in "${ids[@]}"; do
		post_file "wamid.L$id" $id "$(with_digest $id)" || return 1
	done
}

begun() {
	[ "$(grep -c '^graph begin get' "$graph/graph.log")" -gt "$1" ]
}

# Each time in the middle of a download.
kill_often() {
	local i before ready
	for i in 1 2 3; do
		before=$(grep -c '^graph begin get' "$graph/graph.log")
		ready=$(grep -c 'role.ready role=media' "$tmp/log")
		wait_for 20 begun "$before" || return 1
		sleep "0.$((RANDOM % 5 + 1))"
		kill -KILL "$(role_pid media)" || return 1
		wait_for 20 logged_times 'role.ready role=media' \
			$((ready + 1)) || return 1
	done
}

all_bring() {
	local id
	for id in "${ids[@]}"; do
		brings "$box" "wamid.L$id" "$graph/$id.png" || return 1
	done
}

check "eight slow files are taken" post_all
check "the media role can be killed in the middle, three times" kill_often
check "it is restarted by the supervisor" \
	log_says 'role.exit role=media .*signal=KILL'
check "it says at which files it died" log_says 'warn media.recover'
check "in the end every file is there" wait_for 60 has archive \
	$((${#ids[@]} + 1))
check "every mail brings its file, whole" all_bring
check "no file was given up" not logged media.unavailable
check "nothing is left in the spool" same "$(ls "$store/spool")" ""

# ---- stopped at work ------------------------------------------------------------------

make_file 721.png 300000
graph_script <<< '721 get#1 stall 1000'
before=$(grep -c '^graph begin get' "$graph/graph.log")
check "a file that stalls is taken" \
	post_file wamid.L721 721 "$(with_digest 721)"
check "it is being fetched" wait_for 20 begun "$before"
recovers=$(grep -c media.recover "$tmp/log")
took=$SECONDS
check "the daemon can be stopped in the middle" stop_daemon
check "at once" test $((SECONDS - took)) -lt 15
check "and started again" start_daemon
check "the file comes then" wait_for 20 brings "$box" wamid.L721 \
	"$graph/721.png"
check "no death was counted against it" \
	same "$(grep -c media.recover "$tmp/log")" "$recovers"

# ---- a file that kills -----------------------------------------------------------------

make_file 731.png 300000
graph_script <<< '731 get stall 1000'

# As if it killed the role: each life dies at it.
die_at_it() {
	local i before
	for i in 1 2 3; do
		before=$(grep -c '^graph begin get 731' "$graph/graph.log")
		wait_for 30 begun_731 $i || return 1
		kill -KILL "$(role_pid media)" || return 1
	done
}
begun_731() {
	[ "$(grep -c '^graph begin get 731' "$graph/graph.log")" -ge "$1" ]
}
check "a file is taken at which the role dies each time" \
	post_file wamid.L731 731 "$(with_digest 731)"
check "it dies three times" die_at_it
check "then the file is given up, and that is an error" wait_for 30 \
	logged 'error media.unavailable .*kills the media role'
check "its mail says so" wait_for 20 eval \
	'grep -ql wamid.L731 "$box"/* && brings "$box" wamid.L731'
make_file 732.png 1000
check "others still come" eval 'post_file wamid.L732 732 &&
	wait_for 20 brings "$box" wamid.L732 "$graph/732.png"'
check "nobody else was contacted" nobody_else_was_contacted
check "everything received is accounted for" ctl verify
check "on SIGTERM the daemon ends with 0" stop_daemon
finish
