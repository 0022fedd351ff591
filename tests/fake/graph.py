#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Meta's Graph API and the host of its files: strict by
default, hostile on demand.

    graph.py --dir DIR [--version v25.0] [--phone-number-id ID]...
             [--port N] [--url-life SECONDS] [--rate N]
    graph.py --dir DIR --port N --print-url ID [--url-life SECONDS]

Serves GET /VERSION/ID and the addresses that it answers with, over TLS, as
"localhost", to whoever has the token; and takes sends, uploads and what else
staff systems ask for: graph_send.py says which, and what it takes note of.
Prints "PORT FOREIGN PLAIN" when it listens, and ends when its standard input
ends or on SIGTERM. PORT is the stand-in; FOREIGN is a host (TLS) and PLAIN one
(no TLS) that must never be sent anything: they take note of who comes and
whether he brings the token.
--print-url prints an address of a file as a webhook would carry it.

In DIR:

    ID, ID.EXT     the files, named by media id; EXT decides their type
    graph.token    the token; made when it is missing
    graph.ca.pem   the authority that signed the certificate; made anew
    graph.log      one line per request:
                     WHERE STAGE ID STATUS token=yes|no|wrong agent=yes|no
                   WHERE is graph, foreign or plain; STAGE find, get or
                   other; for foreign and plain also the bare "connect";
                   before it is answered "graph begin STAGE ID -", and "graph
                   sent ID -" when a file was sent to its end
    graph.script   what to do otherwise; read again for each request

Lines of the script are "ID STAGE[#N] ACTION": ID or *, STAGE find, get or one
of graph_send.py, #N only the N-th such request for that id, counted from 1. The
last line that matches wins. {good} {port} {foreign} {plain} {id} stand for what they say.

  for all:
    error HTTP CODE[/SUBCODE] [retry-after=X] [MESSAGE]   as Graph says it
    status HTTP [retry-after=X]    a page of HTML
    empty HTTP                     nothing, with that status
    redirect URL                   302
    hang | drop                    say nothing, close
  find:
    answer [KEY=VALUE]...          the answer with other members: url, id,
                                   mime_type, file_size; VALUE "none" leaves
                                   it out; sha256=wrong|none|base64|hex
    truncated | huge               half the JSON; a megabyte of it
  get:
    flip                           one byte is another
    short N | long N               so many bytes less or more, and said so
    cut N                          closes after N bytes of the file
    stall N                        says nothing more after N bytes
    slow MS                        1 KiB every MS milliseconds
    endless                        never ends
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

from graph_send import Exchange, Sends

NAME = "localhost"
ATTACHMENTS = "/whatsapp_business/attachments/"
TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp",
         ".pdf": "application/pdf", ".ogg": "audio/ogg; codecs=opus",
         ".mp4": "video/mp4", ".txt": "text/plain"}
CHUNK = 65536
FILE_ACTIONS = ("answer", "truncated", "huge", "flip", "short", "long",
                "cut", "stall", "slow", "endless")


class Gone(Exception):
    """The connection is to be closed."""


def token_of(directory):
    path = os.path.join(directory, "graph.token")
    if not os.path.exists(path):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600),
                  "w", encoding="ascii") as f:
            f.write("EAAG" + secrets.token_hex(60) + "\n")
    with open(path, encoding="ascii") as f:
        return f.read().rstrip("\n")


