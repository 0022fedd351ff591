# SPDX-License-Identifier: Apache-2.0
# Reads LAYERS, then sources; prints a line "module file:line: complaint" for
# each include that LAYERS does not grant. Paths are from the top of the
# source: src/MODULE/x.c, include/x.h.

function module_of(path,   part) {
	split(path, part, "/")
	if (part[1] == "src")
		return part[2]
	return part[2] in owner ? owner[part[2]] : substr(part[2], 1, length(part[2]) - 2)
}

function complain(what) {
	print module, FILENAME ":" FNR ": " what
}

function check_own(name,   target) {
	# "x_int.h" lies beside the file; "module/x.h" is made in the build.
	if (name ~ /\//) {
		split(name, part, "/")
		if (part[1] != module)
			complain(name " belongs to " part[1])
		return
	}
	if (!(name in public)) {
		if (!((module, name) in private))
			complain(name " is no public header")
		return
	}
	target = module_of("include/" name)
	if (target == module || (module, target) in may || (module, "*") in may)
		return
	complain(module " may not include " name " (" target ")")
}

function check_library(name,   part, lib) {
	split(name, part, "/")
	lib = library[part[1]]
	if (lib != "" && !((module, "<" lib ">") in may))
		complain(module " may not use " lib)
}

FILENAME ~ /LAYERS$/ {
	sub(/#.*/, "")
	if ($1 == "header" || $1 == "library") {
		key = $2
		sub(/:$/, "", key)
		for (i = 3; i <= NF; i++) {
			if ($1 == "header")
				owner[$i] = key
			else
				library[$i] = key
		}
	} else if (NF > 0) {
		key = $1
		sub(/:$/, "", key)
		row[key] = 1
		for (i = 2; i <= NF; i++)
			may[key, $i] = 1
	}
	next
}

# The list of all files, one a line, comes before the sources.
FILENAME ~ /FILES$/ {
	n = split($0, part, "/")
	if (part[1] == "include")
		public[part[n]] = 1
	else
		private[part[2], part[n]] = 1
	next
}

FNR == 1 {
	module = module_of(FILENAME)
	if (!(module in row))
		print module, FILENAME ":1: no row for " module " in LAYERS"
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, quoted, "\"")
	check_own(quoted[2])
}

/^[ \t]*#[ \t]*include[ \t]*</ {
	split($0, quoted, /[<>]/)
	check_library(quoted[2])
}
