# SPDX-License-Identifier: Apache-2.0
"""The sending half of Graph's stand-in; graph.py takes the connections and
reads the script.

    POST   /V/NUMBER/messages, /V/NUMBER/marketing_messages
    POST   /V/NUMBER/media          GET, DELETE /V/MEDIA
    POST   /V/NUMBER/calls          GET /V/NUMBER/call_permissions
    POST   /V/NUMBER/groups         GET /V/NUMBER/groups
    GET, POST, DELETE /V/GROUP      and below it
    GET    /V/ACCOUNT/message_templates?name=…   GET /V/TEMPLATE

In DIR besides what graph.py has there:

    graph.templates  the definitions: a JSON list, as in an answer's "data"
    graph.requests   one JSON object a line for each request that was read to
                     its end, written before it is answered: n, method, target,
                     what, id, body (or sha256 and length), content_type,
                     status (null: none was given), and of one that was
                     carried out result: the wamid, media id … What has a
                     result has been done, whatever its caller was told.
    ID.EXT           an uploaded file

STAGEs of the script: send, read, upload, delete, template, call, group; ID is
the receiver's digits for send and call, the message's for read, else what the
path names. `accept` is asked before the body is read; its ID is the path's.
ACTIONs besides those for all:

    drop-after              does it, and closes without an answer
    cut N                   does it, and closes after N bytes of the answer
    close                   does it, answers, and closes without having said so
    garbage                 does it, and answers what is no JSON
    truncated | huge        does it; half the answer; a megabyte more
    message-status WORD     does it, and says so: held_for_quality_assessment,
                            paused
    hang-after              does it, and says nothing
  and before any of them, or alone:
    delay MS                does it, and waits with what comes then
"""

import base64
import collections
import hashlib
import json
import os
import re
import secrets
import threading
import time
import urllib.parse

from graph_check import Message, Wrong, load, need, only, product, receiver, \
    text, upload

NUMBER = r"[0-9]{1,24}"
BODY_MAX = 101 << 20
EXTENSIONS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp":
              ".webp", "application/pdf": ".pdf", "video/mp4": ".mp4",
              "text/plain": ".txt", "audio/ogg": ".ogg"}
AFTER = ("drop-after", "hang-after", "cut", "close", "garbage", "truncated",
         "huge", "message-status")


class Sends:
    """What all connections share of it."""

    def __init__(self, world):
        self.world = world
        self.lock = threading.Lock()
        self.path = os.path.join(world.dir, "graph.requests")
        self.n = 0
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as f:
                self.n = sum(1 for _ in f)
        # Whatever was given a number has a line: after a restart, too, no
        # two messages have the same.
        self.given = self.n
        self.groups = {}
        self.recent = collections.defaultdict(collections.deque)

    def at(self, name):
        return os.path.join(self.world.dir, name)

    def templates(self):
        if not os.path.exists(self.at("graph.templates")):
            return []
        with open(self.at("graph.templates"), encoding="utf-8") as f:
            return json.load(f)

    def media(self):
        return {n.split(".")[0] for n in os.listdir(self.world.dir)
                if not n.startswith("graph.")}

    def note(self, conn, r, body, **what):
        try:
            said = {"body": body.decode("utf-8")} if len(body) < 1 << 16 \
                else None
        except UnicodeDecodeError:
            said = None
        said = said or {"sha256": hashlib.sha256(body).hexdigest(),
                        "length": len(body)}
        with self.lock:
            self.n += 1
            line = {"n": self.n, "method": r.method, "target": r.target,
                    **what, "content_type": r.one("content-type"), **said,
                    "connection": conn.number}
            with open(self.path, "a", encoding="utf-8") as f:
                f.write(json.dumps(line) + "\n")

    def number(self):
        with self.lock:
            self.given += 1
            return self.given

    def is_too_fast(self, number):
        """--rate: so many sends of a number within one second."""
        rate = self.world.args.rate
        now = time.monotonic()
        with self.lock:
            times = self.recent[number]
            while times and now - times[0] > 1:
                times.popleft()
            if rate and len(times) >= rate:
                return True
            times.append(now)
            return False


class Done:
    """What a valid request comes to: carried out by do() and not before."""

    def __init__(self, what, ident, do):
        """do(n) gives the answer and the result's id; n is another each
        time."""
        self.what, self.ident, self.do = what, ident, do


def wamid(n, to):
    raw = f"{to}:{n}:{secrets.token_hex(4)}".encode()
    return "wamid.HBgM" + base64.b32encode(raw).decode().rstrip("=")


