#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Renders every body of tests/events and reads the mails back: with Python's
email under its strict policy, with mblaze, and the journal reports with the
expressions that Exchange's own reader uses."""
import email
import email.policy
import email.utils
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
from email.message import Message
from html.parser import HTMLParser

SRCDIR = os.environ.get("SRCDIR", ".")
BUILDDIR = os.environ.get("BUILDDIR", ".")
STRICT = email.policy.strict.clone(raise_on_defect=False)

# [MS-XJRNL] as its readers apply it.
SENDER = re.compile(r"^Sender:\s*(.+)\s*$", re.I)
MESSAGE_ID = re.compile(r"^Message-Id:\s*(.+)$", re.I)
SUBJECT = re.compile(r"^Subject:\s*(.*)$", re.I)
RECIPIENT = re.compile(r"^(Recipient|To|Cc|Bcc|On-Behalf-Of):\s*(.+?)"
                       r"(,\s*(Expanded|Forwarded):\s*(\S+))?\s*$", re.I)
ADDR_SPEC = re.compile(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+$")

ACTIVE_TAGS = {"script", "link", "iframe", "object", "embed", "base", "form",
               "meta"}
HARMLESS_META = ({"charset": "utf-8"},
                 {"name": "color-scheme", "content": "light dark"})
FETCHING = {"src", "href", "srcset", "background", "action", "data"}


class Mail:
    def __init__(self, path):
        self.name = os.path.basename(path)[:-4]
        self.path = path
        with open(path, "rb") as f:
            self.raw = f.read()
        self.msg = email.message_from_bytes(self.raw, policy=STRICT)
        self.parts = list(self.msg.walk())
        with open(path[:-4] + ".ids", encoding="utf-8", newline="\n") as f:
            self.ids = [s for s in f.read().split("\n") if s]
        with open(path[:-4] + ".rpt", "rb") as f:
            self.report_raw = f.read()
        self.report = email.message_from_bytes(self.report_raw, policy=STRICT)

    def part(self, content_type):
        return [p for p in self.parts if p.get_content_type() == content_type]

    def text(self):
        return self.part("text/plain")[0].get_content()

    def event(self):
        base = re.sub(r"-\d+$", "", self.name)
        for path in (f"{SRCDIR}/tests/events/{base}.json",
                     f"{SRCDIR}/tests/golden/{base}.bin"):
            if os.path.exists(path):
                with open(path, "rb") as f:
                    return f.read()
        raise FileNotFoundError(base)


def clean(value):
    """What the sanitiser leaves of an id, near enough for ids."""
    value = re.sub(r"[\r\n\t\u2028\u2029]+", " ", value)
    value = re.sub(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]",
                   "", value)
    return re.sub(" +", " ", value).strip()


def defects(mail, msg):
    for part in msg.walk():
        for d in part.defects:
            yield f"{mail.name}: {part.get_content_type()}: {d!r}"
        for name, value in part.items():
            for d in getattr(value, "defects", ()):
                yield f"{mail.name}: {name}: {d!r}"


def wire_form(mail, raw):
    if re.search(rb"(?<!\r)\n|\r(?!\n)", raw):
        yield f"{mail.name}: a bare CR or LF"
    if raw == mail.raw and re.search(rb"[^\t\r\n -~]", raw):
        yield f"{mail.name}: not 7 bit"
    for line in raw.split(b"\r\n"):
        if len(line) > 998:
            yield f"{mail.name}: a line of {len(line)} bytes"


def long_header_lines(mail):
    head = mail.raw.split(b"\r\n\r\n")[0].decode("ascii")
    for line in head.split("\r\n"):
        words = re.sub(r"^[\w-]+:", "", line).split()
        if len(line) > 78 and len(words) > 1:
            yield f"{mail.name}: {line}"


def documented_fields():
    with open(f"{SRCDIR}/doc/man/chatjournal-headers.7",
              encoding="utf-8") as f:
        return set(re.findall(r"^\.It Li ([A-Z][\w-]+)$", f.read(), re.M))


def undocumented(mail, names):
    for name in mail.msg.keys():
        if name not in names:
            yield f"{mail.name}: {name}"


