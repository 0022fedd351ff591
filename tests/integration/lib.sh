# tests/integration/lib.sh: what the integration tests share
# SPDX-License-Identifier: Apache-2.0
#
# Read by the scripts beside it with ".". Everything a test makes lies in one
# private directory, $tmp, which is removed at the end, and every process it
# starts is ended by its process id, also when the test fails or is killed.
# Nothing of the machine's own mail system is touched. KEEP=1 keeps $tmp.
#
# A script states sentences with check, and ends with finish. Waiting is
# wait_for: polling with an end, never a sleep for its own sake.

set -u
: "${SRCDIR:?}" "${BUILDDIR:?}"
here=$SRCDIR/tests/integration

# ---- TAP --------------------------------------------------------------------

count=0 failed=0

# check SENTENCE COMMAND...: what it prints is shown only if it fails.
check() {
	local sentence=$1
	shift
	count=$((count + 1))
	if "$@" > "$tmp/check.out" 2>&1; then
		echo "ok $count - $sentence"
	else
		failed=$((failed + 1))
		echo "not ok $count - $sentence"
		sed 's/^/# /' "$tmp/check.out" | head -n 40
	fi
}

# skip SENTENCE REASON
skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

finish() {
	if [ "$failed" -gt 0 ] && [ -s "$tmp/log" ]; then
		echo "the last lines of the daemon's log:" >&2
		grep -Ev ' (turn.rendered|mail.sent) ' "$tmp/log" |
			tail -n 40 >&2
	fi
	echo "1..$count"
	exit $((failed > 0))
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

need_root() {
	[ "$(id -u)" -eq 0 ] || skip_all "$1"
}

need_tools() {
	local t
	for t in "$@"; do
		command -v "$t" > /dev/null || skip_all "$t is not installed"
	done
}

not() {
	! "$@"
}

# status_is N COMMAND...
status_is() {
	local want=$1 got=0
	shift
	"$@" || got=$?
	[ $got -eq "$want" ] || { echo "status $got instead of $want"; return 1; }
}

same() {
	[ "$1" = "$2" ] || { printf 'got:  %s\nwant: %s\n' "$1" "$2"; return 1; }
}

# wait_for SECONDS COMMAND...: until it succeeds. A busy machine gets more time:
# nothing but a failure takes longer by it.
wait_for() {
	local end=$((SECONDS + $1 * ${PATIENCE:-3}))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] ||
			{ echo "waited in vain for: $*" >&2; return 1; }
		sleep 0.05
	done
}

# ---- the private directory and what runs in it ----------------------------------

PATH=$PATH:/usr/sbin:/sbin
tmp=$(mktemp -d "${TMPDIR:-/tmp}/chatjournal-test.XXXXXX") || exit 1
chmod 711 "$tmp"	# Postfix delivers as another user
declare -A pids=()	# name -> process id; "-N" is a process group
mounts=()

alive() {
	[ -n "${pids[$1]:-}" ] && kill -0 -- "${pids[$1]}" 2> /dev/null
}

# end NAME [SIGNAL]: waits for its end, at most so long, then is rude.
end() {
	local pid=${pids[$1]:-} i
	[ -n "$pid" ] || return 0
	kill -"${2:-TERM}" -- "$pid" 2> /dev/null
	for ((i = 0; i < 800; i++)); do
		kill -0 -- "$pid" 2> /dev/null || break
		sleep 0.02
	done
	kill -KILL -- "$pid" 2> /dev/null
	wait "${pid#-}" 2> /dev/null
	unset "pids[$1]"
}

