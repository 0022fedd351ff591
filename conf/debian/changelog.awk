# SPDX-License-Identifier: Apache-2.0
# Makes debian/changelog of CHANGES:  awk -v by="NAME <MAIL>" -f … CHANGES
function close_entry(	cmd, date) {
	if (day == "")
		return
	cmd = "LC_ALL=C date -u -R -d '" day "'"
	cmd | getline date
	close(cmd)
	printf "\n -- %s  %s\n\n", by, date
}
/^[0-9.]+ \([0-9-]+\)$/ {
	close_entry()
	day = substr($2, 2, 10)
	printf "chatjournal (%s) unstable; urgency=medium\n\n", $1
	next
}
day == "" || /^$/ { next }
/^ - / { print "  * " substr($0, 4); next }
{ sub(/^ +/, ""); print "    " $0 }
END { close_entry() }
