# SPDX-License-Identifier: Apache-2.0
"""What the lint scripts share: finding sources, taking comments and strings
out of C, and printing TAP (tests/lib/tap.py)."""
import os
import re
import sys

SRCDIR = os.environ.get("SRCDIR", ".")
sys.path.insert(1, os.path.join(SRCDIR, "tests/lib"))
from tap import Tap

TOKEN = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


# Made by the build; in a build inside the source it lies among the others.
GENERATED = ("src/store/schema.h",)


def find(tops, suffixes):
    """Paths from the top of the source, sorted."""
    out = []
    for top in tops:
        for here, dirs, names in os.walk(os.path.join(SRCDIR, top)):
            dirs[:] = [d for d in dirs if d != "corpus" and
                       not d.startswith((".", "__"))]
            for name in names:
                if name.endswith(suffixes):
                    path = os.path.join(here, name)
                    out.append(os.path.relpath(path, SRCDIR))
    return sorted(set(out) - set(GENERATED))


def read(path):
    with open(os.path.join(SRCDIR, path), encoding="utf-8") as f:
        return f.read()


def blank(text):
    """The same lines, with nothing in them."""
    return re.sub(r"[^\n]", " ", text)


def code_only(text):
    """C without comments and without the inside of strings."""
    def put(m):
        t = m.group(0)
        return blank(t) if t[0] == "/" else t[0] + blank(t[1:-1]) + t[-1]
    return TOKEN.sub(put, text)


def comments(text):
    """(line, comment) for each comment of a C text."""
    for m in TOKEN.finditer(text):
        if m.group(0)[0] == "/":
            yield text.count("\n", 0, m.start()) + 1, m.group(0)