clean_up() {
	local name m
	trap - EXIT
	for name in "${!pids[@]}"; do
		end "$name"
	done
	for m in "${mounts[@]}"; do
		mountpoint -q "$m" && umount "$m"
	done
	if [ -n "${KEEP:-}" ]; then
		echo "kept: $tmp" >&2
	else
		rm -rf "$tmp"
	fi
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# stay COMMAND...: with a standard input that never comes, and ends with this
# script however that ends; that of peers, which end with it.
mkfifo "$tmp/hold"
exec {hold}<> "$tmp/hold"
stay() {
	exec "$@" < "$tmp/hold" {hold}>&-
}

# Scripts run side by side, and a port is only bound some time after it was
# chosen. So each script has a hundred, which are its own as long as the first
# of them is bound by it; and none that the system gives to anybody else.
last_port=
claim_ports() {
	stay python3 -c '
import random, socket, sys
with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
    end = int(f.read().split()[0])
bases = list(range(max(end - 22000, 1100), end - 100, 100)) or [20000]
random.shuffle(bases)
for base in bases:
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", base))
    except OSError:
        continue
    print(base, flush=True)
    sys.stdin.read()
' > "$tmp/ports" &
	pids[ports]=$!
	wait_for 20 grep -qs . "$tmp/ports" || exit 1
	last_port=$(head -n 1 "$tmp/ports")
}

# free_ports NAME...: sets each to a port of 127.0.0.1 that nobody has.
free_ports() {
	local ports
	[ -n "$last_port" ] || claim_ports
	ports=$(python3 - $# "$last_port" << 'PY'
import socket, sys
port, found = int(sys.argv[2]), []
while len(found) < int(sys.argv[1]):
    port += 1
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
            found.append(port)
        except OSError:
            pass
print(*found)
PY
	)
	read -r "$@" <<< "$ports"
	last_port=${ports##* }
}

# ---- chatjournald ---------------------------------------------------------------

conf=$tmp/chatjournal.conf
store=$tmp/store
idle=0

make_secrets() {
	(umask 077
	mkdir -p "$tmp/secrets"
	openssl rand -hex 16 > "$tmp/secrets/app"
	openssl rand -hex 8 > "$tmp/secrets/verify")
	free_ports http_port
}

# write_conf: relays and journals come from standard input.
write_conf() {
	[ -e "$tmp/secrets" ] || make_secrets
	cat > "$conf" <<- EOF
	user -;
	sandbox enforce;
	state_dir $tmp;
	run_dir $tmp;
	store sqlite:$store;
	directory $tmp/directory.conf;
	catch_all archive;
	log { target stderr; level info; }
	intake {
		listen 127.0.0.1:$http_port;
		app_secret_file $tmp/secrets/app;
		verify_token_file $tmp/secrets/verify;
	}
	turn { idle $idle; }
	render {
		domain chatjournal.bank.example;
		address_domain whatsapp.bank.example;
		templates $SRCDIR/templates;
	}
	EOF
	cat >> "$conf"
	[ -e "$tmp/directory.conf" ] || write_directory archive
}

# write_directory JOURNAL...
write_directory() {
	{
		cat <<- EOF
		staff E1234 { name "Maria Lima"; mail maria.lima@bank.example; }
		business 106540352242922 {
			number 551140040001;
			name "Private Banking";
			desk pb;
			mail pb@bank.example;
			staff E1234;
		EOF
		printf '\tjournal %s;\n' "$@"
		echo '}'
	} > "$tmp/directory.conf"
}

linger=1s

# relay_conf NAME PORT [DIRECTIVES]: with waits that suit a test.
relay_conf() {
	cat <<- EOF
	relay $1 {
		url smtp://localhost:$2;
		retry_min 200ms;
		retry_max 1s;
		linger $linger;
		${3:-}
	}
	EOF
}

# journal_conf NAME RELAY [DIRECTIVES]
journal_conf() {
	cat <<- EOF
	journal $1 {
		relay $2;
		to $1@archive.bank.example;
		from wa-journal@bank.example;
		${3:-}
	}
	EOF
}

maildir_conf() {
	echo "journal $1 { maildir $2; to $1@archive.bank.example;" \
		"from wa-journal@bank.example; }"
}

webhook_url() {
	echo "http://127.0.0.1:$http_port/webhook/whatsapp"
}

answers() {
	local token
	token=$(cat "$tmp/secrets/verify")
	[ "$(curl -sS -m 5 "$(webhook_url)?hub.mode=subscribe&hub.challenge=hello&hub.verify_token=$token" 2> /dev/null)" = hello ]
}

# Not the handshake alone: it may be the answer of one that is just stopping.
ready_or_died() {
	! alive daemon ||
		{ logged "supervisor.ready pid=${pids[daemon]}\$" && answers; }
}

start_daemon() {
	"$BUILDDIR/chatjournald" -c "$conf" >> "$tmp/log" 2>&1 &
	pids[daemon]=$!
	wait_for 20 ready_or_died && alive daemon
}

# The exit status is the daemon's.
stop_daemon() {
	local pid=${pids[daemon]} rc=0
	kill -TERM "$pid"
	wait "$pid" || rc=$?
	unset "pids[daemon]"
	return $rc
}

# role_pid ROLE: of the process that runs now; nothing if there is none.
role_pid() {
	pgrep -P "${pids[daemon]}" -f -- "--role $1" | head -n 1
}

ctl() {
	"$BUILDDIR/chatjournal" -c "$conf" "$@"
}

logged() {
	grep -q -- "$1" "$tmp/log"
}

# The same of what has happened just now: a role's line reaches the log through
# the supervisor, a moment later than its answer reaches whoever asked.
log_says() {
	wait_for 5 logged "$1"
}

logged_times() {
	[ "$(grep -c -- "$1" "$tmp/log")" -ge "$2" ]
}

# has JOURNAL [N]: that many mails were queued for it, and all were accepted.
has() {
	local n=${2:-[0-9]*}
	ctl status 2> /dev/null | grep -Eq \
		"^journal +$1: ($n) queued, ($n) sent, 0 pending, 0 deferred, 0 failed"
}

# count_is JOURNAL STATE N, from the status
count_is() {
	ctl status 2> /dev/null |
		grep -Eq "^journal +$1: .*\\b$3 $2\\b"
}

# ---- webhooks ---------------------------------------------------------------------

# text_event ID TEXT [NUMBER] [BUSINESS-ID BUSINESS-NUMBER] > FILE
text_event() {
	local number=${3:-5511999990000} business=${4:-106540352242922}
	printf '{"object":"whatsapp_business_account","entry":[{"id":"900100200300400","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"%s","phone_number_id":"%s"},"contacts":[{"profile":{"name":"Ana Souza"},"wa_id":"%s"}],"messages":[{"from":"%s","id":"%s","timestamp":"1795317236","type":"text","text":{"body":"%s"}}]}}]}]}' \
		"${5:-551140040001}" "$business" "$number" "$number" "$1" "$2"
}

signature() {
	openssl dgst -sha256 -hmac "$(cat "$tmp/secrets/app")" -r "$1" |
		cut -d ' ' -f 1
}

# post FILE [CURL-OPTION...]: prints the status; headers go to $tmp/head.
post() {
	local file=$1
	shift
	curl -s -m 30 -o /dev/null -D "$tmp/head" -w '%{http_code}' \
		-H 'Content-Type: application/json' \
		-H "X-Hub-Signature-256: sha256=$(signature "$file")" \
		--data-binary "@$file" "$@" "$(webhook_url)"
}

# post_text with the arguments of text_event: succeeds if it was answered 200.
post_text() {
	local answer
	text_event "$@" > "$tmp/event.json"
	answer=$(post "$tmp/event.json")
	[ "$answer" = 200 ] || { echo "answer $answer to $1"; return 1; }
}

# ---- a private Postfix --------------------------------------------------------------

# Sets smtp_port (plain), tls_port (STARTTLS required) and auth_port (the
# same, and AUTH), and lets it deliver to $tmp/mail/NAME/new for archive,
# exchange and second at archive.bank.example. Nothing leaves this machine.
make_postfix() {
	pf=$tmp/postfix
	free_ports smtp_port tls_port auth_port
	mkdir -p "$pf/conf/sasl" "$pf/queue" "$pf/data" "$tmp/mail"
	: > "$pf/access"
	chown "$(id -u postfix)" "$pf/data"
	chown nobody "$tmp/mail"
	make_certificate
	cat > "$pf/conf/main.cf" <<- EOF
	compatibility_level = 3.6
	queue_directory = $pf/queue
	data_directory = $pf/data
	maillog_file = $pf/log
	maillog_file_prefixes = $pf
	myhostname = relay.bank.example
	mydestination =
	inet_interfaces = 127.0.0.1
	inet_protocols = ipv4
	mynetworks = 127.0.0.0/8
	biff = no
	default_transport = discard:
	relay_transport = discard:
	alias_maps =
	alias_database =
	local_recipient_maps =
	virtual_mailbox_domains = archive.bank.example
	virtual_mailbox_base = $tmp/mail
	virtual_mailbox_maps = texthash:$pf/boxes
	virtual_mailbox_limit = 0
	virtual_uid_maps = static:$(id -u nobody)
	virtual_gid_maps = static:$(id -g nobody)
	smtpd_recipient_restrictions = check_recipient_access regexp:$pf/access, permit_mynetworks, reject
	smtpd_tls_cert_file = $tmp/tls/server.pem
	smtpd_tls_key_file = $tmp/tls/server.key
	smtpd_tls_loglevel = 1
	smtpd_sasl_path = smtpd
	cyrus_sasl_config_path = $pf/conf/sasl
	smtpd_sasl_local_domain = bank.example
	smtpd_sasl_security_options = noanonymous
	max_idle = 5s
	EOF
	printf '%s@archive.bank.example %s/\n' archive archive \
		exchange exchange second second > "$pf/boxes"
	cat > "$pf/conf/master.cf" <<- EOF
	127.0.0.1:$smtp_port inet n - n - - smtpd
	127.0.0.1:$tls_port inet n - n - - smtpd
	    -o smtpd_tls_security_level=encrypt
	127.0.0.1:$auth_port inet n - n - - smtpd
	    -o smtpd_tls_security_level=encrypt
	    -o smtpd_sasl_auth_enable=yes
	    -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
	    -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
	pickup unix n - n 60 1 pickup
	cleanup unix n - n - 0 cleanup
	qmgr unix n - n 300 1 qmgr
	tlsmgr unix - - n 1000? 1 tlsmgr
	rewrite unix - - n - - trivial-rewrite
	bounce unix - - n - 0 bounce
	defer unix - - n - 0 bounce
	trace unix - - n - 0 bounce
	verify unix - - n - 1 verify
	flush unix n - n 1000? 0 flush
	proxymap unix - - n - - proxymap
	proxywrite unix - - n - 1 proxymap
	smtp unix - - n - - smtp
	relay unix - - n - - smtp
	showq unix n - n - - showq
	error unix - - n - - error
	retry unix - - n - - error
	discard unix - - n - - discard
	local unix - n n - - local
	virtual unix - n n - - virtual
	anvil unix - - n - 1 anvil
	scache unix - - n - 1 scache
	postlog unix-dgram n - n - 1 postlogd
	EOF
	postfix -c "$pf/conf" check
}

need_postfix() {
	need_root "Postfix starts only as root"
	need_tools postfix postconf openssl curl python3
}

smtp_is_up() {
	grep -q "master\[${pids[postfix]#-}\]: daemon started" "$pf/log" &&
		: <> "/dev/tcp/127.0.0.1/$smtp_port"
} 2> /dev/null

# Its processes are one group, so that all of them can be killed at once.
start_postfix() {
	rm -f "$pf/data/master.lock" "$pf/queue/pid/master.pid"
	setsid "$(postconf -c "$pf/conf" -hx daemon_directory)/master" -d \
		-c "$pf/conf" >> "$pf/out" 2>&1 &
	pids[postfix]=-$!
	wait_for 10 smtp_is_up
}

gone() {
	local pid
	for pid in "$@"; do
		! kill -0 "$pid" 2> /dev/null || return 1
	done
}

# What every recipient is answered from now on: postfix_says [REPLY]
postfix_says() {
	local old
	old=$(pgrep -P "${pids[postfix]#-}" -x smtpd)
	echo "${1:+/./ $1}" > "$pf/access"
	kill -HUP "${pids[postfix]#-}"
	wait_for 10 gone $old
}

# Files that are not executable are halves of mails, never taken.
postfix_is_empty() {
	[ -z "$(find "$pf/queue/incoming" "$pf/queue/active" \
		"$pf/queue/deferred" -type f -perm /100)" ]
}

# An authority and a certificate for localhost; and a strange authority.
make_certificate() {
	local d=$tmp/tls ca
	mkdir -p "$d"
	for ca in ca strange; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
			-nodes -days 2 -subj "/CN=$ca" -keyout "$d/$ca.key" \
			-out "$d/$ca.pem" 2> /dev/null
	done
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj /CN=localhost -keyout "$d/server.key" \
		-out "$d/server.csr" 2> /dev/null
	openssl x509 -req -in "$d/server.csr" -CA "$d/ca.pem" \
		-CAkey "$d/ca.key" -CAcreateserial -days 2 -extfile \
		<(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1') \
		-out "$d/server.pem" 2> /dev/null
}

# mails BOX: how many there are
mails() {
	local files=("$tmp/mail/$1/new"/*)
	[ -e "${files[0]}" ] && echo ${#files[@]} || echo 0
}

mails_are() {
	[ "$(mails "$1")" -eq "$2" ]
}

# mail_of BOX WAMID: the file with that message
mail_of() {
	grep -rl -- "id=$2;" "$tmp/mail/$1/new"
}

# bare FILE: without the trace headers that relay and mailbox put before it,
# and with the line ends of a file.
bare() {
	awk '{ sub(/\r$/, "") }
	body { print; next }
	/^(Return-Path|X-Original-To|Delivered-To|Received):/ { trace = 1; next }
	/^[ \t]/ && trace { next }
	{ body = 1; print }' "$1"
}

# same_mail FILE FILE, apart from that
same_mail() {
	cmp <(bare "$1") <(bare "$2")
}

# ---- a scriptable SMTP peer -----------------------------------------------------------

# start_peer NAME PORT [OPTION...]; its script is $tmp/NAME.script, what it
# got lies in $tmp/NAME.
start_peer() {
	local name=$1 port=$2
	shift 2
	[ -e "$tmp/$name.script" ] || : > "$tmp/$name.script"
	stay python3 -B "$SRCDIR/tests/lib/smtp_peer.py" --dir "$tmp/$name" \
		--script "$tmp/$name.script" --port "$port" "$@" \
		> "$tmp/$name.port" 2> "$tmp/$name.err" &
	pids[$name]=$!
	wait_for 10 test -s "$tmp/$name.port"
}

# peer_mails NAME: how many ended with their dot
peer_mails() {
	local files=("$tmp/$1"/*.eml)
	[ -e "${files[0]}" ] && echo ${#files[@]} || echo 0
}

# ---- load -----------------------------------------------------------------------------

# start_poster NAME COUNT [OPTION...]: in the background; its ledger is
# $tmp/NAME.ledger.
start_poster() {
	local name=$1 n=$2
	shift 2
	python3 -B "$here/poster.py" --port "$http_port" \
		--secret "$tmp/secrets/app" --ledger "$tmp/$name.ledger" \
		--prefix "$name" --count "$n" "$@" 2> "$tmp/$name.err" &
	pids[$name]=$!
}

# posted NAME N: that many have their line
posted() {
	[ "$(wc -l < "$tmp/$1.ledger")" -ge "$2" ]
} 2> /dev/null

# audit [--exact] NAME DIRECTORY
audit() {
	local exact=
	[ "$1" = --exact ] && { exact=$1; shift; }
	python3 -B "$here/audit.py" $exact "$tmp/$1.ledger" "$2"
}
