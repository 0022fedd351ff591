#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The sending half of Graph's stand-in: it takes what Graph takes, refuses
what Graph refuses, breaks where the script says so, and takes note of it."""
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time

SRCDIR = os.environ.get("SRCDIR", ".")
sys.path.insert(1, os.path.join(SRCDIR, "tests/lib"))
from tap import Tap

SENDS = "/v25.0/700111222/messages"
TO = "5511988880001"
GOOD = {"messaging_product": "whatsapp", "to": TO, "type": "text",
        "text": {"body": "Hi"}}
TEMPLATES = [
    {"id": "5001", "name": "payment_due", "language": "pt_BR",
     "status": "APPROVED", "components": [
         {"type": "BODY", "text": "Dear {{1}}, {{2}} is due."}]},
    {"id": "5002", "name": "payment_due_late", "language": "pt_BR",
     "status": "PAUSED", "components": []},
]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


class Peer:
    """The stand-in, and one connection to it."""

    def __init__(self, *words):
        self.dir = tempfile.mkdtemp(prefix="cj-fake-graph-")
        self.write("graph.templates", json.dumps(TEMPLATES))
        self.start(*words)

    def start(self, *words):
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(SRCDIR, "tests/fake/graph.py"),
             "--dir", self.dir, "--phone-number-id", "700111222", *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[0])
        with open(os.path.join(self.dir, "graph.token"),
                  encoding="ascii") as f:
            self.token = f.read().strip()
        self.context = ssl.create_default_context(
            cafile=os.path.join(self.dir, "graph.ca.pem"))
        self.http = self.connect()

    def connect(self):
        return http.client.HTTPSConnection("localhost", self.port, timeout=10,
                                           context=self.context)

    def stop(self):
        self.http.close()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def end(self):
        self.stop()
        shutil.rmtree(self.dir)

    def write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as f:
            f.write(text)

    def script(self, *lines):
        self.write("graph.script", "\n".join(lines) + "\n")

    def ask(self, method, target, body=None, connection=None, **headers):
        """Status, answer and headers; status None: no whole answer came."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("content_type", "application/json")
        all_headers = {"Authorization": "Bearer " + self.token,
                       "User-Agent": "chatjournal"}
        all_headers.update({k.replace("_", "-"): v
                            for k, v in headers.items()})
        h = connection or self.http
        try:
            h.request(method, target, body,
                      {k: v for k, v in all_headers.items() if v})
            r = h.getresponse()
            said = r.read()
            return r.status, said, r.headers
        except (http.client.HTTPException, OSError):
            h.close()
            return None, b"", {}

    def send(self, **changes):
        o = {k: v for k, v in dict(GOOD, **changes).items() if v is not None}
        status, said, _ = self.ask("POST", SENDS, o)
        return status, json.loads(said) if said[:1] == b"{" else {}

    def notes(self):
        path = os.path.join(self.dir, "graph.requests")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as f:
            return [json.loads(line) for line in f]


def form(fields, boundary="xyz"):
    """fields: (name, more, bytes)."""
    out = b""
    for name, more, data in fields:
        out += (f'--{boundary}\r\nContent-Disposition: form-data; '
                f'name="{name}"{more}\r\n\r\n').encode() + data + b"\r\n"
    return out + f"--{boundary}--\r\n".encode()


def upload(p, kind=b"image/png", data=PNG):
    body = form([("messaging_product", "", b"whatsapp"), ("type", "", kind),
                 ("file", '; filename="a.png"', data)])
    status, said, _ = p.ask("POST", "/v25.0/700111222/media", body,
                            content_type="multipart/form-data; boundary=xyz")
    return status, json.loads(said)


# --- the laws


def good_sends(p):
    button = {"type": "button", "body": {"text": "?"}, "action": {"buttons": [
        {"type": "reply", "reply": {"id": "1", "title": "Yes"}}]}}
    rows = {"type": "list", "body": {"text": "x" * 4096}, "action": {
        "button": "See", "sections": [{"rows": [{"id": "1", "title": "t"}]}]}}
    status, ident = upload(p)
    if status != 200:
        yield f"upload: {status}"
        return
    for what in (
            {}, {"to": "+55 (11) 98888-0001"}, {"to": None, "recipient":
                                                "BR.5Qe"},
            {"text": {"body": "x" * 4096, "preview_url": True}},
            {"type": None}, {"context": {"message_id": "wamid.A"}},
            {"biz_opaque_callback_data": "cj:1"},
            {"type": "image", "text": None, "image": dict(ident, caption="c")},
            {"type": "document", "text": None, "document": {
                "link": "https://x/y.pdf", "filename": "y.pdf"}},
            {"type": "location", "text": None, "location": {
                "latitude": 1.5, "longitude": "2"}},
            {"type": "contacts", "text": None, "contacts": [
                {"name": {"formatted_name": "A"}}]},
            {"type": "reaction", "text": None, "reaction": {
                "message_id": "wamid.A", "emoji": ""}},
            {"type": "interactive", "text": None, "interactive": button},
            {"type": "interactive", "text": None, "interactive": rows},
            {"type": "template", "text": None, "template": {
                "name": "payment_due", "language": {"code": "pt_BR"},
                "components": [{"type": "body", "parameters": [
                    {"type": "text", "text": "Ana"},
                    {"type": "text", "text": "R$ 5"}]}]}}):
        status, o = p.send(**what)
        ids = [m["id"] for m in o.get("messages", [])]
        if status != 200 or len(ids) != 1 or \
                not ids[0].startswith("wamid."):
            yield f"{what}: {status} {o}"
        elif p.notes()[-1]["result"] != ids[0] or \
                p.notes()[-1]["status"] != 200:
            yield f"{what}: noted as {p.notes()[-1]}"
    ids = [n["result"] for n in p.notes()]
    if len(set(ids)) != len(ids):
        yield "a wamid was given twice"


