#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Code in Markdown compiles, alone and as gnu11: every C block that begins with ```c compile,
and every C block with a function main().

  snippets.py [ROOT]

The compiler is $CC or gcc; it finds the public headers of all libraries. Other C blocks show a
part of something; nobody compiles them.
"""

import os
import re
import subprocess

import tree as t

_BLOCK = re.compile(r"^```c( compile)?\n(.*?)^```$", re.M | re.S)
_MAIN = re.compile(r"^int main\(", re.M)
# What else a block needs that includes such a header, as pkg-config calls it.
_SYSTEM = {"aiox/aio_glib.h": "glib-2.0", "uv.h": "libuv"}
_FLAGS = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-c", "-o", "/dev/null", "-x", "c", "-"]


def include_flags(tree):
    """-I of each library's public headers."""
    return ["-I%s" % (tree.root / room / "include") for room in tree.rooms()]


def system_flags(code):
    """Compiler flags of the system libraries that a block uses; None if one is not installed."""
    flags = []
    for header, module in _SYSTEM.items():
        if not re.search(r'#include [<"]%s[>"]' % re.escape(header), code):
            continue
        asked = subprocess.run(["pkg-config", "--cflags", module], text=True, capture_output=True)
        if asked.returncode != 0:
            return None
        flags += asked.stdout.split()
    return flags


def complaints(tree, path, line, code):
    """What the compiler says of one block, with the lines of the document."""
    system = system_flags(code)
    if system is None:
        return ""
    command = [os.environ.get("CC", "gcc"), *include_flags(tree), *system, *_FLAGS]
    # Line directives make the compiler name the document instead of <stdin>.
    source = '#line %d "%s"\n%s' % (line, path, code)
    env = dict(os.environ, LC_ALL="C")
    return subprocess.run(command, input=source, text=True, capture_output=True, env=env).stderr


def check(tree):
    for path in tree.files(".", suffixes=(".md",)):
        text = tree.read(path)
        for match in _BLOCK.finditer(text):
            marked, code = match.groups()
            line = t.line_of(text, match.start(2))
            said = complaints(tree, path, line, code) if marked or _MAIN.search(code) else ""
            if said:
                tree.fault(path, line, "does not compile:\n" + said.rstrip())


if __name__ == "__main__":
    t.main(check)
