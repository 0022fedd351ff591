#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Renders every body of tests/events, and those of tests/golden/cases with
their files, and reads the mails back: with Python's email under its strict
policy, with Perl's Email::MIME and with mblaze. What is in the journal reports
is looked at by report_rules.py."""
import email.utils
import glob
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from email.message import Message
from html.parser import HTMLParser

SRCDIR = os.environ.get("SRCDIR", ".")
BUILDDIR = os.environ.get("BUILDDIR", ".")
sys.path.insert(1, os.path.join(SRCDIR, "tests/lib"))
import mails as lib
from tap import Tap

ACTIVE_TAGS = {"script", "link", "iframe", "object", "embed", "base", "form",
               "meta"}
HARMLESS_META = ({"charset": "utf-8"},
                 {"name": "color-scheme", "content": "light dark"})
FETCHING = {"src", "href", "srcset", "background", "action", "data"}


class Case:
    """What of a case (golden_case.h) must be found again in its mails."""
    def __init__(self, path):
        self.files, self.headers, self.renames = [], {}, {}
        self.event = self.lists = None
        self.follow_up = self.cut = self.excluded = False
        self.folder = "events"
        self.lists = []
        with open(path, encoding="utf-8") as f:
            lines = [shlex.split(line, comments=True) for line in f]
        for words in filter(None, lines):
            self.read(*words)

    def read(self, what, *words):
        if what in ("event", "record"):
            self.event, self.folder = words[0], what + "s"
        elif what == "excluded":
            self.excluded = True
        elif what == "file":
            self.files.append(words)
        elif what == "follow-up":
            self.follow_up = True
        elif what in ("max-bytes", "max-files"):
            self.cut = True
        elif what == "header":
            self.headers[words[0]] = words[1]
        elif what == "rename":
            self.renames[words[0]] = words[1]
        elif what == "recipients-header":
            self.lists.append(words[0])

    def held(self, folder):
        """Bytes by id of the files that must be attached."""
        out = {}
        for words in self.files:
            if words[1] != "held" or self.excluded:
                continue
            made = words[2].startswith("made-")
            path = f"{folder}/{words[2]}" if made else \
                f"{SRCDIR}/tests/golden/media/{words[2]}"
            with open(path, "rb") as f:
                out[words[0]] = f.read()
        return out


class Mail:
    def __init__(self, path):
        self.name = os.path.basename(path)[:-4]
        self.path = path
        with open(path, "rb") as f:
            self.raw = f.read()
        self.msg = lib.parse(self.raw)
        self.parts = list(self.msg.walk())
        with open(path[:-4] + ".ids", encoding="utf-8", newline="\n") as f:
            self.ids = [s for s in f.read().split("\n") if s]
        with open(path[:-4] + ".rpt", "rb") as f:
            self.report_raw = f.read()
        self.report = lib.parse(self.report_raw)
        self.base = re.sub(r"-\d+$", "", self.name)
        case = f"{SRCDIR}/tests/golden/cases/{self.base}.case"
        self.case = Case(case) if os.path.exists(case) else None
        self.held = self.case.held(os.path.dirname(path)) if self.case else {}
        self.cut = self.msg["X-ChatJournal-Part"]

    def files(self):
        return [p for p in self.parts if p.get_filename()]

    def has_event(self):
        return not self.cut and not (self.case and (
            self.case.follow_up or self.case.excluded))

    def event(self):
        base = self.case.event if self.case else self.base
        folder = self.case.folder if self.case else "events"
        for path in (f"{SRCDIR}/tests/{folder}/{base}.json",
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
    return (f"{mail.name}: {c}" for c in lib.defects(msg))


def wire_form(mail, raw):
    return (f"{mail.name}: {c}" for c in lib.wire_form(raw))


def seven_bit(mail):
    if re.search(rb"[^\t\r\n -~]", mail.raw):
        yield f"{mail.name}: not 7 bit"


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
    asked = set()
    if mail.case:
        asked = {*mail.case.headers, *mail.case.renames.values(),
                 *mail.case.lists}
    for name in mail.msg.keys():
        if name not in names and name not in asked:
            yield f"{mail.name}: {name}"


def wishes(mail):
    if not mail.case:
        return
    for name, value in mail.case.headers.items():
        if mail.msg[name] != value:
            yield f"{mail.name}: {name}: {mail.msg[name]}"
    for ours, theirs in mail.case.renames.items():
        if ours in mail.msg or theirs not in mail.msg:
            yield f"{mail.name}: {ours} is not called {theirs}"
    addresses = [a.addr_spec for field in ("From", "To", "Cc")
                 for a in getattr(mail.msg[field], "addresses", ())]
    for name in mail.case.lists:
        if mail.msg[name].split(", ") != addresses:
            yield f"{mail.name}: {name}: {mail.msg[name]}"


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
             for v in mail.msg.get_all("X-ChatJournal-Item", [])]
    found = [f for f in found if f is not None]
    wanted = [clean(i) for i in mail.ids]
    if found != wanted:
        yield f"{mail.name}: {found} instead of {wanted}"


def ids_in_text(mail):
    text = lib.text_of(mail.msg)
    for i in mail.ids:
        if clean(i) not in text:
            yield f"{mail.name}: {i}"


def structure(mail):
    types = [p.get_content_type() for p in mail.parts]
    shown = [p for p in mail.parts
             if p.get_content_disposition() == "inline"]
    want = ["multipart/mixed", "multipart/alternative", "text/plain",
            *(["multipart/related"] if shown else []), "text/html",
            *(p.get_content_type() for p in shown)]
    if types[:len(want)] != want:
        yield f"{mail.name}: {types}"
    if len(types) != len(want) + len(mail.files()) - len(shown):
        yield f"{mail.name}: {types}"
    if not mail.cut and \
            len(mail.files()) != len(mail.held) + mail.has_event():
        yield f"{mail.name}: {len(mail.files())} files"
    for p in mail.parts:
        if p.is_multipart() and (p.preamble or (p.epilogue or "").strip()):
            yield f"{mail.name}: text outside of the parts"


def media_fields(mail):
    return [params("x; " + str(v))
            for v in mail.msg.get_all("X-ChatJournal-Media", [])]


def attached_files(mail):
    """Each held file has a field with its digest, and a part with its
    bytes under the name and type that the field gives."""
    if mail.cut:
        return
    fields = {f.get("id"): f for f in media_fields(mail)}
    parts = {p.get_filename(): p for p in mail.files()}
    for key, data in mail.held.items():
        field = fields.get(key, {})
        part = parts.get(field.get("name"))
        if field.get("status") != "attached" or part is None:
            yield f"{mail.name}: {field}"
            continue
        if part.get_payload(decode=True) != data or \
                field["sha256"] != hashlib.sha256(data).hexdigest() or \
                field["size"] != str(len(data)):
            yield f"{mail.name}: other bytes than those of {key}"
        if part.get_content_type() != field["type"]:
            yield f"{mail.name}: {part.get_content_type()}"


def outcomes(mail):
    """What became of a file that is not held is told, also in the text."""
    if not mail.case or mail.case.excluded:
        return
    words = {"late": "late", "missing": "unavailable",
             "quarantined": "quarantined"}
    fields = {f.get("id"): f for f in media_fields(mail)}
    for file in mail.case.files:
        told = [w.split("=", 1)[1] for w in file
                if w.startswith(("reason=", "verdict="))]
        if file[1] != "held" and fields[file[0]]["status"] != words[file[1]]:
            yield f"{mail.name}: {fields[file[0]]}"
        if mail.ids and any(t not in lib.text_of(mail.msg) for t in told):
            yield f"{mail.name}: {told} is not in the text"


def recordings(mail):
    """How long one plays is told where it is known, and nowhere else."""
    if not mail.ids:
        return
    lengths = [round(int(w[7:]) / 1000) for file in mail.case.files
               for w in file if w.startswith("length=")] if mail.case else []
    want = [f"{s // 60}:{s % 60:02}" for s in lengths]
    told = re.findall(r"^  duration +(\d[\d:]*)\r?$",
                      lib.text_of(mail.msg), re.M)
    shown = re.findall(r"&middot; (\d+(?::\d\d)+)</small>",
                       lib.html_of(mail.msg))
    if told != want or shown != want:
        yield f"{mail.name}: {told} and {shown} instead of {want}"


def shown_images(mail):
    html = lib.html_of(mail.msg)
    ids = {p["Content-ID"] for p in mail.parts if p["Content-ID"]}
    used = {f"<{c}>" for c in re.findall(r'src="cid:([^"]*)"', html)}
    if ids != used:
        yield f"{mail.name}: parts {ids}, HTML {used}"


def joined(mails, tmp):
    """The mails of a cut turn: slices, joined by cat, are the file."""
    first = mails[0]
    folder = f"{tmp}/{first.base}.parts"
    os.mkdir(folder)
    for mail in mails:
        for p in mail.files():
            path = f"{folder}/{p.get_filename()}"
            if os.path.exists(path):
                yield f"{mail.name}: {path} is there already"
            with open(path, "wb") as f:
                f.write(p.get_payload(decode=True))
    fields = media_fields(first)
    if len(fields) != len(first.held) + (
            len(first.files()) == 0 and "event.json" in os.listdir(folder)):
        yield f"{first.name}: {len(fields)} files are named"
    for field in fields:
        path = f"{folder}/{field['name']}"
        sliced = not os.path.exists(path)
        digest = subprocess.run(
            f"cat {shlex.quote(path)}{'.???' if sliced else ''} | sha256sum",
            shell=True, check=True, stdout=subprocess.PIPE).stdout.split()[0]
        if digest.decode() != field["sha256"]:
            yield f"{first.name}: {field['name']} is not what it was"
    for data in first.held.values():
        if hashlib.sha256(data).hexdigest() not in \
                [f["sha256"] for f in fields]:
            yield f"{first.name}: a file is not named"


def threads(mails):
    """The parts of a cut turn are numbered and answer the manifest."""
    first = mails[0]
    for n, mail in enumerate(mails, 1):
        if mail.cut != f"{n}/{len(mails)}" or \
                f"({mail.cut})" not in mail.msg["Subject"]:
            yield f"{mail.name}: {mail.cut}"
        if n > 1 and (mail.msg["In-Reply-To"] != first.msg["Message-ID"] or
                      first.msg["Message-ID"] not in mail.msg["References"]):
            yield f"{mail.name}: it does not answer the manifest"


def cut_turns(mails):
    bases = {}
    for m in mails:
        if m.cut:
            bases.setdefault(m.base, []).append(m)
    return [sorted(b, key=lambda m: int(m.cut.split("/")[0]))
            for b in bases.values()]


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
    page.feed(lib.html_of(mail.msg))
    for f in page.found:
        yield f"{mail.name}: {f}"


def attached_event(mail):
    if not mail.has_event():
        return
    part = mail.parts[-1]
    if part.get_payload(decode=True) != mail.event():
        yield f"{mail.name}: the attached event differs"
    want = "event.bin" if mail.name.startswith("not-json") else "event.json"
    if part.get_filename() != want or part.get_param("name") != want:
        yield f"{mail.name}: {part.get_filename()}"


def run(*args):
    """A reader that has nothing to complain of."""
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       env=dict(os.environ, LC_ALL="C.UTF-8",
                                MBLAZE="/nonexistent"), check=False)
    if p.returncode or (p.stderr and b"sequence" not in p.stderr):
        raise ValueError(f"{args[0]}: {p.stderr.decode()}")
    return p.stdout


def leaves(mail):
    return [p for p in mail.parts if not p.is_multipart()]


def mblaze(mail):
    subject = run("mhdr", "-d", "-h", "subject", mail.path).decode().strip()
    if subject != str(mail.msg["Subject"]):
        yield f"{mail.name}: subject {subject}"
    sender = run("mhdr", "-A", "-d", "-h", "from", mail.path).decode().strip()
    if not sender.endswith(f"<{mail.msg['From'].addresses[0].addr_spec}>"):
        yield f"{mail.name}: from {sender}"
    scan = run("mscan", "-f", "%s", mail.path).decode()
    if scan.strip()[:20] != str(mail.msg["Subject"])[:20]:
        yield f"{mail.name}: mscan shows {scan}"
    tree = run("mshow", "-t", mail.path).decode()
    found = re.findall(r"^ +(\d+): (\S+)", tree, re.M)
    found = [(n, t) for n, t in found
             if not t.startswith(("multipart/", "message/"))]
    if [t for _, t in found] != [p.get_content_type() for p in leaves(mail)]:
        yield f"{mail.name}: {found}"
        return
    for (number, kind), part in zip(found, leaves(mail)):
        if not kind.startswith("text/") and run(
                "mshow", "-O", mail.path, number) != \
                part.get_payload(decode=True):
            yield f"{mail.name}: mblaze reads another {kind}"


def email_mime(mails):
    """Perl's Email::MIME, all mails at once."""
    out = run("perl", f"{SRCDIR}/tests/golden/read_back.pl",
              *(m.path for m in mails)).decode()
    for mail, line in zip(mails, out.splitlines()):
        found = json.loads(line)
        if found["subject"] != str(mail.msg["Subject"]) or \
                not found["from"].endswith(
                    f"<{mail.msg['From'].addresses[0].addr_spec}>"):
            yield f"{mail.name}: {found['subject']}, {found['from']}"
        want = [{"type": p.get_content_type(),
                 "name": p.get_filename() or "",
                 "sha256": hashlib.sha256(
                     p.get_payload(decode=True)).hexdigest()}
                for p in leaves(mail)]
        if found["parts"] != want:
            yield f"{mail.name}: {found['parts']} instead of {want}"
    if len(out.splitlines()) != len(mails):
        yield "some mails were not read"


