#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Posts signed text events and writes down what became of each.

    poster.py --port P --secret FILE --ledger FILE [--prefix NAME]
              [--count N] [--connections C] [--rate R] [--once]

Like Meta it posts an event again until it is answered with 200; with --once
it does not. The ledger has a line per event: its id, and "200", another
status, "refused" (no connection), or "broken" (the connection ended without
an answer). Ends when all events have their line, or soon after SIGTERM.
"""
import argparse
import hashlib
import hmac
import json
import signal
import socket
import threading
import time

stopping = threading.Event()


def body_of(ident, n):
    number = "55119%08d" % (n % 40)
    return json.dumps({
        "object": "whatsapp_business_account",
        "entry": [{"id": "900100200300400", "changes": [{
            "field": "messages",
            "value": {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "551140040001",
                             "phone_number_id": "106540352242922"},
                "contacts": [{"profile": {"name": "Ana"}, "wa_id": number}],
                "messages": [{"from": number, "id": ident,
                              "timestamp": str(1795317236 + n // 40),
                              "type": "text",
                              "text": {"body": "order %d, please" % n}}],
            }}]}]}).encode()


class Connection:
    """One keep-alive connection, opened when it is needed."""

    def __init__(self, port, secret):
        self.port, self.secret, self.sock = port, secret, None

    def close(self):
        if self.sock is not None:
            self.sock.close()
        self.sock = None

    def request(self, body):
        mac = hmac.new(self.secret, body, hashlib.sha256).hexdigest()
        return (b"POST /webhook/whatsapp HTTP/1.1\r\nHost: journal\r\n"
                b"X-Hub-Signature-256: sha256=" + mac.encode() +
                b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    def answer(self):
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.more()
        head, _, rest = data.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1)
                      for line in head.split(b"\r\n")[1:])
        while len(rest) < int(fields.get(b"content-length", 0)):
            rest += self.more()
        if fields.get(b"connection") == b"close":
            self.close()
        return head.split(b" ")[1].decode()

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError()
        return data

    def post(self, body):
        """The status, "refused" or "broken"."""
        if self.sock is None:
            try:
                self.sock = socket.create_connection(
                    ("127.0.0.1", self.port), 30)
            except OSError:
                return "refused"
        try:
            self.sock.sendall(self.request(body))
            return self.answer()
        except OSError:
            self.close()
            return "broken"


class Poster:
    """What the connections share."""

    def __init__(self, args):
        self.args, self.next, self.lock = args, 0, threading.Lock()
        with open(args.secret, "rb") as f:
            self.secret = f.read().strip()
        self.ledger = open(args.ledger, "a", encoding="ascii")
        self.begun = time.monotonic()

    def take(self):
        """The number of the next event, when its time has come."""
        with self.lock:
            if stopping.is_set() or self.next == self.args.count:
                return None
            n = self.next
            self.next += 1
        if self.args.rate:
            due = self.begun + n / self.args.rate
            time.sleep(max(0, due - time.monotonic()))
        return n

    def enter(self, ident, outcome):
        with self.lock:
            self.ledger.write("%s %s\n" % (ident, outcome))
            self.ledger.flush()

    def run(self):
        conn = Connection(self.args.port, self.secret)
        while (n := self.take()) is not None:
            ident = "wamid.%s%06d" % (self.args.prefix, n)
            body = body_of(ident, n)
            outcome = conn.post(body)
            while outcome != "200" and not self.args.once:
                if stopping.wait(0.1):
                    break
                outcome = conn.post(body)
            self.enter(ident, outcome)
        conn.close()


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--port", type=int, required=True)
    p.add_argument("--secret", required=True)
    p.add_argument("--ledger", required=True)
    p.add_argument("--prefix", default="LOAD")
    p.add_argument("--count", type=int, default=1000)
    p.add_argument("--connections", type=int, default=4)
    p.add_argument("--rate", type=float, default=0)
    p.add_argument("--once", action="store_true")
    poster = Poster(p.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    threads = [threading.Thread(target=poster.run)
               for _ in range(poster.args.connections)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


if __name__ == "__main__":
    main()