class Exchange:
    """One request to this half."""

    def __init__(self, conn, r):
        self.conn, self.r = conn, r
        self.sends = conn.world.sends
        self.path, _, self.query = r.target.partition("?")

    # --- which one it is

    ROUTES = (
        ("POST", rf"({NUMBER})/(messages|marketing_messages)", "send",
         "messages"),
        ("POST", rf"({NUMBER})/media", "upload", "upload"),
        ("POST", rf"({NUMBER})/calls", "call", "calls"),
        ("GET", rf"({NUMBER})/call_permissions", "call", "permissions"),
        ("POST", rf"({NUMBER})/groups", "group", "group_new"),
        ("GET", rf"({NUMBER})/groups", "group", "group_list"),
        ("GET", rf"({NUMBER})/message_templates", "template",
         "template_list"),
        ("DELETE", rf"({NUMBER})", "delete", "delete"),
        ("GET|POST|DELETE", r"(?=[^/]*[A-Z])([0-9A-Za-z_=-]{16,})"
         r"(/participants|/invite_link|/join_requests)?", "group", "group"),
    )

    def route(self):
        """Stage, handler and the path's groups; None: not of this half."""
        prefix = f"/{self.conn.world.args.version}/"
        if not self.path.startswith(prefix):
            return None
        rest = self.path[len(prefix):]
        for methods, path, stage, name in self.ROUTES:
            m = re.fullmatch(path, rest)
            if m and self.r.method in methods.split("|"):
                return stage, getattr(self, name), m.groups()
        ids = [str(t.get("id")) for t in self.sends.templates()]
        if self.r.method == "GET" and rest in ids:
            return "template", self.template_one, (rest,)
        return None

    # --- what it asks for

    def json(self, body):
        kind = (self.r.one("content-type") or "").split(";")[0].strip()
        if kind != "application/json":
            raise Wrong("the Content-Type is not application/json")
        return load(body)

    def number(self, ident):
        numbers = self.conn.world.args.phone_number_id
        if numbers and ident not in numbers:
            raise Wrong("Unsupported post request. Object with ID "
                        f"'{ident}' does not exist", "100/33")

    def no_query(self):
        if self.query:
            raise Wrong("parameters in the query")

    def messages(self, body, number, edge):
        self.no_query()
        self.number(number)
        o = self.json(body)
        m = Message(o, self.sends.media, self.sends.templates)
        if edge == "marketing_messages" and \
                (m.is_read or m.type != "template"):
            raise Wrong("marketing_messages takes templates only")
        if m.is_read:
            return Done("read", o["message_id"],
                        lambda n: ({"success": True}, o["message_id"]))
        if self.sends.is_too_fast(number):
            raise Wrong("Rate limit hit", "130429", 429)

        def do(n):
            ident = wamid(n, m.to)
            contact = {"input": str(o.get("to") or o["recipient"])}
            if o.get("recipient_type") != "group":
                contact["user_id"] = o.get("recipient") or \
                    "US." + hashlib.sha256(m.to.encode()).hexdigest()[:16]
                if o.get("to"):
                    contact["wa_id"] = m.to
            message = {"id": ident}
            if m.type == "template":
                message["message_status"] = "accepted"
            return {"messaging_product": "whatsapp", "contacts": [contact],
                    "messages": [message]}, ident
        return Done("send", m.to, do)

    def upload(self, body, number):
        self.no_query()
        self.number(number)
        kind, data = upload(self.r.one("content-type"), body)

        def do(n):
            ident = str(890000000000000 + n)
            name = ident + EXTENSIONS.get(kind.split(";")[0], ".bin")
            with open(self.sends.at(name), "wb") as f:
                f.write(data)
            return {"id": ident}, ident
        return Done("upload", number, do)

    def delete(self, body, ident):
        path = self.conn.world.media.path(ident)
        if body:
            raise Wrong("a body")
        if path is None:
            raise Wrong("Unsupported delete request. Object with ID "
                        f"'{ident}' does not exist", "100/33")

        def do(n):
            os.remove(path)
            return {"success": True}, ident
        return Done("delete", ident, do)

    def calls(self, body, number):
        self.no_query()
        self.number(number)
        o = self.json(body)
        product(o)
        action = need(o, "action", str)
        if action not in ("connect", "pre_accept", "accept", "reject",
                          "terminate"):
            raise Wrong("Param action is unknown")
        if action == "connect":
            to = receiver(o)
        else:
            to = text(o, "call_id", 256)
        if action in ("connect", "pre_accept", "accept"):
            session = need(o, "session", dict)
            text(session, "sdp", 1 << 16, "session.")
            if need(session, "sdp_type", str) != \
                    ("offer" if action == "connect" else "answer"):
                raise Wrong("Param session.sdp_type is the other's", "138000")

        def do(n):
            answer = {"messaging_product": "whatsapp", "success": True}
            ident = "wacid.HBgM%08d" % n if action == "connect" else to
            if action == "connect":
                answer["calls"] = [{"id": ident}]
            return answer, ident
        return Done("call", to, do)

    def permissions(self, body, number):
        self.number(number)
        who = urllib.parse.parse_qs(self.query).get("user_wa_id", [""])[0]
        return Done("call", who, lambda n: (
            {"messaging_product": "whatsapp", "permission":
             {"status": "temporary"}, "actions": []}, who))

    # --- groups

    def group_new(self, body, number):
        self.no_query()
        self.number(number)
        o = self.json(body)
        product(o)
        only(o, {"messaging_product", "subject", "description",
                 "join_approval_mode"})
        text(o, "subject", 128)

        def do(n):
            ident = base64.b64encode(f"capi_group:{number}:{n:012}".encode()
                                     ).decode().replace("/", "_")
            self.sends.groups[ident] = dict(o, id=ident)
            return {"messaging_product": "whatsapp",
                    "request_id": f"rq{n}"}, ident
        return Done("group", number, do)

    def group_list(self, body, number):
        self.number(number)
        groups = [{"id": g["id"], "subject": g["subject"]}
                  for g in self.sends.groups.values()]
        return Done("group", number, lambda n: (
            {"data": {"groups": groups}, "paging": {}}, number))

    def group(self, body, ident, below):
        if self.r.method != "GET" and body:
            product(self.json(body))
        if ident not in self.sends.groups:
            raise Wrong(f"Object with ID '{ident}' does not exist", "100/33")

        def do(n):
            g = self.sends.groups[ident]
            if self.r.method == "DELETE" and not below:
                del self.sends.groups[ident]
            if self.r.method == "GET":
                return dict(g, messaging_product="whatsapp"), ident
            return {"messaging_product": "whatsapp",
                    "request_id": f"rq{n}"}, ident
        return Done("group", ident, do)

    # --- templates

    def template_list(self, body, account):
        q = dict(urllib.parse.parse_qsl(self.query, strict_parsing=True)) \
            if self.query else {}
        only(q, {"fields", "name", "language", "status", "limit", "after",
                 "before", "category"})
        # Meta finds names that contain it.
        found = [t for t in self.sends.templates()
                 if q.get("name", "") in t["name"]]
        limit, at = int(q.get("limit", 25)), int(q.get("after", 0))
        page = found[at:at + limit]
        answer = {"data": page}
        if page:
            answer["paging"] = {"cursors": {"before": str(at),
                                            "after": str(at + len(page))}}
            if at + limit < len(found):
                again = dict(q, after=at + limit)
                answer["paging"]["next"] = \
                    f"https://localhost:{self.conn.world.ports['port']}" \
                    f"{self.path}?{urllib.parse.urlencode(again)}"
        return Done("template", account, lambda n: (answer, account))

    def template_one(self, body, ident):
        one = [t for t in self.sends.templates() if str(t["id"]) == ident][0]
        return Done("template", ident, lambda n: (one, ident))

    # --- from beginning to end

    def scripted(self, stage, ident):
        """delay's milliseconds, and the action."""
        words, ms = self.conn.world.action(stage, ident), 0
        while words[:1] == ["delay"]:
            ms += int(words[1])
            words = words[2:]
        return ms, words

    def run(self, stage, handler, groups):
        """Stage, id and status, for the log."""
        self.conn.doing = stage, groups[0]
        words = self.conn.world.action("accept", groups[0])
        if words and self.conn.common(words) is not None:
            self.conn.drop()
        body = self.conn.body(self.r, BODY_MAX)
        no = self.conn.refusal(self.r, True)
        try:
            if no:
                raise Wrong(no[2], str(no[1]), no[0])
            done = handler(body, *groups)
        except Wrong as e:
            self.sends.note(self.conn, self.r, body, what=stage,
                            id=groups[0], status=e.status)
            self.conn.error(e.status, e.code,
                            f"(#{e.code.split('/')[0]}) Invalid parameter",
                            details=e.details,
                            more=["Retry-After: 1"] if e.status == 429 else ())
            return stage, groups[0], e.status
        self.conn.doing = done.what, done.ident
        return done.what, done.ident, self.carry_out(done, body)

    def carry_out(self, done, body):
        ms, words = self.scripted(done.what, done.ident)
        noted = {"what": done.what, "id": done.ident}
        if words and words[0] not in AFTER:
            status = int(words[1]) if words[0] in (
                "error", "status", "empty") else None
            self.sends.note(self.conn, self.r, body, **noted, status=status)
            time.sleep(ms / 1000)
            return self.conn.common(words)
        answer, result = done.do(self.sends.number())
        told = words[:1] not in (["drop-after"], ["hang-after"])
        self.sends.note(self.conn, self.r, body, **noted, result=result,
                        status=200 if told else None)
        time.sleep(ms / 1000)
        return self.tell(answer, words)

    def tell(self, answer, words):
        word = words[0] if words else ""
        if word == "drop-after":
            self.conn.drop()
        if word == "hang-after":
            self.conn.hang()
        if word == "message-status":
            answer["messages"][0]["message_status"] = words[1]
        said = json.dumps(answer).replace("/", "\\/").encode()
        if word == "garbage":
            said = b"<html>It was sent</html>"
        if word == "truncated":
            said = said[:len(said) // 2]
        if word == "huge":
            said = b'{"padding":"' + b"x" * (1 << 20) + b'",' + said[1:]
        if word == "cut":
            self.conn.say(200, said[:int(words[1])], length=len(said))
            self.conn.drop()
        self.conn.say(200, said, more=["x-fb-trace-id: AtraceOfTheStandIn",
                                       "facebook-api-version: " +
                                       self.conn.world.args.version])
        if word == "close":
            self.conn.is_over = True
        return 200
