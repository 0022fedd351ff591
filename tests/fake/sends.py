#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The end of Meta's Graph API that takes sends, and breaks connections: what
it does with a request is in the request.

    sends.py --dir DIR

Speaks TLS as "localhost" (certificate and token as graph.py makes them), prints
"PORT CLOSES PROXY" and ends when its standard input ends. CLOSES takes
connections and closes them without a word. PROXY opens tunnels to PORT, says 403
to any other, and notes "proxy TARGET STATUS token=yes|no".

    POST|DELETE|GET /v25.0/ACTION[,ACTION]/messages     the body is its key

Each request that has come as a whole is noted in DIR/sends.log, as
"seen KEY METHOD ACTION token=yes|no CONNECTION TYPE expect|- LENGTH TARGET";
of one that is not read to its end, "part -". ACTIONs:

  ok               200 and {"key":KEY}
  status-N         N, with the same
  throttle         429, Retry-After and what Meta says of usage
  interim          100 first, with headers that are not the answer's
  chunked          200 in chunks, with a trailer
  to-the-end       200 without a length, then closed
  redirect         302 to the same place
  expect           417, as if somebody had sent Expect
  gone             nothing, and closed
  reset            nothing, and reset
  early            closed once the head is there, and nothing read of the body
  half-head        half of the answer's first line, then closed
  half             half of the body, then closed
  silent           nothing, for ever
  slow-MS          200 so much later
  huge             200 and a megabyte
  endless          a body that does not end
  headers          headers that do not end
  garbage          what is no HTTP
  bad-length       two lengths

and, of the requests that follow on the same connection, which it will not
announce:

  then-close       200, and the connection is closed
  then-reset       200, and it is reset
  next-gone        200, and the next is read and not answered
  next-reset       200, and the next is read and the connection reset
  next-early       200, and it is closed when the next one begins
  next-half        200, and the next one is answered in half

