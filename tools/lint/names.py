#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Names and first lines: public symbols, header guards, licence.

  names.py [ROOT]
"""

import re

import tree as t

_SPDX = "SPDX-License-Identifier: MIT"
_SCRIPTS = (".py", ".sh", ".bzl")
_API = re.compile(r"\bAIOX_API\b([^;{]*)[;{]")
_ATTRIBUTE = re.compile(r"\bAIOX_[A-Z_]+\b(\s*\((?:[^()]|\([^()]*\))*\))?")
_GUARD = re.compile(r"^#ifndef (\w+)\n#define (\w+)\n", re.M)


def check_licence(tree, path, text):
    lines = text.splitlines() or [""]
    first = 1 if lines[0].startswith("#!") and len(lines) > 1 else 0
    form = "# %s" if path.suffix in _SCRIPTS else "/* %s */"
    if lines[first] != form % _SPDX:
        tree.fault(path, first + 1, "begins without '%s'" % (form % _SPDX))


def declared(declaration):
    """The name that a declaration introduces."""
    bare = _ATTRIBUTE.sub("", declaration)
    match = re.search(r"(\w+)\s*\(", bare) or re.search(r"(\w+)\s*(?:\[[^]]*\]\s*)*$", bare)
    return match.group(1) if match else ""


def check_symbols(tree, path, text):
    code = t.without_comments(text)
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: " " * len(m.group(0)), code, flags=re.M)
    for match in _API.finditer(code):
        name = declared(match.group(1))
        if not re.fullmatch(r"aiox_[a-z0-9_]+", name):
            tree.fault(path, t.line_of(text, match.start()), "public name '%s' is not aiox_..." % name)


def guard_of(path):
    """The exact guard of a public header; of others the end alone is fixed."""
    if "include" in path.parts:
        path = "/".join(path.parts[path.parts.index("include") + 1:])
        return re.sub(r"\W", "_", path.upper()) + "_"
    return re.sub(r"\W", "_", path.name.upper()) + "_"


def check_guard(tree, path, text, guards):
    match = _GUARD.search(t.without_comments(text))
    want = guard_of(path)
    exact = "include" in path.parts
    if not match or match.group(1) != match.group(2):
        tree.fault(path, 1, "has no header guard")
        return
    guard = match.group(1)
    line = t.line_of(text, match.start())
    if guard != want if exact else not (guard.startswith("AIOX_") and guard.endswith("_" + want)):
        tree.fault(path, line, "the guard is %s, not %s" % (guard, want if exact else "AIOX_..._" + want))
    if guard in guards:
        tree.fault(path, line, "the guard is that of %s" % guards[guard])
    guards[guard] = path


def check(tree):
    guards = {}
    for path in tree.files("", suffixes=t.C_FILES + _SCRIPTS):
        text = tree.read(path)
        check_licence(tree, path, text)
        if path.suffix == ".h" and path.parts[0] in ("lib", "plugins", "apps", "test"):
            if "abi" not in path.parts:  # a frozen copy keeps the guard of its original
                check_guard(tree, path, text, guards)
            check_symbols(tree, path, text)


if __name__ == "__main__":
    t.main(check)
