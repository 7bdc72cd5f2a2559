#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Links of Markdown files lead to files and folders of the tree.

  links.py [ROOT]

Looks at [text](path) and [text](path#part); not at addresses of other places.
"""

import re

import tree as t

_LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.M | re.S)


def without_code(text):
    return _CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)


def check(tree):
    for path in tree.files(".", suffixes=(".md",)):
        text = tree.read(path)
        for match in _LINK.finditer(without_code(text)):
            target = match.group(1).partition("#")[0]
            if target and "://" not in target and not tree.has(path.parent / target):
                tree.fault(path, t.line_of(text, match.start()), "leads nowhere: " + target)


if __name__ == "__main__":
    t.main(check)
