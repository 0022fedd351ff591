#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What gets installed: by make install into an empty root, and by the Debian
# package that make deb made. As root, where chatjournal is not installed, the
# package is really installed, the service run as its unit says (without
# systemd: user, rights, system calls, read-only file system), one event sent
# through, and all of it purged again.
. "${SRCDIR:?}/tests/integration/lib.sh"
need_tools dpkg-deb systemd-analyze python3 openssl curl readelf
deb=$(echo "$BUILDDIR"/chatjournal_*.deb)
[ -e "$deb" ] || skip_all "make deb first"

# ---- make install ---------------------------------------------------------

listed() {	# ROOT: its files, without those of systemd
	(cd "$1" && find . ! -type d ! -path '*/lib/s*' ! -path '*/tmpfiles.d/*' |
		sort)
}

make_install() {
	env -u MAKEFLAGS -u MFLAGS make -s -C "$BUILDDIR" "$1" \
		DESTDIR="$tmp/root" prefix=/usr sysconfdir=/etc
}

everything_is_there() {
	listed "$tmp/root" > "$tmp/there"
	diff - "$tmp/there" <<- EOF
	./etc/chatjournal/chatjournal.conf.sample
	./etc/chatjournal/directory.conf.sample
	./etc/chatjournal/nginx-gateway.conf.sample
	./etc/chatjournal/nginx.conf.sample
	./etc/chatjournal/policy.conf.sample
	./usr/bin/chatjournal
	./usr/sbin/chatjournald
	./usr/share/chatjournal/lexicons/complaints.en.txt
	./usr/share/chatjournal/lexicons/complaints.pt.txt
	./usr/share/chatjournal/lexicons/complaints.ru.txt
	./usr/share/chatjournal/lexicons/guarantees.en.txt
	./usr/share/chatjournal/lexicons/guarantees.pt.txt
	./usr/share/chatjournal/lexicons/guarantees.ru.txt
	./usr/share/chatjournal/lexicons/insider.en.txt
	./usr/share/chatjournal/lexicons/insider.pt.txt
	./usr/share/chatjournal/lexicons/insider.ru.txt
	./usr/share/chatjournal/lexicons/off-channel.en.txt
	./usr/share/chatjournal/lexicons/off-channel.pt.txt
	./usr/share/chatjournal/lexicons/off-channel.ru.txt
	./usr/share/chatjournal/lexicons/payment-fraud.en.txt
	./usr/share/chatjournal/lexicons/payment-fraud.pt.txt
	./usr/share/chatjournal/lexicons/payment-fraud.ru.txt
	./usr/share/chatjournal/policy/brazil.conf
	./usr/share/chatjournal/policy/fca.conf
	./usr/share/chatjournal/policy/finra.conf
	./usr/share/chatjournal/presets/enterprise-vault.conf
	./usr/share/chatjournal/presets/exchange-purview.conf
	./usr/share/chatjournal/presets/global-relay.conf
	./usr/share/chatjournal/presets/mailbox.conf
	./usr/share/chatjournal/presets/mimecast.conf
	./usr/share/chatjournal/presets/piler.conf
	./usr/share/chatjournal/presets/smarsh.conf
	./usr/share/chatjournal/templates/pt.words
	./usr/share/chatjournal/templates/ru.words
	./usr/share/chatjournal/templates/subject.txt
	./usr/share/chatjournal/templates/turn.html
	./usr/share/chatjournal/templates/turn.txt
	./usr/share/doc/chatjournal/COMPLIANCE.md
	./usr/share/doc/chatjournal/DEVIATIONS.md
	./usr/share/man/man1/chatjournal.1
	./usr/share/man/man5/chatjournal-policy.5
	./usr/share/man/man5/chatjournal-templates.5
	./usr/share/man/man5/chatjournal.conf.5
	./usr/share/man/man7/chatjournal-headers.7
	./usr/share/man/man8/chatjournald.8
	EOF
}

nothing_is_left() {
	same "$(find "$1" ! -type d)" ""
}

check "make install installs into DESTDIR" make_install install
check "programs, manuals, templates and samples, and nothing else" \
	everything_is_there
check "make uninstall takes back all of it" \
	eval 'make_install uninstall && nothing_is_left "$tmp/root"'

