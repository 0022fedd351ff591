#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nothing of a message is lost when the event is not attached: every scalar
of the JSON of every item in tests/events stands in the text part of its mail,
in English and in a translation. EXCEPTIONS says what does not, and why."""
import base64
import functools
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
from datetime import datetime, timezone

SRCDIR = os.environ.get("SRCDIR", ".")
BUILDDIR = os.environ.get("BUILDDIR", ".")
sys.path.insert(1, os.path.join(SRCDIR, "tests/lib"))
import mails as lib
from tap import Tap

# By the name of a member, or of one of those it is in.
EXCEPTIONS = {
    "sdp": "addresses and keys of a media stream: nothing of what was said",
    "sdp_type": "offer or answer of the same",
    "url": "of a file: a link with a token in it, dead after five minutes; "
           "the id of the file is shown",
    "messaging_product": "always whatsapp, which is the first word",
    "recipient_type": "individual or group: that is seen from who took part",
    "components": "how a template is laid out: its wording is shown as the "
                  "customer saw it",
}
# Values of "type" that are said in words of the language: "number changed".
IN_WORDS = {"text", "image", "call", "unsupported", "media_placeholder",
            "user_changed_number", "customer_changed_number",
            "user_changed_user_id"}
# What is an item of its own, and has a mail of its own.
APART = "conversation_context"
# But a template's texts and parameters are looked for.
WORDING = ("text", "payload")


def squeeze(text):
    """What the sanitiser leaves, without regard to lines and blanks."""
    text = text.replace("\x00", "\ufffd")
    text = re.sub(r"[\r\n\t\u2028\u2029]+", " ", text)
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]", "",
                  text)
    text = re.sub(r"[\ud800-\udfff]", "\ufffd", text)
    return " ".join(text.split())


def as_json(text):
    return json.dumps(text)[1:-1]


def as_time(text):
    if re.fullmatch(r"\d{10}", text):
        at = datetime.fromtimestamp(int(text), timezone.utc)
        return at.strftime("%Y-%m-%d %H:%M:%S UTC")
    return None


def as_digest(text):
    if re.fullmatch(r"[A-Za-z0-9+/]{43}=?", text):
        return base64.b64decode(text[:43] + "=").hex()
    return None


def as_file_name(text):
    return re.sub(r'[/\\:*?"<>|]', "_", squeeze(text)).strip(". ")


def as_digits(text):
    if not re.fullmatch(r"\+?[0-9 ()-]{8,}", text):
        return None
    return re.sub(r"[^0-9]", "", text)


def in_pieces(value, text):
    """A wording with places for parameters, which are filled in."""
    pieces = re.split(r"\{\{.*?\}\}", value)
    return len(pieces) > 1 and all(squeeze(p) in text for p in pieces)


def spellings(value):
    yield squeeze(value)
    for spelling in (as_time(value), as_digest(value), as_file_name(value),
                     as_digits(value), as_json(value)):
        if spelling:
            yield spelling


def is_structure(parent, path, value):
    """"type":"text" beside "text":{...} names a member, like a key."""
    return path[-1:] == ("type",) and (value in parent or value in IN_WORDS)


def is_excepted(path, parent):
    if path and path[-1] == "url":
        return isinstance(parent, dict) and "mime_type" in parent
    return any(name in EXCEPTIONS for name in path) and \
        not ("components" in path and path[-1] in WORDING)


def scalars(value, path=(), parent=None):
    """Each with the names of the members on the way to it."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from scalars(member, path + (key,), value)
    elif isinstance(value, list):
        for member in value:
            yield from scalars(member, path, parent)
    elif isinstance(value, str) and value.strip():
        if not is_excepted(path, parent) and not (
                parent and is_structure(parent, path, value)):
            yield ".".join(path), value


def items_of(raw):
    """Numbers as they stand: a price is no double."""
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    at = 0
    while raw[at:].strip():
        at += len(raw[at:]) - len(raw[at:].lstrip())
        item, at = decoder.raw_decode(raw, at)
        yield item


@functools.cache
def text_of(path):
    return squeeze(lib.text_of(lib.read(path)))


@functools.cache
def all_texts_of(event):
    return " ".join(text_of(p) for p in glob.glob(f"{event}-*.eml"))


def missing(path):
    text = text_of(path)
    event = re.sub(r"-\d+\.eml$", "", path)
    with open(path[:-4] + ".raw", encoding="utf-8", newline="\n") as f:
        raw = f.read()
    for item in items_of(raw):
        for name, value in scalars(item):
            where = all_texts_of(event) if APART in name else text
            if not in_pieces(value, where) and \
                    not any(s in where for s in spellings(value)):
                yield f"{os.path.basename(path)[:-4]}: {ascii(name)}: " \
                    f"{ascii(value)[:100]}"


ENGLISH = re.compile(r"\b(the|of|not|was|shown|without|gave|message)\b")


def english_notes(path):
    """Of a Russian mail."""
    text = lib.text_of(lib.read(path))
    for note in re.findall(r"^  примечание +(.*)$", text, re.M):
        if ENGLISH.search(note):
            yield f"{os.path.basename(path)[:-4]}: {ascii(note)}"


def render(tmp, language, events):
    subprocess.run([f"{BUILDDIR}/tests/golden/golden_render", "-n",
                    "-l", language, "-z", "America/Sao_Paulo",
                    f"{SRCDIR}/templates", tmp, *events], check=True)
    return sorted(glob.glob(f"{tmp}/*.eml"))


def main():
    events = sorted(glob.glob(f"{SRCDIR}/tests/events/*.json"))
    tap = Tap(60)
    for language in ("en", "ru"):
        with tempfile.TemporaryDirectory() as tmp:
            mails = render(tmp, language, events)
            lost = [m for path in mails for m in missing(path)]
            notes = [n for path in mails for n in english_notes(path)]
        if len(mails) < len(events):
            lost.append(f"{len(mails)} mails of {len(events)} events")
        tap.law("every scalar of every message is in the text "
                f"({language})", lost)
    tap.law("no note of a Russian mail is in English", notes)
    return tap.end()


sys.exit(main())
