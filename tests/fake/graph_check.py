# SPDX-License-Identifier: Apache-2.0
"""What Graph's stand-in demands of a message: its members, their types and
Meta's limits (Cloud API reference, one page per type). Raises Wrong; sends
nothing."""

import json
import re

TYPES = ("text", "image", "video", "audio", "document", "sticker", "location",
         "contacts", "reaction", "template", "interactive", "pin")
TOP = {"messaging_product", "recipient_type", "to", "recipient", "type",
       "context", "biz_opaque_callback_data", "status", "message_id",
       "typing_indicator", "product_policy", "message_activity_sharing"}
MEDIA = {"image": {"id", "link", "caption"},
         "video": {"id", "link", "caption"},
         "audio": {"id", "link", "voice"},
         "document": {"id", "link", "caption", "filename"},
         "sticker": {"id", "link"}}
INTERACTIVE = ("button", "list", "cta_url", "flow", "product", "product_list",
               "catalog_message", "carousel", "location_request_message",
               "address_message", "call_permission_request", "voice_call",
               "order_details", "order_status", "request_contact_info")
CALLBACK_MAX, TEXT_MAX, CAPTION_MAX, BODY_MAX = 512, 4096, 1024, 1024
# Bytes by the first part of the type; application/* and text/* are documents.
SIZES = {"image": 5 << 20, "audio": 16 << 20, "video": 16 << 20,
         "application": 100 << 20, "text": 100 << 20}
STICKER = 500 << 10


class Wrong(Exception):
    """How Graph refuses it."""

    def __init__(self, details, code="100", status=400):
        super().__init__(details)
        self.details, self.code, self.status = details, code, status


def once(pairs):
    """For json.loads: an object with the same member twice is none."""
    o = dict(pairs)
    if len(o) != len(pairs):
        raise Wrong("a member is there twice")
    return o


def load(body):
    """The object in a body."""
    def no(word):
        raise Wrong(f"{word} is no JSON")
    try:
        o = json.loads(body.decode("utf-8"), object_pairs_hook=once,
                       parse_constant=no)
    except (ValueError, RecursionError) as e:
        raise Wrong(f"the body is no JSON: {e}") from e
    if not isinstance(o, dict):
        raise Wrong("the body is no JSON object")
    return o


def need(o, name, kind, where=""):
    """The member, of this type."""
    if name not in o:
        raise Wrong(f"The parameter {where}{name} is required.", "131008")
    if not isinstance(o[name], kind) or \
            (isinstance(o[name], bool) and kind is not bool):
        raise Wrong(f"Param {where}{name} is of the wrong type", "131009")
    return o[name]


def text(o, name, most, where="", least=1):
    """A string member of so many characters."""
    s = need(o, name, str, where)
    if not least <= len(s) <= most:
        raise Wrong(f"Param {where}{name} must be between {least} and {most} "
                    "characters", "131009")
    return s


def only(o, names, where=""):
    """No member but these."""
    for name in o:
        if name not in names:
            raise Wrong(f"Unexpected key \"{where}{name}\"")


def product(o):
    """Every body to the Cloud API begins so."""
    if need(o, "messaging_product", str) != "whatsapp":
        raise Wrong("Param messaging_product must be whatsapp")


def receiver(o):
    """The script's name for who gets it: digits, or the id as it is."""
    if not o.get("to"):
        return text(o, "recipient", 200)
    to = need(o, "to", (str, int))
    if o.get("recipient_type") == "group":
        if not re.fullmatch(r"[A-Za-z0-9_=-]{16,256}", str(to)):
            raise Wrong("Param to is no group id", "131009")
        return to
    digits = re.sub(r"[ ().+-]", "", str(to))
    if not re.fullmatch(r"[1-9][0-9]{5,14}", digits):
        raise Wrong("Recipient phone number not in a valid format", "131009")
    return digits


