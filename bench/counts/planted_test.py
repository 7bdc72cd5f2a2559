#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The gate closes on what is really planted in the counted program.

  planted_test.py COUNTS
"""

import sys
import unittest

import check

_SCENE = "handler_dispatch"
_LEAST = 2  # with so many more, all that it takes to plant is there


def instructions(more):
    return check.per_operation(lambda times: check.instructions(COUNTS, _SCENE, times, more))


class Planted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.honest = instructions(_LEAST)

    def faults_with(self, percent):
        planted = instructions(_LEAST + round(self.honest * percent / 100))
        return list(check.faults({_SCENE: {"instructions": planted}},
                                 {_SCENE: {"instructions": self.honest}}, ["instructions"]))

    def test_three_percent_more_instructions_close_it(self):
        self.assertEqual(len(self.faults_with(3)), 1)

    def test_one_percent_more_does_not(self):
        self.assertEqual(self.faults_with(1), [])


if __name__ == "__main__":
    COUNTS = sys.argv[1]
    unittest.main(argv=sys.argv[:1])
