#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The words of mails: every one that the templates and the C code use is in
the catalog of each language that ships, and no catalog has one too many."""
import glob
import re
import sys
import unicodedata

from csource import SRCDIR, Tap, read

FORMS = {"pt": ("one", "many"), "ru": ("one", "few", "many")}


def template_words():
    """Each with the columns that its tag asks for; 0: none."""
    for path in sorted(glob.glob(f"{SRCDIR}/templates/*.txt") +
                       glob.glob(f"{SRCDIR}/templates/*.html")):
        for tag in re.findall(r"\{\{_(.*?)\}\}", read(path)):
            word = tag.strip()
            yield word, len(tag) if tag.rstrip() != tag else 0


def strings(text):
    """The one string of adjacent C literals."""
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text)) \
        .replace('\\"', '"')


LITERALS = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'


def code_words():
    for path in sorted(glob.glob(f"{SRCDIR}/src/render/*.c")):
        for call in re.findall(r"\bWORD\(\s*" + LITERALS + r"\)",
                               read(path)):
            yield strings(call)


def known_words():
    return [strings(s) for s in re.findall(
        r"^\t" + LITERALS + ",$", read("src/render/render_known.c"), re.M)]


def catalog(language):
    pairs = {}
    for line in read(f"templates/{language}.words").split("\n"):
        if line and not line.startswith("#"):
            key, _, value = line.partition(" = ")
            pairs[key.strip()] = value.strip()
    return pairs


def wanted(words, language):
    for word in words:
        if word.startswith("%u "):
            yield from (f"{word} [{form}]" for form in FORMS[language])
        else:
            yield word


def columns(text):
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


def main():
    tap = Tap()
    law = tap.law
    tags = list(template_words())
    code, known = set(code_words()), known_words()
    law("there are words to look at",
        [] if len(tags) > 60 and len(code) > 100 else [f"{len(code)} words"])
    law("render_known.c has the words that are inside WORD(), sorted",
        [f"missing: {w}" for w in sorted(code - set(known))] +
        [f"not used: {w}" for w in sorted(set(known) - code)] +
        ([] if known == sorted(known) else ["not sorted"]))
    words = code | {w for w, _ in tags}
    for language in sorted(FORMS):
        have, want = catalog(language), set(wanted(words, language))
        law(f"{language}.words has all words",
            [f"{w} =" for w in sorted(want - set(have))])
        law(f"{language}.words has no words that nothing uses",
            sorted(set(have) - want))
        law(f"{language}.words keeps the columns of the text part",
            [f"{w} = {have[w]}" for w, wide in tags
             if wide and columns(have.get(w, "")) >= wide])
        law(f"{language}.words translates nearly everything",
            [f"{w} is left in English" for w in have
             if have[w] == w and len(w) > 6 and "%s" not in w])
    return tap.end()


sys.exit(main())