class Message:
    """One body to /messages, checked. media: ids known; templates: their
    definitions."""

    def __init__(self, o, media, templates):
        self.o, self.media, self.templates = o, media, templates
        self.to = None
        self.is_read = o.get("status") is not None
        product(o)
        if self.is_read:
            self.read()
            return
        self.type = o.get("type", "text")
        if self.type not in TYPES:
            raise Wrong(f"Param type must be one of {TYPES}")
        only(o, TOP | {self.type})
        if o.get("recipient_type", "individual") not in ("individual",
                                                         "group"):
            raise Wrong("Param recipient_type must be individual or group")
        self.to = receiver(o)
        if "biz_opaque_callback_data" in o:
            text(o, "biz_opaque_callback_data", CALLBACK_MAX)
        if "context" in o:
            text(need(o, "context", dict), "message_id", 256, "context.")
        kind = list if self.type == "contacts" else dict
        getattr(self, self.type, self.file)(need(o, self.type, kind))

    def read(self):
        only(self.o, {"messaging_product", "status", "message_id",
                      "typing_indicator"})
        if self.o["status"] != "read":
            raise Wrong("Param status must be read")
        text(self.o, "message_id", 256)
        if self.o.get("typing_indicator", {"type": "text"}) != \
                {"type": "text"}:
            raise Wrong("Param typing_indicator[type] must be text")

    def text(self, o):
        only(o, {"body", "preview_url"}, "text.")
        text(o, "body", TEXT_MAX, "text.")
        if "preview_url" in o:
            need(o, "preview_url", bool, "text.")

    def file(self, o, where=None, names=None):
        where = where or self.type
        only(o, names or MEDIA[where], where + ".")
        if ("id" in o) == ("link" in o):
            raise Wrong(f"Param {where} must have either id or link")
        if "id" in o and str(o["id"]) not in self.media():
            raise Wrong(f"Param {where}.id is not a valid whatsapp business "
                        "account media attachment ID", "131009")
        if "link" in o:
            text(o, "link", 2000, where + ".")
        if "caption" in o:
            text(o, "caption", CAPTION_MAX, where + ".")
        if "filename" in o:
            text(o, "filename", 240, where + ".")

    def location(self, o):
        only(o, {"latitude", "longitude", "name", "address"}, "location.")
        for name in ("latitude", "longitude"):
            need(o, name, (int, float, str), "location.")

    def contacts(self, o):
        if not 1 <= len(o) <= 257:
            raise Wrong("Param contacts must have 1 to 257 elements")
        for c in o:
            if not isinstance(c, dict):
                raise Wrong("Param contacts must be a list of objects")
            text(need(c, "name", dict, "contacts."), "formatted_name", 1024,
                 "contacts.name.")

    def reaction(self, o):
        only(o, {"message_id", "emoji"}, "reaction.")
        text(o, "message_id", 256, "reaction.")
        text(o, "emoji", 32, "reaction.", 0)

    def pin(self, o):
        if self.o.get("recipient_type") != "group":
            raise Wrong("pin is for groups")
        only(o, {"type", "message_id", "expiration_days"}, "pin.")
        if need(o, "type", str, "pin.") not in ("pin", "unpin"):
            raise Wrong("Param pin.type must be pin or unpin")
        text(o, "message_id", 256, "pin.")

    # --- interactive

    def interactive(self, o):
        kind = need(o, "type", str, "interactive.")
        if kind not in INTERACTIVE:
            raise Wrong(f"Param interactive.type must be one of {INTERACTIVE}")
        only(o, {"type", "header", "body", "footer", "action"},
             "interactive.")
        if "body" in o or kind not in ("product",):
            text(need(o, "body", dict, "interactive."), "text",
                 TEXT_MAX if kind == "list" else BODY_MAX,
                 "interactive.body.")
        if "footer" in o:
            text(need(o, "footer", dict, "interactive."), "text", 60,
                 "interactive.footer.")
        if "header" in o:
            self.header(need(o, "header", dict, "interactive."))
        action = need(o, "action", dict, "interactive.")
        if kind in ("button", "list", "cta_url"):
            getattr(self, "action_" + kind)(action)

    def header(self, o):
        kind = need(o, "type", str, "interactive.header.")
        if kind == "text":
            text(o, "text", 60, "interactive.header.")
        elif kind in ("image", "video", "document"):
            self.file(need(o, kind, dict, "interactive.header."),
                      "interactive.header." + kind,
                      {"id", "link", "filename"})
        else:
            raise Wrong("Param interactive.header.type is unknown")

    @staticmethod
    def action_button(o):
        buttons = need(o, "buttons", list, "interactive.action.")
        titles = []
        for b in buttons:
            if not isinstance(b, dict) or b.get("type") != "reply":
                raise Wrong("a button's type must be reply")
            reply = need(b, "reply", dict, "button.")
            text(reply, "id", 256, "reply.")
            titles.append(text(reply, "title", 20, "reply."))
        if not 1 <= len(buttons) <= 3 or len(set(titles)) != len(titles):
            raise Wrong("there must be 1 to 3 buttons of different titles",
                        "131009")

    @staticmethod
    def action_list(o):
        text(o, "button", 20, "interactive.action.")
        sections = need(o, "sections", list, "interactive.action.")
        rows = [r for s in sections
                for r in need(s, "rows", list, "section.")]
        if not 1 <= len(sections) <= 10 or not 1 <= len(rows) <= 10:
            raise Wrong("a list has 1 to 10 rows", "131009")
        for r in rows:
            text(r, "id", 200, "row.")
            text(r, "title", 24, "row.")
            if "description" in r:
                text(r, "description", 72, "row.")

    @staticmethod
    def action_cta_url(o):
        p = need(o, "parameters", dict, "interactive.action.")
        text(p, "display_text", 20, "parameters.")
        text(p, "url", 2000, "parameters.")

    # --- templates

    def template(self, o):
        only(o, {"name", "language", "components"}, "template.")
        name = text(o, "name", 512, "template.")
        code = text(need(o, "language", dict, "template."), "code", 16,
                    "template.language.")
        found = [t for t in self.templates()
                 if (t["name"], t["language"]) == (name, code)]
        if not found:
            raise Wrong(f"template name ({name}) does not exist in {code}",
                        "132001", 404)
        status = found[0].get("status", "APPROVED")
        if status in ("PAUSED", "DISABLED"):
            raise Wrong("the template is " + status.lower(),
                        "132015" if status == "PAUSED" else "132016")
        if status != "APPROVED":
            raise Wrong("the template is not approved", "132001", 404)
        self.parameters(found[0], o.get("components", []))

    def parameters(self, definition, components):
        wants = {}
        for c in definition.get("components", []):
            marks = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", c.get("text", "")))
            if c.get("type") in ("HEADER", "BODY"):
                wants[c["type"].lower()] = marks
        for kind, marks in wants.items():
            given = [p for c in components if isinstance(c, dict) and
                     c.get("type", "").lower() == kind
                     for p in c.get("parameters", [])
                     if p.get("type") == "text"]
            if len(given) != len(marks):
                raise Wrong(f"{kind}: number of localizable_params "
                            f"({len(given)}) does not match the expected "
                            f"number of params ({len(marks)})", "132000")
        for c in components:
            for p in c.get("parameters", []):
                if p.get("type") in ("image", "video", "document"):
                    self.file(need(p, p["type"], dict, "parameter."),
                              "parameter." + p["type"],
                              {"id", "link", "filename"})


