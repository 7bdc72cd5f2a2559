# SPDX-License-Identifier: MIT
"""Plays scenes in rounds and keeps what came out: medians with minimum and maximum."""

import json
import signal
import statistics
import subprocess
import time

_PATIENCE_S = 90  # more than the player has with itself
_MOMENT_S = 2
# The tracer stops at each system call: few are enough, they are always the same.
_COUNTED_OPERATIONS = 1000
_SHORTEST_NS, _LONGEST_NS = 1e6, 100e6  # of what is measured in one run
_PLANNED = 0.9  # of the time; the rest is for cases that cannot do with their share
_ENOUGH = 8  # so much more may be asked for than was tried
FEWEST_ROUNDS = 3  # from which something can be told
_MANY_ROUNDS = 7
_FAR_BEHIND = 20  # times the middle one: a round shows that
_NOT_ROUNDS = 3  # calibrating, and counting system calls, take as long as about so many


class Players:
    """The program that plays one scene once."""

    def __init__(self, path, environment):
        self._path = path
        self._environment = environment
        self.scenes = {}
        self.contenders = {}
        self.absent = []  # not built: a package was missing
        for line in self._run(_PATIENCE_S, "--list").stdout.splitlines():
            row = json.loads(line)
            if "scene" in row:
                self.scenes[row["scene"]] = row
            elif "absent" in row:
                self.absent.append(row)
            else:
                self.contenders[row["contender"]] = row

    def _run(self, patience_s, *args):
        return subprocess.run([self._path, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=self._environment, timeout=patience_s, text=True)

    def play(self, scene, example, contender, operations, count=False, patience_s=_PATIENCE_S):
        """What one run says, or a sentence on why it says nothing."""
        try:
            done = self._run(patience_s, *(["--count"] if count else []), scene, example, contender,
                             str(operations))
        except subprocess.TimeoutExpired:
            return "not done after %.0f s" % patience_s
        if done.returncode == -signal.SIGALRM:
            return "it gave up, too slow"
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
        self.took_s = {c: 0 for c in contenders}  # a run, at most
        self.operations = {}
        self.system_calls = {}
        self.missing = {}

    def metric(self):
        return self.scene["metric"]

    def caveats(self):
        """Who does not promise there what ours do, and what: "not thread-safe"."""
        return self.scene["caveats"]

    def playing(self):
        return [c for c in self.contenders if c not in self.missing]

    def is_far_behind(self, contender):
        """Whether a quiet first round has shown enough: the others have use for the time."""
        firsts = {c: figure(runs[0], self.metric()) for c, runs in self.runs.items()
                  if runs and not is_disturbed(runs[0])}
        middle = statistics.median(firsts.values()) if firsts else 0
        return contender in firsts and firsts[contender] > _FAR_BEHIND * middle > 0

    def contesting(self):
        return [c for c in self.playing() if not self.is_far_behind(c)]


class Budget:
    """So much time for cases of so many contenders each; who takes less leaves it to the rest."""

    def __init__(self, seconds, sizes, clock=time.monotonic):
        self._clock = clock
        self._end = clock() + seconds
        self._planned_end = clock() + seconds * _PLANNED
        self._sizes = list(sizes)
        self._case_end = self._end
        self._share_s = 0
        self._size = 0

    def left_s(self):
        return self._end - self._clock()

    def begin_case(self):
        """The next case has its share of what is left of the plan. Returns that, in seconds."""
        planned_s = max(0.0, self._planned_end - self._clock())
        share_s = planned_s * self._sizes[0] / sum(self._sizes)
        self._size = self._sizes.pop(0)
        self._case_end = self._clock() + share_s
        self._share_s = share_s
        return share_s

    def run_ns(self, share_s, rounds):
        """How long one run is measured, when half of the time goes into what is around it."""
        each_ns = share_s * 1e9 / self._size / (rounds + _NOT_ROUNDS) / 2
        return max(_SHORTEST_NS, min(_LONGEST_NS, each_ns))

    def has_time_for(self, seconds):
        """Whether the case has so much time left."""
        return self._clock() + seconds <= self._case_end

    def patience_s(self):
        """How long one run may take: all that its case has, but a moment in any case."""
        return max(0.1, min(_PATIENCE_S, self.left_s(), max(_MOMENT_S, self._share_s)))

    def is_over(self):
        return self.left_s() <= 0


def play(players, budget, case, contender, operations, count=False):
    if budget.is_over():
        return "the time was up"
    return players.play(case.scene["scene"], case.example, contender, operations, count=count,
                        patience_s=budget.patience_s())


def calibrate_one(players, budget, case, contender, operations, target_ns):
    """How often it does it in about so much time, and what it has shown by the way."""
    before = None
    while True:
        run = play(players, budget, case, contender, operations)
        if isinstance(run, str):
            case.missing[contender] = run
            return None
        done, scale = run["operations"], target_ns / max(run["wall_ns"], 1)
        is_fixed = done == before  # the scene decides itself
        if scale <= _ENOUGH or is_fixed or not budget.has_time_for(0):
            case.operations[contender] = max(10, int(done * min(scale, _ENOUGH)))
            return run
        before = done
        operations = int(max(operations, done) * max(2, min(20, scale)))


def calibrate(players, budget, case, target_ns):
    """Each contender; returns what they have shown. The first run also warms up."""
    trials, usual = {}, 0
    for contender in case.contenders:
        # What the one before needed is where to begin.
        trial = calibrate_one(players, budget, case, contender, max(100, usual // _ENOUGH),
                              target_ns)
        if trial:
            trials[contender] = trial
            usual = case.operations[contender]
    return trials


def count_system_calls(players, budget, case):
    for contender in case.contesting():
        operations = min(case.operations[contender], _COUNTED_OPERATIONS)
        run = play(players, budget, case, contender, operations, count=True)
        if not isinstance(run, str):
            case.system_calls[contender] = run["system_calls"] / run["operations"]


def one_round(players, budget, case, number):
    """Every contender once; each round begins with another one."""
    order = case.contesting()
    shift = number % len(order) if order else 0
    for contender in order[shift:] + order[:shift]:
        before_s = budget.left_s()
        run = play(players, budget, case, contender, case.operations[contender])
        if not isinstance(run, str):
            case.runs[contender].append(run)
        elif not case.runs[contender]:  # else it has shown what it can
            case.missing[contender] = run
        case.took_s[contender] = max(case.took_s[contender], before_s - budget.left_s())


def figure(run, name):
    """Per operation for times; what a scene says itself is taken as it is."""
    value = run[name]
    return value / run["operations"] if name in ("cpu_ns", "wall_ns") else value


def is_disturbed(run):
    """For more than a twentieth of the time others had the processor that it wanted."""
    return run["waited_ns"] * 20 > run["wall_ns"]


def spread(values):
    """What is told of rounds, and how far they lie apart: one outlier of many is none."""
    values = sorted(values)
    off = 1 if len(values) >= _MANY_ROUNDS else 0
    return {"median": statistics.median(values), "min": values[0], "max": values[-1],
            "low": values[off], "high": values[-1 - off]}


def summary(case, contender):
    """Medians of the quiet rounds, if there are enough of them, and how many were not."""
    runs = case.runs[contender]
    quiet = [r for r in runs if not is_disturbed(r)]
    used = quiet if len(quiet) >= FEWEST_ROUNDS else runs
    result = {"rounds": len(runs), "used": len(used), "disturbed": sum(map(is_disturbed, runs)),
              "is_far_behind": case.is_far_behind(contender),
              "system_calls": case.system_calls.get(contender)}
    for name in runs[0]:
        if name not in ("operations", "waited_ns"):
            result[name] = spread(figure(r, name) for r in used)
    return result


def has_noise(row):
    """Whether its figures are also those of disturbed rounds, for want of others."""
    return row["disturbed"] > 0 and row["used"] == row["rounds"]


def compared_with(contender, kind, case, playing, contenders):
    """Other peers, unless they promise less there than ours do; limits of the same variant,
    as epoll, and where there are none, all others."""
    others = [c for c in playing if contenders[c]["kind"] == kind and c != contender
              and c not in case.caveats()]
    same = [c for c in others if contenders[c]["variant"] == contenders[contender]["variant"]]
    return same if same and kind == "limit" and contenders[contender]["kind"] == "ours" else others


def results(case, contenders, metric=None):
    """Each contender's summary with its ratio to the best peer and to the limit."""
    metric = metric or case.metric()
    rows = {c: summary(case, c) for c in case.playing() if case.runs[c]}
    for contender, row in rows.items():
        for kind in ("peer", "limit"):
            others = [c for c in compared_with(contender, kind, case, rows, contenders)
                      if rows[c][metric]["median"] > 0]
            best = min(others, key=lambda c: rows[c][metric]["median"], default=None)
            row["best_" + kind] = best
            row["to_" + kind] = (row[metric]["median"] / rows[best][metric]["median"] if best
                                 else None)
    return rows


def measure_case(players, budget, case, rounds, progress):
    """As many rounds as there are, or as fit into its share of the time.

    If none does, what it has shown while it was calibrated is better than nothing."""
    share_s = budget.begin_case()
    before_s = budget.left_s()
    progress("calibrating")
    trials = calibrate(players, budget, case, budget.run_ns(share_s, rounds))
    needed_s = before_s - budget.left_s()
    for turn in range(rounds):
        if not budget.has_time_for(needed_s):
            break
        progress("round %d of %d" % (turn + 1, rounds))
        one_round(players, budget, case, turn)
        # Counting takes about as long as a round.
        needed_s = 2 * sum(case.took_s[c] for c in case.contesting())
    for contender in case.playing():
        case.runs[contender] = case.runs[contender] or [trials[contender]]
    if budget.has_time_for(0):
        progress("counting system calls")
        count_system_calls(players, budget, case)


def measure(players, cases, rounds, budget_s, progress, clock=time.monotonic):
    """Plays all cases within the time; those that it did not reach say so."""
    budget = Budget(budget_s, [len(c.contenders) for c in cases], clock)
    for number, case in enumerate(cases):
        measure_case(players, budget, case, rounds,
                     lambda words, number=number, case=case: progress(number, case, words))
