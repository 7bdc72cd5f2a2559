#!/bin/sh
# SPDX-License-Identifier: MIT
# mutants.sh TEST...: each TEST must fail, and name the run in which it did.
set -u
unset XML_OUTPUT_FILE # or the failures of a mutant become the result of this test
rc=0
for test in "$@"; do
    name=${test##*/}
    if GTEST_FAIL_FAST=1 "$test" >"$TEST_TMPDIR/log" 2>&1; then
        echo "$name SURVIVED"
        rc=1
    elif grep -q "AIOX_SCHEDULE_REPLAY='" "$TEST_TMPDIR/log"; then
        echo "$name: $(grep '^\[ RUN' "$TEST_TMPDIR/log" | tail -1 | cut -c14-)" \
            "$(grep -m1 -B1 'AIOX_SCHEDULE_REPLAY=' "$TEST_TMPDIR/log" | tr '\n' ' ' | cut -c1-160)"
    else
        echo "$name failed, but for another reason:"
        tail -5 "$TEST_TMPDIR/log"
        rc=1
    fi
done
exit $rc