# --- uploads


def form(content_type, body):
    """name -> (filename, type, bytes) of multipart/form-data."""
    m = re.fullmatch(r'multipart/form-data; *boundary="?([\w\'()+,./:=? -]'
                     r'{1,70}?)"?', content_type or "")
    if not m:
        raise Wrong("the Content-Type is not multipart/form-data")
    mark = b"--" + m[1].encode()
    if not body.startswith(mark + b"\r\n") or \
            not body.rstrip(b"\r\n").endswith(mark + b"--"):
        raise Wrong("the form has no end")
    fields = {}
    for piece in body.split(b"\r\n" + mark)[:-1]:
        piece = piece[len(mark):] if piece.startswith(mark) else piece
        head, _, value = piece.partition(b"\r\n\r\n")
        head = head.decode("utf-8", "replace")
        name = re.search(r'[; ]name="?([^";\r]+)', head)
        if not name or name[1] in fields:
            raise Wrong("a field has no name, or is there twice")
        file = re.search(r'filename="((?:\\.|[^"\\])*)"', head)
        kind = re.search(r"(?im)^content-type: *(.+?)\r?$", head)
        fields[name[1]] = (file and file[1], kind and kind[1], value)
    return fields


def upload(content_type, body):
    """Type and bytes of the file in an upload."""
    fields = form(content_type, body)
    only(fields, {"messaging_product", "file", "type"})
    if fields.get("messaging_product", ("", "", b""))[2] != b"whatsapp":
        raise Wrong("Param messaging_product must be whatsapp")
    if "file" not in fields:
        raise Wrong("Param file is required", "131008")
    _, kind, data = fields["file"]
    if "type" in fields:
        kind = fields["type"][2].decode("utf-8", "replace")
    most = SIZES.get((kind or "").split("/")[0])
    if kind == "image/webp":
        most = STICKER
    if most is None:
        raise Wrong(f"Param file must be a file with one of the following "
                    f"types, not {kind}")
    if not 0 < len(data) <= most:
        raise Wrong("Media upload error: the size", "131053")
    return kind, data
