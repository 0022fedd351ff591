#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Journal reports of all events and cases, held against what breaks the
readers of such reports: most are parsers of lines, so the rules are checked on
lines, and MIME is asked only where a reader asks it. The expressions of
Exchange's own reader are used as they are."""
import glob
import hashlib
import os
import re
import subprocess
import sys
import tempfile

SRCDIR = os.environ.get("SRCDIR", ".")
BUILDDIR = os.environ.get("BUILDDIR", ".")
sys.path.insert(1, os.path.join(SRCDIR, "tests/lib"))
import mails as lib
from tap import Tap

# As Exchange's reader spells them.
SENDER = re.compile(r"^Sender:\s*(.+)\s*$", re.I)
RECIPIENT = re.compile(r"^(Recipient|To|Cc|Bcc|On-Behalf-Of):\s*(.+?)"
                       r"(,\s*(Expanded|Forwarded):\s*(\S+))?\s*$", re.I)
MESSAGE_ID = re.compile(r"^Message-Id:\s*(.+)$", re.I)

KNOWN = re.compile(r"^(Sender|On-Behalf-Of|Subject|Message-ID|To|Cc|Bcc|"
                   r"Recipient): \S")
ADDR_SPEC = re.compile(r"^[a-z0-9._-]+@[a-z0-9.-]+$")
BOUNDARY = re.compile(r'^Content-Type: multipart/mixed; boundary="([^"]+)"$',
                      re.M)
LARGE = 500000


class Report:
    """Cut at the first lines that any reader would cut at."""
    def __init__(self, path):
        self.name = os.path.basename(path)[:-4]
        with open(path, "rb") as f:
            self.raw = f.read()
        with open(path[:-4] + ".eml", "rb") as f:
            self.inner = f.read()
        head, self.body = self.raw.split(b"\r\n\r\n", 1)
        self.head = head.decode("ascii").replace("\r\n", "\n")
        m = BOUNDARY.search(self.head)
        self.boundary = m.group(1) if m else "no boundary"
        mark = b"--" + self.boundary.encode()
        pieces = (b"\r\n" + self.body).split(b"\r\n" + mark)
        self.pieces = pieces
        self.report_head, _, text = pieces[1].partition(b"\r\n\r\n") \
            if len(pieces) > 1 else (b"", b"", b"")
        self.text = text.decode("utf-8")
        self.lines = self.text.split("\r\n")
        self.mail_head, _, self.mail = pieces[2].partition(b"\r\n\r\n") \
            if len(pieces) > 2 else (b"", b"", b"")


def two_parts(r):
    if len(r.pieces) != 4 or r.pieces[0] or r.pieces[3] != b"--\r\n":
        yield "parts: %d" % (len(r.pieces) - 2)
    if b"\r\nContent-Type: text/plain; charset=utf-8" not in r.report_head:
        yield "the first part is not the report"
    if b"\r\nContent-Type: message/rfc822" not in r.mail_head:
        yield "the second part is not the mail"
    if r.mail != r.inner:
        yield "the mail is not what is sent without a report"


def marker(r):
    lines = r.head.split("\n")
    names = [line.split(":")[0] for line in lines if line[0] not in " \t"]
    if lines.count("X-MS-Journal-Report:") != 1:
        yield "the marker is missing or spelt otherwise"
    elif names.index("X-MS-Journal-Report") < names.index("To"):
        yield "the marker stands before To"
    if names.count("To") != 1 or "Cc" in names or "Bcc" in names:
        yield f"recipients in the header: {names}"


def plain(r):
    head = r.report_head.decode("ascii")
    m = re.search(r"\r\nContent-Transfer-Encoding: (\S+)", head)
    if not m or m.group(1) not in ("7bit", "8bit"):
        yield f"encoded: {head!r}"
    elif m.group(1) == "7bit" and not r.text.isascii():
        yield "8 bits under the name of 7"


def known_lines(r):
    for line in r.lines:
        if not KNOWN.match(line):
            yield f"{line!r}"


def recipients(r):
    found = [RECIPIENT.match(line) for line in r.lines]
    found = [m for m in found if m]
    if not found:
        yield "no recipient"
    for m in found:
        if not ADDR_SPEC.match(m.group(2)) or m.group(3):
            yield f"not one bare address: {m.group(0)!r}"


