#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""attached.py MAILDIR WAMID [FILE]: whether the mails about that message bring
exactly these bytes, once; without FILE: that they bring no file. Prints what
they say when not. A mail is about a message when its X-ChatJournal headers or
its attached event name it."""
import hashlib
import os
import sys

sys.path.insert(1, os.path.join(os.path.dirname(__file__), "../lib"))
import mails as lib


def main():
    box, wamid = sys.argv[1], sys.argv[2]
    want = None
    if len(sys.argv) > 3:
        with open(sys.argv[3], "rb") as f:
            want = hashlib.sha256(f.read()).hexdigest()
    got, mails = [], []
    for name in sorted(os.listdir(box)):
        with open(os.path.join(box, name), "rb") as f:
            data = f.read()
        if wamid.encode() not in data:
            continue
        mails.append(name)
        got += [hashlib.sha256(d).hexdigest()
                for d in lib.files_of(lib.parse(data))]
    if got == ([want] if want else []) and mails:
        return 0
    print("mails:", mails)
    print("files:", got)
    print("want: ", want)
    return 1


sys.exit(main())
