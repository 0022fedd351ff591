#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# slapd.sh DIR [PORT]: makes a private directory server in DIR: authorities and
# certificates, some staff, and a configuration for each way to be right or
# wrong. Nothing is started, and nothing outside DIR is touched. A part of the
# tree is said to be on a server at PORT.
#
#   good.conf      a certificate for 127.0.0.1, signed by tls/ca.pem
#   named.conf     one for another name
#   expired.conf   one that is no longer valid
#   strange.conf   one that tls/strange.pem signed
#   plain.conf     no TLS at all
#   old.conf       TLS 1.1, where GnuTLS is used
#   open.conf      as good.conf, and everybody may read
#
# Start one with: slapd -f DIR/good.conf -h "ldap://127.0.0.1:P ldaps://…" -d 0
# People: see below. The login is cn=reader,dc=bank with the password "sesame".

set -eu
dir=${1:?}
PATH=$PATH:/usr/sbin:/sbin
mkdir -p "$dir/tls" "$dir/db"
exec 2> "$dir/make.err"

# ---- certificates -----------------------------------------------------------

key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)

authority() {
	openssl req -x509 "${key[@]}" -days 2 -subj "/CN=$1" \
		-keyout "$dir/tls/$1.key" -out "$dir/tls/$1.pem"
}

# certificate NAME AUTHORITY DAYS SUBJECT: addresses are asked for, as libldap
# takes "localhost" for the machine's own name.
certificate() {
	openssl req -new "${key[@]}" -subj "/CN=ldap.bank.example" \
		-keyout "$dir/tls/$1.key" -out "$dir/tls/$1.csr"
	openssl x509 -req -in "$dir/tls/$1.csr" -CA "$dir/tls/$2.pem" \
		-CAkey "$dir/tls/$2.key" -CAcreateserial -days "$3" \
		-extfile <(echo "subjectAltName=$4") \
		-out "$dir/tls/$1.pem"
}

authority ca
authority strange
certificate good ca 2 IP:127.0.0.1
certificate named ca 2 DNS:localhost
certificate expired ca -1 IP:127.0.0.1
certificate strange-good strange 2 IP:127.0.0.1

# ---- configuration ----------------------------------------------------------

for schema in /etc/ldap/schema /etc/openldap/schema; do
	[ ! -e "$schema/inetorgperson.schema" ] || break
done

