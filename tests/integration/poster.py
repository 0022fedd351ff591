#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Posts signed text events and writes down what became of each.

    poster.py --port P --secret FILE --ledger FILE [--prefix NAME]
              [--count N] [--connections C] [--rate R] [--once] [--fresh]
              [--files DIR --file-every N]

Like Meta it posts an event again until it is answered with 200; with --once
it does not. The ledger has a line per event: its id, and "200", another
status, "refused" (no connection), or "broken" (the connection ended without
an answer). Ends when all events have their line, or soon after SIGTERM; then
it says on standard error how each try ended: "tries 200=7 refused=1". With
--fresh each try has a connection of its own.

With --files every N-th event is a picture: one of DIR/ID.png after another,
ID being its media id. Its line then also has the SHA-256 of the file.
"""
import argparse
import base64
import collections
import hashlib
import hmac
import json
import os
import signal
import socket
import sys
import threading
import time

stopping = threading.Event()


class File:
    def __init__(self, path):
        self.id = os.path.basename(path).partition(".")[0]
        with open(path, "rb") as f:
            self.sha256 = hashlib.sha256(f.read())


def content_of(n, file):
    if file is None:
        return {"type": "text", "text": {"body": "order %d, please" % n}}
    digest = base64.b64encode(file.sha256.digest()).decode()
    return {"type": "image", "image": {
        "id": file.id, "mime_type": "image/png", "sha256": digest}}


def body_of(ident, n, file):
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
                              **content_of(n, file)}],
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
        self.files = []
        if args.files:
            self.files = [File(os.path.join(args.files, name))
                          for name in sorted(os.listdir(args.files))
                          if name.endswith(".png")]
        self.tries = collections.Counter()
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

    def file_of(self, n):
        every = self.args.file_every
        if not self.files or n % every != 0:
            return None
        return self.files[n // every % len(self.files)]

    def enter(self, ident, outcome, file):
        with self.lock:
            self.ledger.write("%s %s%s\n" % (ident, outcome, "" if file is
                              None else " " + file.sha256.hexdigest()))
            self.ledger.flush()

    def post(self, conn, body):
        outcome = conn.post(body)
        if self.args.fresh:
            conn.close()
        with self.lock:
            self.tries[outcome] += 1
        return outcome

    def run(self):
        conn = Connection(self.args.port, self.secret)
        while (n := self.take()) is not None:
            ident = "wamid.%s%06d" % (self.args.prefix, n)
            file = self.file_of(n)
            body = body_of(ident, n, file)
            outcome = self.post(conn, body)
            while outcome != "200" and not self.args.once:
                if stopping.wait(0.1):
                    break
                outcome = self.post(conn, body)
            self.enter(ident, outcome, file)
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
    p.add_argument("--fresh", action="store_true")
    p.add_argument("--files")
    p.add_argument("--file-every", type=int, default=1)
    poster = Poster(p.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    threads = [threading.Thread(target=poster.run)
               for _ in range(poster.args.connections)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print("tries", *("%s=%d" % t for t in sorted(poster.tries.items())),
          file=sys.stderr)


if __name__ == "__main__":
    main()
