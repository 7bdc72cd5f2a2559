#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The gate closes: what grows is found, what does not is left alone."""

import unittest

import check


def cost(instructions=1000.0, system_calls=1.0, allocations=0.0, read_modify_writes=4.0):
    return {"turn": dict(zip(check._COLUMNS,
                             (instructions, system_calls, allocations, read_modify_writes)))}


class Gate(unittest.TestCase):
    def faults(self, now, columns=check._COLUMNS):
        return list(check.faults(now, cost(), columns))

    def test_what_costs_the_same_passes(self):
        self.assertEqual(self.faults(cost()), [])

    def test_less_passes(self):
        self.assertEqual(self.faults(cost(900.0, 0.0, 0.0, 3.0)), [])

    def test_two_percent_more_instructions_pass(self):
        self.assertEqual(self.faults(cost(1020.0)), [])

    def test_three_percent_more_instructions_fail(self):
        self.assertEqual(self.faults(cost(1030.0)), ["turn: instructions grew from 1000 to 1030"])

    def test_one_more_in_a_hundred_operations_fails_for_everything_else(self):
        self.assertEqual(len(self.faults(cost(1000.0, 1.01, 0.01, 4.01))), 3)

    def test_columns_left_out_are_not_compared(self):
        self.assertEqual(self.faults(cost(2000.0), check._COLUMNS[1:]), [])

    def test_a_scene_that_stands_on_one_side_alone_fails(self):
        self.assertEqual(list(check.faults({}, cost())), ["turn stands only in the file"])
        self.assertEqual(list(check.faults(cost(), {})), ["turn stands only in the program"])


if __name__ == "__main__":
    unittest.main()
