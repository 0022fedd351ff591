#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One event for many journals, each with a relay that misbehaves once in its
# own way: no answer is believed that is not one, and the mail arrives, with
# the same bytes, when the relay behaves.
. "${SRCDIR:?}/tests/integration/lib.sh"
need_tools curl openssl python3 pgrep

# name -> how its relay misbehaves (see tests/lib/smtp_peer.py)
declare -A trick=(
	[lost]='dot#1 drop'
	[lost-tls]='dot#1 drop'
	[dripping]='dot#1 drip 200 250 2.0.0 this answer takes its time'
	[closing]='mail#1 drop-after 421 4.3.2 closing'
	[torn]='body#1 at 1000 reset'
	[torn-tls]='body#1 at 1000 reset'
	[mute]='greet#1 hang'
	[injecting-tls]='starttls#1 inject 250 ok\r\n250 ok\r\n250 ok\r\n'
	[lying]=$'rcpt#1 550 5.1.1 nobody here\ndata#1 354 go on'
)
journals=("${!trick[@]}")

# peers listen and the configuration knows them
set_up() {
	local name n=0 ports=() port more
	for name in "${journals[@]}"; do
		ports+=("port_$((n++))")
	done
	free_ports "${ports[@]}"
	write_directory "${journals[@]}"
	n=0
	for name in "${journals[@]}"; do
		port=port_$((n++))
		more='command_timeout 1s; mail_timeout 2s;'
		echo "${trick[$name]}" > "$tmp/$name.script"
		if [[ $name == *-tls ]]; then
			start_peer "$name" "${!port}" --tls-name localhost
			more+=" tls starttls; tls_ca $tmp/$name/ca.pem;"
		else
			start_peer "$name" "${!port}"
		fi || return 1
		relay_conf "$name" "${!port}" "$more"
		journal_conf "$name" "$name"
	done > "$tmp/relays"
}

all_but_lying_have_it() {
	local name
	for name in "${journals[@]}"; do
		[ "$name" = lying ] || has "$name" 1 || return 1
	done
}

# arrived NAME N: so many mails, and all have the bytes that are stored
arrived() {
	local i stored=$tmp/$1.stored
	same "$(peer_mails "$1")" "$2" || return 1
	ctl --raw show "$(ctl list sent -j "$1" | grep -o '^mail:[0-9]*')" \
		> "$stored"
	for i in "$tmp/$1"/*.eml; do
		cmp "$i" "$stored" || return 1
	done
}

half_is_not_taken() {
	[ -e "$tmp/$1/0001.part" ] && arrived "$1" 1
}

write_conf < /dev/null
check "nine relays that misbehave once are started" set_up
sed -i 's/catch_all archive/catch_all lost/' "$conf"
cat "$tmp/relays" >> "$conf"
check "chatjournald starts" start_daemon
check "one event for all of them is taken" \
	post_text wamid.HOSTILE 'to whom it may concern'
check "in the end all have it but the one that says there is nobody" \
	wait_for 20 all_but_lying_have_it

for name in lost lost-tls; do
	check "$name: an end of the connection after the dot is no answer" \
		log_says "mail.unsure.*journal=$name "
	check "$name: it is sent again with the same bytes" arrived $name 2
done
check "dripping: an answer that takes too long is no answer" \
	log_says 'mail.unsure.*journal=dripping '
check "dripping: it is sent again with the same bytes" arrived dripping 2
check "closing: 421 and an end are not the mail's fault" \
	not logged 'mail.failed.*journal=closing '
check "closing: it arrives once" arrived closing 1
check "torn: half a mail is not sent, then a whole one" \
	half_is_not_taken torn
check "torn-tls: half a mail is not sent, then a whole one" \
	half_is_not_taken torn-tls
check "mute: a relay that does not greet is down" \
	log_says 'relay.down.*relay=mute '
check "mute: it arrives once" arrived mute 1
check "injecting-tls: answers sent before the handshake are not believed" \
	grep -q inject "$tmp/injecting-tls/log"
check "injecting-tls: it arrives once" arrived injecting-tls 1

check "lying: 250 for a mail without a recipient is not believed" \
	wait_for 5 count_is lying failed 1
check "lying: the log has the refusal" \
	log_says 'mail.failed.*journal=lying .*550'
check "lying: what it was given is tried again on command" \
	ctl retry --all -j lying
check "lying: and arrives" wait_for 10 has lying 1
check "everything received is accounted for" ctl verify
check "on SIGTERM the daemon ends with 0" stop_daemon
finish
