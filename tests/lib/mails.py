# SPDX-License-Identifier: Apache-2.0
"""Mails as Python's email reads them, for the tests that look into them."""
import base64
import email
import email.headerregistry
import email.policy
import functools
import re

# The policy parses a field each time it is asked for, and asks for the type of
# a part at every turn. A field of the same name and value is parsed once.
STRICT = email.policy.strict.clone(
    raise_on_defect=False,
    header_factory=functools.lru_cache(maxsize=None)(
        email.headerregistry.HeaderRegistry()))


def parse(raw):
    return email.message_from_bytes(raw, policy=STRICT)


def read(path):
    with open(path, "rb") as f:
        return parse(f.read())


def defects(msg):
    """What the strict policy complains of, in any part."""
    for part in msg.walk():
        for d in part.defects:
            yield f"{part.get_content_type()}: {d!r}"
        for name, value in part.items():
            for d in getattr(value, "defects", ()):
                yield f"{name}: {d!r}"


def wire_form(raw):
    if re.search(rb"(?<!\r)\n|\r(?!\n)", raw):
        yield "a bare CR or LF"
    for line in raw.split(b"\r\n"):
        if len(line) > 998:
            yield f"a line of {len(line)} bytes"


def parts(msg, content_type):
    return [p for p in msg.walk() if p.get_content_type() == content_type]


def text_of(msg):
    return parts(msg, "text/plain")[0].get_content()


def html_of(msg):
    return parts(msg, "text/html")[0].get_content()


def files_of(msg):
    """The bytes of what is no text or HTML of the mail, and no event."""
    for part in msg.walk():
        name = part.get_filename()
        if part.is_multipart() or (name or "").endswith(".json"):
            continue
        if name or part.get_content_type() not in ("text/plain", "text/html"):
            yield part.get_payload(decode=True)


def shown(msg):
    """The HTML with the pictures it has in the mail."""
    html = html_of(msg)
    for part in msg.walk():
        if part["Content-ID"]:
            data = base64.b64encode(part.get_payload(decode=True)).decode()
            html = html.replace(
                f'"cid:{part["Content-ID"].strip(" <>")}"',
                f'"data:{part.get_content_type()};base64,{data}"')
    return html
