#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""page.py MAILDIR OUT.html: all mails of a Maildir on one page, as a mail
program would show them. Each mail is in a frame of its own that may neither
run scripts nor fetch anything; its inline images are put into it."""
import html
import pathlib
import sys

sys.path.insert(1, str(pathlib.Path(__file__).parent.parent / "lib"))
import mails as lib

HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<style>
body{{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:760px;padding:16px}}
h1{{font-size:20px}} details{{margin:10px 0;border:1px solid #8886;border-radius:8px}}
summary{{padding:8px 12px;cursor:pointer}} summary small{{opacity:.7}}
iframe{{width:100%;border:0;height:400px;border-radius:0 0 8px 8px}}
</style></head><body><h1>{title}</h1>
"""

# A frame is as high as its mail once it is shown.
TAIL = """<script>
for (const d of document.querySelectorAll("details"))
  d.addEventListener("toggle", () => {
    const f = d.querySelector("iframe"), b = f.contentDocument.documentElement;
    if (d.open && b) f.style.height = b.scrollHeight + "px";
  });
</script></body></html>
"""


def when(mail):
    return mail["Date"].datetime


def files(mail):
    """Name and size of every attachment but the raw event."""
    out = []
    for part in mail.walk():
        name = part.get_filename()
        if name and not name.startswith(("event", "excerpt")):
            size = len(part.get_payload(decode=True) or b"")
            out.append("%s (%d bytes)" % (name, size))
    return out


def show(mail):
    held = "".join(" &#128206; " + html.escape(f) for f in files(mail))
    return ('<details><summary>%s <b>%s</b><br><small>%s%s</small></summary>'
            '<iframe sandbox="allow-same-origin" srcdoc="%s"></iframe>'
            '</details>\n' % (
                when(mail).strftime("%H:%M:%S"),
                html.escape(mail["Subject"]),
                html.escape(mail["X-ChatJournal-Event"]), held,
                html.escape(lib.shown(mail), quote=True)))


def main(maildir, out):
    mails = [lib.read(p) for p in pathlib.Path(maildir, "new").iterdir()]
    mails.sort(key=lambda m: (when(m), m["Message-ID"]))
    title = "%d mails, %s" % (len(mails), when(mails[0]).strftime("%Y-%m-%d"))
    with open(out, "w", encoding="utf-8") as page:
        page.write(HEAD.format(title=title))
        for mail in mails:
            page.write(show(mail))
        page.write(TAIL)


main(*sys.argv[1:])
