#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""aiox_trace_test.py TOOL TURNER BOOK: what the tool says of a program and of a process."""

import os
import re
import subprocess
import sys
import unittest

TOOL, TURNER, BOOK = sys.argv[1:4]
TRACEFS = "/sys/kernel/tracing/uprobe_events"


def tool(*args, **kwargs):
    return subprocess.run([TOOL, *args], capture_output=True, text=True, **kwargs)


def has_probes():
    """Whether the compiler that built this had <sys/sdt.h>."""
    return tool("list", TURNER).returncode == 0


class Turner:
    """A process that turns its loop."""

    def __enter__(self):
        self.process = subprocess.Popen([TURNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"turning\n"
        return str(self.process.pid)

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait() == 0


class Tool(unittest.TestCase):
    def need_probes(self):
        if not has_probes():
            self.skipTest("built without <sys/sdt.h>")

    def test_the_probes_of_a_program_stand_in_the_book(self):
        self.need_probes()
        with open(BOOK) as f:
            known = set(re.findall(r"^\| `(\w+)` \| `(\w+)`", f.read(), re.M))

        listed = {tuple(line.split()[:2]) for line in tool("list", TURNER).stdout.splitlines()}

        self.assertLessEqual(listed, known)
        for point in ("bh", "run"), ("timer", "fire"), ("aio", "poll_enter"), ("base", "panic"):
            self.assertIn(point, listed)

    def test_a_process_has_those_of_its_program(self):
        self.need_probes()
        with Turner() as pid:
            said = tool("list", pid)

        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertRegex(said.stdout, r"aio +sleep +\d+ +/")

    def test_a_file_without_probes_is_said(self):
        said = tool("list", BOOK)

        self.assertEqual(said.returncode, 1)
        self.assertIn("no probes", said.stderr)

    def test_run_prints_the_rooms_that_are_asked_for(self):
        said = tool("run", "timer,bh", "--", TURNER, input="")

        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertRegex(said.stderr, r"aiox \d+\.\d+ \[\d+\] timer arm 0x[0-9a-f]+ 0x[0-9a-f]+\n")
        self.assertRegex(said.stderr, r'bh run 0x[0-9a-f]+ "turner"\n')
        self.assertNotIn(" aio ", said.stderr)

    def test_watch_shows_what_a_process_does_now_and_leaves_nothing(self):
        self.need_probes()
        if os.geteuid() != 0 or not os.access(TRACEFS, os.W_OK):
            self.skipTest("no uprobes for us here")
        with Turner() as pid:
            watcher = subprocess.Popen([TOOL, "watch", pid, "timer,bh"], text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            seen = ""
            while not (" timer fire " in seen and " bh run " in seen):
                line = watcher.stdout.readline()
                self.assertTrue(line, watcher.poll())
                seen += line
            watcher.terminate()
            watcher.communicate()

        self.assertEqual(watcher.returncode, 0)
        self.assertRegex(seen, r"aiox \d+\.\d+ \[%s\] timer fire 0x[0-9a-f]+ 0x[0-9a-f]+\n" % pid)
        self.assertRegex(seen, r'bh run 0x[0-9a-f]+ .*"(turner|coroutines)"\n')
        self.assertNotIn(" aio ", seen)
        with open(TRACEFS) as f:
            self.assertNotIn("aiox_trace_%d" % watcher.pid, f.read())

    def test_watch_of_a_process_without_probes(self):
        said = tool("watch", str(os.getpid()))

        self.assertEqual(said.returncode, 1)
        self.assertIn("no such probes", said.stderr)

    def test_wrong_usage_is_two(self):
        for wrong in [], ["lst"], ["run", "bh"], ["watch"]:
            self.assertEqual(tool(*wrong).returncode, 2, wrong)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
