#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a bank's HTTP proxy, obedient or not, that takes note of all
that it can read.

    proxy.py --dir DIR [--port N] [--tls] [--user NAME:PASSWORD] [--mode MODE]

Prints its port when it listens on 127.0.0.1, and ends when its standard input
ends or on SIGTERM. Every host is looked for on this machine. MODE:

    tunnel       CONNECT opens a tunnel; the default
    status=N     the answer is N and a page
    close        hangs up without an answer
    hang         says nothing
    impostor     the tunnel ends here, with TLS of the proxy's own
    clear        says 200, then a page in clear text

In DIR:

    graph.ca.pem   the authority of the proxy's own certificate, made anew for
                   --tls and impostor
    proxy.log      one line per connection: METHOD HOST:PORT STATUS
                   user=yes|no|wrong
    proxy.seen     every byte that came from the client, as the proxy can read
                   it: without --tls's own encryption, and what an impostor
                   is told in what the client takes for Graph's TLS
"""

import argparse
import base64
import os
import select
import signal
import socket
import ssl
import sys
import threading

import graph

CHUNK = 65536


class Proxy:
    def __init__(self, args):
        self.args = args
        self.lock = threading.Lock()
        self.context = None
        if args.tls or args.mode == "impostor":
            self.context = graph.certificate(args.dir)

    def note(self, name, data):
        with self.lock, open(os.path.join(self.args.dir, name), "ab") as f:
            f.write(data)

    def receive(self, sock):
        data = sock.recv(CHUNK)
        self.note("proxy.seen", data)
        return data

    def head(self, sock):
        """The lines of a request; no byte beyond it has come yet."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.receive(sock)
            if not more or len(data) > CHUNK:
                return []
            data += more
        return data.decode("latin-1").split("\r\n")

    def user(self, lines):
        said = [line.partition(":")[2].strip() for line in lines
                if line.lower().startswith("proxy-authorization:")]
        if not said:
            return "no"
        right = base64.b64encode((self.args.user or "").encode()).decode()
        return "yes" if said == ["Basic " + right] else "wrong"

    def status(self, method, user):
        if method != "CONNECT":
            return 405
        if self.args.user and user != "yes":
            return 407
        if self.args.mode.startswith("status="):
            return int(self.args.mode.partition("=")[2])
        return 0 if self.args.mode in ("close", "hang") else 200

    def serve(self, sock):
        if self.args.tls:
            sock = self.context.wrap_socket(sock, server_side=True)
        lines = self.head(sock)
        method, target, *_ = (lines + [""])[0].split(" ") + ["-"]
        user = self.user(lines)
        status = self.status(method, user)
        self.note("proxy.log", f"{method} {target} {status} user={user}\n"
                  .encode())
        if status == 200:
            self.open(sock, int(target.rpartition(":")[2]))
        elif status > 0:
            self.refuse(sock, status)
        elif self.args.mode == "hang":
            self.receive(sock)
        sock.close()

    def refuse(self, sock, status):
        page = b"<html>The proxy says no</html>\n"
        more = 'Proxy-Authenticate: Basic realm="x"\r\n' \
            if status == 407 else ""
        sock.sendall(f"HTTP/1.1 {status} So it is\r\n{more}"
                     "Retry-After: 3000\r\nContent-Type: text/html\r\n"
                     f"Content-Length: {len(page)}\r\n\r\n".encode() + page)

    def open(self, sock, port):
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        if self.args.mode == "impostor":
            inner = self.context.wrap_socket(sock, server_side=True)
            while self.receive(inner):
                pass
        elif self.args.mode == "clear":
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nno\n")
            self.receive(sock)
        else:
            with socket.create_connection(("127.0.0.1", port)) as peer:
                self.pass_on(sock, peer)

    def pass_on(self, sock, peer):
        while True:
            ready = [sock] if isinstance(sock, ssl.SSLSocket) and \
                sock.pending() else select.select([sock, peer], [], [])[0]
            if sock in ready:
                data = self.receive(sock)
                peer.sendall(data)
            else:
                data = peer.recv(CHUNK)
                sock.sendall(data)
            if not data:
                return

    def run(self, sock):
        try:
            self.serve(sock)
        except (OSError, ValueError):
            pass
        finally:
            sock.close()


def accept(proxy, listener):
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=proxy.run, args=(sock,), daemon=True).start()


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--dir", required=True)
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--tls", action="store_true")
    p.add_argument("--user")
    p.add_argument("--mode", default="tunnel")
    args = p.parse_args()
    proxy = Proxy(args)
    listener = graph.listen(args.port)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    threading.Thread(target=accept, args=(proxy, listener),
                     daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    graph.listen_to_stdin()


if __name__ == "__main__":
    sys.exit(main())