def marks(p):
    status, o = p.send(to=None, type=None, text=None, status="read",
                       message_id="wamid.A",
                       typing_indicator={"type": "text"})
    if (status, o) != (200, {"success": True}):
        yield f"{status} {o}"
    if p.notes()[-1]["what"] != "read":
        yield str(p.notes()[-1])


def bad_sends(p):
    before = len([n for n in p.notes() if "result" in n])
    image = {"type": "image", "text": None}
    for what in (
            {"messaging_product": None}, {"messaging_product": "sms"},
            {"to": None}, {"to": "12"}, {"to": "abc"}, {"type": "song"},
            {"text": None}, {"text": "Hi"}, {"text": {}},
            {"text": {"body": ""}}, {"text": {"body": "x" * 4097}},
            {"text": {"body": 5}}, {"text": {"body": "x", "size": 1}},
            {"image": {"id": "1"}}, {"status": "read"},
            dict(image, image={"id": "999"}),
            dict(image, image={"id": "1", "link": "https://x"}),
            dict(image, image={"link": "https://x", "caption": "x" * 1025}),
            {"biz_opaque_callback_data": "x" * 513}, {"access_token": "x"},
            {"context": "wamid.A"}, {"type": "pin", "text": None,
                                     "pin": {"type": "pin",
                                             "message_id": "w"}},
            {"type": "interactive", "text": None, "interactive": {
                "type": "button", "body": {"text": "x" * 1025},
                "action": {"buttons": []}}},
            {"type": "template", "text": None, "template": {
                "name": "payment_due", "language": {"code": "pt_BR"}}},
            {"type": "template", "text": None, "template": {
                "name": "payment_due_late", "language": {"code": "pt_BR"}}},
            {"type": "template", "text": None, "template": {
                "name": "none", "language": {"code": "pt_BR"}}}):
        status, o = p.send(**what)
        if status not in (400, 404) or "code" not in o.get("error", {}) or \
                "details" not in o["error"].get("error_data", {}):
            yield f"{what}: {status} {o}"
    for body in ("", "{", "[]", '{"a":1,"a":1}', "x=1", "\xff"):
        status, _, _ = p.ask("POST", SENDS, body.encode("latin-1"),
                             content_type="application/json")
        if status != 400:
            yield f"{body!r}: {status}"
    if before != len([n for n in p.notes() if "result" in n]):
        yield "one was carried out"


def bad_requests(p):
    body = json.dumps(GOOD)
    kind = {"content_type": "application/json"}
    for law, status, ask in (
            ("no token", 401, ("POST", SENDS, body,
                               dict(kind, Authorization=""))),
            ("a wrong token", 401, ("POST", SENDS, body,
                                    dict(kind, Authorization="Bearer x"))),
            ("no agent", 400, ("POST", SENDS, body,
                               dict(kind, User_Agent="curl/8"))),
            ("a cookie", 400, ("POST", SENDS, body, dict(kind, Cookie="a"))),
            ("another type", 400, ("POST", SENDS, body,
                                   {"content_type": "text/plain"})),
            ("a query", 400, ("POST", SENDS + "?x=1", body, kind)),
            ("another number", 400, ("POST", "/v25.0/1/messages", body,
                                     kind)),
            ("text as marketing", 400, (
                "POST", "/v25.0/700111222/marketing_messages", body, kind)),
            ("a version", 405, ("POST", "/v1.0/700111222/messages", body,
                                kind)),
            ("a method", 405, ("PUT", SENDS, body, kind))):
        got, _, _ = p.ask(*ask[:3], connection=p.connect(), **ask[3])
        if got != status:
            yield f"{law}: {got}"