# ---- the package as a file ------------------------------------------------

x=$tmp/x
unit=$x/lib/systemd/system/chatjournald.service

scripts_are_shell() {
	local f
	for f in postinst postrm prerm; do
		sh -n "$tmp/e/$f" || return
	done
}

is_hardened() {
	readelf -hldW "$1" > "$tmp/elf" && grep -q 'Type: *DYN' "$tmp/elf" &&
		grep -q GNU_RELRO "$tmp/elf" && grep -q BIND_NOW "$tmp/elf" &&
		grep GNU_STACK "$tmp/elf" | grep -q 'RW '
}

unit_is_valid() {
	sed "s|/usr/sbin/|$x&|" "$unit" > "$tmp/chatjournald.service"
	systemd-analyze verify --man=no "$tmp/chatjournald.service" \
		> "$tmp/verify" 2>&1
	! grep chatjournald "$tmp/verify"
}

unit_is_narrow() {
	systemd-analyze security --no-pager --offline=true --threshold=20 \
		"$unit"
}

version_of_source() {
	sed -n 's/^AC_INIT(\[chatjournal], \[\([^]]*\).*/\1/p' \
		"$SRCDIR/configure.ac"
}

check "the package can be unpacked" eval \
	'dpkg-deb -x "$deb" "$x" && dpkg-deb -e "$deb" "$tmp/e"'
check "its version is that of the source" \
	same "$(dpkg-deb -f "$deb" Version)" "$(version_of_source)"
check "its maintainer scripts are valid shell" scripts_are_shell
check "configuration files are kept at an upgrade" same \
	"$(cat "$tmp/e/conffiles")" "/etc/chatjournal/chatjournal.conf
/etc/chatjournal/directory.conf"
check "no secret is in it" nothing_is_left "$x/etc/chatjournal/secrets"
check "the daemon is a hardened executable" \
	is_hardened "$x/usr/sbin/chatjournald"
check "the admin tool is a hardened executable" \
	is_hardened "$x/usr/bin/chatjournal"
check "systemd accepts the unit" unit_is_valid
check "systemd rates its exposure below 2 of 10" unit_is_narrow

# ---- the package on this machine ------------------------------------------

skip_installation() {
	skip "installing, running and purging the package" "$1"
	finish
}

[ "$(id -u)" -eq 0 ] || skip_installation "needs root"
for f in /etc/chatjournal /var/lib/chatjournal /usr/sbin/chatjournald; do
	[ ! -e $f ] || skip_installation "$f is here already"
done
getent passwd chatjournal > /dev/null && had_user=yes || had_user=

export DEBIAN_FRONTEND=noninteractive
install_package() {	# --no-triggers: manual pages are indexed at the end
	dpkg --no-triggers -i "$deb" && if [ -d /run/systemd/system ]; then
		systemctl stop chatjournald
	fi
}

purge_package() {
	dpkg --no-triggers --purge chatjournal
}

# Also when a test is broken off: nothing of it stays on the machine.
remove_traces() {
	dpkg --purge chatjournal
	rm -rf /var/lib/chatjournal /etc/chatjournal /run/chatjournal
	[ -n "$had_user" ] || ! getent passwd chatjournal || userdel chatjournal
} > /dev/null 2>&1
trap 'clean_up; remove_traces' EXIT

traces() {	# what dpkg does not know of
	find /etc /run /usr /lib/systemd /var/lib -xdev \
		-name '*chatjournal*' ! -path '*/dpkg/*' 2> /dev/null
}

owned_as() {	# PATH "MODE USER:GROUP"
	same "$(stat -c '%a %U:%G' "$1")" "$2"
}

secrets_are_private() {
	local f
	owned_as /etc/chatjournal "750 root:chatjournal" &&
		owned_as /etc/chatjournal/secrets "750 root:chatjournal" || return
	for f in app-secret verify-token; do
		owned_as /etc/chatjournal/secrets/$f "640 root:chatjournal" &&
			grep -Eqx '[0-9a-f]{32}' /etc/chatjournal/secrets/$f ||
			return
	done
	not cmp -s /etc/chatjournal/secrets/{app-secret,verify-token}
}

