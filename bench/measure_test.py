#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""A run ends in time and takes what is not whole for what it is; no clock but a painted one."""

import unittest

import bench
import measure

_LAST_RUN_S = 0.2  # what has begun when the time ends is given a moment
_CONTENDERS = {
    "ours": {"kind": "ours", "variant": "epoll"},
    "peer": {"kind": "peer", "variant": ""},
    "limit": {"kind": "limit", "variant": "poll"},
}


class PaintedPlayers:
    """Each run takes @setup_s and then @each_ns per operation, of a clock that nobody waits for."""

    def __init__(self, setup_s, each_ns, batch=1, hangs=None, slow=None):
        self.now_s = 0.0
        self.runs = 0
        self._setup_s = setup_s
        self._each_ns = each_ns
        self._batch = batch
        self._hangs = hangs
        self._slow = slow or {}  # contender: ns for each

    def clock(self):
        return self.now_s

    def play(self, scene, example, contender, operations, count=False, patience_s=90):
        self.runs += 1
        done = -(-operations // self._batch) * self._batch
        each_ns = self._slow.get(contender, self._each_ns)
        taken_s = self._setup_s + done * each_ns / 1e9
        taken_s += 10000 if contender == self._hangs else 0
        self.now_s += min(taken_s, patience_s)
        if taken_s > patience_s:
            return "not done after %.0f s" % patience_s
        if count:
            return {"operations": done, "system_calls": 2 * done}
        return {"operations": done, "wall_ns": done * each_ns,
                "cpu_ns": done * each_ns, "waited_ns": 0}


def cases(count, contenders=9):
    scene = {"scene": "painted", "metric": "cpu_ns", "caveats": {}}
    return [measure.Case(scene, str(i), ["who %d" % k for k in range(contenders)])
            for i in range(count)]


def measured(players, many, rounds, seconds):
    measure.measure(players, many, rounds, seconds, lambda *_: None, players.clock)
    return players.now_s


class Time(unittest.TestCase):
    def test_what_is_fast_is_done_before_the_time_with_all_rounds(self):
        many = cases(40)

        taken_s = measured(PaintedPlayers(0.005, 200), many, 5, 170)

        self.assertLessEqual(taken_s, 170 + _LAST_RUN_S)
        self.assertEqual({len(runs) for c in many for runs in c.runs.values()}, {5})

    def test_what_is_slow_to_set_up_gets_fewer_rounds_and_all_are_played(self):
        many = cases(40)

        taken_s = measured(PaintedPlayers(0.09, 200), many, 9, 170)

        self.assertLessEqual(taken_s, 170 + _LAST_RUN_S)
        self.assertTrue(all(1 <= len(runs) < 9 for c in many for runs in c.runs.values()))

    def test_who_is_far_behind_plays_one_round_and_the_others_have_its_time(self):
        case = cases(1, contenders=3)[0]

        taken_s = measured(PaintedPlayers(0.005, 200, 10000, slow={"who 1": 5e4}), [case], 9, 7)

        self.assertLessEqual(taken_s, 7 + _LAST_RUN_S)
        self.assertEqual({c: len(runs) for c, runs in case.runs.items()},
                         {"who 0": 9, "who 1": 1, "who 2": 9})

    def test_what_has_no_time_for_a_round_shows_what_it_did_when_it_was_calibrated(self):
        many = cases(40)

        taken_s = measured(PaintedPlayers(0.3, 200), many, 9, 170)

        self.assertLessEqual(taken_s, 170 + _LAST_RUN_S)
        self.assertTrue(all(len(runs) == 1 for c in many for runs in c.runs.values()))
        self.assertEqual(many[-1].missing, {})

    def test_what_cannot_be_done_in_time_is_ended_and_says_so(self):
        many = cases(40)

        taken_s = measured(PaintedPlayers(30, 200), many, 5, 170)

        self.assertLessEqual(taken_s, 170 + _LAST_RUN_S)
        self.assertEqual(many[-1].missing["who 0"], "the time was up")

    def test_a_run_that_hangs_is_ended_with_the_time(self):
        many = cases(3)

        taken_s = measured(PaintedPlayers(10000, 200), many, 5, 170)

        self.assertLessEqual(taken_s, 170 + _LAST_RUN_S)

    def test_one_that_hangs_everywhere_leaves_time_to_the_others(self):
        many = cases(40)

        taken_s = measured(PaintedPlayers(0.005, 200, hangs="who 3"), many, 5, 170)

        self.assertLessEqual(taken_s, 170 + _LAST_RUN_S)
        self.assertTrue(all(list(c.missing) == ["who 3"] for c in many))

    def test_the_time_of_a_whole_run_is_what_the_help_says(self):
        self.assertLessEqual(bench.QUICK["budget_s"], 3 * 60 - 5)
        self.assertLessEqual(bench.FULL["budget_s"], 40 * 60 - 5)


class Names(unittest.TestCase):
    KNOWN = ["timers", "timers-late", "timersome", "aiox epoll", "aiox poll"]

    def test_a_name_stands_for_its_family(self):
        self.assertEqual(bench.chosen("timers, aiox", self.KNOWN, "scene"),
                         ["timers", "timers-late", "aiox epoll", "aiox poll"])

    def test_what_is_named_twice_is_played_once(self):
        self.assertEqual(bench.chosen("timers-late,timers", self.KNOWN, "scene"),
                         ["timers-late", "timers"])

    def test_what_is_not_there_is_said(self):
        with self.assertRaisesRegex(SystemExit, "no scene 'timer'"):
            bench.chosen("timer", self.KNOWN, "scene")


class Shares(unittest.TestCase):
    def setUp(self):
        self.now_s = 1000.0
        self.budget = measure.Budget(100 / 0.9, [1, 3, 1], lambda: self.now_s)

    def test_a_case_has_time_by_its_contenders(self):
        self.assertAlmostEqual(self.budget.begin_case(), 20)
        self.assertTrue(self.budget.has_time_for(19.9))
        self.assertFalse(self.budget.has_time_for(20.1))

    def test_who_takes_less_leaves_it_to_the_rest(self):
        self.budget.begin_case()
        self.now_s += 4

        self.assertAlmostEqual(self.budget.begin_case(), 96 * 3 / 4)

    def test_who_takes_more_takes_it_from_all_that_follow(self):
        self.budget.begin_case()
        self.now_s += 60

        self.assertAlmostEqual(self.budget.begin_case(), 30)

    def test_a_tenth_of_the_time_is_left_for_what_cannot_do_with_its_share(self):
        budget = measure.Budget(100, [1], lambda: self.now_s)

        self.assertEqual((budget.begin_case(), budget.left_s()), (90, 100))

    def test_a_share_is_divided_among_contenders_and_rounds(self):
        share_s = self.budget.begin_case()

        self.assertEqual(self.budget.run_ns(0.08, 5), 0.08e9 / 8 / 2)
        self.assertEqual(self.budget.run_ns(share_s, 5), 100e6)
        self.assertEqual(self.budget.run_ns(0, 5), 1e6)


class Figures(unittest.TestCase):
    def test_whole_batches_are_counted_whole(self):
        players, case = PaintedPlayers(0.001, 250, batch=10000), cases(1, contenders=1)[0]

        measured(players, [case], 5, 10)

        self.assertEqual(measure.summary(case, "who 0")["cpu_ns"]["median"], 250)
        self.assertEqual(case.system_calls["who 0"], 2)

    def case(self, *waited_ns, caveats=None):
        scene = {"scene": "s", "metric": "cpu_ns", "caveats": caveats or {}}
        case = measure.Case(scene, "1", list(_CONTENDERS))
        for who, each_ns in (("ours", 150), ("peer", 300), ("limit", 100)):
            case.runs[who] = [{"operations": 10, "wall_ns": 10 * (each_ns + w),
                               "cpu_ns": 10 * (each_ns + w), "waited_ns": 10 * w}
                              for w in waited_ns]
        return case

    def test_ratios_are_to_the_best_peer_and_to_the_limit(self):
        rows = measure.results(self.case(0, 0, 0), _CONTENDERS)

        self.assertEqual((rows["ours"]["to_peer"], rows["ours"]["to_limit"]), (0.5, 1.5))
        self.assertIsNone(rows["peer"]["to_peer"])

    def test_the_limit_of_a_backend_is_the_bare_system_call_of_that_backend(self):
        case = self.case(0)
        case.contenders.append("slower limit")
        case.runs["slower limit"] = [dict(r, cpu_ns=2 * r["cpu_ns"]) for r in case.runs["limit"]]
        same = {"slower limit": {"kind": "limit", "variant": "epoll"}}

        rows = measure.results(case, dict(_CONTENDERS, **same))

        self.assertEqual(rows["ours"]["to_limit"], 0.75)
        self.assertEqual(rows["peer"]["to_limit"], 3)

    def test_a_peer_that_promises_less_is_not_who_ours_are_compared_with(self):
        rows = measure.results(self.case(0, caveats={"peer": "not thread-safe"}), _CONTENDERS)

        self.assertIsNone(rows["ours"]["best_peer"])
        self.assertEqual(rows["peer"]["to_limit"], 3)

    def test_disturbed_rounds_are_told_of_and_left_out(self):
        row = measure.results(self.case(0, 500, 1, 0), _CONTENDERS)["ours"]

        self.assertEqual((row["disturbed"], row["used"], row["rounds"]), (1, 3, 4))
        self.assertEqual(row["cpu_ns"]["max"], 151)

    def test_disturbed_rounds_are_better_than_too_few(self):
        row = measure.results(self.case(0, 500, 1), _CONTENDERS)["ours"]

        self.assertEqual((row["disturbed"], row["used"]), (1, 3))
        self.assertEqual(row["cpu_ns"]["max"], 650)
        self.assertTrue(measure.has_noise(row))


if __name__ == "__main__":
    unittest.main()
