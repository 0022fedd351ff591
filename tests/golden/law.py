#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nothing of a message is lost when the event is not attached: every scalar
of the JSON of every item in tests/events stands in the text part of its mail,
in English and in a translation. EXCEPTIONS says what does not, and why.
And nothing of a message is told when a rule excludes it: no scalar of any
item, but who, when and which, stands anywhere in its mail or report."""
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
# Of a record of the gateway, by the name of its member.
OF_THE_GATEWAY = {
    "object": "always chatjournal_gateway",
    "received_ms": "the time of the item, written as one",
    "done_ms": "told as a time, if it is a second later or more",
    "at_ms": "of a review: written as a time",
    "author": "said in words: employee or bot",
    "account": "in the header, as of every item",
    "method": "POST, unless the facts say another",
    "target": "made of ids that are shown, unless the facts say another",
    "outcome": "said in words",
    "verdict": "shown by the block about rules, which has its own cases",
    "definition": "how a template is laid out: its wording is shown",
    "biz_opaque_callback_data": "the gateway's mark: its key is shown",
    "request_base64": "shown as the text that it is",
    "response_base64": "shown as the text that it is",
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


def is_of_the_gateway(name):
    return any(member in OF_THE_GATEWAY for member in name.split("."))


def items_of(raw):
    """Numbers as they stand: a price is no double."""
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    at = 0
    while raw[at:].strip():
        at += len(raw[at:]) - len(raw[at:].lstrip())
        item, at = decoder.raw_decode(raw, at)
        yield item


@functools.cache
def lines_of(path):
    return lib.text_of(lib.read(path))


@functools.cache
def text_of(path):
    return squeeze(lines_of(path))


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
    for note in re.findall(r"^  примечание +(.*)$", lines_of(path), re.M):
        if ENGLISH.search(note):
            yield f"{os.path.basename(path)[:-4]}: {ascii(note)}"


# By the name of a member: who, when, where and which.
OF_A_RECORD = {
    "id", "message_id", "call_id", "wa_id", "user_id", "parent_user_id",
    "from", "from_user_id", "from_parent_user_id", "to", "to_user_id",
    "to_parent_user_id", "recipient_id", "recipient_user_id",
    "parent_recipient_user_id", "recipient_identity_key_hash", "author",
    "phone_number_id", "display_phone_number", "phone_number", "group_id",
    "username", "timestamp", "sha256", "type", "messaging_product",
    "context", "input", "send", "application", "employee", "account",
    "number", "outcome", "original_message_id", "waba_id",
    # which kind of event it was, and what came of a send
    "event", "action", "message_status", "verb"}
# Words that every mail may hold for another reason.
COMMON = {"text", "image", "sent", "received", "message", "status", "type",
          "whatsapp", "customer", "business", "group", "number", "time",
          "http", "chat", "item", "file", "call", "system", "edit",
          "outgoing", "incoming", "user", "name", "profile", "account",
          "network", "messages", "changed", "flow", "chunk",
          "user id changed",
          # of MIME, HTML and dates
          "plain", "dark", "body", "0000"}


def everything_of(*messages):
    """Fields and texts, in words."""
    out = []
    for message in messages:
        for part in message.walk():
            out += [str(v) for v in part.values()]
            if part.get_content_maintype() == "text":
                out.append(part.get_content())
            elif not part.is_multipart():
                out.append("a part " + str(part.get_content_type()))
    return squeeze(" ".join(out))


def parties(message):
    """What the mail says of people stands in a block of its own."""
    text = lib.text_of(message)
    return squeeze(text[text.index("--- People ---"):
                        text.index("--- Evidence ---")])


def told(path):
    """What of an excluded item is in its mail or report nevertheless."""
    mail = lib.read(path)
    text = everything_of(mail, lib.read(path[:-4] + ".rpt"))
    people = parties(mail)
    with open(path[:-4] + ".raw", encoding="utf-8", newline="\n") as f:
        raw = f.read()
    for item in items_of(raw):
        for name, value in scalars(item):
            if name.split(".")[-1] in OF_A_RECORD or len(value) < 4 or \
                    value.lower() in COMMON or squeeze(value) in people or \
                    name.startswith("reviews."):
                continue
            # As words; an expression for each value is slow to make.
            if squeeze(value) in text and re.search(
                    r"(?<!\w)" + re.escape(squeeze(value)) + r"(?!\w)",
                    text):
                yield f"{os.path.basename(path)[:-4]}: {ascii(name)}: " \
                    f"{ascii(value)[:100]}"


def parts_of(path):
    """Of an excluded mail there are two texts and nothing else."""
    types = [p.get_content_type() for p in lib.read(path).walk()]
    if types != ["multipart/mixed", "multipart/alternative", "text/plain",
                 "text/html"]:
        yield f"{os.path.basename(path)[:-4]}: {types}"


def excluded(events):
    with tempfile.TemporaryDirectory() as tmp:
        subprocess.run([f"{BUILDDIR}/tests/golden/golden_render", "-x",
                        f"{SRCDIR}/templates", tmp, *events], check=True)
        mails = sorted(glob.glob(f"{tmp}/*.eml"))
        lost = [] if len(mails) >= len(events) else [
            f"{len(mails)} mails of {len(events)} events"]
        return [t for m in mails for t in told(m)], \
            lost + [p for m in mails for p in parts_of(m)]


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
    with tempfile.TemporaryDirectory() as tmp:
        mails = render(tmp, "en", [f"{SRCDIR}/tests/events/text-pt.json"])
        tap.law("what is not excluded is found by the same search",
                [] if any(t for m in mails for t in told(m)) else ["nothing"])
    records = sorted(glob.glob(f"{SRCDIR}/tests/records/*.json"))
    with tempfile.TemporaryDirectory() as tmp:
        mails = render(tmp, "en", records)
        tap.law("every scalar of every record is in the text",
                [m for path in mails for m in missing(path)
                 if not is_of_the_gateway(m.split("'")[1])]
                if len(mails) >= len(records) else ["mails are missing"])
    for what, sources in (("message", events), ("record", records)):
        content, others = excluded(sources)
        tap.law(f"no scalar of an excluded {what} is in its mail or report",
                content)
        tap.law(f"an excluded {what} has a mail without files", others)
    return tap.end()


sys.exit(main())
