#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The presets of conf/presets, filled in: check-config takes them, and the
mails that `chatjournal render` makes by them keep what each promises: they are
read back with Python's email under its strict policy."""
import glob
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

# 40 days after most of the events: what has a max_age must say so.
RECEIVED = "1793456000000"
DOCUMENT = "811000000000007"
DOCUMENT_BYTES = 8 << 20
EVERY = 8

MAIN = """include preset.conf;
relay local {{ url smtp://127.0.0.1; }}
catch_all {journal};
intake {{ app_secret_file secret; verify_token_file secret; }}
graph {{ token_file secret; }}
render {{ domain d.example; templates {srcdir}/templates; }}
"""

PRESETS = {
    "exchange-purview": {"Thread-Index": None, "Thread-Topic": None},
    "enterprise-vault": {"x-kvs-messagetype": "WhatsApp"},
    "global-relay": {"X-GlobalRelay-MsgType": "WhatsApp"},
    "smarsh": {},
    "mimecast": {},
    "piler": {},
    "mailbox": {},
}
REPORTS = {"smarsh", "mimecast"}
UNITS = {"k": 10, "M": 20, "G": 30}


def size_of(value):
    return int(value[:-1]) << UNITS[value[-1]]


class Preset:
    def __init__(self, name, tmp):
        self.name, self.headers = name, PRESETS[name]
        self.dir = os.path.join(tmp, name)
        self.out = os.path.join(self.dir, "out")
        os.makedirs(self.out)
        with open(f"{SRCDIR}/conf/presets/{name}.conf",
                  encoding="utf-8") as f:
            self.text = f.read()
        self.journal = re.search(r"^journal (\S+) {", self.text, re.M)[1]
        self.size = size_of(self.setting("max_size"))
        self.files = int(self.setting("max_files") or "16")
        self.put("secret", "s\n", 0o600)
        self.put("c.conf", MAIN.format(journal=self.journal, srcdir=SRCDIR))
        self.mails = []

    def setting(self, name):
        found = re.search(rf"^\t{name} (\S+);", self.text, re.M)
        return found[1] if found else None

    def put(self, name, text, mode=0o644):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)

    def tool(self, *args):
        return subprocess.run(
            [f"{BUILDDIR}/chatjournal", "-c", f"{self.dir}/c.conf", *args],
            capture_output=True, text=True, check=False)

    def fill_in(self):
        self.put("preset.conf",
                 self.text.replace(" FILL_IN;", " a@bank.example;"))

    def render(self, media, events):
        done = self.tool("render", "-j", self.journal, "-o", self.out,
                         "--received", RECEIVED, "--media", media, *events)
        if done.returncode != 0:
            yield f"{self.name}: render: {done.stderr[-500:]}"
        for path in sorted(glob.glob(f"{self.out}/*.eml")):
            self.mails.append(Mail(self, path))


class Mail:
    def __init__(self, preset, path):
        self.name = f"{preset.name}/{os.path.basename(path)}"
        with open(path, "rb") as f:
            self.raw = f.read()
        self.msg = lib.parse(self.raw)
        self.inner = self.msg
        if "X-MS-Journal-Report" in self.msg:
            self.inner = self.msg.get_payload()[1].get_payload(0)


def for_mails(presets, check):
    for p in presets:
        for mail in p.mails:
            for complaint in check(p, mail):
                yield f"{mail.name}: {complaint}"


def accepted(presets):
    for p in presets:
        p.put("preset.conf", p.text)
        done = p.tool("check-config")
        if done.returncode != 78 or "FILL_IN" not in done.stderr:
            yield f"{p.name}: taken as it stands: {done.returncode}"
        p.fill_in()
        done = p.tool("check-config")
        if done.returncode != 0 or done.stderr:
            yield f"{p.name}: {done.returncode} {done.stderr}"


def rendered(presets, media, events):
    for p in presets:
        yield from p.render(media, events)
        if len(p.mails) < len(events):
            yield f"{p.name}: {len(p.mails)} mails of {len(events)} events"