def uploads(p):
    status, o = upload(p)
    ident = o.get("id", "")
    found, said, _ = p.ask("GET", f"/v25.0/{ident}")
    if (status, found) != (200, 200):
        yield f"{status} {o}, {found}"
        return
    _, data, _ = p.ask("GET", json.loads(said)["url"].split(
        str(p.port), 1)[1])
    if data != PNG:
        yield "other bytes came back"
    gone, _, _ = p.ask("DELETE", f"/v25.0/{ident}")
    again, _, _ = p.ask("DELETE", f"/v25.0/{ident}")
    found, _, _ = p.ask("GET", f"/v25.0/{ident}")
    if (gone, again, found) != (200, 400, 400):
        yield f"deleted: {gone} {again} {found}"
    for kind, data in ((b"image/png", b""), (b"application/x", b""),
                       (b"image/png", b"x" * ((5 << 20) + 1)),
                       (b"image/webp", b"x" * ((500 << 10) + 1)),
                       (b"music/loud", b"x"), (b"", b"x")):
        status, o = upload(p, kind, data)
        if status != 400:
            yield f"{kind} of {len(data)}: {status}"
    for fields in ([("file", '; filename="a"', b"x")],
                   [("messaging_product", "", b"whatsapp")],
                   [("messaging_product", "", b"whatsapp"),
                    ("file", '; filename="a"', b"x"),
                    ("access_token", "", b"E")]):
        status, _, _ = p.ask(
            "POST", "/v25.0/700111222/media", form(fields),
            content_type="multipart/form-data; boundary=xyz")
        if status != 400:
            yield f"{fields}: {status}"


def large_uploads(p):
    body = form([("messaging_product", "", b"whatsapp"),
                 ("type", "", b"application/pdf"),
                 ("file", '; filename="a.pdf"', b"%PDF" * (4 << 20))])
    h = p.connect()
    h.connect()
    h.sock.sendall((f"POST /v25.0/700111222/media HTTP/1.1\r\n"
                    f"Host: localhost:{p.port}\r\nUser-Agent: chatjournal\r\n"
                    f"Authorization: Bearer {p.token}\r\n"
                    f"Content-Length: {len(body)}\r\n"
                    "Content-Type: multipart/form-data; boundary=xyz\r\n"
                    "Expect: 100-continue\r\n\r\n").encode())
    first = h.sock.recv(100)
    if not first.startswith(b"HTTP/1.1 100 "):
        yield f"expected to go on: {first}"
    h.sock.sendall(body)
    answer = h.sock.recv(1000)
    if not answer.startswith(b"HTTP/1.1 200 "):
        yield f"{answer}"
    h.close()


def scripted(p):
    """Each action, whether it is carried out, and what the caller sees."""
    for action, status, is_done in (
            ("error 400 131026 Message undeliverable", 400, False),
            ("error 429 130429 retry-after=7", 429, False),
            ("status 503", 503, False),
            ("redirect https://localhost:1/", 302, False),
            ("drop", None, False),
            ("drop-after", None, True),
            ("cut 20", None, True),
            ("truncated", 200, True),
            ("garbage", 200, True),
            ("huge", 200, True),
            ("close", 200, True),
            ("delay 30", 200, True),
            ("delay 30 drop-after", None, True)):
        p.script(f"{TO} send {action}")
        done = [n for n in p.notes() if "result" in n]
        began = time.monotonic()
        got, said, headers = p.ask("POST", SENDS, GOOD,
                                   connection=p.connect())
        now = [n for n in p.notes() if "result" in n]
        if got != status:
            yield f"{action}: {got}"
        if len(now) - len(done) != is_done:
            yield f"{action}: carried out {len(now) - len(done)} times"
        if "delay" in action and time.monotonic() - began < 0.03:
            yield f"{action}: at once"
        if "retry-after" in action and headers["Retry-After"] != "7":
            yield f"{action}: no Retry-After"
        if action == "huge" and len(said) < 1 << 20:
            yield f"{action}: {len(said)} bytes"
    p.script(f"{TO} send error 400 131026", "5511977770000 send#2 status 500",
             "* read status 500")
    others = [p.send(to="5511977770000")[0] for _ in range(3)]
    if others != [200, 500, 200]:
        yield f"the second only: {others}"
    p.script("")


def before_reading(p):
    p.script("700111222 accept drop")
    n = len(p.notes())
    status, _, _ = p.ask("POST", SENDS, GOOD, connection=p.connect())
    if status is not None or len(p.notes()) != n:
        yield f"{status}, {len(p.notes()) - n} read"
    p.script("")


def statuses_of_templates(p):
    for word in ("held_for_quality_assessment", "paused"):
        p.script(f"{TO} send message-status {word}")
        _, o = p.send(type="template", text=None, template={
            "name": "payment_due", "language": {"code": "pt_BR"},
            "components": [{"type": "body", "parameters": [
                {"type": "text", "text": "A"},
                {"type": "text", "text": "B"}]}]})
        if o["messages"][0].get("message_status") != word:
            yield f"{word}: {o}"
    p.script("")