def load(tmp):
    events = sorted(glob.glob(f"{SRCDIR}/tests/events/*.json"))
    events += glob.glob(f"{SRCDIR}/tests/golden/*.bin")
    events += sorted(glob.glob(f"{SRCDIR}/tests/golden/cases/*.case"))
    subprocess.run([f"{BUILDDIR}/tests/golden/golden_render",
                    f"{SRCDIR}/templates", tmp, *events], check=True)
    return len(events), [Mail(p) for p in sorted(glob.glob(f"{tmp}/*.eml"))]


def for_all(mails, check, *args):
    return (c for m in mails for c in check(m, *args))


def law_with(tap, sentence, probe, check):
    if subprocess.run(probe, shell=True, check=False,
                      stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL).returncode == 0:
        tap.law(sentence, check())
    else:
        tap.skip(sentence, "it is not installed")


def accepted(mails):
    """Golden ones, and all cases: it is run several times for each."""
    return [m for m in mails if m.case or
            os.path.exists(f"{SRCDIR}/tests/golden/{m.name}.eml")]


def same_ids(mails):
    """A case has the event, and so the ids, of another mail."""
    seen = {}
    for m in mails:
        group = (m.msg["Message-ID"], m.base if m.case else "")
        if group in seen:
            yield f"{m.name} and {seen[group]}"
        seen[group] = m.name


