#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""What one operation of each hot path costs, in counts that no machine's mood moves.

  check.py COUNTS COUNTS_SEAM FILE       compares with FILE; exit 1 if something grew
  check.py --print COUNTS COUNTS_SEAM    writes what FILE should hold

COUNTS is the program as it is shipped: instructions by valgrind, system calls by
strace, allocations by itself. COUNTS_SEAM is the same over counted atomics.
A count is the difference of two runs, so what happens once does not show. Of
another compiler than the one in FILE, the instructions are not compared.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

_COLUMNS = ("instructions", "system_calls", "allocations", "read_modify_writes")
_ALLOWED = {"instructions": 1.02}  # the others are whole numbers: none may grow
_FEW, _MANY = 2000, 6000
_HEADER = """\
# What one operation costs; a change here is a decision, and its commit says why.
# Written by tools/update_counts.
# Compiler: %s
"""


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit("%s: exit code %d\n%s" % (" ".join(command), done.returncode, done.stderr))
    return done


def instructions(program, scene, times, more=0):
    done = run("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
               program, scene, str(times), str(more))
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def system_calls(program, scene, times):
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder, "strace")
        run("strace", "--follow-forks", "--output=%s" % log, program, scene, str(times))
        return len(log.read_text().splitlines())


def said(program, scene, times, what):
    return int(re.search(r"%s (\d+)" % what, run(program, scene, str(times)).stdout).group(1))


def per_operation(count):
    return round((count(_MANY) - count(_FEW)) / (_MANY - _FEW), 2)


def measure(program, seam):
    costs = {}
    for scene in run(program, "--list").stdout.split():
        costs[scene] = {
            "instructions": per_operation(lambda n: instructions(program, scene, n)),
            "system_calls": per_operation(lambda n: system_calls(program, scene, n)),
            "allocations": per_operation(lambda n: said(program, scene, n, "allocations")),
            "read_modify_writes": per_operation(
                lambda n: said(seam, scene, n, "read_modify_writes")),
        }
    return costs


def table(costs):
    lines = ["%-18s" % "scene" + "".join("%20s" % c for c in _COLUMNS)]
    for scene, cost in costs.items():
        lines.append("%-18s" % scene + "".join("%20.2f" % cost[c] for c in _COLUMNS))
    return "\n".join(lines) + "\n"


def read(path):
    rows = [line.split() for line in path.read_text().splitlines() if not line.startswith("#")]
    return {row[0]: dict(zip(rows[0][1:], map(float, row[1:]))) for row in rows[1:]}


def compiler_of(program):
    return run(program, "--compiler").stdout.strip()


def faults(costs, allowed, columns=_COLUMNS):
    for scene in sorted(costs.keys() | allowed.keys()):
        if scene not in costs or scene not in allowed:
            yield "%s stands only in the %s" % (scene, "file" if scene in allowed else "program")
            continue
        for column in columns:
            now, was = costs[scene][column], allowed[scene][column]
            if now > was * _ALLOWED.get(column, 1) + 0.005:
                yield "%s: %s grew from %g to %g" % (scene, column, was, now)


def main(args):
    if args[0] == "--print":
        print(_HEADER % compiler_of(args[1]) + table(measure(*args[1:3])), end="")
        return 0
    path = pathlib.Path(args[2])
    columns = _COLUMNS
    if "# Compiler: %s\n" % compiler_of(args[0]) not in path.read_text():
        print("instructions are not compared: %s is another compiler" % compiler_of(args[0]))
        columns = _COLUMNS[1:]
    costs = measure(*args[:2])
    print(table(costs))
    found = list(faults(costs, read(path), columns))
    for fault in found:
        print(fault)
    if found:
        print("make it cheaper, or say in %s what it costs now (tools/update_counts)"
              % args[2])
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