def kept_connections(p):
    p.http = p.connect()
    for _ in range(2):
        p.send()
    a, b = p.notes()[-2:]
    if a["connection"] != b["connection"]:
        yield "it was not kept"
    p.script(f"{TO} send close")
    p.send()
    p.script("")
    p.http.auto_open = 0
    status, _, _ = p.ask("POST", SENDS, GOOD)
    if status is not None:
        yield f"after close: {status}"
    p.http = p.connect()


def templates(p):
    base = "/v25.0/900/message_templates"
    _, said, _ = p.ask("GET", base + "?name=payment_due&limit=1")
    first = json.loads(said)
    if [t["id"] for t in first["data"]] != ["5001"] or \
            "next" not in first["paging"]:
        yield f"{first}"
        return
    _, said, _ = p.ask("GET", first["paging"]["next"].split(
        str(p.port), 1)[1])
    second = json.loads(said)
    if [t["id"] for t in second["data"]] != ["5002"] or \
            "next" in second["paging"]:
        yield f"{second}"
    _, said, _ = p.ask("GET", base + "?name=other")
    if json.loads(said) != {"data": []}:
        yield f"{said}"
    _, said, _ = p.ask("GET", "/v25.0/5002")
    if json.loads(said)["name"] != "payment_due_late":
        yield f"{said}"


def calls_and_groups(p):
    calls = "/v25.0/700111222/calls"
    start = {"messaging_product": "whatsapp", "to": TO, "action": "connect",
             "session": {"sdp_type": "offer", "sdp": "v=0"}}
    status, said, _ = p.ask("POST", calls, start)
    call = json.loads(said).get("calls", [{}])[0].get("id", "")
    if status != 200 or not call.startswith("wacid."):
        yield f"connect: {status} {said}"
    for o, want in (({"action": "terminate", "call_id": call}, 200),
                    ({"action": "terminate"}, 400), ({"action": "sing"}, 400),
                    (dict(start, session=None), 400)):
        status, _, _ = p.ask("POST", calls, {
            "messaging_product": "whatsapp", **o})
        if status != want:
            yield f"{o}: {status}"
    status, said, _ = p.ask("POST", "/v25.0/700111222/groups", {
        "messaging_product": "whatsapp", "subject": "Desk"})
    group = p.notes()[-1].get("result", "")
    if status != 200 or "request_id" not in json.loads(said):
        yield f"group: {status} {said}"
    status, said, _ = p.ask("GET", f"/v25.0/{group}")
    if status != 200 or json.loads(said)["subject"] != "Desk":
        yield f"{group}: {status} {said}"
    status, _ = p.send(to=group, recipient_type="group")
    if status != 200:
        yield f"to a group: {status}"
    gone, _, _ = p.ask("DELETE", f"/v25.0/{group}")
    again, _, _ = p.ask("GET", f"/v25.0/{group}")
    if (gone, again) != (200, 400):
        yield f"deleted: {gone} {again}"


def restarts(p):
    p.send()
    old = {n.get("result") for n in p.notes()}
    count = len(p.notes())
    p.stop()
    p.start("--rate", "3")
    statuses = []

    def one():
        status, _, _ = p.ask("POST", SENDS, GOOD, connection=p.connect())
        statuses.append(status)
    threads = [threading.Thread(target=one) for _ in range(5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if sorted(statuses) != [200, 200, 200, 429, 429]:
        yield f"{statuses}"
    new = p.notes()[count:]
    if [n["n"] for n in new] != list(range(count + 1, count + 6)):
        yield f"{[n['n'] for n in new]}"
    if {n["result"] for n in new if "result" in n} & old:
        yield "a wamid was given twice"


def main():
    tap = Tap(most=10)
    p = Peer()
    for sentence, law in (
            ("each type of message is taken, once noted, with a wamid of its "
             "own", good_sends),
            ("marks and typing are taken and are no sends", marks),
            ("what Graph refuses is refused in its shape, and not carried "
             "out", bad_sends),
            ("requests of another kind are refused", bad_requests),
            ("a file that was sent comes back and can be deleted", uploads),
            ("a large file is asked for before it is sent", large_uploads),
            ("the script decides what is done and what is said of it",
             scripted),
            ("a connection can be cut before the body is read",
             before_reading),
            ("a template's send can be held or paused",
             statuses_of_templates),
            ("connections are kept, until the script says otherwise",
             kept_connections),
            ("templates are found by name, page by page", templates),
            ("calls and groups are answered", calls_and_groups),
            ("after a restart nothing is given twice, and a rate is held",
             restarts)):
        tap.law(sentence, law(p))
    p.end()
    sys.exit(tap.end())


if __name__ == "__main__":
    main()
