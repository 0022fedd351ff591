#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares a poster's ledger with the mails in a mail box.

    audit.py [--exact] LEDGER BOX

Holds if every event that was answered with 200 is in the mails of exactly one
Message-ID, if mails with the same Message-ID have the same bytes (without
trace headers), and, with --exact, if no event of the ledger is in a mail that
was not answered with 200. What the ledger says to have a file has it attached,
in its mail or in one that brings it later, and once. Prints what is wrong,
and one line of counts.
"""
import argparse
import email
import hashlib
import os
import re
import sys

sys.path.insert(1, os.path.join(os.path.dirname(__file__), "../lib"))
import mails as lib

TRACE = re.compile(rb"(?:(?:Return-Path|X-Original-To|Delivered-To|Received):"
                   rb"[^\n]*\n(?:[ \t][^\n]*\n)*)*")
ITEM = re.compile(rb"^X-ChatJournal-Item: id=([^;\s]+)", re.M)
MESSAGE_ID = re.compile(rb"^Message-ID: <([^>]+)>", re.M)
FILE = b"\nX-ChatJournal-Media:"
LATER = b"\nX-ChatJournal-Event: media\n"


def files_of(data):
    """The digests of what is attached or shown inline, but for the event."""
    for file in lib.files_of(email.message_from_bytes(data)):
        yield hashlib.sha256(file).hexdigest().encode()


def read_box(box):
    """Of each mail: its Message-ID, its ids, its bytes, its head."""
    for name in sorted(os.listdir(box)):
        with open(os.path.join(box, name), "rb") as f:
            data = f.read().replace(b"\r\n", b"\n")
        data = data[TRACE.match(data).end():]
        head = re.sub(rb"\n[ \t]+", b" ", data.partition(b"\n\n")[0])
        yield MESSAGE_ID.search(head).group(1), ITEM.findall(head), data, head


def count_files(files, ledger):
    """What is wrong with them; files: id -> digests in mails with it."""
    for ident, line in sorted(ledger.items()):
        if len(line) < 2 or line[0] != b"200":
            continue
        n = files.get(ident, []).count(line[1])
        if n != 1:
            yield "the file of %s came %d times" % (ident.decode(), n)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--exact", action="store_true")
    p.add_argument("ledger")
    p.add_argument("box")
    args = p.parse_args()
    wrong = []
    bytes_of, mail_of, files, mails, later = {}, {}, {}, 0, 0
    for mid, idents, data, head in read_box(args.box):
        mails += 1
        again = mid in bytes_of
        if bytes_of.setdefault(mid, data) != data:
            wrong.append("two mails %s differ" % mid.decode())
        if FILE in head and not again:
            for ident in idents:
                files.setdefault(ident, []).extend(files_of(data))
        if LATER in head + b"\n":
            later += not again
            continue
        for ident in idents:
            if mail_of.setdefault(ident, mid) != mid:
                wrong.append("%s is in two mails" % ident.decode())
    with open(args.ledger, "rb") as f:
        ledger = {line.split()[0]: line.split()[1:] for line in f}
    acked = {i for i, line in ledger.items() if line[0] == b"200"}
    wrong += ["%s was answered with 200 and did not arrive" % i.decode()
              for i in sorted(acked - mail_of.keys())]
    wrong += count_files(files, ledger)
    if args.exact:
        wrong += ["%s arrived and was answered %s" %
                  (i.decode(), ledger[i][0].decode())
                  for i in sorted(mail_of.keys() & ledger.keys() - acked)]
    print("events=%d acked=%d arrived=%d mails=%d different=%d later=%d "
          "wrong=%d" % (len(ledger), len(acked), len(mail_of), mails,
                        len(bytes_of), later, len(wrong)))
    for line in wrong[:20]:
        print(line)
    return 1 if wrong or not acked else 0


if __name__ == "__main__":
    sys.exit(main())
