# SPDX-License-Identifier: MIT
"""What every lint needs: the files of the tree, their code without comments, a report."""

import os
import pathlib
import re
import sys

C_FILES = (".c", ".h", ".cc", ".S")
_NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


class Tree:
    """The files below a root, as paths relative to it."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.faults = []

    def files(self, *tops, suffixes=None):
        """Sorted paths of the files below the folders `tops`, by name's end."""
        for top in tops:
            for folder, dirs, names in os.walk(self.root / top):
                dirs[:] = sorted(d for d in dirs if not d.startswith((".", "bazel-")))
                for name in sorted(names):
                    if suffixes is None or name.endswith(suffixes):
                        yield (pathlib.Path(folder) / name).relative_to(self.root)

    def rooms(self):
        """lib/bh, plugins/fdmon_epoll, ...: the folders with a version of their own."""
        for floor in ("lib", "plugins"):
            if (self.root / floor).is_dir():
                for room in sorted((self.root / floor).iterdir()):
                    if (room / "BUILD").exists():
                        yield room.relative_to(self.root)

    def has(self, path):
        return (self.root / path).exists()

    def read(self, path):
        return (self.root / path).read_text(encoding="utf-8")

    def fault(self, path, line, text):
        self.faults.append("%s:%d: %s" % (path, line, text))


def without_comments(text, keep_strings=False):
    """The text with comments (and the inside of strings) gone, lines and columns kept."""

    def blank(match):
        found = match.group(0)
        if found[0] in "\"'":
            return found if keep_strings else found[0] + " " * (len(found) - 2) + found[-1]
        return re.sub(r"[^\n]", " ", found)

    return _NOT_CODE.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def is_test(path):
    """Whether a file is part of a test: test/..., lib/x/test/..., apps/y/test/..."""
    return "test" in path.parts[:-1]


def main(check):
    """Runs check(tree) on the root given, or on the tree that the script is part of."""
    here = pathlib.Path(sys.argv[0]).resolve()
    tree = Tree(sys.argv[1] if len(sys.argv) > 1 else here.parents[2])
    check(tree)
    for fault in tree.faults:
        print(fault)
    sys.exit(1 if tree.faults else 0)
