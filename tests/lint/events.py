#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The events that are logged are the events that chatjournald(8) lists under
DIAGNOSTICS, as ".It Li event.name" or ".It event.name"."""
import os
import re
import sys

from csource import SRCDIR, TOKEN, Tap, find, read

MAN = "doc/man/chatjournald.8"
CALL = re.compile(r'\blog_(?:error|warn|info|debug)\s*\(\s*"([^"]*)"|'
                  r'\blog_err\s*\([^,;]*,\s*"([^"]*)"')
# A call whose event is not a literal cannot be checked.
OTHER = re.compile(r'\blog_(?:(?:error|warn|info|debug)\s*\(\s*|'
                   r'err\s*\([^,;]*,\s*)(?!["\s])')
EVENT = re.compile(r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)+")


def without_comments(text):
    return TOKEN.sub(lambda m: " " if m.group(0)[0] == "/" else m.group(0),
                     text)


def logged():
    events, odd = {"log.dropped": "src/base/log.c"}, []
    for path in find(["src"], (".c",)):
        if path == "src/base/log.c":
            continue
        text = without_comments(read(path))
        for m in CALL.finditer(text):
            events.setdefault(m.group(1) or m.group(2), path)
        odd += [f"{path}: {text[m.start():m.end() + 30]!r}"
                for m in OTHER.finditer(text)]
    return events, odd


def listed():
    if not os.path.exists(os.path.join(SRCDIR, MAN)):
        return set()
    part = re.split(r"^\.Sh +DIAGNOSTICS.*$", read(MAN), flags=re.M)
    if len(part) < 2:
        return set()
    part = re.split(r"^\.Sh ", part[1], flags=re.M)[0]
    items = re.findall(r"^\.It +(.*)$", part, flags=re.M)
    return {e for i in items for e in EVENT.findall(i)}


tap = Tap()
events, odd = logged()
man = listed()
tap.law("every log call names its event by a literal", odd)
tap.law("event names are words with dots between",
        [f"{path}: {e}" for e, path in sorted(events.items())
         if not EVENT.fullmatch(e)])
tap.law("every event that is logged is in the manual",
        [f"{path}: {e} is missing in {MAN}"
         for e, path in sorted(events.items()) if e not in man])
tap.law("every event in the manual is logged somewhere",
        [f"{MAN}: {e} is logged nowhere" for e in sorted(man - set(events))])
sys.exit(tap.end())
