#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Links of Markdown files lead to files and folders of the tree, and targets exist.

  links.py [ROOT]

Looks at [text](path) and [text](path#part), not at addresses of other places; and at
`//folder:target`: a source test/<target>.cc stands in the folder, or its BUILD file says the name.
"""

import re

import tree as t

_LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.M | re.S)

_TARGET = re.compile(r"`//([\w/]+):(\w+)`")


def without_code(text):
    return _CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)


def check(tree):
    for path in tree.files(".", suffixes=(".md",)):
        text = tree.read(path)
        for match in _LINK.finditer(without_code(text)):
            target = match.group(1).partition("#")[0]
            if target and "://" not in target and not tree.has(path.parent / target):
                tree.fault(path, t.line_of(text, match.start()), "leads nowhere: " + target)
        for match in _TARGET.finditer(text):
            folder, name = match.groups()
            build = folder + "/BUILD"
            sources = ("%s/test/%s.cc" % (folder, name), "%s/%s.cc" % (folder, name))
            if not any(map(tree.has, sources)) and not (
                    tree.has(build) and '"%s"' % name in tree.read(build)):
                tree.fault(path, t.line_of(text, match.start()), "no such target: " + match.group(0))


if __name__ == "__main__":
    t.main(check)
