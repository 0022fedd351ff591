#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""in_mail.py MAILDIR PATTERN...: whether one mail has all of the patterns, in
its head, unfolded, its text, or its attached event; one that begins with !
is in none of them."""
import os
import re
import sys

sys.path.insert(1, os.path.join(os.path.dirname(__file__), "../lib"))
import mails as lib


def words_of(path):
    msg = lib.read(path)
    head = "\n".join("%s: %s" % (k, v) for k, v in msg.items())
    events = [part.get_payload(decode=True).decode("utf-8", "replace")
              for part in msg.walk()
              if (part.get_filename() or "").endswith(".json")]
    return "\n\n".join([head, lib.text_of(msg), *events])


def has(text, pattern):
    if pattern.startswith("!"):
        return not re.search(pattern[1:], text)
    return re.search(pattern, text)


def main():
    box, patterns = sys.argv[1], sys.argv[2:]
    names = sorted(os.listdir(box)) if os.path.isdir(box) else []
    for name in names:
        text = words_of(os.path.join(box, name))
        if all(has(text, p) for p in patterns):
            return 0
    print("none of %d mails has %s" % (len(names), patterns))
    return 1


sys.exit(main())
