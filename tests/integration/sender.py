#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends texts through the gateway and writes down what became of each.

    sender.py --port P --token FILE --ledger FILE --number ID [--prefix NAME]
              [--count N] [--connections C] [--rate R] [--key-every K]
              [--people N] [--fresh]

Every K-th send has an Idempotency-Key and is tried again, as a careful staff
system would, until it was sent, refused for good, or its outcome is unknown;
the others are tried once. The ledger has a line per send: its text, and what
the last answer was: "200 WAMID", another status with Graph's subcode or code,
"refused" (no connection), or "broken" (the connection ended without an
answer). Ends when all sends have their line, or soon after SIGTERM; then it
says on standard error how each try ended: "tries 200=7 refused=1". With
--fresh each try has a connection of its own.
"""
import argparse
import collections
import http.client
import json
import signal
import sys
import threading
import time

stopping = threading.Event()
# What may be tried again with the same key: nothing was sent, or it is not
# known yet.
PASSING = {409, 429, 503}
UNKNOWN = 4190004


class Answer:
    def __init__(self, word, status=0, code=0, wamid=""):
        self.word, self.status, self.code = word, status, code
        self.wamid = wamid

    def is_final(self):
        if self.status == 0 or self.status in PASSING:
            return False
        return self.status != 502 or self.code == UNKNOWN

    def __str__(self):
        return " ".join(str(w) for w in (self.word, self.wamid or self.code)
                        if w)


def read(status, body):
    try:
        o = json.loads(body)
    except ValueError:
        return Answer(str(status), status)
    if "messages" in o:
        return Answer(str(status), status, wamid=o["messages"][0]["id"])
    e = o.get("error", {})
    return Answer(str(status), status, e.get("error_subcode") or e.get("code"))


class Connection:
    """One keep-alive connection, opened when it is needed."""

    def __init__(self, args, token):
        self.args, self.http = args, None
        self.headers = {"Authorization": "Bearer " + token,
                        "Content-Type": "application/json"}

    def open(self):
        http_ = http.client.HTTPConnection("127.0.0.1", self.args.port,
                                           timeout=60)
        http_.connect()
        return http_

    def post(self, body, key):
        try:
            self.http = self.http or self.open()
        except OSError:
            return Answer("refused")
        headers = dict(self.headers)
        if key:
            headers["Idempotency-Key"] = key
        try:
            self.http.request("POST", f"/v25.0/{self.args.number}/messages",
                              body, headers)
            r = self.http.getresponse()
            return read(r.status, r.read())
        except (OSError, http.client.HTTPException):
            self.close()
            return Answer("broken")

    def close(self):
        if self.http is not None:
            self.http.close()
        self.http = None


class Sender:
    """What the connections share."""

    def __init__(self, args):
        self.args, self.next, self.lock = args, 0, threading.Lock()
        with open(args.token, encoding="ascii") as f:
            self.token = f.read().strip()
        self.tries = collections.Counter()
        self.ledger = open(args.ledger, "a", encoding="ascii")
        self.begun = time.monotonic()

    def take(self):
        """The number of the next send, when its time has come."""
        with self.lock:
            if stopping.is_set() or self.next == self.args.count:
                return None
            n = self.next
            self.next += 1
        if self.args.rate:
            due = self.begun + n / self.args.rate
            time.sleep(max(0, due - time.monotonic()))
        return n

    def post(self, conn, body, key):
        answer = conn.post(body, key)
        if self.args.fresh:
            conn.close()
        with self.lock:
            self.tries[answer.word] += 1
        return answer

    def send(self, conn, n):
        text = "%s%06d" % (self.args.prefix, n)
        key = text if n % self.args.key_every == 0 else None
        body = json.dumps({
            "messaging_product": "whatsapp", "type": "text",
            "to": "55119%08d" % (n % self.args.people),
            "text": {"body": text}})
        answer = self.post(conn, body, key)
        while key and not answer.is_final() and not stopping.wait(0.1):
            answer = self.post(conn, body, key)
        with self.lock:
            self.ledger.write("%s %s\n" % (text, answer))
            self.ledger.flush()

    def run(self):
        conn = Connection(self.args, self.token)
        while (n := self.take()) is not None:
            self.send(conn, n)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    for name in ("token", "ledger", "number"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--port", type=int, required=True)
    p.add_argument("--prefix", default="LOAD")
    p.add_argument("--count", type=int, default=1000)
    p.add_argument("--connections", type=int, default=4)
    p.add_argument("--rate", type=float, default=0)
    p.add_argument("--key-every", type=int, default=2)
    p.add_argument("--people", type=int, default=40)
    p.add_argument("--fresh", action="store_true")
    sender = Sender(p.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    threads = [threading.Thread(target=sender.run)
               for _ in range(sender.args.connections)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print("tries", *("%s=%d" % t for t in sorted(sender.tries.items())),
          file=sys.stderr)


if __name__ == "__main__":
    main()
