#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks at the HTML part of the mails of all events in headless Chromium,
light and dark, 320 and 800 pixels wide, and complains of what a person would
complain of. Every mail is measured; of those that are made of the same parts
the first is drawn. The pictures, and sheets of them, stay in tests/screens/out
of the build directory: look at the sheets after each change of the
template."""
import base64
import collections
import glob
import json
import os
import re
import shutil
import subprocess
import struct
import sys
import tempfile
import zlib

import chromium

SRCDIR = os.environ.get("SRCDIR", ".")
BUILDDIR = os.environ.get("BUILDDIR", ".")
sys.path.insert(1, os.path.join(SRCDIR, "tests/lib"))
import mails as lib
from tap import Tap

OUT = os.path.join(BUILDDIR, "tests/screens/out")
HERE = os.path.dirname(os.path.abspath(__file__))
WIDTHS = (320, 800)
SCHEMES = ("light", "dark")
GAP, CAPTION = 8, 18
SHEET_WIDTH, SHEET_HEIGHT = 1640, 1600

# Breaks every rule: each check has to find it.
BAD = """<!DOCTYPE html><meta name="color-scheme" content="light dark">
<body><table class="r"><tr><td></table><div style="width:900px">wide</div>
<p style="color:#999;background:#fff">faint <span>\u05e9\u05dc\u05d5\u05dd</span>
<p dir="auto" style="text-align:left;direction:rtl">\u05e9\u05dc\u05d5\u05dd
<img src="https://chatjournal.invalid/x.png" alt="x"><script>x()</script>"""


class Mail:
    def __init__(self, path):
        self.name = os.path.basename(path)[:-4]
        msg = lib.read(path)
        # A journal may call the header otherwise.
        self.kind = str(msg.get("X-ChatJournal-Event", "message"))
        self.html = lib.shown(msg)
        self.seen = {}      # (width, scheme): complaints
        self.picture = {}   # (width, scheme): (colours, corner)


def made_of(mail):
    """What it looks like, apart from its words."""
    tags = re.findall(r"<[a-z][^>]*>|&#[0-9a-z]+;", mail.html)
    return mail.kind, frozenset(re.sub(r' (src|alt)="[^"]*"', "", t)
                                for t in tags)


def different(mails):
    """Indices of the first of each look."""
    first = {}
    for i, m in enumerate(mails):
        first.setdefault(made_of(m), i)
    return sorted(first.values())


class BadMail:
    def __init__(self):
        self.name, self.kind, self.html = "bad", None, BAD
        self.seen, self.picture = {}, {}


# ---- mails --------------------------------------------------------------

def png(width, height, pixel):
    """A picture of pixel(x, y), which gives four bytes."""
    rows = b"".join(b"\0" + b"".join(bytes(pixel(x, y)) for x in range(width))
                    for y in range(height))

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + \
            struct.pack(">I", zlib.crc32(name + data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(
        ">IIBBBBB", width, height, 8, 6, 0, 0, 0)) + \
        chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def photo(x, y):
    sky = y < 150 + (x * 7 % 90) // 3
    return (90 + x // 4, 140 + y // 3, 230, 255) if sky else \
        (40, 100 + (x + y) % 60, 50, 255)


def sticker(x, y):
    r = (x - 80) ** 2 + (y - 80) ** 2
    return (250, 200 - r // 90, 40, 255) if r < 4900 else (0, 0, 0, 0)


def write_files(folder):
    """What the scenes of the gallery attach."""
    os.mkdir(folder)
    for name, data in {
            "photo.png": png(640, 360, photo),
            "sticker.png": png(160, 160, sticker),
            "voice.ogg": b"OggS" + bytes(24000),
            "film.mp4": b"\0\0\0\x18ftypmp42" + bytes(1200000),
            "contract.pdf": b"%PDF-1.7\n" + bytes(230000)}.items():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)


FILE_OF = {"image": "photo.png", "sticker": "sticker.png",
           "audio": "voice.ogg", "voice": "voice.ogg", "video": "film.mp4",
           "document": "contract.pdf"}


CONF = """catch_all preview;
render { domain chatjournal.example; zone America/Sao_Paulo; }
intake { app_secret_file /dev/null; verify_token_file /dev/null; }
journal preview { maildir /nonexistent; }
"""


def media_ids(value, key=""):
    """(id, name of a file that fits) of every file in the JSON of an event."""
    if isinstance(value, dict):
        if key in FILE_OF and isinstance(value.get("id"), str):
            yield value["id"], FILE_OF[key]
        for k, v in value.items():
            yield from media_ids(v, k)
    elif isinstance(value, list):
        for v in value:
            yield from media_ids(v, key)


def render_with_files(events, files, out):
    """Those that have files, by the very code of the build role."""
    folder, chosen = os.path.join(out, "by-id"), []
    conf = os.path.join(out, "conf")
    os.mkdir(folder)
    with open(conf, "w", encoding="ascii") as f:
        f.write(CONF)
    for path in events:
        with open(path, "rb") as f:
            try:
                found = list(media_ids(json.load(f)))
            except ValueError:
                continue
        for media_id, name in found:
            if re.fullmatch("[0-9]+", media_id):
                chosen.append(path)
                shutil.copy(os.path.join(files, name), os.path.join(
                    folder, media_id + name[-4:]))
    subprocess.run([f"{BUILDDIR}/chatjournal", "-c", conf, "render",
                    "--templates", f"{SRCDIR}/templates", "--media", folder,
                    "-o", out, *dict.fromkeys(chosen)], check=True,
                   stdout=subprocess.DEVNULL)


def render(tmp):
    files, filed = (os.path.join(tmp, d) for d in ("files", "filed"))
    write_files(files)
    os.mkdir(filed)
    subprocess.run([f"{BUILDDIR}/tests/screens/gallery",
                    f"{SRCDIR}/templates", files, tmp], check=True)
    events = sorted(glob.glob(f"{SRCDIR}/tests/events/*.json"))
    render_with_files(events, files, filed)
    events += glob.glob(f"{SRCDIR}/tests/golden/*.bin")
    events += glob.glob(f"{SRCDIR}/tests/golden/cases/*.case")
    subprocess.run([f"{BUILDDIR}/tests/golden/golden_render",
                    f"{SRCDIR}/templates", tmp, *events], check=True)
    for n, path in enumerate(sorted(glob.glob(f"{filed}/*.eml"))):
        os.rename(path, f"{tmp}/filed-{n:02}.eml")
    paths = sorted(glob.glob(f"{tmp}/*.eml"))
    return [Mail(p) for p in sorted(paths, key=lambda p: not re.search("gallery-|filed-", p))]


# ---- looking ------------------------------------------------------------

def sheets(chosen, heights, width):
    """Cells (index, x, y, width, height) for each sheet: mails in columns,
    each at the end of the shortest."""
    columns = max(1, SHEET_WIDTH // (width + GAP))
    ends, cells = [0] * columns, []
    for i in chosen:
        height = min(heights[i], SHEET_HEIGHT)
        c = ends.index(min(ends))
        if cells and ends[c] + height > SHEET_HEIGHT:
            yield cells, max(ends)
            ends, cells, c = [0] * columns, [], 0
        cells.append((i, c * (width + GAP), ends[c], width, height))
        ends[c] += height + CAPTION + GAP
    if cells:
        yield cells, max(ends)


def save(name, data):
    with open(os.path.join(OUT, name), "wb") as f:
        f.write(base64.b64decode(data))


def take_pictures(browser, mails, heights, width, scheme):
    columns = max(1, SHEET_WIDTH // (width + GAP))
    chosen = different(mails)
    for n, (cells, height) in enumerate(sheets(chosen, heights, width), 1):
        browser.size(columns * (width + GAP), height)
        browser.evaluate(f"place({json.dumps([c[:3] for c in cells])})")
        png = browser.screenshot()
        save(f"sheet-{scheme}-{width}-{n:02}.png", png)
        for i, colors, corner, cell in browser.evaluate(
                f"cut({json.dumps(png)}, {json.dumps(cells)})"):
            mails[i].picture[width, scheme] = colors, corner
            save(f"{mails[i].name}-{scheme}-{width}.png", cell)


def open_mails(browser, mails):
    pages = json.dumps([{"name": m.name, "html": m.html} for m in mails])
    browser.size(1000, 1000)
    browser.scheme("light")
    browser.evaluate(f"open_mails({pages})")


def measure(browser, width, scheme):
    args = width, scheme == "dark", scheme == "light", width == WIDTHS[0]
    return browser.evaluate(f"measure(...{json.dumps(args)})")


def look(browser, mails):
    open_mails(browser, mails)
    for width in WIDTHS:
        browser.size(1000, 1000)
        heights = browser.evaluate(f"widen({width})")
        for scheme in SCHEMES:
            browser.scheme(scheme)
            for m, seen in zip(mails, measure(browser, width, scheme)):
                m.seen[width, scheme] = seen
            take_pictures(browser, mails, heights, width, scheme)


def look_at_bad(browser, bad):
    """What the browser was asked for by the bad mail."""
    before = len(browser.requests)
    open_mails(browser, [bad])
    browser.evaluate("widen(320)")
    bad.seen[320, "light"] = measure(browser, 320, "light")[0]
    return browser.requests[before:]


# ---- judging ------------------------------------------------------------

def complaints(mails, what, schemes=SCHEMES, widths=WIDTHS):
    for m in mails:
        for scheme in schemes:
            for width in widths:
                for c in m.seen[width, scheme].get(what, ()):
                    yield f"{m.name}, {scheme}, {width}: {c}"


def uniform(mails):
    for m in mails:
        for (width, scheme), (colors, _) in m.picture.items():
            if colors < 16:
                yield f"{m.name}, {scheme}, {width}: {colors} colours"


def same_in_dark(mails):
    for m in filter(lambda m: m.picture, mails):
        for width in WIDTHS:
            if m.picture[width, "light"][1] == m.picture[width, "dark"][1]:
                yield f"{m.name}, {width}: {m.picture[width, 'dark'][1]}"


def judge(tap, kind, mails):
    def law(sentence, found):
        tap.law(f"{kind}: {sentence}", found)

    law("every bubble has something in it", complaints(mails, "empty"))
    law("the picture is not of one colour", uniform(mails))
    law("nothing is wider than 320 pixels",
        complaints(mails, "wide", widths=[320]))
    law("nothing is wider than 800 pixels",
        complaints(mails, "wide", widths=[800]))
    law("nothing is fetched, and nothing can run",
        complaints(mails, "foreign"))
    law("every picture is shown", complaints(mails, "broken"))
    law("text has a contrast of 4.5 in light",
        complaints(mails, "faint", schemes=["light"]))
    law("text has a contrast of 4.5 in dark",
        complaints(mails, "faint", schemes=["dark"]))
    law("without its style sheet it reads as well",
        complaints(mails, "bare"))
    law("right-to-left text is marked as such and stands on the right",
        complaints(mails, "misdirected"))
    law("dark is not light", same_in_dark(mails))


def judge_bad(tap, bad, requests):
    for what in ("empty", "wide", "faint", "bare", "misdirected",
                 "foreign", "broken"):
        tap.law(f"a mail that is bad on purpose is found to be: {what}",
                [] if bad.seen[320, "light"][what] else ["it is not"])
    tap.law("a request of a mail is noticed",
            [] if requests else ["none was"])


def main():
    if chromium.find() is None:
        print("1..0 # SKIP chromium is not installed")
        return 0
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    with tempfile.TemporaryDirectory() as tmp:
        mails = render(tmp)
    bad = BadMail()
    with chromium.Chromium() as browser:
        with open(os.path.join(HERE, "harness.js"), encoding="utf-8") as f:
            browser.evaluate(f.read() + "\n;0")
        look(browser, mails)
        requests = list(browser.requests)
        bad_requests = look_at_bad(browser, bad)
    tap = Tap(12)
    kinds = collections.defaultdict(list)
    for m in mails:
        kinds[m.kind].append(m)
    tap.law("there are mails of every kind", [] if len(kinds) > 11 else
            [f"only {len(kinds)}: {' '.join(kinds)}"])
    for kind in sorted(kinds):
        judge(tap, kind, kinds[kind])
    tap.law("no mail makes the browser ask for anything", requests)
    tap.law("text could have stood on the wrong side",
            [] if any(m.seen[800, "light"]["directed"] for m in mails)
            else ["no mail has any"])
    judge_bad(tap, bad, bad_requests)
    return tap.end()


sys.exit(main())
