#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""clang refuses a plain function that calls a coroutine_fn, and a coroutine that blocks.

  colour_test.py HEADER...

Each public function whose contract says [coroutine] is coroutine_fn, and no other. Each of them,
and each blocking_fn, is then called from the wrong place, with the flags of every clang build.
Without clang the second half is left out, and says so.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

FLAGS = ["-std=gnu11", "-fsyntax-only", "-Wthread-safety", "-Werror=thread-safety", "-Wno-unused"]
_CHUNK = re.compile(r"/\*(?P<comment>.*?)\*/|(?P<code>(?:AIOX_API|static inline)\b[^;{]*[;{])", re.S)
_NAME = re.compile(r"\b(aiox_\w+)\(")


def functions(text):
    """(name, declaration, the contract above it) of each public function of a header."""
    contract = ""
    for chunk in _CHUNK.finditer(text):
        if chunk.group("comment") is not None:
            contract = chunk.group("comment")
        else:
            name = _NAME.search(chunk.group("code"))
            if name and not name.group(1).endswith("_"):
                yield name.group(1), chunk.group("code"), contract


def arguments(declaration):
    """As many zeros as it has parameters, each of its type."""
    inside = declaration[declaration.index("(") + 1 : declaration.rindex(")")]
    if "(" in inside or inside.strip() == "void":
        return ""
    zeros = []
    for parameter in inside.split(","):
        kind = re.match(r"(.*?)\w+$", parameter.strip(), re.S).group(1).strip()
        zeros.append("(%s)0" % kind)
    return ", ".join(zeros)


def call(name, declaration, caller_is_coroutine):
    return "void caller(void)%s;\nvoid caller(void)\n{\n    (void)%s(%s);\n}\n" % (
        " coroutine_fn" if caller_is_coroutine else "",
        name,
        arguments(declaration),
    )


def compile_(clang, includes, header, code):
    with tempfile.NamedTemporaryFile("w", suffix=".c") as source:
        source.write('#include "%s"\n%s' % (header, code))
        source.flush()
        return subprocess.run(
            [clang] + FLAGS + includes + [source.name], stderr=subprocess.PIPE, text=True
        )


def main():
    faults = []
    tried = {True: 0, False: 0}
    clang = shutil.which("clang", path=os.environ.get("PATH", "") + ":/usr/bin")
    includes = sorted({"-I" + p.rpartition("/aiox/")[0] for p in sys.argv[1:]})
    for path in sys.argv[1:]:
        header = "aiox/" + path.rpartition("/aiox/")[2]
        with open(path) as text:
            found = list(functions(text.read()))
        for name, declaration, contract in found:
            is_coroutine = "coroutine_fn" in declaration
            if is_coroutine != ("[coroutine]" in contract):
                faults.append("%s: %s: contract and compiler disagree" % (header, name))
            if not clang or not (is_coroutine or "blocking_fn" in declaration):
                continue
            right = compile_(clang, includes, header, call(name, declaration, is_coroutine))
            wrong = compile_(clang, includes, header, call(name, declaration, not is_coroutine))
            tried[is_coroutine] += 1
            if right.returncode != 0:
                faults.append("%s: a legal call of %s\n%s" % (header, name, right.stderr))
            if wrong.returncode == 0 or "[-Werror,-Wthread-safety" not in wrong.stderr:
                faults.append("%s: clang lets %s pass\n%s" % (header, name, wrong.stderr))
    if not clang:
        print("no clang here: only the contracts were looked at")
    elif not (tried[True] and tried[False]):
        faults.append("nothing was tried: %s" % tried)
    print("\n".join(faults) or "%d coroutine_fn, %d blocking_fn" % (tried[True], tried[False]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
