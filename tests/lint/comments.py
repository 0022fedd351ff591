#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a copy of each C source into the directory given, in which only the
comments are left, each on its line."""
import os
import sys

from csource import blank, comments, find, read

for path in find(["src", "include", "tests"], (".c", ".h")):
    lines = blank(read(path)).split("\n")
    for n, comment in comments(read(path)):
        for i, text in enumerate(comment.split("\n")):
            lines[n - 1 + i] += text
    to = os.path.join(sys.argv[1], path)
    os.makedirs(os.path.dirname(to), exist_ok=True)
    with open(to, "w", encoding="utf-8") as f:
        f.write("\n".join(line.rstrip() for line in lines))
