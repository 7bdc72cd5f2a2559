#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs "bazel test" and ends with one line that counts test cases.

  tools/run_tests.py [flags and targets of bazel test; default //...]

The last line is "N passed, N failed", and ", N skipped" if there are any. A crash, a
time-out, a test that does not build: each counts as one failure. Exits as Bazel does.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree as ET


class Events:
    """What Bazel's build event file says about tests."""

    def __init__(self):
        self.tests = set()
        self.absent = set()  # not for this machine
        self.broken = set()  # do not build
        self.runs = {}  # (label, run, shard) -> (attempt, result), the last attempt

    def add(self, event):
        ((kind, ident),) = event["id"].items()
        if kind == "targetConfigured" and "testSize" in event.get("configured", {}):
            self.tests.add(ident["label"])
        elif kind == "targetCompleted" and not event.get("completed", {}).get("success"):
            skipped = event.get("aborted", {}).get("reason") == "SKIPPED"
            (self.absent if skipped else self.broken).add(ident["label"])
        elif kind == "testResult" and "testResult" in event:
            key = ident["label"], ident.get("run", 1), ident.get("shard", 1)
            attempt = ident.get("attempt", 1)
            if attempt >= self.runs.get(key, (0,))[0]:
                self.runs[key] = attempt, event["testResult"]


def cases(path):
    """[passed, failed, skipped] of one test.xml."""
    counts = [0, 0, 0]
    for case in ET.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            counts[1] += 1
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            counts[2] += 1
        else:
            counts[0] += 1
    return counts


def outcome(result):
    """[passed, failed, skipped] of one run of a test program."""
    xml = [o["uri"] for o in result.get("testActionOutput", []) if o["name"] == "test.xml"]
    try:
        counts = cases(urllib.parse.unquote(urllib.parse.urlparse(xml[0]).path))
    except (IndexError, OSError, ET.ParseError):
        counts = [0, 0, 0]
    if result["status"] not in ("PASSED", "FLAKY") and not counts[1]:
        counts[1] = 1  # a crash or a time-out
    return counts


def run(args):
    """Bazel's exit code, and its events."""
    events = Events()
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        code = subprocess.call(["bazel", "test", "--build_event_json_file=" + file.name] + args)
        with open(file.name, encoding="utf-8") as lines:
            for line in lines:
                events.add(json.loads(line))
    return code, events


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    args = sys.argv[1:]
    if all(a.startswith("-") for a in args):
        args.append("//...")
    code, events = run(args)
    counts = [outcome(result) for _, result in events.runs.values()]
    passed, failed, skipped = (sum(column) for column in zip([0, 0, 0], *counts))
    for why, labels in [("not for this machine", events.absent), ("does not build", events.broken)]:
        for label in sorted(labels & events.tests):
            print("%s: %s" % (label, why))
    failed += len(events.broken & events.tests)
    skipped += len(events.absent & events.tests)
    line = "%d passed, %d failed" % (passed, failed)
    print(line + (", %d skipped" % skipped if skipped else ""))
    return code


if __name__ == "__main__":
    sys.exit(main())
