#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes compile_commands.json for clangd. Builds nothing.

  tools/compile_commands.py [bazel flags]     e.g. --config=asan
"""

import json
import os
import subprocess
import sys

NOT_CLANG = ["-fno-canonical-system-headers", "-Wno-free-nonheap-object"]


def bazel(*args):
    return subprocess.run(
        ["bazel", *args], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ).stdout.decode()


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    root = os.getcwd()
    external = os.path.join(bazel("info", "output_base").strip(), "external") + "/"
    query = 'mnemonic("CppCompile", //...)'
    actions = json.loads(bazel("aquery", *sys.argv[1:], "--output=jsonproto", query))["actions"]

    entries = {}
    for action in actions:
        args = action["arguments"]
        # Only bazel-out exists in the source tree; external/ does not.
        args = [external + a[len("external/"):] if a.startswith("external/") else a for a in args]
        args = [a for a in args if a not in NOT_CLANG]
        source = args[args.index("-c") + 1]
        entries[source] = {"directory": root, "file": source, "arguments": args}
    with open("compile_commands.json", "w") as f:
        json.dump(sorted(entries.values(), key=lambda e: e["file"]), f, indent=1)
    print("compile_commands.json: %d files" % len(entries))


if __name__ == "__main__":
    main()