def main():
    tap = Tap(20)
    law = tap.law
    with tempfile.TemporaryDirectory() as tmp:
        events, mails = load(tmp)
        law("every event gives at least one mail",
            [f"{len(mails)} mails of {events} events"]
            if len(mails) < events or events < 50 else [])
        law("no mail has a defect under the strict policy",
            (c for m in mails for c in defects(m, m.msg)))
        law("no report has a defect under the strict policy",
            (c for m in mails for c in defects(m, m.report)))
        law("mails are 7 bit", for_all(mails, seven_bit))
        law("no line of a mail is bare or longer than 998",
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
        law("every file that is held is attached, byte for byte",
            for_all(mails, attached_files))
        law("what became of a file is told", for_all(mails, outcomes))
        law("how long a recording plays is told when it is known",
            for_all(mails, recordings))
        law("the HTML shows images of its own mail only, and all of them",
            for_all(mails, shown_images))
        law("wishes of a journal are fulfilled", for_all(mails, wishes))
        cut = cut_turns(mails)
        law("the slices of a cut turn, joined by cat, are its files",
            (c for ms in cut for c in joined(ms, tmp))
            if len(cut) > 2 else ["too few turns are cut"])
        law("the parts of a cut turn answer its manifest",
            (c for ms in cut for c in threads(ms)))
        law("Message-IDs differ from mail to mail", same_ids(mails))
        law_with(tap, "Email::MIME reads the same",
                 "perl -MEmail::MIME -e 1",
                 lambda: email_mime(mails))
        law_with(tap, "mblaze reads the same",
                 "mshow -V || command -v mshow",
                 lambda: for_all(accepted(mails), mblaze))
    return tap.end()


sys.exit(main())