def exchange(r):
    senders = [SENDER.match(line) for line in r.lines]
    senders = [m.group(1) for m in senders if m]
    ids = [MESSAGE_ID.match(line) for line in r.lines]
    ids = [m.group(1) for m in ids if m]
    outer = lib.parse(r.raw)
    inner = [p for p in outer.iter_attachments()
             if p.get_content_type() == "message/rfc822"]
    if len(senders) != 1 or not ADDR_SPEC.match(senders[0]):
        yield f"sender: {senders}"
    if len(inner) != 1:
        yield "no embedded message"
    elif ids != [inner[0].get_content()["Message-ID"]]:
        yield f"Message-ID: {ids}"
    if outer["Message-ID"] in ids:
        yield "the report has the id of the mail"


def same_as_mail(r):
    """Its lines in their order, and what they repeat of the mail's head."""
    mail = lib.parse(r.inner.split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n")
    names = [line.partition(":")[0] for line in r.lines[:3]]
    if names != ["Sender", "Subject", "Message-ID"]:
        yield f"{names}"
    if r.lines[1] != f"Subject: {mail['Subject']}":
        yield f"{r.lines[1]!r}"
    wanted = [a.addr_spec for field in ("To", "Cc")
              for a in getattr(mail[field], "addresses", ())]
    found = [RECIPIENT.match(line) for line in r.lines[3:]]
    if [m and m.group(2) for m in found] != wanted:
        yield f"other recipients than in the mail: {r.lines[3:]}"


def unencoded_mail(r):
    if b"Content-Transfer-Encoding" in r.mail_head:
        yield "the mail has a transfer encoding"
    if re.search(rb"[^\t\r\n -~]", r.inner):
        yield "the mail is not 7 bit"


def boundary(r):
    digest = hashlib.sha256(r.inner).hexdigest()[:32]
    if r.boundary != f"=_j_{digest}":
        yield f"{r.boundary} is not made of the mail"
    if r.raw.count(r.boundary.encode()) != 4:
        yield "the boundary is a part of another line"


def no_preamble(r):
    if not r.body.startswith(b"--" + r.boundary.encode() + b"\r\n"):
        yield "something stands before the first part"
    if b"\r\nContent-Type:" not in r.inner.split(b"\r\n\r\n", 1)[0]:
        yield "the mail has no Content-Type of its own"


def optional_tags(r):
    for tag in ("SentUtc", "ReceivedUtc", "Received", "Label", "Mailbox"):
        if re.search(rf"^{tag}:", r.text, re.M | re.I):
            yield tag


RULES = [
    ("1: two parts, the report, then the mail byte for byte", two_parts),
    ("2: the marker is spelt right and stands after To", marker),
    ("3: the report is neither base64 nor quoted-printable", plain),
    ("4: the report has known lines only, no blank one, no prose",
     known_lines),
    ("5: one recipient per line, as a bare address", recipients),
    ("5: Exchange's reader finds sender, mail and one Message-ID", exchange),
    ("5: subject and recipients are those of the mail", same_as_mail),
    ("6: the mail has no transfer encoding and needs none", unencoded_mail),
    ("7: the boundary is made of the mail and part of no other line",
     boundary),
    ("8: nothing stands before the parts, and the mail has its own type",
     no_preamble),
    ("9: optional tags are left out", optional_tags),
]


def load(tmp):
    paths = sorted(glob.glob(f"{SRCDIR}/tests/events/*.json"))
    paths += glob.glob(f"{SRCDIR}/tests/golden/*.bin")
    paths += sorted(glob.glob(f"{SRCDIR}/tests/golden/cases/*.case"))
    subprocess.run([f"{BUILDDIR}/tests/golden/golden_render",
                    f"{SRCDIR}/templates", tmp, *paths], check=True)
    return [Report(p) for p in sorted(glob.glob(f"{tmp}/*.rpt"))]


def main():
    tap = Tap(20)
    with tempfile.TemporaryDirectory() as tmp:
        reports = load(tmp)
    large = [r for r in reports if len(r.raw) > LARGE]
    for sentence, rule in RULES:
        tap.law(f"rule {sentence}",
                (f"{r.name}: {c}" for r in reports for c in rule(r)))
    tap.law("reports of many kinds were read, also of a mail in a file",
            [] if len(reports) > 100 and large else [f"{len(reports)}"])
    return tap.end()


sys.exit(main())