Templates: GET /v25.0/ACCOUNT/message_templates; ACCOUNT says how, see Pages.
"""

import argparse
import itertools
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

from graph import certificate, listen, token_of

CHUNK = 65536


class End(Exception):
    """The connection is to be closed."""


class World:
    def __init__(self, directory):
        self.dir, self.token = directory, token_of(directory)
        self.context = certificate(directory)
        self.lock, self.numbers = threading.Lock(), itertools.count(1)
        self.log_file = open(os.path.join(directory, "sends.log"), "a",
                             encoding="utf-8")

    def log(self, *words):
        with self.lock:
            self.log_file.write(" ".join(str(w) for w in words) + "\n")
            self.log_file.flush()


def template(name, language, text="Hello"):
    return {"name": name, "language": language, "status": "APPROVED",
            "category": "UTILITY", "id": "1",
            "components": [{"type": "BODY", "text": text}]}


class Pages:
    """What an account says of its templates: (status, answer)."""

    def answer(self, account, query):
        after = query.get("after", [""])[0]
        make = getattr(self, account.replace("-", "_"), None)
        if make is None or query.get("limit") is None:
            return 400, {"error": {"message": "no", "code": 100,
                                   "error_subcode": 33}}
        return make(query["name"][0], after)

    @staticmethod
    def page(data, after=None, where="https://evil.example/next?token=x"):
        page = {"data": data, "paging": {"cursors": {"before": "b"}}}
        if after is not None:
            page["paging"]["cursors"]["after"] = after
            page["paging"]["next"] = where
        return 200, page

    def one(self, name, _):
        return self.page([template(name + "_more", "en"),
                          template(name, "en_GB"), template(name, "en"),
                          template(name, "pt_BR", "Ol\u00e1 {{1}}")])

    def pages(self, name, after):
        n = int(after.split("=")[1].split("&")[0]) if after else 0
        if n < 5:
            return self.page([template("x%d" % n, "en")],
                             "p=%d&access_token=stolen/../#" % (n + 1))
        return self.page([template(name, "en")])

    def endless(self, _, after):
        return self.page([], "x" + after)

    def circle(self, _, after):
        return self.page([], "same")

    def no_cursor(self, _, after):
        return 200, {"data": [], "paging": {"next": "https://a/"}}

    def odd(self, name, _):
        return 200, {"data": [None, 1, [], "x", {"name": 1}, {"name": name},
                              {"name": name, "language": ["en"]},
                              {"name": name + "\0x", "language": "en"},
                              template(name, "en", "the right one")],
                     "paging": [1]}

    def no_data(self, _, after):
        return 200, {"data": {"name": "x"}}

    def throttled(self, _, after):
        return 429, {"error": {"message": "calm down", "code": 80008}}

    def deep(self, name, _):
        deep = []
        for _ in range(100):
            deep = [deep]
        return 200, {"data": [template(name, "en", deep)]}

    def huge(self, name, _):
        return 200, {"data": [template(name, "en", "x" * (3 << 20))]}


class Conn:
    def __init__(self, world, sock):
        self.world, self.sock, self.buf = world, sock, b""
        self.number = next(world.numbers)
        self.next_action = None

    # --- reading

    def more(self):
        data = self.sock.recv(CHUNK)
        if not data:
            raise End()
        self.buf += data

    def head(self):
        while b"\r\n\r\n" not in self.buf:
            self.more()
            if self.next_action == "early":
                self.world.log("part", "-")
                raise End()
        head, _, self.buf = self.buf.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return lines[0].split(" "), headers

    def body(self, length):
        while len(self.buf) < length:
            self.more()
        body, self.buf = self.buf[:length], self.buf[length:]
        return body

    # --- writing

    def send(self, *parts):
        self.sock.sendall(b"".join(p.encode() if isinstance(p, str) else p
                                   for p in parts))

    def say(self, status, body, *headers):
        self.send("HTTP/1.1 %d So\r\nContent-Type: application/json\r\n"
                  "Content-Length: %d\r\n" % (status, len(body)),
                  *(h + "\r\n" for h in headers), "\r\n", body)

    def reset(self):
        raw = self.sock.detach()
        s = socket.socket(fileno=raw)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack("ii", 1, 0))
        s.close()
        raise End()

    def close(self):
        """With all that TLS wants, while the other side may be writing."""
        try:
            self.sock.settimeout(1)
            self.sock.unwrap().close()
        except (OSError, ValueError):
            pass
        raise End()

    # --- one request

    def one(self):
        (method, target, _), headers = self.head()
        length = int(headers.get("content-length", "0"))
        path, _, query = target.partition("?")
        parts = path.split("/")
        actions = parts[2].split(",") if len(parts) > 3 else ["ok"]
        if "early" in actions:
            self.world.log("part", "-")
            raise End()
        key = self.body(length)
        short = key[:40].decode("latin-1").replace(" ", "_") or "-"
        token = headers.get("authorization") == "Bearer " + self.world.token
        self.world.log("seen", short, method, parts[2],
                       "token=" + ("yes" if token else "no"), self.number,
                       headers.get("content-type", "-").replace(" ", "_"),
                       "expect" if "expect" in headers else "-", length,
                       target)
        if parts[-1] == "message_templates":
            status, answer = Pages().answer(
                parts[2], urllib.parse.parse_qs(query))
            self.say(status, json.dumps(answer).encode(), "Retry-After: 3")
            return
        self.obey(actions, json.dumps({"key": short}).encode(), target)

    def obey(self, actions, body, target):
        promised, self.next_action = self.next_action, None
        if promised in ("gone", "reset", "half"):
            actions = [promised]
        for action in actions:
            word, _, n = action.partition("-")
            if action.startswith("next-"):
                self.next_action = n
                self.say(200, body)
            elif action in ("then-close", "then-reset"):
                self.say(200, body)
                self.reset() if n == "reset" else self.close()
            elif word == "status":
                self.say(int(n), body)
            elif word == "slow":
                time.sleep(int(n) / 1000)
                self.say(200, body)
            else:
                getattr(self, "do_" + action.replace("-", "_"))(body, target)

    def do_ok(self, body, _):
        self.say(200, body)

    def do_throttle(self, body, _):
        self.say(429, body, "retry-after:  17 ", "X-App-Usage: {\"a\":28}",
                 "X-Business-Use-Case-Usage: {\"1\":[]}",
                 "facebook-api-version: v25.0", "x-fb-trace-id: Cab",
                 "Set-Cookie: a=b", "X-Fb-Debug: x", "x-app-usage2: no")

    def do_interim(self, body, _):
        self.send("HTTP/1.1 100 Continue\r\nRetry-After: 99\r\n\r\n")
        self.say(200, body, "facebook-api-version: v25.0")

    def do_chunked(self, body, _):
        self.send("HTTP/1.1 200 So\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i in range(len(body)):
            self.send("1\r\n", body[i:i + 1], "\r\n")
        self.send("0\r\nX-Trailer: yes\r\n\r\n")

    def do_to_the_end(self, body, _):
        self.send("HTTP/1.1 200 So\r\n\r\n", body)
        self.close()

    def do_redirect(self, body, target):
        self.say(302, body, "Location: " + target)

    def do_expect(self, body, _):
        self.say(417, body)

    def do_gone(self, *_):
        self.close()

    def do_reset(self, *_):
        self.reset()

    def do_half_head(self, *_):
        self.send("HTTP/1.1 2")
        self.close()

    def do_half(self, body, _):
        self.send("HTTP/1.1 200 So\r\nContent-Length: %d\r\n\r\n" % len(body),
                  body[:len(body) // 2])
        self.close()

    def do_silent(self, *_):
        while True:
            self.more()

    def do_huge(self, *_):
        self.say(200, b"x" * (1 << 20))

    def do_endless(self, *_):
        self.send("HTTP/1.1 200 So\r\n\r\n")
        while True:
            self.send(b"x" * CHUNK)

    def do_headers(self, *_):
        self.send("HTTP/1.1 200 So\r\n")
        for i in itertools.count():
            self.send("X-%d: %s\r\n" % (i, "y" * 1000))

    def do_garbage(self, *_):
        self.send("* OK this is some other protocol\r\n")
        self.close()

    def do_bad_length(self, body, _):
        self.send("HTTP/1.1 200 So\r\nContent-Length: 3\r\nContent-Length: "
                  "%d\r\n\r\n" % len(body), body)

    def run(self):
        try:
            self.sock = self.world.context.wrap_socket(self.sock,
                                                       server_side=True)
            while True:
                self.one()
        except (End, OSError, ValueError, IndexError, AttributeError) as e:
            if isinstance(e, (ValueError, IndexError, AttributeError)):
                self.world.log("error", repr(e))
        try:
            self.sock.close()
        except OSError:
            pass


def serve(world, s):
    while True:
        sock, _ = s.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=Conn(world, sock).run, daemon=True).start()


def close_all(s):
    while True:
        s.accept()[0].close()


def pour(a, b):
    try:
        while data := a.recv(CHUNK):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def tunnel(world, sock, port):
    head = b""
    while b"\r\n\r\n" not in head and (data := sock.recv(CHUNK)):
        head += data
    target = head.split(b" ")[1].decode()
    status = 200 if target == "localhost:%d" % port else 403
    world.log("proxy", target, status, "token=" +
              ("yes" if world.token.encode() in head else "no"))
    if status != 200:
        sock.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        sock.close()
        return
    far = socket.create_connection(("127.0.0.1", port))
    sock.sendall(b"HTTP/1.1 200 Open\r\nRetry-After: 88\r\n\r\n")
    threading.Thread(target=pour, args=(far, sock), daemon=True).start()
    pour(sock, far)


def open_tunnels(world, s, port):
    while True:
        threading.Thread(target=tunnel, args=(world, s.accept()[0], port),
                         daemon=True).start()


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--dir", required=True)
    world = World(p.parse_args().dir)
    main_socket, closes, proxy = listen(0), listen(0), listen(0)
    ports = [s.getsockname()[1] for s in (main_socket, closes, proxy)]
    threading.Thread(target=serve, args=(world, main_socket),
                     daemon=True).start()
    threading.Thread(target=close_all, args=(closes,), daemon=True).start()
    threading.Thread(target=open_tunnels, args=(world, proxy, ports[0]),
                     daemon=True).start()
    print(*ports, flush=True)
    while sys.stdin.read(CHUNK):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