# The system calls the unit allows, one on each line.
unit_calls() {
	python3 - "$1" << 'PY'
import re, subprocess, sys
groups, group = {}, None
for line in subprocess.run(["systemd-analyze", "syscall-filter"], check=True,
                           capture_output=True, text=True).stdout.split("\n"):
    if line.startswith("@"):
        group = groups.setdefault(line, [])
    elif re.match(r"    [@\w]", line):
        group.append(line.strip())
def calls(words):
    for w in words:
        yield from calls(groups[w]) if w.startswith("@") else [w]
allowed = set()
for value in re.findall(r"^SystemCallFilter=(.*)", open(sys.argv[1]).read(),
                        re.M):
    if value.startswith("~"):
        allowed -= set(calls(value[1:].split()))
    else:
        allowed |= set(calls(value.split()))
print(*sorted(allowed), sep="\n")
PY
}

listen_for_notices() {
	python3 -u - "$tmp/notify" << 'PY' > "$tmp/notices" &
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
while True:
    print(s.recv(4096).decode())
PY
	pids[notices]=$!
	wait_for 5 test -S "$tmp/notify"
}

noticed() {
	grep -q "$1" "$tmp/notices"
}

# As the unit says: only two directories can be written to, /proc shows
# nobody else, a user with one capability, no new rights, these system calls.
cat > "$tmp/service" << 'EOS'
set -e
umask 077
for dir in /var/lib/chatjournal /run/chatjournal; do
	mount --bind $dir $dir
done
mount -o remount,bind,ro /
mount -t proc -o hidepid=invisible,subset=pid proc /proc
ulimit -c 0
cd /
exec setpriv --reuid chatjournal --regid chatjournal --init-groups \
	--bounding-set -all,+net_bind_service \
	--inh-caps -all,+net_bind_service \
	--ambient-caps -all,+net_bind_service --no-new-privs \
	"$1/as_unit" "$1/calls" /usr/sbin/chatjournald
EOS

start_service() {
	listen_for_notices || return
	env -i PATH="$PATH" NOTIFY_SOCKET="$tmp/notify" WATCHDOG_USEC=1000000 \
		unshare -m sh "$tmp/service" "$tmp" >> "$tmp/log" 2>&1 &
	pids[daemon]=$!
	wait_for 20 eval 'noticed READY=1 || ! alive daemon'
	noticed READY=1
}

# With the made-up secrets, turns that end soon, and another port if somebody
# has this one; with a gateway, and a rule for it.
learn_configuration() {
	local f
	for f in graph crm; do
		openssl rand -hex 20 > /etc/chatjournal/secrets/$f-token
		chgrp chatjournal /etc/chatjournal/secrets/$f-token
		chmod 640 /etc/chatjournal/secrets/$f-token
	done
	free_ports gateway_port
	cat > /etc/chatjournal/policy.conf <<- EOF
	lexicon lures { file /usr/share/chatjournal/lexicons/off-channel.*.txt; }
	pattern deal "\\bDL-[0-9]{6}\\b";
	rule lures { match any { lexicon lures; pattern deal; } action block "Not here."; }
	EOF
	echo 'business 106540352242922 { number 551140040001; name Desk; desk pb; journal archive; }' \
		>> /etc/chatjournal/directory.conf
	cat >> /etc/chatjournal/chatjournal.conf <<- EOF
	turn { idle 1s; }
	policy policy.conf;
	graph { token_file secrets/graph-token; }
	gateway {
	    listen 127.0.0.1:$gateway_port;
	    application crm { token_file secrets/crm-token; }
	}
	EOF
	http_port=8080
	if (: < /dev/tcp/127.0.0.1/8080) 2> /dev/null; then
		free_ports http_port
		sed -i "s/127.0.0.1:8080/127.0.0.1:$http_port/" \
			/etc/chatjournal/chatjournal.conf
	fi
	mkdir -m 700 "$tmp/secrets"
	cp /etc/chatjournal/secrets/app-secret "$tmp/secrets/app"
	cp /etc/chatjournal/secrets/verify-token "$tmp/secrets/verify"
	cp "$BUILDDIR/tests/integration/as_unit" "$tmp"
	chmod 755 "$tmp/as_unit"
	unit_calls "$unit" > "$tmp/calls"
	chmod 644 "$tmp/calls"
}

