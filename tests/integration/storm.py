#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""storm.py: everything at once through the gateway, by a seed.

    storm.py --tmp DIR --seed N --seconds N --clients N --port P
        --intake P --ctl PROGRAM --daemon PID --number ID --other ID

DIR is the private directory of gateway-storm.sh. Staff systems send, upload,
look up, repeat, hang up and dawdle; officers decide; Graph's stand-in is told
to misbehave; roles are killed; the daemon is reloaded with other rules and
modes. What each request was answered goes to DIR/storm.ledger, one JSON object
a line; who was killed to DIR/storm.kills. storm_audit.py judges it.

The seed decides what is done, not in which order threads come to it.
"""
import argparse
import hashlib
import hmac
import http.client
import json
import os
import random
import re
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time

PATIENCE = 60		# who has no answer by then was forgotten
ACCOUNT = "900100200300400"
GOOD = ["5511910000%03d" % i for i in range(12)]
# What Graph does with who has these numbers.
HOSTILE = {
    "5511920000001": "send drop-after",
    "5511920000002": "send cut 15",
    "5511920000003": "send delay 250",
    "5511920000004": "send close",
    "5511920000005": "send delay 40 error 500 131000 Something went wrong",
    "5511920000006": "send drop",
    "5511920000007": "send delay 100 garbage",
    "5511920000008": "send truncated",
    "5511920000009": "send error 429 131056 Pair rate limit hit",
    "5511920000010": "send status 503",
    "5511920000011": "send hang-after",
    "5511920000012": "send delay 1200",
    "5511920000013": "send huge",
    "5511920000014": "send error 400 131030 Not allowed",
}
THROTTLED = "5511920000020"
SCRIPT = "".join(f"{to} {what}\n" for to, what in HOSTILE.items()) + \
    f"{THROTTLED} send error 429 130429 retry-after=1 Rate limit hit\n"
MOODS = ("* upload error 500 131000 Something went wrong",
         "* upload drop-after", "* upload delay 400", "* read drop",
         "* accept drop", "* template delay 900", "* template drop",
         "* find drop", "* get cut 500", "* get slow 5", "* call drop-after",
         "* group delay 300 error 400 100 no", "* send delay 120")
GROUP = "Y2FwaV9ncm91cDoxMjM0"
WORDS = {"plain": "good day", "block": "an inside tip",
         "hold": "please approve", "two": "a large payment",
         "offer": "a special offer", "advice": "with advice",
         "timely": "timely words", "mass": "mass mailing",
         "promise": "guaranteed", "long": "long " + "y" * 3900}


class Storm:
    """What all threads share."""

    def __init__(self, args):
        self.args = args
        self.lock = threading.Lock()
        self.marks = 0
        self.ledger_file = open(self.at("storm.ledger"), "a",
                                encoding="utf-8")
        self.kills_file = open(self.at("storm.kills"), "a", encoding="ascii")
        self.tokens = {}
        for app in ("crm", "bot", "desk", "second"):
            with open(self.at("secrets", app + ".token"),
                      encoding="ascii") as f:
                self.tokens[app] = f.read().strip()
        with open(self.at("secrets", "app"), "rb") as f:
            self.secret = f.read().strip()
        self.media, self.keys, self.again = [], [], []
        self.over = threading.Event()

    def at(self, *names):
        return os.path.join(self.args.tmp, *names)

    def mark(self):
        with self.lock:
            self.marks += 1
            return "M%06dX" % self.marks

    def note(self, **what):
        with self.lock:
            self.ledger_file.write(json.dumps(what) + "\n")
            self.ledger_file.flush()

    def remember(self, where, what, most=200):
        with self.lock:
            where.append(what)
            del where[:-most]

    def recall(self, rng, where):
        with self.lock:
            return rng.choice(where) if where else None


class Cut(Exception):
    """This client hung up, as it wanted to."""


def parsed(body):
    """What an answer says of itself, for the ledger."""
    try:
        o = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(o, dict):
        return {}
    out = {}
    if isinstance(o.get("messages"), list) and o["messages"]:
        out["id"] = o["messages"][0].get("id")
        out["held"] = o["messages"][0].get("message_status") == \
            "held_for_review"
    elif "id" in o:
        out["id"] = o["id"]
    e = o.get("error")
    if isinstance(e, dict):
        out.update(code=e.get("code"), sub=e.get("error_subcode"),
                   trace=e.get("fbtrace_id"))
    for name in ("state", "outcome", "message_id"):
        if name in o:
            out[name] = o[name]
    return out


class Client(threading.Thread):
    """A staff system with one connection, that does this and that."""

    def __init__(self, storm, n):
        super().__init__(daemon=True)
        self.storm, self.n = storm, n
        self.rng = random.Random(storm.args.seed * 1009 + n)
        self.sock = None

    # --- the wire

    def connect(self):
        self.sock = socket.create_connection(
            ("127.0.0.1", self.storm.args.port), PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def hang_up(self):
        """With a reset every other time."""
        if self.rng.random() < 0.5:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
        self.sock.close()
        self.sock = None
        raise Cut()

    def write(self, head, body, manner):
        if manner == "mid":
            whole = head + body
            self.sock.sendall(whole[:self.rng.randrange(1, len(whole))])
            time.sleep(self.rng.random() / 20)
            self.hang_up()
        if manner == "slow":
            whole, step = head + body, max(1, (len(head) + len(body)) // 15)
            for i in range(0, len(whole), step):
                self.sock.sendall(whole[i:i + step])
                time.sleep(self.rng.random() / 20)
            return
        self.sock.sendall(head + body)
        if manner == "gone":
            time.sleep(self.rng.choice((0, 0.001, 0.01, 0.1, 0.3)))
            self.hang_up()
        if manner == "half":
            self.sock.shutdown(socket.SHUT_WR)

    def exchange(self, method, path, headers, body, manner):
        """Status and body; 0 and why there is none."""
        head = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        length = f"Content-Length: {len(body)}"
        if manner == "chunked" and body:
            half = len(body) // 2 or 1
            length = "Transfer-Encoding: chunked"
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in
                            (body[:half], body[half:]) if part) + b"0\r\n\r\n"
        head = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{head}"
                f"{length}\r\n\r\n").encode()
        try:
            if self.sock is None:
                self.connect()
        except OSError:
            self.sock = None
            return 0, b"refused"
        try:
            self.write(head, body, manner)
            r = http.client.HTTPResponse(self.sock, method=method)
            r.begin()
            said = r.read()
            if r.will_close or manner == "half" or self.rng.random() < 0.05:
                self.sock.close()
                self.sock = None
            return r.status, said
        except Cut:
            return 0, b"cut"
        except socket.timeout:
            why = b"forgotten"
        except (OSError, http.client.HTTPException):
            why = b"broken"
        self.sock.close()
        self.sock = None
        return 0, why

    def ask(self, what, app, method, path, body=b"", *, headers=None,
            manner="", **note):
        """One request, with its line in the ledger."""
        tokens = self.storm.tokens
        token = tokens["second"] if app == "crm" and \
            self.rng.random() < 0.2 else tokens.get(app, "wrong")
        if not manner:
            manner = self.rng.choices(
                ("", "mid", "slow", "gone", "half", "chunked"),
                (86, 2, 2, 7, 1, 2))[0]
        begun = time.time()
        status, said = self.exchange(method, path, {
            "Authorization": "Bearer " + token, **(headers or {})}, body,
            manner)
        answer = parsed(said) if status else {"why": said.decode()}
        self.storm.note(what=what, app=app, status=status, manner=manner,
                        begun=begun, ended=time.time(), path=path,
                        sha=hashlib.sha256(body).hexdigest(), **note, **answer)
        return status, answer, said

    # --- messages

    def text_of(self, mark, kind):
        return {"type": "text", "text": {"body": f"{mark} {WORDS[kind]}"}}

    def content(self, mark):
        """A message of some type that has its mark somewhere."""
        rng = self.rng
        link = f"https://files.bank.example/{mark}"
        media = self.storm.recall(rng, self.storm.media)
        what = rng.choice(("template", "unknown template", "image", "own",
                           "reaction", "button", "list", "location",
                           "contacts", "sticker", "group", "no-type",
                           "hologram"))
        if what in ("template", "unknown template"):
            name = "payment_due" if what == "template" else \
                "nobody_knows_%d" % rng.randrange(4)
            return {"type": "template", "template": {
                "name": name, "language": {"code": "pt_BR"}, "components": [
                    {"type": "body", "parameters": [
                        {"type": "text", "text": mark}]}]}}
        if what == "own" and media:
            return {"type": "image", "image": {"id": media, "caption": mark}}
        if what in ("image", "own"):
            return {"type": "image", "image": {"link": link + ".jpg",
                                               "caption": "a chart"}}
        if what == "reaction":
            return {"type": "reaction", "reaction": {
                "message_id": "wamid." + mark, "emoji": "\U0001f44d"}}
        if what == "button":
            return {"type": "interactive", "interactive": {
                "type": "button", "body": {"text": mark}, "action": {
                    "buttons": [{"type": "reply", "reply": {
                        "id": "y", "title": "Yes"}}]}}}
        if what == "list":
            return {"type": "interactive", "interactive": {
                "type": "list", "body": {"text": mark}, "action": {
                    "button": "Choose", "sections": [{"title": "S", "rows": [
                        {"id": "1", "title": "an inside tip"}]}]}}}
        if what == "location":
            return {"type": "location", "location": {
                "latitude": -23.5, "longitude": -46.6, "name": mark}}
        if what == "contacts":
            return {"type": "contacts", "contacts": [
                {"name": {"formatted_name": mark, "first_name": "R"}}]}
        if what == "sticker":
            return {"type": "sticker", "sticker": {"link": link + ".webp"}}
        if what == "group":
            return {"type": "text", "recipient_type": "group", "to": GROUP,
                    "text": {"body": mark}}
        if what == "no-type":
            return {"text": {"body": mark}}
        return {"type": "hologram", "hologram": {"a": mark}}

    def to(self):
        p = self.rng.random()
        if p < 0.65:
            return self.rng.choice(GOOD)
        if p < 0.67:
            return THROTTLED
        return self.rng.choice(list(HOSTILE))

    def message(self):
        """Its mark, kind and body."""
        rng, mark = self.rng, self.storm.mark()
        kind = rng.choices(("plain", "other", "block", "hold", "two", "offer",
                            "advice", "timely", "mass", "promise", "long"),
                           (24, 26, 6, 6, 2, 4, 8, 5, 6, 5, 2))[0]
        o = {"messaging_product": "whatsapp", "to": self.to()}
        if kind == "mass":
            o["to"] = "55119300%05d" % rng.randrange(40)
        o.update(self.content(mark) if kind == "other"
                 else self.text_of(mark, kind))
        if rng.random() < 0.1:
            o["biz_opaque_callback_data"] = "ours " + mark
        return mark, kind, json.dumps(o).encode()

    def headers(self, app, more=()):
        headers = {"Content-Type": "application/json", **dict(more)}
        if app == "desk" or self.rng.random() < 0.4:
            headers["X-ChatJournal-Employee"] = self.rng.choice(
                ("E1234", "E2006", "E2001", "E2002", "E2003", "E7777",
                 "carla", "E9%03d" % self.rng.randrange(300)))
        return headers

    def number_of(self, app):
        return self.storm.args.other if app == "desk" or \
            self.rng.random() < 0.2 else self.storm.args.number

    def do_send(self):
        app = self.rng.choice(("crm", "crm", "bot", "desk"))
        mark, kind, body = self.message()
        path = f"/v25.0/{self.number_of(app)}/messages"
        key = mark if self.rng.random() < 0.3 else None
        more = {"Idempotency-Key": key} if key else {}
        headers = self.headers(app, more)
        request = (app, path, body, headers, mark, kind, key)
        if key and self.rng.random() < 0.5:
            self.twice(request)
        else:
            self.send(request)
        if key:
            self.storm.remember(self.storm.again, request)

    def send(self, request, manner=""):
        app, path, body, headers, mark, kind, key = request
        _, answer, _ = self.ask("send", app, "POST", path, body,
                                headers=headers, manner=manner, mark=mark,
                                kind=kind, idem=key)
        for name in ("trace", "id"):
            if re.fullmatch("[0-9a-f]{32}", str(answer.get(name))):
                self.storm.remember(self.storm.keys, (answer[name], app))

    def twice(self, request):
        other = Client(self.storm, self.rng.randrange(1 << 30))
        t = threading.Thread(target=other.send, args=(request, "plain"))
        t.start()
        self.send(request)
        t.join()
        if other.sock:
            other.sock.close()

    def do_again(self):
        """What was sent with a key some time ago, or something else with
        that key."""
        request = self.storm.recall(self.rng, self.storm.again)
        if request is None:
            return
        app, path, body, headers, mark, kind, key = request
        if self.rng.random() < 0.15:
            mark, kind, body = self.message()
            mark, kind = mark, "other under the key"
        self.send((app, path, body, headers, mark, kind, key))

    def do_raw(self):
        """Bodies that are none, or at the limits."""
        mark = self.storm.mark()
        text = json.dumps({"messaging_product": "whatsapp", "to": GOOD[0],
                           "type": "text", "text": {"body": mark}})
        fill = 1 << 20
        body = self.rng.choice((
            lambda: text[:-3], lambda: "", lambda: "[]", lambda: "null",
            lambda: text[:-1] + ',"to":"1"}', lambda: '{"batch":"[]"}',
            lambda: text[:-1] + ',"x":"' + "y" * (fill - len(text) - 7)
            + '"}', lambda: text[:-1] + ',"x":"' + "y" * fill + '"}',
            lambda: "[" * 5000, lambda: text.replace(mark, mark + "\\ud800"),
            lambda: text.replace(mark, mark + "z" * 900000)))()
        self.ask("send", "crm", "POST",
                 f"/v25.0/{self.storm.args.number}/messages", body.encode(),
                 headers={"Content-Type": "application/json"}, mark=mark,
                 kind="raw", idem=None)

    # --- all the other requests

    def do_read(self):
        body = {"messaging_product": "whatsapp", "status": "read",
                "message_id": "wamid." + self.storm.mark()}
        if self.rng.random() < 0.5:
            body["typing_indicator"] = {"type": "text"}
        self.ask("read", "crm", "POST",
                 f"/v25.0/{self.storm.args.number}/messages",
                 json.dumps(body).encode(),
                 headers={"Content-Type": "application/json"})

    def do_upload(self):
        mark = self.storm.mark()
        size = self.rng.choice((40, 3000, 70000, 1 << 20, (1 << 20) + 5000))
        data = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + mark.encode() + \
            self.rng.randbytes(size)
        form = b""
        for name, value in (("messaging_product", b"whatsapp"),
                            ("type", b"image/png")):
            form += b'--B\r\nContent-Disposition: form-data; name="%s"' \
                b"\r\n\r\n%s\r\n" % (name.encode(), value)
        form += b'--B\r\nContent-Disposition: form-data; name="file"; ' \
            b'filename="%s.png"\r\nContent-Type: image/png\r\n\r\n%s\r\n' \
            b"--B--\r\n" % (mark.encode(), data)
        if self.rng.random() < 0.1:
            form = form[:-20]
        app = self.rng.choice(("crm", "bot"))
        status, answer, _ = self.ask(
            "upload", app, "POST",
            f"/v25.0/{self.storm.args.number}/media", form, headers={
                "Content-Type": "multipart/form-data; boundary=B"},
            mark=mark, data=hashlib.sha256(data).hexdigest())
        if status == 200 and "id" in answer:
            self.storm.remember(self.storm.media, answer["id"], 20)

    def do_media(self):
        media = self.storm.recall(self.rng, self.storm.media) or "12345"
        p = self.rng.random()
        if p < 0.4:
            self.ask("find", "bot", "GET", f"/v25.0/{media}")
        elif p < 0.9:
            self.ask("file", "bot", "GET", f"/v25.0/{media}/file")
        else:
            self.ask("delete", "crm", "DELETE", f"/v25.0/{media}")

    def do_capture(self):
        mark, app = self.storm.mark(), self.rng.choice(("crm", "bot", "desk"))
        number = self.number_of(app)
        request = {"messaging_product": "whatsapp", "to": GOOD[1],
                   "type": "text", "text": {"body": mark}}
        body = {"phone_number_id": number, "at": int(time.time()),
                "status": 200, "request": request,
                "response": {"messages": [{"id": "wamid.C" + mark}]}}
        if self.rng.random() < 0.1:
            del body["phone_number_id"]
        body = json.dumps(body).encode()
        key = mark if self.rng.random() < 0.5 else None
        headers = self.headers(app, {"Idempotency-Key": key} if key else {})
        for _ in range(self.rng.choice((1, 1, 2)) if key else 1):
            self.ask("capture", app, "POST", "/capture", body,
                     headers=headers, mark=mark, kind="capture", idem=key)

    def do_look(self):
        key, owner = self.storm.recall(self.rng, self.storm.keys) or \
            ("0" * 32, "nobody")
        app = self.rng.choice(("crm", "bot", "desk"))
        self.ask("look", app, "GET", "/sends/" + key, key=key, owner=owner)

    def do_odd(self):
        number = self.storm.args.number
        self.ask("odd", *self.rng.choice((
            ("nobody", "POST", f"/v25.0/{number}/messages", b"{}"),
            ("crm", "POST", "/v25.0/me/feed", b"{}"),
            ("crm", "PUT", f"/v25.0/{number}/messages", b"{}"),
            ("crm", "GET", f"/v25.0/{ACCOUNT}/message_templates?limit=1",
             b""),
            ("desk", "POST", f"/v25.0/{number}/messages", b"{}"))),
            headers={"Content-Type": "application/json"})

    def do_call(self):
        mark = self.storm.mark()
        if self.rng.random() < 0.5:
            path, body = "calls", {
                "messaging_product": "whatsapp", "to": GOOD[2],
                "action": "connect",
                "session": {"sdp_type": "offer", "sdp": mark}}
        else:
            path, body = "groups", {"messaging_product": "whatsapp",
                                    "subject": mark}
        self.ask("send", "crm", "POST",
                 f"/v25.0/{self.storm.args.number}/{path}",
                 json.dumps(body).encode(), headers=self.headers("crm"),
                 mark=mark, kind=path, idem=None)

    DOES = (("send", 62), ("again", 9), ("raw", 2), ("read", 4),
            ("upload", 4), ("media", 5), ("capture", 4), ("look", 5),
            ("odd", 2), ("call", 3))

    def run(self):
        names, weights = zip(*self.DOES)
        while not self.storm.over.is_set():
            what = self.rng.choices(names, weights)[0]
            getattr(self, "do_" + what)()
            # Nobody asks a role that is just restarted as fast as he can.
            time.sleep(self.rng.random() / (20 if self.sock else 4))
        if self.sock:
            self.sock.close()


class Chaos(threading.Thread):
    """What happens beside."""

    def __init__(self, storm):
        super().__init__(daemon=True)
        self.storm = storm
        self.rng = random.Random(storm.args.seed * 1009 - 1)
        self.reviewed = {}
        self.peak = 0

    # --- Graph

    def mood(self):
        lines = SCRIPT
        if self.rng.random() < 0.5:
            lines += self.rng.choice(MOODS) + "\n" + SCRIPT
        path = self.storm.at("graph", "graph.script")
        with open(path + ".new", "w", encoding="ascii") as f:
            f.write(lines)
        os.rename(path + ".new", path)

    # --- the roles

    def pid_of(self, role):
        out = subprocess.run(
            ["pgrep", "-P", str(self.storm.args.daemon), "-f", "--",
             "--role " + role], capture_output=True, text=True, check=False)
        return int(out.stdout.split()[0]) if out.stdout.split() else None

    def kill(self):
        role = self.rng.choice(("gateway", "gateway", "gateway", "build",
                                "directory", "deliver", "media", "intake"))
        pid = self.pid_of(role)
        if pid is None:
            return
        self.storm.kills_file.write(f"{role} {pid}\n")
        self.storm.kills_file.flush()
        os.kill(pid, signal.SIGKILL)

    def measure(self):
        pid = self.pid_of("gateway")
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                rss = re.search(r"VmRSS:\s+(\d+)", f.read())
            self.peak = max(self.peak, int(rss[1]) if rss else 0)
        except OSError:
            pass

    def reload(self):
        conf, rules = self.storm.at("chatjournal.conf"), \
            self.storm.at("policy.conf")
        mode = self.rng.choice(("stored", "stored", "delivered", "observe"))
        with open(conf, encoding="utf-8") as f:
            text = f.read()
        with open(conf, "w", encoding="utf-8") as f:
            f.write(re.sub(r"mode \w+;", f"mode {mode};", text))
        which = self.rng.choice(("a", "b", "a", "b", "broken"))
        with open(f"{rules}.{which}", encoding="utf-8") as f:
            text = f.read()
        with open(rules, "w", encoding="utf-8") as f:
            f.write(text)
        os.kill(self.storm.args.daemon, signal.SIGHUP)

    # --- people

    def database(self, how):
        return sqlite3.connect(
            "file:%s?mode=%s" % (self.storm.at("store", "gateway.db"), how),
            uri=True, timeout=10, isolation_level=None)

    def review(self, verb, key, who):
        subprocess.run(
            [self.storm.args.ctl, "-c", self.storm.at("chatjournal.conf"),
             "review", verb, "send:" + key, "--why", f"{verb} by {who}"],
            env={**os.environ, "SUDO_USER": who}, check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def officers(self):
        try:
            with self.database("ro") as db:
                held = [r[0].hex() for r in db.execute(
                    "SELECT key FROM send WHERE state = 'held'")]
        except sqlite3.OperationalError:
            return
        for key in self.rng.sample(held, min(3, len(held))):
            p = self.rng.random()
            if p < 0.6:
                self.review("release", key,
                            self.rng.choice(("otto", "paula", "carla")))
            elif p < 0.75:
                self.review("reject", key, "otto")
            elif p < 0.9:
                self.expire("WHERE state = 'held' AND hex(key) = "
                            f"upper('{key}')")

    def expire(self, which):
        """A test does not wait for a minute."""
        try:
            with self.database("rw") as db:
                db.execute("UPDATE send SET until_ms = 1 " + which)
        except sqlite3.OperationalError:
            pass

    # --- Meta's webhooks

    def webhook(self, value):
        body = json.dumps({"object": "whatsapp_business_account", "entry": [{
            "id": ACCOUNT, "changes": [{"field": "messages", "value": {
                "messaging_product": "whatsapp", "metadata": {
                    "display_phone_number": "551140040001",
                    "phone_number_id": self.storm.args.number}, **value}}]}]})
        sign = hmac.new(self.storm.secret, body.encode(), "sha256")
        for _ in range(50):
            try:
                c = http.client.HTTPConnection(
                    "127.0.0.1", self.storm.args.intake, timeout=10)
                c.request("POST", "/webhook/whatsapp", body, {
                    "Content-Type": "application/json",
                    "X-Hub-Signature-256": "sha256=" + sign.hexdigest()})
                if c.getresponse().status == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.2)

    def agree(self):
        to = self.rng.choice(GOOD)
        self.webhook({"contacts": [{"profile": {"name": "Ana"}, "wa_id": to}],
                      "messages": [{"from": to, "id": "wamid.A%d" %
                                    self.rng.randrange(1 << 40),
                                    "timestamp": str(int(time.time())),
                                    "type": "text",
                                    "text": {"body": "I agree"}}]})

    def statuses(self):
        """Of some that were carried out, before and after their answers."""
        path = self.storm.at("graph", "graph.requests")
        found = []
        if not os.path.exists(path):
            return
        with open(path, encoding="utf-8") as f:
            lines = f.readlines()[-60:]
        for line in self.rng.sample(lines, min(8, len(lines))):
            o = json.loads(line) if line.endswith("\n") else {}
            if o.get("what") != "send" or "result" not in o or \
                    "body" not in o:
                continue
            data = json.loads(o["body"]).get("biz_opaque_callback_data")
            found.append({"id": o["result"], "status": "delivered",
                          "timestamp": str(int(time.time())),
                          "recipient_id": GOOD[0],
                          "biz_opaque_callback_data": data})
        if found:
            self.webhook({"statuses": found})

    def run(self):
        begun, seconds = time.monotonic(), self.storm.args.seconds
        every = {"mood": 1.1, "kill": 2.6, "measure": 0.3, "officers": 0.4,
                 "agree": 3, "statuses": 0.9, "reload": 4.6}
        due = {name: begun + self.rng.random() * step
               for name, step in every.items()}
        while time.monotonic() - begun < seconds:
            for name, step in every.items():
                if time.monotonic() >= due[name]:
                    getattr(self, name)()
                    due[name] = time.monotonic() + \
                        step * (0.5 + self.rng.random())
            time.sleep(0.02)
        self.storm.over.set()


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    for name in ("tmp", "ctl", "number", "other"):
        p.add_argument("--" + name, required=True)
    for name in ("seed", "port", "intake", "daemon"):
        p.add_argument("--" + name, type=int, required=True)
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--clients", type=int, default=24)
    return p.parse_args()


def main():
    storm = Storm(arguments())
    chaos = Chaos(storm)
    chaos.mood()
    clients = [Client(storm, n) for n in range(storm.args.clients)]
    for t in (chaos, *clients):
        t.start()
    for t in (chaos, *clients):
        t.join()
    with open(storm.at("graph", "graph.script"), "w", encoding="ascii"):
        pass
    print(f"peak {chaos.peak} KiB, {storm.marks} marks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
