#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Trace points: the code, the room's src/trace.h and docs/tracing.md know the same ones.

  traces.py [ROOT]

A point is AIOX_TRACE(room, event, a, b) in lib/<room>/src. The header has a line
" *   room event  a = ..., b = ...; when", the book a row "| `room` | `event` | a | b | when |"
with the same words.
"""

import re

import tree as t

BOOK = "docs/tracing.md"
_POINT = re.compile(r"\bAIOX_TRACE\(\s*(\w+),\s*(\w+),")
_LINE = re.compile(r"^ \*   (\w+) (\w+)\s+a = (.*), b = (.*); (.*)$", re.M)
_ROW = re.compile(r"^\| `(\w+)` \| `(\w+)` \| (.*) \| (.*) \| (.*) \|$", re.M)


def points(tree):
    """{(room, event): (path, line)} of the code."""
    found = {}
    for path in tree.files("lib", suffixes=t.C_FILES):
        if path.parts[2:3] != ("src",):
            continue
        code = t.without_comments(tree.read(path))
        for match in _POINT.finditer(code):
            line = t.line_of(code, match.start())
            if match.group(1) != path.parts[1]:
                tree.fault(path, line, "a point of %s stands in another room" % match.group(1))
                continue
            found.setdefault(match.groups(), (path, line))
    return found


def described(tree, paths, pattern):
    """{(room, event): (path, line, words)} of headers or of the book."""
    found = {}
    for path in paths:
        text = tree.read(path)
        for match in pattern.finditer(text):
            found[match.group(1, 2)] = path, t.line_of(text, match.start()), match.group(3, 4, 5)
    return found


def check(tree):
    code = points(tree)
    headers = [p for p in tree.files("lib", suffixes="trace.h") if p.parts[2:] == ("src", "trace.h")]
    header = described(tree, headers, _LINE)
    book = described(tree, [BOOK] if tree.has(BOOK) else [], _ROW)
    for point, (path, line) in sorted(code.items()):
        name = "%s %s" % point
        if point not in header:
            tree.fault(path, line, "the point '%s' is not in src/trace.h" % name)
        if point not in book:
            tree.fault(path, line, "the point '%s' has no row in %s" % (name, BOOK))
    for point, (path, line, words) in sorted(header.items()) + sorted(book.items()):
        if point not in code:
            tree.fault(path, line, "the point '%s %s' is nowhere in the code" % point)
        elif book.get(point, (0, 0, words))[2] != words:
            tree.fault(path, line, "%s says something else of '%s %s'" % ((BOOK,) + point))


if __name__ == "__main__":
    t.main(check)
