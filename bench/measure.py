# SPDX-License-Identifier: MIT
"""Plays scenes in rounds and keeps what came out: medians with minimum and maximum."""

import json
import statistics
import subprocess
import time

UNUSABLE = 3
_PATIENCE_S = 90
# The tracer stops at each system call: few are enough, they are always the same.
_COUNTED_OPERATIONS = 2000


class Players:
    """The program that plays one scene once."""

    def __init__(self, path, environment):
        self._path = path
        self._environment = environment
        self.scenes = {}
        self.contenders = {}
        self.absent = []  # not built: a package was missing
        for line in self._run("--list").stdout.splitlines():
            row = json.loads(line)
            if "scene" in row:
                self.scenes[row["scene"]] = row
            elif "absent" in row:
                self.absent.append(row)
            else:
                self.contenders[row["contender"]] = row

    def _run(self, *args):
        return subprocess.run([self._path, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=self._environment, timeout=_PATIENCE_S, text=True)

    def play(self, scene, example, contender, operations, count=False):
        """What one run says, or a sentence on why it says nothing."""
        try:
            done = self._run(*(["--count"] if count else []), scene, example, contender,
                             str(operations))
        except subprocess.TimeoutExpired:
            return "not done after %d s" % _PATIENCE_S
        if done.returncode != 0:
            words = done.stderr.strip().splitlines() or ["exit code %d" % done.returncode]
            return words[-1]
        return json.loads(done.stdout)


class Case:
    """One example of a scene, and what its contenders have shown in it."""

    def __init__(self, scene, example, contenders):
        self.scene = scene
        self.example = example
        self.contenders = contenders
        self.runs = {c: [] for c in contenders}
        self.operations = {}
        self.system_calls = {}
        self.missing = {}

    def metric(self):
        return self.scene["metric"]

    def playing(self):
        return [c for c in self.contenders if c not in self.missing]


def calibrate(players, case, target_ns):
    """How often each contender does it in about so much time; the first run also warms up."""
    for contender in case.contenders:
        operations, before = 100, None
        while True:
            run = players.play(case.scene["scene"], case.example, contender, operations)
            if isinstance(run, str):
                case.missing[contender] = run
                break
            done, scale = run["operations"], target_ns / max(run["wall_ns"], 1)
            if scale <= 4 or done == before:  # or the scene decides itself
                case.operations[contender] = max(10, int(done * min(scale, 10)))
                break
            before = done
            operations = int(max(operations, done) * max(2, min(20, scale)))


def count_system_calls(players, case):
    for contender in case.playing():
        operations = min(case.operations[contender], _COUNTED_OPERATIONS)
        run = players.play(case.scene["scene"], case.example, contender, operations, count=True)
        if not isinstance(run, str):
            case.system_calls[contender] = run["system_calls"] / run["operations"]


def one_round(players, case, number):
    """Every contender once; each round begins with another one."""
    order = case.playing()
    shift = number % len(order) if order else 0
    for contender in order[shift:] + order[:shift]:
        run = players.play(case.scene["scene"], case.example, contender,
                           case.operations[contender])
        if isinstance(run, str):
            case.missing[contender] = run
        else:
            case.runs[contender].append(run)


def figure(run, name):
    """Per operation for times; what a scene says itself is taken as it is."""
    value = run[name]
    return value / run["operations"] if name in ("cpu_ns", "wall_ns") else value


def is_disturbed(run):
    """For more than a twentieth of the time others had the processor that it wanted."""
    return run["waited_ns"] * 20 > run["wall_ns"]


def summary(case, contender):
    """Medians of the quiet rounds, if there are any, and how many were not."""
    runs = case.runs[contender]
    quiet = [r for r in runs if not is_disturbed(r)] or runs
    result = {"rounds": len(runs), "disturbed": sum(map(is_disturbed, runs)),
              "system_calls": case.system_calls.get(contender)}
    for name in runs[0]:
        if name not in ("operations", "waited_ns"):
            values = sorted(figure(r, name) for r in quiet)
            result[name] = {"median": statistics.median(values), "min": values[0],
                            "max": values[-1]}
    return result


def results(case, kinds):
    """Each contender's summary with its ratio to the best peer and to the limit."""
    rows = {c: summary(case, c) for c in case.playing() if case.runs[c]}
    for contender, row in rows.items():
        for kind in ("peer", "limit"):
            others = [r[case.metric()]["median"] for c, r in rows.items()
                      if kinds[c] == kind and c != contender]
            best = min(others) if others else 0
            row["to_" + kind] = row[case.metric()]["median"] / best if best > 0 else None
    return rows


def measure(players, cases, rounds, budget_s, progress):
    """Plays all cases; returns when done, or when the time is up after a whole round."""
    end = time.monotonic() + budget_s
    runs_left = sum(len(c.contenders) * (rounds + 2) for c in cases)
    for number, case in enumerate(cases):
        target_ns = max(2e6, min(100e6, (end - time.monotonic()) * 1e9 / max(runs_left, 1) * 0.5))
        progress(number, case, "calibrating")
        calibrate(players, case, target_ns)
        for turn in range(rounds):
            if turn >= 3 and time.monotonic() > end:
                break
            progress(number, case, "round %d of %d" % (turn + 1, rounds))
            one_round(players, case, turn)
        progress(number, case, "counting system calls")
        count_system_calls(players, case)
        runs_left -= len(case.contenders) * (rounds + 2)
