#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""storm_audit.py --tmp DIR: what staff systems were answered, what Graph's
stand-in read and did, what the gateway's rows and records say, what the mails
say and what the log says, held against each other after a storm. Prints counts,
and what is wrong.

 - what the stand-in read has a row that says so; nothing was sent twice
 - what was answered is what the row says; who was told that nothing was sent
   finds nothing at the stand-in; nobody was left without an answer
 - each row is done and has its record, its own application, and an outcome;
   each record is in a mail, and of each mail there is one, byte for byte
 - what rules forbid was not sent, held messages only when released, no more
   customers than counted
 - nobody learned of another's send; a request got the answer to itself
 - no role ended but those that were killed or asked to
"""
import argparse
import collections
import hashlib
import json
import os
import re
import sqlite3
import sys

sys.path.insert(1, os.path.join(os.path.dirname(__file__), "../lib"))
import mails as lib

MARK = re.compile(r"M[0-9]{6}X")
OURS = re.compile(r"cj:([0-9a-f]{32})")
TRACE = re.compile(r"[0-9a-f]{32}")
SEND = re.compile(r"key=([0-9a-f]{32}); outcome=([a-z-]+)")
ITEM = re.compile(r"\b(?:id|target)=([^;\s]+)")
FINAL = {"accepted", "refused", "blocked", "rejected", "expired", "not-sent",
         "unknown", "reported"}
POLICY, HELD, STORE, UNKNOWN = 4190001, 4190002, 4190003, 4190004
TRACE_OF_GRAPH = "AtraceOfTheStandIn"
COUNTED, MASS = 3, "mass mailing"
BAD = re.compile(r"Sanitizer|runtime error|[Aa]ssert|role\.hung|"
                 r"gateway\.cut|send\.stuck|role\.config|role\.exec|"
                 r"role\.failed|CRITICAL|parked|role\.said")


def lines_of(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.endswith("\n")]


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Row:
    def __init__(self, r):
        for name in r.keys():
            setattr(self, name, r[name])
        self.key = r["key"].hex()
        self.request = bytes(r["request"] or b"")
        self.body = bytes(r["sent"] or self.request)
        found = MARK.search(self.request.decode("utf-8", "replace"))
        self.mark = found[0] if found else None
        self.records = []


class Audit:
    def __init__(self, tmp):
        self.tmp, self.wrong = tmp, collections.Counter()
        self.examples = {}
        self.ledger = lines_of(self.at("storm.ledger"))
        self.meta = lines_of(self.at("graph", "graph.requests"))
        db = sqlite3.connect("file:%s?mode=ro" %
                             self.at("store", "gateway.db"), uri=True)
        db.row_factory = sqlite3.Row
        self.rows = {r.key: r for r in map(Row, db.execute(
            "SELECT * FROM send ORDER BY id"))}
        self.records = [json.loads(r[0]) for r in db.execute(
            "SELECT body FROM record ORDER BY id")]
        self.uploads = {r[0]: r[1].hex() for r in db.execute(
            "SELECT media_id, sha256 FROM upload")}
        self.by_mark = collections.defaultdict(list)
        self.by_sha = collections.defaultdict(list)
        for row in self.rows.values():
            self.by_mark[row.mark].append(row)
            self.by_sha[digest(row.body)].append(row)
        for o in self.records:
            if o["send"] in self.rows:
                self.rows[o["send"]].records.append(o)
        self.read = collections.defaultdict(list)	# key: what Graph read

    def at(self, *names):
        return os.path.join(self.tmp, *names)

    def say(self, law, what):
        self.wrong[law] += 1
        self.examples.setdefault(law, []).append(str(what)[:300])

    # --- Graph's stand-in against rows

    def row_of(self, o):
        """The row of a request that the stand-in read."""
        body = o.get("body")
        if body is None:
            found = self.by_sha.get(o["sha256"], [])
            return found[0] if len(found) == 1 else None
        m = OURS.search(body)
        if m:
            return self.rows.get(m[1])
        found = self.by_sha.get(digest(body.encode()), [])
        # Of a request with a callback of its own, tried again, there may be
        # several: what became of it says which.
        left = [r for r in found if r.wamid == o.get("result", "")] or \
            [r for r in found if r.outcome in ("unknown", "refused")]
        return (left or found or [None])[0]

    def carried_out(self):
        done = collections.Counter()
        for o in self.meta:
            if o["what"] not in ("send", "call", "group") or \
                    o["method"] != "POST":
                continue
            row = self.row_of(o)
            if row is None:
                self.say("what Graph read has a row", o)
                continue
            self.read[row.key].append(o)
            if row.outcome not in ("accepted", "refused", "unknown"):
                self.say("what Graph read has a row that says so",
                         (row.key, row.state, row.outcome))
            if "result" in o:
                done[row.mark] += 1
                if row.outcome == "accepted" and o["what"] == "send" and \
                        row.wamid != o["result"]:
                    self.say("a row has the wamid of its own request",
                             (row.key, row.wamid, o["result"]))
                if row.outcome == "refused":
                    self.say("what Graph did is not called refused",
                             (row.key, o))
        for key, times in self.read.items():
            if len([o for o in times if OURS.search(o.get("body", ""))]) > 1:
                self.say("nothing is sent twice", (key, len(times)))
        for mark, times in done.items():
            if mark and times > 1:
                self.say("nothing is carried out twice", (mark, times))

    # --- rows and records

    def states(self):
        owner = {}
        for e in self.ledger:
            if e.get("mark") and e["kind" if "kind" in e else "what"] != \
                    "other under the key":
                owner[e["mark"]] = e["app"]
        for row in self.rows.values():
            last = row.records[-1] if row.records else {}
            if row.state != "done" or row.outcome not in FINAL:
                self.say("each row ends in a state",
                         (row.key, row.state, row.outcome))
            if last.get("outcome") != row.outcome:
                self.say("the last record says what the row says",
                         (row.key, row.outcome, last.get("outcome")))
            if sum(r["outcome"] in FINAL for r in row.records) != 1:
                self.say("each row has one final record",
                         (row.key, [r["outcome"] for r in row.records]))
            if row.mark in owner and owner[row.mark] != row.application:
                self.say("a row has its application",
                         (row.key, row.application, owner[row.mark]))
            if row.outcome == "accepted" and not self.read[row.key]:
                self.say("what is accepted was sent", row.key)

    # --- answers

    def answers(self):
        sent = {m for rows in self.read.values() for o in rows
                for m in MARK.findall(o.get("body", ""))}
        self.result = {o["result"]: o for o in self.meta if "result" in o}
        for e in self.ledger:
            if e["status"] == 0:
                if e["why"] == "forgotten":
                    self.say("everybody has an answer", e)
                continue
            getattr(self, "answer_" + e["what"], self.answer_any)(e, sent)

    def answer_any(self, e, sent):
        if e["status"] >= 500 and e["status"] not in (500, 502, 503):
            self.say("an answer is one of those that there are", e)

    def answer_look(self, e, sent):
        if e["status"] == 200 and e["app"] != e["owner"]:
            row = self.rows.get(e["key"])
            if row is None or row.application != e["app"]:
                self.say("nobody learns of another's send", e)

    def answer_upload(self, e, sent):
        if e["status"] == 200 and e["id"] not in self.uploads:
            self.say("a file whose id was told is kept", e)
        elif e["status"] == 200 and self.uploads[e["id"]] != e["data"]:
            self.say("a file that is kept is the very one", e)

    def answer_capture(self, e, sent):
        rows = self.by_mark[e["mark"]]
        if e["status"] == 200 and \
                [r.outcome for r in rows] != ["reported"] * len(rows):
            self.say("a copy is recorded as reported", e)
        if e["status"] == 200 and not rows:
            self.say("a copy that was taken is recorded", e)
        if e["status"] == 200 and e["idem"] and len(rows) != 1:
            self.say("a copy with a key is recorded once", e)
        if e["mark"] in sent:
            self.say("a copy goes nowhere", e)

    def key_of(self, e):
        key = e.get("trace") if "code" in e else e.get("id")
        return key if TRACE.fullmatch(str(key)) else None

    def answer_send(self, e, sent):
        row = self.rows.get(self.key_of(e))
        status, sub = e["status"], e.get("sub")
        if row is not None and (row.application != e["app"] or
                                row.mark != e["mark"]):
            self.say("an answer is to its own request", (e, row.key))
        if status == 200:
            self.accepted(e)
        elif status == 202:
            if row is None or not any(r["outcome"] == "held"
                                      for r in row.records):
                self.say("what is held has its record", e)
        elif e.get("trace") == TRACE_OF_GRAPH:
            if not any(r.outcome == "refused" for r in
                       self.by_mark[e["mark"]]):
                self.say("what Graph refused has a row that says so", e)
        elif sub == POLICY:
            if row is None or row.outcome not in ("blocked", "rejected",
                                                  "expired"):
                self.say("what was blocked has a row that says so", e)
        elif sub == UNKNOWN:
            if row is None or row.outcome != "unknown":
                self.say("what is told as unknown is so", e)
        elif status in (502, 503, 429, 400):
            self.not_sent(e, row)
        elif status not in (401, 403, 404, 405, 409, 422, 500):
            self.say("an answer is one of those that there are", e)

    def accepted(self, e):
        rows = [r for r in self.by_mark[e["mark"]]
                if r.outcome == "accepted" and r.application == e["app"]]
        if len(rows) != 1:
            self.say("who is told of a success has one row of it",
                     (e, [r.key for r in rows]))
            return
        if e["kind"] in ("calls", "groups"):
            return
        if rows[0].wamid != e["id"]:
            self.say("who is told of a success has its wamid", e)
        o = self.result.get(e["id"])
        if o is None or e["mark"] not in o.get("body", e["mark"]):
            self.say("the wamid is that of the request", e)

    def not_sent(self, e, row):
        if row is not None and row.outcome != "not-sent":
            self.say("who is told that it was not sent is told the truth",
                     (e, row.outcome))
        if row is None and e["status"] == 502:
            self.say("what was not sent has a row", e)
        if row is None and not e["idem"] and self.by_mark[e["mark"]]:
            self.say("what was refused at once has no row", e)

    # --- rules

    def rules(self):
        whom = collections.defaultdict(set)
        for key, times in self.read.items():
            row = self.rows[key]
            text = row.request.decode("utf-8", "replace")
            last = row.records[-1] if row.records else {}
            if "observe mode" in str(last.get("reason")):
                continue
            if "an inside tip" in text:
                self.say("what is forbidden is not sent", row.key)
            held = next((n for w, n in (("please approve", 1),
                                        ("a large payment", 2)) if w in text),
                        0)
            who = {r["who"] for r in last.get("reviews", [])
                   if r["verb"] == "release"} - {row.employee}
            if row.records and len(who) < held:
                self.say("what is held is sent when it was released",
                         (row.key, last))
            if MASS in text:
                whom[row.business].add(json.loads(row.request)["to"])
            for o in times:
                if "with advice" in text and \
                        text.count("No advice.") + \
                        o.get("body", "").count("No advice.") > 1:
                    self.say("a text is added once to a message", row.key)
        for business, people in whom.items():
            if len(people) > COUNTED:
                self.say("no more customers than counted",
                         (business, sorted(people)))

    # --- mails

    def mails(self):
        said, resolved, seen = collections.Counter(), set(), {}
        box = self.at("archive", "new")
        for name in os.listdir(box):
            with open(os.path.join(box, name), "rb") as f:
                raw = f.read()
            msg = lib.parse(raw)
            ident = str(msg["Message-ID"])
            if ident in seen:
                if seen[ident] != raw:
                    self.say("a mail that comes again is the same", ident)
                continue
            seen[ident] = raw
            # The late file of a message that had its mail.
            if str(msg["X-ChatJournal-Event"]) == "media":
                continue
            for send in msg.get_all("X-ChatJournal-Send", []):
                said.update(SEND.findall(str(send)))
            if "resolved" in str(msg["X-ChatJournal-Types"]):
                for item in msg.get_all("X-ChatJournal-Item", []):
                    resolved.update(ITEM.findall(str(item)))
        for o in self.records:
            n = said[o["send"], o["outcome"]]
            if n != 1:
                self.say("each record is in a mail",
                         (o["send"], o["outcome"], n))
        for key, times in self.read.items():
            for o in times:
                if self.rows[key].outcome == "unknown" and \
                        o["what"] == "send" and "result" in o and \
                        OURS.search(o.get("body", "")) and \
                        o["result"] not in resolved:
                    self.say("what was unknown is known in the end",
                             (key, o["result"]))
        return len(seen)

    # --- the log

    def log(self):
        with open(self.at("storm.kills"), encoding="ascii") as f:
            killed = {tuple(line.split()) for line in f}
        with open(self.at("log"), encoding="utf-8", errors="replace") as f:
            for line in f:
                m = re.search(r" role\.exit .*role=(\w+) pid=(\d+) (\S+)",
                              line)
                if m and m[3] != "code=0" and (m[1], m[2]) not in killed:
                    self.say("no role ends but by a kill", line)
                if BAD.search(line):
                    self.say("the log has nothing of this", line)
        return len(killed)

    def run(self):
        self.carried_out()
        self.states()
        self.answers()
        self.rules()
        mails, kills = self.mails(), self.log()
        counts = collections.Counter(
            r.outcome or r.state for r in self.rows.values())
        counts.update(f"{e['what']} {e['status'] or e['why']}"
                      for e in self.ledger)
        print("# requests %d, rows %d, records %d, mails %d, kills %d" % (
            len(self.ledger), len(self.rows), len(self.records), mails,
            kills))
        print("# " + ", ".join(f"{k} {v}" for k, v in sorted(counts.items())))
        for law, n in self.wrong.items():
            print(f"wrong {n} times: {law}")
            for example in self.examples[law][:3]:
                print("    " + example)
        return 1 if self.wrong or len(self.rows) < 20 else 0


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--tmp", required=True)
    return Audit(p.parse_args().tmp).run()


if __name__ == "__main__":
    sys.exit(main())