def undecoded(mail):
    for name in ("From", "To", "Cc", "Subject", "List-Id"):
        if "=?" in str(mail.msg.get(name, "")):
            yield f"{mail.name}: {name}: {mail.msg[name]}"


def params(value):
    """Parameters as any MIME library reads them."""
    m = Message()
    m["X"] = "x; " + value
    out = {}
    for key, v in m.get_params(header="X")[1:]:
        if isinstance(v, tuple):
            v = email.utils.collapse_rfc2231_value(v)
        out[key] = v
    return out


def items_of(mail):
    found = [params(str(v)).get("id")
             for v in mail.msg.get_all("X-ChatJournal-Item")]
    found = [f for f in found if f is not None]
    wanted = [clean(i) for i in mail.ids]
    if found != wanted:
        yield f"{mail.name}: {found} instead of {wanted}"


def ids_in_text(mail):
    text = mail.text()
    for i in mail.ids:
        if clean(i) not in text:
            yield f"{mail.name}: {i}"


def structure(mail):
    types = [p.get_content_type() for p in mail.parts]
    if types[:4] != ["multipart/mixed", "multipart/alternative", "text/plain",
                     "text/html"] or len(types) != 5:
        yield f"{mail.name}: {types}"
    for p in mail.parts:
        if p.is_multipart() and (p.preamble or (p.epilogue or "").strip()):
            yield f"{mail.name}: text outside of the parts"


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        if tag in ACTIVE_TAGS and dict(attrs) not in HARMLESS_META:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if tag == "img" and name == "src" and value.startswith("cid:"):
                continue
            if name in FETCHING or name.startswith("on") or \
                    "url(" in (value or "").lower():
                self.found.append(f"{name}={value}")


def active_html(mail):
    page = Page()
    page.feed(mail.part("text/html")[0].get_content())
    for f in page.found:
        yield f"{mail.name}: {f}"


def attached_event(mail):
    part = mail.parts[-1]
    if part.get_payload(decode=True) != mail.event():
        yield f"{mail.name}: the attached event differs"
    want = "event.bin" if mail.name.startswith("not-json") else "event.json"
    if part.get_filename() != want or part.get_param("name") != want:
        yield f"{mail.name}: {part.get_filename()}"


def report_form(mail):
    report = mail.report
    parts = report.get_payload()
    if [p.get_content_type() for p in parts] != ["text/plain",
                                                 "message/rfc822"]:
        yield f"{mail.name}: not two parts"
        return
    keys = report.keys()
    if "X-MS-Journal-Report" not in keys or "To" not in keys or \
            keys.index("X-MS-Journal-Report") < keys.index("To"):
        yield f"{mail.name}: the marker is missing or before To"
    if parts[1]["Content-Transfer-Encoding"] is not None:
        yield f"{mail.name}: the mail has a transfer encoding"
    if parts[0]["Content-Transfer-Encoding"] not in ("7bit", "8bit"):
        yield f"{mail.name}: the report is encoded"
    if b"\r\n\r\n" + mail.raw + b"\r\n--=_j_" not in mail.report_raw:
        yield f"{mail.name}: the mail is not embedded byte for byte"
    if report["Message-ID"] == mail.msg["Message-ID"]:
        yield f"{mail.name}: one id for two mails"


def report_lines(mail):
    lines = mail.report.get_payload()[0].get_payload(decode=True)
    lines = lines.decode("utf-8").split("\r\n")
    while lines and not lines[-1]:
        lines.pop()
    if len(lines) < 4:
        yield f"{mail.name}: {lines}"
        return
    sender, message_id = SENDER.match(lines[0]), MESSAGE_ID.match(lines[2])
    if not sender or not ADDR_SPEC.match(sender.group(1)):
        yield f"{mail.name}: {lines[0]}"
    if not SUBJECT.match(lines[1]) or lines[1][9:] != mail.msg["Subject"]:
        yield f"{mail.name}: {lines[1]}"
    if not message_id or message_id.group(1) != mail.msg["Message-ID"]:
        yield f"{mail.name}: {lines[2]}"
    for line in lines[3:]:
        m = RECIPIENT.match(line)
        if not m or not ADDR_SPEC.match(m.group(2)):
            yield f"{mail.name}: {line}"
    recipients = [a.addr_spec for field in ("To", "Cc")
                  for a in getattr(mail.msg[field], "addresses", ())]
    if [RECIPIENT.match(s).group(2) for s in lines[3:]] != recipients:
        yield f"{mail.name}: other recipients than in the mail"


