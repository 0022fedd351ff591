#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Relays with STARTTLS and AUTH, real Postfix and Cyrus SASL: what cannot be
# sent safely is not sent, and what is not sent waits.
. "${SRCDIR:?}/tests/integration/lib.sh"
need_postfix

make_postfix
password=$(openssl rand -hex 8)

write_relay() {
	write_conf <<- EOF
	$(relay_conf local "$1" "$2")
	$(journal_conf archive local)
	EOF
	rm -f "$tmp/log"
	start_daemon
}

waits_with() {
	wait_for 10 logged "relay.down.*$1" && count_is archive pending 1 &&
		count_is archive failed 0
}

# The reload mends the configuration; the mail that waited goes out.
mend() {
	sed -i "$1" "$conf"
	kill -HUP "${pids[daemon]}"
}

set_password() {
	(umask 077; echo "$1" > "$tmp/secrets/relay")
}

auth_conf="tls starttls; tls_ca $tmp/tls/ca.pem; user journal@bank.example;
password_file $tmp/secrets/relay;"

encrypted() {
	[ "$(grep -c 'TLS connection established' "$pf/log")" -ge "$1" ]
}

check "a private Postfix starts" start_postfix

check "chatjournald starts with a relay that requires STARTTLS" \
	write_relay "$tls_port" "tls starttls; tls_ca $tmp/tls/ca.pem;"
check "an event is taken" post_text wamid.TLS 'over TLS, please'
check "it arrives through STARTTLS" wait_for 10 mails_are archive 1
check "Postfix saw it come encrypted" wait_for 3 encrypted 1
check "the daemon stops" stop_daemon

check "it starts with an authority that did not sign the certificate" \
	write_relay "$tls_port" "tls starttls; tls_ca $tmp/tls/strange.pem;"
check "an event is taken" post_text wamid.STRANGE 'not to strangers'
check "the relay is down and the mail waits" waits_with certificate
check "nothing arrived" mails_are archive 1
check "with the right authority and SIGHUP" \
	mend "s,strange.pem,ca.pem,"
check "the mail arrives" wait_for 10 mails_are archive 2
check "the daemon stops" stop_daemon

check "it starts with a relay that knows no STARTTLS, but must" \
	write_relay "$smtp_port" "tls starttls; tls_ca $tmp/tls/ca.pem;"
postconf -c "$pf/conf" -e smtpd_tls_security_level=none
kill -HUP "${pids[postfix]#-}"
check "an event is taken" post_text wamid.NOTLS 'never in clear text'
check "the relay is down and the mail waits" waits_with reason=
check "nothing arrived" mails_are archive 2
check "the port that has it is given" mend "s,:$smtp_port;,:$tls_port;,"
check "the mail arrives" wait_for 10 mails_are archive 3
check "the daemon stops" stop_daemon

auth_sentences=("it starts with a user and a wrong password"
	"an event is taken" "the relay is down and the mail waits"
	"nothing arrived" "with the right password and SIGHUP"
	"the mail arrives" "it came from the authenticated user"
	"the password is in no log line")
if command -v saslpasswd2 > /dev/null; then
	printf '%s\n' 'pwcheck_method: auxprop' 'auxprop_plugin: sasldb' \
		"sasldb_path: $pf/sasldb" 'mech_list: PLAIN LOGIN' \
		> "$pf/conf/sasl/smtpd.conf"
	echo "$password" | saslpasswd2 -p -c -f "$pf/sasldb" \
		-u bank.example journal
	chown postfix "$pf/sasldb"
	set_password "not$password"
	check "${auth_sentences[0]}" write_relay "$auth_port" "$auth_conf"
	check "${auth_sentences[1]}" post_text wamid.AUTH 'who is there?'
	check "${auth_sentences[2]}" waits_with 535
	check "${auth_sentences[3]}" mails_are archive 3
	set_password "$password"
	check "${auth_sentences[4]}" kill -HUP "${pids[daemon]}"
	check "${auth_sentences[5]}" wait_for 10 mails_are archive 4
	check "${auth_sentences[6]}" \
		grep -q 'sasl_username=journal@bank.example' "$pf/log"
	check "${auth_sentences[7]}" not logged "$password"
	check "everything received is accounted for" ctl verify
	check "the daemon stops" stop_daemon
else
	for sentence in "${auth_sentences[@]}"; do
		skip "$sentence" "saslpasswd2 is not installed (sasl2-bin)"
	done
fi
finish
