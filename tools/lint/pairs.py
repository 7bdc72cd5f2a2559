#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Pairs of ordered accesses: a tag like [BH-publish] stands at both ends and in the book.

  pairs.py [ROOT]

Both ends are lines of code in lib/ and plugins/; a file's opening essay does not count.
The book is docs/memory-model.md, one row of its table for each tag, and no other rows.
A row with "the kernel" in it says that the kernel is the other end.
"""

import re

import tree as t

BOOK = "docs/memory-model.md"
_TAG = re.compile(r"\[([A-Z][A-Z0-9_]*-[a-z][a-z0-9-]*)\]")


def essay_end(text):
    """Where the comments that open a file end."""
    match = re.match(r"(?:\s*/\*.*?\*/)*", text, re.S)
    return match.end()


def ends(tree):
    """{tag: [(path, line), ...]} of the code."""
    found = {}
    for path in tree.files("lib", "plugins", suffixes=t.C_FILES):
        if t.is_test(path):
            continue
        text = tree.read(path)
        for match in _TAG.finditer(text, essay_end(text)):
            found.setdefault(match.group(1), []).append((path, t.line_of(text, match.start())))
    return found


def rows(tree):
    """{tag: (line, row)} of the book's table."""
    if not tree.has(BOOK):
        return {}
    found = {}
    for number, line in enumerate(tree.read(BOOK).splitlines(), 1):
        match = re.match(r"\|[ `]*" + _TAG.pattern, line)
        if match:
            found[match.group(1)] = number, line
    return found


def check(tree):
    book = rows(tree)
    code = ends(tree)
    for tag, places in sorted(code.items()):
        path, line = places[0]
        if len(places) < 2 and "the kernel" not in book.get(tag, (0, ""))[1]:
            tree.fault(path, line, "[%s] has no other end" % tag)
        if tag not in book:
            tree.fault(path, line, "[%s] has no row in %s" % (tag, BOOK))
    for tag, (line, _) in sorted(book.items()):
        if tag not in code:
            tree.fault(BOOK, line, "[%s] is nowhere in the code" % tag)


if __name__ == "__main__":
    t.main(check)
