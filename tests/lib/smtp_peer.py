#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A scriptable SMTP peer for tests: obedient by default, hostile on demand.

    smtp_peer.py --dir DIR [--script FILE] [--port N] [--address A]
                 [--tls-name NAME] [--implicit-tls]

Prints its port on standard output when it listens, and ends when its
standard input ends (so that a test that dies leaves nothing behind) or on
SIGTERM. Port 0 (the default) takes a free one. From another process, keep
standard input open: smtp_peer.py ... < <(sleep infinity) in bash. A line
"again DIR SCRIPT" on standard input begins anew for later connections, with
counters at 0, and is answered with the port: for test programs that would
else start many peers.

What it receives lies in DIR:

    log         one line per thing that happened:
                  C open | C > COMMAND | C < REPLY | C mail M BYTES REPLY |
                  C part M BYTES | C tls VERSION | C close
                C counts connections, M mails; both from 1
    M.eml       a mail that ended with its dot, dots undoubled, written before
                the reply is sent; four digits: 0001.eml
    M.part      one that did not
    M.env       sender and recipients, one a line
    ca.pem      with --tls-name: the authority that signed the certificate

The script is read again for each connection. Lines are

    offer EXTENSION            one per line, replaces the standard offer
                               (PIPELINING, 8BITMIME, SIZE 50000000,
                               ENHANCEDSTATUSCODES; STARTTLS with --tls-name);
                               "offer" alone offers nothing
    STAGE[#N] ACTION           what to do at a stage; #N only the N-th time on
                               this peer, counted from 1; the last line that
                               matches wins
    login USER PASSWORD        what AUTH PLAIN and LOGIN accept (any, if unset)

    STAGE   greet ehlo helo starttls auth mail rcpt data dot rset quit noop
            bdat; and body (while the mail arrives)

    ACTION  NNN TEXT           a reply; \\n in it makes it a multi-line reply
            raw TEXT           these bytes; \\r \\n \\t \\xNN are understood
            drop               close the connection
            reset              close it with RST
            drop-after REPLY   reply, then close
            hang               say nothing more, keep the connection
            drip MS REPLY      the reply, one byte every MS milliseconds
            wait MS REPLY      the reply, later
            big N NNN          a reply of about N bytes in many lines
            inject TEXT        at starttls: the reply and TEXT in one segment
            at BYTES ACTION    at body: drop, reset, hang or raw, when so
                               many bytes have come
            slow MS            at body: read 512 bytes every MS milliseconds
            digest             at body: keep no mail but its length and SHA-256
                               (M.sum), for large ones
"""

import argparse
import base64
import hashlib
import os
import re
import signal
import socket
import struct
import sys
import threading
import time

STANDARD = ["PIPELINING", "8BITMIME", "SIZE 50000000", "ENHANCEDSTATUSCODES"]
REPLIES = {
    "greet": "220 peer.example ESMTP",
    "helo": "250 peer.example",
    "starttls": "220 2.0.0 go ahead",
    "auth": "235 2.7.0 welcome",
    "mail": "250 2.1.0 sender ok",
    "rcpt": "250 2.1.5 recipient ok",
    "data": "354 end with a dot",
    "bdat": "250 2.0.0 chunk ok",
    "rset": "250 2.0.0 ok",
    "noop": "250 2.0.0 ok",
    "quit": "221 2.0.0 bye",
}


class Gone(Exception):
    """The connection is to be closed."""


def unescape(text):
    def one(m):
        c = m.group(1)
        return chr(int(c[1:], 16)) if c[0] == "x" else \
            {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}[c]
    return re.sub(r"\\(x[0-9a-fA-F]{2}|[rnt\\])", one, text).encode("latin-1")


def reply_bytes(reply):
    """'250 a\\nb' -> b'250-a\\r\\n250 b\\r\\n'."""
    code, _, text = reply.partition(" ")
    lines = text.split("\\n")
    out = ["%s-%s\r\n" % (code, line) for line in lines[:-1]]
    out.append("%s %s\r\n" % (code, lines[-1]))
    return "".join(out).encode("utf-8", "surrogateescape")


class Script:
    """The control file, as it was when a connection began."""

    def __init__(self, path):
        self.offer, self.login, self.rules = None, None, []
        if path is None or not os.path.exists(path):
            return
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            for line in f:
                self.line(line.rstrip("\n"))

    def line(self, line):
        if not line.strip() or line.startswith("#"):
            return
        word, _, rest = line.partition(" ")
        if word == "offer":
            self.offer = self.offer or []
            if rest:
                self.offer.append(rest)
        elif word == "login":
            self.login = rest.split(" ", 1)
        else:
            stage, _, n = word.partition("#")
            self.rules.append((stage, int(n) if n else None, rest))

    def action(self, stage, n):
        found = None
        for name, when, action in self.rules:
            if name == stage and when in (None, n):
                found = action
        return found


class Tls:
    """A fresh authority and a certificate for one name."""

    def __init__(self, name, directory):
        # Imported here: most tests need no TLS, and start faster.
        import ssl
        import subprocess

        def at(part):
            return os.path.join(directory, part)

        def openssl(*words):
            subprocess.run(("openssl",) + words, check=True,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes")
        kind = "IP" if re.fullmatch(r"[0-9.]+|.*:.*", name) else "DNS"
        with open(at("ext"), "w", encoding="ascii") as f:
            f.write("subjectAltName=%s:%s\n" % (kind, name))
        openssl("req", "-x509", *key, "-days", "2", "-subj", "/CN=test ca",
                "-keyout", at("ca.key"), "-out", at("ca.pem"))
        openssl("req", "-new", *key, "-subj", "/CN=" + name,
                "-keyout", at("tls.key"), "-out", at("tls.csr"))
        openssl("x509", "-req", "-in", at("tls.csr"), "-CA", at("ca.pem"),
                "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "2",
                "-extfile", at("ext"), "-out", at("tls.pem"))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(at("tls.pem"), at("tls.key"))
        with open(at("ca.pem"), "rb") as f:
            self.authority = f.read()


class Peer:
    """What all connections share."""

    def __init__(self, args, tls, directory, script):
        self.implicit_tls = args.implicit_tls
        self.dir, self.script = directory, script
        self.lock = threading.Lock()
        self.counts = {}
        self.conns = self.mails = 0
        os.makedirs(directory, exist_ok=True)
        self.log_file = open(os.path.join(directory, "log"), "a",
                             encoding="utf-8", errors="replace")
        self.context = None
        if tls is not None:
            self.context = tls.context
            self.save("ca.pem", tls.authority)

    def log(self, text):
        with self.lock:
            self.log_file.write(text + "\n")
            self.log_file.flush()

    def count(self, stage):
        with self.lock:
            self.counts[stage] = self.counts.get(stage, 0) + 1
            return self.counts[stage]

    def new_conn(self):
        with self.lock:
            self.conns += 1
            return self.conns

    def new_mail(self):
        with self.lock:
            self.mails += 1
            return self.mails

    def save(self, name, data):
        path = os.path.join(self.dir, name)
        with open(path + ".tmp", "wb") as f:
            f.write(data)
        os.rename(path + ".tmp", path)


class Conn:
    """One connection, in a thread of its own."""

    def __init__(self, peer, sock):
        self.peer, self.sock = peer, sock
        self.number = peer.new_conn()
        self.script = Script(peer.script)
        self.buf = b""
        self.tls = False
        self.sender, self.rcpts = None, []

    def log(self, text):
        self.peer.log("%d %s" % (self.number, text))

    # --- reading

    def fill(self, size=65536):
        data = self.sock.recv(size)
        if not data:
            raise Gone()
        self.buf += data

    def line(self):
        while b"\n" not in self.buf:
            self.fill()
        line, _, self.buf = self.buf.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "replace")

    # --- acting

    def send(self, data):
        self.sock.sendall(data)

    def reply(self, reply):
        self.log("< " + reply)
        self.send(reply_bytes(reply))

    def close_hard(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        raise Gone()

    def hang(self):
        self.log("hang")
        while True:
            self.fill()
            self.buf = b""

    def drip(self, ms, reply):
        self.log("< " + reply)
        for byte in reply_bytes(reply):
            self.send(bytes([byte]))
            time.sleep(ms / 1000)

    def act(self, action):
        """Carries an action out; gives the code, or 0 for none."""
        word, _, rest = action.partition(" ")
        if word.isdigit():
            self.reply(action)
            return int(word)
        if word == "drop":
            raise Gone()
        if word == "reset":
            self.close_hard()
        if word == "hang":
            self.hang()
        if word == "drop-after":
            self.reply(rest)
            raise Gone()
        if word == "raw":
            self.log("< raw")
            self.send(unescape(rest))
            return 0
        if word in ("drip", "wait"):
            ms, _, reply = rest.partition(" ")
            if word == "drip":
                self.drip(int(ms), reply)
            else:
                time.sleep(int(ms) / 1000)
                self.reply(reply)
            return int(reply[:3])
        if word == "big":
            size, _, code = rest.partition(" ")
            lines = ["x" * 70] * (int(size) // 76 + 1)
            self.reply(code + " " + "\\n".join(lines))
            return int(code)
        raise SystemExit("smtp_peer: no such action: " + action)

    def at(self, stage):
        action = self.script.action(stage, self.peer.count(stage))
        return self.act(action if action is not None else REPLIES[stage])

    # --- commands

    def offers(self):
        if self.script.offer is not None:
            return [o for o in self.script.offer
                    if not (self.tls and o == "STARTTLS")]
        tls = self.peer.context is not None and not self.tls
        return STANDARD + (["STARTTLS"] if tls else [])

    def do_ehlo(self, arg):
        action = self.script.action("ehlo", self.peer.count("ehlo"))
        if action is not None:
            return self.act(action)
        return self.act("250 " + "\\n".join(["peer.example"] + self.offers()))

    def do_starttls(self, arg):
        action = self.script.action("starttls", self.peer.count("starttls"))
        if action is not None and action.startswith("inject "):
            self.log("< inject")
            self.send(reply_bytes(REPLIES["starttls"]) +
                      unescape(action[len("inject "):]))
        elif self.act(action or REPLIES["starttls"]) != 220:
            return
        self.start_tls()

    def start_tls(self):
        try:
            self.sock = self.peer.context.wrap_socket(self.sock,
                                                      server_side=True)
        except (OSError, ValueError) as e:
            self.log("no tls: %s" % e)
            raise Gone() from e
        self.tls, self.buf = True, b""
        self.log("tls " + self.sock.version())

    def do_auth(self, arg):
        words = arg.split(" ")
        if words[0].upper() == "PLAIN":
            token = words[1] if len(words) > 1 else self.ask("")
            got = base64.b64decode(token).split(b"\0")[1:]
        else:
            user = words[1] if len(words) > 1 else self.ask("VXNlcm5hbWU6")
            got = [base64.b64decode(user),
                   base64.b64decode(self.ask("UGFzc3dvcmQ6"))]
        want = self.script.login
        if want is not None and [g.decode() for g in got] != want:
            return self.reply("535 5.7.8 wrong user or password")
        return self.at("auth")

    def ask(self, prompt):
        self.send(b"334 " + prompt.encode() + b"\r\n")
        return self.line()

    def do_mail(self, arg):
        if self.at("mail") == 250:
            self.sender, self.rcpts = arg, []

    def do_rcpt(self, arg):
        if self.at("rcpt") == 250:
            self.rcpts.append(arg)

    def do_data(self, arg):
        if not self.rcpts and self.script.action(
                "data", self.peer.counts.get("data", 0) + 1) is None:
            self.peer.count("data")
            return self.reply("554 5.5.1 no valid recipients")
        if self.at("data") == 354:
            self.receive()

    def receive(self):
        number = self.peer.new_mail()
        body = Body(self.script.action("body", self.peer.count("body")))
        try:
            if body.digest:
                return self.digest_body(number)
            data = self.read_body(body)
        except (Gone, OSError):
            self.log("part %d %d" % (number, len(self.buf)))
            self.peer.save("%04d.part" % number, self.buf)
            raise
        name = "%04d" % number
        envelope = [self.sender or ""] + self.rcpts
        self.peer.save(name + ".env", "\n".join(envelope).encode() + b"\n")
        self.peer.save(name + ".eml", data)
        self.answer(number, len(data))

    def answer(self, number, size):
        action = self.script.action("dot", self.peer.count("dot"))
        self.log("mail %d %d %s" % (number, size, action or "250"))
        self.sender, self.rcpts = None, []
        self.act(action or "250 2.0.0 Ok: queued as PEER%d" % number)

    def digest_body(self, number):
        """Whole lines at a time; a line end from before is in front."""
        size, sha = 0, hashlib.sha256()
        self.buf = b"\r\n" + self.buf
        while True:
            at = self.buf.find(b"\r\n.\r\n")
            end = at if at >= 0 else self.buf.rfind(b"\r\n")
            data = self.buf[:end].replace(b"\r\n.", b"\r\n")
            data = data if size else data[2:]
            size, self.buf = size + len(data), self.buf[max(end, 0):]
            sha.update(data)
            if at >= 0:
                break
            self.fill(1 << 18)
        self.buf = self.buf[5:]
        sha.update(b"\r\n")
        self.peer.save("%04d.sum" % number, b"%d %s\n" % (
            size + 2, sha.hexdigest().encode()))
        self.answer(number, size + 2)

    def read_body(self, body):
        while True:
            if self.buf.startswith(b".\r\n"):
                end, data = 3, b""
                break
            at = self.buf.find(b"\r\n.\r\n")
            if at >= 0:
                end, data = at + 5, self.buf[:at + 2]
                break
            self.fill(body.size())
            if body.is_due(len(self.buf)):
                self.act(body.what)
        self.buf = self.buf[end:]
        return re.sub(rb"(\A|\r\n)\.", rb"\1", data)

    def do_bdat(self, arg):
        size = int(arg.split(" ")[0])
        while len(self.buf) < size:
            self.fill()
        self.buf = self.buf[size:]
        self.at("bdat")

    def do_quit(self, arg):
        self.at("quit")
        raise Gone()

    def serve(self):
        if self.peer.implicit_tls:
            self.start_tls()
        self.at("greet")
        while True:
            line = self.line()
            verb, _, arg = line.partition(" ")
            verb = verb.lower()
            self.log("> " + (line if verb != "auth" else "AUTH"))
            do = getattr(self, "do_" + verb, None)
            if do is not None:
                do(arg)
            elif verb in REPLIES:
                self.at(verb)
            else:
                self.reply("500 5.5.1 unknown command")

    def run(self):
        self.log("open")
        try:
            self.serve()
        except (Gone, OSError):
            pass
        self.log("close")
        self.sock.close()


class Body:
    """The action for a body that is arriving."""

    def __init__(self, action):
        words = (action or "").split(" ", 2)
        self.bytes = int(words[1]) if words[0] == "at" else None
        self.what = words[2] if words[0] == "at" else None
        self.slow = int(words[1]) / 1000 if words[0] == "slow" else 0
        self.digest = words[0] == "digest"

    def size(self):
        if self.slow:
            time.sleep(self.slow)
            return 512
        return 65536

    def is_due(self, got):
        if self.bytes is None or got < self.bytes:
            return False
        self.bytes = None
        return True


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--dir", required=True)
    p.add_argument("--script")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--address", default="127.0.0.1")
    p.add_argument("--tls-name")
    p.add_argument("--implicit-tls", action="store_true")
    args = p.parse_args()
    os.makedirs(args.dir, exist_ok=True)
    tls = Tls(args.tls_name, args.dir) if args.tls_name else None
    peers = [Peer(args, tls, args.dir, args.script)]
    family = socket.AF_INET6 if ":" in args.address else socket.AF_INET
    server = socket.socket(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((args.address, args.port))
    server.listen(64)
    port = server.getsockname()[1]

    def listen_to_stdin():
        for line in sys.stdin:
            word, directory, script = line.rstrip("\n").split(" ")
            if word == "again":
                peers[0] = Peer(args, tls, directory, script)
                print(port, flush=True)
        os._exit(0)

    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    print(port, flush=True)
    threading.Thread(target=listen_to_stdin, daemon=True).start()
    while True:
        sock, _ = server.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=Conn(peers[0], sock).run, daemon=True).start()


if __name__ == "__main__":
    main()