everybody_is() {	# the supervisor and five roles
	same "$(ps -o uid= --pid "${pids[daemon]}" --ppid "${pids[daemon]}" |
		tr -d ' \n')" "$(id -u "$1" | sed 's/.*/&&&&&&/')"
}

mail_holds() {
	local f=(/var/lib/chatjournal/Maildir/new/*)
	[ ${#f[@]} -eq "$1" ] && grep -q "$2" "${f[@]}"
}

blocked_at_the_gateway() {
	same "$(curl -s -m 20 -o "$tmp/answer" -w '%{http_code}' \
		-H "Authorization: Bearer $(cat /etc/chatjournal/secrets/crm-token)" \
		-H 'Content-Type: application/json' -d "{
		\"messaging_product\":\"whatsapp\",\"to\":\"447700900123\",
		\"type\":\"text\",\"text\":{\"body\":\"$1\"}}" \
		"http://127.0.0.1:$gateway_port/v25.0/106540352242922/messages")" 403 &&
		grep -q 'Not here' "$tmp/answer"
}

refused_when_unsigned() {
	same "$(curl -s -o /dev/null -w '%{http_code}' -d '{}' \
		"$(webhook_url)")" 401
}

only_the_user_owns_the_store() {
	same "$(find /var/lib/chatjournal ! -user chatjournal)" ""
}

check "dpkg installs the package" install_package
check "configuration and secrets are for root and the service only" \
	secrets_are_private
check "the store's directory is for the service alone" \
	owned_as /var/lib/chatjournal "700 chatjournal:chatjournal"
check "the installed configuration is good" chatjournald --check
learn_configuration
check "the service starts with the rights of its unit, and says so" \
	start_service
check "every process of it runs as chatjournal" \
	everybody_is chatjournal
check "an unsigned event is refused" refused_when_unsigned
check "one that is signed with the made-up secret is answered with 200" \
	post_text wamid.INSTALLED 'the package works'
check "and is a mail in the Maildir" \
	wait_for 30 mail_holds 1 'the package works'
check "a lexicon of the package blocks what is sent through the gateway" \
	blocked_at_the_gateway 'message me on telegram'
check "and so does a pattern, though memory is never made executable" \
	blocked_at_the_gateway 'about DL-123456'
check "the attempts are journaled" wait_for 30 mail_holds 3 DL-123456
check "the admin tool shows that nothing waits" chatjournal status --check
check "the admin tool accounts for everything" chatjournal verify
check "what root asks for with it can be read by the service" \
	eval 'chatjournal retry --all; only_the_user_owns_the_store'
check "the service feeds the watchdog" wait_for 5 noticed WATCHDOG=1
check "it stops when it is told to" stop_daemon
check "the admin tool works without the service" chatjournal status --check
check "and leaves no file of root's in the store" \
	only_the_user_owns_the_store

# ---- upgrade, removal, purge ----------------------------------------------

upgrade_keeps_changes() {
	echo changed > /etc/chatjournal/secrets/app-secret
	echo '# changed' >> /etc/chatjournal/chatjournal.conf
	chmod 700 /etc/chatjournal
	install_package || return
	owned_as /etc/chatjournal "700 root:chatjournal" &&
		grep -qx changed /etc/chatjournal/secrets/app-secret &&
		grep -qx '# changed' /etc/chatjournal/chatjournal.conf
}

purge_keeps_evidence() {
	same "$(traces | sort)" /var/lib/chatjournal &&
		mail_holds 3 'the package works'
}

check "an upgrade keeps secrets, configuration and modes" \
	upgrade_keeps_changes
# The administrator's own, as made above.
rm -f /etc/chatjournal/policy.conf /etc/chatjournal/secrets/{graph,crm}-token
check "purging says that the messages are kept" \
	eval 'purge_package 2>&1 | grep "holds journaled messages"'
check "and takes away everything else" purge_keeps_evidence
rm -rf /var/lib/chatjournal
check "where nothing was journaled, purging leaves nothing" \
	eval 'install_package && purge_package && same "$(traces)" ""'
dpkg --configure --pending > "$tmp/triggers" 2>&1
finish