def certificate(directory):
    """A fresh authority and a certificate for localhost."""

    def at(part):
        return os.path.join(directory, "graph." + part)

    def openssl(*words):
        subprocess.run(("openssl",) + words, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    with open(at("ext"), "w", encoding="ascii") as f:
        f.write("subjectAltName=DNS:%s,IP:127.0.0.1\n" % NAME)
    openssl("req", "-x509", *key, "-days", "2", "-subj", "/CN=test ca",
            "-keyout", at("ca.key"), "-out", at("ca.new"))
    openssl("req", "-new", *key, "-subj", "/CN=" + NAME,
            "-keyout", at("tls.key"), "-out", at("tls.csr"))
    openssl("x509", "-req", "-in", at("tls.csr"), "-CA", at("ca.new"),
            "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "2",
            "-extfile", at("ext"), "-out", at("tls.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(at("tls.pem"), at("tls.key"))
    for part in ("ca.key", "tls.key", "tls.csr", "tls.pem", "ext", "ca.srl"):
        if os.path.exists(at(part)):
            os.remove(at(part))
    os.rename(at("ca.new"), at("ca.pem"))
    return context


def file_url(token, port, media, expires):
    proof = hmac.new(token.encode(), f"{media} {expires}".encode(),
                     "sha256").hexdigest()[:24]
    return (f"https://{NAME}:{port}{ATTACHMENTS}?mid={media}"
            f"&ext={expires}&hash={proof}")


class Media:
    """The files, and their digests."""

    def __init__(self, directory):
        self.dir, self.known, self.lock = directory, {}, threading.Lock()

    def path(self, media):
        if not re.fullmatch(r"[0-9A-Za-z_-]+", media):
            return None
        for name in os.listdir(self.dir):
            if name.split(".")[0] == media and media != "graph":
                return os.path.join(self.dir, name)
        return None

    def digest(self, path):
        st = os.stat(path)
        key = (path, st.st_mtime_ns, st.st_size)
        with self.lock:
            if key not in self.known:
                h = hashlib.sha256()
                with open(path, "rb") as f:
                    while data := f.read(CHUNK):
                        h.update(data)
                self.known[key] = h.digest()
            return self.known[key]


class World:
    """What all connections share."""

    def __init__(self, args):
        self.args, self.dir = args, args.dir
        self.token = token_of(args.dir)
        self.media = Media(args.dir)
        self.lock, self.counts = threading.Lock(), {}
        self.ports, self.connections = {}, 0
        self.sends = Sends(self)
        self.log_file = open(os.path.join(args.dir, "graph.log"), "a",
                             encoding="utf-8", errors="replace")

    def log(self, *words):
        with self.lock:
            self.log_file.write(" ".join(str(w) for w in words) + "\n")
            self.log_file.flush()

    def count(self, stage, media):
        with self.lock:
            n = self.counts.get((stage, media), 0) + 1
            self.counts[stage, media] = n
            return n

    def action(self, stage, media):
        n = self.count(stage, media)
        self.log("graph", "begin", stage, media, "-")
        path = os.path.join(self.dir, "graph.script")
        found = []
        if not os.path.exists(path):
            return found
        with open(path, encoding="utf-8") as f:
            for line in f:
                words = line.split()
                if len(words) < 3 or line.startswith("#"):
                    continue
                name, _, when = words[1].partition("#")
                if words[0] in (media, "*") and name == stage and \
                        when in ("", str(n)):
                    found = words[2:]
        marks = dict(self.ports, id=media, good=self.url(media))
        return [re.sub(r"\{(\w+)\}", lambda m: str(marks[m[1]]), w)
                for w in found]

    def url(self, media):
        return file_url(self.token, self.ports["port"], media,
                        int(time.time() + self.args.url_life))


class Request:
    """One request, as it was written."""

    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.lower(), []).append(value.strip())
        m = re.fullmatch(r"(\S+) (\S+) HTTP/1\.1", self.line)
        self.method, self.target = m.groups() if m else ("", "")

    def one(self, name):
        values = self.headers.get(name, [])
        return values[0] if len(values) == 1 else None

    def token(self, right):
        if "authorization" not in self.headers:
            return "no"
        return "yes" if self.one("authorization") == "Bearer " + right \
            else "wrong"

    def agent(self):
        agent = self.one("user-agent") or ""
        return bool(agent) and not agent.startswith(("curl/", "python"))


class Conn:
    """One connection, in a thread of its own."""

    def __init__(self, world, sock, where):
        self.world, self.sock, self.where = world, sock, where
        self.buf, self.is_over, self.doing = b"", False, ("other", "-")
        with world.lock:
            world.connections += 1
            self.number = world.connections

    def head(self):
        while b"\r\n\r\n" not in self.buf:
            data = self.sock.recv(CHUNK)
            if not data or len(self.buf) > CHUNK:
                raise Gone()
            self.buf += data
        head, _, self.buf = self.buf.partition(b"\r\n\r\n")
        return Request(head)

    def body(self, r, most):
        """What Content-Length announces; in chunks nothing is taken."""
        length = r.one("content-length")
        if length is None and r.method != "POST" and \
                "transfer-encoding" not in r.headers:
            return b""
        if not re.fullmatch("[0-9]{1,9}", length or "") or \
                "transfer-encoding" in r.headers or int(length) > most:
            self.error(411, 100, "Content-Length")
            raise Gone()
        if (r.one("expect") or "").lower() == "100-continue":
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        parts, left = [self.buf[:int(length)]], int(length)
        self.buf = self.buf[len(parts[0]):]
        left -= len(parts[0])
        while left > 0:
            data = self.sock.recv(min(left, 1 << 20))
            if not data:
                raise Gone()
            parts.append(data)
            left -= len(data)
        return b"".join(parts)

    def drop(self):
        raise Gone()

    def say(self, status, body, kind="application/json", more=(), length=None):
        lines = ["HTTP/1.1 %d It is so" % status, "Content-Type: " + kind,
                 "Content-Length: %d" %
                 (len(body) if length is None else length), *more]
        self.sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def error(self, status, code, text, more=(), details=None):
        code, _, subcode = str(code).partition("/")
        e = {"message": text, "type": "OAuthException", "code": int(code),
             "fbtrace_id": "AtraceOfTheStandIn"}
        if subcode:
            e["error_subcode"] = int(subcode)
        if details:
            e["error_data"] = {"messaging_product": "whatsapp",
                               "details": details}
        self.say(status, json.dumps({"error": e}).encode(), more=more)
        return status

    def page(self, status, more=()):
        self.say(status, b"<!DOCTYPE html><html><body>Sorry</body></html>\n",
                 "text/html", more)
        return status

    # --- what is the same for both

    def common(self, words):
        """The status, or None when the action is another."""
        word, rest = words[0], words[1:]
        more = ["Retry-After: " + w[12:].replace("_", " ") for w in rest
                if w.startswith("retry-after=")]
        rest = [w for w in rest if not w.startswith("retry-after=")]
        if word == "error":
            return self.error(int(rest[0]), rest[1],
                              " ".join(rest[2:]) or "as the script says", more)
        if word == "status":
            return self.page(int(rest[0]), more)
        if word == "empty":
            self.say(int(rest[0]), b"")
            return int(rest[0])
        if word == "redirect":
            self.say(302, b"", more=["Location: " + rest[0]])
            return 302
        if word == "drop":
            raise Gone()
        if word == "hang":
            self.hang()
        if word not in FILE_ACTIONS:
            raise ValueError(f"the script's {word} is unknown here")
        return None

    def hang(self):
        while True:
            if not self.sock.recv(CHUNK):
                raise Gone()

    # --- GET /VERSION/ID

    def find(self, media, query):
        words = self.world.action("find", media)
        status = self.common(words) if words else None
        if status is not None:
            return status
        numbers = self.world.args.phone_number_id
        m = re.fullmatch(r"phone_number_id=([0-9A-Za-z_-]+)", query)
        if query and (not m or (numbers and m[1] not in numbers)):
            return self.error(400, 100, "Invalid parameter")
        path = self.world.media.path(media)
        if path is None:
            return self.error(400, "100/33", "Unsupported get request. "
                              f"Object with ID '{media}' does not exist, "
                              "cannot be loaded due to missing permissions, "
                              "or does not support this operation")
        return self.found(media, path, words)

    def found(self, media, path, words):
        digest = self.world.media.digest(path)
        answer = {"messaging_product": "whatsapp",
                  "url": self.world.url(media),
                  "mime_type": TYPES.get(os.path.splitext(path)[1],
                                         "application/octet-stream"),
                  "sha256": digest.hex(),
                  "file_size": os.path.getsize(path), "id": media}
        for word in words[1:] if words[:1] == ["answer"] else []:
            key, _, value = word.partition("=")
            if key == "sha256":
                value = {"wrong": digest[::-1].hex(), "hex": digest.hex(),
                         "base64": base64.b64encode(digest).decode()
                         }.get(value, value)
            answer[key] = value
            if value == "none":
                del answer[key]
        body = json.dumps(answer).replace("/", "\\/").encode()
        if words[:1] == ["truncated"]:
            body = body[:len(body) // 2]
        if words[:1] == ["huge"]:
            body = b'{"padding":"' + b"x" * (1 << 20) + b'",' + body[1:]
        self.say(200, body)
        return 200

    # --- GET of a file

    def get(self, media, path, words):
        size = os.path.getsize(path)
        word, n = (words + ["", "0"])[0], int((words + ["0", "0"])[1])
        length = size - n if word == "short" else size
        said = length + n if word == "long" else length
        head = ("HTTP/1.1 200 OK\r\nContent-Type: "
                + TYPES.get(os.path.splitext(path)[1], "binary/octet-stream"))
        if word == "endless":
            self.endless(head)
        self.sock.sendall(f"{head}\r\nContent-Length: {said}\r\n\r\n".encode())
        self.send_file(path, length, word, n)
        if word == "long":
            self.sock.sendall(b"x" * n)
        self.world.log("graph", "sent", media, "-")
        return 200

    def send_file(self, path, length, word, n):
        step = 1024 if word == "slow" else CHUNK
        sent = 0
        with open(path, "rb") as f:
            while sent < length:
                data = f.read(min(step, length - sent))
                if word == "flip" and sent == 0:
                    data = bytes([data[0] ^ 1]) + data[1:]
                if word in ("cut", "stall") and sent + len(data) >= n:
                    self.sock.sendall(data[:n - sent])
                    if word == "stall":
                        self.hang()
                    raise Gone()
                self.sock.sendall(data)
                sent += len(data)
                if word == "slow":
                    time.sleep(n / 1000)

    def endless(self, head):
        self.sock.sendall(head.encode() +
                          b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b"e" * CHUNK + b"\r\n"
        while True:
            self.sock.sendall(chunk)

    def attachment(self, query):
        m = re.fullmatch(r"mid=([0-9A-Za-z_-]+)&ext=([0-9]+)&hash=([0-9a-f]+)",
                         query)
        media = m[1] if m else "-"
        words = self.world.action("get", media) if m else []
        status = self.common(words) if words else None
        if status is not None:
            return media, status
        path = self.world.media.path(media) if m else None
        if path is None or int(m[2]) < time.time() or \
                file_url(self.world.token, self.world.ports["port"], media,
                         int(m[2])) != f"https://{NAME}:" \
                f"{self.world.ports['port']}{ATTACHMENTS}?{query}":
            return media, self.page(404)
        return media, self.get(media, path, words)

    # --- strictness

    def refusal(self, r, sends=False):
        ports = [f"{NAME}:{self.world.ports['port']}"]
        if self.world.ports["port"] == 443:
            ports.append(NAME)
        if not sends and (r.method != "GET" or
                          "content-length" in r.headers or
                          "transfer-encoding" in r.headers):
            return 405, 100, "Only GET, and no body"
        if r.one("host") not in ports:
            return 421, 100, "Wrong host"
        if r.token(self.world.token) != "yes":
            return 401, 190, "Invalid OAuth access token"
        if not r.agent() or "cookie" in r.headers or \
                "x-forwarded-for" in r.headers or \
                "proxy-authorization" in r.headers:
            return 400, 100, "No normal client"
        return None

    def answer(self, r):
        exchange = Exchange(self, r)
        route = exchange.route()
        if route:
            return exchange.run(*route)
        no = self.refusal(r)
        if no:
            return "other", "-", self.error(*no)
        path, _, query = r.target.partition("?")
        if path == ATTACHMENTS:
            return "get", *self.attachment(query)
        m = re.fullmatch(r"/([^/]+)/([^/]+)", path)
        if not m or m[1] != self.world.args.version or \
                not re.fullmatch(r"[0-9A-Za-z_-]+", m[2]):
            return "other", "-", self.error(400, 2500, "Unknown path")
        return "find", m[2], self.find(m[2], query)

    def one(self):
        r = self.head()
        token = "token=" + r.token(self.world.token)
        agent = "agent=" + ("yes" if r.agent() else "no")
        if self.where == "graph":
            media = re.search(r"mid=([0-9A-Za-z_-]+)|/([0-9A-Za-z_-]+)(?:\?|$)",
                              r.target)
            self.doing = ("get" if ATTACHMENTS in r.target else "find",
                          media[1] or media[2] if media else "-")
            try:
                stage, media, status = self.answer(r)
            except (Gone, OSError):
                self.world.log(self.where, *self.doing, "broken", token,
                               agent)
                raise
            self.world.log(self.where, stage, media, status, token, agent)
        else:
            self.world.log(self.where, "other", "-", 200, token, agent)
            self.say(200, b"gotcha", "text/plain")

    def run(self):
        try:
            if self.where != "graph":
                self.world.log(self.where, "connect")
            if self.where != "plain":
                self.sock = self.world.context.wrap_socket(
                    self.sock, server_side=True)
            while not self.is_over:
                self.one()
        except (Gone, OSError, ValueError):
            pass
        try:
            self.sock.close()
        except OSError:
            pass


def listen(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen(128)
    return s


def serve(world, s, where):
    while True:
        sock, _ = s.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=Conn(world, sock, where).run,
                         daemon=True).start()


def listen_to_stdin():
    while sys.stdin.read(CHUNK):
        pass
    os._exit(0)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--dir", required=True)
    p.add_argument("--version", default="v25.0")
    p.add_argument("--phone-number-id", action="append", default=[])
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--url-life", type=int, default=300)
    p.add_argument("--rate", type=int, default=0,
                   help="sends of one number per second, else 130429")
    p.add_argument("--print-url")
    args = p.parse_args()
    if args.print_url:
        print(file_url(token_of(args.dir), args.port, args.print_url,
                       int(time.time()) + args.url_life))
        return
    world = World(args)
    world.context = certificate(args.dir)
    sockets = {"graph": listen(args.port), "foreign": listen(0),
               "plain": listen(0)}
    world.ports = {name if name != "graph" else "port": s.getsockname()[1]
                   for name, s in sockets.items()}
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    for where, s in sockets.items():
        threading.Thread(target=serve, args=(world, s, where),
                         daemon=True).start()
    print(*world.ports.values(), flush=True)
    listen_to_stdin()


if __name__ == "__main__":
    main()