def defects(_, mail):
    return lib.defects(mail.msg)


def wire_form(_, mail):
    return lib.wire_form(mail.raw)


def limits(p, mail):
    if len(mail.raw) > p.size:
        yield f"{len(mail.raw)} bytes, and max_size is {p.size}"
    files = sum(1 for part in mail.inner.walk()
                if part.get_content_disposition() == "attachment")
    if files > p.files:
        yield f"{files} files, and max_files is {p.files}"


def promised_headers(p, mail):
    names = [n for n, _ in mail.inner.raw_items()]
    for name, value in p.headers.items():
        if name not in names:
            yield f"lacks {name}"
        elif value is not None and mail.inner[name] != value:
            yield f"{name}: {mail.inner[name]}"


def profile(p, mail):
    is_report = mail.inner is not mail.msg
    if is_report != (p.name in REPORTS):
        yield f"report: {is_report}"
    if is_report and "Message-ID" not in mail.inner:
        yield "no message within"


def aged(p, mail):
    if p.setting("max_age") is None:
        if "X-ChatJournal-Age" in mail.inner:
            yield "flagged for its age"
    elif ("X-ChatJournal-Age" in mail.inner) != (
            mail.inner["Date"].datetime.timestamp() * 1000 <
            int(RECEIVED) - int(p.setting("max_age")[:-1]) * 86400000):
        yield f"of {mail.inner['Date']}, and its age is " \
            f"{mail.inner['X-ChatJournal-Age']}"


def document_is_whole(presets, media):
    with open(os.path.join(media, DOCUMENT + ".pdf"), "rb") as f:
        want = f.read()
    for p in presets:
        pieces = []
        for mail in p.mails:
            if b"TESTIN7" not in mail.raw[:65536]:
                continue
            part_no = str(mail.inner.get("X-ChatJournal-Part", "0/0"))
            for part in mail.inner.walk():
                if "statement" in str(part.get_filename()):
                    pieces.append((int(part_no.split("/")[0]),
                                   part.get_content()))
        pieces.sort(key=lambda piece: piece[0])
        got = b"".join(bytes(b) for _, b in pieces)
        if got != want:
            yield f"{p.name}: {len(got)} of {len(want)} bytes in " \
                f"{len(pieces)} pieces"
        if (len(pieces) > 1) != (p.size < len(want) * 4 // 3):
            yield f"{p.name}: {len(pieces)} pieces"


def main():
    tap = Tap(20)
    law = tap.law
    events = sorted(glob.glob(f"{SRCDIR}/tests/events/*.json"))
    events = sorted(set(events[::EVERY]) |
                    {f"{SRCDIR}/tests/events/document.json"})
    with tempfile.TemporaryDirectory() as tmp:
        media = os.path.join(tmp, "media")
        os.mkdir(media)
        with open(f"{media}/{DOCUMENT}.pdf", "wb") as f:
            f.write(b"%PDF-1.4\n" + bytes(range(256)) *
                    (DOCUMENT_BYTES // 256))
        presets = [Preset(name, tmp) for name in sorted(PRESETS)]
        there = {os.path.basename(path)[:-5]
                 for path in glob.glob(f"{SRCDIR}/conf/presets/*.conf")}
        law("every preset is looked at here", there ^ set(PRESETS))
        law("check-config takes each when it is filled in, not before",
            accepted(presets))
        law("each makes mails of all events",
            rendered(presets, media, events))
        law("a strict parser finds nothing wrong in any of them",
            for_mails(presets, defects))
        law("their lines end in CR LF and are not too long",
            for_mails(presets, wire_form))
        law("none is larger, or has more files, than its preset says",
            for_mails(presets, limits))
        law("headers that an archive wants are there, in their letters",
            for_mails(presets, promised_headers))
        law("journal reports are made where the preset says so",
            for_mails(presets, profile))
        law("what is too old for the archive is flagged, and only there",
            for_mails(presets, aged))
        law("a document arrives whole, in parts where it must be cut",
            document_is_whole(presets, media))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
