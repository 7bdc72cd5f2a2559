#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Every contender plays every scene once, a few operations each: nothing here rots unseen.

  smoke_test.py PLAYERS PLUGINS AIOX_NBD
"""

import os
import pathlib
import sys
import unittest

import bench
import measure
import page
import report

_OPERATIONS = 8
_MOST_MEMBERS = 1024  # an example may begin with how many there are; large ones take seconds


def small_enough(example):
    digits = "".join(c if c.isdigit() else " " for c in example).split()
    return int(digits[0]) <= _MOST_MEMBERS


class Bench(unittest.TestCase):
    def setUp(self):
        environment = dict(os.environ, BENCH_PLUGINS=str(pathlib.Path(PLUGINS).resolve()),
                           BENCH_NBD=str(pathlib.Path(AIOX_NBD).resolve()))
        self.players = measure.Players(PLAYERS, environment)
        self.cases = [measure.Case(scene, example, scene["contenders"])
                      for scene in self.players.scenes.values()
                      for example in filter(small_enough, scene["examples"])]

    def test_every_contender_plays_every_scene(self):
        self.assertEqual({case.scene["scene"] for case in self.cases}, set(self.players.scenes))
        for case in self.cases:
            for contender in case.contenders:
                run = self.players.play(case.scene["scene"], case.example, contender, _OPERATIONS)
                with self.subTest(scene=case.scene["scene"], contender=contender):
                    self.assertTrue(isinstance(run, dict) or "does not work here" in run, run)

    def test_who_does_not_look_at_descriptors_between_tasks_is_marked(self):
        scene = self.players.scenes["ask-and-turn-within"]
        # The ring's completions lie in memory.
        for contender in set(scene["contenders"]) - {"aiox io_uring"}:
            run = self.players.play(scene["scene"], "1", contender, 100, count=True)
            with self.subTest(contender=contender):
                self.assertEqual(run["system_calls"] < 100,
                                 "starves" in scene["caveats"].get(contender, ""))

    def test_who_runs_due_timers_in_another_order_is_marked(self):
        scene = self.players.scenes["timers-expire"]
        for contender in scene["contenders"]:
            run = self.players.play(scene["scene"], "1000", contender, _OPERATIONS)
            with self.subTest(contender=contender):
                self.assertEqual(run["in_order"] == 0, contender in scene["caveats"])

    def test_what_scenes_compare_has_a_unit(self):
        for scene in self.players.scenes.values():
            self.assertIn(scene["metric"], report.UNITS)

    def test_what_a_quick_run_plays_is_there(self):
        for scene, examples in bench.QUICK_EXAMPLES.items():
            self.assertLessEqual(set(examples), set(self.players.scenes[scene]["examples"]))

    def test_an_idle_turn_on_epoll_is_one_system_call(self):
        run = self.players.play("idle", "1", "bare epoll", 100, count=True)

        self.assertIn(run["system_calls"], range(100, 105))

    def test_system_calls_of_a_server_are_counted_without_those_of_its_clients(self):
        echo = self.players.play("echo", "1x64", "bare epoll", 100, count=True)
        nbd = self.players.play("nbd-random", "1x1", "bare server", 100, count=True)

        # A wait, a recv and a send; an asker's thread comes and goes.
        self.assertIn(echo["system_calls"], range(300, 400))
        # A recv, a pread and a send.
        self.assertIn(nbd["system_calls"], range(290, 320))

    def test_a_report_names_everybody_who_played(self):
        case = next(c for c in self.cases if c.scene["scene"] == "idle")
        case.operations = {c: _OPERATIONS for c in case.contenders}
        budget = measure.Budget(60, [1])
        measure.one_round(self.players, budget, case, 1)
        measure.count_system_calls(self.players, budget, case)

        data = report.as_dict(report.machine(), self.players, [case])

        for form in (report.as_text, report.as_json, page.as_page):
            for contender in case.contenders:
                self.assertIn(contender, form(data))
            self.assertIn("too few rounds", form(data))


if __name__ == "__main__":
    PLAYERS, PLUGINS, AIOX_NBD = sys.argv[1:4]
    unittest.main(argv=sys.argv[:1])
