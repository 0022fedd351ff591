#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two journals, Postfix and a Maildir: a mail is done when both have it, and
# one that is down does not hold up the other.
. "${SRCDIR:?}/tests/integration/lib.sh"
need_postfix

make_postfix
write_directory archive copy
write_conf << EOF
$(relay_conf local "$smtp_port")
$(journal_conf archive local)
$(maildir_conf copy "$tmp/place/copy")
EOF
mkdir "$tmp/place"

copies_are() {
	[ "$(find "$tmp/place/copy/new" -type f | wc -l)" -eq "$1" ]
}

both_are_the_same() {
	local box=$tmp/mail/archive/new/* copy=$tmp/place/copy/new/*
	[ "$(cat $box | wc -l)" -gt 10 ] &&
		cmp <(for f in $box; do bare "$f"; done | sort) \
			<(for f in $copy; do bare "$f"; done | sort)
}

check "chatjournald starts while Postfix is down" start_daemon
check "an event is taken" post_text wamid.TWO1 'one'
check "the Maildir has it" wait_for 5 copies_are 1
check "for the Maildir it is sent" wait_for 5 has copy 1
check "for Postfix it is pending" count_is archive pending 1
check "the trace shows both" eval \
	'[ "$(ctl trace wamid.TWO1 | grep -c "mail:[12]")" -ge 2 ]'
check "Postfix is started" start_postfix
check "it arrives there, too" wait_for 15 mails_are archive 1
check "both are sent" wait_for 5 eval 'has archive 1 && has copy 1'

# A directory that cannot be made, also by root.
mv "$tmp/place" "$tmp/elsewhere"
: > "$tmp/place"
check "without a place for the Maildir an event is taken" \
	post_text wamid.TWO2 'two'
check "it arrives in Postfix" wait_for 10 mails_are archive 2
check "for the Maildir it is not sent" count_is copy sent 1
check "the log says that the Maildir is down" \
	wait_for 5 logged 'relay.down.*relay=copy'
check "new mails still arrive in Postfix" eval \
	'post_text wamid.TWO3 three && wait_for 10 mails_are archive 3'
rm "$tmp/place"
mv "$tmp/elsewhere" "$tmp/place"
check "with the place back all are in the Maildir" \
	wait_for 15 copies_are 3
check "both are sent" wait_for 5 eval 'has archive 3 && has copy 3'
check "both have the same bytes" both_are_the_same

# A journal that is given up while mails for it wait.
end postfix
check "with Postfix down an event is taken" post_text wamid.TWO4 'four'
check "its mail is pending for Postfix" \
	wait_for 5 count_is archive pending 1
cp "$conf" "$tmp/both.conf"
cp "$tmp/directory.conf" "$tmp/both-directory.conf"
sed -i '/^journal archive /,/^}/d; s/catch_all archive/catch_all copy/' "$conf"
write_directory copy
check "the journal is taken out of the configuration" \
	eval 'stop_daemon && start_daemon'
check "status shows what waits for it" eval 'ctl status |
	grep -q "^journal *archive: .* 1 pending.*not in the configuration"'
check "status --check ends with 2" status_is 2 ctl status --check
cp "$tmp/both-directory.conf" "$tmp/directory.conf"
cp "$tmp/both.conf" "$conf"
check "it is put back, and Postfix started" \
	eval 'start_postfix && stop_daemon && start_daemon'
check "the mail arrives" wait_for 10 mails_are archive 4
check "status --check ends with 0" wait_for 5 ctl status --check
check "everything received is accounted for" ctl verify
check "the daemon stops" stop_daemon
finish
