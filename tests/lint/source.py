#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules about the sources that a pattern can express."""
import re
import sys

from csource import Tap, code_only, comments, find, read

C_FILES = find(["src", "include", "tests"], (".c", ".h"))
ALL_FILES = C_FILES + find(
    ["src", "tests", "doc", "conf", "templates", "tools", "bench", ".ci"],
    (".sh", ".py", ".awk", ".sql", ".conf", ".1", ".5", ".7", ".8"))

BANNED = re.compile(
    r"\b(strcpy|strcat|stpcpy|sprintf|vsprintf|gets|strtok|atoi|atol|atof|"
    r"system|popen|gmtime|localtime|ctime|asctime|strerror|tmpnam|mktemp|"
    r"alloca|g_strerror|g_print|g_printerr|g_log|g_message|g_warning)\s*\(")
CLOCKS = re.compile(r"\b(time|clock_gettime|gettimeofday|clock|ftime|"
                    r"g_get_real_time|g_get_monotonic_time)\s*\(")
PRINTS = re.compile(r"\b(printf|vprintf|puts|putchar|putc)\s*\(")
LOG_CALL = re.compile(r"\blog_(?:error|warn|info|debug|err)\s*\(")
SECRETS = re.compile(
    r"(?:->|\.|\b)(body|text|caption|token|secret|password|passwd|"
    r"verify_token|app_secret|profile_name|legal_name)\b(?!\s*\()")


def in_code(files, pattern, but=()):
    """Where code matches, apart from paths that begin with one of but."""
    for path in files:
        if path.startswith(but):
            continue
        for n, line in enumerate(code_only(read(path)).split("\n"), 1):
            m = pattern.search(line)
            if m:
                yield f"{path}:{n}: {m.group(0)}"


def in_lines(files, pattern):
    for path in files:
        for n, line in enumerate(read(path).split("\n"), 1):
            if pattern.search(line):
                yield f"{path}:{n}"


def slash_comments():
    for path in C_FILES:
        for n, comment in comments(read(path)):
            if comment.startswith("//"):
                yield f"{path}:{n}: {comment}"


def without_spdx():
    for path in ALL_FILES:
        first = read(path).split("\n")[:2]
        if not any("SPDX-License-Identifier: Apache-2.0" in s for s in first):
            yield path


def without_head():
    for path in find(["src", "include"], (".c", ".h")):
        head = re.match(r"/\* SPDX[^\n]*\*/\n/\*", read(path))
        if not head:
            yield path


def wide_lines():
    for path in C_FILES:
        for n, line in enumerate(read(path).split("\n"), 1):
            if len(line.expandtabs(8)) > 100:
                yield f"{path}:{n}: {len(line.expandtabs(8))} columns"


def log_arguments():
    """Each log call with its arguments; format strings are taken out."""
    for path in find(["src"], (".c",)):
        code = code_only(read(path))
        for m in LOG_CALL.finditer(code):
            depth, i = 1, m.end()
            while depth and i < len(code):
                depth += {"(": 1, ")": -1}.get(code[i], 0)
                i += 1
            yield path, code.count("\n", 0, m.start()) + 1, code[m.end():i]


def indiscreet_logs():
    for path, n, arguments in log_arguments():
        # The text of a struct err is made for the log.
        m = SECRETS.search(re.sub(r"\berr(->|\.)text\b", "", arguments))
        if m:
            yield f"{path}:{n}: {m.group(1)}"


def library_logs():
    for path, n, _ in log_arguments():
        if not path.startswith(("src/role/", "src/proc/", "src/ctl/",
                                "src/base/log.c")):
            yield f"{path}:{n}"


def long_files():
    for path in find(["src", "include"], (".c", ".h")):
        lines, most = read(path).count("\n"), 150 if path[-1] == "h" else 600
        if lines > most:
            print(f"# look again: {path} has {lines} lines")


SRC = find(["src"], (".c", ".h"))
tap = Tap()
tap.law("no banned function is called", list(in_code(C_FILES, BANNED)))
tap.law("only the clock module asks for the time",
        list(in_code(SRC, CLOCKS, "src/base/clock.c")))
tap.law("only the two programs print to the standard output",
        list(in_code(SRC, PRINTS, ("src/ctl/", "src/role/chatjournald.c"))))
tap.law("nothing jumps", list(in_code(C_FILES, re.compile(r"\bgoto\b"))))
tap.law("comments are written /* */", list(slash_comments()))
tap.law("every source file says its licence", list(without_spdx()))
tap.law("every source file says what it is for", list(without_head()))
tap.law("no line ends in blanks",
        list(in_lines(ALL_FILES, re.compile(r"[ \t]$"))))
tap.law("C is indented by tabs",
        list(in_lines(C_FILES, re.compile(r"^\t* {8}|^ +\t"))))
tap.law("no line of C is wider than 100 columns", list(wide_lines()))
tap.law("no log call is given a message's text or a secret",
        list(indiscreet_logs()))
tap.law("library code does not log", list(library_logs()))
long_files()
sys.exit(tap.end())