def run(*args):
    return subprocess.run(args, stdout=subprocess.PIPE, check=True,
                          env=dict(os.environ, LC_ALL="C.UTF-8")).stdout


def mblaze(mail):
    subject = run("mhdr", "-d", "-h", "subject", mail.path).decode().strip()
    if subject != str(mail.msg["Subject"]):
        yield f"{mail.name}: subject {subject}"
    sender = run("mhdr", "-A", "-d", "-h", "from", mail.path).decode().strip()
    if not sender.endswith(f"<{mail.msg['From'].addresses[0].addr_spec}>"):
        yield f"{mail.name}: from {sender}"
    tree = run("mshow", "-t", mail.path).decode()
    types = re.findall(r"^ +\d+: (\S+)", tree, re.M)
    if types[-3:-1] != ["text/plain", "text/html"]:
        yield f"{mail.name}: {types}"
    number = re.findall(r"^ +(\d+): ", tree, re.M)[-1]
    if run("mshow", "-O", mail.path, number) != mail.event():
        yield f"{mail.name}: mblaze reads another event"


def load(tmp):
    events = sorted(glob.glob(f"{SRCDIR}/tests/events/*.json"))
    events += glob.glob(f"{SRCDIR}/tests/golden/*.bin")
    subprocess.run([f"{BUILDDIR}/tests/golden/golden_render",
                    f"{SRCDIR}/templates", tmp, *events], check=True)
    return len(events), [Mail(p) for p in sorted(glob.glob(f"{tmp}/*.eml"))]


failed = 0
count = 0


def law(sentence, complaints):
    global failed, count
    count += 1
    complaints = list(complaints)
    for c in complaints[:20]:
        print("#", c)
    failed += bool(complaints)
    print("not ok" if complaints else "ok", count, "-", sentence)


def for_all(mails, check, *args):
    return (c for m in mails for c in check(m, *args))


def main():
    with tempfile.TemporaryDirectory() as tmp:
        events, mails = load(tmp)
        law("every event gives at least one mail",
            [f"{len(mails)} mails of {events} events"]
            if len(mails) < events or events < 50 else [])
        law("no mail has a defect under the strict policy",
            (c for m in mails for c in defects(m, m.msg)))
        law("no report has a defect under the strict policy",
            (c for m in mails for c in defects(m, m.report)))
        law("mails are 7 bit, and no line is bare or longer than 998",
            (c for m in mails for c in wire_form(m, m.raw)))
        law("no line of a report is bare or longer than 998",
            (c for m in mails for c in wire_form(m, m.report_raw)))
        law("header lines longer than 78 are one word",
            for_all(mails, long_header_lines))
        law("every field is in chatjournal-headers(7)",
            for_all(mails, undocumented, documented_fields()))
        law("names and subjects decode", for_all(mails, undecoded))
        law("the ids of all items are read from the header",
            for_all(mails, items_of))
        law("the text part has the id of every item",
            for_all(mails, ids_in_text))
        law("each mail has text, HTML and the event", for_all(mails, structure))
        law("the HTML runs nothing and fetches nothing",
            for_all(mails, active_html))
        law("the attached event is what was received",
            for_all(mails, attached_event))
        law("a report holds a report and the unchanged mail",
            for_all(mails, report_form))
        law("the lines of a report are those of [MS-XJRNL]",
            for_all(mails, report_lines))
        law("Message-IDs differ from mail to mail",
            [] if len({m.msg["Message-ID"] for m in mails}) == len(mails)
            else ["some are the same"])
        if shutil.which("mshow"):
            some = [m for m in mails if m.name.endswith("-1")]
            law("mblaze reads the same", for_all(some, mblaze))
        else:
            print(f"ok {count + 1} - mblaze reads the same # SKIP "
                  "mblaze is not installed")
            sys.stdout.flush()
    print(f"1..{count + (0 if shutil.which('mshow') else 1)}")
    return 1 if failed else 0


sys.exit(main())
