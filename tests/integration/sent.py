#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what senders were answered, what Graph's stand-in carried out, what the
gateway's rows say and what the mails say against each other.

    sent.py statuses --graph DIR --db gateway.db --number ID > EVENT
    sent.py audit --graph DIR --db gateway.db [--box MAILDIR] [LEDGER...]

statuses: a webhook event with a status for each message that was carried out
and whose row says that its outcome is unknown.

audit: prints what is wrong, and a line of counts:
 - nothing was carried out twice: neither a send's key nor a text
 - what was carried out has a row, done, that says accepted or unknown; what is
   accepted was carried out
 - no send is stored or forwarding, and each that is done has its record
 - who was answered 200 has an accepted row, with that wamid; who was told that
   it is unknown has a row that is unknown
 - each record is in a mail, once; and of each send of unknown outcome that was
   carried out a mail says that it was sent
"""
import argparse
import collections
import json
import os
import re
import sqlite3
import sys
import time

sys.path.insert(1, os.path.join(os.path.dirname(__file__), "../lib"))
import mails as lib

MARK = re.compile(r"cj:([0-9a-f]{32})")
SEND = re.compile(r"key=([0-9a-f]{32}); outcome=([a-z-]+)")
ITEM = re.compile(r"\b(?:id|target)=([^;\s]+)")
UNKNOWN = "4190004"


def carried_out(graph):
    """What the stand-in did: (key, text, wamid)."""
    with open(os.path.join(graph, "graph.requests"), encoding="utf-8") as f:
        for line in f:
            o = json.loads(line)
            if o["what"] != "send" or "result" not in o:
                continue
            body = json.loads(o["body"])
            mark = MARK.match(body.get("biz_opaque_callback_data", ""))
            yield (mark[1] if mark else None,
                   body.get("text", {}).get("body"), o["result"])


def rows_of(path):
    db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    db.row_factory = sqlite3.Row
    return {r["key"].hex(): r for r in db.execute(
        "SELECT key, state, outcome, wamid, record_id FROM send")}


def records_of(path):
    """(key, outcome) of each record."""
    db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    for (body,) in db.execute("SELECT body FROM record ORDER BY id"):
        o = json.loads(body)
        yield o["send"], o["outcome"]


def statuses(args):
    rows = rows_of(args.db)
    found = [{"id": wamid, "status": "delivered",
              "timestamp": str(int(time.time())),
              "recipient_id": "5511999990000",
              "biz_opaque_callback_data": "cj:" + key}
             for key, _, wamid in carried_out(args.graph)
             if key in rows and rows[key]["outcome"] == "unknown"]
    print(json.dumps({"object": "whatsapp_business_account", "entry": [{
        "id": "900100200300400", "changes": [{"field": "messages", "value": {
            "messaging_product": "whatsapp", "metadata": {
                "display_phone_number": "551140040001",
                "phone_number_id": args.number}, "statuses": found}}]}]}))


class Audit:
    def __init__(self, args):
        self.args, self.wrong = args, []
        self.rows = rows_of(args.db)
        self.done = list(carried_out(args.graph))
        self.counts = collections.Counter(
            r["outcome"] or r["state"] for r in self.rows.values())

    def say(self, words):
        self.wrong.append(words)

    def once(self):
        for which, name in ((0, "key"), (1, "text")):
            n = collections.Counter(d[which] for d in self.done)
            for what, times in n.items():
                if times > 1 and what:
                    self.say(f"{name} {what} was sent {times} times")

    def rows_and_meta(self):
        by_key = {key: wamid for key, _, wamid in self.done}
        for key, wamid in by_key.items():
            row = self.rows.get(key)
            if row is None:
                self.say(f"{key} was sent and has no row")
            elif row["outcome"] not in ("accepted", "unknown"):
                self.say(f"{key} was sent and its row says {row['outcome']}")
            elif row["outcome"] == "accepted" and row["wamid"] != wamid:
                self.say(f"{key} has another wamid")
        for key, row in self.rows.items():
            if row["outcome"] == "accepted" and key not in by_key:
                self.say(f"{key} is accepted and was not sent")
            if row["state"] in ("stored", "forwarding"):
                self.say(f"{key} is {row['state']}")
            elif not row["record_id"]:
                self.say(f"{key} has no record")

    def ledger(self, path):
        by_text = {text: key for key, text, _ in self.done}
        accepted = {r["wamid"] for r in self.rows.values()
                    if r["outcome"] == "accepted"}
        with open(path, encoding="ascii") as f:
            for text, word, *more in map(str.split, f):
                if word == "200" and more[0] not in accepted:
                    self.say(f"{text} was answered 200, without a record")
                row = self.rows.get(by_text.get(text))
                if word == "502" and more == [UNKNOWN] and \
                        row is not None and row["outcome"] != "unknown":
                    self.say(f"{text} was answered 502, its row says "
                             + row["outcome"])
                if word == "503" and text in by_text:
                    self.say(f"{text} was answered 503 and sent")
                self.counts["answer " + word] += 1

    def mails(self, box):
        said, resolved = collections.Counter(), set()
        for name in os.listdir(box):
            msg = lib.read(os.path.join(box, name))
            for send in msg.get_all("X-ChatJournal-Send", []):
                said.update(SEND.findall(str(send)))
            if "resolved" in str(msg["X-ChatJournal-Types"]):
                for item in msg.get_all("X-ChatJournal-Item", []):
                    resolved.update(ITEM.findall(str(item)))
        for record in records_of(self.args.db):
            if said[record] != 1:
                self.say(f"the record {record} is in {said[record]} mails")
        for key, _, wamid in self.done:
            row = self.rows.get(key)
            if row is not None and row["outcome"] == "unknown" and \
                    wamid not in resolved:
                self.say(f"no mail says that {wamid} was sent after all")

    def run(self):
        self.once()
        self.rows_and_meta()
        for path in self.args.ledgers:
            self.ledger(path)
        if self.args.box:
            self.mails(self.args.box)
        print("at meta %d; %s; wrong %d" % (len(self.done), ", ".join(
            f"{k} {v}" for k, v in sorted(self.counts.items())),
            len(self.wrong)))
        for line in self.wrong[:20]:
            print(line)
        return 1 if self.wrong or not self.done else 0


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("what", choices=("statuses", "audit"))
    p.add_argument("--graph", required=True)
    p.add_argument("--db", required=True)
    p.add_argument("--number")
    p.add_argument("--box")
    p.add_argument("ledgers", nargs="*")
    args = p.parse_intermixed_args()
    if args.what == "statuses":
        statuses(args)
        return 0
    return Audit(args).run()


if __name__ == "__main__":
    sys.exit(main())
