#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares a poster's ledger with the mails in a mail box.

    audit.py [--exact] LEDGER BOX

Holds if every event that was answered with 200 is in the mails of exactly one
Message-ID, if mails with the same Message-ID have the same bytes (without
trace headers), and, with --exact, if no event of the ledger is in a mail that
was not answered with 200. Prints what is wrong, and one line of counts.
"""
import argparse
import os
import re
import sys

TRACE = re.compile(rb"(?:(?:Return-Path|X-Original-To|Delivered-To|Received):"
                   rb"[^\n]*\n(?:[ \t][^\n]*\n)*)*")
ITEM = re.compile(rb"^X-ChatJournal-Item: id=([^;\s]+)", re.M)
MESSAGE_ID = re.compile(rb"^Message-ID: <([^>]+)>", re.M)


def read_box(box):
    """Of each mail: its Message-ID, its ids, its bytes."""
    for name in sorted(os.listdir(box)):
        with open(os.path.join(box, name), "rb") as f:
            data = f.read().replace(b"\r\n", b"\n")
        data = data[TRACE.match(data).end():]
        head = re.sub(rb"\n[ \t]+", b" ", data.partition(b"\n\n")[0])
        yield MESSAGE_ID.search(head).group(1), ITEM.findall(head), data


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--exact", action="store_true")
    p.add_argument("ledger")
    p.add_argument("box")
    args = p.parse_args()
    wrong = []
    bytes_of, mail_of, mails = {}, {}, 0
    for mid, idents, data in read_box(args.box):
        mails += 1
        if bytes_of.setdefault(mid, data) != data:
            wrong.append("two mails %s differ" % mid.decode())
        for ident in idents:
            if mail_of.setdefault(ident, mid) != mid:
                wrong.append("%s is in two mails" % ident.decode())
    with open(args.ledger, "rb") as f:
        ledger = dict(line.split() for line in f)
    acked = {i for i, outcome in ledger.items() if outcome == b"200"}
    wrong += ["%s was answered with 200 and did not arrive" % i.decode()
              for i in sorted(acked - mail_of.keys())]
    if args.exact:
        wrong += ["%s arrived and was answered %s" %
                  (i.decode(), ledger[i].decode())
                  for i in sorted(mail_of.keys() & ledger.keys() - acked)]
    print("events=%d acked=%d arrived=%d mails=%d different=%d wrong=%d" %
          (len(ledger), len(acked), len(mail_of), mails, len(bytes_of),
           len(wrong)))
    for line in wrong[:20]:
        print(line)
    return 1 if wrong or not acked else 0


if __name__ == "__main__":
    sys.exit(main())
