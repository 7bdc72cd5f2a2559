#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The hall of every library and plugin: BUILD, VERSION, CHANGELOG.md, README.md, and they agree.

  changelog.py [ROOT]
"""

import re

import tree as t

HALL = ["VERSION", "CHANGELOG.md", "README.md"]


def newest(text):
    """(line, heading) of the newest entry of a changelog."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("## "):
            return number, line[3:].strip()
    return 1, ""


def check_room(tree, room):
    missing = [name for name in HALL if not tree.has(room / name)]
    for name in missing:
        tree.fault(room / name, 1, "is missing")
    if "VERSION" in missing or "CHANGELOG.md" in missing:
        return
    version = tree.read(room / "VERSION").strip()
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        tree.fault(room / "VERSION", 1, "'%s' is not major.minor.patch" % version)
    line, heading = newest(tree.read(room / "CHANGELOG.md"))
    if heading != "Unreleased" and not re.fullmatch(re.escape(version) + r"( \(.*\))?", heading):
        what = "the newest entry is '%s', neither Unreleased nor %s" % (heading, version)
        tree.fault(room / "CHANGELOG.md", line, what)


def check(tree):
    for room in tree.rooms():
        check_room(tree, room)


if __name__ == "__main__":
    t.main(check)
