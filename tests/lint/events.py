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
                  r'\blog\s*\(\s*"([^"]*)"|'
                  r'\bbuild_tell\s*\([^,;]*,[^,;]*,\s*"([^"]*)"|'
                  r'\blog_err\s*\([^,;]*,\s*"([^"]*)"')
# What passes on events that others gave it, by a function of its own.
CARRIERS = {"src/role/build.c"}
# An event that is no literal must be a parameter named "event"; then the
# literals that the function is called with count.
OTHER = re.compile(r'\blog_(?:(?:error|warn|info|debug)\s*\(\s*|'
                   r'err\s*\([^,;]*,\s*)(?!["\s])(?P<what>\w*)')
EVENT = re.compile(r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)+")


def without_comments(text):
    return TOKEN.sub(lambda m: " " if m.group(0)[0] == "/" else m.group(0),
                     text)


def passed_on(text, at):
    """The events that the function around text[at] is called with."""
    heads = list(re.finditer(r"^(\w+)\(([^{;]*)\)\n\{", text[:at], re.M))
    if not heads or not re.search(r"\bevent$", heads[-1].group(2), re.M):
        return []
    call = re.compile(r"\b" + heads[-1].group(1) + r'\s*\([^;]*?"([^"]*)"')
    return [m.group(1) for m in call.finditer(text)
            if EVENT.fullmatch(m.group(1))]


def logged():
    # Two are made by hand: of what did not fit, and of what is no event.
    events, odd = {"log.dropped": "src/base/log.c",
                   "role.said": "src/proc/proc_lines.c"}, []
    for path in find(["src"], (".c",)):
        if path == "src/base/log.c":
            continue
        text = without_comments(read(path))
        names = [next(filter(None, m.groups()), "")
                 for m in CALL.finditer(text)]
        for m in OTHER.finditer(text):
            more = passed_on(text, m.start()) if m["what"] == "event" else []
            names += more
            if not more and path not in CARRIERS:
                odd.append(f"{path}: {m.group(0)!r}")
        for name in names:
            events.setdefault(name, path)
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
tap.law("every log call names its event, or is handed it by name", odd)
tap.law("event names are words with dots between",
        [f"{path}: {e}" for e, path in sorted(events.items())
         if not EVENT.fullmatch(e)])
tap.law("every event that is logged is in the manual",
        [f"{path}: {e} is missing in {MAN}"
         for e, path in sorted(events.items()) if e not in man])
tap.law("every event in the manual is logged somewhere",
        [f"{MAN}: {e} is logged nowhere" for e in sorted(man - set(events))])
sys.exit(tap.end())
