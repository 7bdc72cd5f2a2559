#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs "bazel test" and ends with one line that counts test cases.

  tools/run_tests.py [flags and targets of bazel test; default //...]

The last line is "N passed, N failed", and ", N skipped" if there are any. A crash, a
time-out, a test that does not build: each counts as one failure. In front of it stands
what failed, and why. Exits as Bazel does.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree as ET


TOLD_LINES = 20  # of one failure


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


def output(result, name):
    """Path of a file that a run of a test program left; "" if it did not."""
    uris = [o["uri"] for o in result.get("testActionOutput", []) if o["name"] == name]
    return urllib.parse.unquote(urllib.parse.urlparse(uris[0]).path) if uris else ""


def cases(path):
    """(name, "passed" or "failed" or "skipped", what it said) of each case in a test.xml."""
    for case in ET.parse(path).getroot().iter("testcase"):
        name = ".".join(filter(None, [case.get("classname"), case.get("name")]))
        bad = [e for e in case if e.tag in ("failure", "error")]
        if bad:
            yield name, "failed", "\n".join(e.get("message") or e.text or "" for e in bad)
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            yield name, "skipped", ""
        else:
            yield name, "passed", ""


def outcome(result):
    """The cases of one run of a test program; a crash or a time-out is one that failed."""
    try:
        found = list(cases(output(result, "test.xml")))
    except (OSError, ET.ParseError):
        found = []
    ended_well = result["status"] in ("PASSED", "FLAKY")
    if not ended_well and all(state != "failed" for _, state, _ in found):
        found.append((result["status"], "failed", ""))
    return found


def tell(label, result, name, said):
    """A case that failed: what it said; of a crash or a time-out the end of the log, too."""
    lines = said.strip().splitlines()[:TOLD_LINES]
    if len(lines) < 2:
        try:
            with open(output(result, "test.log"), encoding="utf-8", errors="replace") as log:
                lines += log.read().splitlines()[-TOLD_LINES:]
        except OSError:
            pass
    print("%s: %s" % (label, name))
    for line in lines:
        print("    " + line)


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
    counts = {"passed": 0, "failed": len(events.broken & events.tests)}
    counts["skipped"] = len(events.absent & events.tests)
    for label in sorted(events.absent & events.tests):
        print("%s: not for this machine" % label)
    if code:
        print("what failed:")
    for label in sorted(events.broken & events.tests):
        print("%s: does not build" % label)
    for (label, _, _), (_, result) in sorted(events.runs.items(), key=lambda item: item[0]):
        for name, state, said in outcome(result):
            counts[state] += 1
            if state == "failed":
                tell(label, result, name, said)
    line = "%(passed)d passed, %(failed)d failed" % counts
    print(line + (", %(skipped)d skipped" % counts if counts["skipped"] else ""))
    return code


if __name__ == "__main__":
    sys.exit(main())