# configure NAME CERTIFICATE ACCESS [LINE]: without certificate no TLS
configure() {
	{
		printf 'include %s\n' "$schema/core.schema" \
			"$schema/cosine.schema" "$schema/inetorgperson.schema"
		# as Active Directory has them: attributes like others
		cat <<- 'END'
		attributetype ( 1.2.840.113556.1.2.102 NAME 'memberOf'
		  EQUALITY distinguishedNameMatch
		  SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )
		attributetype ( 1.2.840.113556.1.4.35 NAME 'employeeID'
		  EQUALITY caseIgnoreMatch
		  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
		objectclass ( 1.3.6.1.4.1.4203.666.11.99 NAME 'listed'
		  SUP top AUXILIARY MAY ( memberOf $ employeeID ) )
		END
		[ -z "$2" ] || cat <<- END
		TLSCACertificateFile $dir/tls/ca.pem
		TLSCertificateFile $dir/tls/$2.pem
		TLSCertificateKeyFile $dir/tls/$2.key
		security simple_bind=128
		END
		echo "${4:-}"
		cat <<- END
		pidfile $dir/slapd.pid
		database ldif
		directory $dir/db
		suffix dc=bank
		rootdn cn=root,dc=bank
		access to attrs=userPassword by anonymous auth by * none
		access to * by dn.base="cn=reader,dc=bank" read by $3
		END
	} > "$dir/$1.conf"
}

configure good good '* none'
configure named named '* none'
configure expired expired '* none'
configure strange strange-good '* none'
configure plain '' '* none'
configure open good '* read'
configure old good '* none' \
	'TLSCipherSuite NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT'

# ---- people -----------------------------------------------------------------

# person UID SURNAME NAME ID TELEPHONE MOBILE [GROUP...]
person() {
	printf '\ndn: uid=%s,ou=people,dc=bank\n' "$1"
	printf 'objectClass: %s\n' inetOrgPerson listed
	printf 'uid: %s\nsn: %s\ncn: %s\ndisplayName: %s\n' "$1" "$2" "$3" "$3"
	printf 'employeeID: %s\ntelephoneNumber: %s\nmobile: %s\n' \
		"$4" "$5" "$6"
	printf 'mail: %s@bank.example\n' "$1"
	shift 6
	[ $# -eq 0 ] || printf 'memberOf: %s\n' "$@"
}

# group NAME MEMBER GROUP [MEMBER]: it is in this group
group() {
	printf '\ndn: cn=%s,%s\n' "$1" "$groups"
	printf 'objectClass: %s\n' groupOfNames listed
	printf 'cn: %s\nmember: %s\nmemberOf: %s\n' "$1" "$2" "$3"
	[ $# -lt 4 ] || printf 'member: %s\n' "$4"
}

groups=ou=groups,dc=bank
{
	cat <<- END
	dn: dc=bank
	objectClass: dcObject
	objectClass: organization
	dc: bank
	o: Bank

	dn: cn=reader,dc=bank
	objectClass: person
	cn: reader
	sn: reader
	userPassword: sesame

	dn: ou=people,dc=bank
	objectClass: organizationalUnit
	ou: people

	dn: ou=elsewhere,dc=bank
	objectClass: referral
	objectClass: extensibleObject
	ou: elsewhere
	ref: ldap://127.0.0.1:${2:-1}/ou=elsewhere,dc=bank
	END
	person jsilva Silva 'João Silva' E2001 +551140040001 +5511999990001 \
		"cn=Traders,$groups" "cn=Private\\2C Bankers,$groups" \
		"cn=Händler,$groups"
	person mbrown Brown 'Mary Brown' E2002 +442079460001 +447700900001 \
		"cn=Compliance,$groups"
	person nobody-special Doe 'Jo Doe' E2003 +442079460002 +447700900002
	person twin1 Twin 'Ann Twin' E2004 +442079460003 +447700900003
	person twin2 Twin 'Bob Twin' E2005 +442079460003 +447700900004
	person odd Odd 'Odd (One*)\' 'E(2)*\' +442079460005 +447700900005
	for i in {1..40}; do
		echo "cn=Group $i,$groups"
	done > "$dir/many"
	mapfile -t many < "$dir/many"
	# Groups in groups: a loop at the end, and one that is too deep.
	person nested Nest 'In Nest' E2007 +442079460007 +447700900007 \
		"cn=Desk (A),$groups"
	person deep Deep 'In Deep' E2008 +442079460008 +447700900008 \
		"cn=Deep 1,$groups"
	cat <<- END

	dn: $groups
	objectClass: organizationalUnit
	ou: groups
	END
	group 'Desk (A)' uid=nested,ou=people,dc=bank "cn=Floor,$groups"
	group Floor "cn=Desk (A),$groups" "cn=Ring 1,$groups"
	group 'Ring 1' "cn=Floor,$groups" "cn=Ring 2,$groups" \
		"cn=Ring 2,$groups"
	group 'Ring 2' "cn=Ring 1,$groups" "CN=ring 1, OU=Groups,dc=bank" \
		"cn=Ring 1,$groups"
	group 'Deep 1' uid=deep,ou=people,dc=bank "cn=Deep 2,$groups"
	for i in {2..20}; do
		group "Deep $i" "cn=Deep $((i - 1)),$groups" \
			"cn=Deep $((i + 1)),$groups"
	done
	person many Many 'In Many' E2006 +442079460006 +447700900006 \
		"${many[@]}"
} > "$dir/people.ldif"
slapadd -q -f "$dir/plain.conf" -l "$dir/people.ldif"
