#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""What the rounds cannot tell apart is level; what they can is ahead or behind."""

import unittest

import measure
import verdict

_CONTENDERS = {
    "ours": {"kind": "ours", "variant": ""},
    "ours too": {"kind": "ours", "variant": ""},
    "peer": {"kind": "peer", "variant": ""},
    "lesser peer": {"kind": "peer", "variant": ""},
    "limit": {"kind": "limit", "variant": ""},
}


def played(each_ns, caveats=None):
    """A case as report.as_dict() has it; @each_ns: the rounds of each contender."""
    scene = {"scene": "s", "metric": "cpu_ns", "caveats": caveats or {}}
    case = measure.Case(scene, "1", list(each_ns))
    for who, rounds in each_ns.items():
        case.runs[who] = [{"operations": 1, "wall_ns": ns, "cpu_ns": ns, "waited_ns": 0}
                          for ns in rounds]
    return {"scene": "s", "example": "1", "metric": "cpu_ns", "caveats": scene["caveats"],
            "results": measure.results(case, _CONTENDERS)}


def judged(each_ns, caveats=None):
    kinds = {who: c["kind"] for who, c in _CONTENDERS.items()}
    return verdict.of_case(played(each_ns, caveats), kinds)


class OneCase(unittest.TestCase):
    def verdict(self, ours, peer):
        return judged({"ours": ours, "peer": peer})["verdict"]

    def test_rounds_that_overlap_are_level(self):
        self.assertEqual(self.verdict([100, 110, 121], [120, 130, 140]), "level")
        self.assertEqual(self.verdict([120, 130, 140], [100, 110, 121]), "level")

    def test_all_rounds_above_are_behind_by_however_little(self):
        self.assertEqual(self.verdict([102, 102, 103], [100, 100, 101]), "behind")

    def test_all_rounds_below_are_ahead_if_that_is_more_than_a_twentieth(self):
        self.assertEqual(self.verdict([90, 91, 92], [100, 100, 101]), "ahead")
        self.assertEqual(self.verdict([96, 97, 97], [100, 100, 101]), "level")

    def test_one_outlier_of_seven_rounds_is_none_and_of_six_is_one(self):
        self.assertEqual(self.verdict([90] * 6 + [500], [100] * 7), "ahead")
        self.assertEqual(self.verdict([90] * 5 + [500], [100] * 6), "level")

    def test_the_noise_is_all_that_the_ratio_could_be(self):
        found = judged({"ours": [100, 110, 120], "peer": [60, 80, 100]})

        self.assertEqual((found["noise"], found["verdict"]), ((1, 2), "level"))

    def test_two_rounds_tell_nothing(self):
        self.assertEqual(self.verdict([10, 10], [100, 100, 100]), "too few rounds")

    def test_one_round_tells_who_is_far_behind(self):
        found = judged({"ours": [90] * 3, "limit": [80] * 3, "peer": [8000]})

        self.assertEqual(found["verdict"], "ahead")
        self.assertEqual(judged({"ours": [9000], "limit": [80] * 3, "peer": [90] * 3})["verdict"],
                         "behind")

    def test_the_best_of_ours_stands_beside_the_best_peer_and_the_others_with_it(self):
        found = judged({"ours": [90] * 3, "ours too": [150] * 3, "peer": [100] * 3,
                        "limit": [60] * 3})

        self.assertEqual((found["ours"], found["verdict"], found["to_limit"]),
                         ("ours", "ahead", 1.5))
        self.assertEqual(found["others"]["ours too"]["verdict"], "behind")
        self.assertEqual(verdict.others(found), "ours too 1.50 behind")

    def test_who_promises_less_is_told_of_and_decides_nothing(self):
        found = judged({"ours": [90] * 3, "peer": [100] * 3, "lesser peer": [45] * 3},
                       {"lesser peer": "not thread-safe"})

        self.assertEqual(found["verdict"], "ahead")
        self.assertEqual(found["lesser"], [{"peer": "lesser peer", "caveat": "not thread-safe",
                                            "to_peer": 2, "noise": (2, 2), "verdict": "behind"}])

    def test_without_a_peer_there_is_the_limit(self):
        found = judged({"ours": [90] * 3, "limit": [60] * 3})

        self.assertEqual((found["verdict"], found["to_limit"]), ("no peer", 1.5))

    def test_where_none_of_ours_has_played_nothing_is_said(self):
        self.assertIsNone(judged({"peer": [100] * 3}))


class Run(unittest.TestCase):
    def test_every_case_is_in_one_list_and_the_worst_comes_first(self):
        kinds = {who: c["kind"] for who, c in _CONTENDERS.items()}
        cases = [played({"ours": [ns] * 3, "peer": [100] * 3}) for ns in (50, 130, 200, 100)]

        found = verdict.of_run(cases, kinds)

        self.assertEqual([v["to_peer"] for v in found["behind"]], [2, 1.3])
        self.assertEqual(verdict.headline(found), "2 behind, 1 level, 1 ahead")


if __name__ == "__main__":
    unittest.main()
