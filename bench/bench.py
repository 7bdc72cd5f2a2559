#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""What aiox costs beside what one would pick instead, all in one run on this machine.

  bazel run //bench -- [--scene fds,timers] [--contenders all] [--quick | --full]
                       [--json FILE] [--html FILE]

Every contender plays every scene in a process of its own, in rounds that begin
with another one each time. A figure is the median of the rounds; CPU time and
system calls per operation say more than wall time on a machine that is shared.
At the end stands where we are behind the best peer, level with it, and ahead.
"""

import argparse
import os
import pathlib
import sys

import measure
import page
import report

_HERE = pathlib.Path(__file__).absolute().parent
QUICK = {"rounds": 5, "budget_s": 172}
FULL = {"rounds": 9, "budget_s": 2385}
# For a quick run: the cases that say most.
QUICK_EXAMPLES = {
    "fds": ["1/1", "1000/1", "100/100"], "idle": ["1"], "register": ["1000"],
    "far-tasks": ["1", "4"], "timers": ["10000"], "timers-rearm": ["10000"],
    "timers-afar": ["1000"], "timers-cancel": ["10000"], "timers-expire": ["10000"],
    "timers-late": ["100us"], "echo": ["50x64"], "echo-co": ["50x64"], "channel": ["64"],
    "co-many": ["10000"], "co-memory": ["100000"], "co-pass": ["1"], "pool": ["1", "64"],
    "files": ["cached/32", "direct/32"], "nbd-random": ["1x1", "16x1"], "nbd-direct": ["64x1"],
    "nbd-latency": ["4x2500"], "nbd-copy": ["256x8"], "nbd-connect": ["1"], "nbd-idle": ["100"],
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene", default="all", help="scenes or families (nbd); see --list")
    parser.add_argument("--contenders", default="all", help="contenders or families (aiox)")
    parser.add_argument("--list", action="store_true", help="scenes and contenders")
    parser.add_argument("--quick", action="store_true",
                        help="what says most, at most three minutes; the default")
    parser.add_argument("--full", action="store_true", help="all cases, at most 40 minutes")
    parser.add_argument("--rounds", type=int, help="at most so many rounds")
    parser.add_argument("--minutes", type=float, help="at most so long")
    parser.add_argument("--json", metavar="FILE", help="write everything there, too")
    parser.add_argument("--html", metavar="FILE", help="write a page with plots")
    return parser.parse_args()


def chosen(wish, known, what):
    """Names, and families: "timers" is also "timers-rearm", "aiox" also "aiox epoll"."""
    if wish == "all":
        return list(known)
    names = []
    for word in map(str.strip, wish.split(",")):
        found = [n for n in known if n == word or n.startswith((word + "-", word + " "))]
        if not found:
            sys.exit("bench: there is no %s '%s'; there are: %s" % (what, word, ", ".join(known)))
        names += [n for n in found if n not in names]
    return names


def examples_of(scene, args):
    """Of scenes that were asked for by name, all."""
    few = QUICK_EXAMPLES.get(scene["scene"])
    return scene["examples"] if args.full or args.scene != "all" or not few else few


def plan(players, args):
    who = chosen(args.contenders, players.contenders, "contender")
    cases = []
    for name in chosen(args.scene, players.scenes, "scene"):
        scene = players.scenes[name]
        playing = [c for c in who if c in scene["contenders"]]
        for example in examples_of(scene, args) if playing else []:
            cases.append(measure.Case(scene, example, playing))
    return cases


def show_progress(cases):
    is_terminal = sys.stderr.isatty()
    last = [None]

    def show(number, case, words):
        line = "[%d/%d] %s %s: %s" % (number + 1, len(cases), case.scene["scene"], case.example,
                                      words)
        if is_terminal:
            print("\r\033[K" + line, end="", file=sys.stderr, flush=True)
        elif last[0] != number:
            print(line, file=sys.stderr, flush=True)
        last[0] = number
    return show


def environment():
    """The backends lie among the files of this program, not beside the players."""
    return dict(os.environ, BENCH_PLUGINS=str((_HERE.parent / "lib/aiox/fdmon-1").resolve()),
                BENCH_NBD=str(_HERE / "players/aiox-nbd"))


def out_path(name):
    """Where the user stands, not where Bazel runs this."""
    return pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."), name)


def main():
    args = arguments()
    players = measure.Players(str(_HERE / "players/players"), environment())
    if args.list:
        for scene in players.scenes.values():
            print("%-14s %s (%s)" % (scene["scene"], scene["title"], ", ".join(scene["examples"])))
        print("contenders: " + ", ".join(players.contenders))
        return 0
    limits = FULL if args.full else QUICK
    cases = plan(players, args)
    about = report.machine()
    measure.measure(players, cases, args.rounds or limits["rounds"],
                    args.minutes * 60 if args.minutes else limits["budget_s"],
                    show_progress(cases))
    print(file=sys.stderr)
    data = report.as_dict(about, players, cases)
    print(report.as_text(data), end="")
    if args.json:
        report.write(out_path(args.json), report.as_json(data))
    if args.html:
        report.write(out_path(args.html), page.as_page(data))
    return 0


if __name__ == "__main__":
    sys.exit(main())
