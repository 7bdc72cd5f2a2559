#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Sizes: of functions, parameter lists, files, lines; depth; #if inside functions.

  limits.py [ROOT]

An exception is a comment "limits: <reason>": in a function or right above it, on a line
that is too long, or in the first comment of a file that is. Files of tests may be long.
"""

import re

import tree as t

FUNCTION_LINES = 70
PARAMETERS = 6
SOURCE_LINES = 400
HEADER_LINES = 350
NESTING = 3
WIDTH = 100

_EXCEPTION = re.compile(r"limits: *\w")
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
_ATTRIBUTE = re.compile(r"__attribute__\s*\(\(.*?\)\)|\b(?:alignas|AIOX_[A-Z_]+)\s*\([^()]*\)", re.S)
_TYPE = re.compile(r"\s*(?:typedef\s+)?(?:struct|union|enum|class|namespace|extern)\b")
_CONTROL = re.compile(r"(?:\b(?:if|for|while|switch|catch)|\w+_(?:foreach|FOREACH)\w*)\s*$")


class Function:
    def __init__(self, head, start, body):
        self.head = head  # what stands before the opening brace
        self.start = start  # offset of the first character of the head
        self.body = body  # offset of the opening brace
        self.end = body  # offset of the closing brace
        self.nesting = 0

    def name(self):
        match = re.search(r"([\w:~]+)\s*\(", _ATTRIBUTE.sub("", self.head))
        return match.group(1) if match else "?"

    def parameters(self):
        head = _ATTRIBUTE.sub("", self.head)
        depth = commas = 0
        for c in head[head.index("("):]:
            depth += (c in "([{<") - (c in ")]}>")
            commas += c == "," and depth == 1
            if depth == 0:
                break
        return commas + 1


def is_function(head):
    """Whether what stands before a brace outside of any function makes it a body."""
    bare = _ATTRIBUTE.sub("", head).strip()
    if bare.endswith("=") or "(" not in bare or (_TYPE.match(bare) and not bare.endswith(")")):
        return False
    return bool(re.search(r"(?:\)|\bconst|\boverride|\bnoexcept|\bfinal)$", bare))


def is_block(code, brace):
    """Whether a brace inside a function opens a block, not an initialiser or a literal."""
    before = code[:brace].rstrip()
    if before.endswith(")"):
        depth = 0
        for at in range(len(before) - 1, -1, -1):
            depth += (before[at] == ")") - (before[at] == "(")
            if depth == 0:
                return bool(_CONTROL.search(before[:at]))
    return bool(re.search(r"(?:\belse|\bdo|[;{}:])$", before))


def functions(code):
    """The functions of code without comments and directives."""
    found = []
    stack = []  # the open braces inside the current function
    function = None
    start = 0  # of what may become the head of a function
    for match in re.finditer(r"[;{}]", code):
        at, c = match.start(), match.group(0)
        if function is None:
            head = code[start:at]
            if c == "{" and is_function(head):
                function = Function(head, start + len(head) - len(head.lstrip()), at)
            start = at + 1
        elif c == "{":
            stack.append(is_block(code, at))
            function.nesting = max(function.nesting, sum(stack))
        elif c == "}" and stack:
            stack.pop()
        elif c == "}":
            function.end = at
            found.append(function)
            function = None
            start = at + 1
    return found


def excused(text, f):
    """Whether a comment in the function, or the one that ends right above it, excuses it."""
    above = text[: f.start].rstrip()
    comment = above[above.rfind("/*"):] if above.endswith("*/") else above[above.rfind("\n"):]
    return bool(_EXCEPTION.search(text[f.start : f.end]) or _EXCEPTION.search(comment))


def check_function(tree, path, text, f, ifs):
    line = t.line_of(text, f.start)
    lines = t.line_of(text, f.end) - line + 1
    if lines > FUNCTION_LINES:
        tree.fault(path, line, "%s() has %d lines, not %d" % (f.name(), lines, FUNCTION_LINES))
    if f.parameters() > PARAMETERS:
        what = f.name(), f.parameters(), PARAMETERS
        tree.fault(path, line, "%s() has %d parameters, not %d" % what)
    if f.nesting > NESTING and path.suffix != ".cc":
        tree.fault(path, line, "%s() nests %d deep, not %d" % (f.name(), f.nesting, NESTING))
    for at in ifs:
        if f.body < at < f.end:
            tree.fault(path, t.line_of(text, at), "#if inside %s()" % f.name())


def check_file(tree, path):
    text = tree.read(path)
    lines = text.splitlines()
    limit = HEADER_LINES if "include" in path.parts else SOURCE_LINES
    first = text[: text.find("#include")] if "#include" in text else text
    if len(lines) > limit and not t.is_test(path) and not _EXCEPTION.search(first):
        tree.fault(path, 1, "the file has %d lines, not %d" % (len(lines), limit))
    for number, line in enumerate(lines, 1):
        if len(line) > WIDTH and not _EXCEPTION.search(line):
            tree.fault(path, number, "the line has %d columns, not %d" % (len(line), WIDTH))
    if path.suffix == ".S":
        return
    code = t.without_comments(text)
    directives = list(_DIRECTIVE.finditer(code))
    ifs = [d.start() for d in directives if re.match(r"\s*#\s*if", d.group(0))]
    code = _DIRECTIVE.sub(lambda d: re.sub(r"[^\n]", " ", d.group(0)), code)
    for f in functions(code):
        if not excused(text, f):
            check_function(tree, path, text, f, ifs)


def check(tree):
    for path in tree.files("lib", "plugins", "apps", "test", "bench", "tools", suffixes=t.C_FILES):
        check_file(tree, path)


if __name__ == "__main__":
    t.main(check)
